"""Node and edge files made with plain h5py: dialects, ids, groups, enumerations, laziness. Expected values by hand."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError
from pynn_io.formats import sonata_rows
from pynn_io.formats.sonata_tables import scan
from pynn_io.graph import CableCell, ChunkSource, PointCell, Projection, SpikeSource, UnknownCell
from pynn_io.importers.sonata import read
from pynn_io.report import Kind, Report
from tests.sonata_in.tiny_circuits import EDGE_TYPES, ENDS, circuit, connections, edges, nodes, population

DATA = (Path(__file__).resolve().parents[3] / "shared" / "data").resolve()


def network(folder: Path, **more: Any) -> Any:
    return read(circuit(folder, **more), Report()).network


def only(folder: Path, **more: Any) -> Projection:
    return network(folder, **more).projections["cells_to_cells"]


def test_the_base(tmp_path: Path) -> None:
    found = network(tmp_path)
    cells, projection = found.populations["cells"], found.projections["cells_to_cells"]
    assert found.cells["cells_100"] == PointCell("nest:iaf_psc_alpha")
    assert found.cells["cells_101"] == SpikeSource()
    assert cells.type_index.read(4).tolist() == [0, 0, 0, 1]
    assert cells.column("ei").values(4).tolist() == ["e", "e", "e", None]
    assert found.synapses["cells_to_cells_7"].model == "nest:static_synapse"
    assert projection.types.values("weight").tolist() == [2.5]
    assert projection.types.values("target_query").tolist() == ["ei=='e'"]
    assert projection.types["target_query"].extra and not projection.types["delay"].extra
    assert projection.edges.target.read(4).tolist() == [1, 2, 3, 0]


# --- ids ---


def test_unsorted_ids_with_gaps_are_searched(tmp_path: Path) -> None:
    nodes(tmp_path / "nodes.h5", {"cells": population([100] * 4, node_id=np.array([30, 5, 2**40, 7], np.uint64))})
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([2**40, 7, 30], [5, 5, 7])}, ENDS)
    found = network(tmp_path)
    assert found.populations["cells"].ids().tolist() == [30, 5, 2**40, 7]
    assert found.projections["cells_to_cells"].edges.source.read(3).tolist() == [2, 3, 0]
    assert found.projections["cells_to_cells"].edges.target.read(3).tolist() == [1, 1, 3]


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i4", ">i4", "<u8", ">u8", "i8", "f8"])
def test_ids_of_any_width(tmp_path: Path, dtype: str) -> None:
    ends = {"source_node_id": np.array([3, 0], dtype), "target_node_id": np.array([1, 2], dtype)}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0, 0], [0, 0], **ends)}, ENDS)
    found = only(tmp_path).edges
    assert found.source.read(2).tolist() == [3, 0]
    assert found.source.read(2).dtype == np.int64 == found.source.dtype


def test_absent_node_ids_and_group_columns(tmp_path: Path) -> None:
    nodes(tmp_path / "nodes.h5", {"cells": {"node_type_id": np.full(4, 100), "0": {"x": np.arange(4.0)}}})
    bare = connections([0, 3], [1, 2])
    del bare["edge_group_id"], bare["edge_group_index"]
    edges(tmp_path / "edges.h5", {"cells_to_cells": bare | {"0": {"delay": np.array([1.0, np.nan])}}}, ENDS)
    found = network(tmp_path)
    assert found.populations["cells"].ids().tolist() == [0, 1, 2, 3]
    assert found.populations["cells"].column("x").read(4).tolist() == [0, 1, 2, 3]
    delays = found.projections["cells_to_cells"].edges.columns.read("delay")
    assert delays[0] == 1.0 and np.isnan(delays[1])


# --- groups ---


def test_groups_with_different_columns(tmp_path: Path) -> None:
    groups = {
        "node_group_id": np.array([1, 0, 1, 0]),
        "node_group_index": np.array([1, 0, 0, 1]),
        "0": {"x": np.array([10.0, 11.0]), "kind": ["a", "b"]},
        "1": {"x": np.array([20.0, 21.0]), "angle": np.array([0.5, 0.25], np.float32), "kind": ["b", "c"]},
    }
    nodes(tmp_path / "nodes.h5", {"cells": population([100] * 4, **groups)})
    table = network(tmp_path).populations["cells"].table
    assert table.values("x").tolist() == [21, 10, 20, 11]
    assert table.values("angle").tolist() == [0.25, None, 0.5, None]
    assert table.values("kind").tolist() == ["c", "a", "b", "b"]
    assert table.values("group").tolist() == [1, 0, 1, 0]


def test_edge_groups_are_gathered_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a loop over rows, with blocks far smaller than the groups, and shuffled indices."""
    monkeypatch.setattr(sonata_rows, "BLOCK", 5)
    rng = np.random.default_rng(4)
    size = 60
    group = rng.integers(0, 2, size)
    index = np.zeros(size, np.int64)
    for number in (0, 1):
        mine = np.flatnonzero(group == number)
        index[mine] = rng.permutation(len(mine))
    data = {number: rng.random(int((group == number).sum())) for number in (0, 1)}
    words = [f"w{number % 3}" for number in range(len(data[1]))]
    content = {
        "edge_group_id": group.astype(np.uint16),
        "edge_group_index": index,
        "0": {"syn_weight": data[0]},
        "1": {"syn_weight": data[1], "word": words, "nsyns": np.arange(len(words), dtype=np.uint8)},
    }
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0] * size, [1] * size, **content)}, ENDS)
    columns = only(tmp_path).edges.columns
    expected = [data[int(group[row])][index[row]] for row in range(size)]
    for block in (60, 7):
        read_back: dict[str, list[Any]] = {"weight": [], "nsyns": [], "word": []}
        for _, _, rows in columns.blocks(list(read_back), block=block):
            for name in read_back:
                read_back[name] += columns[name].decode(rows[name]).tolist()
        assert read_back["weight"] == expected
        assert read_back["nsyns"] == [int(index[row]) if group[row] else None for row in range(size)]
        assert read_back["word"] == [words[index[row]] if group[row] else None for row in range(size)]


