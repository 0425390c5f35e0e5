"""The calls that PyNN documents, for a network as an object of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pynn_io import registry
from pynn_io.document import Document
from pynn_io.errors import FormatError, PlanError
from pynn_io.graph import Network
from pynn_io.graph.compare import Difference, diff
from pynn_io.pipeline import read, write
from pynn_io.pynn_calls import import_network, warn
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.compare import Comparison, Options
from pynn_io.results.compare.sources import compare_opened, open_results
from pynn_io.simulate import INCOMPLETE
from pynn_io.simulation_plan.plan import SimulationPlan

#: What makes a document of a PyNN Network.
_OF_PYNN = "pynn_io.importers.pynn_objects.network:document_of"


def import_from_sonata(circuit_config: str | Path, sim: Any = None, *, report: Report | None = None) -> Any:
    """The network of a SONATA circuit: a circuit config, a simulation config, a joined config, or the folder of one.

    sim: a backend module of PyNN (``pyNN.nest``), set up: the network is built there, and given as a
    ``pyNN.network.Network``, with an Assembly for every population. Or `pynn_io.backend`: a `Network` that a plan
    executes on one of our backends. Without it, the `Network`.
    Raises ReadError naming the file and place, RunError for what ``sim`` has not. What could not be read, and what
    ``sim`` has not, is added to ``report`` where there is one; with ``sim`` and no report, it is a warning.
    """
    found = Report() if report is None else report
    network = read(circuit_config, format="sonata", report=found).network
    if sim is None:
        return network
    if report is None:
        warn(found.refusals())
    return import_network(network, sim, report)


def load_sonata_simulation_plan(simulation_config: str | Path, *, report: Report | None = None) -> SimulationPlan:
    """The plan of a SONATA simulation config, or of a file that joins it with its circuit.

    The circuit is read too: node sets, populations and ids of the plan are those of it. Raises ReadError and PlanError
    naming the file and key, and PlanError where there is a circuit and no simulation. Inputs and node sets that are
    missing are in ``report``, and without one a warning each.
    """
    found = Report() if report is None else report
    plan = read(simulation_config, format="sonata", report=found).plan
    if report is None:
        warn(issue for issue in found if issue.code in INCOMPLETE)
    if plan is None:
        raise PlanError(
            "there is a circuit here, and no simulation of it",
            where=simulation_config,
            hint="give the simulation_config.json, or a file that names it under 'simulation'",
        )
    return plan


def export_to_sonata(
    network: Any,
    output_path: str | Path,
    target: str = "PyNN",
    overwrite: bool = False,
    *,
    dialect: str = "",
    **options: Any,
) -> Report:
    """Write a network as a SONATA circuit into ``output_path``: a `Network`, a `Document`, or a PyNN Network.

    A ``pyNN.network.Network`` may be of any backend: what is connected there is read back from it. target: as in PyNN's
    own call of this name, ``PyNN`` for the names of its standard models, which our runners know on every simulator, or
    ``NEST`` for the models of that, their parameters and units, which BMTK and NEST know.
    overwrite: replace the files that it writes; others in an existing folder stay. dialect: empty (both worlds read
    it), ``allen`` or ``obi``.
    Returns the report of what could not be carried. Raises FormatError for another target, WriteError, and PlanError
    for plasticity that NEST does not have.
    """
    if target.lower() not in ("pynn", "nest"):
        raise FormatError(
            f"export_to_sonata has no target {target!r}",
            hint='it is "PyNN" or "NEST"; NEURON runs both: pynn-run --backend neuron',
        )
    name = f"sonata+{dialect}" if dialect else "sonata"
    report = options.pop("report", None) or Report()
    document = _document(network, report)
    if target.lower() == "nest":
        from pynn_io.lowering.nest_models import for_nest

        document = for_nest(document, report)
    return write(document, output_path, name, overwrite=overwrite, report=report, **options)


def export_to_neuroml(
    network: Any, folder: str | Path, *, dialect: str = "", overwrite: bool = False, **options: Any
) -> Report:
    """Write a network as NeuroML 2.3 into ``folder``: a `Network`, a `Document`, or a PyNN Network of any backend.

    dialect: empty (XML) or ``hdf5`` (the network as HDF5).
    Returns the report of what could not be carried. Raises WriteError.
    """
    name = f"neuroml+{dialect}" if dialect else "neuroml"
    report = options.pop("report", None) or Report()
    return write(_document(network, report), folder, name, overwrite=overwrite, report=report, **options)


def compare_networks(a: str | Path | Document | Network, b: str | Path | Document | Network) -> list[Difference]:
    """Everything in which the second network differs from the first, value by value; empty where they are equal.

    Names of definitions do not count, what they define does: two dialects of one circuit are equal.
    """
    one, two = (
        read(source).network if isinstance(source, (str, Path)) else _document(source).network for source in (a, b)
    )
    return diff(one, two)


def compare_results(
    a: str | Path | Results,
    b: str | Path | Results,
    *,
    null: Sequence[str | Path | Results] = (),
    perturbed: Sequence[tuple[float, str | Path | Results]] = (),
    measures: Sequence[str] = (),
    **options: Any,
) -> Comparison:
    """Compare two results of a run in tiers: exact, else deterministic, else, where a null is given, statistical.

    null: five results or more of one backend that differ in their seeds only. perturbed: (relative change of the
    weights, results), for the smallest change that would have been seen. measures: names of
    `pynn_io.results.compare.measures`. options: the fields of `pynn_io.results.compare.Options`.
    What cannot be compared gives a verdict, not an error; raises what `read_results` raises for files.
    """
    return compare_opened(
        open_results(a),
        open_results(b),
        Options(**options),
        null=[open_results(one) for one in null],
        perturbed=[(change, open_results(one)) for change, one in perturbed],
        measures=measures,
    )


def _document(network: Any, report: Report | None = None) -> Document:
    """A network of ours, or of PyNN, which is not imported for this."""
    if any(kind.__module__ == "pyNN.network" for kind in type(network).__mro__):
        document: Document = registry.load_dotted(_OF_PYNN)(network, Report() if report is None else report)
        return document
    return network if isinstance(network, Document) else Document(network)
