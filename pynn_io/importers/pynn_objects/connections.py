"""The connections of a projection as columns, on any backend.

The recording backend has columns; NEST is asked for its own connections, in blocks; every other backend gives them as
PyNN does, as a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import itemgetter
from typing import Any

import numpy as np

#: Connections that NEST is asked for at once. It makes a mapping of ten entries a connection; larger blocks of them no
#: longer fit the processor's cache and took up to half as long again (benchmarks/bench_pynn_export.py).
_BLOCK = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """source, target: int64, indices into the two sides. columns: a number, or an array with one a connection."""

    source: np.ndarray
    target: np.ndarray
    columns: dict[str, Any]

    @property
    def size(self) -> int:
        return len(self.source)


def connections(projection: Any, names: Sequence[str]) -> Connections:
    """The connections with the parameters ``names`` in PyNN's units, in the order in which the backend has them."""
    if hasattr(projection, "pre_rows"):
        columns = {name: projection.columns[name] for name in names if name in projection.columns}
        return Connections(projection.pre_rows, projection.post_rows, columns)
    backend = type(projection).__module__
    plain = set(names) <= {"weight", "delay"}
    if backend.startswith("pyNN.nest") and plain and hasattr(import_module("nest").ll_api, "nestkernel"):
        return _of_nest(projection, names)
    return _as_listed(projection, names)


def _as_listed(projection: Any, names: Sequence[str]) -> Connections:
    """PyNN's own list of tuples."""
    listed = projection.get(list(names), format="list", with_address=True)
    table = np.asarray(listed, dtype=np.float64).reshape(len(listed), len(names) + 2)
    source, target = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Connections(source, target, {name: table[:, 2 + number] for number, name in enumerate(names)})


def _of_nest(projection: Any, names: Sequence[str]) -> Connections:
    """One question for the connections, then their values in blocks. NEST's weights are pA, nS or mV."""
    import nest

    found = nest.GetConnections(
        synapse_model=projection.nest_synapse_model, synapse_label=projection.nest_synapse_label
    )
    keys = ["source", "target", *names]
    size = len(found) if found else 0
    table = np.empty((size, len(keys)))
    for start, rows in _blocks(nest, found, size, itemgetter(*keys)):
        table[start : start + len(rows)] = rows
    columns = {name: np.ascontiguousarray(table[:, 2 + number]) for number, name in enumerate(names)}
    if "weight" in columns:
        columns["weight"] *= _pynn_unit(projection)
    ends = [
        _indices(group, table[:, number].astype(np.int64))
        for number, group in enumerate((projection.pre, projection.post))
    ]
    return Connections(ends[0], ends[1], columns)


def _blocks(nest: Any, found: Any, size: int, get: Callable[[Any], Any]) -> Iterator[tuple[int, list[Any]]]:
    """``(start, rows)``. The kernel's own call gives a mapping a connection; ``found.get`` takes twice the time."""
    ask, handles = nest.ll_api.nestkernel.llapi_get_connection_status, found._datum if size else []
    for start in range(0, size, _BLOCK):
        yield start, [get(item) for item in ask(handles[start : start + _BLOCK])]


def _pynn_unit(projection: Any) -> float:
    """What a weight of NEST is multiplied by: PyNN's units, and positive where a conductance inhibits."""
    scale = 0.001 / getattr(getattr(projection.post, "celltype", None), "receptor_scale", 1.0)
    inhibits = projection.receptor_type == "inhibitory" and projection.post.conductance_based
    return -scale if inhibits else scale


def _indices(group: Any, ids: np.ndarray) -> np.ndarray:
    """Where the cells of these ids are in a population, view or assembly."""
    own = np.fromiter(map(int, group.all_cells), dtype=np.int64, count=group.size)
    order = np.argsort(own, kind="stable")
    return order[np.searchsorted(own, ids, sorter=order)]
