"""NIR files -> `Document`: neurons as PyNN's standard cells, the linear nodes between them as connections.

A file that pynn_io wrote comes back as it was, where its nodes still say what its notes do. Others bear no units: NIR's
documentation means ms and mV; some writers mean seconds, and in a simulator with steps a spike lasts one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import PynnIOError
from pynn_io.formats.nir import Graph, Matrix, Node, read_nir
from pynn_io.graph.cells import Cell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.nir_cells import Membrane, Times, membrane, population, source, tell
from pynn_io.importers.nir_signals import GRADED, SPIKING, Signal, Signals, Term, flattened, shape_of
from pynn_io.lowering.nir import Layer, Neurons, NoPrimitive, layers, neurons, same_layers, same_neurons
from pynn_io.lowering.nir_notes import note_of, population_from, projection_from
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.units import convert

_Named = TypeVar("_Named", Population, Projection)
#: Time constants that are all below this are seconds: no membrane of ms is that fast.
_SECONDS = 0.5
_WRONG_NOTE = (ValueError, TypeError, KeyError, IndexError, PynnIOError, NoPrimitive)


def read(
    source: Path,
    report: Report,
    *,
    progress: Progress = quiet,
    time_unit: str = "",
    timestep: float | None = None,
    **_: Any,
) -> Document:
    """Read a graph; nodes between neurons are composed into weights and delays.

    time_unit: of the numbers of somebody else's file (``ms``, ``s``); by default s where all time constants are below
    0.5, else ms, and said so. timestep: ms that a spike is 1, in the simulator that the weights are from; by default
    spikes are unit impulses, as in NIR's equations. Raises ReadError (``file:/node/nodes/NAME``), and UnsupportedInput
    for what no network of spiking neurons does.
    """
    graph = flattened(read_nir(Path(source)))
    ours = note_of(graph.metadata)
    times = Times() if ours else _times(graph, time_unit, timestep, report)
    reader = _Reader(graph, ours, times, report)
    network = reader.network(str(ours.get("name") or Path(source).stem))
    progress("reading nodes", len(graph.nodes), len(graph.nodes))
    provenance = {"format": "nir", "source": str(source), "version": graph.version}
    return Document(network, None, provenance)


def _times(graph: Graph, time_unit: str, timestep: float | None, report: Report) -> Times:
    """What time is in somebody else's file."""
    nodes = [node for node in graph.nodes.values() if isinstance(node, Node)]
    constants = [node.values[key] for node in nodes for key in ("tau", "tau_mem", "tau_syn") if key in node.values]
    largest = max((float(np.max(values)) for values in constants if np.size(values)), default=1.0)
    if time_unit:
        unit = time_unit
    else:
        unit = "s" if largest < _SECONDS else "ms"
        report.defaulted(
            "time-unit",
            graph.where,
            f"NIR files bear no units; with a largest time constant of {largest:g} its times are taken to be {unit}. "
            "Say which with time_unit (--nir-time-unit).",
        )
    in_ms = float(convert(1.0, unit, "ms"))
    if timestep is None:
        report.defaulted(
            "spike-strength",
            graph.where,
            f"How long a spike is 1 is not stated; it is taken to be an impulse with an area of 1 {unit}, as NIR's "
            "equations say. Simulators with steps mean one step: give theirs as timestep (--nir-timestep).",
        )
    return Times(in_ms, 1.0 if timestep is None else timestep / in_ms)


@dataclass(frozen=True, slots=True, eq=False)
class _Notes:
    """A network by the notes of a file, and what its populations would be as nodes. nodes: population -> node."""

    network: Network
    neurons: Mapping[str, Neurons]
    nodes: Mapping[str, str]


