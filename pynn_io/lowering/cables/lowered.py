"""The record that simulators of cables get which number their cells by gid: plain data, made without a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from pynn_io.lowering import Trains
from pynn_io.lowering.cables.elements import Injection, Recorded
from pynn_io.lowering.cables.gaps import Gaps
from pynn_io.lowering.cables.models import Connections

_Settings = TypeVar("_Settings")
_Cable = TypeVar("_Cable")


@dataclass(frozen=True, slots=True, eq=False)
class LoweredCables(Generic[_Settings, _Cable]):
    """A network and a plan, in which a simulator's own settings and cables stand.

    first: gid of the first cell of every population; the gid of a cell is that plus its row. ids: of its rows.
    cable: int64[gids], the one of ``cables`` that a cell is; -1: it is none, and emits what ``trains`` (rows are gids)
    has of it. nodes: ids of the cells that are simulated.
    connections: chemical projections, in the order in which their blocks are to be taken.
    """

    name: str
    settings: _Settings
    first: Mapping[str, int]
    ids: Mapping[str, np.ndarray]
    nodes: Mapping[str, np.ndarray]
    cable: np.ndarray
    cables: tuple[_Cable, ...]
    connections: tuple[Connections, ...]
    trains: Trains
    injections: tuple[Injection, ...]
    recordings: tuple[Recorded, ...]
    gaps: Gaps

    @property
    def size(self) -> int:
        """How many gids there are."""
        return len(self.cable)
