"""``<morphology>`` -> `Morphology`: segments in an order in which parents come first, and groups as rows.

The rules are NeuroML's ("Cells", morphology): a segment without a proximal point begins where its parent has it, at
``fractionAlong`` (1 where it is not stated), with the parent's diameter there; one of length 0 is a sphere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import GraphError, ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.morphology import Morphology, SomaKind
from pynn_io.graph.segments import tags_of_groups
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take
from pynn_io.importers.neuroml_groups import Groups


@dataclass(slots=True)
class _Segment:
    """One ``<segment>``: points as x, y, z, diameter (um); None where not stated."""

    id: int
    name: str
    parent: int | None
    along: float
    proximal: tuple[float, float, float, float] | None
    distal: tuple[float, float, float, float]
    where: str


def read_morphology(element: Element, name: str, components: Components) -> Morphology:
    """One morphology. ``name``: under which the network has it.

    Raises ReadError (two segments of one id, a broken number) and GraphError (no root, several, no such parent, a
    circle of parents or of groups), with ``file:line``.
    """
    take = Take(element, components.context)
    take.text("id")
    segments = [_segment(Take(child, components.context)) for child in take.children("segment")]
    if not segments:
        raise GraphError("the morphology has no segment", where=take.where)
    order = _in_order(segments, take.where)
    rows = {segments[index].id: row for row, index in enumerate(order)}
    segments = [segments[index] for index in order]
    parent = np.asarray([-1 if part.parent is None else rows[part.parent] for part in segments], dtype=np.int64)
    proximal, distal = _points(segments, parent, components)
    groups = Groups(take.children("segmentGroup"), rows, parent, components)
    members, notes = groups.rows(), groups.notes()
    proximal, distal, spheres = _spheres(proximal, distal)
    components.context.about(f"morphology {name}", components.words(take))
    take.rest()
    return Morphology(
        name,
        np.asarray([part.id for part in segments], dtype=np.int64),
        parent,
        np.asarray([0.0 if part.parent is None else part.along for part in segments]),
        proximal,
        distal,
        tags_of_groups(len(segments), members, notes),
        SomaKind.SPHERE if 0 in spheres else SomaKind.CYLINDERS,
        members,
        spheres=spheres,
        names={row: part.name for row, part in enumerate(segments) if part.name},
        notes=notes,
    )


def _segment(take: Take) -> _Segment:
    identifier, name = take.integer("id"), take.text("name")
    if identifier is None:
        raise ReadError("<segment> has no attribute 'id'", where=take.where)
    take.text("neuroLexId")
    parent, along = None, 1.0
    above = take.only("parent")
    if above is not None:
        part = Take(above, take.context)
        parent, along = int(_finite(part, "segment")), _finite(part, "fractionAlong", "1")
        if not 0 <= along <= 1:
            raise ReadError(f"fractionAlong is {along:g}, not between 0 and 1", where=part.where)
        part.rest()
    near, far = take.only("proximal"), take.only("distal")
    if far is None:
        raise ReadError(f"the segment {identifier} has no <distal>", where=take.where)
    proximal = None if near is None else _point(Take(near, take.context))
    distal = _point(Take(far, take.context))
    take.rest()
    return _Segment(identifier, name, parent, along, proximal, distal, take.where)


def _point(take: Take) -> tuple[float, float, float, float]:
    made = (_finite(take, "x"), _finite(take, "y"), _finite(take, "z"), _finite(take, "diameter"))
    if made[3] < 0:
        raise ReadError(f"the diameter is negative: {made[3]:g}", where=take.where)
    take.rest()
    return made


def _finite(take: Take, name: str, default: str = "") -> float:
    text = take.text(name, default) if default else take.need(name)
    try:
        value = float(text)
    except ValueError:
        raise ReadError(f"{name}={text!r} is not a number", where=take.where) from None
    if not np.isfinite(value):
        raise ReadError(f"{name}={text!r} is not finite", where=take.where)
    return value


def _in_order(segments: Sequence[_Segment], where: str) -> list[int]:
    """Indices of the segments, parents first and otherwise as in the file. Raises GraphError where there is no tree."""
    index: dict[int, int] = {}
    for number, part in enumerate(segments):
        other = index.setdefault(part.id, number)
        if other != number:
            raise ReadError(
                f"two segments have the id {part.id}", where=part.where, hint=f"the other is at {segments[other].where}"
            )
    roots = [part for part in segments if part.parent is None]
    for part in segments:
        if part.parent is not None and part.parent not in index:
            raise GraphError(
                f"the segment {part.id} has the parent {part.parent}, which is not there", where=part.where
            )
    if len(roots) > 1:
        raise GraphError(
            f"the segments {roots[0].id} and {roots[1].id} have no parent: a cell has one root",
            where=roots[1].where,
            hint="say with <parent segment=...> where the second is attached",
        )
    if not roots:
        raise GraphError("every segment has a parent: there is no root", where=where)
    return _sorted(segments, index)


def _sorted(segments: Sequence[_Segment], index: Mapping[int, int]) -> list[int]:
    order: list[int] = []
    placed: set[int] = set()
    for number in range(len(segments)):
        chain: list[int] = []
        here: int | None = number
        while here is not None and here not in placed:
            if here in chain:
                circle = " -> ".join(str(segments[each].id) for each in [*chain[chain.index(here) :], here])
                raise GraphError(f"segments are each other's parents: {circle}", where=segments[here].where)
            chain.append(here)
            above = segments[here].parent
            here = None if above is None else index[above]
        order += reversed(chain)
        placed.update(chain)
    return order


def _points(segments: Sequence[_Segment], parent: np.ndarray, components: Components) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of every segment, float64[n, 4]; what is not stated comes from the parent."""
    proximal: list[tuple[float, ...]] = []
    for part, above in zip(segments, parent.tolist(), strict=True):
        if part.proximal is not None:
            proximal.append(part.proximal)
        elif above >= 0:
            near, far = proximal[above], segments[above].distal
            along = part.along
            proximal.append(far if along == 1 else tuple(a + (b - a) * along for a, b in zip(near, far, strict=True)))
        else:
            components.context.report.defaulted(
                "root-proximal",
                part.where,
                f"The root segment {part.id} has no proximal point and no parent to take it from: it is a sphere.",
            )
            proximal.append(part.distal)
    return np.asarray(proximal, dtype=np.float64), np.asarray([part.distal for part in segments], dtype=np.float64)


def _spheres(
    proximal: np.ndarray, distal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[int, tuple[float, float, float]]]:
    """Segments of length 0 as the cylinders of equal area that stand for spheres (`Morphology.spheres`)."""
    flat = (proximal == distal).all(axis=1) & (distal[:, 3] > 0)
    spheres = {int(row): tuple(distal[row, :3].tolist()) for row in np.flatnonzero(flat)}
    half = np.where(flat, distal[:, 3] / 2, 0.0)
    proximal, distal = proximal.copy(), distal.copy()
    proximal[:, 1] -= half
    distal[:, 1] += half
    return proximal, distal, spheres  # type: ignore[return-value]
