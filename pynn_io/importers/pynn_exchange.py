"""What goes to the child process that runs a PyNN script, and what comes back: two pickles in a folder of their own.

Only the process that made the folder reads them back. The script could write there too; it runs with all rights of the
user who asked for it in any case.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle  # pickle takes no read-only mappings

from pynn_io.document import Document

_JOB, _OUTCOME = "job.pickle", "outcome.pickle"


@dataclass(frozen=True, slots=True)
class Job:
    """One script. name: of the network. memory: bytes, None without a limit. lifeline: file descriptor of a pipe."""

    script: str
    arguments: tuple[str, ...]
    name: str
    memory: int | None
    lifeline: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no document. unsupported: the script is one of a former PyNN."""

    message: str
    where: str
    hint: str
    unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the child leaves: a document or a failure, and its report as plain values."""

    document: Document | None
    report: dict[str, Any]
    failure: Failure | None


def write_job(job: Job, folder: Path) -> None:
    """Raises OSError."""
    (folder / _JOB).write_bytes(pickle.dumps(job))


def read_job(folder: Path) -> Job:
    """The job, as the parent wrote it."""
    return pickle.loads((folder / _JOB).read_bytes())


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Complete or not at all. Raises OSError."""
    staged = folder / f"{_OUTCOME}.part"
    with staged.open("wb") as file:
        cloudpickle.dump(outcome, file)
    staged.replace(folder / _OUTCOME)


def read_outcome(folder: Path) -> Outcome | None:
    """What the child left; None where it left nothing."""
    path = folder / _OUTCOME
    return pickle.loads(path.read_bytes()) if path.exists() else None
