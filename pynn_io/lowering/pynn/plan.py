"""What a plan adds to a network of PyNN: spikes of sources, currents, recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.abstract import with_node_sets, with_potentials
from pynn_io.lowering.grid import Grid, last_step
from pynn_io.lowering.meters import Meter, lower_recordings
from pynn_io.lowering.own_spikes import recorded_sources
from pynn_io.lowering.pynn import composed
from pynn_io.lowering.pynn.composed import COMPOSED
from pynn_io.lowering.pynn.currents import lower_currents
from pynn_io.lowering.pynn.drives import lower_drives, on_time
from pynn_io.lowering.pynn.words import (
    ARRAY,
    Cells,
    LoweredNetwork,
    LoweredPlan,
    Recorder,
    Target,
)
from pynn_io.lowering.trains import Trains, trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary import models
from pynn_io.vocabulary.applied import STATES


def lower_plan(lowered: LoweredNetwork, plan: SimulationPlan, report: Report) -> LoweredPlan:
    """The plan on a lowered network. What PyNN has not is reported.

    Raises PlanError for what makes no sense: no end, spikes of unknown cells, variables that cells do not have.
    """
    network = lowered.network
    plan = with_potentials(with_node_sets(plan, network), network)
    grid = Grid(lowered.timestep)
    duration = last_step(plan, grid, "PyNN", report)
    grid, plan = Grid(grid.step, duration), replace(plan, duration=duration)
    present = {name: np.zeros(item.size, dtype=bool) for name, item in network.populations.items()}
    for cells in lowered.cells:
        if not cells.is_source:
            present[cells.population][cells.rows] = True
    _report_conditions(plan, lowered, report)
    drives = list(lower_drives(lowered, plan, grid, report))
    return LoweredPlan(
        duration,
        {
            **dict(_trains(lowered, plan, grid, report)),
            **{drive.sources.label: drive.trains for drive in drives},
        },
        lower_currents(lowered, plan, present, grid, report),
        tuple(_recorders(lowered, plan, present, grid, report)),
        tuple(drive.sources for drive in drives),
        tuple(edges for drive in drives for edges in drive.edges),
        dict(_recorded_sources(lowered, plan)),
    )


def _report_conditions(plan: SimulationPlan, lowered: LoweredNetwork, report: Report) -> None:
    """Conditions that cells without extent do not have."""
    if plan.v_init is not None and any(not cells.is_source for cells in lowered.cells):
        report.defaulted(
            "initial-potential",
            "conditions.v_init",
            "Cells begin at the potential that they state, or else at their model's; v_init "
            f"({plan.v_init} mV) is of cable cells.",
        )
    for kind, items in (("modification", plan.modifications), ("connection-override", plan.overrides)):
        for item in items:
            words = kind.replace("-", " ")
            report.lost(f"{kind}-not-supported", f"{words} {item.name}", f"PyNN has no {words}s.")
    if plan.mechanism_variables:
        report.lost("mechanism-variables", "conditions.mechanisms", "PyNN's point cells have no NMODL mechanisms.")


# --- spikes from outside ------------------------------------------------------------------------------------------


def _trains(lowered: LoweredNetwork, plan: SimulationPlan, grid: Grid, report: Report) -> Iterator[tuple[str, Trains]]:
    """``(label, spikes)`` of all sources that are arrays; rows are places in them."""
    found = trains(plan, lowered.network, report)
    for cells in lowered.cells:
        if cells.model != ARRAY or cells.population not in found:
            continue
        item = found[cells.population]
        mine = np.isin(item.rows, cells.rows)
        placed = Trains(np.searchsorted(cells.rows, item.rows[mine]), item.times[mine])
        yield cells.label, on_time(placed, lowered, plan, grid, report, f"population {cells.population}")


# --- recordings ---------------------------------------------------------------------------------------------------


def _recorders(
    lowered: LoweredNetwork, plan: SimulationPlan, present: Mapping[str, np.ndarray], grid: Grid, report: Report
) -> Iterator[Recorder]:
    for meter in lower_recordings(lowered.network, plan, present, grid, grid.end, report):
        for cells in lowered.of(meter.population):
            rows = np.intersect1d(meter.rows, cells.rows, assume_unique=True)
            if not len(rows) or cells.is_source:
                continue
            variables = tuple(_variables(meter, cells, lowered.target, len(rows), report))
            if variables:
                places = np.searchsorted(cells.rows, rows)
                yield Recorder(meter.name, cells.label, places, variables, meter.start, meter.stop, meter.interval)


def _recorded_sources(lowered: LoweredNetwork, plan: SimulationPlan) -> Iterator[tuple[str, np.ndarray]]:
    for name, rows in recorded_sources(lowered.network, plan).items():
        for cells in lowered.of(name):
            mine = np.intersect1d(rows, cells.rows, assume_unique=True)
            if cells.is_source and len(mine):
                yield cells.label, np.searchsorted(cells.rows, mine)


def _variables(
    meter: Meter, cells: Cells, target: Target, count: int, report: Report
) -> Iterator[tuple[str, str, str]]:
    """``(name in the plan, PyNN's, unit)`` of all that can be recorded; what not is reported."""
    where = f"reports.{meter.name}"
    for name in meter.variables:
        found = _variable(name, cells, f"{where}.variable_name")
        reason = target.unrecorded.get((cells.model, found[1]))
        if reason is None:
            yield found
        else:
            message = f"{target.name} does not record {name} of {cells.model}: {reason}."
            report.lost("recording", where, message, count=count, examples=[meter.name])


def _variable(name: str, cells: Cells, where: str) -> tuple[str, str, str]:
    """``(name in the plan, PyNN's, unit)``. Raises PlanError for one that the cells do not have."""
    model = models.known(cells.model)
    known = {item.name: item.unit for item in model.states} if model is not None else {}
    if cells.model.startswith("nest:"):
        # what NEST calls it; a model without a row has at least a potential
        wanted = "V_m" if name == "v" else name
        return name, wanted, known.get(wanted, "mV" if wanted == "V_m" else "")
    if cells.model == COMPOSED:
        known = composed.recordable(cells.receptors)
    wanted = STATES.get(name, name)
    wanted = _SYNAPTIC.get((wanted, cells.weight_unit), wanted)
    if wanted not in known:
        raise PlanError(
            f"cells of the model {cells.model} (population {cells.population}) have no variable {name!r}",
            where=where,
            hint=f"it can record: {', '.join(known) or 'nothing'}",
        )
    return name, wanted, known[wanted]


#: NEST's names of synaptic variables, by the unit of weights.
_SYNAPTIC = {
    ("g_ex", "uS"): "gsyn_exc",
    ("g_in", "uS"): "gsyn_inh",
    ("I_syn_ex", "nA"): "isyn_exc",
    ("I_syn_in", "nA"): "isyn_inh",
}
