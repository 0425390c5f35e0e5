"""What rows state for themselves, gathered into types, where Allen's tools look for it.

BMTK reads text from the types CSV only (it takes ``@library`` codes for values), and the parameters of cells and
synapses from the JSON file that a type names (pointnet has no other place). A circuit of the OBI dialect, or one built
by a program, has both in columns of rows; here every combination that occurs becomes a type with a definition of its
own. It is the inverse of what the OBI dialect does to types, so that a circuit that went there computes the same
when it is back.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn_io.graph.cells import Cell, Origin, PointCell, UnknownCell
from pynn_io.graph.columns import BLOCK, Column, RowReader, Table, text_column
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report

#: The most types that one population or projection is given; with more combinations its columns stay columns.
MOST = 1024
#: The column in which a flat dialect keeps the name of a type's parameter file.
FILE = "dynamics_params_file"
_WIDEST = 2**62


@dataclass(frozen=True, slots=True)
class Regrouped:
    """made: cells and synapses that stand for columns -> the file of their parameters, empty if it had no name."""

    network: Network
    made: Mapping[str, str]


def regrouped(network: Network, report: Report, *, flat: Container[str]) -> Regrouped:
    """The network with the text of edges in types.

    flat: populations and projections whose source knows no types, so that the parameters of their point cells and
    synapses become definitions too. Elsewhere parameters that rows state for themselves stay where they are stated.
    """
    cells: dict[str, Cell] = dict(network.cells)
    synapses: dict[str, Synapse] = dict(network.synapses)
    made: dict[str, str] = {}
    populations = dict(network.populations)
    for name, population in network.populations.items():
        if name in flat:
            populations[name] = _population(population, cells, made, report)
        else:
            _report_rows(population, cells, report)
    projections = {
        name: _projection(projection, synapses, made, report, flat=name in flat)
        for name, projection in network.projections.items()
    }
    changed = replace(network, populations=populations, projections=projections, cells=cells, synapses=synapses)
    return Regrouped(changed, made)


# --- combinations -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Key:
    """The number of a row's value in one column. values: the distinct ones, sorted; a last number says "none"."""

    column: Column
    values: np.ndarray

    @property
    def count(self) -> int:
        return len(self.values) + 1

    def codes(self, rows: np.ndarray) -> np.ndarray:
        data = np.asarray(np.ma.getdata(rows))
        found = np.minimum(np.searchsorted(self.values, data), max(len(self.values) - 1, 0))
        hidden = np.ma.getmaskarray(rows) | _blank(data)
        return np.where(hidden, len(self.values), found).astype(np.int64)

    def value(self, code: int) -> Any:
        """The value of a number as Python has it; None for none, and for the empty string, which states nothing."""
        if code >= len(self.values):
            return None
        value = self.values[code]
        text = self.column.levels[int(value)] if self.column.levels is not None else value.item()
        return None if text == "" else text


def _blank(data: np.ndarray) -> np.ndarray:
    """NaN stands for what a row of a flat group does not state."""
    return np.isnan(data) if data.dtype.kind == "f" else np.zeros(data.shape, dtype=bool)


def _blocks(columns: Sequence[Column], size: int) -> Iterator[list[np.ndarray]]:
    with ExitStack() as stack:
        readers = [stack.enter_context(column.open()) for column in columns]
        for start in range(0, size, BLOCK):
            yield [read(start, min(start + BLOCK, size)) for read in readers]


def _keys(columns: Mapping[str, Column], size: int) -> dict[str, _Key]:
    """Keys of the columns with few distinct values, of those that hold one number or string a row."""
    values: dict[str, np.ndarray | None] = {}
    for rows in _blocks(list(columns.values()), size):
        for name, block in zip(columns, rows, strict=True):
            seen = values.get(name, block[:0])
            if seen is None or np.ndim(block) != 1 or block.dtype.kind not in "biuf":
                values[name] = None
                continue
            stated = np.ma.compressed(block) if np.ma.isMaskedArray(block) else block
            merged = np.union1d(np.ma.getdata(seen), stated[~_blank(stated)])
            values[name] = merged if len(merged) <= MOST else None
    return {name: _Key(columns[name], seen) for name, seen in values.items() if seen is not None}


