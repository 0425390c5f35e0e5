"""What every part of the NeuroML importer shares: quantities of the document's own units, and who took what.

An element is read through `Take`: whoever asks for an attribute or for children has taken them, and `Take.rest` reports
what nobody asked for. So nothing of a document is dropped in silence, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pynn_io.errors import GraphError, ReadError, UnitError
from pynn_io.formats.neuroml_records import Element
from pynn_io.formats.neuroml_rows import Rows
from pynn_io.graph.columns import empty
from pynn_io.report import Report
from pynn_io.units import DIMENSIONS, UNITS, Unit, coherent_power, convert, scale_by_power

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z_0-9]*)\s*\Z")
#: Attributes that say something of the XML and nothing of the model.
_PLUMBING = ("xmlns", "xsi:", "{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")
#: How many problems an error lists.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Quantities:
    """Numbers with units, in the core units and those that a document defines, which go before them.

    dimensions: exponents of kg, m, s, A, K, mol of dimensions that the document defines.
    """

    units: Mapping[str, Unit] = field(default_factory=empty)
    dimensions: Mapping[str, tuple[int, ...]] = field(default_factory=empty)

    def exponents(self, dimension: str, where: object) -> tuple[int, ...]:
        """The exponents of a dimension; ``*`` (LEMS: any) has none. Raises ReadError for an unknown one."""
        found = self.dimensions.get(dimension) or DIMENSIONS.get(dimension)
        if found is None:
            raise ReadError(
                f"there is no dimension {dimension!r}",
                where=where,
                hint="a document that uses a dimension of its own defines it with <Dimension name=...>",
            )
        return found

    def split(self, text: str, where: object) -> tuple[float, Unit]:
        """The number and the unit of a text. Raises ReadError."""
        match = _QUANTITY.match(text)
        if match is None:
            raise ReadError(f"{text!r} is not a number with a unit", where=where)
        unit = self.units.get(match[2]) or UNITS.get(match[2])
        if unit is None:
            raise ReadError(
                f"{text!r} has the unknown unit {match[2]!r}",
                where=where,
                hint="a document that uses a unit of its own defines it with <Unit symbol=...>",
            )
        return float(match[1]), unit

    def coherent(self, text: str, dimension: str | None, where: object) -> float:
        """A quantity in the coherent unit of its dimension (`pynn_io.units.COHERENT`), a temperature in K.

        Raises ReadError where it is none, or one of another dimension (None or ``*``: any).
        """
        value, unit = self.split(text, where)
        exponents = self.exponents(unit.dimension, where)
        if dimension not in (None, "*") and exponents != self.exponents(str(dimension), where):
            raise ReadError(f"{text!r} is a {unit.dimension}, and a {dimension} is expected", where=where)
        return scale_by_power(value * unit.factor + unit.offset, unit.power - coherent_power(exponents))

    def convert(self, text: str, target: str, where: object) -> float:
        """A quantity in a core unit. Raises ReadError where it is none, or one of another dimension."""
        value, unit = self.split(text, where)
        goal = UNITS[target]
        if self.exponents(unit.dimension, where) != DIMENSIONS[goal.dimension]:
            raise ReadError(f"{text!r} is a {unit.dimension}, and a {goal.dimension} is expected", where=where)
        symbol = next((name for name, row in UNITS.items() if row == unit), None)
        if symbol is not None:
            try:
                return convert(value, symbol, target)
            except UnitError as error:
                raise ReadError(str(error), where=where) from error
        si = value * unit.factor + unit.offset
        return scale_by_power(si / goal.factor, unit.power - goal.power) - goal.offset / goal.factor

    def is_quantity(self, text: str) -> bool:
        """Whether a text is a number, with or without a known unit."""
        match = _QUANTITY.match(text)
        return match is not None and (match[2] in self.units or match[2] in UNITS)


@dataclass(slots=True)
class Context:
    """One import: the report, units, what goes into `Network.extra`, and broken references, all of them.

    kept: small plain data that has no place in the graph and that a writer of NeuroML puts back.
    """

    report: Report
    quantities: Quantities = field(default_factory=Quantities)
    kept: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    _first: dict[tuple[str, str], str] = field(default_factory=dict)

    def problem(self, where: object, message: str) -> None:
        """A broken reference or range; `check` raises for all of them."""
        self.problems.append((str(where), message))

    def check(self) -> None:
        """Raise GraphError with every problem that was found."""
        found = list(dict.fromkeys(self.problems))
        if not found:
            return
        hint = "mend the document, or include the file that defines what is missing"
        if len(found) == 1:
            raise GraphError(found[0][1], where=found[0][0], hint=hint)
        lines = [f"{where}: {message}" for where, message in found[:_LISTED]]
        lines += [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
        raise GraphError(f"the document has {len(found)} problems", problems=lines, where=found[0][0], hint=hint)

    def not_read(self, code: str, where: str, message: str, *, examples: Iterable[object] = ()) -> None:
        """Something that nobody took; the same words in one file are one issue, at the first place."""
        file = where.rpartition(":")[0]
        first = self._first.setdefault((message, file), where)
        self.report.not_read(code, first, message, examples=examples)

    def left_over(self, rows: Rows, known: Collection[str], where: str) -> None:
        """Report the columns of a list that nobody knows. where: of the list."""
        for name in (*rows.numbers, *rows.words):
            if name not in known:
                self.not_read("attribute", where, f"The attribute {name} of the rows of a list has no place here.")

    def about(self, key: str, notes: tuple[Any, ...]) -> None:
        """Keep notes, properties and annotations of a thing that has no place for them: ``population pyr``."""
        if notes:
            self.kept.setdefault("about", {}).setdefault(key, ())
            self.kept["about"][key] += notes


class Take:
    """One element while it is read."""

    def __init__(self, element: Element, context: Context) -> None:
        self.element, self.context = element, context
        self.where = element.where
        self._attributes = dict(element.attributes)
        self._children = list(element.children)

    def text(self, name: str, default: str = "") -> str:
        """An attribute; ``default`` where it is not stated."""
        return self._attributes.pop(name, default)

    def need(self, name: str) -> str:
        """An attribute that must be there. Raises ReadError."""
        found = self._attributes.pop(name, None)
        if found is None:
            raise ReadError(f"<{self.element.tag}> has no attribute {name!r}", where=self.where)
        return found

    def number(self, name: str, unit: str) -> float | None:
        """A quantity in a core unit; None where it is not stated. Raises ReadError."""
        text = self._attributes.pop(name, None)
        return None if text is None else self.context.quantities.convert(text, unit, self.where)

    def integer(self, name: str) -> int | None:
        """A whole number; None where it is not stated. Raises ReadError."""
        text = self._attributes.pop(name, None)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError:
            raise ReadError(f"{name}={text!r} is not a whole number", where=self.where) from None

    def attributes(self) -> dict[str, str]:
        """All attributes that are left."""
        found = {name: value for name, value in self._attributes.items() if not name.startswith(_PLUMBING)}
        self._attributes = {}
        return found

    def children(self, *tags: str) -> list[Element]:
        """The children of these tags, or all that are left, in order."""
        found = [child for child in self._children if not tags or child.tag in tags]
        self._children = [child for child in self._children if tags and child.tag not in tags]
        return found

    def only(self, tag: str) -> Element | None:
        """The one child of this tag; None where there is none. Raises ReadError for several."""
        found = self.children(tag)
        if len(found) > 1:
            raise ReadError(f"<{self.element.tag}> has {len(found)} <{tag}>", where=found[1].where)
        return found[0] if found else None

    def rest(self) -> None:
        """Report what nobody took."""
        tag = self.element.tag
        for name, value in self.attributes().items():
            self.context.not_read(
                "attribute", self.where, f"The attribute {name} of <{tag}> has no place here.", examples=[value]
            )
        for child in self.children():
            named = child.attributes.get("id", child.attributes.get("name", child.tag))
            self.context.not_read(
                "element", child.where, f"<{child.tag}> in <{tag}> has no place here.", examples=[named]
            )
