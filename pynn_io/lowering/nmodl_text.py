"""The text of a mechanism: the blocks of NMODL from one flat system of equations.

What changes with the state of the membrane is a LOCAL of the block that needs it; what follows from parameters and
temperature alone is worked out once, in INITIAL. Conditions on potentials are WATCHed and conditions on time are events
that a mechanism sends itself, so that nothing is looked at in vain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Action, Assignment, Derived, Dynamics, Emit, OnCondition, Regime, Transition
from pynn_io.graph.expressions import NMODL, Expression, parse, render
from pynn_io.lowering.systems import uses

#: Words that mean something in NMODL or hoc; a variable of that name gets an underscore.
_RESERVED = frozenset(
    {"t", "dt", "v", "celsius", "area", "diam", "secondorder", "exp", "log", "log10", "sqrt", "sin", "cos", "tan"}
    | {"fabs", "pow", "min", "max", "if", "else", "while", "for", "forall", "return", "flag", "rng", "nseg", "cm"}
)
#: dimension -> unit of the coherent system as NMODL writes it.
_UNITS = {
    "time": "ms",
    "per_time": "/ms",
    "voltage": "mV",
    "per_voltage": "/mV",
    "conductance": "uS",
    "conductanceDensity": "uS/um2",
    "capacitance": "nF",
    "specificCapacitance": "nF/um2",
    "resistance": "megohm",
    "current": "nA",
    "currentDensity": "nA/um2",
    "length": "um",
    "area": "um2",
    "volume": "um3",
    "concentration": "mM",
    "temperature": "K",
    "permeability": "um/ms",
}
#: How hard the potential of a cell is held that rests or has its own, as a multiple of its capacitance, uS/nF.
HOLD = 1e6
_STATIC, _TIME, _WATCH = "static", "time", "watch"


@dataclass(slots=True)
class Blocks:
    """What a kind of mechanism adds to the equations.

    head: of the NEURON block. currents: statements at the end of BREAKPOINT. always: before any equation. initial: at
    the start of INITIAL. after: whenever the states have changed. aliases: what NEURON calls a variable. given:
    variables that ``always`` or somebody else sets. units, assigned: of names that are not in the equations. weighted:
    events come with a weight. membrane: the potential is the system's state ``v``.
    """

    title: str
    head: list[str]
    artificial: bool = False
    membrane: bool = False
    weighted: bool = False
    currents: list[str] = field(default_factory=list)
    always: list[str] = field(default_factory=list)
    initial: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """records: variable of the equations -> RANGE variable. names: parameter -> its name in the text."""

    text: str
    records: Mapping[str, str]
    names: Mapping[str, str]
    random: bool


@dataclass(frozen=True, slots=True)
class _Armed:
    """A condition with the number of its event. kind: `_TIME` (at the time ``when``) or `_WATCH` (``when`` turns > 0).

    regime: index of the regime that it belongs to; -1: always.
    """

    flag: int
    kind: str
    when: Expression
    condition: OnCondition
    regime: int


def text_of(system: Dynamics, blocks: Blocks) -> Text:
    """The whole text. Raises UnsupportedInput for what NMODL has no words for."""
    return _Writer(system, blocks).text()


class _Writer:
    def __init__(self, system: Dynamics, blocks: Blocks) -> None:
        self._blocks = blocks
        self._system = system
        names = [*system.parameters, *system.states, *(each.name for each in system.derived)]
        names += [each.name for each in system.derived_parameters]
        self._names = {name: _name(name) for name in names}
        self._names |= {"t": "t", **blocks.aliases}
        if "v" not in {each.name for each in system.derived}:  # else it is a variable of the cell's own
            self._names["v"] = "v"
        self._states = [name for name in system.states if not (name == "v" and blocks.membrane)]
        self._random = False
        self._static = self._find_static()
        self._regimes = {each.name: number for number, each in enumerate(system.regimes)}
        self._armed = self._arm_all()
        self._rated = self._rates()
        self._shown = [each for each in system.derived if self._is_shown(each.name)]

    # --- the text -------------------------------------------------------------------------------------------------

    def text(self) -> Text:
        blocks = self._blocks
        body = [*self._initial(), *self._breakpoint(), *self._derivative(), *self._kinetic(), *self._net_receive()]
        lines = [f"TITLE {blocks.title}", "", ": Written by pynn_io. Units inside: ms, mV, nA, nF, uS, um, mM.", ""]
        lines += [*self._neuron(), *_UNIT_BLOCK, *self._parameters(), *self._assigned(), *self._state_block(), *body]
        records = {name: self._names[name] for name in [*self._states, *(each.name for each in self._shown)]}
        own = {name: self._names[name] for name in self._system.parameters}
        return Text("\n".join(lines).rstrip() + "\n", records, own, self._random)

    def _neuron(self) -> Iterator[str]:
        blocks = self._blocks
        yield "NEURON {"
        yield from (f"    {line}" for line in blocks.head)
        ranges = [*(self._names[name] for name in self._system.parameters), *blocks.ranges]
        ranges += [self._names[each.name] for each in self._shown]
        ranges += [self._names[name] for name in self._kept()]
        yield from (f"    RANGE {', '.join(part)}" for part in _pieces(list(dict.fromkeys(ranges))))
        hidden = [name for name in self._hidden() if name not in ranges]
        yield from (f"    RANGE {', '.join(part)}" for part in _pieces(hidden))
        if self._random:
            yield "    RANDOM rng"
        yield "    THREADSAFE"
        yield "}"
        yield ""

    def _hidden(self) -> list[str]:
        """What has to be kept from one block to another, and is of no interest to anybody else."""
        blocks = self._blocks
        names = [self._names[each.name] for each in (*self._system.derived_parameters, *self._static)]
        ions = {name for line in blocks.head for name in line.replace(",", " ").split() if line.startswith("USEION")}
        names += [name for name in blocks.assigned if name not in {*ions, "area", "i", "i_out"}]
        if "i" in blocks.assigned or "i_out" in blocks.assigned:
            names.append("i_out" if "i_out" in blocks.assigned else "i")
        names += ["regime"] if self._regimes else []
        names += ["v_hold"] if self._holds() else []
        names += ["rate_v"] if blocks.membrane else []
        return list(dict.fromkeys(names))

    def _parameters(self) -> Iterator[str]:
        yield "PARAMETER {"
        for name in self._system.parameters:
            yield f"    {self._names[name]} = 0{self._unit(name)}"
        yield "}"
        yield ""

    def _assigned(self) -> Iterator[str]:
        blocks = self._blocks
        names: dict[str, str] = {}
        if not blocks.artificial:
            names["v"] = " (mV)"
        if self._uses_temperature():
            names["celsius"] = " (degC)"
        for each in (*self._system.derived_parameters, *self._static, *self._shown):
            names[self._names[each.name]] = self._unit(each.name)
        for name, unit in blocks.assigned.items():
            names[name] = f" ({unit})" if unit else ""
        if self._regimes:
            names["regime"] = ""
        if self._holds():
            names["v_hold"] = " (mV)"
        if blocks.membrane:
            names["rate_v"] = " (mV/ms)"
        if any(each.kind == _WATCH for each in self._armed):
            names["dt"] = " (ms)"
        names |= {self._names[name]: self._unit(name) for name in self._kept()}
        yield "ASSIGNED {"
        yield from (f"    {name}{unit}" for name, unit in names.items())
        yield "}"
        yield ""

    def _state_block(self) -> Iterator[str]:
        if not self._integrated():
            return
        yield "STATE {"
        yield from (f"    {self._names[name]}{self._unit(name)}" for name in self._integrated())
        yield "}"
        yield ""

    def _unit(self, name: str) -> str:
        unit = self._blocks.units.get(name) or _UNITS.get(self._system.dimensions.get(name, ""), "")
        return f" ({unit})" if unit else ""

    # --- what is worked out when --------------------------------------------------------------------------------------

    def _find_static(self) -> tuple[Derived, ...]:
        """Derived variables of parameters and temperature alone."""
        known = {*self._system.parameters, *(each.name for each in self._system.derived_parameters), "temperature"}
        known.add("condDensity")
        found = []
        for each in self._system.derived:
            if uses(each) <= known and not _is_random(each):
                known.add(each.name)
                found.append(each)
        return tuple(found)

    def _is_shown(self, name: str) -> bool:
        static = {each.name for each in self._static}
        return name not in static and (name in self._system.gives or name.rpartition("_")[2] in _RECORDABLE)

    def _rates(self) -> dict[str, Expression]:
        """Derivatives of the states that the mechanism integrates; those of regimes weighed by which one it is."""
        system = self._system
        found = {name: value for name, value in system.derivatives.items() if name in self._states}
        for name in self._states:
            stated = {each.name: each.derivatives[name] for each in system.regimes if name in each.derivatives}
            if not stated:
                continue
            if len(set(stated.values())) == 1 and len(stated) == len(system.regimes):
                found[name] = next(iter(stated.values()))
                continue
            parts = [f"H(0.25 - (regime - {self._regimes[key]})^2) * ({value.text})" for key, value in stated.items()]
            found[name] = parse(" + ".join(parts))
        return found

    def _integrated(self) -> list[str]:
        """The states that NEURON integrates; a cell without a membrane has none."""
        moving = {*self._rated, *(name for scheme in self._system.kinetics for name in scheme.states)}
        return [] if self._blocks.artificial else [name for name in self._states if name in moving]

    def _kept(self) -> list[str]:
        """The states that change by actions alone."""
        integrated = self._integrated()
        return [name for name in self._states if name not in integrated]

    def _holds(self) -> bool:
        """Whether the potential stands still in some regime."""
        return self._blocks.membrane and any("v" not in each.derivatives for each in self._system.regimes)

    def _closure(self, names: Iterable[str]) -> list[Derived]:
        """The derived variables that must be worked out for these names, in order, without the static ones."""
        static = {each.name for each in self._static}
        wanted = set(names)
        found = []
        for each in reversed(self._system.derived):
            if each.name in wanted and each.name not in static:
                found.append(each)
                wanted |= uses(each)
        return found[::-1]

    # --- blocks -------------------------------------------------------------------------------------------------------

    def _initial(self) -> Iterator[str]:
        blocks, system = self._blocks, self._system
        lines = [*blocks.initial]
        for each in (*system.derived_parameters, *self._static):
            lines += self._derive(each)
        lines += blocks.always
        started = [each for each in system.on_start if each.variable in self._states]
        local = self._closure(set().union(*(each.value.names for each in started)))
        kept = {each.name for each in self._shown}
        begun = {each.variable for each in started}
        lines += [f"{self._names[name]} = 0" for name in self._states if name not in begun]
        for each in local:
            lines += self._derive(each)
        lines += [self._assign(each) for each in started]
        lines += [f"SOLVE {_name(each.name)}_kinetics STEADYSTATE sparse" for each in system.kinetics]
        lines += blocks.after
        initial = next((number for number, each in enumerate(system.regimes) if each.initial), 0)
        if self._regimes:
            lines.append(f"regime = {initial}")
        if self._holds():
            lines.append("v_hold = v")
        driving, about = self._drive()
        lines += driving
        lines += [self._send(each) for each in self._armed if each.kind == _TIME and each.regime in (-1, initial)]
        if any(each.kind == _WATCH for each in self._armed):
            lines.append("net_send(0, 1)")
        yield from self._block("INITIAL", lines, [each for each in (*local, *about) if each.name not in kept])

    def _breakpoint(self) -> Iterator[str]:
        blocks = self._blocks
        if blocks.artificial:
            return
        lines: list[str] = []
        if self._rated:
            lines.append(f"SOLVE states METHOD {self._method()}")
        elif blocks.membrane:
            lines.append("SOLVE states")
        lines += [f"SOLVE {_name(each.name)}_kinetics METHOD sparse" for each in self._system.kinetics]
        if not blocks.after:
            lines += blocks.always
        # What an ion gets must be set where states are solved, or nocmodl does not see that it is set at all.
        clipped, early = ([], []) if blocks.membrane or blocks.after else self._clip()
        for each in early:
            lines += self._derive(each)
        lines += clipped
        local = self._closure({each.name for each in self._shown} | {"i", "iDensity"})
        for each in local:
            if each not in early:
                lines += self._derive(each)
        lines += self._membrane() if blocks.membrane else blocks.currents
        shown = {each.name for each in self._shown}
        if lines:
            yield from self._block("BREAKPOINT", lines, [each for each in (*early, *local) if each.name not in shown])

    def _clip(self) -> tuple[list[str], list[Derived]]:
        """Conditions of a mechanism that send no events hold at every moment; and what has to be known for them."""
        lines: list[str] = []
        names: set[str] = set()
        for each in self._system.conditions:
            if not self._is_event(each):
                assigned = [one for one in each.actions if isinstance(one, Assignment)]
                names |= each.test.names.union(*(one.value.names for one in assigned))
                lines.append(f"if ({self._print(each.test)}) {{ {' '.join(self._assign(one) for one in assigned)} }}")
        return lines, self._closure(names)

    def _membrane(self) -> Iterator[str]:
        """The current that moves the potential by ``rate_v`` a ms, or holds it where it stands still.

        The rate is that of the step before: near a spike of a cell that runs away, an implicit step would turn round.
        """
        moving = "i_out = -capacitance * rate_v"
        if not self._system.regimes:
            yield moving
        for each in self._system.regimes:
            held = self._rate_of(each) is None
            current = f"i_out = capacitance * {HOLD:g} * (v - v_hold)" if held else moving
            yield f"if (regime == {self._regimes[each.name]}) {{ {current} }}"

    def _rate_of(self, regime: Regime | None) -> Expression | None:
        own = regime.derivatives.get("v") if regime is not None else None
        return own or self._system.derivatives.get("v")

    def _drive(self) -> tuple[list[str], list[Derived]]:
        """Statements that work out ``rate_v``, and the derived variables that they are about."""
        if not self._blocks.membrane:
            return [], []
        regimes: list[Regime | None] = [*self._system.regimes] or [None]
        stated = [(each, rate) for each in regimes if (rate := self._rate_of(each)) is not None]
        local = self._closure(set().union(*(rate.names for _, rate in stated)))
        lines = [line for each in local for line in self._derive(each)]
        for each, rate in stated:
            line = f"rate_v = {self._print(rate)}"
            lines.append(line if each is None else f"if (regime == {self._regimes[each.name]}) {{ {line} }}")
        return lines, local

    def _derivative(self) -> Iterator[str]:
        if self._blocks.artificial or not (self._rated or self._blocks.membrane):
            return
        driving, about = self._drive()
        local = self._closure(set().union(*(value.names for value in self._rated.values())))
        lines = [*self._blocks.always]
        for each in local:
            lines += self._derive(each)
        lines += [f"{self._names[name]}' = {self._print(value)}" for name, value in self._rated.items()]
        if self._blocks.after:
            lines += [*self._clip()[0], *self._blocks.after]
        lines += driving
        shown = {each.name for each in self._shown}
        head = "DERIVATIVE states" if self._rated else "PROCEDURE states()"
        yield from self._block(head, lines, [each for each in (*local, *about) if each.name not in shown])

    def _method(self) -> str:
        """``cnexp`` where every state relaxes by itself, linearly; else ``derivimplicit``."""
        derived = {each.name: each for each in self._system.derived}
        for name, value in self._rated.items():
            others = self._reached(value, derived) & set(self._rated)
            if others - {name} or not _is_linear(value, name, derived):
                return "derivimplicit"
        return "cnexp"

    def _reached(self, value: Expression, derived: Mapping[str, Derived]) -> set[str]:
        """The states that an expression depends on."""
        found: set[str] = set()
        waiting = list(value.names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            if name in derived:
                waiting += uses(derived[name])
        return found

    def _kinetic(self) -> Iterator[str]:
        for scheme in self._system.kinetics:
            rates = {rate for edge in scheme.edges for rate in edge[2:]}
            local = self._closure(rates)
            lines = [line for each in local for line in self._derive(each)]
            for source, target, forward, reverse in scheme.edges:
                ends = f"{self._names[source]} <-> {self._names[target]}"
                lines.append(f"~ {ends} ({self._names[forward]}, {self._names[reverse]})")
            lines.append(f"CONSERVE {' + '.join(self._names[name] for name in scheme.states)} = 1")
            shown = {each.name for each in self._shown}
            hidden = [each for each in local if each.name not in shown]
            yield from self._block(f"KINETIC {_name(scheme.name)}_kinetics", lines, hidden)

    # --- events -------------------------------------------------------------------------------------------------------

    def _is_event(self, condition: OnCondition) -> bool:
        return any(not isinstance(action, Assignment) for action in condition.actions) or "t" in condition.test.names

    def _arm_all(self) -> tuple[_Armed, ...]:
        """Every condition that is an event, numbered from 2 on."""
        found: list[_Armed] = []
        groups = [(-1, self._system.conditions)]
        groups += [(number, each.conditions) for number, each in enumerate(self._system.regimes)]
        for regime, conditions in groups:
            for each in conditions:
                if self._is_event(each) or self._blocks.membrane:
                    kind, when = _trigger(each.test, set(self._system.states) | {"v"})
                    found.append(_Armed(len(found) + 2, kind, when, each, regime))
        return tuple(found)

    def _send(self, armed: _Armed) -> str:
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
        watched = any(each.kind == _WATCH for each in self._armed)
        for armed in self._armed:
            inside = list(self._acts(armed.condition.actions, local))
            if self._blocks.membrane:
                driving, about = self._drive()
                inside += driving
                local |= {each.name: each for each in about}
            if armed.kind == _TIME and armed.regime < 0:
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

    def _guard(self, armed: _Armed) -> str:
        """What must hold besides the condition's own trigger."""
        parts = [f"regime == {armed.regime}"] if armed.regime >= 0 else []
        if armed.kind == _WATCH:
            parts.append(self._print(armed.condition.test))
        return " && ".join(parts)

    def _watches(self) -> Iterator[str]:
        for armed in self._armed:
            if armed.kind != _WATCH:
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
        yield from (self._send(each) for each in self._armed if each.kind == _TIME and each.regime == number)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _derive(self, each: Derived) -> Iterator[str]:
        name = self._names[each.name]
        if each.value is not None:
            yield f"{name} = {self._print(each.value)}"
            return
        word = "if"
        for case in each.cases:
            head = f"{word} ({self._print(case.condition)})" if case.condition is not None else "else"
            yield f"{head} {{ {name} = {self._print(case.value)} }}"
            word = "else if"

    def _assign(self, each: Assignment) -> str:
        return f"{self._names.get(each.variable, each.variable)} = {self._print(each.value)}"

    def _print(self, expression: Expression) -> str:
        language = replace(
            NMODL,
            functions={**NMODL.functions, "random": self._draw, "min": _minimum, "max": _maximum, "tan": _tangent},
            name=self._reference,
            number=_number,
        )
        made = render(_products(expression.simplified()), language)
        if "factorial" in made:
            raise UnsupportedInput("NMODL has no factorial")
        return made

    def _reference(self, name: str) -> str:
        if name == "temperature":
            return "(celsius + 273.15)"
        return self._names.get(name, name)

    def _draw(self, argument: str) -> str:
        self._random = True
        return "random_uniform(rng)" if argument == "1" else f"({argument}) * random_uniform(rng)"

    def _uses_temperature(self) -> bool:
        return "temperature" in self._system.needs

    def _block(self, head: str, lines: Sequence[str], local: Iterable[Derived]) -> Iterator[str]:
        yield f"{head} {{"
        names = [self._names[each.name] for each in local]
        if names:
            yield f"    LOCAL {', '.join(dict.fromkeys(names))}"  # NMODL takes one such statement a block
        yield from (f"    {line}" for line in lines)
        yield "}"
        yield ""


