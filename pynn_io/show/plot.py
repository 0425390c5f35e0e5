"""A network as one picture: positions, connectivity, degree distributions, morphologies.

matplotlib (extra ``plot``) is imported on use; no window is opened and no global state of it is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import ReadError
from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Projection
from pynn_io.progress import Progress, quiet
from pynn_io.show.canvas import STYLE, cut, import_matplotlib, save
from pynn_io.show.parts import used_morphologies
from pynn_io.show.summary import EdgeStatistics, cell_groups, edge_statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours for cell groups (after Okabe and Ito, distinct to colour-blind readers), and for projections.
GROUP_COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7B4F2C", "#5B3E96", "#8A9A00"),
    *("#C2185B", "#00838F", "#6D6D6D", "#A1452B", "#33691E", "#8E99F3", "#1A237E"),
)
EDGE_COLOURS = ("#1B9E77", "#D95F02", "#7570B3", "#E7298A", "#66A61E", "#B8890B", "#8C5A2B", "#4D4D4D")
#: Cells drawn at most; more make a file slow and a picture no clearer.
POINTS = 20_000
#: Cell groups that a matrix can label, and morphologies in one row.
GROUPS = 16
MORPHOLOGIES = 5
BINS = 40
NUMBERED = 12


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Cells of one colour. ``position``: float64[n, 3], um, NaN for axes that nobody states; None if not drawn."""

    label: str
    population: str
    size: int
    colour: str
    position: np.ndarray | None


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """What there is to draw."""

    groups: list[Group]
    projections: list[tuple[Projection, EdgeStatistics]]
    matrix: np.ndarray
    morphologies: list[tuple[Morphology, int]]


def draw(document: Document, path: Path, *, title: str = "", progress: Progress = quiet) -> None:
    """Draw ``document`` into a .png, .svg or .pdf file. A morphology by itself gets a page of its own.

    Raises BackendUnavailable without matplotlib, WriteError if the file cannot be written.
    """
    matplotlib, figure_class = import_matplotlib()
    panels = gather(document.network, progress)
    with matplotlib.rc_context(STYLE):
        save(_draw_all(figure_class, panels, document.network.name, title), path)


def gather(network: Network, progress: Progress = quiet) -> Panels:
    """Everything that is drawn, from one pass over positions and edges."""
    kinds = cell_groups(network)
    if sum(len(labels) for labels, _ in kinds.values()) > GROUPS:
        kinds = cell_groups(network, limit=0)
    groups = _groups(network, kinds)
    first = dict(zip(kinds, np.cumsum([0, *(len(labels) for labels, _ in kinds.values())]).tolist(), strict=False))
    matrix = np.zeros((len(groups), len(groups)), dtype=np.int64)
    projections = []
    for projection in network.projections.values():
        statistics = edge_statistics(projection, network, kinds, progress)
        rows, columns = statistics.groups.shape
        row, column = first[projection.pre], first[projection.post]
        matrix[row : row + rows, column : column + columns] += statistics.groups
        projections.append((projection, statistics))
    projections.sort(key=lambda item: -item[0].size)
    return Panels(groups, projections, matrix, _some_morphologies(network))


def _groups(network: Network, kinds: dict[str, tuple[tuple[str, ...], Any]]) -> list[Group]:
    labels = [(name, number, label) for name, (names, _) in kinds.items() for number, label in enumerate(names)]
    plain = [label for _, _, label in labels]
    colours = _colours(len(labels))
    groups = []
    for (name, number, label), colour in zip(labels, colours, strict=True):
        population = network.populations[name]
        rows = np.flatnonzero(np.broadcast_to(kinds[name][1].read(population.size), population.size) == number)
        shown = label if plain.count(label) == 1 and label != name else f"{name}: {label}" if label != name else name
        groups.append(Group(shown, name, len(rows), colour, _positions(population, rows)))
    sources = {name for name in kinds if _only_sources(network, name)}
    if any(group.position is not None and group.population not in sources for group in groups):
        groups = [replace(group, position=None) if group.population in sources else group for group in groups]
    return groups


