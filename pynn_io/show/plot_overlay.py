"""One plan on several backends, drawn over each other: rasters, and the first recorded cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.results import Results
from pynn_io.show.canvas import import_matplotlib, save

if TYPE_CHECKING:
    from pynn_io.results.results import Trace

#: Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_CELLS, _SPIKES, _TRACES = 60, 20_000, 3
_WIDTH, _ROW = 10.0, 2.2


def draw_overlay(runs: Sequence[tuple[str, Results]], path: Path, *, title: str = "") -> None:
    """Draw runs over each other: a raster of the first cells, a lane a cell and a colour a run; then traces."""
    _, figure_class = import_matplotlib()
    traces = _shared_traces([results for _, results in runs])
    figure: Any = figure_class(figsize=(_WIDTH, 3.4 + _ROW * len(traces)), layout="constrained")
    heights = [2.6, *([_ROW - 0.4] * len(traces))]
    axes = figure.subplots(1 + len(traces), 1, sharex=True, gridspec_kw={"height_ratios": heights}, squeeze=False)[:, 0]
    figure.suptitle(f"{title} on {', '.join(name for name, _ in runs)}".strip(), fontsize=11)
    _raster(axes[0], runs)
    for part, each in zip(axes[1:], traces, strict=True):
        _trace(part, runs, each)
    axes[-1].set_xlabel("time (ms)")
    save(figure, path)


def _cells_of(results: Results) -> list[tuple[str, int]]:
    return [
        (name, int(node)) for name, each in sorted(results.spikes.items()) for node in np.unique(each.node_ids).tolist()
    ]


def _raster(axes: Any, runs: Sequence[tuple[str, Results]]) -> None:
    cells = sorted({cell for _, results in runs for cell in _cells_of(results)})
    shown = cells[:_CELLS]
    lanes = {cell: lane for lane, cell in enumerate(shown)}
    for number, (name, results) in enumerate(runs):
        offset = 0.7 * ((number + 0.5) / len(runs) - 0.5)
        times, rows = [np.zeros(0)], [np.zeros(0)]
        for population, each in results.spikes.items():
            for node in np.unique(each.node_ids).tolist():
                lane = lanes.get((population, int(node)))
                if lane is not None:
                    own = each.times[each.node_ids == node]
                    times.append(own)
                    rows.append(np.full(len(own), lane + offset))
        x, y = np.concatenate(times)[:_SPIKES], np.concatenate(rows)[:_SPIKES]
        colour = COLOURS[number % len(COLOURS)]
        label = f"{name} ({sum(len(each.times) for each in results.spikes.values()):,} spikes)"
        axes.plot(x, y, "|", color=colour, markersize=max(3.0, 160.0 / max(len(shown), 8)), label=label)
    axes.set_ylim(-0.7, max(len(shown), 1) - 0.3)
    axes.set_ylabel("cell" if len(cells) <= _CELLS else f"the first {_CELLS} of {len(cells):,} cells")
    few = len(shown) <= 12
    axes.set_yticks(range(len(shown)) if few else [])
    if few:
        axes.set_yticklabels([f"{population} {node}" for population, node in shown], fontsize=8)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(runs), fontsize=8, frameon=False)


def _shared_traces(results: Sequence[Results]) -> list[tuple[str, str, int]]:
    """(report, population, node) of the first cells that the first run recorded."""
    found: list[tuple[str, str, int]] = []
    for trace in results[0].traces if results else ():
        found += [(trace.report, trace.population, int(node)) for node in dict.fromkeys(trace.node_ids.tolist())]
    return found[:_TRACES]


def _trace(axes: Any, runs: Sequence[tuple[str, Results]], wanted: tuple[str, str, int]) -> None:
    report, population, node = wanted
    label = ""
    for number, (name, results) in enumerate(runs):
        trace = _find(results, report, population)
        if trace is None or not (trace.node_ids == node).any():
            continue
        column = int(np.flatnonzero(trace.node_ids == node)[0])
        colour, style = COLOURS[number % len(COLOURS)], ("-", "--", ":", "-.")[number % 4]
        # wide and pale below, narrow above, so that equal traces do not hide each other
        width, alpha = max(1.0, 3.2 - 1.1 * number), 0.5 if number == 0 else 1.0
        axes.plot(trace.times, trace.data[:, column], style, color=colour, linewidth=width, alpha=alpha, label=name)
        label = label or f"{trace.variable or report} ({trace.unit})".replace(" ()", "")
    axes.set_ylabel(label, fontsize=9)
    axes.set_title(f"{population} {node}: {report}", fontsize=9, loc="left")
    axes.legend(loc="upper right", fontsize=8, framealpha=0.9)


def _find(results: Results, report: str, population: str) -> Trace | None:
    same = (each for each in results.traces if (each.report, each.population) == (report, population))
    return next(same, None)
