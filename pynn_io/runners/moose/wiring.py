"""Connections as columns: one ``SynChan`` for all synapses of one kind on one compartment, whose responses add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.lowering.cables.models import Connections, SynapseBlock, SynapseModel
from pynn_io.report import Report
from pynn_io.runners.moose.components import EXP, EXP2, PEAK
from pynn_io.runners.moose.lowered import Kind, LoweredMoose

_SECOND, _VOLT, _SIEMENS = 1e-3, 1e-3, 1e-6
_COLUMNS = {**dict.fromkeys(("source", "target", "kind", "place"), np.int64), "weight": float, "delay": float}


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """n connections, those onto one ``SynChan`` together. source, target: gids, place: compartment; int64[n].

    kind: row of ``kinds``, int64[n]. weight: S; delay: s; float64[n]. begins: int64[m], first connection of each
    ``SynChan``.
    """

    source: np.ndarray
    target: np.ndarray
    kind: np.ndarray
    place: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    begins: np.ndarray
    kinds: tuple[Kind, ...]


def wire(lowered: LoweredMoose, report: Report) -> Wiring:
    """All connections onto cells that are built."""
    keep = lowered.cable >= 0
    kinds: dict[Kind, int] = {}
    parts = [part for item in lowered.connections for part in _parts(item, keep, lowered, kinds, report)]
    table = {
        name: np.concatenate([np.zeros(0), *(part[name] for part in parts)]).astype(dtype)
        for name, dtype in _COLUMNS.items()
    }
    order = np.lexsort((table["place"], table["kind"], table["target"]))
    table = {name: values[order] for name, values in table.items()}
    keys = np.stack([table[name] for name in ("target", "kind", "place")])
    changes = (np.diff(keys, axis=1) != 0).any(axis=0)
    begins = np.concatenate([[0], np.flatnonzero(changes) + 1]) if len(order) else np.zeros(0, dtype=np.int64)
    return Wiring(**table, begins=begins, kinds=tuple(kinds))


def _parts(
    item: Connections, keep: np.ndarray, lowered: LoweredMoose, kinds: dict[Kind, int], report: Report
) -> Iterator[dict[str, np.ndarray]]:
    where, message = f"projections/{item.projection}", "MOOSE has no synapses of these models; they are left out."
    for block in item.blocks(keep, report):
        kind, peak = _kinds(item, block, kinds)
        lost = kind < 0
        names = dict.fromkeys(item.models[row].mechanism for row in np.unique(block.model[lost]).tolist())
        report.lost(loss_code("synapse"), where, message, count=int(lost.sum()), examples=list(names))
        place = np.zeros(len(kind), dtype=np.int64)
        for number in np.unique(lowered.cable[block.target]).tolist():
            mine = lowered.cable[block.target] == number
            place[mine] = lowered.cables[number].compartment(block.section[mine], block.position[mine])
        columns = {
            "source": block.source,
            "target": block.target,
            "kind": kind,
            "place": place,
            "weight": block.weight * peak * _SIEMENS,
            "delay": block.delay * _SECOND,
        }
        yield {name: values[~lost] for name, values in columns.items()}


def _kinds(item: Connections, block: SynapseBlock, kinds: dict[Kind, int]) -> tuple[np.ndarray, np.ndarray]:
    """The kind of every synapse of a block, -1 for those that MOOSE does not have, and what its weight is times."""
    names = list(block.parameters)
    numbers = np.stack([block.model, *(block.parameters[name] for name in names)], axis=1).astype(np.float64)
    unique, index = np.unique(numbers, axis=0, return_inverse=True)
    codes, peaks = [], []
    for row in unique.tolist():
        model = item.models[int(row[0])]
        stated = {name: number for name, number in zip(names, row[1:], strict=True) if number == number}
        kind = _kind(model, {**model.parameters, **stated})
        codes.append(-1 if kind is None else kinds.setdefault(kind, len(kinds)))
        peaks.append(model.parameters.get(PEAK, 1.0))
    return np.array(codes, dtype=np.int64)[index.reshape(-1)], np.array(peaks)[index.reshape(-1)]


def _kind(model: SynapseModel, numbers: Mapping[str, float]) -> Kind | None:
    if model.mechanism == EXP2:
        return Kind(numbers["tau1"] * _SECOND, numbers["tau2"] * _SECOND, numbers["e"] * _VOLT)
    if model.mechanism == EXP:
        return Kind(0.0, numbers["tau"] * _SECOND, numbers["e"] * _VOLT)
    return None
