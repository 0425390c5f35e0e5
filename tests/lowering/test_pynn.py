"""Networks and plans in PyNN's words, against values worked out by hand. No PyNN."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import PlanError, RunError
from pynn_io.graph import CableCell, Column, Network, PointCell, Population, Projection, SpikeSource, Synapse
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    PoissonTrains,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    SynapseReplay,
)
from pynn_io.lowering.pynn import Cells, Connections, connections, lower, target_of
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import edges, table

NEST, NEURON, BRIAN2 = (target_of(name) for name in ("nest", "neuron", "brian2"))
PLAN = SimulationPlan(duration=100.0, timestep=0.1)


def lowered(network: Network, plan: SimulationPlan = PLAN, target=NEST, report: Report | None = None):
    return lower(network, plan, target, Report() if report is None else report)


def cells_of(network: Network, target=NEST, report: Report | None = None) -> list[Cells]:
    return list(lowered(network, target=target, report=report).network.cells)


def edges_of(network: Network, target=NEST, report: Report | None = None) -> list[Connections]:
    report = Report() if report is None else report
    return list(connections(lowered(network, target=target, report=report).network, report))


def population(name: str, cells: list[str], index: list[int] | None = None, **columns: object) -> Population:
    index = [0] if index is None else index
    size = len(index)
    types = table(len(cells), cell=cells)
    return Population(name, size, types, Column(np.array(index)), table(size, **columns))


def network(cell: PointCell, synapse: Synapse | None = None, unit: str = "uS", **columns: object) -> Network:
    """Two sources onto three cells: 0 -> 0, 1 -> 1, 1 -> 2, 0 -> 0 again. columns: of the edges."""
    types = {name: columns.pop(name) for name in ("receptor", "weight_function") if name in columns}
    stated = {"weight": [0.5, 1.0, 2.0, 4.0], "delay": [1.0, 1.5, 2.0, 2.5], **columns}
    projection = Projection(
        "in_to_cells", "in", "cells", table(1, synapse=["s"], weight_unit=[unit], **types),
        edges([0, 1, 1, 0], [0, 1, 2, 0], **stated),
    )  # fmt: skip
    return Network(
        populations={"in": population("in", ["source"], [0, 0]), "cells": population("cells", ["cell"], [0, 0, 0])},
        projections={"in_to_cells": projection},
        cells={"source": SpikeSource(), "cell": cell},
        synapses={"s": synapse or Synapse("static")},
    )


def test_types_of_one_model_are_one_population_with_arrays() -> None:
    cells = {"slow": PointCell("IF_cond_exp", {"tau_m": 20.0}), "fast": PointCell("IF_cond_exp", {"tau_m": 10.0})}
    net = Network(
        populations={"p": population("p", ["slow", "fast"], [1, 0, 1], id=[7, 9, 8], x=[1.0, 2.0, 3.0])}, cells=cells
    )
    report = Report()
    (found,) = cells_of(net, report=report)
    assert (found.label, found.population, found.model, found.size) == ("p.IF_cond_exp", "p", "IF_cond_exp", 3)
    assert found.ids.tolist() == [7, 9, 8] and found.rows.tolist() == [0, 1, 2]
    assert found.parameters["tau_m"].tolist() == [10.0, 20.0, 10.0] and found.parameters["cm"] == 1.0
    assert found.initial == {"v": -65.0}
    assert found.positions.tolist() == [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]]
    assert (found.receptors, found.weight_unit) == (("excitatory", "inhibitory"), "uS")
    assert [(issue.code, issue.kind) for issue in report] == [("default-parameter", Kind.DEFAULTED)]


def test_every_model_of_a_population_is_one() -> None:
    cells = {"a": PointCell("IF_curr_exp"), "b": PointCell("Izhikevich"), "c": PointCell("IF_curr_exp")}
    net = Network(populations={"p": population("p", ["a", "b", "c"], [1, 2, 0, 1])}, cells=cells)
    izhikevich, leaky = sorted(cells_of(net), key=lambda item: item.label, reverse=True)
    assert (izhikevich.rows.tolist(), leaky.rows.tolist()) == ([0, 3], [1, 2])


def test_native_cells_stay_native_where_the_backend_has_them_and_else_are_standard_ones() -> None:
    cell = PointCell("nest:iaf_psc_alpha", {"C_m": 250.0, "tau_m": 10.0, "V_m": -71.0, "V_min": -90.0, "I_e": 100.0})
    net = network(cell, unit="pA")
    native = cells_of(net)[1]
    assert native.model == "nest:iaf_psc_alpha"
    assert native.parameters == {"C_m": 250.0, "tau_m": 10.0, "V_min": -90.0, "I_e": 100.0}
    assert (native.initial, native.weight_unit) == ({"V_m": -71.0}, "pA")
    report = Report()
    standard = cells_of(net, NEURON, report)[1]
    assert standard.model == "IF_curr_alpha"
    assert (standard.parameters["cm"], standard.parameters["i_offset"], standard.initial["v"]) == (0.25, 0.1, -71.0)
    assert [issue.examples for issue in report if issue.code == "parameter-not-applied"] == [["V_min"]]


def test_times_of_intfire_cells_are_milliseconds() -> None:
    cell = PointCell("nrn:IntFire1", {"tau": 0.024, "refrac": 0.003})
    found = cells_of(network(cell, unit="1"), NEURON)[1]
    assert (found.model, found.parameters, found.receptors) == (
        "nrn:IntFire1",
        {"tau": 24.0, "refrac": 3.0},
        ("excitatory",),
    )
    assert [item.receptor for item in edges_of(network(cell, unit="1"), NEURON)] == ["default"]


@pytest.mark.parametrize(
    ("unit", "stated", "receptor", "expected"),
    [
        ("uS", "inhibitory", "inhibitory", [0.5, 1.0, 2.0, 4.0]),
        ("nS", "excitatory", "excitatory", [0.0005, 0.001, 0.002, 0.004]),
        ("nA", "excitatory", "excitatory", [0.5, 1.0, 2.0, 4.0]),
        ("nA", "inhibitory", "inhibitory", [-0.5, -1.0, -2.0, -4.0]),
    ],
)
def test_signs_and_units_of_weights_are_pynns(unit: str, stated: str, receptor: str, expected: list[float]) -> None:
    model = "IF_cond_exp" if unit in ("uS", "nS") else "IF_curr_exp"
    (found,) = edges_of(network(PointCell(model), unit=unit, receptor=[stated]))
    assert (found.pre, found.post, found.receptor) == ("in.SpikeSourceArray", f"cells.{model}", receptor)
    assert found.columns["weight"].tolist() == pytest.approx(expected, rel=1e-15)
    assert found.columns["delay"].tolist() == [1.0, 1.5, 2.0, 2.5]
    assert (found.source.tolist(), found.target.tolist()) == ([0, 1, 1, 0], [0, 1, 2, 0])
    assert (found.synapse.model, found.synapse.parameters) == ("StaticSynapse", {})


def test_a_weight_without_a_receptor_chooses_it_by_its_sign() -> None:
    excite, inhibit = edges_of(network(PointCell("IF_curr_exp"), unit="nA", weight=[1.0, -2.0, 3.0, -4.0]))
    assert (excite.label, excite.receptor, excite.columns["weight"].tolist()) == (
        "in_to_cells-0",
        "excitatory",
        [1.0, 3.0],
    )
    assert (inhibit.label, inhibit.receptor, inhibit.columns["weight"].tolist()) == (
        "in_to_cells-1",
        "inhibitory",
        [-2.0, -4.0],
    )


def test_edges_may_state_their_receptor_and_how_many_synapses_they_are() -> None:
    stated = {"receptor": ["excitatory", "inhibitory", "excitatory", "7"], "nsyns": [1, 3, 0, 1]}
    net = network(PointCell("IF_cond_exp"))
    columns = edges([0, 1, 1, 0], [0, 1, 2, 0], weight=[0.5, 1.0, 2.0, 4.0], delay=1.0, **stated)
    net = replace(net, projections={"in_to_cells": replace(net.projections["in_to_cells"], edges=columns)})
    report = Report()
    excite, inhibit = edges_of(net, report=report)
    assert (excite.target.tolist(), excite.columns["weight"].tolist()) == ([0], [0.5])
    assert (inhibit.target.tolist(), inhibit.columns["weight"].tolist()) == ([1], [3.0])
    assert [issue.count for issue in report if issue.code == "receptor"] == [1]


def test_weights_in_a_wrong_unit_are_refused() -> None:
    with pytest.raises(PlanError, match=r"weights are in nA; the cells of population cells .* take uS"):
        edges_of(network(PointCell("IF_cond_exp"), unit="nA"))


def test_delays() -> None:
    report = Report()
    unstated = network(PointCell("IF_cond_exp"), delay=np.ma.array([1.0, 0, 2.04, 0], mask=[0, 1, 0, 1]))
    (found,) = edges_of(unstated, report=report)
    assert found.columns["delay"].tolist() == [1.0, 1.0, 2.0, 1.0]
    assert {"default-delay", "off-grid-delay"} <= report.codes()
    none = network(PointCell("IF_cond_exp"), delay=[0.0, 1.0, 1.0, 1.0])
    with pytest.raises(PlanError, match=r"a delay of 0\.0 ms is below the time step of 0\.1 ms"):
        edges_of(none)
    (found,) = edges_of(none, NEURON)
    assert found.columns["delay"].tolist() == [0.0, 1.0, 1.0, 1.0]


def test_plastic_synapses_have_pynns_parameters() -> None:
    markram = Synapse("TsodyksMarkramSynapse", {"U": 0.3, "tau_rec": 500.0})
    (found,) = edges_of(network(PointCell("IF_cond_exp"), markram, **{"parameters:tau_facil": [1.0, 2.0, 3.0, 4.0]}))
    assert (found.synapse.model, found.synapse.parameters) == (markram.model, markram.parameters)
    assert found.columns["tau_facil"].tolist() == [1.0, 2.0, 3.0, 4.0]
    native = Synapse("nest:tsodyks_synapse", {"U": 0.3, "tau_fac": 5.0, "tau_psc": 5.0})
    (found,) = edges_of(network(PointCell("IF_cond_exp"), native), NEURON)
    assert (found.synapse.model, found.synapse.parameters) == (markram.model, {"U": 0.3, "tau_facil": 5.0})
    (found,) = edges_of(network(PointCell("IF_cond_exp"), native))
    assert found.synapse.model == native.model and found.columns["weight"].tolist() == [500.0, 1000.0, 2000.0, 4000.0]


def test_stdp_is_complete_and_its_bounds_are_in_the_unit_of_the_weights() -> None:
    stdp = Synapse("STDPMechanism", {"weight_dependence": "MultiplicativeWeightDependence", "w_max": 40.0})
    (found,) = edges_of(network(PointCell("IF_cond_exp"), stdp, "nS"))
    assert found.synapse.parameters == {
        "timing_dependence": "SpikePairRule", "weight_dependence": "MultiplicativeWeightDependence",
        "dendritic_delay_fraction": 1.0, "tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.01, "A_minus": 0.01,
        "w_min": 0.0, "w_max": pytest.approx(0.04, rel=1e-15),
    }  # fmt: skip
    with pytest.raises(PlanError, match="'Song' is no part of PyNN's STDP"):
        edges_of(network(PointCell("IF_cond_exp"), Synapse("STDPMechanism", {"timing_dependence": "Song"})))


def test_stdp_is_what_a_backend_has_of_it() -> None:
    """PyNN's Brian2 has axonal delays and the additive rule; its NEST has bounds in pA for all cells."""
    report = Report()
    (found,) = edges_of(network(PointCell("IF_cond_exp"), Synapse("STDPMechanism")), BRIAN2, report)
    assert found.synapse.parameters["dendritic_delay_fraction"] == 0.0
    (issue,) = report.of_kind(Kind.APPROXIMATED)
    assert "dendritic_delay_fraction of STDP is 0, not 1" in issue.message
    report, soft = Report(), Synapse("STDPMechanism", {"weight_dependence": "MultiplicativeWeightDependence"})
    (found,) = edges_of(network(PointCell("IF_cond_exp"), soft), BRIAN2, report)
    (issue,) = report.of_kind(Kind.APPROXIMATED)
    assert found.synapse.model == "StaticSynapse" and "by the additive rule" in issue.message
    bounded = Synapse("STDPMechanism", {"w_max": 4.0})
    (found,) = edges_of(network(PointCell("IF_curr_delta"), bounded, "mV"), NEST)
    assert found.synapse.parameters["w_max"] == pytest.approx(0.004) and found.columns["weight"][0] == 0.5


