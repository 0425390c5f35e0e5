"""More of one circuit: copies of bio_14cells side by side, each with all of its input."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np

#: Nodes of one copy.
CELLS = 14


def replicate(circuits: Path, folder: Path, name: str, copies: int) -> None:
    """Write ``folder/name``, the circuit bio_14cells ``copies`` times, and what it needs beside it.

    The cells of a copy are connected among themselves as in the original, and every copy hears the same sources.
    """
    for needed in ("shared_components", "bio_components"):
        shutil.copytree(circuits / needed, folder / needed)
    shutil.copytree(circuits / "bio_14cells", folder / name)
    network = folder / name / "network"
    with h5py.File(network / "v1_nodes.h5", "r+") as file:
        _nodes(file["nodes/v1"], copies)
    for edges, shift in (("v1_to_v1", CELLS), ("lgn_to_v1", 0), ("tw_to_v1", 0)):
        with h5py.File(network / f"{edges.replace('_to_', '_')}_edges.h5", "r+") as file:
            _edges(file[f"edges/{edges}"], copies, shift)


def _nodes(nodes: h5py.Group, copies: int) -> None:
    groups = {name: int(nodes[name]["x"].shape[0]) for name in nodes if name.isdigit()}
    steps = np.array([groups[str(code)] for code in nodes["node_group_id"][:].tolist()])
    for name in groups:
        for column in list(nodes[name]):
            _repeat(nodes[name], column, copies)
    for column, step in (("node_id", CELLS), ("node_group_index", steps), ("node_group_id", 0), ("node_type_id", 0)):
        _repeat(nodes, column, copies, step)


def _edges(edges: h5py.Group, copies: int, shift: int) -> None:
    """``shift``: from the sources of one copy to those of the next, 0 where they are shared."""
    size = edges["source_node_id"].shape[0]
    for column in list(edges["0"]):
        _repeat(edges["0"], column, copies)
    for column, step in (
        ("source_node_id", shift),
        ("target_node_id", CELLS),
        ("edge_group_index", size),
        ("edge_group_id", 0),
        ("edge_type_id", 0),
    ):
        _repeat(edges, column, copies, step)
    for name, end in (("source_to_target", "source"), ("target_to_source", "target")):
        _index(edges[f"indices/{name}"], edges[f"{end}_node_id"][:].astype(np.int64))


def _index(index: h5py.Group, ids: np.ndarray) -> None:
    """SONATA's index of edges by the nodes at one end: the runs of equal ids, in order of the ids."""
    begins = np.flatnonzero(np.diff(ids, prepend=-1))
    order = np.argsort(ids[begins], kind="stable")
    runs = np.stack([begins, np.append(begins[1:], len(ids))], axis=1)[order]
    nodes = np.arange(ids.max() + 1)
    ranges = np.searchsorted(ids[begins][order], np.stack([nodes, nodes + 1], axis=1))
    for name, values in (("node_id_to_range", ranges), ("range_to_edge_id", runs)):
        del index[name]
        index.create_dataset(name, data=values.astype(np.uint64))


def _repeat(group: h5py.Group, column: str, copies: int, step: int | np.ndarray = 0) -> None:
    """The column ``copies`` times, each ``step`` more than the one before; its attributes stay."""
    values, attributes = group[column][:], dict(group[column].attrs)
    del group[column]
    more = np.concatenate([values + np.asarray(step * k, dtype=values.dtype) for k in range(copies)])
    group.create_dataset(column, data=more).attrs.update(attributes)
