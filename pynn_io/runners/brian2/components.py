"""NeuroML's and LEMS's cells as equations of Brian2, with the synapses onto them where these can stand in the cell.

A synapse can where it is linear: what events add decays by itself, so that one variable a cell stands for all synapses
of that component. Conditions are tested at the end of a step, as LEMS does it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.cells import PointCell
from pynn_io.graph.dynamics import Action, Assignment, Component, Dynamics, Emit, OnCondition, Transition
from pynn_io.graph.expressions import Expression, parse, unmarked
from pynn_io.graph.network import Network
from pynn_io.lowering.abstract import synapses_onto
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.systems import pruned, renamed, replaced_everywhere
from pynn_io.lowering.types import Types, as_component, components_of, types_of
from pynn_io.runners.algorithms import RUNGE_KUTTA_4
from pynn_io.runners.brian2.integration import copied, runge_kutta
from pynn_io.runners.brian2.lowered import CellCode
from pynn_io.runners.brian2.words import derived_text, free, text, unsaid

SCHEME = "neuroml:"
#: Sums of what is attached to a cell: in nA, and without dimension.
_SUMS = ("iSyn", "ISyn")
#: Runge-Kutta steps in a time step.
PARTS = 4
_UNITS = {"voltage": "mV", "current": "nA", "conductance": "uS", "time": "ms"}


@dataclass(frozen=True, slots=True)
class ComponentCell:
    """A cell of components: its code, and its equations under Brian2's names, of which values follow."""

    code: CellCode
    system: Dynamics
    names: Mapping[str, str]

    def values(self, parameters: Mapping[str, Any]) -> dict[str, float | np.ndarray]:
        """The variables at the start: numbers, or float64 with one a cell. parameters: stated cell by cell."""
        own = {self.names[name]: value for name, value in parameters.items() if name in self.names}
        stated: dict[str, Any] = {**self.system.parameters, **{name: _array(value) for name, value in own.items()}}
        found = starting_values(replace(self.system, parameters=stated), dict.fromkeys(self.system.needs, 0.0))
        wanted = [*self.system.parameters, *self.system.constants, *self.system.states]
        wanted += [each.name for each in self.system.derived_parameters]
        return {name: _array(found.get(name, 0.0)) for name in wanted} | {"regime": _first_regime(self.system)}


def _array(value: Any) -> float | np.ndarray:
    array = np.asarray(np.ma.filled(value, np.nan) if np.ma.isMaskedArray(value) else value, dtype=np.float64)
    return array if array.ndim else float(array)