def test_a_replay_is_sources_with_the_synapses_of_their_nodes() -> None:
    net = network(PointCell("IF_cond_exp"))
    trains = SpikeTrains("in", np.array([1, 1]), np.array([5.0, 7.0]))
    stimulus = Stimulus("again", SynapseReplay(trains, delay=6.0), {"population": "cells", "node_id": [0, 2]})
    plan = lowered(net, replace(PLAN, stimuli=(stimulus,))).plan
    ((sources,), (edges_,)) = plan.drives, plan.drive_connections
    assert (sources.label, sources.size, edges_.pre, edges_.post) == ("again.in", 1, "again.in", "cells.IF_cond_exp")
    assert plan.trains["again.in"].times.tolist() == [7.0] and plan.trains["again.in"].rows.tolist() == [0]
    # of 1 -> 1 and 1 -> 2 the second
    assert (edges_.source.tolist(), edges_.target.tolist()) == ([0], [2])
    assert {name: values.tolist() for name, values in edges_.columns.items()} == {"weight": [2.0], "delay": [2.0]}


@pytest.mark.parametrize(
    ("model", "target"), [("nrn:Exp2Syn", NEST), ("nest:clopath_synapse", NEURON), ("MultiQuantalSynapse", BRIAN2)]
)
def test_synapses_that_a_backend_lacks_become_static(model: str, target) -> None:
    report = Report()
    (found,) = edges_of(network(PointCell("IF_cond_exp"), Synapse(model)), target, report)
    assert found.synapse.model == "StaticSynapse"
    (issue,) = report.of_kind(Kind.APPROXIMATED)
    assert (issue.code, issue.where, issue.examples) == ("synapse", "projection in_to_cells", [model])


