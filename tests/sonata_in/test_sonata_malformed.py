"""Broken circuits, made inline: each gives a typed error that names the place, never a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError
from pynn_io.importers.sonata import read
from pynn_io.report import Report
from tests.sonata_in.tiny_circuits import ENDS, circuit, connections, edges, nodes, population


def refused(folder: Path, **more: Any) -> ReadError:
    """The error of reading the circuit and every one of its edges."""
    with pytest.raises(ReadError) as caught:
        network = read(circuit(folder, **more), Report()).network
        for projection in network.projections.values():
            for _ in projection.blocks(list(projection.edges.columns)):
                pass
    assert caught.value.exit_status == 4
    return caught.value


Change = Callable[[Path], None]


def cells(**more: Any) -> Change:
    return lambda folder: nodes(folder / "nodes.h5", {"cells": population([100] * 4, **more)})


def ring(**more: Any) -> Change:
    return lambda folder: edges(
        folder / "edges.h5", {"cells_to_cells": connections([0, 1, 2], [1, 2, 3], **more)}, ENDS
    )


def text(name: str, content: str) -> Change:
    return lambda folder: (folder / name).write_text(content) and None


def truncated(folder: Path) -> None:
    ring(**{"0": {"delay": np.zeros(5000)}})(folder)
    content = (folder / "edges.h5").read_bytes()
    (folder / "edges.h5").write_bytes(content[: len(content) // 2])


def magic(folder: Path) -> None:
    nodes(folder / "nodes.h5", {"cells": population([100] * 4)}, {"magic": np.uint32(0xBEEF)})


CASES: dict[str, tuple[Change, str, str]] = {
    "truncated HDF5": (truncated, "edges.h5", "not a readable HDF5 file"),
    "not HDF5": (text("nodes.h5", "<html>"), "nodes.h5", "not a readable HDF5 file"),
    "wrong magic": (magic, "nodes.h5:/", "the attribute magic is 48879, not 2682"),
    "ids as text": (
        ring(source_node_id=["a", "b", "c"]),
        "edges.h5:/edges/cells_to_cells/source_node_id",
        "must be a column of integers",
    ),
    "fractional id": (
        ring(target_node_id=np.array([0.0, 1.5, 2.0])),
        "edges.h5:/edges/cells_to_cells/target_node_id",
        "row 1 is 1.5, not an integer",
    ),
    "position as text": (
        cells(**{"0": {"x": list("abcd")}}),
        "nodes.h5:/nodes/cells/0/x",
        "must be a number, not text",
    ),
    "dangling node type": (
        cells(node_type_id=np.array([100, 100, 999, 101])),
        "nodes.h5:/nodes/cells/node_type_id",
        "node type 999 is not in",
    ),
    "dangling edge type": (
        ring(edge_type_id=np.array([7, 8, 7])),
        "edges.h5:/edges/cells_to_cells/edge_type_id",
        "edge type 8 is not in",
    ),
    "edge beyond the population": (
        ring(target_node_id=np.array([1, 2, 4], np.uint64)),
        "edges.h5:/edges/cells_to_cells/target_node_id",
        "edge 2 names node 4, which is not in the population 'cells' (4 nodes)",
    ),
    "id of 64 bits without sign": (
        ring(source_node_id=np.array([0, 2**64 - 1, 1], np.uint64)),
        "edges.h5:/edges/cells_to_cells/source_node_id",
        "edge 1 names node 18446744073709551615,",
    ),
    "negative id": (
        ring(source_node_id=np.array([0, 1, -1])),
        "edges.h5:/edges/cells_to_cells/source_node_id",
        "edge 2 names node -1,",
    ),
    "duplicate node id": (
        cells(node_id=np.array([4, 2, 3, 2])),
        "nodes.h5:/nodes/cells/node_id",
        "node id 2 is stated twice, in rows 1 and 3",
    ),
    "unequal lengths": (
        ring(target_node_id=np.array([0, 1], np.uint64)),
        "edges.h5:/edges/cells_to_cells/target_node_id",
        "target_node_id has 2 rows, source_node_id has 3",
    ),
    "short attribute": (
        ring(**{"0": {"delay": np.zeros(2)}}),
        "edges.h5:/edges/cells_to_cells/0/delay",
        "it has 2 rows, the population has 3",
    ),
    "group index too large": (
        cells(node_group_index=np.array([0, 1, 2, 9]), **{"0": {"x": np.zeros(4)}}),
        "nodes.h5:/nodes/cells/0/x",
        "it has 4 rows, node_group_index asks for 10",
    ),
    "negative group index": (
        cells(node_group_index=np.array([0, 1, 2, -3]), **{"0": {"x": np.zeros(4)}}),
        "nodes.h5:/nodes/cells/node_group_index",
        "row 3 has the group index -3",
    ),
    "group that is not there": (
        cells(node_group_id=np.array([0, 0, 5, 0])),
        "nodes.h5:/nodes/cells/node_group_id",
        "attribute group 5 is used, but does not exist",
    ),
    "no source ids": (
        lambda folder: edges(folder / "edges.h5", {"cells_to_cells": {"target_node_id": np.zeros(3, int)}}),
        "edges.h5:/edges/cells_to_cells",
        "no source_node_id",
    ),
    "unknown population": (
        lambda folder: edges(
            folder / "edges.h5", {"x": connections([0], [1])}, {"source_node_id": "nowhere", "target_node_id": "cells"}
        ),
        "edges.h5:/edges/x/source_node_id",
        "the source population 'nowhere' is not in the circuit, which has cells",
    ),
    "nodes without a size": (
        lambda folder: nodes(folder / "nodes.h5", {"cells": {"0": {}, "1": {}}}),
        "nodes.h5:/nodes/cells",
        "not known how many nodes",
    ),
    "no nodes in the file": (lambda folder: nodes(folder / "nodes.h5", {}), "nodes.h5:/nodes", "no population"),
    "odd column count": (
        text("node_types.csv", "node_type_id model_type\n100 virtual\n101 virtual x\n"),
        "node_types.csv:3",
        "3 values for 2 columns",
    ),
    "duplicate type id": (
        text("edge_types.csv", "edge_type_id syn_weight\n7 1\n7 2\n"),
        "edge_types.csv:3",
        "edge_type_id 7 is stated twice",
    ),
    "weight as text": (
        text("edge_types.csv", "edge_type_id syn_weight\n7 heavy\n"),
        "edge_types.csv:2",
        "weight must be a number, not 'heavy'",
    ),
    "nsyns with a fraction": (
        text("edge_types.csv", "edge_type_id nsyns\n7 2.5\n"),
        "edge_types.csv:2",
        "nsyns must be an integer, not 2.5",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_file_is_refused(name: str, tmp_path: Path) -> None:
    change, where, says = CASES[name]
    change(tmp_path)
    error = refused(tmp_path)
    assert error.where == f"{tmp_path}/{where}"
    assert says in error.message


def test_cyclic_manifest(tmp_path: Path) -> None:
    error = refused(tmp_path, manifest={"$A": "$B/x", "$B": "$A"})
    assert error.where == f"{tmp_path}/circuit_config.json"
    assert "$A -> $B -> $A" in error.message


@pytest.mark.parametrize("key", ["nodes_file", "node_types_file", "edges_file", "edge_types_file"])
def test_missing_file_names_the_key(key: str, tmp_path: Path) -> None:
    networks: dict[str, Any] = {
        "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv"}],
        "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge_types.csv"}],
    }
    networks["nodes" if "node" in key else "edges"][0][key] = "gone.x"
    error = refused(tmp_path, networks=networks)
    assert error.message == f"the file {tmp_path}/gone.x named by '{key}' does not exist"


@pytest.mark.parametrize(
    "more",
    [{"networks": {"nodes": [], "edges": []}}, {"networks": {}}, {"networks": None, "components": {}}],
)
def test_an_empty_circuit_is_never_returned(more: dict[str, Any], tmp_path: Path) -> None:
    error = refused(tmp_path, **more)
    assert error.where == f"{tmp_path}/circuit_config.json"
    assert "the circuit is empty" in error.message


@pytest.mark.parametrize("key", ["manifest", "components", "networks", "node_sets"])
def test_a_list_where_an_object_belongs(key: str, tmp_path: Path) -> None:
    error = refused(tmp_path, **{key: [1]})
    assert (error.where, error.message) == (f"{tmp_path}/circuit_config.json", f"{key!r} must be a JSON object")


def test_a_list_of_populations(tmp_path: Path) -> None:
    entry = {"nodes_file": "nodes.h5", "node_types_file": "node_types.csv", "populations": ["cells"]}
    error = refused(tmp_path, networks={"nodes": [entry]})
    assert error.where == f"{tmp_path}/circuit_config.json:networks.nodes[0]"
    assert "'populations' must be an object" in error.message


def test_population_that_the_file_does_not_have(tmp_path: Path) -> None:
    entry = {"nodes_file": "nodes.h5", "node_types_file": "node_types.csv", "populations": {"others": {}}}
    error = refused(tmp_path, networks={"nodes": [entry]})
    assert "'others' is not in" in error.message and "which holds cells" in error.message


def test_component_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "node_types.csv").write_text(
        "node_type_id model_type model_template dynamics_params\n"
        "100 point_neuron nest:a p.json\n"
        "101 virtual NULL NULL\n"
    )
    (tmp_path / "p.json").write_text('{"a": 1,\n}')
    error = refused(tmp_path, components={"point_neuron_models_dir": "."})
    assert error.where.startswith(f"{tmp_path}/p.json:")
    assert "comma" in error.hint


def test_a_chunk_that_cannot_be_unpacked(tmp_path: Path) -> None:
    """Damage inside the data: found when the block is read, and named with its dataset."""
    size = 40_000
    ring()(tmp_path)
    with h5py.File(tmp_path / "edges.h5", "w") as handle:
        group = handle.create_group("edges/cells_to_cells")
        for key in ENDS:
            group.create_dataset(key, data=np.zeros(size, np.uint64))
            group[key].attrs["node_population"] = "cells"
        group["edge_type_id"] = np.full(size, 7)
        noise = np.random.default_rng(2).random(size)
        delay = group.create_dataset("0/delay", data=noise, chunks=(size,), compression="gzip")
        handle.flush()
        place = delay.id.get_chunk_info(0).byte_offset
    content = bytearray((tmp_path / "edges.h5").read_bytes())
    content[place : place + 400] = b"\xff" * 400
    (tmp_path / "edges.h5").write_bytes(content)
    error = refused(tmp_path)
    assert error.where == f"{tmp_path}/edges.h5:/edges/cells_to_cells/0/delay"
