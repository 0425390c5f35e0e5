"""A network of ours as PyNN's ``Network``: what PyNN's documented calls hand about. This module imports PyNN."""

from __future__ import annotations

from typing import Any

from pyNN.network import Network as PynnNetwork

from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import lower_network, target_of
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.pynn.build import Built, allow_delays, build_network, errors


class BuiltNetwork(PynnNetwork):  # type: ignore[misc]
    """Populations and projections on ``sim``, and an Assembly for every population of ours, under its name.

    built: what a plan is applied to.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        assemblies = []
        for name in built.lowered.network.populations:
            members = [built.populations[cells.label] for cells in built.lowered.of(name)]
            if members:
                with errors(f"gathering population {name}"):
                    assemblies.append(built.sim.Assembly(*members, label=name))
        super().__init__(*built.populations.values(), *assemblies, *built.projections)

    @property
    def sim(self) -> Any:
        """The backend module."""
        return self.built.sim


def on_backend(network: Network, sim: Any, report: Report, progress: Progress) -> BuiltNetwork:
    """The network on a backend module that has been set up. What it has not is in the report.

    Raises RunError where it has none of the cells, PlanError for weights and delays that cannot be.
    """
    with errors("asking for the time step"):
        step = float(sim.get_time_step())
    lowered = lower_network(network, step, target_of(sim.__name__), report)
    allow_delays(sim, lowered.network)
    return BuiltNetwork(build_network(sim, lowered, report, progress))
