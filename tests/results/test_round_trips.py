"""Whatever results hold comes back from every format that promises to keep it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from pynn_io.errors import WriteError
from pynn_io.results import Results, Spikes, read_results, sorted_spikes
from tests.results.strategies import assert_same, results


@pytest.mark.parametrize("to", ["sonata", "nix"])
@settings(max_examples=20, deadline=None)
@given(expected=results())
def test_everything_comes_back(to: str, expected: Results) -> None:
    with TemporaryDirectory() as folder:
        expected.write(Path(folder) / "out", to=to)
        assert_same(read_results(Path(folder) / "out"), expected)


@pytest.mark.parametrize("to", ["sonata", "nix"])
def test_empty_results(to: str, tmp_path: Path) -> None:
    Results().write(tmp_path / "out", to=to)
    found = read_results(tmp_path / "out")
    assert (found.spike_count, found.traces, dict(found.nodes), found.duration) == (0, (), {}, None)


@pytest.mark.parametrize("to", ["sonata", "nix"])
def test_unsorted_spikes_are_sorted_when_written(to: str, tmp_path: Path) -> None:
    unsorted = Spikes("p", np.array([2, 1, 0, 3]), np.array([5.0, 1.0, 1.0, 0.5]))
    Results(spikes={"p": unsorted}).write(tmp_path / "out", to=to)
    found = read_results(tmp_path / "out").spikes["p"]
    assert found.times.tolist() == [0.5, 1.0, 1.0, 5.0]
    assert found.node_ids.tolist() == [3, 0, 1, 2]


def test_sorted_by_time_then_node() -> None:
    spikes = sorted_spikes("p", np.array([7, 1, 1], dtype=np.uint64), np.array([2.0, 2.0, 1.0]))
    assert spikes.node_ids.tolist() == [1, 1, 7]
    assert spikes.node_ids.dtype == np.int64


@pytest.mark.parametrize("to", ["sonata", "nix"])
def test_what_exists_is_not_touched(to: str, tmp_path: Path) -> None:
    Results(duration=1.0).write(tmp_path / "out", to=to)
    with pytest.raises(WriteError, match="exists already"):
        Results(duration=2.0).write(tmp_path / "out" if to == "sonata" else tmp_path / "out/results.nix", to=to)
    assert read_results(tmp_path / "out").duration == 1.0
    Results(duration=2.0).write(tmp_path / "out", to=to, overwrite=True)
    assert read_results(tmp_path / "out").duration == 2.0
