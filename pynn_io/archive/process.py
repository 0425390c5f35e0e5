"""A child process with limits of time and memory, and nothing left of it afterwards: neither it nor its children."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn_io.optional import needed

POLL = 0.2
#: Seconds that processes have for ending by themselves.
GRACE = 3.0
#: Where nothing answers: what a model's code tries to fetch fails at once.
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: of wall clock. memory: bytes, resident in the process and its children together. None: none."""

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. stopped: why it was made to, empty where it was not. memory: the most, bytes."""

    status: int
    stopped: str
    seconds: float
    memory: int


def run_limited(command: list[str], folder: Path, log: Path, limits: Limits, stop: threading.Event) -> Ended:
    """Run a command in a folder, its output in a log, until it ends, exceeds a limit, or ``stop`` is set.

    Raises BackendUnavailable where psutil is missing.
    """
    psutil = needed("psutil", "limits of runs need", "archive")
    started, most, stopped = time.monotonic(), 0, ""
    with _started(command, folder, log, psutil) as child:
        while child.poll() is None:
            seconds = time.monotonic() - started
            memory = _memory(child, psutil)
            most = max(most, memory)
            if limits.seconds is not None and seconds > limits.seconds:
                stopped = "time"
            elif limits.memory is not None and memory > limits.memory:
                stopped = "memory"
            elif stop.is_set():
                stopped = "interrupt"
            if stopped:
                break
            stop.wait(POLL) if seconds > 1 else time.sleep(POLL / 10)
    return Ended(child.returncode, stopped, time.monotonic() - started, most)


def environment() -> dict[str, str]:
    """This process's, so that a child finds the same packages and programs, but no way out to a network.

    Most of what fetches honours these variables, and fails at once; where the system allows it, there is no network at
    all (`offline`).
    """
    programs = os.path.dirname(os.path.abspath(sys.executable))
    proxies = {name: _NOWHERE for base in ("http_proxy", "https_proxy", "all_proxy") for name in (base, base.upper())}
    return {
        **os.environ,
        **proxies,
        "PIP_NO_INDEX": "1",
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry),
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
    }


@contextmanager
def _started(command: list[str], folder: Path, log: Path, psutil: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child, psutil)


def _family(child: subprocess.Popen[bytes], psutil: Any) -> list[Any]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(child.pid)
        return [*process.children(recursive=True), process]
    return []


def _memory(child: subprocess.Popen[bytes], psutil: Any) -> int:
    total = 0
    for process in _family(child, psutil):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_info().rss
    return total


def _end(child: subprocess.Popen[bytes], psutil: Any) -> None:
    if child.poll() is not None:
        return
    family = _family(child, psutil)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(family, timeout=GRACE)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    child.wait()


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def as_mapping(ended: Ended) -> Mapping[str, Any]:
    """Plain values for a record."""
    return {"status": ended.status, "stopped": ended.stopped, "seconds": ended.seconds, "memory": ended.memory}
