"""What libsonata, bluepysnap and BMTK read from our files, and that it is what was put in: one file for all of them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError, WriteError
from pynn_io.report import Report
from pynn_io.results import Results, Trace, read_results, sorted_spikes
from tests.results.strategies import assert_same

libsonata = pytest.importorskip("libsonata")

TIMES = np.array([3.0, 1.0, 2.0, 1.5])
IDS = np.array([2, 0, 2, 5])
#: 4 samples of 6 elements: node 7 has sections 0, 1, 1, node 3 has 0, 4 and node 9 its soma.
NODES = np.array([7, 7, 7, 3, 3, 9])
SECTIONS = np.array([0, 1, 1, 0, 4, 0])
POSITIONS = np.array([0.5, 0.25, 0.75, 0.5, 0.1, 0.5])
DATA = np.arange(24.0).reshape(4, 6) - 70


def recorded() -> Results:
    return Results(
        spikes={"exc": sorted_spikes("exc", IDS, TIMES)},
        nodes={"exc": np.arange(10), "silent": np.arange(4)},
        duration=4.0,
        traces=(
            Trace("all_v", "exc", "v", "mV", DATA, NODES, 0.5, 0.25, SECTIONS, POSITIONS),
            Trace("soma", "exc", "V_m", "mV", DATA[:, :3], np.array([4, 6, 8]), 0.0, 0.1),
        ),
    )


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("by_time", [(0, 1.0), (5, 1.5), (2, 2.0), (2, 3.0)]),
        ("time", [(0, 1.0), (5, 1.5), (2, 2.0), (2, 3.0)]),
        ("by_id", [(0, 1.0), (2, 2.0), (2, 3.0), (5, 1.5)]),
        ("id", [(0, 1.0), (2, 2.0), (2, 3.0), (5, 1.5)]),
    ],
)
def test_spikes_as_libsonata_reads_them(tmp_path: Path, order: str, expected: list) -> None:
    recorded().write(tmp_path / "out", spikes_sort_order=order)
    reader = libsonata.SpikeReader(str(tmp_path / "out/spikes.h5"))
    assert sorted(reader.get_population_names()) == ["exc", "silent"]
    assert reader["exc"].get() == expected
    assert reader["exc"].sorting == ("by_time" if "time" in order else "by_id")
    assert reader["silent"].get() == []


@pytest.mark.parametrize("order", ["by_time", "by_id", "none"])
def test_spikes_as_bmtk_reads_them(tmp_path: Path, order: str) -> None:
    spike_trains = pytest.importorskip("bmtk.utils.reports.spike_trains")
    recorded().write(tmp_path / "out", spikes_sort_order=order, spikes_csv="spikes.csv")
    for name in ("spikes.h5", "spikes.csv"):
        read = spike_trains.SpikeTrains.load(str(tmp_path / "out" / name))
        assert {node: sorted(read.get_times(node, population="exc").tolist()) for node in (0, 2, 5)} == {
            0: [1.0],
            2: [2.0, 3.0],
            5: [1.5],
        }, name


def test_order_is_what_the_file_claims(tmp_path: Path) -> None:
    recorded().write(tmp_path / "out", spikes_sort_order="by_id", spikes_file="raster.h5")
    with h5py.File(tmp_path / "out/raster.h5") as file:
        group = file["spikes/exc"]
        assert h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype) == {"none": 0, "by_id": 1, "by_time": 2}
        assert (group.attrs["sorting"], group["node_ids"].attrs["sorting"]) == (1, "by_id")
        assert group["timestamps"].attrs["units"] == "ms"
        assert [group[name].compression for name in group] == [None, None]


def test_report_of_elements_as_libsonata_reads_it(tmp_path: Path) -> None:
    recorded().write(tmp_path / "out")
    population = libsonata.ElementReportReader(str(tmp_path / "out/all_v.h5"))["exc"]
    assert sorted(population.get_node_ids()) == [3, 7, 9]
    assert (population.data_units, population.time_units) == ("mV", "ms")
    frame = population.get(node_ids=[7])
    assert np.asarray(frame.ids).tolist() == [[7, 0], [7, 1], [7, 1]]
    np.testing.assert_array_equal(frame.data, DATA[:, :3])
    # Four samples from 0.5 ms: the stated end is no sample.
    np.testing.assert_allclose(population.get().times, [0.5, 0.75, 1.0, 1.25])
    np.testing.assert_array_equal(population.get(node_ids=[3]).data, DATA[:, 3:5])
    np.testing.assert_array_equal(population.get(node_ids=[7], tstart=1.0, tstop=1.0).data, DATA[2:3, :3])


def test_report_of_somata_as_libsonata_reads_it(tmp_path: Path) -> None:
    recorded().write(tmp_path / "out")
    population = libsonata.SomaReportReader(str(tmp_path / "out/soma.h5"))["exc"]
    frame = population.get(node_ids=[6])
    np.testing.assert_array_equal(np.ravel(frame.data), DATA[:, 1])
    np.testing.assert_allclose(frame.times, [0, 0.1, 0.2, 0.3], atol=1e-12)


def test_report_as_bmtk_reads_it(tmp_path: Path) -> None:
    compartment = pytest.importorskip("bmtk.utils.reports.compartment")
    recorded().write(tmp_path / "out")
    read = compartment.CompartmentReport(str(tmp_path / "out/all_v.h5"), mode="r")
    assert (read.variable(), read.units(), read.tstart(), read.dt()) == ("v", "mV", 0.5, 0.25)
    np.testing.assert_array_equal(read.data(node_id=7), DATA[:, :3])
    assert read.element_ids(node_id=3).tolist() == [0, 4]
    assert read.element_pos(node_id=3).tolist() == [0.5, 0.1]


def test_both_names_of_the_index_are_one_dataset(tmp_path: Path) -> None:
    recorded().write(tmp_path / "out")
    with h5py.File(tmp_path / "out/all_v.h5") as file:
        mapping = file["report/exc/mapping"]
        assert mapping["index_pointers"] == mapping["index_pointer"]
        assert mapping["index_pointers"][:].tolist() == [0, 2, 5, 6]
        assert file["report/exc/data"].dtype == np.float32


def test_snap_reads_the_folder(tmp_path: Path) -> None:
    """bluepysnap's spikes and report frames, over a simulation config that names our files."""
    snap = pytest.importorskip("bluepysnap")
    recorded().write(tmp_path / "out")
    with h5py.File(tmp_path / "nodes.h5", "w") as file:
        for name, size in (("exc", 10), ("silent", 4)):
            file[f"nodes/{name}/node_type_id"] = np.full(size, 1)
            file[f"nodes/{name}/0/x"] = np.zeros(size)
    populations = {name: {"type": "point_neuron"} for name in ("exc", "silent")}
    networks = {"nodes": [{"nodes_file": "nodes.h5", "populations": populations}], "edges": []}
    (tmp_path / "circuit_config.json").write_text(json.dumps({"networks": networks}))
    report = {"type": "compartment", "cells": "all", "variable_name": "v", "dt": 0.25, "start_time": 0, "end_time": 4}
    config = {
        "network": "circuit_config.json",
        "run": {"tstop": 4.0, "dt": 0.25, "random_seed": 1},
        "output": {"output_dir": "out", "spikes_file": "spikes.h5"},
        "reports": {"all_v": {**report, "sections": "all"}, "soma": {**report, "sections": "soma"}},
    }
    (tmp_path / "simulation_config.json").write_text(json.dumps(config))
    simulation = snap.Simulation(str(tmp_path / "simulation_config.json"))
    spikes = simulation.spikes["exc"].get()
    assert list(zip(spikes.index.tolist(), spikes.tolist(), strict=True)) == [(1.0, 0), (1.5, 5), (2.0, 2), (3.0, 2)]
    assert simulation.spikes["silent"].get().empty
    frame = simulation.reports["all_v"]["exc"].get()
    assert [tuple(map(int, column)) for column in frame.columns] == [(3, 0), (3, 4), (7, 0), (7, 1), (7, 1), (9, 0)]
    np.testing.assert_array_equal(frame.to_numpy(), DATA[:, [3, 4, 0, 1, 2, 5]])
    np.testing.assert_allclose(frame.index, [0.5, 0.75, 1.0, 1.25])
    np.testing.assert_array_equal(simulation.reports["soma"]["exc"].get().to_numpy(), DATA[:, :3])


