"""Equations of NMODL as component types of LEMS.

NMODL's numbers have the units that a file says or does not say; LEMS checks dimensions. So everything in between is
a plain number in the mechanism's own units, and what comes in and goes out is divided and multiplied by constants
(``MILLIVOLT`` ...). Parameters of the mechanism are constants of the type: one with other values is another type.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Assignment, Case, ComponentType, Derived, OnEvent
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.importers.nmodl_forms import Values, closure
from pynn_io.importers.nmodl_system import uses_of

_UNITS: Mapping[str, tuple[str, float]] = {
    "MILLIVOLT": ("voltage", 1.0),
    "MILLISECOND": ("time", 1.0),
    "MILLIMOLAR": ("concentration", 1.0),
    "KELVIN": ("temperature", 1.0),
    "NANOAMP": ("current", 1.0),
    "SQUARE_MICRON": ("area", 1.0),
}
#: 1 nA/um2 in mA/cm2, the unit of NEURON's currents; these flow outwards, NeuroML's inwards.
_DENSITY = 100.0
_MOST_CASES = 16


@dataclass(frozen=True, slots=True)
class _Given:
    """How a name that NEURON gives is computed. needs: requirement -> dimension."""

    name: str
    value: str
    needs: Mapping[str, str] = field(default_factory=dict)


_GIVEN: Mapping[str, _Given] = {
    "v": _Given("V", "v / MILLIVOLT", {"v": "voltage"}),
    "celsius": _Given("celsius", "temperature / KELVIN - 273.15", {"temperature": "temperature"}),
    "cai": _Given("ca_inside", "caConc / MILLIMOLAR", {"caConc": "concentration"}),
    "cao": _Given("ca_outside", "caConcExt / MILLIMOLAR", {"caConcExt": "concentration"}),
    "area": _Given("square_microns", "surfaceArea / SQUARE_MICRON", {"surfaceArea": "area"}),
    "t": _Given("milliseconds", "t / MILLISECOND"),
    "ica": _Given(
        "ca_current",
        f"-{_DENSITY} * (iCa / NANOAMP) / (surfaceArea / SQUARE_MICRON)",
        {"iCa": "current", "surfaceArea": "area"},
    ),
}
#: Names that the core types use, LEMS itself, or jLEMS as functions.
_RESERVED = frozenset(
    {
        *("v", "V", "t", "i", "g", "q", "r", "x", "e", "id", "fopen", "fcond", "tau", "inf", "alpha", "beta", "rate"),
        *("scale", "midpoint", "conductance", "instances", "temperature", "caConc", "caConcExt", "surfaceArea", "iCa"),
        *("rf", "rr", "weight", "concentration", "extConcentration", "milliseconds", "name", "type", "factor"),
        *("occupancy", "H", "random", "sum", "product", "ln", "factorial", "ceil", "exp", "log", "sqrt", "abs", "sin"),
        *("cos", "tan", "sinh", "cosh", "tanh"),
        *_UNITS,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a type gives: exposure ``name`` of ``dimension``, as ``form`` with the number in place of ``{}``."""

    name: str
    dimension: str
    form: str = "{}"
    value: Expression = field(default_factory=lambda: parse("0"))


TIME, PER_TIME, CURRENT = "({}) * MILLISECOND", "({}) / MILLISECOND", "-({}) * NANOAMP"


@dataclass(frozen=True, slots=True)
class Moving:
    """The states of a type: rates (number per ms), starts, and what an event does to them."""

    rates: Mapping[str, Expression] = field(default_factory=dict)
    start: Mapping[str, Expression] = field(default_factory=dict)
    received: tuple[Assignment, ...] = ()
    weight: str = ""
    frozen: Mapping[str, Expression] = field(default_factory=dict)


def own_type(
    name: str, extends: str, outcomes: Iterable[Outcome], values: Values, moving: Moving | None = None, about: str = ""
) -> ComponentType:
    """The type of these outcomes. Raises UnsupportedInput for a name that NeuroML does not give to it."""
    return _Type(name, extends, list(outcomes), values, moving or Moving(), about).made()


