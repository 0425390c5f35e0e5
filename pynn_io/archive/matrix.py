"""Entries x backends: every cell in a process of its own, on a fresh copy of its files, kept when it is finished.

A finished run stands in ``cells/<key>``; the key is a digest of what decides about its numbers: the inputs to the byte,
the backend with its version and options, and what the user changed. It is moved there in one step, so that an
interrupted call leaves nothing half-done, and two calls at once on one folder do each other no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pynn_io import registry
from pynn_io.archive import offline
from pynn_io.archive.container import Container
from pynn_io.archive.features import Feature
from pynn_io.archive.inputs import Inputs, inputs_in
from pynn_io.archive.judge import Rules, judge
from pynn_io.archive.judge_tests import ENGINES
from pynn_io.archive.process import Limits, as_mapping, run_limited, tail
from pynn_io.archive.task import CELLS, INPUTS, LOG, OUTCOME, Task, read_outcome, read_run
from pynn_io.archive.values import Cell, Check, Entry, Kind, Verdict, worst
from pynn_io.errors import PynnIOError, UnsafeArchive, WriteError
from pynn_io.progress import Progress, quiet
from pynn_io.results import Results

#: The backend that a plan was written for, or what its models need.
AUTO = "auto"
#: A failure of these kinds may be another one tomorrow, with the same files and versions.
_PASSING = frozenset({"BackendUnavailable", "WriteError", "bug", "process"})


@dataclass(frozen=True, slots=True)
class Options:
    """backends: as the user names them (``neuron``, ``jneuroml:neuron``); empty for what each entry is for.

    jobs: runs at a time. limits: of each. seeds: so many more runs with other seeds, for what is random. tolerance: ms,
    instead of the archive's. seed, duration, timestep: instead of the plans'. mechanisms: folders of ``.mod`` files.
    allow_exec: scripts may run. features: of voltages, that are judged.
    """

    backends: tuple[str, ...] = ()
    jobs: int = 1
    limits: Limits = field(default_factory=Limits)
    seeds: int = 0
    tolerance: float | None = None
    seed: int | None = None
    duration: float | None = None
    timestep: float | None = None
    mechanisms: tuple[Path, ...] = ()
    allow_exec: bool = False
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """One process of a cell."""

    task: Task
    inputs: Inputs
    key: str


def run_matrix(
    container: Container, entries: Sequence[Entry], options: Options, folder: Path, progress: Progress = quiet
) -> Iterator[Cell]:
    """Every entry on its backends, a cell as soon as it is judged. folder: exists; finished runs are kept in it.

    Raises FormatError for an unknown backend, before anything runs, and WriteError where the folder takes no more; what
    goes wrong in one cell is its verdict.
    """
    folder = folder.absolute()  # the processes work in others
    (folder / CELLS).mkdir(exist_ok=True)
    plans = [(entry, backend) for entry in entries for backend in backends_of(entry, options)]
    for backend in {split_backend(name)[0] for name in options.backends} - {AUTO}:
        registry.find_backend(backend)
    stop, slots = threading.Event(), threading.Semaphore(options.jobs)
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        waiting = {pool.submit(_cell, container, *each, options, folder, slots, stop) for each in plans}
        try:
            yield from _as_completed(waiting, progress)
        finally:
            stop.set()
            for future in waiting:
                future.cancel()


def _as_completed(waiting: set[Future[Cell]], progress: Progress) -> Iterator[Cell]:
    total, left = len(waiting), set(waiting)
    while left:
        progress("reproducing", total - len(left), total)
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
    progress("reproducing", total, total)


def backends_of(entry: Entry, options: Options) -> tuple[str, ...]:
    """The user's, or the entry's own, or those of its tests, or ``auto``."""
    if options.backends or entry.backends:
        return options.backends or entry.backends
    tested = {test.engine for expectation in entry.expectations for test in expectation.tests}
    known = {engine: backend for backend, engine in ENGINES.items() if ":" in backend}
    return tuple(known[engine] for engine in sorted(tested) if engine in known) or (AUTO,)


def split_backend(name: str) -> tuple[str, dict[str, str]]:
    """``jneuroml:neuron`` -> the backend and its options. Other prefixes belong to the names of backends."""
    base, colon, engine = name.partition(":")
    return (base, {"engine": engine}) if base == "jneuroml" and colon else (name, {})


def _cell(
    container: Container,
    entry: Entry,
    backend: str,
    options: Options,
    folder: Path,
    slots: threading.Semaphore,
    stop: threading.Event,
) -> Cell:
    """Run, and judge, one cell; nothing but an interrupt stops the others."""
    try:
        if entry.problem is not None:
            raise entry.problem
        _check_own(entry, backend, options)
        inputs = inputs_in(container, entry.path, entry.kind)
    except PynnIOError as error:
        failure = {"kind": type(error).__name__, "text": str(error), "exit_status": error.exit_status}
        return Cell(entry, backend, Verdict.CANNOT_RUN, (), {"ran": False, "error": failure}, folder)
    first = _run_of(entry, backend, inputs, options, options.seed)
    place, outcome, reused = _finished(first, options, folder, slots, stop)
    if not outcome.get("ran"):
        return Cell(entry, backend, _failed(outcome), (), outcome, place, reused)
    seeds = _other_seeds(outcome, options)
    others = [_run_of(entry, backend, inputs, options, seed) for seed in seeds]
    with ThreadPoolExecutor(max_workers=max(1, min(options.jobs, len(others)))) as pool:
        more = list(pool.map(lambda run: _finished(run, options, folder, slots, stop), others))
    checks = _judged(entry, backend, options, [(place, outcome, reused), *more])
    known = {**outcome, "other_seeds": list(seeds)}
    return Cell(
        entry,
        backend,
        worst([check.verdict for check in checks]),
        checks,
        known,
        place,
        reused,
        tuple(each for each, ended, _ in more if ended.get("ran")),
    )


def _other_seeds(outcome: Mapping[str, Any], options: Options) -> range:
    """Seeds that the first run did not have: the plan's own is known once it ran."""
    stated = outcome.get("provenance", {}).get("seed")
    first = stated if isinstance(stated, int) else options.seed or 0
    return range(first + 1, first + 1 + options.seeds)


