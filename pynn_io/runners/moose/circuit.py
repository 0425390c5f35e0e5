"""Sections of a cell as the compartments of MOOSE's ``HSolve``, so that they are NEURON's.

``HSolve`` takes every compartment as a cylinder: half of its ``Ra`` lies before the membrane and half behind, and all
children begin at its far end. NEURON's compartments are frusta, whose halves differ, and what begins within one begins
at its centre. So what the larger half of a compartment has more, and both halves of one that something begins within or
before, become compartments of their own, of axial resistance alone: what makes them compartments to MOOSE (a
capacitance far below any membrane's, `BARE`) is not seen in the potential of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pynn_io.lowering.segment_shape import Geometry, areas, axial, parents_first

#: F, of compartments without membrane: a little above what MOOSE takes (4e-17).
BARE = 5e-17
#: Two places along a section, or two resistances, that are nearer than this part of themselves are one.
_SAME = 1e-9
#: The axial resistance of a compartment of which both halves are apart, as a part of these.
_NONE = 1e-6
#: 1 ohm cm / um in ohm.
_OHM = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """The compartments of a cell as MOOSE has them, m of them, parents before children.

    parent: int64[m], -1 for a root. resistance: float64[m], ohm, along each. node: int64[c], which of them has the
    membrane of each compartment of the sections; those of none are bare. area: float64[c], um2.
    """

    parent: np.ndarray
    resistance: np.ndarray
    node: np.ndarray
    area: np.ndarray


def circuit(geometry: Geometry, count: np.ndarray, resistivity: np.ndarray) -> Circuit:
    """count: int64[s], compartments of each section; resistivity: float64[s], ohm cm."""
    parts = range(geometry.size)
    halves = [_OHM * resistivity[k] * axial(geometry, k, int(count[k])) for k in parts]
    area = np.concatenate([areas(geometry, k, int(count[k])) for k in parts])
    made = _Made(geometry, count, halves)
    for section in parents_first(geometry.parent):
        made.section(section)
    return Circuit(np.array(made.parent), np.array(made.resistance), made.node, area)


@dataclass(slots=True, eq=False)
class _Made:
    """The circuit while it grows.

    first: int64[s], the first compartment of each section. forks: where on its parent each begins: the compartment at
    whose centre, or -1 for the parent's start and -2 for its end. start, end: by section, the node behind which what
    begins there begins; -1: nothing is there yet.
    """

    geometry: Geometry
    count: np.ndarray
    halves: list[np.ndarray]
    parent: list[int] = field(default_factory=list)
    resistance: list[float] = field(default_factory=list)
    node: np.ndarray = field(init=False)
    first: np.ndarray = field(init=False)
    forks: np.ndarray = field(init=False)
    start: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first = np.cumsum(self.count) - self.count
        self.node = np.full(int(self.count.sum()), -1, dtype=np.int64)
        at, number = self.geometry.at, self.count[np.maximum(self.geometry.parent, 0)]
        inside = np.minimum(np.floor(at * number + _SAME), number - 1).astype(np.int64)
        self.forks = np.where(at <= _SAME, -1, np.where(at >= 1 - _SAME, -2, inside))

    def section(self, section: int) -> None:
        """The compartments of a section, from its start to its end."""
        parent = int(self.geometry.parent[section])
        begun = self.forks[self.geometry.parent == section]
        root = parent < 0
        behind = -1 if root else self._behind(parent, int(self.forks[section]))
        self.start[section] = behind
        for number in range(int(self.count[section])):
            last = number == self.count[section] - 1
            before_it = root and number == 0 and bool((begun == -1).any())
            apart = bool((begun == number).any()) or before_it
            ends = last and not (begun == -2).any()
            behind = self._compartment(section, number, behind, apart, ends)
            if before_it:
                centre = int(self.node[self.first[section]])
                self.start[section] = self._put(centre, self.halves[section][0, 0])
        self.end[section] = behind

    def _behind(self, parent: int, fork: int) -> int:
        """The node behind which a section begins that is on another one."""
        if fork == -1:
            return self.start[parent]
        return self.end[parent] if fork == -2 else int(self.node[self.first[parent] + fork])

    def _compartment(self, section: int, number: int, behind: int, apart: bool, ends: bool) -> int:
        """One compartment of a section, with what is apart of its halves. Gives the node at its far end."""
        near, far = self.halves[section][number].tolist()
        root = behind < 0
        if apart:
            before = behind if root else self._put(behind, near)
            centre = self._put(before, _NONE * min(near, far))
            self.node[self.first[section] + number] = centre
            return centre if ends else self._put(centre, far)
        near, far = (far, far) if root else (near, near) if ends else (near, far)
        whole, rest = 2 * min(near, far), abs(far - near)
        if rest <= _SAME * whole:
            rest = 0.0
        if rest and near > far:
            behind = self._put(behind, rest)
        centre = behind = self._put(behind, whole)
        self.node[self.first[section] + number] = centre
        return self._put(behind, rest) if rest and far > near else centre

    def _put(self, behind: int, resistance: float) -> int:
        self.parent.append(behind)
        self.resistance.append(resistance)
        return len(self.parent) - 1
