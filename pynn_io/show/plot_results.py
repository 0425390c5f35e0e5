"""The results of a run as one picture: spikes, rates of populations, traces.

matplotlib (extra ``plot``) is imported on use; no window is opened and no global state of it is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.results import Results
from pynn_io.show.activity import (
    EXCITATORY,
    INHIBITORY,
    Group,
    Recorded,
    bin_width,
    distribution,
    groups,
    rate,
    recordings,
    thinning,
)
from pynn_io.show.canvas import STYLE, cut, import_matplotlib, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Warm colours excite, cold ones inhibit, the others have not said; each list distinct to colour-blind readers.
COLOURS: Mapping[str, Sequence[str]] = {
    EXCITATORY: ("#D55E00", "#C2185B", "#E69F00", "#A1452B", "#CC79A7", "#7B4F2C"),
    INHIBITORY: ("#0072B2", "#5B3E96", "#56B4E9", "#00838F", "#1A237E", "#8E99F3"),
    "": ("#333333", "#009E73", "#8A9A00", "#6D6D6D", "#33691E", "#B8890B"),
}
#: Inches. All panels share one time axis: a main column, and one beside it for keys and distributions.
WIDTH, LEFT, MAIN, GAP, SIDE = 13.0, 0.95, 8.8, 0.75, 2.1
TOP, TITLE, TIME_AXIS, BETWEEN = 0.75, 0.3, 0.5, 0.06
RASTER, RATES, TRACE = 4.0, 1.6, 0.8
#: A raster of few cells is as high as its cells: inches for one.
ROW = 0.45
#: So many cells are named by their ids.
NAMED = 10
#: From so many cells on a spike is a dot, and no longer a stroke.
STROKES = 120
#: The share of a raster that dots cover, and the smallest and largest dot (points).
INK, DOT = 0.1, (0.8, 2.0)
#: Fewer cells have no mean rate to speak of.
RATED = 20
PLACE_ALPHA = (1.0, 0.65, 0.45, 0.3)


def draw_results(results: Results, path: Path, *, title: str = "", network: Network | None = None) -> None:
    """Draw a run into a .png, .svg or .pdf file. network: tells types and roles of the cells apart.

    Raises BackendUnavailable without matplotlib, WriteError if the file cannot be written, NotExecuted where nothing
    ran.
    """
    results.require_data()
    matplotlib, figure_class = import_matplotlib()
    found = groups(results, network)
    coloured = list(zip(found, _colours(found), strict=True))
    with matplotlib.rc_context(STYLE):
        save(_figure(figure_class, results, coloured, list(recordings(results)), title), path)


def _colours(found: Sequence[Group]) -> list[str]:
    used = dict.fromkeys(COLOURS, 0)
    colours = []
    for group in found:
        palette = COLOURS[group.role]
        colours.append(palette[used[group.role] % len(palette)])
        used[group.role] += 1
    return colours


class _Page:
    """A figure that is filled from the top."""

    def __init__(self, figure_class: Any, height: float) -> None:
        self.figure = figure_class(figsize=(WIDTH, height))
        self._height = height
        self._top = height - TOP

    def skip(self, inches: float) -> None:
        self._top -= inches

    def main(self, height: float) -> Axes:
        """Axes in the main column, below what is there."""
        self._top -= height
        axes = self._axes(LEFT, MAIN, height)
        axes.yaxis.set_label_coords(-0.68 / MAIN, 0.5)
        return axes

    def side(self, height: float) -> Axes:
        """Axes beside those that `main` gave last."""
        return self._axes(LEFT + MAIN + GAP, SIDE, height)

    def _axes(self, left: float, width: float, height: float) -> Axes:
        return self.figure.add_axes((left / WIDTH, self._top / self._height, width / WIDTH, height / self._height))


def _figure(
    figure_class: Any, results: Results, coloured: list[tuple[Group, str]], recorded: list[Recorded], title: str
) -> Any:
    cells = sum(len(group.nodes) for group, _ in coloured)
    raster = min(RASTER, 0.4 + ROW * cells) if coloured else 0.0
    rates = RATES if cells >= RATED else 0.0
    heights = [height + TITLE + TIME_AXIS for height in (raster, rates) if height]
    heights += [TITLE + (TRACE + BETWEEN) * len(one.lines) + TIME_AXIS for one in recorded]
    page = _Page(figure_class, TOP + sum(heights or [1.0]))
    _draw_head(page.figure, results, title)
    end = _end(results)
    if raster:
        _draw_raster(page, raster, coloured, end)
    if rates:
        _draw_rates(page, rates, coloured, end)
    for one in recorded:
        _draw_recorded(page, one, coloured, end)
    if not heights:
        page.figure.text(0.5, 0.4, "Nothing was recorded, and no cell could spike.", ha="center", color="#555555")
    return page.figure


def _draw_head(figure: Any, results: Results, title: str) -> None:
    height = figure.get_figheight()
    figure.text(0.5, 1 - 0.3 / height, title, ha="center", fontsize=13, fontweight="bold")
    figure.text(0.5, 1 - 0.52 / height, _subtitle(results), ha="center", color="#555555", fontsize=9.5)


def _shade(coloured: list[tuple[Group, str]], population: str, cell: int) -> str:
    """The colour of the group that a cell belongs to."""
    return next((hue for group, hue in coloured if group.population == population and cell in group.nodes), "#333333")


def _end(results: Results) -> float:
    """ms: of the run, or of what is left of it where the file does not tell."""
    last = [spikes.times.max() for spikes in results.spikes.values() if len(spikes.times)]
    last += [trace.times[-1] for trace in results.traces if len(trace.data)]
    return float(results.duration or max(last, default=1.0))


def _subtitle(results: Results) -> str:
    facts = results.provenance
    words = [f"an approximation of {facts['emulates']}"] if "emulates" in facts else []
    words += [f"{facts['simulator']} {facts.get('simulator_version', '')}".strip()] if "simulator" in facts else []
    words += [f"{results.duration:,g} ms"] if results.duration else []
    cells = sum(len(ids) for ids in results.nodes.values())
    words += [f"{cells:,} cell{'' if cells == 1 else 's'}"] if cells else []
    words.append(f"{results.spike_count:,} spike{'' if results.spike_count == 1 else 's'}")
    return "   ".join(words)


def _draw_raster(page: _Page, height: float, coloured: list[tuple[Group, str]], end: float) -> None:
    page.skip(TITLE)
    axes = page.main(height)
    step = thinning([group for group, _ in coloured])
    axes.set_title("spikes" + (f" (of every {_ordinal(step)} cell)" if step > 1 else ""))
    rows = sum(-(-len(group.nodes) // step) for group, _ in coloured)
    spikes = sum(len(group.times) for group, _ in coloured)
    size = float(np.clip(np.sqrt(INK * 72**2 * MAIN * height / max(spikes / step, 1)), *DOT))
    style: dict[str, Any] = {"marker": "o", "markersize": size, "markeredgewidth": 0, "rasterized": True}
    if rows <= STROKES:
        style = {"marker": "|", "markersize": 0.75 * 72 * height / rows, "rasterized": spikes > 20_000}
    bottom = 0
    for group, colour in reversed(coloured):  # the first group on top
        kept = group.cells % step == 0
        axes.plot(group.times[kept], bottom + group.cells[kept] // step, linestyle="", color=colour, **style)
        bottom += -(-len(group.nodes) // step)
        if bottom < rows:
            axes.axhline(bottom - 0.5, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.set_ylim(-0.5, rows - 0.5)
    axes.set_ylabel("cells" if step == 1 else "cells drawn")
    axes.locator_params(axis="y", integer=True, nbins=6)
    if rows <= NAMED:
        ids = np.concatenate([group.nodes for group, _ in reversed(coloured)])
        axes.set_yticks(range(rows), [str(node) for node in ids.tolist()])
        axes.set_ylabel("node id")
    _time_axis(axes, end)
    if not spikes:
        axes.text(0.5, 0.5, "No cell spiked.", transform=axes.transAxes, ha="center", color="#555555")
    _draw_key(page.side(height), coloured)
    page.skip(TIME_AXIS)


def _draw_key(axes: Axes, coloured: list[tuple[Group, str]]) -> None:
    from matplotlib.lines import Line2D

    axes.set_axis_off()
    axes.set_title("cells")
    handles = [Line2D([], [], marker="o", linestyle="", color=colour, markersize=6) for _, colour in coloured]
    labels = [f"{cut(group.label, 24)} ({len(group.nodes):,})" for group, _ in coloured]
    legend = axes.legend(handles, labels, fontsize=8, loc="upper left", borderaxespad=0, borderpad=0)
    legend.set_in_layout(False)
    if any(group.role for group, _ in coloured):
        note = "warm: excitatory\ncold: inhibitory"
        axes.text(0, 0, note, transform=axes.transAxes, color="#555555", fontsize=8, style="italic")


def _draw_rates(page: _Page, height: float, coloured: list[tuple[Group, str]], end: float) -> None:
    """Mean rate over time, and how the rates of the cells are distributed."""
    page.skip(TITLE)
    axes, width = page.main(height), bin_width(end)
    for group, colour in coloured:
        edges, rates = rate(group, end, width)
        axes.stairs(rates, edges, color=colour, linewidth=1.2, baseline=None)
    axes.set_title(f"mean rates in bins of {width:g} ms")
    axes.set_ylabel("spikes/s per cell")
    axes.set_ylim(bottom=0)
    _time_axis(axes, end)
    histogram = page.side(height)
    edges, shares = distribution([group for group, _ in coloured], end)
    for (_, colour), share in zip(coloured, shares, strict=True):
        histogram.stairs(100 * share, edges, color=colour, linewidth=1.2)
    histogram.set_title("rates of the cells")
    histogram.set_xlabel("spikes/s")
    histogram.set_ylabel("% of cells")
    page.skip(TIME_AXIS)


def _draw_recorded(page: _Page, one: Recorded, coloured: list[tuple[Group, str]], end: float) -> None:
    """The traces of a few cells, one above the other, on one scale."""
    page.skip(TITLE)
    low, high, power = _scale(np.concatenate([line.values for lines in one.lines for line in lines]))
    for number, lines in enumerate(one.lines):
        axes = page.main(TRACE)
        page.skip(BETWEEN)
        colour = _shade(coloured, one.population, lines[0].cell)
        for line, alpha in zip(lines, PLACE_ALPHA, strict=False):
            values = line.values / 10.0**power
            axes.plot(line.times, values, color=colour, alpha=alpha, linewidth=0.9, label=line.place)
        axes.set_ylim(low, high)
        axes.locator_params(axis="y", nbins=3)
        name = f"{one.population} {lines[0].cell}"
        axes.text(1.015, 0.86, name, transform=axes.transAxes, color=colour, fontsize=8, va="center")
        if lines[0].place:
            beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.015, 0.7)}
            beside |= {"borderaxespad": 0, "borderpad": 0}
            axes.legend(fontsize=6.5, ncols=2, handlelength=1.2, columnspacing=1.0, **beside)
        _time_axis(axes, end, labelled=number == len(one.lines) - 1)
        if number == 0:
            of_all = f" of {len(one.lines)} of {one.cells:,} cells" if one.cells > len(one.lines) else ""
            axes.set_title(f"{one.report}: {one.variable or 'recorded'}{of_all}")
        axes.set_ylabel((f"$10^{{{power}}}$ " if power else "") + (one.unit or "(no unit)"))
    page.skip(TIME_AXIS)


def _scale(values: np.ndarray) -> tuple[float, float, int]:
    """Limits of an axis, a little more than the finite values need, and the power of ten that they are shown in."""
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    largest = max(abs(low), abs(high))
    power = 0 if largest == 0 or 0.01 <= largest < 1e5 else 3 * int(np.floor(np.log10(largest) / 3))
    margin = 0.06 * (high - low) or 0.01 * largest or 1.0
    return (low - margin) / 10.0**power, (high + margin) / 10.0**power, power


def _time_axis(axes: Axes, end: float, *, labelled: bool = True) -> None:
    axes.set_xlim(0, end)
    if labelled:
        axes.set_xlabel("time (ms)")
    else:
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
        axes.spines["bottom"].set_visible(False)


def _ordinal(number: int) -> str:
    """``2nd``, ``13th``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