def test_one_group_whose_index_is_a_permutation(tmp_path: Path) -> None:
    order = {"edge_group_index": np.array([2, 0, 1], np.uint8), "0": {"delay": np.array([1.0, 2.0, 3.0])}}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0, 0, 0], [1, 2, 3], **order)}, ENDS)
    columns = only(tmp_path).edges.columns
    assert columns.read("delay").tolist() == [3.0, 1.0, 2.0]
    assert "group" not in columns


# --- types, inheritance, enumerations ---


def test_hdf5_overrides_csv(tmp_path: Path) -> None:
    (tmp_path / "node_types.csv").write_text(
        "node_type_id model_type model_template x\n100 point_neuron nest:iaf_psc_alpha 7\n101 virtual NULL NULL\n"
    )
    groups = {"node_group_id": np.array([0, 1, 0, 1]), "node_group_index": np.array([0, 0, 1, 1])}
    content = population([100, 100, 101, 101], **groups) | {"0": {"x": np.array([1.0, 2.0])}, "1": {}}
    nodes(tmp_path / "nodes.h5", {"cells": content})
    assert network(tmp_path).populations["cells"].column("x").values(4).tolist() == [1.0, 7.0, 2.0, None]


def test_model_template_of_a_node_splits_its_type(tmp_path: Path) -> None:
    own = ["nest:iaf_psc_delta", "", "nest:iaf_psc_delta", "NULL"]
    nodes(tmp_path / "nodes.h5", {"cells": population([100, 100, 100, 101], **{"0": {"model_template": own}})})
    found = network(tmp_path)
    cells = found.populations["cells"]
    assert [found.cells[cells.cells[row]] for row in cells.type_index.read(4)] == [
        PointCell("nest:iaf_psc_delta"),
        PointCell("nest:iaf_psc_alpha"),
        PointCell("nest:iaf_psc_delta"),
        SpikeSource(),
    ]
    assert cells.types.values("id").tolist() == [100, 100, 101]
    assert cells.types.values("ei").tolist() == ["e", "e", None]


