"""The shortest decimal text of many float64 at once, digit for digit what Python's ``repr`` gives.

Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles", 2021; the formulation without tables of digits
follows section 9 and its C++ rendering by Alexander Bolz), with numpy arrays in place of the numbers. numpy's own
conversion and ``repr`` need half a microsecond and more a number, which is most of the time of writing a network.
"""

from __future__ import annotations

from functools import cache

import numpy as np

_LOWEST, _HIGHEST = -292, 324
_LOW_HALF = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_1, _4, _10 = np.uint64(1), np.uint64(4), np.uint64(10)
_HIDDEN = np.uint64(1 << 52)
#: ``repr`` writes a fixed point for 1e-4 <= x < 1e16; the position of the point behind the first digit.
_FIXED = range(-3, 17)
_POWERS = 10 ** np.arange(20, dtype=np.uint64)


def shortest_text(values: np.ndarray) -> np.ndarray:
    """Finite float64 values as an array of bytes; exponents carry no plus sign."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    digits, exponent = _decimal(values)
    length = np.searchsorted(_POWERS, digits, side="right")
    point = length + exponent
    text = np.zeros((len(values), 25), dtype=np.uint8)
    fixed = (point >= _FIXED.start) & (point < _FIXED.stop) & (digits != 0)
    for place in np.unique(point[fixed]).tolist():
        rows = np.flatnonzero(fixed & (point == place))
        text[rows] = _fixed(digits[rows], length[rows], place)
    other = np.flatnonzero(~fixed)
    result = text.view("S25").reshape(-1)
    negative = np.signbit(values)
    if negative.any():
        signed = np.zeros((len(values), 26), dtype=np.uint8)
        signed[:, 1:] = text
        signed[negative, 0] = ord("-")
        result = signed.view("S26").reshape(-1)
    if len(other):
        result[other] = np.char.replace(values[other].astype("S26"), b"+", b"")
    return result


def _fixed(digits: np.ndarray, length: np.ndarray, place: int) -> np.ndarray:
    """``digits`` with the decimal point after ``place`` of them (before zeros where it is not positive)."""
    aligned = digits * _POWERS[17 - length]
    ascii_digits = np.empty((len(digits), 17), dtype=np.uint8)
    # Eight digits at a time in 32 bits, where division is several times faster than in 64.
    upper, lower = np.divmod(aligned, np.uint64(10**8))
    first, upper = np.divmod(upper, np.uint64(10**8))
    ascii_digits[:, 0] = first
    for start, part in ((1, upper.astype(np.uint32)), (9, lower.astype(np.uint32))):
        high, low = np.divmod(part, np.uint32(10**4))
        ascii_digits[:, start : start + 4] = _four_digits()[high]
        ascii_digits[:, start + 4 : start + 8] = _four_digits()[low]
    ascii_digits += ord("0")
    ascii_digits[np.arange(17) >= np.maximum(length, place + 1 if place > 0 else 1)[:, None]] = 0
    text = np.zeros((len(digits), 25), dtype=np.uint8)
    if place > 0:
        text[:, :place] = ascii_digits[:, :place]
        text[:, place] = ord(".")
        text[:, place + 1 : 18] = ascii_digits[:, place:]
    else:
        text[:, : 2 - place] = np.frombuffer(b"0." + b"0" * -place, dtype=np.uint8)
        text[:, 2 - place : 19 - place] = ascii_digits
    return text


@cache
def _four_digits() -> np.ndarray:
    return np.stack(np.unravel_index(np.arange(10**4), (10, 10, 10, 10)), axis=1).astype(np.uint8)


def _decimal(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(digits, exponent)`` with ``|value| = digits * 10**exponent``, digits as short as they can be."""
    bits = values.view(np.uint64) & np.uint64(2**63 - 1)
    fraction = bits & (_HIDDEN - _1)
    biased = (bits >> np.uint64(52)).astype(np.int64)
    c = np.where(biased > 0, fraction | _HIDDEN, fraction)
    q = np.where(biased > 0, biased, 1) - 1075
    closer = (fraction == 0) & (biased > 1)
    odd = c & _1
    k = (q * 1262611 - np.where(closer, 524031, 0)) >> 22
    high, low = _power_of_ten(-k)
    h = (q + ((-k * 1741647) >> 19) + 1).astype(np.uint64)
    lower = _round_to_odd(high, low, (_4 * c - np.uint64(2) + closer) << h) + odd
    middle = _round_to_odd(high, low, (_4 * c) << h)
    upper = _round_to_odd(high, low, (_4 * c + np.uint64(2)) << h) - odd
    s = middle >> np.uint64(2)
    tens = s // _10
    up = lower <= _4 * _10 * tens
    down = _4 * _10 * (tens + _1) <= upper
    short = (s >= _10) & (up != down)
    up_inside = lower <= _4 * s
    down_inside = _4 * (s + _1) <= upper
    half = _4 * s + np.uint64(2)
    nearest = (middle > half) | ((middle == half) & ((s & _1) == _1))
    long = s + np.where(up_inside != down_inside, down_inside, nearest).astype(np.uint64)
    digits = np.where(short, tens + down.astype(np.uint64), long)
    return _without_zeros(digits, k + short)


def _without_zeros(digits: np.ndarray, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trailing zeros moved into the exponent."""
    rows = np.flatnonzero(digits % _10 == 0)
    rows = rows[digits[rows] != 0]
    while len(rows):
        digits[rows] //= _10
        exponent[rows] += 1
        rows = rows[digits[rows] % _10 == 0]
    return digits, exponent


def _round_to_odd(high: np.ndarray, low: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The top 64 bits of a 192-bit product, the last one set if anything was cut off."""
    carried, _ = _multiply(low, factor)
    top, rest = _multiply(high, factor)
    total = rest + carried
    top += total < rest
    return top | (total > _1)


def _multiply(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 128-bit product of two uint64 arrays as upper and lower half."""
    a_high, a_low, b_high, b_low = a >> _32, a & _LOW_HALF, b >> _32, b & _LOW_HALF
    low = a_low * b_low
    cross = a_high * b_low + (low >> _32)
    other = a_low * b_high + (cross & _LOW_HALF)
    return a_high * b_high + (cross >> _32) + (other >> _32), a * b


def _power_of_ten(exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    high, low = _powers_of_ten()
    index = exponent - _LOWEST
    return high[index], low[index]


@cache
def _powers_of_ten() -> tuple[np.ndarray, np.ndarray]:
    """10**e for every e that occurs, as 128-bit numbers with the top bit set, rounded up."""
    values = []
    for exponent in range(_LOWEST, _HIGHEST + 1):
        shift = ((exponent * 1741647) >> 19) - 127
        top, bottom = 10 ** max(exponent, 0), 10 ** max(-exponent, 0)
        top, bottom = (top << -shift, bottom) if shift < 0 else (top, bottom << shift)
        values.append(-(-top // bottom))
    return (
        np.array([value >> 64 for value in values], dtype=np.uint64),
        np.array([value & (2**64 - 1) for value in values], dtype=np.uint64),
    )
