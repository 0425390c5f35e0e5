"""What a PyNN script builds and runs, as network and plan: against numbers by hand and PyNN's own backends."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, read
from pynn_io.detect import detect
from pynn_io.errors import ReadError
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import CurrentPulses, NoiseCurrent, SinusoidalCurrent, SpikeTrains
from pynn_io.graph.validate import problems
from pynn_io.report import Kind
from tests.pynn_in.scripts import SCRIPTS, captured, on_pynn

pytest.importorskip("pyNN")

HEAD = "import pyNN.nest as sim\nsim.setup(timestep=0.1, min_delay=0.2)\n"


def edges(projection) -> np.ndarray:
    """(pre, post, weight, delay) of every edge, sorted."""
    columns = {name: [] for name in ("source", "target", "weight", "delay")}
    for _, _, rows in projection.blocks(["weight", "delay"]):
        for name, values in columns.items():
            values.append(np.broadcast_to(rows[name], rows["source"].shape))
    table = np.stack([np.concatenate(values) for values in columns.values()], axis=1)
    return table[np.lexsort(table.T[::-1])]


@pytest.fixture(scope="module")
def synfire():
    return read(SCRIPTS / "synfire.py")


@pytest.fixture(scope="module")
def balanced():
    report = Report()
    return read(SCRIPTS / "balanced.py", report=report), report


def test_a_script_is_known_by_its_import(tmp_path: Path) -> None:
    assert detect(SCRIPTS / "synfire.py") == "pynn"
    (tmp_path / "network").write_text("from pyNN.neuron import *\n")
    assert detect(tmp_path / "network") == "pynn"


def test_the_synfire_chain(synfire) -> None:
    network, plan = synfire.network, synfire.plan
    assert problems(network) == []
    assert len(network.populations) == 1 + 2 * 11
    assert {population.size for population in network.populations.values()} == {8}
    assert len(network.projections) == 33
    assert sum(projection.size for projection in network.projections.values()) == 33 * 64
    assert network.cells["I3"].parameters["cm"] == 0.1
    assert (plan.duration, plan.timestep, plan.min_delay) == (150.0, 0.1, 0.5)
    trains = plan.stimuli[0].what
    assert isinstance(trains, SpikeTrains)
    assert len(trains.times) == 8
    assert abs(trains.times.mean() - 25.0) < 1.0
    assert synfire.provenance["dialect"] == "nest"
    assert synfire.provenance["seeds"] == [4242]


def test_positions_are_those_of_the_structure(synfire) -> None:
    table = synfire.network.populations["E2"].table
    # Grid2D of aspect ratio 2: four columns by two rows, 20 um apart, from x0 = 300
    assert sorted(table.read("x").tolist()) == sorted([300.0, 320.0, 340.0, 360.0] * 2)
    assert set(table.read("y").tolist()) == {0.0, 20.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["synfire", "balanced"])
def test_the_connections_are_those_of_pynn_nest(name: str, tmp_path: Path) -> None:
    """With the same seeds: every connection, its weight and its delay, as pyNN.nest has them."""
    pytest.importorskip("nest")
    document = read(SCRIPTS / f"{name}.py")
    real = on_pynn(SCRIPTS / f"{name}.py", "nest", tmp_path)
    ours = {label: edges(item) for label, item in document.network.projections.items()}
    sizes = [len(table) for key, table in real.items() if key.startswith("edges/")]
    if name == "synfire":
        for number, table in enumerate(ours.values()):
            np.testing.assert_allclose(table, real[f"edges/{number}"], rtol=1e-12)
        return
    assert len(ours["from exc:exc_to_exc"]) + len(ours["from exc:exc_to_inh"]) == sizes[0]
    whole = real["edges/0"]
    onto_inhibitory = whole[whole[:, 1] >= 40] - [0, 40, 0, 0]
    # NEST rounds a delay to its steps of 0.1 ms
    np.testing.assert_allclose(ours["from exc:exc_to_inh"], onto_inhibitory, atol=0.05 + 1e-9)
    np.testing.assert_array_equal(ours["from exc:exc_to_inh"][:, :2], onto_inhibitory[:, :2])
    view = real["edges/1"]
    view[:, 1] *= 2  # the view excitatory[::2]
    np.testing.assert_allclose(ours["from inh"], view, rtol=1e-12)


def test_drawn_values_are_kept(balanced) -> None:
    network = balanced[0].network
    thresholds = network.populations["exc"].table.read("parameters:v_thresh")
    assert len(np.unique(thresholds)) == 40
    assert thresholds.min() >= -53.0
    assert len(np.unique(network.populations["inh"].table.read("parameters:v"))) == 10
    assert "v_thresh" in network.cells["inh"].parameters


def test_sources_synapses_and_sets(balanced) -> None:
    network = balanced[0].network
    assert network.cells["drive"].parameters == {"rate": 80.0, "start": 5.0, "duration": 190.0}
    depressing = network.synapses["drive_exc"]
    assert depressing.model == "TsodyksMarkramSynapse"
    assert depressing.parameters == {"U": 0.4, "tau_rec": 200.0, "tau_facil": 10.0}
    assert {name: len(rows) for name, rows in resolve("everyone", network).items()} == {"exc": 40, "inh": 10}


def test_a_label_that_no_file_can_hold_is_kept_beside_the_name(balanced) -> None:
    document, report = balanced
    assert document.network.projections["drive_exc"].types.values("label").tolist() == ["drive/exc"]
    assert "renamed" in report.codes()


def test_recordings_and_currents(balanced) -> None:
    document, report = balanced
    plan = document.plan
    assert {(item.variable, item.interval) for item in plan.recordings} == {("v", 0.5), ("gsyn_exc", 0.5)}
    assert plan.recordings[0].node_set == {"population": "exc", "node_id": [0, 1]}
    (pulse,) = plan.stimuli
    assert isinstance(pulse.what, CurrentPulses)
    assert (pulse.what.amplitudes[0], pulse.what.delays[0], pulse.what.durations[0]) == (0.4, 50.0, 70.0)
    assert pulse.node_set == {"population": "inh", "node_id": [0, 1, 2]}
    assert document.provenance["spikes_recorded"] == {"exc": "all", "inh": "all"}
    assert "empty-results" in report.codes()
    assert not report.refusals()


CURRENTS = """
p = sim.Population(3, sim.IF_curr_exp(), label="p")
q = sim.Population(2, sim.IF_curr_exp(), label="q")
step = sim.StepCurrentSource(times=[10.0, 20.0, 50.0], amplitudes=[0.1, 0.0, -0.2])
p[1].inject(step)
sine = sim.ACSource(start=5.0, stop=105.0, amplitude=0.3, offset=0.1, frequency=20.0, phase=0.0)
sine.inject_into(p + q)
shifted = sim.ACSource(start=0.0, stop=10.0, amplitude=1.0, frequency=50.0, phase=90.0)
q.inject(shifted)
noise = sim.NoisyCurrentSource(mean=0.5, stdev=0.2, start=1.0, stop=11.0, dt=1.0)
noise.inject_into([p[0], p[2]])
sim.run(30.0)
sim.run(20.0)
"""


def test_every_current_source(tmp_path: Path) -> None:
    document, _ = captured(HEAD + CURRENTS, tmp_path)
    found = {stimulus.name: stimulus for stimulus in document.plan.stimuli}
    step = found["StepCurrentSource_1"].what
    assert step.amplitudes.tolist() == [0.1, 0.0, -0.2]
    assert step.delays.tolist() == [10.0, 20.0, 50.0]
    assert step.durations[:2].tolist() == [10.0, 30.0]
    assert step.durations[2] > 1e9
    assert found["StepCurrentSource_1"].node_set == {"population": "p", "node_id": [1]}
    # a value a time step, which holds through it
    assert found["ACSource_2"].what == SinusoidalCurrent(0.3, 20.0, 5.0, 100.0, 0.1, held=True)
    assert found["ACSource_2_offset"].what.amplitudes.tolist() == [0.1]
    both = resolve(found["ACSource_2"].node_set, document.network)
    assert {name: len(rows) for name, rows in both.items()} == {"p": 3, "q": 2}
    assert found["ACSource_3"].what == SinusoidalCurrent(1.0, 50.0, 0.0, 10.0, 0.1, 90.0, held=True)
    noise = NoiseCurrent(0.5, pytest.approx(0.04), 1.0, 10.0, interval=1.0, held=True)
    assert found["NoisyCurrentSource_4"].what == noise
    assert document.plan.duration == 50.0


SYNAPSES = """
a = sim.Population(4, sim.SpikeSourceArray(spike_times=[[1.0, 2.0], [], [3.0], [0.5]]), label="a")
b = sim.Population(4, sim.IF_cond_exp(), label="b")
stdp = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=16.0, tau_minus=33.0, A_plus=0.02, A_minus=0.03),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=0.05),
    weight=0.01, delay=1.5)
