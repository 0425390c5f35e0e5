"""What stands around a network: a component of an own type, whose temperature the network has."""

from __future__ import annotations

from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.types import types_of

_KELVIN = 273.15


def surroundings(network: Network) -> Component | None:
    """The component around a network, as the importer of NeuroML keeps it."""
    found: Component | None = network.extra.get("neuroml", {}).get("surroundings")
    return found


def celsius_at_start(network: Network) -> float | None:
    """The temperature in the surroundings of a network when it starts; None where nothing stands around it, or says."""
    component = surroundings(network)
    if component is None:
        return None
    kelvin = starting_values(flatten(component, types_of(network)), {}).get("temperature")
    return None if kelvin is None else float(kelvin) - _KELVIN
