"""NeuroML networks of cable cells as SONATA circuits: what the files hold, where places go, what NEURON computes."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import Report
from pynn_io.exporters.sonata import write
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.section_form import on_sections, on_segments, standing
from pynn_io.graph.sections import locate
from pynn_io.importers.neuroml import read as read_neuroml
from pynn_io.importers.sonata import read as read_sonata
from pynn_io.report import Kind

#: Soma of 20 um, an axon at its start, and a dendrite of 70 and 30 um that branches (80 and 60 um).
NET = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
<ionChannelPassive id="pas" conductance="10pS"/>
<ionChannelHH id="na" conductance="10pS" species="na">
<gateHHrates id="m" instances="3"><forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
<reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates>
<gateHHrates id="h" instances="1"><forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
<reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/></gateHHrates></ionChannelHH>
<ionChannelHH id="k" conductance="10pS" species="k">
<gateHHrates id="n" instances="4"><forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
<reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/></gateHHrates></ionChannelHH>
<expTwoSynapse id="ampa" gbase="4nS" erev="0mV" tauRise="0.5ms" tauDecay="3ms"/>
<pulseGenerator id="pulse" delay="5ms" duration="60ms" amplitude="0.25nA"/>
<cell id="pyr"><morphology id="m">
<segment id="0"><proximal x="0" y="0" z="0" diameter="20"/><distal x="20" y="0" z="0" diameter="20"/></segment>
<segment id="4"><parent segment="0"/><proximal x="20" y="0" z="0" diameter="3"/>
<distal x="90" y="0" z="0" diameter="2"/></segment>
<segment id="7"><parent segment="4"/><distal x="120" y="0" z="0" diameter="1.5"/></segment>
<segment id="2"><parent segment="7"/><distal x="120" y="80" z="0" diameter="1"/></segment>
<segment id="9"><parent segment="7"/><distal x="120" y="-60" z="0" diameter="1"/></segment>
<segment id="11"><parent segment="0" fractionAlong="0"/><proximal x="0" y="0" z="0" diameter="1"/>
<distal x="-50" y="0" z="0" diameter="1"/></segment>
<segmentGroup id="soma_s" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
<segmentGroup id="dend_a" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="5"/>
<member segment="4"/><member segment="7"/></segmentGroup>
<segmentGroup id="dend_b" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="3"/>
<member segment="2"/></segmentGroup>
<segmentGroup id="dend_c" neuroLexId="sao864921383"><member segment="9"/></segmentGroup>
<segmentGroup id="axon_s" neuroLexId="sao864921383"><member segment="11"/></segmentGroup>
<segmentGroup id="soma_group"><include segmentGroup="soma_s"/></segmentGroup>
<segmentGroup id="axon_group"><include segmentGroup="axon_s"/></segmentGroup>
<segmentGroup id="dendrite_group"><include segmentGroup="dend_a"/><include segmentGroup="dend_b"/>
<include segmentGroup="dend_c"/></segmentGroup>
<segmentGroup id="hot"><member segment="0"/><member segment="11"/></segmentGroup>
</morphology><biophysicalProperties id="b"><membraneProperties>
<channelPopulation id="few" ionChannel="pas" segmentGroup="dend_a" number="300" erev="-60mV" ion="non_specific"/>
<channelDensity id="leak" ionChannel="pas" condDensity="0.3 mS_per_cm2" erev="-54.3mV" ion="non_specific"/>
<channelDensity id="nas" ionChannel="na" segmentGroup="hot" condDensity="120 mS_per_cm2" erev="50mV" ion="na"/>
<channelDensity id="ks" ionChannel="k" segmentGroup="hot" condDensity="36 mS_per_cm2" erev="-77mV" ion="k"/>
<spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65mV"/>
</membraneProperties>
<intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties></biophysicalProperties></cell>
<network id="net"><population id="pre" component="pyr" size="2"/><population id="post" component="pyr" size="2"/>
<projection id="p" presynapticPopulation="pre" postsynapticPopulation="post" synapse="ampa">
<connectionWD id="0" preCellId="../pre[0]" postCellId="../post[0]" postSegmentId="2" postFractionAlong="0.25"
 weight="6" delay="1.5ms"/>
<connectionWD id="1" preCellId="../pre[1]" postCellId="../post[1]" postSegmentId="7" postFractionAlong="0.5"
 weight="4" delay="3ms"/>
<connectionWD id="2" preCellId="../pre[0]" postCellId="../post[1]" weight="2" delay="0.5ms"/>
</projection>
<inputList id="stim" component="pulse" population="pre">
<inputW id="0" target="../pre[0]" destination="synapses" weight="1"/>
<inputW id="1" target="../pre[1]" segmentId="7" fractionAlong="0.3" destination="synapses" weight="1.5"/>
<inputW id="2" target="../pre[0]" destination="synapses" weight="1"/>
</inputList></network></neuroml>
"""
LEMS = """<Lems><Target component="sim"/><Include file="net.nml"/>
<Simulation id="sim" length="60ms" step="0.01ms" target="net"><OutputFile id="of" fileName="v.dat">
<OutputColumn id="a" quantity="post[0]/v"/><OutputColumn id="b" quantity="post[1]/pyr/m/q"/></OutputFile>
</Simulation></Lems>
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "net.nml").write_text(NET)
    path = tmp_path / "LEMS_sim.xml"
    path.write_text(LEMS)
    return path


def exported(source: Path, dialect: str = "") -> tuple[Path, Report]:
    report, folder = Report(), source.parent / f"circuit{dialect}"
    folder.mkdir()
    write(read_neuroml(source, Report()), folder, report, dialect=dialect)
    return folder, report


def without_neuroml(folder: Path) -> Path:
    """The circuit as other tools see it: nothing says what it was."""
    path = folder / "circuit_config.json"
    config = json.loads(path.read_text())
    del config["components"]["neuroml"]
    path.write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("dialect", ["", "allen"])
def test_sites_are_sections_of_the_whole_cell(source: Path, dialect: str) -> None:
    """Sections: soma, axon, the dendrite of 100 um, its branches in the order of the file."""
    folder, _ = exported(source, dialect)
    with h5py.File(folder / "network" / "p_edges.h5") as file:
        edges = file["edges/p/0"]
        assert edges["afferent_section_id"][()].tolist() == [3, 2, 0]
        assert edges["afferent_section_pos"][()] == pytest.approx([0.25, 0.85, 0.5], abs=1e-12)
        assert edges["syn_weight"][()] == pytest.approx([6 * 0.004, 4 * 0.004, 2 * 0.004], rel=1e-12)  # Exp2Syn's uS
        assert edges["delay"][()].tolist() == [1.5, 3, 0.5]


def test_membrane_stands_by_section(source: Path) -> None:
    folder, report = exported(source)
    (path,) = (folder / "components" / "templates").glob("*.hoc")
    text = path.read_text()
    assert (folder / "components" / "biophysical_neuron_models" / path.name).read_text() == text
    assert "create soma[1], axon[1], dend[3]" in text
    assert "connect axon[0](0), soma[0](0.0)" in text and "connect dend[1](0), dend[0](1.0)" in text
    assert [int(line.split()[2]) for line in text.splitlines() if "nseg" in line] == [1, 1, 5, 3, 1]
    config = json.loads((folder / "circuit_config.json").read_text())
    assert config["components"]["mechanisms_dir"] == "$COMPONENT_DIR/mechanisms"
    names = {file.stem for file in (folder / "components" / "mechanisms").iterdir()}
    assert len(names) == 4 and all(f"insert {name}" in text for name in names)
    assert {issue.where for issue in report if issue.code == "cell-as-hoc"} == {"cell pyr"}


def test_pulses_go_where_they_went_and_what_is_not_recorded_is_named(source: Path) -> None:
    """Two pulses onto one soma are two inputs; one on segment 7 is 79 um along the dendrite, half as strong again."""
    folder, report = exported(source)
    config = json.loads((folder / "simulation_config.json").read_text())
    found = [
        (i["node_set"]["node_id"], i.get("section_name", "soma"), i.get("section_dist", 0.5), i["amp"])
        for i in config["inputs"].values()
    ]
    assert sorted(found) == [
        ([0], "soma", 0.5, 0.25),
        ([0], "soma", 0.5, 0.25),
        ([1], "dend", pytest.approx(0.79), pytest.approx(0.375)),
    ]
    assert (config["run"]["nsteps_block"], config["run"]["dL"]) == (5000, None)  # or BMTK divides by 0 and cuts anew
    assert config["conditions"] == {"celsius": 6.3, "v_init": -65.0}
    assert config["run"]["spike_threshold"] == -20.0
    (recorded,) = config["reports"].values()
    assert recorded["cells"] == {"population": "post", "node_id": [0]}
    assert config["neuroml"]["recordings"][0]["columns"] == [["b", "post[1]/pyr/m/q"]]
    assert not report.of_kind(Kind.LOST)
    assert any("b (post[1]/pyr/m/q)" in issue.examples for issue in report.of_kind(Kind.APPROXIMATED))


def test_obi_has_its_own_type_for_two_exponentials(source: Path) -> None:
    folder, _ = exported(source, "obi")
    config = json.loads((folder / "circuit_config.json").read_text())
    assert config["networks"]["edges"][0]["populations"]["p"]["type"] == "Exp2Syn_synapse"
    with h5py.File(folder / "network" / "p_edges.h5") as file:
        edges = file["edges/p/0"]
        assert edges["conductance"][()] == pytest.approx([0.024, 0.016, 0.008], rel=1e-12)
        assert [set(edges[name][()].tolist()) for name in ("tau1", "tau2", "erev")] == [{0.5}, {3.0}, {0.0}]


def test_obi_has_no_name_for_another_synapse(source: Path) -> None:
    net = source.parent / "net.nml"
    net.write_text(net.read_text().replace("expTwoSynapse", "alphaSynapse").replace('tauRise="0.5ms" tauDecay', "tau"))
    _, report = exported(source, "obi")
    (named,) = [issue for issue in report.of_kind(Kind.APPROXIMATED) if issue.code == "synapse"]
    assert {"ampa", "neuroml:alphaSynapse"} <= set(named.examples)


def tree(random: np.random.Generator, size: int) -> Morphology:
    """A tree as NeuroML may have it: ids in any order, segments that begin inside others, kinds mixed or missing."""
    parent = np.array([-1, *(random.integers(0, row) for row in range(1, size))])
    along = np.where(random.random(size) < 0.8, 1.0, random.random(size))
    along[0] = 0.0
    proximal, distal = np.zeros((size, 4)), np.zeros((size, 4))
    proximal[:, 3], distal[:, 3] = random.uniform(0.5, 2, size), random.uniform(0.5, 2, size)
    for row in range(size):
        if row:
            on = parent[row]
            proximal[row, :3] = proximal[on, :3] + along[row] * (distal[on, :3] - proximal[on, :3])
        distal[row, :3] = proximal[row, :3] + random.normal(size=3) * 30
    tag = random.choice([0, 2, 3, 4, 7], size)
    return Morphology("m", random.permutation(size * 3)[:size], parent, along, proximal, distal, tag)


@pytest.mark.parametrize("seed", range(20))
def test_segment_to_section_and_back_is_the_identity(seed: int) -> None:
    random = np.random.default_rng(seed)
    morphology = standing(tree(random, int(random.integers(1, 40))), Report())
    rows = random.integers(0, morphology.size, 200)
    fraction = random.uniform(1e-6, 1 - 1e-6, 200)
    section, at = on_sections(morphology, morphology.id[rows], fraction)
    back, along = on_segments(morphology, section, at)
    np.testing.assert_array_equal(back, morphology.id[rows])
    np.testing.assert_allclose(along, fraction, rtol=0, atol=1e-9)


def test_places_survive_the_files(source: Path) -> None:
    """The SWC file, read again, has the sections that the edges number: the same distances from the soma."""
    folder, _ = exported(source)
    network = read_sonata(without_neuroml(folder) / "circuit_config.json", Report()).network
    (morphology,) = network.morphologies.values()
    columns = network.projections["p"].edges.columns
    rows, along = locate(morphology, columns.read("afferent_section_id"), columns.read("afferent_section_pos"))
    near, far = morphology.proximal[rows, :3], morphology.distal[rows, :3]
    places = near + along[:, None] * (far - near)
    np.testing.assert_allclose(places, [[120, 20, 0], [105, 0, 0], [10, 0, 0]], atol=1e-9)


@pytest.mark.slow
def test_neuron_computes_the_same_from_either(source: Path) -> None:
    pytest.importorskip("neuron", reason="NEURON is not installed")
    from pynn_io.simulate import simulate

    folder, _ = exported(source)
    circuit = without_neuroml(folder) / "simulation_config.json"
    one, two = read_neuroml(source, Report()), read_sonata(circuit, Report())
    expected = simulate(one.network, one.plan, "neuron")
    found = simulate(two.network, two.plan, "neuron")
    for name in ("pre", "post"):
        want, got = ({int(i): t for i, t in _trains(each, name)} for each in (expected, found))
        assert {cell: len(times) for cell, times in want.items()} == {cell: len(times) for cell, times in got.items()}
        assert all(len(times) >= 3 for times in want.values()) and len(want) == 2
        for cell, times in want.items():
            np.testing.assert_allclose(got[cell], times, rtol=0, atol=0.05)


def _trains(results, population: str):
    spikes = results.spikes[population]
    for cell in np.unique(spikes.node_ids):
        yield cell, np.sort(spikes.times[spikes.node_ids == cell])
