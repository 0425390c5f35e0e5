"""PyNN's ``PointNeuron``: a neuron and receptors under names of the script's own, as the graph keeps it.

Its parameters name the classes (``neuron``: ``AdExp``, ``AMPA``: ``CondAlphaPostSynapticResponse``) and hold what these
take: the neuron's by their names, a receptor's as ``AMPA.tau_syn``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

COMPOSED = "PointNeuron"
_NEURON = "neuron"
#: States of a neuron and of a receptor -> unit.
_OF_NEURON = {"v": "mV", "w": "nA"}
_OF_RECEPTOR = {"gsyn": "uS", "isyn": "nA"}


def receptors(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Receptor -> its class, by name, which is how PyNN orders them."""
    found = {name: value for name, value in parameters.items() if isinstance(value, str) and name != _NEURON}
    return dict(sorted(found.items()))


def weight_unit(parameters: Mapping[str, Any]) -> str:
    """Of weights onto any of its receptors: PyNN does not mix conductances and currents."""
    return "uS" if any(kind.startswith("Cond") for kind in receptors(parameters).values()) else "nA"


def apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(parameters, initial values)``."""
    states = {**_OF_NEURON, **_OF_RECEPTOR}
    initial = {name: value for name, value in values.items() if name.rpartition(".")[2] in states}
    return {name: value for name, value in values.items() if name not in initial}, initial


def recordable(labels: Iterable[str]) -> dict[str, str]:
    """Variable -> unit."""
    return {**_OF_NEURON, **{f"{label}.{name}": unit for label in labels for name, unit in _OF_RECEPTOR.items()}}


def parts(parameters: Mapping[str, Any]) -> tuple[tuple[str, dict[str, Any]], dict[str, tuple[str, dict[str, Any]]]]:
    """``((class, parameters) of the neuron, the same of each receptor)``."""
    kinds = receptors(parameters)
    own = {name: value for name, value in parameters.items() if "." not in name and name not in (_NEURON, *kinds)}
    made = {
        label: (
            kind,
            {key.partition(".")[2]: value for key, value in parameters.items() if key.startswith(f"{label}.")},
        )
        for label, kind in kinds.items()
    }
    return (str(parameters.get(_NEURON, "")), own), made
