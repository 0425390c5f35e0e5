"""NEST's runner at work: sample times, receptors, synapses, inputs, and what it refuses, against scripts by hand."""

from __future__ import annotations

import builtins
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, GraphError, PlanError, RunError
from pynn_io.graph.cells import PointCell, SpikeSource, UnknownCell
from pynn_io.graph.network import Edges, Network, Population, Projection
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    OrnsteinUhlenbeck,
    PoissonTrains,
    SinusoidalCurrent,
    SpikeTrains,
    Stimulus,
    SynapseReplay,
)
from pynn_io.graph.synapses import Synapse
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.nest import NestRunner
from pynn_io.runners.nest.lowered import Lowered
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.runners.nest_script import run_script
from tests.runners.nets import column, conductance_network, table

pytest.importorskip("nest")

TRAIN = Stimulus("train", SpikeTrains("in", np.zeros(5, dtype=np.int64), np.array([5.0, 15.0, 25.0, 35.0, 60.0])), "in")


def network(cell: Any, *projections: Projection, size: int = 1, synapses: dict[str, Synapse] | None = None) -> Network:
    return Network(
        populations={
            "cells": Population("cells", size, table(1, cell=["c"])),
            "in": Population("in", 2, table(1, cell=["s"])),
        },
        cells={"c": cell, "s": SpikeSource()},
        projections={item.name: item for item in projections},
        synapses={"s": Synapse("static"), **(synapses or {})},
    )


def link(types: Any, source: list[int], target: list[int], pre: str = "in", **columns: Any) -> Projection:
    edges = Edges(column(source), column(target), table(len(source), **columns))
    return Projection(f"{pre}_cells", pre, "cells", types, edges)


def run(net: Network, *stimuli: Stimulus, record: str = "V_m", report: Report | None = None, **more: Any) -> Results:
    settings = {"duration": 100.0, "timestep": 0.1, "seed": 1, "recordings": (Recording("r", record, "cells"),), **more}
    return simulate(net, SimulationPlan(stimuli=stimuli, **settings), "nest", report=report)


def by_hand(code: str, folder: Path, size: int = 1) -> np.ndarray:
    """Samples of V_m at 0.1 .. 99.9 ms of the cells that a script calls ``cells``, one column a cell."""
    before = "nest.resolution = 0.1\n"
    after = f"""
meter = nest.Create("multimeter", params=dict(record_from=["V_m"], interval=0.1))
nest.Connect(meter, cells)
nest.Simulate(110.0)
events = meter.events
result = [events["V_m"][events["senders"] == cells[0].global_id + k][:999] for k in range({size})]
"""
    return np.array(run_script(before + code + after, folder)).T


# --- recordings ---------------------------------------------------------------------------------------------------


def test_samples_have_the_times_that_they_are_of() -> None:
    """A leaky cell without input: V(t) = E_L + (V0 - E_L) exp(-t / tau), exact in NEST."""
    cell = PointCell("nest:iaf_psc_exp", {"E_L": -70.0, "V_m": -60.0, "tau_m": 10.0})
    late = Recording("late", "v", "cells", start=20.0, stop=30.0, interval=0.5)
    results = run(network(cell), recordings=(Recording("all", "v", "cells"), late))
    whole, part = results.traces
    assert whole.data.shape == (1000, 1) and part.data.shape == (20, 1)
    assert (whole.start, part.start, part.interval) == (0.0, 20.0, 0.5)
    for trace in results.traces:
        np.testing.assert_allclose(trace.data[:, 0], -70.0 + 10.0 * np.exp(-trace.times / 10.0), rtol=0, atol=1e-9)


