"""Results of a run, as columns: spikes by population, traces as time x element matrices, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import NotExecuted
from pynn_io.graph.columns import empty


@dataclass(frozen=True, slots=True, eq=False)
class Spikes:
    """The spikes of one population, sorted by time, then node; `sorted_spikes` makes one from any order.

    node_ids: int64[n], ids of the population's file. times: float64[n], ms.
    """

    population: str
    node_ids: np.ndarray
    times: np.ndarray

    def counts(self, nodes: np.ndarray) -> np.ndarray:
        """int64[len(nodes)]: how often each of ``nodes`` spiked, 0 for the silent ones."""
        ids, counts = np.unique(self.node_ids, return_counts=True)
        if not len(ids):
            return np.zeros(len(nodes), dtype=np.int64)
        place = np.minimum(np.searchsorted(ids, nodes), len(ids) - 1)
        return np.where(ids[place] == nodes, counts[place], 0)


def sorted_spikes(population: str, node_ids: np.ndarray, times: np.ndarray) -> Spikes:
    """Spikes of a population that come in any order."""
    ids = np.asarray(node_ids).astype(np.int64, copy=False)
    times = np.asarray(times, dtype=np.float64)
    step = np.diff(times)
    if not np.all((step > 0) | ((step == 0) & (np.diff(ids) >= 0))):
        order = np.lexsort((ids, times))
        ids, times = ids[order], times[order]
    return Spikes(population, ids, times)


#: The level of what was written to be run elsewhere: a script, a job. There are no spikes then, and no traces.
EMITTED = "emits"
#: The level of a network that was mapped and not executed: none there either.
MAPPED = "maps"
#: What was done instead at the levels where nothing ran, and what would run it.
_NOTHING_RAN = {
    MAPPED: ("the network was mapped, not executed", "an emulation, or a board, gives results"),
    EMITTED: ("a job was written, and nothing ran", "submit it, or run its script"),
}
#: The fields of a `Trace` that are no arrays.
MEANING = ("report", "population", "variable", "unit", "start", "interval", "section_order")


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One recorded variable of one population: a SONATA report.

    report: its name in the plan. data: float[time, element]; row k is the value at ``start + k * interval`` (ms).
    node_ids: int64[element]. section_ids, section_pos: int64 and float64[element], where on the cell, None for cells
    without extent; section_order as in `pynn_io.graph.network.Projection`. variable, unit: empty where a file that was
    read does not state them.
    """

    report: str
    population: str
    variable: str
    unit: str
    data: np.ndarray
    node_ids: np.ndarray
    start: float
    interval: float
    section_ids: np.ndarray | None = None
    section_pos: np.ndarray | None = None
    section_order: str = "specification"

    @property
    def meaning(self) -> dict[str, Any]:
        """Everything but the arrays, by name of the field: what a file with arrays of its own states beside them."""
        return {name: getattr(self, name) for name in MEANING}

    @property
    def times(self) -> np.ndarray:
        """float64[time], ms."""
        return self.start + self.interval * np.arange(len(self.data))


