"""Networks for co-simulations, with what a single simulator makes of them as the oracle."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import CurrentPulses, PoissonTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.results import Results
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.runners.nets import table

STEP = 0.1
SIZES = {"a": 25, "b": 20, "c": 10}
_LEAKY = {"cm": 0.25, "tau_m": 15.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0, "tau_syn_E": 2.0}
_CELLS = {
    "IF_curr_exp": ({**_LEAKY, "tau_syn_I": 5.0, "tau_refrac": 2.0, "i_offset": 0.26}, "nA", 0.25, -0.3),
    "IF_cond_exp": (
        {**_LEAKY, "tau_syn_I": 5.0, "tau_refrac": 2.0, "i_offset": 0.26, "e_rev_E": 0.0, "e_rev_I": -75.0},
        "uS",
        0.004,
        0.01,
    ),
}


def recurrent(
    model: str = "IF_curr_exp",
    *,
    delays: tuple[float, float] = (0.2, 4.0),
    on_grid: bool = True,
    synapse: Synapse | None = None,
    sizes: dict[str, int] = SIZES,
    seed: int = 3,
    duration: float = 150.0,
) -> tuple[Network, SimulationPlan]:
    """Populations a, b, c of cells that differ, each projecting to each (c inhibits), and currents that differ.

    delays: least and greatest, ms; the least one is there. on_grid: whether they are multiples of the step.
    """
    random = np.random.default_rng(seed)
    parameters, unit, excite, inhibit = _CELLS[model]
    populations = {
        name: Population(
            name,
            size,
            table(1, cell=["cell"]),
            table=table(
                size,
                id=np.arange(size) * 3 + 5,
                parameters__v=random.uniform(-65.0, -50.0, size),
                parameters__tau_m=random.uniform(10.0, 20.0, size),
            ),
        )
        for name, size in sizes.items()
    }
    projections = {}
    for pre, post in product(sizes, sizes):
        receptor, weight = ("inhibitory", inhibit) if pre == "c" else ("excitatory", excite)
        size = 4 * sizes[post]
        delay = random.uniform(*delays, size)
        delay[0] = delays[0]
        edges = Edges(
            table(size, x=random.integers(0, sizes[pre], size))["x"],
            table(size, x=random.integers(0, sizes[post], size))["x"],
            table(
                size,
                weight=weight * random.uniform(0.5, 1.5, size),
                delay=np.round(np.round(delay / STEP) * STEP, 6) if on_grid else delay,
            ),
        )
        types = table(1, synapse=["synapse"], weight_unit=[unit], receptor=[receptor])
        projections[f"{pre}_{post}"] = Projection(f"{pre}_{post}", pre, post, types, edges)
    network = Network(
        populations=populations,
        projections=projections,
        cells={"cell": PointCell(model, parameters)},
        synapses={"synapse": synapse or Synapse("StaticSynapse")},
    )
    return network, _plan(duration, {"IF_curr_exp": 0.2, "IF_cond_exp": 0.004}[model])


def _plan(duration: float, weight: float) -> SimulationPlan:
    pulse = CurrentPulses(np.array([0.1]), np.array([20.0]), np.array([60.0]))
    return SimulationPlan(
        name="plan",
        duration=duration,
        timestep=STEP,
        seed=5,
        node_sets={"some": {"population": ["a", "c"], "node_id": [5, 8, 11, 14]}},
        stimuli=(
            Stimulus("only b", pulse, {"population": "b", "node_id": [5, 8]}),
            Stimulus("noise", PoissonTrains(60.0, weight=weight), "all"),
            Stimulus("some", pulse, "some"),
        ),
        recordings=(Recording("of all", "v", "all", interval=1.0), Recording("of some", "v", ["some"])),
    )


def assert_same(one: Results, other: Results, *, within: float = 0.0, of_traces: float = 0.0) -> None:
    """The same populations, spikes (times ``within`` ms) and traces (``of_traces`` mV), in the same order."""
    assert list(one.spikes) == list(other.spikes) and list(one.nodes) == list(other.nodes)
    for name, spikes in one.spikes.items():
        left, right = _in_order(spikes, within), _in_order(other.spikes[name], within)
        np.testing.assert_array_equal(left[0], right[0], err_msg=name)
        np.testing.assert_allclose(left[1], right[1], rtol=0, atol=within, err_msg=name)
        np.testing.assert_array_equal(one.nodes[name], other.nodes[name])
    assert [(item.report, item.population) for item in one.traces] == [
        (item.report, item.population) for item in other.traces
    ]
    for trace, same in zip(one.traces, other.traces, strict=True):
        assert trace.meaning == same.meaning
        np.testing.assert_array_equal(trace.node_ids, same.node_ids)
        np.testing.assert_allclose(trace.data, same.data, rtol=0, atol=of_traces)


def _in_order(spikes: Any, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Ids and times; in an order that the last digits of times do not decide, where these may differ."""
    times = np.round(spikes.times, 3) if within else spikes.times
    order = np.lexsort((spikes.node_ids, times))
    return spikes.node_ids[order], spikes.times[order]


def split(network: Network, name: str, first: np.ndarray) -> Network:
    """The network with one population as two, ``NAME_1`` (the rows that are true) and ``NAME_2``; ids stay."""
    rows = {f"{name}_1": np.flatnonzero(first), f"{name}_2": np.flatnonzero(~first)}
    populations: dict[str, Population] = {}
    for key, population in network.populations.items():
        if key == name:
            populations |= {new: _taken(population, new, own) for new, own in rows.items()}
        else:
            populations[key] = population
    projections = {}
    for item in network.projections.values():
        for pre, post in product(*([*rows] if end == name else [end] for end in (item.pre, item.post))):
            part = _between(item, pre, post, rows, network)
            projections[part.name] = part
    return replace(network, populations=populations, projections=projections)


def _taken(population: Population, name: str, rows: np.ndarray) -> Population:
    index = population.type_index.take(rows, population.size)
    own = population.table.take(rows).updated({"id": Column(population.ids()[rows])})
    return replace(population, name=name, size=len(rows), type_index=index, table=own)


def _between(item: Projection, pre: str, post: str, rows: dict[str, np.ndarray], network: Network) -> Projection:
    """The edges of a projection between two of the new populations, under their row numbers."""
    ends, keep = [], np.ones(item.size, dtype=bool)
    for end, old, column in ((pre, item.pre, item.edges.source), (post, item.post, item.edges.target)):
        numbers = np.arange(network.populations[old].size)
        if end in rows:
            numbers = np.full(network.populations[old].size, -1)
            numbers[rows[end]] = np.arange(len(rows[end]))
        ends.append(numbers[column.read(item.size)])
        keep &= ends[-1] >= 0
    kept = np.flatnonzero(keep)
    source, target = (table(len(kept), x=end[kept])["x"] for end in ends)
    edges = Edges(source, target, item.edges.columns.take(kept))
    index = item.type_index.take(kept, item.size)
    name = f"{item.name}:{pre}:{post}"
    return replace(item, name=name, pre=pre, post=post, edges=edges, type_index=index)
