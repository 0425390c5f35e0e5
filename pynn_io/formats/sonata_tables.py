"""SONATA node and edge files: what populations an HDF5 file holds, and their columns as row sources.

Every dialect is accepted, and named per population: ``aibs-legacy`` (names of 2017-18: ``indicies``, ``network``,
``positions``, ``gids``, ``sec_id``), ``aibs`` (Allen and BMTK), ``spec-0.1`` (``node_id_to_ranges`` with group columns)
and ``obi`` (no types file, attributes in group 0, ``@library``). Specification: "SONATA file format", version 0.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_csv import TypesTable, parse_types, read_types
from pynn_io.formats.sonata_rows import (
    GroupedRows,
    H5Rows,
    Mapped,
    Rows,
    blocks,
    coded,
    integers,
    open_h5,
    text_levels,
    translated,
)

__all__ = ["H5Attribute", "H5Column", "H5Population", "TypesTable", "parse_types", "read_types", "scan", "units_of"]

MAGIC = 0x0A7A
LIBRARY = "@library"
DYNAMICS = "dynamics_params"
_INDICES = ("indices", "indicies")
#: Old names of columns, and what they are called now.
LEGACY = {"sec_id": "afferent_section_id", "sec_x": "afferent_section_pos", "position": "positions"}
_LEGACY_IDS = ("gids", "gid")
_STRUCTURE = {
    "nodes": ("node_id", "node_type_id", "node_group_id", "node_group_index"),
    "edges": ("source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index"),
}


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
    gathering is needed. pre, post: names of the node populations (edges). leftovers: ``(path, what it is)`` of what
    this reader does not know.
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
        return H5Rows(self.file, part.dataset, part.size, part.dtype)

    def _enumerated(self, part: H5Attribute, levels: tuple[str, ...]) -> Rows:
        codes = np.array([levels.index(name) for name in part.names or ()], dtype=np.int64)
        return translated(self._part(part), np.array(part.values, dtype=np.int64), codes)

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
        index = self.integers(self._group_key("index"))
        if index is None:
            raise ReadError("several attribute groups, but no group index", where=self.where)
        dtype = np.result_type(*(part.dtype for part in parts.values())) if len(parts) > 1 else None
        dtype = dtype or next(iter(parts.values())).dtype
        return GroupedRows(self._group_rows(index), index, parts, np.dtype(dtype), column.trailing)

    def _group_rows(self, index: Rows) -> Rows:
        group = self.integers(self._group_key("id"))
        if group is not None:
            return group
        only = self.groups[0]
        return Mapped(index, np.dtype(np.int64), lambda rows, _: np.full(len(rows), only))

    def _group_key(self, what: str) -> str:
        return f"{self.root[:-1]}_group_{what}"

    def _check_lengths(self, column: H5Column) -> None:
        for group, part in column.parts.items():
            needed = self.size if self.direct else self._needed(group)
            wrong = part.size != needed if self.direct else part.size < needed
            if wrong:
                raise ReadError(
                    f"it has {part.size} rows, its group needs {needed}",
                    where=f"{self.file}:{part.dataset}",
                    hint="the file was cut short, or the attribute belongs to another population",
                )

    def _needed(self, group: int) -> int:
        index = self.integers(self._group_key("index"))
        if index is None:
            return self.size
        needed = 0
        numbers = self._group_rows(index)
        with numbers.open() as group_of:
            for start, rows in blocks(index):
                mine = rows[group_of(start, start + len(rows)) == group]
                if len(mine):
                    needed = max(needed, int(mine.max()) + 1)
        return needed


def units_of(column: H5Column) -> str:
    """The ``units`` attribute of a column; empty where there is none."""
    return str(column.attrs.get("units", ""))


def scan(path: Path, root: str) -> tuple[H5Population, ...]:
    """Every population under ``/nodes`` or ``/edges`` of a file.

    Raises ReadError: no such file, not HDF5, wrong magic, no such group, a structural dataset that is missing, of wrong
    type or of wrong length.
    """
    with open_h5(path) as handle:
        version = _check_magic(handle, path)
        top = handle.get(root)
        if not isinstance(top, h5py.Group) or not len(top):
            raise ReadError(f"there is no population under /{root}", where=f"{path}:/{root}")
        extra = _file_leftovers(handle, root)
        found = [
            _population(path, root, name, group, version, extra if not i else ())
            for i, (name, group) in enumerate(top.items())
            if isinstance(group, h5py.Group)
        ]
    return tuple(found)


def _check_magic(handle: h5py.File, path: Path) -> tuple[int, ...] | None:
    if "magic" in handle.attrs:
        magic = handle.attrs["magic"]
        if np.size(magic) != 1 or np.asarray(magic).dtype.kind not in "iuf" or int(np.ravel(magic)[0]) != MAGIC:
            raise ReadError(
                f"the attribute magic is {magic}, not {MAGIC} (0x0A7A): this is not a SONATA file", where=f"{path}:/"
            )
    version = handle.attrs.get("version")
    return None if version is None else tuple(int(part) for part in np.ravel(version))


def _file_leftovers(handle: h5py.File, root: str) -> tuple[tuple[str, str], ...]:
    unknown = [(f"/{key}", "group or dataset") for key in handle if key not in ("nodes", "edges")]
    unknown += [(f"/@{key}", "attribute") for key in handle.attrs if key not in ("magic", "version")]
    return tuple(unknown + [(f"/{root}/@{key}", "attribute") for key in handle[root].attrs])


def _population(
    path: Path, root: str, name: str, group: h5py.Group, version: tuple[int, ...] | None, extra: tuple[Any, ...]
) -> H5Population:
    where = f"{path}:{group.name}"
    structure, legacy = _structure(group, root, path)
    numbers = tuple(sorted(int(key) for key in group if key.isdecimal() and isinstance(group[key], h5py.Group)))
    size = _size(structure, group, numbers, root, where)
    columns, dynamics, leftovers, old = _columns(group, numbers, path)
    leftovers += [(f"{group.name}/{key}", "group or dataset") for key in group if not _known(key, root)]
    leftovers += [(f"{group.name}/@{key}", "attribute") for key in group.attrs if key != "section_order"]
    ends = _ends(group, name) if root == "edges" else ("", "", False)
    record = H5Population(
        file=path,
        root=root,
        name=name,
        size=size,
        dialect="",
        structure=structure,
        groups=numbers,
        columns=columns,
        dynamics=dynamics,
        direct=False,
        pre=ends[0],
        post=ends[1],
        section_order=_text(group.attrs.get("section_order", "")),
        version=version,
        leftovers=(*extra, *leftovers),
    )
    dialect = _dialect(group, root, numbers, legacy or old or ends[2])
    return _replace(record, dialect=dialect, direct=_is_direct(record))


def _replace(record: H5Population, **changes: Any) -> H5Population:
    import dataclasses

    return dataclasses.replace(record, **changes)


def _known(key: str, root: str) -> bool:
    return key in _STRUCTURE[root] or key in _INDICES or key.isdecimal() or (root == "nodes" and key in _LEGACY_IDS)


def _structure(group: h5py.Group, root: str, path: Path) -> tuple[dict[str, H5Attribute], bool]:
    found: dict[str, H5Attribute] = {}
    legacy = False
    for key in _STRUCTURE[root]:
        names = (key, *(_LEGACY_IDS if key == "node_id" else ()))
        name = next((name for name in names if name in group), None)
        if name is None:
            continue
        legacy = legacy or name != key
        part = _attribute(group[name])
        if part is None:
            continue
        if part.trailing or part.text or part.dtype.kind not in "iuf":
            raise ReadError(f"must be a column of integers, not {part.dtype}", where=f"{path}:{part.dataset}")
        found[key] = part
    return found, legacy


def _size(
    structure: Mapping[str, H5Attribute], group: h5py.Group, numbers: tuple[int, ...], root: str, where: str
) -> int:
    if root == "edges":
        for key in ("source_node_id", "target_node_id"):
            if key not in structure:
                raise ReadError(f"the edge population has no {key}", where=where)
    if not structure:
        parts = [_attribute(item) for item in group[str(numbers[0])].values()] if len(numbers) == 1 else []
        sizes = {part.size for part in parts if part is not None}
        if len(sizes) != 1:
            raise ReadError(
                "the population has no node_type_id, so it is not known how many nodes it has",
                where=where,
                hint="a node population needs a node_type_id dataset with one row a node (-1 where there is no type)",
            )
        return sizes.pop()
    first = next(iter(structure.values()))
    for part in structure.values():
        if part.size != first.size:
            raise ReadError(
                f"{part.dataset.rpartition('/')[2]} has {part.size} rows, {first.dataset.rpartition('/')[2]} has "
                f"{first.size}",
                where=f"{where.rpartition(':')[0]}:{part.dataset}",
            )
    return first.size


def _attribute(item: Any, library: Mapping[str, h5py.Dataset] | None = None) -> H5Attribute | None:
    """A dataset as a record; None for a group, a scalar or an empty dataset (it states nothing)."""
    if not isinstance(item, h5py.Dataset) or not item.shape:
        return None
    text = h5py.check_string_dtype(item.dtype) is not None
    names, values = None, ()
    enum = h5py.check_enum_dtype(item.dtype)
    key = item.name.rpartition("/")[2]
    if library is not None and key in library and not text:
        names = tuple(str(name) for name in library[key].asstr()[:])
        values = tuple(range(len(names)))
    elif enum is not None:
        names, values = tuple(enum), tuple(int(value) for value in enum.values())
    dtype = np.dtype(object) if text else np.dtype(item.dtype.str)
    return H5Attribute(item.name, item.shape[0], dtype, item.shape[1:], text, names, tuple(values))


def _columns(
    population: h5py.Group, numbers: tuple[int, ...], path: Path
) -> tuple[dict[str, H5Column], dict[str, H5Column], list[tuple[str, str]], bool]:
    columns: dict[str, dict[int, h5py.Dataset]] = {}
    dynamics: dict[str, dict[int, h5py.Dataset]] = {}
    parts: dict[str, H5Attribute] = {}
    leftovers: list[tuple[str, str]] = []
    for number in numbers:
        group = population[str(number)]
        leftovers += [(f"{group.name}/@{key}", "attribute") for key in group.attrs]
        for into, holder in ((columns, group), (dynamics, group.get(DYNAMICS))):
            if not isinstance(holder, h5py.Group):
                continue
            library = {k: v for k, v in holder[LIBRARY].items() if v.shape} if LIBRARY in holder else {}
            for key, item in holder.items():
                part = _attribute(item, library)
                if part is not None:
                    into.setdefault(key, {})[number] = item
                    parts[item.name] = part
                elif isinstance(item, h5py.Group) and key not in (LIBRARY, DYNAMICS):
                    leftovers.append((item.name, "group"))
            leftovers += [(f"{holder.name}/{LIBRARY}/{key}", "enumeration") for key in library if key not in holder]
    old = any(key in LEGACY or key == "positions" for key in columns)
    return _named(columns, parts), _named(dynamics, parts), leftovers, old


def _named(found: dict[str, dict[int, h5py.Dataset]], parts: Mapping[str, H5Attribute]) -> dict[str, H5Column]:
    out: dict[str, H5Column] = {}
    for key, items in found.items():
        name = LEGACY.get(key, key)
        name = key if name in found else name
        attrs = {attr: _text(value) for item in items.values() for attr, value in item.attrs.items()}
        out[name] = H5Column(name, {number: parts[item.name] for number, item in items.items()}, attrs, key)
    return out


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _ends(group: h5py.Group, name: str) -> tuple[str, str, bool]:
    """Names of the node populations: ``node_population``, its old name ``network``, or from the edge population's."""
    out, legacy = [], False
    split = name.split("__") if name.count("__") >= 1 else name.split("_to_", 1)
    for side, key in enumerate(("source_node_id", "target_node_id")):
        attrs = group[key].attrs if key in group else {}
        stated = attrs.get("node_population", attrs.get("network"))
        legacy = legacy or "node_population" not in attrs
        out.append(str(_text(stated)) if stated is not None else split[side] if len(split) > 1 else "")
    return out[0], out[1], legacy


