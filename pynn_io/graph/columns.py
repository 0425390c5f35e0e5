"""Columns: how the graph holds bulk data, from one number for a million edges to a file that is never read whole.

A `Column` is a scalar (stated once), an array, or a `ChunkSource` (rows read from a file when asked for). Strings are
coded: integer ``data`` into ``levels``. Rows that the source does not state are masked (`numpy.ma`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

EMPTY: Mapping[Any, Any] = MappingProxyType({})


def empty() -> Mapping[Any, Any]:
    """The empty mapping, as a dataclass default."""
    return EMPTY


#: Rows read at a time wherever a table is streamed. A block of four columns then fits the processor's cache: 2**20 rows
#: took half as long again (benchmarks/bench_sonata_read.py).
BLOCK = 2**18

Scalar: TypeAlias = bool | int | float | str
#: Reads rows ``start:stop``, in order, as an array whose first axis has ``stop - start`` entries.
RowReader: TypeAlias = Callable[[int, int], np.ndarray]


@runtime_checkable
class ChunkSource(Protocol):
    """Rows in a file. It holds no handle: each pass opens it again, and it can be opened any number of times."""

    @property
    def size(self) -> int:
        """How many rows there are."""

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the rows it gives."""

    def open(self) -> AbstractContextManager[RowReader]:
        """A reader for one pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One attribute of every row of a `Table`.

    data: a scalar, an array with one row first axis (read-only, masked where not stated), or a `ChunkSource`.
    unit: a symbol of `pynn_io.units`; empty for numbers without one and for extra columns.
    extra: not part of the schema; kept for whoever understands it.
    levels: for a column of strings, the distinct strings; ``data`` then holds integers into it.
    """

    data: Any
    unit: str = ""
    extra: bool = False
    levels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.data, np.generic):
            object.__setattr__(self, "data", self.data.item())
        elif isinstance(self.data, np.ndarray):
            data = self.data.view()
            data.flags.writeable = False
            object.__setattr__(self, "data", data)

    @property
    def is_scalar(self) -> bool:
        return isinstance(self.data, (bool, int, float, str))

    @property
    def is_lazy(self) -> bool:
        return not self.is_scalar and not isinstance(self.data, np.ndarray)

    @property
    def dtype(self) -> np.dtype:
        return np.asarray(self.data).dtype if self.is_scalar else self.data.dtype

    @property
    def is_text(self) -> bool:
        return self.levels is not None or self.dtype.kind in "UOST"

    @property
    def value(self) -> Scalar:
        """The one value of a scalar column (the string itself for a coded one)."""
        if not self.is_scalar:
            raise TypeError("not a scalar column")
        return self.levels[self.data] if self.levels is not None else self.data

    def rows_stated(self, size: int) -> int:
        """How many of ``size`` rows state a value."""
        if isinstance(self.data, np.ma.MaskedArray):
            return int(self.data.count(axis=0).min()) if self.data.ndim > 1 else int(self.data.count())
        return size

    def open(self) -> AbstractContextManager[RowReader]:
        """A reader of row blocks for one pass: ``with column.open() as read: read(0, 10)``."""
        if self.is_lazy:
            return self.data.open()
        return _OpenMemory(self.data)

    def read(self, size: int) -> np.ndarray:
        """All ``size`` rows as one array (codes for a coded column). A scalar is repeated without copying."""
        if isinstance(self.data, np.ndarray):
            return self.data
        with self.open() as rows:
            return rows(0, size)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Strings for the codes of a coded column; anything else unchanged."""
        if self.levels is None:
            return codes
        values = np.asarray(self.levels or ("",), dtype=object)[np.ma.filled(codes, 0)]
        return np.ma.array(values, mask=np.ma.getmaskarray(codes)) if np.ma.isMaskedArray(codes) else values

    def values(self, size: int) -> np.ndarray:
        """All rows, strings as strings. For small tables and tests: it makes an object a row for strings."""
        return self.decode(self.read(size))

    def take(self, rows: np.ndarray, size: int) -> Column:
        """The column of the selected rows. A scalar stays one; a lazy column is read."""
        if self.is_scalar:
            return self
        return replace(self, data=self.read(size)[rows])

    def with_data(self, data: Any) -> Column:
        return replace(self, data=data)


class _OpenMemory:
    """Row blocks of data that is in memory already."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __enter__(self) -> RowReader:
        data = self._data
        if isinstance(data, np.ndarray):
            return lambda start, stop: data[start:stop]
        value = np.asarray(data)
        return lambda start, stop: np.broadcast_to(value, (stop - start,))

    def __exit__(self, *_: object) -> None:
        return None


