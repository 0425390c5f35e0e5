"""The NeuroML beside a SONATA circuit: a document with the definitions, and what the tables do not say of edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from pynn_io.document import Document
from pynn_io.exporters import neuroml
from pynn_io.formats.sonata_neuroml import COMPONENT, FILE, KEY, Beside, ProjectionForm, digest_of
from pynn_io.formats.sonata_write import write_json
from pynn_io.graph.cells import CableCell, SpikeSource
from pynn_io.graph.columns import text_column
from pynn_io.graph.network import Network, Population
from pynn_io.graph.stimuli import ComponentInput
from pynn_io.report import Report

_SCHEME = "neuroml:"


def definitions_of(document: Document) -> Document:
    """The document without what the circuit's own tables and configuration hold."""
    network, plan = document.network, document.plan
    words = dict(network.extra.get("neuroml", {}))
    inputs = dict(words.get("inputs", {}))
    for stimulus in plan.stimuli if plan is not None else ():
        if isinstance(stimulus.what, ComponentInput):
            inputs[stimulus.what.component.id] = stimulus.what.component
    used = {name for population in network.populations.values() for name in population.cells}
    cells = {name: cell for name, cell in network.cells.items() if name not in used or not _replayed(cell)}
    bare = replace(
        network,
        populations=MappingProxyType({}),
        projections=MappingProxyType({}),
        cells=cells,
        extra={"neuroml": {**words, "inputs": inputs}},
    )
    return Document(bare, None, {"format": "neuroml"})


def _replayed(cell: object) -> bool:
    return isinstance(cell, SpikeSource) and cell.model == "SpikeSourceArray"


def with_components(network: Network, source: Network, synapses: Mapping[str, tuple[str, ...]]) -> Network:
    """The network with a column in its types that names each type's component. source: as it was."""
    populations = {name: _with_cells(each, source) for name, each in network.populations.items()}
    projections = {}
    for name, projection in network.projections.items():
        if name in synapses:
            column = text_column(synapses[name], extra=True)
            projection = replace(projection, types=projection.types.updated({COMPONENT: column}))
        projections[name] = projection
    return replace(network, populations=populations, projections=projections)


def _with_cells(population: Population, source: Network) -> Population:
    names = [name if _is_component(source.cells[name]) else None for name in population.cells]
    if not any(names):
        return population
    return replace(population, types=population.types.updated({COMPONENT: text_column(names, extra=True)}))


def _is_component(cell: object) -> bool:
    if isinstance(cell, CableCell):
        return cell.template is None and not cell.processing
    if isinstance(cell, SpikeSource):
        return not _replayed(cell)
    return str(getattr(cell, "model", "")).startswith(_SCHEME)


def write_beside(
    definitions: Document, projections: Mapping[str, ProjectionForm], components: Path, report: Report
) -> str:
    """Write the document and ``circuit.json`` once all other components are there; what the configuration calls it.

    components: their folder.
    """
    said = Report()
    digests = {
        path.relative_to(components).as_posix(): digest_of(path)
        for path in sorted(components.rglob("*"))
        if path.is_file()
    }
    folder = components / KEY
    neuroml.write(definitions, folder, said)
    for issue in said:
        report.add(issue.code, issue.kind, f"{KEY} {issue.where}", issue.message, examples=issue.examples)
    document = f"{neuroml.stem_of(definitions.network)}.nml"
    write_json(folder / FILE, Beside(document, projections, digests).as_dict())
    _report_words(definitions.network, report)
    return f"{KEY}/{FILE}"


def _report_words(network: Network, report: Report) -> None:
    """What NeuroML says of a network and where its populations may stand has no place in tables."""
    words = network.extra.get("neuroml", {})
    left = [name for name in ("network", "spaces") if name in words or name in words.get("about", {})]
    left += words.get("populations", {})
    message = "Notes, annotations, layouts and spaces of a network have no place in SONATA's tables."
    report.lost("words", "network", message, count=len(left), examples=left)
