"""Stimuli -> the ``inputs`` of a ``simulation_config.json`` and the files that they name."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pynn_io.exporters.sonata_clamps import seclamp, single_levels
from pynn_io.exporters.sonata_components import plain, safe_name
from pynn_io.exporters.sonata_sets import NodeSets
from pynn_io.formats.sonata_write import copy_file, hdf5_file, write_spikes
from pynn_io.graph.cells import CableCell
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    OtherStimulus,
    Relative,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    SynapseReplay,
    Targets,
    VoltageClamp,
    kind_of,
)
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SimulationPlan
from pynn_io.simulation_plan.sonata_forms import OWN, written_form
from pynn_io.vocabulary.support import support

_SECTION = re.compile(r"(?P<name>.*)\[(?P<index>\d+)\]\Z")
#: Keys of an input that name a file.
_FILES = ("input_file", "file", "spike_file", "spikes_file", "electrode_file", "positions_file", "path")
#: An end that JSON, which has no infinity, can hold: longer than any run, ms.
_FOREVER = 1e9


@dataclass(frozen=True, slots=True)
class Target:
    """Where inputs go. target: as the support tables call it. nest: whether current clamps are read as pA.

    obi_set: gives the name of a node set, made where rules stand inline; libsonata takes names only.
    base: folder of the source's circuit configuration, which files that inputs name are relative to.
    """

    dest: Path
    network: Network
    plan: SimulationPlan
    sets: NodeSets
    report: Report
    target: str
    obi: bool
    nest: bool
    base: Path | None
    obi_set: Callable[[Any, str], Any]

    @property
    def end(self) -> float:
        return _FOREVER if self.plan.duration is None else self.plan.duration


#: An input's content by its name.
Inputs: TypeAlias = dict[str, dict[str, Any]]


def write_input(stimulus: Stimulus, target: Target) -> tuple[Inputs, Inputs]:
    """The inputs that say what a stimulus is, one or several; and those that only pynn_io reads.

    What neither can say is reported as lost. BMTK stops at an input that it does not know, so these stand apart.
    """
    if stimulus.targets is not None:
        stimulus = _with_node_set(stimulus, stimulus.targets, target)
    found = (_obi if target.obi else _allen)(stimulus, target)
    if found is not None:
        return found, {}
    key = f"stimulus:{type(stimulus.what).__name__}"
    reason = support(key, target.target).reason or "this dialect has no such input"
    if stimulus.compartment_set is not None and not target.obi:
        reason = "BMTK has no compartment sets"
    kept = None if target.obi else _beside(stimulus, target)
    issue = ("stimulus", f"inputs/{stimulus.name}")
    what = f"A stimulus of the kind {kind_of(stimulus.what)}"
    if kept is None:
        target.report.lost(*issue, f"{what} is left out: {reason}.", examples=[stimulus.name])
        return {}, {}
    target.report.approximated(*issue, f"{what} stands beside the inputs: {reason}.", examples=[stimulus.name])
    return {}, kept


def _allen(stimulus: Stimulus, target: Target) -> Inputs | None:
    what, name = stimulus.what, stimulus.name
    if isinstance(what, OtherStimulus):
        return {name: _other(name, what, target)}
    if stimulus.compartment_set is not None:
        return None
    node_set = target.sets.rewritten(stimulus.node_set, f"inputs/{name}")
    if isinstance(what, SpikeTrains):
        file = _spike_file(name, what, target)
        return {name: {"input_type": "spikes", "module": "h5", "input_file": file, "node_set": node_set}}
    if isinstance(what, CurrentPulses):
        return {name: _iclamp(stimulus, what, node_set, target)}
    if isinstance(what, VoltageClamp):
        return single_levels(stimulus.name, what, node_set, _electrode(stimulus, target), target.report)
    if isinstance(what, SpontaneousSynapses) and what.times and what.silences_others:
        content = {"input_type": "syn_activity", "module": "syn_activity", "node_set": node_set}
        content["precell_filter"] = {} if what.source is None else target.sets.rewritten(what.source, f"inputs/{name}")
        return {name: {**content, "timestamps": list(what.times)}}
    return None


def _obi(stimulus: Stimulus, target: Target) -> Inputs | None:
    what, name = stimulus.what, stimulus.name
    if isinstance(what, OtherStimulus):
        return {name: _other(name, what, target)}
    if isinstance(what, SpikeTrains):
        return {name: _trains_as_replay(name, what, target)}
    if isinstance(what, SynapseReplay):
        return {name: _replay(stimulus, what, target)}
    if isinstance(what, CurrentPulses):
        return _steps(stimulus, what, target)
    if isinstance(what, VoltageClamp):
        return None if what.delay else {name: {**seclamp(what), **_site(stimulus, target)}}
    if isinstance(what, CurrentRamp) and what.start == what.stop and what.relative is Relative.NOTHING:
        target.report.expanded(
            "constant-ramp", f"inputs/{name}", "A ramp that stays level is written as a step.", examples=[name]
        )
    content = written_form(what)
    if content is None or (content["module"] == "poisson" and "weight" not in content):
        return None
    own = sorted(content.keys() & set(OWN))
    if own:
        message = "Other readers begin a sine at 0 (phase), and draw straight lines between values (held)."
        target.report.approximated("own-input-key", f"inputs/{name}", message, examples=[name, *own])
    content.setdefault("delay", 0.0)
    if content.get("duration") is None:
        content["duration"] = _until_the_end(name, content["delay"], target)
    return {name: {**content, **_site(stimulus, target)}}


def _beside(stimulus: Stimulus, target: Target) -> Inputs | None:
    """In OBI's words, with places in BMTK's, for pynn_io alone."""
    what, name = stimulus.what, stimulus.name
    if isinstance(what, SynapseReplay):
        return {name: _replay(stimulus, what, target)}
    if isinstance(what, CurrentPulses):
        return _steps(stimulus, what, target)
    content = seclamp(what) if isinstance(what, VoltageClamp) and not what.delay else written_form(what)
    return None if content is None else {name: {**content, **_site(stimulus, target)}}


def _with_node_set(stimulus: Stimulus, targets: Targets, target: Target) -> Stimulus:
    """The input onto the same cells as a node set, which has one place and one strength for all of them."""
    ids = target.network.populations[targets.population].ids()[targets.rows]
    unique = np.unique(ids)
    uneven = len(unique) < len(ids)
    for values, usual in ((targets.segment, 0), (targets.fraction, 0.5), (targets.weight, 1.0)):
        uneven |= values is not None and bool((np.asarray(values) != usual).any())
    if uneven:
        target.report.approximated(
            "stimulus-site",
            f"inputs/{stimulus.name}",
            "Its targets have places, weights or several such inputs each: it is written once for each cell, with "
            "weight 1, at the soma.",
            examples=[stimulus.name],
        )
    return replace(stimulus, node_set={"population": targets.population, "node_id": unique.tolist()}, targets=None)


def _until_the_end(name: str, delay: float, target: Target) -> float:
    target.report.defaulted(
        "input-duration",
        f"inputs/{name}",
        "an input states its duration there: it lasts to the end of the run",
        examples=[name],
    )
    return max(target.end - delay, 0.0)


# --- Where ---------------------------------------------------------------------------------------------------------


def _site(stimulus: Stimulus, target: Target) -> dict[str, Any]:
    """OBI's target of an input: mid-soma of a named node set, or a compartment set."""
    electrode = {}
    if stimulus.physical_electrode and not isinstance(stimulus.what, VoltageClamp):
        electrode = {"represents_physical_electrode": True}
    if stimulus.compartment_set is not None:
        return {"compartment_set": stimulus.compartment_set, **electrode}
    place = _place(stimulus)
    if place and target.obi:
        target.report.approximated(
            "stimulus-site",
            f"inputs/{stimulus.name}",
            f"Tools of the OBI dialect apply a stimulus to the soma of a node set. That this one goes to "
            f"{stimulus.section} at {stimulus.distance_range or stimulus.position} is written, but only pynn_io reads "
            "it.",
            examples=[stimulus.name],
        )
    return {"node_set": _named(stimulus.node_set, stimulus.name, stimulus.name, target), **place, **electrode}


