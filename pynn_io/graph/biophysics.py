"""Decor: what is painted over a region of a cable cell, or placed at one point of it (the words are Arbor's).

A region is a segment-group name; ``all`` is the whole cell. The four SONATA and SWC regions are ``soma``, ``axon``,
``dend`` (basal dendrites) and ``apic``. Units: mS/cm2, mV, uF/cm2, ohm.cm, mM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from pynn_io.graph.columns import empty

#: Membrane properties by kind, with their units.
PROPERTY_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "specific_capacitance": "uF_per_cm2",
        "axial_resistivity": "ohm_cm",
        "initial_potential": "mV",
        "spike_threshold": "mV",
    }
)


@dataclass(frozen=True, slots=True)
class ChannelDensity:
    """An ion channel spread over the membrane.

    channel: key of `Network.channels`.
    density: maximal conductance, mS/cm2; None where the channel's own default stands.
    ion: the species it carries (``na``, ``k``, ``ca``, ``hcn``, ``non_specific``); None where the source is silent.
    reversal: mV; None where it follows the ion's reversal potential or the channel's own default.
    parameters: further range variables, in the units of the channel's own dialect.
    """

    channel: str
    density: float | None = None
    ion: str | None = None
    reversal: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=empty)


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
class ConcentrationModel:
    """A mechanism that sets the concentration of an ion; ``parameters`` in the units of its own dialect."""

    mechanism: str
    ion: str
    parameters: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True)
class Junction:
    """A gap junction site; conductance is the projection's."""

    name: str = "gap_junction"


Item: TypeAlias = ChannelDensity | MembraneProperty | ReversalPotential | ConcentrationModel


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


Channel: TypeAlias = Opaque
