"""THE way to run: validate -> audit -> lower -> build -> run -> collect, in a child process. It knows no simulator.

A simulator has global state and may crash; the process that asks for a run survives it and can ask for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pynn_io import registry
from pynn_io.audit import audit, complete, refuse
from pynn_io.cosimulate import cosimulate
from pynn_io.document import Document
from pynn_io.errors import FormatError, LossError
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.network import Network
from pynn_io.graph.validate import validate
from pynn_io.lowering.abstract import under_stated_names
from pynn_io.lowering.cosimulation.placement import is_placement
from pynn_io.lowering.own_spikes import with_source_spikes
from pynn_io.lowering.quantities import traces
from pynn_io.progress import Progress, quiet
from pynn_io.registry import Backend
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.results import EMITTED, QuantityTable
from pynn_io.runners.base import Profile
from pynn_io.runners.facts import facts_of
from pynn_io.runners.job import Job, Outcome
from pynn_io.runners.launch import Listener, LogSink, run_job, work_folder
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.validate import check
from pynn_io.vocabulary.support import TARGETS

#: ``target_simulator`` of a SONATA configuration -> backend.
_SIMULATORS = {"NEST": "nest", "NEURON": "neuron", "CORENEURON": "neuron"}
#: Codes of what is absent from a plan that was read: what would run is not what the plan says.
INCOMPLETE = frozenset({"missing-input", "missing-node-sets", "input-without-spikes", "spikes-of-unknown-population"})


def simulate(
    network: Network,
    plan: SimulationPlan,
    backend: str = "auto",
    *,
    profile: Profile | None = None,
    report: Report | None = None,
    strict: bool = False,
    progress: Progress = quiet,
    log: LogSink | None = None,
    lowered: Callable[[Report], None] | None = None,
    timeout: float | None = None,
    duration: float | None = None,
    timestep: float | None = None,
    seed: int | None = None,
    spike_times: str | None = None,
    threads: int | None = None,
    processes: int | None = None,
    mechanisms: Sequence[str | Path] = (),
    **options: Any,
) -> Results:
    """Run a plan on a network.

    backend: a name of `registry.backends`, or ``auto``: what the plan was written for, else what the network holds; or
        a name for each population, for a co-simulation: ``cortex=neuron,thalamus=nest`` (`pynn_io.cosimulate`).
    profile: how to run; ``threads``, ``processes``, ``mechanisms`` (folders of ``.mod`` files, which NEURON compiles
        and others run by the equations in them) and ``options`` of one backend (``coreneuron=True``) override or add
        to it. duration, timestep (ms), seed, spike_times: instead of the
        plan's.
    report: what the backend cannot honour is added to it. strict: run nothing if there is such a thing.
    log: takes what the simulator prints. lowered: is called before anything is built, with all that the backend cannot
    honour as far as it is known by then. timeout: seconds of wall clock.

    Raises FormatError (unknown backend; ``auto`` and a plan for a simulator without one), GraphError, PlanError,
    LossError (strict), BackendUnavailable, RunError, SimulationFailed, whose ``folder`` is kept. However it ends, no
    process is left behind.
    """
    report = Report() if report is None else report
    placed = is_placement(backend)
    name, reason = (backend, "") if placed else _chosen(backend, network, plan)
    plan = _plan(plan, duration, timestep, seed, spike_times)
    profile = _overridden(profile or Profile(), threads, processes, mechanisms, options)
    listener = Listener(progress, log, lowered)
    if placed:
        found = cosimulate(network, plan, backend, profile, report, listener, strict=strict, timeout=timeout)
        return with_source_spikes(_named(found, network, plan), network, plan)
    row = registry.find_backend(name)
    results = _on_one(network, plan, row, _profile(row, profile), report, listener, strict=strict, timeout=timeout)
    return replace(results, provenance={"backend": name, "backend_chosen": reason, **results.provenance})


def _on_one(
    network: Network,
    plan: SimulationPlan,
    row: Backend,
    profile: Profile,
    report: Report,
    listener: Listener,
    *,
    strict: bool,
    timeout: float | None,
) -> Results:
    """Run a plan on one simulator, as `simulate`."""
    row.require(profile.processes)
    if row.equations and profile.mechanisms:
        translate = registry.load_dotted(registry.MECHANISMS)
        network = translate(Document(network, plan), profile.mechanisms, report).network
    validate(network, progress=listener.progress)
    check(plan, network, spikes_at_zero=row.spikes_at_zero)
    audited = _audited(row, Document(network, plan), report)
    if strict:
        refuse(row.title, audited)
    job = Job(network, plan, str(row.runner), profile, row.title, row.extra, strict, report.allowed)
    started = datetime.now(UTC)
    listener.progress(f"starting {row.title}", 0, 1)
    outcomes = _run(job, row, report, audited, listener, timeout)
    first = _named(outcomes[0].results or Results(), network, plan)
    if not row.through and first.level != EMITTED:
        first = with_source_spikes(first, network, plan)
    return replace(first, provenance={**_provenance(row, plan, profile, started, outcomes), **first.provenance})


def _audited(row: Backend, document: Document, report: Report) -> Report:
    """What the support tables say that the backend does not have, with what ``report`` allows."""
    audited = Report(report.allowed)
    family, colon, _ = row.name.partition(":")
    # a family has one column: what its members lack beyond that, lowering says
    target = row.through or (f"{family}:*" if colon else row.name)
    if target in TARGETS:  # a backend of another package says what it lacks when it lowers
        audit(document, target, audited)
    return audited


def _named(results: Results, network: Network, plan: SimulationPlan) -> Results:
    """The results with traces under the names that the plan has for their variables."""
    return _with_potentials(replace(results, traces=under_stated_names(results.traces, plan)), network)


def _with_potentials(results: Results, network: Network) -> Results:
    """The results with the potentials in files of a LEMS simulation as traces too, which all formats and plots know."""
    known = {trace.report for trace in results.traces}
    tables = [table for table in results.tables if isinstance(table, QuantityTable) and table.name not in known]
    made = [trace for table in tables for trace in traces(table, network)]
    return replace(results, traces=(*results.traces, *made))


def choose(network: Network, plan: SimulationPlan) -> tuple[str, str]:
    """The backend for ``auto``, and why: what the plan names, what the models belong to, what is installed.

    Raises FormatError for a plan that was written for a simulator without a backend: another one may run it, but who
    asks for none has not chosen that.
    """
    if plan.target_simulator:
        stated = _backend_of(plan.target_simulator)
        if stated is None:
            known = ", ".join(registry.names_to_run())
            raise FormatError(
                f"the simulation was written for {plan.target_simulator}, which is no backend here",
                where=f"{plan.name}:target_simulator",
                hint=f"to run it on another simulator, name the backend; known backends: {known}",
            )
        return stated, f"the simulation was written for {plan.target_simulator}"
    models = {cell.model for cell in network.cells.values() if isinstance(cell, PointCell)}
    if any(isinstance(cell, CableCell) for cell in network.cells.values()):
        return "neuron", "the network has cable cells"
    if any(model.startswith("nrn:") for model in models):
        return "neuron", "the network has cell models of NEURON"
    if any(model.startswith("neuroml:") for model in models):
        return "neuron", "the network has cell models of NeuroML, and NEURON runs all of these"
    if any(model.startswith("nest:") for model in models):
        return "nest", "the network has cell models of NEST"
    for row in registry.BACKENDS.values():
        if row.is_installed():
            return row.name, "the network suits any simulator, and this one is installed"
    return "nest", "the network suits any simulator"


def output_options(plan: SimulationPlan) -> Mapping[str, Any]:
    """Options of `pynn_io.results.sonata.write`: names and order of the files as the plan has them."""
    output = plan.output
    stated = {
        "spikes_file": output.spikes_file,
        "spikes_csv": output.spikes_file_csv,
        "spikes_sort_order": output.spikes_sort_order,
        # The files of quantities and events are written by name beside these, as LEMS has them.
        "report_files": {
            one.name: one.file for one in plan.recordings if one.file and one.kind not in ("quantities", "events")
        },
    }
    return {name: value for name, value in stated.items() if value}


def _backend_of(simulator: str) -> str | None:
    """The backend of a ``target_simulator``; None where there is none."""
    name = _SIMULATORS.get(simulator.upper(), simulator.lower())
    return name if name in registry.backends() else None


def _chosen(backend: str, network: Network, plan: SimulationPlan) -> tuple[str, str]:
    """The backend, and the reason: for one that was named, with what the plan was written for where that is another."""
    if backend == "auto":
        return choose(network, plan)
    backend = registry.spelt(backend)
    if not plan.target_simulator or _backend_of(plan.target_simulator) == backend:
        return backend, "asked for"
    return backend, f"asked for; the simulation was written for {plan.target_simulator}"


def _plan(
    plan: SimulationPlan,
    duration: float | None,
    timestep: float | None,
    seed: int | None,
    spike_times: str | None,
) -> SimulationPlan:
    return replace(
        plan,
        duration=plan.duration if duration is None else duration,
        timestep=plan.timestep if timestep is None else timestep,
        seed=plan.seed if seed is None else seed,
        spike_times=spike_times or plan.spike_times,
    )


def _profile(row: Backend, profile: Profile) -> Profile:
    """The profile for a backend. Raises FormatError for an option that it does not have."""
    profile = replace(profile, writer=str(registry.find(row.through)[0].writer) if row.through else "")
    unknown = sorted(profile.options.keys() - set(row.options))
    if unknown:
        known = ", ".join(row.options) or "none"
        raise FormatError(f"{row.title} has no option {unknown[0]!r}", hint=f"its options: {known}")
    return profile


def _overridden(
    profile: Profile,
    threads: int | None,
    processes: int | None,
    mechanisms: Sequence[str | Path],
    options: Mapping[str, Any],
) -> Profile:
    profile = replace(
        profile,
        threads=profile.threads if threads is None else threads,
        processes=profile.processes if processes is None else processes,
        # The child runs in another folder.
        mechanisms=tuple(Path(folder).absolute() for folder in (*profile.mechanisms, *mechanisms)),
        options={**profile.options, **options},
    )
    for name, count in (("threads", profile.threads), ("processes", profile.processes)):
        if count < 1:
            raise FormatError(f"{count} {name}: at least one is needed")
    return profile


def _run(
    job: Job,
    row: Backend,
    report: Report,
    audited: Report,
    listener: Listener,
    timeout: float | None,
) -> dict[int, Outcome]:
    """The outcomes by rank. What lowering and building said, and what they forgot, is in ``report`` afterwards."""
    tell = listener.lowered
    if tell is not None:
        listener = replace(listener, lowered=lambda found: tell(complete(found, audited)))
    with work_folder(job.profile) as folder:
        job = replace(job, profile=replace(job.profile, work=folder))
        try:
            outcomes = run_job(job, folder, listener, timeout=timeout)
        except LossError as error:
            refuse(row.title, complete(error.report, audited))
            raise
    for outcome in outcomes.values():
        report.include(outcome.report)
    complete(report, audited)
    return outcomes


def _provenance(
    row: Backend,
    plan: SimulationPlan,
    profile: Profile,
    started: datetime,
    outcomes: Mapping[int, Outcome],
) -> dict[str, Any]:
    """What decides about the numbers, and what it took. Plain values, so that every file format can hold them."""
    first = outcomes[0]
    return {
        "simulator": row.title,
        "simulator_version": row.version(),
        "pynn_io_version": version("pynn_io"),
        "date": started.isoformat(timespec="seconds"),
        **facts_of(plan),
        "threads": profile.threads,
        "processes": profile.processes,
        **({"options": dict(profile.options)} if profile.options else {}),
        "seconds": {step: round(value, 4) for step, value in first.seconds.items()},
        "cpu_seconds": {step: round(sum(one.cpu[step] for one in outcomes.values()), 4) for step in first.cpu},
        "peak_memory": sum(one.memory for one in outcomes.values()),
    }
