"""The cells of a network for plain NEURON: mechanisms as NMODL, and a Python script for each cell.

Written are ``NAME.mod`` files that ``nrnivmodl`` compiles, ``cell_NAME.py`` for every cell that is NeuroML's or PyNN's,
and ``point_processes.py`` with synapses, inputs and sources of spikes. Numbers stand in the scripts, so that
definitions that differ in numbers alone share a mechanism. Populations and connections have no place there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from keyword import iskeyword
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import GraphError, UnsupportedInput, WriteError
from pynn_io.exporters.nmodl_scripts import (
    STATED,
    Demo,
    Process,
    cable_script,
    number_text,
    point_script,
    processes_script,
)
from pynn_io.formats.new_file import writing
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses
from pynn_io.lowering import nmodl
from pynn_io.lowering.membrane import AMOUNTS, Mechanisms, SegmentModel, segment_model
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.segment_shape import SegmentShape, segment_shape
from pynn_io.lowering.surroundings import celsius_at_start
from pynn_io.lowering.types import as_component
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

_SCHEME = "neuroml:"
#: NEURON's own temperature, degC, where nobody states one.
_CELSIUS = 6.3
_DIMENSIONLESS = "DL"
PROCESSES = "point_processes.py"
Made = TypeVar("Made")


def write(document: Document, dest: Path, report: Report, *, progress: Progress = quiet, **options: Any) -> None:
    """Write mechanisms and scripts into the folder ``dest``. Raises WriteError if there is nothing to write."""
    plan = document.plan
    made = _Folder(document.network, plan, report)
    made.collect(progress)
    files = dict(made.files())
    if not files:
        hint = "NMODL is written for cells, channels, synapses and inputs of NeuroML and LEMS"
        raise WriteError("there is nothing to write as NMODL", where=dest, hint=hint)
    for name, text in files.items():
        with writing(dest / name):
            dest.mkdir(parents=True, exist_ok=True)
            (dest / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _User:
    """A definition whose equations a mechanism has. kind: density, population, pool, cell, synapse, input or source."""

    definition: str
    kind: str
    parameters: Mapping[str, float]


@dataclass(slots=True)
class _Folder:
    """What is going to be written. users: mechanism -> definitions that it serves, each with its kind and
    the numbers that are the definition's own."""

    network: Network
    plan: SimulationPlan | None
    report: Report
    mechanisms: Mechanisms = field(init=False)
    users: dict[str, list[_User]] = field(default_factory=dict)
    cables: dict[str, tuple[SegmentModel, SegmentShape]] = field(default_factory=dict)
    points: dict[str, tuple[Component, Mechanism]] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mechanisms = Mechanisms(self.network)

    # --- collecting -------------------------------------------------------------------------------------------------

    def collect(self, progress: Progress) -> None:
        for done, (name, cell) in enumerate(self.network.cells.items(), 1):
            self._cell(name, cell)
            progress("cells", done, len(self.network.cells))
        self._channels()
        for name, synapse in self.network.synapses.items():
            if synapse.model.startswith(_SCHEME):
                self._process(name, "synapse", as_component(name, synapse), nmodl.synapse)
        for stimulus in self.plan.stimuli if self.plan else ():
            if isinstance(stimulus.what, ComponentInput):
                self._input(stimulus.what.component)

    def _cell(self, name: str, cell: object) -> None:
        where = f"cells/{name}"
        if isinstance(cell, CableCell):
            self._attempt("cell", where, name, lambda: self._cable(name, cell))
        elif isinstance(cell, PointCell):
            self._attempt("cell", where, name, lambda: self._point(name, cell))
        elif isinstance(cell, SpikeSource) and cell.model.startswith(_SCHEME):
            self._process(name, "source", as_component(name, cell), lambda each, types, _: nmodl.source(each, types))
        else:
            message = "It has no equations that a mechanism could be written from."
            if isinstance(cell, SpikeSource):
                message = "Its spikes come from a list or from a generator of the simulator, not from equations."
            self.report.lost("cell", where, message, examples=[name])

    def _cable(self, name: str, cell: CableCell) -> None:
        if cell.template or cell.morphology is None:
            raise UnsupportedInput("what is on its membrane is known only to its template")
        section_length = self.plan.section_length if self.plan else None
        shape = segment_shape(self.network.morphologies[cell.morphology], section_length)
        model = segment_model(name, cell, shape, self.mechanisms, self.report)
        for spread in model.spreads:
            amounts = AMOUNTS & spread.parameters.keys()
            kind = "population" if "channels" in amounts else "density" if amounts else "pool"
            self._use(spread.mechanism, spread.definition, kind, spread.parameters)
        self.cables[name] = model, shape

    def _point(self, name: str, cell: PointCell) -> None:
        if cell.model not in self.mechanisms.types and not cell.model.startswith(_SCHEME):
            raise UnsupportedInput(f"the equations of {cell.model} are not known here")
        component = as_component(name, cell)
        if not cell.model.startswith(_SCHEME) and "v" in component.parameters:
            numbers = dict(component.parameters)
            numbers["v_init"] = numbers.pop("v")
            component = replace(component, parameters=numbers)
        made = self.mechanisms.add(nmodl.cell(component, self.mechanisms.types, self.mechanisms.named))
        self._use(made.name, name, "cell", made.parameters)
        self.points[name] = component, made

    def _channels(self) -> None:
        """Channels that no cell has, as plain densities, and such concentration models."""
        used = {each.definition for users in self.users.values() for each in users}
        types = self.mechanisms.types
        density = Component("channelDensity", "", {"condDensity": 0.0, "erev": 0.0})
        for name, item in self.network.channels.items():
            if name in used or not isinstance(item, Component):
                continue
            if types.is_a(item.type, "baseIonChannel"):
                kind, make = "density", partial(nmodl.density, density, item, item.texts.get("species", ""), types)
            elif types.is_a(item.type, "concentrationModel"):
                kind, make = "pool", partial(nmodl.pool, item, item.texts.get("ion", ""), types)
            else:
                continue
            made = self._attempt("channel", f"channels/{name}", name, make)
            if made is not None:
                self._use(self.mechanisms.add(made).name, name, kind, made.parameters)

    def _input(self, component: Component) -> None:
        if component.type.endswith(_DIMENSIONLESS):
            message = "A current without a dimension has no form as a point process."
            self.report.lost("component-input", f"inputs/{component.id}", message, examples=[component.id])
        else:
            self._process(component.id, "input", component, nmodl.current)

    def _process(self, name: str, kind: str, component: Component, make: Callable[..., Mechanism]) -> None:
        if name in self.processes:
            return
        types, named = self.mechanisms.types, self.mechanisms.named
        made = self._attempt(kind, f"{kind}s/{name}", name, lambda: make(component, types, named))
        if made is not None:
            self._use(self.mechanisms.add(made).name, name, kind, made.parameters)
            self.processes[name] = Process(name, kind, component.type, made)

    def _attempt(self, code: str, where: str, name: str, make: Callable[[], Made]) -> Made | None:
        """What cannot be written goes into the report, and the rest is written."""
        try:
            return make()
        except (UnsupportedInput, GraphError) as error:
            message = f"It cannot be written as NMODL: {error.message.rstrip('.')}."
            self.report.lost(code, where, message, examples=[name])
            return None

    def _use(self, mechanism: str, definition: str, kind: str, parameters: Mapping[str, float]) -> None:
        own = {name: value for name, value in parameters.items() if name not in STATED}
        users = self.users.setdefault(mechanism, [])
        if not any((each.definition, each.kind) == (definition, kind) for each in users):
            users.append(_User(definition, kind, own))

    # --- writing ----------------------------------------------------------------------------------------------------

    def files(self) -> Iterator[tuple[str, str]]:
        names = _names(self.users)
        defaults = {own: users[0].parameters for own, users in self.users.items() if len(users) == 1}
        for own, users in self.users.items():
            served = ", ".join(dict.fromkeys(each.definition for each in users))
            text = self.mechanisms.texts[own].replace(own, names[own])
            yield f"{names[own]}.mod", _text(text, served, defaults.get(own, {}))
        celsius = self._celsius()
        scripts = _distinct([*self.cables, *self.points])
        for name, (model, shape) in self.cables.items():
            morphology = self.network.morphologies[str(self._morphology(name))]
            demo = self._demo(name)
            file = f"cell_{scripts[name]}.py"
            yield file, cable_script(name, model, shape, morphology, names, defaults, celsius, demo, file)
        for name, (component, mechanism) in self.points.items():
            demo = self._demo(name)
            file, called = f"cell_{scripts[name]}.py", names[mechanism.name]
            yield file, point_script(name, component, mechanism, called, self.mechanisms, celsius, demo, file)
        if self.processes:
            yield PROCESSES, processes_script(self.processes.values(), names, _distinct(list(self.processes)))

    def _morphology(self, name: str) -> str | None:
        cell = self.network.cells[name]
        return cell.morphology if isinstance(cell, CableCell) else None

    def _celsius(self) -> float:
        stated = self.plan.celsius if self.plan else None
        stated = celsius_at_start(self.network) if stated is None else stated
        if stated is None and any("celsius" in self.mechanisms.texts[name] for name in self.users):
            message = f"No temperature is stated, on which mechanisms depend: {_CELSIUS} degC."
            self.report.defaulted("default-setting", "plan/celsius", message)
        return _CELSIUS if stated is None else stated

    def _demo(self, name: str) -> Demo:
        """The plan's pulses onto the first such cell; else a step that is made up."""
        plan = self.plan
        row = next(self._rows_of(name), None)
        if plan is None or row is None:
            return Demo()
        steps: list[tuple[float, float, float]] = []
        for stimulus in plan.stimuli:
            what, targets = stimulus.what, stimulus.targets
            if targets is None or not isinstance(what, CurrentPulses) or targets.population != row[0]:
                continue
            for place in np.flatnonzero(targets.rows == row[1]).tolist():
                weight = 1.0 if targets.weight is None else float(targets.weight[place])
                rows = zip(what.delays.tolist(), what.durations.tolist(), what.amplitudes.tolist(), strict=True)
                steps += [(delay, duration, weight * amplitude) for delay, duration, amplitude in rows]
        ends = [delay + duration for delay, duration, _ in steps]
        made = Demo(tuple(steps), max(ends) + 50.0) if steps else Demo()
        return replace(made, stop=plan.duration or made.stop, step=plan.timestep or made.step)

    def _rows_of(self, name: str) -> Iterator[tuple[str, int]]:
        """Where the first cell of that definition is: population and row."""
        for population in self.network.populations.values():
            if name in population.cells:
                types = population.type_index.read(population.size)
                rows = np.flatnonzero(np.broadcast_to(types == population.cells.index(name), (population.size,)))
                yield from ((population.name, int(row)) for row in rows[:1])


