"""What ``pynn-reproduce`` tells on a terminal: the entries of an archive, and the matrix."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from shlex import quote
from typing import Any

from pynn_io.archive.container import Container
from pynn_io.archive.matrix import Options, backends_of
from pynn_io.archive.report.html import measured
from pynn_io.archive.values import Cell, Entry, Expectation, Verdict
from pynn_io.cli.common import counted, printable, say
from pynn_io.report import Kind, Report

WIDTH = 110
#: Losses of a run that are told on the terminal.
_CHANGES = 4


def listing(container: Container, entries: Sequence[Entry], command: str) -> str:
    """Every entry with what is expected of it, or may be, for people. command: that uses what may be."""
    lines = [f"{container.source}: {container.kind}, {counted(len(container.files), 'file')}"]
    for entry in entries:
        lines += ["", entry.name, f"  {entry.kind}, found by {entry.found}"]
        if entry.problem is not None:
            lines += [f"  cannot run: {_line(str(entry.problem))}"]
            continue
        lines += [f"  runs on {', '.join(backends_of(entry, Options()))}"]
        lines += [f"  expects {_words(each)}" for each in entry.expectations] or ["  nothing was published of it"]
        for each in entry.candidates:
            lines += [f"  candidate {each.name} ({each.holds}): {each.why}"]
            lines += [f"    {command} {container.source} --entry {quote(entry.name)} --expect {quote(each.name)}"]
    return "\n".join(map(printable, lines)) + "\n"


def _line(text: str) -> str:
    """A text of several lines as one."""
    return " ".join(text.split())


def listing_json(container: Container, entries: Sequence[Entry], report: Report) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "source": str(container.source),
        "kind": container.kind,
        "files": [path.as_posix() for path in container.files],
        "entries": [
            {
                "name": entry.name,
                "kind": str(entry.kind),
                "found": entry.found,
                "problem": None if entry.problem is None else str(entry.problem),
                "backends": list(backends_of(entry, Options())),
                "candidates": [asdict(each) for each in entry.candidates],
                "expectations": [
                    {"name": each.name, "kind": each.kind, "part": each.part, "tests": [t.engine for t in each.tests]}
                    for each in entry.expectations
                ],
            }
            for entry in entries
        ],
        "notes": report.as_dict()["issues"],
    }


def _words(expectation: Expectation) -> str:
    tests = ", ".join(f"{test.engine} within {_loosest(test.observables)}" for test in expectation.tests)
    return f"{expectation.name}: {tests}" if tests else expectation.name


def _loosest(observables: Iterable[Any]) -> str:
    return f"{max((each.tolerance for each in observables), default=0.0):.2g}"


def print_notes(report: Report) -> None:
    """What the archive's own lists got wrong, and what in it could not be read."""
    for issue in report:
        examples = f" ({', '.join(map(printable, issue.examples))})" if issue.examples else ""
        say(f"note    {issue.where}: {issue.message}{examples}")


def print_cells(cells: Sequence[Cell]) -> None:
    """The matrix, a line a cell, and below it why where it is not reproduced."""
    names = max((len(cell.entry.name) for cell in cells), default=0)
    backends = max((len(cell.backend) for cell in cells), default=0)
    for cell in cells:
        name, kept = printable(cell.entry.name), " (kept)" if cell.reused else ""
        say(f"{name:<{names}}  {cell.backend:<{backends}}  {cell.verdict}{kept}")
        for line in _reasons(cell):
            say(textwrap.indent("\n".join(textwrap.wrap(line, WIDTH - 4)), "    "))
    counts = {verdict: sum(cell.verdict == verdict for cell in cells) for verdict in Verdict}
    say("Done: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) + ".")


def _changes(issues: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What of the model the run did not have: first of all reasons why it may differ."""
    changing = [each for each in issues if each["kind"] in (Kind.LOST, Kind.NOT_READ)]
    for each in changing[:_CHANGES]:
        yield f"{each['kind']} {each['where']}: {each['message']}"
    if len(changing) > _CHANGES:
        yield f"and {len(changing) - _CHANGES} more that were lost or not read: the report lists them"


def _reasons(cell: Cell) -> Iterable[str]:
    if cell.entry.candidates and not cell.checks:
        names = ", ".join(each.name for each in cell.entry.candidates)
        yield f"results that nothing says are of it: {names}; --expect uses one, --list says why none was used"
    error = cell.outcome.get("error")
    if error:
        yield str(error["text"])
    if cell.verdict not in (Verdict.REPRODUCED, Verdict.CANNOT_RUN, Verdict.TIMED_OUT):
        yield from _changes(cell.outcome.get("losses", {}).get("issues", ()))
    for check in cell.checks:
        if check.verdict != Verdict.REPRODUCED:
            yield f"{check.name}: {'; '.join(filter(None, (check.message, measured(check.numbers))))}"
