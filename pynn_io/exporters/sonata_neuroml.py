"""A NeuroML network in SONATA's words: hoc templates, NMODL mechanisms, sections for segments, reports for quantities.

What has no form there stays in the document as it is, and whoever writes it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import GraphError, PlanError, UnsupportedInput
from pynn_io.exporters.sonata_hoc import hoc_name, hoc_template, section_name, standing
from pynn_io.graph.biophysics import ChannelDensity, ChannelPopulation, MembraneProperty, Paint
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column, Table
from pynn_io.graph.dynamics import Component
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.sections import position, sections
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl
from pynn_io.lowering.membrane import Mechanisms, segment_model
from pynn_io.lowering.quantities import quantity
from pynn_io.lowering.segment_shape import segment_shape
from pynn_io.lowering.types import as_component
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording, SimulationPlan

SCHEME, TEMPLATE, MECHANISM = "neuroml:", "hoc:", "nrn:"
#: What a NeuroML network is run with that states nothing: degC, ms, and mV of cells without an initial potential.
_CELSIUS, _TIMESTEP, _POTENTIAL = 6.3, 0.025, -65.0
#: What a connection of NeuroML means that does not state it.
_UNSTATED = {"weight": 1.0, "delay": 0.0}


@dataclass(slots=True)
class Converted:
    """document: in SONATA's words. templates, mechanisms: name -> text of the files beside it."""

    document: Document
    templates: dict[str, str] = field(default_factory=dict)
    mechanisms: dict[str, str] = field(default_factory=dict)


def converted(document: Document, report: Report, *, obi: bool = False) -> Converted:
    """The document with its NeuroML cells, their synapses, inputs and recordings as SONATA has them.

    obi: the dialect has no name for a mechanism of a synapse, so that these are lost.
    """
    if not any(_is_neuroml(cell, document.network) for cell in document.network.cells.values()):
        return Converted(document)
    return _Conversion(document, report, obi).made()


def _is_neuroml(cell: object, network: Network) -> bool:
    """Whether a cable cell has segment groups or channels as NeuroML has them."""
    if not isinstance(cell, CableCell) or cell.template or cell.processing or cell.morphology is None:
        return False
    if any(isinstance(item, Component) for item in network.channels.values()):
        named = [p.item.channel for p in cell.decor if isinstance(p.item, ChannelDensity | ChannelPopulation)]
        if named:
            return all(isinstance(network.channels.get(name), Component) for name in named)
    return "neuroml" in network.extra