@dataclass(frozen=True, slots=True)
class _Combinations:
    """Type rows and values that occur together, as the new type row of every row: a `ChunkSource`.

    combos: their numbers, sorted, so that the order of types stays.
    """

    index: Column
    keys: Mapping[str, _Key]
    size: int
    combos: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.int64)

    def open(self) -> AbstractContextManager[RowReader]:
        return self._open()

    @contextmanager
    def _open(self) -> Iterator[RowReader]:
        columns = [self.index, *(key.column for key in self.keys.values())]
        with ExitStack() as stack:
            readers = [stack.enter_context(column.open()) for column in columns]

            def read(start: int, stop: int) -> np.ndarray:
                numbers = _numbers([reader(start, stop) for reader in readers], self.keys)
                return np.searchsorted(self.combos, numbers).astype(np.int64)

            yield read

    def rows(self) -> list[tuple[int, dict[str, Any]]]:
        """``(old type row, value of every column)`` of each new type."""
        found = []
        for number in self.combos.tolist():
            stated = {}
            for name, key in reversed(list(self.keys.items())):
                number, code = divmod(number, key.count)
                stated[name] = key.value(code)
            found.append((number, {name: stated[name] for name in self.keys}))
        return found


def _numbers(rows: Sequence[np.ndarray], keys: Mapping[str, _Key]) -> np.ndarray:
    numbers = np.asarray(rows[0], dtype=np.int64)
    for block, key in zip(rows[1:], keys.values(), strict=True):
        numbers = numbers * key.count + key.codes(block)
    return numbers


def _combine(index: Column, types: int, columns: Mapping[str, Column], size: int) -> _Combinations | None:
    """The combinations of types and columns; None if there are too many to be types."""
    keys = _keys(columns, size)
    widest = max(types, 1)
    for key in keys.values():
        widest *= key.count
    if len(keys) < len(columns) or widest > _WIDEST:
        return None
    combos = np.zeros(0, dtype=np.int64)
    for rows in _blocks([index, *(key.column for key in keys.values())], size):
        combos = np.union1d(combos, _numbers(rows, keys))
        if len(combos) > MOST:
            return None
    return _Combinations(index, keys, size, combos)


# --- populations --------------------------------------------------------------------------------------------------


def _population(population: Population, cells: dict[str, Cell], made: dict[str, str], report: Report) -> Population:
    """Its point cells with the parameters that rows state, as cell definitions, one a combination."""
    names = [name for name in population.table if name.startswith(PARAMETER) or name == FILE]
    points = all(isinstance(cells[name], (PointCell, UnknownCell)) for name in population.cells)
    if not names or not points or not population.size:
        return population
    columns = {name: _coded(population.table[name], population.size) for name in names}
    found = _combine(population.type_index, population.types.size, columns, population.size)
    where = f"population {population.name}"
    if found is None:
        _report_too_many(where, names, population.size, report)
        return population
    rows = found.rows()
    types = population.types.take(np.array([row for row, _ in rows], dtype=np.int64))
    new = []
    for number, (row, stated) in enumerate(rows):
        base = cells[population.cells[row]]
        name = _free(f"{population.name}_{number}" if len(rows) > 1 else population.name, cells)
        cells[name] = replace(base, **_definition(base, stated))  # type: ignore[arg-type]
        made[name] = stated.get(FILE) or ""
        new.append(name)
    _report(where, names, len(rows), population.size, report)
    table = population.table.updated(dict.fromkeys(columns))
    index = Column(_index(found)) if len(rows) > 1 else Column(0)
    return replace(population, types=types.updated({"cell": text_column(new)}), type_index=index, table=table)


def _index(found: _Combinations) -> np.ndarray:
    with found.open() as read:
        return read(0, found.size)


def _definition(base: Any, stated: Mapping[str, Any]) -> dict[str, Any]:
    """``parameters`` and ``origin`` of a definition that takes over what rows state."""
    own = {
        name.removeprefix(PARAMETER): value
        for name, value in stated.items()
        if name.startswith(PARAMETER) and value is not None
    }
    origin = base.origin
    if origin is not None:
        names = {key: text for key, text in origin.names.items() if key != "dynamics_params"}
        origin = Origin(names, {key: path for key, path in origin.files.items() if key != "dynamics_params"})
    return {"parameters": {**base.parameters, **own}, "origin": origin}


