"""How often the parts of a co-simulation exchange spikes.

A spike at ``t`` that crosses is known to the other part at the end of its epoch, up to one epoch later, and must be at
its target at ``t + delay``. A proxy there fires for it: with the spike's own time and delay in a simulator that takes
what has fired in the past and is still to arrive, else at ``t + lead``, with ``delay - lead`` left to go. The time of
the proxy is then still to come, and its delay no less than a step, if

    epoch + lag <= lead <= shortest delay - one step

where ``lag`` is how long after its time a simulator tells of a spike. With an epoch of the whole delay, spikes of the
first step of each epoch come too late. At most half the delay leaves the other half for the target's side: a shortest
delay of less than the epoch would cost it exchanges of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError

#: A delay of two steps that was computed or stored as float32 is a little less than that, in steps.
_ALMOST = 1e-6


@dataclass(frozen=True, slots=True)
class Epochs:
    """The exchanges of a run, in steps of ``timestep`` ms.

    length: of an epoch, steps. lead: by how many steps a proxy fires after its cell, where it cannot fire in the past.
    duration: of the run, ms.
    """

    timestep: float
    length: int
    lead: int
    duration: float

    @property
    def lead_time(self) -> float:
        """ms."""
        return float(np.round(self.lead * self.timestep, 9))

    @property
    def epoch(self) -> float:
        """ms."""
        return float(np.round(self.length * self.timestep, 9))

    def stops(self) -> np.ndarray:
        """The ends of all epochs, float64 ms; the last is that of the run, after which nothing is exchanged."""
        steps = round(self.duration / self.timestep)
        within = np.arange(self.length, steps, self.length)
        return np.append(np.round(within * self.timestep, 9), self.duration)


def epochs(delay: float, where: str, timestep: float, lag: int, duration: float) -> Epochs:
    """The longest epochs of at most half the shortest delay (ms) that crosses, one of the projection ``where``.

    lag: steps by which a simulator of the run tells of a spike late. A delay that is infinite (nothing crosses) gives
    one epoch. Raises PlanError for a delay that is too short.
    """
    if np.isinf(delay):
        return Epochs(timestep, max(1, round(duration / timestep)), 0, duration)
    steps = int(np.floor(delay / timestep + _ALMOST))
    length = min(steps // 2, steps - 1 - lag)
    if length < 1:
        needed = float(np.round((lag + 2) * timestep, 9))
        raise PlanError(
            f"its shortest delay is {delay:g} ms, which leaves no time to exchange spikes between two simulators",
            where=f"projection {where}",
            hint=f"steps are {timestep:g} ms, and {needed:g} ms are needed: place both populations on one simulator, or"
            f" take a time step of at most {delay / (lag + 2):.3g} ms",
        )
    return Epochs(timestep, length, length + lag, duration)
