"""NeuroML's cells without extent in SONATA's words: NEST's models where these compute the same, else hoc templates.

A network of integrate-and-fire cells with the synapses that such cells have in NEST becomes one of NEST's models, which
BMTK's pointnet runs. Any other cell is a section with its NMODL mechanism in it, which stands beside cable cells in
NEURON; spikes are seen where its potential crosses the threshold at which its own equations reset it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pynn_io.graph.cells import CableCell, PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.dynamics import Dynamics, Emit, OnCondition
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering import nmodl
from pynn_io.lowering.abstract import as_standard, strength
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.membrane import Mechanisms
from pynn_io.lowering.types import as_component
from pynn_io.report import Report
from pynn_io.vocabulary.translations import of_standard, to_native

SCHEME = "neuroml:"
#: States of the standard cells -> NEST's.
_STATES = {"v": "V_m", "w": "w"}
_STATIC = "static_synapse"
#: How NEST's units are larger than the graph's for the same number: nS in a uS, pA in an nA.
_NEST = 1e3
#: Length and diameter of a section of 1e5 um2, whose ``cm`` (uF/cm2) is its capacitance in nF.
_UNIT_SIZE = (1e5 / math.pi) ** 0.5


@dataclass(frozen=True, slots=True)
class AsNest:
    """network: with NEST's models. factors: projection -> what the weights of every type were multiplied by."""

    network: Network
    factors: Mapping[str, np.ndarray]


def as_nest(network: Network, timestep: float, report: Report) -> AsNest | None:
    """The network with NEST's models for its cells and synapses; None where not all of them have such a twin.

    timestep: ms, the least delay in NEST: shorter ones get it (``no-delay``, APPROXIMATED).
    """
    used = {name for population in network.populations.values() for name in population.cells}
    points = {name: cell for name in used if isinstance(cell := network.cells[name], PointCell)}
    ours = {name: cell.model for name, cell in points.items() if cell.model.startswith(SCHEME)}
    extended = any(isinstance(network.cells[name], CableCell) for name in used)
    if extended or not ours or any(projection.kind != "chemical" for projection in network.projections.values()):
        return None
    said = Report()
    standard = as_standard(network, timestep, said)
    if any(standard.cells[name] is network.cells[name] for name in ours):
        return None
    onto = {name: each for name, each in standard.projections.items() if each is not network.projections[name]}
    factors = {name: _factors(each, network.projections[name], network) for name, each in onto.items()}
    if any((each == 0).any() for each in factors.values()):
        return None
    report.include(said)
    native = {name: _native(standard.cells[name]) for name in sorted(ours)}
    for name, cell in native.items():
        message = f"It is written as {cell.model}, which has the same equations; its NeuroML stands beside it."
        report.expanded("cell-as-nest", f"cell {name}", message, examples=[name, ours[name], f"{name} children"])
    projections = dict(standard.projections)
    for name, each in onto.items():
        projections[name] = _native_projection(each, factors[name], timestep, report)
        _say_synapses(network.projections[name], network, report)
    synapses = {**standard.synapses, _STATIC: Synapse(f"nest:{_STATIC}")}
    extra = {**network.extra, "target_simulator": "NEST"}
    cells = {**standard.cells, **native}
    made = replace(standard, cells=cells, projections=projections, synapses=synapses, extra=extra)
    return AsNest(made, factors)


def _factors(made: Projection, source: Projection, network: Network) -> np.ndarray:
    """What the weights of every type are multiplied by; 0 where NEST would take one for a weight of the other sign.

    A negative weight goes to the inhibitory receptor there, whatever it is of.
    """
    strengths = np.array([strength(network.synapses[name]) for name in source.synapses])
    inhibits = np.array([name == "inhibitory" for name in made.types.values("receptor").tolist()])
    if str(made.types.values("weight_unit")[0]) == "uS":
        found = np.where(inhibits, -_NEST, _NEST) * strengths
        wrong = strengths < 0
    else:
        found = _NEST * strengths
        wrong = (strengths < 0) != inhibits
    tables = (source.types, source.edges.columns)
    negative = any("weight" in table and (table.read("weight") < 0).any() for table in tables)
    return np.where(wrong | negative, 0.0, found)


def _say_synapses(source: Projection, network: Network, report: Report) -> None:
    for name in dict.fromkeys(source.synapses):
        message = (
            f"The synapse {name} is in NEST's cells, and its strength in the weights; its NeuroML stands beside: weight"
        )
        examples = [name, network.synapses[name].model, f"{name} children", "weight"]
        report.expanded("synapse-as-nest", f"projection {source.name}", message, examples=examples)


def _native(cell: object) -> PointCell:
    """A standard cell as NEST's model; its states at the start are parameters there, too."""
    row = of_standard(cell.model) if isinstance(cell, PointCell) else None
    if row is None or not isinstance(cell, PointCell):
        raise TypeError(f"{cell} is no standard cell that NEST has")
    parameters, rest = to_native(row, cell.parameters)
    finite = {name: value for name, value in parameters.items() if not np.isinf(value)}
    return PointCell(row.native, {**finite, **{_STATES[name]: value for name, value in rest.items()}})


