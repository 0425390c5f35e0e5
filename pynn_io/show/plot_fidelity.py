"""Weights, delays and input spikes that a chip stores against those asked for, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.results.fidelity import SpikeFidelity, Wires
from pynn_io.results.mapped import Mapped
from pynn_io.show.canvas import STYLE, cut, import_matplotlib, save

#: Connections drawn of one projection, evenly taken from all; projections named in the legend.
DRAWN, NAMED = 4000, 12
ZERO = "#C44E52"
#: Decades between what is drawn and the ends of an axis, at least.
_ROOM = 0.05


def draw_fidelity(mapped: Mapped, path: Path, *, title: str = "") -> None:
    """Relative errors of weights by their size, delays, moves of spikes. Raises BackendUnavailable, WriteError."""
    matplotlib, Figure = import_matplotlib()
    with matplotlib.rc_context(STYLE):
        sources = mapped.fidelity.sources if mapped.fidelity is not None else ()
        figure = Figure(figsize=(13 if sources else 9, 4), layout="constrained")
        weights, delays, *spikes = figure.subplots(1, 3 if sources else 2)
        labels = [one.label for one in mapped.fidelity.projections] if mapped.fidelity is not None else []
        colours = matplotlib.colormaps["tab20"]
        for number, (label, (asked, given)) in enumerate(zip(labels, mapped.wires, strict=True)):
            _weights(weights, asked, given, colours(number % 20), cut(label, 30))
            _delays(delays, asked, given, colours(number % 20))
        _finish(weights, delays, mapped, len(labels))
        for axes in spikes:
            _moves(axes, sources[:NAMED])
        figure.suptitle(f"{title}: mapped, not executed" if title else "mapped, not executed", fontsize=10)
        save(figure, path)


def _thinned(size: int) -> np.ndarray:
    return np.unique(np.linspace(0, size - 1, min(size, DRAWN)).astype(np.int64)) if size else np.zeros(0, np.int64)


def _weights(axes: Any, asked: Wires, given: Wires, colour: Any, label: str) -> None:
    rows = _thinned(asked.size)
    size, stored = np.abs(asked.weight[rows]), np.abs(given.weight[rows])
    stated = size > 0
    error = np.abs(stored[stated] - size[stated]) / size[stated]
    zero = stored[stated] == 0
    axes.plot(size[stated][~zero], np.maximum(error[~zero], 1e-9), ".", color=colour, markersize=3, label=label)
    axes.plot(size[stated][zero], error[zero], "x", color=ZERO, markersize=4)


def _delays(axes: Any, asked: Wires, given: Wires, colour: Any) -> None:
    rows = _thinned(asked.size)
    axes.plot(asked.delay[rows], given.delay[rows], ".", color=colour, markersize=3)


def _moves(axes: Any, sources: Sequence[SpikeFidelity]) -> None:
    """How far the spikes of each population of sources move: the mean as a point, up to the largest as a line."""
    places = np.arange(len(sources))
    axes.hlines(places, 0.0, [one.largest_move for one in sources], color="#BBBBBB", linewidth=2)
    axes.plot([one.mean_move for one in sources], places, "o", color=ZERO, markersize=4)
    names = [f"{cut(one.population, 20)}\n{one.moved:,} of {one.spikes:,}" for one in sources]
    axes.set_yticks(places, names, fontsize=7)
    axes.set(
        xlabel="later by (ms): mean, up to the largest", title="Input spikes that move to a step", xlim=(0.0, None)
    )
    axes.set_ylim(len(sources) - 0.5, -0.5)


def _whole_decades(axis: Any) -> None:
    """Labels at powers of ten alone, one at each end: those between them would run into each other."""
    low, high = np.log10(axis.get_view_interval())
    ends = [10.0 ** np.floor(low - _ROOM), 10.0 ** np.ceil(high + _ROOM)]
    axis.axes.set(**{f"{axis.axis_name}lim": ends})
    axis.set_minor_formatter(lambda *_: "")


def _finish(weights: Any, delays: Any, mapped: Mapped, count: int) -> None:
    units = {one.unit for one in mapped.fidelity.projections} if mapped.fidelity is not None else set()
    weights.set(xscale="log", yscale="log", xlabel=f"weight asked for ({' or '.join(sorted(units))})")
    weights.set(ylabel="relative error on the chip", title="Weights (x: become 0)")
    _whole_decades(weights.xaxis)
    _whole_decades(weights.yaxis)
    if 0 < count <= NAMED:
        weights.legend(fontsize=7, markerscale=2)
    delays.set(xlabel="delay asked for (ms)", ylabel="delay on the chip (ms)", title="Delays")
    low, high = delays.get_xlim()
    delays.plot([low, high], [low, high], color="#BBBBBB", linewidth=0.8, zorder=0)
