"""Numbers on a command line, as types for argparse."""

from __future__ import annotations

from argparse import ArgumentTypeError


def positive(text: str) -> float:
    """Finite and above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a positive number")
    return value


def milliseconds(text: str) -> float:
    """A duration or a step."""
    try:
        return positive(text)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error} of ms") from None


def not_negative(text: str) -> float:
    """Finite and at least 0."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a number of at least 0")
    return value


def count(text: str) -> int:
    """At least 1."""
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"{text}: at least 1 is needed")
    return value


def seed(text: str) -> int:
    """What every simulator takes as one."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise ArgumentTypeError(f"{text} is not between 0 and 2**31 - 1")
    return value
