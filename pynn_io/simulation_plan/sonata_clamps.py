"""Current and voltage clamps of a SONATA simulation configuration: BMTK's, and OBI's that are no plain numbers.

Sources: BMTK 1.2 (``iclamp.py`` of ``core/modules``, ``bionet/modules`` and ``pointnet/modules``, ``seclamp.py``), the
SONATA extension ("inputs"), and libsonata 0.2.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.formats.sonata_spikes import read_amplitudes
from pynn_io.formats.sonata_sweep import read_sweep
from pynn_io.graph.stimuli import CurrentPulses, Stimulus, VoltageClamp
from pynn_io.simulation_plan.sonata_context import Context
from pynn_io.simulation_plan.sonata_electrodes import read_electrodes
from pynn_io.simulation_plan.sonata_section import Section
from pynn_io.units import convert

#: Series resistance, MOhm, that each dialect means where a clamp states none.
_BMTK_RESISTANCE, _OBI_RESISTANCE = 1.0, 0.01


def read_clamp(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """BMTK's ``amp``, ``delay``, ``duration``: numbers, or lists of one length."""
    if "electrode_file" in item:
        return read_electrodes(name, item, context, voltage=False)
    amplitudes, delays, durations = item.numbers("amp"), item.numbers("delay"), item.numbers("duration")
    if not len(amplitudes) == len(delays) == len(durations):
        lengths = f"{len(amplitudes)}, {len(delays)} and {len(durations)}"
        raise item.wrong("amp", f"amp, delay and duration must be equally long, here they are {lengths}")
    if (durations < 0).any():
        raise item.wrong("duration", "a duration is negative")
    if context.amplitude_unit == "pA" and len(delays) > 1 and (np.diff(delays) >= 0).all():
        # one step_current_generator: a step ends where the next begins
        durations = np.minimum(durations, np.append(np.diff(delays), np.inf))
    return [_electrode(name, item, CurrentPulses(_in_na(amplitudes, context), delays, durations))]


