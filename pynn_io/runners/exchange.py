"""A part of a co-simulation: run an epoch, send its spikes, wait for those of the others. The child's side.

`pynn_io.runners.coordinate` is the other side. Every part sends before it waits, and the coordinator sends to none
before it has heard all: so nobody waits for somebody who waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import RunError
from pynn_io.lowering import Trains
from pynn_io.lowering.cosimulation.epochs import Epochs
from pynn_io.runners.base import SteppedRunner

#: Spikes of an epoch by population: rows (int64) and times (float64, ms).
Message: TypeAlias = dict[str, tuple[np.ndarray, np.ndarray]]
#: Less than this part of a step is what adding up steps has done to a time.
_SAME = 1e-3


@dataclass(frozen=True, slots=True)
class Exchange:
    """How a part takes turns.

    descriptor: of its end of the pipe. lead: how much later than their cells its proxies fire, ms. outlets: the
    populations whose spikes it sends.
    """

    descriptor: int
    epochs: Epochs
    lead: float
    outlets: tuple[str, ...]


def take_turns(runner: SteppedRunner, model: Any, exchange: Exchange) -> None:
    """Run to the end in epochs. Raises SimulationFailed, and RunError for a spike that comes too late."""
    runner.begin(model, exchange.outlets)
    with Connection(exchange.descriptor) as coordinator:
        stops, proxies = exchange.epochs.stops().tolist(), Proxies(exchange.epochs, exchange.lead)
        for until, following in pairwise(stops):
            runner.advance(model, until)
            coordinator.send({name: (item.rows, item.times) for name, item in runner.new_spikes(model).items()})
            runner.inject(model, proxies.due(coordinator.recv(), until, following))
        runner.advance(model, stops[-1])
    runner.end(model)


class Proxies:
    """When the proxies of a part fire. A spike that is known early may be for the epoch after the next one."""

    def __init__(self, epochs: Epochs, lead: float) -> None:
        self._epochs, self._lead = epochs, lead
        self._held: dict[str, Trains] = {}

    def due(self, message: Message, now: float, until: float) -> dict[str, Trains]:
        """What fires up to the next stop ``until`` (ms) of what has come so far, sorted by row, then time.

        Raises RunError for a spike of the message that would have had to be known before ``now``.
        """
        found = {}
        for name, (rows, times) in message.items():
            self._refuse_late(name, times, now)
            held = self._held.get(name, Trains(rows[:0], times[:0]))
            rows, times = np.concatenate([held.rows, rows]), np.concatenate([held.times, times + self._lead])
            order = np.lexsort((times, rows))
            rows, times = rows[order], times[order]
            soon = times <= until + _SAME * self._epochs.timestep
            found[name], self._held[name] = Trains(rows[soon], times[soon]), Trains(rows[~soon], times[~soon])
        return found

    def _refuse_late(self, name: str, times: np.ndarray, now: float) -> None:
        late = np.count_nonzero(times + self._epochs.lead_time <= now + _SAME * self._epochs.timestep)
        if late:
            raise RunError(
                f"{late} of {len(times)} spikes of {name} came too late, one of {times.min():g} ms after {now:g} ms",
                hint="the epochs are too long for the delays that cross",
            )
