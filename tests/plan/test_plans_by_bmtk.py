"""BMTK as an oracle: what it makes of the files that are written, and of those that are read, without a simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pynn_io import Report, write
from pynn_io.graph.stimuli import CurrentPulses
from tests.plan.plans import PLANS, document
from tests.plan.test_sonata_plan_rules import plan_of

pytest.importorskip("bmtk")


def inputs_of(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    from bmtk.simulator.core.simulation_config import SimulationConfig
    from bmtk.simulator.utils import simulation_inputs

    write(document(PLANS[case]), folder / case, "sonata+allen")
    monkeypatch.chdir(folder / case)  # BMTK takes relative paths from the working folder
    return simulation_inputs.from_config(SimulationConfig.from_json(str(folder / case / "simulation_config.json")))


def test_steps_that_bmtk_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bmtk.simulator.core.modules.iclamp import AmpsReader

    (found,) = inputs_of("stimulus-steps", tmp_path, monkeypatch)
    assert (found.module, found.input_type) == ("IClamp", "current_clamp")
    reader = AmpsReader(**found.params)
    assert (reader.amps, reader.delays, reader.durations) == ([0.1, -0.2], [5.0, 30.0], [20.0, 3.5])
    (placed,) = inputs_of("settings-dendrite", tmp_path, monkeypatch)
    places = {key: placed.params[key] for key in ("section_name", "section_index", "section_dist")}
    assert places == {"section_name": "dend", "section_index": 2, "section_dist": 0.25}


def test_other_inputs_that_bmtk_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = inputs_of("stimulus-clamp_levels", tmp_path, monkeypatch)
    assert {each.module for each in levels} == {"SEClamp"}
    windows = [(each.params["amp"], each.params["delay"], each.params["duration"]) for each in levels]
    assert windows == [(-80.0, 0.0, 10.0), (-10.0, 10.0, 2.5), (-60.0, 12.5, 20.0)]
    (synapses,) = inputs_of("stimulus-syn_activity", tmp_path, monkeypatch)
    assert synapses.input_type == "syn_activity"
    assert synapses.params["timestamps"] == [5.0, 10.0]
    assert synapses.params["precell_filter"] == {"population": "bio"}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("soma", "MembraneReport"),
        ("several", "MembraneReport"),
        ("ecp", "ECPReport"),
        ("netcon", "NetconReport"),
        ("weights", "WeightRecorder"),
        ("clamp", "ClampReport"),
    ],
)
def test_reports_that_bmtk_reads(case: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bmtk.simulator.core.simulation_config import SimulationConfig
    from bmtk.simulator.utils import simulation_reports

    write(document(PLANS[f"recording-{case}"]), tmp_path / "out", "sonata+allen")
    monkeypatch.chdir(tmp_path / "out")
    config = SimulationConfig.from_json(str(tmp_path / "out/simulation_config.json"))
    found = {report.report_name: report for report in simulation_reports.from_config(config)}
    assert type(found["r"]).__name__ == kind
    if case == "several":
        assert found["r"].params["variable_name"] == ["v", "cai"]


# --- currents in files: their reader's samples, at the middle of each ----------------------------------------------


def current_at(pulses: CurrentPulses, times: np.ndarray) -> np.ndarray:
    inside = (times[:, None] >= pulses.delays) & (times[:, None] < pulses.delays + pulses.durations)
    return (inside * pulses.amplitudes).sum(axis=1)


def of_ours(item: dict[str, Any], tmp_path: Path) -> CurrentPulses:
    whole = {"module": "IClamp", "node_set": "out", **item}
    (stimulus,) = plan_of({"inputs": {"s": whole}}, tmp_path, Report()).stimuli
    assert isinstance(stimulus.what, CurrentPulses)
    return stimulus.what


@pytest.mark.parametrize(
    "options",
    [{}, {"delay": 12.0}, {"downsample": 1.0}, {"sweep_window": [20.0, 120.0]}, {"downsample": 0.8, "delay": 3.0}],
    ids=str,
)
def test_a_sweep_is_what_bmtk_reads(options: dict[str, Any], tmp_path: Path) -> None:
    from bmtk.simulator.core.modules.iclamp import NWBReader

    random = np.random.default_rng(2)
    samples = np.repeat(random.choice([0.0, 5e-11, 2e-10, -1e-10], 40), random.integers(1, 30, 40))
    with h5py.File(tmp_path / "e.nwb", "w") as file:
        series = file.create_group("epochs/Sweep_9/stimulus/timeseries")
        series["data"] = np.append(samples, np.zeros(40))
        series.create_dataset("starting_time", data=0.0).attrs["rate"] = 5000.0
    theirs = NWBReader(file=str(tmp_path / "e.nwb"), sweep_id=9, **options)
    ours = of_ours({"input_type": "nwb", "file": "e.nwb", "sweep_id": 9, **options}, tmp_path)
    middles = (theirs.delays[:-1] + theirs.delays[1:]) / 2
    np.testing.assert_allclose(current_at(ours, middles), theirs.amps[:-1], atol=1e-12)


def test_a_csv_is_what_bmtk_reads(tmp_path: Path) -> None:
    from bmtk.simulator.core.modules.iclamp import CSVAmpReader

    (tmp_path / "a.csv").write_text("ts,amp\n0,0\n10,0.5\n20,0.5\n30,-0.25\n40,0\n50,0\n")
    options = {"separator": ",", "timestamps_column": "ts", "amplitudes_column": "amp"}
    theirs = CSVAmpReader(file=str(tmp_path / "a.csv"), **options)
    ours = of_ours({"input_type": "csv", "file": "a.csv", **options}, tmp_path)
    np.testing.assert_allclose(current_at(ours, theirs.delays[:-1] + 5.0), theirs.amps[:-1])
    assert len(ours.amplitudes) == 2  # neighbours that are equal are one pulse
