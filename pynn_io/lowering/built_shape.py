"""The sections of a cell that a simulator has built as a segment table, cut where its compartments differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pynn_io.graph.segments import GroupNotes, Morphology
from pynn_io.lowering.segment_shape import UNBRANCHED, Geometry

#: Where 3-D points give a compartment another diameter than it has, or a section another length, something set that
#: afterwards: relative. NEURON keeps points in single precision.
_DIFFERENT = 1e-5
#: Cuts as near to a point as this are that point: relative to the section's length.
_SAME = 1e-9
#: Where sections without points go from where they begin: it means nothing.
_DIRECTION = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class BuiltShape:
    """morphology: with a group of segments for each section. compartment: int64[n], of the middle of each segment."""

    morphology: Morphology
    compartment: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """m segments of one section: points at their ends, float64[m, 4]; where on the section, float64[m], 0 to 1.

    starts: those that begin a section of the morphology, the first among them: where only diameters are known, these
    change in a step, and between two points at one place NEURON would find a membrane.
    """

    proximal: np.ndarray
    distal: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    starts: np.ndarray


def shape_of(
    geometry: Geometry,
    numbers: np.ndarray,
    count: np.ndarray,
    diameter: np.ndarray,
    signature: np.ndarray,
    name: str,
) -> BuiltShape:
    """The segments of s sections, parents first. numbers: int64[k], the section of each number; -1 for none.

    count: int64[s], compartments of each section. diameter: float64[c] of each compartment, um. signature: int64[c];
    neighbours that differ are in segments of their own.
    """
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    placed, parent, along = _tree(geometry, offsets, diameter, signature)
    sizes = np.array([len(each.begin) for each in placed], dtype=np.int64)
    groups, notes = _sections(geometry.names, count, placed, np.cumsum(sizes) - sizes)
    number = np.full(geometry.size, -1, dtype=np.int64)
    number[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
    morphology = Morphology(
        name,
        np.arange(int(sizes.sum()), dtype=np.int64),
        np.array(parent, dtype=np.int64),
        np.array(along, dtype=np.float64),
        np.concatenate([each.proximal for each in placed]),
        np.concatenate([each.distal for each in placed]),
        np.repeat(geometry.tag, sizes),
        groups=groups,
        cuts=np.sort([rows[0] for rows in groups.values()]),
        notes=notes,
        numbers=np.repeat(number, sizes),
    )
    middle = np.concatenate([(each.begin + each.end) / 2 for each in placed])
    of = np.repeat(np.arange(geometry.size), sizes)
    within = np.minimum((middle * count[of]).astype(np.int64), count[of] - 1)
    return BuiltShape(morphology, offsets[of] + within)


def _tree(
    geometry: Geometry, offsets: np.ndarray, diameter: np.ndarray, signature: np.ndarray
) -> tuple[list[_Placed], list[int], list[float]]:
    """The segments of every section, with the row of each one's parent and where on that it begins."""
    placed: list[_Placed] = []
    first: list[int] = []
    parent: list[int] = []
    along: list[float] = []
    for section in range(geometry.size):
        above, own = int(geometry.parent[section]), slice(offsets[section], offsets[section + 1])
        row, fraction = (-1, 0.0) if above < 0 else _attached(placed[above], float(geometry.at[section]))
        start = np.zeros(3) if above < 0 else _point(placed[above], row, fraction)
        made = _segments(geometry, section, diameter[own], signature[own], start)
        begin, size = len(parent), len(made.begin)
        parent += [-1 if above < 0 else first[above] + row, *range(begin, begin + size - 1)]
        along += [fraction, *[1.0] * (size - 1)]
        first.append(begin)
        placed.append(made)
    return placed, parent, along


def _sections(
    names: tuple[str, ...], count: np.ndarray, placed: list[_Placed], first: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, GroupNotes]]:
    """A group for each section (``dend_3``), or for each of the pieces of one (``axon_1_0``), and its compartments."""
    groups, notes = {}, {}
    for name, compartments, made, row in zip(names, count.tolist(), placed, first.tolist(), strict=True):
        plain = name.replace("[", "_").replace("]", "")
        bounds = [*made.starts.tolist(), len(made.begin)]
        for piece, (start, stop) in enumerate(pairwise(bounds)):
            label = plain if len(bounds) == 2 else f"{plain}_{piece}"
            groups[label] = np.arange(row + start, row + stop, dtype=np.int64)
            share = made.end[stop - 1] - made.begin[start]
            notes[label] = GroupNotes(UNBRANCHED, round(float(share) * compartments))
    return groups, notes


