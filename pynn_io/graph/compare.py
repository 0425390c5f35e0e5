"""The one equality of networks, and the deterministic text form of one.

`diff` compares what every cell and edge sees, value by value and exactly (NaN equals NaN); names of definitions do not
matter, what they define does. `dump` is the golden form for tests: the same network always gives the same text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from pynn_io.graph.columns import Column, Table
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER

#: Rows of an array that `dump` prints; a longer one is given by its digest.
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """``where`` is a path (``populations/v1/tuning_angle``), ``subject`` its last part, ``message`` what differs."""

    where: str
    message: str

    @property
    def subject(self) -> str:
        return self.where.rsplit("/", 1)[-1].removeprefix(PARAMETER)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def diff(a: Network, b: Network, *, levels: bool = False) -> list[Difference]:
    """Everything in which ``b`` differs from ``a``; an empty list means equal.

    Rows and edges are compared in order. levels: also compare whether a value is stated for the type or for each row.
    """
    return [
        *_names("populations", a.populations, b.populations),
        *_names("projections", a.projections, b.projections),
        *(d for name in _shared(a.populations, b.populations) for d in _population(name, a, b, levels)),
        *(d for name in _shared(a.projections, b.projections) for d in _projection(name, a, b, levels)),
        *_mapping("node_sets", a.node_sets, b.node_sets),
    ]


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [name for name in a if name in b]


def _names(where: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    for name in a:
        if name not in b:
            yield Difference(f"{where}/{name}", "missing")
    for name in b:
        if name not in a:
            yield Difference(f"{where}/{name}", "not there before")


def _mapping(where: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _names(where, a, b)
    for name in _shared(a, b):
        if not equal_values(a[name], b[name]):
            yield Difference(f"{where}/{name}", f"{a[name]!r} became {b[name]!r}")


def equal_values(a: Any, b: Any) -> bool:
    """Whether two values of any kind are the same: arrays row by row, mappings whatever their order, NaN and NaN."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _same_rows(np.asarray(a), np.asarray(b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(equal_values(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(equal_values, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    return bool(a == b)


def _population(name: str, a: Network, b: Network, levels: bool) -> Iterator[Difference]:
    where, one, two = f"populations/{name}", a.populations[name], b.populations[name]
    if one.size != two.size:
        yield Difference(f"{where}/size", f"{one.size} became {two.size}")
        return
    if not np.array_equal(one.ids(), two.ids()):
        yield Difference(f"{where}/id", "ids differ")
    for left, right in _type_pairs(one, two):
        yield from _definition(f"{where}/cell", a.cells[one.cells[left]], b.cells[two.cells[right]], a, b)
    skip = {"id", "cell"} if not levels else {"cell"}
    names = dict.fromkeys(name for table in (one.table, one.types, two.table, two.types) for name in table)
    for column in (column for column in names if column not in skip):
        yield from _seen(f"{where}/{column}", one.column(column), two.column(column), one.size)
    if levels:
        yield from _levels(where, one.types, two.types, one.table, two.table)
        yield from _names(f"{where}/types", dict.fromkeys(_type_ids(one.types)), dict.fromkeys(_type_ids(two.types)))


def _type_ids(types: Table) -> list[str]:
    return [str(value) for value in types.values("id")] if "id" in types else []


def _type_pairs(one: Population, two: Population) -> list[tuple[int, int]]:
    """The distinct pairs of type rows that cells with the same row number have."""
    if not one.size:
        return []
    return _pairs(one.type_index.read(one.size), two.type_index.read(two.size))


def _pairs(left: np.ndarray, right: np.ndarray) -> list[tuple[int, int]]:
    """The distinct pairs of two columns of row numbers, sorted."""
    width = int(right.max(initial=0)) + 1  # one number a pair: several times faster to sort than rows of two
    distinct = np.unique(np.asarray(left, dtype=np.int64) * width + right)
    return [divmod(number, width) for number in distinct.tolist()]


