"""Results of others, in every layout they come in, against numbers read with plain h5py or stated by their makers."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.errors import UnitError
from pynn_io.report import Report
from pynn_io.results import read_results

#: Folder or file -> spikes by population, as the folders' README counts them.
COUNTS = {
    "sonata/300_intfire/output": {"v1": 4322},
    "sonata/5_cells_iclamp/output": {"biophysical": 124},
    "sonata/bio_1cell/output_syns": {"biocell": 39},
    "sonata/bio_1cell/output_iclamp": {"biocell": 20},
    "reference/300_pointneurons": {"internal": 18794},
    "reference/bio_14cells": {"v1": 223},
    "reference/point_120cells": {"cortex": 1197},
    "reference/point_stdp": {"sources": 166, "targets": 249},
    "reference/sim_tests_one_cell_iclamp_nest": {"one_cell_iclamp": 56},
    "reference/sim_tests_ten_cells_iclamp_nest": {"ten_cells_iclamp": 45},
    "reference/sim_tests_ten_cells_spikes_nrn": {"post": 191},
    "sonata_obi/libsonata_data/spikes.h5": {"All": 5, "empty": 0, "spikes1": 5, "spikes2": 5},
    "sonata_obi/snap_data/reporting/spikes.h5": {"default": 5, "default2": 5},
    "sonata/pysonata_tests/reports/spike_trains/spike_files/spikes.multipop.csv": {"lgn": 123356, "tw": 21078},
    "sonata/pysonata_tests/reports/spike_trains/spike_files/spikes.noheader.nopop.csv": {"unnamed": 124},
    "sonata/pysonata_tests/reports/spike_trains/spike_files/spikes.onepop.v1.0.nwb": {"unnamed": 124},
    "sonata/pysonata_tests/reports/spike_trains/spike_files/spikes.old.h5": {"unnamed": 124},
}


@pytest.mark.parametrize("name", COUNTS)
def test_spikes(data: Path, name: str) -> None:
    found = read_results(data / name)
    assert {name: len(spikes.times) for name, spikes in found.spikes.items()} == COUNTS[name]
    for spikes in found.spikes.values():
        assert (np.diff(spikes.times) >= 0).all()


def test_a_population_that_the_file_does_not_name(data: Path) -> None:
    path = data / "sonata/pysonata_tests/reports/spike_trains/spike_files/spikes.old.h5"
    report = Report()
    assert list(read_results(path, population="v1", report=report).spikes) == ["v1"]
    assert report.codes() == {"results-population"}


def test_bmtk_report_is_moved_only_on_request(data: Path) -> None:
    folder = data / "sonata/5_cells_iclamp/output"
    with h5py.File(folder / "membrane_potential.h5") as file:
        expected = file["report/biophysical/data"][:]
    report = Report()
    stated = {trace.report: trace for trace in read_results(folder, report=report).traces}
    trace = stated["membrane_potential"]
    np.testing.assert_array_equal(trace.data, expected)
    assert (trace.population, trace.variable, trace.start, trace.interval) == ("biophysical", "v", 0.0, 0.1)
    assert (trace.node_ids.tolist(), trace.section_pos.tolist()) == ([0, 1, 2, 3, 4], [0.5] * 5)
    assert trace.section_order == "axon_replaced"
    assert report.codes() == {"results-early-report"}
    moved = read_results(folder, report_times="bmtk")
    assert [trace.start for trace in moved.traces] == [0.1, 0.1]
    assert moved.provenance["report_times"]["membrane_potential"] == "one interval later than stated"


def test_moved_bmtk_report_agrees_with_its_spikes(data: Path) -> None:
    """The spike is where the voltage of the soma crosses the threshold of -15 mV: at the end of a step, as NEURON says.

    The times of a report that is one step early are one interval before the spikes.
    """
    folder = data / "sonata/bio_1cell/output_iclamp"
    for times, offset in (("stated", 1), ("bmtk", 0)):
        found = read_results(folder, report_times=times)
        trace = found.traces[0]
        above = trace.data[:, 0] > -15
        crossings = trace.times[1:][above[1:] & ~above[:-1]]
        np.testing.assert_allclose(found.spikes["biocell"].times - crossings, offset * 0.1, atol=1e-6)


def test_obi_reports(data: Path) -> None:
    found = read_results(data / "sonata_obi/nd_ringtest/reference/reports")
    by_name = {(trace.report, trace.population): trace for trace in found.traces}
    trace = by_name["compartment_v", "RingA"]
    with h5py.File(data / "sonata_obi/nd_ringtest/reference/reports/compartment_v.h5") as file:
        np.testing.assert_array_equal(trace.data, file["report/RingA/data"][:])
        assert trace.section_ids.tolist() == file["report/RingA/mapping/element_ids"][:].tolist()
    assert trace.node_ids.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert (trace.unit, trace.section_pos, trace.section_order) == ("mV", None, "specification")
    assert trace.times[[0, -1]].tolist() == [0.0, 39.0]


def test_index_of_starts_only(data: Path) -> None:
    """snap's file has one index entry a node, without the end."""
    found = read_results(data / "sonata_obi/snap_data/reporting/soma_named.h5")
    assert [trace.node_ids.tolist() for trace in found.traces] == [[0, 1, 2], [0, 1, 2]]


def test_unknown_unit_of_time(data: Path) -> None:
    with pytest.raises(UnitError, match="/report/default2/mapping/time: unknown unit of time 'mR'"):
        read_results(data / "sonata_obi/snap_data/reporting/compartment_named.h5")
