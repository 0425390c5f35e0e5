"""What `pynn-compare` found, as tables and one line to sum up."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from pynn_io.cli.common import counted
from pynn_io.cli.tables import console_of_stdout, print_table, print_title
from pynn_io.graph.compare import Difference
from pynn_io.results.compare.values import (
    Comparison,
    Divergence,
    Measure,
    PopulationComparison,
    SpikeAt,
    Statistics,
    Tolerance,
    TraceComparison,
)

STYLES = {"equal": "bold green", "within": "bold green", "differs": "bold red", "not_comparable": "bold yellow"}
WORDS = {"equal": "equal", "within": "within the tolerance", "differs": "differ", "not_comparable": "not comparable"}


def print_account(account: dict[str, Any], arguments: Namespace) -> None:
    """Everything on stdout; with ``--quiet`` the verdict and the reasons only."""
    console = console_of_stdout()
    if not arguments.quiet:
        (_results if account["kind"] == "results" else _networks)(console, account, arguments)
    facts = account["json"]
    for reason in facts["reasons"]:
        console.print(f"cannot be compared: {reason}", soft_wrap=True)
    console.print(Text(_verdict(account), style=STYLES[facts["verdict"]]), soft_wrap=True)


def _verdict(account: dict[str, Any]) -> str:
    facts = account["json"]
    if account["kind"] == "results":
        return comparison_words(account["comparison"])
    text = WORDS[facts["verdict"]]
    return text if facts["verdict"] != "differs" else f"{text}: {counted(facts['count'], 'difference')}"


def comparison_words(found: Comparison) -> str:
    """The verdict on two results, the tier that decided, and the numbers."""
    text = WORDS[found.verdict]
    if found.statistics is not None and found.tier == "statistical":
        return (
            f"{'within what seeds do' if found.verdict == 'within' else text} (statistical tier): "
            f"largest distance {found.statistics.ratio:.3g} x the null's mean, "
            f"its 95th percentile is {found.statistics.ratio_null_p95:.3g}"
        )
    return f"{text} ({found.tier} tier){_in_numbers(found)}" if found.tier else text


def _in_numbers(found: Comparison) -> str:
    """The number that goes with a verdict."""
    texts = []
    compared = [one for one in found.populations if one.tier]
    if compared:
        missing, extra = (sum(getattr(one, side).count for one in compared) for side in ("missing", "extra"))
        largest = max((one.dt_max for one in compared if one.dt_max is not None), default=None)
        shared = sum(one.shared for one in compared)
        texts.append(
            f"{shared:,} spikes in both" + (f", {missing:,} only in A, {extra:,} only in B" if missing or extra else "")
        )
        if largest is not None:
            texts.append(f"largest |dt| {largest:.6g} ms")
    worst = max((one for one in found.traces if one.rms_worst is not None), key=_over_limit, default=None)
    if worst is not None:
        texts.append(f"largest rms {worst.rms_worst:.4g} {worst.unit}".rstrip())
    return f": {', '.join(texts)}" if texts else ""


def _over_limit(one: TraceComparison) -> float:
    return float(one.rms_worst or 0.0) / (one.limit or 1.0)


# --- Networks -----------------------------------------------------------------------------------------------------


def _networks(console: Console, account: dict[str, Any], arguments: Namespace) -> None:
    for name, path, document in zip("AB", (arguments.a, arguments.b), account["documents"], strict=True):
        network = document.network
        cells = sum(one.size for one in network.populations.values())
        edges = sum(one.size for one in network.projections.values())
        console.print(f"{name}  {path}: {counted(cells, 'cell')}, {counted(edges, 'edge')}", soft_wrap=True)
    differences: Sequence[Difference] = account["differences"]
    if differences:
        print_title(console, f"Differences ({len(differences)})")
        alike = Counter((one.where, one.message) for one in differences)  # a cell type or a morphology each
        rows = [(where, message, "" if count == 1 else f"{count} x") for (where, message), count in alike.items()]
        print_table(console, ("where", "what", ""), rows[: arguments.limit])
        _more(console, len(rows), arguments.limit)
    _notes(console, account["json"]["notes"], "What was not read, or not as it stands")
    console.print()


def _more(console: Console, count: int, limit: int) -> None:
    if count > limit:
        console.print(f"... and {count - limit:,} more (--limit)")


def _notes(console: Console, notes: Sequence[str], title: str) -> None:
    if notes:
        print_title(console, title)
        for note in notes:
            console.print(f"  {note}", soft_wrap=True)


# --- Results ------------------------------------------------------------------------------------------------------


def _results(console: Console, account: dict[str, Any], arguments: Namespace) -> None:
    found: Comparison = account["comparison"]
    for name, path, results in zip("AB", (arguments.a, arguments.b), account["results"], strict=True):
        duration = "" if results.duration is None else f", {results.duration:g} ms"
        backend = results.provenance.get("backend", "")
        content = f"{counted(results.spike_count, 'spike')}, {counted(len(results.traces), 'report')}{duration}"
        console.print(f"{name}  {path}: {content}" + (f", {backend}" if backend else ""), soft_wrap=True)
    _populations(console, found)
    if found.tier != "statistical":  # there hardly a spike is common, and which are says nothing
        _where_they_part(console, found)
    _traces(console, found.traces)
    if found.statistics is not None:
        _statistics(console, found.statistics)
    _measures(console, found.measures)
    _notes(console, found.notes, "Notes")
    console.print()


def _where_they_part(console: Console, found: Comparison) -> None:
    for one in found.populations:
        _lists(console, one)
    if found.divergence is not None:
        print_title(console, "First divergence")
        console.print(divergence_text(found.divergence), soft_wrap=True)


def tolerance_text(tolerance: Tolerance) -> str:
    """``1 ms``, ``the larger of 1 x 0.1 ms and 0.001 x t``."""
    parts = [f"{tolerance.absolute:g} ms"] if tolerance.absolute else []
    parts += [f"{tolerance.steps:g} x {tolerance.timestep:g} ms"] if tolerance.steps else []
    parts += [f"{tolerance.relative:g} x t"] if tolerance.relative else []
    return parts[0] if len(parts) == 1 else f"the larger of {' and '.join(parts)}" if parts else "none"


def _populations(console: Console, found: Comparison) -> None:
    if not found.populations:
        return
    print_title(console, f"Spikes (tolerance: {tolerance_text(found.tolerance)})")
    header = ("population", "verdict", ">in A", ">in B", ">cells", ">other counts", ">in both", ">same time")
    more = (">median |dt|", ">largest |dt|", "there")
    print_table(console, (*header, *more), [_population_row(one) for one in found.populations])


def _population_row(one: PopulationComparison) -> tuple[object, ...]:
    name = one.population if one.population == one.other else f"{one.population} = {one.other}"
    counts = tuple(f"{count:,}" for count in one.spikes)
    if one.tier is None:
        return name, WORDS[one.verdict], *counts, "", "", "", "", "", "", ""
    there = one.dt_where
    where = "" if there is None or not one.dt_max else f"cell {there.node_id}, {there.time_a:g} ms"
    numbers = (one.cells, one.unequal_cells, one.shared, one.identical)
    return name, WORDS[one.verdict], *counts, *(f"{n:,}" for n in numbers), _ms(one.dt_median), _ms(one.dt_max), where


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.4g} ms"


def _lists(console: Console, one: PopulationComparison) -> None:
    for name, spikes in (("A", one.missing), ("B", one.extra)):
        if spikes.count:
            shown = ", ".join(_at(spike) for spike in spikes.first)
            more = f" and {spikes.count - len(spikes.first):,} more" if spikes.count > len(spikes.first) else ""
            text = f"{one.population}: {counted(spikes.count, 'spike')} only in {name}"
            console.print(f"{text}: {shown}{more}" if shown else text, soft_wrap=True)


def _at(spike: SpikeAt) -> str:
    return f"cell {spike.node_id} at {spike.time:.10g} ms"


def divergence_text(one: Divergence) -> str:
    """A sentence or two for a modeller."""
    own, other = ("A", "B") if one.only_in == "a" else ("B", "A")
    text = f"{one.population}, cell {one.node_id}: a spike at {one.time:.10g} ms only in {own}"
    if one.other_time is not None:
        text += f"; the nearest unmatched one of this cell in {other} is at {one.other_time:.10g} ms"
    last = one.last_common
    return f"{text}. " + (f"Last common spike: {_at(last)}." if last else "No spike before it is common.")


def _traces(console: Console, traces: Sequence[TraceComparison]) -> None:
    if not traces:
        return
    print_title(console, "Traces (root mean square of the difference, away from spikes)")
    header = (
        "report",
        "population",
        "verdict",
        ">elements",
        ">samples",
        ">left out",
        ">all",
        ">worst",
        "there",
        ">limit",
    )
    print_table(console, header, [_trace_row(one) for one in traces])
    for one in traces:
        for note in one.notes:
            console.print(f"  {one.report}: {note}", soft_wrap=True)


def _trace_row(one: TraceComparison) -> tuple[object, ...]:
    head = one.report, one.population, WORDS[one.verdict]
    if one.tier is None:
        return *head, "", "", "", "", "", "", ""
    numbers = (f"{one.rms:.3g} {one.unit}", f"{one.rms_worst:.3g} {one.unit}", f"cell {one.worst_node}")
    share = f"{one.masked:.1%}"
    return *head, f"{one.elements:,}", f"{one.samples:,}", share, *numbers, f"{one.limit:.3g} {one.unit}"


def _statistics(console: Console, found: Statistics) -> None:
    span = f"{found.start:g} to {found.stop:.6g} ms"
    print_title(console, f"Distributions ({span}; null: {found.null_runs} runs, {found.null_pairs} pairs)")
    header = ("population", "measure", ">mean A", ">mean B", ">KS", ">null p95", ">EMD", ">null p95", ">x null's mean")
    rows = [
        (
            one.population,
            f"{one.measure} ({one.unit})" if one.unit else one.measure,
            *(f"{mean:.4g}" for mean in one.means),
            *(f"{value:.3g}" for value in (one.ks, one.ks_null_p95, one.emd, one.emd_null_p95, one.ratio)),
        )
        for one in found.distances
    ]
    print_table(console, header, rows)
    for note in found.notes:
        console.print(f"  {note}", soft_wrap=True)
    if found.sensitivity.table:
        print_title(console, "What would have been seen")
        changes = [
            (f"{change:+.3%}", f"{ratio:.3g}", "yes" if seen else "no")
            for change, ratio, seen in found.sensitivity.table
        ]
        print_table(console, (">weights", ">x null's mean", "seen"), changes)


def _measures(console: Console, measures: Sequence[Measure]) -> None:
    if not measures:
        return
    print_title(console, "Further measures (not part of the verdict)")
    rows = [
        (
            one.name,
            one.where,
            f"{one.count:,}",
            *(("", "") if one.values is None else (f"{value:.5g}" for value in one.values)),
            f"{one.difference:.5g}",
            f"{one.worst:.5g}",
            "" if one.worst_node is None else f"cell {one.worst_node}",
        )
        for one in measures
    ]
    print_table(console, ("measure", "of", ">cells", ">A", ">B", ">mean", ">farthest", "there"), rows)
