"""Populations and projections as NIR's primitives, in ms, mV, nA and MOhm: what a writer puts into a file, and what a
reader compares with what it found there.

The equations of a `CubaLIF` (nir 1.0.8, ``nir.ir.neuron``) are ``tau_syn dI/dt = -I + w_in S`` and ``tau_mem dv/dt =
v_leak - v + R I``, those of a `LIF` ``tau dv/dt = v_leak - v + R I``. With spikes as unit impulses, a weight W makes I
jump by ``W w_in / tau_syn``, so that ``w_in = tau_syn`` makes W the current of IF_curr_exp; the potential of a LIF
jumps by ``W R / tau = W / cm``, so that ``W = w cm`` makes w the jump of IF_curr_delta. A constant current is a part of
``v_leak``: ``v_rest + R i_offset``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.errors import UnitError, WriteError
from pynn_io.formats.nir import Matrix
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.lowering.abstract import leaky, without_capacitance
from pynn_io.lowering.cells import Part, parts
from pynn_io.lowering.edges import edge_blocks
from pynn_io.lowering.standard import as_standard_values, completed
from pynn_io.report import Report
from pynn_io.units import convert

Values = dict[str, Any]
#: Potentials, which the dialect ``relative`` counts from rest.
_POTENTIALS = ("v_leak", "v_threshold", "v_reset")


@dataclass(frozen=True, slots=True, eq=False)
class Neurons:
    """The node of a population.

    type: ``Input``, ``LIF`` or ``CubaLIF``. values: float64[size] each, by NIR's names. unit: of the weights that
    ``entry`` (float64[size]) turns into entries of a matrix: ``nA``, ``mV`` or ``1``.
    refractory: ms, float64[size]; 0 where a cell has none. offset: how many cells have a constant current. states:
    names of the variables that a source states the start of.
    """

    type: str
    size: int
    values: Mapping[str, np.ndarray] = field(default_factory=empty)
    unit: str = ""
    entry: np.ndarray | None = None
    refractory: np.ndarray | None = None
    offset: int = 0
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The edges of a projection that have one delay (ms; None where not stated). merged: edges that share an entry."""

    delay: float | None
    matrix: Matrix
    merged: int = 0


class NoPrimitive(Exception):
    """Why a population has no primitive, in words for the report."""


# --- cells --------------------------------------------------------------------------------------------------------


def _standard(part: Part, cell: PointCell, report: Report, where: str) -> Values:
    return completed(part, cell, report, where)


def _translated(part: Part, cell: PointCell, report: Report, where: str) -> Values:
    """A cell of NEST as its standard twin."""
    found, native_only = as_standard_values(cell.model, completed(part, cell, report, where))
    if native_only:
        raise NoPrimitive(f"{', '.join(sorted(native_only))} of {cell.model} change what it computes")
    return found


def _integrate_and_fire_1(part: Part, cell: PointCell, report: Report, where: str) -> Values:
    """NEURON's artificial cell, which counts in units of its threshold; s -> ms."""
    values = completed(part, cell, report, where)
    still = {"cm": 1.0, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1.0, "i_offset": 0.0}
    times = {"tau_m": np.multiply(values["tau"], 1000.0), "tau_refrac": np.multiply(values["refrac"], 1000.0)}
    return {**still, **times, **({"m": values["m"]} if "m" in values else {})}


def _component(make: Callable[[Any], Values]) -> Callable[[Part, PointCell, Report, str], Values]:
    """A component of NeuroML, whose start is no state of the file."""

    def membrane(part: Part, cell: PointCell, report: Report, where: str) -> Values:
        numbers = {key: np.asarray(value, dtype=np.float64) for key, value in part.parameters.items()}
        if np.any(numbers.get("leakConductance", np.ones(1)) <= 0):
            raise NoPrimitive("a membrane without a leak has no time constant")
        return {key: value for key, value in make(numbers).items() if key != "v"}

    return membrane


