"""Distributions of two results among those of the null: one row of panels a population."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn_io.results.compare import Comparison, Options
from pynn_io.results.compare.activity import MEASURES
from pynn_io.results.compare.checks import cut
from pynn_io.results.compare.statistics import activities
from pynn_io.results.compare.values import Distance
from pynn_io.results.results import Results

#: Populations drawn, the farthest apart first.
POPULATIONS = 4
BINS = 30
#: So many values may have outliers that are not drawn.
MANY = 1000
NULL = "#CFCFCF"


def draw_distributions(
    a: Results, b: Results, found: Comparison, options: Options
) -> list[Callable[[Any, tuple[str, str]], None]]:
    """One function a population, taking a subfigure and the colours of both results; the results are cut already."""
    statistics = found.statistics
    if statistics is None:
        return []
    farthest = sorted(statistics.distances, key=lambda one: -one.ratio)
    names = list(dict.fromkeys(one.population for one in farthest))[:POPULATIONS]
    null = [cut(one, options.start, options.stop) for one in options.ensembles.null]
    everything = activities([a, b, *null], names, statistics.start, statistics.stop)

    def drawer(name: str) -> Callable[[Any, tuple[str, str]], None]:
        rows = [one for one in statistics.distances if one.population == name]
        spike = 1000.0 / (statistics.stop - statistics.start)
        return lambda part, colours: _draw(part, colours, rows, [one[name] for one in everything], spike)

    return [drawer(name) for name in names]


def _draw(
    part: Any, colours: tuple[str, str], rows: list[Distance], found: list[dict[str, np.ndarray]], spike: float
) -> None:
    """spike: the rate that one spike makes, Hz: rates come in steps of it."""
    panels = np.atleast_1d(part.subplots(1, len(MEASURES)))
    for axes, measure in zip(panels, MEASURES, strict=True):
        row = next((one for one in rows if one.measure == measure), None)
        if row is None:
            axes.axis("off")
            axes.text(0.5, 0.5, f"no {measure}", ha="center", va="center", color="#555555")
            continue
        _panel(axes, colours, row, [one[measure] for one in found], spike if measure == "rate" else 0.0)


def edges(values: np.ndarray, step: float, bins: int = BINS) -> np.ndarray:
    """Edges of bins over all ``values``, of many over nearly all; where these come in steps, bins of whole steps."""
    low, high = np.quantile(values, [0.001, 0.999] if len(values) > MANY else [0, 1])
    if not step:
        return np.linspace(low, high if high > low else low + 1.0, bins + 1)
    width = step * max(1, round((high - low) / step / bins))
    return np.arange(low - step / 2, high + width, width)


def _panel(axes: Any, colours: tuple[str, str], row: Distance, samples: list[np.ndarray], step: float) -> None:
    """Densities: A and B as lines, the range of the null as an area."""
    bins = edges(np.concatenate(samples), step)
    densities = [np.histogram(one, bins)[0] / len(one) / np.diff(bins) for one in samples]
    null = np.stack(densities[2:])
    axes.stairs(null.max(axis=0), bins, baseline=null.min(axis=0), fill=True, color=NULL, label="null")
    for side in (0, 1):
        axes.stairs(densities[side], bins, color=colours[side], linewidth=1.6, label="AB"[side])
    axes.set_title(f"{row.population}: {row.measure}")
    axes.set(ylabel="density", ylim=(0, None))
    distances = f"KS {row.ks:.3g} (null {row.ks_null_p95:.3g})   EMD {row.emd:.3g} (null {row.emd_null_p95:.3g})"
    axes.set_xlabel(f"{row.unit or ' '}\n{distances}")
    axes.legend(loc="upper right")
