"""Network and plan in NEST's words, without NEST: golden values worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from pynn_io.errors import PlanError, ReadError, RunError
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import (
    ComponentInput,
    CurrentPulses,
    CurrentRamp,
    Hyperpolarizing,
    OrnsteinUhlenbeck,
    OtherStimulus,
    PoissonTrains,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    SynapseReplay,
    VoltageClamp,
)
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.glif import to_glif_psc
from pynn_io.lowering.grid import Grid
from pynn_io.report import Kind, Report
from pynn_io.runners.nest import NestRunner
from pynn_io.runners.nest.lowered import CellCurrents, Current, Lowered
from pynn_io.runners.nest.stimuli import own_steps
from pynn_io.simulation_plan import Recording, SimulationPlan


def column(values: Any) -> Column:
    if isinstance(values, list) and values and isinstance(values[0], str):
        return text_column(values)
    return Column(np.asarray(values) if isinstance(values, list) else values)


def table(size: int, **columns: Any) -> Table:
    return Table(size, {name.replace("__", ":"): column(values) for name, values in columns.items()})


def one(cell: Any, size: int = 3, projections: tuple[Projection, ...] = (), **columns: Any) -> Network:
    """Three cells of one definition, and two sources."""
    cells = Population("cells", size, table(1, cell=["c"]), table=table(size, **columns))
    source = Population("in", 2, table(1, cell=["s"]))
    return Network(
        populations={"cells": cells, "in": source},
        cells={"c": cell, "s": SpikeSource()},
        projections={item.name: item for item in projections},
        synapses={"e": Synapse("nest:static_synapse")},
    )


def lower(network: Network, *stimuli: Stimulus, **more: Any) -> tuple[Lowered, Report]:
    report = Report()
    settings = {"duration": 100.0, "timestep": 0.1, "target_simulator": "NEST", **more}
    return NestRunner().lower(network, SimulationPlan(stimuli=stimuli, **settings), report), report


NATIVE = PointCell("nest:iaf_psc_alpha", {"tau_m": 12.5, "type": "a label"})


def edges(**columns: Any) -> Edges:
    return Edges(column([0, 1]), column([2, 0]), table(2, **columns))


def test_nothing_here_imports_nest() -> None:
    code = "import sys, pynn_io.runners.nest, pynn_io.runners.nest.lower; sys.exit('nest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- cells --------------------------------------------------------------------------------------------------------


def test_native_cells_keep_their_parameters_and_per_cell_values() -> None:
    lowered, report = lower(one(NATIVE, parameters__C_m=[100.0, 120.0, 90.0]))
    (nodes,) = lowered.nodes
    assert (nodes.model, nodes.unit, nodes.signed) == ("iaf_psc_alpha", "pA", True)
    assert nodes.rows.tolist() == [0, 1, 2]
    assert nodes.parameters["tau_m"] == 12.5 and nodes.parameters["C_m"].tolist() == [100.0, 120.0, 90.0]
    assert "type" not in nodes.parameters and len(report) == 0


def test_a_standard_cell_in_nests_units() -> None:
    cell = PointCell("IF_cond_exp", {"cm": 0.25, "tau_m": 20.0, "v_rest": -70.0, "i_offset": 0.1, "e_rev_I": -75.0})
    lowered, report = lower(one(cell, parameters__tau_m=[20.0, 25.0, 10.0], parameters__v=[-70.0, -65.0, -60.0]))
    (nodes,) = lowered.nodes
    assert nodes.model == "iaf_cond_exp" and nodes.unit == "nS"
    # 0.25 nF over 20, 25 and 10 ms
    np.testing.assert_allclose(nodes.parameters["g_L"], [12.5, 10.0, 25.0], rtol=1e-15)
    assert nodes.parameters["C_m"] == 250.0 and nodes.parameters["I_e"] == 100.0
    assert nodes.parameters["E_in"] == -75.0 and nodes.parameters["E_ex"] == 0.0
    # PyNN's defaults, and its initial potential, are stated to NEST
    assert nodes.parameters["V_th"] == -50.0 and nodes.parameters["t_ref"] == 0.1
    assert nodes.parameters["V_m"].tolist() == [-70.0, -65.0, -60.0]
    assert report.codes() == {"default-parameter"}
    assert nodes.recordables["gsyn_exc"] == ("g_ex", "uS", 3) and nodes.recordables["v"] == ("V_m", "mV", 0)


def test_a_standard_cell_without_an_initial_potential_begins_as_in_pynn() -> None:
    (nodes,) = lower(one(PointCell("IF_curr_exp", {"v_rest": -61.0})))[0].nodes
    assert nodes.parameters["V_m"] == -65.0 and nodes.parameters["E_L"] == -61.0


@pytest.mark.parametrize(
    ("states", "lost"), [({"v_t": -50.0, "i_eta": 0.0}, set()), ({"v_t": -48.0, "i_eta": 0.1}, {"v_t", "i_eta"})]
)
def test_states_that_nest_computes_are_lost_where_they_are_not_at_rest(
    states: dict[str, float], lost: set[str]
) -> None:
    _, report = lower(one(PointCell("GIF_cond_exp", {"v_t_star": -50.0, **states})))
    found = [issue.message for issue in report if issue.code == "initial-state"]
    assert {name for name in states if f"GIF_cond_exp: NEST computes {name} from" in " ".join(found)} == lost


def test_facets_hardware_is_a_conductance_based_cell_with_fixed_values() -> None:
    (nodes,) = lower(one(PointCell("IF_facets_hardware1", {"g_leak": 50.0})))[0].nodes
    assert nodes.model == "iaf_cond_exp"
    assert (nodes.parameters["C_m"], nodes.parameters["g_L"], nodes.parameters["t_ref"]) == (200.0, 50.0, 1.0)


def test_an_obi_point_neuron_has_its_attributes_in_either_spelling() -> None:
    cell = UnknownCell("point_neuron", {"c_m": 281.0})
    lowered, _ = lower(one(cell, size=2, g_l=[30.0, 31.0], parameters__E_rev=[[0.0, -80.0], [0.0, -75.0]]))
    (nodes,) = lowered.nodes
    assert nodes.model == "aeif_cond_beta_multisynapse"
    assert nodes.parameters["C_m"] == 281.0 and nodes.parameters["g_L"].tolist() == [30.0, 31.0]
    assert nodes.parameters["E_rev"].tolist() == [[0.0, -80.0], [0.0, -75.0]]


GLIF = {
    "type": "GLIF",
    "El_reference": -0.07, "El": 0.001, "th_inf": 0.02, "R_input": 2e8, "C": 5e-11, "spike_cut_length": 40, "dt": 5e-5,
    "init_AScurrents": [0.0, 1e-12], "asc_tau_array": [0.1, 0.01], "asc_amp_array": [-2e-12, -5e-11],
    "coeffs": {"th_inf": 1.1, "G": 0.9, "C": 1.2, "a": 2.0, "b": 3.0, "asc_amp_array": [0.5, 2.0]},
    "threshold_dynamics_method": {"params": {"a_spike": 0.004, "b_spike": 20.0, "a_voltage": 5.0, "b_voltage": 10.0}},
    "voltage_reset_method": {"params": {"a": 0.3, "b": 0.01}},
}  # fmt: skip


def test_a_glif_cell_with_everything() -> None:
    """By hand: -70 mV reference, threshold 1.1 * 20 mV above it, conductance 0.9 / 200 MOhm = 4.5 nS ..."""
    found = to_glif_psc("nest:glif_lif_r_asc_a_psc", GLIF, "here")
    scalars = {
        "V_m": -69.0, "E_L": -69.0, "V_th": -48.0, "g": 4.5, "C_m": 60.0, "t_ref": 2.0, "th_spike_add": 4.0,
        "th_spike_decay": 0.02, "voltage_reset_fraction": 0.3, "voltage_reset_add": 10.0, "th_voltage_index": 0.01,
        "th_voltage_decay": 0.03,
    }  # fmt: skip
    for name, value in scalars.items():
        assert found[name] == pytest.approx(value, rel=1e-12), name
    vectors = {
        "asc_init": [0.0, 1.0], "asc_decay": [0.01, 0.1], "asc_amps": [-1.0, -100.0], "asc_r": [1.0, 1.0],
        "tau_syn": [5.5, 8.5, 2.8, 5.8],
    }  # fmt: skip
    for name, values in vectors.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12)
    flags = ("spike_dependent_threshold", "after_spike_currents", "adapting_threshold")
    assert [found[name] for name in flags] == [True, True, True] and "V_reset" not in found


def test_a_glif_cell_of_the_simplest_kind_resets_to_the_reference() -> None:
    found = to_glif_psc("nest:glif_lif_psc", GLIF, "here")
    assert found["V_reset"] == -70.0 and "asc_amps" not in found and found["spike_dependent_threshold"] is False


def test_a_glif_cell_of_a_population() -> None:
    (nodes,) = lower(one(PointCell("nest:glif_lif_asc_psc", GLIF)))[0].nodes
    assert nodes.model == "glif_psc" and nodes.parameters["after_spike_currents"] is True
    assert "coeffs" not in nodes.parameters


@pytest.mark.parametrize(
    ("template", "config", "text"),
    [
        ("nest:glif_lif_x_psc", GLIF, "no GLIF template"),
        ("nest:glif_lif_psc", {"type": "GLIF", "El_reference": 0.0}, "has no 'coeffs'"),
        ("nest:glif_lif_psc", {**GLIF, "El": "low"}, "malformed"),
    ],
)
def test_broken_glif_cells(template: str, config: dict[str, Any], text: str) -> None:
    with pytest.raises(ReadError, match=text):
        lower(one(PointCell(template, config)))


def test_cells_that_nest_does_not_have_are_left_out_by_name() -> None:
    network = one(NATIVE)
    dendrites = Population("dendrites", 4, table(1, cell=["d"]))
    network = Network(
        populations={**network.populations, "dendrites": dendrites},
        cells={**network.cells, "d": CableCell("m")},
        synapses=network.synapses,
    )
    lowered, report = lower(network)
    (issue,) = report
    assert (issue.code, issue.kind, issue.count, issue.where) == ("cable-cell", Kind.LOST, 4, "population dendrites")
    assert lowered.left_out["dendrites"].all() and not lowered.left_out["cells"].any()


@pytest.mark.parametrize("cell", [CableCell("m"), PointCell("nrn:IntFire1"), UnknownCell("astrocyte")])
def test_a_network_without_a_cell_for_nest_is_refused(cell: Any) -> None:
    with pytest.raises(RunError, match="nothing is left to run"):
        lower(one(cell))


# --- synapses -----------------------------------------------------------------------------------------------------


def link_of(types: Table, cell: Any = NATIVE, synapse: Synapse | None = None, **more: Any) -> Any:
    projection = Projection("p", "in", "cells", types, edges(**more))
    network = one(cell, projections=(projection,))
    if synapse is not None:
        network = Network(network.name, network.populations, network.projections, network.cells, {"e": synapse})
    lowered, report = lower(network)
    return lowered.links[0], report


def test_types_that_connect_alike_are_one_spec() -> None:
    types = table(3, synapse=["e", "e", "e"], weight_unit=["pA", "pA", "pA"], weight=[1.0, 2.0, 3.0])
    link, _ = link_of(types)
    (spec,) = link.specs
    assert (spec.model, spec.unit, spec.native, spec.port) == ("static_synapse", "pA", "pA", 0)
    assert link.spec_of.tolist() == [[0], [0], [0]]


def test_plastic_synapses_with_values_of_types_and_of_edges() -> None:
    synapse = Synapse("nest:stdp_synapse", {"lambda": 0.02, "Wmax": 300.0, "level_of_detail": "x", "sign": 1})
    link, _ = link_of(table(1, synapse=["e"], weight_unit=["pA"]), synapse=synapse, parameters__alpha=[1.0, 1.1])
    (spec,) = link.specs
    assert spec.model == "stdp_synapse" and spec.plastic
    assert dict(spec.parameters) == {"lambda": 0.02, "Wmax": 300.0}
    assert spec.columns == (("parameters:alpha", "alpha"),) and link.names == ("parameters:alpha",)


def test_standard_synapses_under_nests_names() -> None:
    synapse = Synapse("TsodyksMarkramSynapse", {"U": 0.4, "tau_rec": 100.0, "tau_facil": 50.0})
    cell = PointCell("IF_curr_exp", {"tau_syn_E": 3.0, "tau_syn_I": 7.0})
    types = table(1, synapse=["e"], weight_unit=["nA"], receptor=["inhibitory"])
    link, _ = link_of(types, cell, synapse)
    (spec,) = link.specs
    assert spec.model == "tsodyks_synapse" and spec.inhibitory
    assert dict(spec.parameters) == {"U": 0.4, "tau_rec": 100.0, "tau_fac": 50.0, "tau_psc": 7.0}
    assert (spec.unit, spec.native) == ("nA", "pA")


def test_targets_with_a_time_constant_of_their_own_give_it_to_their_synapses() -> None:
    """Rows 2 and 0 are the targets."""
    synapse = Synapse("TsodyksMarkramSynapse", {"U": 0.4})
    types = table(1, synapse=["e"], weight_unit=["nA"], receptor=["inhibitory"])
    projection = Projection("p", "in", "cells", types, edges())
    network = one(PointCell("IF_curr_exp"), projections=(projection,), parameters__tau_syn_I=[1.2, 6.7, 4.3])
    network = Network(network.name, network.populations, network.projections, network.cells, {"e": synapse})
    (link,) = lower(network)[0].links
    assert link.specs[0].of_target == (("tau_psc", "tau_syn_in"),)
    assert "tau_psc" not in dict(link.specs[0].parameters)
    assert link.of_target["tau_syn_in"].tolist() == [1.2, 6.7, 4.3]


def test_ports_of_receptors() -> None:
    cell = PointCell("nest:glif_psc", {"tau_syn": [1.0, 2.0]})
    link, _ = link_of(table(2, synapse=["e", "e"], receptor=["1", "2"]), cell)
    assert [spec.port for spec in link.specs] == [1, 2] and link.spec_of.tolist() == [[0], [1]]
    link, _ = link_of(table(1, synapse=["e"]), cell, Synapse("static", {"receptor_type": 2}))
    assert link.specs[0].port == 2


@pytest.mark.parametrize(
    ("types", "synapse", "text"),
    [
        (table(1, synapse=["e"], weight_unit=["uS"]), None, "weights are in uS"),
        (table(1, synapse=["e"], receptor=["nmda"]), None, "'nmda' is no receptor"),
        (table(1, synapse=["e"]), Synapse("StructuralMechanism"), "no synapse model for 'StructuralMechanism'"),
    ],
)
def test_synapses_that_make_no_sense(types: Table, synapse: Synapse | None, text: str) -> None:
    with pytest.raises(PlanError, match=text) as caught:
        link_of(types, synapse=synapse)
    assert caught.value.where == "projection p"


def test_gap_junctions_are_reported() -> None:
    projection = Projection("p", "in", "cells", table(1, synapse=["e"]), edges(), kind="electrical")
    lowered, report = lower(one(NATIVE, projections=(projection,)))
    assert lowered.links == () and [issue.code for issue in report] == ["projection-kind"]


# --- spikes -------------------------------------------------------------------------------------------------------


def spikes(*times: float) -> Stimulus:
    return Stimulus("a", SpikeTrains("in", np.zeros(len(times), dtype=np.int64), np.array(times)), "in")


def test_input_spikes_are_on_the_grid_unless_the_plan_or_the_models_say_otherwise() -> None:
    assert not lower(one(NATIVE), spikes(3.0))[0].precise
    assert lower(one(NATIVE), spikes(3.0), spike_times="precise")[0].precise
    exact = one(PointCell("nest:iaf_psc_exp_ps"))
    assert lower(exact, spikes(3.0))[0].precise
    assert not lower(exact, spikes(3.0), spike_times="grid")[0].precise


@pytest.mark.parametrize(
    ("model", "between"), [("IF_curr_exp", "iaf_psc_exp_ps"), ("IF_curr_delta", "iaf_psc_delta_ps")]
)
def test_standard_cells_fire_between_steps_where_spikes_keep_their_times(model: str, between: str) -> None:
    """As PyNN has it; ``delta``, which iaf_psc_exp alone has, is not there."""
    (nodes,) = lower(one(PointCell(model)), spike_times="precise")[0].nodes
    assert nodes.model == between and "delta" not in nodes.parameters
    assert lower(one(PointCell(model)))[0].nodes[0].model == between.removesuffix("_ps")
    for other in ("IF_curr_alpha", "IF_cond_exp"):
        assert not lower(one(PointCell(other)), spike_times="precise")[0].nodes[0].model.endswith("_ps")


def test_cells_whose_currents_are_recorded_stay_on_steps() -> None:
    recordings = (Recording("i", "v, isyn_exc", {"population": "cells"}),)
    lowered, report = lower(one(PointCell("IF_curr_exp")), spike_times="precise", recordings=recordings)
    assert lowered.nodes[0].model == "iaf_psc_exp" and "spikes-on-steps" in report.codes()
    potential = (Recording("v", "v", {"population": "cells"}),)
    lowered, report = lower(one(PointCell("IF_curr_exp")), spike_times="precise", recordings=potential)
    assert lowered.nodes[0].model == "iaf_psc_exp_ps" and "spikes-on-steps" not in report.codes()


def test_a_sine_with_a_phase_is_steps_of_its_values_in_the_middle_of_each() -> None:
    """PyNN's ACSource as NeuroML has it: 0.3 nA at 20 Hz, a quarter of a period late, from 5 ms on."""
    numbers = {"phase": np.pi / 2, "delay": 5.0, "duration": 20.0, "amplitude": 0.3, "period": 50.0}
    sine = Stimulus("s", ComponentInput(Component("sineGenerator", "sine", numbers)), {"population": "cells"})
    lowered, _ = lower(one(NATIVE), sine, duration=30.0)
    (current,) = lowered.currents
    assert current.model == "step_current_generator"
    times, values = (np.asarray(current.parameters[f"amplitude_{name}"]) for name in ("times", "values"))
    inside = (times > 4.95) & (times < 24.95)
    np.testing.assert_allclose(values[inside], 300 * np.cos(2 * np.pi * (times[inside] - 4.95) / 50), atol=1e-6)
    assert np.count_nonzero(inside) == 200 and not values[~inside].any()


