"""The calls that PyNN documents for SONATA, on any backend module of PyNN and on our own backends.

::

    plan = load_sonata_simulation_plan("simulation_config.json")
    plan.setup(sim)                                  # pyNN.nest, pyNN.neuron ..., or pynn_io.backend("nest")
    net = import_from_sonata("circuit_config.json", sim)
    plan.execute(net)
    data = SonataIO("output").read()
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pynn_io import registry
from pynn_io.errors import PlanError, RunError
from pynn_io.graph import Network, Population, Projection
from pynn_io.graph.columns import empty
from pynn_io.graph.validate import validate
from pynn_io.lowering.pynn import lower_plan, lower_setup, target_of
from pynn_io.pipeline import read
from pynn_io.progress import Progress, quiet
from pynn_io.report import Issue, Kind, Report
from pynn_io.results import Results, write_results
from pynn_io.simulate import output_options, simulate
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.validate import check

if TYPE_CHECKING:
    from pynn_io.runners.pynn.network import BuiltNetwork


@dataclass(frozen=True, slots=True)
class OwnBackend:
    """One of our backends, where PyNN's calls take one of its modules. options: of `pynn_io.simulate.simulate`."""

    name: str = "auto"
    options: Mapping[str, Any] = field(default_factory=empty)


@dataclass(frozen=True, slots=True, eq=False)
class BoundNetwork(Network):
    """A network that `execute` runs on one of our backends. It is built there each time, in a process of its own."""

    backend: OwnBackend = field(default_factory=OwnBackend)

    def get_component(self, label: str) -> Population | Projection | None:
        """The population or the projection of that name; None where there is none, as in PyNN."""
        return self.populations.get(label) or self.projections.get(label)


def backend(name: str = "auto", **options: Any) -> OwnBackend:
    """One of our backends for `setup` and ``import_from_sonata``: ``nest``, ``neuron`` ... options: ``threads=4`` ...

    Raises FormatError for an unknown one.
    """
    if name != "auto":
        registry.find_backend(name)
    return OwnBackend(name, options)


def setup(plan: SimulationPlan, sim: ModuleType | OwnBackend, **arguments: Any) -> None:
    """``sim.setup`` with the plan's time step and seed, and the least delay that it allows. Ours need none.

    arguments: others of ``sim.setup``, which go before the plan's. Raises PlanError, RunError.
    """
    if isinstance(sim, OwnBackend):
        return
    from pynn_io.runners.pynn.build import set_up

    set_up(sim, lower_setup(plan, target_of(sim.__name__), Report()), **arguments)


def import_network(
    network: Network, sim: ModuleType | OwnBackend, report: Report | None = None, *, progress: Progress = quiet
) -> Network | BuiltNetwork:
    """A network on ``sim``: a ``pyNN.network.Network`` on a module of PyNN, a `BoundNetwork` for one of our backends.

    report: takes what ``sim`` has not. Without one, anything that it has not is a RunError, which lists what and where,
    and what it has only nearly is a warning.
    """
    if isinstance(sim, OwnBackend):
        return BoundNetwork(**{one.name: getattr(network, one.name) for one in fields(network)}, backend=sim)
    validate(network, progress=progress)
    from pynn_io.runners.pynn.network import on_backend

    found = Report()
    net = on_backend(network, sim, found, progress)
    if report is not None:
        report.include(found)
        return net
    lost = [f"{issue.where}: {issue.message} ({issue.count})" for issue in found.of_kind(Kind.LOST)]
    if lost:
        hint = "\n  ".join([*lost, "To build the rest, give report=Report()."])
        raise RunError(f"{sim.__name__} cannot hold this network", hint=hint)
    warn(found.refusals())
    return net


def warn(issues: Iterable[Issue]) -> None:
    """A Python warning for each: what a caller who keeps no report would not hear of."""
    for issue in issues:
        warnings.warn(f"{issue.where}: {issue.message} ({issue.count} x {issue.code})", stacklevel=3)


def execute(
    plan: SimulationPlan,
    net: Network | BuiltNetwork,
    *,
    output_dir: str | Path | None = None,
    report: Report | None = None,
    progress: Progress = quiet,
) -> Results:
    """Apply the plan to a network, run it, and write spikes and reports as its output section asks; gives the results.

    While a script is read that calls this, nothing is written: results of an earlier run may stand there.

    net: of ``import_from_sonata``; a network without ``sim`` runs on the backend that suits it. output_dir: instead of
    the plan's, which is relative to its configuration; a plan without one writes nothing. Files of the same names are
    replaced, others stay. report: what could not be honoured is added to it; without one it is a warning.
    Raises PlanError, RunError, WriteError, and what `pynn_io.simulate.simulate` raises.
    """
    found = Report() if report is None else report
    if isinstance(net, Network):
        own = net.backend if isinstance(net, BoundNetwork) else OwnBackend()
        results = simulate(net, plan, own.name, report=found, progress=progress, **own.options)
    else:
        results = _run_on_pynn(plan, net, found, progress)
    folder = output_folder(plan) if output_dir is None else Path(output_dir)
    if folder is not None and not _is_read(net):
        write_results(results, folder, "sonata", report=found, overwrite=True, **output_options(plan))
    if report is None:
        warn(found.refusals())
    return results


def _is_read(net: Network | BuiltNetwork) -> bool:
    """Whether a script is being read, and not run."""
    built = None if isinstance(net, Network) else net.built
    return built is not None and built.is_read


def _run_on_pynn(plan: SimulationPlan, net: BuiltNetwork, report: Report, progress: Progress) -> Results:
    built = getattr(net, "built", None)
    if built is None:
        raise RunError("this network was not made by import_from_sonata(..., sim)", hint="run it with sim.run")
    if built.plan is not None:
        raise RunError(
            "a plan has been executed on this network already", hint="call setup and import_from_sonata again"
        )
    from pynn_io.runners.pynn.build import apply_plan
    from pynn_io.runners.pynn.collect import collect, run

    check(plan, built.lowered.network, spikes_at_zero=built.lowered.target.native != "nest")
    lowered = lower_plan(built.lowered, plan, report)
    apply_plan(built, lowered)
    run(built, progress)
    return collect(built, lowered)


def output_folder(plan: SimulationPlan) -> Path | None:
    """Where the plan's output goes; None where it states no folder."""
    if plan.output.directory is None:
        return None
    return Path(plan.output.base or ".") / plan.output.directory


def from_config(config: Mapping[str, Any], network: Network | None = None) -> SimulationPlan:
    """The plan of a simulation configuration whose manifest variables are replaced. Its paths are of this folder.

    network: what it runs on; else the circuit that it names under ``network``. Raises PlanError.
    """
    if network is None:
        circuit = config.get("network")
        if not isinstance(circuit, str):
            raise PlanError("the configuration names no network", hint='give the network, or a path under "network"')
        network = read(circuit, format="sonata").network
    from pynn_io.simulation_plan.sonata import read_plan

    here = Path.cwd()
    return read_plan(config, where=here / "config", base=here, network=network, report=Report())
