"""Units: the closed vocabulary of NeuroML/LEMS and SONATA, converted exactly where powers of ten allow.

The graph holds numbers in the units of `pynn_io.graph.schema`; a unit is converted once, where a file is read or
written. A unit is a power of ten, a factor and a dimension, as in LEMS (Cannon et al. 2014,
doi:10.3389/fninf.2014.00079).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from pynn_io.errors import UnitError


class Unit(NamedTuple):
    """``value in SI base units = (number * factor + offset) * 10**power``."""

    dimension: str
    power: int
    factor: float = 1.0
    offset: float = 0.0


#: symbol -> unit. The NeuroML 2.3 core symbols (NeuroMLCoreDimensions.xml), then the spellings used elsewhere.
UNITS: dict[str, Unit] = {
    "": Unit("none", 0),
    "1": Unit("none", 0),
    "s": Unit("time", 0),
    "ms": Unit("time", -3),
    "us": Unit("time", -6),
    "min": Unit("time", 0, 60.0),
    "hour": Unit("time", 0, 3600.0),
    "per_s": Unit("per_time", 0),
    "per_ms": Unit("per_time", 3),
    "per_min": Unit("per_time", 0, 1 / 60),
    "per_hour": Unit("per_time", 0, 1 / 3600),
    "Hz": Unit("per_time", 0),
    "kHz": Unit("per_time", 3),
    "V": Unit("voltage", 0),
    "mV": Unit("voltage", -3),
    "uV": Unit("voltage", -6),
    "per_V": Unit("per_voltage", 0),
    "per_mV": Unit("per_voltage", 3),
    "A": Unit("current", 0),
    "uA": Unit("current", -6),
    "nA": Unit("current", -9),
    "pA": Unit("current", -12),
    "A_per_m2": Unit("currentDensity", 0),
    "uA_per_cm2": Unit("currentDensity", -2),
    "mA_per_cm2": Unit("currentDensity", 1),
    "S": Unit("conductance", 0),
    "mS": Unit("conductance", -3),
    "uS": Unit("conductance", -6),
    "nS": Unit("conductance", -9),
    "pS": Unit("conductance", -12),
    "S_per_m2": Unit("conductanceDensity", 0),
    "uS_per_cm2": Unit("conductanceDensity", -2),
    "mS_per_cm2": Unit("conductanceDensity", 1),
    "S_per_cm2": Unit("conductanceDensity", 4),
    "S_per_V": Unit("conductance_per_voltage", 0),
    "nS_per_mV": Unit("conductance_per_voltage", -6),
    "F": Unit("capacitance", 0),
    "uF": Unit("capacitance", -6),
    "nF": Unit("capacitance", -9),
    "pF": Unit("capacitance", -12),
    "F_per_m2": Unit("specificCapacitance", 0),
    "uF_per_cm2": Unit("specificCapacitance", -2),
    "ohm": Unit("resistance", 0),
    "kohm": Unit("resistance", 3),
    "Mohm": Unit("resistance", 6),
    "ohm_m": Unit("resistivity", 0),
    "ohm_cm": Unit("resistivity", -2),
    "kohm_cm": Unit("resistivity", 1),
    "C": Unit("charge", 0),
    "e": Unit("charge", 0, 1.602176634e-19),
    "nC": Unit("charge", -9),
    "pC": Unit("charge", -12),
    "C_per_mol": Unit("charge_per_mole", 0),
    "pC_per_umol": Unit("charge_per_mole", -6),
    "nA_ms_per_amol": Unit("charge_per_mole", 6),
    "m": Unit("length", 0),
    "cm": Unit("length", -2),
    "um": Unit("length", -6),
    "m2": Unit("area", 0),
    "cm2": Unit("area", -4),
    "um2": Unit("area", -12),
    "m3": Unit("volume", 0),
    "cm3": Unit("volume", -6),
    "litre": Unit("volume", -3),
    "um3": Unit("volume", -18),
    "mol": Unit("substance", 0),
    "mol_per_m3": Unit("concentration", 0),
    "mol_per_cm3": Unit("concentration", 6),
    "M": Unit("concentration", 3),
    "mM": Unit("concentration", 0),
    "mol_per_m_per_A_per_s": Unit("rho_factor", 0),
    "mol_per_cm_per_uA_per_ms": Unit("rho_factor", 11),
    "umol_per_cm_per_nA_per_ms": Unit("rho_factor", 8),
    "K": Unit("temperature", 0),
    "degC": Unit("temperature", 0, 1.0, 273.15),
    "J_per_K_per_mol": Unit("idealGasConstantDims", 0),
    "fJ_per_K_per_umol": Unit("idealGasConstantDims", -9),
    "m_per_s": Unit("permeability", 0),
    "um_per_ms": Unit("permeability", -3),
    "cm_per_s": Unit("permeability", -2),
    "cm_per_ms": Unit("permeability", 1),
    "per_s_per_V": Unit("per_time_per_voltage", 0),
    "rad": Unit("none", 0),
}

#: dimension -> exponents of kg, m, s, A, K, mol (LEMS: m l t i k n). The NeuroML 2.3 core dimensions; its resistivity
#: has the exponents of nothing that exists there (m=2 l=2), and those of ohm metre here.
DIMENSIONS: dict[str, tuple[int, int, int, int, int, int]] = {
    "none": (0, 0, 0, 0, 0, 0),
    "time": (0, 0, 1, 0, 0, 0),
    "per_time": (0, 0, -1, 0, 0, 0),
    "voltage": (1, 2, -3, -1, 0, 0),
    "per_voltage": (-1, -2, 3, 1, 0, 0),
    "conductance": (-1, -2, 3, 2, 0, 0),
    "conductanceDensity": (-1, -4, 3, 2, 0, 0),
    "capacitance": (-1, -2, 4, 2, 0, 0),
    "specificCapacitance": (-1, -4, 4, 2, 0, 0),
    "resistance": (1, 2, -3, -2, 0, 0),
    "resistivity": (1, 3, -3, -2, 0, 0),
    "charge": (0, 0, 1, 1, 0, 0),
    "charge_per_mole": (0, 0, 1, 1, 0, -1),
    "current": (0, 0, 0, 1, 0, 0),
    "currentDensity": (0, -2, 0, 1, 0, 0),
    "length": (0, 1, 0, 0, 0, 0),
    "area": (0, 2, 0, 0, 0, 0),
    "volume": (0, 3, 0, 0, 0, 0),
    "concentration": (0, -3, 0, 0, 0, 1),
    "substance": (0, 0, 0, 0, 0, 1),
    "permeability": (0, 1, -1, 0, 0, 0),
    "temperature": (0, 0, 0, 0, 1, 0),
    "idealGasConstantDims": (1, 2, -2, 0, -1, -1),
    "conductance_per_voltage": (-2, -4, 6, 3, 0, 0),
    "rho_factor": (0, -1, -1, -1, 0, 1),
    "per_time_per_voltage": (-1, -2, 2, 1, 0, 0),
}

#: Powers of ten of kg, m, s, A, K, mol in the coherent system: its units are ms, mV, nA, nF, uS, Mohm, um, mM and amol,
#: and every equation among them holds without a factor. Densities are per um2 (uS/um2, nF/um2, nA/um2).
COHERENT = (-9, -6, -3, -9, 0, -18)


def coherent_power(exponents: tuple[int, ...]) -> int:
    """How many powers of ten of SI the coherent unit with these exponents is: voltage -3, concentration 0."""
    return sum(power * exponent for power, exponent in zip(COHERENT, exponents, strict=True))


def to_coherent(value: float, symbol: str, units: Mapping[str, Unit] | None = None) -> float:
    """A number with a unit, in the coherent unit of its dimension; a temperature in K. Raises UnitError.

    units: those that a document defines, which go before the core ones.
    """
    found = (units or {}).get(symbol) or unit(symbol)
    if found.dimension not in DIMENSIONS:
        raise UnitError(f"the unit {symbol!r} has the unknown dimension {found.dimension!r}")
    return scale_by_power(
        value * found.factor + found.offset, found.power - coherent_power(DIMENSIONS[found.dimension])
    )


def from_coherent(value: float, symbol: str) -> float:
    """The inverse of `to_coherent` for a core unit."""
    found = unit(symbol)
    return (
        scale_by_power(value, coherent_power(DIMENSIONS[found.dimension]) - found.power) - found.offset
    ) / found.factor


_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z_0-9]*)\s*\Z")


def unit(symbol: str) -> Unit:
    """The unit behind a symbol. Raises UnitError for an unknown one."""
    try:
        return UNITS[symbol]
    except KeyError:
        raise UnitError(f"unknown unit {symbol!r}") from None


def convert(value: float, source: str, target: str) -> float:
    """``value`` in ``source`` units expressed in ``target`` units; works on numpy arrays too.

    Raises UnitError for an unknown unit or two dimensions that differ.
    """
    if source == target:
        return value
    a, b = unit(source), unit(target)
    if a.dimension != b.dimension:
        raise UnitError(f"cannot convert {source!r} ({a.dimension}) to {target!r} ({b.dimension})")
    if a.offset == b.offset and a.factor == b.factor:
        return scale_by_power(value, a.power - b.power)
    return (scale_by_power(value * a.factor + a.offset, a.power) / 10.0**b.power - b.offset) / b.factor


def scale_by_power(value: float, power: int) -> float:
    """``value * 10**power`` with a single rounding: 10**n is exact in binary64 up to n = 22, 10**-n never is."""
    return value * 10.0**power if power >= 0 else value / 10.0**-power


def parse_quantity(text: str) -> tuple[float, str]:
    """``"0.3 mS_per_cm2"`` -> ``(0.3, "mS_per_cm2")``. Raises UnitError if it is not a number and a known unit."""
    match = _QUANTITY.match(text)
    if match is None:
        raise UnitError(f"{text!r} is not a number with a unit")
    unit(match[2])
    return float(match[1]), match[2]


def quantity_in(text: str, target: str) -> float:
    """Parse ``text`` and give its number in ``target`` units. Raises UnitError when the dimension differs."""
    value, source = parse_quantity(text)
    return convert(value, source, target)


def format_quantity(value: float, symbol: str) -> str:
    """``(0.3, "mS_per_cm2")`` -> ``"0.3mS_per_cm2"``: the shortest text that reads back as the same number."""
    return f"{float(value)!r}{symbol}" if symbol != "1" else repr(float(value))