def _check_own(entry: Entry, backend: str, options: Options) -> None:
    """Raises UnsafeArchive where an archive, and not the user, names a backend that is none of pynn_io's own: any
    module that is installed may be called one of PyNN's, and be imported."""
    if backend in options.backends or backend == AUTO:
        return
    row = registry.backends().get(split_backend(backend)[0])
    if row is None or row.level != "executes":
        hint = f"--backend {backend} permits it; --backend nest (neuron, ...) runs it on another one"
        raise UnsafeArchive(f"the archive asks for the backend {backend}, which is none that runs here", hint=hint)


def _failed(outcome: Mapping[str, Any]) -> Verdict:
    return Verdict.TIMED_OUT if outcome.get("process", {}).get("stopped") == "time" else Verdict.CANNOT_RUN


def _judged(
    entry: Entry, backend: str, options: Options, places: Sequence[tuple[Path, Mapping[str, Any], bool]]
) -> tuple[Check, ...]:
    try:
        results = [_results(place, outcome) for place, outcome, _ in places if outcome.get("ran")]
    except PynnIOError as error:
        return (Check("results", Verdict.NOT_COMPARABLE, str(error)),)
    provenance = results[0].provenance
    step = provenance.get("timestep")
    if not entry.expectations:
        return _without_expectation(results[0], outcome=places[0][1])
    rules = Rules(
        ENGINES.get(backend, ""),
        options.tolerance,
        float(step) if isinstance(step, (int, float)) else 0.0,
        native=is_native(entry, provenance),
        exact=options.timestep is None and is_own(entry, places[0][1]),
        backend=ran_on(provenance),
        version=str(provenance.get("simulator_version", "")),
        null=tuple(results[1:]),
        features=options.features,
    )
    return judge(entry.expectations, results[0], rules)


def _without_expectation(results: Results, outcome: Mapping[str, Any]) -> tuple[Check, ...]:
    """Nothing to be judged; but a run that was to record and yields nothing has failed quietly."""
    yields = results.spike_count or results.traces or any(len(table.times) for table in results.tables)
    if yields or not outcome.get("records"):
        return ()
    return (Check("run", Verdict.NOT_COMPARABLE, "it ran, and yielded nothing: no spikes, no recordings"),)


def ran_on(provenance: Mapping[str, Any]) -> str:
    """The backend that ran, as users name it: with the engine, where that decides about the numbers."""
    name = str(provenance.get("backend", ""))
    return f"{name}:{provenance['engine']}" if name == "jneuroml" and provenance.get("engine") else name


def is_native(entry: Entry, provenance: Mapping[str, Any]) -> bool:
    """Whether a run was on the simulator that the entry was made for: for LEMS that of jNeuroML's engines that it takes
    by itself, since the others integrate otherwise."""
    chosen = str(provenance.get("backend_chosen", ""))
    if entry.kind in (Kind.LEMS, Kind.SEDML):
        engine = provenance.get("engine")
        return ran_on(provenance).startswith("jneuroml") and (
            engine == "jlems" or provenance.get("engine_chosen") != "asked for"
        )
    return "the simulation was written for" not in chosen or not chosen.startswith("asked for")


def is_own(entry: Entry, outcome: Mapping[str, Any]) -> bool:
    """Whether a run was on the simulator that a simulation runs on where nobody names one: the archive says so itself,
    or its models do."""
    provenance = outcome["provenance"]
    own = entry.kind in (Kind.LEMS, Kind.SEDML) or outcome.get("own_backend") == provenance.get("backend")
    return own and is_native(entry, provenance)


def _results(place: Path, outcome: Mapping[str, Any]) -> Results:
    found = read_run(place, outcome)
    return replace(found, level=str(outcome["level"]), provenance=outcome["provenance"])