def test_a_spike_before_the_first_step_is_moved_to_it() -> None:
    assert lower(one(NATIVE), spikes(0.02, 7.33))[0].feeds[0].trains.times.tolist() == [0.1, 7.33]


@pytest.mark.parametrize("time", [0.0, -1.0, np.nan])
def test_spikes_at_or_before_the_beginning_are_refused(time: float) -> None:
    with pytest.raises(PlanError, match="at or before 0 ms: 1"):
        lower(one(NATIVE), spikes(5.0, time))


def test_replayed_spikes_reach_their_targets_only() -> None:
    replay = SynapseReplay(SpikeTrains("cells", np.array([0, 2]), np.array([5.0, 50.0])), delay=1.0, duration=10.0)
    lowered, _ = lower(one(NATIVE), Stimulus("r", replay, {"population": "cells", "node_id": [1]}))
    (feed,) = lowered.feeds
    assert feed.population == "cells" and feed.trains.rows.tolist() == [0]
    assert feed.targets is not None and feed.targets["cells"].tolist() == [False, True, False]


def test_poisson_trains_with_a_weight_go_straight_onto_cells() -> None:
    noise = Stimulus("n", PoissonTrains(500.0, weight=0.01), "cells")
    lowered, _ = lower(one(PointCell("IF_cond_exp")), noise, seed=2)
    (item,) = lowered.bombardments
    assert item.weight == 10.0 and set(item.trains.rows.tolist()) == {0, 1, 2} and lowered.feeds == ()


