"""`pynn-run --backend A,B --compare` as a user runs it, on fake backends."""

import json

import pytest

pytest.importorskip("matplotlib", reason="the comparison is drawn")


def facts(run, folder="out"):
    found = json.loads((run.folder / folder / "comparison.json").read_text())
    return {each["backend"]: each for each in found["backends"]}


def test_backends_that_agree(run, config):
    done = run(config, "--backend", "well,again", "--compare", "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "again: equal (" in done.stdout or "again: equal: 4 spikes in both" in done.stdout
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
    assert "later: differ" in done.stdout and "again: equal" in done.stdout
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
    ],
)
def test_what_cannot_run_does_not_stop_the_others_and_is_no_pass(run, config, other, status, words):
    done = run(config, "--backend", f"well,{other},again", "--compare", "-o", "out")
    assert done.returncode == 9
    assert words in done.stderr
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


def test_strict_refuses_one_backend(run, config):
    done = run(config, "--backend", "well,loses", "--compare", "--strict", "-o", "out")
    assert done.returncode == 9
    assert facts(run)["loses"]["status"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--backend", "well,again"), "several backends are for --compare"),
        (("--backend", "well", "--compare"), "--compare wants two or more backends, each once"),
        (("--backend", "well,well", "--compare"), "--compare wants two or more backends, each once"),
        (("--backend", "well,none", "--compare"), "unknown backend 'none'"),
        (("--backend", "well,again", "--compare", "--report", "r.json"), "--report is for one backend"),
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