sim.Projection(a, b, sim.OneToOneConnector(), stdp, label="stdp")
use = [[0.1 * i + 0.01 * j for j in range(4)] for i in range(4)]
multi = sim.MultiQuantalSynapse(U=use, n=3, weight=0.01, delay=1.0)
sim.Projection(a, b, sim.AllToAllConnector(), multi, label="multi")
sim.Projection(a, b, sim.FromListConnector([(0, 3, 0.001, 0.4), (2, 1, 0.002, 0.6)]), label="listed")
sim.Projection(a, b, sim.OneToOneConnector(), sim.SimpleStochasticSynapse(p=0.25, weight=0.1, delay=1.0), label="p")
others = sim.AllToAllConnector(allow_self_connections=False)
sim.Projection(b, b, others, sim.ElectricalSynapse(weight=0.002), label="gap")
alike = sim.OneToOneConnector()
sim.Projection(a, b, alike, sim.StaticSynapse(weight=0.1), label="twice")
sim.Projection(a, b, alike, sim.StaticSynapse(weight=0.2), receptor_type="inhibitory", label="twice")
sim.run(10.0)
"""


def test_every_kind_of_synapse(tmp_path: Path) -> None:
    document, report = captured(HEAD + SYNAPSES, tmp_path)
    network = document.network
    stdp = network.synapses["stdp"]
    assert stdp.model == "STDPMechanism"
    assert stdp.parameters["timing_dependence"] == "SpikePairRule"
    assert stdp.parameters["weight_dependence"] == "AdditiveWeightDependence"
    assert (stdp.parameters["tau_minus"], stdp.parameters["w_max"]) == (33.0, 0.05)
    listed = network.projections["listed"]
    assert edges(listed).tolist() == [[0, 3, 0.001, 0.4], [2, 1, 0.002, 0.6]]
    multi = network.projections["multi"]
    assert network.synapses["multi"].parameters == {"n": 3, "tau_rec": 800.0, "tau_facil": 0.0}
    use = multi.edges.columns.read("parameters:U")
    np.testing.assert_allclose(use, 0.1 * multi.edges.source.read(16) + 0.01 * multi.edges.target.read(16))
    assert network.synapses["p"].parameters == {"p": 0.25}
    gap = network.projections["gap"]
    assert (gap.kind, gap.size, gap.types["weight"].value) == ("electrical", 12, 0.002)
    # no delay was stated: the least one of setup()
    assert network.projections["twice"].types["delay"].value == 0.2
    assert network.projections["twice_2"].types.values("receptor").tolist() == ["inhibitory"]
    assert "renamed" in report.codes()
    trains = document.plan.stimuli[0].what
    assert trains.node_ids.tolist() == [0, 0, 2, 3]
    assert trains.times.tolist() == [1.0, 2.0, 3.0, 0.5]


IMPORTS = {
    "import as": "import pyNN.neuron as sim\n",
    "from": "from pyNN.brian2 import *\nimport pyNN.brian2 as sim\n",
    "importlib": "import importlib\nsim = importlib.import_module('pyNN.mock')\n",
    "get_simulator": "from pyNN.utility import get_simulator\nsim, options = get_simulator(('--fast', 'help'))\n",
    "get_script_args": "from pyNN.utility import get_script_args\n"
    "from importlib import import_module\nsim = import_module('pyNN.' + get_script_args(1)[0])\n",
    "parts": "from pyNN.nest.standardmodels.cells import IF_cond_exp\nfrom pyNN.nest import simulator\n"
    "import pyNN.nest as sim\nassert sim.IF_cond_exp is IF_cond_exp\nassert simulator.state.dt == 0.1\n",
}


@pytest.mark.parametrize("way", IMPORTS)
def test_every_way_of_asking_for_a_backend(way: str, tmp_path: Path) -> None:
    document, _ = captured(IMPORTS[way] + "sim.setup()\nsim.Population(2, sim.IF_cond_exp(), label='p')\n", tmp_path)
    assert document.network.populations["p"].size == 2
    assert document.plan.duration is None


def test_the_arguments_of_a_script(tmp_path: Path) -> None:
    text = "import sys\n" + HEAD + "sim.Population(int(sys.argv[2]), sim.IF_cond_exp(), label='p')\n"
    document, _ = captured(text, tmp_path, script_args="mock 7")
    assert document.network.populations["p"].size == 7


def test_what_is_changed_between_runs_is_named(tmp_path: Path) -> None:
    text = HEAD + (
        "p = sim.Population(2, sim.IF_cond_exp(tau_m=10.0), label='p')\n"
        "sim.run(10.0)\np.set(tau_m=12.0)\nsim.run(5.0)\np.initialize(v=-60.0)\n"
    )
    document, report = captured(text, tmp_path)
    assert document.network.cells["p"].parameters["tau_m"] == 10.0
    assert document.plan.duration == 15.0
    (issue,) = [issue for issue in report if issue.code == "edited-between-runs"]
    assert issue.examples == ["tau_m of 'p', at 10 ms", "initial value v of 'p', at 15 ms"]
    assert report.refusals() == [issue]


def test_of_several_networks_the_first_is_read(tmp_path: Path) -> None:
    text = HEAD + (
        "for n in (3, 4):\n    sim.setup()\n    sim.Population(n, sim.IF_cond_exp(), label='p')\n    sim.run(5)\n"
    )
    document, report = captured(text, tmp_path)
    assert document.network.populations["p"].size == 3
    assert "further-network" in report.codes()


def test_a_reset_ends_the_plan(tmp_path: Path) -> None:
    text = HEAD + "p = sim.Population(2, sim.IF_cond_exp(), label='p')\nsim.run(10.0)\nsim.reset()\nsim.run(70.0)\n"
    document, report = captured(text, tmp_path)
    assert document.plan.duration == 10.0
    assert "repeated-run" in report.codes()


def test_a_script_that_stops_on_empty_results_is_read(tmp_path: Path) -> None:
    text = HEAD + (
        "p = sim.Population(2, sim.IF_cond_exp(), label='p')\np.record(['spikes', 'v'])\nsim.run(10.0)\n"
        "data = p.get_data().segments[0]\nassert [len(t) for t in data.spiketrains] == [0, 0]\n"
        "assert data.filter(name='v')[0].shape == (0, 2)\nassert p.mean_spike_count() == 0\n"
        "data.filter(name='v')[0].max()\n"
    )
    document, report = captured(text, tmp_path)
    assert document.network.populations["p"].size == 2
    (issue,) = [issue for issue in report if issue.code == "script-stopped"]
    assert issue.where.endswith("script.py:10")


def test_results_of_an_earlier_run_are_not_overwritten(tmp_path: Path) -> None:
    results = tmp_path / "out.pkl"
    results.write_text("results of last night")
    text = HEAD + (
        f"p = sim.Population(2, sim.IF_cond_exp(), label='p')\np.record('v', to_file={str(results)!r})\nsim.run(10.0)\n"
        f"p.write_data({str(results)!r})\nsim.end()\n"
    )
    document, _ = captured(text, tmp_path)
    assert results.read_text() == "results of last night"
    assert document.provenance["files"] == [{"populations": ["p"], "variables": ["v"], "file": str(results)}]
    assert Path.cwd().joinpath("out.pkl").exists() is False


@pytest.mark.parametrize("first", ["", "import matplotlib\nmatplotlib.use('svg')\n"])
def test_pictures_of_an_earlier_run_are_not_overwritten(tmp_path: Path, first: str) -> None:
    pytest.importorskip("matplotlib")
    pictures = [tmp_path / "traces.svg", tmp_path / "raster.svg"]
    for picture in pictures:
        picture.write_text("picture of last night")
    text = (
        first
        + HEAD
        + (
            "p = sim.Population(2, sim.IF_cond_exp(), label='p')\np.record('v')\nsim.run(10.0)\n"
            "from pyNN.utility.plotting import Figure, Panel\nimport matplotlib.pyplot as plt\n"
            f"Figure(Panel(p.get_data().segments[0].filter(name='v')[0])).save({str(pictures[0])!r})\n"
            f"plt.plot([1, 2])\nplt.savefig({str(pictures[1])!r})\nplt.show()\n"
        )
    )
    _, report = captured(text, tmp_path)
    assert {picture.read_text() for picture in pictures} == {"picture of last night"}
    (issue,) = [issue for issue in report if "savefig" in issue.examples]
    assert (issue.code, issue.count) == ("call-without-effect", 2)


def test_native_cells_keep_their_names(tmp_path: Path) -> None:
    text = HEAD + (
        "kind = sim.native_cell_type('iaf_psc_alpha')\np = sim.Population(2, kind(tau_m=11.0, C_m=200.0), label='p')\n"
        "q = sim.Population(3, sim.IntFire1(tau=20.0, refrac=4.0), label='q')\n"
        "sim.Projection(p, p, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=1.0), label='pp')\n"
    )
    network = captured(text, tmp_path)[0].network
    assert network.cells["p"].model == "nest:iaf_psc_alpha"
    assert network.cells["p"].parameters == {"tau_m": 11.0, "C_m": 200.0}
    # PyNN has weights onto a native cell in nA too
    assert network.projections["pp"].types.values("weight_unit").tolist() == ["nA"]
    # NEURON's IntFire1 is in ms in PyNN, in seconds in the files of SONATA
    assert network.cells["q"].model == "nrn:IntFire1"
    assert network.cells["q"].parameters == {"tau": 0.02, "refrac": 0.004}


def test_lists_as_parameters_are_kept(tmp_path: Path) -> None:
    text = HEAD + "p = sim.Population(2, sim.GIF_cond_exp(tau_eta=(1.0, 20.0)), label='p')\n"
    assert captured(text, tmp_path)[0].network.cells["p"].parameters["tau_eta"] == (1.0, 20.0)


ON_NEST = """
sources = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]), label="sources")
cells = sim.Population(1, sim.{model}(), label="cells")
sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.5), label="p")
sources.record("spikes")
cells.record("spikes")
sim.run(20.0)
"""


@pytest.mark.parametrize(
    ("backend", "model", "setup", "spike_times"),
    [
        ("nest", "IF_curr_exp", "", "precise"),
        ("nest", "IF_curr_exp", "spike_precision='on_grid'", "grid"),
        ("nest", "IF_cond_exp", "", None),
        ("nest", "IF_cond_exp", "spike_precision='off_grid'", "precise"),
        ("neuron", "IF_curr_exp", "", None),
    ],
)
def test_spikes_between_steps_are_of_scripts_on_nest(
    backend: str, model: str, setup: str, spike_times: str | None, tmp_path: Path
) -> None:
    """PyNN's default there; it matters where a cell is another one then."""
    text = f"import pyNN.{backend} as sim\nsim.setup({setup})\n" + ON_NEST.format(model=model)
    document, report = captured(text, tmp_path)
    assert document.plan.spike_times == spike_times
    late = [issue.message for issue in report if issue.code == "late-sources"]
    assert [message.count("1.4 ms late") for message in late] == ([1] if backend == "nest" else [])


