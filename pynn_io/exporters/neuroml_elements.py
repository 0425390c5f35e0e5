"""Components of the graph as elements: attributes with units that read back as the same numbers, in the schema's order.

A component that the schema does not have, or not like this (one of an own type, ``pointCellCondBased``), is carried by
the element of `pynn_io.vocabulary.neuroml.CARRIER` with LEMS's ``type`` attribute, and stands in a file of its own:
docs/neuroml_own_types.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from xml.parsers import expat

from pynn_io.exporters.neuroml_cells import say_ordered
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_schema import Child, Type, fault, types
from pynn_io.formats.neuroml_units import DIMENSION_OF_KIND, plain_number, quantity_text
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.report import Report

#: Children that the schema types as one of several forms, where they stand in something that it does not describe.
_FORMS = {
    "forwardRate": "HHRate",
    "reverseRate": "HHRate",
    "rate": "HHRate",
    "timeCourse": "HHTime",
    "steadyState": "HHVariable",
    "q10Settings": "Q10Settings",
}
#: Types without an element of their own that are another element with a ``type``.
_SPELLED = {"ionChannelPassive": "ionChannel"}
_GATES = frozenset(
    {
        *("gate", "gateHHrates", "gateHHratesTau", "gateHHtauInf", "gateHHratesInf", "gateHHratesTauInf"),
        *("gateHHInstantaneous", "gateFractional"),
    }
)
_TRANSITIONS = ("forwardTransition", "reverseTransition")
_NUMBERS = frozenset({"int", "float", "fraction", "none", "=0|1"})
_DOCUMENT = "NeuroMLDocument"


class Elements:
    """Writes components of one network. own: its `Network.component_types`; core: those of the vocabulary."""

    def __init__(self, own: Mapping[str, ComponentType], core: Mapping[str, ComponentType], report: Report) -> None:
        self._own, self._core, self._report = own, core, report

    def top(self, component: Component, carrier: str = "") -> Element:
        """A component that stands by itself. carrier: the element for a type that has none."""
        known = types()[_DOCUMENT].children
        tag = _SPELLED.get(component.type, component.type)
        tag = component.tag if component.tag and component.tag != component.type else tag
        if tag not in known and component.type not in _SPELLED:
            tag = carrier or tag
        place = known.get(tag)
        return self.element(component, tag, types().get(place.type) if place is not None else None)

    def element(self, component: Component, tag: str, place: Type | None) -> Element:
        """A component as the element ``tag``. place: the schema's type there; None where the schema has none."""
        if tag in _WORDS:
            return self._words(component, tag)
        place = place or schema_type(component.type) or types().get(_FORMS.get(tag, ""))
        attributes = {"id": component.id} if component.id else {}
        if component.type != tag:
            attributes["type"] = component.type
        attributes |= component.texts
        for name, value in component.parameters.items():
            attributes[name] = self._text(component.type, tag, place, name, value)
        inside = place.children if place is not None else {}
        children = [
            self.element(child, role, types().get(inside[role].type) if role in inside else None)
            for role, child in component.children
        ]
        return Element(tag, attributes, self._ordered(component, children, inside))

    def _ordered(
        self, component: Component, children: list[Element], inside: Mapping[str, Child]
    ) -> tuple[Element, ...]:
        """Children as the schema has them: in its order, and gates of several kinds as <gate>, of which it allows one.

        Transitions of a Markov gate stand in pairs, forward and reverse.
        """
        gates = {child.tag for child in children if child.tag in _GATES}
        if len(gates) > 1:
            children = [_as_gate(child) if child.tag in _GATES else child for child in children]
            self._report.expanded(
                "gate-spelling",
                f"channel {component.id}",
                "The schema allows one kind of gate in a channel; several kinds are written as <gate type=...>.",
                examples=[component.id],
            )
        ordered = sorted(children, key=lambda child: inside[child.tag].place if child.tag in inside else len(inside))
        steps = [[child for child in ordered if child.tag == tag] for tag in _TRANSITIONS]
        if steps[0] and len(steps[0]) == len(steps[1]):
            pairs = [child for pair in zip(*steps, strict=True) for child in pair]
            at = ordered.index(steps[0][0])
            ordered = [child for child in ordered if child.tag not in _TRANSITIONS]
            ordered[at:at] = pairs
        if ordered != children:
            say_ordered(f"component {component.id or component.type}", self._report)
        return tuple(ordered)

    def own_types(self, component: Component) -> bool:
        """Whether it, or anything in it, is of a type that the network defines."""
        return any(part.type in self._own for part in component.walk())

    def port(self, name: str, port: str) -> bool | None:
        """Whether a type emits events through ``port``; None where nothing is known of it."""
        known = None
        for found in self._chain(name):
            known = known or found.ports.get(port) == "out"
        return known

    def dimension(self, name: str, attribute: str) -> str | None:
        """The dimension of a type's parameter, of those that the network or the vocabulary defines."""
        for found in self._chain(name):
            if attribute in found.parameters:
                return found.parameters[attribute]
        return None

    def _chain(self, name: str) -> Iterator[ComponentType]:
        """A type and what it extends, as far as that is defined."""
        seen: set[str] = set()
        while name and name not in seen:
            seen.add(name)
            found = self._own.get(name) or self._core.get(name)
            if found is None:
                return
            yield found
            name = found.extends

    def _text(self, kind: str, tag: str, place: Type | None, name: str, value: float) -> str:
        own = self.dimension(kind, name) if kind in self._own else None
        if own is None and place is not None and name in place.attributes:
            stated = place.attributes[name]
            if stated in _NUMBERS:
                return plain_number(value)
            return quantity_text(value, DIMENSION_OF_KIND.get(stated, stated))
        own = own or self.dimension(kind, name)
        if own is None:
            self._report.approximated(
                "unknown-dimension",
                f"component type {kind}",
                f"Nothing says which dimension {name} of {kind} has; it is written as a bare number in coherent units.",
                examples=[name],
            )
            return plain_number(value)
        return quantity_text(value, own, schema=False)

    def _words(self, component: Component, tag: str) -> Element:
        """Notes, a property or an annotation."""
        texts = dict(component.texts)
        if tag == "notes":
            return Element("notes", text=texts.get("text", ""))
        if tag == "property":
            return Element("property", texts)
        inner = tuple(self._words(child, role) for role, child in component.children)
        markup = texts.get("xml", "")
        if markup and not _well_formed(markup):
            self._report.lost(
                "annotation", "annotations", "An annotation is not well-formed XML; it is left out.", examples=[tag]
            )
            markup = ""
        return Element("annotation", {}, inner, markup=markup)


