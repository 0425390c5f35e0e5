"""What of a population a simulator of cables builds: its groups of cells, and by row the group and the morphology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.graph.network import Network
from pynn_io.lowering import Part, parts
from pynn_io.lowering.cables.decor import morphologies
from pynn_io.lowering.cables.models import CableModel, CellGroup, CellModel, SegmentModel, SourceModel
from pynn_io.lowering.refusal import ELSEWHERE, nothing_left
from pynn_io.report import Report

#: A simulator's own description of cells that are alike.
Kind = TypeVar("Kind")


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


def cell_groups(
    network: Network,
    simulated: Mapping[str, np.ndarray],
    first: Mapping[str, int],
    model_of: Callable[[Part], tuple[CellModel | None, Mapping[str, np.ndarray]]],
    refusal: Callable[[Part], str],
    title: str,
    report: Report,
) -> tuple[CellGroup, ...]:
    """The simulated cells, by population and definition. first: the gid of each population's row 0.

    model_of: a definition in the simulator's words, and what differs from cell to cell; a part without a model is LOST
    with the words of ``refusal``, and left out. Raises RunError where no cell but sources is left.
    """
    found, refused = [], []
    for population in network.populations.values():
        for part in parts(population, network, simulated[population.name]):
            model, own = model_of(part)
            if model is None:
                where = f"populations/{population.name}"
                refused.append(refusal(part))
                report.lost(cell_code(part.cell), where, refused[-1], count=part.size, examples=[part.cell_name])
                continue
            codes, names = morphologies(population, part)
            gids = part.rows + first[population.name]
            found.append(CellGroup(population.name, part.cell_name, model, part.rows, gids, codes, names, own))
    if refused and all(isinstance(group.model, SourceModel) for group in found):
        raise nothing_left(title, refused, ELSEWHERE)
    return tuple(found)


def cables_by_gid(
    groups: tuple[CellGroup, ...],
    size: int,
    of_components: Callable[[CellGroup, SegmentModel], Kind],
    of_regions: Callable[[CellGroup, CableModel, str], Kind],
) -> tuple[np.ndarray, list[Kind]]:
    """Which of the cables every gid is (int64[size]; -1: none), and these: one for every definition and morphology.

    of_regions: with the name of the morphology.
    """
    cable_of = np.full(size, -1, dtype=np.int64)
    cables: list[Kind] = []
    for group in groups:
        if isinstance(group.model, SegmentModel):
            cable_of[group.gids] = len(cables)
            cables.append(of_components(group, group.model))
        elif isinstance(group.model, CableModel) and group.morphology is not None:
            for code, name in enumerate(group.morphologies):
                cable_of[group.gids[group.morphology == code]] = len(cables)
                cables.append(of_regions(group, group.model, name))
    return cable_of, cables
