"""Calls of PyNN 0.7 and before that PyNN has no more, and what is said today in their place.

Those that PyNN still has as deprecated names (``printSpikes``, ``getWeights``, ``record_v``) work as they do there.

Where such a name is an attribute, asking whether it is there still says no, as with any class that lacks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


class OldCall(Exception):
    """A script uses a call that PyNN no longer has. ``hint``: the present one."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class OldAttribute(OldCall, AttributeError):
    """An old name of an attribute."""


class OldArgument(OldCall, TypeError):
    """An old argument of a call that still exists."""


#: Of populations, views and assemblies.
POPULATION: Mapping[str, str] = {
    "getSpikes": "population.get_data('spikes').segments[0].spiketrains gives Neo spike trains, one a cell",
    "print_c": "population.write_data('file.pkl', ['gsyn_exc', 'gsyn_inh'])",
    "record_c": "population.record(['gsyn_exc', 'gsyn_inh'])",
    "randomInit": "population.initialize(v=RandomDistribution(...))",
    "saveSpikes": "population.write_data('file.pkl', 'spikes')",
    "getSubPopulation": "population[2:5] is a view of its cells",
    "locate": "population.position_generator, or population.positions.T[index]",
    "dim": "population.size, or the shape of population.structure",
    "cell": "population.all_cells",
    "distances": "Space().distances(population.positions, other.positions)",
}
#: Of the module of a backend.
MODULE: Mapping[str, str] = {
    "SynapseDynamics": "give the synapse itself: Projection(pre, post, connector, synapse_type=STDPMechanism(...))",
    "TsodyksMarkramMechanism": "TsodyksMarkramSynapse(U=0.5, tau_rec=100.0, tau_facil=0.0, weight=..., delay=...)",
    "FixedNumberPost": "FixedNumberPostConnector(n)",
    "FixedNumberPre": "FixedNumberPreConnector(n)",
    "DistanceDependentProbability": "DistanceDependentProbabilityConnector('exp(-d/100)')",
    "Timer": "from pyNN.utility import Timer",
}
#: Of ``Projection(...)``.
PROJECTION_ARGUMENTS: Mapping[str, str] = {
    "target": "Projection(pre, post, connector, synapse_type, receptor_type='inhibitory')",
    "method": "Projection(pre, post, connector=AllToAllConnector())",
    "synapse_dynamics": "Projection(pre, post, connector, synapse_type=TsodyksMarkramSynapse(...))",
    "rng": "the connector takes it: FixedProbabilityConnector(0.1, rng=rng)",
}
#: Of connectors.
_IN_SYNAPSE = "the synapse has it: Projection(pre, post, connector, StaticSynapse(weight=0.01, delay=1.0))"
CONNECTOR_ARGUMENTS: Mapping[str, str] = {"weights": _IN_SYNAPSE, "delays": _IN_SYNAPSE}


def refuse_attribute(owner: object, name: str, table: Mapping[str, str]) -> NoReturn:
    """Raise `OldAttribute` for an old name, AttributeError for any other that is not there."""
    kind = type(owner).__name__
    if name in table:
        raise OldAttribute(f"{kind}.{name} is a call of PyNN before 0.8", f"today: {table[name]}")
    raise AttributeError(f"{kind!r} object has no attribute {name!r}")


def refuse_arguments(call: str, arguments: Mapping[str, Any], table: Mapping[str, str]) -> None:
    """Raise `OldArgument` for the first old argument of a call."""
    for name in arguments:
        if name in table:
            raise OldArgument(f"{call}({name}=...) is a call of PyNN before 0.8", f"today: {table[name]}")


def refuse_positional(call: str, values: tuple[Any, ...]) -> None:
    """Raise `OldArgument` for ``set("tau_m", 20.0)`` and ``initialize("v", -65.0)``, and for a mapping."""
    if not values:
        return
    first = values[0]
    shown = f"{first!r}, ..." if isinstance(first, str) else "{...}"
    name = first if isinstance(first, str) else "tau_m"
    raise OldArgument(f"{call}({shown}) is a call of PyNN before 0.8", f"today: {call}({name}=value)")
