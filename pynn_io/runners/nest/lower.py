"""Network and plan -> `Lowered`, without NEST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.audit import cell_code
from pynn_io.errors import PlanError
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import parts, simulated
from pynn_io.lowering.abstract import as_standard, with_node_sets, with_potentials
from pynn_io.lowering.cells import is_proxy
from pynn_io.lowering.grid import Grid, last_step, lead_of
from pynn_io.lowering.meters import lower_recordings
from pynn_io.lowering.refusal import ON_NEURON, nothing_left
from pynn_io.lowering.trains import DEFAULT_SEED
from pynn_io.report import Report
from pynn_io.runners.nest.cells import lower_part
from pynn_io.runners.nest.lowered import Lowered, Nodes
from pynn_io.runners.nest.spikes import between_steps, lower_bombardments, lower_feeds, precise
from pynn_io.runners.nest.stimuli import lower_currents
from pynn_io.runners.nest.synapses import lower_projection, times_of_depression
from pynn_io.simulation_plan import SimulationPlan

#: NEST's own time step, ms.
DEFAULT_TIMESTEP = 0.1
#: NEST's clock has 1000 tics a millisecond; a step is a whole number of them.
TICS = 1000
#: Modules of BMTK's reports that introduce another name of a synapse model.
_RECORDER = "weight_recorder"


def lower(network: Network, plan: SimulationPlan, report: Report) -> Lowered:
    """Raises PlanError for what makes no sense (no end, spikes at 0 ...), RunError where NEST has nothing to run."""
    step = _timestep(plan, report)
    plan = with_potentials(with_node_sets(plan, network), network)
    network = as_standard(network, step, report)
    duration = last_step(plan, Grid(step), "NEST", report)
    grid = Grid(step, duration)
    nodes, present, left_out = _nodes(network, plan, report)
    nodes = _with_tau_minus(nodes, network)
    exact = precise(plan, nodes)
    _report_conditions(network, plan, nodes, report)
    aliases = _aliases(plan)
    links = [
        lower_projection(
            projection, network, [item for item in nodes if item.population == projection.post], aliases, report
        )
        for projection in network.projections.values()
    ]
    return Lowered(
        network=network,
        duration=duration,
        timestep=grid.step,
        seed=_nest_seed(DEFAULT_SEED if plan.seed is None else plan.seed),
        nodes=nodes,
        left_out=left_out,
        precise=exact,
        feeds=lower_feeds(network, plan, exact, grid, report),
        bombardments=tuple(lower_bombardments(network, plan, nodes, exact, grid, report)),
        links=tuple(link for link in links if link is not None),
        currents=lower_currents(network, plan, present, grid, report),
        meters=lower_recordings(network, plan, present, grid, duration, report),
        inlets=_inlets(network),
        notes={
            "spike_times": "precise" if exact else "grid",
            "initial_potential": "of the cells",
            "current_delay": 0.0 if lead_of(plan) else step,
        },
    )


def _inlets(network: Network) -> tuple[str, ...]:
    sending = {projection.pre for projection in network.projections.values()}
    return tuple(name for name, item in network.populations.items() if name in sending and is_proxy(item, network))


def _timestep(plan: SimulationPlan, report: Report) -> float:
    if plan.timestep is None:
        report.defaulted(
            "default-timestep", "run.dt", f"The time step is not stated; NEST's {DEFAULT_TIMESTEP} ms is taken."
        )
        return DEFAULT_TIMESTEP
    tics = plan.timestep * TICS
    if not plan.timestep > 0 or abs(tics - round(tics)) > 1e-6:
        raise PlanError(
            f"NEST cannot step by {plan.timestep} ms",
            where="run.dt",
            hint=f"a step is a multiple of {1 / TICS} ms, and positive",
        )
    return plan.timestep


def _nest_seed(seed: int) -> int:
    """NEST takes 1 .. 2**32 - 1."""
    return seed % (2**32 - 1) or 1


def _nodes(
    network: Network, plan: SimulationPlan, report: Report
) -> tuple[tuple[Nodes, ...], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Nodes of all populations; by population, which rows have one, and which would if NEST had such a cell."""
    nodes: list[Nodes] = []
    refused: set[str] = set()
    between = between_steps(network, plan, report)
    present, left_out = (
        {name: np.zeros(item.size, dtype=bool) for name, item in network.populations.items()} for _ in range(2)
    )
    for name, rows in simulated(network, plan).items():
        population = network.populations[name]
        for part in parts(population, network, rows):
            lowered = lower_part(part, population, report, precise=name in between)
            if lowered is not None:
                nodes.append(lowered)
                present[name][part.rows] = True
            elif not isinstance(part.cell, SpikeSource):
                left_out[name][part.rows] = True
                refused.add(cell_code(part.cell))
    if not nodes and any(rows.any() for rows in left_out.values()):
        raise nothing_left("NEST", (issue.message for issue in report if issue.code in refused), ON_NEURON)
    return tuple(nodes), present, left_out


def _with_tau_minus(nodes: tuple[Nodes, ...], network: Network) -> tuple[Nodes, ...]:
    """Cells with the time constant of the depression that PyNN states of the synapses onto them."""
    found: dict[str, set[float]] = {}
    for projection in network.projections.values():
        times = found.setdefault(projection.post, set())
        times |= times_of_depression(projection, network)
        if len(times) > 1:
            raise PlanError(
                f"STDP with several tau_minus onto the same cells: {', '.join(map(str, sorted(times)))} ms",
                where=f"projection {projection.name}",
                hint="in NEST it is one for all synapses onto a cell",
            )
    return tuple(
        replace(item, parameters={**item.parameters, "tau_minus": next(iter(found[item.population]))})
        if found.get(item.population)
        else item
        for item in nodes
    )


def _report_conditions(network: Network, plan: SimulationPlan, nodes: tuple[Nodes, ...], report: Report) -> None:
    """Conditions that a simulation of points without temperature does not use."""
    if plan.v_init is not None and any("V_m" not in item.parameters for item in nodes):
        report.defaulted(
            "initial-potential",
            "conditions.v_init",
            "NEST's cells begin at their own V_m, or where they state none at their model's (-70 mV for most), as "
            f"in NEST's and BMTK's own reading; v_init ({plan.v_init} mV) is of cable cells.",
        )
    changes = [("modification", item.name) for item in plan.modifications]
    changes += [("connection override", item.name) for item in plan.overrides]
    for kind, name in changes:
        report.lost(f"{kind.replace(' ', '-')}-not-supported", f"{kind} {name}", f"NEST's runner has no {kind}s yet.")
    native = [cell for cell in network.cells.values() if isinstance(cell, (PointCell, CableCell))]
    if plan.mechanism_variables and native:
        report.lost("mechanism-variables", "conditions.mechanisms", "NEST has no NMODL mechanisms to set variables of.")


def _aliases(plan: SimulationPlan) -> Mapping[str, str]:
    """Names that BMTK's ``weight_recorder`` reports give to copies of NEST's synapse models."""
    found: dict[str, Any] = {}
    for item in plan.recordings:
        stated = item.parameters
        if _RECORDER in (stated.get("module"), item.kind) and {"model_template", "nest_model"} <= set(stated):
            found[str(stated["model_template"])] = str(stated["nest_model"])
    return found
