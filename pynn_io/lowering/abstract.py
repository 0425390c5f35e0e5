"""NeuroML's integrate-and-fire cells as the standard cells that compute the same, for backends that have those.

A standard cell has its synapses in it: two receptors of one shape. So a cell is translated together with the synapses
onto it, where these are of one shape and have at most two time constants and reversal potentials between them:
``expOneSynapse`` (exponential conductances), ``alphaSynapse`` (alpha), ``alphaCurrentSynapse`` (alpha currents).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.stimuli import CurrentPulses, Stimulus
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.quantities import Quantity, cell_of, quantity
from pynn_io.report import Report
from pynn_io.results import Trace
from pynn_io.simulation_plan import Recording, SimulationPlan

Numbers = Mapping[str, float]
#: Where a segment (by row) of a morphology (by name) is: section and position.
Placing: TypeAlias = Callable[[str, int], tuple[int, float]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape of synapses. cells: endings of the names of cells that have it. tau, reversal, strength: parameters."""

    ending: str
    tau: str
    reversal: str
    strength: str
    unit: str


_SHAPES: Mapping[str, _Shape] = MappingProxyType(
    {
        "neuroml:expOneSynapse": _Shape("cond_exp", "tauDecay", "erev", "gbase", "uS"),
        "neuroml:alphaSynapse": _Shape("cond_alpha", "tau", "erev", "gbase", "uS"),
        "neuroml:alphaCurrentSynapse": _Shape("curr_alpha", "tau", "", "ibase", "nA"),
    }
)
#: The time constant of a receptor that nothing projects to, ms.
_UNUSED = 5.0
_NO_SYNAPSES = _Shape("cond_exp", "", "", "", "uS")


def leaky(p: Numbers) -> dict[str, float]:
    """A standard cell's membrane from the numbers of ``iafCell`` or ``iafRefCell``."""
    return {
        "cm": p["C"],
        "tau_m": p["C"] / p["leakConductance"],
        "v_rest": p["leakReversal"],
        "v_thresh": p["thresh"],
        "v_reset": p["reset"],
        "tau_refrac": p.get("refract", 0.0),
        "i_offset": 0.0,
        "v": p["leakReversal"],
    }


def without_capacitance(p: Numbers) -> dict[str, float]:
    """The same of ``iafTauCell`` and ``iafTauRefCell``, with 1 nF."""
    return leaky({**p, "C": 1.0, "leakConductance": 1.0 / p["tau"]})


def _adaptive(p: Numbers) -> dict[str, float]:
    return {
        "cm": p["C"],
        "tau_m": p["C"] / p["gL"],
        "v_rest": p["EL"],
        "v_thresh": p["VT"],
        "v_spike": p["thresh"],
        "v_reset": p["reset"],
        "tau_refrac": p["refract"],
        "delta_T": p["delT"],
        "tau_w": p["tauw"],
        "a": p["a"] * 1000,  # uS -> nS
        "b": p["b"],
        "i_offset": 0.0,
        "v": p["EL"],
        "w": 0.0,
    }


