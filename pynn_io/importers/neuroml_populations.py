"""Populations of a NeuroML network -> `Population`: instances and their places as columns, mere sizes, layouts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take
from pynn_io.vocabulary.neuroml import START

_AXES = ("x", "y", "z")


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """The cells of a population as paths name them. component: of every cell. ids: int64; None: 0 .. size-1."""

    name: str
    component: str
    size: int
    where: str
    ids: np.ndarray | None = None

    def rows(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row of every instance id, and bool[n], whether the population does not have it."""
        if self.ids is None:
            return ids, (ids < 0) | (ids >= self.size)
        if not self.size:
            return np.zeros_like(ids), np.ones(len(ids), dtype=bool)
        order = np.argsort(self.ids, kind="stable")
        place = np.minimum(np.searchsorted(self.ids, ids, sorter=order), self.size - 1)
        found = order[place]
        return found, self.ids[found] != ids


def read_population(
    take: Take, ids: np.ndarray | None, places: np.ndarray | None, components: Components
) -> tuple[Population, Instances]:
    """One population. ids, places: of its instances, int64[n] and float64[n, 3] (um); None where none are listed.

    Raises ReadError for an instance that is there twice, or a population without a size.
    """
    name, component, size = take.need("id"), take.need("component"), take.integer("size")
    take.text("type")
    kept: dict[str, Any] = {
        key: value for key in ("extracellularProperties", "neuroLexId") if (value := take.text(key))
    }
    take.text("metaid")
    layout = take.only("layout")
    if layout is not None:
        kept["layout"] = components.read(layout)
    if kept:
        components.context.kept.setdefault("populations", {})[name] = kept
    starts, words = _starts(components.words(take))
    components.context.about(f"population {name}", words)
    take.rest()
    if ids is None and size is None:
        size = _laid_out(kept.get("layout"), name, take.where)
    count = len(ids) if ids is not None else int(size or 0)
    if ids is not None and size is not None and size != count:
        message = "A population states another size than the number of instances that it lists, which count."
        components.context.not_read("population-size", take.where, message, examples=[f"{name}: {size}, not {count}"])
    ids = _sparse(ids, name, take.where)
    columns = {} if ids is None else {"id": Column(ids)}
    if places is not None:
        columns |= {axis: Column(np.ascontiguousarray(places[:, n]), unit="um") for n, axis in enumerate(_AXES)}
    columns |= {PARAMETER + state: Column(_numbers(text, state, count, take.where)) for state, text in starts.items()}
    population = Population(name, count, Table(1, {"cell": text_column([component])}), table=Table(count, columns))
    return population, Instances(name, component, count, take.where, ids)


def _starts(words: tuple[tuple[str, Component], ...]) -> tuple[dict[str, str], tuple[tuple[str, Component], ...]]:
    """The properties with initial values of cells, by state, which a writer of ours leaves; and the other words."""
    found: dict[str, str] = {}
    rest = []
    for role, word in words:
        if role == "annotation":
            inner, children = _starts(word.children)
            found |= inner
            if not inner or children or word.texts:
                rest.append((role, replace(word, children=children)))
        elif word.texts.get("tag", "").startswith(START):
            found[word.texts["tag"].removeprefix(START)] = word.texts.get("value", "")
        else:
            rest.append((role, word))
    return found, tuple(rest)


def _numbers(text: str, state: str, size: int, where: str) -> np.ndarray:
    """float64[size]. Raises ReadError where the text is not as many numbers."""
    try:
        values = np.array(text.split(), dtype=np.float64)
    except ValueError:
        raise ReadError(f"the property {START}{state} has something else than numbers", where=where) from None
    if len(values) != size:
        message = f"the property {START}{state} has {len(values)} numbers for {size} cells"
        raise ReadError(message, where=where, hint="it states one value for every cell, in their order")
    return values


def _sparse(ids: np.ndarray | None, name: str, where: str) -> np.ndarray | None:
    """The ids where they are not simply the row numbers. Raises ReadError for one that is there twice."""
    if ids is None or np.array_equal(ids, np.arange(len(ids))):
        return None
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < len(ids):
        raise ReadError(f"the population {name!r} lists the instance {values[counts > 1][0]} twice", where=where)
    return ids


def _laid_out(layout: object, name: str, where: str) -> int:
    """How many cells a layout places, where the population does not say itself."""
    if isinstance(layout, Component):
        for child in layout.all("random", "unstructured"):
            if "number" in child.parameters:
                return int(child.parameters["number"])
        for child in layout.all("grid"):
            sizes = [child.parameters.get(f"{axis}Size", 1.0) for axis in _AXES]
            return int(np.prod(sizes))
    raise ReadError(f"the population {name!r} says neither its size nor its instances", where=where)
