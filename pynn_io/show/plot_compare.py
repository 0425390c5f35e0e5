"""Two results in one picture: what both have in grey, what only one has in its colour, and where they part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.results.compare import Comparison, Options
from pynn_io.results.compare.checks import all_events, cut, paired_traces
from pynn_io.results.compare.pairing import Pairing, pair, sort_spikes
from pynn_io.results.compare.spikes import DETERMINISTIC, EXACT
from pynn_io.results.compare.traces import NotComparable, align, away_from_spikes, values
from pynn_io.results.compare.values import Divergence, PopulationComparison, TraceComparison
from pynn_io.results.results import Results, Spikes, Trace
from pynn_io.show.canvas import STYLE, import_matplotlib, save
from pynn_io.show.plot_distributions import draw_distributions

#: A and B, and what they share.
COLOURS = ("#0072B2", "#D55E00")
SHARED = "#B5B5B5"
#: Populations and traces drawn, spikes in a raster, cells in a close-up; more are no clearer.
ROWS = 3
POINTS = 40_000
NEIGHBOURS = 8
#: ms shown before and after the first divergence.
BEFORE, AFTER = 60.0, 90.0
BINS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Spikes of one population of both results, sorted by cell and time, and which is which."""

    ids: tuple[np.ndarray, np.ndarray]
    times: tuple[np.ndarray, np.ndarray]
    found: Pairing


def draw_comparison(
    a: Results, b: Results, found: Comparison, options: Options, path: Path, *, names: tuple[str, str] = ("A", "B")
) -> None:
    """Draw what was compared (the first populations and traces, the worst first) into a .png, .svg or .pdf file.

    options: those of the comparison, with its null. Raises BackendUnavailable without
    matplotlib, WriteError if the file cannot be written.
    """
    matplotlib, figure_class = import_matplotlib()
    a, b = (cut(one, options.start, options.stop) for one in options.chosen(a, b))
    with matplotlib.rc_context(STYLE):
        save(_figure(figure_class, a, b, found, options, names), path)


