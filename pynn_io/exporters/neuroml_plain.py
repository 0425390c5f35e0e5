"""Projections that are NeuroML as they are: between two populations, synapses that are components, segments as sites.

They stream in file order, without being sorted, and every column is written as it is stated; what is not stated (the
weight of a <connection>) stays so. All others go through `neuroml_projections`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pynn_io.exporters.neuroml_components import Component
from pynn_io.exporters.neuroml_definitions import PREFIX, Definitions
from pynn_io.exporters.neuroml_populations import Split
from pynn_io.exporters.neuroml_projections import Cells
from pynn_io.exporters.neuroml_synapses import synapse_component
from pynn_io.formats.neuroml_records import Connections, Ids, ProjectionRecord
from pynn_io.graph.network import Network, Projection
from pynn_io.progress import Progress
from pynn_io.report import Report

#: Connections that stand in the network one by one (``<synapticConnection>``).
SINGLE = "synapticConnection"
TAGS = {"chemical": "projection", "electrical": "electricalProjection", "graded": "continuousProjection"}
#: Columns of the graph -> fields of a connection.
_COLUMNS = {
    "weight": "weight",
    "delay": "delay",
    "efferent_segment_id": "pre_segment",
    "afferent_segment_id": "post_segment",
    "efferent_segment_fraction": "pre_fraction",
    "afferent_segment_fraction": "post_fraction",
    "id": "number",
}
_TYPED = frozenset({"synapse", "pre_synapse", "weight_unit", "receptor"})
#: What stands where one connection of several states nothing.
_UNSTATED = {
    "weight": 1.0,
    "delay": 0.0,
    "pre_segment": 0,
    "post_segment": 0,
    "pre_fraction": 0.5,
    "post_fraction": 0.5,
    "number": 0,
}
_UNITS = frozenset({"", "1", "uS", "nA"})


def is_plain(projection: Projection, network: Network, pre: Split, post: Split) -> bool:
    """Whether a projection can be written as it is."""
    known = {*projection.types, *projection.edges.columns}
    if projection.kind not in TAGS or not (pre.whole and post.whole) or not known <= {*_COLUMNS, *_TYPED}:
        return False
    models = [network.synapses[name].model for name in projection.synapses]
    components = all(model.startswith(PREFIX) for model in models)
    if projection.kind == "chemical":
        units = {str(unit) for unit in projection.types.values("weight_unit")} if "weight_unit" in known else {""}
        return units <= _UNITS and (components or set(models) == {"static"})
    return components and (projection.kind == "electrical" or "pre_synapse" in projection.types)


class PlainProjection:
    """One such projection. `components`, `own`: what its synapse is if it is none of the document's."""

    def __init__(
        self,
        projection: Projection,
        network: Network,
        cells: Cells,
        definitions: Definitions,
        ids: Ids,
        places: Ids,
        report: Report,
        progress: Progress,
    ) -> None:
        self._projection, self._network, self._cells = projection, network, cells
        self._definitions, self._places, self._report, self._progress = definitions, places, report, progress
        self._pre, self._post = cells.splits[projection.pre], cells.splits[projection.post]
        self.tag = TAGS[projection.kind]
        kept = network.extra.get("neuroml", {}).get("synapticConnections", ())
        if projection.name in kept and not {*_COLUMNS} & {*projection.types, *projection.edges.columns}:
            self.tag = SINGLE
        self.components: list[Component] = []
        self._kinds: tuple[tuple[str, str], ...] = ()
        self._factor = 1.0
        if self._written(report):
            self._kinds = self._synapses(ids)
        self._id = places.new(projection.name) if self._kinds else ""

    def _written(self, report: Report) -> bool:
        """Whether both populations are."""
        lost = [split for split in (self._pre, self._post) if split.parts[0].name not in self._cells.ends]
        if lost:
            report.lost(
                "edges-without-cells",
                f"projection {self._projection.name}",
                "Connections from or to cells that are not written are left out.",
                count=self._projection.size,
            )
        return not lost

    def _synapses(self, ids: Ids) -> tuple[tuple[str, str], ...]:
        after = [self._synapse(row, name, ids) for row, name in enumerate(self._projection.synapses)]
        before = [""] * len(after)
        if self._projection.kind == "graded":
            names = [str(name) for name in self._projection.types.values("pre_synapse")]
            before = [self._definitions.synapse(name) if name in self._network.synapses else name for name in names]
        return tuple(zip(before, after, strict=True)) if all(after) else ()

    def _synapse(self, row: int, name: str, ids: Ids) -> str:
        """The id of a synapse; empty (reported) where its target has no component for it."""
        found = self._network.synapses[name]
        if found.model.startswith(PREFIX):
            return self._definitions.synapse(name)
        types = self._projection.types
        receptor, unit = (
            str(types.values(key)[row]) if key in types else None for key in ("receptor", "weight_unit")
        )  # fmt: skip
        made = synapse_component(
            name.rstrip("_").removesuffix("_static"),
            found,
            self._post.parts[0].cell,
            weight_unit=unit or "",
            inhibitory=False,
            receptor=receptor,
            report=self._report,
            where=f"projection {self._projection.name}",
        )
        if made is None:
            return ""
        self._factor = made.weight_factor
        return self._definitions.standard(made.component)

    def records(self, *, one_kind: bool = False) -> Iterator[ProjectionRecord]:
        """The record, whose blocks stream; one for every kind of connection where it can have no more.

        one_kind: electrical and continuous projections cannot either (HDF5 states the component once a projection).
        """
        tag = "projection" if one_kind and self.tag == SINGLE else self.tag
        if len(self._kinds) < 2 or not (one_kind or tag == "projection"):
            if self._kinds:
                yield self._record(self._id, tag, self._kinds, None)
            return
        self._report.expanded(
            "projection-split",
            f"projection {self._projection.name}",
            f"The projection becomes {len(self._kinds)}, since all connections of one have the same component there.",
        )
        for number, kind in enumerate(self._kinds):
            yield self._record(self._id if number == 0 else self._places.new(self._id), tag, (kind,), number)

    def _record(self, name: str, tag: str, kinds: tuple[tuple[str, str], ...], only: int | None) -> ProjectionRecord:
        known = {*self._projection.types, *self._projection.edges.columns}
        names = [column for column in _COLUMNS if column in known]
        if tag not in ("projection", SINGLE):
            names = [column for column in names if column != "delay"]
        pre, post = (self._cells.ends[split.parts[0].name] for split in (self._pre, self._post))
        size = self._projection.size
        if only is not None:
            size = sum(int(np.sum(rows["type"] == only)) for _, _, rows in self._projection.blocks(()))
        return ProjectionRecord(
            name,
            pre,
            post,
            kinds[0][1],
            size,
            self._blocks(names, len(kinds) > 1, only),
            frozenset(_COLUMNS[column] for column in names if column != "id"),
            tag,
            kinds[0][0],
            kinds if len(kinds) > 1 else (),
        )

    def _blocks(self, names: list[str], mixed: bool, only: int | None) -> Iterator[Connections]:
        for _, stop, rows in self._projection.blocks(names):
            chosen = slice(None) if only is None else np.broadcast_to(rows["type"], rows["source"].shape) == only
            columns = {
                field: _stated(field, rows.get(column), len(rows["source"])) for column, field in _COLUMNS.items()
            }
            if columns["weight"] is not None:
                columns["weight"] = columns["weight"] * self._factor
            yield Connections(
                self._pre.instances(rows["source"])[chosen],
                self._post.instances(rows["target"])[chosen],
                **{field: None if values is None else values[chosen] for field, values in columns.items()},
                kind=np.broadcast_to(rows["type"], rows["source"].shape) if mixed else None,
            )
            self._progress(self._projection.name, stop, self._projection.size)


def _stated(field: str, values: np.ndarray | None, size: int) -> np.ndarray | None:
    if values is None:
        return None
    filled = np.ma.filled(np.ma.asarray(values), _UNSTATED[field])
    return np.broadcast_to(np.where(filled != filled, _UNSTATED[field], filled), size)