class Components:
    """The cells of one network that are components, made when first asked for."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._types: Types = types_of(network)
        self._named: Mapping[str, Component] = components_of(network)
        self._made: dict[str, ComponentCell] = {}

    def cell(self, name: str, cell: PointCell) -> ComponentCell:
        """A cell with what is attached to it. Raises UnsupportedInput, saying what Brian2 has no words for."""
        if name not in self._made:
            system = flatten(as_component(name, cell), self._types, self._named)
            self._made[name] = _Writer(name, cell.model, system, self._attached(name)).made()
        return self._made[name]

    def _attached(self, cell: str) -> dict[str, Dynamics]:
        """The linear synapses onto a cell, by name."""
        found = {}
        for name in synapses_onto(cell, self._network):
            synapse = self._network.synapses[name]
            if synapse.model.startswith(SCHEME):
                system = flatten(as_component(name, synapse), self._types, self._named)
                system = replaced_everywhere(system, _numbers(system.constants))
                if is_linear(system):
                    found[name] = replace(system, constants={})
        return found


def _numbers(constants: Mapping[str, float]) -> dict[str, Expression]:
    return {name: parse(repr(value)) for name, value in constants.items()}


# --- which synapses can stand in a cell ---------------------------------------------------------------------------


def is_linear(system: Dynamics) -> bool:
    """Whether the states and the current of a synapse are linear in its states, and events only add to these."""
    if system.conditions or system.regimes or system.kinetics or set(system.needs) - {"v"} or "i" not in system.gives:
        return False
    degrees = dict.fromkeys(system.states, 1)
    for each in system.derived:
        if each.value is None:
            return False
        degrees[each.name] = _degree(each.value.tree, degrees)
    if degrees.get("i") != 1 or any(_degree(rate.tree, degrees) != 1 for rate in system.derivatives.values()):
        return False
    for event in system.events:
        for action in event.actions:
            if not isinstance(action, Assignment) or _added(action, degrees) is None:
                return False
    return True


_NONLINEAR = 9


def _degree(node: ast.expr, degrees: Mapping[str, int]) -> int:
    """0 for what no state is in, 1 for what is linear in them, more for anything else."""
    if isinstance(node, ast.Name):
        return degrees.get(unmarked(node.id), 0)
    if isinstance(node, ast.UnaryOp):
        return _degree(node.operand, degrees)
    if isinstance(node, ast.BinOp):
        left, right = _degree(node.left, degrees), _degree(node.right, degrees)
        if isinstance(node.op, ast.Add | ast.Sub):
            return left if left == right else _NONLINEAR
        if isinstance(node.op, ast.Mult):
            return left + right
        return left if right == 0 and (isinstance(node.op, ast.Div) or left == 0) else _NONLINEAR
    if isinstance(node, ast.Call):
        return 0 if all(_degree(each, degrees) == 0 for each in node.args) else _NONLINEAR
    return 0 if isinstance(node, ast.Constant) else _NONLINEAR


def _added(action: Assignment, degrees: Mapping[str, int]) -> Expression | None:
    """What an event adds to a state: ``g = g + x``; None where it does something else."""
    tree = action.value.tree
    if not isinstance(tree, ast.BinOp) or not isinstance(tree.op, ast.Add) or not isinstance(tree.left, ast.Name):
        return None
    if unmarked(tree.left.id) != action.variable or _degree(tree.right, degrees) != 0:
        return None
    return Expression(ast.unparse(tree.right))


# --- writing ------------------------------------------------------------------------------------------------------


class _Writer:
    """One cell, written."""

    def __init__(self, name: str, model: str, system: Dynamics, attached: Mapping[str, Dynamics]) -> None:
        self._name, self._model = name, model
        unknown = sorted(set(system.needs) - set(_SUMS))
        if system.kinetics or unknown:
            lacking = "schemes of states" if system.kinetics else f"what it needs from outside ({', '.join(unknown)})"
            raise UnsupportedInput(f"{model} has {lacking}, which is not written for Brian2")
        system = pruned(system, [*system.gives, *system.states])
        own = [*system.parameters, *system.constants, *system.states, *system.needs]
        own += [each.name for each in (*system.derived, *system.derived_parameters)]
        self._names = {each: free(each) for each in own}
        self._given = {each: self._names[each] for each in (*system.gives, *system.states) if each in self._names}
        self._system = renamed(system, {**self._names, "t": "now"})
        self._synapses = {key: self._placed(key, each) for key, each in attached.items()}

    def _placed(self, synapse: str, system: Dynamics) -> Dynamics:
        """A synapse under names of its own in the cell, seeing the cell's potential."""
        own = [
            *system.parameters,
            *system.states,
            *(each.name for each in (*system.derived, *system.derived_parameters)),
        ]
        new = {name: free(name, f"{synapse}_") for name in own if name != "weight"}
        return renamed(system, {**new, "v": self._names.get("v", "v"), "weight": "weight"})

    def made(self) -> ComponentCell:
        whole = self._whole()
        expressions = [*whole.derivatives.values(), *(case.value for each in whole.derived for case in each.cases)]
        missing = unsaid(expressions)
        if missing or any("now" in one.names for one in expressions):
            raise UnsupportedInput(f"{self._model} has {missing or 'rates of time'}, which is not written for Brian2")
        derived = {each.name: derived_text(each) for each in whole.derived}
        rates = self._rates(whole)
        part = runge_kutta(rates, derived, PARTS)
        end = "\n".join(self._end(whole, derived))
        code = CellCode(
            f"{SCHEME}{self._name}",
            self._equations(whole, rates, derived),
            (*[part] * PARTS, *([end] if end else [])),
            threshold="fired > 0.5",
            reset="fired = 0",
            receptors={name: self._receptor(name) for name in self._synapses},
            records=self._records(whole),
            method=RUNGE_KUTTA_4,
            parts=PARTS,
        )
        return ComponentCell(code, whole, self._names)

    def _whole(self) -> Dynamics:
        """The cell and its synapses as one system, the sum of what is attached put in its place."""
        system, parts = self._system, list(self._synapses.values())
        given = [name for name in _SUMS if name in system.needs]
        currents = [part.derived for part in parts]
        sums = ["i_stim", *(free("i", f"{name}_") for name in self._synapses)]
        summed = parse(" + ".join(sums)) if "iSyn" in given else parse("i_stim")
        system = replaced_everywhere(system, {free(name): summed for name in given})
        attached = parts if "iSyn" in given else []
        fixed = [each for part in attached for each in part.derived_parameters]
        # The weight of an event is the edge's, see `_receptor`.
        numbers = [{key: own for key, own in part.parameters.items() if key != "weight"} for part in attached]
        return replace(
            system,
            parameters=_joined(system.parameters, *numbers),
            dimensions=_joined(system.dimensions, *(part.dimensions for part in attached)),
            states=(*system.states, *(state for part in attached for state in part.states)),
            derived_parameters=(*system.derived_parameters, *fixed),
            # What synapses give goes first: the cell's own variables use it.
            derived=(*(each for found in currents for each in found if attached), *system.derived),
            derivatives=_joined(system.derivatives, *(part.derivatives for part in attached)),
            on_start=(*system.on_start, *(each for part in attached for each in part.on_start)),
            needs=(),
        )

    def _rates(self, whole: Dynamics) -> dict[str, str]:
        rates = {name: text(value) for name, value in whole.derivatives.items()}
        for number, regime in enumerate(whole.regimes):
            for name, value in regime.derivatives.items():
                own = f"{_is(number)} * ({text(value)})"
                rates[name] = f"{rates[name]} + {own}" if name in rates else own
        return rates

    def _equations(self, whole: Dynamics, rates: Mapping[str, str], derived: Mapping[str, str]) -> str:
        lines = [f"d{name}/dt = ({rate}) / ms : 1" for name, rate in rates.items()]
        lines += [f"{name} : 1" for name in whole.states if name not in rates]
        lines += [f"{name} = {value} : 1" for name, value in derived.items()]
        numbers = [*whole.parameters, *whole.constants, *(each.name for each in whole.derived_parameters)]
        lines += [f"{name} : 1 (constant)" for name in numbers]
        return "\n".join([*lines, "fired : 1", "regime : 1"])

    def _receptor(self, synapse: str) -> str:
        """What an event of weight ``{w}`` adds, in the words of a synapse's statements."""
        system = self._synapses[synapse]
        lines = []
        for event in system.events:
            for action in event.actions:
                added = _added(action, {}) if isinstance(action, Assignment) else None
                if event.port == "in" and isinstance(action, Assignment) and added is not None:
                    own = {name: f"{name}_post" for name in added.names if name != "weight"}
                    weight = f"({{w}} * {system.parameters.get('weight', 1.0)})"
                    value = text(added.renamed(own)).replace("weight", weight)
                    lines.append(f"{action.variable}_post += {value}")
        return "\n".join(lines)

    def _records(self, whole: Dynamics) -> dict[str, tuple[str, str, float]]:
        found = {name: (own, _UNITS.get(whole.dimensions.get(own, ""), ""), 1.0) for name, own in self._given.items()}
        return found | ({"V_m": found["v"]} if "v" in found else {})

    # --- conditions -----------------------------------------------------------------------------------------------

    def _end(self, whole: Dynamics, derived: Mapping[str, str]) -> Iterator[str]:
        """Conditions, tested when the step is over, in order: those of the system, then those of its regime."""
        conditions = [(-1, one) for one in whole.conditions]
        conditions += [(number, one) for number, regime in enumerate(whole.regimes) for one in regime.conditions]
        if not conditions:
            return
        yield "now = (t + dt) / ms"
        if whole.regimes:
            yield f"was = {copied('regime')}"
        for number, (regime, condition) in enumerate(conditions):
            guard = f" * {_is(regime, 'was')}" if regime >= 0 else ""
            yield f"true_{number} = int({text(_inlined(condition.test, whole))}){guard}"
            yield from self._act(condition, f"true_{number}", whole)

    def _act(self, condition: OnCondition, test: str, whole: Dynamics) -> Iterator[str]:
        yield from self._actions(condition.actions, test, whole)

    def _actions(self, actions: Iterable[Action], test: str, whole: Dynamics) -> Iterator[str]:
        numbers = {regime.name: number for number, regime in enumerate(whole.regimes)}
        for action in actions:
            if isinstance(action, Assignment):
                value = text(_inlined(action.value, whole))
                yield f"{action.variable} = choose({test}, {value}, {action.variable})"
            elif isinstance(action, Emit):
                yield f"fired = fired + {test}"
            elif isinstance(action, Transition):
                yield f"regime = choose({test}, {numbers[action.regime]}, regime)"
                yield from self._actions(whole.regimes[numbers[action.regime]].on_entry, test, whole)


def _inlined(expression: Expression, whole: Dynamics) -> Expression:
    """An expression of states alone. Raises UnsupportedInput where a variable in it has cases."""
    for each in reversed(whole.derived):
        if each.name in expression.names:
            if each.value is None:
                raise UnsupportedInput(f"a condition depends on {each.name}, which has cases: not written for Brian2")
            expression = expression.replaced({each.name: each.value})
    return expression


def _is(regime: int, variable: str = "regime") -> str:
    return f"int({variable} > {regime - 0.5}) * int({variable} < {regime + 0.5})"


def _first_regime(system: Dynamics) -> float:
    return float(next((number for number, each in enumerate(system.regimes) if each.initial), 0))


def _joined(*mappings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for mapping in mappings for name, value in mapping.items()}
