"""Expressions of NMODL as text: their signs in Python's, conditions on plain numbers, NEURON's values of units."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

from pynn_io.formats.nmodl_records import Assign, Call, Statement
from pynn_io.graph.expressions import Expression, marked

#: NMODL's function -> how it is written here. ``log`` is the natural one in both.
_FUNCTIONS = {"fabs": "abs({})", "pow": "({})**({})", "log10": "(log({}) / log(10))"}
_SAME = frozenset({"exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh", "ceil", "floor"})
#: Values of NEURON's units that stand in UNITS blocks (NEURON 9: SI of 2019), by the two units named.
_FACTORS: Mapping[tuple[str, str], float] = {
    ("faraday", "coulomb"): 96485.33212331001,
    ("faraday", "kilocoulombs"): 96.48533212331001,
    ("k-mole", "joule/degC"): 8.31446261815324,
    ("pi", "1"): 3.141592653589793,
    ("k", "joule/degC"): 1.380649e-23,
    ("e", "coulomb"): 1.602176634e-19,
}
_SYNONYMS = {
    "coulombs": "coulomb",
    "joule/k": "joule/degC",
    "joule/kelvin": "joule/degC",
    "kilocoulomb": "kilocoulombs",
}
#: A number with a unit behind it: ``35 (mV)``.
_WITH_UNIT = re.compile(r"(?<![\w.])(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)\s*\([^()]*\)")
_NOT = re.compile(r"!(?!=)")


def factor_of(of: str, unit: str) -> float | None:
    """The value of ``NAME = (of) (unit)`` in a UNITS block; None where it is not known here."""
    key = tuple(_SYNONYMS.get(each.strip().lower(), each.strip()) for each in (of, unit))
    return _FACTORS.get(key)  # type: ignore[arg-type]


def python_text(text: str) -> str:
    """NMODL's signs in Python's."""
    text = marked(_WITH_UNIT.sub(r"\1", text.replace("\n", " ")))
    text = _NOT.sub(" not ", text.replace("^", "**").replace("&&", " and ").replace("||", " or "))
    return text.strip()


def truth(test: Expression) -> bool | None:
    """Whether a condition on plain numbers holds; None where it depends on anything."""
    node = test.tree
    if test.names or not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return None
    sides = [Expression(ast.unparse(each)).number for each in (node.left, node.comparators[0])]
    sign = _COMPARES.get(type(node.ops[0]))
    return None if None in sides or sign is None else bool(sign(*sides))


_COMPARES: Mapping[type, Callable[..., bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def tree_of(expression: Expression) -> ast.expr:
    """The syntax tree of an expression, of one's own to change."""
    return ast.parse(expression.text, mode="eval").body


def event_assignment(each: Statement) -> tuple[str, str]:
    """What a statement of NET_RECEIVE sets, and to what; empty where it does anything else."""
    if isinstance(each, Assign):
        return each.target, each.value
    if isinstance(each, Call) and each.name == "state_discontinuity" and len(each.arguments) == 2:
        return each.arguments[0], each.arguments[1]
    return "", ""


def function_call(name: str, arguments: list[ast.expr]) -> ast.expr | None:
    """A call of one of NMODL's own functions; None for any other name."""
    if name in _SAME:
        return ast.Call(ast.Name(name, ast.Load()), arguments, [])
    if name in _FUNCTIONS:
        return ast.parse(_FUNCTIONS[name].format(*map(ast.unparse, arguments)), mode="eval").body
    return None
