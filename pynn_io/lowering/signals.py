"""What is injected, as plain numbers: the time course of every current, conductance and voltage stimulus.

A drive is ``offset + gain * shape`` at each of its sites: the shape is one for all of them, what differs from cell to
cell (threshold current, holding current, input resistance) is in offset and gain. Random shapes are drawn for one site
at a time, when asked for, so that memory does not grow with the number of cells.

Where points lie in time is neurodamus's rule (``neurodamus/core/stimuli.py``): a point every ``interval`` ms from the
beginning of the window to its end, straight lines between them, and 0 outside. Its random streams are not reproduced:
a value is drawn by numpy's PCG64, seeded by what the docstring of `random_of` says.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Population
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    Hyperpolarizing,
    NoiseCurrent,
    OrnsteinUhlenbeck,
    ShotNoise,
    SinusoidalCurrent,
    Subthreshold,
    VoltageClamp,
)
from pynn_io.lowering.processes import Process, height_of_peak, steps_in
from pynn_io.lowering.trains import seed_of
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

#: Update intervals where a stimulus states none, ms (SONATA extension, "inputs"; noise: neurodamus).
SINE_INTERVAL, NOISE_INTERVAL, PROCESS_INTERVAL = 0.025, 0.5, 0.25
#: Resistance of a voltage clamp that states none, MOhm (SONATA extension, "seclamp").
SERIES_RESISTANCE = 0.01
#: Skewness of shot noise that states none (SONATA extension, "shot_noise").
RELATIVE_SKEW = 0.5
#: What a run does not see of its inputs, ms after its end.
_AFTER = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A piecewise linear time course; two points at one time are a jump. times: ms; values: nA, uS, mV, or a factor."""

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What a stimulus injects: ``kind`` (``current``, ``conductance``, ``voltage``), its shape, and what scales it.

    offset, gain: what is added to and multiplies the shape. relative: the column whose value (an inverse one for
    ``input_resistance``) multiplies both; ``root_gain`` takes its square root for the gain instead (a variance that is
    a percentage). reversal: mV, of a conductance. resistance: MOhm, of a voltage clamp.
    """

    kind: str
    shape: Shape | Process
    offset: float = 0.0
    gain: float = 1.0
    relative: str = ""
    root_gain: bool = False
    reversal: float = 0.0
    resistance: float = SERIES_RESISTANCE


def signal_of(what: Any, end: float | None) -> Signal | None:
    """The signal of a stimulus; None for one that is no current, conductance or voltage (spikes, unknown ones).

    end: of the run, ms; a course that goes on for ever is told until then. Raises ValueError, saying which number is at
    fault.
    """
    make = _SIGNALS.get(type(what))
    return None if make is None else make(_until(what, end))


def _until(what: Any, end: float | None) -> Any:
    """What is told value by value, not for long after the run: PyNN's sources last 1e12 ms where a script is silent."""
    if end is None:
        return what
    last = end + _AFTER
    if isinstance(what, SinusoidalCurrent | NoiseCurrent | OrnsteinUhlenbeck):
        return replace(what, duration=max(min(what.duration, last - what.delay), 0.0))
    if isinstance(what, CurrentPulses) and ((what.delays + what.durations) > last).any():
        return replace(what, durations=np.clip(last - what.delays, 0.0, what.durations))
    return what


def sample(signal: Signal, offset: float, gain: float, random: np.random.Generator | None) -> Shape:
    """The time course at one site, in nA, uS or mV; 0 before and after (a voltage clamp is off there)."""
    if isinstance(signal.shape, Shape):
        return Shape(signal.shape.times, offset + gain * signal.shape.values if offset else gain * signal.shape.values)
    process = signal.shape
    if random is None:
        raise ValueError("a random signal needs a generator")
    times = process.times
    values = offset + gain * process.draw(random)
    end = process.delay + process.duration
    if process.held:
        return _held(times, values, end)
    return Shape(np.concatenate([[process.delay], times, [end]]), np.concatenate([[0.0], values, [0.0]]))


