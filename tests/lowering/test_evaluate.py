"""Expressions by numpy, element by element."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.graph.dynamics import Case, Derived
from pynn_io.graph.expressions import parse
from pynn_io.lowering.evaluate import derive, value

_TIMES = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t .geq. delay .and. t .lt. delay + 2", [0, 1, 1, 0, 0]),
        ("t .lt. delay .or. t .gt. 3", [1, 0, 0, 0, 1]),
        (".not. (t .lt. delay) .and. t .neq. 2", [0, 1, 0, 1, 1]),
        ("t .lt. 1 .or. t .gt. 1 .and. t .lt. 3", [1, 0, 1, 0, 0]),
        ("delay + 0 * t .gt. 0", [1, 1, 1, 1, 1]),
    ],
)
def test_conditions_of_arrays(text: str, expected: list[int]) -> None:
    assert value(parse(text), {"t": _TIMES, "delay": 1.0}).astype(int).tolist() == expected


def test_what_a_condition_leaves_out_may_divide_by_zero() -> None:
    case = Derived("spike", "none", (Case(parse("0"), parse("width .eq. 0")), Case(parse("exp(x / width)"))))
    assert derive(case, {"x": 1.0, "width": 0.0}) == 0
    assert derive(case, {"x": 1.0, "width": 2.0}) == pytest.approx(np.exp(0.5))
