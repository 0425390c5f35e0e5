"""Real models in, out, and in again: the same document, valid everywhere, and the same numbers in jNeuroML."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from pynn_io.exporters.neuroml import write
from pynn_io.formats.neuroml_check import check
from pynn_io.graph.compare import diff
from pynn_io.importers.neuroml import read
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan.compare import diff as plan_diff
from tests.neuroml_out.nml_tools import DATA, jnml, jnml_validates, xsd

ROOT = DATA / "neuroml"
#: Two that are broken as they are: a path to a wrong component, a file that is not there.
BROKEN = {"LEMS_m_in_b_out", "LEMS_NML2_Ex5_DetCell_unformatted"}
#: What the schema demands and the source does not do, so that the report says how the written model differs.
CHANGED = {
    "LEMS_472450023": {"default-membrane", "schema-order"},
    "LEMS_singleCompAllChans": {"default-membrane"},
    "LEMS_NML2_Ex18_GHK": {"schema-order"},
    "LEMS_NML2_Ex24_FractionalConductance": {"schema-order", "gate-spelling"},
    "LEMS_NML2_Ex27_MultiSynapses": {"projection-split"},
    "LEMS_LTS": {"schema-order"},
}
MODELS = (
    sorted(
        path
        for path in (*ROOT.rglob("LEMS_*.xml"), *(ROOT / "neuroml2_core" / "examples").glob("*.nml"))
        if path.stem not in BROKEN
    )
    if ROOT.exists()
    else []
)


def names(path: Path) -> str:
    return path.stem


def main_file(folder: Path) -> Path:
    """The file that everything else is reached from."""
    others = [path for path in folder.glob("*.nml") if not re.search(r"\.(channel|cell|morphology)\.", path.name)]
    return next(iter([*folder.glob("LEMS_*.xml"), *folder.glob("*.net.nml"), *others]))


def test_the_data_is_there() -> None:
    if not ROOT.exists():
        pytest.skip(f"{ROOT} is not there")
    assert len(MODELS) > 50


@pytest.mark.parametrize("source", MODELS, ids=names)
def test_the_model_stays(source: Path, tmp_path: Path) -> None:
    report = Report()
    there = read(source, Report())
    write(there, tmp_path, report)
    assert report.codes() == CHANGED.get(source.stem, set())
    assert not [issue for issue in report if issue.kind is Kind.LOST]
    again = Report()
    back = read(main_file(tmp_path), again)
    assert not [issue for issue in again if issue.kind in (Kind.NOT_READ, Kind.DEFAULTED)]
    if source.stem not in CHANGED:
        assert diff(there.network, back.network) == []
        assert back.network.channels == there.network.channels
    assert back.network.component_types == there.network.component_types
    assert back.network.cells.keys() == there.network.cells.keys()
    assert back.network.synapses == there.network.synapses
    for name, one in there.network.morphologies.items():
        two = back.network.morphologies[name]
        assert (one.names, one.notes, one.spheres) == (two.names, two.notes, two.spheres)
        assert {key: rows.tolist() for key, rows in one.groups.items()} == {
            key: rows.tolist() for key, rows in two.groups.items()
        }
    assert (there.plan is None) == (back.plan is None)
    if there.plan is not None:
        assert plan_diff(there.plan, back.plan) == []
    for file in tmp_path.glob("*.nml"):
        assert check(file) == []


@pytest.mark.slow
def test_every_file_is_valid_to_jneuroml(tmp_path: Path) -> None:
    """One JVM for all files of all models."""
    if not MODELS:
        pytest.skip(f"{ROOT} is not there")
    for source in MODELS:
        write(read(source, Report()), tmp_path / source.stem, Report())
    files = sorted(tmp_path.glob("*/*.nml"))
    for file in files:
        xsd().assertValid(etree.parse(str(file)))
    assert f"Validated {len(files)} files: All valid and no warnings" in jnml_validates(*files)


# --- the same numbers ---------------------------------------------------------------------------------------------

#: Point cells, own types, HH with gates of all kinds, synapses with plasticity and block, gap junctions, rates by q10.
RUN = ("Ex2_Izh", "Ex3_Net", "Ex7_STP", "Ex10_Q10", "Ex19a_GapJunctionInstances", "Ex24_FractionalConductance")
MS = 60


def with_all_lines(lems: Path) -> Path:
    """A copy of a LEMS file that runs for `MS` and writes all that it displays into ``all.dat``."""
    tree = etree.parse(str(lems), etree.XMLParser(remove_comments=True))
    (simulation,) = tree.getroot().xpath("//*[local-name()='Simulation' or @type='Simulation']")
    simulation.set("length", f"{MS}ms")
    for element in simulation.xpath("*[contains(local-name(), 'OutputFile')]"):
        simulation.remove(element)
    output = etree.SubElement(simulation, "OutputFile", id="all", fileName="all.dat")
    for number, line in enumerate(simulation.xpath(".//*[local-name()='Line']")):
        etree.SubElement(output, "OutputColumn", id=f"c{number}", quantity=line.get("quantity"))
    copy = lems.with_name(f"all_{lems.name}")
    tree.write(str(copy))
    return copy


def run(lems: Path) -> np.ndarray:
    done = subprocess.run(
        [jnml(), lems.name, "-nogui"], cwd=lems.parent, capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return np.loadtxt(lems.with_name("all.dat"), ndmin=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_jneuroml_computes_the_same(name: str, tmp_path: Path) -> None:
    source = ROOT / "neuroml2_core" / "LEMSexamples" / f"LEMS_NML2_{name}.xml"
    if not source.exists():
        pytest.skip(f"{source} is not there")
    shutil.copytree(ROOT / "neuroml2_core", tmp_path / "there")
    write(read(source, Report()), tmp_path / "back", Report())
    original = run(with_all_lines(tmp_path / "there" / "LEMSexamples" / source.name))
    ours = run(with_all_lines(main_file(tmp_path / "back")))
    assert original.shape == ours.shape and original.shape[0] > 100
    assert np.ptp(original[:, 1:], axis=0).max() > 0  # something happens
    scale = np.abs(original).max(axis=0)
    assert (np.abs(original - ours) <= 1e-9 * scale).all()