# --- currents -----------------------------------------------------------------------------------------------------


def generators(*stimuli: Stimulus, **settings: Any) -> tuple[list[tuple[str, dict[str, Any]]], Report]:
    lowered, report = lower(one(NATIVE), *stimuli, seed=1, **settings)
    found = [(item.model, dict(item.parameters)) for item in lowered.currents if isinstance(item, Current)]
    return found, report


def pulses(*rows: tuple[float, float, float]) -> Stimulus:
    return Stimulus("i", CurrentPulses(*(np.array(values) for values in zip(*rows, strict=True))), "cells")


def test_pulses_are_steps_in_picoamperes() -> None:
    ((model, found),), report = generators(pulses((0.15, 10.0, 5.0), (0.2, 15.0, 5.0), (0.1, 40.0, 1.0)))
    assert model == "step_current_generator" and len(report) == 0
    assert found["amplitude_times"].tolist() == [10.0, 15.0, 20.0, 40.0, 41.0]
    assert found["amplitude_values"].tolist() == [150.0, 200.0, 0.0, 100.0, 0.0]


def test_a_generator_is_a_step_early_in_a_plan_that_was_not_made_for_nest() -> None:
    """Its value takes one step to the cell, and the plan says when it acts there."""
    ((_, found),), report = generators(pulses((0.15, 10.0, 5.0)), target_simulator=None)
    assert found["amplitude_times"].tolist() == pytest.approx([9.9, 14.9]) and len(report) == 0
    ((model, constant), _), report = generators(pulses((0.15, 0.0, 5.0)), target_simulator=None)
    assert (model, constant["stop"]) == ("dc_generator", pytest.approx(4.9))
    assert [(issue.code, issue.kind) for issue in report] == [("late-current", Kind.APPROXIMATED)]


