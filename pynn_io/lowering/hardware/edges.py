"""Edges in blocks with their sign settled: a weight ends on the excitatory or on the inhibitory receptor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pynn_io.errors import UnitError
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.edges import EdgeBlock, edge_blocks
from pynn_io.report import Report
from pynn_io.units import convert
from pynn_io.vocabulary.models import known

_STANDARD_UNITS = ("nA", "uS", "mV")


@dataclass(frozen=True, slots=True, eq=False)
class SignedBlock:
    """Edges of a block. source, target, type: as in `EdgeBlock`.

    weight: float64, signed, of all synapses of an edge, in nA, uS or mV. inhibitory: bool, where each one ends.
    delay: ms, NaN where not stated.
    """

    source: np.ndarray
    target: np.ndarray
    type: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    inhibitory: np.ndarray


def chemical(network: Network) -> Iterator[Projection]:
    """The projections that have weights and delays as chips know them."""
    return (one for one in network.projections.values() if one.kind == "chemical")


def signed_blocks(projection: Projection, network: Network) -> Iterator[SignedBlock]:
    """All edges of a projection, a block at a time, in bounded memory.

    A weight that is negative, or whose receptor is stated to be inhibitory, ends on the inhibitory receptor, as
    `pynn_io.lowering.pynn` has it.
    """
    factors = _factors(projection, network)
    stated = _receptors(projection)
    for block in edge_blocks(projection, network, Report(), ["receptor"]):
        weight = block.weight * factors[block.type]
        if block.nsyns is not None:
            weight = weight * block.nsyns
        named = _inhibitory(projection, block, stated)
        yield SignedBlock(block.source, block.target, block.type, weight, block.delay, named | (weight < 0))


def weight_unit(network: Network, population: str) -> str:
    """The unit of weights onto a population among nA, uS and mV; empty where it is not known."""
    for name in network.populations[population].cells:
        model = known(getattr(network.cells[name], "model", ""))
        if model is not None and model.weight_unit:
            return _standard(model.weight_unit)
    return ""


def _standard(unit: str) -> str:
    """nA, uS or mV, whichever has the dimension of a unit; the unit itself where none has."""
    for standard in _STANDARD_UNITS:
        try:
            convert(1.0, unit, standard)
        except UnitError:
            continue
        return standard
    return unit


def _factors(projection: Projection, network: Network) -> np.ndarray:
    """From the unit of each type's weights to nA, uS or mV. A weight without a unit is in the target's own."""
    own = weight_unit(network, projection.post)
    column = projection.types.get("weight_unit")
    size = projection.types.size
    units = [None] * size if column is None else np.ma.asarray(column.values(size)).tolist()
    found = np.ones(size)
    for row, unit in enumerate(units):
        standard = _standard(str(unit)) if unit else own
        if unit and standard in _STANDARD_UNITS:
            found[row] = convert(1.0, str(unit), standard)
    return found


def _receptors(projection: Projection) -> np.ndarray:
    """Whether each type names the inhibitory receptor, bool."""
    column = projection.types.get("receptor")
    if column is None:
        return np.zeros(projection.types.size, dtype=bool)
    values = np.ma.asarray(column.values(projection.types.size)).tolist()
    return np.array([value == "inhibitory" for value in values], dtype=bool)


def _inhibitory(projection: Projection, block: EdgeBlock, stated: np.ndarray) -> np.ndarray:
    """Whether each edge of a block names the inhibitory receptor: its own word, else its type's."""
    column = projection.edges.columns.get("receptor")
    if column is None or column.levels is None:
        return stated[block.type]
    words = np.ma.asarray(block.columns["receptor"])
    if words.dtype == object:
        named = np.ma.filled(words, None) == "inhibitory"
    else:
        named = np.array([level == "inhibitory" for level in column.levels])[np.ma.filled(words, 0)]
    return np.where(np.ma.getmaskarray(words), stated[block.type], named).astype(bool)
