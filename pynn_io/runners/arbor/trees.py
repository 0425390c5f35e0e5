"""Sections of a cell as Arbor's segment tree, so that its control volumes are NEURON's compartments.

Three conventions are NEURON's, and make two discretisations one: a section has ``count`` compartments of one length;
what is attached within a compartment is attached to its centre, at the end of a section to a point without membrane. A
branch of Arbor may be several sections, or a part of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pynn_io.lowering.segment_shape import Geometry, parents_first

#: Two places along a section that are nearer than this are one.
_SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A segment tree of n segments, parents before children, on s sections.

    parent: int64[n], -1 for a root. proximal, distal: float64[n, 4], x y z radius (um). tag: int64[n].
    section: int64[n]; begin, end: float64[n], the part of the section that a segment is.
    branch: int64[n]; near, far: float64[n], the part of Arbor's branch that a segment is.
    count: int64[s], control volumes of each section. boundaries: float64[b, 2], branch and position of their ends.
    """

    parent: np.ndarray
    proximal: np.ndarray
    distal: np.ndarray
    tag: np.ndarray
    section: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    branch: np.ndarray
    near: np.ndarray
    far: np.ndarray
    count: np.ndarray
    boundaries: np.ndarray

    @property
    def size(self) -> int:
        return len(self.parent)

    def centre(self, section: np.ndarray, position: np.ndarray) -> np.ndarray:
        """The centres of the control volumes that hold some places, as positions along their sections. float64[k]"""
        count = self.count[section]
        return (np.minimum(np.floor(position * count + _SAME), count - 1) + 0.5) / count

    def middle(self, section: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Branch (int64[k]) and position (float64[k]) of the centres of the control volumes that hold some places."""
        return self.locate(section, self.centre(section, position))

    def locate(self, section: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Branch (int64[k]) and position along it (float64[k]) of places on sections."""
        order = np.lexsort((self.end, self.section))
        # sections are apart by 2, so that one search finds the segment that ends at a place or behind it
        found = np.searchsorted((2.0 * self.section + self.end)[order], 2.0 * section + position - _SAME)
        found = order[np.minimum(found, self.size - 1)]
        length = self.end[found] - self.begin[found]
        within = np.divide(position - self.begin[found], length, out=np.zeros(len(found)), where=length > 0)
        along = self.near[found] + np.clip(within, 0.0, 1.0) * (self.far[found] - self.near[found])
        return self.branch[found], along

    def pieces(self, section: int, begin: float, end: float) -> list[tuple[int, float, float]]:
        """The parts of branches (branch, from, to) that a part of a section is."""
        found: dict[int, tuple[float, float]] = {}
        for k in np.flatnonzero((self.section == section) & (self.end > begin + _SAME) & (self.begin < end - _SAME)):
            scale = (self.far[k] - self.near[k]) / (self.end[k] - self.begin[k])
            near = float(self.near[k] + (max(begin, self.begin[k]) - self.begin[k]) * scale)
            far = float(self.near[k] + (min(end, self.end[k]) - self.begin[k]) * scale)
            before = found.get(int(self.branch[k]), (near, far))
            found[int(self.branch[k])] = (min(before[0], near), max(before[1], far))
        return [(branch, *ends) for branch, ends in found.items()]


def tree(geometry: Geometry, count: np.ndarray, tags: np.ndarray) -> Tree:
    """The tree of some sections. count: int64[s], their control volumes; tags: int64[s], of their segments."""
    forks = _forks(geometry, count)
    pieces: list[_Piece] = []
    last: dict[tuple[int, float], int] = {}
    for section in parents_first(geometry.parent):
        above = int(geometry.parent[section])
        begins = -1 if above < 0 else last[above, float(forks[section])]
        last[section, 0.0] = begins
        points, arc = _points(geometry, section, forks[geometry.parent == section])
        for k in range(len(arc) - 1):
            pieces.append(_Piece(begins, points[k], points[k + 1], section, arc[k], arc[k + 1]))
            begins = last[section, float(arc[k + 1])] = len(pieces) - 1
    return _made(pieces, geometry, count, tags, forks)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    parent: int
    proximal: np.ndarray
    distal: np.ndarray
    section: int
    begin: float
    end: float


def _forks(geometry: Geometry, count: np.ndarray) -> np.ndarray:
    """Where on its parent each section begins: an end, or the centre of a compartment. float64[s]"""
    at = geometry.at
    number = count[np.maximum(geometry.parent, 0)]
    inside = (np.minimum(np.floor(at * number + _SAME), number - 1) + 0.5) / number
    return np.where((at <= _SAME) | (at >= 1 - _SAME), np.rint(at), inside)


def _points(geometry: Geometry, section: int, forks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a section (x y z radius), some of them where others begin, and how far along each is (0 to 1).

    Points at one place are one: what follows a jump of the diameter begins with the wider or narrower end.
    """
    points = geometry.points[geometry.offsets[section] : geometry.offsets[section + 1]].astype(np.float64)
    if not len(points):
        along = np.array([0.0, geometry.length[section]])
        points = np.zeros((2, 4))
        points[:, 0], points[:, 3] = along, geometry.diameter[section]
    steps = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    arc = arc / arc[-1] if arc[-1] > 0 else np.linspace(0.0, 1.0, len(arc))
    arc[-1] = 1.0
    cuts = np.unique(forks[(forks > 0) & (forks < 1)])
    every = np.unique(np.concatenate([arc, cuts]))
    kept = np.concatenate([every[:1], every[1:][np.diff(every) > 0]])
    made = np.stack([np.interp(kept, arc, points[:, column]) for column in range(4)], axis=1)
    made[:, 3] /= 2
    return made, kept


def _made(pieces: list[_Piece], geometry: Geometry, count: np.ndarray, tags: np.ndarray, forks: np.ndarray) -> Tree:
    parent = np.array([piece.parent for piece in pieces], dtype=np.int64)
    proximal, distal = (np.array([getattr(piece, end) for piece in pieces]) for end in ("proximal", "distal"))
    section = np.array([piece.section for piece in pieces], dtype=np.int64)
    begin, end = (np.array([getattr(piece, name) for piece in pieces]) for name in ("begin", "end"))
    branch = branches(parent)
    near, far = _along(branch, np.linalg.norm(distal[:, :3] - proximal[:, :3], axis=1))
    none = np.zeros((0, 2))
    bare = Tree(parent, proximal, distal, tags[section], section, begin, end, branch, near, far, count, none)
    return replace(bare, boundaries=_boundaries(bare, geometry, forks))


def branches(parent: np.ndarray) -> np.ndarray:
    """Arbor's number of the branch of every segment: a branch begins at a root and after a fork, in order. int64[n]"""
    children = np.bincount(parent[parent >= 0], minlength=len(parent))
    found = np.zeros(len(parent), dtype=np.int64)
    new = 0
    for segment, above in enumerate(parent.tolist()):
        if above < 0 or children[above] > 1:
            found[segment], new = new, new + 1
        else:
            found[segment] = found[above]
    return found


def _along(branch: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on its branch each segment begins and ends, 0 to 1; segments of a branch come in order."""
    order = np.argsort(branch, kind="stable")
    total = np.bincount(branch, length)
    ends = np.cumsum(length[order])
    first = np.concatenate([[0.0], np.cumsum(total)])[branch[order]]
    near, far = np.empty(len(branch)), np.empty(len(branch))
    whole = np.where(total > 0, total, 1.0)[branch[order]]
    near[order], far[order] = (ends - length[order] - first) / whole, (ends - first) / whole
    return np.clip(near, 0.0, 1.0), np.clip(far, 0.0, 1.0)


def _boundaries(made: Tree, geometry: Geometry, forks: np.ndarray) -> np.ndarray:
    """Ends of control volumes, float64[b, 2]: between compartments, where a section begins, and where one is forked.

    An end that nothing is attached to has none: there would be a volume without membrane.
    """
    count, size = made.count, geometry.size
    inner = np.repeat(np.arange(size), count - 1)
    number = np.arange(len(inner)) - np.repeat(np.cumsum(count - 1) - (count - 1), count - 1) + 1
    found = [np.stack(made.locate(inner, number / count[inner]), axis=1)]
    attached = geometry.parent >= 0
    roots = np.flatnonzero(~attached)
    at_start = np.unique(geometry.parent[attached & (forks == 0)])
    begins = np.union1d(np.flatnonzero(attached), roots if len(roots) > 1 else np.intersect1d(roots, at_start))
    ends = np.unique(geometry.parent[attached & (forks == 1)])
    first = np.array([np.flatnonzero(made.section == k)[0] for k in begins], dtype=np.int64)
    last = np.array([np.flatnonzero(made.section == k)[-1] for k in ends], dtype=np.int64)
    found.append(np.stack([made.branch[first], made.near[first]], axis=1))
    found.append(np.stack([made.branch[last], made.far[last]], axis=1))
    return np.unique(np.concatenate(found), axis=0)
