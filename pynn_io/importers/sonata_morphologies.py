"""Which file each morphology of a circuit is in, found without reading any of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.graph.morphology import LazyMorphologies
from pynn_io.importers.morphology import morphology_from_file
from pynn_io.report import Report

#: ``components`` entries by preference, and the suffix of their files.
_FOLDERS = (("morphologies_dir", ".swc"), ("neurolucida-asc", ".asc"), ("h5v1", ".h5"))
SUFFIXES = (".swc", ".asc", ".h5")


def stem(name: str) -> str:
    """The name of a morphology without the suffix that SONATA allows but does not ask for."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


class MorphologyFiles:
    """Collects names; `lazy` gives the mapping for `Network.morphologies`."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._inside: dict[str, str] = {}  # the name in a container, by key
        self._listed: dict[Path, frozenset[str]] = {}

    def add(self, name: str, components: Mapping[str, Any], population: str) -> str:
        """Register a morphology of a population; gives the key it has in the network.

        That is its name without suffix, unless another population's folder holds another file of that name.
        """
        key = stem(name)
        path = self._find(name, components)
        if self._paths.setdefault(key, path) != path:
            key = f"{population}/{key}"
            self._paths[key] = path
        self._inside[key] = stem(name)
        return key

    def lazy(self, report: Report) -> LazyMorphologies:
        """The mapping, which reads a file when first asked for it; ``report`` hears of what is odd in it."""
        return LazyMorphologies(self._paths, lambda path, name: morphology_from_file(path, report, name), self._inside)

    def _find(self, name: str, components: Mapping[str, Any]) -> Path:
        """The first file that exists, else where it was expected first (validation then names that file)."""
        candidates = []
        places = {
            **(components.get("alternate_morphologies") or {}),
            "morphologies_dir": components.get("morphologies_dir"),
        }
        for key, suffix in _FOLDERS:
            place = places.get(key)
            if not isinstance(place, Path):
                continue
            if place.suffix == ".h5" and os.path.isfile(place):
                candidates.append(place)  # a container: one file with many morphologies
            else:
                suffixed = name.lower().endswith(suffix)
                candidates.append(place / (name if suffixed else f"{stem(name)}{suffix}"))
                if not suffixed and key == "morphologies_dir":
                    candidates += [place / f"{stem(name)}{other}" for other in SUFFIXES[1:]]
        found = next((path for path in candidates if self._exists(path)), None)
        return found or (candidates[0] if candidates else Path(f"{stem(name)}.swc"))

    def _exists(self, path: Path) -> bool:
        folder = path.parent
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._listed[folder] = frozenset()
        return path.name in self._listed[folder]
