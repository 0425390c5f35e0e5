"""Currents, conductances and voltages on built cells.

A current that is no electrode's is a membrane current (``represents_physical_electrode`` false): it is part of
``i_membrane``. The voltage is the same either way, so that the mechanisms for it, which must be compiled, are asked for
only where a report wants membrane currents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.lowering.cables.drives import Drive
from pynn_io.lowering.signals import (
    Shape,
    levels,
    summed,
)
from pynn_io.report import Report
from pynn_io.runners.neuron.sites import segment_of

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model

#: Mechanisms of ours in the place of IClamp and SEClamp where an input is a membrane current.
MEMBRANE_CURRENT, MEMBRANE_CONDUCTANCE = "pynn_io_current", "pynn_io_conductance"
#: A conductance below this is none (uS), and its resistance this much (MOhm): neurodamus ``core/stimuli.py``.
_NO_CONDUCTANCE, _OPEN = 1e-9, 1e9
#: Resistance of a voltage clamp that is not there yet (MOhm): its conductance is lost in rounding.
_ABSENT = 1e30
#: After any run, ms.
_LATE = 1e9
#: Levels that an SEClamp has of its own.
_LEVELS = 3


def needs(drives: tuple[Drive, ...]) -> dict[str, tuple[str, ...]]:
    """Mechanisms that are not NEURON's own, with the inputs that need them."""
    found: dict[str, tuple[str, ...]] = {}
    for drive in drives:
        if drive.membrane:
            name = MEMBRANE_CURRENT if drive.signal.kind == "current" else MEMBRANE_CONDUCTANCE
            found[name] = (*found.get(name, ()), f"input {drive.name}")
    return found


# --- on built cells -----------------------------------------------------------------------------------------------


def apply(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Make the stimuli of the cells that are on this rank; what NEURON must not forget goes into ``model.keep``.

    Reports sites that a cell does not have (``stimulus-site``, LOST).
    """
    into_points: dict[int, list[Shape]] = model.currents
    for drive in lowered.stimuli:
        put = {"current": _put_current, "conductance": _put_conductance, "voltage": _put_voltage}[drive.signal.kind]
        shared: dict[tuple[float, float], Any] = {}
        lost = 0
        for site, gid in enumerate(drive.sites.gids.tolist()):
            cell = model.cells.get(gid)
            if cell is None:
                continue
            if cell.current[0] and drive.signal.kind == "current":
                into_points.setdefault(gid, []).append(drive.course(site))
                continue
            segment = segment_of(drive.sites, site, cell)
            if segment is None:
                lost += 1
                continue
            put(drive, site, segment, shared, model.keep)
        message = f"The input {drive.name!r} names a section that some of its cells do not have; it is left out there."
        report.lost("stimulus-site", f"inputs.{drive.name}", message, count=lost)
    for gid, courses in into_points.items():
        _put_into_point(model.cells[gid], summed(courses), lowered.settings.timestep, model.keep)


def _put_into_point(cell: Cell, course: Shape, timestep: float, keep: list[Any]) -> None:
    """All currents of a cell that has one variable for them, one value a time step, as NEST's cells have it."""
    from neuron import h

    variable, factor = cell.current
    steps, values = levels(course, timestep)
    vectors = h.Vector(factor * values), h.Vector(steps * timestep)
    vectors[0].play(getattr(cell.point, f"_ref_{variable}"), vectors[1])
    keep += vectors


def _put_current(drive: Drive, site: int, segment: Any, shared: dict, keep: list[Any]) -> None:
    """An IClamp: of its own accord for one step, else with the time course played into it."""
    from neuron import h

    course = drive.course(site)
    constructor = getattr(h, MEMBRANE_CURRENT) if drive.membrane else h.IClamp
    clamp = constructor(segment)
    keep.append(clamp)
    if not drive.membrane and _is_step(course):
        clamp.delay, clamp.dur = float(course.times[0]), float(course.times[2] - course.times[0])
        clamp.amp = float(course.values[1])
        return
    if not len(course.times):
        return
    clamp.dur = float(course.times[-1])
    keep += _play(course, clamp._ref_amp, shared, (drive.offset[site], drive.gain[site]), drive)


def _put_conductance(drive: Drive, site: int, segment: Any, shared: dict, keep: list[Any]) -> None:
    """A clamp to the reversal potential whose resistance is the inverse of the conductance, as neurodamus has it."""
    from neuron import h

    course = drive.course(site)
    constructor = getattr(h, MEMBRANE_CONDUCTANCE) if drive.membrane else h.SEClamp
    clamp = constructor(segment)
    clamp.dur1, clamp.amp1 = float(course.times[-1]), drive.signal.reversal
    none = np.abs(course.values) <= _NO_CONDUCTANCE
    with np.errstate(divide="ignore"):
        resistance = np.where(none, np.where(course.values < 0, -_OPEN, _OPEN), 1.0 / course.values)
    before = np.concatenate([[_OPEN], resistance]), np.concatenate([[0.0], course.times])
    keep.append(clamp)
    key = (drive.offset[site], drive.gain[site])
    keep += _play(Shape(before[1], before[0]), clamp._ref_rs, shared, key, drive)


def _put_voltage(drive: Drive, site: int, segment: Any, shared: dict, keep: list[Any]) -> None:
    """An SEClamp: with its own levels where there are few and they begin at once, else played, and open before."""
    from neuron import h

    course = drive.course(site)
    clamp = h.SEClamp(segment)
    keep.append(clamp)
    clamp.rs = drive.signal.resistance
    levels, begins, ends = course.values[::2], course.times[::2], course.times[1::2]
    if len(levels) <= _LEVELS and begins[0] == 0:
        for number, (level, duration) in enumerate(zip(levels.tolist(), (ends - begins).tolist(), strict=True), 1):
            setattr(clamp, f"amp{number}", level)
            setattr(clamp, f"dur{number}", duration)
        return
    clamp.dur1 = float(ends[-1])
    keep += _play(course, clamp._ref_amp1, shared, (1.0, 0.0), drive)
    if begins[0] > 0:
        closing = np.array([0.0, begins[0], begins[0]]), np.array([_ABSENT, _ABSENT, drive.signal.resistance])
        keep += _play(Shape(*closing), clamp._ref_rs, shared, (0.0, 1.0), drive)


def _is_step(course: Shape) -> bool:
    times, values = course.times, course.values
    return bool(
        len(times) == 4 and times[0] == times[1] and times[2] == times[3] and values[1] == values[2] and not values[3]
    )


def _play(course: Shape, reference: Any, shared: dict, key: tuple[float, float], drive: Drive) -> tuple[Any, Any]:
    """Play a time course, linear between its points; sites of one course share NEURON's vectors."""
    from neuron import h

    vectors = shared.get(key)
    if vectors is None:
        times, values = _from_zero(course)
        vectors = h.Vector(values), h.Vector(times)
        if isinstance(drive.signal.shape, Shape):
            shared[key] = vectors
    vectors[0].play(reference, vectors[1], 1)
    return vectors


def _from_zero(course: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Times and values from the beginning of the run on, and held after the end: NEURON would go on in a line."""
    times, values = course.times, course.values
    if not len(times):
        return np.array([0.0, _LATE]), np.zeros(2)
    before = slice(0, 1 if times[0] > 0 else 0)
    return np.concatenate([[0.0][before], times, [_LATE]]), np.concatenate([values[before], values, values[-1:]])
