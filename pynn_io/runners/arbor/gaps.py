"""Gap junctions of cable cells in Arbor's words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pynn_io.lowering.cables.couplings import Halves as Coupled
from pynn_io.lowering.cables.junctions import Halves
from pynn_io.report import Report
from pynn_io.runners.arbor.components import GAP
from pynn_io.runners.arbor.lowered import Gaps


def gaps(halves: Sequence[Halves], coupled: Sequence[Coupled], cable: np.ndarray, report: Report) -> Gaps:
    """The halves on cable cells whose other side is on one, too; others are LOST."""
    columns = [*map(_columns, halves), *map(_coupled, coupled)]
    gids, section, own, other = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(column[number] for column in columns)]) for number in range(4)
    )
    position, conductance = (
        np.concatenate([np.zeros(0), *(column[number] for column in columns)]) for number in (4, 5)
    )
    possible = (cable[gids] >= 0) & ~np.isnan(position) & ~np.isnan(conductance)
    alive = possible & np.isin(other, own[possible])
    message = "Couplings of cells without extent, at 3-D points, and with other equations are not built on Arbor."
    report.lost("gap-junction", "projections", message, count=int((~alive).sum()))
    return Gaps(gids[alive], section[alive], position[alive], conductance[alive], own[alive], other[alive])


def _columns(item: Halves) -> tuple[np.ndarray, ...]:
    return item.gids, item.sections, item.own, item.other, item.positions, item.conductances


def _coupled(item: Coupled) -> tuple[np.ndarray, ...]:
    """Couplings of NeuroML: gap junctions with their conductance, NaN for others."""
    strength = np.array([np.nan if model is None else model.parameters.get(GAP, np.nan) for model in item.models])
    return item.gids, item.section, item.own, item.other, item.position, item.weight * strength[item.kind]