def _levels(where: str, types_a: Table, types_b: Table, rows_a: Table, rows_b: Table) -> Iterator[Difference]:
    for kind, one, two in (("type", types_a, types_b), ("row", rows_a, rows_b)):
        for name in sorted(set(one) ^ set(two) - {"cell", "synapse"}):
            if name not in {"cell", "synapse"}:
                yield Difference(f"{where}/{name}", f"stated for each {kind} in one and not in the other")


def _seen(where: str, one: Column | None, two: Column | None, size: int) -> Iterator[Difference]:
    if one is None or two is None:
        yield Difference(where, "missing" if two is None else "not there before")
        return
    if one.unit != two.unit:
        yield Difference(where, f"unit {one.unit!r} became {two.unit!r}")
    left, right = one.values(size), two.values(size)
    if not _same_rows(left, right):
        yield Difference(where, f"values differ{_first_difference(left, right)}")


def _same_rows(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and not _unequal(left, right).any()


def _unequal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Row by row; masked equals masked, NaN equals NaN."""
    mask_a, mask_b = np.ma.getmaskarray(left), np.ma.getmaskarray(right)
    plain_a, plain_b = np.ma.getdata(left), np.ma.getdata(right)
    different = np.asarray(plain_a != plain_b, dtype=bool)
    if plain_a.dtype.kind == "f" and plain_b.dtype.kind == "f":
        different &= ~(np.isnan(plain_a) & np.isnan(plain_b))
    return (mask_a != mask_b) | (different & ~mask_a & ~mask_b)


def _first_difference(left: np.ndarray, right: np.ndarray) -> str:
    if left.shape != right.shape:
        return f": shape {left.shape} became {right.shape}"
    row = int(np.argwhere(_unequal(left, right))[0][0])
    return f", first in row {row}: {left[row]!r} became {right[row]!r}"


def _definition(where: str, one: Any, two: Any, a: Network, b: Network) -> Iterator[Difference]:
    """Two cells or synapses, field by field; the morphologies they name are compared by content."""
    if type(one) is not type(two):
        yield Difference(where, f"{type(one).__name__} became {type(two).__name__}")
        return
    for field in fields(one):
        if not field.compare:
            continue
        left, right = getattr(one, field.name), getattr(two, field.name)
        if field.name == "morphology" and left is not None and right is not None:
            yield from _morphology(f"{where}/morphology", a.morphologies[left], b.morphologies[right])
        elif isinstance(left, Mapping):
            yield from _mapping(f"{where}/{field.name}", left, right)
        elif not equal_values(left, right):
            yield Difference(f"{where}/{field.name}", f"{left!r} became {right!r}")


def _morphology(where: str, one: Morphology, two: Morphology) -> Iterator[Difference]:
    for name in ("parent", "fraction_along", "proximal", "distal", "tag", "soma_kind"):
        if not equal_values(getattr(one, name), getattr(two, name)):
            yield Difference(f"{where}/{name}", "differs")


def _projection(name: str, a: Network, b: Network, levels: bool) -> Iterator[Difference]:
    where, one, two = f"projections/{name}", a.projections[name], b.projections[name]
    for attribute in ("pre", "post", "kind", "section_order", "size"):
        if getattr(one, attribute) != getattr(two, attribute):
            yield Difference(f"{where}/{attribute}", f"{getattr(one, attribute)!r} became {getattr(two, attribute)!r}")
    if one.size != two.size:
        return
    skip = {"synapse", "id"}
    names = dict.fromkeys(
        name for table in (one.edges.columns, one.types, two.edges.columns, two.types) for name in table
    )
    yield from _edge_values(where, one, two, [name for name in names if name not in skip], a, b)
    if levels:
        yield from _levels(where, one.types, two.types, one.edges.columns, two.edges.columns)
        yield from _names(f"{where}/types", dict.fromkeys(_type_ids(one.types)), dict.fromkeys(_type_ids(two.types)))


def _edge_values(
    where: str, one: Projection, two: Projection, names: list[str], a: Network, b: Network
) -> Iterator[Difference]:
    different: dict[str, str] = {}
    pairs: set[tuple[int, int]] = set()
    for (start, _, left), (_, _, right) in zip(one.blocks(names), two.blocks(names), strict=True):
        pairs.update(_pairs(left["type"], right["type"]))
        for name in ("source", "target", *names):
            if name in different:
                continue
            if name not in left or name not in right:
                different[name] = "missing" if name not in right else "not there before"
                continue
            rows_a, rows_b = _decoded(one, name, left[name]), _decoded(two, name, right[name])
            if not _same_rows(rows_a, rows_b):
                different[name] = f"values differ after edge {start}{_first_difference(rows_a, rows_b)}"
    yield from (Difference(f"{where}/{name}", message) for name, message in different.items())
    seen = set()
    for left_type, right_type in sorted(pairs):
        names_of = one.synapses[left_type], two.synapses[right_type]
        if names_of not in seen:
            seen.add(names_of)
            yield from _definition(f"{where}/synapse", a.synapses[names_of[0]], b.synapses[names_of[1]], a, b)


def _decoded(projection: Projection, name: str, rows: np.ndarray) -> np.ndarray:
    """Text columns as text: a block holds codes into the levels of the column it came from."""
    column = projection.edges.columns.get(name) or projection.types.get(name)
    if column is None or rows.dtype.kind not in "iu":
        return rows
    return column.decode(rows)


def dump(network: Network) -> str:
    """The whole network as text, in the order of its mappings; long arrays by shape, dtype and digest."""
    return "\n".join(_dump(network, network.name, 0)) + "\n"


def _dump(value: Any, name: str, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Column):
        yield f"{indent}{name}: {_dump_column(value)}"
    elif isinstance(value, Table):
        yield f"{indent}{name}: table of {value.size} rows"
        for column in value:
            yield from _dump(value[column], column, depth + 1)
    elif isinstance(value, np.ndarray):
        yield f"{indent}{name}: {_dump_array(value)}"
    elif is_dataclass(value) and not isinstance(value, type):
        yield f"{indent}{name}: {type(value).__name__}"
        for field in fields(value):
            if field.compare or isinstance(value, (Population, Projection, Network)):
                yield from _dump(getattr(value, field.name), field.name, depth + 1)
    elif isinstance(value, Mapping):
        yield f"{indent}{name}:" + ("" if value else " (none)")
        for key in value:
            yield from _dump(value[key], str(key), depth + 1)
    elif isinstance(value, tuple) and value and all(is_dataclass(item) for item in value):
        yield f"{indent}{name}:"
        for number, item in enumerate(value):
            yield f"{indent}  {number}: {item!r}"
    elif isinstance(value, PurePath):
        yield f"{indent}{name}: file {value.name}"  # where it lies is no part of the network
    else:
        yield f"{indent}{name}: {value!r}"


def _dump_column(column: Column) -> str:
    tail = "".join([f" {column.unit}" if column.unit else "", " extra" if column.extra else ""])
    if column.is_scalar:
        return f"{column.value!r}{tail}"
    data = column.data if not column.is_lazy else column.read(column.data.size)
    return _dump_array(column.decode(data)) + tail


def _dump_array(array: np.ndarray) -> str:
    if array.size <= SHOWN:
        return f"{array.dtype}{list(array.shape)} {array.tolist()!r}"
    plain = np.ascontiguousarray(np.ma.filled(array, "" if array.dtype == object else 0))
    payload = "\0".join(map(str, plain.ravel())).encode() if plain.dtype == object else plain.tobytes()
    digest = hashlib.sha256(payload + np.ma.getmaskarray(array).tobytes()).hexdigest()[:16]
    return f"{array.dtype}{list(array.shape)} sha256 {digest}"
