"""Morphologies: the one door to segment tables, sections, axon replacement, and to those that are still in files."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pynn_io.graph.axon import PROCESSING, apply_processing, axon_direction, axon_stub_diameters, replace_axon
from pynn_io.graph.sections import (
    AXON_REPLACED,
    SPECIFICATION,
    Sections,
    has_stubs,
    locate,
    position,
    remap_sections,
    section_counts,
    section_diameters,
    sections,
)
from pynn_io.graph.segments import (
    GROUP_OF_TAG,
    Morphology,
    SomaKind,
    Tag,
    areas,
    lengths,
    path_length,
    take_segments,
    with_standard_groups,
)

__all__ = [
    "AXON_REPLACED",
    "PROCESSING",
    "GROUP_OF_TAG",
    "SPECIFICATION",
    "LazyMorphologies",
    "Morphology",
    "Sections",
    "SomaKind",
    "Tag",
    "apply_processing",
    "areas",
    "axon_direction",
    "axon_stub_diameters",
    "has_stubs",
    "lengths",
    "locate",
    "path_length",
    "position",
    "remap_sections",
    "replace_axon",
    "section_counts",
    "section_diameters",
    "sections",
    "take_segments",
    "with_standard_groups",
]


class LazyMorphologies(Mapping[str, Morphology]):
    """Morphologies that are read when first asked for, then kept: names with the file each is in, and one reader.

    paths: file of every name (several names may share a container). inside: what a morphology is called in its file,
    where that is another name. load: ``load(path, inside) -> Morphology``, what the file holds; what it raises for a
    missing or broken file reaches whoever asks for that morphology. ``len``, ``in`` and iteration read nothing.
    """

    __slots__ = ("_inside", "_load", "_paths", "_read")

    def __init__(
        self,
        paths: Mapping[str, Path],
        load: Callable[[Path, str], Morphology],
        inside: Mapping[str, str] | None = None,
    ) -> None:
        self._paths = dict(paths)
        self._load = load
        self._inside = dict(inside or {})
        self._read: dict[str, Morphology] = {}

    def __getitem__(self, name: str) -> Morphology:
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = self._load(self._paths[name], self.inside(name))
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return f"LazyMorphologies({len(self._paths)} names, {len(self._read)} read)"

    def path(self, name: str) -> Path:
        """The file that a morphology is in. KeyError for an unknown name."""
        return self._paths[name]

    def inside(self, name: str) -> str:
        """What a morphology is called in its file."""
        return self._inside.get(name, name)

    def missing(self) -> tuple[str, ...]:
        """The names whose file is not there, without reading any."""
        return tuple(name for name, path in self._paths.items() if not os.path.isfile(path))
