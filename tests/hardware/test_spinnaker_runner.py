"""Networks mapped onto the virtual board by the runner, against scripts of plain sPyNNaker and of plain NEST."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.emulation import APPROXIMATION, emulate
from pynn_io.errors import PlanError
from pynn_io.graph import Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import CurrentPulses, PoissonTrains, SinusoidalCurrent, SpikeTrains, Stimulus
from pynn_io.lowering.emulation import stored_plan
from pynn_io.lowering.pynn import CurrentSource
from pynn_io.report import Kind, Report
from pynn_io.runners.spinnaker.build import _current
from pynn_io.runners.spinnaker.lower import lower
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.hardware.nets import CELL, network, plan, voltage
from tests.hardware.virtual_board import needs_spynnaker, run_script
from tests.models import edges, table

ROOT = Path(__file__).resolve().parents[2]
SOURCES, CELLS, EDGES = 12, 30, 400
TAUS = np.linspace(10.0, 30.0, CELLS)


def made():
    """Connections of both signs from sources and between cells; weights over five decades, delays between steps.

    Several connections share a pair of cells.
    """
    random = np.random.default_rng(11)
    found = {}
    for name, size in (("in_to_cells", SOURCES), ("recurrent", CELLS)):
        weight = random.choice([-1.0, 1.0, 1.0], EDGES) * 10 ** random.uniform(-5, 0.5, EDGES)
        found[name] = (
            random.integers(0, size, EDGES),
            random.integers(0, CELLS, EDGES),
            weight,
            random.uniform(0.2, 7.7, EDGES).round(3),
        )
    times = np.sort(random.uniform(1.5, 90.0, (SOURCES, 8)).round(2), axis=1)
    return found, times


def document():
    connected, times = made()
    types = table(1, synapse=["static"], weight_unit=["nA"])
    projections = {
        name: Projection(
            name,
            "in" if name == "in_to_cells" else "cells",
            "cells",
            types,
            edges(source, target, weight=weight.tolist(), delay=delay.tolist()),
        )
        for name, (source, target, weight, delay) in connected.items()
    }
    built = Network(
        "made",
        {
            "in": Population("in", SOURCES, table(1, cell=["source"])),
            "cells": Population(
                "cells", CELLS, table(1, cell=["cell"]), table=table(CELLS, parameters_tau_m=TAUS.tolist())
            ),
        },
        projections,
        {"source": SpikeSource(), "cell": PointCell("IF_curr_exp", CELL)},
        {"static": Synapse("static")},
    )
    trains = SpikeTrains("in", np.repeat(np.arange(SOURCES), times.shape[1]), times.ravel())
    asked = plan(voltage(), duration=100.0)
    return built, replace(asked, stimuli=(Stimulus("trains", trains, "in"),))


# --- lowering, without sPyNNaker ------------------------------------------------------------------------------------


def test_what_stops_a_mapping_is_told_with_all_of_it():
    long = network(delay=[9000.0, 1.0, 1.0], cell=PointCell("IF_curr_exp", {**CELL, "tau_m": 70000.0}))
    with pytest.raises(PlanError, match="SpiNNaker 1 cannot hold this network") as caught:
        lower(long, plan(), Report())
    assert [text.partition(":")[0] for text in caught.value.problems] == [
        "projection in_to_cells",
        "population cells",
    ]
    assert "what helps: a longer time step" in str(caught.value)


def test_what_the_chip_lacks_is_left_out_and_told_once():
    mixed = network()
    mixed = replace(
        mixed,
        populations={**mixed.populations, "hh": Population("hh", 3, table(1, cell=["hh"]))},
        cells={**mixed.cells, "hh": PointCell("HH_cond_exp")},
    )
    report = Report()
    lowered = lower(mixed, plan(), report)
    assert [cells.label for cells in lowered.pynn.network.cells] == ["in.SpikeSourceArray", "cells.IF_curr_exp"]
    (issue,) = report.of_kind(Kind.LOST)
    assert (issue.code, issue.where, issue.count) == ("model", "population hh", 3)


def test_short_term_plasticity_is_lost_not_only_approximated():
    from pynn_io.lowering.pynn import connections
    from pynn_io.runners.spinnaker.lower import unsaid

    report, made = Report(), Report()
    lowered = lower(network(synapse=Synapse("TsodyksMarkramSynapse")), plan(), report)
    assert [edges.synapse.model for edges in connections(lowered.pynn.network, made)] == ["StaticSynapse"]
    report.include(unsaid(made, lowered.check))
    (issue,) = report.of_kind(Kind.LOST, Kind.APPROXIMATED)
    assert (issue.kind, issue.code, issue.where) == (Kind.LOST, "synapse", "projection in_to_cells")


def test_a_variable_that_the_chip_lacks_is_told_once_and_is_none_of_the_emulation():
    izhikevich = network(cell=PointCell("Izhikevich"), unit="mV")
    asked, report = plan(voltage(variable="v,u"), voltage(name="alone", variable="u")), Report()
    lowered = lower(izhikevich, asked, report)
    assert [(issue.code, issue.where) for issue in report.of_kind(Kind.LOST)] == [
        ("recorded-variable", "recording v"),
        ("recorded-variable", "recording alone"),
    ]
    emulated = stored_plan(lowered.pynn, asked, {})
    assert [(item.name, item.variable) for item in emulated.recordings] == [("v", "v")]


def test_currents_begin_on_their_step_whatever_is_lost_in_dividing():
    """sPyNNaker has int(0.58 * 50.0), which is 28."""
    course = {"times": np.array([0.58, 1.14]), "amplitudes": np.ones(2)}
    source = CurrentSource("c", "StepCurrentSource", course, "cells", np.array([0]))
    made = _current(source, 0.02).parameters
    assert [int(time * 50.0) for time in made["times"]] == [29, 57]
    assert type(made["times"]) is type(made["amplitudes"]) is list


def test_steps_below_a_millisecond_are_slower_than_real_time():
    assert lower(network(), plan(timestep=0.1), Report()).time_scale_factor == 10
    assert lower(network(), plan(timestep=1.0), Report()).time_scale_factor == 1


def test_the_step_is_spynnakers_where_none_is_stated():
    report = Report()
    assert lower(network(), plan(timestep=None), report).pynn.setup.timestep == 1.0
    assert "default-timestep" in report.codes()


def test_delays_and_spikes_are_handed_over_as_asked():
    lowered = lower(network(delay=[0.3, 1.5, 2.0]), plan(spikes=(1.0, 2.5)), Report()).pynn
    assert lowered.plan.trains["in.SpikeSourceArray"].times.tolist() == [1.0, 2.5, 1.0, 2.5]


# --- mapped ---------------------------------------------------------------------------------------------------------

BY_HAND = """
cells = {cells}
sim.setup(1.0)
populations = {{
    "in": sim.Population({sources}, sim.SpikeSourceArray({times})),
    "cells": sim.Population({size}, sim.IF_curr_exp(**{{**cells, "tau_m": {taus}}})),
}}
made = {{}}
for name, (source, target, weight, delay) in {connected}.items():
    for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
        rows = [(i, j, abs(w), d) for i, j, w, d in zip(source, target, weight, delay) if np.sign(w) == sign]
        pre = populations["in" if name == "in_to_cells" else "cells"]
        made[name, receptor] = sim.Projection(
            pre, populations["cells"], sim.FromListConnector(rows), sim.StaticSynapse(), receptor_type=receptor
        )
