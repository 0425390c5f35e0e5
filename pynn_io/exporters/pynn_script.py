"""A network, and what is run on it, as a PyNN script: ``network.py`` for any backend, its bulk in ``network.npz``.

Populations, parameters, synapses, currents and recordings are in the text; what differs from cell to cell or from edge
to edge is in the data. Random numbers stay random where PyNN has them: sources at a rate are such sources.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pynn_io.document import Document
from pynn_io.exporters.pynn_account import in_order, tell_of_cells, tell_of_edges
from pynn_io.exporters.pynn_text import Script
from pynn_io.formats.new_file import writing
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network
from pynn_io.lowering.pynn import UNRECORDED, Target, connections, lower, target_of
from pynn_io.lowering.standard import twin
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan

SCRIPT, DATA = "network.py", "network.npz"
#: The length of a run, ms, where none is stated.
_SHORT = 1.0


def write(document: Document, dest: Path, report: Report, *, progress: Progress = quiet) -> None:
    """Write the script and its data into the folder ``dest``. Raises PlanError, RunError (no cell that PyNN has)."""
    plan = document.plan or SimulationPlan(timestep=0.1)
    runs = plan.duration is not None
    if document.plan is not None and not runs:
        message = f"The plan has no end: the script does not run, and what it draws or samples lasts {_SHORT:g} ms."
        report.defaulted("default-duration", "run.tstop", message)
    plan = plan if runs else replace(plan, duration=_SHORT)
    lowered = lower(document.network, plan, _target(document.network), report)
    script = Script(document.network.name, lowered, records=document.plan is not None, runs=runs)
    for number, cells in enumerate(lowered.network.cells):
        progress("writing cells", number, len(lowered.network.cells))
        script.population(cells, lowered.plan.trains.get(cells.label))
    for cells in lowered.plan.drives:
        script.population(cells, lowered.plan.trains[cells.label])
    tell_of_cells(document.network, lowered.network.cells, report)
    made = [in_order(edges, report) for edges in connections(lowered.network, report)]
    labels = {}
    for done, edges in enumerate([*made, *lowered.plan.drive_connections]):
        labels[edges.label] = script.projection(edges)
        progress("writing connections", done + 1, len(made))
    tell_of_edges(document.network, lowered.network.cells, made, labels, report)
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
        unrecorded=UNRECORDED,
        on_grid=False,
        zero_delay=dialect == "nrn",
        setup=nest.setup,
        precise=nest.precise,
        declarative=True,
    )
