"""Channels of any form as the tables of MOOSE: without MOOSE, against rates and open fractions by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Case, Component, ComponentType, Derived, Dynamics
from pynn_io.graph.expressions import parse
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.systems import pruned
from pynn_io.lowering.types import Types
from pynn_io.runners.moose.gates import CONCENTRATIONS, OPEN, POTENTIALS, tables

COLD = 279.45


def system(channel: Component) -> Dynamics:
    density = Component("channelDensity", "d", {"condDensity": 1.0, "erev": 50.0}, {"ionChannel": "channel"})
    found = flatten(density, Types(), {"channel": replace(channel, id="channel")})
    return pruned(found, [OPEN])


def rate(kind: str, value: float, midpoint: float, scale: float) -> Component:
    return Component(kind, "", {"rate": value, "midpoint": midpoint, "scale": scale})


def channel(*gates: tuple[str, Component]) -> Component:
    return Component("ionChannelHH", "na", {"conductance": 1e-5}, {}, gates)


def activation(power: float = 3.0, *more: tuple[str, Component]) -> tuple[str, Component]:
    forward, reverse = rate("HHExpLinearRate", 1.0, -40.0, 10.0), rate("HHExpRate", 4.0, -65.0, -18.0)
    children = (("forwardRate", forward), ("reverseRate", reverse), *more)
    return "gateHHrates", Component("gateHHrates", "m", {"instances": power}, {}, children)


def test_rates_become_a_and_b_per_second():
    """alpha and beta of the squid axon's sodium activation; at -40 mV the linear form is 0/0, and 1 per ms."""
    found = tables(system(channel(activation())), COLD)
    (gate,) = found.gates
    assert (found.scale, gate.power, gate.of_ion, gate.instant) == (1.0, 3.0, False, False)
    assert found.starts_elsewhere == ()
    x = (POTENTIALS + 40.0) / 10.0
    alpha = np.where(np.abs(x) < 1e-5, 1.0, x / -np.expm1(-np.where(x == 0, 1.0, x)))
    beta = 4.0 * np.exp(-(POTENTIALS + 65.0) / 18.0)
    np.testing.assert_allclose(gate.a, 1000 * alpha, rtol=1e-5)
    np.testing.assert_allclose(gate.b, 1000 * (alpha + beta), rtol=1e-5)


def test_a_temperature_is_in_the_tables():
    q10 = Component("q10ExpTemp", "", {"q10Factor": 3.0, "experimentalTemp": COLD})
    warm = system(channel(activation(3.0, ("q10Settings", q10))))
    cold, hot = (tables(warm, kelvin).gates[0] for kelvin in (COLD, COLD + 10))
    np.testing.assert_allclose(hot.a, 3 * cold.a)


def test_what_is_open_at_once_is_an_instant_gate():
    """A Boltzmann curve to the second, which no state is behind, beside one that is."""
    steady = Component("HHSigmoidVariable", "", {"rate": 1.0, "midpoint": -40.0, "scale": 5.0})
    fast = Component("gateHHInstantaneous", "n", {"instances": 2.0}, {}, (("steadyState", steady),))
    found = tables(system(channel(activation(), ("gateHHInstantaneous", fast))), COLD)
    slow, instant = found.gates
    assert (slow.power, slow.instant) == (3.0, False)
    assert (instant.power, instant.instant) == (1.0, True)
    expected = 1 / (1 + np.exp(-(POTENTIALS + 40) / 5)) ** 2
    np.testing.assert_allclose(found.scale * instant.a / instant.b, expected, atol=1e-9)


def of_calcium(text: str) -> tuple[Types, Component]:
    """A gate whose steady state is an expression, and whose time constant is 1 ms."""
    own = ComponentType(
        "own_inf",
        extends="baseVoltageConcDepVariable",
        constants={"K": ("concentration", 1e-3), "V": ("voltage", 10.0)},
        gives={"x": "none"},
        derived=(Derived("x", "none", (Case(parse(text)),)),),
    )
    children = (
        ("steadyState", Component("own_inf")),
        ("timeCourse", Component("fixedTimeCourse", "", {"tau": 1.0})),
    )
    gate = Component("gateHHtauInf", "z", {"instances": 1.0}, {}, children)
    return Types({"own_inf": own}), channel(("gateHHtauInf", gate))


