"""A cable cell that was NeuroML before, as it came: its own segments, groups and statements, none merged, none added.

(Cells of other formats are written by `neuroml_cable`, which makes the groups that NeuroML tools look for.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_schema import types
from pynn_io.formats.neuroml_units import plain_number
from pynn_io.graph.biophysics import (
    PROPERTY_UNITS,
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Law,
    MembraneProperty,
    Paint,
    Profile,
)
from pynn_io.graph.cells import CableCell
from pynn_io.graph.expressions import LEMS, render
from pynn_io.graph.segments import GroupNotes, Morphology, PathParameter, tags_of_groups, with_tag_groups
from pynn_io.lowering.segment_shape import UNBRANCHED
from pynn_io.report import Report

DIVISIONS = "numberInternalDivisions"
METRIC = "Path Length from root"
_PROPERTIES = {
    "spike_threshold": "spikeThresh",
    "specific_capacitance": "specificCapacitance",
    "initial_potential": "initMembPotential",
    "axial_resistivity": "resistivity",
}
#: What is written where NeuroML demands a statement and there is none: NEURON's own values.
_DEMANDED = {
    "spike_threshold": 0.0,
    "specific_capacitance": 1.0,
    "initial_potential": -65.0,
    "axial_resistivity": 35.4,
}
_DENSITIES: Mapping[Law, str] = {
    Law.OHMIC: "channelDensity",
    Law.NERNST: "channelDensityNernst",
    Law.NERNST_CA2: "channelDensityNernstCa2",
    Law.GHK: "channelDensityGHK",
    Law.GHK2: "channelDensityGHK2",
}
_NON_UNIFORM: Mapping[Law, str] = {
    Law.OHMIC: "channelDensityNonUniform",
    Law.NERNST: "channelDensityNonUniformNernst",
    Law.GHK: "channelDensityNonUniformGHK",
}
_POPULATIONS: Mapping[Law, str] = {Law.OHMIC: "channelPopulation", Law.NERNST: "channelPopulationNernst"}
#: Elements of ``intracellularProperties``.
_INSIDE = ("species", "resistivity")


def morphology_element(identifier: str, morphology: Morphology) -> Element:
    """``<morphology>`` with its segments and groups, and groups for what only its tags say."""
    morphology = with_tag_groups(morphology)
    return Element("morphology", {"id": identifier}, (*_segments(morphology), *_groups(morphology)))


def channels_of(cell: CableCell) -> list[str]:
    """The channels and concentration models that a decor names, each once, in order."""
    names: dict[str, None] = {}
    for entry in cell.decor:
        item = entry.item
        if isinstance(item, ChannelDensity | ChannelPopulation):
            names[item.channel] = None
        elif isinstance(item, ConcentrationModel):
            names[item.mechanism] = None
    return list(names)


def cell_element(
    identifier: str, cell: CableCell, morphology: Morphology, names: Mapping[str, str], where: str, report: Report
) -> Element:
    """``<cell>``. names: ids of its parts and its element, as the source had them (`Origin.names`)."""
    inside = names.get("morphology") or f"{identifier}_morphology"
    grouped = with_tag_groups(morphology)
    kinds = tags_of_groups(grouped.size, grouped.groups, grouped.notes)
    message = "NeuroML says by groups whether segments are soma, axon or dendrite, and has no other kinds."
    report.approximated("tags", where, message, count=int((kinds != morphology.tag).sum()), examples=["tag"])
    children = [morphology_element(inside, morphology)]
    if cell.decor:
        children.append(biophysics_element(f"{identifier}_biophysics", cell.decor, names, where, report))
    elif names.get("biophysicalProperties"):
        children.append(_biophysics("biophysicalProperties", names["biophysicalProperties"], [], []))
    attributes = {"id": identifier}
    if names.get("neuroLexId"):
        attributes["neuroLexId"] = names["neuroLexId"]
    two = children[-1].tag == "biophysicalProperties2CaPools"
    return Element("cell2CaPools" if two else names.get("element", "cell"), attributes, tuple(children))


def biophysics_element(
    identifier: str, decor: tuple[object, ...], names: Mapping[str, str], where: str, report: Report
) -> Element:
    """``<biophysicalProperties>`` of all that is painted; what has no place there is reported."""
    found: list[Element] = []
    used: set[str] = set()
    for entry in decor:
        if not isinstance(entry, Paint) or (made := statement(entry, used, where, report)) is None:
            item = getattr(entry, "item", entry)
            report.lost(
                "decor", where, f"{type(item).__name__} has no place in NeuroML's biophysical properties; left out."
            )
            continue
        found.append(made)
    two = any(part.tag == "channelDensityNernstCa2" for part in found) or "biophysicalProperties2CaPools" in names
    tag = "biophysicalProperties2CaPools" if two else "biophysicalProperties"
    membrane = [part for part in found if part.tag not in _INSIDE]
    inside = [part for part in found if part.tag in _INSIDE]
    stated = {part.tag for part in found}
    for kind, value in _DEMANDED.items():
        if _PROPERTIES[kind] not in stated:
            made = _property("all", MembraneProperty(kind, value))
            (inside if made.tag in _INSIDE else membrane).append(made)
            report.defaulted(
                "default-membrane",
                where,
                f"The {kind.replace('_', ' ')} is not stated; NeuroML demands one, and {value} {PROPERTY_UNITS[kind]} "
                "is written.",
                examples=["decor"],
            )
    element = _biophysics(tag, names.get(tag) or identifier, membrane, inside)
    if [part for group in element.children for part in group.children] != [*membrane, *inside]:
        say_ordered(where, report)
    return element


def say_ordered(where: str, report: Report) -> None:
    """The order of statements that do not depend on each other is the schema's, not the source's."""
    report.expanded("schema-order", where, "Parts are written in the order that NeuroML's schema fixes.")


def _biophysics(tag: str, identifier: str, membrane: list[Element], inside: list[Element]) -> Element:
    suffix = "2CaPools" if tag.endswith("2CaPools") else ""
    parts = [ordered(f"membraneProperties{suffix}", membrane)]
    if inside:
        parts.append(ordered(f"intracellularProperties{suffix}", inside))
    return Element(tag, {"id": identifier}, tuple(parts))


def ordered(tag: str, children: list[Element]) -> Element:
    """An element with its children in the schema's order."""
    places = types()[tag[0].upper() + tag[1:]].children
    last = len(places)
    return Element(
        tag, {}, tuple(sorted(children, key=lambda part: places[part.tag].place if part.tag in places else last))
    )


