"""What changes between dialects, against hand-computed numbers, bluepysnap's rotations and plain h5py and csv."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_io import Report, read
from pynn_io.document import Document
from pynn_io.errors import FormatError, WriteError
from pynn_io.exporters.sonata import write
from pynn_io.exporters.sonata_rotation import angles, quaternion
from pynn_io.formats.sonata_write import hdf5_file, write_spikes, write_types
from pynn_io.graph import Column, Network, PointCell, Population, SpikeSource
from pynn_io.graph.morphology import AXON_REPLACED
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.report import Kind
from pynn_io.simulation_plan import SimulationPlan
from tests.models import MODELS, table
from tests.sonata_out.written import populations, types


def written(document: Document, folder: Path, dialect: str) -> Report:
    report = Report()
    folder.mkdir(exist_ok=True)
    write(document, folder, report, dialect=dialect)
    return report


# --- rotations ----------------------------------------------------------------------------------------------------

turns = st.lists(st.tuples(*[st.floats(-7, 7)] * 3), min_size=1, max_size=8).map(np.array)


@settings(max_examples=100, deadline=None)
@given(turns)
def test_rotations_are_those_of_bluepysnap(values: np.ndarray) -> None:
    utils = pytest.importorskip("bluepysnap.utils")
    x, y, z = values.T
    matrices = np.array(utils.euler2mat(z, y, x))
    turned = quaternion(values)
    np.testing.assert_allclose(utils.quaternion2mat(*turned.T), matrices, atol=1e-12)
    back = angles(turned * 3.5)  # a quaternion of any length
    np.testing.assert_allclose(np.array(utils.euler2mat(back[:, 2], back[:, 1], back[:, 0])), matrices, atol=2e-8)


def test_quarter_turn_about_y_by_hand() -> None:
    half = np.sqrt(0.5)
    np.testing.assert_allclose(quaternion(np.array([[0, np.pi / 2, 0]])), [[half, 0, half, 0]], atol=1e-15)
    np.testing.assert_allclose(angles(np.array([[half, 0, half, 0]])), [[0, np.pi / 2, 0]], atol=1e-7)
    np.testing.assert_array_equal(angles(np.zeros((1, 4))), [[0, 0, 0]])


def test_angles_become_a_quaternion_for_obi_only(tmp_path: Path) -> None:
    written(MODELS["cable"](), tmp_path / "obi", "obi")
    written(MODELS["cable"](), tmp_path / "allen", "allen")
    obi = populations(tmp_path / "obi/circuit_config.json", "nodes")["bio"]["columns"]
    np.testing.assert_allclose(obi["orientation_w"], [1, np.cos(0.625)])
    np.testing.assert_allclose(obi["orientation_y"], [0, np.sin(0.625)])
    assert "rotation_angle_yaxis" not in obi
    allen = populations(tmp_path / "allen/circuit_config.json", "nodes")["bio"]["columns"]
    assert allen["rotation_angle_yaxis"] == [0, 1.25]
    assert "orientation_w" not in allen


# --- sections -----------------------------------------------------------------------------------------------------


def test_sections_are_counted_anew(tmp_path: Path) -> None:
    """ball_and_stick by its file: soma 0, axon 1, basal 2 3 4, apical 5. By BMTK: soma, basal 1 2 3, apical 4."""
    source = MODELS["cable"]()
    projection = source.network.projections["bio_to_bio"]
    ids, pos = np.array([0, 1, 2, 3, 4, 5]), np.linspace(0, 1, 6)
    edges = replace(
        projection.edges,
        source=Column(np.zeros(6, dtype=np.int64)),
        target=Column(np.array([0, 1, 0, 1, 0, 1])),
        columns=table(6, afferent_section_id=ids, afferent_section_pos=pos),
    )
    network = replace(source.network, projections={"bio_to_bio": replace(projection, edges=edges)})
    report = written(Document(network), tmp_path / "out", "allen")
    columns = populations(tmp_path / "out/circuit_config.json", "edges")["bio_to_bio"]["columns"]
    assert columns["afferent_section_id"] == [0, 0, 1, 2, 3, 4]
    assert columns["afferent_section_pos"] == [0, 0.5, *pos[2:]]
    moved = [issue for issue in report if issue.code == "section-without-counterpart"]
    assert [(issue.kind, issue.count) for issue in moved] == [(Kind.APPROXIMATED, 1)]
    with h5py.File(tmp_path / "out/network/bio_to_bio_edges.h5") as file:
        assert file["edges/bio_to_bio"].attrs["section_order"] == "axon_replaced"


def test_stub_sections_have_no_counterpart(tmp_path: Path) -> None:
    source = MODELS["cable"]()
    projection = source.network.projections["bio_to_bio"]
    edges = replace(
        projection.edges,
        source=Column(np.zeros(4, dtype=np.int64)),
        target=Column(np.zeros(4, dtype=np.int64)),
        columns=table(4, afferent_section_id=[1, 4, 5, 99], afferent_section_pos=[0.1, 0.2, 0.3, 0.4]),
    )
    changed = replace(projection, edges=edges, section_order=AXON_REPLACED)
    report = written(Document(replace(source.network, projections={"p": changed})), tmp_path / "out", "obi")
    columns = populations(tmp_path / "out/circuit_config.json", "edges")["bio_to_bio"]["columns"]
    assert columns["afferent_section_id"] == [2, 5, 0, 99]
    assert columns["afferent_section_pos"] == [0.1, 0.2, 0.5, 0.4]
    counts = {issue.code: issue.count for issue in report if "section" in issue.code}
    assert counts["section-without-counterpart"] == 1
    assert counts["unknown-section"] == 1


def test_sections_of_bio_1cell_against_morphio(data: Path, tmp_path: Path) -> None:
    """BMTK counts the sections of the file without its axon; MorphIO says which of the file's sections these are."""
    morphio = pytest.importorskip("morphio")
    folder = data / "sonata/bio_1cell"
    written(read(folder / "config.simulation_syns.json"), tmp_path / "out", "obi")
    found = populations(tmp_path / "out/circuit_config.json", "edges")["virt_to_biocell"]["columns"]
    with h5py.File(folder / "network/virt_biocell_edges.h5") as file:
        before = file["edges/virt_to_biocell/0/afferent_section_id"][:].tolist()
    path = folder / "components/morphologies/Scnn1a_473845048_m.swc"
    cell = morphio.Morphology(str(path), morphio.Option.nrn_order)
    types_in_order = [morphio.SectionType.soma, *(section.type for section in cell.sections)]
    kept = [at for at, kind in enumerate(types_in_order) if kind != morphio.SectionType.axon]
    assert found["afferent_section_id"] == [kept[section] for section in before]
    assert found["afferent_section_id"] != before


