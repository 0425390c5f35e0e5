"""Jobs of the EBRAINS queue, end to end against a small server on 127.0.0.1 that runs them."""

from __future__ import annotations

import base64
import io
import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import pynn_io
from pynn_io.errors import (
    BadJobData,
    FormatError,
    JobNotFinished,
    JobRejected,
    NotExecuted,
    RunError,
    ServiceLost,
    SimulationFailed,
)
from pynn_io.graph import Column
from pynn_io.graph.network import Network
from pynn_io.lowering.hardware.delays import steps_held
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.nmpi import script
from pynn_io.runners.nmpi.bundle import bundle
from pynn_io.runners.nmpi.client import QueueClient
from pynn_io.runners.nmpi.collect import Output, collect
from pynn_io.runners.nmpi.platforms import PLATFORMS
from pynn_io.runners.nmpi.queue import Patience, fetch, submit, wait
from pynn_io.runners.spinnaker.lower import lower as lower_spinnaker
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.nmpi.server import TOKEN, Faults, Queue, serving
from tests.runners.nets import current_network
from tests.runners.standard_networks import plastic_inhibition

pytest.importorskip("nmpi")
pytest.importorskip("pyNN")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own; the token in the environment, and afterwards in no file of the home (``~/.hbptoken``)."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("EBRAINS_TOKEN", TOKEN)
    monkeypatch.delenv("EBRAINS_JOB_SERVICE", raising=False)
    yield folder
    assert not any(TOKEN.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not (folder / ".hbptoken").exists()


def short(network_and_plan: tuple[Network, SimulationPlan]) -> tuple[Network, SimulationPlan]:
    network, plan = network_and_plan
    return network, replace(plan, duration=100.0)


def submitted(queue: Queue, network: Network, plan: SimulationPlan, **options: Any) -> Results:
    stated = {"submit": True, "collab": "a-collab", "poll": 0.1, "queue_timeout": 500.0, **options}
    return simulate(network, plan, "nmpi:SpiNNaker", job_service=queue.url, **stated)


def tiny() -> tuple[Network, SimulationPlan]:
    return short(current_network())


# --- scripts ------------------------------------------------------------------------------------------------------


def test_a_bundle_is_one_script_and_no_data(tmp_path: Path) -> None:
    network, plan = tiny()
    report = Report()
    found = simulate(network, plan, "nmpi:SpiNNaker", report=report, bundle=str(tmp_path / "job"))
    assert found.level == "emits"
    assert (found.spikes, found.traces, found.nodes) == ({}, (), {})
    assert {path.name for path in (tmp_path / "job").iterdir()} == {"run.py", "provenance.json"}
    script = (tmp_path / "job" / "run.py").read_text(encoding="utf-8")
    assert "import pynn_io" not in script
    assert "from pynn_io" not in script
    assert max(map(len, script.splitlines())) <= 120
    stated = json.loads((tmp_path / "job" / "provenance.json").read_text(encoding="utf-8"))
    assert (stated["command"], stated["platform"]) == ("run.py {system}", "SpiNNaker")
    assert (stated["plan"], stated["duration"], stated["timestep"]) == (plan.name, plan.duration, plan.timestep)
    again = simulate(network, plan, "nmpi:SpiNNaker", bundle=str(tmp_path / "again"))
    assert again.provenance["digest"] == stated["digest"]


@pytest.mark.slow
def test_a_job_gives_the_spikes_of_nest() -> None:
    """The worker has pyNN.nest for ``{system}``; what it gives is what our own runner gives on NEST."""
    pytest.importorskip("nest")
    network, plan = tiny()
    with serving("nest") as queue:
        found = submitted(queue, network, plan, hardware_config={"spynnaker_version": "x"})
    expected = simulate(network, plan, "nest")
    assert found.level == "executes"
    assert sum(len(item.times) for item in expected.spikes.values()) > 100
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name].node_ids, spikes.node_ids)
        np.testing.assert_allclose(found.spikes[name].times, spikes.times, atol=1e-9)
        np.testing.assert_array_equal(found.nodes[name], expected.nodes[name])
    (trace,), (reference,) = found.traces, expected.traces
    assert (trace.report, trace.unit, trace.interval) == (reference.report, reference.unit, reference.interval)
    np.testing.assert_array_equal(trace.node_ids, reference.node_ids)
    assert found.provenance["job"]["system"] == "nest"
    assert found.provenance["backend"] == "nmpi:SpiNNaker"
    (job,) = queue.jobs
    assert (job["hardware_platform"], job["collab"], job["command"]) == ("SpiNNaker", "a-collab", "run.py {system}")
    assert job["hardware_config"] == {"spynnaker_version": "x"}
    assert TOKEN not in job["code"]


