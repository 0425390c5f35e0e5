"""Networks in NIX files: whole there and back, as SONATA before and after, for nixio, and from the shell."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import nixio
import numpy as np
import pytest
from nixio.util.units import is_si

from pynn_io import Report
from pynn_io.detect import detect
from pynn_io.document import Document
from pynn_io.errors import FormatError, PynnIOError, ReadError, UnsupportedInput, WriteError
from pynn_io.graph import Column, Edges, Table
from pynn_io.graph.compare import diff
from pynn_io.graph.morphology import LazyMorphologies
from pynn_io.importers.nix import read as read_nix
from pynn_io.pipeline import convert, read, write
from tests.commands.circuits import run, tree, write_circuit, write_simulation
from tests.conftest import ROOT
from tests.models import MODELS
from tests.nix.equality import differences
from tests.nix.oddities import COLON, EMPTY, LAYER, document


def there_and_back(made: Document, path: Path) -> Document:
    report = write(made, path, "nix")
    assert list(report) == []
    again = read(path, report=report)
    assert list(report) == []
    return again


@pytest.mark.parametrize("model", MODELS)
def test_models_come_back_to_the_last_detail(model: str, tmp_path: Path) -> None:
    made = MODELS[model]()
    again = there_and_back(made, tmp_path / "a.nix")
    assert diff(made.network, again.network, levels=True) == []
    assert differences(made.network, again.network) == []
    assert differences(made.plan, again.plan) == []


def test_what_is_hard_to_keep_comes_back_to_the_last_detail(tmp_path: Path) -> None:
    made = document(tmp_path / "components")
    again = there_and_back(made, tmp_path / "a.nix")
    assert differences(made.network, again.network) == []
    assert differences(made.plan, again.plan) == []
    twice = there_and_back(again, tmp_path / "b.nix")
    assert differences(again.network, twice.network) == []
    assert again.provenance["origin"] == {"format": "test", "source": "x.json"}


def test_edges_stay_in_the_file_and_cells_do_not(tmp_path: Path) -> None:
    again = there_and_back(document(tmp_path / "components"), tmp_path / "a.nix")
    edges = again.network.projections[COLON].edges
    assert (
        edges.source.is_lazy and edges.columns["weight"].is_lazy and again.network.projections[COLON].type_index.is_lazy
    )
    assert not any(column.is_lazy for column in again.network.populations[LAYER].table.values())


def test_component_files_are_kept_byte_by_byte(tmp_path: Path) -> None:
    made = document(tmp_path / "components")
    write(made, tmp_path / "a.nix", "nix")
    (tmp_path / "components" / "cells" / "über cell.json").unlink()
    again = read_nix(tmp_path / "a.nix", Report(), components=tmp_path / "put here")
    path = again.network.cells["cable"].origin.files["dynamics_params"]
    assert path == tmp_path / "put here" / "components" / "cells" / "über cell.json"
    assert path.read_bytes() == b'{"a": 1}\r\n\xff'
    again = read(tmp_path / "a.nix")
    elsewhere = again.network.cells["cable"].origin.files["dynamics_params"]
    assert elsewhere.read_bytes() == path.read_bytes() and not elsewhere.is_relative_to(tmp_path)


def test_no_folder_of_this_machine_is_in_the_file(tmp_path: Path) -> None:
    write(document(tmp_path / "components"), tmp_path / "a.nix", "nix")
    content = (tmp_path / "a.nix").read_bytes()
    assert str(tmp_path).encode() not in content and b"/somewhere/else" not in content


# --- What others see ----------------------------------------------------------------------------------------------


def test_columns_are_named_as_in_sonata_and_hold_its_ids(tmp_path: Path) -> None:
    write(document(tmp_path / "components"), tmp_path / "a.nix", "nix")
    file = nixio.File.open(str(tmp_path / "a.nix"), nixio.FileMode.ReadOnly)
    network = file.blocks["network"]
    edges = {array.label: array for array in network.groups["edges:a%3Ab"].data_arrays if "%" not in array.name[14:]}
    assert edges["source_node_id"][:].tolist() == [5, 1, 2**33, 5]
    assert edges["target_node_id"][:].tolist() == [1, 1, 0, 0]
    assert edges["edge_type_index"][:].tolist() == [0, 1, 1, 0]
    assert edges["syn_weight"].dtype == np.float32
    nodes = network.groups["nodes:L2%2F3E"]
    assert {"node_id", "node_type_id", "x", "dynamics_params/V_th"} <= {array.label for array in nodes.data_arrays}
    table = file.sections["node_populations"].sections["L2%2F3E"].sections["table"]
    assert table.sections["scalars"].props["y"].values == (1.5,) and table.sections["scalars"].props["y"].unit == "um"
    parameters = file.sections["cells"].sections["point%2F1"].sections["parameters"]
    assert (parameters.props["tau_m"].values, parameters.props["tau_m"].unit) == ((15.0,), "ms")
    file.close()


@pytest.mark.parametrize("model", [*MODELS, "oddities"])
def test_files_are_valid_for_nixio(model: str, tmp_path: Path) -> None:
    made = document(tmp_path / "components") if model == "oddities" else MODELS[model]()
    write(made, tmp_path / "a.nix", "nix")
    file = nixio.File.open(str(tmp_path / "a.nix"), nixio.FileMode.ReadOnly)
    found = file.validate()
    assert found["errors"] == {}
    # nixio wants a unit of every property, names and counts included, and knows none for a fraction.
    told = {text for texts in found["warnings"].values() for text in texts if not text.endswith("unit is not set")}
    assert told <= {"unit is not SI or composite of SI units"}
    assert {array.unit for array in file.blocks["network"].data_arrays if array.unit and not is_si(array.unit)} <= {"1"}
    file.close()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("nixio")), "validate", "a.nix"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "errors" not in done.stdout, done.stdout + done.stderr


# --- Real circuits ------------------------------------------------------------------------------------------------

CIRCUITS = [
    ("sonata/300_intfire", "sonata"),
    ("sonata/300_pointneurons", "sonata+allen"),
    ("sonata/bio_14cells", "sonata+allen"),
    ("sonata/5_cells_iclamp", "sonata+allen"),
    ("sonata/bio_1cell/config.simulation_syns.json", "sonata+allen"),
    ("sonata/point_120cells/config.simulation.json", "sonata+allen"),
    ("sonata_obi/nd_ringtest/circuit_config.json", "sonata+obi"),
]


#: Circuits of this project: several groups, legacy layouts, morphologies in two formats, HOC templates, mechanisms.
FIXTURES = [
    ("synfire", "sonata"),
    ("mixed", "sonata+allen"),
    ("obi_ring/circuit_config.json", "sonata+obi"),
    ("obi_net/simulation_config.json", "sonata+obi"),
]


@pytest.mark.parametrize(("circuit", "target"), CIRCUITS)
def test_real_circuits_by_way_of_nix(circuit: str, target: str, data: Path, tmp_path: Path) -> None:
    by_way_of_nix(data / circuit, target, tmp_path)


@pytest.mark.parametrize(("circuit", "target"), FIXTURES)
def test_fixtures_by_way_of_nix(circuit: str, target: str, tmp_path: Path) -> None:
    by_way_of_nix(ROOT / "fixtures" / circuit, target, tmp_path)


def by_way_of_nix(circuit: Path, target: str, tmp_path: Path) -> None:
    """SONATA to NIX to SONATA gives the very files, and the report, that SONATA to SONATA gives."""
    made = read(circuit)
    again = there_and_back(made, tmp_path / "a.nix")
    assert diff(made.network, again.network, levels=True) == []
    assert differences(made.network, again.network) == []
    assert differences(made.plan, again.plan) == []
    reports = [write(each, tmp_path / name, target) for each, name in ((made, "direct"), (again, "by_nix"))]
    assert tree(tmp_path / "by_nix") == tree(tmp_path / "direct")
    for path in (tmp_path / "direct").rglob("*"):
        if path.is_file() and path.suffix != ".h5":
            assert (tmp_path / "by_nix" / path.relative_to(tmp_path / "direct")).read_bytes() == path.read_bytes(), path
    assert [issue.code for issue in reports[0]] == [issue.code for issue in reports[1]]
    assert diff(made.network, read(tmp_path / "by_nix" / "circuit_config.json").network) == []


def test_morphology_files_come_from_the_file_and_are_read_when_asked_for(data: Path, tmp_path: Path) -> None:
    made = read(data / "sonata/bio_14cells")
    again = there_and_back(made, tmp_path / "a.nix").network
    assert isinstance(again.morphologies, LazyMorphologies) and repr(again.morphologies).endswith("0 read)")
    for name in again.morphologies:
        digests = [
            hashlib.sha256(each.path(name).read_bytes()) for each in (made.network.morphologies, again.morphologies)
        ]
        assert digests[0].digest() == digests[1].digest()
    folder = again.extra["sonata"]["components"]["mechanisms_dir"]["path"]
    stated = made.network.extra["sonata"]["components"]["mechanisms_dir"]["path"]
    assert sorted(path.name for path in folder.rglob("*.mod")) == sorted(path.name for path in stated.rglob("*.mod"))


# --- Bad input ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of oddities, for tests that copy it."""
    folder = tmp_path_factory.mktemp("whole")
    write(document(folder / "components"), folder / "a.nix", "nix")
    return folder / "a.nix"


