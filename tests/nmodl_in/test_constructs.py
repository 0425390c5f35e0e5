"""Words of NMODL that are legal and common: each is translated, or refused by name with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nmodl import parse_mechanism, read_mechanism
from pynn_io.graph.biophysics import Law
from pynn_io.importers.nmodl_channels import Translation, translate
from pynn_io.importers.nmodl_equations import equations_of
from pynn_io.importers.nmodl_forms import Values
from pynn_io.pipeline import read
from pynn_io.report import Report

NEURON = "NEURON { SUFFIX made NONSPECIFIC_CURRENT i RANGE g }\n"
DECLARED = "PARAMETER { g = .001 (S/cm2) e = -70 }\nASSIGNED { v i inf tau }\nSTATE { m }\n"
EQUATIONS = """INITIAL { rates(v) m = inf }
BREAKPOINT { SOLVE states METHOD cnexp i = g*m*(v - e) }
DERIVATIVE states { rates(v) m' = (inf - m)/tau }
"""
RATES = "PROCEDURE rates(v) { inf = 1/(1 + exp(-(v + 40)/5)) tau = 6 }\n"


def _text(before: str = "", rates: str = "tau = 6", after: str = "") -> str:
    return before + NEURON + DECLARED + EQUATIONS + RATES.replace("tau = 6", rates) + after


#: Each says that the time constant is 6 ms.
SAME = {
    "DEFINE": _text("DEFINE N 6\n", "tau = N"),
    "LOCAL of the file": _text("LOCAL q\n", "q = 6 tau = q"),
    "CONSTANT": _text("CONSTANT { q = 6 (ms) }\n", "tau = q"),
    "INDEPENDENT": _text("INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }\n"),
    "UNITSOFF": _text("UNITSOFF\n", after="UNITSON\n"),
    "TABLE": _text(rates="TABLE inf, tau DEPEND g FROM -100 TO 100 WITH 200\n tau = 6"),
    "FROM": _text(rates="tau = 0 FROM k = 1 TO 3 { tau = tau + k }"),
    "FROM BY": _text("DEFINE N 5\n", "tau = 0 FROM k = 1 TO N-1 BY 3 { tau = tau + k } tau = tau + 1"),
    "printf": _text(rates='tau = 6 if (v < -1000) { printf("low") }'),
}


@pytest.mark.parametrize("word", SAME)
def test_a_word_that_is_translated(word: str) -> None:
    found = translate(parse_mechanism(SAME[word], Path("made.mod")))
    (channel,) = found.channels
    ((_, gate),) = channel.component.children
    course = dict(gate.children)["timeCourse"]
    assert (course.type, course.parameters) == ("fixedTimeCourse", {"tau": 6.0})
    assert found.tables == (("inf", "tau") if word == "TABLE" else ())


def test_a_table_of_a_function_is_named_after_it() -> None:
    text = _text(rates="tau = other(v)", after="FUNCTION other(v) { TABLE FROM -100 TO 100 WITH 200\n other = 6 }\n")
    assert translate(parse_mechanism(text, Path("made.mod"))).tables == ("other",)


REFUSED = {
    _text(after="FUNCTION_TABLE other(v)\n"): "made.mod:9: made: it has FUNCTION_TABLE",
    _text(after="\nVERBATIM\n#include <math.h>\nENDVERBATIM\n"): "made.mod:10: made: it has VERBATIM",
    _text(rates="tau = 0 WHILE (tau < 6) { tau = tau + 1 }"): "made.mod:8: made: it has WHILE",
    _text(rates="tau = 0 FROM k = 1 TO v { tau = 6 }"): (
        "made.mod:8: made: it has FROM with bounds that are no whole numbers"
    ),
    _text(rates="tau = 0 FROM k = 1 TO 1000 { tau = 6 }"): "made.mod:8: made: it has FROM with 1000 steps",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_word_that_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedInput) as caught:
        translate(parse_mechanism(text, Path("made.mod")))
    assert str(caught.value) == REFUSED[text]


# --- INCLUDE ------------------------------------------------------------------------------------------------------


def test_an_included_file_stands_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "rates.inc").write_text(RATES)
    (tmp_path / "made.mod").write_text(f'{NEURON}{DECLARED}INCLUDE "rates.inc"\n{EQUATIONS}')
    mechanism = read_mechanism(tmp_path / "made.mod")
    assert translate(mechanism).channels
    lines = {name: mechanism.blocks[name].line for name in ("rates", "INITIAL", "states")}
    assert lines == {"rates": 5, "INITIAL": 6, "states": 8}


def test_errors_of_an_included_file_are_at_its_own_lines(tmp_path: Path) -> None:
    (tmp_path / "rates.inc").write_text("PROCEDURE rates(v) {\n tau = = 6\n}\n")
    (tmp_path / "made.mod").write_text(f'{NEURON}{DECLARED}INCLUDE "rates.inc"\n{EQUATIONS}')
    with pytest.raises(ReadError) as caught:
        read_mechanism(tmp_path / "made.mod")
    assert str(caught.value) == f"{tmp_path}/rates.inc:2: this is not NMODL: syntax error, unexpected ="


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.inc", "cannot read none.inc, which is included: No such file or directory"),
        (".", "cannot read ., which is included: it is no file"),
        ("made.mod", "files include each other 12 deep"),
    ],
)
def test_a_file_that_cannot_be_included(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "made.mod").write_text(f'{NEURON}INCLUDE "{name}"\n')
    with pytest.raises(ReadError) as caught:
        read_mechanism(tmp_path / "made.mod")
    assert str(caught.value) == f"{tmp_path}/made.mod:2: {reason}"


# --- Goldman, Hodgkin and Katz ------------------------------------------------------------------------------------

GHK = """NEURON {{ SUFFIX made USEION ca READ cai, cao WRITE ica RANGE pbar }}
UNITS {{ {units} }}
PARAMETER {{ pbar = 1e-4 (cm/s) celsius (degC) }}
ASSIGNED {{ v (mV) ica (mA/cm2) cai (mM) cao (mM) }}
STATE {{ m }}
INITIAL {{ m = 1/(1 + exp(-(v + 20)/6)) }}
BREAKPOINT {{ SOLVE states METHOD cnexp ica = {current} }}
DERIVATIVE states {{ m' = (1/(1 + exp(-(v + 20)/6)) - m)/3 }}
FUNCTION ghk(v, ci, co) {{ LOCAL z
 z = .001*2*F*v/(R*(celsius + 273.15))
 ghk = .001*2*F*(ci*efun(-z) - co*efun(z)) }}
FUNCTION efun(z) {{ if (fabs(z) < 1e-4) {{ efun = 1 - z/2 }} else {{ efun = z/(exp(z) - 1) }} }}
FUNCTION reduced(v, ci, co) {{ LOCAL f
 f = 12.5*(celsius + 273.15)/293.15
 reduced = -f*(1 - ci/co*exp(v/f))*efun(v/f) }}
"""
NEURONS = "F = (faraday) (coulomb) R = (k-mole) (joule/degC)"


def _ghk(current: str, units: str = NEURONS) -> Translation:
    return translate(parse_mechanism(GHK.format(current=current, units=units), Path("made.mod")))


@pytest.mark.parametrize(
    ("current", "scale"),
    [
        ("pbar*m*m*ghk(v, cai, cao)", 1.0),
        ("m^2*(0.5*pbar)*ghk(v, cai, cao)", 0.5),
        ("-m*m*pbar*(-ghk(v,cai,cao))", 1.0),
    ],
)
def test_a_permeability(current: str, scale: float) -> None:
    found = _ghk(current)
    (channel,) = found.channels
    assert (channel.law, channel.density, channel.ion, channel.kind) == (Law.GHK, "pbar", "ca", "gates")
    assert channel.scale == pytest.approx(scale, rel=1e-6) and channel.reversal is None
    assert [gate.parameters["instances"] for _, gate in channel.component.children] == [2.0]
    assert found.calcium and not found.notes


def test_a_permeability_with_other_digits_of_the_constants_says_so() -> None:
    (note,) = _ghk("pbar*m*ghk(v, cai, cao)", "F = 96520 (coul) R = 8.3134 (joule/degC)").notes
    assert "with other digits of their constants: up to 5e-05 of" in note


@pytest.mark.parametrize(
    "current", ["pbar*m*reduced(v, cai, cao)", "pbar*m*ghk(v, cao, cai)*cai", "pbar*m*(cai - cao)"]
)
def test_what_only_resembles_it_is_refused(current: str) -> None:
    with pytest.raises(
        UnsupportedInput, match=r"its current ica is not a conductance times \(v - e\), nor a permeability"
    ):
        _ghk(current)


def test_a_channel_alone_says_that_its_current_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "made.mod"
    path.write_text(GHK.format(current="pbar*m*ghk(v, cai, cao)", units=NEURONS))
    report = Report()
    assert set(read(path, report=report).network.channels) == {"made"}
    (issue,) = report
    assert (issue.code, issue.examples) == ("mechanism-current", ["made"])


def test_the_equation_is_what_the_file_computes() -> None:
    """By hand: at 0 mV, 1e-4 cm/s lets 1e-4 * 2 F (cai - cao) pass, in mA/cm2 where mM are umol/cm3."""
    mechanism = parse_mechanism(GHK.format(current="pbar*ghk(v, cai, cao)", units=NEURONS), Path("made.mod"))
    equations = equations_of(mechanism)
    made = Values(equations, {}).of(equations.currents["ica"], v=1e-9, cai=1e-4, cao=2.0, celsius=25.0)
    np.testing.assert_allclose(made, 1e-4 * 2 * 96485.332 * (1e-4 - 2.0) * 1e-3, rtol=1e-6)


# --- pools --------------------------------------------------------------------------------------------------------

POOL = """NEURON { SUFFIX made USEION ca READ ica WRITE cai }
PARAMETER { depth = .1 rest = 2e-4 tau = 80 }
STATE { ca }
INITIAL { ca = rest cai = ca }
BREAKPOINT { SOLVE states METHOD cnexp }
DERIVATIVE states { LOCAL drive
 drive = -10000*ica/(2*96489*depth)
 if (drive <= 0) { drive = 0 }
 ca' = drive + (rest - ca)/tau
 cai = ca }
"""


def test_a_pool_whose_state_has_a_name_of_its_own() -> None:
    found = translate(parse_mechanism(POOL, Path("made.mod")))
    assert found.pool is not None and found.pool.initial == 2e-4
    (made,) = found.types.values()
    assert set(made.states) == {"concentration", "extConcentration"}
    assert made.gives.keys() == {"concentration", "extConcentration"}


@pytest.mark.parametrize("change", ["cai = 2*ca", "cai = drive"])
def test_a_pool_that_sets_something_else_is_refused(change: str) -> None:
    with pytest.raises(UnsupportedInput, match="a pool that sets cai is translated where that is cai, a state"):
        translate(parse_mechanism(POOL.replace("\n cai = ca }", f"\n {change} }}"), Path("made.mod")))
