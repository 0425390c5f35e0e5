"""NeuroML's abstract cells on Brian2 against their equations integrated by scipy, and against NEST with synapses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.dynamics import Component
from pynn_io.graph.stimuli import CurrentPulses, SpikeTrains, Stimulus
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.types import Types
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.dynamics.reference import run
from tests.models import table

pytest.importorskip("brian2", reason="Brian2 is not installed")

STEP = 0.05
_HINDMARSH_ROSE = "C=0.01 a=1 b=3 c=-3 d=5 s=4 x1=-1.3 r=0.002 x0=-1.1 y0=-9 z0=1 v_scaling=35.71"
_PINSKY_RINZEL = (
    "iSoma=7.5e-6 iDend=0 gLs=1e-6 gLd=1e-6 gNa=3e-4 gKdr=1.5e-4 gCa=1e-4 gKahp=8e-6 gKC=1.5e-4 gc=2.1e-5 eNa=60 eCa=80"
    " eK=-75 eL=-60 pp=0.5 cm=3e-5 alphac=2 betac=0.1 gNmda=0 gAmpa=0 qd0=0"
)
#: type -> (numbers, variable, how far it may be from scipy until the first spike).
ALONE: Mapping[str, tuple[Mapping[str, float], str, float]] = {
    "izhikevichCell": ({"v0": -70.0, "a": 0.02, "b": 0.25, "c": -55.0, "d": 0.05, "thresh": 30.0}, "v", 1e-3),
    "fitzHughNagumo1969Cell": ({"a": 0.7, "b": 0.8, "I": 1.0, "phi": 0.08, "V0": 0.0, "W0": 0.0}, "V", 1e-6),
    "hindmarshRose1984Cell": (
        {name: float(value) for name, value in (pair.split("=") for pair in _HINDMARSH_ROSE.split())},
        "v",
        1e-2,
    ),
    "pinskyRinzelCA3Cell": (
        {name: float(value) for name, value in (pair.split("=") for pair in _PINSKY_RINZEL.split())},
        "Vs",
        1e-2,
    ),
}


@pytest.mark.slow
def test_cells_alone_follow_their_equations() -> None:
    populations = {name: Population(name, 1, table(1, cell=[name])) for name in ALONE}
    cells = {name: PointCell(f"neuroml:{name}", numbers) for name, (numbers, _, _) in ALONE.items()}
    recordings = tuple(
        Recording(name, variable, {"population": name}, interval=STEP) for name, (_, variable, _) in ALONE.items()
    )
    network = Network("alone", populations=populations, cells=cells)
    plan = SimulationPlan("alone", duration=40.0, timestep=STEP, recordings=recordings)
    report = Report()
    results = plan.run(network, backend="brian2", report=report, engine="numpy")
    assert report.of_kind(Kind.LOST, Kind.APPROXIMATED) == []
    for name, (numbers, variable, bound) in ALONE.items():
        (trace,) = (one for one in results.traces if one.report == name)
        times = STEP * np.arange(len(trace.data))
        system = flatten(Component(name, "c", numbers), Types())
        expected = run(system, times, {"iSyn": 0.0, "ISyn": 0.0}, record=[variable])
        told = expected.at("spike")
        spikes = results.spikes[name].times
        end = len(times) if not len(told) else int(told[0] / STEP)
        found = trace.data[:end, 0]
        assert np.ptp(found) > 0.5, name  # a cell that rests would agree about anything
        assert np.abs(found - expected.traces[variable][:end]).max() < bound, name
        assert len(spikes) == len(told), name
        # A reset is at the end of a step: every interval is longer by a step and what that adds to the adaptation.
        assert np.abs(spikes - told).max(initial=0.0) <= 2 * STEP * (len(told) + 1), name


def _driven() -> tuple[Network, SimulationPlan]:
    """Two cells that NEST has, too, with synapses of two kinds from one source."""
    leaky = {"leakReversal": -60.0, "thresh": -50.0, "reset": -65.0, "C": 0.2, "leakConductance": 0.01, "refract": 5.0}
    cells = {"in": SpikeSource(), "iaf": PointCell("neuroml:iafRefCell", leaky)}
    synapses = {
        "exc": Synapse("neuroml:expOneSynapse", {"gbase": 0.002, "erev": 0.0, "tauDecay": 3.0}),
        "inh": Synapse("neuroml:expOneSynapse", {"gbase": 0.001, "erev": -80.0, "tauDecay": 8.0}),
    }
    populations = {name: Population(name, 1, table(1, cell=[name])) for name in cells}
    ends = (Column(np.array([0])), Column(np.array([0])))
    projections = {
        name: Projection(
            name,
            "in",
            "iaf",
            table(1, synapse=[name], weight_unit=["1"]),
            Edges(*ends, table(1, weight=[1.5], delay=[2.0])),
        )
        for name in synapses
    }
    times = np.arange(10.0, 95.0, 7.5)
    stimuli = (
        Stimulus("trains", SpikeTrains("in", np.zeros(len(times), dtype=int), times), {"population": "in"}),
        Stimulus("pulse", CurrentPulses(np.array([0.14]), np.array([20.0]), np.array([60.0])), {"population": "iaf"}),
    )
    recordings = (Recording("v", "v", {"population": "iaf"}, interval=0.1),)
    network = Network("driven", populations=populations, projections=projections, cells=cells, synapses=synapses)
    return network, SimulationPlan("driven", duration=100.0, timestep=0.1, stimuli=stimuli, recordings=recordings)


@pytest.mark.slow
def test_synapses_that_stand_in_a_cell_do_what_those_of_nest_do() -> None:
    pytest.importorskip("nest", reason="NEST is not installed")
    network, plan = _driven()
    ours = plan.run(network, backend="brian2", engine="numpy")
    nest = plan.run(network, backend="nest")
    assert len(ours.spikes["iaf"].times) == 2
    # LEMS ends a time of rest when it is over, not when it is up: a step later for every spike before.
    apart = ours.spikes["iaf"].times - nest.spikes["iaf"].times
    assert np.abs(apart - [0.0, 0.1]).max() < 1e-6
    first = round(nest.spikes["iaf"].times[0] / 0.1)
    assert np.abs(ours.traces[0].data[:first] - nest.traces[0].data[:first]).max() < 1e-4
