"""Currents as NEST's generators.

A generator's value reaches a cell one step (the least delay of a connection) after its time, as everywhere in NEST and
in BMTK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import (
    CurrentPulses,
    OtherStimulus,
    PoissonTrains,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    SynapseReplay,
)
from pynn_io.lowering import targets
from pynn_io.report import Report
from pynn_io.runners.nest.grid import Grid, Moved
from pynn_io.runners.nest.lowered import Current
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.units import convert

#: Stimuli that are spikes: `pynn_io.runners.nest.spikes`.
_SPIKES = (SpikeTrains, PoissonTrains, SynapseReplay)


def lower_currents(
    network: Network, plan: SimulationPlan, present: Mapping[str, np.ndarray], grid: Grid, report: Report
) -> tuple[Current, ...]:
    """Every stimulus that NEST can inject into its cells; the others are reported by name (LOST).

    present: whether NEST has the cell, by population and row.
    """
    found: list[Current] = []
    for stimulus in plan.stimuli:
        if not isinstance(stimulus.what, _SPIKES):
            found += _currents(stimulus, network, plan, present, grid, report)
    return tuple(found)


def _currents(
    stimulus: Stimulus,
    network: Network,
    plan: SimulationPlan,
    present: Mapping[str, np.ndarray],
    grid: Grid,
    report: Report,
) -> Iterator[Current]:
    where = f"inputs.{stimulus.name}"
    generators = list(_generators(stimulus.what, grid, report, where))
    if not generators or stimulus.compartment_set is not None:
        _unsupported(stimulus, report, where)
        return
    reached = {name: rows[present[name][rows]] for name, rows in targets(stimulus.node_set, network, plan).items()}
    if not any(len(rows) for rows in reached.values()):
        report.lost("stimulus-without-cells", where, f"The input {stimulus.name!r} reaches no cell that runs.")
    for name, rows in reached.items():
        if len(rows):
            for model, parameters in generators:
                yield Current(stimulus.name, name, rows, model, parameters)


def _unsupported(stimulus: Stimulus, report: Report, where: str) -> None:
    what = stimulus.what
    kind = what.kind if isinstance(what, OtherStimulus) else type(what).__name__
    place = " at places on cells" if stimulus.compartment_set is not None else ""
    report.lost(
        "stimulus-not-supported", where, f"NEST has no input of the kind {kind}{place}; {stimulus.name!r} is left out."
    )


def _generators(what: Any, grid: Grid, report: Report, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(model, parameters)`` of the generators that make a current; none for what NEST cannot make."""
    if isinstance(what, CurrentPulses):
        yield from _pulses(what, grid, report, where)
    elif isinstance(what, SinusoidalCurrent):
        yield "ac_generator", _sine(what)


def _pulses(what: CurrentPulses, grid: Grid, report: Report, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    moved = Moved()
    ends = np.minimum(what.delays + what.durations, np.finfo(np.float64).max / 2)
    begin, end = grid.place(what.delays, moved), grid.place(np.minimum(ends, 2.0**40 * grid.step), moved)
    moved.tell(report, "off-grid-current", where, "Beginnings and ends of current steps")
    amplitudes = np.asarray(convert(what.amplitudes, "nA", "pA"))  # type: ignore[arg-type]
    yield from steps(*_sum(begin, end, amplitudes), grid)


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
        "phase": float(-360.0 * what.frequency * what.delay / 1000.0 % 360.0),
        "start": float(what.delay),
        "stop": float(what.delay + what.duration),
    }
