"""`pynn_io.graph.dynamics.ComponentType` -> ``<ComponentType>`` elements of LEMS (doi:10.3389/fninf.2014.00079)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_units import quantity_text
from pynn_io.graph.dynamics import (
    Action,
    Assignment,
    ComponentType,
    Construction,
    Derived,
    Emit,
    KineticScheme,
    OnCondition,
    OnEvent,
    Regime,
)
from pynn_io.graph.expressions import LEMS, Expression, render

#: Fields that name roles with a type, and their elements.
_ROLES = {
    "references": "ComponentReference",
    "child": "Child",
    "children": "Children",
    "attachments": "Attachments",
}


def type_elements(types: Mapping[str, ComponentType], core: Mapping[str, ComponentType]) -> Iterator[Element]:
    """All types as elements, each after those of them that it extends. core: what types extend besides."""
    done: set[str] = set()

    def put(name: str) -> Iterator[Element]:
        if name in done or name not in types:
            return
        done.add(name)
        yield from put(types[name].extends)
        yield type_element(types[name], {**core, **types})

    for name in types:
        yield from put(name)


def type_element(found: ComponentType, known: Mapping[str, ComponentType]) -> Element:
    """One type. known: it and what it extends, by name, which say what its variables are exposed as."""
    exposed = _exposed(found, known)
    children: list[Element] = []
    for name, dimension in found.parameters.items():
        if name in found.defaults:
            default = quantity_text(found.defaults[name], dimension, schema=False)
            children.append(_row("Property", name, dimension, defaultValue=default))
        else:
            children.append(_row("Parameter", name, dimension))
    children += [_derived(part, {}, "DerivedParameter") for part in found.derived_parameters]
    children += [
        _row("Constant", name, dimension, value=quantity_text(value, dimension, schema=False))
        for name, (dimension, value) in found.constants.items()
    ]
    children += [_row("Exposure", name, dimension) for name, dimension in found.gives.items()]
    children += [_row("Requirement", name, dimension) for name, dimension in found.needs.items()]
    children += [Element("Text", {"name": name}) for name in found.texts]
    for key, tag in _ROLES.items():
        children += [Element(tag, {"name": name, "type": kind}) for name, kind in getattr(found, key).items()]
    children += [Element("EventPort", {"name": name, "direction": way}) for name, way in found.ports.items()]
    for name, value in found.defaults.items():
        if name not in found.parameters:
            text = quantity_text(value, _dimension(found, name, known), schema=False)
            children.append(Element("Fixed", {"parameter": name, "value": text}))
    dynamics = tuple(_dynamics(found, exposed))
    if dynamics:
        children.append(Element("Dynamics", {}, dynamics))
    if found.structure:
        children.append(Element("Structure", {}, tuple(map(_construction, found.structure))))
    attributes = {"name": found.name}
    if found.extends:
        attributes["extends"] = found.extends
    if found.description:
        attributes["description"] = found.description.replace(">", "greater than")
    return Element("ComponentType", attributes, tuple(children))


def _chain(found: ComponentType, known: Mapping[str, ComponentType]) -> Iterator[ComponentType]:
    seen: set[str] = set()
    each: ComponentType | None = found
    while each is not None and each.name not in seen:
        seen.add(each.name)
        yield each
        each = known.get(each.extends)


def _dimension(found: ComponentType, parameter: str, known: Mapping[str, ComponentType]) -> str:
    return next((each.parameters[parameter] for each in _chain(found, known) if parameter in each.parameters), "none")


def _exposed(found: ComponentType, known: Mapping[str, ComponentType]) -> dict[str, str]:
    """variable -> exposure. An exposure of a variable's own name stands for itself, own or inherited."""
    gives = {name for each in _chain(found, known) for name in each.gives}
    names = [*found.states, *(part.name for part in found.derived)]
    renamed = {variable: exposure for exposure, variable in found.exposed.items()}
    return {name: renamed.get(name, name) for name in names if name in renamed or name in gives}


def _row(tag: str, name: str, dimension: str, **more: str) -> Element:
    return Element(tag, {"name": name, "dimension": dimension, **more})


