"""Soma outlines as stacks of frusta, by the rules of NEURON's Import3d (``contour2centroid`` in ``import3d_gui.hoc``).

An outline is cut across its longest axis at 21 places; at each a circle takes the place of the cut, as wide as it is. A
stack of outlines becomes one circle each. Area and length are then those that NEURON simulates for the same file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SAMPLES = 101
_SLICES = 21


def contour_stack(outlines: Sequence[np.ndarray]) -> np.ndarray | None:
    """Points (x y z diameter, um) of the frusta that stand for a soma. float64[k, 4]; None if one outline is a line.

    outlines: each float64[m, 3 or more], m > 2.
    """
    if len(outlines) > 1:
        return np.vstack([_circle(outline[:, :3]) for outline in outlines])
    sampled = _evenly(outlines[0][:, :3])
    middle = sampled.mean(axis=0)
    around = sampled - middle
    _, axes = np.linalg.eigh(around.T @ around)
    major, minor = axes[:, 2], axes[:, 1] * [1.0, 1.0, 0.0]
    if np.linalg.norm(minor) < 1e-6:
        return None
    major = major * np.sign(major[np.argmax(np.abs(major))])
    minor = minor / np.linalg.norm(minor)
    along, across = around @ major, around @ minor
    first = int(np.argmax(along))
    along, across = np.roll(along, -first), np.roll(across, -first)
    last = int(np.argmin(along))
    one = _rising(along[:last][::-1], across[:last][::-1])
    two = _rising(along[last:], across[last:])
    ends = np.sort(np.concatenate([one[0], two[0]]))
    places = np.linspace(ends[1], ends[-2], _SLICES)
    width = np.abs(np.interp(places, *one) - np.interp(places, *two))
    width[0], width[-1] = (width[0] + width[1]) / 2, (width[-1] + width[-2]) / 2
    return np.column_stack([middle + places[:, None] * major, width])


def _evenly(outline: np.ndarray) -> np.ndarray:
    """101 points at even steps along an outline from its first to its last point, measured in the xy plane."""
    steps = np.linalg.norm(np.diff(outline[:, :2], axis=0), axis=1)
    reach = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.linspace(0.0, reach[-1], _SAMPLES)
    return np.column_stack([np.interp(places, reach, outline[:, axis]) for axis in range(3)])


def _rising(along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One side of an outline without the points that turn back, from its end on."""
    x, y = along.tolist(), across.tolist()
    place = len(x) - 1
    while place > 0:
        if x[place] <= x[place - 1]:
            del x[place], y[place]
            if place != len(x):
                place += 1
        place -= 1
    return np.asarray(x), np.asarray(y)


def _circle(outline: np.ndarray) -> np.ndarray:
    """Centre and diameter of one outline of a stack: the mean of its mean radius and that of its perimeter, doubled."""
    perimeter = np.linalg.norm(outline - np.roll(outline, -1, axis=0), axis=1).sum()
    sampled = _evenly(outline)
    centre = sampled.mean(axis=0)
    return np.append(centre, np.linalg.norm(sampled - centre, axis=1).mean() + perimeter / (2 * np.pi))
