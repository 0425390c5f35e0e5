"""Numbers of a network that rules test, by the name that a profile gives them: columns, in blocks, with their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import CurrentPulses
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cells import parts, simulated, sources, targets
from pynn_io.lowering.hardware.edges import chemical, signed_blocks
from pynn_io.lowering.hardware.findings import Needs
from pynn_io.lowering.injections import stated_signal
from pynn_io.lowering.signals import Shape
from pynn_io.lowering.trains import trains
from pynn_io.report import Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from pynn_io.vocabulary import models, translations
from pynn_io.vocabulary.chips import Chip
from pynn_io.vocabulary.plasticity import STDP, dendritic_delay_fraction, parts_of

#: Variables that are events, not courses of time.
_EVENTS = frozenset({"spikes", "spike"})
#: Standard deviations of a random current that are taken to be its largest.
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Values of one quantity at one place; a place may give several samples.

    values: float64[n], NaN where not stated; or strings. name: of the parameter or variable. population: whose cells
    they end on or are of. inhibitory: bool[n], of weights. other: values of the other parameters of the same cells.
    """

    where: str
    values: np.ndarray
    name: str = ""
    population: str = ""
    inhibitory: np.ndarray | None = None
    other: Mapping[str, np.ndarray] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is checked. timestep: ms."""

    network: Network
    plan: SimulationPlan
    chip: Chip
    timestep: float
    needs: Needs


def has_cell(network: Network, name: str, chip: Chip) -> bool:
    """Whether a chip has a cell of the network, exactly or nearly."""
    cell = network.cells[name]
    if isinstance(cell, PointCell | SpikeSource):
        return chip.of_model(cell.model, synapse=False).level != "no"
    return False


def samples(of: str, subject: Subject) -> Iterator[Sample]:
    """All samples of a quantity. Raises KeyError for a name that is none of `QUANTITIES`."""
    return QUANTITIES[of](subject)


def edge_samples(subject: Subject) -> Iterator[dict[str, Sample]]:
    """``delay`` and ``weight`` of every block of edges, so that several rules need one pass."""
    for projection in chemical(subject.network):
        where, post = f"projection {projection.name}", projection.post
        for block in signed_blocks(projection, subject.network):
            weight = np.abs(block.weight)
            yield {
                "delay": Sample(where, block.delay, population=post),
                "weight": Sample(where, weight, population=post, inhibitory=block.inhibitory),
            }


def _spike_times(subject: Subject) -> Iterator[Sample]:
    if subject.plan.duration is None:
        return
    for population, found in trains(subject.plan, subject.network, Report()).items():
        yield Sample(f"population {population}", found.times, population=population)


def _parameters(subject: Subject) -> Iterator[Sample]:
    """Numbers of standard cells as they would be used: stated ones, and the defaults of their models."""
    for name, population in subject.network.populations.items():
        for part in parts(population, subject.network):
            row = models.known(part.cell.model) if isinstance(part.cell, PointCell) else None
            if row is None or not has_cell(subject.network, part.cell_name, subject.chip):
                continue
            numbers = {item.name: item.default for item in row.parameters} | dict(part.parameters)
            if (twin := translations.of_native(row.name)) is not None:
                numbers = translations.to_standard(twin, numbers)[0]
            values = {key: _column(value, part.size) for key, value in numbers.items() if _numeric(value)}
            for key, column in values.items():
                yield Sample(f"population {name}", column, key, name, other=values)


def _numeric(value: object) -> bool:
    return (isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.ndim == 1) or (
        isinstance(value, Real) and not isinstance(value, bool)
    )


def _column(value: object, size: int) -> np.ndarray:
    filled = np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan)
    return np.broadcast_to(filled, (size,))


def _recordings(plan: SimulationPlan) -> Iterator[Recording]:
    return (one for one in plan.recordings if one.enabled and one.kind in ("compartment", "summation"))


def _variables(recording: Recording) -> list[str]:
    return [name.strip() for name in recording.variable.split(",") if name.strip()]


def _recorded_variables(subject: Subject) -> Iterator[Sample]:
    for recording in _recordings(subject.plan):
        for variable in _variables(recording):
            yield Sample(f"recording {recording.name}", np.array([variable]), variable)


def _recording_intervals(subject: Subject) -> Iterator[Sample]:
    for recording in _recordings(subject.plan):
        if recording.interval is not None:
            yield Sample(f"recording {recording.name}", np.array([recording.interval]))


def _recorded_cells(subject: Subject) -> Iterator[Sample]:
    found: dict[str, np.ndarray] = {}
    for recording in _recordings(subject.plan):
        if not set(_variables(recording)) <= _EVENTS:
            for name, rows in targets(recording.node_set, subject.network, subject.plan).items():
                found[name] = np.union1d(found.get(name, rows), rows)
    yield Sample("recordings", np.array([float(sum(map(len, found.values())))]))


def _plasticity_rules(subject: Subject) -> Iterator[Sample]:
    """How many different plastic synapses end on each population."""
    network = subject.network
    found: dict[str, list[object]] = {}
    for projection in network.projections.values():
        for name in projection.synapses:
            synapse = network.synapses[name]
            own = found.setdefault(projection.post, [])
            if "stdp" in synapse.model.lower() and (rule := _sized(synapse)) not in own:
                own.append(rule)
    for population, rules in found.items():
        yield Sample(f"population {population}", np.array([float(len(rules))]), population=population)


def _sized(synapse: Synapse) -> Synapse:
    """A synapse with the sizes of its bounds: on a chip the receptor tells what inhibits."""
    bounds = {name: abs(synapse.parameters[name]) for name in ("w_min", "w_max") if name in synapse.parameters}
    return replace(synapse, parameters={**synapse.parameters, **bounds})


def _receptors(subject: Subject) -> Iterator[Sample]:
    """Every receptor that a projection names, for a type or for some of its edges."""
    for projection in chemical(subject.network):
        stated = projection.types.get("receptor")
        own = projection.edges.columns.get("receptor")
        of_types = [] if stated is None else np.ma.asarray(stated.values(projection.types.size)).tolist()
        of_edges = () if own is None or own.levels is None else own.levels
        for name in dict.fromkeys(str(name) for name in (*of_types, *of_edges) if name):
            yield Sample(f"projection {projection.name}", np.array([name]), name)


def _plastic(subject: Subject) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """``(place, parameters)`` of every projection's mechanisms of PyNN's STDP."""
    for projection in subject.network.projections.values():
        for name in dict.fromkeys(projection.synapses):
            synapse = subject.network.synapses[name]
            if synapse.model == STDP:
                yield f"projection {projection.name}", synapse.parameters


def _plastic_parts(subject: Subject) -> Iterator[Sample]:
    for where, parameters in _plastic(subject):
        for part in parts_of(parameters):
            yield Sample(where, np.array([part]), part)


def _dendritic_delays(subject: Subject) -> Iterator[Sample]:
    for where, parameters in _plastic(subject):
        yield Sample(where, np.array([dendritic_delay_fraction(parameters)]))


def _synapses_onto_cells(subject: Subject) -> Iterator[Sample]:
    """Connections that end on each cell, from all projections."""
    network = subject.network
    found: dict[str, np.ndarray] = {}
    for projection in network.projections.values():
        size = network.populations[projection.post].size
        own = found.setdefault(projection.post, np.zeros(size))
        for _, _, rows in projection.edges.blocks():
            own += np.bincount(np.asarray(rows["target"], dtype=np.int64), minlength=size)
    for population, counts in found.items():
        yield Sample(f"population {population}", counts, population=population)


def neurons_of(network: Network, plan: SimulationPlan) -> dict[str, int]:
    """Cells that run, sources left out, by population."""
    rows = simulated(network, plan)
    return {
        name: len(rows[name]) - int(sources(population, network)[rows[name]].sum())
        for name, population in network.populations.items()
    }


def _currents(subject: Subject) -> Iterator[Sample]:
    """Sizes of currents from outside, nA: of every pulse; of another course its largest, of a random one what it is
    beyond for one value in a few hundred. Those that are relative to a property of each cell are left out."""
    for stimulus in subject.plan.stimuli:
        where = f"inputs.{stimulus.name}"
        if isinstance(stimulus.what, CurrentPulses):
            yield Sample(where, np.abs(stimulus.what.amplitudes), stimulus.name)
            continue
        signal = stated_signal(stimulus, subject.plan)
        if signal is not None and signal.kind == "current" and not signal.relative:
            shape = signal.shape
            course = shape.values if isinstance(shape, Shape) else np.array([-_DEVIATIONS, _DEVIATIONS])
            largest = float(np.abs(signal.offset + signal.gain * course).max(initial=0.0))
            yield Sample(where, np.array([largest]), stimulus.name)


def _cells_of_populations(subject: Subject) -> Iterator[Sample]:
    for name, count in neurons_of(subject.network, subject.plan).items():
        yield Sample(f"population {name}", np.array([float(count)]), population=name)


def _one(where: str, value: Callable[[Subject], float]) -> Callable[[Subject], Iterator[Sample]]:
    def give(subject: Subject) -> Iterator[Sample]:
        yield Sample(where, np.array([float(value(subject))]))

    return give


#: Every quantity but those of edges, which `edge_samples` gives together.
QUANTITIES: Mapping[str, Callable[[Subject], Iterator[Sample]]] = MappingProxyType(
    {
        "spike time": _spike_times,
        "current": _currents,
        "parameter": _parameters,
        "recorded variable": _recorded_variables,
        "recording interval": _recording_intervals,
        "cells recorded continuously": _recorded_cells,
        "plasticity rules onto a population": _plasticity_rules,
        "receptor": _receptors,
        "part of plasticity": _plastic_parts,
        "dendritic delay fraction": _dendritic_delays,
        "synapses onto a cell": _synapses_onto_cells,
        "cells of a population": _cells_of_populations,
        "neurons": _one("network", lambda subject: subject.needs.neurons),
        "boards": _one("network", lambda subject: subject.needs.boards),
        "timestep": _one("run.dt", lambda subject: subject.timestep),
    }
)
