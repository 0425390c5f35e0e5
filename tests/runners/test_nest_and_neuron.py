"""The same network and plan on both simulators: two recurrent networks of PyNN's standard cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pynn_io.graph.network import Network
from pynn_io.results import Results
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.runners.nest_script import run_script
from tests.runners.nets import conductance_network, current_network

pytest.importorskip("nest")
pytest.importorskip("neuron")


def aligned(results: Results, name: str) -> tuple[np.ndarray, np.ndarray]:
    """``(ids, times)`` in an order that the last digits of times do not decide."""
    spikes = results.spikes[name]
    order = np.lexsort((spikes.node_ids, np.round(spikes.times, 3)))
    return spikes.node_ids[order], spikes.times[order]


@pytest.mark.parametrize(("make", "counts"), [(conductance_network, (495, 397)), (current_network, (384, 310))])
def test_both_give_the_same_spikes(make: Callable[[], tuple[Network, SimulationPlan]], counts: tuple[int, int]) -> None:
    """Both hold inputs and outputs on the steps, so that nothing but rounding is left between them."""
    network, plan = make()
    nest, neuron = (simulate(network, plan, backend) for backend in ("nest", "neuron"))
    assert tuple(len(nest.spikes[name].times) for name in ("exc", "inh")) == counts
    for name in ("exc", "inh"):
        (ids, times), (other_ids, other_times) = aligned(nest, name), aligned(neuron, name)
        np.testing.assert_array_equal(ids, other_ids)
        np.testing.assert_allclose(times, other_times, rtol=0, atol=1e-6)
    (trace,), (other,) = nest.traces, neuron.traces
    assert trace.data.shape == other.data.shape and np.array_equal(trace.node_ids, other.node_ids)
    assert np.abs(trace.data - other.data).max() < 1e-6  # measured: 1.6e-9 and 9e-13 mV


_BY_HAND = """
sys.path.insert(0, {root!r})
from tests.runners.nets import conductance_network  # the edges and trains, as arrays
network, plan = conductance_network()
nest.resolution = 0.1
values = dict(C_m=250.0, t_ref=2.0, E_L=-65.0, V_reset=-65.0, V_th=-50.0, tau_syn_ex=2.0, tau_syn_in=5.0, E_ex=0.0,
              E_in=-75.0, I_e=100.0)
exc = nest.Create("iaf_cond_exp", 80, values | dict(g_L=250.0 / 15.0))
inh = nest.Create("iaf_cond_exp", 20, values | dict(V_m=-65.0))
exc.V_m = network.populations["exc"].table.read("parameters:v").tolist()
inh.g_L = (250.0 / network.populations["inh"].table.read("parameters:tau_m")).tolist()
trains = plan.stimuli[0].what
sources = nest.Create("spike_generator", 100)
for node in range(100):
    sources[node].spike_times = trains.times[trains.node_ids == node].tolist()
first = dict(input=sources[0].global_id, exc=exc[0].global_id, inh=inh[0].global_id)
for p in network.projections.values():
    weight = p.edges.columns.read("weight") * 1000.0 * (-1 if p.pre == "inh" else 1)
    nest.Connect(p.edges.source.data + first[p.pre], p.edges.target.data + first[p.post], "one_to_one",
                 dict(synapse_model="static_synapse", weight=weight, delay=p.edges.columns.read("delay")))
recorder = nest.Create("spike_recorder")
nest.Connect(exc, recorder)
nest.Simulate(500.0)
events = recorder.events
order = np.lexsort((events["senders"], np.round(events["times"], 3)))
result = [(events["senders"] - first["exc"])[order], events["times"][order]]
"""


def test_nest_gives_what_a_script_gives(tmp_path, pytestconfig) -> None:
    """Units, signs, per-cell values and initial potentials, converted by hand in the script."""
    network, plan = conductance_network()
    ids, times = aligned(simulate(network, plan, "nest"), "exc")
    by_hand = run_script(_BY_HAND.format(root=str(pytestconfig.rootpath)), tmp_path)
    np.testing.assert_array_equal(ids, np.array(by_hand[0], dtype=int))
    np.testing.assert_allclose(times, by_hand[1], rtol=0, atol=1e-9)
