"""What a dialect brings back of a plan is equal, or its report names the difference; JSON brings back everything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report, SimulationPlan, load_sonata_simulation_plan, read, write
from pynn_io.audit import names
from pynn_io.errors import PlanError, ReadError
from pynn_io.graph.compare import Difference
from pynn_io.graph.stimuli import CurrentPulses, Relative
from pynn_io.report import Kind
from pynn_io.simulation_plan.compare import diff
from tests.plan.plans import PLANS, STIMULI, document

DIALECTS = ("sonata", "sonata+allen", "sonata+obi")


def there_and_back(plan: SimulationPlan, target: str, folder: Path) -> tuple[list[Difference], Report]:
    report = write(document(plan), folder / "out", target)
    back = read(folder / "out", report=report).plan
    assert back is not None
    return diff(plan, back), report


def unnamed(differences: list[Difference], report: Report) -> list[str]:
    """Differences of which no part of the path is named."""
    return [
        str(each)
        for each in differences
        if not any(names(report, part) for part in each.where.split("/")[1:] or [each.where])
    ]


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize("case", PLANS)
def test_what_is_lost_is_named(case: str, target: str, tmp_path: Path) -> None:
    differences, report = there_and_back(PLANS[case], target, tmp_path)
    assert unnamed(differences, report) == []


#: What each dialect brings back whole. The others of `PLANS` it cannot say, which the test above sees reported.
WHOLE = {
    "sonata+obi": [
        *(
            f"stimulus-{name}"
            for name in STIMULI
            if name not in {"poisson", "syn_activity", "minis", "late_clamp", "steps", "level_ramp"}
        ),
        *("settings-electrode", "settings-compartments", "settings-run", "settings-grid", "settings-modified"),
        *("settings-dendrite", "settings-distance"),
        *("recording-soma", "recording-all", "recording-disabled", "recording-several", "recording-sum"),
        *("recording-synapse", "recording-lfp", "recording-set"),
    ],
    "sonata+allen": [
        *(f"stimulus-{name}" for name in STIMULI if name not in {"minis", "level_ramp", "clamp_levels"}),
        *("settings-electrode", "settings-dendrite", "settings-distance", "settings-inline_set", "settings-run"),
        "settings-compartments",
        *("settings-grid", "settings-modified", "recording-soma", "recording-all", "recording-disabled"),
        *("recording-silent", "recording-dendrites", "recording-several", "recording-ecp", "recording-netcon"),
        *("recording-weights", "recording-clamp", "recording-save"),
    ],
}


@pytest.mark.parametrize(("target", "case"), [(target, case) for target, cases in WHOLE.items() for case in cases])
def test_what_a_dialect_can_say_comes_back_equal(case: str, target: str, tmp_path: Path) -> None:
    differences, report = there_and_back(PLANS[case], target, tmp_path)
    # OBI's replay of trains onto everything that their nodes reach needs a node set with a name.
    assert [str(one) for one in differences if one.where != "node_sets/one_nodes"] == []
    lost = [issue for issue in report.of_kind(Kind.LOST) if issue.where.startswith(("inputs", "reports", "plan"))]
    assert lost == []


@pytest.mark.parametrize("case", PLANS)
def test_nix_brings_everything_back(case: str, tmp_path: Path) -> None:
    pytest.importorskip("nixio")
    write(document(PLANS[case]), tmp_path / "out.nix", "nix")
    back = read(tmp_path / "out.nix").plan
    assert back is not None
    assert diff(PLANS[case], back) == []


REAL = (
    "sonata/bio_14cells/config.simulation.json",
    "sonata/point_stdp/config.simulation_iclamp.json",
    "sonata/bio_advanced_stimuli/config.simulation_spont_activity.json",
    "sonata/sim_tests/intfire/one_cell_iclamp_nest/input/simulation_config.json",
    "sonata_obi/snap_data/simulation_config.json",
    "sonata_obi/nd_usecase3/simulation_sonata.json",
)


@pytest.mark.parametrize("target", ["sonata+allen", "sonata+obi"])
@pytest.mark.parametrize("name", REAL)
def test_plans_of_real_circuits(name: str, target: str, data: Path, tmp_path: Path) -> None:
    source = read(data / name)
    assert source.plan is not None
    report = write(source, tmp_path / "out", target)
    back = read(tmp_path / "out", report=report).plan
    assert back is not None
    assert unnamed(diff(source.plan, back), report) == []
    assert diff(source.plan, SimulationPlan.from_json(source.plan.to_json())) == []


def test_what_bmtk_stops_at_stands_beside_its_inputs(tmp_path: Path) -> None:
    """Its simulators raise an exception for a module that they do not know."""
    report = write(document(PLANS["stimulus-noise"]), tmp_path / "out", "sonata+allen")
    config = json.loads((tmp_path / "out/simulation_config.json").read_text())
    assert config["inputs"] == {}
    assert config["pynn_io_inputs"]["one"]["module"] == "noise"
    (issue,) = [each for each in report.of_kind(Kind.APPROXIMATED) if each.code == "stimulus"]
    assert (issue.where, issue.message) == (
        "inputs/one",
        "A stimulus of the kind NoiseCurrent stands beside the inputs: only pynn_io reads it, since BMTK has no such "
        "input and runs without it.",
    )


def test_steps_are_inputs_of_their_own_in_obi(tmp_path: Path) -> None:
    report = write(document(PLANS["stimulus-steps"]), tmp_path / "out", "sonata+obi")
    inputs = json.loads((tmp_path / "out/simulation_config.json").read_text())["inputs"]
    assert [(item["amp_start"], item["delay"], item["duration"]) for item in inputs.values()] == [
        (0.1, 5.0, 20.0),
        (-0.2, 30.0, 3.5),
    ]
    assert [issue.examples for issue in report.of_kind(Kind.EXPANDED) if issue.code == "current-steps"] == [
        ["one", "one_0", "one_1"]
    ]


def test_what_libsonata_reads_of_every_obi_plan(tmp_path: Path) -> None:
    """An independent reader: names, modules and numbers of what is written in the OBI dialect."""
    libsonata = pytest.importorskip("libsonata")
    for case in WHOLE["sonata+obi"]:
        if case == "stimulus-xstim":  # libsonata knows no such module, as the report says
            continue
        write(document(PLANS[case]), tmp_path / case, "sonata+obi")
        read_by_them = libsonata.SimulationConfig.from_file(str(tmp_path / case / "simulation_config.json"))
        inputs = {name: read_by_them.input(name) for name in read_by_them.list_input_names}
        assert set(inputs) == {stimulus.name for stimulus in PLANS[case].stimuli}
        assert set(read_by_them.list_report_names) == {recording.name for recording in PLANS[case].recordings}
    noise = libsonata.SimulationConfig.from_file(str(tmp_path / "stimulus-relative_shot/simulation_config.json")).input(
        "one"
    )
    assert (noise.mean_percent, noise.sd_percent, noise.rise_time, noise.random_seed) == (70, 40, 0.4, 9)
    clamp = libsonata.SimulationConfig.from_file(str(tmp_path / "stimulus-clamp_levels/simulation_config.json")).input(
        "one"
    )
    assert (clamp.voltage, clamp.duration, clamp.voltage_levels) == (-80.0, 32.5, [-80.0, -10.0, -60.0])
    run = libsonata.SimulationConfig.from_file(str(tmp_path / "settings-run/simulation_config.json"))
    assert (run.run.stimulus_seed, run.run.synapse_seed, run.conditions.celsius) == (1, 4, 34.0)
    assert run.run.integration_method.name == "crank_nicolson"
    assert run.conditions.spike_location.name == "AIS"
    changed = libsonata.SimulationConfig.from_file(str(tmp_path / "settings-modified/simulation_config.json"))
    snippets = [getattr(each, "section_configure", "") for each in changed.conditions.modifications()]
    assert snippets[1:3] == ["%s.gbar_Ih *= 1e-05", "apical.gbar_NaTg = 0.0"]
    assert changed.connection_overrides()[1].synapse_configure == "%s.e_GABAA = -82.0 tau_d_GABAB_ProbGABAAB_EMS = 77.0"


def test_diff_sees_what_changed() -> None:
    plan = PLANS["settings-run"]
    changed = replace(plan, celsius=35.0, seeds={**plan.seeds, "minis": 4})
    assert [difference.where for difference in diff(plan, changed)] == ["celsius", "seeds/minis"]
    (stimulus,) = PLANS["stimulus-step"].stimuli
    louder = replace(stimulus, what=CurrentPulses(np.array([0.2]), np.array([5.0]), np.array([20.0])))
    found = diff(PLANS["stimulus-step"], replace(PLANS["stimulus-step"], stimuli=(louder,)))
    assert [difference.where for difference in found] == ["stimuli/one/what/amplitudes"]


# --- JSON ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", PLANS)
def test_json_brings_everything_back(case: str) -> None:
    plan = PLANS[case]
    back = SimulationPlan.from_json(plan.to_json())
    assert diff(plan, back) == []
    assert back.name == plan.name
    assert back.to_json() == plan.to_json()
    for one, two in zip(plan.stimuli, back.stimuli, strict=True):
        assert type(one.what) is type(two.what)
    assert all(isinstance(getattr(one.what, "relative", Relative.NOTHING), Relative) for one in back.stimuli)


def test_numbers_that_json_does_not_have() -> None:
    (stimulus,) = PLANS["stimulus-step"].stimuli
    endless = replace(stimulus, what=CurrentPulses(np.array([0.2]), np.array([5.0]), np.array([np.inf])))
    text = SimulationPlan(stimuli=(endless,)).to_json()
    assert json.loads(text)["plan"]["stimuli"][0]["what"]["durations"] == ["inf"]
    assert SimulationPlan.from_json(text).stimuli[0].what.durations.tolist() == [np.inf]


def document_of(**plan: object) -> str:
    return json.dumps({"pynn_io": "simulation plan", "version": 1, "plan": plan})


ONE = {"name": "s", "node_set": "a"}
MALFORMED_JSON: list[tuple[str, type[Exception], str, str]] = [
    ("{", ReadError, "plan:1", "not valid JSON"),
    ("[]", PlanError, "plan", "not a simulation plan"),
    ('{"pynn_io": "simulation plan", "version": 2, "plan": {}}', PlanError, "plan:version", "version 2"),
    ('{"pynn_io": "simulation plan", "version": 1, "plan": {}, "more": 1}', PlanError, "plan:more", "unknown"),
    ('{"pynn_io": "simulation plan", "version": 1}', PlanError, "plan:plan", "an object is expected"),
    (document_of(durations=1), PlanError, "plan:plan.durations", "unknown"),
    (document_of(duration="long"), PlanError, "plan:plan.duration", "a number is expected, here it is 'long'"),
    (document_of(seed=1.5), PlanError, "plan:plan.seed", "int is expected"),
    (document_of(seed=True), PlanError, "plan:plan.seed", "int is expected"),
    (document_of(stimuli={}), PlanError, "plan:plan.stimuli", "a list is expected"),
    (document_of(stimuli=[ONE]), PlanError, "plan:plan.stimuli[0].what", "missing"),
    (document_of(stimuli=[{**ONE, "what": {"type": "Laser"}}]), PlanError, "plan:plan.stimuli[0].what.type", "'Laser'"),
    (
        document_of(stimuli=[{**ONE, "what": {"type": "Hyperpolarizing", "delay": 1.0}}]),
        PlanError,
        "plan:plan.stimuli[0].what.duration",
        "missing",
    ),
    (
        document_of(
            stimuli=[{**ONE, "what": {"type": "SpikeTrains", "population": "a", "node_ids": [0.5], "times": [1]}}]
        ),
        PlanError,
        "plan:plan.stimuli[0].what.node_ids",
        "whole numbers",
    ),
    (
        document_of(
            modifications=[{"name": "m", "kind": "section", "node_set": "a", "assignments": [{"target": "x"}]}]
        ),
        PlanError,
        "plan:plan.modifications[0].assignments[0].variable",
        "missing",
    ),
    (document_of(mechanism_variables={"K": 3}), PlanError, "plan:plan.mechanism_variables.K", "an object is expected"),
]


@pytest.mark.parametrize(("text", "error", "place", "message"), MALFORMED_JSON, ids=[row[2] for row in MALFORMED_JSON])
def test_json_that_is_no_plan(text: str, error: type[Exception], place: str, message: str) -> None:
    with pytest.raises(error, match=message.replace("[", r"\[")) as caught:
        SimulationPlan.from_json(text)
    assert caught.value.where == place  # type: ignore[attr-defined]


def test_what_json_cannot_hold_is_named() -> None:
    with pytest.raises(PlanError, match="JSON has no place for") as caught:
        SimulationPlan(extra={"function": print}).to_json()
    assert caught.value.where == "plan.extra.function"


# --- the documented call -------------------------------------------------------------------------------------------


def test_load_sonata_simulation_plan(tmp_path: Path) -> None:
    write(document(PLANS["stimulus-trains"]), tmp_path / "out", "sonata+allen")
    for name in ("simulation_config.json", "config.json"):
        plan = load_sonata_simulation_plan(tmp_path / "out" / name)
        assert diff(PLANS["stimulus-trains"], plan) == []
    with pytest.raises(PlanError, match="no simulation of it") as caught:
        load_sonata_simulation_plan(tmp_path / "out/circuit_config.json")
    assert caught.value.where.endswith("circuit_config.json")
