"""The exact and the deterministic tier for the spikes of one population."""

from __future__ import annotations

import hashlib

import numpy as np

from pynn_io.results.compare.pairing import Pairing, pair, sort_spikes
from pynn_io.results.compare.values import (
    Divergence,
    PopulationComparison,
    SpikeAt,
    SpikeList,
    SpikePair,
    Tolerance,
    Verdict,
)
from pynn_io.results.results import Spikes

EXACT, DETERMINISTIC = "exact", "deterministic"


def compare_spikes(a: Spikes, b: Spikes, tolerance: Tolerance, *, listed: int = 20) -> PopulationComparison:
    """Spike for spike: equal arrays, else every cell's spikes in pairs. listed: missing and extra spikes named.

    The order in which the spikes stand does not count. What may be compared at all is for the caller to say.
    """
    ids_a, times_a = sort_spikes(a.node_ids, a.times)
    ids_b, times_b = sort_spikes(b.node_ids, b.times)
    equal = np.array_equal(ids_a, ids_b) and np.array_equal(times_a, times_b)
    found = pair(ids_a, times_a, ids_b, times_b, tolerance)
    apart = np.abs(times_a[found.paired_a] - times_b[found.paired_b])
    within = not len(found.missing) and not len(found.extra)
    where = int(np.argmax(apart)) if len(apart) else None
    digest = _digest(ids_a, times_a)
    return PopulationComparison(
        population=a.population,
        other=b.population,
        verdict=Verdict.EQUAL if equal else Verdict.WITHIN if within else Verdict.DIFFERS,
        tier=EXACT if equal else DETERMINISTIC,
        spikes=(len(times_a), len(times_b)),
        cells=found.cells,
        unequal_cells=found.unequal_cells,
        sha256=(digest, digest if equal else _digest(ids_b, times_b)),
        paired=len(apart),
        identical=int(np.count_nonzero(apart == 0)),
        shared=len(found.shared_a),
        dt_max=None if where is None else float(apart[where]),
        dt_median=None if where is None else float(np.median(apart)),
        dt_p95=None if where is None else float(np.quantile(apart, 0.95)),
        dt_where=None if where is None else _pair_at(found, where, ids_a, times_a, times_b),
        missing=_listed(ids_a[found.missing], times_a[found.missing], listed),
        extra=_listed(ids_b[found.extra], times_b[found.extra], listed),
        divergence=_divergence(a.population, found, (ids_a, times_a), (ids_b, times_b)),
    )


def _digest(ids: np.ndarray, times: np.ndarray) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(ids, dtype="<i8").data)
    digest.update(np.ascontiguousarray(times, dtype="<f8").data)
    return digest.hexdigest()


def _pair_at(found: Pairing, row: int, ids: np.ndarray, times_a: np.ndarray, times_b: np.ndarray) -> SpikePair:
    one, two = found.paired_a[row], found.paired_b[row]
    return SpikePair(int(ids[one]), float(times_a[one]), float(times_b[two]))


def _listed(ids: np.ndarray, times: np.ndarray, limit: int) -> SpikeList:
    order = np.lexsort((ids, times))[:limit]
    return SpikeList(len(ids), tuple(SpikeAt(int(ids[row]), float(times[row])) for row in order))


def _divergence(
    population: str, found: Pairing, a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> Divergence | None:
    sides = {"a": (a, found.missing), "b": (b, found.extra)}
    first = {name: rows[np.argmin(times[rows])] for name, ((_, times), rows) in sides.items() if len(rows)}
    if not first:
        return None
    only_in = min(first, key=lambda name: float(sides[name][0][1][first[name]]))
    (ids, times), _ = sides[only_in]
    node, time = int(ids[first[only_in]]), float(times[first[only_in]])
    (other_ids, other_times), unmatched = sides["b" if only_in == "a" else "a"]
    candidates = other_times[unmatched[other_ids[unmatched] == node]]
    nearest = float(candidates[np.argmin(np.abs(candidates - time))]) if len(candidates) else None
    return Divergence(population, node, time, only_in, nearest, _last_common(found, a, time))


def _last_common(found: Pairing, a: tuple[np.ndarray, np.ndarray], time: float) -> SpikeAt | None:
    ids, times = a
    common = found.shared_a[times[found.shared_a] <= time]
    if not len(common):
        return None
    last = common[np.argmax(times[common])]
    return SpikeAt(int(ids[last]), float(times[last]))
