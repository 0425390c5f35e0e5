"""NEURON in steps: begin, advance, end; and the spikes that it hands out and takes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pynn_io.errors import PlanError, RunError, SimulationFailed
from pynn_io.lowering import Trains
from pynn_io.runners.neuron import core, recordings
from pynn_io.runners.neuron.model import Model, Turns
from pynn_io.runners.neuron.run import initialised, late, to

#: A PatternStim sends about so many spikes when it is woken (NEURON's ``pattern.mod``).
_SENT_AT_ONCE = 100
#: How often recordings are taken out of NEURON, of a run.
_FLUSHES = 100


def begin(model: Model, outlets: Sequence[str]) -> None:
    """Initialise. Raises PlanError for what keeps NEURON from stopping at a given time."""
    from neuron import h

    if core.wanted(model.profile):
        raise PlanError("CoreNEURON runs in one piece, and cannot exchange spikes", hint="run without --coreneuron")
    if model.lowered.settings.variable_step:
        raise PlanError("a variable time step does not stop where spikes are exchanged", where="run.variable_step")
    player = h.PatternStim()
    waker = h.NetCon(None, player)
    try:
        model.turns = Turns(initialised(model), tuple(outlets), player, waker)
    except RuntimeError as error:
        raise SimulationFailed(f"NEURON stopped: {error}") from error


def _turns(model: Model) -> Turns:
    if model.turns is None:
        raise RunError("the run has not begun")
    return model.turns


def advance(model: Model, until: float) -> None:
    """Run to a time, ms."""
    turns = _turns(model)
    try:
        to(turns.advance, until)
    except RuntimeError as error:
        raise SimulationFailed(f"NEURON stopped: {error}") from error
    if until - turns.flushed >= model.lowered.settings.duration / _FLUSHES:
        recordings.flush(model)
        turns.flushed = until


def end(model: Model) -> None:
    """Spikes of the very end show one step later in some cells."""
    settings = model.lowered.settings
    if late(model.lowered):
        advance(model, settings.duration + settings.timestep)


def new_spikes(model: Model) -> dict[str, Trains]:
    """What the outlets have fired since the last call, out of NEURON's vectors of all spikes."""
    turns, lowered = _turns(model), model.lowered
    times, gids = (np.array(vector.as_numpy()[turns.told :]) for vector in model.spikes or ())
    turns.told += len(times)
    found = {}
    for name in turns.outlets:
        rows = gids.astype(np.int64) - lowered.first[name]
        mine = (rows >= 0) & (rows < len(lowered.ids[name]))
        found[name] = Trains(rows[mine], times[mine])
    return found


def inject(model: Model, spikes: Mapping[str, Trains]) -> None:
    """Play the spikes into the gids of proxies, which have no cells: each goes to its targets at once, with its delay.

    A PatternStim goes on where it was when it is given other vectors, unless ``initps`` takes it to their beginning,
    and sends its spikes in groups, of which the last might be sent after the next ones have come: so it is woken for
    each group now.
    """
    from neuron import h

    gids = np.concatenate([np.empty(0), *(model.lowered.first[name] + item.rows for name, item in spikes.items())])
    times = np.concatenate([np.empty(0), *(item.times for item in spikes.values())])
    if not len(times):
        return
    turns = _turns(model)
    order = np.argsort(times, kind="stable")
    turns.played = h.Vector(times[order]), h.Vector(gids[order])
    turns.player.play(*turns.played)
    turns.player.initps()
    for _ in range(0, len(times), _SENT_AT_ONCE):
        turns.waker.event(h.t, 1)
