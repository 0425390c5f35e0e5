"""Circuits of a few cells, made with plain h5py: a base that works, which each test changes in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

NODE_TYPES = """node_type_id model_type model_template dynamics_params ei
100 point_neuron nest:iaf_psc_alpha NULL e
101 virtual NULL NULL NULL
"""
EDGE_TYPES = """edge_type_id model_template syn_weight delay target_query
7 static_synapse 2.5 1.5 "ei=='e'"
"""


def fill(group: h5py.Group, content: Mapping[str, Any]) -> None:
    """Nested mappings as groups, arrays as datasets, ``@name`` as attributes of the group."""
    for key, value in content.items():
        if key.startswith("@@"):
            group.attrs[key[2:]] = value
        elif isinstance(value, Mapping):
            fill(group.require_group(key), value)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            group.create_dataset(key, data=value, dtype=h5py.string_dtype())
        else:
            group.create_dataset(key, data=value)


def nodes(path: Path, content: Mapping[str, Any], attrs: Mapping[str, Any] | None = None) -> None:
    with h5py.File(path, "w") as handle:
        handle.attrs.update({"magic": np.uint32(0x0A7A), "version": np.array([0, 1], np.uint32)} | dict(attrs or {}))
        fill(handle, {"nodes": content})


def edges(path: Path, content: Mapping[str, Any], ends: Mapping[str, str] | None = None) -> None:
    """``ends``: the attribute node_population of the two id datasets of every population."""
    with h5py.File(path, "w") as handle:
        handle.attrs.update({"magic": np.uint32(0x0A7A), "version": np.array([0, 1], np.uint32)})
        fill(handle, {"edges": content})
        for group in handle["edges"].values():
            for key, name in (ends or {}).items():
                group[key].attrs["node_population"] = name


def population(types: list[int], **more: Any) -> dict[str, Any]:
    size = len(types)
    return {
        "node_type_id": np.array(types, np.int64),
        "node_id": np.arange(size, dtype=np.uint64),
        "node_group_id": np.zeros(size, np.uint32),
        "node_group_index": np.arange(size, dtype=np.uint64),
        "0": {},
    } | more


def connections(source: list[int], target: list[int], **more: Any) -> dict[str, Any]:
    size = len(source)
    return {
        "source_node_id": np.array(source, np.uint64),
        "target_node_id": np.array(target, np.uint64),
        "edge_type_id": np.full(size, 7, np.uint32),
        "edge_group_id": np.zeros(size, np.uint16),
        "edge_group_index": np.arange(size, dtype=np.uint32),
        "0": {},
    } | more


ENDS = {"source_node_id": "cells", "target_node_id": "cells"}


def circuit(folder: Path, **more: Any) -> Path:
    """Four cells in a ring. Files that are there already are left alone; ``more`` changes the configuration."""
    folder.mkdir(exist_ok=True)
    if not (folder / "nodes.h5").exists():
        nodes(folder / "nodes.h5", {"cells": population([100, 100, 100, 101])})
    if not (folder / "edges.h5").exists():
        edges(folder / "edges.h5", {"cells_to_cells": connections([0, 1, 2, 3], [1, 2, 3, 0])}, ENDS)
    for name, text in (("node_types.csv", NODE_TYPES), ("edge_types.csv", EDGE_TYPES)):
        if not (folder / name).exists():
            (folder / name).write_text(text)
    content = {
        "networks": {
            "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv"}],
            "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge_types.csv"}],
        }
    } | more
    path = folder / "circuit_config.json"
    path.write_text(json.dumps(content))
    return path
