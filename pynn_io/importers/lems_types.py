"""``<ComponentType>`` elements -> `pynn_io.graph.dynamics.ComponentType` (LEMS 0.7.6; doi:10.3389/fninf.2014.00079)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.dynamics import (
    Action,
    Assignment,
    Case,
    ComponentType,
    Construction,
    Derived,
    Emit,
    KineticScheme,
    OnCondition,
    OnEvent,
    Regime,
    Transition,
)
from pynn_io.graph.expressions import Expression, parse
from pynn_io.importers.neuroml_context import Context, Take

#: Elements that declare a name with a dimension: where it goes.
_DIMENSIONED = {"Requirement": "needs", "Exposure": "gives"}
#: Elements that declare a role with a type: where it goes.
_TYPED = {
    "ComponentReference": "references",
    "Link": "references",
    "Child": "child",
    "Children": "children",
    "Attachments": "attachments",
}


def component_types(elements: Iterable[Element], context: Context) -> dict[str, ComponentType]:
    """The types that a document defines, by name. Raises ReadError for one that is broken, or defined twice."""
    found: dict[str, ComponentType] = {}
    for element in elements:
        made = component_type(element, context)
        before = found.setdefault(made.name, made)
        if before != made:
            raise ReadError(
                f"the ComponentType {made.name!r} is defined twice, and differently",
                where=made.where,
                hint=f"the other definition is at {before.where}",
            )
    return found


def component_type(element: Element, context: Context) -> ComponentType:
    """One type, as it stands: what it inherits is left to ``extends``. Raises ReadError."""
    return _Type(element, context).read()


class _Type:
    def __init__(self, element: Element, context: Context) -> None:
        self.take, self.context = Take(element, context), context
        self.parameters: dict[str, str] = {}
        self.defaults: dict[str, float] = {}
        self.constants: dict[str, tuple[str, float]] = {}
        self.ports: dict[str, str] = {}
        self.texts: list[str] = []
        self.named: dict[str, dict[str, str]] = {key: {} for key in (*_DIMENSIONED.values(), *_TYPED.values())}
        self.derived_parameters: list[Derived] = []
        self.dynamics = _Dynamics(context)
        self.structure: tuple[Construction, ...] = ()

    def read(self) -> ComponentType:
        take = self.take
        for name in ("Parameter", "Property", "Constant", "Fixed", "EventPort", "DerivedParameter"):
            for child in take.children(name):
                self._rows[name](self, Take(child, self.context))
        for tag, key in (_DIMENSIONED | _TYPED).items():
            for child in take.children(tag):
                self._named(Take(child, self.context), self.named[key], "dimension" if tag in _DIMENSIONED else "type")
        for child in take.children("Text", "Path"):
            part = Take(child, self.context)
            self.texts.append(part.need("name"))
            _done(part)
        for child in take.children("Dynamics"):
            self.dynamics.read(Take(child, self.context))
        steps = [_constructions(Take(child, self.context)) for child in take.children("Structure")]
        self.structure = tuple(step for found in steps for step in found)
        # What it is for is said in words that no simulator needs.
        take.children("notes", "annotation")
        made = self._made()
        take.rest()
        return made

    def _made(self) -> ComponentType:
        dynamics, take = self.dynamics, self.take
        return ComponentType(
            take.need("name"),
            take.text("extends"),
            take.text("description"),
            parameters=self.parameters,
            defaults=self.defaults,
            constants=self.constants,
            derived_parameters=tuple(self.derived_parameters),
            exposed=dynamics.exposed,
            ports=self.ports,
            texts=tuple(self.texts),
            **self.named,
            states=dynamics.states,
            derived=tuple(dynamics.derived),
            derivatives=dynamics.derivatives,
            on_start=tuple(dynamics.on_start),
            conditions=tuple(dynamics.conditions),
            events=tuple(dynamics.events),
            regimes=tuple(dynamics.regimes),
            kinetic_schemes=tuple(dynamics.kinetic_schemes),
            structure=self.structure,
            where=take.where,
        )

    def _named(self, part: Take, into: dict[str, str], what: str) -> None:
        into[part.need("name")] = part.text(what, "none" if what == "dimension" else "")
        for name in ("min", "max", "local", "dimension"):
            part.text(name)
        _done(part)

    def _parameter(self, part: Take) -> None:
        name = part.need("name")
        self.parameters[name] = self._dimension(part)
        _done(part)

    def _property(self, part: Take) -> None:
        name = part.need("name")
        dimension = self.parameters[name] = self._dimension(part)
        value = part.text("defaultValue")
        if value:
            self.defaults[name] = self.context.quantities.coherent(value, dimension, part.where)
        _done(part)

    def _constant(self, part: Take) -> None:
        name, dimension = part.need("name"), self._dimension(part)
        value = self.context.quantities.coherent(part.need("value"), dimension, part.where)
        self.constants[name] = (dimension, value)
        _done(part)

    def _fixed(self, part: Take) -> None:
        """The parameter is declared by what the type extends."""
        name = part.need("parameter")
        self.defaults[name] = self.context.quantities.coherent(part.need("value"), None, part.where)
        _done(part)

    def _port(self, part: Take) -> None:
        name, direction = part.need("name"), part.need("direction")
        if direction not in ("in", "out"):
            raise ReadError(f"the direction of an event port is in or out, not {direction!r}", where=part.where)
        self.ports[name] = direction
        _done(part)

    def _derived_parameter(self, part: Take) -> None:
        self.derived_parameters.append(_derived(part))

    def _dimension(self, part: Take) -> str:
        dimension = part.text("dimension", "none")
        if dimension != "*":
            self.context.quantities.exponents(dimension, part.where)
        return dimension

    _rows: Mapping[str, Callable[[_Type, Take], None]] = {
        "Parameter": _parameter,
        "Property": _property,
        "Constant": _constant,
        "Fixed": _fixed,
        "EventPort": _port,
        "DerivedParameter": _derived_parameter,
    }


class _Dynamics:
    """The equations of a type, or of one of its regimes."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.exposed: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.derived: list[Derived] = []
        self.derivatives: dict[str, Expression] = {}
        self.on_start: list[Assignment] = []
        self.conditions: list[OnCondition] = []
        self.events: list[OnEvent] = []
        self.regimes: list[Regime] = []
        self.kinetic_schemes: list[KineticScheme] = []

    def read(self, take: Take) -> None:
        for child in take.children("StateVariable"):
            part = Take(child, self.context)
            name = part.need("name")
            self.states[name] = part.text("dimension", "none")
            self._expose(part, name)
            _done(part)
        for child in take.children("DerivedVariable", "ConditionalDerivedVariable"):
            part = Take(child, self.context)
            self._expose(part, part.element.attributes.get("name", ""))
            self.derived.append(_derived(part))
        for child in take.children("OnStart"):
            for action in _actions(Take(child, self.context)):
                if not isinstance(action, Assignment):
                    raise ReadError("<OnStart> can only assign", where=child.where)
                self.on_start.append(action)
        self._changes(take)
        for child in take.children("Regime"):
            self.regimes.append(self._regime(Take(child, self.context)))
        for child in take.children("KineticScheme"):
            self.kinetic_schemes.append(_scheme(Take(child, self.context)))
        take.rest()

    def _changes(self, take: Take) -> None:
        for child in take.children("TimeDerivative"):
            part = Take(child, self.context)
            self.derivatives[part.need("variable")] = _expression(part, "value")
            _done(part)
        for child in take.children("OnCondition"):
            part = Take(child, self.context)
            self.conditions.append(OnCondition(_expression(part, "test"), _actions(part)))
        for child in take.children("OnEvent"):
            part = Take(child, self.context)
            self.events.append(OnEvent(part.need("port"), _actions(part)))

    def _regime(self, take: Take) -> Regime:
        inner = _Dynamics(self.context)
        name, initial = take.need("name"), take.text("initial", "false") == "true"
        entry = [action for child in take.children("OnEntry") for action in _actions(Take(child, self.context))]
        inner._changes(take)
        take.rest()
        return Regime(name, initial, tuple(entry), inner.derivatives, tuple(inner.conditions), tuple(inner.events))

    def _expose(self, part: Take, name: str) -> None:
        exposure = part.text("exposure")
        if exposure and exposure != name:
            self.exposed[exposure] = name


