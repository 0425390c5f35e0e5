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

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Derived
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.importers.nmodl_equations import Equations, uses_of
from pynn_io.lowering.evaluate import derive, value

#: Units of a conductance density, whose parameter scales a current.
_DENSITY_UNIT = re.compile(
    r"(?:[munp]|milli|micro)?(?:S|mho|siemens)\s*/\s*(?:cm2|um2|micron2)|cm/s(?:ec)?", re.IGNORECASE
)
_DENSITY_NAME = re.compile(r"g\w*|\w+bar")
#: Where curves are compared, mV: off the points at which files have 0/0.
_POTENTIALS = np.linspace(-151.37, 148.61, 241)
_CLOSE, _SAME = 1e-9, 1e-12
#: Where curves have reached their limits, mV; the nearer one for spellings that overflow at the other.
_FAR = (4000.0, 1500.0)


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
class Ohmic:
    """``scale * conductance * product of gates * (v - reversal)``.

    conductance: the parameter that is a density, or empty. scale: what makes it S/cm2 (uS for a point process).
    gates: (factor, power). reversal: free of the potential.
    """

    conductance: str
    scale: float
    gates: tuple[tuple[Expression, int], ...]
    reversal: Expression


def ohmic(equations: Equations, name: str, values: Values) -> Ohmic | None:
    """The current of that name in this form; None where it has another."""
    densities = _densities(equations)
    expandable = _expandable(values.derived, densities)
    scale, conductance = 1.0, ""
    reversal: Expression | None = None
    gates: dict[str, int] = {}
    for factor, power in _factors(equations.currents[name].tree, expandable):
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
    return Ohmic(conductance, scale, found, reversal)


def _densities(equations: Equations) -> frozenset[str]:
    """Parameters that are conductance densities: by their units, or where none is, by their names."""
    mechanism = equations.mechanism
    by_unit = {name for name in mechanism.parameters if _DENSITY_UNIT.fullmatch(mechanism.units.get(name, "").strip())}
    return frozenset(by_unit or filter(_DENSITY_NAME.fullmatch, mechanism.parameters))


def _expandable(derived: Mapping[str, Derived], densities: frozenset[str]) -> Callable[[str], Expression | None]:
    """Which derived variables are put in as products: those that hold the conductance, and the driving force."""

    def expand(name: str) -> Expression | None:
        found = derived[name].value if name in derived else None
        if found is None:
            return None
        if isinstance(found.tree, ast.BinOp) and isinstance(found.tree.op, ast.Add | ast.Sub):
            return found if _is_v(found.tree.left) or _is_v(found.tree.right) else None
        return found if uses_of([found], derived) & densities else None

    return expand


def _factors(node: ast.expr, expand: Callable[[str], Expression | None]) -> Iterator[tuple[Expression, int]]:
    """The factors of a product with their powers."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        sign = 1 if isinstance(node.op, ast.Mult) else -1
        yield from _factors(node.left, expand)
        yield from ((factor, sign * power) for factor, power in _factors(node.right, expand))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _whole(node.right) is not None:
        times = _whole(node.right) or 0
        yield from ((factor, times * power) for factor, power in _factors(node.left, expand))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield parse("-1"), 1
        yield from _factors(node.operand, expand)
    elif isinstance(node, ast.Name) and (found := expand(node.id)) is not None:
        yield from _factors(found.tree, expand)
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
    found = list(_factors(node, lambda name: None))
    wanted = [index for index, (each, power) in enumerate(found) if power == 1 and _same(each.text, factor)]
    if len(wanted) != 1:
        return None
    rest = [(each, power) for index, (each, power) in enumerate(found) if index != wanted[0]]
    texts = [f"({each})" if power == 1 else f"({each}) ^ ({power})" for each, power in rest]
    return parse(" * ".join(texts) or "1").simplified()


def _same(text: str, wanted: str) -> bool:
    return text == wanted or text.replace("1.0 -", "1 -") == wanted


# --- curves -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """One of NeuroML's formulas: ``kind`` is Exp, Sigmoid or ExpLinear."""

    kind: str
    rate: float
    midpoint: float
    scale: float


def curve(
    function: Callable[[np.ndarray], np.ndarray], noise: Callable[[np.ndarray], np.ndarray] | None = None
) -> Curve | None:
    """The formula that a function of the potential (mV) is, to 1e-9 of it at every potential; None where it is none.

    noise: how far off its values are by rounding.

    Its numbers have the fewest digits with which it is the same curve to 1e-12, as files state round numbers.
    """
    wanted = _finite(function, _POTENTIALS)
    rounding = np.zeros_like(_POTENTIALS) if noise is None else _finite(noise, _POTENTIALS)
    if wanted is None or rounding is None:
        return None
    guesses = (_exponential(function), *(shape(function, far) for far in _FAR for shape in (_sigmoid, _linoid)))
    for found in guesses:
        if found is None:
            continue
        for digits, tolerance in ((6, _SAME), (9, _SAME), (12, _SAME), (17, _CLOSE)):
            numbers = (_digits(number, digits) for number in (found.rate, found.midpoint, found.scale))
            rounded = Curve(found.kind, *numbers)
            if _agrees(rounded, wanted, tolerance, rounding):
                return rounded
    return None


