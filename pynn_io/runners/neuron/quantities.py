"""What a LEMS simulation records: any variable of any cell, by its path, and the events of chosen cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.models import PointModel, SegmentModel
from pynn_io.lowering.quantities import Quantity, quantity
from pynn_io.report import Report
from pynn_io.results.results import EventTable, QuantityTable, Spikes
from pynn_io.simulation_plan import Recording, SimulationPlan

if TYPE_CHECKING:
    from pynn_io.lowering import Trains
    from pynn_io.lowering.cables.populations import Cells
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model

#: Variables of a compartment: NEURON's name, and what makes it SI.
_OF_MEMBRANE: Mapping[str, tuple[str, float]] = {
    "v": ("v", 1e-3),
    "caConc": ("cai", 1.0),
    "caConcExt": ("cao", 1.0),
    "caConc2": ("ca2i", 1.0),
}
_ATTACHED = "synapses:"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One quantity. gid: of its cell. section, position: where, -1 for a cell without sections."""

    what: Quantity
    gid: int
    section: int
    position: float


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The columns of one file, or the selections of one file of events."""

    recording: Recording
    columns: tuple[Column, ...]


def lower(
    network: Network,
    plan: SimulationPlan,
    cells: Mapping[str, Cells],
    generated: Generated,
) -> tuple[Table, ...]:
    """Raises PlanError for a path that names nothing of the network."""
    tables = []
    for recording in plan.recordings:
        if recording.kind in ("quantities", "events"):
            where = f"outputs.{recording.name}"
            columns = [quantity(path, network, where=where) for _, path in recording.columns]
            tables.append(Table(recording, tuple(_column(each, network, cells, generated) for each in columns)))
    return tuple(tables)


def _column(what: Quantity, network: Network, cells: Mapping[str, Cells], generated: Generated) -> Column:
    mine = cells[what.population]
    gid = mine.first + what.row
    number = int(mine.group[what.row])
    model = mine.groups[number].model if number >= 0 else None
    if not isinstance(model, SegmentModel):
        return Column(what, gid, 0 if isinstance(model, PointModel) else -1, 0.5)
    name = mine.groups[number].morphologies[0]
    morphology = network.morphologies[name]
    row = 0 if what.segment is None else int(np.flatnonzero(morphology.id == what.segment)[0])
    section, position = generated.shape(name).place(np.array([row]), np.array([0.5]))
    return Column(what, gid, int(section[0]), float(position[0]))


# --- on built cells -----------------------------------------------------------------------------------------------


def attach(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Begin to record; a quantity that NEURON's model does not have is LOST, and its column holds no numbers."""
    from neuron import h

    for table in lowered.quantities:
        if table.recording.kind != "quantities":
            continue
        vectors: list[Any] = []
        for column, (_, path) in zip(table.columns, table.recording.columns, strict=True):
            found = None
            cell = model.cells.get(column.gid)
            if cell is not None:
                found = _reference(column, cell, model, lowered)
                if found is None:
                    where = f"outputs.{table.recording.name}"
                    message = "What this path names is no variable of the model in NEURON; its column holds no numbers."
                    report.lost("quantity", where, message, examples=[path])
            vectors.append(None if found is None else (h.Vector().record(found[0]), found[1]))
        model.tables.append((table, vectors))


def _reference(column: Column, cell: Cell, model: Model, lowered: LoweredNeuron) -> tuple[Any, float] | None:
    what, parts = column.what, column.what.parts
    if not parts:
        return _own(column, cell, lowered)
    if parts[0].startswith(_ATTACHED):
        return _synapse(column, model, lowered)
    inputs = model.inputs.get((cell.gid, parts[0]))
    if inputs:
        process, variables = inputs[0]
        return _of_process(process, variables, "_".join((*parts[1:], what.variable)))
    if "membraneProperties" in parts[:2] or "membraneProperties2CaPools" in parts[:2]:
        return _of_density(column, cell, lowered)
    if cell.point is not None:
        return _of_point(cell, "_".join((*parts, what.variable)), lowered)
    return None


def _own(column: Column, cell: Cell, lowered: LoweredNeuron) -> tuple[Any, float] | None:
    """A variable of the cell itself, or of the membrane of one of its segments."""
    name = column.what.variable
    if cell.point is not None and (found := _of_point(cell, name, lowered)):
        return found
    if name not in _OF_MEMBRANE or not cell.sections:
        return None
    variable, factor = _OF_MEMBRANE[name]
    reference = getattr(cell.sections[column.section](column.position), f"_ref_{variable}", None)
    return None if reference is None else (reference, factor)


def _of_point(cell: Cell, name: str, lowered: LoweredNeuron) -> tuple[Any, float] | None:
    for group in lowered.groups:
        if isinstance(group.model, PointModel) and cell.gid in group.gids:
            if name == "v" and group.model.capacitance is None:
                return getattr(cell.point, f"_ref_{cell.records.get('v', 'v')}"), 1e-3
            return _of_process(cell.point, group.model.variables, name)
    return None


