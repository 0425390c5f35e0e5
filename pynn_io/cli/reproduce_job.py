"""One call of ``pynn-reproduce`` that runs something: the matrix, the report, the account."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pynn_io.archive.container import Container
from pynn_io.archive.features import check_features, parse_feature
from pynn_io.archive.matrix import AUTO, Options, run_matrix, split_backend
from pynn_io.archive.pack import pack
from pynn_io.archive.process import Limits
from pynn_io.archive.report.html import write_html
from pynn_io.archive.report.junit import write_junit
from pynn_io.archive.report.record import record_of, write_record
from pynn_io.archive.values import Cell, Entry, exit_status
from pynn_io.cli.common import counted, say, size_text
from pynn_io.cli.reproduce_account import print_cells, print_notes
from pynn_io.document import name_of
from pynn_io.errors import WriteError
from pynn_io.progress import Progress
from pynn_io.registry import find_backend
from pynn_io.report import Report

PAGE, RECORD, JUNIT = "report.html", "report.json", "junit.xml"
_MB = 2**20


def reproduce(
    arguments: argparse.Namespace,
    container: Container,
    entries: Sequence[Entry],
    report: Report,
    command: Sequence[str],
    progress: Progress,
) -> int:
    """Run the matrix and write the report. Gives the exit status: 0, 8 or 9. Raises WriteError."""
    started = datetime.now(UTC)
    folder, options = arguments.output or Path(f"{name_of(arguments.archive)}-reproduced"), _options(arguments)
    for name in {*options.backends} - {AUTO}:  # before there is a folder
        find_backend(split_backend(name)[0])
    _make(folder)
    cells = _sorted(run_matrix(container, entries, options, folder, progress), entries)
    record = record_of(container, cells, report, command, started)
    _write(folder, record, cells)
    if not arguments.quiet:
        print_notes(report)
        print_cells(cells)
        say(f"wrote   {folder / PAGE}")
    print(folder)
    return exit_status([cell.verdict for cell in cells])


def _write(folder: Path, record: Mapping[str, Any], cells: Sequence[Cell]) -> None:
    """The three forms of the report, each whole or not at all: another call may write to the folder as well."""
    try:
        with TemporaryDirectory(prefix=".report-", dir=folder) as name:
            stage = Path(name)
            write_record(record, stage / RECORD)
            write_junit(record, stage / JUNIT)
            write_html(record, cells, stage / PAGE)
            for file in (RECORD, JUNIT, PAGE):
                (stage / file).replace(folder / file)
    except OSError as error:
        raise WriteError(f"the report cannot be written: {error}", where=folder) from error


def pack_one(arguments: argparse.Namespace, report: Report, progress: Progress) -> int:
    """Run and pack a simulation. Gives 0; raises what `pack` raises."""
    options = _options(arguments)
    made = pack(arguments.pack, arguments.output, report, options, overwrite=arguments.overwrite, progress=progress)
    if not arguments.quiet:
        print_notes(report)
        size = size_text(made.dest.stat().st_size)
        say(f"packed  {counted(len(made.files), 'file')}, with the results of {made.backend}, {size}")
    print(made.dest)
    return 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write here: {error}", where=folder) from error


def _options(arguments: argparse.Namespace) -> Options:
    features = tuple(parse_feature(text) for text in arguments.feature)
    check_features(features)
    memory = None if arguments.memory is None else int(arguments.memory * _MB)
    return Options(
        backends=tuple(dict.fromkeys(name.strip() for name in arguments.backend.split(",") if name.strip())),
        jobs=arguments.jobs,
        limits=Limits(arguments.timeout, memory),
        seeds=arguments.seeds,
        tolerance=arguments.tolerance,
        seed=arguments.seed,
        duration=arguments.duration,
        timestep=arguments.timestep,
        mechanisms=tuple(arguments.mechanisms),
        allow_exec=arguments.allow_exec,
        features=features,
    )


def _sorted(cells: Iterable[Cell], entries: Sequence[Entry]) -> list[Cell]:
    """In the order of the entries, whichever ended first."""
    order = {entry.name: place for place, entry in enumerate(entries)}
    return sorted(cells, key=lambda cell: (order[cell.entry.name], cell.backend))
