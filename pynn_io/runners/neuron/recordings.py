"""Reports: probes laid on built cells, and read out as traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.morphology import SPECIFICATION
from pynn_io.lowering.cables.models import CableModel, SegmentModel
from pynn_io.lowering.cables.probes import Probe
from pynn_io.report import Report
from pynn_io.results import Trace
from pynn_io.runners.neuron.lowered import Settings
from pynn_io.runners.neuron.recorder import Recorder
from pynn_io.runners.neuron.sites import array_and_index, segment_of
from pynn_io.runners.neuron.variables import (
    is_membrane_current,
    of_point,
    point_references,
    point_variable,
    points_at,
    present,
    references,
)

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a trace: where it is, and what it sums: NEURON's references and factors."""

    gid: int
    section: int
    position: float
    terms: tuple[tuple[Any, float], ...]


def attach(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Begin to record on the cells of this rank; called when everything else is built, before initialisation.

    Raises PlanError for a variable that no compartment of a population has, naming what there is. Compartments
    without it are left out of the report, and counted (``recording-absent``, APPROXIMATED).
    """
    from neuron import h

    if any(is_membrane_current(name) for probe in lowered.recordings for name in probe.variables):
        h.CVode().use_fast_imem(1)
    for probe in lowered.recordings:
        elements, absent = _elements(probe, model)
        if not elements and absent:
            _refuse(probe, absent[0])
        report.approximated(
            "recording-absent",
            f"reports.{probe.name}",
            f"Compartments of {probe.population} that have no {' or '.join(probe.variables)} are left out.",
            count=len(absent),
        )
        model.recorders.append(_recorder(probe, elements, lowered.settings))


def flush(model: Model) -> None:
    """Between two pieces of a run: empty NEURON's vectors into the traces."""
    for recorder in model.recorders:
        recorder.flush()


def traces(model: Model, lowered: LoweredNeuron) -> tuple[Trace, ...]:
    """What was recorded on this rank."""
    flush(model)
    return tuple(_trace(recorder, lowered) for recorder in model.recorders)


def _trace(recorder: Recorder, lowered: LoweredNeuron) -> Trace:
    probe = recorder.probe
    rows = recorder.gids - lowered.first[probe.population]
    return Trace(
        probe.name,
        probe.population,
        ",".join(probe.variables),
        probe.unit,
        recorder.data,
        lowered.ids[probe.population][rows],
        probe.start,
        probe.interval,
        *_counted(recorder, lowered),
        _section_order(probe, lowered),
    )


def _counted(recorder: Recorder, lowered: LoweredNeuron) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Sections and positions as results count them: of cells of segments, as the specification does."""
    if recorder.sections is None or recorder.positions is None or lowered.segments is None:
        return recorder.sections, recorder.positions
    sections, positions = recorder.sections.copy(), recorder.positions.copy()
    for group in lowered.groups:
        if isinstance(group.model, SegmentModel):
            mine = np.isin(recorder.gids, group.gids)
            name = group.morphologies[0]
            places = sections[mine], positions[mine]
            sections[mine], positions[mine] = lowered.segments(name).specified(lowered.morphologies[name], *places)
    return sections, positions


def _section_order(probe: Probe, lowered: LoweredNeuron) -> str:
    """How the sections of the recorded cells are counted."""
    for group in lowered.groups:
        own = group.population == probe.population and np.isin(probe.sites.gids, group.gids).any()
        if own and isinstance(group.model, CableModel) and lowered.shapes is not None:
            return lowered.shapes(group.morphologies[0], group.model.processing)[0].order
    return SPECIFICATION


def _recorder(probe: Probe, elements: Sequence[Element], settings: Settings) -> Recorder:
    from neuron import h

    columns: list[list[tuple[Any, float]]] = []
    for element in elements:
        column = []
        for reference, factor in element.terms:
            vector = h.Vector()
            # an adaptive integrator has no steps: NEURON is asked for the moments themselves
            vector.record(reference, probe.interval) if settings.variable_step else vector.record(reference)
            column.append((vector, factor))
        columns.append(column)
    every = probe.interval if settings.variable_step else settings.timestep
    steps = np.rint((probe.start + probe.interval * np.arange(probe.count)) / every).astype(np.int64)
    gids = np.array([element.gid for element in elements], dtype=np.int64)
    extent = any(element.section >= 0 for element in elements)
    sections = np.array([element.section for element in elements], dtype=np.int64) if extent else None
    positions = np.array([element.position for element in elements]) if extent else None
    data = np.full((probe.count, len(elements)), np.nan)
    return Recorder(probe, columns, gids, sections, positions, data, steps)


def _elements(probe: Probe, model: Model) -> tuple[list[Element], list[Any]]:
    """The elements on this rank, and the segments (or cells) that do not have the variable."""
    found: list[Element] = []
    absent: list[Any] = []
    for site, gid in enumerate(probe.sites.gids.tolist()):
        cell = model.cells.get(gid)
        if cell is None:
            continue
        if probe.kind == "synapse":
            for _, segment in _places(probe, site, cell):
                position = float(segment.x) if segment is not None else 0.5
                found += [Element(gid, number, position, (term,)) for number, term in _synapses(probe, segment)]
            continue
        terms = [(section, segment, _terms(probe, cell, segment)) for section, segment in _places(probe, site, cell)]
        if probe.whole:
            every = tuple(term for _, _, own in terms for term in own)
            found += [Element(gid, 0, 0.5, every)] if every else []
            absent += [] if every else [segment or cell for _, segment, _ in terms[:1]]
            continue
        for section, segment, own in terms:
            if own or probe.kind == "summation":
                found.append(Element(gid, section, 0.5 if segment is None else float(segment.x), tuple(own)))
            else:
                absent.append(cell if segment is None else segment)
    return found, absent


def _places(probe: Probe, site: int, cell: Cell) -> Iterator[tuple[int, Any]]:
    """``(section number, segment)`` of what is recorded of one cell; number -1 and no segment for a point cell."""
    if not cell.sections:
        yield -1, None if cell.soma is None else cell.soma(0.5)
        return
    if probe.places:
        segment = segment_of(probe.sites, site, cell)
        if segment is not None and probe.sites.sections is not None:
            yield int(probe.sites.sections[site]), segment
        return
    for number, section in enumerate(cell.sections):
        if section is None or not ("all" in probe.regions or array_and_index(section)[0] in probe.regions):
            continue
        if probe.centre and probe.regions == ("soma",) and number:
            return  # a report of the soma has one value a cell
        for segment in [section(0.5)] if probe.centre else section:
            yield number, segment


def _terms(probe: Probe, cell: Cell, segment: Any) -> list[tuple[Any, float]]:
    """What one element sums; PlanError where a report of compartments meets several sources of one variable."""
    found = []
    for name in probe.variables:
        point = not cell.sections
        found += point_references(name, cell) if point else references(name, segment, probe.area)
    if len(found) > 1 and probe.kind != "summation":
        raise PlanError(
            f"the report {probe.name!r} asks for {probe.variables[0]}, of which {segment} has {len(found)}",
            where=f"reports.{probe.name}",
            hint="a report of type summation adds them up; one of type synapse has each",
        )
    return found


def _synapses(probe: Probe, segment: Any) -> Iterator[tuple[int, tuple[Any, float]]]:
    """Number and reference of every synapse of a mechanism at a segment (``mechanism.variable``)."""
    mechanism, _, variable = probe.variables[0].partition(".")
    for point in points_at(segment, mechanism):
        for reference, factor in point_variable(point, variable or "i"):
            yield int(getattr(point, "synapseID", -1)), (reference, factor)


def _refuse(probe: Probe, place: Any) -> None:
    """Say what there is where a variable was looked for in vain."""
    if hasattr(place, "point_processes"):
        known = f"{place} has: {', '.join(present(place))}"
    else:
        names = sorted({*place.records, *of_point(place.point)})
        known = f"{place.point.hname().partition('[')[0]} has: {', '.join(names)}"
    raise PlanError(
        f"the report {probe.name!r} asks for {', '.join(probe.variables)}, which no cell of population"
        f" {probe.population!r} has there",
        where=f"reports.{probe.name}.variable_name",
        hint=known,
    )
