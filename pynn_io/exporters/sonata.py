"""Documents -> SONATA folders, in the dialect of both worlds, of Allen, or of the OBI extension.

``circuit_config.json``, ``network/`` (node and edge files, types CSV), ``components/`` (morphologies, parameter files,
cell descriptions), ``node_sets.json``; with a plan also ``simulation_config.json``, ``inputs/`` and, for Allen's tools,
``config.json`` that joins both.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py

from pynn_io.document import Document
from pynn_io.exporters.sonata_bmtk import write_script
from pynn_io.exporters.sonata_components import Components, component_folders, safe_name
from pynn_io.exporters.sonata_dialect import Dialect, dialect_of
from pynn_io.exporters.sonata_edges import WrittenEdges, write_edges
from pynn_io.exporters.sonata_neuroml import converted
from pynn_io.exporters.sonata_neuroml_beside import write_beside
from pynn_io.exporters.sonata_nodes import WrittenNodes, write_nodes
from pynn_io.exporters.sonata_regroup import Regrouped, regrouped
from pynn_io.exporters.sonata_sets import NodeSets
from pynn_io.exporters.sonata_simulation import write_simulation
from pynn_io.exporters.sonata_types import misread
from pynn_io.formats.new_file import more_hdf5, writing
from pynn_io.formats.sonata_neuroml import KEY
from pynn_io.formats.sonata_write import hdf5_file, write_json, write_types
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

#: Dialects of a source (`H5Population.dialect`) as dialects of this writer.
_SOURCES = {"aibs": "allen", "aibs-legacy": "allen", "spec-0.1": "allen", "obi": "obi"}
#: Simulators that libsonata 0.2.2 accepts in a configuration; another makes it refuse the file.
_OBI_SIMULATORS = ("NEURON", "CORENEURON", "LearningEngine", "Brian2", "unspecified")
_CIRCUIT = "circuit_config.json"


def write(
    document: Document, dest: Path, report: Report, *, dialect: str = "", progress: Progress = quiet, **_: Any
) -> None:
    """Write a document into the empty folder ``dest``.

    dialect: empty for files that both worlds read, ``allen`` or ``obi``. Raises FormatError for another, WriteError for
    what the file system refuses.
    """
    _Writer(document, Path(dest), report, dialect_of(dialect), progress).write()


class _Writer:
    def __init__(self, document: Document, dest: Path, report: Report, dialect: Dialect, progress: Progress) -> None:
        made = converted(document, report, obi=dialect.name == "obi")
        self.document, self.network = made.document, made.document.network
        self.dest, self.report, self.dialect, self.progress = dest, report, dialect, progress
        self.source: Mapping[str, Any] = self.network.extra.get("sonata") or {}
        self.same = _SOURCES.get(str(self.source.get("dialect"))) == dialect.name
        known = Regrouped(self.network, {})
        if dialect.types and _SOURCES.get(str(self.source.get("dialect"))) != "allen":
            known = regrouped(self.network, report, flat=self._flat())
        self.network = known.network
        self.components = Components(dest / "components", self.network, dialect, report, self._alternates(), known.made)
        self.components.generated(made.templates, made.mechanisms, made.morphologies)
        self.neuroml = made

    def _flat(self) -> set[str]:
        """Populations and projections that come from files without a types table."""
        infos = {**(self.source.get("nodes") or {}), **(self.source.get("edges") or {})}
        return {name for name, info in infos.items() if not info.get("types_file")}

    def _alternates(self) -> list[Path]:
        """Folders in which the source keeps its morphologies in other formats too."""
        infos = (self.source.get("nodes") or {}).values()
        stated = [info.get("components", {}).get("alternate_morphologies") for info in infos]
        stated.append(((self.source.get("components") or {}).get("alternate_morphologies") or {}).get("path"))
        return list(dict.fromkeys(Path(path) for entry in stated for path in (entry or {}).values()))

    def write(self) -> None:
        with writing(self.dest):
            (self.dest / "network").mkdir(parents=True, exist_ok=True)
        nodes = self._nodes()
        edges = self._edges(nodes)
        sets = NodeSets(self.network, nodes, self.report)
        config = self._config(nodes, edges)
        if self.neuroml.definitions is not None:
            kept = write_beside(
                self.neuroml.definitions, self.neuroml.projections, self.dest / "components", self.report
            )
            config["components"][KEY] = f"$COMPONENT_DIR/{kept}"
        if self.network.node_sets:
            write_json(self.dest / "node_sets.json", sets.rewritten(self.network.node_sets, "node_sets"))
            config["node_sets_file"] = "$BASE_DIR/node_sets.json"
        write_json(self.dest / _CIRCUIT, config)
        named = {each.model.removeprefix("nrn:") for each in self.network.synapses.values()} & {
            *self.neuroml.mechanisms
        }
        if named and self.dialect.name != "obi":
            write_script(self.dest, named)
        if self.document.plan is not None:
            write_simulation(self.document, self.dest, self.dialect, sets, self.report)

    # --- network files --------------------------------------------------------------------------------------------

    def _file_names(self, kind: str, name: str) -> tuple[str, str]:
        """HDF5 and CSV of a population: the source's own in its own dialect, else after the population."""
        info = (self.source.get(kind) or {}).get(name) or {}
        if self.same and info.get("file"):
            # The last part only: a document made by hand may name a place outside the folder.
            file = Path(info["file"]).name
            types = Path(info.get("types_file") or f"{Path(file).stem}_types.csv").name
        else:
            safe = safe_name(name)
            file, types = f"{safe}_{kind}.h5", f"{safe}_{kind[:-1]}_types.csv"
        if kind == "edges":
            # Nodes and edges may share a file, or have files of one name in two folders; here each kind has its own.
            file, types = (_free(each, self._node_files) for each in (file, types))
        return file, types

    @cached_property
    def _node_files(self) -> set[str]:
        return {each for population in self.network.populations for each in self._file_names("nodes", population)}

    def _file(self, kind: str, name: str) -> AbstractContextManager[h5py.File]:
        """The HDF5 file of a population, for it alone: a process may have some thousand files open, and no more."""
        path = self.dest / "network" / self._file_names(kind, name)[0]
        return more_hdf5(path) if path.exists() else hdf5_file(path)

    def _nodes(self) -> dict[str, WrittenNodes]:
        written = {}
        total = len(self.network.populations)
        for done, (name, population) in enumerate(self.network.populations.items()):
            with self._file("nodes", name) as file:
                written[name] = write_nodes(
                    file,
                    population,
                    self.network,
                    self.dialect,
                    self.components,
                    self.report,
                    foreign=not self.same,
                )
            self.progress("writing nodes", done + 1, total)
        return written

    def _edges(self, nodes: Mapping[str, WrittenNodes]) -> dict[str, WrittenEdges]:
        written = {}
        for name, projection in self.network.projections.items():
            with self._file("edges", name) as file:
                written[name] = write_edges(
                    file,
                    projection,
                    self.network,
                    self.dialect,
                    self.components,
                    (nodes[projection.pre], nodes[projection.post]),
                    self.report,
                    self.progress,
                    foreign=not self.same,
                )
        return written

    # --- configuration --------------------------------------------------------------------------------------------

    def _config(self, nodes: Mapping[str, WrittenNodes], edges: Mapping[str, WrittenEdges]) -> dict[str, Any]:
        stated = self.source.get("components") or {}
        folders = component_folders({key: value.get("path") for key, value in stated.items()})
        components = self.components.config(folders)
        config: dict[str, Any] = {
            "manifest": {
                "$BASE_DIR": ".",
                "$NETWORK_DIR": "$BASE_DIR/network",
                "$COMPONENT_DIR": "$BASE_DIR/components",
            },
            "components": components,
            "networks": {
                "nodes": self._entries("nodes", nodes, components),
                "edges": self._entries("edges", edges, components),
            },
        }
        if self.same:
            config |= {key: self.source[key] for key in ("version", "metadata") if key in self.source}
        self._add_simulator(config)
        return config

    def _add_simulator(self, config: dict[str, Any]) -> None:
        simulator = self.network.extra.get("target_simulator")
        if not simulator:
            return
        if self.dialect.name == "allen" or simulator in _OBI_SIMULATORS:
            config["target_simulator"] = simulator
            return
        self.report.expanded(
            "target-simulator",
            _CIRCUIT,
            f"the circuit was meant for {simulator}; libsonata refuses a configuration that says so: left out",
            examples=["target_simulator"],
        )

    def _entries(
        self, kind: str, written: Mapping[str, WrittenNodes] | Mapping[str, WrittenEdges], components: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """One entry a file, and its types CSV if the dialect has them."""
        files: dict[tuple[str, str], dict[str, WrittenNodes | WrittenEdges]] = {}
        for name, item in written.items():
            files.setdefault(self._file_names(kind, name), {})[name] = item
        entries = []
        tables: dict[str, dict[str, dict[str, list[object]]]] = {}
        for (file, types), items in files.items():
            entry: dict[str, Any] = {f"{kind}_file": f"$NETWORK_DIR/{file}"}
            if kind == "edges" and all(self._only_neuroml(name) for name in items):
                entry |= {"enabled": False, KEY: True}
            if self.dialect.types:
                entry[f"{kind[:-1]}_types_file"] = f"$NETWORK_DIR/{types}"
                tables.setdefault(types, {}).update({name: item.types for name, item in items.items()})
            if self.dialect.flat:
                entry["populations"] = {
                    name: self._properties(kind, name, item, components) for name, item in items.items()
                }
            entries.append(entry)
        for types, content in tables.items():
            merged = merged_types(content, f"{kind[:-1]}_type_id")
            # Our reader takes a unit for text whatever it looks like, and no other reader knows the column.
            for name, examples in misread({key: merged[key] for key in merged if key != "weight_unit"}).items():
                self.report.approximated(
                    "text-in-types",
                    f"network/{types}",
                    f"a types CSV cannot say that what looks like a number, or like nothing, is text: {name}, which "
                    f"was text such as {', '.join(map(repr, examples[:3]))}, is read back as numbers or as not stated",
                    count=len(examples),
                    examples=[name, *map(repr, examples)],
                )
            write_types(self.dest / "network" / types, merged)
        return entries

    def _only_neuroml(self, name: str) -> bool:
        """Whether a projection is of a kind that SONATA's simulators do not have, and must not take for synapses."""
        form = self.neuroml.projections.get(name)
        return form is not None and form.kind not in ("chemical", "electrical")

    def _properties(
        self, kind: str, name: str, item: WrittenNodes | WrittenEdges, components: Mapping[str, Any]
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {"type": item.obi_type}
        if kind == "nodes" and item.obi_type == "biophysical":
            keys = ("morphologies_dir", "biophysical_neuron_models_dir", "alternate_morphologies")
            properties |= {key: components[key] for key in keys if key in components}
        stated = ((self.source.get(kind) or {}).get(name) or {}).get("properties") or {}
        left = [key for key in stated if key not in ("type", "alternate_morphologies", *properties, *components)]
        self.report.lost(
            "population-property",
            f"{kind} {name}",
            "the configuration's properties of this population point to files that are no part of the network, such as "
            "spatial indices; they are not copied",
            count=len(left),
            examples=left,
        )
        return properties


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{Path(name).stem}_edges{Path(name).suffix}"
    return name


def merged_types(tables: Mapping[str, Mapping[str, list[Any]]], id_name: str) -> dict[str, list[Any]]:
    """The types of several populations in one CSV: each id once, or with a ``population`` column where ids clash."""
    if len(tables) == 1:
        return {name: list(values) for name, values in next(iter(tables.values())).items()}
    names = list(dict.fromkeys([id_name, *(name for table in tables.values() for name in table)]))
    rows: list[tuple[str, dict[str, Any]]] = []
    for population, table in tables.items():
        for row in range(len(table[id_name])):
            content = {name: table[name][row] if name in table else None for name in names}
            if all(content != other for _, other in rows):
                rows.append((population, content))
    ids = [content[id_name] for _, content in rows]
    out = {name: [content[name] for _, content in rows] for name in names}
    if len(set(ids)) < len(ids):
        rows = [
            (population, {name: table[name][row] if name in table else None for name in names})
            for population, table in tables.items()
            for row in range(len(table[id_name]))
        ]
        out = {name: [content[name] for _, content in rows] for name in names}
        out["population"] = [population for population, _ in rows]
    return out