def _held(times: np.ndarray, values: np.ndarray, end: float) -> Shape:
    """Steps: each value from its time to the next one's, the last until the end; those from there on are left out."""
    inside = times < end - 1e-9
    times, values = times[inside], values[inside]
    corners = np.append(times, end) if len(times) else np.array([end])
    before = np.concatenate([[0.0], values])
    return Shape(np.repeat(corners, 2), np.stack([before, np.append(values, 0.0)], axis=1).reshape(-1))


def levels(course: Shape, timestep: float) -> tuple[np.ndarray, np.ndarray]:
    """A course as cells take it that know one current a time step: ``(steps, values)``, value k from step k on.

    The value is the course's in the middle of the step, and 0 after it; equal ones are told once. int64, float64.
    """
    if not len(course.times):
        return np.empty(0, dtype=np.int64), np.empty(0)
    first = int(np.floor(course.times[0] / timestep + 1e-6))
    last = int(np.ceil(course.times[-1] / timestep - 1e-6))
    values = np.interp((np.arange(first, last) + 0.5) * timestep, course.times, course.values, left=0.0, right=0.0)
    values = np.append(values, 0.0)
    changes = np.diff(values, prepend=np.nan) != 0
    return first + np.flatnonzero(changes), values[changes]


def summed(shapes: Sequence[Shape]) -> Shape:
    """The sum of piecewise linear courses that are 0 outside their points, jumps kept."""
    if len(shapes) == 1:
        return shapes[0]
    times = np.unique(np.concatenate([shape.times for shape in shapes]))
    sides = [sum((_at(shape, times, side) for shape in shapes), np.zeros(len(times))) for side in ("left", "right")]
    return Shape(np.repeat(times, 2), np.stack(sides, axis=1).reshape(-1))


def _at(shape: Shape, times: np.ndarray, side: Literal["left", "right"]) -> np.ndarray:
    """Values of a course just before (``left``) or after (``right``) some times; 0 outside."""
    if not len(shape.times):
        return np.zeros(len(times))
    place = np.searchsorted(shape.times, times, side=side)
    inside = (place > 0) & (place < len(shape.times))
    after = np.clip(place, 1, len(shape.times) - 1)
    begin, end = shape.times[after - 1], shape.times[after]
    part = np.where(end > begin, (times - begin) / np.where(end > begin, end - begin, 1.0), 0.0)
    return np.where(inside, shape.values[after - 1] + part * (shape.values[after] - shape.values[after - 1]), 0.0)


def random_of(
    process: Process, name: str, seeds: tuple[int, int], population: str, node_id: int
) -> np.random.Generator:
    """The generator of one stimulus at one cell: PCG64 seeded by (seed of the run, seed of stimuli, stimulus, cell).

    A stimulus with a seed of its own draws the same values for all cells, which is what that seed is for.
    """
    who = [process.seed] if process.seed is not None else [zlib.crc32(population.encode()), node_id]
    return np.random.default_rng([*seeds, zlib.crc32(name.encode()), *who])


def seeds_of(signal: Signal, plan: SimulationPlan, report: Report, where: str) -> tuple[int, int]:
    """The seeds of the run and of its stimuli, for `random_of`; zeros for a signal that is not random."""
    if not isinstance(signal.shape, Process):
        return 0, 0
    return seed_of(replace(plan, seeds={}), None, report, where), int(plan.seeds.get("stimulus", 0))


