"""Spikes from outside in NEST's words: on which times they are, and in which unit they act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.lowering import Trains, feeds, parts, targets
from pynn_io.lowering.feeds import Bombardment, Feed
from pynn_io.lowering.grid import Grid
from pynn_io.lowering.meters import POINT_KINDS
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import Nodes
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import convert
from pynn_io.vocabulary import models
from pynn_io.vocabulary.models import PRECISE_MODELS
from pynn_io.vocabulary.translations import TRANSLATIONS

#: What these record.
_RECORDED = frozenset({"v", "V_m"})
#: What `SimulationPlan.spike_times` may say.
PRECISE = "precise"
MODES = (PRECISE, "grid")


def precise(plan: SimulationPlan, nodes: tuple[Nodes, ...]) -> bool:
    """Whether input spikes keep their times between two steps. Raises PlanError for an unknown mode.

    ``grid`` moves a spike to the end of the step that it is in, as NEST's own reader of SONATA does
    (``allow_offgrid_times``; less than half a tic of 0.001 ms after a step is at that step). ``precise`` keeps the
    time, as BMTK does (``precise_times``): models that know only steps then take the spike at the next one, too, and
    standard cells are NEST's models with exact times where PyNN has these (``spike_precision="off_grid"``). Where
    the plan does not say, it is ``precise`` if all cells are models with exact times (``iaf_psc_exp_ps`` ...), and else
    ``grid``.
    """
    if plan.spike_times is None:
        return bool(nodes) and all(item.model.endswith(PRECISE_MODELS) for item in nodes)
    if plan.spike_times not in MODES:
        raise PlanError(
            f"spike_times is {plan.spike_times!r}", where="run.spike_times", hint=f"it may be {' or '.join(MODES)}"
        )
    return plan.spike_times == PRECISE


def between_steps(network: Network, plan: SimulationPlan, report: Report) -> set[str]:
    """Populations whose standard cells fire between steps: all, where spikes keep their times (``precise``).

    Those of which more is recorded than the potential stay on steps (APPROXIMATED): NEST's other models record no more.
    """
    if plan.spike_times != PRECISE:
        return set()
    found = set(network.populations)
    for item in plan.recordings:
        more = set(item.variable.replace(" ", "").split(",")) - _RECORDED
        if not (item.enabled and item.kind in POINT_KINDS and more):
            continue
        for name in found & targets(item.node_set, network, plan).keys():
            models = {getattr(network.cells[cell], "model", "") for cell in network.populations[name].cells}
            if any(row.standard in models and row.precise for row in TRANSLATIONS):
                found.discard(name)
                report.approximated(
                    "spikes-on-steps",
                    f"population {name}",
                    f"Its cells fire on steps, since {', '.join(sorted(more))} is recorded, which NEST's models with "
                    "spikes between steps do not tell.",
                )
    return found


def lower_feeds(network: Network, plan: SimulationPlan, exact: bool, grid: Grid, report: Report) -> tuple[Feed, ...]:
    """The trains of all sources, and every replay. Raises PlanError for a spike at or before 0."""
    return tuple(
        replace(one, trains=_usable(one.trains, exact, grid, one.where))
        for one in feeds.feeds(network, plan, "NEST", report)
    )


def _usable(item: Trains, exact: bool, grid: Grid, where: str) -> Trains:
    """NEST has no spike at time 0; one that is nearer to 0 than to the first step is moved to that one."""
    if len(item.times) and not np.min(item.times) > 0:
        first = int(np.argmin(item.times > 0))
        count = int(np.count_nonzero(~(item.times > 0)))
        raise PlanError(
            f"there are spikes at or before 0 ms: {count}, one at {item.times[first]} ms (row {item.rows[first]})",
            where=where,
            hint="NEST takes input spikes after 0 ms only; shift or drop them",
        )
    return item if exact else Trains(item.rows, np.maximum(item.times, grid.step))


def lower_bombardments(
    network: Network, plan: SimulationPlan, nodes: tuple[Nodes, ...], exact: bool, grid: Grid, report: Report
) -> Iterator[Bombardment]:
    """Poisson trains with a weight: each straight onto its cell."""
    for one in feeds.bombardments(network, plan, report):
        for item in nodes:
            if item.population != one.population:
                continue
            mine = np.isin(one.trains.rows, item.rows)
            found = Trains(one.trains.rows[mine], one.trains.times[mine])
            usable = _usable(found, exact, grid, f"inputs.{one.name}")
            yield replace(one, trains=usable, weight=_native_weight(one.weight, item, network))


def _native_weight(weight: float, item: Nodes, network: Network) -> float:
    """From the unit of the cell's model in the graph to that of NEST's."""
    population: Any = network.populations[item.population]
    model = getattr(parts(population, network, item.rows)[0].cell, "model", "")
    row = models.known(model)
    unit = row.weight_unit if row is not None else ""
    return float(convert(weight, unit, item.unit)) if unit and item.unit else float(weight)
