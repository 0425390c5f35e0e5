"""A network, and what is run on it, as a PyNN script: ``network.py`` for any backend, its bulk in ``network.npz``.

Populations, parameters, synapses, currents and recordings are in the text; what differs from cell to cell or from edge
to edge is in the data. Random numbers stay random where PyNN has them: sources at a rate are such sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pynn_io.document import Document
from pynn_io.exporters.pynn_text import Script
from pynn_io.formats.new_file import writing
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import Cells, Connections, Target, connections, lower, target_of
from pynn_io.lowering.standard import twin
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

SCRIPT, DATA = "network.py", "network.npz"


def write(document: Document, dest: Path, report: Report, *, progress: Progress = quiet) -> None:
    """Write the script and its data into the folder ``dest``. Raises PlanError, RunError (no cell that PyNN has)."""
    plan = document.plan or SimulationPlan(duration=1.0, timestep=0.1)
    lowered = lower(document.network, plan, _target(document.network), report)
    script = Script(document.network.name, lowered, runs=document.plan is not None)
    for number, cells in enumerate(lowered.network.cells):
        progress("writing cells", number, len(lowered.network.cells))
        script.population(cells, lowered.plan.trains.get(cells.label))
    for cells in lowered.plan.drives:
        script.population(cells, lowered.plan.trains[cells.label])
    _tell_of_cells(lowered.network.cells, report)
    made = list(_counted(connections(lowered.network, report), report))
    for done, edges in enumerate([*made, *lowered.plan.drive_connections]):
        script.projection(edges)
        progress("writing connections", done + 1, len(made))
    if document.plan is not None:
        script.plan()
    dest.mkdir(parents=True, exist_ok=True)
    with writing(dest / SCRIPT):
        (dest / SCRIPT).write_text(script.text(SCRIPT, DATA), encoding="utf-8")
    with writing(dest / DATA):
        np.savez_compressed(dest / DATA, **script.data)  # type: ignore[arg-type]


def _target(network: Network) -> Target:
    """Any backend; that of native models that are no standard cells, where there are such."""
    models = [cell.model for cell in network.cells.values() if isinstance(cell, PointCell)]
    native = {model.partition(":")[0] for model in models if ":" in twin(model)} & {"nest", "nrn"}
    dialect = next(iter(sorted(native)), "")
    nest = target_of("nest")
    return Target(
        "a PyNN script",
        dialect,
        on_grid=False,
        zero_delay=dialect == "nrn",
        setup=nest.setup,
        precise=nest.precise,
        declarative=True,
    )


def _tell_of_cells(cells: tuple[Cells, ...], report: Report) -> None:
    """Ids, which PyNN gives itself, and populations of several models, which are several there."""
    names = [item.population for item in cells]
    for item in cells:
        where = f"population {item.population}"
        if names.count(item.population) > 1:
            message = "PyNN's populations have one model each: this one is several, named after their models."
            report.approximated("split-population", where, message, examples=[item.label])
        moved = int(np.count_nonzero(item.ids != np.arange(item.size)))
        report.lost("ids", where, "PyNN numbers cells itself, from 0 in every population.", count=moved)


def _counted(made: Iterator[Connections], report: Report) -> Iterator[Connections]:
    for edges in made:
        if not edges.label.endswith("-0"):
            message = "PyNN's projections have one synapse type and one receptor each: this one is several."
            report.approximated("split-projection", f"projection {edges.projection}", message, examples=[edges.label])
        yield edges
