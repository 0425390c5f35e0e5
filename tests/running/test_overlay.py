"""What the picture of several backends over each other shows, as values, and that it can be drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.results import Results, Spikes, Trace
from pynn_io.show.plot_overlay import COLOURS, ROWS, TRACES, draw_overlay, raster_of, shared_lines


def spiking(ids: list[int], times: list[float], name: str = "p") -> Results:
    return Results({name: Spikes(name, np.array(ids, dtype=np.int64), np.array(times, dtype=float))}, duration=100.0)


def trace(nodes: list[int], report: str = "v", variable: str = "v", level: float = 0.0, **more: np.ndarray) -> Trace:
    data = level + np.arange(3.0)[:, None] + 10.0 * np.arange(len(nodes))
    return Trace(report, "p", variable, "mV", data, np.array(nodes, dtype=np.int64), 0.0, 1.0, **more)


def test_a_cell_has_one_row_on_all_backends():
    """Cells 3 and 9 spike on the first, 5 and 9 on the second: rows 0 (3), 1 (5), 2 (9)."""
    found = raster_of([("a", spiking([9, 3], [1, 2])), ("b", spiking([5, 9], [3, 4]))])
    assert (found.labels, found.step) == (["p 3", "p 5", "p 9"], 1)
    assert [rows.tolist() for rows, _ in found.spikes] == [[2, 0], [1, 2]]
    assert [times.tolist() for _, times in found.spikes] == [[1, 2], [3, 4]]


def test_a_population_that_one_backend_lacks_keeps_its_rows():
    found = raster_of([("a", spiking([0], [1], "q")), ("b", spiking([0], [2], "p"))])
    assert found.labels == ["q 0", "p 0"]
    assert [rows.tolist() for rows, _ in found.spikes] == [[0], [1]]


def test_many_cells_are_thinned_evenly_and_no_spike_of_the_rest_is_cut():
    cells = 4 * ROWS
    ids = list(range(cells)) * 500
    found = raster_of([("a", spiking(ids, np.arange(len(ids)).tolist()))])
    assert (found.step, found.cells, len(found.labels)) == (4, cells, ROWS)
    rows, times = found.spikes[0]
    assert len(rows) == ROWS * 500 and np.bincount(rows).tolist() == [500] * ROWS
    assert times[0] == 0 and times[1] == 4


def test_no_spikes_are_an_empty_raster():
    found = raster_of([("a", spiking([], [])), ("b", Results())])
    assert (found.labels, [len(rows) for rows, _ in found.spikes]) == ([], [0, 0])


def test_a_cell_is_found_whatever_recording_and_variable_are_called():
    first = Results(traces=(trace([4, 7]),))
    other = Results(traces=(trace([7, 4], "v_of_p", "V_m", 100.0),))
    one, two = shared_lines([("a", first), ("b", other)])
    assert (one.line.cell, two.line.cell) == (4, 7)
    assert one.found[1].values.tolist() == [110, 111, 112]
    assert two.found[1].values.tolist() == [100, 101, 102]


def test_other_places_variables_and_units_are_not_taken_for_the_same():
    soma = {"section_ids": np.array([0]), "section_pos": np.array([0.5])}
    tip = {"section_ids": np.array([3]), "section_pos": np.array([1.0])}
    known = Results(traces=(trace([4], **soma),))
    others = [trace([4], **tip), trace([4], variable="cai", **soma), replace(trace([4], **soma), unit="V"), trace([5])]
    runs = [("a", known), *((str(number), Results(traces=(one,))) for number, one in enumerate(others))]
    (found,) = shared_lines(runs)
    assert found.found[0] is not None and found.found[1:] == [None] * 4


def test_a_recording_without_a_unit_is_the_same():
    """Older versions of BMTK state none: the published line stood alone."""
    known, found = replace(trace([4]), unit=""), trace([4], "v_of_p", "V_m")
    (shared,) = shared_lines([("published", Results(traces=(known,))), ("found", Results(traces=(found,)))])
    assert None not in shared.found


def test_recordings_take_turns_and_the_first_run_may_have_none():
    known = Results(traces=(trace(list(range(9)), "one"), trace([2], "two", "cai")))
    found = list(shared_lines([("none", Results()), ("a", known)]))
    assert [(one.trace.report, one.line.cell) for one in found] == [("one", 0), ("two", 2), ("one", 1), ("one", 2)]
    assert len(found) == TRACES and all(one.found[0] is None for one in found)


@pytest.mark.parametrize("count", [1, 3, len(COLOURS) + 1])
def test_every_run_has_its_strokes_and_lines_in_its_colour(tmp_path, count):
    pytest.importorskip("matplotlib")
    run = replace(spiking([0, 1], [10, 20]), traces=(trace([0]),))
    draw_overlay([(f"run{number}", run) for number in range(count)], tmp_path / "a.svg", title="three")
    picture = (tmp_path / "a.svg").read_text().lower()
    assert all(f"run{number} (2 spikes)" in picture for number in range(count))
    assert all(picture.count(colour.lower()) >= 4 for colour in COLOURS[:count])  # strokes, line, and both keys


@pytest.mark.parametrize("results", [Results(), Results(traces=(trace([]),)), spiking([], [])])
def test_nothing_can_be_drawn_too(tmp_path, results):
    pytest.importorskip("matplotlib")
    draw_overlay([("a", results)], tmp_path / "a.svg")
    assert "No cell spiked." in (tmp_path / "a.svg").read_text()