def broken(whole: Path, path: Path, change: Any) -> PynnIOError:
    """The error that reading a file raises after ``change`` was done to a copy of it with h5py."""
    shutil.copy(whole, path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(PynnIOError) as caught:
        network = read(path).network
        for projection in network.projections.values():
            list(projection.blocks(["weight", "target_sections"]))
    return caught.value


def _set(place: str, value: Any) -> Any:
    """Replace the values of a property or of an array."""

    def change(file: h5py.File) -> None:
        attributes = dict(file[place].attrs)
        del file[place]
        file[place] = value
        file[place].attrs.update(attributes)

    return change


EDGES = "data/network/data_arrays/edges:a%3Ab"
NODES = "data/network/data_arrays/nodes:L2%2F3E"
UNKNOWN = "metadata/cells/sections/unknown"
POPULATION = "metadata/node_populations/sections/L2%2F3E"


@pytest.mark.parametrize(
    ("change", "text", "place"),
    [
        (_set(f"{EDGES}:source_node_id/data", np.uint64([5, 1, 6, 5])), "edge 2 names node 6", "source_node_id"),
        (_set(f"{EDGES}:edge_type_index/data", np.array([0, 1, 2, 0])), "type", "edge_type_index"),
        (_set(f"{EDGES}:syn_weight/data", np.zeros(3)), "3 rows, and should have 4", "edges:a%3Ab:syn_weight"),
        (_set(f"{EDGES}:target_sections/data", np.array([0, 0, 9, 0])), "levels", "target_sections"),
        (lambda file: file.pop(f"{EDGES}:syn_weight"), "syn_weight", "data_arrays"),
        (lambda file: file.pop(f"{EDGES}:target_node_id/data"), "", "target_node_id"),
        (lambda file: file.pop("data/network"), "network", "/data"),
        (lambda file: file.pop("data/components"), "components", "/data"),
        (lambda file: file.pop(f"{POPULATION}/sections/types"), "types", "node_populations"),
        (_set(f"{POPULATION}/properties/size", [-1]), "number of rows", "size"),
        (_set(f"{POPULATION}/properties/size", ["a"]), "'size' must be int", "L2%2F3E"),
        (_set(f"{POPULATION}/sections/table/properties/columns", ["id", "gone"]), "gone", "data_arrays"),
        (_set("metadata/document/properties/format_version", [2]), "version 2", "format_version"),
        (lambda file: file[UNKNOWN].attrs.update(type="pynn_io.os"), "unknown type", "unknown"),
        (lambda file: file.pop(f"{UNKNOWN}/properties/kind"), "kind", "cells/unknown"),
        (lambda file: file["metadata/morphologies/sections/ball"].attrs.update(type="pynn_io.x"), "path", "ball"),
        (_set("metadata/morphologies/sections/ball/properties/soma_kind", ["square"]), "square", "soma_kind"),
        (_set("metadata/plan/properties/stimuli", ['{"%record": ["Popen", {"args": "x"}]}']), "Popen", "plan/stimuli"),
        (_set("metadata/plan/properties/stimuli", ["{"]), "not a value", "plan/stimuli"),
    ],
)  # fmt: skip
def test_broken_files_are_told_by_name_and_place(
    change: Any, text: str, place: str, whole: Path, tmp_path: Path
) -> None:
    error = broken(whole, tmp_path / "a.nix", change)
    assert isinstance(error, ReadError), error
    assert text in error.message, error
    assert str(tmp_path / "a.nix") in error.where and place in error.where, error


@pytest.mark.parametrize("label", ["../x.json", "/etc/x.json", "a/../../x", ""])
def test_component_files_stay_in_their_folder(label: str, whole: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        next(iter(file["data/components/data_arrays"].values())).attrs["label"] = label

    assert "leads out of the folder" in broken(whole, tmp_path / "a.nix", change).message
    assert not (tmp_path / "x.json").exists()


def test_component_files_that_were_changed_are_refused(whole: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        next(iter(file["data/components/data_arrays"].values()))["data"][0] = 1

    assert "sha256" in broken(whole, tmp_path / "a.nix", change).message


def test_nix_files_of_others(tmp_path: Path) -> None:
    nixio.File.open(str(tmp_path / "a.nix"), nixio.FileMode.Overwrite).close()
    with pytest.raises(UnsupportedInput, match="no network of pynn_io"):
        read(tmp_path / "a.nix")


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.7, 0.99])
def test_truncated_files(cut: float, tmp_path: Path) -> None:
    write(MODELS["cable"](), tmp_path / "a.nix", "nix")
    content = (tmp_path / "a.nix").read_bytes()
    (tmp_path / "a.nix").write_bytes(content[: int(cut * len(content))])
    with pytest.raises(ReadError):
        read(tmp_path / "a.nix", format="nix")


def test_detection(tmp_path: Path) -> None:
    write(MODELS["cable"](), tmp_path / "a.nix", "nix")
    (tmp_path / "a.nix").rename(tmp_path / "a.h5")
    assert detect(tmp_path / "a.h5") == "nix"


def test_a_value_that_no_file_can_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    made = MODELS["two_types"]()
    population = made.network.populations["cortex"]
    column = Column(np.array([1j] * 5), extra=True)
    population = replace(population, table=population.table.updated({"phase": column}))
    with pytest.raises(WriteError, match="phase"):
        write(
            replace(made, network=replace(made.network, populations={"cortex": population})), tmp_path / "a.nix", "nix"
        )
    assert tree(tmp_path) == []


def test_folders_and_existing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="the target is a folder"):
        write(MODELS["cable"](), tmp_path, "nix")
    write(MODELS["cable"](), tmp_path / "a.nix", "nix")
    with pytest.raises(WriteError, match="exists already"):
        write(MODELS["cable"](), tmp_path / "a.nix", "nix")
    write(MODELS["two_types"](), tmp_path / "a.nix", "nix", overwrite=True)
    assert read(tmp_path / "a.nix").network.name == "two_types"


