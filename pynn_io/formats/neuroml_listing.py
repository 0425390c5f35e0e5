"""Rows of a list, one by one or in blocks, until they are columns: what the parser does with what is irregular."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from pynn_io.errors import ReadError, UnitError
from pynn_io.formats.neuroml_rows import COLUMNS, LISTS, Rows, Words, joined
from pynn_io.formats.neuroml_schema import Type, types
from pynn_io.units import quantity_in

#: Rows that are collected as Python values before they become arrays.
_PENDING = 2**14
_PATH = re.compile(r"(?:\.\./)*([A-Za-z_]\w*)(?:\[([0-9]+)\]|/([0-9]+)(?:/(\w+))?)/?", re.ASCII)
_INT = re.compile(r"\s*\+?([0-9]+)\s*")
_FLOAT = re.compile(r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?INF|NaN)\s*", re.ASCII)
_LARGEST = 2**63 - 1
#: Columns of fractions along a segment.
_FRACTIONS = ("pre_fraction", "post_fraction", "fraction")
#: Attributes that say something of the XML: of another namespace.
_FOREIGN = "{"


def type_of_row(tag: str) -> Type:
    """The schema's type of a row."""
    return types()[tag[0].upper() + tag[1:]]


class Listing:
    """One list while it is read. where: ``file:line`` of its element."""

    def __init__(self, tag: str, where: str) -> None:
        self.tags = LISTS[tag]
        self.where = where
        self.tag = tag
        self._file = where.rpartition(":")[0]
        self._pending: list[tuple[dict[str, int | float | str], int]] = []
        self._blocks: list[Rows] = []

    def add(self, tag: str, attributes: Mapping[str, str], line: int) -> None:
        """One row. Raises ReadError for what its attributes may not hold.

        The schema demands an id, which jNeuroML and the HDF5 of libNeuroML do without.
        """
        row = self._row(tag, attributes, line)
        for name in type_of_row(tag).required:
            if name not in attributes and name != "id":
                raise ReadError(f"<{tag}> has no attribute {name!r}", where=f"{self._file}:{line}")
        self._pending.append((row, line))
        if len(self._pending) >= _PENDING:
            self._flush()

    def place(self, attributes: Mapping[str, str], line: int) -> None:
        """The location of the last instance."""
        for name in "xyz":
            if name not in attributes:
                raise ReadError(f"<location> has no attribute {name!r}", where=f"{self._file}:{line}")
        row = self._pending[-1][0]
        if "x" in row:
            raise ReadError("<instance> has two <location>", where=f"{self._file}:{line}")
        row.update(self._row("location", attributes, line))

    def end_row(self, tag: str) -> None:
        """The last row is whole. Raises ReadError for an instance without a location."""
        if tag == "instance" and "x" not in self._pending[-1][0]:
            raise ReadError("<instance> has no <location>", where=f"{self._file}:{self._pending[-1][1]}")

    def add_block(self, block: Rows) -> None:
        """Rows that are columns already."""
        self._flush()
        self._blocks.append(block)

    def finish(self) -> Rows | None:
        """All rows; None where there are none. Raises ReadError for a fraction that is none."""
        self._flush()
        if not self._blocks:
            return None
        rows = joined(self._blocks)
        for name in _FRACTIONS:
            values = rows.numbers.get(name)
            if values is None:
                continue
            outside = np.flatnonzero(np.ma.filled((values < 0) | (values > 1), False))
            if len(outside):
                row = int(outside[0])
                message = f"{values[row]!r} is not a fraction along a segment, which is between 0 and 1"
                raise ReadError(message, where=rows.where(row, self.where))
        return rows

    def _row(self, tag: str, attributes: Mapping[str, str], line: int) -> dict[str, int | float | str]:
        row: dict[str, int | float | str] = {}
        known = type_of_row(tag).attributes
        for name, text in attributes.items():
            if name.startswith(_FOREIGN):
                continue
            column, kind = COLUMNS[name] if name in known else (name, "word")
            if kind == "word":
                row[column] = text
                continue
            try:
                row.update(_value(column, kind, text))
            except (ValueError, UnitError) as error:
                message = error.message if isinstance(error, UnitError) else str(error)
                raise ReadError(f"{name} of <{tag}>: {message}", where=f"{self._file}:{line}") from None
        return row

    def _flush(self) -> None:
        rows, self._pending = self._pending, []
        if not rows:
            return
        numbers: dict[str, np.ndarray] = {}
        words: dict[str, Words] = {}
        names = list(dict.fromkeys(name for row, _ in rows for name in row))
        for name in names:
            values = [row.get(name) for row, _ in rows]
            first = next(value for value in values if value is not None)
            if isinstance(first, str):
                words[name] = _coded(values)
            else:
                numbers[name] = _column(values, np.int64 if isinstance(first, int) else np.float64)
        lines = np.asarray([line for _, line in rows], dtype=np.int64)
        self._blocks.append(Rows(len(rows), numbers, words, lines))


def _column(values: list, dtype: type) -> np.ndarray:
    missing = [value is None for value in values]
    if not any(missing):
        return np.asarray(values, dtype=dtype)
    data: np.ndarray = np.asarray([0 if value is None else value for value in values], dtype=dtype)
    return np.ma.array(data, mask=missing)


def _coded(values: list) -> Words:
    names: dict[str, int] = {}
    codes = [-1 if value is None else names.setdefault(value, len(names)) for value in values]
    return Words(tuple(names), np.asarray(codes, dtype=np.int64) if any(codes) else None)


def _value(column: str, kind: str, text: str) -> dict[str, int | float | str]:
    """What an attribute says, by column. Raises ValueError or UnitError."""
    if kind == "int":
        return {column: _whole(text)}
    if kind == "float":
        if _FLOAT.fullmatch(text) is None:
            raise ValueError(f"{text!r} is not a number")
        return {column: float(text)}
    if kind == "ms":
        return {column: float(quantity_in(text, "ms"))}
    if kind == "cell" and text.isdecimal():
        return {column: _whole(text)}
    match = _PATH.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not the path of a cell, such as ../pop/0/cell or ../pop[0]")
    found: dict[str, int | float | str] = {column: _whole(match[2] or match[3]), f"{column}_population": match[1]}
    if match[4]:
        found[f"{column}_type"] = match[4]
    return found


def _whole(text: str) -> int:
    match = _INT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a whole number")
    value = int(match[1])
    if value > _LARGEST:
        raise ValueError(f"{text!r} is too large a number")
    return value
