"""Attributes of nodes in their file: attribute groups for Allen's tools, one flat group for libsonata, or both.

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

from pynn_io.exporters.sonata_rotation import ANGLES, QUATERNION, angles, quaternion
from pynn_io.exporters.sonata_types import Types, level_codes
from pynn_io.formats.sonata_write import LIBRARY, write_dataset, write_enumeration, write_strings
from pynn_io.graph.cells import CableCell, Cell, PointCell, UnknownCell
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.network import Population
from pynn_io.graph.schema import unit_of
from pynn_io.report import Report

#: The first group that rows point to where group 0 is written for libsonata alone.
VIEW = 2
DYNAMICS = "dynamics_params"


@dataclass(slots=True)
class NodeRows:
    """Columns of rows by name, split by what they are; parameters have lost their prefix."""

    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    text: dict[str, Column] = field(default_factory=dict)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    parameter_text: dict[str, Column] = field(default_factory=dict)


def spread_numbers(values: list[object], index: np.ndarray) -> np.ndarray:
    """The value of each row's type, by ``index`` (int[n]); masked where the type states None."""
    hidden = np.array([value is None for value in values], dtype=bool)
    data = np.array([0 if value is None else value for value in values])
    return np.ma.array(data[index], mask=hidden[index]) if hidden.any() else data[index]


def overlay(own: np.ndarray, beneath: np.ndarray) -> np.ndarray:
    """``own`` where it is stated, ``beneath`` where it is masked; masked only where neither says anything."""
    mask = np.ma.getmaskarray(own)
    if not mask.any():
        return np.ma.getdata(own)
    merged = np.ma.where(mask, beneath, own)
    return merged if np.ma.is_masked(merged) else np.ma.getdata(merged)


def stated_rows(population: Population, names: tuple[str, ...]) -> np.ndarray | None:
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


# --- Allen: attribute groups ---


def write_groups(
    group: h5py.Group, population: Population, rows: NodeRows, where: str, report: Report, *, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Groups as the source has them, else one for every set of columns that rows state. Group and index of rows."""
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


def _groups_by_mask(rows: NodeRows, size: int) -> np.ndarray:
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


def write_flat(
    holder: h5py.Group,
    cells: tuple[list[Cell], np.ndarray],
    types: Types,
    index: np.ndarray,
    rows: NodeRows,
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
        merged = values if beneath is None or values is beneath else overlay(values, beneath)
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


def _flat_types(
    holder: h5py.Group, types: Types, index: np.ndarray, rows: NodeRows, where: str, report: Report
) -> None:
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
            beneath = spread_numbers(values, index)
            own = rows.numbers.get(key)
            rows.numbers[key] = beneath if own is None else overlay(own, beneath)
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
            flat.numbers[name] = spread_numbers(values, index)
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


def write_both(
    group: h5py.Group,
    population: Population,
    cells: tuple[list[Cell], np.ndarray],
    types: Types,
    index: np.ndarray,
    rows: NodeRows,
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
    write_flat(zero, cells, types, index, _flat_rows(population, rows, types), where, report, silent=True)
    if gaps:
        rows.numbers |= {} if own is None else {"group": own}
        return write_groups(group, population, rows, where, report, first=VIEW)
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


def _flat_rows(population: Population, rows: NodeRows, types: Types) -> NodeRows:
    """What libsonata shall see: rotations as quaternions too, and an angle that is not stated as no turn."""
    flat = NodeRows(dict(rows.numbers), {}, dict(rows.parameters), dict(rows.parameter_text))
    for name in (*ANGLES, *QUATERNION):
        if name in flat.numbers:
            rest = 1.0 if name == QUATERNION[0] else 0.0
            flat.numbers[name] = np.ma.filled(flat.numbers[name], rest)
    turned = stated_rows(population, ANGLES)
    if turned is not None and not any(name in flat.numbers or name in types.columns for name in QUATERNION):
        flat.numbers |= dict(zip(QUATERNION, quaternion(turned).T, strict=True))
    return flat


def _add_other_rotation(population: Population, rows: NodeRows, types: Types, where: str, report: Report) -> None:
    """Allen's tools read angles only: where the source has quaternions, angles stand beside them."""
    turned = stated_rows(population, QUATERNION)
    if turned is None or any(name in rows.numbers or name in types.columns for name in ANGLES):
        return
    rows.numbers |= dict(zip(ANGLES, angles(turned).T, strict=True))
    report.expanded(
        "rotation",
        where,
        f"rotations are stated twice, for Allen's tools as angles too: {', '.join(ANGLES)} were added",
    )