def _derived(part: Take) -> Derived:
    """A derived variable or parameter, with or without conditions, or a selection among children."""
    name, dimension = part.need("name"), part.text("dimension", "none")
    select, reduce = part.text("select"), part.text("reduce")
    # ``required``: whether the selection must find something, which the structure of the component decides.
    part.text("required")
    cases: tuple[Case, ...] = ()
    if not select:
        if part.element.tag == "ConditionalDerivedVariable":
            cases = tuple(_case(Take(child, part.context)) for child in part.children("Case"))
        else:
            cases = (Case(_expression(part, "value")),)
    _done(part)
    return Derived(name, dimension, cases, select, reduce)


def _case(part: Take) -> Case:
    condition = part.text("condition")
    value = _expression(part, "value")
    _done(part)
    return Case(value, parse(condition, where=part.where) if condition else None)


def _expression(part: Take, name: str) -> Expression:
    return parse(part.need(name), where=part.where)


def _actions(take: Take) -> tuple[Action, ...]:
    """What happens on an event, in order."""
    made: list[Action] = []
    for child in take.children("StateAssignment", "EventOut", "Transition"):
        part = Take(child, take.context)
        if child.tag == "StateAssignment":
            made.append(Assignment(part.need("variable"), _expression(part, "value")))
        elif child.tag == "EventOut":
            made.append(Emit(part.need("port")))
        else:
            made.append(Transition(part.need("regime")))
        _done(part)
    take.rest()
    return tuple(made)


def _scheme(part: Take) -> KineticScheme:
    keys = ("name", "nodes", "edges", "stateVariable", "edgeSource", "edgeTarget", "forwardRate", "reverseRate")
    made = KineticScheme(*(part.need(key) for key in keys))
    # Rates that depend on the sum of others have no place.
    _done(part)
    return made


def _constructions(take: Take) -> tuple[Construction, ...]:
    """The steps of a ``<Structure>``, or inside one of them, as they are stated."""
    made: list[Construction] = []
    for child in take.children():
        part = Take(child, take.context)
        made.append(Construction(child.tag, tuple(part.attributes().items()), _constructions(part)))
    take.rest()
    return tuple(made)


def _done(part: Take) -> None:
    """Descriptions are for people; everything else that is left is reported."""
    part.text("description")
    part.text("symbol")
    part.rest()
