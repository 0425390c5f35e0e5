"""Spike files in every layout: against plain h5py and csv, and BMTK's own writers; broken ones name their place."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError, UnitError
from pynn_io.formats.sonata_spikes import Spikes, read_amplitudes, read_spikes

FILES = "sonata/pysonata_tests/reports/spike_trains/spike_files"


def pairs(spikes: Spikes) -> list[tuple[int, float]]:
    return list(zip(spikes.node_ids.tolist(), spikes.times.tolist(), strict=True))


def test_one_train_in_five_formats(data: Path) -> None:
    with (data / FILES / "spikes.one_pop.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=" "))
    expected = sorted((int(row["node_ids"]), float(row["timestamps"])) for row in rows)
    assert len(expected) == 124
    names = {
        "spikes.one_pop.csv": "v1",
        "spikes.one_pop.h5": "v1",
        "spikes.old.h5": None,
        "spikes.noheader.nopop.csv": None,
        "spikes.onepop.v1.0.nwb": None,
    }
    for name, population in names.items():
        (spikes,) = read_spikes(data / FILES / name)
        assert spikes.population == population
        assert spikes.node_ids.dtype == np.int64
        np.testing.assert_array_equal(spikes.node_ids, [node for node, _ in expected], err_msg=name)
        np.testing.assert_allclose(spikes.times, [time for _, time in expected], rtol=0, atol=1e-9, err_msg=name)


def test_several_populations_are_the_same_in_text_and_hdf5(data: Path) -> None:
    text = {spikes.population: spikes for spikes in read_spikes(data / FILES / "spikes.multipop.csv")}
    hdf5 = {spikes.population: spikes for spikes in read_spikes(data / FILES / "spikes.multipop.h5")}
    assert set(text) == set(hdf5) == {"lgn", "tw"}
    with h5py.File(data / FILES / "spikes.multipop.h5") as file:
        for name, spikes in hdf5.items():
            group = file["spikes"][name]
            expected = sorted(zip(group["node_ids"][:].tolist(), group["timestamps"][:].tolist(), strict=True))
            assert pairs(spikes) == expected
            assert np.array_equal(text[name].node_ids, spikes.node_ids)


def test_what_bmtk_writes(tmp_path: Path) -> None:
    spike_trains = pytest.importorskip("bmtk.utils.reports.spike_trains")
    trains = spike_trains.SpikeTrains(default_population="p")
    ids, times = [7, 3, 7, 2**31], [5.5, 1.25, 0.5, 3.0]
    for node, time in zip(ids, times, strict=True):
        trains.add_spike(node_id=node, timestamp=time, population="p")
    trains.to_sonata(str(tmp_path / "s.h5"))
    trains.to_csv(str(tmp_path / "s.csv"))
    expected = sorted(zip(ids, times, strict=True))
    for name in ("s.h5", "s.csv"):
        (spikes,) = read_spikes(tmp_path / name)
        assert (spikes.population, pairs(spikes)) == ("p", expected)


def write(path: Path, group: str = "spikes/p", units: str | None = None, **data: Any) -> Path:
    with h5py.File(path, "w") as file:
        made = file.create_group(group)
        for name, values in data.items():
            made[name] = values
        if units:
            made["timestamps"].attrs["units"] = units
    return path


def test_unsorted_and_wrongly_labelled_files_come_out_sorted(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", node_ids=np.array([2, 1, 2], "u1"), timestamps=np.array([4.0, 3.0, 1.0]))
    with h5py.File(path, "a") as file:
        file["spikes/p"].attrs["sorting"] = "by_id"
    (spikes,) = read_spikes(path)
    assert (pairs(spikes), spikes.sorting) == ([(1, 3.0), (2, 1.0), (2, 4.0)], "by_id")


def test_sorting_as_an_enumeration_is_a_word(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", node_ids=[1], timestamps=[1.0])
    kind = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
    with h5py.File(path, "a") as file:
        file["spikes/p"].attrs.create("sorting", 2, dtype=kind)
    assert read_spikes(path)[0].sorting == "by_time"


@pytest.mark.parametrize(("units", "factor"), [("ms", 1), ("milliseconds", 1), ("s", 1000), ("us", 0.001)])
def test_times_are_in_ms(units: str, factor: float, tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", units=units, node_ids=[1], timestamps=[2.0])
    assert read_spikes(path)[0].times.tolist() == [2.0 * factor]


def test_an_unknown_unit_of_time(tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", units="fortnight", node_ids=[1], timestamps=[2.0])
    with pytest.raises(UnitError, match="unknown unit of time 'fortnight'") as caught:
        read_spikes(path)
    assert caught.value.where == f"{path}:/spikes/p/timestamps"


def test_an_empty_file_of_a_silent_simulation(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_group("spikes")
    assert read_spikes(tmp_path / "s.h5") == []
    (tmp_path / "s.csv").write_text("timestamps population node_ids\n")
    assert read_spikes(tmp_path / "s.csv") == []


@pytest.mark.parametrize(
    "text",
    [
        "timestamps population node_ids\n2.5 a 1\n1.5 a 0\n",
        "timestamps,population,node_ids\n2.5,a,1\n1.5,a,0\n",
        'node_ids timestamps population\n1 2.5 "a"\n0 1.5 a\n',
        "2.5 a 1\n1.5 a 0\n",
        "timestamps population node_ids\r\n2.5 a 1\r\n1.5 a 0\r\n\r\n",
    ],
)
def test_dialects_of_text(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(text.encode())
    (spikes,) = read_spikes(tmp_path / "s.csv")
    assert (spikes.population, pairs(spikes)) == ("a", [(0, 1.5), (1, 2.5)])


def test_the_oldest_text_form_has_a_row_a_node(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("gid spike-times\n4 2.5,1.5\n7\n3 0.25\n")
    (spikes,) = read_spikes(tmp_path / "s.csv")
    assert pairs(spikes) == [(3, 0.25), (4, 1.5), (4, 2.5)]


def test_ids_beyond_the_integers_of_a_double_survive_text(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"timestamps node_ids\n1.0 {2**53 + 1}\n")
    assert read_spikes(tmp_path / "s.csv")[0].node_ids.tolist() == [2**53 + 1]


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"node_ids": [1, 2], "timestamps": [1.0]}, "/spikes/p", "2 node ids and 1 times"),
    ({"node_ids": [1]}, "/spikes/p", "there is no dataset 'timestamps'"),
    ({"timestamps": [1.0]}, "/spikes/p", "there is no dataset 'node_ids'"),
    ({"node_ids": [[1]], "timestamps": [1.0]}, "/spikes/p/node_ids", "is not a list of numbers"),
    ({"node_ids": [1.5], "timestamps": [1.0]}, "/spikes/p/node_ids", "not whole numbers"),
    ({"node_ids": [1], "timestamps": [np.nan]}, "/spikes/p", "not a finite number"),
    ({"node_ids": np.array([2**63], "u8"), "timestamps": [1.0]}, "/spikes/p/node_ids", "does not fit 63 bits"),
]


@pytest.mark.parametrize(("content", "place", "text"), BROKEN)
def test_broken_hdf5_names_the_place(content: dict[str, Any], place: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "s.h5", **content)
    with pytest.raises(ReadError, match=text) as caught:
        read_spikes(path)
    assert caught.value.where == f"{path}:{place}"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("timestamps population node_ids\n1.0 a 1\n2.0 a x\n", 3, "the table is broken"),
        ("timestamps population node_ids\n1.0 a\n", 2, "the table is broken"),
        ("when who\n1 2\n", 1, "there is no column 'timestamps'"),
        ("1 2 3 4\n", 1, "4 columns and no header"),
    ],
)
def test_broken_text_names_the_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(ReadError, match=message) as caught:
        read_spikes(path)
    assert caught.value.where == f"{path}:{line}"


def test_files_that_are_not_spikes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "n.h5", "w") as file:
        file.create_group("nodes")
    with pytest.raises(ReadError, match="no group /spikes"):
        read_spikes(tmp_path / "n.h5")
    with pytest.raises(ReadError, match="cannot be read"):
        read_spikes(tmp_path / "absent.h5")
    (tmp_path / "t.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ReadError, match="not a readable HDF5 file"):
        read_spikes(tmp_path / "t.h5")


def test_nwb_trials(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.nwb", "w") as file:
        for trial, time in (("trial_0", 1.0), ("trial_1", 2.0)):
            file[f"processing/{trial}/spike_train/3/data"] = [time]
            file[f"processing/{trial}/spike_train/3/data"].attrs["unit"] = "second"
    assert pairs(read_spikes(tmp_path / "s.nwb", trial="trial_1")[0]) == [(3, 2000.0)]
    with pytest.raises(ReadError, match="trial None is not in /processing") as caught:
        read_spikes(tmp_path / "s.nwb")
    assert caught.value.hint == "trials in the file: trial_0, trial_1"


def test_amplitudes(data: Path, tmp_path: Path) -> None:
    times, amplitudes = read_amplitudes(data / "sonata/point_120cells/inputs/iclamp_inputs_1.csv")
    assert times.tolist() == [800, 1300, 1800, 2300, 2800, 3300]
    assert amplitudes.tolist() == [0.15, 0, 0.175, 0, 0.2, 0]
    path = tmp_path / "a.csv"
    path.write_text("t;i\n0;1\n5;2\n")
    times, amplitudes = read_amplitudes(path, separator=";", time_column="t", amplitude_column="i")
    assert (times.tolist(), amplitudes.tolist()) == ([0, 5], [1, 2])
    for text, message in (("timestamps amps\n1 2\n", "two rows"), ("timestamps amps\n2 1\n1 1\n", "must ascend")):
        path.write_text(text)
        with pytest.raises(ReadError, match=message):
            read_amplitudes(path)
    with pytest.raises(ReadError, match="no column 'amps'"):
        path.write_text("timestamps amp\n1 2\n3 4\n")
        read_amplitudes(path)
