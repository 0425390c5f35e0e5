"""Inputs of NeuroML on built cells: pulses and components, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.lowering.cables.inputs import Input
from pynn_io.lowering.signals import Shape

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model

#: The variable of a cell that currents without dimension add up in.
_DRIVE = "ISyn"


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
