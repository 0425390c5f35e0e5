"""NET_RECEIVE: what events and conditions do to a mechanism."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pynn_io.graph.dynamics import Action, Assignment, Derived, Dynamics, Emit, OnCondition, Regime, Transition
from pynn_io.graph.expressions import Expression
from pynn_io.lowering.nmodl_conditions import TIME, WATCH, Armed, trigger
from pynn_io.lowering.nmodl_equations import Blocks, Equations


class Events(Equations):
    """The equations with the conditions of the system, each with the number of its event."""

    def __init__(self, system: Dynamics, blocks: Blocks) -> None:
        super().__init__(system, blocks)
        self._armed = self._arm_all()

    def _is_event(self, condition: OnCondition) -> bool:
        return any(not isinstance(action, Assignment) for action in condition.actions) or "t" in condition.test.names

    def _arm_all(self) -> tuple[Armed, ...]:
        """Every condition that is an event, numbered from 2 on."""
        found: list[Armed] = []
        groups = [(-1, self._system.conditions)]
        groups += [(number, each.conditions) for number, each in enumerate(self._system.regimes)]
        for regime, conditions in groups:
            for each in conditions:
                if self._is_event(each) or self._blocks.membrane:
                    kind, when = trigger(each.test, set(self._system.states) | {"v"})
                    found.append(Armed(len(found) + 2, kind, when, each, regime))
        return tuple(found)

    def _send(self, armed: Armed) -> str:
        """An event at the time of a condition; at once where that is over."""
        wait = self._print(Expression(f"({armed.when.text}) - t"))
        return f"net_send(({wait}) * ({wait} > 0), {armed.flag})"

    def _net_receive(self) -> Iterator[str]:
        system = self._system
        received = [each for each in system.events if each.port == "in"]
        if not self._armed and not received:
            return
        lines: list[str] = []
        local: dict[str, Derived] = {}
        for event in received:
            lines += _branch(0, self._acts(event.actions, local))
        watched = any(each.kind == WATCH for each in self._armed)
        for armed in self._armed:
            inside = list(self._acts(armed.condition.actions, local))
            if self._jumps(armed.condition.actions):
                driving, about = self._slopes(anew=True)
                inside += driving
                local |= {each.name: each for each in about}
            if armed.kind == TIME and armed.regime < 0:
                inside.append(self._send(armed))
            guard = self._guard(armed)
            inside = [f"if ({guard}) {{", *(f"    {line}" for line in inside), "}"] if guard else inside
            lines += _branch(armed.flag, inside)
        if watched:
            # In an event of its own: WATCH looks at the potential of the node, and would undo a reset of this event.
            lines += ["if (flag > 1) { net_send(0, 1) }", *_branch(1, self._watches())]
        shown = {each.name for each in self._shown}
        hidden = [each for each in local.values() if each.name not in shown]
        yield from self._block("NET_RECEIVE (weight)", lines, hidden)

    def _jumps(self, actions: Sequence[Action]) -> bool:
        """Whether actions change the slopes of a cell, which begin anew then."""
        if any(isinstance(action, Transition) for action in actions):
            return bool(self._slope_names())
        return any(isinstance(action, Assignment) and action.variable in self._moving() for action in actions)

    def _guard(self, armed: Armed) -> str:
        """What must hold besides the condition's own trigger."""
        parts = [f"regime == {armed.regime}"] if armed.regime >= 0 else []
        if armed.kind == WATCH:
            parts.append(self._print(armed.condition.test))
        return " && ".join(parts)

    def _watches(self) -> Iterator[str]:
        for armed in self._armed:
            if armed.kind != WATCH:
                continue
            # What is true already, or still, comes true at the next step, as in LEMS, where every step looks.
            test = self._print(armed.when)
            guard = f"regime == {armed.regime} && " if armed.regime >= 0 else ""
            yield f"if ({guard}{test}) {{ net_send(dt, {armed.flag}) }}"
            statement = f"WATCH ({test}) {armed.flag}"
            yield f"if (regime == {armed.regime}) {{ {statement} }}" if armed.regime >= 0 else statement

    def _acts(self, actions: Sequence[Action], local: dict[str, Derived]) -> Iterator[str]:
        """Statements; derived variables that they use are worked out before them."""
        assigned = [each for each in actions if isinstance(each, Assignment)]
        needed = self._closure(set().union(*(each.value.names for each in assigned)))
        for each in needed:
            local[each.name] = each
            yield from self._derive(each)
        for action in actions:
            if isinstance(action, Assignment):
                yield self._assign(action)
            elif isinstance(action, Emit):
                yield "net_event(t)"
            elif isinstance(action, Transition):
                yield from self._enter(action, local)
        if any(each.variable == "v" for each in assigned) and self._holds():
            yield "v_hold = v"

    def _enter(self, transition: Transition, local: dict[str, Derived]) -> Iterator[str]:
        number = self._regimes[transition.regime]
        regime: Regime = self._system.regimes[number]
        yield f"regime = {number}"
        if self._holds() and not any(isinstance(a, Assignment) and a.variable == "v" for a in regime.on_entry):
            yield "v_hold = v"
        yield from self._acts(regime.on_entry, local)
        yield from (self._send(each) for each in self._armed if each.kind == TIME and each.regime == number)


def _branch(flag: int, inside: Iterable[str]) -> Iterator[str]:
    yield f"if (flag == {flag}) {{"
    yield from (f"    {line}" for line in inside)
    yield "}"
