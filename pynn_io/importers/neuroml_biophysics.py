"""``<biophysicalProperties>`` -> decor: channel densities and populations, membrane properties, species.

Every statement is one `Paint`, in the order of the file. The region of a statement without ``segmentGroup`` is ``all``;
with ``segment="3"`` it is ``segment:3``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.biophysics import (
    PROPERTY_UNITS,
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Item,
    Law,
    MembraneProperty,
    Paint,
    Profile,
)
from pynn_io.graph.expressions import parse
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take

_LAWS: Mapping[str, Law] = {
    "channelDensity": Law.OHMIC,
    "channelDensityVShift": Law.OHMIC,
    "channelDensityNernst": Law.NERNST,
    "channelDensityNernstCa2": Law.NERNST_CA2,
    "channelDensityGHK": Law.GHK,
    "channelDensityGHK2": Law.GHK2,
    "channelDensityNonUniform": Law.OHMIC,
    "channelDensityNonUniformNernst": Law.NERNST,
    "channelDensityNonUniformGHK": Law.GHK,
}
_POPULATIONS: Mapping[str, Law] = {"channelPopulation": Law.OHMIC, "channelPopulationNernst": Law.NERNST}
_PROPERTIES: Mapping[str, str] = {
    "spikeThresh": "spike_threshold",
    "specificCapacitance": "specific_capacitance",
    "initMembPotential": "initial_potential",
    "resistivity": "axial_resistivity",
}
#: What a profile states, by the law of its density.
_PROFILED = {Law.OHMIC: "condDensity", Law.NERNST: "condDensity", Law.GHK: "permeability"}


def read_biophysics(element: Element, components: Components, name: str) -> tuple[Paint, ...]:
    """The decor that ``<biophysicalProperties>`` (or the one with two calcium pools) states.

    name: of the cell, for notes. Raises ReadError for a quantity of the wrong dimension.
    """
    take = Take(element, components.context)
    take.text("id")
    decor: list[Paint] = []
    for part in take.children(
        *("membraneProperties", "membraneProperties2CaPools"),
        *("intracellularProperties", "intracellularProperties2CaPools"),
    ):
        decor += _paints(Take(part, components.context))
    components.context.about(f"biophysicalProperties {name}", components.words(take))
    take.rest()
    return tuple(decor)


def _paints(take: Take) -> Iterator[Paint]:
    for child in take.children(*_MAKERS):
        part = Take(child, take.context)
        region = _region(part)
        yield Paint(region, _MAKERS[child.tag](part))
        part.rest()
    take.rest()


def _region(take: Take) -> str:
    group, segment = take.text("segmentGroup"), take.text("segment")
    if group and segment:
        raise ReadError(f"<{take.element.tag}> states a segment group and a segment", where=take.where)
    return group or (f"segment:{segment}" if segment else "all")


def _density(take: Take) -> ChannelDensity:
    law = _LAWS[take.element.tag]
    return ChannelDensity(
        take.need("ionChannel"),
        take.number("condDensity", "mS_per_cm2"),
        take.text("ion") or None,
        take.number("erev", "mV"),
        name=take.text("id"),
        law=law,
        permeability=take.number("permeability", "um_per_ms"),
        v_shift=take.number("vShift", "mV"),
        profiles=tuple(_profile(Take(child, take.context), law) for child in take.children("variableParameter")),
    )


def _profile(take: Take, law: Law) -> Profile:
    group, parameter = take.need("segmentGroup"), take.need("parameter")
    if parameter != _PROFILED.get(law):
        raise ReadError(f"{parameter!r} cannot vary here; {_PROFILED.get(law)!r} can", where=take.where)
    child = take.only("inhomogeneousValue")
    if child is None:
        raise ReadError("<variableParameter> has no <inhomogeneousValue>", where=take.where)
    inner = Take(child, take.context)
    made = Profile(group, inner.need("inhomogeneousParameter"), parse(inner.need("value"), where=inner.where))
    inner.rest()
    take.rest()
    return made


def _population(take: Take) -> ChannelPopulation:
    number = take.number("number", "1")
    if number is None:
        raise ReadError("<channelPopulation> has no attribute 'number'", where=take.where)
    return ChannelPopulation(
        take.need("ionChannel"),
        number,
        take.text("ion") or None,
        take.number("erev", "mV"),
        take.text("id"),
        _POPULATIONS[take.element.tag],
    )


def _property(take: Take) -> MembraneProperty:
    kind = _PROPERTIES[take.element.tag]
    value = take.number("value", PROPERTY_UNITS[kind])
    if value is None:
        raise ReadError(f"<{take.element.tag}> has no attribute 'value'", where=take.where)
    return MembraneProperty(kind, value)


def _species(take: Take) -> ConcentrationModel:
    name = take.text("id")
    return ConcentrationModel(
        take.need("concentrationModel"),
        take.text("ion") or name,
        initial=take.number("initialConcentration", "mM"),
        initial_outside=take.number("initialExtConcentration", "mM"),
        name=name,
    )


_MAKERS: Mapping[str, Callable[[Take], Item]] = {
    **dict.fromkeys(_LAWS, _density),
    **dict.fromkeys(_POPULATIONS, _population),
    **dict.fromkeys(_PROPERTIES, _property),
    "species": _species,
}
