"""The plan of a NeuroML network in SONATA's words: pulses as current clamps, potentials of somata as reports.

What has no such form is kept under ``neuroml`` of the simulation configuration, where pynn_io finds it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.exporters.sonata_neuroml_places import Places
from pynn_io.exporters.sonata_sets import NodeSets
from pynn_io.formats.sonata_neuroml import KEY
from pynn_io.graph.biophysics import MembraneProperty, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.section_form import section_name
from pynn_io.graph.sections import sections
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, Stimulus
from pynn_io.lowering.quantities import quantity
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording, SimulationPlan

#: What a NeuroML network is run with that states nothing: degC, ms, and mV of cells without an initial potential.
_USUAL = {"celsius": (6.3, "degC"), "timestep": (0.025, "ms"), "v_init": (-65.0, "mV"), "spike_threshold": (0.0, "mV")}
#: Setting of a run -> the membrane property of cells that it stands for.
_OF_CELLS = {"v_init": "initial_potential", "spike_threshold": "spike_threshold"}
#: BMTK divides by the number of steps between two writings, which it takes for 0 where none is stated; and it cuts
#: sections into compartments of 20 um where ``dL`` is not stated to be nothing.
_FOR_BMTK: Mapping[str, Any] = MappingProxyType({"nsteps_block": 5000, "dL": None})
#: The cell of a quantity's path: its population, and its id there.
_CELL = re.compile(r"(?:\.\./)*(\w+)[\[/](\d+)")
_ONLY_HERE = "only pynn_io reads it there"


@dataclass(slots=True)
class PlanConversion:
    """stated: setting -> what converted point cells state for it, mV. nest: whether the cells are NEST's models."""

    places: Places
    report: Report
    stated: Mapping[str, list[float]]
    nest: bool = False
    kept: dict[str, Any] = field(default_factory=dict)

    def made(self, plan: SimulationPlan) -> SimulationPlan:
        """The plan in SONATA's words; what it keeps of NeuroML is in ``extra``."""
        stimuli = [each for item in plan.stimuli for each in self._stimulus(item)]
        recordings = [each for item in plan.recordings for each in self._recordings(item)]
        defaults = {name: value for name, value in self._settings().items() if getattr(plan, name) is None}
        for name, value in defaults.items():
            message = f"{name} is not stated: {value} {_USUAL[name][1]}."
            self.report.defaulted("default-setting", f"plan/{name}", message, examples=[name])
        self.kept |= {"name": plan.name, "defaults": defaults}
        extra = {**plan.extra, KEY: self.kept}
        run = dict(extra.get("run", {}))
        self.kept["run"] = {key: value for key, value in _FOR_BMTK.items() if key not in run}
        if plan.section_length is not None or self.nest:
            self.kept["run"].pop("dL", None)
        extra["run"] = {**run, **self.kept["run"]}
        changed: dict[str, Any] = {**defaults, "extra": extra}
        return replace(plan, stimuli=tuple(stimuli), recordings=tuple(recordings), **changed)

    # --- settings -----------------------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, float]:
        """What stands for a setting that the plan does not state: SONATA's simulators have usual values of their own.

        Potential at the start and threshold are the cells' in NeuroML, and the run's in SONATA.
        """
        if self.nest:  # cells of NEST have potentials of their own
            return {"timestep": _USUAL["timestep"][0]}
        found = {name: usual for name, (usual, _) in _USUAL.items()}
        for key, kind in _OF_CELLS.items():
            values = [*self._membrane(kind), *self.stated.get(key, ())]
            if values:
                found[key] = values[0]
            if len(set(values)) > 1:
                message = f"SONATA has one {kind} for a run: {values[0]} mV stands for all of {sorted(set(values))}"
                self.report.approximated("membrane-property", "plan", message, examples=[kind, key])
        return found

    def _membrane(self, kind: str) -> list[float]:
        return [
            entry.item.value
            for name in self.places.cells
            if isinstance(cell := self.places.network.cells[name], CableCell)
            for entry in cell.decor
            if isinstance(entry, Paint) and isinstance(entry.item, MembraneProperty) and entry.item.kind == kind
        ]

    # --- inputs -------------------------------------------------------------------------------------------------------

    def _stimulus(self, stimulus: Stimulus) -> Iterator[Stimulus]:
        """Pulses on places of cells, one stimulus for each place that several cells share."""
        targets = stimulus.targets
        if targets is not None and isinstance(stimulus.what, ComponentInput):
            self._keep_input(stimulus, stimulus.what)
            return
        if targets is None or not isinstance(stimulus.what, CurrentPulses):
            yield stimulus
            return
        population = self.places.network.populations[targets.population]
        if not all(name in self.places.cells for name in population.cells):
            yield stimulus
            return
        size, ids = len(targets.rows), population.ids()
        section, at = self.places.on_sections(population, targets.rows, targets.segment, targets.fraction)
        weight = np.ones(size) if targets.weight is None else np.asarray(targets.weight)
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[targets.rows]
        again = _repeats(np.stack([targets.rows, section, at, weight], axis=1))
        groups, member = np.unique(np.stack([kind, section, at, weight, again], 1), axis=0, return_inverse=True)
        for number, (type_, on, pos, factor, _) in enumerate(groups.tolist()):
            rows = targets.rows[member.reshape(-1) == number]
            named = self._section(population.cells[int(type_)], int(on))
            yield replace(
                stimulus,
                name=stimulus.name if len(groups) == 1 else f"{stimulus.name}_{number}",
                what=replace(stimulus.what, amplitudes=np.asarray(stimulus.what.amplitudes) * factor),
                node_set={"population": targets.population, "node_id": ids[rows].tolist()},
                section="soma" if named == "soma[0]" else named,
                position=pos,
                targets=None,
            )

    def _section(self, cell: str, number: int) -> str:
        morphology = self.places.morphology(cell)
        return "soma[0]" if morphology is None else section_name(sections(morphology), number)

    def _keep_input(self, stimulus: Stimulus, what: ComponentInput) -> None:
        targets = stimulus.targets
        if targets is None:
            return
        ids = self.places.network.populations[targets.population].ids()[targets.rows]
        arrays = {"segment": targets.segment, "fraction": targets.fraction, "weight": targets.weight}
        self.kept.setdefault("inputs", []).append(
            {
                "name": stimulus.name,
                "component": what.component.id,
                "population": targets.population,
                "node_id": ids.tolist(),
                **{key: np.asarray(values).tolist() for key, values in arrays.items() if values is not None},
            }
        )
        message = (
            f"An input that is a {what.component.type} has no form in SONATA; it is kept as NeuroML: {_ONLY_HERE}."
        )
        self.report.approximated(
            "stimulus", f"inputs/{stimulus.name}", message, count=len(ids), examples=[stimulus.name, what.component.id]
        )

    # --- recordings ---------------------------------------------------------------------------------------------------

    def _recordings(self, recording: Recording) -> Iterator[Recording]:
        """Potentials of roots as membrane reports; spikes are always written."""
        if recording.kind not in ("quantities", "events"):
            yield recording
            return
        found: dict[str, list[int]] = {}
        left = []
        for name, path in recording.columns:
            cell = self._soma(path, recording.name)
            if cell is not None:
                found.setdefault(cell[0], []).append(cell[1])
            elif recording.kind == "quantities":
                left.append((name, path))
        where = f"recording {recording.name}"
        self._keep_recording(recording, tuple(left), where)
        if recording.kind == "events":
            message = "Spikes of all cells are written by a run of a SONATA circuit: there is no recording of some."
            self.report.approximated("recording", where, message, examples=[recording.name])
        elif found:
            message = (
                "A file of potentials is a membrane report a population, of the middle of the soma, in mV and HDF5."
            )
            self.report.approximated("recording", where, message, examples=[recording.name])
        for population, ids in found.items():
            node_set = {"population": population, "node_id": sorted(set(ids))}
            yield Recording(
                f"{_plain(recording.name)}_{population}", "V_m" if self.nest else "v", node_set, sections="soma"
            )

    def _soma(self, path: str, where: str) -> tuple[str, int] | None:
        """Population and id of the cell whose soma's potential a quantity is; None for any other."""
        network = self.places.network
        try:
            what = quantity(path, network, where=where)
        except PlanError:
            return None
        population = network.populations[what.population]
        kind = int(np.asarray(population.type_index.read(population.size))[what.row])
        cell = population.cells[kind]
        if cell not in self.places.cells or what.variable != "v" or what.parts:
            return None
        if not self._in_soma(cell, what.segment):
            return None
        return what.population, int(population.ids()[what.row])

    def _in_soma(self, cell: str, segment: int | None) -> bool:
        """Whether a segment is of the section that a membrane report of the soma is about."""
        morphology = self.places.morphology(cell)
        if morphology is None or segment is None or segment == morphology.id[0]:
            return True
        section, _ = self.places.place(morphology, np.array([segment]), np.array([0.5]))
        return section_name(sections(morphology), int(section[0])) == "soma[0]"

    def _keep_recording(self, recording: Recording, left: tuple[tuple[str, str], ...], where: str) -> None:
        if not left:
            return
        self.kept.setdefault("recordings", []).append(
            {
                "name": recording.name,
                "variable": recording.variable,
                "kind": recording.kind,
                "file": recording.file,
                "columns": [list(column) for column in left],
                "parameters": dict(recording.parameters),
            }
        )
        message = f"SONATA's reports have potentials of the soma; other quantities are kept as NeuroML: {_ONLY_HERE}."
        examples = [f"{name} ({path})" for name, path in left]
        self.report.approximated("recording", where, message, count=len(left), examples=examples)


