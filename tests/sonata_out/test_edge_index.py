"""The edge index against libsonata's own, against brute force, and against files of the wild."""

from __future__ import annotations

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io.formats import sonata_write
from pynn_io.formats.sonata_write import edge_runs, write_indices

DIRECTIONS = {"source_to_target": "source_node_id", "target_to_source": "target_node_id"}


def population(path: Path, source: list[int], target: list[int]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("edges/p")
        for name, ids in (("source_node_id", source), ("target_node_id", target)):
            group[name] = np.asarray(ids, dtype=np.uint64)
            group[name].attrs["node_population"] = "n"
        group["edge_type_id"] = np.full(len(source), -1)
        group.create_group("0")


def indexed(path: Path, source: list[int], target: list[int], n_source: int, n_target: int) -> None:
    population(path, source, target)
    with h5py.File(path, "r+") as file:
        group = file["edges/p"]
        write_indices(group, group["source_node_id"], group["target_node_id"], n_source, n_target)


def edges_of(index: h5py.Group, node: int) -> list[int]:
    """The edges of a node as the specification has a reader find them."""
    first, last = (int(value) for value in index["node_id_to_ranges"][node])
    ranges = index["range_to_edge_id"][first:last].astype(int).tolist()
    assert all(begin < end for begin, end in ranges)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(ranges)), "ranges are as long as possible"
    return [edge for begin, end in ranges for edge in range(begin, end)]


@st.composite
def edge_lists(draw: st.DrawFn) -> tuple[list[int], list[int], int, int]:
    """Edges in any order, sorted by one end or not at all, nodes without edges, none at all."""
    n_source, n_target = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    pair = st.tuples(st.integers(0, n_source - 1), st.integers(0, n_target - 1))
    pairs = draw(st.lists(pair, max_size=40))
    order = draw(st.sampled_from(["as drawn", "source", "target"]))
    if order != "as drawn":
        pairs.sort(key=lambda item: item[order == "target"])
    return [s for s, _ in pairs], [t for _, t in pairs], n_source, n_target


@settings(max_examples=120, deadline=None)
@given(edge_lists())
def test_index_finds_the_edges_of_every_node(tmp_path_factory: pytest.TempPathFactory, case: tuple) -> None:
    source, target, n_source, n_target = case
    path = tmp_path_factory.mktemp("index") / "e.h5"
    indexed(path, source, target, n_source, n_target)
    with h5py.File(path) as file:
        for direction, ids, count in (("source_to_target", source, n_source), ("target_to_source", target, n_target)):
            index = file["edges/p/indices"][direction]
            assert index["node_id_to_ranges"].shape == (count, 2)
            assert index["node_id_to_range"] == index["node_id_to_ranges"], "both names are one dataset"
            for node in range(count):
                assert edges_of(index, node) == [edge for edge, end in enumerate(ids) if end == node]


@settings(max_examples=40, deadline=None)
@given(edge_lists())
def test_libsonata_finds_what_it_finds_with_its_own_index(
    tmp_path_factory: pytest.TempPathFactory, case: tuple
) -> None:
    libsonata = pytest.importorskip("libsonata")
    source, target, n_source, n_target = case
    folder = tmp_path_factory.mktemp("index")
    indexed(folder / "ours.h5", source, target, n_source, n_target)
    population(folder / "theirs.h5", source, target)
    libsonata.EdgePopulation.write_indices(str(folder / "theirs.h5"), "p", n_source, n_target)
    ours, theirs = (libsonata.EdgeStorage(str(folder / f"{who}.h5")).open_population("p") for who in ("ours", "theirs"))
    for node in range(n_target):
        assert ours.afferent_edges([node]).flatten().tolist() == theirs.afferent_edges([node]).flatten().tolist()
    for node in range(n_source):
        assert ours.efferent_edges([node]).flatten().tolist() == theirs.efferent_edges([node]).flatten().tolist()
    with h5py.File(folder / "ours.h5") as one, h5py.File(folder / "theirs.h5") as two:
        for direction in DIRECTIONS:
            for name in ("node_id_to_ranges", "range_to_edge_id"):
                mine, other = (file[f"edges/p/indices/{direction}/{name}"] for file in (one, two))
                assert mine.dtype == other.dtype == np.uint64
                if name == "range_to_edge_id":
                    np.testing.assert_array_equal(mine[:], other[:].reshape(-1, 2))  # libsonata: (0, 1) if empty


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
def test_runs_do_not_depend_on_the_block(block: int) -> None:
    ids = np.array([4, 4, 4, 1, 1, 4, 0, 0, 0, 0, 2], dtype=np.uint64)
    starts, owners = edge_runs(ids, block)
    assert starts.tolist() == [0, 3, 5, 6, 10, 11]
    assert owners.tolist() == [4, 1, 4, 0, 2]


