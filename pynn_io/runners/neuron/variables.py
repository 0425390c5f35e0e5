"""What a report's variable is in NEURON: references to a segment's variables and to those of its point processes.

Names are those of the files: a range variable (``v``, ``cai``, ``gbar_NaTs``), ``mechanism.variable``, or a mechanism
alone, which stands for its current ``i`` (SONATA extension, "reports"; neurodamus ``report.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pynn_io.vocabulary.applied import STATES

#: The current through the membrane of a whole compartment (nA), which NEURON keeps apart from the densities.
_MEMBRANE = {"i_membrane": "i_membrane_", "i_membrane_": "i_membrane_"}
#: What injects through an electrode: its current counts against the membrane's.
_ELECTRODES = ("IClamp", "SEClamp")
#: um2 times mA/cm2 is this much nA.
_NA = 0.01
#: Names of the membrane potential of a point cell.
_POTENTIAL = ("v", "V_m", "vm", "Vm")


def is_membrane_current(name: str) -> bool:
    """Whether a variable is the whole current through the membrane, which NEURON keeps only when told to."""
    return name in _MEMBRANE


def references(name: str, segment: Any, area: bool) -> list[tuple[Any, float]]:
    """References and factors of a variable at a segment; empty where it has none. area: densities become nA."""
    if is_membrane_current(name):
        return [(getattr(segment, f"_ref_{_MEMBRANE[name]}"), 1.0)]
    mechanism, _, variable = name.partition(".")
    points = list(points_at(segment, mechanism))
    if points:
        factor = -1.0 if mechanism in _ELECTRODES else 1.0
        found = [_reference(point, variable or "i") for point in points]
        return [(reference, factor) for reference in found if reference is not None]
    factor = segment.area() * _NA if area else 1.0
    for candidate in _candidates(mechanism, variable):
        reference = _reference(segment, candidate)
        if reference is not None:
            return [(reference, factor)]
    return []


def point_references(name: str, cell: Any) -> list[tuple[Any, float]]:
    """References of a variable of a cell without extent: of its point process, else of the section it sits in."""
    standard = STATES.get(name, name)
    names = [cell.records.get(standard, name), *(other for other in _POTENTIAL if name in _POTENTIAL)]
    holders = [cell.point, *([cell.soma(0.5)] if cell.soma is not None else [])]
    for holder in holders:
        for each in dict.fromkeys(names):
            reference = None if holder is None else _reference(holder, each)
            if reference is not None:
                return [(reference, 1.0)]
    return []


def point_variable(point: Any, variable: str) -> list[tuple[Any, float]]:
    """The reference of a point process's variable; empty where it has none."""
    reference = _reference(point, variable)
    return [] if reference is None else [(reference, 1.0)]


def points_at(segment: Any, mechanism: str) -> Iterator[Any]:
    """The point processes of one mechanism at a segment."""
    for point in segment.point_processes():
        if point.hname().partition("[")[0] == mechanism:
            yield point


def present(segment: Any) -> list[str]:
    """The names of all that a report could have asked for at a segment, sorted."""
    names = {"v", "i_membrane"}
    for mechanism in segment:
        own = mechanism.name()
        names |= {_plain(variable.name(), own) for variable in mechanism}
    for point in segment.point_processes():
        names.add(point.hname().partition("[")[0])
    return sorted(names)


def of_point(point: Any) -> list[str]:
    """The names of a point process's variables, sorted."""
    own = (name for name in dir(point) if not name.startswith("_"))
    return sorted(name for name in own if isinstance(getattr(point, name), float))


def _plain(variable: str, mechanism: str) -> str:
    """``gbar_NaTs`` and ``cai`` as they are asked for."""
    return variable if mechanism.endswith("_ion") or variable.endswith(mechanism) else f"{variable}_{mechanism}"


def _candidates(mechanism: str, variable: str) -> list[str]:
    return [f"{variable}_{mechanism}", variable] if variable else [mechanism, f"i_{mechanism}"]


def _reference(holder: Any, name: str) -> Any | None:
    """NEURON's reference; None where the holder has no such variable."""
    try:
        return getattr(holder, f"_ref_{name}")
    except (AttributeError, LookupError):
        return None
