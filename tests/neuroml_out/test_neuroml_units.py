"""Numbers in coherent units become texts that read back as the very same numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io.formats.neuroml_schema import UNITS_OF_KIND, fault
from pynn_io.formats.neuroml_units import DIMENSION_OF_KIND, KIND_OF_DIMENSION, quantity_text
from pynn_io.units import DIMENSIONS, UNITS, parse_quantity, to_coherent

#: Every unit that the schema lets a core component have, with its dimension.
SCHEMA = [(symbol, DIMENSION_OF_KIND.get(kind, kind)) for kind, symbols in UNITS_OF_KIND.items() for symbol in symbols]
#: Dimensions with a core unit that is the coherent one.
COHERENT = {
    "time": "ms", "per_time": "per_ms", "voltage": "mV", "current": "nA", "conductance": "uS", "capacitance": "nF",
    "resistance": "Mohm", "length": "um", "area": "um2", "volume": "um3", "concentration": "mM",
}  # fmt: skip
NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


def read(text: str) -> float:
    number, symbol = parse_quantity(text)
    return to_coherent(number, symbol)


@pytest.mark.parametrize(("symbol", "dimension"), sorted(SCHEMA))
@settings(max_examples=40, deadline=None)
@given(number=NUMBERS)
def test_what_a_file_states_in_any_unit_reads_back_as_the_same_number(
    symbol: str, dimension: str, number: float
) -> None:
    value = to_coherent(number, symbol)
    text = quantity_text(value, dimension)
    assert read(text) == value
    kind = KIND_OF_DIMENSION.get(dimension, dimension)
    assert fault(kind, text) == ""


@pytest.mark.parametrize("dimension", sorted(COHERENT))
@settings(max_examples=40, deadline=None)
@given(value=NUMBERS)
def test_any_number_at_all_where_a_core_unit_is_the_coherent_one(dimension: str, value: float) -> None:
    assert read(quantity_text(value, dimension)) == value


@settings(max_examples=40, deadline=None)
@given(number=NUMBERS, symbol=st.sampled_from(sorted(set(UNITS) - {"", "1", "rad"})))
def test_own_types_may_use_every_core_unit(number: float, symbol: str) -> None:
    dimension = UNITS[symbol].dimension
    value = to_coherent(number, symbol)
    text = quantity_text(value, dimension, schema=False)
    if UNITS[symbol].factor == 1.0 or symbol == "e":
        found = read(text)
        assert found == pytest.approx(value, rel=1e-15, abs=0)  # units without a core symbol (us, kHz) may round
    assert re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?[A-Za-z_0-9]+", text)


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (279.45, "temperature", "6.3degC"),  # 6.3 + 273.15
        (1e-5, "conductance", "0.01nS"),
        (1.092, "per_time", "1.092per_ms"),
        (3e-6, "conductanceDensity", "0.3mS_per_cm2"),  # 3 S/m2 = 3 uS / 1e6 um2
        (2.787, "length", "2.787um"),
        (0.0001, "concentration", "0.0001mM"),
        (1.0, "none", "1"),
        (2.5, "no_such_dimension", "2.5"),
    ],
)
def test_texts_by_hand(value: float, dimension: str, text: str) -> None:
    assert quantity_text(value, dimension) == text


def test_every_dimension_with_units_has_a_text() -> None:
    for dimension in DIMENSIONS:
        assert quantity_text(1.0, dimension, schema=False)
