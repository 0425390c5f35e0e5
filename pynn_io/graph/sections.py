"""Unbranched sections, derived from a segment table in one documented order, and positions given in them.

Order: "section ids are assigned [...] soma, axon, basal, apical, within a type in order of the file" (SONATA guide,
``docs/SONATA_DEVELOPER_GUIDE.md``, Edges). It is the order of NEURON's Import3d and of MorphIO's ``nrn_order``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.graph.segments import Morphology, Tag, lengths, read_only

SPECIFICATION = "specification"
AXON_REPLACED = "axon_replaced"
#: Sections that replace an axon.
STUBS = 2
#: How far beyond 0 and 1 a position may stray by rounding (float32 files).
_SLACK = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """Unbranched sections of a morphology with n segments and s sections, in the order of ``order``.

    segment_section: int64[n], section row of each segment.
    tag, parent: int64[s]; parent is a section ROW, -1 for a root.
    parent_fraction: float64[s], arc position on the parent where the section begins (0 for a root).
    first: int64[s], the section's first segment. segments, offsets: the segments of section k, from its start, are
    ``segments[offsets[k]:offsets[k + 1]]``. length: float64[s], um.
    """

    order: str
    segment_section: np.ndarray
    tag: np.ndarray
    parent: np.ndarray
    parent_fraction: np.ndarray
    first: np.ndarray
    segments: np.ndarray
    offsets: np.ndarray
    length: np.ndarray

    @property
    def size(self) -> int:
        return len(self.tag)

    def rows(self, section: int) -> np.ndarray:
        """The segments of one section, from its start."""
        return self.segments[self.offsets[section] : self.offsets[section + 1]]


def sections(morphology: Morphology, order: str = SPECIFICATION) -> Sections:
    """The unbranched sections of a morphology.

    A section ends where the tag changes, where several segments begin at its end, and before a row of ``cuts``.
    Neurites that leave a soma do not end its section, and what begins before the end of a segment does not divide it.
    order: ``specification`` (soma, axon, basal, apical, others), or ``axon_replaced`` (the same with the axon last).
    """
    parent = morphology.parent
    starts = _starts(morphology)
    firsts = np.flatnonzero(starts)
    by_type = np.lexsort((firsts, _rank(morphology.tag[firsts], order)))
    first = firsts[by_type]
    number = np.empty(len(first), dtype=np.int64)
    number[by_type] = np.arange(len(first))
    segment_section = _spread(starts, parent, number)
    segments = np.argsort(segment_section, kind="stable")  # rows of a section are in order: a parent precedes its child
    offsets = np.searchsorted(segment_section[segments], np.arange(len(first) + 1))
    own = lengths(morphology)
    before = np.concatenate([[0.0], np.cumsum(own[segments])])
    length = before[offsets[1:]] - before[offsets[:-1]]
    position = np.empty(morphology.size, dtype=np.int64)
    position[segments] = np.arange(morphology.size)
    above = parent[first]
    rooted = above >= 0
    on = np.where(rooted, segment_section[above], -1)
    arc = before[position[above]] - before[offsets[on]] + morphology.fraction_along[first] * own[above]
    at_end = (position[above] == offsets[on + 1] - 1) & (morphology.fraction_along[first] == 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(length[on] > 0, arc / length[on], morphology.fraction_along[first])
    fraction = np.where(rooted, np.where(at_end, 1.0, np.clip(fraction, 0, 1)), 0.0)
    columns = (segment_section, morphology.tag[first], on, fraction, first, segments, offsets, length)
    return Sections(order, *(read_only(column) for column in columns))


def section_counts(morphology: Morphology) -> dict[int, int]:
    """How many sections there are of each tag, by tag."""
    tags, counts = np.unique(sections(morphology).tag, return_counts=True)
    return dict(zip(tags.tolist(), counts.tolist(), strict=True))


def section_diameters(morphology: Morphology, derived: Sections | None = None) -> np.ndarray:
    """Mean diameter of each section along its length (NEURON's ``diam`` with nseg = 1), um. float64[s]"""
    derived = derived or sections(morphology)
    lateral = lengths(morphology) * (morphology.proximal[:, 3] + morphology.distal[:, 3]) / 2
    weighed = np.bincount(derived.segment_section, weights=lateral, minlength=derived.size)
    thick = morphology.distal[derived.first, 3]
    return np.where(derived.length > 0, weighed / np.where(derived.length > 0, derived.length, 1), thick)


def remap_sections(morphology: Morphology, section_id: np.ndarray, *, source: str, target: str) -> np.ma.MaskedArray:
    """Section ids counted in one order, expressed in the other; masked where the other order has no such section.

    morphology: as in its file, with its own axon. ``axon_replaced`` counts soma, basal, apical and then the two stubs
    that replace the axon (BMTK), so the axon of the file and the stubs have no counterpart. Masked ids stay masked.
    Raises GraphError for an id that no section bears, and for an unknown order.
    """
    plain = sections(morphology)
    axon = plain.tag == Tag.AXON
    kept = np.flatnonzero(~axon)
    to_replaced = np.full(plain.size, -1, dtype=np.int64)
    to_replaced[kept] = np.arange(len(kept))
    to_plain = np.concatenate([kept, np.full(STUBS, -1, dtype=np.int64)])
    same = {SPECIFICATION: np.arange(plain.size), AXON_REPLACED: np.arange(len(to_plain))}
    tables = {(SPECIFICATION, AXON_REPLACED): to_replaced, (AXON_REPLACED, SPECIFICATION): to_plain}
    tables |= {(name, name): table for name, table in same.items()}
    if (source, target) not in tables:
        raise GraphError(f"no section orders {source!r} and {target!r}: there are {SPECIFICATION} and {AXON_REPLACED}")
    ids, absent = np.ma.getdata(section_id), np.ma.getmaskarray(section_id)
    table = tables[source, target]
    _refuse(~absent & ((ids < 0) | (ids >= len(table))), ids, morphology, f"{len(table)} sections ({source} order)")
    mapped = table[np.where(absent, 0, ids)] if len(table) else np.full(ids.shape, -1, dtype=np.int64)
    return np.ma.array(mapped, mask=absent | (mapped < 0))


def locate(
    morphology: Morphology, section_id: np.ndarray, pos: np.ndarray, *, order: str = SPECIFICATION
) -> tuple[np.ndarray, np.ndarray]:
    """Section positions (0 .. 1 of the section's length) as segment ROWS (int64) and fractions along them (float64).

    order ``axon_replaced``: the ids are BMTK's. A morphology that has been through `graph.axon.replace_axon` has all of
    them; in one that still has its own axon the two stubs are nowhere, and give row -1 and fraction NaN. Where the
    morphology has `numbers` of its own, the ids are those, and ids that none bears are nowhere.
    Where two segments meet, the nearer to the section's start is given.
    Raises GraphError for ids that no section bears and for positions outside 0 .. 1.
    """
    ids, at = np.asarray(section_id), np.asarray(pos, dtype=np.float64)
    segments, low, high, nowhere = _ends(morphology, ids, order)
    _refuse(~((at >= -_SLACK) & (at <= 1 + _SLACK)), at, morphology, "positions from 0 to 1")
    if not morphology.size:
        return np.full(ids.shape, -1, dtype=np.int64), np.full(ids.shape, np.nan)
    own = lengths(morphology)[segments]
    before = np.concatenate([[0.0], np.cumsum(own)])
    arc = before[low] + np.clip(at, 0, 1) * (before[high + 1] - before[low])
    place = np.clip(np.searchsorted(before[1:], arc, side="left"), low, high)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(own[place] > 0, (arc - before[place]) / own[place], np.clip(at, 0, 1))
    fraction = np.where(at >= 1, 1.0, np.clip(fraction, 0, 1))
    row = segments[place]
    return np.where(nowhere, -1, row), np.where(nowhere, np.nan, fraction)


def _ends(morphology: Morphology, ids: np.ndarray, order: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Segment rows (int64[n]) by section, the places there of the first and last of each id, and which ids are nowhere.

    Raises GraphError for ids that no section bears.
    """
    if morphology.numbers is not None:
        segments = np.argsort(morphology.numbers, kind="stable")
        numbers = morphology.numbers[segments]
        _refuse(ids < 0, ids, morphology, "sections from 0")
        low, end = (np.searchsorted(numbers, ids, side=side) for side in ("left", "right"))
        nowhere = low == end
        return segments, np.where(nowhere, 0, low), np.where(nowhere, 0, end - 1), nowhere
    derived = sections(morphology, order)
    count, nowhere = derived.size, np.zeros(ids.shape, dtype=bool)
    if order == AXON_REPLACED and not has_stubs(derived):
        kept = int(np.count_nonzero(derived.tag != Tag.AXON))
        count, nowhere = kept + STUBS, (ids >= kept) & (ids < kept + STUBS)
    _refuse((ids < 0) | (ids >= count), ids, morphology, f"{count} sections ({order} order)")
    offsets = derived.offsets if derived.size else np.zeros(2, dtype=np.int64)
    ids = np.where(nowhere, 0, ids)
    return derived.segments, offsets[ids], offsets[ids + 1] - 1, nowhere


def position(
    morphology: Morphology, segment_row: np.ndarray, fraction: np.ndarray, *, order: str = SPECIFICATION
) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `locate`: section ids (int64) and positions along the section (float64) of places on segments."""
    derived = sections(morphology, order)
    rows = np.asarray(segment_row, dtype=np.int64)
    own = lengths(morphology)
    before = np.concatenate([[0.0], np.cumsum(own[derived.segments])])
    place = np.empty(morphology.size, dtype=np.int64)
    place[derived.segments] = np.arange(morphology.size)
    ids = derived.segment_section[rows]
    arc = before[place[rows]] - before[derived.offsets[ids]] + np.asarray(fraction) * own[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        at = np.where(derived.length[ids] > 0, arc / derived.length[ids], fraction)
    return ids, np.clip(at, 0, 1)


def has_stubs(derived: Sections) -> bool:
    """Whether the axon is two single-segment sections in a row on the soma: what replaces an axon looks like this."""
    axon = np.flatnonzero(derived.tag == Tag.AXON)
    if len(axon) != STUBS:
        return False
    on = derived.parent[axon]
    single = np.diff(derived.offsets)[axon] == 1
    return bool(single.all() and on[0] >= 0 and derived.tag[on[0]] == Tag.SOMA and on[1] == axon[0])


def _starts(morphology: Morphology) -> np.ndarray:
    """Whether each segment begins a section. bool[n]"""
    parent, tag = morphology.parent, morphology.tag
    child = parent >= 0
    at_end = child & (morphology.fraction_along == 1)
    same = at_end & (tag == tag[parent])
    counted = np.where(tag[parent] == Tag.SOMA, same, at_end)
    siblings = np.bincount(parent[counted], minlength=morphology.size)
    starts = ~(same & (siblings[parent] == 1))
    starts[morphology.cuts] = True
    return starts


def _spread(starts: np.ndarray, parent: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The section number of every segment, by pointer doubling towards the segment that starts its section."""
    jump = np.where(starts, np.arange(len(starts)), parent)
    while True:
        further = jump[jump]
        if np.array_equal(further, jump):
            break
        jump = further
    at = np.zeros(len(starts), dtype=np.int64)
    at[starts] = number
    return at[jump]


def _rank(tag: np.ndarray, order: str) -> np.ndarray:
    """Sort key of tags: soma, axon, basal, apical, then others by number; the axon last in ``axon_replaced`` order."""
    if order not in (SPECIFICATION, AXON_REPLACED):
        raise GraphError(f"no section order {order!r}: there are {SPECIFICATION} and {AXON_REPLACED}")
    standard = (tag >= Tag.SOMA) & (tag <= Tag.APICAL)
    rank = np.where(standard, tag, tag - np.minimum(tag.min(initial=0), 0) + Tag.APICAL + 1)
    return np.where(tag == Tag.AXON, rank.max(initial=0) + 1, rank) if order == AXON_REPLACED else rank


def _refuse(wrong: np.ndarray, values: np.ndarray, morphology: Morphology, legal: str) -> None:
    """Raise GraphError if anything is wrong, with the first few offending values."""
    if wrong.any():
        problems = [f"{value} (row {row})" for row, value in _examples(wrong, values)]
        message = (
            f"{np.count_nonzero(wrong)} section places are outside morphology {morphology.name!r}, which has {legal}"
        )
        raise GraphError(message, problems=problems)


def _examples(wrong: np.ndarray, values: np.ndarray) -> Iterable[tuple[int, object]]:
    rows = np.flatnonzero(wrong)[:5]
    return zip(rows.tolist(), np.atleast_1d(values).reshape(-1)[rows].tolist(), strict=True)
