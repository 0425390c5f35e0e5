"""Spikes of sources that a plan records: known without a simulator, since they are stated, or drawn here for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering.cells import sources, targets
from pynn_io.lowering.trains import trains
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.results import sorted_spikes
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.plan import SPIKES


def recorded_sources(network: Network, plan: SimulationPlan) -> dict[str, np.ndarray]:
    """ROWS of the sources whose spikes are recorded, by population (int64, ascending)."""
    found: dict[str, np.ndarray] = {}
    for item in plan.recordings:
        if not item.enabled or item.kind != SPIKES:
            continue
        for name, rows in targets(item.node_set, network, plan).items():
            mine = rows[sources(network.populations[name], network)[rows]]
            if len(mine):
                found[name] = np.union1d(found.get(name, mine), mine)
    return found


def with_source_spikes(results: Results, network: Network, plan: SimulationPlan) -> Results:
    """The results with the spikes of recorded sources, at the times that they have before any simulator's steps."""
    recorded = recorded_sources(network, plan)
    if not recorded or plan.duration is None:
        return results
    emitted = trains(plan, network, Report())  # what there is to report, the runner has
    spikes, nodes = dict(results.spikes), dict(results.nodes)
    for name, rows in recorded.items():
        ids = network.populations[name].ids()
        there, times = np.empty(0, dtype=np.int64), np.empty(0)
        if name in emitted:
            kept = np.isin(emitted[name].rows, rows) & (emitted[name].times <= plan.duration)
            there, times = ids[emitted[name].rows[kept]], emitted[name].times[kept]
        if name in spikes:  # a population of cells and sources
            there, times = (
                np.concatenate(pair) for pair in ((spikes[name].node_ids, there), (spikes[name].times, times))
            )
        spikes[name] = sorted_spikes(name, there, times)
        nodes[name] = np.union1d(nodes.get(name, ids[rows]), ids[rows])
    return replace(results, spikes=spikes, nodes=nodes)
