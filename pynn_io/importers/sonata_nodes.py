"""SONATA node populations -> `Population`, and their node types -> cell definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_rows import Lookup, is_range, read_all
from pynn_io.formats.sonata_tables import H5Population, TypesTable, read_types, scan
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.importers.sonata_context import (
    NOTHING,
    Context,
    free_name,
    h5_column,
    leftover,
    report_leftovers,
    take,
    types_column,
)
from pynn_io.importers.sonata_node_types import CELL_COLUMNS, CellMaker, Nodes, NodeType

#: Column names that the graph uses itself.
_RESERVED = ("id", "cell", "group")
_ENTRY = ("nodes_file", "node_types_file", "populations", "enabled")


def read_nodes(context: Context, entry: Mapping[str, Any], place: str, nodes: Nodes) -> None:
    """Read one entry of ``networks.nodes`` into ``nodes``."""
    where = f"{context.config.circuit_path}:{place}"
    leftover(context.report, where, take(entry, _ENTRY), "keys of a nodes entry")
    path = context.file_of(entry, "nodes_file")
    if path is None:
        raise ReadError("the entry names no 'nodes_file'", where=where)
    types_path = context.file_of(entry, "node_types_file")
    types = read_types(types_path, "node_type_id") if types_path else None
    for record in wanted(context, scan(path, "nodes"), entry, where):
        if record.name in nodes.populations:
            raise ReadError(f"the node population {record.name!r} is in two files", where=record.where)
        properties = (entry.get("populations") or {}).get(record.name) or {}
        report_leftovers(context, record)
        nodes.dialects.add(record.dialect)
        own_components = {"components": context.own_components(properties)}
        nodes.info[record.name] = info_of(record, types_path, properties) | own_components
        own = types.of_population(record.name) if types is not None else None
        nodes.populations[record.name] = _Reader(context, record, own, properties, "populations" in entry, nodes).read()


def wanted(
    context: Context, records: Iterable[H5Population], entry: Mapping[str, Any], where: str
) -> list[H5Population]:
    """The populations of a file that the configuration lists; all of them where it lists none."""
    found = list(records)
    listed = entry.get("populations")
    if not listed:
        return found
    if not isinstance(listed, Mapping) or not all(isinstance(item or {}, Mapping) for item in listed.values()):
        raise ReadError("'populations' must be an object of objects, by name", where=where)
    names = {record.name for record in found}
    for name in listed:
        if name not in names:
            raise ReadError(
                f"the population {name!r} is not in {found[0].file}, which holds {', '.join(sorted(names))}",
                where=where,
            )
    skipped = sorted(names - set(listed))
    context.report.not_read(
        "unlisted-population",
        found[0].file,
        "populations that the configuration does not list under 'populations' were left out",
        count=len(skipped),
        examples=skipped,
    )
    return [record for record in found if record.name in listed]


def info_of(record: H5Population, types_path: Path | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What a writer of the same format keeps of a population: file names, dialect, configured properties."""
    return {
        "file": record.file.name,
        "types_file": types_path.name if types_path else None,
        "dialect": record.dialect,
        "version": record.version,
        "properties": dict(properties),
    }


