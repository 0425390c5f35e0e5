"""Segments of NeuroML as sections of SONATA, and back: one morphology seen both ways.

NeuroML names a place by a segment's id and the fraction along it, SONATA by a section's number (soma, axon, basal,
apical) and the position along that. Both are exact for every place that lies on one segment; where two segments meet
within a section, the place is the end of the first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.sections import Sections, locate, position
from pynn_io.graph.segments import GROUP_OF_TAG, Tag, lengths
from pynn_io.report import Report

#: Decimals of a fraction that came back from a position: a fraction that was written by hand is itself again.
_DECIMALS = 12


def standing(morphology: Morphology, report: Report) -> Morphology:
    """The morphology as SONATA can have it: a soma, and every neurite of a known kind; no segment without length.

    NeuroML's segments need no tags: the root is the soma then, and what has no known kind is a dendrite. A segment
    whose ends are one point stands for a cylinder as long as wide.
    """
    where = f"morphology {morphology.name}"
    tag = np.where((morphology.tag >= Tag.SOMA) & (morphology.tag <= Tag.APICAL), morphology.tag, Tag.DENDRITE)
    if morphology.size and not (tag == Tag.SOMA).any():
        tag[0] = Tag.SOMA
    message = "segments of no kind that SONATA has: the root is called soma, others dendrites"
    report.approximated("tags", where, message, count=int((tag != morphology.tag).sum()), examples=["tag"])
    point = lengths(morphology) == 0
    near, far = morphology.proximal.copy(), morphology.distal.copy()
    near[point, 1] -= far[point, 3] / 2
    far[point, 1] += far[point, 3] / 2
    near[point, 3] = far[point, 3]
    message = "segments that are points are written as what they mean, cylinders as long as wide"
    report.expanded("sphere", where, message, count=int(point.sum()))
    return replace(morphology, tag=tag, proximal=near, distal=far)


def on_sections(morphology: Morphology, segment: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Section ids (int64) and positions along them (float64) of places on segments, by NeuroML id.

    morphology: as of `standing`. Raises GraphError for an id that no segment bears.
    """
    order = np.argsort(morphology.id, kind="stable")
    found = order[np.minimum(np.searchsorted(morphology.id, segment, sorter=order), morphology.size - 1)]
    wrong = morphology.id[found] != segment
    if wrong.any():
        raise GraphError(f"morphology {morphology.name!r} has no segment {segment[wrong][0]}")
    return position(morphology, found, fraction)


def on_segments(morphology: Morphology, section: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `on_sections`: ids of segments (int64) and fractions along them (float64).

    Raises GraphError for a section that the morphology does not have.
    """
    rows, along = locate(morphology, section, at)
    return morphology.id[rows], np.round(along, _DECIMALS)


def section_names(derived: Sections) -> list[str]:
    """What the sections are called in NEURON and BMTK, by number: ``soma[0]``, ``dend[3]``."""
    counted: dict[str, int] = {}
    names = []
    for tag in derived.tag.tolist():
        array = GROUP_OF_TAG[tag]
        names.append(f"{array}[{counted.setdefault(array, 0)}]")
        counted[array] += 1
    return names


def section_name(derived: Sections, section: int) -> str:
    """What one section is called."""
    return f"{GROUP_OF_TAG[int(derived.tag[section])]}[{int((derived.tag[:section] == derived.tag[section]).sum())}]"
