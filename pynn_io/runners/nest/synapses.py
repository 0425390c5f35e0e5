"""Projections as links: which synapse model, weight unit and receptor each type has on each kind of target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.plasticity import nest_stdp
from pynn_io.lowering.receptors import check_unit, type_text
from pynn_io.report import Report
from pynn_io.runners.nest.lowered import Link, Nodes, Spec
from pynn_io.vocabulary import models
from pynn_io.vocabulary.plasticity import NEST_SYNAPSES, STDP, stdp

_RECEPTORS = ("excitatory", "inhibitory")


def lower_projection(
    projection: Projection, network: Network, nodes: Sequence[Nodes], aliases: Mapping[str, str], report: Report
) -> Link | None:
    """The link of a projection onto the nodes of its target population; None if NEST cannot connect it (reported).

    aliases: other names of NEST's synapse models, as BMTK's ``weight_recorder`` reports introduce them. Raises
    PlanError for a weight in a unit that the target does not take, and for a receptor that it does not have.
    """
    where = f"projection {projection.name}"
    if projection.kind != "chemical":
        what = "gap junctions" if projection.kind == "electrical" else f"projections of the kind {projection.kind!r}"
        message = f"In NEST, {what} are not connected; they are left out."
        code = loss_code(f"kind:{projection.kind}")
        report.lost(code, where, message, count=projection.size, examples=[projection.kind])
        return None
    if not nodes:
        return None
    group = np.zeros(network.populations[projection.post].size, dtype=np.int64)
    for number, item in enumerate(nodes):
        group[item.rows] = number
    specs: list[Spec] = []
    spec_of = np.zeros((projection.types.size, len(nodes)), dtype=np.int64)
    for row, name in enumerate(projection.synapses):
        for number, item in enumerate(nodes):
            spec = _spec(projection, row, network.synapses[name], item, aliases, report)
            if spec not in specs:
                specs.append(spec)
            spec_of[row, number] = specs.index(spec)
    columns = {column for spec in specs for column, _ in spec.columns}
    names = [*sorted(columns), *(["receptor"] if _varies(projection, "receptor") else [])]
    of_target = {name: _by_row(name, nodes, len(group)) for spec in specs for _, name in spec.of_target}
    return Link(projection, tuple(specs), spec_of, group, tuple(names), of_target)


def _by_row(parameter: str, nodes: Sequence[Nodes], size: int) -> np.ndarray:
    """A parameter of all cells of a population, by row; NaN where there is no node, or the value is its model's."""
    found = np.full(size, np.nan)
    for item in nodes:
        found[item.rows] = np.ma.filled(np.ma.asarray(item.parameters.get(parameter, np.nan), dtype=float), np.nan)
    return found


def _varies(projection: Projection, name: str) -> bool:
    """Whether the column is stated edge by edge."""
    return name in projection.edges.columns


def _spec(
    projection: Projection, row: int, synapse: Synapse, nodes: Nodes, aliases: Mapping[str, str], report: Report
) -> Spec:
    where = f"projection {projection.name}"
    model, renames = _model(synapse, aliases, where, report)
    unit = type_text(projection, "weight_unit", row)
    named = _named(projection, row, nodes)
    port, inhibitory = (0, False) if named else _receptor(projection, row, synapse, nodes, where)
    if synapse.model == STDP:
        own = nest_stdp(synapse.parameters, unit, nodes.unit, where, negative=inhibitory and nodes.signed)
        synapse = replace(synapse, parameters=own)
    stated = {
        renames.get(name, name): value
        for name, value in synapse.parameters.items()
        if name not in models.NOT_PARAMETERS and value is not None
    }
    columns = []
    for name in dict.fromkeys([*projection.types, *projection.edges.columns]):
        bare = name.removeprefix(PARAMETER)
        if name.startswith(PARAMETER) and bare not in models.NOT_PARAMETERS:
            columns.append((name, renames.get(bare, bare)))
    of_target: tuple[tuple[str, str], ...] = ()
    if synapse.model == "TsodyksMarkramSynapse":
        stated.setdefault("tau_psc", None)
    if "tau_psc" in stated and stated["tau_psc"] is None:
        name, shared = _tau_psc(nodes, inhibitory, where)
        stated["tau_psc"], of_target = shared, () if shared is not None else (("tau_psc", name),)
    check_unit(unit, nodes.unit, f"the cells of population {nodes.population} ({nodes.model})", where)
    return Spec(
        model,
        tuple(sorted((name, _hashable(value)) for name, value in stated.items() if value is not None)),
        tuple(columns),
        of_target,
        unit,
        nodes.unit,
        port,
        named,
        inhibitory,
        nodes.signed,
        "stdp" in model or "plastic" in model or model.startswith(("vogels", "clopath", "urbanczik", "jonke")),
    )


