"""What ``pynn-run --compare`` says of the backends: a table, a line each, and the same as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from pynn_io.cli.common import size_text
from pynn_io.cli.compare import STATUS
from pynn_io.cli.compare_tables import STYLES, WORDS, comparison_words, divergence_text
from pynn_io.cli.losses import loss_counts
from pynn_io.cli.tables import console_of_stdout, print_table, print_title
from pynn_io.errors import PynnIOError
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.compare import Comparison, Verdict
from pynn_io.results.compare.values import plain

REFERENCE = "reference"
#: Why a backend gave no results, in a word, by the error's exit status; the message stands below the table.
STOPPED: Mapping[int, str] = {3: "refused", 5: "not written", 6: "not available", 7: "failed"}
#: What of a run's provenance goes into the JSON file.
COSTS = ("simulator", "simulator_version", "emulates", "approximation", "seconds", "cpu_seconds", "peak_memory")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one backend: results and where they are, or the error in their place.

    report: what the backend did not honour. found: against the first, None where there is nothing to compare. first:
    it is what the others are compared with.
    """

    backend: str
    report: Report
    results: Results | None = None
    dest: Path | None = None
    error: PynnIOError | None = None
    found: Comparison | None = None
    first: bool = False

    @property
    def verdict(self) -> str:
        """``reference``, or a `Verdict`: without results, or without the first one's, not comparable."""
        if self.found is not None:
            return str(self.found.verdict)
        return REFERENCE if self.first and self.results is not None else str(Verdict.NOT_COMPARABLE)

    @property
    def emulation(self) -> str:
        """What it is an approximation of, and what ran it; empty for a run of its own."""
        facts = {} if self.results is None else self.results.provenance
        return f"an approximation of {facts['emulates']}, run on {facts['simulator']}" if "emulates" in facts else ""


def shown(one: Outcome) -> str:
    """Its name in a picture, with what it is where that is no run of its own."""
    return f"{one.backend} (approximated)" if one.emulation else one.backend


def status_of(outcomes: Sequence[Outcome]) -> int:
    """0 where all match the first, 8 where one differs, 9 where one cannot be compared, whatever the others do."""
    return max(STATUS[one.verdict] for one in outcomes if one.verdict != REFERENCE)


def facts_of(one: Outcome) -> dict[str, Any]:
    """One backend as plain values."""
    facts: dict[str, Any] = {"backend": one.backend, "verdict": one.verdict, "report": one.report.as_dict()}
    if one.results is not None:
        provenance = one.results.provenance
        facts |= {"results": str(one.dest), "spikes": one.results.spike_count, "level": one.results.level}
        facts |= {name: plain(provenance[name]) for name in COSTS if name in provenance}
    if one.error is not None:
        facts |= {"error": str(one.error), "status": one.error.exit_status}
    if one.found is not None:
        facts["comparison"] = one.found.as_dict()
    return facts


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """The table on stdout, and below it the numbers, or the reasons."""
    console = console_of_stdout()
    reference = outcomes[0].backend
    print_title(console, f"Compared with {reference} (A)")
    header = ("backend", ">spikes", ">built", ">ran", ">memory", "verdict", "tier", "not honoured")
    print_table(console, header, [_row(one) for one in outcomes])
    console.print()
    for one in outcomes:
        _tell(console, one, reference)


def _row(one: Outcome) -> tuple[str, ...]:
    tier = one.found.tier if one.found is not None and one.found.tier else ""
    return one.backend, *_costs(one.results), _verdict_words(one), tier, loss_counts(one.report)


def _costs(results: Results | None) -> tuple[str, str, str, str]:
    """Spikes, seconds of building and of running, memory; a dash for what is not known."""
    if results is None:
        return "-", "-", "-", "-"
    seconds = results.provenance.get("seconds", {})
    built = f"{seconds.get('lower', 0) + seconds.get('build', 0):.2f} s"
    memory = results.provenance.get("peak_memory")
    return (
        f"{results.spike_count:,}",
        built if seconds else "-",
        f"{seconds['run']:.2f} s" if "run" in seconds else "-",
        "-" if memory is None else size_text(memory),
    )


def _verdict_words(one: Outcome) -> str:
    if one.verdict == REFERENCE:
        return REFERENCE
    if one.error is not None:
        return f"{WORDS[one.verdict]}: {STOPPED.get(one.error.exit_status, 'failed')}"
    return WORDS[one.verdict]


def _tell(console: Console, one: Outcome, reference: str) -> None:
    """The verdict with its numbers, where the two part first, and why they cannot be compared."""
    if one.emulation:
        console.print(Text(f"{one.backend}: {one.emulation}"), soft_wrap=True)
    if one.verdict == REFERENCE:
        return
    if one.found is not None:
        text = comparison_words(one.found)
    else:
        why = f"{reference} gave no results" if one.error is None else str(one.error).splitlines()[0]
        text = f"{WORDS[one.verdict]}: {why}"
    console.print(Text(f"{one.backend} (B): {text}", style=STYLES[one.verdict]), soft_wrap=True)
    if one.found is None:
        return
    if one.found.divergence is not None:
        console.print(Text(f"  first divergence: {divergence_text(one.found.divergence)}"), soft_wrap=True)
    for reason in one.found.reasons:
        console.print(Text(f"  cannot be compared: {reason}"), soft_wrap=True)
