"""Several MPI ranks: all of them or none, and never N copies of one simulation."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("neuron")

from pynn_io import registry
from pynn_io.errors import BackendUnavailable, SimulationFailed
from pynn_io.runners import mpi
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.models import MODELS
from tests.running import fake_mpi
from tests.running.fake import Well, backend
from tests.running.test_simulate import assert_gone, wait_for

PLAN = SimulationPlan(duration=20.0)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Simulates on two ranks with a fake runner; skipped where there is no MPI."""
    try:
        mpi.under_mpirun([], 2, dict(os.environ))
    except BackendUnavailable as error:
        pytest.skip(str(error))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("FAKE_MARK", str(tmp_path / "mark"))

    def simulate_on_two(kind, **options):
        row = registry.Backend("ranks", "Fake", f"{kind.__module__}:{kind.__name__}", "executes")
        monkeypatch.setitem(registry.BACKENDS, "ranks", row)
        return simulate(MODELS["two_types"]().network, PLAN, "ranks", processes=2, **options)

    return simulate_on_two


def test_two_ranks_give_one_result(run, tmp_path):
    seen = []
    results = run(fake_mpi.Ranks, progress=lambda *step: seen.append(step), timeout=60)
    assert results.spikes["ranks"].node_ids.tolist() == [0, 1]
    assert results.provenance["processes"] == 2
    assert [number for what, number, _ in seen if what == "simulating"][-1] == 20.0
    assert list(tmp_path.iterdir()) == []


def test_an_exception_on_one_rank_ends_all(run):
    with pytest.raises(SimulationFailed, match="ValueError: only here") as caught:
        run(fake_mpi.OneRaises, timeout=60)
    assert "only here" in caught.value.log


def test_a_crash_of_one_rank_ends_all(run):
    with pytest.raises(SimulationFailed) as caught:
        run(fake_mpi.OneCrashes, timeout=60)
    assert "stopped after" not in str(caught.value)
    assert "SIGSEGV" in caught.value.message
    assert "assertion failed on one rank" in Path(caught.value.folder, "log.txt").read_text()


def test_stopping_ends_every_rank(run, tmp_path):
    with pytest.raises(SimulationFailed, match="stopped after"):
        run(fake_mpi.Waits, timeout=5)
    for rank in (0, 1):
        assert_gone(wait_for(tmp_path / f"mark{rank}"))


def test_copies_that_do_not_see_each_other_are_refused(run):
    with pytest.raises(BackendUnavailable, match="MPI did not start: process 0 of 2 sees 1 process"):
        run(fake_mpi.Alone, timeout=60)


def test_a_runner_for_one_process_is_refused(run):
    with pytest.raises(BackendUnavailable, match="Well runs in one process only"):
        run(Well, timeout=60)


def test_a_backend_without_mpi_is_refused_by_name(monkeypatch):
    monkeypatch.setitem(registry.BACKENDS, "well", backend(Well, one_process="built without MPI"))
    with pytest.raises(BackendUnavailable, match="Fake Well cannot run in 2 processes") as caught:
        simulate(MODELS["two_types"]().network, PLAN, "well", processes=2)
    assert caught.value.hint == "built without MPI"


def test_no_mpirun(monkeypatch):
    monkeypatch.setattr(mpi, "_launcher", lambda environment: None)
    with pytest.raises(BackendUnavailable, match="no mpirun here") as caught:
        mpi.under_mpirun(["python"], 2, {})
    assert "pynn_io[mpi]" in caught.value.hint and "openmpi-bin libopenmpi-dev" in caught.value.hint


def test_no_library(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    launcher = tmp_path / "bin" / "mpirun"
    launcher.write_text("#!/bin/sh\necho mpirun of somebody else\n")
    launcher.chmod(0o755)
    monkeypatch.setattr(mpi, "_launcher", lambda environment: str(launcher))
    monkeypatch.setattr(mpi, "find_library", lambda name: None)
    with pytest.raises(BackendUnavailable, match="no MPI library that belongs to it"):
        mpi.under_mpirun(["python"], 2, {})
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libmpi.so.40").touch()
    command, environment = mpi.under_mpirun(["python", "-m", "x"], 3, {})
    assert command == [str(launcher), "-n", "3", "python", "-m", "x"]
    assert environment == {"MPI_LIB_NRN_PATH": str(tmp_path / "lib" / "libmpi.so.40")}
