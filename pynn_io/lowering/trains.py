"""What sources emit: given spike trains, and random ones, drawn here so that every backend gets the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, Stimulus
from pynn_io.lowering.cells import PROXY, Part, parts, rows_of, sources, targets
from pynn_io.lowering.renewal import LAWS, REGULAR, RENEWAL, renewal_trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: The seed of what is drawn here where a plan states none.
DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Trains:
    """The spikes of the sources of one population: equally long arrays, sorted by row, then time (int64; ms)."""

    rows: np.ndarray
    times: np.ndarray

    def split(self) -> Iterator[tuple[int, np.ndarray]]:
        """``(row, times)`` of every source that spikes."""
        rows, starts = np.unique(self.rows, return_index=True)
        yield from zip(rows.tolist(), np.split(self.times, starts[1:]), strict=True)


def trains(plan: SimulationPlan, network: Network, report: Report) -> dict[str, Trains]:
    """What the sources of every population emit until the end of the run: given trains, and Poisson trains drawn here.

    Drawn with numpy's PCG64, so that every backend gets the same ones: seeded by the stimulus, else by
    ``plan.seeds["stimulus"]``, else by ``plan.seed``, else by 1 (reported as ``default-seed``). Several stimuli of one
    node add up; Poisson trains with a weight are none of a source, and left out. Spikes of nodes that are no sources
    are reported (``spikes-of-cells``, LOST): those cells make their own. Raises PlanError for an unknown population and
    for a plan without an end that has random trains.
    """
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name, population in network.populations.items():
        if population.size and sources(population, network).any():
            found[name] = [_own_trains(part, plan, report) for part in parts(population, network)]
    for number, stimulus in enumerate(plan.stimuli):
        if isinstance(stimulus.what, SpikeTrains):
            given = _given(stimulus.what, network, f"stimulus {stimulus.name}")
        elif isinstance(stimulus.what, PoissonTrains) and stimulus.what.weight is None:
            given = poisson_trains(stimulus, number, network, plan, report)
        else:
            continue
        for name, (rows, times) in given.items():
            allowed = sources(network.populations[name], network)[rows]
            report.lost(
                "spikes-of-cells",
                f"stimulus {stimulus.name}",
                f"Population {name} has cells that make their own spikes; those given for them are left out.",
                count=int(np.count_nonzero(~allowed)),
            )
            found.setdefault(name, []).append((rows[allowed], times[allowed]))
    joined = {name: _joined(entries) for name, entries in found.items()}
    return {name: item for name, item in joined.items() if len(item.times)}


def _joined(entries: Sequence[tuple[np.ndarray, np.ndarray]]) -> Trains:
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(rows for rows, _ in entries)])
    times = np.concatenate([np.empty(0), *(times for _, times in entries)])
    order = np.lexsort((times, rows))
    return Trains(rows[order], times[order])


def _given(stated: SpikeTrains, network: Network, where: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    population = network.populations.get(stated.population)
    if population is None:
        known = ", ".join(network.populations) or "none"
        raise PlanError(f"there is no population {stated.population!r}", where=where, hint=f"the network has: {known}")
    rows = rows_of(population, stated.node_ids)
    if (rows < 0).any():
        wrong = int(np.asarray(stated.node_ids)[rows < 0][0])
        raise PlanError(f"population {stated.population!r} has no node {wrong}, which has spikes", where=where)
    return {stated.population: (rows, np.asarray(stated.times, dtype=np.float64))}


def seed_of(plan: SimulationPlan, own: int | None, report: Report, where: str) -> int:
    """The seed of something random: its own, else that of the plan's stimuli, else the plan's, else 1 (reported)."""
    stated = next((seed for seed in (own, plan.seeds.get("stimulus"), plan.seed) if seed is not None), None)
    if stated is not None:
        return stated
    report.defaulted("default-seed", where, f"No seed is stated; {DEFAULT_SEED} is taken, so that a run repeats.")
    return DEFAULT_SEED


def poisson_trains(
    stimulus: Stimulus, number: int, network: Network, plan: SimulationPlan, report: Report
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """``(rows, times)`` by population: the trains of a `PoissonTrains`, drawn. number: of the stimulus in the plan."""
    stated: Any = stimulus.what
    seed = seed_of(plan, stated.seed, report, f"stimulus {stimulus.name}")
    window = _window(stated.delay, stated.duration, plan)
    return {
        name: draw_poisson(rows, stated.rate, window, np.random.default_rng([seed, number, *name.encode()]))
        for name, rows in targets(stimulus.node_set, network, plan).items()
    }


def _window(delay: float, duration: float | None, plan: SimulationPlan) -> tuple[float, float]:
    """From when to when, ms, within the run."""
    if plan.duration is None:
        raise PlanError("random trains need an end of the run", where="run.tstop", hint="state it in the plan")
    return delay, min(plan.duration, np.inf if duration is None else delay + duration)


def draw_poisson(
    rows: np.ndarray, rate: Any, window: tuple[float, float], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``(rows, times)`` of independent Poisson trains at ``rate`` (Hz; a number, or one a row) within a window (ms).

    Sorted by time within each row.
    """
    start, stop = window
    length = np.maximum(np.asarray(stop) - np.asarray(start), 0.0)
    counts = random.poisson(np.broadcast_to(np.asarray(rate, dtype=np.float64) * length / 1000.0, len(rows)))
    first, span = (np.repeat(np.broadcast_to(value, len(rows)), counts) for value in (start, length))
    # 1 - u is in (0, 1]: a spike at time 0 itself is none for NEST
    times = first + span * (1.0 - random.random(int(counts.sum())))
    place = np.repeat(np.arange(len(rows)), counts)
    return np.repeat(rows, counts), times[np.lexsort((times, place))]


