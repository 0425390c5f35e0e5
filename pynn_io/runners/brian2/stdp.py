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

from pynn_io.graph.network import Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.plasticity import PAIRS, SINGLE, mechanism, pair_rule, refuse_by_edge, vogels_rule
from pynn_io.runners.brian2.lowered import Spec, SynapseCode, own_variables
from pynn_io.vocabulary.plasticity import Stdp

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
    code = _code("STDPMechanism", "A_plus A_minus least", "A_plus", "A_minus", "least", parts.dendritic_delay_fraction)
    own = pair_rule(parts, unit, native, where)
    return Spec(code, own, _columns(projection, where), unit, plastic=True)


def _lower_vogels(projection: Projection, parts: Stdp, unit: str, native: str, where: str) -> Spec | None:
    own = vogels_rule(parts, unit, native)
    if own is None:
        return None
    columns = _columns(projection, where, _VOGELS_BY_EDGE)
    return Spec(_vogels(parts.dendritic_delay_fraction), own, columns, unit, plastic=True)


def _columns(projection: Projection, where: str, by_edge: Mapping[str, str] = _BY_EDGE) -> dict[str, str]:
    refuse_by_edge(projection, SINGLE, "Brian2", where)
    stated = [
        name.removeprefix(PARAMETER)
        for name in (*projection.types, *projection.edges.columns)
        if name.startswith(PARAMETER)
    ]
    return {f"{PARAMETER}{name}": by_edge[name] for name in stated if name in by_edge}
