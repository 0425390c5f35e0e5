"""What an archive is as a thing of files: a folder to read, and what its own lists say of it.

A zip file is unpacked into a temporary folder; a folder is read where it stands, and nothing is ever written into it.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from pynn_io.archive.hdf5_links import links_out
from pynn_io.archive.task import CELLS, TASK
from pynn_io.errors import PynnIOError, ReadError, UnsafeArchive, WriteError
from pynn_io.formats import omex
from pynn_io.formats.safe_zip import Limits, extract
from pynn_io.formats.strict_json import parse_json
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

RO_CRATE = "ro-crate-metadata.json"
#: Folders of tools, which are no part of what was published.
_TOOLS = frozenset({".git", "__pycache__", ".venv", "node_modules", "x86_64", "arm64"})


@dataclass(frozen=True, slots=True)
class Container:
    """An archive, opened.

    kind: ``omex``, ``ro-crate``, ``zip``, ``folder`` or ``file`` (one entry point with the files around it).
    root: the folder that holds it. source: what the user named. files: all of them, relative to root and sorted.
    entries: of an OMEX manifest. masters: files that its own list says to start with.
    """

    kind: str
    root: Path
    source: Path
    files: tuple[Path, ...]
    entries: tuple[omex.Entry, ...] = ()
    masters: tuple[Path, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether it is a thing of its own, that may not reach beyond itself."""
        return self.kind in ("omex", "zip", "ro-crate")

    @property
    def within(self) -> Path | None:
        """The folder that its files may not name others beyond; None where they may."""
        return self.root if self.is_closed else None

    def told(self, text: str) -> str:
        """A text with paths of the archive: users do not know the temporary folder that it was unpacked into."""
        return _of_source(text, self.root, self.source) if self.root != self.source else text

    def place(self, path: Path) -> str:
        """Where a file of the archive is, for people. path: relative to the root."""
        return self.told(str(self.root / path))


def _of_source(text: str, folder: Path, source: Path) -> str:
    return text.replace(f"{folder}/", f"{source}:" if source.is_file() else f"{source}/")


@contextmanager
def opened(
    source: Path, report: Report, *, limits: Limits | None = None, progress: Progress = quiet
) -> Iterator[Container]:
    """The archive at a path: ``.omex``, another zip file, a folder, or one file that is to be run.

    Files that a manifest does not list go into the report. Raises ReadError for what is not there or damaged, and for a
    manifest that lists what the archive lacks, UnsafeArchive for what is hostile, WriteError where there is no room to
    unpack it.
    """
    if not source.exists():
        raise ReadError("no such file or folder", where=source, hint="check the path")
    if source.is_dir():
        yield _described(source, source, "folder", report)
    elif zipfile.is_zipfile(source):
        with _temporary() as name, _told_of(source, Path(name)):
            extract(source, Path(name), limits, progress)
            yield _described(_content(Path(name)), source, "zip", report)
    elif source.suffix.lower() in (".omex", ".zip"):
        raise ReadError("not a zip file, which this ending promises", where=source, hint="fetch the archive again")
    else:
        alone = (Path(source.name),)
        yield Container("file", source.resolve().parent, source, alone, masters=alone)


@contextmanager
def _temporary() -> Iterator[str]:
    """A folder to unpack into, that is gone afterwards."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="pynn_io-archive-")
    except OSError as error:
        hint = "let TMPDIR name a folder that can be written to"
        raise WriteError(f"no temporary folder can be made: {error.strerror or error}", hint=hint) from error
    with folder as name:
        yield name


@contextmanager
def _told_of(source: Path, folder: Path) -> Iterator[None]:
    """What goes wrong in the unpacked files, told of the archive."""
    try:
        yield
    except PynnIOError as error:
        error.where = _of_source(error.where, folder, source)
        error.message = error.message.replace(f"{folder}/", "")
        raise


def _content(folder: Path) -> Path:
    """The folder that an archive of a repository has around everything, or the folder itself."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _described(root: Path, source: Path, kind: str, report: Report) -> Container:
    files = tuple(_files(root, source))
    _check_hdf5(root, files, source)
    if Path(omex.MANIFEST) in files:
        entries = omex.read_manifest(root / omex.MANIFEST)
        _compare_lists(entries, files, source, report)
        masters = tuple(Path(entry.location) for entry in entries if entry.master and Path(entry.location) in files)
        return Container("omex", root, source, files, entries, masters)
    if Path(RO_CRATE) in files:
        return Container("ro-crate", root, source, files, masters=_main_entities(root, files, report))
    return Container(kind, root, source, files)


