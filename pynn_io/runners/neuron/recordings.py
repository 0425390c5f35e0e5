"""Reports of a plan: lowered to probes, laid on built cells, and read out as traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.morphology import SPECIFICATION
from pynn_io.graph.network import Network
from pynn_io.lowering import parts, sources
from pynn_io.lowering.unrecorded import unrecorded
from pynn_io.report import Report
from pynn_io.results import Trace
from pynn_io.runners.neuron.lowered import CableModel, Settings
from pynn_io.runners.neuron.recorder import Probe, Recorder
from pynn_io.runners.neuron.sites import ARRAYS, Sites, array_and_index, segment_of, sites_of_compartments, sites_of_set
from pynn_io.runners.neuron.variables import (
    is_membrane_current,
    of_point,
    point_references,
    point_variable,
    points_at,
    present,
    references,
)
from pynn_io.simulation_plan import Recording, SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model

#: Kinds of reports that are recorded here; any other is reported by its name.
KINDS = ("compartment", "compartment_set", "summation", "synapse")
#: Regions by the name a report gives them; BMTK also writes the longer ones.
REGIONS = {"soma": "soma", "axon": "axon", "dend": "dend", "apic": "apic", "all": "all", **ARRAYS}
#: Units of variables by name; a density mechanism's current is per area.
UNITS = {"v": "mV", "cai": "mM", "V_m": "mV", "i_membrane": "nA", "i_membrane_": "nA", "i_cap": "mA/cm2"}


def lower(
    network: Network, plan: SimulationPlan, first: Mapping[str, int], settings: Settings, report: Report
) -> tuple[Probe, ...]:
    """The probes of all reports that are on, in the plan's order.

    Reports a kind that is not recorded (``recording``, LOST) and an interval that is no whole number of
    steps (``report-interval``, APPROXIMATED). Raises PlanError for an unknown region, an empty window, an unknown
    compartment set and a node set without a cell that runs, naming the report.
    """
    probes: list[Probe] = []
    for recording in plan.recordings:
        if not recording.enabled or recording.kind in ("quantities", "events"):
            continue
        where = f"reports.{recording.name}"
        if recording.kind not in KINDS:
            report.lost("recording", where, unrecorded(recording))
            continue
        window = _window(recording, report, where, settings)
        found = [
            _probe(recording, sites, _has_sections(sites, network), where, window)
            for sites in _sites(recording, network, plan, first, where)
        ]
        if not found:
            message = f"the node set of the report {recording.name!r} holds no cell that is simulated"
            raise PlanError(message, where=where)
        probes += found
    return tuple(probes)


def _sites(
    recording: Recording, network: Network, plan: SimulationPlan, first: Mapping[str, int], where: str
) -> Iterator[Sites]:
    """The recorded cells, or places of a compartment set; sources are no cells."""
    if recording.compartment_set is not None:
        yield sites_of_compartments(recording.compartment_set, network, plan, first, where)
        return
    for sites in sites_of_set(recording.node_set, network, plan, first):
        population = network.populations[sites.population]
        if not sources(population, network)[sites.rows].all():
            yield sites


def _window(recording: Recording, report: Report, where: str, settings: Settings) -> tuple[float, float, int]:
    """Start, interval, number of samples; an interval below the time step is the time step (SONATA extension)."""
    timestep, duration = settings.timestep, settings.duration
    start = 0.0 if recording.start is None else recording.start
    stop = duration if recording.stop is None else min(recording.stop, duration)
    interval = max(timestep if recording.interval is None else recording.interval, timestep)
    steps = interval / timestep
    if abs(steps - round(steps)) > 1e-6 * steps:
        message = (
            f"The report {recording.name!r} asks for a value every {interval} ms, which is no multiple of the time step"
            f" of {timestep} ms; each is taken at the nearest step."
        )
        report.approximated("report-interval", where, message)
    count = int(np.ceil((stop - start) / interval - 1e-9))
    if count < 1 or start < 0:
        raise PlanError(
            f"the report {recording.name!r} covers nothing of the run: from {start} to {stop} ms", where=where
        )
    return start, interval, count


def _has_sections(sites: Sites, network: Network) -> bool:
    found = parts(network.populations[sites.population], network, sites.rows)
    return not all(isinstance(part.cell, PointCell | SpikeSource) for part in found)


def _probe(recording: Recording, sites: Sites, sections: bool, where: str, window: tuple[float, float, int]) -> Probe:
    places = recording.compartment_set is not None
    # of points it is not looked at: configurations for NEST name a multimeter there
    asked = ((sections and recording.sections) or "soma").replace(",", " ").split()
    regions = tuple(dict.fromkeys(REGIONS[name] for name in asked if name in REGIONS))
    if not places and not all(name in REGIONS for name in asked):
        raise PlanError(
            f"the report {recording.name!r} asks for sections {recording.sections!r}",
            where=where,
            hint=f"known: {', '.join(REGIONS)}",
        )
    variables = tuple(recording.variable.replace(",", " ").split())
    summed = recording.kind == "summation"
    if not variables or (len(variables) > 1 and not summed):
        raise PlanError(f"the report {recording.name!r} must name one variable", where=where)
    # a summation of the soma is one of the whole cell; everything else records what it names (SONATA extension)
    soma = regions == ("soma",)
    whole = summed and soma and not places
    centre = not whole and (recording.compartments or ("center" if soma else "all")) == "center"
    return Probe(
        recording.name,
        recording.kind,
        variables,
        sites,
        ("all",) if whole else regions,
        centre,
        places,
        whole,
        *window,
        recording.unit or UNITS.get(variables[0], "nA" if summed else ""),
        summed and (recording.scaling or "area").lower() == "area",
    )


# --- on built cells -----------------------------------------------------------------------------------------------


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
        recorder.sections,
        recorder.positions,
        _section_order(probe, lowered),
    )


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
