"""The two cell descriptions of the Allen Cell Types Database, bytes to plain records.

One is a NeuroML-like snippet (``Cell_<id>.cell.nml``): elements of NeuroML's membrane properties, each with a
``segmentGroup``, and a concentration model with attributes of its own. The other is the fit JSON of the perisomatic and
all-active models. Which of their values a loader uses is not decided here: `pynn_io.importers.sonata_cells` knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from pynn_io.errors import ReadError, UnitError
from pynn_io.formats.strict_json import parse_json
from pynn_io.units import quantity_in

#: Element -> the canonical property it states and the unit it is given in here.
_PROPERTIES = {
    "specificCapacitance": ("specific_capacitance", "uF_per_cm2"),
    "resistivity": ("axial_resistivity", "ohm_cm"),
}
#: Attributes of a concentration model and of a species, with the unit of the NMODL mechanism (1: a plain number).
_CONCENTRATION = {"decay": "ms", "gamma": "1", "depth": "um", "minCai": "mM"}
_SPECIES = {"initialConcentration": "mM", "initialExtConcentration": "mM"}
#: Elements that only hold others, or text for people.
_CONTAINERS = {
    "neuroml",
    "cell",
    "biophysicalProperties",
    "membraneProperties",
    "intracellularProperties",
    "notes",
    "annotation",
}


@dataclass(frozen=True, slots=True)
class Density:
    """``channelDensity`` or, with ``nernst``, ``channelDensityNernst``: mS/cm2 and mV."""

    id: str
    group: str
    channel: str
    ion: str
    density: float
    reversal: float | None
    nernst: bool
    line: int


@dataclass(frozen=True, slots=True)
class Property:
    """``specificCapacitance`` (uF/cm2) or ``resistivity`` (ohm.cm); ``kind`` is the graph's word for it."""

    kind: str
    group: str
    value: float
    line: int


@dataclass(frozen=True, slots=True)
class Concentration:
    """``concentrationModel``: ``values`` holds decay (ms), gamma (1), depth (um), minCai (mM) as far as stated."""

    id: str
    group: str
    type: str
    ion: str
    values: Mapping[str, float]
    line: int


@dataclass(frozen=True, slots=True)
class Species:
    """``species``: which concentration model an ion has, and its starting concentrations, mM."""

    id: str
    group: str
    ion: str
    model: str
    values: Mapping[str, float]
    line: int


@dataclass(frozen=True, slots=True)
class NmlCell:
    """What a snippet states, in its own order. ``leftovers``: elements and attributes nobody knows, by line."""

    items: tuple[Density | Property | Concentration | Species, ...]
    leftovers: tuple[str, ...]


