"""What NeuroML and LEMS components are in NEURON: mechanisms written for them, and the cells that these make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Law,
    MembraneProperty,
    Opaque,
    Paint,
    Profile,
)
from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.graph.segments import path_length
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.types import Types, as_component, components_of, types_of
from pynn_io.report import Report
from pynn_io.runners.neuron.lowered import PointModel, SegmentModel, Spread, SynapseModel, Varying
from pynn_io.runners.neuron.segment_shape import SegmentShape, segment_shape
from pynn_io.units import to_coherent

SCHEME = "neuroml:"
#: Membrane properties that are section variables of NEURON, in the same units; ``v`` at the start.
_VALUES = {"specific_capacitance": "cm", "axial_resistivity": "Ra", "initial_potential": "v"}
#: Law of a current -> type of the density.
_DENSITIES = {
    Law.OHMIC: "channelDensity",
    Law.NERNST: "channelDensityNernst",
    Law.NERNST_CA2: "channelDensityNernstCa2",
    Law.GHK: "channelDensityGHK",
    Law.GHK2: "channelDensityGHK2",
}
#: S/m2 in S/cm2, and m/s in um/ms.
_SQUARE, _SPEED = 1e-4, 1e3
_ALL, _ONE = "all", "segment:"


@dataclass(slots=True)
class Generated:
    """The mechanisms of one network, written when first asked for.

    section_length: um, of compartments where a segment group states no number of them. texts: name -> NMODL.
    """

    network: Network
    section_length: float | None = None
    types: Types = field(init=False)
    named: Mapping[str, Component] = field(init=False)
    texts: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, SegmentShape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types = types_of(self.network)
        self.named = components_of(self.network)

    @property
    def attached(self) -> frozenset[str]:
        """Cells that synapses of NeuroML act on: a point process of our own for a standard cell takes none."""
        found: set[str] = set()
        for projection in self.network.projections.values():
            if any(self.network.synapses[name].model.startswith(SCHEME) for name in projection.synapses):
                found.update(self.network.populations[projection.post].cells)
        return frozenset(found)

    def add(self, made: Mechanism) -> Mechanism:
        self.texts[made.name] = made.text
        return made

    def shape(self, morphology: str) -> SegmentShape:
        """The sections of a cell of segments, by the name of its morphology."""
        if morphology not in self.shapes:
            self.shapes[morphology] = segment_shape(self.network.morphologies[morphology], self.section_length)
        return self.shapes[morphology]

    def copied(self, made: Mechanism, number: int) -> Mechanism:
        """The mechanism under another name, for a second one in the same section."""
        name = f"{made.name}_{number}"
        return self.add(replace(made, name=name, text=made.text.replace(made.name, name)))

    def synapse(self, name: str, synapse: Synapse) -> SynapseModel:
        """A synapse component as a point process."""
        made = self.add(nmodl.synapse(as_component(name, synapse), self.types, self.named))
        return SynapseModel(made.name, made.parameters, made.records)

    def input(self, component: Component) -> Mechanism:
        """An input component as a point process."""
        return self.add(nmodl.current(component, self.types, self.named))

    def point(self, name: str, cell: PointCell) -> PointModel:
        """An abstract cell as a point process in a section of its own."""
        component = as_component(name, with_pynn_parameters(cell))
        made = self.add(nmodl.cell(component, self.types, self.named))
        start = starting_values(flatten(component, self.types, self.named), {})
        potential = start.get("v")
        return PointModel(
            made.name,
            made.parameters,
            capacitance=nmodl.capacitance_of(component),
            potential=None if potential is None else float(potential),
            variables=made.records,
        )


def with_pynn_parameters(cell: PointCell) -> PointCell:
    """A standard cell of PyNN as NeuroML's component of that name, whose initial potential is a parameter."""
    if cell.model.startswith(SCHEME):
        return cell
    numbers = dict(cell.parameters)
    if "v" in numbers:
        numbers["v_init"] = numbers.pop("v")
    return replace(cell, model=f"{SCHEME}{cell.model}", parameters=numbers)


def is_of_components(cell: CableCell, network: Network) -> bool:
    """Whether a cable cell is NeuroML's: it has segment groups of its own, or channels that are components."""
    if cell.template or cell.processing or cell.morphology is None:
        return False
    if any(isinstance(item, Component) for item in network.channels.values()):
        named = [p.item.channel for p in cell.decor if isinstance(p.item, ChannelDensity | ChannelPopulation)]
        if named:
            return all(isinstance(network.channels.get(name), Component) for name in named)
    return "neuroml" in network.extra


