"""Tables of the graph from DataArrays and properties of a NIX file: those of cells in memory, those of edges lazy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.nix import array_rows, child, damage, decode_name, read_array, read_levels, symbol_of
from pynn_io.formats.nix_layout import SCALARS, SOURCE, TABLE, TARGET, TYPES, array_name, group_name, names_in_file
from pynn_io.formats.nix_values import read_mapping
from pynn_io.formats.sonata_rows import Lookup, Mapped, Rows, read_all, to_rows
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.network import Edges, Population, Projection


class Place(NamedTuple):
    """The file, its block with arrays, and the name of the group of arrays that is read."""

    path: Path
    block: Any
    group: str

    @property
    def where(self) -> str:
        return f"{self.path}:/data/{self.block.name}/groups/{self.group}"

    def has(self, column: str) -> bool:
        return array_name(self.group, column) in self.block.data_arrays

    def rows(self, column: str, size: int) -> Rows:
        """The rows of one column. Raises ReadError where there is none, or another number of rows."""
        name = array_name(self.group, column)
        rows = array_rows(self.path, self.block, name)
        if rows.size != size:
            where = f"{self.path}:/data/{self.block.name}/data_arrays/{name}"
            raise ReadError(f"it has {rows.size} rows, and should have {size}", where=where)
        return rows

    def read(self, column: str) -> np.ndarray:
        """All rows of one column."""
        return read_array(self.path, self.block, array_name(self.group, column))


def read_population(section: Any, where: str, path: Path, block: Any) -> Population:
    """What `write_population` of the exporter wrote; ``where`` is the section's place. Raises ReadError."""
    stated = _head(section, where, {"name": str, "size": int})
    name, size = stated["name"], stated["size"]
    types = read_table(section, where, TYPES, Place(path, block, group_name("node_types", name)), "node_type_id")
    nodes = Place(path, block, group_name("nodes", name))
    table = read_table(section, where, TABLE, nodes, "node_id", size=size)
    index = _type_index(stated, nodes, "node_type", types, size)
    return Population(name, size, types, index.with_data(index.read(size)) if index.is_lazy else index, table)


def read_projection(section: Any, where: str, path: Path, block: Any, ends: Mapping[str, Population]) -> Projection:
    """What `write_projection` of the exporter wrote; its edges stay in the file. Raises ReadError."""
    texts = ("name", "pre", "post", "kind", "section_order")
    stated = _head(section, where, {**dict.fromkeys(texts, str), "size": int})
    name, pre, post, kind, order = (stated[each] for each in texts)
    size = stated["size"]
    for end in (pre, post):
        if end not in ends:
            raise ReadError(f"there is no population {end!r}", where=where)
    types = read_table(section, where, TYPES, Place(path, block, group_name("edge_types", name)), "edge_type_id")
    group = Place(path, block, group_name("edges", name))
    table = read_table(section, where, TABLE, group, "edge_id", size=size, lazy=True)
    source, target = (_end(stated, group, *end, size) for end in ((SOURCE, ends[pre]), (TARGET, ends[post])))
    index = _type_index(stated, group, "edge_type", types, size)
    return Projection(name, pre, post, types, Edges(source, target, table), index, kind, order)


def _head(section: Any, where: str, expected: Mapping[str, type]) -> dict[str, Any]:
    """The properties of a section, those that are expected among them."""
    stated = read_mapping(section, where.rpartition("/")[0])
    for name, kind in expected.items():
        if type(stated.get(name)) is not kind:
            raise ReadError(f"{name!r} must be {kind.__name__}, here it is {stated.get(name)!r}", where=where)
    return stated


