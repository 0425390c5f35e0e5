"""`pynn-run --backend A,B --compare` as a user runs it, on fake backends."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the comparison is drawn")

SYNFIRE = Path(__file__).parents[2] / "fixtures" / "synfire" / "simulation_config.json"


def facts(run, folder="out"):
    found = json.loads((run.folder / folder / "comparison.json").read_text())
    return {each["backend"]: each for each in found["backends"]}


def test_backends_that_agree(run, config):
    done = run(config, "--backend", "well,again", "--compare", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "again (B): equal (exact tier): 4 spikes in both" in done.stdout
    found = facts(run)
    assert (found["well"]["verdict"], found["again"]["verdict"]) == ("reference", "equal")
    assert found["well"]["spikes"] == found["again"]["spikes"] == 4
    for name in ("well", "again"):
        assert (run.folder / "out" / name / "spikes.h5").is_file()
    assert (run.folder / "out" / "comparison.png").read_bytes()[:4] == b"\x89PNG"
    assert done.stdout.splitlines()[-1] == "out"


def test_backends_that_differ(run, config):
    done = run(config, "--backend", "well,later,again", "--compare", "-o", "out")
    assert done.returncode == 8
    assert "later (B): differ (deterministic tier)" in done.stdout and "again (B): equal" in done.stdout
    assert "first divergence: cells, cell 0: a spike at 0 ms only in A" in done.stdout
    assert facts(run)["later"]["comparison"]["populations"][0]["dt_max"] == 3.0


def test_a_tolerance_is_a_tolerance(run, config):
    done = run(config, "--backend", "well,later", "--compare", "--tolerance", "3.5", "-o", "out")
    assert done.returncode == 0
    assert facts(run)["later"]["verdict"] == "within"


@pytest.mark.parametrize(
    ("other", "status", "words"),
    [
        ("raises", 7, "the membrane has a hole"),
        ("absent", 6, "pip install 'pynn_io[fake]'"),
        ("crashes", 7, "assertion failed: membrane"),
        ("exits", 7, "hoc error: nothing left to do"),
    ],
)
def test_what_cannot_run_does_not_stop_the_others_and_is_no_pass(run, config, other, status, words):
    done = run(config, "--backend", f"well,{other},again", "--compare", "-o", "out")
    assert done.returncode == 9
    assert words in done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(other))
    assert f"not comparable: {'not available' if status == 6 else 'failed'}" in row
    assert f"{other} (B): not comparable: " in done.stdout
    found = facts(run)
    assert (found[other]["verdict"], found[other]["status"]) == ("not_comparable", status)
    assert found["again"]["verdict"] == "equal"
    assert not (run.folder / "out" / other).exists()


def test_silence_is_not_comparable(run, config):
    done = run(config, "--backend", "well,silent", "--compare", "-o", "out")
    assert done.returncode == 9
    assert facts(run)["silent"]["verdict"] == "not_comparable"


def test_without_the_first_nothing_can_be_compared(run, config):
    done = run(config, "--backend", "raises,well", "--compare", "-o", "out")
    assert done.returncode == 9
    assert {name: each["verdict"] for name, each in facts(run).items()} == dict.fromkeys(
        ("raises", "well"), "not_comparable"
    )
    assert "well (B): not comparable: raises gave no results" in done.stdout
    assert (run.folder / "out" / "comparison.png").is_file()  # of what there is


def test_strict_refuses_one_backend(run, config):
    done = run(config, "--backend", "well,loses", "--compare", "--strict", "-o", "out")
    assert done.returncode == 9
    assert facts(run)["loses"]["status"] == 3
    assert "not comparable: refused" in done.stdout and "--allow fake-loss" in done.stderr


def test_nothing_is_drawn_of_nothing(run, config):
    done = run(config, "--backend", "raises,exits", "--compare", "-o", "out")
    assert done.returncode == 9
    assert "nothing to draw: no backend gave results" in done.stderr
    assert [path.name for path in (run.folder / "out").iterdir()] == ["comparison.json"]


def test_one_that_differs_does_not_hide_one_that_failed(run, config):
    assert run(config, "--backend", "well,later,raises", "--compare", "-o", "out").returncode == 9
    assert json.loads((run.folder / "out" / "comparison.json").read_text())["status"] == 9


def test_the_table_tells_costs_tier_and_what_was_not_honoured(run, config):
    done = run(config, "--backend", "well,loses", "--compare", "-o", "out")
    assert done.returncode == 0
    lines = [re.split(r" {2,}", line) for line in done.stdout.splitlines()]
    head = next(line for line in lines if line[0] == "backend")
    assert head == ["backend", "spikes", "built", "ran", "memory", "verdict", "tier", "not honoured"]
    (row,) = [line for line in lines if line[0] == "loses"]
    assert (row[1], row[5:]) == ("4", ["equal", "exact", "1 lost, 1 defaulted"])
    assert row[4].endswith(" MB")
    found = facts(run)
    assert [issue["code"] for issue in found["loses"]["report"]["issues"]] == ["fake-loss", "fake-default"]
    assert [issue["code"] for issue in found["well"]["report"]["issues"]] == ["fake-default"]
    assert found["well"]["peak_memory"] > 1e6


def test_quiet_says_nothing_of_backends_that_agree(run, config):
    done = run(config, "--backend", "well,again", "--compare", "-o", "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "")


def test_a_picture_elsewhere(run, config):
    done = run(config, "--backend", "well,again", "--compare", "-o", "out", "--plot", "both.svg")
    assert done.returncode == 0
    picture = (run.folder / "both.svg").read_text()
    assert "well (4 spikes)" in picture and "again (4 spikes)" in picture
    assert not (run.folder / "out" / "comparison.png").exists()


def test_formats_of_one_file_stand_beside_each_other(run, config):
    pytest.importorskip("nixio")
    done = run(config, "--backend", "well,again", "--compare", "--to", "nix", "-o", "out")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (run.folder / "out").iterdir())
    assert names == ["again.nix", "comparison.json", "comparison.png", "well.nix"]


def test_a_plan_that_cannot_be_read_is_told_once_and_leaves_nothing(run):
    done = run("nowhere.json", "--backend", "well,again", "--compare", "-o", "out")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("nowhere.json") == 1
    assert not (run.folder / "out").exists()


def test_results_of_an_earlier_run_are_told_from_those_of_this_one(run, config):
    (run.folder / "out" / "raises").mkdir(parents=True)
    done = run(config, "--backend", "well,raises", "--compare", "-o", "out", "--overwrite")
    assert done.returncode == 9
    assert "out/raises is of an earlier run" in done.stderr
    assert "results" not in facts(run)["raises"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--backend", "well,again"), "several backends are for --compare"),
        (("--backend", "well", "--compare"), "--compare wants two or more backends, each once"),
        (("--backend", "well,well", "--compare"), "--compare wants two or more backends, each once"),
        (("--backend", "well,none", "--compare"), "unknown backend 'none'"),
        (("--backend", "well,again", "--compare", "--report", "r.json"), "--report is for one backend"),
        (
            ("--backend", "well,again", "--compare", "--engine", "jlems"),
            "--engine: none of well, again has this option",
        ),
        (("--backend", "well,again", "--compare", "--tolerance", "-1"), "-1 is not a number of at least 0"),
        (("--backend", "well", "--tolerance", "1"), "--tolerance is for --compare"),
        (("--backend", "well", "--trace-mv", "1"), "--trace-mv is for --compare"),
    ],
)
def test_wrong_usage_runs_nothing(run, config, arguments, words):
    done = run(config, *arguments, "-o", "out")
    assert done.returncode == 2
    assert words in done.stderr
    assert not (run.folder / "out").exists()


def test_results_are_not_replaced_unasked(run, config):
    (run.folder / "out").mkdir()
    (run.folder / "out" / "kept").write_text("mine")
    done = run(config, "--backend", "well,again", "--compare", "-o", "out")
    assert done.returncode == 5
    assert (run.folder / "out" / "kept").read_text() == "mine"


@pytest.mark.slow
def test_nest_and_neuron_on_a_chain_of_layers(run):
    """NEST's spikes are NEURON's within 1e-6 ms, and so are the potentials away from spikes within 1e-6 mV."""
    pytest.importorskip("nest")
    pytest.importorskip("neuron")
    done = run(SYNFIRE, "--backend", "nest,neuron", "--compare", "--tolerance", "1e-6", "-o", "out")
    assert done.returncode == 0, done.stderr
    found = facts(run)
    assert found["neuron"]["verdict"] == "within"
    assert found["nest"]["spikes"] == found["neuron"]["spikes"] == 176
    assert all(one["rms_worst"] < 1e-6 for one in found["neuron"]["comparison"]["traces"])