def test_unused_types_stay_listed(tmp_path: Path) -> None:
    nodes(tmp_path / "nodes.h5", {"cells": population([101] * 4)})
    (tmp_path / "edge_types.csv").write_text(EDGE_TYPES + "9 static_synapse 1.0 1.0 NULL\n")
    found = network(tmp_path)
    assert found.populations["cells"].types.values("id").tolist() == [100, 101]
    assert found.projections["cells_to_cells"].types.values("id").tolist() == [7, 9]
    assert found.projections["cells_to_cells"].type_index.read(4).tolist() == [0, 0, 0, 0]


def test_library_enumeration_with_bad_codes(tmp_path: Path) -> None:
    library = {"@library": {"mood": ["sad", "glad"]}, "mood": np.array([1, 2, 0, -1])}
    nodes(tmp_path / "nodes.h5", {"cells": population([100] * 4, **{"0": library})})
    report = Report()
    found = read(circuit(tmp_path), report).network
    column = found.populations["cells"].table["mood"]
    assert column.levels == ("sad", "glad")
    assert column.values(4).tolist() == ["glad", None, "sad", None]
    (issue,) = report
    assert (issue.code, issue.kind, issue.count) == ("enumeration", Kind.NOT_READ, 2)
    assert issue.where == f"{tmp_path}/nodes.h5:/nodes/cells/0/mood"


def test_enumerations_of_edges_stay_lazy(tmp_path: Path) -> None:
    library = {"@library": {"kind": ["a", "b"]}, "kind": np.array([1, 0, 1], np.uint8)}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0, 0, 0], [1, 2, 3], **{"0": library})}, ENDS)
    column = only(tmp_path).edges.columns["kind"]
    assert column.is_lazy and isinstance(column.data, ChunkSource)
    assert column.values(3).tolist() == ["b", "a", "b"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real circuits of ../shared/data are not on this machine")
def test_libsonata_test_data() -> None:
    """libsonata's own nodes1.h5: enumerations good, bad and ugly; empty datasets; an attribute too short."""
    with pytest.raises(ReadError, match=r"nodes1\.h5:/nodes/nodes-B: the population has no node_type_id"):
        scan(DATA / "sonata_obi/libsonata_data/nodes1.h5", "nodes")
    edges_file = DATA / "sonata_obi/libsonata_data/edges-no-index.h5"
    (record,) = [record for record in scan(edges_file, "edges") if record.name == "edges-AB"]
    assert record.dialect == "obi"
    assert "A-double" not in record.columns  # h5py.Empty: absent
    rows, levels = record.column(record.columns["attr-Z"])
    assert levels == ("aa", "bb", "cc", "dd", "ee", "ff")
    assert sonata_rows.read_all(rows).tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ReadError, match=r"/0/A-enum: it has 2 rows, the population has 6"):
        record.column(record.columns["A-enum"])


@pytest.mark.skipif(not DATA.is_dir(), reason="the real circuits of ../shared/data are not on this machine")
def test_edge_index_example(tmp_path: Path) -> None:
    """No magic, no types, no node_population, and edge_group_id of floats."""
    path = DATA / "sonata/edges/edge_index_example.h5"
    (record,) = scan(path, "edges")
    assert (record.dialect, record.pre, record.post, record.direct) == ("aibs-legacy", "", "", True)
    with h5py.File(path) as handle:
        assert record.size == len(handle["edges/example/source_node_id"]) == 33


# --- dialects ---


def index(name: str, group: str = "indices") -> dict[str, Any]:
    return {group: {side: {name: np.zeros((4, 2))} for side in ("source_to_target", "target_to_source")}}


@pytest.mark.parametrize(
    ("more", "dialect", "order"),
    [
        (index("node_id_to_range"), "aibs", "axon_replaced"),
        (index("node_id_to_range", "indicies"), "aibs-legacy", "axon_replaced"),
        (index("node_id_to_ranges"), "spec-0.1", "specification"),
        ({}, "aibs", "axon_replaced"),
        ({"@@section_order": "specification"}, "aibs", "specification"),
    ],
)
def test_dialect_and_section_order(tmp_path: Path, more: dict[str, Any], dialect: str, order: str) -> None:
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0], [1], **more)}, ENDS)
    (record,) = scan(tmp_path / "edges.h5", "edges")
    assert record.dialect == dialect
    report = Report()
    document = read(circuit(tmp_path), report)
    assert document.network.projections["cells_to_cells"].section_order == order
    assert not len(report)