def test_states_of_synapses_stand_beside_their_parameters(tmp_path: Path) -> None:
    text = HEAD + (
        "p = sim.Population(2, sim.IF_cond_exp(), label='p')\n"
        "synapse = sim.MultiQuantalSynapse(U=0.8, n=5, weight=0.1, delay=1.0)\n"
        "q = sim.Projection(p, p, sim.AllToAllConnector(), synapse, label='q')\nq.initialize(a=5, u=0.8)\n"
    )
    document, report = captured(text, tmp_path)
    stated = document.network.synapses["q"].parameters
    assert (stated["n"], stated["a"], stated["u"]) == (5.0, 5.0, 0.8)
    assert "synapse-state" not in report.codes()


def test_states_that_a_synapse_has_no_place_for_are_named(tmp_path: Path) -> None:
    text = HEAD + (
        "p = sim.Population(2, sim.IF_cond_exp(), label='p')\n"
        "weights = sim.AdditiveWeightDependence()\n"
        "synapse = sim.STDPMechanism(timing_dependence=sim.SpikePairRule(), weight_dependence=weights, weight=0.1)\n"
        "q = sim.Projection(p, p, sim.AllToAllConnector(), synapse, label='q')\nq.initialize(Kplus=0.5)\n"
    )
    _, report = captured(text, tmp_path)
    (issue,) = (issue for issue in report if issue.code == "synapse-state")
    assert (issue.kind, issue.where, list(issue.examples)) == (Kind.LOST, "projection q", ["Kplus"])


