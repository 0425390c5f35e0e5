"""The network and the plan of each part, by hand, and everything that cannot go from one simulator to another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph import ArrayChunks
from pynn_io.graph.cells import SpikeSource
from pynn_io.graph.columns import Column
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import PoissonTrains, SpikeTrains, SpontaneousSynapses, Stimulus, SynapseReplay
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cells import PROXY, targets
from pynn_io.lowering.cosimulation import crossings
from pynn_io.lowering.cosimulation.shares import shares
from pynn_io.lowering.trains import trains
from pynn_io.report import Report
from pynn_io.simulation_plan import Recording
from pynn_io.simulation_plan.plan import ConnectionOverride, Modification
from tests.cosimulation.nets import recurrent
from tests.runners.nets import current_network

HOME = {"a": 0, "b": 1, "c": 0}


def delays(projection):
    return np.concatenate([rows["delay"] for _, _, rows in projection.blocks(["delay"])])


def test_a_part_has_all_populations_and_the_projections_onto_its_own():
    network, plan = recurrent(delays=(2.0, 4.0))
    first, second = shares(network, plan, HOME, [0.5, 0.0])
    assert (first.own, first.inlets, first.outlets) == (("a", "c"), ("b",), ("a", "c"))
    assert (second.own, second.inlets, second.outlets) == (("b",), ("a", "c"), ("b",))
    assert list(first.network.populations) == list(network.populations)
    assert list(first.network.projections) == ["a_a", "a_c", "b_a", "b_c", "c_a", "c_c"]
    proxy = first.network.populations["b"]
    assert [first.network.cells[name] for name in proxy.cells] == [SpikeSource(PROXY)]
    assert proxy.ids().tolist() == network.populations["b"].ids().tolist()
    assert first.network.populations["a"] is network.populations["a"]
    for name in first.network.projections:
        less = 0.5 if name.startswith("b") else 0.0
        np.testing.assert_allclose(
            delays(first.network.projections[name]), delays(network.projections[name]) - less, atol=1e-9
        )
    assert second.network.projections["a_b"] is network.projections["a_b"]  # its simulator takes the past


@pytest.mark.parametrize(
    ("own", "of_type", "seen"),
    [
        (None, 1.15, [0.65, 0.65, 0.65]),
        (np.ma.array([1.2, 0.0, 3.0], mask=[False, True, False]), 1.15, [0.7, 0.65, 2.5]),
        (ArrayChunks(np.array([1.5, 2.5, 0.75], dtype=np.float32)), 9.0, [1.0, 2.0, 0.25]),
    ],
)
def test_delays_of_edges_and_of_types_are_shortened_wherever_they_stand(own, of_type, seen):
    network, plan = recurrent()
    item = network.projections["b_a"]
    columns = item.edges.columns.take(np.arange(3)).updated({"delay": None if own is None else Column(own)})
    edges = replace(
        item.edges, source=item.edges.source.take(np.arange(3), 80), target=item.edges.target.take(np.arange(3), 80)
    )
    item = replace(item, types=item.types.updated({"delay": Column(of_type)}), edges=replace(edges, columns=columns))
    network = replace(network, projections={"b_a": item})
    share, _ = shares(network, plan, HOME, [0.5, 0.5])
    assert delays(share.network.projections["b_a"]).tolist() == seen


def test_sources_fire_in_every_part_and_the_same():
    network, plan = current_network()
    poisson = Stimulus("poisson", PoissonTrains(5.0), "all")
    plan = replace(plan, stimuli=(*plan.stimuli, poisson))
    told, told_by_parts = Report(), Report()
    whole = trains(plan, network, told)["input"]
    for share in shares(network, plan, {"exc": 0, "inh": 1}, [0.2, 0.2]):
        found = trains(share.plan, share.network, told_by_parts)
        assert list(found) == ["input"]
        np.testing.assert_array_equal(found["input"].times, whole.times)
        np.testing.assert_array_equal(found["input"].rows, whole.rows)
    assert told.codes() == {"spikes-of-cells"}
    assert told_by_parts.as_dict() == told.as_dict()


def test_stimuli_keep_their_number_and_recordings_their_cells():
    network, plan = recurrent()
    first, second = shares(network, plan, HOME, [0.1, 0.1])
    assert [item.name for item in first.plan.stimuli] == ["only b", "noise", "some"]
    only_b, noise, _ = first.plan.stimuli
    assert isinstance(only_b.what, SpikeTrains) and not len(only_b.what.times)
    assert set(targets(noise.node_set, first.network, first.plan)) == {"a", "c"}
    assert isinstance(second.plan.stimuli[2].what, SpikeTrains)
    assert [item.name for item in first.plan.recordings] == ["of all", "of some"]
    assert [item.name for item in second.plan.recordings] == ["of all"]
    assert {key: rows.tolist() for key, rows in targets(first.plan.recordings[1].node_set, first.network, plan).items()}


@pytest.mark.parametrize(
    "node_set",
    [
        *("all", "a", "some", ["some", "b"], [8, 11]),
        *({"population": "b"}, {"node_id": [5, 8]}, {"model_type": "point_neuron"}),
    ],
)
def test_node_sets_of_every_form_keep_their_cells(node_set):
    network, plan = recurrent()
    sets = {"some": {"node_id": {"$gt": 20}}, "b": {"population": "b", "node_id": [5]}}
    plan = replace(plan, stimuli=(), node_sets=sets, recordings=(Recording("r", "v", node_set),))
    wanted = resolve(node_set, network, sets)
    found = {}
    for share in shares(network, plan, HOME, [0.1, 0.1]):
        for recording in share.plan.recordings:
            rows = resolve(recording.node_set, share.network, sets)
            assert rows and set(rows) <= set(share.own)
            found |= rows
    assert {name: rows.tolist() for name, rows in found.items()} == {
        name: rows.tolist() for name, rows in wanted.items()
    }


def test_changes_and_overrides_are_those_of_a_parts_own_cells():
    network, plan = recurrent()
    plan = replace(
        plan,
        modifications=(Modification("m", "ttx", "b"), Modification("n", "ttx", "all")),
        overrides=(ConnectionOverride("o", "b", "a", weight=0.5), ConnectionOverride("p", "all", "b", weight=2.0)),
    )
    first, second = shares(network, plan, HOME, [0.1, 0.1])
    assert [item.name for item in first.plan.modifications] == ["n"]
    assert [item.name for item in second.plan.modifications] == ["m", "n"]
    assert [item.name for item in first.plan.overrides] == ["o"]
    assert [item.name for item in second.plan.overrides] == ["p"]
    assert set(targets(first.plan.overrides[0].source, first.network, first.plan)) == {"b"}


@pytest.mark.parametrize(
    "rule", [{"model_type": "point_neuron"}, {"model_type": "virtual"}, {"model_template": "IF_curr_exp"}]
)
def test_an_override_asks_a_proxy_what_its_cell_is(rule):
    """Whose synapses it changes is the same in the part as in the whole network."""
    network, plan = recurrent()
    override = ConnectionOverride("o", {**rule, "population": ["b", "c"]}, "a", weight=0.5)
    first, _ = shares(network, replace(plan, overrides=(override,)), HOME, [0.1, 0.1])
    wanted, found = (
        {name: rows.tolist() for name, rows in resolve(item.source, whole, {}).items()}
        for item, whole in ((override, network), (first.plan.overrides[0], first.network))
    )
    assert found == wanted and bool(wanted) == ("virtual" not in rule.values())


def test_a_replay_through_shortened_synapses_comes_later():
    network, plan = recurrent()
    replay = SynapseReplay(SpikeTrains("b", np.array([5, 5, 8]), np.array([1.0, 2.0, 3.0])), 1.5, 1.5)
    plan = replace(plan, stimuli=(Stimulus("replay", replay, "all"),))
    first, second = shares(network, plan, HOME, [0.5, 0.5])
    assert first.plan.stimuli[0].what.trains.times.tolist() == [2.5, 3.5]
    assert second.plan.stimuli[0].what is replay


def crossing(network, plan):
    crossings.check(crossings.crossings(network, HOME), network, plan)


def test_only_what_crosses_is_refused():
    network, plan = recurrent(synapse=Synapse("nest:stdp_synapse"))
    with pytest.raises(PlanError) as caught:
        crossing(network, plan)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["a_b", "b_a", "b_c", "c_b"]
    caught.match("nest:stdp_synapse depends on more than when spikes arrive")
    caught.match("only spikes do: place both populations on one simulator")
    inside = {name: network.projections[name] for name in ("a_a", "a_c", "b_b")}
    crossing(replace(network, projections=inside), plan)


@pytest.mark.parametrize(
    ("model", "crosses"),
    [
        ("", True),
        ("TsodyksMarkramSynapse", True),
        ("nest:tsodyks_synapse", True),
        ("nrn:Exp2Syn", True),
        ("neuroml:expOneSynapse", True),
        ("nest:stdp_synapse_hom", False),
        ("nest:vogels_sprekeler_synapse", False),
        ("STDPMechanism", False),
    ],
)
def test_synapses_that_know_arrivals_only_can_cross(model, crosses):
    network, plan = recurrent(synapse=Synapse(model))
    if crosses:
        crossing(network, plan)
    else:
        with pytest.raises(PlanError):
            crossing(network, plan)


@pytest.mark.parametrize("kind", ["electrical", "graded", "neuromodulatory"])
def test_other_kinds_of_projections_cannot_cross(kind):
    network, plan = recurrent()
    item = replace(network.projections["b_a"], kind=kind)
    with pytest.raises(PlanError, match=f"b_a: it is {kind}"):
        crossing(replace(network, projections={**network.projections, "b_a": item}), plan)
    inside = replace(network.projections["a_c"], kind=kind)
    crossing(replace(network, projections={"a_c": inside}), plan)


def test_what_a_plan_does_to_crossing_delays():
    network, plan = recurrent()
    override = ConnectionOverride("slow", "a", "b", synapse_delay=3.0)
    with pytest.raises(PlanError, match="connection override slow: it sets delays"):
        crossing(network, replace(plan, overrides=(override,)))
    crossing(network, replace(plan, overrides=(replace(override, target="c"),)))
    activity = Stimulus("activity", SpontaneousSynapses(times=(3.0,), silences_others=True), "a")
    with pytest.raises(PlanError, match="input activity: events at given times"):
        crossing(network, replace(plan, stimuli=(activity,)))


def test_delays_that_are_not_stated():
    network, _ = recurrent()
    item = network.projections["b_a"]
    bare = replace(item, edges=replace(item.edges, columns=item.edges.columns.updated({"delay": None})))
    with pytest.raises(PlanError, match="projection b_a: 100 of its edges state no delay"):
        crossings.shortest_delay([network.projections["a_b"], bare])
    assert crossings.shortest_delay([network.projections["a_b"]]) == (0.2, "a_b")


def test_files_of_a_lems_simulation():
    network, plan = recurrent()
    file = Recording("out", "", None, kind="quantities", columns=(("v", "a[0]/v"),))
    with pytest.raises(PlanError, match=r"reports\.out: files of a LEMS simulation"):
        shares(network, replace(plan, recordings=(file,)), HOME, [0.1, 0.1])