def _figure(
    figure_class: Any, a: Results, b: Results, found: Comparison, options: Options, names: tuple[str, str]
) -> Any:
    populations = [one for one in found.populations if one.tier in (EXACT, DETERMINISTIC) and any(one.spikes)]
    populations = sorted(populations, key=lambda one: -(one.missing.count + one.extra.count))[:ROWS]
    traces = [one for one in found.traces if one.tier is not None]
    traces = sorted(traces, key=lambda one: -(one.rms_worst or 0.0) / (one.limit or 1.0))[:ROWS]
    distributions = draw_distributions(a, b, found, options) if found.statistics is not None else []
    heights = [2.9] * (len(populations) + len(traces)) + [2.5] * len(distributions)
    figure = figure_class(figsize=(13, max(sum(heights), 1.2) + 1.0), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    _heading(figure, found, names)
    parts = iter(np.atleast_1d(figure.subfigures(max(len(heights), 1), 1, height_ratios=heights or [1.0])))
    for population in populations:
        _draw_population(next(parts), a, b, population, found)
    for trace in traces:
        _draw_trace(next(parts), a, b, trace, found, options)
    for draw in distributions:
        draw(next(parts), COLOURS)
    if not heights:
        next(parts).text(0.5, 0.5, "\n".join(found.reasons) or "nothing to draw", ha="center", va="center")
    return figure


def _heading(figure: Any, found: Comparison, names: tuple[str, str]) -> None:
    height = figure.get_size_inches()[1]
    verdict = str(found.verdict).replace("_", " ")
    title = f"{verdict} ({found.tier} tier)" if found.tier else verdict
    figure.suptitle(f"{title}\n\n", fontsize=13, fontweight="bold")
    for place, name, colour, side in ((0.495, names[0], COLOURS[0], "right"), (0.505, names[1], COLOURS[1], "left")):
        label = f"A  {_short(name)}  \u25a0" if side == "right" else f"\u25a0  B  {_short(name)}"
        figure.text(place, 1 - 0.45 / height, label, color=colour, ha=side, va="center", fontsize=10)


def _short(name: str) -> str:
    return name if len(name) <= 70 else f"...{name[-67:]}"


# --- Spikes -------------------------------------------------------------------------------------------------------


def _draw_population(part: Any, a: Results, b: Results, one: PopulationComparison, found: Comparison) -> None:
    silent = Spikes(one.population, np.empty(0, np.int64), np.empty(0))
    sides = [results.spikes.get(one.population, silent) for results in (a, b)]
    (ids_a, times_a), (ids_b, times_b) = (sort_spikes(side.node_ids, side.times) for side in sides)
    paired = Paired((ids_a, ids_b), (times_a, times_b), pair(ids_a, times_a, ids_b, times_b, found.tolerance))
    widths = [5, 4, 3] if one.divergence is not None else [9, 3]
    panels = list(part.subplots(1, len(widths), width_ratios=widths))
    _raster(panels[0], paired, one)
    if one.divergence is not None:
        _close_up(panels[1], paired, one.divergence)
    _deviations(panels[-1], paired, found)


def _raster(axes: Any, paired: Paired, one: PopulationComparison) -> None:
    """The whole run: shared spikes, thinned where there are many; every one without a partner."""
    shared = paired.found.shared_a
    step = max(1, -(-len(shared) // POINTS))
    size = 1.5 if len(shared) > 5000 else 3.0
    axes.plot(*_at(paired, 0, shared[::step]), ".", color=SHARED, markersize=size, markeredgewidth=0, rasterized=True)
    _alone(axes, paired)
    if one.divergence is not None:
        axes.axvline(one.divergence.time, color="#333333", linewidth=0.8, linestyle=":")
    thinned = f", every {step}th" if step > 1 else ""
    axes.set_title(f"{one.population}: {one.shared:,} in both (grey{thinned})")
    axes.set(xlabel=f"ms      only in A: {one.missing.count:,}    only in B: {one.extra.count:,}", ylabel="cell")
    cells = np.concatenate(paired.ids)
    axes.set_ylim(cells.min() - 0.7, cells.max() + 0.7)
    axes.yaxis.get_major_locator().set_params(integer=True)


def _alone(axes: Any, paired: Paired) -> None:
    """Spikes without a partner, in a mixed order: where they are dense, neither side hides the other."""
    sides = [paired.found.missing, paired.found.extra]
    points = np.concatenate([np.column_stack(_at(paired, side, rows)) for side, rows in enumerate(sides)])
    colours = np.repeat(COLOURS, [len(rows) for rows in sides])
    order = np.random.default_rng(0).permutation(len(points))[:POINTS]
    few = len(points) <= 300
    style = {"s": 45, "marker": "|", "linewidths": 1.5} if few else {"s": 7, "marker": ".", "linewidths": 0}
    axes.scatter(*points[order].T, c=colours[order], rasterized=True, **style)


def _at(paired: Paired, side: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return paired.times[side][rows], paired.ids[side][rows]


def _close_up(axes: Any, paired: Paired, parted: Divergence) -> None:
    """Some cells around the first that parts: A's spikes above the line of each, B's below."""
    cells = np.union1d(*paired.ids)
    middle = int(np.searchsorted(cells, parted.node_id))
    low = max(0, min(middle - NEIGHBOURS, len(cells) - 2 * NEIGHBOURS - 1))
    shown = cells[low : low + 2 * NEIGHBOURS + 1]
    start, stop = _span(parted)
    start = max(start, min(times.min() for times in paired.times if len(times)) - 5.0)
    for side, alone in enumerate((paired.found.missing, paired.found.extra)):
        ids, times = paired.ids[side], paired.times[side]
        seen = np.isin(ids, shown) & (times >= start) & (times <= stop)
        for chosen, colour, width in (
            (np.setdiff1d(np.flatnonzero(seen), alone), SHARED, 1.2),
            (alone[seen[alone]], COLOURS[side], 2.0),
        ):
            base = np.searchsorted(shown, ids[chosen]).astype(float)
            ends = (base + 0.05, base + 0.42) if side == 0 else (base - 0.42, base - 0.05)
            axes.vlines(times[chosen], *ends, color=colour, linewidth=width)
    axes.hlines(np.arange(len(shown)), start, stop, color="#EEEEEE", linewidth=0.6, zorder=0)
    axes.axvline(parted.time, color="#333333", linewidth=0.8, linestyle=":")
    row = int(np.searchsorted(shown, parted.node_id))
    axes.axhspan(row - 0.5, row + 0.5, color="#FFF3C4", zorder=-1)
    step = max(1, len(shown) // 7)
    ticks = [number for number in range(len(shown)) if (number - row) % step == 0]
    axes.set_yticks(ticks, [str(shown[number]) for number in ticks])
    axes.set(
        xlim=(start, stop), ylim=(-0.7, len(shown) - 0.3), xlabel="ms      A above the line, B below", ylabel="cell"
    )
    axes.set_title(f"first divergence: cell {parted.node_id}, {parted.time:.6g} ms")


def _span(parted: Divergence) -> tuple[float, float]:
    """Enough time to see both spikes of a shifted pair, and the last common one."""
    others = [parted.time] if parted.other_time is None else [parted.time, parted.other_time]
    last = parted.last_common.time if parted.last_common else parted.time
    return max(min(*others, last, parted.time) - BEFORE / 2, parted.time - BEFORE), max(
        min(max(others) + AFTER / 3, parted.time + 3 * AFTER), parted.time + AFTER / 2
    )


def _deviations(axes: Any, paired: Paired, found: Comparison) -> None:
    """How much later B's partner is, on a logarithmic count; the ends hold what lies farther out."""
    apart = paired.times[1][paired.found.paired_b] - paired.times[0][paired.found.paired_a]
    if not np.any(apart):
        text = f"all {len(apart):,} pairs at the same time" if len(apart) else "no pairs"
        axes.axis("off")
        axes.text(0.5, 0.5, text, ha="center", va="center", color="#555555")
        return
    allowed = found.tolerance.absolute or found.tolerance.steps * found.tolerance.timestep
    reach = max(float(np.quantile(np.abs(apart), 0.99)) * 1.2, 1e-9)
    if np.abs(apart).max() > allowed > 0:
        reach = max(reach, 1.5 * allowed)
    axes.set(title="partner in B is later by", xlabel="ms")
    counts, edges = np.histogram(np.clip(apart, -reach, reach), BINS, (-reach, reach))
    axes.stairs(counts, edges, fill=True, color="#777777")
    axes.set(yscale="log", ylabel="spikes", ylim=(0.5, None), xlim=(-reach, reach))
    for side in (-allowed, allowed):
        if 0 < allowed <= reach:
            axes.axvline(side, color="#333333", linewidth=0.8, linestyle="--")
    beyond = int(np.count_nonzero(np.abs(apart) > reach))
    if beyond:
        axes.set_xlabel(f"ms      {beyond:,} farther, at the ends")


# --- Traces -------------------------------------------------------------------------------------------------------


def _draw_trace(part: Any, a: Results, b: Results, one: TraceComparison, found: Comparison, options: Options) -> None:
    """The element that differs most: both over each other, and their difference, near the first divergence."""
    first, second = _pair_of(a, b, one)
    common = align(first, second, (options.start, options.stop))
    column = int(np.flatnonzero(np.asarray(first.node_ids)[common.columns_a] == one.worst_node)[0])
    try:
        left, right = values(first, second, common, slice(column, column + 1))
    except NotComparable:
        return
    events = all_events(a, b, one.population)
    away = away_from_spikes(np.array([one.worst_node]), common.times, events, found.tolerance)[:, 0]
    whole, close, difference = part.subplots(1, 3, width_ratios=[5, 4, 3])
    near = _near(common.times, left - right, away, found.divergence, one)
    for axes, rows in ((whole, slice(None)), (close, near)):
        for side, data in enumerate((left, right)):
            width = 1.8 if side == 0 else 1.0
            axes.plot(common.times[rows], data[rows, 0], color=COLOURS[side], linewidth=width, alpha=0.9)
        axes.set(xlabel="ms", ylabel=f"{one.variable or one.report} ({one.unit})" if one.unit else one.report)
    whole.axvspan(common.times[near][0], common.times[near][-1], color="#FFF3C4", zorder=-1)
    whole.set_title(f"{one.report} of {one.population}, cell {one.worst_node}")
    close.set_title("close-up")
    difference.plot(common.times[near], (right - left)[near, 0], color="#555555", linewidth=1.0)
    difference.fill_between(
        common.times[near],
        0,
        1,
        where=~away[near],
        color="#E8E8E8",
        transform=difference.get_xaxis_transform(),
        zorder=-1,
    )
    shown = np.abs(right - left)[near, 0][away[near]]
    span = max(1.3 * float(shown.max(initial=0.0)), 1.2 * float(one.limit or 0.0), 1e-12)
    for level in (-(one.limit or 0.0), one.limit or 0.0):
        difference.axhline(level, color="#333333", linewidth=0.8, linestyle="--")
    difference.set(xlabel="ms      grey: close to a spike, left out", ylim=(-span, span))
    difference.set_title(f"B - A, rms {one.rms_worst:.3g} {one.unit}".rstrip())


def _pair_of(a: Results, b: Results, one: TraceComparison) -> tuple[Trace, Trace]:
    return next(
        (first, second)
        for first, second in paired_traces(a, b)
        if first is not None and second is not None and (first.report, first.population) == (one.report, one.population)
    )


def _near(
    times: np.ndarray, apart: np.ndarray, away: np.ndarray, parted: Divergence | None, one: TraceComparison
) -> slice:
    """Rows around this cell's first divergence, or else around the largest difference away from spikes."""
    if parted is not None and parted.population == one.population and times[0] <= parted.time <= times[-1]:
        centre = parted.time
    else:
        centre = float(times[int(np.argmax(np.where(away, np.abs(apart[:, 0]), -1.0)))])
    start, stop = np.searchsorted(times, [centre - BEFORE, centre + AFTER])
    return slice(int(start), max(int(stop), int(start) + 2))
