"""`Lowered` -> populations and projections of sPyNNaker: whole populations, lists of connections, positive weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from pynn_io.errors import BackendUnavailable
from pynn_io.lowering.hardware.delays import smaller_cores
from pynn_io.lowering.pynn import ARRAY, Cells, Connections, CurrentSource, SynapseType, connections
from pynn_io.lowering.pynn.currents import TIMES
from pynn_io.lowering.trains import Trains
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.pynn.build import Built, errors, inject, record
from pynn_io.runners.spinnaker.config import Board
from pynn_io.runners.spinnaker.lower import MODULE, Lowered, unsaid
from pynn_io.vocabulary.plasticity import STDP, stdp

#: What sPyNNaker calls the synaptic state of its cells, conductances too.
_STATES = {"gsyn_exc": "isyn_exc", "gsyn_inh": "isyn_inh"}


@dataclass(slots=True, eq=False)
class Model:
    """A network on sPyNNaker. asked: every projection as it was asked for, in the order of ``built.projections``."""

    built: Built
    lowered: Lowered
    board: Board
    asked: list[Connections] = field(default_factory=list)
    trains: dict[str, Trains] = field(default_factory=dict)


def build(lowered: Lowered, board: Board, report: Report, progress: Progress) -> Model:
    """Raises BackendUnavailable where sPyNNaker cannot be imported, RunError for what it refuses."""
    sim = _load()
    pynn = lowered.pynn
    with errors("setting up"):
        sim.setup(
            timestep=pynn.setup.timestep,
            min_delay=pynn.setup.min_delay,
            time_scale_factor=lowered.time_scale_factor,
        )
    model = Model(Built(sim, pynn.network), lowered, board, trains=dict(pynn.plan.trains))
    every = (*pynn.network.cells, *pynn.plan.drives)
    for number, cells in enumerate(every):
        progress("creating cells", number, len(every))
        model.built.populations[cells.label] = _population(sim, cells, model.trains.get(cells.label), report)
    made = Report(report.allowed)
    for edges in chain(connections(pynn.network, made), pynn.plan.drive_connections):
        _connect(model, edges)
        progress("connecting", model.built.connections, model.built.connections)
    report.include(unsaid(made, lowered.check))
    _fit_delays(model, every)
    for current in pynn.plan.currents:
        inject(model.built, _current(current, pynn.setup.timestep))
    record(model.built, pynn.plan)
    model.built.plan = pynn.plan
    return model


def _load() -> Any:
    from importlib import import_module

    try:
        return import_module(MODULE)
    except ImportError as error:
        hint = "pip install 'pynn_io[spinnaker]'"
        raise BackendUnavailable(f"sPyNNaker cannot be imported ({error})", hint=hint) from error


def _population(sim: Any, cells: Cells, trains: Trains | None, report: Report) -> Any:
    with errors(f"creating population {cells.label} of {cells.model}"):
        if cells.model == ARRAY:
            return sim.Population(cells.size, sim.SpikeSourceArray(_spike_times(cells.size, trains)), label=cells.label)
        kind = getattr(sim, cells.model)(**{name: _value(value) for name, value in cells.parameters.items()})
        initial = _initial(kind, cells, report)
        return sim.Population(cells.size, kind, initial_values=initial, label=cells.label)


def _value(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _spike_times(size: int, trains: Trains | None) -> list[list[float]]:
    """One list a source, empty for the silent ones."""
    found = dict(trains.split()) if trains is not None else {}
    return [found[row].tolist() if row in found else [] for row in range(size)]


def _current(source: CurrentSource, step: float) -> CurrentSource:
    """A source as sPyNNaker takes it: plain lists, where PyNN has its Sequence, and times past the start of their step.

    It divides times by the step and cuts what is left over: 0.58 ms would be 28 steps of 0.02 ms.
    """
    late = {name: source.parameters[name] + step / 1000.0 for name in TIMES & source.parameters.keys()}
    return replace(source, parameters={name: _value(one) for name, one in {**source.parameters, **late}.items()})


def _initial(kind: Any, cells: Cells, report: Report) -> dict[str, Any]:
    """Initial values under sPyNNaker's names; a state that its cell cannot begin with is reported, unless it is 0."""
    known, found = kind.default_initial_values, {}
    for name, value in cells.initial.items():
        theirs = name if name in known else _STATES.get(name, name)
        if theirs in known:
            found[theirs] = _value(value)
        elif np.any(value):
            message = f"sPyNNaker's {cells.model} cannot begin with {name}; it begins at its own."
            report.lost("initial-value", f"population {cells.population}", message, count=cells.size, examples=[name])
    return found


def _connect(model: Model, edges: Connections) -> None:
    """One projection. Signs are told by the receptor, so weights are sizes.

    sPyNNaker 7.4 counts the targets of a cell on a core rightly only in lists that are in order.
    """
    built = model.built
    columns = edges.columns
    table = np.column_stack([edges.source, edges.target, np.abs(columns["weight"]), columns["delay"]])
    table = table[np.lexsort((edges.target, edges.source))]
    pre, post = built.populations[edges.pre], built.populations[edges.post]
    with errors(f"connecting {edges.label}"):
        connector = built.sim.FromListConnector(table, column_names=["weight", "delay"])
        kind = _synapse(built.sim, edges.synapse)
        projection = built.sim.Projection(pre, post, connector, kind, receptor_type=edges.receptor, label=edges.label)
    model.asked.append(edges)
    built.projections.append(projection)
    built.connections += edges.size


def _synapse(sim: Any, synapse: SynapseType) -> Any:
    """The synapse type, without weight and delay, which stand in the lists. Bounds of weights are sizes as well."""
    if synapse.model != STDP:
        return sim.StaticSynapse()
    parts = stdp(synapse.parameters)
    bounds = {name: abs(value) for name, value in parts.weight_parameters.items()}
    return sim.STDPMechanism(
        timing_dependence=getattr(sim, parts.timing)(**parts.timing_parameters),
        weight_dependence=getattr(sim, parts.weight)(**bounds),
    )


def _fit_delays(model: Model, every: tuple[Cells, ...]) -> None:
    """Fewer neurons a core where delays are too long for a full one."""
    sizes = {cells.label: cells.size for cells in every}
    step = model.lowered.pynn.setup.timestep
    for label, neurons in smaller_cores(model.lowered.check.chip, sizes, model.asked, step).items():
        model.built.populations[label].set_max_atoms_per_core(neurons)
