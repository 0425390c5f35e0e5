"""A network and a plan in Arbor's words and units: plain data, made without Arbor.

Units: ms, mV, nA, uS (weights onto synapses), S/cm2, uF/cm2, ohm.cm, um, mM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.lowering.cables.lowered import LoweredCables
from pynn_io.runners.arbor.trees import Tree


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole run: ms, mV, degC, um; all stated or defaulted (and then reported)."""

    duration: float
    timestep: float
    celsius: float
    v_init: float
    spike_threshold: float
    section_length: float
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Density:
    """A mechanism on a region (an expression of Arbor's). name: with its globals, ``pas/e=-70``."""

    region: str
    name: str
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Property:
    """A value on a region. kind: ``cm``, ``rL`` or ``Vm``; or ``rev_pot``, ``int_con`` or ``ext_con`` of an ``ion``."""

    region: str
    kind: str
    value: float
    ion: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cable:
    """Cells that are alike: a morphology with what is on its membrane.

    names, tag: of every section; order: in which they are counted in results (`pynn_io.graph.sections`).
    nernst: ions whose reversal potential follows from concentrations that a mechanism sets. threshold: mV.
    spikes_at: section and position where spikes are detected. where: for reports. shown: sections and positions as
    results count them, where that is otherwise.
    """

    tree: Tree
    names: tuple[str, ...]
    tag: np.ndarray
    order: str
    densities: tuple[Density, ...]
    properties: tuple[Property, ...]
    nernst: tuple[str, ...]
    threshold: float
    spikes_at: tuple[int, float]
    where: str
    shown: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None

    @property
    def count(self) -> np.ndarray:
        """Compartments of each section, int64[s]."""
        return self.tree.count


@dataclass(frozen=True, slots=True, eq=False)
class Lif:
    """Leaky integrate-and-fire cells, n of them. values: by parameter of Arbor's ``lif_cell``, float64[n]; mV, ms."""

    gids: np.ndarray
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class LoweredArbor(LoweredCables[Settings, Cable]):
    """What `build` makes.

    lifs: cells without extent, which are none of the cables and emit no trains.
    texts: mechanisms that were written for this network, name -> NMODL.
    """

    lifs: tuple[Lif, ...]
    texts: Mapping[str, str] = field(default_factory=empty)
