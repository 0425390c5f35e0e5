"""`pynn-compare` as a user runs it: exit status, stdout, stderr, JSON, and what is on disk afterwards."""

import json
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO

import h5py
import numpy as np
import pytest

from pynn_io.cli import compare as module
from pynn_io.results.compare import TIERS, Verdict
from tests.commands.circuits import environment, write_circuit
from tests.compare.made import renewal


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def compare(*arguments, cwd="."):
    """The command in this process: starting Python some eighty times takes minutes on a busy machine."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), chdir(cwd), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        try:
            status = module.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
    return Done(status, out.getvalue(), err.getvalue())


def test_the_module_as_a_program(two):
    done = subprocess.run(
        [sys.executable, "-m", "pynn_io.cli.compare", *map(str, two), "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (8, "")
    assert done.stdout.startswith("differ (deterministic tier)")


def write_spikes(path, pairs, *, population="v1", sorting=None):
    """SONATA spikes by plain h5py, in the order given."""
    with h5py.File(path, "w") as file:
        group = file.create_group(f"spikes/{population}")
        group["node_ids"] = np.array([cell for cell, _ in pairs], dtype=np.uint64)
        group["timestamps"] = np.array([time for _, time in pairs], dtype=np.float64)
        group["timestamps"].attrs["units"] = "ms"
        if sorting is not None:
            group.attrs["sorting"] = sorting
    return path


PAIRS = [(1, 10.0), (2, 12.0), (1, 20.0), (2, 40.0)]


@pytest.fixture
def two(tmp_path):
    """Two files that differ in one late spike."""
    late = [(1, 10.0), (2, 12.0), (1, 23.5), (2, 40.0)]
    return write_spikes(tmp_path / "a.h5", PAIRS), write_spikes(tmp_path / "b.h5", late)


def test_equal_results(tmp_path):
    a, b = write_spikes(tmp_path / "a.h5", PAIRS), write_spikes(tmp_path / "b.h5", PAIRS[::-1])
    done = compare(a, b)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "equal (exact tier): 4 spikes in both, largest |dt| 0 ms"


def test_differences_are_told_with_cell_and_time(two):
    done = compare(*two)
    assert (done.returncode, done.stderr) == (8, "")
    assert "v1: 1 spike only in A: cell 1 at 20 ms" in done.stdout
    assert "v1: 1 spike only in B: cell 1 at 23.5 ms" in done.stdout
    assert "Last common spike: cell 2 at 12 ms." in done.stdout
    assert done.stdout.splitlines()[-1].startswith(
        "differ (deterministic tier): 3 spikes in both, 1 only in A, 1 only in B"
    )


def test_a_tolerance_as_option(two):
    done = compare(*two, "--tolerance", "3.5")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("within the tolerance (deterministic tier)")
    assert compare(*two, "--tolerance", "3.5", "--tier", "exact").returncode == 8
    assert compare(*two, "--steps", "35", "--timestep", "0.1").returncode == 0
    assert compare(*two, "--steps", "34", "--timestep", "0.1").returncode == 8
    assert compare(*two, "--relative", "0.2").returncode == 0


def test_quiet_is_one_line(two):
    done = compare(*two, "--quiet")
    assert (done.returncode, done.stdout.count("\n")) == (8, 1)


def test_json_in_place_of_the_tables(two):
    done = compare(*two, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["tier"], found["kind"]) == (
        8,
        "differs",
        "deterministic",
        "results",
    )
    assert found["divergence"] == {
        "population": "v1",
        "node_id": 1,
        "time": 20.0,
        "only_in": "a",
        "other_time": 23.5,
        "last_common": {"node_id": 2, "time": 12.0},
    }
    assert found["populations"][0]["dt_max"] == 3.5


def test_json_to_a_file_beside_the_tables(two, tmp_path):
    done = compare(*two, "--json", tmp_path / "found.json")
    assert json.loads((tmp_path / "found.json").read_text())["verdict"] == "differs"
    assert "First divergence" in done.stdout


def test_json_has_no_nan(tmp_path):
    """Strict parsers take neither NaN nor Infinity."""
    a = write_spikes(tmp_path / "a.h5", PAIRS)
    done = compare(a, a, "--json", "--measure", "sttc")
    json.loads(done.stdout, parse_constant=lambda name: pytest.fail(name))


def test_a_window_a_population_and_other_names(two):
    assert compare(*two, "--stop", "20").returncode == 0
    assert compare(*two, "--start", "30").returncode == 0
    assert compare(*two, "--population", "v1").returncode == 8
    done = compare(*two, "--map", "v1=lgn")
    assert (done.returncode, "B has no population 'lgn'" in done.stdout) == (9, True)


@pytest.mark.parametrize(
    ("pairs", "sorting", "text"),
    [
        ([], None, "B holds no spikes and no traces"),
        ([(1, np.nan)], None, "b.h5:/spikes/v1: a spike time is not a finite number"),
        (PAIRS[::-1], "by_time", "population 'v1' is said to be sorted by_time and is not"),
        (PAIRS, "by_id", "population 'v1' is said to be sorted by_id and is not"),
    ],
)
def test_what_cannot_be_compared_has_a_status_of_its_own(tmp_path, pairs, sorting, text):
    a = write_spikes(tmp_path / "a.h5", PAIRS)
    done = compare(a, write_spikes(tmp_path / "b.h5", pairs, sorting=sorting))
    assert (done.returncode, done.stderr) == (9, "")
    assert text in done.stdout
    assert done.stdout.splitlines()[-1] == "not comparable"


def test_a_true_claim_of_order_is_no_reason_to_doubt(tmp_path):
    by_id = write_spikes(tmp_path / "a.h5", sorted(PAIRS), sorting="by_id")
    assert compare(by_id, write_spikes(tmp_path / "b.h5", PAIRS, sorting="by_time")).returncode == 0


def test_two_silent_results(tmp_path):
    a, b = write_spikes(tmp_path / "a.h5", []), write_spikes(tmp_path / "b.h5", [])
    assert compare(a, b).returncode == 9
    assert compare(a, b, "--allow-empty").returncode == 0


def test_other_populations(tmp_path):
    a, b = write_spikes(tmp_path / "a.h5", PAIRS), write_spikes(tmp_path / "b.h5", PAIRS, population="lgn")
    done = compare(a, b)
    assert (done.returncode, "population 'v1': missing in B" in done.stdout) == (9, True)
    assert compare(a, b, "--map", "v1=lgn").returncode == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--steps", "1"], "neither result tells its timestep"),
        (["--map", "v1"], "--map v1: not of the form P=Q"),
        (["--tolerance", "-1"], "--tolerance -1.0: not a number of at least 0"),
        (["--tolerance", "nan"], "not a number of at least 0"),
        (["--start", "5", "--stop", "5"], "nothing lies between --start 5 and --stop 5"),
        (["--perturbed", "much:run"], "--perturbed much:run: not of the form CHANGE:RUN"),
        (["--perturbed", "5%"], "not of the form"),
        (["--measure", "beauty"], "unknown measure 'beauty'"),
        (["--measure", "van-rossum:-1"], "not a positive number"),
        (["--plot", "x.gif"], "not one of .png"),
        (["--plot", "nowhere/x.png"], "the folder of --plot nowhere/x.png does not exist"),
    ],
)
def test_wrong_usage(two, tmp_path, options, text):
    done = compare(*two, *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_a_source_is_never_replaced(two):
    before = two[0].read_bytes()
    for option in ("--json", "--plot"):
        done = compare(*two, option, two[0] if option == "--json" else two[0].with_suffix(".h5"))
        assert done.returncode in (2, 5)
    assert two[0].read_bytes() == before


def test_files_that_are_not_there_or_no_results(two, tmp_path):
    done = compare(two[0], tmp_path / "none.h5")
    assert (done.returncode, "no such file" in done.stderr) == (4, True)
    (tmp_path / "text.txt").write_text("hello\n")
    done = compare(two[0], tmp_path / "text.txt")
    assert (done.returncode, "neither a network nor results" in done.stderr) == (2, True)
    (tmp_path / "broken.h5").write_bytes(two[0].read_bytes()[:900])
    done = compare(two[0], tmp_path / "broken.h5")
    assert (done.returncode, "broken.h5" in done.stderr, "Traceback" in done.stderr) == (4, True, False)


def test_a_run_that_left_an_empty_folder(two, tmp_path):
    (tmp_path / "out").mkdir()
    done = compare(two[0], tmp_path / "out")
    assert (done.returncode, done.stderr) == (9, "")
    assert "no file in this folder holds results" in done.stdout
    done = compare(tmp_path / "out", tmp_path / "out")
    assert (done.returncode, "neither a network nor results" in done.stderr) == (2, True)
    assert compare(tmp_path / "out", tmp_path / "out", "--kind", "results").returncode == 9
    done = compare(write_circuit(tmp_path / "circuit"), tmp_path / "out")
    assert (done.returncode, "neither a network nor results" in done.stderr) == (2, True)


def test_a_folder_of_a_run_against_its_spikes_file(two, tmp_path):
    from pynn_io.results import read_results, write_results

    run = replace(read_results(two[0]), nodes={"v1": np.arange(5)}, duration=50.0, provenance={"timestep": 0.1})
    write_results(run, tmp_path / "run")
    assert compare(tmp_path / "run", two[0]).returncode == 0
    assert compare(tmp_path / "run", two[1], "--steps", "35").returncode == 0  # the timestep is in the folder
    assert compare(tmp_path / "run", two[1], "--steps", "34").returncode == 8


# --- Statistics ---------------------------------------------------------------------------------------------------


def test_the_statistical_tier(tmp_path):
    for seed in range(8):
        found = renewal(seed + 20, cells=80, duration=2000.0).spikes["e"]
        pairs = list(zip(found.node_ids.tolist(), found.times.tolist(), strict=True))
        write_spikes(tmp_path / f"s{seed}.h5", pairs, population="e")
    strong = renewal(9, cells=80, duration=2000.0, rate=25.0).spikes["e"]
    write_spikes(tmp_path / "w.h5", list(zip(strong.node_ids, strong.times, strict=True)), population="e")
    null = ["--null", *(f"s{seed}.h5" for seed in range(2, 8))]
    done = compare("s0.h5", "s1.h5", *null, "--perturbed", "25%:w.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "within what seeds do (statistical tier)" in done.stdout
    assert "smallest weight change that would have been seen: +0.25 (relative)" in done.stdout
    done = compare("s0.h5", "w.h5", *null, "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, found["tier"], found["statistics"]["null_pairs"]) == (8, "statistical", 15)
    assert "not known" in found["statistics"]["sensitivity"]["text"]
    done = compare("s0.h5", "s1.h5", *null[:5], cwd=tmp_path)
    assert (done.returncode, "the null has 4 runs and needs 5" in done.stdout) == (9, True)


# --- Networks -----------------------------------------------------------------------------------------------------


def test_two_dialects_of_one_circuit_are_equal(tmp_path):
    from pynn_io import convert

    config = write_circuit(tmp_path / "circuit")
    convert(config, tmp_path / "allen", to="sonata+allen")
    done = compare(config, tmp_path / "allen")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "equal")
    assert "6 cells, 7 edges" in done.stdout


def test_one_weight_is_found(tmp_path):
    edges = {"source": [0, 1, 2, 3, 0], "target": [1, 2, 3, 0, 2], "weight": [1.5, -2.0, 3.0, 4.5, 0.5]}
    one = write_circuit(tmp_path / "one", edges=edges)
    two = write_circuit(tmp_path / "two", edges=edges | {"weight": [1.5, -2.0, 3.25, 4.5, 0.5]})
    done = compare(one, two)
    assert (done.returncode, done.stderr) == (8, "")
    assert "projections/cells_to_cells/weight" in done.stdout
    found = json.loads(compare(one, two, "--json").stdout)
    assert (found["verdict"], found["count"], len(found["differences"])) == ("differs", 1, 1)


def test_differences_are_limited(tmp_path):
    one = write_circuit(tmp_path / "one", extra={"a": [0.0] * 4, "b": [0.0] * 4, "c": [0.0] * 4})
    two = write_circuit(tmp_path / "two")
    assert "... and 2 more (--limit)" in compare(one, two, "--limit", "1").stdout
    assert len(json.loads(compare(one, two, "--limit", "1", "--json").stdout)["differences"]) == 3


def test_the_same_difference_of_many_types_is_one_line():
    from argparse import Namespace

    from pynn_io.cli.compare_tables import print_account
    from pynn_io.graph.compare import Difference

    empty = Namespace(network=Namespace(populations={}, projections={}))
    found = [Difference("populations/e/cell/parameters/tau_m", "missing")] * 5
    facts = {"reasons": [], "notes": [], "verdict": "differs", "count": 5}
    out = StringIO()
    with redirect_stdout(out):
        print_account(
            {"kind": "network", "documents": (empty, empty), "differences": found, "json": facts},
            Namespace(quiet=False, limit=10, a="a", b="b"),
        )
    assert out.getvalue().count("tau_m") == 1
    assert "5 x" in out.getvalue()


def test_a_network_and_results_do_not_compare(tmp_path, two):
    done = compare(write_circuit(tmp_path / "circuit"), two[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert "circuit_config.json is a network and" in done.stderr


def test_a_folder_with_both_asks_which(tmp_path):
    write_circuit(tmp_path / "circuit")
    write_spikes(tmp_path / "circuit" / "spikes.h5", PAIRS)
    done = compare(tmp_path / "circuit", tmp_path / "circuit")
    assert (done.returncode, "--kind network or --kind results" in done.stderr) == (2, True)
    assert compare(tmp_path / "circuit", tmp_path / "circuit", "--kind", "results").returncode == 0
    assert compare(tmp_path / "circuit", tmp_path / "circuit", "--kind", "network").returncode == 0


def test_networks_are_not_drawn(tmp_path):
    config = write_circuit(tmp_path / "circuit")
    done = compare(config, config, "--plot", tmp_path / "x.png")
    assert (done.returncode, "pynn-show --plot" in done.stderr) == (2, True)


# --- Help ---------------------------------------------------------------------------------------------------------


def test_help_has_examples_and_exit_statuses():
    text = compare("--help").stdout
    assert "\n  pynn-compare out_nest reference/spikes.h5" in text
    assert [line.split()[0] for line in text.partition("exit status:")[2].splitlines() if line[:3].strip()] == [
        *"01245689",
        "130",
    ]


def test_the_command_knows_every_tier_and_verdict():
    assert module.TIERS == TIERS
    assert set(module.STATUS) == {str(verdict) for verdict in Verdict}