#: Model -> unit of a weight onto it, whether its current decays, and its membrane as a standard cell's.
_FORMS: Mapping[str, tuple[str, bool, Callable[[Part, PointCell, Report, str], Values]]] = MappingProxyType(
    {
        "IF_curr_exp": ("nA", True, _standard),
        "IF_curr_delta": ("mV", False, _standard),
        "nest:iaf_psc_exp": ("nA", True, _translated),
        "nest:iaf_psc_delta": ("mV", False, _translated),
        "nrn:IntFire1": ("1", False, _integrate_and_fire_1),
        # No synapse of NeuroML onto these is a jump: they come without connections.
        "neuroml:iafCell": ("", False, _component(leaky)),
        "neuroml:iafRefCell": ("", False, _component(leaky)),
        "neuroml:iafTauCell": ("", False, _component(without_capacitance)),
        "neuroml:iafTauRefCell": ("", False, _component(without_capacitance)),
    }
)
_MEMBRANE = frozenset(
    {"cm", "tau_m", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "tau_syn_E", "tau_syn_I"}
)


def neurons(population: Population, network: Network, report: Report, *, relative: bool = False) -> Neurons:
    """The node of a population. relative: potentials are counted from rest.

    Reports the defaults that are filled in. Raises NoPrimitive where NIR has none for its cells.
    """
    where = f"population {population.name}"
    found = [(part, _part(part, network, report, where, relative)) for part in parts(population, network)]
    if not found:
        raise NoPrimitive("it has no cells")
    kinds = {(item.type, item.unit) for _, item in found}
    if len(kinds) > 1:
        raise NoPrimitive(
            f"a node is of one kind, and these cells are {' and '.join(sorted(kind for kind, _ in kinds))}"
        )
    return _joined(population.size, found)


def _joined(size: int, found: list[tuple[Part, Neurons]]) -> Neurons:
    """One node of the parts of a population."""
    first = found[0][1]

    def over(take: Callable[[Neurons], np.ndarray | None]) -> np.ndarray:
        whole = np.zeros(size)
        for part, item in found:
            values = take(item)
            whole[part.rows] = 0.0 if values is None else values
        return whole

    def named(name: str) -> np.ndarray:
        return over(lambda item: item.values[name])

    return Neurons(
        first.type,
        size,
        {name: named(name) for name in first.values},
        first.unit,
        None if first.entry is None else over(lambda item: item.entry),
        over(lambda item: item.refractory),
        sum(item.offset for _, item in found),
        tuple(dict.fromkeys(name for _, item in found for name in item.states)),
    )


def _part(part: Part, network: Network, report: Report, where: str, relative: bool) -> Neurons:
    cell = part.cell
    if isinstance(cell, SpikeSource):
        return Neurons("Input", part.size)
    if not isinstance(cell, PointCell) or cell.model not in _FORMS:
        raise NoPrimitive(f"NIR has no primitive for {getattr(cell, 'model', type(cell).__name__)}")
    unit, decays, membrane = _FORMS[cell.model]
    stated = membrane(part, cell, report, where)
    p = {
        key: np.broadcast_to(np.asarray(stated[key], dtype=np.float64), part.size) for key in stated.keys() & _MEMBRANE
    }
    values = _values(p, _tau_syn(p, part, network) if decays else None)
    if relative:
        values |= {name: values[name] - p["v_rest"] for name in _POTENTIALS}
    return Neurons(
        "CubaLIF" if decays else "LIF",
        part.size,
        values,
        unit,
        np.ones(part.size) if decays else p["cm"],
        p["tau_refrac"],
        int(np.count_nonzero(p["i_offset"])),
        tuple(sorted(stated.keys() - _MEMBRANE)),
    )


def _values(p: Mapping[str, np.ndarray], tau_syn: np.ndarray | None) -> dict[str, np.ndarray]:
    resistance = p["tau_m"] / p["cm"]
    shared = {
        "r": resistance,
        "v_leak": p["v_rest"] + resistance * p["i_offset"],
        "v_threshold": p["v_thresh"],
        "v_reset": p["v_reset"],
    }
    if tau_syn is None:
        return {"tau": p["tau_m"], **shared}
    return {"tau_syn": tau_syn, "tau_mem": p["tau_m"], **shared, "w_in": tau_syn}


def _tau_syn(p: Mapping[str, np.ndarray], part: Part, network: Network) -> np.ndarray:
    """The one time constant of synaptic currents. Raises NoPrimitive for cells that use two."""
    if np.array_equal(p["tau_syn_E"], p["tau_syn_I"]):
        return p["tau_syn_E"]
    excited, inhibited = signs_onto(part.population, network)
    if excited and inhibited:
        raise NoPrimitive("tau_syn_E and tau_syn_I differ, and a CubaLIF has one time constant of synaptic currents")
    return p["tau_syn_I"] if inhibited else p["tau_syn_E"]


