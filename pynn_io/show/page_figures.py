"""The figures of a viewer page, as plain values that Plotly draws: cells in space, histograms, rasters, traces.

Everything is thinned to what a page can show fluidly, and says so in its title; nothing here knows HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from pynn_io.errors import PynnIOError
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.results import Results
from pynn_io.show import activity
from pynn_io.show.plot import EDGE_COLOURS, GROUP_COLOURS, Group, Panels
from pynn_io.show.plot_morphology import centre, colour_of
from pynn_io.show.summary import weight_units

#: Cells drawn at most; so many stay fluid.
CELLS = 10_000
#: Cells from which on they are drawn small, and as squares: Plotly's circle is of many triangles, its square of two.
CROWD = 1000
#: Cells whose morphologies are drawn, and segments of all of them, at most.
SHAPES, SEGMENTS = 24, 60_000
BINS = 40
#: Of the box in space, in units of Plotly's camera, which looks at it from 2.2 away.
DIAGONAL = 1.8
#: Rows of a raster that are numbered one by one.
_ROWS_NUMBERED = 20
_QUATERNION = ("orientation_x", "orientation_y", "orientation_z", "orientation_w")  # as scipy orders it
_ANGLES = ("rotation_angle_zaxis", "rotation_angle_yaxis", "rotation_angle_xaxis")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. id: of its element. data, layout: Plotly's. note: what it leaves out, for people."""

    id: str
    title: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    note: str = ""


