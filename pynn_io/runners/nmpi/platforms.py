"""The machines behind EBRAINS' queue: how a network is told to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pynn_io.graph.columns import empty
from pynn_io.graph.network import Network
from pynn_io.lowering.hardware.delays import smaller_cores
from pynn_io.lowering.pynn import Connections, Lowered, connections
from pynn_io.report import Report
from pynn_io.runners.nmpi import brainscales
from pynn_io.runners.nmpi.bundle import Setups
from pynn_io.runners.spinnaker.lower import lower as lower_spinnaker
from pynn_io.simulation_plan import SimulationPlan


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What goes into a script. scale: ms of the network for one ms of the machine. cores: neurons a core of SpiNNaker,
    by label, where that is not its own choice. facts: what the plan states, for the provenance."""

    lowered: Lowered
    edges: Sequence[Connections]
    setup: Setups
    scale: float = 1.0
    cores: Mapping[str, int] = field(default_factory=empty)
    facts: Mapping[str, Any] = field(default_factory=empty)


def _spinnaker(network: Network, plan: SimulationPlan, report: Report) -> Job:
    """As for a board of one's own. The arguments of PyNN's simulators are there for trying a job on these."""
    found = lower_spinnaker(network, plan, report)
    lowered, setup = found.pynn, found.pynn.setup
    edges = [*connections(lowered.network, report), *lowered.plan.drive_connections]
    sizes = {cells.label: cells.size for cells in (*lowered.network.cells, *lowered.plan.drives)}
    most = {"max_delay": setup.max_delay}
    setups = Setups(
        {"timestep": setup.timestep, "min_delay": setup.min_delay},
        {
            "spiNNaker": {"time_scale_factor": found.time_scale_factor},
            "nest": {**most, "spike_precision": "on_grid"},
            "neuron": most,
            "brian2": most,
        },
    )
    return Job(lowered, edges, setups, cores=smaller_cores(found.check.chip, sizes, edges, setup.timestep))


def _brainscales(network: Network, plan: SimulationPlan, report: Report) -> Job:
    lowered, edges = brainscales.lower(network, plan, report)
    return Job(lowered, edges, Setups({}, {}), brainscales.SPEED)


#: By the queue's name of the platform.
PLATFORMS: Mapping[str, Callable[[Network, SimulationPlan, Report], Job]] = MappingProxyType(
    {"SpiNNaker": _spinnaker, "BrainScaleS-2": _brainscales}
)
