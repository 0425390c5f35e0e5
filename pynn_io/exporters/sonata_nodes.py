"""Node populations -> node files and node types.

Two readings of one file. Allen's: a row's attributes are those of its group, text stands in the types CSV. OBI's:
attributes are the datasets of group 0, text as ``@library``, no CSV. In one dialect only one of them is written. In the
dialect of both worlds group 0 holds the OBI reading, which libsonata takes without looking at ``node_group_id``; rows
point to group 2, which holds the numbers alone (the same datasets under a second link) for Allen's tools, that would
take ``@library`` codes for values. (libsonata 0.2.2 refuses a group 1.) Where there is no text one group serves both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import h5py
import numpy as np

from pynn_io.exporters.sonata_components import Components, model_type
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_rotation import ANGLES, QUATERNION, angles, quaternion
from pynn_io.exporters.sonata_types import Types, fold, give_ids, level_codes, types_of
from pynn_io.formats.sonata_write import LIBRARY, write_dataset, write_enumeration, write_strings
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.network import Network, Population
from pynn_io.graph.schema import PARAMETER, unit_of
from pynn_io.report import Report

#: Group that rows point to where group 0 is written for libsonata alone.
VIEW = 2
#: What the id of a node was, where ids had to become row numbers.
ORIGINAL_ID = "original_id"
DYNAMICS = "dynamics_params"
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


@dataclass(slots=True)
class _Rows:
    """Columns of rows by name, split by what they are; parameters have lost their prefix."""

    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    text: dict[str, Column] = field(default_factory=dict)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    parameter_text: dict[str, Column] = field(default_factory=dict)


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
    group = file.require_group("nodes").create_group(population.name)
    cells = [network.cells[name] for name in population.cells]
    attributes = [components.cell(name) for name in population.cells]
    _report_sources(cells, where, report)
    index = of_cell = np.asarray(population.type_index.read(population.size), dtype=np.int64)
    rows = _rows_of(population, where, components)
    types = types_of(population.types, attributes, ("cell",))
    _move_type_parameters(types, rows, index)
    ids, old = _ids(population, dialect, rows, where, report)
    obi_type = _population_type(cells, index, where, dialect, report)
    if dialect.types:
        types, index = _fold(types, index, rows, where, report)
    if dialect.name == "allen":
        if foreign:
            _to_angles(population, rows, types, where, report)
        numbers = _write_groups(group, population, rows, where, report)
    elif dialect.name == "obi":
        if foreign:
            _to_quaternion(population, rows, types, where, report)
        numbers = _write_obi(group.create_group("0"), (cells, of_cell), types, index, rows, where, report)
    else:
        numbers = _write_both(group, population, (cells, of_cell), types, index, rows, where, report)
    size = population.size
    write_dataset(group, "node_type_id", types.ids[index] if dialect.types else np.full(size, -1), dtype=np.int64)
    write_dataset(group, "node_id", np.arange(size) if ids is None else ids, dtype=np.uint64)
    write_dataset(group, "node_group_id", numbers[0], dtype=np.uint32)
    write_dataset(group, "node_group_index", numbers[1], dtype=np.uint64)
    return WrittenNodes(population, ids, types.records("node_type_id") if dialect.types else {}, obi_type, old)


# --- columns ------------------------------------------------------------------------------------------------------


def _rows_of(population: Population, where: str, components: Components) -> _Rows:
    rows = _Rows()
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


def _move_type_parameters(types: Types, rows: _Rows, index: np.ndarray) -> None:
    """Parameters that types state as columns have no place in a CSV: every row states them."""
    for name in [name for name in types.columns if name.startswith(PARAMETER)]:
        values = types.columns.pop(name)
        key = name.removeprefix(PARAMETER)
        beneath = _spread_numbers(values, index)
        own = rows.parameters.get(key)
        rows.parameters[key] = beneath if own is None else _overlay(own, beneath)


def _spread_numbers(values: list[object], index: np.ndarray) -> np.ndarray:
    hidden = np.array([value is None for value in values], dtype=bool)
    data = np.array([0 if value is None else value for value in values])
    return np.ma.array(data[index], mask=hidden[index]) if hidden.any() else data[index]


def _overlay(own: np.ndarray, beneath: np.ndarray) -> np.ndarray:
    mask = np.ma.getmaskarray(own)
    if not mask.any():
        return np.ma.getdata(own)
    merged = np.ma.where(mask, beneath, own)
    return merged if np.ma.is_masked(merged) else np.ma.getdata(merged)


def _ids(
    population: Population, dialect: Dialect, rows: _Rows, where: str, report: Report
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


def _fold(types: Types, index: np.ndarray, rows: _Rows, where: str, report: Report) -> tuple[Types, np.ndarray]:
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
    changed = give_ids(types)
    report.expanded(
        "type-ids",
        where,
        "types that share an id but differ were given ids of their own",
        count=changed,
        examples=["id"],
    )
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


def _report_sources(cells: list[Cell], where: str, report: Report) -> None:
    for cell in dict.fromkeys(id(cell) for cell in cells if isinstance(cell, SpikeSource)):
        source = next(item for item in cells if id(item) == cell)
        if isinstance(source, SpikeSource) and source.model != "SpikeSourceArray":
            report.lost(
                "spike-source",
                where,
                f"a virtual node of SONATA only replays spikes; that these are a {source.model} with "
                f"{', '.join(source.parameters) or 'no parameters'} is written, but no reader of SONATA makes use of it",
                examples=["model", source.model],
            )


# --- rotations ----------------------------------------------------------------------------------------------------


def _stated(population: Population, names: tuple[str, ...]) -> np.ndarray | None:
    """The columns as every row sees them, ``[n, len(names)]``, 0 where not stated; None if there is none of them."""
    columns = [population.column(name) for name in names]
    if all(column is None for column in columns):
        return None
    size = population.size
    return np.stack(
        [
            np.zeros(size) if column is None else np.ma.filled(np.ma.asarray(column.read(size), dtype=float), 0.0)
            for column in columns
        ],
        axis=1,
    ).reshape(size, len(names))


def _to_angles(population: Population, rows: _Rows, types: Types, where: str, report: Report) -> None:
    turned = _stated(population, QUATERNION)
    if turned is None:
        return
    _drop(rows, types, QUATERNION)
    if not any(name in rows.numbers or name in types.columns for name in ANGLES):
        rows.numbers |= dict(zip(ANGLES, angles(turned).T, strict=True))
        _report_rotation(where, report, "three angles", QUATERNION, ANGLES)


def _to_quaternion(population: Population, rows: _Rows, types: Types, where: str, report: Report) -> None:
    turned = _stated(population, ANGLES)
    if turned is None:
        return
    _drop(rows, types, ANGLES)
    if not any(name in rows.numbers or name in types.columns for name in QUATERNION):
        rows.numbers |= dict(zip(QUATERNION, quaternion(turned).T, strict=True))
        _report_rotation(where, report, "a quaternion", ANGLES, QUATERNION)


def _drop(rows: _Rows, types: Types, names: tuple[str, ...]) -> None:
    for name in names:
        rows.numbers.pop(name, None)
        types.columns.pop(name, None)


def _report_rotation(where: str, report: Report, form: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    report.expanded(
        "rotation",
        where,
        f"this dialect states a rotation as {form} (extrinsic order z, y, x): {', '.join(old)} became {', '.join(new)}",
    )


# --- Allen: attribute groups --------------------------------------------------------------------------------------


def _write_groups(
    group: h5py.Group, population: Population, rows: _Rows, where: str, report: Report, *, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Groups as the source has them, else one for every set of columns that rows state. Gives group and index of rows."""
    own = rows.numbers.pop("group", None)
    numbers = np.asarray(own, dtype=np.int64) if own is not None else _groups_by_mask(rows, population.size)
    if first:
        numbers = np.unique(numbers, return_inverse=True)[1].reshape(-1) + first
        report.expanded("attribute-groups", where, f"attribute groups are numbered from {first}: the column group")
    index = np.zeros(population.size, dtype=np.int64)
    found = np.unique(numbers).tolist() or [0]
    if own is None and not first and len(found) > 1:
        report.expanded(
            "attribute-groups",
            where,
            "columns that some cells do not state stand in attribute groups of their own: the column group",
            count=len(found),
        )
    for number in found:
        mine = np.flatnonzero(numbers == number)
        index[mine] = np.arange(len(mine))
        holder = group.create_group(str(number))
        _write_numbers(holder, {name: values[mine] for name, values in rows.numbers.items()}, where, report)
        if rows.parameters or rows.parameter_text:
            inner = holder.create_group(DYNAMICS)
            _write_numbers(inner, {name: values[mine] for name, values in rows.parameters.items()}, where, report)
            _write_texts(inner, rows.parameter_text, mine, where, report)
    return numbers, index


