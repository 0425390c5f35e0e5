"""Which of PyNN's synapse types, receptor and weight unit the edges of one type have on one kind of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.errors import PlanError, UnitError
from pynn_io.graph.network import Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.plasticity import mechanism
from pynn_io.lowering.pynn.words import Cells, SynapseType, Target
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.plasticity import NEST_SYNAPSES, STDP

STATIC = "StaticSynapse"
#: NEST's synapses that are nothing but a weight and a delay.
_NEST_STATIC = frozenset({"nest:static_synapse", "nest:static_synapse_hom_w", "nest:cont_delay_synapse"})
_STATIC_ONES = (STATIC, "nest:static_synapse")
#: Other of NEST's synapses -> the standard one, and NEST's names of its parameters.
_FROM_NEST: Mapping[str, tuple[str, Mapping[str, str]]] = {
    f"nest:{native}": (standard, {theirs: ours for ours, theirs in renamed.items()})
    for standard, (native, renamed) in NEST_SYNAPSES.items()
    if native not in ("static_synapse", "stdp_synapse")
}
#: What only another simulator's synapse states and a standard one takes from its target.
_OF_TARGET = frozenset({"tau_psc"})
#: Parameters that are weights.
_WEIGHTS = frozenset({"w_min", "w_max"})
_STANDARD = ("TsodyksMarkramSynapse", "SimpleStochasticSynapse", "StochasticTsodyksMarkramSynapse")
_KNOWN = (*_STANDARD, "MultiQuantalSynapse", STDP)


@dataclass(frozen=True, slots=True)
class Spec:
    """How the edges of one type onto one kind of cells are connected.

    synapse: with what all edges share. columns: ``(column of the edges, name)`` of parameters that differ from edge to
    edge. unit, used: of the stated weight, and of the one that the cells take. scale: what PyNN's number of the latter
    is multiplied by. stated: receptor of the type, empty where edges or the sign of their weights say it.
    """

    synapse: SynapseType
    columns: tuple[tuple[str, str], ...]
    unit: str
    used: str
    scale: float
    stated: str

    def weight(self, stated: Any) -> Any:
        """A stated weight as PyNN's number."""
        if self.unit and self.used and self.unit not in ("1", self.used):
            stated = convert(stated, self.unit, self.used)
        return stated * self.scale


def spec_of(projection: Projection, row: int, synapse: Synapse, cells: Cells, target: Target, report: Report) -> Spec:
    """The spec of a type row onto cells. What the target has not becomes a static synapse (APPROXIMATED).

    Raises PlanError for a weight in a unit that the cells do not take, and for unknown parts of STDP.
    """
    where = f"projection {projection.name}"
    model, renames = _model(synapse, cells, target, report, where)
    columns = []
    states = _states(model)
    started = sorted(states & {*synapse.parameters, *(name.removeprefix(PARAMETER) for name in projection.types)})
    message = f"PyNN's {model} begins at rest: it is not started at {', '.join(started)}."
    report.lost("synapse-state", where, message, count=len(started), examples=started)
    for name in dict.fromkeys([*projection.types, *projection.edges.columns]):
        bare = name.removeprefix(PARAMETER)
        if bare in states:
            continue
        if name.startswith(PARAMETER) and bare not in models.NOT_PARAMETERS and model not in _STATIC_ONES:
            columns.append((name, renames.get(bare, bare)))
    unit = _text(projection, "weight_unit", row)
    used, scale = weight_unit(model, cells)
    _check_unit(unit, used, cells, where)
    stated = "" if "receptor" in projection.edges.columns else _text(projection, "receptor", row)
    parameters = _parameters(model, synapse, renames, where)
    if model == STDP:
        _as_it_is_there(parameters, target, report, where)
    synapse_type = SynapseType(model, parameters)
    stated = stated or str(synapse.parameters.get("receptor_type", ""))
    spec = Spec(synapse_type, tuple(columns), unit, used, scale, stated)
    beside = target.bounds.get(cells.model, 1.0)
    parameters |= {name: spec.weight(parameters[name]) * beside for name in _WEIGHTS & parameters.keys()}
    return spec


