"""NEURON: point and cable cells in one network. `NeuronRunner` is its row in the registry.

``lower`` makes a `LoweredNeuron` (numpy and names only), ``build`` a `Model` (the first import of NEURON). What a cell
is stands in ``cells`` (in NEURON's words) and ``morphologies`` (numbers of sections), who projects to whom in
``connections``, what is put in and taken out in ``stimuli`` and ``recordings``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import InSteps, Profile, Stepping
from pynn_io.runners.neuron.lower import lower
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.neuron.model import Model

__all__ = ["LoweredNeuron", "NeuronRunner"]


class NeuronRunner(InSteps):
    """`DistributedRunner` and `SteppedRunner` of `pynn_io.runners.base` for NEURON.

    The cell with gid g is on rank g modulo their number.
    """

    #: The detectors of point processes (WATCH) and events of artificial cells wait for the beginning of the next step.
    lag = 1
    #: As spikes of other MPI ranks do, which come with their own times and the whole delay.
    backdates = True

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> LoweredNeuron:
        return lower(network, plan, report)

    def build(self, lowered: LoweredNeuron, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.neuron.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.neuron.run import run

        run(model, progress)

    def collect(self, model: Model, lowered: LoweredNeuron) -> Results:
        from pynn_io.runners.neuron.run import collect

        return collect(model, lowered)

    def stepping(self) -> Stepping:
        from pynn_io.runners.neuron import stepping

        return stepping

    def join(self) -> tuple[int, int]:
        from pynn_io.runners.neuron.start import join

        return join()

    def leave(self) -> None:
        from pynn_io.runners.neuron.start import leave

        leave()
