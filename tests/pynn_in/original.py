"""``python original.py BACKEND OUT SCRIPT ARGUMENTS``: a PyNN script as it is, and what is then in its backend."""

import importlib
import runpy
import sys
from pathlib import Path

import numpy as np
from pyNN import common

backend, out, script, *arguments = sys.argv[1:]
populations, projections = [], []


def note(kind, made):
    """Keep every object of a kind when it has been made."""
    original = kind.__init__

    def noted(self, *given, **named):
        original(self, *given, **named)
        made.append(self)

    kind.__init__ = noted


sim = importlib.import_module(f"pyNN.{backend}")
note(sim.Population, populations)
note(sim.Projection, projections)
assert issubclass(sim.Population, common.Population)
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")

found = {}
for population in populations:
    if any(variable.name == "spikes" for variable in population.recorder.recorded):
        trains = population.get_data("spikes").segments[0].spiketrains
        pairs = [(train.annotations["source_index"], time) for train in trains for time in train.magnitude.tolist()]
        found[f"spikes/{population.label}"] = np.array(sorted(pairs), dtype=float).reshape(-1, 2)
    for signal in population.get_data().segments[0].analogsignals:
        found[f"trace/{population.label}/{signal.name}"] = np.asarray(signal.magnitude)
for number, projection in enumerate(projections):
    rows = projection.get(["weight", "delay"], format="list")
    found[f"edges/{number}"] = np.array(sorted(rows), dtype=float).reshape(-1, 4)
np.savez(Path(out), **found)
