"""Processes that take turns: what each is sent, and that the failure of one ends all of them, with its reason."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io import registry
from pynn_io.errors import BackendUnavailable, FormatError, LossError, PlanError, SimulationFailed
from pynn_io.graph import ArrayChunks
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse
from pynn_io.registry import Backend
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.cosimulation import fakes
from tests.runners.nets import table
from tests.running.fake import Well

PLAN = SimulationPlan(name="plan", duration=12.0, timestep=0.5)
KINDS = [kind for kind in vars(fakes).values() if isinstance(kind, type) and issubclass(kind, Well)]


@pytest.fixture(autouse=True)
def backends(monkeypatch, tmp_path):
    for kind in KINDS:
        row = Backend(kind.__name__.lower(), f"Fake {kind.__name__}", f"{kind.__module__}:{kind.__name__}", "executes")
        monkeypatch.setitem(registry.BACKENDS, row.name, row)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("FAKE_MARK", str(tmp_path / "mark"))


@pytest.fixture
def network() -> Network:
    """Two cells x and three y, x to y in 4 ms, y to x in 5 and 6 ms."""
    populations = {
        "x": Population("x", 2, table(1, cell=["cell"]), table=table(2, id=[10, 20])),
        "y": Population("y", 3, table(1, cell=["cell"])),
    }
    x_y = Edges(Column(np.array([0, 1])), Column(np.array([2, 2])), table(2, weight=1.0))
    columns = table(2, weight=1.0).updated({"delay": Column(ArrayChunks(np.array([5.0, 6.0], dtype=np.float32)))})
    y_x = Edges(Column(np.array([0, 1])), Column(np.array([1, 1])), columns)
    projections = {
        "x_y": Projection("x_y", "x", "y", table(1, synapse=["static"], weight_unit=["nA"], delay=4.0), x_y),
        "y_x": Projection("y_x", "y", "x", table(1, synapse=["static"], weight_unit=["nA"]), y_x),
    }
    return Network("net", populations, projections, {"cell": PointCell("IF_curr_exp")}, {"static": Synapse("static")})


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "temporary").iterdir()]


def test_what_is_sent_and_joined(network, tmp_path):
    """Epochs of 2 ms, half of the shortest delay; proxies fire 2 ms after their cells, within the next epoch."""
    results = simulate(network, PLAN, "y=clock,x=clock")
    facts = results.provenance
    assert (facts["epoch"], facts["epochs"]) == (2.0, 6)
    assert facts["placement"] == {"y": "clock", "x": "clock"}
    assert facts["parts"]["x=clock"]["process"] != facts["parts"]["y=clock"]["process"] != os.getpid()
    sent = facts["parts"]["x=clock"]["injected"]
    assert sent[:6] == [(2.0, "y", row, time) for row in range(3) for time in (3.0, 4.0)]
    assert len(sent) == 3 * 10 and sent[-1] == (10.0, "y", 2, 12.0)  # spikes of 1 to 10 ms: the last epoch sends none
    assert list(results.spikes) == ["x", "y"] and results.nodes["x"].tolist() == [10, 20]
    assert results.spike_count == 5 * 12 and results.duration == 12.0
    assert left(tmp_path) == []


def test_the_lag_of_one_part_is_that_of_all(network):
    facts = simulate(network, PLAN, "y=clock,x=lagging").provenance
    assert (facts["epoch"], facts["parts"]["x=lagging"]["proxy_lead"]) == (2.0, 2.5)
    sent = facts["parts"]["x=lagging"]["injected"]
    # the proxy of a spike at 2 ms fires at 4.5 ms, beyond the next stop: it is held back for one epoch
    assert sent[:3] == [(2.0, "y", row, 3.5) for row in range(3)]
    assert sent[3:5] == [(4.0, "y", 0, 4.5), (4.0, "y", 0, 5.5)]


def test_a_part_that_takes_the_past_is_sent_the_spikes_as_they_were(network):
    facts = simulate(network, PLAN, "y=clock,x=backdating").provenance
    assert [facts["parts"][name]["proxy_lead"] for name in ("y=clock", "x=backdating")] == [2.0, 0.0]
    assert facts["parts"]["x=backdating"]["injected"][:2] == [(2.0, "y", 0, 1.0), (2.0, "y", 0, 2.0)]


def test_messages_that_no_pipe_holds(network):
    facts = simulate(network, PLAN, "y=flooding,x=flooding", timeout=120).provenance
    assert all(part["injected"] == [1_000_000] * 5 for part in facts["parts"].values())


@pytest.mark.parametrize(
    ("kind", "said", "log"),
    [
        ("raising", "y=raising: Fake Raising failed in step 'run': ValueError: the membrane has a hole", "Traceback"),
        ("crashing", "y=crashing: the simulator was ended by signal SIGSEGV", "assertion failed: membrane"),
        ("leaving", "y=leaving: the simulator ended without a result .exit status 0", ""),
        ("notbuilt", "y=notbuilt: Fake NotBuilt failed in step 'build': ValueError: no such membrane", "Traceback"),
    ],
)
@pytest.mark.parametrize("place", ["y={},x=clock", "x=clock,y={}"])
def test_a_part_that_fails_ends_the_others(network, tmp_path, kind, said, log, place):
    began = time.monotonic()
    with pytest.raises(SimulationFailed, match=said) as caught:
        simulate(network, PLAN, place.format(kind))
    assert log in caught.value.log and Path(caught.value.folder).is_dir()
    assert time.monotonic() - began < 60
    _assert_no_worker_is_left(tmp_path)


def _assert_no_worker_is_left(tmp_path: Path) -> None:
    """No process runs in a work folder of this test."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        running = [text for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path) in (text := _read(path))]
        if not running:
            return
        time.sleep(0.1)
    raise AssertionError(running)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def test_a_part_that_hangs_is_ended_in_time(network, tmp_path):
    with pytest.raises(SimulationFailed, match="stopped after 8 s"):
        simulate(network, PLAN, "y=hanging,x=clock", timeout=8)
    _assert_no_worker_is_left(tmp_path)


