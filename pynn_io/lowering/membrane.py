"""What is on the membrane of a NeuroML cell, as mechanisms of NEURON and values on segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import empty
from pynn_io.graph.dynamics import Component
from pynn_io.graph.expressions import Expression
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.graph.segments import GROUP_OF_TAG, path_length
from pynn_io.lowering import nmodl
from pynn_io.lowering.nmodl import Mechanism
from pynn_io.lowering.segment_shape import SegmentShape
from pynn_io.lowering.types import Types, components_of, types_of
from pynn_io.report import Report
from pynn_io.units import to_coherent

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
_POPULATIONS = {Law.OHMIC: "channelPopulation", Law.NERNST: "channelPopulationNernst"}
#: S/m2 in S/cm2, and m/s in um/ms.
_SQUARE, _SPEED = 1e-4, 1e3
_ALL, _ONE = "all", "segment:"
#: Parameters of which 0 takes a mechanism out of a compartment.
AMOUNTS = frozenset({"gmax", "permeability", "channels"})


@dataclass(frozen=True, slots=True, eq=False)
class Varying:
    """``parameter`` of a mechanism over ``rows`` as a function of the path length ``variable``, which begins at
    ``start`` (um) and is a part of ``scale`` (um; 1: none). factor: from SI to the mechanism's unit."""

    parameter: str
    rows: np.ndarray
    value: Expression
    variable: str
    start: float
    scale: float
    factor: float


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A mechanism on the membrane of some segments (int64 ROWS) of a NeuroML cell.

    name: of the statement in its file (a channel density's id). definition: the channel's or concentration model's id.
    parameters: in the mechanism's units. variables: of the component -> (variable of the mechanism, what makes it SI).
    varying: what differs from compartment to compartment.
    """

    name: str
    definition: str
    rows: np.ndarray
    mechanism: str
    parameters: Mapping[str, float]
    variables: Mapping[str, tuple[str, float]] = field(default_factory=empty)
    varying: tuple[Varying, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SegmentModel:
    """A cable cell of NeuroML: mechanisms and values on segments.

    values: (section variable, rows, value), in order; ``v`` is the potential at the start. threshold: mV, of spikes.
    """

    spreads: tuple[Spread, ...]
    values: tuple[tuple[str, np.ndarray, float], ...]
    threshold: float | None = None


@dataclass(slots=True)
class Mechanisms:
    """The mechanisms of one network, written when first asked for. texts: name -> NMODL."""

    network: Network
    types: Types = field(init=False)
    named: Mapping[str, Component] = field(init=False)
    texts: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.types = types_of(self.network)
        self.named = components_of(self.network)

    def add(self, made: Mechanism) -> Mechanism:
        self.texts[made.name] = made.text
        return made

    def density(self, component: Component, channel: Component, ion: str) -> Mechanism:
        """A channel density in the words of the simulator."""
        return nmodl.density(component, channel, ion, self.types)

    def pool(self, component: Component, ion: str) -> Mechanism:
        """A concentration model in the words of the simulator."""
        return nmodl.pool(component, ion, self.types)

    def population(self, component: Component, channel: Component, ion: str) -> Mechanism:
        """Channels that are counted."""
        return nmodl.population(component, channel, ion, self.types)

    def copied(self, name: str, number: int) -> str:
        """The name of a copy of a mechanism, for a second one in the same section: NEURON inserts a name once."""
        copy = f"{name}_{number}"
        self.texts[copy] = self.texts[name].replace(name, copy)
        return copy


def segment_model(
    name: str, cell: CableCell, shape: SegmentShape, mechanisms: Mechanisms, report: Report
) -> SegmentModel:
    """What is on the segments of a NeuroML cell; what cannot be is in the report.

    shape: the compartments, among which counted channels are divided.
    Raises UnsupportedInput for equations that NMODL has no words for.
    """
    network, where = mechanisms.network, f"cells/{name}"
    morphology = network.morphologies[str(cell.morphology)]
    spreads: list[Spread] = []
    values: list[tuple[str, np.ndarray, float]] = []
    threshold = None
    for entry in cell.decor:
        if not isinstance(entry, Paint):
            report.lost("placed-item", where, "Items placed at one point of a cell are not built.")
            continue
        rows, item = rows_of_region(entry.region, morphology), entry.item
        if isinstance(item, MembraneProperty):
            if item.kind == "spike_threshold":
                threshold = item.value if threshold is None or 0 in rows else threshold
            else:
                values.append((_VALUES[item.kind], rows, item.value))
        elif isinstance(item, ChannelDensity) and isinstance(network.channels.get(item.channel), Component):
            spreads.append(_density(item, rows, mechanisms, morphology))
        elif isinstance(item, ChannelPopulation) and isinstance(network.channels.get(item.channel), Component):
            spreads += _population(item, rows, shape, mechanisms, where, report)
        elif isinstance(item, ConcentrationModel) and isinstance(network.channels.get(item.mechanism), Component):
            spreads.append(_pool(item, rows, mechanisms))
        else:
            _refuse(item, where, report)
    return SegmentModel(tuple(_apart(spreads, mechanisms)), tuple(values), threshold)


def region_spreads(paints: Iterable[Paint], tags: np.ndarray, mechanisms: Mechanisms) -> tuple[Spread, ...]:
    """Channels and concentration models in equations on a cell that is described by region; rows are tags of sections.

    tags: int64, that the cell has. Raises UnsupportedInput as `segment_model` does.
    """
    spreads = []
    for paint in paints:
        rows, item = tags[[paint.region in (_ALL, GROUP_OF_TAG.get(tag, "")) for tag in tags.tolist()]], paint.item
        if isinstance(item, ChannelDensity):
            spreads.append(_density(item, rows, mechanisms))
        elif isinstance(item, ConcentrationModel):
            spreads.append(_pool(item, rows, mechanisms))
    return tuple(_apart(spreads, mechanisms))


def rows_of_region(region: str, morphology: Morphology) -> np.ndarray:
    """The segment rows of a region: all, one segment, or a group."""
    if region.startswith(_ONE):
        return np.flatnonzero(morphology.id == int(region.removeprefix(_ONE)))
    if region in morphology.groups:
        return morphology.groups[region]
    return np.arange(morphology.size) if region == _ALL else np.zeros(0, dtype=np.int64)


def _refuse(item: object, where: str, report: Report) -> None:
    if isinstance(item, ChannelPopulation):
        message = "What one channel of a mechanism conducts is not known, so that counted ones are not built."
        report.lost("channel-population", where, message, examples=[item.channel])
    elif isinstance(item, ChannelDensity | ConcentrationModel):
        name = item.channel if isinstance(item, ChannelDensity) else item.mechanism
        message = "Its equations are in a file of a simulator's own language, which is not translated."
        report.lost("channel", where, message, examples=[name])
    else:
        message = f"{type(item).__name__} is not built: NeuroML states it with the channel or the model that uses it."
        report.lost("decor", where, message)


def _density(
    item: ChannelDensity, rows: np.ndarray, mechanisms: Mechanisms, morphology: Morphology | None = None
) -> Spread:
    channel = _component(item.channel, mechanisms)
    made = mechanisms.add(mechanisms.density(_density_component(item), channel, item.ion or ""))
    varying = tuple(_varying(each, item.law, morphology) for each in item.profiles) if morphology is not None else ()
    if varying:
        rows = np.unique(np.concatenate([each.rows for each in varying]))
    shown = _under(made, item.channel)
    return Spread(item.name or item.channel, item.channel, rows, made.name, made.parameters, shown, varying)


def _population(
    item: ChannelPopulation, rows: np.ndarray, shape: SegmentShape, mechanisms: Mechanisms, where: str, report: Report
) -> Iterator[Spread]:
    """Counted channels, as many per area in every compartment of their region; their number is the region's.

    The core type counts the channels of a cell that is one compartment. This is the reading in which neither the number
    of channels nor the current changes with the number of compartments.
    """
    area = 0.0
    for section in range(shape.geometry.size):
        area += float(shape.areas(section)[np.isin(shape.rows_at(section), rows)].sum())
    if area == 0.0:
        message = "No compartment has its middle in the region of these counted channels; they are left out."
        report.lost("channel-population", where, message, examples=[item.name or item.channel])
        return
    numbers = {"number": item.number}
    if item.law is Law.OHMIC:
        numbers["erev"] = item.reversal or 0.0
    component = Component(_POPULATIONS[item.law], item.name, numbers)
    channel = _component(item.channel, mechanisms)
    made = mechanisms.add(mechanisms.population(component, channel, item.ion or ""))
    parameters = {**made.parameters, "channels": item.number / area}
    shown = _under(made, item.channel)
    yield Spread(item.name or item.channel, item.channel, rows, made.name, parameters, shown)


def _component(name: str, mechanisms: Mechanisms) -> Component:
    found = mechanisms.network.channels[name]
    if isinstance(found, Opaque):
        raise TypeError(f"{name} is not a component")
    return found


def _under(made: Mechanism, channel: str) -> dict[str, tuple[str, float]]:
    """Variables by the path behind the density: those of the channel stand behind its id."""
    own = {"gDensity", "iDensity", "i", "erev"}
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


def _pool(item: ConcentrationModel, rows: np.ndarray, mechanisms: Mechanisms) -> Spread:
    made = mechanisms.add(mechanisms.pool(_component(item.mechanism, mechanisms), item.ion))
    numbers = {
        **made.parameters,
        "initialConcentration": item.initial or 0.0,
        "initialExtConcentration": item.initial_outside or 0.0,
    }
    return Spread(item.name or item.ion, item.mechanism, rows, made.name, numbers, made.records)


def _apart(spreads: list[Spread], mechanisms: Mechanisms) -> Iterator[Spread]:
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
            yield replace(spread, mechanism=mechanisms.copied(spread.mechanism, number + 1))
        else:
            yield spread