def test_spikes_of_sources_are_recorded_where_the_script_says_so(tmp_path: Path) -> None:
    document, _ = captured(HEAD + ON_NEST.format(model="IF_cond_exp"), tmp_path)
    (recording,) = document.plan.recordings
    assert (recording.kind, recording.node_set) == ("spikes", {"population": "sources"})


def test_scripts_for_spinnaker(tmp_path: Path) -> None:
    """Hints of placement change nothing; what it alone can record is named; ``name()`` is a call there."""
    text = """
import spynnaker8 as sim
sim.setup(timestep=1.0)
sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 64)
cells = sim.Population(3, sim.IF_curr_exp(), label=sim.name())
cells.record(["v", "gsyn_exc"])
wide = sim.Population(2, sim.IF_cond_exp(), label="wide", additional_parameters={"seed": 1})
wide.set_max_atoms_per_core(10)
wide.record("all")
sim.Projection(cells, wide, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.1), download_synapses=True)
sim.run(10.0)
assert wide.spinnaker_get_data("v").shape == (0, 3)
"""
    (tmp_path / "chip.py").write_text(text)
    report = Report()
    document = read(tmp_path / "chip.py", report=report)
    assert list(document.network.populations) == ["SpiNNaker", "wide"]
    recorded = [each.name for each in document.plan.recordings]
    assert recorded == ["SpiNNaker_v", "wide_v", "wide_gsyn_exc", "wide_gsyn_inh"]
    issues = {issue.code: issue for issue in report}
    assert issues["recording"].examples == ["gsyn_exc of IF_curr_exp"]
    assert issues["recording"].kind is Kind.NOT_READ
    hints = [example for issue in report if issue.code == "call-without-effect" for example in issue.examples]
    assert sorted(hints) == [
        "Population(additional_parameters=...)",
        "Projection(download_synapses=...)",
        "set_max_atoms_per_core",
        "set_number_of_neurons_per_core",
    ]


