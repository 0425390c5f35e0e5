"""How finely a chip resolves weights: an estimate from the network alone, one for each receptor of each population.

SpiNNaker stores a weight in 16 bits below a full scale that all synapses of a receptor of a population share, a power
of two that the summed input of one time step does not exceed as a rule. The sum is estimated as sPyNNaker does (van
Albada et al. 2018, doi:10.3389/fnins.2018.00291, "Weight representation"): where delays are all the same, all inputs
of a cell at once; else the mean of a compound Poisson process and some standard deviations, within these bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering.connecting import DEFAULT_DELAY
from pynn_io.lowering.hardware.edges import chemical, signed_blocks
from pynn_io.vocabulary.chips import Chip, Weights
from pynn_io.vocabulary.models import known

#: Population and whether the receptor is the inhibitory one.
Receptor: TypeAlias = tuple[str, bool]


@dataclass(slots=True)
class _Moments:
    """Of the inputs of one projection to one receptor: counts by target cell, sums, and extremes (delays in steps)."""

    onto: np.ndarray
    total: float = 0.0
    squares: float = 0.0
    greatest: float = 0.0
    delays: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])  # count, sum, sum of squares

    def add(self, target: np.ndarray, weight: np.ndarray, steps: np.ndarray) -> None:
        self.onto += np.bincount(target, minlength=len(self.onto))
        self.total += float(weight.sum())
        self.squares += float((weight**2).sum())
        self.greatest = max(self.greatest, float(weight.max(initial=0.0)))
        for place, value in enumerate((len(steps), steps.sum(), (steps**2).sum())):
            self.delays[place] += float(value)

    @property
    def inputs(self) -> int:
        """Of the cell that has most."""
        return int(self.onto.max(initial=0))

    def spread_of_delays(self) -> float:
        count, total, squares = self.delays
        return squares / count - (total / count) ** 2 if count else 0.0


def resolutions(network: Network, chip: Chip, timestep: float) -> Mapping[Receptor, float]:
    """The smallest step of a weight, in nA, uS or mV as the cells take them, for every receptor that has inputs.

    timestep: ms. One pass over the edges, in blocks.
    """
    moments: dict[Receptor, list[_Moments]] = {}
    for projection in chemical(network):
        own: dict[bool, _Moments] = {}
        size = network.populations[projection.post].size
        for block in signed_blocks(projection, network):
            delay = np.nan_to_num(block.delay, nan=DEFAULT_DELAY)
            steps = np.maximum(np.rint(delay / timestep), 1.0)
            for inhibitory in np.unique(block.inhibitory).tolist():
                chosen = block.inhibitory == inhibitory
                found = own.setdefault(inhibitory, _Moments(np.zeros(size, dtype=np.int64)))
                found.add(block.target[chosen], np.abs(block.weight[chosen]), steps[chosen])
        for inhibitory, found in own.items():
            moments.setdefault((projection.post, inhibitory), []).append(found)
    return {
        receptor: _resolution(several, chip.weights, timestep, takes_conductance(network, receptor[0]))
        for receptor, several in moments.items()
    }


def takes_conductance(network: Network, population: str) -> bool:
    """Whether weights onto a population are conductances."""
    cells = (network.cells[name] for name in network.populations[population].cells)
    models = (known(getattr(cell, "model", "")) for cell in cells)
    return any(model is not None and model.weight_unit in ("uS", "nS") for model in models)


def _resolution(several: list[_Moments], weights: Weights, timestep: float, conductance: bool) -> float:
    largest = max(one.greatest for one in several)
    if weights.full_scale == "largest":
        return largest / (2**weights.bits - 1)
    factor = weights.conductance_scale if conductance else 1.0
    bound = _expected_sum(several, weights, timestep, factor)
    power = math.ceil(max(0.0, math.log2(bound))) if bound > 0 else 0
    power += 2.0**power <= bound
    return float(2.0 ** (power - weights.fraction_bits) / factor)


def _expected_sum(several: list[_Moments], weights: Weights, timestep: float, factor: float) -> float:
    """A bound of the input of one step. The largest single weight is a lower, all at once an upper bound.

    factor: of conductances. sPyNNaker 7.4 does not apply it to the upper bound, so that of conductances the largest
    weight decides.
    """
    largest = max(one.greatest for one in several) * factor
    at_once = sum(one.inputs * one.greatest for one in several)
    if all(math.isclose(one.spread_of_delays(), 0.0, abs_tol=1e-9) for one in several):
        return max(at_once, largest)
    inputs = sum(one.inputs for one in several)
    mean = square = 0.0
    for one in several:
        part = one.inputs / inputs / max(int(one.onto.sum()), 1)
        mean, square = mean + part * one.total, square + part * one.squares
    arriving = inputs * weights.spikes_per_second * timestep / 1000.0
    bound = (arriving * mean + weights.deviations * math.sqrt(arriving * square)) * factor
    return max(min(bound, at_once), largest)
