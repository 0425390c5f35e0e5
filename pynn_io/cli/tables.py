"""The account of `pynn-show` as tables: as wide as the terminal, and plain text where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pynn_io.cli.common import counted, dialect_text, size_text
from pynn_io.cli.losses import print_losses
from pynn_io.show.definitions import DefinitionSummary
from pynn_io.show.parts import MorphologiesSummary, MorphologySummary, NodeSetSummary
from pynn_io.show.summary import ColumnSummary, PlanSummary, PopulationSummary, ProjectionSummary, Range, Summary

#: Rows of a table before it is cut short, with a note.
ROWS = 40
#: Files named with their size, the largest first; the rest is one line.
FILES_LISTED = 12
PLAIN_WIDTH = 140


class PlainConsole(Console):
    """rich ends the program with status 1 when the reader of its output has left; `common.run` knows better."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console_of_stdout() -> Console:
    """As wide as the terminal; plain text of a fixed width where stdout is none."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return PlainConsole(width=width, highlight=False, markup=False)


def print_account(account: dict[str, Any], *, contents: bool = True) -> None:
    """Everything that was found, on stdout; without ``contents`` only the verdicts and what could not be taken."""
    console = console_of_stdout()
    _head(console, account)
    if "summary" in account and contents:
        _contents(console, account)
    if "verdicts" in account:
        _verdicts(console, account)
    if len(account["report"]):
        print_title(console, "What pynn_io could not take as it stands")
        print_losses(account["report"], sys.stdout)


def _head(console: Console, account: dict[str, Any]) -> None:
    summary: Summary | None = account.get("summary")
    dialect = f", dialect {dialect_text(summary.dialect)}" if summary and summary.dialect else ""
    console.print(Text(f"{account['source']}: {account['format']}{dialect}", style="bold"))


def _contents(console: Console, account: dict[str, Any]) -> None:
    summary: Summary = account["summary"]
    _populations(console, summary.populations)
    _projections(console, summary.projections)
    _columns(console, summary.populations)
    _definitions(console, account["definitions"])
    if account["morphologies"] is not None:
        _morphologies(console, account["morphologies"])
    for morphology in account["morphology"]:
        _morphology(console, morphology)
    _node_sets(console, account["node_sets"])
    if summary.plan is not None:
        _plan(console, summary.plan)
    _files(console, account["files"])


def print_title(console: Console, text: str) -> None:
    """An empty line and a heading."""
    console.print()
    console.print(Text(text, style="bold cyan"))


def print_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table whose headers beginning with ``>`` are aligned right."""
    rows = list(rows)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in rows[:ROWS]:
        table.add_row(*(Text(str(cell)) for cell in row))
    if console.is_terminal:
        console.print(table)
    else:  # the padding of the last column is of no use in a file
        with console.capture() as plain:
            console.print(table)
        for line in plain.get().splitlines():
            console.out(line.rstrip())
    if len(rows) > ROWS:
        console.print(f"... and {len(rows) - ROWS} more")


def range_text(found: Range | None) -> str:
    """``0.1 .. 2.5 ms``, or one number where both ends agree."""
    if found is None:
        return "-"
    unit = f" {found.unit}" if found.unit not in ("", "1") else ""
    low, high = _number(found.low), _number(found.high)
    return f"{low}{unit}" if low == high else f"{low} .. {high}{unit}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _populations(console: Console, populations: Sequence[PopulationSummary]) -> None:
    if not populations:
        return
    print_title(console, f"Populations ({len(populations)}, {counted(sum(one.size for one in populations), 'cell')})")
    rows = []
    for one in populations:
        for number, kind in enumerate(one.types):
            first = number == 0
            name, size = (one.name, f"{one.size:,}") if first else ("", "")
            rows.append(
                (name, size, "-" if kind.id is None else kind.id, kind.label, kind.kind, kind.model, f"{kind.count:,}")
            )
        if not one.types:
            rows.append((one.name, f"{one.size:,}", "-", "no cell type", "", "", ""))
    print_table(console, ("population", ">cells", ">type id", "cell type", "kind", "model", ">of this type"), rows)


def _columns(console: Console, populations: Sequence[PopulationSummary]) -> None:
    """What is stated for every cell, or for all cells of a type."""
    for one in populations:
        if one.columns:
            print_title(console, f"Columns of {one.name}")
            header = ("column", "one value per", ">values", "from .. to, or which")
            print_table(console, header, (_column_row(column) for column in one.columns))


def _column_row(column: ColumnSummary) -> tuple[object, ...]:
    if column.range is not None:
        values = range_text(column.range)
    elif column.distinct == 0:
        values = "-"
    else:
        more = f", ... ({column.distinct} distinct)" if column.distinct > len(column.values) else ""
        values = ", ".join(column.values) + more
    return column.name, column.level, f"{column.stated:,}", values