def test_gap_junctions_are_left_out_by_name() -> None:
    net = network(PointCell("IF_cond_exp"))
    gap = replace(net.projections["in_to_cells"], kind="electrical")
    report = Report()
    assert edges_of(replace(net, projections={"gap": gap}), report=report) == []
    assert [(issue.code, issue.kind, issue.count) for issue in report.of_kind(Kind.LOST)] == [
        ("projection-kind", Kind.LOST, 4)
    ]


def test_cells_that_a_backend_lacks_are_left_out_with_their_edges() -> None:
    net = network(PointCell("IF_cond_exp"))
    types = table(2, cell=["cell", "cable"])
    mixed = Population("cells", 3, types, Column(np.array([0, 1, 1])), table(3))
    net = replace(net, populations={**net.populations, "cells": mixed}, cells={**net.cells, "cable": CableCell("m")})
    report = Report()
    (found,) = edges_of(net, report=report)
    assert found.target.tolist() == [0, 0]
    lost = {issue.code: issue for issue in report.of_kind(Kind.LOST)}
    assert (lost["cable-cell"].count, lost["cable-cell"].where) == (2, "population cells")
    assert lost["edges-without-cells"].count == 2


def test_where_nothing_is_left_the_error_says_what_and_where() -> None:
    net = Network(
        populations={name: population(name, [name]) for name in ("a", "b")},
        cells={"a": CableCell("m"), "b": PointCell("HH_cond_exp")},
    )
    with pytest.raises(RunError) as error:
        cells_of(net, BRIAN2)
    assert "pyNN.brian2 has none of the cells of this network" in str(error.value)
    assert "population a: pyNN.brian2 does not have cable cells" in str(error.value)
    assert "population b: pyNN.brian2 does not have the cell HH_cond_exp (its potential" in str(error.value)


