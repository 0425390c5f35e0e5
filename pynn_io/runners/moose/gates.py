"""A channel's equations as the tables of MOOSE's ``HHChannel``: whatever their form, they are worked out on a grid.

An ``HHChannel`` conducts ``Gbar X^a Y^b Z^c``; each gate is a state with ``dx/dt = A - B x``, or ``A / B`` at every
moment (``instant``), where A and B are tables of the potential, or, of Z, of a concentration. Any channel whose open
fraction is such a product is one: what its states and factors are is found from its numbers, not from its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Assignment, Dynamics
from pynn_io.graph.expressions import parse
from pynn_io.lowering.evaluate import moment, starting_values, value
from pynn_io.lowering.systems import used, with_replaced

#: The grids of all tables, mV and mM; MOOSE is linear between two points, and holds the ends beyond them.
POTENTIALS = np.linspace(-150.0, 100.0, 2501)
CONCENTRATIONS = np.linspace(0.0, 0.02, 10001)
#: The open fraction of a channel in the system of its density.
OPEN = "channelf"
_INSIDE = ("caConc", "caConc2")
_OUTSIDE = frozenset({"v", "temperature", *_INSIDE})
#: mM, at which it is looked whether something depends on the concentration.
_TRIED = (1e-5, 1e-4, 1e-3, 1e-2)
#: What is smaller than this part of the largest value is rounding.
_ROUNDING = 1e-6
#: Beside a point where an expression has no value (0/0): mV and mM.
_BESIDE = 1e-6, 1e-12
#: Per ms in per s.
_PER_SECOND = 1e3
#: 1/s, of a gate that stands still: MOOSE divides by it.
_STILL = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """a, b: float64 on `POTENTIALS`, or on `CONCENTRATIONS` where it is ``of_ion``; 1/s, or the value and 1 where it is
    ``instant``. power: of it in the product."""

    a: np.ndarray
    b: np.ndarray
    power: float
    of_ion: bool = False
    instant: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A channel. scale: of its conductance. gates: at most three, one at most of an ion's concentration.

    starts_elsewhere: states that do not start at their steady state, where MOOSE starts all.
    """

    scale: float
    gates: tuple[Gate, ...]
    starts_elsewhere: tuple[str, ...] = ()


def tables(system: Dynamics, kelvin: float) -> Tables:
    """The channel of a density. system: of that density, with `OPEN`.

    Raises UnsupportedInput for what is no such product.
    """
    found = _Found(_as_gates(system, kelvin), kelvin)
    if len(found.gates) > 3:
        raise UnsupportedInput(f"it has {len(found.gates)} gates, and a channel of MOOSE three")
    if sum(gate.of_ion for gate in found.gates) > 1:
        raise UnsupportedInput("two of its gates depend on a concentration, of which a channel of MOOSE has one")
    return Tables(found.scale, tuple(found.gates), tuple(found.elsewhere()))


def _as_gates(system: Dynamics, kelvin: float) -> Dynamics:
    """The system with schemes of two states as gates: what is not in one of them is in the other.

    Raises UnsupportedInput for a scheme of more.
    """
    for scheme in system.kinetics:
        if len(scheme.states) != 2:
            raise UnsupportedInput(f"it is a kinetic scheme of {len(scheme.states)} states, of which a gate has two")
        one, other = scheme.states
        without = {**dict.fromkeys(system.states, 1.0), other: 0.0, **dict.fromkeys(_INSIDE, _TRIED[0])}
        conducts = moment(system, {**without, "v": POTENTIALS, "temperature": kelvin}).get(OPEN, 0.0)
        gate, rest = (one, other) if np.any(np.asarray(conducts) > 0) else (other, one)
        into, out = [], []
        for source, _, forward, reverse in scheme.edges:
            into.append(reverse if source == gate else forward)
            out.append(forward if source == gate else reverse)
        opening, closing = f"({' + '.join(into)})", f"({' + '.join(out)})"
        steady = Assignment(gate, parse(f"{opening} / ({opening} + {closing})"))
        system = replace(
            system,
            states=tuple(name for name in system.states if name != rest),
            derivatives={**system.derivatives, gate: parse(f"{opening} * (1 - {gate}) - {closing} * {gate}")},
            on_start=(*system.on_start, steady),
            derived=tuple(with_replaced(each, {rest: parse(f"1 - {gate}")}) for each in system.derived),
        )
    return replace(system, kinetics=())


