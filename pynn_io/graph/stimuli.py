"""What a stimulus is. Which ones are on, and where, is the plan's business.

Units: ms, nA, uS, mV, Hz. An ``interval`` of None is what the OBI extension says where it is silent: 0.025 ms
(`SinusoidalCurrent`), 0.5 (`NoiseCurrent`), 0.25 (`OrnsteinUhlenbeck`, `ShotNoise`).

Every stimulus names its target as a node set (name or inline rules), resolved when lowered.
The shapes are SONATA's: the guide's "inputs", BMTK's additions, and the OBI extension ("Simulation configuration",
inputs 26-42 of its list); a class covers several module names where they differ in what an amplitude is relative to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component

NodeSet: TypeAlias = Any  # a name, an inline rule set, a list of ids: see pynn_io.graph.node_sets


class Relative(StrEnum):
    """What an amplitude is a part of. Everything but ``NOTHING`` is a percentage, and differs from cell to cell."""

    NOTHING = ""
    THRESHOLD = "threshold_current"  # the cell's ``threshold_current`` column, nA
    INPUT_CONDUCTANCE = "input_resistance"  # the inverse of the cell's ``input_resistance`` column, MOhm


@dataclass(frozen=True, slots=True, eq=False)
class SpikeTrains:
    """Spike times per node of one population, sorted by node then time.

    node_ids, times: equally long arrays (int64; ms), one entry a spike; ids are those of the ``id`` column.
    """

    population: str
    node_ids: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, slots=True)
class PoissonTrains:
    """Independent Poisson trains at ``rate`` (Hz) in a window (ms), one for every cell of the node set.

    The cells are sources that fire these trains. With a ``weight`` (unit: the cell's) they are neurons instead, and
    each train arrives at one (OBI, Brian2's PoissonInput).
    """

    rate: float
    delay: float = 0.0
    duration: float | None = None
    seed: int | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SynapseReplay:
    """Spikes of ``trains`` delivered to the synapses that their nodes make on cells of the node set, and to no others.

    The presynaptic cells need not exist as cells that run. Times are absolute; those outside the window are dropped.
    """

    trains: SpikeTrains
    delay: float = 0.0
    duration: float | None = None
    source: NodeSet | None = None


@dataclass(frozen=True, slots=True)
class SpontaneousSynapses:
    """Events on the synapses onto cells of the node set, without a spike: at ``rate`` (Hz), or at ``times`` (ms).

    source: only synapses from these cells (None: from all). silences_others: while it is there, spikes of cells that
    run cross no synapse at all, as in BMTK, whose ``syn_activity`` gives ``times``, the same for every synapse
    (bmtk/simulator/bionet/biocell.py, BioCellSpontSyn).
    """

    rate: float | None = None
    delay: float = 0.0
    duration: float | None = None
    source: NodeSet | None = None
    times: tuple[float, ...] = ()
    silences_others: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CurrentPulses:
    """Step currents, nA: amplitude from ``delay`` for ``duration`` (ms); several steps add up."""

    amplitudes: np.ndarray
    delays: np.ndarray
    durations: np.ndarray


@dataclass(frozen=True, slots=True)
class CurrentRamp:
    """A current from ``start`` to ``stop`` (nA, or % of what it is relative to), linear in the window."""

    start: float
    stop: float
    delay: float
    duration: float
    relative: Relative = Relative.NOTHING


@dataclass(frozen=True, slots=True)
class Hyperpolarizing:
    """The cell's own ``holding_current`` (nA) in the window."""

    delay: float
    duration: float


@dataclass(frozen=True, slots=True)
class Subthreshold:
    """``(100 - percent_less) %`` of the cell's ``threshold_current`` in the window."""

    percent_less: float
    delay: float
    duration: float


@dataclass(frozen=True, slots=True)
class SinusoidalCurrent:
    """``amplitude * sin(2 pi frequency (t - delay) + phase)``, nA, Hz and degrees; updated every ``interval`` ms.

    OBI's ``dt``, with straight lines between the values. held: each value stays until the next one, as PyNN's sources
    have it, whose interval is the time step.
    """

    amplitude: float
    frequency: float
    delay: float
    duration: float
    interval: float | None = None
    phase: float = 0.0
    held: bool = False


@dataclass(frozen=True, slots=True)
class NoiseCurrent:
    """Gaussian white noise, a new value every ``interval`` ms: mean and variance, nA, or % of the threshold current.

    Straight lines between the values; held: each stays until the next one (PyNN).
    """

    mean: float
    variance: float
    delay: float
    duration: float
    relative: Relative = Relative.NOTHING
    interval: float | None = None
    seed: int | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """An Ornstein-Uhlenbeck process: ``tau`` ms; mean, sigma in nA, or in uS about ``reversal`` (mV) if conductance."""

    tau: float
    mean: float
    sigma: float
    delay: float
    duration: float
    conductance: bool = False
    reversal: float = 0.0
    relative: Relative = Relative.NOTHING
    interval: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ShotNoise:
    """A Poisson process filtered by a bi-exponential (``rise``, ``decay``, ms), with gamma-distributed amplitudes.

    OBI's three forms: ``shot_noise`` states ``rate`` (Hz), ``amplitude_mean`` and ``amplitude_variance``; the
    ``absolute`` and ``relative`` ones state ``mean`` and ``sigma`` of the signal and ``relative_skew`` (0 to 1 between
    the least and the greatest possible skewness; 0.5 where it is silent) or, in older files, the coefficient of
    variation of the amplitudes, ``amplitude_cv``, from which the former follow (Campbell's theorem).
    Amplitudes are nA or uS.
    """

    rise: float
    decay: float
    delay: float
    duration: float
    rate: float | None = None
    amplitude_mean: float | None = None
    amplitude_variance: float | None = None
    mean: float | None = None
    sigma: float | None = None
    amplitude_cv: float | None = None
    conductance: bool = False
    reversal: float = 0.0
    relative: Relative = Relative.NOTHING
    interval: float | None = None
    seed: int | None = None
    relative_skew: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VoltageClamp:
    """A single-electrode clamp: ``levels`` (mV) held for ``durations`` (ms), one after another from ``delay``.

    series_resistance: MOhm; None where the source is silent.
    """

    levels: np.ndarray
    durations: np.ndarray
    delay: float = 0.0
    series_resistance: float | None = None


@dataclass(frozen=True, slots=True)
class ComponentInput:
    """An input that is a NeuroML or LEMS component (``poissonFiringSynapse``, ``rampGenerator``, one of an own type).

    What has a class of its own here (``pulseGenerator``: `CurrentPulses`) is that. Each target has an instance of its
    own. Components that it names (``synapse="ampa"``) are definitions of the network.
    """

    component: Component


@dataclass(frozen=True, slots=True)
class OtherStimulus:
    """A stimulus that is kept as its file states it; whoever cannot apply it reports it by name."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=empty)


What: TypeAlias = (
    SpikeTrains
    | PoissonTrains
    | SynapseReplay
    | SpontaneousSynapses
    | CurrentPulses
    | CurrentRamp
    | Hyperpolarizing
    | Subthreshold
    | SinusoidalCurrent
    | NoiseCurrent
    | OrnsteinUhlenbeck
    | ShotNoise
    | VoltageClamp
    | ComponentInput
    | OtherStimulus
)


def kind_of(what: What) -> str:
    """What a stimulus is called in reports: its class, or what its file calls it."""
    if isinstance(what, ComponentInput):
        return what.component.type
    return what.kind if isinstance(what, OtherStimulus) else type(what).__name__


def code_of(what: What) -> str:
    """The loss code of a stimulus that is not applied, as the audit has it: ``other-stimulus``, ``poisson-trains``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(what).__name__).lower()


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Where an input goes, target by target (NeuroML ``<inputList>``), n of them; a cell may be named several times.

    rows: int64[n] of ``population``. segment: int64[n], NeuroML segment ids; fraction: float64[n] along it; None: the
    root segment's middle. weight: float64[n], factors; None: 1.
    """

    population: str
    rows: np.ndarray
    segment: np.ndarray | None = None
    fraction: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One named input: what, onto which cells, where on the cell (section and fraction; by default mid-soma).

    compartment_set: name of an OBI compartment set that takes the node set's place. physical_electrode: the current
    enters through an electrode and is no membrane current (OBI ``represents_physical_electrode``).
    distance_range: um from the soma; one segment in it is drawn at random from the sections named (several names are
    separated by spaces) and takes the place of ``position`` (BMTK: ``section_index`` as a list).
    targets: take the place of ``node_set`` (None then), ``section`` and ``position``.
    """

    name: str
    what: What
    node_set: NodeSet
    section: str = "soma"
    position: float = 0.5
    compartment_set: str | None = None
    physical_electrode: bool = False
    distance_range: tuple[float, float] | None = None
    targets: Targets | None = None
