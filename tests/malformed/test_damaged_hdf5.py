"""HDF5 files damaged in one place: each a ReadError that names it, never an error of h5py, never a smaller network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import damage, open_h5
from pynn_io.formats.sonata_spikes import read_spikes
from pynn_io.importers.morphology import morphology_from_file
from pynn_io.importers.sonata import read
from pynn_io.report import Report
from tests.sonata_in.tiny_circuits import ENDS, circuit, connections, edges, nodes, population

Change = Callable[[h5py.File], None]
CELLS, EDGES = "nodes/cells", "edges/cells_to_cells"


def instead(path: str, value: Any = None, **options: Any) -> Change:
    """Another object in place of the one at ``path``; a group if no value is given."""

    def change(file: h5py.File) -> None:
        del file[path]
        if value is None and not options:
            file.create_group(path)
        elif isinstance(value, (h5py.SoftLink, h5py.ExternalLink)):
            file[path] = value
        else:
            file.create_dataset(path, data=value, **options)

    return change


def attribute(path: str, name: str, value: Any) -> Change:
    def change(file: h5py.File) -> None:
        file[path].attrs[name] = value

    return change


NOWHERE = h5py.SoftLink("/not/there")
CASES: dict[str, tuple[str, Change, str, str]] = {
    "population is a link to nowhere": ("nodes", instead(CELLS, NOWHERE), "/nodes/cells", "link that leads nowhere"),
    "population in a file that is not there": (
        "edges",
        instead(EDGES, h5py.ExternalLink("gone.h5", "/x")),
        "/edges/cells_to_cells",
        "link that leads nowhere|not readable",
    ),
    "population linked to itself": (
        "nodes",
        instead(CELLS, h5py.SoftLink("/nodes/cells")),
        "/nodes/cells",
        "not readable as HDF5",
    ),
    "group is a link to nowhere": ("nodes", instead(f"{CELLS}/0", NOWHERE), "/nodes/cells/0", "leads nowhere"),
    "column is a link to nowhere": ("edges", instead(f"{EDGES}/0/delay", NOWHERE), "/0/delay", "leads nowhere"),
    "ids are a link to nowhere": ("edges", instead(f"{EDGES}/edge_type_id", NOWHERE), "edge_type_id", "leads nowhere"),
    "population is a dataset": ("nodes", instead(CELLS, np.arange(4)), "/nodes", "no population under /nodes"),
    "group is a dataset": ("nodes", instead(f"{CELLS}/0", np.arange(4)), "/nodes/cells/0", "must be a group"),
    "group is gone": ("edges", lambda file: file.__delitem__(f"{EDGES}/0"), "edge_group_id", "0 is used, but does not"),
    "ids are a group": ("nodes", instead(f"{CELLS}/node_type_id"), "node_type_id", "column of integers"),
    "ids are one number": ("nodes", instead(f"{CELLS}/node_group_index", 3), "node_group_index", "column of integers"),
    "ids are empty": (
        "edges",
        instead(f"{EDGES}/edge_group_index", h5py.Empty("u8")),
        "edge_group_index",
        "holds nothing",
    ),
    "ids are complex": (
        "nodes",
        instead(f"{CELLS}/node_id", np.zeros(4, "c16")),
        "/nodes/cells/node_id",
        "column of integers",
    ),
    "a table for a column": (
        "edges",
        instead(f"{EDGES}/0/delay", np.zeros((4, 2))),
        "/edges/cells_to_cells/0/delay",
        "one value a row",
    ),
    "section ids that are no whole numbers": (
        "edges",
        instead(f"{EDGES}/0/afferent_section_id", np.array([0.0, 1.5, 2.0, 3.0])),
        "afferent_section_id",
        "row 1 is 1.5, not an integer",
    ),
    "magic is no number": ("edges", attribute("/", "magic", float("nan")), "edges.h5:/", "the attribute magic is nan"),
    "version is text": ("nodes", attribute("/", "version", "0.1"), "nodes.h5:/", "the attribute version is"),
    "enumerations are a dataset": (
        "nodes",
        instead(f"{CELLS}/0/@library", np.arange(3)),
        "@library",
        "group of lists of strings",
    ),
    "an enumeration of numbers": (
        "nodes",
        instead(f"{CELLS}/0/@library/kind", np.arange(3)),
        "@library/kind",
        "list of strings",
    ),
    "an enumeration is a link to nowhere": (
        "nodes",
        instead(f"{CELLS}/0/@library/kind", NOWHERE),
        "@library/kind",
        "leads nowhere",
    ),
    "codes of an enumeration are fractions": (
        "nodes",
        instead(f"{CELLS}/0/kind", np.array([0.0, 0.5, 1.0, 0.0])),
        "/0/kind",
        "row 1 is 0.5, not an integer",
    ),
}


def sound(folder: Path) -> Path:
    """The circuit that every case damages: with an enumeration, delays and section ids."""
    folder.mkdir(exist_ok=True)
    group = {"kind": np.array([0, 1, 1, 0], np.uint32), "@library": {"kind": ["a", "b"]}}
    nodes(folder / "nodes.h5", {"cells": population([100, 100, 100, 101], **{"0": group})})
    columns = {"delay": np.ones(4), "afferent_section_id": np.arange(4, dtype=np.uint32)}
    content = {"cells_to_cells": connections([0, 1, 2, 3], [1, 2, 3, 0], **{"0": columns})}
    edges(folder / "edges.h5", content, ENDS)
    (folder / "edge_types.csv").write_text("edge_type_id model_template\n7 static_synapse\n")
    return circuit(folder)


def everything(config: Path) -> Report:
    """Read the circuit with every block of its edges."""
    report = Report()
    for projection in read(config, report).network.projections.values():
        for _ in projection.blocks(list(projection.edges.columns)):
            pass
    return report


def test_the_base_of_the_cases_is_sound(tmp_path: Path) -> None:
    assert len(everything(sound(tmp_path))) == 0


@pytest.mark.parametrize("name", CASES)
def test_damage_is_named(name: str, tmp_path: Path) -> None:
    which, change, place, words = CASES[name]
    config = sound(tmp_path)
    with h5py.File(tmp_path / f"{which}.h5", "r+") as file:
        change(file)
    with pytest.raises(ReadError, match=words) as caught:
        everything(config)
    assert str(tmp_path / f"{which}.h5") in caught.value.where
    assert place in caught.value.where
    assert caught.value.hint or caught.value.where.startswith(str(tmp_path))


@pytest.mark.parametrize("seed", range(40))
def test_bytes_overwritten_inside_a_file_give_no_error_of_h5py(seed: int, tmp_path: Path) -> None:
    """Whatever the damage hits, it is read right, or refused as a ReadError; h5py's own errors do not come through."""
    config = sound(tmp_path)
    path = tmp_path / ("nodes.h5" if seed % 2 else "edges.h5")
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    at = int(rng.integers(96, min(len(content), 6000)))
    content[at : at + 8] = bytes(rng.integers(0, 256, 8, dtype=np.uint8))
    path.write_bytes(content)
    try:
        everything(config)
    except ReadError as error:
        assert str(tmp_path) in error.where


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros(4, [("a", "i4"), ("b", "f8")]), "no numbers or text"),
        (np.zeros(4, "c16"), "no numbers or text"),
        (3.5, "without rows"),
    ],
)
def test_a_column_that_cannot_be_read_is_reported(value: Any, words: str, tmp_path: Path) -> None:
    config = sound(tmp_path)
    with h5py.File(tmp_path / "edges.h5", "r+") as file:
        file[f"{EDGES}/0/odd"] = value
    issues = [issue for issue in everything(config) if words in issue.message]
    assert [issue.examples for issue in issues] == [[f"/{EDGES}/0/odd"]]


