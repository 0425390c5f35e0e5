"""What there is to draw of a run: groups of cells with their spikes, rates over time, a few traces of each recording.

Plain values; `pynn_io.show.plot_results` draws them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.columns import Column
from pynn_io.graph.network import Network, Population
from pynn_io.results import Results, Trace
from pynn_io.show.summary import cell_groups

#: Cells in a raster, and spikes in it, at most: more make a file slow and a picture no clearer.
CELLS, SPIKES = 3000, 150_000
#: Groups told apart; populations whose types would make more are one group each.
GROUPS = 16
#: Recordings, cells of each, places on a cell, and samples of a trace that are drawn at most.
RECORDINGS, TRACED, PLACES, SAMPLES = 6, 5, 4, 6000
BINS = 200

EXCITATORY, INHIBITORY = "excitatory", "inhibitory"
#: Columns that say what a cell does to others: Allen's, and the OBI extension's.
_ROLE_COLUMNS = ("ei", "synapse_class")
_ROLES = {"e": EXCITATORY, "i": INHIBITORY}
_ROLE_IN_NAME = re.compile(r"(?<![a-z])(?:(exc|e(?=\d|$|_))|(inh|i(?=\d|$|_)))", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Cells told apart from others.

    role: excitatory, inhibitory, or empty where nothing says so. nodes: int64, their ids, ascending. cells, times: one
    entry a spike: the place of its cell in ``nodes``, and ms.
    """

    label: str
    population: str
    role: str
    nodes: np.ndarray
    cells: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One trace, thinned out to what a picture can show. ``cell``: its node id; ``place``: where on the cell."""

    cell: int
    place: str
    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A few cells of one recording of one population. ``cells``: how many it has."""

    report: str
    population: str
    variable: str
    unit: str
    cells: int
    lines: tuple[tuple[Line, ...], ...]


def groups(results: Results, network: Network | None = None) -> list[Group]:
    """Every population with cells or spikes, split by cell type or by what its cells do to others, as far as known.

    Sorted as the network has them, excitatory cells of a population first.
    """
    known = cell_groups(network) if network is not None else {}
    if sum(len(labels) for labels, _ in known.values()) > GROUPS and network is not None:
        known = cell_groups(network, limit=0)
    found: list[Group] = []
    for name in dict.fromkeys([*results.nodes, *results.spikes]):
        spikes = results.spikes.get(name)
        ids = np.empty(0, np.int64) if spikes is None else spikes.node_ids
        times = np.empty(0) if spikes is None else spikes.times
        nodes = np.union1d(results.nodes.get(name, ids), ids)
        labels, roles, number = _split(name, nodes, network, known)
        place = np.searchsorted(nodes, ids)
        own = [_group(*one, name, nodes, number, place, times) for one in enumerate(zip(labels, roles, strict=True))]
        found += sorted(own, key=lambda group: group.role)  # "" < excitatory < inhibitory
    return [group for group in found if len(group.nodes)]


def _group(
    index: int,
    named: tuple[str, str],
    population: str,
    nodes: np.ndarray,
    number: np.ndarray,
    place: np.ndarray,
    times: np.ndarray,
) -> Group:
    label, role = named
    label = label if label == population or len(population) > 12 else f"{population}: {label}"
    of_group = number == index
    rank = np.cumsum(of_group) - 1
    own = of_group[place] if len(place) else np.zeros(0, dtype=bool)
    return Group(label, population, role, nodes[of_group], rank[place[own]], times[own])


def _split(
    name: str, nodes: np.ndarray, network: Network | None, known: Mapping[str, tuple[tuple[str, ...], Column]]
) -> tuple[tuple[str, ...], list[str], np.ndarray]:
    """Labels and roles of the groups of a population, and the group of each node."""
    one = np.zeros(len(nodes), dtype=np.int64)
    if network is None or name not in network.populations:
        return (name,), [_role_of_name(name)], one
    population = network.populations[name]
    ids = population.ids()
    order = np.argsort(ids, kind="stable")
    rows = order[np.minimum(np.searchsorted(ids, nodes, sorter=order), len(ids) - 1)]
    labels, index = known[name]
    stated = _roles(population)
    if len(labels) > 1:
        number = index.read(population.size)[rows]
        roles = [_role(stated, rows[number == one]) or _role_of_name(label) for one, label in enumerate(labels)]
        return labels, roles, number
    if stated is not None and len(np.unique(stated[rows])) > 1:
        kinds, number = np.unique(stated[rows], return_inverse=True)
        return tuple(kind or name for kind in kinds), list(kinds), number
    return labels, [_role(stated, rows) or _role_of_name(name)], one