def signs_onto(population: str, network: Network) -> tuple[bool, bool]:
    """Whether any weight onto a population is positive, and whether any is negative."""
    positive = negative = False
    for projection in network.projections.values():
        if projection.post == population and projection.kind == "chemical":
            for block in edge_blocks(projection, network, Report()):
                positive |= bool((block.weight > 0).any())
                negative |= bool((block.weight < 0).any())
    return positive, negative


# --- connections --------------------------------------------------------------------------------------------------


def layers(projection: Projection, network: Network, target: Neurons, report: Report) -> tuple[Layer, ...]:
    """The edges of a projection as matrices, one a delay: first those that state none, then by delay.

    Edges between the same two cells with one delay are one entry, their weights added. Raises WriteError for a weight
    in a unit that the target does not take.
    """
    rows, columns = network.populations[projection.post].size, network.populations[projection.pre].size
    factors = _factors(projection, target)
    place, value, delay = [np.empty(0, dtype=np.int64)], [np.empty(0)], [np.empty(0)]
    for block in edge_blocks(projection, network, report):
        weight = block.weight * factors[block.type]
        weight = weight if block.nsyns is None else weight * block.nsyns
        entry = np.ones(rows) if target.entry is None else target.entry
        value.append(weight * entry[block.target])
        place.append(block.target * columns + block.source)
        delay.append(np.asarray(block.delay))
    places, values, delays = np.concatenate(place), np.concatenate(value), np.concatenate(delay)
    found = []
    for wanted in np.unique(delays).tolist():  # NaN, the last of them, is "not stated"
        chosen = np.isnan(delays) if np.isnan(wanted) else delays == wanted
        matrix, merged = _matrix(places[chosen], values[chosen], (rows, columns))
        found.append(Layer(None if np.isnan(wanted) else wanted, matrix, merged))
    return tuple(sorted(found, key=lambda layer: -1.0 if layer.delay is None else layer.delay))


def _factors(projection: Projection, target: Neurons) -> np.ndarray:
    """What turns the weights of each type into the target's unit."""
    size = projection.types.size
    column = projection.types.get("weight_unit")
    units = [""] * size if column is None else np.ma.filled(np.ma.asarray(column.values(size)), "").tolist()
    found = []
    for unit in units:
        try:
            plain = unit in ("", "1") or not target.unit
            found.append(1.0 if plain else convert(1.0, unit, target.unit))
        except UnitError as error:
            raise WriteError(
                f"weights are in {unit}, and the cells of population {projection.post} take {target.unit}",
                where=f"projection {projection.name}",
            ) from error
    return np.asarray(found)


def _matrix(place: np.ndarray, value: np.ndarray, shape: tuple[int, int]) -> tuple[Matrix, int]:
    places, index = np.unique(place, return_inverse=True)
    if len(places) == len(place):
        summed = value[np.argsort(place)]
    else:
        summed = np.bincount(index, value, len(places))
    kept = summed != 0
    row, column = np.divmod(places[kept], max(shape[1], 1))
    return Matrix(shape, row, column, summed[kept]), len(place) - len(places)


def same_layers(one: tuple[Layer, ...], two: tuple[Layer, ...]) -> bool:
    """Whether two projections are the same matrices behind the same delays; one without entries is none."""
    left, right = ([layer for layer in side if len(layer.matrix.value)] for side in (one, two))
    return len(left) == len(right) and all(
        a.delay == b.delay
        and a.matrix.shape == b.matrix.shape
        and np.array_equal(a.matrix.row, b.matrix.row)
        and np.array_equal(a.matrix.column, b.matrix.column)
        and np.array_equal(a.matrix.value, b.matrix.value)
        for a, b in zip(left, right, strict=True)
    )


def same_neurons(one: Neurons, type_: str, values: Mapping[str, np.ndarray]) -> bool:
    """Whether a node of a file says of its neurons what this one does, to the last bit."""
    return one.type == type_ and all(
        name in values and np.array_equal(one.values[name], values[name]) for name in one.values
    )


__all__ = ["Layer", "Neurons", "NoPrimitive", "layers", "neurons", "same_layers", "same_neurons", "signs_onto"]
