"""Jobs of the EBRAINS queue, end to end against a small server on 127.0.0.1 that runs them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
from pynn_io.graph.network import Network
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.nmpi.server import TOKEN, Faults, Queue, serving
from tests.runners.nets import conductance_network, current_network

pytest.importorskip("nmpi")
pytest.importorskip("pyNN")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, in which nobody writes; the token in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("EBRAINS_TOKEN", TOKEN)
    monkeypatch.delenv("EBRAINS_JOB_SERVICE", raising=False)
    yield folder
    assert list(folder.iterdir()) == []


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
    again = simulate(network, plan, "nmpi:SpiNNaker", bundle=str(tmp_path / "again"))
    assert again.provenance["digest"] == stated["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("make", [current_network, conductance_network])
def test_a_job_gives_the_spikes_of_nest(make: Any) -> None:
    """The worker has pyNN.nest for ``{system}``; what it gives is what our own runner gives on NEST."""
    pytest.importorskip("nest")
    network, plan = short(make())
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
    plan = replace(plan, timestep=1.0)
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


def refused(error: type[RunError], text: str, faults: Faults, system: str = "", **options: Any) -> RunError:
    with serving(system, faults) as queue, pytest.raises(error, match=text) as caught:
        submitted(queue, *tiny(), **options)
    assert type(caught.value) is error
    assert caught.value.exit_status == 7
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_job_that_is_refused(status: int) -> None:
    error = refused(JobRejected, f"refused: {status} .*no quota for this platform", Faults(refuse=status))
    assert ("EBRAINS_TOKEN" in error.hint) == (status in (401, 403))


def test_a_token_that_is_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBRAINS_TOKEN", "another")
    error = refused(JobRejected, "refused: 403 .*invalid token", Faults())
    assert "another" not in str(error)


def test_a_service_that_fails(tmp_path: Path) -> None:
    error = refused(ServiceLost, "the service fails: 503", Faults(refuse=503))
    assert "look at your jobs before you submit it again" in error.hint


def test_nobody_there() -> None:
    with serving() as queue:
        pass
    with pytest.raises(ServiceLost, match="no answer that can be used"):
        submitted(queue, *tiny())


def test_a_submission_that_breaks_off_is_not_repeated() -> None:
    with serving(faults=Faults(drop=frozenset({1}))) as queue, pytest.raises(ServiceLost, match="no answer"):
        submitted(queue, *tiny())
    assert [method for method, *_ in queue.requests] == ["POST"]


def test_a_connection_that_is_lost_while_waiting() -> None:
    error = refused(ServiceLost, "no answer that can be used", Faults(drop=frozenset(range(2, 99))))
    assert "--job /jobs/1" in error.hint


def test_a_connection_that_comes_back_is_waited_for() -> None:
    faults = Faults(status="error", drop=frozenset({2, 3, 5}))
    refused(SimulationFailed, "the job /jobs/1 failed", faults)


def test_an_answer_that_is_none() -> None:
    refused(ServiceLost, "no answer that can be used", Faults(junk=True))


def test_the_time_to_wait_is_limited() -> None:
    error = refused(JobNotFinished, "the job /jobs/1 is submitted after", Faults(), queue_timeout=0.5)
    assert "--job /jobs/1" in error.hint


def test_a_job_that_is_removed() -> None:
    refused(JobRejected, "the job /jobs/1 is removed", Faults(status="removed"))


def test_a_job_that_fails_tells_its_log() -> None:
    """There is no such backend where it runs."""
    error = refused(SimulationFailed, "the job /jobs/1 failed", Faults(), system="no_such_backend")
    assert isinstance(error, SimulationFailed)
    assert "No module named 'pyNN.no_such_backend'" in error.log


def test_an_unknown_job() -> None:
    with serving() as queue, pytest.raises(JobRejected, match="refused: 404"):
        submitted(queue, *tiny(), submit=False, job="/jobs/7")


# --- what a job leaves behind -------------------------------------------------------------------------------------


class Ended(Queue):
    """A queue whose job has ended already, with given files."""


def finished(folder: Path, files: dict[str, bytes], sizes: dict[str, int] | None = None) -> Iterator[Queue]:
    with serving(faults=Faults(sizes=sizes or {})) as queue:
        place = queue.folder / "1"
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        job = queue.accept({"code": "", "command": ""})
        items = [queue._item(path) for path in sorted(place.iterdir())]
        job |= {"status": "finished", "output_data": {"repository": "here", "files": items}}
        yield queue


def digest_of(folder: Path) -> str:
    network, plan = tiny()
    return str(simulate(network, plan, "nmpi:SpiNNaker", bundle=str(folder / "job")).provenance["digest"])


def provenance(digest: str, **changes: Any) -> bytes:
    stated = {"digest": digest, "level": "executes", "system": "x", "spikes": [], "signals": [], **changes}
    return json.dumps(stated).encode()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda digest: {}, "left no provenance.json"),
        (lambda digest: {"provenance.json": b"{"}, "not readable"),
        (lambda digest: {"provenance.json": b"[]"}, "no JSON object"),
        (lambda digest: {"provenance.json": provenance("0" * 64)}, "results of another job"),
        (lambda digest: {"provenance.json": provenance(digest, level="dreams")}, "the level of the job is 'dreams'"),
        (lambda digest: {"provenance.json": provenance(digest)}, "executed, and left no results"),
        (lambda digest: {"provenance.json": provenance(digest), "results.npz": b"PK\x03\x04"}, "not readable"),
        (lambda digest: {"provenance.json": provenance(digest), "results.npz": archive()}, "recorded nothing of exc"),
        (
            lambda digest: {
                "provenance.json": provenance(digest, spikes=["exc.IF_curr_exp", "inh.IF_curr_exp"]),
                "results.npz": archive(places_0=np.array([99999]), times_0=np.array([1.0])),
            },
            "of cells that it has not",
        ),
        (
            lambda digest: {
                "provenance.json": provenance(digest, spikes=["exc.IF_curr_exp", "inh.IF_curr_exp"]),
                "results.npz": archive(places_0=np.array(["a"]), times_0=np.array([1.0])),
            },
            "no usable 'places_0'",
        ),
    ],
)
def test_bad_files_of_a_job(make: Any, text: str, tmp_path: Path) -> None:
    files = make(digest_of(tmp_path))
    for queue in finished(tmp_path, files):
        with pytest.raises(BadJobData, match=text) as caught:
            submitted(queue, *tiny(), submit=False, job="/jobs/1")
        assert caught.value.exit_status == 7


def archive(**arrays: np.ndarray) -> bytes:
    import io

    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    files = {"provenance.json": provenance(digest_of(tmp_path))}
    for queue in finished(tmp_path, files, {"provenance.json": 9999}):
        with pytest.raises(BadJobData, match="bytes, and 9999 were stated"):
            submitted(queue, *tiny(), submit=False, job="/jobs/1")


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
        simulate(*tiny(), "nmpi:SpiNNaker", submit=True, collab="c", job_service=url)


def test_the_token_goes_to_the_job_service_alone(tmp_path: Path) -> None:
    """A file of a job on another host is fetched without it, a file of the service's own host with it."""
    from pynn_io.runners.nmpi.client import QueueClient

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
    assert not os.path.exists(tmp_path / "job")
