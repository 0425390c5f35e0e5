"""Tests of OSB Model Validation: spikes of a run, found as the test says, beside those that the model's authors expect.

The tool's rule is numpy's ``allclose``: as many spikes, each within 1e-8 + tolerance * expected, in the units of the
``.mep``. Its verdict is told as it would be; ours gives every spike a time step at least, since that is what a table of
a run resolves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from pynn_io.archive.values import Check, Expectation, OmvTest, Verdict
from pynn_io.formats.omv import KINDS, Observable
from pynn_io.results import Results
from pynn_io.results.results import EventTable, QuantityTable, sorted_spikes

#: backend, with its engine -> what the tool calls it.
ENGINES = {"jneuroml": "jNeuroML", "jneuroml:jlems": "jNeuroML", "jneuroml:neuron": "jNeuroML_NEURON"}
#: Whose tests tell where to look, where none is about the backend.
_PREFERRED = ("jNeuroML_NEURON", "jNeuroML")
#: Relative differences between spike times of one model on engines of one family, and of two: what the tests of Open
#: Source Brain's models had to allow (median 5e-4, 90th percentile 3e-3).
SAME_FAMILY, OTHER_FAMILY = 1e-3, 5e-3
#: numpy.allclose's absolute tolerance.
_ABSOLUTE = 1e-8


def judge_tests(
    expectation: Expectation, results: Results, *, engine: str, tolerance: float | None, timestep: float
) -> Iterator[Check]:
    """A check for every observable.

    engine: as the tool calls it. One that no test is about gets the largest tolerance that a test of the model states,
    or `OTHER_FAMILY`. tolerance: ms, instead of that. timestep: ms, of the run.
    """
    test = _test_for(expectation.tests, engine)
    loosest = _loosest(expectation.tests)
    for what in test.observables:
        own = test.engine == engine
        relative = what.tolerance if own else max(loosest[what.experiment, what.kind], OTHER_FAMILY)
        yield _check(what, results, relative, tolerance, timestep)


def _test_for(tests: Sequence[OmvTest], engine: str) -> OmvTest:
    ranked = sorted(tests, key=lambda each: (engine, *_PREFERRED, each.engine).index(each.engine))
    return ranked[0]


def _loosest(tests: Sequence[OmvTest]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for test in tests:
        for what in test.observables:
            key = what.experiment, what.kind
            found[key] = max(found.get(key, 0.0), what.tolerance)
    return found


def _check(what: Observable, results: Results, relative: float, tolerance: float | None, timestep: float) -> Check:
    name = f"{what.experiment}: {what.kind}"
    if what.kind not in KINDS:
        return Check(name, Verdict.NOT_COMPARABLE, f"{what.kind} is not judged")
    found = observed(what, results)
    if isinstance(found, str):
        return Check(name, Verdict.NOT_COMPARABLE, found)
    expected, to_ms = np.array(what.expected), milliseconds(what)
    numbers = {"expected": len(expected), "found": len(found)}
    pair = _pair(what, expected * to_ms, found * to_ms) if what.kind == "spike times" else None
    if len(found) != len(expected):
        message = f"{len(found)} spikes, and {len(expected)} are expected"
        return Check(name, Verdict.DIFFERS, message, _words(relative, tolerance, timestep), numbers, False, pair)
    apart = np.abs(found - expected)
    omv = bool(np.all(apart <= _ABSOLUTE + relative * np.abs(expected)))
    largest = float(apart.max(initial=0.0))
    in_parts = float((apart / np.maximum(np.abs(expected), np.finfo(float).tiny)).max(initial=0.0))
    if what.kind == "spike rate":
        unit, allowed = "rate_apart", relative * np.abs(expected)
    else:
        unit, allowed = "dt_max_ms", _allowed(np.abs(expected), relative, tolerance, timestep, to_ms)
        largest *= to_ms
    passed = omv or bool(np.all(apart <= allowed))
    return Check(
        name,
        Verdict.REPRODUCED if passed else Verdict.DIFFERS,
        "" if passed else f"{largest:.3g} apart, {in_parts:.2g} of what is expected",
        _words(relative, tolerance, timestep),
        {**numbers, unit: largest, "relative": in_parts},
        omv,
        pair,
    )


def _pair(what: Observable, expected: np.ndarray, observed: np.ndarray) -> tuple[Results, Results]:
    """Both as results, times in ms, for pictures."""
    name = what.experiment
    one, two = (
        Results(spikes={name: sorted_spikes(name, np.zeros(len(times), np.int64), times)})
        for times in (expected, observed)
    )
    return one, two


def _allowed(
    expected: np.ndarray, relative: float, tolerance: float | None, timestep: float, to_ms: float
) -> np.ndarray:
    """float64[n], in the units of the expected times."""
    if tolerance is not None:
        return np.full(len(expected), tolerance / to_ms)
    # A crossing falls into the same step or the next: the times in the file carry rounding besides.
    return np.maximum(timestep / to_ms * (1 + 1e-6), relative * expected)


def _words(relative: float, tolerance: float | None, timestep: float) -> str:
    return f"{tolerance:g} ms" if tolerance is not None else f"{relative:g} of the time, or a step ({timestep:g} ms)"


def milliseconds(what: Observable) -> float:
    """How many ms a unit of the expected times: files of runs are in seconds, and scaled to that unit."""
    return 1000.0 / what.scaling[0]


def observed(what: Observable, results: Results) -> np.ndarray | str:
    """float64[n]: spike times as the test finds them, or the rate; a text says why there are none."""
    name = PurePosixPath(what.file).name
    table = next((each for each in results.tables if PurePosixPath(each.file).name == name), None)
    if table is None:
        return f"the run wrote no {name}"
    if not len(table.times) and isinstance(table, QuantityTable):
        return f"{name} of the run is empty"
    if isinstance(table, EventTable) != (what.ids is not None):
        return f"{name} of the run is not a file of the kind that the test reads"
    times = _events(table, what) if isinstance(table, EventTable) else _detected(table, what)
    if isinstance(times, str):
        return f"{name} of the run {times}"
    return times if what.kind == "spike times" else _rate(times, milliseconds(what))


def _events(table: EventTable, what: Observable) -> np.ndarray:
    wanted = np.isin(table.ids, what.ids) if what.ids else np.ones(len(table.ids), dtype=bool)
    return np.sort(table.times[wanted]) / 1000 * what.scaling[0]


def _detected(table: QuantityTable, what: Observable) -> np.ndarray | str:
    """Times of samples after an upward crossing, or of maxima: the tool does not interpolate. A text says what is
    wrong with the column."""
    if not 0 < what.columns[1] <= table.data.shape[1]:
        return f"has no column {what.columns[1]}"
    value = table.data[:, what.columns[1] - 1] * what.scaling[1]
    time = table.times / 1000 * what.scaling[0]
    if not np.all(np.isfinite(value)):
        return f"holds values that are no numbers in column {what.columns[1]}"
    if what.method == "threshold":
        return time[1:][(value[1:] > what.threshold) & (value[:-1] <= what.threshold)]
    slope = np.diff(value)
    return time[1:-1][(slope[:-1] > 0) & (slope[1:] <= 0)]


def _rate(times: np.ndarray, to_ms: float) -> np.ndarray:
    """float64[1]: spikes per second, from the first to the last."""
    if len(times) < 2:
        return np.zeros(1)
    return np.array([(len(times) - 1) * 1000 / ((times[-1] - times[0]) * to_ms)])
