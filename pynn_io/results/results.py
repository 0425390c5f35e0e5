"""Results of a run, as columns: spikes by population, traces as time x element matrices, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.graph.columns import empty


@dataclass(frozen=True, slots=True, eq=False)
class Spikes:
    """The spikes of one population, sorted by time, then node.

    node_ids: int64[n], ids of the population's file. times: float64[n], ms.
    """

    population: str
    node_ids: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One recorded variable of one population: a SONATA report.

    report: its name in the plan. data: float[time, element]; row k is the value at ``start + k * interval`` (ms).
    node_ids: int64[element]. section_ids, section_pos: int64 and float64[element], where on the cell, None for cells
    without extent; section_order as in `pynn_io.graph.network.Projection`.
    """

    report: str
    population: str
    variable: str
    unit: str
    data: np.ndarray
    node_ids: np.ndarray
    start: float
    interval: float
    section_ids: np.ndarray | None = None
    section_pos: np.ndarray | None = None
    section_order: str = "specification"

    @property
    def times(self) -> np.ndarray:
        """float64[time], ms."""
        return self.start + self.interval * np.arange(len(self.data))


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a run gave.

    nodes: ids of all cells that were simulated and could spike, by population (the silent ones too; sources left out).
    level: ``executes``, or what else the backend did (``maps``): what was only mapped is no data.
    provenance: backend, version, seeds, timestep and what else decides about the numbers; seconds and bytes used.
    """

    spikes: Mapping[str, Spikes] = field(default_factory=empty)
    traces: tuple[Trace, ...] = ()
    nodes: Mapping[str, np.ndarray] = field(default_factory=empty)
    duration: float | None = None
    level: str = "executes"
    provenance: Mapping[str, Any] = field(default_factory=empty)

    @property
    def spike_count(self) -> int:
        return sum(len(spikes.times) for spikes in self.spikes.values())
