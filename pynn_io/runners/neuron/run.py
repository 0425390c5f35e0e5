"""Running a model that stands, and what came out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from pynn_io.errors import PlanError, SimulationFailed
from pynn_io.lowering.cables.models import PointModel, SourceModel
from pynn_io.progress import Progress
from pynn_io.results import Results, Spikes
from pynn_io.runners.algorithms import told
from pynn_io.runners.neuron import core, quantities, recordings
from pynn_io.runners.neuron.algorithms import algorithms
from pynn_io.runners.neuron.gather import gathered
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.model import Model
from pynn_io.runners.neuron.release import start

#: How often progress is told, and the longest time that ranks run without exchanging spikes (ms).
_PARTS = 100
_LONGEST_STEP = 10.0
#: What adding up steps may lose, as part of a step.
_SLACK = 1e-6


def run(model: Model, progress: Progress) -> None:
    """Run to the plan's end. Raises SimulationFailed with NEURON's message."""
    begin = perf_counter()
    try:
        advance = initialised(model)
        settings = model.lowered.settings
        # CoreNEURON copies the whole model at every call: it runs in one piece
        stops = [settings.duration] if core.wanted(model.profile) else _stops(settings.duration, settings.timestep)
        for until in stops:
            to(advance, until)
            recordings.flush(model)
            progress("simulating", until, settings.duration)
        if late(model.lowered):
            to(advance, settings.duration + settings.timestep)
    except RuntimeError as error:
        raise SimulationFailed(f"NEURON stopped: {error}") from error
    model.seconds["run"] = perf_counter() - begin


def _stops(duration: float, timestep: float) -> Iterator[float]:
    """The times (ms) at which the run pauses: whole numbers of steps, then its end."""
    steps = max(round(duration / timestep / _PARTS), 1)
    for number in range(1, math.ceil(duration / timestep / steps - _SLACK)):
        yield number * steps * timestep
    yield duration


def to(advance: Callable[[float], Any], until: float) -> None:
    """Advance to a time, unless NEURON is there: it adds up rounded steps, and goes one too far in short pieces."""
    from neuron import h

    if until > h.t + h.dt * _SLACK:
        advance(until)


def late(lowered: LoweredNeuron) -> bool:
    """Whether there are cells whose spike at the very end of the run shows at the beginning of the step after only."""
    return any(isinstance(group.model, PointModel) and group.model.current[0] for group in lowered.groups)


def initialised(model: Model) -> Any:
    """Set what holds for the whole run, initialise, and give the function that advances to a time (ms)."""
    from neuron import h

    settings = model.lowered.settings
    context = h.ParallelContext()
    h.celsius, h.dt = settings.celsius, settings.timestep
    h.secondorder = settings.second_order
    h.CVode().active(1 if settings.variable_step else 0)
    for (mechanism, variable), value in settings.mechanism_variables.items():
        setattr(h, f"{variable}_{mechanism}", value)
    _play(model)
    shortest = context.set_maxstep(max(_LONGEST_STEP, 2 * settings.timestep))  # NEURON wants room for a step
    if core.wanted(model.profile):
        core.enable(model, shortest)
    if shortest < settings.timestep and model.hosts > 1:
        raise PlanError(
            f"a delay of {shortest} ms is below the time step of {settings.timestep} ms, which ranks cannot exchange",
            where="edges",
            hint="run it in one process, or with a smaller time step",
        )
    h.finitialize(settings.v_init)
    start(model)
    if shortest < settings.timestep * (1 + _SLACK) and model.hosts == 1 and not settings.variable_step:
        # psolve refuses delays of up to a step from what has no cell here, although a single rank exchanges nothing
        return _advance_by_steps
    return context.psolve


def _advance_by_steps(until: float) -> None:
    from neuron import h

    while h.t < until - h.dt / 2:
        h.fadvance()


def _play(model: Model) -> None:
    """Give the spikes that no cell makes to one PatternStim: it fires gids that have no cell, at their exact times."""
    from neuron import h

    gids = np.concatenate([gids for gids, _ in model.events])
    times = np.concatenate([times for _, times in model.events])
    if not len(gids):
        return
    order = np.argsort(times, kind="stable")
    pattern = h.PatternStim()
    vectors = h.Vector(times[order]), h.Vector(gids[order].astype(np.float64))
    pattern.play(*vectors)
    model.keep += [pattern, *vectors]


def collect(model: Model, lowered: LoweredNeuron) -> Results:
    """Spikes and traces (of all ranks on the first, else of this one), under the populations and ids of the network."""
    results = Results(
        spikes=_spikes(model, lowered),
        traces=recordings.traces(model, lowered),
        nodes=_nodes(lowered),
        duration=lowered.settings.duration,
        provenance=_provenance(model, lowered),
    )
    results = gathered(results, lowered.ids) if model.hosts > 1 else results
    return replace(results, tables=quantities.tables(model, lowered, results.spikes))


def _spikes(model: Model, lowered: LoweredNeuron) -> dict[str, Spikes]:
    times, gids = (np.array(vector.as_numpy()) for vector in model.spikes or ())
    inside = times < lowered.settings.duration + lowered.settings.timestep / 2
    gids, times = gids[inside].astype(np.int64), times[inside]
    found = {}
    for name, nodes in _nodes(lowered).items():
        if not len(nodes):
            continue
        first, ids = lowered.first[name], lowered.ids[name]
        mine = (gids >= first) & (gids < first + len(ids))
        node_ids, when = ids[gids[mine] - first], times[mine]
        order = np.lexsort((node_ids, when))
        found[name] = Spikes(name, node_ids[order], when[order])
    return found


def _nodes(lowered: LoweredNeuron) -> dict[str, np.ndarray]:
    """Ids of the cells that are simulated, by population, in the order of rows."""
    rows: dict[str, list[np.ndarray]] = {}
    for group in lowered.groups:
        if not isinstance(group.model, SourceModel):
            rows.setdefault(group.population, []).append(group.rows)
    return {name: lowered.ids[name][np.sort(np.concatenate(found))] for name, found in rows.items()}


def _provenance(model: Model, lowered: LoweredNeuron) -> dict[str, Any]:
    from neuron import h

    settings = lowered.settings
    names = ("timestep", "celsius", "v_init", "spike_threshold", "section_length", "variable_step", "seed")
    return {
        "backend": "neuron",
        "version": h.nrnversion(0),
        "engine": "CoreNEURON" if core.wanted(model.profile) else "NEURON",
        "processes": model.hosts,
        "spike_times": "precise",
        **{name: getattr(settings, name) for name in names},
        **told(algorithms(lowered)),
        "seconds": dict(model.seconds),
    }
