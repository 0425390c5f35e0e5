"""``pynn-run --backend "exc=nest,inh=nest"`` as a user runs it: status, stdout, stderr, files."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.pipeline import write
from tests.commands.circuits import run, tree
from tests.runners.nets import current_network


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A SONATA simulation of 80 exciting and 20 inhibiting cells, 60 ms."""
    network, plan = current_network()
    folder = tmp_path_factory.mktemp("circuit") / "net"
    write(Document(network, replace(plan, duration=60.0)), folder, format="sonata")
    (found,) = folder.glob("*simulation*.json")
    return found


def spikes_of(folder):
    with h5py.File(folder / "spikes.h5") as file:
        return {
            name: np.stack([group["timestamps"][:], group["node_ids"][:]]) for name, group in file["spikes"].items()
        }


def test_from_config_to_spikes(config, tmp_path):
    pytest.importorskip("nest")
    done = run("pynn-run", config, "--backend", "exc=nest,inh=nest", "-o", "two", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "two\n"), done.stderr
    assert "exc on nest, inh on nest; spikes exchanged every 0.2 ms, 300 epochs" in done.stderr
    assert "Done: everything was honoured." in done.stderr
    assert run("pynn-run", config, "--backend", "nest", "-o", "one", cwd=tmp_path).returncode == 0
    one, two = spikes_of(tmp_path / "one"), spikes_of(tmp_path / "two")
    assert sorted(one) == sorted(two) == ["exc", "inh"]
    for name, wanted in one.items():
        assert wanted.size > 20
        np.testing.assert_array_equal(two[name], wanted)
    facts = json.loads((tmp_path / "two" / "run.json").read_text())["provenance"]
    assert facts["placement"] == {"exc": "nest", "inh": "nest"}
    assert facts["backend"] == "exc=nest,inh=nest" and facts["simulator"] == "NEST"
    assert sorted(facts["parts"]) == ["exc=nest", "inh=nest"]
    assert facts["parts"]["exc=nest"]["simulator_version"] == facts["simulator_version"] != ""
    assert (facts["epoch"], facts["epochs"], facts["duration"], facts["seed"]) == (0.2, 300, 60.0, 1)


def test_the_default_destination(config, tmp_path):
    pytest.importorskip("nest")
    done = run("pynn-run", config, "-b", "*=nest", "--duration", "5", "--to", "nix", "-q", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "net-cosimulation.nix\n", "")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["-b", "exc=nest"], 2, ["no simulator is named for inh", "inh=BACKEND, or *=BACKEND for all"]),
        (["-b", "exc=nest,inh=nest,input=nest"], 2, ["'input' only emits spikes", "leave it out"]),
        (["-b", "exc=nest,neuron"], 2, ["'neuron' does not say which population", "cortex=neuron,L4+L5=nest,*=nest"]),
        (["-b", "exc=nest,inh=brain"], 2, ["unknown backend 'brain'"]),
        (["-b", "nest,neuron"], 2, ["several backends are for --compare", "cortex=neuron,thalamus=nest"]),
        (["-b", "exc=nest,*=neuron", "--compare"], 2, ["--compare is for backends that run the whole plan"]),
        (["-b", "exc=nest,*=nest", "--coreneuron"], 2, ["co-simulations have no option 'coreneuron'"]),
        (["-b", "exc=nest,*=arbor"], 6, ["Arbor cannot be part of a co-simulation", "nest and neuron can"]),
        (["-b", "exc=nest,*=nest", "--processes", "2"], 6, ["a part of a co-simulation runs in one process"]),
        (
            ["-b", "exc=nest,*=nest", "--timestep", "0.5"],
            4,
            ["exc_inh: its shortest delay is 0.5 ms", "1 ms are needed"],
        ),
    ],
)
def test_wrong_usage(config, tmp_path, options, status, said):
    done = run("pynn-run", config, *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    for text in said:
        assert text in done.stderr
    assert tree(tmp_path) == []