@pytest.mark.slow
def test_a_job_of_plastic_inhibition_on_nest(tmp_path: Path) -> None:
    """Elsewhere, without pynn_io: bounds of currents that inhibit are below 0, beside PyNN's default weight of 0."""
    pytest.importorskip("nest")
    document = plastic_inhibition()
    plan = replace(document.plan, stimuli=document.plan.stimuli[:1], timestep=1.0, recordings=())
    simulate(document.network, plan, "nmpi:SpiNNaker", bundle=str(tmp_path / "job"))
    subprocess.run([sys.executable, "run.py", "nest"], cwd=tmp_path / "job", check=True, capture_output=True)
    found = np.load(tmp_path / "job" / "results.npz")
    expected = simulate(document.network, plan, "nest").spikes["cells"]
    assert len(expected.times) > 20
    order = np.lexsort((found["places_0"], found["times_0"]))
    np.testing.assert_allclose(found["times_0"][order], np.sort(expected.times), atol=1e-9)


@pytest.mark.slow
def test_a_job_with_spikes_from_the_beginning(tmp_path: Path) -> None:
    """The chip sends spikes at 0 ms; tried on NEST, where PyNN loses them, they come later and are told."""
    pytest.importorskip("nest")
    script = tmp_path / "network.py"
    script.write_text(
        "import pyNN.spiNNaker as sim\nsim.setup(1.0)\n"
        "one = sim.Population(2, sim.SpikeSourceArray, {'spike_times': [[0], [1.0, 30.0]]}, label='one')\n"
        "cells = sim.Population(2, sim.IF_curr_exp(), label='cells')\n"
        "sim.Projection(one, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=5.0, delay=1.0))\n"
        "cells.record('spikes')\nsim.run(50.0)\n"
    )
    document = pynn_io.read(script)
    simulate(document.network, document.plan, "nmpi:SpiNNaker", bundle=str(tmp_path / "job"))
    job = [sys.executable, "run.py", "nest"]
    done = subprocess.run(job, cwd=tmp_path / "job", check=True, capture_output=True, text=True)
    told = "2 spikes of one.SpikeSourceArray before 2 ms, which come then"
    assert f"not as asked: {told}\n" in done.stdout
    assert json.loads((tmp_path / "job" / "provenance.json").read_text(encoding="utf-8"))["not_applied"] == [told]
    found = np.load(tmp_path / "job" / "results.npz")
    assert sorted(found["places_0"].tolist()) == [0, 1, 1]


def test_bounds_are_sizes_on_the_chip() -> None:
    """As weights are there: the receptor tells what inhibits."""
    edges = {
        "timing": {"model": "SpikePairRule", "parameters": {}},
        "weight": {"model": "AdditiveWeightDependence", "parameters": {"w_min": 0.0, "w_max": -5.0}},
        "dendritic_delay_fraction": 1.0,
        "some_weight": -5.0,
    }
    sim = Mock()
    for name, sign in (("spiNNaker", 1.0), ("nest", -1.0)):
        script.Job(sim, name, {"setup": {}, "systems": {}}, {})._synapse(edges)
        assert sim.AdditiveWeightDependence.call_args.kwargs == {"w_min": 0.0, "w_max": 5.0 * sign}
        assert sim.STDPMechanism.call_args.kwargs["weight"] == 5.0 * sign


def test_lists_for_the_chip_are_in_order() -> None:
    """Of others sPyNNaker 7.4 miscounts the targets of a cell on a core."""
    sim = Mock()
    job = script.Job(sim, "spiNNaker", {"setup": {}, "systems": {}}, {})
    job.populations = {"a": Mock(), "b": Mock()}
    job.arrays = {"table": np.array([[1, 0, -0.5], [0, 1, 0.25], [0, 0, 0.125]])}
    ends = {"pre": "a", "post": "b", "receptor": "inhibitory", "label": "a_to_b"}
    job._connect({**ends, "table": "table", "columns": ["weight"], "model": "StaticSynapse", "parameters": {}})
    (table,) = sim.FromListConnector.call_args.args
    assert table.tolist() == [[0, 0, 0.125], [0, 1, 0.25], [1, 0, 0.5]]


