"""The documented calls on backends of PyNN and on ours: unchanged but for the import line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn_io
from pynn_io.errors import FormatError, PlanError, RunError
from pynn_io.graph import CableCell, Network, Population
from pynn_io.results import read_results
from pynn_io.simulation_plan import SimulationPlan
from tests.models import ball_and_stick, table
from tests.pynn_in.test_capture import edges
from tests.runners.pynn_backends import compile_for_neuron, need, python
from tests.runners.standard_networks import network


@pytest.fixture(scope="session")
def neuron() -> None:
    """PyNN's mechanisms, compiled once."""
    compile_for_neuron()


def circuit(data: Path, name: str, place: Path) -> Path:
    """A copy of a circuit with the components beside it; the folder of its configurations."""
    shutil.copytree(data / "sonata" / name, place / name, ignore=shutil.ignore_patterns("output"))
    beside = (place / name / "..").resolve() if "/" not in name else place / name.partition("/")[0]
    source = data / "sonata" / "shared_components" if "/" not in name else data / "sonata/sim_tests/shared_components"
    shutil.copytree(source, beside / "shared_components")
    found = place / name
    return found if (found / "simulation_config.json").exists() else found / "input"


def calls(folder: Path, *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(
        python("-m", "tests.runners.pynn_calls_script", *arguments, cwd=folder).splitlines()[-1]
    )
    return said


@pytest.mark.slow
def test_300_intfire_on_pynn_neuron_gives_the_published_spikes(data: Path, tmp_path: Path, neuron: None) -> None:
    folder = circuit(data, "300_intfire", tmp_path)
    (folder / "output").mkdir()
    (folder / "output" / "mine.txt").write_text("kept")
    said = calls(folder, "pyNN.neuron")
    assert said["spikes"] == 4322
    assert (said["kind"], said["size"], said["is a Network of PyNN"]) == ("Assembly", 300, True)
    assert (said["assemblies"], said["neurons"], said["connections"]) == (["lgn", "tw", "v1"], 420, 87720)
    assert (folder / "output" / "mine.txt").read_text() == "kept"  # overwrite_output_dir is true there
    found = read_results(folder / "output").spikes["v1"]
    published = read_results(data / "sonata/300_intfire/output").spikes
    ids, times = next(iter(published.values())).node_ids, next(iter(published.values())).times
    order, own = np.lexsort((ids, np.round(times, 1))), np.lexsort((found.node_ids, np.round(found.times, 1)))
    assert found.node_ids[own].tolist() == ids[order].tolist()
    assert np.abs(found.times[own] - times[order]).max() < 0.1
    libsonata = pytest.importorskip("libsonata")
    assert len(libsonata.SpikeReader(str(folder / "output/spikes.h5"))["v1"].get()) == 4322


@pytest.mark.slow
def test_the_same_calls_on_a_backend_of_ours(data: Path, tmp_path: Path) -> None:
    need("neuron")
    folder = circuit(data, "300_intfire", tmp_path)
    assert calls(folder, "own:neuron") == {"spikes": 4322, "size": 300}


@pytest.mark.slow
def test_reports_are_what_libsonata_reads(data: Path, tmp_path: Path) -> None:
    need("nest")
    libsonata = pytest.importorskip("libsonata")
    folder = circuit(data, "sim_tests/intfire/one_cell_iclamp_nest", tmp_path)
    said = calls(folder, "pyNN.nest", "200", "one_cell_iclamp")
    assert said["positions"] == [[0.0, 0.0, 0.0]] and said["spikes"] > 2
    output = pynn_io.load_sonata_simulation_plan(folder / "simulation_config.json").output
    reports = libsonata.SomaReportReader(str(folder / str(output.directory) / "membrane_potential.h5"))
    frame = reports["one_cell_iclamp"].get()
    assert frame.data.shape == (20000, 1) and -90 < frame.data.min() < frame.data.max() < 0
    bmtk = read_results(data / "reference/sim_tests_one_cell_iclamp_nest").spikes["one_cell_iclamp"].times
    found = read_results(folder / str(output.directory)).spikes["one_cell_iclamp"].times
    np.testing.assert_allclose(found, np.sort(bmtk[bmtk <= 200.0]), atol=1e-6)


def test_cells_that_a_backend_lacks_are_listed_with_their_places() -> None:
    pytest.importorskip("pyNN")
    from pyNN import mock

    from pynn_io.pynn_calls import import_network

    mock.setup(timestep=0.1)
    net = Network(
        populations={name: Population(name, 2, table(1, cell=[name])) for name in ("cable", "point")},
        cells={"cable": CableCell("m"), "point": pynn_io.graph.PointCell("IF_cond_exp")},
        morphologies={"m": ball_and_stick()},
    )
    with pytest.raises(RunError) as error:
        import_network(net, mock)
    assert "pyNN.mock cannot hold this network" in str(error.value)
    assert "population cable: pyNN.mock does not have cable cells" in str(error.value) and "(2)" in str(error.value)
    report = pynn_io.Report()
    built = import_network(net, mock, report)
    assert built.count_neurons() == 2 and "cable-cell" in report.codes()
    with pytest.raises(RunError, match="Cable cells and nrn: models run with --backend neuron"):
        import_network(replace(net, populations={"cable": net.populations["cable"]}), mock)


def test_a_foreign_network_and_a_second_plan_are_refused() -> None:
    network = pytest.importorskip("pyNN.network")
    with pytest.raises(RunError, match="not made by import_from_sonata"):
        SimulationPlan(duration=1.0).execute(network.Network())


def test_backends_of_ours_are_known_by_name() -> None:
    with pytest.raises(FormatError, match="unknown backend 'nets'"):
        pynn_io.backend("nets")
    net = pynn_io.pynn_calls.import_network(Network("n"), pynn_io.backend("nest", threads=2))
    assert (net.backend.name, net.backend.options, net.get_component("x")) == ("nest", {"threads": 2}, None)
    assert isinstance(net, Network) and net.name == "n"


def test_a_plan_from_a_configuration_that_was_read_already() -> None:
    config = {"run": {"tstop": 50.0, "dt": 0.1}, "output": {"output_dir": "out"}}
    plan = SimulationPlan.from_config(config, Network())
    assert (plan.duration, plan.timestep) == (50.0, 0.1)
    assert pynn_io.pynn_calls.output_folder(plan) == Path.cwd() / "out"
    with pytest.raises(PlanError, match="names no network"):
        SimulationPlan.from_config(config)


ROUND_TRIP = """
import sys
import pyNN.mock as sim
import pynn_io
sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0)
pynn_io.export_to_sonata(pynn_io.import_from_sonata(sys.argv[1], sim), sys.argv[2])
"""


def test_an_imported_network_is_exported(tmp_path: Path) -> None:
    need()
    net = network("IF_cond_exp").network
    pynn_io.export_to_sonata(net, tmp_path / "one")
    python("-c", ROUND_TRIP, str(tmp_path / "one"), str(tmp_path / "two"))
    found = pynn_io.read(tmp_path / "two").network
    one, two = (sorted(each.populations[name].size for name in each.populations) for each in (net, found))
    assert one == two
    was = np.concatenate([edges(each) for each in net.projections.values()])
    now = np.concatenate([edges(each) for each in found.projections.values()])
    np.testing.assert_allclose(now[np.lexsort(now.T)], was[np.lexsort(was.T)], rtol=1e-12)