def _files(root: Path, source: Path) -> Iterator[Path]:
    """Every file below the root. Links to files inside are followed as names; links out of it are refused, and pipes,
    whose reader would wait for ever."""
    inside = root.resolve()
    for folder, names, files in _walk(root):
        for name in (*names, *files):
            path = Path(folder, name)
            if path.is_symlink() and not _leads_inside(path, inside):
                raise UnsafeArchive("a link that leads out of the archive", where=f"{source}:{path.relative_to(root)}")
        for path in _paths(folder, files):
            if not path.is_file():
                raise UnsafeArchive("neither a file nor a folder", where=f"{source}:{path.relative_to(root)}")
            yield path.relative_to(root)


def _check_hdf5(root: Path, files: tuple[Path, ...], source: Path) -> None:
    for path in files:
        out = next(links_out(root / path, root.resolve()), None)
        if out is not None:
            raise UnsafeArchive(
                f"an HDF5 file that reads from what is not in the archive: {out}", where=f"{source}:{path}"
            )


def _leads_inside(link: Path, inside: Path) -> bool:
    """A loop of links leads nowhere, and not inside."""
    try:
        return link.resolve().is_relative_to(inside)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return False


def files_below(folder: Path) -> Iterator[Path]:
    """Every file of a folder and its folders, without what is no part of what was published."""
    for place, _, files in _walk(folder):
        yield from _paths(place, files)


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _TOOLS)
        if CELLS in names and any(Path(folder, CELLS).glob(f"*/{TASK}")):
            # A report of an earlier call: what it found is not what was published.
            names.remove(CELLS)
            if Path(folder) != root:
                names.clear()
                continue
        yield folder, names, files


def _paths(folder: str, files: list[str]) -> list[Path]:
    return sorted(Path(folder, name) for name in files)


def _compare_lists(entries: tuple[omex.Entry, ...], files: tuple[Path, ...], source: Path, report: Report) -> None:
    listed = {Path(entry.location) for entry in entries}
    lacking = sorted(str(path) for path in listed - set(files))
    if lacking:
        message = f"the manifest lists files that are not there: {', '.join(lacking[:5])}"
        raise ReadError(message, where=source, hint="fetch the archive again")
    unlisted = sorted(str(path) for path in set(files) - listed - {Path(omex.MANIFEST)})
    if unlisted:
        message = "The archive holds files that its manifest does not list."
        report.not_read("manifest-unlisted", source, message, count=len(unlisted), examples=unlisted[:5])


def _main_entities(root: Path, files: tuple[Path, ...], report: Report) -> tuple[Path, ...]:
    """``mainEntity`` of the root data entity of an RO-Crate (1.1 and later), where it is a file of the crate.

    Files that the metadata list and the crate lacks are reported; raises ReadError for a main entity among them.
    """
    path = root / RO_CRATE
    try:
        content = parse_json(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"cannot be read: {error}", where=path) from error
    graph = content.get("@graph") if isinstance(content, dict) else None
    if not isinstance(graph, list) or not all(isinstance(each, dict) for each in graph):
        raise ReadError("the metadata of an RO-Crate is an object with an '@graph' of objects", where=path)
    entities = {str(each.get("@id")): each for each in graph}
    root_id = _id(entities.get(RO_CRATE, {}).get("about")) or "./"
    main = entities.get(root_id, {}).get("mainEntity", [])
    stated = [_id(each) for each in (main if isinstance(main, list) else [main])]
    lacking = sorted(name for name, each in entities.items() if _is_lacking(name, each, files))
    if {*lacking} & {*stated}:
        raise ReadError(f"its main entity {stated[0]!r} is not there", where=path, hint="fetch the archive again")
    if lacking:
        message = "The metadata of the crate list files that are not in it."
        report.not_read("crate-lacking", path, message, count=len(lacking), examples=lacking[:5])
    found = tuple(Path(unquote(name)) for name in stated if _is_place(name))
    if len(found) < len(stated):
        message = f"The main entity of the crate is not a file in it: {json.dumps(stated)}."
        report.not_read("crate-main-entity", path, message)
    return found


def _is_lacking(name: str, entity: dict[str, Any], files: tuple[Path, ...]) -> bool:
    """Whether something is a file of the crate by its type and its relative URI, and is not there."""
    types = entity.get("@type", [])
    is_file = "File" in (types if isinstance(types, list) else [types])
    return is_file and _is_place(name) and Path(unquote(name)) not in files


def _is_place(name: str) -> bool:
    """Whether the ``@id`` of an entity is that of a file in the crate: of nothing elsewhere, and no folder."""
    path = PurePosixPath(unquote(name))
    is_elsewhere = "://" in name or name.startswith(("#", "urn:")) or path.is_absolute() or ".." in path.parts
    return bool(path.parts) and not is_elsewhere and not name.endswith("/")


def _id(reference: object) -> str:
    return str(reference.get("@id", "")) if isinstance(reference, dict) else ""
