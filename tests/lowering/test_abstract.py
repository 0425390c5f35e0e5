"""NeuroML's integrate-and-fire cells as standard cells: the numbers by hand, and the same spikes on NEST and NEURON."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import CurrentPulses, SpikeTrains, Stimulus, Targets
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.abstract import as_standard, under_stated_names, with_node_sets, with_potentials
from pynn_io.report import Report
from pynn_io.results import Trace
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan

IAF = PointCell(
    "neuroml:iafRefCell",
    {"C": 0.2, "leakConductance": 0.01, "leakReversal": -60.0, "thresh": -50.0, "reset": -65.0, "refract": 2.0},
)
EXCITING = Synapse("neuroml:expOneSynapse", {"gbase": 0.004, "erev": 0.0, "tauDecay": 3.0})
INHIBITING = Synapse("neuroml:expOneSynapse", {"gbase": 0.01, "erev": -80.0, "tauDecay": 7.0})


def _population(name: str, size: int, cell: str) -> Population:
    return Population(name, size, Table(1, {"cell": text_column([cell])}))


def _network(cell: PointCell = IAF, *synapses: Synapse, weight: list[float] | None = None) -> Network:
    named = {f"syn{number}": synapse for number, synapse in enumerate(synapses or (EXCITING, INHIBITING))}
    size = len(named)
    columns = {"delay": Column(np.full(size, 1.5), "ms")}
    if weight is not None:
        columns["weight"] = Column(np.array(weight), "1")
    types = Table(size, {"synapse": text_column(list(named)), "weight_unit": text_column(["1"] * size)})
    edges = Edges(Column(np.arange(size)), Column(np.zeros(size, dtype=np.int64)), Table(size, columns))
    return Network(
        populations={"in": _population("in", size, "src"), "cells": _population("cells", 1, "cell")},
        projections={"p": Projection("p", "in", "cells", types, edges, Column(np.arange(size)))},
        cells={"src": SpikeSource(), "cell": cell},
        synapses=named,
    )


def test_a_leaky_cell_and_its_synapses() -> None:
    made = as_standard(_network(weight=[1.0, 2.0]), 0.1, Report())
    cell = made.cells["cell"]
    assert isinstance(cell, PointCell)
    assert cell.model == "IF_cond_exp"
    expected = {"cm": 0.2, "tau_m": 20.0, "v_rest": -60.0, "v_thresh": -50.0, "v_reset": -65.0, "tau_refrac": 2.0}
    expected |= {"tau_syn_E": 3.0, "e_rev_E": 0.0, "tau_syn_I": 7.0, "e_rev_I": -80.0}
    assert {name: cell.parameters[name] for name in expected} == pytest.approx(expected)
    projection = made.projections["p"]
    assert projection.types.values("receptor").tolist() == ["excitatory", "inhibitory"]
    np.testing.assert_allclose(projection.edges.columns["weight"].read(2), [0.004, 0.02])


@pytest.mark.parametrize(
    "synapses",
    [
        (EXCITING, Synapse("neuroml:alphaSynapse", {"gbase": 1, "erev": 0, "tau": 2})),
        (EXCITING, INHIBITING, replace(EXCITING, parameters={"gbase": 1, "erev": -20, "tauDecay": 3})),
        (Synapse("neuroml:expTwoSynapse", {"gbase": 1, "erev": 0, "tauRise": 1, "tauDecay": 2}),),
    ],
)
def test_what_two_receptors_cannot_be_stays_what_it_is(synapses: tuple[Synapse, ...]) -> None:
    network = _network(IAF, *synapses)
    assert as_standard(network, 0.1, Report()) is network


def test_a_connection_without_a_delay_gets_one_step_and_a_word() -> None:
    network = _network()
    edges = network.projections["p"].edges
    bare = replace(network.projections["p"], edges=replace(edges, columns=Table(2)))
    report = Report()
    made = as_standard(replace(network, projections={"p": bare}), 0.1, report)
    assert made.projections["p"].types["delay"].value == 0.1
    assert report.codes() == {"no-delay"}


def test_pulses_onto_targets_add_up() -> None:
    pulses = CurrentPulses(np.array([0.1]), np.array([5.0]), np.array([20.0]))
    targets = Targets("in", np.array([0, 1, 1]), weight=np.array([1.0, 1.0, 2.0]))
    plan = with_node_sets(SimulationPlan(stimuli=(Stimulus("i", pulses, None, targets=targets),)), _network())
    found = [(each.node_set["node_id"], each.what.amplitudes.tolist()) for each in plan.stimuli]  # type: ignore[union-attr]
    assert found == [([0], [0.1]), ([1], [pytest.approx(0.3)])]


def test_potentials_of_a_lems_file_are_a_report() -> None:
    columns = (("a", "cells[0]/v"), ("b", "cells[0]/iSyn"))
    plan = SimulationPlan(recordings=(Recording("of", "", None, kind="quantities", columns=columns),))
    made = with_potentials(plan, _network()).recordings[1]
    assert (made.variable, made.node_set) == ("V_m", {"population": "cells", "node_id": [0]})


def test_potentials_come_back_under_the_name_of_the_file() -> None:
    """A report that the plan itself calls so keeps its name, and so does one of another population."""
    files = tuple(Recording(name, "", None, kind="quantities") for name in ("of", "of_cells"))
    plan = SimulationPlan(recordings=(*files[:1], Recording("own_cells", "v", None)))
    made = [
        Trace(name, "cells", "v", "mV", np.zeros((2, 1)), np.array([0]), 0.0, 0.1)
        for name in ("of_cells", "own_cells", "of_others")
    ]
    assert [one.report for one in under_stated_names(made, plan)] == ["of", "own_cells", "of_others"]
    stated = replace(plan, recordings=files)
    assert [one.report for one in under_stated_names(made[:1], stated)] == ["of_cells"]


@pytest.mark.slow
def test_nest_and_neuron_agree() -> None:
    pytest.importorskip("nest")
    pytest.importorskip("neuron")
    times = np.arange(10.0, 180.0, 9.0)
    trains = SpikeTrains("in", np.repeat([0, 1], [len(times), 3]), np.concatenate([times, [50.05, 90.05, 130.05]]))
    pulses = CurrentPulses(np.array([0.3]), np.array([20.0]), np.array([150.0]))
    plan = SimulationPlan(
        duration=200.0,
        timestep=0.01,
        stimuli=(
            Stimulus("spikes", trains, "in"),
            Stimulus("current", pulses, None, targets=Targets("cells", np.array([0]))),
        ),
    )
    found = [simulate(_network(), plan, backend).spikes["cells"].times for backend in ("nest", "neuron")]
    assert len(found[0]) == len(found[1]) > 4
    np.testing.assert_allclose(found[0], found[1], atol=0.15)  # Euler steps of 0.01 ms
