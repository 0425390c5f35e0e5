"""Node populations -> node files and node types: ids, types, rotations; `sonata_node_views` lays out the attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import h5py
import numpy as np

from pynn_io.exporters.sonata_components import Components, beyond_json, model_type
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_node_views import (
    NodeRows,
    overlay,
    spread_numbers,
    stated_rows,
    write_both,
    write_flat,
    write_groups,
)
from pynn_io.exporters.sonata_rotation import ANGLES, QUATERNION, angles, quaternion
from pynn_io.exporters.sonata_types import Types, fold, give_ids, types_of
from pynn_io.formats.sonata_neuroml import COMPONENT
from pynn_io.formats.sonata_write import population_group, write_dataset
from pynn_io.graph.cells import Cell, SpikeSource
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.network import Network, Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.report import Report

#: What the id of a node was, where ids had to become row numbers.
ORIGINAL_ID = "original_id"
#: What a mixed population is called: by the kind that asks most of a simulator.
_RANK = ("biophysical", "point_neuron", "point_process")


@dataclass(frozen=True, slots=True)
class WrittenNodes:
    """What the rest of the writer needs of a population.

    ids: id of every row, as edges and node sets refer to it; None where it is the row. types: of the CSV. obi_type:
    ``populations.<name>.type`` of the OBI configuration.
    """

    population: Population
    ids: np.ndarray | None
    types: dict[str, list[object]]
    obi_type: str
    old_ids: np.ndarray | None = None

    @property
    def id_space(self) -> int:
        """Highest id + 1."""
        if self.ids is None:
            return self.population.size
        return int(self.ids.max()) + 1 if len(self.ids) else 0


def write_nodes(
    file: h5py.File,
    population: Population,
    network: Network,
    dialect: Dialect,
    components: Components,
    report: Report,
    *,
    foreign: bool,
) -> WrittenNodes:
    """Write ``/nodes/<population>`` into an open file. foreign: the source is no SONATA circuit of this dialect."""
    where = f"population {population.name}"
    group = population_group(file, "nodes", population.name)
    cells = [network.cells[name] for name in population.cells]
    attributes = [components.cell(name) for name in population.cells]
    _report_sources(cells, where, report, kept=COMPONENT in population.types)
    index = of_cell = np.asarray(population.type_index.read(population.size), dtype=np.int64)
    rows = _rows_of(population, where, components)
    types = types_of(population.types, attributes, ("cell",))
    _move_type_parameters(types, rows, index)
    _spread_beyond_json(cells, of_cell, rows, where, report)
    ids, old = _ids(population, dialect, rows, where, report)
    obi_type = _population_type(cells, index, where, dialect, report)
    if dialect.types:
        types, index = _fold(types, index, rows, where, report)
    if dialect.name == "allen":
        if foreign:
            _rotate(population, rows, types, _AS_ANGLES, where, report)
        numbers = write_groups(group, population, rows, where, report)
    elif dialect.name == "obi":
        if foreign:
            _rotate(population, rows, types, _AS_QUATERNION, where, report)
        numbers = write_flat(group.create_group("0"), (cells, of_cell), types, index, rows, where, report)
    else:
        numbers = write_both(group, population, (cells, of_cell), types, index, rows, where, report)
    size = population.size
    write_dataset(group, "node_type_id", types.ids[index] if dialect.types else np.full(size, -1), dtype=np.int64)
    write_dataset(group, "node_id", np.arange(size) if ids is None else ids, dtype=np.uint64)
    write_dataset(group, "node_group_id", numbers[0], dtype=np.uint32)
    write_dataset(group, "node_group_index", numbers[1], dtype=np.uint64)
    return WrittenNodes(population, ids, types.records("node_type_id") if dialect.types else {}, obi_type, old)


# --- columns ------------------------------------------------------------------------------------------------------


def _rows_of(population: Population, where: str, components: Components) -> NodeRows:
    rows = NodeRows()
    for name, column in population.table.items():
        if name == "id":
            continue
        if name == "morphology" and column.levels is not None:
            column = Column(column.data, levels=tuple(components.morphology(key) for key in column.levels))
        if column.is_text and column.levels is None:
            column = text_column(column.values(population.size), extra=column.extra)
        parameter = name.startswith(PARAMETER)
        key = name.removeprefix(PARAMETER)
        if column.levels is not None:
            (rows.parameter_text if parameter else rows.text)[key] = _coded_rows(column, population.size)
        else:
            values = np.ma.asanyarray(column.read(population.size)) if column.is_lazy else column.read(population.size)
            (rows.parameters if parameter else rows.numbers)[key] = values
    return rows


def _coded_rows(column: Column, size: int) -> Column:
    return Column(np.array(column.read(size)) if column.is_scalar else column.read(size), levels=column.levels)


def _move_type_parameters(types: Types, rows: NodeRows, index: np.ndarray) -> None:
    """Parameters that types state as columns have no place in a CSV: every row states them."""
    for name in [name for name in types.columns if name.startswith(PARAMETER)]:
        values = types.columns.pop(name)
        key = name.removeprefix(PARAMETER)
        beneath = spread_numbers(values, index)
        own = rows.parameters.get(key)
        rows.parameters[key] = beneath if own is None else overlay(own, beneath)


def _spread_beyond_json(cells: Sequence[Cell], of_cell: np.ndarray, rows: NodeRows, where: str, report: Report) -> None:
    """Parameters of definitions that their JSON cannot state: every row states them."""
    left = [beyond_json(cell.parameters) for cell in cells]
    for key in dict.fromkeys(key for each in left for key in each):
        beneath = spread_numbers([cell.parameters.get(key) for cell in cells], of_cell)
        own = rows.parameters.get(key)
        rows.parameters[key] = beneath if own is None else overlay(own, beneath)
        message = "JSON has no word for a number that is not finite: every row states it."
        report.expanded("parameter-not-finite", where, message, count=len(of_cell), examples=[key])


def _ids(
    population: Population, dialect: Dialect, rows: NodeRows, where: str, report: Report
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """``(ids as written or None for row numbers, ids that were given up)``."""
    ids = population.ids()
    if np.array_equal(ids, np.arange(population.size)):
        return None, None
    if not dialect.rows_as_ids:
        return ids, None
    rows.numbers[ORIGINAL_ID] = ids
    report.expanded(
        "ids-renumbered",
        where,
        "libsonata and the tools on it take a node's id for its row number, so nodes are numbered 0, 1, 2 ...; the id "
        f"that each had is in the column {ORIGINAL_ID}, and edges and node sets use the new ones",
        count=population.size,
        examples=["id", *(f"{old} is now {new}" for new, old in enumerate(ids[:3].tolist()))],
    )
    return None, ids


def _fold(types: Types, index: np.ndarray, rows: NodeRows, where: str, report: Report) -> tuple[Types, np.ndarray]:
    before = types.size
    if rows.text:
        types, index = fold(types, index, rows.text)
        if types.size > before:
            report.expanded(
                "types-split",
                where,
                "text that each cell states for itself stands in the types CSV, where BMTK reads it; there is now one "
                f"type for every combination: {', '.join(rows.text)}",
                count=types.size - before,
            )
    give_ids(types, where, report)
    return types, index


def _population_type(cells: list[Cell], index: np.ndarray, where: str, dialect: Dialect, report: Report) -> str:
    """The one type that the OBI configuration states for a population; ``model_type`` of each node says the rest."""
    used = [cells[row] for row in (np.unique(index).tolist() if len(index) else range(len(cells)))]
    kinds = list(dict.fromkeys(model_type(cell) for cell in used)) or ["virtual"]
    ranked = sorted(kinds, key=lambda kind: _RANK.index(kind) if kind in _RANK else len(_RANK))
    if len(kinds) > 1 and dialect.name == "obi":
        report.approximated(
            "mixed-population",
            where,
            f"the OBI dialect states one type for a population; it is called {ranked[0]}, and the column model_type "
            "says what each node is",
            examples=kinds,
        )
    return ranked[0]


def _report_sources(cells: list[Cell], where: str, report: Report, *, kept: bool) -> None:
    """kept: whether their NeuroML stands beside the circuit."""
    for cell in dict.fromkeys(id(cell) for cell in cells if isinstance(cell, SpikeSource)):
        source = next(item for item in cells if id(item) == cell)
        if not isinstance(source, SpikeSource) or source.model == "SpikeSourceArray":
            continue
        if ":" in source.model and not kept:
            report.lost(
                "spike-source",
                where,
                f"a virtual node of SONATA only replays spikes; that these are a {source.model} with "
                f"{', '.join(source.parameters) or 'no parameters'} is written, and no reader of circuits takes it up",
                examples=["model", source.model],
            )
        else:
            report.approximated(
                "spike-source",
                where,
                f"a virtual node of SONATA only replays spikes; that these are a {source.model} with "
                f"{', '.join(source.parameters) or 'no parameters'} is written, but "
                f"only pynn_io reads it{', as NeuroML' if kept else ''}",
                examples=["model", source.model],
            )


# --- rotations ----------------------------------------------------------------------------------------------------


class _Form(NamedTuple):
    """One of the two forms of a rotation: columns of the other, its own, and how its values are made of those."""

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    turned: Callable[[np.ndarray], np.ndarray]


_AS_ANGLES = _Form("three angles", QUATERNION, ANGLES, angles)
_AS_QUATERNION = _Form("a quaternion", ANGLES, QUATERNION, quaternion)


def _rotate(population: Population, rows: NodeRows, types: Types, form: _Form, where: str, report: Report) -> None:
    """Rotations in the form that a dialect knows; what is stated in that form already stays."""
    stated = stated_rows(population, form.old)
    if stated is None:
        return
    for name in form.old:
        rows.numbers.pop(name, None)
        types.columns.pop(name, None)
    if any(name in rows.numbers or name in types.columns for name in form.new):
        return
    rows.numbers |= dict(zip(form.new, form.turned(stated).T, strict=True))
    report.expanded(
        "rotation",
        where,
        f"this dialect states a rotation as {form.name} (extrinsic order z, y, x): {', '.join(form.old)} became "
        f"{', '.join(form.new)}",
    )
