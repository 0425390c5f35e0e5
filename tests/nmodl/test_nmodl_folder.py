"""The folder for plain NEURON: what stands in it, and that it compiles, builds the cells and computes what they do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, WriteError
from pynn_io.document import Document
from pynn_io.exporters import nmodl_scripts
from pynn_io.graph import Network
from pynn_io.pipeline import convert, write
from tests.nmodl.folder import DOCUMENT


def _converted(folder: Path, text: str = DOCUMENT) -> tuple[Path, Report]:
    source, dest = folder / "doc.nml", folder / "out"
    source.write_text(text)
    return dest, convert(source, dest, to="nmodl").report


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    return _converted(tmp_path_factory.mktemp("nmodl"))


def test_a_mechanism_is_called_after_what_it_is_for(made: tuple[Path, Report]) -> None:
    """Two channels of one structure share a mechanism, which is called after that; a copy of it serves one of them."""
    names = {path.stem for path in made[0].glob("*.mod")}
    shared = {name for name in names if name.startswith("channelDensity_")}
    assert len(shared) == 1
    own = {"na_density", "pas_density", "patch_density", "k_slow_density", "iaf_cell", "lambda__synapse"}
    assert names == shared | own | {"noise_input", "clock_source", "pas_population"}
    second = (made[0] / f"{shared.pop()}.mod").read_text().splitlines()[1]
    assert second == ": For k, unused."


def test_numbers_of_one_definition_stand_in_its_file(made: tuple[Path, Report]) -> None:
    text = (made[0] / "na_density.mod").read_text()
    assert "    m_forwardRate_midpoint = -40.0 (mV)\n" in text
    assert "    gmax = 0.0 (S/cm2)\n" in text
    assert "SUFFIX na_density" in text
    script = (made[0] / "cell_hh.py").read_text()
    assert "('all', 'na_density', {'erev': 50.0, 'gmax': 0.12})," in script
    assert "        'n_forwardRate_midpoint': -55.0," in script  # of the mechanism that others have too


def test_scripts_are_python_whatever_names_are(made: tuple[Path, Report]) -> None:
    for path in made[0].glob("*.py"):
        compile(path.read_text(), path, "exec")
    assert "def lambda_(segment):" in (made[0] / "point_processes.py").read_text()


def test_what_belongs_to_a_network_is_reported(made: tuple[Path, Report]) -> None:
    issues = {issue.code: issue for issue in made[1]}
    assert issues["current-pulses"].kind == "LOST"
    assert issues["component-input"].kind == "APPROXIMATED"
    assert "default-setting" not in issues


def test_a_temperature_that_nobody_states_is_reported(tmp_path: Path) -> None:
    """Only where a mechanism depends on it."""
    text = DOCUMENT.replace(' type="networkWithTemperature" temperature="6.3degC"', "")
    _, report = _converted(tmp_path, text)
    assert "default-setting" not in report.codes()
    warm = text.replace(
        '<ionChannelPassive id="pas" conductance="10pS"/>',
        '<ionChannelHH id="pas" conductance="10pS"><gateHHrates id="m" instances="1">'
        '<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="20degC"/>'
        '<forwardRate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="9mV"/>'
        '<reverseRate type="HHExpRate" rate="1per_ms" midpoint="0mV" scale="-9mV"/></gateHHrates></ionChannelHH>',
    )
    (tmp_path / "warm").mkdir()
    _, report = _converted(tmp_path / "warm", warm)
    assert "default-setting" in report.codes()


def test_a_network_without_equations_has_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="nothing to write as NMODL"):
        write(Document(Network()), tmp_path / "out", "nmodl")
    assert list(tmp_path.iterdir()) == []


def test_a_quote_in_a_name_stays_inside_its_text() -> None:
    assert nmodl_scripts._plain('a"b\\c\n') == "a_b_c_"


# --- in NEURON ----------------------------------------------------------------------------------------------------

_LOOK = """
import json
import cell_hh, cell_iaf, cell_tree, point_processes
from neuron import h

def values(section, name):
    return [getattr(segment, name) for segment in section]

