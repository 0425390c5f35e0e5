"""One plan on NEURON twice: by pynn_io, in its child process, and by hand (`obi_by_hand.py`), in another."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.api import read
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import SpikeTrains, Stimulus, SynapseReplay
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.neuron.compiler import compiled
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.simulation_plan.plan import ConnectionOverride

FOLDER = Path(__file__).parents[2] / "fixtures" / "obi_net"
OURS = Path(__file__).parents[2] / "pynn_io" / "runners" / "neuron" / "mod"
BY_HAND = Path(__file__).with_name("obi_by_hand.py")
STEP, DURATION = 0.025, 40.0
DRIVERS = SpikeTrains("drivers", np.array([0, 0, 0, 1, 1]), np.array([5.0, 12.0, 30.0, 8.0, 31.5]))
REPLAY = Stimulus("drive", SynapseReplay(DRIVERS), "Left")
QUIET = ConnectionOverride("quiet", "all", "all", spont_minis=0.0)
SOMA = Recording("soma", "v", "Cells", interval=STEP)


@cache
def network() -> Network:
    return read(FOLDER / "circuit_config.json").network


@cache
def library() -> Path:
    mods = sorted((FOLDER / "components" / "mod").glob("*.mod"))
    return compiled([*mods, OURS / "pynn_io_gap.mod"], quiet)


def plan(**changes: Any) -> SimulationPlan:
    """The plain case: replayed drivers, no miniature events, soma potentials at every step."""
    base = SimulationPlan(
        duration=DURATION,
        timestep=STEP,
        celsius=16.0,
        v_init=-70.0,
        seed=7,
        spike_threshold=-30.0,
        section_length=20.0,
        node_set="Cells",
        stimuli=(REPLAY,),
        recordings=(SOMA,),
        overrides=(QUIET,),
    )
    return replace(base, **changes)


def run(what: SimulationPlan, report: Report | None = None, **options: Any) -> Results:
    return simulate(network(), what, "neuron", report=report, **options)


def by_hand(folder: Path, /, **case: Any) -> dict[str, np.ndarray]:
    case = {"folder": str(FOLDER), "library": str(library()), "duration": DURATION, **case}
    (folder / "case.json").write_text(json.dumps(case))
    command = [sys.executable, str(BY_HAND), str(folder / "case.json"), str(folder / "out.npz")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as file:
        return dict(file)


def differences(results: Results, expected: dict[str, np.ndarray]) -> tuple[float, float, int]:
    """Largest |dV| (mV) of the soma traces, largest |dt| (ms) of the spikes, number of spikes. Counts must be equal."""
    worst_v = worst_t = 0.0
    count = 0
    for trace in results.traces:
        if trace.report != "soma":
            continue
        for column, node in enumerate(trace.node_ids.tolist()):
            other = expected[f"v:{trace.population}/{node}"][: len(trace.data)]
            worst_v = max(worst_v, float(np.abs(trace.data[:, column] - other).max()))
    for name, spikes in results.spikes.items():
        for node in range(3):
            mine, other = np.sort(spikes.times[spikes.node_ids == node]), expected.get(f"spikes:{name}/{node}")
            if other is None:
                continue
            assert len(mine) == len(other), (name, node, mine, other)
            count += len(mine)
            worst_t = max([worst_t, *np.abs(mine - other).tolist()])
    return worst_v, worst_t, count


def assert_same(results: Results, expected: dict[str, np.ndarray], spikes: int = 1) -> None:
    worst_v, worst_t, count = differences(results, expected)
    assert worst_v < 1e-6
    assert worst_t < 1e-9
    assert count >= spikes
