"""OBI circuits on NEURON against the same model written by hand: same spikes, soma traces to 1e-6 mV."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.api import read
from pynn_io.errors import BackendUnavailable, MissingPart, PlanError, RunError
from pynn_io.graph.stimuli import (
    CurrentPulses,
    OrnsteinUhlenbeck,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    SynapseReplay,
)
from pynn_io.report import Report
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording
from pynn_io.simulation_plan.plan import Assignment, ConnectionOverride, Modification
from tests.runners.obi_cases import DURATION, FOLDER, QUIET, REPLAY, SOMA, STEP, assert_same, by_hand, plan, run

pytestmark = pytest.mark.slow


def test_templates_release_synapses_gap_junctions_and_replay(tmp_path: Path) -> None:
    report = Report()
    assert_same(run(plan(), report), by_hand(tmp_path), spikes=10)
    assert not report.refusals()


def test_spikes_at_the_axon_initial_segment(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"AIS.*axon\[1\]"):
        run(plan(spike_location="AIS"))
    pyramids = {"mtype": "L5_TPC"}
    results = run(plan(spike_location="AIS", node_set=pyramids, stimuli=()))
    assert set(results.nodes) >= {"left", "right"}
    assert results.nodes["left"].tolist() == [0, 1]


def test_part_of_the_circuit(tmp_path: Path) -> None:
    results = run(plan(node_set="Left"))
    assert "right" not in {trace.population for trace in results.traces}
    assert_same(results, by_hand(tmp_path, cells=["left"]), spikes=5)


def test_extracellular_calcium_scales_the_release_probability(tmp_path: Path) -> None:
    assert_same(run(plan(extracellular_calcium=1.2)), by_hand(tmp_path, calcium=1.2), spikes=0)


def test_overrides_in_order_weights_delays_assignments_and_globals(tmp_path: Path) -> None:
    configure = (Assignment("%s", "Use", 0.9), Assignment("", "tau_d_NMDA_ProbAMPANMDA_EMS", 20.0))
    overrides = (
        QUIET,
        ConnectionOverride("strong", "all", "all", weight=3.0),
        ConnectionOverride("weak", "Left", "Right", weight=0.5, synapse_delay=2.3),
        ConnectionOverride("sure", "Left", "Left", weight=1.5, configure=configure),
    )
    case = {
        "weight": {"left__right__chemical": 0.5, "left__left__chemical": 1.5, "drivers__left__chemical": 3.0},
        "delay": {"left__right__chemical": 2.3},
        "configure": {"left__left__chemical": {"Use": 0.9}},
        "globals": {"tau_d_NMDA_ProbAMPANMDA_EMS": 20.0},
        "exponential": 3.0,
    }
    assert_same(run(plan(overrides=overrides)), by_hand(tmp_path, **case), spikes=5)


def test_weights_that_change_during_the_run(tmp_path: Path) -> None:
    later = ConnectionOverride("cut", "Left", "Left", weight=0.0, delay=15.0)
    results = run(plan(overrides=(QUIET, later)))
    expected = by_hand(tmp_path, later={"left__left__chemical": [15.0, 0.0]})
    assert_same(results, expected, spikes=3)


def test_mechanism_variables_are_set_for_all_synapses(tmp_path: Path) -> None:
    variables = {("ProbAMPANMDA_EMS", "e_NMDA"): -20.0}
    results = run(plan(mechanism_variables=variables))
    assert_same(results, by_hand(tmp_path, globals={"e_NMDA_ProbAMPANMDA_EMS": -20.0}))


def test_modifications_change_sections_as_parsed(tmp_path: Path) -> None:
    changes = (
        Modification("leaky", "configure_all_sections", "Left", (Assignment("%s", "g_pas", 2e-4),)),
        Modification("calm", "section_list", "Right", (Assignment("somatic", "gnabar_hh", 0.5, "*="),)),
        Modification("one", "section", {"population": "left", "node_id": [2]}, (Assignment("dend[1]", "cm", 3.0),)),
    )
    cases = [["left", row, "all", "g_pas", 2e-4] for row in range(3)]
    cases += [["right", row, "somatic", "gnabar_hh", 0.1] for row in range(3)]
    cases += [["left", 2, "dend1", "cm", 3.0]]
    assert_same(run(plan(modifications=changes)), by_hand(tmp_path, set=cases))


def test_a_modification_without_effect_is_named() -> None:
    report = Report()
    nothing = Modification("typo", "configure_all_sections", "Left", (Assignment("%s", "gkbar_nothing", 0.0),))
    run(plan(modifications=(nothing,), duration=1.0), report)
    assert "modification-without-effect" in report.codes()


def test_an_override_of_a_variable_that_synapses_lack_is_refused() -> None:
    wrong = ConnectionOverride("typo", "Left", "Left", configure=(Assignment("%s", "Us", 1.0),))
    with pytest.raises(PlanError, match="sets Us, which synapses of the mechanism Prob"):
        run(plan(overrides=(QUIET, wrong), duration=1.0))


def test_an_unknown_kind_of_synapse_is_refused_by_name() -> None:
    wrong = ConnectionOverride("plastic", "Left", "Left", mod_override="GluSynapse")
    with pytest.raises(PlanError, match="'GluSynapse'"):
        run(plan(overrides=(QUIET, wrong), duration=1.0))


def test_miniature_events_come_at_the_rates_of_the_cells() -> None:
    """20, 21 and 22 Hz at each excitatory synapse of the right population (its column), none at the left one."""
    from pynn_io.runners.neuron import NeuronRunner

    lowered = NeuronRunner().lower(*_long(), Report())
    connections = next(item for item in lowered.connections if item.projection == "left__right__chemical")
    events = connections.release.events
    rates, windows = np.full(2000, 20.0), np.tile([0.0, 1000.0], (2000, 1))
    which, times = events.drawn(("left__right__chemical", 1, 0), rates, windows)
    counts = np.bincount(which, minlength=2000)
    assert counts.mean() == pytest.approx(20.0, abs=5 * np.sqrt(20 / 2000))
    assert counts.var() == pytest.approx(20.0, rel=0.2)
    assert np.histogram(times, 10, (0, 1000))[0].std() < 4 * np.sqrt(len(times) / 10)
    assert set(events.minis) == {"right"}
    np.testing.assert_allclose(events.minis["right"], [[10, 11, 12], [20, 21, 22]])


def _long() -> tuple:
    from tests.runners.obi_cases import network

    return network(), plan(duration=1000.0, overrides=())


def _told(name: str, mechanism: str = "ProbAMPANMDA_EMS", cells: str = "Right") -> Recording:
    return Recording(name, f"{mechanism}.{name}", cells, "all", kind="synapse", interval=STEP)


def test_synapses_are_told_their_streams_and_what_arrives() -> None:
    """Seeds by neurodamus's helpers (cell + 250, synapse + 100, populations + seed + 300); kinds of NetCons."""
    trains = SpikeTrains("left", np.array([0, 0, 1]), np.array([1.0, 2.0, 3.0]))
    replay = Stimulus("again", SynapseReplay(trains), "Right")
    names = ("synapseID", "stream1", "stream2", "stream3", "minis", "replays", "spikes", "conductance")
    results = run(
        plan(
            stimuli=(replay,),
            overrides=(ConnectionOverride("minis", "Left", "Right", spont_minis=500.0),),
            recordings=tuple(_told(name) for name in names),
            seeds={"synapse": 17},
            duration=10.0,
        )
    )
    last = {item.report: item.data[-1] for item in results.traces}
    # right cells 0 and 1 have synapses 0 (from left 0) and 0 (from left 1); cell 2 has synapse 0 (from left 0)
    assert results.traces[0].node_ids.tolist() == [0, 1, 2]
    assert last["synapseID"].tolist() == [0, 0, 0]
    assert last["stream1"].tolist() == [2001 + row + 250 for row in range(3)]
    assert last["stream2"].tolist() == [100, 100, 100]
    digest = [hashlib.md5(name.encode()).digest() for name in ("left", "right")]
    left, right = (((part[1] & 0x0F) << 8) + part[0] for part in digest)
    assert last["stream3"].tolist() == [left * 65536 + right + 17 + 300] * 3
    assert last["replays"].tolist() == [2, 1, 2]
    assert last["spikes"].tolist() == [0, 0, 0]
    assert (last["minis"] > 0).all()
    np.testing.assert_allclose(last["conductance"], [6.0, 6.1, 6.2], rtol=1e-6)


