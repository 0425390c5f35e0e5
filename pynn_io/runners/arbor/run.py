"""Running a simulation that stands, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pynn_io.errors import SimulationFailed
from pynn_io.lowering.cables.elements import Recorded
from pynn_io.lowering.cables.outcomes import spikes_of, trace_of
from pynn_io.progress import Progress
from pynn_io.results import Results, Spikes, Trace
from pynn_io.runners.algorithms import EULER_BACKWARD, EVENTS, Algorithm, told
from pynn_io.runners.arbor.build import Model, errors
from pynn_io.runners.arbor.lowered import LoweredArbor

#: Parts in which a run is done, for the progress bar.
_PARTS = 100


def run(model: Model, progress: Progress) -> None:
    """Run to the plan's end, in whole time steps. Raises SimulationFailed with Arbor's message."""
    whole, ms = model.lowered.settings, model.arbor.units.ms
    steps = max(round(whole.duration / whole.timestep), 0)
    every = max(steps // _PARTS, 1)
    with errors("simulating", SimulationFailed):
        for step in range(every, steps, every):
            model.simulation.run(step * whole.timestep * ms, whole.timestep * ms)
            progress("simulating", step * whole.timestep, whole.duration)
        model.simulation.run(whole.duration * ms, whole.timestep * ms)
    progress("simulating", whole.duration, whole.duration)


def collect(model: Model, lowered: LoweredArbor) -> Results:
    """Spikes and traces, under the populations and ids of the network."""
    return Results(
        spikes=_spikes(model, lowered),
        traces=tuple(_trace(model, number, item) for number, item in enumerate(lowered.recordings)),
        nodes=lowered.nodes,
        duration=lowered.settings.duration,
        provenance=_provenance(model),
    )


def _spikes(model: Model, lowered: LoweredArbor) -> dict[str, Spikes]:
    made = model.simulation.spikes()
    gids = made["source"]["gid"].astype(np.int64)
    return spikes_of(gids, made["time"], lowered.nodes, lowered.first, lowered.ids)


def _trace(model: Model, number: int, item: Recorded) -> Trace:
    probe, lowered = item.probe, model.lowered
    data = np.full((probe.count, len(item.gids)), np.nan)
    for gid, handle in model.samples[number].items():
        rows = np.flatnonzero(item.gids == gid)
        columns = _columns(model, gid, handle)
        for row, place in zip(rows.tolist(), _keys(lowered, gid, item, rows), strict=True):
            values = columns[place if place in columns else None]
            data[: len(values), row] = values * item.variable.factor
    return trace_of(item, data, lowered.first, lowered.ids)


def _columns(model: Model, gid: int, handle: int) -> dict[tuple[int, float] | None, np.ndarray]:
    """The samples of one cell by branch and position; None for a cell without extent."""
    found: dict[tuple[int, float] | None, np.ndarray] = {}
    for data, place in model.simulation.samples(handle):
        key = (place.branch, place.pos) if hasattr(place, "branch") else None
        found[key] = data[:, 1]
    return found


def _keys(lowered: LoweredArbor, gid: int, item: Recorded, rows: np.ndarray) -> list[Any]:
    if lowered.cable[gid] < 0:
        return [None] * len(rows)
    tree = lowered.cables[lowered.cable[gid]].tree
    branch, along = tree.middle(item.section[rows], item.position[rows])
    return list(zip(branch.tolist(), along.tolist(), strict=True))


def _provenance(model: Model) -> dict[str, Any]:
    whole = model.lowered.settings
    names = ("timestep", "celsius", "v_init", "spike_threshold", "section_length", "seed")
    return {
        "version": model.arbor.__version__,
        "connections": model.connections,
        "synapses": model.synapses,
        "spike_times": "precise",
        **told(_algorithms(model.lowered)),
        **{name: getattr(whole, name) for name in names},
    }


def _algorithms(lowered: LoweredArbor) -> Iterator[Algorithm]:
    """Arbor's cable cells are solved implicitly, its integrate-and-fire cells from event to event."""
    if np.any(lowered.cable >= 0):
        yield Algorithm("membranes of cable cells", *EULER_BACKWARD, lowered.settings.timestep)
        yield Algorithm("channels and synapses", "as the SOLVE of their NMODL says (cnexp, sparse)")
    if lowered.lifs:
        yield Algorithm("integrate-and-fire cells", *EVENTS)
