"""The text of a mechanism: the blocks of NMODL from one flat system of equations.

What changes with the state of the membrane is a LOCAL of the block that needs it; what follows from parameters and
temperature alone is worked out once, in INITIAL. Conditions on potentials are WATCHed and conditions on time are events
that a mechanism sends itself, so that nothing is looked at in vain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pynn_io.graph.dynamics import Assignment, Derived, Dynamics
from pynn_io.graph.expressions import parse
from pynn_io.lowering.nmodl_conditions import TIME, WATCH
from pynn_io.lowering.nmodl_equations import HOLD, Blocks, safe_name
from pynn_io.lowering.nmodl_events import Events
from pynn_io.lowering.systems import with_replaced

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


@dataclass(frozen=True, slots=True)
class Text:
    """records: variable of the equations -> RANGE variable. names: parameter -> its name in the text."""

    text: str
    records: Mapping[str, str]
    names: Mapping[str, str]
    random: bool


def text_of(system: Dynamics, blocks: Blocks) -> Text:
    """The whole text. Raises UnsupportedInput for what NMODL has no words for."""
    return Writer(system, blocks).text()


class Writer(Events):
    """The blocks of a text for NEURON; another dialect of NMODL writes some of them otherwise."""

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
        names += self._slope_names()
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
        names |= dict.fromkeys(self._slope_names(), "")
        if self._halved() or any(each.kind == WATCH for each in self._armed):
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
        lines += [f"SOLVE {safe_name(each.name)}_kinetics STEADYSTATE sparse" for each in system.kinetics]
        lines += blocks.after
        initial = next((number for number, each in enumerate(system.regimes) if each.initial), 0)
        if self._regimes:
            lines.append(f"regime = {initial}")
        if self._holds():
            lines.append("v_hold = v")
        driving, about = self._slopes(anew=True)
        lines += driving
        lines += [self._send(each) for each in self._armed if each.kind == TIME and each.regime in (-1, initial)]
        if any(each.kind == WATCH for each in self._armed):
            lines.append("net_send(0, 1)")
        yield from self._block("INITIAL", lines, [each for each in (*local, *about) if each.name not in kept])

    def _breakpoint(self) -> Iterator[str]:
        blocks = self._blocks
        if blocks.artificial:
            return
        lines: list[str] = []
        if self._halved():
            lines += ["SOLVE half", "SOLVE states METHOD derivimplicit", "SOLVE slopes"]
        elif self._rated:
            lines.append(f"SOLVE states METHOD {self._method()}")
        elif self._slope_names():
            lines.append("SOLVE states")
        lines += [f"SOLVE {safe_name(each.name)}_kinetics METHOD sparse" for each in self._system.kinetics]
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

        The rate is known before the step: near a spike of a cell that runs away, an implicit step would turn round.
        """
        moving = "i_out = -capacitance * rate_v"
        if not self._system.regimes:
            yield moving
        for each in self._system.regimes:
            held = self._rate_of(each) is None
            current = f"i_out = capacitance * {HOLD:g} * (v - v_hold)" if held else moving
            yield f"if (regime == {self._regimes[each.name]}) {{ {current} }}"

    def _derivative(self) -> Iterator[str]:
        if self._blocks.artificial or not (self._rated or self._slope_names()):
            return
        halved = self._halved()
        lines, about = self._relaxing()
        after, more = self._slopes(anew=False)
        shown = {each.name for each in self._shown}
        hidden = [each for each in (*about, *more) if each.name not in shown]
        if not halved:
            head = "DERIVATIVE states" if self._rated else "PROCEDURE states()"
            yield from self._block(head, [*lines, *after], hidden)
            return
        # A Newton iteration goes through its block several times: what is done once a step stands before and after it.
        half = [f"{self._names[name]} = {self._names[name]} + 0.5 * dt * slope_{self._names[name]}" for name in halved]
        yield from self._block("PROCEDURE half()", half, [])
        yield from self._block("DERIVATIVE states", lines, hidden)
        yield from self._block("PROCEDURE slopes()", after, hidden)

    def _relaxing(self) -> tuple[list[str], list[Derived]]:
        """Statements of the derivatives, and the derived variables that they are about.

        By the trapezoidal rule backward Euler at half the rate is the second half of a step.
        """
        halved = self._halved()
        middle = {"v": parse("0.5 * (v_start + v)")} if self._from_middle() else {}
        local = self._closure(set().union(*(value.names for value in self._rated.values())))
        lines = [*self._blocks.always]
        for each in local:
            lines += self._derive(with_replaced(each, middle))
        for name, value in self._rated.items():
            rate = self._print(value.replaced(middle))
            lines += self._rate_lines(name, f"0.5 * ({rate})" if halved else rate)
        if self._blocks.after:
            lines += [*self._clip()[0], *self._blocks.after]
        return lines, local

    def _rate_lines(self, state: str, rate: str) -> Iterator[str]:
        yield f"{self._names[state]}' = {rate}"

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
            yield from self._block(f"KINETIC {safe_name(scheme.name)}_kinetics", lines, hidden)


def _pieces(names: list[str], size: int = 8) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]
