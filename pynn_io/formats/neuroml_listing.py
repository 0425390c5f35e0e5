"""Rows of a list, one by one or in blocks, until they are columns: what the parser does with what is irregular."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from pynn_io.errors import ReadError, UnitError
from pynn_io.formats.neuroml_rows import COLUMNS, LISTS, Rows, Words, joined
from pynn_io.formats.neuroml_schema import Type, types
from pynn_io.formats.number_text import decimal_floats, whole_numbers
from pynn_io.units import UNITS, convert, quantity_in

#: Rows that are collected as Python values before they become arrays.
_PENDING = 2**14
_PATH = re.compile(r"(?:\.\./)*([A-Za-z_]\w*)(?:\[([0-9]+)\]|/([0-9]+)(?:/(\w+))?)/?", re.ASCII)
_INT = re.compile(r"\s*\+?([0-9]+)\s*")
_FLOAT = re.compile(r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?INF|NaN)\s*", re.ASCII)
_LARGEST = 2**63 - 1
#: Columns of fractions along a segment.
_FRACTIONS = ("pre_fraction", "post_fraction", "fraction")
#: Names of other namespaces have one: they say something of the XML.
_FOREIGN = " "
#: Units of time.
TIMES = frozenset(symbol for symbol, unit in UNITS.items() if unit.dimension == "time")
_LIST = {tag: name for name, tags in LISTS.items() for tag in tags}
_AXES = ("x", "y", "z")


def type_of_row(tag: str) -> Type:
    """The schema's type of a row."""
    return types()[tag[0].upper() + tag[1:]]


@cache
def needed(tag: str) -> frozenset[str]:
    """Attributes that a row must have. The schema demands an id, which jNeuroML and libNeuroML's HDF5 do without."""
    return frozenset(type_of_row(tag).required) - {"id"}


class _Bad(Exception):
    """A value that is none: its row among those at hand, and what is wrong with it."""

    def __init__(self, row: int, message: str) -> None:
        self.row, self.message = row, message


class Listing:
    """One list while it is read. where: ``file:line`` of its element."""

    def __init__(self, tag: str, where: str) -> None:
        self.tags = LISTS[tag]
        self.where = where
        self._file = where.rpartition(":")[0]
        self._pending: list[Mapping[str, str]] = []
        self._lines: list[int] = []
        self._tag = ""
        self._blocks: list[Rows] = []

    def add(self, tag: str, attributes: Mapping[str, str], line: int) -> None:
        """One row. Raises ReadError for one without what it needs; what its values may not be is told later."""
        if tag != self._tag or len(self._pending) >= _PENDING:
            self._flush()
            self._tag = tag
        if not needed(tag) <= attributes.keys():
            self._flush()
            name = min(needed(tag) - attributes.keys())
            raise ReadError(f"<{tag}> has no attribute {name!r}", where=f"{self._file}:{line}")
        self.keep(tag, attributes, line)

    def keep(self, tag: str, attributes: Mapping[str, str], line: int) -> None:
        """The same without asking what it needs."""
        self._tag = tag
        self._pending.append(attributes)
        self._lines.append(line)

    def place(self, attributes: Mapping[str, str], line: int) -> None:
        """The location of the last instance."""
        for name in _AXES:
            if name not in attributes:
                raise ReadError(f"<location> has no attribute {name!r}", where=f"{self._file}:{line}")
        if "x" in self._pending[-1]:
            raise ReadError("<instance> has two <location>", where=f"{self._file}:{line}")
        self._pending[-1] = {**self._pending[-1], **attributes}

    def end_row(self, tag: str) -> None:
        """The last row is whole. Raises ReadError for an instance without a location."""
        if tag == "instance" and "x" not in self._pending[-1]:
            raise ReadError("<instance> has no <location>", where=f"{self._file}:{self._lines[-1]}")

    def add_block(self, block: Rows) -> None:
        """Rows that are columns already."""
        self._flush()
        self._blocks.append(block)

    def finish(self) -> Rows | None:
        """All rows; None where there are none. Raises ReadError for a value that is none."""
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
                message = f"{float(values[row])!r} is not a fraction along a segment, which is between 0 and 1"
                raise ReadError(message, where=rows.where(row, self.where))
        return rows

    def _flush(self) -> None:
        """What was added becomes a block. Raises ReadError for the first row with a value that is none."""
        rows, lines = self._pending, self._lines
        self._pending, self._lines = [], []
        if not rows:
            return
        numbers: dict[str, np.ndarray] = {}
        words: dict[str, Words] = {}
        wrong: list[_Bad] = []
        for name in dict.fromkeys(name for row in rows for name in row if _FOREIGN not in name):
            column, kind = COLUMNS[name] if self._knows(name) else (name, "word")
            try:
                _column(column, kind, [row.get(name) for row in rows], numbers, words)
            except _Bad as bad:
                wrong.append(_Bad(bad.row, f"{name} of <{self._tag}>: {bad.message}"))
        if wrong:
            first = min(wrong, key=lambda bad: bad.row)
            raise ReadError(first.message, where=f"{self._file}:{lines[first.row]}")
        self._blocks.append(Rows(len(rows), numbers, words, np.asarray(lines, dtype=np.int64)))

    def _knows(self, name: str) -> bool:
        return name in type_of_row(self._tag).attributes or (self._tag == "instance" and name in _AXES)


