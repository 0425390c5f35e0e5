"""Gap junctions: ohmic halves that see each other's potential.

OBI files hold a half an edge, with the numbers of its own site and of the site that it sees (``afferent_junction_id``,
``efferent_junction_id``). An Allen edge (``is_gap_junction``) is both halves: one on the target, one on the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import GraphError
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.cables.components import SCHEME
from pynn_io.report import Report
from pynn_io.units import convert

_COLUMNS = tuple(
    f"{side}_{name}"
    for side in ("afferent", "efferent")
    for name in ("section_id", "section_pos", "segment_id", "segment_offset", "junction_id")
)


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Halves of gap junctions of one projection, n of them.

    gids: cells that they are on. sections, positions: where; a NaN position is ``offsets`` um beyond the 3-D point
    ``segments``. conductances: uS. own, other: numbers of the site itself and of the one whose potential it sees.
    """

    projection: str
    gids: np.ndarray
    sections: np.ndarray
    positions: np.ndarray
    segments: np.ndarray
    offsets: np.ndarray
    conductances: np.ndarray
    own: np.ndarray
    other: np.ndarray


def is_electrical(projection: Projection) -> bool:
    """Whether the edges of a projection are gap junctions, in either dialect."""
    if projection.kind == "electrical":
        return True
    column = projection.types.get("is_gap_junction")
    if column is None:
        return False
    return bool(projection.types.size) and all(_true(value) for value in column.values(projection.types.size).tolist())


def is_coupling(projection: Projection, network: Network) -> bool:
    """Whether a projection is one of NeuroML's electrical or continuous ones."""
    if projection.kind not in ("electrical", "graded"):
        return False
    return all(network.synapses[name].model.startswith(SCHEME) for name in projection.synapses)


def lower(
    network: Network, built: Mapping[str, np.ndarray], first: Mapping[str, int], report: Report
) -> tuple[Halves, ...]:
    """The halves between cells that are built (bool by row, by population).

    Reports halves whose other side is not simulated (``gap-junction``, LOST). Raises GraphError for OBI halves without
    a counterpart in the network.
    """
    found: list[Halves] = []
    free = 0
    bases: dict[frozenset[str], int] = {}
    for projection in network.projections.values():
        if not is_electrical(projection) or is_coupling(projection, network):
            continue
        halves = _read(projection, network, first)
        alive = built[projection.pre][halves[0]] & built[projection.post][halves[1]]
        report.lost(
            "gap-junction",
            f"projections/{projection.name}",
            "Gap junctions with cells that are not simulated are left out.",
            count=int((~alive).sum()),
        )
        numbers, made, unstated = halves[2:]
        paired = "afferent_junction_id" in {*projection.edges.columns, *projection.types}
        _name_unstated(projection, int((unstated & (alive if paired else np.tile(alive, 2))).sum()), report)
        base = bases.setdefault(frozenset({projection.pre, projection.post}), free) if paired else free
        made = _numbered(made, numbers, base, paired, alive)
        free = max([free, *(int(values.max(initial=-1)) + 1 for values in (made.own, made.other))])
        found.append(made)
    _check(found)
    return tuple(found)


