"""Two MPI ranks give what one process gives: spikes and reports, number by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, PlanError
from pynn_io.graph import Population
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.results import Results, Spikes, Trace
from pynn_io.runners import mpi
from pynn_io.runners.neuron.gather import joined
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording
from tests.runners.test_neuron_mechanisms import LEAK, PLAN, network, write


@pytest.fixture(scope="module")
def two_ranks() -> None:
    try:
        mpi.under_mpirun(["true"], 2, {})
    except BackendUnavailable as error:
        pytest.skip(str(error))


def same(one: Results, two: Results) -> None:
    assert one.spikes.keys() == two.spikes.keys() and one.nodes.keys() == two.nodes.keys()
    for name, spikes in one.spikes.items():
        np.testing.assert_array_equal(two.spikes[name].node_ids, spikes.node_ids)
        np.testing.assert_array_equal(two.spikes[name].times, spikes.times)
    assert len(one.traces) == len(two.traces)
    for ours, theirs in zip(one.traces, two.traces, strict=True):
        np.testing.assert_array_equal(ours.node_ids, theirs.node_ids)
        np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.slow
def test_point_cells_on_two_ranks(data: Path, allen_mechanisms: Path, two_ranks: None) -> None:
    document = read(data / "sonata/300_intfire/config.json", format="sonata")
    assert document.plan is not None
    one = simulate(document.network, document.plan, "neuron", timeout=200)
    two = simulate(document.network, document.plan, "neuron", processes=2, timeout=200)
    assert one.spike_count == 4322
    assert two.provenance["processes"] == 2
    same(one, two)


@pytest.mark.slow
def test_cable_cells_and_reports_on_two_ranks(data: Path, allen_mechanisms: Path, two_ranks: None) -> None:
    """Synapses placed at run time, in the same places whatever rank a cell is on."""
    document = read(data / "sonata/bio_14cells/config.simulation.json", format="sonata")
    assert document.plan is not None
    reports = tuple(item for item in document.plan.recordings if item.variable in ("v", "cai"))
    plan = replace(document.plan, recordings=reports, duration=600.0)
    options = {"mechanisms": [allen_mechanisms], "timeout": 300}
    one = simulate(document.network, plan, "neuron", **options)
    two = simulate(document.network, plan, "neuron", processes=2, **options)
    assert one.spike_count > 30
    assert [trace.data.shape[1] for trace in one.traces] == [10, 10]
    same(one, two)


@pytest.mark.slow
def test_a_delay_below_the_step_cannot_cross_ranks(data: Path, allen_mechanisms: Path, two_ranks: None) -> None:
    config = data / "sonata/sim_tests/intfire/ten_cells_spikes_nrn/input/config.json"
    document = read(config, format="sonata")
    assert document.plan is not None
    plan = replace(document.plan, recordings=())
    with pytest.raises(PlanError, match="below the time step") as caught:
        simulate(document.network, plan, "neuron", processes=2, timeout=200)
    assert "one process" in caught.value.hint


def test_results_of_ranks_are_joined_in_the_order_of_rows() -> None:
    """Ids 7, 3, 5 in rows 0, 1, 2; the first rank has rows 0 and 2, two elements a cell."""
    ids = {"p": np.array([7, 3, 5])}
    place = {"section_ids": np.array([0, 1]), "section_pos": np.array([0.5, 0.5])}

    def trace(values: list[float], nodes: list[int]) -> Trace:
        where = {name: np.tile(column, len(nodes)) for name, column in place.items()}
        return Trace("r", "p", "v", "mV", np.array([values]), np.repeat(nodes, 2), 0.0, 0.1, **where)

    first = ({"p": Spikes("p", np.array([7, 5]), np.array([1.0, 3.0]))}, (trace([1.0, 2.0, 5.0, 6.0], [7, 5]),))
    second = ({"p": Spikes("p", np.array([3, 3]), np.array([1.0, 2.0]))}, (trace([3.0, 4.0], [3]),))
    whole = joined(Results(spikes=first[0], traces=first[1]), [first, second], ids)
    assert whole.spikes["p"].node_ids.tolist() == [3, 7, 3, 5]
    assert whole.spikes["p"].times.tolist() == [1.0, 1.0, 2.0, 3.0]
    (joint,) = whole.traces
    assert joint.node_ids.tolist() == [7, 7, 3, 3, 5, 5]
    assert joint.data.tolist() == [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    assert joint.section_ids is not None and joint.section_ids.tolist() == [0, 1] * 3


def test_a_report_of_cells_that_are_all_on_another_rank() -> None:
    ids = {"p": np.array([0, 1])}
    empty = Trace("r", "p", "v", "mV", np.zeros((2, 0)), np.zeros(0, dtype=np.int64), 0.0, 0.1)
    full = Trace("r", "p", "v", "mV", np.ones((2, 1)), np.array([1]), 0.0, 0.1, np.array([0]), np.array([0.5]))
    none = {"p": Spikes("p", np.zeros(0, dtype=np.int64), np.zeros(0))}
    whole = joined(Results(spikes=none, traces=(empty,)), [(none, (empty,)), (none, (full,))], ids)
    assert whole.traces[0].data.tolist() == [[1.0], [1.0]]
    assert whole.traces[0].section_pos is not None


@pytest.mark.slow
def test_coreneuron_gives_the_spikes_of_neuron(tmp_path: Path) -> None:
    """With a mechanism of NEURON's (hh) and one that is compiled for both engines."""
    write(tmp_path, "leak")
    made = network("hh", "leak")
    pulse = CurrentPulses(np.array([2.0]), np.array([5.0]), np.array([100.0]))
    plan = replace(
        PLAN,
        duration=120.0,
        timestep=0.025,
        celsius=6.3,
        stimuli=(Stimulus("pulse", pulse, "cortex"),),
        recordings=(Recording("soma", "v", "cortex"),),
    )
    options = {"mechanisms": [tmp_path], "timeout": 300}
    one = simulate(made, plan, "neuron", **options)
    core = simulate(made, plan, "neuron", coreneuron=True, **options)
    assert core.provenance["engine"] == "CoreNEURON" and one.provenance["engine"] == "NEURON"
    assert one.spike_count == core.spike_count > 3
    np.testing.assert_allclose(core.spikes["cortex"].times, one.spikes["cortex"].times, rtol=0, atol=1e-9)
    (ours,), (theirs,) = one.traces, core.traces
    assert ours.data.shape == theirs.data.shape == (4800, 1)
    np.testing.assert_allclose(theirs.data, ours.data, rtol=0, atol=1e-6)


