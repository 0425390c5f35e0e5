"""Many numbers from text at once, each the very float64 that Python's ``float`` makes of it.

A decimal whose digits are below 2^53, with up to 22 places behind the point, is one correctly rounded division of two
numbers that are exact (Clinger, "How to read floating point numbers accurately", 1990); others go through ``float``.
"""

from __future__ import annotations

import re

import numpy as np

#: As many digits always fit into 64 bits.
_DIGITS = 18
_EXACT = 2**53
_PLACES = 22
_POWERS = 10.0 ** np.arange(_PLACES + 1)
_NUMBER = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def whole_numbers(text: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values int64[n], and bool[n], whether a text is one: up to 18 digits. text: uint8[n, width], zeros behind it."""
    values = np.zeros(len(text), dtype=np.int64)
    fine = (lengths > 0) & (lengths <= _DIGITS)
    for place, character in enumerate(np.ascontiguousarray(text[:, :_DIGITS].T)):
        digit = character - np.uint8(ord("0"))
        inside = place < lengths
        fine &= (digit < 10) | ~inside
        values = np.where(inside, values * 10 + digit, values)
    return values, fine


def decimal_floats(text: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values float64[n], and bool[n], whether a text is a decimal number. text: uint8[n, width], zeros behind it."""
    size = len(text)
    columns = np.ascontiguousarray(text.T)
    negative = columns[0] == ord("-")
    simple = np.ones(size, dtype=bool)
    point = np.zeros(size, dtype=bool)
    mantissa, digits, places = (np.zeros(size, dtype=np.int64) for _ in range(3))
    for place, character in enumerate(columns):
        digit = character - np.uint8(ord("0"))
        is_digit = digit < 10
        is_point = character == ord(".")
        mantissa = np.where(is_digit, mantissa * 10 + digit, mantissa)
        digits += is_digit
        places += is_digit & point
        sign = (negative | (character == ord("+"))) if place == 0 else False
        simple &= is_digit | (is_point & ~point) | (place >= lengths) | sign
        point |= is_point
    simple &= digits > 0
    exact = simple & (digits <= _DIGITS) & (mantissa <= _EXACT) & (places <= _PLACES)
    values = mantissa / _POWERS[np.minimum(places, _PLACES)]
    np.negative(values, out=values, where=negative)
    # With more digits it is a number all the same; what is not that simple may have an exponent.
    words = np.ascontiguousarray(text).view(f"S{text.shape[1]}").reshape(-1)
    rest = np.flatnonzero(~simple)
    fine = simple
    fine[rest] = [_NUMBER.fullmatch(word) is not None for word in words[rest].tolist()]
    longer = np.flatnonzero(fine & ~exact)
    values[longer] = words[longer].astype(np.float64)
    return values, fine