def _named(node_set: Any, made: str, name: str, target: Target) -> Any:
    """A node set of the input ``name``, under a name where the dialect demands one: ``made`` if it has none."""
    rewritten = target.sets.rewritten(node_set, f"inputs/{name}")
    return target.obi_set(rewritten, made) if target.obi else rewritten


def _place(stimulus: Stimulus) -> dict[str, Any]:
    """BMTK's words for a place that is not the middle of the soma."""
    content: dict[str, Any] = {}
    name, index = _section(stimulus.section)
    if stimulus.distance_range is not None:
        content |= {"section_name": stimulus.section.split(), "section_index": list(stimulus.distance_range)}
    elif (name, index) != ("soma", 0):
        content |= {"section_name": name, "section_index": index}
    if stimulus.position != 0.5:
        content["section_dist"] = stimulus.position
    return content


def _electrode(stimulus: Stimulus, target: Target) -> dict[str, Any]:
    """BMTK's place of an electrode; its clamps are electrodes, whether the stimulus is meant to be one or not."""
    content = _place(stimulus)
    if not stimulus.physical_electrode and not isinstance(stimulus.what, VoltageClamp):
        # BMTK passes over keys that it does not know; pynn_io reads it back.
        content["represents_physical_electrode"] = False
        if any(isinstance(cell, CableCell) for cell in target.network.cells.values()):
            target.report.approximated(
                "electrode-current",
                f"inputs/{stimulus.name}",
                "BMTK injects it through an electrode: potentials are the same, but the current is missing from "
                "membrane currents and extracellular potentials",
                examples=[stimulus.name],
            )
    return content


# --- Spikes --------------------------------------------------------------------------------------------------------


