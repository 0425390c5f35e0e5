"""PyNN scripts: run in a child process against a backend that records what they build, and simulates nothing.

A script is a program. It is executed because the user named it, as ``python SCRIPT`` would execute it, and with the
same rights; no other format leads here.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pynn_io.document import Document, name_of
from pynn_io.errors import BackendUnavailable, ReadError, UnsupportedInput
from pynn_io.importers.pynn_exchange import Job, Outcome, read_outcome, write_job
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

#: Seconds of wall clock that a script may take.
TIMEOUT = 600.0
#: Bytes that a script may always have: below, not even numerical libraries can be loaded.
_LEAST_MEMORY = 8 * 10**9
_STDERR = 2
_WORKER = "pynn_io.importers.pynn_capture.worker"


def read(
    source: Path,
    report: Report,
    *,
    progress: Progress = quiet,
    script_args: str | Sequence[str] = (),
    script_timeout: float = TIMEOUT,
    script_memory: float | None = None,
) -> Document:
    """The network and the plan of a PyNN script. EXECUTES the script, in a child process.

    source: the script, or a folder that holds no other. script_args: what it is called with, as a command line or word
    by word. script_timeout: seconds.
    script_memory: GB; by default what the machine has. What the script prints goes to stderr.

    Raises BackendUnavailable without PyNN, UnsupportedInput for calls that PyNN no longer has, with the present one,
    and ReadError with file and line for a script that fails, or takes longer or needs more than it may.
    """
    if find_spec("pyNN") is None:
        raise BackendUnavailable("PyNN scripts need the package 'PyNN'", hint="pip install 'pynn_io[pynn]'")
    source = _script(Path(source))
    words = shlex.split(script_args) if isinstance(script_args, str) else tuple(script_args)
    progress(f"running {source.name}", 0, 1)
    with tempfile.TemporaryDirectory(prefix="pynn_io-script-") as folder:
        outcome = _run(source, tuple(words), Path(folder), script_timeout, _limit(script_memory))
    report.include(Report.from_dict(outcome.report))
    if outcome.failure is not None:
        kind = UnsupportedInput if outcome.failure.unsupported else ReadError
        raise kind(outcome.failure.message, where=outcome.failure.where, hint=outcome.failure.hint)
    if outcome.document is None:
        raise ReadError("the process that ran the script handed nothing over", where=source)
    progress(f"running {source.name}", 1, 1)
    origin = {"format": "pynn", "source": str(source), "pynn": version("PyNN")}
    return replace(outcome.document, provenance={**outcome.document.provenance, **origin})


def _script(source: Path) -> Path:
    """The script itself, where a folder is named."""
    if not source.is_dir():
        return source
    scripts = sorted(source.glob("*.py"))
    if len(scripts) != 1:
        raise ReadError(f"{len(scripts)} scripts in this folder", where=source, hint="name the one that is to be read")
    return scripts[0]


def _limit(gigabytes: float | None) -> int:
    """Bytes of address space."""
    if gigabytes is not None:
        return int(gigabytes * 1e9)
    return max(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), _LEAST_MEMORY)


def _run(source: Path, words: tuple[str, ...], folder: Path, timeout: float, memory: int) -> Outcome:
    lifeline, held = os.pipe()
    write_job(Job(str(source), words, name_of(source), memory, lifeline), folder)
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", _WORKER, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=_STDERR,
        stderr=_STDERR,
        env=_environment(),
        pass_fds=(lifeline,),
        start_new_session=True,
    )
    try:
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        hint = "--script-timeout SECONDS gives it more time"
        raise ReadError(f"the script was stopped after {timeout:g} s", where=source, hint=hint) from None
    finally:
        _end(child)
        os.close(lifeline)
        os.close(held)
    outcome = read_outcome(folder)
    if outcome is None:
        raise ReadError(_ending(child.returncode), where=source)
    return outcome


def _environment() -> dict[str, str]:
    """The parent's: the same packages, and no windows of plots."""
    paths = [os.path.abspath(entry) for entry in sys.path if entry]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "Agg"}


def _end(child: subprocess.Popen[bytes]) -> None:
    """The script, and what it has started, are gone."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _ending(status: int) -> str:
    """How a process ended that left nothing."""
    if status < 0:
        return f"the script's process was ended by signal {signal.Signals(-status).name}"
    return f"the script ended its process with status {status}"