# --- statements ---------------------------------------------------------------------------------------------------


def statement(entry: Paint, used: set[str], where: str, report: Report) -> Element | None:
    """What is painted as an element; None where NeuroML has none. used: ids that are taken."""
    item = entry.item
    if isinstance(item, MembraneProperty):
        return _property(entry.region, item)
    if isinstance(item, ChannelDensity):
        return _density(entry.region, item, _name(item.name or f"{item.channel}_{entry.region}", used))
    if isinstance(item, ChannelPopulation):
        if item.law is not Law.OHMIC:
            report.approximated(
                "channel-population",
                where,
                "A channelPopulation with a Nernst potential is an element that NeuroML's schema does not have; it is "
                "written all the same.",
                examples=[item.channel],
            )
        return _population(entry.region, item, _name(item.name or f"{item.channel}_{entry.region}", used))
    if isinstance(item, ConcentrationModel):
        return _species(entry.region, item)
    return None


def _name(wanted: str, used: set[str]) -> str:
    """The id of a statement, made one where none is stated."""
    name = wanted.replace(":", "_").replace(" ", "_")
    while name in used:
        name += "_"
    used.add(name)
    return name


def _region(region: str) -> dict[str, str]:
    if region == "all":
        return {}
    kind, colon, number = region.partition(":")
    return {"segment": number} if colon and kind == "segment" else {"segmentGroup": region}


def _quantity(value: float, unit: str) -> str:
    return plain_number(value) + unit


def _optional(**values: tuple[float | None, str]) -> dict[str, str]:
    return {name: _quantity(value, unit) for name, (value, unit) in values.items() if value is not None}


def _property(region: str, item: MembraneProperty) -> Element:
    return Element(
        _PROPERTIES[item.kind], {"value": _quantity(item.value, PROPERTY_UNITS[item.kind]), **_region(region)}
    )


def _density(region: str, item: ChannelDensity, name: str) -> Element:
    tag = _NON_UNIFORM[item.law] if item.profiles and item.law in _NON_UNIFORM else _DENSITIES[item.law]
    if item.v_shift is not None and not item.profiles:
        tag = "channelDensityVShift"
    attributes = {
        "id": name,
        "ionChannel": item.channel,
        **_optional(
            condDensity=(item.density, "mS_per_cm2"),
            permeability=(item.permeability, "um_per_ms"),
            erev=(item.reversal, "mV"),
            vShift=(item.v_shift, "mV"),
        ),
        **_region(region),
        "ion": item.ion or "non_specific",
    }
    return Element(tag, attributes, tuple(_profile(profile, item.law) for profile in item.profiles))


def _profile(profile: Profile, law: Law) -> Element:
    value = {"inhomogeneousParameter": profile.parameter, "value": render(profile.value, LEMS)}
    parameter = "permeability" if law is Law.GHK else "condDensity"
    return Element(
        "variableParameter",
        {"parameter": parameter, "segmentGroup": profile.group},
        (Element("inhomogeneousValue", value),),
    )


