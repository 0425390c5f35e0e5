"""Snippets of HOC and Python are assignments of numbers, or refused; nothing of them is ever executed."""

from __future__ import annotations

import ast
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io.errors import PlanError
from pynn_io.simulation_plan import Assignment
from pynn_io.simulation_plan.snippet import parse_snippet, snippet_text

LETTERS = string.ascii_letters + "_"
names = st.builds(str.__add__, st.text(LETTERS, min_size=1, max_size=8), st.text(LETTERS + string.digits, max_size=6))
targets = st.one_of(
    st.just(""),
    st.just("%s"),
    names,
    st.tuples(names, st.integers(0, 999)).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
)
assignments = st.builds(
    Assignment,
    targets,
    names,
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["=", "+=", "-=", "*=", "/="]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(assignments, max_size=5), st.sampled_from(["; ", ";", "\n", " ", " ;\n\t"]))
def test_what_is_written_reads_back(items: list[Assignment], separator: str) -> None:
    assert list(parse_snippet(snippet_text(items, separator), "here")) == items


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_assignments_or_refused(text: str) -> None:
    try:
        found = parse_snippet(text, "here")
    except PlanError as error:
        assert error.where == "here"
        return
    assert parse_snippet(snippet_text(found), "here") == found
    assert not set("(){},\"'#") & set(text)


def pythons(text: str) -> list[Assignment]:
    """What Python's own parser makes of it, as an oracle; the form of the target is from its source text."""
    found = []
    operators = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}
    for statement in ast.parse(text.replace("%s", "WILDCARD")).body:
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        operator = "=" if isinstance(statement, ast.Assign) else operators[type(statement.op)]
        owner, variable = ("", target.id) if isinstance(target, ast.Name) else (ast.unparse(target.value), target.attr)
        found.append(Assignment(owner.replace("WILDCARD", "%s"), variable, ast.literal_eval(statement.value), operator))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "%s.gSK_E2bar_SK_E2 = 0",
        "apical.gbar_NaTg = 0",
        "apic[10].gbar_KTst = 0; apic[10].gbar_NaTg = 0",
        "gbar_Ca_HVA2 = 1.5; gbar_Ca_LVA = 2",
        "%s.gmax *= 2",
        "soma.g_pas = 1e-5\nsoma.e_pas=-70.",
        "%s.cm /= .5; %s.Ra -= 3E2;",
    ],
)
def test_snippets_of_the_documentation_read_as_python_reads_them(text: str) -> None:
    assert list(parse_snippet(text, "here")) == pythons(text)


def test_hoc_separates_by_blanks() -> None:
    found = parse_snippet("%s.NMDA_ratio = 1 %s.Fac = 2 tau_d_NMDA_ProbAMPANMDA_EMS=3", "here")
    assert found == (
        Assignment("%s", "NMDA_ratio", 1.0),
        Assignment("%s", "Fac", 2.0),
        Assignment("", "tau_d_NMDA_ProbAMPANMDA_EMS", 3.0),
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("import os", "import os"),
        ("%s.g = 1; os.system('x')", "os.system('x')"),
        ("%s.g = other", "%s.g = other"),
        ("%s.g = 2 * 3", "* 3"),
        ("%s.g = 2mV", "%s.g = 2mV"),
        ("%s.g == 2", "%s.g == 2"),
        ("%s.g", "%s.g"),
        ("%s(0.5).g = 2", "%s(0.5).g = 2"),
        ("%s.a.b = 2", "%s.a.b = 2"),
        ("apic[1:3].g = 2", "apic[1:3].g = 2"),
        ("apic[i].g = 2", "apic[i].g = 2"),
        ("%s.g **= 2", "%s.g **= 2"),
        ("%s.g = 1e999", "%s.g = 1e999"),
        ("%s.g = nan", "%s.g = nan"),
        ("forall { g = 1 }", "forall { g = 1 }"),
        ("g = 1, h = 2", "g = 1, h = 2"),
    ],
)
def test_anything_else_is_refused_and_quoted(text: str, part: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_snippet(text, "file.json:conditions.modifications[0].section_configure")
    assert caught.value.message == f"{part!r} is no assignment of a number"
    assert caught.value.where == "file.json:conditions.modifications[0].section_configure"
    assert "not executed" in caught.value.hint
