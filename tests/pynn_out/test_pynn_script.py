"""PyNN scripts that are written: what they say, and that they give on PyNN's backends what our runners give."""

from __future__ import annotations

import ast
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn_io
from pynn_io.document import Document
from pynn_io.errors import RunError
from pynn_io.graph import CableCell, Column, Network, PointCell, Population, Synapse, text_column
from pynn_io.graph.stimuli import PoissonTrains, Stimulus
from pynn_io.report import Report
from pynn_io.simulate import simulate
from tests.models import ball_and_stick, table
from tests.runners.pynn_backends import compile_for_neuron, need, python
from tests.runners.standard_networks import network, plastic_inhibition


def written(document: Document, folder: Path) -> tuple[str, Any, Report]:
    report = pynn_io.write(document, folder, "pynn")
    text = (folder / "network.py").read_text()
    ast.parse(text)
    return text, np.load(folder / "network.npz"), report


def without_sine(document: Document) -> Document:
    stimuli = tuple(one for one in document.plan.stimuli if one.name != "sine")
    return replace(document, plan=replace(document.plan, stimuli=stimuli))


def test_text_and_data(tmp_path: Path) -> None:
    text, data, report = written(network("IF_cond_exp"), tmp_path / "out")
    assert 'cells = populations["cells"] = sim.Population(\n    12,\n    sim.IF_cond_exp(\n' in text
    assert "        tau_refrac=2.0,\n" in text and "        i_offset=0.3,\n" in text
    assert 'sim.SpikeSourceArray(spike_times=trains("sources"))' in text
    assert '"excitatory",\n    ["weight", "delay"],\n' in text and '"inhibitory",' in text
    assert "sim.DCSource(amplitude=0.4, start=50.0, stop=110.0).inject_into(cells)" in text
    sine = "sim.ACSource(amplitude=0.2, frequency=20.0, offset=0.0, phase=0.0, start=150.0, stop=250.0)"
    assert f'{sine}.inject_into(cells[data["current_2_cells"]])' in text
    assert 'cells.record(["v"], sampling_interval=0.1)' in text and "sim.run(300.0)" in text
    assert data["e_source"].shape == (240,) and data["current_2_cells"].tolist() == [0, 1, 2]
    assert len(data["sources_starts"]) == 29 and len(data["sources_times"]) > 1000
    assert report.codes() == {"default-parameter", "recording", "positions", "edge-order"}


@pytest.mark.slow
def test_potentials_of_delta_cells_on_nest(tmp_path: Path) -> None:
    """PyNN 0.13 does not know what NEST calls the potential of these cells, neither to record nor to start with."""
    need("nest")
    document = without_sine(network("IF_curr_delta"))
    written(document, tmp_path / "out")
    python("network.py", "nest", "results", cwd=tmp_path / "out")
    block = pickle.loads((tmp_path / "out/results/cells.pkl").read_bytes())
    (potentials,) = block.segments[0].analogsignals
    found = sorted(float(time) for train in block.segments[0].spiketrains for time in train)
    ours = simulate(document.network, document.plan, "nest").spikes["cells"].times
    assert potentials.shape[1] == 12 and len(ours) > 10
    np.testing.assert_allclose(found, np.sort(ours), atol=1e-6)


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    """NEST's native cells have a V_min of -inf."""
    net = network("IF_curr_exp").network
    cells = {**net.cells, "cells": PointCell("nest:iaf_chxk_2008", {"V_min": -np.inf, "C_m": 200.0})}
    text, _, _ = written(Document(replace(net, cells=cells)), tmp_path / "out")
    assert 'V_min=float("-inf")' in text and "C_m=200.0" in text


def test_what_is_the_same_for_all_edges_stands_in_the_text(tmp_path: Path) -> None:
    document = network("IF_curr_exp")
    net = document.network
    e = net.projections["e"]
    columns = e.edges.columns.updated({"weight": Column(0.25), "delay": Column(1.5)})
    e = replace(e, edges=replace(e.edges, columns=columns), types=e.types.updated({"synapse": text_column(["s"])}))
    stdp = Synapse("STDPMechanism", {"A_plus": 0.02, "w_max": 0.5})
    net = replace(net, projections={"e": e}, synapses={**net.synapses, "s": stdp})
    text, data, _ = written(replace(document, network=net), tmp_path / "out")
    assert "timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.02, A_minus=0.01)," in text
    assert "weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=0.5)," in text
    assert "        weight=0.25,\n        delay=1.5,\n" in text
    assert "e_weight" not in data


