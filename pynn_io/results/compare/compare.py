"""Two results of a run, compared in tiers: exact, deterministic, statistical; the first that applies decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.results.compare import checks
from pynn_io.results.compare.means import in_words
from pynn_io.results.compare.spikes import DETERMINISTIC, EXACT, compare_spikes
from pynn_io.results.compare.statistics import Ensembles, compare_statistics
from pynn_io.results.compare.traces import NotComparable, compare_traces
from pynn_io.results.compare.values import (
    Comparison,
    PopulationComparison,
    Statistics,
    Tolerance,
    TraceComparison,
    Verdict,
    worst,
)
from pynn_io.results.results import Results, Spikes, Trace

STATISTICAL = "statistical"
TIERS = ("auto", EXACT, DETERMINISTIC, STATISTICAL)
_NOTHING = Tolerance(absolute=0.0, voltage=0.0, fraction=0.0)


@dataclass(frozen=True, slots=True)
class Options:
    """How two results are compared.

    tier: ``auto`` takes exact, else deterministic, and statistical only where a null is given and the two before fail.
    rename: population of the first result -> what the second calls it. populations: of the first, to compare; all where
    empty. only: ``spikes`` or ``traces``. start, stop: ms, what lies outside is not looked at. allow_empty: silence is
    data, and a population that a result does not hold is silent. listed: missing and extra spikes that are named.
    doubts: why not to compare at all, found where the results were read.
    """

    tier: str = "auto"
    tolerance: Tolerance = field(default_factory=Tolerance)
    rename: Mapping[str, str] = field(default_factory=empty)
    populations: tuple[str, ...] = ()
    only: str | None = None
    start: float = -np.inf
    stop: float = np.inf
    allow_empty: bool = False
    listed: int = 20
    ensembles: Ensembles = field(default_factory=Ensembles)
    doubts: tuple[str, ...] = ()

    def chosen(self, a: Results, b: Results) -> tuple[Results, Results]:
        """What of both is to be compared, the second under the first's population names."""
        back = {theirs: ours for ours, theirs in self.rename.items()}
        one = checks.chosen(a, self.populations, self.only)
        return one, checks.chosen(checks.renamed(b, back), self.populations, self.only)


def compare(a: Results, b: Results, options: Options | None = None) -> Comparison:
    """Compare ``b`` with ``a``. Nothing is raised for results that cannot be compared: the verdict says so, and why.

    Empty results, values that are not finite, other populations, cells, places, times or units are ``not_comparable``,
    never a pass. A part that provably differs makes the whole differ, whatever else cannot be compared.
    """
    options = options or Options()
    if options.tier == EXACT:
        options = replace(options, tolerance=replace(_NOTHING, margin=options.tolerance.margin))
    reasons = [*options.doubts, *checks.unknown_names(options.populations, options.rename, a, b)]
    a, b = options.chosen(a, b)
    reasons += [f"{name} {text}" for name, one in (("A", a), ("B", b)) for text in checks.problems(one)]
    a, b = (one if reasons else checks.cut(one, options.start, options.stop) for one in (a, b))
    reasons = reasons or [*_whole_problems(a, b, options)]
    if reasons:
        return Comparison(Verdict.NOT_COMPARABLE, None, tuple(reasons), tolerance=options.tolerance)
    return _judge(a, b, options)


def _whole_problems(a: Results, b: Results, options: Options) -> list[str]:
    """Why the two as wholes cannot be compared."""
    lengths = {one.duration for one in (a, b) if one.duration is not None}
    if len(lengths) > 1 and options.stop > min(lengths):
        ends = f"A ran {a.duration:g} ms and B {b.duration:g} ms"
        return [f"{ends}: choose a common end of at most {min(lengths):g} ms"]
    return [] if options.allow_empty else [f"{name} {text}" for name, text in _silences(a, b)]


