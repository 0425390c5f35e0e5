"""Where a synapse goes when its edge only says ``target_sections`` and ``distance_range``: BMTK's random rule, exactly.

Rule: ``bmtk/simulator/bionet/{cell,biocell,morphology}.py``, version 1.2. Every cell has numpy's legacy generator,
seeded with its gid, and draws once a synapse, edges in the order in which they are made: a compartment, with a
probability in proportion to the length of it that lies within the range of path distances from the soma.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.morphology import Tag
from pynn_io.lowering.cables.geometry import Compartments

#: Names of regions in ``target_sections``.
REGIONS: Mapping[str, int] = {
    "soma": Tag.SOMA,
    "somatic": Tag.SOMA,
    "axon": Tag.AXON,
    "axonal": Tag.AXON,
    "dend": Tag.DENDRITE,
    "basal": Tag.DENDRITE,
    "apic": Tag.APICAL,
    "apical": Tag.APICAL,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """``target_sections`` as tags, ``distance_range`` as two numbers (um)."""

    tags: tuple[int, ...]
    nearest: float
    farthest: float


def parse_rule(sections: str | None, distances: str | None, where: str) -> Rule | None:
    """The rule as an edge type states it, e.g. ``['somatic', 'basal']`` and ``[0.0, 150.0]``; None without sections.

    Without distances the whole of the sections counts. Raises PlanError for what is neither.
    """
    if not sections:
        return None
    names = re.findall(r"\w+", sections)
    unknown = [name for name in names if name not in REGIONS]
    if unknown or not names:
        hint = f"known: {', '.join(REGIONS)}"
        raise PlanError(f"target_sections {sections!r} names no regions of a cell", where=where, hint=hint)
    near, far = 0.0, np.inf
    if distances:
        try:
            near, far = (float(value) for value in json.loads(distances))
        except (ValueError, TypeError):
            raise PlanError(f"distance_range {distances!r} is not a list of two numbers", where=where) from None
    return Rule(tuple(REGIONS[name] for name in names), near, far)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Compartments that a rule allows on one kind of cell, and their cumulative probability (ends at 1)."""

    index: np.ndarray
    cumulative: np.ndarray


def targets(rule: Rule, cell: Compartments) -> Targets:
    """The compartments that overlap the range, weighed by the length that does (``Morphology.find_sections``)."""
    near, far = cell.distance - cell.length / 2.0, cell.distance + cell.length / 2.0
    overlap = np.maximum(0, np.minimum(far, rule.farthest) - np.maximum(near, rule.nearest)) / cell.length
    index = np.flatnonzero((overlap > 0) & np.isin(cell.tag, rule.tags))
    lengths = cell.length[index] * overlap[index]
    cumulative = np.cumsum(lengths / np.sum(lengths)) if len(index) else np.zeros(0)
    return Targets(index, cumulative / cumulative[-1] if len(index) else cumulative)


def place(allowed: Targets, draws: np.ndarray) -> np.ndarray:
    """Compartments for uniform random numbers, as ``RandomState.choice`` with probabilities picks them. int64"""
    return allowed.index[np.searchsorted(allowed.cumulative, draws, side="right")]


class Generators:
    """The generator of every cell that draws, made when it first does. ``seeds``: of every gid."""

    def __init__(self, seeds: np.ndarray) -> None:
        self._seeds = seeds
        self._made: dict[int, np.random.RandomState] = {}

    def draw(self, gid: int, count: int) -> np.ndarray:
        """The next ``count`` numbers in [0, 1) of a cell."""
        made = self._made.get(gid)
        if made is None:
            made = self._made[gid] = np.random.RandomState(int(self._seeds[gid]))
        return made.random_sample(count)


def bmtk_gids(ids: Sequence[np.ndarray]) -> np.ndarray:
    """The number that BMTK gives every cell, populations one after the other: offset plus node id. int64

    A population takes one more number than its largest id, so that ids with gaps leave gaps (``gids.py``). For ids
    0 .. n-1 these are our own gids.
    """
    parts, offset = [], 0
    for own in ids:
        parts.append(own + offset)
        offset += int(own.max(initial=-1)) + 1
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