def test_an_index_that_is_a_dataset_is_reported(tmp_path: Path) -> None:
    """Nobody needs an index to read edges, so it is no reason to refuse them."""
    config = sound(tmp_path)
    with h5py.File(tmp_path / "edges.h5", "r+") as file:
        file[f"{EDGES}/indices"] = np.arange(4)
    assert [issue.examples for issue in everything(config)] == [[f"/{EDGES}/indices"]]


def test_group_names_that_are_no_numbers_are_reported(tmp_path: Path) -> None:
    """``007`` and digits of other scripts once ended in a KeyError."""
    config = sound(tmp_path)
    with h5py.File(tmp_path / "nodes.h5", "r+") as file:
        for name in ("007", "٣", "9" * 30):
            file[CELLS].create_group(name)
    told = {example for issue in everything(config) for example in issue.examples}
    assert told == {f"/{CELLS}/007", f"/{CELLS}/٣", f"/{CELLS}/{'9' * 30}"}


def test_nan_in_a_column_of_whole_numbers_is_a_gap(tmp_path: Path) -> None:
    """So files without masks state that a row has none; the other rows keep their numbers."""
    config = sound(tmp_path)
    with h5py.File(tmp_path / "edges.h5", "r+") as file:
        instead(f"{EDGES}/0/afferent_section_id", np.array([np.nan, 1.0, 2.0, np.nan]))(file)
    columns = read(config, Report()).network.projections["cells_to_cells"].edges.columns
    values = columns.read("afferent_section_id")
    assert np.ma.getmaskarray(values).tolist() == [True, False, False, True]
    assert values[1:3].tolist() == [1, 2]


def test_only_errors_of_h5py_count_as_damage(tmp_path: Path) -> None:
    """A bug of ours inside the reading of a file stays a bug."""
    with pytest.raises(KeyError), damage(tmp_path):
        {}["ours"]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(ReadError, match="not readable as HDF5") as caught, open_h5(tmp_path / "a.h5") as file:
        file["y"]
    assert caught.value.where == str(tmp_path / "a.h5")


def test_spikes_behind_a_link_to_nowhere(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file["spikes/cells"] = NOWHERE
    with pytest.raises(ReadError, match="leads nowhere") as caught:
        read_spikes(tmp_path / "spikes.h5")
    assert caught.value.where == f"{tmp_path / 'spikes.h5'}:/spikes/cells"


@pytest.mark.parametrize("value", [["a", "b"], h5py.Empty("f8")])
def test_a_morphology_whose_points_are_no_numbers(value: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "cell.h5", "w") as file:
        file.create_dataset("points", data=value)
        file["structure"] = np.array([[0, 1, -1]])
    with pytest.raises(ReadError, match="must hold numbers") as caught:
        morphology_from_file(tmp_path / "cell.h5")
    assert caught.value.where == f"{tmp_path / 'cell.h5'}:/points".replace("://", ":/")