def _segments(
    geometry: Geometry, section: int, diameter: np.ndarray, signature: np.ndarray, start: np.ndarray
) -> _Placed:
    points = geometry.points[geometry.offsets[section] : geometry.offsets[section + 1]]
    length = float(geometry.length[section])
    cuts = (np.flatnonzero(signature[1:] != signature[:-1]) + 1) / len(diameter)
    if not _describes(points, length, diameter):
        return _cylinders(points, length, diameter, cuts, start)
    arc = _arcs(points)
    wanted = cuts * arc[-1]
    nearest = np.abs(arc[None, :] - wanted[:, None]).min(axis=1, initial=np.inf)
    wanted = wanted[nearest > _SAME * arc[-1]]
    between = np.stack([np.interp(wanted, arc, column) for column in points.T], axis=1)
    where = np.searchsorted(arc, wanted)
    points, arc = np.insert(points, where, between, axis=0), np.insert(arc, where, wanted)
    kept = np.flatnonzero(np.diff(arc) > 0)  # of a step in diameter two points are at one place
    share = arc / arc[-1]
    return _Placed(points[kept], points[kept + 1], share[kept], share[kept + 1], np.zeros(1, dtype=np.int64))


def _describes(points: np.ndarray, length: float, diameter: np.ndarray) -> bool:
    """Whether the points of a section give its compartments their lengths and mean diameters, as in NEURON."""
    if len(points) < 2:
        return False
    arc = _arcs(points)
    if not abs(arc[-1] - length) <= _DIFFERENT * length:
        return False
    bounds = np.linspace(0, arc[-1], len(diameter) + 1)
    # The area of the outline up to each point, and from there up to each bound.
    before = np.concatenate([[0.0], np.cumsum(np.diff(arc) * (points[1:, 3] + points[:-1, 3]) / 2)])
    below = np.clip(np.searchsorted(arc, bounds, side="left") - 1, 0, len(arc) - 2)
    step, span = bounds - arc[below], np.diff(arc)[below]
    slope = np.divide(np.diff(points[:, 3])[below], span, out=np.zeros_like(span), where=span > 0)
    upto = before[below] + step * points[below, 3] + slope * step**2 / 2
    return bool((np.abs(np.diff(upto) / np.diff(bounds) - diameter) <= _DIFFERENT * diameter).all())


def _cylinders(points: np.ndarray, length: float, diameter: np.ndarray, cuts: np.ndarray, start: np.ndarray) -> _Placed:
    """A section of which only lengths and diameters are known: a cylinder from cut to cut."""
    direction = _DIRECTION
    if len(points) > 1 and (span := np.linalg.norm(points[-1, :3] - points[0, :3])) > 0:
        start, direction = points[0, :3], (points[-1, :3] - points[0, :3]) / span
    changes = (np.flatnonzero(diameter[1:] != diameter[:-1]) + 1) / len(diameter)
    bounds = np.concatenate([[0.0], np.union1d(cuts, changes), [1.0]])
    places = start + bounds[:, None] * length * direction
    own = diameter[(bounds[:-1] * len(diameter)).round().astype(np.int64)][:, None]
    starts = np.searchsorted(bounds, np.concatenate([[0.0], changes]))
    return _Placed(np.hstack([places[:-1], own]), np.hstack([places[1:], own]), bounds[:-1], bounds[1:], starts)


def _arcs(points: np.ndarray) -> np.ndarray:
    """Distance of every point from the first, along the section. float64[p]"""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1))])


def _attached(placed: _Placed, at: float) -> tuple[int, float]:
    """The segment (its place in the section) and the fraction along it where a position on a section is.

    Only the end of the section is the end of a segment: a child at the end of an earlier one would divide the section.
    """
    last = len(placed.begin) - 1
    if at >= 1:
        return last, 1.0
    row = int(np.clip(np.searchsorted(placed.begin, at + _SAME, side="right") - 1, 0, last))
    share = (at - placed.begin[row]) / (placed.end[row] - placed.begin[row])
    return row, float(share) if share > _SAME else 0.0


def _point(placed: _Placed, row: int, fraction: float) -> np.ndarray:
    near, far = placed.proximal[row, :3], placed.distal[row, :3]
    return near + fraction * (far - near)
