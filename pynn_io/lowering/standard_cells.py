"""PyNN's standard cells, and NEST's models that have a standard twin, as one complete set of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_io.graph.cells import PointCell
from pynn_io.lowering.standard import as_standard_values, filled, is_unstated
from pynn_io.report import Report
from pynn_io.vocabulary import models
from pynn_io.vocabulary.derived import facets_membrane


def complete_values(
    cell: PointCell, parameters: Mapping[str, Any], report: Report, where: str, v_init: float | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(standard, native)``: parameters and states under the standard cell's names and in its units, and what only
    NEST's model says. A number, or an array with one a cell.

    parameters: as the cell's model names them, masked where a cell states none. Defaults are filled in and reported as
    `pynn_io.vocabulary.models.complete` does; a state that is not stated is the model's own (a potential: ``v_init``).
    Raises KeyError for a model that is not in the vocabulary.
    """
    stated = {name: value for name, value in parameters.items() if not is_unstated(value)}
    values = models.complete(PointCell(cell.model, stated), report, where)
    values = {name: filled(value, models.MODELS[cell.model].parameter(name)) for name, value in values.items()}
    standard, native = as_standard_values(cell.model, {**_initial(cell.model, v_init), **values})
    if cell.model == "IF_facets_hardware1":
        standard = {name: value for name, value in standard.items() if name != "g_leak"} | facets_membrane(values)
    return standard, native


def _initial(model: str, v_init: float | None) -> dict[str, Any]:
    """The states of a model at the start, under its own names."""
    states = {item.name: item.default for item in models.MODELS[model].states}
    return states if v_init is None else states | {name: v_init for name in ("v", "V_m") if name in states}
