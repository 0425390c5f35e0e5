"""Cable cells as NeuroML <cell> elements: morphology, segment groups, and what stands on their membrane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from pynn_io.exporters.neuroml_biophysics import Biophysics
from pynn_io.exporters.neuroml_cells import DIVISIONS
from pynn_io.formats.neuroml_records import DocumentHead, Element, nml_id
from pynn_io.formats.neuroml_xml import number_text
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import empty
from pynn_io.graph.morphology import Morphology, Sections, apply_processing, sections, with_standard_groups
from pynn_io.graph.segments import GROUP_OF_TAG, Tag
from pynn_io.lowering.segment_shape import UNBRANCHED
from pynn_io.report import Report

#: Groups that NeuroML tools look for, their ontology terms, and the tags they hold.
_STANDARD = (
    ("soma_group", "GO:0043025", (Tag.SOMA,)),
    ("axon_group", "GO:0030424", (Tag.AXON,)),
    ("dendrite_group", "GO:0030425", (Tag.DENDRITE, Tag.APICAL)),
)
#: The passive channel has a file of its own, which cells include: jNeuroML refuses two definitions of one id.
PASSIVE_FILE = "pas.channel.nml"
PASSIVE = Element("ionChannel", {"id": "pas", "type": "ionChannelPassive", "conductance": "10pS"})
#: BMTK's ``dL``, um.
_SECTION_LENGTH = 20.0


@dataclass(frozen=True, slots=True)
class CableParts:
    """What a cable cell became: its document, and the morphology in whose segments places on it are given.

    passive: whether the document includes `PASSIVE_FILE`.
    """

    head: DocumentHead
    morphology: Morphology
    passive: bool


def cable_document(
    identifier: str,
    cell: CableCell,
    morphology: Morphology,
    where: str,
    report: Report,
    *,
    v_init: float | None,
    threshold: float | None,
    section_length: float | None = None,
    channels: Mapping[str, str] = empty(),
) -> CableParts:
    """The ``.cell.nml`` of a cell. v_init, threshold: of the plan, mV; they override the decor's.

    section_length: of the plan (SONATA's ``dL``), um: how long a compartment may be. channels: the files of those that
    NeuroML or LEMS defines, by name; the others are left out (reported).
    """
    morphology = _one_root(with_standard_groups(_processed(morphology, cell, where, report)), where, report)
    derived = sections(morphology)
    counts = _stated_counts(morphology, derived) or _counts(derived, section_length, where, report)
    kinds = [GROUP_OF_TAG.get(tag, "segment") for tag in morphology.tag.tolist()]
    names = tuple(f"{kind}_{number}" for kind, number in zip(kinds, morphology.id.tolist(), strict=True))
    if morphology.size and morphology.id[0] != 0:
        # jNeuroML wants the root to be segment 0; the number that the source gave stays in the segment's name.
        morphology = replace(morphology, id=np.arange(morphology.size))
    children = [_morphology(identifier, morphology, names, derived, counts, where, report)]
    passive = False
    if cell.template is not None:
        message = (
            f"{cell.template}: what this template puts on the membrane is known only to its own simulator; the cell is "
            "written with its morphology alone. --allow-exec has NEURON build the cells of hoc templates."
        )
        report.lost("template", where, message, examples=[cell.template])
    else:
        biophysics = Biophysics(cell, morphology, where, report, channels)
        children.append(biophysics.element(identifier, v_init, threshold))
        passive = biophysics.passive
    element = Element("cell", {"id": identifier}, tuple(children))
    includes = (*([PASSIVE_FILE] if passive else []), *dict.fromkeys(channels.values()))
    return CableParts(DocumentHead(identifier, includes=includes, components=(element,)), morphology, passive)


def _processed(morphology: Morphology, cell: CableCell, where: str, report: Report) -> Morphology:
    """The morphology as the cell's own changes leave it."""
    morphology, unknown = apply_processing(morphology, cell.processing)
    if unknown:
        message = f"The changes {', '.join(unknown)} of the morphology are not known here; it is written without them."
        report.lost("model-processing", where, message, examples=unknown)
    return morphology


def _one_root(morphology: Morphology, where: str, report: Report) -> Morphology:
    """NeuroML's tree has one root: further ones are hung onto the middle of the first, where they stay in place."""
    roots = np.flatnonzero(morphology.parent < 0)
    if len(roots) < 2:
        return morphology
    report.approximated(
        "several-trees",
        where,
        f"The morphology {morphology.name} consists of {len(roots)} separate trees; NeuroML has one: they are joined "
        "to the middle of the first segment, and keep their places.",
        count=len(roots) - 1,
    )
    parent, along = morphology.parent.copy(), morphology.fraction_along.copy()
    parent[roots[1:]] = roots[0]
    along[roots[1:]] = 0.5
    if roots[0] != 0:
        return morphology
    return replace(morphology, parent=parent, fraction_along=along)


def _morphology(
    identifier: str,
    morphology: Morphology,
    names: tuple[str, ...],
    derived: Sections,
    counts: Counts,
    where: str,
    report: Report,
) -> Element:
    diameters = np.concatenate([morphology.proximal[:, 3], morphology.distal[:, 3]])
    if (diameters <= 0).any():
        report.approximated(
            "no-diameter",
            where,
            f"Points of the morphology {morphology.name} have no diameter, which NeuroML forbids; they get 0.001 um.",
            count=int((diameters <= 0).sum()),
        )
    children = (*_segments(morphology, derived, names), *_groups(morphology, derived, counts))
    return Element("morphology", {"id": f"{identifier}_morphology"}, children)


def _segments(morphology: Morphology, derived: Sections, names: tuple[str, ...]) -> Iterator[Element]:
    parent, along = morphology.parent.tolist(), morphology.fraction_along.tolist()
    ids = morphology.id.tolist()
    inherited = np.zeros(morphology.size, dtype=bool)
    child = np.flatnonzero(morphology.parent >= 0)
    same = (morphology.proximal[child] == morphology.distal[morphology.parent[child]]).all(axis=1)
    inherited[child] = same & (morphology.fraction_along[child] == 1)
    inherited[derived.first] = False  # jNeuroML places nothing along a section whose first point it lacks
    proximal, distal = morphology.proximal.tolist(), morphology.distal.tolist()
    for row, number in enumerate(ids):
        children = []
        if parent[row] >= 0:
            attributes = {"segment": str(ids[parent[row]])}
            if along[row] != 1:
                attributes["fractionAlong"] = number_text(along[row])
            children.append(Element("parent", attributes))
        if not inherited[row]:
            children.append(_point("proximal", proximal[row]))
        children.append(_point("distal", distal[row]))
        yield Element("segment", {"id": str(number), "name": names[row]}, tuple(children))


def _point(tag: str, values: list[float]) -> Element:
    texts = [repr(value).replace("e+", "e") for value in (*values[:3], max(values[3], 1e-3))]
    return Element(tag, dict(zip(("x", "y", "z", "diameter"), texts, strict=True)))


#: Name and number of compartments of every section.
Counts: TypeAlias = tuple[tuple[str, int], ...]


def _stated_counts(morphology: Morphology, derived: Sections) -> Counts | None:
    """Of sections that the morphology has groups for, which say it; None where any has none."""
    stated = {
        morphology.groups[name].tobytes(): (name, notes.divisions)
        for name, notes in morphology.notes.items()
        if notes.ontology == UNBRANCHED and notes.divisions and name in morphology.groups
    }
    found = [stated.get(derived.rows(number).tobytes()) for number in range(derived.size)]
    return None if None in found else tuple(found)  # type: ignore[arg-type]


def _counts(derived: Sections, longest: float | None, where: str, report: Report) -> Counts:
    """Compartments no longer than ``longest``, um: ``1 + 2 int(L / (2 dL))``, always odd, as in BMTK."""
    if longest is None:
        longest = _SECTION_LENGTH
        report.defaulted(
            "compartments",
            where,
            f"Nothing states how long a compartment may be; {longest:g} um is written, as BMTK takes it.",
        )
    numbers = (1 + 2 * (derived.length / (2 * longest)).astype(np.int64)).tolist()
    return tuple((f"section_{row}", number) for row, number in enumerate(numbers))


def _groups(morphology: Morphology, derived: Sections, counts: Counts) -> Iterator[Element]:
    """Unbranched sections first, then everything that is made of them: jNeuroML reads groups in order."""
    names = [nml_id(name) for name, _ in counts]
    for row, (name, number) in enumerate(counts):
        divisions = Element("property", {"tag": DIVISIONS, "value": str(number)})
        children = (divisions, *_members(morphology.id[derived.rows(row)]))
        yield Element("segmentGroup", {"id": nml_id(name), "neuroLexId": UNBRANCHED}, children)
    for name, term, tags in _STANDARD:
        chosen = np.flatnonzero(np.isin(derived.tag, tags))
        if len(chosen):
            yield Element("segmentGroup", {"id": name, "neuroLexId": term}, _includes(names[k] for k in chosen))
    for name, rows in morphology.groups.items():
        if nml_id(name) in names:
            continue
        whole = np.bincount(derived.segment_section[rows], minlength=derived.size)
        chosen = np.flatnonzero(whole)
        if np.array_equal(whole[chosen], np.diff(derived.offsets)[chosen]):
            yield Element("segmentGroup", {"id": nml_id(name)}, _includes(names[k] for k in chosen))
        else:
            yield Element("segmentGroup", {"id": nml_id(name)}, _members(morphology.id[rows]))


def _members(ids: np.ndarray) -> tuple[Element, ...]:
    return tuple(Element("member", {"segment": str(number)}) for number in ids.tolist())


def _includes(names: Iterator[str]) -> tuple[Element, ...]:
    return tuple(Element("include", {"segmentGroup": name}) for name in names)