def _model(synapse: Synapse, cells: Cells, target: Target, report: Report, where: str) -> tuple[str, Mapping[str, str]]:
    """``(PyNN's name or a native one, parameters under other names)``."""
    model = synapse.model
    if model in ("", "static", STATIC) or model in _NEST_STATIC:
        # Onto its own cells by its own synapse: PyNN's number would be divided and multiplied by 1000, with rounding.
        return ("nest:static_synapse" if cells.model.startswith("nest:") else STATIC), {}
    if model.startswith("nest:") and target.native == "nest":
        row = models.known(model)
        return (row.name if row is not None and row.dialect == "nest" else model), {}
    found, renames = _FROM_NEST.get(model, (model, {}))
    needed = [found]
    if found == STDP:
        parts = mechanism(synapse.parameters, where)
        needed = [parts.timing, parts.weight]
    reason = next((target.lacks[name] for name in needed if name in target.lacks), "")
    if found == STDP and parts.weight_parameters["w_max"] < 0:
        reason = reason or target.upward
    if found in _KNOWN and not reason:
        if not cells.model.startswith("nest:") or found == STDP:
            return found, renames
        native, theirs = NEST_SYNAPSES[found]
        return f"nest:{native}", theirs
    report.approximated(
        loss_code(f"synapse:{model}"),
        where,
        f"{target.name} does not have the synapse {model}{f' ({reason})' * bool(reason)}: it becomes a static synapse "
        "of the same weight.",
        examples=[model],
    )
    return STATIC, {}


def _parameters(model: str, synapse: Synapse, renames: Mapping[str, str], where: str) -> dict[str, Any]:
    if model in _STATIC_ONES:
        return {}
    if model == STDP:
        parts = mechanism(synapse.parameters, where)
        return {
            "timing_dependence": parts.timing,
            "weight_dependence": parts.weight,
            "dendritic_delay_fraction": parts.dendritic_delay_fraction,
            **parts.timing_parameters,
            **parts.weight_parameters,
        }
    dropped = models.NOT_PARAMETERS | _states(model) | (frozenset() if model.startswith("nest:") else _OF_TARGET)
    return {
        renames.get(name, name): value
        for name, value in synapse.parameters.items()
        if name not in dropped and value is not None
    }


def _states(model: str) -> frozenset[str]:
    """Variables of one of PyNN's synapses, which are no parameters of its class."""
    row = None if model.startswith("nest:") else models.known(model)
    return frozenset() if row is None else frozenset(item.name for item in row.states)


def _as_it_is_there(parameters: dict[str, Any], target: Target, report: Report, where: str) -> None:
    """STDP with what the target has no choice of."""
    for name, only in target.stdp.items():
        if parameters[name] != only:
            message = f"On {target.name} {name} of STDP is {only:g}, not {parameters[name]:g}."
            report.approximated("synapse", where, message, examples=[STDP])
            parameters[name] = only


def _text(projection: Projection, name: str, row: int) -> str:
    column = projection.types.get(name)
    if column is None:
        return ""
    value = np.ma.asarray(column.values(projection.types.size))[row]
    return "" if value is None or value is np.ma.masked else str(value)


def weight_unit(model: str, cells: Cells) -> tuple[str, float]:
    """``(unit, scale)`` of weights onto cells by a synapse model of PyNN, or a native one.

    PyNN hands NEST a thousand times the weight of its own synapse types, whatever the cell's unit.
    """
    if not model.startswith("nest:"):
        return cells.weight_unit, 1e-3 if cells.model.startswith("nest:") else 1.0
    row = translations.of_standard(cells.model)
    native = models.known(row.native) if row is not None else None
    return (native.weight_unit if native is not None else cells.weight_unit), 1.0


def _check_unit(unit: str, used: str, cells: Cells, where: str) -> None:
    """Weights in the wrong dimension are a broken network, not something to guess about."""
    if not unit or not used or unit == "1":
        return
    try:
        convert(1.0, unit, used)
    except UnitError as error:
        raise PlanError(
            f"weights are in {unit}; the cells of population {cells.population} ({cells.model}) take {used}",
            where=where,
        ) from error


def weights(spec: Spec, weight: np.ndarray, inhibitory: np.ndarray) -> np.ndarray:
    """float64[n], in the unit that is used and with PyNN's sign."""
    weight = np.asarray(spec.weight(weight))
    if spec.used in ("uS", "nS"):
        return np.abs(weight)
    return np.where(inhibitory, -np.abs(weight), weight) if spec.used in ("nA", "pA", "mV") else weight
