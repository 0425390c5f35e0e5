"""Numbers from expressions: values at the start of a run, and courses of time, by numpy.

Only what `pynn_io.graph.expressions.parse` accepted is evaluated: arithmetic and the functions of its table.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.graph.dynamics import Derived, Dynamics
from pynn_io.graph.expressions import Expression, unmarked
from pynn_io.lowering.systems import uses


def _factorial(x: Any) -> Any:
    from scipy.special import (
        gamma,
    )  # takes longer to import than all of this package, and hardly any model has factorials

    return gamma(np.asarray(x) + 1.0)


_FUNCTIONS: Mapping[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan")},
    "ln": np.log,
    "ceil": np.ceil,
    "floor": np.floor,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "H": lambda x: np.where(np.asarray(x) >= 0, 1.0, 0.0),
    "factorial": _factorial,
}
_OPERATORS: Mapping[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: np.logical_not,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

#: What to do about the one case that users meet: ``tauRise`` equal to ``tauDecay`` in an ``expTwoSynapse``.
_EQUAL = "where two time constants are equal, make one a little shorter: NEURON's Exp2Syn takes 0.9999 of the other"


def value(expression: Expression, names: Mapping[str, Any]) -> Any:
    """The value of an expression; ``names`` are numbers or arrays. Raises UnsupportedInput for an unknown name."""
    unknown = expression.names - names.keys()
    if unknown or "random(" in expression.text:
        missing = ", ".join(sorted(unknown)) or "random numbers"
        raise UnsupportedInput(f"{expression} cannot be worked out beforehand: it depends on {missing}")
    with np.errstate(all="ignore"):
        # numpy's numbers, which divide by zero where a condition leaves the result out
        numbers = {name: np.float64(each) if isinstance(each, int | float) else each for name, each in names.items()}
        return _value(expression.tree, numbers)


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """One node of an expression, element by element."""
    if isinstance(node, ast.Constant):
        return np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names[unmarked(node.id)]
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_value(node.operand, names))
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.BoolOp):
        return reduce(_OPERATORS[type(node.op)], (_value(each, names) for each in node.values))
    if isinstance(node, ast.Compare):
        sides = [_value(each, names) for each in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return reduce(np.logical_and, (_OPERATORS[type(sign)](before, after) for sign, before, after in pairs))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _FUNCTIONS[node.func.id](*(_value(each, names) for each in node.args))
    raise UnsupportedInput(f"{ast.unparse(node)!r} has no value here")


def derive(each: Derived, names: Mapping[str, Any]) -> Any:
    """The value of a derived variable, conditions applied element by element."""
    values = [value(case.value, names) for case in each.cases]
    tests = [case.condition for case in each.cases]
    result: Any = np.nan
    for test, found in reversed(list(zip(tests, values, strict=True))):
        result = found if test is None else np.where(value(test, names), found, result)
    return result


def starting_values(dynamics: Dynamics, known: Mapping[str, Any]) -> dict[str, Any]:
    """What states and parameters are at the start; derived variables where they follow from these.

    known: what comes from outside (``v``, ``temperature``). A variable that cannot be worked out is left out.
    """
    names = moment(dynamics, known)
    for assignment in dynamics.on_start:
        try:
            names[assignment.variable] = value(assignment.value, names)
        except UnsupportedInput:
            names.pop(assignment.variable, None)
    _derive_all(dynamics, names)
    return names


def moment(dynamics: Dynamics, known: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, and derived variables where they follow from what is known (states, 0 otherwise, and what comes from
    outside) at one moment. A variable that cannot be worked out is left out."""
    names: dict[str, Any] = {**dict.fromkeys(dynamics.states, 0.0), "t": 0.0, **known}
    names |= {**dynamics.constants, **dynamics.parameters}
    for each in dynamics.derived_parameters:
        names[each.name] = derive(each, names)
    _derive_all(dynamics, names)
    return names


def check_fixed(dynamics: Dynamics) -> None:
    """Raise GraphError for a number that follows from the parameters alone and is none: infinite, or NaN."""
    names: dict[str, Any] = {**dynamics.constants, **dynamics.parameters}
    for each in dynamics.derived_parameters:
        names[each.name] = derive(each, names)
        if not np.isfinite(names[each.name]):
            stated = ", ".join(f"{name} = {float(names[name]):g}" for name in sorted(uses(each) & names.keys()))
            message = f"{each.name} of this {dynamics.type}, which follows from {stated}, is not a number"
            raise GraphError(message, where=f"components/{dynamics.name}", hint=_EQUAL)


def _derive_all(dynamics: Dynamics, names: dict[str, Any]) -> None:
    for each in dynamics.derived:
        try:
            names[each.name] = derive(each, names)
        except UnsupportedInput:
            names.pop(each.name, None)


def course(dynamics: Dynamics, variable: str, times: np.ndarray) -> np.ndarray:
    """A variable that depends on time alone (a generator's current), at ``times`` (ms). Raises UnsupportedInput."""
    names = starting_values(dynamics, {"t": times})
    if variable not in names:
        raise UnsupportedInput(f"{dynamics.name or dynamics.type}: {variable} is no function of time alone")
    return np.broadcast_to(np.asarray(names[variable], dtype=np.float64), times.shape)