def test_populations_of_several_models_are_one_trace_by_row() -> None:
    types = table(2, cell=["a", "b"])
    index = column([1, 0, 1])
    cells = Population("cells", 3, types, index, table(3, id=[30, 10, 20]))
    made = {"a": PointCell("nest:iaf_psc_exp", {"V_m": -61.0}), "b": PointCell("IF_curr_exp", {"v": -62.0})}
    results = run(Network(populations={"cells": cells}, cells=made), record="v")
    (trace,) = results.traces
    assert trace.node_ids.tolist() == [30, 10, 20] and trace.data[0].tolist() == [-62.0, -61.0, -62.0]
    assert results.nodes["cells"].tolist() == [30, 10, 20]


def test_what_pynn_calls_a_conductance_is_recorded_in_its_unit(tmp_path: Path) -> None:
    types = table(1, synapse=["s"], weight_unit=["uS"], receptor=["excitatory"])
    net = network(PointCell("IF_cond_exp", {"tau_syn_E": 4.0}), link(types, [0], [0], weight=[0.02], delay=[1.0]))
    (trace,) = run(net, TRAIN, record="gsyn_exc").traces
    assert trace.unit == "uS" and trace.data.max() == pytest.approx(0.02 * (1 + np.exp(-10 / 4.0) * 1.1), rel=0.02)


# --- synapses -----------------------------------------------------------------------------------------------------


def test_synapses_with_ports_plasticity_and_values_of_their_own(tmp_path: Path) -> None:
    cell = PointCell("nest:iaf_psc_exp_multisynapse", {"tau_syn": [2.0, 6.0], "V_m": -70.0})
    synapses = {"d": Synapse("nest:tsodyks2_synapse", {"U": 0.6, "tau_fac": 20.0})}
    types = table(2, synapse=["s", "d"], weight_unit=["pA", "pA"], delay=np.ma.array([1.5, 0.0], mask=[False, True]))
    projection = Projection(
        "p", "in", "cells", types,
        Edges(column([0, 0, 0]), column([0, 0, 1]), table(
            3, weight=[200.0, 300.0, 400.0], nsyns=[2, 1, 1], receptor=[1, 2, 1],
            parameters__tau_rec=np.ma.array([0.0, 50.0, 0.0], mask=[1, 0, 1]),
        )),
        column([0, 1, 1]),
    )  # fmt: skip
    with pytest.raises(RunError, match="static_synapse has no parameter 'tau_rec'"):
        run(network(cell, projection, size=2, synapses=synapses), TRAIN)
    projection = dataclasses.replace(projection, types=projection.types.updated({"synapse": column(["d0", "d"])}))
    synapses["d0"] = Synapse("nest:tsodyks2_synapse", {"U": 1.0, "tau_rec": 1e-3})
    report = Report()
    (trace,) = run(network(cell, projection, size=2, synapses=synapses), TRAIN, report=report).traces
    assert {issue.code: issue.count for issue in report}["default-delay"] == 2
    expected = by_hand(
        """
cells = nest.Create("iaf_psc_exp_multisynapse", 2, dict(tau_syn=[2.0, 6.0], V_m=-70.0))
source = nest.Create("spike_train_injector", params=dict(spike_times=[5.0, 15.0, 25.0, 35.0, 60.0]))
def connect(target, weight, delay, port, **more):
    nest.Connect(source, cells[target], syn_spec=dict(
        synapse_model="tsodyks2_synapse", weight=weight, delay=delay, receptor_type=port, **more))
connect(0, 400.0, 1.5, 1, U=1.0, tau_rec=1e-3)
connect(0, 300.0, 1.0, 2, U=0.6, tau_fac=20.0, tau_rec=50.0)
connect(1, 400.0, 1.0, 1, U=0.6, tau_fac=20.0)
""",
        tmp_path,
        2,
    )
    assert np.ptp(expected, axis=0).min() > 0.5
    np.testing.assert_allclose(trace.data[1:], expected, rtol=0, atol=1e-9)


