"""Python scripts that build cells with plain NEURON: tables of numbers, and the few lines that read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pynn_io.errors import UnsupportedInput
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

_CABLE = '''\
"""The cell @NAME@ for NEURON, written by pynn_io.

Compile the mechanisms of this folder once, then run the demo, which injects steps of current:

    nrnivmodl
    python @FILE@
"""

@MATH@from neuron import h

h.load_file("stdrun.hoc")

CELSIUS = @CELSIUS@
#: What the demo injects: from (ms), for how long (ms), how much (@UNIT@).
STEPS = [@STEPS@]
#: How long it runs, and in which steps (ms).
STOP, STEP = @STOP@, @STEP@
#: mV, of a spike.
THRESHOLD = @THRESHOLD@
#: Where the cell begins: the section, and the place along it.
ROOT = @ROOT@

#: Section: what it begins on, where along that, and its number of compartments.
SECTIONS = {
@SECTIONS@
}

#: 3-D points of each section: x, y, z and diameter, um.
POINTS = {
@POINTS@
}

#: Region: its sections, and which of their compartments (None: all).
REGIONS = {
@REGIONS@
}

#: What is on the membrane: region, mechanism, and parameters in the units of its PARAMETER block.
MEMBRANE = [
@MEMBRANE@
]

#: Capacitance (cm, uF/cm2), axial resistivity (Ra, ohm cm) and potential at the start (v, mV).
PROPERTIES = [
@PROPERTIES@
]
@PROFILES@

class Cell:
    """Its ``sections`` by name; ``root`` is the segment where it begins."""

    def __init__(self):
        self.sections = {name: h.Section(name=name, cell=self) for name in SECTIONS}
        for name, section in self.sections.items():
            for point in POINTS[name]:
                section.pt3dadd(*point)
            section.nseg = SECTIONS[name][2]
        for name, (parent, at, _) in SECTIONS.items():
            if parent is not None:
                self.sections[name].connect(self.sections[parent](at))
        for region, mechanism, parameters in MEMBRANE:
            self.insert(region, mechanism, parameters)
@VARY@        for region, variable, value in PROPERTIES:
            if variable != "v":
                for segment in self.segments(region):
                    setattr(segment.sec if variable == "Ra" else segment, variable, value)
        name, place = ROOT
        self.root = self.sections[name](place)
        self.handler = h.FInitializeHandler(0, self.start)

    def __repr__(self):
        return "@NAME@"

    def segments(self, region):
        """The compartments of a region, as NEURON's segments."""
        for name, chosen in REGIONS[region].items():
            for number, segment in enumerate(self.sections[name]):
                if chosen is None or number in chosen:
                    yield segment

    def insert(self, region, mechanism, parameters):
        """Insert a mechanism; the part of a section that is not in the region gets none of the channels."""
        for name, chosen in REGIONS[region].items():
            section = self.sections[name]
            new = not section.has_membrane(mechanism)
            section.insert(mechanism)
            for number, segment in enumerate(section):
                inside = chosen is None or number in chosen
                for parameter, value in parameters.items() if inside or new else ():
                    amount = parameter in @AMOUNTS@
                    setattr(segment, f"{parameter}_{mechanism}", 0 if amount and not inside else value)
@VARY_METHOD@
    def start(self):
        """Set the potentials that the cell starts from, before mechanisms look at them."""
        for region, variable, value in PROPERTIES:
            if variable == "v":
                for segment in self.segments(region):
                    segment.v = value


def demo():
    """Inject steps of current where the cell begins. Gives the times (ms) of its spikes there."""
    cell = Cell()
    clamps = [h.IClamp(cell.root) for _ in STEPS]
    for clamp, step in zip(clamps, STEPS):
        clamp.delay, clamp.dur, clamp.amp = step
    detector = h.NetCon(cell.root._ref_v, None, sec=cell.root.sec)
    detector.threshold = THRESHOLD
    spikes = h.Vector()
    detector.record(spikes)
    h.celsius, h.dt, h.steps_per_ms = CELSIUS, STEP, 1 / STEP
    h.finitialize(-65)
    h.continuerun(STOP)
    return list(spikes)


if __name__ == "__main__":
    times = demo()
    print(f"{len(times)} spikes", *(f"{time:.3f}" for time in times))