def test_brian2_gets_cells_that_are_alike() -> None:
    column = {"parameters:d": [2.0, 8.0, 2.0]}
    net = Network(populations={"p": population("p", ["c"], [0, 0, 0], **column)}, cells={"c": PointCell("Izhikevich")})
    one, two = cells_of(net, BRIAN2)
    assert (one.label, one.rows.tolist(), one.parameters["d"]) == ("p.Izhikevich", [0, 2], 2.0)
    assert (two.label, two.rows.tolist(), two.parameters["d"]) == ("p.Izhikevich.2", [1], 8.0)
    assert len(cells_of(net, NEST)) == 1


def test_spikes_come_at_places_in_the_sources_and_on_steps_where_the_backend_knows_only_these() -> None:
    trains = SpikeTrains("in", np.array([1, 0, 1]), np.array([5.04, 7.0, 0.1]))
    plan = replace(PLAN, stimuli=(Stimulus("s", trains, {"population": "in"}),))
    net = network(PointCell("IF_cond_exp"))
    report = Report()
    found = lowered(net, plan, report=report).plan.trains["in.SpikeSourceArray"]
    assert (found.rows.tolist(), found.times.tolist()) == ([0, 1, 1], [7.0, 0.2, 5.04])
    assert [issue.count for issue in report if issue.code == "early-spikes"] == [1]
    found = lowered(net, plan, NEURON).plan.trains["in.SpikeSourceArray"]
    assert found.times.tolist() == [7.0, 0.1, 5.04]
    found = lowered(net, plan, BRIAN2).plan.trains["in.SpikeSourceArray"]
    assert found.times.tolist() == [7.0, 0.1, 5.0]


