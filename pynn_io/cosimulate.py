"""One plan on several simulators at once: place -> split -> run side by side, exchanging spikes -> join.

`pynn_io.simulate` comes here when what it is given as a backend places populations.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pynn_io import registry
from pynn_io.audit import audit, complete, refuse
from pynn_io.document import Document
from pynn_io.errors import BackendUnavailable, FormatError, LossError, PlanError
from pynn_io.graph.network import Network
from pynn_io.graph.validate import validate
from pynn_io.lowering.cosimulation import crossings
from pynn_io.lowering.cosimulation.differences import Cut, differences
from pynn_io.lowering.cosimulation.epochs import Epochs, epochs
from pynn_io.lowering.cosimulation.placement import Entry, parse, place
from pynn_io.lowering.cosimulation.shares import Share, shares
from pynn_io.registry import Backend
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile, SteppedRunner
from pynn_io.runners.coordinate import Turn, run_parts
from pynn_io.runners.facts import facts_of
from pynn_io.runners.job import Job, Outcome
from pynn_io.runners.launch import Listener, work_folder
from pynn_io.runners.worker import load_runner
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.validate import check
from pynn_io.vocabulary.support import TARGETS

#: What refuses, in messages.
_SIMULATORS = "the simulators together"


@dataclass(frozen=True, slots=True)
class _Part:
    """One process: what was asked for, on what, and what it is given to run."""

    entry: Entry
    row: Backend
    share: Share

    @property
    def name(self) -> str:
        return self.entry.name


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known before a simulator starts. audited: what parts cannot carry; differences: what the cut changes."""

    audited: Report
    differences: Report

    def with_those_of(self, report: Report) -> Report:
        """The report of what was lowered and run, with what is known besides."""
        return complete(report, self.audited).include(self.differences)


def cosimulate(
    network: Network,
    plan: SimulationPlan,
    placement: str,
    profile: Profile,
    report: Report,
    listener: Listener,
    *,
    strict: bool = False,
    timeout: float | None = None,
) -> Results:
    """Run a plan on several simulators; the results are one run's, under the network's populations and ids.

    placement: see `pynn_io.lowering.cosimulation.placement.parse`. profile: of every part. The rest, and what is
    raised, as `pynn_io.simulate.simulate`; also PlanError for a crossing that cannot be one (`crossings.check`).
    """
    parts, meeting, cut = _parts(network, plan, placement, profile, listener)
    known = _Known(Report(report.allowed), Report(report.allowed))
    for part in parts:
        _audit(part, network, known.audited)
    differences(network, cut, known.differences)
    if strict:
        refuse(_SIMULATORS, known.with_those_of(Report(report.allowed)))
    turns = [_turn(part, replace(profile, stream=number), strict, report) for number, part in enumerate(parts)]
    started = datetime.now(UTC)
    shared = frozenset(f"population {name}" for name in network.populations if name not in cut.home)
    outcomes = _run(turns, meeting, profile, known, listener, shared, timeout)
    found = Report(report.allowed)
    for outcome in outcomes:
        found.include(outcome.report, shared)
    report.include(found)
    known.with_those_of(report)
    results = joined(network, plan, [outcome.results or Results() for outcome in outcomes])
    return replace(results, provenance=_provenance(plan, parts, meeting, started, profile, outcomes))


def _parts(
    network: Network, plan: SimulationPlan, placement: str, profile: Profile, listener: Listener
) -> tuple[list[_Part], Epochs, Cut]:
    """The parts, when they meet, and how the network is cut; what can be refused before anything is made."""
    entries = parse(placement)
    rows = [_row(entry, profile) for entry in entries]
    runners = [_runner(row) for row in rows]
    validate(network, progress=listener.progress)
    check(plan, network, spikes_at_zero=all(row.spikes_at_zero for row in rows))
    home = place(network, entries)
    meeting = _epochs(network, plan, home, max(runner.lag for runner in runners))
    leads = tuple(0.0 if runner.backdates else meeting.lead_time for runner in runners)
    made = shares(network, plan, home, leads)
    cut = Cut(home, tuple(row.name for row in rows), leads, meeting.timestep, plan.spike_times == "precise")
    return [_Part(*three) for three in zip(entries, rows, made, strict=True)], meeting, cut


def _run(
    turns: Sequence[Turn],
    meeting: Epochs,
    profile: Profile,
    known: _Known,
    listener: Listener,
    shared: Collection[str],
    timeout: float | None,
) -> tuple[Outcome, ...]:
    """shared: places of sources, which every part has."""

    def tell(found: Report) -> None:
        known.with_those_of(found)
        if listener.lowered is not None:
            listener.lowered(found)

    try:
        with work_folder(profile) as folder:
            lowered = replace(listener, lowered=tell)
            return run_parts(turns, meeting, folder, lowered, shared=shared, timeout=timeout)
    except LossError as error:
        refuse(_SIMULATORS, known.with_those_of(error.report))
        raise