def _silences(a: Results, b: Results) -> list[tuple[str, str]]:
    """Results without content: so a run looks that failed quietly."""
    found = []
    for name, one, other in (("A", a, b), ("B", b, a)):
        if not one.spike_count and not one.traces:
            found.append((name, "holds no spikes and no traces"))
        elif not one.spike_count and other.spike_count:
            found.append((name, "holds no spikes at all, and the other does"))
    return found


def _judge(a: Results, b: Results, options: Options) -> Comparison:
    populations = tuple(_population(name, a, b, options) for name in _populations(a, b))
    traces = tuple(_trace(one, two, a, b, options) for one, two in checks.paired_traces(a, b))
    verdict = worst([*(one.verdict for one in populations), *(one.verdict for one in traces)])
    tier = EXACT if verdict is Verdict.EQUAL else DETERMINISTIC
    parted = [one.divergence for one in populations if one.divergence is not None]
    found = Comparison(
        verdict,
        None if verdict is Verdict.NOT_COMPARABLE else EXACT if options.tier == EXACT else tier,
        _reasons(populations, traces),
        tolerance=options.tolerance,
        populations=populations,
        traces=traces,
        divergence=min(parted, key=lambda one: one.time, default=None),
    )
    wanted = options.tier == STATISTICAL or (
        options.tier == "auto" and bool(options.ensembles.null) and verdict is Verdict.DIFFERS
    )
    return _statistical(found, a, b, options) if wanted else found


def _reasons(populations: Sequence[PopulationComparison], traces: Sequence[TraceComparison]) -> tuple[str, ...]:
    refused = [
        *(
            f"population {one.population!r}: {one.reason}"
            for one in populations
            if one.verdict is Verdict.NOT_COMPARABLE
        ),
        *(
            f"report {one.report!r} of {one.population!r}: {one.reason}"
            for one in traces
            if one.verdict is Verdict.NOT_COMPARABLE
        ),
    ]
    return tuple(refused) if populations or traces else ("the two have nothing in common",)


def _populations(a: Results, b: Results) -> list[str]:
    return list(dict.fromkeys([*a.spikes, *a.nodes, *b.spikes, *b.nodes]))


def _population(name: str, a: Results, b: Results, options: Options) -> PopulationComparison:
    other = options.rename.get(name, name)
    one, two = _spikes(name, a, options), _spikes(name, b, options)
    reason = _incomparable(name, one, two, a, b, options)
    if reason or one is None or two is None:
        counts = tuple(0 if found is None else len(found.times) for found in (one, two))
        return PopulationComparison(name, other, Verdict.NOT_COMPARABLE, reason=reason, spikes=(counts[0], counts[1]))
    found = compare_spikes(one, two, options.tolerance, listed=options.listed)
    nodes = [np.asarray(results.nodes[name]) for results in (a, b) if name in results.nodes]
    cells = max([found.cells, *map(len, nodes)])
    rates = _rates(found, cells, a, b, options) if len(nodes) == 2 else None
    return replace(
        found, other=other, cells=cells, rates=rates, reason="silent in both" if not any(found.spikes) else ""
    )


def _spikes(name: str, results: Results, options: Options) -> Spikes | None:
    """A population that was simulated and did not spike has no spikes; one that nobody heard of is None."""
    if name in results.spikes:
        return results.spikes[name]
    if name in results.nodes or options.allow_empty:
        return Spikes(name, np.empty(0, np.int64), np.empty(0))
    return None


def _incomparable(name: str, one: Spikes | None, two: Spikes | None, a: Results, b: Results, options: Options) -> str:
    for found, side in ((one, "A"), (two, "B")):
        if found is None:
            return f"missing in {side}"
    if name in a.nodes and name in b.nodes:
        only_a, only_b = (len(np.setdiff1d(x, y)) for x, y in _both_ways(a.nodes[name], b.nodes[name]))
        if only_a or only_b:
            return f"other cells: {only_a} were simulated only in A, {only_b} only in B"
    for simulated, spiking, side in ((a, two, "A"), (b, one, "B")):
        if name in simulated.nodes and spiking is not None:
            strangers = len(np.setdiff1d(spiking.node_ids, simulated.nodes[name]))
            if strangers:
                return f"other cells: {strangers} that spiked were not simulated in {side}"
    alone = not (a.spike_count or a.traces) or not (b.spike_count or b.traces)
    return "silent in both" if alone and not options.allow_empty else ""


