"""Populations as NeuroML needs them: each of one component, its instances numbered from 0.

A population of the graph holds cells of several types, with parameters of their own; NeuroML's holds copies of one
component. So a population is split into parts: by cell type, by combination of per-cell parameters, by morphology, and
a population of spike sources with given trains into one part a train.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pynn_io.formats.neuroml_records import Endpoint, Ids, PopulationRecord
from pynn_io.formats.text_blocks import numbers_text
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.report import Report
from pynn_io.vocabulary import models
from pynn_io.vocabulary.neuroml import START

#: More initial values than this are no components of their own: simulators compile code for every component, and edges
#: are dealt out to every pair of populations.
STARTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The cells of a population that are one component.

    name: id of the NeuroML population. rows: their ROWS in the graph's population, ascending; instance k is rows[k].
    cell: its definition, per-cell parameters included. morphology: of a cable cell. train: spike times (ms) of a
    source that has one; None for other cells and for sources without. starts: initial values by state, one a row, of
    cells that the component lets start alike.
    """

    name: str
    population: str
    cell_name: str
    cell: Cell
    rows: np.ndarray
    listed: bool
    morphology: str | None = None
    train: np.ndarray | None = None
    starts: Mapping[str, np.ndarray] = field(default_factory=empty)

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """All parts of one population. part: of every row; instance: number of every row within its part.

    numbers: ids of the instances by row, where those of the source stand (int64).
    """

    population: Population
    parts: tuple[Part, ...]
    part: np.ndarray
    instance: np.ndarray
    locations: tuple[np.ndarray, np.ndarray, np.ndarray] | None
    numbers: np.ndarray | None = None

    @property
    def whole(self) -> bool:
        """Whether one part holds all cells."""
        return len(self.parts) == 1 and self.parts[0].size == self.population.size

    def parts_of(self, rows: np.ndarray) -> np.ndarray | int:
        """The number of the part of each row; one number where one part holds all cells."""
        return 0 if self.whole else self.part[rows]

    def instances(self, rows: np.ndarray) -> np.ndarray:
        """The ids of rows within their parts."""
        if self.numbers is not None:
            return self.numbers[rows]
        return rows if self.whole else self.instance[rows]


def split_population(
    population: Population,
    network: Network,
    trains: Mapping[int, np.ndarray],
    ids: Ids,
    report: Report,
    *,
    as_it_came: bool = False,
) -> Split:
    """The parts of a population. trains: spike times by id of the population's ``id`` column.

    as_it_came: instances keep their ids, and cells that fire the same train stay together.
    """
    where = f"population {population.name}"
    locations = _locations(population, where, report)
    drafts = _drafts(population, network, trains, where, report, as_it_came)
    single = len(drafts) == 1
    parts = []
    part = np.full(population.size, -1, dtype=np.int64)
    instance = np.zeros(population.size, dtype=np.int64)
    for number, (suffix, draft) in enumerate(drafts):
        name = ids.new(population.name if single else f"{population.name}_{suffix}")
        parts.append(replace(draft, name=name, listed=locations is not None))
        part[draft.rows] = number
        instance[draft.rows] = np.arange(len(draft.rows))
    if not single and drafts:
        _say_split(population.name, [each.name for each in parts], where, report)
    ids_stated = population.ids()
    keeps = as_it_came and single and locations is not None and bool((ids_stated >= 0).all())
    numbers = ids_stated if keeps and not np.array_equal(ids_stated, np.arange(population.size)) else None
    if single and numbers is None and not np.array_equal(ids_stated, np.arange(population.size)):
        report.expanded(
            "ids-renumbered",
            where,
            "Its cells are instances 0, 1, 2 ...; the property pynn_io_ids says which ids they had.",
            count=population.size,
            examples=["id"],
        )
    return Split(population, tuple(parts), part, instance, locations, numbers)


def _say_split(population: str, parts: list[str], where: str, report: Report) -> None:
    report.expanded(
        "population-split",
        where,
        f"The population becomes {len(parts)} NeuroML populations, since each of those holds cells of one kind; "
        "their properties pynn_io_population and pynn_io_ids say which cells they hold.",
        examples=[population, *parts],
    )


def record(part: Part, split: Split, component: str) -> PopulationRecord:
    """The part as a <population>."""
    locations = split.locations
    if locations is not None:
        locations = (locations[0][part.rows], locations[1][part.rows], locations[2][part.rows])
    end = Endpoint(part.name, component, part.size, part.listed)
    return PopulationRecord(end, locations, _properties(part, split), numbers=split.numbers)


def ids_of_part(part: Part, split: Split) -> np.ndarray:
    """The ids that the source gives the instances of a part."""
    return split.population.ids()[part.rows]


