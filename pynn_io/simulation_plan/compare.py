"""In what one plan differs from another, field by field and exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pynn_io.graph.compare import Difference, equal_values
from pynn_io.graph.stimuli import SpikeTrains, Stimulus, VoltageClamp
from pynn_io.simulation_plan.plan import SimulationPlan

#: Fields of a stimulus that say nothing, by what it is.
_IDLE: Mapping[type, str] = {SpikeTrains: "node_set", VoltageClamp: "physical_electrode"}
#: What has a name of its own, and is paired by it; the order counts as well, since later ones override earlier ones.
_NAMED = ("stimuli", "recordings", "modifications", "overrides")


def diff(a: SimulationPlan, b: SimulationPlan) -> list[Difference]:
    """Everything in which ``b`` differs from ``a``; an empty list means equal.

    ``where`` is a path (``stimuli/clamp/what/amplitudes``, ``celsius``, ``seeds/minis``). The plan's name does not
    count, the node set of spike trains neither (their population says it all), nor whether a voltage clamp is an
    electrode (it always is).
    """
    found: list[Difference] = []
    for field in fields(a):
        if field.name == "name":
            continue
        left, right = getattr(a, field.name), getattr(b, field.name)
        found += _named(field.name, left, right) if field.name in _NAMED else _values(field.name, left, right)
    return found


def _named(where: str, a: Sequence[Any], b: Sequence[Any]) -> Iterator[Difference]:
    one, two = ({item.name: item for item in items} for items in (a, b))
    for name in one:
        if name not in two:
            yield Difference(f"{where}/{name}", "missing")
    for name in two:
        if name not in one:
            yield Difference(f"{where}/{name}", "not there before")
    shared = [name for name in one if name in two]
    if shared != [name for name in two if name in one]:
        yield Difference(where, "in another order")
    for name in shared:
        yield from _values(f"{where}/{name}", one[name], two[name])


def _values(where: str, a: Any, b: Any) -> Iterator[Difference]:
    if is_dataclass(a) and type(a) is type(b):
        idle = _IDLE.get(type(a.what)) if isinstance(a, Stimulus) else None
        for field in fields(a):
            if field.name != idle and field.compare:
                yield from _values(f"{where}/{field.name}", getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            place = f"{where}/{'.'.join(key) if isinstance(key, tuple) else key}"
            if key not in b:
                yield Difference(place, "missing")
            elif key not in a:
                yield Difference(place, "not there before")
            else:
                yield from _values(place, a[key], b[key])
    elif not equal_values(a, b):
        yield Difference(where, f"{a!r} became {b!r}")
