"""Edges as NeuroML projections: sorted by what can be one projection, in bounded memory.

A NeuroML projection joins two populations through one synapse component, so the edges of the graph's projection are
dealt out to shares: (presynaptic part, postsynaptic part, edge type, sign of the weight where that matters). A first
pass counts, which tells where every share begins in a temporary file; a second pass puts each block of edges there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.errors import WriteError
from pynn_io.exporters.neuroml_populations import Split
from pynn_io.graph.columns import BLOCK
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering import UsedWeights, numbers_of_synapses, stated_delays
from pynn_io.progress import Progress
from pynn_io.report import Report

_SITES = ("afferent_section_id", "afferent_section_pos", "efferent_section_id", "efferent_section_pos")
_JUNCTIONS = ("afferent_junction_id", "efferent_junction_id")
_VALUES = (*UsedWeights.names, "delay", "nsyns", *_SITES, *_JUNCTIONS)
#: NEST's own default where no delay is stated, ms.
NEST_DELAY = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """The edges that are one NeuroML projection: ``size`` of them, from ``start`` in the sorted file."""

    pre: int
    post: int
    type_row: int
    negative: bool
    start: int
    size: int


class Deal:
    """The edges of one projection, dealt out. `shares` after construction; `sorted` opens the sorted edges."""

    def __init__(
        self,
        projection: Projection,
        network: Network,
        pre: Split,
        post: Split,
        split_signs: frozenset[int],
        where: str,
        report: Report,
    ) -> None:
        """split_signs: number ``post part * types + type row`` where the sign of the weight makes two projections."""
        self._projection, self._pre, self._post = projection, pre, post
        self._synapses = projection.synapses
        self._split_signs = np.zeros(max(1, len(post.parts)) * max(1, projection.types.size), dtype=bool)
        self._split_signs[list(split_signs)] = True
        self._where, self._report = where, report
        self._used = UsedWeights(projection, network)
        known = {*projection.types, *projection.edges.columns}
        self._names = [name for name in _VALUES if name in known]
        self.halves = projection.kind == "electrical" and all(name in known for name in _JUNCTIONS)
        self.sited = "afferent_section_id" in known
        self._dtype = self._record(known)
        self._whole = self._is_whole()
        self.shares = (Share(0, 0, 0, False, 0, projection.size),) if self._whole else self._count()

    def _is_whole(self) -> bool:
        """Whether all edges are one share for sure, so that nothing has to be counted, sorted or left out."""
        return (
            self._pre.whole
            and self._post.whole
            and len(self._synapses) == 1
            and not self._split_signs.any()
            and not self.halves
        )

    def _record(self, known: set[str]) -> np.dtype:
        fields: list[tuple[str, Any]] = [("pre", "i8"), ("post", "i8"), ("weight", "f8"), ("delay", "f8")]
        for side in ("afferent", "efferent"):
            if f"{side}_section_id" in known:
                fields += [(f"{side}_section_id", "i8"), (f"{side}_section_pos", "f8")]
        return np.dtype(fields)

    def _keys(self, rows: Mapping[str, np.ndarray], weight: np.ndarray) -> np.ndarray:
        """The number of the share of every edge; -1 where an end has no NeuroML cell, or a junction's second half."""
        pre, post = self._pre.parts_of(rows["source"]), self._post.parts_of(rows["target"])
        types = len(self._synapses)
        aim = post * types + (rows["type"] if types > 1 else 0)
        key = (pre * max(1, len(self._post.parts)) * types + aim) * 2
        if self._split_signs.any():
            key = key + ((weight < 0) & self._split_signs[aim])
        gone = np.less(pre, 0) | np.less(post, 0)
        if self.halves:
            near = (rows["source"], rows["efferent_junction_id"])
            far = (rows["target"], rows["afferent_junction_id"])
            gone = gone | (near[0] > far[0]) | ((near[0] == far[0]) & (near[1] > far[1]))
        if np.any(gone):
            key = np.where(gone, -1, key)
        return np.broadcast_to(key, weight.shape)

    def _count(self) -> tuple[Share, ...]:
        counts: dict[int, int] = {}
        dropped = 0
        for _, _, rows in self._projection.blocks(self._names):
            keys = self._keys(rows, self._weights(rows, quiet=True))
            number = np.bincount(keys + 1)
            for key in np.flatnonzero(number).tolist():
                counts[key - 1] = counts.get(key - 1, 0) + int(number[key])
            ends = self._pre.parts_of(rows["source"]), self._post.parts_of(rows["target"])
            dropped += int(np.sum(np.less(ends[0], 0) | np.less(ends[1], 0)))
        counts.pop(-1, None)
        self._report.lost(
            "edges-without-cells",
            self._where,
            "Connections from or to cells that are not written are left out.",
            count=dropped,
        )
        types = len(self._synapses)
        shares, start = [], 0
        for key in sorted(counts):
            rest, negative = divmod(key, 2)
            rest, type_row = divmod(rest, types)
            pre, post = divmod(rest, max(1, len(self._post.parts)))
            shares.append(Share(pre, post, type_row, bool(negative), start, counts[key]))
            start += counts[key]
        return tuple(shares)

    @contextmanager
    def sorted(self, progress: Progress) -> Iterator[np.ndarray]:
        """All edges of all shares as one array on disk, share after share, in file order within each."""
        total = sum(share.size for share in self.shares)
        try:
            with tempfile.TemporaryFile(prefix="pynn_io-") as file:
                file.truncate(max(1, total) * self._dtype.itemsize)
                edges = np.memmap(file, dtype=self._dtype, mode="r+", shape=(max(1, total),))
                self._fill(edges, progress)
                yield edges[:total]
        except OSError as error:
            raise WriteError(f"no room for sorting the edges: {error}", where=tempfile.gettempdir()) from error

    def _fill(self, edges: np.ndarray, progress: Progress) -> None:
        types, ends = len(self._synapses), max(1, len(self._post.parts))
        keys_of = np.array(
            [((s.pre * ends + s.post) * types + s.type_row) * 2 + s.negative for s in self.shares], dtype=np.int64
        )
        cursor = np.array([share.start for share in self.shares], dtype=np.int64)
        for stop, keys, columns in self._blocks():
            if keys is None:
                keys = np.full(len(columns["pre"]), keys_of[0])
            block = np.empty(len(keys), dtype=self._dtype)
            for name, values in columns.items():
                block[name] = values
            order = np.argsort(keys, kind="stable")
            order = order[np.searchsorted(keys[order], 0) :]
            share = np.searchsorted(keys_of, keys[order])
            first = np.searchsorted(share, np.arange(len(keys_of)))
            edges[cursor[share] + np.arange(len(order)) - first[share]] = block[order]
            cursor += np.bincount(share, minlength=len(cursor))
            progress(f"sorting {self._projection.name}", stop, self._projection.size)

    def stream(self) -> Iterator[Mapping[str, np.ndarray]]:
        """The edges of the only share, in file order, without a detour over the disk."""
        for _, keys, columns in self._blocks():
            keep = slice(None) if keys is None or keys.min(initial=0) >= 0 else keys >= 0
            yield {name: values[keep] for name, values in columns.items()}

    def _blocks(self) -> Iterator[tuple[int, np.ndarray | None, dict[str, np.ndarray]]]:
        """``(rows so far, share keys, columns)`` of all edges; no keys where there is one share."""
        sites = (self._dtype.names or ())[4:]
        for _, stop, rows in self._projection.blocks(self._names):
            weight = self._weights(rows, quiet=False)
            columns = {
                "pre": self._pre.instances(rows["source"]),
                "post": self._post.instances(rows["target"]),
                "weight": weight,
                "delay": self._delays(rows),
            }
            for name in sites:
                missing = -1 if name.endswith("_id") else 0.5
                values = rows.get(name)
                filled = missing if values is None else np.ma.filled(np.ma.asarray(values), missing)
                columns[name] = np.broadcast_to(filled, weight.shape)
            yield stop, None if self._whole else self._keys(rows, weight), columns

    def _weights(self, rows: Mapping[str, np.ndarray], *, quiet: bool) -> np.ndarray:
        """Used weight times number of synapses; without the factor of the component."""
        weight = self._used.of(rows, None if quiet else self._report)
        number = numbers_of_synapses(rows)
        return weight if number is None else weight * number

    def _delays(self, rows: Mapping[str, np.ndarray]) -> np.ndarray:
        """Delays in ms; NEST's default of 1 ms where its circuits state none, else 0. NaN states none (OBI)."""
        stated = stated_delays(rows)
        missing = np.isnan(stated)
        if not missing.any():
            return stated
        default = NEST_DELAY if self._is_nest() else 0.0
        if self._projection.kind != "electrical":
            whose = "NEST's default" if default else "no delay"
            self._report.defaulted(
                "default-delay",
                self._where,
                f"The delay is not stated; {default} ms ({whose}) is written.",
                count=int(missing.sum()),
            )
        return np.where(missing, default, stated)

    def _is_nest(self) -> bool:
        return any(getattr(part.cell, "model", "").startswith("nest:") for part in self._post.parts)


def pieces(edges: np.ndarray, share: Share) -> Iterator[Mapping[str, np.ndarray]]:
    """The columns of one share's edges, a block at a time."""
    for start in range(share.start, share.start + share.size, BLOCK):
        block = np.array(edges[start : min(start + BLOCK, share.start + share.size)])
        yield {name: block[name] for name in block.dtype.names or ()}
