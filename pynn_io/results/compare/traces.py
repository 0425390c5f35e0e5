"""The exact and the deterministic tier for recorded variables: root mean square away from spikes, never the largest.

A spike that comes one step late makes the largest difference as high as the spike itself; what happens between spikes
says whether two models compute the same. So samples within a margin of every spike, of either result, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.errors import UnitError
from pynn_io.results.compare.spikes import DETERMINISTIC, EXACT
from pynn_io.results.compare.values import Tolerance, TraceComparison, Verdict
from pynn_io.results.results import Trace
from pynn_io.units import convert, unit

#: Values compared at a time.
BLOCK = 2**22
#: Two instants are the same if they are closer than this part of the sampling interval.
SAME_INSTANT = 1e-3

#: What files and simulators call the membrane potential; an unstated name is taken to be the other's.
_SAME_VARIABLE = {"V_m": "v", "voltage": "v", "Vm": "v"}

#: A population's spikes of both results together: ids, times.
Events = tuple[np.ndarray, np.ndarray]


class NotComparable(Exception):
    """Two parts cannot be compared; the text says why. A finding: it never leaves this package."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What two traces have in common: rows (instants) and columns (elements) of either, and what to tell."""

    times: np.ndarray
    rows_a: np.ndarray
    rows_b: np.ndarray
    columns_a: np.ndarray
    columns_b: np.ndarray
    unit: str
    notes: tuple[str, ...]


def compare_traces(
    a: Trace, b: Trace, events: Events | None, tolerance: Tolerance, window: tuple[float, float]
) -> TraceComparison:
    """Compare two traces of one population. events: its spikes in both results; None where nobody recorded them.

    window: start and stop, ms. Traces that do not share elements, instants or a unit are not comparable.
    """
    named = TraceComparison(a.report, a.population, a.variable, Verdict.NOT_COMPARABLE)
    try:
        common = align(a, b, window)
        return replace(_compare(a, b, common, events, tolerance), report=a.report, population=a.population)
    except NotComparable as reason:
        return replace(named, reason=str(reason))


def align(a: Trace, b: Trace, window: tuple[float, float]) -> Aligned:
    """Elements matched by cell and place, instants by time. Raises NotComparable."""
    for name, trace in (("A", a), ("B", b)):
        if not trace.data.size:
            raise NotComparable(f"{name} holds no samples")
    if len({one_name(name) for name in (a.variable, b.variable) if name}) > 1:
        raise NotComparable(f"the variable is {a.variable!r} in A and {b.variable!r} in B")
    columns_a, columns_b = _elements(a, b)
    rows_a, rows_b, notes = _instants(a, b, window)
    shared, more = _unit(a, b)
    return Aligned(a.times[rows_a], rows_a, rows_b, columns_a, columns_b, shared, (*notes, *more))


def one_name(variable: str) -> str:
    """The name of a variable under which it is compared, whatever a simulator calls it."""
    return _SAME_VARIABLE.get(variable, variable)


def _unit(a: Trace, b: Trace) -> tuple[str, list[str]]:
    """The unit to compare in. An unstated one is taken to be the other's, and said to be."""
    if a.unit == b.unit:
        return a.unit, [] if a.unit else ["no unit is stated in either"]
    if not a.unit or not b.unit:
        name, stated = ("A", b.unit) if not a.unit else ("B", a.unit)
        return stated, [f"{name} states no unit: taken to be {stated}"]
    try:
        convert(1.0, b.unit, a.unit)
    except UnitError as error:
        raise NotComparable(error.message) from None
    return a.unit, [f"B converted from {b.unit} to {a.unit}"]


def _elements(a: Trace, b: Trace) -> tuple[np.ndarray, np.ndarray]:
    placed = a.section_ids is not None and b.section_ids is not None
    if placed and a.section_order != b.section_order and (np.any(a.section_ids) or np.any(b.section_ids)):
        raise NotComparable(f"sections are numbered by {a.section_order} in A and by {b.section_order} in B")
    order_a, keys_a = _sorted_elements(a, placed)
    order_b, keys_b = _sorted_elements(b, placed)
    if not np.array_equal(keys_a[0], keys_b[0]):
        only_a, only_b = np.setdiff1d(keys_a[0], keys_b[0]), np.setdiff1d(keys_b[0], keys_a[0])
        found = f"{len(only_a)} recorded cells only in A, {len(only_b)} only in B"
        raise NotComparable(found if len(only_a) or len(only_b) else "cells have other numbers of recorded places")
    if placed and not (np.array_equal(keys_a[1], keys_b[1]) and np.allclose(keys_a[2], keys_b[2], rtol=0, atol=1e-6)):
        raise NotComparable("recorded at other places of the cells")
    if not placed and np.any(np.diff(keys_a[0]) == 0):
        raise NotComparable("several elements a cell, and their places are not stated")
    return order_a, order_b


