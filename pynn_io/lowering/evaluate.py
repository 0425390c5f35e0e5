"""Numbers from expressions: values at the start of a run, and courses of time, by numpy.

Only what `pynn_io.graph.expressions.parse` accepted is evaluated: arithmetic and the functions of its table.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import gamma

from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.graph.dynamics import Derived, Dynamics
from pynn_io.graph.expressions import Expression, Language, render
from pynn_io.lowering.systems import uses

_NUMPY = Language(
    {"Pow": "**", "And": "and", "Or": "or", "Not": "not"},
    {"ln": "log", "ceil": "ceil", "floor": "floor"},
)
_FUNCTIONS: Mapping[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan")},
    "ceil": np.ceil,
    "floor": np.floor,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "H": lambda x: np.where(np.asarray(x) >= 0, 1.0, 0.0),
    "factorial": lambda x: gamma(np.asarray(x) + 1.0),
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
    "__builtins__": {},
}

#: What to do about the one case that users meet: ``tauRise`` equal to ``tauDecay`` in an ``expTwoSynapse``.
_EQUAL = "where two time constants are equal, make one a little shorter: NEURON's Exp2Syn takes 0.9999 of the other"


def value(expression: Expression, names: Mapping[str, Any]) -> Any:
    """The value of an expression; ``names`` are numbers or arrays. Raises UnsupportedInput for an unknown name."""
    unknown = expression.names - names.keys()
    if unknown or "random(" in expression.text:
        missing = ", ".join(sorted(unknown)) or "random numbers"
        raise UnsupportedInput(f"{expression} cannot be worked out beforehand: it depends on {missing}")
    tree = _Elementwise().visit(ast.parse(render(expression, _NUMPY), mode="eval"))
    code = compile(ast.fix_missing_locations(tree), "<expression>", "eval")
    with np.errstate(all="ignore"):
        # numpy's numbers, which divide by zero where a condition leaves the result out
        numbers = {name: np.float64(each) if isinstance(each, int | float) else each for name, each in names.items()}
        return eval(code, dict(_FUNCTIONS), numbers)


class _Elementwise(ast.NodeTransformer):
    """``and``, ``or`` and ``not`` as functions of arrays: Python's own want one truth, and ``&`` binds too tightly."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        found = node.values[0]
        for other in node.values[1:]:
            found = ast.Call(ast.Name(type(node.op).__name__, ast.Load()), [found, other], [])
        return found

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("Not", ast.Load()), [node.operand], []) if isinstance(node.op, ast.Not) else node


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
    names: dict[str, Any] = {**dict.fromkeys(dynamics.states, 0.0), "t": 0.0, **known}
    names |= {**dynamics.constants, **dynamics.parameters}
    for each in dynamics.derived_parameters:
        names[each.name] = derive(each, names)
    _derive_all(dynamics, names)
    for assignment in dynamics.on_start:
        try:
            names[assignment.variable] = value(assignment.value, names)
        except UnsupportedInput:
            names.pop(assignment.variable, None)
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
