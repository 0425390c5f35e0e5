"""Units, against values worked out by hand and against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.errors import UnitError
from pynn_io.units import UNITS, convert, format_quantity, parse_quantity, quantity_in


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0.3 mS_per_cm2", "S_per_m2", 3.0),
        ("1 S_per_cm2", "mS_per_cm2", 1000.0),
        ("1uF_per_cm2", "F_per_m2", 0.01),
        ("-65 mV", "V", -0.065),
        ("35.4 ohm_cm", "ohm_m", 0.354),
        ("34degC", "K", 307.15),
        ("2 hour", "ms", 7.2e6),
        ("1e-3 s", "ms", 1.0),
        ("250 kHz", "per_ms", 250.0),
        ("1 mol_per_cm3", "mM", 1e6),
        (".5", "", 0.5),
    ],
)
def test_worked_examples(text: str, unit: str, value: float) -> None:
    assert quantity_in(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("0.3 mS_per_cm2", "mV", "cannot convert 'mS_per_cm2' (conductanceDensity) to 'mV' (voltage)"),
        ("3 parsec", "um", "unknown unit 'parsec'"),
        ("three mV", "mV", "'three mV' is not a number with a unit"),
        ("1 2 mV", "mV", "'1 2 mV' is not a number with a unit"),
        ("nan mV", "mV", "'nan mV' is not a number with a unit"),
    ],
)
def test_what_is_refused(text: str, unit: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        quantity_in(text, unit)
    assert caught.value.message == message


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(set(UNITS) - {"", "1", "rad"})))
def test_a_quantity_reads_back_as_it_was_written(value: float, unit: str) -> None:
    assert parse_quantity(format_quantity(value, unit)) == (value, unit)


@given(st.floats(1e-6, 1e6), st.sampled_from([("ms", "s"), ("nA", "pA"), ("uS", "nS"), ("S_per_cm2", "mS_per_cm2")]))
def test_powers_of_ten_are_rounded_once(value: float, pair: tuple[str, str]) -> None:
    source, target = pair
    power = UNITS[source].power - UNITS[target].power
    assert convert(value, source, target) == float(Fraction(value) * Fraction(10) ** power)
