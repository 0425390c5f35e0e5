"""Whether elements are what the schema says, while they are read: names, values, what must be there and only once.

Types that a document defines may stand where the schema has none, and may bring attributes; since their definitions can
come later, or in an included file, what looks wrong is collected and judged at the end. What the schema forbids and is
as clear without it is free here: the order of elements, gates of several kinds in one channel, ontology terms
(`_WORDS`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pynn_io.errors import ReadError
from pynn_io.formats.neuroml_schema import UNITS_OF_KIND, Type, fault, types
from pynn_io.formats.neuroml_units import DIMENSION_OF_KIND
from pynn_io.report import Report
from pynn_io.units import UNITS

_ROOTS = ("neuroml", "Lems")
#: Values that are remembered as right, for each kind; and faults that are kept until they are judged.
_REMEMBERED = 20_000
_KEPT = 1000
#: Kinds of attributes that are not judged: words for people, paths of cells and numbers of segments, which whoever
#: follows them judges (of some densities, the schema wants segments to have ids, where they have numbers).
_WORDS = frozenset({"text", "lex", "path", "segment"})
#: Elements that NeuroML had before its schema: jNeuroML still takes them.
_OLD = frozenset({"synapticConnectionWD", "explicitConnection"})
_QUANTITY = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*([A-Za-z_0-9]*)\s*", re.ASCII)
_HINT = "a document that uses a unit of its own defines it with <Unit symbol=...>"
#: Children that the schema demands and that cells of the Allen Institute do without: a plan states them as well.
_MISSED = frozenset({("spikeThresh",), ("initMembPotential",)})
_UNCHECKED = Type("", {}, (), {}, open=True)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Something that looks wrong. unless: names that make it right if they are types of the document's own; core: or
    of NeuroML's; unit: the symbol that makes it right if the document defines it. harmless: it
    is told, and not refused."""

    message: str
    where: str
    unless: tuple[str, ...]
    core: bool = False
    unit: str = ""
    hint: str = ""
    harmless: bool = False


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet. own: the names that make it one of a type of the document's own, if it has
    those; children: tags of the elements in it so far, but for rows of lists."""

    tag: str
    kind: Type
    own: tuple[str, ...]
    where: str
    children: set[str] = field(default_factory=set)


class Structure:
    """Watches files of one document; `check` judges."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        self._open: list[_Open] = []
        self._good: dict[str, set[str]] = {}
        self._types: dict[tuple[str, ...], Type | None] = {("neuroml",): types()["NeuroMLDocument"]}

    def watch(self, tag: str, attributes: dict[str, str], parents: Sequence[str], where: str) -> None:
        """An element begins. Raises ReadError for a document that is neither NeuroML nor LEMS."""
        if not parents and tag not in _ROOTS:
            raise ReadError(
                f"the root element is <{tag}>, and NeuroML begins with <neuroml>, LEMS with <Lems>", where=where
            )
        self._close(len(parents))
        kind = self._type(tag, parents)
        own = (tag, attributes["type"]) if "type" in attributes else (tag,)
        if kind is None:
            message = f"<{tag}> is not allowed in <{parents[-1]}>"
            hint = "a type of one's own is defined by a <ComponentType>"
            self._note(_Fault(message, where, (tag,), core=True, hint=hint))
        elif kind is not _UNCHECKED:
            self._attributes(tag, kind, attributes, where, own)
        if self._open:
            self._child(self._open[-1], tag, where)
        self._open.append(_Open(tag, kind or _UNCHECKED, own, where))

    def _child(self, parent: _Open, tag: str, where: str) -> None:
        """An element in another: whether it may be there again."""
        child = parent.kind.children.get(tag)
        if tag in parent.children and child is not None and not child.many:
            self._note(_Fault(f"<{parent.tag}> has more than one <{tag}>", where, parent.own))
        parent.children.add(tag)

    def _close(self, depth: int) -> None:
        """Elements deeper than that are whole: whether they have what they must have."""
        while len(self._open) > depth:
            found = self._open.pop()
            for tags in found.kind.demanded:
                if found.children.isdisjoint(tags):
                    self._missing(found, tags)

    def _missing(self, found: _Open, tags: tuple[str, ...]) -> None:
        """An element without one of these children. One that the schema does not have may stand for it."""
        message = f"<{found.tag}> has no <{'> or <'.join(tags)}>"
        others = tuple(found.children - found.kind.children.keys())
        self._note(_Fault(message, found.where, found.own + others, core=bool(others), harmless=tags in _MISSED))

    def _note(self, found: _Fault) -> None:
        if len(self._faults) < _KEPT:
            self._faults.append(found)

    def _type(self, tag: str, parents: Sequence[str]) -> Type | None:
        """The schema's type of an element; None for one that has no place there."""
        path = (*parents, tag)
        if path not in self._types:
            self._types[path] = self._found(tag, path[:-1])
        return self._types[path]

    def _found(self, tag: str, parents: tuple[str, ...]) -> Type | None:
        if not parents:
            return _UNCHECKED
        if parents == ("Lems",):
            child = types()["NeuroMLDocument"].children.get(tag)
            return types().get(child.type, _UNCHECKED) if child else _UNCHECKED
        parent = self._type(parents[-1], parents[:-1])
        if parent is None or parent is _UNCHECKED:
            return _UNCHECKED
        if tag not in parent.children:
            # At the top stand components, of types that only the whole document tells.
            return _UNCHECKED if parent.open or tag in _OLD or parents == ("neuroml",) else None
        return types().get(parent.children[tag].type, _UNCHECKED)

    def _attributes(self, tag: str, kind: Type, attributes: dict[str, str], where: str, own: tuple[str, ...]) -> None:
        for name in kind.required:
            if name not in attributes:
                self._note(_Fault(f"<{tag}> has no attribute {name!r}", where, own))
        for name, value in attributes.items():
            expected = kind.attributes.get(name)
            if expected is None or expected in _WORDS:
                continue
            good = self._good.setdefault(expected, set())
            if value in good:
                continue
            message, symbol = _wrong(expected, value)
            if message:
                self._note(_Fault(f"{name}: {message}", where, own, unit=symbol, hint=_HINT if symbol else ""))
            elif len(good) < _REMEMBERED:
                good.add(value)

    def check(
        self, own: Collection[str], core: Collection[str], units: Collection[str], report: Report | None = None
    ) -> None:
        """Raise ReadError for the first thing that is wrong; every file has been read. What is harmless is reported.

        own, units: names of types and symbols of units that the document defines. core: NeuroML's own types, which may
        stand where the schema does not have them.
        """
        self._close(0)
        for found in self._faults:
            if any(name in own or (found.core and name in core) for name in found.unless):
                continue
            if found.unit and found.unit in units:
                continue
            if not found.harmless:
                raise ReadError(found.message, where=found.where, hint=found.hint)
            if report is not None:
                message = f"{found.message}, which NeuroML demands; it is read as not stated."
                report.defaulted("schema", found.where, message)


def _wrong(kind: str, value: str) -> tuple[str, str]:
    """What is wrong with a number, and the unit that nobody knows if that is it.

    Units that the schema does not have for a dimension and the core types do are fine (``us``).
    """
    message = fault(kind, value)
    match = _QUANTITY.fullmatch(value)
    if not message or match is None or kind not in UNITS_OF_KIND:
        return message, ""
    expected, found = DIMENSION_OF_KIND.get(kind, kind), UNITS.get(match[1])
    if found is None:
        return f"{value!r} has the unknown unit {match[1]!r}", match[1]
    if found.dimension == expected:
        return "", ""
    what = "bare number" if found.dimension == "none" else found.dimension
    return f"{value!r} is a {what}, and a {expected} is expected", ""
