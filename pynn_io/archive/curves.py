"""Curves that may be early or late: how far each leaves the band that the other has within a shift of time.

The rule of the tubes by which Modelica's tools are cross-checked: around every sample of a curve lies the range of the
values that it takes within the shift, and only what leaves that range counts. Here it holds both ways: a peak that is
missing lies within the band of the curve that has it, and the peak outside of the band of the one that has none.
"""

from __future__ import annotations

import numpy as np


def beyond_shift(one: np.ndarray, two: np.ndarray, samples: np.ndarray) -> float:
    """Root mean square of the part by which one of two curves leaves the band of the other, the larger of both ways.

    one, two: float64[n], at the same times. samples: int[n], the largest shift at each, either way.
    """
    return max(_outside(one, two, samples), _outside(two, one, samples))


def _outside(reference: np.ndarray, found: np.ndarray, samples: np.ndarray) -> float:
    place = np.arange(len(reference))
    first, last = np.maximum(place - samples, 0), np.minimum(place + samples, len(reference) - 1)
    highest = _extreme(reference, first, last, np.maximum)
    lowest = _extreme(reference, first, last, np.minimum)
    outside = np.maximum(found - highest, 0.0) + np.maximum(lowest - found, 0.0)
    return float(np.sqrt(np.mean(outside**2)))


def _extreme(values: np.ndarray, first: np.ndarray, last: np.ndarray, smaller: np.ufunc) -> np.ndarray:
    """float64[n]: the least (or largest) of ``values[first:last + 1]`` for every pair, each as that of two blocks whose
    length is a power of two."""
    power = np.frexp(last - first + 1)[1] - 1  # floor of the logarithm
    found = np.empty(len(first))
    block = values
    for level in range(int(power.max(initial=0)) + 1):
        if level:
            half = 1 << (level - 1)
            block = smaller(block[:-half], block[half:])
        here = power == level
        found[here] = smaller(block[first[here]], block[last[here] - (1 << level) + 1])
    return found
