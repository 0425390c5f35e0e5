"""Projections of PyNN, between populations, views and assemblies, as edges between the rows of populations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Edges, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.pynn_objects.cables import Cable
from pynn_io.importers.pynn_objects.cells import label_column, model_of
from pynn_io.importers.pynn_objects.connections import Connections, connections
from pynn_io.importers.pynn_objects.names import Names
from pynn_io.importers.pynn_objects.places import onto_cable, place_columns
from pynn_io.importers.pynn_objects.sides import components, side_of
from pynn_io.importers.pynn_objects.values import plain, unpacked
from pynn_io.report import Report
from pynn_io.vocabulary import models

_RULES = ("timing_dependence", "weight_dependence", "voltage_dependence")
#: PyNN's units of weights onto native cells, by the unit of the cell: it has nA and uS for all of them. Where the unit
#: is not known, the number is made NEST's own, as PyNN makes it.
_FOR_NATIVE = {"pA": ("nA", 1.0), "nS": ("uS", 1.0), "mV": ("mV", 1000.0), "": ("", 1000.0)}
#: NEST's units of weights, by those of PyNN's cells.
_OF_NATIVE = {"nA": "pA", "uS": "nS"}


@dataclass(frozen=True, slots=True)
class Described:
    """What all connections share. columns: names of the parameters that are asked of each."""

    synapse: Synapse
    columns: Sequence[str]


def described(projection: Any) -> Described:
    synapse, varying = _synapse_of(projection)
    return Described(synapse, ["weight", *([] if _is_electrical(projection) else ["delay"]), *varying])


def _is_electrical(projection: Any) -> bool:
    return type(projection.synapse_type).__name__ == "ElectricalSynapse"


def _synapse_of(projection: Any) -> tuple[Synapse, list[str]]:
    """The definition, with what all connections share, and the names of parameters that differ between them."""
    kind = projection.synapse_type
    if hasattr(kind, "timing_dependence"):
        own = getattr(projection, "columns", {})
        stated = _plasticity(kind)
        stated |= {name: value for name, value in own.items() if name in stated and np.ndim(value) == 0}
        return Synapse("STDPMechanism", stated), [name for name in stated if np.ndim(own.get(name, 0.0))]
    model = getattr(kind, "native", "") or (f"nest:{kind.nest_name}" if _is_native(kind) else type(kind).__name__)
    space = kind.parameter_space
    own = getattr(projection, "columns", {})
    names = [name for name in dict.fromkeys([*space.keys(), *own]) if name not in ("weight", "delay")]
    if hasattr(projection, "columns"):
        varying = [name for name in names if np.ndim(own.get(name, 0.0))]
        return Synapse(model, {name: own[name] for name in names if name in own and name not in varying}), varying
    varying = [name for name in names if not space[name].is_homogeneous]
    shared = unpacked(space, 1) if len(varying) < len(names) else {}
    return Synapse(model, {name: plain(shared[name]) for name in names if name not in varying}), varying


def _is_native(kind: Any) -> bool:
    return "NativeSynapseType" in (base.__name__ for base in type(kind).__mro__)


def _plasticity(kind: Any) -> dict[str, Any]:
    """Which rules there are, and the parameters of them all."""
    found: dict[str, Any] = {}
    for place in _RULES:
        rule = getattr(kind, place)
        if rule is not None:
            found[place] = type(rule).__name__
            found |= {name: plain(value) for name, value in unpacked(rule.parameter_space, 1).items()}
    return {**found, "dendritic_delay_fraction": float(kind.dendritic_delay_fraction)}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What projections stand in. populations: names by ``id()`` of the object; cables: cells with extent, by name."""

    populations: Mapping[int, str]
    cables: Mapping[str, Cable]


def graph_projections(
    projections: Sequence[Any], around: Surroundings, report: Report
) -> Iterator[tuple[Projection, Synapse]]:
    """Projections of the graph with the definitions of their synapses, in PyNN's order of them."""
    names = Names("projection", report)
    kinds = [described(projection) for projection in projections]
    asked = ((projection, kind.columns) for projection, kind in zip(projections, kinds, strict=True))
    for projection, kind, found in zip(projections, kinds, connections(asked), strict=True):
        yield from _parts(projection, kind.synapse, found, names, around, report)