def test_poisson_sources_are_drawn_or_stay_such() -> None:
    rate = Stimulus("p", PoissonTrains(200.0, 10.0, 50.0, seed=3), {"population": "in"})
    plan = replace(PLAN, stimuli=(rate,))
    net = network(PointCell("IF_cond_exp"))
    drawn = lowered(net, plan, NEURON).plan.trains["in.SpikeSourceArray"]
    assert len(drawn.times) > 5 and (drawn.times > 10).all() and (drawn.times <= 60).all()
    declared = lowered(net, plan, target_of("neuron", declarative=True))
    (source,) = declared.network.of("in")
    assert (source.model, dict(source.parameters)) == (
        "SpikeSourcePoisson", {"rate": 200.0, "start": 10.0, "duration": 50.0},
    )  # fmt: skip
    assert not declared.plan.trains


def test_poisson_trains_with_a_weight_are_sources_of_their_own() -> None:
    stimulus = Stimulus("noise", PoissonTrains(100.0, seed=1, weight=-0.5), {"population": "cells", "node_id": [0, 2]})
    found = lowered(network(PointCell("IF_curr_exp"), unit="nA"), replace(PLAN, stimuli=(stimulus,))).plan
    (source,), (edge,) = found.drives, found.drive_connections
    assert (source.label, source.population, source.size) == ("noise.cells.IF_curr_exp", "", 2)
    assert (edge.target.tolist(), edge.receptor, edge.columns["weight"].tolist()) == (
        [0, 2],
        "inhibitory",
        [-0.5, -0.5],
    )
    assert set(found.trains[source.label].rows.tolist()) == {0, 1}


def test_currents() -> None:
    pulses = CurrentPulses(np.array([0.5, -0.2]), np.array([10.0, 20.0]), np.array([5.0, np.inf]))
    stimuli = (
        Stimulus("pulses", pulses, {"population": "cells", "node_id": [2]}),
        Stimulus("ramp", CurrentRamp(0.0, 1.0, 1.0, 0.2), {"population": "cells"}),
        Stimulus("sine", SinusoidalCurrent(0.1, 50.0, 5.0, 20.0), {"population": "cells"}),
    )
    net, plan = network(PointCell("IF_cond_exp")), replace(PLAN, stimuli=stimuli)
    first, second, ramp, sine = lowered(net, plan).plan.currents
    assert (first.model, first.parameters) == ("DCSource", {"amplitude": 0.5, "start": 10.0, "stop": 15.0})
    assert (second.parameters["stop"], second.targets.tolist()) == (100.0, [2])
    assert (ramp.model, ramp.parameters["times"].tolist()) == ("StepCurrentSource", [1.0, 1.1, 1.2])
    assert ramp.parameters["amplitudes"].tolist() == pytest.approx([0.25, 0.75, 0.0])
    assert sine.model == "StepCurrentSource"
    *_, sine = lowered(net, plan, target_of("nest", declarative=True)).plan.currents
    assert (sine.model, sine.parameters["frequency"], sine.parameters["stop"]) == ("ACSource", 50.0, 25.0)


def test_recordings_are_variables_of_pynn() -> None:
    asked = (Recording("r", "V_m, g_ex", {"population": "cells", "node_id": [1]}, interval=0.5, start=10.0, stop=20.0),)
    (found,) = lowered(network(PointCell("IF_cond_exp")), replace(PLAN, recordings=asked)).plan.recorders
    assert (found.cells, found.targets.tolist()) == ("cells.IF_cond_exp", [1])
    assert found.variables == (("V_m", "v", "mV"), ("g_ex", "gsyn_exc", "uS"))
    assert (found.start, found.stop, found.interval) == (10.0, 20.0, 0.5)
    with pytest.raises(PlanError, match="have no variable 'cai'"):
        wrong = replace(PLAN, recordings=(Recording("r", "cai", {"population": "cells"}),))
        lowered(network(PointCell("IF_cond_exp")), wrong)


def test_setup_states_the_least_delay_and_covers_the_longest() -> None:
    setup = lowered(network(PointCell("IF_cond_exp"), delay=[1.0, 30.0, 2.0, 1.0]), replace(PLAN, seed=5)).setup
    assert (setup.timestep, setup.min_delay, setup.max_delay) == (0.1, 0.1, 30.0)
    assert setup.others == {"spike_precision": "on_grid", "rng_seed": 5}


@pytest.mark.parametrize(("plan", "text"), [({"duration": None}, "no end"), ({"timestep": 0.0}, "time step is 0.0")])
def test_plans_that_make_no_sense(plan: dict, text: str) -> None:
    with pytest.raises(PlanError, match=text):
        lowered(network(PointCell("IF_cond_exp")), replace(PLAN, **plan))


def test_lowering_imports_no_simulator() -> None:
    code = "import pynn_io.lowering.pynn, sys; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert "pynn_io" in loaded.stdout.split()
    assert not {"pyNN", "nest", "neuron", "brian2", "neo"} & set(loaded.stdout.split())
