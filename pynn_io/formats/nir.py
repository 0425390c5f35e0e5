"""NIR files (Neuromorphic Intermediate Representation, neuroir.org) as plain records, read and written with h5py alone.

A file is HDF5: ``version`` (text) and ``node``, a group with ``type`` ``NIRGraph``, ``nodes`` (a group a node, with
``type`` and one dataset a parameter), ``edges`` (pairs of node names) and perhaps ``metadata``. A graph may be a node
of another one. The numbers bear no units. Files of nir 0.2 to 1.0 have this layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import h5py
import numpy as np

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.h5_file import check_links, damage, open_h5
from pynn_io.formats.new_file import new_hdf5, writing

#: The release of the reference implementation whose files these are.
VERSION = "1.0.8"
GRAPH = "NIRGraph"
#: Entries of a matrix that are in memory at a time.
BLOCK = 2**22
_CHUNK = 2**17


class Primitive(NamedTuple):
    """What a node of one type states. vectors: parameters of one shape, one value a neuron or channel."""

    vectors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_CONVOLUTION = Primitive(
    others=("weight", "stride", "padding", "dilation", "groups", "bias"), optional=("input_shape",)
)
_POOLING = Primitive(others=("kernel_size", "stride", "padding"))
#: The 17 primitives, by the name in a file (``nir.ir``, release 1.0.8).
PRIMITIVES: Mapping[str, Primitive] = MappingProxyType(
    {
        "Input": Primitive(others=("shape",)),
        "Output": Primitive(others=("shape",)),
        "Linear": Primitive(others=("weight",)),
        "Affine": Primitive(others=("weight", "bias")),
        "Scale": Primitive(("scale",)),
        "Conv1d": _CONVOLUTION,
        "Conv2d": _CONVOLUTION,
        "Flatten": Primitive(others=("start_dim", "end_dim"), optional=("input_type",)),
        "SumPool2d": _POOLING,
        "AvgPool2d": _POOLING,
        "Delay": Primitive(("delay",)),
        "Threshold": Primitive(("threshold",)),
        "I": Primitive(("r",)),
        "IF": Primitive(("r", "v_threshold"), optional=("v_reset",)),
        "LI": Primitive(("tau", "r", "v_leak")),
        "LIF": Primitive(("tau", "r", "v_leak", "v_threshold"), optional=("v_reset",)),
        "CubaLI": Primitive(("tau_syn", "tau_mem", "r", "v_leak"), optional=("w_in",)),
        "CubaLIF": Primitive(("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"), optional=("v_reset", "w_in")),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The entries of a dense matrix that are not 0, by rows and then columns, each place once.

    shape: ``(rows, columns)``, targets and sources. row, column: int64. value: float64.
    """

    shape: tuple[int, int]
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node. values: arrays, numbers and texts by the names of its `Primitive`; two-dimensional weights of Linear
    and Affine as `Matrix`. metadata: whatever somebody noted. where: its place in the file."""

    type: str
    values: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes by name, and ``(source, target)`` pairs of names. version: of the package that wrote the file."""

    nodes: Mapping[str, Node | Graph]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    version: str = VERSION


# --- reading ------------------------------------------------------------------------------------------------------


def is_nir(file: h5py.File) -> bool:
    """Whether an open HDF5 file is one of NIR: a node with a type, and a version."""
    node = file.get("node")
    return "version" in file and isinstance(node, h5py.Group) and isinstance(node.get("type"), h5py.Dataset)


def read_nir(path: Path) -> Graph:
    """The graph of a file.

    Raises ReadError (``file:/node/nodes/NAME``) for a node without a parameter that its type has, for shapes that do
    not fit, numbers that are not finite, and edges to nowhere; UnsupportedInput for a primitive that NIR did not have.
    """
    with open_h5(path) as file:
        if not is_nir(file):
            raise ReadError("not a NIR file: it has no node with a type", where=path, hint="nir.write makes such files")
        version = _text(file["version"][()])
        group = file["node"]
        if _type(group, path) != GRAPH:
            raise UnsupportedInput(
                f"one {_type(group, path)} node, and no graph", where=f"{path}:/node", hint="put it in a nir.NIRGraph"
            )
        return _graph(group, path, version)


