"""The files that a document refers to, kept in a NIX file byte by byte, under paths without a machine's folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.formats.nix import ArrayWriter, encode_name
from pynn_io.formats.nix_layout import kind
from pynn_io.graph.morphology import LazyMorphologies

#: What is looked for in the folders that a document names: mechanisms and templates.
_SOURCES = ("*.mod", "*.hoc")
_MORPHOLOGIES = (".swc", ".asc", ".h5")
#: Bytes read at a time.
_PART = 2**24


class ComponentFiles:
    """The files behind definitions, morphologies, mechanisms and templates; paths relative to their common folder."""

    def __init__(self, document: Document) -> None:
        network = document.network
        stored = network.morphologies
        self._morphologies = [stored.path(name) for name in stored] if isinstance(stored, LazyMorphologies) else []
        definitions = [network.cells, network.synapses, network.channels, document.plan]
        self._named = dict.fromkeys(path for value in definitions for path in paths_in(value))
        self._others = dict.fromkeys(paths_in(network.extra))
        found = [path for path in (*self._morphologies, *self._named, *self._others) if path.is_absolute()]
        self._root = Path(os.path.commonpath([path.parent for path in found])) if found else Path("/")

    def relative(self, path: PurePath) -> PurePosixPath:
        """The path as it stands in the file."""
        below = path.relative_to(self._root) if path.is_relative_to(self._root) else path
        return PurePosixPath(below.as_posix())

    def bytes(self) -> int:
        """What all files take together."""
        return sum(path.stat().st_size for path in dict.fromkeys(self._files()))

    def write(self, block: Any) -> None:
        """Every file that is there, each once. Raises WriteError for one that cannot be read."""
        for path in dict.fromkeys(self._files()):
            name = str(self.relative(path))
            try:
                _write_file(block, path, name)
            except OSError as error:
                raise WriteError(f"the component {path} cannot be read: {error.strerror or error}") from error

    def _files(self) -> Iterator[Path]:
        folders = [path for path in self._others if path.is_dir()]
        stems = dict.fromkeys(path.stem for path in self._morphologies)
        yield from (path for path in (*self._named, *self._morphologies) if path.is_file())
        for folder in folders:
            yield from (path for pattern in _SOURCES for path in sorted(folder.rglob(pattern)) if path.is_file())
            alternates = (folder / f"{stem}{suffix}" for stem in stems for suffix in _MORPHOLOGIES)
            yield from (path for path in alternates if path.is_file())


def paths_in(value: Any) -> Iterator[Path]:
    """Every path in a value, however deep."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        yield from (path for item in value.values() for path in paths_in(item))
    elif isinstance(value, list | tuple):
        yield from (path for item in value for path in paths_in(item))
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (path for entry in fields(value) for path in paths_in(getattr(value, entry.name)))


def _write_file(block: Any, path: Path, name: str) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        writer = ArrayWriter(block, encode_name(name), np.uint8, (size,), kind=kind("component"), label=name)
        while part := file.read(_PART):
            digest.update(part)
            writer.append(np.frombuffer(part, dtype=np.uint8))
    block.data_arrays[encode_name(name)].definition = f"sha256:{digest.hexdigest()}"
