"""The driver: a child process for each run, and whatever happens in it comes back as a value or a typed error."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pynn_io import registry
from pynn_io.errors import (
    BackendUnavailable,
    FormatError,
    GraphError,
    LossError,
    PlanError,
    RunError,
    SimulationFailed,
)
from pynn_io.graph import CableCell, PointCell
from pynn_io.pipeline import read
from pynn_io.report import Kind, Report
from pynn_io.runners.base import Profile
from pynn_io.simulate import choose, simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.commands.circuits import write_circuit, write_simulation
from tests.models import MODELS
from tests.running import fake

PLAN = SimulationPlan(duration=20.0)


@pytest.fixture(autouse=True)
def backends(monkeypatch, tmp_path):
    """The fake backends in the registry, and a folder of its own for what runs leave behind."""
    kinds = [kind for kind in vars(fake).values() if isinstance(kind, type) and hasattr(kind, "lower")]
    for kind in kinds:
        monkeypatch.setitem(registry.BACKENDS, kind.__name__.lower(), fake.backend(kind))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("FAKE_MARK", str(tmp_path / "mark"))


@pytest.fixture
def network():
    return MODELS["two_types"]().network


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "temporary").iterdir()]


def test_results_come_from_another_process(network, tmp_path):
    results = simulate(network, PLAN, "well")
    assert results.provenance["process"] != os.getpid()
    assert results.spikes["cortex"].times.tolist() == [0, 1, 2, 3, 4]
    assert results.nodes["cortex"].tolist() == [0, 1, 2, 3, 4]
    assert results.level == "executes"
    assert left(tmp_path) == []


def test_the_work_folder_is_not_the_current_one(network):
    assert simulate(network, PLAN, "well").provenance["folder"] != os.getcwd()


def test_a_plan_runs_itself(network):
    assert PLAN.run(network, backend="well").spike_count == 5


def test_provenance_says_what_decides_about_the_numbers(network):
    facts = simulate(network, PLAN, "well", seed=7, timestep=0.1, threads=3).provenance
    assert facts["backend"] == "well" and facts["seed"] == 7 and facts["threads"] == 3 and facts["duration"] == 20.0
    assert facts["timestep"] == 0.5  # what the runner used, not what was asked for
    assert set(facts["seconds"]) == {"lower", "build", "run", "collect"}
    assert 1_000_000 < facts["peak_memory"] < 10**10
    assert facts["pynn_io_version"] and facts["date"].startswith("20")


def test_the_report_of_the_child_arrives(network):
    report = Report()
    simulate(network, PLAN, "well", report=report)
    assert "fake-default" in report.codes()


def test_progress_arrives_in_order_and_to_the_end(network):
    seen = []
    simulate(network, PLAN, "well", progress=lambda *step: seen.append(step))
    done = [number for what, number, _ in seen if what == "simulating"]
    assert done == sorted(done) and done[-1] == 20.0
    assert ("building", 5.0, 5.0) in seen


def test_what_the_simulator_prints_goes_to_the_log(network, capfd):
    said = []
    simulate(network, PLAN, "well", log=said.append)
    assert "fake simulator, banner" in "".join(said)
    assert capfd.readouterr() == ("", "")


def test_losses_are_told_while_it_runs(network):
    told, report = [], Report()
    simulate(network, PLAN, "loses", report=report, lowered=told.append)
    assert [found.codes() for found in told] == [{"fake-loss", "fake-default"}]
    assert told[0].as_dict() == report.as_dict()


def test_an_option_of_another_backend(network):
    with pytest.raises(FormatError, match="NEST has no option 'coreneuron'"):
        simulate(network, PLAN, "nest", coreneuron=True)


def test_strict_refuses_what_the_runner_reports_and_builds_nothing(network, tmp_path):
    with pytest.raises(LossError, match="fake-loss") as caught:
        simulate(network, PLAN, "loses", strict=True)
    assert caught.value.exit_status == 3
    assert {issue.code for issue in caught.value.report.refusals()} == {"fake-loss"}
    assert not (tmp_path / "mark").exists()
    assert left(tmp_path) == []


def test_strict_refuses_what_only_building_finds_and_runs_nothing(network, tmp_path):
    with pytest.raises(LossError, match="fake-late-loss") as caught:
        simulate(network, PLAN, "loseslate", strict=True)
    assert caught.value.exit_status == 3 and "--allow fake-late-loss" in caught.value.hint
    assert not (tmp_path / "mark").exists()
    assert left(tmp_path) == []


def test_strict_runs_with_the_late_loss_allowed(network, tmp_path):
    assert simulate(network, PLAN, "loseslate", strict=True, report=Report({"fake-late-loss"})).spike_count == 5
    assert (tmp_path / "mark").exists()


def test_strict_runs_with_the_loss_allowed(network, tmp_path):
    report = Report({"fake-loss"})
    assert simulate(network, PLAN, "loses", strict=True, report=report).spike_count == 5
    assert (tmp_path / "mark").exists()
    assert [issue.kind for issue in report if issue.code == "fake-loss"] == [Kind.LOST]


def test_an_exception_of_the_simulator(network, tmp_path):
    with pytest.raises(SimulationFailed, match="failed in step 'run': ValueError: the membrane has a hole") as caught:
        simulate(network, PLAN, "raises")
    assert "about to fail" in caught.value.log and "Traceback" in caught.value.log
    assert left(tmp_path) == [Path(caught.value.folder).name]


def test_an_error_of_ours_keeps_its_type(network, tmp_path):
    with pytest.raises(RunError) as caught:
        simulate(network, PLAN, "raisestyped")
    assert type(caught.value) is RunError
    assert (caught.value.message, caught.value.where, caught.value.hint) == (
        "no mechanism NaTs",
        "cell bio_100",
        "pass --mechanisms",
    )
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message", "log"),
    [
        ("exits", r"ended without a result \(exit status 3\)", "hoc error: nothing left to do"),
        ("crashes", "ended by signal SIGSEGV", "assertion failed: membrane"),
    ],
)
def test_a_crash(network, tmp_path, name, message, log):
    with pytest.raises(SimulationFailed, match=message) as caught:
        simulate(network, PLAN, name)
    assert log in caught.value.log
    assert caught.value.exit_status == 7
    kept = Path(caught.value.folder)
    assert log in (kept / "log.txt").read_text() and left(tmp_path) == [kept.name]
    assert str(kept) in str(caught.value)


def test_megabytes_of_output_are_cut_to_the_tail(network):
    with pytest.raises(SimulationFailed) as caught:
        simulate(network, PLAN, "chatty")
    assert caught.value.log.endswith("the last line")
    assert len(caught.value.log) < 21_000 and len(caught.value.log.splitlines()) <= 30


def test_large_results_arrive_whole(network):
    times = simulate(network, PLAN, "big").spikes["x"].times
    assert np.array_equal(times, np.arange(5_000_000.0))


def test_results_that_cannot_be_handed_over(network, tmp_path):
    with pytest.raises(RunError, match="cannot be handed over"):
        simulate(network, PLAN, "unpicklable")
    assert left(tmp_path) == []


def test_a_network_that_cannot_be_handed_over(network, tmp_path):
    odd = dataclasses.replace(network, extra={"lock": threading.RLock()})
    with pytest.raises(RunError, match="cannot be handed to the process"):
        simulate(odd, PLAN, "well")
    assert left(tmp_path) == []


def test_a_network_that_was_read_while_somebody_watched(tmp_path):
    """Columns that are read later hold on to the progress bars, which no other process can have."""
    watching = threading.RLock()
    write_circuit(tmp_path / "circuit")
    config = write_simulation(tmp_path / "circuit")
    document = read(config, progress=lambda *_: watching.acquire() and watching.release())
    assert simulate(document.network, document.plan, "well").spike_count == 4


def test_a_timeout_ends_the_simulator(network, tmp_path):
    with pytest.raises(SimulationFailed, match="stopped after 2 s"):
        simulate(network, PLAN, "hangs", timeout=2.0)
    assert_gone(int((tmp_path / "mark").read_text()))


def assert_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} is still there")


def wait_for(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


@pytest.fixture
def heard_interrupts():
    """SIGINT raises KeyboardInterrupt; a shell's background job, where tests may run, is born deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_simulator(network, tmp_path, heard_interrupts):
    def interrupt():
        wait_for(tmp_path / "mark")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        simulate(network, PLAN, "hangs", timeout=60)
    assert_gone(int((tmp_path / "mark").read_text()))
    assert left(tmp_path) == []