#: Type -> the standard cell's name around the shape of its synapses, and its parameters.
_CELLS: Mapping[str, tuple[str, Callable[[Numbers], dict[str, float]]]] = MappingProxyType(
    {
        "neuroml:iafCell": ("IF_{}", leaky),
        "neuroml:iafRefCell": ("IF_{}", leaky),
        "neuroml:iafTauCell": ("IF_{}", without_capacitance),
        "neuroml:iafTauRefCell": ("IF_{}", without_capacitance),
        "neuroml:adExIaFCell": ("EIF_{}_isfa_ista", _adaptive),
    }
)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A translated cell. receptor: of each synapse onto it."""

    cell: PointCell
    shape: _Shape
    receptor: Mapping[str, str]


def as_standard(network: Network, timestep: float, report: Report) -> Network:
    """The network with every cell translated that can be, and the projections onto them; the rest as it is.

    timestep: ms, the least delay there: a connection without a delay gets it (``no-delay``, APPROXIMATED).
    """
    found = {
        name: made
        for name, cell in network.cells.items()
        if isinstance(cell, PointCell) and cell.model in _CELLS and (made := _translated(name, cell, network))
    }
    if not found:
        return network
    projections, synapses = {}, dict(network.synapses)
    for name, projection in network.projections.items():
        cells = network.populations[projection.post].cells
        if projection.kind == "chemical" and len(cells) == 1 and cells[0] in found:
            projection = _onto(projection, found[cells[0]], network, timestep, report)
            synapses["static"] = Synapse("static")
        projections[name] = projection
    cells_now = {name: found[name].cell if name in found else cell for name, cell in network.cells.items()}
    return replace(network, cells=cells_now, projections=projections, synapses=synapses)


def strength(synapse: Synapse) -> float:
    """What one unit of weight of a synapse with a shape is, uS or nA. Raises KeyError for a synapse without one."""
    return float(synapse.parameters[_SHAPES[synapse.model].strength])


def _translated(name: str, cell: PointCell, network: Network) -> _Cell | None:
    names = synapses_onto(name, network)
    models = {network.synapses[each].model for each in names}
    if len(models) > 1 or not models <= _SHAPES.keys():
        return None
    shape = _SHAPES[models.pop()] if models else _NO_SYNAPSES
    form, parameters = _CELLS[cell.model]
    if shape.unit == "nA" and form != "IF_{}":
        return None
    receptors = _receptors(names, shape, network)
    if receptors is None:
        return None
    made = parameters({key: float(value) for key, value in cell.parameters.items()})
    made |= {"tau_syn_E": _UNUSED, "tau_syn_I": _UNUSED}
    made |= {"e_rev_E": made["v_rest"], "e_rev_I": made["v_rest"]} if shape.unit == "uS" else {}
    for each, receptor in receptors.items():
        numbers, letter = network.synapses[each].parameters, receptor[0].upper()
        made[f"tau_syn_{letter}"] = float(numbers[shape.tau])
        if shape.reversal:
            made[f"e_rev_{letter}"] = float(numbers[shape.reversal])
    return _Cell(PointCell(form.format(shape.ending), made), shape, receptors)


def synapses_onto(cell: str, network: Network) -> list[str]:
    """The names of the synapses that projections make on a cell."""
    found: dict[str, None] = {}
    for projection in network.projections.values():
        if cell in network.populations[projection.post].cells:
            found |= dict.fromkeys(projection.synapses)
    return list(found)


def _receptors(names: Iterable[str], shape: _Shape, network: Network) -> dict[str, str] | None:
    """The receptor of each synapse: the one with the higher reversal potential excites; None for more than two."""
    kinds: dict[tuple[float, float], list[str]] = {}
    for name in names:
        numbers = network.synapses[name].parameters
        reversal = float(numbers[shape.reversal]) if shape.reversal else float(numbers[shape.strength] > 0)
        kinds.setdefault((reversal, float(numbers[shape.tau])), []).append(name)
    if len(kinds) > 2:
        return None
    ordered = sorted(kinds, reverse=True)
    return {
        name: receptor
        for kind, receptor in zip(ordered, ("excitatory", "inhibitory"), strict=False)
        for name in kinds[kind]
    }


def _onto(projection: Projection, made: _Cell, network: Network, timestep: float, report: Report) -> Projection:
    """A projection onto a translated cell: static synapses, whose weight is what the component's and its own make."""
    names = projection.synapses
    strengths = np.array([float(network.synapses[name].parameters[made.shape.strength]) for name in names])
    types: dict[str, Column] = {
        **projection.types,
        "synapse": text_column(["static"] * len(names)),
        "weight_unit": text_column([made.shape.unit] * len(names)),
        "receptor": text_column([made.receptor[name] for name in names]),
    }
    edges, columns = projection.edges, dict(projection.edges.columns)
    if "weight" in columns:
        index = projection.type_index.read(edges.size)
        stated = np.ma.filled(np.ma.asarray(columns["weight"].read(edges.size), dtype=np.float64), 1.0)
        columns["weight"] = Column(stated * strengths[index], made.shape.unit)
    else:
        types["weight"] = Column(strengths, made.shape.unit)
    if "delay" not in columns and "delay" not in types:
        types["delay"] = Column(timestep, "ms")
        report.approximated(
            "no-delay",
            f"projections/{projection.name}",
            f"Its connections have no delay; a spike arrives one step of {timestep} ms later here.",
            count=projection.size,
        )
    return replace(projection, types=Table(len(names), types), edges=replace(edges, columns=Table(edges.size, columns)))