def _projections(console: Console, projections: Sequence[ProjectionSummary]) -> None:
    if not projections:
        return
    print_title(console, f"Projections ({len(projections)}, {counted(sum(one.size for one in projections), 'edge')})")
    rows = []
    for one in projections:
        weights = "; ".join(range_text(found) for found in one.weights) or "-"
        kind = "" if one.kind == "chemical" else f" ({one.kind})"
        ends = f"{one.pre} -> {one.post}{kind}"
        degrees = range_text(one.in_degree), range_text(one.out_degree)
        rows.append((one.name, ends, f"{one.size:,}", weights, range_text(one.delay), *degrees))
    header = ("projection", "from -> to", ">edges", "weight", "delay", ">into a cell", ">out of a cell")
    print_table(console, header, rows)
    kinds = [
        (
            one.name if number == 0 else "",
            "-" if kind.id is None else kind.id,
            kind.model or "not stated",
            kind.receptor,
            kind.weight_unit,
            f"{kind.count:,}",
        )
        for one in projections
        for number, kind in enumerate(one.types)
    ]
    print_title(console, "Synapse types")
    print_table(console, ("projection", ">type id", "model", "receptor", "weight in", ">edges"), kinds)


def _definitions(console: Console, found: Sequence[DefinitionSummary]) -> None:
    if found:
        print_title(console, f"Definitions ({len(found)})")
        print_table(console, ("kind", "name", "what"), [(one.kind, one.name, one.what) for one in found])


def _morphologies(console: Console, found: MorphologiesSummary) -> None:
    print_title(console, "Morphologies")
    console.print(f"{found.total:,} known, {found.used:,} used by cells, {len(found.missing):,} missing")
    for name in found.missing[:ROWS]:
        console.print(f"  missing: {name}")


def _morphology(console: Console, found: MorphologySummary) -> None:
    sizes = [high - low for low, high in zip(found.low, found.high, strict=True)]
    print_title(console, f"Morphology {found.name}")
    console.print(f"{found.segments:,} segments, soma given as {found.soma_kind}")
    console.print("bounding box " + " x ".join(f"{size:.1f}" for size in sizes) + " um, from ", end="")
    console.print(f"({', '.join(f'{x:.1f}' for x in found.low)}) to ({', '.join(f'{x:.1f}' for x in found.high)})")
    rows = [
        (
            one.tag,
            one.name,
            f"{one.sections:,}",
            f"{one.segments:,}",
            f"{one.length:,.1f}",
            f"{one.area:,.1f}",
            range_text(one.diameter),
        )
        for one in found.tags
    ]
    header = (">tag", "structure", ">sections", ">segments", ">length (um)", ">area (um2)", "diameter")
    print_table(console, header, rows)


def _node_sets(console: Console, sets: Sequence[NodeSetSummary]) -> None:
    if not sets:
        return
    print_title(console, f"Node sets ({len(sets)})")
    rows = []
    for one in sets:
        sizes = ", ".join(f"{size:,} of {name}" for name, size in one.sizes.items()) or "no cells"
        rows.append((one.name, f"cannot be resolved: {one.problem}" if one.problem else sizes))
    print_table(console, ("node set", "cells"), rows)


def _plan(console: Console, plan: PlanSummary) -> None:
    print_title(console, "Simulation")
    facts = (
        ("duration", plan.duration, "ms"),
        ("timestep", plan.timestep, "ms"),
        ("spike threshold", plan.spike_threshold, "mV"),
        ("temperature", plan.celsius, "degC"),
        ("initial potential", plan.v_init, "mV"),
        ("simulator", plan.target_simulator, ""),
    )
    rows = [
        (name, f"{value if isinstance(value, str) else _number(value)} {unit}")
        for name, value, unit in facts
        if value is not None
    ]
    rows += [("input", text) for text in plan.stimuli] + [("recording", text) for text in plan.recordings]
    print_table(console, ("what", "value"), rows)


def _files(console: Console, files: Sequence[tuple[Any, int]]) -> None:
    if not files:
        return
    print_title(console, f"On disk ({counted(len(files), 'file')}, {size_text(sum(size for _, size in files))})")
    root = os.path.commonpath([path.parent for path, _ in files])
    rows = [(size_text(size), os.path.relpath(path, root)) for path, size in files[:FILES_LISTED]]
    if len(files) > FILES_LISTED:
        rest = size_text(sum(size for _, size in files[FILES_LISTED:]))
        rows.append((rest, f"in {counted(len(files) - FILES_LISTED, 'more file')}"))
    print_table(console, (">size", "file"), rows)


def _verdicts(console: Console, account: dict[str, Any]) -> None:
    print_title(console, "Validation")
    rules = account["rules"]
    ours = f"refuses: {counted(len(rules), 'problem')}" if rules else "ok"
    console.print(f"pynn_io: {ours}")
    for problem in rules[:ROWS]:
        console.print(f"  {problem}", soft_wrap=True)
    for verdict in account["verdicts"]:
        console.print(str(verdict), soft_wrap=True)
