"""`Dynamics` as NMODL in Arbor's dialect (modcc of Arbor 0.12): densities, concentrations and synapses.

What is different from NEURON's: the solver comes first in BREAKPOINT; ``cnexp`` takes one linear equation a state,
``sparse`` linear ones together; potential, temperature, area and what belongs to ions are not declared; events come
with a weight and nothing else; there is no time, no WATCH and no event of a mechanism to itself. A concentration is the
state of the mechanism that sets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Component, Derived, Dynamics
from pynn_io.graph.expressions import Expression
from pynn_io.lowering import nmodl
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.nmodl import Mechanism, mechanism, structural
from pynn_io.lowering.nmodl_conditions import is_linear, slope
from pynn_io.lowering.nmodl_equations import Blocks, safe_name
from pynn_io.lowering.nmodl_text import Text, Writer
from pynn_io.lowering.systems import pruned, renamed
from pynn_io.lowering.types import Types

#: The ions that Arbor has from the start; the current of any other belongs to none.
IONS = frozenset({"na", "k", "ca"})
_OUTSIDE = "extConcentration"
#: The variables that are the current of a density and of a synapse.
_TOTALS = frozenset({"iDensity", "i"})
#: 1 mA/cm2 over 1 um2 in nA.
_TOTAL = 0.01
#: What the factors of rates are called, before the name of the state.
_RELAXED = "relaxed_"


def density(component: Component, channel: Component, ion: str, types: Types) -> Mechanism:
    """As `pynn_io.lowering.nmodl.density`. Raises UnsupportedInput for what Arbor has no words for."""
    return nmodl.density(component, channel, ion if ion in IONS else "", types, text_of)


def synapse(component: Component, types: Types, references: Mapping[str, Component]) -> Mechanism:
    """As `pynn_io.lowering.nmodl.synapse`. Raises UnsupportedInput for what Arbor has no words for."""
    return nmodl.synapse(component, types, references, text_of)


def pool(component: Component, ion: str, types: Types) -> Mechanism:
    """A concentration model of na, k or ca. Parameters: its own, and ``initialConcentration`` (mM).

    The concentration outside is what it is at the start. Raises UnsupportedInput for other ions.
    """
    if ion not in IONS:
        raise UnsupportedInput(f"Arbor has no ion {ion!r}")
    inside, current = f"{ion}i", f"i{ion}"
    system = _inside(pruned(flatten(component, types), ["concentration"]))
    system = structural(renamed(system, {"concentration": inside}))
    system = replace(
        system,
        parameters={**system.parameters, "initialConcentration": 0.0},
        dimensions={**system.dimensions, "initialConcentration": "concentration"},
        needs=tuple(name for name in system.needs if name != "initialConcentration"),
    )
    blocks = Blocks(
        title=f"{component.type}: the concentration of {ion}",
        head=[f"SUFFIX {nmodl.NAME}", f"USEION {ion} READ {current} WRITE {inside}"],
    )
    blocks.assigned["surfaceArea"] = "um2"
    blocks.always = ["surfaceArea = area"]
    if "iCa" in system.needs:
        blocks.assigned["iCa"] = "nA"
        blocks.always.append(f"iCa = -{_TOTAL} * {current} * area")
    blocks.given = {"iCa", "surfaceArea"}
    return mechanism(component.type, blocks, system, text_of)


def _inside(system: Dynamics) -> Dynamics:
    """A pool without the concentration outside, which no mechanism of Arbor sets."""
    return replace(
        system,
        states=tuple(name for name in system.states if name != _OUTSIDE),
        on_start=tuple(each for each in system.on_start if each.variable != _OUTSIDE),
        derivatives={name: rate for name, rate in system.derivatives.items() if name != _OUTSIDE},
        conditions=tuple(each for each in system.conditions if _OUTSIDE not in each.test.names),
    )


def text_of(system: Dynamics, blocks: Blocks) -> Text:
    """The whole text. Raises UnsupportedInput for what Arbor has no words for."""
    return _ArborWriter(system, blocks).text()


class _ArborWriter(Writer):
    def __init__(self, system: Dynamics, blocks: Blocks) -> None:
        super().__init__(system, blocks)
        self._shown = []
        self._rated = {name: self._opened(value, name) for name, value in self._rated.items()}
        self._names |= {f"{_RELAXED}{name}": f"{_RELAXED}{self._names[name]}" for name in self._rated}
        if self._armed or self._regimes or self._holds() or blocks.ranges:
            raise UnsupportedInput("Arbor's mechanisms have no events of their own, no regimes and no other side")

    def text(self) -> Text:
        made = super().text()
        if self._random:
            raise UnsupportedInput("Arbor's mechanisms draw no numbers at events")
        return made

    def _neuron(self) -> Iterator[str]:
        yield "NEURON {"
        yield from (f"    {line}" for line in self._blocks.head)
        names = [*(self._names[name] for name in self._system.parameters), *self._declared()]
        yield from (f"    RANGE {name}" for name in dict.fromkeys(names))
        yield "}"
        yield ""

    def _declared(self) -> dict[str, str]:
        """Names of ASSIGNED, with their units: what is kept between blocks and is nothing of Arbor's own."""
        ions = {name for line in self._blocks.head for name in line.replace(",", " ").split()}
        names = {self._names[each.name]: self._unit(each.name) for each in self._kept_between()}
        names |= {self._names[name]: self._unit(name) for name in self._kept()}
        own = self._blocks.assigned.items()
        names |= {name: f" ({unit})" if unit else "" for name, unit in own if name not in {*ions, "area", "i", "i_out"}}
        return names

    def _kept_between(self) -> tuple[Derived, ...]:
        return (*self._system.derived_parameters, *self._static)

    def _parameters(self) -> Iterator[str]:
        """Each with a default of its own, with which equations give numbers.

        Arbor pads its arrays with instances that have the defaults and an area of 0: 0 times no number is none.
        """
        yield "PARAMETER {"
        for number, name in enumerate(self._system.parameters):
            yield f"    {self._names[name]} = {1 + number / 10:g}{self._unit(name)}"
        yield "}"
        yield ""

    def _assigned(self) -> Iterator[str]:
        yield "ASSIGNED {"
        yield from (f"    {name}{unit}" for name, unit in self._declared().items())
        yield "}"
        yield ""

    def _opened(self, value: Expression, name: str) -> Expression:
        """An expression with the derived variables put in place through which it depends on a state or the potential:
        modcc looks for that in the statement alone."""
        hidden = {each.name: each.value for each in self._system.derived if each.value is not None}
        hidden = {other: own for other, own in hidden.items() if name in self._reached(own)}
        while value.names & hidden.keys():
            value = value.replaced(hidden)
        return value

    def _relaxing(self) -> tuple[list[str], list[Derived]]:
        lines, about = super()._relaxing()
        return lines, [*about, *(Derived(f"{_RELAXED}{name}", "none") for name in self._relaxed())]

    def _relaxed(self) -> dict[str, Expression]:
        """How the rate of each state changes with it, of those that relax; the others grow evenly."""
        if self._method() != "cnexp":
            return {}
        slopes = {name: slope(value, name) for name, value in self._rated.items()}
        return {name: found for name, found in slopes.items() if found.number != 0}

    def _rate_lines(self, state: str, rate: str) -> Iterator[str]:
        """As NEURON's ``cnexp`` takes a step: by the exponential itself.

        modcc's has (2 + z) / (2 - z) in its place, z the relative change in a step, which is far off for gates that are
        faster than the step. So a rate is multiplied by what makes that the exponential: by tanh(z / 2) / (z / 2).
        ``dt`` is the step that Arbor takes.
        """
        found = self._relaxed().get(state)
        if found is not None:
            change, factor = f"dt * ({self._print(found)})", self._names[_RELAXED + state]
            yield f"{factor} = 2 / (exprelr({change}) * (1 + exp({change})))"
            rate = f"{factor} * ({rate})"
        yield from super()._rate_lines(state, rate)

    def _method(self) -> str:
        """``cnexp`` for one linear equation a state, ``sparse`` for linear ones together."""
        derived = {each.name: each for each in self._system.derived}
        if super()._method() == "cnexp":
            return "cnexp"
        if all(is_linear(value, name, derived) for value in self._rated.values() for name in self._rated):
            return "sparse"
        raise UnsupportedInput("Arbor integrates linear equations only")

    def _breakpoint(self) -> Iterator[str]:
        blocks = self._blocks
        clipped, needed = self._clip()
        currents = blocks.currents
        total = next((each for each in self._system.derived if each.name in _TOTALS), None)
        if currents and total is not None and total.value is not None:
            # In the statement itself, with all that depends on v: modcc differentiates it, and takes an implicit step.
            whole = self._opened(total.value, "v")
            needed = [*needed, *(each for each in self._closure(whole.names) if each not in needed)]
            name, value = rf"\b{self._names[total.name]}\b(?!.*=)", f"({self._print(whole)})"
            currents = [re.sub(name, value, line) for line in currents]
        elif currents:
            needed = [*needed, *(each for each in self._closure(_TOTALS) if each not in needed)]
        lines = [*blocks.always] if currents or clipped else []
        for each in needed:
            lines += self._derive(each)
        lines += [*clipped, *currents]
        yield "BREAKPOINT {"
        if self._rated:
            yield f"    SOLVE states METHOD {self._method()}"
        yield from (f"    SOLVE {safe_name(each.name)}_kinetics METHOD sparse" for each in self._system.kinetics)
        if needed:
            yield f"    LOCAL {', '.join(self._names[each.name] for each in needed)}"
        yield from (f"    {line}" for line in lines)
        yield "}"
        yield ""

    def _net_receive(self) -> Iterator[str]:
        received = [each for each in self._system.events if each.port == "in"]
        if not received:
            return
        local: dict[str, Derived] = {}
        lines = [line for event in received for line in self._acts(event.actions, local)]
        yield from self._block("NET_RECEIVE (weight)", lines, local.values())