FOR_SPINNAKER = """
import pyNN.spiNNaker as sim
import spynnaker8.external_devices as live
from spynnaker.pyNN.extra_algorithms import splitter_components
from spynnaker.pyNN.extra_algorithms.splitter_components import SplitterPoissonDelegate
from spynnaker.pyNN.utilities import neo_convertor
sim.setup(1.0, 1.0, 32.0)
sources = sim.Population(3, sim.SpikeSourceArray([[5.0], [9.0, 30.0], []]), label="sources", splitter=None)
noise = sim.Population(2, sim.SpikeSourcePoisson(7.0, 2.0, 50.0), label="noise", max_rate=9.0, seed=3)
grid = sim.Population(6, sim.IF_curr_exp(), structure=sim.Grid2D(aspect_ratio=1.5), label="grid", spikes_per_second=5)
grid.record(["spikes", "packets-per-timestep"])
live.activate_live_output_for(grid, tag=1)
listener = sim.external_devices.SpynnakerLiveSpikesConnection(receive_labels=["grid"])
listener.add_receive_callback("grid", print)
"""


def for_spinnaker(lines: str, tmp_path: Path):
    (tmp_path / "chip.py").write_text(FOR_SPINNAKER + lines)
    report = Report()
    return read(tmp_path / "chip.py", report=report), report


