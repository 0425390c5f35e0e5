"""Results as a flat NIX file: columnar arrays in groups, what they mean in sections.

::

    block run:0              type pynn_io.run; section run:0: duration, level, provenance
      group nodes:<key>      node_ids                          cells that were simulated, the silent ones too
      group spikes:<key>     timestamps (ms), node_ids         sorted by time
      group report:<key>     data[time, element], node_ids, element_ids, element_pos

``<key>`` is an encoded name (`formats.nix`); the names themselves are in the group's section. A report's first
dimension is sampled (interval and offset in ms), its second one a set. An array is called ``<group>.<column>``.
Neo does not read such a file: it has an object a spike train, this has two arrays a population.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.new_file import reserve
from pynn_io.formats.nix import damage, encode_name, new_nix, nix_unit, nixio, open_nix, read_array, write_array
from pynn_io.formats.nix_values import read_mapping, write_mapping
from pynn_io.report import Report
from pynn_io.results.results import MEANING, Results, Spikes, Trace, bytes_of, sorted_spikes

BLOCK = "pynn_io.run"
#: Type of Neo's blocks, in its own layout (`results.neo`).
NEO_BLOCK = "neo.block"
VERSION = 1


def is_results_file(path: Path) -> bool:
    """Whether a file is NIX with a block of results; looked at with h5py, so that nixio is not needed."""
    return any(kind == BLOCK for kind in block_types(path))


def block_types(path: Path) -> list[str]:
    """The types of the blocks of a NIX file; none for any other file."""
    if not h5py.is_hdf5(path):
        return []
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != "nix" or "data" not in file:
                return []
            return [str(block.attrs.get("type")) for block in file["data"].values()]
    except (OSError, RuntimeError, KeyError):
        return []


def holds_only_results(path: Path) -> bool:
    """Whether every block of a NIX file is one of results, ours or Neo's: there is no network in it."""
    kinds = block_types(path)
    return bool(kinds) and {*kinds} <= {BLOCK, NEO_BLOCK}


# --- Writing ------------------------------------------------------------------------------------------------------


def write(results: Results, path: Path, report: Report) -> None:
    """One new file. Raises BackendUnavailable without nixio, WriteError for what the file system refuses."""
    nixio()
    reserve(path, bytes_of(results))
    with new_nix(path) as file:
        block = file.create_block("run:0", BLOCK)
        block.metadata = file.create_section("run:0", BLOCK)
        fields = {"format_version": VERSION, "duration": results.duration, "level": results.level}
        write_mapping(block.metadata, {**fields, "provenance": results.provenance})
        for name, ids in results.nodes.items():
            group = _group(block, f"nodes:{encode_name(name)}", {"population": name})
            _column(block, group, "node_ids", ids)
        for name, spikes in results.spikes.items():
            spikes = sorted_spikes(name, spikes.node_ids, spikes.times)
            group = _group(block, f"spikes:{encode_name(name)}", {"population": name})
            _column(block, group, "timestamps", spikes.times, "ms")
            _column(block, group, "node_ids", spikes.node_ids)
        for number, trace in enumerate(results.traces):
            _write_trace(block, f"report:{number}:{encode_name(trace.report)}", trace)


def _group(block: Any, name: str, meaning: Mapping[str, Any]) -> Any:
    kind = f"pynn_io.{name.partition(':')[0]}"
    group = block.create_group(name, kind)
    group.metadata = block.metadata.create_section(name, kind)
    write_mapping(group.metadata, meaning)
    return group


def _column(block: Any, group: Any, name: str, data: np.ndarray, unit: str = "") -> Any:
    full = f"{group.name}.{name}"
    write_array(block, full, np.asarray(data), kind=group.type, group=group, unit=unit, label=name)
    return block.data_arrays[full]


def _write_trace(block: Any, name: str, trace: Trace) -> None:
    group = _group(block, name, trace.meaning)
    data = _column(block, group, "data", trace.data, _storable(trace.unit))
    data.delete_dimensions()
    sampled = data.append_sampled_dimension(trace.interval)
    sampled.unit, sampled.offset, sampled.label = "ms", trace.start, "time"
    data.append_set_dimension()
    _column(block, group, "node_ids", trace.node_ids)
    for column, values in (("element_ids", trace.section_ids), ("element_pos", trace.section_pos)):
        if values is not None:
            _column(block, group, column, values)