def _dynamics(found: ComponentType, exposed: Mapping[str, str]) -> Iterator[Element]:
    for name, dimension in found.states.items():
        yield _row("StateVariable", name, dimension, **_exposure(name, exposed))
    after = _after_cases(found.derived)
    for part in found.derived:
        yield _derived(part, exposed, "DerivedVariable", cases=part.name in after)
    for scheme in found.kinetic_schemes:
        yield _scheme(scheme)
    yield from _changes(found.derivatives, (), ())
    if found.on_start:
        yield Element("OnStart", {}, tuple(_actions(found.on_start)))
    yield from _changes({}, found.conditions, found.events)
    for regime in found.regimes:
        yield _regime(regime)


def _exposure(name: str, exposed: Mapping[str, str]) -> dict[str, str]:
    return {"exposure": exposed[name]} if name in exposed else {}


def _text(expression: Expression) -> str:
    return render(expression, LEMS)


def _after_cases(derived: Iterable[Derived]) -> set[str]:
    """The variables that depend on one with cases.

    jLEMS checks all plain variables before those with cases, and refuses a type whose events or rates use one that it
    could not check; jNeuroML's code for NEURON computes them in that order. With a single case they keep their place.
    """
    found: set[str] = set()
    for part in derived:
        names = set[str]().union(*(case.value.names for case in part.cases))
        if (part.cases and part.value is None) or names & found:
            found.add(part.name)
    return found


def _derived(part: Derived, exposed: Mapping[str, str], tag: str, *, cases: bool = False) -> Element:
    """cases: write it with cases, even a plain one."""
    more = _exposure(part.name, exposed)
    if part.select:
        more |= {"select": part.select} | ({"reduce": part.reduce} if part.reduce else {})
        return _row(tag, part.name, part.dimension, **more)
    if part.value is not None and not cases:
        return _row(tag, part.name, part.dimension, **more, value=_text(part.value))
    rows = tuple(
        Element(
            "Case",
            {**({} if case.condition is None else {"condition": _text(case.condition)}), "value": _text(case.value)},
        )
        for case in part.cases
    )
    attributes = {"name": part.name, "dimension": part.dimension, **more}
    return Element(f"Conditional{tag}", attributes, rows)


def _changes(
    derivatives: Mapping[str, Expression], conditions: Iterable[OnCondition], events: Iterable[OnEvent]
) -> Iterator[Element]:
    for name, value in derivatives.items():
        yield Element("TimeDerivative", {"variable": name, "value": _text(value)})
    for condition in conditions:
        yield Element("OnCondition", {"test": _text(condition.test)}, tuple(_actions(condition.actions)))
    for event in events:
        yield Element("OnEvent", {"port": event.port}, tuple(_actions(event.actions)))


def _actions(actions: Iterable[Action]) -> Iterator[Element]:
    for action in actions:
        if isinstance(action, Assignment):
            yield Element("StateAssignment", {"variable": action.variable, "value": _text(action.value)})
        elif isinstance(action, Emit):
            yield Element("EventOut", {"port": action.port})
        else:
            yield Element("Transition", {"regime": action.regime})


def _construction(step: Construction) -> Element:
    return Element(step.kind, dict(step.attributes), tuple(map(_construction, step.steps)))


def _regime(regime: Regime) -> Element:
    entry = (Element("OnEntry", {}, tuple(_actions(regime.on_entry))),) if regime.on_entry else ()
    inner = (*entry, *_changes(regime.derivatives, regime.conditions, regime.events))
    return Element("Regime", {"name": regime.name, **({"initial": "true"} if regime.initial else {})}, inner)


def _scheme(scheme: KineticScheme) -> Element:
    return Element(
        "KineticScheme",
        {
            "name": scheme.name,
            "nodes": scheme.nodes,
            "stateVariable": scheme.state,
            "edges": scheme.edges,
            "edgeSource": scheme.source,
            "edgeTarget": scheme.target,
            "forwardRate": scheme.forward,
            "reverseRate": scheme.reverse,
        },
    )
