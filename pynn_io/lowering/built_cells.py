"""Cells that a simulator has built, as numbers, and as morphology and decor of the graph: what a hoc template made.

The compartments are NEURON's. A section becomes a group of segments with the ontology term of an unbranched section;
where values differ along it, its segments end where compartments do, so that every value has segments of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pynn_io.graph.biophysics import (
    ChannelDensity,
    InitialConcentration,
    Law,
    MembraneProperty,
    Paint,
    ReversalPotential,
)
from pynn_io.graph.columns import empty
from pynn_io.graph.morphology import Morphology, Tag
from pynn_io.graph.segments import GROUP_OF_TAG
from pynn_io.lowering.built_shape import BuiltShape, shape_of
from pynn_io.lowering.segment_shape import Geometry
from pynn_io.units import convert

#: NMODL's passive channel, which needs no file.
PASSIVE = "pas"
#: The section arrays of templates, and the section lists for sections that are in none of these.
_ARRAYS: Mapping[str, Tag] = {
    "soma": Tag.SOMA,
    "axon": Tag.AXON,
    "dend": Tag.DENDRITE,
    "apic": Tag.APICAL,
    "ais": Tag.AXON,
    "node": Tag.AXON,
    "myelin": Tag.AXON,
}
_LISTS: Mapping[str, Tag] = {
    "somatic": Tag.SOMA,
    "axonal": Tag.AXON,
    "basal": Tag.DENDRITE,
    "apical": Tag.APICAL,
    "myelinated": Tag.AXON,
}


@dataclass(frozen=True, slots=True, eq=False)
class BuiltCell:
    """A cell of s sections, a parent before its children, with c compartments, in order of section and place.

    geometry: its diameters are not used. numbers: int64[k], the section that each number of the circuit means; -1: that
    one is gone. lists: section lists by name, int64 section rows.
    count: int64[s], compartments. resistivity: float64[s], ohm.cm.
    diameter, capacitance: float64[c], um and uF/cm2.
    mechanisms: by name, bool[c], where each is inserted. parameters: by mechanism and name, float64[c], NaN where it is
    not: those that differ from the mechanism's default anywhere, in the mechanism's units, and all of ``pas``.
    reversals: by ion, float64[c], mV; NaN where there is no such ion, or where its potential follows concentrations.
    moving: by ion, bool[c], where it does.
    concentrations: by ion, float64[c, 2], mM at the start inside and outside; NaN where no mechanism uses
    them.
    """

    geometry: Geometry
    numbers: np.ndarray
    lists: Mapping[str, np.ndarray]
    count: np.ndarray
    resistivity: np.ndarray
    diameter: np.ndarray
    capacitance: np.ndarray
    mechanisms: Mapping[str, np.ndarray] = field(default_factory=empty)
    parameters: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=empty)
    reversals: Mapping[str, np.ndarray] = field(default_factory=empty)
    moving: Mapping[str, np.ndarray] = field(default_factory=empty)
    concentrations: Mapping[str, np.ndarray] = field(default_factory=empty)

    def ions(self) -> list[np.ndarray]:
        """What is stated of ions: columns of c compartments."""
        sides = [column for both in self.concentrations.values() for column in both.T]
        return [*self.reversals.values(), *self.moving.values(), *sides]


@dataclass(frozen=True, slots=True, eq=False)
class BuiltRows:
    """Cells of one population, by ROW (int64[n]), and which of the inventory's cells each is (int64[n])."""

    population: str
    rows: np.ndarray
    code: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """All that was built. names: of the cells, made of those of definition and morphology. folders: of ``.mod`` files
    that the mechanisms may come from, by preference."""

    cells: tuple[BuiltCell, ...]
    names: tuple[str, ...]
    rows: tuple[BuiltRows, ...]
    folders: tuple[Path, ...]


def tags(names: Sequence[str], lists: Mapping[str, np.ndarray]) -> np.ndarray:
    """The tag of every section: by its array (``axon[1]``), else by the list that it is in. int64[s]"""
    found = np.array([_ARRAYS.get(name.partition("[")[0], Tag.UNDEFINED) for name in names], dtype=np.int64)
    for each, tag in _LISTS.items():
        rows = lists.get(each, np.zeros(0, dtype=np.int64))
        found[rows[found[rows] == Tag.UNDEFINED]] = tag
    return found


def graph_cell(cell: BuiltCell, name: str) -> tuple[Morphology, tuple[Paint, ...]]:
    """The cell's morphology, with the groups that the decor needs, and its decor.

    Mechanisms are `ChannelDensity` by their NMODL names, with the parameters that differ from the mechanism's own; the
    reversal potentials and the concentrations of their ions stand beside them.
    """
    shape = shape_of(cell.geometry, cell.numbers, cell.count, cell.diameter, _signature(cell), name)
    regions = _Regions(shape, cell)
    decor = tuple(_decor(cell, regions))
    return replace(shape.morphology, groups={**shape.morphology.groups, **regions.made}), decor


