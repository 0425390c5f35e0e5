"""neurodamus's own test circuit against the reports that neurodamus made (``nd_ringtest/reference``).

Its template and mechanisms are not distributed with the data; what stands here are files of ours with the same channels
and, up to the first release at each synapse, the same equations. After that neurodamus's synapses recover at random.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io.api import read
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.neuron import NeuronRunner
from pynn_io.runners.neuron.obi_synapses import EXCITATORY, INHIBITORY
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan

pytestmark = pytest.mark.slow

TEMPLATE = """\
{load_file("import3d.hoc")}
begintemplate TestCell
  public soma, dend, apic, axon, all, somatic, basal, apical, axonal, gid
  create soma[1], dend[1], apic[1], axon[1]
  objref this, all, somatic, basal, apical, axonal
  strdef path
  proc init() { localobj loader, importer
    gid = $1
    all = new SectionList()
    somatic = new SectionList()
    basal = new SectionList()
    apical = new SectionList()
    axonal = new SectionList()
    forall delete_section()
    sprint(path, "%s/%s", $s2, $s3)
    loader = new Import3d_Neurolucida3()
    loader.quiet = 1
    loader.input(path)
    importer = new Import3d_GUI(loader, 0)
    importer.instantiate(this)
    forsec all { Ra = 100 cm = 1 insert hh }
    forsec somatic { insert pas g_pas = 0 }
    forsec basal { nseg = 2 insert pas g_pas = 0.001 e_pas = -65 }
  }
