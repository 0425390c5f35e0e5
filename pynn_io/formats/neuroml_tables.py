"""A NeuroML document as tables, for checking: read in one pass, the bulk lists in arrays.

The structure (elements, their order, attributes) is checked while reading, against `neuroml_schema`; what refers to
what is checked afterwards, over the tables, by `neuroml_check`. Every problem carries the line it stands on.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

import numpy as np

from pynn_io.formats.neuroml_check_records import TOLD, Document, Listing, Node, Problem, Side
from pynn_io.formats.neuroml_schema import Child, Type, fault, types

#: Rows of a list collected as Python values before they become arrays.
ROWS = 2**16

_LISTS = {
    "population": "instance",
    "projection": "connection connectionWD",
    "electricalProjection": "electricalConnection electricalConnectionInstance electricalConnectionInstanceW",
    "continuousProjection": "continuousConnection continuousConnectionInstance continuousConnectionInstanceW",
    "inputList": "input inputW",
}
_BULK = {tag for tags in _LISTS.values() for tag in tags.split()} | {"location", "spike"}
_NOT_COMPONENTS = {"notes", "property", "annotation", "include", "network", "ComponentType"}
_REMEMBERED = 200_000
_PLAIN_FLOAT = re.compile(r"[-+]?[0-9]+\.?[0-9]*").fullmatch


class _Frame:
    __slots__ = ("last", "node", "previous", "rows", "seen", "tag", "type")

    def __init__(self, tag: str, kind: Type | None, node: Node | None) -> None:
        self.tag = tag
        self.type = kind
        self.node = node
        self.last = -1
        self.seen: set[str] = set()
        self.rows: _Rows | None = None
        self.previous = ""


_LEAF = _Frame("", None, None)


def read_document(source: Path | bytes, name: str, *, strict: bool = True) -> Document:
    """Parse a file or text. strict: check the structure (not for included LEMS files). Never raises for bad content."""
    document = Document(name)
    reader = _Reader(document, strict)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    reader.parser = parser
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        if isinstance(source, bytes):
            parser.Parse(source, True)
        else:
            with source.open("rb") as file:
                parser.ParseFile(file)
    except expat.ExpatError as error:
        document.problems.append(Problem(name, error.lineno, f"not well-formed XML: {expat.ErrorString(error.code)}"))
    except OSError as error:
        document.problems.append(Problem(name, 0, f"cannot be read: {error.strerror or error}"))
    return document


class _Reader:
    """Handlers of one parse."""

    parser: expat.XMLParserType

    def __init__(self, document: Document, strict: bool) -> None:
        self._document = document
        self._strict = strict
        self._stack: list[_Frame] = []
        self._good: dict[str, set[str]] = {}
        self._told: dict[str, int] = {}
        self._components: dict[str, str] = {}
        self._shapes: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if not self._stack:
            self._root(tag)
        parent = self._stack[-1]
        if parent.rows is not None and tag == parent.previous and self._like_the_one_before(tag, attributes):
            parent.rows.add(tag, attributes, self.parser.CurrentLineNumber)
            self._stack.append(_LEAF)
            return
        kind = self._child_type(parent, tag) if self._strict else None
        if kind is not None:
            self._attributes(tag, kind, attributes)
        line = self.parser.CurrentLineNumber
        if parent.rows is not None and tag in _BULK:
            parent.rows.add(tag, attributes, line)
            parent.previous = tag if tag != "instance" else ""
            node = None
        else:
            node = Node(tag, dict(attributes), line)
            self._place(parent, node)
        frame = _Frame(tag, kind, node)
        if tag in _LISTS and len(self._stack) > 1 and parent.tag == "network" and node is not None:
            if tag == "population":
                self._components.setdefault(node.id, node.attributes.get("component", ""))
            frame.rows = _Rows(node, self._components)
        self._stack.append(frame)

    def end(self, name: str) -> None:
        frame = self._stack.pop()
        if frame.rows is not None:
            networks = self._document.networks
            self._document.lists.setdefault(len(networks) - 1, []).append(frame.rows.finish())
        if frame.type is None:
            return
        for tags in frame.type.demanded:
            if frame.seen.isdisjoint(tags):
                line = frame.node.line if frame.node is not None else self.parser.CurrentLineNumber
                self._problem(line, f"<{frame.tag}> lacks its <{'> or <'.join(tags)}>")

    def _like_the_one_before(self, tag: str, attributes: dict[str, str]) -> bool:
        """The short way for the second to the millionth row of a list: same attributes, harmless values.

        False where it cannot tell; `_attributes` then says what is wrong, if anything is.
        """
        if not self._strict:
            return True
        names, kinds = self._shapes.get(tag, ((), ()))
        if tuple(attributes) != names:
            kind = types()[tag[0].upper() + tag[1:]]
            if set(kind.required) <= set(attributes) <= set(kind.attributes):
                self._shapes[tag] = (tuple(attributes), tuple(kind.attributes[name] for name in attributes))
            return False
        for expected, value in zip(kinds, attributes.values(), strict=True):
            if expected == "int":
                if not value.isdecimal():
                    return False
            elif expected == "float":
                if not _PLAIN_FLOAT(value):
                    return False
            elif value not in self._good.get(expected, ()):
                return False
        return True

    def _root(self, tag: str) -> None:
        if tag != "neuroml" and self._strict:
            self._problem(self.parser.CurrentLineNumber, f"the root element is <{tag}>, not <neuroml>")
        kind = types()["NeuroMLDocument"] if self._strict and tag == "neuroml" else None
        root = Type("", {}, (), {tag: Child(0, "NeuroMLDocument", many=False)}) if kind else None
        self._stack.append(_Frame("", root, None))

    def _child_type(self, parent: _Frame, tag: str) -> Type | None:
        """The type of a child, noting whether it may stand here and now."""
        kind = parent.type
        if kind is None:
            return None
        child = kind.children.get(tag)
        if child is None:
            if not kind.open:
                self._problem(self.parser.CurrentLineNumber, f"<{tag}> is not allowed in <{parent.tag}>")
            return None
        if child.place < parent.last:
            self._problem(
                self.parser.CurrentLineNumber, f"<{tag}> stands too late in <{parent.tag}>: the schema fixes the order"
            )
        if not child.many and tag in parent.seen:
            self._problem(self.parser.CurrentLineNumber, f"<{parent.tag}> has more than one <{tag}>")
        parent.last = max(parent.last, child.place)
        parent.seen.add(tag)
        return types().get(child.type)

    def _attributes(self, tag: str, kind: Type, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            expected = kind.attributes.get(name)
            if expected is None:
                if " " not in name:
                    self._problem(self.parser.CurrentLineNumber, f"<{tag}> has no attribute {name!r}")
                continue
            good = self._good.setdefault(expected, set())
            if value in good:
                continue
            message = fault(expected, value)
            if message:
                self._problem(self.parser.CurrentLineNumber, f"{name} of <{tag}>: {message}")
            elif len(good) < _REMEMBERED:
                good.add(value)
        for name in kind.required:
            if name not in attributes:
                self._problem(self.parser.CurrentLineNumber, f"<{tag}> lacks its attribute {name!r}")

    def _place(self, parent: _Frame, node: Node) -> None:
        if len(self._stack) == 1:
            return
        if len(self._stack) > 2:
            if parent.node is not None:
                parent.node.children.append(node)
            return
        if node.tag in ("include", "Include"):
            self._document.includes.append(node)
        elif node.tag == "network":
            self._document.networks.append(node)
        elif node.tag not in _NOT_COMPONENTS:
            self._document.components.append(node)

    def _problem(self, line: int, message: str) -> None:
        """Note a problem; of messages that differ only in their values, a few, then no more."""
        group = message.split("'")[0]
        self._told[group] = self._told.get(group, 0) + 1
        if self._told[group] <= TOLD:
            self._document.problems.append(Problem(self._document.file, line, message))


class _Rows:
    """The rows of one list, turned into arrays a block at a time."""

    def __init__(self, node: Node, components: dict[str, str]) -> None:
        self._node = node
        self._components = components  # of the network's populations so far: the schema puts them first
        self._pending: list[tuple[str, dict[str, str], int]] = []
        self._blocks: list[Listing] = []

    def add(self, tag: str, attributes: dict[str, str], line: int) -> None:
        if tag == "location" or tag == "spike":
            return
        self._pending.append((tag, attributes, line))
        if len(self._pending) == ROWS:
            self._flush()

    def finish(self) -> Listing:
        self._flush()
        blocks = self._blocks
        sides = tuple(
            Side(*(np.concatenate(parts) for parts in zip(*ends, strict=True)))
            for ends in zip(*(block.sides for block in blocks), strict=True)
        )
        delays = [block.delays for block in blocks if block.delays is not None]
        return Listing(
            self._node,
            np.concatenate([block.ids for block in blocks]),
            np.concatenate([block.lines for block in blocks]),
            sides,
            np.concatenate(delays) if delays else None,
            set().union(*(block.components for block in blocks)),
            [item for block in blocks for item in block.paths],
            sum(block.path_faults for block in blocks),
        )

    def _flush(self) -> None:
        rows, self._pending = self._pending, []
        if not rows and self._blocks:
            return
        attributes = [item[1] for item in rows]
        lines = np.array([item[2] for item in rows], dtype=np.int64)
        listing = Listing(self._node, _integers([a.get("id", "-1") for a in attributes]), lines)
        node = self._node
        new = node.tag != "projection"
        if node.tag == "inputList":
            listing.sides = (self._side(listing, attributes, "target", "segmentId", "fractionAlong", "population"),)
        elif node.tag != "population":
            words = ("preCell", "preSegment", "postCell", "postSegment")
            pre, pre_segment, post, post_segment = words if new else tuple(f"{word}Id" for word in words)
            listing.sides = (
                self._side(listing, attributes, pre, pre_segment, "preFractionAlong", "presynapticPopulation"),
                self._side(listing, attributes, post, post_segment, "postFractionAlong", "postsynapticPopulation"),
            )
            listing.delays = np.array([_leading_number(a.get("delay", "0")) for a in attributes])
            for word in ("synapse", "preComponent", "postComponent"):
                listing.components |= {a[word] for a in attributes if word in a}
        self._blocks.append(listing)

    def _side(
        self, listing: Listing, attributes: list[dict[str, str]], cell: str, segment: str, fraction: str, end: str
    ) -> Side:
        population = self._node.attributes.get(end, "")
        cells, wrong = cell_numbers(
            [a.get(cell, "") for a in attributes], population, self._components.get(population, "")
        )
        listing.path_faults += len(wrong)
        for row in wrong[:TOLD].tolist():
            path = attributes[row].get(cell, "")
            listing.paths.append((int(listing.lines[row]), path, population))
        segments = _integers([a.get(segment, "0") for a in attributes])
        return Side(cells, segments, np.array([_leading_number(a.get(fraction, "0.5")) for a in attributes]))


def cell_numbers(paths: list[str], population: str, component: str) -> tuple[np.ndarray, np.ndarray]:
    """Instance numbers of paths into one population, and the rows whose path does not lead there (number -1).

    ``../pop/3/component``, ``../pop[3]``, and a bare number (electrical connections of old) all mean instance 3.
    """
    if not paths:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if all(map(str.isdigit, paths)):
        return _integers(paths), np.zeros(0, dtype=np.int64)
    text = np.array([path.encode() for path in paths])
    matrix = text.view(np.uint8).reshape(len(text), -1)
    numbers = np.full(len(text), -1, dtype=np.int64)
    slash = (b"", b"/", f"/{component}".encode(), f"/{component}/".encode())
    for opening, tails in ((f"../{population}/", slash), (f"../{population}[", (b"]",)), (f"{population}/", slash)):
        prefix = np.frombuffer(opening.encode(), dtype=np.uint8)
        if matrix.shape[1] > len(prefix):
            rows = np.flatnonzero((matrix[:, : len(prefix)] == prefix).all(axis=1))
            numbers[rows] = _numbers(matrix[rows, len(prefix) :], tails)
    return numbers, np.flatnonzero(numbers < 0)


def _numbers(text: np.ndarray, tails: tuple[bytes, ...]) -> np.ndarray:
    """The number that begins every row of bytes, -1 where none does or what follows is none of ``tails``."""
    digit = (text >= ord("0")) & (text <= ord("9"))
    counts = np.where(digit.all(axis=1), text.shape[1], np.argmin(digit, axis=1))
    result = np.full(len(text), -1, dtype=np.int64)
    for count in np.unique(counts).tolist():
        if not 0 < count < 19:
            continue
        rows = np.flatnonzero(counts == count)
        rest = text[rows, count:]
        fits = np.zeros(len(rows), dtype=bool)
        for tail in tails:
            if len(tail) <= rest.shape[1]:
                same = (rest[:, : len(tail)] == np.frombuffer(tail, dtype=np.uint8)).all(axis=1)
                fits |= same & (rest[:, len(tail) :] == 0).all(axis=1)
        powers = 10 ** np.arange(count - 1, -1, -1, dtype=np.int64)
        result[rows[fits]] = (text[rows[fits], :count].astype(np.int64) - ord("0")) @ powers
    return result


def _integers(values: list[str]) -> np.ndarray:
    try:
        return np.array(values, dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array([int(v) if v.strip().isdigit() else -1 for v in values], dtype=np.int64)


def _leading_number(text: str) -> float:
    """The number of ``"1.5ms"``; NaN where there is none (the structure check has said so)."""
    try:
        return float(text.rstrip(" msu"))
    except ValueError:
        return float("nan")