def _coded(column: Column, size: int) -> Column:
    """Text as codes into its levels."""
    if not column.is_text or column.levels is not None:
        return column
    return text_column(column.values(size), extra=column.extra)


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made


# --- projections --------------------------------------------------------------------------------------------------


def _projection(
    projection: Projection, synapses: dict[str, Synapse], made: dict[str, str], report: Report, *, flat: bool
) -> Projection:
    """Its text in types, and the parameters that edges state as synapse definitions, one a combination."""
    table = projection.edges.columns
    parameters = [name for name in table if name.startswith(PARAMETER) and flat]
    text = [name for name in table if table[name].is_text and not name.startswith(PARAMETER)]
    if not (parameters or text) or not projection.size:
        return projection
    where = f"projection {projection.name}"
    found, names = None, [*text, *parameters]
    while found is None and names:
        columns = {name: _coded(table[name], projection.size) for name in names}
        found = _combine(projection.type_index, projection.types.size, columns, projection.size)
        if found is None:  # parameters may differ from edge to edge; text without them rarely does
            _report_too_many(where, parameters if parameters and names != text else names, projection.size, report)
            names = text if parameters and names != text else []
    if found is None:
        return projection
    rows = found.rows()
    types = projection.types.take(np.array([row for row, _ in rows], dtype=np.int64))
    new = []
    for number, (row, stated) in enumerate(rows):
        name = projection.synapses[row]
        if (flat and stated.get(FILE)) or any(stated.get(key) is not None for key in parameters):
            made_name = _free(f"{projection.name}_{number}" if len(rows) > 1 else projection.name, synapses)
            synapses[made_name] = replace(synapses[name], **_definition(synapses[name], stated))
            made[made_name] = stated.get(FILE) or ""
            name = made_name
        new.append(name)
    moved: dict[str, Column | None] = {"synapse": text_column(new)}
    for name in text:
        if name != FILE or not flat:
            moved[name] = _type_text(name, rows, types)
    _report(where, names, len(rows), projection.size, report)
    edges = replace(projection.edges, columns=table.updated(dict.fromkeys(names)))
    index = Column(found) if len(rows) > 1 else Column(0)
    return replace(projection, types=types.updated(moved), edges=edges, type_index=index)


def _type_text(name: str, rows: Sequence[tuple[int, Mapping[str, Any]]], types: Table) -> Column | None:
    """A column of text for the types: what edges state, else what their old type did."""
    beneath = [None] * len(rows)
    if name in types:
        beneath = np.ma.filled(np.ma.array(types.values(name), dtype=object), None).tolist()
    values = [old if stated[name] is None else stated[name] for (_, stated), old in zip(rows, beneath, strict=True)]
    return text_column(values) if any(value is not None for value in values) else None


# --- reports ------------------------------------------------------------------------------------------------------


def _report(where: str, names: Sequence[str], types: int, count: int, report: Report) -> None:
    plain = [name.removeprefix(PARAMETER) for name in names]
    report.expanded(
        "rows-as-types",
        where,
        f"Allen's tools read text and parameters from types and the files that these name, so each of the {types} "
        f"combinations that occur is a type now: {', '.join(plain)}",
        count=count,
        examples=["id", *plain],
    )


def _report_rows(population: Population, cells: Mapping[str, Cell], report: Report) -> None:
    """Parameters that cells of NEST state one by one: BMTK hands NEST those of their types only."""
    names = [name.removeprefix(PARAMETER) for name in population.table if name.startswith(PARAMETER)]
    nest = any(getattr(cells[name], "model", "").startswith("nest:") for name in population.cells)
    if names and nest:
        report.approximated(
            "parameters-of-rows",
            f"population {population.name}",
            "these parameters stand with each cell in dynamics_params of the nodes file, as SONATA has it; BMTK does "
            f"not read them from there for NEST: {', '.join(names)}",
            count=population.size,
        )


def _report_too_many(where: str, names: Sequence[str], count: int, report: Report) -> None:
    report.approximated(
        "rows-not-as-types",
        where,
        f"there are more than {MOST} combinations of these, too many for types; they are columns of the file, which "
        f"BMTK reads for parameters in bionet only, and never for text: "
        f"{', '.join(name.removeprefix(PARAMETER) for name in names)}",
        count=count,
    )
