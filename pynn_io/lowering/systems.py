"""What is done to one flat system of equations: variables are put in order, renamed, replaced, dropped if unused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from pynn_io.errors import GraphError
from pynn_io.graph.dynamics import (
    Action,
    Assignment,
    Case,
    Derived,
    Dynamics,
    Kinetics,
    OnCondition,
    OnEvent,
    Regime,
)
from pynn_io.graph.expressions import Expression, variable

_T = TypeVar("_T")
_Acting = TypeVar("_Acting", OnCondition, OnEvent)


def in_order(derived: Iterable[Derived], where: str = "") -> tuple[Derived, ...]:
    """Derived variables so that each uses only those before it. Raises GraphError for a circle."""
    waiting = {each.name: each for each in derived}
    done: dict[str, Derived] = {}
    while waiting:
        ready = [each for each in waiting.values() if not any(name in waiting for name in uses(each))]
        if not ready:
            raise GraphError(f"{where}: these variables are computed from each other: {', '.join(waiting)}")
        for each in ready:
            done[each.name] = waiting.pop(each.name)
    return tuple(done.values())


def uses(each: Derived) -> frozenset[str]:
    """The variables that a derived one is computed from."""
    names = [case.value.names for case in each.cases]
    names += [case.condition.names for case in each.cases if case.condition is not None]
    return frozenset().union(*names)


def pruned(dynamics: Dynamics, keep: Iterable[str]) -> Dynamics:
    """Without the derived variables that neither the equations nor ``keep`` use, and plain aliases put in place."""
    # What is derived keeps its value while the actions of one event change the states one after another.
    wanted = set(keep)
    fixed = wanted | _aliases_of(dynamics, _assigned_by_events(dynamics))
    alias: dict[str, Expression] = {}
    kept: list[Derived] = []
    rates = {rate for scheme in dynamics.kinetics for edge in scheme.edges for rate in edge[2:]}
    for each in dynamics.derived:
        value = each.value.replaced(alias).simplified() if each.value is not None else None
        named = value is not None and value.text.isidentifier()
        if value is not None and each.name not in fixed | rates and (named or value.number is not None):
            alias[each.name] = value
        else:
            kept.append(with_replaced(each, alias))
    made = replaced_everywhere(replace(dynamics, derived=tuple(kept)), alias)
    needed = wanted | _used_elsewhere(made)
    live: list[Derived] = []
    for each in reversed(made.derived):
        if each.name in needed:
            live.append(each)
            needed |= uses(each)
    return replace(made, derived=tuple(reversed(live)))


def replaced_everywhere(dynamics: Dynamics, new: Mapping[str, Expression]) -> Dynamics:
    """The system with variables replaced by expressions, wherever they are used."""

    def act(actions: tuple[Action, ...]) -> tuple[Action, ...]:
        return tuple(
            Assignment(one.variable, one.value.replaced(new)) if isinstance(one, Assignment) else one for one in actions
        )

    def rates(stated: Mapping[str, Expression]) -> dict[str, Expression]:
        return {name: value.replaced(new) for name, value in stated.items()}

    def when(stated: tuple[OnCondition, ...]) -> tuple[OnCondition, ...]:
        return tuple(OnCondition(one.test.replaced(new), act(one.actions)) for one in stated)

    def on(stated: tuple[OnEvent, ...]) -> tuple[OnEvent, ...]:
        return tuple(OnEvent(one.port, act(one.actions)) for one in stated)

    def edge(names: tuple[str, str, str, str]) -> tuple[str, str, str, str]:
        source, target, *both = names
        forward, reverse = (new[name].text if name in new and new[name].text.isidentifier() else name for name in both)
        return source, target, forward, reverse

    return replace(
        dynamics,
        derived_parameters=tuple(with_replaced(each, new) for each in dynamics.derived_parameters),
        derived=tuple(with_replaced(each, new) for each in dynamics.derived),
        derivatives=rates(dynamics.derivatives),
        on_start=tuple(Assignment(one.variable, one.value.replaced(new)) for one in dynamics.on_start),
        conditions=when(dynamics.conditions),
        events=on(dynamics.events),
        regimes=tuple(
            Regime(
                one.name, one.initial, act(one.on_entry), rates(one.derivatives), when(one.conditions), on(one.events)
            )
            for one in dynamics.regimes
        ),
        kinetics=tuple(replace(one, edges=tuple(map(edge, one.edges))) for one in dynamics.kinetics),
    )


def renamed(dynamics: Dynamics, new: Mapping[str, str]) -> Dynamics:
    """The system with its own variables under other names."""
    names = _NewNames(new)
    made = replaced_everywhere(dynamics, {old: variable(own) for old, own in new.items()})
    return replace(
        made,
        parameters=names.keys(made.parameters),
        constants=names.keys(made.constants),
        dimensions=names.keys(made.dimensions),
        gives=names.all(made.gives),
        states=names.all(made.states),
        derived_parameters=tuple(replace(each, name=names.of(each.name)) for each in made.derived_parameters),
        derived=tuple(replace(each, name=names.of(each.name)) for each in made.derived),
        derivatives=names.keys(made.derivatives),
        on_start=tuple(replace(each, variable=names.of(each.variable)) for each in made.on_start),
        conditions=names.targets(made.conditions),
        events=names.targets(made.events),
        regimes=tuple(map(names.regime, made.regimes)),
        kinetics=tuple(map(names.scheme, made.kinetics)),
    )


class _NewNames:
    """Other names for what parts of a system call their own variables; the names in their expressions stay."""

    def __init__(self, new: Mapping[str, str]) -> None:
        self._new = new

    def of(self, old: str) -> str:
        return self._new.get(old, old)

    def all(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.of, names))

    def keys(self, stated: Mapping[str, _T]) -> dict[str, _T]:
        return {self.of(name): value for name, value in stated.items()}

    def targets(self, stated: tuple[_Acting, ...]) -> tuple[_Acting, ...]:
        """What conditions and events assign to."""
        return tuple(replace(one, actions=self._assigned(one.actions)) for one in stated)

    def regime(self, stated: Regime) -> Regime:
        return replace(
            stated,
            on_entry=self._assigned(stated.on_entry),
            derivatives=self.keys(stated.derivatives),
            conditions=self.targets(stated.conditions),
            events=self.targets(stated.events),
        )

    def scheme(self, stated: Kinetics) -> Kinetics:
        edges = tuple((self.of(a), self.of(b), self.of(c), self.of(d)) for a, b, c, d in stated.edges)
        return replace(stated, name=self.of(stated.name), states=self.all(stated.states), edges=edges)

    def _assigned(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        return tuple(
            replace(one, variable=self.of(one.variable)) if isinstance(one, Assignment) else one for one in actions
        )


def used(dynamics: Dynamics) -> set[str]:
    """Every name that some equation uses."""
    found = _used_elsewhere(dynamics)
    return found.union(*(uses(each) for each in (*dynamics.derived, *dynamics.derived_parameters)))


def _aliases_of(dynamics: Dynamics, states: set[str]) -> set[str]:
    return {each.name for each in dynamics.derived if each.value is not None and each.value.text in states}


def _assigned_by_events(dynamics: Dynamics) -> set[str]:
    lists = [one.actions for one in dynamics.conditions] + [one.actions for one in dynamics.events]
    for regime in dynamics.regimes:
        lists += [regime.on_entry, *(one.actions for one in regime.conditions), *(one.actions for one in regime.events)]
    return {each.variable for actions in lists for each in actions if isinstance(each, Assignment)}


def with_replaced(each: Derived, new: Mapping[str, Expression]) -> Derived:
    """A derived variable with variables replaced by expressions."""
    cases = tuple(
        Case(case.value.replaced(new), None if case.condition is None else case.condition.replaced(new))
        for case in each.cases
    )
    return replace(each, cases=cases)


def _used_elsewhere(dynamics: Dynamics) -> set[str]:
    """The names that something other than a derived variable uses."""
    found: set[str] = set()
    for value in dynamics.derivatives.values():
        found |= value.names
    for one in dynamics.on_start:
        found |= one.value.names
    for condition in dynamics.conditions:
        found |= condition.test.names | _in_actions(condition.actions)
    for event in dynamics.events:
        found |= _in_actions(event.actions)
    for regime in dynamics.regimes:
        found |= _in_actions(regime.on_entry)
        for value in regime.derivatives.values():
            found |= value.names
        for condition in regime.conditions:
            found |= condition.test.names | _in_actions(condition.actions)
        for event in regime.events:
            found |= _in_actions(event.actions)
    for scheme in dynamics.kinetics:
        found |= {rate for edge in scheme.edges for rate in edge[2:]}
    return found


def _in_actions(actions: Iterable[Action]) -> set[str]:
    return set().union(*(one.value.names for one in actions if isinstance(one, Assignment)))
