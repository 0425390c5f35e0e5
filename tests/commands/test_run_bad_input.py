"""Bad input met by the simulators themselves: a typed error, its exit status, and nothing on disk."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.commands.circuits import run, tree, write_circuit, write_simulation

needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="NEST is not installed")
needs_neuron = pytest.mark.skipif(find_spec("neuron") is None, reason="NEURON is not installed")


@pytest.fixture
def config(tmp_path):
    write_circuit(tmp_path / "circuit")
    (tmp_path / "work").mkdir()
    return write_simulation(tmp_path / "circuit")


def change(config, **sections):
    content = json.loads(config.read_text())
    for name, keys in sections.items():
        content.setdefault(name, {}).update(keys)
    config.write_text(json.dumps(content))


def recorded(variable, cells="cells"):
    return {"reports": {"r": {"cells": cells, "variable_name": variable, "module": "multimeter_report"}}}


def with_spikes(config, population="inputs", ids=(0, 1), times=(5.0, 9.0), file="in.h5"):
    with h5py.File(config.with_name("in.h5"), "w") as out:
        group = out.create_group(f"spikes/{population}")
        group["node_ids"], group["timestamps"] = np.array(ids, dtype=np.uint64), np.array(times, dtype=float)
        group["timestamps"].attrs["units"] = "ms"
    given = {"input_type": "spikes", "module": "h5", "input_file": file, "node_set": "inputs"}
    change(config, inputs={"given": given})


def with_delay(config, delay):
    path = config.with_name("recurrent_types.csv")
    path.write_text(path.read_text().replace(" 2.0", f" {delay}"))


def with_cell(config, parameters):
    (config.parent / "components" / "cells" / "exc.json").write_text(json.dumps(parameters))


CASES = {
    "a variable that the cells do not have": (
        lambda config: change(config, **recorded("charisma")),
        (4, "reports.r.variable_name", "have no variable 'charisma'"),
    ),
    "a node set that selects nothing": (
        lambda config: change(config, **recorded("V_m", {"pop_name": "nobody"})),
        (4, "reports.r.node_set", "selects no cell"),
    ),
    "a node set that does not exist": (
        lambda config: change(config, **recorded("V_m", "nobody")),
        (4, "reports.r.node_set", "no node set or population 'nobody'"),
    ),
    "spikes of another population": (
        lambda config: with_spikes(config, population="elsewhere"),
        (4, "inputs.given.node_set", "--allow input-without-spikes"),
    ),
    "a spike file that is missing": (
        lambda config: with_spikes(config, file="nowhere.h5"),
        (4, "inputs.given.input_file", "does not exist"),
    ),
    "a spike at 0": (
        lambda config: with_spikes(config, times=(0.0, 9.0)),
        (4, "inputs.given.times", "spikes must come after 0 ms"),
    ),
    "a spike before 0": (
        lambda config: with_spikes(config, times=(-3.0, 9.0)),
        (4, "inputs.given.times", "node 0 at -3.0 ms"),
    ),
    "a spike that is not a number": (
        lambda config: with_spikes(config, times=(float("nan"), 9.0)),
        (4, "in.h5:/spikes/inputs", "not a finite number"),
    ),
    "a negative delay": (
        lambda config: with_delay(config, -2.0),
        (4, "cells_to_cells", "a delay of -2.0 ms is negative"),
    ),
    "a delay below the time step": (
        lambda config: with_delay(config, 0.01),
        (4, "cells_to_cells", "a delay of 0.01 ms is below the time step of 0.1 ms"),
    ),
    "a parameter that the model does not have": (
        lambda config: with_cell(config, {"C_m": 200.0, "charisma": 3.0}),
        (7, "population cells", "has no parameter 'charisma'"),
    ),
    "a value that the model refuses": (
        lambda config: with_cell(config, {"C_m": -200.0}),
        (7, "NEST refused", "Capacitance must be > 0"),
    ),
}


@needs_nest
@pytest.mark.parametrize("case", CASES)
def test_nest(config, tmp_path, case):
    edit, (status, place, message) = CASES[case]
    edit(config)
    done = run("pynn-run", config, "--backend", "nest", cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    error = done.stderr.partition("pynn-run: error: ")[2]
    assert place in error and message in error and "Traceback" not in done.stderr
    assert tree(tmp_path / "work") == []


@needs_nest
def test_an_input_that_is_missing_can_be_allowed(config, tmp_path):
    with_spikes(config, file="nowhere.h5")
    done = run("pynn-run", config, "--backend", "nest", "--allow", "missing-input", cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (0, "circuit-nest\n"), done.stderr
    assert "missing-input (allowed)" in done.stderr


@needs_nest
def test_nest_in_two_processes(config, tmp_path):
    done = run("pynn-run", config, "--backend", "nest", "--processes", "2", cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (6, "")
    assert "NEST cannot run in 2 processes" in done.stderr


@needs_neuron
def test_a_mechanism_that_does_not_compile(config, tmp_path, data):
    """The compiler's own words, and no cache entry that a later run would take for good."""
    allen = Path(pytest.importorskip("bmtk").__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
    shutil.copytree(allen, tmp_path / "mod")
    (tmp_path / "mod" / "Ih.mod").write_text("NEURON { SUFFIX Ih }\nBREAKPOINT { this is no NMODL }\n")
    source = data / "sonata" / "5_cells_iclamp" / "simulation_config.json"
    done = run("pynn-run", source, "--mechanisms", tmp_path / "mod", cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (7, ""), done.stderr
    assert "Traceback" not in done.stderr and "Ih.mod" in done.stderr and "syntax error" in done.stderr
    assert tree(tmp_path / "work") == []


@needs_neuron
def test_mechanisms_that_are_missing_are_named_with_their_cells(tmp_path, data):
    (tmp_path / "work").mkdir()
    source = data / "sonata" / "5_cells_iclamp" / "simulation_config.json"
    done = run("pynn-run", source, cwd=tmp_path / "work")
    assert (done.returncode, done.stdout) == (7, ""), done.stderr
    assert "NaTs" in done.stderr and "--mechanisms" in done.stderr
    assert tree(tmp_path / "work") == []
