"""Elements of small networks -> columns (stands in for the streaming reader's)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.importers.neuroml_context import Context, Take
from pynn_io.importers.neuroml_inputs import InputTargets
from pynn_io.importers.neuroml_projections import Connections

_PATH = re.compile(r"(?:\.\./)*([A-Za-z_]\w*)(?:\[(\d+)\]|/(\d+)(?:/(\w+))?)/?\Z")


def cell_path(text: str, where: str) -> tuple[str, int, str]:
    """Population, instance id and component (empty where not named) of a path to a cell. Raises ReadError."""
    match = _PATH.match(text)
    if match is None:
        raise ReadError(f"{text!r} is not the path of a cell, such as ../pop/0/cell or ../pop[0]", where=where)
    return match[1], int(match[2] or match[3]), match[4] or ""


def connections(
    elements: Sequence[Element], pre: str, post: str, components: tuple[str, str], synapse: str, context: Context
) -> Connections:
    rows = [_connection(Take(child, context), pre, post, components, synapse) for child in elements]
    synapses = tuple(dict.fromkeys(row["synapse"] for row in rows)) or ((synapse,) if synapse else ())
    pres = tuple(dict.fromkeys(row["pre_synapse"] for row in rows if row["pre_synapse"]))

    def column(key: str, dtype: type) -> np.ndarray | None:
        values = [row[key] for row in rows]
        missing = [value is None for value in values]
        if all(missing):
            return None
        data: np.ndarray = np.asarray([0 if value is None else value for value in values], dtype=dtype)
        return np.ma.array(data, mask=missing) if any(missing) else data

    return Connections(
        np.asarray([row["pre"] for row in rows], dtype=np.int64),
        np.asarray([row["post"] for row in rows], dtype=np.int64),
        synapses,
        column("id", np.int64),
        np.asarray([synapses.index(row["synapse"]) for row in rows], dtype=np.int64),
        np.asarray([pres.index(row["pre_synapse"]) for row in rows], dtype=np.int64) if pres else None,
        pres,
        column("weight", float),
        column("delay", float),
        _filled(column("pre_segment", np.int64), 0),
        _filled(column("post_segment", np.int64), 0),
        _filled(column("pre_fraction", float), 0.5),
        _filled(column("post_fraction", float), 0.5),
    )


def _filled(data: np.ndarray | None, value: float) -> np.ndarray | None:
    return data if data is None else np.ma.filled(data, value)


def _connection(take: Take, pre: str, post: str, components: tuple[str, str], synapse: str) -> dict:
    row: dict = {"id": take.integer("id")}
    for side, population, component in (("pre", pre, components[0]), ("post", post, components[1])):
        path = take.text(f"{side}CellId")
        if path:
            found, number, named = cell_path(path, take.where)
            if found != population:
                take.context.problem(take.where, f"{path!r} is not in the population {population!r}")
            if named and named != component:
                take.context.problem(take.where, f"{path!r}: the cells of {population!r} are {component!r}")
        else:
            path = take.need(f"{side}Cell")
            number = int(path) if path.isdigit() else cell_path(path, take.where)[1]
        row[side] = number
        segment = take.integer(f"{side}SegmentId")
        row[f"{side}_segment"] = take.integer(f"{side}Segment") if segment is None else segment
        row[f"{side}_fraction"] = take.number(f"{side}FractionAlong", "1")
    row["synapse"] = take.text("synapse") or take.text("postComponent") or synapse
    row["pre_synapse"] = take.text("preComponent")
    row["weight"] = take.number("weight", "1")
    row["delay"] = take.number("delay", "ms")
    take.text("neuroLexId")
    take.rest()
    return row


def targets(elements: Sequence[Element], population: str, component: str, context: Context) -> InputTargets:
    ids, segments, fractions, weights = [], [], [], []
    for child in elements:
        take = Take(child, context)
        take.integer("id")
        path = take.need("target")
        found, number, named = cell_path(path, take.where)
        if found != population:
            context.problem(take.where, f"{path!r} is not in the population {population!r}")
        if named and named != component:
            context.problem(take.where, f"{path!r}: the cells of {population!r} are {component!r}")
        take.text("destination")
        ids.append(number)
        segments.append(take.integer("segmentId"))
        fractions.append(take.number("fractionAlong", "1"))
        weights.append(take.number("weight", "1"))
        take.rest()
    return InputTargets(
        np.asarray(ids, dtype=np.int64),
        _given(segments, 0, np.int64),
        _given(fractions, 0.5, float),
        _given(weights, 1.0, float),
    )


def _given(values: list, default: float, dtype: type) -> np.ndarray | None:
    if all(value is None for value in values):
        return None
    return np.asarray([default if value is None else value for value in values], dtype=dtype)


def instances(elements: Sequence[Element], context: Context) -> tuple[np.ndarray | None, np.ndarray | None]:
    if not elements:
        return None, None
    ids, places = [], []
    for number, child in enumerate(elements):
        take = Take(child, context)
        identifier = take.integer("id")
        ids.append(number if identifier is None else identifier)
        location = take.only("location")
        if location is None:
            raise ReadError("<instance> has no <location>", where=take.where)
        part = Take(location, context)
        places.append([part.number(axis, "1") for axis in "xyz"])
        part.rest()
        take.rest()
    return np.asarray(ids, dtype=np.int64), np.asarray(places, dtype=np.float64)
