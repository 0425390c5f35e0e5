"""SONATA node types -> cell definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pynn_io.formats.sonata_tables import H5Population
from pynn_io.graph.biophysics import Opaque
from pynn_io.graph.cells import Cell, Origin, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.network import Population
from pynn_io.importers.sonata_cells import cable_cell
from pynn_io.importers.sonata_context import Context, find_component
from pynn_io.importers.sonata_morphologies import MorphologyFiles
from pynn_io.importers.sonata_units import cell_model
from pynn_io.vocabulary import tables

#: Columns of a types file that make the cell; everything else stays a column.
CELL_COLUMNS = ("model_type", "model_template", "morphology", "model_processing", "dynamics_params")
#: PyNN's sources that make spikes of their own; a virtual node that names one is that, and not only replays trains.
_SOURCES = frozenset(name for name in tables.SOURCES if ":" not in name) - {"SpikeSourceArray"}
_POINT = ("point_neuron", "point_process")


@dataclass(slots=True)
class Nodes:
    """What the node files of a circuit hold. info: per population, what a writer of the same format keeps."""

    populations: dict[str, Population] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    channels: dict[str, Opaque] = field(default_factory=dict)
    morphologies: MorphologyFiles = field(default_factory=MorphologyFiles)
    info: dict[str, dict[str, Any]] = field(default_factory=dict)
    dialects: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class NodeType:
    """One row of the types table: a row of the CSV (or -1), as the cells that bear it see it.

    stated: the columns of the CSV that make the cell.
    """

    id: int | None
    row: int
    template: str | None
    model_type: str
    stated: Mapping[str, str]
    where: str


class CellMaker:
    """Makes the cells of one population and puts them into `Nodes`."""

    def __init__(self, context: Context, record: H5Population, components: Mapping[str, Any], nodes: Nodes) -> None:
        self.context, self.record, self.components, self.nodes = context, record, components, nodes

    def define(self, kind: NodeType, rows: list[NodeType]) -> str:
        """Make the cell of one type and give its name in the network."""
        cell, channels = self._make(kind)
        self.nodes.channels.update(channels)
        name = self._name(kind, rows)
        other = self.nodes.cells.get(name)
        if other is not None and (other != cell or other.origin != cell.origin):
            name = f"{self.record.name}_{name}"
        self.nodes.cells.setdefault(name, cell)
        return name

    def _name(self, kind: NodeType, rows: list[NodeType]) -> str:
        bare = (kind.template or "").rpartition(":")[2].rpartition("/")[2]
        if kind.id is None:
            return bare or f"{self.record.name}_{kind.model_type or 'cell'}"
        split = sum(row.id == kind.id for row in rows) > 1
        return f"{self.record.name}_{kind.id}" + (f"_{bare or kind.model_type}" if split else "")

    def _make(self, kind: NodeType) -> tuple[Cell, dict[str, Opaque]]:
        names = {name: text for name in CELL_COLUMNS if (text := kind.stated.get(name)) is not None}
        if kind.template:
            names["model_template"] = kind.template
        if kind.model_type:
            names["model_type"] = kind.model_type
        if kind.model_type == "biophysical":
            return self._cable(kind, names)
        for unused in ("morphology", "model_processing"):
            if unused in names:
                self.context.report.not_read(
                    "unused-attribute", kind.where, f"a {kind.model_type} node has no use for its {unused}"
                )
        source = cell_model(kind.template) if kind.model_type == "virtual" and kind.template else ""
        if kind.model_type == "virtual" and source not in _SOURCES:
            return SpikeSource(origin=Origin(names)), {}
        stated, files = self._parameters(kind, names, "point_neuron_models_dir")
        if source:
            return SpikeSource(source, stated, Origin(names, files)), {}
        if kind.model_type in _POINT and kind.template:
            model, more = self._point_model(kind.template)
            return PointCell(model, stated, Origin(names, files | more)), {}
        self.context.report.not_read(
            "cell-kind",
            kind.where,
            f"nodes of the type {kind.model_type or '(not stated)'} are kept by name; what they compute is unknown",
        )
        return UnknownCell(kind.model_type or "unstated", stated, Origin(names, files)), {}

    def _point_model(self, template: str) -> tuple[str, dict[str, Path]]:
        if not template.lower().startswith("nml:"):
            return cell_model(template), {}
        resource = template.partition(":")[2]
        path = find_component(resource, self.components.get("point_neuron_models_dir"), ".nml")
        name = resource.rpartition("/")[2].split(".")[0]
        return f"nml:{name}", {"model_template": path} if path else {}

    def _parameters(self, kind: NodeType, names: Mapping[str, str], key: str) -> tuple[dict[str, Any], dict[str, Path]]:
        if "dynamics_params" not in names:
            return {}, {}
        folder = self.components.get(key)
        stated, path = self.context.parameters(names["dynamics_params"], folder, key, kind.where)
        return stated, {"dynamics_params": path} if path else {}

    def _cable(self, kind: NodeType, names: dict[str, str]) -> tuple[Cell, dict[str, Opaque]]:
        morphology = names.get("morphology")
        if morphology is not None:
            morphology = self.nodes.morphologies.add(morphology, self.components, self.record.name)
        processing = tuple(part.strip() for part in names.get("model_processing", "").split(",") if part.strip())
        _, files = self._parameters(kind, names, "biophysical_neuron_models_dir")
        folders = {name: path for name, path in self.components.items() if isinstance(path, Path)}
        cell, channels = cable_cell(
            template=kind.template,
            morphology=morphology,
            processing=processing,
            dynamics_params=files.get("dynamics_params"),
            template_dirs=folders,
            report=self.context.report,
            where=kind.where,
        )
        found = cell.origin.files if cell.origin else {}
        self.context.files |= dict.fromkeys(found.values())
        return replace(cell, origin=Origin(names, found)), channels
