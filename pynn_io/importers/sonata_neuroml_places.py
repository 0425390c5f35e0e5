"""Places on cells that were NeuroML: sections and positions of a SONATA circuit as segments and fractions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pynn_io.errors import GraphError, ReadError
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population
from pynn_io.graph.section_form import on_segments, section_names, standing
from pynn_io.graph.sections import sections
from pynn_io.report import Report

#: Where a place is that nobody states: the middle of the root segment.
MIDDLE = 0.5


@dataclass(slots=True)
class Places:
    """defined: the network of the definitions, whose morphologies count. where: for errors."""

    network: Network
    defined: Network
    where: Path
    _standing: dict[str, Morphology] = field(default_factory=dict)

    def on_segments(
        self, population: Population, rows: np.ndarray, section: np.ndarray, at: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids of segments and fractions of places on cells, by ROW; a cell without extent has 0 and the middle.

        Raises ReadError for a section that a morphology does not have.
        """
        segment, along = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), MIDDLE)
        for here, morphology in self._parts(population, rows):
            try:
                segment[here], along[here] = on_segments(morphology, section[here], at[here])
            except GraphError as error:
                raise ReadError("; ".join([error.message, *error.problems]), where=self.where) from error
        return segment, along

    def of_section(self, population: Population, rows: np.ndarray, name: str) -> np.ndarray:
        """The number of the section of that name (``dend[3]``, ``soma``) on each cell, int64; -1: there is none."""
        wanted = name if name.endswith("]") else f"{name}[0]"
        found = np.zeros(len(rows), dtype=np.int64)
        for here, morphology in self._parts(population, rows):
            names = section_names(sections(morphology))
            found[here] = names.index(wanted) if wanted in names else -1
        return found

    def in_the_middle(self, population: Population, rows: np.ndarray, segment: np.ndarray, along: np.ndarray) -> bool:
        """Whether all places are what an unstated one means."""
        root = np.zeros(len(rows), dtype=np.int64)
        for here, morphology in self._parts(population, rows):
            root[here] = morphology.id[0]
        return bool((segment == root).all() and (along == MIDDLE).all())

    def _parts(self, population: Population, rows: np.ndarray) -> Iterator[tuple[np.ndarray, Morphology]]:
        """Which of the rows have a morphology of NeuroML, and that as SONATA sees it."""
        kind = np.asarray(population.type_index.read(population.size), dtype=np.int64)[rows]
        for number, name in enumerate(population.cells):
            cell = self.network.cells[name]
            key = str(cell.morphology) if isinstance(cell, CableCell) else ""
            here = np.flatnonzero(kind == number)
            if key in self.defined.morphologies and len(here):
                if key not in self._standing:
                    self._standing[key] = standing(self.defined.morphologies[key], Report())
                yield here, self._standing[key]
