"""Plasticity by pairs of spikes on Brian2: weights by hand, and the spikes of NEST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.errors import PlanError
from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Synapse, Table
from pynn_io.graph import text_column as text
from pynn_io.graph.stimuli import SpikeTrains, Stimulus
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.brian2 import Brian2Runner
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.runners.standard_networks import together

#: The cells spike 0.1 ms after `FORCING`; with a delay of 1.5 ms two spikes come to a synapse at 34.8 ms.
PRE, FORCING = (5.0, 20.0, 31.2, 33.0, 34.8, 60.0, 61.5, 90.0), (9.0, 18.0, 33.2, 59.0, 63.0)
DELAYS, START = (0.1, 1.5, 3.0), 0.02
RULE = {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.05, "A_minus": 0.04, "w_max": 0.05, "w_min": 0.0}
#: name -> (what differs from `RULE`, exponents of the weight when it rises and falls)
RULES: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "additive": ({}, (0.0, 0.0)),
    "multiplicative": ({"weight_dependence": "MultiplicativeWeightDependence", "w_min": 0.01}, (1.0, 1.0)),
    "mixed": ({"weight_dependence": "AdditivePotentiationMultiplicativeDepression", "A_minus": 0.3}, (0.0, 1.0)),
    "Guetig": ({"weight_dependence": "GutigWeightDependence", "mu_plus": 0.3, "mu_minus": 0.6}, (0.3, 0.6)),
    "axonal": ({"dendritic_delay_fraction": 0.0}, (0.0, 0.0)),
    "shared": ({"dendritic_delay_fraction": 0.3}, (0.0, 0.0)),
    "bound": ({"A_plus": 0.0, "w_min": 0.018}, (0.0, 0.0)),
}


def inhibiting(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule for weights that inhibit by their sign: what `pairs` gives it begins at -START."""
    return {**rule, "w_min": -rule["w_min"], "w_max": -rule["w_max"]}


def edges(size: int, target: int, columns: Mapping[str, Column]) -> Edges:
    return Edges(Column(np.zeros(size, dtype=np.int64)), Column(np.full(size, target)), Table(size, columns))


def pairs(rules: Mapping[str, Mapping[str, Any]]) -> tuple[Network, SimulationPlan]:
    """A cell for each rule, which a strong synapse makes spike, and which has weak plastic ones, one for each delay."""
    cells = {"cell": PointCell("IF_curr_delta", {"tau_refrac": 1.0}), "source": SpikeSource()}
    populations = {
        name: Population(name, size, Table(1, {"cell": text([cell])}))
        for name, size, cell in (("pre", 1, "source"), ("forcing", 1, "source"), ("cells", len(rules), "cell"))
    }
    synapses, projections = {"static": Synapse("StaticSynapse")}, {}
    for number, (name, rule) in enumerate(rules.items()):
        synapses[name] = Synapse("STDPMechanism", dict(rule))
        for kind, pre, model, weight, delays in (
            ("forced", "forcing", "static", 50.0, (0.1,)),
            ("plastic", "pre", name, START if rule.get("w_max", 1.0) > 0 else -START, DELAYS),
        ):
            made = edges(len(delays), number, {"weight": Column(weight), "delay": Column(np.array(delays))})
            types = Table(1, {"synapse": text([model]), "weight_unit": text(["mV"])})
            projections[f"{kind} {name}"] = Projection(f"{kind} {name}", pre, "cells", types, made)
    stimuli = tuple(
        Stimulus(name, SpikeTrains(name, np.zeros(len(times), dtype=np.int64), np.array(times)), {"population": name})
        for name, times in (("pre", PRE), ("forcing", FORCING))
    )
    network = Network("pairs", populations=populations, projections=projections, cells=cells, synapses=synapses)
    return network, SimulationPlan("pairs", duration=120.0, timestep=0.1, stimuli=stimuli)


def by_brian2(network: Network, plan: SimulationPlan) -> tuple[np.ndarray, dict[tuple[int, float], float]]:
    """When the first cell spikes, and the weights at the end by cell and delay."""
    runner = Brian2Runner()
    lowered = runner.lower(network, plan, Report())
    model = runner.build(lowered, Profile(options={"engine": "numpy"}), Report(), quiet)
    runner.run(model, quiet)
    spikes = runner.collect(model, lowered).spikes["cells"]
    weights = {}
    for plastic in (item for item in model.network.objects if "plus" in getattr(item, "variables", ())):
        delays = np.round(np.array(plastic.pre.delay) * 1000 + plan.timestep, 6)
        weights |= dict(zip(zip(plastic.j[:].tolist(), delays.tolist(), strict=True), plastic.weight[:], strict=True))
    return spikes.times[spikes.node_ids == 0], weights


