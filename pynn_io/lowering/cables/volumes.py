"""The compartments of a NeuroML cell, and the numbers that what is on its segments has in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.lowering.evaluate import value
from pynn_io.lowering.membrane import SegmentModel, Spread
from pynn_io.lowering.segment_shape import SegmentShape

#: Values of whole sections.
_OF_SECTIONS = frozenset({"Ra"})


@dataclass(slots=True, eq=False)
class Volumes:
    """c compartments, those of a section together, sections in order.

    section: int64[c]; row: int64[c], the segment in which the middle of each lies; path: float64[c], um from the root.
    begin, end: float64[c], the part of the section that each is.
    """

    shape: SegmentShape
    section: np.ndarray = field(init=False)
    begin: np.ndarray = field(init=False)
    end: np.ndarray = field(init=False)
    row: np.ndarray = field(init=False)
    path: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        shape, count = self.shape, self.shape.count
        self.section = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(self.section)) - np.repeat(np.cumsum(count) - count, count)
        self.begin, self.end = within / count[self.section], (within + 1) / count[self.section]
        rows = [shape.rows_at(section) for section in range(len(count))]
        self.row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        middle = (self.begin + self.end) / 2
        self.path = shape.start[self.section] + middle * shape.geometry.length[self.section]

    def numbers(self, spread: Spread, parameters: Mapping[str, float]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Where a mechanism is (int64[k], compartments), and its parameters there, float64[k] each."""
        here = np.flatnonzero(np.isin(self.row, spread.rows))
        table = {name: np.full(len(here), number) for name, number in parameters.items()}
        for each in spread.varying:
            inside = np.isin(self.row[here], each.rows)
            path = (self.path[here] - each.start) / each.scale
            values = np.broadcast_to(np.asarray(value(each.value, {each.variable: path})), path.shape) * each.factor
            table[each.parameter] = np.where(inside, values, table.get(each.parameter, np.zeros(len(here))))
        return here, table

    def values(self, model: SegmentModel) -> dict[str, np.ndarray]:
        """Values of compartments by variable (``cm Ra v``), the last statement of each, float64[c]; NaN: none."""
        table: dict[str, np.ndarray] = {}
        for name, rows, number in model.values:
            here = np.isin(self.row, rows)
            if name in _OF_SECTIONS:
                here = np.isin(self.section, self.section[here])
            values = table.setdefault(name, np.full(len(self.row), np.nan))
            values[here] = number
        return table
