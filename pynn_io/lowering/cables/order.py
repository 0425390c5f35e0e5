"""Chemical projections in the order in which BMTK makes their synapses: cells draw sites, and the order says which."""

from __future__ import annotations

from collections.abc import Collection

from pynn_io.audit import loss_code
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.lowering.cables.junctions import is_coupling, is_electrical
from pynn_io.lowering.cells import is_proxy, sources
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan


def ordered(
    network: Network, plan: SimulationPlan, emitting: Collection[str] | None, simulator: str, report: Report
) -> list[Projection]:
    """First the projections between cells, then those from sources, by population in the order of the inputs.

    emitting: the populations that have a spike; those of the other sources are left out (None: none is). Projections of
    a kind that is no synapse and no junction are LOST.
    """
    chemical = []
    for item in network.projections.values():
        if is_electrical(item) or is_coupling(item, network):
            continue
        if item.kind == "chemical":
            chemical.append(item)
            continue
        message = f"Projections of the kind {item.kind!r} are not built on {simulator}."
        report.lost(loss_code(f"kind:{item.kind}"), f"projections/{item.name}", message, count=item.size)
    virtual = virtual_populations(network)
    chosen = [item for item in chemical if not virtual[item.pre]]
    for population in _by_input(network, plan):
        if emitting is None or population in emitting:
            chosen += [item for item in chemical if virtual[item.pre] and item.pre == population]
    return chosen


def virtual_populations(network: Network) -> dict[str, bool]:
    """Whether every cell of a population is a source; one that stands for cells of another process counts as cells."""
    return {
        name: bool(population.size) and bool(sources(population, network).all()) and not is_proxy(population, network)
        for name, population in network.populations.items()
    }


def _by_input(network: Network, plan: SimulationPlan) -> list[str]:
    """Populations in the order of the spike inputs that feed them, then the others."""
    fed = [item.what.population for item in plan.stimuli if isinstance(item.what, SpikeTrains)]
    return list(dict.fromkeys([*fed, *network.populations]))
