"""The canonical graph: populations of cells, projections of edges, and the definitions they name.

Frozen, columnar, and by name: nothing refers to another object, so any part can be replaced on its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.biophysics import Channel
from pynn_io.graph.cells import Cell
from pynn_io.graph.columns import BLOCK, Column, Table, empty, text_column
from pynn_io.graph.dynamics import ComponentType
from pynn_io.graph.synapses import Synapse

if TYPE_CHECKING:
    from pynn_io.graph.morphology import Morphology


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Cells under one name and one id space. A population may hold several cell types (SONATA node types).

    name: unique among populations.
    size: number of cells; a cell's ROW is 0 .. size-1, whatever its id.
    types: one row a cell type: ``cell`` (name in `Network.cells`, coded strings), ``id`` (int64, the type's id in its
        file; absent where there is none) and whatever the source states once for the type.
    type_index: row of ``types`` for every cell; a scalar 0 where there is one type.
    table: one row a cell: ``id`` (int64; absent means 0 .. size-1), ``x y z`` (um) ... A column that bears the name of
        a type-level column or of a cell parameter (``parameters:`` prefix) overrides it for the rows that state it.
    """

    name: str
    size: int
    types: Table
    type_index: Column = field(default_factory=lambda: Column(0))
    table: Table = field(default_factory=lambda: Table(0))

    def __post_init__(self) -> None:
        if not self.table:
            object.__setattr__(self, "table", Table(self.size))

    @property
    def cells(self) -> tuple[str, ...]:
        """The cell name of every type row."""
        return tuple(self.types.values("cell").tolist())

    def ids(self) -> np.ndarray:
        """The id of every row, int64."""
        return ids_of(self.table)

    def column(self, name: str) -> Column | None:
        """The column as each cell sees it: its own value where it states one, else its type's; None if neither does."""
        return resolve(name, self.table, self.types, self.type_index)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The edges of a projection as columns; ``source`` and ``target`` are ROW numbers of the two populations (int64).

    columns: optional ``weight`` (in the type's ``weight_unit``), ``delay`` (ms), ``nsyns``, where on the cells, extras.
        All may be lazy.
    """

    source: Column
    target: Column
    columns: Table

    @property
    def size(self) -> int:
        return self.columns.size

    def blocks(
        self, names: Sequence[str] = (), *, block: int = BLOCK
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """``(start, stop, {"source": rows, "target": rows, name: values})`` in file order, in bounded memory."""
        table = self.columns.updated({"source": self.source, "target": self.target})
        return table.blocks(["source", "target", *names], block=block)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Edges between two populations. May hold several synapse types (SONATA edge types).

    kind: ``chemical``, ``electrical`` (each gap junction half its own edge in OBI files), ``graded``, or a name of the
        OBI extension that no backend runs yet (``neuromodulatory`` ...).
    types: one row an edge type: ``synapse`` (name in `Network.synapses`, coded strings), ``weight_unit`` (coded),
        ``id``, ``receptor``, and what is stated once: ``weight``, ``delay``, ``nsyns``, ``target_sections`` ...
    type_index: row of ``types`` for every edge; scalar 0 where there is one type; may be lazy.
        A graded projection's types also state ``pre_synapse``, the component on the presynaptic side.
    section_order: what a section id of this projection counts: ``specification`` (soma, axon, basal, apical of the
        file) or ``axon_replaced`` (soma, basal, apical, then the two stub sections that replace the axon).
    """

    name: str
    pre: str
    post: str
    types: Table
    edges: Edges
    type_index: Column = field(default_factory=lambda: Column(0))
    kind: str = "chemical"
    section_order: str = "specification"

    @property
    def synapses(self) -> tuple[str, ...]:
        """The synapse name of every type row."""
        return tuple(self.types.values("synapse").tolist())

    @property
    def size(self) -> int:
        return self.edges.size

    def blocks(
        self, names: Sequence[str] = (), *, block: int = BLOCK
    ) -> Iterator[tuple[int, int, dict[str, np.ndarray]]]:
        """Blocks of edges as each edge sees its columns: own value, else its type's; with ``type`` (types row).

        A name that neither level states is left out of the blocks; one stated for some edges only comes masked.
        """
        own = [name for name in names if name in self.edges.columns]
        typed = {name: self.types[name] for name in names if name in self.types}
        table = self.edges.columns.updated(
            {"source": self.edges.source, "target": self.edges.target, "type": self.type_index}
        )
        for start, stop, rows in table.blocks(["source", "target", "type", *own], block=block):
            for name, column in typed.items():
                rows[name] = self._seen(name, rows.get(name), column, rows["type"])
            yield start, stop, rows

    def _seen(self, name: str, own: np.ndarray | None, column: Column, index: np.ndarray) -> np.ndarray:
        """One column of a block. Text stated at both levels comes as strings: their codes differ."""
        if own is None or not column.is_text:
            return _overlay(own, column, index, self.types.size)
        beneath = column.values(self.types.size)[index]
        own = self.edges.columns[name].decode(own)
        mask = np.ma.getmaskarray(own)
        return np.where(mask, np.ma.filled(np.ma.array(beneath, dtype=object), None), np.ma.getdata(own))


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Everything that is there before anything is stimulated or recorded.

    cells, synapses, channels: definitions by name. morphologies: by name, read from their files when first asked for.
    component_types: LEMS types that the source defines itself, by name; they go before the core types of that name.
    node_sets: as written in the file (`pynn_io.graph.node_sets` resolves them). extra: what else the source's
    configuration says and a writer of the same format keeps.
    """

    name: str = "network"
    populations: Mapping[str, Population] = field(default_factory=empty)
    projections: Mapping[str, Projection] = field(default_factory=empty)
    cells: Mapping[str, Cell] = field(default_factory=empty)
    synapses: Mapping[str, Synapse] = field(default_factory=empty)
    channels: Mapping[str, Channel] = field(default_factory=empty)
    morphologies: Mapping[str, Morphology] = field(default_factory=empty)
    node_sets: Mapping[str, Any] = field(default_factory=empty)
    extra: Mapping[str, Any] = field(default_factory=empty)
    component_types: Mapping[str, ComponentType] = field(default_factory=empty)


def ids_of(table: Table) -> np.ndarray:
    """The ``id`` column of a table, or 0 .. size-1 where there is none. int64."""
    return table.read("id") if "id" in table else np.arange(table.size, dtype=np.int64)


def resolve(name: str, table: Table, types: Table, type_index: Column) -> Column | None:
    """One column as the rows see it: the row's own value overrides the type's (SONATA: h5 overrides CSV)."""
    if name not in types:
        return table.get(name)
    column = types[name]
    if name not in table and column.is_scalar:
        return column
    if name in table and not isinstance(table[name].data, np.ma.MaskedArray):
        return table[name]
    index = type_index.read(table.size)
    if name not in table:
        return column.with_data(column.read(types.size)[index])
    own = table[name]
    if own.levels is not None or column.levels is not None:
        values = np.ma.array(own.values(table.size))
        beneath = column.values(types.size)[index]
        mixed = np.where(np.ma.getmaskarray(values), np.ma.filled(np.ma.array(beneath), None), values.filled(None))
        return text_column(mixed, extra=own.extra)
    return own.with_data(_overlay(own.read(table.size), column, index, types.size))


def _overlay(own: np.ndarray | None, column: Column, index: np.ndarray, types: int) -> np.ndarray:
    """Values of ``own`` where stated, else those of the type-level column."""
    if own is not None and not np.ma.isMaskedArray(own):
        return own
    beneath = np.broadcast_to(column.data, index.shape) if column.is_scalar else column.read(types)[index]
    if own is None:
        return beneath
    merged = np.ma.where(np.ma.getmaskarray(own), beneath, own)
    return merged if np.ma.is_masked(merged) else np.ma.getdata(merged)
