"""Components of a document -> the definitions of a network: cells, channels, synapses, morphologies, inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.biophysics import ChannelDensity, ChannelPopulation, ConcentrationModel, Paint
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.dynamics import Component
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.neuroml_biophysics import read_biophysics
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take
from pynn_io.importers.neuroml_morphology import read_morphology
from pynn_io.units import convert
from pynn_io.vocabulary.models import known

#: PyNN's cells in NeuroML state numbers in these units; where PyNN's own unit is another, a number is converted.
_PYNN_UNITS = {"a": "uS"}
_PYNN = frozenset(
    {
        *("IF_curr_alpha", "IF_curr_exp", "IF_cond_alpha", "IF_cond_exp"),
        *("EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp"),
    }
)
#: States that NeuroML starts at 0 where PyNN does not: no gate of the core type has an initial value.
_STARTS = {"HH_cond_exp": {"m": 0.0, "h": 0.0, "n": 0.0}}
_BIOPHYSICS = ("biophysicalProperties", "biophysicalProperties2CaPools")
_CABLE = frozenset({"cell", "cell2CaPools"})
_SPIKES = "spikeArray"
_SPIKE = ("id", "time")


@dataclass(slots=True)
class Definitions:
    """What a document defines, by id.

    trains: times (ms) of spike arrays. other: components for which nothing says what they are. where: of all.
    """

    cells: dict[str, Cell] = field(default_factory=dict)
    channels: dict[str, Component] = field(default_factory=dict)
    synapses: dict[str, Synapse] = field(default_factory=dict)
    inputs: dict[str, Component] = field(default_factory=dict)
    morphologies: dict[str, Morphology] = field(default_factory=dict)
    trains: dict[str, np.ndarray] = field(default_factory=dict)
    other: dict[str, Component] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)


def read_definitions(elements: Iterable[Element], components: Components) -> Definitions:
    """Every component of a document in its place.

    Raises ReadError for two of one id; references that lead nowhere are problems of the context.
    """
    return _Reader(components).read(elements)


class _Reader:
    def __init__(self, components: Components) -> None:
        self.components, self.context = components, components.context
        self.found = Definitions()
        self.shared: dict[str, dict[str, Element]] = {"morphology": {}, **{tag: {} for tag in _BIOPHYSICS}}
        self.decors: dict[str, tuple[Paint, ...]] = {}
        self.read_components: list[tuple[Component, str]] = []

    def read(self, elements: Iterable[Element]) -> Definitions:
        cells: list[Element] = []
        for element in elements:
            identifier = self._new(element)
            if element.tag in self.shared:
                self.shared[element.tag][identifier] = element
            elif element.attributes.get("type", element.tag) in _CABLE:
                cells.append(element)
            else:
                self._component(identifier, element)
        for name, element in self.shared["morphology"].items():
            self.found.morphologies[name] = read_morphology(element, name, self.components)
        for element in cells:
            self.found.cells[element.attributes["id"]] = self._cable(Take(element, self.context))
        self._unused_biophysics()
        self._references()
        return self.found

    def _new(self, element: Element) -> str:
        identifier = element.attributes.get("id", "")
        if not identifier:
            raise ReadError(f"<{element.tag}> has no attribute 'id'", where=element.where)
        if identifier in self.found.where:
            raise ReadError(
                f"two components are called {identifier!r}",
                where=element.where,
                hint=f"the other is at {self.found.where[identifier]}",
            )
        self.found.where[identifier] = element.where
        return identifier

    def _component(self, identifier: str, element: Element) -> None:
        component = self.components.read(element, checked=True)
        self.read_components.append((component, element.where))
        role = self.components.kinds.role(component.type)
        if component.type == _SPIKES:
            self.found.trains[identifier] = self._times(component, element)
        if role in ("cell", "source"):
            self.found.cells[identifier] = as_cell(component, role)
        elif role == "channel":
            self.found.channels[identifier] = component
        elif role == "synapse":
            self.found.synapses[identifier] = Synapse(
                f"neuroml:{component.type}", {**component.parameters, **component.texts}, children=component.children
            )
        elif role == "input":
            self.found.inputs[identifier] = component
        else:
            self.found.other[identifier] = component

    def _times(self, component: Component, element: Element) -> np.ndarray:
        """When the source of a list spikes, float64[n] in ms."""
        if element.rows is None:
            return np.asarray([child.parameters.get("time", 0.0) for child in component.all("spike")], dtype=np.float64)
        self.context.left_over(element.rows, _SPIKE, element.where)
        return np.ma.getdata(element.rows.numbers.get("time", np.zeros(0))).astype(np.float64)

    # --- cable cells ----------------------------------------------------------------------------------------------

    def _cable(self, take: Take) -> CableCell:
        name = take.need("id")
        names = {} if take.element.tag == "cell" else {"element": take.element.tag}
        take.text("type")
        morphology = self._morphology(name, take, names)
        decor: tuple[Paint, ...] = ()
        for tag in _BIOPHYSICS:
            decor += self._biophysics(name, tag, take, names)
        self.context.about(f"cell {name}", self.components.words(take))
        neurolex = take.text("neuroLexId")
        if neurolex:
            names["neuroLexId"] = neurolex
        take.text("metaid")
        take.rest()
        if names:
            self.context.kept.setdefault("cells", {})[name] = names
        return CableCell(morphology, decor)

    def _morphology(self, name: str, take: Take, names: dict[str, str]) -> str | None:
        """The name under which the network has the cell's morphology; one in the cell itself bears the cell's name."""
        inner, stated = take.only("morphology"), take.text("morphology")
        if inner is not None:
            names["morphology"] = inner.attributes.get("id", "")
            key = name
            while key in self.shared["morphology"]:
                key += "_"
            self.found.morphologies[key] = read_morphology(inner, key, self.components)
            return key
        if stated and stated not in self.shared["morphology"]:
            self.context.problem(take.where, f"the cell {name!r} has the morphology {stated!r}, which is not defined")
        return stated or None

    def _biophysics(self, name: str, tag: str, take: Take, names: dict[str, str]) -> tuple[Paint, ...]:
        inner, stated = take.only(tag), take.text(tag)
        if inner is not None:
            names[tag] = inner.attributes.get("id", "")
            return read_biophysics(inner, self.components, name)
        if not stated:
            return ()
        names[tag] = stated
        names[f"{tag} by reference"] = stated
        if stated not in self.shared[tag]:
            self.context.problem(take.where, f"the cell {name!r} has the {tag} {stated!r}, which are not defined")
            return ()
        if stated not in self.decors:
            self.decors[stated] = read_biophysics(self.shared[tag][stated], self.components, stated)
        return self.decors[stated]

    def _unused_biophysics(self) -> None:
        for tag in _BIOPHYSICS:
            for name, element in self.shared[tag].items():
                if name not in self.decors:
                    decor = read_biophysics(element, self.components, name)
                    self.context.kept.setdefault("biophysics", {})[name] = decor
                    self.decors[name] = decor

    # --- references -----------------------------------------------------------------------------------------------

    def _references(self) -> None:
        for component, where in self.read_components:
            inside = {part.id for part in component.walk()}
            for part in component.walk():
                self._component_references(component.id, part, where, inside)
        for name, cell in self.found.cells.items():
            if isinstance(cell, CableCell):
                self._decor_references(name, cell)

    def _component_references(self, name: str, part: Component, where: str, inside: set[str]) -> None:
        """A component names others of the document, or (states of a channel) its own siblings."""
        types = self.components.kinds.types
        for role in types[part.type].references if part.type in types else ():
            stated = part.texts.get(role)
            if stated and stated not in self.found.where and stated not in inside:
                self.context.problem(where, f"{name!r} has the {role} {stated!r}, which is not defined")

    def _decor_references(self, name: str, cell: CableCell) -> None:
        where = self.found.where[name]
        morphology = self.found.morphologies.get(cell.morphology or "")
        for entry in cell.decor:
            item = entry.item
            if isinstance(item, ChannelDensity | ChannelPopulation) and item.channel not in self.found.channels:
                self.context.problem(where, f"the cell {name!r} has the ion channel {item.channel!r}: not defined")
            if isinstance(item, ConcentrationModel) and item.mechanism not in self.found.channels:
                message = f"the cell {name!r} has the concentration model {item.mechanism!r}: not defined"
                self.context.problem(where, message)
            regions = [entry.region]
            if isinstance(item, ChannelDensity) and item.profiles:
                regions = [profile.group for profile in item.profiles]
            for region in regions:
                if morphology is not None and not _has_region(morphology, region):
                    message = f"the cell {name!r} states something for {region!r}, which its morphology does not have"
                    self.context.problem(where, message)


def _has_region(morphology: Morphology, region: str) -> bool:
    if region.startswith("segment:"):
        number = region.partition(":")[2]
        return number.isdigit() and bool((morphology.id == int(number)).any())
    return region == "all" or region in morphology.groups


def as_cell(component: Component, role: str) -> Cell:
    """A component that is a cell, or a source of spikes, as the graph has it."""
    maker = _STANDARD.get(component.type)
    if maker is not None:
        return maker(component)
    kind = SpikeSource if role == "source" else PointCell
    return kind(f"neuroml:{component.type}", {**component.parameters, **component.texts}, children=component.children)


def _pynn_cell(component: Component) -> PointCell:
    """PyNN's own cell; ``v_init`` is the initial value of its potential."""
    model = known(component.type)
    values: dict[str, Any] = dict(_STARTS.get(component.type, {}))
    for name, value in component.parameters.items():
        name = "v" if name == "v_init" else name
        row = None if model is None else model.parameter(name)
        given = _PYNN_UNITS.get(name)
        values[name] = value if given is None or row is None else convert(value, given, row.unit)
    return PointCell(component.type, {**values, **component.texts}, children=component.children)


def _pynn_poisson(component: Component) -> SpikeSource:
    values = {name: value * 1e3 if name == "rate" else value for name, value in component.parameters.items()}
    return SpikeSource("SpikeSourcePoisson", {**values, **component.texts}, children=component.children)


def _spike_array(component: Component) -> SpikeSource:
    """The times are in the plan; what is said besides stays."""
    rest = tuple((role, child) for role, child in component.children if role != "spike")
    return SpikeSource("SpikeSourceArray", dict(component.texts), children=rest)


_STANDARD: Mapping[str, Callable[[Component], Cell]] = {
    **dict.fromkeys(_PYNN, _pynn_cell),
    "SpikeSourcePoisson": _pynn_poisson,
    _SPIKES: _spike_array,
}