def _groups_by_mask(rows: _Rows, size: int) -> np.ndarray:
    key = np.zeros(size, dtype=np.int64)
    for values in (*rows.numbers.values(), *rows.parameters.values()):
        mask = np.ma.getmaskarray(values)
        if mask.any():
            key = key * 2 + (mask.any(axis=tuple(range(1, mask.ndim))) if mask.ndim > 1 else mask)
            key = np.unique(key, return_inverse=True)[1].reshape(-1)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse.reshape(-1)] if size else key


def _write_numbers(group: h5py.Group, columns: Mapping[str, np.ndarray], where: str, report: Report) -> None:
    """Columns of numbers; one that no row here states is left out, gaps become NaN and are reported."""
    for name, values in columns.items():
        if len(values) and np.ma.getmaskarray(values).all():
            continue
        write_dataset(group, name, without_gaps(values, name, where, report), units=_units(name))


def without_gaps(values: np.ndarray, name: str, where: str, report: Report) -> np.ndarray:
    """NaN for what is not stated: a dataset has no gaps. Whole numbers become floats then."""
    mask = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if data.dtype.kind == "b":
        data = data.astype(np.int8)
    if not mask.any():
        return data
    report.approximated(
        "not-stated-as-nan",
        where,
        f"the column {name} has gaps, which a single attribute group cannot express; they are NaN",
        count=int(np.count_nonzero(mask)),
        examples=[name],
    )
    return np.where(mask, np.nan, data.astype(np.float64))