def test_old_names(tmp_path: Path) -> None:
    old = {"positions": np.arange(12.0).reshape(4, 3)}
    cells = population([100] * 4, **{"0": old})
    cells["gids"] = np.array([4, 3, 2, 1])
    del cells["node_id"]
    nodes(tmp_path / "nodes.h5", {"cells": cells})
    content = {"0": {"sec_id": np.array([3, 4], np.uint16), "sec_x": np.array([0.5, 0.25])}}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([1, 4], [2, 3], **content)})
    with h5py.File(tmp_path / "edges.h5", "r+") as handle:
        for end in ("source_node_id", "target_node_id"):
            handle["edges/cells_to_cells"][end].attrs["network"] = "cells"
    document = read(circuit(tmp_path), Report())
    table, found = document.network.populations["cells"].table, document.network.projections["cells_to_cells"]
    assert document.provenance["dialect"] == "aibs-legacy"
    assert [table.read(axis).tolist() for axis in "xyz"] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert found.edges.source.read(2).tolist() == [3, 0]
    assert found.edges.columns.read("afferent_section_id").tolist() == [3, 4]
    assert found.edges.columns.read("afferent_section_pos").tolist() == [0.5, 0.25]


def test_population_names_from_the_edges_name(tmp_path: Path) -> None:
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0], [1])})
    assert only(tmp_path).pre == "cells"


def test_two_dimensional_positions_and_quaternions(tmp_path: Path) -> None:
    content = {"position": np.array([[1.0, 2.0]] * 4), "orientation": np.array([[1.0, 0.0, 0.5, 0.0]] * 4)}
    nodes(tmp_path / "nodes.h5", {"cells": population([100] * 4, **{"0": content})})
    table = network(tmp_path).populations["cells"].table
    assert set(table) == {"x", "y", *(f"orientation_{axis}" for axis in "wxyz")}
    assert table.read("orientation_y").tolist() == [0.5] * 4


def test_quaternion_in_csv(tmp_path: Path) -> None:
    (tmp_path / "node_types.csv").write_text(
        'node_type_id model_type orientation\n100 virtual "[1, 0, 0.5, 0]"\n101 virtual NULL\n'
    )
    cells = network(tmp_path).populations["cells"]
    assert cells.column("orientation_y").values(4).tolist() == [0.5, 0.5, 0.5, None]


def test_gzip_and_chunks_larger_than_a_block(tmp_path: Path) -> None:
    size = 200_000
    circuit(tmp_path)
    source = np.random.default_rng(1).integers(0, 4, size).astype(np.uint64)
    with h5py.File(tmp_path / "edges.h5", "w") as handle:
        group = handle.create_group("edges/cells_to_cells")
        group.create_dataset("source_node_id", data=source, chunks=(size,), compression="gzip", shuffle=True)
        group.create_dataset("target_node_id", data=source[::-1], chunks=(1000,), compression="lzf", fletcher32=True)
        group["edge_type_id"] = np.full(size, 7)
        group.create_group("0")
    found = only(tmp_path).edges
    got = np.concatenate([rows["source"] for _, _, rows in found.blocks(block=30_000)])
    assert (got == source).all()
    assert (found.target.read(size) == source[::-1]).all()


# --- OBI ---


def obi(folder: Path, node_type: str = "biophysical", edge_type: str = "chemical", **attributes: Any) -> Path:
    nodes(folder / "nodes.h5", {"cells": {"node_type_id": np.full(3, -1), "0": attributes}})
    group = {"conductance": np.array([0.5, 2.0], np.float32), "syn_weight": np.ones(2), "u_syn": np.ones(2)}
    content = {k: v for k, v in connections([0, 1], [1, 2]).items() if "group" not in k}
    content |= {"edge_type_id": np.full(2, -1), "0": group}
    edges(folder / "edges.h5", {"cells__cells__chemical": content}, ENDS)
    networks = {
        "nodes": [{"nodes_file": "nodes.h5", "populations": {"cells": {"type": node_type, "morphologies_dir": "m"}}}],
        "edges": [{"edges_file": "edges.h5", "populations": {"cells__cells__chemical": {"type": edge_type}}}],
    }
    path = folder / "circuit_config.json"
    path.write_text(json.dumps({"version": 2.4, "networks": networks}))
    return path


