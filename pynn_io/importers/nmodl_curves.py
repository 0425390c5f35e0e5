"""Functions of the potential as formulas of NeuroML's rates (NeuroML 2.3, Channels), recognised by their values.

Whichever way a file guards 0/0, the curve is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

#: Where curves are compared, mV: off the points at which files have 0/0.
_POTENTIALS = np.linspace(-151.37, 148.61, 241)
_CLOSE, _SAME = 1e-9, 1e-12
#: Where curves have reached their limits, mV; the nearer one for spellings that overflow at the other.
_FAR = (4000.0, 1500.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """One of NeuroML's formulas: ``kind`` is Exp, Sigmoid or ExpLinear."""

    kind: str
    rate: float
    midpoint: float
    scale: float


def curve(
    function: Callable[[np.ndarray], np.ndarray], noise: Callable[[np.ndarray], np.ndarray] | None = None
) -> Curve | None:
    """The formula that a function of the potential (mV) is, to 1e-9 of it at every potential; None where it is none.

    noise: how far off its values are by rounding.

    Its numbers have the fewest digits with which it is the same curve to 1e-12, as files state round numbers.
    """
    wanted = _finite(function, _POTENTIALS)
    rounding = np.zeros_like(_POTENTIALS) if noise is None else _finite(noise, _POTENTIALS)
    if wanted is None or rounding is None:
        return None
    guesses = (_exponential(function), *(shape(function, far) for far in _FAR for shape in (_sigmoid, _linoid)))
    for found in guesses:
        if found is None:
            continue
        for digits, tolerance in ((6, _SAME), (9, _SAME), (12, _SAME), (17, _CLOSE)):
            numbers = (digits_of(number, digits) for number in (found.rate, found.midpoint, found.scale))
            rounded = Curve(found.kind, *numbers)
            if _agrees(rounded, wanted, tolerance, rounding):
                return rounded
    return None


def digits_of(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


def _agrees(found: Curve, wanted: np.ndarray, tolerance: float, rounding: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        x = (_POTENTIALS - found.midpoint) / found.scale
        made = found.rate * _SHAPES[found.kind](x)
        return bool(np.all(np.abs(made - wanted) <= tolerance * np.abs(wanted) + rounding + 1e-300))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _linear(x: np.ndarray) -> np.ndarray:
    return x / (1 - np.exp(-x))


_SHAPES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"Exp": np.exp, "Sigmoid": _logistic, "ExpLinear": _linear}


def _finite(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray | None:
    with np.errstate(all="ignore"):
        found = np.broadcast_to(np.asarray(function(at), dtype=np.float64), at.shape)
    return found if np.all(np.isfinite(found)) else None


def _exponential(function: Callable[[np.ndarray], np.ndarray]) -> Curve | None:
    """``rate exp((v - midpoint) / scale)``: midpoint 0 is as good as any."""
    found = _finite(function, np.array([0.0, 10.0]))
    if found is None or not found[0] or found[1] / found[0] <= 0 or found[1] == found[0]:
        return None
    return Curve("Exp", float(found[0]), 0.0, float(10.0 / np.log(found[1] / found[0])))


def _sigmoid(function: Callable[[np.ndarray], np.ndarray], end: float) -> Curve | None:
    """``rate / (1 + exp(-(v - midpoint) / scale))``: its inverse is a constant and an exponential."""
    found = _finite(function, _POTENTIALS)
    far = _finite(function, np.array([-end, end]))
    if found is None or far is None:
        return None
    rate, side = (far[1], 1.0) if abs(far[1]) > abs(far[0]) else (far[0], -1.0)
    middle = int(np.argmin(np.abs(found - rate / 2)))
    at = _POTENTIALS[middle] + np.array([-1.0, 1.0])
    odds = _finite(lambda v: rate / function(v) - 1, at)
    if odds is None or odds.min() <= 0 or odds[0] == odds[1]:
        return None
    scale = -2.0 / np.log(odds[1] / odds[0])
    midpoint = at[0] + scale * np.log(odds[0])
    return Curve("Sigmoid", float(rate), float(midpoint), float(scale)) if side * scale > 0 else None


def _linoid(function: Callable[[np.ndarray], np.ndarray], end: float) -> Curve | None:
    """``rate x / (1 - exp(-x))``: a straight line on one side, far away."""
    ends = _finite(function, np.array([-end, -end + 100, end - 100, end]))
    if ends is None:
        return None
    side = 1.0 if abs(ends[3]) > abs(ends[0]) else -1.0
    slope = (ends[3] - ends[2]) / 100 if side > 0 else (ends[1] - ends[0]) / 100
    if slope == 0:
        return None
    midpoint = float(side * end - (ends[3] if side > 0 else ends[0]) / slope)
    near = _finite(function, np.array([midpoint + side * 7.3]))
    ratio = None if near is None or not near[0] else 1 - slope * side * 7.3 / near[0]
    if ratio is None or ratio <= 0 or ratio >= 1:
        return None
    scale = float(side * -7.3 / np.log(ratio))
    return Curve("ExpLinear", float(slope * scale), midpoint, scale)