def _names(users: Mapping[str, list[_User]]) -> dict[str, str]:
    """Mechanism -> what it is called: after the definition that it serves alone, else after its structure."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for own, serves in users.items():
        stem = f"{identifier(serves[0].definition)}_{serves[0].kind}" if len(serves) == 1 else own
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.lower())
        found[own] = name
    return found


def _distinct(names: list[str]) -> dict[str, str]:
    """Name -> an identifier of its own."""
    found: dict[str, str] = {}
    for name in names:
        stem, number = identifier(name), 1
        made = stem
        while made.lower() in {each.lower() for each in found.values()}:
            number += 1
            made = f"{stem}_{number}"
        found[name] = made
    return found


def identifier(name: str) -> str:
    """A name as Python and NMODL take it."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII)
    made = made if made[:1].isalpha() else f"n{made}"
    return f"{made}_" if iskeyword(made) else made


def _text(text: str, served: str, defaults: Mapping[str, float]) -> str:
    """The text with what it is for in the second line, and the numbers of the one that it is for."""
    title, _, rest = text.partition("\n")
    head, block, rest = rest.lstrip().partition("PARAMETER {\n")
    lines, closing, rest = rest.partition("}\n")

    def default(found: re.Match[str]) -> str:
        return f"{found[1]}{number_text(defaults.get(found[1].split()[0], 0))}"

    lines = re.sub(r"^(    \w+ = )0(?=\s)", default, lines, flags=re.MULTILINE)
    return f"{title}\n: For {served}.\n{head}{block}{lines}{closing}{rest}"
