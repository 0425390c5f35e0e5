"""What a NeuroML document is read into for checking: elements with their lines, lists as arrays, problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

#: Problems of one kind that are told one by one; the rest is counted.
TOLD = 10


class Problem(NamedTuple):
    """One thing that is wrong. ``line`` is 0 where the file has none (HDF5)."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(slots=True)
class Node:
    """An element that is not bulk, with its children: small documents in memory, lists not."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Node] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.attributes.get("id", "")

    def all(self, *tags: str) -> list[Node]:
        return [child for child in self.children if child.tag in tags]


class Side(NamedTuple):
    """One end of connections or inputs: instance numbers, segments, fractions; -1 where a path is not as it must be."""

    cells: np.ndarray
    segments: np.ndarray
    fractions: np.ndarray


@dataclass(slots=True)
class Listing:
    """A population, projection or input list: its own element, and its rows as arrays.

    sides: (pre, post) of connections, (target,) of inputs, () of populations. delays: ms or s as stated, only their
    sign matters. components: ids of synapses that the rows themselves name.
    """

    node: Node
    ids: np.ndarray
    lines: np.ndarray
    sides: tuple[Side, ...] = ()
    delays: np.ndarray | None = None
    components: set[str] = field(default_factory=set)
    paths: list[tuple[int, str, str]] = field(default_factory=list)  # line, path, why it is wrong
    path_faults: int = 0


@dataclass(slots=True)
class Document:
    """One file: its components and networks, the hrefs it includes, and what was wrong with its structure."""

    file: str
    components: list[Node] = field(default_factory=list)
    includes: list[Node] = field(default_factory=list)
    networks: list[Node] = field(default_factory=list)
    lists: dict[int, list[Listing]] = field(default_factory=dict)  # by index of the network
    problems: list[Problem] = field(default_factory=list)
