"""The ``inputs`` of a SONATA simulation configuration, one by one, as stimuli.

Here stands which reader an input has, and those of spikes. Clamps are in `sonata_clamps`, inputs that are nothing but
numbers in `sonata_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.formats.sonata_spikes import Spikes, read_spikes
from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.network import Network, Population
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import (
    CurrentRamp,
    OtherStimulus,
    Relative,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    SynapseReplay,
)
from pynn_io.simulation_plan import sonata_clamps as clamps
from pynn_io.simulation_plan.sonata_context import Context
from pynn_io.simulation_plan.sonata_forms import forms_of, read_form
from pynn_io.simulation_plan.sonata_section import Section

_SPIKE_FILES = {"h5": "h5", "sonata": "h5", "hdf5": "h5", "csv": "csv", "nwb": "nwb"}

Reader: TypeAlias = Callable[[str, Section, Context], "list[Stimulus] | None"]


def read_input(name: str, item: Section, context: Context) -> list[Stimulus]:
    """The stimuli that one input stands for: one, or one a population for a spike file.

    An input that has no counterpart (extracellular ones ...), or whose file is missing, stays whole as `OtherStimulus`
    and is reported. Raises PlanError for a malformed value, ReadError for a broken file.
    """
    whole = item.rest()
    module, kind = item.text("module") or "", item.text("input_type") or ""
    reader = _reader(module, kind, whole)
    return _reported(name, item, context, reader(name, item, context) if reader else None, whole)


def _reader(module: str, kind: str, whole: Mapping[str, Any]) -> Reader | None:
    if kind == "spikes" and module in _SPIKE_FILES:
        return lambda name, item, context: _spikes(name, item, context, _SPIKE_FILES[module])
    if module == "IClamp":
        return _CLAMPS.get(kind)
    if module == "poisson" and "rate" not in whole:
        return None  # the guide's, with a file of which it does not say what is in it
    if forms_of(module):
        return lambda name, item, context: _form(name, item, context, module, kind)
    return _MODULES.get(module)


def _reported(
    name: str, item: Section, context: Context, stimuli: list[Stimulus] | None, whole: dict[str, Any]
) -> list[Stimulus]:
    """The stimuli, with what nobody took of them reported; or the input as it stands.

    What becomes of that one is for its target to say: a file can keep it, no simulator here applies it.
    """
    if stimuli is None:
        kind = str(whole.get("module") or whole.get("input_type") or "input")
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


def _form(name: str, item: Section, context: Context, module: str, kind: str) -> list[Stimulus]:
    """An input that is nothing but numbers; a ramp that does not rise is a step."""
    if module == "noise" and item.get("variance") is None:
        context.report.defaulted(
            "noise-without-variance",
            item.place(""),
            "The noise states no variance; it is taken for 0.",
            examples=[name],
        )
    what = read_form(item, module, kind)
    if isinstance(what, CurrentRamp) and what.start == what.stop and what.relative is Relative.NOTHING:
        what = clamps.constant(what.start, what.delay, what.duration)
    return [clamps.placed(name, item, what)]


# --- Spikes -------------------------------------------------------------------------------------------------------


def _spikes(name: str, item: Section, context: Context, kind: str) -> list[Stimulus] | None:
    """The trains of a file, for the populations of the input's node set; BMTK takes no notice of its node ids."""
    place = item.place("node_set")
    node_set = item.take("node_set", "all")
    trial = item.text("trial")
    file = context.file(item, "input_file")
    if file is None:
        return None
    selected = context.selected(node_set, item)
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
    if trains and not found:
        context.report.not_read(
            "input-without-spikes", place, f"No spikes of {file.name} are for the input's node set.", examples=[name]
        )
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
    """OBI's ``synapse_replay``: spikes onto the synapses that a file's nodes make on the node set, one a population."""
    file = context.file(item, "spike_file")
    if file is None:
        return None
    delay, duration = item.number("delay") or 0.0, item.number("duration")
    compartments = item.text("compartment_set")
    node_set, source = item.take("node_set", "all" if compartments is None else None), item.take("source")
    found = []
    for spikes in read_spikes(file, kind="h5" if file.suffix == ".h5" else None):
        population = context.network.populations.get(spikes.population or "")
        if population is None:
            context.report.not_read(
                "spikes-of-unknown-population",
                file,
                f"There are spikes of population {spikes.population!r}, which the circuit does not have.",
                count=max(len(spikes.times), 1),
            )
            continue
        trains = _known_nodes(spikes, population, file, context)
        found.append(SynapseReplay(trains, delay, duration, source))
    many = len(found) > 1
    stimuli = []
    for replay in found:
        label = f"{name}.{replay.trains.population}" if many else name
        if compartments is None and _is_whole(replay, node_set, context):
            stimuli.append(Stimulus(label, replay.trains, {"population": replay.trains.population}))
        else:
            stimuli.append(Stimulus(label, replay, node_set, compartment_set=compartments))
    return stimuli


def _is_whole(replay: SynapseReplay, node_set: Any, context: Context) -> bool:
    """Whether a replay is the same as its nodes firing the trains.

    They must be spike sources, all their targets in the node set, all of them in ``source``, and no spike outside the
    window.
    """
    network, trains = context.network, replay.trains
    end = replay.delay + (np.inf if replay.duration is None else replay.duration)
    inside = not len(trains.times) or (trains.times.min() >= replay.delay and trains.times.max() <= end)
    if not inside or not _is_source(network.populations[trains.population], network):
        return False
    targets = {edges.post for edges in network.projections.values() if edges.pre == trains.population}
    try:
        selected = resolve(node_set, network, context.node_sets)
        sources = selected if replay.source is None else resolve(replay.source, network, context.node_sets)
    except GraphError:
        return False
    whole = {name for name, rows in selected.items() if len(rows) == network.populations[name].size}
    named = len(sources.get(trains.population, ())) == network.populations[trains.population].size
    return targets <= whole and (replay.source is None or named)


def _spontaneous(name: str, item: Section, context: Context) -> list[Stimulus]:
    """BMTK's ``syn_activity``: the synapses from some cells fire at given times, and spikes cross no synapse."""
    times = item.numbers("timestamps")
    own = item.take("node_set", "all")
    what = SpontaneousSynapses(
        source=item.take("precell_filter"), times=tuple(np.sort(times).tolist()), silences_others=True
    )
    return [Stimulus(name, what, item.take("postcell_filter") or own)]


#: BMTK's current clamps, by their input type.
_CLAMPS: dict[str, Reader] = {
    "current_clamp": clamps.read_clamp,
    "csv": clamps.read_clamp_file,
    "file": clamps.read_clamp_file,
    "nwb": clamps.read_clamp_sweep,
    "allen": clamps.read_clamp_sweep,
}
_MODULES: dict[str, Reader] = {
    "SEClamp": clamps.read_voltage_clamp,
    "seclamp": clamps.read_seclamp,
    "pulse": clamps.read_pulse,
    "synapse_replay": _replay,
    "syn_activity": _spontaneous,
}
