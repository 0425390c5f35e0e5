"""PyNN's composed cells, ``PointNeuron(LIF(...), excitatory=..., inhibitory=...)``, as the standard cells they equal.

A neuron with two receptors of one kind, called as those of standard cells are, computes what the standard cell of that
kind does (PyNN 0.13 documentation, "Standard cells"; its example ``monolith_vs_composed``). Any other stays a
``PointNeuron``, with the names of its parts among the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

#: (neuron, receptors) -> the standard cell.
_STANDARD: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("LIF", "CurrExpPostSynapticResponse"): "IF_curr_exp",
        ("LIF", "CondExpPostSynapticResponse"): "IF_cond_exp",
        ("LIF", "CondAlphaPostSynapticResponse"): "IF_cond_alpha",
        ("AdExp", "CondExpPostSynapticResponse"): "EIF_cond_exp_isfa_ista",
        ("AdExp", "CondAlphaPostSynapticResponse"): "EIF_cond_alpha_isfa_ista",
    }
)
_ENDINGS = {"excitatory": ("E", "exc"), "inhibitory": ("I", "inh")}
_PARAMETERS = {"tau_syn": "tau_syn", "e_syn": "e_rev"}
#: Where receptors are on the cell; a point has no places.
_PLACE = "locations"


def standard_model(celltype: Any) -> str:
    """The standard cell that a cell type equals; empty for any other, and for cells that are not composed."""
    receptors = getattr(celltype, "post_synaptic_receptors", {})
    kinds = {type(receptor).__name__ for receptor in receptors.values()}
    if set(receptors) != set(_ENDINGS) or len(kinds) != 1:
        return ""
    return _STANDARD.get((type(celltype.neuron).__name__, kinds.pop()), "")


def standard_values(celltype: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters under the names of the standard cell, or with the names of the parts where there is none."""
    kept = {name: value for name, value in values.items() if name.rpartition(".")[2] != _PLACE}
    if not hasattr(celltype, "post_synaptic_receptors"):
        return dict(values)
    if not standard_model(celltype):
        parts = {label: type(receptor).__name__ for label, receptor in celltype.post_synaptic_receptors.items()}
        return {"neuron": type(celltype.neuron).__name__, **parts, **kept}
    found = {}
    for name, value in kept.items():
        receptor, dot, parameter = name.rpartition(".")
        found[f"{_PARAMETERS[parameter]}_{_ENDINGS[receptor][0]}" if dot else name] = value
    return found


def standard_variable(celltype: Any, name: str) -> str:
    """A recorded variable (``excitatory.gsyn``) under the name of the standard cell."""
    receptor, dot, variable = name.rpartition(".")
    return f"{variable}_{_ENDINGS[receptor][1]}" if dot and standard_model(celltype) else name
