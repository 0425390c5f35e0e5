"""One plan on several backends in one picture: rasters and traces laid over each other, a colour a backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.results import Results, Trace
from pynn_io.results.compare.traces import one_name
from pynn_io.show.activity import Line, lines_of
from pynn_io.show.canvas import STYLE, import_matplotlib, save

#: Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: A trace that agrees with the first lies on it: the first is wide and pale, the others are narrow and broken.
BROKEN = ("--", ":", "-.")
#: Cells in the raster, and cells whose traces are drawn, at most.
ROWS, TRACES = 48, 4
#: So many cells are named by their ids.
NAMED = 12
#: Inches: the picture, one panel of a trace, the head; a cell's row in the raster has LANE for every backend.
WIDTH, TRACE, HEAD, LANE, RASTER = 11.0, 1.5, 1.1, 0.09, (1.2, 6.0)
#: The part of a cell's row that strokes fill.
FILLED = 0.84

Runs = Sequence[tuple[str, Results]]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Cells that spiked on any backend, every ``step``-th of them a row. ``spikes``: of each run, rows and times (ms).

    labels: population and node id of each row. cells: how many spiked.
    """

    labels: list[str]
    cells: int
    step: int
    spikes: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A place on a cell that was recorded, and its line in each run: None where a run has none."""

    trace: Trace
    line: Line
    found: list[Line | None]


def draw_overlay(runs: Runs, path: Path, *, title: str = "") -> None:
    """Draw named runs of one plan over each other into a .png, .svg or .pdf file.

    The raster has a row for a cell, and in it a lane for each run, the first on top; below are the traces of the first
    cells recorded. Raises BackendUnavailable without matplotlib, WriteError if the file cannot be written.
    """
    matplotlib, figure_class = import_matplotlib()
    with matplotlib.rc_context(STYLE):
        save(_figure(figure_class, runs, title), path)


def raster_of(runs: Runs) -> Raster:
    """What the raster shows: every cell that spiked on any backend, thinned evenly where they are too many."""
    names = list(dict.fromkeys(name for _, results in runs for name in results.spikes))
    found: list[tuple[str, np.ndarray, np.ndarray]] = []
    count = 0
    places: list[list[np.ndarray]] = [[] for _ in runs]
    times: list[list[np.ndarray]] = [[] for _ in runs]
    for name in names:
        own = [results.spikes.get(name) for _, results in runs]
        ids = np.unique(np.concatenate([spikes.node_ids for spikes in own if spikes is not None]))
        for number, spikes in enumerate(own):
            if spikes is not None:
                places[number].append(count + np.searchsorted(ids, spikes.node_ids))
                times[number].append(np.asarray(spikes.times))
        found.append((name, count + np.arange(len(ids)), ids))
        count += len(ids)
    step = max(1, -(-count // ROWS))
    labels = [f"{name} {node}" for name, rows, ids in found for node in ids[rows % step == 0].tolist()]
    spikes_of = [_thinned(rows, at, step) for rows, at in zip(places, times, strict=True)]
    return Raster(labels, count, step, spikes_of)


def _thinned(places: list[np.ndarray], times: list[np.ndarray], step: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate([np.empty(0, np.int64), *places])
    kept = rows % step == 0
    return rows[kept] // step, np.concatenate([np.empty(0), *times])[kept]


def shared_lines(runs: Runs) -> Iterator[Shared]:
    """The first cells recorded, of every recording in turn, as the first run with recordings has them."""
    known = next((results.traces for _, results in runs if results.traces), ())
    cells = [[(trace, int(node)) for node in np.unique(trace.node_ids)[:TRACES]] for trace in known if len(trace.data)]
    turns = (turn for turn in chain.from_iterable(zip_longest(*cells)) if turn is not None)
    for trace, node in islice(turns, TRACES):
        line = next(lines_of(trace, node, placed=True))
        yield Shared(trace, line, [_same_line(results, trace, line) for _, results in runs])


def _same_line(results: Results, known: Trace, line: Line) -> Line | None:
    """The line of the same cell and place. Simulators name recordings on their own: the variable decides, then."""
    alike = [
        trace
        for trace in results.traces
        if trace.population == known.population
        and len({trace.unit, known.unit} - {""}) <= 1  # older BMTK states no unit
        and one_name(trace.variable) == one_name(known.variable)
        and len(trace.data)
    ]
    for trace in sorted(alike, key=lambda trace: trace.report != known.report):
        for found in lines_of(trace, line.cell, placed=True):
            if found.place == line.place:
                return found
    return None


def _figure(figure_class: Any, runs: Runs, title: str) -> Any:
    raster, shared = raster_of(runs), list(shared_lines(runs))
    height = float(np.clip(LANE * (len(runs) + 1) * len(raster.labels), *RASTER))
    heights = [height, *[TRACE] * len(shared)]
    figure = figure_class(figsize=(WIDTH, HEAD + sum(heights)), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    figure.suptitle(title, fontsize=13, fontweight="bold")
    _draw_raster(panels[0], raster, runs)
    for axes, one in zip(panels[1:], shared, strict=True):
        _draw_lines(axes, one, runs)
    end = max((results.duration for _, results in runs if results.duration is not None), default=None)
    panels[-1].set_xlim(0, end)
    panels[-1].set_xlabel("time (ms)")
    return figure


def _draw_raster(axes: Any, raster: Raster, runs: Runs) -> None:
    from matplotlib.lines import Line2D

    lane = FILLED / len(runs)
    handles = []
    for number, ((name, results), (rows, times)) in enumerate(zip(runs, raster.spikes, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        low = rows - FILLED / 2 + number * lane
        axes.vlines(times, low, low + lane, color=colour, linewidth=1.3, rasterized=len(times) > 20_000)
        label = f"{name} ({results.spike_count:,} spike{'' if results.spike_count == 1 else 's'})"
        handles.append(Line2D([], [], color=colour, linewidth=4, label=label))
    thinned = f" (1 in {raster.step} of the {raster.cells:,} cells that spiked)" if raster.step > 1 else ""
    axes.set_title(f"spikes{thinned}")
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(runs), handlelength=0.8)
    rows_drawn = len(raster.labels)
    axes.set_ylim(max(rows_drawn, 1) - 0.5, -0.5)  # the first cell on top, and in its row the first run
    for border in range(1, rows_drawn):
        axes.axhline(border - 0.5, color="#E5E5E5", linewidth=0.5, zorder=0)
    axes.set_yticks(range(rows_drawn), raster.labels) if rows_drawn <= NAMED else axes.set_yticks([])
    axes.set_ylabel("" if rows_drawn <= NAMED else "cells that spiked")
    if not rows_drawn:
        axes.text(0.5, 0.5, "No cell spiked.", transform=axes.transAxes, ha="center", color="#555555")


def _draw_lines(axes: Any, one: Shared, runs: Runs) -> None:
    drawn = [(number, line) for number, line in enumerate(one.found) if line is not None]
    for order, (number, line) in enumerate(drawn):
        width, alpha, dash = (1.3, 1.0, BROKEN[(order - 1) % len(BROKEN)]) if order else (3.2, 0.5, "-")
        style = {"color": COLOURS[number % len(COLOURS)], "linewidth": width, "alpha": alpha, "linestyle": dash}
        axes.plot(line.times, line.values, label=runs[number][0], **style)
    trace, place = one.trace, f", {one.line.place}" if one.line.place else ""
    axes.set_title(f"{trace.population} {one.line.cell}{place}: {trace.report}")
    axes.set_ylabel(" ".join(filter(None, [trace.variable or "recorded", trace.unit and f"({trace.unit})"])))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
