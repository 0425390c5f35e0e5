"""Plans from small configurations: units, defaults that stay absent, what is reported, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.errors import PlanError, ReadError
from pynn_io.graph import Column, Edges, Network, PointCell, Population, Projection, SpikeSource, Table, text_column
from pynn_io.graph.stimuli import CurrentPulses, CurrentRamp, SpikeTrains, SynapseReplay
from pynn_io.report import Report
from pynn_io.simulation_plan import Output, SimulationPlan
from pynn_io.simulation_plan.sonata import read_plan


def population(name: str, cell: str, ids: list[int]) -> Population:
    types = Table(1, {"cell": text_column([cell])})
    return Population(name, len(ids), types, table=Table(len(ids), {"id": Column(np.asarray(ids, dtype=np.int64))}))


def network(model: str = "IF_cond_exp") -> Network:
    edges = Edges(Column(np.asarray([0, 1])), Column(np.asarray([0, 1])), Table(2))
    kinds = Table(1, {"synapse": text_column(["syn"])})
    return Network(
        populations={
            "in": population("in", "source", [5, 9, 7]),
            "out": population("out", "cell", [0, 1]),
        },
        projections={"p": Projection("p", "in", "out", kinds, edges)},
        cells={"source": SpikeSource(), "cell": PointCell(model)},
    )


def plan_of(
    config: dict[str, Any], tmp_path: Path, report: Report | None = None, net: Network | None = None
) -> SimulationPlan:
    where = tmp_path / "simulation_config.json"
    return read_plan(config, where=where, base=tmp_path, network=net or network(), report=report or Report())


def clamp(**changes: Any) -> dict[str, Any]:
    item = {"input_type": "current_clamp", "module": "IClamp", "node_set": "out", "amp": 1.0, "delay": 2, "duration": 3}
    return {"inputs": {"c": {**item, **changes}}}


def test_what_is_not_stated_stays_absent(tmp_path: Path) -> None:
    plan = plan_of({"run": {"duration": 20}}, tmp_path)
    assert plan.duration == 20.0  # the old name of tstop
    absent = (plan.timestep, plan.spike_threshold, plan.celsius, plan.v_init, plan.seed, plan.target_simulator)
    assert absent == (None,) * 6
    assert (plan.stimuli, plan.recordings, dict(plan.node_sets), dict(plan.extra)) == ((), (), {}, {})


def test_fields_and_extra(tmp_path: Path) -> None:
    report = Report()
    config = {
        "run": {"tstop": 10, "dt": 0.1, "dL": 20.0, "spike_threshold": -15, "random_seed": 3},
        "conditions": {"celsius": 34, "v_init": -80, "spike_location": "AIS"},
        "output": {"output_dir": "out"},
        "target_simulator": "NEURON",
    }
    plan = plan_of(config, tmp_path, report)
    assert (plan.duration, plan.timestep, plan.spike_threshold, plan.seed) == (10.0, 0.1, -15.0, 3)
    assert (plan.celsius, plan.v_init) == (34.0, -80.0)
    assert (plan.section_length, plan.spike_location, plan.output) == (20.0, "AIS", Output("out"))
    assert plan.extra == {}
    assert len(report) == 0


def test_an_unknown_key_is_kept_and_reported(tmp_path: Path) -> None:
    report = Report()
    plan = plan_of({"run": {"tstop": 1, "tsop": 2}, "gravity": True}, tmp_path, report)
    (issue,) = list(report)
    assert (issue.code, issue.count, issue.examples) == ("unknown-simulation-key", 2, ["run.tsop", "gravity"])
    assert plan.extra == {"gravity": True, "run": {"tsop": 2}}


@pytest.mark.parametrize(
    ("simulator", "model", "expected"),
    [
        ("NEURON", "nest:iaf_psc_alpha", 380.0),
        ("NEST", "IF_cond_exp", 0.38),
        ("nest", "IF_cond_exp", 0.38),
        (None, "IF_cond_exp", 380.0),
        (None, "nest:iaf_psc_alpha", 0.38),
    ],
)
def test_the_unit_of_an_amplitude_follows_the_simulator(
    simulator: str | None, model: str, expected: float, tmp_path: Path
) -> None:
    config = clamp(amp=380.0) | ({"target_simulator": simulator} if simulator else {})
    plan = plan_of(config, tmp_path, net=network(model))
    assert plan.stimuli[0].what.amplitudes.tolist() == [expected]


def test_overlapping_steps_add_up_in_neuron_and_replace_each_other_in_nest(tmp_path: Path) -> None:
    config = clamp(amp=[1.0, 2.0], delay=[0, 10], duration=[30, 5])
    assert plan_of(config, tmp_path).stimuli[0].what.durations.tolist() == [30, 5]
    assert plan_of(config | {"target_simulator": "NEST"}, tmp_path).stimuli[0].what.durations.tolist() == [10, 5]


def test_where_a_clamp_sits(tmp_path: Path) -> None:
    (default,) = plan_of(clamp(), tmp_path).stimuli
    (placed,) = plan_of(clamp(section_name="dend", section_index=3, section_dist=0.25), tmp_path).stimuli
    assert (default.section, default.position, default.node_set) == ("soma", 0.5, "out")
    assert (placed.section, placed.position) == ("dend[3]", 0.25)


def test_a_csv_current_that_does_not_return_to_zero(tmp_path: Path) -> None:
    (tmp_path / "amps.csv").write_text("timestamps amps\n10 0.5\n15 0.0\n20 -0.25\n")
    config = {"run": {"tstop": 100}, "inputs": {"c": {"input_type": "csv", "module": "IClamp", "file": "amps.csv"}}}
    for simulator, last in (("NEURON", 5.0), ("NEST", 80.0)):
        report = Report()
        pulses = plan_of(config | {"target_simulator": simulator}, tmp_path, report).stimuli[0].what
        assert pulses.delays.tolist() == [10, 20]
        assert pulses.durations.tolist() == [5.0, last]
        assert report.codes() == {"current-without-end"}


def test_obi_linear_and_pulse(tmp_path: Path) -> None:
    common = {"input_type": "current_clamp", "delay": 10, "node_set": "out"}
    config = {
        "inputs": {
            "flat": {**common, "module": "linear", "amp_start": 0.5, "duration": 15},
            "ramp": {**common, "module": "linear", "amp_start": 0.5, "amp_end": 1.0, "duration": 15},
            "pulse": {**common, "module": "pulse", "amp_start": 2, "width": 4, "frequency": 100, "duration": 32},
            "sites": {
                **common,
                "module": "linear",
                "amp_start": 1,
                "duration": 1,
                "compartment_set": "cs",
                "node_set": None,
            },
        }
    }
    report = Report()
    plan = plan_of(config, tmp_path, report)
    flat, ramp, pulse, sites = (stimulus.what for stimulus in plan.stimuli)
    assert (flat.amplitudes.tolist(), flat.delays.tolist(), flat.durations.tolist()) == ([0.5], [10], [15])
    assert pulse.delays.tolist() == [10, 20, 30, 40]  # 100 Hz from 10 ms for 32 ms
    assert pulse.durations.tolist() == [4, 4, 4, 2]  # the last one is cut off at 42 ms
    assert ramp == CurrentRamp(0.5, 1.0, 10.0, 15.0)
    assert isinstance(sites, CurrentPulses)
    assert [stimulus.compartment_set for stimulus in plan.stimuli] == [None, None, None, "cs"]
    assert plan.stimuli[3].node_set is None
    assert len(report) == 0


def spike_file(path: Path, ids: list[int], times: list[float], group: str = "spikes/in") -> Path:
    with h5py.File(path, "w") as file:
        file[f"{group}/node_ids"] = np.asarray(ids, dtype=np.uint64)
        file[f"{group}/timestamps"] = np.asarray(times)
    return path


def test_spikes_onto_ids_that_do_not_exist_are_reported(tmp_path: Path) -> None:
    spike_file(tmp_path / "s.h5", [9, 1000, 5, 9], [3.0, 1.0, 2.0, 1.0])
    config = {"inputs": {"s": {"input_type": "spikes", "module": "h5", "input_file": "s.h5", "node_set": "in"}}}
    report = Report()
    (stimulus,) = plan_of(config, tmp_path, report).stimuli
    assert isinstance(stimulus.what, SpikeTrains)
    assert (stimulus.what.node_ids.tolist(), stimulus.what.times.tolist()) == ([5, 9, 9], [2.0, 1.0, 3.0])
    (issue,) = list(report)
    assert (issue.code, issue.count, issue.examples) == ("spikes-of-unknown-nodes", 1, ["1000"])


def test_spikes_of_a_population_outside_the_node_set_are_reported(tmp_path: Path) -> None:
    spike_file(tmp_path / "s.h5", [0, 1], [3.0, 1.0], "spikes/out")
    config = {"inputs": {"s": {"input_type": "spikes", "module": "h5", "input_file": "s.h5", "node_set": "in"}}}
    report = Report()
    assert plan_of(config, tmp_path, report).stimuli == ()
    found = [(issue.code, issue.count) for issue in report]
    assert found == [("spikes-outside-node-set", 2), ("input-without-spikes", 1)]


@pytest.mark.parametrize(
    ("change", "exact"),
    [({}, True), ({"delay": 1.5}, False), ({"duration": 2.5}, False), ({"node_set": {"population": "in"}}, False)],
)
def test_a_replay_is_exact_only_if_nothing_is_left_out(change: dict[str, Any], exact: bool, tmp_path: Path) -> None:
    spike_file(tmp_path / "r.h5", [5, 9], [1.0, 3.0])
    item = {"input_type": "spikes", "module": "synapse_replay", "spike_file": "r.h5", "delay": 0, "duration": 100}
    (stimulus,) = plan_of({"inputs": {"r": {**item, "node_set": "out", **change}}}, tmp_path).stimuli
    assert isinstance(stimulus.what, SpikeTrains if exact else SynapseReplay)
    if exact:
        assert stimulus.node_set == {"population": "in"}
    else:
        whole = {"delay": 0.0, "duration": 100.0, "node_set": "out", **change}
        assert (stimulus.what.delay, stimulus.what.duration) == (whole["delay"], whole["duration"])
        assert stimulus.node_set == whole["node_set"]
        assert stimulus.what.trains.times.tolist() == [1.0, 3.0]  # all of them: the window is the runner's business


def test_reports_become_recordings(tmp_path: Path) -> None:
    config = {
        "node_set": "out",
        "reports": {
            "v": {"cells": [0, 1], "variable_name": "V_m", "module": "multimeter_report", "sections": "soma"},
            "w": {
                "variable_name": ["a", "b"],
                "sections": "all",
                "start_time": 1,
                "end_time": 2.5,
                "dt": 0.5,
                "enabled": False,
                "unit": "nA",
            },
        },
    }
    first, second = plan_of(config, tmp_path).recordings
    assert (first.variable, first.node_set, first.sections) == ("V_m", [0, 1], "soma")
    assert (first.start, first.stop, first.interval, first.enabled) == (None, None, None, True)
    assert (first.kind, first.parameters) == ("compartment", {})
    assert (second.variable, second.node_set, second.sections) == ("a, b", "out", "all")
    assert (second.start, second.stop, second.interval, second.enabled) == (1.0, 2.5, 0.5, False)
    assert (second.kind, second.unit, second.parameters) == ("compartment", "nA", {})


def test_a_disabled_input_is_kept_but_is_no_stimulus(tmp_path: Path) -> None:
    plan = plan_of(clamp(enabled=False), tmp_path)
    assert plan.stimuli == ()
    assert plan.extra["disabled_inputs"]["c"]["amp"] == 1.0


def test_the_simulated_part_of_a_circuit_is_stated_by_the_plan(tmp_path: Path) -> None:
    """Runners honour it; a target that cannot state it names it (`pynn_io.audit`), so reading loses nothing."""
    report = Report()
    assert plan_of({"node_set": "out"}, tmp_path, report).node_set == "out"
    assert plan_of({}, tmp_path, report).node_set is None
    assert len(report) == 0


def test_simulation_node_sets_override_the_circuits(tmp_path: Path) -> None:
    (tmp_path / "sets.json").write_text('{"mine": {"node_id": [9]}, "both": ["mine", "theirs"]}')
    net = network()
    net = Network(net.name, net.populations, net.projections, net.cells, node_sets={"theirs": {"node_id": 0}})
    plan = plan_of({"node_sets_file": "sets.json"}, tmp_path, net=net)
    assert plan.node_sets == {"mine": {"node_id": [9]}, "both": ["mine", "theirs"]}


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"run": {"tstop": "long"}}, "run.tstop", "a number is expected, here it is 'long'"),
    ({"run": {"tstop": True}}, "run.tstop", "a number is expected, here it is True"),
    ({"run": {"random_seed": 1.5}}, "run.random_seed", "a whole number is expected, here it is 1.5"),
    ({"run": [1]}, "run", "an object is expected, here it is [1]"),
    ({"conditions": {"celsius": float("nan")}}, "conditions.celsius", "a number is expected, here it is nan"),
    (clamp(amp="0.1 nA"), "inputs.c.amp", "a number is expected, here it is '0.1 nA'"),
    (clamp(amp=[1.0, 2.0]), "inputs.c.amp", "must be equally long, here they are 2, 1 and 1"),
    (clamp(delay=None), "inputs.c.delay", "this number is missing"),
    (clamp(duration=-1), "inputs.c.duration", "a duration is negative"),
    (clamp(enabled="yes"), "inputs.c.enabled", "true or false is expected"),
    ({"inputs": {"c": 3}}, "inputs.c", "an object is expected, here it is 3"),
    (
        {"inputs": {"s": {"input_type": "spikes", "module": "h5"}}},
        "inputs.s.input_file",
        "the name of a file is missing",
    ),
    ({"reports": {"v": {"variable_name": 3}}}, "reports.v.variable_name", "a text or a list of texts is expected"),
    ({"node_sets": {"a": ["a"]}}, "node_sets", "node set 'a' contains itself: a -> a"),
    ({"node_sets": 3}, "node_sets", "node sets must be an object"),
]


@pytest.mark.parametrize(
    ("config", "place", "text"), MALFORMED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_malformed_value_names_file_and_key(config: dict[str, Any], place: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        plan_of(config, tmp_path)
    assert caught.value.where == f"{tmp_path / 'simulation_config.json'}:{place}"
    assert text in caught.value.message
    assert caught.value.exit_status == 4


def test_a_node_set_that_does_not_exist(tmp_path: Path) -> None:
    spike_file(tmp_path / "s.h5", [5], [1.0])
    config = {"inputs": {"s": {"input_type": "spikes", "module": "h5", "input_file": "s.h5", "node_set": "nobody"}}}
    with pytest.raises(PlanError, match="there is no node set or population 'nobody'") as caught:
        plan_of(config, tmp_path)
    assert caught.value.where.endswith(":inputs.s.node_set")


def test_a_broken_spike_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40)
    config = {"inputs": {"s": {"input_type": "spikes", "module": "h5", "input_file": "s.h5", "node_set": "in"}}}
    with pytest.raises(ReadError) as caught:
        plan_of(config, tmp_path)
    assert caught.value.where == str(tmp_path / "s.h5")


def test_pulses_are_arrays(tmp_path: Path) -> None:
    (stimulus,) = plan_of(clamp(), tmp_path).stimuli
    assert isinstance(stimulus.what, CurrentPulses)
    assert stimulus.what.amplitudes.dtype == np.float64