def _properties(part: Part, split: Split) -> tuple[tuple[str, str], ...]:
    """What is needed to find the cells again: nothing where name and ids say it."""
    properties = []
    if part.name != part.population:
        properties.append(("pynn_io_population", part.population))
    ids = ids_of_part(part, split)
    if split.numbers is None and not np.array_equal(ids, np.arange(part.size)):
        properties.append(("pynn_io_ids", ranges_text(ids)))
    properties += [(START + name, numbers_text(values)) for name, values in part.starts.items()]
    return tuple(properties)


def ranges_text(ids: np.ndarray) -> str:
    """``[5, 6, 7, 9]`` -> ``"5-7 9"``; the order is kept."""
    if not len(ids):
        return ""
    breaks = np.flatnonzero(np.diff(ids) != 1) + 1
    first = ids[np.concatenate([[0], breaks])]
    last = ids[np.concatenate([breaks - 1, [len(ids) - 1]])]
    pairs = zip(first.tolist(), last.tolist(), strict=True)
    return " ".join(f"{a}-{b}" if a != b else str(a) for a, b in pairs)


def _drafts(
    population: Population,
    network: Network,
    trains: Mapping[int, np.ndarray],
    where: str,
    report: Report,
    as_it_came: bool,
) -> list[tuple[str, Part]]:
    """``(suffix, part)`` without final names."""
    labels = _labels(population)
    types = population.type_index.read(population.size)
    drafts: list[tuple[str, Part]] = []
    for row, cell_name in enumerate(population.cells):
        rows = np.flatnonzero(types == row)
        if not len(rows):
            continue
        cell = network.cells[cell_name]
        plain = Part("", population.name, cell_name, cell, rows, False)
        label = labels[row]
        if isinstance(cell, SpikeSource):
            same = _common_train(population, rows, trains) if as_it_came else None
            drafts += (
                _source_drafts(label, plain, population, trains)
                if same is None
                else [(label, replace(plain, train=same))]
            )
        elif isinstance(cell, CableCell):
            drafts += _cable_drafts(label, plain, population)
        elif isinstance(cell, PointCell):
            drafts += _point_drafts(label, plain, population, where, report)
        else:
            report.lost(
                "unknown-cell",
                where,
                f"{cell_name} is a {getattr(cell, 'kind', 'cell')}, which NeuroML does not have; it is left out.",
                count=len(rows),
                examples=[cell_name],
            )
    return drafts


def _labels(population: Population) -> list[str]:
    """What tells the types of a population apart, readable if possible: pop_name or model_name, else the id."""
    size = population.types.size
    for name in ("pop_name", "model_name"):
        if name in population.types:
            texts = [str(value) for value in np.ma.asarray(population.types.values(name)).tolist() if value]
            if len(set(texts)) == size:
                return texts
    if "id" in population.types:
        return [str(value) for value in population.types.values("id").tolist()]
    cells = population.cells
    return list(cells) if len(set(cells)) == size else [f"type_{row}" for row in range(size)]


def _point_drafts(
    label: str, plain: Part, population: Population, where: str, report: Report
) -> list[tuple[str, Part]]:
    """One part for every combination of per-cell parameters."""
    names = [name for name in population.table if name.startswith(PARAMETER)]
    columns = {}
    for name in names:
        column = population.column(name)
        if column is None:
            continue
        values = np.ma.asarray(column.values(population.size))[plain.rows]
        columns[name.removeprefix(PARAMETER)] = values
    if not columns:
        return [(label, plain)]
    codes, combinations = _combinations(columns, plain.size)
    starts = _starts(plain.cell, columns) if len(combinations) > STARTS else {}
    if starts:
        codes, combinations = _combinations({name: columns[name] for name in columns if name not in starts}, plain.size)
        _say_starts(starts, where, report)
    if len(combinations) > 1:
        report.expanded(
            "per-cell-parameters",
            where,
            f"Cells have parameters of their own ({', '.join(columns)}); NeuroML states them once a component, so "
            "there is one component and one population for every combination.",
            count=len(combinations),
        )
    drafts = []
    for number, stated in enumerate(combinations):
        own = {name: values[codes == number] for name, values in starts.items()}
        stated |= {name: float(values.mean()) for name, values in own.items()}
        cell = replace(plain.cell, parameters={**plain.cell.parameters, **stated}, origin=None)  # type: ignore[union-attr]
        suffix = label if len(combinations) == 1 else f"{label}_p{number}"
        drafts.append((suffix, replace(plain, cell=cell, rows=plain.rows[codes == number], starts=own)))
    return drafts


def _starts(cell: Cell, columns: Mapping[str, np.ma.MaskedArray]) -> dict[str, np.ndarray]:
    """The columns that are initial values of the cell's model and that every cell states."""
    model = models.known(cell.model) if isinstance(cell, PointCell) else None
    states = {state.name for state in model.states} if model is not None else set()
    return {
        name: np.ma.getdata(values).astype(np.float64)
        for name, values in columns.items()
        if name in states and values.ndim == 1 and not np.ma.is_masked(values)
    }