def test_receptors_of_edges_by_name(tmp_path: Path) -> None:
    """Conductances are stated positive; the name of the receptor makes one inhibit."""
    types = table(1, synapse=["s"], weight_unit=["uS"], delay=[1.0])
    columns = {"weight": [0.01, 0.02], "receptor": ["excitatory", "inhibitory"]}
    net = network(PointCell("IF_cond_exp", {"v": -65.0}), link(types, [0, 0], [0, 1], **columns), size=2)
    (trace,) = run(net, TRAIN).traces
    expected = by_hand(
        """
cells = nest.Create("iaf_cond_exp", 2, dict(C_m=1000.0, g_L=50.0, E_L=-65.0, V_reset=-65.0, V_th=-50.0, t_ref=0.1,
    tau_syn_ex=5.0, tau_syn_in=5.0, E_ex=0.0, E_in=-70.0, V_m=-65.0))
source = nest.Create("spike_generator", params=dict(spike_times=[5.0, 15.0, 25.0, 35.0, 60.0]))
nest.Connect(source, cells[0], syn_spec=dict(weight=10.0, delay=1.0))
nest.Connect(source, cells[1], syn_spec=dict(weight=-20.0, delay=1.0))
""",
        tmp_path,
        2,
    )
    assert expected[:, 0].max() > -64.5 and expected[:, 1].min() < -65.2
    np.testing.assert_allclose(trace.data[1:], expected, rtol=0, atol=1e-9)


def test_obi_point_neurons_and_their_synapses(tmp_path: Path) -> None:
    """AdEx with two receptors, and Tsodyks-Markram synapses whose parameters stand edge by edge."""
    cell = UnknownCell("point_neuron", {"e_rev": [0.0, -80.0], "tau_rise": [1.0, 1.0], "tau_decay": [3.0, 9.0]})
    types = table(1, synapse=["tm"], weight_unit=["nS"])
    columns = {"weight": [20.0], "delay": [2.0], "receptor": [2], "parameters__U": [0.3]}
    columns |= {"parameters__tau_rec": [80.0], "parameters__tau_fac": [10.0]}
    net = network(cell, link(types, [0], [0], **columns), synapses={"tm": Synapse("nest:tsodyks2_synapse")})
    (trace,) = run(net, TRAIN).traces
    expected = by_hand(
        """
cells = nest.Create("aeif_cond_beta_multisynapse", 1, dict(
    E_rev=[0.0, -80.0], tau_rise=[1.0, 1.0], tau_decay=[3.0, 9.0]))
source = nest.Create("spike_train_injector", params=dict(spike_times=[5.0, 15.0, 25.0, 35.0, 60.0]))
nest.Connect(source, cells, syn_spec=dict(synapse_model="tsodyks2_synapse", weight=20.0, delay=2.0, receptor_type=2,
    U=0.3, tau_rec=80.0, tau_fac=10.0))
""",
        tmp_path,
    )
    assert expected.min() < -71.0
    np.testing.assert_allclose(trace.data[1:], expected, rtol=0, atol=1e-6)


def test_glif_parameters_are_those_that_bmtk_computes(tmp_path: Path) -> None:
    pytest.importorskip("bmtk")
    from pynn_io.lowering.glif import _VARIANTS, to_glif_psc
    from tests.runners.test_nest_lower import GLIF

    names = [f"nest:{name}_psc" for name in _VARIANTS]
    code = f"""
from bmtk.simulator.pointnet.glif_utils import converter_builtin
result = {{name: converter_builtin(name, {GLIF!r}) for name in {names!r}}}
"""
    for name, (model, values) in run_script(code, tmp_path).items():
        ours = to_glif_psc(name, GLIF, "here")
        assert model == "nest:glif_psc"
        if name == "nest:glif_lif_r_psc":
            assert "V_reset" not in ours
        assert set(ours) - {"asc_r"} == set(values) - {"asc_r"}, name
        for key, value in values.items():
            np.testing.assert_allclose(ours[key], value, rtol=1e-12, err_msg=f"{name} {key}")


# --- inputs -------------------------------------------------------------------------------------------------------


