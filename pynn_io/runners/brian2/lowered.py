"""A network and a plan in Brian2's words: equations and statements as text, numbers as arrays, all without dimensions.

Everything is in the coherent units of the graph (ms, mV, nA, nF, uS); a rate of change is per ms. Edges stay in their
columns. A cell, and a source, is a number in a group; group -1: there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.meters import Meter
from pynn_io.runners.algorithms import UNKNOWN


@dataclass(frozen=True, slots=True)
class CellCode:
    """What a kind of cell is in Brian2.

    equations: of the model. advance: the statements of a time step, text by text, as Brian2's own methods would write
    them.
    threshold, reset: as in ``NeuronGroup``. resting: whether it rests after a spike, for ``resting`` ms.
    receptors: what one event of ``{w}`` does, by receptor. unit: of a weight. signed: whether the sign of a weight
    chooses between the receptors ``excitatory`` and ``inhibitory``. records: what a recording may ask for -> (variable,
    unit, factor). method, parts: how ``advance`` integrates (`runners.algorithms`), and in how many parts of a step.
    """

    name: str
    equations: str
    advance: tuple[str, ...]
    threshold: str
    reset: str
    resting: bool = False
    receptors: Mapping[str, str] = field(default_factory=empty)
    unit: str = ""
    signed: bool = False
    records: Mapping[str, tuple[str, str, float]] = field(default_factory=empty)
    method: tuple[str, str] = UNKNOWN
    parts: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One ``NeuronGroup``. values: by variable, a number or float64 with one a cell.

    members: (population, rows), in the order of the group. course: column of the injected currents for each cell, 0 for
    none; empty where no cell has any.
    """

    code: CellCode
    values: Mapping[str, float | np.ndarray]
    members: tuple[tuple[str, np.ndarray], ...]
    course: np.ndarray
    currents: np.ndarray

    @property
    def size(self) -> int:
        return sum(len(rows) for _, rows in self.members)


@dataclass(frozen=True, slots=True)
class SynapseCode:
    """What an event does at a synapse, as text.

    equations: its own variables, ``weight`` among them. before: statements when a spike arrives, before ``sent``, the
    expression of what the target gets. after: once it has got it. post, trace: statements when a spike of the target
    comes back, before and after those of spikes that arrive at the same time. dendritic: in which part of the delay it
    comes back.
    """

    name: str
    equations: str = "weight : 1"
    before: str = ""
    sent: str = "weight"
    after: str = ""
    post: str = ""
    trace: str = ""
    dendritic: float = 1.0


def own_variables(states: str, parameters: str) -> str:
    """The equations of a synapse with a weight, states, and parameters, by name."""
    lines = ["weight : 1", *(f"{name} : 1" for name in states.split())]
    return "\n".join([*lines, *(f"{name} : 1 (constant)" for name in parameters.split())])


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """How the edges of one type onto one kind of cell are connected.

    parameters: name -> number of all its edges; columns: column -> name of those that differ from edge to edge. unit:
    of the stated weight. plastic: one synapse of N times the weight is not N synapses. receptor: where the sign of the
    weight does not choose it.
    """

    code: SynapseCode
    parameters: Mapping[str, float] = field(default_factory=empty)
    columns: Mapping[str, str] = field(default_factory=empty)
    unit: str = ""
    plastic: bool = False
    receptor: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A projection. specs: by (type row, group of the target). inhibitory: whether a type acts on that receptor.

    immediate: a connection without a delay, or one of 0 ms, has none, as NeuroML's.
    """

    projection: Projection
    specs: Mapping[tuple[int, int], Spec]
    inhibitory: np.ndarray
    names: tuple[str, ...] = ()
    immediate: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SourceFeed:
    """Sources that stand for rows of a population. number: by row, -1 for none. targets: masks of the targets by
    population, None for all. further: they have the second and later spikes of a step."""

    population: str
    number: np.ndarray
    targets: Mapping[str, np.ndarray] | None
    further: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What spikes from outside come from: one ``SpikeGeneratorGroup``.

    index, step: int64, every spike, by step; a source spikes at most once in a step. Where a train has several spikes
    in one, further sources have the same synapses.
    """

    size: int
    index: np.ndarray
    step: np.ndarray
    feeds: tuple[SourceFeed, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Bombardment:
    """Sources (numbers) that act on cells (numbers in a group), each with the same weight, a step after they spike."""

    group: int
    source: np.ndarray
    target: np.ndarray
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """Everything to build. group, number: of every row of a population, int64. left_out: rows of cells that Brian2 does
    not have, a mask by population. notes: decisions, for the provenance."""

    network: Network
    duration: float
    timestep: float
    seed: int
    cells: tuple[Cells, ...]
    group: Mapping[str, np.ndarray]
    number: Mapping[str, np.ndarray]
    left_out: Mapping[str, np.ndarray]
    sources: Sources
    bombardments: tuple[Bombardment, ...] = ()
    links: tuple[Link, ...] = ()
    meters: tuple[Meter, ...] = ()
    notes: Mapping[str, object] = field(default_factory=empty)
