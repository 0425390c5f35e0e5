"""The coherent units: an equation among them needs no factor."""

from __future__ import annotations

import pytest

from pynn_io.errors import UnitError
from pynn_io.units import DIMENSIONS, UNITS, Unit, coherent_power, from_coherent, to_coherent


def test_every_unit_has_a_known_dimension() -> None:
    assert not {symbol for symbol, unit in UNITS.items() if unit.dimension not in DIMENSIONS}


@pytest.mark.parametrize("symbol", ["ms", "mV", "nA", "nF", "uS", "Mohm", "um", "mM", "pC", "K", "um_per_ms", "per_ms"])
def test_the_units_of_pynn_are_coherent(symbol: str) -> None:
    assert to_coherent(2.5, symbol) == 2.5


def test_ohms_law_and_faradays_need_no_factor() -> None:
    assert to_coherent(3e-6, "S") * to_coherent(0.02, "V") == pytest.approx(to_coherent(6e-8, "A"), rel=1e-15)
    # I / (F * volume) is a rate of change of a concentration: 1 nA into 1 um3
    rate = to_coherent(1, "nA") / (to_coherent(96485.3, "C_per_mol") * to_coherent(1, "um3"))
    assert rate == pytest.approx(1e-9 / 96485.3 / 1e-18 * 1e-3, rel=1e-14)


def test_temperatures_have_an_offset() -> None:
    assert to_coherent(6.3, "degC") == pytest.approx(279.45)
    assert from_coherent(279.45, "degC") == pytest.approx(6.3)


def test_a_document_may_define_units() -> None:
    assert to_coherent(2, "weeks", {"weeks": Unit("time", 0, 604800.0)}) == pytest.approx(2 * 604800e3)
    with pytest.raises(UnitError, match="unknown dimension 'fun'"):
        to_coherent(2, "laughs", {"laughs": Unit("fun", 0)})


def test_power_of_a_dimension() -> None:
    assert coherent_power(DIMENSIONS["conductance"]) == -6
    assert coherent_power(DIMENSIONS["concentration"]) == 0