def test_pulses_that_overlap_add_up() -> None:
    ((_, found),), _ = generators(pulses((0.1, 10.0, 10.0), (0.2, 15.0, 10.0)))
    assert found["amplitude_times"].tolist() == [10.0, 15.0, 20.0, 25.0]
    np.testing.assert_allclose(found["amplitude_values"], [100.0, 300.0, 200.0, 0.0], rtol=1e-15)


def test_a_pulse_from_the_beginning_is_a_constant_current_until_its_end() -> None:
    found, _ = generators(pulses((0.1, 0.0, 10.0)))
    assert found[0] == ("dc_generator", {"amplitude": 100.0, "stop": 10.0})
    assert found[1][1]["amplitude_values"].tolist() == [0.0]
    forever, _ = generators(pulses((0.1, 20.0, np.inf)))
    assert forever[0][1]["amplitude_times"].tolist() == [20.0, 100.0]


def test_pulses_between_steps_are_moved_and_reported() -> None:
    ((_, found),), report = generators(pulses((0.1, 10.04, 5.0)))
    assert found["amplitude_times"].tolist() == [10.0, 15.0]
    (issue,) = report
    assert issue.code == "off-grid-current" and issue.count == 2 and "0.04 ms" in issue.message


def test_a_sine_begins_at_its_delay() -> None:
    ((model, found),), _ = generators(Stimulus("s", SinusoidalCurrent(0.1, 10.0, 25.0, 50.0), "cells"))
    assert model == "ac_generator"
    # a quarter of a period after 0: sin(2 pi 10 Hz (t - 25 ms)) is sin(... - 90 degrees)
    assert found == {"amplitude": 100.0, "frequency": 10.0, "phase": 270.0, "start": 25.0, "stop": 75.0}


