"""Connection overrides (OBI), as columns: what a plan changes at each synapse of a block.

A later override replaces what an earlier one states, field by field; what it does not state stays (SONATA extension,
"connection_overrides"). An edge that no override names is as its file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import GraphError, PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.node_sets import resolve
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.plan import Assignment, ConnectionOverride

#: What the extension gives to neuromodulatory edges only.
_NEUROMODULATION = ("neuromodulation_dtc", "neuromodulation_strength")


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What the overrides say of n synapses.

    weight: factor, float64[n]. delay: ms, spont_minis: Hz, float64[n], NaN where no override states one.
    mechanism: index into `Overrides.mechanisms`, -1 for the edges' own, int64[n].
    configured: bool[len(Overrides.configurations), n]. later: bool[len(Overrides.later), n].
    """

    weight: np.ndarray
    delay: np.ndarray
    spont_minis: np.ndarray
    mechanism: np.ndarray
    configured: np.ndarray
    later: np.ndarray


class Overrides:
    """The overrides that touch one projection.

    mechanisms: names of `ConnectionOverride.mod_override`. configurations: assignments to synapses, in order.
    later: ``(time, factor)`` of weights that change during the run, in order of time; a factor multiplies the edge's
    own weight, not what holds before (neurodamus: ``weight * conductance``).
    """

    def __init__(self, network: Network, plan: SimulationPlan, projection: Projection) -> None:
        sets = {**network.node_sets, **plan.node_sets}
        sizes = [network.populations[name].size for name in (projection.pre, projection.post)]
        self._ends: list[tuple[ConnectionOverride, np.ndarray, np.ndarray]] = []
        for item in plan.overrides:
            pre, post = (
                _mask(node_set, network, sets, name, size, f"connection_overrides.{item.name}")
                for node_set, name, size in zip(
                    (item.source, item.target), (projection.pre, projection.post), sizes, strict=True
                )
            )
            if pre.any() and post.any():
                self._ends.append((item, pre, post))
        stated = [item for item, _, _ in self._ends]
        now = [item for item in stated if not item.delay]
        self.mechanisms = tuple(dict.fromkeys(item.mod_override for item in now if item.mod_override))
        self._configured = [item for item in now if _of_synapses(item)]
        self.configurations = tuple(_of_synapses(item) for item in self._configured)
        self._later = sorted((item for item in stated if item.delay), key=lambda item: item.delay or 0.0)
        self.later = tuple((float(item.delay or 0.0), _factor(item)) for item in self._later)

    @property
    def any(self) -> bool:
        return bool(self._ends)

    def of(self, source: np.ndarray, target: np.ndarray) -> Changes:
        """What holds for edges between ROWS of the two populations, equally long arrays."""
        size = len(source)
        weight, delay = np.ones(size), np.full(size, np.nan)
        minis, mechanism = np.full(size, np.nan), np.full(size, -1, dtype=np.int64)
        configured = np.zeros((len(self.configurations), size), dtype=bool)
        later = np.zeros((len(self.later), size), dtype=bool)
        for item, pre, post in self._ends:
            here = pre[source] & post[target]
            if item.delay:
                later[self._later.index(item)] = here
                continue
            for values, stated in ((weight, item.weight), (delay, item.synapse_delay), (minis, item.spont_minis)):
                if stated is not None:
                    values[here] = stated
            if item.mod_override:
                mechanism[here] = self.mechanisms.index(item.mod_override)
            if item in self._configured:
                configured[self._configured.index(item)] = here
        return Changes(weight, delay, minis, mechanism, configured, later)


def global_assignments(plan: SimulationPlan) -> dict[str, float]:
    """Global variables of mechanisms that overrides set (``tau_d_NMDA_ProbAMPANMDA_EMS``), the last one standing.

    Raises PlanError for an assignment that is not a plain ``=``: what it changes is not known before the run.
    """
    found = {}
    for item in plan.overrides:
        for assignment in item.configure:
            if assignment.target:
                continue
            if assignment.operator != "=":
                text = f"{assignment.variable} {assignment.operator} {assignment.value}"
                raise PlanError(
                    f"the override {item.name!r} changes a global variable by {text!r}; only = is possible there",
                    where=f"connection_overrides.{item.name}.synapse_configure",
                )
            found[assignment.variable] = assignment.value
    return found


def report_unused(plan: SimulationPlan, report: Report) -> None:
    """Name what overrides state and nothing here applies: neuromodulation, and all but weights of delayed ones."""
    for item in plan.overrides:
        where = f"connection_overrides.{item.name}"
        for name in _NEUROMODULATION:
            if item.parameters.get(name) is not None:
                report.lost(
                    "neuromodulation", where, f"The override {item.name!r} states {name}, which is not applied."
                )
        stated = (item.synapse_delay, item.spont_minis, item.mod_override, item.configure or None)
        if item.delay and any(value is not None for value in stated):
            message = f"The override {item.name!r} has a delay: only its weight is applied, as the extension says."
            report.lost("delayed-override", where, message)


def _of_synapses(item: ConnectionOverride) -> tuple[Assignment, ...]:
    return tuple(assignment for assignment in item.configure if assignment.target)


def _factor(item: ConnectionOverride) -> float:
    return 1.0 if item.weight is None else item.weight


def _mask(node_set: object, network: Network, sets: dict, name: str, size: int, where: str) -> np.ndarray:
    """Which rows of a population are in a node set."""
    try:
        found: Sequence[int] | np.ndarray = resolve(node_set, network, sets).get(name, ())
    except GraphError as exc:
        raise PlanError(exc.message, where=where, hint=exc.hint) from exc
    mask = np.zeros(size, dtype=bool)
    mask[np.asarray(found, dtype=np.int64)] = True
    return mask
