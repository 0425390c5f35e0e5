"""A network and a plan in NEURON's words and units: plain data, made without NEURON, and the same on every rank.

Units are NEURON's: ms, mV, nA, uS (NetCon weights onto synapses), S/cm2, uF/cm2, ohm.cm, um.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io import lowering
from pynn_io.graph.columns import empty
from pynn_io.graph.morphology import Morphology
from pynn_io.lowering.cables.geometry import Shapes
from pynn_io.lowering.cables.models import CellGroup, Connections
from pynn_io.lowering.membrane import SegmentModel as SegmentModel
from pynn_io.lowering.segment_shape import SegmentShape


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole run: ms, mV, degC, um; all stated or defaulted (and then reported).

    variable_step: CVode instead of ``timestep``. second_order: NEURON's ``secondorder`` (0 implicit Euler, 1 and 2
    Crank-Nicolson). mechanism_variables: (mechanism, variable) -> value, NMODL globals.
    spike_location: where cells of templates are watched, ``soma`` or ``AIS``. seeds: as in the plan.
    """

    duration: float
    timestep: float
    celsius: float
    v_init: float
    spike_threshold: float
    section_length: float
    variable_step: bool = False
    second_order: int = 0
    seed: int | None = None
    mechanism_variables: Mapping[tuple[str, str], float] = field(default_factory=empty)
    spike_location: str = "soma"
    seeds: Mapping[str, int] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Trains:
    """Spikes of cells that are not simulated, sorted by time: gids int64[n], times float64[n] (ms)."""

    gids: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class LoweredNeuron:
    """What `build` makes.

    first: gid of the first cell of every population; the gid of a cell is that plus its row. Populations come in the
        network's order, sources too. ids: the ids of its rows.
    groups: every cell that is built or emits, each in one group. connections: in the order in which they are made:
        between cells, then from sources in the order of the stimuli that feed them, as BMTK makes them.
    stimuli, recordings: see the modules of these names.
    needs: mechanisms that are not NEURON's own or may not be, with the cells or synapses that need them.
    mechanism_folders: where their ``.mod`` files may be, as the network says.
    morphologies: the network's; shapes: sections and compartments of one of them after a processing.
    templates: files of hoc templates by population. seed_first: what neurodamus calls the first cell of a population.
    junctions, changes: see the modules ``junctions`` and ``changes``. variables: global variables of hoc.
    generated: mechanisms that were written for this network, name -> text. inputs, couplings, quantities: see the
    modules ``component_inputs``, ``couplings`` and ``quantities``. segments: shapes of NeuroML cells by morphology.
    emitted: what sources fire, by population.
    """

    name: str
    settings: Settings
    first: Mapping[str, int]
    ids: Mapping[str, np.ndarray]
    groups: tuple[CellGroup, ...]
    connections: tuple[Connections, ...]
    trains: Trains
    stimuli: tuple[Any, ...] = ()
    recordings: tuple[Any, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=empty)
    mechanism_folders: tuple[Path, ...] = ()
    morphologies: Mapping[str, Morphology] = field(default_factory=empty)
    shapes: Shapes | None = None
    templates: Mapping[str, Any] = field(default_factory=empty)
    seed_first: Mapping[str, int] = field(default_factory=empty)
    junctions: tuple[Any, ...] = ()
    changes: tuple[Any, ...] = ()
    variables: Mapping[str, float] = field(default_factory=empty)
    generated: Mapping[str, str] = field(default_factory=empty)
    inputs: tuple[Any, ...] = ()
    couplings: tuple[Any, ...] = ()
    quantities: tuple[Any, ...] = ()
    emitted: Mapping[str, lowering.Trains] = field(default_factory=empty)
    segments: Callable[[str], SegmentShape] | None = None

    @property
    def size(self) -> int:
        """How many gids there are."""
        return sum(len(ids) for ids in self.ids.values())
