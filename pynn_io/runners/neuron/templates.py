"""Cells that a hoc template makes (SONATA ``hoc:Name``): the one thing of a circuit that a run loads as a program.

A template is called as neurodamus calls it, ``new Name(gid, "morphology folder", "morphology file")``, and has at
least ``all`` (SONATA extension, "HOC E-Model Templates"). It loads the morphology, replaces the axon and inserts
channels by itself. Sections are numbered as its morphology has them (soma, axon, basal, apical) before the axon is
replaced; what the template adds comes after. A section that is gone has no number (neurodamus ``metype.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn_io.errors import MissingPart, RunError, SimulationFailed
from pynn_io.formats.sonata_config import resolve_path
from pynn_io.graph.morphology import LazyMorphologies
from pynn_io.graph.network import Network
from pynn_io.lowering.cables.models import CellGroup, TemplateModel
from pynn_io.report import Report
from pynn_io.runners.neuron.mechanisms import names_of
from pynn_io.runners.neuron.sites import array_and_index

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Cell, Model

#: Section arrays in the order in which their sections are numbered, and the template's own count of each where the
#: template may have replaced some since.
LAYOUT: Mapping[str, str] = {
    "soma": "nSecSoma",
    "axon": "nSecAxonalOrig",
    "dend": "nSecBasal",
    "apic": "nSecApical",
    "ais": "nSecLastAIS",
    "node": "nSecNodal",
    "myelin": "nSecMyelinated",
}
#: Formats that hoc reads, by preference (neurodamus takes ASC where there is some).
_SUFFIXES = (".asc", ".swc")
#: Mechanisms in the text of a template, and what in it is none.
_INSERTED = re.compile(r"\binsert\s+(\w+)")
_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", re.DOTALL)
#: The section whose middle is the axon initial segment (neurodamus: ``axon[1](0.5)``).
AIS = "axon[1]"


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """Where templates (``Name.hoc``), morphologies and ``.mod`` files of one population are: folders, by preference."""

    models: tuple[Path, ...] = ()
    morphologies: tuple[Path, ...] = ()
    mechanisms: tuple[Path, ...] = ()


def template_files(network: Network) -> dict[str, TemplateFiles]:
    """The folders of every population, as the circuit's configuration names them (population first, then circuit)."""
    sonata = network.extra.get("sonata", {})
    config = sonata.get("config")
    if config is None:
        return {}
    base = Path(config).parent
    common = sonata.get("components", {})
    found = {}
    for name, node in sonata.get("nodes", {}).items():
        stated = [node.get("properties", {}), common]
        alternate = [part.get("alternate_morphologies") or {} for part in stated]
        found[name] = TemplateFiles(
            _folders([part.get("biophysical_neuron_models_dir") for part in stated], base),
            _folders([*(part.get("neurolucida-asc") for part in alternate), *_plain(stated)], base),
            _folders([part.get("mechanisms_dir") for part in stated], base),
        )
    return found


def _plain(stated: list[Mapping[str, Any]]) -> list[Any]:
    return [part.get("morphologies_dir") for part in stated]


def _folders(stated: list[Any], base: Path) -> tuple[Path, ...]:
    """Those that are stated: text, a path, or a mapping with a ``path``."""
    found = []
    for entry in stated:
        value = entry.get("path") if isinstance(entry, Mapping) else entry
        if isinstance(value, str | Path):
            found.append(resolve_path(str(value), base))
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, eq=False)
class TemplateCell:
    """A built cell: the hoc object, its sections by number (None: gone), and the array and index of each number."""

    object: Any
    sections: list[Any]
    names: list[str]

    def section(self, name: str) -> Any | None:
        """The section of an array and index (``axon[1]``); None where there is none."""
        return dict(zip(self.names, self.sections, strict=True)).get(name)


def maker(model: Model, group: CellGroup, report: Report) -> Callable[[int], Cell]:
    """A function that makes the cell in one row of the group. Raises RunError naming the template and what it lacks.

    Besides number, folder and file the template gets the attributes that ``Name_NeededAttributes`` names, if hoc has
    such a text (neurodamus).
    """
    from neuron import h

    lowered, where = model.lowered, f"cells/{group.cell}"
    name = group.model.template if isinstance(group.model, TemplateModel) else ""
    files = lowered.templates.get(group.population, TemplateFiles())
    template = load_template(h, name, files, where)
    wanted = needed_attributes(h, name, group, where)
    paths: dict[int, Path | None] = {}

    def make(index: int) -> Cell:
        code = int(group.morphology[index]) if group.morphology is not None else -1
        if code not in paths:
            paths[code] = morphology_path(group, code, files, lowered.morphologies, where)
        extra = [float(group.parameters[part][index]) for part in wanted]
        number = lowered.seed_first.get(group.population, 1) + int(group.rows[index])
        made = make_cell(template, number, paths[code], extra, where)
        if hasattr(made.object, "re_init_rng"):
            made.object.re_init_rng(int(lowered.settings.seeds.get("ionchannel", 0)))
        return _cell(made, int(group.gids[index]), lowered.settings.spike_location, where)

    return make


