"""Rows of lists (`pynn_io.formats.neuroml_rows`) -> what projections, inputs and populations are made of."""

from __future__ import annotations

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_rows import Rows
from pynn_io.importers.neuroml_context import Context
from pynn_io.importers.neuroml_inputs import InputTargets
from pynn_io.importers.neuroml_projections import Connections

_MIDDLE = 0.5
_CONNECTION = frozenset(
    {
        *("id", "pre", "post", "weight", "delay", "synapse", "pre_component", "post_component", "neuroLexId"),
        *("pre_segment", "post_segment", "pre_fraction", "post_fraction"),
        *("pre_population", "pre_type", "post_population", "post_type"),
        "destination",
    }
)
_INPUT = frozenset(
    {*("id", "target", "segment", "fraction", "weight", "destination"), *("target_population", "target_type")}
)
_INSTANCE = frozenset({"id", "x", "y", "z", "i", "j", "k"})


def row_connections(
    rows: Rows, owner: str, sides: tuple[str, str], components: tuple[str, str], synapse: str, context: Context
) -> Connections:
    """The connections of one projection. owner: its place; sides, components: its populations and their cells.

    A path into another population, or of another component, is a problem of the context.
    """
    for side, population, component in zip(("pre", "post"), sides, components, strict=True):
        _check_paths(rows, side, owner, population, component, context)
    context.left_over(rows, _CONNECTION, owner)
    synapses, codes = _named(rows, "post_component" if "post_component" in rows.words else "synapse", synapse, owner)
    pres, pre_codes = _named(rows, "pre_component", "", owner) if "pre_component" in rows.words else ((), None)
    return Connections(
        _all(rows, "pre", owner),
        _all(rows, "post", owner),
        synapses,
        rows.numbers.get("id"),
        codes,
        pre_codes,
        pres,
        rows.numbers.get("weight"),
        rows.numbers.get("delay"),
        _filled(rows, "pre_segment", 0),
        _filled(rows, "post_segment", 0),
        _filled(rows, "pre_fraction", _MIDDLE),
        _filled(rows, "post_fraction", _MIDDLE),
        lambda row: rows.where(row, owner),
    )


def row_targets(rows: Rows, owner: str, population: str, component: str, context: Context) -> InputTargets:
    """The targets of one input list."""
    _check_paths(rows, "target", owner, population, component, context)
    context.left_over(rows, _INPUT, owner)
    return InputTargets(
        _all(rows, "target", owner),
        _filled(rows, "segment", 0),
        _filled(rows, "fraction", _MIDDLE),
        _filled(rows, "weight", 1.0),
    )


def row_instances(rows: Rows, owner: str, context: Context) -> tuple[np.ndarray, np.ndarray | None]:
    """Ids and places of the instances of a population; an instance without an id has its number in the list."""
    context.left_over(rows, _INSTANCE, owner)
    count = np.arange(rows.size, dtype=np.int64)
    stated = rows.numbers.get("id")
    ids = count if stated is None else np.where(np.ma.getmaskarray(stated), count, np.ma.getdata(stated))
    axes = [rows.numbers.get(axis) for axis in "xyz"]
    if all(axis is None for axis in axes):
        return ids, None
    places = [_all(rows, axis, owner) for axis in "xyz"]
    return ids, np.stack(places, axis=1)


def _check_paths(rows: Rows, side: str, owner: str, population: str, component: str, context: Context) -> None:
    for column, expected in ((f"{side}_population", population), (f"{side}_type", component)):
        words = rows.words.get(column)
        if words is None or not expected:
            continue
        wrong = np.asarray([*(name != expected for name in words.names), False])
        bad = np.flatnonzero(wrong[words.index(rows.size)]) if wrong.any() else np.zeros(0, dtype=np.int64)
        if len(bad):
            path = _path(rows, side, int(bad[0]))
            what = f": the cells of {population!r} are {expected!r}"
            if column.endswith("_population"):
                what = f" is not in the population {expected!r}"
            context.problem(rows.where(int(bad[0]), owner), f"{path!r}{what}")


def _path(rows: Rows, side: str, row: int) -> str:
    """The path of a cell, as far as the columns tell how it was spelled."""
    population, kind = (
        "" if words is None else words.names[words.index(rows.size)[row]]
        for words in (rows.words.get(f"{side}_population"), rows.words.get(f"{side}_type"))
    )
    number = rows.numbers[side][row]
    return f"../{population}/{number}/{kind}" if kind else f"../{population}[{number}]"


def _named(rows: Rows, column: str, default: str, owner: str) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The distinct texts of a column and the code of every row; the default where a row has none."""
    words = rows.words.get(column)
    if words is None:
        return ((default,) if default else ()), None
    codes = words.index(rows.size)
    if (codes >= 0).all():
        return words.names, codes
    if not default:
        where = rows.where(int(np.flatnonzero(codes < 0)[0]), owner)
        raise ReadError(f"a connection does not state its {column.replace('_', ' ')}", where=where)
    return (*words.names, default), np.where(codes < 0, len(words.names), codes)


def _all(rows: Rows, column: str, owner: str) -> np.ndarray:
    """A column that every row must state. Raises ReadError."""
    found = rows.numbers.get(column)
    missing = np.ones(rows.size, dtype=bool) if found is None else np.ma.getmaskarray(found)
    if missing.any():
        where = rows.where(int(np.flatnonzero(missing)[0]), owner)
        raise ReadError(f"a row of the list does not state {column!r}", where=where)
    return np.zeros(0, dtype=np.int64) if found is None else np.ma.getdata(found)


def _filled(rows: Rows, column: str, value: float) -> np.ndarray | None:
    """A column with the schema's default where a row states nothing; None where none does."""
    found = rows.numbers.get(column)
    return None if found is None else np.ma.filled(found, value)
