"""SONATA circuits, of Allen's and of the OBI dialect, with or without a simulation -> `Document`.

What is read: the configuration (`formats.sonata_config`), node and edge files of every dialect
(`formats.sonata_tables`), types files, component files. What is not: whatever the report lists as NOT_READ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.document import Document, name_of
from pynn_io.errors import ReadError
from pynn_io.formats.sonata_config import load
from pynn_io.formats.sonata_neuroml import KEY
from pynn_io.graph.network import Network
from pynn_io.importers.sonata_context import Context, absolute, leftover, take
from pynn_io.importers.sonata_edges import EdgeSets, read_edges
from pynn_io.importers.sonata_neuroml import as_neuroml, kept_beside
from pynn_io.importers.sonata_nodes import Nodes, read_nodes
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SimulationPlan
from pynn_io.simulation_plan.sonata import read_plan

_CIRCUIT = (
    "networks",
    "components",
    "manifest",
    "node_sets",
    "node_sets_file",
    "target_simulator",
    "target_simulator_version",
    "version",
    "metadata",
)


def read(source: Path, report: Report, *, progress: Progress = quiet) -> Document:
    """Read a SONATA circuit.

    source: a circuit config, a simulation config, a file that joins both, BMTK's all-in-one file, or a folder that
        holds exactly one of these.
    Raises FormatError (no or several configurations in the folder), ReadError (with ``file:line``, ``file:/h5/path``
    or the configuration key) for whatever is broken or missing, and PlanError for a malformed simulation.
    """
    config = load(Path(source), report)
    context = Context(config, report, progress, dict.fromkeys(config.files))
    leftover(report, config.circuit_path, take(config.circuit, _CIRCUIT), "keys of the circuit configuration")
    nodes, edges = Nodes(), EdgeSets()
    networks, kept = _networks(context), kept_beside(context)
    enabled = _entries(context, networks, "nodes")
    for done, (place, entry) in enumerate(enabled):
        read_nodes(context, entry, place, nodes)
        progress("reading nodes", done + 1, len(enabled))
    if not nodes.populations:
        raise ReadError(
            "the circuit is empty: 'networks.nodes' names no node population",
            where=config.circuit_path,
            hint='add {"nodes_file": ...} entries under "networks", or give another configuration',
        )
    enabled = _entries(context, networks, "edges", hidden=kept is not None)
    for done, (place, entry) in enumerate(enabled):
        read_edges(context, entry, place, nodes, edges)
        progress("reading edge types", done + 1, len(enabled))
    network = _network(context, nodes, edges)
    document = Document(network, _plan(context, network), _provenance(context, Path(source), network))
    if kept is None:
        return document
    document = as_neuroml(document, kept, context)
    return replace(document, provenance=_provenance(context, Path(source), network))


def _networks(context: Context) -> Mapping[str, Any]:
    networks = context.config.circuit.get("networks")
    where = context.config.circuit_path
    if not isinstance(networks, Mapping):
        status = (context.config.circuit.get("metadata") or {}).get("status")
        reason = f" (its metadata say {status})" if status else ""
        raise ReadError(
            f"the circuit is empty: there is no 'networks'{reason}",
            where=where,
            hint='a circuit needs "networks": {"nodes": [...], "edges": [...]}',
        )
    leftover(context.report, where, take(networks, ("nodes", "edges")), "keys of 'networks'")
    return networks


def _entries(
    context: Context, networks: Mapping[str, Any], kind: str, *, hidden: bool = False
) -> list[tuple[str, Mapping[str, Any]]]:
    """The entries that are switched on, each with its place in the configuration.

    hidden: those that are switched off since only a reader of NeuroML knows what they are, too.
    """
    entries = networks.get(kind) or []
    path = context.config.circuit_path
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ReadError(f"'networks.{kind}' must be a list of objects", where=path)
    found = []
    for number, entry in enumerate(entries):
        place = f"networks.{kind}[{number}]"
        if str(entry.get("enabled", True)).lower() == "false" and not (hidden and entry.get(KEY)):
            context.report.not_read(
                "disabled",
                path,
                "files that the configuration disables ('enabled': false) were left out",
                examples=[entry.get(f"{kind}_file", place)],
            )
            continue
        found.append((place, entry))
    return found


def _network(context: Context, nodes: Nodes, edges: EdgeSets) -> Network:
    config = context.config
    simulator = config.circuit.get("target_simulator")
    extra: dict[str, Any] = {"sonata": _sonata(context, nodes, edges)}
    if simulator:
        extra["target_simulator"] = simulator
    return Network(
        name_of(config.circuit_path),
        populations=nodes.populations,
        projections=edges.projections,
        cells=nodes.cells,
        synapses=edges.synapses,
        channels=nodes.channels,
        morphologies=nodes.morphologies.lazy(context.report),
        node_sets=config.node_sets[1],
        extra=extra,
    )


def _dialect(nodes: Nodes, edges: EdgeSets) -> str:
    """The circuit's dialect. Node files cannot tell ``aibs`` from ``spec-0.1``, so edge files decide between these."""
    found = nodes.dialects | edges.dialects
    if "aibs-legacy" in found:
        return "aibs-legacy"
    if found == {"obi"} or any(info["properties"] for info in nodes.info.values()):
        return "obi"
    return next((name for name in ("aibs", "spec-0.1") if name in (edges.dialects or found)), "aibs")


def _sonata(context: Context, nodes: Nodes, edges: EdgeSets) -> dict[str, Any]:
    """What a writer of the same format keeps: `Network.extra["sonata"]`."""
    config = context.config
    circuit = config.circuit
    return {
        "dialect": _dialect(nodes, edges),
        "config": config.circuit_path,
        "components": {
            name: {"path": absolute(value, folder), "text": raw}
            for name, (value, raw, folder) in config.components.items()
        },
        "manifest": dict(config.raw_circuit.get("manifest") or {}),
        **{
            key: circuit[key]
            for key in ("target_simulator", "target_simulator_version", "version", "metadata")
            if key in circuit
        },
        "node_sets_file": config.node_sets[0].name if config.node_sets[0] else None,
        "nodes": nodes.info,
        "edges": edges.info,
    }


def _plan(context: Context, network: Network) -> SimulationPlan | None:
    config = context.config
    if config.simulation is None or config.simulation_path is None:
        return None
    return read_plan(
        config.simulation,
        where=config.simulation_path,
        base=config.simulation_path.parent,
        network=network,
        report=context.report,
    )


def _provenance(context: Context, source: Path, network: Network) -> dict[str, Any]:
    return {
        "format": "sonata",
        "dialect": network.extra["sonata"]["dialect"],
        "source": str(source),
        "files": tuple(str(path) for path in context.files),
    }
