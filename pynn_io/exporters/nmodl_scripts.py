"""Python scripts that build cells with plain NEURON: tables of numbers, and the few lines that read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.exporters import nmodl_templates as templates
from pynn_io.graph.dynamics import Component
from pynn_io.graph.expressions import PYTHON, render
from pynn_io.graph.morphology import Morphology
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.membrane import AMOUNTS, Mechanisms, SegmentModel
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.segment_shape import SegmentShape

#: Length and diameter of a section of 1e5 um2, whose ``cm`` (uF/cm2) is its capacitance in nF.
_UNIT_SIZE = "(1e5 / pi) ** 0.5"
#: Parameters that belong to where a mechanism is and not to what it is: scripts always state them.
STATED = AMOUNTS | {"erev", "vShift", "initialConcentration", "initialExtConcentration"}
_ALL = "all"
#: So many numbers stand in one line of a table.
_FEW = 4
#: mV, of a section whose potential nothing depends on.
_START = -65.0
#: A variable that takes currents without a dimension.
_DRIVE = "ISyn"


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo injects: steps of current from (ms), for (ms), amplitude (nA). stop, step: of the run, ms."""

    steps: tuple[tuple[float, float, float], ...] = ((50.0, 200.0, 0.1),)
    stop: float = 300.0
    step: float = 0.025


@dataclass(frozen=True, slots=True)
class Process:
    """A synapse, an input or a source of spikes (``kind``)."""

    name: str
    kind: str
    type: str
    mechanism: Mechanism


# --- cable cells --------------------------------------------------------------------------------------------------


def cable_script(
    name: str,
    model: SegmentModel,
    shape: SegmentShape,
    morphology: Morphology,
    names: Mapping[str, str],
    defaults: Mapping[str, Mapping[str, float]],
    celsius: float,
    demo: Demo,
    file: str,
) -> str:
    """The script of a cable cell.

    names: mechanism -> what its file calls it. defaults: mechanism -> numbers that its file states. file: the script's
    own name.
    """
    tables = _Tables(model, shape, morphology, names, defaults)
    root, at = (each[0] for each in shape.place(np.array([0]), np.array([0.5])))
    profiles = list(tables.profiles())
    membrane, properties = list(tables.membrane()), list(tables.properties())  # they name the regions
    pieces = {
        **_demo(demo),
        "NAME": _plain(name),
        "FILE": file,
        "MATH": tables.mathematics(),
        "CELSIUS": number_text(celsius),
        "THRESHOLD": number_text(0.0 if model.threshold is None else model.threshold),
        "ROOT": f"({shape.geometry.names[int(root)]!r}, {number_text(float(at))})",
        "SECTIONS": _lines(tables.sections()),
        "POINTS": _lines(tables.points()),
        "REGIONS": _lines(tables.region_lines()),
        "MEMBRANE": _lines(membrane),
        "PROPERTIES": _lines(properties),
        "PROFILES": _lines(_profile_tables(profiles, tables)) + "\n" if profiles else "",
        "AMOUNTS": repr(tuple(sorted(AMOUNTS))),
        "VARY": templates.PROFILES if profiles else "",
        "VARY_METHOD": templates.PATH if profiles else "",
    }
    return _filled(templates.CABLE, pieces)


def _profile_tables(profiles: list[str], tables: _Tables) -> Iterator[str]:
    yield ""
    yield "#: What varies along the cell: region, variable, and its value at a path length (um) from the beginning."
    yield "PROFILES = ["
    yield from profiles
    yield "]"
    yield ""
    yield "#: Length of the path to where each section begins, um."
    yield "PATH = {"
    yield from tables.paths()
    yield "}"


