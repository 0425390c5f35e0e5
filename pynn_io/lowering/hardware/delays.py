"""How long a delay a core can hold: steps of its ring buffer, which its neurons and their receptors share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from pynn_io.lowering.pynn import Connections
from pynn_io.vocabulary.chips import Chip, Delays

#: Receptors of the standard cells that chips have.
RECEPTORS = 2


def bits(values: int) -> int:
    """Bits that tell so many values apart, one at least."""
    return max(1, (values - 1).bit_length())


def steps_held(delays: Delays, neurons: int, receptors: int = RECEPTORS) -> int:
    """The longest delay, in time steps, of a core with so many neurons."""
    return delays.stages * 2 ** (delays.ring_buffer_bits - bits(neurons) - bits(receptors))


def neurons_that_hold(chip: Chip, size: int, steps: int) -> int:
    """The most neurons of a population of ``size`` on one core for delays of so many steps; 0 if not even one."""
    neurons = min(size, chip.resources.neurons_per_core)
    if chip.delays is None:
        return neurons
    while neurons and steps_held(chip.delays, neurons) < steps:
        neurons = 2 ** (bits(neurons) - 1) if neurons > 2 else 0
    return neurons


def smaller_cores(
    chip: Chip, sizes: Mapping[str, int], edges: Iterable[Connections], timestep: float
) -> dict[str, int]:
    """Neurons a core, by label, where delays are too long for a full one: its neurons share a ring buffer.

    sizes: of all cells, by label. timestep: ms.
    """
    longest: dict[str, int] = {}
    for item in edges:
        steps = math.ceil(float(np.max(item.columns["delay"], initial=0.0)) / timestep - 1e-6)
        longest[item.post] = max(longest.get(item.post, 0), steps)
    held = {label: neurons_that_hold(chip, sizes[label], steps) for label, steps in longest.items()}
    full = chip.resources.neurons_per_core
    return {label: neurons for label, neurons in held.items() if 0 < neurons < min(sizes[label], full)}
