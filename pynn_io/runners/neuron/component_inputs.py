"""Inputs of NeuroML on its cells: pulses and components, target by target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, Stimulus, Targets, code_of
from pynn_io.lowering import targets as node_set_targets
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import course
from pynn_io.lowering.signals import Shape
from pynn_io.report import Report
from pynn_io.runners.neuron.components import Generated
from pynn_io.runners.neuron.lowered import PointModel, SegmentModel, SourceModel
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model
    from pynn_io.runners.neuron.populations import Cells

#: Suffix of the types whose currents have no dimension.
_DIMENSIONLESS = "DL"
#: The variable of a cell that such currents add up in.
_DRIVE = "ISyn"


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One stimulus on n places of one population.

    gids: int64[n]. section, position: where, int64[n] and float64[n]. weight: float64[n], factors.
    mechanism, parameters: of a point process that is put there; empty for pulses, each (delay, duration, nA) an IClamp.
    times: ms, of the events that a list of spikes sends into it. played: values at every step of the run of a current
    without dimension, which cells add up themselves.
    """

    name: str
    gids: np.ndarray
    section: np.ndarray
    position: np.ndarray
    weight: np.ndarray
    mechanism: str = ""
    parameters: Mapping[str, float] = field(default_factory=empty)
    variables: Mapping[str, tuple[str, float]] = field(default_factory=empty)
    pulses: tuple[tuple[float, float, float], ...] = ()
    times: np.ndarray | None = None
    played: np.ndarray | None = None
    random: bool = False


def lower(
    network: Network,
    plan: SimulationPlan,
    cells: Mapping[str, Cells],
    generated: Generated,
    timestep: float,
    report: Report,
) -> tuple[tuple[Input, ...], SimulationPlan]:
    """The inputs that have targets of their own, and the plan with the others."""
    found: list[Input] = []
    left: list[Stimulus] = []
    for stimulus in plan.stimuli:
        if isinstance(stimulus.what, CurrentPulses) and stimulus.targets is None:
            left.append(stimulus)
        elif isinstance(stimulus.what, ComponentInput | CurrentPulses):
            for each in _targets(stimulus, network, plan):
                made = _input(stimulus, each, network, cells, generated, (plan, timestep), report)
                found += [made] if made is not None else []
        else:
            left.append(stimulus)
    return tuple(found), replace(plan, stimuli=tuple(left))


def driven(network: Network, plan: SimulationPlan) -> frozenset[str]:
    """The populations that inputs which are components act on."""
    found = (stimulus for stimulus in plan.stimuli if isinstance(stimulus.what, ComponentInput))
    return frozenset(each.population for stimulus in found for each in _targets(stimulus, network, plan))


def _targets(stimulus: Stimulus, network: Network, plan: SimulationPlan) -> Iterator[Targets]:
    """Its own targets, or the cells of its node set."""
    if stimulus.targets is not None:
        yield stimulus.targets
        return
    for population, rows in node_set_targets(stimulus.node_set, network, plan).items():
        yield Targets(population, rows)


def _takes_points(model: object) -> bool:
    """Whether cells of a model have a section for point processes, or take pulses all the same."""
    return not isinstance(model, PointModel | SourceModel) or is_of_segments(model)


def _input(
    stimulus: Stimulus,
    targets: Targets,
    network: Network,
    cells: Mapping[str, Cells],
    generated: Generated,
    run: tuple[SimulationPlan, float],
    report: Report,
) -> Input | None:
    where = f"inputs.{stimulus.name}"
    mine = cells[targets.population]
    able = np.array([_takes_points(group.model) for group in mine.groups] + [False])
    pulses = isinstance(stimulus.what, CurrentPulses)
    alive = (mine.group[targets.rows] >= 0) if pulses else able[mine.group[targets.rows]]
    message = "Some of its targets have no membrane in NEURON that it could be put on, or are not built."
    report.lost(code_of(stimulus.what), where, message, count=int((~alive).sum()))
    section, position = sites(targets, mine, network, generated)
    base: dict[str, Any] = {
        "name": stimulus.name,
        "gids": (targets.rows + mine.first)[alive],
        "section": section[alive],
        "position": position[alive],
        "weight": (np.ones(len(targets.rows)) if targets.weight is None else targets.weight)[alive],
    }
    what = stimulus.what
    if isinstance(what, CurrentPulses):
        steps = zip(what.delays.tolist(), what.durations.tolist(), what.amplitudes.tolist(), strict=True)
        return Input(**base, pulses=tuple(steps))
    if not isinstance(what, ComponentInput):
        raise TypeError(f"{type(what).__name__} has no targets")
    component = what.component
    if component.type.endswith(_DIMENSIONLESS):
        plan, timestep = run
        times = timestep * np.arange(round((plan.duration or 0) / timestep) + 2)
        system = flatten(component, generated.types, generated.named)
        return Input(**base, played=np.array(course(system, "I", times)))
    try:
        made = generated.input(component)
    except UnsupportedInput as error:
        report.lost(code_of(what), where, f"The input {component.id!r} cannot be put on NEURON: {error.message}.")
        return None
    return Input(
        **base,
        mechanism=made.name,
        parameters=made.parameters,
        variables=made.records,
        times=_spikes(component),
        random=made.random,
    )


