"""A network and a plan in NEURON's words and units: plain data, made without NEURON, and the same on every rank.

Units are NEURON's: ms, mV, nA, uS (NetCon weights onto synapses), S/cm2, uF/cm2, ohm.cm, um.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pynn_io import lowering
from pynn_io.graph.columns import empty
from pynn_io.graph.morphology import Morphology
from pynn_io.lowering.membrane import SegmentModel as SegmentModel
from pynn_io.lowering.segment_shape import SegmentShape
from pynn_io.report import Report
from pynn_io.runners.neuron.geometry import Shapes


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


@dataclass(frozen=True, slots=True)
class PointModel:
    """A point process or artificial cell by its name in NEURON.

    parameters: of every cell, in NEURON's units. weight_unit: of NetCon weights, where the sign of a weight chooses the
    synapse; empty for others. records: recordable of the model -> variable of the mechanism, where the names differ.
    current: variable that takes injected currents, and how many of its units a nA is; empty for cells that take none,
    or that have a section of their own for it. A cell with one has no membrane in NEURON and needs no section.
    capacitance: nF, of a cell whose potential is that of a section of its own (NeuroML's abstract cells); None for
    others. potential: mV, that section's at the start. variables: of the component -> variable of the mechanism, SI.
    """

    mechanism: str
    parameters: Mapping[str, float] = field(default_factory=empty)
    weight_unit: str = ""
    records: Mapping[str, str] = field(default_factory=empty)
    current: tuple[str, float] = ("", 0.0)
    capacitance: float | None = None
    potential: float | None = None
    variables: Mapping[str, tuple[str, float]] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Insert:
    """``mechanism`` on every section of ``region`` (``soma axon dend apic`` or ``all``)."""

    region: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Assign:
    """A number on every section of ``region``.

    mechanism: whose range variable it is; empty for a section property (``cm Ra``) or an ion's (``ena``).
    variable: its name without the mechanism; ``*conductance`` is the density under whatever name the mechanism has.
    ion: where stated, only sections that have this ion are set.
    """

    region: str
    mechanism: str
    variable: str
    value: float
    ion: str = ""


Paint: TypeAlias = Insert | Assign
#: The variable of a mechanism that is its conductance density: the first of these that it has.
CONDUCTANCE = "*conductance"
CONDUCTANCE_NAMES = ("gbar", "g", "gmax")


@dataclass(frozen=True, slots=True)
class CableModel:
    """A cable cell: what happens to its morphology, then what is on its membrane, in order."""

    processing: tuple[str, ...]
    paints: tuple[Paint, ...]


@dataclass(frozen=True, slots=True)
class TemplateModel:
    """A cell that a hoc template makes. point: it has no extent, and is the template's ``pointcell``."""

    template: str
    point: bool = False


@dataclass(frozen=True, slots=True)
class SourceModel:
    """Cells that only emit the spikes of `LoweredNeuron.trains`: nothing is built for them."""


CellModel: TypeAlias = PointModel | CableModel | SegmentModel | TemplateModel | SourceModel


@dataclass(frozen=True, slots=True, eq=False)
class CellGroup:
    """Cells of one population that are one definition.

    rows, gids: int64[n]. morphology: name of each cell's morphology, as codes into ``morphologies`` (empty: none).
    parameters: numbers of single cells that override the model's, float64[n] each, NaN where a cell states nothing.
    """

    population: str
    cell: str
    model: CellModel
    rows: np.ndarray
    gids: np.ndarray
    morphology: np.ndarray | None = None
    morphologies: tuple[str, ...] = ()
    parameters: Mapping[str, np.ndarray] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class SynapseModel:
    """A synapse type: its point process (empty: the event goes to the cell itself) and that one's parameters.

    variables: as of `Spread`, of a NeuroML component.
    """

    mechanism: str
    parameters: Mapping[str, float] = field(default_factory=empty)
    variables: Mapping[str, tuple[str, float]] = field(default_factory=empty)


#: The section of a synapse whose site is drawn on the built cell, by the rule of its type (`Connections.drawing`).
DRAWN = -2


@dataclass(frozen=True, slots=True, eq=False)
class SynapseBlock:
    """Synapses as columns, n of them, in the order in which they are made.

    source, target: gids, int64. model: index into `Connections.models`, int64. weight: as NetCon takes it; delay: ms.
    section: index into the target's sections, int64, -1 for cells without, or `DRAWN`; position: fraction along it.
    edge: row of the projection. parameters: of single synapses, by variable of the mechanism; NaN: as the model says.
    """

    source: np.ndarray
    target: np.ndarray
    model: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    section: np.ndarray
    position: np.ndarray
    edge: np.ndarray
    parameters: Mapping[str, np.ndarray] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """One projection. ``blocks(keep, report)`` gives the synapses onto cells with ``keep[gid]``, a block a time.

    kind: ``chemical``. models, names: by row of the projection's types. release: what its synapses get beyond a NetCon
    (`pynn_io.runners.neuron.release.Release`), if anything. drawing: finds the sites that are `DRAWN`
    (`pynn_io.runners.neuron.drawing.Drawing`), if there may be any.
    """

    projection: str
    kind: str
    pre: str
    post: str
    models: tuple[SynapseModel, ...]
    size: int
    blocks: Callable[[np.ndarray, Report], Iterator[SynapseBlock]]
    release: Any = None
    drawing: Any = None
    names: tuple[str, ...] = ()


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
