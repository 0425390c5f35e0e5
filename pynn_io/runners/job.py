"""What goes to the child process that simulates, and what comes back: two pickles and a log in one work folder.

Only the process that made the folder reads them back, so that nothing foreign is ever unpickled.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle  # pickle takes neither read-only mappings nor the closures of lazily read columns

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.exchange import Exchange
from pynn_io.simulation_plan import SimulationPlan

JOB = "job.pickle"
LOG = "log.txt"
#: Lines of JSON while the run goes on: a report (an object) when it is lowered, then progress ``[what, done, total]``.
SAID = "said.jsonl"
#: Exit status of a worker that could not write its outcome (EX_IOERR of sysexits.h): a full disk, as a rule.
NO_OUTCOME = 74

#: What pickle raises for things that it cannot take.
UNPICKLABLE = (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError)

#: Where MPI launchers tell a process its rank: Open MPI, PMIx, MPICH and Intel MPI, MVAPICH.
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")


@dataclass(frozen=True, slots=True)
class Job:
    """One run. runner: ``module:class``. title, extra: of the backend, for messages.

    strict: refuse after lowering, and before running. exchange: of a part of a co-simulation.
    """

    network: Network
    plan: SimulationPlan
    runner: str
    profile: Profile
    title: str = ""
    extra: str = ""
    strict: bool = False
    allowed: frozenset[str] = frozenset()
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception, taken apart: not every class of ours can be pickled by its arguments alone."""

    kind: type[BaseException]
    arguments: tuple[Any, ...]
    state: Mapping[str, Any]

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        return cls(type(error), error.args, dict(error.__dict__))

    def error(self) -> BaseException:
        made = self.kind.__new__(self.kind, *self.arguments)
        made.args = self.arguments
        made.__dict__.update(self.state)
        return made


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one process of a run hands back.

    results: of the first rank, None for others and for failures. report: what lowering and building said. seconds, cpu:
    wall clock and processor time by step (``lower``, ``build``, ``run``, ``collect``). memory: peak, bytes.
    """

    results: Results | None
    report: Report
    failure: Failure | None = None
    seconds: Mapping[str, float] = field(default_factory=empty)
    cpu: Mapping[str, float] = field(default_factory=empty)
    memory: int = 0


def rank() -> int:
    """The rank that an MPI launcher gave this process, 0 without one. MPI itself is not started."""
    return next((int(os.environ[name]) for name in _RANKS if name in os.environ), 0)


def write_job(job: Job, folder: Path) -> None:
    """Raises OSError."""
    with (folder / JOB).open("wb") as file:
        cloudpickle.dump(job, file)


def read_job(folder: Path) -> Job:
    """The job of a child process, as its parent pickled it into the folder."""
    with (folder / JOB).open("rb") as file:
        return pickle.load(file)


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Complete or not at all. Raises OSError, and whatever pickle raises for results that it cannot take."""
    target = folder / f"outcome-{rank()}.pickle"
    staged = target.with_suffix(".part")
    with staged.open("wb") as file:
        cloudpickle.dump(outcome, file)
    staged.replace(target)


def read_outcomes(folder: Path) -> dict[int, Outcome]:
    """Those that are there, by rank."""
    found = {}
    for path in folder.glob("outcome-*.pickle"):
        with path.open("rb") as file:
            found[int(path.stem.partition("-")[2])] = pickle.load(file)
    return dict(sorted(found.items()))
