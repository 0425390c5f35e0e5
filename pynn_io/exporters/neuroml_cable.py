"""Cable cells as NeuroML <cell> elements: morphology, segment groups, and what of the decor NeuroML has a word for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.exporters.neuroml_components import quantity
from pynn_io.formats.neuroml_records import DocumentHead, Element, nml_id
from pynn_io.formats.neuroml_xml import number_text
from pynn_io.graph.biophysics import ChannelDensity, ConcentrationModel, MembraneProperty, Paint, ReversalPotential
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology, apply_processing, sections, with_standard_groups
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
) -> CableParts:
    """The ``.cell.nml`` of a cell. v_init, threshold: of the plan, mV; they override the decor's."""
    morphology, unknown = apply_processing(morphology, cell.processing)
    if unknown:
        report.lost(
            "model-processing",
            where,
            f"The changes {', '.join(unknown)} of the morphology are not known here; it is written without them.",
            examples=unknown,
        )
    morphology = _one_root(with_standard_groups(morphology), where, report)
    kinds = [GROUP_OF_TAG.get(tag, "segment") for tag in morphology.tag.tolist()]
    names = tuple(f"{kind}_{number}" for kind, number in zip(kinds, morphology.id.tolist(), strict=True))
    if morphology.size and morphology.id[0] != 0:
        # jNeuroML wants the root to be segment 0; the number that the source gave stays in the segment's name.
        morphology = replace(morphology, id=np.arange(morphology.size))
    children = [_morphology(identifier, morphology, names, where, report)]
    passive = False
    if cell.template is not None:
        report.lost(
            "template",
            where,
            f"{cell.template}: what this template puts on the membrane is known only to its own simulator; the cell is "
            "written with its morphology alone.",
            examples=[cell.template],
        )
    else:
        biophysics = _Biophysics(cell, morphology, where, report)
        children.append(biophysics.element(identifier, v_init, threshold))
        passive = biophysics.passive
    element = Element("cell", {"id": identifier}, tuple(children))
    includes = (PASSIVE_FILE,) if passive else ()
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


def _morphology(identifier: str, morphology: Morphology, names: tuple[str, ...], where: str, report: Report) -> Element:
    diameters = np.concatenate([morphology.proximal[:, 3], morphology.distal[:, 3]])
    if (diameters <= 0).any():
        report.approximated(
            "no-diameter",
            where,
            f"Points of the morphology {morphology.name} have no diameter, which NeuroML forbids; they get 0.001 um.",
            count=int((diameters <= 0).sum()),
        )
    children = (*_segments(morphology, names), *_groups(morphology))
    return Element("morphology", {"id": f"{identifier}_morphology"}, children)


def _segments(morphology: Morphology, names: tuple[str, ...]) -> Iterator[Element]:
    parent, along = morphology.parent.tolist(), morphology.fraction_along.tolist()
    ids = morphology.id.tolist()
    inherited = np.zeros(morphology.size, dtype=bool)
    child = np.flatnonzero(morphology.parent >= 0)
    same = (morphology.proximal[child] == morphology.distal[morphology.parent[child]]).all(axis=1)
    inherited[child] = same & (morphology.fraction_along[child] == 1)
    inherited[sections(morphology).first] = False  # jNeuroML places nothing along a section whose first point it lacks
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


def _groups(morphology: Morphology) -> Iterator[Element]:
    """Unbranched sections first, then everything that is made of them: jNeuroML reads groups in order."""
    derived = sections(morphology)
    names = [f"section_{number}" for number in range(derived.size)]
    for number, name in enumerate(names):
        members = _members(morphology.id[derived.rows(number)])
        yield Element("segmentGroup", {"id": name, "neuroLexId": UNBRANCHED}, members)
    for name, term, tags in _STANDARD:
        chosen = np.flatnonzero(np.isin(derived.tag, tags))
        if len(chosen):
            yield Element("segmentGroup", {"id": name, "neuroLexId": term}, _includes(names[k] for k in chosen))
    for name, rows in morphology.groups.items():
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


class _Biophysics:
    """The decor of one cell as <biophysicalProperties>: later statements override earlier ones, region by region."""

    def __init__(self, cell: CableCell, morphology: Morphology, where: str, report: Report) -> None:
        self._where, self._report = where, report
        self._regions = [name for name in GROUP_OF_TAG.values() if name in morphology.groups]
        self._properties: dict[str, dict[str, float]] = {}
        self._passive: dict[str, dict[str, float]] = {}
        lost: dict[str, dict[str, None]] = {"channel": {}, "concentration": {}}
        for entry in cell.decor:
            item = entry.item
            if not isinstance(entry, Paint):
                continue
            if isinstance(item, MembraneProperty):
                self._put(self._properties.setdefault(item.kind, {}), entry.region, item.value)
            elif isinstance(item, ChannelDensity) and item.channel == "pas":
                self._channel(entry.region, item)
            elif isinstance(item, ChannelDensity):
                lost["channel"][item.channel] = None
            elif isinstance(item, ConcentrationModel):
                lost["concentration"][item.mechanism] = None
            elif isinstance(item, ReversalPotential):
                lost["channel"].setdefault(f"e_{item.ion}", None)
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
        membrane = [*self._densities(), *self._values("spike_threshold")]
        membrane += [*self._values("specific_capacitance"), *self._values("initial_potential")]
        parts = (
            Element("membraneProperties", {}, tuple(membrane)),
            Element("intracellularProperties", {}, tuple(self._values("axial_resistivity"))),
        )
        return Element("biophysicalProperties", {"id": f"{identifier}_biophysics"}, parts)

    def _put(self, place: dict[str, float], region: str, value: float) -> None:
        if region == "all":
            place.clear()
            place.update(dict.fromkeys(self._regions, value) or {"all": value})
        elif region in self._regions or region not in GROUP_OF_TAG.values():
            place[region] = value

    def _channel(self, region: str, item: ChannelDensity) -> None:
        if item.density is not None:
            self._put(self._passive.setdefault("density", {}), region, item.density)
        if item.reversal is not None:
            self._put(self._passive.setdefault("reversal", {}), region, item.reversal)

    def _default(self, kind: str, value: float, unit: str) -> None:
        stated = self._properties.setdefault(kind, {})
        missing = [region for region in self._regions if region not in stated and "all" not in stated]
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
        for kind, names in lost.items():
            for name in (name for name in names if not name.startswith("e_")):
                self._report.lost(kind, "cable cells", f"{name} {texts[kind]}.", examples=[self._where.split(" ")[-1]])
        reversals = [name.removeprefix("e_") for name in lost["channel"] if name.startswith("e_")]
        if reversals:
            self._report.lost(
                "reversal-potential",
                self._where,
                f"The reversal potentials of {', '.join(reversals)} belong to the channels that are left out.",
                examples=reversals,
            )