def test_idioms_of_scripts_for_spinnaker(tmp_path: Path) -> None:
    """Its modules, structures, arguments by position and ways of placing: as its users write them."""
    lines = """
array = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]]
sim.Projection(sources, grid, sim.ArrayConnector(array, verbose=True), sim.StaticSynapse(weight=1.0, pad_to_length=9))
sim.Projection(sources, grid, sim.IndexBasedProbabilityConnector("(i == j) * exp(0)"), sim.StaticSynapse(weight=1.0))
sim.run(50.0)
spikes = grid.get_data("spikes")
assert neo_convertor.convert_spikes(spikes).shape == (0, 2)
assert neo_convertor.convert_data(spikes, "v").shape == (0, 3)
assert neo_convertor.count_spikes(spikes) == 0
splitter_components.SplitterAbstractPopulationVertexNeuronsSynapses(1, 128, False)
"""
    document, report = for_spinnaker(lines, tmp_path)
    network = document.network
    assert problems(network) == []
    first, second = network.projections.values()
    assert edges(first)[:, :2].tolist() == [[0, 0], [1, 5]]
    assert edges(second)[:, :2].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert network.populations["grid"].column("x").values(6).tolist() == [0, 0, 1, 1, 2, 2]
    (trains,) = (one.what for one in document.plan.stimuli if isinstance(one.what, SpikeTrains))
    assert sorted(trains.times.tolist()) == [5.0, 9.0, 30.0]
    noise = network.cells["noise"].parameters
    assert (noise["rate"], noise["start"], noise["duration"]) == (7.0, 2.0, 50.0)
    named = {example for issue in report for example in issue.examples}
    assert {
        "packets-per-timestep of IF_curr_exp",
        "activate_live_output_for",
        "SpynnakerLiveSpikesConnection.add_receive_callback",
        "Population(spikes_per_second=...)",
        "Connector(verbose=...)",
        "Synapse(pad_to_length=...)",
    } <= named