def _both_ways(x: np.ndarray, y: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return (x, y), (y, x)


def _rates(
    found: PopulationComparison, cells: int, a: Results, b: Results, options: Options
) -> tuple[float, float] | None:
    """Mean rates in Hz, where both say how long they ran and which cells they had."""
    if a.duration is None or b.duration is None or not cells:
        return None
    start = max(options.start, 0.0)
    spans = [min(options.stop, one) - start for one in (a.duration, b.duration)]
    first, second = (count / cells / span * 1000.0 for count, span in zip(found.spikes, spans, strict=True))
    return first, second


def _trace(one: Trace | None, two: Trace | None, a: Results, b: Results, options: Options) -> TraceComparison:
    if one is None or two is None:
        known = next(trace for trace in (one, two) if trace is not None)
        reason = f"missing in {'A' if one is None else 'B'}"
        return TraceComparison(known.report, known.population, known.variable, Verdict.NOT_COMPARABLE, reason=reason)
    events = checks.all_events(a, b, one.population)
    return compare_traces(one, two, events, options.tolerance, (options.start, options.stop))


def _statistical(found: Comparison, a: Results, b: Results, options: Options) -> Comparison:
    """The verdict by distributions, with the numbers of the deterministic tier left to be read."""
    unfit = [one for one in found.populations if one.verdict is Verdict.NOT_COMPARABLE]
    names = [one.population for one in found.populations if all(one.spikes)]
    silent = [one for one in found.populations if any(one.spikes) and not all(one.spikes)]
    if unfit or silent or not names:
        texts = [f"population {one.population!r} is silent in one of the two" for one in silent]
        reasons = (*found.reasons, *texts) or ("no population spiked in both",)
        return replace(found, verdict=Verdict.NOT_COMPARABLE, tier=None, reasons=reasons)
    try:
        within, statistics = compare_statistics(
            a, b, names, _ready(options), max(options.start, 0.0), options.stop if options.stop < np.inf else None
        )
    except NotComparable as reason:
        return replace(found, verdict=Verdict.NOT_COMPARABLE, tier=None, reasons=(*found.reasons, str(reason)))
    notes = ["traces take no part in a statistical verdict"] if found.traces else []
    verdict = Verdict.WITHIN if within else Verdict.DIFFERS
    return replace(
        found, verdict=verdict, tier=STATISTICAL, statistics=statistics, notes=(*notes, *_weakness(statistics))
    )


def _weakness(statistics: Statistics) -> list[str]:
    return [
        f"smallest weight change that would have been seen: {statistics.sensitivity.text}",
        *in_words(statistics.means),
    ]


def _ready(options: Options) -> Ensembles:
    """Null and perturbed runs, cut to the window, whole ones only."""
    for results in (*options.ensembles.null, *(one for _, one in options.ensembles.perturbed)):
        for problem in checks.problems(results):
            raise NotComparable(f"a run of the null or perturbed ensembles: {problem}")
    return Ensembles(
        tuple(_as_first(one, options) for one in options.ensembles.null),
        tuple((change, _as_first(one, options)) for change, one in options.ensembles.perturbed),
        options.ensembles.pooled,
    )


def _as_first(one: Results, options: Options) -> Results:
    """A run of either backend: what it calls as the second result does gets the first one's names."""
    names = {theirs: ours for ours, theirs in options.rename.items() if ours not in one.populations}
    return checks.cut(checks.renamed(one, names), options.start, options.stop)
