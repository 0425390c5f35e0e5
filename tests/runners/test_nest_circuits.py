"""Real circuits on NEST, against spikes that BMTK and NEST's own reader gave."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import read
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.simulate import simulate
from tests.runners.nest_script import run_script

pytest.importorskip("nest")


def run(config: Path, **settings: object) -> tuple[Results, Report]:
    document, report = read(config, format="sonata"), Report()
    assert document.plan is not None
    plan = dataclasses.replace(document.plan, **settings)
    return simulate(document.network, plan, "nest", report=report), report


def reference(path: Path, population: str) -> tuple[np.ndarray, np.ndarray]:
    """``(times, ids)`` sorted by time, then id."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            times, ids = file["t"], file["i"]
    else:
        with h5py.File(path) as file:
            group = file[f"spikes/{population}"]
            times, ids = group["timestamps"][()], group["node_ids"][()]
    # BMTK's times went through text: 136.79999999999998 is 136.8
    times = np.round(times, 6)
    order = np.lexsort((ids, times))
    return times[order], ids[order]


def assert_same(results: Results, population: str, path: Path, count: int) -> None:
    spikes = results.spikes[population]
    times, ids = reference(path, population)
    assert len(spikes.times) == len(times) == count
    np.testing.assert_array_equal(spikes.node_ids, ids)
    np.testing.assert_allclose(spikes.times, times, rtol=0, atol=1e-9)


def test_300_pointneurons_as_nest_reads_it(data: Path) -> None:
    """Input spikes at the nearest step: the default."""
    results, report = run(data / "sonata/300_pointneurons/simulation_config.json")
    assert_same(results, "internal", data / "reference/300_pointneurons/nest_dt0.01.npz", 18828)
    assert results.provenance["spike_times"] == "grid"
    issues = {issue.code: issue for issue in report}
    assert issues["default-delay"].count == 20844 and "-80.0 mV" in issues["initial-potential"].message
    (trace,) = results.traces
    # BMTK's multimeter has neither the state at 0 nor the last min_delay; SONATA's report is [0, tstop)
    assert trace.data.shape == (150000, 5) and (trace.start, trace.interval, trace.unit) == (0.0, 0.01, "mV")
    assert trace.data[0].tolist() == [-70.0] * 5 and trace.node_ids.tolist() == [0, 80, 160, 240, 270]


def test_300_pointneurons_as_bmtk_runs_it(data: Path) -> None:
    """Input spikes at their exact times, which cells on a grid take at the next step."""
    results, _ = run(data / "sonata/300_pointneurons/simulation_config.json", spike_times="precise", recordings=())
    assert_same(results, "internal", data / "reference/300_pointneurons/spikes.h5", 18794)


@pytest.mark.slow
def test_120_cells(data: Path) -> None:
    results, _ = run(data / "sonata/point_120cells/config.simulation.json", spike_times="precise", recordings=())
    assert_same(results, "cortex", data / "reference/point_120cells/spikes.h5", 1197)


def test_plastic_synapses(data: Path) -> None:
    """BMTK's name for the synapse model comes from the weight recorder of the simulation; that report is told lost."""
    results, report = run(data / "sonata/point_stdp/config.simulation_virtual.json", spike_times="precise")
    assert_same(results, "sources", data / "reference/point_stdp/spikes.h5", 166)
    assert_same(results, "targets", data / "reference/point_stdp/spikes.h5", 249)
    assert {issue.where for issue in report if issue.code == "recording"} == {"reports.weight_recorder_1"}


@pytest.mark.parametrize(("name", "count"), [("one_cell_iclamp", 56), ("ten_cells_iclamp", 45)])
def test_current_clamps(data: Path, name: str, count: int) -> None:
    results, _ = run(data / f"sonata/sim_tests/intfire/{name}_nest/input/config.json")
    assert_same(results, name, data / f"reference/sim_tests_{name}_nest/spikes.h5", count)


_BY_HAND = """
import h5py
folder = {folder!r}
nest.resolution = 0.001
cells = nest.Create("iaf_psc_alpha", 5, {cell!r})
with h5py.File(folder + "/external_spike_trains.h5") as file:
    ids, times = file["spikes/gids"][()], file["spikes/timestamps"][()]
trains = [{{"spike_times": np.sort(times[ids == i]), "allow_offgrid_times": True}} for i in range(5)]
sources = nest.Create("spike_generator", 5, trains)
with h5py.File(folder + "/network/pre_post_edges.h5") as file:
    group = file["edges/pre_to_post"]
    pre, post, weight = group["source_node_id"][()], group["target_node_id"][()], group["0/syn_weight"][()]
    nsyns = group["0/nsyns"][()] if "nsyns" in group["0"] else 1
first, second = sources[0].global_id, cells[0].global_id
spec = {{"synapse_model": "static_synapse", "weight": weight * nsyns, "delay": np.full(len(pre), 0.1)}}
nest.Connect(pre.astype(int) + first, post.astype(int) + second, "one_to_one", spec)
meter = nest.Create("multimeter", params={{"record_from": ["V_m"], "interval": 1.0}})
nest.Connect(meter, cells)
nest.Simulate(400.0)
events = meter.events
result = [events["V_m"][events["senders"] == second + i][:398] for i in range(5)]
"""


def test_ten_cells_with_spikes_are_what_a_script_gives(data: Path, tmp_path: Path) -> None:
    """BMTK fails on this circuit: the oracle is a script written by hand."""
    folder = data / "sonata/sim_tests/intfire/ten_cells_spikes_nest/input"
    results, _ = run(folder / "config.json")
    assert {name: len(ids) for name, ids in results.nodes.items()} == {"post": 5} and results.spike_count == 0
    cell = json.loads(
        (data / "sonata/sim_tests/shared_components/point_neuron_models_dir/472363762_point.json").read_text()
    )
    by_hand = np.array(run_script(_BY_HAND.format(folder=str(folder), cell=cell), tmp_path))
    (trace,) = results.traces
    assert np.ptp(by_hand, axis=1).min() > 1.0
    for column, node in enumerate(trace.node_ids.tolist()):
        np.testing.assert_allclose(trace.data[1000:399000:1000, column], by_hand[node], rtol=0, atol=1e-9)
