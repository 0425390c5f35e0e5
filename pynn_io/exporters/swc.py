"""Morphologies as SWC files: what SWC has a place for exactly, the rest by name in the report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.formats.swc import SwcRecord, write_swc
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import GROUP_OF_TAG, LazyMorphologies, Morphology, sections
from pynn_io.graph.network import Network
from pynn_io.graph.point_writer import Written, to_points
from pynn_io.graph.points import Points, from_points
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

SUFFIX = ".swc"


def write(document: Document, dest: Path, report: Report, *, progress: Progress = quiet, **options: Any) -> None:
    """Write every morphology of the network: ``<name>.swc`` in the folder ``dest``, or one file if dest ends in .swc.

    Raises WriteError if there is no morphology, or several for one file.
    """
    network, dest = document.network, Path(dest)
    stored = network.morphologies
    missing = set(stored.missing()) if isinstance(stored, LazyMorphologies) else set()
    names = [name for name in stored if name not in missing]
    report.lost(
        "missing-morphology", "morphologies", "the file is not there", count=len(missing), examples=sorted(missing)
    )
    single = dest.suffix.lower() == SUFFIX
    if not names:
        hint = "SWC is for networks with cable cells whose morphology files are there"
        raise WriteError("there is no morphology to write", where=dest, hint=hint)
    if single and len(names) > 1:
        raise WriteError(
            f"{len(names)} morphologies do not fit in one file", where=dest, hint="give a folder as target"
        )
    comments = document.provenance.get("comments", ()) if len(names) == 1 else ()
    paths = {names[0]: dest} if single else _paths(names, dest, report)
    for done, (name, path) in enumerate(paths.items(), 1):
        write_morphology(stored[name], path, report, comments=comments)
        progress("morphologies", done, len(paths))
    _report_network(network, report)
    if document.plan is not None:
        report.lost("plan", document.plan.name, "SWC has no place for what to run on a cell")


def write_morphology(morphology: Morphology, path: Path, report: Report, *, comments: Iterable[str] = ()) -> None:
    """Write one morphology as an SWC file and report what SWC cannot say. Raises WriteError."""
    written = to_points(morphology)
    points = written.points
    line = np.zeros(len(points.id), dtype=np.int64)
    write_swc(path, SwcRecord(points.id, points.tag, points.position, points.radius, points.parent, line), comments)
    _report_geometry(morphology, written, report)
    groups = [name for name, rows in morphology.groups.items() if not _follows_tags(morphology, name, rows)]
    message = "segment groups that are not the tags of SWC (soma, axon, dend, apic) have no place in it"
    report.lost("segment-groups", f"morphology {morphology.name}", message, count=len(groups), examples=groups)


def _report_geometry(morphology: Morphology, written: Written, report: Report) -> None:
    where = f"morphology {morphology.name}"
    told = (
        (written.moved, "on-a-sphere", "begin elsewhere on the soma than SWC can say, which is its middle"),
        (written.joined, "gap", "begin apart from their parent; SWC has a piece of membrane there that leads to them"),
        (written.stepped, "diameter-step", "begin with another diameter than their parent has there, and taper in SWC"),
    )
    for rows, code, words in told:
        examples = [f"segment {morphology.id[row]}" for row in rows[:5]]
        report.approximated(f"swc-{code}", where, f"segments {words}", count=len(rows), examples=examples)
    message = "segments have a point more in SWC, where another begins inside them; the geometry is the same"
    report.expanded("swc-split", where, message, count=len(written.split))
    if written.renumbered:
        report.expanded("swc-renumbered", where, "points are numbered 1, 2, 3 ..., not as the segments were")
    again = sections(from_points(morphology.name, Points(*written.points)))
    merged = sections(morphology).size - again.size
    if merged > 0 and len(morphology.cuts):
        message = "sections continue their parent without a branch or change of type, and are one with it in SWC"
        report.approximated("swc-sections", where, message, count=merged)


def _follows_tags(morphology: Morphology, name: str, rows: np.ndarray) -> bool:
    """Whether a group says no more than the tags do."""
    if name == "all":
        return len(rows) == morphology.size
    tag = next((tag for tag, group in GROUP_OF_TAG.items() if group == name), None)
    return tag is not None and np.array_equal(rows, np.flatnonzero(morphology.tag == tag))


def _report_network(network: Network, report: Report) -> None:
    """Name what is not a morphology."""
    lone = len(network.populations) == 1 and sum(each.size for each in network.populations.values()) == 1
    if not lone:
        for name, population in network.populations.items():
            message = "SWC has no populations: the shapes of cells are written, not which or how many there are"
            report.lost("population", f"population {name}", message, count=population.size)
    for name, projection in network.projections.items():
        report.lost("projection", f"projection {name}", "SWC has no connections", count=projection.size)
    for name, cell in network.cells.items():
        if not isinstance(cell, CableCell):
            report.lost("cell", "cells", "SWC has no cells without a morphology", examples=[name])
        elif cell.decor:
            message = "what is on the membrane has no place in SWC"
            report.lost("decor", "cells", message, count=len(cell.decor), examples=[name])
        if isinstance(cell, CableCell) and cell.processing:
            message = "model_processing is not applied: the morphology is written as in its file"
            report.lost("model-processing", "cells", message, examples=[f"{name}: {', '.join(cell.processing)}"])
    for kind, items in (("channel", network.channels), ("synapse", network.synapses), ("node-set", network.node_sets)):
        for name in items:
            report.lost(kind, f"{kind} {name}", f"SWC has no {kind.replace('-', ' ')}s")
    for name in network.extra:
        report.lost("extra", f"extra {name}", "SWC has no place for it")


def _paths(names: list[str], folder: Path, report: Report) -> dict[str, Path]:
    """A file for every name, none outside the folder, none twice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder: {error.strerror or error}", where=folder) from error
    paths: dict[str, Path] = {}
    taken: set[str] = set()
    for name in names:
        safe = (
            "".join("_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in name).strip(". ") or "_"
        )
        stem, number = safe, 1
        while stem.lower() in taken:
            number += 1
            stem = f"{safe}_{number}"
        taken.add(stem.lower())
        if stem != name:
            report.approximated("file-name", f"morphology {name}", f"is in the file {stem}{SUFFIX}")
        paths[name] = folder / f"{stem}{SUFFIX}"
    return paths
