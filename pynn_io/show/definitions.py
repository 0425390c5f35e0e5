"""What a document defines besides the cells and synapses that its populations and projections have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pynn_io.graph.columns import Table
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.graph.network import Network
from pynn_io.show.summary import describe_cell

#: Children of a component that say something about it, and are no part of what it computes.
_WORDS = frozenset({"notes", "property", "annotation"})


@dataclass(frozen=True, slots=True)
class DefinitionSummary:
    """One definition: ``ion channel``, ``na``, ``ionChannelHH: m, h``."""

    kind: str
    name: str
    what: str


def definitions_summary(network: Network) -> list[DefinitionSummary]:
    """Cells and synapses that nothing is made of, ion channels and concentration models, component types."""
    return list(_definitions(network))


def _definitions(network: Network) -> Iterator[DefinitionSummary]:
    used = {name for population in network.populations.values() for name in population.cells}
    for name, cell in network.cells.items():
        if name not in used:
            yield DefinitionSummary("cell", name, ", ".join(filter(None, describe_cell(cell))))
    for name, channel in network.channels.items():
        if isinstance(channel, Component):
            yield DefinitionSummary("channel", name, _component(channel))
    used = {name for projection in network.projections.values() for name in projection.synapses}
    used |= {name for projection in network.projections.values() for name in _pre_synapses(projection.types)}
    for name, synapse in network.synapses.items():
        if name not in used and synapse.model:
            yield DefinitionSummary("synapse", name, synapse.model)
    for name, made in network.component_types.items():
        yield DefinitionSummary("component type", name, _type(made))


def _pre_synapses(types: Table) -> list[str]:
    return [str(name) for name in types.values("pre_synapse")] if "pre_synapse" in types else []


def _component(component: Component) -> str:
    inside = [child.id or role for role, child in component.children if role not in _WORDS]
    return f"{component.type}: {', '.join(inside)}" if inside else component.type


def _type(made: ComponentType) -> str:
    return f"extends {made.extends}" if made.extends else "a type of its own"
