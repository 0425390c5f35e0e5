"""What is on the membrane of a cable cell: Arbor's own mechanisms with NEURON's numbers, region by region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pynn_io.errors import UnsupportedInput
from pynn_io.graph.segments import GROUP_OF_TAG, Tag
from pynn_io.lowering.cables.geometry import Compartments
from pynn_io.lowering.cables.models import CONDUCTANCE, CONDUCTANCE_NAMES, Assign, CableModel, Insert
from pynn_io.lowering.membrane import region_spreads
from pynn_io.lowering.segment_shape import Geometry
from pynn_io.report import Report
from pynn_io.runners.arbor.catalogues import Known, find
from pynn_io.runners.arbor.components import ArborGenerated, concentrations, own
from pynn_io.runners.arbor.lowered import Cable, Density, Property
from pynn_io.runners.arbor.trees import tree

#: Section variables of NEURON as Arbor's properties, in the same units.
_PROPERTIES = {"cm": "cm", "Ra": "rL"}
#: What NEURON calls a mechanism and is none: it keeps the potential outside, which is 0 in Arbor.
_EXTRACELLULAR = "extracellular"


def cable(
    name: str,
    model: CableModel,
    shape: tuple[Geometry, Compartments],
    threshold: float,
    generated: ArborGenerated,
    report: Report,
) -> Cable:
    """A cell whose membrane is described by region. threshold: mV.

    Reports mechanisms (``channel``, LOST) and parameters (``unknown-parameter``, LOST) that Arbor does not have.
    """
    where, (geometry, compartments) = f"cells/{name}", shape
    membrane = _Membrane(where, report)
    for tag in np.unique(geometry.tag).tolist():
        mine = [paint for paint in model.paints if paint.region in ("all", GROUP_OF_TAG.get(tag, ""))]
        membrane.put(f"(tag {tag})", mine)
    membrane.put_equations(model, np.unique(geometry.tag), generated)
    report.lost(
        "channel",
        where,
        "Arbor's catalogues have no mechanisms of these names, and their equations are in NEURON's own language; the"
        " cells run without them. --mechanisms DIR gives Arbor the equations.",
        count=len(membrane.unknown),
        examples=list(membrane.unknown),
    )
    return Cable(
        tree(geometry, compartments.count, geometry.tag),
        geometry.names,
        geometry.tag,
        geometry.order,
        tuple(membrane.densities),
        tuple(membrane.properties),
        tuple(membrane.nernst),
        threshold,
        (int(np.argmax(geometry.tag == Tag.SOMA)), 0.5),
        where,
    )


@dataclass(slots=True)
class _Membrane:
    """What there is on a cell. nernst: ions whose concentrations move; unknown: mechanisms that Arbor does not have."""

    where: str
    report: Report
    densities: list[Density] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    nernst: dict[str, None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    def put(self, region: str, paints: Sequence[Insert | Assign]) -> None:
        """Arbor's own mechanisms, by name, and values of sections."""
        values = _values(paints)
        ions: dict[str, None] = {}
        for mechanism in dict.fromkeys(paint.mechanism for paint in paints if isinstance(paint, Insert)):
            stated = values.get(mechanism, {})
            known = find(mechanism, stated)
            if known is None:
                self.unknown |= {} if mechanism == _EXTRACELLULAR else {mechanism: None}
                continue
            self.densities.append(_density(region, known, stated, self.where, self.report))
            ions |= dict.fromkeys([*known.reads, *known.writes.split()])
            self.nernst |= dict.fromkeys(known.writes.split())
        self.properties += _properties(region, paints, ions)

    def put_equations(self, model: CableModel, tags: np.ndarray, generated: ArborGenerated) -> None:
        """Mechanisms that are written for this network; all are LOST where one of them cannot be."""
        try:
            spreads = region_spreads(model.equations, tags, generated)
        except UnsupportedInput as error:
            message = f"Equations cannot be written for Arbor: {error.message}; cells run without all that have any."
            self.report.lost("channel", self.where, message)
            return
        for spread in spreads:
            ion = generated.pools.get(spread.mechanism, "")
            self.nernst |= {ion: None} if ion else {}
            for region in (f"(tag {tag})" for tag in spread.rows.tolist()):
                self.densities.append(Density(region, spread.mechanism, own(spread)))
                self.properties += concentrations(spread, region, ion)


def _values(paints: Iterable[Insert | Assign]) -> dict[str, dict[str, float]]:
    """Mechanism -> variable -> value; the last statement stands."""
    found: dict[str, dict[str, float]] = {}
    for paint in paints:
        if isinstance(paint, Assign) and paint.mechanism:
            found.setdefault(paint.mechanism, {})[paint.variable] = paint.value
    return found


def _density(region: str, known: Known, stated: Mapping[str, float], where: str, report: Report) -> Density:
    ranges: dict[str, float] = {}
    shared: dict[str, float] = {}
    for variable, value in stated.items():
        name = _named(variable, known)
        if name is None:
            message = f"Arbor's {known.name} has no {variable.strip('*')}; its value is not used."
            report.lost("unknown-parameter", where, message)
        else:
            (shared if name in known.globals else ranges)[name] = value
    changed = ",".join(f"{name}={value!r}" for name, value in shared.items())
    return Density(region, f"{known.full_name}/{changed}" if changed else known.full_name, ranges)


def _named(variable: str, known: Known) -> str | None:
    """The parameter of Arbor's mechanism that a variable of NEURON's is."""
    names = (*CONDUCTANCE_NAMES, f"g{known.name}bar") if variable == CONDUCTANCE else (variable,)
    return next((name for name in names if name in {*known.ranges, *known.globals}), None)


def _properties(region: str, paints: Iterable[Insert | Assign], ions: Iterable[str]) -> Iterator[Property]:
    """Values of sections, the last statement of each; those of an ion where something there has to do with it."""
    found: dict[tuple[str, str], float] = {}
    for paint in paints:
        if not isinstance(paint, Assign) or paint.mechanism:
            continue
        if not paint.ion:
            found[_PROPERTIES[paint.variable], ""] = paint.value
        elif paint.ion in ions:
            found["rev_pot", paint.ion] = paint.value
    for (kind, ion), value in found.items():
        yield Property(region, kind, value, ion)
