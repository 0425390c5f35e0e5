"""One call of ``pynn-run`` from the plan's file to the results' files."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pynn_io.cli.common import UsageError
from pynn_io.cli.losses import print_losses
from pynn_io.cli.reader_options import reader_options
from pynn_io.cli.run_queue import only_written, queue_options
from pynn_io.document import Document, name_of
from pynn_io.emulation import emulate
from pynn_io.errors import PlanError, WriteError
from pynn_io.graph import Network
from pynn_io.lowering.cells import simulated, sources
from pynn_io.lowering.cosimulation.placement import is_placement, parse
from pynn_io.pipeline import read
from pynn_io.progress import Progress
from pynn_io.registry import find_backend
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.files import write_results
from pynn_io.results.mapped import Mapped
from pynn_io.results.results import EMITTED, MAPPED
from pynn_io.results.sonata import RUN_FILE
from pynn_io.results.table import ResultFormat, load, require
from pynn_io.results.table import find as find_format
from pynn_io.runners.base import Profile
from pynn_io.show.canvas import import_matplotlib
from pynn_io.show.parts import file_sizes
from pynn_io.simulate import INCOMPLETE, choose, output_options, simulate
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.staging import refuse_existing


@dataclass(frozen=True, slots=True)
class RunJob:
    """What is to be run, and where the results go.

    dest: a folder, or a file for formats of one file. report: everything so far. told: what the user has read of it.
    """

    arguments: argparse.Namespace
    document: Document
    plan: SimulationPlan
    backend: str
    dest: Path
    report: Report
    told: Report

    @classmethod
    def read(cls, arguments: argparse.Namespace, report: Report, progress: Progress) -> RunJob:
        """Read the plan and its network; refuse, before a long run, results that could not be written after it."""
        row = find_format(arguments.to)
        require(row)
        if arguments.plot is not None:
            import_matplotlib()
        if is_placement(arguments.backend):
            for entry in parse(arguments.backend):
                find_backend(entry.backend)
        elif arguments.backend != "auto":
            find_backend(arguments.backend)
        if arguments.output is not None:
            refuse_destination(arguments.output, arguments.overwrite)
        options = reader_options(arguments, arguments.plan, arguments.source_format)
        document = read(arguments.plan, format=arguments.source_format, report=report, progress=progress, **options)
        if document.plan is None:
            hint = "give the simulation config that uses it"
            raise PlanError("this is a network, and says nothing of a simulation", where=arguments.plan, hint=hint)
        _refuse_incomplete(report)
        backend = arguments.backend
        if backend == "auto":
            backend, _ = choose(document.network, document.plan)
        if only_written(arguments):
            refuse_destination(arguments.bundle, arguments.overwrite)
            return cls(arguments, document, document.plan, backend, arguments.bundle, report, Report(report.allowed))
        if arguments.bundle is not None:
            refuse_destination(arguments.bundle, arguments.overwrite)
        name = "cosimulation" if is_placement(backend) else backend
        dest = arguments.output or default_destination(arguments.plan, name, row)
        if row.kind == "file" and dest.suffix.lower() != row.extension:
            raise UsageError(f"-o {dest}: {row.title} are one file, whose name ends in {row.extension}")
        refuse_destination(dest, arguments.overwrite)
        if _only_mapped(arguments, backend) and (dest / RUN_FILE).exists():
            message = "it holds results of a run, and a mapping has none to put in their place"
            raise WriteError(message, where=dest, hint="choose another target")
        if row.check:
            load(row, "check")(_count_cells(document.network, document.plan), where=dest)
        return cls(arguments, document, document.plan, backend, dest, report, Report(report.allowed))

    def simulate(self, progress: Progress) -> Results:
        """Run it, saying before what the backend cannot honour."""
        arguments = self.arguments
        shared: dict[str, Any] = {
            "report": self.report,
            "strict": arguments.strict,
            "progress": progress,
            "log": _to_stderr if arguments.verbose else None,
        }
        results = simulate(
            self.document.network,
            self.plan,
            arguments.backend,
            profile=self._profile(),
            lowered=None if arguments.quiet else self._tell,
            duration=arguments.duration,
            timestep=arguments.timestep,
            seed=arguments.seed,
            spike_times=arguments.spike_times,
            **shared,
        )
        if arguments.emulate and isinstance(results, Mapped):
            results = emulate(results, threads=arguments.threads, **shared)
        return replace(results, provenance={**results.provenance, **self._origin()})

    def _profile(self) -> Profile:
        arguments = self.arguments
        asked = {"coreneuron": arguments.coreneuron or None, "engine": arguments.engine, **queue_options(arguments)}
        asked |= {"board": arguments.board, "spalloc": arguments.spalloc}
        options = {name: value for name, value in asked.items() if value is not None}
        return Profile(arguments.threads, arguments.processes, tuple(arguments.mechanisms), options=options)

    def _tell(self, found: Report) -> None:
        """What reading and lowering could not honour."""
        self.told.include(self.report).include(found)
        print_losses(self.told)

    def tell_rest(self) -> None:
        """What building, running and writing could not honour."""
        print_losses(self.report.without(self.told))

    def _origin(self) -> dict[str, Any]:
        """What was run, to the byte."""
        files = [path for path, _ in file_sizes(self.document, self.arguments.plan)]
        return {
            "command": shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
            "source": str(self.arguments.plan),
            "sha256": {str(path): _sha256(path) for path in sorted(files)},
        }

    def write(self, results: Results) -> tuple[Path, ...]:
        """The results under ``dest``, whole or not at all, and the fidelity report of a chip. Gives the files."""
        if results.level == EMITTED:
            return tuple(sorted(self.dest.iterdir()))
        files: tuple[Path, ...] = ()
        if results.level != MAPPED:
            options = output_options(self.plan) if self.arguments.to == "sonata" else {}
            files = write_results(
                results, self.dest, self.arguments.to, report=self.report, overwrite=self.arguments.overwrite, **options
            )
        if isinstance(results, Mapped) and results.fidelity is not None:
            from pynn_io.cli.run_mapped import write_fidelity

            single = find_format(self.arguments.to).kind == "file"
            files = (*files, write_fidelity(results, results.fidelity, self.dest, single=single))
        return files

    def draw(self, results: Results) -> None:
        if isinstance(results, Mapped) and results.level == MAPPED:
            from pynn_io.show.plot_fidelity import draw_fidelity

            draw_fidelity(results, self.arguments.plot, title=self.dest.stem)
            return
        from pynn_io.show.plot_results import draw_results

        draw_results(results, self.arguments.plot, title=self.dest.stem, network=self.document.network)


def _only_mapped(arguments: argparse.Namespace, backend: str) -> bool:
    """Whether nothing will be executed, so that there will be no results."""
    if is_placement(backend) or arguments.board or arguments.spalloc or arguments.emulate:
        return False
    return find_backend(backend).level == MAPPED


def _refuse_incomplete(report: Report) -> None:
    """What a conversion goes on without, a run is wrong without."""
    missing = [issue for issue in report if issue.code in INCOMPLETE and issue.code not in report.allowed]
    if missing:
        codes = ",".join(sorted({issue.code for issue in missing} | report.allowed))
        raise PlanError(missing[0].message, where=missing[0].where, hint=f"to run without: --allow {codes}")


def default_destination(source: Path, backend: str, row: ResultFormat) -> Path:
    """Named after the plan and the backend, in the current directory: ``300_pointneurons-nest``."""
    return Path(f"{name_of(source)}-{backend.replace(':', '-')}{row.extension if row.kind == 'file' else ''}")


def _count_cells(network: Network, plan: SimulationPlan) -> int:
    """How many cells run, sources left out."""
    rows = simulated(network, plan)
    return sum(len(rows[name]) - int(sources(pop, network).sum()) for name, pop in network.populations.items())


def refuse_destination(dest: Path, overwrite: bool) -> None:
    """Raises WriteError for what exists already, and for a place where nothing can be written."""
    refuse_existing(dest, overwrite)
    place = dest.absolute()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK) or not (place.is_dir() or place == dest.absolute()):
        raise WriteError("cannot write here", where=place)


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
