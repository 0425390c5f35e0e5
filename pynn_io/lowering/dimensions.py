"""Dimensional analysis of component types: a sum of a voltage and a current is an error of whoever wrote it.

Only what can be derived is judged. A literal number in a sum fits any dimension where it is 0, and is dimensionless
else; a name of an unknown dimension, and a power with a variable exponent of a dimensioned base, are let pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from pynn_io.errors import GraphError
from pynn_io.graph.dynamics import Action, Assignment, ComponentType, Derived, OnCondition
from pynn_io.graph.expressions import Expression
from pynn_io.units import DIMENSIONS

#: Exponents of kg, m, s, A, K, mol; None: not known, or that of a 0.
Exponents: TypeAlias = tuple[Fraction, ...] | None
_NONE: tuple[Fraction, ...] = (Fraction(0),) * 6
_TIME: tuple[Fraction, ...] = tuple(Fraction(each) for each in DIMENSIONS["time"])
#: Functions whose result has the dimension of what they are given, or its root; all others take plain numbers.
_SAME = frozenset({"abs", "min", "max", "random", "ceil", "floor"})
_ANY = frozenset({"H"})


class _Clash(Exception):
    """Two dimensions that do not go together."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The dimensions of the names of a type. Those of derived variables that state none follow from what they are."""

    known: Mapping[str, Exponents]

    def of(self, node: ast.AST) -> Exponents:
        """The dimension of an expression. Raises _Clash."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id.rstrip("\u02d0"))
        if isinstance(node, ast.Constant):
            return None if node.value == 0 else _NONE
        if isinstance(node, ast.UnaryOp):
            return self.of(node.operand)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Compare):
            for each in node.comparators:
                self._same(node.left, each, "is compared with")
            return _NONE
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.of(child)
        return _NONE

    def _binary(self, node: ast.BinOp) -> Exponents:
        if isinstance(node.op, ast.Add | ast.Sub):
            return self._same(node.left, node.right, "is added to" if isinstance(node.op, ast.Add) else "is less by")
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        sign = 1 if isinstance(node.op, ast.Mult) else -1
        return tuple(one + sign * other for one, other in zip(left, right, strict=True))

    def _power(self, node: ast.BinOp) -> Exponents:
        base, exponent = self.of(node.left), self.of(node.right)
        if exponent is not None and exponent != _NONE:
            raise _Clash(f"the exponent {ast.unparse(node.right)} is a {name_of(exponent)}")
        number = Expression(ast.unparse(node.right)).number
        if base is None or base == _NONE:
            return base
        return None if number is None else tuple(each * Fraction(number).limit_denominator(100) for each in base)

    def _call(self, node: ast.Call) -> Exponents:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("min", "max"):
            return self._same(node.args[0], node.args[1], "is compared with")
        found = [self.of(each) for each in node.args]
        if name in _SAME:
            return found[0]
        if name == "sqrt":
            return None if found[0] is None else tuple(each / 2 for each in found[0])
        if name == "power":
            return self._power(ast.BinOp(node.args[0], ast.Pow(), node.args[1]))
        for each, argument in zip(found, node.args, strict=True):
            if name not in _ANY and each is not None and each != _NONE:
                raise _Clash(f"{name}({ast.unparse(argument)}) is of a {name_of(each)}")
        return _NONE

    def _same(self, left: ast.expr, right: ast.expr, word: str) -> Exponents:
        one, other = self.of(left), self.of(right)
        if one is not None and other is not None and one != other:
            raise _Clash(
                f"{ast.unparse(left)}, a {name_of(one)}, {word} {ast.unparse(right)}, a {name_of(other)}",
            )
        return other if one is None else one


def name_of(exponents: tuple[Fraction, ...]) -> str:
    """A dimension in words: ``voltage``, or what it is made of."""
    for name, known in DIMENSIONS.items():
        if known == exponents:
            return "plain number" if name == "none" else name
    units = zip(("kg", "m", "s", "A", "K", "mol"), exponents, strict=True)
    return " ".join(f"{unit}^{power}" for unit, power in units if power)


def check(type_: ComponentType) -> None:
    """Raise GraphError, with every problem, where the dimensions of a type's equations do not go together."""
    found = [f"{what}: {problem}" for what, problem in _problems(type_)]
    if found:
        raise GraphError(
            f"the equations of the component type {type_.name!r} mix dimensions",
            problems=found,
            where=type_.where,
            hint="divide by a constant of the dimension where a plain number is meant",
        )