def test_events_at_given_times_on_chosen_synapses_that_silence_spikes() -> None:
    """BMTK's ``syn_activity``: the same times at every synapse from the sources, and no spike crosses any synapse."""
    burst = SpontaneousSynapses(source={"population": "left", "node_id": [1]}, times=(2.0, 4.0), silences_others=True)
    drive = Stimulus("drive", CurrentPulses(np.array([1.0]), np.array([0.0]), np.array([30.0])), "Left")
    results = run(
        plan(
            stimuli=(Stimulus("burst", burst, "Right"), drive),
            recordings=(_told("minis"), _told("spikes"), _told("g"), SOMA),
            duration=30.0,
        )
    )
    last = {item.report: item.data[-1] for item in results.traces if item.population == "right"}
    assert last["minis"].tolist() == [0, 2, 0]
    assert len(results.spikes["left"].times) > 0
    conductance = next(item.data for item in results.traces if item.report == "g")
    assert conductance[:, [0, 2]].max() == 0  # spikes of left cells arrive with weight 0
    assert conductance[:, 1].max() > 0


def test_the_same_run_again_gives_the_same_numbers() -> None:
    what = plan(overrides=(), duration=20.0)
    first, second = run(what), run(what)
    for one, other in zip(first.traces, second.traces, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_configuration_file_runs_as_the_plan_that_it_states() -> None:
    document = read(FOLDER / "simulation_config.json")
    assert document.plan is not None
    stated = replace(document.plan, overrides=(QUIET,), duration=DURATION, recordings=(SOMA,))
    from_file, from_plan = simulate(document.network, stated, "neuron"), run(plan())
    for one, other in zip(from_file.traces, from_plan.traces, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_missing_template_and_a_template_that_fails_name_themselves(tmp_path: Path) -> None:
    circuit = tmp_path / "net"
    shutil.copytree(FOLDER, circuit)
    (circuit / "components" / "hoc" / "NetBasket.hoc").unlink()
    here = read(circuit / "circuit_config.json").network
    with pytest.raises(MissingPart, match=r"(?s)'NetBasket' was not found.*components/hoc"):
        simulate(here, plan(duration=1.0), "neuron")
    (circuit / "components" / "hoc" / "NetBasket.hoc").write_text("begintemplate NetBasket\nendtemplate NetBasket\n")
    with pytest.raises(RunError, match=r"NetBasket|template"):
        simulate(here, plan(duration=1.0), "neuron")


def test_two_ranks_give_what_one_gives() -> None:
    """Gap junctions, miniature events, noise, later weights and every report over two MPI processes."""
    noise = Stimulus("ou", OrnsteinUhlenbeck(2.5, 0.05, 0.02, 3.0, 30.0), "Right")
    recordings = (
        SOMA,
        Recording("all", "v", "Cells", sections="all", interval=0.1),
        Recording("total", "i_membrane, IClamp", "Cells", kind="summation"),
    )
    later = ConnectionOverride("cut", "Left", "Left", weight=0.0, delay=15.0)
    what = plan(overrides=(later,), recordings=recordings, stimuli=(REPLAY, noise))
    try:
        two = run(what, processes=2)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    one = run(what)
    for name, spikes in one.spikes.items():
        np.testing.assert_array_equal(spikes.times, two.spikes[name].times)
        np.testing.assert_array_equal(spikes.node_ids, two.spikes[name].node_ids)
    assert one.spike_count > 5
    for first, second in zip(one.traces, two.traces, strict=True):
        assert first.node_ids.tolist() == second.node_ids.tolist()
        np.testing.assert_allclose(first.data, second.data, atol=1e-9)