def test_plasticity_below_0_begins_within_its_bounds(tmp_path: Path) -> None:
    """NEST refuses PyNN's default weight of 0 there, whatever the weights that the connections then get."""
    document = plastic_inhibition()
    text, _, _ = written(document, tmp_path / "out")
    w_max = document.network.synapses["rule"].parameters["w_max"]
    assert f"w_max={w_max!r}),\n        dendritic_delay_fraction=1.0,\n        weight={w_max!r},\n" in text


def test_a_rate_stays_a_rate(tmp_path: Path) -> None:
    document = network("IF_cond_exp")
    rate = Stimulus("noise", PoissonTrains(20.0, 5.0), {"population": "sources"})
    text, _, _ = written(replace(document, plan=replace(document.plan, stimuli=(rate,))), tmp_path / "out")
    assert "sim.SpikeSourcePoisson(\n        rate=20.0,\n        start=5.0,\n        duration=10000000000.0,\n" in text


def test_a_network_without_a_plan_is_built_and_not_run(tmp_path: Path) -> None:
    text, _, _ = written(Document(network("IF_cond_exp").network), tmp_path / "out")
    assert "sim.Population(" in text and "sim.run(" not in text and ".record(" not in text


def test_losses_are_named(tmp_path: Path) -> None:
    document = network("IF_cond_exp")
    net = document.network
    odd = Population("odd", 2, table(1, cell=["cable"]))
    ids = replace(
        net.populations["cells"], table=net.populations["cells"].table.updated({"id": Column(np.arange(12) + 5)})
    )
    net = replace(
        net,
        populations={**net.populations, "cells": ids, "odd": odd},
        cells={**net.cells, "cable": CableCell("m")},
        morphologies={"m": ball_and_stick()},
        node_sets={"all": {"population": "cells"}},
    )
    _, _, report = written(Document(net), tmp_path / "out")
    assert {"cable-cell", "ids", "node-sets"} <= report.codes()
    with pytest.raises(RunError, match="a PyNN script has none of the cells"):
        pynn_io.write(Document(replace(net, populations={"odd": odd}, projections={})), tmp_path / "none", "pynn")


def test_names_that_are_no_names_of_python(tmp_path: Path) -> None:
    names = ['1 ex"c', "class", "sim", "ä", "ä "]
    populations = {name: Population(name, 1, table(1, cell=["c"])) for name in names}
    text, _, _ = written(Document(Network('a"b', populations, cells={"c": PointCell("Izhikevich")})), tmp_path / "out")
    made = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assign) and "Population" in ast.dump(node)
    ]
    assert len({node.targets[0].id for node in made}) == len(names)
    assert [node.value.keywords[-1].value.value for node in made] == names


