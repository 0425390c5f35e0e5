"""``pynn-run PLAN --backend CHIP --check``: what a chip cannot hold, by its profile alone; nothing is run or mapped."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from pynn_io.cli.common import UsageError, counted, progress_bars, say, size_text, write_file
from pynn_io.cli.losses import print_losses
from pynn_io.cli.reader_options import reader_options
from pynn_io.cli.report_file import allowed_codes
from pynn_io.cli.tables import console_of_stdout, print_table, print_title
from pynn_io.errors import LossError, PlanError
from pynn_io.graph.validate import validate
from pynn_io.lowering.hardware import Check, Finding, check_hardware
from pynn_io.pipeline import read
from pynn_io.registry import find_backend
from pynn_io.report import Report
from pynn_io.vocabulary import chips

#: Levels of findings as a reader meets them.
_WORDS = {"no": "no", "approximate": "nearly", "note": "note"}


def run_check(arguments: argparse.Namespace) -> int:
    """Print the findings as a table; 0 if the chip can hold the network, 3 if not. ``--report`` has them as JSON.

    Raises UsageError for a backend without a profile, and what is wrong with the plan.
    """
    _refuse_results(arguments)
    if arguments.backend == "auto":
        raise UsageError("--check asks one chip", hint=f"name it: --backend {', '.join(chips.NAMES)}")
    row = find_backend(arguments.backend)
    if row.name not in chips.NAMES:
        hint = f"it is for chips: {', '.join(chips.NAMES)}; --strict asks any backend before it runs"
        raise UsageError(f"--check: {row.title} has no capability profile", hint=hint)
    report = Report(allowed_codes(arguments.allow))
    with progress_bars(not arguments.quiet) as progress:
        options = reader_options(arguments, arguments.plan, arguments.source_format)
        document = read(arguments.plan, format=arguments.source_format, report=report, progress=progress, **options)
        if document.plan is None:
            hint = "give the simulation config that uses it"
            raise PlanError("this is a network, and says nothing of a simulation", where=arguments.plan, hint=hint)
        stated = {name: getattr(arguments, name) for name in ("duration", "timestep", "seed", "spike_times")}
        plan = replace(document.plan, **{name: value for name, value in stated.items() if value is not None})
        validate(document.network, progress=progress)
        check = check_hardware(document.network, plan, row.name)
    if not arguments.quiet:
        print_losses(report)  # what is asked of is what was read
    check.add_to(report)
    if arguments.report is not None:
        write_file(
            arguments.report, json.dumps({**report.as_dict(), "check": check.as_dict()}, indent=2) + "\n", "report"
        )
    if not arguments.quiet:
        print_check(check)
    refused = check.refusals(strict=arguments.strict, allowed=report.allowed)
    if refused:
        raise LossError(_refusal(check, refused), report, hint=_hint(refused))
    say(f"Done: {check.chip.title} can hold it.")
    return 0


def _refuse_results(arguments: argparse.Namespace) -> None:
    asked = {"-o": arguments.output, "--plot": arguments.plot, "--compare": arguments.compare or None}
    for option, value in asked.items():
        if value is not None:
            hint = "--report FILE has the findings"
            raise UsageError(f"{option} is for results, and --check runs nothing", hint=hint)


def print_check(check: Check) -> None:
    """Sizes, then findings, on stdout."""
    console = console_of_stdout()
    needs = check.needs
    console.print(f"{check.chip.title} (profile: {check.chip.source})", soft_wrap=True)
    parts = [counted(needs.cores, "core"), counted(needs.chips, "chip"), counted(needs.boards, "board")]
    parts += [f"{size_text(needs.sdram)} of synapses"] if needs.sdram else []
    what = f"{counted(needs.neurons, 'neuron')} and {counted(needs.synapses, 'connection')}"
    console.print(f"{what} need about {', '.join(parts)}", soft_wrap=True)
    if not check.findings:
        return
    print_title(console, f"What it cannot hold, or holds otherwise ({len(check.findings)})")
    rows = [(_WORDS[one.level], one.code, one.where, _count(one), _text(one)) for one in check.findings]
    print_table(console, ("fits", "code", "where", ">of", "what, and what helps"), rows)


def _count(one: Finding) -> str:
    return f"{one.count:,} of {one.total:,}" if one.total > 1 else ""


def _text(one: Finding) -> str:
    return f"{one.message}. What helps: {one.remedy}." if one.remedy else f"{one.message}."


def _refusal(check: Check, refused: tuple[Finding, ...]) -> str:
    codes = ", ".join(dict.fromkeys(one.code for one in refused))
    return f"{check.chip.title} cannot hold it: {codes}"


def _hint(refused: tuple[Finding, ...]) -> str:
    remedies = list(dict.fromkeys(one.remedy for one in refused if one.remedy))
    helps = f"what helps: {'; '.join(remedies)}" if remedies else "nothing is known that helps"
    codes = ",".join(dict.fromkeys(one.code for one in refused))
    return f"{helps}\n  To pass over these: --allow {codes}"
