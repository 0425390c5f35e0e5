"""``<network>`` -> populations, projections and inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_listing import rows_of
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_rows import Rows
from pynn_io.graph.network import Population, Projection
from pynn_io.graph.stimuli import Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.neuroml_cells import Definitions, as_cell
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take
from pynn_io.importers.neuroml_inputs import Inputs, InputTargets, named_by
from pynn_io.importers.neuroml_lists import row_connections, row_instances, row_targets
from pynn_io.importers.neuroml_paths import cell_path
from pynn_io.importers.neuroml_populations import Instances, read_population
from pynn_io.importers.neuroml_projections import Projections

#: <network> has children of these kinds of projections.
_KINDS: Mapping[str, str] = {
    "projection": "chemical",
    "electricalProjection": "electrical",
    "continuousProjection": "graded",
}
_SINGLE = ("synapticConnection", "synapticConnectionWD", "explicitConnection")
#: Kept as they are: where cells may stand, and sets of them.
_SPACES = ("space", "region", "cellSet")
#: Where synapses and inputs are attached, unless something else is said.
_DESTINATION = "synapses"


@dataclass(slots=True)
class Net:
    """What a ``<network>`` came to. celsius: its temperature, None where it states none."""

    name: str = "network"
    populations: dict[str, Population] = field(default_factory=dict)
    projections: dict[str, Projection] = field(default_factory=dict)
    synapses: dict[str, Synapse] = field(default_factory=dict)
    stimuli: tuple[Stimulus, ...] = ()
    celsius: float | None = None


def read_network(element: Element, components: Components, definitions: Definitions) -> Net:
    """A network. Broken references are problems of the context; raises ReadError for what cannot be read."""
    return _Network(Take(element, components.context), components, definitions).read()


class _Network:
    def __init__(self, take: Take, components: Components, definitions: Definitions) -> None:
        self.take, self.components, self.definitions = take, components, definitions
        self.context = components.context
        self.net = Net(take.need("id"))
        self.places: dict[str, Instances] = {}

    def read(self) -> Net:
        take = self.take
        take.text("type")
        take.text("metaid")
        self.net.celsius = take.number("temperature", "degC")
        neurolex = take.text("neuroLexId")
        if neurolex:
            self.context.kept["neuroLexId"] = neurolex
        for child in take.children("population"):
            self._population(Take(child, self.context))
        makes = Projections(self.places, self.definitions, self.context)
        for child in take.children(*_KINDS):
            self._projection(Take(child, self.context), makes)
        self._single_connections(take.children(*_SINGLE), makes)
        inputs = self._inputs()
        named = {*named_by(self.definitions.inputs), *named_by(self.definitions.other), *self._named_by_synapses()}
        self.net.synapses = makes.all_synapses(named)
        self.net.stimuli = tuple(inputs.stimuli)
        self._keep()
        take.rest()
        return self.net

    def _keep(self) -> None:
        spaces = tuple(self.components.read(child) for child in self.take.children(*_SPACES))
        if spaces:
            self.context.kept["spaces"] = spaces
        self.context.about("network", self.components.words(self.take))

    def _named_by_synapses(self) -> set[str]:
        return {
            text
            for synapse in self.definitions.synapses.values()
            for text in synapse.parameters.values()
            if isinstance(text, str)
        }

    # --- populations ------------------------------------------------------------------------------------------------

    def _population(self, take: Take) -> None:
        rows = take.element.rows
        ids, places = (None, None) if rows is None else row_instances(rows, take.where, self.context)
        population, found = read_population(take, ids, places, self.components)
        if population.name in self.net.populations:
            raise ReadError(
                f"two populations are called {population.name!r}",
                where=found.where,
                hint=f"the other is at {self.places[population.name].where}",
            )
        self.places[population.name] = found
        self.net.populations[population.name] = population
        self._cell(found)

    def _cell(self, found: Instances) -> None:
        """A component of which nothing says what it is becomes a cell where it is one of a population."""
        name = found.component
        if name in self.definitions.cells:
            return
        if name in self.definitions.other:
            self.definitions.cells[name] = as_cell(self.definitions.other.pop(name), "cell")
            return
        what = "which is not a cell" if name in self.definitions.where else "which is not defined"
        self.context.problem(found.where, f"the population {found.name!r} is of {name!r}, {what}")

    # --- projections ------------------------------------------------------------------------------------------------

    def _projection(self, take: Take, makes: Projections) -> None:
        kind, name = _KINDS[take.element.tag], take.need("id")
        pre, post = take.need("presynapticPopulation"), take.need("postsynapticPopulation")
        synapse = take.text("synapse")
        self.context.about(f"projection {name}", self.components.words(take))
        named = tuple(self.places[side].component if side in self.places else "" for side in (pre, post))
        rows = take.element.rows or Rows(0)
        found = row_connections(rows, take.where, (pre, post), (named[0], named[1]), synapse, self.context)
        take.rest()
        if name in self.net.projections:
            raise ReadError(f"two projections are called {name!r}", where=take.where)
        made = makes.make(name, kind, pre, post, take.where, found)
        if made is not None:
            self.net.projections[name] = made

    def _single_connections(self, elements: Sequence[Element], makes: Projections) -> None:
        """Connections that stand alone: those between the same populations are one projection."""
        grouped: dict[tuple[str, str], list[Element]] = {}
        for element in elements:
            take = Take(element, self.context)
            source, target = (cell_path(take.need(side), take.where) for side in ("from", "to"))
            grouped.setdefault((source[0], target[0]), []).append(element)
        for (pre, post), members in grouped.items():
            name, number = f"{pre}_{post}", 1
            while name in self.net.projections:
                number += 1
                name = f"{pre}_{post}_{number}"
            rows = rows_of("connectionWD", [(self._as_connection(each), each.where) for each in members])
            owner = members[0].where
            found = row_connections(rows, owner, (pre, post), ("", ""), "", self.context)
            made = makes.make(name, "chemical", pre, post, owner, found)
            if made is not None:
                self.net.projections[name] = made
            self.context.kept.setdefault("synapticConnections", []).append(name)

    def _as_connection(self, element: Element) -> dict[str, str]:
        attributes = dict(element.attributes)
        attributes["preCellId"], attributes["postCellId"] = attributes.pop("from", ""), attributes.pop("to", "")
        self._destination(attributes.pop("destination", _DESTINATION), element.where)
        return attributes

    def _destination(self, stated: str, where: str) -> None:
        if stated != _DESTINATION:
            self.context.not_read(
                "destination", where, "Everything is attached to 'synapses' of a cell.", examples=[stated]
            )

    # --- inputs -----------------------------------------------------------------------------------------------------

    def _inputs(self) -> Inputs:
        inputs = Inputs(self.places, self.definitions, self.context)
        for child in self.take.children("explicitInput"):
            take = Take(child, self.context)
            component, path = take.need("input"), take.need("target")
            self._destination(take.text("destination", _DESTINATION), take.where)
            take.rest()
            population, number, _ = cell_path(path, take.where)
            inputs.add(component, component, population, take.where, InputTargets(np.asarray([number])))
        for child in self.take.children("inputList"):
            take = Take(child, self.context)
            name, component, population = take.need("id"), take.need("component"), take.need("population")
            self.context.about(f"inputList {name}", self.components.words(take))
            cell = self.places[population].component if population in self.places else ""
            rows = take.element.rows or Rows(0)
            destinations = rows.words.get("destination")
            for stated in () if destinations is None else destinations.names:
                self._destination(stated, take.where)
            found = row_targets(rows, take.where, population, cell, self.context)
            take.rest()
            inputs.add(name, component, population, take.where, found)
        for name, place in self.places.items():
            if place.component in self.definitions.trains:
                inputs.trains(name, place.component, self.definitions.trains[place.component], place.size)
        self._unused(inputs)
        return inputs

    def _unused(self, inputs: Inputs) -> None:
        """Inputs that go nowhere have no stimulus; they are kept for a writer of the same format."""
        rest = {name: found for name, found in self.definitions.inputs.items() if name not in inputs.used}
        if rest:
            self.context.kept["inputs"] = rest
