"""The columns of the support tables that are backends say what the runners do: each row is asked of `lower`."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from pynn_io.audit import audit, complete
from pynn_io.document import Document
from pynn_io.errors import PynnIOError, RunError
from pynn_io.graph import Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph import stimuli as s
from pynn_io.graph.cells import Cell, UnknownCell
from pynn_io.graph.columns import Column
from pynn_io.graph.dynamics import Component
from pynn_io.registry import BACKENDS
from pynn_io.report import Kind, Report
from pynn_io.runners.worker import load_runner
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary.models import MODELS as VOCABULARY
from pynn_io.vocabulary.support import support
from tests.models import MODELS, table

#: Backends of cells without extent.
POINTS = ("nest", "brian2")
TRAINS = s.SpikeTrains("in", np.array([0]), np.array([5.0]))
WINDOW = {"delay": 1.0, "duration": 10.0}
STIMULI = {
    "SpikeTrains": TRAINS,
    "PoissonTrains": s.PoissonTrains(50.0),
    "SynapseReplay": s.SynapseReplay(TRAINS),
    "SpontaneousSynapses": s.SpontaneousSynapses(10.0),
    "CurrentPulses": s.CurrentPulses(np.array([0.1]), np.array([5.0]), np.array([20.0])),
    "CurrentRamp": s.CurrentRamp(0.0, 0.1, **WINDOW),
    "Hyperpolarizing": s.Hyperpolarizing(**WINDOW),
    "Subthreshold": s.Subthreshold(20.0, **WINDOW),
    "SinusoidalCurrent": s.SinusoidalCurrent(0.1, 50.0, **WINDOW),
    "NoiseCurrent": s.NoiseCurrent(0.1, 0.01, **WINDOW),
    "OrnsteinUhlenbeck": s.OrnsteinUhlenbeck(2.0, 0.1, 0.02, **WINDOW),
    "ShotNoise": s.ShotNoise(0.5, 2.0, rate=100.0, amplitude_mean=0.1, amplitude_variance=0.01, **WINDOW),
    "VoltageClamp": s.VoltageClamp(np.array([-60.0]), np.array([10.0])),
    "OtherStimulus": s.OtherStimulus("xstim", {}),
    "ComponentInput": s.ComponentInput(
        Component("sineGenerator", "i", {"phase": 0, "delay": 1, "duration": 5, "amplitude": 0.1, "period": 2})
    ),
    "weighted": s.PoissonTrains(50.0, weight=0.01),
    "minis": s.SpontaneousSynapses(times=(5.0,), silences_others=True),
    "delayed": s.VoltageClamp(np.array([-60.0]), np.array([10.0]), delay=5.0),
}


def lost(backend: str, network: Network, *stimuli: s.Stimulus) -> set[str]:
    """Codes of what lowering loses; a refusal by an error counts as well."""
    report = Report()
    plan = SimulationPlan(duration=50.0, timestep=0.1, v_init=-65.0, celsius=34.0, stimuli=stimuli, seed=1)
    try:
        load_runner(BACKENDS[backend].runner).lower(network, plan, report)
    except PynnIOError as error:
        return {type(error).__name__}
    return {issue.code for issue in report.of_kind(Kind.LOST)}


def point_network(cell: PointCell | SpikeSource, synapse: str = "static", kind: str = "chemical") -> Network:
    """Two cells that know their currents, driven by one source."""
    sizes = table(2, x=[0.0, 1.0], threshold_current=[0.2, 0.3], holding_current=[0.1, 0.1])
    populations = {
        "in": Population("in", 1, table(1, cell=["in"])),
        "cells": Population("cells", 2, table(1, cell=["cell"]), table=sizes),
    }
    types = table(1, synapse=["syn"], weight=[0.01], delay=[1.0], weight_unit=["uS"])
    edges = Edges(Column(np.array([0])), Column(np.array([1])), table(1))
    projection = Projection("p", "in", "cells", types, edges, kind=kind)
    cells = {"in": SpikeSource(), "cell": cell}
    return Network("n", populations, {"p": projection}, cells, {"syn": Synapse(synapse)})


def cable_network() -> Network:
    network = MODELS["cable"]().network
    bio = network.populations["bio"]
    own = dict(table(2, threshold_current=[0.2, 0.3], holding_current=[0.1, 0.1]))
    source = Population("in", 1, table(1, cell=["in"]))
    driven = network.projections["bio_to_bio"]
    ends = Edges(Column(np.array([0])), Column(np.array([1])), table(1, weight=[0.1], afferent_section_id=[0]))
    return replace(
        network,
        projections={**network.projections, "in_to_bio": replace(driven, name="in_to_bio", pre="in", edges=ends)},
        populations={"bio": replace(bio, table=bio.table.updated(own)), "in": source},
        cells={**network.cells, "in": SpikeSource()},
    )


#: Backends of cells without extent.
POINTS = ("nest", "brian2", "spinnaker")


def test_every_stimulus_is_tried():
    assert {type(what) for what in STIMULI.values()} == set(get_args(s.What))


@pytest.mark.parametrize("backend", ["nest", "neuron", "arbor", "moose", "brian2", "spinnaker"])
@pytest.mark.parametrize("name", STIMULI)
def test_stimuli(backend, name):
    """On cells that the backend can have; NEURON has those with extent, where every stimulus has a place."""
    network = point_network(PointCell("IF_cond_exp")) if backend in POINTS else cable_network()
    target = "in" if name in {"SpikeTrains", "PoissonTrains"} else next(iter(network.populations.keys() - {"in"}))
    known = lost(backend, network)
    stimulus = s.Stimulus(name, STIMULI[name], target)
    found = lost(backend, network, stimulus) - known
    audited = Report()
    audit(Document(network, SimulationPlan(stimuli=(stimulus,))), backend, audited)
    named = {example for issue in audited.of_kind(Kind.LOST) for example in issue.examples}
    assert (name in named) == bool(found), found
    if found and not any(code.endswith("Error") for code in found):
        codes = {issue.code for issue in audited.of_kind(Kind.LOST)} - known
        assert found == codes  # what --strict tells to allow is what lowering then asks for


@pytest.mark.parametrize("backend", ["nest", "neuron", "arbor", "moose", "brian2", "spinnaker"])
@pytest.mark.parametrize("model", [name for name, row in VOCABULARY.items() if row.kind == "cell"])
def test_cell_models(backend, model):
    found = lost(backend, point_network(PointCell(model, {}))) & {"model", "RunError"}
    assert (support(f"model:{model}", backend).level == "no") == bool(found), found


@pytest.mark.parametrize("backend", ["nest", "brian2"])  # SpiNNaker says what it leaves out, and raises nothing
@pytest.mark.parametrize("model", [name for name, row in VOCABULARY.items() if row.kind == "synapse"])
def test_synapse_models_of_points(backend, model):
    network = point_network(PointCell("IF_cond_exp"), synapse=model)
    report, found = Report(), support(f"synapse:{model}", backend).level
    try:
        load_runner(BACKENDS[backend].runner).lower(network, SimulationPlan(duration=50.0), report)
    except PynnIOError as error:
        assert found == "no", error
        return
    assert (found == "approximate") == ("synapse" in report.codes())


@pytest.mark.parametrize("backend", ["nest", "neuron", "arbor", "moose", "brian2", "spinnaker"])
@pytest.mark.parametrize("kind", ["chemical", "electrical", "neuromodulatory"])
def test_projections(backend, kind):
    """Between cells that the backend has."""
    network = point_network(PointCell("IF_cond_exp"), kind=kind)
    if backend in {"arbor", "moose"}:
        network = cable_network()
        network = replace(network, projections={"p": replace(network.projections["bio_to_bio"], name="p", kind=kind)})
    found = lost(backend, network)
    assert (support(f"kind:{kind}", backend).level == "no") == ("projection-kind" in found), found


@pytest.mark.parametrize("backend", ["arbor", "moose", "neuron", "nest", "brian2"])
def test_where_no_cell_is_left_there_are_no_empty_results(backend):
    """A model of another simulator alone; the error names it."""
    model = "nest:iaf_chxk_2008" if backend == "neuron" else "nrn:IntFire4"
    runner = load_runner(BACKENDS[backend].runner)
    plan = SimulationPlan(duration=10.0, timestep=0.1)
    with pytest.raises(RunError, match="has none of the cells of this network: nothing is left to run") as caught:
        runner.lower(point_network(PointCell(model)), plan, Report())
    assert model in caught.value.hint


def odd(cell: Cell, **more: str) -> Network:
    """A network that runs, with two more cells."""
    network = point_network(PointCell("IF_cond_exp"), **more)
    populations = {**network.populations, "odd": Population("odd", 2, table(1, cell=["odd"]))}
    return replace(network, populations=populations, cells={**network.cells, "odd": cell})


ODD = {
    "astrocyte": (odd(UnknownCell("astrocyte")), {"nest", "neuron", "brian2"}, "unknown-cell"),
    "no model": (odd(PointCell("Nobody")), {"nest", "neuron", "brian2"}, "model"),
    "of the other": (odd(PointCell("nrn:IntFire1")), {"nest", "brian2"}, "model"),
    "glial": (odd(SpikeSource(), kind="glial"), {"nest", "neuron", "brian2"}, "projection-kind"),
    "gaps": (odd(SpikeSource(), kind="electrical"), {"nest", "brian2"}, "projection-kind"),
    "named gaps": (
        odd(SpikeSource(), kind="electrical", synapse="ElectricalSynapse"),
        {"nest", "brian2"},
        "projection-kind",
    ),
    "kinetic": (odd(SpikeSource(), synapse="nrn:Nobodys"), {"nest", "brian2"}, "synapse"),
    "plastic": (odd(SpikeSource(), synapse="nest:clopath_synapse"), {"neuron", "brian2"}, "synapse"),
}


@pytest.mark.parametrize("backend", ["nest", "neuron", "brian2"])
@pytest.mark.parametrize("name", ODD)
def test_a_loss_is_told_once_and_under_the_code_that_the_audit_asked_to_allow(backend, name):
    network, lacking, code = ODD[name]
    plan = SimulationPlan(duration=50.0, timestep=0.1, v_init=-65.0, celsius=34.0, seed=1)
    audited, report = Report(), Report()
    audit(Document(network, plan), backend, audited)
    load_runner(BACKENDS[backend].runner).lower(network, plan, report)
    complete(report, audited)
    told = [(issue.code, issue.kind) for issue in report.refusals()]
    assert told == [(issue.code, issue.kind) for issue in audited.refusals()]
    assert [code for code, _ in told] == ([code] if backend in lacking else [])


def test_plasticity_on_neuron_says_what_runs_instead():
    audited = Report()
    audit(Document(odd(SpikeSource(), synapse="MultiQuantalSynapse")), "neuron", audited)
    (issue,) = audited
    assert (issue.code, issue.kind, issue.examples) == ("synapse", Kind.APPROXIMATED, ["MultiQuantalSynapse"])
    assert "a static synapse runs instead: its weight stays as it is at the start" in issue.message


def test_what_is_on_the_membrane_of_a_cell_that_nest_lacks_goes_with_it():
    audited = Report()
    audit(Document(MODELS["cable"]().network), "nest", audited)
    told = {(issue.code, issue.where) for issue in audited}
    assert ("cable-cell", "population bio") in told
    assert not {code for code, _ in told} & {"channel", "channel-density", "membrane-property", "rotation-column"}


def test_rotations_change_no_number_on_neuron():
    """Sections keep the morphology's own frame, as in BMTK; nothing that is computed or recorded depends on it."""
    network = cable_network()
    turned = table(2, rotation_angle_yaxis=[0.1, 0.2], orientation_w=[0.1, 0.2])
    bio = replace(network.populations["bio"], table=turned)
    report = Report()
    audit(Document(replace(network, populations={**network.populations, "bio": bio})), "neuron", report)
    assert report.codes() == set()


def test_cells_with_extent_are_not_for_nest():
    report = Report()
    audit(Document(cable_network()), "nest", report)
    assert ("cable-cell", Kind.LOST) in {(issue.code, issue.kind) for issue in report}
    report = Report()
    audit(Document(cable_network()), "neuron", report)
    assert report.codes() == set()
