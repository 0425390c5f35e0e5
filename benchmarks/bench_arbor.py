"""Building and running on Arbor against NEURON: the same circuit and plan, CPU seconds of each step of one run each.

The circuit is bio_14cells of ../shared/data (10 cable cells of the Allen Institute, 4 IntFire1, 1276 edges); the
mechanisms of both are BMTK's, compiled by a short run before anything is counted. No target: the ratio is stated.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from pynn_io.pipeline import read
from pynn_io.report import Report
from pynn_io.simulate import simulate

CIRCUIT = Path(__file__).resolve().parents[1].parent / "shared/data/sonata/bio_14cells/config.simulation.json"
MECHANISMS = "utils/scripts/bionet/mechanisms/modfiles"
STEPS = ("lower", "build", "run")


def main() -> int:
    spec = find_spec("bmtk")
    if not CIRCUIT.is_file() or spec is None or spec.origin is None:
        print("the circuit or BMTK's mechanisms are not there")
        return 1
    options = {"mechanisms": [Path(spec.origin).parent / MECHANISMS]}
    document = read(CIRCUIT)
    plan = replace(document.plan, recordings=())
    seconds: dict[str, dict[str, float]] = {}
    for backend in ("neuron", "arbor"):
        simulate(document.network, plan, backend, report=Report(), duration=1.0, **options)
        results = simulate(document.network, plan, backend, report=Report(), **options)
        seconds[backend] = {step: results.provenance["cpu_seconds"][step] for step in STEPS}
        print(f"{backend}: {results.spike_count} spikes, {seconds[backend]}")
    for step in STEPS:
        print(f"{step}: Arbor takes {seconds['arbor'][step] / seconds['neuron'][step]:.2f} of NEURON's CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
