"""`pynn-run` as a user runs it, on fake backends: exit status, stdout, stderr, and what is on disk afterwards."""

import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import h5py
import pytest

from tests.commands.circuits import command, tree


def change(config, **sections):
    """The config with keys of its sections replaced; None takes a key away."""
    content = json.loads(config.read_text())
    for name, keys in sections.items():
        if not isinstance(keys, dict):
            content[name] = keys
            continue
        section = content.setdefault(name, {})
        section.update(keys)
        content[name] = {key: value for key, value in section.items() if value is not None}
    config.write_text(json.dumps(content))
    return config


def nothing_is_left(run, tmp_path):
    return tree(run.folder) == [] and tree(tmp_path / "temporary") == []


def test_a_run_from_config_to_spikes(run, config, tmp_path):
    done = run(config, "--backend", "well", "-o", "out")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    with h5py.File(run.folder / "out" / "spikes.h5") as file:
        assert file["spikes/cells/timestamps"][:].tolist() == [0, 1, 2, 3]
        assert file["spikes/cells/node_ids"][:].tolist() == [0, 1, 2, 3]
    assert tree(tmp_path / "temporary") == []
    assert not (config.parent / "output").exists()


def test_the_summary(run, config):
    said = run(config, "--backend", "well", "-o", "out").stderr
    assert "100 ms in steps of 0.5 ms; 4 cells, 7 edges, 4 spikes" in said
    assert "        cells           4       4   10.00 Hz\n" in said  # 4 spikes of 4 cells in 0.1 s
    assert "wrote   out: 2 files" in said
    assert "fake simulator, banner" not in said


def test_the_default_destination_is_named_after_plan_and_backend(run, config):
    done = run(config, "--backend", "well")
    assert (done.returncode, done.stdout) == (0, "circuit-well\n")
    assert (run.folder / "circuit-well" / "spikes.h5").is_file()


def test_results_are_not_replaced_unasked_and_the_run_is_not_even_started(run, config, tmp_path):
    run(config, "--backend", "well", "-o", "out")
    before = (run.folder / "out" / "run.json").read_bytes()
    done = run(config, "--backend", "loses", "-o", "out")
    assert (done.returncode, done.stdout) == (5, "")
    assert "out: exists already" in done.stderr and "--overwrite" in done.stderr
    assert not (tmp_path / "mark").exists()
    assert (run.folder / "out" / "run.json").read_bytes() == before
    assert run(config, "--backend", "well", "-o", "out", "--overwrite").returncode == 0
    assert (run.folder / "out" / "run.json").read_bytes() != before


def test_options_change_the_plan(run, config):
    options = ["--duration", "50", "--seed", "7", "--threads", "2"]
    assert run(config, "--backend", "well", "-o", "out", *options).returncode == 0
    facts = json.loads((run.folder / "out" / "run.json").read_text())["provenance"]
    assert (facts["duration"], facts["seed"], facts["threads"]) == (50.0, 7, 2)
    assert facts["command"].startswith("pynn-run ") and facts["command"].endswith("--threads 2")


def test_provenance_names_every_file_with_its_hash(run, config):
    run(config, "--backend", "well", "-o", "out")
    hashes = json.loads((run.folder / "out" / "run.json").read_text())["provenance"]["sha256"]
    path = config.parent / "cells.h5"
    expected = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert hashes[str(path)] == expected
    assert {Path(name).name for name in hashes} >= {"simulation_config.json", "circuit_config.json", "recurrent.h5"}


def test_quiet_says_nothing_of_a_run_that_honours_everything(run, config):
    done = run(config, "--backend", "well", "-o", "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "")


def test_verbose_shows_what_the_simulator_prints(run, config):
    assert "fake simulator, banner" in run(config, "--backend", "well", "-o", "out", "--verbose").stderr


def test_a_loss_is_told_and_the_run_goes_on(run, config):
    done = run(config, "--backend", "loses", "-o", "out", "--report", "losses.json")
    assert done.returncode == 0
    assert "the fake backend has no such thing" in done.stderr
    assert "Done: what ran differs from what was asked for (1 lost, 1 defaulted)." in done.stderr
    issues = json.loads((run.folder / "losses.json").read_text())["issues"]
    assert "fake-loss" in [issue["code"] for issue in issues]


def test_strict_refuses_and_names_what_to_allow(run, config, tmp_path):
    done = run(config, "--backend", "loses", "--strict")
    assert (done.returncode, done.stdout) == (3, "")
    assert "--allow fake-loss" in done.stderr
    assert not (tmp_path / "mark").exists()
    assert nothing_is_left(run, tmp_path)
    assert run(config, "--backend", "loses", "--strict", "--allow", "fake-loss").returncode == 0


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("raises", "ValueError: the membrane has a hole"),
        ("exits", "hoc error: nothing left to do"),
        ("crashes", "ended by signal SIGSEGV"),
    ],
)
def test_a_failed_simulation_shows_the_log_and_keeps_its_files(run, config, tmp_path, backend, message):
    done = run(config, "--backend", backend)
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr.splitlines()[-1].startswith("  files of the run: ")
    assert message in done.stderr
    kept = Path(done.stderr.splitlines()[-1].partition(": ")[2])
    assert kept.parent == tmp_path / "temporary" and (kept / "log.txt").is_file()
    assert tree(run.folder) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_leaves_nothing(run, config, tmp_path, number, status):
    process = subprocess.Popen(
        command("pynn-run", config, "--backend", "hangs"),
        cwd=run.folder,
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "mark").exists() or not (tmp_path / "mark").read_text():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    assert error.splitlines()[-1] == "pynn-run: interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "mark").read_text()), 0)
    assert nothing_is_left(run, tmp_path)