@dataclass(slots=True)
class _Type:
    name: str
    extends: str
    outcomes: list[Outcome]
    values: Values
    moving: Moving
    about: str

    def made(self) -> ComponentType:
        moving = self.moving
        outcomes = [(each, cases_of(each.value, self.values.derived)) for each in self.outcomes]
        expressions = [part for _, cases in outcomes for case in cases for part in _parts(case)]
        expressions += [*moving.rates.values(), *moving.start.values(), *moving.frozen.values()]
        expressions += [each.value for each in moving.received]
        names = uses_of(expressions, self.values.derived)
        frozen = {f"{name}_at_start": value for name, value in moving.frozen.items()}
        states = [*dict.fromkeys([*moving.rates, *(name for name in moving.start if name in names)]), *frozen]
        given = {each: self._given(each) for each in sorted(self.values.uses(*expressions) - {*states, moving.weight})}
        own = {*names, *states} - given.keys() - {moving.weight}
        new = {name: self._name(name, own) for name in own}
        new |= {each: found.name for each, found in given.items()}
        if moving.weight:
            new[moving.weight] = "weight"
        derived = [Derived(one.name, "none", (Case(parse(one.value)),)) for one in given.values()]
        derived += [_renamed(each, new) for each in closure(expressions, self.values.derived)]
        derived += [_formed(one, cases, new) for one, cases in outcomes]
        events = [Assignment(new[each.variable], each.value.renamed(new)) for each in moving.received]
        start = [(new[name], value.renamed(new)) for name, value in (*moving.start.items(), *frozen.items())]
        rates = {new[name]: parse(PER_TIME.format(value.renamed(new).text)) for name, value in moving.rates.items()}
        numbers = {
            new[name]: ("none", float(self.values.parameters[name])) for name in sorted(names & self._constants(given))
        }
        found = ComponentType(
            name=self.name,
            extends=self.extends,
            description=self.about,
            constants=numbers,
            parameters={"weight": "none"} if moving.weight else {},
            defaults={"weight": 1.0} if moving.weight else {},
            needs={key: kind for one in given.values() for key, kind in one.needs.items()},
            gives={one.name: one.dimension for one in self.outcomes},
            states={new[name]: "none" for name in states},
            derived=tuple(derived),
            derivatives=rates,
            on_start=tuple(Assignment(name, value) for name, value in start if name in {new[each] for each in states}),
            events=(OnEvent("in", tuple(events)),) if events else (),
        )
        return _with_units(found)

    def _constants(self, given: Mapping[str, _Given]) -> set[str]:
        return self.values.parameters.keys() - given.keys()

    def _name(self, name: str, taken: Set[str]) -> str:
        """The name of a variable; jNeuroML's code for NEURON has ``cai`` and the like of its own."""
        if name in _GIVEN:
            return _GIVEN[name].name
        made = name
        while made in _RESERVED or (made != name and made in taken):
            made += "_"
        return made

    def _given(self, name: str) -> _Given:
        if name not in _GIVEN:
            raise UnsupportedInput(f"{self.name}: it depends on {name}, for which NeuroML has no variable")
        return _GIVEN[name]


def _parts(case: Case) -> list[Expression]:
    return [case.value] if case.condition is None else [case.value, case.condition]


def cases_of(value: Expression, derived: Mapping[str, Derived]) -> tuple[Case, ...]:
    """An expression as cases of expressions that depend on no variable with cases of its own.

    jNeuroML's code for NEURON computes variables with cases after all others of a child, so that none of these may
    depend on one. More than `_MOST_CASES` are left to the variables.
    """
    found = tuple(_split(value, None, derived))
    return found if len(found) <= _MOST_CASES else (Case(value),)


def _split(value: Expression, condition: Expression | None, derived: Mapping[str, Derived]) -> Iterator[Case]:
    value, condition = _plain(value, derived), condition and _plain(condition, derived)
    both = value.names | (condition.names if condition is not None else frozenset())
    name = next((each for each in derived if each in both and derived[each].value is None), None)
    if name is None:
        yield Case(value, condition)
        return
    for case in derived[name].cases:
        new = {name: case.value}
        tests = [each.replaced(new) for each in (condition, case.condition) if each is not None]
        joined = parse(" and ".join(f"({each})" for each in tests)) if tests else None
        yield from _split(value.replaced(new), joined, derived)


