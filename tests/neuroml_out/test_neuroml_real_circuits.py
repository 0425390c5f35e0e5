"""Real circuits as NeuroML: valid to everyone, and counts and weights equal to the files' own, read with plain h5py."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from lxml import etree

from pynn_io.exporters.neuroml import write
from pynn_io.formats.neuroml_check import check
from pynn_io.importers.sonata import read
from pynn_io.report import Report
from tests.neuroml_out.nml_tools import data, jnml_validates

NS = "{http://www.neuroml.org/schema/neuroml2}"

CIRCUITS = {
    "sonata/300_pointneurons/simulation_config.json": 27588 + 20844,
    "sonata/300_intfire/simulation_config.json": 61560 + 17160 + 9000,
    "sonata/point_120cells/config.simulation_iclamp.json": None,
    "sonata/5_cells_iclamp": 0,
    "sonata/bio_14cells/config.simulation.json": 196 + 660 + 420,
    "sonata/bio_1cell/config.simulation_syns.json": None,
    "sonata_obi/nd_ringtest/simulation_config.json": 0,
    "sonata_obi/nd_ringtest/circuit_config_gj.json": 0,
}


def convert(source: str, folder: Path) -> Report:
    report = Report()
    write(read(data(source), Report()), folder, report)
    return report


@pytest.mark.slow
@pytest.mark.parametrize("source", CIRCUITS)
def test_valid_to_everyone(source: str, tmp_path: Path) -> None:
    report = convert(source, tmp_path)
    files = sorted(tmp_path.glob("*.nml"))
    for file in files:
        assert check(file) == []
    assert "All valid and no warnings" in jnml_validates(*files)
    assert len(list(tmp_path.glob("LEMS_*.xml"))) == (0 if "circuit_config" in source else 1)
    wanted = CIRCUITS[source]
    if wanted is not None:
        root = etree.parse(str(next(tmp_path.glob("*.net.nml")))).getroot()
        assert sum(1 for _ in root.iter(f"{NS}connectionWD")) == wanted
    for issue in report:
        assert issue.message.endswith((".", ". ")) or issue.code == "renamed", issue


@pytest.mark.slow
def test_300_pointneurons_has_the_weights_of_the_file(tmp_path: Path) -> None:
    """Every (presynaptic id, postsynaptic id, weight) of the HDF5 file is in the NeuroML file, in nA instead of pA."""
    convert("sonata/300_pointneurons/simulation_config.json", tmp_path)
    with h5py.File(data("sonata/300_pointneurons/network/internal_internal_edges.h5")) as file:
        edges = file["edges/internal_to_internal"]
        source, target = edges["source_node_id"][:], edges["target_node_id"][:]
        weight = edges["0/syn_weight"][:]
    root = etree.parse(str(next(tmp_path.glob("*.net.nml")))).getroot()
    ids = {}
    for population in root.iter(f"{NS}population"):
        text = population.find(f".//{NS}property[@tag='pynn_io_ids']")
        size = int(population.get("size"))
        ranges = [r.split("-") for r in text.get("value").split()] if text is not None else [["0", str(size - 1)]]
        ids[population.get("id")] = [n for r in ranges for n in range(int(r[0]), int(r[-1]) + 1)]
    found: Counter = Counter()
    for projection in root.iter(f"{NS}projection"):
        pre, post = projection.get("presynapticPopulation"), projection.get("postsynapticPopulation")
        if not pre.startswith("internal"):
            continue
        for c in projection:
            a, b = (int(c.get(w).split("/")[2]) for w in ("preCellId", "postCellId"))
            found[ids[pre][a], ids[post][b], float(c.get("weight"))] += 1
    expected = Counter(zip(source.tolist(), target.tolist(), (weight.astype(np.float64) / 1000).tolist(), strict=True))
    assert found == expected


def test_channels_of_five_cells_are_lost_by_name(tmp_path: Path) -> None:
    report = convert("sonata/5_cells_iclamp", tmp_path)
    lost = {issue.message.split()[0]: issue.count for issue in report if issue.code == "channel"}
    # Perisomatic sets of sonata.md: three excitatory cells, two inhibitory ones.
    both = {"Ca_HVA", "Ca_LVA", "Ih", "K_T", "Kv3_1", "SK"}
    assert set(lost) == both | {"Im", "K_P", "NaTs", "Nap"} | {"Im_v2", "Kd", "Kv2like", "NaV"}
    assert {lost[name] for name in both} == {5} and lost["NaTs"] == 3 and lost["NaV"] == 2
    assert [i.message.split()[0] for i in report if i.code == "concentration"] == ["CaDynamics"]
