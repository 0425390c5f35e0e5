"""The gids of all cells and sources of a network, and what is sorted by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering import Trains
from pynn_io.lowering.cables.models import CellGroup, SourceModel


def numbered(network: Network) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """The ids of every population's rows, and the gid of its row 0: populations one after another, then rows."""
    ids = {name: population.ids() for name, population in network.populations.items()}
    ends = np.cumsum([len(own) for own in ids.values()]).tolist()
    return ids, {name: end - len(own) for (name, own), end in zip(ids.items(), ends, strict=True)}


def nodes_of(found: Iterable[CellGroup], ids: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Ids of the cells that are simulated, by population, in the order of rows."""
    rows: dict[str, list[np.ndarray]] = {}
    for group in found:
        if not isinstance(group.model, SourceModel):
            rows.setdefault(group.population, []).append(group.rows)
    return {name: ids[name][np.sort(np.concatenate(own))] for name, own in rows.items()}


def trains_by_gid(emitted: Mapping[str, Trains], first: Mapping[str, int]) -> Trains:
    """What sources emit, by gid, then time."""
    gids = np.concatenate([np.zeros(0, dtype=np.int64), *(item.rows + first[name] for name, item in emitted.items())])
    times = np.concatenate([np.zeros(0), *(item.times for item in emitted.values())])
    order = np.lexsort((times, gids))
    return Trains(gids[order], times[order])
