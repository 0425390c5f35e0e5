"""The distributions of runs laid over each other, against numbers by hand; and that they can be drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.results import Results
from pynn_io.results.results import sorted_spikes
from pynn_io.show.plot_histograms import FEWEST, POPULATIONS, draw_histograms, histograms_of

CELLS, SPIKES = 12, 5


def regular(every: float = 100.0, cells: int = CELLS, name: str = "p") -> Results:
    """Cells that fire SPIKES times, cell k every ``every + k`` ms, in a second."""
    ids = np.repeat(np.arange(cells), SPIKES)
    times = np.tile(np.arange(1, SPIKES + 1), cells) * (every + ids)
    return Results({name: sorted_spikes(name, ids, times)}, nodes={name: np.arange(cells)}, duration=1000.0)


def test_the_numbers_of_regular_cells():
    (found,) = histograms_of([("a", regular()), ("b", regular(50.0))])
    own = {one.measure: one for one in found}
    assert list(own) == ["rate", "interval", "cv", "correlation"]
    assert own["rate"].samples[0].tolist() == [5.0] * CELLS  # five spikes in a second
    for sample, every in zip(own["interval"].samples, (100, 50), strict=True):
        assert sorted(sample) == sorted(list(every + np.arange(CELLS)) * (SPIKES - 1))
    assert np.allclose(own["cv"].samples[0], 0)
    assert len(own["correlation"].samples[0]) == CELLS * (CELLS - 1) / 2


def test_silent_cells_have_a_rate():
    quiet = replace(regular(), nodes={"p": np.arange(20)})
    (found,) = histograms_of([("a", regular()), ("b", quiet)])
    assert [sorted(set(sample)) for sample in found[0].samples] == [[0.0, 5.0]] * 2
    assert [len(sample) for sample in found[0].samples] == [20, 20]


@pytest.mark.parametrize("measure", ["rate", "interval", "cv", "correlation"])
def test_every_number_is_in_a_bin_where_they_are_few(measure):
    (found,) = histograms_of([("a", regular()), ("b", regular(50.0))])
    one = next(each for each in found if each.measure == measure)
    assert [np.histogram(sample, one.edges)[0].sum() for sample in one.samples] == [len(each) for each in one.samples]
    assert np.all(np.diff(one.edges) > 0)


def test_too_few_numbers_are_no_distribution(tmp_path: Path):
    assert FEWEST <= CELLS
    few = regular(cells=2)  # two rates, eight intervals
    assert histograms_of([("a", few), ("b", few)]) == []
    assert draw_histograms([("a", few), ("b", few)], tmp_path / "a.png") is False
    assert list(tmp_path.iterdir()) == []
    (found,) = histograms_of([("a", regular(cells=3)), ("b", regular(cells=3))])
    assert [one.measure for one in found] == ["interval"]  # twelve


def test_a_run_without_spikes_is_shown_by_its_rates():
    silent = Results(nodes={"p": np.arange(CELLS)}, duration=1000.0)
    (found,) = histograms_of([("a", regular()), ("b", silent)])
    assert found[0].samples[1].tolist() == [0.0] * CELLS
    assert len(found[1].samples[1]) == 0


def test_the_populations_with_most_spikes():
    runs = [regular(cells=CELLS + number, name=f"p{number}") for number in range(POPULATIONS + 1)]
    both = Results({name: one for run in runs for name, one in run.spikes.items()}, duration=1000.0)
    names = [rows[0].population for rows in histograms_of([("a", both), ("b", both)])]
    assert names == ["p4", "p3", "p2", "p1"]


def test_a_picture_names_what_it_shows(tmp_path: Path):
    path = tmp_path / "a.svg"
    assert draw_histograms([("published", regular()), ("nest", regular(50.0))], path, null=[regular(90.0)] * 5)
    text = path.read_text()
    for words in ("published", "nest", "5 other seeds", "rate", "interval", "CV of intervals", "correlation"):
        assert words in text
    assert "Hz (mean 5, 5)" in text
