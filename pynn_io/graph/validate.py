"""Whether a network hangs together: every name resolves, every row is in range, every column is what its field says.

All problems are found, not the first one; edges are read in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.graph.biophysics import ChannelDensity, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import FIELDS
from pynn_io.progress import Progress, quiet

#: How many names a message lists.
NAMED = 5


def validate(network: Network, *, progress: Progress = quiet) -> None:
    """Raise GraphError, carrying every problem, unless `problems` finds none."""
    found = problems(network, progress=progress)
    if found:
        raise GraphError(
            f"the network has {len(found)} problem{'s' if len(found) > 1 else ''}",
            problems=found,
            hint="mend the input, or leave the named part out; `pynn-show SRC --validate` lists this again",
        )


def problems(network: Network, *, progress: Progress = quiet) -> list[str]:
    """Every broken reference or range, each a sentence that starts with its place."""
    found = [f"cell {name}: {text}" for name, cell in network.cells.items() for text in _cell(cell, network)]
    for population in network.populations.values():
        found += [f"population {population.name}: {text}" for text in _population(population, network)]
    for projection in network.projections.values():
        found += [f"projection {projection.name}: {text}" for text in _projection(projection, network, progress)]
    found += _morphology_files(network)
    return found


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def _cell(cell: Any, network: Network) -> Iterator[str]:
    if not isinstance(cell, CableCell):
        return
    if cell.morphology is not None and cell.morphology not in network.morphologies:
        yield f"its morphology {cell.morphology!r} is not in the network"
    items = [paint.item for paint in cell.decor if isinstance(paint, Paint)]
    named = {item.channel for item in items if isinstance(item, ChannelDensity)}
    unknown = sorted(named - network.channels.keys())
    if unknown:
        yield f"no such ion channel: {_some(unknown)}"


def _population(population: Population, network: Network) -> Iterator[str]:
    if population.types.size == 0 and population.size:
        yield "it has cells but no cell type"
        return
    if population.table.size != population.size:
        yield f"it says {population.size} cells, its table has {population.table.size} rows"
        return
    yield from _columns(population.types, "population_types")
    yield from _columns(population.table, "population")
    if "cell" in population.types:
        unknown = sorted(set(population.cells) - network.cells.keys())
        if unknown:
            yield f"no such cell: {_some(unknown)}"
    yield from _in_range(population.type_index, population.size, population.types.size, "type")
    if "id" in population.table and population.table["id"].dtype.kind in "iu":
        ids = population.table.read("id")
        values, counts = np.unique(ids, return_counts=True)
        if len(values) < len(ids):
            yield f"{len(ids) - len(values)} cells repeat an id: {_some(values[counts > 1])}"
    for table in (population.table, population.types):
        if "morphology" in table:
            absent = [name for name in table["morphology"].levels or () if name not in network.morphologies]
            if absent:
                yield f"morphologies that the network does not have: {_some(absent)}"


def _columns(table: Table, kind: str) -> Iterator[str]:
    for name, field in FIELDS.items():
        if field.required and kind in field.per and name not in table:
            yield f"the required column {name!r} is missing"
    for name, column in table.items():
        stated = FIELDS.get(name)
        if stated is not None and not _fits(column, stated.kind):
            yield f"column {name!r} should be {stated.kind}, and is {column.dtype}"


def _fits(column: Column, kind: str) -> bool:
    if column.is_text:
        return kind == "text"
    # A receptor may be a port number, so a text field takes integers.
    return column.dtype.kind in {"int": "iub", "float": "fiu", "bool": "b", "text": "iu"}[kind]


def _in_range(column: Column, size: int, limit: int, what: str) -> Iterator[str]:
    if column.is_scalar:
        if size and not 0 <= column.data < limit:
            yield f"{what} {column.data} is not one of {limit}"
        return
    wrong = [_outside(column.read(size), limit)]
    yield from _range_message(wrong, limit, what)


def _outside(rows: np.ndarray, limit: int) -> np.ndarray:
    if rows.size == 0 or (rows.min() >= 0 and rows.max() < limit):
        return rows[:0]
    return rows[(rows < 0) | (rows >= limit)]


def _range_message(wrong: list[np.ndarray], limit: int, what: str) -> Iterator[str]:
    count = sum(len(rows) for rows in wrong)
    if count:
        values = np.unique(np.concatenate(wrong))
        yield f"{count} {what} numbers outside 0..{limit - 1}: {_some(values)}"


def _projection(projection: Projection, network: Network, progress: Progress) -> Iterator[str]:
    limits = {}
    for side, name in (("source", projection.pre), ("target", projection.post)):
        if name not in network.populations:
            yield f"its {side} population {name!r} is not in the network"
        else:
            limits[side] = network.populations[name].size
    if "synapse" in projection.types:
        unknown = sorted(set(projection.synapses) - network.synapses.keys())
        if unknown:
            yield f"no such synapse: {_some(unknown)}"
    if projection.size and not projection.types.size:
        yield "it has edges but no synapse type"
        return
    yield from _columns(projection.types, "projection_types")
    yield from _columns(projection.edges.columns, "projection")
    limits["type"] = projection.types.size
    yield from _edges(projection, limits, progress)


def _edges(projection: Projection, limits: dict[str, int], progress: Progress) -> Iterator[str]:
    wrong: dict[str, list[np.ndarray]] = {side: [] for side in limits}
    own = ["delay"] if "delay" in projection.edges.columns else []
    negative = 0
    edges = projection.edges
    table = edges.columns.updated({"source": edges.source, "target": edges.target, "type": projection.type_index})
    for _, stop, rows in table.blocks(["source", "target", "type", *own]):
        for side, limit in limits.items():
            outside = _outside(rows[side], limit)
            if len(outside):
                wrong[side].append(np.unique(outside) if len(wrong[side]) else outside)
        if own:
            negative += int(np.count_nonzero(np.ma.filled(np.ma.less(rows["delay"], 0), False)))
        progress(f"checking {projection.name}", stop, projection.size)
    for side, limit in limits.items():
        yield from _range_message(wrong[side], limit, side)
    if negative:
        yield f"{negative} edges have a negative delay"


def _morphology_files(network: Network) -> list[str]:
    """Files that morphologies should be read from and that are not there (known without reading any)."""
    missing = getattr(network.morphologies, "missing", None)
    if missing is None:
        return []
    absent = list(missing())
    path = getattr(network.morphologies, "path", lambda name: "")
    return [f"morphology {name}: no such file: {path(name)}" for name in absent[: NAMED * 4]] + (
        [f"morphologies: {len(absent) - NAMED * 4} more files are missing"] if len(absent) > NAMED * 4 else []
    )