'''
_VARY = """\
        for region, variable, value in PROFILES:
            for segment in self.segments(region):
                setattr(segment, variable, value(self.path(segment)))
"""
_VARY_METHOD = '''
    def path(self, segment):
        """The length of the path from where the cell begins to the middle of a compartment, um."""
        section = segment.sec
        name = next(name for name, each in self.sections.items() if each == section)
        return PATH[name] + segment.x * section.L
'''


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
        "VARY": _VARY if profiles else "",
        "VARY_METHOD": _VARY_METHOD if profiles else "",
    }
    return _filled(_CABLE, pieces)


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

_POINT = '''\
"""The cell @NAME@ (@TYPE@) for NEURON, written by pynn_io.

Compile the mechanisms of this folder once, then run the demo, which injects steps of current:

    nrnivmodl
    python @FILE@
"""

from math import pi

from neuron import h

h.load_file("stdrun.hoc")

CELSIUS = @CELSIUS@
#: What the demo injects: from (ms), for how long (ms), how much (@UNIT@).
STEPS = [@STEPS@]
#: How long it runs, and in which steps (ms).
STOP, STEP = @STOP@, @STEP@
#: In the units of the PARAMETER block of @MECHANISM@.mod.
PARAMETERS = {
@PARAMETERS@
}
#: mV, of the cell at the start.
START = @START@


class Cell:
    """A point process that is the cell, in a section that has @WHAT@."""

    def __init__(self):
        self.section = h.Section(name="@NAME@", cell=self)
        self.section.L = self.section.diam = @SIZE@  # 1e5 um2: cm in uF/cm2 is the capacitance in nF
        self.section.cm = PARAMETERS["capacitance"]
        self.root = self.section(0.5)
        self.process = h.@MECHANISM@(self.root)
        for name, value in PARAMETERS.items():
            setattr(self.process, name, value)
        self.handler = h.FInitializeHandler(0, self.start)

    def __repr__(self):
        return "@NAME@"

    def start(self):
        """Set the potential that the cell starts from."""
        self.root.v = START


def demo():
    """Inject steps of current into the cell. Gives @RESULT@."""
    cell = Cell()
@INJECT@
@BEFORE@
    h.celsius, h.dt, h.steps_per_ms = CELSIUS, STEP, 1 / STEP
    h.finitialize(START)
    h.continuerun(STOP)
    return @RETURN@


if __name__ == "__main__":
    @PRINT@
'''
_CLAMP = """\
    clamps = [h.IClamp(cell.root) for _ in STEPS]
    for clamp, step in zip(clamps, STEPS):
        clamp.delay, clamp.dur, clamp.amp = step"""
_PLAYED = """\
    times = h.Vector().indgen(0, STOP, STEP)
    values = h.Vector([sum(step[2] for step in STEPS if 0 <= t - step[0] < step[1]) for t in times])
    values.play(cell.process._ref_ISyn, times)"""
_SPIKING = {
    "RESULT": "the times (ms) of its spikes",
    "BEFORE": "    detector, spikes = h.NetCon(cell.process, None), h.Vector()\n    detector.record(spikes)",
    "RETURN": "list(spikes)",
    "PRINT": 'times = demo()\n    print(f"{len(times)} spikes", *(f"{time:.3f}" for time in times))',
}


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
    begun = starting_values(system, {}).get("v") if membrane else _START
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
        "INJECT": _PLAYED if drive else _CLAMP,
        **(_SPIKING if "net_event" in mechanism.text else _silent(mechanism)),
    }
    return _filled(_POINT, pieces)


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

_PROCESSES = '''\
"""Synapses, inputs and sources of spikes for NEURON, written by pynn_io: each function makes one.

Compile the mechanisms of this folder with nrnivmodl first. Parameters are in the units of the PARAMETER block of each.
"""

from neuron import h
'''
_ABOUT = {
    "synapse": "a synapse; the weight of a NetCon is NeuroML's, a factor",
    "input": "an input, a current into the cell",
    "source": "a source of spikes for NetCons",
}


def processes_script(processes: Iterable[Process], names: Mapping[str, str], functions: Mapping[str, str]) -> str:
    """One function for each. names: mechanism -> what its file calls it. functions: name -> that of its function."""
    return _PROCESSES + "".join(
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