def _say_starts(starts: Mapping[str, np.ndarray], where: str, report: Report) -> None:
    for name, values in starts.items():
        report.approximated(
            "initial-values",
            where,
            f"Its {len(values)} cells start from {len(np.unique(values))} values of {name}, which NeuroML states once "
            f"a component: all of a component start from their mean. The property {START}{name} has each cell's own, "
            "which simulators of NeuroML do not read and pynn_io does.",
            count=len(values),
            examples=[name],
        )


def _combinations(columns: Mapping[str, np.ma.MaskedArray], size: int) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The number of the combination of every row, and the values of each (those that its rows state)."""
    code = np.zeros(size, dtype=np.int64)
    missing = {name: _missing(values) for name, values in columns.items()}
    for name, values in columns.items():
        masked = missing[name]
        own = np.zeros(len(values), dtype=np.int64)
        axis = None if values.ndim == 1 else 0
        _, inverse = np.unique(np.ma.getdata(values)[~masked], return_inverse=True, axis=axis)
        own[~masked] = inverse.reshape(-1) + 1
        _, code = np.unique(code * (own.max(initial=0) + 1) + own, return_inverse=True)
        code = code.reshape(-1)
    _, first = np.unique(code, return_index=True)
    combinations = []
    for row in first.tolist():
        stated = {
            name: np.ma.getdata(values)[row].tolist() for name, values in columns.items() if not missing[name][row]
        }
        combinations.append(
            {name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()}
        )
    return code, combinations


def _missing(values: np.ma.MaskedArray) -> np.ndarray:
    """Which rows state no value, or no whole list."""
    masked = np.ma.getmaskarray(values)
    return masked if masked.ndim == 1 else masked.any(axis=1)


def _cable_drafts(label: str, plain: Part, population: Population) -> list[tuple[str, Part]]:
    """One part a morphology: the type's, or the cells' own."""
    cell = plain.cell
    column = population.column("morphology")
    if column is None or column.levels is None:
        name = column.value if column is not None and column.is_scalar else getattr(cell, "morphology", None)
        return [(label, replace(plain, morphology=None if name is None else str(name)))]
    codes = np.ma.asarray(column.read(population.size))[plain.rows]
    drafts = []
    for code in np.unique(np.ma.filled(codes, -1)).tolist():
        rows = plain.rows[np.ma.filled(codes, -1) == code]
        name = column.levels[code] if code >= 0 else getattr(cell, "morphology", None)
        drafts.append((f"{label}_{name}", replace(plain, rows=rows, morphology=name)))
    return drafts if len(drafts) > 1 else [(label, drafts[0][1])]


def _common_train(population: Population, rows: np.ndarray, trains: Mapping[int, np.ndarray]) -> np.ndarray | None:
    """The train that all of these cells fire; None where they differ, or have none."""
    ids = population.ids()[rows].tolist()
    first = trains.get(ids[0])
    if first is None:
        return None
    return first if all(np.array_equal(trains.get(each, ()), first) for each in ids) else None


def _source_drafts(
    label: str, plain: Part, population: Population, trains: Mapping[int, np.ndarray]
) -> list[tuple[str, Part]]:
    """One part a cell with a train; the others stay together and are silent."""
    ids = population.ids()[plain.rows]
    have = np.isin(ids, np.fromiter(trains, dtype=np.int64, count=len(trains)))
    drafts = [
        (str(number), replace(plain, rows=np.array([row]), train=trains[number]))
        for row, number in zip(plain.rows[have].tolist(), ids[have].tolist(), strict=True)
    ]
    if not have.all():
        drafts.append((f"{label}_silent" if drafts else label, replace(plain, rows=plain.rows[~have])))
    return drafts


def _locations(population: Population, where: str, report: Report) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """x, y and z of every cell, um; None where the source has no positions."""
    columns = {axis: population.column(axis) for axis in "xyz"}
    if all(column is None for column in columns.values()) or not population.size:
        return None
    axes = []
    missing: list[str] = []
    for axis, column in columns.items():
        values = np.zeros(population.size) if column is None else np.ma.asarray(column.read(population.size))
        absent = np.ma.getmaskarray(values) | ~np.isfinite(np.ma.getdata(values).astype(np.float64))
        if column is None or absent.any():
            missing.append(axis)
        axes.append(np.where(absent, 0.0, np.ma.getdata(values).astype(np.float64)))
    if missing:
        report.defaulted(
            "no-coordinate",
            where,
            f"NeuroML locations have three coordinates; {' and '.join(missing)}, where not stated, is written as 0.",
            count=population.size,
        )
    return axes[0], axes[1], axes[2]


def train_of(part: Part) -> np.ndarray | None:
    """The spikes of a source, none for one that is silent; None for a source that is no list of times."""
    if part.train is not None:
        return part.train
    cell = part.cell
    return np.zeros(0) if getattr(cell, "model", "") == "SpikeSourceArray" and not cell.parameters else None