_WORDS = frozenset({"notes", "property", "annotation"})


@cache
def _lower() -> Mapping[str, Type]:
    return {name.lower(): found for name, found in types().items()}


def schema_type(name: str) -> Type | None:
    """The schema's type of that name, in whichever case: ``gateHHrates`` is GateHHRates."""
    return _lower().get(name.lower())


def fits(element: Element, name: str = _DOCUMENT) -> bool:
    """Whether the schema has this element, with these attributes and children, in its type ``name``."""
    child = types()[name].children.get(element.tag) if name in types() else None
    if child is None:
        return False
    kind = types().get(child.type)
    if kind is None or element.tag in _WORDS:
        return True
    if not set(kind.required) <= set(element.attributes) <= set(kind.attributes):
        return False
    if any(fault(kind.attributes[key], value) for key, value in element.attributes.items()):
        return False
    tags = {part.tag for part in element.children}
    if any(tags.isdisjoint(alternatives) for alternatives in kind.demanded):
        return False
    if kind.open:
        return True
    return all(fits(part, child.type) for part in element.children)


def _as_gate(element: Element) -> Element:
    attributes = dict(element.attributes)
    identifier = {"id": attributes.pop("id")} if "id" in attributes else {}
    return replace(element, tag="gate", attributes={**identifier, "type": element.tag, **attributes})


def _well_formed(markup: str) -> bool:
    try:
        expat.ParserCreate().Parse(f"<a>{markup}</a>".encode(), True)
    except expat.ExpatError:
        return False
    return True
