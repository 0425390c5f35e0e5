"""What loaders do to a morphology before channels go on it: replacing the axon by a stub of two sections.

The Allen Institute's models were fitted without the reconstructed axon. Rules: BMTK,
``bmtk/simulator/bionet/default_setters/cell_models.py`` (``fix_axon_*``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pynn_io.errors import GraphError
from pynn_io.graph.sections import STUBS, locate, section_diameters, sections
from pynn_io.graph.segments import Morphology, SomaKind, Tag, take_segments

#: Length of one stub section, um.
STUB_LENGTH = 30.0
#: Where a stub is drawn when nothing states its direction (downwards in cortex); it has no electrical meaning.
_DOWN = (0.0, -1.0, 0.0)
#: Names that leave the geometry alone: keep the axon; insert the extracellular mechanism.
_GEOMETRY_KEPT = frozenset({"fullaxon", "extracellular"})
#: All names of ``model_processing`` that are known here.
PROCESSING = _GEOMETRY_KEPT | {
    f"aibs_{kind}{way}" for kind in ("perisomatic", "allactive") for way in ("", "_directed")
}


def replace_axon(
    morphology: Morphology,
    *,
    lengths: Sequence[float] = (STUB_LENGTH, STUB_LENGTH),
    diameters: Sequence[float] = (1.0, 1.0),
    at: float = 0.5,
    start: npt.ArrayLike | None = None,
    direction: npt.ArrayLike = _DOWN,
) -> Morphology:
    """Delete every axon segment, add two axon sections in a row on the (first) soma section.

    lengths, diameters: um, of the two sections. at: position on the soma (0.5 in ``aibs_perisomatic``; 1.0 in
    ``aibs_allactive``, whose diameters are `axon_stub_diameters`). start (um; None: the place on the soma) and
    direction (a unit vector) say where the stub is drawn. Two new ids follow the largest one.
    What grew on the axon and is not axon becomes a tree of its own, as in NEURON. Raises GraphError without a soma.
    """
    soma = np.flatnonzero(sections(morphology).tag == Tag.SOMA)
    if not len(soma):
        raise GraphError(f"morphology {morphology.name!r} has no soma to put an axon stub on")
    kept = take_segments(morphology, morphology.tag != Tag.AXON)
    row, fraction = (float(value) for value in locate(kept, soma[0], np.asarray(at)))
    on = int(row)
    begin = kept.proximal[on, :3] + fraction * (kept.distal[on, :3] - kept.proximal[on, :3])
    begin = begin if start is None else np.asarray(start, dtype=np.float64)
    ends = begin + np.concatenate([[0.0], np.cumsum(lengths)])[:, None] * np.asarray(direction, dtype=np.float64)
    thick = np.asarray(diameters, dtype=np.float64)[:, None]
    new = int(morphology.id.max()) + 1 + np.arange(STUBS, dtype=np.int64)
    return replace(
        kept,
        id=np.concatenate([kept.id, new]),
        parent=np.concatenate([kept.parent, [on, kept.size]]),
        fraction_along=np.concatenate([kept.fraction_along, [fraction, 1.0]]),
        proximal=np.concatenate([kept.proximal, np.hstack([ends[:-1], thick])]),
        distal=np.concatenate([kept.distal, np.hstack([ends[1:], thick])]),
        tag=np.concatenate([kept.tag, np.full(STUBS, Tag.AXON, dtype=kept.tag.dtype)]),
        proximal_id=np.concatenate([kept.proximal_id, [-1, -1]]),  # type: ignore[list-item]
        cuts=np.concatenate([kept.cuts, [kept.size + 1]]),
        groups=_groups_with_stub(morphology, kept),
    )


def axon_stub_diameters(morphology: Morphology) -> tuple[float, float]:
    """Diameters of the first and the last axon section of the file (``aibs_allactive``), um; GraphError without."""
    axon = _axon_sections(morphology)
    diameters = section_diameters(morphology)
    return float(diameters[axon[0]]), float(diameters[axon[-1]])


def axon_direction(morphology: Morphology) -> tuple[np.ndarray, np.ndarray]:
    """Start (um) and unit direction of a directed stub (``get_axon_direction`` of BMTK).

    The direction is the first principal axis of the last axon section's points and the soma's middle point, pointing
    towards the axon's end. The start is the last point of the soma as NEURON builds it: a single point becomes three
    points along x. Raises GraphError without an axon or a soma, and where there are too few points for an axis.
    """
    axon, derived = _axon_sections(morphology), sections(morphology)
    soma = np.flatnonzero(derived.tag == Tag.SOMA)
    if not len(soma):
        raise GraphError(f"morphology {morphology.name!r} has no soma to put an axon stub on")
    body = _points(morphology, derived.rows(soma[-1]))
    if morphology.soma_kind in (SomaKind.SPHERE, SomaKind.THREE_POINT):
        root = int(derived.first[soma[-1]])
        centre = np.asarray(morphology.spheres.get(root, morphology.distal[root, :3]))
        body = centre + np.array([[-0.5], [0.0], [0.5]]) * [morphology.distal[root, 3], 0.0, 0.0]
    middle = body[len(body) // 2]
    points = _points(morphology, derived.rows(axon[-1]))
    cloud = np.vstack([middle, points])
    if len(cloud) < 3:
        raise GraphError(f"the last axon section of morphology {morphology.name!r} has too few points for a direction")
    axis = np.linalg.svd(cloud - cloud.mean(axis=0), full_matrices=False)[2][0]
    axis /= np.linalg.norm(axis)
    return body[-1], axis if np.dot(axis, points[-1] - middle) >= 0 else -axis


def apply_processing(morphology: Morphology, processing: Sequence[str]) -> tuple[Morphology, list[str]]:
    """Apply SONATA ``model_processing`` names in order; return what results and the names that are not known here.

    Raises GraphError where a name asks for an axon or a soma that the morphology does not have.
    """
    unknown = []
    for name in processing:
        if name == "aibs_perisomatic":
            morphology = replace_axon(morphology)
        elif name == "aibs_allactive":
            morphology = replace_axon(morphology, diameters=axon_stub_diameters(morphology), at=1.0)
        elif name == "aibs_perisomatic_directed":
            # BMTK draws this stub from the soma's end, and NEURON then shifts it to where it is connected, soma(0.5)
            morphology = replace_axon(morphology, direction=axon_direction(morphology)[1])
        elif name == "aibs_allactive_directed":
            start, direction = axon_direction(morphology)
            diameters = axon_stub_diameters(morphology)
            morphology = replace_axon(morphology, diameters=diameters, at=1.0, start=start, direction=direction)
        elif name not in _GEOMETRY_KEPT:
            unknown.append(name)
    return morphology, unknown


def _axon_sections(morphology: Morphology) -> np.ndarray:
    axon = np.flatnonzero(sections(morphology).tag == Tag.AXON)
    if not len(axon):
        raise GraphError(f"morphology {morphology.name!r} has no axon, and its model_processing asks for one")
    return axon


def _points(morphology: Morphology, rows: np.ndarray) -> np.ndarray:
    """The points of one section, from its start. float64[k + 1, 3]"""
    return np.vstack([morphology.proximal[rows[0], :3], morphology.distal[rows, :3]])


def _groups_with_stub(before: Morphology, kept: Morphology) -> dict[str, np.ndarray]:
    """The groups of ``kept``, to which a stub is appended: ``all`` and ``axon``, where there were any, have it too."""
    stub = kept.size + np.arange(STUBS, dtype=np.int64)
    groups = dict(kept.groups)
    for name in ("all", "axon"):
        if name in before.groups:
            groups[name] = np.concatenate([groups.get(name, stub[:0]), stub])
    return groups