def parse_nml(data: bytes, where: str) -> NmlCell:
    """Parse a ``.cell.nml`` snippet; ``where`` is the file's name for messages.

    Raises ReadError for bad XML or a missing attribute and UnitError for a unit of the wrong dimension, both with the
    line.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ReadError(f"not well-formed XML: {error.msg}", where=f"{where}:{error.lineno or 1}") from None
    if etree.QName(root).localname != "neuroml":
        raise ReadError(
            f"the root element is <{etree.QName(root).localname}>, not <neuroml>", where=f"{where}:{root.sourceline}"
        )
    for entity in root.iter(etree.Entity):
        raise ReadError(
            f"the entity {entity.text} stands for content elsewhere, which is not read",
            where=f"{where}:{entity.sourceline or 1}",
            hint="put the content in its place",
        )
    items: list[Density | Property | Concentration | Species] = []
    leftovers: list[str] = []
    for element in root.iter(tag=etree.Element):
        name = etree.QName(element).localname
        taker = _Taker(element, name, where)
        read = _READERS.get(name)
        if read is not None:
            items.append(read(taker))
            leftovers += taker.rest()
        elif name not in _CONTAINERS:
            leftovers.append(f"<{name}> (line {element.sourceline})")
    return NmlCell(tuple(items), tuple(leftovers))


class _Taker:
    """Attributes of one element, taken one by one so that the rest can be reported."""

    def __init__(self, element: Any, name: str, where: str) -> None:
        self.name = name
        self.line = int(element.sourceline)
        self.where = f"{where}:{element.sourceline}"
        self._rest = {etree.QName(key).localname: value for key, value in element.attrib.items()}

    def text(self, key: str, default: str | None = None) -> str:
        value = self._rest.pop(key, default)
        if value is None:
            raise ReadError(f"<{self.name}> has no attribute {key!r}", where=self.where)
        return value

    def quantity(self, key: str, unit: str) -> float:
        text = self.text(key)
        try:
            return quantity_in(text, unit)
        except UnitError as error:
            hint = f"<{self.name} {key}> is a quantity like '1 {unit}'" if unit != "1" else ""
            raise UnitError(f"{key}={text!r}: {error.message}", where=self.where, hint=hint) from None

    def optional(self, units: Mapping[str, str]) -> dict[str, float]:
        return {key: self.quantity(key, unit) for key, unit in units.items() if key in self._rest}

    def has(self, key: str) -> bool:
        return key in self._rest

    def rest(self) -> Iterator[str]:
        return (f"<{self.name} {key}> (line {self.line})" for key in self._rest)


def _density(take: _Taker) -> Density:
    return Density(
        id=take.text("id", take.name),
        group=take.text("segmentGroup"),
        channel=take.text("ionChannel"),
        ion=take.text("ion"),
        density=take.quantity("condDensity", "mS_per_cm2"),
        reversal=take.quantity("erev", "mV") if take.has("erev") else None,
        nernst=take.name == "channelDensityNernst",
        line=take.line,
    )


def _property(take: _Taker) -> Property:
    kind, unit = _PROPERTIES[take.name]
    return Property(kind, take.text("segmentGroup"), take.quantity("value", unit), take.line)


def _concentration(take: _Taker) -> Concentration:
    name = take.text("id")
    return Concentration(
        name,
        take.text("segmentGroup"),
        take.text("type", name),
        take.text("ion"),
        take.optional(_CONCENTRATION),
        take.line,
    )


def _species(take: _Taker) -> Species:
    name = take.text("id")
    return Species(
        name,
        take.text("segmentGroup"),
        take.text("ion", name),
        take.text("concentrationModel", ""),
        take.optional(_SPECIES),
        take.line,
    )


_READERS: dict[str, Callable[[_Taker], Density | Property | Concentration | Species]] = {
    "channelDensity": _density,
    "channelDensityNernst": _density,
    "specificCapacitance": _property,
    "resistivity": _property,
    "concentrationModel": _concentration,
    "species": _species,
}


@dataclass(frozen=True, slots=True)
class Gene:
    """One entry of ``genome``: a NEURON range variable of a section; ``mechanism`` is empty for NEURON's own."""

    section: str
    name: str
    value: float
    mechanism: str