def test_ids_far_apart_make_a_small_file(tmp_path: Path) -> None:
    """The index has a row for every id up to the highest; 2**33 of them would be 137 GB."""
    high = 2**33 + 7
    source, target = [high, 3, high, 3, 5000], [3, high, 3, 3, high]
    indexed(tmp_path / "e.h5", source, target, high + 1, high + 1)
    assert (tmp_path / "e.h5").stat().st_size < 1_000_000
    with h5py.File(tmp_path / "e.h5") as file:
        for direction, ids in (("source_to_target", source), ("target_to_source", target)):
            index = file["edges/p/indices"][direction]
            assert index["node_id_to_ranges"].shape == (high + 1, 2)
            for node in {*source, *target, 0, 4095, 4096, high - 1}:
                assert edges_of(index, node) == [edge for edge, end in enumerate(ids) if end == node]


def test_keys_that_do_not_fit_one_integer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids near 2**62 leave no room to pack node and position together."""
    owners = np.array([2**61, 5, 2**61, 5, 7], dtype=np.int64)
    nodes, bounds, order = sonata_write._order_of_runs(owners.copy(), 2**61 + 1)
    assert nodes is not None
    assert nodes.tolist() == [5, 7, 2**61]
    assert bounds.tolist() == [0, 2, 3, 5]
    assert order.tolist() == [1, 3, 4, 0, 2]


@pytest.mark.parametrize(
    "file",
    [
        "sonata/edges/edge_index_example.h5",
        "sonata/300_intfire/network/v1_v1_edges.h5",
        "sonata/300_intfire/network/lgn_v1_edges.h5",
        "sonata/bio_14cells/network/tw_v1_edges.h5",
        "sonata_obi/nd_usecase3/edges_AB.h5",
    ],
)
def test_the_same_edges_as_the_index_in_the_file(data: Path, tmp_path: Path, file: str) -> None:
    """The guide's own example, BMTK's and OBI's files: our index of their edges gives every node the same edges."""
    with h5py.File(data / file) as source:
        for name, group in source["edges"].items():
            theirs = group["indices"]
            ids = {direction: group[key][:] for direction, key in DIRECTIONS.items()}
            tables = {d: "node_id_to_ranges" if "node_id_to_ranges" in theirs[d] else "node_id_to_range" for d in ids}
            sizes = {direction: len(theirs[direction][tables[direction]]) for direction in ids}
            path = tmp_path / f"{name}.h5"
            indexed(path, *(ids[d].astype(int).tolist() for d in DIRECTIONS), *(sizes[d] for d in DIRECTIONS))
            with h5py.File(path) as ours:
                for direction in DIRECTIONS:
                    ranges = theirs[direction]["range_to_edge_id"][:].astype(int)
                    for node, (first, last) in enumerate(theirs[direction][tables[direction]][:].astype(int).tolist()):
                        expected = sorted(edge for a, b in ranges[first:last].tolist() for edge in range(a, b))
                        assert edges_of(ours["edges/p/indices"][direction], node) == expected