endtemplate TestCell
"""
MOD = """\
NEURON {
    POINT_PROCESS NAME
    RANGE FAST, Use, Dep, Fac, Nrrp, i, spent
    NONSPECIFIC_CURRENT i
}
PARAMETER {
    FAST = 1
    Use = 1
    Dep = 1
    Fac = 1
    Nrrp = 1
}
ASSIGNED {
    dt
    v
    i
    fast
    slow
    spent
}
STATE {
    a
    b
    c
    d
}
INITIAL {
    a = 0
    b = 0
    c = 0
    d = 0
    spent = 0
    fast = height(0.2, FAST)
    slow = height(RISE, DECAY)
}
BREAKPOINT {
    SOLVE shrink
    i = 0.001*((b - a)*(v - EFAST) + (d - c)*(v - ESLOW)*GATE)
}
PROCEDURE shrink() {
    a = a*exp(-dt/0.2)
    b = b*exp(-dt/FAST)
    c = c*exp(-dt/RISE)
    d = d*exp(-dt/DECAY)
}
FUNCTION height(rise, decay) { LOCAL peak
    peak = rise*decay/(decay - rise)*log(decay/rise)
    height = 1/(exp(-peak/decay) - exp(-peak/rise))
}
NET_RECEIVE (weight) {
    if (!spent) {
        spent = 1
        a = a + weight*fast
        b = b + weight*fast
        c = c + weight*slow*RATIO
        d = d + weight*slow*RATIO
    }
}
"""
#: Kinetics of the two mechanisms (Fuhrmann et al. 2002; Jahr and Stevens 1990 for the magnesium block).
WORDS = {
    EXCITATORY: {"FAST": "tau_d_AMPA", "RISE": "0.29", "DECAY": "43", "EFAST": "0", "ESLOW": "0", "RATIO": "0.71"}
    | {"GATE": "1/(1 + exp(-0.072*v)/2.552)"},
    INHIBITORY: {"FAST": "tau_d_GABAA", "RISE": "3.5", "DECAY": "260.9", "EFAST": "(-80)", "ESLOW": "(-97)"}
    | {"RATIO": "0", "GATE": "1"},
}
#: Until then no synapse has been asked to release a second time (ms).
DETERMINISTIC = 24


@pytest.fixture(scope="module")
def circuit(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, Path]:
    """The circuit with a folder of our template, and a folder of our mechanisms."""
    folder = tmp_path_factory.mktemp("ringtest")
    (folder / "TestCell.hoc").write_text(TEMPLATE)
    for name, words in WORDS.items():
        text = MOD.replace("NAME", name)
        for word, value in sorted(words.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(word, value)
        (folder / f"{name}.mod").write_text(text)
    network = read(data / "sonata_obi" / "nd_ringtest" / "circuit_config.json").network
    sonata = dict(network.extra["sonata"])
    sonata["nodes"] = {
        name: {**node, "properties": {**node["properties"], "biophysical_neuron_models_dir": str(folder)}}
        for name, node in sonata["nodes"].items()
    }
    return replace(network, extra={**network.extra, "sonata": sonata}), folder


@pytest.fixture(scope="module")
def results(circuit: tuple[Network, Path]) -> Results:
    network, folder = circuit
    pulses = CurrentPulses(np.full(3, 3.0), np.array([0.0, 20.0, 40.0]), np.full(3, 10.0))
    whole = {"sections": "all", "compartments": "all", "interval": 1.0, "stop": 40.0}
    once = {"interval": 1.0, "stop": 40.0, "kind": "summation"}
    cells = ["RingA", "RingB"]
    recordings = (
        Recording("compartment_v", "v", cells, **whole),
        Recording("compartment_i_membrane", "i_membrane", cells, **whole),
        Recording("compartment_pas", "pas", cells, **whole),
        Recording("summation_v", "v", cells, scaling="none", **once),
        Recording("summation_v_area_scaling", "v", cells, **once),
        Recording("summation_pas", "pas", cells, scaling="none", **once),
        Recording("summation_i_membrane", "i_membrane", cells, scaling="none", **once),
        Recording("summation_i_membrane_IClamp", "i_membrane,IClamp", cells, kind="summation", scaling="none", **whole),
        Recording("summation_ProbAMPANMDA_EMS", EXCITATORY, cells, kind="summation", scaling="none", **whole),
        Recording("compartment_set_A_v", "v", None, compartment_set="csA", interval=1.0, stop=40.0),
    )
    places = [[1, 0, 0.4], [1, 2, 0.25], [1, 2, 0.5]]
    plan = SimulationPlan(
        duration=50.0,
        timestep=0.1,
        celsius=35.0,
        v_init=-65.0,
        seed=1122,
        stimuli=(Stimulus("Stimulus", pulses, "RingA", physical_electrode=True),),
        recordings=recordings,
        compartment_sets={"csA": {"population": "RingA", "compartment_set": places}},
    )
    return simulate(network, plan, "neuron", mechanisms=[folder])


#: Report -> what is allowed against files in single precision: cells without and with excitatory input.
REPORTS = {
    "compartment_v": (1e-5, 5e-2),
    "compartment_i_membrane": (1e-6, 5e-4),
    "compartment_pas": (1e-7, 5e-5),
    "summation_v": (5e-5, 2e-1),
    "summation_v_area_scaling": (2e-4, 5e-1),
    "summation_pas": (1e-7, 2e-4),
    "summation_i_membrane": (1e-6, 1e-6),
    "summation_i_membrane_IClamp": (1e-6, 5e-4),
    "summation_ProbAMPANMDA_EMS": (1e-9, 1e-3),
    "compartment_set_A_v": (1e-5, 1e-5),
}
#: Cells with an excitatory synapse: its magnesium block is known to three digits only, and its recovery is random.
EXCITED = {"RingA": [2], "RingB": [0]}


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_neurodamus_s_until_release_is_random(name: str, results: Results, data: Path) -> None:
    with h5py.File(data / "sonata_obi" / "nd_ringtest" / "reference" / "reports" / f"{name}.h5") as file:
        for population in file["report"]:
            group = file["report"][population]
            ours = next(item for item in results.traces if (item.report, item.population) == (name, population))
            pointers = group["mapping/index_pointers"][:]
            nodes = np.repeat(group["mapping/node_ids"][:], np.diff(pointers).astype(int))
            assert ours.node_ids.tolist() == nodes.tolist()
            assert ours.section_ids is not None
            assert ours.section_ids.tolist() == group["mapping/element_ids"][:].tolist()
            apart = np.abs(ours.data - group["data"][:])
            excited = np.isin(nodes, EXCITED[population])
            sure, rough = REPORTS[name]
            assert apart[:, ~excited].max(initial=0.0) < sure
            assert apart[:DETERMINISTIC, excited].max(initial=0.0) < rough


def test_synapses_are_those_of_neurodamus_s_cell_states(circuit: tuple[Network, Path], data: Path) -> None:
    """Weight, delay, parameters, number and place of each synapse, as its dumps of two cells have them."""
    network, _ = circuit
    plan = SimulationPlan(duration=1.0, timestep=0.1)
    lowered = NeuronRunner().lower(network, plan, Report())
    names = {"Dep", "Fac", "Use", "Nrrp", "conductance", "synapseID"}
    checked = 0
    for population, file in (("RingA", "cellstate_0.json"), ("RingB", "cellstate_1000.json")):
        state = json.loads((data / "sonata_obi" / "nd_ringtest" / "reference" / file).read_text())["TestCell"]
        keep = np.zeros(lowered.size, dtype=bool)
        keep[lowered.first[population]] = True
        found = {}
        for item in lowered.connections:
            for block in item.blocks(keep, Report()):
                for row in range(len(block.target)):
                    mechanism = item.models[int(block.model[row])].mechanism
                    found[mechanism] = {key: float(block.parameters[key][row]) for key in names}
                    found[mechanism] |= {"weight": float(block.weight[row]), "delay": float(block.delay[row])}
                    found[mechanism] |= {"location": float(block.position[row])}
                    fast = "tau_d_AMPA" if mechanism == EXCITATORY else "tau_d_GABAA"
                    found[mechanism][fast] = float(block.parameters[fast][row])
        netcons = {item["target_syn"]: item for item in state["netcons"]}
        for synapse in state["synapses"]:
            ours = found[synapse["name"].partition("[")[0]]
            theirs = synapse | {key: netcons[synapse["name"]][key] for key in ("weight", "delay")}
            assert ours == pytest.approx({key: theirs[key] for key in ours})
            checked += 1
    assert checked == 3


POINT = """\
begintemplate NAME
  public pointcell, gid
  objref pointcell, this
  proc init() {
    gid = $1
    pointcell = new IntFire1()
    pointcell.tau = 20
    pointcell.refrac = 2
  }
