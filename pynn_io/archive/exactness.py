"""Results within what is allowed, and still not those that were published: told apart from the same results.

Where an archive states no tolerance, spikes may drift by a part of their time, since rounding in other versions of a
simulator has that effect. A weight that is 1 % off, or a delay of one step more, has it as well. What made the results,
with the same time step, gives them again to the rounding of what was stored, or something is not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pynn_io.archive.values import Check, Verdict
from pynn_io.results.compare import Comparison, Tolerance
from pynn_io.results.compare.compare import STATISTICAL
from pynn_io.results.compare.values import Verdict as Compared

#: Part of a time step within which a spike is the same one, since files hold a few digits; and part of its time, which
#: is what float32 holds: after 2 s it is more than the former at a step of 0.025 ms.
_OF_A_STEP, _OF_THE_TIME = 0.01, 2.0**-23
#: mV, and part of a trace's range: what five or six digits of a table hold.
_VOLTAGE, _FRACTION = 1e-3, 1e-4
_WHY = "what made them gives them again with the same step"


def with_exactness(check: Check, timestep: float, compared: Callable[[Tolerance], Comparison]) -> Check:
    """The check, ``inexact`` where what was found is allowed and is not what was published.

    timestep: ms, of both runs. compared: compares them once more, within another tolerance.
    """
    if check.verdict != Verdict.REPRODUCED or check.numbers.get("tier") == STATISTICAL or not timestep:
        return check
    found = compared(
        Tolerance(absolute=_OF_A_STEP * timestep, relative=_OF_THE_TIME, voltage=_VOLTAGE, fraction=_FRACTION)
    )
    if found.verdict != Compared.DIFFERS:
        return check
    shifted = sum(each.missing.count for each in found.populations)
    parts = [_shifted(found, shifted, check.numbers["dt_max_ms"], timestep)] if shifted else []
    parts += [
        f"{each.report} is off by {each.rms_worst:.3g} {each.unit}".rstrip() + " RMS"
        for each in found.traces
        if each.verdict == Compared.DIFFERS and each.rms_worst is not None
    ]
    numbers = {**check.numbers, "spikes_shifted": shifted}
    return replace(check, verdict=Verdict.INEXACT, message=f"{'; '.join(parts)}: {_WHY}", numbers=numbers)


def _shifted(found: Comparison, shifted: int, largest: float, timestep: float) -> str:
    total = sum(each.spikes[0] for each in found.populations)
    text = f"{shifted} of {total} spikes are shifted by up to {largest:.3g} ms ({largest / timestep:.2g} steps)"
    first = found.divergence
    where = f", from {first.time:g} ms on in cell {first.node_id} of {first.population}" if first is not None else ""
    return f"{text}{where} (--tolerance {_above(largest):g} allows that)"


def _above(number: float) -> float:
    """A little more, of two digits."""
    return float(f"{number * 1.05:.2g}")
