"""A system of equations evaluated directly: what generated code and simulators are compared with.

`Model` evaluates a `Dynamics` at one moment; `run` integrates it with scipy, with conditions found as roots, or on a
grid of steps at which conditions are tested, as LEMS does it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from pynn_io.graph.dynamics import Action, Assignment, Dynamics, Emit, OnCondition, Regime, Transition
from pynn_io.graph.expressions import Expression, Language, render

Given = Mapping[str, float | Callable[[float], float]]
Function = Callable[[dict[str, float]], float]

_PYTHON = Language(
    {"Pow": "**", "And": "and", "Or": "or", "Not": "not"},
    {"ln": "log", "power": "pow", "abs": "abs", "H": lambda x: f"(1.0 if {x} >= 0 else 0.0)"},
    name=lambda name: f"N[{name!r}]",
)
_FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "ceil", "floor")
}
_FUNCTIONS |= {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "factorial": math.factorial}


#: ms. Where a condition is true again at once, steps of this length lead along.
NO_PROGRESS, SLIDE = 1e-4, 0.05


class Model:
    """A system at one moment. given: what it needs, as numbers or functions of time (ms)."""

    def __init__(self, dynamics: Dynamics, given: Given | None = None, *, seed: int = 1) -> None:
        self.dynamics = dynamics
        self.given = {name: value for name, value in (given or {}).items() if name in dynamics.needs}
        missing = set(dynamics.needs) - self.given.keys() - {"t"}
        if missing:
            raise ValueError(f"{dynamics.type} needs {', '.join(sorted(missing))}")
        self._random = np.random.default_rng(seed)
        self._compiled: dict[str, Function] = {}
        self.regimes = {each.name: each for each in dynamics.regimes}
        self.regime = next((each for each in dynamics.regimes if each.initial), None)
        numbers = {**dynamics.constants, **dynamics.parameters}
        self.fixed = {name: np.float64(value) for name, value in numbers.items()}
        self._derive(self.fixed, dynamics.derived_parameters)

    def value(self, expression: Expression, names: dict[str, float]) -> float:
        if expression.text not in self._compiled:
            code = compile(render(expression, _PYTHON), expression.text, "eval")
            scope = {**_FUNCTIONS, "random": lambda top: self._random.uniform(0, top), "min": min, "max": max}
            self._compiled[expression.text] = lambda N: eval(code, scope, {"N": N})
        return self._compiled[expression.text](names)

    def _derive(self, names: dict[str, float], derived: Iterable[Any]) -> None:
        for each in derived:
            for case in each.cases:
                if case.condition is None or self.value(case.condition, names):
                    names[each.name] = self.value(case.value, names)
                    break
            else:
                raise ValueError(f"no case of {each.name} holds")

    def names(self, t: float, states: Mapping[str, float]) -> dict[str, float]:
        """Every variable at a time."""
        found = {**self.fixed, "t": np.float64(t), **{key: np.float64(value) for key, value in states.items()}}
        found |= {key: np.float64(each(t) if callable(each) else each) for key, each in self.given.items()}
        self._derive(found, self.dynamics.derived)
        return found

    def start(self) -> dict[str, float]:
        """The states at the start: 0, occupancies at their steady state, and what the system says."""
        states = dict.fromkeys(self.dynamics.states, 0.0)
        for scheme in self.dynamics.kinetics:
            states |= self._steady(scheme.states, scheme.edges, self._tolerant(states))
        for each in self.dynamics.on_start:
            states[each.variable] = float(self.value(each.value, self._tolerant(states)))
        return states

    def _tolerant(self, states: Mapping[str, float]) -> dict[str, float]:
        with np.errstate(all="ignore"):
            return self.names(0.0, states)

    @staticmethod
    def _steady(states: Sequence[str], edges: Iterable[Sequence[str]], names: Mapping[str, float]) -> dict[str, float]:
        matrix = np.zeros((len(states) + 1, len(states)))
        index = {name: row for row, name in enumerate(states)}
        for source, target, forward, reverse in edges:
            for one, other, rate in ((source, target, names[forward]), (target, source, names[reverse])):
                matrix[index[one], index[one]] -= rate
                matrix[index[other], index[one]] += rate
        matrix[-1] = 1.0
        found = np.linalg.lstsq(matrix, [*[0.0] * len(states), 1.0], rcond=None)[0]
        return dict(zip(states, found, strict=True))

    def rates(self, names: dict[str, float]) -> dict[str, float]:
        """The derivative of every state, per ms."""
        rates = dict.fromkeys(self.dynamics.states, 0.0)
        stated = {**self.dynamics.derivatives, **(self.regime.derivatives if self.regime else {})}
        rates |= {name: float(self.value(value, names)) for name, value in stated.items()}
        for scheme in self.dynamics.kinetics:
            for source, target, forward, reverse in scheme.edges:
                flow = names[forward] * names[source] - names[reverse] * names[target]
                rates[source] -= flow
                rates[target] += flow
        return rates

    def act(self, actions: Iterable[Action], t: float, states: dict[str, float], weight: float = 1.0) -> list[str]:
        """Do what an event or a condition says; the ports through which events leave."""
        names = self.names(t, states)
        if "weight" in names:
            names["weight"] = np.float64(weight * names["weight"])
        left = []
        for action in actions:
            if isinstance(action, Assignment):
                names[action.variable] = states[action.variable] = float(self.value(action.value, names))
            elif isinstance(action, Emit):
                left.append(action.port)
            elif isinstance(action, Transition):
                self.regime = self.regimes[action.regime]
                left += self.act(self.regime.on_entry, t, states, weight)
        return left

    def conditions(self) -> tuple[OnCondition, ...]:
        regime: Regime | None = self.regime
        return (*self.dynamics.conditions, *(regime.conditions if regime else ()))

    def margin(self, test: Expression, names: dict[str, float]) -> float:
        """Above 0 where a test holds, below where it does not, continuously where it compares two numbers."""
        return float(self._margin(test.tree, names))

    def _margin(self, node: ast.AST, names: dict[str, float]) -> float:
        if isinstance(node, ast.BoolOp):
            parts = [self._margin(each, names) for each in node.values]
            return min(parts) if isinstance(node.op, ast.And) else max(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return -self._margin(node.operand, names)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = (self.value(Expression(ast.unparse(each)), names) for each in (node.left, *node.comparators))
            if isinstance(node.ops[0], ast.Gt | ast.GtE):
                return left - right
            if isinstance(node.ops[0], ast.Lt | ast.LtE):
                return right - left
        return 1.0 if self.value(Expression(ast.unparse(node)), names) else -1.0  # type: ignore[type-var]


@dataclass
class Run:
    """times: ms. traces: variable -> values at these times. events: (time, port)."""

    times: np.ndarray
    traces: dict[str, np.ndarray]
    events: list[tuple[float, str]] = field(default_factory=list)

    def at(self, port: str) -> np.ndarray:
        return np.array([time for time, name in self.events if name == port])


def run(
    dynamics: Dynamics,
    times: np.ndarray,
    given: Given | None = None,
    *,
    inputs: Iterable[tuple[float, str] | tuple[float, str, float]] = (),
    record: Sequence[str] = (),
    breaks: Iterable[float] = (),
    start: Mapping[str, float] | None = None,
    method: str = "LSODA",
) -> Run:
    """Integrate from 0 through ``times``, with events (time, port, weight) coming in.

    record: variables (default: the states and what it gives). breaks: times at which what is given jumps.
    start: states that start elsewhere.
    """
    model = Model(dynamics, given)
    states = {**model.start(), **(start or {})}
    wanted = tuple(record) or (*dynamics.states, *dynamics.gives)
    arrivals = sorted((*each, 1.0)[:3] for each in inputs)
    stops = sorted({*breaks, *(each[0] for each in arrivals), float(times[-1])})
    result = Run(times, {name: np.full(len(times), np.nan) for name in wanted})
    t = 0.0
    at_once = model.names(t, states)
    for condition in model.conditions():
        if model.value(condition.test, at_once):
            result.events += [(t, left) for left in model.act(condition.actions, t, states)]
    for stop in stops:
        while t < stop:
            t = _stretch(model, states, t, stop, result, method)
        for when, port, weight in arrivals:
            if when == stop:
                for event in dynamics.events:
                    if event.port == port:
                        result.events += [(t, left) for left in model.act(event.actions, t, states, weight)]
    _record(model, result, times == t, lambda _: states)
    return result


def _stretch(model: Model, states: dict[str, float], t: float, stop: float, result: Run, method: str) -> float:
    """Integrate until ``stop`` or until a condition becomes true, and do what it says; the time that is reached."""
    order = list(states)

    def rates(now: float, y: np.ndarray) -> list[float]:
        found = model.rates(model.names(now, dict(zip(order, y, strict=True))))
        return [found[name] for name in order]

    conditions = model.conditions()
    roots = [_root(model, each.test, order) for each in conditions]
    options = {"method": method, "dense_output": True, "rtol": 1e-9, "atol": 1e-12}
    try:
        solved = solve_ivp(rates, (t, stop), list(states.values()), events=roots, **options)
    except ValueError:  # LSODA's interpolation may put a root beyond the step in which it is
        options["method"] = "Radau"
        solved = solve_ivp(rates, (t, stop), list(states.values()), events=roots, **options)
    if solved.t[-1] - t < NO_PROGRESS:
        # it slides along a bound: a short step, and back onto it
        solved = solve_ivp(rates, (t, min(t + SLIDE, stop)), list(states.values()), **options)
        names = model.names(solved.t[-1], dict(zip(order, solved.y[:, -1], strict=True)))
        solved.t_events = [[0] if model.value(each.test, names) else [] for each in conditions]
    reached = float(solved.t[-1])
    inside = (result.times >= t) & (result.times < reached)
    _record(model, result, inside, lambda now: dict(zip(order, solved.sol(now), strict=True)))
    states |= dict(zip(order, solved.y[:, -1], strict=True))
    for condition, found in zip(conditions, solved.t_events or (), strict=False):
        if len(found):
            left = model.act(condition.actions, reached, states)
            result.events += [(reached, port) for port in left]
    return reached


def _root(model: Model, test: Expression, order: Sequence[str]) -> Callable[[float, np.ndarray], float]:
    def root(now: float, y: np.ndarray) -> float:
        # a state that was put onto a bound stands below it, by less than anything means
        return model.margin(test, model.names(now, dict(zip(order, y, strict=True)))) - 1e-12

    root.terminal, root.direction = True, 1.0  # type: ignore[attr-defined]
    return root


def _record(model: Model, result: Run, where: np.ndarray, states: Callable[[float], dict[str, float]]) -> None:
    for row in np.flatnonzero(where):
        names = model.names(result.times[row], states(result.times[row]))
        for name, trace in result.traces.items():
            trace[row] = names[name]
