"""One literal table of the files that results are read from and written to. A format is a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, FormatError, ReadError


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """One format of results.

    reader: ``module:function`` taking ``(path, report, **options)``, giving `Results`. writer: ``(results, dest,
    report, **options)``, with ``dest`` an empty folder, or a new file for a format of one file (kind ``file``). sniff:
    ``(path) -> bool``, whether a file's content is of the format. extra: what to ``pip install``, if it needs more than
    pynn_io itself, and package, what that is imported as. check: ``module:function`` taking ``(cells, where=path)``
    that raises before a run what the writer would raise after it.
    """

    name: str
    title: str
    reader: str
    writer: str
    sniff: str
    kind: str = "file"
    extension: str = ""
    extra: str = ""
    package: str = ""
    check: str = ""


RESULT_FORMATS: dict[str, ResultFormat] = {
    row.name: row
    for row in (
        ResultFormat(
            "sonata",
            "SONATA spikes and reports",
            reader="pynn_io.results.sonata:read",
            writer="pynn_io.results.sonata:write",
            sniff="pynn_io.results.sonata:is_results_file",
            kind="folder",
        ),
        ResultFormat(
            "nix",
            "NIX results, flat",
            reader="pynn_io.results.nix:read",
            writer="pynn_io.results.nix:write",
            sniff="pynn_io.results.nix:is_results_file",
            extension=".nix",
            extra="nix",
            package="nixio",
        ),
        ResultFormat(
            "neo",
            "Neo's NIX layout",
            reader="pynn_io.results.neo:read",
            writer="pynn_io.results.neo:write",
            sniff="pynn_io.results.neo:is_results_file",
            extension=".nix",
            extra="neo",
            check="pynn_io.results.neo:refuse_large",
            package="neo",
        ),
        ResultFormat(
            "nwb",
            "NWB 2",
            reader="pynn_io.results.nwb:read",
            writer="pynn_io.results.nwb:write",
            sniff="pynn_io.results.nwb:is_results_file",
            extension=".nwb",
            extra="nwb",
            package="pynwb",
        ),
    )
}


def find(name: str) -> ResultFormat:
    """Raises FormatError for an unknown name, listing the known ones."""
    if name not in RESULT_FORMATS:
        known = ", ".join(RESULT_FORMATS)
        raise FormatError(f"unknown format of results {name!r}", hint=f"known formats: {known}")
    return RESULT_FORMATS[name]


def load(row: ResultFormat, role: str) -> Callable[..., Any]:
    """The reader, writer or sniffer behind a row."""
    module, _, function = getattr(row, role).partition(":")
    return getattr(import_module(module), function)


def require(row: ResultFormat) -> None:
    """Raises BackendUnavailable where the package behind a format is not installed; nothing is imported."""
    if row.package and find_spec(row.package) is None:
        hint = f"pip install 'pynn_io[{row.extra}]'"
        raise BackendUnavailable(f"{row.title} needs the package {row.package!r}", hint=hint)


def detect(path: Path) -> ResultFormat:
    """The format of a file, by its content. Raises FormatError where it is none, ReadError where there is no file."""
    if not path.is_file():
        raise ReadError("no such file", where=path)
    for row in RESULT_FORMATS.values():
        if load(row, "sniff")(path):
            return row
    titles = "; ".join(row.title for row in RESULT_FORMATS.values())
    raise FormatError("holds no results that pynn_io knows", where=path, hint=f"known: {titles}")