def _spikes(component: Component) -> np.ndarray | None:
    listed = component.all("spike")
    return np.array([each.parameters["time"] for each in listed]) if listed else None


def sites(targets: Targets, cells: Cells, network: Network, generated: Generated) -> tuple[np.ndarray, np.ndarray]:
    """Section and position of every target; section 0 of a point."""
    return places(targets.rows, targets.segment, targets.fraction, cells, network, generated)


def places(
    rows: np.ndarray,
    segment: np.ndarray | None,
    fraction: np.ndarray | None,
    cells: Cells,
    network: Network,
    generated: Generated,
) -> tuple[np.ndarray, np.ndarray]:
    """Section and position of places on segments (ids; None: the root's middle) of cells (rows of a population)."""
    section, position = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), 0.5)
    for number, group in enumerate(cells.groups):
        here = np.flatnonzero(cells.group[rows] == number)
        if not len(here) or not isinstance(group.model, SegmentModel):
            continue
        morphology = network.morphologies[group.morphologies[0]]
        wanted = (
            np.full(len(here), morphology.id[0]) if segment is None else np.ma.filled(segment, morphology.id[0])[here]
        )
        order = np.argsort(morphology.id, kind="stable")
        found = order[np.minimum(np.searchsorted(morphology.id, wanted, sorter=order), morphology.size - 1)]
        along = np.full(len(here), 0.5) if fraction is None else np.ma.filled(fraction, 0.5)[here]
        section[here], position[here] = generated.shape(group.morphologies[0]).place(found, along)
    return section, position


# --- on built cells -----------------------------------------------------------------------------------------------


def apply(model: Model, lowered: LoweredNeuron) -> None:
    """Make the inputs of the cells that are on this rank."""
    drives: dict[int, list[tuple[float, np.ndarray]]] = {}
    for number, item in enumerate(lowered.inputs):
        for index, gid in enumerate(item.gids.tolist()):
            cell = model.cells.get(gid)
            if cell is None:
                continue
            if item.played is not None:
                drives.setdefault(gid, []).append((float(item.weight[index]), item.played))
            elif item.mechanism:
                _put(model, item, index, cell, number)
            else:
                _pulse(model, item, index, cell)
    for gid, courses in drives.items():
        _drive(model, model.cells[gid], sum(weight * values for weight, values in courses))


def _segment(item: Input, index: int, cell: Cell) -> Any:
    section = cell.sections[int(item.section[index])] if cell.sections else cell.soma
    return section(float(item.position[index]))


def _pulse(model: Model, item: Input, index: int, cell: Cell) -> None:
    from neuron import h

    if cell.current[0]:  # a standard cell has a variable for currents
        _pulse_into_point(model, item, index, cell)
        return
    for delay, duration, amplitude in item.pulses:
        clamp = h.IClamp(_segment(item, index, cell))
        clamp.delay, clamp.dur, clamp.amp = delay, duration, amplitude * float(item.weight[index])
        model.keep.append(clamp)
        model.inputs.setdefault((cell.gid, item.name), []).append((clamp, {"i": ("i", 1e-9)}))


def _pulse_into_point(model: Model, item: Input, index: int, cell: Cell) -> None:
    """Pulses of a cell that takes currents in a variable of its own, added to those that it has."""
    weight = float(item.weight[index])
    for delay, duration, amplitude in item.pulses:
        model.currents.setdefault(cell.gid, []).append(
            Shape(
                np.array([delay, delay, delay + duration, delay + duration]),
                np.array([0, 1, 1, 0]) * amplitude * weight,
            )
        )


def _put(model: Model, item: Input, index: int, cell: Cell, number: int) -> None:
    from neuron import h

    process = getattr(h, item.mechanism)(_segment(item, index, cell))
    for name, value in item.parameters.items():
        setattr(process, name, value)
    if hasattr(process, "weight"):
        process.weight = float(item.weight[index]) * item.parameters.get("weight", 1.0)
    if item.random:
        process.rng.set_ids(model.lowered.settings.seed or 0, number, cell.gid * 4096 + index % 4096)
    if item.times is not None:
        # A generator that never fires by itself: its events are the list's.
        trigger = h.NetStim()
        trigger.number = 0
        netcon = h.NetCon(trigger, process)
        netcon.delay, netcon.weight[0] = 0, 1
        model.spontaneous.append((netcon, item.times))
        model.keep.append(trigger)
    model.keep.append(process)
    model.inputs.setdefault((cell.gid, item.name), []).append((process, item.variables))


def _drive(model: Model, cell: Cell, values: Any) -> None:
    """A current without dimension, one value a step, into the variable that the cell's equations have for it."""
    from neuron import h

    vector = h.Vector(values)
    vector.play(getattr(cell.point, f"_ref_{_DRIVE}"), model.lowered.settings.timestep)
    model.keep.append(vector)


def is_of_segments(model: object) -> bool:
    """Whether cells of a model are NeuroML's, on which a place is a segment; a point has one."""
    return isinstance(model, SegmentModel) or (isinstance(model, PointModel) and model.capacitance is not None)
