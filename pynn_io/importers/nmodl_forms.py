"""The shape of equations: a current as conductance times gates times driving force, a state as gate, a rate as formula.

What is looked for are the forms of NeuroML's ion channels (Hodgkin & Huxley 1952; NeuroML 2.3, Channels). A rate is
recognised by its values, not by how it is written: whichever way a file guards 0/0, the curve is the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.graph.dynamics import Derived
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.importers.nmodl_curves import digits_of
from pynn_io.importers.nmodl_system import Equations, uses_of
from pynn_io.lowering.evaluate import derive, value

#: Units of a conductance density, whose parameter scales a current.
_DENSITY_UNIT = re.compile(
    r"(?:[munp]|milli|micro)?(?:S|mho|siemens)\s*/\s*(?:cm2|um2|micron2)|cm/s(?:ec)?", re.IGNORECASE
)
_DENSITY_NAME = re.compile(r"g\w*|\w+bar")


class Values:
    """Numbers for expressions of a mechanism, with its parameters put in.

    Potentials are mV, concentrations mM, temperatures degC, all arrays or numbers.
    """

    def __init__(self, equations: Equations, values: Mapping[str, float]) -> None:
        self.derived = {each.name: each for each in equations.derived}
        self.parameters = {**equations.mechanism.parameters, **values}

    def of(self, expression: Expression, **names: Any) -> np.ndarray:
        """The value of an expression where ``v``, ``celsius``, states ... have these values."""
        known: dict[str, Any] = {**self.parameters, **names}
        for each in closure([expression], self.derived):
            known[each.name] = derive(each, known)
        return np.asarray(value(expression, known), dtype=np.float64)

    def uses(self, *expressions: Expression) -> set[str]:
        """The names on which they depend that are neither parameters nor derived."""
        found = uses_of(expressions, self.derived)
        return (found & OUTSIDE) | (found - self.parameters.keys() - self.derived.keys())

    def number(self, expression: Expression) -> float | None:
        """Its value where it depends on parameters alone."""
        return None if self.uses(expression) else float(self.of(expression))


#: What NEURON gives, even where a file lists it among its parameters.
OUTSIDE = frozenset({"v", "celsius", "t", "cai", "cao", "ica", "ena", "ek", "eca", "area", "diam"})


def closure(expressions: list[Expression], derived: Mapping[str, Derived]) -> list[Derived]:
    """The derived variables that expressions need, in order."""
    names = uses_of(expressions, derived)
    return [each for name, each in derived.items() if name in names]


# --- currents -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """``scale * conductance * product of gates * driving force``.

    conductance: the parameter that is a density, or empty. scale: what makes it S/cm2 (uS for a point process), or cm/s
    of a permeability. gates: (factor, power). reversal: of the driving force ``v - reversal``, free of the potential;
    None for that of Goldman, Hodgkin and Katz.
    """

    conductance: str
    scale: float
    gates: tuple[tuple[Expression, int], ...]
    reversal: Expression | None


def ohmic(equations: Equations, name: str, values: Values) -> Form | None:
    """The current of that name in this form; None where it has another."""
    densities = densities_of(equations)
    expand = expandable(values.derived, densities)
    scale, conductance = 1.0, ""
    reversal: Expression | None = None
    gates: dict[str, int] = {}
    for factor, power in factors_of(equations.currents[name].tree, expand):
        number = factor.number if factor.number is not None else None
        driving = _driving(factor, values)
        if driving is not None and power == 1 and reversal is None:
            reversal, sign = driving
            scale *= sign
        elif factor.text in densities and power == 1 and not conductance:
            conductance = factor.text
        elif number is None and (number := values.number(factor)) is None:
            gates[factor.text] = gates.get(factor.text, 0) + power
        else:
            scale *= number**power
    if reversal is None or any(power < 1 for power in gates.values()):
        return None
    found = tuple((Expression(text), power) for text, power in gates.items() if power)
    if conductance and any(conductance in uses_of([factor], values.derived) for factor, _ in found):
        return None
    return Form(conductance, scale, found, reversal)


def densities_of(equations: Equations) -> frozenset[str]:
    """Parameters that are conductance densities: by their units, or where none is, by their names."""
    mechanism = equations.mechanism
    by_unit = {name for name in mechanism.parameters if _DENSITY_UNIT.fullmatch(mechanism.units.get(name, "").strip())}
    return frozenset(by_unit or filter(_DENSITY_NAME.fullmatch, mechanism.parameters))


def expandable(derived: Mapping[str, Derived], densities: frozenset[str]) -> Callable[[str], Expression | None]:
    """Which derived variables are put in as products: those that hold the conductance, and the driving force."""

    def expand(name: str) -> Expression | None:
        found = derived[name].value if name in derived else None
        if found is None:
            return None
        if isinstance(found.tree, ast.BinOp) and isinstance(found.tree.op, ast.Add | ast.Sub):
            return found if _is_v(found.tree.left) or _is_v(found.tree.right) else None
        return found if uses_of([found], derived) & densities else None

    return expand


def factors_of(node: ast.expr, expand: Callable[[str], Expression | None]) -> Iterator[tuple[Expression, int]]:
    """The factors of a product with their powers."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        sign = 1 if isinstance(node.op, ast.Mult) else -1
        yield from factors_of(node.left, expand)
        yield from ((factor, sign * power) for factor, power in factors_of(node.right, expand))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _whole(node.right) is not None:
        times = _whole(node.right) or 0
        yield from ((factor, times * power) for factor, power in factors_of(node.left, expand))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield parse("-1"), 1
        yield from factors_of(node.operand, expand)
    elif isinstance(node, ast.Name) and (found := expand(node.id)) is not None:
        yield from factors_of(found.tree, expand)
    else:
        yield Expression(ast.unparse(node)), 1


