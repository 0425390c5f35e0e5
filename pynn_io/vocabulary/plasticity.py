"""Synapses that change: STDP as PyNN composes it, and what NEST calls PyNN's standard synapses.

In the graph a mechanism of STDP is ``Synapse("STDPMechanism", {...})`` with ``timing_dependence`` and
``weight_dependence`` (names of this table), ``dendritic_delay_fraction``, and the parameters of both parts side by
side; no two parts share a name. Names and defaults: PyNN 0.13 documentation, "STDP". ``w_min`` and ``w_max`` are in the
unit of the projection's weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

STDP = "STDPMechanism"

TIMING: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "SpikePairRule": {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.01, "A_minus": 0.01},
        "Vogels2011Rule": {"tau": 20.0, "eta": 1e-10, "rho": 3.0},
    }
)
_BOUNDS = {"w_min": 0.0, "w_max": 1.0}
WEIGHT: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "AdditiveWeightDependence": _BOUNDS,
        "MultiplicativeWeightDependence": _BOUNDS,
        "AdditivePotentiationMultiplicativeDepression": _BOUNDS,
        "GutigWeightDependence": {**_BOUNDS, "mu_plus": 0.5, "mu_minus": 0.5},
    }
)

#: Standard synapses as NEST's, with the parameters that bear another name there.
NEST_SYNAPSES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "": ("static_synapse", {}),
        "static": ("static_synapse", {}),
        "StaticSynapse": ("static_synapse", {}),
        "SimpleStochasticSynapse": ("bernoulli_synapse", {"p": "p_transmit"}),
        "TsodyksMarkramSynapse": ("tsodyks_synapse", {"tau_facil": "tau_fac"}),
        "MultiQuantalSynapse": ("quantal_stp_synapse", {"tau_facil": "tau_fac"}),
        STDP: ("stdp_synapse", {}),
    }
)


#: Exponents ``(mu_plus, mu_minus)`` of NEST's rule that are the weight dependences without exponents of their own.
STDP_EXPONENTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "AdditiveWeightDependence": (0.0, 0.0),
        "MultiplicativeWeightDependence": (1.0, 1.0),
        "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    }
)


class Stdp(NamedTuple):
    """A mechanism of STDP, taken apart; every parameter has a value."""

    timing: str
    timing_parameters: Mapping[str, Any]
    weight: str
    weight_parameters: Mapping[str, Any]
    dendritic_delay_fraction: float

    @property
    def some_weight(self) -> float:
        """One between its bounds: PyNN's default of 0 is none to NEST where they are negative, and refused."""
        return min(0.0, float(self.weight_parameters["w_max"]))


def stdp(parameters: Mapping[str, Any]) -> Stdp:
    """The parts of a mechanism in the graph, with PyNN's defaults. Raises KeyError for unknown parts."""
    timing, weight = parts_of(parameters)
    return Stdp(
        timing,
        _complete(TIMING[timing], parameters),
        weight,
        _complete(WEIGHT[weight], parameters),
        dendritic_delay_fraction(parameters),
    )


def parts_of(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """What a mechanism in the graph names its dependences on timing and on weight, whether known or not."""
    timing = str(parameters.get("timing_dependence", "SpikePairRule"))
    return timing, str(parameters.get("weight_dependence", "AdditiveWeightDependence"))


def dendritic_delay_fraction(parameters: Mapping[str, Any]) -> float:
    """Which part of the delay of a mechanism in the graph is dendritic."""
    return float(parameters.get("dendritic_delay_fraction", 1.0))


def _complete(defaults: Mapping[str, float], stated: Mapping[str, Any]) -> dict[str, Any]:
    return {name: default if stated.get(name) is None else stated[name] for name, default in defaults.items()}
