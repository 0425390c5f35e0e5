"""From segment tables to point trees (SWC), the inverse of `pynn_io.graph.points.from_points`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pynn_io.graph.points import Points, from_points, parent_rows
from pynn_io.graph.segments import Morphology, SomaKind, Tag, lengths

#: um. Starts that are nearer than this to where they begin are there.
_SAME_PLACE = 1e-6


class Written(NamedTuple):
    """A point tree made from a morphology, and where it says something else.

    split: rows of segments in which a point was put where another begins; the geometry is the same.
    moved: rows that began at another place of a sphere than its middle, and begin there now.
    joined: rows that do not start where they begin on the parent: a point was added at their start, and a piece of
        membrane leads to it.
    stepped: rows that start with another diameter than the place where they begin, and now taper from that.
    renumbered: whether the points bear other numbers than the segments.
    """

    points: Points
    split: list[int]
    moved: list[int]
    joined: list[int]
    stepped: list[int]
    renumbered: bool


def to_points(morphology: Morphology) -> Written:
    """The point tree of a morphology. What came from `from_points` becomes what it was, to the last bit.

    A start within a millionth of a micrometre of the place where it begins counts as there.
    """
    writer = _written(morphology, frozenset())
    again = from_points(morphology.name, writer.points())
    vanished = frozenset(np.flatnonzero(~np.isin(morphology.id, again.id)).tolist())
    if vanished:  # read as the wire between soma and neurite: these need a point of their own at their start
        writer = _written(morphology, vanished)
        again = from_points(morphology.name, writer.points())
    real = set(again.id[lengths(again) > 0].tolist())
    joined = [row for number, row in writer.added.items() if number in real]
    points = writer.points()
    downhill = bool((points.parent < points.id).all())
    if downhill:
        order = np.argsort(points.id, kind="stable")
        points = Points(*(column[order] for column in points))
    renumbered = bool(writer.added or writer.splits) and not downhill
    points = _numbered_in_order(points) if renumbered else points
    return Written(points, sorted(writer.splits), writer.moved, joined, writer.stepped, renumbered)


def _written(morphology: Morphology, apart: frozenset[int]) -> _Writer:
    writer = _Writer(morphology, apart)
    for row in range(morphology.size):
        writer.segment(row)
    return writer


class _Writer:
    """Puts a morphology down as points, in the order of its segments.

    A point in this list is known by its place in it. apart: rows that get a point at their start in any case.
    added: number of each point put at the start of a segment that had none there, and the segment's row.
    """

    def __init__(self, morphology: Morphology, apart: frozenset[int]) -> None:
        self.morphology = morphology
        self.apart = apart
        self.added: dict[int, int] = {}
        self.moved: list[int] = []
        self.stepped: list[int] = []
        self._ids: list[int] = []
        self._tags: list[int] = []
        self._places: list[list[float]] = []  # x, y, z, diameter
        self._parents: list[int] = []
        self._near, self._far = morphology.proximal.tolist(), morphology.distal.tolist()
        self._own_start = morphology.proximal_id.tolist()  # type: ignore[union-attr]
        self._start, self._end = [-1] * morphology.size, [-1] * morphology.size  # points at the ends of each segment
        self._least = int(morphology.id.min(initial=1))
        self._most = max([0, *morphology.id.tolist(), *self._own_start])
        self._centre = _three_point_row(morphology)
        self.splits = self._find_splits()  # fractions inside each segment where others begin
        self._inside: dict[tuple[int, float], int] = {}  # the point there

    def segment(self, row: int) -> None:
        """Put down the points of one segment whose parent is there already."""
        number, tag = int(self.morphology.id[row]), int(self.morphology.tag[row])
        begin = self._begin(row)
        if row in self.morphology.spheres:
            place = [*self.morphology.spheres[row], self._far[row][3]]
            self._start[row] = self._end[row] = self._put(number, tag, place, begin)
            return
        if row == self._centre:
            self._end[row] = self._put(number, tag, self._far[row], begin)
            self._start[row] = self._put(self._own_start[row], tag, self._near[row], self._end[row])
            return
        first = self._own_start[row]
        if begin >= 0 and first < 0:
            implied = self._implied(begin, row)
            if row in self.apart or math.dist(self._near[row][:3], implied[:3]) > _SAME_PLACE:
                first = self._free(row)
            elif self._near[row][3] != implied[3] and self._tags[begin] == Tag.SOMA != tag:
                first = self._free(row)  # a piece of no length, which has the neurite's own diameter
            elif self._near[row][3] != implied[3]:
                self.stepped.append(row)
        elif first < 0:
            first = self._free(row)
        if first >= 0:
            begin = self._put(first, tag, self._near[row], begin)
        self._start[row] = begin
        for along in self.splits.get(row, ()):
            pairs = zip(self._near[row], self._far[row], strict=True)
            place = [near + along * (far - near) for near, far in pairs]
            begin = self._inside[row, along] = self._put(self._free(-1), tag, place, begin)
        self._end[row] = self._put(number, tag, self._far[row], begin)

    def points(self) -> Points:
        parents = [self._ids[place] if place >= 0 else -1 for place in self._parents]
        places = np.asarray(self._places, dtype=np.float64).reshape(-1, 4)
        ids, tags = np.asarray(self._ids, dtype=np.int64), np.asarray(self._tags, dtype=np.int64)
        return Points(ids, tags, places[:, :3], places[:, 3] / 2, np.asarray(parents, dtype=np.int64))

    def _begin(self, row: int) -> int:
        """The point where a segment begins on its parent, -1 for a root."""
        parent, along = int(self.morphology.parent[row]), float(self.morphology.fraction_along[row])
        if parent < 0:
            return -1
        if (parent, along) in self._inside:
            return self._inside[parent, along]
        if along != 0.5 if parent in self.morphology.spheres else along not in (0.0, 1.0):
            self.moved.append(row)
        return self._end[parent] if along >= 0.5 else self._start[parent]

    def _find_splits(self) -> dict[int, list[float]]:
        parent, along = self.morphology.parent, self.morphology.fraction_along
        found: dict[int, set[float]] = {}
        for row in np.flatnonzero((parent >= 0) & (along > 0) & (along < 1)).tolist():
            above = int(parent[row])
            if above not in self.morphology.spheres and above != self._centre:
                found.setdefault(above, set()).add(float(along[row]))
        return {row: sorted(fractions) for row, fractions in found.items()}

    def _implied(self, begin: int, row: int) -> list[float]:
        """Where a segment that begins at a point has its proximal end, as `from_points` has it."""
        tag = int(self.morphology.tag[row])
        thick = self._far[row][3] if self._tags[begin] == Tag.SOMA != tag else self._places[begin][3]
        return [*self._places[begin][:3], thick]

    def _free(self, row: int) -> int:
        """A number for a point that has none: the one before all others for the first root, else one after all."""
        if not self._ids and self._least > 1:
            self._least -= 1
            number = self._least
        else:
            self._most += 1
            number = self._most
        if row >= 0:
            self.added[number] = row
        return number

    def _put(self, number: int, tag: int, place: list[float], parent: int) -> int:
        self._ids.append(number)
        self._tags.append(tag)
        self._places.append(place)
        self._parents.append(parent)
        return len(self._ids) - 1


def _three_point_row(morphology: Morphology) -> int:
    """The row of the middle point of a three-point soma, -1 if there is none."""
    rows = np.flatnonzero(morphology.tag == Tag.SOMA)
    if morphology.soma_kind is not SomaKind.THREE_POINT or len(rows) != 2:
        return -1
    middle, arm = rows.tolist()
    whole = morphology.parent[middle] < 0 and morphology.parent[arm] == middle
    return middle if whole and morphology.proximal_id[middle] >= 0 else -1  # type: ignore[index]


def _numbered_in_order(points: Points) -> Points:
    """The same points with the numbers 1 .. n, so that parents have lower ones (NEURON demands it)."""
    parent = parent_rows(points.id, points.parent)
    ids = np.arange(1, len(parent) + 1, dtype=np.int64)
    return points._replace(id=ids, parent=np.where(parent >= 0, parent + 1, -1))
