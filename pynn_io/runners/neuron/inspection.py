"""What hoc templates build, asked of NEURON: each kind of cell once, and nothing simulated.

The four steps of a runner, so that `pynn_io.runners.worker` starts it as it starts a run; what it collects is an
`Inventory` of plain numbers.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import RunError
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.lowering import parts
from pynn_io.lowering.built_cells import PASSIVE, BuiltCell, BuiltRows, Inventory, tags
from pynn_io.lowering.cables.decor import morphologies
from pynn_io.lowering.cables.models import CellGroup, TemplateModel
from pynn_io.lowering.segment_shape import Geometry
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.cells import lower_part
from pynn_io.runners.neuron.lower import mechanism_folders
from pynn_io.runners.neuron.mechanisms import GLOBAL, PARAMETER, arrays, declared, load_folders, names_of
from pynn_io.runners.neuron.obi_synapses import seed_gids
from pynn_io.runners.neuron.sites import array_and_index
from pynn_io.runners.neuron.start import interpreter
from pynn_io.runners.neuron.templates import (
    TemplateCell,
    TemplateFiles,
    load_template,
    make_cell,
    morphology_path,
    needed_attributes,
    template_files,
)
from pynn_io.simulation_plan import SimulationPlan

#: Section lists that templates have beside ``all``.
_LISTS = ("somatic", "basal", "apical", "axonal", "myelinated", "nodal", "ais")
#: Bits of ``ion_style``: the reversal potential is worked out from concentrations at the start, and at every step; the
#: concentrations at the start are those of the global variables (``cai0_ca_ion``).
_AT_START, _ALWAYS, _GLOBAL_START = 32, 64, 4
#: Those that say what mechanisms do with concentrations: 0 is nothing.
_CONCENTRATION = 3
#: Where in it is who sets the reversal potential, and the one who is a mechanism.
_SETTER, _MECHANISM = 8, 3
#: The ion whose potential follows its concentrations in NeuroML.
_CALCIUM = "ca"
#: The other end of a section on its parent: NEURON's ``orientation``.
_REVERSED = 1


@dataclass(frozen=True, slots=True, eq=False)
class LoweredTemplates:
    """Cells of templates by population and definition, and where their parts are. celsius: None where not stated."""

    groups: tuple[CellGroup, ...]
    files: Mapping[str, TemplateFiles]
    folders: tuple[Path, ...]
    morphologies: Mapping[str, Morphology]
    seed_first: Mapping[str, int]
    celsius: float | None


class TemplateInspector:
    """A runner that builds one cell of each kind and collects what they consist of."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> LoweredTemplates:
        """The cells of all templates with extent, simulated or not. Imports no NEURON."""
        found = []
        for population in network.populations.values():
            for part in parts(population, network):
                model, own = lower_part(part, Report()) if isinstance(part.cell, CableCell) else (None, {})
                if isinstance(model, TemplateModel):
                    codes, names = morphologies(population, part)
                    at = (population.name, part.cell_name, model, part.rows, part.rows)
                    found.append(CellGroup(*at, codes, names, own))
        return LoweredTemplates(
            tuple(found),
            template_files(network),
            mechanism_folders(network),
            network.morphologies,
            seed_gids(network),
            plan.celsius,
        )

    def build(self, lowered: LoweredTemplates, profile: Profile, report: Report, progress: Progress) -> Inventory:
        """Load mechanisms and templates, and build.

        Raises BackendUnavailable, MissingPart, RunError, SimulationFailed.
        """
        h = interpreter()
        stated = [*profile.mechanisms, *lowered.folders]
        load_folders(stated, report, progress)
        if lowered.celsius is not None:
            h.celsius = lowered.celsius
        shelf = _Shelf(h, lowered, report)
        made = []
        for number, group in enumerate(lowered.groups):
            progress("building cells", number, len(lowered.groups))
            made.append(shelf.group(group))
        own = Path(h.neuronhome()).parent / "modfile"
        folders = [place for folder in stated for place in (folder, folder / "modfiles") if place.is_dir()]
        folders += [own] if own.is_dir() else []
        return Inventory(tuple(shelf.cells), tuple(shelf.names), tuple(made), tuple(dict.fromkeys(folders)))

    def run(self, model: Inventory, progress: Progress) -> None:
        """Nothing is simulated."""

    def collect(self, model: Inventory, lowered: LoweredTemplates) -> Inventory:
        return model


