"""What every backend does to edges before it connects them, and the account of it for the report."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.grid import Grid, Moved
from pynn_io.report import Report

#: The delay where a projection states none, ms; NEST's, and that of all runners here.
DEFAULT_DELAY = 1.0


@dataclass(slots=True)
class Connecting:
    """The edges of one projection on one backend. Once they are all connected, `tell` says what became of them.

    backend: what it is called in messages. timestep: ms. left_out: edges to or from cells that the backend does not
    have, which the caller counts.
    """

    backend: str
    where: str
    timestep: float
    left_out: int = 0
    _moved: Moved = field(default_factory=Moved)
    _defaulted: int = 0
    _multiplied: int = 0

    @property
    def default_delay(self) -> float:
        """ms."""
        return max(DEFAULT_DELAY, self.timestep)

    def filled(self, delay: np.ndarray) -> np.ndarray:
        """Delays, ms, with the default where they are not stated (NaN)."""
        missing = np.isnan(delay)
        if not missing.any():
            return delay
        self._defaulted += int(np.count_nonzero(missing))
        return np.where(missing, self.default_delay, delay)

    def steps(self, delay: np.ndarray) -> np.ndarray:
        """Stated delays (ms) in steps, int64; those between two steps are moved. Raises PlanError for less than one."""
        steps = Grid(self.timestep).place(delay, self._moved)
        self.refuse(delay, steps < 1)
        return steps

    def refuse(self, delay: np.ndarray, wrong: np.ndarray) -> None:
        """Raise PlanError if a delay is wrong; the least of those that are is the example."""
        if not wrong.any():
            return
        least, count = float(delay[wrong].min()), int(np.count_nonzero(wrong))
        what = "negative" if least < 0 else f"below the time step of {self.timestep} ms"
        raise PlanError(
            f"a delay of {least} ms is {what}; {self.backend} cannot have it ({count} such edges so far)",
            where=self.where,
            hint="correct the edges" if least < 0 else "take a smaller time step, or longer delays",
        )

    def multiplied(self, weight: np.ndarray, nsyns: np.ndarray | None, *, plastic: bool) -> np.ndarray:
        """The weight of edges that are several synapses (nsyns) each: their sum."""
        if nsyns is None:
            return weight
        self._multiplied += int(np.count_nonzero(nsyns > 1)) if plastic else 0
        return weight * nsyns

    def tell(self, report: Report) -> None:
        """What was filled in, moved, left out and summed."""
        self._moved.tell(report, "off-grid-delay", self.where, "Delays", ["delay"])
        message = f"The delay is not stated; {self.default_delay} ms is taken."
        report.defaulted("default-delay", self.where, message, count=self._defaulted)
        message = f"Connections from or to cells that {self.backend} does not have are left out."
        report.lost("edges-without-cells", self.where, message, count=self.left_out)
        message = (
            "Edges of several plastic synapses (nsyns) become one of their total weight, whose changes are not theirs."
        )
        report.approximated("plastic-multiples", self.where, message, count=self._multiplied)
