"""Synapse models as statements of Brian2, and projections as links.

A plastic synapse computes when a spike arrives, not when it leaves: every interval between two events at it is as long,
so that what NEST computes at the spike's time is computed here one delay later. Sources: NEST's ``tsodyks_synapse.h``,
``tsodyks2_synapse.h``, ``stdp_synapse.h`` and the papers that these name. Plasticity by pairs of spikes is in `stdp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.edges import stated_by_edges
from pynn_io.lowering.receptors import INHIBITORY, check_unit, type_text
from pynn_io.report import Report
from pynn_io.runners.brian2.lowered import Cells, Link, Spec, SynapseCode, own_variables
from pynn_io.runners.brian2.stdp import NEST_STDP, lower_stdp
from pynn_io.vocabulary import models
from pynn_io.vocabulary.plasticity import STDP

STATIC = SynapseCode("static")
SCHEME = "neuroml:"


_BERNOULLI = SynapseCode("bernoulli", own_variables("", "p"), sent="weight * int(rand() < p)")
_SINCE = "since = t / ms - last"
_FACILITATED = "int(tau_facil > 1e-10) * exp(-since / clip(tau_facil, 1e-10, 1e300))"
_TSODYKS = SynapseCode(
    "tsodyks",
    own_variables("x y u last", "U tau_rec tau_facil"),
    "\n".join(
        (
            _SINCE,
            "left_rec = exp(-since / tau_rec)",
            "left_psc = exp(-since / {tau_psc})",
            "inactive = ((left_rec - 1) * tau_rec - (left_psc - 1) * {tau_psc}) / ({tau_psc} - tau_rec) * y"
            " - (left_rec - 1) * (1 - x - y)",
            f"u = u * {_FACILITATED}",
            "x = x + inactive",
            "y = y * left_psc",
            "u = u + U * (1 - u)",
            "released = u * x",
            "x = x - released",
            "y = y + released",
            "last = t / ms",
        )
    ),
    "weight * released",
)
_TSODYKS_2 = SynapseCode(
    "tsodyks2",
    own_variables("x u last", "U tau_rec tau_facil"),
    "\n".join(
        (
            _SINCE,
            "x = 1 + (x - x * u - 1) * exp(-since / tau_rec)",
            f"u = U + u * (1 - U) * {_FACILITATED}",
            "last = t / ms",
        )
    ),
    "weight * x * u",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """names: parameter of the model -> name here. defaults: of what the vocabulary has no parameter for."""

    code: SynapseCode
    names: Mapping[str, str] = field(default_factory=empty)
    states: Mapping[str, float] = field(default_factory=empty)


_PYNN_SHORT = MappingProxyType({"U": "U", "tau_rec": "tau_rec", "tau_facil": "tau_facil"})
_NEST_SHORT = MappingProxyType({"U": "U", "tau_rec": "tau_rec", "tau_fac": "tau_facil"})
_NEST_STDP = MappingProxyType(
    {
        "tau_plus": "tau_plus",
        "lambda": "learning",
        "alpha": "alpha",
        "mu_plus": "mu_plus",
        "mu_minus": "mu_minus",
        "Wmax": "Wmax",
    }
)
_FULL = MappingProxyType({"x": 1.0})
_ROWS: Mapping[str, _Row] = MappingProxyType(
    {
        **dict.fromkeys(
            ("", "static", "StaticSynapse", "nest:static_synapse", "nest:static_synapse_hom_w"), _Row(STATIC)
        ),
        "nest:cont_delay_synapse": _Row(STATIC),
        "SimpleStochasticSynapse": _Row(_BERNOULLI, {"p": "p"}),
        "nest:bernoulli_synapse": _Row(_BERNOULLI, {"p_transmit": "p"}),
        "TsodyksMarkramSynapse": _Row(_TSODYKS, _PYNN_SHORT, _FULL),
        "nest:tsodyks_synapse": _Row(_TSODYKS, {**_NEST_SHORT, "tau_psc": "tau_psc"}, _FULL),
        "nest:tsodyks2_synapse": _Row(_TSODYKS_2, _NEST_SHORT, _FULL),
        "nest:stdp_synapse": _Row(NEST_STDP, _NEST_STDP),
        "nest:stdp_synapse_hom": _Row(NEST_STDP, _NEST_STDP),
    }
)
#: The time constant of what a cell remembers of its own spikes, ms, where it states none (NEST's).
_TAU_MINUS = 20.0


def lower_projection(
    projection: Projection, network: Network, cells: Mapping[int, Cells], report: Report
) -> Link | None:
    """The link of a projection onto groups of cells; None if it cannot be connected (reported).

    cells: by the number of the group, those that the target population has cells in. Raises PlanError for a weight in
    a unit that the target does not take.
    """
    where = f"projection {projection.name}"
    if projection.kind != "chemical":
        message = f"Projections of the kind {projection.kind!r} are not connected on Brian2; they are left out."
        code = loss_code(f"kind:{projection.kind}")
        report.lost(code, where, message, count=projection.size, examples=[projection.kind])
        return None
    if not cells:
        return None
    specs = {}
    for row, name in enumerate(projection.synapses):
        unit = type_text(projection, "weight_unit", row)
        for number, item in cells.items():
            check_unit(unit, item.code.unit, f"the cells {item.code.name}", where)
            letter = "I" if _is_inhibitory(projection, row) else "E"
            synapse = network.synapses[name]
            if synapse.model.startswith(SCHEME):
                if name not in item.code.receptors:
                    _refused(synapse.model, projection, report)
                    return None
                specs[row, number] = Spec(STATIC, receptor=name)
            else:
                specs[row, number] = _spec(projection, synapse, unit, item.code.unit, letter, where, report)
    columns = {column for spec in specs.values() for column in spec.columns}
    names = [*sorted(columns), *(["receptor"] if "receptor" in projection.edges.columns else [])]
    inhibitory = np.array([_is_inhibitory(projection, row) for row in range(projection.types.size)], dtype=bool)
    immediate = all(network.synapses[name].model.startswith(SCHEME) for name in projection.synapses)
    return Link(projection, specs, inhibitory, tuple(names), immediate)


def _refused(model: str, projection: Projection, report: Report) -> None:
    """A synapse of NeuroML that is not linear, or onto a cell that takes none."""
    message = f"{model} cannot stand in the cells that it acts on; the projection is left out."
    where = f"projection {projection.name}"
    report.lost(loss_code(f"synapse:{model}"), where, message, count=projection.size, examples=[model])


def _is_inhibitory(projection: Projection, row: int) -> bool:
    return type_text(projection, "receptor", row) == INHIBITORY


def _spec(
    projection: Projection, synapse: Synapse, unit: str, native: str, letter: str, where: str, report: Report
) -> Spec:
    """unit, native: of the weights as stated, and as the cells take them. letter: of their synapses' time constant."""
    if synapse.model == STDP:
        found = lower_stdp(projection, synapse, unit, native, where)
        if found is not None:
            return found
    known = models.known(synapse.model)
    name = synapse.model if known is None or known.dialect == "nrn" else known.name
    row = _ROWS.get(name)
    if row is None:
        _approximated(synapse.model, where, report)
        return Spec(STATIC, unit=unit)
    if not row.names:
        return Spec(row.code, unit=unit)
    by_edge = {key: value for key, value in stated_by_edges(projection).items() if key in row.names}
    # no default stands for what edges state
    stated = models.complete(replace(synapse, parameters={**by_edge, **synapse.parameters}), report, where)
    states = {item.name: float(stated[item.name]) for item in known.states if item.name in stated} if known else {}
    parameters = {own: float(stated[key]) for key, own in row.names.items() if key in stated}
    parameters |= {**row.states, **states}
    columns = {
        f"{PARAMETER}{key}": own
        for key, own in row.names.items()
        if f"{PARAMETER}{key}" in (*projection.types, *projection.edges.columns)
    }
    code = row.code
    if code is NEST_STDP:
        parameters["tau_minus"] = float(synapse.parameters.get("tau_minus", _TAU_MINUS))
    if code is _TSODYKS:
        # PyNN takes the time constant by which resources come back from the target's synaptic current.
        tau = "tau_psc" if "tau_psc" in row.names else f"tau_syn_{letter}_post"
        more = "\ntau_psc : 1 (constant)" if "tau_psc" in row.names else ""
        code = replace(code, equations=code.equations + more, before=code.before.replace("{tau_psc}", tau))
    return Spec(code, parameters, columns, unit, plastic=code is not _BERNOULLI)


def _approximated(model: str, where: str, report: Report) -> None:
    message = (
        f"In Brian2 the target cell, not the synapse, shapes a response: {model} becomes a static synapse of the same "
        "weight."
        if model.startswith("nrn:")
        else f"There are no equations of {model} here: a static synapse runs instead, whose weight stays as it is."
    )
    report.approximated(loss_code(f"synapse:{model}"), where, message, examples=[model])