def _digits(number: float, digits: int) -> float:
    return float(f"{number:.{digits}g}")


def _agrees(found: Curve, wanted: np.ndarray, tolerance: float, rounding: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        x = (_POTENTIALS - found.midpoint) / found.scale
        made = found.rate * _SHAPES[found.kind](x)
        return bool(np.all(np.abs(made - wanted) <= tolerance * np.abs(wanted) + rounding + 1e-300))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _linear(x: np.ndarray) -> np.ndarray:
    return x / (1 - np.exp(-x))


_SHAPES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"Exp": np.exp, "Sigmoid": _logistic, "ExpLinear": _linear}


def _finite(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray | None:
    with np.errstate(all="ignore"):
        found = np.broadcast_to(np.asarray(function(at), dtype=np.float64), at.shape)
    return found if np.all(np.isfinite(found)) else None


def _exponential(function: Callable[[np.ndarray], np.ndarray]) -> Curve | None:
    """``rate exp((v - midpoint) / scale)``: midpoint 0 is as good as any."""
    found = _finite(function, np.array([0.0, 10.0]))
    if found is None or not found[0] or found[1] / found[0] <= 0 or found[1] == found[0]:
        return None
    return Curve("Exp", float(found[0]), 0.0, float(10.0 / np.log(found[1] / found[0])))


def _sigmoid(function: Callable[[np.ndarray], np.ndarray], end: float) -> Curve | None:
    """``rate / (1 + exp(-(v - midpoint) / scale))``: its inverse is a constant and an exponential."""
    found = _finite(function, _POTENTIALS)
    far = _finite(function, np.array([-end, end]))
    if found is None or far is None:
        return None
    rate, side = (far[1], 1.0) if abs(far[1]) > abs(far[0]) else (far[0], -1.0)
    middle = int(np.argmin(np.abs(found - rate / 2)))
    at = _POTENTIALS[middle] + np.array([-1.0, 1.0])
    odds = _finite(lambda v: rate / function(v) - 1, at)
    if odds is None or odds.min() <= 0 or odds[0] == odds[1]:
        return None
    scale = -2.0 / np.log(odds[1] / odds[0])
    midpoint = at[0] + scale * np.log(odds[0])
    return Curve("Sigmoid", float(rate), float(midpoint), float(scale)) if side * scale > 0 else None


def _linoid(function: Callable[[np.ndarray], np.ndarray], end: float) -> Curve | None:
    """``rate x / (1 - exp(-x))``: a straight line on one side, far away."""
    ends = _finite(function, np.array([-end, -end + 100, end - 100, end]))
    if ends is None:
        return None
    side = 1.0 if abs(ends[3]) > abs(ends[0]) else -1.0
    slope = (ends[3] - ends[2]) / 100 if side > 0 else (ends[1] - ends[0]) / 100
    if slope == 0:
        return None
    midpoint = float(side * end - (ends[3] if side > 0 else ends[0]) / slope)
    near = _finite(function, np.array([midpoint + side * 7.3]))
    ratio = None if near is None or not near[0] else 1 - slope * side * 7.3 / near[0]
    if ratio is None or ratio <= 0 or ratio >= 1:
        return None
    scale = float(side * -7.3 / np.log(ratio))
    return Curve("ExpLinear", float(slope * scale), midpoint, scale)


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
    return Q10(hot[0].name, _digits(factor, 12), _digits(reference, 12))


def steady_state(equations: Equations, values: Values, **at: float) -> dict[str, float]:
    """Occupancies of the states of a scheme that conserves them, where nothing changes. Raises UnsupportedInput."""
    states = scheme_states(equations)
    matrix = np.zeros((len(states) + 1, len(states)))
    for flow in equations.flows:
        source, target = states.index(flow.left[0][1]), states.index(flow.right[0][1])
        forward, reverse = float(values.of(flow.forward, **at)), float(values.of(flow.reverse, **at))
        for row, sign in ((source, -1.0), (target, 1.0)):
            matrix[row, source] += sign * forward
            matrix[row, target] -= sign * reverse
    matrix[-1] = 1.0
    return _solved(equations, states, matrix, np.append(np.zeros(len(states)), 1.0))


def linear_start(equations: Equations, values: Values, **at: float) -> dict[str, float]:
    """Occupancies that the LINEAR equations of a scheme demand at the start. Raises UnsupportedInput."""
    states = scheme_states(equations)
    none = dict.fromkeys(states, 0.0)
    right = np.array([float(values.of(each, **at, **none)) for each in equations.residuals])
    columns = [
        [float(values.of(each, **at, **{**none, state: 1.0})) for each in equations.residuals] for state in states
    ]
    return _solved(equations, states, np.array(columns).T - right[:, None], -right)


def scheme_states(equations: Equations) -> list[str]:
    return list(dict.fromkeys(name for flow in equations.flows for _, name in (*flow.left, *flow.right)))


def _solved(equations: Equations, states: list[str], matrix: np.ndarray, right: np.ndarray) -> dict[str, float]:
    found, _, rank, _ = np.linalg.lstsq(matrix, right, rcond=1e-15)
    if rank < len(states):
        raise UnsupportedInput(f"{equations.mechanism.name}: its scheme has no single state to start in")
    return dict(zip(states, found.tolist(), strict=True))
