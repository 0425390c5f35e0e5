"""One simulation for any backend of PyNN, made by pynn_io: ``python run.py BACKEND`` (nest, neuron, spiNNaker ...).

It needs Python 3.8, numpy, PyNN and the backend, and no other file: network, spikes and currents are below. It writes
``results.npz`` (spikes and recordings, by population) and ``provenance.json`` (what ran it, and whether it ran at all:
on a virtual board a network is mapped, and nothing is recorded). ``pynn-run --job`` makes results of these two.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

#: Where PyNN's own backends are not: the name that the queue hands over -> the module.
MODULES = {"brainscales2": "pynn_brainscales.brainscales2", "hardware.brainscales2": "pynn_brainscales.brainscales2"}
#: Packages whose versions are noted.
PACKAGES = ("PyNN", "neo", "numpy", "sPyNNaker", "nest-simulator", "NEURON", "Brian2", "pynn_brainscales")
RESULTS, PROVENANCE = "results.npz", "provenance.json"
#: An npz archive in base64: ``words`` (JSON) and the arrays that it names.
DATA = ""


def main(system: str) -> None:
    """Build, run, and write what was recorded."""
    packed = base64.b64decode(DATA)
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    words = json.loads(arrays.pop("words").tobytes().decode("utf-8"))
    started, clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.time()
    name, sim = backend(system)
    job = Job(sim, name, words, arrays)
    job.build()
    built = time.time()
    sim.run(words["duration"])
    ran = time.time()
    virtual = is_virtual(name)
    provenance = {
        "level": "maps" if virtual else "executes",
        "system": system,
        "backend": sim.__name__,
        "digest": hashlib.sha256(packed).hexdigest(),
        "date": started,
        "python": platform.python_version(),
        "versions": versions(),
        "seconds": {"build": built - clock, "run": ran - built},
        "setup": job.setup,
        "not_applied": job.not_applied,
    }
    # What a virtual board records is empty: it is not written, so that nobody takes it for silence.
    recorded = {"signals": []} if virtual else job.recorded()
    if not virtual:
        np.savez_compressed(RESULTS, **recorded.pop("arrays"))
    sim.end()
    provenance = {**said_before(provenance["digest"]), **provenance, **recorded}
    with open(PROVENANCE, "w", encoding="utf-8") as file:
        json.dump(provenance, file, indent=2)
    sys.stdout.writelines(f"not as asked: {item}\n" for item in job.not_applied)
    what = "mapped, not executed" if virtual else "executed"
    sys.stdout.write(f"{name}: {what} in {ran - clock:.1f} s\n")


def said_before(digest: str) -> dict[str, Any]:
    """What the file beside the job says of what it was made from: it stays, though the run writes that file."""
    if not os.path.exists(PROVENANCE):
        return {}
    with open(PROVENANCE, encoding="utf-8") as file:
        said: dict[str, Any] = json.load(file)
    return said if said.get("digest") == digest else {}


def backend(system: str) -> tuple[str, Any]:
    """``(short name, module)``; the queue hands over the name of a module in PyNN, or of one of its own."""
    name = system[len("pyNN.") :] if system.startswith("pyNN.") else system
    name = "spiNNaker" if name.lower() == "spinnaker" else name
    module = MODULES.get(name) or (name if "." in name else "pyNN." + name)
    return name, import_module(module)


def is_virtual(name: str) -> bool:
    """Whether sPyNNaker had no board."""
    if name != "spiNNaker":
        return False
    from spinn_utilities.config_holder import get_config_bool

    return bool(get_config_bool("Machine", "virtual_board"))


def versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


class Job:
    """The simulation on one backend."""

    def __init__(self, sim: Any, name: str, words: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.sim, self.name, self.words, self.arrays = sim, name, words, arrays
        self.setup: dict[str, Any] = {**words["setup"], **words["systems"].get(name, {})}
        self.populations: dict[str, Any] = {}
        #: What the backend's cells do not begin with, and spikes that it cannot send.
        self.not_applied: list[str] = []

    def build(self) -> None:
        self.sim.setup(**self.setup)
        if self.name == "nest":
            # PyNN hands over times that NEST takes to be exact: by their rounding some spikes would be a step late.
            import nest

            nest.SetDefaults("spike_generator", {"precise_times": False, "allow_offgrid_times": True})
        for cells in self.words["cells"]:
            self.populations[cells["label"]] = self._population(cells)
        for edges in self.words["connections"]:
            self._connect(edges)
        if self.name == "spiNNaker":
            for label, neurons in self.words["cores"].items():
                self.populations[label].set_max_atoms_per_core(neurons)
        for current in self.words["currents"]:
            self._inject(current)
        for label in self.words["spiking"]:
            self.populations[label].record("spikes")
        for recorder in self.words["recorders"]:
            self._some(recorder).record(recorder["variables"], sampling_interval=recorder["interval"])

    def _value(self, value: Any) -> Any:
        """A number, a list, or an array by its name; rows of an array of two dimensions are values that are lists."""
        if isinstance(value, dict):
            value = self.arrays[value["array"]]
            return [self._sequence(row) for row in value] if value.ndim > 1 else value.tolist()
        return self._sequence(value) if isinstance(value, list) else value

    def _sequence(self, values: Any) -> Any:
        if self.name == "spiNNaker":
            return list(np.asarray(values).tolist())
        from pyNN.parameters import Sequence

        return Sequence(np.asarray(values, dtype=float))

    def _kind(self, model: str) -> Any:
        """A class of the backend. BrainScaleS-2 keeps cells and synapses in modules of their own."""
        holders = [self.sim, *(getattr(self.sim, name, None) for name in ("cells", "synapses"))]
        for holder in holders:
            if hasattr(holder, model):
                return getattr(holder, model)
        raise SystemExit(f"{self.sim.__name__} has no {model}")

    def _population(self, cells: dict[str, Any]) -> Any:
        parameters = {name: self._value(value) for name, value in cells["parameters"].items()}
        if cells["trains"]:
            # Sorted by place, so that each source's times are a slice.
            places, times = (self.arrays[name] for name in cells["trains"])
            times = self._on_time(times, cells["label"])
            bounds = np.searchsorted(places, np.arange(cells["size"] + 1))
            pieces = [times[bounds[row] : bounds[row + 1]] for row in range(cells["size"])]
            parameters["spike_times"] = [self._sequence(piece) for piece in pieces]
        kind = self._kind(cells["model"])(**parameters)
        known = getattr(kind, "default_initial_values", {})
        initial = {}
        for name, value in cells["initial"].items():
            if name in known:
                initial[name] = self._value(value)
            elif np.any(self._value(value)):
                self.not_applied.append(f"{name} of {cells['label']}")
        more = {"initial_values": initial} if initial else {}
        return self.sim.Population(cells["size"], kind, label=cells["label"], **more)

    def _on_time(self, times: np.ndarray, label: str) -> np.ndarray:
        """Not before NEST's second step: PyNN hands it times a step early, and it drops those at 0 without a word."""
        first = 2 * self.setup["timestep"] if self.name == "nest" else 0.0
        early = times < first - 1e-9
        if early.any():
            self.not_applied.append(f"{np.count_nonzero(early)} spikes of {label} before {first:g} ms, which come then")
        return np.where(early, first, times)

    def _synapse(self, edges: dict[str, Any]) -> Any:
        if "timing" not in edges:
            return self._kind(edges["model"])(**edges["parameters"])
        timing, weight, some = edges["timing"], edges["weight"], edges["some_weight"]
        bounds = weight["parameters"]
        if self.name == "spiNNaker":
            # Sizes, as the weights are.
            some, bounds = abs(some), {name: abs(value) for name, value in bounds.items()}
        return self.sim.STDPMechanism(
            timing_dependence=getattr(self.sim, timing["model"])(**timing["parameters"]),
            weight_dependence=getattr(self.sim, weight["model"])(**bounds),
            dendritic_delay_fraction=edges["dendritic_delay_fraction"],
            weight=some,
        )

    def _connect(self, edges: dict[str, Any]) -> None:
        table = self.arrays[edges["table"]]
        if self.name == "spiNNaker":
            # The receptor tells what inhibits; weights are sizes there. Of lists that are in no order sPyNNaker 7.4
            # miscounts the targets of a cell on a core.
            column = 2 + edges["columns"].index("weight")
            table[:, column] = np.abs(table[:, column])
            table = table[np.lexsort((table[:, 1], table[:, 0]))]
        self.sim.Projection(
            self.populations[edges["pre"]],
            self.populations[edges["post"]],
            self.sim.FromListConnector(table, column_names=edges["columns"]),
            self._synapse(edges),
            receptor_type=edges["receptor"],
            label=edges["label"],
        )

    def _some(self, item: dict[str, Any]) -> Any:
        """A population, or a view of some of its cells."""
        population, targets = self.populations[item["cells"]], self.arrays[item["targets"]]
        return population if len(targets) == population.size else population[targets]

    def _inject(self, current: dict[str, Any]) -> None:
        parameters = {name: self._value(value) for name, value in current["parameters"].items()}
        getattr(self.sim, current["model"])(**parameters).inject_into(self._some(current))

    def recorded(self) -> dict[str, Any]:
        """``arrays`` for the archive, and what the signals in it are."""
        arrays: dict[str, np.ndarray] = {}
        signals = []
        labels = dict.fromkeys([*self.words["spiking"], *(item["cells"] for item in self.words["recorders"])])
        for number, label in enumerate(labels):
            segment = self.populations[label].get_data().segments[-1]
            places, times = spikes(segment)
            arrays[f"places_{number}"], arrays[f"times_{number}"] = places, times
            for order, signal in enumerate(segment.analogsignals):
                name = f"signal_{number}_{order}"
                arrays[name] = np.asarray(signal.magnitude, dtype=np.float64)
                arrays[name + "_cells"] = np.asarray(signal.array_annotations["channel_index"], dtype=np.int64)
                period = float(signal.sampling_period.rescale("ms").magnitude)
                signals.append({"cells": label, "variable": signal.name, "period": period, "array": name})
        return {"arrays": arrays, "spikes": list(labels), "signals": signals}


def spikes(segment: Any) -> tuple[np.ndarray, np.ndarray]:
    """``(place in the population, time in ms)`` of all spikes of a segment."""
    places, times = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for order, train in enumerate(segment.spiketrains):
        own = np.asarray(train.rescale("ms").magnitude, dtype=np.float64)
        times.append(own)
        places.append(np.full(len(own), int(train.annotations.get("source_index", order)), dtype=np.int64))
    return np.concatenate(places), np.concatenate(times)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python run.py BACKEND (nest, neuron, spiNNaker ...)")
    main(sys.argv[1])
