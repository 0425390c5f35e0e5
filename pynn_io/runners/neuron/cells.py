"""Cells in NEURON's words: which populations hold what, and what each definition inserts and sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import Part
from pynn_io.lowering.cables.components import SCHEME, Generated, is_of_components, refuse_mixtures
from pynn_io.lowering.cables.decor import cable_model
from pynn_io.lowering.cables.models import (
    CableModel,
    CellGroup,
    CellModel,
    PointModel,
    SegmentModel,
    SourceModel,
    TemplateModel,
)
from pynn_io.lowering.cables.populations import cell_groups
from pynn_io.lowering.membrane import segment_model
from pynn_io.report import Report
from pynn_io.runners.neuron.standard import ranges, row_of
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Units of the vocabulary that differ from NEURON's for the same quantity.
_NEURON_UNITS = {"s": "ms"}
_SCHEME, _TEMPLATE = "nrn:", "hoc:"


def groups(
    network: Network,
    simulated: Mapping[str, np.ndarray],
    first: Mapping[str, int],
    generated: Generated,
    report: Report,
) -> tuple[CellGroup, ...]:
    """The simulated cells, by population and definition. What NEURON cannot be given here is LOST and left out."""
    refuse_mixtures(network)

    def model_of(part: Part) -> tuple[CellModel | None, Mapping[str, np.ndarray]]:
        return _of_components(part, generated, report) or lower_part(part, report)

    return cell_groups(network, simulated, first, model_of, _refusal, "NEURON", report)


def _of_components(part: Part, generated: Generated, report: Report) -> tuple[CellModel, dict[str, np.ndarray]] | None:
    """A cell of NeuroML, with the equations and segments that it states; None for any other."""
    cell, name = part.cell, part.cell_name
    if isinstance(cell, CableCell) and is_of_components(cell, generated.network):
        return segment_model(name, cell, generated.shape(str(cell.morphology)), generated, report), {}
    if isinstance(cell, PointCell) and (cell.model.startswith(SCHEME) or name in generated.attached):
        return generated.point(name, cell), _parameters(part)
    return None


def lower_part(part: Part, report: Report) -> tuple[CellModel | None, dict[str, np.ndarray]]:
    """The definition of a part, None where NEURON has nothing for it, and the values of single cells."""
    if isinstance(part.cell, PointCell) and row_of(part.cell.model) is not None:
        return _standard(part, part.cell, report)
    model = lower_cell(part.cell_name, part.cell, report)
    return model, {} if isinstance(model, SourceModel) else _parameters(part)


def _standard(part: Part, cell: PointCell, report: Report) -> tuple[PointModel, dict[str, np.ndarray]]:
    """A standard cell of PyNN, or one of NEST's that has a standard twin, as a point process of our own."""
    row = row_of(cell.model)
    if row is None:
        raise KeyError(cell.model)
    values = ranges(cell, part.parameters, report, f"cells/{part.cell_name}")
    own = {name: np.asarray(value, dtype=np.float64) for name, value in values.items() if np.ndim(value)}
    shared = {name: float(value) for name, value in values.items() if name not in own}
    current = ("i_stim", 10.0**row.current_power)
    return PointModel(row.mechanism, shared, row.weight_unit, row.records, current), own


def lower_cell(name: str, cell: Cell, report: Report) -> CellModel | None:
    """One definition but PyNN's; None where NEURON has nothing for it."""
    where = f"cells/{name}"
    if isinstance(cell, SpikeSource):
        return SourceModel()
    if isinstance(cell, CableCell):
        if cell.template:
            return TemplateModel(cell.template.partition(":")[2])
        return cable_model(cell, where, report)
    if isinstance(cell, PointCell) and cell.model.startswith(_TEMPLATE):
        return TemplateModel(cell.model.removeprefix(_TEMPLATE), point=True)
    if isinstance(cell, PointCell) and cell.model.startswith(_SCHEME):
        return PointModel(cell.model.removeprefix(_SCHEME), _numbers(cell, where, report))
    return None


def mechanisms_of(model: CellModel) -> set[str]:
    """What the model needs NEURON to have."""
    if isinstance(model, PointModel):
        return {model.mechanism}
    if isinstance(model, SegmentModel):
        return {spread.mechanism for spread in model.spreads}
    if isinstance(model, CableModel):
        return {paint.mechanism for paint in model.paints if paint.mechanism}
    return set()


def _refusal(part: Part) -> str:
    name, model = part.cell_name, getattr(part.cell, "model", None) or getattr(part.cell, "kind", "")
    return (
        f"Cells {name!r} are {model!r}, which the NEURON backend does not build; they and their synapses are left out."
    )


def _numbers(cell: PointCell, where: str, report: Report) -> dict[str, float]:
    """Parameters in NEURON's units: a known model complete, another one as stated."""
    model = models.known(cell.model)
    if model is None:
        return {key: float(value) for key, value in cell.parameters.items() if _usable(key, value)}
    values = models.complete(cell, report, where)
    return {key: _in_neuron(model, key, float(value)) for key, value in values.items() if models.is_number(value)}


def _usable(key: str, value: Any) -> bool:
    return key not in models.NOT_PARAMETERS and models.is_number(value)


def _in_neuron(model: models.Model, name: str, value: Any) -> Any:
    parameter = model.parameter(name)
    unit = parameter.unit if parameter is not None else ""
    return convert(value, unit, _NEURON_UNITS[unit]) if unit in _NEURON_UNITS else value


def _parameters(part: Part) -> dict[str, np.ndarray]:
    """Parameters that differ between the cells of a part, by name, in NEURON's units."""
    model = models.known(part.cell.model) if isinstance(part.cell, PointCell) else None
    found = {}
    for name, values in part.parameters.items():
        if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "biuf":
            continue
        key = name if model is None else model.aliases.get(name, name)
        numbers = np.ma.filled(np.ma.array(values, dtype=np.float64), np.nan)
        found[key] = numbers if model is None else _in_neuron(model, key, numbers)
    return found


__all__ = ["groups", "lower_cell", "lower_part", "mechanisms_of"]
