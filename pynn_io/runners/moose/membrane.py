"""What is on the membrane of cells, compartment by compartment: channels, leaks, pools, in MOOSE's units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.biophysics import Paint
from pynn_io.graph.morphology import SPECIFICATION
from pynn_io.graph.segments import GROUP_OF_TAG, Tag
from pynn_io.lowering.cables.geometry import Compartments
from pynn_io.lowering.cables.models import CONDUCTANCE, CONDUCTANCE_NAMES, Assign, CableModel, CellGroup, Insert
from pynn_io.lowering.cables.volumes import Volumes
from pynn_io.lowering.membrane import SegmentModel, Spread, region_spreads
from pynn_io.lowering.segment_shape import Geometry
from pynn_io.report import Report
from pynn_io.runners.moose.circuit import Circuit, circuit
from pynn_io.runners.moose.components import MooseGenerated, pool_numbers
from pynn_io.runners.moose.lowered import Cable, Channel, Placed, Pool, Settings

#: NEURON's own numbers where nothing is stated: uF/cm2, ohm cm; S/cm2 and mV of ``pas``; mM of calcium.
_CM, _RA = 1.0, 35.4
_PAS = {"g": 1e-3, "e": -70.0}
_INSIDE, _OUTSIDE = 5e-5, 2.0
#: 1 S/cm2 um2 in S, 1 uF/cm2 um2 in F, 1 mV in V.
_SIEMENS, _FARAD, _VOLT = 1e-8, 1e-14, 1e-3
#: s, of a pool that nothing moves.
_NEVER = 1e9


def segment_cable(group: CellGroup, model: SegmentModel, whole: Settings, generated: MooseGenerated) -> Cable:
    """A cell whose membrane is described by segment."""
    name = group.morphologies[0]
    shape, morphology = generated.shape(name), generated.network.morphologies[name]
    volumes = Volumes(shape)
    values = volumes.values(model)
    membrane = _Membrane(_circuit(shape.geometry, shape.count, volumes.section, values.get("Ra")), generated)
    for spread in model.spreads:
        membrane.put(spread.mechanism, *volumes.numbers(spread, spread.parameters))
    section, at = (found[0] for found in shape.place(np.array([0]), np.array([0.5])))
    return membrane.cable(
        shape.geometry,
        shape.count,
        values,
        whole,
        threshold=whole.spike_threshold if model.threshold is None else model.threshold,
        spikes_at=(int(section), float(at)),
        where=f"cells/{group.cell}",
        order=SPECIFICATION,
        shown=partial(shape.specified, morphology),
    )


def region_cable(
    group: CellGroup,
    model: CableModel,
    shape: tuple[Geometry, Compartments],
    whole: Settings,
    generated: MooseGenerated,
    report: Report,
) -> Cable:
    """A cell whose membrane is described by region.

    Reports mechanisms without equations, and those with equations that are none of MOOSE's (``channel``, LOST).
    """
    where, (geometry, compartments) = f"cells/{group.cell}", shape
    tag = compartments.tag
    values = _region_values(model.paints, tag, where, report)
    membrane = _Membrane(_circuit(geometry, compartments.count, compartments.section, values.get("Ra")), generated)
    membrane.add_leak(np.flatnonzero(values["pas"] > 0), values["g"], values["e"])
    spreads = [each for paint in model.equations for each in _spreads(paint, geometry.tag, where, generated, report)]
    for spread in spreads:
        here = np.flatnonzero(np.isin(tag, spread.rows))
        membrane.put(
            spread.mechanism, here, {key: np.full(len(here), number) for key, number in spread.parameters.items()}
        )
    return membrane.cable(
        geometry,
        compartments.count,
        values,
        whole,
        threshold=whole.spike_threshold,
        spikes_at=(int(np.argmax(geometry.tag == Tag.SOMA)), 0.5),
        where=where,
        order=geometry.order,
    )


def _spreads(
    paint: Paint, tags: np.ndarray, where: str, generated: MooseGenerated, report: Report
) -> tuple[Spread, ...]:
    """What is in equations on a region."""
    try:
        return region_spreads((paint,), np.unique(tags), generated)
    except UnsupportedInput as error:
        name = getattr(paint.item, "channel", "") or getattr(paint.item, "mechanism", "")
        message = f"Equations cannot be put on MOOSE: {error.message}; the cells run without."
        report.lost("channel", where, message, examples=[name])
        return ()


def _circuit(geometry: Geometry, count: np.ndarray, section: np.ndarray, stated: np.ndarray | None) -> Circuit:
    """stated: ohm cm, by compartment, the same along a section; NaN or None where none is."""
    values = np.full(geometry.size, _RA)
    if stated is not None:
        known = ~np.isnan(stated)
        values[section[known]] = stated[known]
    return circuit(geometry, count, values)


def _region_values(
    paints: Iterable[Insert | Assign], tag: np.ndarray, where: str, report: Report
) -> dict[str, np.ndarray]:
    """Values of compartments by variable, float64[c], NaN where none is stated; ``pas``: where there is a leak, with
    its ``g`` and ``e``. Mechanisms that are none of these are LOST."""
    names = np.array([GROUP_OF_TAG.get(each, "") for each in tag.tolist()])
    table = {name: np.full(len(tag), np.nan) for name in ("cm", "Ra")}
    table |= {"pas": np.zeros(len(tag)), **{name: np.full(len(tag), number) for name, number in _PAS.items()}}
    unknown: dict[str, None] = {}
    for paint in paints:
        here = (names == paint.region) | (paint.region == "all")
        if isinstance(paint, Insert):
            if paint.mechanism == "pas":
                table["pas"][here] = 1.0
            elif paint.mechanism != "extracellular":
                unknown[paint.mechanism] = None
        elif paint.mechanism == "pas":
            name = "g" if paint.variable == CONDUCTANCE or paint.variable in CONDUCTANCE_NAMES else paint.variable
            table[name][here] = paint.value
        elif not paint.mechanism and not paint.ion:
            table[paint.variable][here] = paint.value
    report.lost(
        "channel",
        where,
        "MOOSE has no mechanisms of these names, and their equations are in NEURON's own language; the cells run"
        " without them. --mechanisms DIR gives MOOSE the equations.",
        count=len(unknown),
        examples=list(unknown),
    )
    return table


@dataclass(slots=True, eq=False)
class _Membrane:
    """What there is on a cell. leak: S, pull: A, float64[c]."""

    made: Circuit
    generated: MooseGenerated
    leak: np.ndarray = field(init=False)
    pull: np.ndarray = field(init=False)
    channels: list[Placed] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leak, self.pull = np.zeros(len(self.made.area)), np.zeros(len(self.made.area))

    def put(self, mechanism: str, here: np.ndarray, table: Mapping[str, np.ndarray]) -> None:
        """A channel or a pool on some compartments, with its parameters there."""
        if mechanism in self.generated.pools:
            self._put_pool(mechanism, here, table)
            return
        channel = self.generated.channels[mechanism]
        conductance = table["gmax"] * self.made.area[here] * _SIEMENS
        if channel.tables is None and not channel.nernst:
            self.leak[here] += conductance
            self.pull[here] += conductance * table["erev"] * _VOLT
            return
        scale = 1.0 if channel.tables is None else channel.tables.scale
        self.channels.append(Placed(channel, here, conductance * scale, table["erev"] * _VOLT))

    def add_leak(self, here: np.ndarray, g: np.ndarray, e: np.ndarray) -> None:
        """A leak of a density (S/cm2) and a reversal potential (mV) by compartment, on some of them."""
        conductance = g[here] * self.made.area[here] * _SIEMENS
        self.leak[here] += conductance
        self.pull[here] += conductance * e[here] * _VOLT

    def _put_pool(self, mechanism: str, here: np.ndarray, table: Mapping[str, np.ndarray]) -> None:
        system, ion = self.generated.pools[mechanism]
        starts = {name: float(values[0]) for name, values in table.items()} if len(here) else {}
        b, basal, tau = pool_numbers(system, self.made.area[here], starts)
        start, outside = (
            np.full(len(here), starts.get(name, 0.0)) for name in ("initialConcentration", "initialExtConcentration")
        )
        self.pools.append(Pool(ion, here, b, basal, tau, start, outside))

    def _still(self) -> list[Pool]:
        """Pools where a channel wants the concentration of an ion that nothing moves: NEURON's own, as it stays."""
        wanted: dict[str, list[np.ndarray]] = {}
        for placed in self.channels:
            for ion in {placed.channel.reads, placed.channel.ion if placed.channel.nernst else ""} - {""}:
                wanted.setdefault(ion, []).append(placed.compartments)
        found = []
        for ion, places in wanted.items():
            there = [pool.compartments for pool in self.pools if pool.ion == ion]
            missing = np.setdiff1d(np.concatenate(places), np.concatenate([np.zeros(0, dtype=np.int64), *there]))
            if len(missing):
                still, inside = np.zeros(len(missing)), np.full(len(missing), _INSIDE)
                outside = np.full(len(missing), _OUTSIDE)
                found.append(Pool(ion, missing, still, inside, still + _NEVER, inside, outside))
        return found

    def cable(
        self,
        geometry: Geometry,
        count: np.ndarray,
        values: Mapping[str, np.ndarray],
        whole: Settings,
        **others: object,
    ) -> Cable:
        none = np.full(len(self.made.area), np.nan)
        cm, v = (values.get(name, none) for name in ("cm", "v"))
        rest = np.divide(self.pull, self.leak, out=np.zeros(len(self.leak)), where=self.leak > 0)
        return Cable(
            circuit=self.made,
            names=geometry.names,
            tag=geometry.tag,
            count=count,
            capacitance=np.where(np.isnan(cm), _CM, cm) * self.made.area * _FARAD,
            leak=self.leak,
            rest=rest,
            initial=np.where(np.isnan(v), whole.v_init, v) * _VOLT,
            channels=tuple(self.channels),
            pools=(*self.pools, *self._still()),
            **others,  # type: ignore[arg-type]
        )


def elsewhere(cables: Sequence[Cable]) -> dict[str, None]:
    """Channels with states that MOOSE does not start where their equations do."""
    placed = (each.channel for cable in cables for each in cable.channels)
    return {channel.name: None for channel in placed if _starts_elsewhere(channel)}


def _starts_elsewhere(channel: Channel) -> bool:
    return channel.tables is not None and bool(channel.tables.starts_elsewhere)
