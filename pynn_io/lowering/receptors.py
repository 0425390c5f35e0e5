"""Which receptor of its target an edge acts on, and its weight in the unit that the target takes."""

from __future__ import annotations

import numpy as np

from pynn_io.errors import PlanError, UnitError
from pynn_io.graph.network import Projection
from pynn_io.lowering.edges import EdgeBlock
from pynn_io.units import convert

INHIBITORY = "inhibitory"
#: Units of weights that are conductances: positive whatever they do.
_CONDUCTANCES = ("nS", "uS")


def type_text(projection: Projection, name: str, row: int) -> str:
    """What one type of a projection states in a column of text; empty where it states nothing."""
    column = projection.types.get(name)
    if column is None:
        return ""
    value = np.ma.asarray(column.values(projection.types.size))[row]
    return "" if value is None or value is np.ma.masked else str(value)


def inhibitory_edges(
    projection: Projection, of_types: np.ndarray, block: EdgeBlock, chosen: np.ndarray | slice
) -> np.ndarray:
    """Whether each of some edges of a block acts on the inhibitory receptor, bool.

    of_types: what the types say, bool; the block has the edges' own column ``receptor`` where there is one.
    """
    found = of_types[block.type[chosen]]
    column = projection.edges.columns.get("receptor")
    if column is None or column.levels is None:
        return found
    own = np.ma.masked_array(block.columns["receptor"])[chosen]
    says = np.array([level == INHIBITORY for level in column.levels] or [False], dtype=bool)
    return np.where(np.ma.getmaskarray(own), found, says[np.ma.filled(own, 0)])


def check_unit(unit: str, native: str, cells: str, where: str) -> None:
    """Raise PlanError for weights in another dimension than ``native``: a broken network, not something to guess about.

    cells: what they act on, in the message. An empty unit, and ``1``, are taken as the native one.
    """
    if not unit or not native or unit == "1":
        return
    try:
        convert(1.0, unit, native)
    except UnitError as error:
        raise PlanError(f"weights are in {unit}; {cells} take {native}", where=where) from error


def used_weights(unit: str, native: str, weight: np.ndarray, inhibitory: np.ndarray | bool) -> np.ndarray:
    """Weights in the native unit and sign: onto the inhibitory synapse of a cell that has no ports they are negative.

    A conductance is positive whatever it does; a current is negative already if it inhibits.
    """
    if unit and native and unit not in ("1", native):
        weight = np.asarray(convert(weight, unit, native))  # type: ignore[arg-type]
    if not np.any(inhibitory):
        return weight
    return np.where(inhibitory, -np.abs(weight) if native in _CONDUCTANCES else weight, weight)