def _of_process(process: Any, variables: Mapping[str, tuple[str, float]], name: str) -> tuple[Any, float] | None:
    if name not in variables:
        return None
    variable, factor = variables[name]
    return getattr(process, f"_ref_{variable}"), factor


def _of_density(column: Column, cell: Cell, lowered: LoweredNeuron) -> tuple[Any, float] | None:
    """``biophys/membraneProperties/DENSITY/...``: a variable of the density, or of its channel."""
    parts = column.what.parts
    begin = next(number for number, part in enumerate(parts) if part.startswith("membraneProperties")) + 1
    if begin >= len(parts):
        return None
    name, rest = parts[begin], "_".join((*parts[begin + 1 :], column.what.variable))
    segment = cell.sections[column.section](column.position)
    for group in lowered.groups:
        if not isinstance(group.model, SegmentModel) or cell.gid not in group.gids:
            continue
        for spread in group.model.spreads:
            if spread.name == name and rest in spread.variables:
                variable, factor = spread.variables[rest]
                reference = getattr(segment, f"_ref_{variable}_{spread.mechanism}", None)
                if reference is not None:
                    return reference, factor
    return None


def _synapse(column: Column, model: Model, lowered: LoweredNeuron) -> tuple[Any, float] | None:
    """``synapses:NAME:K``: the K-th synapse of a component on the cell, or on the segment that the path names."""
    _, name, number = [*column.what.parts[0].split(":"), "0"][:3]
    found = [
        (process, synapse)
        for process, synapse in _attached(column.gid, name, model, lowered)
        if column.what.segment is None or _is_at(process, column, model)
    ]
    if int(number) >= len(found):
        return None
    process, synapse = found[int(number)]
    return _of_process(process, synapse.variables, "_".join((*column.what.parts[1:], column.what.variable)))


def _attached(gid: int, name: str, model: Model, lowered: LoweredNeuron) -> Iterator[tuple[Any, Any]]:
    for item in lowered.connections:
        made = model.synapses.get(item.projection)
        if made is None or name not in item.names:
            continue
        targets = np.concatenate([np.zeros(0, dtype=np.int64), *made.targets])
        for row in np.flatnonzero(targets == gid).tolist():
            for own, synapse in zip(item.names, item.models, strict=True):
                if own == name and made.points[row].hname().startswith(f"{synapse.mechanism}["):
                    yield made.points[row], synapse


def _is_at(process: Any, column: Column, model: Model) -> bool:
    place = process.get_segment()
    section = model.cells[column.gid].sections[column.section]
    return bool(place.sec == section)


def tables(
    model: Model, lowered: LoweredNeuron, spikes: Mapping[str, Spikes]
) -> tuple[QuantityTable | EventTable, ...]:
    """What was recorded: of all ranks on the first, of this one on others. spikes: of all ranks."""
    recorded = {id(table): vectors for table, vectors in model.tables}
    found: list[QuantityTable | EventTable] = []
    for table in lowered.quantities:
        if table.recording.kind == "events":
            found.append(_events(table, lowered, spikes, lowered.emitted))
        else:
            found.append(_quantities(table, recorded[id(table)], model, lowered))
    return tuple(found)


def _quantities(table: Table, vectors: list[Any], model: Model, lowered: LoweredNeuron) -> QuantityTable:
    """The columns of one file; not a number where no rank has the variable."""
    recording, step = table.recording, lowered.settings.timestep
    size = round(lowered.settings.duration / step) + 1
    own = {number: np.array(pair[0].as_numpy()[:size]) * pair[1] for number, pair in enumerate(vectors) if pair}
    columns: dict[int, np.ndarray] = {}
    for part in _of_all_ranks(own) if model.hosts > 1 else [own]:
        columns |= part
    size = min((len(values) for values in columns.values()), default=0)
    data = np.full((size, len(vectors)), np.nan)
    for number, values in columns.items():
        data[:, number] = values[:size]
    return QuantityTable(recording.name, recording.file or "", recording.columns, step * np.arange(size), data)


def _of_all_ranks(own: dict[int, np.ndarray]) -> list[dict[int, np.ndarray]]:
    from neuron import h

    context = h.ParallelContext()
    parts = context.py_gather(own, 0)
    return [own] if context.id() else parts


def _events(
    table: Table, lowered: LoweredNeuron, spikes: Mapping[str, Spikes], emitted: Mapping[str, Trains]
) -> EventTable:
    ids: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for number, (column, (name, _)) in enumerate(zip(table.columns, table.recording.columns, strict=True)):
        population = column.what.population
        node = lowered.ids[population][column.what.row]
        if population in spikes:
            own = spikes[population].times[spikes[population].node_ids == node]
        elif population in emitted:
            own = emitted[population].times[emitted[population].rows == column.what.row]
        else:
            own = np.zeros(0)
        ids.append(np.full(len(own), int(name) if name.isdigit() else number))
        times.append(own)
    every_id, every_time = np.concatenate([np.zeros(0, int), *ids]), np.concatenate([np.zeros(0), *times])
    order = np.lexsort((every_id, every_time))
    first = table.recording.parameters.get("format") == "TIME_ID"
    return EventTable(table.recording.name, table.recording.file or "", every_id[order], every_time[order], first)
