"""What a PyNN script says otherwise than the network: PyNN has one model a population, and names of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER, is_extra
from pynn_io.graph.sections import SPECIFICATION
from pynn_io.lowering.pynn import Cells, Connections
from pynn_io.lowering.receptors import type_text
from pynn_io.report import Report
from pynn_io.vocabulary.models import NOT_PARAMETERS

_AXES = ("x", "y", "z")


def tell_of_cells(network: Network, cells: Sequence[Cells], report: Report) -> None:
    """Populations that are several, ids, places, and parameters under other names or at another level."""
    for name, population in network.populations.items():
        mine = [item for item in cells if item.population == name]
        if not mine:
            continue
        where = f"population {name}"
        if len(mine) > 1:
            message = "PyNN's populations have one model each: this one is several, named after their models."
            report.approximated("split-population", where, message, examples=[item.label for item in mine])
        moved = sum(int(np.count_nonzero(item.ids != np.arange(item.size))) for item in mine)
        message = "PyNN numbers cells itself, from 0 in every population."
        report.lost("ids", where, message, count=moved, examples=["id"])
        unplaced = [axis for axis in _AXES if population.column(axis) is None]
        message = f"PyNN gives every cell a place: {', '.join(unplaced)} are its own."
        report.expanded("positions", where, message, count=len(unplaced) and population.size)
        _tell_of_parameters(network, population, mine, report, where)
        kept = {"id", "cell", *_AXES}
        others = [name for name in dict.fromkeys([*population.types, *population.table]) if name not in kept]
        others = [name for name in others if not name.startswith(PARAMETER) and not is_extra(name)]
        message = "It orders the rows of a file, and PyNN has none."
        report.expanded("file-column", where, message, count=len(others), examples=others)


def _tell_of_parameters(
    network: Network, population: Population, mine: Sequence[Cells], report: Report, where: str
) -> None:
    definitions = [network.cells[name] for name in population.cells]
    before = {name for item in definitions for name in getattr(item, "parameters", ())}
    columns = [*population.types, *population.table]
    before |= {name.removeprefix(PARAMETER) for name in columns if name.startswith(PARAMETER)}
    after = {name: value for item in mine for name, value in (*item.parameters.items(), *item.initial.items())}
    renamed = {getattr(item, "model", "") for item in definitions} ^ {item.model for item in mine if not item.is_source}
    changed = before ^ after.keys()
    if len(definitions) > 1:  # definitions of one model are one population, and differ from cell to cell
        changed |= {name for name, value in after.items() if isinstance(value, np.ndarray)}
    message = (
        f"It is of PyNN's {', '.join(sorted({item.model for item in mine}))}, all of whose parameters are stated, for "
        f"all cells or cell by cell: {', '.join(sorted(changed))}."
    )
    told = changed and (renamed or len(definitions) > 1 or not before <= after.keys())
    report.expanded("pynn-parameters", where, message, count=population.size if told else 0)


def tell_of_edges(
    network: Network, cells: Iterable[Cells], made: Sequence[Connections], labels: Mapping[str, str], report: Report
) -> None:
    """Projections that are several, or under another name; receptors, units, and the order of edges.

    labels: what each of ``made`` is called in the script.
    """
    units = {item.label: item for item in cells}
    for name, projection in network.projections.items():
        pieces = [item for item in made if item.projection == name]
        where = f"projection {name}"
        if not projection.size:
            report.lost("empty-projection", where, "A projection without connections is not written.")
        called = [labels[item.label] for item in pieces]
        if len(pieces) > 1:
            message = "PyNN's projections have one synapse type and one receptor each: this one is several."
            report.approximated("split-projection", where, message, examples=[*called, "size"])
        elif called and called != [name]:
            report.expanded("label", where, "The script names it otherwise.", examples=called)
        _tell_of_synapses(projection, pieces, units, report, where)
        stated = {key for synapse in projection.synapses for key in network.synapses[synapse].parameters}
        keys = sorted(stated & NOT_PARAMETERS)
        message = "It stands in files of a circuit, and is no parameter of a synapse."
        report.expanded("file-key", where, message, count=len(keys), examples=keys)
        if projection.section_order != SPECIFICATION:
            message = "Cells without extent have no sections that a section_order could count."
            report.expanded("section-order", where, message)


def in_order(edges: Connections, report: Report) -> Connections:
    """By target, then source: as PyNN makes them, whatever the order of a list (EXPANDED where that is another)."""
    order = np.lexsort((edges.source, edges.target))
    moved = int(np.count_nonzero(order != np.arange(edges.size)))
    message = "PyNN makes connections in the order of their targets, then sources."
    where = f"projection {edges.projection}"
    report.expanded("edge-order", where, message, count=moved, examples=["source", "target"])
    columns = {name: values[order] for name, values in edges.columns.items()}
    return replace(edges, source=edges.source[order], target=edges.target[order], columns=columns)


def _tell_of_synapses(
    projection: Projection, pieces: Sequence[Connections], cells: Mapping[str, Cells], report: Report, where: str
) -> None:
    stated = {"receptor"} & {*projection.types, *projection.edges.columns}
    if not stated and any(item.receptor != "default" for item in pieces):
        message = "PyNN's projections name their receptor, which the sign of the weight chose."
        report.expanded("receptor", where, message)
    units = {type_text(projection, "weight_unit", row) for row in range(projection.types.size)}
    wanted = {cells[item.post].weight_unit for item in pieces} - units
    message = f"PyNN's weights are in {', '.join(sorted(wanted))}: weight_unit and weight change."
    report.expanded("weight-unit", where, message, count=projection.size if wanted else 0)