@dataclass(frozen=True, slots=True)
class Erev:
    """Reversal potentials of a section, mV."""

    section: str
    ena: float
    ek: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit JSON states.

    ra: ohm.cm. e_pas: mV. cm: uF/cm2 by section. genome, erev: in file order; NEURON's units. conditions: its
    ``celsius`` (degC) and ``v_init`` (mV). fitting: how it was fitted. axon_hoc: hoc text that replaces the axon.
    leftovers: keys nobody knows.
    """

    ra: float | None
    e_pas: float | None
    cm: Mapping[str, float]
    genome: tuple[Gene, ...]
    erev: tuple[Erev, ...]
    conditions: Mapping[str, float]
    fitting: Mapping[str, Any]
    axon_hoc: str | None
    leftovers: tuple[str, ...]


def parse_fit(data: bytes, where: str) -> Fit:
    """Parse a fit JSON of the perisomatic or all-active kind. Raises ReadError with file and line, or file and key."""
    top = _Keys(load_json(data, where), where, "")
    passive, conditions = top.first("passive"), top.first("conditions")
    fitting, axon = top.first("fitting"), top.first("axon_morph")
    fit = Fit(
        ra=passive.number("ra"),
        e_pas=passive.number("e_pas"),
        cm={entry.text("section"): entry.needed("cm") for entry in passive.entries("cm")},
        genome=tuple(
            Gene(gene.text("section"), gene.text("name"), gene.needed("value"), str(gene.take("mechanism", "") or ""))
            for gene in top.entries("genome")
        ),
        erev=tuple(
            Erev(entry.text("section"), entry.needed("ena"), entry.needed("ek")) for entry in conditions.entries("erev")
        ),
        conditions={key: conditions.needed(key) for key in ("celsius", "v_init") if conditions.has(key)},
        fitting={key: fitting.take(key, None) for key in ("junction_potential", "sweeps") if fitting.has(key)},
        axon_hoc=_lines(axon.take("setup_line", None), axon.take("delete_axon", None)),
        leftovers=(),
    )
    return replace(fit, leftovers=tuple(key for keys in (top, *top.opened) for key in keys.rest()))


def _lines(*parts: str | list[str] | None) -> str | None:
    lines = [line for part in parts if part for line in ([part] if isinstance(part, str) else part)]
    return "\n".join(map(str, lines)) or None


def load_json(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object from bytes. Raises ReadError with the line."""
    try:
        content = parse_json(data.decode("utf-8-sig"), where)
    except UnicodeDecodeError as error:
        raise ReadError(f"not valid JSON: it is not UTF-8 text ({error.reason})", where=where) from None
    if not isinstance(content, dict):
        raise ReadError("a JSON object is expected at the top", where=f"{where}:1")
    return content


class _Keys:
    """A JSON object whose keys are taken one by one; ``opened`` collects the objects below it."""

    def __init__(self, content: Mapping[str, Any], where: str, path: str, opened: list[_Keys] | None = None) -> None:
        self._rest = dict(content)
        self._where, self._path = where, path
        self.opened: list[_Keys] = [] if opened is None else opened

    def _place(self, key: str) -> str:
        return f"{self._where}:{self._path}/{key}"

    def has(self, key: str) -> bool:
        return key in self._rest

    def take(self, key: str, default: Any) -> Any:
        return self._rest.pop(key, default)

    def text(self, key: str) -> str:
        value = self._rest.pop(key, None)
        if not isinstance(value, str):
            raise ReadError(f"{key!r} must be a string, here it is {value!r}", where=self._place(key))
        return value

    def number(self, key: str) -> float | None:
        return self.needed(key) if key in self._rest else None

    def needed(self, key: str) -> float:
        """A number, or a string that is one (the all-active files quote theirs)."""
        value = self._rest.pop(key, None)
        try:
            if isinstance(value, bool) or not math.isfinite(number := float(value)):
                raise ValueError
        except (TypeError, ValueError):
            raise ReadError(f"{key!r} must be a number, here it is {value!r}", where=self._place(key)) from None
        return number

    def entries(self, key: str) -> list[_Keys]:
        """The objects of a list (an absent key is an empty list)."""
        values = self._rest.pop(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise ReadError(f"{key!r} must be a list of objects", where=self._place(key))
        entries = [_Keys(value, self._where, f"{self._path}/{key}/{n}", self.opened) for n, value in enumerate(values)]
        self.opened += entries
        return entries

    def first(self, key: str) -> _Keys:
        """The one object of a list of one, as these files write their groups; empty where the key is absent."""
        entries = self.entries(key)
        if len(entries) > 1:
            raise ReadError(f"{key!r} has {len(entries)} entries, where one is meant", where=self._place(key))
        return entries[0] if entries else _Keys({}, self._where, f"{self._path}/{key}/0", self.opened)

    def rest(self) -> list[str]:
        return [f"{self._path}/{key}" for key in self._rest]