def spikes(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """``(cells, times)`` of what a script wrote, sorted."""
    block = pickle.loads((folder / "cells.pkl").read_bytes())
    trains = (block if not isinstance(block, list) else block[0]).segments[0].spiketrains
    cells = np.concatenate([np.full(len(train), train.annotations["source_index"]) for train in trains])
    times = np.concatenate([np.asarray(train.rescale("ms").magnitude) for train in trains])
    order = np.lexsort((cells, np.round(times, 6)))
    return cells[order], times[order]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_cond_exp"])
def test_on_pynn_nest_it_gives_what_our_nest_gives(tmp_path: Path, model: str) -> None:
    need("nest")
    document = without_sine(network(model))
    written(document, tmp_path)
    python("network.py", "nest", "results", cwd=tmp_path)
    cells, times = spikes(tmp_path / "results")
    ours = simulate(document.network, document.plan, "nest").spikes["cells"]
    assert len(times) > 100
    assert cells.tolist() == ours.node_ids.tolist() and np.allclose(times, ours.times, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_on_pynn_neuron_it_gives_what_pynn_neuron_gives_here(tmp_path: Path) -> None:
    """Our own NEURON runner has other cells, which are bound to the steps as NEST's are: the same spikes to 0.2 ms."""
    compile_for_neuron()
    document = without_sine(network("IF_curr_exp"))
    written(document, tmp_path)
    python("network.py", "neuron", "results", cwd=tmp_path)
    cells, times = spikes(tmp_path / "results")
    by_pynn = simulate(document.network, document.plan, "pynn:neuron").spikes["cells"]
    assert cells.tolist() == by_pynn.node_ids.tolist() and np.allclose(times, by_pynn.times, rtol=0, atol=1e-6)
    ours = simulate(document.network, document.plan, "neuron").spikes["cells"]
    assert abs(len(ours.times) - len(times)) <= 0.02 * len(times)


def in_order(data: Any) -> dict[str, np.ndarray]:
    """The arrays, with connections sorted by target, then source: PyNN has an order of its own."""
    found = {name: data[name] for name in data}
    for label in ("e", "i"):
        order = np.lexsort((found[f"{label}_source"], found[f"{label}_target"]))
        found |= {name: found[name][order] for name in found if name.startswith(f"{label}_")}
    return found


def statements(text: str) -> list[str]:
    """The lines of a script but those with names that PyNN does not have: of the network, stimuli and reports."""
    return [line for line in text.splitlines()[1:] if not line.startswith("# ")]


@pytest.mark.slow
def test_what_is_read_back_is_written_again_and_runs_the_same(tmp_path: Path) -> None:
    need("nest")
    document = without_sine(network("IF_cond_exp"))
    placed = {
        name: replace(item, table=item.table.updated({axis: Column(np.arange(item.size) + 0.5) for axis in "xyz"}))
        for name, item in document.network.populations.items()
    }
    document = replace(document, network=replace(document.network, populations=placed))
    text, data, _ = written(document, tmp_path / "one")
    again = pynn_io.read(tmp_path / "one", format="pynn")
    second, same, _ = written(again, tmp_path / "two")
    assert statements(second) == statements(text)
    assert sorted(same) == sorted(data)
    one, other = in_order(data), in_order(same)
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []
    by_script = simulate(again.network, again.plan, "nest").spikes["cells"]
    ours = simulate(document.network, document.plan, "nest").spikes["cells"]
    assert len(ours.times) > 100
    assert by_script.node_ids.tolist() == ours.node_ids.tolist() and np.allclose(by_script.times, ours.times, atol=1e-9)


COMPOSED = """
import sys
import pyNN.nest as sim
sim.setup(timestep=0.1, min_delay=0.1)
receptors = {"fast": sim.AlphaPSR(tau_syn=1.0, e_syn=0.0), "slow": sim.AlphaPSR(tau_syn=15.0, e_syn=-90.0)}
cells = sim.Population(2, sim.PointNeuron(sim.AdExp(tau_m=10.0, v_spike=-40.0), **receptors), label="cells")
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 9.0]), label="source")
for name, weight in (("fast", 0.02), ("slow", 0.01)):
    synapse = sim.StaticSynapse(weight=weight, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=name, label=name)
cells.record("v")
sim.run(40.0)
if len(sys.argv) > 1:
    cells.write_data(sys.argv[1])
"""


@pytest.mark.slow
def test_cells_that_are_put_together_are_so_in_the_script(tmp_path: Path) -> None:
    """The script gives on pyNN.nest what the original gives there."""
    need("nest")
    original = tmp_path / "original.py"
    original.write_text(COMPOSED)
    written(pynn_io.read(original), tmp_path / "out")
    python("network.py", "nest", "results", cwd=tmp_path / "out")
    python(str(original), str(tmp_path / "original.pkl"))
    paths = (tmp_path / "original.pkl", tmp_path / "out" / "results" / "cells.pkl")
    ours, theirs = (np.asarray(pickle.loads(path.read_bytes()).segments[0].analogsignals[0]) for path in paths)
    np.testing.assert_array_equal(ours, theirs)
    assert np.ptp(ours, axis=0).min() > 0.5
