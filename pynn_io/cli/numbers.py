"""Numbers and paths on a command line, as types for argparse."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def as_path(text: str) -> Path:
    """A path that is one: an empty text, as of a variable of the shell that is not set, would be the current folder."""
    if not text:
        raise ArgumentTypeError("the path is empty")
    return Path(text)


def any_number(text: str) -> float:
    """Any."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None


def whole(text: str) -> int:
    """A whole one."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive(text: str) -> float:
    """Finite and above 0."""
    value = any_number(text)
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
    value = any_number(text)
    if not 0 <= value < float("inf"):
        raise ArgumentTypeError(f"{text} is not a number of at least 0")
    return value


def count(text: str) -> int:
    """At least 1."""
    value = whole(text)
    if value < 1:
        raise ArgumentTypeError(f"{text}: at least 1 is needed")
    return value


def seed(text: str) -> int:
    """What every simulator takes as one."""
    value = whole(text)
    if not 0 <= value < 2**31:
        raise ArgumentTypeError(f"{text} is not between 0 and 2**31 - 1")
    return value