def rows_of(tag: str, elements: Sequence[tuple[Mapping[str, str], str]]) -> Rows:
    """Elements that stand alone, each with its ``file:line``, as rows of that tag. Raises ReadError."""
    listing = Listing(_LIST[tag], elements[0][1])
    for attributes, where in elements:
        listing.keep(tag, attributes, int(where.rpartition(":")[2]))
    return listing.finish() or Rows(0)


def _column(
    column: str, kind: str, texts: Sequence[str | None], numbers: dict[str, np.ndarray], words: dict[str, Words]
) -> None:
    """One attribute of all rows, None where one does not state it, as one or more columns. Raises _Bad."""
    if kind == "word":
        words[column] = _coded(texts)
    elif kind in _VALUES:
        numbers[column] = _numbers(kind, texts)
    else:
        _paths(column, kind, texts, numbers, words)


def _numbers(kind: str, texts: Sequence[str | None]) -> np.ndarray:
    """Numbers of one kind; masked where there is none. Raises _Bad."""
    plain = _plain(kind, texts)
    if plain is not None:
        return plain
    value, dtype = _VALUES[kind]
    values: list[float] = []
    for row, text in enumerate(texts):
        try:
            values.append(0 if text is None else value(text))
        except (ValueError, UnitError) as error:
            raise _Bad(row, error.message if isinstance(error, UnitError) else str(error)) from None
    missing = [text is None for text in texts]
    data: np.ndarray = np.asarray(values, dtype=dtype)
    return np.ma.array(data, mask=missing) if any(missing) else data


def _plain(kind: str, texts: Sequence[str | None]) -> np.ndarray | None:
    """The same, all at once, where every row has one of the usual spelling; None where not."""
    unit = ""
    if kind == "ms":
        ending = (texts[0] or "").lstrip("+-.0123456789eE")
        unit = ending.strip()
        if unit not in TIMES or not all(text is not None and text.endswith(ending) for text in texts):
            return None
        texts = [(text or "").removesuffix(ending) for text in texts]
    try:
        found = np.array([b"" if text is None else text.encode("ascii") for text in texts])
    except UnicodeEncodeError:
        return None
    matrix = found.view(np.uint8).reshape(len(found), -1) if found.itemsize else np.zeros((len(found), 1), np.uint8)
    lengths = np.char.str_len(found)
    values, fine = whole_numbers(matrix, lengths) if kind == "int" else decimal_floats(matrix, lengths)
    if not fine.all():
        return None
    return np.asarray(convert(values, unit, "ms")) if unit else values  # type: ignore[arg-type]


def _coded(texts: Sequence[str | None]) -> Words:
    names: dict[str, int] = {}
    codes = [-1 if text is None else names.setdefault(text, len(names)) for text in texts]
    return Words(tuple(names), np.asarray(codes, dtype=np.int64) if any(codes) else None)


def _paths(
    column: str, kind: str, texts: Sequence[str | None], numbers: dict[str, np.ndarray], words: dict[str, Words]
) -> None:
    """Paths of cells, or their bare numbers: the numbers, the populations, the components."""
    parts = [_path(kind, text, row) for row, text in enumerate(texts)]
    numbers[column] = _numbers("int", [part[0] for part in parts])
    for place, what in ((1, "population"), (2, "type")):
        names = [part[place] for part in parts]
        if any(names):
            words[f"{column}_{what}"] = _coded(names)


def _path(kind: str, text: str | None, row: int) -> tuple[str | None, str | None, str | None]:
    """Number, population and component of a path. Raises _Bad."""
    match = None if text is None else _PATH.fullmatch(text)
    if match is not None:
        return match[2] or match[3], match[1], match[4]
    if text is None or (kind == "cell" and _INT.fullmatch(text) is not None):
        return text, None, None
    raise _Bad(row, f"{text!r} is not the path of a cell, such as ../pop/0/cell or ../pop[0]")


def _float(text: str) -> float:
    if _FLOAT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def _time(text: str) -> float:
    """A time in ms."""
    return float(quantity_in(text, "ms"))


def _whole(text: str) -> int:
    match = _INT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a whole number")
    value = int(match[1])
    if value > _LARGEST:
        raise ValueError(f"{text!r} is too large a number")
    return value


#: Kind -> one value of it, and what they are kept as.
_VALUES: Mapping[str, tuple[Callable[[str], float], type]] = {
    "int": (_whole, np.int64),
    "float": (_float, np.float64),
    "ms": (_time, np.float64),
}
