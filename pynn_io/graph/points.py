"""Between point trees (SWC: a tag, a place, a radius and a parent each) and segment tables.

What an SWC soma means, and where neurites begin on it, follows NEURON's Import3d (``import3d/read_swc.hoc``), so that a
file has the same sections, lengths and diameters here as there:

- A single soma point is a sphere: a cylinder of length = diameter. Neurites leave its middle.
- Three soma points, the second and third children of the first without children of their own, one radius, together one
  diameter apart, are the same sphere (NeuroMorpho.org).
- Other soma points are frusta.
- A neurite of several points that begins apart from the soma (on a sphere, inside a soma, or where a soma forks) has no
  membrane between the soma and its first point. Elsewhere, and if it has one point only, its first frustum begins at
  the soma's point, with the neurite's own diameter.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from pynn_io.graph.segments import Morphology, SomaKind, Tag

#: NEURON's tolerance for the three-point form.
_THREE_POINT_TOLERANCE = 0.01


class Points(NamedTuple):
    """A point tree. id, tag, parent: int64[n] (parent is an id, negative for a root). position: float64[n, 3], um.

    radius: float64[n], um. Ids are unique, every parent is there, and nobody is their own ancestor.
    """

    id: np.ndarray
    tag: np.ndarray
    position: np.ndarray
    radius: np.ndarray
    parent: np.ndarray


def parent_rows(ids: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Row of each parent, -1 where the parent is negative. The parents must be among ``ids``."""
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids[order], parent)
    return np.where(parent < 0, -1, order[np.minimum(place, len(ids) - 1)])


def tree_order(parent: np.ndarray, ids: np.ndarray | None = None) -> np.ndarray:
    """An order of rows in which parents precede children: as they are, else by id, else the nearest to as they are."""
    rows = np.arange(len(parent))
    if (parent < rows).all():
        return rows
    if ids is not None:
        by_id = np.argsort(ids, kind="stable")
        rank = np.empty_like(by_id)
        rank[by_id] = rows
        if ((parent < 0) | (rank[parent] < rank)).all():
            return by_id
    children: dict[int, list[int]] = {}
    for row, above in enumerate(parent.tolist()):
        children.setdefault(above, []).append(row)
    ready, order = list(children.get(-1, ())), []
    while ready:
        order.append(heapq.heappop(ready))
        for child in children.get(order[-1], ()):
            heapq.heappush(ready, child)
    return np.asarray(order, dtype=np.int64)


class _Tree(NamedTuple):
    """What the rules need to know of every point."""

    p: np.ndarray  # row of the parent
    root: np.ndarray
    soma: np.ndarray
    first: np.ndarray  # first child of the same tag, -1
    sphere: np.ndarray
    bare: np.ndarray  # the point is only the proximal end of a segment
    arm: int  # the first arm of a three-point soma, -1


def from_points(name: str, points: Points) -> Morphology:
    """The segment table of a point tree, by the rules above; segment ids are the numbers of their distal points."""
    order = tree_order(parent_rows(points.id, points.parent), points.id)
    points = Points(*(column[order] for column in points))
    tree = _tree(points)
    xyzd = np.column_stack([points.position, 2 * points.radius])
    rows = np.flatnonzero(~tree.bare)
    above = tree.p[rows]
    parent, along = _attach(tree, above)
    carries = (above >= 0) & tree.bare[above] & (tree.first[above] == rows)
    beyond = np.where(carries, tree.p[above], -1)
    parent_beyond, along_beyond = _attach(tree, beyond)
    parent, along = np.where(carries, parent_beyond, parent), np.where(carries, along_beyond, along)
    proximal, distal = xyzd[above], xyzd[rows]
    proximal_id = np.where(carries, points.id[above], -1)
    leaves_soma = (above >= 0) & tree.soma[above] & ~tree.soma[rows]
    proximal[leaves_soma, 3] = distal[leaves_soma, 3]
    ball = tree.sphere[rows]
    proximal[ball], half = distal[ball], points.radius[rows][ball]
    proximal[ball, 1] -= half
    distal[ball, 1] += half
    if tree.arm >= 0:  # arm, centre, other arm in a row
        centre = np.searchsorted(rows, tree.p[tree.arm])
        proximal[centre], proximal_id[centre] = xyzd[tree.arm], points.id[tree.arm]
    segment = np.full(len(points.id) + 1, -1, dtype=np.int64)
    segment[rows] = np.arange(len(rows))
    return _table(name, points, tree, rows, segment[parent], along, proximal, distal, proximal_id)


