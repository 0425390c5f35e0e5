"""Threshold, reset, refractoriness and adaptation: driven cells with inputs, against the native equations and NEST."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.neuroml_components import lems
from tests.neuroml_components.cases import CASES, DRIVES, DURATION, driven
from tests.neuroml_components.oracle import simulate
from tests.neuroml_components.test_native_psp import STEP, setup

#: Potential that a spike of the Hodgkin-Huxley cells has to reach: NEST's V_T + 30 and 0 mV.
PEAKS = {"hh_cond_exp_traub": -33.0, "hh_psc_alpha": 0.0}


def peaks(t: np.ndarray, v: np.ndarray, level: float) -> np.ndarray:
    inner = (v[1:-1] >= level) & (v[1:-1] >= v[:-2]) & (v[1:-1] > v[2:])
    return t[1:-1][inner]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder: Path = tmp_path_factory.mktemp("firing")
    return lems.run(folder, {name: setup(name, driven(name)) for name in DRIVES}, DURATION, STEP)[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIVES)
def test_fires_as_the_native_equations(name: str, runs: dict[str, np.ndarray]) -> None:
    case = driven(name)
    t, v, spikes = simulate(case.native(), case.events(), DURATION)
    if name in PEAKS:
        spikes = peaks(t, v, PEAKS[name])
    assert len(spikes) >= 3, "the case does not fire enough to prove anything"
    assert len(runs[name]) == len(spikes)
    # Every interval may be off by a few steps: of the refractory time, of the crossing, of the inputs.
    # Euler is less exact in the fast gates of the Hodgkin-Huxley cells.
    allowed = (10 if name in PEAKS else 6) * STEP * np.arange(1, len(spikes) + 1)
    assert np.all(np.abs(runs[name] - spikes) <= allowed), f"{runs[name]} against {spikes}"


NEST_SCRIPT = """
import json, sys
import nest
nest.set_verbosity("M_ERROR")
jobs = json.load(open(sys.argv[1]))
nest.ResetKernel()
nest.resolution = 0.01
out = {}
recorders = {}
for name, job in jobs.items():
    cell = nest.Create(job["model"], params=job["parameters"])
    trains = job.get("trains") or [[[round(time - 1.0, 2)], weight] for time, weight in job["events"]]
    for times, weight in trains:
        # Through a parrot: some plastic synapses refuse a generator as their source.
        generator = nest.Create("spike_generator", params={"spike_times": [time - 0.01 for time in times]})
        source = nest.Create("parrot_neuron")
        nest.Connect(generator, source, syn_spec={"delay": 0.01})
        nest.Connect(source, cell, syn_spec={"weight": weight, "delay": 1.0, "synapse_model": job["synapse"],
                                             **job["synapse_parameters"]})
    multimeter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 0.01})
    spikes = nest.Create("spike_recorder")
    nest.Connect(multimeter, cell)
    nest.Connect(cell, spikes)
    recorders[name] = multimeter, spikes
nest.Simulate(jobs and max(job["duration"] for job in jobs.values()))
for name, (multimeter, spikes) in recorders.items():
    events = multimeter.events
    out[name] = {"t": list(events["times"]), "v": list(events["V_m"]), "spikes": list(spikes.events["times"])}
json.dump(out, open(sys.argv[2], "w"))
"""


def run_nest(folder: Path, jobs: dict) -> dict:
    """Jobs (model, parameters, events, synapse, synapse_parameters, duration) through NEST at 0.01 ms."""
    pytest.importorskip("nest")
    (folder / "nest_run.py").write_text(NEST_SCRIPT)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    subprocess.run(
        [sys.executable, "nest_run.py", "jobs.json", "out.json"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return json.loads((folder / "out.json").read_text())


@pytest.mark.slow
def test_nest_agrees(runs: dict[str, np.ndarray], tmp_path: Path) -> None:
    jobs = {}
    for name in DRIVES:
        case = driven(name)
        jobs[name] = {
            "model": case.model.removeprefix("nest:"),
            "parameters": case.parameters,
            "events": case.events(),
            "synapse": "static_synapse",
            "synapse_parameters": {},
            "duration": DURATION,
        }
    results = run_nest(tmp_path, jobs)
    for name in DRIVES:
        spikes = np.array(results[name]["spikes"])
        spikes = spikes[spikes < DURATION]
        assert len(spikes) == len(runs[name]), f"{name}: {runs[name]} against NEST's {spikes}"
        assert np.all(np.abs(runs[name] - spikes) <= 0.05 * np.arange(1, len(spikes) + 1)), name


@pytest.mark.slow
def test_nest_has_the_same_potentials(tmp_path: Path) -> None:
    """The oracle of the other tests is right: NEST computes the same subthreshold traces."""
    jobs = {
        name: {
            "model": case.model.removeprefix("nest:"),
            "parameters": case.parameters,
            "events": case.events(),
            "synapse": "static_synapse",
            "synapse_parameters": {},
            "duration": DURATION,
        }
        for name, case in CASES.items()
    }
    results = run_nest(tmp_path, jobs)
    for name, case in CASES.items():
        t, v, _ = simulate(case.native(), case.events(), DURATION)
        found = np.interp(results[name]["t"], t, v)
        events = [time for time, _ in case.events()]
        away = np.min(np.abs(np.array(results[name]["t"])[:, None] - events), axis=1) > 0.03
        steepest = 3.0 if case.unit == "mV" else np.abs(np.gradient(v, t)).max()
        assert np.abs(found - results[name]["v"])[away].max() < 0.011 * steepest + 0.01, name