#: Last words of the variables that can be recorded.
_RECORDABLE = frozenset(
    {"fopen", "g", "q", "fcond", "blockFactor", "plasticityFactor", "erev", "iDensity", "gDensity", "i"}
)
_UNIT_BLOCK = (
    "UNITS {",
    "    (mV) = (millivolt)",
    "    (nA) = (nanoamp)",
    "    (mA) = (milliamp)",
    "    (uS) = (microsiemens)",
    "    (S) = (siemens)",
    "    (nF) = (nanofarad)",
    "    (um) = (micron)",
    "    (um2) = (micron2)",
    "    (um3) = (micron3)",
    "    (molar) = (1/liter)",
    "    (mM) = (millimolar)",
    "}",
    "",
)


def _name(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _pieces(names: list[str], size: int = 8) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _number(value: float) -> str:
    return repr(value)


def _minimum(a: str, b: str) -> str:
    return f"((({a}) < ({b})) * ({a}) + (({a}) >= ({b})) * ({b}))"


def _maximum(a: str, b: str) -> str:
    return f"((({a}) > ({b})) * ({a}) + (({a}) <= ({b})) * ({b}))"


def _tangent(a: str) -> str:
    return f"(sin({a}) / cos({a}))"


def _is_random(each: Derived) -> bool:
    return any("random(" in case.value.text for case in each.cases)


class _Products(ast.NodeTransformer):
    """Small powers of a variable as products, which cost a fraction of a call of pow."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        if isinstance(node.op, ast.Pow) and isinstance(node.left, ast.Name) and power in (2, 3, 4, 5, 6):
            product = " * ".join([node.left.id] * int(power))  # type: ignore[arg-type]
            return ast.parse(product, mode="eval").body
        return node


def _products(expression: Expression) -> Expression:
    return Expression(ast.unparse(_Products().visit(ast.parse(expression.text, mode="eval")).body))


def _is_linear(value: Expression, name: str, derived: Mapping[str, Derived]) -> bool:
    """Whether an expression is linear in a variable, as nocmodl's ``cnexp`` wants it: openly, not by way of others."""
    hidden = {other for other in value.names if other in derived and _depends(other, name, derived)}
    return not hidden and _degree(value.tree, name) <= 1


def _depends(other: str, name: str, derived: Mapping[str, Derived]) -> bool:
    return any(each == name or (each in derived and _depends(each, name, derived)) for each in uses(derived[other]))


def _degree(node: ast.AST, name: str) -> float:
    """The degree of a polynomial in a variable; infinite where it is none."""
    if isinstance(node, ast.Name):
        return 1.0 if node.id == name else 0.0
    if isinstance(node, ast.UnaryOp):
        return _degree(node.operand, name)
    if isinstance(node, ast.BinOp):
        left, right = _degree(node.left, name), _degree(node.right, name)
        if isinstance(node.op, ast.Add | ast.Sub):
            return max(left, right)
        if isinstance(node.op, ast.Mult):
            return left + right
        if isinstance(node.op, ast.Div) and right == 0:
            return left
    if not any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node)):
        return 0.0
    return float("inf")


