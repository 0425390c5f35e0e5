"""Sites that edges leave to the run, on cells of hoc templates: drawn when these stand, as their sections say.

The rule is that of `pynn_io.lowering.cables.placement`, over the compartments that the template made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.graph.segments import GROUP_OF_TAG, Tag
from pynn_io.lowering.cables.geometry import Compartments
from pynn_io.lowering.cables.models import DRAWN, SynapseBlock
from pynn_io.lowering.cables.placement import Generators, Rule, Targets, place, targets
from pynn_io.report import Report
from pynn_io.runners.neuron.release import by_cell, taken
from pynn_io.runners.neuron.sites import array_and_index

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Cell, Model

_TAGS = {array: tag for tag, array in GROUP_OF_TAG.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """One projection's. rules: by row of its types. generators: those of all cells, which go on between projections."""

    projection: str
    rules: Sequence[Rule | None]
    generators: Generators
    _cells: dict[int, Compartments] = field(default_factory=dict)
    _found: dict[tuple[int, int], Targets] = field(default_factory=dict)

    def located(self, model: Model, block: SynapseBlock, report: Report) -> SynapseBlock:
        """The block with a site for every synapse that has none yet; one without a possible place is LOST."""
        section, position = block.section.copy(), block.position.copy()
        for rows in by_cell(np.flatnonzero(section == DRAWN), block.target):
            self._draw(model.cells[int(block.target[rows[0]])], rows, block.model[rows], section, position)
        there = section != DRAWN
        report.lost(
            "synapse-site",
            f"projections/{self.projection}",
            "No compartment of the cell is in target_sections and distance_range; these edges have no synapse.",
            count=len(np.unique(block.edge[~there])),
        )
        block = replace(block, section=section, position=position)
        return block if there.all() else taken(block, there)

    def _draw(self, cell: Cell, rows: np.ndarray, kinds: np.ndarray, section: np.ndarray, position: np.ndarray) -> None:
        """Sites for the synapses in ``rows``, all of one cell; those without a place draw no number, as in BMTK."""
        allowed = {kind: self._allowed(cell, kind) for kind in np.unique(kinds).tolist()}
        possible = np.isin(kinds, [kind for kind, found in allowed.items() if len(found.index)])
        rows, kinds = rows[possible], kinds[possible]
        draws = self.generators.draw(cell.gid, len(rows)) if len(rows) else np.zeros(0)
        for kind in np.unique(kinds).tolist():
            here = kinds == kind
            chosen = place(allowed[kind], draws[here])
            compartments = self._cells[cell.gid]
            section[rows[here]], position[rows[here]] = compartments.section[chosen], compartments.x[chosen]

    def _allowed(self, cell: Cell, kind: int) -> Targets:
        found = self._found.get((cell.gid, kind))
        if found is None:
            compartments = self._cells.setdefault(cell.gid, compartments_of(cell))
            rule = self.rules[kind]
            if rule is None:
                raise KeyError(f"type {kind} of {self.projection} has no rule")
            found = self._found[cell.gid, kind] = targets(rule, compartments)
        return found


def compartments_of(cell: Cell) -> Compartments:
    """The compartments of a built cell, sections in the order of the template's list ``all``, as BMTK takes them.

    ``section`` counts as `Cell.sections`. Sections of arrays other than soma, axon, dend and apic have the tag 0.
    """
    from neuron import h

    numbers = {section: number for number, section in enumerate(cell.sections) if section is not None}
    origin, rows = cell.soma(0) if cell.soma is not None else None, []
    for section in _listed(cell):
        tag = _TAGS.get(array_and_index(section)[0], Tag.UNDEFINED)
        length = section.L / section.nseg
        rows += [(numbers[section], item.x, length, tag, h.distance(origin, item)) for item in section]
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    count = np.array([0 if section is None else section.nseg for section in cell.sections], dtype=np.int64)
    return Compartments(
        table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3].astype(np.int64), table[:, 4], count
    )


def _listed(cell: Cell) -> list[Any]:
    return list(cell.keep.all) if cell.sections else []
