"""Starts the child process of a run, follows it, and ends it for certain: the parent's side of `runners.worker`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pynn_io.errors import RunError, SimulationFailed
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.runners import mpi
from pynn_io.runners.base import Profile
from pynn_io.runners.job import LOG, NO_OUTCOME, SAID, UNPICKLABLE, Job, Outcome, read_outcomes, write_job

#: Takes what the simulator prints, as it comes.
LogSink: TypeAlias = Callable[[str], None]

POLL = 0.05
#: Seconds that a process has for ending by itself after SIGTERM.
GRACE = 3.0
TAIL_LINES, TAIL_BYTES = 30, 20_000
FULL_DISK = "is the disk full? The environment variable TMPDIR says where work folders are made."


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to hear of a run while it goes on. log: what the simulator prints. lowered: what it cannot honour."""

    progress: Progress = quiet
    log: LogSink | None = None
    lowered: Callable[[Report], None] | None = None

    def hear(self, line: bytes) -> None:
        said = json.loads(line)
        if isinstance(said, list):
            self.progress(*said)
        elif self.lowered is not None:
            self.lowered(Report.from_dict(said))


def run_job(job: Job, folder: Path, listener: Listener, *, timeout: float | None = None) -> dict[int, Outcome]:
    """Run a job in a child process; gives what every rank handed back, all of them with results.

    folder: exists, and holds the job, the log and the outcome afterwards. timeout: seconds.

    Raises the typed error that a rank ended with, SimulationFailed for a crash, a timeout, and a rank without an
    outcome, with the log's tail and the folder.
    """
    with started(job, folder) as child:
        _follow(child, folder, listener, timeout)
        status = child.returncode
    return outcomes(folder, job.profile.processes, status)


@contextmanager
def work_folder(profile: Profile) -> Iterator[Path]:
    """The profile's own, or a new one that is gone afterwards, unless an error names it."""
    if profile.work is not None:
        yield profile.work.absolute()
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix="pynn_io-run-"))
    except OSError as error:
        raise RunError(f"there is no place for the run's own files: {error}", hint=FULL_DISK) from error
    try:
        yield folder
    except BaseException as error:
        if not getattr(error, "folder", ""):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(job: Job, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The child process of a job, which is ended at the latest when this is left."""
    try:
        write_job(job, folder)
    except OSError as error:
        raise RunError(f"the run cannot be prepared: {error}", where=folder, hint=FULL_DISK) from error
    except UNPICKLABLE as error:
        raise RunError(f"network and plan cannot be handed to the process that runs them: {error}") from error
    processes = job.profile.processes
    command, environment = [sys.executable, "-P", "-m", "pynn_io.runners.worker", str(folder)], _environment()
    if processes > 1:
        command, environment = mpi.under_mpirun(command, processes, environment)
    inherited = () if job.exchange is None else (job.exchange.descriptor,)
    with _child(command, environment, folder, inherited) as child:
        yield child


def _environment() -> dict[str, str]:
    """The parent's, so that the child finds the same packages and the programs (nrnivmodl) beside the interpreter."""
    paths = [os.path.abspath(entry) for entry in sys.path if entry]
    programs = os.path.dirname(os.path.abspath(sys.executable))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
    }


@contextmanager
def _child(
    command: list[str], environment: Mapping[str, str], folder: Path, inherited: Sequence[int]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, so that Ctrl-C reaches the parent alone, which ends the whole group.

    It runs in the work folder: NEURON loads compiled mechanisms that it finds in the current one.
    """
    with (folder / LOG).open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            pass_fds=inherited,
        )
    try:
        yield child
    finally:
        _end(child)
        if child.stdin is not None:
            child.stdin.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the group, SIGKILL to what is left of it."""
    if child.poll() is not None:
        return
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        try:
            os.killpg(child.pid, number)
            child.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


def _follow(child: subprocess.Popen[bytes], folder: Path, listener: Listener, timeout: float | None) -> None:
    """Until the child has ended, forward what it says. Raises SimulationFailed after ``timeout`` seconds."""
    voice, begin = Voice(folder), time.monotonic()
    while True:
        ended = _ended(child)
        voice.forward(listener)
        if ended:
            return
        if timeout is not None and time.monotonic() - begin > timeout:
            raise SimulationFailed(f"stopped after {timeout:g} s", log=tail(folder), folder=folder)


def _ended(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(POLL)
    except subprocess.TimeoutExpired:
        return False
    return True


def outcomes(folder: Path, processes: int, status: int) -> dict[int, Outcome]:
    """What every rank of a run that has ended with ``status`` handed back. Raises as `run_job` does."""
    found = read_outcomes(folder)
    for outcome in found.values():
        if outcome.failure is not None:
            error = outcome.failure.error()
            if isinstance(error, SimulationFailed):
                error.log, error.folder = error.log or tail(folder), error.folder or str(folder)
            raise error
    if len(found) == processes:
        return found
    if status == NO_OUTCOME:
        message, hint = "the results cannot be written to the work folder", FULL_DISK
    else:
        message, hint = _ending(status)
    raise SimulationFailed(message, log=tail(folder), folder=folder, hint=hint)


def _ending(status: int) -> tuple[str, str]:
    """How a process ended that left no outcome, and what that may mean."""
    number = -status if status < 0 else status - 128  # as a shell, or mpirun, passes a signal on
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"the simulator ended without a result (exit status {status})", ""
    hint = "the system kills a process like this when memory runs out" if name == "SIGKILL" else ""
    return f"the simulator was ended by signal {name}", hint


def tail(folder: Path) -> str:
    """The last lines of the log."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-TAIL_LINES:])
    except OSError:
        return ""


class Voice:
    """What a child says in its work folder while it runs."""

    def __init__(self, folder: Path) -> None:
        self._lines, self._text = _Growing(folder / SAID), _Growing(folder / LOG)

    def forward(self, listener: Listener) -> None:
        """Hand on what has come since the last call."""
        for line in self._lines.lines():
            listener.hear(line)
        if listener.log is not None and (said := self._text.read()):
            listener.log(said.decode(errors="replace"))


class _Growing:
    """A file that another process appends to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def read(self) -> bytes:
        """What has come since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                found = file.read()
        except OSError:
            return b""
        self._offset += len(found)
        return found

    def lines(self) -> list[bytes]:
        """The lines that have been completed since the last call."""
        *whole, self._rest = (self._rest + self.read()).split(b"\n")
        return whole