def test_float64_keeps_every_digit(tmp_path: Path) -> None:
    data = np.array([[0.1], [0.2]])
    trace = Trace("v", "p", "v", "mV", data, np.array([0]), 0.0, 1.0)
    Results(traces=(trace,)).write(tmp_path / "out", dtype="float64")
    with h5py.File(tmp_path / "out/v.h5") as file:
        np.testing.assert_array_equal(file["report/p/data"][:], data)


def test_file_names_of_the_plan_stay_inside(tmp_path: Path) -> None:
    names = {"all_v": "/elsewhere/deep.h5", "soma": "reports/soma.h5"}
    recorded().write(tmp_path / "out", spikes_file="../../x.h5", report_files=names)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["out/deep.h5", "out/reports/soma.h5", "out/run.json", "out/x.h5"]
    assert_same(read_results(tmp_path / "out"), recorded())


def test_only_the_files_of_the_run_are_read(tmp_path: Path) -> None:
    """A report of another run in the same folder, and the inputs of a circuit below it, are no results of this one."""
    recorded().write(tmp_path / "out", spikes_file="deep/spikes.h5")
    (tmp_path / "out/inputs").mkdir()
    for name in ("inputs/spikes.h5", "old.h5"):
        (tmp_path / "out" / name).write_bytes((tmp_path / "out/deep/spikes.h5").read_bytes())
    assert_same(read_results(tmp_path / "out"), recorded())
    assert_same(read_results(tmp_path / "out/run.json"), recorded())
    (tmp_path / "out/soma.h5").unlink()
    with pytest.raises(ReadError, match=r"soma\.h5: cannot be read: No such file"):
        read_results(tmp_path / "out")