@dataclass(frozen=True, slots=True, eq=False)
class QuantityTable:
    """What a LEMS ``<OutputFile>`` asks for: any variables of any cells, side by side.

    name: its id. file: as stated. columns: (id, quantity path) of each. times: float64[n], ms.
    data: float64[n, column], in SI units, as LEMS writes them.
    """

    name: str
    file: str
    columns: tuple[tuple[str, str], ...]
    times: np.ndarray
    data: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """What a LEMS ``<EventOutputFile>`` asks for: events of chosen cells in the order of their times.

    ids: int64[n], the ids of the selections. times: float64[n], ms. time_first: ``format="TIME_ID"``.
    """

    name: str
    file: str
    ids: np.ndarray
    times: np.ndarray
    time_first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a run gave.

    nodes: ids of all cells that were simulated and could spike, by population (the silent ones too; sources only where
        they are recorded). Most files do not tell them: then the population is missing here.
    duration: end of the run, ms; None where a file does not tell.
    level: ``executes``, or what else the backend did: ``maps`` (what was only mapped is no data, and is not written),
        ``emulates`` (another simulator ran the numbers that a chip stores), ``emits`` (a job was written, no more).
    tables: what the files of a LEMS simulation hold; `pynn_io.results.lems.write` makes them.
    provenance: backend, version, seeds, timestep and what else decides about the numbers; seconds and bytes used.
    """

    spikes: Mapping[str, Spikes] = field(default_factory=empty)
    traces: tuple[Trace, ...] = ()
    nodes: Mapping[str, np.ndarray] = field(default_factory=empty)
    duration: float | None = None
    level: str = "executes"
    provenance: Mapping[str, Any] = field(default_factory=empty)
    tables: tuple[QuantityTable | EventTable, ...] = ()

    @property
    def spike_count(self) -> int:
        return sum(len(spikes.times) for spikes in self.spikes.values())

    @property
    def populations(self) -> tuple[str, ...]:
        """Every population that was simulated or recorded, in that order."""
        names = [*self.nodes, *self.spikes, *(trace.population for trace in self.traces)]
        return tuple(dict.fromkeys(names))

    def counts(self) -> dict[str, np.ndarray]:
        """int64 by population: spikes of every cell of ``nodes``, or, where they are not known, of each that spiked."""
        found = {}
        for name, spikes in self.spikes.items():
            nodes = self.nodes.get(name)
            found[name] = spikes.counts(np.unique(spikes.node_ids) if nodes is None else nodes)
        silent = {name: np.zeros(len(ids), np.int64) for name, ids in self.nodes.items() if name not in found}
        return found | silent

    def rates(self) -> dict[str, float | None]:
        """Mean rate of every population with spikes or nodes, Hz, the silent cells counted.

        None where the cells or the duration are not known: a mean over the cells that spiked is another number.
        """
        seconds = (self.duration or 0) / 1000
        sizes = {name: len(self.nodes.get(name, ())) for name in self.counts()}
        return {
            name: float(counts.sum() / (sizes[name] * seconds)) if sizes[name] and seconds > 0 else None
            for name, counts in self.counts().items()
        }

    def summary(self) -> dict[str, Any]:
        """What there is, as plain values for people and JSON."""
        rates = self.rates()
        counts = self.counts()
        return {
            "duration": self.duration,
            "level": self.level,
            "spikes": self.spike_count,
            "populations": {
                name: {
                    "cells": len(self.nodes[name]) if name in self.nodes else None,
                    "active": int(np.count_nonzero(counts[name])),
                    "spikes": int(counts[name].sum()),
                    "rate": rates[name],
                }
                for name in counts
            },
            "traces": [
                {
                    "report": trace.report,
                    "population": trace.population,
                    "variable": trace.variable,
                    "unit": trace.unit,
                    "samples": int(trace.data.shape[0]),
                    "elements": int(trace.data.shape[1]),
                    "start": trace.start,
                    "interval": trace.interval,
                }
                for trace in self.traces
            ],
        }

    def require_data(self) -> None:
        """Raises NotExecuted where nothing ran: what is empty then is not to be taken for silence."""
        if self.level in _NOTHING_RAN:
            said, hint = _NOTHING_RAN[self.level]
            raise NotExecuted(f"{said}: there are no results", hint=hint)

    def write(self, path: str | Path, to: str = "sonata", **options: Any) -> tuple[Path, ...]:
        """Write them; see `pynn_io.results.files.write_results`. Returns the files."""
        return import_module("pynn_io.results.files").write_results(self, path, to=to, **options)

    def to_neo(self) -> Any:
        """A `neo.Block` of one Segment; see `pynn_io.results.neo.to_block`. Raises NotExecuted where nothing ran."""
        self.require_data()
        return import_module("pynn_io.results.neo").to_block(self)


def cells_of(results: Results) -> dict[str, np.ndarray]:
    """int64 by population: the cells that are known, and after them those that spiked without being known."""
    found = {}
    for name in dict.fromkeys([*results.nodes, *results.spikes]):
        known = np.asarray(results.nodes.get(name, ()), dtype=np.int64)
        spikes = results.spikes.get(name)
        others = np.setdiff1d(spikes.node_ids, known) if spikes is not None else known[:0]
        found[name] = np.concatenate([known, others])
    return found


def bytes_of(results: Results) -> int:
    """Memory of the arrays; about what a file of them needs."""
    arrays = [*results.nodes.values()]
    for spikes in results.spikes.values():
        arrays += [spikes.node_ids, spikes.times]
    for trace in results.traces:
        arrays += [trace.data, trace.node_ids]
    for table in results.tables:
        arrays += [table.times, table.ids if isinstance(table, EventTable) else table.data]
    return sum(array.nbytes for array in arrays)
