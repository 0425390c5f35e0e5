"""``pynn-run PLAN --backend A,B --compare``: one plan on several backends, and how their results compare."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pynn_io.cli.common import UsageError, progress_bars, say, write_file
from pynn_io.cli.losses import print_losses
from pynn_io.cli.report_file import allowed_codes
from pynn_io.cli.run_compare_account import Outcome, facts_of, print_outcomes, shown, status_of
from pynn_io.cli.run_job import RunJob, refuse_destination
from pynn_io.document import name_of
from pynn_io.errors import LossError, NotExecuted, PynnIOError, WriteError
from pynn_io.progress import Progress
from pynn_io.registry import Backend, find_backend
from pynn_io.report import Report
from pynn_io.results.compare import Options, Tolerance, compare
from pynn_io.results.results import MAPPED
from pynn_io.results.table import find as find_format
from pynn_io.show.canvas import import_matplotlib

#: What stands beside the results of the backends.
TABLE, PICTURE = "comparison.json", "comparison.png"
#: What only some backends know, and is meant for those.
OWN_OPTIONS = ("engine", "coreneuron", "board", "spalloc")


def backends_of(arguments: argparse.Namespace) -> list[Backend]:
    """The backends named, the reference first.

    Raises UsageError for fewer than two, a repeated one, and an option that none of them has; FormatError for an
    unknown one.
    """
    names = [name.strip() for name in arguments.backend.split(",") if name.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            f"--backend {arguments.backend}: --compare wants two or more backends, each once",
            hint="For example --backend neuron,arbor --compare; the first is what the others are compared with.",
        )
    rows = [find_backend(name) for name in names]
    for option in OWN_OPTIONS:
        if getattr(arguments, option) and not any(option in row.options for row in rows):
            raise UsageError(f"--{option}: none of {', '.join(names)} has this option")
    return rows


def run_all(arguments: argparse.Namespace, timed: str) -> int:
    """Run the plan on each backend and compare. Gives the exit status: 0, 8 or 9, as ``pynn-compare`` does.

    Raises what keeps every backend from running: a plan that cannot be read, a place that cannot be written to.
    """
    rows = backends_of(arguments)
    dest: Path = arguments.output or Path(f"{name_of(arguments.plan)}-comparison")
    refuse_destination(dest, arguments.overwrite)
    import_matplotlib()
    with progress_bars(not (arguments.quiet or arguments.verbose), timed=timed) as progress:
        jobs = _jobs(rows, dest, arguments, progress)
        outcomes = [_run(job, row, progress) for job, row in zip(jobs, rows, strict=True)]
    outcomes = _compared(outcomes, arguments)
    _write(outcomes, dest, arguments)
    drawn = _draw(outcomes, arguments.plot or dest / PICTURE, arguments)
    if not arguments.quiet:
        print_outcomes(outcomes)
        say(f"drawn   {drawn}" if drawn else "nothing to draw: no backend gave results")
    print(dest)
    return status_of(outcomes)


def _jobs(rows: Sequence[Backend], dest: Path, arguments: argparse.Namespace, progress: Progress) -> list[RunJob]:
    """A job a backend, as ``pynn-run --backend NAME`` has. The plan is read once; what is wrong with it stops all."""
    own = [_own(row, dest, arguments) for row in rows]
    read = Report(allowed_codes(arguments.allow))
    first = RunJob.read(own[0], read, progress)
    jobs = []
    for row, one in zip(rows, own, strict=True):
        report, told = Report(read.allowed).include(read), Report(read.allowed)
        jobs.append(replace(first, arguments=one, backend=row.name, dest=one.output, report=report, told=told))
    return jobs


def _own(row: Backend, dest: Path, arguments: argparse.Namespace) -> argparse.Namespace:
    """The arguments of one backend: its own place, its own options alone, no picture."""
    kind = find_format(arguments.to)
    output = dest / f"{row.name}{kind.extension if kind.kind == 'file' else ''}"
    foreign = {option: None for option in OWN_OPTIONS if option not in row.options}
    return argparse.Namespace(**{**vars(arguments), **foreign, "backend": row.name, "output": output, "plot": None})


def _run(job: RunJob, row: Backend, progress: Progress) -> Outcome:
    """What stops one backend does not stop the others."""
    quiet = job.arguments.quiet
    if not quiet:
        say(f"--- {row.title}")
    try:
        results = job.simulate(progress)
        job.write(results)
        if results.level == MAPPED:
            hint = "--emulate runs the network that the chip stores on NEST"
            raise NotExecuted("mapped, not executed: there is nothing to compare", hint=hint)
    except PynnIOError as error:
        if isinstance(error, LossError) and not quiet:
            print_losses(error.report)
        say(f"pynn-run: {row.name}: {error}")
        if job.dest.exists():
            say(f"pynn-run: {row.name}: {job.dest} is of an earlier run")
        return Outcome(row.name, job.report, error=error)
    if not quiet:
        job.tell_rest()
    return Outcome(row.name, job.report, results, job.dest)


def _compared(outcomes: Sequence[Outcome], arguments: argparse.Namespace) -> list[Outcome]:
    """Each against the first, where both gave results."""
    given = {"absolute": arguments.tolerance, "voltage": arguments.trace_mv}
    options = Options(tolerance=Tolerance(**{name: value for name, value in given.items() if value is not None}))
    first, *others = outcomes
    found = [replace(first, first=True)]
    for one in others:
        if first.results is None or one.results is None:
            found.append(one)
        else:
            found.append(replace(one, found=compare(first.results, one.results, options)))
    return found


def _write(outcomes: Sequence[Outcome], dest: Path, arguments: argparse.Namespace) -> None:
    facts = {
        "plan": str(arguments.plan),
        "reference": outcomes[0].backend,
        "status": status_of(outcomes),
        "backends": [facts_of(one) for one in outcomes],
    }
    try:
        dest.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write here: {error.strerror or error}", where=dest) from error
    write_file(dest / TABLE, json.dumps(facts, indent=2) + "\n", "comparison")


def _draw(outcomes: Sequence[Outcome], picture: Path, arguments: argparse.Namespace) -> Path | None:
    """The picture, or None where no backend gave results."""
    drawn = [(shown(one), one.results) for one in outcomes if one.results is not None]
    if not drawn:
        return None
    from pynn_io.show.plot_overlay import draw_overlay

    draw_overlay(drawn, picture, title=name_of(arguments.plan))
    return picture
