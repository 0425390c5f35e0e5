"""NEST in steps: begin, advance, end; and the spikes that it hands out and takes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from pynn_io.errors import SimulationFailed
from pynn_io.lowering import Trains
from pynn_io.lowering.grid import Grid
from pynn_io.runners.nest.build import Model, Outlet, errors, spike_recorder

#: Spikes that a recorder keeps before it is emptied: reading takes 0.1 us for each, being emptied some 100 us.
_KEPT = 1000


def begin(model: Model, outlets: Sequence[str]) -> None:
    """Make the kernel ready."""
    with errors(model.nest, "making ready", SimulationFailed):
        for name in outlets:
            model.outlets[name] = Outlet(spike_recorder(model, name, in_steps=True), _rows(model.ids[name]))
        model.nest.Prepare()


def _rows(ids: np.ndarray) -> np.ndarray:
    rows = np.zeros(int(ids.max(initial=0)) + 1, dtype=np.int64)
    present = np.flatnonzero(ids > 0)
    rows[ids[present]] = present
    return rows


def advance(model: Model, until: float) -> None:
    """Run to a time, ms."""
    grid = Grid(model.lowered.timestep)
    steps = grid.nearest(until) - model.steps
    if steps > 0:
        with errors(model.nest, "simulating", SimulationFailed):
            model.nest.Run(float(grid.time(steps)))
        model.steps += steps


def end(model: Model) -> None:
    """A multimeter hands over the last samples only after another exchange of spikes."""
    with errors(model.nest, "simulating", SimulationFailed):
        if model.recorders:
            model.nest.Run(float(max(model.nest.min_delay, model.lowered.timestep)))
        model.nest.Cleanup()


def new_spikes(model: Model) -> dict[str, Trains]:
    """What the outlets have recorded since the last call: by time, since every thread has a list of its own."""
    found, full = {}, []
    for name, outlet in model.outlets.items():
        events = outlet.recorder.get("events")
        new = events["times"] > model.told
        senders, steps = (events[key][new].astype(np.int64) for key in ("senders", "times"))  # floats if there are none
        found[name] = Trains(outlet.rows[senders], Grid(model.lowered.timestep).time(steps) - events["offsets"][new])
        if len(new) > _KEPT:
            full.append(outlet)
    model.told = model.steps
    _empty(model, full)
    return found


def _empty(model: Model, outlets: Sequence[Outlet]) -> None:
    """Drop what has been handed out. A recorder takes that only while nothing is prepared."""
    if not outlets:
        return
    with errors(model.nest, "emptying recorders", SimulationFailed):
        model.nest.Cleanup()
        for outlet in outlets:
            outlet.recorder.set([{"n_events": 0}])  # as a list: for a dictionary PyNEST first gets all it holds
        model.nest.Prepare()


def inject(model: Model, spikes: Mapping[str, Trains]) -> None:
    """Give injectors their times. One that is given none keeps its old ones, which are past."""
    for name, trains in spikes.items():
        if not len(trains.times):
            continue
        rows, starts = np.unique(trains.rows, return_index=True)
        times, bounds = trains.times.tolist(), [*starts.tolist(), len(trains.times)]
        with errors(model.nest, f"giving spikes to {name}", SimulationFailed):
            nodes = model.nest.NodeCollection(model.inlets[name][rows].tolist())
            nodes.set([{"spike_times": times[first:last]} for first, last in pairwise(bounds)])
