"""Text tables whose first line says what their columns are, each with its unit: ``time (ms), pop[0]/v (mV)``.

Whoever published them wrote them by hand or by a script, so the header is all there is to go by: a table is one of
these only where its first column is a time, and every column states a unit (in parentheses, brackets or after a slash;
``1`` for none). Columns are separated by tabs, semicolons or commas; ``#`` or ``%`` may stand before the header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pynn_io.errors import BadValues, ReadError, UnitError
from pynn_io.results.results import Results, Trace
from pynn_io.units import convert, scale_by_power, unit

_HEAD = 65536
_TEXT = frozenset({".csv", ".dat", ".txt", ".tsv"})
_COLUMN = re.compile(r"\s*(?P<name>.*?)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\d\]][^\]]*)\]|/(?P<slash>\w+))\s*")
_TIMES = frozenset({"t", "time", "times"})
#: One variable of one cell, as LEMS and SONATA number them: ``pop[3]/v``, ``pop/3/component/v``.
_SHORT, _LONG = re.compile(r"([^\[\]/]+)\[(\d+)\]/(\w+)"), re.compile(r"(\w+)/(\d+)/\w+/(\w+)")
#: What stands in other letters than `units` has them.
_SPELLINGS = {"1": "", "µV": "uV", "µS": "uS", "µA": "uA", "sec": "s"}
#: Times closer to equal steps than this part of one are equal steps: they were written with few digits.
_STEP = 1e-3


@dataclass(frozen=True, slots=True)
class Header:
    """names, units: of every column behind the time. time_unit: of that. separator: between them."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    time_unit: str
    separator: str

    @property
    def cells(self) -> tuple[tuple[str, int, str], ...] | None:
        """(population, node id, variable) of every column; None where a name is no path of one."""
        found = [_SHORT.fullmatch(name) or _LONG.fullmatch(name) for name in self.names]
        if not all(found):
            return None
        return tuple((match[1], int(match[2]), match[3]) for match in found if match is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """times: float64[n], ms. data: float64[n, column], in the units of the header."""

    header: Header
    times: np.ndarray
    data: np.ndarray

    def in_si(self) -> np.ndarray:
        """float64[n, column], in SI units, as LEMS has them."""
        units = [unit(symbol) for symbol in self.header.units]
        columns = [
            scale_by_power(one * u.factor + u.offset, u.power) for one, u in zip(self.data.T, units, strict=True)
        ]
        return np.array(columns).T


def header_of(path: Path) -> Header | None:
    """What the first line of a text file says of its columns; None for a file without such a line. Never raises."""
    if path.suffix.lower() not in _TEXT:
        return None
    try:
        with path.open("rb") as file:
            line = file.readline(_HEAD).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    separator = next((each for each in "\t;," if each in line), "")
    if not separator:
        return None
    columns = [_column(text) for text in line.strip().lstrip("#%").split(separator)]
    if None in columns or len(columns) < 2:
        return None
    (time, time_unit), *others = (each for each in columns if each is not None)
    if time.lower() not in _TIMES or unit(time_unit).dimension != "time":
        return None
    return Header(tuple(name for name, _ in others), tuple(symbol for _, symbol in others), time_unit, separator)


def is_of_numbers(path: Path) -> bool:
    """Whether a text file begins with a line of two numbers or more, behind comments. Never raises."""
    try:
        with path.open("rb") as file:
            lines = (line.strip() for line in file.read(_HEAD).decode("utf-8-sig").splitlines())
            first = next((line for line in lines if line and line[0] not in "#%"), "")
        return len([float(word) for word in re.split(r"[\s,;]+", first)]) > 1
    except (OSError, ValueError):
        return False


def _column(text: str) -> tuple[str, str] | None:
    """The name of a column, and its unit."""
    match = _COLUMN.fullmatch(text.strip().strip('"'))
    if match is None or not match["name"] or (match["slash"] and {*"[/"} & {*match["name"]}):
        return None  # the last part of a path is no unit
    symbol = next(each for each in (match["round"], match["square"], match["slash"]) if each is not None).strip()
    symbol = _SPELLINGS.get(symbol, symbol)
    try:
        unit(symbol)
    except UnitError:
        return None
    return match["name"], symbol


def read_columns(path: Path) -> Columns:
    """The whole table. Raises ReadError for what is no such table, or whose lines are not numbers; BadValues for times
    that are not finite or do not ascend."""
    header = header_of(path)
    if header is None:
        hint = "the first line names every column with its unit, such as 'time (ms), pop[0]/v (mV)'"
        raise ReadError("no line says what its columns are", where=path, hint=hint)
    try:
        values = np.loadtxt(path, delimiter=header.separator, skiprows=1, ndmin=2, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ReadError(f"not a table of numbers: {error}", where=path) from error
    if values.size and values.shape[1] != len(header.names) + 1:
        raise ReadError(f"{values.shape[1]} columns, and the first line names {len(header.names) + 1}", where=path)
    values = values.reshape(-1, len(header.names) + 1)
    times = np.asarray(convert(values[:, 0], header.time_unit, "ms"))  # type: ignore[arg-type]  # arrays too, as it says
    if not np.all(np.isfinite(times)) or not np.all(np.diff(times) > 0):
        raise BadValues("its times are not finite, or do not ascend", where=path)
    return Columns(header, times, values[:, 1:])


def as_results(columns: Columns, where: object = "") -> Results:
    """Traces of the cells that the columns are of, one report a variable and population.

    Raises ReadError for columns that name no cell, or times of unequal steps.
    """
    cells = columns.header.cells
    if cells is None:
        hint = "such as pop[0]/v"
        raise ReadError("its columns name no cells of a population", where=where, hint=hint)
    times = columns.times
    if len(times) < 2:
        raise ReadError("a recording has two times at least", where=where)
    interval = float((times[-1] - times[0]) / (len(times) - 1))
    if np.any(np.abs(np.diff(times) - interval) > _STEP * interval):
        raise ReadError("its times are not in equal steps", where=where)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, (population, _, variable) in enumerate(cells):
        groups.setdefault((population, variable, columns.header.units[number]), []).append(number)
    traces = tuple(
        Trace(
            variable,
            population,
            variable,
            symbol,
            columns.data[:, numbers],
            np.array([cells[number][1] for number in numbers], dtype=np.int64),
            float(times[0]),
            interval,
        )
        for (population, variable, symbol), numbers in groups.items()
    )
    return Results(traces=traces)