def _only_sources(network: Network, population: str) -> bool:
    """Whether a population only emits spikes: what it calls positions is often another space (the visual field)."""
    return all(isinstance(network.cells.get(name), SpikeSource) for name in network.populations[population].cells)


def _colours(count: int) -> list[str]:
    if count <= len(GROUP_COLOURS):
        return list(GROUP_COLOURS[:count])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    rainbow = colormaps["turbo"](np.linspace(0.05, 0.95, count))[:, :3] * 0.8  # dark enough to be read on white
    return [to_hex(colour) for colour in rainbow]


def _positions(population: Any, rows: np.ndarray) -> np.ndarray | None:
    columns = [population.column(axis) for axis in "xyz"]
    if all(column is None for column in columns):
        return None
    found = np.full((len(rows), 3), np.nan)
    for axis, column in enumerate(columns):
        if column is not None:
            found[:, axis] = np.ma.filled(np.ma.array(column.read(population.size)[rows], dtype=float), np.nan)
    return found if np.isfinite(found).any() else None


def _some_morphologies(network: Network) -> list[tuple[Morphology, int]]:
    """The morphologies that most cells bear, as far as their files can be read."""
    used = used_morphologies(network) or dict.fromkeys(network.morphologies, 0)
    found: list[tuple[Morphology, int]] = []
    for name in sorted(used, key=lambda name: -used[name]):
        if len(found) == MORPHOLOGIES:
            break
        if name in network.morphologies:
            try:
                found.append((network.morphologies[name], used[name]))
            except ReadError:
                continue  # `pynn-show` lists missing files beside the picture
    return found


