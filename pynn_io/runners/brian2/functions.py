"""Functions that Brian2 lacks, or has in a slow form, in the languages that it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_CHOOSE_CPP = "double choose(double test, double yes, double no) { return test > 0.5 ? yes : no; }"
_CHOOSE_CYTHON = """
cdef double choose(double test, double yes, double no):
    return yes if test > 0.5 else no
"""
_LINOID_CPP = """
double linoid(double x) {
    return fabs(x) < 1e-4 ? 1.0 - x / 2.0 + x * x / 12.0 : x / expm1(x);
}
"""
_LINOID_CYTHON = """
from libc.math cimport expm1, fabs
cdef double linoid(double x):
    return 1.0 - x / 2.0 + x * x / 12.0 if fabs(x) < 1e-4 else x / expm1(x)
"""


def _choose(test: Any, yes: Any, no: Any) -> Any:
    """One of two values; an infinite one that is not chosen does no harm."""
    return np.where(np.asarray(test) > 0.5, yes, no)


def _linoid(x: Any) -> Any:
    """``x / (exp(x) - 1)``, which is 1 at 0."""
    small = np.abs(x) < 1e-4
    return np.where(small, 1.0 - x / 2.0 + x * x / 12.0, x / np.expm1(np.where(small, 1.0, x)))


def functions(brian: Any) -> dict[str, Any]:
    """Every function by its name, for a namespace."""
    return {
        "choose": _function(brian, "choose", _choose, 3, _CHOOSE_CPP, _CHOOSE_CYTHON),
        "linoid": _function(brian, "linoid", _linoid, 1, _LINOID_CPP, _LINOID_CYTHON),
    }


def _function(brian: Any, name: str, python: Callable[..., Any], arguments: int, cpp: str, cython: str) -> Any:
    made = brian.Function(python, arg_units=[1] * arguments, return_unit=1)
    # Without an implementation of its own, numpy's would check the units of every call.
    made.implementations.add_implementation("numpy", code=python)
    made.implementations.add_implementation("cython", code=cython, name=name)
    made.implementations.add_implementation("cpp", code={"support_code": cpp}, name=name)
    return made
