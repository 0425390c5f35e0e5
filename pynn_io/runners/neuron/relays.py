"""PyNN's synapses that change or draw, onto standard cells: a process of ours between the source and the cell.

The process takes the spike where it arrives, sets the weight of a NetCon of its own to the cell, and passes it on at
once. Spikes of the target come back to it through the dendrite: what meets there is what NEST's synapses let meet. As a
spike that arrives is worked on at the end of its whole delay, one that comes back is worked on as much later.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pynn_io.audit import loss_code
from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cables.models import Connections, PointModel, Relay
from pynn_io.lowering.cables.populations import Cells
from pynn_io.lowering.edges import stated_by_edges
from pynn_io.lowering.plasticity import PAIRS, SINGLE, mechanism, pair_rule, refuse_by_edge, vogels_rule
from pynn_io.lowering.receptors import type_text
from pynn_io.report import Report
from pynn_io.runners.neuron.mechanisms import OWN
from pynn_io.vocabulary import models
from pynn_io.vocabulary.plasticity import STDP

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Cell, Model

#: A spike of the target comes back so much before its time (ms), which NEURON rounds to the step: what arrives in that
#: step finds it done.
_EARLY = 1e-5
_TAU_SYN = MappingProxyType({"tau_psc": ("tau_syn_E", "tau_syn_I")})
#: Synapse -> process, the parameters that it takes, what it takes of the target.
_ROWS: Mapping[str, tuple[str, tuple[str, ...], Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        "TsodyksMarkramSynapse": ("PynnIoTsodyks", ("U", "tau_rec", "tau_facil"), _TAU_SYN),
        "SimpleStochasticSynapse": ("PynnIoBernoulli", ("p",), MappingProxyType({})),
    }
)
_PAIRS, _VOGELS = "PynnIoPairs", "PynnIoVogels"
#: What may differ from edge to edge.
_BY_EDGE = {
    _PAIRS: ("tau_plus", "tau_minus", "A_plus", "A_minus", "mu_plus", "mu_minus"),
    _VOGELS: ("tau", "rho"),
}
_STATIC = frozenset({"", "static", "StaticSynapse"})


def with_relays(
    made: Connections, projection: Projection, network: Network, post: Cells, report: Report
) -> Connections:
    """A projection with a relay for each type that is one of these, onto cells without extent.

    Reports those that run as static synapses instead (APPROXIMATED). Raises PlanError as `plasticity.pair_rule`.
    """
    units = {group.model.weight_unit for group in post.groups if isinstance(group.model, PointModel)}
    relays = []
    for row, name in enumerate(projection.synapses):
        synapse = network.synapses[name]
        unit = type_text(projection, "weight_unit", row)
        relay = None
        if synapse.model in _ROWS or synapse.model == STDP:
            own = _own(post) and len(units) == 1 and not _several(projection)
            relay = _relay(projection, synapse, unit, next(iter(units)), report) if own else None
            if relay is None:
                _tell_static(projection, synapse, report)
        relays.append(relay)
    return replace(made, relays=tuple(relays)) if any(relays) else made


def _own(post: Cells) -> bool:
    """Whether all target cells are processes of ours in a section."""
    return all(isinstance(group.model, PointModel) and group.model.mechanism in OWN for group in post.groups)


def _several(projection: Projection) -> bool:
    """Whether an edge may be several synapses: N that change are not one of N times the weight."""
    return "nsyns" in projection.types or "nsyns" in projection.edges.columns


def _tell_static(projection: Projection, synapse: Synapse, report: Report) -> None:
    report.approximated(
        loss_code(f"synapse:{synapse.model}"),
        f"projection {projection.name}",
        f"{synapse.model} cannot be had on NEURON for these cells, or with this rule: a static synapse runs instead.",
        count=projection.size,
        examples=[synapse.model],
    )


def _relay(projection: Projection, synapse: Synapse, unit: str, native: str, report: Report) -> Relay | None:
    where = f"projection {projection.name}"
    if synapse.model in _ROWS:
        process, names, of_target = _ROWS[synapse.model]
        own = {name: value for name, value in stated_by_edges(projection).items() if name in names}
        # no default stands for what edges state
        stated = models.complete(replace(synapse, parameters={**own, **synapse.parameters}), report, where)
        parameters = {name: float(stated[name]) for name in names}
        parameters |= {f"{item}0": float(stated[item]) for item in ("x", "y", "u") if item in stated}
        return Relay(process, parameters, {name: name for name in names}, of_target)
    parts = mechanism(synapse.parameters, where)
    refuse_by_edge(projection, SINGLE, "NEURON", where)
    if parts.timing == PAIRS:
        process, own = _PAIRS, pair_rule(parts, unit, native, where)
        own["most"] = own.pop("Wmax")
    else:
        found = vogels_rule(parts, unit, native)
        if found is None:
            return None
        process, own = _VOGELS, found
    if own["most"] < 0:  # the process works on the size of the weight, in whose direction it sends
        own |= {name: abs(own[name]) for name in ("least", "most")}
    columns = {name: name for name in _BY_EDGE[process]}
    return Relay(process, own, columns, dendritic=parts.dendritic_delay_fraction)


# --- on built cells -----------------------------------------------------------------------------------------------


def connect(
    model: Model, relay: Relay, cell: Cell, source: int, weight: float, delay: float, own: Mapping[str, float]
) -> tuple[Any, Any]:
    """One connection by a relay: the NetCon that brings spikes to it, and the process. own: parameters of the edge.

    Raises PlanError where the target does not have what the relay takes of it.
    """
    from neuron import h

    process = getattr(h, relay.mechanism)(cell.soma(0.5))
    of_target = {name: _of(cell, pair[weight < 0], relay) for name, pair in relay.of_target.items()}
    edge = {relay.columns[name]: value for name, value in own.items() if name in relay.columns and value == value}
    for name, value in {**relay.parameters, **of_target, **edge}.items():
        setattr(process, name, value)
    sends = h.NetCon(process, cell.point)
    sends.delay, sends.weight[0] = 0.0, weight
    h.setpointer(sends._ref_weight[0], "sent", process)
    process.stated = abs(weight) if relay.dendritic is not None else weight
    arrives = h.ParallelContext().gid_connect(source, process)
    arrives.weight[0], arrives.delay = 1.0, delay
    model.keep.append(sends)
    if relay.dendritic is not None:
        process.direction = -1.0 if weight < 0 else 1.0
        returns = h.NetCon(cell.point, process)
        process.back = back = 2 * relay.dendritic * delay
        returns.delay, returns.weight[0] = max(back - _EARLY, 0.0), -1.0
        model.keep.append(returns)
    elif hasattr(process, "began"):
        process.began = delay  # as if the spike before the first had left at time 0, as in NEST
    return arrives, process


def _of(cell: Cell, name: str, relay: Relay) -> float:
    if not hasattr(cell.point, name):
        message = f"{relay.mechanism} needs {name} of its targets, which {cell.point.hname().partition('[')[0]} has not"
        raise PlanError(message, where="network", hint="TsodyksMarkramSynapse goes onto cells with synaptic currents")
    return float(getattr(cell.point, name))


def seed(process: Any, projection: str, run: int, edge: int) -> None:
    """What draws gets a stream of its own, the same on any number of ranks."""
    if hasattr(process, "dice"):
        process.dice.set_ids(run, zlib.crc32(projection.encode()), edge)
