"""Plasticity by pairs of spikes as statements of Brian2: NEST's ``stdp_synapse`` and PyNN's ``STDPMechanism``.

The rule is NEST's (``stdp_synapse.h``): shares of the largest weight change by an amplitude, times a power of what is
left of the share, times the trace of the other side's spikes. PyNN states the amplitudes of both directions and a
lower bound, and its weight dependences are exponents of 0 and 1 (PyNN 0.13, ``pyNN.standardmodels.synapses``).

Vogels' rule (Vogels et al. 2011, Science 334:1569) has a trace of either side, which all its spikes raise by 1: a spike
that arrives changes the weight by ``eta`` times the other side's trace less ``2 rho tau``, one of the target by ``eta``
times the trace of what arrived. PyNN's ``rho`` is a number per ms. Coinciding spikes are one pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.plasticity import PAIRS, mechanism
from pynn_io.lowering.receptors import used_weights
from pynn_io.runners.brian2.lowered import Spec, SynapseCode, own_variables
from pynn_io.vocabulary.plasticity import STDP_EXPONENTS, Stdp

_STATES = "plus minus t_plus t_minus"
_PARAMETERS = "tau_plus tau_minus mu_plus mu_minus Wmax"


def _code(name: str, parameters: str, rise: str, fall: str, least: str, dendritic: float = 1.0) -> SynapseCode:
    """rise, fall: amplitudes of both directions; least: the lower bound as a share of the largest weight.

    A spike of the target that is not worked on in its own step is ``lag`` ms old then.
    """
    whole = dendritic == 1.0
    back = "t / ms" if whole else "(t / ms - lag)"
    return SynapseCode(
        name,
        own_variables(_STATES, f"{_PARAMETERS} {parameters}{'' if whole else ' lag'}"),
        before=f"seen = minus * exp(-(t / ms - t_minus) / tau_minus)\npart = weight / Wmax\n"
        f"weight = Wmax * clip(part - {fall} * clip(part - {least}, 0, 1e300)**mu_minus * seen, {least}, 1e300)",
        after="plus = 1 + plus * exp(-(t / ms - t_plus) / tau_plus)\nt_plus = t / ms",
        post=f"heard = plus * exp(-({back} - t_plus) / tau_plus)\nshare = weight / Wmax\n"
        f"weight = Wmax * clip(share + {rise} * clip(1 - share, 0, 1e300)**mu_plus * heard, -1e300, 1)",
        trace=f"minus = 1 + minus * exp(-({back} - t_minus) / tau_minus)\nt_minus = {back}",
        dendritic=dendritic,
    )


def _vogels(dendritic: float) -> SynapseCode:
    whole = dendritic == 1.0
    back = "t / ms" if whole else "(t / ms - lag)"
    return SynapseCode(
        "Vogels2011Rule",
        own_variables(_STATES, f"tau eta rho least most{'' if whole else ' lag'}"),
        before="seen = minus * exp(-(t / ms - t_minus) / tau)\n"
        "weight = clip(weight + eta * (seen - 2 * rho * tau), least, most)",
        after="plus = 1 + plus * exp(-(t / ms - t_plus) / tau)\nt_plus = t / ms",
        post=f"heard = plus * exp(-({back} - t_plus) / tau)\nweight = clip(weight + eta * heard, least, most)\n"
        f"minus = 1 + minus * exp(-({back} - t_minus) / tau)\nt_minus = {back}",
        dendritic=dendritic,
    )


#: NEST's: its lower bound is 0, and its delays are dendritic.
NEST_STDP = _code("stdp", "learning alpha", "learning", "alpha * learning", "0")
#: Parameters of a mechanism that may differ from edge to edge.
_BY_EDGE: Mapping[str, str] = MappingProxyType(
    {name: name for name in ("tau_plus", "tau_minus", "A_plus", "A_minus", "mu_plus", "mu_minus")}
)
_VOGELS_BY_EDGE: Mapping[str, str] = MappingProxyType({"tau": "tau", "rho": "rho"})


def lower_stdp(projection: Projection, synapse: Synapse, unit: str, native: str, where: str) -> Spec | None:
    """The spec of PyNN's mechanism onto cells whose weights are in ``native``; None for a rule without equations here.

    Raises PlanError for unknown parts, no upper bound, and edges that differ in what is one for all here.
    """
    parts = mechanism(synapse.parameters, where)
    if parts.timing != PAIRS:
        return _lower_vogels(projection, parts, unit, native, where)
    bounds = parts.weight_parameters
    largest = float(used_weights(unit, native, np.asarray(bounds["w_max"], dtype=np.float64), False))
    if not largest:
        raise PlanError("w_max of STDP is 0", where=where, hint="state the largest weight that a synapse can have")
    up, down = STDP_EXPONENTS.get(parts.weight, (bounds.get("mu_plus"), bounds.get("mu_minus")))
    own: dict[str, Any] = {**parts.timing_parameters, "mu_plus": up, "mu_minus": down}
    code = _code("STDPMechanism", "A_plus A_minus least", "A_plus", "A_minus", "least", parts.dendritic_delay_fraction)
    return Spec(
        code,
        {**own, "Wmax": largest, "least": bounds["w_min"] / bounds["w_max"]},
        _columns(projection, where),
        unit,
        plastic=True,
    )


def _lower_vogels(projection: Projection, parts: Stdp, unit: str, native: str, where: str) -> Spec | None:
    """PyNN has this rule with bounds of the weight and nothing else that depends on it; None for any other."""
    if parts.weight != "AdditiveWeightDependence":
        return None
    times, bounds = parts.timing_parameters, parts.weight_parameters
    in_weights = np.array([times["eta"], bounds["w_min"], bounds["w_max"]], dtype=np.float64)
    eta, least, most = used_weights(unit, native, in_weights, False).tolist()
    own = {"tau": times["tau"], "rho": times["rho"], "eta": eta, "least": least, "most": most}
    columns = _columns(projection, where, _VOGELS_BY_EDGE)
    return Spec(_vogels(parts.dendritic_delay_fraction), own, columns, unit, plastic=True)


def _columns(projection: Projection, where: str, by_edge: Mapping[str, str] = _BY_EDGE) -> dict[str, str]:
    stated = [
        name.removeprefix(PARAMETER)
        for name in (*projection.types, *projection.edges.columns)
        if name.startswith(PARAMETER)
    ]
    single = sorted({"w_min", "w_max", "eta", "dendritic_delay_fraction"} & {*stated})
    if single:
        raise PlanError(f"{single[0]} of STDP differs from edge to edge, which Brian2 does not have here", where=where)
    return {f"{PARAMETER}{name}": by_edge[name] for name in stated if name in by_edge}