class _Reader:
    def __init__(self, graph: Graph, ours: Mapping[str, Any], times: Times, report: Report) -> None:
        self.graph, self.ours, self.times, self.report = graph, ours, times, report
        self.signals = Signals(graph, _label)
        self.nodes = self.signals.nodes
        self.notes = {name: note_of(node.metadata) for name, node in self.nodes.items()}
        self.populations: dict[str, Population] = {}
        self.cells: dict[str, Cell] = {}
        self.synapses: dict[str, Synapse] = {}
        self.projections: dict[str, Projection] = {}
        #: Node -> population, of those that are kept as they were noted; and of all.
        self.kept: dict[str, str] = {}
        self.named: dict[str, str] = {}

    def network(self, name: str) -> Network:
        noted = self._noted()
        arriving: dict[str, Signal] = {}
        for node_name, node in self.nodes.items():
            if node.type in SPIKING | GRADED and not self.notes[node_name].get("placeholder"):
                self._population(node_name, node, noted, arriving)
        for node_name in arriving:
            self._projections(node_name, arriving[node_name], noted)
        self._leftovers()
        sets = self.ours.get("node_sets") if self.ours else self._outputs()
        return Network(
            name,
            _in_order(self.populations, self.ours.get("populations")),
            _in_order(self.projections, self.ours.get("projections")),
            self.cells,
            self.synapses,
            node_sets=sets if isinstance(sets, dict) else {},
        )

    # --- notes --------------------------------------------------------------------------------------------------------

    def _noted(self) -> _Notes:
        """What the notes say; those that make no sense are left out."""
        populations, cells, nodes = dict[str, Population](), dict[str, Cell](), dict[str, str]()
        projections, synapses = dict[str, Projection](), dict[str, Synapse]()
        for name, note in self.notes.items():
            try:
                if "cells" in note:
                    made, own = population_from(note)
                    populations[made.name], nodes[made.name] = made, name
                    cells |= own
                elif "synapses" in note:
                    found, theirs = projection_from(note)
                    projections[found.name] = found
                    synapses |= theirs
            except _WRONG_NOTE:
                self._disbelieve(name)
        network = Network("noted", populations, projections, cells, synapses)
        as_nodes = {}
        for name, made in populations.items():
            try:
                as_nodes[name] = neurons(made, network, Report(), relative=bool(self.ours.get("relative")))
            except _WRONG_NOTE:
                self._disbelieve(nodes[name])
        return _Notes(network, as_nodes, nodes)

    def _disbelieve(self, name: str) -> None:
        message = "What pynn_io noted of these nodes is not what they say, or cannot be read; the nodes count."
        self.report.not_read("note", self.graph.where, message, examples=[name])

    # --- populations --------------------------------------------------------------------------------------------------

    def _population(self, name: str, node: Node, noted: _Notes, arriving: dict[str, Signal]) -> None:
        shape = shape_of(node)
        if node.type != "Input":
            arriving[name] = self.signals.arriving(name, shape)
        called = str(self.notes[name].get("name", ""))
        made = noted.neurons.get(called) if noted.nodes.get(called) == name else None
        if made is not None and made.size == int(np.prod(shape)) and same_neurons(made, node.type, node.values):
            self.populations[called] = noted.network.populations[called]
            self.cells |= {each: noted.network.cells[each] for each in self.populations[called].cells}
            self.kept[name] = self.named[name] = called
            return
        if "cells" in self.notes[name]:
            self._disbelieve(name)
        self.named[name] = name
        if len(shape) != 1:
            message = "Neurons of a grid are numbered row by row."
            self.report.expanded("grid", f"population {name}", message, count=int(np.prod(shape)), examples=[shape])
        if node.type == "Input":
            self.populations[name], self.cells[name] = source(name, int(np.prod(shape)))
            return
        bias = arriving[name].bias
        self.populations[name], self.cells[name] = population(name, membrane(node, self.times), bias)
        tell(node, name, bias, self.report)

    # --- projections --------------------------------------------------------------------------------------------------

    def _projections(self, name: str, signal: Signal, noted: _Notes) -> None:
        """Everything that arrives at a node, by source and label."""
        found: dict[tuple[str, str], list[Term]] = {}
        for term in signal.terms:
            if term.source in self.named:
                found.setdefault((term.source, term.label), []).append(term)
        for (origin, label), terms in found.items():
            if not self._keep(label, origin, name, terms, noted):
                self._add(label, origin, name, terms)

    def _keep(self, label: str, origin: str, target: str, terms: list[Term], noted: _Notes) -> bool:
        """Take a projection as it was noted, if that is what these terms say."""
        made = noted.network.projections.get(label)
        if made is None:
            return False
        there = self.kept.get(origin) == made.pre and self.kept.get(target) == made.post
        if not there or not _says(made, noted, terms):
            self._disbelieve(label)
            return False
        self.projections[made.name] = made
        self.synapses |= {each: noted.network.synapses[each] for each in made.synapses}
        return True

    def _add(self, label: str, origin: str, target: str, terms: list[Term]) -> None:
        pre, post = self.named[origin], self.named[target]
        name = label or f"{pre}_to_{post}"
        if name in self.projections:
            name = f"{name}_{pre}_to_{post}"
        made = membrane(self.nodes[target], self.times)
        self.synapses.setdefault("static", Synapse("static"))
        self.projections[name] = _projection(name, pre, post, terms, made, self.times)

    # --- the rest -----------------------------------------------------------------------------------------------------

    def _outputs(self) -> dict[str, Any]:
        """What an Output marks, as a node set of its name."""
        marked = {name: self.signals.before(name) for name, node in self.nodes.items() if node.type == "Output"}
        sets = {name: [self.named[each] for each in before if each in self.named] for name, before in marked.items()}
        return {name: {"population": chosen} for name, chosen in sets.items() if chosen}

    def _leftovers(self) -> None:
        message = "Metadata of nodes is not read."
        metadata = {"": self.graph.metadata, **{name: node.metadata for name, node in self.nodes.items()}}
        for name, held in metadata.items():
            keys = [] if note_of(held) else sorted(held)
            where = f"{self.graph.where}/nodes/{name}" if name else self.graph.where
            self.report.not_read("metadata", where, message, count=len(keys), examples=keys)


