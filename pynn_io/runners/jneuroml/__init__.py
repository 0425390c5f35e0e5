"""jNeuroML, the reference implementation of NeuroML and LEMS, as a backend: a network is exported, run, and read back.

Its own solver (jLEMS: forward Euler, cells of one compartment), or the code that it writes for NEURON, as it is or with
the steps of NEURON's own mechanisms (``engine``), as the cells need where none is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.jneuroml.run import Model


@dataclass(frozen=True, slots=True)
class Lowered:
    """What is exported."""

    network: Network
    plan: SimulationPlan


class JNeuroMLRunner:
    """The four steps of `pynn_io.runners.base.Runner`; the profile's ``writer`` is the exporter of NeuroML."""

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Lowered:
        if plan.duration is None:
            raise PlanError(
                "the plan does not say how long to run", where="run.tstop", hint="state it, or --duration MS"
            )
        return Lowered(network, plan)

    def build(self, lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Model:
        from pynn_io.runners.jneuroml.run import build

        return build(lowered.network, lowered.plan, profile, report, progress)

    def run(self, model: Model, progress: Progress) -> None:
        from pynn_io.runners.jneuroml.run import run

        run(model, progress)

    def collect(self, model: Model, lowered: Lowered) -> Results:
        from pynn_io.runners.jneuroml.collect import collect

        return collect(model.lems, lowered.network, lowered.plan, model.provenance)


__all__ = ["JNeuroMLRunner", "Lowered"]