def _table(
    name: str,
    points: Points,
    tree: _Tree,
    rows: np.ndarray,
    parent: np.ndarray,
    along: np.ndarray,
    proximal: np.ndarray,
    distal: np.ndarray,
    proximal_id: np.ndarray,
) -> Morphology:
    """The morphology of the segments that end at the points ``rows``, put in an order where parents come first."""
    order = tree_order(parent)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    parent = np.where(parent >= 0, rank[parent], -1)[order]
    balls = np.flatnonzero(tree.sphere[rows[order]])
    centres = points.position[rows[order][balls]].tolist()
    return Morphology(
        name,
        points.id[rows][order],
        parent,
        along[order],
        proximal[order],
        distal[order],
        points.tag[rows][order],
        _soma_kind(tree),
        proximal_id=proximal_id[order],
        spheres={row: (x, y, z) for row, (x, y, z) in zip(balls.tolist(), centres, strict=True)},
    )


def _tree(points: Points) -> _Tree:
    p = parent_rows(points.id, points.parent)
    n = len(p)
    root, soma = p < 0, points.tag == Tag.SOMA
    same = ~root & (points.tag == points.tag[p])
    children = np.bincount(p[~root], minlength=n)
    alike = np.bincount(p[same], minlength=n)
    first = np.full(n, -1, dtype=np.int64)
    following = np.flatnonzero(same)[::-1]
    first[p[following]] = following
    arm = _three_point_arm(points, p, soma, children)
    sphere = root & (alike == 0)
    ball = sphere.copy()
    if arm >= 0:
        ball[p[arm]] = True
    soma_children = np.where(soma, alike, 0)
    apart = ball[p] | (soma_children[p] > 1) | ((soma_children[p] == 1) & ~root[p])
    apart &= ~root & ~soma & soma[p]
    # Several neurites from the first point of a neurite: all start there. NEURON's test leaves out the file's second
    # point, which becomes a section of its own ("p > 1" in mark_branch); section numbers depend on it.
    forks = (children > 1) & (np.arange(n) == 1)
    bare = (apart & (alike == children) & (children > 0) & ~forks) | (root & ~sphere)
    if arm >= 0:
        bare[p[arm]], bare[arm] = False, True
    return _Tree(p, root, soma, first, sphere, bare, arm)


def _three_point_arm(points: Points, p: np.ndarray, soma: np.ndarray, children: np.ndarray) -> int:
    """The first arm of a three-point soma, or -1."""
    rows = np.flatnonzero(soma)
    if len(rows) != 3:
        return -1
    centre, *arms = rows.tolist()
    if p[centre] >= 0 or (p[arms] != centre).any() or children[arms].any():
        return -1
    radius = points.radius[centre]
    reach = np.linalg.norm(points.position[arms] - points.position[centre], axis=1).sum()
    slack = _THREE_POINT_TOLERANCE * radius
    same_radius = (np.abs(points.radius[arms] - radius) <= slack).all()
    return arms[0] if same_radius and abs(reach - 2 * radius) < 2 * slack else -1


def _attach(tree: _Tree, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a segment is on its parent that begins at a point: the POINT with that parent (-1: none), how far along."""
    nowhere = point < 0
    bare = tree.bare[point]
    on = np.where(nowhere, -1, np.where(bare, tree.first[point], point))
    along = np.where(nowhere | bare, 0.0, np.where(tree.sphere[point], 0.5, 1.0))
    return on, along


def _soma_kind(tree: _Tree) -> SomaKind:
    if not tree.soma.any():
        return SomaKind.NONE
    if tree.arm >= 0:
        return SomaKind.THREE_POINT
    return SomaKind.SPHERE if tree.sphere[tree.soma].all() else SomaKind.CYLINDERS
