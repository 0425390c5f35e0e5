"""Cells in NEURON's words: which populations hold what, and what each definition inserts and sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Item,
    Place,
    ReversalPotential,
)
from pynn_io.graph.biophysics import Paint as GraphPaint
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.morphology import PROCESSING
from pynn_io.graph.network import Network, Population
from pynn_io.lowering import Part, parts
from pynn_io.lowering.membrane import segment_model
from pynn_io.report import Report
from pynn_io.runners.neuron.components import SCHEME, Generated, is_of_components
from pynn_io.runners.neuron.lowered import (
    CONDUCTANCE,
    Assign,
    CableModel,
    CellGroup,
    CellModel,
    Insert,
    Paint,
    PointModel,
    SegmentModel,
    SourceModel,
    TemplateModel,
)
from pynn_io.runners.neuron.standard import ranges, row_of
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Membrane properties that are section variables of NEURON, in the same units.
_SECTION_VARIABLES = {"specific_capacitance": "cm", "axial_resistivity": "Ra"}
#: Ions whose reversal potential a channel's own ``reversal`` would be; others have a variable ``e`` of the mechanism.
_IONS = ("na", "k", "ca")
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
    found = []
    for population in network.populations.values():
        for part in parts(population, network, simulated[population.name]):
            model, own = _of_components(part, generated, report) or lower_part(part, report)
            if model is None:
                where = f"populations/{population.name}"
                report.lost(cell_code(part.cell), where, _refusal(part.cell_name, part.cell), count=part.size)
                continue
            codes, names = morphologies_of(population, part)
            gids = part.rows + first[population.name]
            found.append(CellGroup(population.name, part.cell_name, model, part.rows, gids, codes, names, own))
    return tuple(found)


def _of_components(part: Part, generated: Generated, report: Report) -> tuple[CellModel, dict[str, np.ndarray]] | None:
    """A cell of NeuroML, with the equations and segments that it states; None for any other."""
    cell, name = part.cell, part.cell_name
    if isinstance(cell, CableCell) and is_of_components(cell, generated.network):
        return segment_model(name, cell, generated, report), {}
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
        unknown = [step for step in cell.processing if step not in PROCESSING]
        report.lost(
            "model-processing",
            where,
            "Steps of model_processing that pynn_io does not know are not done.",
            count=len(unknown),
            examples=unknown,
        )
        return CableModel(cell.processing, tuple(_paints(cell, where, report)))
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


def _refusal(name: str, cell: Cell) -> str:
    model = getattr(cell, "model", None) or getattr(cell, "kind", "")
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


def morphologies_of(population: Population, part: Part) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Each cell's morphology as codes into names; None for cells without extent."""
    if not isinstance(part.cell, CableCell):
        return None, ()
    column = population.column("morphology")
    if column is None or column.is_scalar:
        name = part.cell.morphology if column is None else str(column.value)
        return np.zeros(part.size, dtype=np.int64), (name or "",)
    values = np.ma.asarray(column.values(population.size))[part.rows]
    text = np.where(np.ma.getmaskarray(values), part.cell.morphology or "", np.ma.getdata(values)).astype(str)
    names, codes = np.unique(text, return_inverse=True)
    return codes.astype(np.int64), tuple(names.tolist())


# --- the membrane -------------------------------------------------------------------------------------------------


def _paints(cell: CableCell, where: str, report: Report) -> Iterator[Paint]:
    """The decor in order, mechanisms before values: a value of an ion stands only where something brought the ion."""
    items: list[GraphPaint] = []
    for part in cell.decor:
        if isinstance(part, Place):
            report.lost("placed-item", where, "Items placed at one point of a cell are not built on NEURON.")
        else:
            items.append(part)
    if "extracellular" in cell.processing:
        yield Insert("all", "extracellular")
    for part in items:
        mechanism = _mechanism(part.item)
        if mechanism:
            yield Insert(part.region, mechanism)
    for part in items:
        yield from _assignments(part.region, part.item, where, report)


def _mechanism(item: Item) -> str:
    if isinstance(item, ChannelDensity):
        return item.channel
    return item.mechanism if isinstance(item, ConcentrationModel) else ""


def _assignments(region: str, item: Item, where: str, report: Report) -> Iterator[Assign]:
    if isinstance(item, ReversalPotential):
        yield Assign(region, "", f"e{item.ion}", item.value, item.ion)
    elif isinstance(item, ConcentrationModel):
        yield from _variables(region, item.mechanism, item.parameters)
    elif isinstance(item, ChannelDensity):
        if item.density is not None:
            yield Assign(region, item.channel, CONDUCTANCE, convert(item.density, "mS_per_cm2", "S_per_cm2"))
        if item.reversal is not None and item.ion in _IONS:
            yield Assign(region, "", f"e{item.ion}", item.reversal, item.ion)
        elif item.reversal is not None:
            yield Assign(region, item.channel, "e", item.reversal)
        yield from _variables(region, item.channel, item.parameters)
    elif isinstance(item, ChannelPopulation):
        report.lost("channel-population", where, "Channels that are counted, not spread, are not built on NEURON.")
    elif item.kind in _SECTION_VARIABLES:
        yield Assign(region, "", _SECTION_VARIABLES[item.kind], item.value)
    else:
        report.lost(
            "membrane-property", where, f"A region's own {item.kind} is not applied on NEURON; the plan's holds."
        )


def _variables(region: str, mechanism: str, parameters: Mapping[str, Any]) -> Iterator[Assign]:
    for name, value in parameters.items():
        if models.is_number(value):
            yield Assign(region, mechanism, name, float(value))


__all__ = ["groups", "lower_cell", "lower_part", "mechanisms_of", "morphologies_of"]