def test_obi_cells_and_weights(tmp_path: Path) -> None:
    names = {
        "model_template": ["hoc:A", "hoc:B", "hoc:A"],
        "morphology": ["m1", "m2.swc", "m1"],
        "layer": ["2", "3", "2"],
    }
    report = Report()
    document = read(obi(tmp_path, **names), report)
    found, edges_found = document.network, document.network.projections["cells__cells__chemical"]
    cells = found.populations["cells"]
    assert [cells.cells[row] for row in cells.type_index.read(3)] == ["A", "B", "A"]
    assert isinstance(found.cells["A"], CableCell) and found.cells["A"].template == "hoc:A"
    assert cells.table.values("morphology").tolist() == ["m1", "m2", "m1"]
    assert found.morphologies.path("m2") == tmp_path / "m" / "m2.swc"
    assert edges_found.edges.columns.read("weight").tolist() == [0.5, 2.0]
    assert {"syn_weight", "u_syn"} <= set(edges_found.edges.columns)
    assert edges_found.types.values("weight_unit").tolist() == ["nS"]
    kept = document.network.extra["sonata"]
    assert kept["dialect"] == "obi" and kept["version"] == 2.4
    assert kept["edges"]["cells__cells__chemical"]["weight_name"] == "conductance"
    assert kept["nodes"]["cells"]["properties"] == {"type": "biophysical", "morphologies_dir": "m"}
    assert not len(report)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("virtual", SpikeSource()),
        ("astrocyte", UnknownCell("astrocyte")),
        ("single_compartment", UnknownCell("single_compartment")),
    ],
)
def test_obi_population_types(tmp_path: Path, kind: str, expected: Any) -> None:
    report = Report()
    found = read(obi(tmp_path, node_type=kind), report).network
    assert found.cells[found.populations["cells"].cells[0]] == expected
    assert ("cell-kind" in report.codes()) == isinstance(expected, UnknownCell)


@pytest.mark.parametrize("kind", ["electrical", "synapse_astrocyte", "endfoot", "neuromodulatory", "glialglial"])
def test_obi_edge_kinds(tmp_path: Path, kind: str) -> None:
    assert read(obi(tmp_path, edge_type=kind), Report()).network.projections["cells__cells__chemical"].kind == kind


def test_two_folders_with_the_same_morphology_name(tmp_path: Path) -> None:
    cells = {"node_type_id": np.full(1, -1), "0": {"morphology": ["m"], "model_template": ["hoc:A"]}}
    nodes(tmp_path / "nodes.h5", {"a": cells, "b": cells})
    own = {name: {"type": "biophysical", "morphologies_dir": name} for name in "ab"}
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"networks": {"nodes": [{"nodes_file": "nodes.h5", "populations": own}]}}))
    found = read(path, Report()).network
    names = [found.populations[name].table.values("morphology")[0] for name in "ab"]
    assert [found.morphologies.path(name) for name in names] == [tmp_path / "a" / "m.swc", tmp_path / "b" / "m.swc"]


# --- parameters, weights, kinds ---


def test_dynamics_params_of_nodes_and_edges(tmp_path: Path) -> None:
    nodes(
        tmp_path / "nodes.h5", {"cells": population([100] * 4, **{"0": {"dynamics_params": {"tau_m": np.arange(4.0)}}})}
    )
    content = {"0": {"dynamics_params": {"tau1": np.array([0.5, 1.5])}}}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0, 1], [1, 2], **content)}, ENDS)
    found = network(tmp_path)
    assert found.populations["cells"].table.read("parameters:tau_m").tolist() == [0, 1, 2, 3]
    column = found.projections["cells_to_cells"].edges.columns["parameters:tau1"]
    assert column.is_lazy and not column.extra and column.read(2).tolist() == [0.5, 1.5]


