"""`pynn-reproduce` as a user runs it: exit status, stdout, stderr, and the report on disk."""

import json
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from lxml import etree

from pynn_io.cli.common import printable
from pynn_io.results import Results, write_results
from pynn_io.results.results import sorted_spikes
from tests.archive.hostile import HOSTILE
from tests.commands.circuits import command, tree


@pytest.fixture
def reproduce(run):
    """Runs `pynn-reproduce` with the fake backends, in the folder ``work``."""

    def start(*arguments):
        return subprocess.run(
            command("pynn-reproduce", *arguments),
            cwd=run.folder,
            env=run.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    start.folder, start.environment = run.folder, run.environment
    return start


def publish(config, times):
    """Spikes where a run of the config would write them: the fake ``well`` gives 0, 1, 2, 3 ms to cells 0 to 3."""
    spikes = {"cells": sorted_spikes("cells", np.arange(len(times)), np.array(times, dtype=float))}
    write_results(Results(spikes=spikes, duration=100.0), config.parent / "output")


def test_the_list(reproduce, config):
    publish(config, [0, 1, 2, 3])
    done = reproduce(config.parent, "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        "",
        "simulation_config.json",
        "  sonata, found by its content",
        "  runs on auto",
        "  expects published output",
    ]
    assert tree(reproduce.folder) == []
    stated = json.loads(reproduce(config.parent, "--list", "--json").stdout)
    assert [entry["name"] for entry in stated["entries"]] == ["simulation_config.json"]
    assert stated["entries"][0]["expectations"][0]["kind"] == "results"


@pytest.mark.parametrize(
    ("times", "backend", "status", "verdict"),
    [
        ([0, 1, 2, 3], "well", 0, "reproduced"),
        ([0, 1, 2.4, 3], "well", 0, "reproduced"),  # the fake says that its step is 0.5 ms
        ([0, 1, 2.6, 3], "well", 8, "differs"),
        ([0, 1, 2, 3], "silent", 9, "not comparable"),
        ([0, 1, 2, 3], "raises", 9, "cannot run"),
        ([0, 1, 2, 3], "crashes", 9, "cannot run"),
    ],
)
def test_what_is_said_of_a_run(reproduce, config, times, backend, status, verdict):
    publish(config, times)
    done = reproduce(config.parent, "--backend", backend, "-o", "out")
    assert (done.returncode, done.stdout) == (status, "out\n"), done.stderr
    assert f"simulation_config.json  {backend}  {verdict}" in done.stderr
    assert f"Done: 1 {verdict}." in done.stderr
    record = json.loads((reproduce.folder / "out/report.json").read_text())
    assert (record["verdict"], record["exit_status"]) == (verdict, status)
    (case,) = etree.parse(reproduce.folder / "out/junit.xml").iter("testcase")
    assert [child.tag for child in case] == {0: [], 8: ["failure"], 9: ["error"]}[status]
    assert verdict in (reproduce.folder / "out/report.html").read_text()


def test_what_may_be_expected_is_listed_with_the_line_that_uses_it(reproduce, config):
    for name, last in (("one", 3), ("two", 9)):
        publish(config, [0, 1, 2, last])
        (config.parent / "output").rename(config.parent / name)
    done = reproduce(config.parent, "--list")
    line = f"pynn-reproduce {config.parent} --entry simulation_config.json --expect"
    assert done.stdout.splitlines()[4:] == [
        "  runs on auto",
        "  nothing was published of it",
        "  candidate one (spikes of cells): nothing says that it is of this simulation",
        f"    {line} one",
        "  candidate two (spikes of cells): nothing says that it is of this simulation",
        f"    {line} two",
    ]
    stated = json.loads(reproduce(config.parent, "--list", "--json").stdout)
    assert [each["name"] for each in stated["entries"][0]["candidates"]] == ["one", "two"]
    done = reproduce(config.parent, "--backend", "well", "-o", "out")
    assert (done.returncode, "nothing says are of it: one, two" in done.stderr.replace("\n    ", " ")) == (0, True)
    assert "--expect" in (reproduce.folder / "out/report.html").read_text()
    given = ["--backend", "well", "-o", "out", "--entry", "simulation_config.json", "--expect"]
    assert [reproduce(config.parent, *given, name).returncode for name in ("one", "two")] == [0, 8]


def test_results_in_a_zip_file_are_named_as_they_are_there(reproduce, config, tmp_path):
    publish(config, [0, 1, 2, 3])
    (config.parent / "output").rename(config.parent / "one")
    shutil.make_archive(str(tmp_path / "model"), "zip", config.parent)
    done = reproduce(tmp_path / "model.zip", "--backend", "well", "-o", "out", "--expect", "one")
    assert done.returncode == 0, done.stderr
    assert "reproduced" in done.stderr


def test_a_difference_weighs_more_than_what_could_not_run(reproduce, config):
    publish(config, [0, 1, 2.6, 3])
    assert reproduce(config.parent, "--backend", "raises,well", "-o", "out").returncode == 8


def test_without_expectations_it_only_runs(reproduce, config):
    done = reproduce(config.parent, "--backend", "well")
    assert (done.returncode, done.stdout) == (0, "circuit-reproduced\n"), done.stderr
    assert "no expectation" in done.stderr


def test_given_results_and_tolerance(reproduce, config, tmp_path):
    publish(config, [0, 1, 2.6, 3])
    (config.parent / "output").rename(tmp_path / "elsewhere")
    given = ["--backend", "well", "-o", "out", "--expect", tmp_path / "elsewhere"]
    assert reproduce(config.parent, *given).returncode == 8
    done = reproduce(config.parent, *given, "--tolerance", "0.7")
    assert done.returncode == 0, done.stderr
    assert "reproduced (kept)" in done.stderr  # another tolerance needs no other run


def test_the_report_holds_what_it_was_made_with(reproduce, config):
    reproduce(config.parent, "--backend", "well", "-o", "out")
    record = json.loads((reproduce.folder / "out/report.json").read_text())
    (cell,) = record["cells"]
    assert len(cell["inputs"]["simulation_config.json"]) == 64
    assert cell["provenance"]["timestep"] == 0.5
    assert record["provenance"]["packages"]["numpy"]
    assert record["provenance"]["command"][0] == "pynn-reproduce"
    assert record["provenance"]["machine"]["processors"] >= 1


def test_other_versions_than_the_archive_asks_for(reproduce, config):
    (config.parent / "requirements.txt").write_text("numpy<1.0  # long ago\nsurely-not-installed==2\nh5py>=1\n# all\n")
    reproduce(config.parent, "--backend", "well", "-o", "out")
    drift = json.loads((reproduce.folder / "out/report.json").read_text())["provenance"]["drift"]
    assert [(each["package"], each["wanted"]) for each in drift] == [("numpy", "<1.0"), ("surely-not-installed", "==2")]
    assert drift[1]["here"] is None


@pytest.mark.parametrize("name", ["parent", "link", "bomb"])
def test_hostile_archives(reproduce, tmp_path, name):
    source = HOSTILE[name][0](tmp_path / "hostile.omex")
    done = reproduce(source)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert done.stderr.startswith(f"pynn-reproduce: error: {source}:")
    assert tree(reproduce.folder) == []


def test_a_script_is_not_executed_unasked(reproduce, tmp_path):
    (tmp_path / "model").mkdir()
    mark = tmp_path / "executed"
    script = f"import pyNN.nest as sim\nopen({str(mark)!r}, 'w')\nsim.setup()\n"
    (tmp_path / "model/network.py").write_text(script)
    done = reproduce(tmp_path / "model", "-o", "out")
    assert done.returncode == 9, done.stderr
    assert "would have to be executed" in done.stderr
    assert "--allow-exec permits it" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "give either an ARCHIVE to reproduce, or --pack PLAN"),
        (["a", "--pack", "b"], "give either an ARCHIVE to reproduce, or --pack PLAN"),
        (["--pack", "b", "-o", "c.zip"], "whose name ends in .omex"),
        (["a", "--json"], "--json is for --list"),
        (["a", "--seeds", "3"], "a distribution needs five or more"),
        (["a", "--mechanisms", "nowhere"], "there is no such folder"),
        (["a", "--backend", "nets"], "no such file or folder"),
    ],
)
def test_wrong_usage(reproduce, arguments, text):
    done = reproduce(*arguments)
    assert done.returncode == (4 if text.startswith("no such") else 2)
    assert text in done.stderr
    assert done.stdout == ""


