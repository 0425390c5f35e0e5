"""Morphologies drawn as what they are: segments in two dimensions, coloured by structure, to one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.morphology import Morphology, SomaKind, Tag
from pynn_io.graph.segments import areas
from pynn_io.show.parts import TAG_NAMES, morphology_summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The colours in which most morphology viewers show the four SWC structures, darkened for white paper.
TAG_COLOURS = {1: "#222222", 2: "#2F6FB5", 3: "#C8372D", 4: "#B04FA3"}
OTHER_COLOUR = "#7A7A7A"
#: Axes by letter.
AXES = {"x": 0, "y": 1, "z": 2}
#: Lengths that a scale bar may have, um.
SCALE_BARS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def colour_of(tag: int) -> str:
    """The colour of an SWC structure tag; one for all tags that have none of their own."""
    return TAG_COLOURS.get(tag, OTHER_COLOUR)


def box_of(morphology: Morphology, across: str, up: str) -> tuple[float, float, float, float]:
    """``(left, right, bottom, top)`` of the projection relative to the soma, um, with a little margin."""
    points = np.concatenate([morphology.proximal, morphology.distal])[:, :3] - centre(morphology)
    left, bottom = points[:, AXES[across]].min(), points[:, AXES[up]].min()
    right, top = points[:, AXES[across]].max(), points[:, AXES[up]].max()
    margin = 0.04 * max(right - left, top - bottom, 10.0)
    return left - margin, right + margin, bottom - margin, top + margin


def centre(morphology: Morphology) -> np.ndarray:
    """The middle of the soma, or the first root's beginning where there is none; float64[3], um."""
    soma = morphology.tag == Tag.SOMA
    if not soma.any():
        return morphology.proximal[0, :3]
    ends = np.concatenate([morphology.proximal[soma, :3], morphology.distal[soma, :3]])
    return ends.mean(axis=0)


def draw_morphology(axes: Axes, morphology: Morphology, across: str = "x", up: str = "y") -> None:
    """The projection onto two axes, soma at the origin, every segment as wide as it is (but never invisibly thin)."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Circle

    middle, pick = centre(morphology), [AXES[across], AXES[up]]
    start, end = (points[:, :3] - middle for points in (morphology.proximal, morphology.distal))
    soma = morphology.tag == Tag.SOMA
    # A sphere is a cylinder in the table, equal in area; an outline is a row of cylinders.
    sphere = soma & (morphology.soma_kind in (SomaKind.SPHERE, SomaKind.THREE_POINT))
    if sphere.any():
        radius = float(morphology.distal[sphere, 3].max()) / 2
        axes.add_patch(Circle((0, 0), radius, color=colour_of(Tag.SOMA), linewidth=0, zorder=3))
    rows = np.flatnonzero(~sphere)
    corners = outlines(
        start[rows][:, pick], end[rows][:, pick], morphology.proximal[rows, 3], morphology.distal[rows, 3]
    )
    colours = [colour_of(tag) for tag in morphology.tag[rows].tolist()]
    axes.add_collection(PolyCollection(list(corners), facecolors=colours, edgecolors=colours, linewidths=0.35))
    axes.set_aspect("equal")
    axes.set_axis_off()


def outlines(start: np.ndarray, end: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """The corners of each frustum seen from the side, float64[n, 4, 2]; ends float64[n, 2], widths float64[n]."""
    along = end - start
    length = np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.where(length > 0, length, 1.0)
    near_side, far_side = normal * near[:, None] / 2, normal * far[:, None] / 2
    return np.stack([start + near_side, end + far_side, end - far_side, start - near_side], axis=1)


def scale_bar(axes: Axes, width: float) -> None:
    """A bar of a round length, about a quarter of ``width`` (um), below the drawing's left end."""
    length = max((one for one in SCALE_BARS if one <= max(0.3 * width, SCALE_BARS[0])), default=SCALE_BARS[0])
    left, _ = axes.get_xlim()
    bottom, top = axes.get_ylim()
    y = bottom + 0.01 * (top - bottom)
    axes.plot([left, left + length], [y, y], color="#222222", linewidth=2, solid_capstyle="butt")
    axes.annotate(f"{length} µm", (left, y), xytext=(0, 4), textcoords="offset points", fontsize=8)


