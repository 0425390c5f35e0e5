"""What is taken out of cells but their spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pynn_io.graph.network import Network
from pynn_io.report import Report
from pynn_io.results import Trace
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.neuron.lowered import LoweredNeuron
    from pynn_io.runners.neuron.model import Model


def lower(network: Network, plan: SimulationPlan, first: Mapping[str, int], report: Report) -> tuple[Any, ...]:
    """The recordings of the plan; those that NEURON does not make are reported LOST by name."""
    for recording in plan.recordings:
        if recording.enabled:
            message = f"Report {recording.name!r} ({recording.variable}) is not recorded on NEURON."
            report.lost("recording", f"reports/{recording.name}", message)
    return ()


def attach(model: Model, lowered: LoweredNeuron, report: Report) -> None:
    """Begin to record on the cells of this rank; called when everything else is built, before initialisation."""


def traces(model: Model, lowered: LoweredNeuron) -> tuple[Trace, ...]:
    """What was recorded on this rank."""
    return ()
