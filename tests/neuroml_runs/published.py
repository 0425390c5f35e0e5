"""Models of Open Source Brain with the spike times that they publish (``.mep``), and how far a run is from them.

An ``.omt`` file says for one simulator which file of a run holds a variable, how its spikes are found, and how large a
relative deviation is taken: |observed - expected| <= tolerance * expected, spike by spike, in the same number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.archive.judge_tests import milliseconds, observed
from pynn_io.formats.omv import Observable, Test, read_test
from pynn_io.pipeline import read
from pynn_io.results import Results
from pynn_io.simulate import simulate

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
#: Simulators whose ``.omt`` say where things are, the first that a model has.
_PREFERRED = ("jNeuroML_NEURON", "jNeuroML")


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
    described: dict[Path, list[Test]] = {}
    for path in sorted(DATA.rglob(".*.omt")):
        test = read_test(path)
        if test.expectations is not None:
            lems = (path.parent / test.target).resolve().relative_to(DATA.resolve())
            described.setdefault(DATA / lems, []).append(test)
    return {model.name: model for model in (_model(lems, found) for lems, found in described.items())}


def _model(lems: Path, found: list[Test]) -> Model:
    first = min(found, key=lambda each: (*_PREFERRED, each.engine).index(each.engine))
    tolerances = {test.engine: max((each.tolerance for each in test.observables), default=0.0) for test in found}
    about = DATA / lems.relative_to(DATA).parts[0] / "META.json"
    recorded = json.loads(about.read_text())["tolerances_recorded_by_osb"] if about.is_file() else {}
    return Model(lems, first.observables, {**recorded, **tolerances})


def run(model: Model, backend: str, **options: Any) -> Results:
    """The results of the model's own LEMS file on a backend."""
    document = read(model.lems)
    return simulate(document.network, document.plan, backend, **options)


def spikes(results: Results, what: Observable) -> np.ndarray:
    """The spike times (ms) of an observable, or the rate of its events (per s). ValueError where the run has none."""
    found = observed(what, results)
    if isinstance(found, str):
        raise ValueError(found)
    return found * _scale(what)


def _scale(what: Observable) -> float:
    return 1.0 if what.kind == "spike rate" else milliseconds(what)


def deviations(model: Model, results: Results) -> tuple[Deviation, ...]:
    """How far a run is from what is published, by experiment."""
    found = []
    for what in model.observables:
        times, expected = spikes(results, what), np.array(what.expected) * _scale(what)
        if len(times) != len(expected):
            found.append(Deviation(what.experiment, len(times), len(expected), None, None))
            continue
        apart = np.abs(times - expected)
        relative = float((apart / expected).max(initial=0.0))
        found.append(Deviation(what.experiment, len(times), len(expected), relative, float(apart.max(initial=0.0))))
    return tuple(found)