def of_types(types: Types, found: Component) -> Dynamics:
    density = Component("channelDensity", "d", {"condDensity": 1.0, "erev": 50.0}, {"ionChannel": "channel"})
    return pruned(flatten(density, types, {"channel": replace(found, id="channel")}), [OPEN])


def test_a_gate_of_a_concentration():
    found = tables(of_types(*of_calcium("caConc / (caConc + K)")), COLD)
    (gate,) = found.gates
    assert gate.of_ion and not gate.instant
    np.testing.assert_allclose(gate.b, 1000.0)
    np.testing.assert_allclose(gate.a / gate.b, CONCENTRATIONS / (CONCENTRATIONS + 1e-3), atol=1e-12)


def scheme(first: str, second: str) -> Component:
    """A closed and an open state, in either order, with a rate each way in two transitions of their own."""
    ends = {"from": "c1", "to": "o1"}
    ahead = (("rate", rate("HHExpLinearRate", 0.1, -55.0, 10.0)),)
    back = (("rate", rate("HHExpRate", 0.125, -65.0, -80.0)),)
    states = {"c1": Component("closedState", "c1"), "o1": Component("openState", "o1")}
    roles = {"c1": "closedState", "o1": "openState"}
    gate = Component(
        "gateKS",
        "n",
        {"instances": 4.0},
        {},
        (
            *((roles[name], states[name]) for name in (first, second)),
            ("forwardTransition", Component("forwardTransition", "ft", {}, ends, ahead)),
            ("reverseTransition", Component("reverseTransition", "rt", {}, ends, back)),
        ),
    )
    return Component("ionChannelKS", "k", {"conductance": 1e-5}, {}, (("gateKS", gate),))


@pytest.mark.parametrize("order", [("c1", "o1"), ("o1", "c1")])
def test_a_scheme_of_two_states_is_a_gate(order):
    """The squid's potassium channel: the gate is how much is open, whichever state comes first."""
    found = tables(system(scheme(*order)), COLD)
    (gate,) = found.gates
    assert (gate.power, found.starts_elsewhere) == (4.0, ())
    x = np.where(np.abs(POTENTIALS + 55) < 1e-9, 1e-9, (POTENTIALS + 55.0) / 10.0)
    alpha, beta = 0.1 * x / -np.expm1(-x), 0.125 * np.exp(-(POTENTIALS + 65.0) / 80.0)
    np.testing.assert_allclose(gate.a, 1000 * alpha, rtol=1e-5)
    np.testing.assert_allclose(gate.b, 1000 * (alpha + beta), rtol=1e-5)


def three_states() -> Component:
    found = scheme("c1", "o1")
    ((role, gate),) = found.children
    more = replace(gate, children=(("closedState", Component("closedState", "c2")), *gate.children))
    return replace(found, children=((role, more),))


def fractional() -> Component:
    def sub(name: str, part: float) -> tuple[str, Component]:
        steady = Component("HHSigmoidVariable", "", {"rate": 1.0, "midpoint": -40.0, "scale": 5.0})
        course = Component("fixedTimeCourse", "", {"tau": part})
        own = Component(
            "subGate", name, {"fractionalConductance": part}, {}, (("steadyState", steady), ("timeCourse", course))
        )
        return "subGate", own

    gate = Component("gateFractional", "n", {"instances": 1.0}, {}, (sub("fast", 0.6), sub("slow", 0.4)))
    return channel(("gateFractional", gate))


def many() -> Component:
    return channel(*((role, replace(gate, id=f"m{number}")) for number, (role, gate) in enumerate([activation()] * 4)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: system(fractional()), "its conductance is no product of powers of its gates"),
        (lambda: system(three_states()), "it is a kinetic scheme of 3 states, of which a gate has two"),
        (lambda: system(many()), "it has 4 gates, and a channel of MOOSE three"),
        (
            lambda: of_types(*of_calcium("caConc / (caConc + K * exp(v / V))")),
            "channel_z_q depends on both the potential and a concentration",
        ),
        (lambda: of_types(*of_calcium("-1 / 0 * caConc / K")), "channel_z_q is no number at some potentials"),
    ],
)
def test_what_is_no_channel_of_moose(make, message):
    with pytest.raises(UnsupportedInput) as caught:
        tables(make(), COLD)
    assert message in str(caught.value)
