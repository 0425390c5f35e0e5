"""What stands in NEURON on one rank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.recorder import Recorder


@dataclass(slots=True, eq=False)
class Cell:
    """A cell of this rank.

    sections: NEURON's, in the order that `SynapseBlock.section` counts; empty for a cell without extent. soma: the
    section in whose middle spikes are detected, unless ``spikes_at`` is another segment. point: the point process that
    is the cell, if it is one; records and current: as of its `PointModel`. threshold: mV, of spikes, where it has one
    of its own. potentials: NEURON's segments, and their potential at the start (mV), where the cell states one.
    """

    gid: int
    sections: tuple[Any, ...] = ()
    soma: Any = None
    point: Any = None
    keep: Any = None
    spikes_at: Any = None
    records: Mapping[str, str] = field(default_factory=empty)
    current: tuple[str, float] = ("", 0.0)
    threshold: float | None = None
    potentials: tuple[tuple[Any, float], ...] = ()


@dataclass(slots=True, eq=False)
class Synapses:
    """The synapses of one projection on this rank, in the order in which they were made; lists of equal length.

    points: the point processes (the cell itself where it has no extent). edges, targets: rows of the projection, gids.
    """

    netcons: list[Any] = field(default_factory=list)
    points: list[Any] = field(default_factory=list)
    edges: list[np.ndarray] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Turns:
    """What a part of a co-simulation needs between two stops.

    advance: to a time (ms). outlets: populations whose spikes are asked for. player, waker: a PatternStim and the
    NetCon that wakes it; played: its vectors. told: how many spikes have been handed out. flushed: when recordings were
    last taken out (ms).
    """

    advance: Callable[[float], Any]
    outlets: tuple[str, ...]
    player: Any
    waker: Any
    played: tuple[Any, ...] = ()
    told: int = 0
    flushed: float = 0.0


@dataclass(slots=True, eq=False)
class Model:
    """What was built on this rank, and everything that NEURON drops when Python does (``keep``).

    cells: by gid; the cell with gid g is on rank ``g % hosts``. synapses: by projection. events: arrays of gids and
    times (ms) of spikes that no cell makes; whoever adds to them does it before the run. spikes: NEURON's vectors of
    times and gids. recorders: of reports. inputs: point processes (and
    what of them can be recorded) by gid and the id of their component. tables: vectors of quantities. currents: courses
    of current by gid, of cells that have a variable for them. later: times (ms) with NetCons and
    the weights that they have from then on. spontaneous: NetCons without a source and the times of their events (ms).
    turns: in a co-simulation, when it runs.
    """

    lowered: LoweredNeuron
    profile: Profile
    rank: int
    hosts: int
    cells: dict[int, Cell] = field(default_factory=dict)
    synapses: dict[str, Synapses] = field(default_factory=dict)
    events: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    spikes: tuple[Any, Any] | None = None
    recorders: list[Recorder] = field(default_factory=list)
    later: list[tuple[float, list[tuple[Any, float]]]] = field(default_factory=list)
    spontaneous: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    inputs: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    tables: list[Any] = field(default_factory=list)
    currents: dict[int, list[Any]] = field(default_factory=dict)
    keep: list[Any] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    turns: Turns | None = None
