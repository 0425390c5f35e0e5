"""Arbor: cable cells with Arbor's own and generated mechanisms, and cells without extent that it has.

``lower`` makes a `LoweredArbor` (numpy and names only), ``build`` a simulation (the first import of Arbor). Sections
become a segment tree whose control volumes are NEURON's compartments (``trees``), the membrane paints (``membrane``),
projections the blocks that a recipe is answered from (``wiring``, ``recipe``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.arbor.lower import lower
from pynn_io.runners.arbor.lowered import LoweredArbor
from pynn_io.runners.base import Profile
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.arbor.build import Model

__all__ = ["ArborRunner", "LoweredArbor"]


class ArborRunner:
    """The four steps of `pynn_io.runners.base.Runner`."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> LoweredArbor:
        return lower(network, plan, report)

    def build(self, lowered: LoweredArbor, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.arbor.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.arbor.run import run

        run(model, progress)

    def collect(self, model: Model, lowered: LoweredArbor) -> Results:
        from pynn_io.runners.arbor.run import collect

        return collect(model, lowered)
