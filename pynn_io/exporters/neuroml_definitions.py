"""What a network defines in NeuroML's own words: cells, synapses, inputs, channels and types, each in its file.

What the schema has goes into the document, ion channels and cable cells into files of their own, and what it does not
have (components of own types, core types without an element) into ``NAME.components.xml``: docs/neuroml_own_types.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.exporters.lems_types import type_elements
from pynn_io.exporters.neuroml_cells import biophysics_element, cell_element, channels_of, morphology_element
from pynn_io.exporters.neuroml_components import Component as Made
from pynn_io.exporters.neuroml_elements import Elements, fits
from pynn_io.formats.neuroml_records import DocumentHead, Element, Ids, nml_id
from pynn_io.formats.neuroml_schema import types
from pynn_io.formats.neuroml_units import plain_number
from pynn_io.formats.neuroml_xml import write_document
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.segments import Morphology
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary.core import core_types
from pynn_io.vocabulary.models import known
from pynn_io.vocabulary.neuroml import CARRIER

PREFIX = "neuroml:"
_BIOPHYSICS = "biophysicalProperties"
_WORDS = ("notes", "property", "annotation")
#: PyNN's cells in NeuroML are bare numbers in these units, where PyNN's own unit is another.
_PYNN_UNITS = {"a": "uS"}
#: States of PyNN's cells that NeuroML starts at 0, having no attribute for them.
_STARTS_AT_REST = frozenset({"m", "h", "n"})


def born_in_neuroml(network: Network) -> bool:
    """Whether a network speaks NeuroML: then it is written as it came, under the names that it has."""
    if "neuroml" in network.extra or network.component_types:
        return True
    models = [getattr(each, "model", "") for each in (*network.cells.values(), *network.synapses.values())]
    components = any(isinstance(channel, Component) for channel in network.channels.values())
    return components or any(model.startswith(PREFIX) for model in models)


class Definitions:
    """Writes definitions when they are asked for, each once. core, own, includes: what the document then needs."""

    def __init__(self, network: Network, dest: Path, stem: str, ids: Ids, report: Report) -> None:
        self._network, self._dest, self._stem, self._ids, self._report = network, dest, stem, ids, report
        self._core = core_types()
        self.elements = Elements(network.component_types, self._core, report)
        self.core: list[Element] = []
        self.own: list[Element] = []
        self.includes: list[str] = []
        self.said: set[str] = set()
        self._files: dict[str, str | None] = {}
        self._done: dict[tuple[str, str], str] = {}
        self._parts: dict[tuple[str, str], Element] = {}
        self._written: set[str] = set()
        self.types = self._types()

    # --- components -----------------------------------------------------------------------------------------------

    def cell(self, name: str, cell: Cell) -> str | None:
        """The id of a point cell or source that is a component; None where it has no NeuroML words of its own.

        name: of the definition; it stays the id where nothing else has it.
        """
        if not isinstance(cell, PointCell | SpikeSource):
            return None
        if not cell.model.startswith(PREFIX):
            element = self._pynn(name, cell)
            return None if element is None else self._put(("cell", name), element)
        component = _component(name, cell.model, cell.parameters, cell.children)
        return self._put(("cell", name), self.elements.top(component, CARRIER["cell"]))

    def has_cell(self, name: str) -> bool:
        """Whether the cell has been written."""
        return ("cell", name) in self._done

    def synapse(self, name: str) -> str:
        """The id of a synapse that is a component."""
        found = self._network.synapses[name]
        component = _component(name, found.model, found.parameters, found.children)
        return self._put(("synapse", name), self.elements.top(component, CARRIER["synapse"]))

    def input(self, component: Component) -> str:
        """The id of an input's component."""
        return self._put(("input", component.id), self.elements.top(component, CARRIER["input"]))

    def standard(self, made: Made, words: str = "") -> str:
        """The id of a component that stands for a standard model of the graph; the wish for its id may be taken.

        words: key of what is said about it.
        """
        key = ("standard", f"{made.id} {made.type} {sorted(made.attributes.items())}")
        if key in self._done:
            return self._done[key]
        taken = {element.attributes["id"] for element in (*self.core, *self.own)}
        identifier = made.id if made.id not in taken else self._ids.new(made.id)
        return self._put(key, Element(made.type, {"id": identifier, **made.attributes}, self.about(words)))

    def _put(self, key: tuple[str, str], element: Element) -> str:
        if key not in self._done:
            self._done[key] = element.attributes["id"]
            (self.core if fits(element) else self.own).append(element)
        return self._done[key]

    def _pynn(self, name: str, cell: PointCell | SpikeSource) -> Element | None:
        """One of PyNN's cells that NeuroML has, with all that it has; None for any other model or with less."""
        place = types().get(cell.model[:1].upper() + cell.model[1:])
        if place is None or not isinstance(cell, PointCell) or "cm" not in place.required:
            return None
        values = {"v_init" if key == "v" else key: value for key, value in cell.parameters.items()}
        for state in _STARTS_AT_REST & values.keys():
            if cell.model == "HH_cond_exp" and values[state] == 0:
                del values[state]
        wanted = [key for key in place.required if key != "id"]
        if set(values) - {"neuroLexId", "metaid"} != set(wanted):
            return None
        model = known(cell.model)
        attributes = {"id": name}
        for key in wanted:
            row = None if model is None else model.parameter("v" if key == "v_init" else key)
            value = float(values[key])
            if key in _PYNN_UNITS and row is not None:
                value = convert(value, row.unit, _PYNN_UNITS[key])
            attributes[key] = plain_number(value)
        attributes |= {key: str(values[key]) for key in ("neuroLexId", "metaid") if key in values}
        children = tuple(self.elements.element(child, role, None) for role, child in cell.children)
        return Element(cell.model, attributes, children)

    # --- cable cells ----------------------------------------------------------------------------------------------

    def cable(self, identifier: str, cell: CableCell, morphology: Morphology, where: str) -> None:
        """Write the file of a cable cell, and those of its channels."""
        if ("cell", identifier) in self._done:
            return
        self._done["cell", identifier] = identifier
        names = self.kept("cells").get(identifier, {})
        element = self._annotated(
            cell_element(identifier, cell, morphology, names, where, self._report), cell.morphology or identifier
        )
        files = [self.channel(name, where) for name in channels_of(cell)]
        if cell.morphology != identifier and "morphology" not in names and self._free(cell.morphology):
            element = self._apart(element, "morphology", str(cell.morphology), files)
        if names.get(f"{_BIOPHYSICS} by reference"):
            element = self._apart(element, _BIOPHYSICS, names[f"{_BIOPHYSICS} by reference"], files)
        head = DocumentHead(
            identifier, includes=tuple(file for file in dict.fromkeys(files) if file), components=(element,)
        )
        file = f"{identifier}.cell.nml"
        write_document(self._dest / file, head)
        self.includes.append(file)

    def _free(self, name: str | None) -> bool:
        """Whether a morphology is a component of its own, to which cells refer."""
        return name is not None and nml_id(name) == name and name not in self._network.cells

    def _apart(self, cell: Element, tag: str, name: str, files: list[str | None]) -> Element:
        """A cell that refers to a part of it, which gets a file of its own; files: what the cell includes.

        As it is where another cell's part of that name is another.
        """
        found = next(child for child in cell.children if child.tag == tag)
        part = replace(found, attributes={**found.attributes, "id": name})
        if self._parts.setdefault((tag, name), part) != part:
            return cell
        file = f"{name}.{tag}.nml"
        if file not in self._written:
            self._written.add(file)
            inside = tuple(each for each in dict.fromkeys(files) if each) if tag == _BIOPHYSICS else ()
            write_document(
                self._dest / file, DocumentHead(nml_id(f"{name}_document"), includes=inside, components=(part,))
            )
        files.append(file)
        rest = tuple(child for child in cell.children if child.tag != tag)
        return replace(cell, attributes={**cell.attributes, tag: name}, children=rest)

    def _with_words(self, name: str, morphology: Morphology) -> Element:
        element = morphology_element(name, morphology)
        return replace(element, children=(*self.about(f"morphology {name}"), *element.children))

    def channel(self, name: str, where: str) -> str | None:
        """The file of a channel or concentration model; None (reported) where it is in another language."""
        if name in self._files:
            return self._files[name]
        found = self._network.channels.get(name)
        if not isinstance(found, Component):
            self._report.lost(
                "channel",
                where,
                f"{name} has no NeuroML definition: it is left out, and what refers to it refers to nothing.",
                examples=[name],
            )
            self._files[name] = None
            return None
        element = self.elements.top(found)
        suffix = "nml" if fits(element) else "xml"
        file = f"{nml_id(name)}.channel.{suffix}"
        includes = (self.types,) if self.types and self.elements.own_types(found) else ()
        write_document(
            self._dest / file,
            DocumentHead(nml_id(f"{name}_channel"), includes=includes, components=(element,), lems=suffix == "xml"),
        )
        self._files[name] = file
        return file

    def channel_files(self, cell: CableCell, where: str) -> dict[str, str]:
        """The files of those of a cell's channels that are components, by name."""
        known = self._network.channels
        names = [name for name in channels_of(cell) if isinstance(known.get(name), Component)]
        return {name: file for name in names if (file := self.channel(name, where)) is not None}

    def _annotated(self, element: Element, morphology: str) -> Element:
        """A cell with what is said about it and its parts, which the graph has no place for."""
        children = []
        for child in element.children:
            key = f"biophysicalProperties {element.attributes['id']}" if "biophysical" in child.tag else child.tag
            key = f"morphology {morphology}" if child.tag == "morphology" else key
            children.append(replace(child, children=(*self.about(key), *child.children)))
        own = self.about(f"cell {element.attributes['id']}")
        return replace(element, children=(*own, *children))

    def about(self, key: str) -> tuple[Element, ...]:
        """Notes, properties and annotations of a thing, in the schema's order; each is asked for once."""
        self.said.add(key)
        found = [self.elements.element(word, role, None) for role, word in self.kept("about").get(key, ())]
        return tuple(sorted(found, key=lambda each: _WORDS.index(each.tag)))

    def kept(self, key: str) -> Mapping[str, Any]:
        """What the importer kept under that key of `Network.extra`, by name."""
        found: Mapping[str, Any] = self._network.extra.get("neuroml", {}).get(key, {})
        return found

    # --- what nothing refers to -----------------------------------------------------------------------------------

    def rest(self) -> None:
        """Definitions of the document that no population, projection or input has asked for."""
        for name, synapse in self._network.synapses.items():
            if synapse.model.startswith(PREFIX):
                self.synapse(name)
        for name, cell in self._network.cells.items():
            if isinstance(cell, CableCell) and (found := cell.morphology) in self._network.morphologies:
                self.cable(name, cell, self._network.morphologies[str(found)], f"cell {name}")
            elif ("cell", name) not in self._done:
                self.cell(name, cell)
        for name, channel in self._network.channels.items():
            if isinstance(channel, Component) and name not in self._files:
                self.includes.append(str(self.channel(name, f"channel {name}")))
        used = {cell.morphology for cell in self._network.cells.values() if isinstance(cell, CableCell)}
        for name, morphology in self._network.morphologies.items():
            if name not in used:
                self.core.append(self._with_words(name, morphology))
        self._kept_components()

    def _kept_components(self) -> None:
        """What the document defines and the graph has no place for."""
        for component in self.kept("inputs").values():
            self.input(component)
        for component in self.kept("components").values():
            self._put(("other", component.id), self.elements.top(component))
        for name, decor in self.kept("biophysics").items():
            self.core.append(biophysics_element(name, decor, {}, f"biophysicalProperties {name}", self._report))

    def _types(self) -> str:
        """The file of the network's own types; empty where it has none."""
        if not self._network.component_types and not self.kept("dimensions"):
            return ""
        file = f"{self._stem}.types.xml"
        elements = (
            *(_dimension(name, powers) for name, powers in self.kept("dimensions").items()),
            *type_elements(self._network.component_types, self._core),
        )
        write_document(self._dest / file, DocumentHead(nml_id(f"{self._stem}_types"), components=elements, lems=True))
        return file


#: Attributes of LEMS's <Dimension>, in the order of `pynn_io.units.DIMENSIONS`: kg, m, s, A, K, mol.
_BASE = ("m", "l", "t", "i", "k", "n")


def _dimension(name: str, powers: Sequence[int]) -> Element:
    stated = {letter: str(power) for letter, power in zip(_BASE, powers, strict=True) if power}
    return Element("Dimension", {"name": name, **stated})


def _component(
    name: str, model: str, values: Mapping[str, Any], children: tuple[tuple[str, Component], ...]
) -> Component:
    """A definition of the graph as a component: numbers and texts apart."""
    numbers = {key: float(value) for key, value in values.items() if not isinstance(value, str)}
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    return Component(model.removeprefix(PREFIX), name, numbers, texts, children)
