"""Elements -> `Component`: numbers in coherent units, texts, children; and what a component is for, by its type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pynn_io.errors import ReadError
from pynn_io.formats import neuroml_schema
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.importers.neuroml_context import Context, Take
from pynn_io.lowering.types import Types

#: Core types, and what is for a component of one that extends them; the first that fits counts.
_ROLES = {
    "baseSpikeSource": "source",
    "baseCell": "cell",
    "baseSynapse": "synapse",
    "baseSynapseDL": "synapse",
    "baseIonChannel": "channel",
    "concentrationModel": "channel",
    "basePointCurrent": "input",
    "basePointCurrentDL": "input",
}

#: Kinds of the schema that are dimensions of another name, and those that are bare numbers.
_DIMENSION_OF = {
    "pertime": "per_time",
    "rhoFactor": "rho_factor",
    "conductancePerVoltage": "conductance_per_voltage",
    **dict.fromkeys(("int", "float", "fraction", "none", "=0|1"), "none"),
}
_TEXTS = frozenset({"id", "text", "lex", "path"})
#: A rate, or a variable, of Hodgkin and Huxley's: what its attributes hold depends on what it stands in.
_BY_FORM = frozenset({"HHRate", "HHTime", "HHVariable", "Q10Settings"})
#: Children that say something about a component and are none themselves.
_WORDS = ("notes", "property", "annotation")


class Kinds:
    """What types of components say: their own attributes by dimension, their children, what they are for."""

    def __init__(self, own: Mapping[str, ComponentType]) -> None:
        self.types = Types(own)

    def role(self, name: str) -> str:
        """What a component of this type is for; empty where nothing says. Raises GraphError for a broken type."""
        if name not in self.types:
            return ""
        lineage = list(self.types.lineage(name))
        return next((role for base, role in _ROLES.items() if base in lineage), "")

    def child(self, parent: str, tag: str) -> str:
        """The type of a child that states none: of its role in its parent, else called like its element."""
        if tag in self.types or parent not in self.types:
            return tag
        joined = self.types[parent]
        return joined.child.get(tag) or joined.children.get(tag) or tag

    def dimension(self, type_name: str, tag: str, attribute: str) -> str | None:
        """The dimension that an attribute has; empty for a text, None where nobody says."""
        if type_name in self.types:
            joined = self.types[type_name]
            if attribute in joined.parameters:
                return joined.parameters[attribute]
            if attribute in joined.texts or attribute in joined.references:
                return ""
        kind = _schema_kinds(type_name.lower()).get(attribute) or _schema_kinds(tag.lower()).get(attribute)
        if kind is None:
            return None
        if kind in _DIMENSION_OF:
            return _DIMENSION_OF[kind]
        return "" if kind in _TEXTS or kind.startswith("=") else kind

    def allows(self, type_name: str, tag: str, attribute: str) -> bool:
        """Whether a type, or the schema for its element, has an attribute; of a type that nobody defines, any."""
        row = _schema_types().get(tag.lower())
        if row is None and type_name not in self.types:
            return True
        stated = row is not None and attribute in row.attributes
        return stated or self.dimension(type_name, tag, attribute) is not None


@cache
def _schema_kinds(lower: str) -> Mapping[str, str]:
    """Attribute -> kind of the schema's type of that name in lower case."""
    found = _schema_types().get(lower)
    return {} if found is None or found.name in _BY_FORM else found.attributes


@cache
def _schema_types() -> Mapping[str, neuroml_schema.Type]:
    return {name.lower(): row for name, row in neuroml_schema.types().items()}


class Components:
    """Elements of a document as components."""

    def __init__(self, context: Context, kinds: Kinds) -> None:
        self.context, self.kinds = context, kinds

    def read(self, element: Element, parent: str = "", *, checked: bool = False) -> Component:
        """A component with everything in it. parent: the type of the one that it stands in.

        checked: a type that nobody defines is a problem of the context. Raises ReadError for a quantity of the wrong
        dimension.
        """
        take = Take(element, self.context)
        if element.tag in _WORDS:
            return self._words(take)
        kind = take.text("type") or self.kinds.child(parent, element.tag)
        if checked and kind not in self.kinds.types:
            self.context.problem(take.where, f"the component type {kind!r} is not defined")
        identifier = take.text("id")
        parameters, texts = self.attributes(take, kind)
        children = tuple((child.tag, self.read(child, kind, checked=checked)) for child in take.children())
        tag = element.tag if element.tag != kind else ""
        take.rest()
        return Component(kind, identifier, parameters, texts, children, tag)

    def attributes(self, take: Take, kind: str) -> tuple[dict[str, float], dict[str, str]]:
        """The attributes that are left: numbers in coherent units, and texts."""
        parameters: dict[str, float] = {}
        texts: dict[str, str] = {}
        quantities = self.context.quantities
        for name, value in take.attributes().items():
            dimension = self.kinds.dimension(kind, take.element.tag, name)
            if dimension is None and not self.kinds.allows(kind, take.element.tag, name):
                message = f"The attribute {name} of <{take.element.tag}> is kept, but means nothing in NeuroML."
                self.context.not_read("attribute", take.where, message, examples=[value])
            if dimension == "" or (dimension is None and not quantities.is_quantity(value)):
                texts[name] = value
            else:
                try:
                    parameters[name] = quantities.coherent(value, dimension, take.where)
                except ReadError as error:
                    raise ReadError(f"{name}: {error.message}", where=take.where, hint=error.hint) from None
        return parameters, texts

    def words(self, take: Take) -> tuple[tuple[str, Component], ...]:
        """Notes, properties and annotations among the children, as components; they are taken."""
        return tuple((child.tag, self.read(child)) for child in take.children(*_WORDS))

    def _words(self, take: Take) -> Component:
        element = take.element
        if element.tag == "notes":
            take.attributes()
            take.children()
            return Component("notes", texts={"text": element.text})
        if element.tag == "annotation":
            properties = tuple((child.tag, self.read(child)) for child in take.children("property"))
            rest = take.children()
            texts = {"xml": "".join(markup(child) for child in rest)} if rest or element.text.strip() else {}
            if element.text.strip():
                texts["xml"] = element.text + texts["xml"]
            take.attributes()
            return Component("annotation", texts=texts, children=properties)
        texts = take.attributes()
        take.rest()
        return Component("property", texts=texts)


#: Prefixes that people know for namespaces of annotations; others are numbered.
_PREFIXES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://biomodels.net/model-qualifiers/": "bqmodel",
    "http://biomodels.net/biology-qualifiers/": "bqbiol",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
}


def markup(element: Element, declared: Mapping[str, str] = empty()) -> str:
    """An element that is not interpreted, as XML again. declared: prefixes by namespace, of what stands around it."""
    names = [element.tag, *element.attributes]
    spaces = dict(declared)
    for name in names:
        space = _space(name)
        if space and space not in spaces:
            spaces[space] = _PREFIXES.get(space, f"ns{len(spaces)}")
    new = "".join(f' xmlns:{spaces[each]}="{_escaped(each)}"' for each in spaces if each not in declared)
    attributes = "".join(f' {_named(key, spaces)}="{_escaped(value)}"' for key, value in element.attributes.items())
    text = element.text if element.text.strip() or not element.children else ""
    inner = _escaped(text) + "".join(markup(child, spaces) for child in element.children)
    tag = _named(element.tag, spaces)
    return f"<{tag}{new}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{new}{attributes}/>"


def _space(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def _named(name: str, spaces: Mapping[str, str]) -> str:
    space = _space(name)
    return f"{spaces[space]}:{name.rpartition('}')[2]}" if space else name


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
