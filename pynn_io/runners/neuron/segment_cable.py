"""Cable cells of NeuroML in NEURON: sections from segments, and what is on the membrane of each compartment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn_io.errors import RunError
from pynn_io.lowering.cables.models import CellGroup, SegmentModel
from pynn_io.lowering.evaluate import value
from pynn_io.lowering.membrane import AMOUNTS, Spread
from pynn_io.lowering.segment_shape import SegmentShape
from pynn_io.runners.neuron.cable import Owner, Shape
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.model import Cell

#: Variables of a whole section.
_OF_SECTIONS = frozenset({"Ra"})
#: What to set where: name of the attribute, and one value for the section or one a compartment.
_Setting = tuple[str, float | np.ndarray]


class _Membrane:
    """What every section of a cell gets, worked out once."""

    def __init__(self, model: SegmentModel, shape: SegmentShape) -> None:
        size = shape.geometry.size
        self.mechanisms: list[list[str]] = [[] for _ in range(size)]
        self.settings: list[list[_Setting]] = [[] for _ in range(size)]
        self.potentials: list[float | np.ndarray | None] = [None] * size
        for section in range(size):
            self._section(section, model, shape)

    def _section(self, section: int, model: SegmentModel, shape: SegmentShape) -> None:
        rows = shape.rows_at(section)
        for spread in model.spreads:
            here = np.isin(rows, spread.rows)
            if here.any():
                new = spread.mechanism not in self.mechanisms[section]
                self.mechanisms[section].append(spread.mechanism)
                self._spread(section, spread, here, new, shape)
        for name, wanted, number in model.values:
            here = np.isin(rows, wanted)
            if not here.any():
                continue
            if name == "v":
                before = self.potentials[section]
                self.potentials[section] = number if here.all() else np.where(here, number, before or number)
            elif name in _OF_SECTIONS or here.all():
                self.settings[section].append((name, number))
            else:
                self.settings[section].append((name, np.where(here, number, np.nan)))

    def _spread(self, section: int, spread: Spread, here: np.ndarray, new: bool, shape: SegmentShape) -> None:
        """A mechanism is in the whole of a section: where it is not wanted there is nothing of it.

        Its other numbers stand there too, since equations of zeros give no numbers.
        """
        for name, number in spread.parameters.items():
            other = (0.0 if name in AMOUNTS else number) if new else np.nan
            values = number if here.all() else np.where(here, number, other)
            self.settings[section].append((f"{name}_{spread.mechanism}", values))
        for each in spread.varying:
            centres = shape.centres(section) * shape.geometry.length[section]
            path = (shape.start[section] + centres - each.start) / each.scale
            inside = np.isin(shape.rows_at(section), each.rows)
            values = np.broadcast_to(np.asarray(value(each.value, {each.variable: path})), path.shape) * each.factor
            attribute = f"{each.parameter}_{spread.mechanism}"
            self.settings[section].append((attribute, np.where(inside, values, np.nan)))


def segment_maker(group: CellGroup, model: SegmentModel, lowered: LoweredNeuron) -> Callable[[int], Cell]:
    """A function that makes the cell in one row of the group."""
    name = group.morphologies[0] if group.morphologies else ""
    if lowered.segments is None or name not in lowered.morphologies:
        raise RunError(f"the network has no morphology {name!r}", where=f"cells/{group.cell}")
    shape = lowered.segments(name)
    blueprint = Shape(shape.geometry, shape.count)
    membrane = _Membrane(model, shape)
    section_of_root, at = (values[0] for values in shape.place(np.array([0]), np.array([0.5])))
    ids = lowered.ids[group.population]

    def make(index: int) -> Cell:
        owner = Owner(f"{group.population}[{ids[group.rows[index]]}]")
        sections = blueprint.make(owner)
        potentials: list[tuple[Any, float]] = []
        for number, section in enumerate(sections):
            for mechanism in membrane.mechanisms[number]:
                section.insert(mechanism)
            for attribute, values in membrane.settings[number]:
                _set(section, attribute, values)
            potentials += _potentials(section, membrane.potentials[number])
        soma = sections[int(section_of_root)]
        return Cell(
            int(group.gids[index]),
            sections,
            soma,
            None,
            owner,
            soma(float(at)),
            threshold=model.threshold,
            potentials=tuple(potentials),
        )

    return make


def _set(section: Any, attribute: str, values: float | np.ndarray) -> None:
    if not isinstance(values, np.ndarray):
        setattr(section, attribute, values)
        return
    for segment, number in zip(section, values.tolist(), strict=True):
        if number == number:  # NaN: not stated here
            setattr(segment, attribute, number)


def _potentials(section: Any, values: float | np.ndarray | None) -> list[tuple[Any, float]]:
    if values is None:
        return []
    numbers = np.broadcast_to(values, section.nseg).tolist()
    return list(zip(section, numbers, strict=True))
