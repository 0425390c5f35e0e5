"""The statistical tier: recurrent networks are judged by distributions, against what other seeds do.

Two runs of one chaotic network share hardly a spike, so what counts is whether they are farther apart than two seeds of
one backend are: the null. One number decides, so that many measures do not make many false alarms: every distance is
divided by its mean in the null, the largest of these ratios is taken, and it must not exceed the 95th percentile of the
same number over pairs of null runs (`percentile`). Such a test is weak by nature; `Sensitivity` says how weak. Beside
it the mean of every measure is held against its means over the seeds (`means`), which sees far smaller differences of
rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pynn_io.results.compare.activity import INTERVALS, MEASURES, Window, activity, distance, sampled
from pynn_io.results.compare.means import means_of, shifts
from pynn_io.results.compare.traces import NotComparable
from pynn_io.results.compare.values import Distance, Sensitivity, Statistics
from pynn_io.results.results import Results, Spikes

#: Runs of the null at least, and the percentile of its pairs that a comparison must not exceed.
NULL_RUNS = 5
PERCENTILE = 0.95

#: population -> measure -> one number a cell, or a pair of cells.
Activity = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Ensembles:
    """What a statistical comparison needs beside the two results.

    null: results of one backend that differ in nothing but their seeds. perturbed: results after a known relative
    change of the weights (0.05 is 5 %), several of one change allowed. pooled: ``a`` or ``b``, the result that is one
    of the null's kind, so that the other is held against all of them: its distances are the means of those to each.
    What one of them has by chance weighs less then. Of two seeds of one process (60 gamma processes, 1.5 s, 5 seeds
    more) 3 % are called different so, and 10 % without, while 10 % more rate is seen as often (97 %).
    """

    null: Sequence[Results] = ()
    perturbed: Sequence[tuple[float, Results]] = ()
    pooled: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """(ks, emd) of every null pair by population and measure, and their means: what distances are measured by."""

    keys: list[tuple[str, str]]
    pairs: np.ndarray  # [pair, key, (ks, emd)]

    def ratios(self, distances: np.ndarray) -> np.ndarray:
        """[..., key, 2] -> over the mean of the null; where the null has no spread only no distance is no excess."""
        mean = self.pairs.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(distances == 0, 0.0, distances / mean)


def compare_statistics(
    a: Results, b: Results, populations: Sequence[str], ensembles: Ensembles, start: float, stop: float | None
) -> tuple[bool, Statistics]:
    """Whether ``b`` is to ``a`` as two seeds are to each other, and by which numbers. Populations bear a's names.

    start, stop: ms; stop None: the shortest known duration, else the last spike. Raises NotComparable.
    """
    null = list(ensembles.null)
    _check_null(null)
    everything = [a, b, *null, *(results for _, results in ensembles.perturbed)]
    stop, notes = _stop(everything, stop)
    if stop <= start:
        raise NotComparable(f"nothing is left between {start:g} and {stop:g} ms")
    one, two, *others = activities(everything, populations, start, stop)
    keys, more = _keys(one, two, others)
    seeds = [*others[: len(null)], *({"a": [one], "b": [two]}.get(ensembles.pooled, []))]
    scale = _scale(keys, seeds)
    alone, against = {"a": (two, seeds), "b": (one, seeds)}.get(ensembles.pooled, (one, [two]))
    found = np.mean([_distances(keys, alone, each) for each in against], axis=0)
    threshold = percentile(scale.ratios(scale.pairs).max(axis=(1, 2)), len(seeds))
    ratios = scale.ratios(found)
    changes = [change for change, _ in ensembles.perturbed]
    worst_of = [float(scale.ratios(_distances(keys, one, other)).max()) for other in others[len(null) :]]
    statistics = Statistics(
        start,
        stop,
        len(null),
        len(scale.pairs),
        float(ratios.max()),
        threshold,
        tuple(_row(row, keys, found, ratios, scale, one, two) for row in range(len(keys))),
        sensitivity(changes, worst_of, threshold),
        (*notes, *more),
        shifts(means_of(keys, one, two, others[: len(null)], ensembles.pooled)),
    )
    return bool(ratios.max() <= threshold) and all(each.off <= each.allowed for each in statistics.means), statistics


def activities(everything: Sequence[Results], populations: Sequence[str], start: float, stop: float) -> list[Activity]:
    """What every result does in a window, ms, over the same cells; the pairs are drawn from the first two's."""
    windows = {name: _window(name, everything, start, stop) for name in populations}
    return [
        {name: activity(results.spikes[name], window) for name, window in windows.items()} for results in everything
    ]


def _check_null(null: list[Results]) -> None:
    if len(null) < NULL_RUNS:
        raise NotComparable(f"the null has {len(null)} runs and needs {NULL_RUNS}, of other seeds")
    for (i, one), (j, two) in combinations(enumerate(null, 1), 2):
        if _same_spikes(one.spikes, two.spikes):
            raise NotComparable(f"runs {i} and {j} of the null are the same spikes: they need seeds of their own")


def _same_spikes(one: Mapping[str, Spikes], two: Mapping[str, Spikes]) -> bool:
    return one.keys() == two.keys() and all(
        np.array_equal(one[name].times, two[name].times) and np.array_equal(one[name].node_ids, two[name].node_ids)
        for name in one
    )