# --- weights ------------------------------------------------------------------------------------------------------


def test_conductances_change_unit_between_worlds(data: Path, tmp_path: Path) -> None:
    """OBI's nS to what BMTK takes, uS, and back."""
    before = populations(data / "sonata_obi/nd_ringtest/circuit_config.json", "edges")
    written(read(data / "sonata_obi/nd_ringtest/circuit_config.json"), tmp_path / "allen", "allen")
    allen = populations(tmp_path / "allen/circuit_config.json", "edges")
    written(read(tmp_path / "allen"), tmp_path / "obi", "obi")
    again = populations(tmp_path / "obi/circuit_config.json", "edges")
    for name, old in before.items():
        stated = np.array(old["columns"]["conductance"], dtype=float)
        assert "conductance" not in allen[name]["columns"]
        np.testing.assert_allclose(allen[name]["columns"]["syn_weight"], stated / 1000, rtol=1e-6)
        np.testing.assert_allclose(again[name]["columns"]["conductance"], stated, rtol=1e-6)


def test_currents_are_no_conductances(tmp_path: Path) -> None:
    report = written(MODELS["two_types"](), tmp_path / "out", "obi")
    columns = populations(tmp_path / "out/circuit_config.json", "edges")["cortex_to_cortex"]["columns"]
    assert "conductance" not in columns
    assert columns["syn_weight"] == [2.5, 1.0 / 3.0, -4.0, -4.5, -1e-9]
    assert "weight-without-home" in {issue.code for issue in report.of_kind(Kind.APPROXIMATED)}


