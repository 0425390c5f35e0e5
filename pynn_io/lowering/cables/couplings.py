"""Gap junctions and graded synapses of NeuroML: point processes on both cells, each seeing the other's potential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.inputs import places
from pynn_io.lowering.cables.junctions import is_coupling
from pynn_io.lowering.cables.models import SynapseModel
from pynn_io.report import Report

if TYPE_CHECKING:
    from pynn_io.lowering.cables.populations import Cells

#: Numbers of the potentials that are handed from cell to cell; OBI's junctions count from 0.
_FIRST = 2**30
_COLUMNS = ("weight", *(f"{side}_segment_{what}" for side in ("efferent", "afferent") for what in ("id", "fraction")))
#: A side of a graded synapse on which nothing happens.
_SILENT = "neuroml:silentSynapse"


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """One side of the edges of a projection, n of them.

    gids: int64[n]. section, position: where. kind: int64[n], index into ``models``; None there: nothing on this side.
    weight: float64[n]. own, other: numbers of the potential here, and of the one it sees.
    """

    projection: str
    gids: np.ndarray
    section: np.ndarray
    position: np.ndarray
    kind: np.ndarray
    models: tuple[SynapseModel | None, ...]
    weight: np.ndarray
    own: np.ndarray
    other: np.ndarray


def lower(network: Network, cells: Mapping[str, Cells], generated: Generated, report: Report) -> tuple[Halves, ...]:
    """Both sides of all couplings; those with cells that are not built are LOST."""
    found: list[Halves] = []
    free = _FIRST
    for projection in network.projections.values():
        if is_coupling(projection, network) and projection.size:
            found += _halves(projection, network, cells, generated, free, report)
            free += 2 * projection.size
    return tuple(found)


def _halves(
    projection: Projection,
    network: Network,
    cells: Mapping[str, Cells],
    generated: Generated,
    free: int,
    report: Report,
) -> list[Halves]:
    table = _table(projection)
    pre, post = cells[projection.pre], cells[projection.post]
    source, target, kind = (table[name].astype(np.int64) for name in ("source", "target", "type"))
    alive = (pre.group[source] >= 0) & (post.group[target] >= 0)
    where = f"projections/{projection.name}"
    report.lost("coupling", where, "Couplings with cells that are not built are left out.", count=int((~alive).sum()))
    size = projection.size
    numbers = free + np.arange(size), free + size + np.arange(size)
    weight = np.ma.filled(table["weight"], 1.0) if "weight" in table else np.ones(size)
    names = _sides(projection)
    made = []
    for side, own, rows, mine, here, there in (
        ("efferent", names[0], source, pre, *numbers),
        ("afferent", names[1], target, post, *reversed(numbers)),
    ):
        segment, fraction = (table.get(f"{side}_segment_{what}") for what in ("id", "fraction"))
        section, position = places(rows, segment, fraction, mine, network, generated)
        models = tuple(_model(name, network, generated) for name in own)
        made.append(
            Halves(
                projection.name,
                (rows + mine.first)[alive],
                section[alive],
                position[alive],
                kind[alive],
                models,
                weight[alive],
                here[alive],
                there[alive],
            )
        )
    return made


def _sides(projection: Projection) -> tuple[list[str], list[str]]:
    """The component on the presynaptic side, and on the postsynaptic, by type row."""
    post = list(projection.synapses)
    if "pre_synapse" not in projection.types:
        return post, post
    return [str(name) for name in projection.types.values("pre_synapse").tolist()], post


def _model(name: str, network: Network, generated: Generated) -> SynapseModel | None:
    synapse = network.synapses[name]
    return None if synapse.model == _SILENT else generated.synapse(name, synapse)


def _table(projection: Projection) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {}
    for _, _, rows in projection.blocks(_COLUMNS):
        for name in ("source", "target", "type", *_COLUMNS):
            if name in rows:
                parts.setdefault(name, []).append(rows[name])
    return {name: np.ma.concatenate(values) for name, values in parts.items()}