def _signature(cell: BuiltCell) -> np.ndarray:
    """Numbers that are the same for compartments with the same membrane. int64[c]"""
    columns = [cell.capacitance, *cell.mechanisms.values(), *cell.ions()]
    columns += [column for values in cell.parameters.values() for column in values.values()]
    return _classes(columns)


def _classes(columns: Sequence[np.ndarray]) -> np.ndarray:
    """The same number for rows with the same values in all columns; NaN is equal to NaN. int64[c]"""
    codes = [np.unique(column, return_inverse=True, equal_nan=True)[1].reshape(-1) for column in columns]
    return np.unique(np.stack(codes), axis=1, return_inverse=True)[1].reshape(-1)


class _Regions:
    """Names for sets of segments: SONATA's regions where they are in the set whole, a group of its own for the rest.

    made: groups beyond those of the sections, int64 rows.
    """

    def __init__(self, shape: BuiltShape, cell: BuiltCell) -> None:
        self._compartment = shape.compartment
        tag = shape.morphology.tag
        self._standard = {name: rows for each, name in GROUP_OF_TAG.items() if len(rows := np.flatnonzero(tag == each))}
        known = {rows.tobytes() for rows in self._standard.values()}
        of_section = np.repeat(np.arange(len(cell.count)), cell.count)[shape.compartment]
        self.made = {
            name: rows
            for name, sections in cell.lists.items()
            if len(rows := np.flatnonzero(np.isin(of_section, sections))) and rows.tobytes() not in known
        }
        self._names = {rows.tobytes(): name for name, rows in self.made.items()}

    def of(self, compartments: np.ndarray) -> Iterator[str]:
        """The regions that some compartments (bool[c]) are."""
        left = compartments[self._compartment]
        for name, rows in self._standard.items():
            if left[rows].all():
                left[rows] = False
                yield name
        rest = np.flatnonzero(left)
        if len(rest):
            name = self._names.setdefault(rest.tobytes(), f"part_{len(self._names)}")
            self.made[name] = rest
            yield name


def _decor(cell: BuiltCell, regions: _Regions) -> Iterator[Paint]:
    resistivity = np.repeat(cell.resistivity, cell.count)
    for kind, values in (("specific_capacitance", cell.capacitance), ("axial_resistivity", resistivity)):
        for value in np.unique(values).tolist():
            yield from (Paint(region, MembraneProperty(kind, value)) for region in regions.of(values == value))
    potentials: dict[tuple[str, str], float] = {}
    concentrations: dict[tuple[str, str], InitialConcentration] = {}
    for name, here in cell.mechanisms.items():
        for region, item, row in _spread(cell, name, here, regions):
            yield Paint(region, item)
            if name != PASSIVE:
                stated = {ion: float(values[row]) for ion, values in cell.reversals.items()}
                potentials |= {(region, ion): value for ion, value in stated.items() if not np.isnan(value)}
                for ion, (inside, outside) in ((ion, both[row].tolist()) for ion, both in cell.concentrations.items()):
                    if not np.isnan(inside):
                        concentrations[region, ion] = InitialConcentration(ion, inside, outside)
    yield from (Paint(region, ReversalPotential(ion, value)) for (region, ion), value in potentials.items())
    yield from (Paint(region, item) for (region, _), item in concentrations.items())


def _spread(
    cell: BuiltCell, name: str, here: np.ndarray, regions: _Regions
) -> Iterator[tuple[str, ChannelDensity, int]]:
    """One mechanism: region, item and a compartment of it, for each set of values."""
    values = cell.parameters.get(name, {})
    ions = [] if name == PASSIVE else cell.ions()
    classes = np.where(here, _classes([here, *values.values(), *ions]), -1)
    for number in np.unique(classes[here]).tolist():
        chosen = classes == number
        row = int(np.flatnonzero(chosen)[0])
        item = _density(name, {key: float(column[row]) for key, column in values.items()}, _law(cell, row))
        yield from ((region, item, row) for region in regions.of(chosen))


def _law(cell: BuiltCell, row: int) -> Law:
    """Calcium's potential is the one that NeuroML has follow concentrations."""
    return Law.NERNST if "ca" in cell.moving and cell.moving["ca"][row] else Law.OHMIC


def _density(name: str, values: Mapping[str, float], law: Law) -> ChannelDensity:
    if name == PASSIVE:
        return ChannelDensity(name, convert(values["g"], "S_per_cm2", "mS_per_cm2"), None, values["e"])
    return ChannelDensity(name, parameters=values, law=law)
