"""``pynn-run PLAN --backend A,B --compare``: one plan on several backends, and how their results compare."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from pynn_io.cli.common import UsageError, progress_bars, say, write_file
from pynn_io.cli.compare import STATUS
from pynn_io.cli.compare_tables import STYLES, in_numbers, verdict_words
from pynn_io.cli.losses import print_losses
from pynn_io.cli.report_file import allowed_codes
from pynn_io.cli.run_job import RunJob
from pynn_io.cli.tables import console_of_stdout, print_table, print_title
from pynn_io.document import name_of
from pynn_io.errors import LossError, PynnIOError
from pynn_io.progress import Progress
from pynn_io.registry import find_backend
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.compare import Comparison, Options, Tolerance, Verdict, compare
from pynn_io.show.canvas import import_matplotlib
from pynn_io.staging import refuse_existing

#: What stands beside the folders of the backends.
TABLE, PICTURE = "comparison.json", "comparison.png"
#: What of a run's provenance stands in the table.
_COSTS = ("simulator_version", "seconds", "cpu_seconds", "peak_memory")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one backend: results, or why there are none.

    found: against the first, None where there is nothing to compare. first: it is what the others are compared with.
    """

    backend: str
    results: Results | None
    error: PynnIOError | None = None
    found: Comparison | None = None
    first: bool = False

    @property
    def verdict(self) -> str:
        if self.found is not None:
            return str(self.found.verdict)
        return "reference" if self.first and self.results is not None else str(Verdict.NOT_COMPARABLE)


def names_of(text: str) -> list[str]:
    """``neuron,arbor`` as names. Raises UsageError for fewer than two or a repeated one, FormatError for unknown."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            f"--backend {text}: --compare wants two or more backends, each once",
            hint="For example --backend neuron,arbor --compare; the first is what the others are compared with.",
        )
    for name in names:
        find_backend(name)
    return names


def run_all(arguments: argparse.Namespace, timed: str) -> int:
    """Run the plan on each backend and compare. Gives the exit status: 0, 8 or 9, as ``pynn-compare`` does."""
    names = names_of(arguments.backend)
    dest: Path = arguments.output or Path(f"{name_of(arguments.plan)}-comparison")
    refuse_existing(dest, arguments.overwrite)
    import_matplotlib()
    dest.mkdir(parents=True, exist_ok=True)
    with progress_bars(not (arguments.quiet or arguments.verbose), timed=timed) as progress:
        outcomes = [_run(name, dest / name, arguments, progress) for name in names]
    outcomes = _compared(outcomes, arguments)
    facts = {"plan": str(arguments.plan), "reference": names[0], "backends": [_facts(one) for one in outcomes]}
    write_file(dest / TABLE, json.dumps(facts, indent=2) + "\n", "comparison")
    picture = arguments.plot or dest / PICTURE
    shown = [(one.backend, one.results) for one in outcomes if one.results is not None]
    if shown:
        from pynn_io.show.plot_overlay import draw_overlay

        draw_overlay(shown, picture, title=name_of(arguments.plan))
    if not arguments.quiet:
        _print(outcomes)
        say(f"drawn   {picture}" if shown else "nothing to draw: no backend gave results")
    print(dest)
    return max(STATUS[one.verdict] for one in outcomes if one.verdict != "reference")


def _run(name: str, dest: Path, arguments: argparse.Namespace, progress: Progress) -> Outcome:
    """One backend, as ``pynn-run --backend NAME`` runs it; what stops it does not stop the others."""
    row = find_backend(name)
    # What only one of the backends knows is meant for that one.
    foreign = {option: None for option in ("engine", "coreneuron") if option not in row.options}
    own = argparse.Namespace(**{**vars(arguments), **foreign, "backend": name, "output": dest, "plot": None})
    report = Report(allowed_codes(arguments.allow))
    if not arguments.quiet:
        say(f"--- {row.title}")
    try:
        job = RunJob.read(own, report, progress)
        results = job.simulate(progress)
        job.write(results)
        if not arguments.quiet:
            job.tell_rest()
        return Outcome(name, results)
    except PynnIOError as error:
        if isinstance(error, LossError) and not arguments.quiet:
            print_losses(error.report)
        say(f"pynn-run: {name}: {error}")
        return Outcome(name, None, error)


def _compared(outcomes: Sequence[Outcome], arguments: argparse.Namespace) -> list[Outcome]:
    first, *others = (replace(one, first=number == 0) for number, one in enumerate(outcomes))
    limit = 1.0 if arguments.tolerance is None else arguments.tolerance
    options = Options(tolerance=Tolerance(limit, voltage=arguments.trace_mv))
    found = [first]
    for one in others:
        if first.results is None or one.results is None:
            found.append(one)
        else:
            found.append(Outcome(one.backend, one.results, None, compare(first.results, one.results, options)))
    return found


def _facts(one: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"backend": one.backend, "verdict": one.verdict}
    if one.results is not None:
        facts = one.results.provenance
        found |= {
            key: facts.get(key)
            for key in ("simulator_version", "seconds", "cpu_seconds", "peak_memory")
            if key in facts
        }
        found["spikes"] = sum(len(each.times) for each in one.results.spikes.values())
    if one.error is not None:
        found |= {"error": str(one.error), "status": one.error.exit_status}
    if one.found is not None:
        found["comparison"] = one.found.as_dict()
    return found


def _print(outcomes: Sequence[Outcome]) -> None:
    console = console_of_stdout()
    print_title(console, f"compared with {outcomes[0].backend}")
    rows = []
    for one in outcomes:
        facts = one.results.provenance if one.results is not None else {}
        seconds = facts.get("seconds", {})
        spikes = sum(len(each.times) for each in one.results.spikes.values()) if one.results is not None else None
        rows.append(
            (
                one.backend,
                "-" if spikes is None else f"{spikes:,}",
                _seconds(seconds.get("lower", 0) + seconds.get("build", 0) if seconds else None),
                _seconds(seconds.get("run") if seconds else None),
                "reference" if one.verdict == "reference" else verdict_words(one.verdict),
            )
        )
    print_table(console, ("backend", ">spikes", ">built", ">ran", "verdict"), rows)
    for one in outcomes:
        if one.found is not None:
            text = f"{one.backend}: {verdict_words(one.verdict)}{in_numbers(one.found)}"
            console.print(Text(text, style=STYLES[one.verdict]), soft_wrap=True)
            for reason in one.found.reasons:
                console.print(f"  cannot be compared: {reason}", soft_wrap=True)
        elif one.error is not None:
            console.print(Text(f"{one.backend}: {one.error.message}", style=STYLES[one.verdict]), soft_wrap=True)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
