"""PyNN's synapses that change or draw, on NEURON: weights of every pair of spikes by hand, and laws."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_io.errors import PlanError
from pynn_io.graph import Column, Edges, PointCell, Synapse, Table
from pynn_io.graph import text_column as text
from pynn_io.report import Report
from pynn_io.runners.neuron import NeuronRunner
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording
from tests.runners.pynn_backends import python
from tests.runners.test_brian2_stdp import DELAYS, RULE, RULES, START, VOGELS, VOGELS_RULE, by_hand, inhibiting, pairs
from tests.runners.test_brian2_stdp import vogels_by_hand as vogels

pytest.importorskip("neuron", reason="NEURON is not installed")

#: Run in a process of its own: NEURON keeps what was built.
_WEIGHTS = """
import json, sys
from pathlib import Path
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron import NeuronRunner
from tests.runners.test_brian2_stdp import pairs

network, plan = pairs(json.loads(Path(sys.argv[1]).read_text()))
runner, report = NeuronRunner(), Report()
lowered = runner.lower(network, plan, report)
model = runner.build(lowered, Profile(), report, quiet)
runner.run(model, quiet)
spikes = runner.collect(model, lowered).spikes["cells"]
weights = {
    name.removeprefix("plastic "): [
        point.direction * (point.strength if hasattr(point, "strength") else point.share * point.most)
        for point in made.points
    ]
    for name, made in model.synapses.items()
    if name.startswith("plastic ")
}
found = {"weights": weights, "post": spikes.times[spikes.node_ids == 0].tolist(), "codes": sorted(report.codes())}
Path(sys.argv[2]).write_text(json.dumps(found))
"""


@pytest.mark.slow
def test_weights_are_those_of_every_pair_of_spikes(tmp_path: Path) -> None:
    rules = {name: {**RULE, **more} for name, (more, _) in RULES.items()}
    rules |= {f"Vogels {name}": {**VOGELS_RULE, **more} for name, more in VOGELS.items()}
    rules |= {f"inhibiting {name}": inhibiting(rule) for name, rule in rules.items()}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    (tmp_path / "weights.py").write_text(_WEIGHTS)
    python(str(tmp_path / "weights.py"), str(tmp_path / "rules.json"), str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    assert "synapse" not in found["codes"]
    post = np.round(found["post"], 4)  # NEURON tells some 1e-6 ms after their step
    for name, (_, powers) in RULES.items():
        expected = list(by_hand(rules[name], powers, post))
        np.testing.assert_allclose(found["weights"][name], expected, rtol=1e-11, err_msg=name)
        np.testing.assert_allclose(found["weights"][f"inhibiting {name}"], np.negative(expected), rtol=1e-11)
        assert len(expected) == len(DELAYS) and (expected[0] != START or name == "bound")
    for name in VOGELS:
        expected = list(vogels(rules[f"Vogels {name}"], post))
        np.testing.assert_allclose(found["weights"][f"Vogels {name}"], expected, rtol=1e-11, err_msg=name)
        mirrored = found["weights"][f"inhibiting Vogels {name}"]
        np.testing.assert_allclose(mirrored, np.negative(expected), rtol=1e-11, err_msg=name)


def lowered(synapse: Synapse, cell: str = "IF_curr_delta", **columns: Column) -> tuple[Any, Report]:
    network, plan = pairs({"rule": RULE})
    made = network.projections["plastic rule"]
    stated = made.edges.columns.updated({f"parameters:{name}": column for name, column in columns.items()})
    made = replace(made, edges=replace(made.edges, columns=stated))
    cells = {**network.cells, "cell": PointCell(cell)}
    network = replace(network, projections={made.name: made}, synapses={"rule": synapse}, cells=cells)
    report = Report()
    return NeuronRunner().lower(network, plan, report).connections[0].relays, report


def test_what_differs_from_edge_to_edge_has_a_variable() -> None:
    (relay,), report = lowered(Synapse("STDPMechanism", RULE), A_plus=Column(np.array([0.1, 0.2, 0.3])))
    assert relay.mechanism == "PynnIoPairs"
    assert relay.columns["A_plus"] == "A_plus"
    assert (relay.parameters["most"], relay.dendritic) == (0.05, 1.0)
    assert "synapse" not in report.codes()
    with pytest.raises(PlanError, match="w_max of STDP differs from edge to edge, which NEURON does not have here"):
        lowered(Synapse("STDPMechanism", RULE), w_max=Column(np.ones(3)))


@pytest.mark.parametrize(
    "rule",
    [
        {"timing_dependence": "Vogels2011Rule", "weight_dependence": "GutigWeightDependence"},
        {"timing_dependence": "Vogels2011Rule", "weight_dependence": "MultiplicativeWeightDependence"},
    ],
)
def test_a_rule_without_a_process_becomes_static_and_says_so(rule: dict[str, str]) -> None:
    found, report = lowered(Synapse("STDPMechanism", rule))
    assert found == ()
    assert [issue.examples for issue in report if issue.code == "synapse"] == [["STDPMechanism"]]


@pytest.mark.slow
def test_spikes_pass_by_their_chance_and_by_the_seed() -> None:
    """A thousand edges of 0.001 mV onto a cell that does not leak: its potential counts what passed."""
    network, plan = pairs({"rule": RULE})
    size, chance = 1000, 0.3
    columns = {"weight": Column(0.001), "delay": Column(1.0)}
    edges = Edges(Column(np.zeros(size, dtype=int)), Column(np.zeros(size, dtype=int)), Table(size, columns))
    types = Table(1, {"synapse": text(["rule"]), "weight_unit": text(["mV"])})
    made = replace(network.projections["plastic rule"], types=types, edges=edges)
    cells = {**network.cells, "cell": PointCell("IF_curr_delta", {"tau_m": 1e9, "v_thresh": 0.0, "v": -65.0})}
    synapses = {"rule": Synapse("SimpleStochasticSynapse", {"p": chance})}
    network = replace(network, projections={made.name: made}, synapses=synapses, cells=cells)
    plan = replace(plan, recordings=(Recording("v", "v", {"population": "cells"}),), seed=5)
    passed = []
    for seed in (5, 6):
        (trace,) = simulate(network, replace(plan, seed=seed), "neuron").traces
        passed.append(round((trace.data[-1, 0] + 65.0) / 0.001))
    spikes = 8  # of the source, before the end
    spread = (size * spikes * chance * (1 - chance)) ** 0.5
    assert abs(passed[0] - size * spikes * chance) < 4 * spread
    assert passed[0] != passed[1]


def test_no_default_is_told_of_what_edges_state() -> None:
    stated = Synapse("TsodyksMarkramSynapse", {"tau_facil": 3.0})
    (relay,), report = lowered(stated, cell="IF_curr_exp", tau_rec=Column(np.array([100.0, 200.0, 300.0])))
    assert relay.columns["tau_rec"] == "tau_rec"
    told = [issue.message for issue in report if issue.code == "default-parameter" and "Tsodyks" in issue.message]
    assert len(told) == 1 and "U=0.5" in told[0] and "tau_rec" not in told[0]
