"""When a condition comes true, and how a rate depends on its own state: what NEURON wants to know of expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Derived, OnCondition
from pynn_io.graph.expressions import Expression
from pynn_io.lowering.systems import uses

TIME, WATCH = "time", "watch"


@dataclass(frozen=True, slots=True)
class Armed:
    """A condition with the number of its event. kind: `TIME` (at the time ``when``) or `WATCH` (``when`` turns > 0).

    regime: index of the regime that it belongs to; -1: always.
    """

    flag: int
    kind: str
    when: Expression
    condition: OnCondition
    regime: int


def is_linear(value: Expression, name: str, derived: Mapping[str, Derived]) -> bool:
    """Whether an expression is linear in a variable, as nocmodl's ``cnexp`` wants it: openly, not by way of others."""
    hidden = {other for other in value.names if other in derived and _depends(other, name, derived)}
    return not hidden and _degree(value.tree, name) <= 1


def _depends(other: str, name: str, derived: Mapping[str, Derived]) -> bool:
    return any(each == name or (each in derived and _depends(each, name, derived)) for each in uses(derived[other]))


def _degree(node: ast.AST, name: str) -> float:
    """The degree of a polynomial in a variable; infinite where it is none."""
    if isinstance(node, ast.Name):
        return 1.0 if node.id == name else 0.0
    if isinstance(node, ast.UnaryOp):
        return _degree(node.operand, name)
    if isinstance(node, ast.BinOp):
        left, right = _degree(node.left, name), _degree(node.right, name)
        if isinstance(node.op, ast.Add | ast.Sub):
            return max(left, right)
        if isinstance(node.op, ast.Mult):
            return left + right
        if isinstance(node.op, ast.Div) and right == 0:
            return left
    if not any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node)):
        return 0.0
    return float("inf")


def slope(value: Expression, name: str) -> Expression:
    """The derivative of an expression with respect to a variable that it is linear in, openly (`is_linear`)."""
    return Expression(ast.unparse(_slope(value.tree, name))).simplified()


def _slope(node: ast.expr, name: str) -> ast.expr:
    if _degree(node, name) == 0:
        return ast.Constant(0)
    if isinstance(node, ast.UnaryOp):
        return ast.UnaryOp(node.op, _slope(node.operand, name))
    if isinstance(node, ast.BinOp):
        left, right = _slope(node.left, name), _slope(node.right, name)
        if isinstance(node.op, ast.Add | ast.Sub):
            return ast.BinOp(left, node.op, right)
        if isinstance(node.op, ast.Mult) and _degree(node.left, name) == 0:
            return ast.BinOp(node.left, node.op, right)
        return ast.BinOp(left, node.op, node.right)
    return ast.Constant(1)


def _terms(test: Expression) -> list[ast.expr]:
    """The comparisons of a conjunction. Raises UnsupportedInput for another logic."""
    tree = test.tree
    terms = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    if not all(isinstance(each, ast.Compare) and len(each.ops) == 1 for each in terms):
        raise UnsupportedInput(f"NEURON cannot watch the condition {test}")
    return list(terms)


def trigger(test: Expression, states: set[str]) -> tuple[str, Expression]:
    """How a condition comes true: at a time (``when``), or when a comparison of states does (``when``)."""
    for each in _terms(test):
        if isinstance(each, ast.Compare) and _mentions(each, {"t"}):
            return TIME, _moment(each, test)
    ordered = [each for each in _terms(test) if isinstance(each, ast.Compare) and not isinstance(each.ops[0], ast.Eq)]
    found = next((each for each in ordered if _mentions(each, {"v"})), None)
    found = found or next((each for each in ordered if _mentions(each, states)), None)
    if found is None:
        raise UnsupportedInput(f"NEURON cannot watch the condition {test}")
    return WATCH, Expression(ast.unparse(found))


def _moment(comparison: ast.Compare, test: Expression) -> Expression:
    """The time from which on a comparison with ``t`` holds: ``t > x``, or ``x - t < y``."""
    left, right = comparison.left, comparison.comparators[0]
    later = isinstance(comparison.ops[0], ast.Gt | ast.GtE)
    if later and isinstance(left, ast.Name) and left.id == "t" and not _mentions(right, {"t"}):
        return Expression(ast.unparse(right))
    difference = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub)
    if difference and not later and isinstance(left.right, ast.Name) and left.right.id == "t":  # type: ignore[attr-defined]
        return Expression(f"{ast.unparse(left.left)} - ({ast.unparse(right)})")  # type: ignore[attr-defined]
    raise UnsupportedInput(f"NEURON cannot work out when the condition {test} comes true")


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))