def amplitudes(signal: Signal, population: Population, rows: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """``(offset, gain)`` at some cells, float64[n]: those of the signal, times what it is relative to.

    Raises PlanError where a cell does not state that (``threshold_current`` ...), or states 0 or infinity.
    """
    scale = _scale(signal, population, rows, where)
    offset, gain = signal.offset * scale, signal.gain * (np.sqrt(scale) if signal.root_gain else scale)
    if not np.isfinite(offset + gain).all():
        raise PlanError("the input has no finite amplitude at some cells", where=where)
    return offset, gain


def _scale(signal: Signal, population: Population, rows: np.ndarray, where: str) -> np.ndarray:
    """What multiplies a signal at every cell: 1, or the value of the column that it is relative to."""
    if not signal.relative:
        return np.ones(len(rows))
    column = population.column(PARAMETER + signal.relative) or population.column(signal.relative)
    if column is None or column.is_text:
        raise PlanError(
            f"the input is relative to {signal.relative}, which population {population.name!r} does not state",
            where=where,
            hint=f"add dynamics_params/{signal.relative} to the nodes, or state absolute amplitudes",
        )
    stated: Any = column.read(population.size)[rows]
    if np.ma.is_masked(stated):
        raise PlanError(
            f"the input is relative to {signal.relative}, which some of its cells in population"
            f" {population.name!r} do not state",
            where=where,
        )
    values = np.asarray(stated, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return 1.0 / values if signal.relative == "input_resistance" else values


# --- shapes -------------------------------------------------------------------------------------------------------


def _pulses(what: CurrentPulses) -> Signal:
    """Steps that add up: sorted edges, and the sum of what is on between them."""
    begins, ends = what.delays, what.delays + what.durations
    edges = np.concatenate([begins, ends])
    changes = np.concatenate([what.amplitudes, -what.amplitudes])
    order = np.argsort(edges, kind="stable")
    times, first = np.unique(edges[order], return_index=True)
    after = np.cumsum(np.add.reduceat(changes[order], first)) if len(times) else np.empty(0)
    if len(after):
        after[-1] = 0.0  # all are off: the sum of what was added and taken away need not be exactly 0
    before = np.concatenate([[0.0], after[:-1]])[: len(after)]
    return Signal("current", Shape(np.repeat(times, 2), np.stack([before, after], axis=1).reshape(-1)))


def _window(delay: float, duration: float, start: float, stop: float) -> Shape:
    end = delay + duration
    return Shape(np.array([delay, delay, end, end]), np.array([0.0, start, stop, 0.0]))


def _ramp(what: CurrentRamp) -> Signal:
    part = 0.01 if what.relative else 1.0
    shape = _window(what.delay, what.duration, what.start, what.stop)
    return Signal("current", shape, gain=part, relative=str(what.relative))


def _hyperpolarizing(what: Hyperpolarizing) -> Signal:
    return Signal("current", _window(what.delay, what.duration, 1.0, 1.0), relative="holding_current")


def _subthreshold(what: Subthreshold) -> Signal:
    part = (100.0 - what.percent_less) / 100.0
    return Signal("current", _window(what.delay, what.duration, part, part), relative="threshold_current")


def _sine(what: SinusoidalCurrent) -> Signal:
    interval = _positive(what.interval or SINE_INTERVAL, "interval")
    since = interval * np.arange(steps_in(what.duration, interval) + 1)
    values = what.amplitude * np.sin(2e-3 * np.pi * what.frequency * since + np.deg2rad(what.phase))
    if what.held:
        return Signal("current", _held(what.delay + since, values, what.delay + what.duration))
    # from 0 where it does not begin there
    times = np.concatenate([[what.delay], what.delay + since, [what.delay + what.duration]])
    values = np.append(0.0, values)
    return Signal("current", Shape(times, np.append(values, 0.0)))


def _voltage(what: VoltageClamp) -> Signal:
    ends = what.delay + np.cumsum(what.durations)
    begins = np.concatenate([[what.delay], ends[:-1]])[: len(ends)]
    shape = Shape(np.stack([begins, ends], axis=1).reshape(-1), np.repeat(what.levels, 2))
    stated = what.series_resistance
    return Signal("voltage", shape, resistance=SERIES_RESISTANCE if stated is None else _positive(stated, "resistance"))


# --- random shapes ------------------------------------------------------------------------------------------------


def _noise(what: NoiseCurrent) -> Signal:
    part = 0.01 if what.relative else 1.0
    if what.variance < 0:
        raise ValueError(f"the variance is {what.variance}, which is negative")
    interval = _positive(what.interval or NOISE_INTERVAL, "interval")
    return Signal(
        "current",
        Process("white", what.delay, what.duration, interval, what.seed, held=what.held),
        offset=part * what.mean,
        gain=math.sqrt(part * what.variance),
        relative=str(what.relative),
        root_gain=True,
    )


def _ornstein_uhlenbeck(what: OrnsteinUhlenbeck) -> Signal:
    part = 0.01 if what.relative else 1.0
    interval = _positive(what.interval or PROCESS_INTERVAL, "interval")
    process = Process("ornstein_uhlenbeck", what.delay, what.duration, interval, what.seed, {"tau": what.tau})
    kind = "conductance" if what.conductance else "current"
    offset, gain, relative = part * what.mean, part * what.sigma, str(what.relative)
    return Signal(kind, process, offset, gain, relative=relative, reversal=what.reversal)


def _shot_noise(what: ShotNoise) -> Signal:
    part = 0.01 if what.relative else 1.0
    if not 0 < what.rise < what.decay:
        raise ValueError(f"the rise time ({what.rise} ms) must be positive and below the decay time ({what.decay} ms)")
    interval = _positive(what.interval or PROCESS_INTERVAL, "interval")
    rate, mean, variance = _shots(what)
    parameters = {"rise": what.rise, "decay": what.decay, "rate": rate, "mean": mean, "variance": variance}
    process = Process("shot_noise", what.delay, what.duration, interval, what.seed, parameters)
    kind = "conductance" if what.conductance else "current"
    return Signal(kind, process, gain=part, relative=str(what.relative), reversal=what.reversal)


def _shots(what: ShotNoise) -> tuple[float, float, float]:
    """Rate (Hz), mean and variance of the amplitudes, as stated or by Campbell's theorem from those of the signal.

    With kernel k(t), its peak 1: mean = rate E[A] int k, variance = rate E[A^2] int k^2, skewness likewise from
    E[A^3] (Rice 1944). For gamma amplitudes a skewness that is the fraction s of the way between its least and its
    greatest value means E[A^2] = E[A]^2 / (1 - s): ``relative_skew`` s and a coefficient of variation are one number.
    """
    if what.rate is not None and what.amplitude_mean is not None and what.amplitude_variance is not None:
        return what.rate, what.amplitude_mean, what.amplitude_variance
    if what.mean is None or what.sigma is None or not what.mean:
        raise ValueError("shot noise states neither rate and amplitudes nor mean and sigma of the signal")
    peak = height_of_peak(what.rise, what.decay)
    area = (what.decay - what.rise) / peak
    square = (what.decay - what.rise) ** 2 / (2 * (what.decay + what.rise)) / peak**2
    spread = _spread(what)
    amplitude = what.sigma**2 / what.mean * area / square / spread
    return 1000.0 * what.mean / (amplitude * area), amplitude, (spread - 1.0) * amplitude**2


def _spread(what: ShotNoise) -> float:
    """``E[A^2] / E[A]^2``."""
    if what.amplitude_cv is not None:
        return 1.0 + what.amplitude_cv**2
    skew = RELATIVE_SKEW if what.relative_skew is None else what.relative_skew
    if not 0 <= skew < 1:
        raise ValueError(f"the relative skewness is {skew}; it must be at least 0 and below 1")
    return 1.0 / (1.0 - skew)


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ValueError(f"the {name} is {value}, which is not positive")
    return value


_SIGNALS: dict[type, Callable[[Any], Signal]] = {
    CurrentPulses: _pulses,
    CurrentRamp: _ramp,
    Hyperpolarizing: _hyperpolarizing,
    Subthreshold: _subthreshold,
    SinusoidalCurrent: _sine,
    NoiseCurrent: _noise,
    OrnsteinUhlenbeck: _ornstein_uhlenbeck,
    ShotNoise: _shot_noise,
    VoltageClamp: _voltage,
}