def _parts(
    projection: Any, synapse: Synapse, found: Connections, names: Names, around: Surroundings, report: Report
) -> Iterator[tuple[Projection, Synapse]]:
    """One projection of the graph for every pair of populations that it connects."""
    populations, cables = around.populations, around.cables
    electrical = _is_electrical(projection)
    _tell_states(projection, synapse.parameters.keys() | found.columns.keys(), report)
    pre, post = side_of(projection.pre, populations), side_of(projection.post, populations)
    label = "" if projection.label == f"{projection.pre.label}→{projection.post.label}" else str(projection.label or "")
    pairs = [(one, other) for one in range(len(pre.names)) for other in range(len(post.names))]
    for one, other in pairs:
        chosen = _chosen(found, pre.part, post.part, one, other) if len(pairs) > 1 else slice(None)
        ends = pre.names[one], post.names[other]
        pair = f"{ends[0]}_to_{ends[1]}"  # what files of SONATA call their edges, where PyNN made a label up
        called = pair if not label else label if len(pairs) == 1 else f"{label}:{pair}"
        name = names.take(called)
        source, target = pre.row[found.source[chosen]], post.row[found.target[chosen]]
        unit, scale = _weight_unit(synapse.model, projection, other)
        types, columns = _columns(found, chosen, scale)
        shown = synapse
        if ends[1] in cables:
            shown, unit = onto_cable(synapse, projection, name, report), "uS"
            columns |= place_columns(projection, cables[ends[1]].shape, name, report)
        head = {"synapse": text_column([name])} | ({"weight_unit": text_column([unit])} if unit else {})
        head |= label_column(called, name)
        if not electrical and projection.receptor_type not in (None, "default"):
            head["receptor"] = text_column([str(projection.receptor_type)])
        edges = Edges(Column(source), Column(target), Table(len(source), columns))
        kind = "electrical" if electrical else "chemical"
        yield Projection(name, *ends, Table(1, {**head, **types}), edges, kind=kind), shown


def _tell_states(projection: Any, kept: Set[str], report: Report) -> None:
    """Report the states that ``initialize()`` gave to synapses whose type has no place for them (``synapse-state``)."""
    left = sorted(getattr(projection, "initial_values", {}).keys() - kept)
    if left:
        message = "The states that its synapses were given to begin with are not kept; they start as the type has them."
        where = f"projection {projection.label or ''}".strip()
        report.lost("synapse-state", where, message, count=len(left), examples=left)


def _chosen(found: Connections, pre: np.ndarray, post: np.ndarray, one: int, other: int) -> np.ndarray:
    """The connections between two parts of the sides."""
    return np.flatnonzero((pre[found.source] == one) & (post[found.target] == other))


def _columns(found: Connections, chosen: Any, scale: float) -> tuple[dict[str, Column], dict[str, Column]]:
    """What is stated once for all connections, and what is stated for each."""
    types: dict[str, Column] = {}
    columns: dict[str, Column] = {}
    for name, value in found.columns.items():
        unit = "ms" if name == "delay" else ""
        label = name if name in ("weight", "delay") else PARAMETER + name
        if name == "weight" and scale != 1.0:
            value = value * scale
        if np.ndim(value) == 0:
            types[label] = Column(plain(value), unit)
        else:
            columns[label] = Column(np.array(value[chosen], dtype=np.float64), unit)
    return types, columns


def _weight_unit(synapse: str, projection: Any, part: int) -> tuple[str, float]:
    """The unit of the weights, and what PyNN's number is multiplied by to be in it."""
    target = model_of(_cells(projection.post)[part])
    unit = models.weight_unit(synapse, target)
    if getattr(projection.synapse_type, "native", ""):  # of the recording backend: the number is NEST's own
        return _OF_NATIVE.get(unit, unit), 1.0
    if target.startswith("nest:"):
        return _FOR_NATIVE.get(unit, (unit, 1.0))
    return unit, 1.0


def _cells(group: Any) -> list[Any]:
    """The cell types of a side, one for each of its populations, in order."""
    found: dict[int, Any] = {}
    for piece in components(group):
        found.setdefault(id(getattr(piece, "grandparent", piece)), piece.celltype)
    return list(found.values())