@pytest.mark.slow
def test_a_virtual_board_gives_no_results(tmp_path: Path) -> None:
    """sPyNNaker maps the network; the empty data that it records is not taken for silence."""
    pytest.importorskip("spynnaker")
    config = tmp_path / "config"
    config.mkdir()
    (config / ".spynnaker.cfg").write_text(
        "[Machine]\nvirtual_board = True\nversion = 5\n[Mode]\nmode = Production\n[Reports]\n"
        "default_report_file_path = ./reports\nwrite_network_graph = False\n"
    )
    network, plan = tiny()
    nobody = str(tmp_path / "nobody")
    with (
        serving("spiNNaker", XDG_CONFIG_HOME=str(config), HOME=nobody) as queue,
        pytest.raises(NotExecuted, match="mapped the network, and did not execute it") as caught,
    ):
        submitted(queue, network, plan)
    assert caught.value.exit_status == 7
    (job,) = queue.jobs
    assert job["status"] == "finished"
    assert "mapped, not executed" in job["log"]
    assert [Path(item["url"]).name for item in job["output_data"]["files"]] == ["provenance.json"]


# --- what goes wrong ----------------------------------------------------------------------------------------------


def asked(queue: Queue, folder: Path, **patience: float) -> tuple[Path, ...]:
    """A job of one line, from its submission to its files, without the process that a run has."""
    client = QueueClient(TOKEN, queue.url)
    path = folder / "run.py"
    path.write_text("raise SystemExit('nothing to run')", encoding="utf-8")
    patient = Patience(**{"first": 0.01, "limit": 60.0, **patience})
    address = submit(client, path, "SpiNNaker", "a-collab", None)
    return fetch(client, address, wait(client, address, patient, quiet), folder, patient)


def refused(
    error: type[RunError], text: str, faults: Faults, folder: Path, system: str = "", **more: float
) -> RunError:
    with serving(system, faults) as queue, pytest.raises(error, match=text) as caught:
        asked(queue, folder, **more)
    assert type(caught.value) is error
    assert caught.value.exit_status == 7
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_job_that_is_refused(status: int, tmp_path: Path) -> None:
    error = refused(JobRejected, f"refused: {status} .*no quota for this platform", Faults(refuse=status), tmp_path)
    assert ("EBRAINS_TOKEN" in error.hint) == (status in (401, 403))


def test_a_token_that_is_not_valid(tmp_path: Path) -> None:
    with serving() as queue, pytest.raises(JobRejected, match=r"refused: 403 .*invalid token") as caught:
        QueueClient("another", queue.url).job("/jobs/1")
    assert "another" not in str(caught.value)


def test_a_service_that_sends_the_token_back(tmp_path: Path) -> None:
    refused(JobRejected, r"no quota for this platform for Bearer \[token\]", Faults(refuse=422, echo=True), tmp_path)
    with serving(faults=Faults(status="error")) as queue:
        client = QueueClient(TOKEN, queue.url)
        address = client.submit(Path(__file__), "SpiNNaker", "a-collab", "run.py {system}", None)
        queue.jobs[0]["log"] = f"EBRAINS_TOKEN={TOKEN}\nkilled"
        with pytest.raises(SimulationFailed) as caught:
            wait(client, address, Patience(first=0.01), quiet)
    assert caught.value.log == "EBRAINS_TOKEN=[token]\nkilled"


def test_a_service_that_fails(tmp_path: Path) -> None:
    error = refused(ServiceLost, "the service fails: 503", Faults(refuse=503), tmp_path)
    assert "look at your jobs before you submit it again" in error.hint


def test_nobody_there(tmp_path: Path) -> None:
    with serving() as queue:
        pass
    with pytest.raises(ServiceLost, match="no answer that can be used"):
        asked(queue, tmp_path)