def draw_gallery(figure: Any, morphologies: list[tuple[Morphology, int]]) -> None:
    """Several morphologies side by side to one scale; ``morphologies``: each with the number of cells that bear it."""
    boxes = [box_of(one, "x", "y") for one, _ in morphologies]
    tallest = max(top - bottom for _, _, bottom, top in boxes)
    # A narrow cell still needs room for its name.
    widths = [max(right - left, 0.3 * tallest) for left, right, _, _ in boxes]
    grid = figure.add_gridspec(1, len(boxes), width_ratios=widths)
    for number, ((morphology, count), (left, right, bottom, top)) in enumerate(zip(morphologies, boxes, strict=True)):
        axes = figure.add_subplot(grid[0, number])
        draw_morphology(axes, morphology)
        across, up = (left + right) / 2, (bottom + top) / 2
        axes.set_xlim(across - widths[number] / 2, across + widths[number] / 2)
        axes.set_ylim(up - tallest / 2, up + tallest / 2)
        label = morphology.name if len(morphology.name) <= 28 else f"{morphology.name[:25]}..."
        cells = f"{count:,} cell" + ("" if count == 1 else "s")
        axes.set_title(f"{label}\n{cells}" if count else label, fontsize=8, fontweight="normal", loc="center")
        if number == 0:
            scale_bar(axes, widths[0])
    tag_legend(figure, [tag for one, _ in morphologies for tag in one.tag.tolist()])


def tag_legend(figure: Any, tags: list[int]) -> None:
    """A legend below the figure that names the structure tags in their colours."""
    from matplotlib.lines import Line2D

    found = sorted(set(tags))
    handles = [Line2D([], [], color=colour_of(tag), linewidth=3) for tag in found]
    names = [TAG_NAMES.get(tag, f"structure {tag}") for tag in found]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False, fontsize=8)


def draw_one(figure: Any, morphology: Morphology) -> None:
    """One morphology by itself: front, side, length by structure, and Sholl intersections."""
    front, side = box_of(morphology, "x", "y"), box_of(morphology, "z", "y")
    widths = [max(box[1] - box[0], 0.35 * (box[3] - box[2])) for box in (front, side)]
    grid = figure.add_gridspec(2, 3, width_ratios=[*widths, 0.5 * sum(widths)])
    for column, (across, box) in enumerate((("x", front), ("z", side))):
        axes = figure.add_subplot(grid[:, column])
        draw_morphology(axes, morphology, across, "y")
        axes.set_xlim(box[0], box[1])
        axes.set_ylim(box[2], box[3])
        axes.set_title(f"{'front' if column == 0 else 'side'} ({across}, y)")
        if column == 0:
            scale_bar(axes, box[1] - box[0])
    _draw_lengths(figure.add_subplot(grid[0, 2]), morphology)
    _draw_sholl(figure.add_subplot(grid[1, 2]), morphology)
    tag_legend(figure, morphology.tag.tolist())


def _draw_lengths(axes: Axes, morphology: Morphology) -> None:
    tags = [one for one in morphology_summary(morphology).tags if one.tag != Tag.SOMA or morphology.size == 1]
    bars = axes.barh(
        [one.name for one in tags], [one.length for one in tags], color=[colour_of(one.tag) for one in tags]
    )
    labels = [f"{one.length:,.0f} µm, {one.sections:,} section{'' if one.sections == 1 else 's'}" for one in tags]
    axes.bar_label(bars, labels, fontsize=8, padding=3)
    axes.set_xlim(0, max([one.length for one in tags] + [1.0]) * 1.75)
    axes.invert_yaxis()
    axes.set_title("length")
    axes.set_xlabel("µm")


def sholl(morphology: Morphology, tag: int, radii: np.ndarray) -> np.ndarray:
    """How often segments of ``tag`` cross spheres of ``radii`` (um) around the soma; int64, one count a radius."""
    of_tag = morphology.tag == tag
    middle = centre(morphology)
    near, far = (np.linalg.norm(ends[of_tag, :3] - middle, axis=1) for ends in (morphology.proximal, morphology.distal))
    low, high = np.sort(np.minimum(near, far)), np.sort(np.maximum(near, far))
    return np.searchsorted(low, radii, side="right") - np.searchsorted(high, radii, side="right")


def _draw_sholl(axes: Axes, morphology: Morphology) -> None:
    from matplotlib.ticker import MaxNLocator

    tags = [tag for tag in np.unique(morphology.tag).tolist() if tag != Tag.SOMA]
    reach = float(np.linalg.norm(morphology.distal[:, :3] - centre(morphology), axis=1).max())
    radii = np.linspace(0, reach, 100)
    for tag in tags:
        axes.plot(radii, sholl(morphology, tag, radii), color=colour_of(tag), linewidth=1.6)
    area = areas(morphology).sum()
    axes.set_title(f"Sholl intersections (area {area:,.0f} µm²)")
    axes.set_xlabel("distance from the soma (µm)")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
