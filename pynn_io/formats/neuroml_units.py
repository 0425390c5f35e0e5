"""Numbers in coherent units as the shortest text with a unit that reads back as the same number.

A number that came from a file has such a text in one of the dimension's units; which one is found by trying. All others
have one wherever a core unit is the coherent one (ms, mV, nA, nF, uS, um, mM ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import nextafter
from types import MappingProxyType

from pynn_io.formats.neuroml_schema import UNITS_OF_KIND
from pynn_io.units import from_coherent, to_coherent

#: What the schema calls a dimension where it has another word for it.
KIND_OF_DIMENSION: Mapping[str, str] = MappingProxyType(
    {"per_time": "pertime", "conductance_per_voltage": "conductancePerVoltage", "rho_factor": "rhoFactor"}
)
DIMENSION_OF_KIND: Mapping[str, str] = MappingProxyType({kind: name for name, kind in KIND_OF_DIMENSION.items()})
#: Core units in the order in which they are tried where the schema's patterns do not limit them
#: (NeuroMLCoreDimensions.xml); the first of the schema's own are as modellers write them.
_UNITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": ("ms", "s", "min", "hour"),
        "per_time": ("per_ms", "per_s", "Hz", "per_min", "per_hour"),
        "voltage": ("mV", "V"),
        "per_voltage": ("per_mV", "per_V"),
        "current": ("nA", "pA", "uA", "A"),
        "currentDensity": ("uA_per_cm2", "mA_per_cm2", "A_per_m2"),
        "conductance": ("nS", "uS", "pS", "mS", "S"),
        "conductanceDensity": ("mS_per_cm2", "S_per_cm2", "S_per_m2", "uS_per_cm2"),
        "conductance_per_voltage": ("nS_per_mV", "S_per_V"),
        "capacitance": ("nF", "pF", "uF", "F"),
        "specificCapacitance": ("uF_per_cm2", "F_per_m2"),
        "resistance": ("Mohm", "kohm", "ohm"),
        "resistivity": ("ohm_cm", "kohm_cm", "ohm_m"),
        "charge": ("C", "e"),
        "charge_per_mole": ("C_per_mol", "nA_ms_per_amol", "pC_per_umol"),
        "length": ("um", "cm", "m"),
        "area": ("um2", "cm2", "m2"),
        "volume": ("um3", "cm3", "m3", "litre"),
        "concentration": ("mM", "mol_per_cm3", "mol_per_m3", "M"),
        "substance": ("mol",),
        "permeability": ("um_per_ms", "cm_per_s", "cm_per_ms", "m_per_s"),
        "temperature": ("degC", "K"),
        "idealGasConstantDims": ("J_per_K_per_mol", "fJ_per_K_per_umol"),
        "rho_factor": ("mol_per_cm_per_uA_per_ms", "mol_per_m_per_A_per_s", "umol_per_cm_per_nA_per_ms"),
    }
)


#: A number of so many characters is readable: the first unit that gives one is taken.
_READABLE = 6


@lru_cache(maxsize=65536)
def quantity_text(value: float, dimension: str, *, schema: bool = True) -> str:
    """``(6.3 K + 273.15 K, "temperature")`` -> ``"6.3degC"``: a number in coherent units, with a unit.

    dimension: of `pynn_io.units.DIMENSIONS`; ``none``, or one without core units, gives a bare number. schema: only
    units that the schema's patterns allow in attributes of core components (no ``us``, no ``K``).
    Where no unit gives the very same number back, the text is the nearest one of the first unit.
    """
    symbols = _UNITS.get(dimension, ())
    if schema:
        allowed = UNITS_OF_KIND.get(KIND_OF_DIMENSION.get(dimension, dimension))
        symbols = tuple(symbol for symbol in symbols if allowed is None or symbol in allowed)
    if not symbols:
        return plain_number(value)
    exact = [(found, symbol) for symbol in symbols if (found := _exact(value, symbol)) is not None]
    if exact:
        number, symbol = next((each for each in exact if len(each[0]) <= _READABLE), min(exact, key=_length))
        return number + symbol
    return plain_number(from_coherent(value, symbols[0])) + symbols[0]


def _length(pair: tuple[str, str]) -> int:
    return len(pair[0])


def plain_number(value: float) -> str:
    """The shortest text of a number, whole ones without a point, no plus sign in the exponent."""
    text = repr(float(value)).replace("e+", "e")
    return text.removesuffix(".0")


def _exact(value: float, symbol: str) -> str | None:
    """The shortest number in this unit that is ``value``; None where no number is."""
    guess = from_coherent(value, symbol)
    for digits in (*range(1, 18), 0):
        number = float(f"{guess:.{digits}g}") if digits else guess
        if to_coherent(number, symbol) == value:
            return plain_number(number)
    return _beside(guess, value, symbol)


def _beside(guess: float, value: float, symbol: str) -> str | None:
    """A neighbour of the guess that is ``value``: scaling rounds, so that its inverse may be one step off."""
    for toward in (float("inf"), float("-inf")):
        number = guess
        for _ in range(2):
            number = nextafter(number, toward)
            if to_coherent(number, symbol) == value:
                return plain_number(number)
    return None
