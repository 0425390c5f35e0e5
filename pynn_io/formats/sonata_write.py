"""SONATA files from plain arrays: HDF5 nodes, edges and spikes, types CSV, JSON. It knows no graph.

Rules: SONATA specification 0.1 ("Nodes", "Edges", "Edge indexing", "Spike file") and the OBI extension's explicit
enumerations. Datasets are contiguous and never compressed: their sizes are known, and libsonata's wheels read no gzip.
Datasets are written in blocks of `BLOCK` rows, so a file may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pynn_io.errors import WriteError
from pynn_io.formats.new_file import new_hdf5, writing

#: Rows written at a time.
BLOCK = 2**18
#: First root attribute of every SONATA HDF5 file, and the version of the specification.
MAGIC = 0x0A7A
VERSION = (0, 1)
#: The group of an enumeration's strings, inside the attribute group (OBI extension, "explicit enumerations").
LIBRARY = "@library"
#: What a missing value is called in a types CSV.
MISSING = "NULL"
#: An id space this many times larger than the edges is indexed sparsely, in chunks of this many nodes.
SPARSE = 8
CHUNK = 2**12
#: Rows of a step that reads and writes the same array.
IN_CACHE = 2**15
#: The order of a spike file (specification: an HDF5 enumeration; libsonata refuses a string).
SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)


@contextmanager
def hdf5_file(path: Path) -> Iterator[h5py.File]:
    """A new SONATA HDF5 file with magic and version. Raises WriteError for what the file system refuses."""
    with new_hdf5(path) as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array(VERSION, dtype=np.uint32)
        yield file


def population_group(file: h5py.File, root: str, name: str) -> h5py.Group:
    """The new group ``/nodes/<name>`` or ``/edges/<name>``. Raises WriteError for a name that HDF5 cannot have."""
    holder = file.require_group(root)
    return holder.create_group(named(name, holder, "population"))


def named(name: str, group: h5py.Group, what: str = "column") -> str:
    """The name, if an object in the group can have it.

    HDF5 takes ``/`` for a step into a group, and from the file's root at the beginning, ``.`` for the group itself,
    and ends names at NUL: such a name would put the data elsewhere without a word. Raises WriteError.
    """
    if forbidden_name(name):
        raise WriteError(
            f"the {what} {name!r} cannot be called so in SONATA's HDF5 files",
            where=f"{group.file.filename}:{group.name}",
            hint="rename it: a name there is not empty, has no '/' and no NUL, and is not '.', '..' or '@library'",
        )
    return name


def forbidden_name(name: str) -> bool:
    """Whether HDF5, or SONATA in it, cannot have an object of that name."""
    return name in ("", ".", "..", LIBRARY) or "/" in name or "\0" in name


def write_dataset(
    group: h5py.Group, name: str, data: np.ndarray, *, units: str = "", dtype: np.dtype | type | None = None
) -> h5py.Dataset:
    """One dataset in one go; ``units`` becomes its attribute. Text: `write_enumeration`, `write_strings`."""
    dataset = group.create_dataset(named(name, group), data=np.ascontiguousarray(data), dtype=dtype)
    if units:
        dataset.attrs["units"] = units
    return dataset


def open_dataset(
    group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype | type | str, *, units: str = ""
) -> h5py.Dataset:
    """An empty dataset of known size that `RowWriter` fills; ``name`` may begin with ``dynamics_params/``."""
    named(name.removeprefix("dynamics_params/"), group)
    dataset = group.create_dataset(name, shape=shape, dtype=dtype)
    if units:
        dataset.attrs["units"] = units
    return dataset


class RowWriter:
    """Appends blocks of rows to a dataset of known size."""

    __slots__ = ("dataset", "dtype", "rows", "shape")

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset = dataset
        self.dtype, self.shape = dataset.dtype, dataset.shape
        self.rows = 0

    def append(self, block: np.ndarray) -> None:
        start, stop = self.rows, self.rows + len(block)
        block = np.ascontiguousarray(block)
        if start == 0 and block.shape == self.shape and not self.dtype.hasobject:
            # all of it needs no selection, which takes longer to make than small data to write
            self.dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, block)
        elif stop > start:
            self.dataset.write_direct(block, dest_sel=np.s_[start:stop])
        self.rows = stop


def write_strings(group: h5py.Group, name: str, values: Sequence[str] | np.ndarray) -> h5py.Dataset:
    """A dataset of variable-length UTF-8 strings."""
    named(name, group)
    return group.create_dataset(name, data=np.asarray(values, dtype=object), dtype=h5py.string_dtype())


def write_library(group: h5py.Group, name: str, levels: Sequence[str]) -> None:
    """The strings behind the integers of ``group[name]``, in ``group["@library"]``."""
    write_strings(group.require_group(LIBRARY), name, list(levels))


def write_enumeration(group: h5py.Group, name: str, codes: np.ndarray, levels: Sequence[str]) -> h5py.Dataset:
    """A text attribute as integers into ``@library``."""
    write_library(group, name, levels)
    return write_dataset(group, name, codes, dtype=np.uint32)


# --- Edge index ---------------------------------------------------------------------------------------------------


def write_indices(
    group: h5py.Group,
    source_ids: np.ndarray | h5py.Dataset,
    target_ids: np.ndarray | h5py.Dataset,
    n_source: int,
    n_target: int,
    *,
    alias: bool = True,
    specification: bool = True,
) -> None:
    """Index the edges of the population ``group`` by source and by target node (specification, "Edge indexing").

    ``node_id_to_ranges[n_nodes, 2]`` gives, for every node id, the rows of ``range_to_edge_id[n_ranges, 2]`` that hold
    its edges as half-open ranges of edge ids, ascending and as long as possible. uint64, as libsonata and BMTK have it.

    source_ids, target_ids: one id an edge, an array or a dataset (read in blocks). n_source, n_target: highest id + 1.
    specification: write the name of the specification, ``node_id_to_ranges``; alias: BMTK's ``node_id_to_range``. Both
    are one dataset under two names. Needs 24 bytes per range (at worst: per edge) beside blocks.
    """
    names = [name for name, wanted in (("node_id_to_ranges", specification), ("node_id_to_range", alias)) if wanted]
    indices = group.require_group("indices")
    for direction, ids, size in (
        ("source_to_target", source_ids, n_source),
        ("target_to_source", target_ids, n_target),
    ):
        index = indices.create_group(direction)
        starts, owners = edge_runs(ids)
        nodes, bounds, order = _order_of_runs(owners, size)
        dataset = _write_nodes(index, names[0], nodes, bounds, size)
        for other in names[1:]:
            index[other] = dataset
        _write_ranges(index, starts, order)


def edge_runs(ids: np.ndarray | h5py.Dataset, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray]:
    """Runs of consecutive edges with the same node: ``(starts[r + 1], node ids[r])``; the last start is the end."""
    size = int(ids.shape[0])
    starts, owners = [], []
    before: int | None = None
    for begin in range(0, size, block):
        part = np.asarray(ids[begin : begin + block])
        change = np.empty(len(part), dtype=bool)
        np.not_equal(part[1:], part[:-1], out=change[1:])
        change[0] = before is None or part[0] != before
        rows = np.flatnonzero(change)
        starts.append(rows + begin)
        owners.append(part[rows].astype(np.int64, copy=False))
        before = part[-1]
    ends = np.array([size], dtype=np.int64)
    if not owners:
        return ends, np.zeros(0, dtype=np.int64)
    return np.concatenate([*starts, ends]), np.concatenate(owners)


def _order_of_runs(owners: np.ndarray, size: int) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """``(nodes or None for all, bounds[nodes + 1], order[r])``: runs by node, then position; where a node's begin.

    Node and position are packed into one integer and sorted in place: several times faster than a stable argsort.
    """
    nodes = np.unique(owners) if size > SPARSE * (len(owners) + 2**16) else None
    wanted = np.arange(size + 1, dtype=np.int64) if nodes is None else np.append(nodes, size)
    bits = max(len(owners) - 1, 1).bit_length()
    if max(size, 1).bit_length() + bits > 63:
        order = np.argsort(owners, kind="stable")
        return nodes, np.searchsorted(owners[order], wanted), order
    keys = owners
    for begin in range(0, len(keys), IN_CACHE):
        part = keys[begin : begin + IN_CACHE]
        part <<= bits
        part |= np.arange(begin, begin + len(part))
    keys.sort()
    bounds = np.searchsorted(keys, wanted << bits)
    keys &= (1 << bits) - 1
    return nodes, bounds, keys


def _write_nodes(index: h5py.Group, name: str, nodes: np.ndarray | None, bounds: np.ndarray, size: int) -> h5py.Dataset:
    """The table of nodes. Ids far apart would make a table of mostly nothing: then only its parts that hold something
    are stored (HDF5 chunks; the rest reads as the empty range 0, 0)."""
    table = np.stack([bounds[:-1], bounds[1:]], axis=1).astype(np.uint64)
    if nodes is None:
        return index.create_dataset(name, data=table)
    dataset = index.create_dataset(name, shape=(size, 2), dtype=np.uint64, chunks=(min(size, CHUNK), 2), fillvalue=0)
    parts = nodes // CHUNK
    for part in np.unique(parts).tolist():
        begin, end = np.searchsorted(parts, [part, part + 1])
        low, high = int(nodes[begin]), int(nodes[end - 1]) + 1
        block = np.zeros((high - low, 2), dtype=np.uint64)
        block[nodes[begin:end] - low] = table[begin:end]
        dataset[low:high] = block
    return dataset


def _write_ranges(index: h5py.Group, starts: np.ndarray, order: np.ndarray) -> None:
    """Ranges in the order of nodes. Where every run is one edge, its number is its start."""
    writer = RowWriter(index.create_dataset("range_to_edge_id", shape=(len(order), 2), dtype=np.uint64))
    single = len(starts) == len(order) + 1 and starts[-1] == len(order)
    for begin in range(0, len(order), BLOCK):
        rows = order[begin : begin + BLOCK]
        block = np.empty((len(rows), 2), dtype=np.uint64)
        block[:, 0] = rows if single else starts[rows]
        block[:, 1] = rows + 1 if single else starts[rows + 1]
        writer.append(block)


# --- Spikes -------------------------------------------------------------------------------------------------------


def write_spikes(file: h5py.File, population: str, node_ids: np.ndarray, times: np.ndarray, sorting: str) -> h5py.Group:
    """``/spikes/<population>``: times in ms; ``sorting``, ``none``, ``by_id`` or ``by_time``, is how they are sorted.

    libsonata takes the order from an enumeration on the group and refuses a string there; BMTK looks for a string on
    the node ids first (and cannot do so where there are none).
    """
    holder = file.require_group("spikes")
    group = holder.create_group(named(population, holder, "population"))
    group.attrs.create("sorting", h5py.check_enum_dtype(SORTING)[sorting], dtype=SORTING)
    write_dataset(group, "timestamps", np.asarray(times, dtype=np.float64), units="ms")
    ids = write_dataset(group, "node_ids", np.asarray(node_ids, dtype=np.uint64))
    if len(node_ids):
        ids.attrs["sorting"] = sorting
    return group


def write_spikes_csv(path: Path, spikes: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """BMTK's text form of spikes, a row a spike: its time (ms), population and node id.

    spikes: ``(node ids, times)`` by population, in the order of the rows.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write("timestamps population node_ids\n")
            for name, (ids, times) in spikes.items():
                between = f" {_quoted(name)} "
                file.writelines(
                    f"{time!r}{between}{node}\n" for time, node in zip(times.tolist(), ids.tolist(), strict=True)
                )


# --- Text files ---------------------------------------------------------------------------------------------------


def write_types(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """A node or edge types CSV: separated by single spaces, ``"`` doubled in quotes, NULL for None.

    columns: name -> one value a type, in the order they are written.
    """
    rows = [list(columns), *([cell(value) for value in row] for row in zip(*columns.values(), strict=True))]
    write_text(path, "".join(f"{' '.join(map(_quoted, row))}\n" for row in rows))


def _quoted(text: str) -> str:
    """In quotes where a reader would see more cells than one, or none: white space of any kind, quotes, nothing."""
    if text and '"' not in text and not any(char.isspace() for char in text):
        return text
    return '"' + text.replace('"', '""') + '"'


def cell(value: Any) -> str:
    """One value of a CSV: the shortest text that reads back as the same number."""
    if value is None or value is np.ma.masked:
        return MISSING
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if isinstance(value, float) else str(value)


def write_json(path: Path, content: Any) -> None:
    """JSON with an indent of two. Arrays of numbers must be lists already."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """A text file in UTF-8, with the folders above it. Raises WriteError if it cannot be written."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def copy_file(source: Path, target: Path) -> None:
    """Copy a component file byte for byte. Raises WriteError if it cannot be read or written."""
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(source).read_bytes())
