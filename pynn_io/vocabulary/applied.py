"""A model's values under the names and in the units of its NeuroML row: defaults filled, native words translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_io.graph.cells import CableCell, Cell, PointCell
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.derived import DERIVED, steep
from pynn_io.vocabulary.neuroml import CELL_ROWS, SAME_MEMBRANE, STEEP, SUPPORT_ROWS, Attribute, CellRow

#: Native names of states that standard models call otherwise.
STATES: Mapping[str, str] = {
    "V_m": "v",
    "U_m": "u",
    "Act_m": "m",
    "Inact_h": "h",
    "Act_n": "n",
    "g_sfa": "g_s",
    "g_rr": "g_r",
    "I_stc": "i_eta",
    "E_sfa": "v_t",
}

#: States that start at the value of a parameter where nothing else is stated.
REST: Mapping[str, str] = {"v_t": "v_t_star", "E_sfa": "V_T_star"}


def supported(name: str) -> bool:
    """Whether the vocabulary has a component for the model at all."""
    return name in SUPPORT_ROWS and SUPPORT_ROWS[name][0] != "no"


def family(cell: Cell) -> str:
    """What an event does to the cell: a key of `SYNAPSE_ROWS`, ``cable``, or empty for cells that take no synapses."""
    if isinstance(cell, CableCell):
        return "cable"
    model = models.known(cell.model) if isinstance(cell, PointCell) else None
    if model is None or model.kind != "cell" or not supported(model.name):
        return ""
    return SAME_MEMBRANE[model.name][1] if model.name in SAME_MEMBRANE else row_named(model.name).family


def row_named(name: str) -> CellRow:
    """The row of a supported cell model: its own or its standard twin's. Raises KeyError for others."""
    return CELL_ROWS[_row_name(name)]


def row_for(name: str, values: Mapping[str, Any]) -> CellRow:
    """The row that does the cell well under these `applied` values."""
    row = row_named(name)
    return CELL_ROWS[STEEP] if row.type.startswith("EIF_cond") and steep(values) else row


def _row_name(name: str) -> str:
    if name in CELL_ROWS:
        return name
    if name == "IF_facets_hardware1":
        return "IF_cond_exp"
    twin = _twin(name)
    if twin is None:
        raise KeyError(name)
    return twin.standard


def _twin(name: str) -> translations.Translation | None:
    """The translation that a native model's membrane goes through; None for models with a row of their own."""
    if name in CELL_ROWS:
        return None
    native = SAME_MEMBRANE.get(name, (name, ""))[0]
    alone = (row for row in translations.ON_NEST_ALONE.values() if row.native == native)
    return translations.of_native(native) or next(alone, None)


def applied(name: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(values under the row's names, leftovers)`` of a complete set of a supported cell's parameters and states.

    Leftovers are native parameters whose value has no place in the component.
    """
    twin = _twin(name)
    if twin is None:
        return {**values, **_derived(name, values)}, {}
    native = models.MODELS[twin.native]
    # A model that shares only the membrane states no synaptic parameters of the other; they do nothing.
    parameters = {item.name: values.get(item.name, item.default) for item in native.parameters}
    states = dict(_state(item, values[item.name], twin.standard) for item in native.states if item.name in values)
    standard, unsaid = translations.to_standard(twin, parameters)
    wanted = {attribute.source for attribute in row_named(name).attributes}
    kept = {**states, **{key: value for key, value in unsaid.items() if key in wanted}, **standard}
    leftovers = {key: value for key, value in unsaid.items() if key not in wanted and not _no_floor(key, value)}
    return {**kept, **_derived(twin.standard, kept)}, leftovers


def _state(item: models.Parameter, value: Any, standard: str) -> tuple[str, Any]:
    """A native state's standard name, and its value in that one's unit."""
    name = STATES.get(item.name, item.name)
    twin = models.MODELS[standard].parameter(name)
    if twin is None or {item.unit, twin.unit} == {"mV", "mV/ms"}:
        return name, value
    return name, convert(value, item.unit, twin.unit)


def _no_floor(key: str, value: Any) -> bool:
    """NEST writes "no lower bound" in two ways."""
    return key == "V_min" and value < -1e300


def _derived(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return DERIVED[name](values) if name in DERIVED else {}


def in_unit(item: Attribute, value: float, name: str) -> float:
    """The value in the unit of the attribute. A value without a row (a derived one) is in that unit already."""
    wanted = item.unit or item.given
    twin = _twin(name)
    for model in (models.MODELS[twin.standard] if twin is not None else None, models.MODELS[name]):
        parameter = model.parameter(item.source) if model is not None else None
        if parameter is not None:
            return convert(value, parameter.unit, wanted) if wanted and parameter.unit != "1" else value
    return value


def synaptic_values(target: Cell) -> dict[str, Any]:
    """What synapses need of their target, under standard names (``tau_syn_E``, ``e_rev_I``, ``taue`` ...)."""
    model = models.known(target.model) if isinstance(target, PointCell) else None
    if model is None or not isinstance(target, PointCell):
        return {}
    values = models.complete(target, Report(), "")
    names = {"tau_syn_ex": "tau_syn_E", "tau_syn_in": "tau_syn_I", "E_ex": "e_rev_E", "E_in": "e_rev_I"}
    return {**applied(model.name, values)[0], **{names[key]: value for key, value in values.items() if key in names}}
