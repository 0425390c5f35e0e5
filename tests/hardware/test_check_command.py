"""`pynn-run --check` as a user runs it: exit status, table, JSON and stderr; and backends that cannot be had."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from pynn_io.cli.run import main
from pynn_io.registry import BACKENDS, spelt
from pynn_io.vocabulary.unavailable import UNAVAILABLE
from tests.commands.circuits import environment

ROOT = Path(__file__).resolve().parents[2]
SYNFIRE = ROOT / "fixtures" / "synfire" / "simulation_config.json"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """`pynn-run` on the synfire chain, in a folder of its own; in this process, since a new one takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, plan=SYNFIRE):
        status = main([str(plan), *arguments])
        return Done(status, *capsys.readouterr())

    return run


def test_a_network_that_fits(check, tmp_path):
    done = check("--backend", "spinnaker", "--check")
    assert done.returncode == 0, done.stderr
    assert "176 neurons and 2,112 connections need about 5 cores, 1 chip, 1 board" in done.stdout
    assert done.stderr == "Done: SpiNNaker 1 can hold it.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_does_not(check, tmp_path):
    done = check("--backend", "brainscales2", "--check", "--report", "check.json")
    assert done.returncode == 3
    assert "projection stimulus_to_excitatory" in done.stdout
    assert "pynn-run: error: BrainScaleS-2 cannot hold it: delay, recorded-cells" in done.stderr
    assert "what helps: delays of 0 ms" in done.stderr and "--allow delay,recorded-cells" in done.stderr
    stated = json.loads((tmp_path / "check.json").read_text())
    found = {(one["code"], one["where"]): one["count"] for one in stated["check"]["findings"]}
    assert found["delay", "projection excitatory_to_inhibitory"] == 640
    assert stated["check"]["fits"] is False
    assert {issue["code"] for issue in stated["issues"]} >= {"delay", "recorded-cells"}


def test_what_is_allowed_does_not_refuse_and_strict_refuses_more(check):
    allowed = ("--backend", "brainscales2", "--check", "--allow", "delay,recorded-cells")
    assert check(*allowed).returncode == 0
    strict = check(*allowed, "--strict")
    assert strict.returncode == 3 and "cannot hold it: model" in strict.stderr


def test_a_changed_plan_is_checked(check):
    done = check("--backend", "spinnaker", "--check", "--timestep", "1", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    done = check("--backend", "spinnaker", "--check", "--timestep", "1")
    assert "delay-off-grid" in done.stdout and "real-time" not in done.stdout


def test_a_backend_without_a_profile(check):
    done = check("--backend", "nest", "--check")
    assert done.returncode == 2
    assert "NEST has no capability profile" in done.stderr and "spinnaker, brainscales2, loihi2" in done.stderr


@pytest.mark.parametrize("name", [name for name, _, _ in UNAVAILABLE])
def test_what_cannot_be_had_says_why(name, check, tmp_path):
    done = check("--backend", name)
    row = BACKENDS[name]
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"pynn-run: error: {row.title} cannot run here: {row.reason}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *[("Spikey", "spikey"), ("BrainScaleS-1", "brainscales1"), ("PCSIM", "pcsim"), ("CARLsim", "carlsim")],
        *[("NEST GPU", "nestgpu"), ("nest-gpu", "nestgpu"), ("EDEN", "eden"), ("BrainScaleS-2", "brainscales2")],
        *[("Loihi 2", "loihi2"), ("NEST", "nest"), ("NEURON", "neuron"), ("SpiNNaker", "spinnaker")],
        *[("NMPI:spinnaker", "nmpi:SpiNNaker"), ("PyNN:NEST", "pynn:nest"), ("pynn:my.module", "pynn:my.module")],
        *[("nestt", "nestt"), ("", "")],
    ],
)
def test_names_as_people_write_them(written, name):
    assert spelt(written) == name


SCRIPT = """
import sys
import pyNN.nest as sim
sim.setup(timestep=1.0)
cells = sim.Population(int(sys.argv[1]), sim.IF_curr_exp())
cells.record("spikes")
sim.run(10.0)
cells.get_data()
"""


def test_a_script_is_asked_with_its_arguments(check, tmp_path):
    pytest.importorskip("pyNN")
    (tmp_path / "cells.py").write_text(SCRIPT)
    done = check("--backend", "spinnaker", "--check", "--script-args", "7", plan=tmp_path / "cells.py")
    assert (done.returncode, "7 neurons and 0 connections" in done.stdout) == (0, True), done.stderr
    assert "Nothing is simulated while a script is read" in done.stderr  # what reading has to say


@pytest.mark.parametrize("option", [("-o", "out"), ("--plot", "x.png"), ("--compare",)])
def test_a_check_gives_no_results(option, check):
    done = check("--backend", "spinnaker", "--check", *option)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option[0]} is for results, and --check runs nothing" in done.stderr


def test_a_backend_by_its_title(check):
    done = check("--backend", "NEST GPU")
    assert done.returncode == 6 and "NEST GPU cannot run here: it is not on PyPI" in done.stderr
    assert check("--backend", "SpiNNaker", "--check").stdout.startswith("SpiNNaker 1 (profile: ")


def test_no_package_of_a_vendor_is_imported():
    code = (
        "import sys; from pathlib import Path; from pynn_io import read;"
        "from pynn_io.lowering.hardware import check_hardware;"
        f"document = read(Path({str(SYNFIRE)!r}));"
        "checks = [check_hardware(document.network, document.plan, one) for one in ('spinnaker', 'loihi2')];"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pyNN', 'spynnaker', 'nir', 'lazyarray'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
