"""Documents -> NIR files, in ms, mV, nA and MOhm: populations as LIF, CubaLIF and Input nodes, projections as Linear
nodes with a Delay before each (`pynn_io.lowering.nir` has the equations).

What NIR has no place for is in the report; what only pynn_io can read of it is metadata (`pynn_io.lowering.nir_notes`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.audit import cell_code, loss_code
from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.formats.new_file import safe_name
from pynn_io.formats.nir import Graph, Matrix, Node, write_nir
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.network import Population, Projection
from pynn_io.lowering.nir import Layer, Neurons, NoPrimitive, layers, neurons
from pynn_io.lowering.nir_notes import noted, population_note, projection_note
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.vocabulary import nir as vocabulary

#: Entries of all matrices together: those of one between 10 000 neurons and themselves, 0.8 GB for whoever reads it.
MOST_ENTRIES = 10**8
UNITS = "ms, mV, nA, MOhm; spikes are unit impulses"


def write(
    document: Document, dest: Path, report: Report, *, progress: Progress = quiet, dialect: str = "", **_: Any
) -> None:
    """Write a document into the new file ``dest``.

    dialect: ``relative`` counts potentials from rest, for readers whose neurons begin at 0 or have no ``v_leak``.
    Raises WriteError where NIR has no primitive for any of the cells, and for matrices of more than `MOST_ENTRIES`.
    """
    writer = _Writer(document, report, dialect == "relative")
    writer.populations()
    if not any(item.type != "Input" for item in writer.found.values()):
        hint = "; ".join(dict.fromkeys(issue.message for issue in report if issue.where.startswith("population ")))
        raise WriteError("NIR has no primitive for any of the cells of this network", where=dest, hint=hint)
    network = document.network
    for done, projection in enumerate(network.projections.values(), 1):
        writer.projection(projection)
        progress("connections as matrices", done, len(network.projections))
    write_nir(Path(dest), writer.graph())


class _Writer:
    def __init__(self, document: Document, report: Report, relative: bool) -> None:
        self.network, self.report, self.relative = document.network, report, relative
        #: By population; those that NIR can hold.
        self.found: dict[str, Neurons] = {}
        self.names: dict[str, str] = {}
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.entries = 0

    # --- cells --------------------------------------------------------------------------------------------------------

    def populations(self) -> None:
        for name, population in self.network.populations.items():
            try:
                made = neurons(population, self.network, self.report, relative=self.relative)
            except NoPrimitive as error:
                self._refused(population, str(error))
                continue
            self.found[name] = made
            self.names[name] = node = self._name(name)
            metadata = noted(population_note(population, self.network))
            if made.type == "Input":
                self.nodes[node] = Node("Input", {"shape": np.array([made.size])}, metadata)
                continue
            self.nodes[node] = Node(made.type, made.values, metadata)
            self._link(node, self._add(f"{name}.output", Node("Output", {"shape": np.array([made.size])}, noted({}))))
            self._tell(population, made)

    def _refused(self, population: Population, reason: str) -> None:
        cells = [self.network.cells[name] for name in population.cells]
        code = cell_code(cells[0]) if cells else loss_code("cell:PointCell")
        names = [cell.model if isinstance(cell, PointCell | SpikeSource) else type(cell).__name__ for cell in cells]
        where = f"population {population.name}"
        message = f"{reason}; the population is left out, with its connections."
        self.report.lost(code, where, message, count=population.size, examples=[population.name, *dict.fromkeys(names)])

    def _tell(self, population: Population, made: Neurons) -> None:
        where = f"population {population.name}"
        # One of a single timestep counts as well: in NEST it holds a cell for that step.
        resting = 0 if made.refractory is None else int(np.count_nonzero(made.refractory))
        self.report.approximated(
            "refractory-period",
            where,
            "NIR has no refractory period: after a spike its cells integrate at once; tau_refrac is metadata that only "
            "pynn_io reads.",
            count=resting,
            examples=["tau_refrac", "t_ref", "refrac"],
        )
        self.report.approximated(
            "initial-state",
            where,
            "NIR does not say where a simulation begins; the start is metadata that only pynn_io reads.",
            count=len(made.states),
            examples=made.states,
        )
        message = "A constant current (i_offset) is written as a part of v_leak; the same equation."
        self.report.expanded("offset-in-leak", where, message, count=made.offset)

    # --- connections --------------------------------------------------------------------------------------------------

    def projection(self, projection: Projection) -> None:
        where = f"projection {projection.name}"
        if (reason := self._unheld(projection)) is not None:
            code, message = reason
            examples = [projection.name, projection.kind, *projection.synapses, *self._models(projection)]
            self.report.lost(
                code, where, f"{message}; it is left out.", count=max(1, projection.size), examples=examples
            )
            return
        for model in sorted(self._models(projection) & vocabulary.PLASTIC):
            answer = vocabulary.of_model(model, synapse=True)[1]
            self.report.approximated(loss_code(f"synapse:{model}"), where, f"{model}: {answer}.", examples=[model])
        found = layers(projection, self.network, self.found[projection.post], self.report)
        merged = sum(layer.merged for layer in found)
        self.report.expanded(
            "parallel-edges",
            where,
            "Connections between the same two cells with the same delay are one entry of a matrix, weights added.",
            count=merged,
        )
        self._write(projection, found or (Layer(None, self._empty(projection)),))

    def _models(self, projection: Projection) -> set[str]:
        return {self.network.synapses[name].model for name in projection.synapses}

    def _unheld(self, projection: Projection) -> tuple[str, str] | None:
        """``(code, reason)`` of a projection that NIR cannot hold."""
        level, reason = vocabulary.of_kind(f"kind:{projection.kind}", "kind")
        if level == "no":
            return loss_code(f"kind:{projection.kind}"), reason
        absent = [name for name in (projection.pre, projection.post) if name not in self.found]
        if absent:
            return "edges-without-cells", f"its population {absent[0]} is not in the file"
        if self.found[projection.post].type == "Input":
            return "edges-without-cells", f"its population {projection.post} takes no input"
        for name in projection.synapses:
            model = self.network.synapses[name].model
            level, reason = vocabulary.of_model(model, synapse=True)
            if level == "no":
                return loss_code(f"synapse:{model}"), f"{model}: {reason}"
        return None

    def _empty(self, projection: Projection) -> Matrix:
        none = np.empty(0, dtype=np.int64)
        shape = (self.found[projection.post].size, self.found[projection.pre].size)
        return Matrix(shape, none, none, np.empty(0))

    def _write(self, projection: Projection, found: tuple[Layer, ...]) -> None:
        self._check_size(projection, found)
        pre, post = self.names[projection.pre], self.names[projection.post]
        note = noted(projection_note(projection, self.network))
        for number, layer in enumerate(found):
            # The whole projection is noted at its first matrix, and its name at the others.
            metadata = note if number == 0 else noted({"name": projection.name})
            linear = self._add(projection.name, Node("Linear", {"weight": layer.matrix}, metadata))
            if layer.delay is None:
                self._link(pre, linear)
            else:
                size = layer.matrix.shape[1]
                delay = self._add(f"{projection.name}.delay", Node("Delay", {"delay": np.full(size, layer.delay)}))
                self._link(pre, delay)
                self._link(delay, linear)
            self._link(linear, post)

    def _check_size(self, projection: Projection, found: tuple[Layer, ...]) -> None:
        rows, columns = found[0].matrix.shape
        self.entries += rows * columns * len(found)
        if self.entries <= MOST_ENTRIES:
            return
        several = f", one for each of its {len(found)} delays" if len(found) > 1 else ""
        raise WriteError(
            f"NIR's matrices are dense: with {rows} x {columns} for this projection{several}, they have {self.entries} "
            f"entries, and {MOST_ENTRIES} are the most that is written (10 000 neurons onto themselves)",
            where=f"projection {projection.name}",
            hint="write a part of the network, or round its delays; SONATA, NeuroML and NIX hold it as a list of edges",
        )

    # --- the graph ----------------------------------------------------------------------------------------------------

    def _name(self, wanted: str) -> str:
        """A new node name. HDF5 takes a slash for a group in a group."""
        safe = safe_name(wanted).strip(".") or "_"
        name, number = safe, 1
        while name in self.nodes:
            number += 1
            name = f"{safe}_{number}"
        return name

    def _add(self, wanted: str, node: Node) -> str:
        name = self._name(wanted)
        self.nodes[name] = node
        return name

    def _link(self, source: str, target: str) -> None:
        self.edges.append((source, target))

    def graph(self) -> Graph:
        """The whole graph. Readers look for types from an Input on, so one without sources gets a placeholder."""
        if not any(item.type == "Input" for item in self.found.values()):
            name, first = next(iter(self.found.items()))
            node = Node("Input", {"shape": np.array([first.size])}, noted({"placeholder": True}))
            self._link(self._add("input", node), self.names[name])
        network = {
            "name": self.network.name,
            "relative": self.relative,
            "node_sets": self.network.node_sets,
            "populations": list(self.network.populations),
            "projections": list(self.network.projections),
        }
        return Graph(self.nodes, tuple(self.edges), {**noted(network), "units": UNITS})