def _whole(node: ast.expr) -> int | None:
    number = Expression(ast.unparse(node)).number
    return int(number) if number is not None and float(number).is_integer() else None


def _driving(factor: Expression, values: Values) -> tuple[Expression, float] | None:
    """``v - e`` or ``e - v``: the reversal potential, and the sign."""
    node = factor.tree
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return None
    left, right = node.left, node.right
    if _is_v(left) and "v" not in values.uses(_of(right)):
        return (_of(right) if isinstance(node.op, ast.Sub) else parse(f"-({ast.unparse(right)})")), 1.0
    if _is_v(right) and isinstance(node.op, ast.Sub) and "v" not in values.uses(_of(left)):
        return _of(left), -1.0
    return None


def _is_v(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "v"


def _of(node: ast.expr) -> Expression:
    return Expression(ast.unparse(node))


# --- gates --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relaxing:
    """A state that relaxes: ``(inf - s) / tau``. alpha, beta: where it is stated as ``alpha (1 - s) - beta s``."""

    inf: Expression
    tau: Expression
    alpha: Expression | None = None
    beta: Expression | None = None


def relaxing(state: str, rate: Expression, values: Values) -> Relaxing | None:
    """The rate of a state in this form; None where it depends on it in another way, or on other states."""
    expand = _linear_expansion(state, rate, values)
    node = expand.tree
    for form in (_towards, _opening):
        found = form(node, state)
        if found is not None and all(state not in uses_of([each], values.derived) for each in (found.inf, found.tau)):
            return found
    return None


def _linear_expansion(state: str, rate: Expression, values: Values) -> Expression:
    """The rate with derived variables that hold the state put in their place."""
    while True:
        hidden = {
            name: values.derived[name].value
            for name in rate.names
            if name in values.derived and state in uses_of([variable(name)], values.derived)
        }
        known = {name: found for name, found in hidden.items() if found is not None}
        if not known:
            return rate
        rate = rate.replaced(known)


def _towards(node: ast.expr, state: str) -> Relaxing | None:
    """``inf - s``, ``(inf - s) / tau`` and ``(inf - s) * rate``, with factors on either side."""
    if (whole := _difference(node, state)) is not None:
        return Relaxing(whole, parse("1"))
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
        return None
    left, right = node.left, node.right
    inf = _difference(left, state)
    if inf is not None:
        tau = _of(right) if isinstance(node.op, ast.Div) else parse(f"1 / ({ast.unparse(right)})")
        return Relaxing(inf, tau)
    inf = _difference(right, state) if isinstance(node.op, ast.Mult) else None
    if inf is not None:
        return Relaxing(inf, parse(f"1 / ({ast.unparse(left)})"))
    if isinstance(left, ast.BinOp):
        inner = _towards(left, state)
        if inner is not None:
            text = ast.unparse(right)
            sign = "/" if isinstance(node.op, ast.Mult) else "*"
            return Relaxing(inner.inf, parse(f"({inner.tau}) {sign} ({text})"))
    return None


def _difference(node: ast.expr, state: str) -> Expression | None:
    """``inf - s`` -> inf."""
    minus = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    if minus and isinstance(node.right, ast.Name) and node.right.id == state:  # type: ignore[attr-defined]
        return _of(node.left)  # type: ignore[attr-defined]
    return None


def _opening(node: ast.expr, state: str) -> Relaxing | None:
    """``alpha * (1 - s) - beta * s``, in any order of factors."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return None
    alpha, beta = _without(node.left, f"1 - {state}"), _without(node.right, state)
    if alpha is None or beta is None:
        return None
    total = f"({alpha}) + ({beta})"
    return Relaxing(parse(f"({alpha}) / ({total})"), parse(f"1 / ({total})"), alpha, beta)


def _without(node: ast.expr, factor: str) -> Expression | None:
    """A product without one factor."""
    found = list(factors_of(node, lambda name: None))
    wanted = [index for index, (each, power) in enumerate(found) if power == 1 and _same(each.text, factor)]
    if len(wanted) != 1:
        return None
    rest = [(each, power) for index, (each, power) in enumerate(found) if index != wanted[0]]
    texts = [f"({each})" if power == 1 else f"({each}) ^ ({power})" for each, power in rest]
    return parse(" * ".join(texts) or "1").simplified()


def _same(text: str, wanted: str) -> bool:
    return text == wanted or text.replace("1.0 -", "1 -") == wanted


# --- temperature --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Q10:
    """``factor ^ ((celsius - reference) / 10)``; name: the derived variable that it is."""

    name: str
    factor: float
    reference: float


def q10_of(expression: Expression, values: Values) -> Q10 | None:
    """The only way in which an expression depends on the temperature, if that is a Q10."""
    hot = [each for each in closure([expression], values.derived) if each.value and "celsius" in each.value.names]
    if len(hot) != 1 or "celsius" in expression.names:
        return None
    found = hot[0].value
    low, high = (float(values.of(found, celsius=each)) for each in (20.0, 30.0)) if found else (0.0, 0.0)
    if low <= 0 or high <= 0 or low == high:
        return None
    factor = high / low
    reference = 20.0 - 10.0 * np.log(low) / np.log(factor)
    if not np.isclose(float(values.of(found, celsius=7.5)), factor ** ((7.5 - reference) / 10), rtol=1e-9):  # type: ignore[arg-type]
        return None
    return Q10(hot[0].name, digits_of(factor, 12), digits_of(reference, 12))
