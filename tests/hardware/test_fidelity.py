"""Connections asked for and stored, matched by hand-made cases, and the numbers of the report by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynn_io.cli.run_mapped import fidelity_lines
from pynn_io.errors import FormatError, NotExecuted, RunError
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.fidelity import (
    Fidelity,
    Machine,
    Wires,
    compare_wires,
    lines_of,
    projection_fidelity,
    spike_fidelity,
)
from pynn_io.results.mapped import Mapped
from pynn_io.runners.spinnaker import config
from pynn_io.show.plot_results import draw_results
from tests.hardware.nets import network, plan


def wires(*rows):
    """Rows of source, target, weight, delay."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Wires(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2], table[:, 3])


def test_errors_by_hand():
    asked = wires((0, 0, 0.11, 1.0), (0, 1, 0.24, 2.4), (1, 0, 0.05, 0.2))
    stored = wires((1, 0, 0.0, 1.0), (0, 1, 0.25, 2.0), (0, 0, 0.125, 1.0))
    found = projection_fidelity("p-0", "p", "excitatory", "nA", 0.125, asked, stored, 1.0)
    assert found.largest_weight_error == pytest.approx(0.05)
    assert found.mean_weight_error == pytest.approx((0.015 + 0.01 + 0.05) / 3)
    assert found.largest_relative_error == pytest.approx(0.015 / 0.11)  # what becomes 0 is counted apart
    assert (found.underflows, found.dropped_signs, found.lost, found.added) == (1, 0, 0, 0)
    assert (found.delays_moved, found.largest_delay_error) == (2, pytest.approx(0.8))
    assert found.mean_delay_error == pytest.approx((0.4 + 0.8) / 3)


def test_a_sign_that_the_receptor_does_not_tell():
    found = projection_fidelity("p", "p", "excitatory", "nA", 0.1, wires((0, 0, -1, 1)), wires((0, 0, 1, 1)), 1.0)
    assert found.dropped_signs == 1
    found = projection_fidelity("p", "p", "inhibitory", "nA", 0.1, wires((0, 0, -1, 1)), wires((0, 0, 1, 1)), 1.0)
    assert (found.dropped_signs, found.largest_weight_error) == (0, 0.0)


def test_several_connections_of_a_pair_are_matched_by_delay_then_weight():
    asked = wires((0, 0, 3.2, 1.0), (0, 0, 1.1, 2.0), (0, 0, 2.1, 1.2))
    stored = wires((0, 0, 1.0, 2.0), (0, 0, 2.0, 1.0), (0, 0, 3.0, 1.0))
    ours, theirs, lost, added = compare_wires(asked, stored, 1.0)
    assert (ours.weight.tolist(), theirs.weight.tolist()) == ([2.1, 3.2, 1.1], [2.0, 3.0, 1.0])
    assert (lost, added) == (0, 0)


def test_connections_without_a_partner_are_counted():
    asked = wires((0, 0, 1, 1), (0, 1, 2, 1), (2, 2, 3, 1), (2, 2, 4, 1))
    stored = wires((2, 2, 3, 1), (0, 1, 2, 1), (5, 5, 9, 1))
    ours, theirs, lost, added = compare_wires(asked, stored, 1.0)
    assert (ours.weight.tolist(), theirs.weight.tolist()) == ([2, 3], [2, 3])
    assert (lost, added) == (2, 1)


EDGES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(-4, 4), st.floats(0, 6)), min_size=1, max_size=40
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(EDGES, st.randoms(use_true_random=False))
def test_rounding_finds_every_partner_whatever_the_order(rows, random):
    """Half a step of weight and half a step of time at most (from 0 up to one step): the bounds of rounding."""
    stored = [(a, b, np.rint(abs(w) / 0.25) * 0.25, max(np.rint(d), 1.0)) for a, b, w, d in rows]
    random.shuffle(stored)
    ours, theirs, lost, added = compare_wires(wires(*rows), wires(*stored), 1.0)
    assert (lost, added) == (0, 0)
    assert np.all(np.abs(np.abs(ours.weight) - theirs.weight) <= 0.125)
    assert np.all(np.abs(np.maximum(ours.delay, 0.5) - theirs.delay) <= 0.5)


def test_no_connections():
    found = projection_fidelity("p", "p", "excitatory", "nA", 0.1, wires(), wires(), 1.0)
    assert (found.connections, found.largest_weight_error, found.mean_delay_error) == (0, 0.0, 0.0)


def test_spikes():
    found = spike_fidelity("in", np.array([1.0, 2.25, 3.5]), np.array([1.0, 3.0, 4.0]), 1.0)
    assert (found.spikes, found.moved, found.largest_move) == (3, 2, 0.75)
    assert found.mean_move == pytest.approx(1.25 / 3)


