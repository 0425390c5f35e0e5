"""Cable cells by region: what their decor inserts and sets, in order, and which morphology each cell has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    InitialConcentration,
    Item,
    Place,
    ReversalPotential,
)
from pynn_io.graph.biophysics import Paint as GraphPaint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.morphology import PROCESSING
from pynn_io.graph.network import Network, Population
from pynn_io.lowering import Part
from pynn_io.lowering.cables.models import CONDUCTANCE, Assign, CableModel, Insert, Paint
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Membrane properties that are section variables of NEURON, in the same units.
_SECTION_VARIABLES = {"specific_capacitance": "cm", "axial_resistivity": "Ra"}
#: Ions whose reversal potential a channel's own ``reversal`` would be; others have a variable ``e`` of the mechanism.
_IONS = ("na", "k", "ca")


def cable_model(cell: CableCell, where: str, report: Report) -> CableModel:
    """What is done to the morphology of a cell and put on its membrane; steps nobody knows are LOST."""
    unknown = [step for step in cell.processing if step not in PROCESSING]
    report.lost(
        "model-processing",
        where,
        "Steps of model_processing that pynn_io does not know are not done.",
        count=len(unknown),
        examples=unknown,
    )
    return CableModel(cell.processing, tuple(_paints(cell, where, report)))


def region_model(cell: CableCell, where: str, network: Network, report: Report) -> CableModel:
    """The same for a simulator that is given equations: what has some is apart, other mechanisms are names."""

    def in_equations(entry: GraphPaint | Place) -> bool:
        names = (getattr(entry.item, "channel", ""), getattr(entry.item, "mechanism", ""))
        return isinstance(entry, GraphPaint) and any(
            isinstance(network.channels.get(name), Component) for name in names
        )

    written = tuple(entry for entry in cell.decor if in_equations(entry))
    others = tuple(entry for entry in cell.decor if not in_equations(entry))
    model = cable_model(replace(cell, decor=others), where, report)
    return replace(model, equations=tuple(entry for entry in written if isinstance(entry, GraphPaint)))


def morphologies(population: Population, part: Part) -> tuple[np.ndarray | None, tuple[str, ...]]:
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
    elif isinstance(item, InitialConcentration):
        report.lost("decor", where, "Concentrations of ions start at NEURON's own.", examples=[item.ion])
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