def test_blocks_are_read_across_their_borders(tmp_path: Path) -> None:
    """More edges than a block of the file's chunks, with gaps in one block only."""
    size = 300_000
    mask = np.zeros(size, dtype=bool)
    mask[270_000:270_010] = True
    made = MODELS["two_types"]()
    projection = made.network.projections["cortex_to_cortex"]
    columns = {
        "weight": Column(np.ma.array(np.arange(size) * 0.5, mask=mask)),
        "label": Column(np.arange(size), extra=True),
    }
    ends = [Column(np.arange(size) * step % 5) for step in (1, 3)]
    projection = replace(projection, edges=Edges(*ends, Table(size, columns)), type_index=Column(np.arange(size) % 2))
    made = replace(made, network=replace(made.network, projections={"cortex_to_cortex": projection}))
    again = there_and_back(made, tmp_path / "a.nix")
    assert differences(made.network, again.network) == []


# --- From the shell -----------------------------------------------------------------------------------------------


def test_commands(tmp_path: Path) -> None:
    write_circuit(tmp_path / "circuit")
    config = write_simulation(tmp_path / "circuit")
    done = run("pynn-convert", config, "--to", "nix", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "circuit.nix\n"), done.stderr
    done = run("pynn-show", "circuit.nix", cwd=tmp_path)
    assert done.returncode == 0 and "cells" in done.stdout, done.stderr
    done = run("pynn-convert", "circuit.nix", "back", "--to", "sonata+allen", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("pynn-convert", config, "direct", "--to", "sonata+allen", cwd=tmp_path)
    assert tree(tmp_path / "back") == tree(tmp_path / "direct")
    assert diff(read(config).network, read(tmp_path / "back" / "config.json").network) == []


def test_a_foreign_file_from_the_shell(tmp_path: Path) -> None:
    (tmp_path / "a.nix").write_text("no NIX")
    done = run("pynn-convert", "a.nix", "--to", "sonata", cwd=tmp_path)
    assert done.returncode == 4 and "not a readable NIX file" in done.stderr
    assert tree(tmp_path) == ["a.nix"]


def test_conversion_by_script(tmp_path: Path) -> None:
    config = write_circuit(tmp_path / "circuit")
    done = convert(config, tmp_path / "x.nix", to="nix", strict=True)
    assert done.files == (tmp_path / "x.nix",)
    assert EMPTY not in read(tmp_path / "x.nix").network.populations
