"""Expressions: LEMS in, LEMS, NMODL and Python out, with the meaning kept."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.errors import ReadError
from pynn_io.graph.expressions import LEMS, NMODL, PYTHON, Expression, parse, render


@pytest.mark.parametrize(
    ("lems", "nmodl"),
    [
        ("rate * x / (1 - exp(0 - x))", "rate * x / (1 - exp(0 - x))"),
        ("-x^2", "-x^2"),
        ("v .gt. 5 .and. .not. (y .eq. 1)", "v > 5 && !(y == 1)"),
        ("a-(b-c)", "a - (b - c)"),
        ("a/b/c", "a / b / c"),
        ("a/(b/c)", "a / (b / c)"),
        ("(a^b)^c", "(a^b)^c"),
        ("ln(abs(x))", "log(fabs(x))"),
        ("H(t - 5)", "((t - 5) >= 0)"),
        ("lambda * in", "lambda * in"),
    ],
)
def test_lems_to_nmodl(lems: str, nmodl: str) -> None:
    assert render(parse(lems), NMODL) == nmodl


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a +", "'a +' is not an expression"),
        ("a.b", "'a.b' is not an expression of LEMS (Attribute)"),
        ("__import__('os')", "there is no function __import__ of 1 arguments"),
        ("exp(1, 2)", "there is no function exp of 2 arguments"),
        ("x[0]", "'x[0]' is not an expression of LEMS (Subscript)"),
        ("'x' + 1", "'x' is not a number"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, said: str) -> None:
    with pytest.raises(ReadError) as caught:
        parse(text, where="cell.nml:7")
    assert said in str(caught.value)
    assert caught.value.where == "cell.nml:7"


def test_variables_are_replaced_and_functions_are_not() -> None:
    made = parse("exp(x) * exp + lambda").replaced({"exp": parse("a + b"), "lambda": parse("c")})
    assert made == parse("exp(x) * (a + b) + c")
    assert parse("lambda + x").names == {"lambda", "x"}
    assert parse("x + y").renamed({"x": "lambda"}) == parse("lambda + y")


_NUMBERS = st.floats(0.5, 4.0).map(lambda value: repr(round(value, 3)))


def _trees(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pairs, st.sampled_from("+-*/")).map(lambda each: f"({each[0][0]}) {each[1]} ({each[0][1]})"),
        pairs.map(lambda each: f"abs({each[0]})^(0 - abs(sin({each[1]})))"),
        inner.map(lambda each: f"-({each})"),
        inner.map(lambda each: f"cos({each})"),
    )


@given(st.recursive(st.one_of(_NUMBERS, st.sampled_from(["x", "y"])), _trees, max_leaves=12))
def test_printing_keeps_the_value(text: str) -> None:
    made = parse(text)
    assert parse(render(made, LEMS)) == made
    space = {"abs": abs, "sin": math.sin, "cos": math.cos, "x": 1.7, "y": 2.3}
    try:
        expected = eval(text.replace("^", "**"), {}, space)
    except (ZeroDivisionError, OverflowError):
        return
    assert eval(render(made, PYTHON), {}, space) == expected


def test_number() -> None:
    assert Expression("-3.0").number == -3.0
    assert parse("x").number is None
