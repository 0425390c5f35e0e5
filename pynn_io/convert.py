"""THE pipeline: detect -> read -> validate -> audit -> write. It knows no format.

Writers fill an empty staging folder beside the target, and only a complete result is moved into place: whatever goes
wrong, nothing half-written stands under the target's name, and the input is never touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn_io import registry
from pynn_io.detect import detect
from pynn_io.document import Document
from pynn_io.errors import FormatError, LossError, WriteError
from pynn_io.progress import Progress, quiet
from pynn_io.registry import Format
from pynn_io.report import Report

#: Staging folders are hidden siblings of the target with this ending; one that remains is a killed run's.
STAGING = ".pynn_io-part"


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
    progress: Progress = quiet,
    **options: Any,
) -> Document:
    """Read any known file into a `Document`.

    format: its name, where it should not be detected. report: what could not be read is added to it.
    Raises FormatError, ReadError, UnsupportedInput.
    """
    source = Path(path)
    row, _ = registry.find(format or detect(source))
    reader = registry.load(row, "reader")
    return reader(source, Report() if report is None else report, progress=progress, **options)


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
    row, dialect = registry.find(format)
    writer = registry.load(row, "writer")
    _inspect(document, format, report, strict, progress)
    _write(document, Path(path), row, dialect, writer, report, overwrite, strict, progress, options)
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
    progress: Progress = quiet,
) -> Conversion:
    """Convert a file or folder to another format.

    dest: by default `default_destination`. check: read, validate, audit, and write into a place that is thrown away, so
    that the report is complete. Raises what `read` and `write` raise.
    """
    report = Report() if report is None else report
    source = Path(source)
    row, dialect = registry.find(to)
    writer = registry.load(row, "writer")
    target = Path(dest) if dest is not None else default_destination(source, to)
    if not check:
        _refuse_existing(target, overwrite)
    document = read(source, format=format, report=report, progress=progress)
    _inspect(document, to, report, strict, progress)
    if check:
        with tempfile.TemporaryDirectory(suffix=STAGING) as folder:
            _write(document, Path(folder) / target.name, row, dialect, writer, report, False, strict, progress, {})
        return Conversion(None, (), report, document)
    files = _write(document, target, row, dialect, writer, report, overwrite, strict, progress, {})
    return Conversion(target, files, report, document)


def default_destination(source: Path, to: str) -> Path:
    """A folder in the current directory named after the source and the format: ``synfire-neuroml``.

    A config's generic name says nothing, so the folder's name stands for ``circuit_config.json`` and the like.
    """
    row, dialect = registry.find(to)
    source = Path(source).resolve()
    generic = source.is_file() and source.stem.replace(".", "_").split("_")[0] in {"config", "circuit", "simulation"}
    stem = source.parent.name if generic else (source.stem if source.is_file() else source.name)
    return Path(f"{stem}-{row.name}" + (f"-{dialect}" if dialect else ""))


def _inspect(document: Document, to: str, report: Report, strict: bool, progress: Progress) -> None:
    """Validate the graph, then audit it against the target; strict mode refuses here already."""
    from pynn_io.audit import audit
    from pynn_io.graph.validate import validate

    validate(document.network, progress=progress)
    audit(document, to, report)
    if strict:
        _refuse_loss(report, to)


def _refuse_loss(report: Report, to: str) -> None:
    refusals = report.refusals()
    if not refusals:
        return
    codes = sorted({issue.code for issue in refusals})
    raise LossError(
        f"refused: {len(refusals)} kinds of content would be lost or changed on the way to {to}",
        report,
        hint=f"see the report; excuse codes with --allow {','.join(codes)}",
    )


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite and not (target.is_dir() and not any(target.iterdir())):
        raise WriteError("exists already", where=target, hint="choose another target, or pass --overwrite")


def _write(
    document: Document,
    target: Path,
    row: Format,
    dialect: str,
    writer: Any,
    report: Report,
    overwrite: bool,
    strict: bool,
    progress: Progress,
    options: dict[str, Any],
) -> tuple[Path, ...]:
    _refuse_existing(target, overwrite)
    if row.kind == "file" and target.is_dir():
        raise FormatError(f"{row.title} is one file, and the target is a folder", where=target)
    options = {**options, "dialect": dialect} if row.dialects else options
    with _staging(target) as stage:
        single = target.suffix.lower() in row.extensions
        made = stage / target.name if single else stage
        try:
            writer(document, made, report, progress=progress, **options)
        except OSError as error:
            raise WriteError(
                f"cannot write: {error}", where=target, hint="is the disk full or the folder read-only?"
            ) from error
        if strict:
            _refuse_loss(report, row.name)
        return _move(stage, target.parent if single else target)


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target, on the same file system, that is gone afterwards."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=STAGING, dir=target.parent))
        stage.chmod(0o777 & ~_umask())
    except OSError as error:
        raise WriteError(f"cannot write here: {error}", where=target.parent) from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _move(stage: Path, target: Path) -> tuple[Path, ...]:
    """Put the staged files under the target: one rename for a new folder, file by file into an existing one."""
    files = [path.relative_to(stage) for path in sorted(stage.rglob("*")) if path.is_file()]
    try:
        if not target.exists():
            stage.rename(target)
        else:
            for file in files:
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(stage / file, target / file)
    except OSError as error:
        raise WriteError(f"cannot move the result into place: {error}", where=target) from error
    return tuple(target / file for file in files)