def with_potentials(plan: SimulationPlan, network: Network, place: Placing | None = None) -> SimulationPlan:
    """The plan with the membrane potentials among the quantities of LEMS files as reports of cells.

    place: where on a cell of a morphology a segment (by row) is, as section and position in the order that the backend
    counts them; without it all cells are taken to have no extent.
    """
    recordings: list[Recording] = []
    sets: dict[str, Any] = {}
    for recording in plan.recordings:
        recordings.append(recording)
        if recording.kind != "quantities":
            continue
        asked: dict[str, list[Quantity]] = {}
        for _, path in recording.columns:
            what = quantity(path, network, where=f"outputs.{recording.name}")
            if what.variable == "v" and not what.parts:
                asked.setdefault(what.population, []).append(what)
        for population, found in asked.items():
            name = _report_of(recording, population)
            ids = network.populations[population].ids()
            places = [] if place is None else _places(found, network, place)
            if places:
                rows = [[int(ids[row]), *where] for row, *where in places]
                sets[name] = {"population": population, "compartment_set": rows}
                recordings.append(Recording(name, "V_m", None, compartment_set=name))
            else:
                node_set = {"population": population, "node_id": ids[np.unique([each.row for each in found])].tolist()}
                recordings.append(Recording(name, "V_m", node_set))
    return replace(plan, recordings=tuple(recordings), compartment_sets={**plan.compartment_sets, **sets})


def _places(found: Iterable[Quantity], network: Network, place: Placing) -> list[tuple[int, int, float]]:
    """Row, section and position of every quantity; none where the population has cells without a morphology."""
    places = []
    for what in found:
        cell = cell_of(network.populations[what.population], what.row, network)
        if not isinstance(cell, CableCell) or cell.morphology is None:
            return []
        ids = network.morphologies[cell.morphology].id
        segment = 0 if what.segment is None else int(np.flatnonzero(ids == what.segment)[0])
        places.append((what.row, *place(cell.morphology, segment)))
    return places


def _report_of(recording: Recording, population: str) -> str:
    return f"{recording.name}_{population}"


def under_stated_names(traces: Iterable[Trace], plan: SimulationPlan) -> tuple[Trace, ...]:
    """Traces with those of `with_potentials` under the name of the file that asked for them, as other backends have it.

    plan: as it was before. A report that the plan itself calls so keeps its name.
    """
    stated = {recording.name for recording in plan.recordings}
    files = [recording for recording in plan.recordings if recording.kind == "quantities"]
    found = []
    for trace in traces:
        asked = (one.name for one in files if _report_of(one, trace.population) == trace.report)
        found.append(trace if trace.report in stated else replace(trace, report=next(asked, trace.report)))
    return tuple(found)


def with_node_sets(plan: SimulationPlan, network: Network) -> SimulationPlan:
    """The plan with pulses onto targets as pulses onto node sets, one for every weight and number of repeats."""
    stimuli: list[Stimulus] = []
    for stimulus in plan.stimuli:
        targets = stimulus.targets
        if targets is None or not isinstance(stimulus.what, CurrentPulses):
            stimuli.append(stimulus)
            continue
        weight = np.ones(len(targets.rows)) if targets.weight is None else targets.weight
        total = np.bincount(targets.rows, weight, network.populations[targets.population].size)
        ids = network.populations[targets.population].ids()
        for factor in np.unique(total[targets.rows]).tolist():
            rows = np.flatnonzero(np.isin(np.arange(len(total)), targets.rows) & (total == factor))
            what = replace(stimulus.what, amplitudes=stimulus.what.amplitudes * factor)
            node_set = {"population": targets.population, "node_id": ids[rows].tolist()}
            stimuli.append(replace(stimulus, what=what, node_set=node_set, targets=None))
    return replace(plan, stimuli=tuple(stimuli))
