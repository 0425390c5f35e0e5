"""What a picture of results shows, as values, and that every kind of result can be drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import WriteError
from pynn_io.graph import Network, Population
from pynn_io.graph.columns import Column
from pynn_io.results import Results, Trace
from pynn_io.results.results import sorted_spikes
from pynn_io.show.activity import (
    CELLS,
    EXCITATORY,
    INHIBITORY,
    SAMPLES,
    bin_width,
    distribution,
    groups,
    rate,
    recordings,
    thinning,
)
from pynn_io.show.plot_results import draw_results
from tests.models import MODELS, table


def results_of(name: str, ids: list[int], times: list[float], nodes: list[int], duration: float = 100.0) -> Results:
    return Results(
        {name: sorted_spikes(name, np.array(ids), np.array(times, dtype=float))},
        nodes={name: np.array(nodes)},
        duration=duration,
    )


def test_a_population_is_split_by_type_with_its_excitatory_cells_first():
    """Rows of types: 0 0 1 0 1, Scnn1a is ``e`` and PV1 ``i``; cell 4 spikes twice, cell 2 never."""
    network = MODELS["two_types"]().network
    exc, inh = groups(results_of("cortex", [4, 0, 4, 3], [1, 2, 3, 4], [0, 1, 2, 3, 4]), network)
    assert (exc.role, exc.nodes.tolist()) == (EXCITATORY, [0, 1, 3])
    assert (inh.role, inh.nodes.tolist()) == (INHIBITORY, [2, 4])
    assert (exc.cells.tolist(), exc.times.tolist()) == ([0, 2], [2.0, 4.0])
    assert (inh.cells.tolist(), inh.times.tolist()) == ([1, 1], [1.0, 3.0])


def test_ids_that_are_no_rows_find_their_types():
    population = Population(
        "p",
        3,
        table(2, id=[1, 2], cell=["a", "b"], ei=["e", "i"]),
        Column(np.array([1, 0, 1])),
        table(3, id=[30, 10, 20]),
    )
    exc, inh = groups(results_of("p", [10, 30], [5, 6], [10, 20, 30]), Network("n", {"p": population}))
    assert (exc.nodes.tolist(), inh.nodes.tolist()) == ([10], [20, 30])
    assert inh.cells.tolist() == [1]


def test_a_column_of_the_obi_dialect_splits_a_population_of_one_type():
    population = Population("p", 3, table(1, id=[1], cell=["a"]), table=table(3, synapse_class=["EXC", "INH", "EXC"]))
    found = groups(results_of("p", [1], [5], [0, 1, 2]), Network("n", {"p": population}))
    assert [(group.role, group.nodes.tolist()) for group in found] == [(EXCITATORY, [0, 2]), (INHIBITORY, [1])]


@pytest.mark.parametrize(
    ("name", "role"), [("L4_Exc", EXCITATORY), ("inh", INHIBITORY), ("e23", EXCITATORY), ("I4", INHIBITORY), ("v1", "")]
)
def test_a_name_may_say_what_cells_do(name, role):
    assert [group.role for group in groups(results_of(name, [0], [1], [0]))] == [role]


def test_spikes_of_cells_that_nobody_named_are_drawn_too():
    (group,) = groups(results_of("p", [7, 3], [1, 2], [3]))
    assert (group.nodes.tolist(), group.cells.tolist()) == ([3, 7], [1, 0])


def test_rates_are_a_mean_over_the_cells():
    """Two spikes of four cells in 10 ms are 50 Hz; the last bin is cut to 5 ms: one spike there is 50 Hz again."""
    (group,) = groups(results_of("p", [0, 1, 2], [1, 2, 12], [0, 1, 2, 3], 15.0))
    edges, rates = rate(group, 15.0, 10.0)
    assert edges.tolist() == [0.0, 10.0, 15.0]
    assert rates == pytest.approx([50.0, 50.0])


@pytest.mark.parametrize(
    ("duration", "width"), [(10.0, 1.0), (200.0, 1.0), (300.0, 2.0), (3000.0, 20.0), (1e6, 5000.0)]
)
def test_bins_are_round(duration, width):
    assert bin_width(duration) == width


def test_the_distribution_of_rates():
    """Of four cells in 100 ms: two silent, one spike (10 Hz), three spikes (30 Hz)."""
    edges, (shares,) = distribution(groups(results_of("p", [0, 1, 1, 1], [1, 2, 3, 4], [0, 1, 2, 3])), 100.0)
    assert dict(zip(((edges[:-1] + edges[1:]) / 2).round(6).tolist(), shares.tolist(), strict=True)) == {
        0.0: 0.5,
        10.0: 0.25,
        20.0: 0.0,
        30.0: 0.25,
    }


def test_a_large_raster_is_thinned_by_whole_cells():
    cells = 10 * CELLS
    assert thinning(groups(results_of("p", [0], [1], list(range(cells))))) == 10
    assert thinning(groups(results_of("p", [0], [1], [0, 1]))) == 1


def trace(data: np.ndarray, ids: list[int], **more) -> Trace:
    return Trace("soma", "p", "v", "mV", data, np.array(ids), 0.0, 0.1, **more)


def test_a_long_trace_keeps_its_peaks():
    values = np.zeros((100_000, 1))
    values[54_321], values[77_777] = 40.0, -90.0
    (found,) = recordings(Results(traces=(trace(values, [0]),)))
    line = found.lines[0][0]
    assert len(line.values) <= SAMPLES + 2
    assert line.values.max() == 40.0 and line.times[line.values.argmax()] == pytest.approx(5432.1)
    assert line.values.min() == -90.0 and line.times[line.values.argmin()] == pytest.approx(7777.7)
    assert (np.diff(line.times) >= 0).all()


def test_places_of_a_cell_are_named():
    sections = {"section_ids": np.array([0, 3, 0]), "section_pos": np.array([0.5, 0.25, 0.5])}
    (found,) = recordings(Results(traces=(trace(np.zeros((5, 3)), [4, 4, 9], **sections),)))
    assert [[(line.cell, line.place) for line in lines] for lines in found.lines] == [
        [(4, "section 0 (0.5)"), (4, "section 3 (0.25)")],
        [(9, "")],
    ]


RESULTS = {
    "nothing": Results(),
    "silent": results_of("p", [], [], [0, 1]),
    "one cell": results_of("p", [0], [5], [0]),
    "many": results_of("p", list(range(500)), list(np.linspace(0, 99, 500)), list(range(5000))),
    "no duration": Results({"p": sorted_spikes("p", np.array([1]), np.array([3.0]))}),
    "traces": Results(
        traces=(trace(np.random.default_rng(1).normal(size=(50, 2)), [0, 1]), trace(np.zeros((50, 1)), [0]))
    ),
    "not a number": Results(traces=(trace(np.full((50, 1), np.nan), [0]),)),
    "tiny": Results(traces=(trace(np.full((50, 1), 3e-9), [0]),)),
    "empty trace": Results(traces=(trace(np.zeros((0, 1)), [0]), trace(np.zeros((4, 0)), []))),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_kind_of_result_can_be_drawn(name, tmp_path, recwarn):
    pytest.importorskip("matplotlib")
    draw_results(RESULTS[name], tmp_path / "x.png", title="x")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert [str(one.message) for one in recwarn] == []


def test_a_picture_of_an_emulation_says_that_it_is_one(tmp_path):
    pytest.importorskip("matplotlib")
    facts = {"simulator": "NEST", "simulator_version": "3", "emulates": "SpiNNaker 1"}
    draw_results(replace(RESULTS["one cell"], provenance=facts), tmp_path / "x.svg")
    assert "an approximation of SpiNNaker 1   NEST 3" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(("ending", "magic"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_other_pictures_stay_small(tmp_path, ending, magic):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"x.{ending}"
    draw_results(RESULTS["many"], path)
    assert path.read_bytes().startswith(magic) and path.stat().st_size < 300_000


def test_a_picture_that_cannot_be_written(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(WriteError, match="the picture cannot be written"):
        draw_results(RESULTS["one cell"], tmp_path / "nowhere" / "x.png")
