"""A mechanism of NMODL as equations, in its own units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.graph.dynamics import Assignment, Derived
from pynn_io.graph.expressions import Expression


@dataclass(frozen=True, slots=True)
class Flow:
    """One reaction of a KINETIC block: (how many, state) on both sides, and its two rates."""

    left: tuple[tuple[int, str], ...]
    right: tuple[tuple[int, str], ...]
    forward: Expression
    reverse: Expression


@dataclass(frozen=True, slots=True)
class Equations:
    """A mechanism as equations.

    derived: in order. rates: state -> change per ms. start: value of a state at the start; steady: states that start
    where their rates are 0. flows: reactions, not among the rates; conserved: whether occupancies add up to 1.
    residuals: what LINEAR equations demand to be 0 at the start. currents: name -> value. written: name -> value, of
    what it sets of ions without a rate. frozen: variables that
    INITIAL computes once, of what may change later. received: what an event does; ``weight``: the name of its argument.
    needs: names that NEURON gives (``v``, ``celsius``, ``cai`` ...). tables: variables that NEURON interpolates.
    """

    mechanism: Mechanism
    derived: tuple[Derived, ...]
    rates: Mapping[str, Expression]
    start: Mapping[str, Expression]
    steady: frozenset[str]
    flows: tuple[Flow, ...]
    conserved: bool
    residuals: tuple[Expression, ...]
    currents: Mapping[str, Expression]
    written: Mapping[str, Expression]
    frozen: Mapping[str, Expression]
    received: tuple[Assignment, ...]
    weight: str
    needs: frozenset[str]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where statements stand: the block for messages, how deep in branches, how deep in calls."""

    block: str
    branch: int = 0
    calls: int = 0

    def inside(self) -> Place:
        return Place(self.block, self.branch + 1, self.calls)

    def called(self, name: str) -> Place:
        return Place(name, self.branch, self.calls + 1)


def uses_of(values: Iterable[Expression], derived: Mapping[str, Derived]) -> set[str]:
    """The names that expressions depend on, by way of derived variables too."""
    found: set[str] = set()
    waiting = {name for value in values for name in value.names}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in derived:
            for case in derived[name].cases:
                waiting |= case.value.names | (case.condition.names if case.condition is not None else set())
    return found
