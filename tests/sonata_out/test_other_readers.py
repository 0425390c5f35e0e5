"""Written folders through the readers of both worlds, libsonata, bluepysnap and BMTK, compared with the graph."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import Report, read
from pynn_io.document import Document
from pynn_io.exporters.sonata import write
from tests.models import MODELS

REAL = {
    "300_intfire": "sonata/300_intfire",
    "300_pointneurons": "sonata/300_pointneurons",
    "bio_14cells": "sonata/bio_14cells/config.simulation.json",
    "5_cells_iclamp": "sonata/5_cells_iclamp",
    "point_stdp": "sonata/point_stdp/config.simulation_virtual.json",
    "nd_ringtest": "sonata_obi/nd_ringtest/circuit_config.json",
    "nd_usecase3": "sonata_obi/nd_usecase3/simulation_sonata.json",
    "snap_data": "sonata_obi/snap_data/circuit_config.json",
}
CASES = [*MODELS, *REAL]


def document(name: str, request: pytest.FixtureRequest) -> Document:
    if name in MODELS:
        return MODELS[name]()
    return read(request.getfixturevalue("data") / REAL[name])


def folder_of(source: Document, tmp_path: Path, dialect: str) -> Path:
    dest = tmp_path / "out"
    dest.mkdir()
    write(source, dest, Report(), dialect=dialect)
    return dest


def edges_as_seen(source: Document, name: str) -> dict[str, np.ndarray]:
    """Rows of sources and targets and the weights of a projection, from the graph."""
    projection = source.network.projections[name]
    blocks = [rows for _, _, rows in projection.blocks(["weight"])]
    keys = blocks[0] if blocks else ()
    return {key: np.concatenate([np.asarray(rows[key]) for rows in blocks]) for key in keys}


@pytest.mark.parametrize("dialect", ["", "obi"])
@pytest.mark.parametrize("case", CASES)
def test_libsonata(case: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    libsonata = pytest.importorskip("libsonata")
    source = document(case, request)
    config = libsonata.CircuitConfig.from_file(str(folder_of(source, tmp_path, dialect) / "circuit_config.json"))
    assert config.node_populations == set(source.network.populations)
    assert config.edge_populations == set(source.network.projections)
    for name, population in source.network.populations.items():
        nodes = config.node_population(name)
        assert nodes.size == population.size
        for axis in "xyz":
            column = population.column(axis)
            if column is not None:
                found = nodes.get_attribute(axis, nodes.select_all())
                np.testing.assert_array_equal(found, np.ma.filled(column.read(population.size), np.nan))
        text = {name: column for name, column in population.types.items() if column.is_text and name != "cell"}
        for key in text:
            wanted = population.column(key).values(population.size)
            assert nodes.get_attribute(key, nodes.select_all()).tolist() == np.ma.filled(wanted, "").tolist()
    for name, projection in source.network.projections.items():
        edges = config.edge_population(name)
        rows = edges_as_seen(source, name)
        assert (edges.source, edges.target, edges.size) == (projection.pre, projection.post, projection.size)
        if not projection.size:
            continue
        np.testing.assert_array_equal(edges.source_nodes(edges.select_all()), rows["source"])
        np.testing.assert_array_equal(edges.target_nodes(edges.select_all()), rows["target"])
        for node in {0, source.network.populations[projection.post].size - 1}:
            expected = np.flatnonzero(rows["target"] == node)
            np.testing.assert_array_equal(edges.afferent_edges([node]).flatten(), expected)
        for node in {0, source.network.populations[projection.pre].size - 1}:
            expected = np.flatnonzero(rows["source"] == node)
            np.testing.assert_array_equal(edges.efferent_edges([node]).flatten(), expected)
        if dialect == "" and "weight" in rows:
            key = "conductance" if "conductance" in edges.attribute_names else "syn_weight"
            found = edges.get_attribute(key, edges.select_all())
            np.testing.assert_allclose(found, rows["weight"] * _conductances(source, name), rtol=1e-12)


#: Synapses that NEURON has: what their weights are multiples of.
_BASES = {
    "neuroml:expOneSynapse": "gbase",
    "neuroml:expTwoSynapse": "gbase",
    "neuroml:gapJunction": "conductance",
}


def _conductances(source: Document, name: str) -> np.ndarray:
    """What the weight of each edge is a multiple of, uS: the conductance of a synapse of NeuroML, else 1."""
    projection = source.network.projections[name]
    models = [source.network.synapses[each] for each in projection.synapses]
    bases = [float(each.parameters.get(_BASES.get(each.model, ""), 1.0)) for each in models]
    return np.array(bases)[np.asarray(projection.type_index.read(projection.size))]


@pytest.mark.parametrize("dialect", ["", "obi"])
@pytest.mark.parametrize("case", CASES)
def test_bluepysnap(case: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    bluepysnap = pytest.importorskip("bluepysnap")
    source = document(case, request)
    circuit = bluepysnap.Circuit(str(folder_of(source, tmp_path, dialect) / "circuit_config.json"))
    assert set(circuit.nodes.population_names) == set(source.network.populations)
    for name, population in source.network.populations.items():
        frame = circuit.nodes[name].get()
        assert len(frame) == population.size
        if "model_name" in population.types:
            assert frame["model_name"].tolist() == population.column("model_name").values(population.size).tolist()
    for name, projection in source.network.projections.items():
        edges = circuit.edges[name]
        assert edges.size == projection.size
        if projection.size:
            frame = edges.get([0], properties=["@source_node", "@target_node"])
            rows = edges_as_seen(source, name)
            assert frame.iloc[0].tolist() == [rows["source"][0], rows["target"][0]]


@pytest.mark.parametrize("dialect", ["", "allen"])
@pytest.mark.parametrize("case", CASES)
def test_bmtk_files(
    case: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BMTK's own file objects: attributes of nodes as the graph has them, text as text, and the edges of a target."""
    sonata = pytest.importorskip("bmtk.utils.sonata")
    source = document(case, request)
    dest = folder_of(source, tmp_path, dialect)
    monkeypatch.chdir(dest)  # BMTK takes relative paths from the working folder
    config = pytest.importorskip("bmtk.simulator.core.simulation_config").SimulationConfig.from_json(
        str(dest / "circuit_config.json")
    )
    assert set(config.components) >= {"morphologies_dir", "point_neuron_models_dir", "synaptic_models_dir"}
    seen = set()
    for entry in config.nodes:
        file = sonata.File(data_files=entry["nodes_file"], data_type_files=entry["node_types_file"])
        for nodes in file.nodes.populations:
            seen.add(nodes.name)
            population = source.network.populations[nodes.name]
            frame = nodes.to_dataframe()
            assert len(frame) == population.size
            ids = population.ids() if dialect == "allen" else np.arange(population.size)
            assert sorted(frame.index.tolist()) == sorted(ids.tolist())
            for key, column in population.types.items():
                if column.is_text and key != "cell":
                    found = frame.loc[ids, key].where(frame.loc[ids, key].notna(), "").tolist()
                    assert found == np.ma.filled(population.column(key).values(population.size), "").tolist()
            assert all(isinstance(kind, str) for kind in frame["model_type"])
    assert seen == set(source.network.populations)
    for entry in config.edges:
        file = sonata.File(data_files=entry["edges_file"], data_type_files=entry["edge_types_file"])
        for edges in file.edges.populations:
            projection = source.network.projections[edges.name]
            rows = edges_as_seen(source, edges.name)
            assert (edges.source_population, edges.target_population) == (projection.pre, projection.post)
            if projection.size:
                post = source.network.populations[projection.post]
                ids = post.ids() if dialect == "allen" else np.arange(post.size)
                target = rows["target"][0]
                found = sorted(int(edge.source_node_id) for edge in edges.get_target(int(ids[target])))
                pre = source.network.populations[projection.pre]
                pre_ids = pre.ids() if dialect == "allen" else np.arange(pre.size)
                assert found == sorted(pre_ids[rows["source"][rows["target"] == target]].tolist())


