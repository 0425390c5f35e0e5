"""``INCLUDE "file"`` of NMODL: the text of a mechanism with that of the files it includes in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pynn_io.errors import ReadError

_INCLUDE = re.compile(r'^\s*INCLUDE\s*"([^"]*)"(.*)')
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Included:
    """The whole text. places: ``file:line`` of every line; lines: the line of the mechanism's own file that it is in,
    or is included by."""

    text: str
    places: tuple[str, ...]
    lines: tuple[int, ...]

    def place(self, line: int) -> str:
        """Where a line (from 1) of the whole text stands; what is behind the end, at the last one's."""
        return self.places[line - 1] if line <= len(self.places) else f"{self.places[0].rpartition(':')[0]}:{line}"


def included(text: str, path: Path) -> Included:
    """A text with what it includes, files beside the one that names them. Raises ReadError where one cannot be read."""
    if "INCLUDE" not in text:
        count = text.count("\n") + 1
        return Included(text, tuple(f"{path}:{line}" for line in range(1, count + 1)), tuple(range(1, count + 1)))
    found = [(line, where, own) for own, pairs in _expanded(text, path, 0) for line, where in pairs]
    return Included(
        "\n".join(line for line, _, _ in found),
        tuple(where for _, where, _ in found),
        tuple(own for _, _, own in found),
    )


def _expanded(text: str, path: Path, depth: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Of every line its number, and the lines (with their places) that stand for it."""
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}:{number}"
        named = _INCLUDE.match(line)
        if named is None:
            yield number, [(line, where)]
            continue
        if depth == _DEEPEST:
            raise ReadError(f"files include each other {depth} deep", where=where)
        other = path.parent / named[1]
        if other.exists() and not other.is_file():
            raise ReadError(f"cannot read {named[1]}, which is included: it is no file", where=where)
        try:
            inner = other.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ReadError(
                f"cannot read {named[1]}, which is included: {error.strerror or error}", where=where
            ) from None
        inside = [pair for _, pairs in _expanded(inner, other, depth + 1) for pair in pairs]
        yield number, [*inside, (named[2], where)]
