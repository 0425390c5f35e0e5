"""Currents that hold a value for an interval (PyNN's), and currents that outlast the run: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.graph.stimuli import CurrentPulses, NoiseCurrent, SinusoidalCurrent
from pynn_io.lowering.signals import levels, sample, signal_of

STEP, END = 0.1, 50.0


def per_step(what, random: np.random.Generator | None = None, end: float = END) -> np.ndarray:
    """nA in every step of a run."""
    signal = signal_of(what, end)
    assert signal is not None
    steps, values = levels(sample(signal, signal.offset, signal.gain, random), STEP)
    found = np.zeros(round(end / STEP))
    for begin, value in zip(steps.tolist(), values.tolist(), strict=True):
        found[begin:] = value
    return found


def test_a_sine_of_pynn_has_the_value_of_the_beginning_of_each_step() -> None:
    found = per_step(SinusoidalCurrent(0.5, 20.0, 5.0, 30.0, STEP, phase=60.0, held=True))
    since = STEP * np.arange(300)
    np.testing.assert_allclose(found[50:350], 0.5 * np.sin(2e-3 * np.pi * 20.0 * since + np.pi / 3), atol=1e-12)
    assert not found[:50].any() and not found[350:].any()


def test_another_sine_has_the_value_of_the_middle_and_a_phase() -> None:
    found = per_step(SinusoidalCurrent(0.5, 20.0, 5.0, 30.0, 0.025, phase=60.0))
    middle = STEP * (np.arange(1, 299) + 0.5)
    np.testing.assert_allclose(found[51:349], 0.5 * np.sin(2e-3 * np.pi * 20.0 * middle + np.pi / 3), atol=1e-5)


def test_noise_of_pynn_varies_as_much_as_it_says() -> None:
    """Straight lines between values that are a step apart would halve the variance."""
    what = NoiseCurrent(0.1, 0.04, 0.0, 1e12, interval=STEP, held=True)
    found = per_step(what, np.random.default_rng(3), end=5000.0)
    assert found.std() == pytest.approx(0.2, rel=0.02)
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.02
    slow = per_step(NoiseCurrent(0.0, 1.0, 0.0, 1e12, interval=1.0, held=True), np.random.default_rng(3))
    assert (slow.reshape(-1, 10) == slow[::10, None]).all()


@pytest.mark.parametrize(
    "what",
    [
        CurrentPulses(np.array([0.5]), np.array([1.0]), np.array([1e12])),
        SinusoidalCurrent(0.5, 20.0, 1.0, 1e12, STEP, held=True),
        SinusoidalCurrent(0.5, 20.0, 1.0, 1e12),
        NoiseCurrent(0.5, 0.01, 1.0, 1e12),
    ],
)
def test_a_current_without_an_end_takes_no_more_than_the_run(what) -> None:
    """1e12 ms are what PyNN's sources last where a script says nothing."""
    found = per_step(what, np.random.default_rng(1))
    assert not found[:10].any()
    assert found[11:].any() and found[-1] != 0.0
