"""Values of a cell under the names of PyNN's standard model that it is, or whose equations it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.lowering.cells import Part
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.applied import STATES


def twin(model: str) -> str:
    """The standard model that has the equations of this one: itself, or the twin of one of NEST's."""
    row = translations.of_native(model)
    return model if row is None else row.standard


def as_standard_values(model: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(parameters and states of the `twin`, what only the native model says)`` of a complete set of values."""
    row = translations.of_native(model)
    if row is None:
        return dict(values), {}
    native = models.MODELS[model]
    states = {item.name: values[item.name] for item in native.states if item.name in values}
    parameters = {name: value for name, value in values.items() if name not in states}
    standard, native_only = translations.to_standard(row, parameters)
    return standard | dict(_state(native, name, value, row.standard) for name, value in states.items()), native_only


def _state(native: models.Model, name: str, value: Any, standard: str) -> tuple[str, Any]:
    """A native state under its standard name, in that one's unit."""
    own = native.parameter(name)
    renamed = STATES.get(name, name)
    counterpart = models.MODELS[standard].parameter(renamed)
    if own is None or counterpart is None or {own.unit, counterpart.unit} == {"mV", "mV/ms"}:
        return renamed, value
    return renamed, convert(value, own.unit, counterpart.unit)


def completed(part: Part, cell: PointCell, report: Report, where: str) -> dict[str, Any]:
    """Every parameter of a part whose model the vocabulary knows, and the states that are stated; nothing is masked.

    cell: the part's. Reports as `models.complete` does. Raises KeyError for an unknown model.
    """
    stated = {name: value for name, value in part.parameters.items() if not is_unstated(value)}
    values = models.complete(replace(cell, parameters=stated), report, where)
    model = models.known(cell.model)
    return {name: filled(value, model.parameter(name) if model else None) for name, value in values.items()}


def is_unstated(value: Any) -> bool:
    """Whether no cell states the value."""
    return value is None or (isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).all()))


def filled(value: Any, parameter: models.Parameter | None) -> Any:
    """The values of all cells: the model's default for those that state none."""
    default = None if parameter is None else parameter.default
    return np.ma.filled(value, default) if isinstance(value, np.ma.MaskedArray) else value  # type: ignore[arg-type]