def test_a_full_disk_under_the_results(run, config, tmp_path):
    """A file-size limit stands for the full disk; the recording is too large for it, the run's own files are not."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))

    done = run(config, "--backend", "records", "-o", "out", preexec_fn=limit)
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert done.stderr.splitlines()[-2].startswith("pynn-run: error: ") and "File too large" in done.stderr
    assert nothing_is_left(run, tmp_path)


def test_a_full_disk_under_the_work_folder(run, config):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = run(config, "--backend", "records", "-o", "out", preexec_fn=limit)
    assert (done.returncode, done.stdout) == (7, "")
    assert "cannot be written to the work folder" in done.stderr and "TMPDIR" in done.stderr
    assert tree(run.folder) == []


def test_results_are_drawn_and_shown(run, config):
    done = run(config, "--backend", "records", "-o", "out", "--plot", "out.png")
    assert done.returncode == 0 and "drawn   out.png" in done.stderr
    assert (run.folder / "out.png").read_bytes().startswith(b"\x89PNG")
    shown = subprocess.run(
        command("pynn-show", "out", "--plot", "again.svg", "--json"),
        cwd=run.folder,
        env=run.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    content = json.loads(shown.stdout)
    assert content["results"]["populations"]["cells"] == {"cells": 4, "active": 4, "spikes": 4, "rate": 10.0}
    assert content["results"]["traces"][0]["samples"] == 62_500
    assert content["provenance"]["backend"] == "records"
    assert (run.folder / "again.svg").is_file()


# --- Bad input ----------------------------------------------------------------------------------------------------


def test_an_unknown_backend(run, config, tmp_path):
    done = run(config, "--backend", "brian")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown backend 'brian'" in done.stderr and "known backends: auto, " in done.stderr
    assert nothing_is_left(run, tmp_path)


def test_a_backend_that_is_not_installed(run, config, tmp_path):
    done = run(config, "--backend", "absent")
    assert (done.returncode, done.stdout) == (6, "")
    assert "Fake Well is not installed\n  pip install 'pynn_io[fake]'" in done.stderr
    assert nothing_is_left(run, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--duration", "-5"], "-5 is not a positive number of ms"),
        (["--timestep", "0"], "0 is not a positive number of ms"),
        (["--timestep", "fast"], "'fast' is not a number of ms"),
        (["--threads", "0"], "at least 1 is needed"),
        (["--processes", "1.5"], "'1.5' is not a whole number"),
        (["--seed", "-1"], "not between"),
        (["--mechanisms", "nowhere"], "there is no such folder"),
        (["--plot", "raster.gif"], "not one of .png, .svg, .pdf"),
        (["--plot", "nowhere/raster.png"], "does not exist"),
        (["--to", "matlab"], "unknown format of results 'matlab'"),
        (["--coreneuron"], "has no option 'coreneuron'"),
        (["--to", "nix", "-o", "out.h5"], "whose name ends in .nix"),
    ],
)
def test_wrong_usage(run, config, tmp_path, arguments, message):
    done = run(config, "--backend", "well", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and "Traceback" not in done.stderr
    assert nothing_is_left(run, tmp_path)


def test_results_that_neo_would_take_minutes_to_write_are_refused_before_the_run(run, config, tmp_path):
    with h5py.File(config.parent / "cells.h5", "r+") as file:
        del file["nodes/cells"]
        group = file.create_group("nodes/cells")
        group["node_type_id"] = [100] * 5000
        group["node_group_id"] = [0] * 5000
        group["node_group_index"] = range(5000)
        group.create_group("0")
    done = run(config, "--backend", "well", "--to", "neo")
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert "5000 spike trains and 0 signals would take Neo about 2 min" in done.stderr
    assert not (tmp_path / "mark").exists()
    assert nothing_is_left(run, tmp_path)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"run": {"tstop": None}}, "duration"),
        ({"run": {"dt": -0.1}}, "timestep: it must be positive"),
        ({"inputs": {"step": {"input_type": "current_clamp", "module": "IClamp", "amp": "much"}}}, "inputs.step"),
        ({"network": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_a_bad_plan(run, config, tmp_path, sections, message):
    done = run(change(config, **sections), "--backend", "well")
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert nothing_is_left(run, tmp_path)


def test_a_circuit_without_a_simulation(run, config, tmp_path):
    done = run(config.with_name("circuit_config.json"), "--backend", "well")
    assert (done.returncode, done.stdout) == (4, "")
    assert "says nothing of a simulation" in done.stderr
    assert nothing_is_left(run, tmp_path)


def test_a_place_that_cannot_be_written_is_refused_before_the_run(run, config, tmp_path):
    (run.folder / "file").write_text("not a folder")
    done = run(config, "--backend", "loses", "-o", "file/out")
    assert (done.returncode, done.stdout) == (5, "")
    assert not (tmp_path / "mark").exists()


def test_the_backends_are_listed(run):
    text = run("--list").stdout
    assert "nest: NEST" in text and "pip install 'pynn_io[neuron]'" in text and "well: Fake Well" in text
    listed = json.loads(run("--list", "--json").stdout)
    assert listed["neuron"]["extra"] == "neuron" and listed["absent"]["installed"] is False
    assert listed["well"] == {
        "title": "Fake Well",
        "level": "executes",
        "installed": True,
        "version": "",
        "extra": "",
        "install": "",
        "reason": "",
        "options": [],
        "several_processes": True,
    }