def test_a_ramp_has_its_value_in_the_middle_of_every_step() -> None:
    ((_, found),), _ = generators(Stimulus("r", CurrentRamp(0.0, 0.1, 10.0, 0.5), "cells"))
    np.testing.assert_allclose(found["amplitude_times"], [10.0, 10.1, 10.2, 10.3, 10.4, 10.5])
    np.testing.assert_allclose(found["amplitude_values"], [10.0, 30.0, 50.0, 70.0, 90.0, 0.0])


def test_a_current_relative_to_the_cell_differs_from_cell_to_cell() -> None:
    network = one(NATIVE, parameters__holding_current=[-0.1, -0.2, -0.3])
    lowered, _ = lower(network, Stimulus("h", Hyperpolarizing(10.0, 20.0), {"population": "cells", "node_id": [0, 2]}))
    (item,) = lowered.currents
    assert isinstance(item, CellCurrents)
    ((_, first),) = own_steps(item, 0, 0, Grid(0.1))
    ((_, second),) = own_steps(item, 1, 2, Grid(0.1))
    assert first["amplitude_times"].tolist() == second["amplitude_times"].tolist() == [10.0, 30.0]
    np.testing.assert_allclose([first["amplitude_values"][0], second["amplitude_values"][0]], [-100.0, -300.0])


