"""Node sets with the ids that were written: ``node_id`` rules follow where nodes had to be renumbered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.exporters.sonata_nodes import WrittenNodes
from pynn_io.graph.network import Network
from pynn_io.report import Report


class NodeSets:
    """Rewrites node sets, and ids of spikes, of a network whose populations were written."""

    def __init__(self, network: Network, nodes: Mapping[str, WrittenNodes], report: Report) -> None:
        self._report = report
        self._order: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._all = tuple(network.populations)
        for name, written in nodes.items():
            if written.old_ids is not None:
                order = np.argsort(written.old_ids, kind="stable")
                self._order[name] = (written.old_ids[order], order)

    def rewritten(self, content: Any, where: str) -> Any:
        """Node sets, or one rule set, or a name: ids of renumbered nodes replaced."""
        if not self._order:
            return _plain(content)
        if isinstance(content, Mapping):
            if "node_id" in content:
                return {**_plain(content), "node_id": self._ids(content, where)}
            return {key: self.rewritten(value, f"{where}/{key}") for key, value in content.items()}
        return _plain(content)

    def new_ids(self, population: str, ids: np.ndarray) -> np.ndarray:
        """The ids under which nodes were written. An id that no node has stays."""
        if population not in self._order:
            return ids
        known, row = self._order[population]
        at = np.minimum(np.searchsorted(known, ids), max(len(known) - 1, 0))
        return np.where(known[at] == ids, row[at], ids) if len(known) else ids

    def _ids(self, rule: Mapping[str, Any], where: str) -> Any:
        named = rule.get("population", list(self._all))
        populations = [named] if isinstance(named, str) else list(named)
        stated = rule["node_id"]
        values = np.atleast_1d(np.asarray(stated))
        if values.dtype.kind not in "iu":
            return _plain(stated)
        renumbered = [self.new_ids(name, values) for name in populations]
        if any(not np.array_equal(renumbered[0], other) for other in renumbered[1:]):
            self._report.approximated(
                "node-set-ids",
                where,
                "this set selects node ids in several populations, which were renumbered each in its own way; the ids "
                "are those of the first population now",
                count=len(values),
                examples=[where.rpartition("/")[2]],
            )
        new = renumbered[0].tolist() if renumbered else values.tolist()
        if new != values.tolist():
            self._report.expanded(
                "node-set-ids",
                where,
                "node ids in this set follow the renumbering of nodes",
                count=len(new),
                examples=[where.rpartition("/")[2]],
            )
        return new if isinstance(stated, (list, tuple)) else new[0]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
