"""The datasets of an edge file's attribute group: which there are, and how each is made from a block of edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_node_views import DYNAMICS
from pynn_io.exporters.sonata_types import Types, level_codes
from pynn_io.exporters.sonata_weights import Strength
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER, unit_of
from pynn_io.report import Report

#: Rows of a block by graph name; ``type`` is the type row of every edge.
Rows = dict[str, np.ndarray]
#: Columns that an OBI file has no meaning for: they stay as columns, and are named.
_NO_HOME = ("nsyns", "weight_function", "weight_sigma", "target_sections", "distance_range")
#: Parameters that OBI states as plain columns, by population type.
_PLAIN = {"Exp2Syn_synapse": ("tau1", "tau2", "erev"), "TM_synapse": ("U", "tau_fac", "tau_rec")}


@dataclass(frozen=True, slots=True)
class EdgeColumn:
    """One dataset. inner: in ``dynamics_params``. make: its values in a block, masked where an edge states none.

    levels: the strings of an ``@library`` column.
    """

    name: str
    dtype: np.dtype
    make: Callable[[Rows], np.ndarray]
    units: str = ""
    levels: tuple[str, ...] | None = None
    inner: bool = False
    trailing: tuple[int, ...] = ()

    @property
    def path(self) -> str:
        """Below the attribute group."""
        return f"{DYNAMICS}/{self.name}" if self.inner else self.name


def edge_columns(
    projection: Projection,
    network: Network,
    dialect: Dialect,
    types: Types,
    strength: Strength,
    where: str,
    report: Report,
) -> list[EdgeColumn]:
    """What edges state, then what their types state for a reader that knows no types."""
    found: dict[str, EdgeColumn] = {}
    for name, column in projection.edges.columns.items():
        if name == "id" or name == "group":
            if name == "id" or not dialect.groups:
                report.expanded("attribute-groups", where, f"there is one attribute group: the column {name} is gone")
            continue
        made = _own(name, column, dialect, strength)
        found[made.path] = made
    if dialect.flat:
        _add_flat(found, projection, network, dialect, types, strength, where, report)
    kept = [name for name in _NO_HOME if name in projection.edges.columns or name in projection.types]
    if dialect.name == "obi" and kept:
        report.approximated(
            "column-without-meaning",
            where,
            "the OBI dialect gives these columns no meaning; they are kept, but its simulators do not apply them: "
            + ", ".join(kept),
            count=len(kept),
        )
    return list(found.values())


def _own(name: str, column: Column, dialect: Dialect, strength: Strength) -> EdgeColumn:
    key = name.removeprefix(PARAMETER)
    plain = dialect.name == "obi" and key in _PLAIN.get(strength.obi_type, ())
    inner = name.startswith(PARAMETER) and not plain
    if column.levels is not None:
        return EdgeColumn(key, np.dtype(np.uint32), lambda rows: rows[name], levels=column.levels, inner=inner)
    dtype = np.dtype(column.dtype)
    trailing = tuple(getattr(column.data, "trailing", ()) if column.is_lazy else np.shape(column.data)[1:])
    if name == "weight":
        return _weight(dtype, strength)
    unit = column.unit or unit_of(name)
    return EdgeColumn(
        key,
        np.dtype(np.int8) if dtype.kind == "b" else dtype,
        lambda rows: rows[name],
        "" if unit == "1" else unit,
        inner=inner,
        trailing=trailing,
    )


def _weight(dtype: np.dtype, strength: Strength) -> EdgeColumn:
    if strength.scale is None:
        return EdgeColumn(strength.name, dtype, lambda rows: rows["weight"], strength.unit)
    scale, wide = strength.scale, np.dtype(np.result_type(dtype, np.float32))
    return EdgeColumn(
        strength.name, wide, lambda rows: rows["weight"] * scale[rows["type"]].astype(wide), strength.unit
    )


def _add_flat(
    found: dict[str, EdgeColumn],
    projection: Projection,
    network: Network,
    dialect: Dialect,
    types: Types,
    strength: Strength,
    where: str,
    report: Report,
) -> None:
    """What types state: numbers in both dialects, text and parameters of synapses in OBI's."""
    obi = dialect.name == "obi"
    content: dict[str, list[Any]] = dict(types.columns)
    if obi:
        plain = _PLAIN.get(strength.obi_type, ())
        stated_by_synapses = _parameters(projection, network).items()
        content |= {key if key in plain else f"{DYNAMICS}/{key}": values for key, values in stated_by_synapses}
    flat: list[str] = []
    for name, values in content.items():
        stated = [value for value in values if value is not None]
        text = any(isinstance(value, str) for value in stated)
        if not stated or (text and not obi) or name in ("is_gap_junction", "weight_unit"):
            continue
        key = f"{DYNAMICS}_file" if name == DYNAMICS else name
        flat.append("weight" if key == strength.name else key.rpartition("/")[2])
        unit = strength.unit if key == strength.name else unit_of(key)
        found[key] = _text(key, values, found.get(key)) if text else _number(key, values, found.get(key), unit)
    if flat:
        reason = "has no types table" if obi else "is also read by tools that know no types table"
        report.expanded(
            "types-flattened",
            where,
            f"this dialect {reason}, so every edge states what its type states: {', '.join(flat)}",
            count=max(projection.size, 1),
            examples=["id"] if obi else [],
        )


