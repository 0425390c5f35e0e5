"""What came out of cells by gid, as results of populations: for simulators that number all cells in one row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pynn_io.lowering.cables.elements import Recorded
from pynn_io.results import Spikes, Trace

#: By population: the gid of its first cell, and the ids of its rows.
First = Mapping[str, int]
Ids = Mapping[str, np.ndarray]


def spikes_of(
    gids: np.ndarray, times: np.ndarray, nodes: Mapping[str, np.ndarray], first: First, ids: Ids
) -> dict[str, Spikes]:
    """The spikes of every population, by time and id. gids: int64[n]; times: float64[n], ms; nodes: ids to tell of."""
    found = {}
    for name, told in nodes.items():
        mine = (gids >= first[name]) & (gids < first[name] + len(ids[name]))
        node_ids, when = ids[name][gids[mine] - first[name]], times[mine]
        kept = np.isin(node_ids, told)
        order = np.lexsort((node_ids[kept], when[kept]))
        found[name] = Spikes(name, node_ids[kept][order], when[kept][order])
    return found


def trace_of(item: Recorded, data: np.ndarray, first: First, ids: Ids) -> Trace:
    """A recording with its samples, float64[sample, element], in the probe's unit."""
    probe = item.probe
    extent = bool((item.section >= 0).any())
    return Trace(
        probe.name,
        probe.population,
        ",".join(probe.variables),
        probe.unit,
        data,
        ids[probe.population][item.gids - first[probe.population]],
        probe.start,
        probe.interval,
        item.shown[0] if extent else None,
        item.shown[1] if extent else None,
        item.order or "specification",
    )
