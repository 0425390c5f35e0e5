"""Types tables: one row a node or edge type, with what its definition and its type-level columns state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.formats.sonata_csv import MISSING
from pynn_io.graph.columns import Column, Table
from pynn_io.report import Report

#: The first id that is given to a type without one, as in Allen's files.
FIRST_ID = 100
#: Given ids stay below this; ids of a source beyond it leave no room for more above them.
_LAST_ID = 2**62


@dataclass(slots=True)
class Types:
    """Rows of a types table. columns: name -> one Python value a row, None where not stated; ids: int64, one a row."""

    ids: np.ndarray
    columns: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.ids)

    def records(self, id_name: str) -> dict[str, list[Any]]:
        """The table as it is written: every id once, rows that nobody distinguishes merged."""
        first = np.sort(np.unique(self.ids, return_index=True)[1]).tolist()
        table = {id_name: [int(self.ids[row]) for row in first]}
        table |= {name: [values[row] for row in first] for name, values in self.columns.items()}
        return {name: values for name, values in table.items() if name == id_name or any(v is not None for v in values)}


def types_of(table: Table, attributes: Sequence[Mapping[str, str]], skip: Sequence[str]) -> Types:
    """The types table of a population or projection.

    attributes: what the definition of each type states (`Components.cell`). skip: columns that are not written.
    """
    size = table.size
    columns: dict[str, list[Any]] = {}
    for name in dict.fromkeys(name for row in attributes for name in row):
        columns[name] = [row.get(name) for row in attributes]
    for name, column in table.items():
        if name not in skip and name != "id":
            columns[name] = values_of(column, size)
    ids = np.asarray(table.read("id"), dtype=np.int64) if "id" in table else np.full(size, -1, dtype=np.int64)
    return Types(ids.copy(), columns)


def values_of(column: Column, size: int) -> list[Any]:
    """A type-level column as Python values, None where it states nothing."""
    values = column.values(size)
    hidden = np.ma.getmaskarray(values)
    data = np.ma.getdata(values).tolist()
    return [None if np.any(mask) else value for value, mask in zip(data, hidden.tolist(), strict=True)]


def give_ids(types: Types, where: str, report: Report) -> None:
    """Make ids fit to be written: a new one for a type without, and for one that shares its id with another.

    Types that differ in nothing that is written keep their common id. An id that is new although the type had one is
    reported (``type-ids``, EXPANDED).
    """
    seen: dict[int, tuple[Any, ...]] = {}
    stated = [int(value) for value in types.ids if value >= 0]
    free = max([FIRST_ID - 1, *(value for value in stated if value < _LAST_ID)]) + 1
    changed = 0
    for row in range(types.size):
        content = tuple(repr(values[row]) for values in types.columns.values())
        value = int(types.ids[row])
        if value < 0 or seen.setdefault(value, content) != content:
            changed += value >= 0
            types.ids[row] = value = free
            seen[value] = content
            free += 1
    message = "types that share an id but differ were given ids of their own"
    report.expanded("type-ids", where, message, count=changed, examples=["id"])


def misread(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[str]]:
    """Text columns of which a types CSV makes something else, with examples: numbers, or nothing at all.

    A CSV does not say which of its cells are text: ``1`` is a number there, and ``NA`` a missing value.
    """
    found: dict[str, list[str]] = {}
    for name, values in columns.items():
        text = [value for value in values if isinstance(value, str)]
        gone = [value for value in text if value in MISSING]
        rest = [value for value in text if value not in MISSING]
        numbers = rest if all(map(_like_a_number, rest)) else []
        if gone or numbers:
            found[name] = list(dict.fromkeys([*gone, *numbers]))
    return found


def _like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.isascii()


def fold(types: Types, index: np.ndarray, text: Mapping[str, Column]) -> tuple[Types, np.ndarray]:
    """Move text that rows state for themselves into the types: one type for every combination that occurs.

    A types CSV is the only place where BMTK reads text. The first combination of a type keeps its id, the others have
    none yet. Gives the new types and the new type row of every row.
    """
    key = np.asarray(index, dtype=np.int64)
    codes = {}
    for name, column in text.items():
        codes[name] = np.ma.filled(column.read(len(key)), -1).astype(np.int64)
        key = key * (len(column.levels or ()) + 1) + codes[name] + 1
        key = np.unique(key, return_inverse=True)[1].reshape(-1)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    parent = np.asarray(index)[first]
    unused = np.setdiff1d(np.arange(types.size), parent)
    rows = np.concatenate([parent, unused]).astype(np.int64)
    ids = types.ids[rows]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[np.unique(rows, return_index=True)[1]] = False
    ids[fresh] = -1
    columns = {
        name: [values[row] for row in rows.tolist()] for name, values in types.columns.items() if name not in text
    }
    for name, column in text.items():
        beneath = types.columns.get(name, [None] * types.size)
        own = [None if code < 0 else column.levels[code] for code in codes[name][first].tolist()]  # type: ignore[index]
        own += [None] * len(unused)
        columns[name] = [
            beneath[row] if value is None else value for value, row in zip(own, rows.tolist(), strict=True)
        ]
    order = np.argsort(rows, kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    columns = {name: [values[row] for row in order.tolist()] for name, values in columns.items()}
    return Types(ids[order], columns), place[inverse.reshape(-1)]


def level_codes(values: Sequence[str | None]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes and levels of one text value a type; None has the level of the empty string."""
    levels = tuple(dict.fromkeys("" if value is None else value for value in values))
    number = {level: code for code, level in enumerate(levels)}
    return np.array([number["" if value is None else value] for value in values], dtype=np.int64), levels
