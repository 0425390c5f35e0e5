"""Columns of edges as one of PyNN's connectors.

`ConnectColumns` does what ``FromListConnector`` does, and gives the same projection: parameters are translated once for
all edges, not once a target. Where PyNN's backend leads to one call of the simulator for all edges, that is made
(NEST, Brian2); NEURON has one call an edge, and gets static synapses by these alone; any other backend, and any other
synapse, gets PyNN's own hook, once a target. This module imports PyNN.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
from pyNN.connectors import Connector
from pyNN.standardmodels import StandardSynapseType

from pynn_io.lowering.pynn import Connections

#: What PyNN states of a synapse and NEST's connections do not have.
_NOT_OF_NEST = ("tau_minus", "dendritic_delay_fraction", "w_min_always_zero_in_NEST")
#: What differs from NEST's model of the synapse even where it is the same for all edges.
_OF_EDGES = frozenset({"weight", "delay", "tau_psc", "Wmax"})
_Values = dict[str, Any]


class ConnectColumns(Connector):  # type: ignore[misc]
    """Connects the edges of a `Connections`, whose places are those in ``projection.pre`` and ``projection.post``."""

    parameter_names = ()

    def __init__(self, edges: Connections) -> None:
        super().__init__(safe=False)
        self.edges = edges

    def connect(self, projection: Any) -> None:
        """What PyNN calls: once, when the projection is made."""
        values = _native_values(projection.synapse_type, self.edges.columns, self.edges.size)
        backend = type(projection).__module__.rpartition(".")[0]
        with _no_collection():
            _WAYS.get(backend, _target_by_target)(projection, self.edges, values)


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for garbage while objects are made by the hundred thousand that all stay: it took half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _native_values(synapse: Any, columns: Mapping[str, np.ndarray], size: int) -> _Values:
    """Every parameter in the simulator's words: a number, or one an edge."""
    space = deepcopy(synapse.parameter_space)
    space.shape = (size,)
    space.update(**columns)
    if isinstance(synapse, StandardSynapseType):
        space = synapse.translate(space)
    space.evaluate(simplify=True)
    return space.as_dict()


def _target_by_target(projection: Any, edges: Connections, values: _Values) -> None:
    order = np.argsort(edges.target, kind="stable")
    source, target = edges.source[order], edges.target[order]
    values = {name: np.broadcast_to(value, (edges.size,))[order] for name, value in values.items()}
    targets, starts = np.unique(target, return_index=True)
    ends = np.append(starts[1:], len(target))
    local = projection.post._mask_local
    for place, start, end in zip(targets.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if local[place]:
            own = {name: value[start:end].copy() for name, value in values.items()}
            projection._convergent_connect(source[start:end], place, location_selector=None, **own)


def _neuron(projection: Any, edges: Connections, values: _Values) -> None:
    """A NetCon an edge in the attributes of PyNN's ``Connection``, which looks its cells up anew for every edge."""
    kind, receptor = projection.synapse_type.connection_type, projection.receptor_type
    simulator = projection._simulator
    if projection.synapse_type.model is not None or "." in receptor or simulator.state.num_processes > 1:
        _target_by_target(projection, edges, values)
        return
    connect = simulator.h.NetCon
    pre, post = list(projection.pre), list(projection.post)
    sources = [cell._cell.source for cell in pre]
    sections = [getattr(cell._cell, "source_section", None) or simulator.dummy for cell in pre]
    thresholds = [simulator.state.parallel_context.threshold(int(cell)) for cell in pre]
    receptors = [getattr(cell._cell, receptor) for cell in post]
    made, make = projection._connections, kind.__new__
    columns = (np.broadcast_to(values[name], (edges.size,)).tolist() for name in ("weight", "delay"))
    for source, target, weight, delay in zip(edges.source.tolist(), edges.target.tolist(), *columns, strict=True):
        own = sources[source], receptors[target], thresholds[source], delay, weight
        connection = make(kind)
        connection.__dict__ = {
            "presynaptic_index": source,
            "presynaptic_cell": pre[source],
            "postsynaptic_index": target,
            "postsynaptic_cell": post[target],
            "nc": connect(*own, sec=sections[source]),
        }
        made[target][source].append(connection)


def _nest(projection: Any, edges: Connections, values: _Values) -> None:
    """One ``nest.Connect``. Signs and ports are PyNN's rules for NEST: an inhibitory conductance is negative there."""
    import nest

    values = {name: value for name, value in values.items() if name not in _NOT_OF_NEST}
    post, cell = projection.post, projection.post.celltype
    if projection.receptor_type == "inhibitory" and post.conductance_based:
        values |= {name: -np.asarray(values[name]) for name in ("weight", "Wmax") if name in values}
    values["weight"] = np.asarray(values["weight"]) * getattr(cell, "receptor_scale", 1.0)
    if "tau_fac" in values and type(projection.synapse_type).__name__ == "TsodyksMarkramSynapse":
        name = cell.translations["tau_syn_I" if projection.receptor_type == "inhibitory" else "tau_syn_E"]
        values["tau_psc"] = np.asarray(nest.GetStatus(post.node_collection, name["translated_name"]))[edges.target]
    # What all edges share stands in the defaults of the model, which PyNN has set for this projection.
    columns = {
        name: np.broadcast_to(np.asarray(value, dtype=np.int64 if name == "n" else np.float64), (edges.size,))
        for name, value in values.items()
        if np.ndim(value) or name in _OF_EDGES
    }
    if hasattr(cell, "post_synaptic_receptors"):
        columns["receptor_type"] = np.full(edges.size, cell.get_receptor_type(projection.receptor_type))
    sources = np.asarray(projection.pre.node_collection.tolist())[edges.source]
    model = {"synapse_model": projection.nest_synapse_model, "synapse_label": projection.nest_synapse_label}
    nest.Connect(sources, np.asarray(post.node_collection.tolist())[edges.target], "one_to_one", {**model, **columns})
    projection._sources.update(np.unique(sources).tolist())
    projection._connections = None
    projection._simulator.state.stale_connection_cache = True


def _brian2(projection: Any, edges: Connections, values: _Values) -> None:
    """One ``Synapses.connect``; delays are moved to the nearest step, as PyNN does it."""
    synapses = projection._brian2_synapses[0][0]
    synapses.connect(i=edges.source, j=edges.target)
    projection._n_connections += edges.size
    values.pop("dendritic_delay_fraction", None)
    step = projection._simulator.state.dt * 1e-3
    for name, value in {**values, **projection.synapse_type.initial_conditions}.items():
        if name == "delay":
            unit = value / np.asarray(value)
            value = np.round(np.asarray(value) / step) * step * unit
        setattr(synapses, name, value)


_WAYS: Mapping[str, Callable[[Any, Connections, _Values], None]] = {
    "pyNN.nest": _nest,
    "pyNN.neuron": _neuron,
    "pyNN.brian2": _brian2,
}