def _sorted_elements(trace: Trace, placed: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    ids = np.asarray(trace.node_ids)
    if len(ids) != trace.data.shape[1]:
        raise NotComparable(f"{trace.data.shape[1]} columns and {len(ids)} elements in report {trace.report!r}")
    sections = np.asarray(trace.section_ids) if placed else np.zeros(len(ids), np.int64)
    places = np.zeros(len(ids))
    if placed and trace.section_pos is not None:
        places = np.asarray(trace.section_pos, dtype=np.float64)
    order = np.lexsort((places, sections, ids))
    return order, [ids[order], sections[order], places[order]]


def _instants(a: Trace, b: Trace, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows of either at the same times, within the window; sampling of another kind is stated."""
    coarse, fine = max(a.interval, b.interval), min(a.interval, b.interval)
    ends_a, ends_b = _span(a, window), _span(b, window)
    if max(abs(ends_a[0] - ends_b[0]), abs(ends_a[1] - ends_b[1])) > coarse * (1 + SAME_INSTANT):
        text = "A was recorded from {:g} to {:g} ms and B from {:g} to {:g} ms".format(*ends_a, *ends_b)
        raise NotComparable(f"{text}: choose a common window")
    times = a.times
    nearest = np.rint((times - b.start) / b.interval)
    same = (nearest >= 0) & (nearest < len(b.data)) & (times >= window[0]) & (times < window[1])
    same &= np.abs(b.start + nearest * b.interval - times) <= SAME_INSTANT * fine
    rows = np.flatnonzero(same)
    if not len(rows):
        raise NotComparable("no instant was recorded in both")
    if a.start == b.start and a.interval == b.interval:
        return rows, nearest[rows].astype(np.int64), []
    how = f"A every {a.interval:g} ms from {a.start:g}, B every {b.interval:g} ms from {b.start:g}"
    return rows, nearest[rows].astype(np.int64), [f"{how}: compared at the {len(rows)} common times"]


def _span(trace: Trace, window: tuple[float, float]) -> tuple[float, float]:
    last = trace.start + trace.interval * (len(trace.data) - 1)
    return max(trace.start, window[0]), min(last, window[1])


def _compare(a: Trace, b: Trace, common: Aligned, events: Events | None, tolerance: Tolerance) -> TraceComparison:
    count, samples = len(common.columns_a), len(common.times)
    squares, kept = np.zeros(count), np.zeros(count, np.int64)
    equal, low, high = _same_frame(a, b), np.inf, -np.inf
    for columns in _blocks(count, samples):
        left, right = values(a, b, common, columns)
        equal = equal and np.array_equal(left, right)
        away = away_from_spikes(np.asarray(a.node_ids)[common.columns_a[columns]], common.times, events, tolerance)
        squares[columns] = np.sum(np.square(left - right), axis=0, where=away)
        kept[columns] = np.count_nonzero(away, axis=0)
        low, high = min(low, left.min()), max(high, left.max())
    if not kept.any():
        raise NotComparable(f"every sample lies within {tolerance.margin:g} ms of a spike")
    each = np.sqrt(squares / np.maximum(kept, 1))
    worst = int(np.argmax(each))
    limit = _limit(common.unit, high - low, tolerance)
    notes = [*common.notes, *_events_note(events), *_unseen_note(kept)]
    verdict = Verdict.EQUAL if equal else Verdict.WITHIN if each[worst] <= limit else Verdict.DIFFERS
    return TraceComparison(
        a.report,
        a.population,
        a.variable,
        verdict,
        tier=EXACT if equal else DETERMINISTIC,
        unit=common.unit,
        elements=count,
        samples=samples,
        masked=1 - float(kept.sum()) / (count * samples),
        rms=float(np.sqrt(squares.sum() / kept.sum())),
        rms_worst=float(each[worst]),
        worst_node=int(np.asarray(a.node_ids)[common.columns_a[worst]]),
        limit=limit,
        notes=tuple(notes),
    )


def _same_frame(a: Trace, b: Trace) -> bool:
    """What had to be converted, or was sampled otherwise, is not equal, however well it agrees."""
    return (a.unit, a.start, a.interval) == (b.unit, b.start, b.interval)


def _blocks(count: int, samples: int) -> Iterator[slice]:
    step = max(1, BLOCK // samples)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def values(a: Trace, b: Trace, common: Aligned, columns: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float64[instant, element] of both, in the common unit. Raises NotComparable for a value that is not finite."""
    left = a.data[np.ix_(common.rows_a, common.columns_a[columns])].astype(np.float64, copy=False)
    right = b.data[np.ix_(common.rows_b, common.columns_b[columns])].astype(np.float64, copy=False)
    for name, block in (("A", left), ("B", right)):
        if not np.isfinite(block).all():
            raise NotComparable(f"{name} holds values that are not finite")
    if b.unit and b.unit != common.unit:
        right = convert(right, b.unit, common.unit)  # type: ignore[arg-type, assignment] # arrays too, as it says
    return left, right


def away_from_spikes(nodes: np.ndarray, times: np.ndarray, events: Events | None, tolerance: Tolerance) -> np.ndarray:
    """bool[instant, element]: the samples farther than the margin from every spike of the element's cell."""
    away = np.ones((len(times), len(nodes)), dtype=bool)
    if events is None or not len(events[0]):
        return away
    cells, cell_of = np.unique(nodes, return_inverse=True)
    ids, at = events
    here = np.isin(ids, cells)
    column = np.searchsorted(cells, ids[here])
    first = np.searchsorted(times, at[here] - tolerance.margin, side="left")
    last = np.searchsorted(times, at[here] + tolerance.margin, side="right")
    steps = np.zeros((len(times) + 1, len(cells)), dtype=np.int32)
    np.add.at(steps, (first, column), 1)
    np.add.at(steps, (last, column), -1)
    return (np.cumsum(steps[:-1], axis=0) == 0)[:, cell_of]


def _limit(symbol: str, extent: float, tolerance: Tolerance) -> float:
    if symbol and unit(symbol).dimension == "voltage":
        return float(convert(tolerance.voltage, "mV", symbol))
    return tolerance.fraction * float(extent)


def _events_note(events: Events | None) -> list[str]:
    return ["no spikes of this population are known: no sample is left out"] if events is None else []


def _unseen_note(kept: np.ndarray) -> list[str]:
    unseen = int(np.count_nonzero(kept == 0))
    return [f"{unseen} elements have no sample away from spikes"] if unseen else []