def _units(name: str) -> str:
    unit = unit_of(name)
    return "" if unit == "1" else unit


# --- OBI: everything in group 0 -----------------------------------------------------------------------------------


def _write_obi(
    holder: h5py.Group,
    cells: tuple[list[Cell], np.ndarray],
    types: Types,
    index: np.ndarray,
    rows: _Rows,
    where: str,
    report: Report,
    *,
    silent: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Every attribute as each row sees it. ``silent``: the same content also stands where nothing of it is lost."""
    told = Report() if silent else report
    if rows.numbers.pop("group", None) is not None:
        told.expanded("attribute-groups", where, "attribute groups became one: the column group is gone")
    _flat_types(holder, types, index, rows, where, told)
    _write_numbers(holder, rows.numbers, where, told)
    _write_texts(holder, rows.text, slice(None), where, told)
    inner = _Lazy(holder, DYNAMICS)
    flat = _cell_parameters(*cells, where, told)
    for name, values in {**flat.numbers, **rows.parameters}.items():
        beneath = flat.numbers.get(name)
        merged = values if beneath is None or values is beneath else _overlay(values, beneath)
        _write_numbers(inner.group, {name: merged}, where, told)
    for name, column in {**flat.text, **rows.parameter_text}.items():
        text = np.where(np.ma.getmaskarray(column.data), "", column.values(len(index)))
        write_strings(inner.group, name, text)
    return np.zeros(len(index), dtype=np.int64), np.arange(len(index))


class _Lazy:
    """A subgroup that is made when first asked for."""

    def __init__(self, holder: h5py.Group, name: str) -> None:
        self._holder, self._name = holder, name

    @property
    def group(self) -> h5py.Group:
        return self._holder.require_group(self._name)


def _flat_types(holder: h5py.Group, types: Types, index: np.ndarray, rows: _Rows, where: str, report: Report) -> None:
    """Type-level attributes spread over the rows; where rows state their own, these stand."""
    flat = []
    for name, values in types.columns.items():
        if all(value is None for value in values):
            continue
        key = "dynamics_params_file" if name == DYNAMICS else name
        if name == "morphology":  # the OBI extension names a morphology without the suffix of its file
            values = [None if value is None else str(value).removesuffix(".swc") for value in values]
        if any(isinstance(value, str) for value in values):
            codes, levels = level_codes([None if value is None else str(value) for value in values])
            spread = Column(np.ma.array(codes[index], mask=np.array([v is None for v in values])[index]), levels=levels)
            rows.text[key] = _overlay_text(rows.text[key], spread, len(index)) if key in rows.text else spread
        else:
            beneath = _spread_numbers(values, index)
            own = rows.numbers.get(key)
            rows.numbers[key] = beneath if own is None else _overlay(own, beneath)
        flat.append(key)
    if (types.ids >= 0).any() or set(flat) - {"model_type", "model_template"}:
        report.expanded(
            "types-flattened",
            where,
            f"the OBI dialect has no types table: every node states what its type stated ({', '.join(flat)}); "
            "node_type_id is -1, the id of the type is gone",
            count=len(flat),
            examples=["id"],
        )


def _overlay_text(own: Column, beneath: Column, size: int) -> Column:
    upper, lower = np.ma.asarray(own.values(size)), np.ma.asarray(beneath.values(size))
    return text_column(np.where(np.ma.getmaskarray(upper), lower.filled(None), upper.filled(None)))


def _write_texts(
    holder: h5py.Group, columns: Mapping[str, Column], select: slice | np.ndarray, where: str, report: Report
) -> None:
    for name, column in columns.items():
        levels = list(column.levels or ())
        codes = column.data[select]
        gaps = int(np.count_nonzero(np.ma.getmaskarray(codes)))
        if gaps:
            if gaps == len(codes):
                continue
            blank = levels.index("") if "" in levels else len(levels)
            levels += [""] * (blank == len(levels))
            codes = np.ma.filled(codes, blank)
            report.expanded(
                "not-stated-as-empty", where, f"cells that state no {name} have the empty string", count=gaps
            )
        write_enumeration(holder, name, np.asarray(codes), levels)


def _cell_parameters(cells: list[Cell], index: np.ndarray, where: str, report: Report) -> _Flat:
    """Parameters of point cells, which OBI states for each node under ``dynamics_params``."""
    flat = _Flat()
    stated = [cell.parameters if isinstance(cell, (PointCell, UnknownCell)) else {} for cell in cells]
    for name in dict.fromkeys(name for row in stated for name in row):
        values = [row.get(name) for row in stated]
        if all(value is None or isinstance(value, (bool, int, float, np.number)) for value in values):
            flat.numbers[name] = _spread_numbers(values, index)
        else:
            text = [None if value is None else str(value) for value in values]
            codes, levels = level_codes(text)
            flat.text[name] = Column(codes[index], levels=levels)
    names = [*flat.numbers, *flat.text]
    if names:
        report.expanded(
            "parameters-flattened",
            where,
            "every node states the parameters of its model under dynamics_params, since the OBI dialect has no "
            f"parameter files: {', '.join(names)}",
            count=len(names),
        )
    cables = [cell for cell in cells if isinstance(cell, CableCell) and cell.template is None]
    unread = sorted({cell.origin.names.get("model_template", "") if cell.origin else "nml" for cell in cables} - {""})
    if unread:
        report.approximated(
            "template-not-obi",
            where,
            "the OBI dialect builds cable cells from hoc templates only; the names and files of these cells' own "
            "description are kept, the decor, processing and parameters in them mean nothing to its tools: "
            + ", ".join(dict.fromkeys(name for cell in cables for name in cell.parameters)),
            examples=[*unread, "decor", "processing", "parameters"],
        )
    return flat


@dataclass(slots=True)
class _Flat:
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    text: dict[str, Column] = field(default_factory=dict)


# --- both worlds --------------------------------------------------------------------------------------------------


def _write_both(
    group: h5py.Group,
    population: Population,
    cells: tuple[list[Cell], np.ndarray],
    types: Types,
    index: np.ndarray,
    rows: _Rows,
    where: str,
    report: Report,
) -> tuple[np.ndarray, np.ndarray]:
    """Group 0 for libsonata, group 2 (or several, where cells state different columns) for Allen's tools.

    Numbers that every cell states are one dataset under two links.
    """
    size = population.size
    _add_other_rotation(population, rows, types, where, report)
    gaps = any(np.ma.getmaskarray(values).any() for values in (*rows.numbers.values(), *rows.parameters.values()))
    own = rows.numbers.pop("group", None)
    zero = group.create_group("0")
    _write_obi(zero, cells, types, index, _flat_rows(population, rows, types), where, report, silent=True)
    if gaps:
        rows.numbers |= {} if own is None else {"group": own}
        return _write_groups(group, population, rows, where, report, first=VIEW)
    if own is not None:
        report.expanded("attribute-groups", where, "attribute groups became one: the column group is gone")
    if set(zero) - {DYNAMICS, LIBRARY} <= set(rows.numbers) and set(zero.get(DYNAMICS, ())) <= set(rows.parameters):
        return np.zeros(size, dtype=np.int64), np.arange(size)
    second = group.create_group(str(VIEW))
    for name in rows.numbers:
        second[name] = zero[name]
    for name in (*rows.parameters, *rows.parameter_text):
        second.require_group(DYNAMICS)[name] = zero[DYNAMICS][name]
    return np.full(size, VIEW, dtype=np.int64), np.arange(size)


def _flat_rows(population: Population, rows: _Rows, types: Types) -> _Rows:
    """What libsonata shall see: rotations as quaternions too, and an angle that is not stated as no turn."""
    flat = _Rows(dict(rows.numbers), {}, dict(rows.parameters), dict(rows.parameter_text))
    for name in (*ANGLES, *QUATERNION):
        if name in flat.numbers:
            rest = 1.0 if name == QUATERNION[0] else 0.0
            flat.numbers[name] = np.ma.filled(flat.numbers[name], rest)
    turned = _stated(population, ANGLES)
    if turned is not None and not any(name in flat.numbers or name in types.columns for name in QUATERNION):
        flat.numbers |= dict(zip(QUATERNION, quaternion(turned).T, strict=True))
    return flat


def _add_other_rotation(population: Population, rows: _Rows, types: Types, where: str, report: Report) -> None:
    """Allen's tools read angles only: where the source has quaternions, angles stand beside them."""
    turned = _stated(population, QUATERNION)
    if turned is None or any(name in rows.numbers or name in types.columns for name in ANGLES):
        return
    rows.numbers |= dict(zip(ANGLES, angles(turned).T, strict=True))
    report.expanded(
        "rotation",
        where,
        f"rotations are stated twice, for Allen's tools as angles too: {', '.join(ANGLES)} were added",
    )