def test_currents_of_every_kind(tmp_path: Path) -> None:
    """Each onto a cell of its own. A plan for NEST means the times of its generators, as the script does."""
    cell = PointCell("nest:iaf_psc_exp", {"V_th": 1000.0})
    whats = [
        CurrentPulses(np.array([0.1, 0.2]), np.array([0.0, 30.0]), np.array([10.0, np.inf])),
        SinusoidalCurrent(0.1, 50.0, 20.0, 40.0),
        CurrentRamp(0.0, 0.2, 10.0, 50.0),
    ]
    stimuli = [Stimulus(f"i{k}", what, {"population": "cells", "node_id": [k]}) for k, what in enumerate(whats)]
    (trace,) = run(network(cell, size=3), *stimuli, target_simulator="NEST").traces
    expected = by_hand(
        """
cells = nest.Create("iaf_psc_exp", 3, dict(V_th=1000.0))
spec = dict(delay=0.1)
nest.Connect(nest.Create("dc_generator", params=dict(amplitude=100.0, start=0.0, stop=10.0)), cells[0], syn_spec=spec)
nest.Connect(nest.Create("dc_generator", params=dict(amplitude=200.0, start=30.0)), cells[0], syn_spec=spec)
sine = dict(amplitude=100.0, frequency=50.0, phase=0.0, start=20.0, stop=60.0)
nest.Connect(nest.Create("ac_generator", params=sine), cells[1], syn_spec=spec)
k = np.arange(500)
ramp = dict(amplitude_times=np.append(np.round(10.0 + 0.1 * k, 6), 60.0),
            amplitude_values=np.append((k + 0.5) * 0.4, 0.0))
nest.Connect(nest.Create("step_current_generator", params=ramp), cells[2], syn_spec=spec)
""",
        tmp_path,
        3,
    )
    assert np.ptp(expected, axis=0).min() > 1.0
    # a sine from 20 ms on has gone through a whole period at 20 ms: its phase at 0 is 0
    np.testing.assert_allclose(trace.data[1:], expected, rtol=0, atol=1e-9)


def test_noise_has_its_mean_and_spread() -> None:
    """A cell of 10 MOhm per 100 pA: the mean of its potential follows the mean of the current."""
    cell = PointCell("nest:iaf_psc_exp", {"V_th": 1000.0, "tau_m": 10.0, "C_m": 1000.0})
    noise = Stimulus("ou", OrnsteinUhlenbeck(2.0, 0.5, 0.1, 0.0, 1000.0), "cells")
    (trace,) = run(network(cell, size=4), noise, duration=1000.0).traces
    settled = trace.data[1000:] + 70.0
    assert abs(settled.mean() - 5.0) < 0.15
    # sigma R sqrt(tau_noise / (tau_noise + tau_m)) = 0.1 nA * 10 MOhm * sqrt(1 / 6)
    assert settled.std() == pytest.approx(0.408, rel=0.2)
    assert abs(np.corrcoef(settled.T)[0, 1]) < 0.4


def test_spikes_replayed_and_spikes_straight_onto_cells() -> None:
    """Replay drives the synapses of a cell that is silent itself, and only those onto the stated targets."""
    types = table(1, synapse=["s"], weight_unit=["pA"], delay=[1.0])
    net = network(PointCell("nest:iaf_psc_exp"), link(types, [0, 0], [1, 2], "cells", weight=[500.0, 500.0]), size=3)
    spikes = SpikeTrains("cells", np.array([0]), np.array([10.0]))
    replay = Stimulus("r", SynapseReplay(spikes), {"population": "cells", "node_id": [1]})
    (trace,) = run(net, replay).traces
    assert trace.data[:, 1].max() > -69.0 and np.ptp(trace.data[:, [0, 2]]) == 0
    noise = Stimulus("n", PoissonTrains(1000.0, weight=2000.0), {"population": "cells", "node_id": [0]})
    results = run(net, noise)
    assert (results.spikes["cells"].node_ids == 0).any()