# --- ids, types, node sets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["", "obi"])
def test_nodes_are_renumbered(tmp_path: Path, dialect: str) -> None:
    """Ids 2**33 + 7, 3, 5, 4 become rows 0 1 2 3, in the nodes, the edges, the node sets and the spikes."""
    source = MODELS["patchwork"]()
    sets = {
        "some": {"population": "patch", "node_id": [3, 2**33 + 7]},
        "all": ["some", "other"],
        "other": {"node_id": 4, "layer": 5},
    }
    trains = SpikeTrains("patch", np.array([3, 2**33 + 7]), np.array([1.5, 2.5]))
    plan = SimulationPlan(
        duration=5.0, timestep=0.1, stimuli=(Stimulus("in", trains, {"population": "patch", "node_id": [5]}),)
    )
    report = written(Document(replace(source.network, node_sets=sets), plan), tmp_path / "out", dialect)
    nodes = populations(tmp_path / "out/circuit_config.json", "nodes")["patch"]
    assert nodes["ids"]["node_id"].tolist() == [0, 1, 2, 3]
    assert nodes["columns"]["original_id"] == [2**33 + 7, 3, 5, 4]
    edges = populations(tmp_path / "out/circuit_config.json", "edges")["some"]["ids"]
    assert edges["source_node_id"].tolist() == [3, 0, 0, 2]
    assert edges["target_node_id"].tolist() == [0, 0, 3, 1]
    assert json.loads((tmp_path / "out/node_sets.json").read_text()) == {
        "some": {"population": "patch", "node_id": [1, 0]},
        "all": ["some", "other"],
        "other": {"node_id": 3, "layer": 5},
    }
    with h5py.File(tmp_path / "out/inputs/in.h5") as file:
        assert file["spikes/patch/node_ids"][:].tolist() == [0, 1]
        assert file["spikes/patch/timestamps"][:].tolist() == [2.5, 1.5]
        assert file["spikes/patch/timestamps"].attrs["units"] == "ms"
    assert "ids-renumbered" in report.codes()


def test_allen_keeps_ids_and_groups(tmp_path: Path) -> None:
    written(MODELS["patchwork"](), tmp_path / "out", "allen")
    nodes = populations(tmp_path / "out/circuit_config.json", "nodes")["patch"]
    assert nodes["ids"]["node_id"].tolist() == [2**33 + 7, 3, 5, 4]
    assert nodes["ids"]["node_group_id"].tolist() == [0, 1, 0, 1]
    assert nodes["columns"]["tuning_angle"] == [0.5, None, 25.0, None]
    assert nodes["columns"]["dynamics_params/V_th"] == [-50.0, -51.0, -52.0, -53.0]
    edges = populations(tmp_path / "out/circuit_config.json", "edges")["some"]["ids"]
    assert edges["source_node_id"].tolist() == [4, 2**33 + 7, 2**33 + 7, 5]
    assert edges["target_node_id"].tolist() == [2**33 + 7, 2**33 + 7, 4, 3]
    notes = [nodes["types"][int(number)].get("note") for number in nodes["ids"]["node_type_id"]]
    assert notes == ["a", None, "b b", None]


