"""One projection streamed into its HDF5 group, a block of edges at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import h5py
import numpy as np

from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_edge_columns import EdgeColumn, Rows
from pynn_io.exporters.sonata_node_views import DYNAMICS
from pynn_io.exporters.sonata_nodes import WrittenNodes
from pynn_io.exporters.sonata_sections import MIDDLE, SectionMap
from pynn_io.exporters.sonata_types import Types
from pynn_io.formats.sonata_write import BLOCK, RowWriter, open_dataset, write_library
from pynn_io.graph.network import Projection
from pynn_io.progress import Progress
from pynn_io.report import Report


class EdgeStream:
    """Writes ids, types, attribute groups and attributes of one projection; the index is another pass."""

    def __init__(
        self,
        group: h5py.Group,
        projection: Projection,
        dialect: Dialect,
        types: Types,
        columns: Sequence[EdgeColumn],
        maps: Mapping[str, tuple[str, SectionMap]],
        ends: tuple[WrittenNodes, WrittenNodes],
        where: str,
        report: Report,
    ) -> None:
        self._group, self._projection, self._types = group, projection, types
        self._typed, self._maps, self._ends = dialect.types, maps, ends
        self._columns = columns
        self._where, self._report = where, report
        self._grouped = dialect.groups and "group" in projection.edges.columns
        edges = projection.edges
        self._table = edges.columns.updated(
            {"source": edges.source, "target": edges.target, "type": projection.type_index}
        )
        self._seen: dict[int, int] = {}
        self._moved: dict[str, int] = {}

    def write(self, progress: Progress) -> None:
        size = self._projection.size
        ids = self._structure(size)
        whole = {0: (size, [True] * len(self._columns))}
        writers = {
            number: _Group(self._group, number, count, [c for c, k in zip(self._columns, known, strict=True) if k])
            for number, (count, known) in (self._groups() if self._grouped else whole).items()
        }
        for _, stop, rows in self._table.blocks():
            for rows_of, values in zip(ids, self._ids(rows), strict=True):
                rows_of.append(values)
            rows = self._recounted(rows)
            for number, writer in writers.items():
                writer.append(rows, np.flatnonzero(rows["group"] == number) if self._grouped else None)
            progress(f"writing {self._projection.name}", stop, size)
        for writer in writers.values():
            writer.finish(self._where, self._report)
        self._report_sections()

    # --- ids ----------------------------------------------------------------------------------------------------

    def _structure(self, size: int) -> list[RowWriter]:
        group = self._group
        source = open_dataset(group, "source_node_id", (size,), np.uint64)
        target = open_dataset(group, "target_node_id", (size,), np.uint64)
        source.attrs["node_population"] = self._projection.pre
        target.attrs["node_population"] = self._projection.post
        names = (("edge_type_id", np.int64), ("edge_group_id", np.uint32), ("edge_group_index", np.uint64))
        return [RowWriter(data) for data in (source, target, *(open_dataset(group, n, (size,), t) for n, t in names))]

    def _ids(self, rows: Rows) -> list[np.ndarray]:
        """Source, target and type ids of a block, and its place in the attribute groups."""
        count = len(rows["source"])
        ends = [
            rows[side] if end.ids is None else end.ids[rows[side]]
            for side, end in zip(("source", "target"), self._ends, strict=True)
        ]
        types = self._types.ids[rows["type"]] if self._typed else np.full(count, -1, dtype=np.int64)
        group = rows["group"] if self._grouped else np.zeros(count, dtype=np.uint32)
        return [*(_unsigned(end) for end in ends), types, group.astype(np.uint32), self._index(rows)]

    def _index(self, rows: Rows) -> np.ndarray:
        """Row of each edge in its attribute group: groups are filled in the order of edges."""
        count = len(rows["source"])
        if not self._grouped:
            start = self._seen.get(0, 0)
            self._seen[0] = start + count
            return np.arange(start, start + count, dtype=np.uint64)
        index = np.empty(count, dtype=np.uint64)
        for number in np.unique(rows["group"]).tolist():
            mine = np.flatnonzero(rows["group"] == number)
            start = self._seen.get(number, 0)
            index[mine] = np.arange(start, start + len(mine))
            self._seen[number] = start + len(mine)
        return index

    def _groups(self) -> dict[int, tuple[int, list[bool]]]:
        """``number -> (edges in it, whether any of them states each column)``: a pass of its own over the columns."""
        counts: dict[int, int] = {}
        stated: dict[int, list[bool]] = {}
        for _, _, rows in self._table.blocks():
            values = [column.make(rows) for column in self._columns]
            for number in np.unique(rows["group"]).tolist():
                mine = rows["group"] == number
                counts[number] = counts.get(number, 0) + int(np.count_nonzero(mine))
                there = [not np.ma.getmaskarray(block)[mine].all() for block in values]
                before = stated.get(number, [False] * len(values))
                stated[number] = [a or b for a, b in zip(before, there, strict=True)]
        return {number: (counts[number], stated[number]) for number in sorted(counts)}

    # --- sections -------------------------------------------------------------------------------------------------

    def _recounted(self, rows: Rows) -> Rows:
        """The block with its section ids counted anew; what has no counterpart moves to the middle of the soma."""
        if not self._maps:
            return rows
        rows = dict(rows)
        for name, (end, change) in self._maps.items():
            new, gone = change(rows[end], rows[name])
            mask = np.ma.getmaskarray(rows[name])
            rows[name] = np.ma.array(new, mask=mask) if mask.any() else new
            if gone.any():
                self._moved[name] = self._moved.get(name, 0) + int(np.count_nonzero(gone))
                self._to_soma(rows, name.removesuffix("_id"), gone)
        return rows

    def _to_soma(self, rows: Rows, prefix: str, gone: np.ndarray) -> None:
        """What else says where on the section a site is has no meaning any more there."""
        for suffix, value in (("pos", MIDDLE), ("type", 1)):
            name = f"{prefix}_{suffix}"
            if name in rows:
                column = rows[name].copy()
                column[gone] = value
                rows[name] = column

    def _report_sections(self) -> None:
        for name, count in self._moved.items():
            self._report.approximated(
                "section-without-counterpart",
                self._where,
                "these sections exist only with the file's own axon, or only with the two stubs that replace it; the "
                f"synapses on them are written onto the middle of the soma: {name}, "
                f"{name.removesuffix('_id')}_pos, {name.removesuffix('_id')}_type",
                count=count,
                examples=[name],
            )
        for name, (_, change) in self._maps.items():
            self._report.approximated(
                "unknown-section",
                self._where,
                f"{name} numbers sections that the cells' morphologies do not have; they are written as they are",
                count=change.unknown,
                examples=[name],
            )


def _unsigned(ids: np.ndarray) -> np.ndarray:
    """Ids as they are stored; those that are not negative need no copy for it."""
    ids = np.ascontiguousarray(ids)
    return ids.view(np.uint64) if ids.dtype == np.int64 else ids.astype(np.uint64, copy=False)


class _Group:
    """One attribute group: a dataset a column, filled in order."""

    def __init__(self, population: h5py.Group, number: int, size: int, columns: Sequence[EdgeColumn]) -> None:
        self._holder = population.create_group(str(number))
        if any(column.inner for column in columns):
            self._holder.create_group(DYNAMICS)
        self._columns = columns
        self._writers = [self._open(column, size) for column in columns]
        self._gaps = [0] * len(columns)

    def _open(self, column: EdgeColumn, size: int) -> RowWriter:
        shape = (size, *column.trailing)
        return RowWriter(open_dataset(self._holder, column.path, shape, column.dtype, units=column.units))

    def append(self, rows: Rows, mine: np.ndarray | None) -> None:
        for at, column in enumerate(self._columns):
            block = column.make(rows)
            block = block if mine is None else block[mine]
            if np.ma.isMaskedArray(block):
                block = self._filled(at, block)
            self._writers[at].append(np.asarray(block, dtype=self._writers[at].dtype))

    def _filled(self, at: int, block: np.ndarray) -> np.ndarray:
        """NaN, or the empty string, for what an edge does not state."""
        column = self._columns[at]
        self._gaps[at] += int(np.count_nonzero(np.ma.getmaskarray(block)))
        if not np.ma.getmaskarray(block).any():
            return np.ma.getdata(block)
        if column.levels is not None:
            return np.ma.filled(block, _blank(column.levels))
        if self._writers[at].dtype.kind != "f":
            self._writers[at] = _as_float(self._holder, column, self._writers[at])
        return np.ma.filled(block.astype(self._writers[at].dtype), np.nan)

    def finish(self, where: str, report: Report) -> None:
        for column, gaps in zip(self._columns, self._gaps, strict=True):
            if column.levels is not None:
                holder = self._holder[DYNAMICS] if column.inner else self._holder
                blank = [""] if gaps and "" not in column.levels else []
                write_library(holder, column.name, [*column.levels, *blank])
                message = f"edges that state no {column.name} have the empty string"
                report.expanded("not-stated-as-empty", where, message, count=gaps, examples=[column.name])
            else:
                message = f"the column {column.name} has gaps, which one attribute group cannot express; they are NaN"
                report.approximated("not-stated-as-nan", where, message, count=gaps, examples=[column.name])


def _blank(levels: Sequence[str]) -> int:
    return levels.index("") if "" in levels else len(levels)


def _as_float(holder: h5py.Group, column: EdgeColumn, writer: RowWriter) -> RowWriter:
    """The dataset of whole numbers begun anew as floats, since whole numbers have no NaN; what is there is copied."""
    old = holder[column.path]
    done, shape, units = writer.rows, old.shape, dict(old.attrs)
    holder.move(column.path, f"{column.path}.old")
    made = RowWriter(open_dataset(holder, column.path, shape, np.float64))
    made.dataset.attrs.update(units)
    for start in range(0, done, BLOCK):
        made.append(old[start : min(start + BLOCK, done)].astype(np.float64))
    del holder[f"{column.path}.old"]
    return made