def _problems(type_: ComponentType) -> Iterator[tuple[str, str]]:
    names = _Names(_known(type_))
    for what, expected, expression in _equations(type_, names.known):
        try:
            found = names.of(expression.tree)
        except _Clash as clash:
            yield what, str(clash)
            continue
        if expected is not None and found is not None and found != expected:
            yield what, f"{expression} is a {name_of(found)}, and a {name_of(expected)} is expected"


def _known(type_: ComponentType) -> dict[str, Exponents]:
    """Name -> dimension. A derived variable without one has that of its exposure or of its first expression."""
    stated = {**type_.needs, **type_.parameters, **type_.states}
    stated |= {name: dimension for name, (dimension, _) in type_.constants.items()}
    found: dict[str, Exponents] = {name: _exponents(dimension) for name, dimension in stated.items()}
    found["t"] = _TIME
    found.setdefault("weight", _NONE)
    exposed = {type_.exposed.get(name, name): dimension for name, dimension in type_.gives.items()}
    silent: list[Derived] = []
    for each in (*type_.derived_parameters, *type_.derived):
        dimension = exposed.get(each.name, "none") if each.dimension == "none" else each.dimension
        found[each.name] = None if dimension == "none" else _exponents(dimension)
        if dimension == "none":
            silent.append(each)
    # LEMS takes "none" for what says nothing, and so do many files: such a variable is what its expression is.
    for _ in silent:
        for each in silent:
            found[each.name] = _inferred(each, found)
    return found


def _inferred(each: Derived, known: Mapping[str, Exponents]) -> Exponents:
    if not each.cases:
        return known.get(each.name)
    try:
        return _Names(known).of(each.cases[0].value.tree)
    except _Clash:
        return None


def _exponents(dimension: str) -> Exponents:
    known = DIMENSIONS.get(dimension)
    return None if known is None else tuple(Fraction(each) for each in known)


def _equations(type_: ComponentType, known: Mapping[str, Exponents]) -> Iterator[tuple[str, Exponents, Expression]]:
    """Every expression of a type: what it is, the dimension it is to have, and itself."""
    for each in (*type_.derived_parameters, *type_.derived):
        yield from _cases(each, known[each.name])
    yield from _rates(type_.derivatives, known)
    yield from _actions(type_.on_start, known)
    yield from _conditions(type_.conditions, known)
    for event in type_.events:
        yield from _actions(event.actions, known)
    for regime in type_.regimes:
        yield from _rates(regime.derivatives, known)
        yield from _actions(regime.on_entry, known)
        yield from _conditions(regime.conditions, known)
        for event in regime.events:
            yield from _actions(event.actions, known)


def _cases(each: Derived, expected: Exponents) -> Iterator[tuple[str, Exponents, Expression]]:
    for case in each.cases:
        yield each.name, expected, case.value
        if case.condition is not None:
            yield f"a condition of {each.name}", None, case.condition


def _rates(
    rates: Mapping[str, Expression], known: Mapping[str, Exponents]
) -> Iterator[tuple[str, Exponents, Expression]]:
    for name, value in rates.items():
        state = known.get(name)
        per_time = None if state is None else tuple(one - other for one, other in zip(state, _TIME, strict=True))
        yield f"the derivative of {name}", per_time, value


def _actions(
    actions: tuple[Action, ...] | tuple[Assignment, ...], known: Mapping[str, Exponents]
) -> Iterator[tuple[str, Exponents, Expression]]:
    for action in actions:
        if isinstance(action, Assignment):
            yield action.variable, known.get(action.variable), action.value


def _conditions(
    conditions: tuple[OnCondition, ...], known: Mapping[str, Exponents]
) -> Iterator[tuple[str, Exponents, Expression]]:
    for condition in conditions:
        yield "a condition", None, condition.test
        yield from _actions(condition.actions, known)
