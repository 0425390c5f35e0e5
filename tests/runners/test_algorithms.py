"""What backends say of their algorithms: against NEST's headers and behaviour, NEURON's sources, and runs."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.pipeline import read
from pynn_io.runners.neuron.algorithms import OWN
from pynn_io.simulate import simulate
from tests.commands.circuits import write_circuit, write_simulation
from tests.conftest import ROOT

MOD = ROOT / "pynn_io/runners/neuron/mod"


def test_our_mechanisms_are_all_told_with_their_steps():
    found = {path.stem: path.read_text() for path in MOD.glob("PynnIo*.mod")}
    # those between a source and a cell have no steps: they compute when a spike arrives
    found = {name: text for name, text in found.items() if "BREAKPOINT" in text or "net_send" in text}
    assert found.keys() == OWN.keys()
    for name, text in found.items():
        stated = re.search(r"DEFINE STEPS (\d+)", text)
        method, parts = OWN[name]
        assert parts == (int(stated[1]) if stated else parts)
        assert ("Runge-Kutta" in text) == (method[1] == "KISAO:0000032")


def test_models_of_nest_that_use_a_solver_of_the_gsl():
    nest = pytest.importorskip("nest")
    from pynn_io.runners.nest.algorithms import GSL, LINEAR

    headers = Path(nest.__file__).parent / "include/nest"
    if not headers.is_dir():
        pytest.skip("this NEST came without its headers")
    models = {name for name in nest.node_models if (headers / f"{name}.h").is_file()}
    solved = {name for name in models if "gsl_odeiv" in (headers / f"{name}.h").read_text()}
    assert solved == GSL
    assert not LINEAR & solved
    assert not LINEAR - {*nest.node_models}


#: model of NEST -> current (pA), and between which bounds the step moves the potential (mV).
SENSITIVE = {
    "iaf_psc_alpha": (100.0, 0.0, 1e-11),
    "iaf_psc_delta": (100.0, 0.0, 1e-11),
    "iaf_psc_exp": (100.0, 0.0, 1e-11),
    "mat2_psc_exp": (100.0, 0.0, 1e-11),
    "iaf_cond_exp": (100.0, 1e-10, 1e-3),
    "izhikevich": (2.0, 1e-4, 1.0),
}
SCRIPT = """
import json, sys, nest
found = {}
for model, (current, *_) in json.loads(sys.argv[1]).items():
    for step in (0.1, 1.0):
        nest.ResetKernel()
        nest.set(resolution=step, print_time=False)
        cell = nest.Create(model, params={"I_e": current})
        nest.Simulate(20.0)
        found.setdefault(model, []).append(cell.V_m)
print("\\n" + json.dumps(found))
"""


def test_exact_models_do_not_depend_on_the_step_and_others_do():
    """A current below threshold, from the start: the potential after 20 ms, with steps of 0.1 and of 1 ms."""
    pytest.importorskip("nest")
    command = [sys.executable, "-c", SCRIPT, json.dumps(SENSITIVE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)
    found = json.loads(done.stdout.splitlines()[-1])
    for model, (_, least, most) in SENSITIVE.items():
        fine, coarse = found[model]
        assert least <= abs(fine - coarse) <= most, model


@pytest.fixture
def circuit(tmp_path):
    write_circuit(tmp_path)
    return read(write_simulation(tmp_path))


def told(document, backend, **options):
    results = simulate(document.network, document.plan, backend, **options)
    found = results.provenance["algorithms"]
    return {each["of"]: (each["name"], each["kisao"], each["step"], each["parts"]) for each in found}


def test_what_nest_says(circuit):
    pytest.importorskip("nest")
    assert told(circuit, "nest", duration=5.0) == {"iaf_psc_alpha": ("exact integration", "", 0.1, 1)}


def test_what_brian2_says(circuit):
    pytest.importorskip("brian2")
    found = told(circuit, "brian2", duration=5.0, engine="numpy")
    assert found == {"nest:iaf_psc_alpha": ("exact integration", "", 0.1, 1)}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, {"membranes": ("Euler backward method", "KISAO:0000031", 0.025, 1)}),
        ({"integration_method": "crank_nicolson"}, {"membranes": ("Crank-Nicolson method", "KISAO:0000309", 0.025, 1)}),
        ({"variable_step": True}, {"membranes, channels and synapses": ("CVODE", "KISAO:0000019", None, 1)}),
    ],
)
def test_what_neuron_says_is_what_ran(changes, wanted):
    pytest.importorskip("neuron")
    document = read(ROOT / "fixtures/neuroml/LEMS_pair.xml")
    document = replace(document, plan=replace(document.plan, **changes))
    found = told(document, "neuron", duration=1.0, timestep=0.025)
    assert {name: found[name] for name in wanted} == wanted


def test_every_algorithm_comes_back_from_every_file(circuit, tmp_path):
    pytest.importorskip("nest")
    from pynn_io.results import read_results, write_results

    results = simulate(circuit.network, circuit.plan, "nest", duration=5.0)
    for name in ("sonata", "nix"):
        write_results(results, tmp_path / name, to=name)
        again = read_results(tmp_path / name)
        assert again.provenance["algorithms"] == results.provenance["algorithms"]
        assert np.isclose(again.provenance["algorithms"][0]["step"], 0.1)
