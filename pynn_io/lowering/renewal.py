"""Sources whose spikes follow each other at independent intervals: NeuroML's generators and PyNN's renewal processes.

The first spike comes an interval after the start. Laws: NeuroML 2.3 (``Inputs.xml``), and PyNN 0.13's documentation of
``SpikeSourcePoissonRefractory`` and ``SpikeSourceGamma``. ``SpikeSourceInhGamma``, whose law changes with time, is on
no backend of PyNN's, and not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.cells import Part
from pynn_io.vocabulary.models import MODELS

#: Intervals that are drawn at once.
_DRAWN = 64
#: ``(shape, random, parameters) -> intervals``, ms. A parameter is a number, or float64[n, 1] with one a source.
_Draw: TypeAlias = Callable[[tuple[int, int], np.random.Generator, Mapping[str, Any]], np.ndarray]

#: Those of PyNN.
RENEWAL = ("SpikeSourcePoissonRefractory", "SpikeSourceGamma")
#: What repeats without chance.
REGULAR = "neuroml:spikeGenerator"


def _dead_time(shape: tuple[int, int], random: np.random.Generator, stated: Mapping[str, Any]) -> np.ndarray:
    """A Poisson process with a dead time after each spike; ``rate`` (Hz) is that of the process as a whole."""
    with np.errstate(divide="ignore"):
        free = 1000.0 / np.asarray(stated["rate"], dtype=np.float64) - stated["tau_refrac"]
    return stated["tau_refrac"] + free * random.exponential(1.0, shape)


#: Source -> its law.
LAWS: Mapping[str, _Draw] = MappingProxyType(
    {
        REGULAR: lambda shape, random, stated: np.full(shape, stated["period"]),
        "neuroml:spikeGeneratorRandom": lambda shape, random, stated: random.uniform(
            stated["minISI"], stated["maxISI"], shape
        ),
        "neuroml:spikeGeneratorPoisson": lambda shape, random, stated: random.exponential(
            1 / stated["averageRate"], shape
        ),
        "neuroml:spikeGeneratorRefPoisson": lambda shape, random, stated: (
            stated["minimumISI"] + random.exponential(1 / stated["averageRate"] - stated["minimumISI"], shape)
        ),
        "SpikeSourcePoissonRefractory": _dead_time,
        "SpikeSourceGamma": lambda shape, random, stated: random.gamma(
            stated["alpha"], 1000.0 / np.asarray(stated["beta"], dtype=np.float64), shape
        ),
    }
)


def renewal_trains(part: Part, end: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``(rows, times)`` of a part whose source is one of `LAWS`, until ``end`` (ms) or their own; by row, then time.

    Raises PlanError for intervals that are not above 0 ms.
    """
    model: str = part.cell.model  # type: ignore[union-attr]
    stated = _parameters(model, part)
    start = np.broadcast_to(stated.get("start", 0.0), (part.size, 1))
    stop = np.minimum(start + stated.get("duration", np.inf), end)
    times = np.zeros((part.size, 0))
    last = np.array(start)
    while part.size and (last <= stop).any():
        try:
            intervals = LAWS[model]((part.size, _DRAWN), random, stated)
        except ValueError as error:  # numpy's, for a shape or a scale below 0
            raise _no_law(part) from error
        if not (intervals > 0).all():
            raise _no_law(part)
        # a sum from the start, not from the last block, so that regular times are multiples of the period
        steps = times.shape[1] + 1 + np.arange(_DRAWN)
        more = steps * intervals if model == REGULAR else last + intervals.cumsum(axis=1)
        times = np.concatenate([times, more], axis=1)
        last = times[:, -1:]
    inside = times <= stop
    return np.repeat(part.rows, inside.sum(axis=1)), times[inside]


def _no_law(part: Part) -> PlanError:
    return PlanError(
        f"the intervals of {part.cell_name!r} are not above 0 ms",
        where=f"population {part.population}",
        hint="rates and shapes must be above 0, and the mean interval above the dead time",
    )


def _parameters(model: str, part: Part) -> dict[str, Any]:
    """What is stated, with the vocabulary's defaults; a value a source as a column."""
    known = {item.name: item.default for item in MODELS[model].parameters} if model in MODELS else {}
    found: dict[str, Any] = dict(known)
    for name, value in part.parameters.items():
        if value is not None and not isinstance(value, str):
            filled = np.ma.filled(np.ma.asarray(value, dtype=np.float64), known.get(name, np.nan))  # type: ignore[arg-type]
            found[name] = filled[:, None] if filled.ndim else float(filled)
    return found
