"""The files of a LEMS simulation: tab-separated SI units, as jNeuroML writes them, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io.errors import ReadError
from pynn_io.report import Report
from pynn_io.results import Results, lems
from pynn_io.results.files import write_results
from pynn_io.results.results import EventTable, QuantityTable

TIMES = np.array([0.0, 0.1, 0.2])
TABLE = QuantityTable(
    "of0",
    "results/v.dat",
    (("a", "pop[0]/v"), ("b", "pop[1]/v")),
    TIMES,
    np.array([[-0.065, 1], [-0.06, np.nan], [0, 2]]),
)


def test_columns_are_in_si_units(tmp_path: Path) -> None:
    (path,) = lems.write(Results(tables=(TABLE,)), tmp_path, Report())
    assert path == tmp_path / "results" / "v.dat"
    assert path.read_text() == "0.0\t-0.065\t1.0\n0.0001\t-0.06\tNaN\n0.0002\t0.0\t2.0\n"
    back = lems.read_quantities(path, "of0", "results/v.dat", TABLE.columns)
    np.testing.assert_allclose(back.times, TIMES, rtol=1e-15)
    np.testing.assert_array_equal(back.data, TABLE.data)


@pytest.mark.parametrize(("time_first", "text"), [(False, "3\t0.001\n1\t0.002\n"), (True, "0.001\t3\n0.002\t1\n")])
def test_events(time_first: bool, text: str, tmp_path: Path) -> None:
    table = EventTable("s", "spikes.txt", np.array([3, 1]), np.array([1.0, 2.0]), time_first)
    (path,) = lems.write(Results(tables=(table,)), tmp_path, Report())
    assert path.read_text() == text
    back = lems.read_events(path, "s", "spikes.txt", time_first=time_first)
    assert (back.ids.tolist(), back.times.tolist()) == ([3, 1], [1.0, 2.0])


@pytest.mark.parametrize(("stated", "inside"), [("../../etc/v.dat", "etc/v.dat"), ("/abs/v.dat", "abs/v.dat")])
def test_no_file_leaves_the_folder(stated: str, inside: str, tmp_path: Path) -> None:
    report = Report()
    table = QuantityTable("of0", stated, (("a", "p[0]/v"),), TIMES, np.zeros((3, 1)))
    assert lems.write(Results(tables=(table,)), tmp_path / "out", report) == (tmp_path / "out" / inside,)
    assert report.codes() == {"output-file-name"}


def test_two_files_of_one_name_are_two_files(tmp_path: Path) -> None:
    report = Report()
    made = lems.write(Results(tables=(TABLE, TABLE)), tmp_path, report)
    assert [path.name for path in made] == ["v.dat", "v_2.dat"]
    assert report.codes() == {"output-file-name"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("0.0\t1\n", "2 columns where 3 are asked for"), ("0.0\tx\t1\n", "not a table of numbers")],
)
def test_damaged_files(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "v.dat"
    path.write_text(text)
    with pytest.raises(ReadError, match=said) as caught:
        lems.read_quantities(path, "of0", "v.dat", TABLE.columns)
    assert caught.value.where == str(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="did not write"):
        lems.read_events(tmp_path / "none", "s", "none")


def test_they_stand_beside_sonata_results(tmp_path: Path) -> None:
    files = write_results(Results(tables=(TABLE,), duration=0.2), tmp_path / "out")
    assert tmp_path / "out" / "results" / "v.dat" in files


def test_a_format_of_one_file_reports_them(tmp_path: Path) -> None:
    pytest.importorskip("nixio")
    report = Report()
    write_results(Results(tables=(TABLE,), duration=0.2), tmp_path / "out.nix", "nix", report=report)
    assert "simulation-files" in report.codes()