def by_hand(rule: Mapping[str, Any], powers: tuple[float, float], post: np.ndarray) -> Iterator[float]:
    """Every pair of spikes, at the synapse: axon and dendrite share the delay. A coincidence is no pair."""
    part, most, least = rule.get("dendritic_delay_fraction", 1.0), rule["w_max"], rule["w_min"]
    for delay in DELAYS:
        arrive = [round(time + (1 - part) * delay, 6) for time in PRE]
        back = [round(time + part * delay, 6) for time in post]
        weight = START
        for time, comes in sorted([(time, True) for time in arrive] + [(time, False) for time in back]):
            others = [other for other in (back if comes else arrive) if other < time - 1e-6]
            tau = rule["tau_minus"] if comes else rule["tau_plus"]
            trace = sum(exp(-(time - other) / tau) for other in others)
            if comes:
                weight -= rule["A_minus"] * most * ((weight - least) / most) ** powers[1] * trace
            else:
                weight += rule["A_plus"] * most * ((most - weight) / most) ** powers[0] * trace
            weight = min(max(weight, least), most)
        yield weight


@pytest.mark.slow
def test_weights_are_those_of_every_pair_of_spikes() -> None:
    pytest.importorskip("brian2", reason="Brian2 is not installed")
    rules = {name: {**RULE, **more} for name, (more, _) in RULES.items()}
    signed = {f"inhibiting {name}": inhibiting(rule) for name, rule in rules.items()}
    post, weights = by_brian2(*pairs({**rules, **signed}))
    np.testing.assert_allclose(post, np.add(FORCING, 0.1))
    assert 34.8 in np.round(post + 1.5, 6)
    for number, (name, rule) in enumerate(rules.items()):
        found = [weights[number, delay] for delay in DELAYS]
        expected = list(by_hand(rule, RULES[name][1], post))
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)
        assert np.ptp(expected) > 0 or name == "bound", name
        mirrored = [-weights[len(rules) + number, delay] for delay in DELAYS]
        np.testing.assert_allclose(mirrored, expected, rtol=1e-12, err_msg=name)


#: name -> what differs: PyNN's rho is per ms, so that alpha = 2 rho tau is 2.4 here.
VOGELS: dict[str, dict[str, Any]] = {
    "dendritic": {},
    "shared": {"dendritic_delay_fraction": 0.3},
    "bounded": {"w_min": 0.019, "w_max": 0.0205},
    "quiet": {"rho": 0.0, "tau": 5.0},
}
VOGELS_RULE = {
    "timing_dependence": "Vogels2011Rule",
    "tau": 20.0,
    "eta": 1e-3,
    "rho": 0.06,
    "w_min": 0.0,
    "w_max": 0.05,
}


def vogels_by_hand(rule: Mapping[str, Any], post: np.ndarray) -> Iterator[float]:
    """Every pair, whatever its order; each spike that arrives costs alpha. A coincidence is a pair."""
    part, tau = rule.get("dendritic_delay_fraction", 1.0), rule["tau"]
    for delay in DELAYS:
        arrive = [round(time + (1 - part) * delay, 6) for time in PRE]
        back = [round(time + part * delay, 6) for time in post]
        weight = START
        events = sorted([(time, 1) for time in arrive] + [(time, 0) for time in back])
        for number, (time, comes) in enumerate(events):
            trace = sum(exp(-(time - other) / tau) for other, kind in events[:number] if kind != comes)
            weight += rule["eta"] * (trace - (2 * rule["rho"] * tau if comes else 0.0))
            weight = min(max(weight, rule["w_min"]), rule["w_max"])
        yield weight


@pytest.mark.slow
def test_the_rule_of_vogels_is_that_of_every_pair_of_spikes() -> None:
    pytest.importorskip("brian2", reason="Brian2 is not installed")
    rules = {name: {**VOGELS_RULE, **more} for name, more in VOGELS.items()}
    signed = {f"inhibiting {name}": inhibiting(rule) for name, rule in rules.items()}
    post, weights = by_brian2(*pairs({**rules, **signed}))
    ends = {}
    for number, (name, rule) in enumerate(rules.items()):
        ends[name] = [weights[number, delay] for delay in DELAYS]
        np.testing.assert_allclose(ends[name], list(vogels_by_hand(rule, post)), rtol=1e-12, err_msg=name)
        mirrored = [-weights[len(rules) + number, delay] for delay in DELAYS]
        np.testing.assert_allclose(mirrored, ends[name], rtol=1e-12, err_msg=name)
    assert min(ends["dendritic"]) < START < max(ends["quiet"])
    assert ends["shared"] != ends["dendritic"] != ends["bounded"]


