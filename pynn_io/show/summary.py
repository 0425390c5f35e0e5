"""What a document holds, as plain values: sizes, models, ranges, degrees. Nothing is printed here.

Everything that has one row a cell or an edge is streamed in blocks; what is kept grows with the number of cells only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.progress import Progress, quiet
from pynn_io.show.plan_words import aim_word, recording_word, stimulus_word

#: How many distinct values of a text column are named.
NAMED = 6
#: Columns by which modellers call their cell types, best first.
LABELS = ("pop_name", "mtype", "model_name", "etype", "synapse_class")


@dataclass(frozen=True, slots=True)
class Range:
    """Smallest and largest value of what is stated; ``unit`` as in `pynn_io.units`."""

    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CellType:
    """One cell type of a population. ``label`` is what the source calls it, ``id`` its number there if it has one."""

    id: int | None
    label: str
    kind: str
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One attribute. ``level`` is ``cell`` or ``type``; ``stated`` counts the rows that state it; numbers have a
    ``range``, strings their first distinct ``values`` out of ``distinct``."""

    name: str
    level: str
    stated: int
    range: Range | None = None
    values: tuple[str, ...] = ()
    distinct: int = 0


@dataclass(frozen=True, slots=True)
class PopulationSummary:
    """One population: number of cells, its cell types, and the columns of its cells."""

    name: str
    size: int
    types: tuple[CellType, ...]
    columns: tuple[ColumnSummary, ...]


@dataclass(frozen=True, slots=True)
class SynapseType:
    """One edge type of a projection."""

    id: int | None
    name: str
    model: str
    receptor: str
    weight_unit: str
    count: int


@dataclass(frozen=True, slots=True)
class EdgeStatistics:
    """One pass over the edges of a projection.

    type_counts: edges a type row. weights: a range a weight unit. delay: None where nobody states one.
    out_degree, in_degree: int64, one entry a cell of the pre and the post population.
    groups: int64[pre groups, post groups], edges between cell groups (see `cell_groups`).
    """

    type_counts: np.ndarray
    weights: tuple[Range, ...]
    delay: Range | None
    out_degree: np.ndarray
    in_degree: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, slots=True)
class ProjectionSummary:
    """One projection: its ends, number of edges, types, and the columns of its edges.

    weights: one range a unit, as stated. delay: ms, None where no edge states one. out_degree, in_degree: edges of a
    source, of a target.
    """

    name: str
    pre: str
    post: str
    kind: str
    size: int
    types: tuple[SynapseType, ...]
    weights: tuple[Range, ...]
    delay: Range | None
    out_degree: Range
    in_degree: Range
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """Times in ms, potentials in mV, temperature in degC; None where the source is silent."""

    duration: float | None
    timestep: float | None
    spike_threshold: float | None
    celsius: float | None
    v_init: float | None
    target_simulator: str | None
    stimuli: tuple[str, ...]
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All that `pynn-show` prints about a document."""

    name: str
    format: str
    dialect: str
    source: str
    populations: tuple[PopulationSummary, ...]
    projections: tuple[ProjectionSummary, ...]
    plan: PlanSummary | None

    def as_dict(self) -> dict[str, Any]:
        """Nested dictionaries and lists of numbers and strings, for JSON."""
        return asdict(self)


def summarise(document: Document, *, progress: Progress = quiet) -> Summary:
    """Everything but morphologies, node sets and files (see `pynn_io.show.parts`). Reads every edge once."""
    network, provenance = document.network, document.provenance
    return Summary(
        name=network.name,
        format=str(provenance.get("format") or ""),
        dialect=str(provenance.get("dialect") or ""),
        source=str(provenance.get("source") or ""),
        populations=tuple(population_summary(one, network.cells) for one in network.populations.values()),
        projections=tuple(projection_summary(one, network, progress) for one in network.projections.values()),
        plan=plan_summary(document),
    )


def population_summary(population: Population, cells: Mapping[str, Cell]) -> PopulationSummary:
    """Cell types with their models and counts, and every column with its range."""
    counts = np.bincount(population.type_index.read(population.size), minlength=population.types.size)
    columns = (*_columns(population.table, "cell"), *_columns(population.types, "type"))
    return PopulationSummary(
        population.name,
        population.size,
        tuple(_cell_types(population, cells, counts)),
        tuple(column for column in columns if column.name != "cell"),
    )


def _cell_types(population: Population, cells: Mapping[str, Cell], counts: np.ndarray) -> Iterator[CellType]:
    ids = population.types.read("id") if "id" in population.types else None
    for row, (name, label) in enumerate(zip(population.cells, type_labels(population), strict=True)):
        kind, model = describe_cell(cells.get(name))
        yield CellType(None if ids is None else int(ids[row]), label, kind, model, int(counts[row]))


def type_labels(population: Population) -> tuple[str, ...]:
    """What a modeller calls each cell type: the first label column that tells the types apart, else the cell's name."""
    names = population.cells
    for label in LABELS:
        if label in population.types:
            values = [str(value) for value in population.types.values(label)]
            if len(set(values)) == len(values) and all(value not in ("", "None", "--") for value in values):
                return tuple(values)
    return names


