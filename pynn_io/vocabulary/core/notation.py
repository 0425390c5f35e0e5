"""How the tables of core types are written.

Names with dimensions are ``"gbase:conductance erev:voltage"``. Equations are ``"g = ..."``, in the signs of
`pynn_io.graph.expressions`; ``"q10 <- q10Settings[*]/q10 *"`` is what a path selects (``*`` multiplies several, ``+``
adds them). Actions are ``"g = g + weight"``, ``"!spike"`` (an event leaves) and ``">refractory"`` (another regime).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pynn_io.graph.dynamics import (
    Action,
    Assignment,
    Case,
    ComponentType,
    Derived,
    Emit,
    KineticScheme,
    OnCondition,
    OnEvent,
    Regime,
    Transition,
)
from pynn_io.graph.expressions import Expression, parse

#: ``"x = expression"``, ``"x <- path"``, or a name with ``(condition, expression)`` pairs, the last without condition.
Equation: TypeAlias = str | tuple[str, Sequence[tuple[str, str]]]
Actions: TypeAlias = Sequence[str]
_REDUCE = {"*": "multiply", "+": "add", "": ""}


def core(
    name: str,
    parameters: str = "",
    *,
    extends: str = "",
    defaults: Mapping[str, float] | None = None,
    constants: Mapping[str, tuple[str, float]] | None = None,
    fixed: Sequence[Equation] = (),
    needs: str = "",
    gives: str = "",
    local: str = "",
    ports: str = "",
    texts: str = "",
    refs: str = "",
    child: str = "",
    children: str = "",
    attach: str = "",
    states: str = "",
    derived: Sequence[Equation] = (),
    rates: Sequence[str] = (),
    start: Sequence[str] = (),
    when: Mapping[str, Actions] | None = None,
    on: Mapping[str, Actions] | None = None,
    regimes: Sequence[Regime] = (),
    kinetics: Sequence[KineticScheme] = (),
) -> ComponentType:
    """A row. fixed: derived parameters. local: dimensions of derived variables that nobody else sees."""
    dimensions = {**_names(gives), **_names(local), **_names(states)}
    return ComponentType(
        name=name,
        extends=extends,
        parameters=_names(parameters),
        defaults=defaults or {},
        constants=constants or {},
        derived_parameters=tuple(_derived(each, dimensions) for each in fixed),
        needs=_names(needs),
        gives=_names(gives),
        ports=_names(ports),
        texts=tuple(texts.split()),
        references=_names(refs),
        child=_names(child),
        children=_names(children),
        attachments=_names(attach),
        states=_names(states),
        derived=tuple(_derived(each, dimensions) for each in derived),
        derivatives=dict(_equation(each) for each in rates),
        on_start=tuple(Assignment(*_equation(each)) for each in start),
        conditions=conditions(when),
        events=tuple(OnEvent(port, actions(what)) for port, what in (on or {}).items()),
        regimes=tuple(regimes),
        kinetic_schemes=tuple(kinetics),
    )


def regime(
    name: str,
    *,
    initial: bool = False,
    entry: Actions = (),
    rates: Sequence[str] = (),
    when: Mapping[str, Actions] | None = None,
) -> Regime:
    """A regime: what is done on entry, its rates (``name = expression``), and actions by the test that starts them."""
    return Regime(name, initial, actions(entry), dict(_equation(each) for each in rates), conditions(when))


def conditions(when: Mapping[str, Actions] | None) -> tuple[OnCondition, ...]:
    """Actions by test as conditions. Raises what `parse` raises for a test that is no expression."""
    return tuple(OnCondition(parse(test), actions(what)) for test, what in (when or {}).items())


def actions(texts: Actions) -> tuple[Action, ...]:
    """``"!port"`` emits an event, ``">regime"`` changes the regime, ``"name = expression"`` assigns."""
    return tuple(_action(text) for text in texts)


def _action(text: str) -> Action:
    if text[0] == "!":
        return Emit(text[1:])
    if text[0] == ">":
        return Transition(text[1:])
    return Assignment(*_equation(text))


def _names(text: str) -> dict[str, str]:
    return dict(word.split(":") for word in text.split())  # type: ignore[misc]


def _equation(text: str) -> tuple[str, Expression]:
    name, _, value = text.partition(" = ")
    return name, parse(value)


def _derived(row: Equation, dimensions: Mapping[str, str]) -> Derived:
    if not isinstance(row, str):
        name, pairs = row
        return Derived(name, dimensions[name], tuple(_case(*pair) for pair in pairs))
    if " <- " in row:
        name, _, rest = row.partition(" <- ")
        path, _, sign = rest.partition(" ")
        return Derived(name, dimensions[name], select=path, reduce=_REDUCE[sign])
    name, value = _equation(row)
    return Derived(name, dimensions[name], (Case(value),))


def _case(condition: str, value: str) -> Case:
    return Case(parse(value), parse(condition) if condition else None)