class _Shelf:
    """Cells that are different, in the order in which they were built, under names of their own."""

    def __init__(self, h: Any, lowered: LoweredTemplates, report: Report) -> None:
        self._h, self._lowered, self._report = h, lowered, report
        self._before = _globals(h)
        self._known: dict[tuple[str, bytes], int] = {}
        self.cells: list[BuiltCell] = []
        self.names: list[str] = []

    def group(self, group: CellGroup) -> BuiltRows:
        """A cell for every morphology and every set of attributes that the template takes."""
        name = group.model.template if isinstance(group.model, TemplateModel) else ""
        where = f"cells/{group.cell}"
        files = self._lowered.files.get(group.population, TemplateFiles())
        template = load_template(self._h, name, files, where)
        wanted = needed_attributes(self._h, name, group, where)
        codes = np.full(len(group.rows), -1) if group.morphology is None else group.morphology
        kinds = np.column_stack([codes, *(group.parameters[each] for each in wanted)])
        _, first, inverse = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
        found = np.empty(len(first), dtype=np.int64)
        for kind, index in enumerate(first.tolist()):
            code = int(codes[index])
            path = morphology_path(group, code, files, self._lowered.morphologies, where)
            gid = self._lowered.seed_first.get(group.population, 1) + int(group.rows[index])
            extra = [float(group.parameters[each][index]) for each in wanted]
            made = describe(self._h, make_cell(template, gid, path, extra, where), self._before, where, self._report)
            found[kind] = self._put(made, "_".join([group.cell, *([path.stem] if path is not None else [])]))
        return BuiltRows(group.population, group.rows, found[inverse.reshape(-1)])

    def _put(self, made: BuiltCell, name: str) -> int:
        key = (name, hashlib.sha256(pickle.dumps(made)).digest())
        if key not in self._known:
            self._known[key] = len(self.cells)
            taken = sum(each == name or each.startswith(f"{name}__") for each in self.names)
            self.names.append(f"{name}__{taken + 1}" if taken else name)
            self.cells.append(made)
        return self._known[key]


def _globals(h: Any) -> dict[str, dict[str, float]]:
    """GLOBAL variables of every density mechanism, by mechanism and name, but NMODL's own switch of its tables."""
    found = {name: dict(declared(name, GLOBAL)) for name in names_of(h).density if not name.endswith("_ion")}
    return {
        name: {key: each for key, each in values.items() if key != f"usetable_{name}"} for name, values in found.items()
    }


def describe(
    h: Any, made: TemplateCell, before: Mapping[str, Mapping[str, float]], where: str, report: Report
) -> BuiltCell:
    """A built cell in numbers. before: GLOBAL variables before any template was loaded."""
    sections = _parents_first(made, where)
    row = {section: number for number, section in enumerate(sections)}
    segments = [segment for section in sections for segment in section]
    names = tuple("{}[{}]".format(*array_and_index(section)) for section in sections)
    lists = dict(_lists(made.object, row))
    mechanisms = _mechanisms(segments)
    changed = _globals(h)
    _say_placed(segments, where, report)
    _say_arrays(mechanisms, where, report)
    concentrations = _concentrations(h, sections)
    return BuiltCell(
        _geometry(sections, row, names, lists),
        np.array([-1 if section is None else row[section] for section in made.sections], dtype=np.int64),
        lists,
        np.array([section.nseg for section in sections], dtype=np.int64),
        np.array([section.Ra for section in sections], dtype=np.float64),
        np.array([segment.diam for segment in segments], dtype=np.float64),
        np.array([segment.cm for segment in segments], dtype=np.float64),
        mechanisms,
        {
            name: _parameters(name, here, segments, before.get(name, {}), changed.get(name, {}))
            for name, here in mechanisms.items()
        },
        *_potentials(h, sections, concentrations, where, report),
        {ion: both for ion, both in concentrations.items() if not np.isnan(both).all()},
    )


def _parents_first(made: TemplateCell, where: str) -> list[Any]:
    """The sections in their numbers' order, but each after its parent. RunError for what is no tree of NeuroML's."""
    waiting = [section for section in made.sections if section is not None]
    members = set(waiting)
    placed: dict[Any, None] = {}
    while waiting:
        before = len(placed)
        for section in waiting:
            above = section.parentseg()
            if above is None or above.sec in placed:
                placed[section] = None
            elif above.sec not in members:
                raise RunError(f"{section.name()} begins on {above.sec.name()}, which is not in `all`", where=where)
            if above is not None and section.orientation() == _REVERSED:
                raise RunError(f"{section.name()} is connected by its end 1, which is not read", where=where)
        waiting = [section for section in waiting if section not in placed]
        if len(placed) == before:
            raise RunError(f"the sections of {waiting[0].name()} are connected in a circle", where=where)
    if not placed:
        raise RunError("the hoc template made a cell without sections", where=where)
    return list(placed)


def _lists(made: Any, row: Mapping[Any, int]) -> Iterator[tuple[str, np.ndarray]]:
    """The template's section lists that have members."""
    for name in _LISTS:
        if hasattr(made, name):
            members = getattr(made, name)
            rows = sorted(row[section] for section in members if section in row) if hasattr(members, "append") else []
            if rows:
                yield name, np.array(rows, dtype=np.int64)


