"""Running a network on a backend of PyNN, and what was recorded, under the populations and ids of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.errors import SimulationFailed
from pynn_io.lowering.pynn import Cells, LoweredPlan, Recorder
from pynn_io.progress import Progress
from pynn_io.results import Results, Spikes, Trace
from pynn_io.results.results import sorted_spikes
from pynn_io.runners.algorithms import told
from pynn_io.runners.pynn.algorithms import algorithms
from pynn_io.runners.pynn.build import Built, errors, intervals

#: Parts in which a run is done, for the progress bar.
_CHUNKS = 20


def run(built: Built, progress: Progress) -> None:
    """To the end of the plan that was applied. Raises SimulationFailed."""
    end = built.plan.duration if built.plan is not None else 0.0
    steps = round(end / built.lowered.timestep)
    with errors("simulating", SimulationFailed):
        for part in range(_CHUNKS):
            progress("simulating", end * part / _CHUNKS, end)
            built.sim.run_until(round(steps * (part + 1) // _CHUNKS * built.lowered.timestep, 9))
    progress("simulating", end, end)


def collect(built: Built, plan: LoweredPlan) -> Results:
    """What was `recorded`, with what decides about the numbers."""
    return replace(recorded(built, plan), provenance=_provenance(built))


def recorded(built: Built, plan: LoweredPlan) -> Results:
    """Spikes of every population with cells that ran, and a trace for every variable of a report and population."""
    cells = {item.label: item for item in built.lowered.cells if not item.is_source}
    with errors("reading what was recorded"):
        segments = {label: built.populations[label].get_data().segments[-1] for label in cells}
    ids = _nodes(cells.values())
    return Results(
        spikes={name: _spikes(name, cells, segments, plan.duration) for name in ids},
        traces=tuple(_traces(built, plan, cells, segments)),
        nodes=ids,
        duration=plan.duration,
    )


def _nodes(cells: Iterable[Cells]) -> dict[str, np.ndarray]:
    """Ids of all cells that run, by population, in the order of their rows."""
    parts: dict[str, list[Cells]] = {}
    for item in cells:
        parts.setdefault(item.population, []).append(item)
    found = {}
    for name, items in parts.items():
        order = np.argsort(np.concatenate([item.rows for item in items]))
        found[name] = np.concatenate([item.ids for item in items])[order]
    return found


def _provenance(built: Built) -> dict[str, Any]:
    from importlib.metadata import version

    sim, lowered = built.sim, built.lowered
    return {
        "pynn_version": version("PyNN"),
        "pynn_backend": sim.__name__,
        "timestep": lowered.timestep,
        "cells": sum(item.size for item in lowered.cells if not item.is_source),
        "connections": built.connections,
        "min_delay": float(sim.get_min_delay()),
        "setup": dict(lowered.target.setup),
        **({} if built.is_read else told(algorithms(built))),
    }


def _spikes(population: str, cells: Mapping[str, Cells], segments: Mapping[str, Any], duration: float) -> Spikes:
    ids, times = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for label, item in cells.items():
        if item.population == population:
            places, when = _events(segments[label])
            ids.append(item.ids[places])
            times.append(when)
    joined = np.concatenate(times)
    kept = joined <= duration + 1e-9
    return sorted_spikes(population, np.concatenate(ids)[kept], joined[kept])


def _events(segment: Any) -> tuple[np.ndarray, np.ndarray]:
    """``(places in the population, times in ms)`` of all spikes of a segment."""
    trains = segment.spiketrains
    places = [np.full(len(train), int(train.annotations["source_index"]), dtype=np.int64) for train in trains]
    times = [np.asarray(train.rescale("ms").magnitude, dtype=np.float64) for train in trains]
    none = np.empty(0, dtype=np.int64), np.empty(0)
    return np.concatenate([none[0], *places]), np.concatenate([none[1], *times])


def _traces(
    built: Built, plan: LoweredPlan, cells: Mapping[str, Cells], segments: Mapping[str, Any]
) -> Iterator[Trace]:
    groups: dict[tuple[str, str], list[Recorder]] = {}
    for recorder in plan.recorders:
        groups.setdefault((recorder.report, cells[recorder.cells].population), []).append(recorder)
    sampled = intervals(built.lowered.timestep, plan)
    for (report, population), recorders in groups.items():
        first = recorders[0]
        for number, (name, _, unit) in enumerate(first.variables):
            parts = [_samples(item, number, segments[item.cells], sampled[item.cells]) for item in recorders]
            ids = np.concatenate([cells[item.cells].ids[item.targets] for item in recorders])
            rows = np.concatenate([cells[item.cells].rows[item.targets] for item in recorders])
            order = np.argsort(rows)
            data = np.concatenate(parts, axis=1)[:, order]
            yield Trace(
                report, population, name, unit, np.ascontiguousarray(data), ids[order], first.start, first.interval
            )


def _samples(recorder: Recorder, number: int, segment: Any, sampled: float) -> np.ndarray:
    """``time x cell`` of one variable, from the report's start to before its end."""
    name = recorder.variables[number][1]
    signal = next(item for item in segment.analogsignals if item.name == name)
    # sPyNNaker has its own name for the places of cells
    places = signal.array_annotations.get("channel_index", signal.annotations.get("channel_names"))
    column = {int(place): index for index, place in enumerate(places)}
    columns = [column[int(place)] for place in recorder.targets]
    first, every, last = (round(time / sampled) for time in (recorder.start, recorder.interval, recorder.stop))
    return np.asarray(signal.magnitude, dtype=np.float64)[first:last:every, columns]
