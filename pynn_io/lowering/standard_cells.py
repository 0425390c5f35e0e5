"""PyNN's standard cells, and NEST's models that have a standard twin, as one complete set of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.applied import STATES
from pynn_io.vocabulary.derived import facets_membrane


def twin_of(model: str) -> str:
    """The standard model that has the equations of this one: itself, or the twin of one of NEST's."""
    twin = translations.of_native(model)
    return model if twin is None else twin.standard


def complete_values(
    cell: PointCell, parameters: Mapping[str, Any], report: Report, where: str, v_init: float | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(standard, native)``: parameters and states under the standard cell's names and in its units, and what only
    NEST's model says. A number, or an array with one a cell.

    parameters: as the cell's model names them, masked where a cell states none. Defaults are filled in and reported as
    `pynn_io.vocabulary.models.complete` does; a state that is not stated is the model's own (a potential: ``v_init``).
    Raises KeyError for a model that is not in the vocabulary.
    """
    stated = {name: value for name, value in parameters.items() if not _unstated(value)}
    values = models.complete(PointCell(cell.model, stated), report, where)
    values = {name: _filled(value, models.MODELS[cell.model].parameter(name)) for name, value in values.items()}
    return _standard(cell.model, {**_initial(cell.model, v_init), **values})


def _initial(model: str, v_init: float | None) -> dict[str, Any]:
    """The states of a model at the start, under its own names."""
    states = {item.name: item.default for item in models.MODELS[model].states}
    return states if v_init is None else states | {name: v_init for name in ("v", "V_m") if name in states}


def _standard(model: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Standard parameters and states of a complete set of values, and what only the native model says."""
    twin = translations.of_native(model)
    if twin is None:
        derived = facets_membrane(values) if model == "IF_facets_hardware1" else {}
        return {name: value for name, value in {**values, **derived}.items() if name != "g_leak" or not derived}, {}
    native = models.MODELS[model]
    states = {item.name: values[item.name] for item in native.states if item.name in values}
    parameters = {name: value for name, value in values.items() if name not in states}
    standard, native_only = translations.to_standard(twin, parameters)
    return standard | dict(_state(native, name, value, twin.standard) for name, value in states.items()), native_only


def _state(native: models.Model, name: str, value: Any, standard: str) -> tuple[str, Any]:
    """A native state under its standard name, in that one's unit."""
    own = native.parameter(name)
    renamed = STATES.get(name, name)
    twin = models.MODELS[standard].parameter(renamed)
    if own is None or twin is None or {own.unit, twin.unit} == {"mV", "mV/ms"}:
        return renamed, value
    return renamed, convert(value, own.unit, twin.unit)


def _unstated(value: Any) -> bool:
    return value is None or (isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).all()))


def _filled(value: Any, parameter: models.Parameter | None) -> Any:
    """The values of all cells: the model's default for those that state none."""
    default = None if parameter is None else parameter.default
    return np.ma.filled(value, default) if isinstance(value, np.ma.MaskedArray) else value  # type: ignore[arg-type]