def test_a_killed_parent_takes_the_simulator_with_it(tmp_path):
    program = (
        "from pynn_io import registry; from tests.running import fake; from tests.models import MODELS\n"
        "from pynn_io.simulate import simulate; from pynn_io.simulation_plan import Recording, SimulationPlan\n"
        "registry.BACKENDS['hangs'] = fake.backend(fake.Hangs)\n"
        "simulate(MODELS['two_types']().network, SimulationPlan(duration=20.0), 'hangs')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path / "temporary")}
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment)
    child = wait_for(tmp_path / "mark")
    parent.kill()
    parent.wait()
    assert_gone(child)


def test_a_missing_package_is_named_with_its_extra(network, monkeypatch):
    monkeypatch.setitem(registry.BACKENDS, "needs", fake.backend(fake.NeedsPackage, extra="fake"))
    with pytest.raises(BackendUnavailable, match="'surely_not_installed_simulator'") as caught:
        simulate(network, PLAN, "needs")
    assert caught.value.hint == "pip install 'pynn_io[fake]'"


def test_a_backend_that_is_not_installed_is_refused_before_anything(network, monkeypatch, tmp_path):
    row = fake.backend(fake.Hangs, extra="fake", package="surely_not_installed_simulator")
    monkeypatch.setitem(registry.BACKENDS, "absent", row)
    with pytest.raises(BackendUnavailable, match="Fake Hangs is not installed") as caught:
        simulate(network, PLAN, "absent")
    assert caught.value.hint == "pip install 'pynn_io[fake]'"
    assert caught.value.exit_status == 6