def plastic(document: Document) -> Document:
    """Exciting and inhibiting connections by plastic synapses."""
    network, synapses = document.network, dict(document.network.synapses)
    projections = {}
    for name, old in network.projections.items():
        weight = old.edges.columns["weight"]
        least = float(np.abs(weight.data).max())
        rule = {"A_plus": 0.05, "A_minus": 0.06, "tau_minus": 30.0, "w_max": 2.5 * least, "mu_plus": 0.2}
        synapses[name] = Synapse("STDPMechanism", {**rule, "weight_dependence": "GutigWeightDependence"})
        stated = old.edges.columns.updated({"weight": weight.with_data(1.5 * weight.data)})
        types = old.types.updated({"synapse": text([name])})
        projections[name] = replace(old, types=types, edges=replace(old.edges, columns=stated))
    return replace(document, network=replace(network, projections=projections, synapses=synapses))


@pytest.mark.slow
def test_conductances_and_currents_of_both_signs_change_as_on_nest() -> None:
    pytest.importorskip("brian2", reason="Brian2 is not installed")
    pytest.importorskip("nest", reason="NEST is not installed")
    static = together(["IF_cond_exp", "IF_curr_exp"], 150.0)
    document = plastic(static)
    nest, unchanging = (simulate(one.network, one.plan, "nest") for one in (document, static))
    brian2 = simulate(document.network, document.plan, "brian2", engine="numpy")
    for name, found in brian2.spikes.items():
        theirs = nest.spikes[name]
        assert len(found.times) > 20 and len(found.times) != len(unchanging.spikes[name].times)
        assert found.node_ids.tolist() == theirs.node_ids.tolist()
        np.testing.assert_allclose(found.times, theirs.times, atol=1e-6)
    for ours, theirs in zip(brian2.traces, nest.traces, strict=True):
        assert np.abs(ours.data - theirs.data).max() < 1e-6


def lowered(rule: Mapping[str, Any], **columns: Column) -> tuple[Any, Report]:
    network, plan = pairs({"rule": {**RULE, **rule}})
    made = network.projections["plastic rule"]
    stated = made.edges.columns.updated({f"parameters:{name}": column for name, column in columns.items()})
    made = replace(made, edges=replace(made.edges, columns=stated))
    report = Report()
    network = replace(network, projections={made.name: made})
    return Brian2Runner().lower(network, plan, report), report


def test_bounds_are_in_the_unit_of_the_cells_and_amplitudes_may_differ_from_edge_to_edge() -> None:
    found, report = lowered({"w_min": 0.01}, A_plus=Column(np.array([0.1, 0.2, 0.3])))
    (spec,) = found.links[0].specs.values()
    assert (spec.parameters["Wmax"], spec.parameters["least"]) == pytest.approx((0.05, 0.2))
    assert spec.columns == {"parameters:A_plus": "A_plus"} and spec.plastic
    assert "synapse" not in report.codes()


@pytest.mark.parametrize(
    ("rule", "columns", "said"),
    [
        ({"timing_dependence": "Song"}, {}, "'Song' is no part of PyNN's STDP"),
        ({"w_max": 0.0}, {}, "w_max of STDP is 0"),
        ({}, {"w_max": Column(np.ones(3))}, "w_max of STDP differs from edge to edge"),
    ],
)
def test_mechanisms_that_cannot_be(rule: dict[str, Any], columns: dict[str, Column], said: str) -> None:
    with pytest.raises(PlanError, match=said) as error:
        lowered(rule, **columns)
    assert error.value.where == "projection plastic rule"


def test_another_rule_becomes_static_and_says_so() -> None:
    found, report = lowered({"timing_dependence": "Vogels2011Rule", "weight_dependence": "GutigWeightDependence"})
    (spec,) = found.links[0].specs.values()
    assert spec.code.name == "static"
    assert [issue.examples for issue in report if issue.code == "synapse"] == [["STDPMechanism"]]


def test_no_default_is_told_of_what_edges_state() -> None:
    network, plan = pairs({"rule": RULE})
    made = network.projections["plastic rule"]
    columns = made.edges.columns.updated({"parameters:tau_rec": Column(np.arange(made.size) + 100.0)})
    made = replace(made, edges=replace(made.edges, columns=columns))
    synapses = {"rule": Synapse("TsodyksMarkramSynapse", {"tau_facil": 3.0})}
    report = Report()
    network = replace(network, projections={made.name: made}, synapses=synapses)
    Brian2Runner().lower(network, plan, report)
    told = [issue.message for issue in report if issue.code == "default-parameter" and "Tsodyks" in issue.message]
    assert len(told) == 1 and "U=0.5" in told[0] and "tau_rec" not in told[0]