def test_a_server_that_never_answers(tmp_path: Path) -> None:
    """The public client would hang for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = QueueClient(TOKEN, f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=(0.5, 0.5))
        with pytest.raises(ServiceLost, match=r"[Tt]imed? ?out"):
            client.job("/jobs/1")


def test_a_submission_that_breaks_off_is_not_repeated(tmp_path: Path) -> None:
    with serving(faults=Faults(drop=frozenset({1}))) as queue, pytest.raises(ServiceLost, match="no answer"):
        asked(queue, tmp_path)
    assert [method for method, *_ in queue.requests] == ["POST"]


def test_a_connection_that_is_lost_while_waiting(tmp_path: Path) -> None:
    error = refused(ServiceLost, "no answer that can be used", Faults(drop=frozenset(range(2, 99))), tmp_path)
    assert "--job /jobs/1" in error.hint


def test_a_connection_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    faults = Faults(status="error", drop=frozenset({2, 3, 5}))
    refused(SimulationFailed, "the job /jobs/1 failed", faults, tmp_path)


def test_an_answer_that_is_none(tmp_path: Path) -> None:
    refused(ServiceLost, "no answer that can be used", Faults(junk=True), tmp_path)


def test_the_time_to_wait_is_limited(tmp_path: Path) -> None:
    error = refused(JobNotFinished, "the job /jobs/1 is submitted after", Faults(), tmp_path, limit=0.2)
    assert "--job /jobs/1" in error.hint


def test_questions_come_at_growing_intervals(tmp_path: Path) -> None:
    slept: list[float] = []
    patience = Patience(limit=400.0, first=2.0, longest=20.0, sleep=slept.append, clock=lambda: sum(slept))
    with serving() as queue:
        client = QueueClient(TOKEN, queue.url)
        address = client.submit(Path(__file__), "SpiNNaker", "a-collab", "run.py {system}", None)
        with pytest.raises(JobNotFinished, match=r"after 3[89]. s"):
            wait(client, address, patience, quiet)
    assert slept[:4] == [2.0, 3.0, 4.5, 6.75]
    assert set(slept[8:]) == {20.0}


def test_a_job_that_is_removed(tmp_path: Path) -> None:
    refused(JobRejected, "the job /jobs/1 is removed", Faults(status="removed"), tmp_path)


def test_a_job_that_fails_tells_its_log(tmp_path: Path) -> None:
    error = refused(SimulationFailed, "the job /jobs/1 failed", Faults(), tmp_path, system="x")
    assert isinstance(error, SimulationFailed)
    assert "nothing to run" in error.log


def test_a_failure_comes_through_a_run_as_it_is() -> None:
    """There is no such backend where the job runs."""
    with serving("no_such_backend") as queue, pytest.raises(SimulationFailed, match="the job /jobs/1 failed") as caught:
        submitted(queue, *tiny())
    assert "No module named 'pyNN.no_such_backend'" in caught.value.log


def test_an_unknown_job(tmp_path: Path) -> None:
    with serving() as queue, pytest.raises(JobRejected, match="refused: 404"):
        QueueClient(TOKEN, queue.url).job("/jobs/7")


# --- what a job leaves behind -------------------------------------------------------------------------------------

DIGEST = "a digest"
LABELS = ["exc.IF_curr_exp", "inh.IF_curr_exp"]


def provenance(**changes: Any) -> bytes:
    stated = {"digest": DIGEST, "level": "executes", "system": "x", "spikes": LABELS, "signals": [], **changes}
    return json.dumps(stated).encode()


def archive(**arrays: Any) -> bytes:
    file = io.BytesIO()
    none = {name: np.empty(0, dtype=int if "places" in name else float) for name in ("places_0", "times_0")}
    other = {name.replace("0", "1"): values for name, values in none.items()}
    np.savez(file, **{**none, **other, **{name: np.asarray(values) for name, values in arrays.items()}})
    return file.getvalue()


def read(folder: Path) -> Results:
    network, plan = tiny()
    lowered = PLATFORMS["SpiNNaker"](network, plan, Report()).lowered
    cells = {item.label: item for item in lowered.network.cells if not item.is_source}
    return collect(Output(folder, DIGEST), cells, lowered.plan)


SIGNAL = {"cells": LABELS[0], "variable": "v", "period": 0.1, "array": "signal"}


@pytest.mark.parametrize(
    ("stated", "results", "text"),
    [
        (b"{", archive(), "not readable"),
        (b"[]", archive(), "no JSON object"),
        (provenance(digest="other"), archive(), "results of another job"),
        (provenance(level="dreams"), archive(), "the level of the job is 'dreams'"),
        (provenance(), None, "says that it was executed, and left no results"),
        (provenance(), b"PK\x03\x04", "not readable"),
        (provenance(), pickle.dumps({}), "not readable"),
        (provenance(spikes=[]), archive(), "recorded nothing of exc"),
        (provenance(), archive(places_0=[99999], times_0=[1.0]), "of cells that it has not"),
        (provenance(), archive(places_0=[0], times_0=[np.nan]), "at no time"),
        (provenance(), archive(places_0=[0, 1], times_0=[1.0]), "of cells that it has not"),
        (provenance(), archive(places_0=["a"], times_0=[1.0]), "no usable 'places_0'"),
        (provenance(), archive(), "left no usable v of exc"),
        (provenance(signals=[SIGNAL]), archive(signal=[1.0], signal_cells=[0]), "left no usable v of exc"),
        (provenance(signals=[SIGNAL]), archive(signal=[[1.0]], signal_cells=[70]), "recorded nothing of cells"),
    ],
)
def test_bad_files_of_a_job(stated: bytes, results: bytes | None, text: str, tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_bytes(stated)
    if results is not None:
        (tmp_path / "results.npz").write_bytes(results)
    with pytest.raises(BadJobData, match=text) as caught:
        read(tmp_path)
    assert caught.value.exit_status == 7


def fetched(folder: Path, files: dict[str, bytes], sizes: dict[str, int]) -> tuple[Path, ...]:
    with serving(faults=Faults(sizes=sizes)) as queue:
        place = queue.folder / "1"
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        items = [queue.item(path) for path in sorted(place.iterdir())]
        job = {"output_data": {"repository": "here", "files": items}}
        return fetch(QueueClient(TOKEN, queue.url), "/jobs/1", job, folder, Patience(first=0.01))


def test_files_are_written_where_we_say(tmp_path: Path) -> None:
    """The service states paths that lead out of the folder, and a file that nobody asked for."""
    into = tmp_path / "into"
    into.mkdir()
    found = fetched(into, {"provenance.json": b"{}", "results.npz": b"x", "other.json": b"{}"}, {})
    assert found == (into / "provenance.json", into / "results.npz")
    assert {path.name for path in tmp_path.iterdir()} == {"into", "home"}


def test_a_job_that_left_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadJobData, match=r"left no provenance.json") as caught:
        fetched(tmp_path, {"results.npz": b""}, {})
    assert "results.npz" in caught.value.hint


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(BadJobData, match="has 2 bytes, and 9999 were stated"):
        fetched(tmp_path, {"provenance.json": b"{}"}, {"provenance.json": 9999})


# --- options ------------------------------------------------------------------------------------------------------


def test_without_a_token_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBRAINS_TOKEN")
    with serving() as queue, pytest.raises(FormatError, match="needs a token") as caught:
        submitted(queue, *tiny())
    assert "EBRAINS_TOKEN" in caught.value.hint
    assert queue.requests == []


@pytest.mark.parametrize("url", ["ftp://somewhere", "nowhere", "http://name:password@somewhere"])
def test_urls_that_are_no_service(url: str) -> None:
    with pytest.raises(FormatError):
        QueueClient(TOKEN, url)


def test_the_token_goes_to_the_job_service_alone(tmp_path: Path) -> None:
    """A file of a job on another host is fetched without it, a file of the service's own host with it."""
    with serving() as service, serving() as other:
        client = QueueClient(TOKEN, service.url)
        with pytest.raises(JobRejected, match="403"):
            client.download(f"{other.url}/data/x", tmp_path / "x")
        assert [token for *_, token in other.requests] == [""]
        (service.folder / "x").write_bytes(b"y")
        client.download(f"{service.url}/data/x", tmp_path / "x")
        assert [token for *_, token in service.requests] == [f"Bearer {TOKEN}"]
    assert (tmp_path / "x").read_bytes() == b"y"