sim.run(100)
vertex = populations["cells"]._vertex
scales = vertex.get_weight_scales(vertex.get_ring_buffer_shifts())
lists = [
    [name, receptor, [[float(x) for x in row] for row in edges.get(["weight", "delay"], format="list")]]
    for (name, receptor), edges in made.items()
]
give({{"lists": lists, "scales": [float(x) for x in scales]}})
sim.end()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home that does not exist, and must not come into being."""
    return tmp_path_factory.mktemp("nobody") / "home"


@pytest.fixture(scope="module")
def mapped(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        return simulate(*document(), "spinnaker", timeout=400)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    connected, times = made()
    plain = {name: [np.asarray(column).tolist() for column in columns] for name, columns in connected.items()}
    text = BY_HAND.format(
        cells=CELL,
        sources=SOURCES,
        times=times.tolist(),
        size=CELLS,
        taus=TAUS.tolist(),
        connected=plain,
    )
    return run_script(tmp_path_factory.mktemp("by_hand"), text)


@needs_spynnaker
@pytest.mark.slow
class TestMapped:
    def test_nothing_was_executed(self, mapped, home):
        assert (mapped.level, dict(mapped.spikes), mapped.traces, dict(mapped.nodes)) == ("maps", {}, (), {})
        assert not home.exists()

    def test_the_machine(self, mapped):
        machine = mapped.fidelity.machine
        assert (machine.neurons, machine.chips, machine.boards) == (CELLS, 1, 1)
        assert (machine.neuron_cores, machine.source_cores, machine.other_cores) == (1, 1, 0)
        assert 0 < machine.sdram < 120e6

    def test_weights_and_delays_are_those_of_a_script_by_hand(self, mapped, by_hand):
        ours = {
            (one.projection, one.receptor): given
            for one, (_, given) in zip(mapped.fidelity.projections, mapped.wires, strict=True)
        }
        assert len(by_hand["lists"]) == len(ours) == 4
        for name, receptor, rows in by_hand["lists"]:
            given = ours[name, receptor]
            table = np.column_stack([given.source, given.target, given.weight, given.delay])
            assert sorted(map(tuple, rows)) == sorted(map(tuple, table.tolist()))

    def test_the_report_is_what_rounding_to_the_scripts_scales_gives(self, mapped, by_hand):
        """16 bits below the full scale: weights in whole steps of 1/scale, delays in whole ms, one at least."""
        connected, _ = made()
        for one in mapped.fidelity.projections:
            _, _, weight, delay = connected[one.projection]
            chosen = weight < 0 if one.receptor == "inhibitory" else weight > 0
            size, late = np.abs(weight[chosen]), delay[chosen]
            scale = by_hand["scales"][int(one.receptor == "inhibitory")]
            stored = np.rint(size * scale) / scale
            assert one.connections == np.count_nonzero(chosen)
            assert one.resolution == 1 / scale
            assert one.largest_weight_error == pytest.approx(np.abs(stored - size).max(), rel=1e-6)
            assert one.mean_weight_error == pytest.approx(np.abs(stored - size).mean(), rel=1e-6)
            assert one.underflows == np.count_nonzero(stored == 0) > 0
            steps = np.maximum(np.rint(late), 1.0)
            assert one.delays_moved == np.count_nonzero(steps != late)
            assert one.largest_delay_error == pytest.approx(np.abs(steps - late).max())
            assert (one.dropped_signs, one.lost, one.added) == (0, 0, 0)

    def test_the_check_knew_how_many_weights_would_become_0(self, mapped):
        from pynn_io.lowering.hardware import check_hardware

        found = {
            one.where: one.count
            for one in check_hardware(*document(), "spinnaker").findings
            if one.code == "weight-underflow"
        }
        told = {}
        for one in mapped.fidelity.projections:
            where = f"projection {one.projection}"
            told[where] = told.get(where, 0) + one.underflows
        assert found == told

    def test_input_spikes_wait_for_the_next_step(self, mapped):
        _, times = made()
        (one,) = mapped.fidelity.sources
        assert (one.population, one.spikes) == ("in", times.size)
        assert one.moved == np.count_nonzero(times != np.ceil(times))
        assert one.largest_move == pytest.approx((np.ceil(times) - times).max())

    def test_emulation_is_nest_with_the_stored_numbers(self, mapped, by_hand, tmp_path):
        results = emulate(mapped, timeout=400)
        assert results.level == "emulates"
        assert results.provenance["approximation"] == APPROXIMATION
        assert (results.provenance["emulates"], results.provenance["simulator"]) == ("SpiNNaker 1", "NEST")
        _, times = made()
        (tmp_path / "given.json").write_text(
            json.dumps({"lists": by_hand["lists"], "times": np.ceil(times).tolist(), "taus": TAUS.tolist()})
        )
        done = subprocess.run(
            [sys.executable, "-c", IN_NEST], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        senders, spikes = json.loads((tmp_path / "spikes.json").read_text())
        assert len(senders) > 20
        found = results.spikes["cells"]
        assert sorted(zip(found.node_ids.tolist(), found.times.tolist(), strict=True)) == sorted(
            zip(senders, spikes, strict=True)
        )


#: Times of a spike generator and delays are whole ms; an input arrives a delay after its spike.
IN_NEST = """
import json, nest
given = json.load(open("given.json"))
nest.set_verbosity("M_ERROR")
nest.resolution = 1.0
cell = dict(C_m=1000.0, E_L=-65.0, V_reset=-65.0, V_th=-50.0, t_ref=1.0, tau_syn_ex=5.0, tau_syn_in=5.0, V_m=-65.0)
cells = nest.Create("iaf_psc_exp", len(given["taus"]), params={**cell, "tau_m": given["taus"]})
parrots = nest.Create("parrot_neuron", len(given["times"]))
ends = {"in_to_cells": parrots, "recurrent": cells}
for times, parrot in zip(given["times"], parrots):
    distinct = sorted(set(times))
    assert distinct[0] > 1.0  # a generator is one step in front of its parrot
    counts = [times.count(time) for time in distinct]
    spikes = {"spike_times": [time - 1.0 for time in distinct], "spike_multiplicities": counts}
    nest.Connect(nest.Create("spike_generator", params=spikes), parrot, syn_spec={"delay": 1.0})
