"""Cells with their synapses as plain data, as simulators with cables take them: models by part, blocks of synapses.

The words are NEURON's, and so are the units: ms, mV, nA, uS (weights onto synapses), S/cm2, uF/cm2, ohm.cm, um.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from pynn_io.graph.biophysics import Paint as Painted
from pynn_io.graph.columns import empty
from pynn_io.lowering.membrane import SegmentModel as SegmentModel
from pynn_io.report import Report


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
    """A cable cell: what happens to its morphology, then what is on its membrane, in order.

    equations: channels and concentration models of its decor that are components, for simulators that take them here.
    """

    processing: tuple[str, ...]
    paints: tuple[Paint, ...]
    equations: tuple[Painted, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Relay:
    """A process between a source and a cell without extent, for one type of synapses: it passes spikes on, changed.

    parameters: its numbers. columns: parameter of an edge -> variable. of_target: variable -> what it is of the target,
    by the sign of the weight (plus, minus). dendritic: in which part of the delay a spike of the target comes back;
    None where it does not matter.
    """

    mechanism: str
    parameters: Mapping[str, float] = field(default_factory=empty)
    columns: Mapping[str, str] = field(default_factory=empty)
    of_target: Mapping[str, tuple[str, str]] = field(default_factory=empty)
    dendritic: float | None = None


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
    (NEURON's `Release`), if anything. drawing: finds the sites that are `DRAWN` on built cells (NEURON's `Drawing`),
    if there may be any. relays: by row of the types, what stands between sources and cells; empty for none at all.
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
    relays: tuple[Relay | None, ...] = ()
