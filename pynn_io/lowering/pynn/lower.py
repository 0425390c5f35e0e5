"""Network and plan -> `Lowered`, without PyNN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains
from pynn_io.lowering.abstract import as_standard
from pynn_io.lowering.cells import rows_of, simulated, targets
from pynn_io.lowering.pynn.cells import lower_cells
from pynn_io.lowering.pynn.edges import largest_delay
from pynn_io.lowering.pynn.plan import lower_plan
from pynn_io.lowering.pynn.words import ARRAY, POISSON, PRECISE, Lowered, LoweredNetwork, Setup, Target
from pynn_io.lowering.refusal import ON_NEURON, nothing_left
from pynn_io.lowering.trains import DEFAULT_SEED
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: PyNN's own time step, ms.
DEFAULT_TIMESTEP = 0.1


def lower(network: Network, plan: SimulationPlan, target: Target, report: Report) -> Lowered:
    """Raises PlanError for what makes no sense (no end, a weight in amperes onto conductances ...).

    Raises RunError where the target has none of the cells of the network.
    """
    setup = lower_setup(plan, target, report)
    lowered = lower_network(network, setup.timestep, target, report, plan)
    if target.declarative:
        lowered = _with_rates(lowered, plan)
    setup = replace(setup, max_delay=largest_delay(lowered.network))
    return Lowered(setup, lowered, lower_plan(lowered, plan, report), _seed(plan))


def _seed(plan: SimulationPlan) -> int:
    return DEFAULT_SEED if plan.seed is None else plan.seed


def lower_setup(plan: SimulationPlan, target: Target, report: Report) -> Setup:
    """What a plan states for ``setup``, without the longest delay, which is the network's."""
    step = _timestep(plan, report)
    seeds = {target.seed: _seed(plan)} if target.seed else {}
    own = {**target.setup, **target.precise} if plan.spike_times == PRECISE else target.setup
    return Setup(step, step, None, {**own, **seeds})


def _timestep(plan: SimulationPlan, report: Report) -> float:
    """The plan's time step, ms; PyNN's where it states none (DEFAULTED). Raises PlanError for none above 0."""
    if plan.timestep is None:
        report.defaulted(
            "default-timestep", "run.dt", f"The time step is not stated; PyNN's {DEFAULT_TIMESTEP} ms is taken."
        )
        return DEFAULT_TIMESTEP
    if not plan.timestep > 0:
        raise PlanError(f"the time step is {plan.timestep} ms", where="run.dt", hint="it must be positive")
    return plan.timestep


def lower_network(
    network: Network, timestep: float, target: Target, report: Report, plan: SimulationPlan | None = None
) -> LoweredNetwork:
    """All cells, or those that a plan simulates. Raises RunError where the target has none of them."""
    network = as_standard(network, timestep, report)
    before = Report()
    cells, left_out = lower_cells(network, simulated(network, plan or SimulationPlan()), target, before)
    report.include(before)
    if any(mask.any() for mask in left_out.values()) and all(item.is_source for item in cells):
        said = (f"{issue.where}: {issue.message}" for issue in before if issue.kind == "LOST")
        raise nothing_left(target.name, said, ON_NEURON)
    return LoweredNetwork(network, target, timestep, cells, left_out)


def _with_rates(lowered: LoweredNetwork, plan: SimulationPlan) -> LoweredNetwork:
    """Sources all of whose spikes are one Poisson stimulus as PyNN's sources at a rate."""
    cells = []
    for item in lowered.cells:
        if item.model == ARRAY:
            kinds = []
            for stimulus in plan.stimuli:
                what = stimulus.what
                if isinstance(what, SpikeTrains) and what.population == item.population:
                    rows = rows_of(lowered.network.populations[item.population], np.unique(what.node_ids))
                elif isinstance(what, PoissonTrains) and what.weight is None:
                    rows = targets(stimulus.node_set, lowered.network, plan).get(item.population, np.zeros(0))
                else:
                    continue
                share = int(np.count_nonzero(np.isin(item.rows, rows)))
                if share:
                    kinds.append((what, share))
            if len(kinds) == 1 and isinstance(kinds[0][0], PoissonTrains) and kinds[0][1] == item.size:
                what = kinds[0][0]
                window = 1e10 if what.duration is None else what.duration
                item = replace(
                    item, model=POISSON, parameters={"rate": what.rate, "start": what.delay, "duration": window}
                )
        cells.append(item)
    return replace(lowered, cells=tuple(cells))