def _run_of(entry: Entry, backend: str, inputs: Inputs, options: Options, seed: int | None) -> _Run:
    name, engine = split_backend(backend)
    mechanisms = (*entry.mechanisms, *options.mechanisms)
    task = Task(
        inputs.entry.as_posix(),
        entry.kind,
        name,
        entry.task,
        engine,
        seed,
        options.duration,
        options.timestep,
        tuple(str(each.resolve()) for each in mechanisms),
        options.allow_exec and entry.kind == Kind.PYNN,
    )
    return _Run(task, inputs, _key(task, inputs, mechanisms))


def _key(task: Task, inputs: Inputs, mechanisms: Sequence[Path]) -> str:
    """A digest of all that decides about a run; where things lie does not."""
    content = {
        "task": asdict(replace(task, mechanisms=())),
        "inputs": inputs.digests(),
        "mechanisms": [inputs_digest(folder) for folder in mechanisms],
        "versions": versions(task.backend),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def inputs_digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder of mechanisms."""
    files = tuple(sorted(path.relative_to(folder) for path in folder.rglob("*.mod")))
    return Inputs(folder, files, Path()).digests()


def versions(backend: str) -> dict[str, str]:
    """Of pynn_io, Python and the simulator; with ``auto``, of every simulator that may be chosen."""
    rows = registry.backends().values() if backend == AUTO else [registry.find_backend(backend)]
    own = {"pynn_io": version("pynn_io"), "python": ".".join(map(str, sys.version_info[:3]))}
    return {**own, **{row.name: row.version() for row in rows}}


def _finished(
    run: _Run, options: Options, folder: Path, slots: threading.Semaphore, stop: threading.Event
) -> tuple[Path, Mapping[str, Any], bool]:
    """The folder and outcome of a run, and whether it was there already. As many run at once as there are slots."""
    place = folder / CELLS / run.key
    kept = read_outcome(place)
    if kept and kept.get("error", {}).get("kind") not in _PASSING:
        return place, kept, True
    try:
        with (
            slots,
            tempfile.TemporaryDirectory(prefix=f".{run.key}-", dir=folder / CELLS, ignore_cleanup_errors=True) as work,
        ):
            outcome = _execute(run, options, Path(work), stop)
            _keep(Path(work), place, outcome)
    except OSError as error:
        hint = "is the disk full, or the folder read-only? What was finished is kept there"
        raise WriteError(f"runs cannot be kept: {error.strerror or error}", where=folder, hint=hint) from error
    return place, outcome, False


def _execute(run: _Run, options: Options, work: Path, stop: threading.Event) -> Mapping[str, Any]:
    run.inputs.copy(work / INPUTS)
    run.task.write(work)
    alone = [sys.executable, "-I", "-S", offline.__file__]
    command = [*alone, sys.executable, "-P", "-m", "pynn_io.archive.cell", str(work)]
    ended = run_limited(command, work, work / LOG, options.limits, stop)
    shutil.rmtree(work / INPUTS)
    outcome = dict(read_outcome(work)) or {"ran": False, "error": _crash(ended.stopped, ended.status, options)}
    outcome.update(process=as_mapping(ended), inputs=run.inputs.digests(), seed=run.task.seed)
    if not outcome["ran"]:
        outcome["log"] = tail(work / LOG)
    outcome = _told(_told(outcome, f"{work / INPUTS}/"), f"{work}/")
    (work / OUTCOME).write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    return outcome


def _told(value: Any, folder: str) -> Any:
    """Without the folder of a run in any text: it is gone, and its name is another one every time."""
    if isinstance(value, str):
        return value.replace(folder, "")
    if isinstance(value, Mapping):
        return {name: _told(each, folder) for name, each in value.items()}
    return [_told(each, folder) for each in value] if isinstance(value, list) else value


def _crash(stopped: str, status: int, options: Options) -> dict[str, Any]:
    texts = {
        "time": f"stopped after {options.limits.seconds:g} s" if options.limits.seconds else "",
        "memory": f"stopped, since it took more than {(options.limits.memory or 0) / 2**20:.0f} MB of memory",
        "interrupt": "interrupted",
    }
    return {"kind": "process", "text": texts.get(stopped, f"the process ended with status {status}"), "exit_status": 7}


def _keep(work: Path, place: Path, outcome: Mapping[str, Any]) -> None:
    """Move a finished run to where it is looked for, in place of a failure; what was interrupted is not finished.

    What another call has finished meanwhile is the same, and stays: that call may be reading it.
    """
    if outcome["process"]["stopped"] == "interrupt" or read_outcome(place).get("ran"):
        return
    if place.exists():
        aside = Path(tempfile.mkdtemp(prefix=".old-", dir=place.parent))
        try:
            os.replace(place, aside / "run")
        except OSError:
            return  # another call has just done so
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    try:
        os.replace(work, place)
    except OSError:
        if not read_outcome(place):
            raise