def describe_cell(cell: Cell | None) -> tuple[str, str]:
    """``("point", "nest:iaf_psc_alpha")``: kind and model in words."""
    match cell:
        case PointCell(model=model):
            return "point", model
        case SpikeSource(model=model):
            return "spike source", model
        case CableCell(template=str(template)):
            return "cable", template
        case CableCell(processing=processing, decor=decor):
            return "cable", "+".join(processing) or (
                f"{len(decor)} painted or placed" if decor else "no membrane stated"
            )
        case UnknownCell(kind=kind):
            return "unknown", kind
    return "missing", ""


def _columns(table: Table, level: str) -> Iterator[ColumnSummary]:
    ranges: dict[str, list[float]] = {}
    numeric = [name for name in table if not table[name].is_text and table[name].dtype.kind in "iufb"]
    for _, _, rows in table.blocks(numeric):
        for name, values in rows.items():
            _widen(ranges.setdefault(name, []), values)
    for name, column in table.items():
        stated = column.rows_stated(table.size)
        if name in ranges:
            found = ranges[name]
            yield ColumnSummary(name, level, stated, Range(found[0], found[1], column.unit) if found else None)
        else:
            words = _levels(column, table.size)
            yield ColumnSummary(name, level, stated, None, tuple(words[:NAMED]), len(words))


def _levels(column: Column, size: int) -> list[str]:
    """The distinct strings that at least one row bears, in order of their codes."""
    if column.levels is None:
        return sorted({str(value) for value in np.ma.compressed(np.ma.array(column.values(size)))})
    if column.is_scalar:
        return [str(column.value)]
    used = np.unique(np.ma.compressed(np.ma.array(column.read(size))))
    return [column.levels[code] for code in used.tolist()]


def _widen(found: list[float], values: np.ndarray) -> None:
    """Let ``[low, high]`` (empty so far, or not) take in the stated, finite numbers of ``values``."""
    stated = np.ma.compressed(values) if np.ma.isMaskedArray(values) else np.asarray(values).reshape(-1)
    if stated.dtype.kind == "f":
        stated = stated[np.isfinite(stated)]
    if not stated.size:
        return
    low, high = stated.min().item(), stated.max().item()
    found[:] = [min(low, found[0]), max(high, found[1])] if found else [low, high]


def cell_groups(network: Network, limit: int = 8) -> dict[str, tuple[tuple[str, ...], Column]]:
    """Every population as one group, or as its cell types where there are 2 to ``limit`` of them.

    Gives, by population, the group labels and a column of group numbers (from 0 within the population).
    """
    groups = {}
    for name, population in network.populations.items():
        if 2 <= population.types.size <= limit:
            groups[name] = (type_labels(population), population.type_index)
        else:
            groups[name] = ((name,), Column(0))
    return groups


