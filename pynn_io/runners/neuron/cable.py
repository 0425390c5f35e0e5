"""Cable cells in NEURON: sections from arrays of points, and what is on their membrane."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from pynn_io.errors import RunError
from pynn_io.graph.segments import GROUP_OF_TAG, Tag
from pynn_io.lowering.cables.geometry import Geometry
from pynn_io.lowering.cables.models import CONDUCTANCE, Assign, CableModel, CellGroup, Insert
from pynn_io.report import Report
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.mechanisms import conductance_of, variable_of
from pynn_io.runners.neuron.model import Cell


class Owner:
    """What a section's name begins with."""

    __slots__ = ("__weakref__", "name")

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


class Shape:
    """A geometry with its numbers of compartments (int64, by section), as NEURON takes it.

    Vectors of points are made once and shared by all cells of the shape.
    """

    def __init__(self, geometry: Geometry, count: np.ndarray) -> None:
        from neuron import h

        self.geometry = geometry
        ends = geometry.offsets.tolist()
        self.points = [
            [h.Vector(column) for column in geometry.points[begin:end].T.copy()] if end > begin else None
            for begin, end in pairwise(ends)
        ]
        self.rows = list(
            zip(
                geometry.names,
                geometry.tag.tolist(),
                geometry.parent.tolist(),
                geometry.at.tolist(),
                geometry.length.tolist(),
                geometry.diameter.tolist(),
                count.tolist(),
                strict=True,
            )
        )

    def make(self, owner: Owner) -> tuple[Any, ...]:
        """New sections of this shape, connected."""
        from neuron import h

        made = [h.Section(name=row[0], cell=owner) for row in self.rows]
        for section, points, (_, _, parent, at, length, diameter, count) in zip(
            made, self.points, self.rows, strict=True
        ):
            if points is None:
                section.L, section.diam = length, diameter
            else:
                h.pt3dadd(*points, sec=section)
            if parent >= 0:
                section.connect(made[parent](at), 0)
            section.nseg = count
        return tuple(made)


class _Membrane:
    """What every section of a tag gets: mechanisms to insert, then numbers to set."""

    def __init__(self, model: CableModel, where: str, report: Report) -> None:
        self._model, self._where, self._report = model, where, report
        self._plans: dict[int, tuple[list[str], list[tuple[str, float]]]] = {}

    def paint(self, section: Any, tag: int) -> None:
        plan = self._plans.get(tag)
        if plan is None:
            plan = self._plans[tag] = self._plan(section, tag)
        mechanisms, values = plan
        for mechanism in mechanisms:
            section.insert(mechanism)
        for name, value in values:
            setattr(section, name, value)

    def _plan(self, section: Any, tag: int) -> tuple[list[str], list[tuple[str, float]]]:
        """The last statement of a variable stands. ``section`` is the first one: it shows which ions there are."""
        from neuron import h

        region = GROUP_OF_TAG.get(tag, "")
        mine = [paint for paint in self._model.paints if paint.region in ("all", region)]
        mechanisms = list(dict.fromkeys(paint.mechanism for paint in mine if isinstance(paint, Insert)))
        for mechanism in mechanisms:
            section.insert(mechanism)
        values: dict[str, float] = {}
        for paint in mine:
            if not isinstance(paint, Assign):
                continue
            if paint.ion and not h.ismembrane(f"{paint.ion}_ion", sec=section):
                continue
            name = self._variable(paint)
            if name:
                values.pop(name, None)
                values[name] = paint.value
        return mechanisms, list(values.items())

    def _variable(self, paint: Assign) -> str | None:
        if not paint.mechanism:
            return paint.variable
        if paint.variable == CONDUCTANCE:
            found = conductance_of(paint.mechanism)
        else:
            found = variable_of(paint.mechanism, f"{paint.variable}_{paint.mechanism}")
        if found is None:
            self._report.lost(
                "unknown-parameter",
                self._where,
                f"The mechanism {paint.mechanism} has no {paint.variable.strip('*')}; its value is not used.",
            )
        return found


def cable_maker(group: CellGroup, model: CableModel, lowered: LoweredNeuron, report: Report) -> Callable[[int], Cell]:
    """A function that makes the cell in one row of the group."""
    membrane = _Membrane(model, f"cells/{group.cell}", report)
    shapes: dict[int, Shape] = {}
    ids = lowered.ids[group.population]

    def make(index: int) -> Cell:
        code = int(group.morphology[index]) if group.morphology is not None else 0
        shape = shapes.get(code)
        if shape is None:
            shape = shapes[code] = _shape(group, code, model, lowered)
        owner = Owner(f"{group.population}[{ids[group.rows[index]]}]")
        sections = shape.make(owner)
        for section, row in zip(sections, shape.rows, strict=True):
            membrane.paint(section, row[1])
        soma = next((item for item, row in zip(sections, shape.rows, strict=True) if row[1] == Tag.SOMA), sections[0])
        return Cell(int(group.gids[index]), sections, soma, None, owner)

    return make


def _shape(group: CellGroup, code: int, model: CableModel, lowered: LoweredNeuron) -> Shape:
    name = group.morphologies[code]
    if lowered.shapes is None or name not in lowered.morphologies:
        raise RunError(f"the network has no morphology {name!r}", where=f"cells/{group.cell}")
    shape, cell = lowered.shapes(name, model.processing)
    return Shape(shape, cell.count)