@dataclass(slots=True)
class _Tables:
    """The lines of the tables of a cable cell; regions get their names when first spoken of."""

    model: SegmentModel
    shape: SegmentShape
    morphology: Morphology
    names: Mapping[str, str]
    defaults: Mapping[str, Mapping[str, float]]
    regions: dict[str, np.ndarray] = field(default_factory=dict)
    centres: list[np.ndarray] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.centres = [self.shape.rows_at(number) for number in range(self.shape.geometry.size)]

    def sections(self) -> Iterator[str]:
        geometry = self.shape.geometry
        for number, name in enumerate(geometry.names):
            parent = int(geometry.parent[number])
            above = repr(geometry.names[parent]) if parent >= 0 else "None"
            yield f"    {name!r}: ({above}, {number_text(geometry.at[number])}, {int(self.shape.count[number])}),"

    def points(self) -> Iterator[str]:
        geometry = self.shape.geometry
        for number, name in enumerate(geometry.names):
            yield f"    {name!r}: ["
            for point in geometry.points[geometry.offsets[number] : geometry.offsets[number + 1]].tolist():
                yield f"        ({', '.join(number_text(each) for each in point)}),"
            yield "    ],"

    def paths(self) -> Iterator[str]:
        for name, start in zip(self.shape.geometry.names, self.shape.start.tolist(), strict=True):
            yield f"    {name!r}: {number_text(start)},"

    def membrane(self) -> Iterator[str]:
        for spread in self.model.spreads:
            told = f"{spread.name}: {spread.definition}" if spread.name != spread.definition else spread.name
            yield f"    # {_plain(told)}"
            known = self.defaults.get(spread.mechanism, {})
            own = {name: value for name, value in spread.parameters.items() if known.get(name) != value}
            numbers = [f"{name!r}: {number_text(value)}" for name, value in own.items()]
            place = f"    ({self.region(spread.rows)!r}, {self.names[spread.mechanism]!r}, {{"
            if len(numbers) <= _FEW:
                yield f"{place}{', '.join(numbers)}}}),"
            else:
                yield from (place, *(f"        {number}," for number in numbers), "    }),")

    def properties(self) -> Iterator[str]:
        for variable, rows, value in self.model.values:
            yield f"    ({self.region(rows)!r}, {variable!r}, {number_text(value)}),"

    def profiles(self) -> Iterator[str]:
        for spread in self.model.spreads:
            for each in spread.varying:
                path = f"(p - {number_text(each.start)})" if each.start else "p"
                path = f"({path} / {number_text(each.scale)})" if each.scale != 1 else path
                language = replace(PYTHON, name=partial(_put, each.variable, path))
                value = render(each.value, language)
                self.functions |= {word for word in re.findall(r"(\w+)\(", value) if hasattr(math, word)}
                variable = f"{each.parameter}_{self.names[spread.mechanism]}"
                factor = f"{number_text(each.factor)} * "
                yield f"    ({self.region(each.rows)!r}, {variable!r}, lambda p: {factor}({value})),"

    def mathematics(self) -> str:
        return f"from math import {', '.join(sorted(self.functions))}\n\n" if self.functions else ""

    def region(self, rows: np.ndarray) -> str:
        """The name of a set of segments: its group's, else a number of its own."""
        rows = np.unique(rows)
        known = next((name for name, own in self.regions.items() if np.array_equal(own, rows)), "")
        if not known:
            groups = (name for name, own in self.morphology.groups.items() if np.array_equal(own, rows))
            known = _ALL if len(rows) == self.morphology.size else next(groups, f"region {len(self.regions) + 1}")
            self.regions[known] = rows
        return known

    def region_lines(self) -> Iterator[str]:
        for name, rows in self.regions.items():
            if len(rows) == self.morphology.size:
                yield f"    {name!r}: dict.fromkeys(SECTIONS),"
                continue
            yield f"    {name!r}: {{"
            for section, own in zip(self.shape.geometry.names, self.centres, strict=True):
                here = np.isin(own, rows)
                if here.any():
                    chosen = "None" if here.all() else repr(tuple(np.flatnonzero(here).tolist()))
                    yield f"        {section!r}: {chosen},"
            yield "    },"


# --- cells without extent -----------------------------------------------------------------------------------------