def test_weights_are_sizes_to_spinnaker(tmp_path: Path) -> None:
    """Onto the inhibitory receptor of cells with currents its scripts give positive weights: others take negative."""
    lines = """
inhibits = {"receptor_type": "inhibitory"}
one = sim.Projection(sources, grid, sim.OneToOneConnector(), sim.StaticSynapse(weight=2.0), **inhibits)
two = sim.Projection(sources, grid, sim.FromListConnector([(0, 1, 0.2, 2.0), (1, 2, 0.0, 2.0), (2, 3, -3.0, 2.0)]),
                     **inhibits)
rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(w_min=0.0, w_max=5.0), weight=2.5)
three = sim.Projection(sources, grid, sim.OneToOneConnector(), rule, **inhibits)
four = sim.Projection(sources, grid, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0))
five = sim.Projection(sources, grid, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0), **inhibits)
five.set(weight=4.0)
cond = sim.Population(6, sim.IF_cond_exp(), label="cond")
six = sim.Projection(sources, cond, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.5), **inhibits)
assert one.get("weight", "list", with_address=False) == [2.0, 2.0, 2.0]
assert sorted(two.get("weight", "list", with_address=False)) == [0.0, 0.2, 3.0]
assert five.get("weight", "list", with_address=False) == [4.0, 4.0, 4.0]
sim.run(50.0)
"""
    document, _ = for_spinnaker(lines, tmp_path)
    weights = [sorted(set(edges(one)[:, 2])) for one in document.network.projections.values()]
    assert weights == [[-2.0], [-3.0, -0.2, 0.0], [-2.5], [1.0], [-4.0], [0.5]]
    assert [list(document.network.synapses.values())[2].parameters[name] for name in ("w_min", "w_max")] == [0.0, -5.0]


