"""Code of the shape that jNeuroML writes for NEURON: which of its equations are put where its constants are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pynn_io.runners.jneuroml.stepping import Stepping, explicit, step_exactly, stepped

FRAME = """NEURON {{ SUFFIX x }}
STATE {{ {states} }}
BREAKPOINT {{
    SOLVE states METHOD cnexp
    gion = gmax * m_fcond
}}
DERIVATIVE states {{
    rates()
{handed}
}}
PROCEDURE rates() {{
{rates}
}}
"""
_NOTE = " ? Note units of all quantities used here need to be consistent!"


def code(rates: str, **equations: str) -> str:
    handed = "\n".join(f"    {state}' = rate_{state} " for state in equations)
    values = "\n".join(f"    rate_{state} = {value}{_NOTE}" for state, value in equations.items())
    return FRAME.format(states=" ".join(equations), handed=handed, rates=f"{rates}\n{values}")


def derivative(text: str | None) -> list[str]:
    assert text is not None
    block = text.split("DERIVATIVE states {")[1].split("}")[0]
    return [" ".join(line.split()) for line in block.splitlines() if line.strip()]


GATE = "    m_fcond = m_q ^ m_instances ? evaluable\n    m_inf = a / (a + b) ? evaluable"


def test_a_gates_equation_takes_the_place_of_its_rate_and_the_current_is_of_the_new_state() -> None:
    found = stepped(code(GATE, m_q="( m_inf  -  m_q ) /  m_tau"))
    assert derivative(found) == ["rates()", "m_q' = ( m_inf - m_q ) / m_tau"]
    assert found is not None and "SOLVE states METHOD cnexp\n    rates()\n    gion" in found


def test_what_depends_on_a_state_is_put_in_by_way_of_others() -> None:
    rates = (
        "inside = conc / MILLI ? evaluable\n    over = inside - 2 ? path based, prefix = x_\n    s = area ? evaluable"
    )
    found = stepped(code(rates, conc="( influx * s - over / decay ) * MILLI"))
    assert derivative(found)[1] == "conc' = ( influx * s - ((conc / MILLI) - 2) / decay ) * MILLI"


@pytest.mark.parametrize(
    ("rates", "equation"),
    [
        pytest.param("", "m_q * (1 - m_q)", id="not linear"),
        pytest.param("    square = m_q * m_q ? evaluable", "1 - square", id="not linear by way of another"),
        pytest.param("", "(inf - m_q) / tau * random_float(1)", id="numbers are drawn"),
        pytest.param(
            "if (m_q > 0.5)  { \n        r = 1 ? evaluable cdv\n    } else  { \n        r = 2 ? evaluable cdv\n    }",
            "(inf - m_q) / r",
            id="by way of a condition",
        ),
        pytest.param("    LOCAL caConc\n    caConc = cai", "(caConc - m_q) / tau", id="a local variable"),
    ],
)
def test_what_cnexp_cannot_solve_stays_as_it_is(rates: str, equation: str) -> None:
    assert stepped(code(rates, m_q=equation)) is None


def test_a_rate_that_is_not_where_it_is_looked_for_is_left_alone() -> None:
    assert stepped(code("", m_q="(inf - m_q) / tau").replace(_NOTE, "")) is None


def test_a_branch_of_the_potential_hides_no_state() -> None:
    rates = (
        "    LOCAL caConc\n    if (v > 0)  { \n        r = 1 ? evaluable cdv\n    } else if (caConc > 1)  { \n"
        "        r = 2 ? evaluable cdv\n    }\n    inf = caConc / r ? evaluable"
    )
    assert derivative(stepped(code(rates, m_q="(inf - m_q) / r"))) == ["rates()", "m_q' = (inf - m_q) / r"]


def test_the_mechanisms_of_a_folder_are_named_and_those_that_cannot_be_stepped_are_not_touched(tmp_path: Path) -> None:
    texts = {
        "b": code(GATE, m_q="(m_inf - m_q) / m_tau"),
        "a": code("", m_q="m_q * m_q"),
        "pas": "NEURON { SUFFIX pas }",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.mod").write_text(text)
    assert explicit(tmp_path) == ("a", "b")
    assert step_exactly(tmp_path) == Stepping(exact=("b",), euler=("a",))
    assert explicit(tmp_path) == ("a",)
    assert (tmp_path / "a.mod").read_text() == texts["a"] and (tmp_path / "pas.mod").read_text() == texts["pas"]