class _Reader:
    """Reads one population."""

    def __init__(
        self,
        context: Context,
        record: H5Population,
        types: TypesTable | None,
        properties: Mapping[str, Any],
        listed: bool,
        nodes: Nodes,
    ) -> None:
        self.context, self.record, self.types, self.nodes = context, record, types, nodes
        self.components = context.components(properties)
        stated = properties.get("type")
        # The OBI extension's default; Allen's dialect has none.
        obi = listed or (types is None and record.dialect == "obi")
        self.default_type = str(stated) if stated else "biophysical" if obi else ""

    def read(self) -> Population:
        record = self.record
        own = {name: self._text(name) for name in ("model_template", "model_type")}
        rows, index = self._types(own["model_template"], own["model_type"])
        maker = CellMaker(self.context, record, self.components, self.nodes)
        names = [maker.define(row, rows) for row in rows]
        types = Table(len(rows), self._type_columns(rows, names))
        columns = self._columns()
        return Population(record.name, record.size, types, index, Table(record.size, columns))

    # --- types ---

    def _text(self, name: str) -> np.ndarray | None:
        """A text attribute of every node as strings; None entries where it states nothing."""
        if name not in self.record.columns:
            return None
        column = h5_column(self.context, self.record, self.record.columns[name], name, "population", lazy=False)
        if column is None or column.levels is None:
            raise ReadError("must be text", where=f"{self.record.where}/{name}")
        levels = np.array([None if level in NOTHING else level for level in column.levels] + [None], dtype=object)
        return levels[np.ma.filled(column.data, len(levels) - 1)]

    def _types(self, template: np.ndarray | None, model: np.ndarray | None) -> tuple[list[NodeType], Column]:
        """Type rows: every row of the CSV, split where nodes override template or type, then what the CSV lacks."""
        size = self.record.size
        source = self.record.integers("node_type_id")
        ids = read_all(source) if source is not None else np.full(size, -1, dtype=np.int64)
        keys = [ids, _codes(template, size), _codes(model, size)]
        combos, first, inverse = _unique_rows(keys)
        known = {} if self.types is None else {value: row for row, value in enumerate(self.types.ids)}
        self._check_dangling(combos[0], known)
        rows: list[NodeType] = []
        order: list[int] = []
        for value, row in known.items():
            mine = sorted(np.flatnonzero(combos[0] == value).tolist(), key=lambda at: first[at])
            order += mine
            rows += [self._row(value, row, at, first, template, model) for at in mine or [None]]
            if not mine:
                order.append(-1)
        for at in sorted(range(len(first)), key=lambda at: first[at]):
            if int(combos[0][at]) not in known:
                order.append(at)
                stated = int(combos[0][at])
                rows.append(self._row(None if stated == -1 else stated, -1, at, first, template, model))
        if len(rows) <= 1:
            return rows, Column(0)
        new = np.zeros(len(first), dtype=np.int64)
        for row, at in enumerate(order):
            if at >= 0:
                new[at] = row
        return rows, Column(new[inverse])

    def _row(
        self,
        value: int | None,
        row: int,
        at: int | None,
        first: np.ndarray,
        template: np.ndarray | None,
        model: np.ndarray | None,
    ) -> NodeType:
        def own(column: np.ndarray | None) -> str | None:
            return None if column is None or at is None else column[first[at]]

        stated = own(model) or self._cell("model_type", row) or self.default_type
        where = f"{self.types.path}:{self.types.lines[row]}" if self.types and row >= 0 else self.record.where
        named = {name: text for name in CELL_COLUMNS if (text := self._cell(name, row)) is not None}
        return NodeType(value, row, own(template) or named.get("model_template"), stated, named, where)

    def _cell(self, name: str, row: int) -> str | None:
        if self.types is None or row < 0 or name not in self.types.columns:
            return None
        value = self.types.columns[name][row]
        return None if value is None else str(value)

    def _check_dangling(self, ids: np.ndarray, known: Mapping[int, int]) -> None:
        if self.types is None:
            return
        for value in np.unique(ids).tolist():
            if value != -1 and value not in known:
                raise ReadError(
                    f"node type {value} is not in {self.types.path}",
                    where=self.record.at("node_type_id"),
                    hint="add a row for it to the types file, or correct the id",
                )

    def _type_columns(self, rows: list[NodeType], names: list[str]) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        if any(row.id is not None for row in rows):
            ids = np.array([-1 if row.id is None else row.id for row in rows], dtype=np.int64)
            columns["id"] = Column(ids)
        columns["cell"] = text_column(names)
        if self.types is None:
            return columns
        for name, values in self.types.columns.items():
            if name in (*CELL_COLUMNS, self.types.id_column):
                continue
            spread = [values[row.row] if row.row >= 0 else None for row in rows]
            if name == "orientation":
                columns |= self._orientation(spread)
                continue
            lines = tuple(self.types.lines[row.row] if row.row >= 0 else 0 for row in rows)
            table = TypesTable(self.types.path, self.types.id_column, {}, lines)
            column = types_column(name, spread, table, "population_types")
            if column is not None:
                columns[free_name(self.context.report, name, _RESERVED, self.types.path)] = column
        return columns

    def _orientation(self, values: list[Any]) -> dict[str, Column]:
        """A quaternion in one quoted CSV cell, as ``w x y z`` with any brackets and commas."""
        data = np.ma.masked_all((len(values), 4))
        for row, value in enumerate(values):
            if value is None:
                continue
            parts = [part for part in re.split(r"[\s,;\[\]()]+", str(value)) if part]
            try:
                data[row] = [float(part) for part in parts]
            except ValueError:
                raise ReadError(f"orientation must be four numbers, not {value!r}", where=self.record.where) from None
        return {f"orientation_{axis}": Column(data[:, i], unit="1") for i, axis in enumerate("wxyz")}

    # --- columns ---

    def _columns(self) -> dict[str, Column]:
        record = self.record
        columns: dict[str, Column] = {}
        ids = record.integers("node_id")
        if ids is not None:
            stated = read_all(ids)
            Lookup(stated, record.at("node_id"))  # refuses an id that is there twice
            if not is_range(stated):
                columns["id"] = Column(stated)
        if len(record.groups) > 1:
            group = record.integers("node_group_id")
            if group is not None:
                columns["group"] = Column(read_all(group))
        for name, attribute in record.columns.items():
            if name in ("model_template", "model_type"):
                continue
            column = h5_column(self.context, record, attribute, name, "population", lazy=False)
            if column is not None:
                columns |= self._shaped(name, column)
        for name, attribute in record.dynamics.items():
            key = f"{PARAMETER}{name}"
            column = h5_column(self.context, record, attribute, key, "population", lazy=False)
            if column is not None:
                columns[key] = column
        return columns

    def _shaped(self, name: str, column: Column) -> dict[str, Column]:
        """Vectors as their components; morphology names as keys of the network."""
        dims = getattr(column.data, "ndim", 1)
        if name == "positions" and dims == 2 and column.data.shape[1] <= 3:
            width = column.data.shape[1]
            return {axis: Column(column.data[:, i], unit="um") for i, axis in enumerate("xyz"[:width])}
        if name == "orientation" and dims == 2 and column.data.shape[1] == 4:
            return {f"orientation_{axis}": Column(column.data[:, i], unit="1") for i, axis in enumerate("wxyz")}
        if name == "morphology" and column.levels is not None:
            return self._morphologies(column)
        return {free_name(self.context.report, name, _RESERVED, self.record.where): column}

    def _morphologies(self, column: Column) -> dict[str, Column]:
        levels = column.levels or ()
        codes = np.ma.filled(column.data, -1)
        blank = np.array([level in NOTHING for level in levels] + [True])
        hidden = blank[codes]
        if hidden.all():
            return {}
        keys = [
            "" if level in NOTHING else self.nodes.morphologies.add(level, self.components, self.record.name)
            for level in levels
        ]
        names = tuple(dict.fromkeys(key for key in keys if key))
        new = np.array([names.index(key) if key else 0 for key in keys] + [0], dtype=np.int64)[codes]
        return {"morphology": Column(np.ma.array(new, mask=hidden) if hidden.any() else new, levels=names)}


def _codes(column: np.ndarray | None, size: int) -> np.ndarray:
    """Small integers for the distinct strings of a column, -1 for none."""
    if column is None:
        return np.full(size, -1, dtype=np.int64)
    coded = text_column(column)
    return np.ma.filled(coded.data, -1).astype(np.int64)


def _unique_rows(keys: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Distinct combinations of equally long arrays: their values, the first row of each, and each row's combination."""
    merged = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        values, inverse = np.unique(key, return_inverse=True)
        merged = merged * max(len(values), 1) + inverse
        _, merged = np.unique(merged, return_inverse=True)
    _, first, inverse = np.unique(merged, return_index=True, return_inverse=True)
    return [key[first] for key in keys], first, inverse
