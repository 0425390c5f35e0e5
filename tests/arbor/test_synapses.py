"""The synapses of NeuroML on Arbor, as the support table answers for them: each exact one against NEURON."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pynn_io.graph import CableCell, Edges, Network, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.biophysics import ChannelDensity, MembraneProperty
from pynn_io.graph.columns import Column
from pynn_io.graph.dynamics import Component
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.lowering.types import Types
from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.arbor import ArborRunner
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.vocabulary.core import core_types
from pynn_io.vocabulary.support import support
from tests.models import table

PAIR = Path(__file__).parents[2] / "fixtures" / "neuroml" / "LEMS_pair.xml"
CONDUCTANCE = {"gbase": 0.002, "erev": 0.0}
RISE = {**CONDUCTANCE, "tauRise": 0.5, "tauDecay": 4.0}
DEPRESSING = Component(
    "tsodyksMarkramDepFacMechanism", "", {"initReleaseProb": 0.5, "tauRec": 100.0, "tauFac": 50.0}, {}
)
BLOCK = Component(
    "voltageConcDepBlockMechanism",
    "",
    {"blockConcentration": 1.2, "scalingConc": 1.9, "scalingVolt": 16.0},
    {"species": "mg"},
)
#: A synapse of every type that NeuroML defines.
SYNAPSES = {
    "expOneSynapse": Synapse("neuroml:expOneSynapse", {**CONDUCTANCE, "tauDecay": 3.0}),
    "alphaSynapse": Synapse("neuroml:alphaSynapse", {**CONDUCTANCE, "tau": 2.0}),
    "alphaCurrentSynapse": Synapse("neuroml:alphaCurrentSynapse", {"ibase": 0.05, "tau": 2.0}),
    "expTwoSynapse": Synapse("neuroml:expTwoSynapse", RISE),
    "expThreeSynapse": Synapse(
        "neuroml:expThreeSynapse",
        {"gbase1": 0.001, "gbase2": 0.002, "erev": 0.0, "tauRise": 0.5, "tauDecay1": 3.0, "tauDecay2": 9.0},
    ),
    "blockingPlasticSynapse": Synapse(
        "neuroml:blockingPlasticSynapse",
        RISE,
        children=(("plasticityMechanism", DEPRESSING), ("blockMechanism", BLOCK)),
    ),
    "doubleSynapse": Synapse(
        "neuroml:doubleSynapse",
        {"synapse1": "expOneSynapse", "synapse2": "alphaSynapse"},
    ),
    "stdpSynapse": Synapse("neuroml:stdpSynapse", RISE),
    "expCondSynapse": Synapse("neuroml:expCondSynapse", {"tau_syn": 3.0, "e_rev": 0.0}),
    "expCurrSynapse": Synapse("neuroml:expCurrSynapse", {"tau_syn": 3.0}),
    "alphaCondSynapse": Synapse("neuroml:alphaCondSynapse", {"tau_syn": 2.0, "e_rev": 0.0}),
    "alphaCurrSynapse": Synapse("neuroml:alphaCurrSynapse", {"tau_syn": 2.0}),
    "silentSynapse": Synapse("neuroml:silentSynapse"),
    "gradedSynapse": Synapse(
        "neuroml:gradedSynapse", {"conductance": 0.005, "delta": 5.0, "k": 0.025, "Vth": -55.0, "erev": 0.0}
    ),
    "linearGradedSynapse": Synapse("neuroml:linearGradedSynapse", {"conductance": 0.005}),
}
#: Weights of PyNN's synapses are uS and nA.
WEIGHTS = {"expCondSynapse": 0.002, "alphaCondSynapse": 0.002, "expCurrSynapse": 0.05, "alphaCurrSynapse": 0.05}
EXACT = [name for name in SYNAPSES if support(f"synapse:neuroml:{name}", "arbor").level == "exact"]
SPIKES = SpikeTrains("in", np.zeros(4, dtype=np.int64), np.array([5.0, 12.0, 14.0, 30.0]))


def plan(names: list[str]) -> SimulationPlan:
    return SimulationPlan(
        duration=60.0,
        timestep=0.005,
        v_init=-66.0,
        celsius=24.0,
        stimuli=(Stimulus("in", SPIKES, {"population": "in"}),),
        recordings=tuple(Recording(name, "v", {"population": name}, "all") for name in names),
    )


def network(names: list[str]) -> Network:
    """A passive cell for each synapse, all of one source."""
    found = read(PAIR).network
    pyramid = found.cells["pyramid"]
    assert isinstance(pyramid, CableCell)
    decor = [
        entry
        for entry in pyramid.decor
        if isinstance(entry.item, MembraneProperty)
        or (isinstance(entry.item, ChannelDensity) and entry.item.channel == "leak")
    ]
    cells = {"passive": replace(pyramid, decor=tuple(decor)), "in": SpikeSource()}
    populations = {name: Population(name, 1, table(1, cell=["passive"])) for name in names}
    ends = Edges(Column(np.array([0])), Column(np.array([0])), table(1))

    def onto(name: str) -> Projection:
        types = table(1, synapse=[name], weight=[WEIGHTS.get(name, 1.5)], delay=[1.0])
        return Projection(f"to_{name}", "in", name, types, ends)

    return replace(
        found,
        populations={"in": Population("in", 1, table(1, cell=["in"])), **populations},
        projections={f"to_{name}": onto(name) for name in names},
        cells=cells,
        synapses=SYNAPSES,
    )


def test_every_type_of_the_core_is_here():
    types = Types()
    core = {name for name in core_types() if types.is_a(name, "baseSynapse") and not name.startswith("base")}
    assert core - {"gapJunction"} == SYNAPSES.keys()


@pytest.mark.parametrize("name", SYNAPSES)
def test_lowering_refuses_what_the_table_calls_impossible(name):
    report = Report()
    lowered = ArborRunner().lower(network([name]), plan([name]), report)
    (projection,) = lowered.connections
    assert bool(projection.models[0].mechanism) == (name in EXACT)


@cache
def results(backend: str) -> Results:
    return simulate(network(EXACT), plan(EXACT), backend, report=Report())


@pytest.mark.skipif(shutil.which("cmake") is None, reason="Arbor compiles mechanisms with cmake")
@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_potentials_are_those_on_neuron(name):
    """To 0.4 % of the response: NEURON and Arbor differ by half a step in when an event begins to count."""
    pytest.importorskip("arbor")
    pytest.importorskip("neuron")
    theirs, ours = (
        next(trace for trace in results(backend).traces if trace.population == name) for backend in ("neuron", "arbor")
    )
    assert ours.section_ids.tolist() == theirs.section_ids.tolist() == [0, *[1] * 7]
    assert ours.section_pos == pytest.approx(theirs.section_pos)
    expected, found = theirs.data[:, 0], ours.data[:, 0]
    height = np.ptp(expected)
    assert height > 0.3
    assert np.abs(found - expected[: len(found)]).max() < 0.004 * height
