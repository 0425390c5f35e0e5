"""A network and a plan in MOOSE's words: plain data, made without MOOSE.

What MOOSE is given is in its units, SI (and mM); what is of the plan in the plan's (ms, mV, degC).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pynn_io.lowering.cables.lowered import LoweredCables
from pynn_io.runners.moose.circuit import Circuit
from pynn_io.runners.moose.gates import Tables


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole run: ms, mV, degC, um; all stated or defaulted (and then reported)."""

    duration: float
    timestep: float
    celsius: float
    v_init: float
    spike_threshold: float
    section_length: float


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One kind of channel. tables: None of one that is always open. ion: whose current it is; reads: the ion whose
    concentration its gates depend on. nernst: whether its reversal potential follows from concentrations of the ion."""

    name: str
    tables: Tables | None
    ion: str
    reads: str = ""
    nernst: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A channel on k compartments (int64[k]). conductance: S; reversal: V, where it is fixed; float64[k] each."""

    channel: Channel
    compartments: np.ndarray
    conductance: np.ndarray
    reversal: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Concentrations of an ion in k compartments (int64[k]): ``dC/dt = B I - (C - basal) / tau``, float64[k] each.

    b: mM/(A s). basal, start: mM. tau: s. outside: mM.
    """

    ion: str
    compartments: np.ndarray
    b: np.ndarray
    basal: np.ndarray
    tau: np.ndarray
    start: np.ndarray
    outside: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Cable:
    """Cells that are alike: c compartments with what is on their membrane.

    names, tag: of every section; count: of compartments of each, int64[s]; order: in which they are counted in results.
    capacitance: F; leak: S; rest: V, of that; initial: V; float64[c] each. threshold: mV. spikes_at: section and
    position where spikes are detected. where: for reports. shown: sections and positions as results count them, where
    that is otherwise.
    """

    circuit: Circuit
    names: tuple[str, ...]
    tag: np.ndarray
    count: np.ndarray
    order: str
    capacitance: np.ndarray
    leak: np.ndarray
    rest: np.ndarray
    initial: np.ndarray
    channels: tuple[Placed, ...]
    pools: tuple[Pool, ...]
    threshold: float
    spikes_at: tuple[int, float]
    where: str
    shown: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None

    def compartment(self, section: np.ndarray, position: np.ndarray) -> np.ndarray:
        """The compartments that hold some places. int64[k]"""
        count = self.count[section]
        return (np.cumsum(self.count) - self.count)[section] + np.minimum(
            np.floor(position * count + 1e-9).astype(np.int64), count - 1
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """Synapses of one kind, on one compartment one ``SynChan``: a rise and a decay (s; 0: an immediate rise), V."""

    rise: float
    decay: float
    reversal: float


@dataclass(frozen=True, slots=True, eq=False)
class LoweredMoose(LoweredCables[Settings, Cable]):
    """What `build` makes."""