def test_a_type_onto_targets_with_two_units_is_split(tmp_path: Path) -> None:
    (tmp_path / "node_types.csv").write_text(
        "node_type_id model_type model_template\n"
        "100 point_neuron nest:iaf_psc_delta\n"
        "101 point_neuron nest:iaf_psc_alpha\n"
    )
    found = only(tmp_path)
    assert found.types.values("id").tolist() == [7, 7]
    assert found.synapses == ("cells_to_cells_7",) * 2
    units = found.types.values("weight_unit")[found.type_index.read(4)]
    assert units.tolist() == ["mV", "mV", "pA", "mV"]  # targets 1, 2, 3, 0; node 3 is of type 101
    assert found.types.values("weight").tolist() == [2.5, 2.5]


def test_gap_junctions_of_bmtk(tmp_path: Path) -> None:
    (tmp_path / "edge_types.csv").write_text("edge_type_id is_gap_junction syn_weight\n7 True 0.001\n")
    assert only(tmp_path).kind == "electrical"


def test_disabled_files_are_reported(tmp_path: Path) -> None:
    entry = {"edges_file": "edges.h5", "edge_types_file": "edge_types.csv", "enabled": False}
    report = Report()
    networks = {"nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv"}], "edges": [entry]}
    found = read(circuit(tmp_path, networks=networks), report).network
    assert not found.projections
    assert [(issue.code, issue.examples) for issue in report] == [("disabled", ["edges.h5"])]


def test_whatever_nobody_took_is_reported(tmp_path: Path) -> None:
    nodes(
        tmp_path / "nodes.h5",
        {"cells": population([100] * 4, notes=np.arange(3), **{"@@colour": "red", "0": {"x": np.zeros(4)}})},
        {"author": "me"},
    )
    with h5py.File(tmp_path / "nodes.h5", "r+") as handle:
        handle["more"] = np.arange(2)
        handle["nodes/cells/0/x"].attrs.update({"units": "mm", "source": "atlas"})
    networks = {
        "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv", "colour": 1}],
        "gids": [],
    }
    report = Report()
    read(circuit(tmp_path, networks=networks, weather="fine"), report)
    named = {example for issue in report for example in issue.examples}
    assert named == {"/@author", "/more", "/nodes/cells/notes", "/nodes/cells/@colour", "/nodes/cells/0/x/@source"} | {
        "colour",
        "gids",
        "weather",
    }
    assert "units-attribute" in report.codes()
    assert all(issue.kind is Kind.NOT_READ for issue in report)


def test_node_sets_stay_as_written(tmp_path: Path) -> None:
    sets = {"a": {"population": "cells", "node_id": [0, 1]}, "b": ["a"], "c": {"ei": {"$regex": "^e$"}}}
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    assert network(tmp_path, node_sets_file="sets.json").node_sets == sets


def test_components_keep_their_text(tmp_path: Path) -> None:
    found = network(tmp_path, manifest={"$C": "comp"}, components={"synaptic_models_dir": "$C/syn"})
    assert found.extra["sonata"]["components"] == {
        "synaptic_models_dir": {"path": tmp_path / "comp" / "syn", "text": "$C/syn"}
    }
    assert found.extra["sonata"]["manifest"] == {"$C": "comp"}


def test_edges_are_read_again_and_again(tmp_path: Path) -> None:
    found = only(tmp_path).edges
    for _ in range(2):
        assert found.source.read(4).tolist() == [0, 1, 2, 3]
    with h5py.File(tmp_path / "edges.h5", "r+") as handle:  # nobody holds the file open
        handle["edges/cells_to_cells/source_node_id"][0] = 3
    assert found.source.read(4).tolist() == [3, 1, 2, 3]


