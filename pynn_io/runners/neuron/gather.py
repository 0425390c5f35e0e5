"""Results of all ranks on the first: spikes sorted as one, traces with their cells in the order of a single process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pynn_io.results import Results, Spikes, Trace


def gathered(results: Results, ids: Mapping[str, np.ndarray]) -> Results:
    """The results of every rank, on rank 0; on the others their own. ids: of the rows of every population."""
    from neuron import h

    context = h.ParallelContext()
    parts = context.py_gather((dict(results.spikes), results.traces), 0)
    return results if context.id() else joined(results, parts, ids)


def joined(
    results: Results,
    parts: Sequence[tuple[Mapping[str, Spikes], tuple[Trace, ...]]],
    ids: Mapping[str, np.ndarray],
) -> Results:
    """``results`` with the spikes and traces of all ranks (``parts``, by rank)."""
    spikes = {name: _spikes([mine[name] for mine, _ in parts]) for name in results.spikes}
    traces = [_trace(list(same), ids) for same in zip(*(mine for _, mine in parts), strict=True)]
    return replace(results, spikes=spikes, traces=tuple(traces))


def _spikes(parts: list[Spikes]) -> Spikes:
    node_ids, times = (np.concatenate([getattr(part, name) for part in parts]) for name in ("node_ids", "times"))
    order = np.lexsort((node_ids, times))
    return Spikes(parts[0].population, node_ids[order], times[order])


def _trace(parts: list[Trace], ids: Mapping[str, np.ndarray]) -> Trace:
    """A report whose elements are on several ranks, by row of their cells; those of one cell stay in their order."""
    own = ids[parts[0].population]
    by_id = np.argsort(own, kind="stable")
    node_ids = np.concatenate([part.node_ids for part in parts])
    order = np.argsort(by_id[np.searchsorted(own, node_ids, sorter=by_id)], kind="stable")
    sections, positions = (_column(parts, name, order) for name in ("section_ids", "section_pos"))
    data = np.concatenate([part.data for part in parts], axis=1)[:, order]
    return replace(parts[0], data=data, node_ids=node_ids[order], section_ids=sections, section_pos=positions)


def _column(parts: list[Trace], name: str, order: np.ndarray) -> np.ndarray | None:
    columns = [getattr(part, name) for part in parts if len(part.node_ids)]
    return None if any(column is None for column in columns) or not columns else np.concatenate(columns)[order]
