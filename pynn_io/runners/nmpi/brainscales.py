"""Cells, weights and times in BrainScaleS-2's words: analogue circuits, a thousand times as fast as the network.

One ms of the network is one us of the chip, in which its time constants are; PyNN's ms are the chip's own. Potentials
are steps of its converter, weights whole numbers of a synapse's unit (6 bit: 63 is the largest). Ranges and classes:
pynn-brainscales, July 2026 (``CalibHXNeuronCuba``). Read, not run: there is no such chip here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import Cells, Connections, Lowered, Target, connections
from pynn_io.lowering.pynn import lower as lower_pynn
from pynn_io.lowering.trains import Trains
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary import models

CELL = "CalibHXNeuronCuba"
#: ms of the network for one ms of the chip.
SPEED = 1000.0
#: Circuits of a chip.
CIRCUITS = 512
LARGEST_WEIGHT = 63
#: Where the lowest potential and the highest threshold go: within the ranges of all three (50 to 160, 50 to 220).
_LOW, _HIGH = 70.0, 150.0
_POTENTIALS = ("v_rest", "v_reset", "v_thresh")
#: us, as the calibration takes them.
_RANGES: Mapping[str, tuple[float, float]] = {
    "tau_m": (0.5, 60.0),
    "tau_syn_E": (0.3, 30.0),
    "tau_syn_I": (0.3, 30.0),
    "tau_refrac": (0.04, 32.0),
}


def lower(network: Network, plan: SimulationPlan, report: Report) -> tuple[Lowered, list[Connections]]:
    """The network and plan for the chip. Raises PlanError for what no circuit is like, RunError for no cells."""
    have = {"IF_curr_exp", "static", "StaticSynapse"}
    lacks = {
        name: "a job has no circuit for it"
        for name, row in models.MODELS.items()
        if ":" not in name and row.kind in ("cell", "synapse") and name not in have
    }
    target = Target("pynn_brainscales.brainscales2", lacks=lacks, on_grid=False, zero_delay=True)
    lowered = lower_pynn(network, plan, target, report)
    edges = [*connections(lowered.network, report), *lowered.plan.drive_connections]
    return translated(lowered, edges, report)


def translated(lowered: Lowered, edges: Sequence[Connections], report: Report) -> tuple[Lowered, list[Connections]]:
    """What was lowered, in the chip's words. Raises PlanError for all that it cannot be calibrated to, at once."""
    cells = [item for item in lowered.network.cells if not item.is_source]
    _check(cells)
    scale = _scale(cells)
    made = [item if item.is_source else _cell(item, scale, report) for item in lowered.network.cells]
    plan = lowered.plan
    report.lost(
        "current",
        "plan",
        "BrainScaleS-2 takes no currents from outside; they are left out.",
        count=len(plan.currents),
        examples=[item.name for item in plan.currents],
    )
    report.lost(
        "recording",
        "plan",
        "Potentials of BrainScaleS-2 are not fetched by a job; its spikes are.",
        count=len(plan.recorders),
        examples=[item.report for item in plan.recorders],
    )
    faster = {label: Trains(item.rows, item.times / SPEED) for label, item in plan.trains.items()}
    network = replace(lowered.network, cells=tuple(made))
    plan = replace(plan, duration=plan.duration / SPEED, trains=faster, currents=(), recorders=())
    return replace(lowered, network=network, plan=plan), list(_weighed(edges, report))


def _check(cells: Sequence[Cells]) -> None:
    problems = []
    count = sum(item.size for item in cells)
    if count > CIRCUITS:
        problems.append(f"{count} cells: a chip has {CIRCUITS} circuits")
    for item in cells:
        for name, (low, high) in _RANGES.items():
            values = np.asarray(item.parameters[name], dtype=float)
            if values.min() < low or values.max() > high:
                span = f"{values.min():g} to {values.max():g} ms"
                problems.append(f"{name} of {item.population} is {span}; circuits take {low:g} to {high:g}")
    if problems:
        raise PlanError("BrainScaleS-2 cannot hold this network", problems=problems)


def _scale(cells: Sequence[Cells]) -> tuple[float, float]:
    """``(offset, factor)`` from mV to steps of the converter, one for all cells."""
    low = min((float(np.min(item.parameters[name])) for item in cells for name in _POTENTIALS), default=0.0)
    high = max((float(np.max(item.parameters[name])) for item in cells for name in _POTENTIALS), default=1.0)
    factor = (_HIGH - _LOW) / (high - low) if high > low else 1.0
    return _LOW - factor * low, factor


def _cell(item: Cells, scale: tuple[float, float], report: Report) -> Cells:
    where, (offset, factor) = f"population {item.population}", scale
    potentials: dict[str, Any] = {
        name: np.rint(offset + factor * np.asarray(item.parameters[name], dtype=float)) for name in _POTENTIALS
    }
    times = {name: item.parameters[name] for name in _RANGES}
    constant = np.broadcast_to(np.asarray(item.parameters["i_offset"], dtype=float), (item.size,))
    message = "A circuit of BrainScaleS-2 has no constant current of a given size."
    report.lost("i-offset", where, message, count=int(np.count_nonzero(constant)), examples=["i_offset"])
    report.approximated(
        "analogue-cell",
        where,
        f"IF_curr_exp becomes a calibrated circuit ({CELL}): potentials are steps of its converter, its capacitance is "
        "its own, no two circuits are alike, and it begins where it rests.",
        count=item.size,
        examples=["cm", "v"],
    )
    values = {name: value if np.ndim(value) else float(value) for name, value in {**potentials, **times}.items()}
    return replace(item, model=CELL, parameters=values, initial={})


def _weighed(edges: Sequence[Connections], report: Report) -> Iterator[Connections]:
    """Whole numbers of a synapse's units, the largest weight onto the chip being 63; no delays."""
    largest = max((float(np.abs(item.columns["weight"]).max(initial=0.0)) for item in edges), default=0.0)
    for item in edges:
        where = f"projection {item.projection or item.label}"
        exact = item.columns["weight"] * (LARGEST_WEIGHT / largest if largest else 0.0)
        weight = np.rint(exact)
        report.approximated(
            "analogue-weight",
            where,
            f"Weights are in units of a synapse, the largest of the network being {LARGEST_WEIGHT}: their proportions "
            "are kept; what current a unit is depends on the calibration.",
            count=item.size,
            examples=["weight"],
        )
        message = "Weights below half a unit become 0."
        report.approximated(
            "weight-underflow", where, message, count=int(np.count_nonzero((weight == 0) & (exact != 0)))
        )
        message = "BrainScaleS-2 has no delays but its own; these are left out."
        report.lost("delay", where, message, count=int(np.count_nonzero(item.columns["delay"])), examples=["delay"])
        yield replace(item, columns={"weight": weight})
