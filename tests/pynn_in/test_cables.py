"""PyNN's multicompartment cells: what they become, and what they do on NEURON, against pyNN.neuron."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, UnsupportedInput
from pynn_io.graph import ChannelDensity, MembraneProperty, ReversalPotential
from pynn_io.graph.validate import problems
from pynn_io.simulate import simulate
from tests.pynn_in.scripts import captured

pytest.importorskip("pyNN")
pytest.importorskip("neuroml")
pytest.importorskip("morphio")

SCRIPT = """
import pyNN.neuron as sim
from neuroml import Morphology, Segment, Point3DWithDiam as P
from pyNN.morphology import NeuroMLMorphology
from pyNN.parameters import IonicSpecies

sim.setup(timestep=0.01)
soma = Segment(name="soma", id=0, proximal=P(x=18.8, y=0, z=0, diameter=18.8), distal=P(x=0, y=0, z=0, diameter=18.8))
dendrite = Segment(name="dendrite", id=1, parent=soma,
                   proximal=P(x=0, y=0, z=0, diameter=2), distal=P(x=-500, y=0, z=0, diameter=2))
kind = sim.MultiCompartmentNeuron
kind.ion_channels = {"pas": sim.PassiveLeak, "na": sim.NaChannel, "kdr": sim.KdrChannel}
kind.post_synaptic_entities = {"AMPA": sim.CondExpPostSynapticResponse}
cell = kind(
    morphology=NeuroMLMorphology(Morphology(segments=(soma, dendrite))),
    cm=1.0,
    Ra=500.0,
    ionic_species={"na": IonicSpecies("na", reversal_potential=50.0), "k": IonicSpecies("k", reversal_potential=-77.0)},
    pas={"conductance_density": sim.morphology.uniform("all", 0.0003), "e_rev": -54.3},
    na={"conductance_density": sim.morphology.uniform("soma", 0.120)},
    kdr={"conductance_density": KDR},
    AMPA={"locations": sim.morphology.centre(sim.morphology.with_label("dendrite")), "e_syn": 0.0, "tau_syn": 2.0},
)
neurons = sim.Population(3, cell, initial_values={"v": -60.0}, label="n")
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[20.0]), label="s")
onto = sim.AllToAllConnector(location_selector="dendrite")
sim.Projection(source, neurons, onto, sim.StaticSynapse(weight=0.02, delay=1.0), receptor_type="AMPA", label="syn")
for row, amplitude in ((0, 0.15), (1, 0.18)):
    sim.DCSource(start=50, stop=150, amplitude=amplitude).inject_into(neurons[row:row + 1], location="soma")
neurons[2].inject(sim.DCSource(start=60, stop=150, amplitude=0.4), location="dendrite")
neurons.record("spikes")
neurons.record("v", locations=["soma", "dendrite"])
sim.run(200.0)
"""
UNIFORM = 'sim.morphology.uniform("soma", 0.036)'
#: What pyNN.neuron 0.13.0 gives for this script (NEURON 9.0.2, uniform density): spikes, ms, and the potential of the
#: soma of cell 0, mV, at some of its steps of 0.01 ms.
SPIKES = [
    [26.70, 52.01, 67.18, 82.14, 97.09, 112.03, 126.98, 141.92],
    [26.70, 51.80, 65.92, 79.73, 93.53, 107.32, 121.12, 134.91, 148.71],
    [26.70, 64.70],
]
POTENTIAL = {0: -60.0, 2000: -63.062, 2150: -62.986, 2300: -60.068, 5500: -72.902}


def test_channels_by_region(tmp_path: Path) -> None:
    document, report = captured(SCRIPT.replace("KDR", UNIFORM), tmp_path)
    network = document.network
    assert problems(network) == []
    decor = network.cells["n"].decor
    densities = {
        (paint.region, paint.item.channel): paint.item for paint in decor if isinstance(paint.item, ChannelDensity)
    }
    assert set(densities) == {("all", "pas"), ("soma", "hh")}
    # PyNN's S/cm2 are the graph's mS/cm2; parameters of a mechanism of NEURON stay in its own units
    assert densities["all", "pas"].density == pytest.approx(0.3)
    assert densities["all", "pas"].reversal == -54.3
    assert densities["soma", "hh"].parameters == {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0}
    properties = {paint.item.kind: paint.item.value for paint in decor if isinstance(paint.item, MembraneProperty)}
    assert properties == {"specific_capacitance": 1.0, "axial_resistivity": 500.0}
    reversals = {paint.item.ion: paint.item.value for paint in decor if isinstance(paint.item, ReversalPotential)}
    assert reversals == {"na": 50.0, "k": -77.0}
    plan = document.plan
    assert (plan.v_init, plan.celsius, plan.spike_threshold) == (-60.0, 6.3, 10.0)
    synapse = network.synapses["syn"]
    assert (synapse.model, synapse.parameters) == ("nrn:ExpSyn", {"tau": 2.0, "e": 0.0})
    assert not report.refusals()


@pytest.mark.slow
@pytest.mark.parametrize("density", [UNIFORM, "sim.morphology.by_distance(sim.morphology.soma(), lambda d: 0.036)"])
def test_cells_with_extent_fire_as_on_pynn_neuron(density: str, tmp_path: Path) -> None:
    """With a synapse and a current on the dendrite; the second density is one that PyNN 0.13 cannot run."""
    pytest.importorskip("neuron")
    document, _ = captured(SCRIPT.replace("KDR", density), tmp_path)
    results = simulate(document.network, document.plan, "neuron", report=Report())
    spikes = results.spikes["n"]
    for row, times in enumerate(SPIKES):
        np.testing.assert_allclose(spikes.times[spikes.node_ids == row], times, atol=0.025)
    traces = {trace.report: trace for trace in results.traces}
    for step, value in POTENTIAL.items():
        assert traces["n_v"].data[step, 0] == pytest.approx(value, abs=0.01)
    # the excitation begins on the dendrite
    assert traces["n_dendrite_v"].data[2150, 0] > traces["n_v"].data[2150, 0] + 5.0


def test_what_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInput, match="no part 'axon'"):
        captured(SCRIPT.replace("KDR", 'sim.morphology.uniform("axon", 0.036)'), tmp_path)