def _dialect(group: h5py.Group, root: str, numbers: tuple[int, ...], legacy: bool) -> str:
    kind = root[:-1]
    if "indicies" in group or legacy:
        return "aibs-legacy"
    index = group.get("indices")
    tables = [side for side in index.values() if isinstance(side, h5py.Group)] if index is not None else []
    allen = any("node_id_to_range" in side for side in tables)
    standard = any("node_id_to_ranges" in side for side in tables)
    library = any(LIBRARY in group[str(number)] for number in numbers)
    grouped = f"{kind}_group_index" in group
    types = group.get(f"{kind}_type_id")
    untyped = types is None or (types.shape and types.shape[0] and int(types[0]) == -1)
    if allen and not standard:
        return "aibs"
    if library or untyped or not grouped:
        return "obi"
    return "spec-0.1" if standard else "aibs"


def _is_direct(record: H5Population) -> bool:
    """Whether the rows of the one attribute group are the population's rows, in order. Checks group numbers on the way.

    One pass over the two group columns, in blocks; compared as they are stored.
    """
    prefix = record.root[:-1]
    numbers = record.integers(f"{prefix}_group_id")
    index = record.integers(f"{prefix}_group_index")
    if numbers is not None:
        _check_groups(record, numbers, f"{prefix}_group_id")
    if len(record.groups) > 1 and (numbers is None or index is None):
        if not any(len(column.parts) for column in (*record.columns.values(), *record.dynamics.values())):
            return True
        raise ReadError(
            f"{len(record.groups)} attribute groups, but no {prefix}_group_id or {prefix}_group_index",
            where=record.where,
        )
    if index is None:
        return True
    if len(record.groups) > 1 and not _one_group(numbers):
        return False
    return all(_counts_up(rows, start) for start, rows in blocks(index)) and len(record.groups) <= 1


def _counts_up(rows: np.ndarray, start: int) -> bool:
    return bool((rows == np.arange(start, start + len(rows))).all())


def _one_group(numbers: Rows | None) -> bool:
    if numbers is None:
        return True
    seen: set[int] = set()
    for _, rows in blocks(numbers):
        seen |= {int(rows.min()), int(rows.max())}
        if len(seen) > 1:
            return False
    return True


def _check_groups(record: H5Population, numbers: Rows, key: str) -> None:
    low, high = 0, -1
    known = set(record.groups)
    seen: set[int] = set()
    for _, rows in blocks(numbers):
        low, high = int(rows.min()), int(rows.max())
        seen |= {low, high} if high - low <= 1 else set(np.unique(rows).tolist())
    for number in sorted(seen - known):
        raise ReadError(f"attribute group {number} is used, but does not exist", where=record.at(key))
