"""The connections of projections as columns, on any backend.

The recording backend has columns; NEST is asked for its own connections; every other backend gives them as PyNN does,
as a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np

from pynn_io.importers.pynn_objects.nest_status import status

#: What NEST has for every connection of every model.
_PLAIN = ("weight", "delay")
#: Connections of several projections that NEST is asked for together, so that its readers start once for all of them;
#: a projection that has more alone is not divided.
_TOGETHER = 2_000_000


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
    waiting: list[tuple[Any, list[Any]]] = []
    size = 0
    for projection, names in wanted:
        asked = _in_nest(projection, names)
        if asked:
            waiting.append((projection, _handles(projection)))
            size += len(waiting[-1][1])
        if not asked or size >= _TOGETHER:
            yield from _of_nest(waiting)
            waiting, size = [], 0
        if not asked:
            yield _elsewhere(projection, names)
    yield from _of_nest(waiting)


def _elsewhere(projection: Any, names: Sequence[str]) -> Connections:
    if not hasattr(projection, "pre_rows"):
        return _as_listed(projection, names)
    columns = {name: projection.columns[name] for name in names if name in projection.columns}
    return Connections(projection.pre_rows, projection.post_rows, columns)


def _as_listed(projection: Any, names: Sequence[str]) -> Connections:
    """PyNN's own list of tuples."""
    listed = projection.get(list(names), format="list", with_address=True)
    table = np.asarray(listed, dtype=np.float64).reshape(len(listed), len(names) + 2)
    source, target = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Connections(source, target, {name: table[:, 2 + number] for number, name in enumerate(names)})


def _in_nest(projection: Any, names: Sequence[str]) -> bool:
    """Whether NEST's kernel has these parameters and can be asked for them without PyNN."""
    if not type(projection).__module__.startswith("pyNN.nest") or tuple(names) != _PLAIN:
        return False
    return hasattr(import_module("nest").ll_api, "nestkernel")


def _handles(projection: Any) -> list[Any]:
    """What the kernel calls the connections of a projection."""
    found = import_module("nest").GetConnections(
        synapse_model=projection.nest_synapse_model, synapse_label=projection.nest_synapse_label
    )
    return found._datum if found else []


def _of_nest(asked: Sequence[tuple[Any, list[Any]]]) -> Iterator[Connections]:
    """One question for all of them. NEST's weights are pA, nS or mV."""
    if not asked:
        return
    handles = list(chain.from_iterable(each for _, each in asked))
    table = status(import_module("nest"), handles, ("source", "target", *_PLAIN))
    ends = np.cumsum([len(each) for _, each in asked])[:-1]
    for (projection, _), rows in zip(asked, np.split(table, ends, axis=1), strict=True):
        source, target, weight, delay = rows
        columns = {"weight": weight * _pynn_unit(projection), "delay": delay}
        yield Connections(_indices(projection.pre, source), _indices(projection.post, target), columns)


def _pynn_unit(projection: Any) -> float:
    """What a weight of NEST is multiplied by: PyNN's units, and positive where a conductance inhibits."""
    scale = 0.001 / getattr(getattr(projection.post, "celltype", None), "receptor_scale", 1.0)
    inhibits = projection.receptor_type == "inhibitory" and projection.post.conductance_based
    return -scale if inhibits else scale


def _indices(group: Any, ids: np.ndarray) -> np.ndarray:
    """int64: where the cells of these ids are in a population, view or assembly."""
    own = np.fromiter(map(int, group.all_cells), dtype=np.int64, count=group.size)
    order = np.argsort(own, kind="stable")
    return order[np.searchsorted(own, ids.astype(np.int64), sorter=order)]