def segment_model(name: str, cell: CableCell, generated: Generated, report: Report) -> SegmentModel:
    """What is on the segments of a NeuroML cell."""
    network, where = generated.network, f"cells/{name}"
    morphology = network.morphologies[str(cell.morphology)]
    spreads: list[Spread] = []
    values: list[tuple[str, np.ndarray, float]] = []
    threshold = None
    for entry in cell.decor:
        if not isinstance(entry, Paint):
            report.lost("placed-item", where, "Items placed at one point of a cell are not built on NEURON.")
            continue
        rows, item = rows_of_region(entry.region, morphology), entry.item
        if isinstance(item, MembraneProperty):
            if item.kind == "spike_threshold":
                threshold = item.value if threshold is None or 0 in rows else threshold
            else:
                values.append((_VALUES[item.kind], rows, item.value))
        elif isinstance(item, ChannelDensity):
            spreads.append(_density(item, rows, morphology, generated))
        elif isinstance(item, ChannelPopulation):
            report.lost("channel-population", where, "Channels that are counted, not spread, are not built on NEURON.")
        elif isinstance(item, ConcentrationModel):
            spreads.append(_pool(item, rows, generated))
    return SegmentModel(tuple(_apart(spreads, generated)), tuple(values), threshold)


def rows_of_region(region: str, morphology: Morphology) -> np.ndarray:
    """The segment rows of a region: all, one segment, or a group."""
    if region.startswith(_ONE):
        return np.flatnonzero(morphology.id == int(region.removeprefix(_ONE)))
    if region in morphology.groups:
        return morphology.groups[region]
    return np.arange(morphology.size) if region == _ALL else np.zeros(0, dtype=np.int64)


def _density(item: ChannelDensity, rows: np.ndarray, morphology: Morphology, generated: Generated) -> Spread:
    channel = generated.network.channels[item.channel]
    if isinstance(channel, Opaque):
        raise TypeError(f"{item.channel} is not a component")
    made = generated.add(nmodl.density(_density_component(item), channel, item.ion or "", generated.types))
    varying = tuple(_varying(profile, item.law, morphology) for profile in item.profiles)
    if varying:
        rows = np.unique(np.concatenate([each.rows for each in varying]))
    return Spread(item.name or item.channel, rows, made.name, made.parameters, _under(made, item.channel), varying)


def _under(made: Mechanism, channel: str) -> dict[str, tuple[str, float]]:
    """Variables by the path behind the density: those of the channel stand behind its id."""
    own = {"gDensity", "iDensity", "erev"}
    return {(name if name in own else f"{channel}_{name}"): place for name, place in made.records.items()}


def _density_component(item: ChannelDensity) -> Component:
    type_ = _DENSITIES[item.law]
    numbers: dict[str, float] = {}
    if item.law is Law.GHK:
        numbers["permeability"] = item.permeability or 0.0
    else:
        numbers["condDensity"] = to_coherent(item.density or 0.0, "mS_per_cm2")
    if item.law is Law.OHMIC:
        numbers["erev"] = 0.0 if item.reversal is None else item.reversal
    if item.v_shift is not None and item.law is Law.OHMIC:
        type_, numbers["vShift"] = "channelDensityVShift", item.v_shift
    return Component(type_, item.name, numbers)


def _varying(profile: Profile, law: Law, morphology: Morphology) -> Varying:
    rows = rows_of_region(profile.group, morphology)
    notes = morphology.notes.get(profile.group)
    stated = next((each for each in notes.parameters if each.name == profile.parameter), None) if notes else None
    near, far = path_length(morphology)
    start = float(near[rows].min()) if stated is not None and stated.start == 0 and len(rows) else 0.0
    scale = float(far[rows].max()) - start if stated is not None and stated.end == 1 and len(rows) else 1.0
    parameter, factor = ("permeability", _SPEED) if law is Law.GHK else ("gmax", _SQUARE)
    return Varying(parameter, rows, profile.value, stated.variable if stated else "p", start, scale, factor)


def _pool(item: ConcentrationModel, rows: np.ndarray, generated: Generated) -> Spread:
    model = generated.network.channels[item.mechanism]
    if isinstance(model, Opaque):
        raise TypeError(f"{item.mechanism} is not a component")
    made = generated.add(nmodl.pool(model, item.ion, generated.types))
    numbers = {
        **made.parameters,
        "initialConcentration": item.initial or 0.0,
        "initialExtConcentration": item.initial_outside or 0.0,
    }
    return Spread(item.name or item.ion, rows, made.name, numbers, made.records)


def _apart(spreads: list[Spread], generated: Generated) -> Iterator[Spread]:
    """Statements of one mechanism on one section each get a mechanism of their own: NEURON inserts a name once."""
    taken: dict[str, list[np.ndarray]] = {}
    for spread in spreads:
        places = taken.setdefault(spread.mechanism, [])
        number = next((n for n, rows in enumerate(places) if not np.intersect1d(rows, spread.rows).size), len(places))
        if number == len(places):
            places.append(spread.rows)
        else:
            places[number] = np.union1d(places[number], spread.rows)
        if number:
            text = generated.texts[spread.mechanism]
            name = generated.copied(Mechanism(spread.mechanism, text), number + 1).name
            yield replace(spread, mechanism=name)
        else:
            yield spread
