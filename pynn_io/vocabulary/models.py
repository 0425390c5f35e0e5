"""The models that pynn_io knows by name: parameters, units, defaults, receptors, weight unit, state variables.

A bare name is one of PyNN's standard models (PyNN 0.13 documentation, "Standard cells" and "Synapse types");
``nest:`` and ``nrn:`` names are native ones, with the defaults of NEST 3.10 (``GetDefaults``) and NEURON 9. The number
of a parameter in the graph is in the unit of its row here. A row of `pynn_io.vocabulary.tables` is
``name default unit``, rows are separated by commas; ``-`` means that there is no default.

What is *not* here: equations (`pynn_io.vocabulary.neuroml` and the LEMS files beside it) and translations between
dialects (`pynn_io.vocabulary.translations`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from types import MappingProxyType
from typing import Any

from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import empty
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report
from pynn_io.vocabulary import tables


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter or state variable. ``default`` None: it must be stated. A tuple default: the value is a list."""

    name: str
    unit: str
    default: float | tuple[float, ...] | bool | None


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    kind: ``cell``, ``source`` or ``synapse``.
    receptors: names a projection may aim at, first the default one; empty for a model that takes no synapses.
    weight_unit: of a static synapse onto this cell, or of this synapse; empty where a weight means nothing, and for a
        synapse whose weight is in the unit of its target.
    states: what a simulation may initialise, with the model's own initial values; a cell states one like a parameter.
    aliases: other spellings of a parameter that files use (SONATA writes ``erev`` for Exp2Syn's ``e``).
    """

    name: str
    kind: str
    parameters: tuple[Parameter, ...]
    states: tuple[Parameter, ...] = ()
    receptors: tuple[str, ...] = ()
    weight_unit: str = ""
    aliases: Mapping[str, str] = field(default_factory=empty)

    @property
    def dialect(self) -> str:
        """``pynn``, ``nest`` or ``nrn``."""
        return self.name.partition(":")[0] if ":" in self.name else "pynn"

    def parameter(self, name: str) -> Parameter | None:
        """The parameter or state variable of that name or alias."""
        wanted = self.aliases.get(name, name)
        return next((item for item in (*self.parameters, *self.states) if item.name == wanted), None)


def _number(text: str) -> float | tuple[float, ...] | bool | None:
    if text == "-":
        return None
    if text in ("true", "false"):
        return text == "true"
    if text.startswith("["):
        return tuple(float(item) for item in text.strip("[]").split(";") if item)
    return float(text)


def _rows(text: str) -> tuple[Parameter, ...]:
    """``"tau_m 20 ms, cm 1 nF"`` as parameters."""
    fields = (row.split() for row in text.split(",") if row.strip())
    return tuple(Parameter(name, unit, _number(default)) for name, default, unit in fields)


def _models() -> dict[str, Model]:
    models = {}
    for kind, table in (("cell", tables.CELLS), ("source", tables.SOURCES), ("synapse", tables.SYNAPSES)):
        for name, row in table.items():
            models[name] = Model(
                name,
                kind,
                _rows(row.get("parameters", "")),
                _rows(row.get("states", "")),
                tuple(row.get("receptors", "").split()),
                row.get("weight", ""),
                MappingProxyType(dict(pair.split("=") for pair in row.get("aliases", "").split())),
            )
    return models


#: Every model by name.
MODELS: Mapping[str, Model] = MappingProxyType(_models())

#: Keys that stand beside the parameters in component files and are no parameters of any model.
NOT_PARAMETERS = frozenset(
    {"level_of_detail", "type", "name", "id", "template", "sign", "nsyns", "delay", "weight", "receptor_type"}
)

#: Endings of NEST's models that take a spike between two steps at its time; all others take it at the step after.
PRECISE_MODELS = ("_ps", "_ps_lossless")


def known(name: str) -> Model | None:
    """The model of that name; a bare name without a row is looked for among the synonyms of files (``exp2syn``)."""
    if name in MODELS:
        return MODELS[name]
    return MODELS.get(tables.SYNONYMS.get(name.rpartition(":")[2].lower(), ""))


def weight_unit(synapse: str, target: str) -> str:
    """The unit of a weight of ``synapse`` onto a cell of model ``target``; empty where neither is known."""
    own = known(synapse)
    if own is not None and own.weight_unit:
        return own.weight_unit
    cell = known(target)
    return cell.weight_unit if cell is not None else ""


def is_number(value: Any) -> bool:
    """Whether a stated value can be used as a finite number."""
    return isinstance(value, Real) and math.isfinite(value)


def complete(cell: PointCell | SpikeSource | Synapse, report: Report, where: object) -> dict[str, Any]:
    """Every parameter of a known model with a value: what is stated, else the model's default.

    Keys are the names of the model's row. State variables appear only where stated. Reports ``default-parameter``
    (DEFAULTED) once a model, naming the parameters and their values, ``unknown-parameter`` (LOST) for what the row does
    not have and ``missing-parameter`` (LOST) for what has neither value nor default (it is then absent).
    Raises KeyError for a model that is not in `MODELS`; ask `known` first.
    """
    model = known(cell.model)
    if model is None:
        raise KeyError(cell.model)
    stated = {model.aliases.get(name, name): value for name, value in cell.parameters.items()}
    values: dict[str, Any] = {}
    filled = []
    for item in model.parameters:
        value = stated.get(item.name)
        if value is not None:
            values[item.name] = value
        elif item.default is None:
            report.lost("missing-parameter", where, f"{model.name} has no {item.name}, which has no default either.")
        else:
            values[item.name] = item.default
            filled.append(f"{item.name}={item.default} {item.unit}".removesuffix(" 1"))
    values |= {item.name: stated[item.name] for item in model.states if stated.get(item.name) is not None}
    if filled:
        report.defaulted(
            "default-parameter",
            where,
            f"{model.name} does not state {_names(filled)}; the target needs them, so the model's own defaults stand.",
        )
    _report_unknown(model, stated, report, where)
    return values


def _report_unknown(model: Model, stated: Mapping[str, Any], report: Report, where: object) -> None:
    have = {item.name for item in (*model.parameters, *model.states)} | NOT_PARAMETERS
    for name in sorted(set(stated) - have):
        report.lost("unknown-parameter", where, f"{model.name} has no parameter {name!r}; its value is not used.")


def _names(items: Iterable[str]) -> str:
    return ", ".join(items)
