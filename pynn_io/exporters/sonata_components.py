"""Definitions of cells and synapses as what SONATA has for them: a few names in a types table, and component files.

A definition that came from SONATA and was not changed since carries an `Origin`: its names and files are kept verbatim.
Anything else is generated: parameters become a JSON file, a decor an Allen ``.cell.nml`` snippet, a morphology SWC.
"""

from __future__ import annotations

import json
import math
import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_nml import nml_snippet
from pynn_io.exporters.sonata_weights import OBI_MODELS
from pynn_io.exporters.swc import write_morphology
from pynn_io.formats.new_file import safe_name, writing
from pynn_io.formats.sonata_write import copy_file, write_text
from pynn_io.graph.cells import CableCell, Cell, Origin, PointCell, SpikeSource, UnknownCell
from pynn_io.graph.morphology import LazyMorphologies
from pynn_io.graph.network import Network, Population
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report

#: Names that a definition gives its type, in the order of a types table.
ATTRIBUTES = ("model_type", "model_template", "model_processing", "morphology", "dynamics_params")
#: Component folders: key of the configuration -> folder under ``components/``.
FOLDERS = {
    "morphologies_dir": "morphologies",
    "biophysical_neuron_models_dir": "biophysical_neuron_models",
    "point_neuron_models_dir": "point_neuron_models",
    "synaptic_models_dir": "synaptic_models",
    "templates_dir": "templates",
}
#: Folder of mechanisms that are written.
MECHANISMS = "mechanisms"
#: Folders of other morphology formats, in ``alternate_morphologies`` of the OBI extension, by suffix.
ALTERNATES = {".asc": ("neurolucida-asc", "morphologies_asc"), ".h5": ("h5v1", "morphologies_h5")}
#: What BMTK calls a synapse of NEURON by another name.
_BMTK_NAMES = {"nrn:ExpSyn": "expsyn"}
#: What a synapse without a model is called in the graph.
_NO_MODEL = ("", "static")


