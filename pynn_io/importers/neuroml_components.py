"""Elements -> `Component`: numbers in coherent units, texts, children; and what a component is for, by its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from pynn_io.errors import GraphError, ReadError
from pynn_io.formats import neuroml_schema
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.importers.neuroml_context import Context, Take

#: What a component is for -> the core types that are the roots of such types, and all that stand below them without
#: saying so in the schema.
_ROLES = {
    "cell": """baseCell baseSpikingCell baseCellMembPot baseCellMembPotDL baseCellMembPotCap baseIaf baseIafCapCell
        iafTauCell iafTauRefCell iafCell iafRefCell izhikevichCell izhikevich2007Cell adExIaFCell fitzHughNagumoCell
        fitzHughNagumo1969Cell pinskyRinzelCA3Cell hindmarshRose1984Cell pointCellCondBased pointCellCondBasedCa
        basePyNNCell basePyNNIaFCell basePyNNIaFCondCell IF_curr_alpha IF_curr_exp IF_cond_alpha IF_cond_exp
        EIF_cond_exp_isfa_ista EIF_cond_alpha_isfa_ista HH_cond_exp cell cell2CaPools""",
    "source": """baseSpikeSource spikeGenerator spikeGeneratorRandom spikeGeneratorPoisson spikeGeneratorRefPoisson
        spikeArray SpikeSourcePoisson""",
    "channel": """baseIonChannel ionChannel ionChannelHH ionChannelPassive ionChannelVShift ionChannelKS
        concentrationModel decayingPoolConcentrationModel fixedFactorConcentrationModel
        fixedFactorConcentrationModelTraub""",
    "synapse": """baseSynapse baseVoltageDepSynapse baseSynapseDL baseCurrentBasedSynapse baseConductanceBasedSynapse
        baseConductanceBasedSynapseTwo baseGradedSynapse alphaCurrentSynapse expOneSynapse alphaSynapse expTwoSynapse
        expThreeSynapse blockingPlasticSynapse doubleSynapse stdpSynapse gapJunction silentSynapse linearGradedSynapse
        gradedSynapse basePynnSynapse expCondSynapse expCurrSynapse alphaCondSynapse alphaCurrSynapse""",
    "input": """basePointCurrent baseVoltageDepPointCurrent baseVoltageDepPointCurrentSpiking basePointCurrentDL
        baseVoltageDepPointCurrentDL poissonFiringSynapse transientPoissonFiringSynapse timedSynapticInput
        pulseGenerator pulseGeneratorDL sineGenerator sineGeneratorDL rampGenerator rampGeneratorDL compoundInput
        compoundInputDL voltageClamp voltageClampTriple""",
}
#: core type -> what it is for.
ROLE_OF: Mapping[str, str] = {name: role for role, names in _ROLES.items() for name in names.split()}

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


@dataclass(frozen=True, slots=True)
class Types:
    """The types that a document defines, with what is known of the core ones: attributes by kind, and roles."""

    own: Mapping[str, ComponentType] = field(default_factory=empty)

    def chain(self, name: str, where: object = "") -> Iterator[ComponentType]:
        """A type of the document and those of it that it extends. Raises GraphError where they go in a circle."""
        seen: list[str] = []
        while name in self.own:
            if name in seen:
                raise GraphError(f"the types {' -> '.join([*seen, name])} extend each other", where=where)
            seen.append(name)
            yield self.own[name]
            name = self.own[name].extends

    def core(self, name: str, where: object = "") -> str:
        """The name of the core type that a type is or extends; empty where it extends none."""
        for found in self.chain(name, where):
            name = found.extends
        return name

    def role(self, name: str, where: object = "") -> str:
        """What a component of this type is for; empty where nothing says."""
        return ROLE_OF.get(self.core(name, where), "")

    def dimension(self, type_name: str, tag: str, attribute: str, where: object) -> str | None:
        """The dimension that an attribute has; empty for a text, None where nobody says."""
        core = type_name
        for found in self.chain(type_name, where):
            if attribute in found.parameters:
                return found.parameters[attribute]
            if attribute in found.texts or attribute in found.references:
                return ""
            core = found.extends
        kind = _schema_kinds(core.lower()).get(attribute) or _schema_kinds(tag.lower()).get(attribute)
        if kind is None:
            return None
        if kind in _DIMENSION_OF:
            return _DIMENSION_OF[kind]
        return "" if kind in _TEXTS or kind.startswith("=") else kind


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

    def __init__(self, context: Context, types: Types) -> None:
        self.context, self.types = context, types

    def read(self, element: Element) -> Component:
        """A component with everything in it. Raises ReadError for a quantity of the wrong dimension."""
        take = Take(element, self.context)
        if element.tag in _WORDS:
            return self._words(take)
        kind = take.text("type") or element.tag
        identifier = take.text("id")
        parameters, texts = self.attributes(take, kind)
        children = tuple((child.tag, self.read(child)) for child in take.children())
        tag = element.tag if element.tag != kind else ""
        take.rest()
        return Component(kind, identifier, parameters, texts, children, tag)

    def attributes(self, take: Take, kind: str) -> tuple[dict[str, float], dict[str, str]]:
        """The attributes that are left: numbers in coherent units, and texts."""
        parameters: dict[str, float] = {}
        texts: dict[str, str] = {}
        quantities = self.context.quantities
        for name, value in take.attributes().items():
            dimension = self.types.dimension(kind, take.element.tag, name, take.where)
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


def markup(element: Element) -> str:
    """An element that is not interpreted, as XML again."""
    attributes = "".join(f' {name}="{_escaped(value)}"' for name, value in element.attributes.items())
    inner = _escaped(element.text) + "".join(markup(child) for child in element.children)
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>" if inner else f"<{element.tag}{attributes}/>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
