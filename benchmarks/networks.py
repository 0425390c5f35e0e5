"""Generated networks for the benchmarks: one population of IF_cond_exp cells and one projection of random edges."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

BLOCK = 2**20
PARAMETERS = {"cm": 0.2, "tau_m": 20.0, "v_rest": -65.0, "v_reset": -70.0, "v_thresh": -50.0, "tau_refrac": 2.0}
PARAMETERS |= {"tau_syn_E": 1.5, "tau_syn_I": 6.0, "e_rev_E": 0.0, "e_rev_I": -75.0}


def edge_block(start: int, stop: int, edges: int, cells: int) -> dict[str, np.ndarray]:
    """Edges ``start:stop``, ordered by target as files usually are; the same for the same arguments."""
    random = np.random.Generator(np.random.PCG64(start))
    rows = np.arange(start, stop)
    return {
        "source": random.integers(0, cells, stop - start),
        "target": (rows * cells) // edges,
        "weight": random.random(stop - start) * 0.01 + 0.001,
        "delay": np.round(random.random(stop - start) * 4 + 0.5, 1),
    }


def sonata_circuit(folder: Path, edges: int, cells: int) -> Path:
    """A circuit of the Allen dialect, contiguous datasets, float64 weights and delays. Made once a folder."""
    config = folder / f"circuit_{edges}_{cells}" / "circuit_config.json"
    if config.exists():
        return config
    root = config.parent
    root.mkdir(parents=True, exist_ok=True)
    with h5py.File(root / "nodes.h5", "w") as file:
        _head(file)
        group = file.create_group("nodes/cells")
        group["node_id"] = np.arange(cells, dtype=np.uint64)
        group["node_type_id"] = np.full(cells, 100, dtype=np.uint64)
        group["node_group_id"] = np.zeros(cells, dtype=np.uint32)
        group["node_group_index"] = np.arange(cells, dtype=np.uint64)
        for axis in "xyz":
            group[f"0/{axis}"] = np.random.Generator(np.random.PCG64(ord(axis))).random(cells) * 1000
    with h5py.File(root / "edges.h5", "w") as file:
        _head(file)
        group = file.create_group("edges/cells_to_cells")
        kinds = {"source_node_id": "u8", "target_node_id": "u8", "edge_type_id": "u4", "edge_group_id": "u2"}
        kinds |= {"edge_group_index": "u4", "0/syn_weight": "f8", "0/delay": "f8"}
        data = {name: group.create_dataset(name, (edges,), kind) for name, kind in kinds.items()}
        for end in ("source", "target"):
            group[f"{end}_node_id"].attrs["node_population"] = "cells"
        for start in range(0, edges, BLOCK):
            stop = min(start + BLOCK, edges)
            block = edge_block(start, stop, edges, cells)
            data["source_node_id"][start:stop] = block["source"]
            data["target_node_id"][start:stop] = block["target"]
            data["edge_type_id"][start:stop] = 1
            data["edge_group_index"][start:stop] = np.arange(start, stop)
            data["0/syn_weight"][start:stop] = block["weight"]
            data["0/delay"][start:stop] = block["delay"]
    (root / "node_types.csv").write_text(
        "node_type_id model_type model_template dynamics_params\n100 point_neuron pynn:IF_cond_exp cell.json\n"
    )
    (root / "edge_types.csv").write_text("edge_type_id model_template\n1 pynn:StaticSynapse\n")
    (root / "cell.json").write_text(json.dumps(PARAMETERS))
    files = {
        "nodes": [{"nodes_file": "./nodes.h5", "node_types_file": "./node_types.csv"}],
        "edges": [{"edges_file": "./edges.h5", "edge_types_file": "./edge_types.csv"}],
    }
    config.write_text(json.dumps({"components": {"point_neuron_models_dir": "."}, "networks": files}))
    return config


def _head(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(0x0A7A)
    file.attrs["version"] = np.array([0, 1], dtype=np.uint32)


class Generated:
    """A chunk source whose rows are computed when asked for: no file to read, no memory to hold."""

    def __init__(self, name: str, edges: int, cells: int) -> None:
        self._name, self.size, self._cells = name, edges, cells
        self.dtype = np.dtype(np.int64 if name in ("source", "target") else np.float64)

    def open(self) -> Generated:
        return self

    def __enter__(self):
        def rows(start: int, stop: int) -> np.ndarray:
            return edge_block(start, stop, self.size, self._cells)[self._name]

        return rows

    def __exit__(self, *_: object) -> None:
        return None


def document(edges: int, cells: int, *, lazy: bool = False):
    """The same network as a `Document` of pynn_io, its edges in memory or generated a block at a time."""
    from pynn_io.document import Document
    from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, Synapse, Table, text_column

    def column(name: str, unit: str = "") -> Column:
        if lazy:
            return Column(Generated(name, edges, cells), unit=unit)
        return Column(arrays[name], unit=unit)

    arrays = {} if lazy else edge_block(0, edges, edges, cells)
    places = {axis: np.random.Generator(np.random.PCG64(ord(axis))).random(cells) * 1000 for axis in "xyz"}
    population = Population(
        "cells",
        cells,
        Table(1, {"cell": text_column(["cell"]), "id": Column(np.array([100]))}),
        Column(0),
        Table(cells, {axis: Column(values, unit="um") for axis, values in places.items()}),
    )
    types = {"synapse": text_column(["static"]), "weight_unit": text_column(["uS"])}
    types |= {"receptor": text_column(["excitatory"]), "id": Column(np.array([1]))}
    projection = Projection(
        "cells_to_cells",
        "cells",
        "cells",
        Table(1, types),
        Edges(
            column("source"),
            column("target"),
            Table(edges, {"weight": column("weight"), "delay": column("delay", "ms")}),
        ),
    )
    network = Network(
        "benchmark",
        {"cells": population},
        {"cells_to_cells": projection},
        {"cell": PointCell("IF_cond_exp", PARAMETERS)},
        {"static": Synapse("StaticSynapse")},
    )
    return Document(network)