def _graph(group: h5py.Group, path: Path, version: str, depth: int = 0) -> Graph:
    where = f"{path}:{group.name}"
    if depth > _DEEPEST:
        hint = "a link may lead back to a graph that it is in"
        raise ReadError(f"more than {_DEEPEST} graphs within each other", where=where[:200], hint=hint)
    check_links(group, path)
    holder = group.get("nodes")
    members: Mapping[str, Any] = {}  # an empty graph is written without them
    if isinstance(holder, h5py.Group):
        check_links(holder, path)
        members = holder
    nodes: dict[str, Node | Graph] = {}
    for name, member in members.items():
        kind = _type(member, path)
        nodes[name] = _graph(member, path, version, depth + 1) if kind == GRAPH else _node(member, kind, path)
    return Graph(nodes, tuple(_edges(group, nodes, where)), _metadata(group), where, version)


def _type(group: Any, path: Path) -> str:
    """The type of a node. Raises ReadError where it states none."""
    stated = group.get("type") if isinstance(group, h5py.Group) else None
    if not isinstance(stated, h5py.Dataset) or stated.shape != ():
        hint = "a name with a slash in it is read as two by HDF5, and by nir" if isinstance(group, h5py.Group) else ""
        raise ReadError("this node states no type", where=f"{path}:{group.name}", hint=hint)
    return _text(stated[()])


