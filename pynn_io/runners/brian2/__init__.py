"""Brian2: networks of cells without extent, as equations and statements that are written for them.

A spike is at the end of the step in which a cell crosses its threshold, and a delay of n steps means that its effect is
in the state n steps later, as on NEST and NEURON. For this the slots of a step are taken in the order of `SCHEDULE`:
cells are advanced, spikes of earlier steps arrive, and only then are thresholds tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.brian2.lower import lower
from pynn_io.runners.brian2.lowered import Lowered
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.brian2.build import Model


class Brian2Runner:
    """The four steps of `pynn_io.runners.base.Runner`. Brian2's device is one a process, so is a run."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Lowered:
        return lower(network, plan, report)

    def build(self, lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.brian2.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.brian2.run import run

        run(model, progress)

    def collect(self, model: Model, lowered: Lowered) -> Results:
        from pynn_io.runners.brian2.run import collect

        return collect(model)