for name, receptor, rows in given["lists"]:
    sign = -1000.0 if receptor == "inhibitory" else 1000.0
    for i, j, weight, delay in rows:
        nest.Connect(ends[name][int(i)], cells[int(j)], syn_spec={"weight": sign * weight, "delay": delay})
recorder = nest.Create("spike_recorder")
nest.Connect(cells, recorder)
nest.Simulate(100.0)
events = recorder.events
first = cells.tolist()[0]
json.dump([[int(s) - first for s in events["senders"]], events["times"].tolist()], open("spikes.json", "w"))
"""


@needs_spynnaker
@pytest.mark.slow
def test_a_balanced_network_of_a_thousand_cells():
    """800 cells that excite and 200 that inhibit, six of a hundred pairs connected, and an input for every cell."""
    random = np.random.default_rng(5)
    populations = {
        "in": Population("in", 1000, table(1, cell=["source"])),
        "exc": Population("exc", 800, table(1, cell=["cell"])),
        "inh": Population("inh", 200, table(1, cell=["cell"])),
    }
    types = table(1, synapse=["static"], weight_unit=["nA"])
    projections, total = {}, 0
    for pre, post, weight in (("exc", "exc", 0.1), ("exc", "inh", 0.1), ("inh", "exc", -0.5), ("inh", "inh", -0.5)):
        sizes = populations[pre].size, populations[post].size
        source, target = np.nonzero(random.random(sizes) < 0.06)
        delay = random.uniform(1.0, 4.0, len(source)).round(1)
        ends = edges(source, target, weight=np.full(len(source), weight).tolist(), delay=delay.tolist())
        projections[f"{pre}_to_{post}"] = Projection(f"{pre}_to_{post}", pre, post, types, ends)
        total += len(source)
    for post, first in (("exc", 0), ("inh", 800)):
        place = np.arange(populations[post].size)
        ends = edges(place + first, place, weight=[1.0] * len(place), delay=[1.0] * len(place))
        projections[f"in_to_{post}"] = Projection(f"in_to_{post}", "in", post, types, ends)
        total += len(place)
    cells = {"source": SpikeSource(), "cell": PointCell("IF_curr_exp", CELL)}
    built = Network("balanced", populations, projections, cells, {"static": Synapse("static")})
    asked = SimulationPlan(
        "balanced", 100.0, 1.0, seed=3, stimuli=(Stimulus("noise", PoissonTrains(50.0), {"population": "in"}),)
    )
    assert 55_000 < total < 100_000
    report = Report()
    mapped = simulate(built, asked, "spinnaker", report=report, timeout=500)
    fidelity = mapped.fidelity
    assert sum(one.connections for one in fidelity.projections) == total
    assert all((one.lost, one.added, one.underflows) == (0, 0, 0) for one in fidelity.projections)
    assert all(one.largest_weight_error <= one.resolution / 2 for one in fidelity.projections)
    assert (fidelity.machine.neurons, fidelity.machine.boards) == (1000, 1)
    assert fidelity.machine.neuron_cores >= 5  # 256 a core: 4 of exc, 1 of inh
    assert {"delay-off-grid", "spike-off-grid"} <= report.codes()


@needs_spynnaker
@pytest.mark.slow
def test_more_targets_than_a_core_has_neurons_listed_by_target():
    """sPyNNaker 7.4 takes such a list for one with rows that are too long, unless it is in the order of the sources."""
    pairs = np.tile([0, 1], 300).tolist(), np.repeat(np.arange(300), 2).tolist()
    mapped = simulate(network(300, pairs=pairs), plan(), "spinnaker", timeout=500)
    (one,) = mapped.fidelity.projections
    assert (one.connections, one.lost, one.added) == (600, 0, 0)


@needs_spynnaker
@pytest.mark.slow
def test_plasticity_currents_and_long_delays_map():
    """Of 200 neurons on a core, 64 steps of delay are held; 200 steps want cores of 64 neurons."""
    rule = {"tau_plus": 15.0, "w_max": 0.8, "A_plus": 0.02, "weight_dependence": "MultiplicativeWeightDependence"}
    made = network(200, synapse=Synapse("STDPMechanism", rule), weight=[0.5, 0.25, 0.125], delay=[200.0, 1.0, 60.0])
    pulses = CurrentPulses(np.array([0.5]), np.array([5.0]), np.array([20.0]))
    clamp = Stimulus("clamp", pulses, {"population": "cells", "node_id": [1, 3]})
    sine = Stimulus("sine", SinusoidalCurrent(0.2, 40.0, 5.0, 20.0), {"population": "cells"})
    asked = plan(voltage(variable="v,isyn_exc", interval=2.0))
    mapped = simulate(made, replace(asked, stimuli=(*asked.stimuli, clamp, sine)), "spinnaker", timeout=400)
    (one,) = mapped.fidelity.projections
    assert (one.connections, one.lost, one.delays_moved, one.largest_weight_error) == (3, 0, 0, 0.0)
    assert mapped.fidelity.machine.neuron_cores == 4


#: On the virtual board, whose empty data a real one would fill: what is read back has its populations, ids and times.
READ_BACK = """
import json, sys
from pathlib import Path
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.spinnaker import SpinnakerRunner
from pynn_io.runners.spinnaker.config import Board
from tests.hardware.nets import network, plan, voltage

runner, report = SpinnakerRunner(), Report()
lowered = runner.lower(network(4), plan(voltage(variable="v,isyn_exc", interval=2.0)), report)
model = runner.build(lowered, Profile(work=Path.cwd()), report, quiet)
runner.run(model, quiet)
model.board = Board(host="pretended")
results = runner.collect(model, lowered)
Path("read.json").write_text(json.dumps({
    "level": results.level,
    "nodes": {name: ids.tolist() for name, ids in results.nodes.items()},
    "traces": [[one.report, one.variable, one.unit, one.interval, len(one.node_ids)] for one in results.traces],
    "spikes": {name: len(found.times) for name, found in results.spikes.items()},
}))
"""


@needs_spynnaker
@pytest.mark.slow
def test_what_a_board_recorded_is_read_back(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", READ_BACK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "read.json").read_text())
    assert (found["level"], found["spikes"]) == ("executes", {"cells": 0})
    assert found["nodes"] == {"cells": [0, 1, 2, 3]}
    assert found["traces"] == [["v", "v", "mV", 2.0, 4], ["v", "isyn_exc", "nA", 2.0, 4]]