class _Found:
    """The gates of a system, one after another."""

    def __init__(self, system: Dynamics, kelvin: float) -> None:
        self._system, self._outside = system, {"temperature": kelvin}
        self._states = [name for name in system.states if name in system.derivatives]
        self._refuse()
        self.gates = [self._gate(state) for state in self._states]
        self.scale, factors = self._factors()
        self._verify(factors)
        self.gates += factors

    def _refuse(self) -> None:
        system = self._system
        foreign = sorted(set(system.needs) & used(system) - _OUTSIDE)
        if foreign:
            raise UnsupportedInput(f"it depends on {', '.join(foreign)}")
        if system.regimes or system.conditions or system.events or len(self._states) < len(system.states):
            raise UnsupportedInput("its states change at events")

    def _names(self, v: Any, ca: Any, states: Mapping[str, float]) -> dict[str, Any]:
        known = {**self._outside, "v": v, **dict.fromkeys(_INSIDE, ca), **states}
        return moment(self._system, known)

    def _evaluate(self, what: str, v: Any, ca: Any, states: Mapping[str, float]) -> np.ndarray:
        """The open fraction, or the derivative of a state (per ms), on the grid of ``v`` or ``ca``."""
        names = self._names(v, ca, states)
        found = names.get(OPEN, np.nan) if what == OPEN else value(self._system.derivatives[what], names)
        return np.array(np.broadcast_to(found, np.broadcast_shapes(np.shape(v), np.shape(ca))), dtype=np.float64)

    def _on_grid(self, what: str, v: Any, ca: Any, states: Mapping[str, float]) -> np.ndarray:
        """The same; beside a point of the grid where that is no number."""
        found = self._evaluate(what, v, ca, states)
        broken = ~np.isfinite(found)
        if broken.any():
            found[broken] = self._evaluate(what, v + _BESIDE[0], ca + _BESIDE[1], states)[broken]
        if not np.isfinite(found).all():
            raise UnsupportedInput(f"{'its conductance' if what == OPEN else what} is no number at some potentials")
        return found

    def _gate(self, state: str) -> Gate:
        """A state, whose derivative must be a line of it alone."""
        of_v, of_ion = self._depends(state)
        if of_v and of_ion:
            raise UnsupportedInput(f"{state} depends on both the potential and a concentration")
        v, ca = (POTENTIALS[len(POTENTIALS) // 2], CONCENTRATIONS) if of_ion else (POTENTIALS, _TRIED[0])
        at = {each: self._on_grid(state, v, ca, {**self._others(), state: each}) for each in (0.0, 0.5, 1.0)}
        a, b = at[0.0], at[0.0] - at[1.0]
        largest = np.abs(np.concatenate([a, b])).max()
        if (np.abs(at[0.0] + at[1.0] - 2 * at[0.5]) > _ROUNDING * largest).any():
            raise UnsupportedInput(f"the derivative of {state} is no line of it")
        moved = self._on_grid(state, v, ca, {**self._others(0.7), state: 0.0})
        if (np.abs(moved - a) > _ROUNDING * largest).any():
            raise UnsupportedInput(f"{state} depends on another state")
        return Gate(a * _PER_SECOND, np.maximum(b * _PER_SECOND, _STILL), self._power(state), of_ion)

    def _others(self, at: float = 0.4) -> dict[str, float]:
        return dict.fromkeys(self._states, at)

    def _depends(self, what: str) -> tuple[bool, bool]:
        """Whether something depends on the potential, and on a concentration."""
        found = np.array([self._on_grid(what, POTENTIALS, ca, self._others()) for ca in _TRIED])
        limit = _ROUNDING * max(np.abs(found).max(), np.finfo(float).tiny)
        return bool((np.ptp(found, axis=1) > limit).any()), bool((np.ptp(found, axis=0) > limit).any())

    def _power(self, state: str) -> float:
        """The power of a state in the open fraction."""
        v, ca, full = self._widest()
        half = self._evaluate(OPEN, v, ca, {**self._others(1.0), state: 0.5})
        power = -np.log2(half / full)
        if not np.isfinite(power):
            raise UnsupportedInput(f"the conductance is no product of powers of its gates: {state} is none")
        return float(np.round(power, 6))

    def _widest(self) -> tuple[float, float, np.ndarray]:
        """Where the open fraction with all gates open is largest: mV, mM and its value."""
        found = np.array([self._on_grid(OPEN, POTENTIALS, ca, self._others(1.0)) for ca in _TRIED])
        row, column = np.unravel_index(np.argmax(found), found.shape)
        if found[row, column] <= 0:
            raise UnsupportedInput("it never conducts")
        return float(POTENTIALS[column]), _TRIED[row], found[row, column]

    def _factors(self) -> tuple[float, list[Gate]]:
        """What of the open fraction is no state: a number, and gates that are what they are at every moment."""
        v, ca, full = self._widest()
        found = np.array([self._on_grid(OPEN, POTENTIALS, each, self._others(1.0)) for each in _TRIED])
        limit = _ROUNDING * full
        gates = []
        if (np.ptp(found, axis=1) > limit).any():
            values = self._on_grid(OPEN, POTENTIALS, ca, self._others(1.0)) / full
            gates.append(Gate(values, np.ones(len(values)), 1.0, instant=True))
        if (np.ptp(found, axis=0) > limit).any():
            values = self._on_grid(OPEN, v, CONCENTRATIONS, self._others(1.0)) / full
            gates.append(Gate(values, np.ones(len(values)), 1.0, of_ion=True, instant=True))
        return float(full), gates

    def _verify(self, factors: list[Gate]) -> None:
        """Raise UnsupportedInput where the open fraction is not the product that was found."""
        partly = {state: 0.2 + 0.6 * number / len(self._states) for number, state in enumerate(self._states)}
        product = self.scale
        for gate, state in zip(self.gates, self._states, strict=True):
            product *= partly[state] ** gate.power
        for ca in _TRIED:
            expected = np.full(len(POTENTIALS), product)
            for gate in factors:
                expected *= np.interp(ca, CONCENTRATIONS, gate.a) if gate.of_ion else gate.a
            found = self._on_grid(OPEN, POTENTIALS, ca, partly)
            # between the points of the concentrations' grid it is a line
            if (np.abs(found - expected) > 1e-3 * self.scale).any():
                raise UnsupportedInput("its conductance is no product of powers of its gates")

    def elsewhere(self) -> Iterator[str]:
        """States that start somewhere else than at their steady state."""
        names = starting_values(self._system, {**self._outside, "v": POTENTIALS, **dict.fromkeys(_INSIDE, _TRIED[1])})
        for gate, state in zip(self.gates, self._states, strict=False):
            steady = gate.a / gate.b
            steady = np.interp(_TRIED[1], CONCENTRATIONS, steady) if gate.of_ion else steady
            start = np.broadcast_to(np.asarray(names.get(state, np.nan), dtype=np.float64), len(POTENTIALS))
            known = np.isfinite(start)
            if (np.abs(start - steady)[known] > 1e-3).any():
                yield state
