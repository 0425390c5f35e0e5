"""What a document says besides the model, put back in place: notes, properties, annotations, layouts, spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pynn_io.exporters.neuroml_definitions import Definitions
from pynn_io.formats.neuroml_records import Element, PopulationRecord
from pynn_io.formats.neuroml_schema import types
from pynn_io.graph.network import Network
from pynn_io.report import Report

#: Children of <network> that stand before its populations; a <cellSet> stands behind them.
_BEFORE = ("space", "region")


class Words:
    """The words of one network (`Network.extra["neuroml"]`, as the importer keeps them)."""

    def __init__(self, definitions: Definitions, network: Network) -> None:
        self._definitions = definitions
        self._kept: Mapping[str, Any] = network.extra.get("neuroml", {})

    def population(self, record: PopulationRecord) -> PopulationRecord:
        """A population with what is said about it, its layout and its own attributes."""
        name = record.end.population
        words = self._definitions.about(f"population {name}")
        kept = dict(self._kept.get("populations", {}).get(name, {}))
        layout = kept.pop("layout", None)
        if not words and not kept and layout is None:
            return record
        extra = [word for word in words if word.tag == "annotation"]
        if layout is not None:
            extra.append(self._definitions.elements.element(layout, "layout", types()["Layout"]))
        return replace(
            record,
            notes=_notes(words),
            properties=(*record.properties, *_properties(words)),
            extra=tuple(extra),
            attributes=kept,
        )

    def network(self, hdf5: bool, report: Report) -> dict[str, Any]:
        """Fields of `NetworkRecord`. hdf5: whether it becomes tables, which nothing can stand around."""
        around = self._kept.get("surroundings")
        if around is not None and hdf5:
            message = "NeuroML HDF5 has a network that stands alone: the component around it is left out."
            report.lost("surroundings", "network", message, examples=[around.id])
            around = None
        words = self._definitions.about("network")
        spaces = [
            self._definitions.elements.element(found, found.tag or found.type, None)
            for found in self._kept.get("spaces", ())
        ]
        annotations = [word for word in words if word.tag == "annotation"]
        neurolex = self._kept.get("neuroLexId")
        return {
            "notes": _notes(words),
            "properties": _properties(words),
            "extra": (*annotations, *(each for tag in _BEFORE for each in spaces if each.tag == tag)),
            "after": tuple(each for each in spaces if each.tag not in _BEFORE),
            "attributes": {"neuroLexId": neurolex} if neurolex else {},
            "within": around and self._definitions.elements.element(around, around.tag or around.type, None),
        }

    def say_rest(self, report: Report) -> None:
        """Report words about things that have no place for any in NeuroML's schema."""
        for key in self._kept.get("about", {}):
            if key not in self._definitions.said:
                report.lost(
                    "words", key, "NeuroML's schema has no place for notes, properties or annotations here.",
                    examples=[key.partition(" ")[2] or key],
                )  # fmt: skip


def _notes(words: tuple[Element, ...]) -> str:
    return "\n".join(word.text for word in words if word.tag == "notes")


def _properties(words: tuple[Element, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (word.attributes.get("tag", ""), word.attributes.get("value", "")) for word in words if word.tag == "property"
    )


def say_renamed(changed: Mapping[str, str], network: Network, report: Report) -> None:
    """Report populations and projections that got another id. changed: wished id -> id, of all that has one."""
    renamed = {name: changed[name] for name in (*network.populations, *network.projections) if name in changed}
    report.expanded(
        "renamed",
        "ids",
        "NeuroML ids consist of letters, digits and underscores and are unique; names that are not got another: "
        + ", ".join(f"{old} -> {new}" for old, new in list(renamed.items())[:10]),
        count=len(renamed),
        examples=renamed,
    )