def _stop(everything: list[Results], stop: float | None) -> tuple[float, list[str]]:
    known = [results.duration for results in everything if results.duration is not None]
    if stop is not None:
        if known and min(known) < stop:
            raise NotComparable(f"a run ended at {min(known):g} ms, before {stop:g}")
        return stop, []
    if known:
        return min(known), [] if len(set(known)) == 1 else [f"runs differ in duration: all cut at {min(known):g} ms"]
    last = max(float(one.times.max()) for results in everything for one in results.spikes.values() if len(one.times))
    return float(np.nextafter(last, np.inf)), [f"no duration is known: taken to end with the last spike, {last:g} ms"]


def _window(name: str, everything: Sequence[Results], start: float, stop: float) -> Window:
    """Cells: those simulated where every result says so, else those that spiked in any."""
    trains = []
    for results in everything:
        spikes = results.spikes.get(name)
        if spikes is None or not len(spikes.times):
            raise NotComparable(f"population {name!r} has no spikes in one of the runs of null or perturbed ensembles")
        trains.append(spikes)
    active = [np.unique(one.node_ids[(one.times >= start) & (one.times < stop)]) for one in trains]
    stated = [results.nodes.get(name) for results in everything]
    known = [np.asarray(nodes, dtype=np.int64) for nodes in stated if nodes is not None]
    cells = np.unique(np.concatenate([*active, *known]))
    return Window(cells, sampled(np.intersect1d(active[0], active[1])), start, stop)


def _keys(one: Activity, two: Activity, others: list[Activity]) -> tuple[list[tuple[str, str]], list[str]]:
    """The (population, measure) that every run has values of; what is left out is told."""
    keys, notes = [], []
    for population in one:
        for measure in MEASURES:
            fewest = min(len(found[population][measure]) for found in (one, two, *others))
            if fewest >= 2:
                keys.append((population, measure))
            else:
                why = f"fewer than 2 cells with {INTERVALS} intervals" if measure == "cv" else "too few active cells"
                notes.append(f"{population}: no {measure}, a run has {why}")
    if not keys:
        raise NotComparable("no measure has values in every run: the runs are too short or too silent")
    return keys, notes


def _distances(keys: list[tuple[str, str]], one: Activity, two: Activity) -> np.ndarray:
    return np.array([distance(one[population][measure], two[population][measure]) for population, measure in keys])


def _scale(keys: list[tuple[str, str]], null: list[Activity]) -> _Scale:
    return _Scale(keys, np.stack([_distances(keys, one, two) for one, two in combinations(null, 2)]))


def _row(
    row: int,
    keys: list[tuple[str, str]],
    found: np.ndarray,
    ratios: np.ndarray,
    scale: _Scale,
    one: Activity,
    two: Activity,
) -> Distance:
    population, measure = keys[row]
    left, right = one[population][measure], two[population][measure]
    ks_p95, emd_p95 = np.quantile(scale.pairs[:, row], PERCENTILE, axis=0)
    return Distance(
        population,
        measure,
        MEASURES[measure],
        (len(left), len(right)),
        (float(left.mean()), float(right.mean())),
        float(found[row, 0]),
        float(ks_p95),
        float(found[row, 1]),
        float(emd_p95),
        float(ratios[row].max()),
    )


def percentile(ratios: np.ndarray, runs: int) -> float:
    """The 95th percentile of what two more seeds would give, from the ratios of all pairs of a few runs.

    A prediction bound: logarithms taken as normal, with as many degrees of freedom as runs, less one, since the pairs
    share them. The plain quantile of ten pairs is too low: of two seeds of one process (60 gamma processes, 1.5 s) it
    called 28 % different with 5 null runs and 13 % with 10; this bound 12 % and 7 %.
    """
    from scipy.stats import t

    logs = np.log(np.maximum(ratios, np.finfo(float).tiny))
    spread = logs.std(ddof=1) * np.sqrt(1 + 1 / runs)
    return float(np.exp(logs.mean() + t.ppf(PERCENTILE, runs - 1) * spread))


def sensitivity(changes: Sequence[float], ratios: Sequence[float], threshold: float) -> Sensitivity:
    """The smallest weight change that would have been seen.

    Of several runs of one change the median counts, so that a lucky seed does not. A change is seen if its ratio
    exceeds the null's 95th percentile; the smallest is the one from which on every larger change is seen as well.
    """
    if not changes:
        return Sensitivity((), None, "not known: give results with changed weights (--perturbed)")
    of_change: dict[float, list[float]] = {}
    for change, ratio in sorted(zip(changes, ratios, strict=True), key=lambda row: abs(row[0])):
        of_change.setdefault(change, []).append(ratio)
    medians = {change: float(np.median(found)) for change, found in of_change.items()}
    rows = tuple((change, ratio, ratio > threshold) for change, ratio in medians.items())
    smallest = None
    for change, _, seen in reversed(rows):
        if not seen:
            break
        smallest = change
    if smallest is None:
        return Sensitivity(rows, None, f"more than {abs(rows[-1][0]):.3g}, the largest change that was run")
    return Sensitivity(rows, smallest, f"{smallest:+.3g} (relative), the smallest of those run")
