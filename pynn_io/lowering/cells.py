"""Populations as parts of one definition, and which of their cells run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.graph.cells import Cell, SpikeSource
from pynn_io.graph.columns import EMPTY
from pynn_io.graph.network import Network, Population
from pynn_io.graph.node_sets import NodeSet, resolve
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.stimuli import Stimulus, Targets
from pynn_io.simulation_plan import SimulationPlan

#: Model of a source that stands for cells of another process: its spikes come while the run goes on.
PROXY = "pynn_io:proxy"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The cells of a population that have one definition, so that one call of a simulator can make them all.

    type_row: row of `Population.types`. rows: int64, ascending, their ROWS in the population. parameters: what the
    definition states, overridden by per-cell columns (``parameters:NAME``): a scalar, or an array with one row a cell,
    masked where neither level states the value. Nothing is filled in.
    """

    population: str
    type_row: int
    cell_name: str
    cell: Cell
    rows: np.ndarray
    parameters: Mapping[str, Any]

    @property
    def size(self) -> int:
        return len(self.rows)


def parts(population: Population, network: Network, rows: np.ndarray | None = None) -> tuple[Part, ...]:
    """The parts of a population, one a type row that has cells. rows: only these cells (ascending ROWS)."""
    rows = np.arange(population.size, dtype=np.int64) if rows is None else rows
    types = population.type_index.read(population.size)[rows]
    own = _cell_parameters(population)
    found = []
    for row, name in enumerate(population.cells):
        mine = rows[types == row]
        if len(mine):
            cell = network.cells[name]
            stated = getattr(cell, "parameters", EMPTY)
            overridden = {key: _overridden(values, mine, stated.get(key)) for key, values in own.items()}
            found.append(Part(population.name, row, name, cell, mine, {**stated, **overridden}))
    return tuple(found)


def _cell_parameters(population: Population) -> dict[str, Any]:
    """The per-cell columns: a scalar, or all rows of an array, strings as strings."""
    found = {}
    for name in dict.fromkeys([*population.types, *population.table]):
        if not name.startswith(PARAMETER):
            continue
        column = population.column(name)
        if column is not None:
            scalar = column.is_scalar
            found[name.removeprefix(PARAMETER)] = column.value if scalar else column.values(population.size)
    return found


def _overridden(values: Any, rows: np.ndarray, beneath: Any) -> Any:
    """The values of some rows, the definition's where the column states none; a scalar where it states none at all."""
    if not isinstance(values, np.ndarray):
        return values
    values = values[rows]
    mask = np.ma.getmaskarray(values)
    if not mask.any():
        return np.ma.getdata(values)
    if beneath is None:
        return values
    return beneath if mask.all() else np.where(mask, beneath, np.ma.getdata(values))


def simulated(network: Network, plan: SimulationPlan) -> dict[str, np.ndarray]:
    """The ROWS of the cells that run (int64, ascending), by population; sources are always there.

    A plan may name a node set that is simulated (OBI ``node_set``). The others are then absent with their synapses;
    virtual nodes are no cells and stay, whatever the set is.
    """
    everything = {name: np.arange(pop.size, dtype=np.int64) for name, pop in network.populations.items()}
    if plan.node_set is None:
        return everything
    chosen = resolve(plan.node_set, network, {**network.node_sets, **plan.node_sets})
    none = np.empty(0, dtype=np.int64)
    return {
        name: np.union1d(chosen.get(name, none), np.flatnonzero(sources(network.populations[name], network)))
        for name in everything
    }


def targets(node_set: NodeSet, network: Network, plan: SimulationPlan) -> dict[str, np.ndarray]:
    """The ROWS of the cells of a node set that are simulated, by population (int64, ascending); none are left out.

    Raises GraphError as `pynn_io.graph.node_sets.resolve` does.
    """
    found = resolve(node_set, network, {**network.node_sets, **plan.node_sets})
    if plan.node_set is not None:
        present = simulated(network, plan)
        found = {name: np.intersect1d(rows, present[name], assume_unique=True) for name, rows in found.items()}
    return {name: rows for name, rows in found.items() if len(rows)}


def targets_of(stimulus: Stimulus, network: Network, plan: SimulationPlan) -> Iterator[Targets]:
    """Whom a stimulus reaches: its own targets, or the cells of its node set."""
    if stimulus.targets is not None:
        yield stimulus.targets
        return
    for population, rows in targets(stimulus.node_set, network, plan).items():
        yield Targets(population, rows)


def rows_of(population: Population, ids: np.ndarray) -> np.ndarray:
    """The ROW of every id of the population's ``id`` column, int64; -1 where there is none of that id."""
    own = population.ids()
    if not len(own):
        return np.full(len(ids), -1, dtype=np.int64)
    order = np.argsort(own, kind="stable")
    place = np.minimum(np.searchsorted(own, ids, sorter=order), len(own) - 1)
    rows = order[place]
    return np.where(own[rows] == ids, rows, -1).astype(np.int64, copy=False)


def is_proxy(population: Population, network: Network) -> bool:
    """Whether the population stands for cells that another process simulates; it does so as a whole."""
    cells = (network.cells[name] for name in population.cells)
    return any(isinstance(cell, SpikeSource) and cell.model == PROXY for cell in cells)


def sources(population: Population, network: Network) -> np.ndarray:
    """Whether each cell of the population is a source of spikes, bool."""
    of_type = np.array([isinstance(network.cells[name], SpikeSource) for name in population.cells], dtype=bool)
    if not len(of_type):
        return np.zeros(population.size, dtype=bool)
    return of_type[population.type_index.read(population.size)]
