"""Jobs for BrainScaleS-2: in its words, within its ranges, a thousand times as fast. There is no such chip here."""

from __future__ import annotations

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pynn_io.errors import PlanError, RunError
from pynn_io.graph import PointCell
from pynn_io.graph.network import Network
from pynn_io.report import Kind, Report
from pynn_io.runners.nmpi import Model, NmpiRunner
from pynn_io.runners.nmpi.bundle import bundle
from pynn_io.runners.nmpi.collect import Output, collect
from pynn_io.runners.nmpi.platforms import PLATFORMS, Job
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import SimulationPlan
from tests.nmpi import fake_brainscales
from tests.runners.nets import conductance_network, current_network

pytest.importorskip("pyNN")


def lowered(network: Network, plan: SimulationPlan, report: Report) -> Job:
    return PLATFORMS["BrainScaleS-2"](network, plan, report)


def run(job: Job, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the script where a module of that name is; its digest."""
    made = bundle(job.lowered, job.edges, job.setup, {"plan": "the plan"})
    made.write(folder)
    execute(folder, monkeypatch)
    return made.digest


def execute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("pynn_brainscales")
    package.brainscales2 = fake_brainscales  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynn_brainscales", package)
    monkeypatch.setitem(sys.modules, "pynn_brainscales.brainscales2", fake_brainscales)
    monkeypatch.setattr(sys, "argv", ["run.py", "brainscales2"])
    monkeypatch.chdir(folder)
    runpy.run_path(str(folder / "run.py"), run_name="__main__")


def test_the_script_stays_within_what_the_chip_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, plan = current_network()
    report = Report()
    job = lowered(network, plan, report)
    digest = run(job, tmp_path, monkeypatch)
    made = fake_brainscales.made
    assert made["duration"] == 0.5  # 500 ms of the network
    exc = next(item for item in made["populations"] if item.label.startswith("exc"))
    # -65 mV (rest and reset) to 70 steps, -50 mV (threshold) to 150; ms of the network are us of the chip.
    assert exc.kind.parameters == {
        "v_rest": 70.0,
        "v_reset": 70.0,
        "v_thresh": 150.0,
        "tau_m": 15.0,
        "tau_syn_E": 2.0,
        "tau_syn_I": 5.0,
        "tau_refrac": 2.0,
    }
    stated = {name: item.edges.columns.read("weight") for name, item in network.projections.items()}
    unit = max(float(np.abs(values).max()) for values in stated.values()) / 63
    expected = np.concatenate([np.rint(values / unit) for values in stated.values()])
    weights = np.concatenate([item.table[:, 2] for item in made["projections"]])
    assert sorted(weights.tolist()) == sorted(expected.tolist())
    assert np.abs(weights).max() == 63
    assert {item.receptor for item in made["projections"]} == {"excitatory", "inhibitory"}
    sources = next(item for item in made["populations"] if item.label.startswith("input"))
    times = np.concatenate(sources.kind.parameters["spike_times"])
    assert 0 < times.max() < 0.5
    lost = {issue.code for issue in report.of_kind(Kind.LOST)}
    assert {"delay", "i-offset", "recording"} <= lost
    assert {"analogue-cell", "analogue-weight"} <= {issue.code for issue in report.of_kind(Kind.APPROXIMATED)}
    # Back in the network's ms, under its ids.
    cells = {item.label: item for item in job.lowered.network.cells if not item.is_source}
    found = collect(Output(tmp_path, digest), cells, job.lowered.plan)
    assert found.spikes["exc"].times[0] == pytest.approx(0.01)
    assert json.loads((tmp_path / "provenance.json").read_text())["backend"] == "tests.nmpi.fake_brainscales"


def test_times_come_back_in_those_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    network, plan = current_network()
    runner = NmpiRunner("BrainScaleS-2")
    job = runner.lower(network, plan, Report())
    run(job, tmp_path, monkeypatch)
    model = Model(bundle(job.lowered, job.edges, job.setup, {}), tmp_path, {}, "/jobs/1", tmp_path)
    found = runner.collect(model, job)
    assert found.spikes["exc"].times.tolist() == pytest.approx([10.0] * 80)
    assert found.spikes["exc"].node_ids.tolist() == network.populations["exc"].ids().tolist()
    assert found.duration == pytest.approx(500.0)


def test_a_run_by_hand_keeps_what_the_job_was_made_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(lowered(*current_network(), Report()), tmp_path, monkeypatch)
    stated = json.loads((tmp_path / "provenance.json").read_text())
    assert (stated["plan"], stated["command"], stated["level"]) == ("the plan", "run.py {system}", "executes")
    (tmp_path / "provenance.json").write_text(json.dumps({"digest": "of another job", "plan": "another"}))
    execute(tmp_path, monkeypatch)
    assert "plan" not in json.loads((tmp_path / "provenance.json").read_text())


def with_cell(network: Network, **parameters: Any) -> Network:
    cells = {
        name: PointCell(cell.model, {**cell.parameters, **parameters}) if isinstance(cell, PointCell) else cell
        for name, cell in network.cells.items()
    }
    return replace(network, cells=cells)


def test_what_no_circuit_can_be_calibrated_to_is_refused_at_once() -> None:
    network, plan = current_network()
    with pytest.raises(PlanError, match="BrainScaleS-2 cannot hold this network") as caught:
        lowered(with_cell(network, tau_m=100.0, tau_refrac=0.01), plan, Report())
    text = " ".join(caught.value.problems)
    assert "tau_m of exc is 100 to 100 ms; circuits take 0.5 to 60" in text
    assert "tau_refrac of inh is 0.01 to 0.01 ms; circuits take 0.04 to 32" in text


def test_cells_that_the_chip_has_not() -> None:
    network, plan = conductance_network()
    with pytest.raises(RunError, match="none of the cells"):
        lowered(network, plan, Report())


def test_a_bundle_for_it(tmp_path: Path) -> None:
    found = simulate(*current_network(), "nmpi:BrainScaleS-2", bundle=str(tmp_path / "job"))
    assert found.level == "emits"
    assert "CalibHXNeuronCuba" not in (tmp_path / "job" / "run.py").read_text()  # it is in the data
    assert json.loads((tmp_path / "job" / "provenance.json").read_text())["platform"] == "BrainScaleS-2"