def _row(entry: Entry, profile: Profile) -> Backend:
    """The backend of an entry. Raises FormatError for an unknown one, and for options that are a single run's."""
    row = registry.find_backend(entry.backend)
    if profile.processes > 1:
        raise BackendUnavailable("a part of a co-simulation runs in one process", hint="leave --processes out")
    if profile.options:
        option = next(iter(profile.options))
        raise FormatError(f"co-simulations have no option {option!r}", hint="it is for a run on one simulator")
    row.require()
    return row


def _runner(row: Backend) -> SteppedRunner:
    runner = load_runner(str(row.runner))
    if not isinstance(runner, SteppedRunner):
        raise BackendUnavailable(
            f"{row.title} cannot be part of a co-simulation: its runner cannot stop to exchange spikes",
            hint="nest and neuron can",
        )
    return runner


def _epochs(network: Network, plan: SimulationPlan, home: Mapping[str, int], lag: int) -> Epochs:
    """When the parts exchange spikes. Raises PlanError for what cannot cross, and for a plan without a time step."""
    if plan.timestep is None:
        raise PlanError(
            "the time step is not stated, and every simulator has another",
            where=f"{plan.name}:timestep",
            hint="state it (--timestep MS)",
        )
    found = crossings.crossings(network, home)
    crossings.check(found, network, plan)
    delay, where = crossings.shortest_delay(found)
    return epochs(delay, where, plan.timestep, lag, float(plan.duration or 0.0))


def _audit(part: _Part, network: Network, audited: Report) -> None:
    """What the simulator of a part cannot carry of what is its own."""
    if part.row.name in TARGETS:
        own = {name: item for name, item in network.populations.items() if name not in _proxies(part, network)}
        audit(Document(replace(part.share.network, populations=own), part.share.plan), part.row.name, audited)


def _proxies(part: _Part, network: Network) -> set[str]:
    return {name for name, item in part.share.network.populations.items() if item is not network.populations[name]}


def _turn(part: _Part, profile: Profile, strict: bool, report: Report) -> Turn:
    row, share = part.row, part.share
    job = Job(share.network, share.plan, str(row.runner), profile, row.title, row.extra, strict, report.allowed)
    return Turn(part.name, job, share.lead, share.inlets, share.outlets)


def joined(network: Network, plan: SimulationPlan, found: Sequence[Results]) -> Results:
    """The results of all parts as one run's: populations in the network's order, recordings in the plan's."""
    order = {name: number for number, name in enumerate(network.populations)}
    reports = {item.name: number for number, item in enumerate(plan.recordings)}
    traces = [trace for one in found for trace in one.traces]
    traces.sort(key=lambda trace: (reports.get(trace.report, len(reports)), order[trace.population]))
    spikes = {name: item for one in found for name, item in one.spikes.items()}
    nodes = {name: item for one in found for name, item in one.nodes.items()}
    return Results(
        spikes={name: spikes[name] for name in order if name in spikes},
        traces=tuple(traces),
        nodes={name: nodes[name] for name in order if name in nodes},
        duration=found[0].duration,
        level=found[0].level,
    )


def _provenance(
    plan: SimulationPlan,
    parts: Sequence[_Part],
    meeting: Epochs,
    started: datetime,
    profile: Profile,
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """What decides about the numbers. Plain values, so that every file format can hold them."""
    titles = list(dict.fromkeys(part.row.title for part in parts))
    versions = {part.row.title: part.row.version() for part in parts}
    return {
        "backend": ",".join(part.name for part in parts),
        "backend_chosen": "asked for",
        "simulator": ", ".join(titles),
        "simulator_version": ", ".join(versions[title] for title in titles),
        "pynn_io_version": version("pynn_io"),
        "date": started.isoformat(timespec="seconds"),
        **facts_of(plan),
        "placement": {name: part.row.name for part in parts for name in part.share.own},
        "epoch": meeting.epoch,
        "epochs": len(meeting.stops()),
        "threads": profile.threads,
        "processes": len(parts),
        "parts": {part.name: _own_facts(part, outcome) for part, outcome in zip(parts, outcomes, strict=True)},
        "seconds": {step: round(max(one.seconds[step] for one in outcomes), 4) for step in outcomes[0].seconds},
        "cpu_seconds": {step: round(sum(one.cpu[step] for one in outcomes), 4) for step in outcomes[0].cpu},
        "peak_memory": sum(one.memory for one in outcomes),
    }


def _own_facts(part: _Part, outcome: Outcome) -> dict[str, Any]:
    stated = outcome.results.provenance if outcome.results is not None else {}
    return {
        "simulator": part.row.title,
        "simulator_version": part.row.version(),
        "proxy_lead": part.share.lead,
        **{name: value for name, value in stated.items() if not isinstance(value, Mapping)},
        "cpu_seconds": {step: round(value, 4) for step, value in outcome.cpu.items()},
    }
