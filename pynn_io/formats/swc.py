"""SWC text and plain columns, both ways.

One point a line: ``id tag x y z radius parent``, ``#`` begins a comment (Cannon et al. 1998,
doi:10.1016/S0165-0270(98)00091-0; the tags are those of neuromorpho.org's SWC+ page).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pynn_io.errors import ReadError, WriteError

_COLUMNS = ("id", "tag", "x", "y", "z", "radius", "parent")
_WHOLE = frozenset({"id", "tag", "parent"})


@dataclass(frozen=True, slots=True, eq=False)
class SwcRecord:
    """The points of one SWC file, in file order.

    id, tag, parent: int64[n]; parent is an id, negative for a root.
    position: float64[n, 3], um. radius: float64[n], um.
    line: int64[n], where each point stands. comments: the comment lines, each what follows its first ``#``.
    """

    id: np.ndarray
    tag: np.ndarray
    position: np.ndarray
    radius: np.ndarray
    parent: np.ndarray
    line: np.ndarray
    comments: tuple[str, ...] = ()


def read_swc(path: Path) -> SwcRecord:
    """The points of an SWC file, checked: unique ids, known parents, no cycles, finite numbers, no negative radius.

    Points in any order and several roots are legal. Raises ReadError with ``file:line`` and what to do.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        raise ReadError(f"cannot read the morphology: {error.strerror or error}", where=path) from error
    return parse_swc(text, path)


def parse_swc(text: str, where: object) -> SwcRecord:
    """As `read_swc`, of text; ``where`` names it in errors."""
    comments, rows, numbers = [], [], []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        content, mark, comment = line.partition("#")
        words = content.split()
        if words:
            rows.append(words)
            numbers.append(number)
        elif mark:
            comments.append(comment.rstrip())
    lines = np.asarray(numbers, dtype=np.int64)
    if not rows:
        raise ReadError("there are no points in the file", where=where, hint="an SWC file has one point a line")
    for words, number in zip(rows, numbers, strict=True):
        if len(words) != len(_COLUMNS):
            message = f"{len(words)} columns where SWC has {len(_COLUMNS)}: {' '.join(_COLUMNS)}"
            raise ReadError(message, where=f"{where}:{number}", hint="complete the line, or remove it")
    column = {
        name: _numbers(name, texts, lines, where) for name, texts in zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    }
    position = np.column_stack([column["x"], column["y"], column["z"]])
    record = SwcRecord(
        column["id"], column["tag"], position, column["radius"], column["parent"], lines, tuple(comments)
    )
    _check(record, where)
    return record


def write_swc(path: Path, record: SwcRecord, comments: Iterable[str] = ()) -> None:
    """Write points as they are, every number as the shortest text that reads back as the same. Raises WriteError."""
    head = [f"#{comment}" for comment in (*comments, *record.comments)]
    x, y, z = (record.position[:, axis].tolist() for axis in range(3))
    columns = (record.id.tolist(), record.tag.tolist(), x, y, z, record.radius.tolist(), record.parent.tolist())
    body = ["{} {} {!r} {!r} {!r} {!r} {}".format(*row) for row in zip(*columns, strict=True)]
    try:
        Path(path).write_bytes("\n".join([*head, *body, ""]).encode("utf-8", errors="surrogateescape"))
    except OSError as error:
        raise WriteError(f"cannot write the morphology: {error.strerror or error}", where=path) from error


def _numbers(name: str, texts: tuple[str, ...], lines: np.ndarray, where: object) -> np.ndarray:
    """One column. Whole numbers may be written ``3.0``, but must be whole."""
    kind: Callable[[str], float] = int if name in _WHOLE else float
    try:
        if "_" in "".join(texts):  # Python takes 1_000 for a number, SWC does not
            raise ValueError(texts)
        values = np.array([kind(text) for text in texts], dtype=np.int64 if name in _WHOLE else np.float64)
    except (ValueError, OverflowError):
        values = np.array([_number(name, text, f"{where}:{line}") for text, line in zip(texts, lines, strict=True)])
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ReadError(
            f"{name} is {texts[bad[0]]}",
            where=f"{where}:{lines[bad[0]]}",
            hint="every number of a point must be finite",
        )
    return values


def _number(name: str, text: str, where: str) -> float | int:
    try:
        value = float(text if "_" not in text else "no number")
    except ValueError:
        raise ReadError(
            f"{name} is {text!r}, not a number", where=where, hint="correct it, or remove the line"
        ) from None
    if name not in _WHOLE:
        return value
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    raise ReadError(
        f"{name} is {text!r}, not a whole number below 2^53", where=where, hint="number the points 1, 2, 3 ..."
    )


def _check(record: SwcRecord, where: object) -> None:
    """Raise ReadError at the first line that breaks the tree or has a negative radius."""

    def refuse(row: int, message: str, hint: str) -> None:
        raise ReadError(message, where=f"{where}:{record.line[row]}", hint=hint)

    ids, parent = record.id, record.parent
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if len(repeated):
        row = int(order[repeated + 1].min())
        one = int(np.flatnonzero(ids == ids[row])[0])
        refuse(row, f"point {ids[row]} is already on line {record.line[one]}", "give every point its own number")
    if (ids < 0).any():
        row = int(np.argmax(ids < 0))
        refuse(row, f"the point's number is {ids[row]}", "number points from 1; negative numbers mean: no parent")
    if (record.radius < 0).any():
        row = int(np.argmax(record.radius < 0))
        refuse(row, f"the radius is {float(record.radius[row])!r}", "a radius is a length in um: 0 or more")
    place = np.minimum(np.searchsorted(ids[order], parent), len(ids) - 1)
    unknown = (parent >= 0) & (ids[order][place] != parent)
    if unknown.any():
        row = int(np.argmax(unknown))
        refuse(row, f"the parent {parent[row]} is not in the file", "name a point of the file, or -1 for a root")
    if (parent == ids).any():
        refuse(int(np.argmax(parent == ids)), "the point is its own parent", "write -1 for a root")
    looped = _in_cycle(np.where(parent < 0, -1, order[place]))
    if looped.any():
        row = int(np.argmax(looped))
        refuse(
            row, f"point {ids[row]} is its own ancestor", "one point of the cycle must have a parent outside it, or -1"
        )


def _in_cycle(parent: np.ndarray) -> np.ndarray:
    """Which rows never reach a root, by pointer doubling. bool[n]"""
    n = len(parent)
    jump = np.append(np.where(parent < 0, n, parent), n)
    for _ in range(n.bit_length() + 1):
        jump = jump[jump]
    return jump[:n] != n
