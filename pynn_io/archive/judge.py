"""What a run gave beside what was published of it: a check for everything that is expected.

Tolerances, where the user gives none, are those of the archive, and never tighter than one time step. Results without a
tolerance of their own may be as far apart as engines of one family are (1e-3 of a spike's time), or of two (5e-3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pynn_io.archive.exactness import with_exactness
from pynn_io.archive.features import Feature, as_numbers, feature_checks, measures
from pynn_io.archive.features import reasons as reasons_of
from pynn_io.archive.judge_reports import ColumnRules, judge_columns, judge_report, judge_table
from pynn_io.archive.judge_tests import OTHER_FAMILY, SAME_FAMILY, judge_tests
from pynn_io.archive.values import Check, Expectation, Verdict
from pynn_io.errors import PynnIOError
from pynn_io.results import Results
from pynn_io.results.columns import as_results, read_columns
from pynn_io.results.compare import Comparison, Options, Tolerance
from pynn_io.results.compare import Verdict as Compared
from pynn_io.results.compare.compare import STATISTICAL
from pynn_io.results.compare.means import in_words
from pynn_io.results.compare.sources import Opened, compare_opened, open_results
from pynn_io.results.compare.values import MeanShift, plain

#: What the same simulator, in the same version, may differ by on another machine.
_ROUNDING = Tolerance(absolute=1e-6, voltage=1e-4, fraction=1e-6)
#: What a comparison calls its two sides (where that is no name of something, which is quoted), and what they are here.
_SIDES = re.compile(r"(?<!['\w])[AB](?!['\w])")
_NAMES = {"A": "what was published", "B": "the run"}
VERDICTS: Mapping[Compared, Verdict] = {
    Compared.EQUAL: Verdict.REPRODUCED,
    Compared.WITHIN: Verdict.REPRODUCED,
    Compared.DIFFERS: Verdict.DIFFERS,
    Compared.NOT_COMPARABLE: Verdict.NOT_COMPARABLE,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run is judged. engine: what OSB Model Validation calls the simulator (`judge_tests.ENGINES`).

    tolerance: ms, of the user; None for the archive's. timestep: ms, of the run. native: the archive was made with this
    simulator. exact: it says so itself, and the time step is the archive's. backend, version: of the run. null: results
    of the same run with other seeds, for the statistical tier.
    features: of voltages, that are checks of their own.
    """

    engine: str = ""
    tolerance: float | None = None
    timestep: float = 0.0
    native: bool = False
    exact: bool = False
    backend: str = ""
    version: str = ""
    null: tuple[Results, ...] = ()
    features: tuple[Feature, ...] = ()

    @property
    def relative(self) -> float:
        """Of a spike's time, where neither user nor archive says anything."""
        return SAME_FAMILY if self.native else OTHER_FAMILY

    def for_columns(self, expectation: Expectation) -> ColumnRules:
        """For tables of columns."""
        native = self.native or expectation.made_by == (self.backend, self.version)
        step = self.exact_step(expectation)
        return ColumnRules(self.of_results(expectation.made_by), native, check_of, measures(self.features), step)

    def exact_step(self, expectation: Expectation) -> float:
        """ms; 0 where a run need not give what was published again, or is held to its own tolerance."""
        stated = self.tolerance is not None or expectation.made_by == (self.backend, self.version)
        return self.timestep if self.exact and not stated else 0.0

    def of_results(self, made_by: tuple[str, str] | None = None) -> Tolerance:
        """For spikes and traces of results, which a known simulator may have made."""
        if self.tolerance is not None:
            return Tolerance(absolute=self.tolerance)
        if made_by == (self.backend, self.version):
            return _ROUNDING
        return Tolerance(absolute=self.timestep, relative=self.relative)


def judge(expectations: tuple[Expectation, ...], results: Results, rules: Rules) -> tuple[Check, ...]:
    """A check or more for every expectation; what cannot be read or compared is a check as well."""
    checks = [check for expectation in expectations for check in _checks(expectation, results, rules)]
    return (*checks, *(feature_checks(checks, rules.features) if checks else ()))


def _checks(expectation: Expectation, results: Results, rules: Rules) -> Iterator[Check]:
    if results.level != "executes":
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, f"the backend {results.level}, and executes nothing")
        return
    try:
        yield from _JUDGES[expectation.kind](expectation, results, rules)
    except PynnIOError as error:
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, str(error))
    except MemoryError:  # a few bytes of HDF5 may state arrays of any size
        yield Check(expectation.name, Verdict.NOT_COMPARABLE, "what is expected needs more memory than there is")


def _judge_results(expectation: Expectation, results: Results, rules: Rules) -> Iterator[Check]:
    yield _judged(expectation, open_results(expectation.origin), results, rules)


def _judge_columns(expectation: Expectation, results: Results, rules: Rules) -> Iterator[Check]:
    if expectation.part:
        yield from judge_columns(expectation, results, rules.for_columns(expectation))
    else:
        expected = as_results(read_columns(expectation.origin), expectation.origin)
        yield _judged(expectation, Opened(expected), results, rules)


