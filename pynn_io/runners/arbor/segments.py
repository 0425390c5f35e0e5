"""What is on the membrane of a NeuroML cell in Arbor: generated mechanisms, control volume by control volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from pynn_io.graph.morphology import SPECIFICATION
from pynn_io.lowering.cables.models import CellGroup
from pynn_io.lowering.cables.volumes import Volumes
from pynn_io.lowering.membrane import SegmentModel, Spread
from pynn_io.lowering.segment_shape import SegmentShape
from pynn_io.runners.arbor.components import ArborGenerated, concentrations, own
from pynn_io.runners.arbor.lowered import Cable, Density, Property
from pynn_io.runners.arbor.trees import Tree, tree

#: Values of compartments as Arbor's properties, in the same units.
_PROPERTIES = {"cm": "cm", "Ra": "rL", "v": "Vm"}


def segment_cable(group: CellGroup, model: SegmentModel, threshold: float, generated: ArborGenerated) -> Cable:
    """A cell whose membrane is described by segment. threshold: mV, where the cell states none."""
    shape, ions = generated.shape(group.morphologies[0]), generated.pools
    geometry, morphology = shape.geometry, generated.network.morphologies[group.morphologies[0]]
    made = tree(geometry, shape.count, np.arange(1, geometry.size + 1))
    regions = _Regions(made, shape)
    densities = [each for spread in model.spreads for each in regions.densities(spread, ions)]
    properties = [each for spread in model.spreads for each in regions.concentrations(spread, ions)]
    properties += regions.properties(model)
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


class _Regions:
    """What is on the control volumes of a cell, by Arbor's expressions for some of them."""

    def __init__(self, made: Tree, shape: SegmentShape) -> None:
        self._tree, self._volumes = made, Volumes(shape)

    def densities(self, spread: Spread, ions: Mapping[str, str]) -> Iterator[Density]:
        """A mechanism, once for every set of numbers that it has somewhere."""
        here, table = self._volumes.numbers(spread, own(spread))
        for numbers, volumes in _alike(table, here):
            yield Density(self.region(volumes), spread.mechanism, numbers)

    def concentrations(self, spread: Spread, ions: Mapping[str, str]) -> Iterator[Property]:
        """What the concentrations of an ion are at the start."""
        here, _ = self._volumes.numbers(spread, {})
        if len(here):
            yield from concentrations(spread, self.region(here), ions.get(spread.mechanism, ""))

    def properties(self, model: SegmentModel) -> Iterator[Property]:
        """Values of compartments, the last statement of each."""
        for name, values in self._volumes.values(model).items():
            stated = np.flatnonzero(~np.isnan(values))
            for numbers, volumes in _alike({name: values[stated]}, stated):
                yield Property(self.region(volumes), _PROPERTIES[name], numbers[name])

    def region(self, volumes: np.ndarray) -> str:
        """Arbor's expression for some control volumes: whole sections by their tag, else pieces of branches."""
        every = self._volumes
        if len(volumes) == len(every.section):
            return "(all)"
        count = np.bincount(every.section[volumes], minlength=len(self._tree.count))
        whole = np.flatnonzero(count == self._tree.count)
        parts = [f"(tag {section + 1})" for section in whole.tolist()]
        for volume in volumes[~np.isin(every.section[volumes], whole)].tolist():
            pieces = self._tree.pieces(int(every.section[volume]), every.begin[volume], every.end[volume])
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
