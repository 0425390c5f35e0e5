"""Small results with numbers that can be worked out by hand, and networks of renewal processes for the statistics."""

from __future__ import annotations

import numpy as np

from pynn_io.results import Results, Spikes, Trace


def spikes(*pairs, population="e"):
    """(cell, time) pairs as the spikes of one population, in the order given."""
    ids, times = zip(*pairs, strict=True) if pairs else ((), ())
    return Spikes(population, np.array(ids, dtype=np.int64), np.array(times, dtype=np.float64))


def results(*pairs, population="e", **fields):
    return Results(spikes={population: spikes(*pairs, population=population)}, **fields)


def trace(data, *, nodes=None, start=0.0, interval=1.0, unit="mV", report="v", population="e", **fields):
    data = np.atleast_2d(np.asarray(data, dtype=float).T).T
    nodes = np.arange(data.shape[1]) if nodes is None else np.asarray(nodes)
    return Trace(report, population, "v", unit, data, nodes, start, interval, **fields)


def renewal(seed, *, rate=20.0, shape=2.0, cells=200, duration=4000.0, population="e"):
    """Independent gamma processes: mean rate in Hz; CV of the intervals is 1 / sqrt(shape)."""
    rng = np.random.default_rng(seed)
    count = int(rate * duration / 1000.0 * 3) + 20
    times = np.cumsum(rng.gamma(shape, 1000.0 / rate / shape, (cells, count)), axis=1).ravel()
    ids = np.repeat(np.arange(cells), count)
    kept = times < duration
    found = Spikes(population, ids[kept], times[kept])
    return Results({population: found}, nodes={population: np.arange(cells)}, duration=duration)
