"""Broken results: class of the error, file and place in it; and nothing half-written where writing fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import read_results
from pynn_io.detect import detect
from pynn_io.errors import BackendUnavailable, FormatError, PynnIOError, ReadError, UnitError, WriteError
from pynn_io.report import Report
from pynn_io.results import Results, Trace
from tests.damaged import read_damaged
from tests.results.test_sonata_readers import DATA, NODES, recorded


def report_file(path: Path, change: Callable[[h5py.File], None]) -> Path:
    """A good report of four samples and six elements of three nodes, changed."""
    with h5py.File(path, "w") as file:
        group = file.create_group("report/p")
        group["data"] = DATA
        mapping = group.create_group("mapping")
        mapping["node_ids"] = np.array([3, 7, 9])
        mapping["index_pointers"] = np.array([0, 2, 5, 6])
        mapping["element_ids"] = np.zeros(6, dtype=np.uint32)
        mapping["time"] = np.array([0.0, 0.4, 0.1])
        change(file)
    return path


def replaced(name: str, values: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        if values is not None:
            file[name] = values

    return change


MAPPING = "/report/p/mapping"
BROKEN_REPORTS = [
    (replaced("report/p/data", None), ":/report/p: there is no dataset 'data'"),
    (replaced("report/p/data", DATA.reshape(2, 2, 6)), ":/report/p/data: is not a table of numbers, time by element"),
    (replaced("report/p/data", DATA[:, :5]), "do not divide the 5 columns of the data among the nodes"),
    (replaced("report/p/mapping", None), ":/report/p: there is no group 'mapping'"),
    (replaced("report/p", np.zeros(3)), ":/report/p: is not a group"),
    (replaced(f"{MAPPING}/node_ids", None), f":{MAPPING}: there is no dataset 'node_ids'"),
    (replaced(f"{MAPPING}/node_ids", [0, 1]), f":{MAPPING}: 4 index pointers for 2 nodes"),
    (replaced(f"{MAPPING}/node_ids", [0.5, 1, 2]), f":{MAPPING}/node_ids: node ids are not whole numbers"),
    (replaced(f"{MAPPING}/index_pointers", [0, 2, 5, 60]), f":{MAPPING}/index_pointers: index pointers do not divide"),
    (replaced(f"{MAPPING}/index_pointers", [0, 5, 2, 6]), f":{MAPPING}/index_pointers: index pointers do not divide"),
    (replaced(f"{MAPPING}/index_pointers", [1, 2, 5, 6]), f":{MAPPING}/index_pointers: index pointers do not divide"),
    (replaced(f"{MAPPING}/element_ids", [0, 1]), f":{MAPPING}/element_ids: 2 entries, and the data has 6 columns"),
    (replaced(f"{MAPPING}/element_ids", np.zeros((6, 2))), f":{MAPPING}/element_ids: element_ids is not a list of n"),
    (replaced(f"{MAPPING}/time", [0.0, 0.1]), f":{MAPPING}/time: has 2 numbers"),
    (replaced(f"{MAPPING}/time", [0.0, 1.0, 0.0]), f":{MAPPING}/time: start 0.0, stop 1.0, interval 0.0"),
    (replaced(f"{MAPPING}/time", [0.0, np.nan, 0.1]), f":{MAPPING}/time: start 0.0, stop nan"),
    (replaced(f"{MAPPING}/time", None), f":{MAPPING}: there is no dataset 'time'"),
    (replaced("report", None), ": holds no results"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN_REPORTS)
def test_broken_reports(tmp_path: Path, change: Callable[[h5py.File], None], message: str) -> None:
    path = report_file(tmp_path / "v.h5", change)
    with pytest.raises((ReadError, FormatError)) as caught:
        read_results(path)
    assert f"{path}{message}" in str(caught.value) or message in str(caught.value)
    assert str(path) in caught.value.where


def test_a_good_report_is_good(tmp_path: Path) -> None:
    (trace,) = read_results(report_file(tmp_path / "v.h5", lambda file: None)).traces
    assert (trace.node_ids.tolist(), trace.section_pos) == ([3, 3, 7, 7, 7, 9], None)


def test_a_unit_of_time_that_is_none(tmp_path: Path) -> None:
    path = report_file(tmp_path / "v.h5", lambda file: file[f"{MAPPING}/time"].attrs.update(units="mV"))
    with pytest.raises(UnitError, match=f"{MAPPING}/time: unknown unit of time 'mV'"):
        read_results(path)


def test_seconds_become_milliseconds(tmp_path: Path) -> None:
    def in_seconds(file: h5py.File) -> None:
        file[f"{MAPPING}/time"][...] = [0.5, 0.504, 0.001]
        file[f"{MAPPING}/time"].attrs["units"] = "s"

    (trace,) = read_results(report_file(tmp_path / "v.h5", in_seconds)).traces
    np.testing.assert_allclose(trace.times, [500, 501, 502, 503])


def test_rows_that_the_time_axis_does_not_count(tmp_path: Path) -> None:
    report = Report()
    path = report_file(tmp_path / "v.h5", replaced(f"{MAPPING}/time", [0.0, 10.0, 0.1]))
    (trace,) = read_results(path, report=report).traces
    assert len(trace.times) == 4
    (issue,) = report
    assert issue.code == "results-report-length"
    assert "4 rows where start, stop and interval make 100" in issue.message


def old_report(path: Path, name: str) -> Path:
    with h5py.File(path, "w") as file:
        file[name] = DATA
        mapping = file.create_group("mapping")
        mapping["gids"] = [3, 7, 9]
        mapping["index_pointer"] = [0, 2, 5, 6]
        mapping["element_id"] = np.arange(6)
        mapping["element_pos"] = np.full(6, 0.5)
        mapping["time"] = [0.0, 0.4, 0.1]
    return path


@pytest.mark.parametrize(("name", "variable"), [("data", ""), ("v/data", "v")])
def test_reports_of_old(tmp_path: Path, name: str, variable: str) -> None:
    (trace,) = read_results(old_report(tmp_path / "cell.h5", name), population="bio").traces
    assert (trace.population, trace.variable) == ("bio", variable)
    np.testing.assert_array_equal(trace.data, DATA)
    assert (trace.node_ids.tolist(), trace.section_ids.tolist()) == ([3, 3, 7, 7, 7, 9], [0, 1, 2, 3, 4, 5])


def test_report_as_pynn_writes_it(tmp_path: Path) -> None:
    """PyNN 0.13: ``variable_name``, ``gids`` beside ``node_ids``, and section ids as floating-point zeros."""
    with h5py.File(tmp_path / "v.h5", "w") as file:
        group = file.create_group("report/cells")
        group["data"] = DATA
        group["data"].attrs.update(units="mV", variable_name="v")
        mapping = group.create_group("mapping")
        mapping["node_ids"] = mapping["gids"] = np.arange(6)
        mapping["index_pointer"] = np.arange(7)
        mapping["element_ids"] = mapping["element_pos"] = np.zeros(6)
        mapping["time"] = (0.0, 0.4, 0.1)
        mapping["time"].attrs["units"] = "ms"
    report = Report()
    (trace,) = read_results(tmp_path / "v.h5", report=report).traces
    assert (trace.variable, trace.unit, trace.start, trace.section_ids.dtype) == ("v", "mV", 0.0, np.int64)
    assert len(report) == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recorded().write(tmp_path_factory.mktemp("whole") / "out")
    return next(tmp_path_factory.getbasetemp().glob("whole*/out"))


@pytest.mark.parametrize("name", ["spikes.h5", "all_v.h5"])
def test_damaged_bytes(whole: Path, tmp_path: Path, name: str) -> None:
    """Whatever bytes are flipped, the error is ours; with this seed HDF5 itself gets through (h5py 3.16)."""
    shutil.copy(whole / name, tmp_path / name)
    read_damaged(Path(__file__).with_name("read_damaged.py"), tmp_path / name, 2)


@pytest.mark.parametrize("name", ["ecp/data", "channel_id"])
def test_extracellular_reports_are_named(tmp_path: Path, name: str) -> None:
    with h5py.File(tmp_path / "ecp.h5", "w") as file:
        file[name] = np.zeros((3, 2))
        if name == "channel_id":
            file["data"] = np.zeros((2, 3))
    report = Report()
    assert read_results(tmp_path / "ecp.h5", report=report).traces == ()
    assert report.codes() == {"results-extracellular"}


def spike_file(path: Path, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/p")
        for name, values in datasets.items():
            group[name] = values
    return path


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"timestamps": [1.0]}, ":/spikes/p: there is no dataset 'node_ids'"),
        ({"node_ids": [1]}, ":/spikes/p: there is no dataset 'timestamps'"),
        ({"timestamps": [1.0], "node_ids": [1, 2]}, ":/spikes/p: 2 node ids and 1 times"),
        ({"timestamps": [np.nan], "node_ids": [1]}, ":/spikes/p: a spike time is not a finite number"),
        ({"timestamps": [[1.0]], "node_ids": [[1]]}, ":/spikes/p/node_ids: node_ids is not a list of numbers"),
    ],
)
def test_broken_spikes(tmp_path: Path, datasets: dict, message: str) -> None:
    path = spike_file(tmp_path / "spikes.h5", **datasets)
    for place in (path, tmp_path):
        with pytest.raises(ReadError) as caught:
            read_results(place)
        assert f"{path}{message}" in str(caught.value)


def test_one_population_in_two_files(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        spike_file(tmp_path / name, timestamps=[1.0], node_ids=[1])
    with pytest.raises(ReadError, match=r"b\.h5: population 'p' has spikes in another file"):
        read_results(tmp_path)
    assert read_results(tmp_path, spikes_file="a.h5").spike_count == 1


@pytest.mark.parametrize("to", ["sonata", "nix", "neo", "nwb"])
@pytest.mark.filterwarnings("ignore")
def test_truncated_files(tmp_path: Path, to: str) -> None:
    """Cut anywhere: an error of ours, or nothing that the cut has touched; never another exception."""
    recorded().write(tmp_path / "out", to=to)
    path = next((tmp_path / "out").glob("spikes.h5" if to == "sonata" else "results.*"))
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:size])
        with pytest.raises(PynnIOError) as caught:
            read_results(path)
        assert str(path) in caught.value.where


def test_nix_without_what_it_needs(tmp_path: Path) -> None:
    def broken(change: Callable[[h5py.File], None]) -> str:
        path = tmp_path / "run.nix"
        recorded().write(path, to="nix", overwrite=True)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(ReadError) as caught:
            read_results(path)
        return str(caught.value)

    arrays = "data/run:0/data_arrays"
    assert f"{arrays}: there is no 'spikes:exc.node_ids'" in broken(
        lambda file: file.__delitem__(f"{arrays}/spikes:exc.node_ids")
    )
    assert "groups/spikes:exc: 1 node ids and 4 times" in broken(
        replaced(f"{arrays}/spikes:exc.node_ids/data", np.array([1]))
    )
    assert "groups/report:0:all_v: its columns do not have 6 entries" in broken(
        replaced(f"{arrays}/report:0:all_v.node_ids/data", np.array([1]))
    )
    assert "data is not 2 axes of numbers" in broken(replaced(f"{arrays}/report:0:all_v.data/data", np.array([1.0])))
    assert "report:0:all_v: its section does not state variable" in broken(
        lambda file: file.__delitem__("metadata/run:0/sections/report:0:all_v/properties/variable")
    )


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        read_results(tmp_path / "nowhere.h5")
    (tmp_path / "text.h5").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(FormatError, match="holds no results that pynn_io knows"):
        read_results(tmp_path / "text.h5")
    with h5py.File(tmp_path / "nodes.h5", "w") as file:
        file["nodes/p/node_type_id"] = [1]
    with pytest.raises(FormatError, match=r"nodes\.h5: holds no results"):
        read_results(tmp_path / "nodes.h5")
    with pytest.raises(FormatError, match="no file in this folder holds results"):
        read_results(tmp_path)
    with pytest.raises(FormatError, match="unknown format of results 'matlab'"):
        read_results(tmp_path, format="matlab")


def test_a_format_that_the_file_is_not_of(tmp_path: Path) -> None:
    spike_file(tmp_path / "spikes.h5", timestamps=[1.0], node_ids=[1])
    with pytest.raises(ReadError, match=r"spikes\.h5"):
        read_results(tmp_path / "spikes.h5", format="nix")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "other", "version": 1}',
        '{"format": "pynn_io.results", "version": 1, "duration": "long", "level": "", "nodes": {}, "provenance": {}}',
        '{"format": "pynn_io.results", "version": 1, "duration": 1, "level": "", "nodes": {"p": [[0, 1e30]]}, '
        '"provenance": {}}',
        '{"format": "pynn_io.results", "version": 1, "duration": 1, "level": "", "nodes": {"p": [[0, 100000000000]]}, '
        '"provenance": {}}',
        '{"format": "pynn_io.results", "version": 1, "duration": 1, "level": "", "nodes": {"p": [[5, 1]]}, '
        '"provenance": {}}',
        '{"format": "pynn_io.results", "version": 1, "duration": 1, "level": "", "nodes": [], "provenance": {}}',
    ],
)
def test_broken_run_files(tmp_path: Path, text: str) -> None:
    recorded().write(tmp_path / "out")
    (tmp_path / "out/run.json").write_text(text)
    with pytest.raises(ReadError, match=r"run\.json: is not"):
        read_results(tmp_path / "out")


FULL = """
import resource, signal, sys
import numpy as np
from pynn_io.errors import WriteError
from pynn_io.results import Results, Trace
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
trace = Trace("v", "p", "v", "mV", np.random.default_rng(1).random((20000, 10)), np.arange(10), 0.0, 1.0)
import nixio, neo, pynwb
from tests.damaged import read_damaged
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Results(traces=(trace,)).write(sys.argv[1], to=sys.argv[2])
except WriteError as error:
    print(error)
