"""Simulation plans -> ``simulation_config.json``, spike files and the file that joins circuit and simulation."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.exporters.sonata_components import plain, safe_name
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_sets import NodeSets
from pynn_io.formats.sonata_write import copy_file, hdf5_file, write_json, write_spikes
from pynn_io.graph.cells import PointCell
from pynn_io.graph.stimuli import CurrentPulses, OtherStimulus, SpikeTrains, Stimulus, kind_of
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording, SimulationPlan

_SECTION = re.compile(r"(?P<name>.*)\[(?P<index>\d+)\]\Z")
#: Keys of an input that name a file.
_FILES = ("input_file", "file", "spike_file", "electrode_file", "positions_file", "path")
#: What libsonata wants stated for a report, and what stands in where the plan is silent.
_OBI_SECTIONS = ("soma", "axon", "dend", "apic", "all")
_OBI_SIMULATORS = ("NEURON", "CORENEURON", "LearningEngine", "Brian2", "unspecified")


def write_simulation(
    document: Document,
    dest: Path,
    dialect: Dialect,
    sets: NodeSets,
    report: Report,
) -> None:
    """Write the plan of a document beside its circuit. The dialect of both worlds has Allen's form of it."""
    if document.plan is not None:
        _Simulation(document, document.plan, dest, dialect, sets, report).write()


