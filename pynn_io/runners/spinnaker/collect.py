"""What sPyNNaker made of the network: the fidelity report, the network as the chip has it, and results if it ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pynn_io.lowering.emulation import stored_network, stored_plan
from pynn_io.lowering.hardware.edges import weight_unit
from pynn_io.lowering.pynn import Connections
from pynn_io.lowering.trains import Trains
from pynn_io.results import Results
from pynn_io.results.fidelity import (
    Fidelity,
    Machine,
    ProjectionFidelity,
    SpikeFidelity,
    Wires,
    compare_wires,
    projection_fidelity,
    spike_fidelity,
)
from pynn_io.results.mapped import Mapped
from pynn_io.results.results import MAPPED
from pynn_io.runners.pynn.build import errors
from pynn_io.runners.spinnaker.build import Model


def collect(model: Model) -> Results:
    """A `Mapped`; with spikes and traces where a board ran the network."""
    with errors("reading what was mapped"):
        given = [_wires(projection) for projection in model.built.projections]
        moved = {label: _on_steps(model, label) for label in model.trains}
        fidelity = _fidelity(model, given, moved)
    pynn = model.lowered.pynn
    network = stored_network(pynn, model.asked, given)
    plan = stored_plan(pynn, model.lowered.plan, moved)
    ran = Results()
    if not model.board.is_virtual:
        from pynn_io.runners.pynn.collect import recorded

        ran = recorded(model.built, pynn.plan)
    facts = {"cells": fidelity.machine.neurons, "connections": model.built.connections}
    return Mapped(
        ran.spikes,
        ran.traces,
        ran.nodes,
        pynn.plan.duration,
        MAPPED if model.board.is_virtual else "executes",
        {**facts, "mapped": f"{fidelity.machine.cores} cores, {fidelity.machine.chips} chips"},
        fidelity=fidelity,
        network=network,
        plan=plan,
        wires=tuple(
            compare_wires(_asked(edges), wires, pynn.setup.timestep)[:2]
            for edges, wires in zip(model.asked, given, strict=True)
        ),
    )


def _wires(projection: Any) -> Wires:
    """All connections of a projection as the chip stores them: places in the populations, sizes of weights, ms."""
    # as arrays, one for each core: the list that is asked for is made of objects when it is read
    parts = projection.get(["weight", "delay"], format="list").connections
    columns = [
        np.concatenate([np.empty(0), *(part[name] for part in parts)])
        for name in ("source", "target", "weight", "delay")
    ]
    source, target, weight, delay = columns
    return Wires(source.astype(np.int64), target.astype(np.int64), weight, delay)


def _on_steps(model: Model, label: str) -> Trains:
    """Input spikes as the sources send them. sPyNNaker counts whole microseconds and waits for the next step."""
    step, trains = model.lowered.pynn.setup.timestep, model.trains[label]
    steps = np.ceil(np.floor(trains.times * 1000.0) / (step * 1000.0))
    return Trains(trains.rows, np.round(steps * step, 9))


def _fidelity(model: Model, given: list[Wires], moved: dict[str, Trains]) -> Fidelity:
    setup = model.lowered.pynn.setup
    names = {cells.label: cells.population or cells.label for cells in _every(model)}
    return Fidelity(
        model.lowered.check.chip.title,
        "mapped, not executed" if model.board.is_virtual else "executed",
        setup.timestep,
        model.lowered.time_scale_factor,
        _machine(model),
        tuple(_projection(model, *pair) for pair in zip(model.asked, given, strict=True)),
        tuple(_source(names[label], model.trains[label], moved[label], setup.timestep) for label in model.trains),
    )


def _every(model: Model) -> tuple[Any, ...]:
    return (*model.lowered.pynn.network.cells, *model.lowered.pynn.plan.drives)


def _projection(model: Model, edges: Connections, given: Wires) -> ProjectionFidelity:
    post = next(cells.population for cells in _every(model) if cells.label == edges.post)
    unit = weight_unit(model.lowered.pynn.network.network, post)
    step = model.lowered.pynn.setup.timestep
    where = edges.projection or edges.label
    return projection_fidelity(
        edges.label, where, edges.receptor, unit, _resolution(model, edges), _asked(edges), given, step
    )


def _asked(edges: Connections) -> Wires:
    return Wires(edges.source, edges.target, edges.columns["weight"], edges.columns["delay"])


def _resolution(model: Model, edges: Connections) -> float:
    """The smallest step of a weight. sPyNNaker keeps it in a class that is not public."""
    vertex = model.built.populations[edges.post]._vertex
    scales = vertex.get_weight_scales(vertex.get_ring_buffer_shifts())
    return 1.0 / float(scales[vertex.get_synapse_id_by_target(edges.receptor)])


def _source(population: str, asked: Trains, given: Trains, step: float) -> SpikeFidelity:
    return spike_fidelity(population, asked.times, given.times, step)


def _machine(model: Model) -> Machine:
    """Cores that run parts of populations (and delays for them), the chips that these are on, and their memory."""
    from spynnaker.pyNN.data import SpynnakerDataView as View

    machine = View.get_machine()
    steps = round(model.lowered.pynn.plan.duration / model.lowered.pynn.setup.timestep)
    sources = {id(model.built.populations[cells.label]._vertex) for cells in _every(model) if cells.is_source}
    neurons = {id(model.built.populations[cells.label]._vertex) for cells in _every(model) if not cells.is_source}
    kinds, chips, sdram = {"neuron": 0, "source": 0, "other": 0}, set(), 0
    for placement in _placements(View):
        owner = placement.vertex.app_vertex
        if owner is None:
            continue
        kind = "source" if id(owner) in sources else "neuron" if id(owner) in neurons else "other"
        kinds[kind] += 1
        chips.add((placement.x, placement.y))
        sdram += int(placement.vertex.sdram_required.get_total_sdram(steps))
    boards = {(machine[place].nearest_ethernet_x, machine[place].nearest_ethernet_y) for place in chips}
    return Machine(
        sum(kinds.values()),
        len(chips),
        len(boards),
        sdram,
        sum(cells.size for cells in _every(model) if not cells.is_source),
        kinds["neuron"],
        kinds["source"],
        kinds["other"],
    )


def _placements(view: Any) -> Iterator[Any]:
    """The name of this call has a slip of the pen in sPyNNaker 7.4."""
    give = getattr(view, "iterate_placements", None) or view.iterate_placemements
    yield from give()
