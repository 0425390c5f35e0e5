"""The long lists of a NeuroML network as columns: instances, connections, inputs, spikes.

A population of a million cells is one `Element` with a `Rows`, never a million elements. What an attribute of a row is
called, which column it fills and what it holds is the table `COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

#: The lists, and the tags of their rows.
LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "population": ("instance",),
        "projection": ("connection", "connectionWD"),
        "electricalProjection": (
            "electricalConnection",
            "electricalConnectionInstance",
            "electricalConnectionInstanceW",
        ),
        "continuousProjection": (
            "continuousConnection",
            "continuousConnectionInstance",
            "continuousConnectionInstanceW",
        ),
        "inputList": ("input", "inputW"),
        "spikeArray": ("spike",),
    }
)
#: Attribute -> (column, what it holds): a whole number, a float, a time (ms), the path of a cell, that or its bare
#: number, or a word.
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("id", "int"),
        **{axis: (axis, "float") for axis in "xyz"},
        **{index: (index, "int") for index in "ijk"},
        "preCellId": ("pre", "path"),
        "postCellId": ("post", "path"),
        "preCell": ("pre", "cell"),
        "postCell": ("post", "cell"),
        "preSegmentId": ("pre_segment", "int"),
        "postSegmentId": ("post_segment", "int"),
        "preSegment": ("pre_segment", "int"),
        "postSegment": ("post_segment", "int"),
        "preFractionAlong": ("pre_fraction", "float"),
        "postFractionAlong": ("post_fraction", "float"),
        "weight": ("weight", "float"),
        "delay": ("delay", "ms"),
        "synapse": ("synapse", "word"),
        "preComponent": ("pre_component", "word"),
        "postComponent": ("post_component", "word"),
        "target": ("target", "path"),
        "segmentId": ("segment", "int"),
        "fractionAlong": ("fraction", "float"),
        "destination": ("destination", "word"),
        "neuroLexId": ("neuroLexId", "word"),
        "time": ("time", "ms"),
    }
)
_EMPTY: Mapping[str, Any] = MappingProxyType({})


def empty() -> Mapping[str, Any]:
    """A mapping with nothing in it, as a default."""
    return _EMPTY


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of texts: row r has ``names[codes[r]]``, or none where the code is -1.

    codes: int64[n]; None where every row has ``names[0]``.
    """

    names: tuple[str, ...]
    codes: np.ndarray | None = None

    def index(self, size: int) -> np.ndarray:
        """The codes of ``size`` rows, int64."""
        return np.zeros(size, dtype=np.int64) if self.codes is None else self.codes

    def tolist(self, size: int) -> list[str]:
        """The texts, empty where a row has none: for small lists."""
        return [self.names[code] if code >= 0 else "" for code in self.index(size).tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one list in their order.

    numbers: int64[n] and float64[n] by column; masked (`numpy.ma`) where not every row states it, absent where none
    does. Connections: ``id pre post pre_segment post_segment pre_fraction post_fraction weight delay`` (ms); inputs:
    ``id target segment fraction weight``; instances: ``id x y z`` (um); spikes: ``id time`` (ms). ``pre``, ``post`` and
    ``target`` are the ids of instances.
    words: ``synapse pre_component post_component destination neuroLexId``, and of paths to cells what they name besides
    the number: ``pre_population pre_type`` (the component in ``../pop/3/type``), likewise of the others. Attributes
    that the schema does not have stand under their own names.
    lines: int64[n], where each row is in the file; None in a file without lines (HDF5).
    """

    size: int
    numbers: Mapping[str, np.ndarray] = field(default_factory=empty)
    words: Mapping[str, Words] = field(default_factory=empty)
    lines: np.ndarray | None = None

    def where(self, row: int, owner: str) -> str:
        """``file:line`` of a row; owner: that of its list, the place where rows have no lines."""
        if self.lines is None:
            return owner
        return f"{owner.rpartition(':')[0]}:{int(self.lines[row])}"


def joined(blocks: Sequence[Rows]) -> Rows:
    """Rows one after the other. A column that a block does not have is masked there."""
    if len(blocks) == 1:
        return blocks[0]
    numbers = list(dict.fromkeys(name for block in blocks for name in block.numbers))
    words = list(dict.fromkeys(name for block in blocks for name in block.words))
    lines = [block.lines for block in blocks if block.lines is not None]
    return Rows(
        sum(block.size for block in blocks),
        {name: _numbers(name, blocks) for name in numbers},
        {name: _words(name, blocks) for name in words},
        np.concatenate(lines) if lines else None,
    )


def _numbers(name: str, blocks: Sequence[Rows]) -> np.ndarray:
    dtype = next(block.numbers[name].dtype for block in blocks if name in block.numbers)
    parts = [
        block.numbers[name] if name in block.numbers else np.ma.masked_all(block.size, dtype=dtype) for block in blocks
    ]
    if not any(isinstance(part, np.ma.MaskedArray) for part in parts):
        return np.concatenate(parts)
    data: np.ndarray = np.ma.concatenate(parts)
    return data


def _words(name: str, blocks: Sequence[Rows]) -> Words:
    names: dict[str, int] = {}
    parts = []
    for block in blocks:
        found = block.words.get(name)
        if found is None:
            parts.append(np.full(block.size, -1, dtype=np.int64))
            continue
        place = np.asarray([*(names.setdefault(text, len(names)) for text in found.names), -1], dtype=np.int64)
        parts.append(place[found.index(block.size)])
    codes = np.concatenate(parts)
    return Words(tuple(names), codes if codes.any() else None)
