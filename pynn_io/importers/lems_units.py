"""``<Dimension>`` and ``<Unit>`` of a document -> the quantities that it can state."""

from __future__ import annotations

from collections.abc import Iterable

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.importers.neuroml_context import Context, Quantities, Take
from pynn_io.units import DIMENSIONS, Unit

#: LEMS's letters for the exponents of kg, m, s, A, K, mol.
_EXPONENTS = ("m", "l", "t", "i", "k", "n")


def defined_quantities(units: Iterable[Element], dimensions: Iterable[Element], context: Context) -> Quantities:
    """What a document defines, beside the core units. Raises ReadError for a unit of an unknown dimension."""
    found: dict[str, tuple[int, ...]] = {}
    for element in dimensions:
        take = Take(element, context)
        name = take.need("name")
        found[name] = tuple(take.integer(letter) or 0 for letter in _EXPONENTS)
        take.text("description")
        take.rest()
    made: dict[str, Unit] = {}
    for element in units:
        take = Take(element, context)
        symbol, unit = _unit(take)
        if unit.dimension not in found and unit.dimension not in DIMENSIONS:
            raise ReadError(f"the unit {symbol!r} has the unknown dimension {unit.dimension!r}", where=take.where)
        made[symbol] = unit
    return Quantities(made, found)


def _unit(take: Take) -> tuple[str, Unit]:
    """LEMS: value in SI = number * 10^power * scale + offset."""
    symbol, dimension, power = take.need("symbol"), take.need("dimension"), take.integer("power") or 0
    scale, offset = (take.text(name, default) for name, default in (("scale", "1"), ("offset", "0")))
    take.text("name")
    take.text("description")
    take.rest()
    try:
        return symbol, Unit(dimension, power, float(scale), float(offset) / 10.0**power)
    except ValueError:
        raise ReadError(f"the unit {symbol!r} has a scale or offset that is no number", where=take.where) from None