def test_part_of_a_network_and_silent_sources() -> None:
    types = table(1, synapse=["s"], weight_unit=["pA"], delay=[1.0], weight=[500.0])
    net = network(PointCell("nest:iaf_psc_exp"), link(types, [0, 0, 1], [0, 1, 1]), size=2)
    report = Report()
    results = run(net, TRAIN, node_set={"population": "cells", "node_id": [1]}, report=report)
    assert results.nodes["cells"].tolist() == [1] and results.traces[0].node_ids.tolist() == [1]
    # of three edges one goes to a cell that does not run, one comes from a source that is silent
    assert results.provenance["connections"] == 1 and "edges-without-cells" not in report.codes()


def test_threads_change_nothing() -> None:
    net, plan = conductance_network()
    one, two = (simulate(net, plan, "nest", threads=threads) for threads in (1, 2))
    assert one.provenance["threads"] == 1 and two.provenance["threads"] == 2
    for name, spikes in one.spikes.items():
        np.testing.assert_array_equal(spikes.node_ids, two.spikes[name].node_ids)
        np.testing.assert_array_equal(spikes.times, two.spikes[name].times)
    np.testing.assert_array_equal(one.traces[0].data, two.traces[0].data)


# --- refusals -----------------------------------------------------------------------------------------------------

STATED = table(1, synapse=["s"], weight_unit=["pA"])


@pytest.mark.parametrize(
    ("net", "more", "error", "where", "text"),
    [
        (network(PointCell("nest:iaf_psc_exq")), {}, RunError, "population cells", "no neuron model 'iaf_psc_exq'"),
        (network(PointCell("nest:iaf_psc_exp", {"tau": 1.0})), {}, RunError, "population cells", "no parameter 'tau'"),
        (network(PointCell("nest:iaf_psc_exp")), {"record": "cai"}, PlanError, "reports.r.variable_name", "'cai'"),
        (
            network(PointCell("nest:iaf_psc_exp"), link(STATED, [0], [0], delay=[-1.0])),
            {},
            GraphError,
            "",
            "1 edges have a negative delay",
        ),
        (
            network(PointCell("nest:iaf_psc_exp"), link(STATED, [0, 0], [0, 0], delay=[1.0, 0.04])),
            {},
            PlanError,
            "projection in_cells",
            "0.04 ms is below the time step of 0.1 ms",
        ),
        (
            network(PointCell("nest:iaf_psc_exp"), link(STATED, [0], [0]), synapses={"s": Synapse("nest:stp")}),
            {},
            RunError,
            "projection in_cells",
            "no synapse model 'stp'",
        ),
        (
            network(PointCell("nest:iaf_psc_exp"), link(STATED, [0], [0], receptor=[7])),
            {},
            RunError,
            "",
            "NEST refused while connecting projection in_cells",
        ),
    ],
)
def test_what_nest_cannot_build_is_a_typed_error(
    net: Network, more: dict[str, Any], error: type[Exception], where: str, text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        run(net, TRAIN, **more)
    assert caught.value.where == where


def test_the_error_says_what_can_be_recorded() -> None:
    with pytest.raises(PlanError) as caught:
        run(network(PointCell("nest:iaf_psc_exp")), record="cai")
    assert "I_syn_ex" in caught.value.hint and "V_m" in caught.value.hint


def test_delays_between_steps_are_counted() -> None:
    report = Report()
    projection = link(STATED, [0, 0, 0], [0, 0, 0], delay=[1.0, 1.04, 2.07])
    run(network(PointCell("nest:iaf_psc_exp"), projection), TRAIN, report=report)
    (issue,) = [issue for issue in report if issue.code == "off-grid-delay"]
    assert issue.count == 2 and "0.04 ms" in issue.message


def test_without_nest_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "nest":
            raise ImportError("No module named 'nest'")
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(BackendUnavailable, match=r"cannot be imported") as caught:
        NestRunner().build(Lowered(Network(), 1.0, 0.1, 1, (), {}), Profile(), Report(), quiet)
    assert "pynn_io[nest]" in caught.value.hint