def _read(
    projection: Projection, network: Network, first: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray], Halves, np.ndarray]:
    """Source rows, target rows, the file's numbers of both sites, the halves of all edges, which state no section."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("source", "target", "weight", "type", *_COLUMNS)}
    for _, _, rows in projection.blocks(["weight", *_COLUMNS]):
        for name, values in parts.items():
            if name in rows:
                values.append(np.ma.filled(np.ma.asarray(rows[name], dtype=np.float64), np.nan))
    table = {name: np.concatenate(values) for name, values in parts.items() if values}
    size = projection.size
    none = np.full(size, np.nan)
    source, target = (table.get(end, np.zeros(0)).astype(np.int64) for end in ("source", "target"))
    weight = table.get("weight", np.zeros(size)) * _scales(projection)[table.get("type", np.zeros(size)).astype(int)]
    sections = table.get("afferent_section_id", none)
    unstated = np.isnan(sections)
    halves = Halves(
        projection.name,
        target + first[projection.post],
        _whole(sections),
        table.get("afferent_section_pos", none if "afferent_segment_id" in table else np.full(size, 0.5)),
        _whole(table.get("afferent_segment_id", np.zeros(size))),
        np.maximum(np.nan_to_num(table.get("afferent_segment_offset", np.zeros(size))), 0.0),
        weight,
        np.zeros(size, dtype=np.int64),
        np.zeros(size, dtype=np.int64),
    )
    numbers = (table.get("afferent_junction_id", none), table.get("efferent_junction_id", none))
    if "afferent_junction_id" not in table:
        there = table.get("efferent_section_id", sections)
        unstated = np.concatenate([unstated, np.isnan(there)])
        other = (
            _whole(there),
            table.get("efferent_section_pos", halves.positions),
        )
        halves = _both(halves, source + first[projection.pre], *other)
    return source, target, numbers, halves, unstated


def _name_unstated(projection: Projection, count: int, report: Report) -> None:
    """Sites without a section are on the soma; a rule that would draw one is not followed: that changes the model."""
    where, kept = f"projections/{projection.name}", "they are put on the soma, which is section 0."
    if "target_sections" in {*projection.edges.columns, *projection.types}:
        message = f"Sites of gap junctions are not drawn by target_sections; {kept}"
        report.approximated("junction-section", where, message, count=count)
    else:
        report.defaulted("junction-section", where, f"Sites of gap junctions state no section; {kept}", count=count)


def _both(halves: Halves, gids: np.ndarray, sections: np.ndarray, positions: np.ndarray) -> Halves:
    """Afferent halves, then those on the sources (BMTK: at the same section number where the file states no other)."""
    return Halves(
        halves.projection,
        np.concatenate([halves.gids, gids]),
        np.concatenate([halves.sections, sections]),
        np.concatenate([halves.positions, positions]),
        np.tile(halves.segments, 2),
        np.tile(halves.offsets, 2),
        np.tile(halves.conductances, 2),
        np.zeros(2 * len(gids), dtype=np.int64),
        np.zeros(2 * len(gids), dtype=np.int64),
    )


def _numbered(
    halves: Halves, numbers: tuple[np.ndarray, np.ndarray], base: int, paired: bool, alive: np.ndarray
) -> Halves:
    """Halves of edges that are ``alive``, with numbers that no other pair of populations has."""
    size = len(alive)
    if paired:
        own, other = (base + _whole(values) for values in numbers)
        keep = alive
    else:
        own = base + np.arange(2 * size, dtype=np.int64)
        other = base + np.concatenate([np.arange(size, 2 * size), np.arange(size)]).astype(np.int64)
        keep = np.tile(alive, 2)
    return Halves(
        halves.projection,
        halves.gids[keep],
        halves.sections[keep],
        halves.positions[keep],
        halves.segments[keep],
        halves.offsets[keep],
        halves.conductances[keep],
        own[keep],
        other[keep],
    )


def _check(found: list[Halves]) -> None:
    """Every site that is seen must be there, once."""
    own = np.concatenate([np.zeros(0, dtype=np.int64), *(item.own for item in found)])
    other = np.concatenate([np.zeros(0, dtype=np.int64), *(item.other for item in found)])
    lonely = ~np.isin(other, own)
    if lonely.any():
        raise GraphError(
            f"{int(lonely.sum())} gap junction halves see a site that no edge has",
            problems=[f"junction id {value}" for value in other[lonely][:5].tolist()],
            hint="each efferent_junction_id must be the afferent_junction_id of the edge of the other half",
        )
    if len(np.unique(own)) < len(own):
        raise GraphError("several gap junction halves have the same afferent_junction_id")


def _scales(projection: Projection) -> np.ndarray:
    """What makes a stated conductance uS, by row of the types; without a unit it is uS."""
    if "weight_unit" not in projection.types:
        return np.ones(projection.types.size)
    units = projection.types.values("weight_unit").tolist()
    return np.array([float(convert(1.0, str(unit), "uS")) if unit in ("nS", "uS") else 1.0 for unit in units])


def _whole(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values).astype(np.int64)


def _true(value: object) -> bool:
    return value in (True, 1, "1", "True", "true", "TRUE")
