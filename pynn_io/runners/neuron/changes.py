"""Modifications of built cells (OBI ``conditions.modifications``), applied as parsed; no snippet is executed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynn_io.errors import PlanError, RunError
from pynn_io.graph.network import Network
from pynn_io.lowering.cables.sites import ARRAYS, Sites, sites_of_compartments, sites_of_set
from pynn_io.report import Report
from pynn_io.runners.neuron.sites import array_and_index, segment_of
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.plan import Assignment, Modification

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Cell, Model

#: The mechanism that blocks sodium channels where it is switched on, and its switch (neurodamus).
TTX, _TTX_LEVEL = "TTXDynamicsSwitch", "ttxo_level_TTXDynamicsSwitch"
KINDS = ("ttx", "configure_all_sections", "section_list", "section", "compartment_set")
_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+=": operator.add,
    "-=": operator.sub,
    "*=": operator.mul,
    "/=": operator.truediv,
}


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One modification on cells of one population."""

    name: str
    kind: str
    sites: Sites
    assignments: tuple[Assignment, ...]


def lower(network: Network, plan: SimulationPlan, first: Mapping[str, int], report: Report) -> tuple[Change, ...]:
    """The changes of a plan, in its order. Reports a kind that is not known (``modification``, LOST)."""
    found: list[Change] = []
    for item in plan.modifications:
        where = f"conditions.modifications.{item.name}"
        if item.kind not in KINDS:
            message = f"The modification {item.name!r} of kind {item.kind!r} is not known, and not applied."
            report.lost("modification", where, message)
            continue
        found += [Change(item.name, item.kind, sites, item.assignments) for sites in _sites(item, network, plan, first)]
    return tuple(found)


def _sites(item: Modification, network: Network, plan: SimulationPlan, first: Mapping[str, int]) -> Iterable[Sites]:
    where = f"conditions.modifications.{item.name}"
    if item.kind != "compartment_set":
        return sites_of_set(item.node_set, network, plan, first)
    if item.compartment_set is None:
        raise PlanError(f"the modification {item.name!r} names no compartment set", where=where)
    return [sites_of_compartments(item.compartment_set, network, plan, first, where)]


def needs(changes: tuple[Change, ...]) -> dict[str, tuple[str, ...]]:
    """Mechanisms that modifications insert, with who needs them."""
    names = tuple(f"modification {change.name}" for change in changes if change.kind == "ttx")
    return {TTX: names} if names else {}


def apply(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Change the cells of this rank. Reports a modification that changed nothing (``modification-without-effect``)."""
    for change in lowered.changes:
        done = there = 0
        for site, gid in enumerate(change.sites.gids.tolist()):
            cell = model.cells.get(gid)
            if cell is not None:
                there += 1
                done += _changed(change, site, cell)
        message = f"The modification {change.name!r} found nothing that has what it sets; please check its names."
        report.lost(
            "modification-without-effect",
            f"conditions.modifications.{change.name}",
            message,
            count=int(there > 0 and not done),
        )


def set_variables(lowered: LoweredNeuron) -> None:
    """Global variables that overrides set. RunError for one that NEURON does not have."""
    from neuron import h

    for name, value in lowered.variables.items():
        if not hasattr(h, name):
            raise RunError(f"an override sets {name!r}, which no mechanism has", where="connection_overrides")
        setattr(h, name, value)


def _changed(change: Change, site: int, cell: Cell) -> int:
    """How many assignments were made at one cell."""
    if change.kind == "ttx":
        return sum(_blocked(section) for section in cell.sections if section is not None)
    if change.kind == "compartment_set":
        segment = segment_of(change.sites, site, cell)
        return 0 if segment is None else sum(_assign(segment, one) for one in change.assignments)
    if change.kind == "configure_all_sections":
        names = {one.variable for one in change.assignments}
        whole = [item for item in cell.sections if item is not None and all(hasattr(item, name) for name in names)]
        return sum(_assign(section, one) for section in whole for one in change.assignments)
    return sum(_assign(section, one) for one in change.assignments for section in _named(one.target, cell))


def _named(target: str, cell: Cell) -> Iterator[Any]:
    """The sections of a list (``apical``, ``all``) or one section (``apic[10]``)."""
    name, _, index = target.rstrip("]").partition("[")
    for section in cell.sections:
        if section is None:
            continue
        array, number = array_and_index(section)
        if name == "all" or (array == ARRAYS.get(name, name) and (not index or number == int(index))):
            yield section


def _blocked(section: Any) -> int:
    section.insert(TTX)
    setattr(section, _TTX_LEVEL, 1.0)
    return 1


def _assign(holder: Any, one: Assignment) -> int:
    """Set a variable where it is there; what an operator starts from is the value in the middle of a section."""
    if not hasattr(holder, one.variable):
        return 0
    setattr(holder, one.variable, changed(getattr(holder, one.variable), one))
    return 1


def changed(value: float, one: Assignment) -> float:
    """What an assignment makes of a value."""
    return one.value if one.operator == "=" else _OPERATORS[one.operator](value, one.value)
