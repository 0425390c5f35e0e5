"""A network and a plan in NEST's words: plain data in ms, mV, pA, nS and pF. Edges stay in their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.feeds import Bombardment, Feed
from pynn_io.lowering.meters import Meter
from pynn_io.lowering.signals import Signal

#: Rows that are left out because NEST has no such cell, in an array of node numbers; 0 is a row that is not there.
LEFT_OUT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Cells of one population that one ``nest.Create`` makes.

    model: NEST's name. rows: int64, ascending. parameters: scalars, lists (of a vector-valued parameter), or arrays
    with one row a cell, masked where the model's default stands. unit: of a weight onto the cell, empty where unknown.
    signed: whether the sign of a weight chooses between an excitatory and an inhibitory synapse. recordables: what a
    recording may ask for by another name -> (NEST's name, unit, power of ten on the way back).
    """

    population: str
    model: str
    rows: np.ndarray
    parameters: Mapping[str, Any]
    unit: str = ""
    signed: bool = False
    recordables: Mapping[str, tuple[str, str, int]] = field(default_factory=empty)

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Spec:
    """How the edges of one type onto one kind of cell are connected.

    model: NEST's name. parameters: ``(name, value)`` of all its edges; columns: ``(column, NEST's name)`` of those that
    differ from edge to edge; of_target: ``(NEST's name, parameter of the target cell)`` of those that the cell states.
    unit, native: of the stated weight and of NEST's. port: receptor type, 0 for the only one. named: the receptor's
    name and the model of the cells, where only NEST knows which port that is.
    inhibitory: on the inhibitory synapse of a cell that chooses by sign. plastic: weights change, so that one synapse
    of N times the weight is not N synapses.
    """

    model: str
    parameters: tuple[tuple[str, Any], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    of_target: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    native: str = ""
    port: int = 0
    named: tuple[str, str] | None = None
    inhibitory: bool = False
    signed: bool = False
    plastic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A projection.

    spec_of: number of the spec by (type row, group). group: of every row of the target population. names: further
    columns of its edges that are needed. of_target: parameter of the target cells -> float64, by row of the population.
    """

    projection: Projection
    specs: tuple[Spec, ...]
    spec_of: np.ndarray
    group: np.ndarray
    names: tuple[str, ...] = ()
    of_target: Mapping[str, np.ndarray] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Current:
    """A generator of NEST for cells of one population."""

    name: str
    population: str
    rows: np.ndarray
    model: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class CellCurrents:
    """A current that differs from cell to cell.

    offset, gain: float64[n] (nA); seeds: of the run, of its stimuli. lead: steps by which generators are set early.
    """

    name: str
    population: str
    rows: np.ndarray
    signal: Signal
    offset: np.ndarray
    gain: np.ndarray
    seeds: tuple[int, int]
    lead: int


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """Everything to build, in order.

    precise: spikes from outside keep their times between two steps; else they are moved to the next step.
    bombardments: rows of one of ``nodes`` each, weights in the unit of NEST's model.
    seed: of NEST's own random numbers. left_out: rows of cells that NEST does not have, a mask by population.
    inlets: populations of proxies, whose spikes come while the run goes on. notes: decisions, for the provenance.
    """

    network: Network
    duration: float
    timestep: float
    seed: int
    nodes: tuple[Nodes, ...]
    left_out: Mapping[str, np.ndarray]
    precise: bool = False
    feeds: tuple[Feed, ...] = ()
    bombardments: tuple[Bombardment, ...] = ()
    links: tuple[Link, ...] = ()
    currents: tuple[Current | CellCurrents, ...] = ()
    meters: tuple[Meter, ...] = ()
    inlets: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=empty)
