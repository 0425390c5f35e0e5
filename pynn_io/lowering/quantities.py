"""Quantity paths of LEMS (``pop[0]/v``, ``pop/0/cell/3/v``): which cell, which segment, and what of it.

Both spellings of a cell are read: ``pop[0]`` and, for a population whose instances are listed, ``pop/0/component``
(LEMS, ``quantity`` of an OutputColumn; a segment id may follow for a cell with a morphology).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.cells import CableCell, Cell
from pynn_io.graph.network import Network, Population
from pynn_io.graph.sections import position
from pynn_io.lowering.surroundings import surroundings
from pynn_io.results.results import QuantityTable, Trace

_SHORT = re.compile(r"(?:\.\./)*(\w+)\[(\d+)\](?:/(.*))?")
_LONG = re.compile(r"(?:\.\./)*(\w+)/(\d+)/(\w+)(?:/(.*))?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One variable of one cell.

    row: of the population. segment: NeuroML segment id; None where the path names none (the root's, or no segment).
    parts: what follows, without the last (``("biophys", "membraneProperties", "naChans", "naChan", "m")``);
    variable: the last (``q``). Both are empty for a path that names the cell alone (an ``<EventSelection>``).
    """

    population: str
    row: int
    segment: int | None
    parts: tuple[str, ...]
    variable: str

    @property
    def path(self) -> str:
        """What stands behind the cell and its segment."""
        return "/".join((*self.parts, self.variable))


def quantity(path: str, network: Network, *, where: object = "") -> Quantity:
    """What a path means in a network.

    Raises PlanError (``where``) for one that cannot be read, an unknown population, a cell that the population does not
    have, a component that its cells are not, or a segment that their morphology does not have.
    """
    short, long = _SHORT.fullmatch(path), _LONG.fullmatch(path)
    match = short or long
    if match is None:
        raise PlanError(f"{path!r} is not a path of a quantity", where=where, hint="such as pop[0]/v or pop/0/cell/v")
    population = network.populations.get(match[1])
    if population is None:
        raise PlanError(
            f"{path!r}: there is no population {match[1]!r}",
            where=where,
            hint=f"populations: {', '.join(network.populations)}",
        )
    row = _row(population, int(match[2]), path, where)
    if long is not None and match[3] not in population.cells:
        raise PlanError(
            f"{path!r}: the cells of {population.name!r} are {', '.join(population.cells)}, not {match[3]}", where=where
        )
    rest = (match[3] if short is not None else match[4]) or ""
    parts = [part for part in rest.split("/") if part]
    segment = None
    if parts and parts[0].isdigit():
        segment = int(parts.pop(0))
        _check_segment(population, row, segment, network, path, where)
    return Quantity(population.name, row, segment, tuple(parts[:-1]), parts[-1] if parts else "")


def _row(population: Population, number: int, path: str, where: object) -> int:
    """The row of an instance, whose number is its id."""
    rows = np.flatnonzero(population.ids() == number)
    if not len(rows):
        raise PlanError(f"{path!r}: the population {population.name!r} has no cell {number}", where=where)
    return int(rows[0])


def _check_segment(population: Population, row: int, segment: int, network: Network, path: str, where: object) -> None:
    cell = cell_of(population, row, network)
    if not isinstance(cell, CableCell) or cell.morphology is None:
        raise PlanError(f"{path!r}: cells without a morphology have no segment {segment}", where=where)
    if segment not in network.morphologies[cell.morphology].id:
        raise PlanError(f"{path!r}: the morphology {cell.morphology!r} has no segment {segment}", where=where)


def traces(table: QuantityTable, network: Network) -> tuple[Trace, ...]:
    """The membrane potentials of a table as traces, one a population, in mV; other variables stand in the table alone.

    A cell with a morphology is recorded at the middle of the segment that its path names, else of the root segment.
    A column of what stands around the network (its ``temperature``) is of no cell.
    Raises PlanError for a path that cannot be read.
    """
    outside = surroundings(network) is not None
    found: dict[str, list[tuple[int, Quantity]]] = {}
    for number, (_, path) in enumerate(table.columns):
        if outside and path.isidentifier():
            continue
        what = quantity(path, network, where=table.name)
        if what.variable == "v" and not what.parts:
            found.setdefault(what.population, []).append((number, what))
    return tuple(_trace(table, network, name, columns) for name, columns in found.items())


def _trace(table: QuantityTable, network: Network, name: str, columns: list[tuple[int, Quantity]]) -> Trace:
    population = network.populations[name]
    numbers = [number for number, _ in columns]
    places = [_place(what, population, network) for _, what in columns]
    extended = any(place is not None for place in places)
    section, pos = zip(*(place or (0, 0.5) for place in places), strict=True)
    times = table.times
    return Trace(
        report=table.name,
        population=name,
        variable="v",
        unit="mV",
        data=table.data[:, numbers] * 1000,
        node_ids=population.ids()[[what.row for _, what in columns]],
        start=float(times[0]) if len(times) else 0.0,
        interval=float((times[-1] - times[0]) / (len(times) - 1)) if len(times) > 1 else 0.0,
        section_ids=np.array(section, dtype=np.int64) if extended else None,
        section_pos=np.array(pos, dtype=np.float64) if extended else None,
    )


def _place(what: Quantity, population: Population, network: Network) -> tuple[int, float] | None:
    """Section and position of a quantity; None for a cell without a morphology."""
    cell = cell_of(population, what.row, network)
    if not isinstance(cell, CableCell) or cell.morphology is None:
        return None
    morphology = network.morphologies[cell.morphology]
    row = 0 if what.segment is None else int(np.flatnonzero(morphology.id == what.segment)[0])
    section, pos = position(morphology, np.array([row]), np.array([0.5]))
    return int(section[0]), float(pos[0])


def cell_of(population: Population, row: int, network: Network) -> Cell:
    """What the cell in a row of a population is."""
    return network.cells[population.cells[int(population.type_index.read(population.size)[row])]]