def space(network: Network, panels: Panels) -> Figure | None:
    """Cells where they are, a colour a group, with the morphologies of some; None where nothing has a place."""
    placed = [group for group in panels.groups if group.position is not None]
    total = sum(len(group.position) for group in placed if group.position is not None)
    step = max(1, -(-total // CELLS))
    marker = {"symbol": "circle", "size": 3} if total < CROWD else {"symbol": "square", "size": 1.5}
    data = [_points(group, step, marker) for group in placed]
    shapes = list(_shapes(network, panels))
    if not data and not shapes:
        return None
    notes = [f"1 in {step} of {total:,} cells is drawn"] if step > 1 else []
    if shapes:
        drawn = len([each for each in shapes if each["showlegend"]])
        notes.append(f"the morphologies of {drawn} cells are drawn" if drawn > 1 else "one morphology is drawn")
    axis = {"showbackground": False, "gridcolor": "#d8dde2", "zeroline": False}
    # stated ranges: the page draws a part of the cells while it turns them, and the axes must not follow
    axes = {
        f"{name}axis": {**axis, "title": {"text": f"{name} (um)"}, "range": _extent([*data, *shapes], name)}
        for name in "xyz"
    }
    scene = {"aspectmode": "manual", "aspectratio": _proportions(axes), **axes}
    layout = {"scene": scene, "height": 620, "legend": {"itemsizing": "constant"}}
    return Figure("space", "Cells in space", [*data, *shapes], layout, "; ".join(notes))


def _extent(traces: Sequence[Mapping[str, Any]], axis: str) -> list[float]:
    """Least and largest coordinate with a margin; 1 um about a plane, which would have no extent."""
    values = np.array([value for trace in traces for value in trace[axis] if value is not None])
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 1.0
    return [low - margin, high + margin]


def _proportions(axes: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Of the box that is drawn: those of the space in it, with a diagonal that the camera has in view from all sides.

    Plotly's own ``data`` gives every box the same volume: a flat network would reach far out of the picture.
    """
    size = {name: axes[f"{name}axis"]["range"][1] - axes[f"{name}axis"]["range"][0] for name in "xyz"}
    diagonal = float(np.linalg.norm(list(size.values())))
    return {name: DIAGONAL * each / diagonal for name, each in size.items()}


def _points(group: Group, step: int, marker: Mapping[str, Any]) -> dict[str, Any]:
    position = np.nan_to_num(np.asarray(group.position)[::step])
    return {
        "type": "scatter3d",
        "mode": "markers",
        "name": f"{group.label} ({group.size:,})",
        "marker": {"color": group.colour, "opacity": 0.75, **marker},
        "hovertemplate": f"{group.label}<br>(%{{x:.1f}}, %{{y:.1f}}, %{{z:.1f}}) um<extra></extra>",
        **{axis: _numbers(position[:, number]) for number, axis in enumerate("xyz")},
    }


def _shapes(network: Network, panels: Panels) -> Iterator[dict[str, Any]]:
    """Some cells' morphologies, where and as they stand; a morphology by itself stands at the origin."""
    chosen = list(_chosen(network, panels)) or [
        ("", name, np.zeros(3), None) for name in list(network.morphologies)[:1]
    ]
    left = SEGMENTS
    for colour, name, position, rotation in chosen[:SHAPES]:
        morphology = _morphology(network, name)
        if morphology is None or left < len(morphology.parent):
            continue
        left -= len(morphology.parent)
        yield from _lines(morphology, position, rotation, name, colour if len(chosen) > 1 else None)


def _morphology(network: Network, name: str) -> Morphology | None:
    """None for one whose file cannot be read: the page shows what there is, and other checks say what is missing."""
    try:
        return network.morphologies[name]
    except (KeyError, PynnIOError):
        return None


def _chosen(network: Network, panels: Panels) -> Iterator[tuple[str, str, np.ndarray, np.ndarray | None]]:
    """(colour, morphology, position um, quaternion) of cells at even distances, over all populations with any."""
    holding = [
        (population, names)
        for population in network.populations.values()
        if (names := _names(network, population)) is not None
    ]
    each = max(1, SHAPES // max(1, len(holding)))
    for population, names in holding:
        rows = np.flatnonzero(names != "")
        rows = rows[np.linspace(0, len(rows) - 1, min(each, len(rows))).round().astype(int)]
        position = np.stack([_values(population, axis, rows) for axis in "xyz"], axis=1)
        turned = _rotations(population, rows)
        own = [group.colour for group in panels.groups if group.population == population.name]
        kinds = population.type_index.read(population.size)[rows] if len(own) > 1 else np.zeros(len(rows), np.int64)
        for place, row in enumerate(rows.tolist()):
            yield own[kinds[place]], str(names[row]), position[place], None if turned is None else turned[place]


def _names(network: Network, population: Population) -> np.ndarray | None:
    """The morphology of every row, empty where it has none; None where none has."""
    stated = [
        cell.morphology or "" if isinstance(cell := network.cells.get(name), CableCell) else ""
        for name in population.cells
    ]
    found = np.array(stated, dtype=object)[population.type_index.read(population.size)]
    column = population.column("morphology")
    if column is not None and column.is_text:
        own = np.ma.array(column.values(population.size))
        found = np.where(np.ma.getmaskarray(own), found, np.ma.filled(own, ""))
    return found if np.any(found != "") else None


def _values(population: Population, name: str, rows: np.ndarray) -> np.ndarray:
    column = population.column(name)
    if column is None or column.is_text:
        return np.zeros(len(rows))
    return np.nan_to_num(np.ma.filled(np.ma.array(column.read(population.size)[rows], dtype=float), 0.0))


def _rotations(population: Population, rows: np.ndarray) -> np.ndarray | None:
    """float64[n, 4], scipy's quaternions (x, y, z, w); None where no cell is turned."""
    if population.column(_QUATERNION[3]) is not None:
        found = np.stack([_values(population, name, rows) for name in _QUATERNION], axis=1)
        norm = np.linalg.norm(found, axis=1, keepdims=True)
        return np.where(norm > 0, found / np.where(norm > 0, norm, 1.0), [0.0, 0.0, 0.0, 1.0])
    if any(population.column(name) is not None for name in _ANGLES):
        angles = np.stack([_values(population, name, rows) for name in _ANGLES], axis=1)
        return np.asarray(Rotation.from_euler("zyx", angles).as_quat())  # extrinsic: about z first
    return None


def _lines(
    morphology: Morphology, position: np.ndarray, rotation: np.ndarray | None, name: str, colour: str | None
) -> Iterator[dict[str, Any]]:
    """Segments as lines with gaps between them; by structure where no colour is given."""
    middle = centre(morphology)
    ends = [points[:, :3] - middle for points in (morphology.proximal, morphology.distal)]
    if rotation is not None:
        ends = [Rotation.from_quat(rotation).apply(points) for points in ends]
    gap = np.full_like(ends[0], np.nan)
    path = np.stack([ends[0] + position, ends[1] + position, gap], axis=1)
    groups = [(colour, np.arange(len(path)))] if colour else _by_structure(morphology)
    for number, (shade, rows) in enumerate(groups):
        points = path[rows].reshape(-1, 3)
        yield {
            "type": "scatter3d",
            "mode": "lines",
            "name": name,
            "legendgroup": name,
            "showlegend": number == 0,
            "line": {"color": shade, "width": 2},
            "hoverinfo": "skip",  # turning.js shortens lines: Plotly would look for the point it has under the mouse
            **{axis: _numbers(points[:, index]) for index, axis in enumerate("xyz")},
        }


def _by_structure(morphology: Morphology) -> list[tuple[str, np.ndarray]]:
    tags = np.asarray(morphology.tag)
    return [(colour_of(int(tag)), np.flatnonzero(tags == tag)) for tag in np.unique(tags)]


def degrees(panels: Panels) -> Figure | None:
    """How many edges leave and reach a cell, a line a projection."""
    data = []
    for number, (projection, statistics) in enumerate(panels.projections):
        colour = EDGE_COLOURS[number % len(EDGE_COLOURS)]
        for direction, counts, dash in (("in", statistics.in_degree, "solid"), ("out", statistics.out_degree, "dot")):
            if not len(counts):
                continue
            edges = np.histogram_bin_edges(counts, bins=min(BINS, max(int(np.ptp(counts)), 1)))
            height = np.histogram(counts, edges)[0]
            data.append(_steps(f"{projection.name}, {direction}", edges, height, colour, dash))
    if not data:
        return None
    return Figure("degrees", "Degrees", data, _axes("edges of a cell", "cells"))


def weights(panels: Panels) -> list[Figure]:
    """A figure a unit, a line a projection: weights as stated, over one more pass of the edges."""
    by_unit: dict[str, list[dict[str, Any]]] = {}
    for number, (projection, statistics) in enumerate(panels.projections):
        # A projection of one weight is not drawn: the table says it.
        spread = [each for each in statistics.weights if each.low < each.high]
        for each in spread:
            edges = np.linspace(each.low, each.high, BINS + 1)
            height = _weight_counts(projection, each.unit, edges)
            colour = EDGE_COLOURS[number % len(EDGE_COLOURS)]
            by_unit.setdefault(each.unit, []).append(_steps(projection.name, edges, height, colour, "solid"))
    return [
        Figure(f"weights-{number}", "Weights", data, _axes(f"weight ({unit})" if unit else "weight", "edges"))
        for number, (unit, data) in enumerate(by_unit.items())
    ]


def _weight_counts(projection: Projection, unit: str, edges: np.ndarray) -> np.ndarray:
    of_unit = np.flatnonzero(np.array(weight_units(projection)) == unit)
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    for _, _, rows in projection.blocks(["weight"]):
        own = np.isin(np.broadcast_to(rows["type"], rows["source"].shape), of_unit)
        values = np.ma.array(np.broadcast_to(rows["weight"], own.shape))
        counts += np.histogram(np.ma.compressed(values[own]), edges)[0]
    return counts


def _steps(name: str, edges: np.ndarray, height: np.ndarray, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "line": {"shape": "hv", "color": colour, "dash": dash, "width": 1.6},
        "x": _numbers(edges),
        "y": [*height.tolist(), 0],
    }


def raster(results: Results, network: Network | None) -> Figure | None:
    """Spikes, a row a cell, thinned where they are too many."""
    found = activity.groups(results, network)
    if not any(len(group.times) for group in found):
        return None
    step, first, data = activity.thinning(found), 0, []
    for number, group in enumerate(found):
        kept = group.cells % step == 0
        colour = GROUP_COLOURS[number % len(GROUP_COLOURS)]
        data.append(
            {
                "type": "scattergl",
                "mode": "markers",
                "name": f"{group.label} ({len(group.times):,} spikes)",
                "marker": {"size": 3, "color": colour},
                "x": _numbers(group.times[kept]),
                "y": (first + group.cells[kept]).tolist(),
                "customdata": group.nodes[group.cells[kept]].tolist(),
                "hovertemplate": f"{group.label} %{{customdata}}<br>%{{x:.3f}} ms<extra></extra>",
            }
        )
        first += len(group.nodes)
    note = f"1 in {step} cells is drawn" if step > 1 else ""
    layout = _axes("time (ms)", "cell")
    # rows are whole numbers, and those at the edges are not cut
    layout["yaxis"] |= {"range": [-0.5, first - 0.5], "zeroline": False}
    layout["yaxis"] |= {"dtick": 1} if first <= _ROWS_NUMBERED else {}
    return Figure("raster", "Spikes", data, {**layout, "height": 460}, note)


def traces(results: Results) -> Iterator[Figure]:
    """The first recordings, some cells of each."""
    for number, recorded in enumerate(activity.recordings(results)):
        lines = [line for cell in recorded.lines for line in cell]
        data = [
            {
                "type": "scattergl",
                "mode": "lines",
                "name": " ".join(filter(None, (str(line.cell), line.place))),
                "line": {"width": 1.2, "color": GROUP_COLOURS[place % len(GROUP_COLOURS)]},
                "x": _numbers(line.times),
                "y": _numbers(line.values),
            }
            for place, line in enumerate(lines)
        ]
        unit = f" ({recorded.unit})" if recorded.unit else ""
        title = f"{recorded.report} of {recorded.population}"
        shown = len(recorded.lines)
        note = f"{shown} of {recorded.cells:,} cells are drawn" if shown < recorded.cells else ""
        yield Figure(f"trace-{number}", title, data, _axes("time (ms)", f"{recorded.variable or 'value'}{unit}"), note)


def _axes(across: str, up: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": up}, "rangemode": "tozero"},
        "height": 380,
    }


def _numbers(values: Sequence[float] | np.ndarray) -> list[float | None]:
    """Six digits are more than a screen shows; None makes a gap."""
    rounded = np.asarray(values, dtype=float)
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in rounded.tolist()]


def as_plain(figure: Figure) -> Mapping[str, Any]:
    """For JSON."""
    return {"id": figure.id, "data": figure.data, "layout": figure.layout}
