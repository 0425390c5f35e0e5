"""A flat system of equations in NMODL's words: names, statements, and what is worked out when."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Assignment, Derived, Dynamics, Regime
from pynn_io.graph.expressions import NMODL, Expression, parse, render
from pynn_io.lowering.nmodl_conditions import is_linear
from pynn_io.lowering.systems import uses

#: Words that mean something in NMODL or hoc; a variable of that name gets an underscore.
_RESERVED = frozenset(
    {"t", "dt", "v", "celsius", "area", "diam", "secondorder", "exp", "log", "log10", "sqrt", "sin", "cos", "tan"}
    | {"fabs", "pow", "min", "max", "if", "else", "while", "for", "forall", "return", "flag", "rng", "nseg", "cm"}
)
#: How hard the potential of a cell is held that rests or has its own, as a multiple of its capacitance, uS/nF.
HOLD = 1e6
#: Last words of the variables that can be recorded.
_RECORDABLE = frozenset(
    {"fopen", "g", "q", "fcond", "blockFactor", "plasticityFactor", "erev", "iDensity", "gDensity", "i"}
)


@dataclass(slots=True)
class Blocks:
    """What a kind of mechanism adds to the equations.

    head: of the NEURON block. currents: statements at the end of BREAKPOINT. always: before any equation. initial: at
    the start of INITIAL. after: whenever the states have changed. aliases: what NEURON calls a variable. given:
    variables that ``always`` or somebody else sets. units, assigned: of names that are not in the equations. weighted:
    events come with a weight. cell: the equations are a whole cell's, solved to second order by the mechanism itself.
    membrane: the potential is the system's state ``v``.
    """

    title: str
    head: list[str]
    artificial: bool = False
    cell: bool = False
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


class Equations:
    """The system with what a kind of mechanism adds; the blocks of the text are made of its statements."""

    def __init__(self, system: Dynamics, blocks: Blocks) -> None:
        self._blocks = blocks
        self._system = system
        names = [*system.parameters, *system.states, *(each.name for each in system.derived)]
        names += [each.name for each in system.derived_parameters]
        self._names = {name: safe_name(name) for name in names}
        self._names |= {"t": "t", **blocks.aliases}
        if "v" not in {each.name for each in system.derived}:  # else it is a variable of the cell's own
            self._names["v"] = "v"
        self._states = [name for name in system.states if not (name == "v" and blocks.membrane)]
        self._random = False
        self._static = self._find_static()
        self._regimes = {each.name: number for number, each in enumerate(system.regimes)}
        self._rated = self._rates()
        self._shown = [each for each in system.derived if self._is_shown(each.name)]

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

    def _rate_of(self, regime: Regime | None) -> Expression | None:
        own = regime.derivatives.get("v") if regime is not None else None
        return own or self._system.derivatives.get("v")

    def _method(self) -> str:
        """``cnexp`` where every state relaxes by itself, linearly; else ``derivimplicit``."""
        derived = {each.name: each for each in self._system.derived}
        for name, value in self._rated.items():
            others = self._reached(value) & set(self._rated)
            if others - {name} or not is_linear(value, name, derived):
                return "derivimplicit"
        return "cnexp"

    def _reached(self, value: Expression) -> set[str]:
        """All that an expression depends on."""
        derived = {each.name: each for each in self._system.derived}
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

    def _halved(self) -> Mapping[str, Expression]:
        """The states of a cell that take half of a step with the slope at its start (the trapezoidal rule)."""
        return self._rated if self._blocks.cell and self._method() == "derivimplicit" else {}

    def _from_middle(self) -> bool:
        """Whether states relax exactly for the potential in the middle of the step, whose start the cell keeps."""
        return self._blocks.membrane and bool(self._rated) and not self._halved()

    def _potential_rates(self) -> list[tuple[Regime | None, Expression]]:
        """The derivatives of the potential, each with its regime."""
        if not self._blocks.membrane:
            return []
        regimes: list[Regime | None] = [*self._system.regimes] or [None]
        return [(each, rate) for each in regimes if (rate := self._rate_of(each)) is not None]

    def _moving(self) -> set[str]:
        """All that the slopes of a cell depend on."""
        if not self._slope_names():
            return set()
        rates = [*(rate for _, rate in self._potential_rates()), *self._rated.values()]
        return {"v"}.union(*map(self._reached, rates))

    def _slope_names(self) -> list[str]:
        """What a cell keeps from one step to the next, besides its states."""
        names = ["slope_v", "rate_v"] if self._blocks.membrane else []
        names += ["v_start"] if self._from_middle() else []
        return names + [f"slope_{self._names[name]}" for name in self._halved()]

    def _slopes(self, *, anew: bool) -> tuple[list[str], list[Derived]]:
        """Statements with which a step of a cell ends, and the derived variables that they are about.

        ``rate_v``, at which the potential moves in the next step, is the slope here and half of its change since the
        step before (Adams and Bashforth's second order), which takes no trial step beyond a threshold. ``anew``: after
        a jump, and where the slope turns round, so that a step which is long for the membrane stays as stable as
        Euler's, it is the slope alone: an error of second order too, as there are as many of these however short it is.
        """
        stated, halved = self._potential_rates(), self._halved()
        moving = set().union(*(value.names for value in self._rated.values()))
        shown = {each.name for each in self._closure(moving)} & {each.name for each in self._shown}
        used = set().union(shown, *(rate.names for _, rate in stated), *(value.names for value in halved.values()))
        local = self._closure(used) if stated or halved else []
        lines = [line for each in local for line in self._derive(each)]
        lines += [f"slope_{self._names[name]} = {self._print(value)}" for name, value in halved.items()]
        if not self._blocks.membrane:
            return lines, local
        lines += [] if anew else ["rate_v = slope_v"]
        for regime, rate in stated:
            line = f"slope_v = {self._print(rate)}"
            lines.append(line if regime is None else f"if (regime == {self._regimes[regime.name]}) {{ {line} }}")
        change = "" if anew else " + 0.5 * (slope_v - rate_v) * (slope_v * rate_v > 0)"
        lines.append(f"rate_v = slope_v{change}")
        lines += ["v_start = v"] if self._from_middle() else []
        return lines, local

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


def safe_name(name: str) -> str:
    """A name that is no word of NMODL or hoc."""
    return f"{name}_" if name in _RESERVED else name


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