def _edges(group: h5py.Group, nodes: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    stated = group.get("edges")
    if not isinstance(stated, h5py.Dataset) or (stated.size and (stated.ndim != 2 or stated.shape[1] != 2)):
        raise ReadError("edges are pairs of node names, and here there are none", where=f"{where}/edges")
    _check_stored(stated, f"{where}/edges")
    for source, target in stated[()] if stated.size else ():
        pair = _text(source), _text(target)
        for name in pair:
            if name not in nodes:
                raise ReadError(f"the edge {pair[0]} -> {pair[1]} names no node {name!r}", where=f"{where}/edges")
        yield pair


def _node(group: h5py.Group, kind: str, path: Path) -> Node:
    where = f"{path}:{group.name}"
    check_links(group, path)
    row = PRIMITIVES.get(kind)
    if row is None:
        raise UnsupportedInput(
            f"the primitive {kind!r} is not one of NIR {VERSION}", where=where, hint=f"known: {', '.join(PRIMITIVES)}"
        )
    values: dict[str, Any] = {}
    for name in (*row.vectors, *row.others, *row.optional):
        stated = group.get(name)
        if isinstance(stated, h5py.Dataset):
            values[name] = _value(stated, kind, f"{where}/{name}")
        elif name not in row.optional:
            raise ReadError(f"{kind} has no {name!r}", where=where)
    _check_shapes(values, row, kind, where)
    return Node(kind, values, _metadata(group), where)


#: Graphs in graphs.
_DEEPEST = 50
#: Bytes from which on a dataset must be in its file, and how often it may be larger than what is stored of it: the
#: compression of HDF5 reaches 1032 where all is zero, and chunks of zeros need not be stored.
_DECLARED = 1 << 30
_COMPRESSED = 20_000


def _check_stored(stated: h5py.Dataset, where: str) -> None:
    """Raises ReadError for a dataset that is only declared: to read what no file holds takes all time and memory."""
    size = stated.size * stated.dtype.itemsize if stated.size else 0
    if size > _DECLARED and size > _COMPRESSED * stated.id.get_storage_size():
        shape = " x ".join(map(str, stated.shape))
        hint = "write the node again, with its numbers"
        raise ReadError(f"it declares {shape} values, of which the file has next to none", where=where, hint=hint)


def _value(stated: h5py.Dataset, kind: str, where: str) -> Any:
    """A parameter: text as text, a matrix by its entries, everything else as float64 or int64."""
    _check_stored(stated, where)
    if stated.dtype.kind not in "biuf":
        return _text(stated[()]) if stated.shape == () else [_text(item) for item in stated[()]]
    if kind in ("Linear", "Affine") and stated.ndim == 2 and stated.name.endswith("/weight"):
        return _matrix(stated, where)
    values = np.asarray(stated[()], dtype=np.float64 if stated.dtype.kind == "f" else np.int64)
    if not np.isfinite(values).all():
        raise ReadError("numbers that are not finite", where=where)
    return values


def _matrix(stated: h5py.Dataset, where: str) -> Matrix:
    rows, columns = stated.shape
    step = max(1, BLOCK // max(columns, 1))
    found: list[tuple[np.ndarray, ...]] = []
    for start in range(0, rows, step):
        with damage(where):
            block = stated[start : start + step]
        if not np.isfinite(block).all():
            raise ReadError("weights that are not finite", where=where)
        row, column = np.nonzero(block)
        found.append((row + start, column, block[row, column].astype(np.float64)))
    none = np.empty(0, dtype=np.int64)
    row, column = (np.concatenate([none, *(part[place] for part in found)]) for place in range(2))
    return Matrix((rows, columns), row, column, np.concatenate([np.empty(0), *(part[2] for part in found)]))


def _check_shapes(values: dict[str, Any], row: Primitive, kind: str, where: str) -> None:
    """The vectors of a node have one shape. A single number for ``w_in`` or ``v_reset`` is one for all."""
    shapes = {name: np.shape(values[name]) for name in (*row.vectors, *row.optional) if name in values and row.vectors}
    wanted = shapes[row.vectors[0]] if row.vectors else ()
    for name, shape in shapes.items():
        if shape == () and name in row.optional:
            values[name] = np.broadcast_to(values[name], wanted)
        elif shape != wanted:
            raise ReadError(f"{name} of this {kind} is {shape}, and {row.vectors[0]} is {wanted}", where=where)
    if kind == "Affine" and isinstance(values["weight"], Matrix):
        size = values["weight"].shape[0]
        if np.shape(values["bias"]) != (size,):
            raise ReadError(f"the bias is {np.shape(values['bias'])}, and the weight has {size} rows", where=where)


def _metadata(group: h5py.Group) -> dict[str, Any]:
    held = group.get("metadata")
    return _mapping(held) if isinstance(held, h5py.Group) else {}


def _mapping(group: h5py.Group) -> dict[str, Any]:
    return {
        name: _mapping(item) if isinstance(item, h5py.Group) else _noted(item[()])
        for name, item in group.items()
        if isinstance(item, h5py.Group | h5py.Dataset)
    }


def _noted(value: Any) -> Any:
    return _text(value) if isinstance(value, bytes | str) else value


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


# --- writing ------------------------------------------------------------------------------------------------------


def write_nir(path: Path, graph: Graph) -> None:
    """Write a graph into a new file, matrices in blocks of rows. Raises WriteError for what the file system refuses."""
    with new_hdf5(path) as file, writing(path):
        _write_text(file, "version", graph.version)
        _write_graph(file.create_group("node"), graph)


def _write_graph(group: h5py.Group, graph: Graph) -> None:
    _write_text(group, "type", GRAPH)
    holder = group.create_group("nodes")
    for name, node in graph.nodes.items():
        if isinstance(node, Graph):
            _write_graph(holder.create_group(name), node)
        else:
            _write_node(holder.create_group(name), node)
    pairs = np.asarray(graph.edges, dtype=object).reshape(-1, 2)
    group.create_dataset("edges", data=pairs, dtype=h5py.string_dtype())
    _write_metadata(group, graph.metadata)


def _write_node(group: h5py.Group, node: Node) -> None:
    _write_text(group, "type", node.type)
    for name, value in node.values.items():
        if isinstance(value, Matrix):
            _write_matrix(group, name, value)
        else:
            _write_value(group, name, value)
    _write_metadata(group, node.metadata)


def _write_metadata(group: h5py.Group, metadata: Mapping[str, Any]) -> None:
    if metadata:
        held = group.create_group("metadata")
        for name, value in metadata.items():
            _write_value(held, name, value)


def _write_value(group: h5py.Group, name: str, value: Any) -> None:
    if isinstance(value, str):
        _write_text(group, name, value)
    elif np.ndim(value) and np.size(value):
        group.create_dataset(name, data=value, compression="gzip", shuffle=True)
    else:
        group.create_dataset(name, data=value)


def _write_text(group: h5py.Group, name: str, text: str) -> None:
    group.create_dataset(name, data=text, dtype=h5py.string_dtype())


def _write_matrix(group: h5py.Group, name: str, matrix: Matrix) -> None:
    """Dense, as every reader wants it, but never whole in memory here."""
    rows, columns = matrix.shape
    if not rows or not columns:
        group.create_dataset(name, shape=matrix.shape, dtype=np.float64)
        return
    step = min(rows, max(1, BLOCK // columns))
    chunk = (min(step, max(1, _CHUNK // columns)), min(columns, _CHUNK))
    data = group.create_dataset(
        name, matrix.shape, np.float64, chunks=chunk, compression="gzip", compression_opts=1, shuffle=True
    )
    bounds = np.searchsorted(matrix.row, np.arange(0, rows + step, step))
    for number, (first, last) in enumerate(pairwise(bounds.tolist())):
        start = number * step
        if last > first:
            block = np.zeros((min(step, rows - start), columns))
            block[matrix.row[first:last] - start, matrix.column[first:last]] = matrix.value[first:last]
            data[start : start + len(block)] = block
