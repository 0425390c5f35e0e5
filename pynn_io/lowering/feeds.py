"""Spikes that come from outside: trains of sources, spikes that are replayed, trains straight onto cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import PoissonTrains, SpontaneousSynapses, Stimulus, SynapseReplay, code_of
from pynn_io.lowering.cells import rows_of, targets
from pynn_io.lowering.trains import Trains, poisson_trains, trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Spikes of the nodes of one population onto the synapses that these make.

    where: for errors. targets: only synapses onto these cells (a mask by population); None for all.
    """

    name: str
    population: str
    trains: Trains
    where: str
    targets: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bombardment:
    """A train for each of some cells of a population, straight onto it; weight: in the unit of the cell's model."""

    name: str
    population: str
    trains: Trains
    weight: float


def feeds(network: Network, plan: SimulationPlan, backend: str, report: Report) -> Iterator[Feed]:
    """The trains of all sources, and every replay. backend: what it is called in messages.

    Synapses that fire by themselves are reported (LOST). Raises PlanError for spikes of nodes that are not there.
    """
    for name, item in trains(plan, network, report).items():
        yield Feed(name, name, item, f"population {name}")
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SynapseReplay):
            yield replay(stimulus, stimulus.what, network, plan)
        elif isinstance(stimulus.what, SpontaneousSynapses):
            report.lost(
                code_of(stimulus.what),
                f"inputs.{stimulus.name}",
                f"{backend} makes no events at single synapses; {stimulus.name!r} is left out.",
            )


def replay(stimulus: Stimulus, what: SynapseReplay, network: Network, plan: SimulationPlan) -> Feed:
    """The spikes of one replay, and where they go. Raises PlanError for spikes of nodes that are not there."""
    where = f"inputs.{stimulus.name}"
    population = network.populations.get(what.trains.population)
    if population is None:
        raise PlanError(f"there is no population {what.trains.population!r}", where=where)
    rows = rows_of(population, what.trains.node_ids)
    if (rows < 0).any():
        wrong = int(what.trains.node_ids[rows < 0][0])
        raise PlanError(f"population {population.name!r} has no node {wrong}, which has spikes", where=where)
    end = np.inf if what.duration is None else what.delay + what.duration
    kept = (what.trains.times >= what.delay) & (what.trains.times <= end)
    if what.source is not None:
        kept &= np.isin(rows, targets(what.source, network, plan).get(population.name, ()))
    order = np.lexsort((what.trains.times[kept], rows[kept]))
    item = Trains(rows[kept][order], what.trains.times[kept][order])
    masks = {}
    for name, found in targets(stimulus.node_set, network, plan).items():
        masks[name] = np.zeros(network.populations[name].size, dtype=bool)
        masks[name][found] = True
    return Feed(stimulus.name, population.name, item, where, masks)


def bombardments(network: Network, plan: SimulationPlan, report: Report) -> Iterator[Bombardment]:
    """Poisson trains with a weight, drawn."""
    for number, stimulus in enumerate(plan.stimuli):
        if isinstance(stimulus.what, PoissonTrains) and stimulus.what.weight is not None:
            for population, drawn in poisson_trains(stimulus, number, network, plan, report).items():
                yield Bombardment(stimulus.name, population, Trains(*drawn), stimulus.what.weight)
