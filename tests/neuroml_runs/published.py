"""Models of Open Source Brain with the spike times that they publish (``.mep``), and how far a run is from them.

An ``.omt`` file says for one simulator which file of a run holds a variable, how its spikes are found, and how large a
relative deviation is taken: |observed - expected| <= tolerance * expected, spike by spike, in the same number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pynn_io.pipeline import read
from pynn_io.results import Results
from pynn_io.results.results import EventTable
from pynn_io.simulate import simulate

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
#: Simulators whose ``.omt`` say where things are, the first that a model has.
_PREFERRED = ("jNeuroML_NEURON", "jNeuroML")


@dataclass(frozen=True, slots=True)
class Observable:
    """What one experiment looks at: a column of a table (0 is time), scaled, and its spikes; or a file of events.

    method: ``threshold`` (threshold: of the scaled variable) or ``derivative`` (maxima); of events ``events``, or
    ``rate`` (per s, from the first event to the last), where ``column`` is the id of the selection. expected: ms,
    ascending; of ``rate`` per s.
    """

    experiment: str
    file: str
    column: int
    scaling: tuple[float, float]
    method: str
    threshold: float
    expected: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """lems: what is run. tolerances: simulator -> the largest that its ``.omt`` states."""

    lems: Path
    observables: tuple[Observable, ...]
    tolerances: Mapping[str, float]

    @property
    def name(self) -> str:
        return self.lems.relative_to(DATA).as_posix()


@dataclass(frozen=True, slots=True)
class Deviation:
    """relative, absolute (ms): the largest of all spikes of an experiment; None where their number is another."""

    experiment: str
    found: int
    expected: int
    relative: float | None
    absolute: float | None


def models() -> dict[str, Model]:
    """Every model at hand that publishes spike times, by the path of its LEMS file."""
    described: dict[Path, list[tuple[str, Path, Mapping[str, Any]]]] = {}
    for path in sorted(DATA.rglob(".*.omt")):
        stated = yaml.safe_load(path.read_text())
        if "mep" in stated:
            lems = (path.parent / stated["target"].strip()).resolve().relative_to(DATA.resolve())
            described.setdefault(DATA / lems, []).append((stated["engine"].strip(), path, stated))
    return {model.name: model for model in (_model(lems, found) for lems, found in described.items())}


def _model(lems: Path, found: list[tuple[str, Path, Mapping[str, Any]]]) -> Model:
    ranked = sorted(found, key=lambda each: (*_PREFERRED, each[0]).index(each[0]))
    _, path, stated = ranked[0]
    expected = yaml.safe_load((path.parent / stated["mep"]).read_text())["experiments"]
    observables = [
        _observable(name, kind, spec, expected[name]["expected"][kind])
        for name, experiment in stated["experiments"].items()
        for kind, spec in experiment["observables"].items()
    ]
    tolerances = {engine: max(_tolerances(each), default=0.0) for engine, _, each in found}
    about = DATA / lems.relative_to(DATA).parts[0] / "META.json"
    recorded = json.loads(about.read_text())["tolerances_recorded_by_osb"] if about.is_file() else {}
    return Model(lems, tuple(observables), {**recorded, **tolerances})


def _observable(name: str, kind: str, spec: Mapping[str, Any], expected: float | list[float]) -> Observable:
    if kind not in ("spike times", "spike rate"):
        raise ValueError(f"{name}: it is not known how to judge {kind}")
    if "spiketimes file" in spec:
        file = spec["spiketimes file"]  # whose times, and those that are expected of it, are in seconds
        method, factor = ("events", 1000.0) if kind == "spike times" else ("rate", 1.0)
        numbers = tuple(float(each) * factor for each in np.atleast_1d(expected))
        return Observable(name, Path(file["path"]).name, int(file["id"]), (1000.0, 1.0), method, 0.0, numbers)
    file, detection = spec["file"], spec["spike detection"]
    time, value = file.get("scaling", [1, 1])
    return Observable(
        name,
        Path(file["path"]).name,
        int(file["columns"][1]),
        (float(time), float(value)),
        detection["method"],
        float(detection.get("threshold", 0.0)),
        tuple(float(each) for each in np.atleast_1d(expected)),
    )


def _tolerances(stated: Mapping[str, Any]) -> Iterator[float]:
    for experiment in stated["experiments"].values():
        for spec in experiment["observables"].values():
            yield float(spec.get("tolerance", 0.0))


def run(model: Model, backend: str, **options: Any) -> Results:
    """The results of the model's own LEMS file on a backend."""
    document = read(model.lems)
    return simulate(document.network, document.plan, backend, **options)


def spikes(results: Results, what: Observable) -> np.ndarray:
    """The spike times (ms) of an observable: samples after upward crossings, maxima, events; or the rate of events."""
    table = next(each for each in results.tables if Path(each.file).name == what.file)
    if isinstance(table, EventTable):
        times = np.sort(table.times[table.ids == what.column])
        return times if what.method == "events" else (len(times) - 1) * 1000 / (times[-1:] - times[:1])
    time, value = table.times / 1000 * what.scaling[0], table.data[:, what.column - 1] * what.scaling[1]
    if what.method == "threshold":
        return time[1:][(value[1:] > what.threshold) & (value[:-1] <= what.threshold)]
    slope = np.diff(value)
    return time[1:-1][(slope[:-1] > 0) & (slope[1:] <= 0)]


def deviations(model: Model, results: Results) -> tuple[Deviation, ...]:
    """How far a run is from what is published, by experiment."""
    found = []
    for what in model.observables:
        observed, expected = spikes(results, what), np.array(what.expected)
        if len(observed) != len(expected):
            found.append(Deviation(what.experiment, len(observed), len(expected), None, None))
            continue
        apart = np.abs(observed - expected)
        relative = float((apart / expected).max(initial=0.0))
        found.append(Deviation(what.experiment, len(observed), len(expected), relative, float(apart.max(initial=0.0))))
    return tuple(found)
