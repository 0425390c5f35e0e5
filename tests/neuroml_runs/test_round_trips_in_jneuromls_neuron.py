"""Cells of many compartments in jNeuroML's NEURON export: the original and what we wrote of it give the same traces."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pynn_io.exporters.neuroml import write
from pynn_io.pipeline import read
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.neuron.compiler import compiled
from tests.dynamics import official
from tests.sonata_out.test_neuroml_as_sonata import NET

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
pytestmark = [
    pytest.mark.skipif(
        shutil.which("java") is None or find_spec("pyneuroml") is None or find_spec("neuron") is None,
        reason="needs Java, pyNeuroML and NEURON",
    ),
    pytest.mark.slow,
]
_OUTPUTS = re.compile(r"<(Display|OutputFile|EventOutputFile)\b.*</\1>", re.DOTALL)


def _recorded(*paths: str) -> str:
    columns = "".join(f'<OutputColumn id="c{number}" quantity="{path}"/>' for number, path in enumerate(paths))
    return f'<OutputFile id="traces" fileName="traces.dat">{columns}</OutputFile>'


def _traces(lems: Path) -> np.ndarray:
    """What NEURON computes of a LEMS file by jNeuroML's code: time (s) and the recorded columns, in SI units."""
    java = ("java", "-Xmx1G", "-Djava.awt.headless=true", "-jar", str(official.jar()))
    _call(lems.parent, *java, lems.name, "-neuron", "-nogui")
    built = compiled(sorted(lems.parent.glob("*.mod")), quiet).parent
    (lems.parent / built.name).symlink_to(built, target_is_directory=True)  # where NEURON loads it from by itself
    _call(lems.parent, sys.executable, "-P", f"{lems.stem}_nrn.py", "-nogui")
    return np.loadtxt(lems.parent / "traces.dat")


def _call(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


def _compare(lems: Path, again: Path, moves: float) -> None:
    """Both give the same to 1e-9 V (or S); every column moves by ``moves`` at least."""
    report = Report()
    write(read(lems), again, report)
    assert list(report) == []
    expected, found = _traces(lems), _traces(next(again.glob("LEMS_*.xml")))
    assert np.ptp(expected[:, 1:], axis=0).min() > moves
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_branching_cell_with_sites_along_its_sections(tmp_path: Path) -> None:
    """Sections of several segments that begin where others end or half-way, inputs and synapses on them."""
    folder = tmp_path / "there"
    folder.mkdir()
    places = "".join(f'<instance id="{number}"><location x="0" y="0" z="{number}"/></instance>' for number in (0, 1))
    text = re.sub(r"<channelPopulation [^>]*/>", "", NET)  # of which jNeuroML writes none
    listed = r'<population id="\1" component="pyr" type="populationList" size="2">' + places + "</population>"
    text = re.sub(r'<population id="(\w+)" component="pyr" size="2"/>', listed, text)
    (folder / "net.nml").write_text(re.sub(r"\.\./(pre|post)\[(\d)\]", r"../\1/\2/pyr", text))
    paths = [f"{cell}/v" for cell in ("pre/0/pyr", "post/0/pyr", "post/0/pyr/2", "post/1/pyr/7", "post/1/pyr/11")]
    (folder / "LEMS_net.xml").write_text(f"""<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/><Include file="net.nml"/>
<Simulation id="sim" length="40ms" step="0.02ms" target="net">{_recorded(*paths)}</Simulation></Lems>""")
    _compare(folder / "LEMS_net.xml", tmp_path / "again", 0.005)


@pytest.mark.skipif(not DATA.is_dir(), reason="no models in ../shared/data/neuroml")
def test_neuromls_example_of_cells_with_dendrites(tmp_path: Path) -> None:
    """Example 25: three cells of four segments, AMPA and NMDA synapses."""
    shutil.copytree(DATA / "neuroml2_core", tmp_path / "there")
    lems = tmp_path / "there" / "LEMSexamples" / "LEMS_NML2_Ex25_MultiComp.xml"
    cell = "pop0/1/MultiCompCell"
    recorded = _recorded("pop0/0/MultiCompCell/v", f"{cell}/0/v", f"{cell}/1/v", f"{cell}/3/v")
    text = _OUTPUTS.sub("", lems.read_text()).replace('length="140ms" step="0.005ms"', 'length="60ms" step="0.02ms"')
    lems.write_text(text.replace("</Simulation>", f"{recorded}</Simulation>"))
    _compare(lems, tmp_path / "again", 0.005)
