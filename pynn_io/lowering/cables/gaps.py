"""Gap junctions of cable cells for simulators that have them: places and conductances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cables.couplings import Halves as Coupled
from pynn_io.lowering.cables.junctions import Halves
from pynn_io.lowering.cables.models import SynapseModel
from pynn_io.report import Report

#: NeuroML's gap junction, and its one parameter, uS.
_JUNCTION, _GAP = "neuroml:gapJunction", "conductance"


def junction(synapse: Synapse) -> SynapseModel | None:
    """A synapse that is a gap junction, as one without a mechanism; None for any other."""
    return SynapseModel("", {_GAP: float(synapse.parameters[_GAP])}) if synapse.model == _JUNCTION else None


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Halves of gap junctions, n of them. gids, section: int64[n]; position: float64[n]; conductance: float64[n], uS.

    own, other: numbers of the place itself and of the one whose potential it sees, int64[n].
    """

    gids: np.ndarray
    section: np.ndarray
    position: np.ndarray
    conductance: np.ndarray
    own: np.ndarray
    other: np.ndarray


def gaps(
    halves: Sequence[Halves], coupled: Sequence[Coupled], cable: np.ndarray, simulator: str, report: Report
) -> Gaps:
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
    message = (
        f"Couplings of cells without extent, at 3-D points, and with other equations are not built on {simulator}."
    )
    report.lost("gap-junction", "projections", message, count=int((~alive).sum()))
    return Gaps(gids[alive], section[alive], position[alive], conductance[alive], own[alive], other[alive])


def _columns(item: Halves) -> tuple[np.ndarray, ...]:
    return item.gids, item.sections, item.own, item.other, item.positions, item.conductances


def _coupled(item: Coupled) -> tuple[np.ndarray, ...]:
    """Couplings of NeuroML: gap junctions with their conductance, NaN for others."""
    strength = np.array([np.nan if model is None else model.parameters.get(_GAP, np.nan) for model in item.models])
    return item.gids, item.section, item.own, item.other, item.position, item.weight * strength[item.kind]