def _parameters(projection: Projection, network: Network) -> dict[str, list[Any]]:
    """Parameters of the synapses, one value a type; a list or an object as its text."""
    stated = [network.synapses[name].parameters for name in projection.synapses]
    found: dict[str, list[Any]] = {}
    for name in dict.fromkeys(name for row in stated for name in row):
        values = [row.get(name) for row in stated]
        numbers = all(value is None or isinstance(value, (bool, int, float, np.number)) for value in values)
        found[name] = values if numbers else [None if value is None else str(value) for value in values]
    return found


def _inner(path: str) -> tuple[str, bool]:
    """Name of a column below the attribute group, and whether it stands in ``dynamics_params``."""
    return path.removeprefix(f"{DYNAMICS}/"), path.startswith(f"{DYNAMICS}/")


def _text(path: str, values: Sequence[Any], own: EdgeColumn | None) -> EdgeColumn:
    """Text of types; edges that state their own keep it."""
    codes, levels = level_codes([None if value is None else str(value) for value in values])
    name, inner = _inner(path)
    if own is None or own.levels is None:
        return EdgeColumn(name, np.dtype(np.uint32), lambda rows: codes[rows["type"]], levels=levels, inner=inner)
    merged, make = tuple(dict.fromkeys((*own.levels, *levels))), own.make
    beneath = np.array([merged.index(level) for level in levels], dtype=np.int64)[codes]
    return EdgeColumn(
        name, own.dtype, lambda rows: _over(make(rows), beneath[rows["type"]]), levels=merged, inner=inner
    )


def _number(path: str, values: Sequence[Any], own: EdgeColumn | None, unit: str) -> EdgeColumn:
    name, inner = _inner(path)
    hidden = np.array([value is None for value in values])
    data = np.array([0 if value is None else value for value in values])
    data = data.astype(np.int8) if data.dtype.kind == "b" else data
    beneath: np.ndarray = np.ma.array(data, mask=hidden) if hidden.any() else data
    if own is None:
        stated = "" if unit == "1" else unit
        return EdgeColumn(name, data.dtype, lambda rows: beneath[rows["type"]], stated, inner=inner)
    make, dtype = own.make, np.dtype(np.result_type(own.dtype, data.dtype))
    return EdgeColumn(name, dtype, lambda rows: _over(make(rows), beneath[rows["type"]]), own.units, inner=inner)


def _over(own: np.ndarray, beneath: np.ndarray) -> np.ndarray:
    return np.ma.where(np.ma.getmaskarray(own), beneath, own) if np.ma.isMaskedArray(own) else own
