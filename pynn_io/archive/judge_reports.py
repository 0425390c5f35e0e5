"""Published tables of numbers: files of a LEMS simulation, and reports of SED-ML documents, beside those of a run.

Columns become traces, and those of membrane potentials spikes as well: where a spike is a step early, its trace differs
by a spike's height, which says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from pynn_io.archive.curves import beyond_shift
from pynn_io.archive.exactness import with_exactness
from pynn_io.archive.values import Check, Expectation, Verdict
from pynn_io.errors import ReadError
from pynn_io.formats.sed_reports import SedReport, read_report
from pynn_io.formats.sedml import Experiment, Generator, read_sedml
from pynn_io.graph.expressions import parse
from pynn_io.lowering.evaluate import value
from pynn_io.results import Results
from pynn_io.results.columns import read_columns
from pynn_io.results.compare import Comparison, Options, Tolerance
from pynn_io.results.compare.sources import Opened, compare_opened
from pynn_io.results.lems import read_events, read_quantities
from pynn_io.results.results import EventTable, QuantityTable, Trace, sorted_spikes

#: Spikes are upward crossings of this potential, V.
THRESHOLD = 0.0
_POPULATION = "columns"
MakeCheck: TypeAlias = Callable[[str, Comparison, Tolerance], Check]


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """native: the columns were made by this simulator, so that traces can be judged as well as spikes.

    measures: extra ones, to be shown. exact_step: ms, of a run that should give the columns again; 0 for others.
    """

    tolerance: Tolerance
    native: bool
    make: MakeCheck
    measures: tuple[str, ...] = ()
    exact_step: float = 0.0


def judge_table(expectation: Expectation, results: Results, rules: ColumnRules) -> Iterator[Check]:
    """A file of a LEMS simulation that was published with it. Raises ReadError for a broken one."""
    found = next((each for each in results.tables if each.file == expectation.part), None)
    if found is None:
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, f"the run wrote no {expectation.part}")
    elif isinstance(found, QuantityTable):
        table = read_quantities(expectation.origin, found.name, found.file, found.columns)
        yield _compared(expectation.name, (_table_columns(table), _table_columns(found)), rules)
    else:
        published = read_events(expectation.origin, found.name, found.file, time_first=found.time_first)
        one, two = (Opened(_of_events(each)) for each in (published, found))
        check = _exact(_check(expectation.name, one, two, rules, None), one, two, rules, None)
        yield replace(check, pair=(one.results, two.results))


def judge_columns(expectation: Expectation, results: Results, rules: ColumnRules) -> Iterator[Check]:
    """A text table whose header names columns of a file of a LEMS simulation. Raises ReadError for a broken one."""
    found = next((each for each in results.tables if each.file == expectation.part), None)
    if not isinstance(found, QuantityTable):
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, f"the run wrote no table {expectation.part}")
        return
    published = read_columns(expectation.origin)
    place = {name: number for number, names in enumerate(found.columns) for name in names}
    unknown = [name for name in published.header.names if name not in place]
    if unknown:
        message = f"{expectation.part} of the run has no column {', '.join(unknown)}"
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, message)
        return
    chosen = [place[name] for name in published.header.names]
    ours = replace(found, columns=tuple(found.columns[number] for number in chosen), data=found.data[:, chosen])
    theirs = replace(ours, times=published.times, data=published.in_si())
    yield _compared(expectation.name, (_table_columns(theirs), _table_columns(ours)), rules)


def _of_events(table: EventTable) -> Results:
    return Results(spikes={_POPULATION: sorted_spikes(_POPULATION, table.ids, table.times)})


def judge_report(expectation: Expectation, results: Results, rules: ColumnRules) -> Iterator[Check]:
    """A report of a SED-ML document. Raises ReadError for one that is broken, or not of the document."""
    published = read_report(expectation.origin, expectation.part)
    location, _, name = expectation.part.rpartition("/")
    experiment = read_sedml(expectation.origin.parent / location)
    ours = _report_of(experiment, name, results)
    theirs = _published(published, experiment.reports[name].ids, ours)
    yield _compared(expectation.name, (theirs, ours), rules)


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """float64[n], SI. path: of the quantity that it is, empty for what is computed of several."""

    label: str
    values: np.ndarray
    path: str = ""
    is_time: bool = False

    @property
    def is_potential(self) -> bool:
        return self.path.endswith("/v")

    @property
    def cell(self) -> str:
        """The cell of a path (``pop[0]/v``, ``pop/0/cell/v``): traces are judged outside of its spikes."""
        first, _, rest = self.path.partition("/")
        return first if "[" in first else f"{first}/{rest.partition('/')[0]}"


def _table_columns(table: QuantityTable) -> tuple[_Column, ...]:
    named = (_Column(name, values, path) for (name, path), values in zip(table.columns, table.data.T, strict=True))
    return (_Column("time", table.times / 1000, is_time=True), *named)


def _report_of(experiment: Experiment, name: str, results: Results) -> tuple[_Column, ...]:
    """The columns of a report, from what the run recorded for it."""
    if name not in experiment.reports:
        raise ReadError(f"the document has no report {name!r}", where=experiment.path)
    table = next((each for each in results.tables if isinstance(each, QuantityTable)), None)
    if table is None or not len(table.times):
        raise ReadError("the run recorded nothing for the report", where=experiment.path)
    known = {path: values for (_, path), values in zip(table.columns, table.data.T, strict=True)}
    return tuple(
        _generated(label, experiment.generators[generator], known, table.times / 1000)
        for label, generator in experiment.reports[name].columns
    )


def _generated(label: str, generator: Generator, known: Mapping[str, np.ndarray], time: np.ndarray) -> _Column:
    """A data generator, worked out for every time."""
    names: dict[str, Any] = dict(generator.parameters)
    for variable in generator.variables:
        if not variable.is_time and variable.target not in known:
            raise ReadError(f"the run did not record {variable.target!r}")
        names[variable.id] = time if variable.is_time else known[variable.target]
    values = np.broadcast_to(np.asarray(value(parse(generator.formula), names), dtype=np.float64), time.shape)
    alone = generator.variables[0] if generator.formula == generator.variables[0].id else None
    return _Column(label, values, alone.target if alone else "", is_time=alone is not None and alone.is_time)


def _published(report: SedReport, ids: Sequence[str], made: Sequence[_Column]) -> tuple[_Column, ...]:
    """The published values of the columns that were made, which the file may have in another order."""
    place = {name: number for number, name in enumerate(report.ids)}
    lacking = sorted(set(ids) - place.keys())
    if lacking:
        raise ReadError(f"the published report lacks {', '.join(lacking)}")
    return tuple(replace(column, values=report.data[place[name]]) for name, column in zip(ids, made, strict=True))


def _compared(name: str, pair: tuple[tuple[_Column, ...], tuple[_Column, ...]], rules: ColumnRules) -> Check:
    published, found = pair
    try:
        one, two = (Opened(_of_columns(columns)) for columns in pair)
    except _NotUniform as reason:
        return Check(name, Verdict.NOT_COMPARABLE, str(reason))
    fires = bool(one.results.spikes or two.results.spikes)
    only = None if fires else "traces"
    check = _exact(_check(name, one, two, rules, only), one, two, rules, only)
    if check.verdict == Verdict.DIFFERS and not rules.native:
        # Another integrator shifts every spike a little, and with it all that follows it.
        check = _by_spikes(check, one, two, rules) if fires else _by_shifted_curves(check, pair, rules.tolerance)
    largest = {
        ours.label: float(np.max(np.abs(ours.values - theirs.values), initial=0.0))
        for ours, theirs in zip(found, published, strict=True)
        if not ours.is_time and ours.values.shape == theirs.values.shape
    }
    numbers = {**check.numbers, "largest_difference": largest}
    return replace(check, numbers=numbers, pair=(one.results, two.results))


def _check(name: str, one: Opened, two: Opened, rules: ColumnRules, only: str | None) -> Check:
    options = Options(tolerance=rules.tolerance, only=only)
    compared = compare_opened(one, two, options, measures=() if only == "spikes" else rules.measures)
    return rules.make(name, compared, rules.tolerance)


def _exact(check: Check, one: Opened, two: Opened, rules: ColumnRules, only: str | None) -> Check:
    return with_exactness(
        check, rules.exact_step, lambda tolerance: compare_opened(one, two, Options(tolerance=tolerance, only=only))
    )


def _by_spikes(check: Check, one: Opened, two: Opened, rules: ColumnRules) -> Check:
    """The spikes decide, where there are some."""
    alone = _check(check.name, one, two, rules, "spikes")
    message = "traces differ, as they do where spikes are shifted: told, not judged"
    return replace(check, verdict=alone.verdict, message=alone.message or message)


def _by_shifted_curves(check: Check, pair: tuple[Sequence[_Column], Sequence[_Column]], allowed: Tolerance) -> Check:
    """Curves without spikes may be early or late as spikes may, and then as far off as curves may: a gate of a cell
    whose potential nobody published moves with its spikes."""
    published, found = pair
    if any(ours.values.shape != theirs.values.shape for ours, theirs in zip(found, published, strict=True)):
        return check
    time = next(column.values * 1000 for column in published if column.is_time)
    samples = np.ceil(allowed.at(time) / (time[1] - time[0])).astype(np.int64)
    apart, reasons = {}, []
    for theirs, ours in zip(published, found, strict=True):
        if theirs.is_time:
            continue
        off = apart[theirs.label] = beyond_shift(theirs.values, ours.values, samples)
        limit = allowed.voltage / 1000 if theirs.is_potential else allowed.fraction * float(np.ptp(theirs.values))
        if off > limit:
            reasons.append(f"{theirs.label}: {off:.3g} RMS (SI) however it is shifted, {limit:.3g} allowed")
    words = f"curves shifted by {allowed.absolute:g} ms or {allowed.relative:g} of the time, and then"
    told = f"{words} RMS {allowed.fraction:g} of their range; potentials {allowed.voltage:g} mV"
    numbers = {**check.numbers, "beyond_shift": apart}
    verdict = Verdict.DIFFERS if reasons else Verdict.REPRODUCED
    return replace(check, verdict=verdict, message="; ".join(reasons), tolerance=told, numbers=numbers)


class _NotUniform(ValueError):
    """Times that no trace has."""


def _of_columns(columns: tuple[_Column, ...]) -> Results:
    """Columns as traces of the cells that they belong to, potentials with their spikes."""
    time = next((column.values * 1000 for column in columns if column.is_time), None)
    if time is None or len(time) < 2:
        raise _NotUniform("there is no column of the time, or no two times")
    steps = np.diff(time)
    if not np.allclose(steps, steps[0], rtol=1e-3, atol=0):
        raise _NotUniform("the times are not those of equal steps")
    interval = float((time[-1] - time[0]) / (len(time) - 1))
    cells = {name: number for number, name in enumerate(dict.fromkeys(column.cell for column in columns))}
    traces, ids, times = [], [np.zeros(0, np.int64)], [np.zeros(0)]
    for column in (each for each in columns if not each.is_time):
        node = cells[column.cell]
        scale, unit = (1000.0, "mV") if column.is_potential else (1.0, "")
        data = (column.values * scale)[:, np.newaxis]
        label = column.label
        traces.append(Trace(label, _POPULATION, label, unit, data, np.array([node]), float(time[0]), interval))
        if column.is_potential:
            fired = time[1:][(column.values[1:] > THRESHOLD) & (column.values[:-1] <= THRESHOLD)]
            ids.append(np.full(len(fired), node))
            times.append(fired)
    spikes = sorted_spikes(_POPULATION, np.concatenate(ids), np.concatenate(times))
    found = {_POPULATION: spikes} if len(spikes.times) else {}
    return Results(spikes=found, traces=tuple(traces), nodes={_POPULATION: np.array(sorted(cells.values()))})
