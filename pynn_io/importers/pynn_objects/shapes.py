"""PyNN's morphologies as segment tables, and which segments a selector of PyNN selects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.morphology import Morphology, SomaKind, Tag, path_length, with_standard_groups
from pynn_io.importers.morphology import morphology_from_file
from pynn_io.report import Report

#: Selectors by class -> tags of the segments that they select.
_SELECTED = {
    "soma": (Tag.SOMA,),
    "axon": (Tag.AXON,),
    "dendrites": (Tag.DENDRITE, Tag.APICAL),
    "basal_dendrites": (Tag.DENDRITE,),
    "apical_dendrites": (Tag.APICAL,),
}
_TAG_OF_NAME = {"soma": Tag.SOMA, "axon": Tag.AXON, "dend": Tag.DENDRITE, "apic": Tag.APICAL}


def shape_of(morphology: Any, name: str, report: Report) -> Morphology:
    """The segments of a ``pyNN.morphology`` object. Raises UnsupportedInput for a kind that is not known here."""
    if hasattr(morphology, "morphology_file"):
        found = morphology_from_file(Path(morphology.morphology_file), report)
        return with_standard_groups(replace(found, name=name))
    inner = getattr(morphology, "_morphology", None)
    if hasattr(inner, "vertices"):
        return with_standard_groups(_of_vertices(inner, name))
    if hasattr(inner, "segments"):
        return with_standard_groups(_of_segments(inner, name))
    kind = type(morphology).__name__
    raise UnsupportedInput(
        f"a morphology of the kind {kind} is not read", hint="give it as SWC, or as NeuroML segments"
    )


def _of_segments(inner: Any, name: str) -> Morphology:
    """libNeuroML's segments; as in PyNN, a child begins at its parent's end unless it says where."""
    segments = list(inner.segments)
    row = {int(segment.id): number for number, segment in enumerate(segments)}
    parents = [segment.parent for segment in segments]
    above = np.array([-1 if parent is None else row[_parent_id(parent)] for parent in parents], dtype=np.int64)
    distal = np.array([_point(segment.distal) for segment in segments])
    proximal = np.array(
        [
            _point(segment.proximal) if segment.proximal is not None else distal[above[number]]
            for number, segment in enumerate(segments)
        ]
    )
    along = [1.0 if parent is None else float(getattr(parent, "fraction_along", 1.0)) for parent in parents]
    names = {number: str(segment.name) for number, segment in enumerate(segments) if segment.name}
    groups = {group.id: np.array([row[int(item.segments)] for item in group.members]) for group in inner.segment_groups}
    groups |= {label: np.array([number], dtype=np.int64) for number, label in names.items()}
    tags = [_tag(names.get(number, "")) for number in range(len(segments))]
    ids = np.array(list(row), dtype=np.int64)
    along_array = np.where(above < 0, 0.0, np.array(along))
    tag = np.array(tags, dtype=np.int64)
    return Morphology(name, ids, above, along_array, proximal, distal, tag, SomaKind.CYLINDERS, groups, names=names)


def _parent_id(parent: Any) -> int:
    """A parent is a segment in PyNN's examples, and a reference to one in NeuroML's files."""
    return int(parent.segments if hasattr(parent, "segments") else parent.id)


def _point(point: Any) -> list[float]:
    return [float(point.x), float(point.y), float(point.z), float(point.diameter)]


def _tag(name: str) -> int:
    return next((tag for start, tag in _TAG_OF_NAME.items() if name.lower().startswith(start)), Tag.UNDEFINED)


def _of_vertices(inner: Any, name: str) -> Morphology:
    """libNeuroML's arrays, one vertex after the other: a segment from each vertex's parent to it."""
    above = np.asarray(inner.connectivity, dtype=np.int64)[1:]
    vertices = np.asarray(inner.vertices, dtype=np.float64)
    rows = above - 1
    first = rows < 0  # they begin at the root vertex, where the first segment does too
    parent = np.where(first, 0, rows)
    parent[0] = -1
    ids = np.arange(1, len(vertices), dtype=np.int64)
    tags = np.asarray(inner.node_types, dtype=np.int64)[1:]
    return Morphology(name, ids, parent, np.where(first, 0.0, 1.0), vertices[above], vertices[1:], tags)


def selected(selector: Any, shape: Morphology) -> np.ndarray:
    """Whether each segment is selected, bool[n]. Raises UnsupportedInput for a label or selector that is not known."""
    kind = type(selector).__name__
    if kind in _SELECTED:
        return np.isin(shape.tag, _SELECTED[kind])
    chosen = np.zeros(shape.size, dtype=bool)
    if kind != "with_label":
        raise UnsupportedInput(f"the selector {kind} of pyNN.morphology is not read")
    for label in selector.labels:
        if label not in shape.groups:
            known = ", ".join(shape.groups)
            raise UnsupportedInput(f"the morphology has no part {label!r}", hint=f"it has: {known}")
        chosen[shape.groups[label]] = True
    return chosen


def values_in(stated: Any, shape: Morphology) -> np.ndarray:
    """A number, or a distribution of pyNN.morphology, at every segment; 0 where it is absent. float64[n]"""
    if isinstance(stated, (int, float, np.number)):
        return np.full(shape.size, float(stated))
    kind = type(stated).__name__
    if kind == "any":
        found = np.zeros(shape.size)
        for part in reversed(stated.distributions):  # the first that says something counts
            own = values_in(part, shape)
            found = np.where(own != 0, own, found)
        return found
    chosen = selected(stated.selector, shape)
    if kind == "uniform" and not callable(stated.value_provider):
        return np.where(chosen, float(stated.value_provider), 0.0)
    if kind in ("by_distance", "by_diameter"):
        along = path_length(shape)[0] if kind == "by_distance" else shape.proximal[:, 3]
        return np.array(
            [float(stated.value_provider(x)) if here else 0.0 for x, here in zip(along, chosen, strict=True)]
        )
    raise UnsupportedInput(f"the distribution {kind} of pyNN.morphology is not read")


def regions(chosen: np.ndarray, shape: Morphology) -> list[str]:
    """Names for a set of segments: one group that is just this set, else each segment by itself."""
    rows = np.flatnonzero(chosen)
    for name in ("all", *shape.groups):
        if np.array_equal(shape.groups[name], rows):
            return [name]
    return [f"segment:{number}" for number in shape.id[rows].tolist()]
