"""Sources that only a plan has: Poisson trains straight onto cells, and spikes that are replayed onto some synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.graph.stimuli import PoissonTrains, SpontaneousSynapses, Stimulus, SynapseReplay, code_of
from pynn_io.lowering.feeds import Feed, replay
from pynn_io.lowering.grid import Grid, Moved
from pynn_io.lowering.pynn.edges import connections
from pynn_io.lowering.pynn.synapses import STATIC, weight_unit
from pynn_io.lowering.pynn.words import ARRAY, PRECISE, Cells, Connections, LoweredNetwork, SynapseType
from pynn_io.lowering.trains import Trains, poisson_trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Of the report: spikes that are not replayed.
_REPLAY = "synapse-replay"


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """Sources, their spikes (rows are places in them), and what they are connected to."""

    sources: Cells
    trains: Trains
    edges: tuple[Connections, ...]


def lower_drives(lowered: LoweredNetwork, plan: SimulationPlan, grid: Grid, report: Report) -> Iterator[Drive]:
    """All of a plan. Synapses that fire by themselves are reported (LOST). Raises PlanError for unknown nodes."""
    for number, stimulus in enumerate(plan.stimuli):
        what = stimulus.what
        if isinstance(what, SynapseReplay):
            yield from _replayed(lowered, replay(stimulus, what, lowered.network, plan), plan, grid, report)
        elif isinstance(what, SpontaneousSynapses):
            message = f"PyNN makes no events at single synapses; {stimulus.name!r} is left out."
            report.lost(code_of(what), f"inputs.{stimulus.name}", message)
        elif isinstance(what, PoissonTrains) and what.weight is not None:
            yield from _bombarding(lowered, stimulus, what.weight, number, plan, grid, report)


def on_time(
    item: Trains, lowered: LoweredNetwork, plan: SimulationPlan, grid: Grid, report: Report, where: str
) -> Trains:
    """Times as the target takes them: on the nearest steps where it wants that, and not before its first one."""
    times = item.times
    if lowered.target.on_grid and plan.spike_times != PRECISE:
        times = grid.time(grid.place(times, Moved()))
    first = lowered.target.first_step * grid.step
    early = times < first - 1e-9
    report.approximated(
        "early-spikes",
        where,
        f"{lowered.target.name} has no input spike before {first:g} ms; earlier ones come then.",
        count=int(np.count_nonzero(early)),
    )
    return Trains(item.rows, np.where(early, first, times))


def _bombarding(
    lowered: LoweredNetwork,
    stimulus: Stimulus,
    weight: float,
    number: int,
    plan: SimulationPlan,
    grid: Grid,
    report: Report,
) -> Iterator[Drive]:
    """Poisson trains with a weight: a source for every cell, one step away."""
    drawn = poisson_trains(stimulus, number, lowered.network, plan, report)
    for cells in lowered.cells:
        if cells.population not in drawn or cells.is_source:
            continue
        rows, times = drawn[cells.population]
        mine = np.isin(rows, cells.rows)
        used, places = np.unique(np.searchsorted(cells.rows, rows[mine]), return_inverse=True)
        if not len(used):
            continue
        where = f"inputs.{stimulus.name}"
        item = on_time(Trains(places, times[mine]), lowered, plan, grid, report, where)
        source = _sources(f"{stimulus.name}.{cells.label}", len(used))
        yield Drive(source, item, (_drive_edges(source, cells, used, weight, grid),))


def _sources(label: str, count: int) -> Cells:
    return Cells(label, "", np.arange(count), np.arange(count), ARRAY)


def _replayed(lowered: LoweredNetwork, feed: Feed, plan: SimulationPlan, grid: Grid, report: Report) -> Iterator[Drive]:
    """A source for every node that has spikes, with the synapses that the node makes onto the cells of the stimulus."""
    used, places = np.unique(feed.trains.rows, return_inverse=True)
    absent = int(np.count_nonzero(lowered.left_out[feed.population][used]))
    message = f"{lowered.target.name} does not have these nodes: their spikes are not replayed."
    report.lost(_REPLAY, feed.where, message, count=absent, examples=[feed.name])
    number = np.full(lowered.network.populations[feed.population].size, -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    source = _sources(f"{feed.name}.{feed.population}", len(used))
    edges = tuple(_taken_over(lowered, feed, number, source.label))
    if edges:
        item = on_time(Trains(places, feed.trains.times), lowered, plan, grid, report, feed.where)
        yield Drive(source, item, edges)


def _taken_over(lowered: LoweredNetwork, feed: Feed, number: np.ndarray, label: str) -> Iterator[Connections]:
    """The synapses of a replay, from its sources. number: of the source, by node; -1 for none."""
    of_nodes = {name: item for name, item in lowered.network.projections.items() if item.pre == feed.population}
    network = replace(lowered.network, projections=of_nodes)
    cells = {item.label: item for item in lowered.cells}
    for found in connections(replace(lowered, network=network), Report()):  # what is lost of them is told with theirs
        source, post = number[cells[found.pre].rows[found.source]], cells[found.post]
        kept = source >= 0
        if feed.targets is not None:
            mask = feed.targets.get(post.population, np.zeros(post.rows.max() + 1, dtype=bool))
            kept &= mask[post.rows[found.target]]
        if kept.any():
            yield replace(
                found,
                label=f"{feed.name}.{found.label}",
                projection="",
                pre=label,
                source=source[kept],
                target=found.target[kept],
                columns={name: values[kept] for name, values in found.columns.items()},
            )


def _drive_edges(source: Cells, cells: Cells, used: np.ndarray, weight: float, grid: Grid) -> Connections:
    value = weight * weight_unit(STATIC, cells)[1]
    inhibits = value < 0 and len(cells.receptors) > 1
    columns = {"weight": np.full(len(used), value), "delay": np.full(len(used), grid.step)}
    receptor = "default" if len(cells.receptors) < 2 else "inhibitory" if inhibits else "excitatory"
    if inhibits and cells.weight_unit in ("uS", "nS"):
        columns["weight"] = np.abs(columns["weight"])
    places = np.arange(len(used))
    return Connections(source.label, "", source.label, cells.label, SynapseType(), receptor, places, used, columns)
