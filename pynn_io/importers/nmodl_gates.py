"""Factors of a conductance as gates of NeuroML's ion channels (Hodgkin & Huxley 1952; NeuroML 2.3, Channels)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pynn_io.graph.dynamics import Component
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.importers.nmodl_curves import Curve, curve
from pynn_io.importers.nmodl_forms import Relaxing, Values, q10_of, relaxing
from pynn_io.importers.nmodl_system import Equations, uses_of
from pynn_io.importers.nmodl_types import PER_TIME, TIME, Outcome

#: The temperature (degC) of a curve that does not depend on it; the potential and calcium where starts are compared.
WARM, MIDDLE, CALCIUM = 20.0, -63.7, 3.1e-4
#: What rounding leaves of ``1 - inf`` where inf is 1.
_EPSILON = 4 * float(np.finfo(float).eps)


class Gates:
    """The gates of one mechanism. own: makes a component type of its own (suffix, base, outcome) and gives its name."""

    def __init__(self, equations: Equations, values: Values, own: Callable[[str, str, Outcome], str]) -> None:
        self._equations, self._values, self._own = equations, values, own

    def gate(self, factor: Expression, power: int) -> tuple[str, Component] | None:
        """A factor of a conductance as (role, gate); None where it is none."""
        states = uses_of([factor], self._values.derived) & set(self._equations.mechanism.states)
        if not states:
            return self._instantaneous(factor, power)
        if factor.text in states:
            return self._relaxing_gate(factor.text, power)
        return self._fractional(factor, power)

    def _instantaneous(self, factor: Expression, power: int) -> tuple[str, Component] | None:
        if not self._simple(factor) or "celsius" in self._values.uses(factor):
            return None
        name = factor.text if factor.text.isidentifier() else "instant"
        child = ("steadyState", self._variable(name, factor))
        return "gateHHInstantaneous", Component("gateHHInstantaneous", name, {"instances": float(power)}, {}, (child,))

    def _relaxing_gate(self, state: str, power: int) -> tuple[str, Component] | None:
        found = self._found(state)
        if found is None:
            return None
        type_, children = self._kinetics(state, found)
        return type_, Component(type_, state, {"instances": float(power)}, {}, tuple(children))

    def _found(self, state: str) -> Relaxing | None:
        """How a state relaxes, if it does and starts where it relaxes to."""
        equations, values = self._equations, self._values
        rate = equations.rates.get(state)
        found = None if rate is None else relaxing(state, rate, values)
        if found is None or not self._simple(found.inf) or not self._simple(found.tau):
            return None
        start = equations.start.get(state)
        at = {"v": MIDDLE, "celsius": WARM, "cai": CALCIUM, "cao": 2.0}
        if state not in equations.steady and (
            start is None or not np.isclose(float(values.of(start, **at)), float(values.of(found.inf, **at)), rtol=1e-9)
        ):
            return None
        return found

    def _simple(self, expression: Expression) -> bool:
        """Whether an expression depends on what gates can depend on."""
        return self._values.uses(expression) <= {"v", "celsius", "cai"}

    def _kinetics(self, state: str, found: Relaxing) -> tuple[str, list[tuple[str, Component]]]:
        """The type of a gate and its children: formulas of NeuroML where they are those, else types of its own."""
        plain, extra = self._without_q10(found)
        rates = self._formulas(plain)
        if rates is not None:
            pair = zip(("forwardRate", "reverseRate"), rates, strict=True)
            return "gateHHrates", [*extra, *((role, _formula(each, "Rate")) for role, each in pair)]
        return "gateHHtauInf", [*extra, *self._course(state, plain.inf, plain.tau)]

    def _course(self, state: str, inf: Expression, tau: Expression) -> tuple[tuple[str, Component], ...]:
        return ("timeCourse", self._time(state, tau)), ("steadyState", self._variable(state, inf))

    def _without_q10(self, found: Relaxing) -> tuple[Relaxing, list[tuple[str, Component]]]:
        """The kinetics without a Q10 that divides tau alone, and the settings that stand for it."""
        q10 = q10_of(found.tau, self._values)
        if q10 is None:
            return found, []
        plain = Relaxing(
            *(
                None if each is None else self._with_number(each, q10.name)
                for each in (found.inf, found.tau, found.alpha, found.beta)
            )  # type: ignore[arg-type]
        )
        at = {"v": np.array([-71.3, -20.1, 13.7]), "cai": CALCIUM}
        factor = self._values.of(variable(q10.name), celsius=33.3)
        for stated, cold, times in ((found.tau, plain.tau, factor), (found.inf, plain.inf, 1.0)):
            hot = self._values.of(stated, celsius=33.3, **at) * times
            if "celsius" in self._values.uses(cold) or not np.allclose(hot, self._values.of(cold, **at), rtol=1e-9):
                return found, []
        numbers = {"q10Factor": q10.factor, "experimentalTemp": q10.reference + 273.15}
        return plain, [("q10Settings", Component("q10ExpTemp", "", numbers))]

    def _with_number(self, expression: Expression, name: str) -> Expression:
        """An expression with a derived variable set to 1, and those that depend on it put in."""
        derived = self._values.derived
        while True:
            inner = {
                each: found
                for each in expression.names
                if each != name and each in derived and name in uses_of([variable(each)], derived)
                if (found := derived[each].value) is not None
            }
            if not inner:
                return expression.replaced({name: parse("1")}).simplified()
            expression = expression.replaced(inner)

    def _formulas(self, found: Relaxing) -> tuple[Curve, Curve] | None:
        """The opening and closing rate, where both are formulas of NeuroML: those that are stated, else inf / tau.

        A time constant that is a number stays one.
        """
        if self._values.uses(found.inf, found.tau) != {"v"}:
            return None
        values = self._values
        if found.alpha is not None and found.beta is not None:
            stated = [_curve_of(each, values) for each in (found.alpha, found.beta)]
            return None if None in stated else (stated[0], stated[1])  # type: ignore[return-value]
        alpha = curve(lambda v: values.of(found.inf, v=v) / values.of(found.tau, v=v))
        if alpha is None or values.number(found.tau) is not None:
            return None
        beta = curve(
            lambda v: (1 - values.of(found.inf, v=v)) / values.of(found.tau, v=v),
            lambda v: _EPSILON / np.abs(values.of(found.tau, v=v)),
        )
        return None if beta is None else (alpha, beta)

    def _variable(self, name: str, inf: Expression) -> Component:
        values = self._values
        found = _curve_of(inf, values) if values.uses(inf) == {"v"} else None
        if found is not None:
            return _formula(found, "Variable")
        base = "baseVoltageConcDepVariable" if "cai" in values.uses(inf) else "baseVoltageDepVariable"
        return Component(self._own(f"{name}_inf", base, Outcome("x", "none", "{}", inf)))

    def _time(self, name: str, tau: Expression) -> Component:
        number = self._values.number(tau)
        if number is not None:
            return Component("fixedTimeCourse", "", {"tau": number})
        base = "baseVoltageConcDepTime" if "cai" in self._values.uses(tau) else "baseVoltageDepTime"
        return Component(self._own(f"{name}_tau", base, Outcome("t", "time", TIME, tau)))

    def rate(self, name: str, rate: Expression) -> Component:
        """A rate (number per ms) of a transition: a formula of NeuroML where it is one, else a type of its own."""
        uses = self._values.uses(rate)
        found = _curve_of(rate, self._values) if uses == {"v"} else None
        if found is not None:
            return _formula(found, "Rate")
        base = "baseVoltageConcDepRate" if "cai" in uses else "baseVoltageDepRate"
        return Component(self._own(name, base, Outcome("r", "per_time", PER_TIME, rate)))

    def _fractional(self, factor: Expression, power: int) -> tuple[str, Component] | None:
        """``a * h1 + b * h2``: parts of a conductance with kinetics of their own."""
        shares = {}
        for state in uses_of([factor], self._values.derived) & set(self._equations.mechanism.states):
            shares[state] = self.share(factor, state)
        if None in shares.values() or not self._adds_up(factor, shares):
            return None
        parts = []
        for state in sorted(shares):
            found = self._found(state)
            if found is None:
                return None
            children = self._course(state, found.inf, found.tau)
            numbers = {"fractionalConductance": float(shares[state] or 0.0)}
            parts.append(("subGate", Component("subGate", state, numbers, {}, children)))
        name = "_".join(sorted(shares))
        return "gateFractional", Component("gateFractional", name, {"instances": float(power)}, {}, tuple(parts))

    def share(self, factor: Expression, state: str) -> float | None:
        """What a state contributes to a sum when it is 1 and the others are 0; None where that is no number."""
        others = uses_of([factor], self._values.derived) & set(self._equations.mechanism.states)
        at = {name: float(name == state) for name in others}
        return float(self._values.of(factor, **at)) if self._values.uses(factor) <= others else None

    def _adds_up(self, factor: Expression, shares: Mapping[str, float | None]) -> bool:
        at = {name: 0.31 + 0.17 * number for number, name in enumerate(shares)}
        return bool(
            np.isclose(float(self._values.of(factor, **at)), sum(at[name] * (shares[name] or 0.0) for name in shares))
        )


def _curve_of(expression: Expression, values: Values) -> Curve | None:
    return curve(lambda v: values.of(expression, v=v))


def _formula(found: Curve, word: str) -> Component:
    """A curve as a component of NeuroML's own type; numbers in coherent units, per ms and mV."""
    numbers = {"rate": found.rate, "midpoint": found.midpoint, "scale": found.scale}
    return Component(f"HH{found.kind}{word}", "", numbers)