def test_an_unknown_backend_lists_the_known(network):
    with pytest.raises(FormatError, match="unknown backend 'brian'") as caught:
        simulate(network, PLAN, "brian")
    assert {"nest", "neuron"} <= set(caught.value.hint.split(": ")[1].split(", "))


def test_a_backend_that_is_known_and_cannot_run(network, monkeypatch):
    monkeypatch.setitem(
        registry.BACKENDS,
        "spikey",
        registry.Backend("spikey", "Spikey", None, "unavailable", reason="no such machine is left"),
    )
    with pytest.raises(BackendUnavailable, match="Spikey cannot run here: no such machine is left"):
        simulate(network, PLAN, "spikey")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"duration": None}, "simulation:duration"),
        ({"duration": -1.0}, "simulation:duration"),
        ({"timestep": 0.0}, "simulation:timestep"),
        ({"recordings": (Recording("v", "v", {"ei": "x"}),)}, "simulation:reports.v.node_set"),
    ],
)
def test_a_plan_that_cannot_run(network, changes, where):
    with pytest.raises(PlanError) as caught:
        simulate(network, dataclasses.replace(PLAN, **changes), "well")
    assert caught.value.where == where


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_counts_below_one(network, name):
    with pytest.raises(FormatError, match=f"0 {name}: at least one is needed"):
        simulate(network, PLAN, "well", **{name: 0})


def test_a_broken_network_is_not_run(network):
    broken = dataclasses.replace(network, cells={})
    with pytest.raises(GraphError):
        simulate(broken, PLAN, "well")


def test_a_folder_of_the_users_stays(network, tmp_path):
    work = tmp_path / "mine"
    work.mkdir()
    simulate(network, PLAN, "well", profile=Profile(work=work))
    assert (work / "log.txt").read_text().startswith("fake simulator, banner")


def test_a_work_folder_that_cannot_be_made(network, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(RunError, match="no place for the run's own files"):
        simulate(network, PLAN, "well")


@pytest.mark.parametrize(
    ("simulator", "cells", "backend", "reason"),
    [
        ("NEST", {"c": CableCell()}, "nest", "written for NEST"),
        ("CORENEURON", {"c": PointCell("nest:iaf_psc_alpha")}, "neuron", "written for CORENEURON"),
        (None, {"c": CableCell()}, "neuron", "cable cells"),
        (None, {"c": PointCell("nrn:IntFire1")}, "neuron", "models of NEURON"),
        (None, {"c": PointCell("nest:iaf_psc_alpha")}, "nest", "models of NEST"),
        (None, {"c": PointCell("neuroml:izhikevich2007Cell")}, "neuron", "models of NeuroML"),
    ],
)
def test_auto(network, simulator, cells, backend, reason):
    plan = dataclasses.replace(PLAN, target_simulator=simulator)
    chosen, why = choose(dataclasses.replace(network, cells=cells), plan)
    assert chosen == backend and reason in why


def test_auto_refuses_a_simulation_for_a_simulator_that_is_no_backend(network):
    plan = dataclasses.replace(PLAN, target_simulator="BRIAN")
    with pytest.raises(FormatError, match="written for BRIAN, which is no backend here") as caught:
        choose(network, plan)
    assert caught.value.where.endswith(":target_simulator")
    named = set(caught.value.hint.partition("known backends: ")[2].split(", "))
    assert named >= {"jneuroml", "nest", "neuron"}


def test_a_named_backend_runs_a_simulation_for_any_simulator_and_notes_it(network):
    plan = dataclasses.replace(PLAN, target_simulator="BRIAN")
    chosen = simulate(network, plan, "well").provenance["backend_chosen"]
    assert chosen == "asked for; the simulation was written for BRIAN"


def test_auto_takes_what_is_installed_where_anything_fits(network, monkeypatch):
    absent = dataclasses.replace(registry.BACKENDS["nest"], package="surely_not_installed_simulator")
    monkeypatch.setitem(registry.BACKENDS, "nest", absent)
    chosen, why = choose(dataclasses.replace(network, cells={"c": PointCell("IF_cond_exp")}), PLAN)
    assert chosen == "neuron" and "installed" in why
