"""What the blocks of an NMODL mechanism compute, as equations: they are run once, on symbols.

Every assignment makes a derived variable, procedures and functions are put in where they are called, an ``if`` becomes
a variable with cases. Equal values get one name, so that ``rates(v)``, called from INITIAL, DERIVATIVE and BREAKPOINT,
is there once. All numbers are in the mechanism's own units; whoever uses the equations says what ``v`` or ``cai`` is.

`UnsupportedInput` names what has no equations: VERBATIM, pointers, arrays, loops, and whatever else is met.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nmodl_records import (
    Assign,
    Block,
    Branch,
    Call,
    Conserve,
    Equation,
    Loop,
    Mechanism,
    Other,
    Rate,
    Reaction,
    Solve,
    Statement,
    Table,
)
from pynn_io.graph.dynamics import Assignment, Case, Derived
from pynn_io.graph.expressions import Expression, parse, unmarked, variable
from pynn_io.importers.nmodl_system import Equations, Flow, Place, uses_of
from pynn_io.importers.nmodl_text import event_assignment, factor_of, function_call, python_text, tree_of, truth

#: NEURON's own names, beside the ions' and ``v``. ``t`` is the time.
_GLOBALS = frozenset({"v", "t", "celsius", "area", "diam"})
_REFUSED = frozenset({"dt", "flag"})
#: An expression longer than this gets a name of its own even within a branch.
_LONG = 400
_DEEPEST, _MOST_STEPS = 12, 100
#: Calls that compute nothing.
_SAYING = frozenset({"printf"})


def equations_of(mechanism: Mechanism) -> Equations:
    """The equations of a mechanism. Raises UnsupportedInput, naming what has none, and ReadError for nonsense."""
    return _Run(mechanism).equations()


_Env = dict[str, Expression]


@dataclass(slots=True)
class _Run:
    mechanism: Mechanism
    _derived: dict[str, Derived] = field(default_factory=dict)
    _known: dict[tuple[str, tuple[Case, ...]], str] = field(default_factory=dict)
    _rates: dict[str, Expression] = field(default_factory=dict)
    _flows: list[Flow] = field(default_factory=list)
    _steady: set[str] = field(default_factory=set)
    _frozen: dict[str, Expression] = field(default_factory=dict)
    _needs: set[str] = field(default_factory=set)
    _tables: list[str] = field(default_factory=list)
    _residuals: list[Expression] = field(default_factory=list)
    _conserved: bool = False
    _initial: _Env = field(default_factory=dict)

    def equations(self) -> Equations:
        mechanism = self.mechanism
        self._refuse_what_has_no_equations()
        env: _Env = {}
        if "INITIAL" in mechanism.blocks:
            self._statements(mechanism.blocks["INITIAL"].statements, env, Place("INITIAL"))
        start = {name: env.pop(name) for name in mechanism.states if name in env}
        self._initial = {name: value for name, value in env.items() if name not in _GLOBALS}
        env = {}
        if "BREAKPOINT" in mechanism.blocks:
            self._statements(mechanism.blocks["BREAKPOINT"].statements, env, Place("BREAKPOINT"))
        names = [*mechanism.nonspecific, *mechanism.electrode]
        names += [name for ion in mechanism.ions for name in ion.write if name == f"i{ion.name}"]
        currents = {name: self._current(name, env) for name in dict.fromkeys(names)}
        written = {name: env[name] for ion in mechanism.ions for name in ion.write if name in env}
        received, weight = self._received()
        return Equations(
            mechanism=mechanism,
            derived=tuple(self._derived.values()),
            rates=self._rates,
            start=start,
            steady=frozenset(self._steady),
            flows=tuple(self._flows),
            conserved=self._conserved,
            residuals=tuple(self._residuals),
            currents=currents,
            written=written,
            frozen=self._frozen,
            received=received,
            weight=weight,
            needs=frozenset(self._needs),
            tables=tuple(dict.fromkeys(self._tables)),
        )

    def _current(self, name: str, env: _Env) -> Expression:
        if name in env:
            return env[name]
        if name in self.mechanism.states:
            return variable(name)
        raise self._unsupported(f"the current {name} is not computed in BREAKPOINT", "BREAKPOINT")

    def _unsupported(self, what: str, block: str = "") -> UnsupportedInput:
        return UnsupportedInput(f"{self.mechanism.name}: {what}", where=self.mechanism.where(block))

    def _refuse_what_has_no_equations(self) -> None:
        mechanism = self.mechanism
        if mechanism.pointers:
            raise self._unsupported(f"it reads what a POINTER points to ({', '.join(mechanism.pointers)})")
        if mechanism.arrays:
            raise self._unsupported(f"it has arrays ({', '.join(dict.fromkeys(mechanism.arrays))})")
        if mechanism.extra:
            where = f"{mechanism.file}:{mechanism.extra[0][1]}"
            words = ", ".join(dict.fromkeys(word for word, _ in mechanism.extra))
            raise UnsupportedInput(f"{mechanism.name}: it has {words}", where=where)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _statements(self, statements: Sequence[Statement], env: _Env, place: Place) -> None:
        for each in statements:
            if isinstance(each, Assign):
                self._assign(each.target, self._value(each.value, env, place), env, place)
            elif isinstance(each, Rate):
                self._rate(each, env, place)
            elif isinstance(each, Branch):
                self._branch(each, env, place)
            elif isinstance(each, Loop):
                self._loop(each, env, place)
            elif isinstance(each, Call):
                self._call(each, env, place)
            elif isinstance(each, Solve):
                self._solve(each, env, place)
            elif isinstance(each, Reaction):
                self._flow(each, env, place)
            elif isinstance(each, Conserve):
                self._conserved = self._conserved or each.total.strip() in ("1", "1.0", "1.")
            elif isinstance(each, Table):
                self._tables += each.names or (place.block,)  # without names, of the function that it stands in
            elif isinstance(each, Equation):
                raise self._unsupported("an equation stands outside a LINEAR block", place.block)
            else:
                self._other(each, place)

    def _other(self, each: Other, place: Place) -> None:
        body = each.text.removeprefix("VERBATIM").removesuffix("ENDVERBATIM").strip()
        if each.word == "VERBATIM" and body in ("return 0;", ""):
            return
        raise self._unsupported(f"it has {each.word}", place.block)

    def _assign(self, target: str, value: Expression, env: _Env, place: Place) -> None:
        if target in self.mechanism.states and place.block != "INITIAL" and self._is_solved(target):
            raise self._unsupported(f"it sets the state {target} by hand", place.block)
        env[target] = value if place.branch and len(value.text) < _LONG else self._named(target, (Case(value),))

    def _is_solved(self, state: str) -> bool:
        return not self._initial or state in self._rates or bool(self._flows)

    def _named(self, base: str, cases: tuple[Case, ...]) -> Expression:
        """A derived variable of that value, unless it is one already, or is a number or a name."""
        if len(cases) == 1 and (cases[0].value.number is not None or cases[0].value.text.isidentifier()):
            return cases[0].value
        if (base, cases) not in self._known:
            name, number = base, 1
            while name in self._derived or name in self._taken():
                number += 1
                name = f"{base}_{number}"
            self._derived[name] = Derived(name, "none", cases)
            self._known[base, cases] = name
        return variable(self._known[base, cases])

    def _taken(self) -> set[str]:
        mechanism = self.mechanism
        ions = {name for ion in mechanism.ions for name in (*ion.read, *ion.write)}
        return {*mechanism.parameters, *mechanism.states, *mechanism.constants, *_GLOBALS, *ions} - {
            name for ion in mechanism.ions for name in ion.write if name not in ion.read
        }

    def _rate(self, each: Rate, env: _Env, place: Place) -> None:
        if place.branch:
            raise self._unsupported(f"the rate of {each.state} stands in a branch", place.block)
        self._rates[each.state] = self._value(each.value, env, place)

    def _branch(self, each: Branch, env: _Env, place: Place) -> None:
        ends: list[tuple[Expression | None, _Env]] = []
        for condition, statements in each.cases:
            test = None if condition is None else self._value(condition, env, place)
            known = None if test is None else truth(test)
            if known is False:
                continue
            inner = dict(env)
            self._statements(statements, inner, place.inside())
            ends.append((None if known else test, inner))
            if known:
                break
        if not ends or ends[-1][0] is not None:
            ends.append((None, dict(env)))
        changed = dict.fromkeys(name for _, inner in ends for name, value in inner.items() if env.get(name) != value)
        for name in changed:
            values = [inner.get(name) or self._before(name, env, place) for _, inner in ends]
            cases = tuple(Case(value, test) for value, (test, _) in zip(values, ends, strict=True))
            env[name] = values[0] if len(set(values)) == 1 else self._named(name, cases)

    def _loop(self, each: Loop, env: _Env, place: Place) -> None:
        """The statements once for each number, where these are known."""
        bounds = [self._value(text, env, place).number for text in (each.first, each.last, each.step)]
        if any(bound is None or not float(bound).is_integer() for bound in bounds) or not bounds[2]:
            raise self._unsupported("it has FROM with bounds that are no whole numbers", place.block)
        first, last, step = (int(bound or 0) for bound in bounds)
        steps = range(first, last + (1 if step > 0 else -1), step)
        if len(steps) > _MOST_STEPS:
            raise self._unsupported(f"it has FROM with {len(steps)} steps", place.block)
        for number in steps:
            env[each.variable] = parse(str(number))
            self._statements(each.statements, env, place)

    def _before(self, name: str, env: _Env, place: Place) -> Expression:
        """What a variable is where a branch does not set it: what it was, or 0 as NEURON starts it."""
        mechanism = self.mechanism
        kept = (env, mechanism.states, mechanism.parameters, _GLOBALS, self._initial)
        return self._read(name, env, place) if any(name in names for names in kept) else parse("0")

    def _call(self, each: Call, env: _Env, place: Place) -> None:
        if each.name == "state_discontinuity" and len(each.arguments) == 2:
            self._assign(each.arguments[0], self._value(each.arguments[1], env, place), env, place)
            return
        if each.name in _SAYING:
            return
        block = self.mechanism.blocks.get(each.name)
        if block is None or block.kind not in ("PROCEDURE", "FUNCTION"):
            raise self._unsupported(f"it calls {each.name}", place.block)
        values = [self._value(text, env, place) for text in each.arguments]
        self._inline(block, values, env, place)

    def _inline(self, block: Block, values: Sequence[Expression], env: _Env, place: Place) -> Expression:
        """Run a procedure or function; what it sets is set in ``env`` too, but its own names. Gives its value."""
        if place.calls > _DEEPEST:
            raise self._unsupported(f"{block.name} calls itself", block.name)
        if len(values) != len(block.arguments):
            raise ReadError(
                f"{self.mechanism.name}: {block.name} is called with {len(values)} arguments and has "
                f"{len(block.arguments)}",
                where=self.mechanism.where(block.name),
            )
        own = {*block.arguments, *block.locals, block.name}
        inner = {name: value for name, value in env.items() if name not in own}
        inner |= dict(zip(block.arguments, values, strict=True))
        self._statements(block.statements, inner, place.called(block.name))
        env.update({name: value for name, value in inner.items() if name not in own})
        return inner.get(block.name, parse("0"))

    def _solve(self, each: Solve, env: _Env, place: Place) -> None:
        block = self.mechanism.blocks.get(each.block)
        if block is None:
            raise ReadError(
                f"{self.mechanism.name}: SOLVE {each.block}: there is no such block",
                where=self.mechanism.where(place.block),
            )
        at_start = place.block == "INITIAL"
        if at_start and block.kind in ("KINETIC", "DERIVATIVE") and each.steady:
            self._steady |= set(self._states_of(block))
        elif at_start and block.kind == "LINEAR":
            # Whether this is the steady state of the reactions is looked at where they are put to use.
            for one in block.statements:
                if not isinstance(one, Equation):
                    raise self._unsupported("it computes within a LINEAR block", each.block)
                self._residuals.append(self._value(f"({one.left}) - ({one.right})", env, place))
            used = uses_of(self._residuals, self._derived)
            self._steady |= {state for state in self.mechanism.states if state in used}
        elif not at_start and block.kind in ("DERIVATIVE", "KINETIC"):
            inner = {name: value for name, value in env.items() if name not in _GLOBALS}
            self._statements(block.statements, inner, Place(block.name))
            env.update({name: value for name, value in inner.items() if name not in {*_GLOBALS, *block.locals}})
        else:
            raise self._unsupported(f"it solves a {block.kind} block in {place.block}", each.block)

    def _states_of(self, block: Block) -> Iterator[str]:
        for each in block.statements:
            if isinstance(each, Rate):
                yield each.state
            elif isinstance(each, Reaction):
                yield from (name for _, name in (*each.left, *each.right))

    def _flow(self, each: Reaction, env: _Env, place: Place) -> None:
        sides = [name for _, name in (*each.left, *each.right)]
        strange = [name for name in sides if name not in self.mechanism.states]
        if each.sign != "<->" or strange or not each.right:
            what = f"reactions of {', '.join(strange)}, no state," if strange else f"reactions with {each.sign}"
            raise self._unsupported(f"{what} are not translated", place.block)
        forward, reverse = (self._value(text, env, place) for text in (each.forward, each.reverse))
        self._flows.append(Flow(each.left, each.right, forward, reverse))

    def _received(self) -> tuple[tuple[Assignment, ...], str]:
        """What NET_RECEIVE does to the states, in order."""
        block = self.mechanism.blocks.get("NET_RECEIVE")
        if block is None:
            return (), ""
        if len(block.arguments) != 1:
            raise self._unsupported("its events carry more than a weight", "NET_RECEIVE")
        weight, place, env = block.arguments[0], Place("NET_RECEIVE", branch=1), dict[str, Expression]()
        env[weight] = variable(weight)
        actions = []
        for each in block.statements:
            target, text = event_assignment(each)
            if target not in self.mechanism.states:
                raise self._unsupported("its events do more than add to states", "NET_RECEIVE")
            actions.append(Assignment(target, self._value(text, env, place)))
        return tuple(actions), weight

    # --- expressions --------------------------------------------------------------------------------------------------

    def _value(self, text: str, env: _Env, place: Place) -> Expression:
        """An expression with every name replaced by its value, and every function of the mechanism put in."""
        try:
            tree = ast.parse(python_text(text), mode="eval").body
        except SyntaxError:
            where = self.mechanism.where(place.block)
            raise ReadError(f"{self.mechanism.name}: {text!r} is not an expression", where=where) from None
        made = _Substitute(self, env, place).visit(tree)
        return parse(ast.unparse(made), where=self.mechanism.where(place.block)).simplified()

    def _read(self, name: str, env: _Env, place: Place) -> Expression:
        mechanism = self.mechanism
        if name in env:
            return env[name]
        if name in mechanism.states:
            return variable(name)
        if name in mechanism.constants:
            return parse(repr(mechanism.constants[name]))
        if name in mechanism.factors:
            return self._factor(name)
        if name in _GLOBALS or any(name in ion.read for ion in mechanism.ions):
            self._needs.add(name)
            return variable(name)
        if name in self._initial:
            return self._from_start(name)
        if name in mechanism.parameters:
            return variable(name)
        if name in _REFUSED:
            raise self._unsupported(f"it computes with {name}", place.block)
        raise self._unsupported(f"{name} is used before it is set", place.block)

    def _from_start(self, name: str) -> Expression:
        """What INITIAL computed: the same at any later moment, or a number that must be kept."""
        value = self._initial[name]
        if not self._changes(value):
            return value
        self._frozen[name] = value
        return variable(f"{name}_at_start")

    def _changes(self, value: Expression) -> bool:
        fixed = {*self.mechanism.parameters, "celsius"} - (_GLOBALS - {"celsius"})
        return bool(uses_of([value], self._derived) - fixed - self._derived.keys())

    def _factor(self, name: str) -> Expression:
        of, unit = self.mechanism.factors[name]
        value = factor_of(of, unit)
        if value is None:
            raise self._unsupported(f"the value of {name} = ({of}) ({unit}) is not known here")
        return parse(repr(value))


class _Substitute(ast.NodeTransformer):
    """Names become their values; calls of functions their results."""

    def __init__(self, run: _Run, env: _Env, place: Place) -> None:
        self._run, self._env, self._place = run, env, place

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return tree_of(self._run._read(unmarked(node.id), self._env, self._place))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.visit(each) for each in node.args]
        if (known := function_call(name, arguments)) is not None:
            return known
        block = self._run.mechanism.blocks.get(name)
        if block is None or block.kind != "FUNCTION":
            raise self._run._unsupported(f"it calls {name}", self._place.block)
        values = [parse(ast.unparse(each)).simplified() for each in arguments]
        return tree_of(self._run._inline(block, values, self._env, self._place))
