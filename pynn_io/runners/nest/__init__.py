"""NEST: networks of cells without extent, built in array blocks. Needs the wheel from PyPI and nothing else of NEST.

Decisions, which the provenance of the results states: `pynn_io.runners.nest.spikes.precise` for input spikes between
two steps, `pynn_io.runners.nest.stimuli` for currents, `pynn_io.runners.nest.lower` for the initial potential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import InSteps, Profile, Stepping
from pynn_io.runners.nest.lower import lower
from pynn_io.runners.nest.lowered import Lowered
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.nest.build import Model

#: Parts in which a run is done, for the progress bar.
_CHUNKS = 100
#: Exchanges of spikes in a part at least: beginning a part costs something.
_EXCHANGES = 20


class NestRunner(InSteps):
    """The steps of `pynn_io.runners.base.SteppedRunner`. NEST's kernel is one a process, so is a run."""

    #: A spike of a step is recorded when the step is done.
    lag = 0
    #: An injector passes over what is past.
    backdates = False

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Lowered:
        return lower(network, plan, report)

    def build(self, lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.nest.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.lowering.grid import Grid

        nest, lowered = model.nest, model.lowered
        grid = Grid(lowered.timestep)
        last = grid.nearest(lowered.duration)
        every = max(last // _CHUNKS, _EXCHANGES * max(1, grid.nearest(float(nest.min_delay))))
        self.begin(model, ())
        for step in range(0, last, every):
            progress("simulating", float(grid.time(step)), lowered.duration)
            self.advance(model, float(grid.time(min(step + every, last))))
        self.end(model)
        progress("simulating", lowered.duration, lowered.duration)

    def stepping(self) -> Stepping:
        from pynn_io.runners.nest import stepping

        return stepping

    def collect(self, model: Model, lowered: Lowered) -> Results:
        from pynn_io.runners.nest.collect import collect

        return collect(model)
