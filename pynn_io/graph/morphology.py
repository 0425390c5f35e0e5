"""Morphologies as segment tables, and the unbranched sections derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np

from pynn_io.graph.columns import empty


class Tag(IntEnum):
    """SWC structure identifiers; other numbers are kept as they are."""

    UNDEFINED = 0
    SOMA = 1
    AXON = 2
    DENDRITE = 3
    APICAL = 4


class SomaKind(StrEnum):
    """What the file's soma points mean."""

    NONE = "none"  # no soma
    SPHERE = "sphere"  # one point: a sphere, equal in area to a cylinder with length = diameter
    THREE_POINT = "three_point"  # the NeuroMorpho.org form of the same sphere
    CYLINDERS = "cylinders"  # a chain (or tree) of points: frusta like any other
    CONTOUR = "contour"  # a closed outline (Neurolucida)


@dataclass(frozen=True, slots=True, eq=False)
class Morphology:
    """A tree of frusta.

    id: int64[n], unique. parent: int64[n], ROW of the parent, -1 for the root(s); a parent precedes its children.
    fraction_along: float64[n], where on the parent a segment begins. proximal, distal: float64[n, 4], x y z diameter, um.
    tag: int64[n], `Tag`. groups: segment groups by name, each int64 ROWS in ascending order.
    """

    name: str
    id: np.ndarray
    parent: np.ndarray
    fraction_along: np.ndarray
    proximal: np.ndarray
    distal: np.ndarray
    tag: np.ndarray
    soma_kind: SomaKind = SomaKind.CYLINDERS
    groups: Mapping[str, np.ndarray] = field(default_factory=empty)

    @property
    def size(self) -> int:
        return len(self.id)
