"""Runs of rows that a program has written, straight from bytes to columns.

The first element of a run is a template: its tag, attributes, quotes and white space. All that follow with the very
same text between the values are taken with array operations, several million values a second. What does not fit is left
to the XML parser, which also says what is wrong with it; so nothing here ever reports an error.

Rows that alternate (a comment behind each, another order of attributes, attributes that only some state) are no runs:
they cost 11 to 13 us each, a row of a run 1.3 us (200,000 connections, one core).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pynn_io.formats.neuroml_listing import TIMES, needed, type_of_row
from pynn_io.formats.neuroml_rows import COLUMNS, Rows, Words
from pynn_io.formats.number_text import decimal_floats, whole_numbers
from pynn_io.units import convert

#: Runs shorter than this are not worth the trouble.
SHORTEST = 128
#: How many rows are compared at once, at most.
_WINDOW = 2**16
_LONGEST = 64
_ATTRIBUTES = rb'(?:\s+[A-Za-z_]\w*\s*=\s*"[^"<&]*")+\s*'
_ELEMENT = re.compile(rb"<(\w+)" + _ATTRIBUTES + rb"(?:/>|>\s*</\1\s*>)")
_INSTANCE = re.compile(
    rb"<instance" + _ATTRIBUTES + rb">\s*<location" + _ATTRIBUTES + rb"(?:/>|>\s*</location\s*>)\s*</instance\s*>"
)
_NAME = re.compile(rb'([A-Za-z_]\w*)\s*=\s*"')
_SPACE = re.compile(rb"\s*")
_PATH = re.compile(rb"((?:\.\./)*([A-Za-z_]\w*)[/\[])([0-9]+)(\]?/?|/([A-Za-z_]\w*)/?)", re.ASCII)
_TIME = re.compile(rb"[-+.0-9eE]*[0-9.](\s*)([A-Za-z_][A-Za-z_0-9]*)")
_PLAIN = re.compile(rb"[ -%'-;=?-~]*")  # ASCII without <, > and &


@dataclass(frozen=True, slots=True)
class Run:
    """Rows; where the text behind them begins, how many lines they take, and how many looked like rows of theirs."""

    rows: Rows
    stop: int
    newlines: int
    looked: int


class Chunk:
    """A piece of a file, and where its quotes are."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes = np.frombuffer(data, dtype=np.uint8)
        self._quotes: np.ndarray | None = None

    @property
    def quotes(self) -> np.ndarray:
        if self._quotes is None:
            self._quotes = np.flatnonzero(self.bytes == ord('"'))
        return self._quotes

    def take(self, places: np.ndarray, width: int) -> np.ndarray:
        """``width`` bytes from every place, as an array of bytes; all must lie inside."""
        size = len(self.data) - width + 1
        every: np.ndarray = np.ndarray((size,), dtype=f"S{width}", buffer=self.data, strides=(1,))
        return every[places]

    def padded(self, places: np.ndarray, width: int) -> np.ndarray:
        """The same as a matrix of bytes; zeros where the piece ends."""
        if len(places) and int(places[-1]) + width > len(self.data):
            index = np.minimum(places[:, None] + np.arange(width), len(self.data) - 1)
            return self.bytes[index]
        return self.take(places, width).view(np.uint8).reshape(-1, width)


def find_run(chunk: Chunk, start: int, line: int) -> Run | None:
    """The run of rows that begins at ``start``, which is on ``line``; None where there is none worth taking."""
    pattern = _INSTANCE if chunk.data.startswith(b"<instance", start) else _ELEMENT
    match = pattern.match(chunk.data, start)
    if match is None or b"\r" in match[0].replace(b"\r\n", b""):
        return None
    template = _Template(chunk, start, match.end())
    if not template.legal() or not template.repeats(SHORTEST):
        return None
    return template.run(line)


