"""The records that `pynn_io.formats.sonata_tables` makes of an HDF5 file: populations and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_rows import (
    GroupedRows,
    H5Rows,
    Mapped,
    Rows,
    blocks,
    coded,
    integers,
    text_levels,
    translated,
)


@dataclass(frozen=True, slots=True)
class H5Attribute:
    """One dataset of one attribute group."""

    dataset: str
    size: int
    dtype: np.dtype
    trailing: tuple[int, ...]
    text: bool
    names: tuple[str, ...] | None = None  # of an enumeration
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class H5Column:
    """One attribute of a population: the dataset in every group that has it, by group number."""

    name: str
    parts: Mapping[int, H5Attribute]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    source_name: str = ""

    @property
    def is_text(self) -> bool:
        return any(part.text or part.names is not None for part in self.parts.values())

    @property
    def trailing(self) -> tuple[int, ...]:
        return next(iter(self.parts.values())).trailing


@dataclass(frozen=True, slots=True)
class H5Population:
    """One population of a file.

    root: ``nodes`` or ``edges``. structure: dataset path of each structural dataset that is there (``node_id`` ...).
    groups: numbers of the attribute groups. direct: rows of the one group are the population's rows in order, so no
    gathering is needed; else needed says how many rows each group must have. pre, post: names of the node populations
    (edges). leftovers: ``(path, what it is)`` of what this reader does not know.
    """

    file: Path
    root: str
    name: str
    size: int
    dialect: str
    structure: Mapping[str, H5Attribute]
    groups: tuple[int, ...]
    columns: Mapping[str, H5Column]
    dynamics: Mapping[str, H5Column]
    direct: bool
    needed: Mapping[int, int] = field(default_factory=dict)
    pre: str = ""
    post: str = ""
    section_order: str = ""
    version: tuple[int, ...] | None = None
    leftovers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        return f"/{self.root}/{self.name}"

    @property
    def where(self) -> str:
        return f"{self.file}:{self.path}"

    def at(self, key: str) -> str:
        """``file:/hdf5/path`` of a structural dataset."""
        return f"{self.file}:{self.structure[key].dataset}" if key in self.structure else self.where

    def rows(self, key: str) -> Rows | None:
        """A structural dataset as stored; None if it is not there."""
        if key not in self.structure:
            return None
        part = self.structure[key]
        return H5Rows(self.file, part.dataset, part.size, part.dtype)

    def integers(self, key: str) -> Rows | None:
        """A structural dataset as int64; None if it is not there."""
        rows = self.rows(key)
        return None if rows is None else integers(rows, self.at(key))

    def column(self, column: H5Column) -> tuple[Rows, tuple[str, ...] | None]:
        """The rows of an attribute, and for strings and enumerations the levels that they are codes into.

        Raises ReadError if the dataset has more or fewer rows than its group.
        """
        self._check_lengths(column)
        if not column.is_text:
            return self._spread({group: self._part(part) for group, part in column.parts.items()}, column), None
        if all(part.names is not None for part in column.parts.values()):
            levels = tuple(dict.fromkeys(name for part in column.parts.values() for name in part.names or ()))
            sources = {group: self._enumerated(part, levels) for group, part in column.parts.items()}
            return self._spread(sources, column), levels
        sources = {group: self._decoded(part) for group, part in column.parts.items()}
        text = self._spread(sources, column)
        levels = text_levels(text)
        return coded(text, levels), levels

    def bad_codes(self, column: H5Column) -> int:
        """How many values of an ``@library`` or HDF5 enumeration column are outside it."""
        count = 0
        for part in column.parts.values():
            if part.names is not None:
                rows = self._enumerated(part, part.names)
                count += sum(int(np.ma.getmaskarray(block).sum()) for _, block in blocks(rows))
        return count

    def _part(self, part: H5Attribute) -> Rows:
        return H5Rows(self.file, part.dataset, part.size, part.dtype, part.trailing)

    def _enumerated(self, part: H5Attribute, levels: tuple[str, ...]) -> Rows:
        codes = np.array([levels.index(name) for name in part.names or ()], dtype=np.int64)
        codes_of = integers(self._part(part), f"{self.file}:{part.dataset}", gaps=True)
        return translated(codes_of, np.array(part.values, dtype=np.int64), codes)

    def _decoded(self, part: H5Attribute) -> Rows:
        if part.names is None:
            return self._part(part)
        names = np.array([*part.names, ""], dtype=object)

        def decode(rows: np.ndarray, _: int) -> np.ndarray:
            return np.ma.array(names[np.ma.filled(rows, len(names) - 1)], mask=np.ma.getmaskarray(rows))

        return Mapped(self._enumerated(part, part.names), np.dtype(object), decode)

    def _spread(self, parts: dict[int, Rows], column: H5Column) -> Rows:
        if self.direct and len(parts) == 1:
            return next(iter(parts.values()))
        index, group = self.indices()
        dtype = np.result_type(*(part.dtype for part in parts.values())) if len(parts) > 1 else None
        dtype = dtype or next(iter(parts.values())).dtype
        return GroupedRows(group, index, parts, np.dtype(dtype), column.trailing)

    def indices(self) -> tuple[Rows, Rows]:
        """The group index and the group number of every row, int64. Raises ReadError if there is no group index."""
        prefix = self.root[:-1]
        index, group = self.integers(f"{prefix}_group_index"), self.integers(f"{prefix}_group_id")
        if index is None:
            raise ReadError("several attribute groups, but no group index", where=self.where)
        if group is None:
            only = self.groups[0] if self.groups else 0
            group = Mapped(index, np.dtype(np.int64), lambda rows, _: np.full(len(rows), only))
        return index, group

    def _check_lengths(self, column: H5Column) -> None:
        for group, part in column.parts.items():
            needed = self.size if self.direct else self.needed.get(group, 0)
            if part.size < needed or (self.direct and part.size > needed):
                reason = "the population has" if self.direct else f"{self.root[:-1]}_group_index asks for"
                raise ReadError(
                    f"it has {part.size} rows, {reason} {needed}",
                    where=f"{self.file}:{part.dataset}",
                    hint="the file was cut short, or the attribute belongs to another population",
                )


def units_of(column: H5Column) -> str:
    """The ``units`` attribute of a column; empty where there is none."""
    return str(column.attrs.get("units", ""))
