"""The machines behind EBRAINS' queue: what they take of PyNN, and how a network is told to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import Connections, Lowered, Setup, Target, connections, lower
from pynn_io.report import Report
from pynn_io.runners.nmpi import brainscales
from pynn_io.runners.nmpi.bundle import Setups
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary import models

#: A time step takes a SpiNNaker so long of wall clock at least, ms.
_REAL_STEP = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What goes into a script. scale: ms of the network for one ms of the machine."""

    lowered: Lowered
    edges: Sequence[Connections]
    setup: Setups
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Platform:
    """name: as the queue calls it. cells, synapses: standard models that it has. analogue: it has no time steps."""

    name: str
    title: str
    module: str
    cells: frozenset[str]
    synapses: frozenset[str]
    analogue: bool = False

    def target(self) -> Target:
        """Among PyNN's backends."""
        have = self.cells | self.synapses
        lacks = {
            name: f"{self.title} has none"
            for name, row in models.MODELS.items()
            if ":" not in name and row.kind in ("cell", "synapse") and name not in have
        }
        return Target(self.module, lacks=lacks, on_grid=not self.analogue, zero_delay=self.analogue)

    def job(self, network: Network, plan: SimulationPlan, report: Report) -> Job:
        """Network and plan for it. What it cannot do goes into the report. Raises PlanError, RunError."""
        lowered = lower(network, plan, self.target(), report)
        edges = [*connections(lowered.network, report), *lowered.plan.drive_connections]
        if not self.analogue:
            return Job(lowered, edges, _digital(lowered.setup))
        lowered, edges = brainscales.translated(lowered, edges, report)
        return Job(lowered, edges, Setups({}, {}), brainscales.SPEED)


def _digital(setup: Setup) -> Setups:
    """SpiNNaker's, and those of PyNN's simulators, so that the same script can be tried on these."""
    most = {"max_delay": setup.max_delay}
    return Setups(
        {"timestep": setup.timestep, "min_delay": setup.min_delay},
        {
            "spiNNaker": {"time_scale_factor": max(1, math.ceil(_REAL_STEP / setup.timestep - 1e-9))},
            "nest": {**most, "spike_precision": "on_grid"},
            "neuron": most,
            "brian2": most,
        },
    )


_STATIC = frozenset({"static", "StaticSynapse"})
PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        row.name: row
        for row in (
            Platform(
                "SpiNNaker",
                "SpiNNaker",
                "pyNN.spiNNaker",
                frozenset({"IF_curr_exp", "IF_cond_exp", "IF_curr_alpha", "IF_curr_delta", "Izhikevich"}),
                _STATIC | {"STDPMechanism"},
            ),
            Platform(
                "BrainScaleS-2",
                "BrainScaleS-2",
                "pynn_brainscales.brainscales2",
                frozenset({"IF_curr_exp"}),
                _STATIC,
                analogue=True,
            ),
        )
    }
)


def with_timestep(plan: SimulationPlan, report: Report, platform: Platform) -> SimulationPlan:
    """SpiNNaker's own step where the plan states none."""
    if plan.timestep is not None or platform.analogue:
        return plan
    report.defaulted("default-timestep", "run.dt", f"The time step is not stated; {platform.title}'s 1 ms is taken.")
    return replace(plan, timestep=_REAL_STEP)
