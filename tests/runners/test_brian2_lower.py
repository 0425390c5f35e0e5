"""Network and plan in Brian2's words, without Brian2: golden texts, and numbers worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, PlanError, RunError
from pynn_io.graph import Column, PointCell, text_column
from pynn_io.graph.cells import CableCell
from pynn_io.graph.stimuli import CurrentPulses, PoissonTrains, SpikeTrains, Stimulus
from pynn_io.report import Kind, Report
from pynn_io.runners.base import Profile
from pynn_io.runners.brian2 import Brian2Runner
from pynn_io.runners.brian2.engine import chosen
from pynn_io.runners.brian2.integration import runge_kutta
from pynn_io.runners.brian2.lowered import Lowered
from pynn_io.runners.brian2.standard import ROWS
from pynn_io.runners.brian2.standard_code import code_of, values_of
from pynn_io.simulation_plan import SimulationPlan
from tests.running.test_support_of_backends import point_network


def lowered(cell: PointCell, *stimuli: Stimulus, synapse: str = "static", **plan: object) -> tuple[Lowered, Report]:
    report = Report()
    stated = {"duration": 10.0, "timestep": 0.1, "stimuli": stimuli, **plan}
    network = point_network(cell, synapse)
    (projection,) = network.projections.values()
    own = replace(projection, types=projection.types.updated({"weight_unit": text_column(["1"])}))
    network = replace(network, projections={"p": own})
    return Brian2Runner().lower(network, SimulationPlan("p", **stated), report), report  # type: ignore[arg-type]


def test_brian2_is_not_imported_to_lower() -> None:
    program = "import sys, pynn_io.runners.brian2; sys.exit('brian2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_current_based_cell_is_its_equations_and_an_exact_step() -> None:
    code = code_of("IF_curr_exp")
    assert code.equations.splitlines()[:3] == [
        "dv/dt = ((v_rest - v) / tau_m + (i_e + i_i + i_offset + i_stim) / c_m) / ms : 1 (unless refractory)",
        "di_e/dt = (-i_e / tau_syn_E) / ms : 1",
        "di_i/dt = (-i_i / tau_syn_I) / ms : 1",
    ]
    assert code.advance == (
        "v = v_rest + p_v * (v - v_rest) + p_c * (i_offset + i_stim) + p_e * i_e + p_i * i_i\n"
        "i_e = d_e * i_e\ni_i = d_i * i_i",
    )
    assert code.receptors == {"excitatory": "i_e_post += {w}", "inhibitory": "i_i_post += {w}"}


def test_propagators_are_those_of_the_differential_equation() -> None:
    """By hand: tau_m 20, tau_syn_E 5, tau_syn_I 20 (equal to tau_m: a limit), cm 1, step 0.1."""
    values = values_of(PointCell("IF_curr_exp"), {"tau_syn_I": 20.0, "tau_refrac": 2.0}, 0.1, Report(), "here")
    assert values["p_v"] == pytest.approx(np.exp(-0.005))
    assert values["p_c"] == pytest.approx(20 * (1 - np.exp(-0.005)))
    between = (np.exp(-0.1 / 20) - np.exp(-0.1 / 5)) / (1 / 5 - 1 / 20)
    assert values["p_e"] == pytest.approx(between, rel=1e-12)
    assert values["p_i"] == pytest.approx(0.1 * np.exp(-0.005), rel=1e-12)
    assert values["resting"] == pytest.approx(2.1)  # NEST counts whole steps after the one with the spike


def test_every_row_declares_what_its_statements_use() -> None:
    for model in ROWS:
        code = code_of(model)
        values = values_of(PointCell(model), {}, 0.1, Report(), "here")
        declared = {line.split(" :")[0] for line in code.equations.splitlines() if line.endswith("(constant)")}
        assert declared <= values.keys(), model


def test_values_of_single_cells_and_of_nests_twin() -> None:
    rest = np.array([-70.0, -60.0])
    mine, _ = lowered(PointCell("nest:iaf_psc_exp", {"E_L": rest, "C_m": 500.0, "I_e": 100.0}))
    (cells,) = mine.cells
    np.testing.assert_array_equal(cells.values["v_rest"], rest)
    assert cells.values["c_m"] == 0.5  # pF -> nF
    assert cells.values["i_offset"] == 0.1  # pA -> nA
    assert cells.code.records["I_syn_ex"] == ("i_e", "pA", 1000.0)
    assert cells.size == 2


def test_runge_kutta_gives_the_fourth_order_of_an_exponential() -> None:
    """One step of length 1 of dx/dt = -x from 1: 1 - 1 + 1/2 - 1/6 + 1/24."""
    text = runge_kutta({"x": "-x"}, {}, 1).replace("dt / ms / 1", "1.0")
    names = {"x": 1.0}
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        names[name] = float(_arithmetic(value, names))
    assert names["x"] == pytest.approx(1 - 1 + 1 / 2 - 1 / 6 + 1 / 24)


def _arithmetic(expression: str, names: dict[str, float]) -> float:
    from pynn_io.graph.expressions import parse
    from pynn_io.lowering.evaluate import value

    return float(value(parse(expression), names))


def test_spikes_are_at_the_end_of_their_step_and_two_in_one_have_two_sources() -> None:
    trains = SpikeTrains("in", np.array([0, 0, 0, 0]), np.array([0.0, 2.04, 2.06, 5.0]))
    mine, _ = lowered(PointCell("IF_curr_exp"), Stimulus("s", trains, "in"))
    assert mine.sources.size == 2
    assert list(zip(mine.sources.index.tolist(), mine.sources.step.tolist(), strict=True)) == [
        (0, 0),
        (0, 21),
        (1, 21),
        (0, 50),
    ]
    assert [(feed.number.tolist(), feed.further) for feed in mine.sources.feeds] == [([0], False), ([1], True)]


def test_currents_share_columns() -> None:
    pulses = CurrentPulses(np.array([0.2, 0.1]), np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    mine, _ = lowered(PointCell("IF_curr_exp"), Stimulus("s", pulses, {"population": "cells", "node_id": [1]}))
    (cells,) = mine.cells
    assert cells.currents.shape == (51, 2)  # until a step after the last one with a current
    course = cells.currents[:, cells.course[1]]
    assert not cells.currents[:, cells.course[0]].any()
    np.testing.assert_allclose(course[[9, 10, 19, 20, 29, 30, 49, 50]], [0, 0.2, 0.2, 0.3, 0.3, 0.1, 0.1, 0])


def test_a_plan_for_nest_has_its_currents_a_step_later() -> None:
    pulses = CurrentPulses(np.array([0.2]), np.array([1.0]), np.array([2.0]))
    mine, _ = lowered(PointCell("IF_curr_exp"), Stimulus("s", pulses, "cells"), target_simulator="NEST")
    assert np.flatnonzero(mine.cells[0].currents.any(axis=1)).tolist() == list(range(11, 31))


def test_poisson_trains_are_those_of_the_other_backends() -> None:
    from pynn_io.lowering import trains

    stimulus = Stimulus("noise", PoissonTrains(400.0), "in")
    mine, _ = lowered(PointCell("IF_curr_exp"), stimulus, seed=5)
    plan = SimulationPlan("p", duration=10.0, timestep=0.1, stimuli=(stimulus,), seed=5)
    drawn = trains(plan, point_network(PointCell("IF_curr_exp")), Report())["in"].times
    # Less than half a tic of 0.001 ms after a step is at that step, as on NEST.
    np.testing.assert_array_equal(mine.sources.step, np.ceil((drawn - 0.0005) / 0.1).astype(int))


def test_an_unknown_rule_of_plasticity_becomes_static_and_says_so() -> None:
    _, report = lowered(PointCell("IF_curr_exp"), synapse="nest:clopath_synapse")
    (issue,) = report.of_kind(Kind.APPROXIMATED)
    assert (issue.code, issue.examples) == ("synapse", ["nest:clopath_synapse"])


def test_nothing_left_to_run_is_an_error() -> None:
    network = point_network(PointCell("nrn:IntFire1"))
    with pytest.raises(RunError, match="Brian2 has none of the cells"):
        Brian2Runner().lower(network, SimulationPlan("p", duration=10.0), Report())
    cables = replace(network, cells={**network.cells, "cell": CableCell()})
    with pytest.raises(RunError, match="nothing is left to run"):
        Brian2Runner().lower(cables, SimulationPlan("p", duration=10.0), Report())


@pytest.mark.parametrize(("change", "said"), [({"timestep": 0.0}, "cannot step by 0"), ({"duration": None}, "no end")])
def test_impossible_runs(change: dict[str, object], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        lowered(PointCell("IF_curr_exp"), **change)


def test_engines() -> None:
    assert chosen(Profile(options={"engine": "numpy"})) == "numpy"
    with pytest.raises(RunError, match="unknown engine 'fortran'"):
        chosen(Profile(options={"engine": "fortran"}))
    with pytest.raises(BackendUnavailable, match="one thread"):
        chosen(Profile(threads=2, options={"engine": "numpy"}))


def test_no_compiler_means_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    assert chosen(Profile()) == "numpy"
    with pytest.raises(BackendUnavailable, match="needs a C\\+\\+ compiler"):
        chosen(Profile(options={"engine": "cpp_standalone"}))


def test_a_column_of_cells_is_a_column_of_values() -> None:
    network = point_network(PointCell("EIF_cond_exp_isfa_ista"))
    own = network.populations["cells"].table.updated({"parameters:delta_T": Column(np.array([0.0, 2.0]), unit="mV")})
    changed = {**network.populations, "cells": replace(network.populations["cells"], table=own)}
    mine = Brian2Runner().lower(
        replace(network, populations=changed), SimulationPlan("p", duration=1.0, timestep=0.1), Report()
    )
    values = mine.cells[0].values
    np.testing.assert_array_equal(values["peak"], [-50.4, -40.0])  # without a slope the threshold itself fires
    np.testing.assert_array_equal(values["width"], [1.0, 2.0])