def _in_order(found: Mapping[str, _Named], names: Any) -> dict[str, _Named]:
    """What was noted to be first comes first: HDF5 sorts the nodes of a file by name."""
    noted: list[str] = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return {name: found[name] for name in dict.fromkeys([*noted, *found]) if name in found}


def _label(name: str, node: Node) -> str:
    return str(note_of(node.metadata).get("name") or name)


def _layer(term: Term) -> Layer:
    matrix = term.matrix.tocoo()
    order = np.lexsort((matrix.col, matrix.row))
    row, column = matrix.row[order].astype(np.int64), matrix.col[order].astype(np.int64)
    return Layer(term.delay, Matrix(matrix.shape, row, column, matrix.data[order]))


def _says(projection: Projection, noted: _Notes, terms: list[Term]) -> bool:
    """Whether a projection, written again, would be these terms."""
    try:
        wanted = layers(projection, noted.network, noted.neurons[projection.post], Report())
    except _WRONG_NOTE:
        return False
    return same_layers(wanted, tuple(sorted(map(_layer, terms), key=_by_delay)))


def _by_delay(layer: Layer) -> float:
    return -1.0 if layer.delay is None else layer.delay


def _projection(name: str, pre: str, post: str, terms: list[Term], made: Membrane, times: Times) -> Projection:
    """Connections with a weight in the unit of the target, and a delay where a Delay was passed."""
    found = sorted((layer for layer in map(_layer, terms) if len(layer.matrix.value)), key=_by_delay)
    matrices = [layer.matrix for layer in found]
    empty = np.empty(0, dtype=np.int64)
    target = np.concatenate([empty, *(each.row for each in matrices)])
    origin = np.concatenate([empty, *(each.column for each in matrices)])
    value = np.concatenate([np.empty(0), *(each.value for each in matrices)])
    columns = {"weight": Column(value * made.jump[target])}
    types = {"synapse": text_column(["static"]), "weight_unit": text_column([made.unit])}
    delays = [None if layer.delay is None else layer.delay * times.unit for layer in found]
    if len(delays) == 1 and delays[0] is not None:
        types["delay"] = Column(delays[0], "ms")
    elif any(delay is not None for delay in delays):
        sizes = [len(each.value) for each in matrices]
        stated = np.repeat([np.nan if delay is None else delay for delay in delays], sizes)
        columns["delay"] = Column(np.ma.masked_invalid(stated) if None in delays else stated, "ms")
    edges = Edges(Column(origin), Column(target), Table(len(value), columns))
    return Projection(name, pre, post, Table(1, types), edges)