def test_platforms(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is no platform of the EBRAINS queue"):
        simulate(*tiny(), "nmpi:Abacus")
    with pytest.raises(RunError, match="out of service"):
        simulate(*tiny(), "nmpi:Spikey")
    with pytest.raises(FormatError, match="reached by a queue of jobs"):
        simulate(*tiny(), "nmpi:SpiNNaker")


def test_long_delays_take_fewer_neurons_a_core(tmp_path: Path) -> None:
    """A core of 80 neurons with two receptors holds 128 steps, and 20 ms are 200."""
    network, plan = tiny()
    projection = network.projections["input_exc"]
    columns = projection.edges.columns.updated({"delay": Column(np.full(projection.size, 20.0), "ms")})
    slow = replace(projection, edges=replace(projection.edges, columns=columns))
    network = replace(network, projections={**network.projections, "input_exc": slow})
    lowered = lower_spinnaker(network, plan, Report())
    chip = lowered.check.chip
    job = PLATFORMS["SpiNNaker"](network, plan, Report())
    (neurons,) = job.cores.values()
    assert steps_held(chip.delays, neurons) >= 200 > steps_held(chip.delays, 80)
    script = bundle(job.lowered, job.edges, job.setup, {}, job.cores).script
    space: dict[str, Any] = {"__name__": "not run"}
    exec(compile(script, "run.py", "exec"), space)  # what a user would import
    with np.load(io.BytesIO(base64.b64decode(space["DATA"]))) as words:
        assert json.loads(words["words"].tobytes())["cores"] == dict(job.cores)
