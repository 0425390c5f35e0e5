"""Spikes from outside as the sources of one group, each of which spikes once a step at most."""

from __future__ import annotations

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering import Trains
from pynn_io.lowering.feeds import Bombardment, Feed
from pynn_io.lowering.grid import Grid
from pynn_io.runners.brian2.lowered import SourceFeed, Sources

#: A spike acts at the end of the step that it is in, as on NEST, whose clock has tics of this length, ms.
_TIC = 0.001


class Layers:
    """Numbers sources as feeds are added. Where a train has several spikes in a step, the second and later ones are of
    further sources, a layer each, with the same synapses."""

    def __init__(self, network: Network, grid: Grid) -> None:
        self._network, self._grid = network, grid
        self._size = 0
        self._index: list[np.ndarray] = []
        self._step: list[np.ndarray] = []
        self._feeds: list[SourceFeed] = []

    def add(self, feed: Feed) -> None:
        """The trains of a feed."""
        for layer, (rows, source) in enumerate(self._layers(feed.trains)):
            numbers = np.full(self._network.populations[feed.population].size, -1, dtype=np.int64)
            numbers[rows] = source
            self._feeds.append(SourceFeed(feed.population, numbers, feed.targets, layer > 0))

    def straight(self, one: Bombardment) -> tuple[np.ndarray, np.ndarray]:
        """Sources of trains onto cells, and the row of the cell of each. int64."""
        layers = list(self._layers(one.trains))
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([none, *(own for _, own in layers)]), np.concatenate([none, *(row for row, _ in layers)])

    def _layers(self, trains: Trains) -> list[tuple[np.ndarray, np.ndarray]]:
        """``(rows, numbers of their sources)`` of every layer of some trains."""
        step = np.ceil((trains.times - _TIC / 2) / self._grid.step).astype(np.int64)
        inside = (step >= 0) & (step <= self._grid.nearest(self._grid.end))
        rows, step = trains.rows[inside], step[inside]
        order = np.lexsort((step, rows))
        rows, step = rows[order], step[order]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (step[1:] != step[:-1])
        begin = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
        layer = np.arange(len(rows)) - begin
        found = []
        for number in range(int(layer.max(initial=-1)) + 1):
            here = layer == number
            own, place = np.unique(rows[here], return_inverse=True)
            self._index.append(self._size + place)
            self._step.append(step[here])
            found.append((own, self._size + np.arange(len(own))))
            self._size += len(own)
        return found

    def sources(self) -> Sources:
        """All of them."""
        none = np.zeros(0, dtype=np.int64)
        index, step = np.concatenate([none, *self._index]), np.concatenate([none, *self._step])
        order = np.lexsort((index, step))
        return Sources(self._size, index[order], step[order], tuple(self._feeds))
