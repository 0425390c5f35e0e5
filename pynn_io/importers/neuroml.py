"""NeuroML documents and LEMS simulation files -> `Document`.

A file is read with everything that it includes. What it defines becomes the network's definitions, also where no cell
uses it; the network is the one that the simulation aims at, or the only one. What has no place is reported, with its
line; references that lead nowhere are errors, all of them at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.document import Document, name_of
from pynn_io.errors import GraphError
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_source import Source, read_source
from pynn_io.graph.network import Network
from pynn_io.importers.lems_types import component_types
from pynn_io.importers.lems_units import defined_quantities
from pynn_io.importers.neuroml_cells import read_definitions
from pynn_io.importers.neuroml_components import Components, Kinds
from pynn_io.importers.neuroml_context import Context
from pynn_io.importers.neuroml_network import Net, read_network
from pynn_io.importers.neuroml_plan import read_simulation, with_inputs, without_prefix
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.vocabulary.core import core_types


def read(source: Path, report: Report, *, progress: Progress = quiet, **_: Any) -> Document:
    """Read a NeuroML document, or a LEMS file with a simulation, with everything that it includes.

    Raises ReadError (``file:line``) for what breaks the rules of the format, UnsupportedInput, and GraphError, with all
    problems, for references that lead nowhere.
    """
    path = Path(source)
    found = read_source(path, report, core=core_types())
    context = Context(report)
    context.quantities = defined_quantities(found.units, found.dimensions, context)
    if found.dimensions:
        context.kept["dimensions"] = dict(context.quantities.dimensions)
    document = _Importer(found, context).read()
    progress("reading", len(document.network.populations), len(document.network.populations))
    return document


class _Importer:
    def __init__(self, source: Source, context: Context) -> None:
        self.source, self.context = source, context
        self.types = component_types(source.types, context)
        self.components = Components(context, Kinds(self.types))
        self._around: dict[str, Element] = {}

    def read(self) -> Document:
        components, networks = self._unwrapped()
        definitions = read_definitions(components, self.components)
        runs = [read_simulation(element, self.context) for element in self.source.simulations]
        run = runs[0] if runs else None
        element = self._chosen(run.target if run else "", networks)
        self.context.about("document", tuple((word.tag, self.components.read(word)) for word in self.source.words))
        net = Net(name_of(self.source.path)) if element is None else read_network(element, self.components, definitions)
        if element is None:
            net.synapses = definitions.synapses
            if definitions.inputs:
                self.context.kept["inputs"] = definitions.inputs
        inside = element is not None and self._surroundings(element, run.target if run else "")
        used = {name for population in net.populations.values() for name in population.cells}
        rest = {name: tuple(times.tolist()) for name, times in definitions.trains.items() if name not in used}
        if rest:
            self.context.kept["trains"] = rest
        self.context.check()
        plan = with_inputs(run.plan if run else None, net.stimuli, net.celsius)
        if plan is not None and inside:
            plan = without_prefix(plan, f"{net.name}/")
        if definitions.other:
            self.context.kept["components"] = definitions.other
        network = Network(
            net.name,
            net.populations,
            net.projections,
            definitions.cells,
            net.synapses,
            definitions.channels,
            definitions.morphologies,
            extra={"neuroml": self.context.kept} if self.context.kept else {},
            component_types=self.types,
        )
        return Document(
            network, plan, {"format": "neuroml", "source": self.source.path, "files": tuple(self.source.files)}
        )

    def _unwrapped(self) -> tuple[list[Element], list[Element]]:
        """The components without those that only stand around a network, and all networks."""
        components, networks = [], list(self.source.networks)
        for element in self.source.components:
            inside = [child for child in element.children if child.tag == "network"]
            if not inside:
                components.append(element)
                continue
            networks += inside
            around = replace(element, children=tuple(each for each in element.children if each.tag != "network"))
            self._around |= {each.attributes.get("id", ""): around for each in inside}
        return components, networks

    def _surroundings(self, network: Element, target: str) -> bool:
        """Whether the network is simulated in a component around it, which may change its temperature: it is kept.

        A simulation of the network alone leaves that out.
        """
        element = self._around.get(network.attributes.get("id", ""))
        if element is None:
            return False
        name = element.attributes.get("id", "")
        if target not in ("", name):
            message = "The network is simulated without the component around it, which is left out."
            self.context.not_read("surroundings", element.where, message, examples=[name or element.tag])
            return False
        self.context.kept["surroundings"] = self.components.read(element)
        return True

    def _chosen(self, target: str, networks: list[Element]) -> Element | None:
        """The network that is read: the simulation's, or the first one of the file itself."""
        if not networks:
            return None
        aimed = [each for each in networks if target and target in self._names(each)]
        own = [each for each in networks if each.where.rpartition(":")[0] == str(self.source.files[0])]
        chosen = [*aimed, *own, *networks][0]
        if target and not aimed:
            names = ", ".join(each.attributes.get("id", "") for each in networks)
            message = f"the simulation is of {target!r}, which is not a network"
            raise GraphError(message, where=self.source.simulations[0].where, hint=f"networks: {names}")
        for other in networks:
            if other is not chosen:
                self.context.not_read(
                    "network",
                    other.where,
                    "The document has several networks; one is read.",
                    examples=[other.attributes.get("id", "")],
                )
        return chosen

    def _names(self, network: Element) -> tuple[str, str]:
        """The id of a network, and of what stands around it."""
        name = network.attributes.get("id", "")
        around = self._around.get(name)
        return name, "" if around is None else around.attributes.get("id", "")