def _cell(made: TemplateCell, gid: int, spike_location: str, where: str) -> Cell:
    """A built cell as the runner knows it. Spikes are detected at the end of the soma, as in neurodamus, or the AIS."""
    from pynn_io.runners.neuron.model import Cell

    if hasattr(made.object, "pointcell"):
        return Cell(gid, (), None, made.object.pointcell, made.object)
    soma = made.section("soma[0]")
    if soma is None:
        raise RunError("a hoc template made a cell without a soma", where=where)
    ais = made.section(AIS)
    if spike_location == "AIS" and ais is None:
        raise RunError(f"spikes are to be detected at the AIS, and a cell has no {AIS}", where=where)
    place = ais(0.5) if spike_location == "AIS" and ais is not None else soma(1)
    return Cell(gid, tuple(made.sections), soma, None, made.object, place)


def needed_attributes(h: Any, template: str, group: CellGroup, where: str) -> list[str]:
    """The attributes of cells that a template takes after the morphology. RunError where the nodes lack one."""
    wanted = [part for part in str(getattr(h, f"{template}_NeededAttributes", "")).split(";") if part]
    lacking = [part for part in wanted if part not in group.parameters]
    if lacking:
        needs = ", ".join(lacking)
        raise RunError(f"the template {template!r} needs {needs}, which the nodes do not state", where=where)
    return wanted


def morphology_path(
    group: CellGroup, code: int, files: TemplateFiles, known: Mapping[str, Any], where: str
) -> Path | None:
    """The file of one of the group's morphologies; None for cells without one."""
    name = group.morphologies[code] if code >= 0 else ""
    if not name:
        return None
    own = known.path(name) if isinstance(known, LazyMorphologies) and name in known else None
    return morphology_file(name, files, own, where)


def load_template(h: Any, name: str, files: TemplateFiles, where: str) -> Any:
    """The template of that name, loaded from its file unless NEURON has it.

    MissingPart names the places looked in, or the mechanisms that it inserts and NEURON lacks; SimulationFailed for a
    file that NEURON cannot load.
    """
    if hasattr(h, name):
        return getattr(h, name)
    for folder in files.models:
        path = folder / f"{name}.hoc"
        if path.is_file():
            h.load_file("stdlib.hoc")
            h.load_file("import3d.hoc")
            _load(h, path, where)
            if not hasattr(h, name):
                raise RunError(f"{path} does not define the template {name!r}", where=where)
            return getattr(h, name)
    places = ", ".join(str(folder) for folder in files.models) or "no folder is stated"
    raise MissingPart(
        f"the hoc template {name!r} was not found",
        where=where,
        hint=f"looked in: {places} (biophysical_neuron_models_dir of the circuit)",
    )


def _load(h: Any, path: Path, where: str) -> None:
    """A hoc file. MissingPart naming the mechanisms that it inserts and NEURON lacks, else what NEURON says of it."""
    try:
        if h.load_file(str(path)):
            return
        said = "NEURON cannot load it"
    except RuntimeError as error:
        said = str(error)
    present = names_of(h)
    inserted = _INSERTED.findall(_COMMENTS.sub("", path.read_text(errors="replace")))
    missing = sorted({name for name in inserted if name not in present})
    if missing:
        raise MissingPart(
            f"{path} inserts mechanisms that NEURON does not have: {', '.join(missing)}",
            where=where,
            hint="name the folder of their .mod files with --mechanisms DIR",
        )
    raise SimulationFailed(f"{path} cannot be loaded: {said}", where=where)


def morphology_file(name: str, files: TemplateFiles, own: Path | None, where: str) -> Path:
    """The file of a morphology that hoc can read. MissingPart where there is none."""
    plain = name.rpartition("/")[2]
    candidates = [folder / f"{plain}{suffix}" for folder in files.morphologies for suffix in _SUFFIXES]
    if own is not None and own.suffix.lower() in _SUFFIXES:
        candidates.append(own)
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise MissingPart(
            f"no morphology {plain!r} that a hoc template can load (ASC or SWC) was found",
            where=where,
            hint=f"looked for: {', '.join(map(str, candidates)) or 'nothing: no folder is stated'}",
        )
    return found


def make_cell(template: Any, gid: int, morphology: Path | None, extra: list[float], where: str) -> TemplateCell:
    """One cell. RunError with hoc's words where the template fails or has no sections."""
    arguments = [] if morphology is None else [f"{morphology.parent}", morphology.name]
    try:
        made = template(gid, *arguments, *extra)
        members = list(made.all) if hasattr(made, "all") else []
    except (RuntimeError, AttributeError) as exc:
        raise RunError(f"the hoc template failed for cell {gid}: {exc}", where=where) from exc
    return number_sections(made, members)


def number_sections(made: Any, members: list[Any]) -> TemplateCell:
    """Sections by number: arrays in the order of `LAYOUT`, each as long as the template says it was at first."""
    arrays: dict[str, dict[int, Any]] = {}
    for section in members:
        array, index = array_and_index(section)
        arrays.setdefault(array, {})[index] = section
    sections: list[Any] = []
    names: list[str] = []
    for array in [*LAYOUT, *(name for name in arrays if name not in LAYOUT)]:
        own = arrays.get(array, {})
        there = max(own, default=-1) + 1
        stated = getattr(made, LAYOUT.get(array, ""), None) if array in LAYOUT else None
        count = there if stated is None else int(stated)
        sections += [own.pop(index, None) for index in range(count)]
        names += [f"{array}[{index}]" for index in range(count)]
    for array, own in arrays.items():  # what the template made beyond the sections of its morphology
        sections += own.values()
        names += [f"{array}[{index}]" for index in own]
    return TemplateCell(made, sections, names)