def test_noise_is_drawn_for_each_cell_and_repeats() -> None:
    noise = Stimulus("ou", OrnsteinUhlenbeck(5.0, 0.1, 0.02, 0.0, 100.0), "cells")
    (item,) = lower(one(NATIVE), noise, seed=3)[0].currents
    (again,) = lower(one(NATIVE), noise, seed=3)[0].currents
    values = [list(own_steps(item, cell, cell, Grid(0.1)))[-1][1]["amplitude_values"] for cell in (0, 1)]
    assert not np.array_equal(*values)
    np.testing.assert_array_equal(list(own_steps(again, 0, 0, Grid(0.1)))[-1][1]["amplitude_values"], values[0])


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (VoltageClamp(np.array([-60.0]), np.array([5.0])), "VoltageClamp"),
        (OrnsteinUhlenbeck(5.0, 0.1, 0.02, 0.0, 100.0, conductance=True), "OrnsteinUhlenbeck that is a conductance"),
        (OtherStimulus("xstim"), "xstim"),
    ],
)
def test_stimuli_that_nest_does_not_have_are_named(what: Any, kind: str) -> None:
    lowered, report = lower(one(NATIVE), Stimulus("x", what, "cells"), seed=1)
    (issue,) = report
    assert lowered.currents == () and issue.kind is Kind.LOST and kind in issue.message


