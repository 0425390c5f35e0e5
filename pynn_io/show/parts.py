"""Morphologies, node sets and files of a document, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import PynnIOError
from pynn_io.graph.cells import CableCell
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.graph.sections import section_counts
from pynn_io.graph.segments import areas, lengths
from pynn_io.show.summary import Range

#: SWC's structure identifiers in words.
TAG_NAMES: Mapping[int, str] = {
    0: "undefined",
    1: "soma",
    2: "axon",
    3: "basal dendrite",
    4: "apical dendrite",
}


@dataclass(frozen=True, slots=True)
class MorphologiesSummary:
    """total: morphologies that the network knows; used: those that cells name; missing: whose file is not there."""

    total: int
    used: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagSummary:
    """All segments of one structure: count, sections, length (um), lateral area (um2), diameters (um)."""

    tag: int
    name: str
    segments: int
    sections: int
    length: float
    area: float
    diameter: Range


@dataclass(frozen=True, slots=True)
class MorphologySummary:
    """low, high: corners of the bounding box, um."""

    name: str
    soma_kind: str
    segments: int
    tags: tuple[TagSummary, ...]
    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class NodeSetSummary:
    """sizes: cells by population; problem: why the set cannot be resolved, else empty."""

    name: str
    sizes: Mapping[str, int]
    problem: str = ""


def morphologies_summary(network: Network) -> MorphologiesSummary | None:
    """Counts over the network, reading no morphology; None where no cell has one."""
    used = used_morphologies(network)
    known = network.morphologies
    if not used and not known:
        return None
    missing = getattr(known, "missing", None)
    gone = {str(name) for name in missing()} if missing is not None else set()
    gone |= {name for name in used if name not in known}
    return MorphologiesSummary(len(known), len(used), tuple(sorted(gone)))


def used_morphologies(network: Network) -> dict[str, int]:
    """How many cells bear each morphology, by name, in order of the populations."""
    used: dict[str, int] = {}
    for population in network.populations.values():
        column = population.column("morphology")
        if column is not None and column.levels is not None:
            codes = np.ma.compressed(np.ma.array(column.read(population.size)))
            for name, count in zip(
                column.levels, np.bincount(codes, minlength=len(column.levels)).tolist(), strict=True
            ):
                if count:
                    used[name] = used.get(name, 0) + count
        counts = np.bincount(population.type_index.read(population.size), minlength=population.types.size).tolist()
        for name, count in zip(population.cells, counts, strict=True):
            cell = network.cells.get(name)
            if isinstance(cell, CableCell) and cell.morphology and count:
                used[cell.morphology] = used.get(cell.morphology, 0) + count
    return used


def morphology_summary(morphology: Morphology) -> MorphologySummary:
    """Sections, lengths, areas and bounding box of one morphology."""
    start, end = morphology.proximal, morphology.distal
    length, area = lengths(morphology), areas(morphology)
    counts = section_counts(morphology)
    tags = []
    for tag in np.unique(morphology.tag).tolist():
        of_tag = morphology.tag == tag
        widths = np.concatenate([start[of_tag, 3], end[of_tag, 3]])
        tags.append(
            TagSummary(
                tag,
                TAG_NAMES.get(tag, f"structure {tag}"),
                int(of_tag.sum()),
                counts.get(tag, 0),
                float(length[of_tag].sum()),
                float(area[of_tag].sum()),
                Range(float(widths.min()), float(widths.max()), "um"),
            )
        )
    points = np.concatenate([start, end])
    half = points[:, 3:] / 2
    low, high = (points[:, :3] - half).min(axis=0), (points[:, :3] + half).max(axis=0)
    corners = tuple(low.tolist()), tuple(high.tolist())
    return MorphologySummary(morphology.name, str(morphology.soma_kind), morphology.size, tuple(tags), *corners)


def node_set_summaries(document: Document) -> Iterator[NodeSetSummary]:
    """Every node set of circuit and simulation with its resolved size in each population."""
    from pynn_io.graph.node_sets import resolve

    network = document.network
    sets = {**network.node_sets, **(document.plan.node_sets if document.plan else {})}
    for name in sets:
        try:
            selected = resolve(name, network, sets)
        except PynnIOError as error:
            yield NodeSetSummary(name, {}, error.message)
            continue
        yield NodeSetSummary(name, {population: len(rows) for population, rows in selected.items() if len(rows)})


def file_sizes(document: Document, source: Path) -> list[tuple[Path, int]]:
    """Files that the document was read from, as far as it says, with their sizes; the largest first."""
    named = document.provenance.get("files") or ()
    paths = {Path(path).resolve() for path in named} | ({source.resolve()} if source.is_file() else set())
    if source.is_dir() and not named:
        paths |= {path.resolve() for path in source.rglob("*") if path.is_file()}
    found = [(path, path.stat().st_size) for path in paths if path.is_file()]
    return sorted(found, key=lambda item: (-item[1], item[0]))