def test_weights_are_sizes_to_spinnaker_alone(tmp_path: Path) -> None:
    text = HEAD + "cells = sim.Population(2, sim.IF_curr_exp())\nsim.Projection(cells, cells, sim.OneToOneConnector(), "
    (tmp_path / "a.py").write_text(text + "sim.StaticSynapse(weight=1.0), receptor_type='inhibitory')\n")
    with pytest.raises(ReadError, match="Weights must be negative"):
        read(tmp_path / "a.py")


def test_a_script_is_read_where_nest_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of a script is not in NEST, whatever backend it names."""
    (tmp_path / "nest.py").write_text("raise ImportError('there is no NEST here')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]))
    text = HEAD + "cells = sim.Population(2, sim.IF_cond_exp(), label='cells')\nsim.Projection(cells, cells, "
    (tmp_path / "script.py").write_text(
        text + "sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0))\nsim.run(1.0)\n"
    )
    assert list(read(tmp_path / "script.py").network.projections) == ["cells_to_cells"]


def test_other_backends_have_none_of_that(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(HEAD + "sim.Population(2, sim.IF_cond_exp(), additional_parameters={})\n")
    with pytest.raises(ReadError, match=r"unexpected keyword argument 'additional_parameters'"):
        read(tmp_path / "a.py")


def test_what_a_script_makes_in_nest_itself_is_told(tmp_path: Path) -> None:
    pytest.importorskip("nest")
    text = HEAD + "import nest\nnest.Create('iaf_psc_exp', 3)\n"
    (tmp_path / "own.py").write_text(text + "sim.Population(2, sim.IF_cond_exp())\nsim.run(1.0)\n")
    report = Report()
    read(tmp_path / "own.py", report=report)
    assert [(issue.where, issue.count) for issue in report if issue.code == "without-pynn"] == [("NEST", 3)]


def test_a_projection_onto_an_assembly_that_names_no_receptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyNN takes one of a set, in an order that is another one in every process; in this one the wrong one."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    script = tmp_path / "assembly.py"
    script.write_text(
        HEAD
        + "cells = sim.Population(2, sim.IF_curr_exp()) + sim.Population(3, sim.IF_curr_exp())\n"
        + "source = sim.Population(1, sim.SpikeSourcePoisson())\n"
        + "sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5))\n"
        + "sim.run(1.0)\n"
    )
    projections = read(script).network.projections.values()
    assert {name for item in projections for name in item.types["receptor"].values(1)} == {"excitatory"}
