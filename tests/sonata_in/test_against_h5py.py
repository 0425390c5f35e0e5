"""Every real circuit, value by value, against `sonata_oracle` (plain json, csv and h5py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import ReadError
from pynn_io.graph import CableCell, Network, PointCell, Population, Projection, SpikeSource
from pynn_io.importers.sonata import read
from pynn_io.report import Report
from tests.sonata_in import sonata_oracle as oracle

DATA = (Path(__file__).resolve().parents[3] / "shared" / "data").resolve()
UNREADABLE = {
    "sonata/sim_tests/shared_components/configs/config.json": "circuit_config.json|simulation_config.json",
    "sonata_obi/libsonata_data/config/circuit_config.json": "config/node_sets.json",
    "sonata_obi/libsonata_data/config/simulation_config.json": "config/node_sets.json",
}
CONFIGS = [
    str(path.relative_to(DATA))
    for folder in ("sonata", "sonata_obi")
    for path in sorted((DATA / folder).rglob("*config*.json"))
]
#: Each network once is enough for the value-by-value comparison; the rest must at least be read.
CIRCUITS = [
    name
    for name in CONFIGS
    if name not in UNREADABLE
    and (
        "circuit" in Path(name).name
        or "bio_1cell" in name
        or "stdp" in name
        or "bio_advanced_stimuli/config.simulation_sp" in name
    )
]

pytestmark = pytest.mark.skipif(not CONFIGS, reason="the real circuits of ../shared/data are not on this machine")

#: What the graph calls what the files call otherwise.
NAMES = {"syn_weight": "weight", "sec_id": "afferent_section_id", "sec_x": "afferent_section_pos"}
CELL_COLUMNS = ("model_type", "model_template", "morphology", "model_processing", "dynamics_params", "node_type_id")
MODEL_COLUMNS = {"Exp2Syn_synapse": ("tau1", "tau2", "erev")}


@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in UNREADABLE])
def test_every_configuration_is_read(name: str) -> None:
    document = read(DATA / name, Report())
    assert document.network.populations
    assert all(population.size for population in document.network.populations.values())
    runs = "run" in json.loads((DATA / name).read_text()) or "simulation" in json.loads((DATA / name).read_text())
    assert (document.plan is not None) == runs


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_a_configuration_whose_files_are_missing_says_which(name: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(DATA / name, Report())
    assert any(part in str(caught.value) for part in UNREADABLE[name].split("|"))


@pytest.mark.parametrize("name", CIRCUITS)
def test_nodes_are_what_h5py_and_csv_say(name: str) -> None:
    network = read(DATA / name, Report()).network
    content, folder = oracle.config(DATA / name)
    seen = set()
    for entry in content["networks"]["nodes"]:
        rows = oracle.types(oracle.file(folder, entry.get("node_types_file")), "node_type_id")
        with h5py.File(oracle.file(folder, entry["nodes_file"])) as handle:
            for population, group in handle["nodes"].items():
                seen.add(population)
                check_nodes(network, network.populations[population], group, rows, content, folder)
    assert seen == set(network.populations)


@pytest.mark.parametrize("name", CIRCUITS)
def test_edges_are_what_h5py_and_csv_say(name: str) -> None:
    network = read(DATA / name, Report()).network
    content, folder = oracle.config(DATA / name)
    seen = set()
    for entry in content["networks"].get("edges") or []:
        rows = oracle.types(oracle.file(folder, entry.get("edge_types_file")), "edge_type_id")
        with h5py.File(oracle.file(folder, entry["edges_file"])) as handle:
            for population, group in handle["edges"].items():
                seen.add(population)
                kind = (entry.get("populations") or {}).get(population, {}).get("type", "")
                check_edges(network, network.projections[population], group, rows, kind)
                check_synapses(network, network.projections[population], rows, content, folder)
    assert seen == set(network.projections)


def same(mine: Any, theirs: Any) -> bool:
    if theirs is None:
        return mine is None or mine is np.ma.masked
    if isinstance(theirs, str):
        try:
            return mine == theirs or float(mine) == float(theirs)
        except (TypeError, ValueError):
            return False
    return bool(mine == theirs) or (mine != mine and theirs != theirs)


def check_nodes(
    network: Network, population: Population, group: h5py.Group, rows: dict[int, Any], content: Any, folder: Path
) -> None:
    size = len(group["node_type_id"])
    assert population.size == size
    assert population.ids().dtype == np.int64
    assert population.ids().tolist() == oracle.ids(group, "node_id", size)
    type_of = population.type_index.read(size)
    type_ids = group["node_type_id"][()].tolist()
    if "id" in population.types:
        assert population.types.read("id")[type_of].tolist() == type_ids
    else:
        assert set(type_ids) == {-1}
    plain, dynamic = oracle.attributes(group, "node", size)
    stated = [{**rows.get(type_ids[row], {}), **plain[row]} for row in range(size)]
    check_columns(population, stated, CELL_COLUMNS)
    for key in {key for row in dynamic for key in row}:
        values = population.table.values(f"parameters:{key}")
        assert all(same(values[i], dynamic[i].get(key)) for i in range(size)), key
    for row in range(size):
        check_cell(network, population, row, type_of[row], stated[row], content, folder)


def check_columns(population: Population, stated: list[dict[str, Any]], skip: tuple[str, ...]) -> None:
    names = {key for row in stated for key in row} - set(skip)
    for key in names:
        column = population.column(key)
        assert column is not None, key
        values = column.values(population.size)
        values = np.broadcast_to(values, (population.size,)) if np.ndim(values) == 0 else values
        assert all(same(values[i], stated[i].get(key)) for i in range(population.size)), key
    mine = (set(population.table) | set(population.types)) - {"id", "cell", "group", "morphology"}
    assert {key for key in mine if not key.startswith("parameters:")} == names


def check_cell(
    network: Network, population: Population, row: int, kind: int, stated: Any, content: Any, folder: Path
) -> None:
    cell = network.cells[population.cells[kind]]
    model_type = stated.get("model_type", "")
    if model_type == "virtual" or "virtual" in population.name:
        assert isinstance(cell, SpikeSource)
    elif model_type in ("point_neuron", "point_process"):
        assert isinstance(cell, PointCell)
        assert cell.model == stated["model_template"]
        if "dynamics_params" in stated:
            place = folder / content["components"]["point_neuron_models_dir"] / stated["dynamics_params"]
            expected = json.loads(place.read_text()) if place.is_file() else {}
            assert dict(cell.parameters) == expected
    else:
        assert isinstance(cell, CableCell)
        if "morphology" in stated:
            own = population.table.values("morphology")[row] if "morphology" in population.table else cell.morphology
            assert own == stated["morphology"].removesuffix(".swc")
            assert own in network.morphologies


def check_edges(network: Network, projection: Projection, group: h5py.Group, rows: dict[int, Any], kind: str) -> None:
    size = len(group["source_node_id"])
    assert projection.size == size
    pre, post = network.populations[projection.pre], network.populations[projection.post]
    assert projection.pre == group["source_node_id"].attrs["node_population"]
    assert projection.post == group["target_node_id"].attrs["node_population"]
    assert (pre.ids()[projection.edges.source.read(size)] == group["source_node_id"][()]).all()
    assert (post.ids()[projection.edges.target.read(size)] == group["target_node_id"][()]).all()
    type_of = projection.type_index.read(size)
    type_ids = group["edge_type_id"][()].astype(np.int64)
    if "id" in projection.types:
        assert (projection.types.read("id")[type_of] == type_ids).all()
    else:
        assert set(type_ids.tolist()) == {-1}
    check_edge_columns(projection, group, kind)
    check_edge_types(projection, rows)


def check_edge_columns(projection: Projection, group: h5py.Group, kind: str) -> None:
    attributes = {name: item for name, item in group["0"].items() if isinstance(item, h5py.Dataset)}
    weight = "conductance" if "conductance" in attributes else "syn_weight"
    for name, item in attributes.items():
        key = "weight" if name == weight else NAMES.get(name, name) if weight == "syn_weight" else name
        key = f"parameters:{name}" if name in MODEL_COLUMNS.get(kind, ()) else key
        values = projection.edges.columns.values(key)
        theirs = oracle.strings(item[()]) if item.dtype == object else item[()]
        assert len(values) == projection.size
        assert (np.asarray(values) == np.asarray(theirs)).all(), name
        if item.dtype.kind == "f":
            assert values.dtype == item.dtype, name
    params = list(group["0"].get("dynamics_params", {}))
    for name in params:
        assert (projection.edges.columns.values(f"parameters:{name}") == group[f"0/dynamics_params/{name}"][()]).all()
    assert len(projection.edges.columns) == len(attributes) + len(params)


def check_edge_types(projection: Projection, rows: dict[int, Any]) -> None:
    listed = projection.types.read("id").tolist() if rows else []
    assert set(listed) >= set(rows)
    for name in {key for row in rows.values() for key in row} - {"edge_type_id", "model_template", "dynamics_params"}:
        values = projection.types.values(NAMES.get(name, name))
        assert all(same(values[i], rows[listed[i]].get(name)) for i in range(len(listed))), name


def check_synapses(network: Network, projection: Projection, rows: dict[int, Any], content: Any, folder: Path) -> None:
    for kind, row in rows.items():
        at = projection.types.read("id").tolist().index(kind)
        synapse = network.synapses[projection.synapses[at]]
        if "dynamics_params" in row:
            place = folder / content["components"]["synaptic_models_dir"] / row["dynamics_params"]
            assert dict(synapse.parameters) == (json.loads(place.read_text()) if place.is_file() else {})
        assert synapse.model.rpartition(":")[2].lower() == row.get("model_template", "").lower()


def test_missing_components_are_reported_by_name_and_folder() -> None:
    report = Report()
    network = read(DATA / "sonata/point_120cells/config.circuit.json", report).network
    missing = [issue for issue in report if issue.code == "missing-component"]
    names = {example for issue in missing for example in issue.examples}
    assert names == {
        "iaf_psc_delta_exc.json",
        "iaf_psc_delta_inh.json",
        "ExcToInh.json",
        "InhToExc.json",
        "ExcToExc.json",
    }
    assert all("point_components" in issue.message for issue in missing)
    assert network.cells["cortex_100"] == PointCell("nest:iaf_psc_delta")


def test_units_of_weights() -> None:
    """Hand-derived: pA for alpha currents, mV for delta, 1 for IntFire1, uS for Exp2Syn on cables, nS in OBI files."""

    def units(name: str, projection: str) -> list[str]:
        return read(DATA / name, Report()).network.projections[projection].types.values("weight_unit").tolist()

    assert set(units("sonata/300_pointneurons/circuit_config.json", "internal_to_internal")) == {"pA"}
    assert set(units("sonata/point_120cells/config.circuit.json", "cortex_to_cortex")) == {"mV"}
    assert set(units("sonata/300_intfire/circuit_config.json", "v1_to_v1")) == {"1"}
    mixed = units("sonata/bio_14cells/config.circuit.json", "lgn_to_v1")
    assert mixed == ["uS"] * 5 + ["1"] * 2
    assert units("sonata_obi/nd_ringtest/circuit_config.json", "RingA__RingA__chemical") == ["nS"]
    allen = "sonata_obi/nd_ringtest_allen_v1/circuit_config.json"
    assert units(allen, "RingA__RingA__Exp2Syn_synapse") == ["uS"]
    assert units(allen, "RingA__RingB__point_process") == ["1"]


def test_section_ids_carry_the_order_they_were_written_in() -> None:
    allen = read(DATA / "sonata/bio_1cell/config.simulation_syns.json", Report()).network
    obi = read(DATA / "sonata_obi/nd_ringtest/circuit_config.json", Report()).network
    assert allen.projections["virt_to_biocell"].section_order == "axon_replaced"
    assert obi.projections["RingA__RingA__chemical"].section_order == "specification"


def test_obi_kinds() -> None:
    gap = read(DATA / "sonata_obi/nd_ringtest/circuit_config_gj.json", Report()).network
    assert gap.projections["RingC__RingC__electrical"].kind == "electrical"
    assert gap.projections["RingC__RingC__chemical"].kind == "chemical"
    neuromod = read(DATA / "sonata_obi/nd_ringtest/circuit_config_neuromodulation.json", Report()).network
    assert neuromod.projections["virtual_neurons__RingB__neuromodulatory"].kind == "neuromodulatory"
    allen = read(DATA / "sonata_obi/nd_ringtest_allen_v1/circuit_config.json", Report()).network
    assert allen.synapses["RingA__RingA__Exp2Syn_synapse"].model == "nrn:Exp2Syn"


def test_morphologies_are_found_and_not_read() -> None:
    ring = read(DATA / "sonata_obi/nd_ringtest/circuit_config.json", Report()).network
    assert ring.morphologies.path("cell_small") == DATA / "sonata_obi/nd_ringtest/morphologies/asc/cell_small.asc"
    cells = read(DATA / "sonata/5_cells_iclamp/circuit_config.json", Report()).network
    assert ring.morphologies.missing() == () == cells.morphologies.missing()
    path = DATA / "sonata/shared_components/morphologies/Scnn1a_473845048_m.swc"
    points = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    assert cells.morphologies.path("Scnn1a_473845048_m") == path
    assert cells.morphologies["Scnn1a_473845048_m"].id.max() == len(points)


def test_legacy_names() -> None:
    document = read(DATA / "sonata/sim_tests/intfire/ten_cells_spikes_nest/input/circuit_config.json", Report())
    assert document.provenance["dialect"] == "aibs-legacy"
    assert document.provenance["format"] == "sonata"
