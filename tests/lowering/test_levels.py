"""Time courses as steps, worked out by hand."""

from __future__ import annotations

import numpy as np

from pynn_io.lowering.signals import Shape, levels, summed


def shape(*points: tuple[float, float]) -> Shape:
    times, values = np.array(points, dtype=float).T
    return Shape(times, values)


def test_a_pulse_is_two_steps() -> None:
    steps, values = levels(shape((50, 0), (50, 0.4), (110, 0.4), (110, 0)), 0.1)
    assert steps.tolist() == [500, 1100]
    assert values.tolist() == [0.4, 0]


def test_pulses_add_up() -> None:
    first = shape((10, 0), (10, 1), (30, 1), (30, 0))
    second = shape((20, 0), (20, 2), (40, 2), (40, 0))
    steps, values = levels(summed([first, second]), 0.1)
    assert steps.tolist() == [100, 200, 300, 400]
    assert values.tolist() == [1, 3, 2, 0]


def test_a_current_that_ends_with_a_value_stops() -> None:
    """A time course says what is injected in its window, and nothing after it."""
    steps, values = levels(shape((5, 1), (8, 1)), 0.1)
    assert steps.tolist() == [50, 80]
    assert values.tolist() == [1, 0]


def test_a_ramp_counts_with_the_middle_of_each_step() -> None:
    steps, values = levels(shape((1.0, 0.0), (2.0, 1.0)), 0.25)
    assert steps.tolist() == [4, 5, 6, 7, 8]
    assert np.allclose(values, [0.125, 0.375, 0.625, 0.875, 0.0], rtol=0, atol=1e-12)


def test_no_points_are_no_steps() -> None:
    steps, values = levels(Shape(np.empty(0), np.empty(0)), 0.1)
    assert (len(steps), len(values)) == (0, 0)
