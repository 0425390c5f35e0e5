"""The child process of a run: ``python -m pynn_io.runners.worker FOLDER``, by itself or once for every MPI rank.

Simulators have global state, crash, and print what they like: all of that stays here. `pynn_io.runners.launch` is the
other side.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from pynn_io.errors import BackendUnavailable, LossError, PynnIOError, RunError, SimulationFailed
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Runner, join, leave
from pynn_io.runners.job import NO_OUTCOME, SAID, UNPICKLABLE, Failure, Job, Outcome, rank, read_job, write_outcome

#: Seconds between two lines of progress.
INTERVAL = 0.1
_T = TypeVar("_T")


class Steps:
    """The steps of a run, timed. ``now`` is the one at work, for messages."""

    def __init__(self) -> None:
        self.now = "starting"
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def take(self, name: str, step: Callable[..., _T], *arguments: Any) -> _T:
        self.now = name
        wall, cpu = time.perf_counter(), cpu_time()
        try:
            return step(*arguments)
        finally:
            self.seconds[name] = time.perf_counter() - wall
            self.cpu[name] = cpu_time() - cpu


def main() -> int:
    """Run the job in the folder of the command line. The outcome, good or bad, is a file there."""
    folder = Path(sys.argv[1])
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    job, steps = read_job(folder), Steps()
    report = Report(job.allowed)
    try:
        results = _simulate(job, folder, report, steps)
        failure = None
    except Exception as error:  # noqa: BLE001 - whatever a simulator raises goes to the parent as a value
        if not isinstance(error, PynnIOError):
            traceback.print_exc()
        results, failure = None, Failure.of(_typed(error, job, steps.now))
    outcome = Outcome(results, report, failure, steps.seconds, steps.cpu, peak_memory())
    status = _hand_over(outcome, folder)
    sys.stdout.flush()
    sys.stderr.flush()
    if status == 0 and job.profile.processes > 1:
        leave(load_runner(job.runner))
    # Simulators crash in their destructors, and an MPI rank that returns early hangs: nothing is left to be done here.
    os._exit(status)


def _simulate(job: Job, folder: Path, report: Report, steps: Steps) -> Results | None:
    runner = load_runner(job.runner)
    if job.profile.processes > 1:
        _check_ranks(job, *steps.take("start", join, runner))
    # Every rank lowers the same; what building says is of the cells of one rank, and adds up.
    lowering = report if rank() == 0 else Report(job.allowed)
    lowered = steps.take("lower", runner.lower, job.network, job.plan, lowering)
    _refuse(job, lowering)
    with _said(folder) as say:
        say(lowering.as_dict())
        progress = _progress(say)
        model = steps.take("build", runner.build, lowered, job.profile, report, progress)
        _refuse(job, report)
        steps.take("run", runner.run, model, progress)
    results = steps.take("collect", runner.collect, model, lowered)
    return results if rank() == 0 else None


def _refuse(job: Job, report: Report) -> None:
    """Strict mode: raise LossError for what was found so far. Some losses show only in the simulator's own cells."""
    if job.strict and report.refusals():
        raise LossError("the backend cannot do all of it", report)


def load_runner(dotted: str) -> Runner:
    """A new runner from ``module:class``, or from ``module:class[ARGUMENT]`` with that argument."""
    module, _, name = dotted.partition(":")
    name, bracket, argument = name.partition("[")
    return getattr(import_module(module), name)(*[argument.removesuffix("]")] * bool(bracket))


def _check_ranks(job: Job, number: int, size: int) -> None:
    """MPI that did not start leaves N processes that each simulate everything, and think that they are the first."""
    if size != job.profile.processes:
        raise BackendUnavailable(
            f"MPI did not start: process {number} of {job.profile.processes} sees {size} process{'es' * (size > 1)}",
            hint="the MPI library that the simulator found does not belong to the mpirun that started it",
        )


def _typed(error: Exception, job: Job, step: str) -> PynnIOError:
    """Errors of ours as they are; a missing package and everything else in our terms."""
    if isinstance(error, PynnIOError):
        return error
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] != "pynn_io":
        hint = f"pip install 'pynn_io[{job.extra}]'" if job.extra else f"install {error.name}"
        return BackendUnavailable(f"{job.title} needs the package {error.name!r}", hint=hint)
    if isinstance(error, MemoryError):
        return SimulationFailed(f"out of memory in step {step!r}")
    said = str(error).strip() or "no message"
    return SimulationFailed(f"{job.title} failed in step {step!r}: {type(error).__name__}: {said}")


def _hand_over(outcome: Outcome, folder: Path) -> int:
    """Write the outcome. The exit status: 0 for results, 1 for a failure, `NO_OUTCOME` where it cannot be written."""
    try:
        try:
            write_outcome(outcome, folder)
        except UNPICKLABLE as error:
            traceback.print_exc()
            failure = Failure.of(RunError(f"what the run gave cannot be handed over: {error}"))
            outcome = Outcome(None, outcome.report, failure)
            write_outcome(outcome, folder)
    except OSError:
        traceback.print_exc()
        return NO_OUTCOME
    return 0 if outcome.failure is None else 1


@contextmanager
def _said(folder: Path) -> Iterator[Callable[[Any], None]]:
    """What the parent hears while the run goes on: lines of JSON from the first rank. A full disk only silences it."""
    if rank():
        yield lambda value: None
        return
    with (folder / SAID).open("a", encoding="utf-8", buffering=1) as file:

        def say(value: Any) -> None:
            with suppress(OSError):
                file.write(json.dumps(value) + "\n")

        yield say


def _progress(say: Callable[[Any], None]) -> Progress:
    """Progress as ``[what, done, total]``, now and then, and always at the end."""
    last: dict[str, float] = {}

    def show(what: str, done: float, total: float) -> None:
        now = time.monotonic()
        if done >= total or now - last.get(what, 0.0) >= INTERVAL:
            last[what] = now
            say([what, float(done), float(total)])

    return show


def cpu_time() -> float:
    """Seconds of CPU time of this process and of those that it started and that have ended: compilers, Java."""
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_memory() -> int:
    """Most memory that this process held, bytes.

    ``ru_maxrss`` would count the parent's: Linux hands it on to a child that is started with vfork.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _end_with_the_parent() -> None:
    """Standard input is a pipe that the parent never writes to: it ends when the parent does, even if it was killed."""
    if rank() == 0 and not os.read(0, 1):
        os._exit(1)


if __name__ == "__main__":
    main()
