"""What a chip makes of a network: how far the weights, delays and spike times that it stores are from those asked for.

All of it is measured from what the chip's own software gives back, connection by connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Connections between two populations: source, target: int64[n]; weight: float64[n]; delay: float64[n], ms."""

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray

    @property
    def size(self) -> int:
        return len(self.source)

    def ordered(self, step: float) -> Wires:
        """By source, target, delay in whole steps (one at least) and weight: an order that rounding does not change."""
        steps = np.maximum(np.rint(self.delay / step), 1.0)
        order = np.lexsort((np.abs(self.weight), steps, self.target, self.source))
        return Wires(self.source[order], self.target[order], self.weight[order], self.delay[order])


@dataclass(frozen=True, slots=True)
class ProjectionFidelity:
    """One projection, as the chip has it: one synapse type and receptor between two populations of one model.

    label, receptor: on the chip. projection: of the network. unit: of weights. resolution: the smallest step of a
    weight there. largest_weight_error, mean_weight_error: of the sizes of weights; largest_relative_error: of those
    that are not 0 on the chip. underflows: weights that are not 0 and become 0. dropped_signs: weights whose sign is
    not that of their receptor's. delays_moved, largest_delay_error, mean_delay_error (ms): by rounding to steps.
    lost: connections that are asked for and not there; added: the opposite.
    """

    label: str
    projection: str
    receptor: str
    connections: int
    unit: str
    resolution: float
    largest_weight_error: float
    mean_weight_error: float
    largest_relative_error: float
    underflows: int
    dropped_signs: int
    delays_moved: int
    largest_delay_error: float
    mean_delay_error: float
    lost: int = 0
    added: int = 0


@dataclass(frozen=True, slots=True)
class SpikeFidelity:
    """Input spikes of one population of sources: how many move to a step, and how far (ms)."""

    population: str
    spikes: int
    moved: int
    largest_move: float
    mean_move: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What the network takes. cores: with those that run no neurons; sdram: bytes."""

    cores: int
    chips: int
    boards: int
    sdram: int
    neurons: int
    neuron_cores: int
    source_cores: int
    other_cores: int


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The whole report. level: ``mapped, not executed`` or ``executed``. timestep: ms."""

    chip: str
    level: str
    timestep: float
    time_scale_factor: int
    machine: Machine
    projections: tuple[ProjectionFidelity, ...]
    sources: tuple[SpikeFidelity, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def compare_wires(asked: Wires, given: Wires, step: float) -> tuple[Wires, Wires, int, int]:
    """Asked and given connections side by side, those without a partner left out and counted: ``(.., lost, added)``.

    Several connections of one pair of cells are matched in the order of delay and weight, which rounding keeps.
    """
    asked, given = asked.ordered(step), given.ordered(step)
    if np.array_equal(asked.source, given.source) and np.array_equal(asked.target, given.target):
        return asked, given, 0, 0
    ours, theirs = _numbered(asked), _numbered(given)
    _, here, there = np.intersect1d(ours, theirs, return_indices=True)
    return _taken(asked, here), _taken(given, there), asked.size - len(here), given.size - len(there)


def _numbered(wires: Wires) -> np.ndarray:
    """A key for each of ordered connections: its pair, and its number among those of the pair."""
    pair = np.stack([wires.source, wires.target])
    new = np.concatenate([[True], np.any(pair[:, 1:] != pair[:, :-1], axis=0)]) if wires.size else np.zeros(0, bool)
    starts = np.flatnonzero(new)
    number = np.arange(wires.size) - np.repeat(starts, np.diff(np.append(starts, wires.size)))
    keys = np.empty(wires.size, dtype=[("source", np.int64), ("target", np.int64), ("number", np.int64)])
    keys["source"], keys["target"], keys["number"] = wires.source, wires.target, number
    return keys


def _taken(wires: Wires, rows: np.ndarray) -> Wires:
    return Wires(wires.source[rows], wires.target[rows], wires.weight[rows], wires.delay[rows])


def projection_fidelity(
    label: str, projection: str, receptor: str, unit: str, resolution: float, asked: Wires, given: Wires, step: float
) -> ProjectionFidelity:
    """Errors of one projection. Asked weights have PyNN's sign for their receptor; given ones are sizes."""
    ours, theirs, lost, added = compare_wires(asked, given, step)
    size = np.abs(ours.weight)
    wrong = np.abs(np.abs(theirs.weight) - size)
    kept = (np.abs(theirs.weight) > 0) & (size > 0)
    late = np.abs(theirs.delay - ours.delay)
    return ProjectionFidelity(
        label,
        projection,
        receptor,
        asked.size,
        unit,
        resolution,
        _largest(wrong),
        _mean(wrong),
        _largest(wrong[kept] / size[kept]),
        int(np.count_nonzero((size > 0) & (theirs.weight == 0))),
        int(np.count_nonzero((ours.weight < 0) & (receptor == "excitatory"))),
        int(np.count_nonzero(late > 1e-6 * step)),
        _largest(late),
        _mean(late),
        lost,
        added,
    )


def spike_fidelity(population: str, asked: np.ndarray, given: np.ndarray, step: float) -> SpikeFidelity:
    """How far input spikes move. Times in one order, ms."""
    away = np.abs(given - asked)
    return SpikeFidelity(population, len(asked), int(np.count_nonzero(away > 1e-6 * step)), _largest(away), _mean(away))


def _largest(values: np.ndarray) -> float:
    return float(values.max(initial=0.0))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def lines_of(fidelity: Fidelity) -> Iterator[str]:
    """What is wrong, in a line each; none where the chip has everything as asked."""
    under = sum(one.underflows for one in fidelity.projections)
    total = sum(one.connections for one in fidelity.projections)
    if under:
        yield f"{under:,} of {total:,} weights become 0"
    if dropped := sum(one.dropped_signs for one in fidelity.projections):
        yield f"{dropped:,} of {total:,} weights lose their sign"
    if lost := sum(one.lost for one in fidelity.projections):
        yield f"{lost:,} of {total:,} connections are not there"
    if added := sum(one.added for one in fidelity.projections):
        yield f"{added:,} connections are there that were not asked for"
    if moved := sum(one.delays_moved for one in fidelity.projections):
        yield f"{moved:,} of {total:,} delays move to a step"
    if moved := sum(one.moved for one in fidelity.sources):
        yield f"{moved:,} of {sum(one.spikes for one in fidelity.sources):,} input spikes move to a step"