def test_an_interrupt_ends_all(network, tmp_path):
    # A shell's background job is born with SIGINT ignored, and other packages have handlers of their own.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> None:
        mark = tmp_path / "mark"
        while not mark.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            simulate(network, PLAN, "y=hanging,x=clock")
    finally:
        signal.signal(signal.SIGINT, before)
    _assert_no_worker_is_left(tmp_path)
    assert left(tmp_path) == []


def test_progress_is_biological_time_and_losses_are_told_once(network):
    seen, told = [], []
    report = Report()
    simulate(
        network,
        PLAN,
        "y=losing,x=losing",
        report=report,
        progress=lambda what, done, total: seen.append((what, done, total)),
        lowered=told.append,
    )
    simulating = [(done, total) for what, done, total in seen if what == "simulating"]
    assert simulating == [(float(time), 12.0) for time in (2, 4, 6, 8, 10, 12)]
    assert [[(issue.code, issue.count) for issue in found] for found in told] == [[("fake-loss", 2)]]
    assert [(issue.code, issue.count) for issue in report] == [("fake-loss", 2)]


@pytest.mark.parametrize("placement", ["x=silent,y=silent", "x=clock,y=silent"])
def test_what_every_part_tells_of_sources_is_counted_once(network, placement):
    """Whichever part it is that lacks them: every one has all sources."""
    source = Population("s", 4, table(1, cell=["source"]))
    network = replace(
        network,
        populations={**network.populations, "s": source},
        cells={**network.cells, "source": SpikeSource()},
    )
    told, report = [], Report()
    simulate(network, PLAN, placement, report=report, lowered=told.append)
    assert [(issue.code, issue.count) for issue in report] == [("fake-source", 4)]
    assert [[(issue.code, issue.count) for issue in found] for found in told] == [[("fake-source", 4)]]


def test_strict_runs_nothing(network, tmp_path):
    with pytest.raises(LossError, match="the simulators together cannot do all of it: fake-loss"):
        simulate(network, PLAN, "y=losing,x=clock", strict=True)
    assert left(tmp_path) == []
    assert simulate(network, PLAN, "y=losing,x=clock", strict=True, report=Report({"fake-loss"})).spike_count == 60


@pytest.mark.parametrize(
    ("placement", "more", "error", "said"),
    [
        ("x=clock,y=arbor", {}, BackendUnavailable, "Arbor cannot be part of a co-simulation"),
        ("x=clock,y=eden", {}, BackendUnavailable, "EDEN cannot run here"),
        ("x=clock,y=brain", {}, FormatError, "unknown backend 'brain'"),
        ("x=clock", {}, FormatError, "no simulator is named for y"),
        ("x=clock,y=clock", {"coreneuron": True}, FormatError, "no option 'coreneuron'"),
        ("x=clock,y=clock", {"profile": Profile(processes=2)}, BackendUnavailable, "a part .* runs in one process"),
        ("x=clock,y=clock", {"threads": 0}, FormatError, "0 threads"),
        ("x=clock,y=clock", {"plan": SimulationPlan(name="p", duration=5.0)}, PlanError, "p:timestep: the time step"),
        ("x=clock,y=clock", {"plan": SimulationPlan(timestep=0.5)}, PlanError, "how long to run is not stated"),
        ("x=clock,y=clock", {"timestep": 4.0}, PlanError, "projection x_y: its shortest delay is 4 ms"),
    ],
)
def test_refusals_before_anything_runs(network, tmp_path, placement, more, error, said):
    with pytest.raises(error, match=said):
        simulate(network, more.pop("plan", PLAN), placement, **more)
    assert left(tmp_path) == []
