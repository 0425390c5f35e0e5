"""Projections as synapses: streamed in blocks, only those onto the cells that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.columns import Table
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import EdgeBlock, edge_blocks
from pynn_io.lowering.cables.components import SCHEME as COMPONENT
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.edge_sites import SEGMENTS, EdgeSites, Targeted
from pynn_io.lowering.cables.geometry import Shapes
from pynn_io.lowering.cables.models import Connections, PointModel, SynapseBlock, SynapseModel
from pynn_io.lowering.cables.placement import Generators, Rule, parse_rule
from pynn_io.lowering.cables.populations import Cells
from pynn_io.lowering.cables.receptors import Receptors
from pynn_io.lowering.edges import stated_by_edges
from pynn_io.lowering.receptors import inhibitory_edges
from pynn_io.report import Report
from pynn_io.vocabulary import models

#: What a weight in the unit of its type is in NEURON's (uS for conductances, nA for currents).
_SCALES: Mapping[str, float] = {"uS": 1.0, "nS": 1e-3, "nA": 1.0, "pA": 1e-3, "mV": 1.0, "1": 1.0, "": 1.0}
_SCHEME = "nrn:"
#: NEURON's own NetCon delay, ms.
_DELAY = 1.0
Drawing: TypeAlias = Callable[[str, Sequence[Rule | None], Generators], Any]


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
    own = stated_by_edges(projection)
    receptors = Receptors(network, projection, generated)
    types = [
        generated.synapse(name, item)
        if item.model.startswith(COMPONENT)
        else receptors.model(row) or _synapse(item, own, f"{where}/{name}", report)
        for row, (item, name) in enumerate(zip(definitions, projection.synapses, strict=True))
    ]
    pre, post = cells[projection.pre], cells[projection.post]
    rules = _rules(projection, where)
    targets = Targeted(network, post, shapes, generators, generated, projection.section_order, rules, where)
    stream = _Stream(network, projection, pre, post, targets, where)
    stream.prepare(definitions, types)
    return Connections(
        projection.name,
        projection.kind,
        projection.pre,
        projection.post,
        tuple(types),
        projection.size,
        stream.blocks,
        drawing=drawing(projection.name, rules, generators) if drawing and targets.draws_later else None,
        names=receptors.names,
    )


def _rules(projection: Projection, where: str) -> list[Rule | None]:
    """Where the synapses of each type row may be; None for a row that does not say."""
    sections, distances = (_text(projection.types, name) for name in ("target_sections", "distance_range"))
    return [parse_rule(*stated, where) for stated in zip(sections, distances, strict=True)]


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
    targets: Targeted
    where: str
    scale: np.ndarray = field(init=False)
    mechanism: np.ndarray = field(init=False)
    conducting: np.ndarray = field(init=False)
    inhibitory: np.ndarray = field(init=False)
    columns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cells = [item.model for item in self.post.groups]
        unit = [model.weight_unit if isinstance(model, PointModel) else "" for model in cells]
        self.conducting = np.array([name == "uS" for name in unit], dtype=bool)

    @property
    def immediate(self) -> bool:
        """Whether a connection without a delay has none: NeuroML's ``<connection>``."""
        names = self.projection.synapses
        return all(self.network.synapses[name].model.startswith(COMPONENT) for name in names)

    def prepare(self, definitions: list[Synapse], types: list[SynapseModel]) -> None:
        """What each type row says, once."""
        projection = self.projection
        self.mechanism = np.array([bool(model.mechanism) for model in types], dtype=bool)
        table = projection.types
        units = table.values("weight_unit") if "weight_unit" in table else [""] * table.size
        self.scale = np.array([_SCALES.get(str(unit or ""), 1.0) for unit in units], dtype=np.float64)
        self.inhibitory = np.array([text == "inhibitory" for text in _text(table, "receptor")], dtype=bool)
        known = [models.known(item.model) for item in definitions]
        aliases = {key: value for model in known if model is not None for key, value in model.aliases.items()}
        for name in dict.fromkeys((*projection.edges.columns, *table)):
            if name.startswith(PARAMETER) and name != f"{PARAMETER}sign":
                plain = name.removeprefix(PARAMETER)
                self.columns[name] = aliases.get(plain, plain)

    def blocks(self, keep: np.ndarray, report: Report) -> Iterator[SynapseBlock]:
        """Synapses onto the cells whose gid has ``keep``."""
        names = ["afferent_section_id", "afferent_section_pos", *SEGMENTS, "receptor", *self.columns]
        for block in edge_blocks(self.projection, self.network, report, names):
            chosen = np.flatnonzero(keep[block.target + self.post.first] & (self.post.group[block.target] >= 0))
            chosen = self._with_mechanism(block, chosen, report)
            if len(chosen):
                yield self._block(block, chosen, report)

    def _with_mechanism(self, block: EdgeBlock, chosen: np.ndarray, report: Report) -> np.ndarray:
        """The edges but those onto cells with extent that name no point process of NEURON."""
        without = self.targets.cable[self.post.group[block.target[chosen]]] & ~self.mechanism[block.type[chosen]]
        report.lost(
            "synapse-model",
            self.where,
            "The synapses name no mechanism that can be put on a cell with extent; they are left out.",
            count=int(np.count_nonzero(without)),
        )
        return chosen[~without]

    def _block(self, block: EdgeBlock, chosen: np.ndarray, report: Report) -> SynapseBlock:
        target, kind = block.target[chosen], block.type[chosen]
        cable = self.targets.cable[self.post.group[target]]
        columns = {name: values[chosen] for name, values in block.columns.items()}
        nsyns = np.ones(len(chosen), dtype=np.int64) if block.nsyns is None else block.nsyns[chosen].astype(np.int64)
        sites = EdgeSites(self.targets, target, kind, cable, columns, nsyns)
        sites.find(report)
        # a cell without extent gets all synapses of an edge at one place: one connection with their summed weight
        weight = block.weight[chosen] * self.scale[kind] * np.where(cable | sites.given, 1, nsyns)
        weight = self._signed(weight, self.conducting[self.post.group[target]], block, chosen)
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

    def _signed(self, weight: np.ndarray, conducting: np.ndarray, block: EdgeBlock, chosen: np.ndarray) -> np.ndarray:
        """Conductances onto the inhibitory receptor of a standard cell are negative, as its process wants them.

        A conductance is positive whatever it does; an inhibitory current is negative already.
        """
        inhibitory = inhibitory_edges(self.projection, self.inhibitory, block, chosen)
        return np.where(conducting & inhibitory, -np.abs(weight), weight)


def _text(table: Table, name: str) -> list[str | None]:
    """A column of text, None where not stated."""
    if name not in table:
        return [None] * table.size
    return [None if value is None else str(value) for value in np.ma.asarray(table.values(name)).tolist()]


def _filled(values: np.ndarray) -> np.ndarray:
    return np.ma.filled(np.ma.array(values, dtype=np.float64), np.nan)
