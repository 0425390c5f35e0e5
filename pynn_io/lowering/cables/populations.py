"""What of a population stands in NEURON: by row, the group of cells and the morphology in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering.cables.models import CellGroup


@dataclass(slots=True, eq=False)
class Cells:
    """The cells of one population, by row.

    group: int64[n], index into ``groups``, -1 for rows that are not built. morphology: int64[n], code in the group.
    """

    first: int
    groups: list[CellGroup]
    group: np.ndarray
    morphology: np.ndarray


def cells_of(network: Network, first: Mapping[str, int], groups: tuple[CellGroup, ...]) -> dict[str, Cells]:
    """`Cells` of every population."""
    found = {}
    for name, population in network.populations.items():
        group, code = np.full(population.size, -1, dtype=np.int64), np.zeros(population.size, dtype=np.int64)
        mine = [item for item in groups if item.population == name]
        for number, item in enumerate(mine):
            group[item.rows] = number
            if item.morphology is not None:
                code[item.rows] = item.morphology
        found[name] = Cells(first[name], mine, group, code)
    return found
