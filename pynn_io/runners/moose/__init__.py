"""MOOSE: cable cells with channels of any form as tables of MOOSE's own, on its implicit solver (``HSolve``).

``lower`` makes a `LoweredMoose` (numpy and names only), ``build`` objects (the first import of MOOSE). Sections become
compartments that are NEURON's (``circuit``), equations of channels tables (``gates``), projections ``SynChan`` with
their events (``wiring``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.moose.lower import lower
from pynn_io.runners.moose.lowered import LoweredMoose
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.moose.build import Model

__all__ = ["LoweredMoose", "MooseRunner"]


class MooseRunner:
    """The four steps of `pynn_io.runners.base.Runner`."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> LoweredMoose:
        return lower(network, plan, report)

    def build(self, lowered: LoweredMoose, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.moose.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.moose.run import run

        run(model, progress)

    def collect(self, model: Model, lowered: LoweredMoose) -> Results:
        from pynn_io.runners.moose.run import collect

        return collect(model, lowered)
