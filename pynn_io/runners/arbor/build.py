"""`LoweredArbor` -> a simulation: the first import of Arbor, which `recipe` has the rest of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import BackendUnavailable, RunError
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.arbor.catalogues import PREFIXES
from pynn_io.runners.arbor.compiler import catalogues
from pynn_io.runners.arbor.lowered import LoweredArbor
from pynn_io.runners.arbor.wiring import wire
from pynn_io.runners.base import Profile


@dataclass(slots=True, eq=False)
class Model:
    """A simulation that stands. samples: of every report, the gids and Arbor's handles of what is sampled there."""

    lowered: LoweredArbor
    arbor: Any
    simulation: Any
    connections: int
    synapses: int
    samples: list[dict[int, Any]] = field(default_factory=list)


def load() -> Any:
    """The module ``arbor``. Raises BackendUnavailable without it."""
    try:
        import arbor
    except ImportError as error:
        message = f"Arbor cannot be imported ({error})"
        raise BackendUnavailable(message, hint="pip install 'pynn_io[arbor]'") from error
    return arbor


@contextmanager
def errors(doing: str, kind: type[RunError] = RunError) -> Iterator[None]:
    """Arbor's errors, which pybind11 makes RuntimeError and ValueError of, as ours."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise kind(f"Arbor refused while {doing}: {error}") from error


def build(lowered: LoweredArbor, profile: Profile, report: Report, progress: Progress) -> Model:
    """Raises BackendUnavailable without Arbor, RunError with its message for what it refuses."""
    arbor = load()
    from pynn_io.runners.arbor.recipe import Recipe

    progress("connecting", 0, 1)
    wiring = wire(lowered, report)
    made = catalogues(lowered.texts, arbor, progress)
    progress("creating cells", 0, lowered.size)
    with errors("building"):
        recipe = Recipe(lowered, wiring, _catalogue(arbor, made))
        simulation = arbor.simulation(recipe, arbor.context(threads=profile.threads), seed=lowered.settings.seed or 0)
        # spike_recording.all records nothing in the wheel of 0.12.2, which is built without MPI
        simulation.record(arbor.spike_recording.local)
        model = Model(lowered, arbor, simulation, len(wiring.source), len(wiring.kind))
        _sample(model)
    return model


def _catalogue(arbor: Any, made: Iterable[Path]) -> Any:
    """All that Arbor has and what was made for this network, in one catalogue."""
    found = arbor.default_catalogue()
    for name, prefix in PREFIXES.items():
        if prefix:
            found.extend(getattr(arbor, f"{name}_catalogue")(), prefix)
    for path in made:
        found.extend(arbor.load_catalogue(str(path)), "")
    return found


def _sample(model: Model) -> None:
    from pynn_io.runners.arbor.recipe import tag_of

    for number, item in enumerate(model.lowered.recordings):
        schedule = schedule_of(item.probe.start, item.probe.interval, item.probe.count)
        found = {gid: model.simulation.sample((gid, tag_of(number)), schedule) for gid in np.unique(item.gids).tolist()}
        model.samples.append(found)


def schedule_of(start: float, interval: float, count: int) -> Any:
    """``count`` times from ``start`` on, ms.

    Arbor's regular schedules are of multiples of their interval. Others are lists, which Arbor keeps once for every
    cell of the network: samples at each of 3,000,000 steps took 14 GB with 120 cells.
    """
    arbor = load()
    first = round(start / interval)
    if abs(first * interval - start) > 1e-9:
        schedule = arbor.explicit_schedule()
        schedule.times_ms = (start + interval * np.arange(count)).tolist()
        return schedule
    ends = max(first - 0.5, 0.0) * interval, (first + count - 0.5) * interval
    return arbor.regular_schedule(ends[0] * arbor.units.ms, interval * arbor.units.ms, ends[1] * arbor.units.ms)
