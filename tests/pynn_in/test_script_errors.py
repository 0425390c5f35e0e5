"""What a user is told of a script that cannot be read: status, place, remedy."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pynn_io import ReadError, Report, UnsupportedInput
from pynn_io.errors import BackendUnavailable
from pynn_io.importers import pynn_script
from tests.commands.circuits import command, environment

pytest.importorskip("pyNN")

HEAD = "import pyNN.nest as sim\nsim.setup()\n"
CELLS = "p = sim.Population(2, sim.IF_cond_exp(), label='p')\n"
#: Script -> line, what is wrong, what is said today in its place.
OLD = {
    "target": (
        HEAD + CELLS + "sim.Projection(p, p, sim.AllToAllConnector(), target='excitatory')\n",
        4,
        "Projection(target=...) is a call of PyNN before 0.8",
        "receptor_type='inhibitory'",
    ),
    "weights": (
        HEAD + CELLS + "\nc = sim.AllToAllConnector(weights=0.1, delays=1.0)\n",
        5,
        "AllToAllConnector(weights=...)",
        "StaticSynapse(weight=0.01, delay=1.0)",
    ),
    "getSpikes": (
        HEAD + CELLS + "p.record('spikes')\nsim.run(1.0)\np.getSpikes()[:, 1]\n",
        6,
        "getSpikes()",
        "get_data('spikes')",
    ),
    "set": (HEAD + CELLS + "p.set('tau_m', 20.0)\n", 4, "population.set('tau_m', ...)", "population.set(tau_m=value)"),
    "initialize": (HEAD + CELLS + "p.initialize('v', -60)\n", 4, "initialize('v', ...)", "initialize(v=value)"),
    "dynamics": (HEAD + "sim.SynapseDynamics(slow=None)\n", 3, "SynapseDynamics", "synapse_type=STDPMechanism"),
    "randomInit": (HEAD + CELLS + "p.randomInit(None)\n", 4, "Population.randomInit", "population.initialize(v="),
}


def convert(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("pynn-convert", script, "--to", "sonata", "--check", *arguments),
        capture_output=True,
        text=True,
        env=environment(),
        cwd=script.parent,
        timeout=300,
    )


def written(folder: Path, text: str) -> Path:
    script = folder / "script.py"
    script.write_text(text)
    return script


@pytest.mark.parametrize("idiom", OLD)
def test_an_old_idiom_is_told_the_present_one(idiom: str, tmp_path: Path) -> None:
    text, line, wrong, today = OLD[idiom]
    with pytest.raises(UnsupportedInput) as caught:
        pynn_script.read(written(tmp_path, text), Report())
    assert caught.value.where == f"{tmp_path}/script.py:{line}"
    assert wrong in caught.value.message
    assert today in caught.value.hint


def test_the_command_says_so_too(tmp_path: Path) -> None:
    done = convert(written(tmp_path, OLD["target"][0]))
    assert done.returncode == 4
    first, second = done.stderr.splitlines()[:2]
    assert first.startswith(f"pynn-convert: error: {tmp_path}/script.py:4: Projection(target=...)")
    assert "receptor_type='inhibitory'" in second


def test_an_exception_has_its_line(tmp_path: Path) -> None:
    done = convert(written(tmp_path, HEAD + "def f():\n    return 1 / 0\n\n\nprint('so far')\nf()\n"))
    assert done.returncode == 4
    assert done.stdout == ""
    assert "so far" in done.stderr
    assert f"{tmp_path}/script.py:4: the script failed: ZeroDivisionError: division by zero" in done.stderr


def test_a_file_beside_the_script_is_looked_for_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "conns.txt").write_text("0 1\n")
    script = written(tmp_path / "there", HEAD + "import numpy\nnumpy.loadtxt('conns.txt')\n")
    with pytest.raises(ReadError, match="FileNotFoundError") as caught:
        pynn_script.read(script, Report())
    assert caught.value.where == f"{script}:4"
    assert caught.value.hint == f"a script runs in the current folder, as with python; its own is {script.parent}"


def test_a_connector_that_no_backend_has_says_so(tmp_path: Path) -> None:
    text = HEAD + CELLS + "sim.Projection(p, p, sim.SmallWorldConnector(0.5, 0.1), sim.StaticSynapse())\n"
    with pytest.raises(
        UnsupportedInput, match=r"PyNN 0\.13 has no backend that connects a SmallWorldConnector"
    ) as caught:
        pynn_script.read(written(tmp_path, text), Report())
    assert caught.value.where == f"{tmp_path}/script.py:4"
    assert "FromListConnector" in caught.value.hint


def test_no_python_at_all(tmp_path: Path) -> None:
    done = convert(written(tmp_path, HEAD + "this is no Python at all\n"))
    assert done.returncode == 4
    assert f"{tmp_path}/script.py:3: the script failed: SyntaxError" in done.stderr


def test_a_missing_argument_names_the_option(tmp_path: Path) -> None:
    done = convert(
        written(tmp_path, "import argparse\n" + HEAD + "argparse.ArgumentParser(prog='x').parse_args(['a'])\n")
    )
    assert done.returncode == 4
    assert "the script ended itself with status 2" in done.stderr
    assert "--script-args" in done.stderr


def test_a_script_that_takes_too_long(tmp_path: Path) -> None:
    done = convert(written(tmp_path, HEAD + "while True:\n    pass\n"), "--script-timeout", "8")
    assert done.returncode == 4
    assert "script.py: the script was stopped after 8 s" in done.stderr
    assert "--script-timeout" in done.stderr


def test_a_script_that_needs_too_much(tmp_path: Path) -> None:
    text = HEAD + "import numpy\nheld = [numpy.ones(10**9) for _ in range(100)]\n"
    done = convert(written(tmp_path, text), "--script-memory", "4")
    assert done.returncode == 4
    assert "script.py:4: the script needs more memory than the limit of 4 GB" in done.stderr


def test_a_script_that_ends_its_process(tmp_path: Path) -> None:
    done = convert(written(tmp_path, HEAD + "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"))
    assert done.returncode == 4
    assert "the script's process was ended by signal SIGSEGV" in done.stderr


def test_a_script_without_a_network(tmp_path: Path) -> None:
    done = convert(written(tmp_path, HEAD))
    assert done.returncode == 4
    assert "the script builds no population" in done.stderr


def test_options_of_scripts_are_for_scripts(tmp_path: Path) -> None:
    (tmp_path / "a.swc").write_text("1 1 0 0 0 1 -1\n")
    done = convert(tmp_path / "a.swc", "--script-args", "nest")
    assert done.returncode == 2
    assert "--script-args is for PyNN scripts" in done.stderr


def test_without_pynn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pynn_script, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match=r"pynn_io\[pynn\]"):
        pynn_script.read(written(tmp_path, HEAD), Report())


@pytest.mark.parametrize("module", ["pyNN.spiNNaker", "spynnaker8"])
@pytest.mark.parametrize(
    ("line", "wrong", "remedy"),
    [
        (
            "sim.Population(1, sim.external_devices.SpikeInjector())",
            "external_devices.SpikeInjector: devices, injected and live spikes",
            "SpikeSourceArray",
        ),
        ("sim.extra_models.IF_curr_dual_exp()", "extra_models.IF_curr_dual_exp", "standard model"),
        ("sim.external_devices.run_forever()", "external_devices.run_forever: devices", "leave it out"),
        ("import {module}.extra_models as x; x.IF_curr_dual_exp()", "extra_models.IF_curr_dual_exp", "standard model"),
        ("from {module}.external_devices import SpikeInjector", "external_devices.SpikeInjector", "SpikeSourceArray"),
        (
            "from {module}.models.neuron import builds",
            "models.neuron.builds: this is of sPyNNaker's own",
            "leave it out",
        ),
        ("sim.StructuralMechanismStatic()", "StructuralMechanismStatic: a network file has no", "StaticSynapse"),
        ("sim.LastNeuronSelection()", "LastNeuronSelection: a network file has no connections", "STDPMechanism"),
        ("sim.KernelConnector((2, 2), (2, 2), (1, 1))", "KernelConnector: sPyNNaker has this", "FromListConnector"),
        ("sim.ConvolutionConnector([[1.0]])", "ConvolutionConnector: sPyNNaker computes", "FromListConnector"),
        ("sim.get_machine()", "get_machine: there is no machine", "leave it out"),
        (
            "sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), backprop_delay=False)",
            "STDPMechanism(backprop_delay=False)",
            "leave backprop_delay out",
        ),
    ],
)
def test_what_only_spinnaker_has_is_refused_by_name(module, line, wrong, remedy, tmp_path: Path) -> None:
    line = line.format(module=module)
    script = written(tmp_path, f"import {module} as sim\nsim.setup(1.0)\n{line}\n")
    with pytest.raises(UnsupportedInput, match=re.escape(wrong)) as caught:
        pynn_script.read(script, report=Report())
    assert str(caught.value.where).endswith("script.py:3")
    assert remedy in caught.value.hint


def test_modules_that_spinnakers_tools_no_longer_have(tmp_path: Path) -> None:
    line = "from pacman.model.constraints_of_old import ChipAndCoreConstraint\n"
    script = written(tmp_path, f"import pyNN.spiNNaker as sim\n{line}")
    with pytest.raises(ReadError, match=r"No module named 'pacman") as caught:
        pynn_script.read(script, report=Report())
    assert "leave out what places cells" in caught.value.hint


@pytest.mark.parametrize(
    "line", ["sim.SpikeSourceArray([1.0])", "sim.IF_curr_exp(20.0)", "sim.AllToAllConnector(verbose=True)"]
)
def test_what_spinnaker_takes_by_position_others_do_not(line: str, tmp_path: Path) -> None:
    script = written(tmp_path, f"import pyNN.nest as sim\nsim.setup(1.0)\n{line}\n")
    with pytest.raises(ReadError, match="TypeError"):
        pynn_script.read(script, report=Report())


@pytest.mark.parametrize("name", ["sys.argv[-1]", "pathlib.Path(sys.argv[-1]).stem"])
def test_a_script_that_takes_its_own_name_for_the_backends(name, tmp_path: Path) -> None:
    script = written(tmp_path, f"import pathlib, sys\nexec('from pyNN.%s import *' % {name})\n")
    with pytest.raises(ReadError) as caught:
        pynn_script.read(script, report=Report())
    assert "--script-args" in caught.value.hint
