"""The files that a LEMS ``<Simulation>`` names, as jNeuroML writes them: columns of SI units, separated by tabs.

An ``<OutputFile>`` has the time (s) and then its columns, a line a step, without a head; an ``<EventOutputFile>`` the
id of the selection and the time (s) of each event, or the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from pynn_io.errors import ReadError, WriteError
from pynn_io.formats.text_blocks import LINES, float_text, integer_text, lines
from pynn_io.report import Report
from pynn_io.results.results import EventTable, QuantityTable, Results


def write(results: Results, folder: Path, report: Report) -> tuple[Path, ...]:
    """The files of ``results.tables`` in ``folder``, under the names that the simulation gives them.

    A name that leads out of the folder, or two files of one name, are reported (APPROXIMATED): the file stands under
    another name then. Raises WriteError.
    """
    made: list[Path] = []
    for table in results.tables:
        path = _place(table.file, folder, made, report)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for block in _blocks(table):
                    file.write(block)
        except OSError as error:
            raise WriteError(f"cannot write: {error.strerror or error}", where=path) from error
        made.append(path)
    return tuple(made)


def _place(stated: str, folder: Path, taken: list[Path], report: Report) -> Path:
    name = PurePosixPath(stated.replace("\\", "/"))
    inside = PurePosixPath(*(part for part in name.parts if part not in ("..", "/", ".")))
    path = folder / (inside if inside.parts else "output.dat")
    number = 1
    while path in taken:
        number += 1
        path = path.with_stem(f"{path.stem}_{number}")
    if path != folder / name:
        report.approximated(
            "output-file-name",
            f"file {stated}",
            f"A file of the simulation would stand outside of the results, or on another; it is {path.name} there.",
        )
    return path


def _blocks(table: QuantityTable | EventTable) -> Iterator[bytes]:
    seconds = table.times / 1000
    for start in range(0, len(seconds), LINES):
        rows = slice(start, start + LINES)
        time = float_text(seconds[rows])
        if isinstance(table, EventTable):
            ids = integer_text(table.ids[rows])
            first, second = (time, ids) if table.time_first else (ids, time)
            yield bytes(lines([first, b"\t", second, b"\n"], len(time)))
            continue
        fields: list[bytes | np.ndarray] = [time]
        for column in table.data[rows].T:
            fields += [b"\t", _finite(column)]
        yield bytes(lines([*fields, b"\n"], len(time)))


def _finite(column: np.ndarray) -> np.ndarray:
    """Java's words for what is no number."""
    good = np.isfinite(column)
    if good.all():
        return float_text(column)
    text = float_text(np.where(good, column, 0.0)).astype("S25")
    text[np.isnan(column)] = b"NaN"
    text[np.isposinf(column)] = b"Infinity"
    text[np.isneginf(column)] = b"-Infinity"
    return text


def read_quantities(path: Path, name: str, file: str, columns: tuple[tuple[str, str], ...]) -> QuantityTable:
    """An ``<OutputFile>`` as jNeuroML wrote it. Raises ReadError for other columns than these, or what is no number."""
    values = _numbers(path, len(columns) + 1)
    return QuantityTable(name, file, columns, values[:, 0] * 1000, values[:, 1:])


def read_events(path: Path, name: str, file: str, *, time_first: bool = False) -> EventTable:
    """An ``<EventOutputFile>`` as jNeuroML wrote it, its events sorted by time, then id. Raises ReadError."""
    values = _numbers(path, 2)
    time, ids = (values[:, 0], values[:, 1]) if time_first else (values[:, 1], values[:, 0])
    order = np.lexsort((ids, time))
    return EventTable(name, file, ids[order].astype(np.int64), time[order] * 1000, time_first)


def _numbers(path: Path, columns: int) -> np.ndarray:
    if not path.is_file():
        raise ReadError("the simulation did not write this file", where=path)
    if not path.stat().st_size:
        return np.zeros((0, columns))
    try:
        values = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise ReadError(f"not a table of numbers: {error}", where=path) from error
    if values.shape[1] != columns:
        raise ReadError(f"{values.shape[1]} columns where {columns} are asked for", where=path)
    return values
