"""Results from and to files of any known format: `read_results` and `write_results`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynn_io.errors import FormatError, ReadError
from pynn_io.report import Report
from pynn_io.results import lems
from pynn_io.results.results import Results
from pynn_io.results.table import RESULT_FORMATS, ResultFormat, detect, find, load
from pynn_io.staging import filling, move, refuse_existing, staging


def read_results(
    path: str | Path, *, format: str | None = None, report: Report | None = None, **options: Any
) -> Results:
    """Read spikes and traces from a folder of SONATA results, or from a file of any format of `RESULT_FORMATS`.

    format: its name, where it should not be detected by content. report: what could not be read, or had to be guessed,
    is added to it. options: of the reader (SONATA: ``population``, ``report_times``; see `results.sonata.read`).
    Raises FormatError for what holds no results, ReadError (file and place) for broken ones, BackendUnavailable where
    the package for a format is not installed.
    """
    source = Path(path)
    report = Report() if report is None else report
    row = find(format) if format else None
    if source.is_dir():
        source, row = _in_folder(source, row)
    row = row or detect(source)
    return load(row, "reader")(source, report, **options)


def holds_results(path: str | Path) -> bool:
    """Whether `read_results` would find something at an existing path, broken or not: by content, nothing is read."""
    source = Path(path)
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    return any(file.is_file() and _known(file) is not None for file in files)


def _in_folder(folder: Path, row: ResultFormat | None) -> tuple[Path, ResultFormat]:
    """What of a folder is read: the folder itself if it holds SONATA results, or its only file of another format."""
    found = {path: kind for path in sorted(folder.iterdir()) if path.is_file() for kind in [_known(path)] if kind}
    if row is not None:
        found = {path: kind for path, kind in found.items() if kind == row}
    if any(kind.kind == "folder" for kind in found.values()):
        return folder, next(kind for kind in found.values() if kind.kind == "folder")
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        names = ", ".join(path.name for path in found)
        raise FormatError("several files hold results", where=folder, hint=f"name one of {names}")
    raise FormatError("no file in this folder holds results", where=folder, hint="is it the output folder of a run?")


def _known(path: Path) -> ResultFormat | None:
    try:
        return detect(path)
    except FormatError:
        return None
    except ReadError:
        # Broken, but meant as results: the SONATA reader says what is wrong with it.
        return RESULT_FORMATS["sonata"] if path.suffix == ".h5" else None


def write_results(
    results: Results,
    path: str | Path,
    to: str = "sonata",
    *,
    report: Report | None = None,
    overwrite: bool = False,
    **options: Any,
) -> tuple[Path, ...]:
    """Write results as ``to``, a name of `RESULT_FORMATS`, whole or not at all. Returns the files.

    Files that a LEMS simulation asks for (``Results.tables``) stand in the folder too; a format of one file has no
    place for them, and they are reported.

    path: a folder; or, for formats of one file, the file (by its ending; in a folder it is called ``results``).
    report: what the format cannot hold is added to it. overwrite: replace the files that it writes. options: of the
    writer (SONATA: ``spikes_file``, ``spikes_sort_order`` ...; see `results.sonata.write`).
    Raises FormatError, WriteError, BackendUnavailable; NotExecuted for what was only mapped, or written as a job.
    """
    results.require_data()
    report = Report() if report is None else report
    row = find(to)
    target = _target(Path(path), row)
    refuse_existing(target, overwrite)
    writer = load(row, "writer")
    single = row.kind == "file"
    if single:
        report.lost(
            "simulation-files",
            f"results {target.name}",
            f"{row.title} have no place for the files that the simulation asks for; SONATA's folder has.",
            count=len(results.tables),
            examples=[table.file for table in results.tables],
        )
    with staging(target) as stage:
        with filling(stage, target.parent if single else target):
            writer(results, stage / target.name if single else stage, report, **options)
            if results.tables and not single:
                lems.write(results, stage, report)
        return move(stage, target.parent if single else target)


def _target(path: Path, row: ResultFormat) -> Path:
    if row.kind == "folder":
        if path.is_file():
            raise FormatError(f"{row.title} are a folder, and the target is a file", where=path)
        return path
    return path if path.suffix.lower() == row.extension and not path.is_dir() else path / f"results{row.extension}"