def _roles(population: Population) -> np.ndarray | None:
    """The role of every row, as the population's columns state it; None where none does."""
    for name in _ROLE_COLUMNS:
        column = population.column(name)
        if column is not None and column.is_text:
            kinds, index = np.unique(column.values(population.size).astype(str), return_inverse=True)
            return np.array([_ROLES.get(kind[:1].lower(), "") for kind in kinds])[index]
    return None


def _role(stated: np.ndarray | None, rows: np.ndarray) -> str:
    found = set() if stated is None else set(stated[rows].tolist())
    return found.pop() if len(found) == 1 else ""


def _role_of_name(label: str) -> str:
    """``exc``, ``L4_Exc``, ``e23``: a name that says it."""
    found = _ROLE_IN_NAME.search(label)
    if found is None:
        return ""
    return EXCITATORY if found.group(1) else INHIBITORY


def thinning(found: list[Group]) -> int:
    """Every how many-th cell a raster can show."""
    cells = sum(len(group.nodes) for group in found)
    spikes = sum(len(group.times) for group in found)
    return max(-(-cells // CELLS), min(-(-spikes // SPIKES), max(cells, 1)))


def bin_width(duration: float) -> float:
    """ms: 1, 2 or 5 times a power of ten, so that a run has about `BINS` bins; at least 1."""
    wanted = max(duration / BINS, 1.0)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= wanted))


def rate(group: Group, duration: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """``(edges, rates)``: mean rate of a group's cells (Hz) in bins of ``width`` ms, the last one cut at the end."""
    edges = np.append(np.arange(0.0, duration, width), duration)
    counts = np.histogram(group.times, edges)[0]
    return edges, counts / (np.diff(edges) / 1000 * len(group.nodes))


def distribution(found: list[Group], duration: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """``(edges, shares)``: about 25 bins of rates (Hz), of whole numbers of spikes, and each group's share in them."""
    counts = [np.bincount(group.cells, minlength=len(group.nodes)) for group in found]
    most = max(int(count.max()) for count in counts)
    step = -(-(most + 1) // 25)
    edges = np.arange(0, most + step + 1, step) - 0.5
    shares = [np.histogram(count, edges)[0] / len(count) for count in counts]
    return edges / (duration / 1000), shares


def recordings(results: Results) -> Iterator[Recorded]:
    """The first recordings, some cells of each, at even distances."""
    for trace in results.traces[:RECORDINGS]:
        nodes = np.unique(trace.node_ids)
        if not len(nodes) or not len(trace.data):
            continue
        chosen = nodes[np.linspace(0, len(nodes) - 1, min(TRACED, len(nodes))).round().astype(int)]
        lines = tuple(tuple(lines_of(trace, int(node))) for node in chosen)
        yield Recorded(trace.report, trace.population, trace.variable, trace.unit, len(nodes), lines)


def lines_of(trace: Trace, node: int, *, placed: bool = False) -> Iterator[Line]:
    """What was recorded of a cell, at some of its places, at even distances. placed: a single place is named, too."""
    elements = np.flatnonzero(trace.node_ids == node)
    for element in elements[np.linspace(0, len(elements) - 1, min(PLACES, len(elements))).round().astype(int)]:
        place = ""
        if trace.section_ids is not None and (placed or len(elements) > 1):
            place = f"section {trace.section_ids[element]}"
            if trace.section_pos is not None:
                place += f" ({trace.section_pos[element]:.2g})"
        yield Line(node, place, *_thinned(trace.times, np.asarray(trace.data[:, element], dtype=float)))


def _thinned(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of every few samples: a spike of one sample stays as high as it is."""
    if len(values) <= SAMPLES:
        return times, values
    block = -(-2 * len(values) // SAMPLES)
    whole = len(values) // block * block
    starts = np.arange(0, whole, block)
    blocks = values[:whole].reshape(-1, block)
    picked = np.sort(np.stack([starts + blocks.argmin(axis=1), starts + blocks.argmax(axis=1)], axis=1), axis=1).ravel()
    picked = np.append(picked, np.arange(whole, len(values)))
    return times[picked], values[picked]