def times_of_depression(projection: Projection, network: Network) -> set[float]:
    """``tau_minus`` (ms) of the STDP of a projection, which NEST has in the target cells."""
    mechanisms = [network.synapses[name] for name in projection.synapses]
    found = [stdp(item.parameters).timing_parameters for item in mechanisms if item.model == STDP]
    return {float(times["tau_minus"]) for times in found if "tau_minus" in times}


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, np.ndarray)) else value


def _model(synapse: Synapse, aliases: Mapping[str, str], where: str, report: Report) -> tuple[str, Mapping[str, str]]:
    """NEST's name of the synapse model, and parameters under other names."""
    if synapse.model in NEST_SYNAPSES:
        return NEST_SYNAPSES[synapse.model]
    dialect, _, bare = synapse.model.partition(":")
    if dialect == "nest":
        if bare in aliases:
            return aliases[bare], {}
        row = models.known(synapse.model)
        return (row.name.removeprefix("nest:") if row is not None and row.dialect == "nest" else bare), {}
    if dialect == "nrn":
        report.approximated(
            loss_code(f"synapse:{synapse.model}"),
            where,
            f"In NEST the target cell, not the synapse, shapes a response: {synapse.model} becomes a static synapse of "
            "the same weight.",
        )
        return "static_synapse", {}
    raise PlanError(
        f"NEST has no synapse model for {synapse.model!r}",
        where=where,
        hint=f"known: nest:<any of NEST's>, {', '.join(name for name in NEST_SYNAPSES if name)}",
    )


def _named(projection: Projection, row: int, nodes: Nodes) -> tuple[str, str] | None:
    """A receptor by name of a model that the vocabulary does not have, and that model."""
    text = "" if _varies(projection, "receptor") else type_text(projection, "receptor", row)
    if not text or text == "inhibitory" or text.isdigit() or nodes.signed:
        return None
    return (text, nodes.model) if models.known(f"nest:{nodes.model}") is None else None


def _receptor(projection: Projection, row: int, synapse: Synapse, nodes: Nodes, where: str) -> tuple[int, bool]:
    """``(port, inhibitory)`` of a type; what edges state themselves is looked up when they are connected."""
    stated = "" if _varies(projection, "receptor") else type_text(projection, "receptor", row)
    return port_of(stated or str(synapse.parameters.get("receptor_type", "")), nodes.signed, nodes.model, where)


def port_of(text: str, signed: bool, model: str, where: str) -> tuple[int, bool]:
    """``("3") -> (3, False)``, ``("inhibitory") -> (0, True)``. Raises PlanError for what the model does not have."""
    if not text:
        return 0, False
    if text in _RECEPTORS:
        if signed:
            return 0, text == "inhibitory"
        raise PlanError(f"cells of the model {model} have no receptor {text!r}", where=where, hint="give a port number")
    try:
        return int(text), False
    except ValueError:
        raise PlanError(f"{text!r} is no receptor of the model {model}", where=where) from None


def _tau_psc(nodes: Nodes, inhibitory: bool, where: str) -> tuple[str, float | None]:
    """The time constant by which resources come back: that of the synaptic current (PyNN copies it from the target).

    The parameter of the cells that it is, and its value; None where that differs from cell to cell.
    """
    name = "tau_syn_in" if inhibitory else "tau_syn_ex"
    values = np.ma.atleast_1d(nodes.parameters.get(name, np.ma.masked))
    if np.ma.is_masked(values):
        raise PlanError(
            "TsodyksMarkramSynapse needs the synaptic time constant of its targets; "
            f"{nodes.model} does not state {name} {'of some' if values.count() else 'at all'}",
            where=where,
            hint=f"state {name}, or use nest:tsodyks_synapse with a tau_psc",
        )
    return name, float(values[0]) if np.ptp(values) == 0 else None


# --- values of edges ----------------------------------------------------------------------------------------------


def receptors(
    link: Link, spec: Spec, values: np.ndarray | None, where: str
) -> tuple[np.ndarray | int, np.ndarray | bool]:
    """``(ports, inhibitory)`` of a block of edges: by the type, or by its own column (codes of text, or numbers)."""
    if values is None:
        return spec.port, spec.inhibitory
    column = link.projection.edges.columns["receptor"]
    filled = np.ma.filled(np.ma.asarray(values), -1)
    if column.levels is None:
        return np.where(filled < 0, spec.port, filled).astype(np.int64), spec.inhibitory
    known = [port_of(level, spec.signed, spec.model, where) for level in column.levels]
    known.append((spec.port, spec.inhibitory))  # code -1: not stated
    return np.array([port for port, _ in known])[filled], np.array([flag for _, flag in known])[filled]
