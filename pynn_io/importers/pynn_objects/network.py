"""A network of PyNN's objects, of whatever backend, as the canonical graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynn_io.document import Document
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import Stimulus
from pynn_io.importers.pynn_objects.cables import Cable
from pynn_io.importers.pynn_objects.cells import Cells
from pynn_io.importers.pynn_objects.names import Names
from pynn_io.importers.pynn_objects.projections import Surroundings, graph_projections
from pynn_io.importers.pynn_objects.sides import components, node_sets, whole
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SimulationPlan


@dataclass(frozen=True, slots=True)
class Objects:
    """PyNN's objects, each kind in the order in which the graph is to have them."""

    populations: Sequence[Any]
    projections: Sequence[Any] = ()
    views: Sequence[Any] = ()
    assemblies: Sequence[Any] = ()


@dataclass(slots=True)
class Built:
    """What the objects became. names: of the populations, by ``id()`` of the object. stimuli: spikes of sources.

    cables: cells with extent, by name of the population.
    """

    network: Network
    names: dict[int, str] = field(default_factory=dict)
    stimuli: list[Stimulus] = field(default_factory=list)
    cables: dict[str, Cable] = field(default_factory=dict)


def build(objects: Objects, report: Report, name: str = "network") -> Built:
    """The graph of the objects. Arrays are copied: what happens to the objects later does not change it."""
    taken = Names("population", report)
    names = {id(population): taken.take(str(population.label)) for population in objects.populations}
    cells, populations, stimuli, cables = {}, {}, [], {}
    for population in objects.populations:
        label = names[id(population)]
        made = Cells(population, label, report)
        cells[label], populations[label] = made.cell, made.population
        if made.trains is not None:
            stimuli.append(Stimulus(f"{label} spikes", made.trains, label))
        if made.cable is not None:
            cables[label] = made.cable
    projections, synapses = {}, {}
    for projection, synapse in graph_projections(objects.projections, Surroundings(names, cables), report):
        projections[projection.name] = projection
        synapses[projection.name] = synapse
    sets = node_sets(objects.views, objects.assemblies, names)
    shapes = {label: cable.shape for label, cable in cables.items()}
    channels = {key: item for cable in cables.values() for key, item in cable.channels.items()}
    network = Network(name, populations, projections, cells, synapses, channels, shapes, sets)
    return Built(network, names, stimuli, cables)


def ordered(network: Any) -> Objects:
    """The objects of a ``pyNN.network.Network`` in the order in which they were made.

    PyNN keeps them in sets, whose order changes from run to run. Cells are numbered in the order of their making.
    """
    groups = [*network.populations, *network.views, *network.assemblies]
    groups += [side for projection in network.projections for side in (projection.pre, projection.post)]
    populations = _unique(whole(piece) for group in groups for piece in components(group))
    populations.sort(key=lambda population: int(population.first_id))
    # PyNN 0.13 has no hash for views, so that its networks cannot hold any: those that are connected are found here
    views = _unique(group for group in groups if hasattr(group, "grandparent"))
    return Objects(
        populations,
        sorted(network.projections, key=_made),
        sorted(views, key=lambda view: str(view.label)),
        sorted(network.assemblies, key=lambda assembly: str(assembly.label)),
    )


def _made(projection: Any) -> tuple[Any, ...]:
    """What tells projections apart: NEST's backend counts them, elsewhere their ends and labels do."""
    ends = int(projection.pre.first_id), int(projection.post.first_id)
    number = getattr(projection, "nest_synapse_label", 0)
    kind = type(projection.synapse_type).__name__
    # counting them takes NEST as long as saying what they are
    size = 0 if number else len(projection)
    return number, *ends, str(projection.label), str(projection.receptor_type), kind, size


def _tell_currents(network: Any, report: Report) -> None:
    """Report the current sources of the backend (``current-source``): PyNN's networks do not have them."""
    state = getattr(getattr(network.sim, "simulator", None), "state", None)
    kinds = [type(source).__name__ for source in getattr(state, "current_sources", ()) if len(source.cell_list)]
    if kinds:
        message = "A network of PyNN does not have the currents that go into its cells; a script that makes them has."
        report.lost("current-source", "network", message, count=len(kinds), examples=sorted(set(kinds)))


def _unique(items: Iterable[Any]) -> list[Any]:
    """Each object once; views and populations of PyNN cannot all be hashed."""
    return list({id(item): item for item in items}.values())


def document_of(network: Any, report: Report) -> Document:
    """The document of a ``pyNN.network.Network`` of any backend: what is connected, and the spikes of its sources.

    What cannot be read back from a backend is reported.
    """
    built = build(ordered(network), report)
    _tell_currents(network, report)
    plan = SimulationPlan(stimuli=tuple(built.stimuli)) if built.stimuli else None
    return Document(built.network, plan, {"format": "pynn", "dialect": network.sim.__name__.rpartition(".")[2]})
