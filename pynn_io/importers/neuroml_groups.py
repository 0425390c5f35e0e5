"""``<segmentGroup>`` -> rows of a morphology: members, paths, subtrees, and groups in groups, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pynn_io.errors import GraphError, ReadError
from pynn_io.formats.neuroml_records import Element
from pynn_io.graph.dynamics import Component
from pynn_io.graph.segments import GroupNotes, PathParameter
from pynn_io.importers.neuroml_components import Components
from pynn_io.importers.neuroml_context import Take

_DIVISIONS = "numberInternalDivisions"
_METRIC = "Path Length from root"


class Groups:
    """The groups of one morphology. rows_of: segment id -> row; parent: row of the parent of each row.

    Raises ReadError for two groups of one name, GraphError for a segment or group that is not there.
    """

    def __init__(
        self, elements: Sequence[Element], rows_of: Mapping[int, int], parent: np.ndarray, components: Components
    ) -> None:
        self._rows_of, self._parent, self._components = rows_of, parent, components
        self._own: dict[str, set[int]] = {}
        self._included: dict[str, list[tuple[str, str]]] = {}
        self._notes: dict[str, GroupNotes] = {}
        self._where: dict[str, str] = {}
        self._done: dict[str, frozenset[int]] = {}
        for element in elements:
            self._read(Take(element, components.context))

    def rows(self) -> dict[str, np.ndarray]:
        """Rows of every group in ascending order, int64. Raises GraphError where groups include each other."""
        return {name: np.asarray(sorted(self._all(name, ())), dtype=np.int64) for name in self._own}

    def notes(self) -> dict[str, GroupNotes]:
        """What groups say besides."""
        return {name: notes for name, notes in self._notes.items() if notes != GroupNotes()}

    def _all(self, name: str, within: tuple[str, ...]) -> frozenset[int]:
        if name in within:
            circle = " -> ".join([*within[within.index(name) :], name])
            raise GraphError(f"segment groups include each other: {circle}", where=self._where[within[-1]])
        if name not in self._done:
            found = set(self._own[name])
            for other, where in self._included[name]:
                if other == "all" and other not in self._own:
                    found.update(range(len(self._parent)))
                elif other not in self._own:
                    raise GraphError(f"the segment group {name!r} includes {other!r}, which is not there", where=where)
                else:
                    found |= self._all(other, (*within, name))
            self._done[name] = frozenset(found)
        return self._done[name]

    def _read(self, take: Take) -> None:
        name = take.need("id")
        if name in self._own:
            hint = f"the other is at {self._where[name]}"
            raise ReadError(f"two segment groups are called {name!r}", where=take.where, hint=hint)
        self._where[name] = take.where
        self._own[name] = {self._row(Take(child, take.context)) for child in take.children("member")}
        self._included[name] = [self._include(Take(child, take.context)) for child in take.children("include")]
        ways = take.children("path", "subTree")
        for child in ways:
            self._own[name] |= self._way(Take(child, take.context))
        if ways:
            take.context.report.expanded(
                "segment-path",
                take.where,
                "Segment groups given by a path or a subtree hold the segments that this comes to.",
                examples=[name],
            )
        self._notes[name] = self._said(name, take)
        take.rest()

    def _row(self, take: Take) -> int:
        number = take.integer("segment")
        if number is None:
            raise ReadError(f"<{take.element.tag}> has no attribute 'segment'", where=take.where)
        take.rest()
        if number not in self._rows_of:
            raise GraphError(f"there is no segment {number}", where=take.where)
        return self._rows_of[number]

    def _include(self, take: Take) -> tuple[str, str]:
        name = take.need("segmentGroup")
        take.rest()
        return name, take.where

    def _way(self, take: Take) -> set[int]:
        """The segments of a path (from one to another that it leads to) or of a subtree (one, and all beyond it)."""
        start, end = take.only("from"), take.only("to")
        first = None if start is None else self._row(Take(start, take.context))
        last = None if end is None else self._row(Take(end, take.context))
        take.rest()
        if take.element.tag == "subTree" and last is None:
            return self._beyond(0 if first is None else first)
        if last is None:
            raise ReadError(f"<{take.element.tag}> does not say where it ends", where=take.where)
        chain = [last]
        while chain[-1] != first and self._parent[chain[-1]] >= 0:
            chain.append(int(self._parent[chain[-1]]))
        if first is not None and chain[-1] != first:
            raise GraphError("the path does not lead from its first segment to its last", where=take.where)
        return set(chain)

    def _beyond(self, first: int) -> set[int]:
        inside = np.zeros(len(self._parent), dtype=bool)
        inside[first] = True
        for row in range(first + 1, len(self._parent)):  # parents come first
            inside[row] = self._parent[row] >= 0 and inside[self._parent[row]]
        return set(np.flatnonzero(inside).tolist())

    def _said(self, name: str, take: Take) -> GroupNotes:
        properties: list[tuple[str, str]] = []
        notes = ""
        for role, word in self._components.words(take):
            if role == "notes":
                notes = word.texts["text"]
            properties += _properties(word)
            if "xml" in word.texts:
                take.context.about(f"segmentGroup {name}", ((role, word),))
        divisions = None
        for tag, value in properties:
            if tag == _DIVISIONS:
                divisions = _whole(value, take.where)
        return GroupNotes(
            take.text("neuroLexId"),
            divisions,
            tuple(dict.fromkeys(other for other, _ in self._included[name])),
            tuple(self._parameter(Take(child, take.context)) for child in take.children("inhomogeneousParameter")),
            tuple(pair for pair in properties if pair[0] != _DIVISIONS),
            notes,
        )

    def _parameter(self, take: Take) -> PathParameter:
        name, variable, metric = take.need("id"), take.need("variable"), take.need("metric")
        if metric != _METRIC:
            raise ReadError(f"the metric is {metric!r}; NeuroML has {_METRIC!r}", where=take.where)
        ends: list[float | None] = []
        for tag, attribute in (("proximal", "translationStart"), ("distal", "normalizationEnd")):
            child = take.only(tag)
            part = None if child is None else Take(child, take.context)
            ends.append(None if part is None else part.number(attribute, "1"))
            if part is not None:
                part.rest()
        take.rest()
        return PathParameter(name, variable, ends[0], ends[1])


def _properties(word: Component) -> list[tuple[str, str]]:
    """The properties that a property, or an annotation with some, states."""
    own = [word.texts] if "tag" in word.texts else []
    return [
        (part.get("tag", ""), part.get("value", "")) for part in (*own, *(child.texts for _, child in word.children))
    ]


def _whole(text: str, where: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise ReadError(f"{_DIVISIONS} is {text!r}, not a whole number from 1 on", where=where)
    return value
