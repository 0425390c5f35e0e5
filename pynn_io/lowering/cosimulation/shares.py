"""The network of each part of a co-simulation, and (`plans`) its plan.

A part has all populations, under their names and in their order, so that rows, node sets, and random numbers that
depend on them are the whole network's. Those of other parts are proxies: sources whose spikes come while the run goes
on. Sources fire in every part. Of the projections a part has those onto its own populations; the ones that cross are
shorter by the lead (`epochs`), since their proxies fire so much later than their cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pynn_io.formats.sonata_rows import Mapped
from pynn_io.graph.cells import Cell, Origin, SpikeSource
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.node_sets import DERIVED, attribute
from pynn_io.lowering.cells import PROXY
from pynn_io.lowering.cosimulation.crossings import crossings
from pynn_io.lowering.cosimulation.plans import plan_of
from pynn_io.simulation_plan import SimulationPlan

#: Decimals of a delay (ms): what is left of 1.15 - 0.5 is 0.65.
_DECIMALS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One part. own: populations that it simulates; inlets: whose spikes it is sent; outlets: whose it sends.

    lead: how much later than their cells its proxies fire, ms.
    """

    lead: float
    own: tuple[str, ...]
    inlets: tuple[str, ...]
    outlets: tuple[str, ...]
    network: Network
    plan: SimulationPlan


def shares(
    network: Network, plan: SimulationPlan, home: Mapping[str, int], leads: Sequence[float]
) -> tuple[Share, ...]:
    """The parts of a network. home: number of the part that runs each population. leads: of each part, ms."""
    crossing = crossings(network, home)
    found = []
    for number, lead in enumerate(leads):
        own = tuple(name for name in home if home[name] == number)
        inlets = dict.fromkeys(item.pre for item in crossing if home[item.post] == number)
        outlets = dict.fromkeys(item.pre for item in crossing if home[item.pre] == number)
        others = set(home).difference(own)
        part = _network(network, own, others, lead)
        found.append(Share(lead, own, tuple(inlets), tuple(outlets), part, plan_of(plan, network, own, others, lead)))
    return tuple(found)


def _network(network: Network, own: tuple[str, ...], others: set[str], lead: float) -> Network:
    cells: dict[str, Cell] = dict(network.cells)
    populations = {}
    for name, population in network.populations.items():
        populations[name] = _proxy(population, cells) if name in others else population
    projections = {
        name: _shortened(item, lead) if item.pre in others and lead else item
        for name, item in network.projections.items()
        if item.post in own
    }
    return replace(network, populations=populations, projections=projections, cells=cells)


def _proxy(population: Population, cells: dict[str, Cell]) -> Population:
    """The population as sources that keep its columns; adds their definitions to ``cells``.

    What node sets may ask of a definition stays: a proxy answers as its cell does.
    """
    names = []
    for name in population.cells:
        proxy = f"proxy of {name}"
        answers = {key: answer for key in DERIVED if (answer := attribute(cells[name], key)) is not None}
        origin = cells[name].origin
        cells[proxy] = SpikeSource(PROXY, origin=Origin({**(origin.names if origin else {}), **answers}))
        names.append(proxy)
    return replace(population, types=population.types.updated({"cell": text_column(names)}))


def _shortened(item: Projection, lead: float) -> Projection:
    """The projection with all its delays less by the lead (ms), where types and edges state them."""
    types, columns = item.types, item.edges.columns
    if "delay" in types:
        types = types.updated({"delay": _less(types["delay"], lead)})
    if "delay" in columns:
        columns = columns.updated({"delay": _less(columns["delay"], lead)})
    return replace(item, types=types, edges=replace(item.edges, columns=columns))


def _less(column: Column, lead: float) -> Column:
    if column.is_lazy:
        return column.with_data(Mapped(column.data, np.dtype(np.float64), partial(_subtract, lead)))
    return column.with_data(_subtract(lead, column.data))


def _subtract(lead: float, values: np.ndarray, _: int = 0) -> np.ndarray:
    return np.round(np.ma.asanyarray(values).astype(np.float64) - lead, _DECIMALS)
