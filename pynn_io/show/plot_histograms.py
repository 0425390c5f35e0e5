"""Distributions of several runs of one plan laid over each other: a row a population, a colour a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.results import Results, Spikes
from pynn_io.results.compare.activity import MEASURES, Window, activity, intervals, sampled
from pynn_io.results.results import cells_of
from pynn_io.show.canvas import STYLE, import_matplotlib, save
from pynn_io.show.plot_distributions import BINS, NULL, edges
from pynn_io.show.plot_overlay import BROKEN, COLOURS, WIDTH, Runs

#: Numbers that make a distribution: fewer are a list, which the raster shows better.
FEWEST = 10
#: Populations drawn, those with the most spikes first.
POPULATIONS = 4
#: Inches: one row of panels, the head; the width of less than all panels.
ROW, HEAD, NARROW = 2.1, 0.7, 5.5
#: Intervals that differ less are drawn on an axis of equal steps, where more than one number has room.
_DECADE = 10.0
INTERVAL = "interval"
_LINES = ("-", *BROKEN)
#: What is drawn of each population, in this order: its unit, and what is counted.
_DRAWN = {
    "rate": (MEASURES["rate"], "cells"),
    INTERVAL: ("ms", "intervals"),
    "cv": (MEASURES["cv"], "cells"),
    "correlation": (MEASURES["correlation"], "pairs of cells"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """One measure of one population. samples, null: float64 of each run, and of each that only shows a range.

    step: the difference that values have at least, where they come in steps; else 0.
    """

    population: str
    measure: str
    samples: list[np.ndarray]
    null: list[np.ndarray]
    step: float

    @property
    def edges(self) -> np.ndarray:
        """float64[bins + 1]: of bins that hold the values of all runs; equal, or for intervals equal in logarithm."""
        values = np.concatenate([*self.samples, *self.null])
        bins = min(BINS, max(8, round(2 * max(map(len, self.samples)) ** (1 / 3))))  # Rice's rule
        if self.measure != INTERVAL:
            return edges(values, self.step, bins)
        low, high = 10 ** edges(np.log10(values), 0.0, 1)
        return np.geomspace(low, high, bins + 1)


def histograms_of(runs: Runs, null: Sequence[Results] = ()) -> list[list[Histogram]]:
    """What is drawn: a list for every population with enough cells, the ones with most spikes first."""
    found = []
    everything = [results for _, results in runs]
    counts: dict[str, int] = {}
    for results in everything:
        for name, spikes in results.spikes.items():
            counts[name] = max(counts.get(name, 0), len(spikes.times))
    for name in sorted(counts, key=lambda each: -counts[each]):
        own = [one for one in _of_population(name, everything, null) if max(map(len, one.samples)) >= FEWEST]
        if own:
            found.append(own)
    return found[:POPULATIONS]


def draw_histograms(runs: Runs, path: Path, *, null: Sequence[Results] = ()) -> bool:
    """Draw the distributions of named runs into a .png, .svg or .pdf file; False, and no file, where there are none.

    null: runs that differ in nothing but their seeds; their range is an area behind. Raises BackendUnavailable without
    matplotlib, WriteError.
    """
    rows = histograms_of(runs, null)
    if not rows:
        return False
    matplotlib, figure_class = import_matplotlib()
    with matplotlib.rc_context(STYLE):
        save(_figure(figure_class, rows, [name for name, _ in runs]), path)
    return True


def _of_population(name: str, everything: Sequence[Results], null: Sequence[Results]) -> Iterator[Histogram]:
    window = _window(name, [*everything, *null])
    trains = [[_spikes(name, results) for results in part] for part in (everything, null)]
    values = [[{**activity(one, window), INTERVAL: _apart(one, window)} for one in part] for part in trains]
    spike = 1000.0 / (window.stop - window.start)
    for measure in _DRAWN:
        samples, others = ([one[measure] for one in part] for part in values)
        yield Histogram(name, measure, samples, others, spike if measure == "rate" else 0.0)


def _apart(spikes: Spikes, window: Window) -> np.ndarray:
    """Intervals that have a logarithm."""
    found = intervals(spikes, window)
    return found[found > 0]


def _spikes(name: str, results: Results) -> Spikes:
    return results.spikes.get(name) or Spikes(name, np.empty(0, np.int64), np.empty(0))


def _window(name: str, everything: Sequence[Results]) -> Window:
    """The cells that any run simulated or heard, over the time that all of them ran."""
    none = np.empty(0, np.int64)
    cells = np.unique(np.concatenate([cells_of(results).get(name, none) for results in everything]))
    active = np.unique(np.concatenate([_spikes(name, results).node_ids for results in everything]))
    ends = [results.duration for results in everything if results.duration is not None]
    last = max(float(_spikes(name, results).times.max(initial=0.0)) for results in everything)
    return Window(cells, sampled(active), 0.0, min(ends, default=float(np.nextafter(last, np.inf))))


def _figure(figure_class: Any, rows: list[list[Histogram]], names: list[str]) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    drawn = [measure for measure in _DRAWN if any(one.measure == measure for row in rows for one in row)]
    width = max(NARROW, WIDTH * len(drawn) / len(_DRAWN))
    figure = figure_class(figsize=(width, HEAD + ROW * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(drawn), squeeze=False)
    for row, histograms in zip(panels, rows, strict=True):
        own = {one.measure: one for one in histograms}
        for axes, measure in zip(row, drawn, strict=True):
            _panel(axes, own[measure]) if measure in own else axes.set_visible(False)
        first = row[drawn.index(histograms[0].measure)]
        first.set_ylabel(f"{histograms[0].population}\n{first.get_ylabel()}")
    handles: list[Any] = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)], linewidth=4, label=name)
        for number, name in enumerate(names)
    ]
    if rows[0][0].null:
        handles.append(Patch(color=NULL, label=f"{len(rows[0][0].null)} other seeds"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), handlelength=0.8)
    return figure


def _panel(axes: Any, one: Histogram) -> None:
    """Counts: the first run as a pale area, the others as lines, so that what agrees can be told."""
    bins = one.edges
    counts = [np.histogram(values, bins)[0] for values in one.samples]
    if one.null:
        others = np.stack([np.histogram(values, bins)[0] for values in one.null])
        axes.stairs(others.max(axis=0), bins, baseline=others.min(axis=0), fill=True, color=NULL)
    for number, count in enumerate(counts):
        style = {"color": COLOURS[number % len(COLOURS)]}
        if not number:
            axes.stairs(count, bins, fill=True, alpha=0.35, **style)
        else:
            axes.stairs(count, bins, linewidth=1.4, linestyle=_LINES[(number - 1) % len(_LINES)], **style)
    unit, counted = _DRAWN[one.measure]
    axes.set_title("CV of intervals" if one.measure == "cv" else one.measure)
    axes.set_xlabel(" ".join(filter(None, [unit, _means(one)])))
    axes.set(ylabel=counted, ylim=(0, None))
    if one.measure == INTERVAL and bins[-1] > _DECADE * bins[0]:
        from matplotlib.ticker import LogLocator, NullFormatter

        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())


def _means(one: Histogram) -> str:
    """Of every run, in their order."""
    found = [f"{values.mean():.2g}" if len(values) else "none" for values in one.samples]
    return f"(mean {', '.join(found)})"
