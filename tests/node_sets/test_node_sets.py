"""Node sets against libsonata and bluepysnap on the same files; by hand where those have no such thing; refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import GraphError
from pynn_io.graph import (
    ArrayChunks,
    CableCell,
    Column,
    Network,
    Origin,
    PointCell,
    Population,
    SpikeSource,
    Table,
    text_column,
)
from pynn_io.graph.node_sets import check, resolve


def from_h5(path: Path) -> Network:
    """The nodes of an OBI-dialect file by plain h5py, in memory."""
    populations = {}
    with h5py.File(path) as file:
        for name, group in file["nodes"].items():
            columns = {}
            for key, values in group["0"].items():
                if not isinstance(values, h5py.Dataset):
                    continue
                text = h5py.check_string_dtype(values.dtype) is not None
                columns[key] = text_column(values.asstr()[:]) if text else Column(values[:])
            for key, values in group["0"].get("dynamics_params", {}).items():
                columns[f"parameters:{key}"] = Column(values[:])
            size = len(group["node_type_id"])
            types = Table(1, {"cell": text_column(["cell"])})
            populations[name] = Population(name, size, types, table=Table(size, columns))
    return Network(populations=populations, cells={"cell": CableCell()})


def plain(found: dict[str, np.ndarray]) -> dict[str, list[int]]:
    return {name: rows.tolist() for name, rows in found.items()}


@pytest.mark.parametrize("name", ["node_sets.json", "node_sets_file.json", "node_sets_simple.json"])
def test_real_sets_select_what_libsonata_selects(name: str, data: Path) -> None:
    libsonata = pytest.importorskip("libsonata")
    folder = data / "sonata_obi/snap_data"
    network = from_h5(folder / "nodes.h5")
    storage = libsonata.NodeStorage(str(folder / "nodes.h5"))
    content = json.loads((folder / name).read_text())
    oracle = libsonata.NodeSets(json.dumps(content))
    tried = 0
    for set_name in set(content) - {"failing"}:
        expected = {}
        for population in network.populations:
            rows = oracle.materialize(set_name, storage.open_population(population)).flatten().tolist()
            if rows:
                expected[population] = rows
        assert plain(resolve(set_name, network, content)) == expected, set_name
        tried += 1
    assert tried > 1


def test_real_sets_select_what_bluepysnap_selects(data: Path) -> None:
    snap = pytest.importorskip("bluepysnap")
    circuit = snap.Circuit(str(data / "sonata_obi/snap_data/circuit_config.json"))
    network = from_h5(data / "sonata_obi/snap_data/nodes.h5")
    content = json.loads((data / "sonata_obi/snap_data/node_sets.json").read_text())
    for name in content:
        expected: dict[str, list[int]] = {}
        for node in circuit.nodes.ids(name):
            expected.setdefault(node.population, []).append(node.id)
        assert plain(resolve(name, network, content)) == {key: sorted(ids) for key, ids in expected.items()}, name


LAYER, X = [1, 2, 2, 3, 3, 6], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
MTYPE = ["L1_X", "L2_Y", "some", "xL2_Y", "L3_Z", "L6"]


def small(path: Path) -> Network:
    with h5py.File(path, "w") as file:
        group = file.create_group("nodes/A")
        group["node_type_id"] = np.full(6, -1)
        group["node_group_id"] = np.zeros(6, "u8")
        group["node_group_index"] = np.arange(6)
        group["0/layer"] = np.array(LAYER)
        group["0/x"] = np.array(X)
        group["0"].create_dataset("mtype", data=MTYPE, dtype=h5py.string_dtype())
    return from_h5(path)


RULES: list[dict[str, Any]] = [
    {"mtype": {"$regex": "L2"}},
    {"mtype": {"$regex": "^L[12]_.$"}},
    {"mtype": {"$regex": "nothing"}},
    {"layer": {"$gt": 2}},
    {"layer": {"$gte": 2}},
    {"x": {"$lt": 2.5}},
    {"x": {"$lte": 2.5}},
    {"x": {"$lte": 2.5}, "layer": 2},
    {"layer": 2},
    {"layer": [2, 6, 7]},
    {"layer": []},
    {"mtype": ["L6", "L1_X", "absent"]},
    {"mtype": "some", "layer": 3},
    {"population": "A", "layer": 3},
    {"population": ["A", "B"]},
    {"node_id": [1, 1, 0, 99]},
    {"node_id": 4},
    {"node_id": []},
    {"node_id": [1, 2, 3], "layer": [2, 3], "x": {"$gt": 2}},
]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_rules_select_what_libsonata_selects(rules: dict[str, Any], tmp_path: Path) -> None:
    libsonata = pytest.importorskip("libsonata")
    network = small(tmp_path / "n.h5")
    population = libsonata.NodeStorage(str(tmp_path / "n.h5")).open_population("A")
    sets = {"s": rules, "other": {"node_id": 5}, "both": ["s", "other"], "again": ["both", "s"]}
    oracle = libsonata.NodeSets(json.dumps(sets))
    for name in sets:
        expected = oracle.materialize(name, population).flatten().tolist()
        rows = resolve(name, network, sets).get("A", np.empty(0, np.int64))
        assert rows.dtype == np.int64
        assert rows.tolist() == expected
    assert plain(resolve(rules, network)) == plain(resolve("s", network, sets))


def mixed() -> Network:
    """Two populations: one of two types with ids of its own and a column stated for some cells, one of sources."""
    names = Origin({"model_type": "point_process", "model_template": "nrn:IntFire1"})
    cells = {
        "point": PointCell("nrn:IntFire1", origin=names),
        "cable": CableCell("Scnn1a", origin=Origin({"model_template": "nml:c.nml"})),
        "source": SpikeSource(),
    }
    types = Table(
        2,
        {
            "cell": text_column(["point", "cable"]),
            "id": Column(np.asarray([100, 200])),
            "ei": text_column(["e", "i"]),
            "n": Column(np.asarray([1, 2])),
        },
    )
    own = np.ma.array([0, 0, 1, 0], mask=[True, True, False, True])
    table = Table(
        4,
        {
            "id": Column(ArrayChunks(np.asarray([30, 10, 2**40, 20]))),
            "ei": Column(own, levels=("x", "y")),
            "depth": Column(np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[False, True, False, False])),
            "parameters:tau": Column(ArrayChunks(np.asarray([1.0, 2.0, 3.0, 4.0]))),
        },
    )
    first = Population("net", 4, types, Column(np.asarray([0, 1, 1, 0])), table)
    sources = Table(1, {"cell": text_column(["source"]), "id": Column(7), "ei": text_column(["e"])})
    second = Population("in", 3, sources, table=Table(3))
    return Network(populations={"net": first, "in": second}, cells=cells)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"node_id": [2**40, 10, 0]}, {"net": [1, 2], "in": [0]}),
        ({"population": "net", "node_ids": [20]}, {"net": [3]}),
        ({"gids": [30]}, {"net": [0]}),
        ([20, 30], {"net": [0, 3]}),
        ({"ei": "e"}, {"net": [0, 3], "in": [0, 1, 2]}),
        ({"ei": "i"}, {"net": [1]}),  # the cell in row 2 has a value of its own
        ({"ei": "y"}, {"net": [2]}),
        ({"ei": ["y", "i"]}, {"net": [1, 2]}),
        ({"ei": {"$regex": "^[ei]$"}, "population": "net"}, {"net": [0, 1, 3]}),
        ({"n": 2}, {"net": [1, 2]}),
        ({"depth": {"$gt": 0}}, {"net": [0, 2, 3]}),  # a cell that states none is not selected
        ({"depth": {"$gt": 1, "$lt": 4}}, {"net": [2]}),
        ({"depth": 2.0}, {}),
        ({"model_type": "biophysical"}, {"net": [1, 2]}),
        ({"model_type": "point_neuron"}, {"net": [0, 3]}),
        ({"model_type": "point_process"}, {"net": [0, 3]}),
        ({"model_type": ["virtual", "biophysical"]}, {"net": [1, 2], "in": [0, 1, 2]}),
        ({"population_type": "virtual"}, {"in": [0, 1, 2]}),
        ({"model_template": "nml:c.nml"}, {"net": [1, 2]}),
        ({"model_template": {"$regex": "^nrn:"}}, {"net": [0, 3]}),
        ({"morphology": "Scnn1a.swc"}, {"net": [1, 2]}),
        ({"node_type_id": [100, 7]}, {"net": [0, 3], "in": [0, 1, 2]}),
        ({"@dynamics:tau": {"$gte": 3}}, {"net": [2, 3]}),
        ("in", {"in": [0, 1, 2]}),
        ("all", {"net": [0, 1, 2, 3], "in": [0, 1, 2]}),
        ({}, {"net": [0, 1, 2, 3], "in": [0, 1, 2]}),
        ([], {}),
        (["in", "named"], {"net": [0], "in": [0, 1, 2]}),
        ({"$or": [{"node_id": 10}, {"ei": "y"}]}, {"net": [1, 2]}),
        ({"$and": [{"ei": "e"}, {"$or": [{"node_id": 30}, {"population": "in"}]}]}, {"net": [0], "in": [0, 1, 2]}),
        ({"$node_set": "named", "ei": "e"}, {"net": [0]}),
        ({"$node_set": "named", "ei": "i"}, {}),
        ({"population": ["in", "elsewhere"]}, {"in": [0, 1, 2]}),
    ],
    ids=str,
)
def test_rules_as_each_cell_sees_them(rules: Any, expected: dict[str, list[int]]) -> None:
    assert plain(resolve(rules, mixed(), {"named": {"node_id": [30]}})) == expected


def test_a_simulations_sets_override_the_circuits() -> None:
    circuit = {"a": {"node_id": [30]}, "b": ["a"]}
    network = mixed()
    assert plain(resolve("b", network, circuit)) == {"net": [0]}
    assert plain(resolve("b", network, {**circuit, "a": {"node_id": [10]}})) == {"net": [1]}


def test_the_networks_own_sets_are_the_default() -> None:
    net = mixed()
    own = Network(populations=net.populations, cells=net.cells, node_sets={"few": {"node_id": [1]}})
    assert plain(resolve("few", own)) == {"in": [1]}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"s": {"colour": "red"}}, "node set 's' has a rule 'colour', but no population has such an attribute"),
        (
            {"s": {"n": "two"}},
            "node set 's' has a rule 'n', but no population has such an attribute, or none of that kind",
        ),
        ({"s": {"ei": {"$gt": 1}}}, "node set 's' has a rule 'ei', but"),
        ({"s": {"population": "nobody"}}, "node set 's' asks for population 'nobody', which the network does not have"),
        ({"s": ["nobody"]}, "there is no node set or population 'nobody' (in node set 's')"),
        ({"s": ["t"], "t": ["s"]}, "node set 's' contains itself: s -> t -> s"),
        ({"s": {"$node_set": "s"}}, "node set 's' contains itself: s -> s"),
    ],
)
def test_what_cannot_be_resolved_is_refused(content: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphError) as caught:
        resolve("s", mixed(), content)
    assert text in caught.value.message


def test_the_refusal_lists_what_there_is() -> None:
    with pytest.raises(GraphError) as caught:
        resolve({"colour": "red"}, mixed())
    for attribute in ("node_id", "population", "ei", "n", "depth", "@dynamics:tau", "model_type", "node_type_id"):
        assert attribute in caught.value.hint
    with pytest.raises(GraphError) as caught:
        resolve("nobody", mixed(), {"few": {}})
    assert caught.value.hint == "known: few, net, in"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"s": 3}, "node set 's' must be an object of rules or a list of names, here it is 3"),
        ({"s": ["a", 1]}, "node set 's' is a list of neither names nor node ids"),
        ({"s": ["missing"]}, "node set 's' refers to 'missing', which does not exist"),
        ({"s": {"layer": {"$ne": 2}}}, "node set 's': 'layer' has the unknown operator '$ne'"),
        ({"s": {"$xor": []}}, "node set 's': unknown operator '$xor'"),
        ({"s": {"layer": {"$gt": "2"}}}, "node set 's': $gt of 'layer' takes a number, here it is '2'"),
        ({"s": {"mtype": {"$regex": "("}}}, "node set 's': 'mtype' has the regular expression '('"),
        ({"s": {"mtype": {"$regex": "a", "$gt": 1}}}, "mixes $regex with comparisons"),
        ({"s": {"mtype": {}}}, "has an empty object of operators"),
        ({"s": {"mtype": None}}, "node set 's': the rule 'mtype' has the value None"),
        ({"s": {"mtype": [["a"]]}}, "the rule 'mtype' has the value [['a']]"),
        ({"s": {"node_id": ["a"]}}, "node set 's': node_id takes node ids (whole numbers)"),
        ({"s": {"population": 3}}, "the rule 'population' has the value 3"),
        ({"s": {"$or": {"a": 1}}}, "$or takes a list of rule objects"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "contains itself"),
    ],
)
def test_broken_forms_are_refused(content: dict[str, Any], problem: str) -> None:
    with pytest.raises(GraphError) as caught:
        check(content)
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        check({"a": 3, "b": ["nobody"], "fine": {"x": {"$gt": 1}}, "c": {"y": {"$ne": 1}}})
    assert len(caught.value.problems) == 3


def test_real_sets_are_well_formed(data: Path) -> None:
    files = [*data.glob("sonata*/**/node_sets*.json"), *data.glob("sonata_obi/**/nodesets.json")]
    assert len(files) > 10
    for path in files:
        check(json.loads(path.read_text()))


def two_populations() -> Network:
    class Unreadable(ArrayChunks):
        def open(self) -> Any:
            raise AssertionError("nobody asked for this population")

    there = Table(2, {"ei": text_column(["e", "i"]), "id": Column(np.array([4, 7]))})
    lazy = Table(2, {"id": Column(Unreadable(np.array([4, 7])))})
    types = Table(1, {"cell": text_column(["cell"])})
    populations = {"a": Population("a", 2, types, table=there), "b": Population("b", 2, types, table=lazy)}
    return Network("two", populations, cells={"cell": PointCell("IF_curr_exp")})


@pytest.mark.parametrize("rules", [{"population": "a", "node_id": 7}, {"node_id": 7, "population": "a"}])
def test_populations_that_are_not_named_are_not_read(rules: dict[str, Any]) -> None:
    (found,) = resolve(rules, two_populations()).items()
    assert (found[0], found[1].tolist()) == ("a", [1])


def test_an_attribute_of_another_population_selects_nothing() -> None:
    assert resolve({"ei": "e", "population": "b"}, two_populations()) == {}
    with pytest.raises(GraphError, match="'ie', but no population"):
        resolve({"population": "b", "ie": "e"}, two_populations())


def test_a_million_cells_take_no_object_each() -> None:
    size = 1_000_000
    columns = {
        "mtype": Column(np.arange(size) % 60, levels=tuple(f"M{n}" for n in range(60))),
        "id": Column(np.arange(size, dtype=np.int64) * 3),
    }
    types = Table(1, {"cell": text_column(["c"])})
    network = Network(
        populations={"p": Population("p", size, types, table=Table(size, columns))}, cells={"c": SpikeSource()}
    )
    rows = resolve({"mtype": {"$regex": "^M1"}, "node_id": list(range(0, 3_000_000, 6))}, network)["p"]
    index = np.arange(size)
    wanted = (((index % 60 >= 10) & (index % 60 < 20)) | (index % 60 == 1)) & (index % 2 == 0)
    assert np.array_equal(rows, np.flatnonzero(wanted))
