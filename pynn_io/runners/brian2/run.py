"""The run, and what it recorded, under the populations and ids of the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pynn_io.errors import SimulationFailed
from pynn_io.lowering.connecting import DEFAULT_DELAY
from pynn_io.lowering.grid import Grid
from pynn_io.progress import Progress
from pynn_io.results import Results, Spikes, Trace
from pynn_io.runners.algorithms import Algorithm, told
from pynn_io.runners.brian2.build import Model, Recorder
from pynn_io.runners.brian2.engine import errors


def run(model: Model, progress: Progress) -> None:
    """To the end; a program that Brian2 writes of the whole run is compiled first. Raises SimulationFailed."""
    brian, duration = model.brian, model.lowered.duration

    def told(elapsed: Any, completed: float, start: Any, length: Any) -> None:
        progress("simulating", completed * duration, duration)

    standalone = model.engine == "cpp_standalone"
    with errors("simulating", SimulationFailed):
        if standalone:
            model.network.run(duration * brian.ms, namespace={})
            progress("compiling", 0, 1)
            brian.device.build(compile=True, run=True, debug=False, clean=False)
        else:
            model.network.run(duration * brian.ms, report=told, report_period=0.5 * brian.second, namespace={})
    progress("simulating", duration, duration)


def collect(model: Model) -> Results:
    """Spikes of every population with cells that ran, and a trace for every variable of a report and population."""
    lowered = model.lowered
    populations = lowered.network.populations
    nodes = {name: populations[name].ids()[group >= 0] for name, group in lowered.group.items() if (group >= 0).any()}
    return Results(
        spikes={name: _spikes(model, name) for name in nodes},
        traces=tuple(_traces(model)),
        nodes=nodes,
        duration=lowered.duration,
        provenance={
            "timestep": lowered.timestep,
            "seed": lowered.seed,
            "engine": model.engine,
            "cells": sum(cells.size for cells in lowered.cells),
            "connections": model.connections,
            "default_delay": DEFAULT_DELAY,
            **told(
                Algorithm(cells.code.name, *cells.code.method, lowered.timestep, cells.code.parts)
                for cells in lowered.cells
            ),
            **lowered.notes,
        },
    )


def _spikes(model: Model, population: str) -> Spikes:
    """A cell that crosses its threshold in a step spikes at its end."""
    lowered = model.lowered
    group, number, grid = lowered.group[population], lowered.number[population], Grid(lowered.timestep)
    ids, times = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for own in np.unique(group[group >= 0]).tolist():
        rows = np.flatnonzero(group == own)
        row_of = np.full(lowered.cells[own].size, -1, dtype=np.int64)
        row_of[number[rows]] = rows
        cells = row_of[np.asarray(model.spikes[own].i[:], dtype=np.int64)]
        steps = grid.index(np.asarray(model.spikes[own].t / model.brian.ms)) + 1
        ids.append(lowered.network.populations[population].ids()[cells[cells >= 0]].astype(np.int64, copy=False))
        times.append(grid.time(steps[cells >= 0]))
    cells, when = np.concatenate(ids), np.concatenate(times)
    order = np.lexsort((cells, when))
    return Spikes(population, cells[order], when[order])


def _traces(model: Model) -> Iterator[Trace]:
    reports: dict[tuple[str, str], list[Recorder]] = {}
    for recorder in model.recorders:
        reports.setdefault((recorder.meter.name, recorder.meter.population), []).append(recorder)
    for recorders in reports.values():
        for variable in recorders[0].meter.variables:
            yield _trace(model, recorders, variable)


def _trace(model: Model, recorders: list[Recorder], variable: str) -> Trace:
    """The cells of all groups side by side, by row."""
    meter, lowered = recorders[0].meter, model.lowered
    samples = round((meter.stop - meter.start) / meter.interval + 0.5 - 1e-6)
    columns, unit = [], ""
    for one in recorders:
        name, unit, factor = lowered.cells[one.group].code.records[variable]
        data = np.asarray(getattr(one.monitor, name)).T[one.first :: one.every][:samples]
        columns.append(data * factor if factor != 1 else data)
    rows = np.concatenate([one.rows for one in recorders])
    order = np.argsort(rows)
    together = np.ascontiguousarray(np.concatenate(columns, axis=1)[:, order])
    ids = lowered.network.populations[meter.population].ids()[rows[order]]
    return Trace(meter.name, meter.population, variable, unit, together, ids, meter.start, meter.interval)
