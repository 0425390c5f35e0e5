"""Rows of HDF5 datasets, a block at a time: sources that hold no handle and can be read any number of times.

They have the shape of `pynn_io.graph.columns.ChunkSource` (``size``, ``dtype``, ``open``) without knowing it. A source
is either a dataset (`H5Rows`), a column spread over the attribute groups of a population (`GroupedRows`), or another
source with a function applied to every block (`Mapped`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import damage, open_h5

BLOCK = 2**18
#: Rows read at a time where they are only looked at: small enough to stay in the processor's cache.
SCAN = 2**17
_CACHE_LIMIT = 2**28
RowReader = Callable[[int, int], np.ndarray]


class Rows(Protocol):
    """What every source here is."""

    @property
    def size(self) -> int: ...
    @property
    def dtype(self) -> np.dtype: ...
    def open(self) -> AbstractContextManager[RowReader]: ...


@dataclass(frozen=True, slots=True, eq=False)
class H5Rows:
    """The rows of one dataset as they stand in the file; strings as ``str`` objects."""

    file: Path
    dataset: str
    size: int
    dtype: np.dtype
    trailing: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.file}:{self.dataset}"

    @contextmanager
    def open(self) -> Iterator[RowReader]:
        with open_h5(self.file) as handle:
            with damage(self.where):
                data = _with_cache(handle, self.dataset)
            if data.shape[0] != self.size:
                raise ReadError(f"it has {data.shape[0]} rows now, {self.size} before", where=self.where)
            source: Any = data.asstr() if h5py.check_string_dtype(data.dtype) else data

            def read(start: int, stop: int) -> np.ndarray:
                with damage(self.where):
                    return source[start:stop]

            yield read


def _with_cache(handle: h5py.File, name: str) -> h5py.Dataset:
    """The dataset, with room in its cache for one chunk: else every block would unpack a large chunk again."""
    data = handle[name]
    if not data.chunks:
        return data
    need = int(np.prod(data.chunks)) * data.dtype.itemsize
    if not 2**20 < need <= _CACHE_LIMIT:
        return data
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(521, need, 1.0)
    return h5py.Dataset(h5py.h5d.open(handle.id, name.encode(), access))


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """``function(block, first row number)`` of every block of ``base``."""

    base: Rows
    dtype: np.dtype
    function: Callable[[np.ndarray, int], np.ndarray]

    @property
    def size(self) -> int:
        return self.base.size

    @property
    def trailing(self) -> tuple[int, ...]:
        return getattr(self.base, "trailing", ())

    @contextmanager
    def open(self) -> Iterator[RowReader]:
        with self.base.open() as read:
            yield lambda start, stop: self.function(read(start, stop), start)


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """``function(block of each base)``: one column made from several."""

    bases: tuple[Rows, ...]
    dtype: np.dtype
    function: Callable[..., np.ndarray]

    @property
    def size(self) -> int:
        return self.bases[0].size

    @contextmanager
    def open(self) -> Iterator[RowReader]:
        with ExitStack() as stack:
            readers = [stack.enter_context(base.open()) for base in self.bases]
            yield lambda start, stop: self.function(*(read(start, stop) for read in readers))


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRows:
    """A column that lives in some groups of a population, in the population's row order; masked where none states it.

    group_id, group_index: int64 sources of all rows. parts: source of the column in each group that has it.
    """

    group_id: Rows
    group_index: Rows
    parts: dict[int, Rows]
    dtype: np.dtype
    trailing: tuple[int, ...] = field(default=())

    @property
    def size(self) -> int:
        return self.group_index.size

    @contextmanager
    def open(self) -> Iterator[RowReader]:
        with ExitStack() as stack:
            groups = stack.enter_context(self.group_id.open())
            indices = stack.enter_context(self.group_index.open())
            readers = {group: stack.enter_context(part.open()) for group, part in self.parts.items()}

            def read(start: int, stop: int) -> np.ndarray:
                return self._block(groups(start, stop), indices(start, stop), readers)

            yield read

    def _block(self, group: np.ndarray, index: np.ndarray, readers: dict[int, RowReader]) -> np.ndarray:
        shape = (len(group), *self.trailing)
        data = np.zeros(shape, self.dtype) if self.dtype.kind != "O" else np.full(shape, "", dtype=object)
        stated = np.zeros(len(group), dtype=bool)
        for number, read in readers.items():
            here = np.flatnonzero(group == number)
            if len(here):
                part = _gather(read, index[here], self.parts[number].size)
                data[here] = np.ma.getdata(part)
                stated[here] = ~np.ma.getmaskarray(part).reshape(len(here), -1).any(axis=1)
        if stated.all():
            return data
        hidden = np.broadcast_to(~stated.reshape(-1, *(1,) * len(self.trailing)), shape)
        return np.ma.array(data, mask=hidden)


def _gather(read: RowReader, index: np.ndarray, size: int) -> np.ndarray:
    """Rows at ``index`` (any order) of a source, reading no more than a block of it at a time."""
    low, high = int(index.min()), int(index.max()) + 1
    if low < 0 or high > size:
        raise IndexError(high - 1 if high > size else low)
    if high - low <= BLOCK:
        return read(low, high)[index - low]
    out: np.ndarray | None = None
    for start in range(low, high, BLOCK):
        stop = min(start + BLOCK, high)
        here = np.flatnonzero((index >= start) & (index < stop))
        if not len(here):
            continue
        rows = read(start, stop)
        if out is None:
            out = np.ma.zeros((len(index), *rows.shape[1:]), dtype=rows.dtype)
        out[here] = rows[index[here] - start]
    return out if out is not None else read(low, low)


def blocks(source: Rows, block: int = SCAN) -> Iterator[tuple[int, np.ndarray]]:
    """``(first row, rows)`` over the whole source."""
    with source.open() as read:
        for start in range(0, source.size, block):
            yield start, read(start, min(start + block, source.size))


def counts_up(source: Rows) -> bool:
    """Whether the rows of an integer source are 0, 1, 2 ..., compared as they are stored."""
    dtype = source.dtype if source.dtype.kind in "iu" else np.dtype(np.int64)
    if source.size and source.size - 1 > np.iinfo(dtype).max:
        return False
    return all(bool((rows == np.arange(start, start + len(rows), dtype=dtype)).all()) for start, rows in blocks(source))


def read_all(source: Rows) -> np.ndarray:
    """All rows at once: for node tables."""
    with source.open() as read:
        return read(0, source.size)


def integers(source: Rows, where: str, *, gaps: bool = False) -> Rows:
    """A source as int64. Floats are taken if they are whole numbers; raises ReadError for anything else.

    gaps: NaN means that a row states nothing, which is how a file without masks says so; such rows are masked.
    """
    kind = source.dtype.kind
    if kind not in "iuf":
        raise ReadError(f"must hold integers, not {source.dtype}", where=where)
    if source.dtype == np.int64:
        return source

    def convert(rows: np.ndarray, start: int) -> np.ndarray:
        if kind == "f":
            return _whole(rows, start, where, gaps)
        if kind == "u" and rows.dtype.itemsize == 8:
            out = rows.view(np.int64) if rows.dtype.isnative else rows.astype(np.int64)
            if out.size and out.min() < 0:
                row = int(np.argmin(out))
                raise ReadError(f"row {start + row} is {rows[row]}: it does not fit 64 bits with sign", where=where)
            return out
        return rows.astype(np.int64)

    return Mapped(source, np.dtype(np.int64), convert)


def _whole(rows: np.ndarray, start: int, where: str, gaps: bool) -> np.ndarray:
    """Floats as int64, NaN masked where there may be gaps."""
    data = np.ma.getdata(rows)
    absent = np.ma.getmaskarray(rows) | (np.isnan(data) if gaps else False)
    filled = np.where(absent, 0, data)
    whole = np.isfinite(filled) & (filled == np.trunc(filled)) & (np.abs(filled) < 2.0**63)
    if not whole.all():
        row = np.unravel_index(int(np.argmin(whole)), whole.shape)
        raise ReadError(f"row {start + int(row[0])} is {data[row]}, not an integer", where=where)
    out = filled.astype(np.int64)
    return np.ma.array(out, mask=absent) if absent.any() else out


class Lookup:
    """From identifiers to row numbers, by search; 0 .. n-1 in order need none.

    Raises ReadError if an id occurs twice.
    """

    def __init__(self, ids: np.ndarray | int, where: str, noun: str = "node") -> None:
        self.noun = noun
        self.size = ids if isinstance(ids, int) else len(ids)
        self._sorted: np.ndarray | None = None
        if isinstance(ids, int) or is_range(ids):
            return
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        same = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if len(same):
            rows = sorted(self._order[same[0] : same[0] + 2].tolist())
            raise ReadError(
                f"{noun} id {self._sorted[same[0]]} is stated twice, in rows {rows[0]} and {rows[1]}", where=where
            )

    def rows(self, ids: np.ndarray, missing: Callable[[int, int], ReadError]) -> np.ndarray:
        """Row numbers, int64. ``missing(position, id)`` makes the error for the first id that is not there."""
        if not len(ids):
            return ids
        if self._sorted is None:
            # As unsigned numbers negative ids are larger than any row, so one comparison does.
            if int(ids.view(np.uint64).max()) < self.size:
                return ids
            bad = int(np.argmax(ids.view(np.uint64) >= self.size))
            raise missing(bad, int(ids[bad]))
        if not self.size:
            raise missing(0, int(ids[0]))
        at = np.minimum(np.searchsorted(self._sorted, ids), self.size - 1)
        found = self._sorted[at] == ids
        if not found.all():
            bad = int(np.argmin(found))
            raise missing(bad, int(ids[bad]))
        return self._order[at]


def is_range(ids: np.ndarray) -> bool:
    """Whether ids are 0 .. n-1 in order."""
    return len(ids) == 0 or bool(ids[0] == 0 and ids[-1] == len(ids) - 1 and (np.diff(ids) == 1).all())


def to_rows(source: Rows, lookup: Lookup, where: str, population: str) -> Rows:
    """Node ids of an edge dataset as rows of a population. Raises ReadError naming the edge and the id."""
    wide = source.dtype.kind == "u" and source.dtype.itemsize == 8 and source.dtype.isnative
    # The lookup's own comparison finds what does not fit, so the check of `integers` would be a second pass.
    base = Mapped(source, np.dtype(np.int64), lambda rows, _: rows.view(np.int64)) if wide else integers(source, where)

    def convert(ids: np.ndarray, start: int) -> np.ndarray:
        def missing(position: int, value: int) -> ReadError:
            number = int(np.int64(value).view(np.uint64)) if wide else value
            return ReadError(
                f"edge {start + position} names node {number}, which is not in the population {population!r} "
                f"({lookup.size} nodes)",
                where=where,
            )

        return lookup.rows(ids, missing)

    return Mapped(base, np.dtype(np.int64), convert)


def distinct(source: Rows, where: str) -> np.ndarray:
    """The distinct values of an integer column as stored (int64, ascending), in bounded memory.

    Raises ReadError, as `integers` does, for what is no integer of 64 bits.
    """
    stored = source.dtype.kind in "iu" and source.dtype != np.uint64
    source = source if stored else integers(source, where)
    found: np.ndarray = np.zeros(0, dtype=np.int64)
    for _, rows in blocks(source):
        low, high = int(rows.min()), int(rows.max())
        if low == high:
            new = np.array([low])
        elif high - low < len(rows):
            new = np.flatnonzero(np.bincount(rows.astype(np.int64) - low)) + low
        else:
            new = np.unique(rows).astype(np.int64)
        if len(new) != len(found) or (new != found).any():
            found = np.union1d(found, new)
    return found


def text_levels(source: Rows) -> tuple[str, ...]:
    """The distinct strings of a source in order of first appearance; what is masked does not count."""
    levels: dict[str, None] = {}
    for _, rows in blocks(source):
        text = np.ma.getdata(rows)[~np.ma.getmaskarray(rows)].astype(str)
        names, first = np.unique(text, return_index=True)
        levels.update(dict.fromkeys(names[np.argsort(first)].tolist()))
    return tuple(levels)


def coded(source: Rows, levels: Sequence[str]) -> Rows:
    """Strings as int64 codes into ``levels``; masked rows stay masked."""
    names = np.array(levels if levels else [""], dtype=str)
    order = np.argsort(names, kind="stable")
    ranked = names[order]

    def convert(rows: np.ndarray, _: int) -> np.ndarray:
        hidden = np.ma.getmaskarray(rows)
        text = np.where(hidden, ranked[0], np.ma.getdata(rows)).astype(str)
        codes = order[np.searchsorted(ranked, text)]
        return np.ma.array(codes, mask=hidden) if hidden.any() else codes

    return Mapped(source, np.dtype(np.int64), convert)


def translated(source: Rows, values: np.ndarray, codes: np.ndarray) -> Rows:
    """Enumeration values as int64 codes: ``values[i]`` becomes ``codes[i]``; a value that is not there is masked."""
    order = np.argsort(values, kind="stable")
    known, out = values[order], codes[order]

    def convert(rows: np.ndarray, _: int) -> np.ndarray:
        hidden = np.ma.getmaskarray(rows)
        stated = np.ma.getdata(rows).astype(np.int64)
        if not len(known):
            return np.ma.masked_all(len(rows), dtype=np.int64)
        at = np.minimum(np.searchsorted(known, stated), len(known) - 1)
        hidden = hidden | (known[at] != stated)
        return np.ma.array(out[at], mask=hidden) if hidden.any() else out[at]

    return Mapped(source, np.dtype(np.int64), convert)