class _Template:
    """The first element of a run and what it says of those that follow."""

    def __init__(self, chunk: Chunk, start: int, end: int) -> None:
        self.chunk, self.start = chunk, start
        data = chunk.data
        space = _SPACE.match(data, end)
        self.space = b"" if space is None else space[0]
        self.names = [name.decode() for name in _NAME.findall(data, start, end)]
        self.first = int(np.searchsorted(chunk.quotes, start))
        self.width = 2 * len(self.names)
        marks = chunk.quotes[self.first : self.first + self.width].tolist()
        self.head = data[start : marks[0]]
        self.gaps = [data[marks[n] + 1 : marks[n + 1]] for n in range(1, self.width - 1, 2)]
        self.tail = data[marks[-1] + 1 : end]
        self.values = [data[marks[n] + 1 : marks[n + 1]] for n in range(0, self.width, 2)]
        self.tag = data[start + 1 : start + 40].split(maxsplit=1)[0].decode()

    def legal(self) -> bool:
        """Whether the schema has these attributes; what is wrong otherwise is the parser's to say."""
        known, required = set(type_of_row(self.tag).attributes), needed(self.tag)
        if self.tag == "instance":
            known, required = known | set("xyz"), required | set("xyz")
            if set(self.names[-3:]) != set("xyz"):
                return False
        return len(set(self.names)) == len(self.names) and required <= set(self.names) <= known

    def repeats(self, count: int) -> bool:
        """Whether so many rows follow that fit."""
        return self._fitting(0, count) == count

    def _marks(self, row: int, count: int) -> np.ndarray:
        """Places of the quotes of ``count`` rows, int64[n, 2 * attributes]; fewer at the end of the piece."""
        begin = self.first + row * self.width
        marks = self.chunk.quotes[begin : begin + count * self.width]
        return marks[: len(marks) // self.width * self.width].reshape(-1, self.width)

    def _fitting(self, row: int, count: int) -> int:
        """How many of ``count`` rows from ``row`` on have the text of the template between their values."""
        marks = self._marks(row, count)
        marks = marks[marks[:, -1] + 1 + len(self.tail) <= len(self.chunk.data)]
        starts, ends = marks[:, 0] - len(self.head), marks[:, -1] + 1 + len(self.tail)
        # The first row of all has none before it; its own white space is the pattern of the others'.
        earlier = self._marks(row - 1, 1)[:, -1] + 1 + len(self.tail) if row else starts[:1] - len(self.space)
        fits = np.concatenate([earlier, ends[:-1]])[: len(ends)] + len(self.space) == starts
        for number, gap in enumerate(self.gaps):
            fits &= marks[:, 2 * number + 2] - marks[:, 2 * number + 1] - 1 == len(gap)
        good = _leading(fits)
        marks, starts = marks[:good], starts[:good]
        fits = self._same(starts, self.head) & self._same(marks[:, -1] + 1, self.tail)
        first = int(row == 0)
        fits[first:] &= self._same(starts[first:] - len(self.space), self.space)
        for number, gap in enumerate(self.gaps):
            fits &= self._same(marks[:, 2 * number + 1] + 1, gap)
        return _leading(fits)

    def _same(self, places: np.ndarray, text: bytes) -> np.ndarray:
        if not text or not len(places):
            return np.ones(len(places), dtype=bool)
        found: np.ndarray = self.chunk.take(places, len(text)) == text
        return found

    def run(self, line: int) -> Run | None:
        """All rows that fit and whose values can be taken; None where these are too few."""
        count, step = 0, 4 * SHORTEST
        while True:
            found = self._fitting(count, step)
            count += found
            if found < step:
                break
            step = min(2 * step, _WINDOW)
        values = self._values(count)
        if values is not None and values.good < count:
            # What was taken may hold words of the rows that do not count.
            values = self._values(values.good) if values.good >= SHORTEST else None
        if values is None:
            return None
        size = values.good
        each = sum(text.count(b"\n") for text in (self.head, *self.gaps, self.tail))
        step = each + self.space.count(b"\n")
        lines = line + step * np.arange(size, dtype=np.int64)
        stop = int(values.marks[size - 1, -1]) + 1 + len(self.tail)
        rows = Rows(size, values.numbers, values.words, lines)
        return Run(rows, stop, step * (size - 1) + each, count)

    def _values(self, count: int) -> _Values | None:
        values = _Values(self.chunk, self._marks(0, count))
        fine = all(values.column(name, n, self.values[n]) for n, name in enumerate(self.names))
        return values if fine else None


def _leading(fits: np.ndarray) -> int:
    """How many are true before the first that is false."""
    return len(fits) if fits.all() else int(np.argmin(fits))


class _Values:
    """Columns of a run while they are taken. good: how many rows from the first on are fine in all of them."""

    def __init__(self, chunk: Chunk, marks: np.ndarray) -> None:
        self.chunk, self.marks = chunk, marks
        self.good = len(marks)
        self.numbers: dict[str, np.ndarray] = {}
        self.words: dict[str, Words] = {}

    def column(self, name: str, number: int, first: bytes) -> bool:
        """Take one attribute; False where it cannot be taken at all. first: its value in the first row."""
        column, kind = COLUMNS[name]
        starts = self.marks[: self.good, 2 * number] + 1
        lengths = self.marks[: self.good, 2 * number + 1] - starts
        if kind == "word":
            return self._word(column, starts, lengths, first)
        if kind in ("path", "cell"):
            if kind == "cell" and first.isdigit():
                return self._whole(column, starts, lengths)
            return self._path(column, starts, lengths, first)
        if kind == "int":
            return self._whole(column, starts, lengths)
        unit = ""
        if kind == "ms":
            match = _TIME.fullmatch(first)
            if match is None or match[2].decode() not in TIMES:
                return False
            ending, unit = match[1] + match[2], match[2].decode()
            starts, lengths = self._without(starts, lengths, b"", ending)
        return self._float(column, starts, lengths, unit)

    def _matrix(self, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray | None:
        """The values as bytes with zeros behind them, uint8[n, width]; None where one is too long."""
        if not len(lengths):
            return None
        width = max(1, int(lengths.max()))
        if width > _LONGEST:
            return None
        text = self.chunk.padded(starts, width)
        return np.where(np.arange(width) < lengths[:, None], text, np.uint8(0))

    def _cut(self, fine: np.ndarray) -> None:
        self.good = min(self.good, _leading(fine))

    def _whole(self, column: str, starts: np.ndarray, lengths: np.ndarray) -> bool:
        text = self._matrix(starts, lengths)
        if text is None:
            return False
        self.numbers[column], fine = whole_numbers(text, lengths)
        self._cut(fine)
        return True

    def _float(self, column: str, starts: np.ndarray, lengths: np.ndarray, unit: str) -> bool:
        text = self._matrix(starts, lengths)
        if text is None:
            return False
        values, fine = decimal_floats(text, lengths)
        self._cut(fine)
        if unit:
            values = np.asarray(convert(values, unit, "ms"))  # type: ignore[arg-type]
        self.numbers[column] = values
        return True

    def _without(
        self, starts: np.ndarray, lengths: np.ndarray, opening: bytes, ending: bytes
    ) -> tuple[np.ndarray, np.ndarray]:
        """The values without a text before and one behind them, as far as rows have these."""
        rest = lengths - len(opening) - len(ending)
        self._cut(rest > 0)
        starts, lengths, rest = starts[: self.good], lengths[: self.good], rest[: self.good]
        fine = np.ones(len(starts), dtype=bool)
        if opening:
            fine &= self.chunk.take(starts, len(opening)) == opening
        if ending:
            fine &= self.chunk.take(starts + lengths - len(ending), len(ending)) == ending
        self._cut(fine)
        return starts[: self.good] + len(opening), rest[: self.good]

    def _path(self, column: str, starts: np.ndarray, lengths: np.ndarray, first: bytes) -> bool:
        match = _PATH.fullmatch(first)
        if match is None or (match[1][-1:] == b"[") != (match[4][:1] == b"]"):
            return False
        starts, lengths = self._without(starts, lengths, match[1], match[4])
        self.words[f"{column}_population"] = Words((match[2].decode(),))
        if match[5]:
            self.words[f"{column}_type"] = Words((match[5].decode(),))
        return self._whole(column, starts, lengths)

    def _word(self, column: str, starts: np.ndarray, lengths: np.ndarray, first: bytes) -> bool:
        if not (lengths == len(first)).all() or not first or not (self.chunk.take(starts, len(first)) == first).all():
            return self._several(column, starts, lengths)
        if _PLAIN.fullmatch(first) is None:
            return False
        self.words[column] = Words((first.decode(),))
        return True

    def _several(self, column: str, starts: np.ndarray, lengths: np.ndarray) -> bool:
        """A word that differs between rows."""
        text = self._matrix(starts, lengths)
        if text is None:
            return False
        width = text.shape[1]
        names, first, codes = np.unique(
            np.ascontiguousarray(text).view(f"S{width}").reshape(-1), return_index=True, return_inverse=True
        )
        if any(_PLAIN.fullmatch(name) is None for name in names.tolist()):
            return False
        order = np.argsort(first, kind="stable")
        place = np.argsort(order)
        self.words[column] = Words(tuple(names[n].decode() for n in order.tolist()), place[codes.reshape(-1)])
        return True
