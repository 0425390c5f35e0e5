"""Edges in blocks, with the weights that a simulator uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.graph.columns import BLOCK
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.report import Report

#: Weight functions that use the stated weight (``bmtk.simulator.core.simulation_config``'s built-in ones).
IDENTITY = frozenset({None, "", "wmax", "set_syn_weight", "default_weight_fnc"})


@dataclass(frozen=True, slots=True, eq=False)
class EdgeBlock:
    """Edges ``start`` to ``stop`` of a projection, in file order.

    source, target, type: int64, ROWS of the two populations and of `Projection.types`. weight: float64, as used: weight
    function and sign applied, in the type's ``weight_unit``, of ONE synapse. nsyns: how many synapses the edge is; None
    where every edge is one. delay: float64, ms, NaN where not stated. columns: what else was asked for and is there,
    masked where not stated.
    """

    start: int
    stop: int
    source: np.ndarray
    target: np.ndarray
    type: np.ndarray
    weight: np.ndarray
    nsyns: np.ndarray | None
    delay: np.ndarray
    columns: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        return self.stop - self.start


def edge_blocks(
    projection: Projection, network: Network, report: Report, names: Sequence[str] = (), *, block: int = BLOCK
) -> Iterator[EdgeBlock]:
    """All edges of a projection, a block at a time, in bounded memory. names: further columns.

    Reports ``default-weight`` and ``weight-function`` as `UsedWeights` does. An edge of 0 synapses is one without
    effect; it is in the block with ``nsyns`` 0.
    """
    weights = UsedWeights(projection, network)
    wanted = list(dict.fromkeys([*weights.names, "delay", "nsyns", *names]))
    for start, stop, rows in projection.blocks(wanted, block=block):
        yield EdgeBlock(
            start,
            stop,
            np.asarray(rows["source"], dtype=np.int64),
            np.asarray(rows["target"], dtype=np.int64),
            np.asarray(rows["type"], dtype=np.int64),
            weights.of(rows, report),
            numbers_of_synapses(rows),
            stated_delays(rows),
            {name: rows[name] for name in names if name in rows},
        )


def stated_by_edges(projection: Projection) -> dict[str, float]:
    """The parameters of synapses that every edge states, with a number that takes the place of a default."""
    edges = projection.edges
    return {
        name.removeprefix(PARAMETER): 0.0
        for name, column in edges.columns.items()
        if name.startswith(PARAMETER) and column.rows_stated(edges.size) == edges.size
    }


def numbers_of_synapses(rows: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """``nsyns`` of a block, 1 where not stated; None where the projection has no such column."""
    return np.ma.filled(np.ma.asarray(rows["nsyns"]), 1) if "nsyns" in rows else None


def stated_delays(rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """``delay`` of a block, ms, float64; NaN where not stated (OBI files write NaN themselves)."""
    values = rows.get("delay")
    if values is None:
        return np.broadcast_to(np.nan, len(rows["source"]))
    return np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)


def effective_weight(
    weight: np.ndarray,
    function: str | None,
    *,
    sigma: np.ndarray | None = None,
    pre_angle: np.ndarray | None = None,
    post_angle: np.ndarray | None = None,
) -> np.ndarray | None:
    """The weight that a simulator uses for the stated one, same shape and unit; None if the rule cannot be applied.

    ``gaussianLL`` (BMTK): ``w exp(-(d/sigma)**2)``, d the difference of the cells' tuning angles (degrees) folded to a
    period of 180 degrees. Others named in `IDENTITY` change nothing.
    """
    if function in IDENTITY:
        return weight
    if function != "gaussianLL" or sigma is None or pre_angle is None or post_angle is None:
        return None
    apart = np.abs(np.abs(np.abs(180.0 - np.abs(post_angle - pre_angle) % 360.0) - 90.0) - 90.0)
    return weight * np.exp(-((apart / sigma) ** 2))


class UsedWeights:
    """The weights of a projection as they are used: stated weight, its function and its sign; without ``nsyns``.

    names: the columns that `of` needs in a block of `Projection.blocks`.
    """

    names = ("weight", "weight_sigma", f"{PARAMETER}sign")

    def __init__(self, projection: Projection, network: Network) -> None:
        self._where = f"projection {projection.name}"
        # A connection of NeuroML without a weight has 1, by its definition.
        self._defined = all(network.synapses[name].model.startswith("neuroml:") for name in projection.synapses)
        self._functions = _functions(projection)
        self._signs = np.array([_sign(network.synapses[name]) for name in projection.synapses])
        ends = (network.populations[projection.pre], network.populations[projection.post])
        needed = any(function not in IDENTITY for function in self._functions)
        self._angles = [_tuning_angles(end) if needed else None for end in ends]

    def of(self, rows: Mapping[str, np.ndarray], report: Report | None = None) -> np.ndarray:
        """The weights of a block, float64. A weight that is not stated is 1.

        Reports ``default-weight`` (DEFAULTED) for those, and ``weight-function`` (APPROXIMATED) where a function is not
        known or lacks its values, so that the stated weight stands.
        """
        size = len(rows["source"])
        values = rows.get("weight")
        weight = np.ones(size) if values is None else np.ma.filled(np.ma.asarray(values, dtype=np.float64), 1.0)
        if report is not None and not self._defined and (values is None or np.ma.is_masked(values)):
            report.defaulted(
                "default-weight",
                self._where,
                "The weight is not stated; it is taken to be 1.",
                count=size if values is None else int(np.ma.getmaskarray(values).sum()),
            )
        weight = self._function_applied(weight, rows, report)
        sign = rows.get(f"{PARAMETER}sign")
        if sign is not None:
            return weight * np.ma.filled(np.ma.asarray(sign), 1)
        return weight * self._signs[rows["type"]] if (self._signs != 1).any() else weight

    def _function_applied(
        self, weight: np.ndarray, rows: Mapping[str, np.ndarray], report: Report | None
    ) -> np.ndarray:
        for row, function in enumerate(self._functions):
            if function in IDENTITY:
                continue
            chosen = np.flatnonzero(rows["type"] == row)
            ends = (rows["source"][chosen], rows["target"][chosen])
            angles = [None if all_ is None else all_[end] for all_, end in zip(self._angles, ends, strict=True)]
            sigma = rows.get("weight_sigma")
            used = effective_weight(
                weight[chosen],
                function,
                sigma=None if sigma is None else np.ma.getdata(sigma)[chosen],
                pre_angle=angles[0],
                post_angle=angles[1],
            )
            if used is not None:
                weight = weight.copy()
                weight[chosen] = used
            elif report is not None:
                report.approximated(
                    "weight-function",
                    self._where,
                    f"The weight function {function} is not known or lacks its values; the stated weight stands.",
                    count=len(chosen),
                    examples=[function],
                )
        return weight


def _functions(projection: Projection) -> list[str | None]:
    column = projection.types.get("weight_function")
    if column is None:
        return [None] * projection.types.size
    values = np.ma.asarray(column.values(projection.types.size)).tolist()
    return [None if value is None else str(value) for value in values]


def _tuning_angles(population: Population) -> np.ndarray | None:
    column = population.column("tuning_angle")
    if column is None or column.is_text:
        return None
    return np.ma.filled(np.ma.asarray(column.read(population.size), dtype=np.float64), np.nan)


def _sign(synapse: Synapse) -> float:
    value = synapse.parameters.get("sign", 1)
    return float(value) if isinstance(value, (int, float)) else 1.0
