"""Gates and rates are recognised by what they compute, in whatever algebra a file states them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")

from pynn_io.formats.nmodl import parse_mechanism
from pynn_io.graph.dynamics import Component
from pynn_io.importers.nmodl_channels import Channel, Translation, translate
from pynn_io.importers.nmodl_curves import curve

#: Numbers as files state them: some digits, none too near 0.
RATES = st.integers(1, 4000).map(lambda number: number / 1000)
MIDPOINTS = st.integers(-900, 400).map(lambda number: number / 10)
SCALES = st.integers(25, 400).map(lambda number: number / 10).flatmap(lambda s: st.sampled_from((s, -s)))
INSTANCES = st.integers(1, 4)
KINDS = st.sampled_from(("Exp", "Sigmoid", "ExpLinear"))
CURVES = st.tuples(KINDS, RATES, MIDPOINTS, SCALES)
#: Exponentials that fall, and what rises with them: as far as ``1 - inf`` has digits that tell what it is.
_MILD = (RATES, st.integers(-60, 0).map(float), st.integers(25, 50).map(float))
FALLING = st.tuples(st.just("Exp"), *_MILD).map(lambda found: (*found[:3], -found[3]))
RISING = st.tuples(st.sampled_from(("Exp", "Sigmoid")), *_MILD)
#: A curve -> ways to write it; ``trap`` is a function that guards 0 / 0.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "Exp": ("{r}*exp((v - ({m}))/{s})", "{r}*exp(-({m})/{s})*exp(v/{s})", "{r}/exp((({m}) - v)/{s})"),
    "Sigmoid": (
        "{r}/(1 + exp(-(v - ({m}))/{s}))",
        "{r}*exp((v - ({m}))/{s})/(exp((v - ({m}))/{s}) + 1)",
        "{r}/(exp((({m}) - v)/{s}) + 1)",
    ),
    "ExpLinear": ("{r}/{s}*trap(-(v - ({m})), {s})", "{r}*trap((({m}) - v)/{s}, 1)", "({r}/{s})*other(v - ({m}), {s})"),
}
FUNCTIONS = """
FUNCTION trap(x, y) {
    if (fabs(x/y) < 1e-6) { trap = y*(1 - x/y/2) } else { trap = x/(exp(x/y) - 1) }
}
FUNCTION other(x, y) { LOCAL u
    u = x/y
    if (u < 1e-6 && u > -1e-6) { other = y*(1 + u/2) } else { other = x/(1 - exp(-u)) }
}
"""
HEAD = "NEURON {{ SUFFIX made USEION k READ ek WRITE ik RANGE gbar }}\nPARAMETER {{ gbar = .01 (S/cm2) }}\n"
TEXT = (
    HEAD
    + """
