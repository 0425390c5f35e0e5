"""Currents as NEST's generators.

A generator's value reaches a cell one step (the least delay of a connection) after its time, so that a generator is set
one step earlier than its stimulus says. A plan that was made for NEST (``target_simulator``) means NEST's own times,
which are also BMTK's: there the current comes one step late. Within a step a current is constant; a sloped or random
one has its value in the middle of the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, SinusoidalCurrent, Stimulus
from pynn_io.lowering.component_current import component_current
from pynn_io.lowering.grid import Grid, lead_of
from pynn_io.lowering.injections import current_of, injected, pulse_steps
from pynn_io.lowering.processes import Process
from pynn_io.lowering.signals import Shape, amplitudes, levels, random_of, sample, seeds_of
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import CellCurrents, Current
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import convert


def lower_currents(
    network: Network, plan: SimulationPlan, present: Mapping[str, np.ndarray], grid: Grid, report: Report
) -> tuple[Current | CellCurrents, ...]:
    """Every stimulus that NEST can inject into its cells; the others are reported by name (LOST).

    present: whether NEST has the cell, by population and row. Raises PlanError for impossible numbers and for a column
    (``threshold_current`` ...) that is missing.
    """
    found: list[Current | CellCurrents] = []
    for stimulus, reached in injected(network, plan, present, "NEST's cells take no input", report, grid):
        for name, rows in reached.items():
            found += _currents(stimulus, network, plan, name, rows, grid, report)
    return tuple(found)


def _currents(
    stimulus: Stimulus,
    network: Network,
    plan: SimulationPlan,
    population: str,
    rows: np.ndarray,
    grid: Grid,
    report: Report,
) -> Iterator[Current | CellCurrents]:
    what, where = stimulus.what, f"inputs.{stimulus.name}"
    lead = lead_of(plan)
    if isinstance(what, CurrentPulses):
        generators = _pulses(what, grid, lead, report, where)
    elif isinstance(what, SinusoidalCurrent) and what.interval is None and not lead:
        generators = iter([("ac_generator", _sine(what))])
    elif isinstance(what, ComponentInput):
        current = _pico(np.asarray(component_current(what, network, grid)))
        generators = steps(np.arange(len(current)) - lead, current, grid)
    else:
        signal = current_of(stimulus, plan)
        offset, gain = amplitudes(signal, network.populations[population], rows, where)
        seeds = seeds_of(signal, plan, report, where)
        if isinstance(signal.shape, Process) or np.ptp(offset) or np.ptp(gain):
            yield CellCurrents(stimulus.name, population, rows, signal, offset, gain, seeds, lead)
            return
        generators = steps(*_levels(sample(signal, float(offset[0]), float(gain[0]), None), grid, lead), grid)
    for model, parameters in generators:
        yield Current(stimulus.name, population, rows, model, parameters)


def own_steps(item: CellCurrents, cell: int, node_id: int, grid: Grid) -> Iterator[tuple[str, dict[str, Any]]]:
    """The generators of one cell (its number among ``item.rows``, and its id)."""
    shape, random = item.signal.shape, None
    if isinstance(shape, Process):
        random = random_of(shape, item.name, item.seeds, item.population, node_id)
    course = sample(item.signal, float(item.offset[cell]), float(item.gain[cell]), random)
    return steps(*_levels(course, grid, item.lead), grid)


# --- time courses as steps ----------------------------------------------------------------------------------------


def _levels(course: Shape, grid: Grid, lead: int) -> tuple[np.ndarray, np.ndarray]:
    """``(steps, levels)`` of a generator that makes a course (nA) where it acts; pA."""
    index, values = levels(course, grid.step)
    return index - lead, _pico(values)


def _pulses(
    what: CurrentPulses, grid: Grid, lead: int, report: Report, where: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    begin, end = pulse_steps(what, grid, where, report)
    if lead and (begin < lead).any():
        message = "A current from the very beginning reaches NEST's cells after the first time step."
        report.approximated("late-current", where, message, count=int(np.count_nonzero(begin < lead)))
    yield from steps(*_sum(begin - lead, end - lead, _pico(what.amplitudes)), grid)


def _pico(values: np.ndarray) -> np.ndarray:
    return np.asarray(convert(values, "nA", "pA"))  # type: ignore[arg-type]


def _sum(begin: np.ndarray, end: np.ndarray, amplitudes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(steps, levels)``: the sum of rectangular pulses, each level from its step to the next."""
    if len(begin) == 0:
        return begin, amplitudes
    order = np.argsort(begin, kind="stable")
    begin, end, amplitudes = begin[order], end[order], amplitudes[order]
    edges = np.unique(np.concatenate([begin, end]))
    if (end[:-1] <= begin[1:]).all():  # one after another: no sum, so no rounding
        levels = np.zeros(len(edges))
        full = end > begin
        levels[np.searchsorted(edges, begin[full])] = amplitudes[full]
        return edges, levels
    return edges, np.array([amplitudes[(begin <= edge) & (edge < end)].sum() for edge in edges.tolist()])


def steps(edges: np.ndarray, levels: np.ndarray, grid: Grid) -> Iterator[tuple[str, dict[str, Any]]]:
    """Generators of a current of ``levels`` (pA), each from its step on. A step generator begins after time 0."""
    early = edges <= 0
    if early.any() and levels[early][-1] != 0:
        later = edges[~early]
        stop = {"stop": float(grid.time(later[0]))} if len(later) else {}
        yield "dc_generator", {"amplitude": float(levels[early][-1]), **stop}
    edges, levels = edges[~early], levels[~early]
    if len(edges):
        yield "step_current_generator", {"amplitude_times": grid.time(edges), "amplitude_values": levels}


def _sine(what: SinusoidalCurrent) -> dict[str, Any]:
    """NEST's phase is at time 0, in degrees."""
    return {
        "amplitude": float(convert(what.amplitude, "nA", "pA")),
        "frequency": float(what.frequency),
        "phase": float((what.phase - 360.0 * what.frequency * what.delay / 1000.0) % 360.0),
        "start": float(what.delay),
        "stop": float(what.delay + what.duration),
    }
