"""What a stimulus is. Which ones are on, and where, is the plan's business.

Units: ms, nA, mV, Hz. Every stimulus names its target as a node set (name or inline rules), resolved when lowered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from pynn_io.graph.columns import empty

NodeSet: TypeAlias = Any  # a name, an inline rule set, a list of ids: see pynn_io.graph.node_sets


@dataclass(frozen=True, slots=True, eq=False)
class SpikeTrains:
    """Spike times per node of one population, sorted by node then time.

    node_ids, times: equally long arrays (int64; ms), one entry a spike; ids are those of the ``id`` column.
    """

    population: str
    node_ids: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class CurrentPulses:
    """Step currents, nA: amplitude from ``delay`` for ``duration`` (ms); several steps add up."""

    amplitudes: np.ndarray
    delays: np.ndarray
    durations: np.ndarray


@dataclass(frozen=True, slots=True)
class OtherStimulus:
    """A stimulus that is kept as its file states it; whoever cannot apply it reports it by name."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One named input: what, onto which cells, where on the cell (section and fraction; by default mid-soma)."""

    name: str
    what: SpikeTrains | CurrentPulses | OtherStimulus
    node_set: NodeSet
    section: str = "soma"
    position: float = 0.5