def _plain(value: Expression, derived: Mapping[str, Derived]) -> Expression:
    """An expression with those variables put in that depend on one with cases."""
    while True:
        inner = {
            each: found
            for each in value.names
            if each in derived and (found := derived[each].value) is not None and _has_cases(found, derived)
        }
        if not inner:
            return value
        value = value.replaced(inner)


def _has_cases(value: Expression, derived: Mapping[str, Derived]) -> bool:
    return any(derived[name].value is None for name in uses_of([value], derived) if name in derived)


def _renamed(each: Derived, new: Mapping[str, str]) -> Derived:
    return Derived(new[each.name], each.dimension, tuple(_renamed_case(case, new) for case in each.cases))


def _formed(outcome: Outcome, cases: Iterable[Case], new: Mapping[str, str]) -> Derived:
    """What the component gives, in the form and dimension that are expected of it."""
    made = [_renamed_case(each, new) for each in cases]
    formed = [Case(parse(outcome.form.format(each.value.text)), each.condition) for each in made]
    return Derived(outcome.name, outcome.dimension, tuple(formed))


def _renamed_case(case: Case, new: Mapping[str, str]) -> Case:
    value, condition = (
        None if each is None else _without_abs(each.renamed(new)) for each in (case.value, case.condition)
    )
    return Case(value, condition)  # type: ignore[arg-type]


class _Abs(ast.NodeTransformer):
    """``abs(x) < c`` as two comparisons, and ``abs(x)`` elsewhere as a root: NMODL has no ``abs``, and jNeuroML writes
    it as one."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        inside = _inside_abs(node.left)
        if inside is not None and len(node.ops) == 1 and isinstance(node.ops[0], ast.Lt | ast.LtE):
            x, c = ast.unparse(self.visit(inside)), ast.unparse(node.comparators[0])
            sign = "<" if isinstance(node.ops[0], ast.Lt) else "<="
            return ast.parse(f"({x}) {sign} ({c}) and -({x}) {sign} ({c})", mode="eval").body
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(each) for each in node.args]
        inside = _inside_abs(node)
        return node if inside is None else ast.parse(f"sqrt(({ast.unparse(inside)}) ** 2)", mode="eval").body


def _inside_abs(node: ast.AST) -> ast.expr | None:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "abs"
    return node.args[0] if called else None  # type: ignore[attr-defined]


def _without_abs(expression: Expression) -> Expression:
    if "abs(" not in expression.text:
        return expression
    return Expression(ast.unparse(_Abs().visit(ast.parse(expression.text, mode="eval")).body))


def _with_units(found: ComponentType) -> ComponentType:
    """The type with those of the unit constants that it uses."""
    used: set[str] = set()
    for each in found.derived:
        used |= set().union(*(case.value.names for case in each.cases))
    used = used.union(*(value.names for value in found.derivatives.values()))
    units = {name: unit for name, unit in _UNITS.items() if name in used}

    return replace(found, constants={**units, **found.constants})


def pool_type(name: str, state: str, values: Values, moving: Moving, about: str = "") -> ComponentType:
    """A model of an ion's concentration: a state, NEURON's ``cai`` or another, is NeuroML's ``concentration``."""
    made = own_type(name, "concentrationModel", (), values, moving, about)
    number = _GIVEN[state].name if state in _GIVEN else next(each for each in made.states if each.rstrip("_") == state)
    own = made.states.keys() - {number}
    derived = (
        Derived(number, "none", (Case(parse("concentration / MILLIMOLAR")),)),
        *made.derived,
    )
    rates = {key: value for key, value in made.derivatives.items() if key != number}
    rates["concentration"] = parse(f"({made.derivatives[number]}) * MILLIMOLAR")
    start = tuple(each for each in made.on_start if each.variable != number)
    both = ("concentration", "extConcentration")
    initial = ("initialConcentration", "initialExtConcentration")
    return replace(
        made,
        texts=("ion",),
        constants={"MILLIMOLAR": _UNITS["MILLIMOLAR"], **made.constants},
        needs={"surfaceArea": "area", "iCa": "current", **dict.fromkeys(initial, "concentration"), **made.needs},
        gives=dict.fromkeys(both, "concentration"),
        states={**dict.fromkeys(both, "concentration"), **dict.fromkeys(own, "none")},
        derived=derived,
        derivatives=rates,
        on_start=(*(Assignment(state, variable(first)) for state, first in zip(both, initial, strict=True)), *start),
    )
