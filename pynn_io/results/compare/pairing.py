"""Which spike of one result is which of another, for all cells at once.

Spikes are columns sorted by cell, then time. Nothing here loops over cells or spikes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.results.compare.values import Tolerance


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """Indices (int64) into the columns of both results.

    paired_a, paired_b: partners, close or not: by rank in cells with the same number of spikes, by closeness in others.
    shared_a, shared_b: partners within the tolerance. missing, extra: spikes of the first, of the second, without one.
    """

    paired_a: np.ndarray
    paired_b: np.ndarray
    shared_a: np.ndarray
    shared_b: np.ndarray
    missing: np.ndarray
    extra: np.ndarray
    cells: int
    unequal_cells: int


def sort_spikes(node_ids: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns sorted by cell, then time; the same arrays where they are already."""
    ids, times = np.asarray(node_ids, dtype=np.int64), np.asarray(times, dtype=np.float64)
    step = np.diff(ids)
    if np.all((step > 0) | ((step == 0) & (np.diff(times) >= 0))):
        return ids, times
    order = np.lexsort((times, ids)) if np.any(np.diff(times) < 0) else np.argsort(ids, kind="stable")
    return ids[order], times[order]


def pair(
    ids_a: np.ndarray, times_a: np.ndarray, ids_b: np.ndarray, times_b: np.ndarray, tolerance: Tolerance
) -> Pairing:
    """Pair the spikes of two results, each sorted by cell then time (`sort_spikes`); ids int64, times float64 in ms.

    In a cell that has the same number of spikes in both, the k-th goes with the k-th: no other pairing has a smaller
    largest distance. Where that leaves a pair too far apart, or the numbers differ, spikes are matched closest first.
    """
    cells = np.union1d(ids_a, ids_b)
    which_a, which_b = np.searchsorted(cells, ids_a), np.searchsorted(cells, ids_b)
    equal = np.bincount(which_a, minlength=len(cells)) == np.bincount(which_b, minlength=len(cells))
    rank_a, rank_b = np.flatnonzero(equal[which_a]), np.flatnonzero(equal[which_b])
    far = np.abs(times_a[rank_a] - times_b[rank_b]) > tolerance.at(times_a[rank_a])
    loose = ~equal
    loose[which_a[rank_a[far]]] = True
    rest_a, rest_b = np.flatnonzero(loose[which_a]), np.flatnonzero(loose[which_b])
    near_a, near_b = _closest(which_a[rest_a], times_a[rest_a], which_b[rest_b], times_b[rest_b], tolerance)
    near_a, near_b = rest_a[near_a], rest_b[near_b]
    tight_a, tight_b = np.flatnonzero(~loose[which_a]), np.flatnonzero(~loose[which_b])
    odd = ~equal[which_a[near_a]]
    return Pairing(
        np.concatenate([rank_a, near_a[odd]]),
        np.concatenate([rank_b, near_b[odd]]),
        np.concatenate([tight_a, near_a]),
        np.concatenate([tight_b, near_b]),
        np.setdiff1d(rest_a, near_a, assume_unique=True),
        np.setdiff1d(rest_b, near_b, assume_unique=True),
        len(cells),
        int(np.count_nonzero(~equal)),
    )


def _closest(
    cells_a: np.ndarray, times_a: np.ndarray, cells_b: np.ndarray, times_b: np.ndarray, tolerance: Tolerance
) -> tuple[np.ndarray, np.ndarray]:
    """Match spikes that are each other's nearest within the tolerance; then the same among what is left, until none is.

    Gives indices into both. A spike is matched once; between equally near ones the earlier is taken.
    """
    cells, times = np.concatenate([cells_a, cells_b]), np.concatenate([times_a, times_b])
    second = np.arange(len(cells)) >= len(cells_a)
    left = np.lexsort((times, cells))
    found_a, found_b = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    while len(left):
        partner = _nearest(cells[left], times[left], second[left], tolerance)
        mutual = (partner >= 0) & (partner[partner] == np.arange(len(left)))
        first = np.flatnonzero(mutual & ~second[left])
        if not len(first):
            break
        found_a.append(left[first])
        found_b.append(left[partner[first]] - len(cells_a))
        left = left[(partner >= 0) & ~mutual]  # whose nearest is too far will find no nearer one later
    return np.concatenate(found_a), np.concatenate(found_b)


def _nearest(cells: np.ndarray, times: np.ndarray, second: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """For rows sorted by cell and time: the row of the other side nearest in time in the same cell, -1 if too far."""
    count = len(cells)
    rows = np.arange(count)
    before = _last_of_other(second)
    after = count - 1 - _last_of_other(second[::-1])[::-1]
    gap_before, gap_after = _gap(rows, before, cells, times), _gap(rows, after, cells, times)
    partner = np.where(gap_before <= gap_after, before, after) % count
    in_first = np.where(second, times[partner], times)
    return np.where(np.minimum(gap_before, gap_after) <= tolerance.at(in_first), partner, -1)


def _last_of_other(second: np.ndarray) -> np.ndarray:
    """The last row before each that is of the other side; -1 where there is none."""
    rows = np.arange(len(second))
    last_first = np.maximum.accumulate(np.where(second, -1, rows))
    last_second = np.maximum.accumulate(np.where(second, rows, -1))
    return np.where(second, last_first, last_second)


def _gap(rows: np.ndarray, others: np.ndarray, cells: np.ndarray, times: np.ndarray) -> np.ndarray:
    known = (others >= 0) & (others < len(rows))
    others = np.where(known, others, rows)
    return np.where(known & (cells[others] == cells), np.abs(times - times[others]), np.inf)
