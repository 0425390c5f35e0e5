"""Results from files, and what was found on the way that keeps them from being compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pynn_io.errors import BadValues
from pynn_io.report import Report
from pynn_io.results.compare.compare import Options, compare
from pynn_io.results.compare.measures import measure
from pynn_io.results.compare.statistics import Ensembles
from pynn_io.results.compare.values import Comparison, Tolerance
from pynn_io.results.files import holds_results, read_results
from pynn_io.results.results import Results

#: The code of what a reader reports where a file is not in the order that it claims.
UNSORTED = "results-unsorted"


@dataclass(frozen=True, slots=True)
class Opened:
    """Results that were read. doubts: why they should not be compared; notes: what the reader had to guess."""

    results: Results
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def open_results(source: str | Path | Results, *, format: str | None = None) -> Opened:
    """Read results; those at hand are taken as they are. Raises what `read_results` raises, but not for NaN.

    Nor for a folder without results: so a run looks that failed quietly, and it must not stop a pipeline as an error.
    """
    if isinstance(source, Results):
        return Opened(source)
    if Path(source).is_dir() and not holds_results(source):
        return Opened(Results(), (f"{source}: no file in this folder holds results",))
    report = Report()
    try:
        results = read_results(source, format=format, report=report)
    except BadValues as error:
        return Opened(Results(), (str(error),))
    doubts = tuple(f"{issue.where}: {issue.message}" for issue in report if issue.code == UNSORTED)
    notes = tuple(f"{issue.where}: {issue.message}" for issue in report if issue.code != UNSORTED)
    return Opened(results, doubts, notes)


def with_timestep(tolerance: Tolerance, a: Results, b: Results) -> Tolerance:
    """The tolerance in steps of the coarser of the two runs, where it states none and they do."""
    if tolerance.timestep or not tolerance.steps:
        return tolerance
    stated = [one.provenance.get("timestep") for one in (a, b)]
    known = [float(step) for step in stated if isinstance(step, (int, float))]
    return replace(tolerance, timestep=max(known, default=0.0))


def compare_opened(
    a: Opened,
    b: Opened,
    options: Options,
    *,
    null: Sequence[Opened] = (),
    perturbed: Sequence[tuple[float, Opened]] = (),
    measures: Sequence[str] = (),
    pooled: str = "",
) -> Comparison:
    """`compare`, with what reading brought to light, and the extra measures. pooled: see `Ensembles`."""
    doubts = [text for one in (a, b, *null, *(one for _, one in perturbed)) for text in one.doubts]
    ensembles = Ensembles(
        tuple(one.results for one in null), tuple((change, one.results) for change, one in perturbed), pooled
    )
    options = replace(
        options,
        ensembles=ensembles,
        doubts=(*options.doubts, *doubts),
        tolerance=with_timestep(options.tolerance, a.results, b.results),
    )
    found = compare(a.results, b.results, options)
    extra = () if doubts else measure(*options.chosen(a.results, b.results), measures, (options.start, options.stop))
    return replace(found, measures=extra, notes=(*found.notes, *a.notes, *b.notes))
