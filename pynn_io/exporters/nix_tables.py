"""Tables of the graph as columnar DataArrays of a NIX file, in blocks; what is stated once as properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pynn_io.formats.nix import ArrayWriter
from pynn_io.formats.nix_layout import (
    SCALARS,
    SOURCE,
    TABLE,
    TARGET,
    TYPES,
    array_name,
    group_name,
    kind,
    names_in_file,
)
from pynn_io.formats.nix_values import MAPPING, write_mapping, write_value
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.progress import Progress, quiet

#: Rows as they are stored, for a column that is stored otherwise than the graph has it.
Convert = Callable[[np.ndarray], np.ndarray]


def bytes_of(network: Network) -> int:
    """About how many bytes the rows of a network take in a file; the entities of NIX come on top."""
    tables = [population.table for population in network.populations.values()]
    tables += [projection.edges.columns for projection in network.projections.values()]
    columns = sum(_column_bytes(column, table.size) for table in tables for column in table.values())
    ends = sum(2 * np.dtype(np.uint64).itemsize * projection.size for projection in network.projections.values())
    return columns + ends


def _column_bytes(column: Column, size: int) -> int:
    if column.is_scalar:
        return 0
    return column.data.nbytes if isinstance(column.data, np.ndarray) else column.dtype.itemsize * size


class Place(NamedTuple):
    """Where arrays go: a block, the group that lists them, and their NIX type."""

    block: Any
    group: Any
    kind: str


def place(block: Any, what: str, key: str) -> Place:
    """The new group ``what:key``."""
    type_ = f"sonata.{what}"
    return Place(block, block.create_group(group_name(what, key), type_), type_)


def write_population(section: Any, block: Any, population: Population) -> None:
    """A population: its own section, and the groups ``nodes:<name>`` and ``node_types:<name>``."""
    write_mapping(section, {"name": population.name, "size": population.size})
    nodes = place(block, "nodes", population.name)
    index = {"node_type": population.type_index}
    _write_references(section, nodes, index, {"node_type": population.types}, population.size)
    write_table(section.create_section(TABLE, kind("table")), nodes, population.table, "node_id")
    types = place(block, "node_types", population.name)
    write_table(section.create_section(TYPES, kind("table")), types, population.types, "node_type_id")


def write_projection(
    section: Any, block: Any, projection: Projection, ends: Mapping[str, Table], progress: Progress
) -> None:
    """A projection: its own section, and the groups ``edges:<name>`` and ``edge_types:<name>``.

    ends: the tables of its two populations, whose ids stand for their rows.
    """
    names = ("name", "pre", "post", "kind", "section_order", "size")
    write_mapping(section, {name: getattr(projection, name) for name in names})
    edges = place(block, "edges", projection.name)
    columns = {SOURCE: projection.edges.source, TARGET: projection.edges.target, "edge_type": projection.type_index}
    tables = {SOURCE: ends[projection.pre], TARGET: ends[projection.post], "edge_type": projection.types}

    def told(_: str, done: float, total: float) -> None:
        progress(f"writing {projection.name}", done, total)

    _write_references(section, edges, columns, tables, projection.size)
    write_table(section.create_section(TABLE, kind("table")), edges, projection.edges.columns, "edge_id", told)
    types = place(block, "edge_types", projection.name)
    write_table(section.create_section(TYPES, kind("table")), types, projection.types, "edge_type_id")


def _write_references(
    section: Any, where: Place, columns: Mapping[str, Column], tables: Mapping[str, Table], size: int
) -> None:
    """Row numbers of other tables as their ids, unsigned as SONATA has them; types without unique ids by row."""
    arrays, converts = {}, {}
    for name, column in columns.items():
        ids = unique_ids(tables[name])
        if name in (SOURCE, TARGET):
            ids = tables[name].read("id") if "id" in tables[name] else np.arange(tables[name].size, dtype=np.int64)
            called = name
        else:
            called = f"{name}_index" if ids is None else f"{name}_id"
        if column.is_scalar:
            write_value(section, called, column.data if ids is None or not len(ids) else int(ids[column.data]))
            continue
        arrays[called], converts[called] = column, _to_ids(ids)
    write_arrays(where, arrays, size, converts)


def unique_ids(types: Table) -> np.ndarray | None:
    """The ids of a table of types, if there are any and they tell the types apart."""
    if "id" not in types or types["id"].dtype.kind not in "iu":
        return None
    ids = types.read("id")
    plain = not np.ma.isMaskedArray(ids) and ids.ndim == 1 and len(np.unique(ids)) == len(ids)
    return ids if plain and (not len(ids) or ids.min() >= 0) else None


def _to_ids(ids: np.ndarray | None) -> Convert:
    def convert(rows: np.ndarray) -> np.ndarray:
        stored = rows if ids is None else ids[rows]
        negative = stored.dtype.kind == "i" and len(stored) and stored.min() < 0
        return stored if negative else stored.astype(np.uint64)

    return convert


def write_table(section: Any, where: Place, table: Table, identifier: str, progress: Progress = quiet) -> None:
    """All columns of a table; ``identifier`` is what its column ``id`` is called."""
    write_value(section, "size", table.size)
    scalars = {name: column for name, column in table.items() if column.is_scalar}
    lists = {
        "columns": list(table),
        "extra": [name for name, column in table.items() if column.extra],
        "coded": [name for name, column in scalars.items() if column.levels is not None],
    }
    write_mapping(section, {name: listed for name, listed in lists.items() if listed})
    values = {name: column.value for name, column in scalars.items()}
    units = {name: column.unit for name, column in scalars.items()}
    write_mapping(section.create_section(SCALARS, MAPPING), values, units)
    names = names_in_file(table, identifier)
    arrays = {names[name]: column for name, column in table.items() if not column.is_scalar}
    write_arrays(where, arrays, table.size, {}, progress)


def write_arrays(
    where: Place,
    columns: Mapping[str, Column],
    size: int,
    converts: Mapping[str, Convert],
    progress: Progress = quiet,
) -> None:
    """Columns that are no scalars, by their names in the file, in one pass over blocks of rows."""
    table = Table(size, columns)
    writers: dict[str, ArrayWriter] = {}
    for _, stop, rows in table.blocks():
        for name, block in rows.items():
            block = converts[name](block) if name in converts else block
            if name not in writers:
                writers[name] = _writer(where, name, columns[name], block, size)
            writers[name].append(block)
        progress("", stop, size)
    for name, column in columns.items():
        if not size:
            empty = np.zeros(0, dtype=column.dtype)
            writers[name] = _writer(where, name, column, converts[name](empty) if name in converts else empty, 0)
        if column.levels is not None:
            writers[name].levels(column.levels)


def _writer(where: Place, name: str, column: Column, block: np.ndarray, size: int) -> ArrayWriter:
    return ArrayWriter(
        where.block,
        array_name(where.group.name, name),
        block.dtype,
        (size, *block.shape[1:]),
        kind=where.kind,
        group=where.group,
        unit=column.unit,
        label=name,
    )
