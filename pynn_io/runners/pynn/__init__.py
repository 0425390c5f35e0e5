"""Any backend of PyNN as a backend of ours: ``pynn:nest``, ``pynn:neuron``, ``pynn:brian2``, ``pynn:my.module``.

Networks are built in array blocks through PyNN's public classes; what the backends lack stands in
`pynn_io.lowering.pynn.targets`. PyNN compiles its mechanisms for NEURON into its own folder when ``pyNN.neuron`` is
first imported (a minute), which needs a compiler and write access there; it offers no other place.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn_io.errors import BackendUnavailable
from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import Lowered, lower, target_of
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.unplotted import without_plotting
from pynn_io.simulation_plan import SimulationPlan

if TYPE_CHECKING:
    from pynn_io.runners.pynn.build import Built

#: PyNN's own backends, of which it is known that they do not draw.
_OF_PYNN = "pyNN."
#: What every backend of PyNN has.
_API = ("setup", "Population", "Projection", "run_until")


class PynnRunner:
    """The four steps of `pynn_io.runners.base.Runner` on one module of PyNN."""

    def __init__(self, module: str) -> None:
        self._module = module

    def lower(self, network: Network, plan: SimulationPlan, report: Report) -> Lowered:
        return lower(network, plan, target_of(self._module), report)

    def build(self, lowered: Lowered, profile: Profile, report: Report, progress: Progress) -> Built:
        sim = load(self._module)
        from pynn_io.runners.pynn.build import apply_plan, build_network, set_up

        more = {"threads": profile.threads} if profile.threads > 1 else {}
        set_up(sim, lowered.setup, **more)
        built = build_network(sim, lowered.network, report, progress, lowered.plan.trains)
        apply_plan(built, lowered.plan, given=True)
        return built

    def run(self, model: Built, progress: Progress) -> None:
        from pynn_io.runners.pynn.collect import run

        run(model, progress)

    def collect(self, model: Built, lowered: Lowered) -> Results:
        from pynn_io.runners.pynn.collect import collect

        return collect(model, lowered.plan)


def load(module: str) -> Any:
    """The backend's module. Raises BackendUnavailable where it, or what it needs, cannot be imported."""
    # pyNN.neuron calls nrnivmodl, which stands beside the Python of an environment that nobody may have activated
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])
    try:
        with without_plotting() if module.startswith(_OF_PYNN) else nullcontext():
            sim = import_module(module)
    except ImportError as error:
        raise BackendUnavailable(
            f"{module} cannot be imported ({error})", hint="pip install 'pynn_io[pynn]', and the simulator behind it"
        ) from error
    except Exception as error:
        raise BackendUnavailable(f"{module} fails when it is imported: {type(error).__name__}: {error}") from error
    missing = [name for name in _API if not hasattr(sim, name)]
    if missing:
        raise BackendUnavailable(f"{module} is no backend of PyNN: it has no {', '.join(missing)}")
    return sim
