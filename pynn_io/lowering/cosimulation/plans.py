"""The plan of one part of a co-simulation: what is done to its own populations, and what is recorded of them.

Stimuli keep their number in the plan, by which random ones are seeded; one that is for other parts becomes an empty
train. Node sets are cut down to the part's populations by a rule, and keep their meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import NodeSet, PoissonTrains, SpikeTrains, Stimulus, SynapseReplay
from pynn_io.lowering.cells import targets
from pynn_io.simulation_plan import Recording, SimulationPlan


def plan_of(
    plan: SimulationPlan, network: Network, own: Collection[str], others: Collection[str], lead: float
) -> SimulationPlan:
    """The plan of the part that simulates ``own``, while ``others`` run elsewhere; the rest are sources.

    network: the whole one. lead: ms by which what crosses into this part is sent later.

    Raises PlanError for recordings as files of a LEMS simulation.
    """
    part = _Part(plan, network, own, others, lead)
    return replace(
        plan,
        stimuli=tuple(part.stimulus(item) for item in plan.stimuli),
        recordings=tuple(item for one in plan.recordings for item in part.recording(one)),
        modifications=tuple(
            replace(item, node_set=part.within(item.node_set)) if item.compartment_set is None else item
            for item in plan.modifications
            if part.concerns(item.node_set, item.compartment_set)
        ),
        overrides=tuple(
            replace(item, target=part.within(item.target)) for item in plan.overrides if part.concerns(item.target)
        ),
    )


class _Part:
    """The selections of a plan as one part sees them."""

    def __init__(
        self,
        plan: SimulationPlan,
        network: Network,
        own: Collection[str],
        others: Collection[str],
        lead: float,
    ) -> None:
        self._plan, self._network = plan, network
        self._own, self._others, self._lead = own, others, lead

    def stimulus(self, item: Stimulus) -> Stimulus:
        what = item.what
        if isinstance(what, SpikeTrains):
            return item if what.population not in self._others else self._silent(item)
        if item.targets is not None:
            return item if item.targets.population in self._own else self._silent(item)
        fired = isinstance(what, PoissonTrains) and what.weight is None
        at = [name for name in self._network.populations if name not in self._others] if fired else self._own
        if not self.concerns(item.node_set, item.compartment_set, at):
            return self._silent(item)
        if isinstance(what, SynapseReplay) and what.trains.population in self._others:
            item = replace(item, what=_later(what, self._lead))
        return item if item.compartment_set is not None else replace(item, node_set=self.within(item.node_set, at))

    def _silent(self, item: Stimulus) -> Stimulus:
        """A stimulus of the same name and number that does nothing."""
        none = SpikeTrains(next(iter(self._own)), np.empty(0, dtype=np.int64), np.empty(0))
        return Stimulus(item.name, none, None)

    def recording(self, item: Recording) -> Iterable[Recording]:
        """The recording of this part's cells; none where it has none of them."""
        if item.columns and item.enabled:
            raise PlanError(
                "files of a LEMS simulation, whose columns are of any cells, cannot be written by several simulators",
                where=f"reports.{item.name}",
                hint="record node sets, or run it on one simulator",
            )
        if not item.enabled or item.kind == "weight_recorder":  # BMTK's also names a synapse model
            return (item,)
        if not self.concerns(item.node_set, item.compartment_set):
            return ()
        return (item if item.compartment_set is not None else replace(item, node_set=self.within(item.node_set)),)

    def concerns(
        self, node_set: NodeSet, compartment_set: str | None = None, at: Collection[str] | None = None
    ) -> bool:
        """Whether a selection has a cell among the populations ``at`` (None: the part's own)."""
        at = self._own if at is None else at
        if compartment_set is not None:
            stated: Mapping[str, Any] = self._plan.compartment_sets[compartment_set]
            return stated.get("population") in at
        return any(name in at for name in targets(node_set, self._network, self._plan))

    def within(self, node_set: NodeSet, at: Collection[str] | None = None) -> NodeSet:
        """The node set without the cells of other populations."""
        return {"$and": [{"population": list(self._own if at is None else at)}, _rules(node_set)]}


def _rules(node_set: NodeSet) -> Mapping[str, Any]:
    """A node set of any form as rules."""
    if isinstance(node_set, str):
        return {"$node_set": node_set}
    if isinstance(node_set, Mapping):
        return node_set
    entries = list(node_set)
    if all(isinstance(entry, str) for entry in entries):
        return {"$or": [{"$node_set": entry} for entry in entries]}
    return {"node_id": entries}


def _later(what: SynapseReplay, lead: float) -> SynapseReplay:
    """A replay onto synapses whose delays are shorter by the lead."""
    end = np.inf if what.duration is None else what.delay + what.duration
    kept = (what.trains.times >= what.delay) & (what.trains.times <= end)
    trains = replace(what.trains, node_ids=what.trains.node_ids[kept], times=what.trains.times[kept] + lead)
    return replace(what, trains=trains, delay=0.0, duration=None)
