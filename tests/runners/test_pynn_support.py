"""The column of PyNN's backends says what `lower` does: each row is asked of it. And which backends there are."""

from __future__ import annotations

import pytest

from pynn_io.audit import audit
from pynn_io.document import Document
from pynn_io.errors import BackendUnavailable, FormatError, PynnIOError
from pynn_io.graph import Network, PointCell
from pynn_io.graph import stimuli as s
from pynn_io.registry import BACKENDS, find_backend
from pynn_io.report import Kind, Report
from pynn_io.runners.pynn import PynnRunner, load
from pynn_io.runners.worker import load_runner
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary.models import MODELS
from pynn_io.vocabulary.support import support
from tests.runners.standard_networks import plastic_inhibition
from tests.running.test_support_of_backends import STIMULI, point_network

COLUMN = "pynn:*"
MODULES = ("pyNN.nest", "pyNN.neuron")


def lost(module: str, network: Network, *stimuli: s.Stimulus) -> set[str]:
    report = Report()
    plan = SimulationPlan(duration=50.0, timestep=0.1, stimuli=stimuli, seed=1)
    try:
        PynnRunner(module).lower(network, plan, report)
    except PynnIOError as error:
        return {type(error).__name__}
    return {issue.code for issue in report.of_kind(Kind.LOST)}


@pytest.mark.parametrize("name", STIMULI)
def test_stimuli(name: str) -> None:
    network = point_network(PointCell("IF_cond_exp"))
    stimulus = s.Stimulus(name, STIMULI[name], "in" if name in {"SpikeTrains", "PoissonTrains"} else "cells")
    found = lost("pyNN.neuron", network, stimulus)
    audited = Report()
    audit(Document(network, SimulationPlan(stimuli=(stimulus,))), COLUMN, audited)
    named = {example for issue in audited.of_kind(Kind.LOST) for example in issue.examples}
    assert (name in named) == bool(found), found
    assert not found or found == audited.codes() or all(code.endswith("Error") for code in found)


@pytest.mark.parametrize("model", [name for name, row in MODELS.items() if row.kind == "cell"])
def test_a_model_is_there_if_one_backend_has_it(model: str) -> None:
    if model == "IF_cond_exp_gsfa_grr":
        assert lost("pyNN.nest", point_network(PointCell(model))) == {"RunError"}
    lacking = [lost(module, point_network(PointCell(model))) & {"model", "RunError"} for module in MODULES]
    assert (support(f"model:{model}", COLUMN).level == "no") == all(lacking)


@pytest.mark.parametrize(("module", "static"), [("pyNN.nest", 0), ("pyNN.neuron", 1), ("pyNN.brian2", 1)])
def test_stdp_of_weights_below_0_is_told_where_pynn_makes_them_0(module: str, static: int) -> None:
    from pynn_io.lowering.pynn import connections

    document, report = plastic_inhibition(), Report()
    lowered = PynnRunner(module).lower(document.network, document.plan, report)
    models = {edges.projection: edges.synapse.model for edges in connections(lowered.network, report)}
    assert models == {"e": "StaticSynapse", "i": "StaticSynapse" if static else "STDPMechanism"}
    told = [issue for issue in report if issue.code == "synapse" and "bounds below 0" in issue.message]
    assert [issue.where for issue in told] == ["projection i"] * static


@pytest.mark.parametrize("kind", ["chemical", "electrical", "graded", "neuromodulatory"])
def test_projections(kind: str) -> None:
    from pynn_io.lowering.pynn import connections, lower_network, target_of

    report = Report()
    network = point_network(PointCell("IF_cond_exp"), kind=kind)
    list(connections(lower_network(network, 0.1, target_of("nest"), Report()), report))
    assert (support(f"kind:{kind}", COLUMN).level == "no") == ("projection-kind" in report.codes())


@pytest.mark.parametrize(
    ("name", "module"), [("pynn:nest", "pyNN.nest"), ("pynn:pyNN.nest", "pyNN.nest"), ("pynn:neuron", "pyNN.neuron")]
)
def test_known_backends(name: str, module: str) -> None:
    row = find_backend(name)
    assert row is BACKENDS[f"pynn:{module.removeprefix('pyNN.')}"]
    assert (row.level, row.runner) == ("executes", f"pynn_io.runners.pynn:PynnRunner[{module}]")
    assert isinstance(load_runner(str(row.runner)), PynnRunner)


def test_any_module_is_a_backend() -> None:
    pytest.importorskip("pyNN")
    row = find_backend("pynn:email.mime")
    assert (row.runner, row.level) == ("pynn_io.runners.pynn:PynnRunner[email.mime]", "executes")
    with pytest.raises(BackendUnavailable, match=r"email\.mime is no backend of PyNN: it has no setup, Population"):
        load("email.mime")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pynn:", "names no backend of PyNN"),
        ("pynn:nets", r"there is no backend module 'pyNN\.nets'"),
        ("pynn:no.such.module", r"there is no backend module 'no\.such\.module'"),
    ],
)
def test_unknown_modules(name: str, text: str) -> None:
    pytest.importorskip("pyNN")
    with pytest.raises(FormatError, match=text):
        find_backend(name)


def test_modules_that_run_nothing_say_why() -> None:
    assert (find_backend("pynn:mock").level, find_backend("pynn:mock").runner) == ("unavailable", None)
    with pytest.raises(BackendUnavailable, match="its spikes are random numbers"):
        simulate(point_network(PointCell("IF_cond_exp")), SimulationPlan(duration=1.0), "pynn:mock")


def test_a_missing_simulator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setitem(BACKENDS, "pynn:nest", replace(BACKENDS["pynn:nest"], package="pyNN surely_no_simulator"))
    with pytest.raises(BackendUnavailable, match=r"pip install 'pynn_io\[pynn,nest\]'"):
        simulate(point_network(PointCell("IF_cond_exp")), SimulationPlan(duration=1.0), "pynn:nest")
