"""The files that an entry is made of, wherever they lie: what is copied for a run, hashed for a report, and packed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn_io.archive.container import Container, files_below
from pynn_io.archive.values import Kind
from pynn_io.errors import PynnIOError, ReadError, UnsafeArchive
from pynn_io.formats import sonata_config
from pynn_io.formats.neuroml_source import read_source
from pynn_io.formats.sedml import read_sedml
from pynn_io.report import Report
from pynn_io.vocabulary.core import core_types

_BLOCK = 1 << 20
#: Keys of a SONATA configuration that name what a run writes, not what it reads.
_WRITTEN = frozenset({"output", "output_dir", "log_file", "spikes_file", "file_name"})


@dataclass(frozen=True, slots=True)
class Inputs:
    """base: the deepest folder that holds them all. files: relative to it, sorted. entry: the one to start with."""

    base: Path
    files: tuple[Path, ...]
    entry: Path

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, by its path."""
        return {path.as_posix(): sha256(self.base / path) for path in self.files}

    def copy(self, folder: Path) -> Path:
        """A fresh copy of all of them in a folder; gives the copy of the entry."""
        for path in self.files:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.base / path, target)
        return folder / self.entry


def inputs_of(path: Path, kind: Kind, within: Path | None = None) -> Inputs:
    """What an entry point names, directly or not, of files that exist.

    within: a folder that they all lie in. Raises ReadError for what cannot be followed, UnsafeArchive for a file
    outside of ``within``, before it is opened as a model.
    """
    path = path.resolve()
    within = within and within.resolve()
    found = {path}
    for each in _FOLLOWED[kind](path, within):
        _check_inside(each, within, path)
        found.add(each.resolve())
    base = Path(os.path.commonpath([each.parent for each in found]))
    files = tuple(sorted(each.relative_to(base) for each in found))
    return Inputs(base, files, path.relative_to(base))


def sha256(path: Path) -> str:
    """Of a file's bytes. Raises ReadError for one that cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from error
    return digest.hexdigest()


def _check_inside(file: Path, within: Path | None, path: Path) -> None:
    """Raises UnsafeArchive. path: of the file that names it."""
    if within is not None and not file.resolve().is_relative_to(within):
        raise UnsafeArchive(f"it names a file outside of the archive: {file}", where=path)


def inputs_in(container: Container, path: Path, kind: Kind) -> Inputs:
    """`inputs_of`, all of them inside the archive where that is a thing of its own."""
    try:
        return inputs_of(path, kind, container.within)
    except PynnIOError as error:
        error.where, error.message = container.told(error.where), container.told(error.message)
        raise


def _lems(path: Path, within: Path | None) -> Iterator[Path]:
    yield from read_source(path, core=core_types(), within=within).files


def _sedml(path: Path, within: Path | None) -> Iterator[Path]:
    for model in read_sedml(path).models.values():
        file = path.parent / model.source
        _check_inside(file, within, path)
        if file.is_file():
            yield from _lems(file, within)


def _sonata(path: Path, within: Path | None) -> Iterator[Path]:
    try:
        config = sonata_config.load(path, Report())
    except ReadError as error:  # it may be of the circuit's configuration, wherever that lies
        _check_inside(Path(error.where.partition(":")[0] or path), within, path)
        raise
    yield from config.files
    if config.node_sets[0] is not None:
        yield config.node_sets[0]
    yield from _named(config.circuit, config.circuit_path.parent)
    if config.simulation is not None and config.simulation_path is not None:
        yield from _named(config.simulation, config.simulation_path.parent)
    for value, _, folder in config.components.values():
        yield from _named({"component": value}, folder)


def _named(value: Any, folder: Path, key: str = "") -> Iterator[Path]:
    """Every file, and every file of a folder, that a configuration names.

    A text is taken for a path where something stands there: keys of configurations are many, and open.
    """
    if key in _WRITTEN:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _named(each, folder, str(name))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _named(each, folder, key)
    elif isinstance(value, str) and value:
        yield from _existing(Path(os.path.abspath(folder / value)), folder)


def _existing(path: Path, folder: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir() and not folder.is_relative_to(path):  # a folder of components, not the circuit's own
        yield from files_below(path)


def _script(path: Path, within: Path | None) -> Iterator[Path]:
    """A script may read anything: what stands beside it goes with it."""
    yield from files_below(path.parent)


_FOLLOWED = {Kind.SONATA: _sonata, Kind.LEMS: _lems, Kind.SEDML: _sedml, Kind.PYNN: _script}
