"""A decor as an Allen ``.cell.nml`` snippet: the cell description of SONATA that states a density by region.

BMTK's loader (``bionet/nml_reader.py``) reads the numbers and ignores their units, so they are written in the units
that it means: S/cm2, mV, uF/cm2, ohm.cm, ms. What the snippet, or its loader, has no place for is reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from pynn_io.graph.biophysics import (
    ChannelDensity,
    ChannelPopulation,
    ConcentrationModel,
    Item,
    Law,
    MembraneProperty,
    Paint,
    Place,
    ReversalPotential,
)
from pynn_io.graph.cells import CableCell
from pynn_io.report import Report
from pynn_io.units import convert

_REGIONS = ("soma", "axon", "dend", "apic", "all")
_PROPERTIES = {
    "specific_capacitance": ("specificCapacitance", "uF_per_cm2"),
    "axial_resistivity": ("resistivity", "ohm_cm"),
}
#: Attributes of a concentration model with the unit of their mechanism's number.
_CONCENTRATION = {"gamma": "", "decay": " ms", "depth": " um", "minCai": " mM"}
#: Ions whose reversal potential the loader sets from ``erev``.
_SET_BY_LOADER = ("na", "k")
_HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id={}>\n'


def nml_snippet(name: str, cell: CableCell, report: Report) -> str:
    """The text of the snippet; what it cannot say is in ``report``, under ``cell <name>``."""
    where = f"cell {name}"
    parts = _Parts(cell)
    for entry in cell.decor:
        if isinstance(entry, Place) or entry.region not in _REGIONS:
            parts.lost.append(f"{type(entry.item).__name__} in {entry.region}")
        else:
            parts.add(entry.region, entry.item)
    lost = [*parts.lost, *_unstated(cell.decor, parts.used), *(f"parameter {key}" for key in cell.parameters)]
    report.lost(
        "decor",
        where,
        "the .cell.nml snippet of SONATA has no place for these parts of the decor (parameters of a channel, places, "
        "the reversal potential of an ion without a channel, other regions)",
        count=len(lost),
        examples=lost,
    )
    _report_loader(cell, where, report)
    return _document(name, parts.models, parts.membrane, parts.inner)


class _Parts:
    """The lines of a snippet as its decor is gone through. used: (region, ion) whose reversal stands with a channel."""

    def __init__(self, cell: CableCell) -> None:
        self.membrane: list[str] = []
        self.inner: list[str] = []
        self.models: list[str] = []
        self.lost: list[str] = []
        self.used: set[tuple[str, str]] = set()
        self._erev = {
            (paint.region, paint.item.ion): paint.item.value
            for paint in cell.decor
            if isinstance(paint, Paint)
            and isinstance(paint.item, ReversalPotential)
            and paint.item.ion in _SET_BY_LOADER
        }

    def add(self, region: str, item: Item) -> None:
        """What is painted onto a region. Reversal potentials stand with the channels that they are of."""
        if isinstance(item, ChannelDensity):
            lines, left = _channel(region, item, self._erev, self.used)
            self.membrane += lines
            self.lost += left
        elif isinstance(item, MembraneProperty) and item.kind in _PROPERTIES:
            tag, unit = _PROPERTIES[item.kind]
            line = _element(tag, {"segmentGroup": region, "value": f"{item.value!r} {unit}"})
            (self.membrane if tag == "specificCapacitance" else self.inner).append(line)
        elif isinstance(item, ConcentrationModel):
            self.models.append(_concentration(region, item))
            stated = {"initial": item.initial, "initial_outside": item.initial_outside}
            self.lost += [f"{item.mechanism}.{key}" for key, value in stated.items() if value is not None]
            self.lost += [f"{item.mechanism}.{key}" for key in item.parameters if key not in _CONCENTRATION]
        elif isinstance(item, MembraneProperty):
            self.lost.append(f"{item.kind} in {region}")
        elif isinstance(item, ChannelPopulation):
            self.lost.append(f"{item.channel} in {region} (a number of channels)")


def _report_loader(cell: CableCell, where: str, report: Report) -> None:
    report.expanded(
        "decor-as-nml",
        where,
        "the decor was written as a .cell.nml snippet; reversal potentials stand with its channels",
    )
    if not any(step.startswith(("aibs_perisomatic", "aibs_allactive")) for step in cell.processing):
        report.approximated(
            "axon-replaced",
            where,
            "whoever builds a cell from a .cell.nml snippet replaces its axon by two stub sections first "
            "(processing aibs_perisomatic); this cell's own axon is in the morphology file, but is not simulated",
            examples=["processing"],
        )


def _channel(
    region: str, item: ChannelDensity, erev: dict[tuple[str, str], float], used: set[tuple[str, str]]
) -> tuple[list[str], list[str]]:
    if item.density is None:
        return [], [f"{item.channel} in {region} (no density)"]
    lost = [f"{item.channel}.{key} in {region}" for key in item.parameters]
    if item.law not in (Law.OHMIC, Law.NERNST) or item.profiles or item.v_shift is not None:
        lost.append(f"how {item.channel} conducts in {region}")
    ion = item.ion or "non_specific"
    attributes = {
        "id": f"g_{item.channel}_{region}",
        "segmentGroup": region,
        "ion": ion,
        "ionChannel": item.channel,
        "condDensity": f"{convert(item.density, 'mS_per_cm2', 'S_per_cm2')!r} S_per_cm2",
    }
    reversal = item.reversal
    if ion in _SET_BY_LOADER and item.channel != "pas":
        stated = erev.get((region, ion))
        reversal = stated if stated is not None else reversal
        used.add((region, ion))
    elif reversal is not None and item.channel != "pas":
        # It is written, and becomes a value beside the cell that its loader does not use.
        lost.append(f"reversal of {item.channel} in {region}, channelDensity.{attributes['id']}.erev")
    if reversal is None and ion == "ca":
        return [_element("channelDensityNernst", attributes)], lost
    if reversal is not None:
        attributes["erev"] = f"{reversal!r} mV"
    return [_element("channelDensity", attributes)], lost


def _unstated(decor: Iterable[Paint | Place], used: set[tuple[str, str]]) -> list[str]:
    """Reversal potentials that no channel of their ion and region carries."""
    items = [(paint.region, paint.item.ion) for paint in decor if isinstance(paint.item, ReversalPotential)]
    return [f"reversal potential of {ion} in {region}" for region, ion in items if (region, ion) not in used]


def _concentration(region: str, item: ConcentrationModel) -> str:
    attributes = {"id": item.mechanism, "type": item.mechanism, "segmentGroup": region, "ion": item.ion}
    for key, unit in _CONCENTRATION.items():
        if key in item.parameters:
            attributes[key] = f"{float(item.parameters[key])!r}{unit}"
    return _element("concentrationModel", attributes)


def _element(tag: str, attributes: dict[str, str]) -> str:
    return f"<{tag} " + " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items()) + "/>"


def _document(name: str, models: list[str], membrane: list[str], inner: list[str]) -> str:
    lines = [f"    {line}" for line in models]
    lines += [f"    <cell id={quoteattr(name)}>", '        <biophysicalProperties id="biophys">']
    for tag, content in (("membraneProperties", membrane), ("intracellularProperties", inner)):
        lines += [f"            <{tag}>", *(f"                {line}" for line in content), f"            </{tag}>"]
    lines += ["        </biophysicalProperties>", "    </cell>", "</neuroml>"]
    return _HEAD.format(quoteattr(name)) + "\n".join(lines) + "\n"
