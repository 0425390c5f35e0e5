"""Names of populations, columns, files and components that lead elsewhere, clash, or are too long for a file system."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.audit import names
from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.graph.compare import diff
from pynn_io.pipeline import read, write
from pynn_io.report import Report
from tests.models import MODELS
from tests.sonata_in.tiny_circuits import ENDS, NODE_TYPES, circuit, connections, edges, fill, nodes, population

DIALECTS = ("sonata", "sonata+allen", "sonata+obi")
POINT = "1 1 0 0 0 1 -1\n2 3 5 0 0 1 1\n"


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder and what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def there_and_back(config: Path, to: str, folder: Path) -> Report:
    """Write a circuit below ``folder`` and compare what is read from there; no other file may have changed."""
    before = fingerprint(folder)
    report = Report()
    document = read(config)
    write(document, folder / "out" / "here", to, report=report)
    after = fingerprint(folder)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("out") for name in after.keys() - before.keys())
    assert {Path(name).parts[1] for name in after.keys() - before.keys() if name != "out"} == {"here"}
    found = diff(document.network, read(folder / "out" / "here").network)
    assert [str(difference) for difference in found if not names(report, difference.subject)] == []
    return report


@pytest.mark.parametrize("to", DIALECTS)
@pytest.mark.parametrize(
    "name",
    [
        " ",
        "a b",
        "...",
        ".hidden",
        "é中",
        "1abc",
        "-x",
        "a:b",
        "a\\b",
        "$X",
        "a\nb",
        "'\"",
        "NULL",
        "0",
        "x" * 250,
        "é" * 900,
    ],
)
def test_populations_of_any_name_survive(name: str, to: str, tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    nodes(folder / "nodes.h5", {name: population([100, 100, 101])})
    edges(folder / "edges.h5", {f"{name} to itself": connections([0, 1], [1, 2])}, dict.fromkeys(ENDS, name))
    there_and_back(circuit(folder), to, tmp_path)


@pytest.mark.parametrize("to", DIALECTS)
def test_names_that_differ_in_case_only(to: str, tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    nodes(folder / "nodes.h5", {"Cells": population([100] * 4), "cells": population([100, 101])})
    ends = {"source_node_id": "Cells", "target_node_id": "cells"}
    edges(folder / "edges.h5", {"E": connections([0, 1], [1, 1]), "e": connections([3], [0])}, ends)
    there_and_back(circuit(folder), to, tmp_path)


@pytest.mark.parametrize("to", DIALECTS)
@pytest.mark.parametrize("name", ["../../evil", "../other/evil", "sub/evil", "a/../../evil"])
def test_component_names_that_lead_out_of_their_folder(name: str, to: str, tmp_path: Path) -> None:
    """They are read where they lead; what is written lies inside the target and is found there."""
    folder = tmp_path / "src"
    (folder / "components" / "cells" / "a").mkdir(parents=True)
    for ending, text in ((".json", '{"tau_m": 3.5}'), (".swc", POINT)):
        path = folder / "components" / "cells" / f"{name}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "node_types.csv").write_text(
        "node_type_id model_type model_template dynamics_params morphology\n"
        f"100 point_neuron nest:iaf_psc_alpha {name}.json NULL\n"
        f"101 biophysical NULL NULL {name}\n"
    )
    keys = ("point_neuron_models_dir", "morphologies_dir")
    config = circuit(folder, components=dict.fromkeys(keys, "components/cells"))
    before = fingerprint(tmp_path)
    document = read(config)
    write(document, tmp_path / "out", to)
    after = fingerprint(tmp_path)
    assert {key: after[key] for key in before} == before
    assert all(Path(key).parts[0] == "out" for key in after.keys() - before.keys())
    again = read(tmp_path / "out").network
    stems = [again.morphologies[key].name for key in again.morphologies]
    assert [Path(stem).name for stem in stems] == ["evil"]
    if to != "sonata+obi":  # it states parameters for each cell
        parameters = [again.cells[name].parameters for name in again.populations["cells"].cells]
        assert {"tau_m": 3.5} in [dict(each) for each in parameters]


@pytest.mark.parametrize("to", DIALECTS)
def test_file_names_of_a_source_are_names_only(to: str, tmp_path: Path) -> None:
    """A document whose record of its source was tampered with still writes below its target."""
    config = circuit(tmp_path / "src")
    document = read(config)
    for kind in ("nodes", "edges"):
        for info in document.network.extra["sonata"][kind].values():
            info["file"], info["types_file"] = "../../evil.h5", "/tmp/evil.csv"
    before = fingerprint(tmp_path)
    write(document, tmp_path / "out", to)
    assert all(Path(name).parts[0] == "out" for name in fingerprint(tmp_path).keys() - before.keys())
    assert len(read(tmp_path / "out").network.projections) == 1


@pytest.mark.parametrize("to", DIALECTS)
def test_nodes_and_edges_in_one_file(to: str, tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    nodes(folder / "net.h5", {"cells": population([100] * 4)})
    with h5py.File(folder / "net.h5", "a") as file:
        fill(file, {"edges": {"e": connections([0, 1], [1, 2])}})
        for key, name in ENDS.items():
            file["edges/e"][key].attrs["node_population"] = name
    entries = {
        "nodes": [{"nodes_file": "net.h5", "node_types_file": "node_types.csv"}],
        "edges": [{"edges_file": "net.h5", "edge_types_file": "edge_types.csv"}],
    }
    there_and_back(circuit(folder, networks=entries), to, tmp_path)


@pytest.mark.parametrize("to", DIALECTS)
def test_types_files_of_one_name_in_two_folders(to: str, tmp_path: Path) -> None:
    """The types of the edges once overwrote those of the nodes."""
    folder = tmp_path / "src"
    circuit(folder)
    for kind in ("node", "edge"):
        (folder / kind).mkdir()
        (folder / f"{kind}_types.csv").rename(folder / kind / "types.csv")
    entries = {
        "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node/types.csv"}],
        "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge/types.csv"}],
    }
    there_and_back(circuit(folder, networks=entries), to, tmp_path)


@pytest.mark.parametrize("to", ["sonata+allen", "sonata"])
@pytest.mark.parametrize(
    "value", ["tab\there", "two words", 'a "quoted" word', "non\u00a0breaking", "line\nbreak", "it's"]
)
def test_white_space_and_quotes_in_types(value: str, to: str, tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    quoted = value.replace('"', '""')
    (folder / "node_types.csv").write_text(
        NODE_TYPES.replace(" ei\n", " ei\n").replace("NULL e\n", f'NULL "{quoted}"\n')
    )
    there_and_back(circuit(folder), to, tmp_path)


@pytest.mark.parametrize(("texts", "told"), [(["1", "2"], True), (["NA", "x"], True), (["1", "x"], False)])
def test_text_that_a_csv_takes_for_something_else_is_reported(texts: list[str], told: bool, tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    group = {"layer": np.array([0, 1, 1], np.uint32), "@library": {"layer": texts}}
    nodes(folder / "nodes.h5", {"cells": population([100, 100, 101], **{"0": group})})
    edges(folder / "edges.h5", {"e": connections([0, 1], [1, 2])}, ENDS)
    report = Report()
    document = read(circuit(folder))
    write(document, tmp_path / "out", "sonata+allen", report=report)
    changed = [d.subject for d in diff(document.network, read(tmp_path / "out").network)]
    issues = [issue for issue in report if issue.code == "text-in-types"]
    assert (changed == ["layer"]) is told
    assert (["layer" in issue.examples for issue in issues] == [True]) is told


@pytest.mark.parametrize("to", DIALECTS)
@pytest.mark.parametrize("name", ["a/b", "/absolute", "..", ".", ""])
def test_population_names_that_hdf5_cannot_have(name: str, to: str, tmp_path: Path) -> None:
    import dataclasses

    document = MODELS["two_types"]()
    network = document.network
    old = next(iter(network.populations))
    renamed = {
        (name if key == old else key): dataclasses.replace(item, name=name) if key == old else item
        for key, item in network.populations.items()
    }
    network = dataclasses.replace(network, populations=renamed, projections={}, node_sets={})
    with pytest.raises(WriteError, match="cannot be called so") as caught:
        write(Document(network), tmp_path / "out", to)
    assert repr(name) in str(caught.value)
    assert "rename it" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil", "/absolute", "."])
def test_columns_that_hdf5_cannot_have(name: str, tmp_path: Path) -> None:
    """A type's column becomes a dataset for libsonata: a name with a step would put it into another group."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "node_types.csv").write_text(f"node_type_id {name} model_type\n100 3.5 virtual\n101 4.5 virtual\n")
    document = read(circuit(folder))
    with pytest.raises(WriteError, match="cannot be called so") as caught:
        write(document, tmp_path / "out" / "net", "sonata+obi")
    assert repr(name) in str(caught.value)
    assert caught.value.where.startswith(str(tmp_path / "out" / "net"))
    assert not (tmp_path / "out" / "net").exists()
    write(document, tmp_path / "out" / "allen", "sonata+allen")
    assert diff(document.network, read(tmp_path / "out" / "allen").network) == []
