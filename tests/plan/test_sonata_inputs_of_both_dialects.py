"""Every module of BMTK's and OBI's inputs and reports as a typed object: numbers by hand, from the specifications."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io.audit import audit
from pynn_io.document import Document
from pynn_io.errors import PlanError, ReadError
from pynn_io.graph import Network
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    Hyperpolarizing,
    NoiseCurrent,
    OrnsteinUhlenbeck,
    OtherStimulus,
    PoissonTrains,
    Relative,
    ShotNoise,
    SinusoidalCurrent,
    SpontaneousSynapses,
    Stimulus,
    Subthreshold,
    SynapseReplay,
    VoltageClamp,
)
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Assignment, ConnectionOverride, Modification, Output, Recording, SimulationPlan
from tests.plan.plans import PLANS, document
from tests.plan.test_sonata_plan_rules import plan_of, spike_file

TH, IN = Relative.THRESHOLD, Relative.INPUT_CONDUCTANCE
WINDOW = {"delay": 5, "duration": 20, "node_set": "out"}


def one(item: dict[str, Any], tmp_path: Path, report: Report | None = None, **config: Any) -> Stimulus:
    (found,) = plan_of({"inputs": {"s": item}, **config}, tmp_path, report).stimuli
    return found


FORMS: list[tuple[str, str, dict[str, Any], Any]] = [
    ("linear", "current_clamp", {"amp_start": 0.1, "amp_end": 0.5}, CurrentRamp(0.1, 0.5, 5.0, 20.0)),
    ("relative_linear", "current_clamp", {"percent_start": 80, "percent_end": 20}, CurrentRamp(80, 20, 5.0, 20.0, TH)),
    ("relative_linear", "current_clamp", {"percent_start": 80}, CurrentRamp(80, 80, 5.0, 20.0, TH)),
    (
        "sinusoidal",
        "current_clamp",
        {"amp_start": 0.2, "frequency": 8, "dt": 0.5},
        SinusoidalCurrent(0.2, 8, 5, 20, 0.5),
    ),
    ("sinusoidal", "current_clamp", {"amp_start": 0.2, "frequency": 8}, SinusoidalCurrent(0.2, 8.0, 5.0, 20.0)),
    ("subthreshold", "current_clamp", {"percent_less": 80}, Subthreshold(80.0, 5.0, 20.0)),
    ("hyperpolarizing", "current_clamp", {}, Hyperpolarizing(5.0, 20.0)),
    ("noise", "current_clamp", {"mean": 0, "variance": 0.001}, NoiseCurrent(0.0, 0.001, 5.0, 20.0)),
    (
        "noise",
        "current_clamp",
        {"mean": None, "mean_percent": 0.01, "variance": 0.001, "dt": 0.25},
        NoiseCurrent(0.01, 0.001, 5.0, 20.0, TH, 0.25),
    ),
    (
        "shot_noise",
        "current_clamp",
        {"rise_time": 0.4, "decay_time": 4, "rate": 2, "amp_mean": 70, "amp_var": 40, "reversal": 10},
        ShotNoise(0.4, 4.0, 5.0, 20.0, rate=2.0, amplitude_mean=70.0, amplitude_variance=40.0, reversal=10.0),
    ),
    (
        "absolute_shot_noise",
        "conductance",
        {"rise_time": 0.4, "decay_time": 4, "mean": 50, "sigma": 5, "relative_skew": 0.1, "dt": 0.5},
        ShotNoise(0.4, 4, 5, 20, mean=50.0, sigma=5.0, conductance=True, relative_skew=0.1, interval=0.5),
    ),
    (
        "relative_shot_noise",
        "conductance",
        {"rise_time": 0.4, "decay_time": 4, "mean_percent": 70, "sd_percent": 40, "random_seed": 230522},
        ShotNoise(0.4, 4, 5, 20, mean=70.0, sigma=40.0, conductance=True, relative=IN, seed=230522),
    ),
    (
        "ornstein_uhlenbeck",
        "conductance",
        {"tau": 2.8, "mean": 50, "sigma": 5, "reversal": 10},
        OrnsteinUhlenbeck(2.8, 50.0, 5.0, 5.0, 20.0, True, 10.0),
    ),
    (
        "relative_ornstein_uhlenbeck",
        "current_clamp",
        {"tau": 2.8, "mean_percent": 70, "sd_percent": 10, "random_seed": 3},
        OrnsteinUhlenbeck(2.8, 70.0, 10.0, 5.0, 20.0, relative=TH, seed=3),
    ),
    ("poisson", "spikes", {"rate": 4.9, "weight": 3.5}, PoissonTrains(4.9, 5.0, 20.0, None, 3.5)),
]


@pytest.mark.parametrize(("module", "kind", "keys", "expected"), FORMS, ids=[row[0] for row in FORMS])
def test_obi_inputs(module: str, kind: str, keys: dict[str, Any], expected: Any, tmp_path: Path) -> None:
    report = Report()
    found = one({"module": module, "input_type": kind, **WINDOW, **keys}, tmp_path, report)
    assert found.what == expected
    assert (found.node_set, found.section, found.position, found.physical_electrode) == ("out", "soma", 0.5, False)
    assert len(report) == 0


def test_obi_inputs_by_libsonata(tmp_path: Path) -> None:
    """The same configurations, by the reference reader: its attributes are ours, so that no key is a misspelling."""
    libsonata = pytest.importorskip("libsonata")
    inputs = {str(n): {"module": m, "input_type": k, **WINDOW, **keys} for n, (m, k, keys, _) in enumerate(FORMS)}
    config = {"run": {"tstop": 50, "dt": 0.1, "random_seed": 1}, "inputs": inputs, "network": "circuit_config.json"}
    theirs = libsonata.SimulationConfig(json.dumps(config), str(tmp_path))
    for number, (_, _, keys, _) in enumerate(FORMS):
        item = theirs.input(str(number))
        for key, value in keys.items():
            if key != "dt" or hasattr(item, "dt"):  # libsonata knows no dt of noise, neurodamus does
                assert getattr(item, key) == value


def test_electrodes_and_compartment_sets(tmp_path: Path) -> None:
    item = {"module": "hyperpolarizing", "input_type": "current_clamp", "delay": 0, "duration": 1}
    sets = {"cs": {"population": "out", "compartment_set": [[0, 0, 0.5]]}}
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    plan = plan_of(
        {
            "compartment_sets_file": "sets.json",
            "inputs": {"s": {**item, "compartment_set": "cs", "represents_physical_electrode": True}},
        },
        tmp_path,
    )
    assert plan.compartment_sets == sets
    (found,) = plan.stimuli
    assert (found.node_set, found.compartment_set, found.physical_electrode) == (None, "cs", True)


def clamp_of(stimulus: Stimulus) -> tuple[list[float], list[float], float, float | None]:
    what = stimulus.what
    assert isinstance(what, VoltageClamp)
    return what.levels.tolist(), what.durations.tolist(), what.delay, what.series_resistance


def test_obi_seclamp(tmp_path: Path) -> None:
    item = {
        "module": "seclamp",
        "input_type": "voltage_clamp",
        "delay": 0,
        "duration": 100,
        "voltage": -70.0,
        "node_set": "out",
    }
    assert clamp_of(one(item, tmp_path)) == ([-70.0], [100.0], 0.0, 0.01)  # the specification's own resistance
    steps = {**item, "voltage_levels": [-10, -60], "duration_levels": [20, 30], "series_resistance": 0.5}
    assert clamp_of(one(steps, tmp_path)) == ([-70.0, -10.0, -60.0], [50.0, 20.0, 30.0], 0.0, 0.5)
    full = {**steps, "duration_levels": [60, 40]}
    assert clamp_of(one(full, tmp_path)) == ([-10.0, -60.0], [60.0, 40.0], 0.0, 0.5)


def test_obi_seclamp_with_a_delay(tmp_path: Path) -> None:
    """The extension activates every input at its delay; that its tools do not is told, for those with one only."""
    item = {"module": "seclamp", "input_type": "voltage_clamp", "duration": 100, "voltage": -70.0, "node_set": "out"}
    report = Report()
    assert clamp_of(one({**item, "delay": 12.5}, tmp_path, report)) == ([-70.0], [100.0], 12.5, 0.01)
    (issue,) = (issue for issue in report if issue.code == "clamp-delay")
    assert (issue.kind, issue.examples) == (Kind.APPROXIMATED, ["s"])
    assert issue.where.endswith("inputs.s.delay")
    assert "begins at 12.5 ms" in issue.message and "neurodamus clamps from the start" in issue.message
    report = Report()
    one({**item, "delay": 0}, tmp_path, report)
    assert "clamp-delay" not in report.codes()


def test_libsonata_refuses_a_seclamp_with_a_delay(tmp_path: Path) -> None:
    """Why none is written."""
    libsonata = pytest.importorskip("libsonata")
    clamp = {"module": "seclamp", "input_type": "voltage_clamp", "delay": 5, "duration": 9, "voltage": -70}
    config = {"network": "c.json", "run": {"tstop": 20, "dt": 0.1, "random_seed": 1}}
    for delay, refusal in ((0, None), (5, "delay")):
        text = json.dumps(config | {"inputs": {"s": {**clamp, "delay": delay, "node_set": "out"}}})
        if refusal is None:
            assert libsonata.SimulationConfig(text, str(tmp_path)).input("s").delay == 0
        else:
            with pytest.raises(libsonata.SonataError, match=refusal):
                libsonata.SimulationConfig(text, str(tmp_path))


@pytest.mark.parametrize("kind", ["voltage_clamp", "clamp"])
def test_bmtk_seclamp(kind: str, tmp_path: Path) -> None:
    item = {"module": "SEClamp", "input_type": kind, "node_set": "out", "amp": -60, "delay": 5, "duration": 20}
    found = one({**item, "section_name": "dend", "section_index": 2, "section_dist": 0.1}, tmp_path)
    assert clamp_of(found) == ([-60.0], [20.0], 5.0, 1.0)  # BMTK's own resistance
    assert (found.section, found.position) == ("dend[2]", 0.1)
    assert clamp_of(one({**item, "resistance": 0.2}, tmp_path))[3] == 0.2


def test_bmtk_clamp_in_a_range_of_distances(tmp_path: Path) -> None:
    item = {"module": "IClamp", "input_type": "current_clamp", "amp": 0.1, "delay": 5, "duration": 20}
    found = one({**item, "section_name": ["dend", "apic"], "section_index": [50.0, 120.0]}, tmp_path)
    assert (found.section, found.distance_range, found.physical_electrode) == ("dend apic", (50.0, 120.0), True)


def test_bmtk_clamp_from_a_sweep(tmp_path: Path) -> None:
    """Samples of 5 kHz in ampere: every second one is taken, from the window, and runs of one value are one pulse."""
    amplitudes = np.repeat([0.0, 1e-10, 3e-10, 0.0], [10, 20, 10, 10])
    with h5py.File(tmp_path / "e.nwb", "w") as file:
        series = file.create_group("epochs/Sweep_55/stimulus/timeseries")
        series["data"] = amplitudes
        series.create_dataset("starting_time", data=0.0).attrs["rate"] = 5000.0
    item = {"module": "IClamp", "input_type": "nwb", "node_set": "out", "file": "e.nwb", "sweep_id": 55}
    for simulator in ("NEURON", "NEST"):  # the file says ampere, whoever reads it
        pulses = one({**item, "delay": 100}, tmp_path, target_simulator=simulator).what
        assert isinstance(pulses, CurrentPulses)
        np.testing.assert_allclose(pulses.amplitudes, [0.1, 0.3])
        np.testing.assert_allclose(pulses.delays, [102.0, 106.0])
        np.testing.assert_allclose(pulses.durations, [4.0, 2.0])
    thinned = one({**item, "sweep_id": "Sweep_55", "downsample": 0.4, "sweep_window": [4, 9.9]}, tmp_path).what
    assert isinstance(thinned, CurrentPulses)
    np.testing.assert_allclose(thinned.delays, [4.0, 6.0])
    np.testing.assert_allclose(thinned.durations, [2.0, 2.0])
    with pytest.raises(ReadError, match="no stimulus of sweep 'Sweep_56'") as caught:
        one({**item, "sweep_id": 56}, tmp_path)
    assert caught.value.where == str(tmp_path / "e.nwb")


def electrodes(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "e.csv").write_text("electrode_id node_id population sec_id seg_x\n7 1 out 3 0.25\n4 0 out 0 0.5\n")
    (tmp_path / "i.csv").write_text("electrode_id dur amp delay i\n4 20 0.1 5 0\n7 2.5 -0.2 30 0\n")
    return {"electrode_file": "e.csv", "input_file": "i.csv"}


def test_clamps_of_the_guide(tmp_path: Path) -> None:
    """A table of electrodes and one of what they do; currents are nA, whatever the simulator."""
    item = {"input_type": "current_clamp", "module": "IClamp", **electrodes(tmp_path)}
    plan = plan_of({"inputs": {"s": item}, "target_simulator": "NEST"}, tmp_path)
    assert plan.compartment_sets == {
        "s.4": {"population": "out", "compartment_set": [[0, 0, 0.5]]},
        "s.7": {"population": "out", "compartment_set": [[1, 3, 0.25]]},
    }
    first, second = plan.stimuli
    assert (first.name, first.compartment_set, first.node_set, first.physical_electrode) == ("s.4", "s.4", None, True)
    assert isinstance(second.what, CurrentPulses)
    steps = second.what.amplitudes, second.what.delays, second.what.durations
    assert [array.tolist() for array in steps] == [[-0.2], [30.0], [2.5]]
    clamp = plan_of({"inputs": {"s": {**item, "input_type": "voltage_clamp", "module": "SEClamp"}}}, tmp_path).stimuli[
        0
    ]
    assert clamp_of(clamp) == ([0.1], [20.0], 5.0, None)


@pytest.mark.parametrize(
    ("file", "content", "place", "text"),
    [
        (
            "e.csv",
            "electrode_id node_id population seg_x\n4 0 out 0.5\n7 1 out 0.5\n",
            ":1",
            "there is no column 'sec_id'",
        ),
        ("e.csv", "electrode_id node_id population sec_id seg_x\n7 0 out 0 0.5\n", "", "electrode 4 is not in e.csv"),
        (
            "e.csv",
            "electrode_id node_id sec_id seg_x\n4 0 0 0.5\n7 1 3 0.25\n",
            ":1",
            "there is no column 'population'",
        ),
        ("i.csv", "electrode_id dur amp delay\n4 20 big 5\n", ":2", "amp is no number: 'big'"),
    ],
)
def test_broken_tables_of_electrodes(file: str, content: str, place: str, text: str, tmp_path: Path) -> None:
    item = {"input_type": "current_clamp", "module": "IClamp", **electrodes(tmp_path)}
    (tmp_path / file).write_text(content)
    with pytest.raises(ReadError) as caught:
        one(item, tmp_path)
    where = "i.csv" if text.startswith("electrode 4") else file
    assert (caught.value.where, text in caught.value.message) == (f"{tmp_path / where}{place}", True)


def test_bmtk_spontaneous_synapses(tmp_path: Path) -> None:
    item = {
        "module": "syn_activity",
        "input_type": "syn_activity",
        "precell_filter": {"model_name": "Scnn1a"},
        "timestamps": [1000.0, 500.0],
        "node_set": "out",
    }
    found = one(item, tmp_path)
    assert found.what == SpontaneousSynapses(
        source={"model_name": "Scnn1a"}, times=(500.0, 1000.0), silences_others=True
    )
    assert found.node_set == "out"
    assert one({**item, "postcell_filter": {"population": "out"}}, tmp_path).node_set == {"population": "out"}


def test_a_replay_onto_some_synapses(tmp_path: Path) -> None:
    spike_file(tmp_path / "r.h5", [0, 1], [1.0, 3.0], "spikes/out")  # cells that are no spike sources
    item = {"input_type": "spikes", "module": "synapse_replay", "spike_file": "r.h5", "delay": 2, "duration": 10}
    found = one({**item, "node_set": "out", "source": "in"}, tmp_path)
    assert isinstance(found.what, SynapseReplay)
    assert (found.what.trains.population, found.what.delay, found.what.duration, found.what.source) == (
        "out",
        2,
        10,
        "in",
    )
    report = Report()
    spike_file(tmp_path / "r.h5", [0], [1.0], "spikes/elsewhere")
    assert plan_of({"inputs": {"s": {**item, "node_set": "out"}}}, tmp_path, report).stimuli == ()
    assert [(issue.code, issue.count) for issue in report] == [("spikes-of-unknown-population", 1)]


NOT_SUPPORTED = [
    *("xstim", "comsol", "extra_stim_h5", "spatially_uniform_e_field", "ecephys_probe", "movie", "grating"),
    *("pop_rates", "replay", "function", "laser"),
]


@pytest.mark.parametrize("module", NOT_SUPPORTED)
def test_what_nobody_applies_is_kept(module: str, tmp_path: Path) -> None:
    """It is read, so that nothing is to be reported yet: each target says what it makes of it."""
    report = Report()
    item = {"input_type": "something", "module": module, "node_set": "out", "strength": [1, 2]}
    found = one(item, tmp_path, report)
    assert found.what == OtherStimulus(module, item)
    assert not list(report)
    for target in ("neuroml", "nest", "neuron"):
        audited = Report()
        audit(Document(Network(), SimulationPlan(stimuli=(found,))), target, audited)
        (issue,) = audited.of_kind(Kind.LOST)
        assert (issue.code, issue.examples) == ("other-stimulus", ["s"])


def test_every_input_and_report_of_libsonatas_own_example_is_typed(data: Path, tmp_path: Path) -> None:
    """All but electric fields, and the replay whose file is not there."""
    path = data / "sonata_obi/libsonata_data/config/simulation_config.json"
    raw = json.loads(path.read_text())
    sets = {
        "cs1": {"population": "out", "compartment_set": []},
        "dend_ca_hotspot_name": {"population": "out", "compartment_set": []},
    }
    (tmp_path / "compartment_sets.json").write_text(json.dumps(sets))
    raw["compartment_sets_file"] = "compartment_sets.json"
    spike_file(tmp_path / "replay.h5", [0], [1.0], "spikes/out")
    raw["node_sets"] = {name: {"population": "out"} for name in ("Column", "Mosaic", "L5E", "Rt_RC", "All")}
    report = Report()
    plan = plan_of(raw, tmp_path, report)
    others = {stimulus.name for stimulus in plan.stimuli if isinstance(stimulus.what, OtherStimulus)}
    assert others == {"ex_efields", "ex_efields_noramp"}
    assert {stimulus.name for stimulus in plan.stimuli} == set(raw["inputs"])
    assert {recording.name: recording.kind for recording in plan.recordings} == {
        "soma": "compartment",
        "compartment": "compartment",
        "lfp": "lfp",
        "axonal_comp_centers": "compartment",
        "cell_imembrane": "summation",
        "compartment_set_v": "compartment",
    }
    assert plan.seed == 201506
    assert plan.seeds == {"stimulus": 111, "ionchannel": 222, "minis": 333, "synapse": 444}
    assert (plan.integration_method, plan.spike_location, plan.node_set) == ("crank_nicolson_ion", "AIS", "Column")
    assert dict(plan.mechanism_variables) == {
        ("ProbAMPANMDA_EMS", "property1"): 0.0,
        ("ProbAMPANMDA_EMS", "property2"): -1.0,
        ("GluSynapse", "property3"): 0.025,
    }
    assert [(item.kind, item.assignments) for item in plan.modifications][3:] == [
        ("section", (Assignment("apic[10]", "gbar_KTst", 0.0), Assignment("apic[10]", "gbar_NaTg", 0.0))),
        ("compartment_set", (Assignment("", "gbar_Ca_HVA2", 1.5), Assignment("", "gbar_Ca_LVA", 2.0))),
    ]
    first, second = plan.overrides
    assert (first.weight, first.spont_minis, first.mod_override, first.delay) == (1.0, 0.01, "GluSynapse", 0.5)
    assert second.configure == (
        Assignment("%s", "e_GABAA", -82.0),
        Assignment("", "tau_d_GABAB_ProbGABAAB_EMS", 77.0),
    )
    assert second.parameters == {"neuromodulation_dtc": 100, "neuromodulation_strength": 0.75}
    assert set(plan.extra) == {"metadata", "beta_features", "run", "mechanisms"}
    assert set(plan.extra["run"]) == {"forward_skip", "electrodes_file"}
    assert plan.extra["mechanisms"] == {"GluSynapse": {"property4": "test"}}
    named = next(issue for issue in report if issue.code == "mechanism-variable")
    assert named.examples == ["conditions.mechanisms.GluSynapse.property4"]


def test_run_conditions_and_output(tmp_path: Path) -> None:
    config = {
        "run": {"tstart": 1, "tstop": 10, "dt": 0.1, "dL": 20, "integration_method": 2, "precise_times": True},
        "conditions": {
            "extracellular_calcium": 1.2,
            "randomize_gaba_rise_time": True,
            "spike_location": "ais",
            "modifications": [{"name": "m", "type": "TTX", "node_set": "out"}],
        },
        "output": {
            "output_dir": "./o",
            "spikes_file": "s.h5",
            "spikes_file_csv": "s.csv",
            "spikes_sort_order": "time",
            "log_file": "l.txt",
            "overwrite_output_dir": True,
        },
        "connection_overrides": {"old": {"source": "in", "target": "out", "weight": 2}},
    }
    plan = plan_of(config, tmp_path)
    assert (plan.start, plan.section_length, plan.integration_method) == (1.0, 20.0, "crank_nicolson_ion")
    assert (plan.spike_times, plan.extracellular_calcium, plan.randomize_gaba_rise_time) == ("precise", 1.2, True)
    assert plan.spike_location == "AIS"
    assert plan.modifications == (Modification("m", "ttx", "out"),)
    assert plan.output == Output("./o", "s.h5", "s.csv", "by_time", "l.txt", {"overwrite_output_dir": True})
    assert plan.overrides == (ConnectionOverride("old", "in", "out", weight=2.0),)
    assert plan.extra == {}
    assert plan_of({"run": {"allow_offgrid_spikes": True}}, tmp_path).spike_times == "grid"
    assert plan_of({"run": {"precise_times": False}}, tmp_path).spike_times is None


def test_reports_of_both_dialects(tmp_path: Path) -> None:
    reports = {
        "obi": {
            "type": "compartment",
            "cells": "out",
            "sections": "axon",
            "variable_name": "v",
            "compartments": "center",
            "scaling": "none",
            "unit": "mV",
            "dt": 0.1,
            "start_time": 1,
            "end_time": 9,
            "file_name": "axon",
        },
        "set": {"type": "compartment_set", "compartment_set": "cs", "variable_name": "v"},
        "sum": {"type": "summation", "cells": "out", "variable_name": "i_membrane, IClamp"},
        "meter": {"module": "multimeter", "cells": "out", "variable_name": "V_m", "interval": 0.5, "tstart": 1.0},
        "ecp": {"module": "extracellular", "cells": "out", "variable_name": "v", "electrode_positions": "e.csv"},
        "weights": {"module": "weight_recorder", "file_name": "w.csv", "nest_model": "stdp_synapse"},
        "synapses": {"module": "SaveSynapses"},
    }
    found = {recording.name: recording for recording in plan_of({"reports": reports}, tmp_path).recordings}
    assert found["obi"] == Recording(
        "obi",
        "v",
        "out",
        "axon",
        1.0,
        9.0,
        0.1,
        kind="compartment",
        compartments="center",
        unit="mV",
        scaling="none",
        file="axon",
    )
    assert (found["set"].kind, found["set"].compartment_set, found["set"].node_set) == ("compartment", "cs", None)
    assert (found["sum"].kind, found["sum"].variable) == ("summation", "i_membrane, IClamp")
    assert (found["meter"].kind, found["meter"].interval, found["meter"].start) == ("compartment", 0.5, 1.0)
    assert (found["ecp"].kind, found["ecp"].parameters) == ("extracellular", {"electrode_positions": "e.csv"})
    assert (found["weights"].kind, found["weights"].file, found["weights"].node_set) == (
        "weight_recorder",
        "w.csv",
        "all",
    )
    assert found["synapses"].kind == "save_synapses"


def test_sections_that_a_membrane_report_does_not_state(tmp_path: Path) -> None:
    """SONATA says the soma, BMTK records all of them: said, since results differ."""
    report = Report()
    config = {"reports": {"r": {"module": "membrane_report", "cells": "out", "variable_name": "v"}}}
    assert plan_of(config, tmp_path, report).recordings[0].sections == "soma"
    assert [issue.code for issue in report] == ["report-sections"]


NOISE = {"module": "noise", "input_type": "current_clamp", **WINDOW}
SECLAMP = {"module": "seclamp", "input_type": "voltage_clamp", "duration": 10, "voltage": -70, "node_set": "out"}
ICLAMP = {"module": "IClamp", "input_type": "current_clamp", "amp": 1, "delay": 1, "duration": 1}


def modified(**item: Any) -> dict[str, Any]:
    return {"conditions": {"modifications": [{"name": "m", "node_set": "out", **item}]}}


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"inputs": {"s": NOISE}}, "inputs.s.mean", "exactly one of 'mean' or 'mean_percent' is needed, here are 0"),
    ({"inputs": {"s": {**NOISE, "mean": 1, "mean_percent": 2}}}, "inputs.s.mean", "is needed, here are 2"),
    ({"inputs": {"s": {**NOISE, "mean": 1, "variance": "big"}}}, "inputs.s.variance", "a number is expected"),
    ({"inputs": {"s": {**NOISE, "mean": 1, "duration": -1}}}, "inputs.s.duration", "a duration is negative"),
    (
        {"inputs": {"s": {"module": "hyperpolarizing", "input_type": "current_clamp", "duration": 1}}},
        "inputs.s.delay",
        "this number is missing",
    ),
    (
        {"inputs": {"s": {**NOISE, "mean": 1, "compartment_set": "cs"}}},
        "inputs.s.compartment_set",
        "a node_set or a compartment_set, and not both",
    ),
    ({"inputs": {"s": {**SECLAMP, "voltage_levels": [1]}}}, "inputs.s.voltage_levels", "1 levels and 0 durations"),
    (
        {"inputs": {"s": {**SECLAMP, "voltage_levels": [1], "duration_levels": [11]}}},
        "inputs.s.duration_levels",
        "the levels last 11.0 ms, longer than duration = 10.0",
    ),
    ({"inputs": {"s": {**ICLAMP, "section_index": [1, 2, 3]}}}, "inputs.s.section_index", "a number, or two distances"),
    ({"inputs": {"s": {**ICLAMP, "section_name": ["a", "b"]}}}, "inputs.s.section_name", "need a range of distances"),
    ({"inputs": {"s": {"module": "SEClamp", "input_type": "x", "amp": 1}}}, "inputs.s.delay", "this number is missing"),
    ({"inputs": {"s": {"module": "syn_activity", "input_type": "x"}}}, "inputs.s.timestamps", "this number is missing"),
    ({"run": {"integration_method": 7}}, "run.integration_method", "a name, or 0, 1 or 2, is expected, here it is 7"),
    ({"conditions": {"spike_location": "nose"}}, "conditions.spike_location", "'nose' is unknown; known are AIS, soma"),
    ({"conditions": {"randomize_gaba_rise_time": 1}}, "conditions.randomize_gaba_rise_time", "true or false"),
    ({"conditions": {"mechanisms": {"K": 1}}}, "conditions.mechanisms.K", "an object is expected"),
    ({"conditions": {"modifications": {}}}, "conditions.modifications", "a list of objects is expected"),
    (modified(type="magic"), "conditions.modifications[0].type", "'magic' is unknown; known are ttx,"),
    (modified(type="section"), "conditions.modifications[0].section_configure", "what to change is missing"),
    (
        modified(type="section", section_configure="apical.g = 0"),
        "conditions.modifications[0].section_configure",
        "'apical' cannot be changed by a modification of type section",
    ),
    (
        modified(type="section_list", section_configure="apic[1].g = 0"),
        "conditions.modifications[0].section_configure",
        "'apic[1]' cannot be changed",
    ),
    (
        modified(type="configure_all_sections", section_configure="g = 0"),
        "conditions.modifications[0].section_configure",
        "'g' cannot be changed",
    ),
    (
        modified(type="configure_all_sections", section_configure="%s.g = exit(1)"),
        "conditions.modifications[0].section_configure",
        "'%s.g = exit(1)' is no assignment of a number",
    ),
    (
        modified(type="compartment_set", section_configure="g = 0"),
        "conditions.modifications[0].compartment_set",
        "a modification of type compartment_set needs it",
    ),
    (modified(type="ttx", strength=3), "conditions.modifications[0].strength", "this key is unknown"),
    ({"connection_overrides": [{"target": "out"}]}, "connection_overrides[0].source", "the node set is missing"),
    (
        {"connection_overrides": [{"source": "in", "target": "out", "synapse_configure": "system('x')"}]},
        "connection_overrides[0].synapse_configure",
        "is no assignment of a number",
    ),
    (
        {"connection_overrides": [{"source": "in", "target": "out", "synapse_configure": "soma.g = 1"}]},
        "connection_overrides[0].synapse_configure",
        "'soma' is no synapse",
    ),
    ({"output": {"spikes_sort_order": "size"}}, "output.spikes_sort_order", "'size' is unknown"),
    ({"reports": {"r": {"variable_name": "v", "scaling": "log"}}}, "reports.r.scaling", "'log' is unknown"),
    ({"reports": {"r": {"variable_name": "v", "compartments": "some"}}}, "reports.r.compartments", "'some' is unknown"),
]


@pytest.mark.parametrize(("config", "place", "text"), MALFORMED, ids=[row[1] for row in MALFORMED])
def test_a_malformed_value_names_file_and_key(config: dict[str, Any], place: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        plan_of(config, tmp_path)
    assert caught.value.where == f"{tmp_path / 'simulation_config.json'}:{place}"
    assert text in caught.value.message


def test_an_integration_method_is_kept_as_it_is_called(tmp_path: Path) -> None:
    """Simulators have their own; the backend says that it does not know it."""
    assert plan_of({"run": {"integration_method": "magic"}}, tmp_path).integration_method == "magic"


COMPARTMENTS: list[tuple[Any, str, str]] = [
    ([], "", "compartment sets must be an object"),
    ({"a": []}, ":a", "names a 'population'"),
    ({"a": {"population": "out"}}, ":a", "has a list 'compartment_set'"),
    ({"a": {"population": "out", "compartment_set": [[0, 1]]}}, ":a", "entry 0 is [0, 1], and not"),
    ({"a": {"population": "out", "compartment_set": [[0, 1, 1.5]]}}, ":a", "entry 0 is [0, 1, 1.5], and not"),
    ({"a": {"population": "out", "compartment_set": [[0, -1, 0.5]]}}, ":a", "entry 0 is [0, -1, 0.5], and not"),
    (
        {"a": {"population": "out", "compartment_set": [[0, 1, 0.5], [0, 1, 0.5]]}},
        ":a",
        "entry 1, [0, 1, 0.5], is not after",
    ),
    ({"a": {"population": "out", "compartment_set": [[1, 0, 0.5], [0, 1, 0.5]]}}, ":a", "sort them"),
]


@pytest.mark.parametrize(("content", "place", "text"), COMPARTMENTS)
def test_compartment_sets_are_checked(content: Any, place: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "sets.json"
    file.write_text(json.dumps(content))
    with pytest.raises(PlanError) as caught:
        plan_of({"compartment_sets_file": "sets.json"}, tmp_path)
    assert caught.value.where == f"{file}{place}"
    assert text in caught.value.message


def test_a_poisson_input_with_a_weight_is_not_lost_in_silence_on_neuron() -> None:
    from pynn_io.runners.neuron import NeuronRunner
    from pynn_io.vocabulary.support import support

    made, report = document(PLANS["stimulus-poisson_weight"]), Report()
    assert made.plan is not None
    NeuronRunner().lower(made.network, made.plan, report)
    assert [issue.where for issue in report.of_kind(Kind.LOST)] == ["inputs.one"]
    assert support("stimulus:PoissonTrains:weight", "neuron").level == "no"
