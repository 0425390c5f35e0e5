"""Projections of a NeuroML network in SONATA's words: sections for segments, mechanisms or NEST's synapses.

Every projection is described as it was (`ProjectionForm`), for what the tables do not say when it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.exporters.sonata_neuroml_places import Places
from pynn_io.formats.sonata_neuroml import ALL, SOME, UNSTATED, ProjectionForm, SynapseForm
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.section_form import on_segments
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl
from pynn_io.lowering.membrane import Mechanisms
from pynn_io.lowering.types import as_component
from pynn_io.report import Report

_SCHEME, _MECHANISM = "neuroml:", "nrn:"
_GAP = "neuroml:gapJunction"
#: Types that NEURON's own synapses compute with a weight of ``gbase`` uS: synapse, and its parameters as BMTK calls
#: them.
_NATIVE: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "neuroml:expOneSynapse": ("nrn:ExpSyn", {"tauDecay": "tau1", "erev": "erev"}),
        "neuroml:expTwoSynapse": ("nrn:Exp2Syn", {"tauRise": "tau1", "tauDecay": "tau2", "erev": "erev"}),
    }
)
#: From this part of the decay on Exp2Syn takes a shorter rise time.
_RISE = 0.9999


@dataclass(slots=True)
class EdgeConversion:
    """forms: by projection. synapses: made for them, by name. components: projection -> component of every type row."""

    places: Places
    mechanisms: Mechanisms
    report: Report
    obi: bool
    forms: dict[str, ProjectionForm] = field(default_factory=dict)
    synapses: dict[str, Synapse] = field(default_factory=dict)
    components: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _shapes: dict[str, tuple[str, float]] = field(default_factory=dict)

    def made(self, projection: Projection, nest: np.ndarray | None = None) -> Projection:
        """The projection as a circuit has it. nest: factors of its weights where it is onto NEST's cells already."""
        network = self.places.network
        source = network.projections[projection.name]
        components = [network.synapses[name].model.startswith(_SCHEME) for name in source.synapses]
        made = self._sites(projection, "afferent", network.populations[projection.post], projection.edges.target)
        made = self._sites(made, "efferent", network.populations[projection.pre], projection.edges.source)
        target = network.populations[projection.post]
        factors = np.ones(len(source.synapses))
        if nest is not None:
            factors = nest
        elif projection.kind == "chemical" and all(name in self.places.cells for name in target.cells):
            made, factors = self._onto_mechanisms(made)
        elif projection.kind == "electrical" and {network.synapses[n].model for n in source.synapses} == {_GAP}:
            made, factors = self._gap_junctions(made)
        elif projection.kind != "chemical":
            self._not_ours(projection)
        if all(components) or made is not projection:
            self._describe(source, made, factors, components)
        return made

    def _describe(self, source: Projection, made: Projection, factors: np.ndarray, components: list[bool]) -> None:
        synapses = {
            name: SynapseForm(float(factor), unit, "" if factor == 1 else written)
            for name, factor, unit, written in zip(
                source.synapses, factors.tolist(), _units(source), _units(made), strict=True
            )
        }
        self.forms[source.name] = ProjectionForm(source.kind, _stated(source), synapses)
        if all(components):
            self.components[source.name] = source.synapses

    # --- synapses -------------------------------------------------------------------------------------------------

    def _onto_mechanisms(self, projection: Projection) -> tuple[Projection, np.ndarray]:
        """A chemical projection onto cells that are templates; and the factors of its weights."""
        found = [self._synapse(name, projection) for name in projection.synapses]
        factors = np.array([factor for _, factor in found])
        names = [name for name, _ in found]
        made = _with_weights(projection, factors)
        types = {**made.types, "synapse": text_column(names)}
        units = _units(projection)
        types["weight_unit"] = text_column(
            [unit if factor == 1 else "uS" for unit, factor in zip(units, factors.tolist(), strict=True)]
        )
        return replace(made, types=Table(len(names), types)), factors

    def _synapse(self, name: str, projection: Projection) -> tuple[str, float]:
        """The synapse that stands for a component, and what its weights are multiplied by."""
        if name not in self._shapes:
            self._shapes[name] = self._shape(name, f"projection {projection.name}")
        return self._shapes[name]

    def _shape(self, name: str, where: str) -> tuple[str, float]:
        synapse = self.places.network.synapses[name]
        if not synapse.model.startswith(_SCHEME):
            return name, 1.0
        native = self._native(name, synapse, where)
        if native is not None:
            return native
        try:
            made = nmodl.synapse(as_component(name, synapse), self.mechanisms.types, self.mechanisms.named)
        except (UnsupportedInput, GraphError) as error:
            message = f"It cannot be written for NEURON, and stays NeuroML that only pynn_io reads: {error.message}."
            self.report.approximated("synapse", where, message, examples=[synapse.model, name])
            return name, 1.0
        self.mechanisms.add(made)
        self.synapses[f"{name}_nmodl"] = Synapse(f"{_MECHANISM}{made.name}", made.parameters)
        message = f"The synapse {name} is the NMODL mechanism {made.name}"
        examples = [name, synapse.model, f"{name} children"]
        if self.obi:
            message += ", which no file of the OBI dialect can name: only pynn_io finds it."
            self.report.approximated("synapse", where, message, examples=examples)
        else:
            self.report.expanded(
                "synapse-as-nmodl", where, f"{message}; its NeuroML stands beside it.", examples=examples
            )
        return f"{name}_nmodl", 1.0

    def _native(self, name: str, synapse: Synapse, where: str) -> tuple[str, float] | None:
        """A synapse that NEURON has itself; None for any other."""
        if synapse.model not in _NATIVE or synapse.children:
            return None
        model, keys = _NATIVE[synapse.model]
        numbers = {key: float(synapse.parameters[own]) for own, key in keys.items() if own in synapse.parameters}
        strength = float(synapse.parameters.get("gbase", 0.0))
        if len(numbers) < len(keys) or strength <= 0 or numbers["tau1"] > _RISE * numbers.get("tau2", np.inf):
            return None
        made, kind = f"{name}_{model.removeprefix(_MECHANISM)}", model.removeprefix(_MECHANISM)
        self.synapses[made] = Synapse(model, numbers)
        message = f"The synapse {name} is NEURON's {kind} with weights in uS, which computes the same"
        self.report.expanded(
            "synapse-as-native",
            where,
            f"{message}; its NeuroML stands beside it.",
            examples=[name, synapse.model, f"{name} children", "weight"],
        )
        return made, strength

    def _gap_junctions(self, projection: Projection) -> tuple[Projection, np.ndarray]:
        """Gap junctions with their conductances as weights, uS."""
        network = self.places.network
        factors = np.array([float(network.synapses[name].parameters["conductance"]) for name in projection.synapses])
        made = _with_weights(projection, factors)
        self.synapses["static"] = Synapse("static")
        size = len(factors)
        types = {
            **made.types,
            "synapse": text_column(["static"] * size),
            "weight_unit": text_column(["uS"] * size),
        }
        message = (
            "Gap junctions are written as conductances of edges; BMTK wants a file of their ids besides, and a Gap "
            "mechanism, so that it does not run them; their NeuroML stands beside."
        )
        self.report.approximated(
            "gap-junction", f"projection {projection.name}", message, count=projection.size, examples=[_GAP, "weight"]
        )
        return replace(made, types=Table(size, types)), factors

    def _not_ours(self, projection: Projection) -> None:
        network = self.places.network
        message = (
            f"SONATA's simulators have no {projection.kind} synapses of such components: the edges are switched off "
            "for them in the configuration, and only pynn_io reads them."
        )
        names = dict.fromkeys([*projection.synapses, *_pre_synapses(projection)])
        examples = [projection.kind, "kind", *(network.synapses[name].model for name in names)]
        self.report.approximated(
            "projection-kind",
            f"projection {projection.name}",
            message,
            count=projection.size,
            examples=[*examples, *(f"{name} children" for name in names)],
        )

    # --- places ---------------------------------------------------------------------------------------------------

    def _sites(self, projection: Projection, side: str, population: Population, ends: Column) -> Projection:
        """Segments and fractions as sections and positions; the root's middle where nothing is stated."""
        keys = [f"{side}_segment_{kind}" for kind in ("id", "fraction")]
        table, size = projection.edges.columns, projection.size
        stated = [name for name in keys if name in table or name in projection.types]
        here = [name for name in population.cells if name in self.places.cells]
        extended = [name for name in here if self.places.cells[name] is not None]
        native = here and not extended and not self.mechanisms.texts
        if not here or native or (side == "efferent" and not stated) or (stated and not extended):
            return projection
        rows = np.asarray(ends.read(size), dtype=np.int64)
        segment, fraction = (_column(projection, name) for name in keys)
        section, at = self.places.on_sections(population, rows, segment, fraction)
        self._check(projection.name, side, population, (rows, segment, fraction), (section, at))
        columns = {name: column for name, column in table.items() if name not in stated}
        columns[f"{side}_section_id"] = Column(section)
        columns[f"{side}_section_pos"] = Column(at)
        types = Table(projection.types.size, {k: c for k, c in projection.types.items() if k not in stated})
        return replace(projection, types=types, edges=replace(projection.edges, columns=Table(size, columns)))

    def _check(
        self,
        name: str,
        side: str,
        population: Population,
        stated: tuple[np.ndarray, np.ndarray | None, np.ndarray | None],
        made: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Say which places will not come back as they were: ends of segments, and numbers of very many digits."""
        rows, segment, fraction = stated
        if segment is None or fraction is None:
            return
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[rows]
        moved = 0
        for number, cell in enumerate(population.cells):
            here, morphology = np.flatnonzero(kind == number), self.places.cells.get(cell)
            if morphology is not None and len(here):
                back, along = on_segments(morphology, made[0][here], made[1][here])
                moved += int(((back != segment[here]) | (along != fraction[here])).sum())
        message = (
            "Places at the start of a segment come back as the end of the one before it, and fractions in 12 decimals: "
            f"{side}_segment_id, {side}_segment_fraction"
        )
        self.report.expanded("place", f"projection {name}", message, count=moved)


def _with_weights(projection: Projection, factors: np.ndarray) -> Projection:
    """Weights times a factor for every type; what is not stated as what it means."""
    types, columns = dict(projection.types), projection.edges.columns
    for key, usual in UNSTATED.items():
        scale = factors if key == "weight" else np.ones(len(factors))
        if key in types:
            types[key] = types[key].with_data(np.asarray(types[key].read(len(scale))) * scale)
        elif key in columns:
            values = np.ma.filled(np.ma.asanyarray(columns.read(key)), usual)
            index = np.asarray(projection.type_index.read(projection.size))
            columns = columns.updated({key: columns[key].with_data(values * scale[index])})
        else:
            types[key] = Column(usual * scale)
    edges = replace(projection.edges, columns=columns)
    return replace(projection, types=Table(len(factors), types), edges=edges)


def _units(projection: Projection) -> list[str]:
    if "weight_unit" not in projection.types:
        return ["1"] * projection.types.size
    stated: list[str] = np.ma.filled(np.ma.asarray(projection.types.values("weight_unit"), dtype=object), "1").tolist()
    return stated


def _stated(projection: Projection) -> dict[str, str]:
    """What of the columns that a conversion may fill in the source states, and whether for all edges."""
    found = {}
    parameters = [name for name in (*projection.types, *projection.edges.columns) if name.startswith(PARAMETER)]
    for key in ("weight", "delay", "afferent_segment_id", "efferent_segment_id", *dict.fromkeys(parameters)):
        values = _column(projection, key)
        if values is not None:
            found[key] = SOME if np.ma.is_masked(values) else ALL
    return found


def _column(projection: Projection, name: str) -> np.ndarray | None:
    table = projection.edges.columns
    if name in table:
        return np.ma.asanyarray(table.read(name))
    if name in projection.types:
        index = projection.type_index.read(projection.size)
        return np.ma.asanyarray(projection.types.read(name))[index]
    return None


def _pre_synapses(projection: Projection) -> list[str]:
    return list(projection.types.values("pre_synapse")) if "pre_synapse" in projection.types else []
