"""THE pipeline: detect -> read -> validate -> audit -> write. It knows no format.

The module cannot be called ``convert``, as the function of that name is public: `pynn_io.convert`.

Writers fill an empty staging folder beside the target, and only a complete result is moved into place: whatever goes
wrong, nothing half-written stands under the target's name, and the input is never touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn_io import registry
from pynn_io.audit import audit, complete
from pynn_io.detect import detect
from pynn_io.document import Document, name_of
from pynn_io.errors import FormatError, LossError
from pynn_io.graph.columns import EMPTY
from pynn_io.graph.validate import validate
from pynn_io.progress import Local, Progress, quiet
from pynn_io.report import Report
from pynn_io.staging import STAGING, filling, move, refuse_existing, staging


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did: the target (None for a check), the files under it, the losses, the document."""

    dest: Path | None
    files: tuple[Path, ...]
    report: Report
    document: Document


def read(
    path: str | Path,
    *,
    format: str | None = None,
    report: Report | None = None,
    mechanisms: Sequence[str | Path] = (),
    allow_exec: bool = False,
    progress: Progress = quiet,
    **options: Any,
) -> Document:
    """Read any known file into a `Document`.

    format: its name, where it should not be detected. report: what could not be read is added to it. mechanisms:
    folders of ``.mod`` files, for cells that only name theirs: they get the equations of these files.
    allow_exec: EXECUTE hoc templates, which are programs, in a child process with NEURON: their cells become what they
    build, with the mechanisms of the circuit's own folder and of ``mechanisms``. That is for writing them in another
    language; a run of the circuit builds its templates itself.
    Raises FormatError, ReadError, UnsupportedInput; with allow_exec what `pynn_io.templates.built` raises.
    """
    source = Path(path)
    row, _ = registry.find(format or detect(source))
    reader = registry.load(row, "reader")
    report = Report() if report is None else report
    document = reader(source, report, progress=Local(progress), **options)
    folders = tuple(map(Path, mechanisms))
    if allow_exec:
        build = registry.load_dotted(registry.TEMPLATES)
        document, folders = build(document, folders, report, progress=Local(progress))
    if not folders:
        return document
    return registry.load_dotted(registry.MECHANISMS)(document, folders, report)


def write(
    document: Document,
    path: str | Path,
    format: str,
    *,
    report: Report | None = None,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = quiet,
    **options: Any,
) -> Report:
    """Write a document as ``format`` (``neuroml``, ``sonata+allen`` ...) to a folder, or a file for one-file formats.

    overwrite: replace the files that it writes; others in an existing target folder stay. strict: refuse, before and
    after writing, if anything would be lost. Returns the report. Raises FormatError, GraphError, WriteError, LossError.
    """
    report = Report() if report is None else report
    job = _Job(format, report, strict, overwrite, progress)
    job.run(document, Path(path), options)
    return report


def convert(
    source: str | Path,
    dest: str | Path | None = None,
    *,
    to: str,
    format: str | None = None,
    report: Report | None = None,
    check: bool = False,
    strict: bool = False,
    overwrite: bool = False,
    mechanisms: Sequence[str | Path] = (),
    allow_exec: bool = False,
    progress: Progress = quiet,
    reader_options: Mapping[str, Any] = EMPTY,
) -> Conversion:
    """Convert a file or folder to another format.

    mechanisms, allow_exec: as for `read`; but nothing is executed for a format that carries hoc templates (SONATA,
    NIX). dest: by default `default_destination`. check: read, validate, audit, and write into a place that is thrown
    away, so that the report is complete. reader_options: for the format's reader (``script_args``).
    Raises what `read` and `write` raise.
    """
    report = Report() if report is None else report
    source = Path(source)
    job = _Job(to, report, strict, overwrite and not check, progress)
    target = Path(dest) if dest is not None else default_destination(source, to)
    if not check:
        refuse_existing(target, overwrite)
    document = read(
        source,
        format=format,
        report=report,
        mechanisms=mechanisms,
        allow_exec=allow_exec and not job.keeps_templates,
        progress=progress,
        **reader_options,
    )
    if not check:
        return Conversion(target, job.run(document, target, {}), report, document)
    with tempfile.TemporaryDirectory(suffix=STAGING) as folder:
        job.run(document, Path(folder) / target.name, {})
    return Conversion(None, (), report, document)


def default_destination(source: Path, to: str) -> Path:
    """In the current directory: a folder named after the source and the format (``synfire-neuroml``), or a file with
    the format's extension (``synfire.nix``). See `name_of` for what a source is called.
    """
    row, dialect = registry.find(to)
    if row.kind == "file":
        return Path(f"{name_of(source)}{row.extensions[0]}")
    return Path(f"{name_of(source)}-{row.name}" + (f"-{dialect}" if dialect else ""))


def _refuse_loss(report: Report) -> None:
    """Strict mode's verdict, once the writer has said all it has to say; naming what is to be excused to pass."""
    codes = {issue.code for issue in report.refusals()}
    if codes:
        allowed = ",".join(sorted(codes | (report.allowed & report.codes())))
        raise LossError(
            f"refused, since something would be lost or changed: {', '.join(sorted(codes))}",
            report,
            hint=f"nothing was written; to accept these losses: --allow {allowed}",
        )


class _Job:
    """One writing of a document: the target's row and writer are looked up before anything is read."""

    def __init__(self, to: str, report: Report, strict: bool, overwrite: bool, progress: Progress) -> None:
        self._to = to
        self._row, self._dialect = registry.find(to)
        self.keeps_templates = self._row.templates
        self._writer = registry.load(self._row, "writer")
        self._report = report
        self._strict = strict
        self._overwrite = overwrite
        self._progress = progress

    def run(self, document: Document, target: Path, options: dict[str, Any]) -> tuple[Path, ...]:
        """Validate, audit, write into a staging folder, and move the result into place."""
        refuse_existing(target, self._overwrite)
        if self._row.kind == "file" and target.is_dir():
            raise FormatError(f"{self._row.title} is one file, and the target is a folder", where=target)
        validate(document.network, progress=self._progress)
        audited = Report(self._report.allowed)
        audit(document, self._to, audited)
        with staging(target) as stage:
            single = self._row.kind == "file" or target.suffix.lower() in self._row.extensions
            self._fill(document, stage / target.name if single else stage, target, options)
            complete(self._report, audited)
            if self._strict:
                _refuse_loss(self._report)
            return move(stage, target.parent if single else target)

    def _fill(self, document: Document, stage: Path, target: Path, options: dict[str, Any]) -> None:
        if self._row.dialects:
            options = {**options, "dialect": self._dialect}
        with filling(stage, target):
            self._writer(document, stage, self._report, progress=self._progress, **options)
