"""Reports of a plan as probes: what is recorded, of which cells, where on them and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import parts, sources
from pynn_io.lowering.cables.sites import ARRAYS, Sites, sites_of_compartments, sites_of_set
from pynn_io.lowering.unrecorded import unrecorded
from pynn_io.report import Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.simulation_plan.plan import SPIKES

#: Kinds of reports that are recorded here; any other is reported by its name.
KINDS = ("compartment", "compartment_set", "summation", "synapse")
#: Regions by the name a report gives them; BMTK also writes the longer ones.
REGIONS = {"soma": "soma", "axon": "axon", "dend": "dend", "apic": "apic", "all": "all", **ARRAYS}
#: Units of variables by name; a density mechanism's current is per area.
UNITS = {"v": "mV", "cai": "mM", "V_m": "mV", "i_membrane": "nA", "i_membrane_": "nA", "i_cap": "mA/cm2"}


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One report of one population.

    variables: what is recorded (one), or summed (several). regions: some of ``soma axon dend apic``, or ``all``;
    centre: the middle of every section, not all of its compartments. places: a compartment set, which takes the place
    of regions and centre.
    sites: its cells, one place each. whole: one sum a cell. count: samples. area: densities are multiplied by the
    compartment's area (nA).
    """

    name: str
    kind: str
    variables: tuple[str, ...]
    sites: Sites
    regions: tuple[str, ...]
    centre: bool
    places: bool
    whole: bool
    start: float
    interval: float
    count: int
    unit: str
    area: bool

    @property
    def population(self) -> str:
        return self.sites.population


def lower(
    network: Network, plan: SimulationPlan, first: Mapping[str, int], run: tuple[float, float], report: Report
) -> tuple[Probe, ...]:
    """The probes of all reports that are on, in the plan's order. run: its time step and its end, ms.

    Reports a kind that is not recorded (``recording``, LOST) and an interval that is no whole number of
    steps (``report-interval``, APPROXIMATED). Raises PlanError for an unknown region, an empty window, an unknown
    compartment set and a node set without a cell that runs, naming the report.
    """
    probes: list[Probe] = []
    for recording in plan.recordings:
        if not recording.enabled or recording.kind in ("quantities", "events", SPIKES):
            continue
        where = f"reports.{recording.name}"
        if recording.kind not in KINDS:
            report.lost("recording", where, unrecorded(recording))
            continue
        window = _window(recording, report, where, run)
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


def _window(recording: Recording, report: Report, where: str, run: tuple[float, float]) -> tuple[float, float, int]:
    """Start, interval, number of samples; an interval below the time step is the time step (SONATA extension)."""
    timestep, duration = run
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
