"""NMODL texts as equations: what is understood, with numbers by hand, and what is refused, by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")

from pynn_io.errors import BackendUnavailable, PynnIOError, ReadError, UnsupportedInput
from pynn_io.formats.nmodl import parse_mechanism
from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.importers.nmodl_channels import translate
from pynn_io.importers.nmodl_equations import equations_of
from pynn_io.importers.nmodl_forms import Values

FILE = Path("made.mod")
HEAD = "NEURON { SUFFIX made USEION k READ ek WRITE ik RANGE gbar, tau }\n"
REST = """\
PARAMETER { gbar = .01 (S/cm2) tau = 5 (ms) }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) celsius (degC) minf }
STATE { m }
"""
BREAKPOINT = "BREAKPOINT { SOLVE states METHOD cnexp ik = gbar*m*(v - ek) }\n"
STATES = "DERIVATIVE states { rates(v) m' = (minf - m)/tau }\n"
INITIAL = "INITIAL { rates(v) m = minf }\n"


def mechanism(*parts: str, head: str = HEAD) -> Mechanism:
    return parse_mechanism("\n".join([head, REST, *parts]), FILE)


def minf(body: str, v: float, more: str = "", **at: float) -> float:
    """The steady state that a body of ``rates(v)`` computes."""
    found = equations_of(mechanism(BREAKPOINT, STATES, INITIAL, f"PROCEDURE rates(v) {{ {body} }}", more))
    return float(Values(found, {}).of(found.start["m"], v=v, **at))


@pytest.mark.parametrize(
    ("body", "v", "expected"),
    [
        ("minf = 2^3^2 - -v^2", 3.0, 512.0 + 9.0),
        ("minf = 5 (mV) + 1.5e1(mV)", 0.0, 20.0),
        ("minf = fabs(-3) + log10(1000) + pow(2, 3) + log(exp(1))", 0.0, 15.0),
        ("if (v < -10) { minf = 1 } else if (v == 7) { minf = 2 } else { minf = 3 }", -11.0, 1.0),
        ("if (v < -10) { minf = 1 } else if (v == 7) { minf = 2 } else { minf = 3 }", 7.0, 2.0),
        ("if (v < -10) { minf = 1 } else if (v == 7) { minf = 2 } else { minf = 3 }", 8.0, 3.0),
        ("minf = 1 if (v > 0 && !(v > 5)) { minf = minf + 1 }", 4.0, 2.0),
        ("minf = 1 if (v > 0 && !(v > 5)) { minf = minf + 1 }", 6.0, 1.0),
        ("LOCAL v2 v2 = v + 1 if (v2 == 4) { v2 = v2 + 0.5 } minf = v2", 3.0, 4.5),
        ("v = v + 65 minf = v", -60.0, 5.0),
        ("if (1 == 2) { minf = 7 } else { minf = 8 }", 0.0, 8.0),
    ],
)
def test_values_by_hand(body: str, v: float, expected: float) -> None:
    assert minf(body, v) == pytest.approx(expected, rel=1e-15)


def test_functions_are_put_in_and_their_names_are_their_own() -> None:
    functions = """
    FUNCTION trap(x, y) { LOCAL z z = x/y if (fabs(z) < 1e-6) { trap = y*(1 - z/2) } else { trap = x/(exp(z) - 1) } }
    FUNCTION twice(x) { twice = 2*trap(x, 5) }
    """
    body = "LOCAL z z = 100 minf = twice(v) + z"
    assert minf(body, 0.0, functions) == pytest.approx(110.0, rel=1e-12)
    assert minf(body, 5.0, functions) == pytest.approx(100 + 10 / (np.e - 1), rel=1e-12)


def test_what_initial_sets_of_parameters_holds_later() -> None:
    initial = "INITIAL { tau = tau/2 rates(v) m = minf }"
    found = equations_of(mechanism(BREAKPOINT, STATES, initial, "PROCEDURE rates(v) { minf = v }"))
    assert float(Values(found, {}).of(found.rates["m"], v=10.0, m=5.0)) == pytest.approx(2.0)


def test_what_initial_computes_of_the_potential_is_kept() -> None:
    assigned = "ASSIGNED { first }"
    states = "DERIVATIVE states { m' = (first - m)/tau }"
    found = equations_of(mechanism(assigned, BREAKPOINT, states, "INITIAL { first = v m = 0 }"))
    assert {name: str(value) for name, value in found.frozen.items()} == {"first": "v"}
    assert "first_at_start" in found.rates["m"].names


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("PROCEDURE rates(v) { VERBATIM\n int a;\n ENDVERBATIM\n minf = 1 }", "it has VERBATIM"),
        ("PROCEDURE rates(v) { minf = 0 WHILE (minf < 3) { minf = minf + 1 } }", "it has WHILE"),
        ("PROCEDURE rates(v) { minf = dt }", "it computes with dt"),
        ("PROCEDURE rates(v) { minf = other }", "other is used before it is set"),
        ("PROCEDURE rates(v) { minf = rates2(v) }", "it calls rates2"),
        ("PROCEDURE rates(v) { net_send(1, 2) minf = 1 }", "it calls net_send"),
        ("PROCEDURE rates(v) { minf = again(v) }\nFUNCTION again(x) { again = again(x) }", "again calls itself"),
    ],
)
def test_refusals(part: str, words: str) -> None:
    with pytest.raises(UnsupportedInput, match=words) as caught:
        equations_of(mechanism(BREAKPOINT, STATES, INITIAL, part))
    assert caught.value.where.startswith("made.mod:")


def test_refusals_of_declarations() -> None:
    rates = "PROCEDURE rates(v) { minf = 1 }"
    pointer = HEAD.replace("RANGE", "POINTER p RANGE")
    with pytest.raises(UnsupportedInput, match=r"what a POINTER points to \(p\)"):
        equations_of(mechanism(BREAKPOINT, STATES, INITIAL, rates, head=pointer))
    with pytest.raises(UnsupportedInput, match=r"it has arrays \(a\)"):
        equations_of(mechanism("ASSIGNED { a[3] }", BREAKPOINT, STATES, INITIAL, rates))


def test_a_synapse_with_more_than_a_weight_is_refused() -> None:
    text = """
    NEURON { POINT_PROCESS made NONSPECIFIC_CURRENT i }
    ASSIGNED { v (mV) i (nA) }
    STATE { g }
    BREAKPOINT { SOLVE states METHOD cnexp i = g*v }
    DERIVATIVE states { g' = -g/2 }
    NET_RECEIVE(w, t0) { g = g + w }
    """
    with pytest.raises(UnsupportedInput, match="its events carry more than a weight") as caught:
        translate(parse_mechanism(text, FILE))
    assert caught.value.where == "made.mod:7"


def test_a_current_that_is_not_ohmic_is_refused() -> None:
    breakpoint = "BREAKPOINT { SOLVE states METHOD cnexp ik = gbar*m*(v - ek) + v }"
    with pytest.raises(UnsupportedInput, match=r"its current ik is not a conductance times \(v - e\)"):
        translate(mechanism(breakpoint, STATES, INITIAL, "PROCEDURE rates(v) { minf = v }"))


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("NEURON { SUFFIX made\n", "made.mod:2", "this is not NMODL"),
        ("NEURON { SUFFIX made }\nBREAKPOINT { x = = 3 }\n", "made.mod:2", "this is not NMODL"),
        ("PARAMETER { a = 1 }\n", "made.mod", "this NMODL file names no mechanism"),
    ],
)
def test_malformed_texts(text: str, where: str, words: str) -> None:
    with pytest.raises(ReadError, match=words) as caught:
        parse_mechanism(text, FILE)
    assert caught.value.where == where


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nmodl", None)
    with pytest.raises(BackendUnavailable, match="needs the package 'nmodl'") as caught:
        parse_mechanism(HEAD, FILE)
    assert caught.value.hint == "pip install 'pynn_io[nmodl]'"


@pytest.mark.parametrize("spelling", ["(minf - m)/tau", "(minf - m)*(1/tau)", "minf/tau*(1 - m) - (1 - minf)/tau*m"])
def test_a_gate_is_a_gate_in_any_spelling(spelling: str) -> None:
    states = f"DERIVATIVE states {{ rates(v) m' = {spelling} }}"
    rates = "PROCEDURE rates(v) { minf = 1/(1 + exp(-(v + 40)/7.5)) }"
    (channel,) = translate(mechanism(BREAKPOINT, states, INITIAL, rates)).channels
    ((role, gate),) = channel.component.children
    assert (channel.component.type, role, gate.id) == ("ionChannelHH", "gateHHtauInf", "m")
    inf = next(child for name, child in gate.children if name == "steadyState")
    assert inf.type == "HHSigmoidVariable"
    assert inf.parameters == pytest.approx({"rate": 1.0, "midpoint": -40.0, "scale": 7.5}, rel=1e-11)


def test_damaged_texts_raise_nothing_but_our_errors() -> None:
    whole = "\n".join([HEAD, REST, BREAKPOINT, STATES, INITIAL, "PROCEDURE rates(v) { minf = v }"])
    random, refused = np.random.default_rng(7), 0
    for _ in range(300):
        place, length = random.integers(len(whole)), random.integers(1, 12)
        text = whole[:place] + whole[place + length :]
        try:
            translate(parse_mechanism(text, FILE))
        except PynnIOError:
            refused += 1
    assert 0 < refused < 300


SCHEME = """
NEURON {{ SUFFIX made USEION k READ ek WRITE ik }}
PARAMETER {{ gbar = .01 (S/cm2) }}
ASSIGNED {{ v (mV) ek (mV) ik (mA/cm2) }}
STATE {{ c o }}
BREAKPOINT {{ SOLVE scheme METHOD sparse ik = gbar*o*(v - ek) }}
INITIAL {{ SOLVE scheme STEADYSTATE sparse }}
KINETIC scheme {{ {body} }}
"""


def test_a_scheme_of_states() -> None:
    body = "~ c <-> o (exp(v/10), 3) CONSERVE c + o = 1"
    found = translate(parse_mechanism(SCHEME.format(body=body), FILE))
    (channel,) = found.channels
    ((role, gate),) = channel.component.children
    assert (found.kind, channel.component.type, role) == ("scheme", "ionChannelKS", "gateKS")
    assert [(name, each.id) for name, each in gate.children[:2]] == [("closedState", "c"), ("openState", "o")]
    assert gate.children[2][1].texts == {"from": "c", "to": "o"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("COMPARTMENT 2 { c o } ~ c <-> o (1, 3)", "it has COMPARTMENT"),
        ("~ c << (1)", "reactions with << are not translated"),
        ("~ c -> (1)", "reactions with -> are not translated"),
        ("~ c <-> gone (1, 2)", "reactions of gone, no state, are not translated"),
    ],
)
def test_reactions_that_are_refused(body: str, words: str) -> None:
    with pytest.raises(UnsupportedInput, match=words) as caught:
        translate(parse_mechanism(SCHEME.format(body=body), FILE))
    assert caught.value.where == "made.mod:8"


_CALCIUM = "NEURON { SUFFIX made USEION ca READ ica WRITE cai, cao }\nASSIGNED { ica }\nSTATE { cai cao }\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "NEURON { SUFFIX made ELECTRODE_CURRENT i }\nASSIGNED { v i }\nBREAKPOINT { i = 0.1*v }\n",
            "it has an ELECTRODE_CURRENT",
        ),
        (
            _CALCIUM + "BREAKPOINT { SOLVE s METHOD cnexp }\nDERIVATIVE s { cai' = -cai cao' = -cao }\n",
            "a pool that sets cai, cao is translated where that is cai, a state",
        ),
        (
            "NEURON { POINT_PROCESS made USEION ca WRITE ica NONSPECIFIC_CURRENT i }\nASSIGNED { v i ica }\n"
            "STATE { g }\nBREAKPOINT { SOLVE s METHOD cnexp i = g*v ica = i/10 }\nDERIVATIVE s { g' = -g }\n"
            "NET_RECEIVE(w) { g = g + w }\n",
            "a synapse of the currents i, ica is not translated",
        ),
    ],
)
def test_what_is_more_than_one_thing_is_refused(text: str, words: str) -> None:
    """Half of it would be lost in silence."""
    with pytest.raises(UnsupportedInput, match=words):
        translate(parse_mechanism(text, FILE))
