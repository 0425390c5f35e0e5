"""BMTK runs circuits that were NeuroML, and its spikes are those that pynn_io's backends give the NeuroML."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.exporters.sonata import write
from pynn_io.importers.neuroml import read
from pynn_io.simulate import simulate
from tests.oracles.test_bmtk_runs import LIMIT, Trains, run, spikes
from tests.sonata_out import test_neuroml_as_sonata as cables
from tests.sonata_out.neuroml_nets import LEAKY, RESONATORS, written

pytestmark = pytest.mark.slow

#: NEST's event of a spike bears the end of its step, and pynn_io's reading of it the time of the crossing.
STEP = 0.02


def simulated(source: Path, backend: str) -> Trains:
    document = read(source, Report())
    results = simulate(document.network, document.plan, backend)
    found = {}
    for name, each in results.spikes.items():
        order = np.lexsort((each.times, each.node_ids))
        found[name] = np.stack([each.node_ids[order].astype(float), each.times[order]], axis=1)
    return found


def circuit(source: Path, folder: Path) -> Path:
    folder.mkdir()
    write(read(source, Report()), folder, Report())
    return folder


def needs(*modules: str) -> None:
    for module in ("bmtk", *modules):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


def compiled(folder: Path) -> None:
    """The circuit's mechanisms, where NEURON loads them by itself: in its folder."""
    command = Path(sys.executable).with_name("nrnivmodl")
    if not command.is_file():
        pytest.skip("NEURON's nrnivmodl is not beside this Python")
    subprocess.run([command, "components/mechanisms"], cwd=folder, capture_output=True, timeout=LIMIT, check=True)


def assert_same(found: Trains, wanted: Trains, within: float, least: int) -> None:
    for name, rows in wanted.items():
        if not len(rows):
            continue
        np.testing.assert_array_equal(found[name][:, 0], rows[:, 0])
        np.testing.assert_allclose(found[name][:, 1], rows[:, 1], rtol=0, atol=within)
    assert sum(map(len, wanted.values())) >= least


def test_cables_with_synapses(tmp_path: Path) -> None:
    needs("neuron")
    (tmp_path / "net.nml").write_text(cables.NET)
    source = tmp_path / "LEMS_sim.xml"
    source.write_text(cables.LEMS)
    folder = circuit(source, tmp_path / "circuit")
    compiled(folder)
    assert_same(run("bionet", folder), simulated(source, "neuron"), 1e-6, 20)


def test_points_with_a_mechanism_of_a_synapse(tmp_path: Path) -> None:
    """The script that was written with the circuit names the mechanism to BMTK."""
    needs("neuron")
    source = written(RESONATORS, tmp_path)
    folder = circuit(source, tmp_path / "circuit")
    compiled(folder)
    done = subprocess.run(
        [sys.executable, "run_bionet.py"], cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert_same(spikes(folder / "output" / "spikes.h5"), simulated(source, "neuron"), 1e-6, 10)


def test_leaky_points_on_nest(tmp_path: Path) -> None:
    needs("nest")
    source = written(LEAKY, tmp_path)
    found = run("pointnet", circuit(source, tmp_path / "circuit"))
    wanted = {name: rows for name, rows in simulated(source, "nest").items() if name != "sources"}
    assert_same(found, wanted, STEP, 8)
