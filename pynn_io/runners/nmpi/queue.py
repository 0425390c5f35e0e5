"""A job from its submission to its files: asked for at growing intervals, for so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeVar

from pynn_io.errors import BadJobData, JobNotFinished, JobRejected, PynnIOError, ServiceLost, SimulationFailed
from pynn_io.progress import Progress
from pynn_io.runners.nmpi import script
from pynn_io.runners.nmpi.bundle import COMMAND

#: States of a job that come before its end, and its two ends.
WAITING = ("submitted", "validated", "running", "mapped")
FINISHED, FAILED = "finished", "error"
_LOG_LINES = 30
_T = TypeVar("_T")


class Client(Protocol):
    """What `QueueClient` does."""

    def submit(
        self, script: Path, platform: str, collab: str, command: str, config: Mapping[str, Any] | None
    ) -> str: ...

    def job(self, address: str, *, log: bool = False) -> dict[str, Any]: ...

    def download(self, url: str, path: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. limit: to wait in all. first, longest: between two questions, each time half as long again. lost: how
    often in a row the service may not answer."""

    limit: float = 24 * 3600.0
    first: float = 2.0
    longest: float = 60.0
    lost: int = 5
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def submit(client: Client, path: Path, platform: str, collab: str, config: Mapping[str, Any] | None) -> str:
    """The address of the new job. Raises JobRejected, ServiceLost."""
    try:
        return client.submit(path, platform, collab, COMMAND, config)
    except ServiceLost as error:
        hint = "whether the job was taken is not known: look at your jobs before you submit it again"
        raise ServiceLost(error.message, where=error.where, hint=hint) from error


def wait(client: Client, address: str, patience: Patience, progress: Progress) -> dict[str, Any]:
    """A job that has finished, as the service describes it.

    Raises SimulationFailed with the end of the job's log, JobNotFinished, JobRejected for a job that was removed, and
    ServiceLost; all but the first leave the job where it is.
    """
    started, interval = patience.clock(), patience.first
    while True:
        status = _asked(lambda: client.job(address), address, patience)["status"]
        if status in (FINISHED, FAILED):
            job = _asked(lambda: client.job(address, log=True), address, patience)
            if status == FAILED:
                raise _failed(address, job)
            return job
        if status not in WAITING:
            raise JobRejected(f"the job {address} is {status}", hint="it was taken out of the queue")
        elapsed = patience.clock() - started
        progress(f"job {address} {status}", elapsed, patience.limit)
        if elapsed + interval > patience.limit:
            raise JobNotFinished(f"the job {address} is {status} after {elapsed:.0f} s", hint=_later(address))
        patience.sleep(interval)
        interval = min(patience.longest, 1.5 * interval)


def _asked(question: Callable[[], _T], address: str, patience: Patience) -> _T:
    """The answer to a question that may be asked again: connections are lost, and come back."""
    interval = patience.first
    for _ in range(patience.lost - 1):
        try:
            return question()
        except ServiceLost:
            patience.sleep(interval)
            interval = min(patience.longest, 2 * interval)
    try:
        return question()
    except ServiceLost as error:
        raise ServiceLost(error.message, where=error.where, hint=_later(address)) from error


def _later(address: str) -> str:
    return f"what was submitted goes on there; fetch its results later with --job {address}"


def _failed(address: str, job: Mapping[str, Any]) -> PynnIOError:
    tail = "\n".join(str(job.get("log") or "it left no log").splitlines()[-_LOG_LINES:])
    return SimulationFailed(f"the job {address} failed", log=tail)


def fetch(client: Client, address: str, job: Mapping[str, Any], folder: Path, patience: Patience) -> tuple[Path, ...]:
    """The files of a job that results are made of, under their own names in ``folder``: what `script` writes.

    ``results.npz`` may be missing, as after a mapping. Raises BadJobData where there is no ``provenance.json``, or a
    file is not as long as stated; ServiceLost.
    """
    stated = job.get("output_data")
    items = stated.get("files") if isinstance(stated, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping) and isinstance(item.get("url"), str):
            # Only the name counts: where a file goes is not for the service to say.
            found.setdefault(PurePosixPath(str(item.get("path") or item["url"].split("?")[0])).name, item)
    if script.PROVENANCE not in found:
        names = ", ".join(sorted(found)) or "nothing"
        raise BadJobData(f"the job left no {script.PROVENANCE}", hint=f"it left: {names}")
    files = []
    for name in (script.PROVENANCE, script.RESULTS):
        if name in found:
            path = folder / name
            url = str(found[name]["url"])
            _asked(lambda url=url, path=path: client.download(url, path), address, patience)  # type: ignore[misc]
            _check_size(path, found[name].get("size"))
            files.append(path)
    return tuple(files)


def _check_size(path: Path, stated: Any) -> None:
    size = path.stat().st_size
    if isinstance(stated, int) and stated != size:
        raise BadJobData(f"{path.name} has {size} bytes, and {stated} were stated", hint="fetch it again with --job")