def test_results_that_are_nowhere(reproduce, config):
    done = reproduce(config.parent, "--expect", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--expect nowhere: there is no such file, nor one of this name in the archive" in done.stderr


def test_an_unknown_backend(reproduce, config):
    done = reproduce(config.parent, "--backend", "nets")
    assert done.returncode == 2
    assert "unknown backend 'nets'" in done.stderr
    assert tree(reproduce.folder) == []


def test_interrupted_and_started_again(reproduce, config):
    """What was finished is kept, the process that hung is gone, and only what is missing is run then."""
    arguments = [config.parent, "--backend", "well,hangs", "-o", "out", "-j", "1"]
    child = subprocess.Popen(
        command("pynn-reproduce", *arguments),
        cwd=reproduce.folder,
        env=reproduce.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    mark = reproduce.folder.parent / "mark"
    limit = time.monotonic() + 120
    while not mark.exists() or not mark.read_text():
        assert time.monotonic() < limit and child.poll() is None
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 130, child.stderr.read()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert not (reproduce.folder / "out/report.html").exists()
    done = reproduce(config.parent, "--backend", "well", "-o", "out")
    assert "no expectation (kept)" in done.stderr
    assert [path for path in tree(reproduce.folder / "out/cells") if path.startswith(".")] == []


def test_names_of_others_cannot_act_on_a_terminal():
    assert printable("a\nb\x1b[31m\u202egnp.py") == "a\\nb\\x1b[31m\\u202egnp.py"
    assert printable("é 神経\nzweite Zeile", keep="\n") == "é 神経\nzweite Zeile"