class Components:
    """Writes component files as definitions ask for them, each once; knows the ``components`` of the configuration."""

    def __init__(
        self,
        folder: Path,
        network: Network,
        dialect: Dialect,
        report: Report,
        alternates: Sequence[Path] = (),
        made: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._alternates, self._made = folder, alternates, made or {}
        self._network = network
        self._dialect = dialect
        self._report = report
        self._placed: dict[tuple[str, str], object] = {}
        self._cells: dict[str, dict[str, str]] = {}
        self._synapses: dict[str, dict[str, str]] = {}
        self._morphologies: dict[str, str] = {}
        self.alternates: set[str] = set()
        self._mechanisms = False
        self._templates: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()

    def generated(
        self, templates: Mapping[str, str], mechanisms: Mapping[str, str], morphologies: frozenset[str] = frozenset()
    ) -> None:
        """Files written for the network, by the name of what they define: hoc templates and NMODL mechanisms.

        morphologies: those that stand beside the circuit as they were, so that a file of points loses nothing.
        """
        for name, text in templates.items():
            for key in ("biophysical_neuron_models_dir", "templates_dir"):  # OBI's tools and BMTK look here and there
                self._place(key, f"{name}.hoc", text)
        for name, text in mechanisms.items():
            self._place(MECHANISMS, f"{name}.mod", text)
        self._mechanisms, self._known = bool(mechanisms), morphologies
        self._templates = frozenset(f"hoc:{name}" for name in templates)

    def counts_sections(self, population: Population) -> bool:
        """Whether cells of a population are templates that were written for it, with all sections of the file."""
        cells = (self._network.cells[name] for name in population.cells)
        return any(isinstance(cell, CableCell) and cell.template in self._templates for cell in cells)

    # --- definitions --------------------------------------------------------------------------------------------

    def cell(self, name: str) -> dict[str, str]:
        """The attributes of a cell definition that its type states (of `ATTRIBUTES`), component files written."""
        if name not in self._cells:
            made = self._cell(name, self._network.cells[name])
            self._cells[name] = {key: made[key] for key in ATTRIBUTES if made.get(key)}
        return self._cells[name]

    def synapse(self, name: str) -> dict[str, str]:
        """``model_template`` and ``dynamics_params`` of a synapse definition, as far as it states them."""
        if name not in self._synapses:
            synapse = self._network.synapses[name]
            if left := beyond_json(synapse.parameters):
                message = "JSON, which has the parameters of synapses, has no word for infinity."
                self._report.lost("parameter-not-finite", f"synapse {name}", message, count=len(left), examples=left)
            made = self._kept(synapse.origin, "synaptic_models_dir") if synapse.origin else {}
            template = synapse_template(synapse)
            if template and not (self._dialect.name == "obi" and synapse.model in OBI_MODELS):
                made.setdefault("model_template", template)
            if self._dialect.types and name in self._made:
                self._named_parameters(name, synapse.parameters, "synaptic_models_dir", made)
            elif not synapse.origin and self._dialect.types:
                needed = synapse.model.startswith("nest:")
                self._generate_parameters(name, synapse.parameters, "synaptic_models_dir", made, needed=needed)
            self._synapses[name] = {key: made[key] for key in ("model_template", "dynamics_params") if made.get(key)}
        return self._synapses[name]

    def _cell(self, name: str, cell: Cell) -> dict[str, str]:
        folder = "biophysical_neuron_models_dir" if isinstance(cell, CableCell) else "point_neuron_models_dir"
        made = {"model_type": model_type(cell)}
        if cell.origin is not None:
            made |= self._kept(cell.origin, folder)
            if name in self._made:
                self._named_parameters(name, cell.parameters, folder, made)
        elif isinstance(cell, CableCell):
            made |= self._generated_cable(name, cell)
        else:
            if not isinstance(cell, UnknownCell) and cell.model != "SpikeSourceArray":
                made["model_template"] = cell.model if ":" in cell.model else f"pynn:{cell.model}"
            if self._dialect.types:
                needed = isinstance(cell, PointCell) and cell.model.startswith("nest:")
                self._generate_parameters(name, cell.parameters, folder, made, needed=needed)
        if isinstance(cell, CableCell) and cell.morphology is not None:
            made["morphology"] = self.morphology(cell.morphology, made.get("morphology", ""))
        return made

    def _kept(self, origin: Origin, folder: str) -> dict[str, str]:
        """The names of an origin, its files copied to where these names will be looked for."""
        made = {key: str(value) for key, value in origin.names.items() if value}
        for key, path in origin.files.items():
            stated = made.get(key, Path(path).name)
            if key == "model_template":
                scheme, _, resource = stated.rpartition(":")
                placed = self._place(folder, _file_name(resource, Path(path)), Path(path))
                if placed != _file_name(resource, Path(path)) or not _stays_below(resource):
                    made[key] = f"{scheme}:{placed}"
            elif key == "dynamics_params":
                wanted = _file_name(stated, Path(path))
                placed = self._place(folder, wanted, Path(path))
                made[key] = stated if placed == wanted and _stays_below(stated) else placed
        return made

    def _generated_cable(self, name: str, cell: CableCell) -> dict[str, str]:
        made: dict[str, str] = {}
        if cell.processing:
            made["model_processing"] = ",".join(cell.processing)
        if cell.template is not None:
            made["model_template"] = cell.template
            self._generate_parameters(name, cell.parameters, "biophysical_neuron_models_dir", made)
            return made
        text = nml_snippet(name, cell, self._report)
        placed = self._place("biophysical_neuron_models_dir", f"{safe_name(name)}.cell.nml", text)
        made["model_template"] = f"nml:{placed}"
        return made

    def _named_parameters(self, name: str, parameters: Mapping[str, Any], folder: str, made: dict[str, str]) -> None:
        """The file of parameters that rows stated, under the name that the source had for it if it had one."""
        stated = PurePosixPath(self._made[name]).name
        made["dynamics_params"] = self._place(folder, safe_name(stated or f"{name}.json"), _json(parameters))

    def _generate_parameters(
        self,
        name: str,
        parameters: Mapping[str, Any],
        folder: str,
        made: dict[str, str],
        *,
        needed: bool = False,
    ) -> None:
        """needed: whether there must be a file although nothing is stated, as BMTK wants it for NEST's models."""
        if parameters or needed:
            made["dynamics_params"] = self._place(folder, f"{safe_name(name)}.json", _json(parameters))

    # --- morphologies -------------------------------------------------------------------------------------------

    def morphology(self, key: str, stated: str = "") -> str:
        """Write the file of a morphology; what a table calls it: as the source did, unless two files clash."""
        known = f"{key}\0{stated}"
        if known not in self._morphologies:
            self._morphologies[known] = self._morphology(key, stated or key.rpartition("/")[2])
        return self._morphologies[known]

    def _morphology(self, key: str, stated: str) -> str:
        morphologies = self._network.morphologies
        path = morphologies.path(key) if isinstance(morphologies, LazyMorphologies) and key in morphologies else None
        if path is not None and os.path.isfile(path):
            return self._copied_morphology(path, stated)
        where = f"morphology {key}"
        if path is not None or key not in morphologies:
            self._report.lost(
                "missing-morphology",
                where,
                f"there is no file for the morphology {stated}; its name is written, and whoever builds the cell needs "
                "the file" + (f" (looked for {path.name})" if path else ""),
            )
            return stated
        return self._written_morphology(key, stated)

    def _copied_morphology(self, path: Path, stated: str) -> str:
        """Copy a morphology, in every format that the source keeps it in. A container goes as it is."""
        placed = self._copied_as(path)
        for folder in self._alternates:
            for suffix in ALTERNATES:
                other = folder / f"{path.stem}{suffix}"
                if other != path and os.path.isfile(other):
                    self._copied_as(other)
        return stated if placed == path.name and "/" not in stated else placed.removesuffix(path.suffix)

    def _copied_as(self, path: Path) -> str:
        suffix = path.suffix.lower()
        if suffix not in ALTERNATES:
            return self._place("morphologies_dir", path.name, path)
        placed = self._place(ALTERNATES[suffix][1], path.name, path)
        self.alternates.add(suffix)
        return placed

    def _written_morphology(self, key: str, stated: str) -> str:
        folder, name = FOLDERS["morphologies_dir"], safe_name(stated.removesuffix(".swc"))
        number = 1
        while (folder, f"{name}.swc" if number == 1 else f"{name}_{number}.swc") in self._placed:
            number += 1
        target = self._folder / folder / (f"{name}.swc" if number == 1 else f"{name}_{number}.swc")
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        known = key in self._known
        write_morphology(self._network.morphologies[key], target, Report() if known else self._report)
        self._placed[FOLDERS["morphologies_dir"], target.name] = key
        if known:
            return target.stem
        self._report.expanded(
            "morphology-as-swc",
            f"morphology {key}",
            "written as SWC points; a reader makes segments of them anew, numbered in the file's order: id, parent, "
            "fraction_along, proximal, distal, tag, soma_kind, groups",
        )
        return target.stem

    # --- files --------------------------------------------------------------------------------------------------

    def _place(self, key: str, name: str, content: Path | str) -> str:
        """Copy or write a file under a component folder; another file under its name makes it take a number."""
        folder = FOLDERS.get(key, key)
        parts = PurePosixPath(name)
        for number in range(1, len(self._placed) + 2):
            candidate = name if number == 1 else str(parts.with_name(f"{parts.stem}_{number}{parts.suffix}"))
            there = self._placed.get((folder, candidate))
            if there == content:
                return candidate
            if there is None:
                break
        target = self._folder / folder / candidate
        if isinstance(content, Path):
            copy_file(content, target)
        else:
            write_text(target, content)
        self._placed[folder, candidate] = content
        if candidate != name:
            self._report.expanded(
                "component-renamed",
                f"components/{folder}",
                "two component files from different folders have one name; the second took a number",
                examples=[candidate],
            )
        return candidate

    def copy_folder(self, key: str, source: Path) -> str | None:
        """Copy the mechanisms or templates of a circuit (``.mod``, ``.hoc``) verbatim; the folder, or None if empty."""
        files = (
            sorted(path for suffix in ("*.mod", "*.hoc") for path in source.rglob(suffix)) if source.is_dir() else []
        )
        name = FOLDERS.get(key, key.removesuffix("_dir"))
        for path in files:
            copy_file(path, self._folder / name / path.relative_to(source))
        return name if files else None

    def config(self, extra: Mapping[str, Path]) -> dict[str, Any]:
        """The ``components`` section. Both worlds want the folders they look into to be there, so they are made.

        extra: component folders of the source beyond the five that definitions write to, by key.
        """
        content: dict[str, Any] = {}
        for key, name in FOLDERS.items():
            if key != "templates_dir":
                folder = self._folder / name
                with writing(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                content[key] = f"$COMPONENT_DIR/{name}"
        if self._mechanisms:
            content["mechanisms_dir"] = f"$COMPONENT_DIR/{MECHANISMS}"
        if self._templates:
            content["templates_dir"] = f"$COMPONENT_DIR/{FOLDERS['templates_dir']}"
        for suffix in sorted(self.alternates):
            entry, name = ALTERNATES[suffix]
            content.setdefault("alternate_morphologies", {})[entry] = f"$COMPONENT_DIR/{name}"
        for key, source in extra.items():
            copied = self.copy_folder(key, source)
            if copied and key not in content:
                content[key] = f"$COMPONENT_DIR/{copied}"
        return content


def model_type(cell: Cell) -> str:
    """SONATA's ``model_type``: as the source had it (``point_process``, an old name), else by what the cell is."""
    stated = cell.origin.names.get("model_type") if cell.origin else None
    if stated:
        return str(stated)
    if isinstance(cell, UnknownCell):
        return cell.kind
    return {CableCell: "biophysical", PointCell: "point_neuron", SpikeSource: "virtual"}[type(cell)]


def synapse_template(synapse: Synapse) -> str:
    """``model_template`` of a synapse. BMTK knows the bare names of NEST's and NEURON's models only."""
    if synapse.model in _NO_MODEL:
        return ""
    if synapse.model in _BMTK_NAMES:
        return _BMTK_NAMES[synapse.model]
    prefix, _, name = synapse.model.rpartition(":")
    if not prefix:
        return f"pynn:{name}"
    return name if prefix in ("nest", "nrn") else synapse.model


def beyond_json(parameters: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that JSON has no word for: NEST's ``V_min`` is -inf where no voltage is too low."""
    numbers = {key: plain(value) for key, value in parameters.items()}
    return {key: value for key, value in numbers.items() if isinstance(value, float) and not math.isfinite(value)}


def _json(parameters: Mapping[str, Any]) -> str:
    """The text of a file of parameters, but those that are `beyond_json`."""
    left = beyond_json(parameters)
    return json.dumps({key: plain(value) for key, value in parameters.items() if key not in left}, indent=2) + "\n"


def plain(value: Any) -> Any:
    """A parameter as JSON has it: numpy numbers, arrays and tuples become numbers and lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def component_folders(components: Mapping[str, Any]) -> dict[str, Path]:
    """Folders of the source's configuration that hold mechanisms or templates, by key."""
    found: dict[str, Path] = {}
    for key in ("mechanisms_dir", "templates_dir", "biophysical_neuron_models_dir"):
        value = components.get(key)
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        if isinstance(first, (str, Path)):
            found[key] = Path(first)
    return found


def _file_name(stated: str, path: Path) -> str:
    """The name, with its folders, under which a file is found for ``stated``: with the suffix that it leaves out."""
    pure = PurePosixPath(stated.replace("\\", "/"))
    if not _stays_below(stated):
        return path.name
    return str(pure) if pure.name == path.name else str(pure.with_name(path.name))


def _stays_below(stated: str) -> bool:
    """Whether a name leads to a place below the folder that it is looked for in."""
    pure = PurePosixPath(stated.replace("\\", "/"))
    return not pure.is_absolute() and ".." not in pure.parts


__all__ = ["ATTRIBUTES", "FOLDERS", "Components", "component_folders", "model_type", "plain", "safe_name"]