def _native_projection(projection: Projection, factors: np.ndarray, timestep: float, report: Report) -> Projection:
    """Weights in pA and nS, negative onto inhibitory receptors, and delays of a step at least."""
    units = {"uS": "nS", "nA": "pA"}
    types, columns = dict(projection.types), dict(projection.edges.columns)
    sign = np.where([name == "inhibitory" for name in types.pop("receptor").values(len(factors)).tolist()], -1.0, 1.0)
    unit = str(projection.types.values("weight_unit")[0])
    scale = _NEST * (sign if unit == "uS" else np.ones(len(sign)))
    if "weight" in types:
        types["weight"] = Column(np.asarray(types["weight"].read(len(scale))) * scale)
    if "weight" in columns:
        index = np.asarray(projection.type_index.read(projection.size))
        columns["weight"] = Column(np.ma.asanyarray(columns["weight"].read(projection.size)) * scale[index])
    for table, size in ((types, projection.types.size), (columns, projection.size)):
        if "delay" in table:
            delays = np.ma.filled(np.ma.asanyarray(table["delay"].read(size), dtype=np.float64), timestep)
            short = int((delays < timestep).sum())
            table["delay"] = Column(np.maximum(delays, timestep), "ms")
            message = f"NEST's connections take a step at least: a delay shorter than that is one of {timestep} ms."
            report.approximated("no-delay", f"projection {projection.name}", message, count=short, examples=["delay"])
    types["synapse"] = text_column([_STATIC] * projection.types.size)
    types["weight_unit"] = text_column([units[unit]] * projection.types.size)
    edges = replace(projection.edges, columns=Table(projection.size, columns))
    return replace(projection, types=Table(projection.types.size, types), edges=edges)


# --- NEURON -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PointTemplate:
    """text: of the hoc template. threshold, potential: mV, of spikes and at the start, where the equations say so."""

    text: str
    mechanism: str
    threshold: float | None
    potential: float | None


def point_template(template: str, name: str, cell: PointCell, mechanisms: Mechanisms) -> PointTemplate | None:
    """A cell as a template; None for one whose potential is not that of a membrane that currents charge, and one that
    draws random numbers, for which nobody would seed it.

    Raises UnsupportedInput for equations that NMODL has no words for.
    """
    component = as_component(name, cell)
    system = flatten(component, mechanisms.types, mechanisms.named)
    if "v" not in system.states or "ISyn" in system.needs:
        return None
    made = nmodl.cell(component, mechanisms.types, mechanisms.named)
    if made.random:
        return None
    mechanisms.add(made)
    start = starting_values(system, {}).get("v")
    potential = None if start is None else float(start)
    lines = _template(template, made, nmodl.capacitance_of(component), potential)
    return PointTemplate("\n".join(lines) + "\n", made.name, _threshold(system), potential)


def _template(name: str, made: nmodl.Mechanism, capacitance: float, potential: float | None) -> Iterator[str]:
    yield f"// A point cell of NeuroML, written by pynn_io: its mechanism in a section of {capacitance!r} nF."
    yield f"begintemplate {name}"
    yield "public soma, all, somatic, cell"
    yield "create soma[1]"
    yield "objref all, somatic, cell, starter, this"
    yield "proc init() {"
    yield "  all = new SectionList()"
    yield "  somatic = new SectionList()"
    yield f"  soma[0] {{ L = {_UNIT_SIZE!r} diam = {_UNIT_SIZE!r} nseg = 1 cm = {capacitance!r} }}"
    yield "  soma[0] { all.append() somatic.append() }"
    yield f"  soma[0] cell = new {made.name}(0.5)"
    yield from (f"  cell.{key} = {float(value)!r}" for key, value in made.parameters.items())
    if potential is not None:
        yield '  starter = new FInitializeHandler(0, "begin()", this)'
    yield "}"
    if potential is not None:
        yield f"proc begin() {{ soma[0] v(0.5) = {potential!r} }}"
    yield f"endtemplate {name}"


def _threshold(system: Dynamics) -> float | None:
    """The potential at which a cell emits a spike, where its equations compare ``v`` with a parameter."""
    for condition in _conditions(system):
        if not any(isinstance(action, Emit) for action in condition.actions):
            continue
        others = [name for name in _compared(condition) if name in system.parameters]
        if others:
            return float(system.parameters[others[0]])
    return None


def _conditions(system: Dynamics) -> Iterator[OnCondition]:
    yield from system.conditions
    for regime in system.regimes:
        yield from regime.conditions


def _compared(condition: OnCondition) -> Iterator[str]:
    """What ``v`` is compared with."""
    for node in ast.walk(condition.test.tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "v":
            yield from (each.id for each in node.comparators if isinstance(each, ast.Name))
