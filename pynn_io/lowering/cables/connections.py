"""Projections as synapses: streamed in blocks, only those onto the cells that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.columns import Table
from pynn_io.graph.morphology import remap_sections
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import EdgeBlock, edge_blocks
from pynn_io.lowering.cables.components import SCHEME as COMPONENT
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.geometry import Compartments, Geometry, Shapes
from pynn_io.lowering.cables.inputs import is_of_segments, places
from pynn_io.lowering.cables.models import (
    DRAWN,
    CableModel,
    CellGroup,
    Connections,
    PointModel,
    SynapseBlock,
    SynapseModel,
)
from pynn_io.lowering.cables.placement import Generators, Rule, Targets, parse_rule, place, targets
from pynn_io.lowering.cables.receptors import Receptors
from pynn_io.report import Report
from pynn_io.vocabulary import models

#: What a weight in the unit of its type is in NEURON's (uS for conductances, nA for currents).
_SCALES: Mapping[str, float] = {"uS": 1.0, "nS": 1e-3, "nA": 1.0, "pA": 1e-3, "mV": 1.0, "1": 1.0, "": 1.0}
_SCHEME = "nrn:"
#: Where on a cell of NeuroML.
_SEGMENTS = ("afferent_segment_id", "afferent_segment_fraction")
#: NEURON's own NetCon delay, ms.
_DELAY = 1.0
Drawing: TypeAlias = Callable[[str, Sequence[Rule | None], Generators], Any]


@dataclass(slots=True, eq=False)
class Cells:
    """What connections need to know of the cells of one population, by row.

    group: int64[n], index into ``groups``, -1 for rows that are not built. morphology: int64[n], code in the group.
    """

    first: int
    groups: list[CellGroup]
    group: np.ndarray
    morphology: np.ndarray


def cells_of(network: Network, first: Mapping[str, int], groups: tuple[CellGroup, ...]) -> dict[str, Cells]:
    """`Cells` of every population."""
    found = {}
    for name, population in network.populations.items():
        group, code = np.full(population.size, -1, dtype=np.int64), np.zeros(population.size, dtype=np.int64)
        mine = [item for item in groups if item.population == name]
        for number, item in enumerate(mine):
            group[item.rows] = number
            if item.morphology is not None:
                code[item.rows] = item.morphology
        found[name] = Cells(first[name], mine, group, code)
    return found


def connections(
    network: Network,
    projection: Projection,
    cells: Mapping[str, Cells],
    shapes: Shapes,
    generators: Generators,
    generated: Generated,
    report: Report,
    drawing: Drawing | None = None,
) -> Connections:
    """One chemical projection. Blocks of several must be taken in the order of the projections: cells draw.

    drawing: makes what finds sites on cells whose sections are not known before they are built.
    """
    where = f"projections/{projection.name}"
    definitions = [network.synapses[name] for name in projection.synapses]
    edges = projection.edges
    own = {
        name.removeprefix(PARAMETER): 0.0
        for name, column in edges.columns.items()
        if name.startswith(PARAMETER) and column.rows_stated(edges.size) == edges.size
    }
    receptors = Receptors(network, projection, generated)
    types = [
        generated.synapse(name, item)
        if item.model.startswith(COMPONENT)
        else receptors.model(row) or _synapse(item, own, f"{where}/{name}", report)
        for row, (item, name) in enumerate(zip(definitions, projection.synapses, strict=True))
    ]
    ends = cells[projection.pre], cells[projection.post]
    stream = _Stream(network, projection, *ends, shapes, generators, generated)
    stream.prepare(where, definitions, types)
    return Connections(
        projection.name,
        projection.kind,
        projection.pre,
        projection.post,
        tuple(types),
        projection.size,
        stream.blocks,
        drawing=drawing(projection.name, stream.rules, generators) if drawing and stream.draws_later else None,
        names=receptors.names,
    )


def _synapse(synapse: Synapse, own: Mapping[str, float], where: str, report: Report) -> SynapseModel:
    """The point process of a synapse type. A model of another simulator or none delivers events to the cell itself.

    own: parameters that every edge states; no default stands for them, so that none is reported.
    """
    if not synapse.model.startswith(_SCHEME):
        return SynapseModel("")
    if models.known(synapse.model) is not None:
        models.complete(replace(synapse, parameters={**own, **synapse.parameters}), report, where)
        values = models.complete(synapse, Report(), where)
        return SynapseModel(synapse.model.removeprefix(_SCHEME), {key: float(value) for key, value in values.items()})
    stated = {
        key: float(value)
        for key, value in synapse.parameters.items()
        if key not in models.NOT_PARAMETERS and models.is_number(value)
    }
    return SynapseModel(synapse.model.removeprefix(_SCHEME), stated)


@dataclass(slots=True, eq=False)
class _Stream:
    """The synapses of one projection."""

    network: Network
    projection: Projection
    pre: Cells
    post: Cells
    shapes: Shapes
    generators: Generators
    generated: Generated
    where: str = ""
    scale: np.ndarray = field(init=False)
    cable: np.ndarray = field(init=False)
    known: np.ndarray = field(init=False)
    segmented: np.ndarray = field(init=False)
    mechanism: np.ndarray = field(init=False)
    conducting: np.ndarray = field(init=False)
    inhibitory: np.ndarray = field(init=False)
    rules: list[Rule | None] = field(init=False)
    columns: dict[str, str] = field(default_factory=dict)
    found: dict[tuple[int, int, Rule], Targets] = field(default_factory=dict)

    def __post_init__(self) -> None:
        models_ = [item.model for item in self.post.groups]
        points = [
            (isinstance(model, PointModel) and model.capacitance is None) or getattr(model, "point", False)
            for model in models_
        ]
        self.segmented = np.array([is_of_segments(model) for model in models_], dtype=bool)
        self.cable = ~np.array(points, dtype=bool)
        self.known = np.array([isinstance(model, CableModel) for model in models_], dtype=bool)
        unit = [model.weight_unit if isinstance(model, PointModel) else "" for model in models_]
        self.conducting = np.array([name == "uS" for name in unit], dtype=bool)

    @property
    def immediate(self) -> bool:
        """Whether a connection without a delay has none: NeuroML's ``<connection>``."""
        names = self.projection.synapses
        return all(self.network.synapses[name].model.startswith(COMPONENT) for name in names)

    @property
    def draws_later(self) -> bool:
        """Whether sites may have to be drawn on cells whose sections are not known before they are built."""
        return bool((self.cable & ~self.known).any()) and any(rule is not None for rule in self.rules)

    def prepare(self, where: str, definitions: list[Synapse], types: list[SynapseModel]) -> None:
        """What each type row says, once."""
        projection = self.projection
        self.where = where
        self.mechanism = np.array([bool(model.mechanism) for model in types], dtype=bool)
        table = projection.types
        units = table.values("weight_unit") if "weight_unit" in table else [""] * table.size
        self.scale = np.array([_SCALES.get(str(unit or ""), 1.0) for unit in units], dtype=np.float64)
        self.inhibitory = np.array([text == "inhibitory" for text in _text(table, "receptor")], dtype=bool)
        sections, distances = (_text(table, name) for name in ("target_sections", "distance_range"))
        self.rules = [parse_rule(*stated, where) for stated in zip(sections, distances, strict=True)]
        known = [models.known(item.model) for item in definitions]
        aliases = {key: value for model in known if model is not None for key, value in model.aliases.items()}
        for name in dict.fromkeys((*projection.edges.columns, *table)):
            if name.startswith(PARAMETER) and name != f"{PARAMETER}sign":
                plain = name.removeprefix(PARAMETER)
                self.columns[name] = aliases.get(plain, plain)

    def blocks(self, keep: np.ndarray, report: Report) -> Iterator[SynapseBlock]:
        """Synapses onto the cells whose gid has ``keep``."""
        names = ["afferent_section_id", "afferent_section_pos", *_SEGMENTS, "receptor", *self.columns]
        for block in edge_blocks(self.projection, self.network, report, names):
            chosen = np.flatnonzero(keep[block.target + self.post.first] & (self.post.group[block.target] >= 0))
            chosen = self._with_mechanism(block, chosen, report)
            if len(chosen):
                yield self._block(block, chosen, report)

    def _with_mechanism(self, block: EdgeBlock, chosen: np.ndarray, report: Report) -> np.ndarray:
        """The edges but those onto cells with extent that name no point process of NEURON."""
        without = self.cable[self.post.group[block.target[chosen]]] & ~self.mechanism[block.type[chosen]]
        report.lost(
            "synapse-model",
            self.where,
            "The synapses name no mechanism that can be put on a cell with extent; they are left out.",
            count=int(np.count_nonzero(without)),
        )
        return chosen[~without]

    def _block(self, block: EdgeBlock, chosen: np.ndarray, report: Report) -> SynapseBlock:
        target, kind = block.target[chosen], block.type[chosen]
        cable = self.cable[self.post.group[target]]
        columns = {name: values[chosen] for name, values in block.columns.items()}
        nsyns = np.ones(len(chosen), dtype=np.int64) if block.nsyns is None else block.nsyns[chosen].astype(np.int64)
        sites = _Sites(self, target, kind, cable, columns, nsyns)
        sites.find(report)
        # a cell without extent gets all synapses of an edge at one place: one connection with their summed weight
        weight = block.weight[chosen] * self.scale[kind] * np.where(cable | sites.given, 1, nsyns)
        weight = self._signed(weight, self.conducting[self.post.group[target]], kind, block, chosen)
        index = np.repeat(np.arange(len(chosen)), sites.copies)
        delay = block.delay[chosen]
        missing = np.isnan(delay)
        if (delay < 0).any():
            edge = block.start + int(chosen[np.argmax(delay < 0)])
            raise PlanError(f"edge {edge} has the negative delay {delay.min()} ms", where=self.where)
        if not self.immediate:
            report.defaulted(
                "default-delay",
                self.where,
                f"The delay is not stated; NEURON's own of {_DELAY} ms is taken.",
                count=int(np.count_nonzero(missing)),
            )
        return SynapseBlock(
            block.source[chosen][index] + self.pre.first,
            target[index] + self.post.first,
            kind[index],
            weight[index],
            np.where(missing, 0.0 if self.immediate else _DELAY, delay)[index],
            sites.section,
            sites.position,
            block.start + chosen[index],
            {variable: _filled(columns[name])[index] for name, variable in self.columns.items() if name in columns},
        )

    def _signed(
        self, weight: np.ndarray, conducting: np.ndarray, kind: np.ndarray, block: EdgeBlock, chosen: np.ndarray
    ) -> np.ndarray:
        """Conductances onto the inhibitory receptor of a standard cell are negative, as its process wants them.

        A conductance is positive whatever it does; an inhibitory current is negative already.
        """
        inhibitory = self.inhibitory[kind]
        column = self.projection.edges.columns.get("receptor")
        if column is not None and column.levels is not None:
            own = np.ma.masked_array(block.columns["receptor"])[chosen]
            says = np.array([level == "inhibitory" for level in column.levels] or [False], dtype=bool)
            inhibitory = np.where(np.ma.getmaskarray(own), inhibitory, says[np.ma.filled(own, 0)])
        return np.where(conducting & inhibitory, -np.abs(weight), weight)

    def allowed(self, target: int, rule: Rule) -> tuple[Compartments, Targets]:
        """The compartments of a cell (by row), and those that a rule allows."""
        group, code = int(self.post.group[target]), int(self.post.morphology[target])
        _, cell = self.shape(group, code)
        found = self.found.get((group, code, rule))
        if found is None:
            found = self.found[group, code, rule] = targets(rule, cell)
        return cell, found

    def shape(self, group: int, code: int) -> tuple[Geometry, Compartments]:
        """The sections of a cable cell that no template makes. KeyError for a morphology that is not there."""
        item = self.post.groups[group]
        if not isinstance(item.model, CableModel):
            raise KeyError(item.cell)
        return self.shapes(item.morphologies[code], item.model.processing)


