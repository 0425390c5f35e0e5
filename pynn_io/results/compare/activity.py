"""What a population does, as distributions: rates, irregularity, correlations; and how far two are apart.

The three measures and the samples are those by which microcircuit implementations are judged (van Albada et al. 2018,
doi:10.3389/fninf.2018.00291; Dasbach et al. 2021, doi:10.3389/fnins.2021.757790).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.results.compare.pairing import sort_spikes
from pynn_io.results.results import Spikes

#: measure -> unit.
MEASURES = {"rate": "Hz", "cv": "", "correlation": ""}
#: Intervals that a cell needs for a coefficient of variation.
INTERVALS = 3
#: ms, bins of the counts that are correlated.
BIN = 2.0
#: Cells whose pairs are correlated: 250 make 31,125 pairs.
SAMPLE = 250


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What is looked at. cells: int64, sorted; sample: those of them that are correlated. start, stop: ms."""

    cells: np.ndarray
    sample: np.ndarray
    start: float
    stop: float


def sampled(active: np.ndarray, size: int = SAMPLE) -> np.ndarray:
    """The same cells for every result: ``size`` of the ``active``, drawn with a fixed seed."""
    if len(active) <= size:
        return active
    return np.sort(np.random.default_rng(0).choice(active, size, replace=False))


def activity(spikes: Spikes, window: Window) -> dict[str, np.ndarray]:
    """measure -> float64: rates of all cells, CV of cells with enough intervals, correlations of sampled pairs."""
    ids, times = _inside(spikes, window)
    which = np.searchsorted(window.cells, ids)
    counts = np.bincount(which, minlength=len(window.cells))
    return {
        "rate": counts / (window.stop - window.start) * 1000.0,
        "cv": _cv(which, times, len(window.cells)),
        "correlation": _correlations(ids, times, window),
    }


def intervals(spikes: Spikes, window: Window) -> np.ndarray:
    """float64: ms between two spikes of a cell, of all cells."""
    ids, times = _inside(spikes, window)
    return np.diff(times)[ids[1:] == ids[:-1]]


def _inside(spikes: Spikes, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """ids, times: by cell, then by time."""
    ids, times = sort_spikes(spikes.node_ids, spikes.times)
    inside = (times >= window.start) & (times < window.stop)
    return ids[inside], times[inside]


def _cv(which: np.ndarray, times: np.ndarray, cells: int) -> np.ndarray:
    """Standard deviation over mean of the intervals of each cell that has enough of them."""
    same = which[1:] == which[:-1]
    cell, interval = which[1:][same], np.diff(times)[same]
    count = np.bincount(cell, minlength=cells)
    mean = np.bincount(cell, interval, minlength=cells) / np.maximum(count, 1)
    spread = np.bincount(cell, np.square(interval - mean[cell]), minlength=cells) / np.maximum(count, 1)
    enough = (count >= INTERVALS) & (mean > 0)
    return np.sqrt(spread[enough]) / mean[enough]


def _correlations(ids: np.ndarray, times: np.ndarray, window: Window) -> np.ndarray:
    """Pearson correlation of the binned counts of all pairs of sampled cells that spiked, as a flat array."""
    from scipy.sparse import csr_array

    bins = int((window.stop - window.start) / BIN)
    column = ((times - window.start) / BIN).astype(np.int64)
    chosen = np.isin(ids, window.sample) & (column < bins)  # an incomplete last bin is left out
    present, row = np.unique(ids[chosen], return_inverse=True)
    if len(present) < 2 or bins < 2:
        return np.empty(0)
    counts = csr_array((np.ones(len(row)), (row, column[chosen])), shape=(len(present), bins))
    mean = np.asarray(counts.sum(axis=1)).ravel() / bins
    covariance = (counts @ counts.T).toarray() / bins - np.outer(mean, mean)
    deviation = np.sqrt(np.diag(covariance))
    upper = np.triu_indices(len(present), 1)
    scale = np.outer(deviation, deviation)[upper]
    return covariance[upper][scale > 0] / scale[scale > 0]


def distance(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Kolmogorov-Smirnov and earth mover's distance of two samples."""
    from scipy.stats import ks_2samp, wasserstein_distance

    return float(ks_2samp(a, b, method="asymp").statistic), float(wasserstein_distance(a, b))
