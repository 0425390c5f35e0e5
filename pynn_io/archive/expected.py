"""``pynn_io-expected.json``: what an archive that pynn_io packed asks to run, and what came out of it then.

An object with ``format``, ``version`` and ``entries``, each an object with ``entry`` (its path in the archive),
``kind``, ``task``, ``backend`` (with its engine), ``simulator_version``, ``results`` (a path of SONATA results, empty
where there are none), ``tables`` (pairs: a file that a LEMS simulation names, its path), ``mechanisms`` (folders) and,
where the expectation is statistical, ``seeds`` (paths of results of the same with other seeds).
``checksums`` has the SHA-256 of every other file of the archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pynn_io.archive.inputs import sha256
from pynn_io.archive.values import Entry, Expectation, Kind
from pynn_io.errors import ReadError, UnsafeArchive
from pynn_io.formats.strict_json import parse_json

FILE, FORMAT, VERSION = "pynn_io-expected.json", "pynn_io.expected", 1
#: Its own text cannot hold its checksum, nor that of the lists that name it.
UNSUMMED = frozenset({FILE, "manifest.xml", "ro-crate-metadata.json"})


@dataclass(frozen=True, slots=True)
class Packed:
    """One entry of the file; paths with ``/``, relative to the archive."""

    entry: str
    kind: Kind
    task: str
    backend: str
    simulator_version: str
    results: str
    tables: tuple[tuple[str, str], ...] = ()
    mechanisms: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()


def write_expected(path: Path, entries: tuple[Packed, ...], checksums: Mapping[str, str]) -> None:
    """The file, beside what it is about."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "entries": [{name: getattr(each, name) for name in Packed.__slots__} for each in entries],
        "checksums": dict(sorted(checksums.items())),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_expected(root: Path) -> tuple[Entry, ...]:
    """The entries of the file at an archive's root.

    Raises ReadError for a broken one, UnsafeArchive where a file is not the one that it was made with, or is missing.
    """
    path = root / FILE
    content = parse_json(path.read_text(encoding="utf-8", errors="replace"), path)
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        raise ReadError(f"not {FORMAT} {VERSION}", where=path)
    _verify(root, content.get("checksums"), path)
    stated = content.get("entries")
    if not isinstance(stated, list):
        raise ReadError("'entries' is not a list", where=path)
    return tuple(_entries(root, stated, path))


def _verify(root: Path, checksums: Any, path: Path) -> None:
    if not isinstance(checksums, dict):
        raise ReadError("'checksums' is not an object", where=path)
    for name, stated in checksums.items():
        file = _inside(root, name, path)
        if not file.is_file():
            raise UnsafeArchive(f"{name!r} is missing", where=path, hint="fetch the archive again")
        if sha256(file) != stated:
            hint = "fetch the archive again, or pack it anew"
            raise UnsafeArchive(
                f"{name!r} is not the file that was packed: its checksum differs", where=path, hint=hint
            )


def _entries(root: Path, stated: list[Any], path: Path) -> Iterator[Entry]:
    for number, each in enumerate(stated):
        try:
            tables = tuple((name, place) for name, place in each["tables"])
            own = {"kind": Kind(each["kind"]), "mechanisms": tuple(each["mechanisms"]), "tables": tables}
            own["seeds"] = tuple(each.get("seeds", ()))
            packed = Packed(**{**each, **own})
            _check_texts(packed)
        except (TypeError, KeyError, ValueError) as error:
            raise ReadError(f"entry {number} is broken: {error}", where=path) from error
        yield Entry(
            f"{packed.entry}#{packed.task}" if packed.task else packed.entry,
            _inside(root, packed.entry, path),
            packed.kind,
            FILE,
            packed.task,
            tuple(_expectations(root, packed, path)),
            (packed.backend,),
            tuple(_inside(root, folder, path) for folder in packed.mechanisms),
        )


def _check_texts(packed: Packed) -> None:
    """Raises ValueError for a field that is no text and has to be."""
    for name in ("entry", "task", "backend", "simulator_version", "results"):
        if not isinstance(getattr(packed, name), str):
            raise ValueError(f"{name} is not a text")


def _expectations(root: Path, packed: Packed, path: Path) -> Iterator[Expectation]:
    made_by = packed.backend, packed.simulator_version
    if packed.results:
        null = tuple(_inside(root, place, path) for place in packed.seeds)
        results = _inside(root, packed.results, path)
        yield Expectation("packed results", "results", results, made_by=made_by, null=null)
    for name, place in packed.tables:
        yield Expectation(f"packed {name}", "table", _inside(root, place, path), part=str(name), made_by=made_by)


def _inside(root: Path, name: Any, path: Path) -> Path:
    if not isinstance(name, str) or not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise UnsafeArchive(f"{name!r} is not a place in the archive", where=path)
    return root / name
