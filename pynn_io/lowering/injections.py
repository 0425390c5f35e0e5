"""Stimuli that are currents, for targets that inject one value a time step: which those are, where, and from when on.

`pynn_io.lowering.signals` says which value it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import (
    ComponentInput,
    CurrentPulses,
    OtherStimulus,
    PoissonTrains,
    SinusoidalCurrent,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    SynapseReplay,
    code_of,
)
from pynn_io.lowering.cells import targets
from pynn_io.lowering.component_current import component_current
from pynn_io.lowering.grid import Grid, Moved
from pynn_io.lowering.signals import Signal, signal_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Stimuli that are spikes: `pynn_io.lowering.feeds`.
SPIKES = (SpikeTrains, PoissonTrains, SynapseReplay, SpontaneousSynapses)


def injected(
    network: Network,
    plan: SimulationPlan,
    present: Mapping[str, np.ndarray],
    nothing: str,
    report: Report,
    grid: Grid | None = None,
) -> Iterator[tuple[Stimulus, dict[str, np.ndarray]]]:
    """Every stimulus that is a current into cells as a whole, with the ROWS of the cells that run, by population.

    present: whether a cell runs, by population and row. nothing: how a message begins that the target has no such
    input (``NEST's cells take no input``). grid: of a target that takes components, where they are currents of time
    alone; None for one that takes none. Other stimuli but spikes are reported by name (LOST), and so is one that
    reaches no cell (``stimulus-without-cells``). Raises PlanError for impossible numbers.
    """
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, SPIKES):
            continue
        if stimulus.compartment_set is not None or not _is_current(stimulus, network, plan, grid):
            _refuse(stimulus, nothing, report)
            continue
        reached = {name: rows[present[name][rows]] for name, rows in targets(stimulus.node_set, network, plan).items()}
        reached = {name: rows for name, rows in reached.items() if len(rows)}
        if not reached:
            tell_unreached(stimulus, report)
        yield stimulus, reached


def _is_current(stimulus: Stimulus, network: Network, plan: SimulationPlan, grid: Grid | None) -> bool:
    if isinstance(stimulus.what, CurrentPulses | SinusoidalCurrent):
        return True
    if isinstance(stimulus.what, ComponentInput):
        return grid is not None and component_current(stimulus.what, network, grid) is not None
    signal = stated_signal(stimulus, plan)
    return signal is not None and signal.kind == "current"


def stated_signal(stimulus: Stimulus, plan: SimulationPlan) -> Signal | None:
    """`signal_of` what is stimulated with, in the run of the plan. Raises PlanError for impossible numbers."""
    try:
        return signal_of(stimulus.what, plan.duration)
    except ValueError as error:
        raise PlanError(f"the input cannot be applied: {error}", where=f"inputs.{stimulus.name}") from error


def current_of(stimulus: Stimulus, plan: SimulationPlan) -> Signal:
    """The signal of one of `injected`. Raises PlanError for what is none of these."""
    signal = stated_signal(stimulus, plan)
    if signal is None or signal.kind != "current":
        raise PlanError("the input is no current", where=f"inputs.{stimulus.name}")
    return signal


def _refuse(stimulus: Stimulus, nothing: str, report: Report) -> None:
    what: Any = stimulus.what
    if isinstance(what, OtherStimulus):
        tell_unknown(stimulus, what, report)
        return
    kind = type(what).__name__
    kind += " that is a conductance" if getattr(what, "conductance", False) else ""
    kind += " at places on cells" if stimulus.compartment_set is not None else ""
    message = f"{nothing} of the kind {kind}; {stimulus.name!r} is left out."
    report.lost(code_of(what), f"inputs.{stimulus.name}", message)


def tell_unknown(stimulus: Stimulus, what: OtherStimulus, report: Report) -> None:
    """Report a stimulus of a kind that only its file knows (LOST)."""
    message = f"The input {stimulus.name!r} of kind {what.kind!r} is not one that can be applied; it is left out."
    report.lost(code_of(what), f"inputs.{stimulus.name}", message)


def tell_unreached(stimulus: Stimulus, report: Report) -> None:
    """Report ``stimulus-without-cells`` (LOST)."""
    message = f"The input {stimulus.name!r} reaches no cell that runs."
    report.lost("stimulus-without-cells", f"inputs.{stimulus.name}", message)


def pulse_steps(what: CurrentPulses, grid: Grid, where: str, report: Report) -> tuple[np.ndarray, np.ndarray]:
    """The steps at which pulses begin and end, int64[n] each. Reports ``off-grid-current`` (APPROXIMATED)."""
    moved = Moved()
    # A pulse may last for ever, or begin after the run.
    begins, ends = (np.minimum(times, grid.end) for times in (what.delays, what.delays + what.durations))
    begin, end = grid.place(begins, moved), grid.place(ends, moved)
    moved.tell(report, "off-grid-current", where, "Beginnings and ends of current steps")
    return begin, end
