"""The ``inputs`` of a SONATA simulation configuration, one by one, as stimuli."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.formats.sonata_config import resolve_path
from pynn_io.formats.sonata_spikes import Spikes, read_amplitudes, read_spikes
from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.network import Network, Population
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import CurrentPulses, OtherStimulus, SpikeTrains, Stimulus
from pynn_io.report import Report
from pynn_io.simulation_plan.sonata_section import Section
from pynn_io.units import convert

_SPIKE_FILES = {"h5": "h5", "sonata": "h5", "hdf5": "h5", "csv": "csv", "nwb": "nwb"}


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an input needs to know. duration: of the run, ms, if it is stated."""

    base: Path
    network: Network
    node_sets: Mapping[str, Any]
    report: Report
    amplitude_unit: str
    duration: float | None


def read_input(name: str, item: Section, context: Context) -> list[Stimulus]:
    """The stimuli that one input stands for: one, or one a population for a spike file.

    An input that has no exact counterpart, or whose file is missing, stays whole as `OtherStimulus` and is reported.
    Raises PlanError for a malformed value, ReadError for a broken file.
    """
    whole = item.rest()
    module, kind = item.text("module") or "", item.text("input_type") or ""
    reader: Callable[[str, Section, Context], list[Stimulus] | None] | None
    if kind == "spikes" and module in _SPIKE_FILES:
        item.take("module")
        return _reported(name, item, context, _spikes(name, item, context, _SPIKE_FILES[module]), whole)
    if module == "IClamp":
        reader = {"current_clamp": _clamp, "csv": _clamp_file, "file": _clamp_file}.get(kind)
    elif module == "synapse_replay":
        reader = _replay
    else:
        reader = {"linear": _linear, "pulse": _pulse}.get(module) if "compartment_set" not in whole else None
    return _reported(name, item, context, reader(name, item, context) if reader else None, whole)


def _reported(
    name: str, item: Section, context: Context, stimuli: list[Stimulus] | None, whole: dict[str, Any]
) -> list[Stimulus]:
    """The stimuli, with what nobody took of them reported; or the input as it stands, itself reported."""
    if stimuli is None:
        kind = str(whole.get("module") or whole.get("input_type") or "input")
        context.report.not_read(
            "stimulus-not-applied",
            item.place(""),
            f"The input {name!r} of kind {kind!r} is kept as it stands, and not applied.",
        )
        return [Stimulus(name, OtherStimulus(kind, whole), whole.get("node_set", "all"))]
    rest = list(item)
    context.report.not_read(
        "unknown-input-key",
        item.place(""),
        f"The input {name!r} has keys that pynn_io does not use.",
        count=len(rest),
        examples=rest,
    )
    return stimuli


# --- Spikes -------------------------------------------------------------------------------------------------------


def _spikes(name: str, item: Section, context: Context, kind: str) -> list[Stimulus] | None:
    """The trains of a file, for the populations of the input's node set; BMTK takes no notice of its node ids."""
    place = item.place("node_set")
    node_set = item.take("node_set", "all")
    trial = item.text("trial")
    file = _file(item, "input_file", context)
    if file is None:
        return None
    selected = _selected(node_set, context, item)
    trains = read_spikes(file, kind=kind, trial=trial)
    for spikes in trains:
        if spikes.population is not None and spikes.population not in selected:
            context.report.not_read(
                "spikes-outside-node-set",
                place,
                f"{file.name} has spikes of population {spikes.population!r}, which is not in the input's node set.",
                count=max(len(spikes.times), 1),
            )
    found = [
        _known_nodes(spikes, population, file, context)
        for spikes in trains
        for population in _targets(spikes.population, selected, context)
    ]
    many = len(found) > 1
    return [Stimulus(f"{name}.{item.population}" if many else name, item, node_set) for item in found]


def _targets(population: str | None, selected: Mapping[str, np.ndarray], context: Context) -> list[Population]:
    """The populations that a train is for: without a name in the file, those of the node set that are sources."""
    populations = context.network.populations
    if population is not None:
        return [populations[population]] if population in selected else []
    sources = [name for name in selected if _is_source(populations[name], context.network)]
    return [populations[name] for name in sources or selected]


def _is_source(population: Population, network: Network) -> bool:
    return all(isinstance(network.cells.get(cell), SpikeSource) for cell in population.cells)


def _selected(node_set: Any, context: Context, item: Section) -> dict[str, np.ndarray]:
    try:
        return resolve(node_set, context.network, context.node_sets)
    except GraphError as error:
        raise item.wrong("node_set", "; ".join([error.message, *error.problems, error.hint])) from error


def _known_nodes(spikes: Spikes, population: Population, file: Path, context: Context) -> SpikeTrains:
    """The trains of nodes that exist; the others are reported."""
    known = np.isin(spikes.node_ids, population.ids())
    unknown = np.unique(spikes.node_ids[~known])
    context.report.not_read(
        "spikes-of-unknown-nodes",
        file,
        f"There are spikes of nodes that population {population.name!r} does not have.",
        count=int(np.count_nonzero(~known)),
        examples=unknown[:5].tolist(),
    )
    if len(unknown):
        return SpikeTrains(population.name, spikes.node_ids[known], spikes.times[known])
    return SpikeTrains(population.name, spikes.node_ids, spikes.times)


