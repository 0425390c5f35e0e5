"""Recordings of a plan that are variables of cells without extent, on the steps of a simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.lowering.cells import targets
from pynn_io.lowering.grid import Grid, Moved
from pynn_io.lowering.unrecorded import unrecorded
from pynn_io.report import Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.simulation_plan.plan import SPIKES

#: Kinds of recordings that are a variable of a cell without extent, and BMTK's modules that say the same.
POINT_KINDS = ("compartment", "summation")
_MODULES = (None, "multimeter_report", "membrane_report", "membrane_potential", "compartment", "summation")


@dataclass(frozen=True, slots=True, eq=False)
class Meter:
    """A recording of cells of one population.

    variables: as the plan names them. start, stop (excluded), interval: ms, on steps.
    """

    name: str
    population: str
    rows: np.ndarray
    variables: tuple[str, ...]
    start: float
    stop: float
    interval: float


def lower_recordings(
    network: Network,
    plan: SimulationPlan,
    present: Mapping[str, np.ndarray],
    grid: Grid,
    duration: float,
    report: Report,
) -> tuple[Meter, ...]:
    """The meters of all enabled recordings; what is no variable of such a cell is reported by name (LOST)."""
    found: list[Meter] = []
    for item in plan.recordings:
        if item.enabled and item.kind != SPIKES:
            found += _meters(item, network, plan, present, grid, duration, report)
    return tuple(found)


def _meters(
    item: Recording,
    network: Network,
    plan: SimulationPlan,
    present: Mapping[str, np.ndarray],
    grid: Grid,
    duration: float,
    report: Report,
) -> Iterator[Meter]:
    where = f"reports.{item.name}"
    module = item.parameters.get("module")
    if item.kind not in POINT_KINDS or module not in _MODULES or item.compartment_set is not None:
        kind = "compartment set" if item.compartment_set is not None else item.kind if module in _MODULES else module
        report.lost("recording", where, unrecorded(item, kind))
        return
    variables = tuple(name.strip() for name in item.variable.split(",") if name.strip())
    if not variables:
        raise PlanError(f"the report {item.name!r} names no variable", where=f"{where}.variable_name")
    start, stop, interval = _times(item, grid, duration, report, where)
    reached = {name: rows[present[name][rows]] for name, rows in targets(item.node_set, network, plan).items()}
    if not any(len(rows) for rows in reached.values()):
        report.lost("recording-without-cells", where, f"The report {item.name!r} is of no cell that runs.")
    for name, rows in reached.items():
        if len(rows):
            yield Meter(item.name, name, rows, variables, start, stop, interval)


def _times(item: Recording, grid: Grid, duration: float, report: Report, where: str) -> tuple[float, float, float]:
    """Start, stop (excluded) and interval on steps, ms."""
    moved = Moved()
    interval = grid.step if item.interval is None else item.interval
    if not interval > 0:
        raise PlanError(f"the interval of report {item.name!r} is {interval} ms", where=f"{where}.dt")
    start = max(0.0, item.start or 0.0)
    stop = duration if item.stop is None else min(item.stop, duration)
    steps = grid.place(np.array([start, stop, interval]), moved)
    moved.tell(report, "off-grid-recording", where, "Start, end or interval of the report")
    steps[2] = max(1, steps[2])
    begin, end, every = grid.time(steps).tolist()
    return begin, end, every
