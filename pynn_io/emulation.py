"""The network that a chip stores, run by NEST at the chip's time step: an approximation of the chip, and called so."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from pynn_io.errors import RunError
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.mapped import EMULATED, Mapped
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan

#: What runs it.
SIMULATOR = "nest"
APPROXIMATION = (
    "weights, delays and input spikes are those that the chip stores; NEST integrates the cells in double precision, "
    "where the chip has its own fixed-point arithmetic"
)


def emulate(mapped: Results, **options: Any) -> Mapped:
    """Run what `simulate` on a chip gave. options: of `pynn_io.simulate.simulate`, but for those that change the plan.

    The results say in their level (``emulates``) and in their provenance that they are an approximation. Raises
    RunError for results that are of no chip, and what `simulate` raises.
    """
    if not isinstance(mapped, Mapped) or mapped.fidelity is None or mapped.network is None or mapped.plan is None:
        raise RunError("these results are of no chip: there is nothing to emulate")
    plan = _from_one_step(mapped.plan, mapped.fidelity.timestep, options.get("report"))
    results = simulate(mapped.network, plan, SIMULATOR, **options)
    emulated = {
        "emulates": mapped.fidelity.chip,
        "approximation": APPROXIMATION,
        "mapped_by": f"{mapped.provenance['simulator']} {mapped.provenance['simulator_version']}",
        "plan": mapped.provenance["plan"],
        "backend_chosen": f"an emulation of {mapped.fidelity.chip}",
    }
    return replace(
        mapped,
        **{
            **{item.name: getattr(results, item.name) for item in fields(Results)},
            "level": EMULATED,
            "provenance": {**results.provenance, **emulated},
        },
    )


def _from_one_step(plan: SimulationPlan, step: float, report: Report | None) -> SimulationPlan:
    """The plan with spikes at 0 ms a step later: the chip sends them, and NEST has no step for them."""
    stimuli = []
    for stimulus in plan.stimuli:
        trains = stimulus.what
        if isinstance(trains, SpikeTrains) and (early := trains.times <= 0).any():
            first = replace(trains, times=np.where(early, step, trains.times))
            stimulus = replace(stimulus, what=first)
            _tell_late(trains.population, int(np.count_nonzero(early)), report)
        stimuli.append(stimulus)
    return replace(plan, stimuli=tuple(stimuli))


def _tell_late(population: str, count: int, report: Report | None) -> None:
    if report is not None:
        message = "The chip sends spikes at 0 ms; NEST, which emulates it, sends them a step later."
        report.approximated("late-spikes", f"population {population}", message, count=count)
