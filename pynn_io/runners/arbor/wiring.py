"""Connections as the blocks that a recipe of Arbor is answered from: sorted by target, one array a property.

Synapses of one kind with the same numbers in one control volume of a cell are one where they are linear, as Arbor's own
are: their responses add up, whichever of them an event comes to. Generated ones may have a memory of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.lowering.cables.models import Connections, SynapseBlock
from pynn_io.report import Report
from pynn_io.runners.arbor.catalogues import SYNAPSES
from pynn_io.runners.arbor.lowered import LoweredArbor

#: Columns of the connections, and what they hold.
_COLUMNS = {"source": np.int64, "target": np.int64, "kind": np.int64, "weight": float, "delay": float}
_SITES = {"section": np.int64, "position": float}


@dataclass(frozen=True, slots=True)
class Kind:
    """A synapse: Arbor's mechanism and its numbers. An empty mechanism: the event goes to the cell itself."""

    mechanism: str
    parameters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """Connections and the synapses that they end on, both sorted by gid.

    links: int64[gids + 1]; the connections onto gid g are ``links[g]:links[g + 1]`` of source (gid), synapse (row of
    the synapses, -1: the cell itself), weight (uS; mV onto a cell without extent) and delay (ms).
    sites: int64[gids + 1], the same of the synapses: kind (row of ``kinds``), branch, position.
    """

    links: np.ndarray
    source: np.ndarray
    synapse: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    sites: np.ndarray
    kind: np.ndarray
    branch: np.ndarray
    position: np.ndarray
    kinds: tuple[Kind, ...]


def wire(lowered: LoweredArbor, report: Report) -> Wiring:
    """All connections onto cells that are built. Reports delays that Arbor does not have."""
    keep = lowered.cable >= 0
    for lif in lowered.lifs:
        keep[lif.gids] = True
    kinds: dict[Kind, int] = {}
    table = _joined([part for item in lowered.connections for part in _parts(item, keep, lowered, kinds, report)])
    order = np.argsort(table["target"], kind="stable")
    table = {name: values[order] for name, values in table.items()}
    single = [code for kind, code in kinds.items() if kind.mechanism in lowered.texts]
    synapse, sites = _synapses(table, single, lowered)
    delay, ends = _delays(table["delay"], lowered, report), np.arange(lowered.size + 1)
    return Wiring(
        np.searchsorted(table["target"], ends),
        table["source"],
        synapse,
        table["weight"],
        delay,
        np.searchsorted(sites["target"], ends),
        sites["kind"],
        sites["branch"],
        sites["position"],
        tuple(kinds),
    )


def _parts(
    item: Connections, keep: np.ndarray, lowered: LoweredArbor, kinds: dict[Kind, int], report: Report
) -> Iterator[dict[str, np.ndarray]]:
    for block in item.blocks(keep, report):
        kind = _kinds(item, block, lowered, kinds)
        where, message = f"projections/{item.projection}", "Arbor has no synapses of these models; they are left out."
        lost = kind < 0
        names = dict.fromkeys(item.models[row].mechanism for row in np.unique(block.model[lost]).tolist())
        report.lost(loss_code("synapse"), where, message, count=int(lost.sum()), examples=list(names))
        columns = {name: getattr(block, name) for name in (*_COLUMNS, *_SITES) if name != "kind"}
        yield {name: values[~lost] for name, values in {**columns, "kind": kind}.items()}


def _kinds(item: Connections, block: SynapseBlock, lowered: LoweredArbor, kinds: dict[Kind, int]) -> np.ndarray:
    """The kind of every synapse of a block; -1 for those that Arbor does not have. int64[n]"""
    names = list(block.parameters)
    point = lowered.cable[block.target] < 0
    numbers = np.stack([block.model, point, *(block.parameters[name] for name in names)], axis=1).astype(np.float64)
    unique, index = np.unique(numbers, axis=0, return_inverse=True)
    codes = []
    for row in unique.tolist():
        model = item.models[int(row[0])]
        stated = {name: value for name, value in zip(names, row[2:], strict=True) if value == value}
        mechanism = SYNAPSES.get(model.mechanism, model.mechanism if model.mechanism in lowered.texts else "")
        kind = Kind("") if row[1] else Kind(mechanism, tuple(sorted({**model.parameters, **stated}.items())))
        codes.append(kinds.setdefault(kind, len(kinds)) if row[1] or mechanism else -1)
    return np.array(codes, dtype=np.int64)[index.reshape(-1)]


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    types = {**_COLUMNS, **_SITES}
    return {
        name: np.concatenate([np.zeros(0), *(part[name] for part in parts)]).astype(dtype)
        for name, dtype in types.items()
    }


def _synapses(
    table: dict[str, np.ndarray], single: list[int], lowered: LoweredArbor
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The synapse of every connection (int64[n], -1 of points), and the synapses as columns.

    single: kinds of which every connection has one of its own.
    """
    target, section, at = table["target"], table["section"], table["position"]
    branch, position = np.full(len(target), -1, dtype=np.int64), np.zeros(len(target))
    cable = lowered.cable[target]
    for number in np.unique(cable[cable >= 0]).tolist():
        mine, tree = np.flatnonzero(cable == number), lowered.cables[number].tree
        branch[mine], position[mine] = tree.middle(section[mine], at[mine])
    on_cables = np.flatnonzero(branch >= 0)
    alone = np.where(np.isin(table["kind"], single), np.arange(len(target)), -1)
    keys = np.stack([target, table["kind"], branch, position, alone], axis=1)[on_cables]
    _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    synapse = np.full(len(target), -1, dtype=np.int64)
    synapse[on_cables] = index.reshape(-1)
    rows = on_cables[first]
    found = {"target": target, "kind": table["kind"], "branch": branch, "position": position}
    return synapse, {name: values[rows] for name, values in found.items()}


def _delays(delay: np.ndarray, lowered: LoweredArbor, report: Report) -> np.ndarray:
    """Delays of two time steps at least, ms: Arbor exchanges events twice in the shortest of all."""
    least = 2 * lowered.settings.timestep
    short = delay < least
    message = f"Arbor's delays are two time steps at least; those below are {least} ms."
    report.approximated("short-delay", "edges", message, count=int(short.sum()))
    return np.where(short, least, delay)
