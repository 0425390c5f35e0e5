"""Inputs of NeuroML on its cells: pulses and components, target by target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, Stimulus, Targets, code_of
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.models import PointModel, SegmentModel, SourceModel
from pynn_io.lowering.cells import targets_of
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import course
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.lowering.cables.populations import Cells


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One stimulus on n places of one population.

    gids: int64[n]. section, position: where, int64[n] and float64[n]. weight: float64[n], factors.
    mechanism, parameters: of a point process that is put there; empty for pulses, each (delay, duration, nA) an IClamp.
    times: ms, of the events that a list of spikes sends into it. played: values at every step of the run, see
    `pynn_io.lowering.cables.components.Generated.sampled`.
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
            for each in targets_of(stimulus, network, plan):
                made = _input(stimulus, each, network, cells, generated, (plan, timestep), report)
                found += [made] if made is not None else []
        else:
            left.append(stimulus)
    return tuple(found), replace(plan, stimuli=tuple(left))


def driven(network: Network, plan: SimulationPlan) -> frozenset[str]:
    """The populations that inputs which are components act on."""
    found = (stimulus for stimulus in plan.stimuli if isinstance(stimulus.what, ComponentInput))
    return frozenset(each.population for stimulus in found for each in targets_of(stimulus, network, plan))


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
    what, placed = stimulus.what, _placed(stimulus, targets, network, cells, generated, report)
    if isinstance(what, CurrentPulses):
        steps = zip(what.delays.tolist(), what.durations.tolist(), what.amplitudes.tolist(), strict=True)
        return Input(**placed, pulses=tuple(steps))
    if not isinstance(what, ComponentInput):
        raise TypeError(f"{type(what).__name__} has no targets")
    component = what.component
    variable = generated.sampled(component)
    if variable:
        plan, timestep = run
        times = timestep * np.arange(round((plan.duration or 0) / timestep) + 2)
        system = flatten(component, generated.types, generated.named)
        return Input(**placed, played=np.array(course(system, variable, times)))
    try:
        made = generated.input(component)
    except UnsupportedInput as error:
        message = f"The input {component.id!r} cannot be put on NEURON: {error.message}."
        report.lost(code_of(what), f"inputs.{stimulus.name}", message)
        return None
    return Input(
        **placed,
        mechanism=made.name,
        parameters=made.parameters,
        variables=made.records,
        times=_spikes(component),
        random=made.random,
    )


def _placed(
    stimulus: Stimulus,
    targets: Targets,
    network: Network,
    cells: Mapping[str, Cells],
    generated: Generated,
    report: Report,
) -> dict[str, Any]:
    """Where an input is: what every `Input` has. Targets that cannot take it are LOST."""
    mine = cells[targets.population]
    able = np.array([_takes_points(group.model) for group in mine.groups] + [False])
    pulses = isinstance(stimulus.what, CurrentPulses)
    alive = (mine.group[targets.rows] >= 0) if pulses else able[mine.group[targets.rows]]
    message = "Some of its targets have no membrane in NEURON that it could be put on, or are not built."
    report.lost(code_of(stimulus.what), f"inputs.{stimulus.name}", message, count=int((~alive).sum()))
    section, position = sites(targets, mine, network, generated)
    return {
        "name": stimulus.name,
        "gids": (targets.rows + mine.first)[alive],
        "section": section[alive],
        "position": position[alive],
        "weight": (np.ones(len(targets.rows)) if targets.weight is None else targets.weight)[alive],
    }


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


def is_of_segments(model: object) -> bool:
    """Whether cells of a model are NeuroML's, on which a place is a segment; a point has one."""
    return isinstance(model, SegmentModel) or (isinstance(model, PointModel) and model.capacitance is not None)