class _Simulation:
    def __init__(
        self, document: Document, plan: SimulationPlan, dest: Path, dialect: Dialect, sets: NodeSets, report: Report
    ) -> None:
        self.document, self.plan, self.dest = document, plan, dest
        self.obi, self.sets, self.report = dialect.name == "obi", sets, report
        self.allen = dialect.name == "allen"
        self.extra = dict(plan.extra)
        simulator = plan.target_simulator or document.network.extra.get("target_simulator")
        self.nest = _is_nest(document, simulator)
        stated = (document.network.extra.get("sonata") or {}).get("config")
        self.base = Path(stated).parent if stated else None
        self.node_sets = self._node_sets()

    def write(self) -> None:
        config: dict[str, Any] = {"manifest": {"$BASE_DIR": ".", "$INPUT_DIR": "$BASE_DIR/inputs"}}
        config["network"] = "./circuit_config.json" if self.obi else "$BASE_DIR/circuit_config.json"
        config["run"] = self._run()
        config["conditions"] = self._conditions()
        config["output"] = self._output()
        inputs = {name: item for stimulus in self.plan.stimuli for name, item in self._input(stimulus).items()}
        inputs |= plain(self.extra.pop("disabled_inputs", {}))
        config["inputs"] = inputs
        config["reports"] = {item.name: self._recording(item) for item in self.plan.recordings if self._has_home(item)}
        simulator = self.plan.target_simulator
        if simulator and (not self.obi or simulator in _OBI_SIMULATORS):
            config["target_simulator"] = simulator
        if self.node_sets:
            write_json(self.dest / "simulation_node_sets.json", self.node_sets)
            config["node_sets_file"] = "$BASE_DIR/simulation_node_sets.json"
        config |= {key: plain(value) for key, value in self.extra.items() if key not in config}
        write_json(self.dest / "simulation_config.json", config)
        if not self.obi:
            joined = {"network": "./circuit_config.json", "simulation": "./simulation_config.json"}
            write_json(self.dest / "config.json", joined)

    def _run(self) -> dict[str, Any]:
        plan = self.plan
        run = {
            "tstop": plan.duration,
            "dt": plan.timestep,
            "spike_threshold": plan.spike_threshold,
            "random_seed": plan.seed,
        }
        run |= plain(self.extra.pop("run", {}))
        stated = {key: value for key, value in run.items() if value is not None}
        if self.obi:
            self._default(stated, "random_seed", 0, "run")
        return stated

    def _conditions(self) -> dict[str, Any]:
        stated = {"celsius": self.plan.celsius, "v_init": self.plan.v_init}
        stated |= plain(self.extra.pop("conditions", {}))
        return {key: value for key, value in stated.items() if value is not None}

    def _output(self) -> dict[str, Any]:
        output = dict(plain(self.extra.pop("output", {})))
        stated = str(output.get("output_dir", "./output"))
        if Path(stated).is_absolute() or _leaves(stated):
            self.report.expanded(
                "output-folder",
                "simulation_config.json:output",
                f"results would be written outside of this folder, to {stated}; they go to ./output",
                examples=["output_dir"],
            )
            stated = "./output"
        output["output_dir"] = stated
        output.setdefault("spikes_file", "spikes.h5")
        order = output.get("spikes_sort_order")
        if self.obi and order in ("time", "id"):
            output["spikes_sort_order"] = f"by_{order}"
        return output

    def _node_sets(self) -> dict[str, Any]:
        """BMTK takes the simulation's sets for the circuit's, so for it they are all in one file."""
        own = self.plan.node_sets
        content = {**self.document.network.node_sets, **own} if own and self.allen else dict(own)
        return self.sets.rewritten(content, "simulation_node_sets")

    def _default(self, content: dict[str, Any], key: str, value: Any, where: str) -> None:
        if content.get(key) is None:
            content[key] = value
            self.report.defaulted(
                "simulation-default",
                f"simulation_config.json:{where}",
                f"libsonata refuses a simulation that does not state it: {key} = {value!r} stands in",
                examples=[key],
            )

    # --- inputs ---------------------------------------------------------------------------------------------------

    def _input(self, stimulus: Stimulus) -> dict[str, dict[str, Any]]:
        node_set = self.sets.rewritten(stimulus.node_set, f"inputs/{stimulus.name}")
        if isinstance(stimulus.what, SpikeTrains):
            return {stimulus.name: self._spikes(stimulus.name, stimulus.what, node_set)}
        if isinstance(stimulus.what, CurrentPulses):
            if self.obi:
                return self._linear(stimulus, stimulus.what, node_set)
            return {stimulus.name: self._clamp(stimulus, stimulus.what, node_set)}
        if isinstance(stimulus.what, OtherStimulus):
            return {stimulus.name: self._other(stimulus.name, stimulus.what)}
        self.report.lost(
            "stimulus",
            f"inputs/{stimulus.name}",
            f"A stimulus of the kind {kind_of(stimulus.what)} is not written yet; it is left out.",
            examples=[stimulus.name],
        )
        return {}

    def _spikes(self, name: str, trains: SpikeTrains, node_set: Any) -> dict[str, Any]:
        safe = safe_name(name)
        ids = self.sets.new_ids(trains.population, np.asarray(trains.node_ids))
        with hdf5_file(self.dest / "inputs" / f"{safe}.h5") as file:
            order = np.lexsort((trains.times, ids))
            write_spikes(file, trains.population, ids[order], np.asarray(trains.times)[order], "by_id")
        path = f"$INPUT_DIR/{safe}.h5"
        if not self.obi:
            return {"input_type": "spikes", "module": "h5", "input_file": path, "node_set": node_set}
        end = float(trains.times.max()) if len(trains.times) else 0.0
        targets = sorted(
            {edges.post for edges in self.document.network.projections.values() if edges.pre == trains.population}
        )
        return {
            "input_type": "spikes",
            "module": "synapse_replay",
            "spike_file": path,
            "delay": 0.0,
            # A window that ends with the run would cut off trains that go on, which a reader must take for a loss.
            "duration": end + 1.0 if self.plan.duration is None else max(self.plan.duration, end),
            "node_set": self._obi_set({"population": targets if len(targets) != 1 else targets[0]}, name),
        }

    def _obi_set(self, node_set: Any, name: str) -> Any:
        """libsonata wants the name of a node set: one is made for rules that stand inline and for a population."""
        known = {**self.document.network.node_sets, **self.plan.node_sets, **self.node_sets}
        if isinstance(node_set, str):
            if node_set in known or node_set not in self.document.network.populations:
                return node_set
            node_set = {"population": node_set}
        made = f"{name}_nodes"
        self.node_sets[made] = node_set if isinstance(node_set, Mapping) else {"node_id": plain(node_set)}
        return made

    def _clamp(self, stimulus: Stimulus, pulses: CurrentPulses, node_set: Any) -> dict[str, Any]:
        """BMTK's current clamp: pA where the simulator is NEST, else nA; one number, or lists of one length."""
        factor = 1000.0 if self.nest else 1.0
        content: dict[str, Any] = {"input_type": "current_clamp", "module": "IClamp", "node_set": node_set}
        content["amp"] = _one(np.asarray(pulses.amplitudes) * factor)
        content["delay"] = _one(pulses.delays)
        content["duration"] = _one(self._durations(pulses))
        name, index = _section(stimulus.section)
        if (name, index) != ("soma", 0):
            content |= {"section_name": name, "section_index": index}
        if stimulus.position != 0.5:
            content["section_dist"] = stimulus.position
        return content

    def _durations(self, pulses: CurrentPulses) -> np.ndarray:
        """JSON has no infinity: a step without an end lasts to the end of the run."""
        durations = np.asarray(pulses.durations, dtype=float)
        end = self.plan.duration if self.plan.duration is not None else 1e9
        return np.where(np.isinf(durations), np.maximum(end - np.asarray(pulses.delays), 0.0), durations)

    def _linear(self, stimulus: Stimulus, pulses: CurrentPulses, node_set: Any) -> dict[str, dict[str, Any]]:
        """OBI's ``linear``: one input a step, nA, into the middle of the soma."""
        target = self._obi_set(node_set, stimulus.name)
        if (*_section(stimulus.section), stimulus.position) != ("soma", 0, 0.5):
            self.report.approximated(
                "stimulus-site",
                f"inputs/{stimulus.name}",
                f"the OBI dialect injects current into the soma of a node set; this one goes to {stimulus.section} at "
                f"{stimulus.position}",
                examples=[stimulus.name],
            )
        steps = list(zip(pulses.amplitudes, pulses.delays, self._durations(pulses), strict=True))
        return {
            stimulus.name if len(steps) == 1 else f"{stimulus.name}_{number}": {
                "input_type": "current_clamp",
                "module": "linear",
                "amp_start": float(amplitude),
                "delay": float(delay),
                "duration": float(duration),
                "node_set": target,
            }
            for number, (amplitude, delay, duration) in enumerate(steps)
        }

    def _other(self, name: str, what: OtherStimulus) -> dict[str, Any]:
        """As its source had it; the files it names are copied to ``inputs/``."""
        content = plain(what.parameters)
        for key in _FILES:
            value = content.get(key)
            path = None if not isinstance(value, str) or self.base is None else self.base / value
            if path is not None and os.path.isfile(path):
                target = self.dest / "inputs" / path.name
                if target.exists():
                    target = target.with_name(f"{safe_name(name)}_{path.name}")
                copy_file(path, target)
                content[key] = f"$INPUT_DIR/{target.name}"
        self.report.approximated(
            "stimulus-kept",
            f"inputs/{name}",
            f"the input {name} of kind {what.kind} is written as its source states it; pynn_io does not know whether "
            "this dialect has it",
            examples=[name],
        )
        return content

    # --- reports --------------------------------------------------------------------------------------------------

    def _has_home(self, recording: Recording) -> bool:
        """OBI reports are of variables of cells; BMTK's recorders of weights and files of synapses have none."""
        if recording.variable or not self.obi:
            return True
        self.report.lost(
            "recording",
            f"reports/{recording.name}",
            f"{recording.name} records no variable of a cell ({recording.parameters.get('module', 'no module')}); the "
            "OBI dialect has no such report",
            examples=[recording.name],
        )
        return False

    def _recording(self, recording: Recording) -> dict[str, Any]:
        cells = self.sets.rewritten(recording.node_set, f"reports/{recording.name}")
        content: dict[str, Any] = {
            "cells": self._obi_set(cells, recording.name) if self.obi else cells,
            "variable_name": recording.variable,
            "sections": recording.sections,
            "start_time": recording.start,
            "end_time": recording.stop,
            "dt": recording.interval,
        }
        content |= plain(recording.parameters)
        if not recording.enabled:
            content["enabled"] = False
        if self.obi:
            self._obi_report(recording, content)
        else:
            content.setdefault("module", "membrane_report")
            variables = recording.variable.split(", ")
            content["variable_name"] = variables if len(variables) > 1 else recording.variable
        return {key: value for key, value in content.items() if value is not None}

    def _obi_report(self, recording: Recording, content: dict[str, Any]) -> None:
        where = f"reports/{recording.name}"
        self._default(content, "type", "compartment", where)
        self._default(content, "dt", self.plan.timestep if self.plan.timestep is not None else 0.025, where)
        self._default(content, "start_time", 0.0, where)
        self._default(content, "end_time", self.plan.duration if self.plan.duration is not None else 0.0, where)
        if content["sections"] not in _OBI_SECTIONS:
            content["sections"] = "soma"


def _is_nest(document: Document, simulator: str | None) -> bool:
    """Whether a reader of the written files takes amplitudes for pA: the rule of `simulation_plan.sonata`."""
    if simulator:
        return simulator.upper() == "NEST"
    cells = document.network.cells.values()
    return any(isinstance(cell, PointCell) and cell.model.startswith("nest:") for cell in cells)


def _leaves(path: str) -> bool:
    """Whether a relative path leads out of where it starts. A variable that the manifest does not know stays inside."""
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False


def _one(values: np.ndarray) -> Any:
    listed = np.asarray(values, dtype=float).tolist()
    return listed[0] if len(listed) == 1 else listed


def _section(text: str) -> tuple[str, int]:
    """``dend[3]`` -> ``("dend", 3)``."""
    match = _SECTION.match(text)
    return (match["name"], int(match["index"])) if match else (text, 0)
