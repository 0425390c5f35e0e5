"""PyNN's ``PointNeuron`` with receptors of its own on PyNN's backends, against a script of PyNN by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse, Table
from pynn_io.graph import text_column as text
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.lowering.pynn import connections, lower, target_of
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.runners.pynn_backends import need, python, run_cases

TAUS = {"AMPA": 1.0, "NMDA": 20.0, "GABAA": 1.5}
REVERSALS = {"AMPA": 0.0, "NMDA": 0.0, "GABAA": -70.0}
WEIGHTS = {"AMPA": 0.05, "NMDA": 0.005, "GABAA": 0.1}
TRAINS = ([30.0, 33.0], [10.0], [50.0])
BY_HAND = f"""
import sys
import numpy as np
import pyNN.nest as sim
from pyNN.parameters import Sequence
sim.setup(timestep=0.1, min_delay=0.1, spike_precision="on_grid")
receptors = {{name: sim.AlphaPSR(tau_syn={TAUS!r}[name], e_syn={REVERSALS!r}[name]) for name in {list(TAUS)!r}}}
neuron = sim.PointNeuron(sim.AdExp(tau_m=10.0, v_rest=-60.0), **receptors)
cells = sim.Population(2, neuron, initial_values={{"v": -60.0}})
cells.record(["v", "spikes"])
trains = [Sequence(times) for times in {TRAINS!r}]
sources = sim.Population(3, sim.SpikeSourceArray(spike_times=trains))
for row, (name, weight) in enumerate({WEIGHTS!r}.items()):
    synapse = sim.StaticSynapse(weight=weight, delay=1.5)
    sim.Projection(sources[row:row + 1], cells, sim.AllToAllConnector(), synapse, receptor_type=name)
sim.run(80.0)
found = cells.get_data().segments[0]
np.savez(sys.argv[1], v=found.analogsignals[0].magnitude, t=np.concatenate([t.magnitude for t in found.spiketrains]))
"""


def document(*receptors: str) -> Document:
    """Two cells; a source for each receptor."""
    parameters = {"neuron": "AdExp", "tau_m": 10.0, "v_rest": -60.0, "v": -60.0}
    for name in TAUS:
        parameters |= {name: "CondAlphaPostSynapticResponse"}
        parameters |= {f"{name}.tau_syn": TAUS[name], f"{name}.e_syn": REVERSALS[name]}
    types = {"synapse": text(["static"] * 3), "weight_unit": text(["uS"] * 3), "receptor": text(receptors)}
    types |= {"weight": Column(np.array(list(WEIGHTS.values())))}
    rows = np.repeat(np.arange(3), 2)
    edges = Edges(Column(rows), Column(np.tile(np.arange(2), 3)), Table(6, {"delay": Column(1.5)}))
    populations = {
        name: Population(name, size, Table(1, {"cell": text([name])})) for name, size in (("cells", 2), ("sources", 3))
    }
    network = Network(
        "composed",
        populations=populations,
        projections={"all": Projection("all", "sources", "cells", Table(3, types), edges, Column(rows))},
        cells={"cells": PointCell("PointNeuron", parameters), "sources": SpikeSource()},
        synapses={"static": Synapse("StaticSynapse")},
    )
    ids = np.repeat(np.arange(3), [len(times) for times in TRAINS])
    stimulus = Stimulus("in", SpikeTrains("sources", ids, np.concatenate(TRAINS)), {"population": "sources"})
    recording = Recording("v", "v", {"population": "cells"}, interval=0.1)
    plan = SimulationPlan("composed", duration=80.0, timestep=0.1, stimuli=(stimulus,), recordings=(recording,))
    return Document(network, plan)


@pytest.mark.slow
def test_receptors_of_its_own_do_what_they_do_by_hand(tmp_path: Path) -> None:
    need("nest")
    ours, _ = run_cases("pyNN.nest", {"composed": document(*TAUS)}, tmp_path)["composed"]
    assert not isinstance(ours, str), ours
    (tmp_path / "by_hand.py").write_text(BY_HAND)
    python(str(tmp_path / "by_hand.py"), str(tmp_path / "by_hand.npz"))
    theirs = np.load(tmp_path / "by_hand.npz")
    results = ours[0]
    assert np.ptp(theirs["v"]) > 20.0 and len(theirs["t"]) > 2
    np.testing.assert_array_equal(results.traces[0].data, theirs["v"][:800])
    np.testing.assert_allclose(np.sort(results.spikes["cells"].times), np.sort(theirs["t"]), atol=1e-9)


def test_a_receptor_that_the_cells_have_not_is_reported() -> None:
    made, report = document("AMPA", "excitatory", "GABAB"), Report()
    lowered = lower(made.network, made.plan, target_of("neuron"), report)
    (cells,) = (item for item in lowered.network.cells if not item.is_source)
    assert (cells.receptors, cells.weight_unit) == (("AMPA", "GABAA", "NMDA"), "uS")
    assert cells.initial == {"v": -60.0} and cells.parameters["NMDA.tau_syn"] == 20.0
    (edges,) = connections(lowered.network, report)
    assert (edges.receptor, edges.columns["weight"].tolist()) == ("AMPA", [0.05, 0.05])
    (lost,) = report.of_kind(Kind.LOST)
    assert (lost.code, lost.where, lost.count) == ("receptor", "projection all", 4)


def test_gap_junctions_between_them_are_lost_by_name() -> None:
    made, report = document(*TAUS), Report()
    projection = replace(made.network.projections["all"], kind="electrical")
    network = replace(made.network, projections={"all": projection})
    assert not list(connections(lower(network, made.plan, target_of("neuron"), Report()).network, report))
    (lost,) = report.of_kind(Kind.LOST)
    assert (lost.where, lost.count) == ("projection all", 6)
    assert lost.message == "PyNN 0.13 has no gap junctions between cells without extent; they are left out."


def test_refractory_times_that_differ_are_populations_of_their_own_on_brian2() -> None:
    """PyNN's Brian2 has one for a population."""
    made = document(*TAUS)
    cells = made.network.populations["cells"]
    stated = {"tau_refrac": [1.0, 2.0], "tau_m": [9.0, 8.0]}
    table = Table(2, {f"parameters:{name}": Column(np.array(values)) for name, values in stated.items()})
    populations = {**made.network.populations, "cells": replace(cells, table=table)}
    models = {**made.network.cells, "cells": PointCell("IF_cond_exp")}
    one = replace(made.network, populations=populations, cells=models)
    lowered = lower(one, made.plan, target_of("brian2"), Report()).network.of("cells")
    found = [(item.rows.tolist(), item.parameters["tau_refrac"], item.parameters["tau_m"].tolist()) for item in lowered]
    assert found == [([0], 1.0, [9.0]), ([1], 2.0, [8.0])]
