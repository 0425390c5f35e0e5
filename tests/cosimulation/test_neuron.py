"""NEURON beside NEURON, and beside NEST: the cells of both step alike, so the spikes are those of one simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph.cells import PointCell
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.synapses import Synapse
from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.cosimulation.nets import assert_same, recurrent, split
from tests.runners.nets import conductance_network, current_network, table

pytest.importorskip("neuron")

#: What adding up steps does to NEURON's times, ms.
ROUNDING = 1e-6


@pytest.mark.parametrize(
    ("model", "delays", "on_grid"),
    [("IF_curr_exp", (0.3, 4.0), True), ("IF_cond_exp", (0.97, 3.0), False)],
)
def test_three_neurons_give_what_one_gives(model, delays, on_grid):
    network, plan = recurrent(model, delays=delays, on_grid=on_grid)
    one = simulate(network, plan, "neuron")
    assert_same(one, simulate(network, plan, "a=neuron,b=neuron,c=neuron"))
    assert one.spike_count > 150


@pytest.mark.slow
@pytest.mark.parametrize("make", [current_network, conductance_network])
@pytest.mark.parametrize("placement", ["exc=nest,inh=neuron", "exc=neuron,inh=nest"])
def test_nest_beside_neuron(make, placement):
    """Inputs and outputs are on the steps, so that both simulators alone give the same spikes; then both together do.

    Measured: times to 8e-11 ms, potentials to 2e-9 mV.
    """
    pytest.importorskip("nest")
    network, plan = make()
    plan = replace(plan, duration=250.0)
    several = simulate(network, plan, placement)
    assert_same(simulate(network, plan, "nest"), several, within=ROUNDING, of_traces=1e-6)
    versions = {part["simulator"] for part in several.provenance["parts"].values()}
    assert versions == {"NEST", "NEURON"} and several.provenance["epoch"] == 0.2


@pytest.mark.slow
def test_many_spikes_in_one_step():
    """300 cells that fire together: more than a PatternStim sends at once, in an epoch of one step."""
    network, plan = recurrent(delays=(0.3, 0.3), sizes={"a": 300, "b": 20, "c": 10}, duration=60.0)
    a = network.populations["a"]
    alike = replace(a, table=a.table.updated({"parameters:v": None, "parameters:tau_m": None}))
    network = replace(
        network,
        populations={**network.populations, "a": alike},
        projections={name: item for name, item in network.projections.items() if item.post != "a"},
    )
    plan = replace(plan, stimuli=())
    one = simulate(network, plan, "neuron")
    times, counts = np.unique(one.spikes["a"].times, return_counts=True)
    assert len(times) and set(counts.tolist()) == {300}
    several = simulate(network, plan, "a=neuron,*=neuron")
    assert several.provenance["epoch"] == 0.1
    assert_same(one, several, of_traces=1e-9)  # what arrives together is added up in another order
    assert one.spikes["b"].times.size


@pytest.mark.slow
def test_a_real_circuit_of_artificial_cells(data):
    """The Allen Institute's 300 IntFire1 cells, whose spikes lie between the steps, cut in two by node type.

    All delays of the original are 2 ms, so that many spikes arrive at the same moment, and what IntFire1 does then
    depends on which NEURON delivers first: below threshold after inhibition, refractory after firing. Delays that
    differ leave no such choice.
    """
    document = read(data / "sonata" / "300_intfire" / "simulation_config.json", report=Report())
    population = document.network.populations["v1"]
    network = split(document.network, "v1", population.type_index.read(population.size) == 0)
    random = np.random.default_rng(2)
    projections = {
        name: replace(
            item,
            edges=replace(
                item.edges, columns=item.edges.columns.updated({"delay": Column(random.uniform(2.0, 3.0, item.size))})
            ),
        )
        for name, item in network.projections.items()
    }
    network = replace(network, projections=projections)
    plan = replace(document.plan, duration=1000.0, recordings=())
    one = simulate(network, plan, "neuron")
    assert_same(one, simulate(network, plan, "v1_1=neuron,v1_2=neuron"))
    assert one.spike_count > 500


@pytest.mark.slow
def test_cable_cells_in_one_process_and_point_cells_in_another(data, allen_mechanisms):
    """bio_14cells: ten cells with morphologies, whose synapses are placed at random on them, and four IntFire1."""
    document = read(data / "sonata" / "bio_14cells" / "config.simulation.json", report=Report())
    population = document.network.populations["v1"]
    network = split(document.network, "v1", population.type_index.read(population.size) < 5)
    recordings = tuple(item for item in document.plan.recordings if item.variable in ("v", "cai"))
    plan = replace(document.plan, duration=600.0, recordings=recordings)
    one = simulate(network, plan, "neuron", mechanisms=(allen_mechanisms,))
    several = simulate(network, plan, "v1_1=neuron,v1_2=neuron", mechanisms=(allen_mechanisms,))
    assert_same(one, several)
    assert {name: len(item.times) for name, item in several.spikes.items()} == {"v1_1": 46, "v1_2": 26}


def test_cells_that_no_single_simulator_has():
    """By hand: NEST's cell a fires, NEURON's IntFire1 b at each arrival, NEST's parrot c at each arrival from b."""
    pytest.importorskip("nest")
    one = {"source": np.array([0]), "target": np.array([0])}

    def projection(pre: str, post: str, weight: float, delay: float, unit: str) -> Projection:
        ends = (Column(values) for values in one.values())
        types = table(1, synapse=["static"], weight_unit=[unit], weight=weight, delay=delay)
        return Projection(f"{pre}_{post}", pre, post, types, Edges(*ends, table(1)))

    made = (projection("a", "b", 2.0, 1.53, "1"), projection("b", "c", 1.0, 2.3, "1"))
    network = Network(
        populations={name: Population(name, 1, table(1, cell=[name])) for name in "abc"},
        projections={item.name: item for item in made},
        cells={
            "a": PointCell("IF_curr_exp", {"cm": 0.25, "tau_m": 15.0, "v_thresh": -50.0, "i_offset": 0.6}),
            "b": PointCell("nrn:IntFire1"),
            "c": PointCell("nest:parrot_neuron"),
        },
        synapses={"static": Synapse("static")},
    )
    report = Report()
    plan = SimulationPlan(name="plan", duration=100.0, timestep=0.1)
    found = simulate(network, plan, "a+c=nest,b=neuron", report=report).spikes
    assert len(found["a"].times) > 5
    assert [(issue.code, issue.where) for issue in report.refusals()] == [("off-grid-spikes", "projection b_c")]
    inside = found["a"].times[found["a"].times + 1.53 + 2.3 < 100.0]
    np.testing.assert_allclose(found["b"].times[: len(inside)], inside + 1.53, rtol=0, atol=1e-9)
    # b's spikes lie between two steps; NEST has them at the second one
    following = np.ceil(np.round((inside + 1.53) / 0.1, 6)) * 0.1
    np.testing.assert_allclose(found["c"].times, following + 2.3, rtol=0, atol=1e-9)


def test_a_delay_of_two_steps_is_too_short_beside_neuron():
    network, plan = recurrent(delays=(0.2, 3.0))
    with pytest.raises(PlanError, match=r"its shortest delay is 0\.2 ms") as caught:
        simulate(network, plan, "a=neuron,*=nest")
    caught.match("0.3 ms are needed")


def test_a_variable_step_does_not_stop_where_it_should():
    network, plan = recurrent(delays=(1.0, 3.0))
    with pytest.raises(PlanError, match=r"=neuron: run\.variable_step: a variable time step"):
        simulate(network, replace(plan, variable_step=True), "a=neuron,*=neuron")
