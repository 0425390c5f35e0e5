"""Edge populations -> edge files, edge types and edge indices, streamed in blocks.

No Python object is made for an edge: a block of every column is read, changed as a whole where the dialect asks for it,
and appended to a dataset of known size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import h5py
import numpy as np

from pynn_io.exporters.sonata_components import Components
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_edge_columns import edge_columns
from pynn_io.exporters.sonata_edge_stream import EdgeStream
from pynn_io.exporters.sonata_nodes import WrittenNodes
from pynn_io.exporters.sonata_sections import SectionMap, section_map
from pynn_io.exporters.sonata_types import Types, give_ids, types_of
from pynn_io.exporters.sonata_weights import OWN_MODEL, Strength, strength_of
from pynn_io.formats.sonata_write import population_group, write_indices
from pynn_io.graph.columns import Table
from pynn_io.graph.morphology import AXON_REPLACED, SPECIFICATION
from pynn_io.graph.network import Network, Projection
from pynn_io.progress import Progress
from pynn_io.report import Report

#: Column of the graph -> what SONATA calls it (PyNN's ``export_to_sonata`` writes it so).
_NAMES = {"receptor": "receptor_type"}
#: The order of sections that a reader takes for granted.
_IMPLIED = {"": "", "allen": AXON_REPLACED, "obi": SPECIFICATION}


@dataclass(frozen=True, slots=True)
class WrittenEdges:
    """What the configuration needs of a projection: its types CSV and the type it has for OBI."""

    projection: Projection
    types: dict[str, list[object]]
    obi_type: str


def write_edges(
    file: h5py.File,
    projection: Projection,
    network: Network,
    dialect: Dialect,
    components: Components,
    ends: tuple[WrittenNodes, WrittenNodes],
    report: Report,
    progress: Progress,
    *,
    foreign: bool,
) -> WrittenEdges:
    """Write ``/edges/<projection>`` into an open file.

    ends: the populations of its sources and targets. foreign: the source is no SONATA circuit of this dialect, so a
    reader could not know its weights' units without being told.
    """
    where = f"projection {projection.name}"
    projection = _with_names_of_sonata(projection)
    group = population_group(file, "edges", projection.name)
    strength = strength_of(projection, network, dialect, where, report)
    types = _types(projection, dialect, components, strength, where, report, foreign=foreign)
    maps, order = _section_maps(projection, network, dialect, components, where, report)
    if order != _IMPLIED[dialect.name] or any(name.endswith("_section_id") for name in projection.edges.columns):
        group.attrs["section_order"] = order
    if dialect.name == "obi":
        _report_models(projection, network, strength, where, report)
    columns = edge_columns(projection, network, dialect, types, strength, where, report)
    EdgeStream(group, projection, dialect, types, columns, maps, ends, where, report).write(progress)
    write_indices(
        group,
        group["source_node_id"],
        group["target_node_id"],
        ends[0].id_space,
        ends[1].id_space,
        specification=dialect.name != "allen",
        alias=dialect.name != "obi",
    )
    return WrittenEdges(projection, types.records("edge_type_id") if dialect.types else {}, strength.obi_type)


def _with_names_of_sonata(projection: Projection) -> Projection:
    """The projection with its ``receptor`` under the name that SONATA files give it, ``receptor_type``."""

    def named(table: Table) -> Table:
        return Table(table.size, {_NAMES.get(name, name): column for name, column in table.items()})

    edges = replace(projection.edges, columns=named(projection.edges.columns))
    return replace(projection, types=named(projection.types), edges=edges)


# --- types --------------------------------------------------------------------------------------------------------


def _types(
    projection: Projection,
    dialect: Dialect,
    components: Components,
    strength: Strength,
    where: str,
    report: Report,
    *,
    foreign: bool,
) -> Types:
    attributes = [components.synapse(name) for name in projection.synapses]
    skip = ["synapse", *(["weight_unit"] if not foreign or dialect.name == "obi" else [])]
    types = types_of(projection.types, attributes, skip)
    if "weight" in types.columns:
        scale = (strength.scale if strength.scale is not None else np.ones(types.size)).tolist()
        scaled = [
            v if v is None or s == 1 else float(v * s) for v, s in zip(types.columns["weight"], scale, strict=True)
        ]
        types.columns = {
            (strength.name if name == "weight" else name): (scaled if name == "weight" else values)
            for name, values in types.columns.items()
        }
    if "weight_unit" in types.columns and strength.scale is not None:
        types.columns["weight_unit"] = [strength.unit] * types.size
    if projection.kind == "electrical" and dialect.types:
        types.columns["is_gap_junction"] = [True] * types.size
    elif projection.kind not in ("chemical", "electrical") and dialect.name == "allen":
        report.approximated(
            "projection-kind",
            where,
            f"the Allen dialect knows synapses and gap junctions; this {projection.kind} projection is written as "
            "edges like any other, and no simulator of it gives them their meaning",
            examples=["kind", projection.kind],
        )
    if dialect.types:
        give_ids(types, where, report)
    return types


def _report_models(projection: Projection, network: Network, strength: Strength, where: str, report: Report) -> None:
    models = dict.fromkeys(network.synapses[name].model for name in projection.synapses)
    left = [model for model in models if model not in ("", "static")]
    if strength.obi_type not in OWN_MODEL and left:
        report.approximated(
            "synapse-model",
            where,
            "the OBI dialect says by a projection's type what its synapses are, and has no type for these; the name is "
            f"in the column model_template, which its tools do not read: model {', '.join(left)}",
            count=max(projection.size, 1),
            examples=left,
        )


# --- sections -----------------------------------------------------------------------------------------------------


def _section_maps(
    projection: Projection,
    network: Network,
    dialect: Dialect,
    components: Components,
    where: str,
    report: Report,
) -> tuple[dict[str, tuple[str, SectionMap]], str]:
    """``(column -> (end of the edge, map), the order that is written)``. Templates of ours keep their axon."""
    source, target = projection.section_order, dialect.section_order or projection.section_order
    columns = [name for name in ("afferent_section_id", "efferent_section_id") if name in projection.edges.columns]
    ends = [network.populations[name] for name in (projection.pre, projection.post)]
    if source == target or not columns or any(components.counts_sections(end) for end in ends):
        return {}, source
    maps: dict[str, tuple[str, SectionMap]] = {}
    for name in columns:
        end, population = ("target", projection.post) if name.startswith("aff") else ("source", projection.pre)
        made = section_map(network.populations[population], network, source, target, where, report)
        if made is None:
            return {}, source
        maps[name] = (end, made)
    report.expanded(
        "section-order",
        where,
        f"sections are counted in the order {target} here: {', '.join(columns)} and section_order changed",
        count=max(projection.size, 1),
    )
    return maps, target
