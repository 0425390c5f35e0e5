"""Decor: what is painted over a region of a cable cell, or placed at one point of it (the words are Arbor's).

A region is a segment-group name; ``all`` is the whole cell. The four SONATA and SWC regions are ``soma``, ``axon``,
``dend`` (basal dendrites) and ``apic``. One segment alone is the region ``segment:ID``. Units: mS/cm2, mV, uF/cm2,
ohm.cm, mM, um/ms (permeability).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component
from pynn_io.graph.expressions import Expression

#: Membrane properties by kind, with their units.
PROPERTY_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "specific_capacitance": "uF_per_cm2",
        "axial_resistivity": "ohm_cm",
        "initial_potential": "mV",
        "spike_threshold": "mV",
    }
)


class Law(StrEnum):
    """How the current through open channels depends on potential and concentrations (NeuroML 2, Cells)."""

    OHMIC = "ohmic"  # g (v - e), e as stated
    NERNST = "nernst"  # g (v - e), e from the ion's concentrations
    NERNST_CA2 = "nernst_ca2"  # the same with the second calcium pool of the cell
    GHK = "ghk"  # Goldman-Hodgkin-Katz, of a permeability
    GHK2 = "ghk2"  # the form of Ca currents that is scaled by a conductance (Cerebellar models)


@dataclass(frozen=True, slots=True)
class Profile:
    """A density that varies over a segment group.

    group: the segment group. parameter: one of its inhomogeneous parameters (`GroupNotes.parameters`), whose
    ``variable`` stands for the path length from the root, um. value: expression in that variable, in SI units
    (S/m2, m/s), as NeuroML states it.
    """

    group: str
    parameter: str
    value: Expression


@dataclass(frozen=True, slots=True)
class ChannelDensity:
    """An ion channel spread over the membrane.

    channel: key of `Network.channels`.
    density: maximal conductance, mS/cm2; None where the channel's own default stands.
    ion: the species it carries (``na``, ``k``, ``ca``, ``hcn``, ``non_specific``); None where the source is silent.
    reversal: mV; None where it follows the ion's reversal potential or the channel's own default.
    parameters: further range variables, in the units of the channel's own dialect.
    name: the statement's own id. law: see `Law`; GHK states ``permeability`` (um/ms) in place of a density. v_shift: mV
    by which a channel that knows it (``ionChannelVShift``) is shifted. profiles: where the density varies in space.
    """

    channel: str
    density: float | None = None
    ion: str | None = None
    reversal: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=empty)
    name: str = ""
    law: Law = Law.OHMIC
    permeability: float | None = None
    v_shift: float | None = None
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelPopulation:
    """A number of single channels in the region, all of it together (``channelPopulation``), not a density."""

    channel: str
    number: float
    ion: str | None = None
    reversal: float | None = None
    name: str = ""
    law: Law = Law.OHMIC


@dataclass(frozen=True, slots=True)
class MembraneProperty:
    """One of `PROPERTY_UNITS`, in that unit."""

    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class ReversalPotential:
    """The reversal potential of an ion, mV."""

    ion: str
    value: float


@dataclass(frozen=True, slots=True)
class InitialConcentration:
    """Concentrations of an ion at the start, mM, inside and outside, whatever sets them later."""

    ion: str
    inside: float
    outside: float


@dataclass(frozen=True, slots=True)
class ConcentrationModel:
    """A mechanism that sets the concentration of an ion; ``parameters`` in the units of its own dialect.

    mechanism: key of `Network.channels`. initial, initial_outside: concentrations at the start, mM; None where silent.
    name: the statement's own id (``species``), which most files make equal to ``ion``.
    """

    mechanism: str
    ion: str
    parameters: Mapping[str, Any] = field(default_factory=empty)
    initial: float | None = None
    initial_outside: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Junction:
    """A gap junction site; conductance is the projection's."""

    name: str = "gap_junction"


Item: TypeAlias = (
    ChannelDensity
    | ChannelPopulation
    | MembraneProperty
    | ReversalPotential
    | InitialConcentration
    | ConcentrationModel
)


@dataclass(frozen=True, slots=True)
class Paint:
    """``item`` everywhere in ``region``."""

    region: str
    item: Item


@dataclass(frozen=True, slots=True)
class Place:
    """``item`` at ``fraction`` (0 to 1) along ``region``, which must be one unbranched section."""

    region: str
    fraction: float
    item: Junction


@dataclass(frozen=True, slots=True)
class Opaque:
    """A definition that stays in its own dialect: passed verbatim to a target that speaks it, reported lost to others.

    dialect: ``nmodl``, ``hoc``, ``lems`` ...; payload: its text, or None where only the name is known.
    """

    dialect: str
    name: str
    payload: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=empty)


#: A definition of `Network.channels`: an ion channel or a concentration model.
Channel: TypeAlias = Opaque | Component
