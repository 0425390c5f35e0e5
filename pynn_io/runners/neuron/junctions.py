"""Gap junctions on built cells: halves see each other's potential through ParallelContext, on any number of ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pynn_io.lowering.cables.junctions import Halves
from pynn_io.report import Report

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Model

#: Our mechanism: a conductance towards ``vgap``, uS.
MECHANISM = "pynn_io_gap"


def needs(found: tuple[Halves, ...]) -> dict[str, tuple[str, ...]]:
    """The mechanism of gap junctions, with the projections that need it."""
    names = tuple(f"gap junctions of {item.projection}" for item in found if len(item.gids))
    return {MECHANISM: names} if names else {}


def make(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """The halves of this rank's cells. Reports sites on sections that a cell does not have (LOST)."""
    from neuron import h

    from pynn_io.runners.neuron.release import along

    context = h.ParallelContext()
    for halves in lowered.junctions:
        lost = 0
        for row, gid in enumerate(halves.gids.tolist()):
            cell = model.cells.get(gid)
            if cell is None:
                continue
            number = int(halves.sections[row])
            section = cell.sections[number] if number < len(cell.sections) else None
            if section is None:
                section, lost = cell.soma, lost + 1
            position = float(halves.positions[row])
            if np.isnan(position):
                position = along(section, int(halves.segments[row]), float(halves.offsets[row]))
            segment = section(position)
            gap = getattr(h, MECHANISM)(segment)
            gap.g = float(halves.conductances[row])
            context.source_var(segment._ref_v, int(halves.own[row]), sec=section)
            context.target_var(gap, gap._ref_vgap, int(halves.other[row]))
            model.keep.append(gap)
        report.approximated(
            "gap-junction-site",
            f"projections/{halves.projection}",
            "Gap junctions lie on sections that the cell does not have; they are put on its soma.",
            count=lost,
        )
    if lowered.junctions:
        context.setup_transfer()
