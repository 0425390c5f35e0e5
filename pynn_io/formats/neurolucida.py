"""Neurolucida ASC text: nested lists of points, read into sections in the order of the file.

A list that begins with ``CellBody`` is the outline of a soma, one with ``Axon``, ``Dendrite`` or ``Apical`` a tree; a
list inside a tree that holds branches separated by ``|`` is a fork. Everything else (markers, spines, other outlines,
thumbnails) is named in `SectionRecord.ignored`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.section_record import SectionRecord, make_record

_TAGS = {"axon": 2, "dendrite": 3, "apical": 4}
_SOMA = frozenset({"cellbody", "cell body", "soma"})
#: Lists that say how things look, not what they are; their absence changes nothing.
_COSMETIC = frozenset({"color", "closed", "fillopacity", "filldensity", "name", "font", "resolution", "guid", "zsmear"})
_TOKEN = re.compile(r'"[^"]*"|;[^\n]*|[()|<>,]|[^\s()|<>",;]+|"')


class _Word(NamedTuple):
    text: str
    line: int


class _List(NamedTuple):
    items: list[_Word | _List]  # type: ignore[misc]
    line: int


_Item: TypeAlias = _Word | _List


def read_asc(path: Path) -> SectionRecord:
    """The sections of a Neurolucida ASC file. Raises ReadError with ``file:line``."""
    try:
        text = Path(path).read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        raise ReadError(f"cannot read the morphology: {error.strerror or error}", where=path) from error
    return parse_asc(text, path)


def parse_asc(text: str, where: object) -> SectionRecord:
    """As `read_asc`, of text; ``where`` names it in errors."""
    reader = _Reader(where)
    for item in _lists(text, where):
        reader.top(item)
    if not reader.soma and not reader.sections:
        hint = "an ASC file has lists that begin with CellBody, Axon, Dendrite or Apical"
        raise ReadError("there is no soma and no neurite in the file", where=where, hint=hint)
    return make_record(reader.soma, True, reader.sections, reader.tag, reader.parent, reader.ignored)


def _lists(text: str, where: object) -> Iterator[_List]:
    """The lists of the text; no recursion, since forks nest deeply."""
    line, seen = 1, 0
    open_lists: list[_List] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if token[0] in ";,":
            continue
        if token == '"':
            raise ReadError("a quotation mark is never closed", where=f"{where}:{line}", hint="close it")
        if token == "(":
            open_lists.append(_List([], line))
        elif token == ")":
            if not open_lists:
                raise ReadError("a ')' closes nothing", where=f"{where}:{line}", hint="remove it, or add the '('")
            done = open_lists.pop()
            if open_lists:
                open_lists[-1].items.append(done)
            else:
                yield done
        elif open_lists:
            open_lists[-1].items.append(_Word(token, line))
        else:
            message = f"{token!r} stands outside of any list: this is not a Neurolucida ASC file"
            raise ReadError(message, where=f"{where}:{line}", hint="every object is a list in brackets")
    if open_lists:
        first = open_lists[0]
        raise ReadError("the list that begins here is never closed", where=f"{where}:{first.line}", hint="add the ')'")


class _Reader:
    """Collects soma outlines and sections, in the order of the file."""

    def __init__(self, where: object) -> None:
        self.where = where
        self.soma: list[np.ndarray] = []
        self.sections: list[np.ndarray] = []
        self.tag: list[int] = []
        self.parent: list[int] = []
        self.ignored: dict[str, int] = {}

    def top(self, item: _List) -> None:
        """One object of the file."""
        heads = [_head(entry) for entry in item.items if isinstance(entry, _List)]
        title = _title(item.items[0]) if item.items else ""
        tags = [_TAGS[head] for head in heads if head in _TAGS]
        if title in _SOMA or _SOMA.intersection(heads):
            rows = [self._point(entry) for entry in item.items if isinstance(entry, _List) and _is_point(entry)]
            if rows:
                self.soma.append(np.asarray(rows, dtype=np.float64))
        elif tags:
            self._tree(item, tags[-1])
        elif item.items:
            self._ignore(title or next((head for head in heads if head not in _COSMETIC), "") or "list")

    def _tree(self, tree: _List, tag: int) -> None:
        """A whole neurite; ``waiting`` holds branches still to be walked, the next one last."""
        waiting: list[tuple[list[_Item], int]] = [(tree.items, -1)]
        while waiting:
            items, parent = waiting.pop()
            row = len(self.sections)
            points: list[list[float]] = []
            forks: list[list[_Item]] = []
            spine = False
            for item in items:
                if isinstance(item, _Word):
                    spine = item.text == "<" or (spine and item.text != ">")
                    if item.text == "<":
                        self._ignore("spine")
                elif spine or not item.items:
                    continue
                elif _is_point(item):
                    if forks:
                        message = "a point follows a fork of its own branch"
                        raise ReadError(
                            message, where=f"{self.where}:{item.line}", hint="points of a branch come before it forks"
                        )
                    points.append(self._point(item))
                elif isinstance(item.items[0], _List):
                    forks.extend(_branches(item))
                elif _head(item) not in _TAGS:
                    self._ignore(_head(item))
            self.sections.append(np.asarray(points, dtype=np.float64).reshape(-1, 4))
            self.tag.append(tag)
            self.parent.append(parent)
            waiting.extend((branch, row) for branch in reversed(forks))

    def _point(self, item: _List) -> list[float]:
        """x, y, z, diameter; a diameter that is not stated is 0."""
        values = []
        for word in item.items[:4]:
            try:
                values.append(float(word.text))  # type: ignore[union-attr]
            except (ValueError, AttributeError):
                if len(values) == 3:
                    break
                message = f"{_title(word)!r} stands where a coordinate should"
                raise ReadError(
                    message, where=f"{self.where}:{item.line}", hint="a point is (x y z diameter)"
                ) from None
        if len(values) < 3:
            raise ReadError(
                "a point has fewer than 3 coordinates", where=f"{self.where}:{item.line}", hint="(x y z diameter)"
            )
        values = [*values, 0.0][:4]
        if not np.isfinite(values).all() or values[3] < 0:
            message = "a point is not finite or has a negative diameter"
            raise ReadError(message, where=f"{self.where}:{item.line}", hint="correct the point")
        return values

    def _ignore(self, name: str) -> None:
        if name not in _COSMETIC:
            self.ignored[name] = self.ignored.get(name, 0) + 1


def _title(item: _Item) -> str:
    return item.text.strip('"').lower() if isinstance(item, _Word) else ""


def _head(item: _List) -> str:
    """The word that a list begins with, in lower case."""
    return _title(item.items[0]) if item.items else ""


def _is_point(item: _List) -> bool:
    """Whether a list begins with a number."""
    if not item.items or not isinstance(item.items[0], _Word):
        return False
    return item.items[0].text.lstrip("+-.")[:1].isdigit() or item.items[0].text.lstrip("+-").lower() in {"nan", "inf"}


def _branches(fork: _List) -> Iterator[list[_Item]]:
    """The branches of a fork, which ``|`` separates."""
    branch: list[_Item] = []
    for item in fork.items:
        if isinstance(item, _Word) and item.text == "|":
            yield branch
            branch = []
        else:
            branch.append(item)
    yield branch
