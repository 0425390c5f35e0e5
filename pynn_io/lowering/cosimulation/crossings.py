"""Projections between populations of two parts: which there are, and which cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.stimuli import SpontaneousSynapses
from pynn_io.lowering.cells import targets
from pynn_io.lowering.edges import stated_delays
from pynn_io.simulation_plan import SimulationPlan

#: Synapses of PyNN and NEST that know of their source no more than when its spikes arrive, counted from each other.
#: NEST's plastic ones also want the target's spikes at the synapse, so many ms back as the delay is long
#: (``stdp_synapse``: "all delay is dendritic"), and that delay is not the whole one here.
_BY_ARRIVAL = frozenset(
    {
        *("", "static", "StaticSynapse", "SimpleStochasticSynapse", "TsodyksMarkramSynapse", "MultiQuantalSynapse"),
        *("nest:static_synapse", "nest:static_synapse_hom_w", "nest:bernoulli_synapse", "nest:quantal_stp_synapse"),
        *("nest:tsodyks_synapse", "nest:tsodyks_synapse_hom", "nest:tsodyks2_synapse"),
    }
)


def crossings(network: Network, home: Mapping[str, int]) -> tuple[Projection, ...]:
    """The projections from a population of one part (``home``) to one of another, in the network's order.

    Those from sources do not cross: every part has them.
    """
    return tuple(
        item for item in network.projections.values() if item.pre in home and home[item.pre] != home[item.post]
    )


def check(found: Sequence[Projection], network: Network, plan: SimulationPlan) -> None:
    """Raises PlanError with every projection of ``found`` that cannot cross, and why."""
    problems = [f"{item.name}: {reason}" for item in found for reason in _reasons(item, network)]
    problems += _of_plan(found, network, plan)
    if problems:
        raise PlanError(
            "this cannot go from one simulator to another",
            problems=problems,
            hint="only spikes do: place both populations on one simulator",
        )


def _reasons(item: Projection, network: Network) -> Iterator[str]:
    if item.kind != "chemical":
        yield f"it is {item.kind}: both sides need each other's potential at every step"
        return
    for name in dict.fromkeys(item.synapses):
        model = network.synapses[name].model
        if (":" not in model or model.startswith("nest:")) and model not in _BY_ARRIVAL:
            yield f"{model} depends on more than when spikes arrive, and would learn from other times"


def _of_plan(found: Sequence[Projection], network: Network, plan: SimulationPlan) -> Iterator[str]:
    """What a plan does to delays that are split between two parts."""
    for item in plan.overrides:
        if item.synapse_delay is not None:
            pre, post = targets(item.source, network, plan), targets(item.target, network, plan)
            if any(one.pre in pre and one.post in post for one in found):
                yield f"connection override {item.name}: it sets delays (synapse_delay) of projections that cross"
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SpontaneousSynapses) and stimulus.what.times:
            post = targets(stimulus.node_set, network, plan)
            if any(one.post in post for one in found):
                yield f"input {stimulus.name}: events at given times on synapses of projections that cross"


def shortest_delay(found: Sequence[Projection]) -> tuple[float, str]:
    """The least delay (ms) of all, and its projection; infinite if there are no edges.

    Raises PlanError for edges that state none, and for negative ones: simulators differ in what they would take.
    """
    least, where = np.inf, ""
    for item in found:
        for _, _, rows in item.blocks(["delay"]):
            delays = stated_delays(rows)
            if np.isnan(delays).any():
                raise PlanError(
                    f"{np.count_nonzero(np.isnan(delays))} of its edges state no delay, and it goes from one simulator"
                    " to another",
                    where=f"projection {item.name}",
                    hint="state the delays, or place both populations on one simulator",
                )
            if delays.min(initial=np.inf) < least:
                least, where = float(delays.min()), item.name
    return least, where