endtemplate NAME
"""


def test_point_cells_of_templates_exponential_synapses_and_replay(data: Path, tmp_path: Path) -> None:
    """``nd_ringtest_allen_v1``: cables and IntFire cells in one network; neurodamus's dump of a cell's synapses."""
    obi = data / "sonata_obi"
    folder = tmp_path / "ringtest_allen_v1"
    shutil.copytree(obi / "nd_ringtest_allen_v1", folder)
    shutil.copytree(obi / "nd_ringtest" / "morphologies", tmp_path / "ringtest" / "morphologies")
    for place, name, text in (
        (tmp_path / "ringtest" / "hoc", "TestCell", TEMPLATE),
        (folder / "hoc", "IntFire1_exc_1", POINT.replace("NAME", "IntFire1_exc_1")),
        (folder / "hoc", "IntFire1_inh_1", POINT.replace("NAME", "IntFire1_inh_1")),
    ):
        place.mkdir(exist_ok=True)
        (place / f"{name}.hoc").write_text(text)
    document = read(folder / "simulation_config.json")
    assert document.plan is not None
    report = Report()
    results = simulate(document.network, document.plan, "neuron", report=report)
    assert sum(len(item.times) for item in results.spikes.values()) > 0
    assert np.isfinite(results.traces[0].data).all()
    assert not report.refusals()
    lowered = NeuronRunner().lower(document.network, document.plan, Report())
    keep = np.zeros(lowered.size, dtype=bool)
    keep[lowered.first["RingA"]] = True
    found = []
    for item in lowered.connections:
        for block in item.blocks(keep, Report()):
            found += zip(
                *(block.parameters[name].tolist() for name in ("tau1", "tau2", "e")),
                block.weight.tolist(),
                block.delay.tolist(),
                strict=True,
            )
    state = json.loads((folder / "reference" / "allen_v1_cellstate_0.json").read_text())["TestCell"]
    netcons = {item["target_syn"]: item for item in state["netcons"]}
    expected = [
        (item["tau1"], item["tau2"], item["e"], netcons[item["name"]]["weight"], netcons[item["name"]]["delay"])
        for item in state["synapses"]
    ]
    assert sorted(found) == sorted(expected)