def test_coreneuron_refuses_what_it_does_not_have(data: Path, allen_mechanisms: Path) -> None:
    document = read(data / "sonata/300_intfire/config.json", format="sonata")
    assert document.plan is not None
    with pytest.raises(PlanError, match="IntFire1"):
        simulate(document.network, document.plan, "neuron", coreneuron=True, timeout=200)


@pytest.mark.slow
def test_threads_change_no_spike(data: Path, allen_mechanisms: Path) -> None:
    document = read(data / "sonata/300_intfire/config.json", format="sonata")
    assert document.plan is not None
    one, two = (simulate(document.network, document.plan, "neuron", duration=1000.0, threads=count) for count in (1, 2))
    assert one.spike_count == 1159
    same(one, two)


@pytest.mark.slow
def test_a_mechanism_without_threads_runs_in_one_and_is_named(tmp_path: Path) -> None:
    """A LINEAR block, as in Allen's NaV, is not thread safe."""
    linear = "STATE { a b }\nINITIAL { SOLVE start }\nLINEAR start {\n ~ a + b = 1\n ~ a - b = 0\n}\n"
    write(tmp_path, "leak", LEAK + linear)
    made, types = network("leak"), network("leak").populations["cortex"].types
    made = replace(made, populations={"cortex": Population("cortex", 3, types)})
    report = Report()
    results = simulate(made, PLAN, "neuron", mechanisms=[tmp_path], threads=2, report=report)
    assert results.nodes["cortex"].tolist() == [0, 1, 2]
    (issue,) = [issue for issue in report if issue.code == "threads"]
    assert "leak is not thread safe" in issue.message
