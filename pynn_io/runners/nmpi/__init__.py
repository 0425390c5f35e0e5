"""SpiNNaker and BrainScaleS-2 through EBRAINS' queue of neuromorphic jobs: ``nmpi:SpiNNaker``, ``nmpi:BrainScaleS-2``.

A network and a plan become one script, which anybody can run where PyNN and the backend are. Options of the profile:
``bundle`` (folder for it), ``submit`` (post it, wait, and fetch what it gives), ``collab`` (whose quota it is),
``hardware_config`` (a mapping that the queue hands on), ``job`` (address of a job that was submitted before),
``job_service`` (URL), ``queue_timeout`` (seconds to wait) and ``poll`` (seconds before the second question).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pynn_io.errors import FormatError
from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results, Spikes
from pynn_io.results.results import EMITTED
from pynn_io.runners.base import Profile
from pynn_io.runners.facts import facts_of
from pynn_io.runners.nmpi import queue
from pynn_io.runners.nmpi.bundle import SCRIPT, Bundle, bundle
from pynn_io.runners.nmpi.client import QueueClient, token_of
from pynn_io.runners.nmpi.collect import Output, collect
from pynn_io.runners.nmpi.platforms import PLATFORMS, Job
from pynn_io.simulation_plan import SimulationPlan


@dataclass(slots=True, eq=False)
class Model:
    """A job that is written. folder: where. files: where those that it gave were put; None where nobody ran it."""

    made: Bundle
    folder: Path
    options: Mapping[str, Any]
    address: str = ""
    files: Path | None = None


class NmpiRunner:
    """The four steps of `pynn_io.runners.base.Runner` on one platform of the queue."""

    def __init__(self, platform: str) -> None:
        self._platform = platform

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Job:
        return replace(PLATFORMS[self._platform](network, plan, report), facts=facts_of(plan))

    def build(self, lowered: Job, profile: Profile, report: Report, progress: Progress) -> Model:
        """Write the script. Raises FormatError for options that do not go together, RunError."""
        options = profile.options
        submits = bool(options.get("submit") or options.get("job"))
        if not submits and not options.get("bundle"):
            hint = "give --bundle DIR for the script alone, or --submit to have the queue run it"
            raise FormatError(f"{self._platform} is reached by a queue of jobs", hint=hint)
        if submits:
            token_of()
            if not options.get("job") and not options.get("collab"):
                raise FormatError("a job belongs to a collab", hint="give --collab ID: its quota is used")
        date = datetime.now(UTC).isoformat(timespec="seconds")
        facts = {"platform": self._platform, "date": date, **lowered.facts}
        made = bundle(lowered.lowered, lowered.edges, lowered.setup, facts, lowered.cores)
        folder = Path(options["bundle"]) if options.get("bundle") else _work(profile)
        made.write(folder)
        return Model(made, folder, options)

    def run(self, model: Model, progress: Progress) -> None:
        """Submit it and wait, if that is asked for. Raises what `queue.wait` and `queue.fetch` raise."""
        options = model.options
        if not (options.get("submit") or options.get("job")):
            return
        client = QueueClient(token_of(), str(options.get("job_service") or ""))
        model.address = str(options.get("job") or "")
        if not model.address:
            config = options.get("hardware_config")
            path = model.folder / SCRIPT
            model.address = queue.submit(client, path, self._platform, str(options["collab"]), config)
        patience = _patience(options)
        done = queue.wait(client, model.address, patience, progress)
        model.files = Path(tempfile.mkdtemp(prefix="job-", dir=model.folder))
        queue.fetch(client, model.address, done, model.files, patience)

    def collect(self, model: Model, lowered: Job) -> Results:
        """What the job gave; or, where nobody ran it, a result of the level ``emits``, which is no data."""
        if model.files is None:
            return Results(level=EMITTED, provenance={"bundle": str(model.folder), "digest": model.made.digest})
        output = Output(model.files, model.made.digest)
        cells = {item.label: item for item in lowered.lowered.network.cells if not item.is_source}
        found = collect(output, cells, lowered.lowered.plan)
        return _slowed(replace(found, provenance={**found.provenance, "job_address": model.address}), lowered.scale)


def _work(profile: Profile) -> Path:
    return Path.cwd() if profile.work is None else profile.work


def _patience(options: Mapping[str, Any]) -> queue.Patience:
    usual = queue.Patience()
    return replace(
        usual,
        limit=float(options.get("queue_timeout") or usual.limit),
        first=float(options.get("poll") or usual.first),
    )


def _slowed(results: Results, scale: float) -> Results:
    """Times of a machine that is faster than the network, in the network's ms."""
    if scale == 1.0:
        return results
    spikes = {name: Spikes(item.population, item.node_ids, item.times * scale) for name, item in results.spikes.items()}
    duration = None if results.duration is None else results.duration * scale
    return replace(results, spikes=spikes, duration=duration)
