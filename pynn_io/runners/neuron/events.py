"""Events at synapses that no simulated cell sends: replayed spikes, and what synapses do of themselves.

Replayed trains get numbers beyond the cells': they are sources of their own, connected to the synapses that they are
for and to no others. Spontaneous events at a rate are drawn here, a generator for every target cell, so that they are
the same on any number of ranks.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Population
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import SpontaneousSynapses, Stimulus, SynapseReplay
from pynn_io.lowering import rows_of
from pynn_io.report import Report
from pynn_io.runners.neuron.lowered import Trains
from pynn_io.simulation_plan import SimulationPlan

#: What a NetCon is, as release mechanisms are told (neurodamus ``connection.py``, NetConType).
PRESYNAPTIC, SPONTANEOUS, REPLAY = 0, 1, 2
#: Columns of the target cells with the rates of miniature events (Hz) at inhibitory and excitatory synapses.
_MINI_COLUMNS = ("inh-mini_frequency", "exc-mini_frequency")


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """Sources of one stimulus, onto synapses between certain cells.

    kind: `SPONTANEOUS` or `REPLAY`. numbers: by population, int64 by row, the source that stands for each presynaptic
    cell, -1 for none. targets: by population, bool by row.
    """

    kind: int
    numbers: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """Spontaneous events at ``rate`` (Hz) from ``start`` to ``stop`` (ms). sources, targets: by population, bool."""

    rate: float
    start: float
    stop: float
    sources: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """All of them. trains: of the extra sources. silent: bool by gid of presynaptic cells whose spikes do nothing.

    minis: by population, rates of inhibitory and excitatory synapses of each row, float64[2, n]. seeds: of the run and
    of miniature events.
    """

    extras: tuple[Extra, ...] = ()
    rates: tuple[Rate, ...] = ()
    trains: Trains = field(default_factory=lambda: Trains(np.zeros(0, dtype=np.int64), np.zeros(0)))
    silent: bool = False
    minis: Mapping[str, np.ndarray] = field(default_factory=empty)
    seeds: tuple[int, int] = (0, 0)
    duration: float = 0.0

    @property
    def any(self) -> bool:
        return bool(self.extras or self.rates or self.minis)

    def drawn(self, seed: tuple[str, int, int], rates: np.ndarray, windows: np.ndarray) -> tuple[Any, Any]:
        """Which synapse and when: int64[m], float64[m] of Poisson events at ``rates`` (Hz) in ``windows`` (ms, [n, 2]).

        The synapses are some of one target cell, in the order of the file. seed: what events of which projection, the
        row of the cell, the first edge.
        """
        random = np.random.default_rng([*self.seeds, zlib.crc32(seed[0].encode()), *seed[1:]])
        length = np.maximum(windows[:, 1] - windows[:, 0], 0.0)
        counts = random.poisson(rates * length / 1000.0)
        which = np.repeat(np.arange(len(rates)), counts)
        return which, windows[which, 0] + length[which] * random.random(len(which))


def lower(network: Network, plan: SimulationPlan, size: int, report: Report) -> Events:
    """Replays and spontaneous events of a plan. size: number of the first extra source.

    Reports a replay that reaches no synapse (``replay-without-synapses``, LOST). Raises PlanError for unknown
    populations and nodes, naming the input.
    """
    sets = {**network.node_sets, **plan.node_sets}
    extras: list[Extra] = []
    rates: list[Rate] = []
    gids, times = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    end = float(plan.duration or 0.0)
    silent = False
    for stimulus in plan.stimuli:
        what = stimulus.what
        if isinstance(what, SynapseReplay):
            extra, new_gids, new_times = _replay(stimulus, what, network, sets, size, end)
            _check_reach(stimulus, extra, network, report)
        elif isinstance(what, SpontaneousSynapses):
            silent |= what.silences_others
            if what.rate is not None:
                rates.append(_rate(stimulus, what, network, sets, end))
            if not what.times:
                continue
            extra, new_gids, new_times = _timed(stimulus, what, network, sets, size, end)
        else:
            continue
        extras.append(extra)
        gids.append(new_gids)
        times.append(new_times)
        size = max([size, *(int(numbers.max(initial=-1)) + 1 for numbers in extra.numbers.values())])
    return Events(
        tuple(extras),
        tuple(rates),
        _sorted(gids, times),
        silent,
        {name: found for name, item in network.populations.items() if (found := _minis(item)) is not None},
        (plan.seed or 0, int(plan.seeds.get("minis", 0))),
        end,
    )


def _sorted(gids: list[np.ndarray], times: list[np.ndarray]) -> Trains:
    every_gid, every_time = np.concatenate(gids), np.concatenate(times)
    order = np.lexsort((every_gid, every_time))
    return Trains(every_gid[order], every_time[order])


def _replay(
    stimulus: Stimulus, what: SynapseReplay, network: Network, sets: Mapping[str, Any], first: int, end: float
) -> tuple[Extra, np.ndarray, np.ndarray]:
    """The trains as sources: times are absolute, and those outside the window are dropped."""
    where, trains = f"inputs.{stimulus.name}", what.trains
    population = network.populations.get(trains.population)
    if population is None:
        known = ", ".join(network.populations) or "none"
        message = f"the input {stimulus.name!r} replays population {trains.population!r}, which is not there"
        raise PlanError(message, where=where, hint=f"the network has: {known}")
    rows = rows_of(population, trains.node_ids)
    if (rows < 0).any():
        wrong = int(np.asarray(trains.node_ids)[rows < 0][0])
        raise PlanError(
            f"the input {stimulus.name!r} replays node {wrong}, which population {trains.population!r} does not have",
            where=where,
        )
    stop = end if what.duration is None else min(end, what.delay + what.duration)
    inside = (trains.times >= what.delay) & (trains.times <= stop)
    if what.source is not None:
        inside &= _mask(what.source, population, network, sets)[rows]
    numbers = np.full(population.size, -1, dtype=np.int64)
    spiking = np.unique(rows[inside])
    numbers[spiking] = first + np.arange(len(spiking))
    extra = Extra(REPLAY, {population.name: numbers}, _masks(stimulus.node_set, network, sets))
    return extra, numbers[rows[inside]], np.asarray(trains.times, dtype=np.float64)[inside]


def _timed(
    stimulus: Stimulus, what: SpontaneousSynapses, network: Network, sets: Mapping[str, Any], first: int, end: float
) -> tuple[Extra, np.ndarray, np.ndarray]:
    """One source for all: the same times at every synapse (BMTK ``syn_activity``)."""
    sources = _masks("all" if what.source is None else what.source, network, sets)
    numbers = {name: np.where(mask, first, -1) for name, mask in sources.items()}
    times = np.asarray(what.times, dtype=np.float64)
    times = times[(times >= 0) & (times <= end)]
    extra = Extra(SPONTANEOUS, numbers, _masks(stimulus.node_set, network, sets))
    return extra, np.full(len(times), first, dtype=np.int64), times


def _rate(stimulus: Stimulus, what: SpontaneousSynapses, network: Network, sets: Mapping[str, Any], end: float) -> Rate:
    stop = end if what.duration is None else min(end, what.delay + what.duration)
    sources = _masks("all" if what.source is None else what.source, network, sets)
    return Rate(float(what.rate or 0.0), what.delay, stop, sources, _masks(stimulus.node_set, network, sets))


def _check_reach(stimulus: Stimulus, extra: Extra, network: Network, report: Report) -> None:
    pairs = [(item.pre, item.post) for item in network.projections.values()]
    if not any(pre in extra.numbers and extra.targets.get(post, np.zeros(1)).any() for pre, post in pairs):
        message = f"The input {stimulus.name!r} replays spikes of cells that have no synapse on its node set."
        report.lost("replay-without-synapses", f"inputs.{stimulus.name}", message)


def _minis(population: Population) -> np.ndarray | None:
    """Rates of miniature events a row, or None where the population states none."""
    columns = [population.column(name) for name in _MINI_COLUMNS]
    if all(column is None or column.is_text for column in columns):
        return None
    found = np.zeros((2, population.size))
    for number, column in enumerate(columns):
        if column is not None and not column.is_text:
            found[number] = np.ma.filled(np.ma.asarray(column.read(population.size), dtype=np.float64), 0.0)
    return found


def _masks(node_set: Any, network: Network, sets: Mapping[str, Any]) -> dict[str, np.ndarray]:
    found = resolve(node_set, network, sets)
    masks = {name: np.zeros(network.populations[name].size, dtype=bool) for name in found}
    for name, rows in found.items():
        masks[name][rows] = True
    return masks


def _mask(node_set: Any, population: Population, network: Network, sets: Mapping[str, Any]) -> np.ndarray:
    return _masks(node_set, network, sets).get(population.name, np.zeros(population.size, dtype=bool))


__all__ = ["PRESYNAPTIC", "REPLAY", "SPONTANEOUS", "Events", "Extra", "Rate", "lower"]