def _storable(unit: str) -> str:
    """The unit, unless nixio would make another text of it: then it is in the section only."""
    spelled = nix_unit(unit)
    return unit if nixio().util.units.sanitizer(spelled) == spelled else ""


# --- Reading ------------------------------------------------------------------------------------------------------


def read(path: Path, report: Report) -> Results:
    """The results of a file that `write` made. Raises ReadError (file and place) for anything else."""
    with open_nix(path) as file, damage(path):
        blocks = [block for block in file.blocks if block.type == BLOCK]
        if len(blocks) != 1:
            raise ReadError(f"has {len(blocks)} blocks of results", where=path)
        reader = _Reader(path, blocks[0])
        meaning = reader.meaning(blocks[0], path)
        if meaning.get("format_version") != VERSION:
            raise ReadError(f"format version {meaning.get('format_version')!r} is unknown", where=path)
        return Results(
            spikes={spikes.population: spikes for spikes in reader.spikes()},
            traces=tuple(reader.traces()),
            nodes=dict(reader.nodes()),
            duration=meaning.get("duration"),
            level=meaning.get("level", "executes"),
            provenance=meaning.get("provenance", {}),
        )


class _Reader:
    """The groups of a block, one kind after the other."""

    def __init__(self, path: Path, block: Any) -> None:
        self._path, self._block = path, block

    def nodes(self) -> Iterator[tuple[str, np.ndarray]]:
        for group, meaning in self._groups("pynn_io.nodes"):
            yield meaning["population"], self._column(group, "node_ids", "iu")

    def spikes(self) -> Iterator[Spikes]:
        for group, meaning in self._groups("pynn_io.spikes"):
            times, ids = self._column(group, "timestamps", "f"), self._column(group, "node_ids", "iu")
            if times.shape != ids.shape:
                raise ReadError(f"{len(ids)} node ids and {len(times)} times", where=self._place(group))
            yield sorted_spikes(meaning["population"], ids, times)

    def traces(self) -> Iterator[Trace]:
        for group, meaning in self._groups("pynn_io.report"):
            data = self._column(group, "data", "f", axes=2)
            nodes = self._column(group, "node_ids", "iu")
            sections, positions = self._optional(group, "element_ids", "iu"), self._optional(group, "element_pos", "f")
            if any(column is not None and len(column) != data.shape[1] for column in (nodes, sections, positions)):
                raise ReadError(f"its columns do not have {data.shape[1]} entries", where=self._place(group))
            yield Trace(
                **{field: meaning[field] for field in MEANING},
                data=data,
                node_ids=nodes,
                section_ids=sections,
                section_pos=positions,
            )

    def _groups(self, kind: str) -> Iterator[tuple[Any, dict[str, Any]]]:
        needed = MEANING if kind == "pynn_io.report" else ("population",)
        for group in self._block.groups:
            if group.type != kind:
                continue
            meaning = self.meaning(group, self._place(group))
            lacking = [name for name in needed if name not in meaning]
            if lacking:
                raise ReadError(f"its section does not state {', '.join(lacking)}", where=self._place(group))
            yield group, meaning

    def meaning(self, entity: Any, place: object) -> dict[str, Any]:
        """The values of an entity's section."""
        if entity.metadata is None:
            raise ReadError("has no section of metadata", where=place)
        return read_mapping(entity.metadata, self._path)

    def _column(self, group: Any, name: str, kinds: str, axes: int = 1) -> np.ndarray:
        data = read_array(self._path, self._block, f"{group.name}.{name}")
        if data.dtype.kind not in kinds or data.ndim != axes:
            raise ReadError(f"{name} is not {axes} axes of numbers of the right kind", where=self._place(group))
        return data.astype(np.int64, copy=False) if kinds == "iu" else data

    def _optional(self, group: Any, name: str, kinds: str) -> np.ndarray | None:
        return self._column(group, name, kinds) if f"{group.name}.{name}" in self._block.data_arrays else None

    def _place(self, group: Any) -> str:
        return f"{self._path}:/data/{self._block.name}/groups/{group.name}"
