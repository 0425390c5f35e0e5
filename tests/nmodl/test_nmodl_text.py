"""Mechanisms as text: what is shared, what is a parameter, which method."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.dynamics import Component, ComponentType, Emit, OnCondition
from pynn_io.graph.expressions import parse
from pynn_io.lowering import nmodl
from pynn_io.lowering.types import Types
from tests.nmodl.components import ADEX, NMDA, POOL, POTASSIUM, SODIUM, gate, rate

TYPES = Types()
OHMIC = Component("channelDensity", "any", {"condDensity": 0.0012, "erev": 50.0})


def test_a_density_has_its_conductance_in_neurons_unit() -> None:
    made = nmodl.density(OHMIC, SODIUM, "na", TYPES)
    assert made.parameters["gmax"] == pytest.approx(0.12, rel=1e-15)
    assert made.parameters["m_forwardRate_midpoint"] == -40
    assert "USEION na WRITE ina" in made.text
    assert "NONSPECIFIC" not in made.text


def test_channels_that_differ_in_numbers_share_a_mechanism() -> None:
    other = replace(
        POTASSIUM,
        id="slow",
        children=(
            gate(
                "n",
                4,
                rate("HHExpLinearRate", rate=0.02, midpoint=-35, scale=9),
                rate("HHExpRate", rate=0.01, midpoint=-5, scale=-8),
            ),
        ),
    )
    first, second = (nmodl.density(OHMIC, channel, "k", TYPES) for channel in (POTASSIUM, other))
    assert first.text == second.text
    assert first.parameters != second.parameters
    assert nmodl.density(OHMIC, POTASSIUM, "na", TYPES).name != first.name


def test_a_number_of_gates_belongs_to_the_structure() -> None:
    three = replace(
        POTASSIUM, children=tuple((role, replace(g, parameters={"instances": 3})) for role, g in POTASSIUM.children)
    )
    assert nmodl.density(OHMIC, three, "k", TYPES).name != nmodl.density(OHMIC, POTASSIUM, "k", TYPES).name


@pytest.mark.parametrize(
    ("made", "method"),
    [
        (nmodl.density(OHMIC, SODIUM, "na", TYPES), "cnexp"),
        (nmodl.synapse(NMDA, TYPES, {}), "cnexp"),
        (nmodl.pool(POOL, "ca", TYPES), "cnexp"),
        (nmodl.synapse(Component("alphaSynapse", "a", {"gbase": 1, "erev": 0, "tau": 2}), TYPES, {}), "derivimplicit"),
    ],
)
def test_the_method_fits_the_equations(made: nmodl.Mechanism, method: str) -> None:
    assert f"METHOD {method}" in made.text


def test_events_carry_the_weight() -> None:
    made = nmodl.synapse(NMDA, TYPES, {})
    assert "weight" not in made.parameters
    assert "A = A + weight * plasticityFactor * waveformFactor" in made.text


def test_a_resting_cell_waits_for_an_event_and_not_for_a_step() -> None:
    text = nmodl.cell(ADEX, TYPES, {}).text
    assert "WATCH (v > thresh)" in text
    assert "lastSpikeTime + refract" in text


def test_random_numbers_are_neurons() -> None:
    made = nmodl.source(Component("spikeGeneratorPoisson", "p", {"averageRate": 0.05}), TYPES)
    assert made.random
    assert "RANDOM rng" in made.text
    assert "VERBATIM" not in made.text


def test_a_condition_that_neuron_cannot_watch_is_refused() -> None:
    odd = ComponentType(
        "odd", extends="baseCellMembPotDL", states={"V": "none"}, gives={"V": "none"},
        conditions=(OnCondition(parse("V > 1 or V < -100"), (Emit("spike"),)),),
    )  # fmt: skip
    with pytest.raises(UnsupportedInput, match="cannot watch the condition V > 1 or V < -100"):
        nmodl.cell(Component("odd", "c"), Types({"odd": odd}), {})
