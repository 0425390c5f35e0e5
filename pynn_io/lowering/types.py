"""Component types with what they inherit: those of a document before the core types of that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from pynn_io.errors import GraphError
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.graph.network import Network
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.dimensions import check
from pynn_io.vocabulary.core import core_types

#: What a type has of its own if it states equations at all, and else of the type that it extends.
_EQUATIONS = (
    *("states", "derived", "derivatives", "on_start", "conditions", "events", "regimes", "kinetic_schemes"),
    "exposed",
)
_SCHEME = "neuroml:"


class Types:
    """Every type by name, joined with what it extends when first asked for."""

    def __init__(self, own: Mapping[str, ComponentType] | None = None) -> None:
        self._raw = {**core_types(), **(own or {})}
        self._own = frozenset(own or {})
        self._joined: dict[str, ComponentType] = {}
        self._sound: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def __getitem__(self, name: str) -> ComponentType:
        """The type with all that it inherits. Raises GraphError for an unknown one, or one that extends itself."""
        if name not in self._joined:
            self._joined[name] = self._join(name)
        return self._joined[name]

    def sound(self, name: str) -> ComponentType:
        """The same, and the dimensions of its equations go together if it is one of the document. Raises GraphError."""
        found = self[name]
        if name in self._own and name not in self._sound:
            check(found)
            self._sound.add(name)
        return found

    def lineage(self, name: str) -> Iterator[str]:
        """The type and those that it extends, nearest first. Raises GraphError."""
        seen: list[str] = []
        where = ""
        while name:
            if name in seen:
                raise GraphError(f"component types extend each other: {' > '.join([*seen, name])}", where=where)
            if name not in self._raw:
                raise GraphError(
                    f"the component type {name!r} is not defined" + (f", which {seen[-1]!r} extends" if seen else ""),
                    where=where,
                    hint="include the file that defines it",
                )
            seen.append(name)
            yield name
            where, name = self._raw[name].where, self._raw[name].extends

    def is_a(self, name: str, base: str) -> bool:
        """Whether a type is another one or extends it."""
        return name in self._raw and base in self.lineage(name)

    def _join(self, name: str) -> ComponentType:
        above = list(self.lineage(name))
        own = self._raw[name]
        if len(above) == 1:
            return own
        base = self[above[1]]
        merged: dict[str, Any] = {
            each.name: _merged(getattr(base, each.name), getattr(own, each.name)) for each in fields(own)
        }
        source = own if any(getattr(own, part) for part in _EQUATIONS) else base
        merged |= {part: getattr(source, part) for part in _EQUATIONS}
        return replace(own, **{key: value for key, value in merged.items() if key not in _HEAD})


_HEAD = ("name", "extends", "description", "where")


def _merged(base: object, own: object) -> object:
    """Mappings and tuples of both; what is stated again is the nearer one's."""
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        return {**base, **own}
    if isinstance(base, tuple) and isinstance(own, tuple):
        named = {getattr(item, "name", item) for item in own}
        return (*(item for item in base if getattr(item, "name", item) not in named), *own)
    return own


def types_of(network: Network) -> Types:
    """The types that a network knows."""
    return Types(network.component_types)


def as_component(name: str, definition: PointCell | SpikeSource | Synapse) -> Component:
    """A cell, source or synapse with a model ``neuroml:TYPE`` as the component it is."""
    numbers = {key: float(value) for key, value in definition.parameters.items() if not isinstance(value, str)}
    texts = {key: value for key, value in definition.parameters.items() if isinstance(value, str)}
    return Component(definition.model.removeprefix(_SCHEME), name, numbers, texts, definition.children)


def components_of(network: Network) -> dict[str, Component]:
    """Everything in a network that another component may name: synapses, channels, concentration models, cells."""
    found = {name: item for name, item in network.channels.items() if isinstance(item, Component)}
    for named in (network.synapses, network.cells):
        for name, item in named.items():
            if isinstance(item, PointCell | SpikeSource | Synapse) and item.model.startswith(_SCHEME):
                found[name] = as_component(name, item)
    return found
