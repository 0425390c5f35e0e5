"""Mechanisms as what they are: ion channels with gates or with a scheme of states, pools of ions, synapses.

A current becomes one channel: gates of NeuroML where the equations are those (Hodgkin & Huxley 1952), a scheme where
they are reactions between states, and else one component type of its own with the equations as they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pynn_io.errors import UnsupportedInput
from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.graph.biophysics import Law
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.graph.expressions import Expression, parse, variable
from pynn_io.importers.nmodl_equations import equations_of
from pynn_io.importers.nmodl_forms import Form, Values, ohmic
from pynn_io.importers.nmodl_gates import CALCIUM, WARM, Gates
from pynn_io.importers.nmodl_permeability import EXACT, permeable
from pynn_io.importers.nmodl_schemes import linear_start, scheme_states, steady_state
from pynn_io.importers.nmodl_system import Equations, uses_of
from pynn_io.importers.nmodl_types import CURRENT, Moving, Outcome, own_type, pool_type

#: How a channel came out.
GATES, SCHEME, EQUATIONS, POOL, SYNAPSE = "gates", "scheme", "equations", "concentration model", "synapse"


@dataclass(frozen=True, slots=True)
class Channel:
    """One current of a mechanism as a channel.

    current: its name there. ion: empty for none. density: the parameter that is its conductance density, or empty;
    scale: S/cm2 for each unit of that, or cm/s where law is GHK. reversal: mV; None where it is the ion's. kind:
    `GATES`, `SCHEME`, `EQUATIONS`.
    """

    component: Component
    current: str
    ion: str
    density: str
    scale: float
    reversal: float | None
    kind: str
    law: Law = Law.OHMIC


@dataclass(frozen=True, slots=True)
class Pool:
    """A model of the concentration of an ion. initial: mM at the start; None where NEURON's own stands."""

    component: Component
    ion: str
    initial: float | None


@dataclass(frozen=True, slots=True)
class Translation:
    """A mechanism in NeuroML's words, with one set of parameters.

    types: component types of its own. parameters: all of the mechanism's. tables: variables that NEURON interpolates.
    notes: in what else it is not the same. calcium: whether it depends on a concentration of that.
    """

    name: str
    types: Mapping[str, ComponentType]
    channels: tuple[Channel, ...] = ()
    pool: Pool | None = None
    synapse: Component | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calcium: bool = False

    @property
    def kind(self) -> str:
        if self.pool is not None:
            return POOL
        if self.synapse is not None:
            return SYNAPSE
        return " and ".join(dict.fromkeys(each.kind for each in self.channels))


def translate(mechanism: Mechanism, values: Mapping[str, float] | None = None) -> Translation:
    """A mechanism in NeuroML's words. values: parameters that differ from the file's.

    Raises UnsupportedInput for what has no equations here, saying what it is and where.
    """
    unknown = (values or {}).keys() - mechanism.parameters.keys()
    if unknown:
        raise UnsupportedInput(f"{mechanism.name} has no parameter {', '.join(sorted(unknown))}", where=mechanism.file)
    return _Translator(equations_of(mechanism), dict(values or {})).translation()