"""


@pytest.mark.parametrize("to", ["sonata", "nix", "neo", "nwb"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, to: str) -> None:
    """A limit on the size of files stands for the full disk."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL, str(tmp_path / "out"), to], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path / 'out'}"), done.stdout
    assert "File too large" in done.stdout and ".pynn_io-part" not in done.stdout
    assert list(tmp_path.rglob("*.*")) == []


def test_traces_without_a_column_an_element(tmp_path: Path) -> None:
    trace = Trace("v", "p", "v", "mV", DATA, NODES[:3], 0.0, 1.0)
    with pytest.raises(WriteError, match=r"data of the shape \(4, 6\) for 3 elements"):
        Results(traces=(trace,)).write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, to, extra in (("nixio", "nix", "nix"), ("neo", "neo", "neo"), ("pynwb", "nwb", "nwb")):
        with monkeypatch.context() as hidden:
            hidden.setitem(sys.modules, package, None)
            with pytest.raises(BackendUnavailable) as caught:
                recorded().write(tmp_path / to, to=to)
        assert f"pip install 'pynn_io[{extra}]'" in str(caught.value)
        assert not (tmp_path / to).exists() or not list((tmp_path / to).iterdir())


@pytest.mark.parametrize("to", ["nix", "neo"])
def test_results_are_no_network(tmp_path: Path, to: str) -> None:
    recorded().write(tmp_path / "run.nix", to=to)
    with pytest.raises(FormatError, match=r"run\.nix: results of a run, and no network"):
        detect(tmp_path / "run.nix")