def _spike_file(name: str, trains: SpikeTrains, target: Target) -> str:
    safe = safe_name(name)
    ids = target.sets.new_ids(trains.population, np.asarray(trains.node_ids))
    with hdf5_file(target.dest / "inputs" / f"{safe}.h5") as file:
        order = np.lexsort((trains.times, ids))
        write_spikes(file, trains.population, ids[order], np.asarray(trains.times)[order], "by_id")
    return f"$INPUT_DIR/{safe}.h5"


def _trains_as_replay(name: str, trains: SpikeTrains, target: Target) -> dict[str, Any]:
    """Trains of a population's own: replayed onto everything that it projects to."""
    end = float(trains.times.max()) if len(trains.times) else 0.0
    projections = target.network.projections.values()
    targets = sorted({edges.post for edges in projections if edges.pre == trains.population})
    return {
        "input_type": "spikes",
        "module": "synapse_replay",
        "spike_file": _spike_file(name, trains, target),
        "delay": 0.0,
        # A window that ends with the run would cut off trains that go on, which a reader must take for a loss.
        "duration": end + 1.0 if target.plan.duration is None else max(target.plan.duration, end),
        "node_set": target.obi_set({"population": targets if len(targets) != 1 else targets[0]}, name),
    }


def _replay(stimulus: Stimulus, what: SynapseReplay, target: Target) -> dict[str, Any]:
    name = stimulus.name
    content = {
        "input_type": "spikes",
        "module": "synapse_replay",
        "spike_file": _spike_file(name, what.trains, target),
        "delay": what.delay,
        "duration": _until_the_end(name, what.delay, target) if what.duration is None else what.duration,
        **_site(stimulus, target),
    }
    if what.source is not None:
        content["source"] = _named(what.source, f"{name}_source", name, target)
    return content


# --- Clamps --------------------------------------------------------------------------------------------------------


def _iclamp(stimulus: Stimulus, pulses: CurrentPulses, node_set: Any, target: Target) -> dict[str, Any]:
    """BMTK's current clamp: pA where the simulator is NEST, else nA; one number, or lists of one length."""
    factor = 1000.0 if target.nest else 1.0
    return {
        "input_type": "current_clamp",
        "module": "IClamp",
        "node_set": node_set,
        "amp": _one(np.asarray(pulses.amplitudes) * factor),
        "delay": _one(pulses.delays),
        "duration": _one(_durations(pulses, target)),
        **_electrode(stimulus, target),
    }


def _durations(pulses: CurrentPulses, target: Target) -> np.ndarray:
    """A step without an end lasts to the end of the run."""
    durations = np.asarray(pulses.durations, dtype=float)
    return np.where(np.isinf(durations), np.maximum(target.end - np.asarray(pulses.delays), 0.0), durations)


def _steps(stimulus: Stimulus, pulses: CurrentPulses, target: Target) -> Inputs:
    """OBI's ``linear``: one input a step, nA."""
    site = _site(stimulus, target)
    steps = list(zip(pulses.amplitudes, pulses.delays, _durations(pulses, target), strict=True))
    if len(steps) > 1:
        target.report.expanded(
            "current-steps",
            f"inputs/{stimulus.name}",
            "there is one input for each step of a current",
            count=len(steps),
            examples=[stimulus.name, *(f"{stimulus.name}_{number}" for number in range(len(steps)))],
        )
    return {
        stimulus.name if len(steps) == 1 else f"{stimulus.name}_{number}": {
            "input_type": "current_clamp",
            "module": "linear",
            "amp_start": float(amplitude),
            "delay": float(delay),
            "duration": float(duration),
            **site,
        }
        for number, (amplitude, delay, duration) in enumerate(steps)
    }


# --- The rest ------------------------------------------------------------------------------------------------------


def _other(name: str, what: OtherStimulus, target: Target) -> dict[str, Any]:
    """As its source had it; the files it names are copied to ``inputs/``."""
    content = plain(what.parameters)
    for key in _FILES:
        value = content.get(key)
        path = None if not isinstance(value, str) or target.base is None else target.base / value
        if path is not None and os.path.isfile(path):
            copy = target.dest / "inputs" / path.name
            if copy.exists():
                copy = copy.with_name(f"{safe_name(name)}_{path.name}")
            copy_file(path, copy)
            content[key] = f"$INPUT_DIR/{copy.name}"
    target.report.approximated(
        "stimulus-kept",
        f"inputs/{name}",
        f"the input {name} of kind {what.kind} is written as its source states it; pynn_io does not know whether "
        "this dialect has it",
        examples=[name],
    )
    return content


def _one(values: np.ndarray) -> Any:
    listed = np.asarray(values, dtype=float).tolist()
    return listed[0] if len(listed) == 1 else listed


def _section(text: str) -> tuple[str, int]:
    """``dend[3]`` -> ``("dend", 3)``."""
    match = _SECTION.match(text)
    return (match["name"], int(match["index"])) if match else (text, 0)
