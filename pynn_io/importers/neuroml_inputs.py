"""Inputs of a NeuroML network -> stimuli of the plan, with their targets by row and segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.cells import CableCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, SpikeTrains, Stimulus, Targets, What
from pynn_io.importers.neuroml_cells import Definitions
from pynn_io.importers.neuroml_context import Context
from pynn_io.importers.neuroml_populations import Instances

_PULSE = "pulseGenerator"


@dataclass(frozen=True, slots=True, eq=False)
class InputTargets:
    """Where one input goes, target by target; arrays as of `Targets`, cells by instance id."""

    ids: np.ndarray
    segment: np.ndarray | None = None
    fraction: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(slots=True)
class Inputs:
    """Makes stimuli. stimuli: those made so far, under names of their own."""

    populations: Mapping[str, Instances]
    definitions: Definitions
    context: Context
    stimuli: list[Stimulus] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def add(self, name: str, component: str, population: str, where: str, targets: InputTargets) -> None:
        """One input onto cells of one population; a broken reference is a problem of the context."""
        instances = self.populations.get(population)
        if instances is None:
            self.context.problem(where, f"the input {name!r} goes to the population {population!r}: not there")
            return
        found = self._component(component)
        if found is None:
            self.context.problem(where, f"the input {name!r} has the component {component!r}: not defined")
            return
        self.used.add(component)
        made = self._targets(name, instances, where, targets)
        key = self._new(name)
        if key != component:
            self.context.kept.setdefault("input_components", {})[key] = component
        what = what_of(found)
        if not isinstance(what, ComponentInput):
            self.context.about(f"input {component}", found.children)
        self.stimuli.append(Stimulus(key, what, None, targets=made))

    def trains(self, population: str, component: str, times: np.ndarray, size: int) -> None:
        """A population of spike arrays: every cell fires at these times (ms)."""
        nodes = np.repeat(np.arange(size, dtype=np.int64), len(times))
        instances = self.populations[population]
        ids = nodes if instances.ids is None else instances.ids[nodes]
        order = np.argsort(ids, kind="stable")
        trains = SpikeTrains(population, ids[order], np.tile(np.sort(times), size)[order])
        self.stimuli.append(Stimulus(self._new(component), trains, population))

    def _component(self, name: str) -> Component | None:
        """The input of that name; a synapse, or a component of which nothing says what it is, may be one too."""
        if name in self.definitions.inputs:
            return self.definitions.inputs[name]
        return self.definitions.other.get(name)

    def _targets(self, name: str, instances: Instances, where: str, found: InputTargets) -> Targets:
        rows, unknown = instances.rows(found.ids)
        if unknown.any():
            some = ", ".join(map(str, np.unique(found.ids[unknown])[:5].tolist()))
            message = f"the input {name!r} goes to cells of {instances.name!r} that are not there: {some}"
            self.context.problem(where, message)
        cell = self.definitions.cells.get(instances.component)
        if found.segment is not None and isinstance(cell, CableCell):
            morphology = self.definitions.morphologies.get(cell.morphology or "")
            absent = np.zeros(0) if morphology is None else np.setdiff1d(found.segment, morphology.id)
            if len(absent):
                message = f"the input {name!r} goes to segments of {instances.component!r} that are not there: "
                self.context.problem(where, message + ", ".join(map(str, absent[:5].tolist())))
        return Targets(instances.name, rows, found.segment, found.fraction, found.weight)

    def _new(self, name: str) -> str:
        key, number = name, 1
        while key in self._names:
            number += 1
            key = f"{name}_{number}"
        self._names.add(key)
        return key


def what_of(component: Component) -> What:
    """A pulse of current as such; every other input as the component that it is."""
    stated = {"amplitude", "delay", "duration"}
    if component.type != _PULSE or set(component.parameters) != stated or component.texts:
        return ComponentInput(component)
    amplitude, delay, duration = (np.asarray([component.parameters[key]]) for key in ("amplitude", "delay", "duration"))
    return CurrentPulses(amplitude, delay, duration)


def named_by(components: Mapping[str, Component]) -> Iterator[str]:
    """What components name: every text of theirs may be a reference."""
    for component in components.values():
        for part in component.walk():
            yield from part.texts.values()
