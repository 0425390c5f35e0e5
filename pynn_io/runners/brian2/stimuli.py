"""Injected currents: one value a time step for every cell, in the columns of a table that cells share.

Within a step a current is constant; a sloped or random one has its value in the middle of the step. A plan that was
made for NEST (``target_simulator``) means NEST's own times: there a current comes one step late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import (
    ComponentInput,
    CurrentPulses,
    OtherStimulus,
    Stimulus,
    code_of,
)
from pynn_io.lowering.cells import targets_of
from pynn_io.lowering.component_current import component_current
from pynn_io.lowering.grid import Grid, lead_of
from pynn_io.lowering.injections import SPIKES, pulse_steps, stated_signal, tell_unknown, tell_unreached
from pynn_io.lowering.processes import Process
from pynn_io.lowering.signals import Signal, amplitudes, levels, random_of, sample, seeds_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan


@dataclass(frozen=True, slots=True, eq=False)
class Injection:
    """One stimulus on cells of one population: ``courses[code[k] - 1]`` (one value a step) times ``weight[k]`` into the
    cell in ``rows[k]``. code: int64; rows may come more than once."""

    population: str
    rows: np.ndarray
    code: np.ndarray
    weight: np.ndarray
    courses: tuple[np.ndarray, ...]


def lower_currents(
    network: Network, plan: SimulationPlan, present: Mapping[str, np.ndarray], grid: Grid, report: Report
) -> tuple[Injection, ...]:
    """What every stimulus that is a current injects; the others are reported by name (LOST).

    present: whether the cell runs, by population and row. Raises PlanError for impossible numbers and for a column
    (``threshold_current`` ...) that is missing.
    """
    found = []
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SPIKES):
            continue
        made = _Made(stimulus, network, plan, grid, report)
        reached = [one for one in targets_of(stimulus, network, plan) if present[one.population][one.rows].any()]
        if not made.possible:
            continue
        if not reached:
            tell_unreached(stimulus, report)
        for one in reached:
            here = present[one.population][one.rows]
            weight = np.ones(len(one.rows)) if one.weight is None else one.weight
            found.append(made.injection(one.population, one.rows[here], weight[here]))
    return tuple(found)


class _Made:
    """One stimulus as courses of time."""

    def __init__(self, stimulus: Stimulus, network: Network, plan: SimulationPlan, grid: Grid, report: Report) -> None:
        self._stimulus, self._network, self._plan, self._grid, self._report = stimulus, network, plan, grid, report
        self.where = f"inputs.{stimulus.name}"
        self._late = 1 - lead_of(plan)
        self._shared: np.ndarray | None = None
        self._signal: Signal | None = None
        self.possible = stimulus.compartment_set is None and self._prepare()
        if not self.possible:
            self._refuse()

    def _prepare(self) -> bool:
        what = self._stimulus.what
        if isinstance(what, CurrentPulses):
            self._shared = self._pulses(what)
        elif isinstance(what, ComponentInput):
            self._shared = component_current(what, self._network, self._grid, dimensionless=True)
        else:
            self._signal = stated_signal(self._stimulus, self._plan)
        return self._shared is not None or (self._signal is not None and self._signal.kind == "current")

    def _refuse(self) -> None:
        what, name = self._stimulus.what, self._stimulus.name
        if isinstance(what, OtherStimulus):
            tell_unknown(self._stimulus, what, self._report)
            return
        message = f"Cells on Brian2 take currents that are known beforehand; {name!r} ({type(what).__name__}) is none."
        self._report.lost(code_of(what), self.where, message)

    def injection(self, population: str, rows: np.ndarray, weight: np.ndarray) -> Injection:
        """The stimulus on some cells. Raises PlanError."""
        if self._shared is not None:
            return Injection(population, rows, np.ones(len(rows), dtype=np.int64), weight, (self._shared,))
        signal: Any = self._signal
        cells = self._network.populations[population]
        offset, gain = amplitudes(signal, cells, rows, self.where)
        if isinstance(signal.shape, Process):
            seeds = seeds_of(signal, self._plan, self._report, self.where)
            ids = cells.ids()[rows].tolist()
            randoms = [random_of(signal.shape, self._stimulus.name, seeds, population, one) for one in ids]
            each = zip(offset.tolist(), gain.tolist(), randoms, strict=True)
            courses = tuple(self._dense(*levels(sample(signal, *one), self._grid.step)) for one in each)
            return Injection(population, rows, 1 + np.arange(len(rows)), weight, courses)
        pairs, code = np.unique(np.stack([offset, gain], axis=1), axis=0, return_inverse=True)
        courses = tuple(
            self._dense(*levels(sample(signal, first, second, None), self._grid.step))
            for first, second in pairs.tolist()
        )
        return Injection(population, rows, 1 + code.reshape(-1), weight, courses)

    def _dense(self, steps: np.ndarray, values: np.ndarray) -> np.ndarray:
        """One value a step from values that each hold from a step on."""
        last = self._grid.nearest(self._grid.end)
        steps = np.clip(steps + self._late, 0, last)
        found = np.zeros(last)
        for begin, end, value in zip(steps.tolist(), [*steps[1:].tolist(), last], values.tolist(), strict=True):
            found[begin:end] = value
        return found

    def _pulses(self, what: CurrentPulses) -> np.ndarray:
        begin, end = pulse_steps(what, self._grid, self.where, self._report)
        found = np.zeros(self._grid.nearest(self._grid.end))
        places = zip((begin + self._late).tolist(), (end + self._late).tolist(), what.amplitudes.tolist(), strict=True)
        for first, last, value in places:
            found[max(first, 0) : max(last, 0)] += value
        return found


def table(
    injections: tuple[Injection, ...], population: str, size: int, steps: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """``(column of every row, courses of the columns)`` of the cells of a population.

    Cells with the same sum of stimuli share a column.
    """
    mine = [one for one in injections if one.population == population]
    keys = np.zeros((size, 2 * len(mine)))
    for number, one in enumerate(mine):
        keys[one.rows, 2 * number] = one.code
        np.add.at(keys[:, 2 * number + 1], one.rows, one.weight)
    if not mine:
        return np.zeros(size, dtype=np.int64), [np.zeros(steps)]
    distinct, column_of = np.unique(keys, axis=0, return_inverse=True)
    columns = []
    for key in distinct:
        pairs = zip(mine, key[::2].astype(int).tolist(), key[1::2].tolist(), strict=True)
        parts = (weight * one.courses[code - 1] for one, code, weight in pairs if code)
        columns.append(sum(parts, np.zeros(steps)))
    return column_of.reshape(-1).astype(np.int64), columns
