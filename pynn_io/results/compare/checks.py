"""What keeps two results from being compared at all: a run that failed quietly must never pass for one that agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pynn_io.results.mapped import EMULATED
from pynn_io.results.results import Results, Spikes, Trace


def problems(results: Results) -> Iterator[str]:
    """What is wrong with the columns of one result."""
    if results.level not in ("executes", EMULATED):
        yield f"is no data: the backend only {results.level}"
    for name, spikes in results.spikes.items():
        yield from (f"population {name!r}: {text}" for text in _spike_problems(spikes, results.nodes.get(name)))
    for trace in results.traces:
        if trace.data.ndim != 2 or trace.data.shape[1] != len(trace.node_ids):
            yield f"report {trace.report!r}: {trace.data.shape} values for {len(trace.node_ids)} elements"


def _spike_problems(spikes: Spikes, nodes: np.ndarray | None) -> Iterator[str]:
    ids, times = np.asarray(spikes.node_ids), np.asarray(spikes.times)
    if ids.ndim != 1 or ids.shape != times.shape:
        yield f"{ids.size} node ids and {times.size} spike times"
        return
    if len(ids) and ids.dtype.kind not in "iu":
        yield "node ids are not whole numbers"
        return
    if not np.isfinite(times).all():
        yield f"{np.count_nonzero(~np.isfinite(times))} spike times are not finite"
    strangers = 0 if nodes is None else len(np.setdiff1d(ids, nodes))
    if strangers:
        yield f"spikes of {strangers} cells that were not simulated"


def unknown_names(populations: Sequence[str], rename: Mapping[str, str], a: Results, b: Results) -> Iterator[str]:
    """What was asked of populations that are not there: comparing less than was asked for must not pass."""
    here, there = a.populations, b.populations
    for ours, theirs in rename.items():
        if ours not in here:
            yield f"A has no population {ours!r} to rename"
        if theirs not in there:
            yield f"B has no population {theirs!r}, which A is said to call {ours!r}"
        if ours in there and ours not in rename.values():
            yield f"B has a population {ours!r} of its own beside {theirs!r}"
    if len(set(rename.values())) < len(rename):
        yield "two populations of A are said to be one of B"
    for name in populations:
        if name not in here:
            yield f"A has no population {name!r}"


def renamed(results: Results, names: Mapping[str, str]) -> Results:
    """Populations under other names. Those that ``names`` does not hold keep their own."""
    if not names:
        return results
    return replace(
        results,
        spikes={
            names.get(name, name): replace(spikes, population=names.get(name, name))
            for name, spikes in results.spikes.items()
        },
        nodes={names.get(name, name): ids for name, ids in results.nodes.items()},
        traces=tuple(
            replace(trace, population=names.get(trace.population, trace.population)) for trace in results.traces
        ),
    )


def cut(results: Results, start: float, stop: float) -> Results:
    """The spikes from start to before stop, ms."""
    if start == -np.inf and stop == np.inf:
        return results
    return replace(results, spikes={name: _cut(spikes, start, stop) for name, spikes in results.spikes.items()})


def _cut(spikes: Spikes, start: float, stop: float) -> Spikes:
    inside = (spikes.times >= start) & (spikes.times < stop)
    return replace(spikes, node_ids=spikes.node_ids[inside], times=spikes.times[inside])


def chosen(results: Results, populations: Sequence[str], only: str | None) -> Results:
    """The named populations (all where none is named), and of ``only`` ``spikes`` or ``traces`` these alone."""
    wanted = populations or results.populations
    return replace(
        results,
        spikes={name: one for name, one in results.spikes.items() if name in wanted and only != "traces"},
        nodes={name: ids for name, ids in results.nodes.items() if name in wanted and only != "traces"},
        traces=tuple(trace for trace in results.traces if trace.population in wanted and only != "spikes"),
    )


def all_events(a: Results, b: Results, population: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Ids and times of a population's spikes in both results; None where neither knows any spikes of it."""
    found = [results.spikes[population] for results in (a, b) if population in results.spikes]
    if not found:
        return None
    return np.concatenate([one.node_ids for one in found]), np.concatenate([one.times for one in found])


def paired_traces(a: Results, b: Results) -> Iterator[tuple[Trace | None, Trace | None]]:
    """Traces of one report name and population; else of one variable and population, where that is one on each side."""
    left = {(trace.report, trace.population): trace for trace in a.traces}
    right = {(trace.report, trace.population): trace for trace in b.traces}
    for key in [key for key in left if key in right]:
        yield left.pop(key), right.pop(key)
    for one in list(left.values()):
        alike = [_alike(one, trace) for trace in left.values()].count(True)
        others = [trace for trace in right.values() if _alike(one, trace)]
        match = others[0] if alike == len(others) == 1 else None
        if match is not None:
            del right[match.report, match.population]
        yield one, match
    yield from ((None, two) for two in right.values())


def _alike(one: Trace, two: Trace) -> bool:
    return (one.variable, one.population) == (two.variable, two.population)