@pytest.mark.parametrize(
    ("level", "said"), [("maps", "mapped, not executed: there are no"), ("emits", "a job was written, and nothing ran")]
)
@pytest.mark.parametrize(
    "use",
    [
        lambda results, folder: results.write(folder / "out"),
        lambda results, folder: results.write(folder / "out.nix", to="nix"),
        lambda results, _: results.to_neo(),
        lambda results, folder: draw_results(results, folder / "x.png"),
    ],
)
def test_where_nothing_ran_nothing_looks_like_silence(use, level, said, tmp_path):
    with pytest.raises(NotExecuted, match=said):
        use(Results(level=level), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_and_signs_are_told_in_words():
    asked = wires((0, 0, -1, 1), (1, 0, 1, 1), (2, 0, 1, 1))
    stored = wires((0, 0, 1, 1), (1, 0, 1, 1), (3, 0, 1, 1))
    one = projection_fidelity("a-0", "a", "excitatory", "nA", 0.1, asked, stored, 1.0)
    told = "\n".join(lines_of(Fidelity("chip", "executed", 1.0, 1, Machine(1, 1, 1, 1, 1, 1, 0, 0), (one,), ())))
    assert "1 of 3 weights lose their sign" in told
    assert "1 of 3 connections are not there" in told
    assert "1 connections are there that were not asked for" in told


def report_of_one_source():
    """Three spikes, of which two wait for the next step, by 0.5 and 0.25 ms."""
    asked, given = np.array([1.0, 2.5, 3.75]), np.array([1.0, 3.0, 4.0])
    sources = (spike_fidelity("retina", asked, given, 1.0),)
    one = projection_fidelity("a-0", "a", "excitatory", "nA", 0.1, wires((0, 0, -1, 1)), wires((0, 0, 1, 1)), 1.0)
    return Fidelity("chip", "mapped, not executed", 1.0, 1, Machine(1, 1, 1, 1, 1, 1, 0, 0), (one,), sources)


def test_the_table_has_signs_and_spikes_of_sources():
    lines = [line.split() for line in fidelity_lines(report_of_one_source())]
    assert ["retina", "3", "2", "0.5", "ms", "0.25", "ms"] in lines
    header = next(line for line in lines if line[0] == "projection")
    assert " ".join(header).endswith("to 0 signs lost delays moved by at most")
    assert next(line for line in lines if line[0] == "a-0")[-5:] == ["0", "1", "0", "0", "ms"]


def test_the_picture_has_spikes_of_sources(tmp_path):
    pytest.importorskip("matplotlib")
    from pynn_io.results.mapped import Mapped
    from pynn_io.show.plot_fidelity import draw_fidelity

    fidelity = report_of_one_source()
    pair = (wires((0, 0, -1, 1)), wires((0, 0, 1, 1)))
    draw_fidelity(Mapped(fidelity=fidelity, wires=(pair,)), tmp_path / "x.svg", title="x")
    text = (tmp_path / "x.svg").read_text()
    assert "x: mapped, not executed" in text and "Input spikes that move to a step" in text
    assert "2 of 3" in text and "a-0" in text


def test_axes_of_weights_have_labels_at_powers_of_ten_alone():
    """From 0.0025 to 0.065 nA, with labels between, they ran into each other."""
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from pynn_io.show.plot_fidelity import _whole_decades

    axes = Figure().subplots()
    axes.plot([0.0025, 0.065], [1e-3, 0.02])
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        _whole_decades(axis)
        assert {label.get_text() for label in axis.get_ticklabels(minor=True)} <= {""}
    assert axes.get_xlim() == pytest.approx((1e-3, 0.1))
    assert axes.get_ylim() == pytest.approx((1e-4, 0.1))


def test_spikes_at_0_are_emulated_a_step_later(monkeypatch):
    """The chip sends them, as its users' scripts do; NEST has no step there."""
    from pynn_io import emulation

    ran = []
    monkeypatch.setattr(emulation, "simulate", lambda _, plan, *__, **___: ran.append(plan) or Results())
    facts = {"simulator": "sPyNNaker", "simulator_version": "7", "plan": "made"}
    stored = Mapped(fidelity=report_of_one_source(), network=network(), plan=plan(spikes=(0.0, 3.0)), provenance=facts)
    report = Report()
    emulation.emulate(stored, report=report)
    (stimulus,) = ran[0].stimuli
    assert stimulus.what.times.tolist() == [1.0, 3.0, 1.0, 3.0]
    assert [(issue.code, issue.where, issue.count) for issue in report] == [("late-spikes", "population in", 2)]


def test_results_of_no_chip_are_not_emulated():
    from pynn_io.emulation import emulate

    with pytest.raises(RunError, match="of no chip"):
        emulate(Results())


# --- settings -------------------------------------------------------------------------------------------------------


def machine(**options):
    text = config.settings(config.board_of(options), "folder")
    return text.partition("[Mode]")[0].splitlines()[1:]


def test_settings_of_each_kind_of_machine():
    assert machine() == ["virtual_board = True", "version = 5"]
    assert machine(board="spinn.example.org") == ["machine_name = spinn.example.org", "version = 5"]
    assert machine(spalloc="https://spalloc.example.org/spalloc") == [
        "spalloc_server = https://spalloc.example.org/spalloc"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"board": "a", "spalloc": "b"}, "two places"),
        ({"board": "a\n[Machine]"}, "is no address"),
        ({"spalloc": "https://me:secret@example.org"}, "a name or a password in it"),
    ],
)
def test_machines_that_cannot_be(options, message):
    with pytest.raises(FormatError, match=message) as caught:
        config.board_of(options)
    assert "secret" not in str(caught.value)


def test_an_emulation_can_be_compared_and_a_mapping_cannot():
    from pynn_io.results.compare import Verdict, compare
    from pynn_io.results.results import Spikes

    spikes = {"cells": Spikes("cells", np.array([0, 1]), np.array([5.0, 6.0]))}
    nodes = {"cells": np.arange(2)}
    ran = Results(spikes, nodes=nodes, duration=10.0)
    assert compare(ran, Results(spikes, nodes=nodes, duration=10.0, level="emulates")).verdict is Verdict.EQUAL
    assert compare(ran, Results(spikes, nodes=nodes, duration=10.0, level="maps")).verdict is Verdict.NOT_COMPARABLE
