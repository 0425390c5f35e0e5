"""NEURON: point and cable cells in one network. `NeuronRunner` is its row in the registry.

``lower`` makes a `LoweredNeuron` (numpy and names only), ``build`` a `Model` (the first import of NEURON). What a cell
is stands in ``cells`` (in NEURON's words) and ``morphologies`` (numbers of sections), who projects to whom in
``connections``, what is put in and taken out in ``stimuli`` and ``recordings``.
"""

from __future__ import annotations

from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.lower import lower
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.simulation_plan import SimulationPlan

__all__ = ["LoweredNeuron", "NeuronRunner"]


class NeuronRunner:
    """`pynn_io.runners.base.DistributedRunner` for NEURON: the cell with gid g is on rank g modulo their number."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> LoweredNeuron:
        return lower(network, plan, report)

    def build(self, lowered: LoweredNeuron, profile: Profile, report: Report, progress: Progress) -> object:
        from pynn_io.runners.neuron.build import build

        return build(lowered, profile, report, progress)

    def run(self, model: object, progress: Progress) -> None:
        from pynn_io.runners.neuron.run import run

        run(model, progress)  # type: ignore[arg-type]

    def collect(self, model: object, lowered: LoweredNeuron) -> Results:
        from pynn_io.runners.neuron.run import collect

        return collect(model, lowered)  # type: ignore[arg-type]

    def join(self) -> tuple[int, int]:
        from pynn_io.runners.neuron.start import join

        return join()

    def leave(self) -> None:
        from pynn_io.runners.neuron.start import leave

        leave()
