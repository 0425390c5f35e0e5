"""SONATA node and edge files: what populations an HDF5 file holds, and their columns as row sources.

Every dialect is accepted, and named per population: ``aibs-legacy`` (names of 2017-18: ``indicies``, ``network``,
``positions``, ``gids``, ``sec_id``), ``aibs`` (Allen and BMTK), ``spec-0.1`` (``node_id_to_ranges`` with group columns)
and ``obi`` (no types file, attributes in group 0, ``@library``). Specification: "SONATA file format", version 0.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import check_links, open_h5
from pynn_io.formats.sonata_csv import TypesTable, parse_types, read_types
from pynn_io.formats.sonata_population import H5Attribute, H5Column, H5Population, units_of
from pynn_io.formats.sonata_rows import H5Rows, blocks, counts_up, distinct

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


def scan(path: Path, root: str) -> tuple[H5Population, ...]:
    """Every population under ``/nodes`` or ``/edges`` of a file.

    Raises ReadError: no such file, not HDF5, wrong magic, no such group, a structural dataset that is missing, of wrong
    type or of wrong length.
    """
    with open_h5(path) as handle:
        version = _check_magic(handle, path)
        check_links(handle, path)
        top = handle.get(root)
        if isinstance(top, h5py.Group):
            check_links(top, path)
        groups = [item for item in top.values() if isinstance(item, h5py.Group)] if isinstance(top, h5py.Group) else []
        if not groups:
            raise ReadError(
                f"there is no population under /{root}",
                where=f"{path}:/{root}",
                hint=f"a file of {root} needs a group /{root}/<population>",
            )
        extra = _file_leftovers(handle, root)
        found = [
            _population(path, root, group.name.rpartition("/")[2], group, version, extra if not i else ())
            for i, group in enumerate(groups)
        ]
    return tuple(found)


def _check_magic(handle: h5py.File, path: Path) -> tuple[int, ...] | None:
    if "magic" in handle.attrs:
        magic = handle.attrs["magic"]
        if np.size(magic) != 1 or np.asarray(magic).dtype.kind not in "iuf" or np.ravel(magic)[0] != MAGIC:
            raise ReadError(
                f"the attribute magic is {magic}, not {MAGIC} (0x0A7A): this is not a SONATA file", where=f"{path}:/"
            )
    version = np.ravel(handle.attrs.get("version", ()))
    if version.dtype.kind not in "iuf" or not np.isfinite(version).all():
        raise ReadError(f"the attribute version is {version}, not two numbers", where=f"{path}:/")
    return tuple(int(part) for part in version) or None


def _file_leftovers(handle: h5py.File, root: str) -> tuple[tuple[str, str], ...]:
    unknown = [(f"/{key}", "group or dataset") for key in handle if key not in ("nodes", "edges")]
    unknown += [(f"/@{key}", "attribute") for key in handle.attrs if key not in ("magic", "version")]
    unknown += [(item.name, "dataset") for item in handle[root].values() if not isinstance(item, h5py.Group)]
    return tuple(unknown + [(f"/{root}/@{key}", "attribute") for key in handle[root].attrs])


def _population(
    path: Path, root: str, name: str, group: h5py.Group, version: tuple[int, ...] | None, extra: tuple[Any, ...]
) -> H5Population:
    where = f"{path}:{group.name}"
    check_links(group, path)
    structure, legacy = _structure(group, root, path)
    numbers = tuple(sorted(int(key) for key in group if _is_number(key)))
    for number in numbers:
        if not isinstance(group[str(number)], h5py.Group):
            raise ReadError("must be a group of attributes, not a dataset", where=f"{where}/{number}")
    size = _size(structure, group, numbers, root, where)
    numbers, unused = _used_groups(group, root, numbers, structure, path)
    columns, dynamics, leftovers, old = _columns(group, numbers, path)
    leftovers += unused
    leftovers += [(f"{group.name}/{key}", "group or dataset") for key in group if not _known(key, root)]
    leftovers += [(item.name, "dataset") for item in map(group.get, _INDICES) if isinstance(item, h5py.Dataset)]
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
    direct, needed = _layout(record)
    return dataclasses.replace(record, dialect=dialect, direct=direct, needed=needed)


def _used_groups(
    group: h5py.Group, root: str, numbers: tuple[int, ...], structure: Mapping[str, H5Attribute], path: Path
) -> tuple[tuple[int, ...], list[tuple[str, str]]]:
    """The attribute groups that rows refer to, and what is left out.

    A file for both worlds has all attributes in group 0 for libsonata, which does not look at ``node_group_id``, and
    what rows refer to in another: that view of the same content is no loss.
    """
    part = structure.get(f"{root[:-1]}_group_id")
    if len(numbers) < 2 or part is None or not part.size:
        return numbers, []
    used = distinct(H5Rows(path, part.dataset, part.size, part.dtype), f"{path}:{part.dataset}").tolist()
    kept = tuple(number for number in numbers if number in used)
    if not kept or any(number not in numbers for number in used):
        return numbers, []
    content = {name for number in kept for name in group[str(number)]}
    unused = [number for number in numbers if number not in kept and (number or not content <= set(group["0"]))]
    return kept, [(f"{group.name}/{number}", "attribute group that no row refers to") for number in unused]


def _is_number(key: str) -> bool:
    """Whether a name is a group number as everybody writes it: ``7``, not ``07``."""
    return key.isascii() and key.isdecimal() and str(int(key)) == key if len(key) < 20 else False


def _known(key: str, root: str) -> bool:
    return key in _STRUCTURE[root] or key in _INDICES or _is_number(key) or (root == "nodes" and key in _LEGACY_IDS)


def _structure(group: h5py.Group, root: str, path: Path) -> tuple[dict[str, H5Attribute], bool]:
    found: dict[str, H5Attribute] = {}
    empty: list[str] = []
    legacy = False
    for key in _STRUCTURE[root]:
        names = (key, *(_LEGACY_IDS if key == "node_id" else ()))
        name = next((name for name in names if name in group), None)
        if name is None:
            continue
        legacy = legacy or name != key
        part = _attribute(group[name])
        if part is None:
            if not isinstance(group[name], h5py.Dataset) or group[name].shape is not None:
                raise ReadError("must be a column of integers", where=f"{path}:{group[name].name}")
            empty.append(group[name].name)
            continue
        if part.trailing or part.text or part.dtype.kind not in "iuf":
            raise ReadError(f"must be a column of integers, not {part.dtype}", where=f"{path}:{part.dataset}")
        found[key] = part
    if empty and any(part.size for part in found.values()):
        raise ReadError("it holds nothing, and other columns of the population do", where=f"{path}:{empty[0]}")
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
    names: tuple[str, ...] | None = None
    values: tuple[int, ...] = ()
    enum = h5py.check_enum_dtype(item.dtype)
    key = item.name.rpartition("/")[2]
    if library is not None and key in library and not text:
        names = tuple(str(name) for name in library[key].asstr()[:])
        values = tuple(range(len(names)))
    elif enum is not None:
        names, values = tuple(enum), tuple(int(value) for value in enum.values())
    dtype = np.dtype(object) if text else np.dtype(item.dtype.str)
    return H5Attribute(item.name, item.shape[0], dtype, item.shape[1:], text, names, values)


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
            check_links(holder, path)
            library = _library(holder, path)
            for key, item in holder.items():
                part = _attribute(item, library)
                if part is not None and not part.text and part.dtype.kind not in "biuf":
                    leftovers.append((item.name, f"dataset of values that are no numbers or text ({item.dtype})"))
                elif part is not None and part.trailing and (part.text or part.names is not None):
                    leftovers.append((item.name, "table of text"))
                elif isinstance(item, h5py.Dataset) and item.shape == ():
                    leftovers.append((item.name, "dataset without rows"))
                elif part is not None:
                    into.setdefault(key, {})[number] = item
                    parts[item.name] = part
                elif isinstance(item, h5py.Group) and key not in (LIBRARY, DYNAMICS):
                    leftovers.append((item.name, "group"))
            leftovers += [(f"{holder.name}/{LIBRARY}/{key}", "enumeration") for key in library if key not in holder]
    old = any(key in LEGACY or key == "positions" for key in columns)
    return _named(columns, parts), _named(dynamics, parts), leftovers, old


def _library(holder: h5py.Group, path: Path) -> dict[str, h5py.Dataset]:
    """The enumerations of a group: lists of strings by name of their column (OBI extension)."""
    library = holder.get(LIBRARY)
    if library is None:
        return {}
    if not isinstance(library, h5py.Group):
        raise ReadError("must be a group of lists of strings", where=f"{path}:{library.name}")
    check_links(library, path)
    for item in library.values():
        text = isinstance(item, h5py.Dataset) and h5py.check_string_dtype(item.dtype) is not None
        if not text or (item.shape is not None and len(item.shape) != 1):
            raise ReadError("an enumeration must be a list of strings", where=f"{path}:{item.name}")
    return {key: item for key, item in library.items() if item.shape}


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
    tables = [side for side in index.values() if isinstance(side, h5py.Group)] if isinstance(index, h5py.Group) else []
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


def _layout(record: H5Population) -> tuple[bool, dict[int, int]]:
    """Whether the rows of the one attribute group are the population's rows, in order; else the rows each group needs.

    One pass over the two group columns, in blocks, compared as they are stored.
    """
    prefix = record.root[:-1]
    numbers, index = record.rows(f"{prefix}_group_id"), record.rows(f"{prefix}_group_index")
    if numbers is not None:
        used = distinct(numbers, record.at(f"{prefix}_group_id")).tolist()
        absent = [number for number in used if number not in record.groups]
        if absent:
            raise ReadError(
                f"attribute group {absent[0]} is used, but does not exist",
                where=record.at(f"{prefix}_group_id"),
                hint=f"add the group {record.path}/{absent[0]} (it may be empty), or correct the number",
            )
    several = len(record.groups) > 1
    if several and (numbers is None or index is None):
        if not record.columns and not record.dynamics:
            return True, {}
        raise ReadError(
            f"{len(record.groups)} attribute groups, but no {prefix}_group_id or {prefix}_group_index",
            where=record.where,
        )
    if not several and (index is None or counts_up(index)):
        return True, {}
    return False, _rows_needed(record, f"{prefix}_group_index")


def _rows_needed(record: H5Population, key: str) -> dict[int, int]:
    needed = dict.fromkeys(record.groups, 0)
    index, numbers = record.indices()
    with numbers.open() as group_of:
        for start, rows in blocks(index):
            groups = group_of(start, start + len(rows))
            if rows.min() < 0:
                row = int(np.argmin(rows))
                raise ReadError(f"row {start + row} has the group index {rows[row]}", where=record.at(key))
            for group in needed:
                needed[group] = max(needed[group], int(rows[groups == group].max(initial=-1)) + 1)
    return needed
