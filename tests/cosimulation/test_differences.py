"""What a co-simulation computes otherwise is in its report, with the place; and is really computed otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import LossError
from pynn_io.graph.cells import Cell, PointCell, SpikeSource
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cosimulation.differences import Cut, differences
from pynn_io.report import Report
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.cosimulation.nets import STEP, recurrent
from tests.runners.nets import table

TSODYKS = {"U": 0.5, "tau_rec": 80.0, "tau_facil": 10.0}
STATIC = {"static": Synapse("StaticSynapse")}


def told(network: Network, home: Mapping[str, int], backends: tuple[str, ...], **more) -> set[tuple[str, str]]:
    """Code and place of every difference."""
    leads = tuple(0.5 if name == "nest" else 0.0 for name in backends)
    report = Report()
    differences(network, Cut(home, backends, leads, more.get("timestep", STEP), more.get("precise", False)), report)
    return {(issue.code, issue.where) for issue in report}


def split_of(network: Network, *backends: str) -> set[tuple[str, str]]:
    """Population a on the first backend, b and c on the second."""
    return told(network, {"a": 0, "b": 1, "c": 1}, backends)


@pytest.mark.parametrize(
    "synapse", [Synapse("StaticSynapse"), Synapse("TsodyksMarkramSynapse", TSODYKS), Synapse("nest:tsodyks2_synapse")]
)
def test_a_network_without_differences(synapse):
    network, _ = recurrent(synapse=synapse)
    assert split_of(network, "nest", "nest") == split_of(network, "nest", "neuron") == set()


@pytest.mark.parametrize("model", ["SimpleStochasticSynapse", "MultiQuantalSynapse", "nest:bernoulli_synapse"])
def test_random_numbers_that_nest_draws(model):
    """Whether they cross or not: all of a process come from one stream."""
    network, _ = recurrent(synapse=Synapse(model))
    drawn = {("random-draws", f"projection {pre}_{post}") for pre in "abc" for post in "a"}
    assert split_of(network, "nest", "neuron") == drawn
    everywhere = {("random-draws", f"projection {pre}_{post}") for pre in "abc" for post in "abc"}
    assert split_of(network, "nest", "nest") == everywhere
    assert told(network, dict.fromkeys("abc", 0), ("nest",)) == set()


@pytest.mark.parametrize(
    ("cell", "draws"),
    [
        (PointCell("nest:gif_psc_exp"), True),
        (PointCell("nest:iaf_psc_exp", {"delta": 1.5}), True),
        (PointCell("nest:iaf_psc_exp", {"delta": 0.0}), False),
        (PointCell("nest:iaf_psc_alpha"), False),
    ],
)
def test_cells_that_draw(cell, draws):
    network, _ = recurrent()
    found = split_of(replace(network, cells={"cell": cell}), "neuron", "nest")
    assert found == ({("random-draws", "population b"), ("random-draws", "population c")} if draws else set())


@pytest.mark.parametrize(
    ("parameters", "moves"),
    [
        ({"x": 0.5}, True),
        ({"y": 0.25, "x": 0.75}, True),
        ({"u": 0.3}, True),
        ({"u": 0.3, "tau_facil": 0.0}, False),
        ({"x": 1.0, "y": 0.0, "u": 0.0}, False),
    ],
)
def test_synapses_that_do_not_begin_at_rest(parameters, moves):
    network, _ = recurrent(synapse=Synapse("TsodyksMarkramSynapse", {**TSODYKS, **parameters}))
    crossing = {("synapse-start", f"projection {name}") for name in ("b_a", "c_a")}
    assert split_of(network, "nest", "neuron") == (crossing if moves else set())


def test_states_that_edges_state():
    network, _ = recurrent(synapse=Synapse("nest:tsodyks_synapse"))
    item = network.projections["b_a"]
    states = item.edges.columns.updated({"parameters:x": Column(np.linspace(0.5, 1.0, item.size))})
    item = replace(item, edges=replace(item.edges, columns=states))
    network = replace(network, projections={**network.projections, "b_a": item})
    assert split_of(network, "nest", "nest") == {("synapse-start", "projection b_a")}


def artificial(
    delays: tuple[float, float], weights: tuple[float, float] = (1.2, -0.5), cell: Cell | None = None
) -> Network:
    """Two cells, e and i, each with an edge onto c."""
    populations = {name: Population(name, 1, table(1, cell=["fire"])) for name in "eic"}
    types = table(1, synapse=["static"], weight_unit=["1"])
    projections = {}
    for pre, weight, delay in zip("ei", weights, delays, strict=True):
        edges = Edges(Column(np.array([0])), Column(np.array([0])), table(1, weight=[weight], delay=[delay]))
        projections[f"{pre}_c"] = Projection(f"{pre}_c", pre, "c", types, edges)
    fire = cell or PointCell("nrn:IntFire1", {"tau": 0.01, "refrac": 0.002})
    return Network(populations=populations, projections=projections, cells={"fire": fire}, synapses=STATIC)


MEETING = {("simultaneous-spikes", "population c")}


@pytest.mark.parametrize(
    ("network", "found"),
    [
        (artificial((2.0, 2.0)), MEETING),
        (artificial((2.0, 3.5)), MEETING),  # spikes of the steps meet, too
        (artificial((2.031, 3.531)), MEETING),
        (artificial((2.0, 2.031)), set()),
        (artificial((2.0, 2.0), (1.2, 0.5)), set()),  # all add up, whichever comes first
        (artificial((2.0, 2.0), cell=PointCell("nrn:IntFire4")), set()),  # its potential does not jump
    ],
)
def test_events_that_can_meet_at_a_cell_that_minds_their_order(network, found):
    neurons = ("neuron", "neuron")
    assert told(network, {"e": 1, "i": 0, "c": 0}, neurons) == found
    assert told(network, {"e": 0, "i": 0, "c": 0}, neurons) == set()  # nothing crosses


def test_spikes_between_the_steps():
    network = artificial((2.0, 2.0))
    cells = {"e": network.cells["fire"], "i": network.cells["fire"], "c": PointCell("nest:parrot_neuron")}
    populations = {name: Population(name, 1, table(1, cell=[name])) for name in "eic"}
    network = replace(network, cells=cells, populations=populations)
    home = {"e": 1, "i": 1, "c": 0}
    both = {("off-grid-spikes", f"projection {name}") for name in ("e_c", "i_c")}
    assert told(network, home, ("nest", "neuron")) == both
    exact = replace(network, cells={**cells, "c": PointCell("nest:parrot_neuron_ps")})
    assert told(exact, home, ("nest", "neuron")) == set()
    standard = replace(network, cells={**cells, "c": PointCell("IF_curr_exp")})
    assert told(standard, home, ("nest", "neuron")) == both
    assert told(standard, home, ("nest", "neuron"), precise=True) == set()
    on_steps = replace(network, cells={**cells, "e": PointCell("IF_curr_exp"), "i": PointCell("IF_curr_exp")})
    assert told(on_steps, home, ("nest", "neuron")) == set()


def test_strict_mode_refuses_them():
    pytest.importorskip("nest")
    network, plan = recurrent(delays=(3.0, 4.0), synapse=Synapse("SimpleStochasticSynapse"))
    with pytest.raises(LossError, match="random-draws") as caught:
        simulate(network, plan, "a=nest,*=nest", strict=True)
    assert "projection b_a" in {issue.where for issue in caught.value.report}


def driven(network: Network) -> tuple[Network, SimulationPlan]:
    """e and i fire at the same moments."""
    source = Population("source", 1, table(1, cell=["train"]))
    types = table(1, synapse=["static"], weight_unit=["1"], weight=2.0, delay=1.0)
    ends = (Column(np.array([0])), Column(np.array([0])))
    drives = {f"to_{name}": Projection(f"to_{name}", "source", name, types, Edges(*ends, table(1))) for name in "ei"}
    network = replace(
        network,
        populations={**network.populations, "source": source},
        projections={**network.projections, **drives},
        cells={**network.cells, "train": SpikeSource()},
    )
    trains = SpikeTrains("source", np.zeros(3, dtype=np.int64), np.array([10.0, 40.0, 70.0]))
    return network, SimulationPlan(
        duration=100.0, timestep=STEP, stimuli=(Stimulus("trains", trains, "source"),), seed=1
    )


def test_what_the_order_of_events_does_to_spikes():
    """Excitation of 1.2 makes the cell fire, unless inhibition of 0.5 comes first: one cut or the other changes it."""
    pytest.importorskip("neuron")
    network, plan = driven(artificial((2.0, 2.0)))
    one = simulate(network, plan, "neuron").spikes["c"].times.tolist()
    found = []
    for placement in ("e=neuron,i+c=neuron", "i=neuron,e+c=neuron"):
        report = Report()
        found.append(simulate(network, plan, placement, report=report).spikes["c"].times.tolist())
        assert ("simultaneous-spikes", "population c") in {(issue.code, issue.where) for issue in report}
    assert found != [one, one]


def test_two_processes_of_nest_do_not_draw_the_same():
    """Cells of escape noise, alike in every part: their noise is their own, and repeats with the run's seed."""
    pytest.importorskip("nest")
    populations = {name: Population(name, 20, table(1, cell=["cell"])) for name in "abc"}
    network = Network(populations=populations, cells={"cell": PointCell("nest:gif_psc_exp", {"I_e": 500.0})})
    plan = SimulationPlan(name="plan", duration=100.0, timestep=STEP, seed=5)
    first, again = (simulate(network, plan, "a=nest,b=nest,c=nest") for _ in range(2))
    fired = [first.spikes[name].times.tolist() for name in "abc"]
    assert all(fired) and fired[0] != fired[1] != fired[2] != fired[0]
    assert fired == [again.spikes[name].times.tolist() for name in "abc"]
    parts = first.provenance["parts"]
    assert len({part["seed"] for part in parts.values()}) == 3
    assert parts["a=nest"]["seed"] == simulate(network, plan, "nest").provenance["seed"]


@pytest.mark.parametrize(
    ("synapse", "code"),
    [
        (Synapse("SimpleStochasticSynapse", {"p": 0.5}), "random-draws"),
        (Synapse("TsodyksMarkramSynapse", {**TSODYKS, "x": 0.2}), "synapse-start"),
    ],
)
def test_what_is_reported_of_nest_is_so(synapse, code):
    pytest.importorskip("nest")
    network, plan = recurrent(delays=(3.0, 4.0), synapse=synapse, duration=60.0)
    report = Report()
    one, several = (simulate(network, plan, name, report=report) for name in ("nest", "a=nest,*=nest"))
    assert code in report.codes()
    assert not np.array_equal(one.traces[0].data, several.traces[0].data)