def _own_trains(part: Part, plan: SimulationPlan, report: Report) -> tuple[np.ndarray, np.ndarray]:
    """What the definition of a source itself says: spike times, or a rate."""
    none = np.empty(0, dtype=np.int64), np.empty(0)
    if not isinstance(part.cell, SpikeSource):
        return none
    where = f"population {part.population}"
    stated = part.parameters
    if plan.duration is None and part.cell.model in ("SpikeSourcePoisson", *RENEWAL):
        return none  # nothing runs: the network is only to be built
    if part.cell.model == "SpikeSourcePoisson" and plan.duration is not None:
        rate, start = _filled(stated, "rate", 1.0), _filled(stated, "start", 0.0)
        stop = np.minimum(start + _filled(stated, "duration", 1e10), plan.duration)
        random = np.random.default_rng([seed_of(plan, None, report, where), part.type_row, *part.population.encode()])
        return draw_poisson(part.rows, rate, (start, stop), random)
    if part.cell.model in LAWS:
        return _renewed(part, plan, report, where)
    times = stated.get("spike_times")
    if times is not None:
        return _times_a_row(part.rows, times)
    if part.cell.model not in ("SpikeSourceArray", "nest:spike_generator", PROXY):
        report.lost(
            "source-model",
            where,
            f"No simulator here has the source model {part.cell.model}; its cells emit only the trains of the plan.",
            count=part.size,
            examples=[part.cell_name],
        )
    return none


def _renewed(part: Part, plan: SimulationPlan, report: Report, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of sources that draw intervals, until the end of the run."""
    if plan.duration is None:
        raise PlanError("generators of spikes need an end of the run", where="run.tstop", hint="state it in the plan")
    regular = part.cell.model == REGULAR  # type: ignore[union-attr]
    seed = 0 if regular else seed_of(plan, None, report, where)
    random = np.random.default_rng([seed, part.type_row, *part.population.encode()])
    return renewal_trains(part, plan.duration, random)


def _filled(stated: Mapping[str, Any], name: str, default: float) -> Any:
    """A parameter, the default where it is not stated (PyNN's, as in `pynn_io.vocabulary`)."""
    value = stated.get(name)
    return default if value is None else np.ma.filled(np.ma.asarray(value, dtype=np.float64), default)


def _times_a_row(rows: np.ndarray, times: Any) -> tuple[np.ndarray, np.ndarray]:
    """Spike times stated once for all rows, or one row of times a row (NaN and masked entries are none)."""
    values = np.ma.filled(np.ma.asarray(times, dtype=np.float64), np.nan)
    if values.ndim < 2:
        values = np.broadcast_to(np.atleast_1d(values), (len(rows), np.size(values)))
    stated = ~np.isnan(values)
    return np.repeat(rows, stated.sum(axis=1)), values[stated]
