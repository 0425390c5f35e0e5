"""Texts of the scripts that build cells with plain NEURON; words between @ are filled in."""

from __future__ import annotations

#: The script of a cable cell.
CABLE = '''\
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
#: What its class does besides where a density varies, in ``__init__``, and as a method.
PROFILES = """\
        for region, variable, value in PROFILES:
            for segment in self.segments(region):
                setattr(segment, variable, value(self.path(segment)))
"""
PATH = '''
    def path(self, segment):
        """The length of the path from where the cell begins to the middle of a compartment, um."""
        section = segment.sec
        name = next(name for name, each in self.sections.items() if each == section)
        return PATH[name] + segment.x * section.L
'''
#: The script of a cell without extent.
POINT = '''\
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
#: How its demo injects a current, and one without a dimension.
CLAMP = """\
    clamps = [h.IClamp(cell.root) for _ in STEPS]
    for clamp, step in zip(clamps, STEPS):
        clamp.delay, clamp.dur, clamp.amp = step"""
PLAYED = """\
    times = h.Vector().indgen(0, STOP, STEP)
    values = h.Vector([sum(step[2] for step in STEPS if 0 <= t - step[0] < step[1]) for t in times])
    values.play(cell.process._ref_ISyn, times)"""
#: The demo of a cell that sends events.
SPIKING = {
    "RESULT": "the times (ms) of its spikes",
    "BEFORE": "    detector, spikes = h.NetCon(cell.process, None), h.Vector()\n    detector.record(spikes)",
    "RETURN": "list(spikes)",
    "PRINT": 'times = demo()\n    print(f"{len(times)} spikes", *(f"{time:.3f}" for time in times))',
}
#: The head of the script of synapses, inputs and sources.
PROCESSES = '''\
"""Synapses, inputs and sources of spikes for NEURON, written by pynn_io: each function makes one.

Compile the mechanisms of this folder with nrnivmodl first. Parameters are in the units of the PARAMETER block of each.
"""

from neuron import h
'''
