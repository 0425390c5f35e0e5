"""An archive of a simulation that reproduces itself: its files, what it gave here, and lists that other tools read.

A COMBINE archive: the inputs as they lie, mechanisms, the results of a run (and of others with other seeds, where the
expectation is statistical), SED-ML where the model is LEMS, and RO-Crate metadata that say which program made what of
what.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pynn_io.archive.container import RO_CRATE, Container
from pynn_io.archive.crate import write_crate
from pynn_io.archive.entries import kind_of
from pynn_io.archive.expected import FILE, UNSUMMED, Packed, write_expected
from pynn_io.archive.inputs import Inputs, inputs_of, sha256
from pynn_io.archive.matrix import Options, ran_on, run_matrix
from pynn_io.archive.task import RESULTS, read_outcome, read_run
from pynn_io.archive.values import Cell, Entry, Kind
from pynn_io.errors import FormatError, SimulationFailed
from pynn_io.exporters.sedml import write_plan
from pynn_io.formats.omex import Entry as Listed
from pynn_io.formats.omex import format_of, write_omex
from pynn_io.pipeline import read
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.results import write_results
from pynn_io.staging import move, refuse_existing, staging

EXPECTED, MECHANISMS, SEDML = "expected", "mechanisms", "simulation.sedml"


@dataclass(frozen=True, slots=True)
class Pack:
    """What was packed. files: names in the archive. backend: what made the expected results."""

    dest: Path
    files: tuple[str, ...]
    backend: str


def pack(
    plan: Path,
    dest: Path,
    report: Report,
    options: Options,
    *,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> Pack:
    """Run a simulation on one backend and pack it with what it gave.

    plan: a SONATA, LEMS, SED-ML or PyNN file. Raises FormatError for another file or several backends, ReadError,
    SimulationFailed with the reason where it did not run, WriteError for an archive that exists.
    """
    kind = kind_of(plan)
    if kind is None:
        raise FormatError("no simulation that can be packed", where=plan, hint="give a SONATA, LEMS or SED-ML file")
    if len(options.backends) > 1:
        raise FormatError("results of one backend are packed", hint="name one with --backend")
    refuse_existing(dest, overwrite)
    inputs = inputs_of(plan, kind)
    with tempfile.TemporaryDirectory(prefix="pynn_io-pack-") as name:
        cell = _run(plan, kind, options, Path(name), progress)
        content = Path(name, "content")
        content.mkdir()
        files = _fill(content, inputs, cell, options, report)
        with staging(dest) as stage:
            write_omex(stage / dest.name, content, [_listed(file, inputs, kind) for file in files])
            if dest.exists():
                dest.unlink()
            move(stage, dest.parent)
    return Pack(dest, files, _used_backend(cell))


def _run(plan: Path, kind: Kind, options: Options, folder: Path, progress: Progress) -> Cell:
    alone = Path(plan.name)
    container = Container("file", plan.resolve().parent, plan, (alone,), masters=(alone,))
    (cell,) = run_matrix(container, [Entry(plan.name, plan, kind, "the user")], options, folder, progress)
    if not cell.outcome.get("ran"):
        error = cell.outcome.get("error", {})
        log = str(cell.outcome.get("log", ""))
        raise SimulationFailed(f"it did not run: {error.get('text', '')}", log=log, where=plan)
    return cell


def _fill(content: Path, inputs: Inputs, cell: Cell, options: Options, report: Report) -> tuple[str, ...]:
    """Everything but the manifest, as files of a folder; their names."""
    inputs.copy(content)
    mechanisms = tuple(f"{MECHANISMS}/{number}" for number in range(len(options.mechanisms)))
    for source, target in zip(options.mechanisms, mechanisms, strict=True):
        for file in sorted(source.rglob("*.mod")):
            place = content / target / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    backend = _used_backend(cell)
    folder = f"{EXPECTED}/{backend.replace(':', '-')}"
    shutil.copytree(cell.folder / RESULTS, content / folder)
    entry = inputs.entry.as_posix()
    if cell.entry.kind == Kind.LEMS:
        document = read(content / entry, format=Kind.LEMS)
        if document.plan is not None:
            write_plan(document.plan, (content / entry).with_name(SEDML), inputs.entry.name, report)
    elif cell.entry.kind != Kind.SEDML:
        message = f"SED-ML has no language for {cell.entry.kind} models: none is written."
        report.lost("sedml-language", f"file {entry}", message)
    version = str(cell.outcome["provenance"].get("simulator_version", ""))
    found, tables = read_run(cell.folder, cell.outcome), _tables(content, folder, cell)
    results = folder if found.spike_count or found.traces else ""
    seeds = _write_seeds(content, cell) if results else ()
    packed = Packed(entry, cell.entry.kind, cell.entry.task, backend, version, results, tables, mechanisms, seeds)
    names = sorted(path.relative_to(content).as_posix() for path in content.rglob("*") if path.is_file())
    sums = {name: sha256(content / name) for name in names if name not in UNSUMMED}
    write_expected(content / FILE, (packed,), sums)
    write_crate(content, sums, packed, EXPECTED, cell.outcome["provenance"])
    return tuple(sorted({*names, FILE, RO_CRATE}))


def _write_seeds(content: Path, cell: Cell) -> tuple[str, ...]:
    """The spikes of the runs with other seeds, which is what a statistical comparison looks at; their places."""
    places = []
    for number, folder in enumerate(cell.others):
        spikes = replace(read_run(folder, read_outcome(folder)), traces=(), tables=())
        places.append(f"{EXPECTED}/seeds/{number}")
        write_results(spikes, content / places[-1])
    return tuple(places)


def _tables(content: Path, folder: str, cell: Cell) -> tuple[tuple[str, str], ...]:
    """Files that the simulation names, and where their text stands among the results."""
    found = []
    for told in cell.outcome.get("tables", ()):
        name = PurePosixPath(told["file"].replace("\\", "/")).name
        place = next(iter(sorted((content / folder).rglob(name))), None)
        if place is not None:
            found.append((told["file"], place.relative_to(content).as_posix()))
    return tuple(found)


def _used_backend(cell: Cell) -> str:
    """The backend that ran, with its engine, whoever chose them."""
    return ran_on(cell.outcome["provenance"])


def _listed(name: str, inputs: Inputs, kind: Kind) -> Listed:
    """A line of the manifest. Other tools start with SED-ML, where there is one."""
    master = SEDML if kind == Kind.LEMS else inputs.entry.name
    return Listed(name, format_of(name), master=name == inputs.entry.with_name(master).as_posix())