def read_clamp_file(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """A CSV of times and amplitudes: each holds until the next time."""
    file = context.file(item, "file")
    if file is None:
        return None
    times, amplitudes = read_amplitudes(
        file,
        separator=item.text("separator", " ") or " ",
        time_column=item.text("timestamps_column", "timestamps") or "timestamps",
        amplitude_column=item.text("amplitudes_column", "amps") or "amps",
    )
    return [_electrode(name, item, _pulses(times, _in_na(amplitudes, context), context, file))]


def read_clamp_sweep(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """A sweep of an Allen cell types NWB file, which is in ampere: always nA here, also for NEST.

    BMTK's PointNet hands the nA to NEST, which takes them for pA; that is a mistake of it and not copied.
    """
    file = context.file(item, "file")
    if file is None:
        return None
    sweep = item.take("sweep_id")
    if isinstance(sweep, bool) or not isinstance(sweep, int | float | str):
        raise item.wrong("sweep_id", f"a number or a name is expected, here it is {sweep!r}")
    window = item.numbers("sweep_window") if item.get("sweep_window") is not None else None
    if window is not None and not (len(window) == 2 and 0 <= window[0] < window[1]):
        raise item.wrong("sweep_window", f"[start, stop] with 0 <= start < stop is expected, not {window.tolist()}")
    times, amplitudes = read_sweep(file, sweep, interval=item.number("downsample"), window=window)
    times = times + (item.number("delay") or 0.0)
    return [_electrode(name, item, _pulses(times, amplitudes, context, file))]


def read_voltage_clamp(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """BMTK's ``SEClamp``: ``amp`` (mV) for ``duration`` from ``delay``; ``resistance`` in MOhm."""
    if "electrode_file" in item:
        return read_electrodes(name, item, context, voltage=True)
    level, delay, duration = item.needed("amp"), item.needed("delay"), item.needed("duration")
    if duration < 0:
        raise item.wrong("duration", "a duration is negative")
    item.drop(("vc",))  # a variable that NEURON's SEClamp computes itself
    resistance = item.number("resistance")
    resistance = _BMTK_RESISTANCE if resistance is None else resistance
    clamp = VoltageClamp(np.asarray([level]), np.asarray([duration]), delay, resistance)
    return [_electrode(name, item, clamp)]


def read_seclamp(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """OBI's ``seclamp``, from ``delay`` on: ``voltage``, then ``voltage_levels`` for ``duration_levels``.

    The extension says of every input that it is activated at ``delay`` (section ``inputs``). Its tools do not do that
    for this one: libsonata 0.2 refuses a delay, neurodamus warns and clamps from the start; hence a report.
    libsonata says that ``voltage`` is what cells are held at at first, and that the levels fit into ``duration``; so
    ``voltage`` lasts for what the levels leave.
    """
    delay, duration = item.number("delay") or 0.0, item.needed("duration")
    levels, durations = item.optional_numbers("voltage_levels"), item.optional_numbers("duration_levels")
    if len(levels) != len(durations):
        raise item.wrong("voltage_levels", f"{len(levels)} levels and {len(durations)} durations")
    if duration < 0 or (durations < 0).any():
        raise item.wrong("duration", "a duration is negative")
    context.report.approximated(
        "clamp-delay",
        item.place("delay"),
        f"The clamp begins at {delay} ms, as the SONATA extension says of every input; libsonata refuses the file for"
        " it, and neurodamus clamps from the start of the run.",
        count=int(delay > 0),
        examples=[name],
    )
    first = duration - durations.sum()
    if first < -1e-9 * duration:
        raise item.wrong("duration_levels", f"the levels last {durations.sum()} ms, longer than duration = {duration}")
    if not len(levels) or first > 1e-9 * duration:
        levels, durations = np.append(item.needed("voltage"), levels), np.append(max(first, 0.0), durations)
    else:
        item.drop(("voltage",))
    resistance = item.number("series_resistance")
    what = VoltageClamp(levels, durations, delay, _OBI_RESISTANCE if resistance is None else resistance)
    return [placed(name, item, what)]


def read_pulse(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """OBI's ``pulse``, nA: pulses of ``width`` ms at ``frequency`` Hz from ``delay``, cut off at the end."""
    amplitude, width, frequency = item.needed("amp_start"), item.needed("width"), item.needed("frequency")
    delay, duration = item.needed("delay"), item.needed("duration")
    if frequency <= 0:
        raise item.wrong("frequency", f"a positive number is expected, here it is {frequency}")
    period = 1000.0 / frequency
    onsets = np.arange(max(int(np.ceil(duration / period - 1e-9)), 0)) * period
    widths = np.minimum(min(width, period), duration - onsets)
    return [placed(name, item, CurrentPulses(np.full(len(onsets), amplitude), delay + onsets, widths))]


def constant(start: float, delay: float, duration: float) -> CurrentPulses:
    """A current that does not change: one step."""
    return CurrentPulses(np.asarray([start]), np.asarray([delay]), np.asarray([duration]))


def placed(name: str, item: Section, what: Any) -> Stimulus:
    """A stimulus of the OBI extension: mid-soma of a node set, or the places of a compartment set.

    Another section is stated in BMTK's words, which of this dialect's readers only pynn_io knows.
    """
    compartments = item.text("compartment_set")
    if compartments is not None and item.get("node_set") is not None:
        raise item.wrong("compartment_set", "an input has a node_set or a compartment_set, and not both")
    return Stimulus(
        name,
        what,
        item.take("node_set", "all" if compartments is None else None),
        compartment_set=compartments,
        physical_electrode=item.flag("represents_physical_electrode", False),
        **_place(item),
    )


def _electrode(name: str, item: Section, what: Any) -> Stimulus:
    """A stimulus of BMTK.

    NEURON's IClamp is an electrode: its current is none of the membrane's. A voltage clamp is always one.
    """
    electrode = item.flag("represents_physical_electrode", isinstance(what, CurrentPulses))
    return Stimulus(name, what, item.take("node_set", "all"), physical_electrode=electrode, **_place(item))


def _place(item: Section) -> dict[str, Any]:
    """A section, its number, a fraction along it; or a range of distances to draw a place from."""
    sections = item.texts("section_name") or ["soma"]
    position = item.number("section_dist")
    ranged = isinstance(item.get("section_index"), list)
    distances = item.numbers("section_index") if ranged else None
    if distances is not None and len(distances) != 2:
        raise item.wrong("section_index", f"a number, or two distances, are expected, not {distances.tolist()}")
    index = 0 if ranged else item.integer("section_index") or 0
    if len(sections) > 1 and not ranged:
        raise item.wrong("section_name", "several sections need a range of distances as section_index")
    return {
        "section": f"{sections[0]}[{index}]" if index else " ".join(sections),
        "position": 0.5 if position is None else position,
        "distance_range": None if distances is None else (float(distances[0]), float(distances[1])),
    }


def _in_na(amplitudes: np.ndarray, context: Context) -> np.ndarray:
    scaled: Any = convert(amplitudes, context.amplitude_unit, "nA")  # type: ignore[arg-type]
    return np.asarray(scaled)


def _pulses(times: np.ndarray, amplitudes: np.ndarray, context: Context, file: Path) -> CurrentPulses:
    """Samples that each hold until the next time, equal neighbours joined into one pulse."""
    changes = np.append(True, np.diff(amplitudes) != 0)
    first = np.flatnonzero(changes)
    last = _last_step(amplitudes[-1], times, context, file)
    ends = np.append(times[first[1:]], times[-1] + last)
    durations = ends - times[first]
    on = (amplitudes[first] != 0) & (durations > 0)
    return CurrentPulses(amplitudes[first][on], times[first][on], durations[on])


def _last_step(amplitude: float, times: np.ndarray, context: Context, file: Path) -> float:
    """How long the last amplitude lasts: to the end of the run in NEST, one more step in NEURON, as in BMTK."""
    if amplitude == 0:
        return 0.0
    last = float(times[-1] - times[-2])
    if context.amplitude_unit == "pA":
        last = np.inf if context.duration is None else max(context.duration - float(times[-1]), 0.0)
    context.report.defaulted(
        "current-without-end", file, f"The current does not end with 0; its last step is taken to last {last} ms."
    )
    return last
