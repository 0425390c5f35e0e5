"""What an NMODL file declares, and the statements of its blocks, as plain records; expressions are text.

What has no record of its own (VERBATIM, WATCH, loops ...) is an `Other` that keeps its words, so that whoever reads the
block can say what it does not understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = value``."""

    target: str
    value: str


@dataclass(frozen=True, slots=True)
class Rate:
    """``state' = value``."""

    state: str
    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A procedure called for what it sets: ``rates(v)``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``: (condition, statements) in order, the condition of ``else`` None."""

    cases: tuple[tuple[str | None, tuple[Statement, ...]], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``FROM variable = first TO last BY step``; both ends belong to it."""

    variable: str
    first: str
    last: str
    step: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Solve:
    """``SOLVE block METHOD method``; steady: ``STEADYSTATE``."""

    block: str
    method: str
    steady: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """``~ 2 a + b <-> c (forward, reverse)``; sides are (how many, state). sign: ``<->``, ``<<`` or ``->``."""

    left: tuple[tuple[int, str], ...]
    right: tuple[tuple[int, str], ...]
    sign: str
    forward: str
    reverse: str


@dataclass(frozen=True, slots=True)
class Conserve:
    """``CONSERVE a + b = total``."""

    terms: str
    total: str


@dataclass(frozen=True, slots=True)
class Equation:
    """``~ left = right`` of a LINEAR block."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Table:
    """``TABLE names ...``: values that NEURON interpolates instead of computing them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A statement without a record. word: its first word, in capitals where it is one of NMODL's."""

    word: str
    text: str


Statement: TypeAlias = Assign | Rate | Call | Branch | Loop | Solve | Reaction | Conserve | Equation | Table | Other


@dataclass(frozen=True, slots=True)
class Block:
    """A block of statements. kind: ``INITIAL``, ``DERIVATIVE`` ...; name: where it has one. line: where it begins."""

    kind: str
    name: str
    arguments: tuple[str, ...]
    locals: tuple[str, ...]
    statements: tuple[Statement, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Ion:
    """``USEION name READ ... WRITE ... VALENCE ...``."""

    name: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    valence: float | None = None


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One ``.mod`` file.

    kind: ``SUFFIX``, ``POINT_PROCESS`` or ``ARTIFICIAL_CELL``. parameters: name -> value, 0 where none is stated.
    units: of parameters and assigned variables, where stated. constants: name -> value, of ``CONSTANT``, ``DEFINE``
    and of factors in ``UNITS``. factors: name -> (unit, unit) of those whose value is NEURON's. ranges: names with a
    value a section. pointers: ``POINTER`` and ``BBCOREPOINTER``. arrays: variables with an index. blocks: those without
    a name by kind, the others by name. extra: words of further blocks and statements (``VERBATIM``,
    ``FUNCTION_TABLE``), with their lines.
    """

    name: str
    kind: str
    file: Path
    title: str = ""
    ions: tuple[Ion, ...] = ()
    nonspecific: tuple[str, ...] = ()
    electrode: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=lambda: _EMPTY)
    units: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    constants: Mapping[str, float] = field(default_factory=lambda: _EMPTY)
    factors: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _EMPTY)
    assigned: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=lambda: _EMPTY)
    extra: tuple[tuple[str, int], ...] = ()

    def where(self, block: str = "") -> str:
        """``file:line`` of a block, or the file."""
        return f"{self.file}:{self.blocks[block].line}" if block in self.blocks else str(self.file)