def test_several_variables_of_a_report_get_files_of_their_own(tmp_path: Path) -> None:
    nodes = np.array([0, 1])
    pair = [Trace("state", "p", name, "mV", DATA[:, :2], nodes, 0.0, 1.0) for name in ("v", "w", "w")]
    Results(traces=tuple(pair)).write(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").glob("state*")) == [
        "state.h5",
        "state_w.h5",
        "state_w2.h5",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spikes_sort_order": "by_name"}, "spikes_sort_order 'by_name' is unknown\n  known: none, by_id, by_time"),
        ({"dtype": "float16"}, "dtype 'float16' is unknown\n  known: float32, float64"),
    ],
)
def test_unknown_options(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(WriteError, match=message):
        recorded().write(tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_name_that_hdf5_cannot_have_is_reported(tmp_path: Path) -> None:
    report = Report()
    Results(spikes={"L2/3E": sorted_spikes("L2/3E", IDS, TIMES)}).write(tmp_path / "out", report=report)
    assert report.codes() == {"results-population-name"}
    assert libsonata.SpikeReader(str(tmp_path / "out/spikes.h5")).get_population_names() == ["L2%2F3E"]


def test_negative_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="node id -1"):
        Results(spikes={"p": sorted_spikes("p", np.array([-1]), np.array([1.0]))}).write(tmp_path / "out")
    trace = Trace("v", "p", "v", "mV", DATA[:, :1], np.array([-2]), 0.0, 1.0)
    with pytest.raises(WriteError, match="node id -2 is negative"):
        Results(traces=(trace,)).write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
