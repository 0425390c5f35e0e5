"""Section ids from one way of counting into the other, for a block of edges at a time and without a loop over cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pynn_io.errors import PynnIOError, ReadError
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import AXON_REPLACED, Tag, remap_sections, sections
from pynn_io.graph.network import Network, Population
from pynn_io.graph.sections import STUBS
from pynn_io.report import Report

#: What a section without a counterpart is written as: the middle of the soma.
SOMA, MIDDLE = 0, 0.5


class SectionMap:
    """Section ids of the cells of one population, from ``source`` to ``target`` order.

    One table of all morphologies, in which a cell's own part begins at its offset. unknown: how many ids so far are on
    no section of their cell.
    """

    def __init__(self, population: Population, network: Network, source: str, target: str) -> None:
        names, self._number = morphology_numbers(population, network)
        tables = [_table(network, name, source, target) for name in names]
        self._sizes = np.array([len(table) for table in tables] or [0], dtype=np.int64)
        self._offsets = np.concatenate([[0], np.cumsum(self._sizes)])[:-1].astype(np.int64)
        self._table = np.concatenate([*tables, np.zeros(0, dtype=np.int64)])
        self.unknown = 0

    def __call__(self, rows: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``(new ids, where there is no counterpart)``. rows: of the population. A masked id, or one on a cell without
        morphology, or on no section of it, stays as it is."""
        plain = np.ma.filled(ids, 0).astype(np.int64, copy=False)
        number = self._number[rows]
        kept = (number < 0) | np.ma.getmaskarray(ids)
        safe = np.where(kept, 0, number)
        wrong = ~kept & ((plain < 0) | (plain >= self._sizes[safe]))
        self.unknown += int(np.count_nonzero(wrong))
        kept |= wrong
        safe[wrong] = 0
        if not len(self._table):
            return plain, np.zeros(len(plain), dtype=bool)
        mapped = self._table[self._offsets[safe] + np.where(kept, 0, plain)]
        gone = ~kept & (mapped < 0)
        return np.where(kept, plain, np.where(gone, SOMA, mapped)), gone


def section_map(
    population: Population, network: Network, source: str, target: str, where: str, report: Report
) -> SectionMap | None:
    """The map, or None, and reported, where a morphology cannot be read."""
    try:
        return SectionMap(population, network, source, target)
    except (ReadError, KeyError) as error:
        reason = error.message if isinstance(error, PynnIOError) else f"there is no morphology {error}"
        report.approximated(
            "section-order",
            where,
            f"section ids count in the order {source!r}, this dialect means {target!r}; they could not be counted "
            f"anew, because a morphology cannot be read ({reason}). They are written as they are",
            examples=["section_order", "afferent_section_id", "efferent_section_id"],
        )
        return None


def morphology_numbers(population: Population, network: Network) -> tuple[list[str], np.ndarray]:
    """The morphologies of a population and the number of each cell's, -1 for a cell without."""
    size = population.size
    names: list[str] = []
    by_type = np.full(max(population.types.size, 1), -1, dtype=np.int64)
    for row, cell_name in enumerate(population.cells):
        cell = network.cells[cell_name]
        if isinstance(cell, CableCell) and cell.morphology is not None:
            if cell.morphology not in names:
                names.append(cell.morphology)
            by_type[row] = names.index(cell.morphology)
    numbers = by_type[population.type_index.read(size)]
    column = population.table.get("morphology")
    if column is not None and column.levels is not None:
        known: Mapping[str, int] = {name: at for at, name in enumerate(dict.fromkeys([*names, *column.levels]))}
        codes = np.array([known[level] for level in column.levels] + [-1], dtype=np.int64)
        own = codes[np.ma.filled(column.read(size), -1)]
        numbers = np.where(own >= 0, own, numbers)
        names = list(known)
    used = np.unique(numbers[numbers >= 0])
    new = np.full(len(names) + 1, -1, dtype=np.int64)
    new[used] = np.arange(len(used))
    return [names[at] for at in used.tolist()], new[numbers]


def _table(network: Network, name: str, source: str, target: str) -> np.ndarray:
    morphology = network.morphologies[name]
    derived = sections(morphology)
    size = derived.size
    if source == AXON_REPLACED:
        size = int(np.count_nonzero(derived.tag != Tag.AXON)) + STUBS
    return np.ma.filled(remap_sections(morphology, np.arange(size), source=source, target=target), -1)
