"""What pynn_io notes in the metadata of a NIR file's nodes, so that a network that it wrote comes back as it was.

A note is JSON text (`pynn_io.formats.tagged_json`) under `NOTE`; long arrays stand beside it, under names that begin
with `STORED`. A reader takes a note for true only where the node itself still says what the note does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.formats.tagged_json import Codec
from pynn_io.graph.cells import Cell, PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse

NOTE = "pynn_io"
STORED = "pynn_io_array_"
#: The layout of the notes; a reader leaves those of another one alone.
VERSION = 1
#: Longer arrays are no text.
_IN_TEXT = 100
_RECORDS: Mapping[str, type] = {kind.__name__: kind for kind in (Column, PointCell, SpikeSource, Synapse, Component)}


def noted(content: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a node: the note, and its long arrays."""
    arrays: dict[str, Any] = {}

    def store(array: np.ndarray) -> str | None:
        if array.size <= _IN_TEXT or array.dtype.kind not in "biuf" or np.ma.isMaskedArray(array):
            return None
        name = f"{STORED}{len(arrays)}"
        arrays[name] = array
        return name

    text = Codec(store=store).text({"version": VERSION, **content})
    return {NOTE: text, **arrays}


def note_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What `noted` was given; empty where there is no note, where it is of another version, or not one of ours."""
    text = metadata.get(NOTE)
    if not isinstance(text, str):
        return {}
    codec = Codec(records=_RECORDS, load=lambda name: metadata[name])
    try:
        found = codec.value(text)
    except (ValueError, TypeError, KeyError, IndexError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == VERSION else {}


# --- populations and projections ----------------------------------------------------------------------------------


def population_note(population: Population, network: Network) -> dict[str, Any]:
    """A population with the cells that it names."""
    return {
        "name": population.name,
        "size": population.size,
        "types": _table(population.types),
        "type_index": _read(population.type_index, population.size),
        "table": _table(population.table),
        "cells": {name: replace(_pointlike(network.cells[name]), origin=None) for name in population.cells},
    }


def population_from(note: Mapping[str, Any]) -> tuple[Population, dict[str, Cell]]:
    """What `population_note` was given. Raises ValueError, TypeError or KeyError for a note that it did not make."""
    types = _table_from(note["types"])
    index = _column(note["type_index"])
    made = Population(_is_a(note["name"], str), int(note["size"]), types, index, _table_from(note["table"]))
    return made, {name: _is_a(cell, PointCell, SpikeSource) for name, cell in note["cells"].items()}


def projection_note(projection: Projection, network: Network) -> dict[str, Any]:
    """A projection with its edges in their order, and the synapses that it names."""
    edges = projection.edges
    return {
        "name": projection.name,
        "pre": projection.pre,
        "post": projection.post,
        "section_order": projection.section_order,
        "types": _table(projection.types),
        "type_index": _read(projection.type_index, projection.size),
        "source": _read(edges.source, edges.size),
        "target": _read(edges.target, edges.size),
        "columns": _table(edges.columns),
        "synapses": {name: replace(network.synapses[name], origin=None) for name in projection.synapses},
    }


def projection_from(note: Mapping[str, Any]) -> tuple[Projection, dict[str, Synapse]]:
    """What `projection_note` was given. Raises as `population_from` does."""
    source, target, index = (_column(note[name]) for name in ("source", "target", "type_index"))
    name, pre, post, order = (_is_a(note[name], str) for name in ("name", "pre", "post", "section_order"))
    edges = Edges(source, target, _table_from(note["columns"]))
    made = Projection(name, pre, post, _table_from(note["types"]), edges, index, section_order=order)
    return made, {key: _is_a(synapse, Synapse) for key, synapse in note["synapses"].items()}


def _pointlike(cell: Cell) -> PointCell | SpikeSource:
    if not isinstance(cell, PointCell | SpikeSource):
        raise TypeError(f"NIR has no {type(cell).__name__}")
    return cell


def _read(column: Column, size: int) -> Column:
    return column.with_data(column.read(size)) if column.is_lazy else column


def _table(table: Table) -> dict[str, Any]:
    return {"size": table.size, "columns": {name: _read(column, table.size) for name, column in table.items()}}


def _table_from(note: Mapping[str, Any]) -> Table:
    return Table(int(note["size"]), {name: _column(column) for name, column in note["columns"].items()})


def _column(value: Any) -> Column:
    """The value, if it is a column that is in memory."""
    column: Column = _is_a(value, Column)
    _is_a(column.data, bool, int, float, str, np.ndarray)
    if column.levels is not None and not all(isinstance(level, str) for level in _is_a(column.levels, tuple)):
        raise TypeError("levels that are no texts")
    return column


def _is_a(value: Any, *kinds: type) -> Any:
    """The value, if it is of one of the kinds; TypeError where it is not."""
    if not isinstance(value, kinds):
        raise TypeError(f"{type(value).__name__} instead of {kinds[0].__name__}")
    return value