def _branch(flag: int, inside: Iterable[str]) -> Iterator[str]:
    yield f"if (flag == {flag}) {{"
    yield from (f"    {line}" for line in inside)
    yield "}"


# --- conditions ---------------------------------------------------------------------------------------------------


def _terms(test: Expression) -> list[ast.expr]:
    """The comparisons of a conjunction. Raises UnsupportedInput for another logic."""
    tree = test.tree
    terms = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    if not all(isinstance(each, ast.Compare) and len(each.ops) == 1 for each in terms):
        raise UnsupportedInput(f"NEURON cannot watch the condition {test}")
    return list(terms)


def _trigger(test: Expression, states: set[str]) -> tuple[str, Expression]:
    """How a condition comes true: at a time (``when``), or when a comparison of states does (``when``)."""
    for each in _terms(test):
        if isinstance(each, ast.Compare) and _mentions(each, {"t"}):
            return _TIME, _moment(each, test)
    ordered = [each for each in _terms(test) if isinstance(each, ast.Compare) and not isinstance(each.ops[0], ast.Eq)]
    found = next((each for each in ordered if _mentions(each, {"v"})), None)
    found = found or next((each for each in ordered if _mentions(each, states)), None)
    if found is None:
        raise UnsupportedInput(f"NEURON cannot watch the condition {test}")
    return _WATCH, Expression(ast.unparse(found))


def _moment(comparison: ast.Compare, test: Expression) -> Expression:
    """The time from which on a comparison with ``t`` holds: ``t > x``, or ``x - t < y``."""
    left, right = comparison.left, comparison.comparators[0]
    later = isinstance(comparison.ops[0], ast.Gt | ast.GtE)
    if later and isinstance(left, ast.Name) and left.id == "t" and not _mentions(right, {"t"}):
        return Expression(ast.unparse(right))
    difference = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub)
    if difference and not later and isinstance(left.right, ast.Name) and left.right.id == "t":  # type: ignore[attr-defined]
        return Expression(f"{ast.unparse(left.left)} - ({ast.unparse(right)})")  # type: ignore[attr-defined]
    raise UnsupportedInput(f"NEURON cannot work out when the condition {test} comes true")


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))