tree = cell_tree.Cell()
apical = tree.sections["apical"]
found = {
    "connected": [apical.parentseg().x, tree.sections["side"].parentseg().x, apical.nseg],
    "cm": values(apical, "cm"),
    "Ra": apical.Ra,
    "varying": values(apical, "gmax_patch_density") + values(tree.sections["side"], "gmax_patch_density"),
    "slow": values(apical, "gmax_k_slow_density"),
}
h.celsius = 6.3
h.finitialize(-65)
found["counted"] = values(apical, "number_pas_population")
found["start"] = [segment.v for segment in apical]
h.continuerun(50)
found["end"] = [segment.v for segment in apical]
synapse = point_processes.lambda_(tree.root)
found["synapse"] = [synapse.tauDecay, synapse.gbase]
noise, clock = point_processes.noise(tree.root), point_processes.clock()
ticks, counter = h.Vector(), h.NetCon(clock, None)
counter.record(ticks)
h.finitialize(-65)
h.continuerun(45)
found["ticks"] = list(ticks)
del noise, clock, synapse, tree, apical
found["hh"], found["iaf"] = cell_hh.demo(), cell_iaf.demo()

section = h.Section(name="own")
section.L = section.diam = 20
section.cm, section.nseg = 1, 1
section.insert("hh")
section.ena, section.ek = 50, -77
h.usetable_hh = 0
clamp = h.IClamp(section(0.5))
clamp.delay, clamp.dur, clamp.amp = 5, 40, 0.2
spikes, detector = h.Vector(), h.NetCon(section(0.5)._ref_v, None, sec=section)
detector.threshold = -20
detector.record(spikes)
h.finitialize(-65)
h.continuerun(cell_hh.STOP)
found["own"] = list(spikes)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def built(made: tuple[Path, Report]) -> dict:
    pytest.importorskip("neuron")
    beside = Path(sys.executable).with_name("nrnivmodl")
    done = subprocess.run([beside], cwd=made[0], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([sys.executable, "-c", _LOOK], cwd=made[0], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_demo_fires_as_neurons_own_hh(built: dict) -> None:
    assert len(built["own"]) > 2
    np.testing.assert_allclose(built["hh"], built["own"], atol=1e-9)


@pytest.mark.slow
def test_a_point_cell_fires_at_its_period(built: dict) -> None:
    """From -70 towards -50 + 0.1 / 0.01 = -40 mV, threshold at -55: 20 ms ln 2, with a step of 0.1 nA from 50 ms on.

    Before that it rests at -50, above its threshold: it fires at once, and again every 20 ms ln 4.
    """
    times = np.array(built["iaf"])
    inside = times[(times > 90) & (times < 250)]
    np.testing.assert_allclose(np.diff(inside), 20 * np.log(2), atol=0.1)


@pytest.mark.slow
def test_sections_and_what_is_on_them(built: dict) -> None:
    assert built["connected"] == [1.0, 0.5, 4]
    assert built["cm"] == [1, 1, 2, 2]
    assert built["Ra"] == 150
    assert built["slow"] == pytest.approx([0, 0, 0.002, 0.002])


@pytest.mark.slow
def test_a_density_that_varies_along_the_path(built: dict) -> None:
    """2 exp(p / 100) S/m2, p from where the nearest dendrite begins (5 um from the root) to a compartment's middle."""
    path = np.array([35, 85, 135, 185, 5 + 25]) - 5
    np.testing.assert_allclose(built["varying"], 2e-4 * np.exp(path / 100), rtol=1e-6)


@pytest.mark.slow
def test_counted_channels_are_as_many_as_stated(built: dict) -> None:
    """300 on the far half, whose two compartments of 50 um narrow from 2 to 1.5 and to 1 um."""
    np.testing.assert_allclose(built["counted"], [0, 0, 300 * 1.75 / 3, 300 * 1.25 / 3], rtol=1e-6)


@pytest.mark.slow
def test_a_mechanism_in_a_part_of_a_section_leaves_numbers_in_the_rest(built: dict) -> None:
    assert built["start"] == [-70.0] * 4
    assert np.isfinite(built["end"]).all()
    assert built["end"] != built["start"]


@pytest.mark.slow
def test_synapses_and_sources_from_their_functions(built: dict) -> None:
    assert built["synapse"] == [5.0, 0.001]
    np.testing.assert_allclose(built["ticks"], [10, 20, 30, 40], atol=0.05)
