"""Places on cells of a NeuroML network as sections and positions of a SONATA circuit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population
from pynn_io.graph.section_form import on_sections

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Places:
    """cells: converted cell -> its morphology as SONATA has it; None for one without extent. network: as it was."""

    network: Network
    cells: Mapping[str, Morphology | None]

    def morphology(self, cell: str) -> Morphology | None:
        """The morphology of a converted cell."""
        return self.cells[cell]

    @staticmethod
    def place(morphology: Morphology, segment: np.ndarray, fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Section ids and positions of places on one morphology."""
        return on_sections(morphology, segment, fraction)

    def on_sections(
        self, population: Population, rows: np.ndarray, segment: np.ndarray | None, fraction: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Section ids and positions of places on cells, by ROW; the root's middle where nothing is stated."""
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[rows]
        section, at = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), MIDDLE)
        for number, name in enumerate(population.cells):
            here = np.flatnonzero(kind == number)
            morphology = self.cells.get(name)
            if morphology is None or not len(here):
                continue
            wanted = np.full(len(here), morphology.id[0])
            if segment is not None:
                wanted = np.ma.filled(np.ma.array(segment[here], dtype=np.int64), morphology.id[0])
            along = np.full(len(here), MIDDLE)
            if fraction is not None:
                along = np.ma.filled(np.ma.array(fraction[here], dtype=np.float64), MIDDLE)
            section[here], at[here] = on_sections(morphology, wanted, along)
        return section, at
