"""Dimensional analysis: what of a type's equations does not go together."""

from __future__ import annotations

import pytest

from pynn_io.errors import GraphError
from pynn_io.graph.dynamics import Component
from pynn_io.lowering.dimensions import check
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.types import Types
from pynn_io.vocabulary.core import core_types
from tests.dynamics import official

TYPE = """<Lems>
<ComponentType name="own" extends="baseVoltageDepRate">
  <Parameter name="slope" dimension="voltage"/>
  <Parameter name="area" dimension="area"/>
  <Constant name="MS" dimension="time" value="1ms"/>
  <Requirement name="iCa" dimension="current"/>
  <Dynamics>
    <DerivedVariable name="helper" value="{helper}"/>
    <DerivedVariable name="r" exposure="r" dimension="per_time" value="{value}"/>
  </Dynamics>
</ComponentType></Lems>"""


def _types(value: str, helper: str = "v / slope") -> Types:
    return Types(official.read(TYPE.format(value=value, helper=helper)))


@pytest.mark.parametrize("name", sorted(core_types()))
def test_our_core_types_are_sound(name: str) -> None:
    check(Types()[name])


@pytest.mark.parametrize(
    "value",
    [
        "exp(v / slope) / MS",
        "(1 + helper ^ 2) / MS",
        "0",
        "sqrt(area * area) / area / MS",
        "v ^ 3 / slope ^ 3 / MS",
        "area ^ 0.5 / area ^ 0.5 / MS",
        "H(v - slope) / MS",
        "random(1 / MS)",
        "max(v, slope) / slope / MS",
        "1 / t",
    ],
)
def test_what_goes_together_passes(value: str) -> None:
    check(_types(value)["own"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("(v + iCa) / slope / MS", "v, a voltage, is added to iCa, a current"),
        ("(v - 40) / slope / MS", "v, a voltage, is less by 40, a plain number"),
        ("exp(v) / MS", "exp(v) is of a voltage"),
        ("v / slope", "v / slope is a plain number, and a per_time is expected"),
        ("2 ^ v / MS", "the exponent v is a voltage"),
        ("(helper + v) / slope / MS", "helper, a plain number, is added to v, a voltage"),
        ("v ^ 2 / slope / MS", "and a per_time is expected"),
        ("max(v, iCa) / slope / MS", "v, a voltage, is compared with iCa, a current"),
    ],
)
def test_what_does_not_is_said_with_its_place(value: str, said: str) -> None:
    types = _types(value)
    with pytest.raises(GraphError) as caught:
        check(types["own"])
    assert any(said in problem for problem in caught.value.problems), caught.value.problems
    assert caught.value.where == "core:2"


def test_every_problem_is_named_and_flattening_refuses() -> None:
    types = _types("(v + iCa) / MS", helper="exp(slope)")
    component = Component("own", "x", {"slope": 1.0, "area": 1.0})
    with pytest.raises(GraphError, match="type 'own' mix dimensions") as caught:
        flatten(component, types)
    assert len(caught.value.problems) == 2


def test_of_neuromls_own_types_two_mix_dimensions() -> None:
    """A number taken for V (GHK2), and rates without a unit of time in equations that are never driven."""
    found = set()
    types = Types(official.types())
    for name in official.types():
        try:
            check(types[name])
        except GraphError:
            found.add(name)
    assert found == {"channelDensityGHK2", "pinskyRinzelCA3Cell"}