class _Conversion:
    def __init__(self, document: Document, report: Report, obi: bool) -> None:
        self.obi = obi
        self.document, self.network, self.report = document, document.network, report
        self.mechanisms = Mechanisms(document.network)
        self.cells: dict[str, CableCell] = {}
        self.templates: dict[str, str] = {}
        self.morphologies: dict[str, Morphology] = {}
        self.synapses: dict[str, Synapse] = {}

    def made(self) -> Converted:
        network = self.network
        for name, cell in network.cells.items():
            if isinstance(cell, CableCell) and _is_neuroml(cell, network):
                self._cell(name, cell)
        projections = {name: self._projection(item) for name, item in network.projections.items()}
        changed = replace(
            network,
            cells={**network.cells, **self.cells},
            morphologies={**network.morphologies, **self.morphologies},
            projections=projections,
            synapses={**network.synapses, **self.synapses},
        )
        plan = self.document.plan
        if plan is not None:
            plan = self._plan(plan)
        document = replace(self.document, network=changed, plan=plan)
        return Converted(document, self.templates, self.mechanisms.texts)

    # --- cells ----------------------------------------------------------------------------------------------------

    def _cell(self, name: str, cell: CableCell) -> None:
        where = f"cell {name}"
        key = str(cell.morphology)
        try:
            if key not in self.morphologies:
                self.morphologies[key] = standing(self.network.morphologies[key], self.report)
            shape = segment_shape(self.morphologies[key])
            model = segment_model(name, cell, shape, self.mechanisms, self.report)
            template = hoc_name(name, self.templates)
            self.templates[template] = hoc_template(template, model, self.morphologies[key], self.report)
        except (UnsupportedInput, GraphError) as error:
            self.report.lost("cell", where, f"It cannot be written for NEURON: {error.message}.", examples=[name])
            return
        self.cells[name] = CableCell(key, template=f"{TEMPLATE}{template}")
        names = sorted({each.definition for each in model.spreads})
        self.report.approximated(
            "cell-as-hoc",
            where,
            "Its sections and membrane are written as a hoc template, its channels as NMODL mechanisms; a simulator "
            "computes the same, but a reader gets a template and mechanisms, not channels with their gates: "
            f"{', '.join(names)}",
            examples=[name, "decor", *names, *self._groups(key)],
        )

    def _groups(self, key: str) -> list[str]:
        return list(self.network.morphologies[key].groups)

    # --- projections ----------------------------------------------------------------------------------------------

    def _projection(self, projection: Projection) -> Projection:
        made = self._sites(projection, "afferent", self.network.populations[projection.post], projection.edges.target)
        made = self._sites(made, "efferent", self.network.populations[projection.pre], projection.edges.source)
        target = self.network.populations[projection.post]
        if projection.kind != "chemical" or not all(name in self.cells for name in target.cells):
            return made
        names = [self._synapse(name, projection) for name in projection.synapses]
        types = made.types.updated({"synapse": Column(np.arange(len(names)), levels=tuple(names))})
        columns = made.edges.columns
        for key, usual in _UNSTATED.items():
            if key not in types and key not in columns:
                types = types.updated({key: Column(np.full(types.size, usual))})
            elif key in columns and key not in types:
                values = np.ma.filled(np.ma.asanyarray(columns.read(key)), usual)
                columns = columns.updated({key: columns[key].with_data(values)})
        return replace(made, types=types, edges=replace(made.edges, columns=columns))

    def _synapse(self, name: str, projection: Projection) -> str:
        synapse = self.network.synapses[name]
        if not synapse.model.startswith(SCHEME):
            return name
        made_name = f"{name}_nmodl"
        if made_name not in self.synapses:
            try:
                made = nmodl.synapse(as_component(name, synapse), self.mechanisms.types, self.mechanisms.named)
            except (UnsupportedInput, GraphError) as error:
                message = f"It cannot be written for NEURON: {error.message}."
                self.report.lost("synapse", f"projection {projection.name}", message, examples=[synapse.model])
                return name
            self.mechanisms.add(made)
            self.synapses[made_name] = Synapse(f"{MECHANISM}{made.name}", made.parameters)
            self._report_synapse(name, synapse, made.name, f"projection {projection.name}")
        return made_name

    def _report_synapse(self, name: str, synapse: Synapse, mechanism: str, where: str) -> None:
        message = f"The synapse {name} is the NMODL mechanism {mechanism}"
        examples = [name, synapse.model, f"{name} children"]
        if self.obi:
            message += ", which no file of the OBI dialect can name: a simulator does not find it."
            self.report.lost("synapse", where, message, examples=examples)
        else:
            message += f"; a reader gets that back, not {synapse.model}."
            self.report.approximated("synapse-as-nmodl", where, message, examples=examples)

    def _sites(self, projection: Projection, side: str, population: Population, ends: Column) -> Projection:
        """Segments and fractions as sections and positions; the root's middle where nothing is stated."""
        keys = {kind: f"{side}_segment_{kind}" for kind in ("id", "fraction")}
        table, size = projection.edges.columns, projection.size
        stated = [name for name in keys.values() if name in table or name in projection.types]
        cable = [name for name in population.cells if name in self.cells]
        if not cable or (side == "efferent" and not stated):
            return projection
        rows = np.asarray(ends.read(size), dtype=np.int64)
        segment, fraction = (self._column(projection, name) for name in keys.values())
        section, at = self._places(population, rows, segment, fraction)
        columns = {name: column for name, column in table.items() if name not in stated}
        columns[f"{side}_section_id"] = Column(section)
        columns[f"{side}_section_pos"] = Column(at)
        types = Table(projection.types.size, {k: c for k, c in projection.types.items() if k not in stated})
        return replace(projection, types=types, edges=replace(projection.edges, columns=Table(size, columns)))

    @staticmethod
    def _column(projection: Projection, name: str) -> np.ndarray | None:
        table = projection.edges.columns
        if name in table:
            return np.ma.asanyarray(table.read(name))
        if name in projection.types:
            index = projection.type_index.read(projection.size)
            return np.ma.asanyarray(projection.types.read(name))[index]
        return None

    def _places(
        self, population: Population, rows: np.ndarray, segment: np.ndarray | None, fraction: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Section ids and positions of places on cells, by row of the population."""
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[rows]
        section, at = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), 0.5)
        for number, name in enumerate(population.cells):
            here = np.flatnonzero(kind == number)
            if name not in self.cells or not len(here):
                continue
            morphology = self.morphologies[str(self.cells[name].morphology)]
            wanted = np.full(len(here), morphology.id[0])
            if segment is not None:
                wanted = np.ma.filled(np.ma.array(segment[here], dtype=np.int64), morphology.id[0])
            along = np.full(len(here), 0.5)
            if fraction is not None:
                along = np.ma.filled(np.ma.array(fraction[here], dtype=np.float64), 0.5)
            section[here], at[here] = on_sections(morphology, wanted, along)
        return section, at

    # --- the plan -------------------------------------------------------------------------------------------------

    def _plan(self, plan: SimulationPlan) -> SimulationPlan:
        stimuli = [each for item in plan.stimuli for each in self._stimulus(item)]
        recordings = [each for item in plan.recordings for each in self._recordings(item)]
        own = self._membrane_values()
        return replace(
            plan,
            stimuli=tuple(stimuli),
            recordings=tuple(recordings),
            celsius=self._usual(plan.celsius, "celsius", _CELSIUS, "degC"),
            timestep=self._usual(plan.timestep, "timestep", _TIMESTEP, "ms"),
            v_init=own.get("v_init", _POTENTIAL) if plan.v_init is None else plan.v_init,
            spike_threshold=own.get("spike_threshold", 0.0) if plan.spike_threshold is None else plan.spike_threshold,
        )

    def _usual(self, stated: float | None, key: str, usual: float, unit: str) -> float:
        """SONATA's simulators have usual values of their own, so that NeuroML's are stated."""
        if stated is None:
            self.report.defaulted("default-setting", f"plan/{key}", f"{key} is not stated: {usual} {unit}.")
            return usual
        return stated

    def _membrane_values(self) -> dict[str, float]:
        """Potential at the start and threshold, which SONATA states once for a run."""
        found: dict[str, float] = {}
        for key, kind in (("v_init", "initial_potential"), ("spike_threshold", "spike_threshold")):
            values = [
                entry.item.value
                for name in self.cells
                for entry in getattr(self.network.cells[name], "decor", ())
                if isinstance(entry, Paint) and isinstance(entry.item, MembraneProperty) and entry.item.kind == kind
            ]
            if values:
                found[key] = values[0]
            if len(set(values)) > 1:
                message = f"SONATA has one {kind} for a run: {values[0]} mV stands for all of {sorted(set(values))}"
                self.report.approximated("membrane-property", "plan", message, examples=[kind, key])
        return found

    def _stimulus(self, stimulus: Stimulus) -> Iterator[Stimulus]:
        """Pulses on places of cells, one stimulus for each place that several cells share."""
        targets = stimulus.targets
        if targets is None or not isinstance(stimulus.what, CurrentPulses):
            yield stimulus
            return
        population = self.network.populations[targets.population]
        if not all(name in self.cells for name in population.cells):
            yield stimulus
            return
        size, ids = len(targets.rows), population.ids()
        section, at = self._places(population, targets.rows, targets.segment, targets.fraction)
        weight = np.ones(size) if targets.weight is None else np.asarray(targets.weight)
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[targets.rows]
        keys = np.stack([targets.rows, section, at, weight], axis=1)
        again = _repeats(keys)
        groups, member = np.unique(np.stack([kind, section, at, weight, again], 1), axis=0, return_inverse=True)
        for number, (type_, on, pos, factor, _) in enumerate(groups.tolist()):
            rows = targets.rows[member.reshape(-1) == number]
            cell = self.cells[population.cells[int(type_)]]
            derived = sections(self.morphologies[str(cell.morphology)])
            named = section_name(derived, int(on))
            what = replace(stimulus.what, amplitudes=np.asarray(stimulus.what.amplitudes) * factor)
            yield replace(
                stimulus,
                name=stimulus.name if len(groups) == 1 else f"{stimulus.name}_{number}",
                what=what,
                node_set={"population": targets.population, "node_id": ids[rows].tolist()},
                section="soma" if named == "soma[0]" else named,
                position=pos,
                targets=None,
            )

    def _recordings(self, recording: Recording) -> Iterator[Recording]:
        """Potentials of roots as membrane reports; spikes are always written."""
        if recording.kind not in ("quantities", "events"):
            yield recording
            return
        found: dict[str, list[int]] = {}
        left = []
        for name, path in recording.columns:
            try:
                what = quantity(path, self.network, where=recording.name)
            except PlanError as error:
                left.append(f"{name} ({path}: {error.message})")
                continue
            population = self.network.populations[what.population]
            kind = int(np.asarray(population.type_index.read(population.size))[what.row])
            root = population.cells[kind] in self.cells and what.variable == "v" and not what.parts
            if root and self._in_soma(population.cells[kind], what.segment):
                found.setdefault(what.population, []).append(int(population.ids()[what.row]))
            elif recording.kind == "quantities":
                left.append(f"{name} ({path})")
        report = self.report
        message = "Only potentials of the soma are recorded in SONATA; the other quantities are left out."
        report.lost("recording", f"recording {recording.name}", message, count=len(left), examples=left)
        if recording.kind == "events":
            message = "Spikes of all cells are written by a run of a SONATA circuit: there is no recording of some."
            report.approximated("recording", f"recording {recording.name}", message, examples=[recording.name])
        elif found:
            message = (
                "A file of potentials is a membrane report a population, of the middle of the soma, in mV and HDF5."
            )
            report.approximated("recording", f"recording {recording.name}", message, examples=[recording.name])
        for population_name, ids in found.items():
            node_set = {"population": population_name, "node_id": sorted(set(ids))}
            yield Recording(f"{_plain(recording.name)}_{population_name}", "v", node_set, sections="soma")

    def _in_soma(self, cell: str, segment: int | None) -> bool:
        """Whether a segment is of the section that a membrane report of the soma is about."""
        morphology = self.morphologies[str(self.cells[cell].morphology)]
        wanted = morphology.id[0] if segment is None else segment
        section, _ = on_sections(morphology, np.array([wanted]), np.array([0.5]))
        return section_name(sections(morphology), int(section[0])) == "soma[0]"


def on_sections(morphology: Morphology, segment: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Section ids (int64) and positions along them (float64) of places on segments, by NeuroML id.

    Raises GraphError for an id that no segment bears.
    """
    order = np.argsort(morphology.id, kind="stable")
    found = order[np.minimum(np.searchsorted(morphology.id, segment, sorter=order), morphology.size - 1)]
    wrong = morphology.id[found] != segment
    if wrong.any():
        raise GraphError(f"morphology {morphology.name!r} has no segment {segment[wrong][0]}")
    return position(morphology, found, fraction)


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
