"""A script of PyNN, written by hand, that a child process runs: ``by_hand.py BACKEND CASES.json OUT.npz``.

Every case is a population of its own with sources of its own; it is built, recorded and read back by PyNN's public
calls alone. What PyNN refuses is told in place of the results of that case.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from pyNN.parameters import ArrayParameter

#: Cells whose ``v`` PyNN 0.13 asks of its simulator under a name that this does not have.
WITHOUT_V = {("nest", "IF_curr_delta")}


def backend_of(sim: Any) -> str:
    return str(sim.__name__).rpartition(".")[2]


def main(backend: str, cases: Path, out: Path) -> None:
    stated = json.loads(cases.read_text())
    sim: Any = import_module(f"pyNN.{backend}")
    more = {"spike_precision": "on_grid"} if backend == "nest" else {}
    sim.setup(timestep=stated["timestep"], min_delay=stated["timestep"], max_delay=20.0, **more)
    if backend == "brian2":
        import brian2

        brian2.prefs.codegen.target = "numpy"
        brian2.defaultclock.dt = stated["timestep"] * brian2.ms  # PyNN leaves its sources to this clock
    found: dict[str, Any] = {}
    built = {}
    for name, case in stated["cases"].items():
        try:
            built[name] = build(sim, case)
        except Exception as error:  # noqa: BLE001 - whatever PyNN raises is what is told
            found[f"{name}/error"] = f"{type(error).__name__}: {error}"
    sim.run(stated["duration"])
    for name, population in built.items():
        try:
            data = population.get_data().segments[0]
            found[f"{name}/v"] = np.asarray(data.analogsignals[0].magnitude if data.analogsignals else np.zeros((0, 0)))
            trains = [np.asarray(train.rescale("ms").magnitude) for train in data.spiketrains]
            found[f"{name}/i"] = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
            found[f"{name}/t"] = np.concatenate(trains)
        except Exception as error:  # noqa: BLE001
            found[f"{name}/error"] = f"{type(error).__name__}: {error}"
    np.savez(out, **found)


def build(sim: Any, case: dict[str, Any]) -> Any:
    """The cells of a case, their sources and synapses, recorded."""
    parameters = {**case["parameters"], **{name: ArrayParameter(own) for name, own in case["shared"].items()}}
    size = len(case["weights"][0])
    cells = sim.Population(size, getattr(sim, case["model"])(**parameters))
    cells.initialize(**case["initial"])
    cells.record("spikes")
    if (backend_of(sim), case["model"]) not in WITHOUT_V:
        cells.record("v", sampling_interval=case["interval"])
    for receptor, weights, delay, times in zip(
        ("excitatory", "inhibitory"), case["weights"], case["delays"], case["times"], strict=True
    ):
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
        edges = [(0, cell, weight, delay) for cell, weight in enumerate(weights)]
        synapse = synapse_type(sim, case["synapse"])
        made = sim.Projection(source, cells, sim.FromListConnector(edges), synapse, receptor_type=receptor)
        if backend_of(sim) == "nest":  # no other backend of PyNN's has states of synapses
            made.initialize(**case["synapse"]["states"])
    return cells


def synapse_type(sim: Any, stated: dict[str, Any]) -> Any:
    kind, parameters = stated["kind"], stated["parameters"]
    if kind != "STDPMechanism":
        return getattr(sim, kind)(**parameters)
    timing = sim.SpikePairRule(**parameters["timing"])
    weight = getattr(sim, parameters["weight_dependence"])(**parameters["weight"])
    return sim.STDPMechanism(timing_dependence=timing, weight_dependence=weight)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
