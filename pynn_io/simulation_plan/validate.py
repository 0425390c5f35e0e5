"""Whether a plan can be run on a network: every problem at once, each with the key that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import GraphError, PlanError
from pynn_io.graph.cells import CableCell, SpikeSource
from pynn_io.graph.network import Network, Population
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import SpikeTrains, SpontaneousSynapses, Stimulus, SynapseReplay, Targets, VoltageClamp
from pynn_io.simulation_plan.plan import Recording, SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import RUN

#: (key, what is wrong with it)
Problem: TypeAlias = tuple[str, str]

#: Names that a section, or a list of sections, of a cable cell can have, in SONATA's, BMTK's and OBI's words.
_SECTIONS = frozenset(
    {
        *("soma", "somatic", "axon", "axonal", "dend", "basal", "apic", "apical", "all"),
        *("ais", "myelin", "myelinated", "hillock", "node"),
    }
)
_SECTION = re.compile(r"(?P<name>[A-Za-z_]+)(\[\d+\])?\Z|\d+\Z")
#: How far a recording interval may be from a whole number of steps, in steps: decimal numbers are not exact.
_ALMOST = 1e-6
_SHOWN = 3
#: What the keys of problems are called in a SONATA simulation configuration, where that is another name: of the run,
#: and within an input and a report.
_IN_SONATA: Mapping[str, Mapping[str, str]] = {
    "": {"seed": "run.random_seed", **{name: f"run.{key}" for name, key in RUN.items()}},
    "inputs": {"delays": "delay", "durations": "duration"},
    "reports": {"start": "start_time", "stop": "end_time", "interval": "dt"},
}

_NOT_AT_ZERO = "spikes must come after 0 ms"
_FROM_ONE_STEP = "no spike is sent at 0 ms there: begin a time step later, or run it with --backend neuron or brian2"


def check(plan: SimulationPlan, network: Network, *, spikes_at_zero: bool = False) -> None:
    """Raises PlanError with every problem of a plan, each as ``key: what is wrong``; ``where`` is the first key.

    Keys are those of the plan; a message ends with what a SONATA configuration calls the same, where that differs.
    Checked are times and windows, node sets (each must exist and select a cell), targets by row, populations, ids and
    times of spikes, names of sections, compartment sets. Delays of edges are for `short_delays`.

    spikes_at_zero: whether the backend delivers an input spike at 0 ms: NEURON does, NEST has no step for it. None can
    deliver one before.
    """
    problems: list[Problem] = [*_run(plan), *_sets(plan, network)]
    for stimulus in plan.stimuli:
        found = _stimulus(stimulus, plan, network, spikes_at_zero)
        problems += ((f"inputs.{stimulus.name}{key}", text) for key, text in found)
    for recording in plan.recordings:
        if recording.enabled:
            problems += ((f"reports.{recording.name}{key}", text) for key, text in _recording(recording, plan, network))
    problems = [(key, text + _called(key)) for key, text in problems]
    if problems:
        raise PlanError(
            "the plan cannot be run" if len(problems) > 1 else problems[0][1],
            problems=[f"{key}: {text}" for key, text in problems] if len(problems) > 1 else (),
            where=f"{plan.name}:{problems[0][0]}",
            hint=_FROM_ONE_STEP if any(_NOT_AT_ZERO in text for _, text in problems) else "",
        )


def _called(key: str) -> str:
    """What a key is called in a SONATA configuration, for the end of a message; empty where it is the same."""
    path, _, field = key.rpartition(".")
    name = _IN_SONATA.get(path.partition(".")[0], {}).get(field)
    return f" (in SONATA: {name})" if name else ""


def short_delays(network: Network, timestep: float) -> Iterator[Problem]:
    """``(projection, how many delays are negative or below the time step, and the least)``; reads edges in blocks.

    Masked and NaN delays are not stated, and pass; so do gap junctions, which have none.
    """
    for name, projection in network.projections.items():
        if projection.kind == "electrical":
            continue
        count, least = 0, np.inf
        for _, _, rows in projection.blocks(["delay"]):
            if "delay" in rows:
                delays = np.ma.filled(np.ma.asarray(rows["delay"], dtype=np.float64), np.nan)
                # a delay of one step that was stored as float32 is a little less than one
                short = delays[delays < timestep * (1 - _ALMOST)]
                count += len(short)
                least = min(least, float(short.min())) if len(short) else least
        if count:
            what = "negative" if least < 0 else f"shorter than the time step of {timestep} ms"
            yield name, f"{count} delays are {what}, the least is {least} ms"


# --- The run -------------------------------------------------------------------------------------------------------


def _run(plan: SimulationPlan) -> Iterator[Problem]:
    if plan.duration is None:
        yield "duration", "how long to run is not stated"
    for name in ("duration", "timestep", "section_length", "min_delay"):
        value = getattr(plan, name)
        if value is not None and not value > 0:
            yield name, f"it must be positive, here it is {value}"
    if plan.start is not None and plan.duration is not None and plan.start >= plan.duration:
        yield "start", f"the run starts at {plan.start} ms and ends at {plan.duration} ms"
    if plan.duration is not None and plan.timestep is not None and 0 < plan.duration < plan.timestep:
        yield "duration", f"{plan.duration} ms is shorter than one step of {plan.timestep} ms"
    if plan.spike_times not in (None, "precise", "grid"):
        yield "spike_times", f"precise or grid is expected, here it is {plan.spike_times!r}"
    for name, seed in (("seed", plan.seed), *((f"seeds.{part}", seed) for part, seed in plan.seeds.items())):
        if seed is not None and seed < 0:
            yield name, f"a seed is not negative, here it is {seed}"


def _sets(plan: SimulationPlan, network: Network) -> Iterator[Problem]:
    """Node sets of the plan itself, of modifications and overrides."""
    if plan.node_set is not None:
        yield from _selects("node_set", plan.node_set, plan, network)
    for item in plan.modifications:
        key = f"modifications.{item.name}"
        if item.compartment_set is not None:
            yield from _known_compartments(f"{key}.compartment_set", item.compartment_set, plan)
        else:
            yield from _selects(f"{key}.node_set", item.node_set, plan, network)
    for override in plan.overrides:
        yield from _selects(f"overrides.{override.name}.source", override.source, plan, network)
        yield from _selects(f"overrides.{override.name}.target", override.target, plan, network)


def _selected(node_set: Any, plan: SimulationPlan, network: Network) -> Mapping[str, np.ndarray]:
    return resolve(node_set, network, {**network.node_sets, **plan.node_sets})


def _selects(key: str, node_set: Any, plan: SimulationPlan, network: Network) -> Iterator[Problem]:
    try:
        if not _selected(node_set, plan, network):
            yield key, f"the node set {node_set!r} selects no cell"
    except GraphError as error:
        yield key, "; ".join(part for part in (error.message, *error.problems, error.hint) if part)


def _known_compartments(key: str, name: str, plan: SimulationPlan) -> Iterator[Problem]:
    if name not in plan.compartment_sets:
        known = ", ".join(plan.compartment_sets) or "none"
        yield key, f"there is no compartment set {name!r}; known are: {known}"
    elif not plan.compartment_sets[name].get("compartment_set"):
        yield key, f"the compartment set {name!r} is empty"


# --- Stimuli -------------------------------------------------------------------------------------------------------


def _stimulus(stimulus: Stimulus, plan: SimulationPlan, network: Network, zero: bool) -> Iterator[Problem]:
    """Problems of one stimulus; keys start with a dot."""
    what = stimulus.what
    yield from _window(what)
    if isinstance(what, SpikeTrains):
        yield from _early(".times", what, zero)
        yield from _trains("", what, network, sources=True)
        return
    if isinstance(what, SynapseReplay):
        yield from _early(".trains.times", what.trains, zero)
        yield from _trains(".trains", what.trains, network, sources=False)
    if isinstance(what, SynapseReplay | SpontaneousSynapses) and what.source is not None:
        yield from _selects(".source", what.source, plan, network)
    if stimulus.compartment_set is not None:
        yield from _known_compartments(".compartment_set", stimulus.compartment_set, plan)
        return
    if stimulus.targets is not None:
        yield from _targets(".targets", stimulus.targets, network)
        return
    yield from _selects(".node_set", stimulus.node_set, plan, network)
    if not 0 <= stimulus.position <= 1:
        yield ".position", f"a fraction of a section is expected, here it is {stimulus.position}"
    if _on_cables(stimulus.node_set, plan, network):
        yield from _sections(".section", stimulus.section.split())


def _targets(key: str, targets: Targets, network: Network) -> Iterator[Problem]:
    """Targets by row: a population that is there, cells and segments that it has."""
    population = network.populations.get(targets.population)
    if population is None:
        known = ", ".join(network.populations)
        yield f"{key}.population", f"there is no population {targets.population!r}; there are: {known}"
        return
    outside = targets.rows[(targets.rows < 0) | (targets.rows >= population.size)]
    if len(outside):
        named = ", ".join(map(str, outside[:_SHOWN].tolist()))
        yield f"{key}.rows", f"{targets.population!r} has {population.size} cells, and no row {named}"
    along = targets.fraction
    if along is not None and not ((along >= 0) & (along <= 1)).all():
        yield f"{key}.fraction", "a fraction of a segment is expected, from 0 to 1"


def _window(what: Any) -> Iterator[Problem]:
    """Delays and durations that are negative, and rates."""
    for name in ("delay", "delays", "duration", "durations", "rate"):
        value = getattr(what, name, None)
        if value is not None and (np.asarray(value) < 0).any():
            yield f".{name}", f"it is negative: {np.asarray(value).min()}"
    if isinstance(what, VoltageClamp) and len(what.levels) != len(what.durations):
        yield ".levels", f"{len(what.levels)} levels and {len(what.durations)} durations"
    if isinstance(what, SpontaneousSynapses) and any(not time > 0 for time in what.times):
        yield ".times", f"events must come after 0 ms, here is one at {min(what.times)} ms"


def _early(key: str, trains: SpikeTrains, zero: bool) -> Iterator[Problem]:
    """Spikes before the run, or at its very start where the backend cannot deliver them."""
    early = ~(trains.times >= 0) if zero else ~(trains.times > 0)
    if early.any():
        shown = zip(trains.node_ids[early][:_SHOWN].tolist(), trains.times[early][:_SHOWN].tolist(), strict=True)
        named = ", ".join(f"node {node} at {time} ms" for node, time in shown)
        bound = "spikes must come at 0 ms or later" if zero else _NOT_AT_ZERO
        yield key, f"{bound}; {np.count_nonzero(early)} do not: {named}"


def _trains(key: str, trains: SpikeTrains, network: Network, *, sources: bool) -> Iterator[Problem]:
    """Trains of nodes that exist; and of sources, if they are to fire them."""
    population = network.populations.get(trains.population)
    if population is None:
        known = ", ".join(network.populations)
        yield f"{key}.population", f"there is no population {trains.population!r}; there are: {known}"
        return
    unknown = np.setdiff1d(trains.node_ids, population.ids())
    if len(unknown):
        yield f"{key}.node_ids", f"{trains.population!r} has no node {', '.join(map(str, unknown[:_SHOWN].tolist()))}"
    elif sources and not _all_sources(trains, population, network):
        yield f"{key}.population", f"{trains.population!r} has cells of its own, which cannot be made to fire trains"


def _all_sources(trains: SpikeTrains, population: Population, network: Network) -> bool:
    """Whether the nodes of the trains are spike sources; their population may have others."""
    is_source = np.asarray([isinstance(network.cells.get(name), SpikeSource) for name in population.cells], dtype=bool)
    if is_source.all():
        return True
    rows = np.isin(population.ids(), np.unique(trains.node_ids))
    return bool(is_source[population.type_index.read(population.size)[rows]].all())


# --- Recordings ----------------------------------------------------------------------------------------------------


def _recording(recording: Recording, plan: SimulationPlan, network: Network) -> Iterator[Problem]:
    """Problems of one recording; keys start with a dot."""
    if recording.compartment_set is not None:
        yield from _known_compartments(".compartment_set", recording.compartment_set, plan)
    elif not recording.columns and recording.kind != "weight_recorder":
        yield from _selects(".node_set", recording.node_set, plan, network)
        if recording.kind == "compartment" and _on_cables(recording.node_set, plan, network):
            yield from _sections(".sections", recording.sections.split(", "))
    start = 0.0 if recording.start is None else recording.start
    if start < 0:
        yield ".start", f"it is before the run: {start} ms"
    if plan.duration is not None and start >= plan.duration:
        yield ".start", f"it starts at {start} ms, and the run ends at {plan.duration} ms"
    if recording.stop is not None and recording.stop <= start:
        yield ".stop", f"it stops at {recording.stop} ms, and starts at {start} ms"
    yield from _interval(recording.interval, plan.timestep)


def _interval(interval: float | None, timestep: float | None) -> Iterator[Problem]:
    if interval is None:
        return
    if not interval > 0:
        yield ".interval", f"it must be positive, here it is {interval}"
    elif timestep is not None and timestep > 0:
        steps = interval / timestep
        if steps < 1 - _ALMOST:
            yield ".interval", f"{interval} ms is shorter than the time step of {timestep} ms"
        elif abs(steps - round(steps)) > _ALMOST * steps:
            yield ".interval", f"{interval} ms is no multiple of the time step of {timestep} ms"


def _on_cables(node_set: Any, plan: SimulationPlan, network: Network) -> bool:
    """Whether a node set holds cells with sections; only of these their names can be wrong."""
    try:
        found = _selected(node_set, plan, network)
    except GraphError:
        return False
    return any(
        isinstance(network.cells.get(cell), CableCell) for name in found for cell in network.populations[name].cells
    )


def _sections(key: str, names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        match = _SECTION.match(name)
        if match is None or (match["name"] is not None and match["name"].lower() not in _SECTIONS):
            yield key, f"no cell has a section {name!r}; sections are called soma, axon, dend, apic (dend[3]) or all"