def edge_statistics(
    projection: Projection,
    network: Network,
    groups: Mapping[str, tuple[tuple[str, ...], Column]] | None = None,
    progress: Progress = quiet,
) -> EdgeStatistics:
    """Counts, ranges and degrees in one pass over the edges, in blocks. Memory: the cells, not the edges."""
    groups = groups or {}
    pre, post = network.populations[projection.pre], network.populations[projection.post]
    pre_labels, pre_group = groups.get(projection.pre, ((projection.pre,), Column(0)))
    post_labels, post_group = groups.get(projection.post, ((projection.post,), Column(0)))
    pre_of, post_of = pre_group.read(pre.size), post_group.read(post.size)
    units = weight_units(projection)
    pairs = np.zeros(len(pre_labels) * len(post_labels), dtype=np.int64)
    counts = np.zeros(projection.types.size, dtype=np.int64)
    out_degree, in_degree = np.zeros(pre.size, dtype=np.int64), np.zeros(post.size, dtype=np.int64)
    weights: dict[str, list[float]] = {}
    delay: list[float] = []
    for _, stop, rows in projection.blocks(_numeric(projection, ("weight", "delay"))):
        source, target, kinds = rows["source"], rows["target"], np.broadcast_to(rows["type"], rows["source"].shape)
        counts += np.bincount(kinds, minlength=counts.size)
        out_degree += np.bincount(source, minlength=pre.size)
        in_degree += np.bincount(target, minlength=post.size)
        pairs += np.bincount(pre_of[source] * len(post_labels) + post_of[target], minlength=pairs.size)
        if "weight" in rows:
            for unit in dict.fromkeys(units):
                of_unit = np.isin(kinds, [row for row, its in enumerate(units) if its == unit])
                _widen(weights.setdefault(unit, []), rows["weight"] if of_unit.all() else rows["weight"][of_unit])
        if "delay" in rows:
            _widen(delay, rows["delay"])
        progress(f"edges of {projection.name}", stop, projection.size)
    return EdgeStatistics(
        counts,
        tuple(Range(found[0], found[1], unit) for unit, found in weights.items() if found),
        Range(delay[0], delay[1], "ms") if delay else None,
        out_degree,
        in_degree,
        pairs.reshape(len(pre_labels), len(post_labels)),
    )


def _numeric(projection: Projection, names: tuple[str, ...]) -> list[str]:
    """Those of ``names`` that no level states as text (a weight given as a word has no range)."""
    tables = (projection.edges.columns, projection.types)
    return [name for name in names if not any(name in table and table[name].is_text for table in tables)]


def weight_units(projection: Projection) -> list[str]:
    """The unit of the weights of every type row; empty where none is stated."""
    if "weight_unit" not in projection.types:
        return [""] * projection.types.size
    return [
        str(unit) if unit is not None and unit is not np.ma.masked else ""
        for unit in projection.types.values("weight_unit")
    ]


def projection_summary(projection: Projection, network: Network, progress: Progress = quiet) -> ProjectionSummary:
    """Synapse types with their models and counts, and the ranges of weights, delays and degrees."""
    statistics = edge_statistics(projection, network, progress=progress)
    return ProjectionSummary(
        projection.name,
        projection.pre,
        projection.post,
        projection.kind,
        projection.size,
        tuple(_synapse_types(projection, network, statistics.type_counts)),
        statistics.weights,
        statistics.delay,
        _degree_range(statistics.out_degree),
        _degree_range(statistics.in_degree),
        tuple(sorted({*projection.edges.columns, *projection.types} - {"synapse"})),
    )


def _degree_range(degrees: np.ndarray) -> Range:
    return Range(int(degrees.min()), int(degrees.max())) if degrees.size else Range(0, 0)


def _synapse_types(projection: Projection, network: Network, counts: np.ndarray) -> Iterator[SynapseType]:
    ids = projection.types.read("id") if "id" in projection.types else None
    units = weight_units(projection)
    receptors = projection.types.values("receptor") if "receptor" in projection.types else [None] * len(units)
    for row, name in enumerate(projection.synapses):
        synapse = network.synapses.get(name)
        yield SynapseType(
            None if ids is None else int(ids[row]),
            name,
            "" if synapse is None else synapse.model,
            "" if receptors[row] is None or receptors[row] is np.ma.masked else str(receptors[row]),
            units[row],
            int(counts[row]),
        )


def plan_summary(document: Document) -> PlanSummary | None:
    """Times, inputs and recordings, in words; None where the source has no plan."""
    plan = document.plan
    if plan is None:
        return None
    return PlanSummary(
        plan.duration,
        plan.timestep,
        plan.spike_threshold,
        plan.celsius,
        plan.v_init,
        plan.target_simulator,
        tuple(f"{one.name}: {stimulus_word(one.what)} onto {aim_word(one)}" for one in plan.stimuli),
        tuple(f"{one.name}: {recording_word(one)}" for one in plan.recordings),
    )
