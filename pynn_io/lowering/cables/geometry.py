"""Sections of a cell as NEURON will have them, in numbers: points, lengths, compartments, path distances.

NEURON keeps the coordinates of 3-D points in single precision and adds up lengths in double precision; so do we, since
the number of compartments and where a synapse falls depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.morphology import (
    AXON_REPLACED,
    SPECIFICATION,
    Morphology,
    SomaKind,
    Tag,
    apply_processing,
    sections,
)
from pynn_io.graph.segments import GROUP_OF_TAG
from pynn_io.lowering.segment_shape import Geometry as Geometry

#: Names that a section of another tag gets, as Import3d does.
_OTHER = "minor"


@dataclass(frozen=True, slots=True, eq=False)
class Compartments:
    """The compartments (NEURON's segments) of all sections, c of them, in order of section, then place.

    section: int64[c]; x: float64[c], centre along the section; length: float64[c], um; tag: int64[c];
    distance: float64[c], um, from the start of the first soma section to the centre, along the cell.
    count: int64[s], compartments of each section (``nseg``).
    """

    section: np.ndarray
    x: np.ndarray
    length: np.ndarray
    tag: np.ndarray
    distance: np.ndarray
    count: np.ndarray


def geometry(morphology: Morphology, processing: Sequence[str]) -> Geometry:
    """The sections of a morphology after its processing. Raises GraphError as `apply_processing` does."""
    processed, _ = apply_processing(morphology, processing)
    order = AXON_REPLACED if len(processed.cuts) and processed is not morphology else SPECIFICATION
    derived = sections(processed, order)
    stubs = np.zeros(derived.size, dtype=bool)
    if order == AXON_REPLACED:
        stubs[-2:] = True
    parts = [_points(processed, derived.rows(k)) if not stubs[k] else np.zeros((0, 4)) for k in range(derived.size)]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    points = np.concatenate(parts) if parts else np.zeros((0, 4))
    first = derived.first[stubs]
    diameter = np.full(derived.size, np.nan)
    diameter[stubs] = processed.distal[first, 3]
    length = _lengths(points, offsets)
    length[stubs] = np.linalg.norm(processed.distal[first, :3] - processed.proximal[first, :3], axis=1).round(9)
    return Geometry(
        order,
        _names(derived.tag),
        derived.tag,
        derived.parent,
        derived.parent_fraction,
        points,
        offsets,
        length,
        diameter,
    )


def compartments(geometry: Geometry, section_length: float) -> Compartments:
    """Compartments no longer than ``section_length`` (um): ``nseg = 1 + 2 int(L / (2 dL))``, always odd, as in BMTK."""
    count = 1 + 2 * (geometry.length / (2 * section_length)).astype(np.int64)
    section = np.repeat(np.arange(geometry.size), count)
    within = np.arange(len(section)) - np.repeat(np.cumsum(count) - count, count)
    x = (within + 0.5) / count[section]
    start = _starts(geometry)
    return Compartments(
        section,
        x,
        geometry.length[section] / count[section],
        geometry.tag[section],
        start[section] + x * geometry.length[section],
        count,
    )


class Geometries:
    """Geometries and compartments by morphology and processing, each worked out when first asked for and kept."""

    def __init__(self, morphologies: Mapping[str, Morphology], section_length: float) -> None:
        self._morphologies = morphologies
        self._section_length = section_length
        self._found: dict[tuple[str, tuple[str, ...]], tuple[Geometry, Compartments]] = {}

    def __call__(self, morphology: str, processing: tuple[str, ...]) -> tuple[Geometry, Compartments]:
        key = (morphology, processing)
        found = self._found.get(key)
        if found is None:
            shape = geometry(self._morphologies[morphology], processing)
            found = self._found[key] = (shape, compartments(shape, self._section_length))
        return found


Shapes = Callable[[str, tuple[str, ...]], tuple[Geometry, Compartments]]


def _points(morphology: Morphology, rows: np.ndarray) -> np.ndarray:
    """The 3-D points of one section, from its start. float64[k, 4]"""
    root = int(rows[0])
    if morphology.tag[root] == Tag.SOMA and root in morphology.spheres and len(rows) == 1:
        # Import3d draws a soma of one point as three points along x
        radius = morphology.distal[root, 3] / 2
        centre = np.append(morphology.spheres[root], 2 * radius)
        return centre + np.array([[-radius, 0, 0, 0], [0, 0, 0, 0], [radius, 0, 0, 0]])
    return np.vstack([morphology.proximal[root], morphology.distal[rows]])


def _lengths(points: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Length of every section from its points. float64[s], um; 0 without points."""
    single = points[:, :3].astype(np.float32).astype(np.float64)
    steps = np.sqrt(np.sum(np.diff(single, axis=0, prepend=single[:1]) ** 2, axis=1))
    steps[offsets[:-1][offsets[:-1] < len(steps)]] = 0.0
    before = np.concatenate([[0.0], np.cumsum(steps)])
    return before[offsets[1:]] - before[offsets[:-1]]


def _names(tags: np.ndarray) -> tuple[str, ...]:
    """``soma[0] dend[0] dend[1] ...``"""
    counted: dict[str, int] = {}
    names = []
    for tag in tags.tolist():
        base = GROUP_OF_TAG.get(tag, f"{_OTHER}_{tag}")
        counted[base] = counted.get(base, -1) + 1
        names.append(f"{base}[{counted[base]}]")
    return tuple(names)


def _starts(geometry: Geometry) -> np.ndarray:
    """Path distance of every section's start from the start of its root, um. float64[s]"""
    start = np.zeros(geometry.size)
    known = geometry.parent < 0
    while not known.all():
        ready = ~known & known[geometry.parent]
        on = geometry.parent[ready]
        start[ready] = start[on] + geometry.at[ready] * geometry.length[on]
        known |= ready
    return start


__all__ = ["Compartments", "Geometries", "Geometry", "Shapes", "SomaKind", "compartments", "geometry"]