def test_a_stimulus_on_no_cell_is_named() -> None:
    _, report = lower(one(NATIVE), Stimulus("i", pulses((1.0, 1.0, 1.0)).what, "in"))
    assert [issue.code for issue in report] == ["stimulus-without-cells"]


# --- the run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"duration": None}, "no end"),
        ({"duration": -5.0}, "must be positive"),
        ({"timestep": 0.0001}, "cannot step by 0.0001 ms"),
        ({"timestep": -0.1}, "cannot step by"),
        ({"spike_times": "sometimes"}, "spike_times is 'sometimes'"),
    ],
)
def test_plans_that_make_no_sense(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(PlanError, match=text):
        lower(one(NATIVE), **settings)


def test_what_the_plan_leaves_open_is_told() -> None:
    lowered, report = lower(one(NATIVE), timestep=None, v_init=-80.0, start=5.0, duration=100.04)
    assert lowered.timestep == 0.1 and lowered.duration == 100.0
    assert report.codes() == {"default-timestep", "initial-potential", "run-start", "off-grid-end"}


def test_recordings_lie_on_the_steps() -> None:
    soma = Recording("v", "V_m", {"population": "cells", "node_id": [2, 1]}, start=10.0, stop=50.0, interval=0.5)
    weights = Recording("w", "weight", "all", parameters={"module": "weight_recorder"})
    off = Recording("off", "V_m", "all", enabled=False)
    lowered, report = lower(one(NATIVE), recordings=(soma, weights, off))
    (meter,) = lowered.meters
    assert (meter.name, meter.rows.tolist(), meter.variables) == ("v", [1, 2], ("V_m",))
    assert (meter.start, meter.stop, meter.interval) == (10.0, 50.0, 0.5)
    assert [(issue.code, issue.where) for issue in report] == [("recording", "reports.w")]


def test_a_report_of_weights_says_that_weights_are_lost() -> None:
    weights = Recording("w", "", "all", kind="weight_recorder", file="w.csv", parameters={"nest_model": "stdp_synapse"})
    _, report = lower(one(NATIVE), recordings=(weights,))
    (issue,) = report
    assert issue.kind is Kind.LOST
    assert issue.message == (
        "The report 'w' of kind 'weight_recorder' is left out; not recorded: the weight of each plastic synapse at"
        " every spike."
    )


def test_a_node_set_that_selects_nothing_records_nothing_and_is_named() -> None:
    _, report = lower(one(NATIVE), recordings=(Recording("v", "V_m", {"population": "cells", "node_id": [9]}),))
    assert [issue.code for issue in report] == ["recording-without-cells"]


def test_part_of_a_network_runs_alone() -> None:
    lowered, report = lower(one(NATIVE), node_set={"population": "cells", "node_id": [1]})
    assert lowered.nodes[0].rows.tolist() == [1] and not lowered.left_out["cells"].any() and len(report) == 0
