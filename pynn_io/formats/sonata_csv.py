"""SONATA types tables: CSV separated by spaces, quoted with doubling.

Specification: columns are separated by a single space, strings with spaces stand in double quotes, a missing value is
``NULL``. In files met: runs of spaces, lists in quotes, and ``NONE``, ``NA`` or nothing for missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pynn_io.errors import ReadError

MISSING = frozenset({"", "NULL", "NONE", "NA", "NaN", "nan", "null", "None", "N/A", "<NA>"})

#: A number with more characters is text: Python refuses whole numbers of thousands of digits.
LONGEST = 400

_TOKEN = re.compile(
    r'"(?P<quoted>(?:[^"]|"")*)"(?=\s|\Z)|(?P<plain>[^\s"]\S*)|(?P<newline>\n)|(?P<space>[^\S\n]+)|(?P<bad>.)'
)

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class TypesTable:
    """Rows of a types CSV. ``columns``: name -> one value a row (all int, all int or float, or text; None is missing).

    lines: the line of the file that each row came from.
    """

    path: Path
    id_column: str
    columns: Mapping[str, list[Value]]
    lines: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.lines)

    @property
    def ids(self) -> list[int]:
        return [int(value) for value in self.columns[self.id_column]]  # type: ignore[arg-type]

    def of_population(self, name: str) -> TypesTable:
        """The rows that apply to one population: those whose ``population`` is its name or missing."""
        if "population" not in self.columns:
            return self
        stated = self.columns["population"]
        rows = [row for row in range(self.size) if stated[row] is None or str(stated[row]) == name]
        columns = {key: [values[row] for row in rows] for key, values in self.columns.items() if key != "population"}
        return TypesTable(self.path, self.id_column, columns, tuple(self.lines[row] for row in rows))


def read_types(path: Path, id_column: str) -> TypesTable:
    """Read a types file; ``id_column`` is ``node_type_id`` or ``edge_type_id``.

    Raises ReadError with ``file:line``: no such file, no id column, a row longer or shorter than the header, an id that
    is no integer, a column named twice, the same id twice for one population.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ReadError("no such file", where=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"cannot be read: {error}", where=path) from error
    return parse_types(text, Path(path), id_column)


def parse_types(text: str, path: Path, id_column: str) -> TypesTable:
    """`read_types` on text."""
    if "\0" in text:
        raise ReadError(
            "it holds a NUL character: the file is damaged",
            where=f"{path}:{text.count(chr(10), 0, text.index(chr(0))) + 1}",
            hint="write the file again",
        )
    rows = _split(text, path)
    if not rows:
        raise ReadError(f"the file is empty; it needs at least the column {id_column}", where=f"{path}:1")
    (head_line, header), body = rows[0], rows[1:]
    if id_column not in header:
        raise ReadError(f"there is no column {id_column}", where=f"{path}:{head_line}")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ReadError(f"the column {twice[0]} is named twice", where=f"{path}:{head_line}")
    for line, cells in body:
        if len(cells) != len(header):
            raise ReadError(
                f"{len(cells)} values for {len(header)} columns",
                where=f"{path}:{line}",
                hint="columns are separated by spaces; put a value with spaces into double quotes, and write NULL "
                "for a missing one",
            )
    columns = {name: _typed([cells[i] for _, cells in body]) for i, name in enumerate(header)}
    lines = tuple(line for line, _ in body)
    _check_ids(columns, id_column, lines, path)
    return TypesTable(path, id_column, columns, lines)


def _split(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Lines that hold anything, as ``(line number, cells)``. A quoted cell may span lines."""
    rows: list[tuple[int, list[str]]] = []
    line, cells, first = 1, [], 1  # type: int, list[str], int
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "bad":
            raise ReadError("broken quoting: a quoted value must end before a space", where=f"{path}:{line}")
        if kind in ("quoted", "plain"):
            first = first if cells else line
            cells.append(match["quoted"].replace('""', '"') if kind == "quoted" else match["plain"])
        elif kind == "newline" and cells:
            rows.append((first, cells))
            cells = []
        line += match[0].count("\n")
    return [*rows, (first, cells)] if cells else rows


def _typed(cells: list[str]) -> list[Value]:
    stated = [None if cell in MISSING else cell for cell in cells]
    for kind in (int, float):
        try:
            return [None if cell is None else _number(cell, kind) for cell in stated]
        except ValueError:
            continue
    return list(stated)


def _number(cell: str, kind: type) -> int | float:
    # Python's int and float accept 1_000 and digits of other scripts, which no CSV means as a number.
    if "_" in cell or not cell.isascii() or len(cell) > LONGEST:
        raise ValueError(cell)
    return kind(cell)


def _check_ids(columns: Mapping[str, list[Value]], id_column: str, lines: tuple[int, ...], path: Path) -> None:
    populations = columns.get("population", [None] * len(lines))
    seen: dict[tuple[Value, Value], int] = {}
    for population, value, line in zip(populations, columns[id_column], lines, strict=True):
        if not isinstance(value, int):
            raise ReadError(f"{id_column} must be an integer, not {value!r}", where=f"{path}:{line}")
        first = seen.setdefault((population, value), line)
        if first != line:
            raise ReadError(
                f"{id_column} {value} is stated twice (first on line {first})",
                where=f"{path}:{line}",
                hint="give each type its own id",
            )
