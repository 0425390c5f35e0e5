"""Currents of the Goldman-Hodgkin-Katz equation: a permeability times gates times a function of v and concentrations.

The equation is recognised by its values (Goldman 1943, doi:10.1085/jgp.27.1.37; NeuroML's ``channelDensityGHK``), so
that any guard of 0/0 will do. A form that is one at fixed concentrations only is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynn_io.graph.expressions import Expression
from pynn_io.importers.nmodl_forms import Form, Values, densities_of, expandable, factors_of
from pynn_io.importers.nmodl_system import Equations

_FARADAY, _GAS = 96485.33212331, 8.31446261815324
#: Where forms are compared: off 0 mV, where files guard 0/0 in their own ways. mV, mM, mM, degC.
_V = np.linspace(-120.3, 80.7, 23)
_INSIDE, _OUTSIDE, _WARM = (5e-5, 2e-3, 0.4), (0.5, 2.0, 10.0), (6.3, 25.0, 37.0)
#: As parts of the largest value: the same equation with other digits of its constants, and with the same ones.
_CLOSE, EXACT = 2e-3, 1e-6
_VALENCE = 2


@dataclass(frozen=True, slots=True)
class Permeable:
    """A current of this kind. apart: how far it is from the equation, as a part of the largest value."""

    form: Form
    apart: float


def permeable(equations: Equations, name: str, values: Values) -> Permeable | None:
    """The calcium current of that name in this form, its scale in cm/s; None where it has another."""
    if name != "ica":
        return None
    densities, states = densities_of(equations), set(equations.mechanism.states)
    conductance = ""
    gates: dict[str, int] = {}
    rest: list[tuple[Expression, int]] = []
    for factor, power in factors_of(equations.currents[name].tree, expandable(values.derived, densities)):
        uses = values.uses(factor)
        if factor.text in densities and power == 1 and not conductance:
            conductance = factor.text
        elif uses & states or uses == {"v"}:
            gates[factor.text] = gates.get(factor.text, 0) + power
        else:
            rest.append((factor, power))
    if any(power < 1 for power in gates.values()):
        return None
    found = _scale(rest, values)
    if found is None:
        return None
    scale, apart = found
    form = Form(conductance, scale, tuple((Expression(text), power) for text, power in gates.items()), None)
    return Permeable(form, apart)


def _scale(factors: list[tuple[Expression, int]], values: Values) -> tuple[float, float] | None:
    """What a product is of the equation at 1 cm/s, and how far off that it is anywhere; None where it is none."""
    if not factors or not values.uses(*(factor for factor, _ in factors)) <= {"v", "cai", "cao", "celsius"}:
        return None
    found = []
    for inside in _INSIDE:
        for outside in _OUTSIDE:
            for celsius in _WARM:
                at = {"v": _V, "cai": inside, "cao": outside, "celsius": celsius}
                with np.errstate(all="ignore"):
                    each = [np.broadcast_to(values.of(factor, **at) ** power, _V.shape) for factor, power in factors]
                wanted = _goldman(_V, inside, outside, celsius)
                found.append(np.stack([np.prod(each, axis=0), wanted, np.full(_V.shape, np.abs(wanted).max())]))
    made, wanted, largest = np.concatenate(found, axis=1)
    scale = float(np.sum(made * wanted / largest**2) / np.sum((wanted / largest) ** 2))
    if not np.isfinite(scale) or not scale:
        return None
    scale = float(f"{scale:.6g}") if abs(scale / float(f"{scale:.6g}") - 1) < EXACT else scale
    apart = float((np.abs(made / scale - wanted) / largest).max())
    return (scale, apart) if apart < _CLOSE else None


def _goldman(v: np.ndarray, inside: float, outside: float, celsius: float) -> np.ndarray:
    """mA/cm2 at a permeability of 1 cm/s; mV, mM, degC."""
    z = 1e-3 * _VALENCE * _FARADAY * v / (_GAS * (celsius + 273.15))
    return 1e-3 * _VALENCE * _FARADAY * z * (inside - outside * np.exp(-z)) / (1 - np.exp(-z))
