"""Results as NWB: what pynwb reads, what its validator says, and that it comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import Phase, given, settings

from pynn_io import read_results
from pynn_io.errors import ReadError
from pynn_io.report import Report
from pynn_io.results import Results, Spikes
from tests.results.strategies import GRID, assert_same, results
from tests.results.test_sonata_readers import DATA, recorded

pynwb = pytest.importorskip("pynwb")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_what_pynwb_reads(tmp_path: Path) -> None:
    dated = replace(recorded(), provenance={"date": "2026-11-26T21:50:31+00:00"})
    dated.write(tmp_path / "run.nwb", to="nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "run.nwb"), "r") as io:
        file = io.read()
        assert file.session_start_time == datetime(2026, 11, 26, 21, 50, 31, tzinfo=UTC)
        frame = file.units.to_dataframe()
        assert len(frame) == 14
        cell = frame[(frame.population == "exc") & (frame.node_id == 2)].iloc[0]
        np.testing.assert_allclose(cell.spike_times, [0.002, 0.003])
        assert len(frame[frame.population == "silent"].iloc[1].spike_times) == 0
        series = file.processing["simulation"]["report_0_all_v"]
        np.testing.assert_array_equal(series.data[:], DATA)
        assert (series.starting_time, series.rate, series.unit) == (0.0005, 4000.0, "mV")
        elements = file.processing["simulation"]["report_0_all_v_elements"].to_dataframe()
        assert elements.node_id.tolist() == [7, 7, 7, 3, 3, 9]


def test_pynwb_finds_it_valid(tmp_path: Path) -> None:
    recorded().write(tmp_path / "run.nwb", to="nwb")
    assert not pynwb.validate(path=str(tmp_path / "run.nwb"))


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(expected=results(GRID))
def test_everything_comes_back(expected: Results) -> None:
    with TemporaryDirectory() as folder:
        expected.write(Path(folder) / "run.nwb", to="nwb")
        assert_same(read_results(Path(folder)), expected, rtol=1e-15)


def test_a_population_without_cells_before_others(tmp_path: Path) -> None:
    none = np.empty(0, np.int64)
    spikes = {
        "none": Spikes("none", none, np.empty(0)),
        "some": Spikes("some", np.array([3, 3]), np.array([1.0, 2.0])),
    }
    Results(spikes, nodes={"none": none, "some": np.array([3])}).write(tmp_path / "run.nwb", to="nwb")
    again = read_results(tmp_path / "run.nwb")
    assert again.spikes["some"].times.tolist() == [1.0, 2.0]
    assert again.spikes["some"].node_ids.tolist() == [3, 3]


def test_a_file_of_others(tmp_path: Path) -> None:
    file = pynwb.NWBFile("x", "y", datetime(2026, 1, 1, tzinfo=UTC))
    file.add_unit(spike_times=[0.5, 0.1], id=7)
    file.add_unit(spike_times=[0.2], id=9)
    file.add_acquisition(pynwb.TimeSeries(name="lfp", data=[1.0], unit="V", rate=10.0))
    with pynwb.NWBHDF5IO(str(tmp_path / "x.nwb"), "w") as io:
        io.write(file)
    report = Report()
    found = read_results(tmp_path / "x.nwb", report=report)
    assert found.spikes["units"].node_ids.tolist() == [7, 9, 7]
    np.testing.assert_allclose(found.spikes["units"].times, [100, 200, 500])
    assert report.codes() == {"results-time-series"}
    assert found.rates() == {"units": None}


def test_a_broken_file_is_a_read_error(tmp_path: Path) -> None:
    recorded().write(tmp_path / "run.nwb", to="nwb")
    with h5py.File(tmp_path / "run.nwb", "r+") as file:
        file["units/spike_times_index"][-1] = 99
    with pytest.raises(ReadError, match=r"run\.nwb:/units: spike_times_index does not divide"):
        read_results(tmp_path / "run.nwb")
    with h5py.File(tmp_path / "run.nwb", "r+") as file:
        del file["units/spike_times"]
    with pytest.raises(ReadError, match=r"run\.nwb: "):
        read_results(tmp_path / "run.nwb")