def text_column(values: Iterable[object] | np.ndarray, *, extra: bool = False) -> Column:
    """A coded column from strings; None entries are masked; levels are in order of first appearance.

    Strings are compared as numpy does, without trailing NUL characters (HDF5 cannot store those either).
    """
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=object)
    missing = np.asarray(np.equal(array, np.array(None, dtype=object)), dtype=bool)
    text = np.where(missing, "", array).astype(str)
    levels, first, codes = np.unique(text, return_index=True, return_inverse=True)
    if missing.any():
        keep = np.isin(levels, text[~missing])
    else:
        keep = np.ones(len(levels), dtype=bool)
    order = np.argsort(np.where(keep, first, len(text) + 1), kind="stable")
    rank = np.empty(len(levels), dtype=np.int64)
    rank[order] = np.arange(len(levels))
    data = rank[codes.reshape(-1)]
    if missing.any():
        data = np.ma.array(np.where(missing, 0, data), mask=missing)
    names = tuple(str(levels[i]) for i in order[: int(keep.sum())])
    return Column(data, extra=extra, levels=names)


class Table(Mapping[str, Column]):
    """Named columns over the same rows. Immutable; order of columns is kept.

    Raises ValueError if an array or a source does not have ``size`` rows.
    """

    __slots__ = ("_columns", "size")

    def __init__(self, size: int, columns: Mapping[str, Column] | None = None) -> None:
        self.size = int(size)
        self._columns = MappingProxyType(dict(columns or {}))
        for name, column in self._columns.items():
            if column.is_scalar:
                continue
            rows = column.data.size if column.is_lazy else column.data.shape[0]
            if rows != self.size:
                raise ValueError(f"column {name!r} has {rows} rows, the table {self.size}")

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Table({self.size} rows: {', '.join(self._columns) or 'no columns'})"

    def read(self, name: str) -> np.ndarray:
        """All rows of one column (codes for strings)."""
        return self._columns[name].read(self.size)

    def values(self, name: str | None = None) -> Any:  # type: ignore[override]
        """All rows of one column, strings as strings; without a name, the columns, as of any mapping."""
        if name is None:
            return self._columns.values()
        return self._columns[name].values(self.size)

    def updated(self, columns: Mapping[str, Column | None]) -> Table:
        """A copy with columns replaced or added, or dropped where None."""
        merged = {**self._columns, **columns}
        return Table(self.size, {name: column for name, column in merged.items() if column is not None})

    def take(self, rows: np.ndarray) -> Table:
        """The table of the selected rows (integer indices or a boolean mask)."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
        return Table(len(rows), {name: column.take(rows, self.size) for name, column in self._columns.items()})

    def blocks(
        self, names: Sequence[str] | None = None, *, block: int = BLOCK
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """``(start, stop, {name: rows})`` over the whole table, each file opened once for the pass."""
        _keep_freed_blocks()
        wanted = list(self._columns) if names is None else list(names)
        with ExitStack() as stack:
            readers = {name: stack.enter_context(self._columns[name].open()) for name in wanted}
            for start in range(0, self.size, block):
                stop = min(start + block, self.size)
                yield start, stop, {name: read(start, stop) for name, read in readers.items()}


@cache
def _keep_freed_blocks() -> None:
    """Let the memory of one block serve the next one.

    glibc hands blocks of this size back to the kernel when they are freed, and clearing new pages then takes longer
    than reading the rows (three times, measured). It stops doing so for sizes below the largest block that was freed
    once (mallopt(3), M_MMAP_THRESHOLD: up to 32 MB); these 30 MB are never touched, so they cost nothing.
    """
    np.empty(30 * 2**20, dtype=np.uint8)


class ArrayChunks:
    """A `ChunkSource` over an array in memory: for tests, and where one interface should serve both."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return int(self._data.shape[0])

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    def open(self) -> AbstractContextManager[RowReader]:
        return _OpenMemory(self._data)