class _Translator:
    def __init__(self, equations: Equations, changed: dict[str, float]) -> None:
        self._equations, self._mechanism = equations, equations.mechanism
        self._values = Values(equations, changed)
        self._types: dict[str, ComponentType] = {}
        self._notes: list[str] = []
        self._gates = Gates(equations, self._values, self._own)
        different = sorted((key, float(value)) for key, value in changed.items() if self._shapes(key, value))
        digest = hashlib.sha256(repr(different).encode()).hexdigest()[:6]
        self._stem = f"{self._mechanism.name}_{digest}" if different else self._mechanism.name

    def _shapes(self, parameter: str, value: float) -> bool:
        """Whether a parameter with another value makes another channel: not so its density and reversal potential."""
        equations = self._equations
        held = [*equations.rates.values(), *equations.start.values(), *(each.forward for each in equations.flows)]
        held += [each.value for each in equations.received]
        gates = [
            factor for name in equations.currents if (form := self._form(name)) is not None for factor, _ in form.gates
        ]
        inside = parameter in uses_of([*held, *gates], self._values.derived)
        return inside and value != self._mechanism.parameters[parameter]

    def translation(self) -> Translation:
        equations = self._equations
        parts = self._parts()
        return Translation(
            self._mechanism.name,
            self._types,
            parameters=self._values.parameters,
            tables=equations.tables,
            notes=tuple(self._notes),
            calcium=bool({"cai", "cao"} & equations.needs),
            **parts,  # type: ignore[arg-type]
        )

    def _parts(self) -> dict[str, object]:
        """What the mechanism is. Raises UnsupportedInput for what is more than one of these things at once."""
        mechanism, currents = self._mechanism, self._equations.currents
        written = [name for ion in mechanism.ions for name in ion.write if name != f"i{ion.name}"]
        if mechanism.electrode:
            raise self._unsupported("it has an ELECTRODE_CURRENT")
        if mechanism.kind == "SUFFIX" and not written:
            return {"channels": tuple(self._channels())}
        if mechanism.kind == "SUFFIX" and currents:
            raise self._unsupported("it sets a concentration and a current at once")
        if mechanism.kind == "SUFFIX":
            return {"pool": self._pool(written)}
        if mechanism.kind == "POINT_PROCESS" and self._equations.received and not written:
            if len(currents) != 1 or not mechanism.nonspecific:
                raise self._unsupported(f"a synapse of the currents {', '.join(currents)} is not translated")
            return {"synapse": self._synapse(mechanism.nonspecific[0])}
        raise self._unsupported(f"a {mechanism.kind} is translated where it is a synapse that events set off")

    def _unsupported(self, what: str) -> UnsupportedInput:
        return UnsupportedInput(f"{self._mechanism.name}: {what}", where=self._mechanism.file)

    def _own(self, suffix: str, extends: str, *outcomes: Outcome, moving: Moving | None = None) -> str:
        name = f"{self._stem}_{suffix}" if suffix else self._stem
        about = f"Of the NMODL mechanism {self._mechanism.name}"
        self._types[name] = own_type(name, extends, outcomes, self._values, moving, about)
        return name

    # --- channels -----------------------------------------------------------------------------------------------------

    def _channels(self) -> Iterator[Channel]:
        currents = self._equations.currents
        if not currents:
            raise self._unsupported("it has neither a current nor a concentration that NeuroML has a word for")
        ions = {f"i{ion.name}": ion.name for ion in self._mechanism.ions}
        for name in currents:
            form = self._form(name)
            if form is None:
                nor = ", nor a permeability in the equation of Goldman, Hodgkin and Katz" if name == "ica" else ""
                raise self._unsupported(f"its current {name} is not a conductance times (v - e){nor}")
            ion = ions.get(name, "")
            suffix = "" if len(currents) == 1 else f"_{name.removeprefix('i')}"
            identifier = f"{self._stem}{suffix}"
            component, kind = self._channel(identifier, form, ion)
            if form.reversal is None:
                yield Channel(component, name, ion, form.conductance, form.scale, None, kind, Law.GHK)
            else:
                reversal = self._reversal(form.reversal, ion, name)
                yield Channel(component, name, ion, form.conductance, form.scale, reversal, kind)

    def _form(self, name: str) -> Form | None:
        form = ohmic(self._equations, name, self._values)
        if form is not None:
            return form
        found = permeable(self._equations, name, self._values)
        if found is None:
            return None
        if found.apart > EXACT:
            note = (
                f"Its current is that of Goldman, Hodgkin and Katz with other digits of their constants: up to "
                f"{found.apart:.1g} of its largest value."
            )
            self._notes += [] if note in self._notes else [note]
        return found.form

    def _reversal(self, reversal: Expression, ion: str, current: str) -> float | None:
        if ion and reversal.text == f"e{ion}":
            return None
        number = self._values.number(reversal)
        if number is None:
            names = ", ".join(sorted(self._values.uses(reversal)))
            raise self._unsupported(f"the reversal potential of {current} depends on {names}")
        return number

    def _channel(self, identifier: str, form: Form, ion: str) -> tuple[Component, str]:
        texts = {"species": ion} if ion else {}
        if not form.gates:
            return Component("ionChannelPassive", identifier, {"conductance": 1e-5}, texts), GATES
        if self._equations.flows:
            scheme = self._scheme(form)
            if scheme is not None:
                return Component("ionChannelKS", identifier, {"conductance": 1e-5}, texts, (scheme,)), SCHEME
        else:
            gates = [self._gates.gate(factor, power) for factor, power in form.gates]
            if None not in gates:
                found = tuple(each for each in gates if each is not None)
                return Component("ionChannelHH", identifier, {"conductance": 1e-5}, texts, found), GATES
        return Component(self._whole(identifier, form), identifier, {"conductance": 1e-5}), EQUATIONS

    def _whole(self, identifier: str, form: Form) -> str:
        """A type of its own with all equations of a current."""
        product = " * ".join(f"({factor})" if power == 1 else f"({factor}) ^ {power}" for factor, power in form.gates)
        opened = parse(product)
        suffix = f"{identifier.removeprefix(self._stem).strip('_')}_channel".strip("_")
        outcomes = (
            Outcome("fopen", "none", "{}", opened),
            Outcome("g", "conductance", "conductance * fopen", opened),
        )
        return self._own(suffix, "baseIonChannel", *outcomes, moving=self._moving())

    def _moving(self) -> Moving:
        """All states of the mechanism. Raises UnsupportedInput where they cannot be stated as rates and starts."""
        equations = self._equations
        rates = {**equations.rates, **self._flow_rates()}
        if equations.steady:
            raise self._unsupported("it starts at a steady state of equations that are no scheme of states")
        kept = {name: variable(name) for name in self._mechanism.states if name not in rates}
        if kept.keys() & uses_of([*rates.values(), *equations.currents.values()], self._values.derived):
            raise self._unsupported(f"nothing changes its states {', '.join(kept)}")
        start = {name: value for name, value in equations.start.items() if name in rates}
        return Moving(rates, start, equations.received, equations.weight, equations.frozen)

    def _flow_rates(self) -> dict[str, Expression]:
        """Reactions as rates, by the law of mass action."""
        terms: dict[str, list[str]] = {}
        for flow in self._equations.flows:
            sides = [" * ".join([f"({rate})", *(_power(name, n) for n, name in side)]) for rate, side in
                     ((flow.forward, flow.left), (flow.reverse, flow.right))]  # fmt: skip
            net = f"({sides[0]} - {sides[1]})"
            for sign, side in (("-", flow.left), ("+", flow.right)):
                for count, name in side:
                    terms.setdefault(name, []).append(f"{sign} {count} * {net}")
        return {name: parse("0 " + " ".join(found)).simplified() for name, found in terms.items()}

    # --- schemes ------------------------------------------------------------------------------------------------------

    def _scheme(self, form: Form) -> tuple[str, Component] | None:
        """Reactions between states of one channel as ``gateKS``."""
        equations = self._equations
        flows = equations.flows
        plain = all(len(side) == 1 and side[0][0] == 1 for flow in flows for side in (flow.left, flow.right))
        if not plain or equations.rates or len(form.gates) != 1 or not self._starts_steady():
            return None
        factor, power = form.gates[0]
        states = scheme_states(equations)
        shares = {state: self._gates.share(factor, state) if state in factor.names else 0.0 for state in states}
        if None in shares.values():
            return None
        children = [_state(name, float(share or 0.0)) for name, share in shares.items()]
        for flow in flows:
            ends = {"from": flow.left[0][1], "to": flow.right[0][1]}
            # Written out one way at a time, since jNeuroML's code for NEURON knows no other transition with own rates.
            for kind, rate, (start, end) in (
                ("forwardTransition", flow.forward, ("from", "to")),
                ("reverseTransition", flow.reverse, ("to", "from")),
            ):
                name = f"{ends[start]}_{ends[end]}"
                child = ("rate", self._gates.rate(name, rate))
                children.append((kind, Component(kind, name, {}, ends, (child,))))
        return "gateKS", Component("gateKS", "n", {"instances": float(power)}, {}, tuple(children))

    def _starts_steady(self) -> bool:
        """Whether the states start where nothing changes; said where LINEAR equations have another solution."""
        equations = self._equations
        if not equations.conserved or not set(scheme_states(equations)) <= equations.steady:
            return False
        if not equations.residuals:
            return True
        apart = 0.0
        for v in (-90.0, -47.0, 11.0):
            at = {"v": v, "celsius": WARM, "cai": CALCIUM, "cao": 2.0}
            steady, stated = (each(equations, self._values, **at) for each in (steady_state, linear_start))
            apart = max([apart, *(abs(steady[name] - stated[name]) for name in steady)])
        if apart > 1e-6:
            self._notes.append(
                f"Its LINEAR equations do not start it at the steady state of its own scheme (occupancies differ by up "
                f"to {apart:.2g}); in NeuroML it starts at the steady state."
            )
        return True

    # --- pools and synapses -------------------------------------------------------------------------------------------

    def _pool(self, written: list[str]) -> Pool:
        ion, inside, equations = "ca", "cai", self._equations
        state = inside if inside in equations.rates else equations.written.get(inside, parse("0")).text
        if written != [inside] or state not in equations.rates:
            raise self._unsupported(f"a pool that sets {', '.join(written)} is translated where that is cai, a state")
        start = equations.start.get(state)
        initial = None if start is None else self._values.number(start)
        if start is not None and initial is None and start.text != inside:
            raise self._unsupported(f"its {inside} starts at {start}, which is no number")
        moving = self._moving()
        about = f"The NMODL mechanism {self._mechanism.name}"
        self._types[self._stem] = pool_type(self._stem, state, self._values, moving, about)
        return Pool(Component(self._stem, self._stem, {}, {"ion": ion}), ion, initial)

    def _synapse(self, current: str) -> Component:
        outcome = Outcome("i", "current", CURRENT, self._equations.currents[current])
        name = self._own("", "baseVoltageDepSynapse", outcome, moving=self._moving())
        return Component(name, self._stem)


def _power(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ^ {count}"


def _state(name: str, share: float) -> tuple[str, Component]:
    kind = "openState" if share else "closedState"
    numbers = {"relativeConductance": share} if share not in (0.0, 1.0) else {}
    return kind, Component(kind, name, numbers)
