"""Sections of a NeuroML cell: by the segment groups that say what an unbranched section is, else a section a segment.

jNeuroML's NEURON export does the same, so that both have the same compartments: groups with the ontology term of an
unbranched section (``sao864921383``) which hold every segment once; ``numberInternalDivisions`` is ``nseg``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.morphology import Morphology, position
from pynn_io.graph.segments import GroupNotes, lengths, path_length

#: Ontology term of a segment group that is one unbranched section.
UNBRANCHED = "sao864921383"
#: Two places along a section that are nearer than this are one.
_SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Sections in the order that synapse sites count, s of them.

    order: ``axon_replaced`` or ``specification``, see `pynn_io.graph.sections`. names: as in NEURON (``dend[3]``).
    tag, parent: int64[s]; parent is a section, -1 for a root, and comes anywhere in the order.
    at: float64[s], where on the parent the section begins.
    points, offsets: x y z diameter (um), float64[p, 4]; those of section k are ``points[offsets[k]:offsets[k + 1]]``.
        A section without points is a cylinder of ``length`` and ``diameter``.
    length, diameter: float64[s], um; diameter NaN where points say it.
    """

    order: str
    names: tuple[str, ...]
    tag: np.ndarray
    parent: np.ndarray
    at: np.ndarray
    points: np.ndarray
    offsets: np.ndarray
    length: np.ndarray
    diameter: np.ndarray

    @property
    def size(self) -> int:
        return len(self.tag)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentShape:
    """The sections of a cell, s of them, and where its n segments lie on them.

    geometry: order ``segments``. count: int64[s], compartments of each section.
    section: int64[n], of each segment row. begin, end: float64[n], where on the section a segment lies, 0 to 1.
    start: float64[s], path length from the root at the section's start, um.
    """

    geometry: Geometry
    count: np.ndarray
    section: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    start: np.ndarray

    def place(self, rows: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Section (int64) and position along it (float64) of places on segments (by row)."""
        return self.section[rows], _along(self.begin[rows], self.end[rows], fraction)

    def segments_at(self, section: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Segment rows (int64) of places on sections, and the fractions along these (float64): the way back."""
        order = np.lexsort((self.end, self.section))
        # sections are apart by 2, so that one search finds the segment that ends at a place or behind it
        found = np.searchsorted((2.0 * self.section + self.end)[order], 2.0 * section + at - _SAME)
        rows = order[np.minimum(found, len(order) - 1)]
        length = self.end[rows] - self.begin[rows]
        within = np.divide(at - self.begin[rows], length, out=np.zeros(len(rows)), where=length > 0)
        return rows, np.clip(within, 0.0, 1.0)

    def specified(self, morphology: Morphology, section: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places on sections as the specification counts them, under which every backend records such cells."""
        return position(morphology, *self.segments_at(section, at))

    def centres(self, section: int) -> np.ndarray:
        """Where the centres of a section's compartments are along it. float64[count]"""
        return (np.arange(self.count[section]) + 0.5) / self.count[section]

    def rows_at(self, section: int) -> np.ndarray:
        """The segment row in which the centre of each compartment of a section lies. int64[count]"""
        own = np.flatnonzero(self.section == section)
        own = own[np.argsort(self.begin[own], kind="stable")]
        place = np.searchsorted(self.begin[own], self.centres(section), side="right") - 1
        return own[np.maximum(place, 0)]

    def areas(self, section: int) -> np.ndarray:
        """Lateral area of each compartment of a section, um2. float64[count]"""
        return areas(self.geometry, section, int(self.count[section]))


def areas(geometry: Geometry, section: int, count: int) -> np.ndarray:
    """Lateral area of each compartment of a section, of the frusta between its 3-D points, um2. float64[count]

    A step in diameter at one place is a ring of area too, as NEURON counts it.
    """
    near, far, step = _frusta(geometry, section)
    ends = np.concatenate([[0.0], np.cumsum(step)])
    before = np.concatenate([[0.0], np.cumsum(np.pi / 2 * (near + far) * np.hypot(step, (far - near) / 2))])
    borders = ends[-1] * np.arange(1, count) / count
    piece = np.searchsorted(ends, borders, side="right") - 1
    part = (borders - ends[piece]) / step[piece]
    middle = near[piece] + part * (far - near)[piece] / 2
    slant = np.hypot(step, (far - near) / 2)[piece]
    up_to = before[piece] + np.pi * middle * part * slant
    return np.diff(np.concatenate([[0.0], up_to, before[-1:]]))


def axial(geometry: Geometry, section: int, count: int) -> np.ndarray:
    """Length over cross-section of the two halves of each compartment, of the same frusta, 1/um. float64[count, 2]

    Times an axial resistivity it is the resistance from a compartment's border to its centre, and on to the other one.
    """
    near, far, step = _frusta(geometry, section)
    ends = np.concatenate([[0.0], np.cumsum(step)])
    before = np.concatenate([[0.0], np.cumsum(4 / np.pi * step / (near * far))])
    places = ends[-1] * np.arange(1, 2 * count) / (2 * count)
    piece = np.searchsorted(ends, places, side="right") - 1
    length = places - ends[piece]
    here = near[piece] + length / step[piece] * (far - near)[piece]
    up_to = before[piece] + 4 / np.pi * length / (near[piece] * here)
    return np.diff(np.concatenate([[0.0], up_to, before[-1:]])).reshape(count, 2)


def parents_first(parent: np.ndarray) -> list[int]:
    """Sections in an order in which each comes after the one that it begins on."""
    found: list[int] = []
    known = np.zeros(len(parent), dtype=bool)
    while len(found) < len(parent):
        ready = np.flatnonzero(~known & ((parent < 0) | known[parent]))
        found += ready.tolist()
        known[ready] = True
    return found


def _frusta(geometry: Geometry, section: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diameters at the two ends of each frustum of a section, and its length, um. float64[k] each"""
    points = geometry.points[geometry.offsets[section] : geometry.offsets[section + 1]]
    if not len(points):
        diameter = geometry.diameter[section : section + 1]
        return diameter, diameter, geometry.length[section : section + 1]
    step = np.sqrt(np.sum((points[1:, :3] - points[:-1, :3]) ** 2, axis=1))
    return points[:-1, 3], points[1:, 3], step


def segment_shape(morphology: Morphology, section_length: float | None = None) -> SegmentShape:
    """The sections of a morphology.

    section_length: longest compartment, um, of sections whose group states no number of divisions; None: they have one
    compartment each.
    """
    parts = _parts(morphology)
    section = np.empty(morphology.size, dtype=np.int64)
    for number, (_, rows) in enumerate(parts):
        section[rows] = number
    first = np.array([rows[0] for _, rows in parts], dtype=np.int64)
    length, begin, end = _arcs(morphology, parts)
    points = [_points(morphology, rows) for _, rows in parts]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in points])]).astype(np.int64)
    above = morphology.parent[first]
    parent = np.where(above >= 0, section[above], -1)
    at = np.where(above >= 0, _along(begin[above], end[above], morphology.fraction_along[first]), 0.0)
    geometry = Geometry(
        "segments",
        tuple(name for name, _ in parts),
        morphology.tag[first],
        parent,
        at,
        np.concatenate(points) if points else np.zeros((0, 4)),
        offsets,
        length,
        np.full(len(parts), np.nan),
    )
    near, _ = path_length(morphology)
    count = _counts(morphology.notes, parts, length, section_length)
    return SegmentShape(geometry, count, section, begin, end, near[first])


def _parts(morphology: Morphology) -> list[tuple[str, np.ndarray]]:
    """Name and segment rows of every section, rows from its start to its end."""
    stated = [
        (name, morphology.groups[name])
        for name, notes in morphology.notes.items()
        if notes.ontology == UNBRANCHED and name in morphology.groups
    ]
    rows = np.concatenate([rows for _, rows in stated]) if stated else np.zeros(0, dtype=np.int64)
    once = len(rows) == morphology.size and len(np.unique(rows)) == morphology.size
    if once and all(_in_a_row(morphology, rows) for _, rows in stated):
        return stated
    return [(f"seg_{number}", np.array([row])) for row, number in enumerate(morphology.id.tolist())]


def _in_a_row(morphology: Morphology, rows: np.ndarray) -> bool:
    """Whether each segment but the first begins at the end of the one before; rows of a group ascend, parents first."""
    return bool((morphology.parent[rows[1:]] == rows[:-1]).all() and (morphology.fraction_along[rows[1:]] == 1).all())


def _along(begin: np.ndarray, end: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Places on segments as places on their sections. float64, 0 to 1.

    The end of the last segment is 1 and nothing below: NEURON attaches what lies short of 1 to the middle of the last
    compartment.
    """
    return np.where(fraction == 1, end, np.clip(begin + fraction * (end - begin), 0.0, 1.0))


def _arcs(morphology: Morphology, parts: list[tuple[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length of every section; where each segment begins and ends on its own."""
    own = np.where(_is_sphere(morphology), morphology.distal[:, 3], lengths(morphology))
    length, begin, end = np.zeros(len(parts)), np.zeros(morphology.size), np.ones(morphology.size)
    for number, (_, rows) in enumerate(parts):
        ends = np.cumsum(own[rows])
        length[number] = ends[-1]
        if ends[-1] > 0:
            end[rows] = ends / ends[-1]
            begin[rows[1:]] = end[rows[:-1]]
    return length, begin, end


def _is_sphere(morphology: Morphology) -> np.ndarray:
    """Segments whose two ends are one point: NeuroML's way of a sphere, which is a cylinder as long as wide. bool[n]"""
    return lengths(morphology) == 0


def _points(morphology: Morphology, rows: np.ndarray) -> np.ndarray:
    """The 3-D points of one section, from its start; a step in diameter is two points at one place. float64[k, 4]"""
    if len(rows) == 1 and _is_sphere(morphology)[rows[0]]:
        centre, radius = morphology.distal[rows[0]], morphology.distal[rows[0], 3] / 2
        return centre + np.array([[0, -radius, 0, 0], [0, radius, 0, 0]])
    points = [morphology.proximal[rows[0]], morphology.distal[rows[0]]]
    for row in rows[1:].tolist():
        if not np.array_equal(morphology.proximal[row], points[-1]):
            points.append(morphology.proximal[row])
        points.append(morphology.distal[row])
    return np.vstack(points)


def _counts(
    notes: Mapping[str, GroupNotes],
    parts: list[tuple[str, np.ndarray]],
    length: np.ndarray,
    section_length: float | None,
) -> np.ndarray:
    by_length = np.ones(len(parts), dtype=np.int64)
    if section_length is not None:
        by_length = 1 + 2 * (length / (2 * section_length)).astype(np.int64)
    stated = [notes[name].divisions if name in notes else None for name, _ in parts]
    return np.array(
        [own if divisions is None else divisions for divisions, own in zip(stated, by_length.tolist(), strict=True)],
        dtype=np.int64,
    )
