"""Cable cells as NeuroML <cell> elements: morphology, segment groups, and what of the decor NeuroML has a word for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from pynn_io.exporters.neuroml_cells import DIVISIONS, ordered, statement
from pynn_io.exporters.neuroml_components import quantity
from pynn_io.formats.neuroml_records import DocumentHead, Element, nml_id
from pynn_io.formats.neuroml_xml import number_text
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ConcentrationModel,
    InitialConcentration,
    MembraneProperty,
    Paint,
    ReversalPotential,
)
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
#: What NEURON takes where nothing is said: cm, Ra.
_DEFAULTS = {"specific_capacitance": 1.0, "axial_resistivity": 35.4}
_WORDS = {
    "specific_capacitance": ("specificCapacitance", "uF_per_cm2"),
    "initial_potential": ("initMembPotential", "mV"),
    "spike_threshold": ("spikeThresh", "mV"),
    "axial_resistivity": ("resistivity", "ohm_cm"),
}


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
    morphology, unknown = apply_processing(morphology, cell.processing)
    if unknown:
        report.lost(
            "model-processing",
            where,
            f"The changes {', '.join(unknown)} of the morphology are not known here; it is written without them.",
            examples=unknown,
        )
    morphology = _one_root(with_standard_groups(morphology), where, report)
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
        report.lost(
            "template",
            where,
            f"{cell.template}: what this template puts on the membrane is known only to its own simulator; the cell is "
            "written with its morphology alone. --allow-exec has NEURON build the cells of hoc templates.",
            examples=[cell.template],
        )
    else:
        biophysics = _Biophysics(cell, morphology, where, report, channels)
        children.append(biophysics.element(identifier, v_init, threshold))
        passive = biophysics.passive
    element = Element("cell", {"id": identifier}, tuple(children))
    includes = (*([PASSIVE_FILE] if passive else []), *dict.fromkeys(channels.values()))
    return CableParts(DocumentHead(identifier, includes=includes, components=(element,)), morphology, passive)


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


def _definition(item: object) -> str:
    """The channel or concentration model that a statement is about."""
    if isinstance(item, ChannelDensity):
        return item.channel
    return item.mechanism if isinstance(item, ConcentrationModel) else ""


class _Biophysics:
    """The decor of one cell as <biophysicalProperties>: later statements override earlier ones, region by region."""

    def __init__(
        self, cell: CableCell, morphology: Morphology, where: str, report: Report, channels: Mapping[str, str]
    ) -> None:
        self._where, self._report = where, report
        self._own: list[Element] = []
        used: set[str] = set()
        self._groups = morphology.groups
        self._regions = [name for name in GROUP_OF_TAG.values() if name in morphology.groups]
        self._properties: dict[str, dict[str, float]] = {}
        self._passive: dict[str, dict[str, float]] = {}
        lost: dict[str, dict[str, None]] = {"channel": {}, "concentration": {}, "reversal": {}, "start": {}}
        for entry in cell.decor:
            item = entry.item
            if not isinstance(entry, Paint):
                continue
            if isinstance(item, MembraneProperty):
                self._put(self._properties.setdefault(item.kind, {}), entry.region, item.value)
            elif isinstance(item, ChannelDensity) and item.channel == "pas":
                self._channel(entry.region, item)
            elif _definition(item) in channels:
                made = statement(entry, used, where, report) if self._has(entry.region) else None
                self._own += [] if made is None else [made]
            elif isinstance(item, ChannelDensity):
                lost["channel"][item.channel] = None
            elif isinstance(item, ConcentrationModel):
                lost["concentration"][item.mechanism] = None
            elif isinstance(item, ReversalPotential):
                lost["reversal"][item.ion] = None
            elif isinstance(item, InitialConcentration):
                lost["start"][item.ion] = None
        self._report_lost(lost)

    @property
    def passive(self) -> bool:
        return bool(self._passive.get("density"))

    def element(self, identifier: str, v_init: float | None, threshold: float | None) -> Element:
        """<biophysicalProperties>, with defaults for what NeuroML demands and nothing states."""
        if v_init is not None:
            self._properties["initial_potential"] = {"all": v_init}
        if threshold is not None:
            self._properties["spike_threshold"] = {"all": threshold}
        self._default("initial_potential", -65.0, "mV")
        self._default("spike_threshold", 0.0, "mV")
        for kind, value in _DEFAULTS.items():
            self._default(kind, value, _WORDS[kind][1])
        inside = [each for each in self._own if each.tag == "species"]
        membrane = [*self._densities(), *(each for each in self._own if each not in inside)]
        for kind in ("spike_threshold", "specific_capacitance", "initial_potential"):
            membrane += self._values(kind)
        parts = (
            ordered("membraneProperties", membrane),
            ordered("intracellularProperties", [*inside, *self._values("axial_resistivity")]),
        )
        return Element("biophysicalProperties", {"id": f"{identifier}_biophysics"}, parts)

    def _has(self, region: str) -> bool:
        return region in self._regions or region not in GROUP_OF_TAG.values()

    def _put(self, place: dict[str, float], region: str, value: float) -> None:
        if region == "all":
            place.clear()
            place.update(dict.fromkeys(self._regions, value) or {"all": value})
        elif self._has(region):
            place[region] = value

    def _channel(self, region: str, item: ChannelDensity) -> None:
        if item.density is not None:
            self._put(self._passive.setdefault("density", {}), region, item.density)
        if item.reversal is not None:
            self._put(self._passive.setdefault("reversal", {}), region, item.reversal)

    def _default(self, kind: str, value: float, unit: str) -> None:
        stated = self._properties.setdefault(kind, {})
        missing = [region for region in self._regions if "all" not in stated and not self._covered(region, stated)]
        if not missing and stated:
            return
        if stated:
            stated.update(dict.fromkeys(missing, value))
        else:
            stated["all"] = value
        self._report.defaulted(
            "default-membrane",
            self._where,
            f"The {kind.replace('_', ' ')} is not stated{' everywhere' if len(stated) > 1 else ''}; NeuroML demands "
            f"one, and {value} {unit} is written.",
        )

    def _covered(self, region: str, stated: Iterable[str]) -> bool:
        """Whether groups that have a value hold any of the region's segments: some, or all that it has."""
        rows = self._groups[region]
        return any(np.isin(rows, self._groups[name]).any() for name in stated if name in self._groups)

    def _values(self, kind: str) -> Iterator[Element]:
        tag, unit = _WORDS[kind]
        for region, value in self._grouped(self._properties[kind]):
            yield Element(
                tag, {"value": quantity(value, unit), **({} if region == "all" else {"segmentGroup": region})}
            )

    def _grouped(self, values: dict[str, float]) -> list[tuple[str, float]]:
        distinct = set(values.values())
        if len(distinct) == 1 and set(values) >= set(self._regions):
            return [("all", distinct.pop())]
        return [(nml_id(region), value) for region, value in values.items()]

    def _densities(self) -> Iterator[Element]:
        reversals = self._passive.get("reversal", {})
        for region, density in self._passive.get("density", {}).items():
            reversal = reversals.get(region, reversals.get("all"))
            if reversal is None:
                reversal = -70.0
                self._report.defaulted(
                    "default-reversal",
                    self._where,
                    "The reversal potential of pas is not stated; the mechanism's own -70 mV is written.",
                )
            yield Element(
                "channelDensity",
                {
                    "id": f"pas_{nml_id(region)}",
                    "ionChannel": "pas",
                    "condDensity": quantity(density, "mS_per_cm2"),
                    "erev": quantity(reversal, "mV"),
                    **({} if region == "all" else {"segmentGroup": nml_id(region)}),
                    "ion": "non_specific",
                },
            )

    def _report_lost(self, lost: dict[str, dict[str, None]]) -> None:
        texts = {
            "channel": "has no NeuroML definition: this ion channel is left out, and its cells compute without it",
            "concentration": "has no NeuroML definition: this model of an ion concentration is left out",
        }
        # One issue a mechanism, with the cells that have it as examples: a circuit has many cells of few mechanisms.
        for kind, text in texts.items():
            for name in lost[kind]:
                self._report.lost(kind, "cable cells", f"{name} {text}.", examples=[self._where.split(" ")[-1]])
        for kind, code, text in (
            (
                "reversal",
                "reversal-potential",
                "The reversal potentials of {} are for what is left out.",
            ),
            ("start", "initial-concentration", "The concentrations of {} at the start are for what is left out."),
        ):
            message = text.format(", ".join(lost[kind]))
            self._report.lost(code, self._where, message, count=len(lost[kind]), examples=[*lost[kind]])
