"""MOOSE against cable theory, exponentials by hand, and NEURON, on the same models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, PlanError
from pynn_io.graph import Edges, Network, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.biophysics import ChannelDensity, MembraneProperty, Opaque, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.stimuli import CurrentPulses, SpikeTrains, Stimulus
from pynn_io.pipeline import read
from pynn_io.registry import BACKENDS
from pynn_io.report import Kind, Report
from pynn_io.runners.moose import MooseRunner
from pynn_io.runners.moose.build import load
from pynn_io.runners.moose.wiring import wire
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import MODELS, table

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
SINGLE = DATA / "hh_singleap" / "Tutorial" / "Source" / "LEMS_HH_SingleAP.xml"
TUTORIAL = DATA / "hh_tutorial" / "Tutorial" / "Source" / "LEMS_HH_Simulation.xml"
ALLEN = DATA / "allen_472450023" / "CellTypesDatabase" / "models" / "NeuroML2" / "LEMS_472450023.xml"
needs_moose = pytest.mark.skipif(not BACKENDS["moose"].is_installed(), reason="pymoose is not installed")
PASSIVE = (
    Paint("all", ChannelDensity("pas", 0.25, "non_specific", -70.0)),
    Paint("soma", MembraneProperty("specific_capacitance", 1.0)),
    Paint("dend", MembraneProperty("specific_capacitance", 2.125)),
    Paint("all", MembraneProperty("axial_resistivity", 138.25)),
)


def driven() -> Network:
    """Two passive cells of a ball and sticks, the second one with two synapses from a source and one from the first."""
    network = MODELS["cable"]().network
    (cell,) = network.cells.values()
    assert isinstance(cell, CableCell)
    source = Population("in", 1, table(1, cell=["in"]))
    plain = {"weight_unit": ["uS"], "delay": [1.5]}
    types = table(1, synapse=["ampa"], **plain)
    own = table(2, weight=[0.002, 0.001], afferent_section_id=[1, 0], afferent_section_pos=[0.7, 0.5])
    ends = Edges(Column(np.array([0, 0])), Column(np.array([1, 1])), own)
    single = table(1, weight=[0.001], afferent_section_id=[2], afferent_section_pos=[0.5])
    forward = Edges(Column(np.array([0])), Column(np.array([1])), single)
    return replace(
        network,
        populations={**network.populations, "in": source},
        projections={
            "in_to_bio": Projection("in_to_bio", "in", "bio", types, ends),
            "bio_to_bio": Projection("bio_to_bio", "bio", "bio", table(1, synapse=["gaba"], **plain), forward),
        },
        cells={"bio_100": replace(cell, decor=PASSIVE, processing=()), "in": SpikeSource()},
        synapses={
            "ampa": Synapse("nrn:Exp2Syn", {"tau1": 1.0, "tau2": 3.0, "erev": 0.0}),
            "gaba": Synapse("nrn:ExpSyn", {"tau": 5.0, "e": -60.0}),
        },
        channels={"pas": Opaque("nmodl", "pas")},
    )


PLAN = SimulationPlan(
    duration=40.0,
    timestep=0.005,
    v_init=-70.0,
    celsius=34.0,
    spike_threshold=-69.0,
    section_length=10.0,
    stimuli=(
        Stimulus(
            "pulse",
            CurrentPulses(np.array([0.05]), np.array([5.0]), np.array([20.0])),
            {"population": "bio", "node_id": [0]},
        ),
        Stimulus("spikes", SpikeTrains("in", np.array([0, 0, 0]), np.array([5.0, 25.0, 27.01])), "in"),
    ),
    recordings=(Recording("v", "v", "bio", sections="all", compartments="all", interval=0.5),),
)


@needs_moose
def test_a_passive_tree_with_a_current_and_synapses_is_as_on_neuron():
    """Every compartment of both cells at all times: within what the two orders of their steps (0.005 ms) make of a
    synapse that charges the membrane by 13 mV a ms."""
    pytest.importorskip("neuron")
    results = {name: simulate(driven(), PLAN, name) for name in ("neuron", "moose")}
    here, there = (each.traces[0] for each in results.values())
    assert here.data.shape == there.data.shape
    assert np.array_equal(here.section_ids, there.section_ids) and np.allclose(here.section_pos, there.section_pos)
    for column in range(here.data.shape[1]):
        assert np.ptp(there.data[:, column]) > 0.5
    apart = np.abs(here.data - there.data).max(axis=0)
    assert apart[here.node_ids == 0].max() < 0.005 and apart.max() < 0.1
    spikes = [each.spikes["bio"] for each in results.values()]
    assert len(spikes[0].times) >= 2 and spikes[0].node_ids.tolist() == spikes[1].node_ids.tolist()
    assert np.abs(spikes[0].times - spikes[1].times).max() < 0.02


@needs_moose
@pytest.mark.skipif(not SINGLE.is_file(), reason="the models in ../shared/data are not there")
def test_one_action_potential_of_the_squid():
    """At 7.905 ms in NEURON with the same rates, at the same step (0.001 ms)."""
    document, report = read(SINGLE), Report()
    results = simulate(document.network, document.plan, "moose", report=report)
    (spikes,), (algorithm,) = results.spikes.values(), results.provenance["algorithms"]
    assert spikes.times.tolist() == pytest.approx([7.905], abs=0.005)
    assert (algorithm["name"], algorithm["step"]) == ("Crank-Nicolson method", 0.001)
    assert not report.of_kind(Kind.LOST) and not report.of_kind(Kind.DEFAULTED)


def ball() -> Network:
    """Two passive cylinders of 20 x 20 um, of one compartment, that a gap junction of 1 nS joins."""
    network = driven()
    near, far = np.array([[0.0, 0.0, 0.0, 20.0]]), np.array([[20.0, 0.0, 0.0, 20.0]])
    shape = Morphology("ball", np.array([1]), np.array([-1]), np.zeros(1), near, far, np.array([1]))
    cell = network.cells["bio_100"]
    assert isinstance(cell, CableCell)
    types = table(1, synapse=["gap"], weight_unit=["uS"])
    sites = table(1, weight=[0.001], afferent_section_id=[0], efferent_section_id=[0])
    ends = Edges(Column(np.array([0])), Column(np.array([1])), sites)
    return replace(
        network,
        projections={"gap": Projection("gap", "bio", "bio", types, ends, kind="electrical")},
        cells={"bio_100": replace(cell, morphology="ball")},
        synapses={"gap": Synapse("ElectricalSynapse")},
        populations={"bio": network.populations["bio"]},
        morphologies={"ball": shape},
    )


@needs_moose
def test_a_gap_junction_shares_a_current():
    """After 25 time constants: what Ohm and Kirchhoff make of a current, two leaks and a coupling."""
    pulse = Stimulus("pulse", CurrentPulses(np.array([0.05]), np.array([0.0]), np.array([100.0])), {"node_id": [0]})
    plan = replace(PLAN, timestep=0.025, duration=100.0, stimuli=(pulse,), section_length=100.0)
    (trace,) = simulate(ball(), plan, "moose").traces
    leak, coupling = 2.5e-4 * np.pi * 400e-8 * 1e6, 1e-3
    coupled = np.array([[leak + coupling, -coupling], [-coupling, leak + coupling]])
    expected = -70.0 + np.linalg.solve(coupled, [0.05, 0.0])
    assert trace.data[-1].tolist() == pytest.approx(expected.tolist(), abs=1e-3)


def test_lowering_without_moose():
    """A cylinder of 20 x 20 um: its capacitance in F, its leak in S."""
    report = Report()
    lowered = MooseRunner().lower(driven(), PLAN, report)
    (cable,) = lowered.cables
    soma = np.flatnonzero(cable.tag == 1)[0]
    area = 20 * np.pi * 20e-12
    first = int(cable.count[:soma].sum())
    mine = slice(first, first + int(cable.count[soma]))
    assert cable.capacitance[mine].sum() == pytest.approx(0.01 * area)
    assert cable.leak[mine].sum() == pytest.approx(2.5 * area)
    np.testing.assert_allclose(cable.rest, -0.07)
    assert not report.refusals()


def test_what_moose_does_not_record():
    plan = replace(PLAN, recordings=(Recording("current", "ina", "bio", sections="soma"),))
    with pytest.raises(PlanError) as caught:
        MooseRunner().lower(driven(), plan, Report())
    assert caught.value.message == "the report 'current' asks for ina, which is not recorded on MOOSE"
    assert caught.value.hint == "it can record: V_m, Vm, cai, v, vm"


def test_synapses_and_channels_that_moose_does_not_have_are_lost():
    """A mechanism by its name, and a synapse with a state that no rise and decay are."""
    network = driven()
    cell = network.cells["bio_100"]
    assert isinstance(cell, CableCell)
    decor = (*cell.decor, Paint("soma", ChannelDensity("NaTs", 100.0, "na", 53.0)))
    network = replace(
        network,
        cells={**network.cells, "bio_100": replace(cell, decor=decor)},
        channels={**network.channels, "NaTs": Opaque("nmodl", "NaTs")},
        synapses={**network.synapses, "gaba": Synapse("nrn:ProbAMPANMDA", {})},
    )
    report = Report()
    lowered = MooseRunner().lower(network, PLAN, report)
    wiring = wire(lowered, report)
    assert len(wiring.source) == 2
    (channel,) = (issue for issue in report if issue.code == "channel")
    assert (channel.kind, channel.where, channel.examples) == (Kind.LOST, "cells/bio_100", ["NaTs"])
    assert channel.message.endswith("--mechanisms DIR gives MOOSE the equations.")
    (synapse,) = (issue for issue in report if issue.code == "synapse")
    assert (synapse.kind, synapse.where, synapse.examples) == (
        Kind.LOST,
        "projections/bio_to_bio",
        ["ProbAMPANMDA"],
    )


@pytest.mark.parametrize("module", [None, ModuleType("moose")])
def test_without_moose(monkeypatch, module):
    """Nor with the other package of that name, which PyPI has."""
    monkeypatch.setitem(sys.modules, "moose", module)
    with pytest.raises(BackendUnavailable) as caught:
        load()
    assert caught.value.hint == "pip install --no-deps pymoose"
    assert caught.value.message.startswith(
        "MOOSE cannot be imported (" if module is None else "the installed package 'moose' is not the simulator"
    )


@needs_moose
@pytest.mark.slow
@pytest.mark.skipif(not TUTORIAL.is_file(), reason="the models in ../shared/data are not there")
def test_the_steps_are_those_of_neurons_second_order():
    """18 action potentials of the squid at 0.01 ms, each at the same step as on NEURON with Crank and Nicolson's."""
    pytest.importorskip("neuron")
    document = read(TUTORIAL)
    plans = {"neuron": replace(document.plan, integration_method="crank_nicolson_ion"), "moose": document.plan}
    found = [simulate(document.network, plan, name).spikes["hhpop"].times for name, plan in plans.items()]
    assert len(found[0]) == len(found[1]) == 18
    np.testing.assert_allclose(found[1], found[0], atol=0.005)


@needs_moose
@pytest.mark.slow
@pytest.mark.skipif(not ALLEN.is_file(), reason="the models in ../shared/data are not there")
def test_a_cell_of_the_allen_institute_with_calcium():
    """A pool of calcium, a channel that it opens, a reversal potential that follows it: NEURON's spikes."""
    document = read(ALLEN)
    (spikes,) = simulate(document.network, document.plan, "moose").spikes.values()
    assert spikes.times.tolist() == pytest.approx([1081.515, 1480.07, 1856.585], abs=1.0)
