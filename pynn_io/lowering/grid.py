"""The steps of a simulation: what lies between two of them, and how far NEST moves it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: NEST's clock has 1000 tics a millisecond; a step is a whole number of them.
TICS = 1000
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

    def tell(self, report: Report, code: str, where: str, what: str) -> None:
        report.approximated(
            code,
            where,
            f"{what} are no multiple of the time step; each is moved to the nearest step, by at most "
            f"{self.farthest:.3g} ms.",
            count=self.count,
        )


def lead_of(plan: SimulationPlan) -> int:
    """By how many steps NEST's generators are set early, so that their currents act at the times of the plan."""
    return 0 if (plan.target_simulator or "").upper() == "NEST" else 1


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