def _draw_all(figure_class: Any, panels: Panels, name: str, title: str) -> Any:
    alone = len(panels.morphologies) == 1 and not panels.projections and sum(one.size for one in panels.groups) <= 1
    heading = title or name
    if alone:
        figure = figure_class(figsize=(12, 6.5), layout="constrained")
        figure.suptitle(heading, fontsize=13, fontweight="bold")
        from pynn_io.show.plot_morphology import draw_one

        draw_one(figure, panels.morphologies[0][0])
        return figure
    placed = any(group.position is not None for group in panels.groups)
    top = 5.0 if placed else 3.8 if panels.projections else 1.0
    heights = [top, 3.2 if panels.projections else 0, 3.9 if panels.morphologies else 0]
    rows = [height for height in heights if height]
    figure = figure_class(figsize=(13, sum(rows) + 0.7), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
    figure.suptitle(f"{heading}\n", fontsize=13, fontweight="bold")
    figure.text(0.5, 1 - 0.42 / (sum(rows) + 0.7), _subtitle(panels), ha="center", color="#555555", fontsize=9.5)
    parts = iter(np.atleast_1d(figure.subfigures(len(rows), 1, height_ratios=rows, hspace=0.02)))
    _draw_top(next(parts), panels, placed)
    if panels.projections:
        _draw_degrees(next(parts), panels)
    if panels.morphologies:
        from pynn_io.show.plot_morphology import draw_gallery

        draw_gallery(next(parts), panels.morphologies)
    return figure


def _subtitle(panels: Panels) -> str:
    populations = len({group.population for group in panels.groups})
    cells = sum(group.size for group in panels.groups)
    edges = sum(projection.size for projection, _ in panels.projections)
    words = [
        f"{populations:,} population{'' if populations == 1 else 's'}",
        f"{cells:,} cells",
        f"{len(panels.projections):,} projection{'' if len(panels.projections) == 1 else 's'}",
        f"{edges:,} edges",
    ]
    return "   ".join(words)


def _draw_top(figure: Any, panels: Panels, placed: bool) -> None:
    """Which colour is what, positions, the matrix; each as far as there is one."""
    widths = [0.34, *([1.0] if placed else []), *([0.9] if panels.projections else [])]
    grid = figure.add_gridspec(1, len(widths), width_ratios=widths)
    _draw_key(figure.add_subplot(grid[0, 0]), panels.groups, placed)
    if placed:
        _draw_positions(figure, grid[0, 1], panels.groups)
    if panels.projections:
        _draw_matrix(figure.add_subplot(grid[0, -1]), panels)


def _draw_positions(figure: Any, place: Any, groups: list[Group]) -> None:
    depth = any(_spread(group, 2) for group in groups)
    axes = figure.add_subplot(place, projection="3d") if depth else figure.add_subplot(place)
    shown = sum(len(group.position) for group in groups if group.position is not None)
    step = -(-shown // POINTS)
    size = float(np.clip(9000 / max(shown / step, 1), 2, 45))
    for group in groups:
        if group.position is None:
            continue
        x, y, z = np.nan_to_num(group.position[::step]).T
        style = {"s": size, "color": group.colour, "linewidths": 0.3, "edgecolors": "white", "alpha": 0.9}
        if depth:  # y is the vertical axis of most circuits (depth of the cortex), z that of matplotlib
            axes.scatter(x, z, y, depthshade=True, **style)
        else:
            axes.scatter(x, y, **style)
    _dress(axes, groups, depth)
    axes.set_title("positions" + (f" (every {step}th cell)" if step > 1 else ""))


def _spread(group: Group, axis: int) -> bool:
    if group.position is None or not np.isfinite(group.position[:, axis]).any():
        return False
    return bool(np.nanmax(group.position[:, axis]) != np.nanmin(group.position[:, axis]))


def _dress(axes: Any, groups: list[Group], depth: bool) -> None:
    """Axis names, one scale on all axes where the shapes allow, light panes."""
    points = np.concatenate([np.nan_to_num(group.position) for group in groups if group.position is not None])
    spans = np.ptp(points, axis=0)
    if not depth:
        axes.set_xlabel("x (µm)")
        axes.set_ylabel("y (µm)")
        if spans[:2].min() > 0.1 * spans[:2].max():
            axes.set_aspect("equal", adjustable="datalim")
        return
    # A sheet of cells stays visible: no axis is drawn shorter than a third of the longest.
    axes.set_box_aspect(np.maximum(spans, spans.max() / 3)[[0, 2, 1]], zoom=1.05)
    axes.set_xlabel("x (µm)")
    axes.set_ylabel("z (µm)")
    axes.set_zlabel("y (µm)")
    axes.tick_params(labelsize=7)
    axes.locator_params(nbins=4)
    for one in (axes.xaxis, axes.yaxis, axes.zaxis):
        one.set_pane_color((0.965, 0.965, 0.975, 1.0))
        one._axinfo["grid"].update(color="#DDDDDD", linewidth=0.6)
    axes.view_init(elev=18, azim=-58)


def _draw_key(axes: Axes, groups: list[Group], placed: bool) -> None:
    """Names, colours and sizes of the groups; a hollow mark where no position is stated."""
    from matplotlib.lines import Line2D

    def handle(group: Group) -> Any:
        inside = "none" if group.position is None else group.colour
        return Line2D([], [], marker="o", linestyle="", color=group.colour, markersize=6, markerfacecolor=inside)

    axes.set_axis_off()
    axes.set_title("cells")
    labels = [f"{cut(group.label, 22)} ({group.size:,})" for group in groups]
    handles = [handle(group) for group in groups]
    legend = axes.legend(
        handles, labels, fontsize=8, loc="upper left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0, borderpad=0
    )
    legend.set_in_layout(False)
    if not placed:
        note = "no positions stated"
    else:
        hollow = any(group.position is None for group in groups)
        note = "hollow: not drawn (no position\nstated, or a source of spikes)" if hollow else ""
    axes.text(0, 0, note, transform=axes.transAxes, color="#555555", fontsize=8, style="italic")


def _draw_matrix(axes: Axes, panels: Panels) -> None:
    """Edges between groups; groups that send or receive nothing are left out."""
    from matplotlib.colors import LogNorm

    rows, columns = np.flatnonzero(panels.matrix.any(axis=1)), np.flatnonzero(panels.matrix.any(axis=0))
    axes.set_title("edges from (rows) to (columns)")
    if not rows.size:
        axes.set_axis_off()
        axes.text(0, 0.9, "No edges.", transform=axes.transAxes, color="#555555")
        return
    counts = panels.matrix[np.ix_(rows, columns)]
    low, high = counts[counts > 0].min(), counts.max()
    norm = LogNorm(vmin=low / 3, vmax=max(high, low * 3))
    axes.imshow(np.ma.masked_equal(counts, 0), cmap="Blues", norm=norm, aspect="auto")
    axes.set_facecolor("#F7F7F7")
    for side, wanted in ((axes.xaxis, columns), (axes.yaxis, rows)):
        side.set_ticks(range(len(wanted)), [cut(panels.groups[number].label, 18) for number in wanted])
        for text, number in zip(side.get_ticklabels(), wanted, strict=True):
            text.set_color(panels.groups[number].colour)
            text.set_fontweight("bold")
    crowded = len(columns) > 4 or max(len(panels.groups[number].label) for number in columns) > 14
    axes.tick_params(length=0, labelsize=8)
    axes.tick_params(axis="x", rotation=35 if crowded else 0)
    if crowded:
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")
            text.set_rotation_mode("anchor")
    axes.spines[:].set_visible(False)
    if len(rows) <= NUMBERED and len(columns) <= NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if count and norm(count) > 0.66 else "#333333"
            axes.text(column, row, _short(int(count)), ha="center", va="center", color=colour, fontsize=8)


def _short(count: int) -> str:
    """``850``, ``12.3k``, ``4.1M``; an empty text for nothing."""
    if count < 10_000:
        return f"{count:,}" if count else ""
    return f"{count / 1e3:.3g}k" if count < 1e6 else f"{count / 1e6:.3g}M"


def _draw_degrees(figure: Any, panels: Panels) -> None:
    from matplotlib.patches import Patch

    grid = figure.add_gridspec(1, 2)
    shown = panels.projections[: len(EDGE_COLOURS)]
    labels = _edge_labels([projection for projection, _ in shown])
    for column, (title, side) in enumerate((("edges into a cell", "in_degree"), ("edges out of a cell", "out_degree"))):
        axes = figure.add_subplot(grid[0, column])
        degrees = [getattr(statistics, side) for _, statistics in shown]
        # One width of bins for all: shares of the cells are comparable only then.
        step = max(1, -(-max((int(np.ptp(one)) + 1 for one in degrees if one.size), default=1) // BINS))
        for number, one in enumerate(degrees):
            # Where two outlines coincide, the dashes of the later one let the earlier one through.
            _draw_histogram(axes, one, step, EDGE_COLOURS[number], "-" if number == 0 else (3 * number, (6, 3)))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(title)
        axes.set_xlabel("edges")
        axes.set_ylabel("% of the cells")
        axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.margins(x=0.02)
    more = len(panels.projections) - len(shown)
    handles = [
        Patch(facecolor=f"{colour}38", edgecolor=colour) for colour, _ in zip(EDGE_COLOURS, labels, strict=False)
    ]
    note = f"the {len(shown)} largest of {len(panels.projections)} projections" if more else None
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, title=note, title_fontsize=8)


def _edge_labels(projections: list[Projection]) -> list[str]:
    ends = [f"{one.pre} → {one.post}" for one in projections]
    names = [
        f"{end} ({one.kind})" if one.kind != "chemical" else end for end, one in zip(ends, projections, strict=True)
    ]
    return [name if names.count(name) == 1 else one.name for name, one in zip(names, projections, strict=True)]


def _draw_histogram(axes: Axes, degrees: np.ndarray, step: int, colour: str, line: Any) -> None:
    """The distribution of degrees in bins of ``step`` whole numbers."""
    low, high = (int(degrees.min()), int(degrees.max())) if degrees.size else (0, 0)
    edges = np.arange(low, high + step + 1, step) - 0.5
    share = 100 * np.histogram(degrees, edges)[0] / max(degrees.size, 1)
    axes.stairs(share, edges, color=colour, fill=True, alpha=0.22)
    axes.stairs(share, edges, color=colour, linewidth=1.4, linestyle=line)
