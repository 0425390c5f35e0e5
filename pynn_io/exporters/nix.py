"""Documents -> NIX files (`pynn_io.formats.nix_layout` says what is where). Everything that the graph holds is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.exporters.nix_components import ComponentFiles
from pynn_io.exporters.nix_tables import Place, bytes_of, write_arrays, write_population, write_projection
from pynn_io.formats.new_file import reserve
from pynn_io.formats.nix import encode_name, new_nix, nixio, write_array
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
from pynn_io.formats.nix_values import MAPPING, write_mapping
from pynn_io.formats.tagged_json import Codec
from pynn_io.graph import dynamics
from pynn_io.graph.columns import Column
from pynn_io.graph.morphology import LazyMorphologies, Morphology
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SimulationPlan
from pynn_io.vocabulary.models import known

#: Morphologies in files of these kinds are kept as their files.
_FILES = (".swc", ".asc", ".h5")
#: Longer arrays of a plan (spike trains) are arrays of the file, not text.
_IN_TEXT = 100
_PLAN_UNITS = {
    "start": "ms",
    "duration": "ms",
    "timestep": "ms",
    "min_delay": "ms",
    "spike_threshold": "mV",
    "v_init": "mV",
    "celsius": "degC",
    "section_length": "um",
    "extracellular_calcium": "mM",
}
#: What of the provenance means something elsewhere; the list of files read does not.
_PROVENANCE = ("format", "dialect", "source", "comments")
_SEGMENTS = ("id", "parent", "fraction_along", "tag", "proximal", "distal", "proximal_id")


def write(document: Document, dest: Path, report: Report, *, progress: Progress = quiet, **_: Any) -> None:
    """Write a document into the new file ``dest``.

    Raises WriteError for a file that exists, for what the file system refuses, and for a value that is no number,
    string, list or mapping; BackendUnavailable without nixio.
    """
    nixio()
    dest, components = Path(dest), ComponentFiles(document)
    reserve(dest, bytes_of(document.network) + components.bytes())
    with new_nix(dest) as file:
        _Writer(document, components, file, progress).write()


class _Writer:
    def __init__(self, document: Document, components: ComponentFiles, file: Any, progress: Progress) -> None:
        self.document, self.network = document, document.network
        self.file, self.progress = file, progress
        self.components = components
        names: dict[type, str] = {dynamics.Assignment: ASSIGNMENT}
        self.codec = Codec(names=names, path=self.components.relative, store=self._store)
        self.block = file.create_block(NETWORK, kind(NETWORK))
        self._stored = 0

    def write(self) -> None:
        self._document()
        if self.document.plan is not None:
            self._plan(self.document.plan)
        for name, population in self.network.populations.items():
            write_population(self._section("node_populations", name, "sonata.node_population"), self.block, population)
        self._definitions("cells", self.network.cells)
        self._definitions("synapses", self.network.synapses)
        self._definitions("channels", self.network.channels)
        self._definitions("component_types", self.network.component_types)
        self._morphologies()
        tables = {name: population.table for name, population in self.network.populations.items()}
        for name, projection in self.network.projections.items():
            section = self._section("edge_populations", name, "sonata.edge_population")
            write_projection(section, self.block, projection, tables, self.progress)
        self.components.write(self.file.create_block(COMPONENTS, kind(COMPONENTS)))

    def _section(self, holder: str, name: str, type_: str) -> Any:
        """The new section ``holder/name``."""
        if holder not in self.file.sections:
            self.file.create_section(holder, kind(holder))
        return self.file.sections[holder].create_section(encode_name(name), type_)

    def _document(self) -> None:
        section = self.file.create_section(DOCUMENT, kind(DOCUMENT))
        stated = {key: value for key, value in self.document.provenance.items() if key in _PROVENANCE}
        if "source" in stated:
            stated["source"] = Path(str(stated["source"])).name
        content = {
            "format_version": VERSION,
            "name": self.network.name,
            "provenance": stated,
            "node_sets": self.network.node_sets,
            "extra": self.network.extra,
        }
        write_mapping(section, content, codec=self.codec)

    def _plan(self, plan: SimulationPlan) -> None:
        content = {entry.name: getattr(plan, entry.name) for entry in fields(plan)}
        write_mapping(self.file.create_section(PLAN, kind(PLAN)), content, _PLAN_UNITS, self.codec)

    def _store(self, array: np.ndarray) -> str | None:
        """A long array of a plan or of parameters as a DataArray of its own; its name."""
        if array.size <= _IN_TEXT or array.dtype.kind not in "biuf":
            return None
        name = f"stored:{self._stored}"
        self._stored += 1
        write_array(self.block, name, array, kind=kind("stored"))
        return name

    def _definitions(self, holder: str, definitions: Mapping[str, Any]) -> None:
        """Cells, synapses, channels, types: the class as the section's type, its fields, its parameters with units."""
        for name, definition in definitions.items():
            section = self._section(holder, name, kind(type(definition).__name__))
            content = {entry.name: getattr(definition, entry.name) for entry in fields(definition)}
            parameters = content.pop(PARAMETERS)
            # Sections come last in a file, and the parameters after all: no order has to be written beside them.
            content = dict(sorted(content.items(), key=lambda item: isinstance(item[1], Mapping)))
            write_mapping(section, content, codec=self.codec)
            if parameters:
                units = _units(getattr(definition, "model", ""))
                write_mapping(section.create_section(PARAMETERS, MAPPING), parameters, units, self.codec)

    def _morphologies(self) -> None:
        """As their files where they come from files, else as columns of segments."""
        stored = self.network.morphologies
        if isinstance(stored, LazyMorphologies) and all(stored.path(name).suffix.lower() in _FILES for name in stored):
            for name in stored:
                section = self._section("morphologies", name, kind("morphology_file"))
                write_mapping(section, {"file": stored.path(name), "inside": stored.inside(name)}, codec=self.codec)
            return
        for name, morphology in stored.items():
            self._segments(name, morphology)

    def _segments(self, name: str, morphology: Morphology) -> None:
        section = self._section("morphologies", name, kind("morphology"))
        content: dict[str, Any] = {
            "name": morphology.name,
            "soma_kind": str(morphology.soma_kind),
            "spheres": dict(morphology.spheres),
            "cuts": morphology.cuts,
            "groups": dict(morphology.groups),
            "names": dict(morphology.names),
            "notes": dict(morphology.notes),
            **({} if morphology.numbers is None else {"numbers": morphology.numbers}),
        }
        write_mapping(section, content, codec=self.codec)
        group = self.block.create_group(group_name("morphology", name), kind("morphology"))
        units = {"proximal": "um", "distal": "um"}
        columns = {each: Column(getattr(morphology, each), units.get(each, "")) for each in _SEGMENTS}
        write_arrays(Place(self.block, group, kind("morphology")), columns, morphology.size, {})


def _units(model: str) -> dict[str, str]:
    """The units of a known model's parameters."""
    found = known(model)
    return {item.name: item.unit for item in (*found.parameters, *found.states) if item.unit != "1"} if found else {}
