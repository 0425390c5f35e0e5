"""A component with everything in it as one flat system of equations (`pynn_io.graph.dynamics.Dynamics`).

Variables of a child bear its id, or else its role, before their names: the state ``q`` of a channel's gate ``m`` is
``m_q``, its forward rate ``m_forwardRate_r``, as the path of the quantity in LEMS has them (``m/forwardRate/r``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import (
    Action,
    Assignment,
    Case,
    Component,
    ComponentType,
    Derived,
    Dynamics,
    Emit,
    Kinetics,
    OnCondition,
    OnEvent,
    Regime,
)
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.lowering.systems import in_order
from pynn_io.lowering.types import Types

#: Children that say something about a component and nothing of what it computes, and lists of spikes.
_WORDS = frozenset({"notes", "annotation", "property", "spike"})
#: Event port through which a component hands an event on to what is in it.
_RELAY = "relay"
#: The other side of an electrical or graded connection: ``peer/v`` is the variable ``vpeer``.
_PEER = "peer"
_STEP = re.compile(r"(\w+)(?:\[(?:\*|(\w+)\s*=\s*'([^']*)')\])?")
_NEUTRAL = {"multiply": "1", "add": "0", "": ""}
_SIGNS = {"multiply": " * ", "add": " + "}


def flatten(component: Component, types: Types, references: Mapping[str, Component] = empty()) -> Dynamics:
    """The equations of a component.

    references: components by id, for those that it names (``synapse="ampa"``). What comes from outside stands in
    ``needs``: ``v``, ``temperature``, and the sum of what is attached (``iSyn``).
    Raises GraphError for a parameter that is missing, a path that selects nothing, equations that go round in a
    circle, or dimensions that do not go together, and UnsupportedInput for regimes in regimes.
    """
    made = _Flat(types, references)
    root = made.inline(component, "", {})
    return made.dynamics(component, root)


@dataclass(slots=True)
class _Node:
    """A component that has been inlined.

    gives: exposure -> flat name. events: port -> renamed actions. inner: it stands in another, which has its events.
    """

    component: Component
    type: ComponentType
    names: dict[str, str]
    inner: bool
    gives: dict[str, str] = field(default_factory=dict)
    children: list[tuple[str, _Node]] = field(default_factory=list)
    references: dict[str, _Node] = field(default_factory=dict)
    events: dict[str, tuple[Action, ...]] = field(default_factory=dict)


class _Flat:
    """The system while it grows."""

    def __init__(self, types: Types, references: Mapping[str, Component]) -> None:
        self._types, self._references = types, references
        self._parameters: dict[str, float] = {}
        self._constants: dict[str, float] = {}
        self._dimensions: dict[str, str] = {}
        self._needs: dict[str, str] = {}
        self._states: list[str] = []
        self._fixed: list[Derived] = []
        self._derived: list[Derived] = []
        self._rates: dict[str, Expression] = {}
        self._start: list[Assignment] = []
        self._conditions: list[OnCondition] = []
        self._regimes: list[Regime] = []
        self._kinetics: list[Kinetics] = []
        self._prefixes: set[str] = set()

    def inline(self, component: Component, prefix: str, above: Mapping[str, str]) -> _Node:
        """Add a component and all that is in it. above: the names that what it stands in has, and their flat names."""
        type_ = self._types.sound(component.type)
        node = _Node(component, type_, self._names(component, type_, prefix, above), inner=bool(prefix))
        self._add_parameters(node)
        scope = {**above, **node.names}
        for role, child in component.children:
            if role not in _WORDS:
                node.children.append((role, self.inline(child, self._prefix(prefix, child.id or role), scope)))
        for role in type_.references:
            named = component.texts.get(role, "")
            if named in self._references:
                target = self._references[named]
                node.references[role] = self.inline(target, self._prefix(prefix, target.id or role), scope)
        self._add_equations(node)
        return node

    def _prefix(self, prefix: str, name: str) -> str:
        """A prefix that no other component has."""
        made, number = f"{prefix}{name}_", 1
        while made in self._prefixes:
            number += 1
            made = f"{prefix}{name}{number}_"
        self._prefixes.add(made)
        return made

    def _names(
        self, component: Component, type_: ComponentType, prefix: str, above: Mapping[str, str]
    ) -> dict[str, str]:
        """Flat names of everything that a type speaks of; what it needs is what is above it, or comes from outside."""
        own = [
            *type_.parameters,
            *type_.constants,
            *(each.name for each in type_.derived_parameters),
            *type_.states,
            *(each.name for each in type_.derived),
        ]
        names = {name: prefix + name for name in own}
        for name, dimension in type_.needs.items():
            if name in above:
                names.setdefault(name, above[name])
            elif name not in names:
                names[name] = self._need(name, dimension)
        for each in type_.derived:
            if _from_outside(each, type_):
                peer = each.select.split("/")[-1] + _PEER
                names[each.name] = self._need(peer if _head(each.select) == _PEER else each.name, each.dimension)
        return names

    def _need(self, name: str, dimension: str) -> str:
        self._needs[name] = self._dimensions[name] = dimension
        return name

    def _add_parameters(self, node: _Node) -> None:
        type_, stated = node.type, node.component.parameters
        for name, dimension in type_.parameters.items():
            value = stated.get(name, type_.defaults.get(name))
            if value is None:
                raise GraphError(
                    f"the component {node.component.id or node.component.type!r} ({node.component.type}) states no "
                    f"{name}",
                    where=type_.where,
                )
            self._parameters[node.names[name]] = value
            self._dimensions[node.names[name]] = dimension
        for name, (dimension, value) in type_.constants.items():
            self._constants[node.names[name]] = value
            self._dimensions[node.names[name]] = dimension
        for each in type_.derived_parameters:
            self._fixed.append(self._renamed(each, node))

    def _add_equations(self, node: _Node) -> None:
        type_, names = node.type, node.names
        computed = {each.name for each in type_.derived}
        for name, dimension in type_.states.items():
            # A few types declare a variable twice, as a state and as a derived one, which it is.
            if name not in computed:
                self._states.append(names[name])
                self._dimensions[names[name]] = dimension
        for each in type_.derived:
            if not _from_outside(each, type_):
                self._derived.append(self._renamed(each, node))
        self._rates |= {names[name]: value.renamed(names) for name, value in type_.derivatives.items()}
        for event in type_.events:
            node.events[event.port] = tuple(self._actions(event.actions, node))
        self._start += [self._assigned(each, names) for each in type_.on_start]
        for condition in type_.conditions:
            actions = tuple(self._actions(condition.actions, node))
            self._conditions.append(OnCondition(condition.test.renamed(names), actions))
        self._add_regimes(node)
        self._add_kinetics(node)
        for name in type_.gives:
            inner = type_.exposed.get(name, name)
            if inner in names:
                node.gives[name] = names[inner]

    def _renamed(self, each: Derived, node: _Node) -> Derived:
        name = node.names[each.name]
        self._dimensions[name] = each.dimension
        if each.select:
            return Derived(name, each.dimension, (Case(self._selected(each, node)),))
        cases = [
            Case(
                case.value.renamed(node.names),
                None if case.condition is None else case.condition.renamed(node.names),
            )
            for case in each.cases
        ]
        return Derived(name, each.dimension, tuple(cases))

    def _selected(self, each: Derived, node: _Node) -> Expression:
        """What a path selects, added up or multiplied."""
        *steps, last = each.select.split("/")
        nodes = [node]
        for step in steps:
            nodes = [found for one in nodes for found in self._step(one, step)]
        names = [found.gives.get(last, found.names.get(last, "")) for found in nodes]
        if all(names) and names:
            if len(names) > 1 and not each.reduce:
                raise GraphError(f"{each.select!r} selects {len(names)} variables, and says not what to make of them")
            return parse(_SIGNS.get(each.reduce, "").join(names)) if len(names) > 1 else variable(names[0])
        if each.reduce and not names:
            return parse(_NEUTRAL[each.reduce])
        role = _head(each.select)
        missing = node.component.texts.get(role) if role in node.type.references else None
        raise GraphError(
            f"{node.component.id or node.component.type!r} ({node.component.type}): "
            + (f"its {role}, {missing!r}, is not there" if missing else f"{each.select!r} selects nothing"),
            where=node.type.where,
        )

    def _step(self, node: _Node, step: str) -> Iterator[_Node]:
        """The children or the referenced component behind one step of a path."""
        match = _STEP.fullmatch(step)
        if match is None:
            raise GraphError(f"{step!r} is not a step of a path", where=node.type.where)
        name, attribute, wanted = match[1], match[2], match[3]
        if name in node.references:
            yield node.references[name]
            return
        kind = node.type.children.get(name)
        for role, child in node.children:
            if role != name and not (kind is not None and self._types.is_a(child.component.type, kind)):
                continue
            # LEMS calls a child's ion its species, and some files the other way round.
            texts = child.component.texts
            if attribute and wanted not in (texts.get(attribute), texts.get("ion"), texts.get("species")):
                continue
            yield child

    def _actions(self, actions: Iterable[Action], node: _Node) -> Iterator[Action]:
        for action in actions:
            if isinstance(action, Emit) and action.port == _RELAY:
                for _, inner in [*node.children, *node.references.items()]:
                    yield from inner.events.get("in", ())
            elif isinstance(action, Assignment):
                yield self._assigned(action, node.names)
            elif not (isinstance(action, Emit) and node.inner):
                yield action

    def _assigned(self, each: Assignment, names: Mapping[str, str]) -> Assignment:
        return Assignment(names[each.variable], each.value.renamed(names))

    def _add_regimes(self, node: _Node) -> None:
        if self._regimes and node.type.regimes:
            raise UnsupportedInput(
                f"{node.component.id or node.component.type!r} has regimes, and so has what stands in it or beside it",
                where=node.type.where,
                hint="one component with everything in it can be in one regime at a time",
            )
        self._regimes += [self._regime(each, node) for each in node.type.regimes]

    def _regime(self, each: Regime, node: _Node) -> Regime:
        names = node.names
        return Regime(
            each.name,
            each.initial,
            tuple(self._actions(each.on_entry, node)),
            {names[name]: value.renamed(names) for name, value in each.derivatives.items()},
            tuple(
                OnCondition(one.test.renamed(names), tuple(self._actions(one.actions, node))) for one in each.conditions
            ),
            tuple(OnEvent(one.port, tuple(self._actions(one.actions, node))) for one in each.events),
        )

    def _add_kinetics(self, node: _Node) -> None:
        for scheme in node.type.kinetic_schemes:
            states = {child.component.id: child for child in self._step(node, f"{scheme.nodes}[*]")}
            edges = []
            for edge in self._step(node, f"{scheme.edges}[*]"):
                ends = [edge.component.texts.get(side, "") for side in (scheme.source, scheme.target)]
                unknown = [end for end in ends if end not in states]
                if unknown:
                    raise GraphError(
                        f"a transition of {node.component.id!r} is from or to the state {unknown[0]!r}, which is not "
                        f"there: {', '.join(states)}"
                    )
                source, target = (states[end].names[scheme.state] for end in ends)
                edges.append((source, target, edge.names[scheme.forward], edge.names[scheme.reverse]))
            occupancies = tuple(child.names[scheme.state] for child in states.values())
            self._kinetics.append(Kinetics(node.names.get("q", scheme.name), occupancies, tuple(edges)))

    def _given(self, exposure: str, name: str) -> str:
        """The name under which others see a variable: the type's word for it, if that is free."""
        if exposure == name or exposure in self._dimensions:
            return name
        dimension = self._dimensions[exposure] = self._dimensions[name]
        self._derived.append(Derived(exposure, dimension, (Case(variable(name)),)))
        return exposure

    def dynamics(self, component: Component, root: _Node) -> Dynamics:
        """The whole system, its equations in order."""
        events = tuple(OnEvent(port, actions) for port, actions in root.events.items())
        gives = tuple(self._given(exposure, name) for exposure, name in root.gives.items())
        return Dynamics(
            name=component.id,
            type=component.type,
            parameters=self._parameters,
            constants=self._constants,
            dimensions=self._dimensions,
            needs=tuple(self._needs),
            gives=gives,
            states=tuple(self._states),
            derived_parameters=in_order(self._fixed, component.id),
            derived=in_order(self._derived, component.id),
            derivatives=self._rates,
            on_start=tuple(self._start),
            conditions=tuple(self._conditions),
            events=events,
            regimes=tuple(self._regimes),
            kinetics=tuple(self._kinetics),
            ports={name: direction for name, direction in root.type.ports.items() if name != _RELAY},
        )


def _from_outside(each: Derived, type_: ComponentType) -> bool:
    """Whether a variable is selected from what is attached, or from the other side."""
    head = _head(each.select)
    return bool(head) and (head in type_.attachments or (head == _PEER and head not in type_.children))


def _head(select: str) -> str:
    """The first word of a path."""
    return re.split(r"\W", select, maxsplit=1)[0]