def _population(region: str, item: ChannelPopulation, name: str) -> Element:
    attributes = {
        "id": name,
        "ionChannel": item.channel,
        "number": plain_number(item.number),
        **_optional(erev=(item.reversal, "mV")),
        **_region(region),
        "ion": item.ion or "non_specific",
    }
    return Element(_POPULATIONS[item.law], attributes)


def _species(region: str, item: ConcentrationModel) -> Element:
    attributes = {
        "id": item.name or item.ion,
        "concentrationModel": item.mechanism,
        "ion": item.ion,
        "initialConcentration": _quantity(item.initial or 0.0, "mM"),
        "initialExtConcentration": _quantity(item.initial_outside or 0.0, "mM"),
        **_region(region),
    }
    return Element("species", attributes)


# --- morphology ---------------------------------------------------------------------------------------------------


def _segments(morphology: Morphology) -> Iterator[Element]:
    proximal, distal = morphology.proximal.tolist(), morphology.distal.tolist()
    parent, along, ids = morphology.parent.tolist(), morphology.fraction_along.tolist(), morphology.id.tolist()
    for row, centre in morphology.spheres.items():
        proximal[row] = distal[row] = [*centre, distal[row][3]]
    beginnings = _beginnings(morphology)
    for row, number in enumerate(ids):
        children = []
        above = parent[row]
        if above >= 0:
            fraction = {} if along[row] == 1 else {"fractionAlong": plain_number(along[row])}
            children.append(Element("parent", {"segment": str(ids[above]), **fraction}))
        inherited = above >= 0 and tuple(proximal[row]) == _inherited(proximal[above], distal[above], along[row])
        if not inherited or row in beginnings:
            children.append(_point("proximal", proximal[row]))
        children.append(_point("distal", distal[row]))
        name = {"name": morphology.names[row]} if row in morphology.names else {}
        yield Element("segment", {"id": str(number), **name}, tuple(children))


def _beginnings(morphology: Morphology) -> set[int]:
    """The rows with which unbranched sections begin: jNeuroML places nothing along one whose first point it lacks."""
    found: set[int] = set()
    for name, rows in morphology.groups.items():
        if morphology.notes.get(name, GroupNotes()).ontology == UNBRANCHED:
            found.update(rows[~np.isin(morphology.parent[rows], rows)].tolist())
    return found


def _inherited(near: list[float], far: list[float], along: float) -> tuple[float, ...]:
    """Where a segment begins that states no proximal point."""
    return tuple(far) if along == 1 else tuple(a + (b - a) * along for a, b in zip(near, far, strict=True))


def _point(tag: str, values: list[float]) -> Element:
    return Element(tag, dict(zip(("x", "y", "z", "diameter"), map(plain_number, values), strict=True)))


def _groups(morphology: Morphology) -> Iterator[Element]:
    """Groups in their order, but after those that they include: jNeuroML wants it so."""
    done: set[str] = set()

    def put(name: str) -> Iterator[Element]:
        if name in done or name not in morphology.groups:
            return
        done.add(name)
        notes = morphology.notes.get(name, GroupNotes())
        for other in notes.includes:
            yield from put(other)
        yield _group(name, notes, morphology)

    for name in morphology.groups:
        yield from put(name)


def _group(name: str, notes: GroupNotes, morphology: Morphology) -> Element:
    included = [morphology.groups[other] for other in notes.includes if other in morphology.groups]
    rows = morphology.groups[name]
    if "all" in notes.includes and "all" not in morphology.groups:
        included.append(np.arange(morphology.size))
    own = np.setdiff1d(rows, np.concatenate(included)) if included else rows
    children = [Element("notes", text=notes.notes)] if notes.notes else []
    properties = [*notes.properties]
    if notes.divisions is not None:
        properties.append((DIVISIONS, str(notes.divisions)))
    children += [Element("property", {"tag": tag, "value": value}) for tag, value in properties]
    children += [Element("member", {"segment": str(number)}) for number in morphology.id[own].tolist()]
    children += [Element("include", {"segmentGroup": other}) for other in notes.includes]
    children += [_parameter(parameter) for parameter in notes.parameters]
    return Element(
        "segmentGroup", {"id": name, **({"neuroLexId": notes.ontology} if notes.ontology else {})}, tuple(children)
    )


def _parameter(parameter: PathParameter) -> Element:
    ends = []
    if parameter.start is not None:
        ends.append(Element("proximal", {"translationStart": plain_number(parameter.start)}))
    if parameter.end is not None:
        ends.append(Element("distal", {"normalizationEnd": plain_number(parameter.end)}))
    return Element(
        "inhomogeneousParameter",
        {"id": parameter.name, "variable": parameter.variable, "metric": METRIC},
        tuple(ends),
    )