@dataclass(slots=True, eq=False)
class _Sites:
    """Where on their cells the synapses of some edges are.

    copies: int64[edges], how many synapses each edge has. section, position: one entry a synapse, edges in order.
    given: edges whose section is stated.
    """

    stream: _Stream
    target: np.ndarray
    kind: np.ndarray
    cable: np.ndarray
    columns: dict[str, np.ndarray]
    nsyns: np.ndarray
    given: np.ndarray = field(init=False)
    copies: np.ndarray = field(init=False)
    section: np.ndarray = field(init=False)
    position: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        stated = self.columns.get("afferent_section_id")
        none = np.zeros(len(self.target), dtype=bool)
        self.given = none if stated is None else ~np.ma.getmaskarray(stated)

    def find(self, report: Report) -> None:
        count = len(self.target)
        ruled = np.array([rule is not None for rule in self.stream.rules])[self.kind] & self.cable & ~self.given
        self.copies = np.where(ruled, self.nsyns, 1)
        self.section, self.position = np.where(self.cable, 0, -1), np.full(count, 0.5)
        self._stated(report)
        self._on_segments()
        later = ruled & ~self.stream.known[self.stream.post.group[self.target]]
        self.section[later] = DRAWN
        report.defaulted(
            "synapse-site",
            self.stream.where,
            "Neither a section nor target_sections is stated: the synapses are put in the middle of the soma.",
            count=int(np.count_nonzero(self.cable & ~self.given & ~ruled)),
        )
        self._drawn(np.flatnonzero(ruled & ~later), report)

    def _on_segments(self) -> None:
        """Places on cells of NeuroML: by segment, else the middle of the root; the only place of a point."""
        stream = self.stream
        rows = np.flatnonzero(stream.segmented[stream.post.group[self.target]])
        if len(rows):
            segment, fraction = (self.columns[name][rows] if name in self.columns else None for name in _SEGMENTS)
            where = places(self.target[rows], segment, fraction, stream.post, stream.network, stream.generated)
            self.section[rows], self.position[rows] = where
            self.given[rows] = True

    def _stated(self, report: Report) -> None:
        """Sections that the edges state, in the order in which the cells have them."""
        rows = np.flatnonzero(self.cable & self.given)
        if not len(rows):
            return
        ids = np.asarray(np.ma.filled(self.columns["afferent_section_id"], 0), dtype=np.int64)[rows]
        post, projection = self.stream.post, self.stream.projection
        pairs = np.stack([post.group[self.target[rows]], post.morphology[self.target[rows]]], axis=1)
        missing = np.zeros(len(rows), dtype=bool)
        for group, code in np.unique(pairs, axis=0).tolist():
            if not isinstance(post.groups[group].model, CableModel):
                continue  # a template counts its sections itself
            here = np.flatnonzero((pairs == (group, code)).all(axis=1))
            shape, _ = self.stream.shape(group, code)
            morphology = self.stream.network.morphologies[post.groups[group].morphologies[code]]
            found = remap_sections(morphology, ids[here], source=projection.section_order, target=shape.order)
            ids[here], missing[here] = found.filled(0), np.ma.getmaskarray(found)
        self.section[rows] = ids
        if "afferent_section_pos" in self.columns:
            at = np.ma.filled(np.ma.array(self.columns["afferent_section_pos"], dtype=np.float64), 0.5)
            self.position[rows] = np.clip(at[rows], 0.0, 1.0)
        self.copies[rows[missing]] = 0
        report.lost(
            "synapse-site",
            self.stream.where,
            "Synapses lie on sections that the cell does not have after its model_processing; they are left out.",
            count=int(np.count_nonzero(missing)),
        )

    def _drawn(self, rows: np.ndarray, report: Report) -> None:
        """Sites that cells draw by their edges' rules, cell by cell, each cell's edges in order."""
        order = rows[np.argsort(self.target[rows], kind="stable")]
        cells = np.split(order, np.flatnonzero(np.diff(self.target[order])) + 1) if len(order) else []
        empty = 0
        for edges in cells:
            empty += self._without_place(edges)
        report.lost(
            "synapse-site",
            self.stream.where,
            "No compartment of the cell is in target_sections and distance_range; these edges have no synapse.",
            count=empty,
        )
        first = np.cumsum(self.copies) - self.copies
        index = np.repeat(np.arange(len(self.target)), self.copies)
        self.section, self.position = self.section[index], self.position[index]
        for edges in cells:
            self._draw(edges, first)

    def _without_place(self, edges: np.ndarray) -> int:
        """Edges of one cell whose rule allows nothing there get no synapse, and draw none."""
        empty = 0
        for kind in np.unique(self.kind[edges]).tolist():
            _, found = self.stream.allowed(int(self.target[edges[0]]), self.stream.rules[kind])  # type: ignore[arg-type]
            if not len(found.index):
                here = edges[self.kind[edges] == kind]
                self.copies[here] = 0
                empty += len(here)
        return empty

    def _draw(self, edges: np.ndarray, first: np.ndarray) -> None:
        """The sites of one cell's synapses."""
        count = self.copies[edges]
        row = int(self.target[edges[0]])
        draws = self.stream.generators.draw(row + self.stream.post.first, int(count.sum()))
        within = np.arange(len(draws)) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat(first[edges], count) + within
        kinds = np.repeat(self.kind[edges], count)
        for kind in np.unique(kinds).tolist():
            cell, found = self.stream.allowed(row, self.stream.rules[kind])  # type: ignore[arg-type]
            here = kinds == kind
            chosen = place(found, draws[here])
            self.section[at[here]], self.position[at[here]] = cell.section[chosen], cell.x[chosen]


def _text(table: Table, name: str) -> list[str | None]:
    """A column of text, None where not stated."""
    if name not in table:
        return [None] * table.size
    return [None if value is None else str(value) for value in np.ma.asarray(table.values(name)).tolist()]


def _filled(values: np.ndarray) -> np.ndarray:
    return np.ma.filled(np.ma.array(values, dtype=np.float64), np.nan)