def _judged(expectation: Expectation, expected: Opened, results: Results, rules: Rules) -> Check:
    found = Opened(_comparable(results, expected.results))
    options = Options(
        tolerance=rules.of_results(expectation.made_by),
        populations=tuple(expected.results.populations),
        only=None if expected.results.spikes and expected.results.traces else _only(expected.results),
    )
    given, pooled = _null(expectation, expected.results, results, rules)
    null = [Opened(_comparable(each.results, expected.results), each.doubts) for each in given]
    compared = compare_opened(expected, found, options, null=null, measures=measures(rules.features), pooled=pooled)
    check = check_of(expectation.name, compared, options.tolerance)
    if expected.results.spike_count:

        def once_more(tolerance: Tolerance) -> Comparison:
            return compare_opened(expected, found, replace(options, tolerance=tolerance, only="spikes"))

        check = with_exactness(check, rules.exact_step(expectation), once_more)
    return replace(check, pair=(expected.results, found.results), null=tuple(each.results for each in null))


def _null(expectation: Expectation, published: Results, results: Results, rules: Rules) -> tuple[Sequence[Opened], str]:
    """Runs with other seeds, and which of the two results they belong to: those of the run, else those that were
    published, unless it is the very run that was published, which comes out again."""
    if rules.null:
        return [Opened(each) for each in rules.null], "b"
    same_seed = published.provenance.get("seed") == results.provenance.get("seed")
    if expectation.made_by == (rules.backend, rules.version) and same_seed:
        return [], ""
    return [open_results(path) for path in expectation.null], "a"


def _only(expected: Results) -> str | None:
    if expected.spikes:
        return "spikes"
    return "traces" if expected.traces else None


def _comparable(results: Results, expected: Results) -> Results:
    """Without recordings that nothing is expected of: a run may record more than was published."""
    wanted = {(trace.report, trace.population) for trace in expected.traces}
    wanted |= {(trace.variable, trace.population) for trace in expected.traces if trace.variable}
    kept = tuple(
        trace
        for trace in results.traces
        if {(trace.report, trace.population), (trace.variable, trace.population)} & wanted
    )
    return replace(results, traces=kept)


def check_of(name: str, found: Comparison, tolerance: Tolerance) -> Check:
    """A comparison of two results as a check."""
    parts = [each.reason for each in found.populations] + [each.reason for each in found.traces]
    reasons = [*found.reasons, *(reason for reason in parts if reason), *_unlike(found)]
    by_statistics = found.tier == STATISTICAL
    divergence = found.divergence
    if divergence is not None and not by_statistics:
        where = f"first at {divergence.time:g} ms in cell {divergence.node_id} of {divergence.population}"
        reasons.append(f"spikes part {where}")
    numbers: dict[str, Any] = {
        "tier": found.tier,
        "spikes": {each.population: list(each.spikes) for each in found.populations},
        "dt_max_ms": max((each.dt_max for each in found.populations if each.dt_max is not None), default=None),
        "missing": sum(each.missing.count for each in found.populations),
        "extra": sum(each.extra.count for each in found.populations),
        "traces": {
            f"{each.report} of {each.population}": {"rms": each.rms, "unit": each.unit, "limit": each.limit}
            for each in found.traces
        },
    }
    if found.statistics is not None:
        numbers["statistics"] = plain(found.statistics)
        numbers["would_have_been_seen"] = in_words(found.statistics.means)
        reasons += (_off(each) for each in found.statistics.means if each.off > each.allowed)
    if found.measures:
        numbers["features"] = as_numbers(found.measures)
        reasons += reasons_of(numbers["features"]) if found.verdict == Compared.DIFFERS else ()
    message = _SIDES.sub(lambda side: _NAMES[side[0]], "; ".join(dict.fromkeys(reasons)))
    allowed = "statistics as of other seeds" if by_statistics else _words(tolerance)
    return Check(name, VERDICTS[found.verdict], message, allowed, plain(numbers))


def _unlike(found: Comparison) -> Iterator[str]:
    """Traces that differ, in words."""
    for each in found.traces:
        if each.verdict == Compared.DIFFERS and each.rms_worst is not None and each.limit is not None:
            where = f"{each.report} of {each.population}"
            yield f"{where}: RMS {each.rms_worst:.3g} {each.unit} in cell {each.worst_node}, {each.limit:.3g} allowed"


def _off(mean: MeanShift) -> str:
    what = f"mean {mean.measure} of {mean.population}"
    where = f"{mean.found:.4g} +- {mean.spread:.2g} over seeds"
    return f"{what}: {mean.expected:.4g} {mean.unit} was published, {where} were found".replace("  ", " ")


def _words(tolerance: Tolerance) -> str:
    relative = f", or {tolerance.relative:g} of their time" if tolerance.relative else ""
    return f"spikes {tolerance.absolute:g} ms{relative}; voltages {tolerance.voltage:g} mV outside of spikes"


_JUDGES: Mapping[str, Callable[[Expectation, Results, Rules], Iterator[Check]]] = {
    "results": _judge_results,
    "columns": _judge_columns,
    "omv": lambda expectation, results, rules: judge_tests(
        expectation, results, engine=rules.engine, tolerance=rules.tolerance, timestep=rules.timestep
    ),
    "table": lambda expectation, results, rules: judge_table(expectation, results, rules.for_columns(expectation)),
    "report": lambda expectation, results, rules: judge_report(expectation, results, rules.for_columns(expectation)),
}
