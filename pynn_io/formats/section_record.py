"""The plain record of morphology files that are made of sections (Neurolucida ASC, h5v1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class SectionRecord:
    """Sections of points as a file states them.

    soma: the soma's parts, each float64[k, 4] (x y z diameter, um): outlines (``contours`` true, their diameters mean
        nothing) or points like any other.
    points: float64[n, 4]; those of section k are ``points[offsets[k]:offsets[k + 1]]``, without the one it shares with
        its parent. offsets: int64[s + 1]. tag: int64[s]. parent: int64[s], a section before it, or -1.
    start_diameter: float64[s], diameter at the shared point; NaN where there is none (parent -1).
    ignored: what else is in the file, by name, with how often.
    """

    soma: tuple[np.ndarray, ...]
    contours: bool
    points: np.ndarray
    offsets: np.ndarray
    tag: np.ndarray
    parent: np.ndarray
    start_diameter: np.ndarray
    ignored: dict[str, int]


def make_record(
    soma: list[np.ndarray],
    contours: bool,
    sections: list[np.ndarray],
    tag: list[int],
    parent: list[int],
    ignored: dict[str, int],
) -> SectionRecord:
    """A record of sections as written: a first point that repeats the parent's last becomes the shared one.

    Where it is not repeated, the section begins at the parent's end with its own first diameter (as NEURON's and
    MorphIO's readers have it).
    """
    own, start = [], []
    for points, above in zip(sections, parent, strict=True):
        while above >= 0 and not len(sections[above]):
            above = parent[above]
        shared = above >= 0 and len(points) > 0
        start.append(points[0, 3] if shared else np.nan)
        own.append(points[1:] if shared and np.array_equal(points[0, :3], sections[above][-1, :3]) else points)
    offsets = np.concatenate([[0], np.cumsum([len(points) for points in own])]).astype(np.int64)
    return SectionRecord(
        tuple(soma),
        contours,
        np.concatenate([np.zeros((0, 4)), *own]),
        offsets,
        np.asarray(tag, dtype=np.int64),
        np.asarray(parent, dtype=np.int64),
        np.asarray(start, dtype=np.float64),
        ignored,
    )