ASSIGNED {{ v (mV) ek (mV) ik (mA/cm2) celsius (degC) a b q }}
STATE {{ m }}
BREAKPOINT {{ SOLVE states METHOD cnexp {current} }}
DERIVATIVE states {{ rates(v) m' = {rate} }}
INITIAL {{ rates(v) m = {start} }}
PROCEDURE rates(v) {{ q = {q10} a = {a} b = {b} }}
"""
    + FUNCTIONS.replace("{", "{{").replace("}", "}}")
)
#: How a gate opens and closes -> the rate of its state, and where it starts.
STATED = (("a*(1 - m) - b*m", "a/(a + b)"), ("(1 - m)*a - m*b", "1/(1 + b/a)"))
RELAXING = (("(a/(a + b) - m)*(a + b)", "a/(a + b)"), ("(a/(a + b) - m)/(1/(a + b))", "1/(1 + b/a)"))
CURRENTS = {
    "power": "ik = gbar*m^{n}*(v - ek)",
    "product": "ik = gbar*{times}*(v - ek)",
    "reversed": "ik = -(ek - v)*(m^{n})*gbar",
    "named": "a = gbar*m^{n} ik = a*(v - ek)",
}


def written(found: tuple[str, float, float, float], spelling: int) -> str:
    kind, rate, midpoint, scale = found
    options = SPELLINGS[kind]
    return options[spelling % len(options)].format(r=rate, m=midpoint, s=scale)


def channel(text: str) -> Channel:
    found: Translation = translate(parse_mechanism(text, Path("made.mod")))
    (only,) = found.channels
    return only


def gate(text: str) -> tuple[str, Component]:
    """The role and the component of the only gate."""
    found = channel(text)
    assert (found.density, found.scale, found.reversal, found.ion) == ("gbar", 1.0, None, "k")
    (part,) = found.component.children
    return part


def value(found: Component, v: np.ndarray) -> np.ndarray:
    """NeuroML's formulas by hand (NeuroML 2.3, Channels)."""
    x = (v - found.parameters["midpoint"]) / found.parameters["scale"]
    with np.errstate(over="ignore"):
        shapes = {"Exp": np.exp(x), "Sigmoid": 1 / (1 + np.exp(-x)), "ExpLinear": x / (1 - np.exp(-x))}
    return found.parameters["rate"] * shapes[found.type.removeprefix("HH").removesuffix("Rate")]


POTENTIALS = np.linspace(-119.993, 79.991, 41)


GATES = st.one_of(
    st.tuples(CURVES, CURVES, st.sampled_from(STATED)), st.tuples(FALLING, RISING, st.sampled_from(RELAXING))
)


@settings(max_examples=40, deadline=None)
@given(
    stated=GATES,
    spelling=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    current=st.sampled_from(sorted(CURRENTS)),
    instances=INSTANCES,
)
def test_gates_with_rates(
    stated: tuple[tuple[str, float, float, float], tuple[str, float, float, float], tuple[str, str]],
    spelling: tuple[int, int],
    current: str,
    instances: int,
) -> None:
    forward, reverse, (rate, start) = stated
    text = TEXT.format(
        current=CURRENTS[current].format(n=instances, times="*".join("m" * instances)),
        rate=rate,
        start=start,
        q10="1",
        a=written(forward, spelling[0]),
        b=written(reverse, spelling[1]),
    )
    role, found = gate(text)
    assert (role, found.id, found.parameters) == ("gateHHrates", "m", {"instances": float(instances)})
    parts = dict(found.children)
    for (kind, r, m, s), part in ((forward, parts["forwardRate"]), (reverse, parts["reverseRate"])):
        wanted = Component(f"HH{kind}Rate", "", {"rate": r, "midpoint": m, "scale": s})
        assert part.type == wanted.type
        np.testing.assert_allclose(value(part, POTENTIALS), value(wanted, POTENTIALS), rtol=1e-8)
        assert part.parameters["scale"] == pytest.approx(s, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    factor=st.integers(11, 50).map(lambda number: number / 10),
    reference=st.integers(50, 370).map(lambda number: number / 10),
    spelling=st.sampled_from(
        ("{f}^((celsius - {r})/10)", "exp(log({f})*(celsius - {r})/10)", "pow({f}, (celsius-{r})/10)")
    ),
    kinetics=st.sampled_from(("q*(a/(a + b) - m)*(a + b)", "(a/(a + b) - m)/(1/(q*(a + b)))", "q*a*(1 - m) - q*b*m")),
)
def test_q10(factor: float, reference: float, spelling: str, kinetics: str) -> None:
    text = TEXT.format(
        current="ik = gbar*m*(v - ek)",
        rate=kinetics,
        start="a/(a + b)",
        q10=spelling.format(f=factor, r=reference),
        a="0.1*exp((v + 40)/9)",
        b="0.3*exp(-(v + 50)/17)",
    )
    role, found = gate(text)
    parts = dict(found.children)
    assert role == "gateHHrates"
    assert (parts["forwardRate"].type, parts["reverseRate"].type) == ("HHExpRate", "HHExpRate")
    settings_ = parts["q10Settings"]
    assert settings_.type == "q10ExpTemp"
    assert settings_.parameters["q10Factor"] == pytest.approx(factor, rel=1e-9)
    assert settings_.parameters["experimentalTemp"] == pytest.approx(reference + 273.15, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(midpoint=MIDPOINTS, scale=SCALES, tau=RATES, spelling=st.integers(0, 2), instances=INSTANCES)
def test_gates_with_a_time_course(midpoint: float, scale: float, tau: float, spelling: int, instances: int) -> None:
    text = TEXT.format(
        current=CURRENTS["power"].format(n=instances),
        rate=f"(a - m)/{tau}",
        start="a",
        q10="1",
        a=written(("Sigmoid", 1.0, midpoint, scale), spelling),
        b="0",
    )
    role, found = gate(text)
    parts = dict(found.children)
    assert parts.keys() in ({"timeCourse", "steadyState"}, {"forwardRate", "reverseRate"})
    assert found.parameters == {"instances": float(instances)}
    if role == "gateHHtauInf":
        assert parts["timeCourse"].parameters == pytest.approx({"tau": tau})
        assert parts["steadyState"].type == "HHSigmoidVariable"
        numbers = {"rate": 1.0, "midpoint": midpoint, "scale": scale}
        assert parts["steadyState"].parameters == pytest.approx(numbers, rel=1e-6, abs=1e-6)
    else:
        inf, total = value(parts["forwardRate"], POTENTIALS), sum(value(each, POTENTIALS) for each in parts.values())
        np.testing.assert_allclose(inf / total, 1 / (1 + np.exp(-(POTENTIALS - midpoint) / scale)), rtol=1e-8)


@pytest.mark.parametrize(
    "function",
    [
        lambda v: 1 + 0 * v,
        lambda v: 1 / (2 + np.exp(-(v + 30) / 7)) + 1e-6,
        lambda v: np.exp((v + 30) / 7) + 1e-6 * v**2,
        lambda v: 1 / (1 + np.exp(-(v + 30) / 7)) ** 2,
        lambda v: np.exp(-((v + 30) ** 2) / 900),
        lambda v: np.log(v),
    ],
)
def test_what_is_no_formula_of_neuroml(function) -> None:  # type: ignore[no-untyped-def]
    assert curve(function) is None


@pytest.mark.parametrize(
    ("rate", "start"),
    [
        ("(a - m)*m", "a"),
        ("(a - m^2)/5", "a"),
        ("(a - m)/5", "a/2"),
        ("(a - m)/5", "0"),
    ],
)
def test_a_state_that_is_no_gate_keeps_its_equation(rate: str, start: str) -> None:
    text = TEXT.format(current="ik = gbar*m*(v - ek)", rate=rate, start=start, q10="1", a="v/(v + 200)", b="1")
    found = channel(text)
    assert found.kind == "equations"
    assert not found.component.children
