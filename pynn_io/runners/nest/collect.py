"""What NEST recorded, under the populations and ids of the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pynn_io.lowering.connecting import DEFAULT_DELAY
from pynn_io.results import Results, Spikes, Trace
from pynn_io.runners.algorithms import told
from pynn_io.runners.nest.algorithms import algorithms
from pynn_io.runners.nest.build import Model, Recorder
from pynn_io.units import scale_by_power


def collect(model: Model) -> Results:
    """Spikes of every population with cells that ran, and a trace for every variable of a report and population."""
    lowered, populations = model.lowered, model.lowered.network.populations
    nodes = {}
    for name in model.spikes:
        nodes[name] = populations[name].ids()[model.ids[name] > 0]
    return Results(
        spikes={name: _spikes(model, name) for name in model.spikes},
        traces=tuple(_traces(model)),
        nodes=nodes,
        duration=lowered.duration,
        provenance=_provenance(model),
    )


def _provenance(model: Model) -> dict[str, Any]:
    nest, lowered = model.nest, model.lowered
    return {
        "timestep": lowered.timestep,
        "seed": int(nest.rng_seed),
        "cells": sum(group.nodes.size for group in model.groups),
        "connections": model.connections,
        "min_delay": float(nest.min_delay),
        "max_delay": float(nest.max_delay),
        "default_delay": DEFAULT_DELAY,
        **told(algorithms(model)),
        **lowered.notes,
    }


def _rows(model: Model, population: str, senders: np.ndarray) -> np.ndarray:
    """Rows of a population from numbers of the kernel."""
    ids = model.ids[population]
    rows = np.flatnonzero(ids > 0)
    numbers = ids[rows]
    order = np.argsort(numbers)
    return rows[order[np.searchsorted(numbers, senders, sorter=order)]]


def _spikes(model: Model, population: str) -> Spikes:
    events = model.spikes[population].get("events")
    times = np.asarray(events["times"], dtype=np.float64)
    rows = _rows(model, population, np.asarray(events["senders"], dtype=np.int64))
    ids = model.lowered.network.populations[population].ids()[rows].astype(np.int64, copy=False)
    kept = times <= model.lowered.duration + 0.5 * model.lowered.timestep
    order = np.lexsort((ids[kept], times[kept]))
    return Spikes(population, ids[kept][order], times[kept][order])


def _traces(model: Model) -> Iterator[Trace]:
    groups: dict[tuple[str, str], list[Recorder]] = {}
    for recorder in model.recorders:
        groups.setdefault((recorder.meter.name, recorder.meter.population), []).append(recorder)
    for recorders in groups.values():
        events = [_samples(recorder) for recorder in recorders]
        for number, variable in enumerate(recorders[0].meter.variables):
            yield _trace(model, recorders, events, number, variable)


def _samples(recorder: Recorder) -> dict[str, np.ndarray]:
    """``time x cell`` of every variable, cells in the order of ``recorder.rows``."""
    events = recorder.device.get("events")
    cells = len(recorder.rows)
    # Every cell's samples are in order of time, and numbers of the kernel ascend with the rows of a group.
    numbers = events["senders"] - recorder.group.first
    order = np.argsort(numbers.astype(np.uint16) if recorder.group.nodes.size < 2**16 else numbers, kind="stable")
    return {name: np.asarray(events[name])[order].reshape(cells, -1).T for name in set(recorder.names)}


def _trace(
    model: Model, recorders: Sequence[Recorder], events: Sequence[dict[str, np.ndarray]], number: int, variable: str
) -> Trace:
    """The cells of all groups side by side, by row. The state before the first step comes first if all can tell it."""
    meter = recorders[0].meter
    told = meter.start == 0 and all(item.names[number] in item.initial for item in recorders)
    columns, unit = [], ""
    for item, samples in zip(recorders, events, strict=True):
        name = item.names[number]
        _, unit, power = item.group.nodes.recordables.get(variable, (name, "", 0))
        data: Any = samples[name]
        if told:
            data = np.concatenate([item.initial[name][np.newaxis], data])
        columns.append(scale_by_power(data, -power) if power else data)
    rows = np.concatenate([item.rows for item in recorders])
    order = np.argsort(rows)
    together = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)[:, order]
    start = meter.start if told or meter.start > 0 else meter.interval
    ids = model.lowered.network.populations[meter.population].ids()[rows[order]]
    return Trace(
        meter.name, meter.population, variable, unit, np.ascontiguousarray(together), ids, start, meter.interval
    )
