"""Parts, used weights, node sets and trains, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import ArrayChunks, Column, Table, text_column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import edge_blocks, parts, rows_of, simulated, targets, trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan


def population() -> Population:
    """Five cells of two types, ids 10 .. 14 out of order; two cells state a tau of their own, all a v_rest."""
    types = Table(2, {"cell": text_column(["slow", "fast"]), "parameters:cm": Column(0.25)})
    table = Table(
        5,
        {
            "id": Column(np.array([12, 10, 14, 11, 13])),
            "parameters:tau_m": Column(np.ma.array([9.0, 0.0, 7.0, 0.0, 0.0], mask=[0, 1, 0, 1, 1])),
            "parameters:v_rest": Column(np.arange(-65.0, -60.0)),
        },
    )
    return Population("cells", 5, types, Column(np.array([0, 1, 0, 0, 1])), table)


def network(**more: object) -> Network:
    cells = {"slow": PointCell("IF_cond_exp", {"tau_m": 20.0}), "fast": PointCell("IF_cond_exp"), "s": SpikeSource()}
    source = Population("in", 3, Table(1, {"cell": text_column(["s"])}))
    return Network(populations={"cells": population(), "in": source}, cells=cells, **more)


def plan(*stimuli: Stimulus, **more: object) -> SimulationPlan:
    return SimulationPlan(duration=1000.0, stimuli=stimuli, **more)


def test_one_part_a_type_with_per_cell_values_as_arrays() -> None:
    slow, fast = parts(population(), network())
    assert (slow.cell_name, slow.rows.tolist()) == ("slow", [0, 2, 3])
    assert slow.parameters["tau_m"].tolist() == [9.0, 7.0, 20.0]
    assert slow.parameters["v_rest"].tolist() == [-65.0, -63.0, -62.0]
    assert slow.parameters["cm"] == 0.25
    assert fast.rows.tolist() == [1, 4]
    assert np.ma.getmaskarray(fast.parameters["tau_m"]).all()


def test_parts_of_some_cells() -> None:
    (slow,) = parts(population(), network(), np.array([2, 3]))
    assert slow.rows.tolist() == [2, 3] and slow.parameters["tau_m"].tolist() == [7.0, 20.0]


def test_rows_of_unsorted_ids() -> None:
    assert rows_of(population(), np.array([14, 9, 10, 15, 12])).tolist() == [2, -1, 1, -1, 0]


@pytest.mark.parametrize("lazy", [False, True])
def test_edges_come_with_used_weights_stated_delays_and_bounded_blocks(lazy: bool) -> None:
    types = Table(
        2,
        {
            "synapse": text_column(["e", "i"]),
            "weight": Column(np.array([2.0, 3.0])),
            "weight_unit": text_column(["pA", "pA"]),
            "delay": Column(np.ma.array([1.5, 0.0], mask=[False, True])),
        },
    )
    kind, nsyns = np.array([0, 1, 1, 0]), np.array([1, 2, 3, 0])
    wrap = (lambda data: Column(ArrayChunks(data))) if lazy else Column
    columns = Table(4, {"nsyns": wrap(nsyns)})
    edges = Edges(wrap(np.array([0, 1, 2, 0])), wrap(np.array([4, 3, 2, 1])), columns)
    net = network(synapses={"e": Synapse("static"), "i": Synapse("static", {"sign": -1})})
    blocks = list(edge_blocks(Projection("p", "in", "cells", types, edges, wrap(kind)), net, Report(), block=3))
    assert [block.size for block in blocks] == [3, 1]
    assert np.concatenate([block.weight for block in blocks]).tolist() == [2.0, -3.0, -3.0, 2.0]
    assert np.concatenate([block.nsyns for block in blocks]).tolist() == [1, 2, 3, 0]
    assert np.isnan(np.concatenate([block.delay for block in blocks])).tolist() == [False, True, True, False]
    assert blocks[0].target.tolist() == [4, 3, 2] and blocks[1].source.tolist() == [0]


def test_a_plan_may_simulate_some_cells_and_keeps_sources() -> None:
    some = plan(node_set={"population": "cells", "node_id": [10, 14]})
    present = simulated(network(), some)
    assert present["cells"].tolist() == [1, 2] and present["in"].tolist() == [0, 1, 2]
    assert targets({"population": "cells", "node_id": [10, 11]}, network(), some)["cells"].tolist() == [1]
    assert targets({"population": "cells", "node_id": [11]}, network(), some) == {}


def test_trains_of_several_stimuli_add_up_by_row_and_time() -> None:
    first = Stimulus("a", SpikeTrains("in", np.array([2, 0]), np.array([5.0, 9.0])), "in")
    second = Stimulus("b", SpikeTrains("in", np.array([0]), np.array([3.0])), "in")
    found = trains(plan(first, second), network(), Report())["in"]
    assert found.rows.tolist() == [0, 0, 2] and found.times.tolist() == [3.0, 9.0, 5.0]
    assert [(row, times.tolist()) for row, times in found.split()] == [(0, [3.0, 9.0]), (2, [5.0])]


def test_spikes_of_cells_and_of_unknown_nodes() -> None:
    report = Report()
    given = Stimulus("a", SpikeTrains("cells", np.array([10]), np.array([5.0])), "cells")
    assert trains(plan(given), network(), report) == {}
    assert report.codes() == {"spikes-of-cells"}
    with pytest.raises(PlanError, match="no node 7"):
        trains(plan(Stimulus("a", SpikeTrains("in", np.array([7]), np.array([5.0])), "in")), network(), report)
    with pytest.raises(PlanError, match="there is no population 'out'"):
        trains(plan(Stimulus("a", SpikeTrains("out", np.array([7]), np.array([5.0])), "out")), network(), report)


def test_poisson_trains_have_rate_and_window_and_repeat() -> None:
    stated = Stimulus("noise", PoissonTrains(500.0, delay=200.0, duration=600.0), "in")
    first = trains(plan(stated, seed=3), network(), report := Report())["in"]
    again = trains(plan(stated, seed=3), network(), Report())["in"]
    other = trains(plan(stated, seed=4), network(), Report())["in"]
    assert len(report) == 0 and np.array_equal(first.times, again.times)
    assert not np.array_equal(first.times, other.times)
    # 3 trains of 0.6 s at 500 Hz: 900 +- 30
    assert abs(len(first.times) - 900) < 120
    assert first.times.min() > 200.0 and first.times.max() <= 800.0
    trains(plan(stated), network(), report)
    assert report.codes() == {"default-seed"}


def test_sources_may_state_their_own_trains() -> None:
    own = SpikeSource(parameters={"spike_times": [1.0, 4.0]})
    source = Population("in", 2, Table(1, {"cell": text_column(["s"])}))
    found = trains(plan(), Network(populations={"in": source}, cells={"s": own}), Report())["in"]
    assert found.rows.tolist() == [0, 0, 1, 1] and found.times.tolist() == [1.0, 4.0, 1.0, 4.0]