def test_two_views_of_one_file(tmp_path: Path) -> None:
    """Both worlds: group 0 has all for libsonata; rows point to a group whose numbers are links to the same."""
    written(MODELS["two_types"](), tmp_path / "out", "")
    with h5py.File(tmp_path / "out/network/cortex_nodes.h5") as file:
        group = file["nodes/cortex"]
        assert set(group["node_group_id"][:].tolist()) == {2}
        assert set(group["2"]) == {"x", "y", "z"}
        assert group["0/x"] == group["2/x"], "one dataset under two links"
        assert group["0/x"].attrs["units"] == "um"
        levels = group["0/@library/ei"].asstr()[:].tolist()
        assert [levels[code] for code in group["0/ei"][:]] == ["e", "e", "i", "e", "i"]
        assert group["0/dynamics_params/C_m"][:].tolist() == [239.0, 239.0, 180.0, 239.0, 180.0]
    assert types(tmp_path / "out/network/cortex_node_types.csv")[101]["ei"] == "i"


def test_files_have_no_filters_and_say_what_they_are(tmp_path: Path) -> None:
    written(MODELS["integrate_and_fire"](), tmp_path / "out", "")
    for path in (tmp_path / "out").rglob("*.h5"):
        with h5py.File(path) as file:
            assert (int(file.attrs["magic"]), file.attrs["version"].tolist()) == (0x0A7A, [0, 1])
            found = []
            file.visititems(
                lambda name, item, found=found: found.append(item) if isinstance(item, h5py.Dataset) else None
            )
            assert found
            assert all(item.compression is None and not item.shuffle for item in found)


def test_mixed_population_gets_one_type_and_says_so(tmp_path: Path) -> None:
    population = Population("mix", 2, table(2, id=[1, 2], cell=["p", "s"]), Column(np.array([0, 1])))
    network = Network("n", {"mix": population}, cells={"p": PointCell("IF_cond_exp"), "s": SpikeSource()})
    report = written(Document(network), tmp_path / "out", "obi")
    entry = json.loads((tmp_path / "out/circuit_config.json").read_text())["networks"]["nodes"][0]
    assert entry["populations"]["mix"]["type"] == "point_neuron"
    assert populations(tmp_path / "out/circuit_config.json", "nodes")["mix"]["columns"]["model_type"] == [
        "point_neuron",
        "virtual",
    ]
    assert "mixed-population" in report.codes()


# --- bytes and errors ---------------------------------------------------------------------------------------------


def test_types_csv_through_pandas(tmp_path: Path) -> None:
    """BMTK's reader: ``read_csv(sep=" ", na_values="NONE")``."""
    pandas = pytest.importorskip("pandas")
    stated = {"edge_type_id": [7, 8], "q": ["ei=='e' & x", 'say "no"'], "w": [1 / 3, None], "t": ["", "a\tb"]}
    write_types(tmp_path / "t.csv", stated)
    frame = pandas.read_csv(tmp_path / "t.csv", sep=" ", na_values="NONE")
    assert frame["q"].tolist() == stated["q"]
    assert frame["w"][0] == 1 / 3
    assert np.isnan(frame["w"][1])
    assert frame["t"][1] == "a\tb"


def test_spikes_say_how_they_are_sorted(tmp_path: Path) -> None:
    libsonata = pytest.importorskip("libsonata")
    with hdf5_file(tmp_path / "s.h5") as file:
        write_spikes(file, "p", np.array([0, 0, 2]), np.array([1.0, 3.0, 2.0]), "by_id")
    found = libsonata.SpikeReader(str(tmp_path / "s.h5"))["p"]
    assert str(found.sorting).endswith("by_id")
    assert [(int(node), time) for node, time in found.get()] == [(0, 1.0), (0, 3.0), (2, 2.0)]


def test_unknown_dialect(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no dialect 'bbp'"):
        write(MODELS["two_types"](), tmp_path, Report(), dialect="bbp")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "network").write_text("a file is in the way")
    with pytest.raises(WriteError) as caught:
        write(MODELS["two_types"](), tmp_path, Report())
    assert str(tmp_path) in caught.value.where


def test_a_file_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "network").mkdir()
    (tmp_path / "network/cortex_nodes.h5").write_bytes(b"precious")
    with pytest.raises(WriteError, match="cannot write"):
        write(MODELS["two_types"](), tmp_path, Report())
    assert (tmp_path / "network/cortex_nodes.h5").read_bytes() == b"precious"
