"""A network and a plan in PyNN's words: plain data in ms, mV, nA, nF, uS and Hz, or a native model's own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.lowering.trains import Trains

ARRAY, POISSON = "SpikeSourceArray", "SpikeSourcePoisson"
#: Sources that draw their spikes.
DRAWN = (POISSON, "SpikeSourcePoissonRefractory", "SpikeSourceGamma")
#: Spikes keep their times between two steps; else they are on steps (`SimulationPlan.spike_times`).
PRECISE = "precise"


@dataclass(frozen=True, slots=True)
class Target:
    """What a backend of PyNN has beside the standard, or has not; the rows are in `pynn_io.lowering.pynn.targets`.

    native: the dialect of its native models (``nest``, ``nrn``), empty for none. lacks: standard model -> why it is not
    used there. alike: standard cells of which a population must not differ in anything; shared: parameters in which no
    population must. unrecorded: (standard cell, variable) -> why it is not recorded there. on_grid: input spikes
    between two steps are moved to the nearest one.
    first_step: before which no input spike can come.
    states: (standard cell, state variable) -> the name by which alone its initial value takes effect there.
    zero_delay: a connection may have no delay. stdp: parameters of a mechanism that have one value there. upward: why
    weights of STDP cannot grow below 0 there, empty where they can. bounds: standard cell -> what the bounds of weights
    onto it are multiplied by there. setup: further arguments of ``setup``; precise: those that take their place where
    the plan wants spikes between steps. seed: what ``setup`` calls the seed of random numbers. declarative: sources at
    a rate and sines stay such; else they are drawn and sampled here, so that every backend gets the same.
    """

    name: str
    native: str = ""
    lacks: Mapping[str, str] = field(default_factory=empty)
    alike: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    unrecorded: Mapping[tuple[str, str], str] = field(default_factory=empty)
    states: Mapping[tuple[str, str], str] = field(default_factory=empty)
    on_grid: bool = True
    first_step: int = 0
    zero_delay: bool = False
    stdp: Mapping[str, float] = field(default_factory=empty)
    upward: str = ""
    bounds: Mapping[str, float] = field(default_factory=empty)
    setup: Mapping[str, Any] = field(default_factory=empty)
    precise: Mapping[str, Any] = field(default_factory=empty)
    seed: str = ""
    declarative: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """Arguments of ``setup``. ms. min_delay is the time step: spikes and currents from outside then come on time.

    max_delay: None where the network is not known yet.
    """

    timestep: float
    min_delay: float
    max_delay: float | None
    others: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One ``Population``: cells of one model out of one population of the network.

    label: unique. population: the network's; empty for sources that only the plan has. rows, ids: int64[n], ascending
    rows of it, and their ids: cell i here is row ``rows[i]`` there. model: a class of PyNN, or ``nest:NAME`` or
    ``nrn:NAME`` for a native one. parameters: numbers, tuples (a value that is a list), float64[n], or float64[n, k].
    initial: the same, of state variables. positions: float64[n, 3], um; None where not stated. receptors: names, first
    the excitatory one. weight_unit: of a weight onto the cells: uS, nA, mV, 1, or of a native model; empty for sources.
    """

    label: str
    population: str
    rows: np.ndarray
    ids: np.ndarray
    model: str
    parameters: Mapping[str, Any] = field(default_factory=empty)
    initial: Mapping[str, Any] = field(default_factory=empty)
    positions: np.ndarray | None = None
    receptors: tuple[str, ...] = ()
    weight_unit: str = ""

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def is_source(self) -> bool:
        return self.model in (ARRAY, *DRAWN)


@dataclass(frozen=True, slots=True)
class SynapseType:
    """A synapse type. model: a class of PyNN, ``STDPMechanism``, or ``nest:NAME``. parameters: those of all edges.

    Of STDP, parameters are as in `pynn_io.vocabulary.plasticity`. Weight and delay are always columns of the edges.
    """

    model: str = "StaticSynapse"
    parameters: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """One ``Projection``: all edges between two `Cells` with one synapse type and one receptor.

    label: unique. projection: the network's; empty for those of sources that only the plan has. pre, post: labels.
    source, target: int64[n], places in these. columns: ``weight``, ``delay`` (ms), and parameters of the synapse type
    that differ from edge to edge, float64[n]. A weight has PyNN's sign: positive for conductances, negative for
    currents and jumps of the potential that inhibit.
    """

    label: str
    projection: str
    pre: str
    post: str
    synapse: SynapseType
    receptor: str
    source: np.ndarray
    target: np.ndarray
    columns: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True, eq=False)
class CurrentSource:
    """A current into some cells. model: a class of PyNN. cells: label; targets: int64[n], places in it."""

    name: str
    model: str
    parameters: Mapping[str, Any]
    cells: str
    targets: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Recorder:
    """What a report wants of some cells.

    report: its name. cells: label; targets: int64[n], places in it. variables: ``(as the plan names it, PyNN's name,
    unit)``. start, stop (excluded), interval: ms, on steps.
    """

    report: str
    cells: str
    targets: np.ndarray
    variables: tuple[tuple[str, str, str], ...]
    start: float
    stop: float
    interval: float


@dataclass(frozen=True, slots=True, eq=False)
class LoweredNetwork:
    """What can be built without a plan. The edges are made on demand: `pynn_io.lowering.pynn.connections`.

    network: as it was lowered, with NeuroML's cells as standard ones. left_out: rows of cells that are not there
    because the backend has none of their model, a mask by population.
    """

    network: Network
    target: Target
    timestep: float
    cells: tuple[Cells, ...]
    left_out: Mapping[str, np.ndarray]

    def of(self, population: str) -> list[Cells]:
        """The cells of a population of the network."""
        return [item for item in self.cells if item.population == population]


@dataclass(frozen=True, slots=True, eq=False)
class LoweredPlan:
    """What a plan adds to a network that is built, and how long it runs.

    trains: of sources by label, rows being places there. drives, drive_connections: sources that only the plan has,
    and what connects them. recorded_sources: int64[n] by label, places of the sources whose spikes are recorded.
    """

    duration: float
    trains: Mapping[str, Trains]
    currents: tuple[CurrentSource, ...] = ()
    recorders: tuple[Recorder, ...] = ()
    drives: tuple[Cells, ...] = ()
    drive_connections: tuple[Connections, ...] = ()
    recorded_sources: Mapping[str, np.ndarray] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """Everything to build, in order; the edges by `pynn_io.lowering.pynn.connections`. seed: of the simulator."""

    setup: Setup
    network: LoweredNetwork
    plan: LoweredPlan
    seed: int