def _replay(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """OBI's ``synapse_replay``: spikes onto the synapses that a file's nodes make on the node set.

    The same as trains of these nodes only if they are spike sources, all their targets are in the node set, and no
    spike lies outside the window; else None.
    """
    file = _file(item, "spike_file", context)
    if file is None:
        return None
    delay, duration = item.number("delay") or 0.0, item.number("duration")
    item.drop(("source",))
    try:
        targets = resolve(item.take("node_set", "all"), context.network, context.node_sets)
    except GraphError:
        return None
    stimuli = []
    for spikes in read_spikes(file, kind="h5" if file.suffix == ".h5" else None):
        population = context.network.populations.get(spikes.population or "")
        end = delay + (np.inf if duration is None else duration)
        inside = not len(spikes.times) or (spikes.times.min() >= delay and spikes.times.max() <= end)
        if population is None or not inside or not _is_source(population, context.network):
            return None
        posts = [edges.post for edges in context.network.projections.values() if edges.pre == population.name]
        if any(len(targets.get(post, ())) < context.network.populations[post].size for post in posts):
            return None
        trains = _known_nodes(spikes, population, file, context)
        stimuli.append(Stimulus(f"{name}.{population.name}", trains, {"population": population.name}))
    return stimuli


# --- Currents -----------------------------------------------------------------------------------------------------


def _clamp(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """``amp``, ``delay``, ``duration``: numbers, or lists of one length."""
    if any(key in item for key in ("electrode_file", "input_file")) or isinstance(item.get("section_index"), list):
        return None
    amplitudes, delays, durations = item.numbers("amp"), item.numbers("delay"), item.numbers("duration")
    if not len(amplitudes) == len(delays) == len(durations):
        lengths = f"{len(amplitudes)}, {len(delays)} and {len(durations)}"
        raise item.wrong("amp", f"amp, delay and duration must be equally long, here they are {lengths}")
    if (durations < 0).any():
        raise item.wrong("duration", "a duration is negative")
    if context.amplitude_unit == "pA" and len(delays) > 1 and (np.diff(delays) >= 0).all():
        # one step_current_generator: a step ends where the next begins
        durations = np.minimum(durations, np.append(np.diff(delays), np.inf))
    return [_stimulus(name, item, _in_na(amplitudes, context), delays, durations)]


def _clamp_file(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """A CSV of times and amplitudes: each holds until the next time."""
    if isinstance(item.get("section_index"), list):
        return None
    file = _file(item, "file", context)
    if file is None:
        return None
    times, amplitudes = read_amplitudes(
        file,
        separator=item.text("separator", " ") or " ",
        time_column=item.text("timestamps_column", "timestamps") or "timestamps",
        amplitude_column=item.text("amplitudes_column", "amps") or "amps",
    )
    steps = np.diff(times)
    last = _last_step(amplitudes[-1], times, context, file)
    durations = np.append(steps, last)
    on = (amplitudes != 0) & (durations > 0)
    return [_stimulus(name, item, _in_na(amplitudes[on], context), times[on], durations[on])]


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


def _linear(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """OBI's ``linear``, nA: a step if it does not change; a ramp has no counterpart."""
    start, end = item.needed("amp_start"), item.number("amp_end")
    if end is not None and end != start:
        return None
    delay, duration = item.needed("delay"), item.needed("duration")
    return [_stimulus(name, item, np.asarray([start]), np.asarray([delay]), np.asarray([duration]))]


def _pulse(name: str, item: Section, context: Context) -> list[Stimulus] | None:
    """OBI's ``pulse``, nA: pulses of ``width`` ms at ``frequency`` Hz from ``delay``, cut off at the end."""
    amplitude, width, frequency = item.needed("amp_start"), item.needed("width"), item.needed("frequency")
    delay, duration = item.needed("delay"), item.needed("duration")
    if frequency <= 0:
        raise item.wrong("frequency", f"a positive number is expected, here it is {frequency}")
    period = 1000.0 / frequency
    onsets = np.arange(max(int(np.ceil(duration / period - 1e-9)), 0)) * period
    widths = np.minimum(min(width, period), duration - onsets)
    return [_stimulus(name, item, np.full(len(onsets), amplitude), delay + onsets, widths)]


def _in_na(amplitudes: np.ndarray, context: Context) -> np.ndarray:
    scaled: Any = convert(amplitudes, context.amplitude_unit, "nA")  # type: ignore[arg-type]
    return np.asarray(scaled)


def _stimulus(name: str, item: Section, amplitudes: np.ndarray, delays: np.ndarray, durations: np.ndarray) -> Stimulus:
    """Pulses at the place that the input names: a section, its number, a fraction along it."""
    section = item.text("section_name", "soma") or "soma"
    index = item.integer("section_index") or 0
    position = item.number("section_dist")
    return Stimulus(
        name,
        CurrentPulses(amplitudes, delays, durations),
        item.take("node_set", "all"),
        f"{section}[{index}]" if index else section,
        0.5 if position is None else position,
    )


def _file(item: Section, key: str, context: Context) -> Path | None:
    """The file under a key, relative to the configuration; None, and reported, where it does not exist."""
    name = item.text(key)
    if name is None:
        raise item.wrong(key, "the name of a file is missing")
    path = resolve_path(name, context.base)
    if os.path.isfile(path):
        return path
    context.report.not_read("missing-input", item.place(key), f"The input file {path} does not exist.")
    return None
