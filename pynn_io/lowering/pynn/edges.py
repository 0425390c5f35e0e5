"""Projections as PyNN's: the edges of a projection split by the cells at both ends, synapse type and receptor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.connecting import DEFAULT_DELAY, Connecting
from pynn_io.lowering.edges import EdgeBlock, edge_blocks
from pynn_io.lowering.grid import Grid
from pynn_io.lowering.pynn.composed import COMPOSED
from pynn_io.lowering.pynn.synapses import Spec, spec_of, weights
from pynn_io.lowering.pynn.words import Cells, Connections, LoweredNetwork
from pynn_io.report import Report
from pynn_io.vocabulary import models

_RECEPTORS = ("excitatory", "inhibitory")
#: No receptor of these cells.
_NONE = -2


def connections(lowered: LoweredNetwork, report: Report) -> Iterator[Connections]:
    """Everything that is connected, one projection of the network at a time: only its edges are in memory.

    Reports what a projection states that PyNN has not. Raises PlanError for weights and delays that cannot be.
    """
    labels: dict[str, int] = {}
    for projection in lowered.network.projections.values():
        yield from _Splitter(projection, lowered, report).split(labels)


def largest_delay(network: Network) -> float:
    """The longest delay of all chemical edges, ms."""
    longest = DEFAULT_DELAY
    for projection in network.projections.values():
        for _, _, rows in projection.blocks(["delay"]):
            delays = rows.get("delay")
            if delays is not None and len(delays):
                longest = max(longest, float(np.nanmax(np.ma.filled(np.ma.asarray(delays, dtype=float), np.nan))))
    return longest


class _Splitter:
    """The edges of one projection, gathered block by block under their ``(pre, post, spec, receptor)``."""

    def __init__(self, projection: Projection, lowered: LoweredNetwork, report: Report) -> None:
        self._projection, self._lowered, self._report = projection, lowered, report
        self._where = f"projection {projection.name}"
        self._pre, self._post = lowered.of(projection.pre), lowered.of(projection.post)
        self._account = Connecting(lowered.target.name, self._where, lowered.timestep)
        self._aimless = 0
        # receptors of all targets by number, those of standard cells first; and which each target has
        own = [name for cells in self._post for name in cells.receptors if name != "default"]
        self._names = tuple(dict.fromkeys([*_RECEPTORS, *own]))
        self._has = np.array([self._having(cells) for cells in self._post] or [[True] * len(self._names)])
        self._specs: list[Spec] = []
        self._spec_of = np.zeros((projection.types.size, max(1, len(self._post))), dtype=np.int64)

    def split(self, labels: dict[str, int]) -> Iterator[Connections]:
        """labels: those in use, and how often."""
        if not self._is_connected():
            return
        self._find_specs()
        gathered: dict[tuple[int, int, int, int], list[dict[str, np.ndarray]]] = {}
        ends = self._places(self._projection.pre, self._pre), self._places(self._projection.post, self._post)
        names = list(dict.fromkeys([*(name for spec in self._specs for name, _ in spec.columns), "receptor"]))
        for block in edge_blocks(self._projection, self._lowered.network, self._report, names):
            for key, columns in self._block(block, *ends):
                gathered.setdefault(key, []).append(columns)
        for (pre, post, number, kind), pieces in sorted(gathered.items(), key=lambda item: item[0]):
            yield self._joined(self._pre[pre], self._post[post], self._specs[number], kind, pieces, labels)
        self._tell()

    def _having(self, cells: Cells) -> list[bool]:
        named = cells.receptors if cells.model == COMPOSED else _RECEPTORS
        return [name in named for name in self._names]

    def _is_connected(self) -> bool:
        projection = self._projection
        if projection.kind != "chemical":
            what = {"electrical": "gap junctions"}.get(projection.kind, f"projections of the kind {projection.kind!r}")
            message = f"PyNN 0.13 has no {what} between cells without extent; they are left out."
            code = loss_code(f"kind:{projection.kind}")
            self._report.lost(code, self._where, message, count=projection.size, examples=[projection.kind])
        return projection.kind == "chemical"

    def _find_specs(self) -> None:
        for row, name in enumerate(self._projection.synapses):
            synapse = self._lowered.network.synapses[name]
            for number, cells in enumerate(self._post):
                if cells.is_source:
                    continue
                spec = spec_of(self._projection, row, synapse, cells, self._lowered.target, self._report)
                if spec not in self._specs:
                    self._specs.append(spec)
                self._spec_of[row, number] = self._specs.index(spec)

    def _places(self, population: str, cells: Sequence[Cells]) -> tuple[np.ndarray, np.ndarray]:
        """``(number of the cells or -1, place in them)`` by row of a population."""
        group = np.full(self._lowered.network.populations[population].size, -1, dtype=np.int64)
        place = np.zeros(len(group), dtype=np.int64)
        for number, item in enumerate(cells):
            group[item.rows] = number
            place[item.rows] = np.arange(item.size)
        return group, place

    def _block(
        self, block: EdgeBlock, pre: tuple[np.ndarray, np.ndarray], post: tuple[np.ndarray, np.ndarray]
    ) -> Iterator[tuple[tuple[int, int, int, int], dict[str, np.ndarray]]]:
        source, target = pre[0][block.source], post[0][block.target]
        here = (source >= 0) & (target >= 0)
        missing = self._lowered.left_out[self._projection.pre][block.source]
        missing = missing | self._lowered.left_out[self._projection.post][block.target]
        self._account.left_out += int(np.count_nonzero(missing & ~here))
        here &= ~np.array([cells.is_source for cells in self._post] or [True], dtype=bool)[target]
        weight = block.weight
        if block.nsyns is not None:
            here &= block.nsyns > 0
            weight = weight * block.nsyns
        spec = self._spec_of[block.type, target]
        kind = self._receptors(block, spec, weight)
        aimless = (kind == _NONE) | ~self._has[target, kind]
        self._aimless += int(np.count_nonzero(here & aimless))
        here &= ~aimless
        shape = (len(self._pre), len(self._post), max(1, len(self._specs)), len(self._names))
        chosen = np.flatnonzero(here)
        key = np.ravel_multi_index([values[chosen] for values in (source, target, spec, kind)], shape)
        for number in np.flatnonzero(np.bincount(key)).tolist():
            mine = chosen[key == number]
            found = tuple(int(value) for value in np.unravel_index(number, shape))
            yield found, self._columns(block, mine, found, weight, pre[1], post[1])  # type: ignore[misc]

    def _receptors(self, block: EdgeBlock, spec: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Numbers of receptors, or `_NONE`: as stated, or by the sign of the weight."""
        stated = np.array([self._kind(item.stated) for item in self._specs] or [-1], dtype=np.int64)[spec]
        column = self._projection.edges.columns.get("receptor")
        if column is not None:  # those of types are in the specs
            own = np.ma.asarray(block.columns["receptor"])
            if column.levels is None:
                stated = np.where(own.filled(0) > 0, _NONE, stated)
            else:
                levels = np.array([self._kind(level) for level in column.levels] or [-1], dtype=np.int64)
                stated = np.where(np.ma.getmaskarray(own), stated, levels[own.filled(0)])
        # one receptor for both signs: IntFire
        signed = np.array([item.used != "1" for item in self._specs] or [True], dtype=bool)[spec]
        by_sign = np.where(signed & (weight < 0), 1, 0)
        return np.where((stated > 0) | (stated == _NONE), stated, by_sign)

    def _kind(self, receptor: str) -> int:
        """-1 where it is not stated."""
        numbers = {name: number for number, name in enumerate(self._names)}
        return {"": -1, "default": 0, **numbers}.get(receptor, _NONE)

    def _columns(
        self,
        block: EdgeBlock,
        mine: np.ndarray,
        key: tuple[int, ...],
        weight: np.ndarray,
        pre_place: np.ndarray,
        post_place: np.ndarray,
    ) -> dict[str, np.ndarray]:
        spec = self._specs[key[2]]
        inhibitory = np.full(len(mine), key[3] == 1)
        columns = {
            "source": pre_place[block.source[mine]],
            "target": post_place[block.target[mine]],
            "weight": weights(spec, weight[mine], inhibitory),
            "delay": self._delays(block.delay[mine]),
        }
        for name, parameter in spec.columns:
            if name in block.columns:
                own = np.ma.asarray(block.columns[name])[mine]
                if np.ma.is_masked(own):
                    own = own.filled(_unstated(spec, parameter, self._where))
                columns[parameter] = np.ma.getdata(own).astype(np.float64)
        return columns

    def _delays(self, delay: np.ndarray) -> np.ndarray:
        delay = self._account.filled(delay)
        if self._lowered.target.zero_delay:
            self._account.refuse(delay, delay < 0)
            return delay
        return Grid(self._lowered.timestep).time(self._account.steps(delay))

    def _joined(
        self,
        pre: Cells,
        post: Cells,
        spec: Spec,
        kind: int,
        pieces: Sequence[Mapping[str, np.ndarray]],
        labels: dict[str, int],
    ) -> Connections:
        joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        source, target = joined.pop("source"), joined.pop("target")
        number = labels[self._projection.name] = labels.get(self._projection.name, -1) + 1
        return Connections(
            f"{self._projection.name}-{number}",
            self._projection.name,
            pre.label,
            post.label,
            spec.synapse,
            # a cell with one receptor calls it so
            self._names[kind] if len(post.receptors) > 1 or post.model == COMPOSED else "default",
            source,
            target,
            joined,
        )

    def _tell(self) -> None:
        self._account.tell(self._report)
        self._report.lost(
            "receptor",
            self._where,
            "PyNN's classes name no such receptor of these cells; connections to it are left out.",
            count=self._aimless,
        )


def _unstated(spec: Spec, parameter: str, where: str) -> float:
    """The value of a parameter for edges that do not state it: that of all edges, else the model's."""
    if parameter in spec.synapse.parameters:
        return float(spec.synapse.parameters[parameter])
    model = models.known(spec.synapse.model)
    known = model.parameter(parameter) if model is not None else None
    if known is None or not isinstance(known.default, (int, float)):
        message = f"some edges do not state {parameter} of {spec.synapse.model}, which has no default"
        raise PlanError(message, where=where)
    return float(known.default)
