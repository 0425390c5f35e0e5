"""What is on the membrane of a NeuroML cell in Arbor: generated mechanisms, control volume by control volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from pynn_io.graph.morphology import SPECIFICATION
from pynn_io.lowering.cables.models import CellGroup
from pynn_io.lowering.evaluate import value
from pynn_io.lowering.membrane import SegmentModel, Spread
from pynn_io.lowering.segment_shape import SegmentShape
from pynn_io.runners.arbor.components import ArborGenerated, concentrations, own
from pynn_io.runners.arbor.lowered import Cable, Density, Property
from pynn_io.runners.arbor.trees import Tree, tree

#: Values of compartments as Arbor's properties, in the same units.
_PROPERTIES = {"cm": "cm", "Ra": "rL", "v": "Vm"}
#: Values of whole sections.
_OF_SECTIONS = frozenset({"Ra"})


def segment_cable(group: CellGroup, model: SegmentModel, threshold: float, generated: ArborGenerated) -> Cable:
    """A cell whose membrane is described by segment. threshold: mV, where the cell states none."""
    shape, ions = generated.shape(group.morphologies[0]), generated.pools
    geometry, morphology = shape.geometry, generated.network.morphologies[group.morphologies[0]]
    made = tree(geometry, shape.count, np.arange(1, geometry.size + 1))
    volumes = _Volumes(made, shape)
    densities = [each for spread in model.spreads for each in volumes.densities(spread, ions)]
    properties = [each for spread in model.spreads for each in volumes.concentrations(spread, ions)]
    properties += volumes.properties(model)
    section, at = (values[0] for values in shape.place(np.array([0]), np.array([0.5])))
    return Cable(
        made,
        geometry.names,
        geometry.tag,
        SPECIFICATION,
        tuple(densities),
        tuple(properties),
        (),
        threshold if model.threshold is None else model.threshold,
        (int(section), float(at)),
        f"cells/{group.cell}",
        partial(shape.specified, morphology),
    )


class _Volumes:
    """The control volumes of a cell, those of a section together, sections in order.

    section: int64[v]; row: int64[v], the segment in which the middle of each lies; path: float64[v], um from the root.
    """

    def __init__(self, made: Tree, shape: SegmentShape) -> None:
        self._tree, count = made, shape.count
        self.section = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(self.section)) - np.repeat(np.cumsum(count) - count, count)
        self._begin, self._end = within / count[self.section], (within + 1) / count[self.section]
        rows = [shape.rows_at(section) for section in range(len(count))]
        self.row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        middle = (self._begin + self._end) / 2
        self.path = shape.start[self.section] + middle * shape.geometry.length[self.section]

    def densities(self, spread: Spread, ions: Mapping[str, str]) -> Iterator[Density]:
        """A mechanism, once for every set of numbers that it has somewhere."""
        here = np.flatnonzero(np.isin(self.row, spread.rows))
        table = {name: np.full(len(here), number) for name, number in own(spread).items()}
        for each in spread.varying:
            inside = np.isin(self.row[here], each.rows)
            path = (self.path[here] - each.start) / each.scale
            values = np.broadcast_to(np.asarray(value(each.value, {each.variable: path})), path.shape) * each.factor
            table[each.parameter] = np.where(inside, values, table.get(each.parameter, np.zeros(len(here))))
        for numbers, volumes in _alike(table, here):
            yield Density(self.region(volumes), spread.mechanism, numbers)

    def concentrations(self, spread: Spread, ions: Mapping[str, str]) -> Iterator[Property]:
        """What the concentrations of an ion are at the start."""
        here = np.flatnonzero(np.isin(self.row, spread.rows))
        if len(here):
            yield from concentrations(spread, self.region(here), ions.get(spread.mechanism, ""))

    def properties(self, model: SegmentModel) -> Iterator[Property]:
        """Values of compartments, the last statement of each."""
        table: dict[str, np.ndarray] = {}
        for name, rows, number in model.values:
            here = np.isin(self.row, rows)
            if name in _OF_SECTIONS:
                here = np.isin(self.section, self.section[here])
            values = table.setdefault(name, np.full(len(self.row), np.nan))
            values[here] = number
        for name, values in table.items():
            stated = np.flatnonzero(~np.isnan(values))
            for numbers, volumes in _alike({name: values[stated]}, stated):
                yield Property(self.region(volumes), _PROPERTIES[name], numbers[name])

    def region(self, volumes: np.ndarray) -> str:
        """Arbor's expression for some control volumes: whole sections by their tag, else pieces of branches."""
        if len(volumes) == len(self.section):
            return "(all)"
        count = np.bincount(self.section[volumes], minlength=len(self._tree.count))
        whole = np.flatnonzero(count == self._tree.count)
        parts = [f"(tag {section + 1})" for section in whole.tolist()]
        for volume in volumes[~np.isin(self.section[volumes], whole)].tolist():
            pieces = self._tree.pieces(int(self.section[volume]), self._begin[volume], self._end[volume])
            parts += [f"(cable {branch} {near!r} {far!r})" for branch, near, far in pieces]
        return parts[0] if len(parts) == 1 else f"(join {' '.join(parts)})"


def _alike(table: Mapping[str, np.ndarray], volumes: np.ndarray) -> Iterator[tuple[dict[str, float], np.ndarray]]:
    """The sets of numbers that volumes have, each with those volumes."""
    if not len(volumes):
        return
    if not table:
        yield {}, volumes
        return
    unique, index = np.unique(np.stack(list(table.values()), axis=1), axis=0, return_inverse=True)
    for number, row in enumerate(unique.tolist()):
        yield dict(zip(table, row, strict=True)), volumes[index.reshape(-1) == number]
