"""What is put on cells and recorded of them, at sections and positions that the cells have.

For simulators whose cells are known before they are built (Arbor, MOOSE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.errors import PlanError
from pynn_io.graph.segments import GROUP_OF_TAG
from pynn_io.graph.stimuli import SpontaneousSynapses, Stimulus, SynapseReplay, code_of
from pynn_io.lowering.cables.drives import Drive
from pynn_io.lowering.cables.inputs import Input
from pynn_io.lowering.cables.probes import Probe
from pynn_io.lowering.cables.sites import ARRAYS, Sites
from pynn_io.lowering.signals import Shape, signal_of, summed
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Names of the membrane potential.
POTENTIAL = frozenset({"v", "V_m", "vm", "Vm"})


class Sectioned(Protocol):
    """Cells that are alike. names, tag: of every section (int64[s]); count: int64[s], compartments of each.

    order: in which sections are counted in results (`pynn_io.graph.sections`). shown: sections and positions as results
    count them, where that is otherwise. spikes_at: section and position where spikes are detected.
    """

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def tag(self) -> np.ndarray: ...
    @property
    def count(self) -> np.ndarray: ...
    @property
    def order(self) -> str: ...
    @property
    def spikes_at(self) -> tuple[int, float]: ...
    @property
    def shown(self) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Injection:
    """A current at n places. gids, section: int64[n]; position: float64[n]. course: of a place, by number; ms, nA."""

    name: str
    gids: np.ndarray
    section: np.ndarray
    position: np.ndarray
    course: Callable[[int], Shape]


@dataclass(frozen=True, slots=True)
class Variable:
    """What is recorded. kind: the simulator's word, of an ``ion`` where it is one's. factor: from the simulator's unit
    to the report's."""

    kind: str
    ion: str = ""
    factor: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One report of one population, n elements.

    gids, section: int64[n]; position: float64[n]; -1 and 0.5 of a cell without extent. shown: section and position as
    ``order`` counts them.
    """

    probe: Probe
    variable: Variable
    gids: np.ndarray
    section: np.ndarray
    position: np.ndarray
    order: str
    shown: tuple[np.ndarray, np.ndarray]


def section_of(sites: Sites, site: int, cable: Sectioned) -> int:
    """The number of the section that a place names; -1 where the cell has none of it."""
    if sites.sections is not None:
        number = int(sites.sections[site])
        return number if number < len(cable.names) else -1
    if sites.name == "soma" and not sites.index:
        return cable.spikes_at[0]
    wanted = f"{ARRAYS.get(sites.name, sites.name)}[{sites.index}]"
    return cable.names.index(wanted) if wanted in cable.names else -1


# --- stimuli ------------------------------------------------------------------------------------------------------


def currents_only(plan: SimulationPlan, simulator: str, report: Report) -> list[Stimulus]:
    """The stimuli but those that hold a potential or add a conductance, and those that draw a place (LOST)."""
    kept = []
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SynapseReplay | SpontaneousSynapses):
            message = f"The input {stimulus.name!r} makes events at single synapses, which are not made on {simulator}."
            report.lost(code_of(stimulus.what), f"inputs.{stimulus.name}", message)
            continue
        try:
            signal = signal_of(stimulus.what, plan.duration)
        except ValueError as error:
            raise PlanError(
                f"the input {stimulus.name!r} cannot be applied: {error}", where=f"inputs.{stimulus.name}"
            ) from error
        if signal is not None and signal.kind != "current":
            message = f"The input {stimulus.name!r} is a {signal.kind}; on {simulator} only currents are injected."
            report.lost(code_of(stimulus.what), f"inputs.{stimulus.name}", message)
        elif signal is not None and stimulus.distance_range is not None:
            message = (
                f"The input {stimulus.name!r} is at places drawn by their distance, which are not drawn on {simulator}."
            )
            report.lost("stimulus-site", f"inputs.{stimulus.name}", message)
        else:
            kept.append(stimulus)
    return kept


def injections(
    drives: Sequence[Drive],
    inputs: Sequence[Input],
    cable: np.ndarray,
    cables: Sequence[Sectioned],
    timestep: float,
    report: Report,
) -> Iterator[Injection]:
    """Currents at places of cable cells. timestep: ms, of those that are stated step by step.

    Reports places that a cell does not have (``stimulus-site``, LOST).
    """
    for drive in drives:
        gids = drive.sites.gids
        section = np.full(len(gids), -1, dtype=np.int64)
        for site in np.flatnonzero(cable[gids] >= 0).tolist():
            section[site] = section_of(drive.sites, site, cables[cable[gids[site]]])
        there = np.flatnonzero(section >= 0)
        message = f"The input {drive.name!r} names a place that some of its cells do not have; it is left out there."
        report.lost("stimulus-site", f"inputs.{drive.name}", message, count=len(gids) - len(there))
        position = drive.sites.positions[there]
        yield Injection(drive.name, gids[there], section[there], position, _course(drive, there))
    for item in inputs:
        there = np.flatnonzero(cable[item.gids] >= 0)
        yield Injection(
            item.name, item.gids[there], item.section[there], item.position[there], _pulses(item, there, timestep)
        )


def _course(drive: Drive, there: np.ndarray) -> Callable[[int], Shape]:
    return lambda place: drive.course(int(there[place]))


def _pulses(item: Input, there: np.ndarray, timestep: float) -> Callable[[int], Shape]:
    def course(place: int) -> Shape:
        weight = float(item.weight[there[place]])
        if item.played is not None:
            return Shape(timestep * np.arange(len(item.played)), weight * item.played)
        steps = [
            Shape(np.array([begin, begin, begin + long, begin + long]), weight * amplitude * np.array([0.0, 1, 1, 0]))
            for begin, long, amplitude in item.pulses
        ]
        return summed(steps)

    return course


# --- reports ------------------------------------------------------------------------------------------------------


def recorded(
    probes: Sequence[Probe],
    variables: Mapping[str, Variable],
    cable: np.ndarray,
    cables: Sequence[Sectioned],
    points: np.ndarray,
    simulator: str,
    report: Report,
) -> Iterator[Recorded]:
    """The reports that a simulator can answer; others are LOST. variables: what it records, by NEURON's names. points:
    the gids of cells without extent that are built. Raises PlanError for a variable that it does not record."""
    for probe in probes:
        where = f"reports.{probe.name}"
        if probe.kind in ("summation", "synapse"):
            message = f"The report {probe.name!r} of kind {probe.kind!r} is left out on {simulator}."
            report.lost(loss_code("recording"), where, message, examples=[probe.name])
            continue
        variable = variables.get(probe.variables[0])
        if variable is None:
            raise PlanError(
                f"the report {probe.name!r} asks for {probe.variables[0]}, which is not recorded on {simulator}",
                where=f"{where}.variable_name",
                hint=f"it can record: {', '.join(sorted(variables))}",
            )
        yield _elements(probe, variable, cable, cables, points)


def _elements(
    probe: Probe, variable: Variable, cable: np.ndarray, cables: Sequence[Sectioned], points: np.ndarray
) -> Recorded:
    gids: list[np.ndarray] = [np.zeros(0, dtype=np.int64)]
    places = [(np.zeros(0, dtype=np.int64), np.zeros(0))]
    shown, order = list(places), ""
    for site, gid in enumerate(probe.sites.gids.tolist()):
        number = int(cable[gid])
        if number >= 0:
            order = cables[number].order
            where = _places(probe, site, cables[number])
            shown_as = cables[number].shown
            shown.append(where if shown_as is None else shown_as(*where))
        elif gid in points:
            where = np.array([-1]), np.array([0.5])
            shown.append(where)
        else:
            continue
        gids.append(np.full(len(where[0]), gid))
        places.append(where)
    return Recorded(probe, variable, np.concatenate(gids), *_joined(places), order, _joined(shown))


def _joined(places: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    sections, positions = zip(*places, strict=True)
    return np.concatenate(sections), np.concatenate(positions)


def _places(probe: Probe, site: int, cable: Sectioned) -> tuple[np.ndarray, np.ndarray]:
    """Sections and positions of what is recorded of one cell: all compartments of a region, or the middles."""
    if probe.places:
        number = section_of(probe.sites, site, cable)
        found = np.array([number] if number >= 0 else [], dtype=np.int64)
        return found, np.full(len(found), probe.sites.positions[site])
    names = np.array([GROUP_OF_TAG.get(tag, "") for tag in cable.tag.tolist()])
    chosen = np.flatnonzero(np.isin(names, probe.regions) | ("all" in probe.regions))
    if probe.regions == ("soma",) and probe.centre:
        chosen = np.array([cable.spikes_at[0]], dtype=np.int64)
    if probe.centre:
        return chosen, np.full(len(chosen), 0.5)
    count = cable.count[chosen]
    section = np.repeat(chosen, count)
    within = np.arange(len(section)) - np.repeat(np.cumsum(count) - count, count)
    return section, (within + 0.5) / np.repeat(count, count)
