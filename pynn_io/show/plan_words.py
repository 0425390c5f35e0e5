"""Inputs and recordings of a plan in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_io.graph.stimuli import CurrentPulses, SpikeTrains, Stimulus, What, kind_of
from pynn_io.simulation_plan.plan import Recording


def aim_word(stimulus: Stimulus) -> str:
    """Where a stimulus goes: ``3 places of pyr``, or a node set."""
    if stimulus.targets is None:
        return set_word(stimulus.node_set)
    return f"{_counted(len(stimulus.targets.rows), 'place')} of {stimulus.targets.population}"


def recording_word(recording: Recording) -> str:
    """What is recorded: ``v of cortex``, ``2 quantities into v.dat``."""
    if not recording.columns:
        return f"{recording.variable} of {set_word(recording.node_set)}"
    what = f"{recording.variable} of {_counted(len(recording.columns), 'cell')}"
    if recording.kind == "quantities":
        what = _counted(len(recording.columns), "quantity", "quantities")
    return f"{what} into {recording.file}" if recording.file else what


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def stimulus_word(what: What) -> str:
    """What a stimulus is: ``1 current step of 0.1 nA``."""
    match what:
        case SpikeTrains(population=population, times=times):
            return f"{len(times):,} spikes of {population}"
        case CurrentPulses(amplitudes=amplitudes):
            low, high = f"{amplitudes.min():g}", f"{amplitudes.max():g}"
            steps = "1 current step" if len(amplitudes) == 1 else f"{len(amplitudes)} current steps"
            return f"{steps} of {low if low == high else f'{low} to {high}'} nA"
    return kind_of(what)


def set_word(node_set: Any) -> str:
    """A node set's name, or what one without a name asks for: ``population v1, layer [2, 3]``."""
    if isinstance(node_set, Mapping):
        return ", ".join(f"{key} {value}" for key, value in node_set.items()) or "all cells"
    return str(node_set) if node_set is not None else "all cells"