def test_columns_with_names_that_the_graph_uses(tmp_path: Path) -> None:
    own = {"0": {"id": np.arange(4.0), "x": np.zeros(4)}}
    nodes(tmp_path / "nodes.h5", {"cells": population([100] * 4, node_id=np.array([9, 8, 7, 6]), **own)})
    more = {"0": {"weight": np.array([5.0]), "source": np.array([4.0])}}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([9], [8], **more)}, ENDS)
    report = Report()
    found = read(circuit(tmp_path), report).network
    projection = found.projections["cells_to_cells"]
    assert found.populations["cells"].ids().tolist() == [9, 8, 7, 6]
    assert found.populations["cells"].table.read("file_id").tolist() == [0, 1, 2, 3]
    (block,) = [rows for _, _, rows in projection.blocks(["weight", "file_weight", "file_source"])]
    assert [block[name].tolist() for name in ("source", "weight", "file_weight", "file_source")] == [
        [0],
        [2.5],
        [5.0],
        [4.0],
    ]
    assert {issue.code for issue in report} == {"renamed-column"}


def test_blocks_of_edges_take_bounded_memory(tmp_path: Path) -> None:
    """2,000,000 edges are 64 MB of ids, weights and delays; a pass in small blocks takes a fraction of it."""
    size = 2_000_000
    circuit(tmp_path)
    with h5py.File(tmp_path / "edges.h5", "w") as handle:
        group = handle.create_group("edges/cells_to_cells")
        for key in ENDS:
            group[key] = np.arange(size, dtype=np.uint64) % 4
            group[key].attrs["node_population"] = "cells"
        group["edge_type_id"] = np.full(size, 7, np.uint32)
        group["edge_group_id"] = np.zeros(size, np.uint16)
        group["edge_group_index"] = np.arange(size, dtype=np.uint32)
        group["0/syn_weight"] = np.ones(size)
        group["0/delay"] = np.full(size, 0.5)
    tracemalloc.start()
    try:
        projection = only(tmp_path)
        totals = np.zeros(4)
        for _, _, rows in projection.blocks(["weight", "delay"], block=2**16):
            totals += [rows[name].sum() for name in ("source", "target", "weight", "delay")]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert totals.tolist() == [3_000_000, 3_000_000, size, size / 2]
    assert peak < 16e6


@pytest.mark.skipif(not DATA.is_dir(), reason="the real circuits of ../shared/data are not on this machine")
def test_morphology_container(tmp_path: Path) -> None:
    container = DATA / "sonata_obi/snap_data/morphologies/container-morphs.h5"
    path = obi(tmp_path, morphology=["morph-A", "morph-B", "morph-A"], model_template=["hoc:A"] * 3)
    content = json.loads(path.read_text())
    own = {"type": "biophysical", "alternate_morphologies": {"h5v1": str(container)}}
    content["networks"]["nodes"][0]["populations"]["cells"] = own
    path.write_text(json.dumps(content))
    found = read(path, Report()).network
    assert found.morphologies.path("morph-B") == container
    with h5py.File(container) as handle:
        points = len(handle["morph-B/points"])
    assert 0 < found.morphologies["morph-B"].size <= points


def test_stated_unit_of_a_weight(tmp_path: Path) -> None:
    """A types file's own column comes first, then the dataset's attribute, then what the targets imply (pA)."""
    (tmp_path / "edge_types.csv").write_text("edge_type_id weight_unit\n7 nA\n8 NULL\n9 NULL\n")
    kinds = {"edge_type_id": np.array([7, 8, 9]), "0": {"syn_weight": np.ones(3)}}
    edges(tmp_path / "edges.h5", {"cells_to_cells": connections([0, 0, 0], [1, 2, 2], **kinds)}, ENDS)
    assert only(tmp_path).types.values("weight_unit").tolist() == ["nA", "pA", "pA"]
    with h5py.File(tmp_path / "edges.h5", "r+") as handle:
        handle["edges/cells_to_cells/0/syn_weight"].attrs["units"] = "uS"
    assert only(tmp_path).types.values("weight_unit").tolist() == ["nA", "uS", "uS"]
    (tmp_path / "edge_types.csv").write_text("edge_type_id weight_unit\n7 kg\n8 NULL\n9 NULL\n")
    with pytest.raises(ReadError, match=r"edge_types\.csv:2: weight_unit must be one of .*, not kg"):
        only(tmp_path)