def _geometry(
    sections: list[Any], row: Mapping[Any, int], names: tuple[str, ...], lists: Mapping[str, np.ndarray]
) -> Geometry:
    above = [section.parentseg() for section in sections]
    points = [
        (section.x3d(number), section.y3d(number), section.z3d(number), section.diam3d(number))
        for section in sections
        for number in range(section.n3d())
    ]
    count = [section.n3d() for section in sections]
    return Geometry(
        "template",
        names,
        tags(names, lists),
        np.array([-1 if segment is None else row[segment.sec] for segment in above], dtype=np.int64),
        np.array([0.0 if segment is None else segment.x for segment in above], dtype=np.float64),
        np.array(points, dtype=np.float64).reshape(-1, 4),
        np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        np.array([section.L for section in sections], dtype=np.float64),
        np.full(len(sections), np.nan),
    )


def _mechanisms(segments: list[Any]) -> dict[str, np.ndarray]:
    """Where each density mechanism is, by name."""
    found: dict[str, np.ndarray] = {}
    for number, segment in enumerate(segments):
        for mechanism in segment:
            if not mechanism.is_ion():
                found.setdefault(mechanism.name(), np.zeros(len(segments), dtype=bool))[number] = True
    return found


def _parameters(
    mechanism: str,
    here: np.ndarray,
    segments: list[Any],
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> dict[str, np.ndarray]:
    """Parameters that differ from the mechanism's defaults anywhere, under their names in the mechanism's file."""
    suffix = f"_{mechanism}"
    found = {}
    rows = np.flatnonzero(here).tolist()
    for full, default in declared(mechanism, PARAMETER):
        values = np.full(len(segments), np.nan)
        values[rows] = [getattr(segments[number], full) for number in rows]
        if mechanism == PASSIVE or (values[rows] != default).any():
            found[full.removesuffix(suffix)] = values
    for full, value in after.items():
        if value != before.get(full, value):
            found[full.removesuffix(suffix)] = np.where(here, value, np.nan)
    return found


def _concentrations(h: Any, sections: list[Any]) -> dict[str, np.ndarray]:
    """Concentrations inside and outside at the start, by ion, float64[c, 2], mM; NaN where no mechanism uses them."""
    total = sum(section.nseg for section in sections)
    found: dict[str, np.ndarray] = {}
    for number, section in _numbered(sections):
        for ion, style in _ions(h, section):
            values = found.setdefault(ion, np.full((total, 2), np.nan))
            if style & _GLOBAL_START:
                values[number : number + section.nseg] = [getattr(h, f"{ion}{side}0_{ion}_ion") for side in "io"]
            elif style & _CONCENTRATION:
                own = [[getattr(segment, f"{ion}{side}") for side in "io"] for segment in section]
                values[number : number + section.nseg] = own
    return found


def _potentials(
    h: Any, sections: list[Any], concentrations: Mapping[str, np.ndarray], where: str, report: Report
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Reversal potentials of ions that stay (mV), and where that of calcium moves with its concentrations."""
    total = sum(section.nseg for section in sections)
    stay: dict[str, np.ndarray] = {}
    moving: dict[str, np.ndarray] = {}
    changing = set()
    for number, section in _numbered(sections):
        own = slice(number, number + section.nseg)
        for ion, style in _ions(h, section):
            if style & _ALWAYS and ion == _CALCIUM:
                moving.setdefault(ion, np.zeros(total, dtype=bool))[own] = True
                continue
            if style & _ALWAYS or style // _SETTER % 4 == _MECHANISM:
                changing.add(ion)
            values = [getattr(segment, f"e{ion}") for segment in section]
            if style & _AT_START:
                charge = h.ion_charge(f"{ion}_ion")
                values = [h.nernst(*sides, charge) for sides in concentrations[ion][own].tolist()]
            stay.setdefault(ion, np.full(total, np.nan))[own] = values
    message = "The reversal potential of these ions changes in NEURON; that of the start is kept."
    report.approximated("reversal-potential", where, message, count=len(changing), examples=sorted(changing))
    return stay, moving


def _numbered(sections: list[Any]) -> Iterator[tuple[int, Any]]:
    """Every section with the number of its first compartment."""
    number = 0
    for section in sections:
        yield number, section
        number += section.nseg


def _ions(h: Any, section: Any) -> Iterator[tuple[str, int]]:
    """The ions of a section, and what NEURON's ``ion_style`` says of each."""
    for name in [mechanism.name() for mechanism in section(0.5) if mechanism.is_ion()]:
        yield name.removesuffix("_ion"), int(h.ion_style(name, sec=section))


def _say_placed(segments: list[Any], where: str, report: Report) -> None:
    """Point processes that the template put on its cell: electrodes, synapses of its own."""
    placed = [process.hname().partition("[")[0] for segment in segments for process in segment.point_processes()]
    message = "The template puts point processes on its cell; they are left out."
    report.lost("placed-item", where, message, count=len(placed), examples=sorted(set(placed)))


def _say_arrays(mechanisms: Iterable[str], where: str, report: Report) -> None:
    """Parameters of several numbers, which have no place in a cell of the graph."""
    found = [name for mechanism in mechanisms for name in arrays(mechanism)]
    message = "Parameters that are arrays keep the values of the mechanism's file."
    report.not_read("mechanism-parameter", where, message, count=len(found), examples=found)