def read_table(
    holder: Any, where: str, name: str, place: Place, identifier: str, *, size: int | None = None, lazy: bool = False
) -> Table:
    """The table that the section ``name`` of a population lists, columns in order; ``where``: the population's place.

    identifier: what the column ``id`` is called in the file. size: the rows that it must have. Raises ReadError.
    """
    section = child(holder.sections, name, where)
    stated = read_mapping(section, where)
    where = f"{where}/{name}"
    rows = stated.get("size")
    if not isinstance(rows, int) or rows < 0 or rows != (rows if size is None else size):
        raise ReadError(f"a number of rows is expected, here it is {rows!r}", where=f"{where}/size")
    names, extra, coded = (_names(stated, each, where) for each in ("columns", "extra", "coded"))
    below = child(section.sections, SCALARS, where)
    scalars = read_mapping(below, where)
    with damage(where):
        units = {decode_name(entry.name): symbol_of(entry.unit) for entry in below.props}
    called = names_in_file(names, identifier)
    columns = {}
    for each in names:
        if each in scalars:
            column = Column(0, levels=(scalars[each],)) if each in coded else Column(scalars[each])
            columns[each] = replace(column, unit=units.get(each, ""), extra=each in extra)
        else:
            columns[each] = _array(place, called[each], rows, each in extra, lazy)
    return Table(rows, columns)


def _names(stated: Mapping[str, Any], key: str, where: str) -> list[str]:
    names = stated.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ReadError("a list of names is expected", where=f"{where}/{key}")
    return names


def _array(place: Place, called: str, size: int, extra: bool, lazy: bool) -> Column:
    rows = place.rows(called, size)
    name = array_name(place.group, called)
    with damage(f"{place.where}/{name}"):
        unit = symbol_of(place.block.data_arrays[name].unit)
    levels = read_levels(place.path, place.block, name)
    if levels is not None:
        rows = _coded(rows, len(levels), f"{place.where}/{name}")
    return Column(rows if lazy else read_all(rows), unit, extra, levels)


def _coded(rows: Rows, levels: int, where: str) -> Rows:
    """Codes, each of which has a level."""
    if rows.dtype.kind not in "iu":
        raise ReadError(f"codes must be integers, not {rows.dtype}", where=where)

    def check(block: np.ndarray, start: int) -> np.ndarray:
        stated = np.ma.compressed(block) if np.ma.isMaskedArray(block) else block
        if len(stated) and not 0 <= int(stated.min()) <= int(stated.max()) < levels:
            raise ReadError(f"a code after row {start} is none of the {levels} levels", where=where)
        return block

    return Mapped(rows, rows.dtype, check)


def _end(stated: Mapping[str, Any], place: Place, called: str, population: Population, size: int) -> Column:
    """Rows of a population from its node ids."""
    lookup = Lookup(population.ids() if "id" in population.table else population.size, place.where)
    return _looked_up(stated, place, called, lookup, population.name, size)


def _type_index(stated: Mapping[str, Any], place: Place, what: str, types: Table, size: int) -> Column:
    """Rows of a table of types, from the types' ids or, where these do not tell them apart, as they are."""
    called = f"{what}_id"
    ids: np.ndarray | int
    if called not in stated and not place.has(called):
        called, ids = f"{what}_index", types.size
    elif "id" in types:
        ids = types.read("id")
    else:
        raise ReadError("there are no types with ids", where=f"{place.where}/{called}")
    return _looked_up(stated, place, called, Lookup(ids, place.where, "type"), "types", size)


def _looked_up(stated: Mapping[str, Any], place: Place, called: str, lookup: Lookup, table: str, size: int) -> Column:
    where = f"{place.where}/{called}"
    if called not in stated:
        return Column(to_rows(place.rows(called, size), lookup, where, table))
    value = stated[called]
    if not isinstance(value, int):
        raise ReadError(f"an id is expected, here it is {value!r}", where=where)
    if not size and not lookup.size:
        return Column(value)
    return Column(int(lookup.rows(np.asarray([value]), _missing(where, table))[0]))


def _missing(where: str, table: str) -> Any:
    return lambda _, value: ReadError(f"{value} is not one of the {table}", where=where)