def point_script(
    name: str,
    component: Component,
    mechanism: Mechanism,
    called: str,
    mechanisms: Mechanisms,
    celsius: float,
    demo: Demo,
    file: str,
) -> str:
    """The script of a cell without extent. called: the name of its mechanism's file."""
    system = flatten(component, mechanisms.types, mechanisms.named)
    membrane = "v" in system.states
    begun = starting_values(system, {}).get("v", None if membrane else _START)
    if begun is None:
        raise UnsupportedInput("the potential at the start depends on more than parameters")
    drive = _DRIVE if _DRIVE in mechanism.text else ""
    pieces = {
        **_demo(demo),
        "NAME": _plain(name),
        "FILE": file,
        "TYPE": component.type,
        "CELSIUS": number_text(celsius),
        "MECHANISM": called,
        "PARAMETERS": _lines(f"    {key!r}: {number_text(value)}," for key, value in mechanism.parameters.items()),
        "START": number_text(float(begun)),
        "SIZE": _UNIT_SIZE,
        "WHAT": "its capacitance and its potential" if membrane else "no part in what it computes",
        "UNIT": "without a dimension" if drive else "nA",
        "INJECT": templates.PLAYED if drive else templates.CLAMP,
        **(templates.SPIKING if "net_event" in mechanism.text else _silent(mechanism)),
    }
    return _filled(templates.POINT, pieces)


def _silent(mechanism: Mechanism) -> dict[str, str]:
    """The demo of a cell that sends no events: where its variables are in the end."""
    shown = [own for own, _ in mechanism.records.values()]
    return {
        "RESULT": "its variables at the end",
        "BEFORE": f"    names = {shown!r}",
        "RETURN": "{name: getattr(cell.process, name) for name in names}",
        "PRINT": 'for name, value in demo().items():\n        print(f"{name} = {value:g}")',
    }


# --- synapses, inputs, sources ------------------------------------------------------------------------------------

_ABOUT = {
    "synapse": "a synapse; the weight of a NetCon is NeuroML's, a factor",
    "input": "an input, a current into the cell",
    "source": "a source of spikes for NetCons",
}


def processes_script(processes: Iterable[Process], names: Mapping[str, str], functions: Mapping[str, str]) -> str:
    """One function for each. names: mechanism -> what its file calls it. functions: name -> that of its function."""
    return templates.PROCESSES + "".join(
        f"\n\n{text}" for text in (_function(each, names, functions[each.name]) for each in processes)
    )


def _function(process: Process, names: Mapping[str, str], function: str) -> str:
    made = process.mechanism
    artificial = process.kind == "source"
    arguments = ([] if artificial else ["segment"]) + (["ids=(1, 0, 0)"] if made.random else [])
    lines = [f"def {function}({', '.join(arguments)}):"]
    lines.append(f'    """{process.type}: {_ABOUT[process.kind]}."""')
    lines.append(f"    made = h.{names[made.name]}({'' if artificial else 'segment'})")
    lines += [f"    made.{name} = {number_text(value)}" for name, value in made.parameters.items()]
    if made.random:
        lines.append("    made.rng.set_ids(*ids)  # one stream of random numbers for each")
    return "\n".join([*lines, "    return made", ""])


# --- text ---------------------------------------------------------------------------------------------------------


def _put(variable: str, value: str, name: str) -> str:
    return value if name == variable else name


def _filled(template: str, pieces: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda found: pieces[found[1]], template)


def _demo(demo: Demo) -> dict[str, str]:
    steps = ", ".join(f"({', '.join(map(number_text, step))})" for step in demo.steps)
    return {"STEPS": steps, "STOP": number_text(demo.stop), "STEP": number_text(demo.step), "UNIT": "nA"}


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def number_text(value: float) -> str:
    """The shortest text of a number that has been through a change of units: 0.12, not 0.12000000000000001."""
    return repr(float(f"{float(value):.15g}"))


def _plain(text: str) -> str:
    """A text that ends neither a line nor a string."""
    return re.sub(r'["\\\x00-\x1f]', "_", text)
