"""Currents as PyNN's current sources.

A step of current is a ``DCSource``, any other course a ``StepCurrentSource`` with the value of the middle of each time
step, a sine an ``ACSource`` where the target is declarative. What differs from cell to cell is a source a cell.

PyNN sets NEST's generators early, so that currents act when they are stated. A plan that was made for NEST means NEST's
own times, by which they act a step later (`pynn_io.lowering.grid.lead_of`): on NEST they do so here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.graph.stimuli import CurrentPulses, SinusoidalCurrent, Stimulus
from pynn_io.lowering.grid import Grid, lead_of
from pynn_io.lowering.injections import current_of, injected, pulse_steps
from pynn_io.lowering.processes import Process
from pynn_io.lowering.pynn.words import CurrentSource, LoweredNetwork
from pynn_io.lowering.signals import Shape, Signal, amplitudes, levels, random_of, sample, seeds_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Parameters of current sources that are times.
TIMES = frozenset({"start", "stop", "times"})
_Source = tuple[str, dict[str, Any]]


def lower_currents(
    lowered: LoweredNetwork, plan: SimulationPlan, present: Mapping[str, np.ndarray], grid: Grid, report: Report
) -> tuple[CurrentSource, ...]:
    """Every stimulus that is a current into cells that run; the others are reported by name (LOST).

    present: cells that run, a mask by population. Raises PlanError for impossible numbers and for a column
    (``threshold_current`` ...) that is missing.
    """
    found: list[CurrentSource] = []
    for stimulus, reached in injected(lowered.network, plan, present, "PyNN has no input", report):
        signal = current_of(stimulus, plan)
        for name, rows in reached.items():
            found += _sources(stimulus, signal, lowered, plan, name, rows, grid, report)
    late = grid.step * (1 - lead_of(plan)) if lowered.target.native == "nest" else 0.0
    return tuple(_delayed(source, late) if late else source for source in found)


def _delayed(source: CurrentSource, late: float) -> CurrentSource:
    moved = {name: np.round(source.parameters[name] + late, 9) for name in TIMES & source.parameters.keys()}
    times = {name: value if np.ndim(value) else float(value) for name, value in moved.items()}
    return replace(source, parameters={**source.parameters, **times})


def _sources(
    stimulus: Stimulus,
    signal: Signal,
    lowered: LoweredNetwork,
    plan: SimulationPlan,
    population: str,
    rows: np.ndarray,
    grid: Grid,
    report: Report,
) -> Iterator[CurrentSource]:
    """The sources of one stimulus in one population."""
    where = f"inputs.{stimulus.name}"
    offset, gain = amplitudes(signal, lowered.network.populations[population], rows, where)
    seeds = seeds_of(signal, plan, report, where)
    same = not isinstance(signal.shape, Process) and not np.ptp(offset) and not np.ptp(gain)
    for cells in lowered.of(population):
        mine = np.flatnonzero(np.isin(rows, cells.rows))
        places = np.searchsorted(cells.rows, rows[mine])
        if not len(mine):
            continue
        if same:
            scale, declarative = (float(offset[0]), float(gain[0])), lowered.target.declarative
            for model, parameters in _alike(stimulus, signal, scale, grid, declarative, report):
                yield CurrentSource(stimulus.name, model, parameters, cells.label, places)
            continue
        for number, place in zip(mine.tolist(), places.tolist(), strict=True):
            random = None
            if isinstance(signal.shape, Process):
                random = random_of(signal.shape, stimulus.name, seeds, population, int(cells.ids[place]))
            for model, parameters in _steps(sample(signal, offset[number], gain[number], random), grid):
                yield CurrentSource(stimulus.name, model, parameters, cells.label, np.array([place]))


def _alike(
    stimulus: Stimulus,
    signal: Signal,
    scale: tuple[float, float],
    grid: Grid,
    declarative: bool,
    report: Report,
) -> Iterator[_Source]:
    what = stimulus.what
    if isinstance(what, CurrentPulses):
        yield from _pulses(what, grid, report, f"inputs.{stimulus.name}")
    elif isinstance(what, SinusoidalCurrent) and (what.interval is None or what.held) and declarative:
        # no later than the run: PyNN computes all values of a sine beforehand on NEURON
        stop = min(what.delay + what.duration, grid.end)
        yield (
            "ACSource",
            {
                "amplitude": what.amplitude,
                "frequency": what.frequency,
                "offset": 0.0,
                "phase": what.phase,
                "start": what.delay,
                "stop": stop,
            },
        )
    else:
        yield from _steps(sample(signal, *scale, None), grid)


def _pulses(what: CurrentPulses, grid: Grid, report: Report, where: str) -> Iterator[_Source]:
    """A source for every step: sources add up."""
    begin, end = pulse_steps(what, grid, where, report)
    for amplitude, first, last in zip(what.amplitudes.tolist(), begin.tolist(), end.tolist(), strict=True):
        if last > first:
            times = {"start": float(grid.time(first)), "stop": float(grid.time(last))}
            yield "DCSource", {"amplitude": amplitude, **times}


def _steps(course: Shape, grid: Grid) -> Iterator[_Source]:
    steps, values = levels(course, grid.step)
    if len(steps):
        yield "StepCurrentSource", {"times": grid.time(steps), "amplitudes": values}
