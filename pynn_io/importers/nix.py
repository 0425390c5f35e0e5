"""NIX files that pynn_io wrote -> `Document` (`pynn_io.formats.nix_layout` says what is where)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nix import child, damage, decode_name, open_nix, read_array
from pynn_io.formats.nix_layout import (
    ASSIGNMENT,
    COMPONENTS,
    DOCUMENT,
    NETWORK,
    PARAMETERS,
    PLAN,
    VERSION,
    group_name,
    kind,
)
from pynn_io.formats.nix_values import read_mapping, read_value
from pynn_io.formats.tagged_json import Codec
from pynn_io.graph import biophysics, cells, dynamics, expressions, segments, stimuli, synapses
from pynn_io.graph.morphology import LazyMorphologies, Morphology, SomaKind
from pynn_io.graph.network import Network
from pynn_io.importers.morphology import morphology_from_file
from pynn_io.importers.nix_components import Components
from pynn_io.importers.nix_tables import Place, read_population, read_projection
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan import plan as plans

_DEFINITIONS: Mapping[str, tuple[type, ...]] = {
    "cells": (cells.PointCell, cells.SpikeSource, cells.CableCell, cells.UnknownCell),
    "synapses": (synapses.Synapse,),
    "channels": (biophysics.Opaque, dynamics.Component),
    "component_types": (dynamics.ComponentType,),
}
_SEGMENTS = ("id", "parent", "fraction_along", "tag", "proximal", "distal", "proximal_id")


def _records(*modules: ModuleType) -> dict[str, type]:
    """The dataclasses, named tuples and enumerations that a module defines, by name."""
    own = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    return {
        value.__name__: value
        for value in own
        if is_dataclass(value) or issubclass(value, Enum) or hasattr(value, "_fields")
    }


#: The only classes that reading a file makes.
RECORDS: Mapping[str, type] = {
    **_records(biophysics, cells, dynamics, expressions, segments, synapses, stimuli, plans),
    ASSIGNMENT: dynamics.Assignment,
}


def read(
    source: Path, report: Report, *, progress: Progress = quiet, components: Path | str | None = None, **_: Any
) -> Document:
    """Read a network, and the plan if there is one. Edges stay in the file.

    components: the folder that component files are put into (morphologies, parameter files, mechanisms), which are
    needed to write them again and to run a network; by default a temporary one, gone when the process ends.
    Raises ReadError (``file:/section/property`` or ``file:/data/block/...``), UnsupportedInput for a NIX file without a
    network or of a later version, BackendUnavailable without nixio.
    """
    path = Path(source)
    with open_nix(path) as file:
        return _Reader(path, file, report, progress, components).read()


class _Reader:
    def __init__(
        self, path: Path, file: Any, report: Report, progress: Progress, components: Path | str | None
    ) -> None:
        self.path, self.file, self.report, self.progress = path, file, report, progress
        self.components = Components(path, None if components is None else Path(components))
        self.codec = Codec(records=RECORDS, path=self.components.path, load=self._load)

    def read(self) -> Document:
        document = self._document()
        self.block = child(self.file.blocks, NETWORK, f"{self.path}:/data")
        self.components.extract(child(self.file.blocks, COMPONENTS, f"{self.path}:/data"))
        head = read_mapping(document, f"{self.path}:", self.codec)
        populations = {}
        for section in self._sections("node_populations"):
            where = f"{self.path}:/node_populations/{section.name}"
            population = read_population(section, where, self.path, self.block)
            populations[population.name] = population
        projections = {}
        for section in self._sections("edge_populations"):
            where = f"{self.path}:/edge_populations/{section.name}"
            projection = read_projection(section, where, self.path, self.block, populations)
            projections[projection.name] = projection
            self.progress("reading edge types", len(projections), 0)
        network = Network(
            self._text(head, "name"),
            populations,
            projections,
            self._definitions("cells"),
            self._definitions("synapses"),
            self._definitions("channels"),
            self._morphologies(),
            self._mapping(head, "node_sets"),
            self._mapping(head, "extra"),
            self._definitions("component_types"),
        )
        provenance = {"format": "nix", "source": str(self.path), "origin": self._mapping(head, "provenance")}
        return Document(network, self._plan(), provenance)

    def _document(self) -> Any:
        """The section of the document. Raises UnsupportedInput where there is none, or a later version."""
        with damage(self.path):
            if DOCUMENT not in self.file.sections or self.file.sections[DOCUMENT].type != kind(DOCUMENT):
                raise UnsupportedInput(
                    "this NIX file holds no network of pynn_io",
                    where=self.path,
                    hint="results and other recordings are read with pynn_io.read_results",
                )
        found = self.file.sections[DOCUMENT]
        where = f"{self.path}:/{DOCUMENT}"
        version = read_value(child(found.props, "format_version", where), where)
        if version != VERSION:
            raise UnsupportedInput(
                f"its layout has version {version!r}; this pynn_io reads version {VERSION}",
                where=f"{self.path}:/{DOCUMENT}/format_version",
                hint="a newer pynn_io may read it",
            )
        return found

    def _sections(self, holder: str) -> Iterator[Any]:
        with damage(f"{self.path}:/{holder}"):
            if holder in self.file.sections:
                yield from self.file.sections[holder].sections

    def _text(self, head: Mapping[str, Any], key: str) -> str:
        if not isinstance(head.get(key), str):
            raise ReadError(f"a text is expected, here it is {head.get(key)!r}", where=f"{self.path}:/{DOCUMENT}/{key}")
        return str(head[key])

    def _mapping(self, head: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        if not isinstance(head.get(key), Mapping):
            raise ReadError("a section is expected", where=f"{self.path}:/{DOCUMENT}/{key}")
        return dict(head[key])

    def _load(self, name: str) -> np.ndarray:
        return read_array(self.path, self.block, name)

    def _plan(self) -> plans.SimulationPlan | None:
        if PLAN not in self.file.sections:
            return None
        content = read_mapping(self.file.sections[PLAN], f"{self.path}:", self.codec)
        return self._made(plans.SimulationPlan, content, f"{self.path}:/{PLAN}")

    def _made(self, make: Callable[..., Any], content: Mapping[str, Any], place: str) -> Any:
        try:
            return make(**content)
        except TypeError as error:
            raise ReadError(f"not what its type says: {error}", where=place) from None

    def _definitions(self, holder: str) -> dict[str, Any]:
        found = {}
        for section in self._sections(holder):
            place = f"{self.path}:/{holder}/{section.name}"
            content = read_mapping(section, f"{self.path}:/{holder}", self.codec)
            content.setdefault(PARAMETERS, {})
            make = next((each for each in _DEFINITIONS[holder] if kind(each.__name__) == section.type), None)
            if make is None:
                raise ReadError(f"unknown type {section.type!r}", where=place)
            found[decode_name(section.name)] = self._made(make, content, place)
        return found

    def _morphologies(self) -> Mapping[str, Morphology]:
        paths: dict[str, Path] = {}
        inside: dict[str, str] = {}
        stored: dict[str, Morphology] = {}
        for section in self._sections("morphologies"):
            name, place = decode_name(section.name), f"{self.path}:/morphologies/{section.name}"
            content = read_mapping(section, f"{self.path}:/morphologies", self.codec)
            if section.type == kind("morphology"):
                stored[name] = self._segments(name, content, place)
                continue
            file, within = content.get("file"), content.get("inside")
            if not isinstance(file, Path) or not isinstance(within, str):
                raise ReadError("the path of a file and a name in it are expected", where=place)
            paths[name], inside[name] = file, within
        if stored:
            return stored
        return LazyMorphologies(paths, lambda path, name: morphology_from_file(path, self.report, name), inside)

    def _segments(self, name: str, content: dict[str, Any], place: str) -> Morphology:
        group = Place(self.path, self.block, group_name("morphology", name))
        arrays = {each: group.read(each) for each in _SEGMENTS}
        try:
            content["soma_kind"] = SomaKind(str(content.get("soma_kind")))
        except ValueError as error:
            raise ReadError(str(error), where=f"{place}/soma_kind") from None
        sizes = {each: array.shape for each, array in arrays.items()}
        if any(len(array) != len(arrays["id"]) for array in arrays.values()):
            raise ReadError(f"columns of different length: {sizes}", where=place)
        return self._made(Morphology, {**content, **arrays}, place)
