"""PyNN's multicompartment cells as cable cells: channels by region, passive properties, reversal potentials.

PyNN's channels are pieces of two mechanisms that NEURON brings: sodium and potassium of ``hh``, whose leak is off,
and ``pas`` (pyNN.neuron, "ion channels"). PyNN's units: S/cm2, uF/cm2, ohm.cm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.graph.biophysics import ChannelDensity, MembraneProperty, Opaque, Paint, ReversalPotential
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.pynn_objects.shapes import regions, shape_of, values_in
from pynn_io.report import Report

#: Channels that are pieces of NEURON's ``hh``: its parameter for the density, and that for the reversal potential.
_HH: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"NaChannel": ("gnabar", ""), "KdrChannel": ("gkbar", ""), "PassiveLeakHH": ("gl", "el")}
)
_PASSIVE = "PassiveLeak"
_DENSITY, _REVERSAL = "conductance_density", "e_rev"
#: Receptors that NEURON's own synapses are.
_SYNAPSES = {"CondExpPostSynapticResponse": ("nrn:ExpSyn", {"tau_syn": "tau", "e_syn": "e"})}


@dataclass(frozen=True, slots=True)
class Cable:
    """A cell with what it names."""

    cell: CableCell
    shape: Morphology
    channels: Mapping[str, Opaque]


def is_cable(celltype: Any) -> bool:
    """Whether a cell type is of PyNN's multicompartment interface."""
    return hasattr(celltype, "ion_channels") and hasattr(celltype, "parts")


def cable_of(population: Any, name: str, report: Report) -> Cable:
    """The cell of a population. Raises UnsupportedInput for selectors and morphologies that are not known."""
    celltype, where = population.celltype, f"population {name}"
    parts = {"cm": 1.0, "Ra": 35.4, **celltype.parts}
    shape = shape_of(parts["morphology"], name, report)
    decor = [*_passive(parts, shape)]
    decor += _channels(celltype.ion_channels, parts, shape, where, report)
    for ion, species in (parts.get("ionic_species") or {}).items():
        decor.append(Paint("all", ReversalPotential(ion, float(species.reversal_potential))))
        concentrations = (species.internal_concentration, species.external_concentration)
        if any(value is not None for value in concentrations):
            message = "Concentrations of ions that no mechanism changes are not read."
            report.not_read("ion-concentration", where, message, examples=[ion])
    used = {paint.item.channel for paint in decor if isinstance(paint.item, ChannelDensity)}
    channels = {channel: Opaque("nmodl", channel) for channel in sorted(used)}
    return Cable(CableCell(name, tuple(decor)), shape, channels)


def _passive(parts: Mapping[str, Any], shape: Morphology) -> Iterator[Paint]:
    capacitance = values_in(parts["cm"], shape)
    for value in np.unique(capacitance):
        for region in regions(capacitance == value, shape):
            yield Paint(region, MembraneProperty("specific_capacitance", float(value)))
    yield Paint("all", MembraneProperty("axial_resistivity", float(parts["Ra"])))


def _channels(
    kinds: Mapping[str, Any], parts: Mapping[str, Any], shape: Morphology, where: str, report: Report
) -> Iterator[Paint]:
    """``pas`` by its density, and ``hh`` where any of its pieces is."""
    pieces: dict[str, np.ndarray] = {}
    leaks: dict[str, float] = {}
    for label, kind in kinds.items():
        name = (kind if isinstance(kind, type) else type(kind)).__name__
        stated = {**dict(kind.default_parameters), **parts.get(label, {})}
        density = values_in(stated[_DENSITY], shape)
        if name == _PASSIVE:
            for region, value in _levels(density, shape):
                yield Paint(region, ChannelDensity("pas", value * 1000.0, "non_specific", float(stated[_REVERSAL])))
        elif name in _HH:
            parameter, reversal = _HH[name]
            pieces[parameter] = pieces.get(parameter, 0.0) + density
            leaks |= {reversal: float(stated[_REVERSAL])} if reversal else {}
        else:
            message = "A channel of this kind is not read."
            report.lost("channel-kind", where, message, examples=[f"{label}: {name}"])
    yield from _hodgkin_huxley(pieces, leaks, shape)


def _levels(density: np.ndarray, shape: Morphology) -> Iterator[tuple[str, float]]:
    for value in np.unique(density[density > 0]).tolist():
        for region in regions(density == value, shape):
            yield region, value


def _hodgkin_huxley(pieces: Mapping[str, np.ndarray], leaks: Mapping[str, float], shape: Morphology) -> Iterator[Paint]:
    """One ``hh`` with all pieces; those that are nowhere are off."""
    none = np.zeros(shape.size)
    table = np.stack([pieces.get(name, none) for name, _ in _HH.values()], axis=1)
    for row in np.unique(table[table.any(axis=1)], axis=0):
        values = dict(zip((name for name, _ in _HH.values()), row.tolist(), strict=True))
        for region in regions((table == row).all(axis=1), shape):
            yield Paint(region, ChannelDensity("hh", parameters={**values, **leaks}))


def synapse_onto(celltype: Any, receptor: str) -> Synapse | None:
    """The synapse that a receptor of a cable cell is; None for one that no simulator here has as such."""
    kind = celltype.post_synaptic_entities[receptor]
    model, renames = _SYNAPSES.get((kind if isinstance(kind, type) else type(kind)).__name__, ("", {}))
    stated = {**dict(kind.default_parameters), **celltype.parts.get(receptor, {})}
    return Synapse(model, {new: float(stated[old]) for old, new in renames.items()}) if model else None
