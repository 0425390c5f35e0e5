"""`pynn-run --backend spinnaker` as a user runs it: the synfire chain mapped, and emulated."""

import json
import os
import subprocess
from pathlib import Path

import h5py
import pytest

from pynn_io.cli.run import main
from tests.commands.circuits import command, environment, tree
from tests.hardware.virtual_board import needs_spynnaker

ROOT = Path(__file__).resolve().parents[2]
SYNFIRE = ROOT / "fixtures" / "synfire" / "simulation_config.json"
SCRIPT = ROOT / "fixtures" / "pynn" / "synfire.py"
PLAN = (SYNFIRE, "--backend", "spinnaker", "--timestep", "1")


def run(folder, *arguments):
    """With a home that does not exist. matplotlib, which draws and which NEST imports, has a folder of its own."""
    home = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home" / "config")}
    (folder / "work").mkdir()
    (folder / "temporary").mkdir()
    done = subprocess.run(
        command("pynn-run", *arguments),
        cwd=folder / "work",
        env={**environment(), **home, "TMPDIR": str(folder / "temporary"), "MPLCONFIGDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert not (folder / "home").exists()
    assert os.listdir(folder / "temporary") == []
    return done


@needs_spynnaker
@pytest.mark.slow
def test_a_synfire_chain_in_pynn_is_mapped_and_nothing_looks_like_a_result(tmp_path):
    """11 populations that excite and 11 that inhibit, of 8 cells each, and a source: a core for each of the 23."""
    arguments = ("--backend", "spinnaker", "--timestep", "1", "-o", "out", "--plot", "fidelity.png")
    done = run(tmp_path, SCRIPT, *arguments, "--report", "losses.json")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert "mapped, not executed: there are no spikes and no recordings" in done.stderr
    assert "176 neurons on 23 cores, 2 chips, 1 board" in done.stderr
    assert "7 of 8 input spikes move to a step" in done.stderr
    assert "\nDone: mapped, not executed (" in done.stderr
    assert tree(tmp_path / "work") == ["fidelity.png", "losses.json", "out", "out/fidelity.json"]
    assert (tmp_path / "work" / "fidelity.png").read_bytes()[:4] == b"\x89PNG"
    told = json.loads((tmp_path / "work" / "out" / "fidelity.json").read_text())
    assert (told["level"], told["machine"]["neuron_cores"]) == ("mapped, not executed", 22)
    assert (told["provenance"]["plan"], told["provenance"]["timestep"]) == ("synfire", 1.0)
    assert [one["connections"] for one in told["projections"]] == [64] * 33
    assert all(one["lost"] == one["added"] == one["dropped_signs"] == 0 for one in told["projections"])
    inhibiting = [one for one in told["projections"] if one["receptor"] == "inhibitory"]
    assert len(inhibiting) == 11
    # 0.01 uS: 16 bits below 2 ** 4 / 1024 uS
    assert {one["resolution"] for one in inhibiting} == {2.0**-11 / 1024}
    codes = {issue["code"] for issue in json.loads((tmp_path / "work" / "losses.json").read_text())["issues"]}
    assert "spike-off-grid" in codes


@needs_spynnaker
@pytest.mark.slow
def test_the_synfire_chain_emulated(tmp_path):
    done = run(tmp_path, *PLAN, "--emulate", "-o", "out")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert "an emulation of SpiNNaker 1" in done.stderr
    assert "approximation: weights, delays and input spikes are those that the chip stores" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Done: an approximation of the chip ran, not the chip")
    facts = json.loads((tmp_path / "work" / "out" / "run.json").read_text())
    assert (facts["level"], facts["provenance"]["emulates"]) == ("emulates", "SpiNNaker 1")
    assert {"spikes.h5", "fidelity.json"} <= set(tree(tmp_path / "work" / "out"))
    with h5py.File(tmp_path / "work" / "out" / "spikes.h5") as file:
        assert len(file["spikes/excitatory/timestamps"]) == 88  # the burst passes all eleven pools


def refused(capsys, *arguments):
    status = main([str(SYNFIRE), *arguments])
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--backend", "nest", "--emulate"), "--emulate is for --backend spinnaker"),
        (("--backend", "spinnaker", "--emulate", "--board", "here"), "leave --board and --spalloc out"),
        (("--backend", "nest", "--board", "here"), "NEST has no option 'board'"),
    ],
)
def test_options_of_the_chip(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, said = refused(capsys, *arguments)
    assert (status, list(tmp_path.iterdir())) == (2, [])
    assert message in said


@needs_spynnaker
@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--spalloc", "https://me:secret@example.org"), "SPALLOC_USER and SPALLOC_PASSWORD"),
        (("--board", "a b"), "--board 'a b' is no address"),
        (("--board", ""), "--board '' is no address"),
    ],
)
def test_machines_that_cannot_be(option, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, said = refused(capsys, "--backend", "spinnaker", *option)
    assert (status, list(tmp_path.iterdir())) == (2, [])
    assert message in said


@needs_spynnaker
@pytest.mark.slow
def test_a_board_that_is_not_there(capsys, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # its files are kept
    status, said = refused(capsys, *PLAN[1:], "--duration", "10", "--board", "board.invalid", "-q")
    assert status == 7
    assert "PyNN refused while simulating on the board board.invalid: " in said
    assert "\n  can the board board.invalid be reached from here? Without --board the network is mapped" in said
    assert list((tmp_path / "work").iterdir()) == []


def test_a_mapping_takes_no_place_of_results(capsys, tmp_path):
    """There is nothing that could replace spikes: they would look like the chip's."""
    (tmp_path / "run.json").write_text("{}")
    status, said = refused(capsys, *PLAN[1:], "-o", str(tmp_path), "--overwrite")
    assert (status, [path.name for path in tmp_path.iterdir()]) == (5, ["run.json"])
    assert "it holds results of a run, and a mapping has none to put in their place" in said


def test_a_mapped_network_is_nothing_to_compare_with(monkeypatch):
    """The mapping itself is tried above; here a backend stands in for it."""
    from pynn_io.cli import run_compare
    from pynn_io.cli.run_job import RunJob
    from pynn_io.registry import BACKENDS
    from pynn_io.report import Report
    from pynn_io.results.mapped import Mapped

    monkeypatch.setattr(RunJob, "simulate", lambda self, progress: Mapped(level="maps"))
    monkeypatch.setattr(RunJob, "write", lambda self, results: ())
    arguments = type("Arguments", (), {"quiet": True})()
    job = RunJob(arguments, None, None, "spinnaker", Path("nowhere"), Report(), Report())
    outcome = run_compare._run(job, BACKENDS["spinnaker"], lambda *_: None)
    assert outcome.results is None and "nothing to compare" in str(outcome.error)


def test_an_emulation_among_others_is_called_an_approximation(capsys):
    from pynn_io.cli.run_compare_account import Outcome, facts_of, print_outcomes, shown
    from pynn_io.report import Report
    from pynn_io.results import Results

    provenance = {"simulator": "NEST", "emulates": "SpiNNaker 1", "approximation": "of weights"}
    first = Outcome("nest", Report(), Results(provenance={"simulator": "NEST"}), first=True)
    other = Outcome("spinnaker", Report(), Results(level="emulates", provenance=provenance))
    print_outcomes([first, other])
    assert "\nspinnaker: an approximation of SpiNNaker 1, run on NEST\n" in capsys.readouterr().out
    assert (shown(first), shown(other)) == ("nest", "spinnaker (approximated)")
    facts = facts_of(other)
    assert (facts["level"], facts["emulates"], facts["approximation"]) == ("emulates", "SpiNNaker 1", "of weights")
