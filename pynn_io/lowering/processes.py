"""Random time courses of stimuli: noise that is white or relaxes, and the shots of a Poisson process."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.columns import empty

#: Below this a relaxation time is none: the process is white (ms).
_WHITE = 1e-9


@dataclass(frozen=True, slots=True)
class Process:
    """A random time course: ``kind`` names the generator; sampled every ``interval`` ms in a window (ms).

    held: a value stays until the next one.
    """

    kind: str
    delay: float
    duration: float
    interval: float
    seed: int | None = None
    parameters: Mapping[str, float] = field(default_factory=empty)
    held: bool = False

    @property
    def times(self) -> np.ndarray:
        """float64[n], from the beginning of the window to its end."""
        return self.delay + self.interval * np.arange(steps_in(self.duration, self.interval) + 1)

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """float64[n], a value for each of `times`, mean 0 and variance 1 unless it has a scale of its own."""
        return _PROCESSES[self.kind](random, len(self.times), self.interval, self.parameters)


def height_of_peak(rise: float, decay: float) -> float:
    """Height of ``exp(-t/decay) - exp(-t/rise)`` at its peak."""
    at = math.log(decay / rise) / (1 / rise - 1 / decay)
    return math.exp(-at / decay) - math.exp(-at / rise)


def _draw_white(random: np.random.Generator, size: int, interval: float, _: Mapping[str, float]) -> np.ndarray:
    return random.standard_normal(size)


def _draw_ornstein_uhlenbeck(
    random: np.random.Generator, size: int, interval: float, parameters: Mapping[str, float]
) -> np.ndarray:
    """Mean 0, standard deviation 1, from 0 on, by the exact update (Gillespie 1996), whatever the interval."""
    noise = random.standard_normal(size)
    if parameters["tau"] < _WHITE:
        return noise
    keep = math.exp(-interval / parameters["tau"])
    noise[0] = 0.0
    return _autoregressive(math.sqrt(1 - keep * keep) * noise, keep)


def _draw_shot_noise(
    random: np.random.Generator, size: int, interval: float, parameters: Mapping[str, float]
) -> np.ndarray:
    """Events of a Poisson process at the nearest steps, each a bi-exponential of gamma-distributed height."""
    rise, decay, mean = parameters["rise"], parameters["decay"], parameters["mean"]
    count = random.poisson(parameters["rate"] * (size - 1) * interval / 1000.0)
    steps = np.rint(random.random(count) * (size - 1)).astype(np.int64)
    if parameters["variance"] > 0:
        scale = parameters["variance"] / abs(mean)
        heights = np.copysign(random.gamma(abs(mean) / scale, scale, count), mean)
    else:
        heights = np.full(count, mean)
    shots = np.bincount(steps, heights, minlength=size)
    slow, fast = (_autoregressive(shots, math.exp(-interval / tau)) for tau in (decay, rise))
    return (slow - fast) / height_of_peak(rise, decay)


def _autoregressive(innovations: np.ndarray, keep: float) -> np.ndarray:
    """``x[n] = keep x[n-1] + innovations[n]``."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -keep], innovations))


def steps_in(duration: float, interval: float) -> int:
    """Whole intervals in a time."""
    return int(duration / interval + 1e-9)


_PROCESSES: dict[str, Callable[[np.random.Generator, int, float, Mapping[str, float]], np.ndarray]] = {
    "white": _draw_white,
    "ornstein_uhlenbeck": _draw_ornstein_uhlenbeck,
    "shot_noise": _draw_shot_noise,
}
