"""The steps of a simulation: what lies between two of them, and how far it is moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Less than this part of a step is the rounding of a decimal number, not a time between two steps.
_SAME = 1e-6


@dataclass(slots=True)
class Moved:
    """How many values were moved to a step, and the farthest (ms)."""

    count: int = 0
    farthest: float = 0.0

    def add(self, distances: np.ndarray) -> None:
        self.count += len(distances)
        self.farthest = max(self.farthest, float(np.max(distances, initial=0.0)))

    def tell(self, report: Report, code: str, where: str, what: str, examples: Sequence[str] = ()) -> None:
        report.approximated(
            code,
            where,
            f"{what} are no multiple of the time step; each is moved to the nearest step, by at most "
            f"{self.farthest:.3g} ms.",
            count=self.count,
            examples=examples,
        )


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of ``step`` ms from 0 on. end: of the run, ms; what is later does not matter."""

    step: float
    end: float = 1e9

    def index(self, times: np.ndarray) -> np.ndarray:
        """The number of the nearest step, int64."""
        return np.rint(np.asarray(times, dtype=np.float64) / self.step).astype(np.int64)

    def nearest(self, time: float) -> int:
        """The number of the step nearest to one time."""
        return round(time / self.step)

    def time(self, index: np.ndarray | int) -> np.ndarray:
        """The times of steps, ms, with one rounding to a decimal (3 * 0.1 is 0.3)."""
        return np.round(np.asarray(index) * self.step, 9)

    def place(self, times: np.ndarray, moved: Moved) -> np.ndarray:
        """The nearest step of each time, int64; those that are moved are counted."""
        steps = self.index(times)
        apart = np.abs(np.asarray(times, dtype=np.float64) - steps * self.step)
        moved.add(apart[apart > _SAME * self.step])
        return steps


def last_step(plan: SimulationPlan, grid: Grid, backend: str, report: Report) -> float:
    """The end of the run, ms, on a step. backend: what it is called in messages.

    Reports an end between two steps (``off-grid-end``) and a start that is not 0 (``run-start``). Raises PlanError for
    a plan without an end, or one that ends before it begins.
    """
    if plan.duration is None:
        raise PlanError("the plan has no end", where="run.tstop", hint="state tstop, or give a duration")
    if not plan.duration > 0:
        raise PlanError(f"the run ends at {plan.duration} ms", where="run.tstop", hint="it must be positive")
    if plan.start:
        report.lost("run-start", "run.tstart", f"{backend} begins at 0 ms, not at {plan.start} ms.")
    end = float(grid.time(grid.nearest(plan.duration)))
    report.approximated(
        "off-grid-end",
        "run.tstop",
        f"The end of the run is no multiple of the time step; it is {end} ms.",
        count=int(abs(end - plan.duration) > 1e-6 * grid.step),
    )
    return end


def lead_of(plan: SimulationPlan) -> int:
    """By how many steps currents on NEST are set early, so that they act at the times of the plan.

    0 for a plan that was made for NEST: it means NEST's own times, which are also BMTK's, one step late.
    """
    return 0 if (plan.target_simulator or "").upper() == "NEST" else 1
