"""SONATA edge populations -> `Projection`, and their edge types -> synapse definitions. Edges stay in their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_neuroml import KEY
from pynn_io.formats.sonata_rows import Combined, Lookup, Mapped, Rows, blocks, distinct, to_rows
from pynn_io.formats.sonata_tables import H5Column, H5Population, TypesTable, read_types, scan, units_of
from pynn_io.graph.cells import Cell, Origin, PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.sonata_context import (
    WEIGHT_UNITS,
    Context,
    free_name,
    h5_column,
    leftover,
    report_leftovers,
    take,
    types_column,
)
from pynn_io.importers.sonata_nodes import Nodes, info_of, wanted
from pynn_io.importers.sonata_units import OBI_KINDS, synapse_model, weight_unit

#: Column names that the graph uses itself.
_RESERVED = ("id", "synapse", "receptor", "weight", "weight_unit", "group", "source", "target", "type")
#: What SONATA calls a column of the graph (PyNN's ``export_to_sonata`` writes ``receptor_type``).
_NAMES = {"receptor_type": "receptor"}
_ENTRY = ("edges_file", "edge_types_file", "populations", "enabled", KEY)
#: Columns of a types file that make the synapse or have another name in the graph.
_SYNAPSE_COLUMNS = ("model_template", "dynamics_params", "is_gap_junction", "weight_unit")
_WEIGHTS = {"aibs": ("syn_weight",), "obi": ("conductance", "weight", "syn_weight")}
_TRUE = ("true", "1", "yes")


@dataclass(slots=True)
class EdgeSets:
    """What the edge files of a circuit hold."""

    projections: dict[str, Projection] = field(default_factory=dict)
    synapses: dict[str, Synapse] = field(default_factory=dict)
    info: dict[str, dict[str, Any]] = field(default_factory=dict)
    dialects: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Type:
    """One row of the types table. unit: of its weights onto the targets it has."""

    id: int | None
    row: int
    synapse: str
    unit: str = ""


def read_edges(context: Context, entry: Mapping[str, Any], place: str, nodes: Nodes, edges: EdgeSets) -> None:
    """Read one entry of ``networks.edges`` into ``edges``."""
    where = f"{context.config.circuit_path}:{place}"
    leftover(context.report, where, take(entry, _ENTRY), "keys of an edges entry")
    path = context.file_of(entry, "edges_file")
    if path is None:
        raise ReadError("the entry names no 'edges_file'", where=where)
    types_path = context.file_of(entry, "edge_types_file")
    types = read_types(types_path, "edge_type_id") if types_path else None
    for record in wanted(context, scan(path, "edges"), entry, where):
        properties = (entry.get("populations") or {}).get(record.name) or {}
        report_leftovers(context, record)
        edges.dialects.add(record.dialect)
        own = types.of_population(record.name) if types is not None else None
        reader = _Reader(context, record, own, properties, "populations" in entry, nodes, edges)
        projection = reader.read()
        edges.info[projection.name] = {
            **info_of(record, types_path, properties),
            "population": record.name,
            "weight_name": reader.weight_name,
        }
        edges.projections[projection.name] = projection


class _Reader:
    """Reads one edge population."""

    def __init__(
        self,
        context: Context,
        record: H5Population,
        types: TypesTable | None,
        properties: Mapping[str, Any],
        listed: bool,
        nodes: Nodes,
        edges: EdgeSets,
    ) -> None:
        self.context, self.record, self.types = context, record, types
        self.nodes, self.edges = nodes, edges
        self.obi = listed or record.dialect == "obi"
        stated = properties.get("type")
        self.obi_type = str(stated) if stated else "chemical" if listed else ""
        self.components = context.components(properties)
        self.name = self._free_name()
        self.weight_name = self._weight_name()
        self.pre, self.post = self._end("source", record.pre), self._end("target", record.post)

    def read(self) -> Projection:
        record = self.record
        source = self._ends("source_node_id", self.pre)
        target = self._ends("target_node_id", self.post)
        rows, raw_index = self._types()
        rows, index = self._with_units(rows, raw_index, target)
        kind = self._kind(rows)
        types = Table(len(rows), self._type_columns(rows))
        columns = Table(record.size, self._columns())
        return Projection(
            name=self.name,
            pre=self.pre.name,
            post=self.post.name,
            types=types,
            edges=Edges(Column(source), Column(target), columns),
            type_index=Column(index) if index is not None and len(rows) > 1 else Column(0),
            kind=kind,
            section_order=self._section_order(),
        )

    # --- names and ends ---

    def _free_name(self) -> str:
        """The population's name; a second file may bear the same one (BMTK's gap junctions), and is numbered."""
        name, number = self.record.name, 2
        while name in self.edges.projections:
            name, number = f"{self.record.name}_{number}", number + 1
        if name != self.record.name:
            self.context.report.approximated(
                "renamed-projection",
                self.record.where,
                f"two files hold edges of the name {self.record.name}; these are called {name}",
            )
        return name

    def _end(self, side: str, name: str) -> Population:
        if name in self.nodes.populations:
            return self.nodes.populations[name]
        where = f"{self.record.where}/{side}_node_id"
        known = ", ".join(self.nodes.populations) or "none"
        if not name:
            raise ReadError(
                f"the {side} population is not stated", where=where, hint="add the attribute node_population"
            )
        raise ReadError(
            f"the {side} population {name!r} is not in the circuit, which has {known}",
            where=where,
            hint="name its nodes_file in the configuration, or disable these edges ('enabled': false)",
        )

    def _ends(self, key: str, population: Population) -> Rows:
        rows = self.record.rows(key)
        if rows is None:
            raise ReadError(f"there is no {key}", where=self.record.where)
        ids = population.ids() if "id" in population.table else population.size
        return to_rows(rows, Lookup(ids, self.record.at(key)), self.record.at(key), population.name)

    def _section_order(self) -> str:
        if self.record.section_order in ("specification", "axon_replaced"):
            return self.record.section_order
        return "specification" if self.obi or self.record.dialect == "spec-0.1" else "axon_replaced"

    # --- types ---

    def _types(self) -> tuple[list[_Type], Rows | None]:
        """Type rows (all of the CSV, then what it lacks) and the type row of every edge."""
        source = self.record.integers("edge_type_id")
        stored = self.record.rows("edge_type_id")
        used = distinct(stored, self.record.at("edge_type_id")) if stored is not None else np.array([-1])
        ids = [] if self.types is None else self.types.ids
        if self.types is not None:
            self._check_dangling(used, ids)
        listed = [(value, row) for row, value in enumerate(ids)]
        listed += [(int(value), -1) for value in used if int(value) not in set(ids)]
        rows = [_Type(None if value == -1 else value, row, self._synapse(value, row)) for value, row in listed]
        if source is None or len(rows) < 2:
            return rows, None
        known = Lookup(np.array([value for value, _ in listed], dtype=np.int64), self.record.at("edge_type_id"))

        def missing(position: int, value: int) -> ReadError:
            return ReadError(f"edge type {value} appeared while reading", where=self.record.at("edge_type_id"))

        return rows, Mapped(source, np.dtype(np.int64), lambda block, _: known.rows(block, missing))

    def _check_dangling(self, used: np.ndarray, ids: list[int]) -> None:
        for value in used.tolist():
            if value != -1 and value not in ids:
                raise ReadError(
                    f"edge type {value} is not in {self.types.path if self.types else ''}",
                    where=self.record.at("edge_type_id"),
                    hint="add a row for it to the types file, or correct the id",
                )

    def _value(self, name: str, row: int) -> Any:
        if self.types is None or row < 0 or name not in self.types.columns:
            return None
        return self.types.columns[name][row]

    def _synapse(self, value: int, row: int) -> str:
        name = self.name if value == -1 else f"{self.name}_{value}"
        where = f"{self.types.path}:{self.types.lines[row]}" if self.types and row >= 0 else self.record.where
        template, params = self._value("model_template", row), self._value("dynamics_params", row)
        names = {"model_template": template, "dynamics_params": params}
        stated: dict[str, Any] = {}
        files: dict[str, Path] = {}
        if params is not None:
            folder = self.components.get("synaptic_models_dir")
            stated, path = self.context.parameters(str(params), folder, "synaptic_models_dir", where)
            files = {"dynamics_params": path} if path else {}
        model = synapse_model(str(template) if template is not None else None, self._nest())
        model = model or OBI_KINDS.get(self.obi_type, ("", "", ()))[1]
        origin = Origin({key: str(text) for key, text in names.items() if text is not None}, files)
        self.edges.synapses[name] = Synapse(model, stated, origin)
        return name

    def _nest(self) -> bool:
        cells = self._target_cells()
        if any(isinstance(cell, PointCell) and cell.model.startswith("nest:") for cell in cells):
            return True
        return str(self.context.config.circuit.get("target_simulator", "")).upper() == "NEST"

    def _target_cells(self) -> list[Cell]:
        return [self.nodes.cells[name] for name in self.post.cells]

    # --- weights ---

    def _weight_name(self) -> str | None:
        """What the source calls the strength: the first of the dialect's names that is there."""
        names = _WEIGHTS["obi" if self.obi else "aibs"]
        stated = set(self.record.columns) | (set(self.types.columns) if self.types is not None else set())
        return next((name for name in names if name in stated), None)

    def _with_units(self, rows: list[_Type], index: Rows | None, target: Rows) -> tuple[list[_Type], Rows | None]:
        """Give every type its weight unit; a type whose targets take different units becomes one row a unit."""
        if self.weight_name is None or not rows or not self.post.types.size:
            return rows, index
        units, choice = self._unit_table(rows)
        attribute = units_of(self.record.columns[self.weight_name]) if self.weight_name in self.record.columns else ""
        for i, row in enumerate(rows):
            unit = self._stated_unit(row) or (attribute if attribute in WEIGHT_UNITS else "")
            if unit:
                units += [unit] if unit not in units else []
                choice[i] = units.index(unit)
        if (choice == choice[:, :1]).all():
            return [_Type(row.id, row.row, row.synapse, units[choice[i, 0]]) for i, row in enumerate(rows)], index
        return self._split(rows, index, target, units, choice)

    def _stated_unit(self, row: _Type) -> str:
        """The unit in a ``weight_unit`` column of the types file, written where the dialect implies another one."""
        unit = str(self._value("weight_unit", row.row) or "")
        if unit and unit not in WEIGHT_UNITS:
            raise ReadError(
                f"weight_unit must be one of {', '.join(WEIGHT_UNITS)}, not {unit}",
                where=f"{self.types.path}:{self.types.lines[row.row]}" if self.types else self.record.where,
            )
        return unit

    def _unit_table(self, rows: list[_Type]) -> tuple[list[str], np.ndarray]:
        """Units, and for every type row and every cell type of the targets that has cells the number of its unit."""
        used = np.unique(self.post.type_index.read(self.post.size)) if self.post.size else np.zeros(1, dtype=np.int64)
        cells = self._target_cells()
        # The extension fixes the unit of its own columns only; syn_weight is what the target takes, there too.
        obi_type = "" if self.weight_name == "syn_weight" else self.obi_type
        units: list[str] = []
        choice = np.zeros((len(rows), len(cells)), dtype=np.int64)
        for i, row in enumerate(rows):
            model = self.edges.synapses[row.synapse].model
            stated = {j: weight_unit(cells[j], model, obi_type) for j in used.tolist() if cells}
            # A target that takes no weight (a spike source) has no say in its unit.
            first = next((unit for unit in stated.values() if unit), "")
            for j in range(len(cells)):
                unit = stated.get(j) or first
                units += [unit] if unit not in units else []
                choice[i, j] = units.index(unit)
        return units, choice

    def _split(
        self, rows: list[_Type], index: Rows | None, target: Rows, units: list[str], choice: np.ndarray
    ) -> tuple[list[_Type], Rows]:
        of_cell = self.post.type_index.read(self.post.size)

        def pair(types: np.ndarray | int, targets: np.ndarray) -> np.ndarray:
            return types * len(units) + choice[types, of_cell[targets]]

        base: Rows = (
            Mapped(target, np.dtype(np.int64), lambda rows, _: pair(np.zeros(len(rows), dtype=np.int64), rows))
            if index is None
            else Combined((index, target), np.dtype(np.int64), pair)
        )
        seen = np.zeros(len(rows) * len(units), dtype=bool)
        for _, found in blocks(base):
            seen |= np.bincount(found, minlength=len(seen)).astype(bool)
        out: list[_Type] = []
        new = np.zeros(len(seen), dtype=np.int64)
        for i, row in enumerate(rows):
            mine = np.flatnonzero(seen[i * len(units) : (i + 1) * len(units)]).tolist() or [int(choice[i, 0])]
            for unit in mine:
                new[i * len(units) + unit] = len(out)
                out.append(_Type(row.id, row.row, row.synapse, units[unit]))
        return out, Mapped(base, np.dtype(np.int64), lambda block, _: new[block])

    # --- columns ---

    def _type_columns(self, rows: list[_Type]) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        if any(row.id is not None for row in rows):
            columns["id"] = Column(np.array([-1 if row.id is None else row.id for row in rows], dtype=np.int64))
        columns["synapse"] = text_column([row.synapse for row in rows])
        if any(row.unit for row in rows):
            columns["weight_unit"] = text_column([row.unit or None for row in rows])
        if self.types is None:
            return columns
        lines = tuple(self.types.lines[row.row] if row.row >= 0 else 0 for row in rows)
        table = TypesTable(self.types.path, self.types.id_column, {}, lines)
        for name, values in self.types.columns.items():
            if name in (*_SYNAPSE_COLUMNS, self.types.id_column):
                continue
            key = self._key(name)
            column = types_column(
                key, [values[row.row] if row.row >= 0 else None for row in rows], table, "projection_types"
            )
            if column is not None:
                columns[key] = column
        return columns

    def _columns(self) -> dict[str, Column]:
        record = self.record
        columns: dict[str, Column] = {}
        if len(record.groups) > 1:
            stored, group = record.rows("edge_group_id"), record.integers("edge_group_id")
            if stored is not None and group is not None and len(distinct(stored, record.at("edge_group_id"))) > 1:
                columns["group"] = Column(group)
        model_columns = OBI_KINDS.get(self.obi_type, ("", "", ()))[2]
        # The weight comes first whatever its name in the file, so that the order of columns does not depend on it.
        for name, attribute in sorted(record.columns.items(), key=lambda item: item[0] != self.weight_name):
            if name != "is_gap_junction":
                key = f"{PARAMETER}{name}" if name in model_columns else self._key(name)
                self._put(columns, key, attribute)
        for name, attribute in record.dynamics.items():
            self._put(columns, f"{PARAMETER}{name}", attribute)
        return columns

    def _key(self, name: str) -> str:
        """What a column of the file is called in the graph."""
        if name == self.weight_name:
            return "weight"
        if name in _NAMES:
            return _NAMES[name]
        return free_name(self.context.report, name, _RESERVED, self.record.where)

    def _put(self, columns: dict[str, Column], key: str, attribute: H5Column) -> None:
        column = h5_column(self.context, self.record, attribute, key, "projection", lazy=True)
        if column is not None:
            columns[key] = column

    # --- kind ---

    def _kind(self, rows: list[_Type]) -> str:
        if self.obi_type:
            return OBI_KINDS.get(self.obi_type, (self.obi_type, "", ()))[0]
        stated = [str(self._value("is_gap_junction", row.row)).lower() in _TRUE for row in rows]
        if "is_gap_junction" in self.record.columns:
            rows_of, _ = self.record.column(self.record.columns["is_gap_junction"])
            values = [bool(value) for _, block in blocks(rows_of) for value in (block.min(), block.max())]
            stated = values or stated
        if any(stated) and not all(stated):
            self.context.report.approximated(
                "mixed-gap-junctions",
                self.record.where,
                "gap junctions and chemical synapses stand in one edge population; all are taken as gap junctions",
            )
        return "electrical" if any(stated) else "chemical"
