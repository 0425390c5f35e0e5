"""The segment table of a morphology, and what follows from it alone: lengths, areas, path lengths, groups by tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum, StrEnum

import numpy as np

from pynn_io.graph.columns import empty


class Tag(IntEnum):
    """SWC structure identifiers; other numbers are kept as they are."""

    UNDEFINED = 0
    SOMA = 1
    AXON = 2
    DENDRITE = 3
    APICAL = 4


class SomaKind(StrEnum):
    """What the file's soma points mean."""

    NONE = "none"  # no soma
    SPHERE = "sphere"  # one point: a sphere, equal in area to a cylinder with length = diameter
    THREE_POINT = "three_point"  # the NeuroMorpho.org form of the same sphere
    CYLINDERS = "cylinders"  # a chain (or tree) of points: frusta like any other
    CONTOUR = "contour"  # a closed outline (Neurolucida)


#: Group names of the tags, as SONATA, NEURON and BMTK call them.
GROUP_OF_TAG: Mapping[int, str] = {Tag.SOMA: "soma", Tag.AXON: "axon", Tag.DENDRITE: "dend", Tag.APICAL: "apic"}


@dataclass(frozen=True, slots=True)
class PathParameter:
    """``<inhomogeneousParameter>``: path length from the root over a segment group, as the variable of a density.

    start, end: ``translationStart`` of its ``proximal``, ``normalizationEnd`` of its ``distal``; None where not stated.
    """

    name: str
    variable: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class GroupNotes:
    """What a NeuroML segment group says besides which segments it holds.

    ontology: its ``neuroLexId`` (``sao864921383``: an unbranched section). divisions: its
    ``numberInternalDivisions``, the number of compartments. includes: groups that it includes; what it holds beyond
    those it names segment by segment. parameters: see `PathParameter`.
    properties, notes: as stated.
    """

    ontology: str = ""
    divisions: int | None = None
    includes: tuple[str, ...] = ()
    parameters: tuple[PathParameter, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Morphology:
    """A tree of frusta.

    id: int64[n], unique. parent: int64[n], ROW of the parent, -1 for the root(s); a parent precedes its children.
    fraction_along: float64[n], where on the parent a segment begins.
    proximal, distal: float64[n, 4], x y z diameter, um. tag: int64[n], `Tag`.
    groups: segment groups by name, each int64 ROWS in ascending order.
    proximal_id: int64[n], the number of the SWC point at the segment's proximal end where that point has no segment of
        its own (the first point of a tree, the first point of a neurite that starts apart from the soma); -1 elsewhere.
    spheres: rows that stand for a single SWC point, each with the point's x, y, z as stated: the segment is the
        cylinder of the same area along y, length = diameter, centred there.
    cuts: int64 ROWS of segments that begin a section although nothing branches there (the second section of a stub).
    names: of segments by row, where the source has any. notes: what is known of groups beyond their rows.
    numbers: int64[n], of the section that a segment lies on, where the source numbers sections itself (a hoc template:
        numbers of sections that are gone do not occur). None: sections count in the order of `sections`.
    Arrays are made read-only.
    """

    name: str
    id: np.ndarray
    parent: np.ndarray
    fraction_along: np.ndarray
    proximal: np.ndarray
    distal: np.ndarray
    tag: np.ndarray
    soma_kind: SomaKind = SomaKind.CYLINDERS
    groups: Mapping[str, np.ndarray] = field(default_factory=empty)
    proximal_id: np.ndarray | None = None
    spheres: Mapping[int, tuple[float, float, float]] = field(default_factory=dict)
    cuts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    names: Mapping[int, str] = field(default_factory=empty)
    notes: Mapping[str, GroupNotes] = field(default_factory=empty)
    numbers: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.proximal_id is None:
            object.__setattr__(self, "proximal_id", np.full(len(self.id), -1, dtype=np.int64))
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, np.ndarray) and value.flags.writeable:
                object.__setattr__(self, each.name, read_only(value))

    @property
    def size(self) -> int:
        return len(self.id)


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def lengths(morphology: Morphology) -> np.ndarray:
    """Length of every segment, um. float64[n]"""
    return np.sqrt(np.sum((morphology.distal[:, :3] - morphology.proximal[:, :3]) ** 2, axis=1))


def areas(morphology: Morphology) -> np.ndarray:
    """Lateral area of every segment (a frustum without its ends), um2. float64[n]"""
    near, far = morphology.proximal[:, 3], morphology.distal[:, 3]
    slant = np.hypot(lengths(morphology), (far - near) / 2)
    return np.pi / 2 * (near + far) * slant


