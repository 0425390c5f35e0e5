"""What stands on the membrane of cable cells as NeuroML's <biophysicalProperties>, where NeuroML has a word for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from pynn_io.exporters.neuroml_cells import ordered, statement
from pynn_io.exporters.neuroml_components import quantity
from pynn_io.formats.neuroml_records import Element, nml_id
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ConcentrationModel,
    InitialConcentration,
    MembraneProperty,
    Paint,
    ReversalPotential,
)
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.segments import GROUP_OF_TAG
from pynn_io.report import Report

#: What NEURON takes where nothing is said: cm, Ra.
_DEFAULTS = {"specific_capacitance": 1.0, "axial_resistivity": 35.4}
_WORDS = {
    "specific_capacitance": ("specificCapacitance", "uF_per_cm2"),
    "initial_potential": ("initMembPotential", "mV"),
    "spike_threshold": ("spikeThresh", "mV"),
    "axial_resistivity": ("resistivity", "ohm_cm"),
}


class Biophysics:
    """The decor of one cell as <biophysicalProperties>: later statements override earlier ones, region by region."""

    def __init__(
        self, cell: CableCell, morphology: Morphology, where: str, report: Report, channels: Mapping[str, str]
    ) -> None:
        self._where, self._report = where, report
        self._own: list[Element] = []
        used: set[str] = set()
        self._groups = morphology.groups
        self._regions = [name for name in GROUP_OF_TAG.values() if name in morphology.groups]
        self._properties: dict[str, dict[str, float]] = {}
        self._passive: dict[str, dict[str, float]] = {}
        lost: dict[str, dict[str, None]] = {"channel": {}, "concentration": {}, "reversal": {}, "start": {}}
        for entry in cell.decor:
            item = entry.item
            if not isinstance(entry, Paint):
                continue
            if isinstance(item, MembraneProperty):
                self._put(self._properties.setdefault(item.kind, {}), entry.region, item.value)
            elif isinstance(item, ChannelDensity) and item.channel == "pas":
                self._channel(entry.region, item)
            elif _definition(item) in channels:
                made = statement(entry, used, where, report) if self._has(entry.region) else None
                self._own += [] if made is None else [made]
            elif isinstance(item, ChannelDensity):
                lost["channel"][item.channel] = None
            elif isinstance(item, ConcentrationModel):
                lost["concentration"][item.mechanism] = None
            elif isinstance(item, ReversalPotential):
                lost["reversal"][item.ion] = None
            elif isinstance(item, InitialConcentration):
                lost["start"][item.ion] = None
        self._report_lost(lost)

    @property
    def passive(self) -> bool:
        return bool(self._passive.get("density"))

    def element(self, identifier: str, v_init: float | None, threshold: float | None) -> Element:
        """<biophysicalProperties>, with defaults for what NeuroML demands and nothing states."""
        if v_init is not None:
            self._properties["initial_potential"] = {"all": v_init}
        if threshold is not None:
            self._properties["spike_threshold"] = {"all": threshold}
        self._default("initial_potential", -65.0, "mV")
        self._default("spike_threshold", 0.0, "mV")
        for kind, value in _DEFAULTS.items():
            self._default(kind, value, _WORDS[kind][1])
        inside = [each for each in self._own if each.tag == "species"]
        membrane = [*self._densities(), *(each for each in self._own if each not in inside)]
        for kind in ("spike_threshold", "specific_capacitance", "initial_potential"):
            membrane += self._values(kind)
        parts = (
            ordered("membraneProperties", membrane),
            ordered("intracellularProperties", [*inside, *self._values("axial_resistivity")]),
        )
        return Element("biophysicalProperties", {"id": f"{identifier}_biophysics"}, parts)

    def _has(self, region: str) -> bool:
        return region in self._regions or region not in GROUP_OF_TAG.values()

    def _put(self, place: dict[str, float], region: str, value: float) -> None:
        if region == "all":
            place.clear()
            place.update(dict.fromkeys(self._regions, value) or {"all": value})
        elif self._has(region):
            place[region] = value

    def _channel(self, region: str, item: ChannelDensity) -> None:
        if item.density is not None:
            self._put(self._passive.setdefault("density", {}), region, item.density)
        if item.reversal is not None:
            self._put(self._passive.setdefault("reversal", {}), region, item.reversal)

    def _default(self, kind: str, value: float, unit: str) -> None:
        stated = self._properties.setdefault(kind, {})
        missing = [region for region in self._regions if "all" not in stated and not self._covered(region, stated)]
        if not missing and stated:
            return
        if stated:
            stated.update(dict.fromkeys(missing, value))
        else:
            stated["all"] = value
        self._report.defaulted(
            "default-membrane",
            self._where,
            f"The {kind.replace('_', ' ')} is not stated{' everywhere' if len(stated) > 1 else ''}; NeuroML demands "
            f"one, and {value} {unit} is written.",
        )

    def _covered(self, region: str, stated: Iterable[str]) -> bool:
        """Whether groups that have a value hold any of the region's segments: some, or all that it has."""
        rows = self._groups[region]
        return any(np.isin(rows, self._groups[name]).any() for name in stated if name in self._groups)

    def _values(self, kind: str) -> Iterator[Element]:
        tag, unit = _WORDS[kind]
        for region, value in self._grouped(self._properties[kind]):
            yield Element(
                tag, {"value": quantity(value, unit), **({} if region == "all" else {"segmentGroup": region})}
            )

    def _grouped(self, values: dict[str, float]) -> list[tuple[str, float]]:
        distinct = set(values.values())
        if len(distinct) == 1 and set(values) >= set(self._regions):
            return [("all", distinct.pop())]
        return [(nml_id(region), value) for region, value in values.items()]

    def _densities(self) -> Iterator[Element]:
        reversals = self._passive.get("reversal", {})
        for region, density in self._passive.get("density", {}).items():
            reversal = reversals.get(region, reversals.get("all"))
            if reversal is None:
                reversal = -70.0
                self._report.defaulted(
                    "default-reversal",
                    self._where,
                    "The reversal potential of pas is not stated; the mechanism's own -70 mV is written.",
                )
            yield Element(
                "channelDensity",
                {
                    "id": f"pas_{nml_id(region)}",
                    "ionChannel": "pas",
                    "condDensity": quantity(density, "mS_per_cm2"),
                    "erev": quantity(reversal, "mV"),
                    **({} if region == "all" else {"segmentGroup": nml_id(region)}),
                    "ion": "non_specific",
                },
            )

    def _report_lost(self, lost: dict[str, dict[str, None]]) -> None:
        texts = {
            "channel": "has no NeuroML definition: this ion channel is left out, and its cells compute without it",
            "concentration": "has no NeuroML definition: this model of an ion concentration is left out",
        }
        # One issue a mechanism, with the cells that have it as examples: a circuit has many cells of few mechanisms.
        for kind, text in texts.items():
            for name in lost[kind]:
                self._report.lost(kind, "cable cells", f"{name} {text}.", examples=[self._where.split(" ")[-1]])
        for kind, code, text in (
            (
                "reversal",
                "reversal-potential",
                "The reversal potentials of {} are for what is left out.",
            ),
            ("start", "initial-concentration", "The concentrations of {} at the start are for what is left out."),
        ):
            message = text.format(", ".join(lost[kind]))
            self._report.lost(code, self._where, message, count=len(lost[kind]), examples=[*lost[kind]])


def _definition(item: object) -> str:
    """The channel or concentration model that a statement is about."""
    if isinstance(item, ChannelDensity):
        return item.channel
    return item.mechanism if isinstance(item, ConcentrationModel) else ""
