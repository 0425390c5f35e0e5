"""Spikes from outside: trains of sources, replayed spikes, trains straight onto cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import PoissonTrains, SpontaneousSynapses, Stimulus, SynapseReplay, code_of
from pynn_io.lowering import Trains, parts, poisson_trains, rows_of, targets, trains
from pynn_io.lowering.grid import Grid
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import Bombardment, Feed, Nodes
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import convert
from pynn_io.vocabulary import models

#: Models that take a spike between two steps at its time; all others take it at the step after.
PRECISE_MODELS = ("_ps", "_ps_lossless")
#: What `SimulationPlan.spike_times` may say.
MODES = ("precise", "grid")


def precise(plan: SimulationPlan, nodes: tuple[Nodes, ...]) -> bool:
    """Whether input spikes keep their times between two steps. Raises PlanError for an unknown mode.

    ``grid`` moves a spike to the nearest step (half a step at most, either way), as NEST's own reader of SONATA does
    (``allow_offgrid_times``). ``precise`` keeps the time, as BMTK does (``precise_times``): models that know only steps
    then take the spike at the next one, so that input is late by half a step on average. Where the plan does not say,
    it is ``precise`` if all cells are models with exact times (``iaf_psc_exp_ps`` ...), and else ``grid``.
    """
    if plan.spike_times is None:
        return bool(nodes) and all(item.model.endswith(PRECISE_MODELS) for item in nodes)
    if plan.spike_times not in MODES:
        raise PlanError(
            f"spike_times is {plan.spike_times!r}", where="run.spike_times", hint=f"it may be {' or '.join(MODES)}"
        )
    return plan.spike_times == "precise"


def lower_feeds(network: Network, plan: SimulationPlan, exact: bool, grid: Grid, report: Report) -> tuple[Feed, ...]:
    """The trains of all sources, and every replay. Raises PlanError for a spike at or before 0."""
    found = [
        Feed(name, name, _usable(item, exact, grid, f"population {name}"), exact)
        for name, item in trains(plan, network, report).items()
    ]
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SynapseReplay):
            found.append(_replay(stimulus, stimulus.what, network, plan, exact, grid))
        elif isinstance(stimulus.what, SpontaneousSynapses):
            report.lost(
                code_of(stimulus.what),
                f"inputs.{stimulus.name}",
                f"NEST makes no events at single synapses; {stimulus.name!r} is left out.",
            )
    return tuple(found)


def _usable(item: Trains, exact: bool, grid: Grid, where: str) -> Trains:
    """NEST has no spike at time 0; one that is nearer to 0 than to the first step is moved to that one."""
    if len(item.times) and not np.min(item.times) > 0:
        first = int(np.argmin(item.times > 0))
        count = int(np.count_nonzero(~(item.times > 0)))
        raise PlanError(
            f"there are spikes at or before 0 ms: {count}, one at {item.times[first]} ms (row {item.rows[first]})",
            where=where,
            hint="NEST takes input spikes after 0 ms only; shift or drop them",
        )
    return item if exact else Trains(item.rows, np.maximum(item.times, grid.step))


def _replay(
    stimulus: Stimulus, what: SynapseReplay, network: Network, plan: SimulationPlan, exact: bool, grid: Grid
) -> Feed:
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
    return Feed(stimulus.name, population.name, _usable(item, exact, grid, where), exact, masks)


def lower_bombardments(
    network: Network, plan: SimulationPlan, nodes: tuple[Nodes, ...], exact: bool, grid: Grid, report: Report
) -> Iterator[Bombardment]:
    """Poisson trains with a weight: each straight onto its cell."""
    for number, stimulus in enumerate(plan.stimuli):
        if not isinstance(stimulus.what, PoissonTrains) or stimulus.what.weight is None:
            continue
        drawn = poisson_trains(stimulus, number, network, plan, report)
        for item in nodes:
            if item.population not in drawn:
                continue
            rows, times = drawn[item.population]
            mine = np.isin(rows, item.rows)
            found = Trains(rows[mine], times[mine])
            weight = _native_weight(stimulus.what.weight, item, network)
            where = f"inputs.{stimulus.name}"
            yield Bombardment(stimulus.name, item.population, _usable(found, exact, grid, where), exact, weight)


def _native_weight(weight: float, item: Nodes, network: Network) -> float:
    """From the unit of the cell's model in the graph to that of NEST's."""
    population: Any = network.populations[item.population]
    model = getattr(parts(population, network, item.rows)[0].cell, "model", "")
    row = models.known(model)
    unit = row.weight_unit if row is not None else ""
    return float(convert(weight, unit, item.unit)) if unit and item.unit else float(weight)
