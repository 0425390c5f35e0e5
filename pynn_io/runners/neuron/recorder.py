"""What a report records, and the samples of it.

NEURON appends every recorded value at every step to a vector of its own (no Python per step); `Recorder.flush`, called
between pieces of the run, keeps the samples that a report asks for and empties the vectors, so that memory is the
report itself plus one piece. Sample k of a trace is the value at ``start + k * interval``, to the nearest step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.lowering.cables.probes import Probe


@dataclass(slots=True, eq=False)
class Recorder:
    """The vectors of one probe, and the samples taken out of them so far.

    columns: for every element of the trace the vectors that it is the sum of, and their factors. gids, sections,
    positions: of every element. data: float64[samples, elements]. steps: the time step of every sample.
    """

    probe: Probe
    columns: list[list[tuple[Any, float]]]
    gids: np.ndarray
    sections: np.ndarray | None
    positions: np.ndarray | None
    data: np.ndarray
    steps: np.ndarray
    seen: int = 0

    def flush(self) -> None:
        """Take the samples out of the vectors, and empty them."""
        here = max((int(vector.size()) for column in self.columns for vector, _ in column), default=0)
        first, last = np.searchsorted(self.steps, [self.seen, self.seen + here])
        wanted = self.steps[first:last] - self.seen
        for number, column in enumerate(self.columns):
            total: Any = 0.0
            for vector, factor in column:
                total = total + factor * vector.as_numpy()[wanted]
            self.data[first:last, number] = total
        for column in self.columns:
            for vector, _ in column:
                vector.resize(0)
        self.seen += here