def path_length(morphology: Morphology) -> tuple[np.ndarray, np.ndarray]:
    """Path distance of each segment's proximal and distal end from its root's start, um. Two float64[n].

    A gap between a segment and the place on its parent where it begins does not count, as in NEURON's ``distance``.
    """
    own = lengths(morphology).tolist()
    parent, along = morphology.parent.tolist(), morphology.fraction_along.tolist()
    start = [0.0] * morphology.size
    for row, above in enumerate(parent):
        if above >= 0:
            start[row] = start[above] + along[row] * own[above]
    near = np.asarray(start, dtype=np.float64)
    return near, near + lengths(morphology)


def with_standard_groups(morphology: Morphology) -> Morphology:
    """A copy with the groups ``all``, and ``soma axon dend apic`` for the tags that occur; groups that exist stay."""
    groups = {"all": np.arange(morphology.size, dtype=np.int64)}
    for tag, name in GROUP_OF_TAG.items():
        rows = np.flatnonzero(morphology.tag == tag)
        if len(rows):
            groups[name] = rows
    groups = {name: read_only(rows) for name, rows in groups.items()}
    return replace(morphology, groups={**groups, **morphology.groups})


def take_segments(morphology: Morphology, keep: np.ndarray) -> Morphology:
    """The morphology of the rows where ``keep`` (bool[n]) holds; a segment whose parent is gone becomes a root."""
    row = np.where(keep, np.cumsum(keep) - 1, -1)
    parent = np.where(morphology.parent >= 0, row[morphology.parent], -1)[keep]
    along = np.where(parent >= 0, morphology.fraction_along[keep], 0.0)
    groups = {name: row[rows[keep[rows]]] for name, rows in morphology.groups.items()}
    return replace(
        morphology,
        id=morphology.id[keep],
        parent=parent,
        fraction_along=along,
        proximal=morphology.proximal[keep],
        distal=morphology.distal[keep],
        tag=morphology.tag[keep],
        proximal_id=morphology.proximal_id[keep],  # type: ignore[index]
        groups={name: rows for name, rows in groups.items() if len(rows)},
        spheres={int(row[old]): point for old, point in morphology.spheres.items() if keep[old]},
        cuts=row[morphology.cuts[keep[morphology.cuts]]],
        names={int(row[old]): name for old, name in morphology.names.items() if keep[old]},
        numbers=None if morphology.numbers is None else morphology.numbers[keep],
    )


#: Tags by the names, the first its usual one, and ontology terms of groups, from the weakest to the strongest.
_TERMS: tuple[tuple[Tag, frozenset[str]], ...] = (
    (
        Tag.DENDRITE,
        frozenset(
            {"dendrite_group", "GO:0030425", "sao1211023249", "basal_group", "basal_dendrite_group", "GO:0097441"}
        ),
    ),
    (Tag.APICAL, frozenset({"apical_group", "apical_dendrite_group", "GO:0097440"})),
    (Tag.AXON, frozenset({"axon_group", "GO:0030424", "sao1770195789"})),
    (Tag.SOMA, frozenset({"soma_group", "GO:0043025", "sao1044911821"})),
)

#: The group that says it of segments which no group of the source tells the kind of.
_GROUPS = {
    Tag.DENDRITE: "dendrite_group",
    Tag.APICAL: "apical_group",
    Tag.AXON: "axon_group",
    Tag.SOMA: "soma_group",
}


def tags_of_groups(size: int, groups: Mapping[str, np.ndarray], notes: Mapping[str, GroupNotes]) -> np.ndarray:
    """What each of ``size`` segments is, as the groups of soma, axon and dendrites say; 0 where none does. int64"""
    tags = np.zeros(size, dtype=np.int64)
    for tag, terms in _TERMS:
        for name, rows in groups.items():
            if name in terms or (name in notes and notes[name].ontology in terms):
                tags[rows] = tag
    return tags


def with_tag_groups(morphology: Morphology) -> Morphology:
    """The morphology with groups that say of its segments what its tags do, where its own groups do not."""
    wanted = morphology.tag
    if np.array_equal(tags_of_groups(morphology.size, morphology.groups, morphology.notes), wanted):
        return morphology
    groups = dict(morphology.groups)
    for tag, name in _GROUPS.items():
        if name not in groups and (wanted == tag).any():
            groups[name] = np.flatnonzero(wanted == tag)
    return replace(morphology, groups=groups)
