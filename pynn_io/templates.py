"""Cells of hoc templates as what NEURON builds of them: it is asked in a child process, and only where that is allowed.

A template is a program. Nothing of it is executed in this process, and what comes back are numbers.
"""

from __future__ import annotations

import tempfile
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io import registry
from pynn_io.document import Document
from pynn_io.errors import BackendUnavailable, RunError, SimulationFailed
from pynn_io.graph.biophysics import ChannelDensity, Opaque
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population
from pynn_io.lowering.built_cells import BuiltRows, Inventory, graph_cell
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.job import Job
from pynn_io.runners.launch import FULL_DISK, Listener, run_job
from pynn_io.simulation_plan import SimulationPlan

#: Seconds of wall clock for compiling mechanisms and building one cell of each kind.
TIMEOUT = 1800.0
_BACKEND = "neuron"
_INSPECTOR = "pynn_io.runners.neuron.inspection:TemplateInspector"
_DIALECT = "hoc:"


def built(
    document: Document,
    mechanisms: Sequence[Path],
    report: Report,
    *,
    timeout: float = TIMEOUT,
    progress: Progress = quiet,
) -> tuple[Document, tuple[Path, ...]]:
    """The document with cells of morphology and decor in the place of templates, and the folders of their mechanisms.

    mechanisms: folders of ``.mod`` files, beside those of the circuit. timeout: seconds. Without cells of templates all
    stays as it is.
    EXECUTES the templates, in a child process. Raises BackendUnavailable without NEURON, MissingPart for templates,
    morphologies and mechanisms that are nowhere, RunError and SimulationFailed with NEURON's words where a mechanism
    does not compile or a template fails, and after ``timeout``.
    """
    if not any(_is_template(cell) for cell in document.network.cells.values()):
        return document, tuple(mechanisms)
    backend = registry.find_backend(_BACKEND)
    if not backend.is_installed():
        hint = f"pip install 'pynn_io[{backend.extra}]'"
        raise BackendUnavailable("hoc templates are built by NEURON, which is not installed", hint=hint)
    profile = Profile(mechanisms=tuple(folder.absolute() for folder in mechanisms))
    plan = document.plan or SimulationPlan()
    job = Job(document.network, plan, _INSPECTOR, profile, backend.title, backend.extra, allowed=report.allowed)
    inventory = _inventory(job, report, timeout, progress)
    provenance = {**document.provenance, "templates": backend.version()}
    return replace(document, network=_network(document.network, inventory), provenance=provenance), inventory.folders


def _is_template(cell: object) -> bool:
    return isinstance(cell, CableCell) and (cell.template or "").startswith(_DIALECT)


def _inventory(job: Job, report: Report, timeout: float, progress: Progress) -> Inventory:
    try:
        with tempfile.TemporaryDirectory(prefix="pynn_io-templates-", ignore_cleanup_errors=True) as folder:
            outcome = run_job(job, Path(folder), Listener(progress), timeout=timeout)[0]
    except SimulationFailed as error:
        error.folder = ""  # it is gone
        raise
    except OSError as error:
        raise RunError(f"there is no place for NEURON's own files: {error}", hint=FULL_DISK) from error
    report.include(outcome.report)
    found: object = outcome.results
    if not isinstance(found, Inventory):
        raise RunError("the child process did not say what the templates built")
    return found


def _network(network: Network, inventory: Inventory) -> Network:
    made = [graph_cell(cell, name) for cell, name in zip(inventory.cells, inventory.names, strict=True)]
    names = _unused(inventory.names, network)
    rows: dict[str, list[BuiltRows]] = {}
    for entry in inventory.rows:
        rows.setdefault(entry.population, []).append(entry)
    old: dict[str, Any] = {name: cell for name, cell in network.cells.items() if not _is_template(cell)}
    cells = {name: CableCell(name, decor) for name, (_, decor) in zip(names, made, strict=True)}
    shapes = {name: replace(shape, name=name) for name, (shape, _) in zip(names, made, strict=True)}
    others = any(isinstance(cell, CableCell) for cell in old.values())
    morphologies: Mapping[str, Morphology] = ChainMap(shapes, network.morphologies) if others else shapes  # type: ignore[arg-type]
    channels = {
        entry.item.channel: Opaque("nmodl", entry.item.channel)
        for cell in cells.values()
        for entry in cell.decor
        if isinstance(entry.item, ChannelDensity)
    }
    populations = {
        name: _population(population, rows[name], names) if name in rows else population
        for name, population in network.populations.items()
    }
    return replace(
        network,
        populations=populations,
        cells={**old, **cells},
        channels={**channels, **network.channels},
        morphologies=morphologies,
    )


def _unused(names: Sequence[str], network: Network) -> list[str]:
    """The names, changed where a cell or a morphology that stays has one of them."""
    taken = {name for name, cell in network.cells.items() if not _is_template(cell)} | set(network.morphologies)
    found = []
    for name in names:
        while name in taken:
            name = f"{name}_built"
        taken.add(name)
        found.append(name)
    return found


def _population(population: Population, built_rows: Sequence[BuiltRows], names: Sequence[str]) -> Population:
    """The population with a type for every kind of cell that was built."""
    code = np.full(population.size, -1, dtype=np.int64)
    for entry in built_rows:
        code[entry.rows] = entry.code
    pairs = np.stack([population.type_index.read(population.size), code], axis=1)
    kinds, index = np.unique(pairs, axis=0, return_inverse=True)
    cells = population.cells
    named = [names[made] if made >= 0 else cells[row] for row, made in kinds.tolist()]
    types = population.types.take(kinds[:, 0]).updated({"cell": text_column(named)})
    return replace(
        population,
        types=_without(types, "morphology", kinds[:, 1] >= 0),
        type_index=Column(index.reshape(-1)),
        table=_without(population.table, "morphology", code >= 0),
    )


def _without(table: Table, name: str, rows: np.ndarray) -> Table:
    """The table without the values of some rows (bool) in a column; without the column where none is left."""
    if name not in table:
        return table
    values = table.read(name)
    mask = np.ma.getmaskarray(values) | rows
    kept = None if mask.all() else table[name].with_data(np.ma.array(np.ma.getdata(values), mask=mask))
    return table.updated({name: kept})
