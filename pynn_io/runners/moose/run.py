"""Running objects that stand, and what came out."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_io.errors import SimulationFailed
from pynn_io.lowering.cables.elements import Recorded
from pynn_io.lowering.cables.outcomes import spikes_of, trace_of
from pynn_io.progress import Progress
from pynn_io.results import Results, Spikes, Trace
from pynn_io.runners.algorithms import CRANK_NICOLSON, Algorithm, told
from pynn_io.runners.moose.build import Model, errors
from pynn_io.runners.moose.lowered import LoweredMoose

#: Parts in which a run is done, for the progress bar.
_PARTS = 100
_SECOND = 1e-3


def run(model: Model, progress: Progress) -> None:
    """Run to the plan's end, in whole time steps. Raises SimulationFailed with MOOSE's message, or where a potential
    became no number."""
    whole, moose = model.lowered.settings, model.moose
    steps = max(round(whole.duration / whole.timestep), 0)
    every = max(steps // _PARTS, 1)
    with errors("simulating", SimulationFailed):
        for pool, _, start in model.starts:
            pool.CaBasal = start  # where all that depends on a pool is started
        moose.reinit()
        for pool, basal, start in model.starts:
            pool.CaBasal, pool.Ca = basal, start
        for step in range(0, steps, every):
            progress("simulating", step * whole.timestep, whole.duration)
            moose.start(min(every, steps - step) * whole.timestep * _SECOND)
    for gid, cell in model.cells.items():
        if not all(np.isfinite(node.Vm) for node in cell.nodes):
            cable = model.lowered.cables[model.lowered.cable[gid]]
            message = f"the potential of a cell (gid {gid}) became no number"
            raise SimulationFailed(message, where=cable.where, hint="try a shorter time step")
    progress("simulating", whole.duration, whole.duration)


def collect(model: Model, lowered: LoweredMoose) -> Results:
    """Spikes and traces, under the populations and ids of the network."""
    return Results(
        spikes=_spikes(model, lowered),
        traces=tuple(_trace(model, number, item) for number, item in enumerate(lowered.recordings)),
        nodes=lowered.nodes,
        duration=lowered.settings.duration,
        provenance=_provenance(model),
    )


def _spikes(model: Model, lowered: LoweredMoose) -> dict[str, Spikes]:
    trains = [np.asarray(table.vector) / _SECOND for table in model.spikes.values()]
    counts = np.array([len(train) for train in trains], dtype=np.int64)
    gids = np.repeat(np.fromiter(model.spikes, dtype=np.int64), counts)
    return spikes_of(gids, np.concatenate([np.zeros(0), *trains]), lowered.nodes, lowered.first, lowered.ids)


def _trace(model: Model, number: int, item: Recorded) -> Trace:
    probe, lowered = item.probe, model.lowered
    step = lowered.settings.timestep
    wanted = np.rint((probe.start + probe.interval * np.arange(probe.count)) / step).astype(np.int64)
    data = np.full((probe.count, len(item.gids)), np.nan)
    for row, table in enumerate(model.samples[number]):
        values = np.asarray(table.vector)
        there = wanted[wanted < len(values)]
        data[: len(there), row] = values[there] * item.variable.factor
    return trace_of(item, data, lowered.first, lowered.ids)


def _provenance(model: Model) -> dict[str, Any]:
    whole = model.lowered.settings
    names = ("timestep", "celsius", "v_init", "spike_threshold", "section_length")
    return {
        "version": model.moose.__version__,
        "solver": "HSolve",
        "connections": model.connections,
        "synapses": model.synapses,
        "spike_times": "grid",
        **told((Algorithm("membranes and gates", *CRANK_NICOLSON, whole.timestep),)),
        **{name: getattr(whole, name) for name in names},
    }