BUILD = """
import json
from bmtk.simulator import bionet

network = bionet.BioNetwork.from_config(bionet.Config.from_json("circuit_config.json"))
network.io.setup_output_dir("output", None, True)
network.build_nodes()
cell = next(iter(network.get_local_cells().values()))
print(json.dumps({
    "cells": len(network.get_local_cells()),
    "inhibitory": len(list(network.get_node_set({"population": "v1", "ei": "i"}).gids())),
    "model_template": cell["model_template"],
    "tau": cell["dynamics_params"]["tau"],
}))
"""


@pytest.mark.parametrize("dialect", ["", "allen"])
def test_bmtk_builds_the_cells(data: Path, tmp_path: Path, dialect: str) -> None:
    """BioNet makes the cells of 300_intfire, and its node sets on text select what they select in the original."""
    pytest.importorskip("bmtk.simulator.bionet")
    dest = folder_of(read(data / "sonata/300_intfire/circuit_config.json"), tmp_path, dialect)
    done = subprocess.run(  # NEURON keeps its cells for as long as a process lives
        [sys.executable, "-c", BUILD], cwd=dest, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "cells": 300,
        "inhibitory": 60,
        "model_template": "nrn:IntFire1",
        "tau": 0.024,
    }


@pytest.mark.parametrize("case", ["300_intfire", "bio_14cells", "nd_usecase3", "5_cells_iclamp"])
def test_libsonata_simulation(case: str, data: Path, tmp_path: Path) -> None:
    libsonata = pytest.importorskip("libsonata")
    source = read(data / REAL[case])
    dest = folder_of(source, tmp_path, "obi")
    simulation = libsonata.SimulationConfig.from_file(str(dest / "simulation_config.json"))
    assert source.plan is not None
    assert simulation.run.tstop == source.plan.duration
    assert simulation.run.dt == source.plan.timestep
    for name in simulation.list_input_names:
        simulation.input(name)
    # BMTK's modules of other kinds (extracellular, netcon_report) are no reports of this dialect.
    kept = {recording.name for recording in source.plan.recordings if recording.kind == "compartment"}
    assert set(simulation.list_report_names) == kept


def test_spikes_in_both_worlds(data: Path, tmp_path: Path) -> None:
    """The spikes of 300_intfire: libsonata and BMTK read from the written file what h5py reads in the original."""
    libsonata = pytest.importorskip("libsonata")
    spike_trains = pytest.importorskip("bmtk.utils.reports.spike_trains")
    dest = folder_of(read(data / "sonata/300_intfire"), tmp_path, "")
    with h5py.File(data / "sonata/300_intfire/inputs/lgn_spikes.h5") as file:
        group = file["spikes"]
        group = group.get("lgn", group)
        ids = group["node_ids" if "node_ids" in group else "gids"][:]
        times = group["timestamps"][:]
    expected = sorted(zip(ids.tolist(), times.tolist(), strict=True))
    path = dest / "inputs/LGN_spikes.h5"
    found = libsonata.SpikeReader(str(path))["lgn"].get()
    assert sorted((int(node), time) for node, time in found) == expected
    theirs = spike_trains.SpikeTrains.load(str(path)).to_dataframe()
    assert sorted(zip(theirs["node_ids"].tolist(), theirs["timestamps"].tolist(), strict=True)) == expected
