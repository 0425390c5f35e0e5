"""The simulation plan: frozen, and free of any simulator.

What the source does not state is None, and stays so until a backend lowers the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynn_io.graph.columns import empty
from pynn_io.graph.stimuli import NodeSet, Stimulus


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded variable: ``variable`` as the source names it (``v``, ``V_m``, ``cai``), from which cells, where.

    start, stop, interval: ms; None where the source is silent.
    """

    name: str
    variable: str
    node_set: NodeSet
    sections: str = "soma"
    start: float | None = None
    stop: float | None = None
    interval: float | None = None
    enabled: bool = True
    parameters: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What to run.

    duration, timestep: ms. spike_threshold, v_init: mV. celsius: degC. node_sets: those of the simulation, which add to
    and override the circuit's. extra: what else the source states, kept for a writer of the same format.
    """

    name: str = "simulation"
    duration: float | None = None
    timestep: float | None = None
    spike_threshold: float | None = None
    celsius: float | None = None
    v_init: float | None = None
    seed: int | None = None
    stimuli: tuple[Stimulus, ...] = ()
    recordings: tuple[Recording, ...] = ()
    node_sets: Mapping[str, Any] = field(default_factory=empty)
    target_simulator: str | None = None
    extra: Mapping[str, Any] = field(default_factory=empty)