def renumbered(kept: Mapping[str, Any], sets: NodeSets) -> dict[str, Any]:
    """What a plan keeps of NeuroML, with the ids that nodes have in the files."""

    def path(text: str) -> str:
        match = _CELL.match(text)
        if match is None:
            return text
        number = int(sets.new_ids(match[1], np.array([int(match[2])]))[0])
        return f"{text[: match.start(2)]}{number}{text[match.end(2) :]}"

    found = dict(kept)
    if "inputs" in kept:
        ids = [sets.new_ids(each["population"], np.asarray(each["node_id"])) for each in kept["inputs"]]
        found["inputs"] = [{**each, "node_id": own.tolist()} for each, own in zip(kept["inputs"], ids, strict=True)]
    if "recordings" in kept:
        found["recordings"] = [
            {**each, "columns": [[name, path(text)] for name, text in each["columns"]]} for each in kept["recordings"]
        ]
    return found


def _repeats(keys: np.ndarray) -> np.ndarray:
    """Of each row (float64[n, k]) how many rows before it are the same."""
    order = np.lexsort(keys.T)
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[order][1:] != keys[order][:-1]).any(axis=1)
    at = np.arange(len(keys))
    again = np.zeros(len(keys))
    again[order] = at - np.maximum.accumulate(np.where(new, at, 0))
    return again


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
