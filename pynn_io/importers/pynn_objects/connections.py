"""The connections of projections as columns, on any backend.

The recording backend has columns; NEST and Brian2 are asked for their own connections; every other backend gives them
as PyNN does, as a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from pynn_io.importers.pynn_objects.nest_status import ask_from_this_thread, status
from pynn_io.importers.pynn_objects.sides import components, rows

#: What NEST has for every connection of every model.
_PLAIN = ("weight", "delay")
#: Projections of one model that NEST is asked for one by one, so that others are not read. For every question it looks
#: at all connections of the model, a 500th of what it takes to read them.
_FEW = 16


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """source, target: int64, indices into the two sides. columns: a number, or an array with one a connection."""

    source: np.ndarray
    target: np.ndarray
    columns: dict[str, Any]

    @property
    def size(self) -> int:
        return len(self.source)


def connections(wanted: Iterable[tuple[Any, Sequence[str]]]) -> Iterator[Connections]:
    """For each projection, with the names of parameters, its connections in the order in which the backend has them.

    Parameters are in PyNN's units.
    """
    asked = list(wanted)
    if any(type(projection).__module__.startswith("pyNN.nest") for projection, _ in asked):
        ask_from_this_thread(import_module("nest"))
    in_nest = _of_nest([projection for projection, names in asked if _in_nest(projection, names)])
    for projection, names in asked:
        answer = in_nest.get(id(projection))
        yield _elsewhere(projection, names) if answer is None else _in_pynn(projection, answer)


def _elsewhere(projection: Any, names: Sequence[str]) -> Connections:
    if type(projection).__module__.startswith("pyNN.brian2"):
        return _of_brian2(projection, names)
    if not hasattr(projection, "pre_rows"):
        return _as_listed(projection, names)
    columns = {name: projection.columns[name] for name in names if name in projection.columns}
    return Connections(projection.pre_rows, projection.post_rows, columns)


def _as_listed(projection: Any, names: Sequence[str]) -> Connections:
    """PyNN's own list of tuples."""
    if hasattr(projection, "nest_connections"):
        # PyNN 0.13 marks what it remembers of NEST's connections as old for all projections at once, and as new as soon
        # as one of them has looked again
        projection._connections = None
    listed = projection.get(list(names), format="list", with_address=True)
    table = np.asarray(listed, dtype=np.float64).reshape(len(listed), len(names) + 2)
    source, target = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Connections(source, target, {name: table[:, 2 + number] for number, name in enumerate(names)})


def _of_brian2(projection: Any, names: Sequence[str]) -> Connections:
    """From Brian2's synapses between every two parts of the sides, which number the cells of whole populations.

    PyNN 0.13 lists none of assemblies, and others than there are of views of views.
    """
    places = ("presynaptic", "postsynaptic")
    parts: dict[str, list[np.ndarray]] = {each: [] for each in (*places, *names)}
    for one, row in projection._brian2_synapses.items():
        for other, synapses in row.items():
            if not projection.size() or not len(synapses):
                continue
            parts["presynaptic"].append(_indices_of_rows(projection.pre, one)[synapses.i[:]])
            parts["postsynaptic"].append(_indices_of_rows(projection.post, other)[synapses.j[:]])
            for name in names:
                parts[name].append(_pynn_values(projection, synapses, name))
    joined = {each: np.concatenate([np.empty(0, np.int64), *arrays]) for each, arrays in parts.items()}
    source, target = (joined.pop(each).astype(np.int64) for each in places)
    return Connections(source, target, joined)


def _pynn_values(projection: Any, synapses: Any, name: str) -> np.ndarray:
    """A variable of Brian2's synapses in PyNN's units."""
    from pyNN.parameters import ParameterSpace

    stated = getattr(synapses, name)[:]
    space = projection.synapse_type.reverse_translate(ParameterSpace({name: stated}, shape=stated.shape))
    space.evaluate(simplify=False)
    return np.broadcast_to(np.asarray(space[name], dtype=np.float64), stated.shape)


def _indices_of_rows(group: Any, part: int) -> np.ndarray:
    """int64: for rows of the population that a part of a side is of, their indices into the side."""
    pieces = components(group)
    own = rows(pieces[part])
    places = np.zeros(own.max(initial=0) + 1, dtype=np.int64)
    places[own] = sum(piece.size for piece in pieces[:part]) + np.arange(own.size)
    return places


def _in_nest(projection: Any, names: Sequence[str]) -> bool:
    """Whether NEST's kernel has these parameters and can be asked for them without PyNN."""
    if not type(projection).__module__.startswith("pyNN.nest") or tuple(names) != _PLAIN:
        return False
    return hasattr(import_module("nest").ll_api, "nestkernel")


def _of_nest(projections: Sequence[Any]) -> dict[int, np.ndarray]:
    """By ``id()`` of the projection: float64 (connections, 4) of source, target, weight and delay, as NEST has them.

    PyNN's projections share models and differ by label.
    """
    found: dict[int, np.ndarray] = {}
    if not projections:  # other backends work where NEST is not installed
        return found
    nest = import_module("nest")
    for model in dict.fromkeys(projection.nest_synapse_model for projection in projections):
        ours = [each for each in projections if each.nest_synapse_model == model]
        asked = [each.nest_synapse_label for each in ours] if len(ours) <= _FEW else []
        sources = np.concatenate([np.asarray(each.pre.all_cells, dtype=np.int64) for each in ours])
        table = status(nest, model, asked, sources, ("source", "target", *_PLAIN, "synapse_label"))
        labels = np.maximum(table[:, -1], 0)  # PyNN's begin with 1; connections that it did not make have none, or -1
        largest = int(labels.max(initial=0))
        labels = labels.astype(np.min_scalar_type(largest))  # numpy sorts up to 16 bits in linear time
        order, ends = np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels, minlength=largest + 1))
        for projection in ours:
            label = projection.nest_synapse_label
            rows = order[ends[label - 1] : ends[label]] if label <= largest else order[:0]
            found[id(projection)] = np.take(table, rows, axis=0)[:, :-1]
    return found


def _in_pynn(projection: Any, rows: np.ndarray) -> Connections:
    """NEST's weights are pA, nS or mV."""
    source, target, weight, delay = np.ascontiguousarray(rows.T)
    columns = {"weight": weight * _pynn_unit(projection), "delay": delay}
    return Connections(_indices(projection.pre, source), _indices(projection.post, target), columns)


def _pynn_unit(projection: Any) -> float:
    """What a weight of NEST is multiplied by: PyNN's units, and positive where a conductance inhibits."""
    scale = 0.001 / getattr(getattr(projection.post, "celltype", None), "receptor_scale", 1.0)
    inhibits = projection.receptor_type == "inhibitory" and projection.post.conductance_based
    return -scale if inhibits else scale


def _indices(group: Any, ids: np.ndarray) -> np.ndarray:
    """int64: where the cells of these ids are in a population, view or assembly. NEST numbers its nodes from 1 on."""
    own = np.asarray(group.all_cells, dtype=np.int64)
    places = np.zeros(own.max(initial=0) + 1, dtype=np.int64)
    places[own] = np.arange(own.size)
    return places[ids.astype(np.int64)]
