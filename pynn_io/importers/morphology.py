"""Morphology files (SWC, Neurolucida ASC, HDF5) into the graph, alone or as the morphologies of a circuit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import FormatError, ReadError
from pynn_io.formats.h5_morphology import morphology_names, read_h5
from pynn_io.formats.neurolucida import read_asc
from pynn_io.formats.section_record import SectionRecord
from pynn_io.formats.swc import SwcRecord, read_swc
from pynn_io.graph.cells import CableCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.contour import contour_stack
from pynn_io.graph.morphology import LazyMorphologies, Morphology, SomaKind, Tag, sections
from pynn_io.graph.network import Network, Population
from pynn_io.graph.points import Points, from_points
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

SUFFIXES = (".swc", ".asc", ".h5")


def read(source: Path, report: Report, *, progress: Progress = quiet, **options: Any) -> Document:
    """A lone morphology as a network of one cable cell; of a container, one cell of its own type for each.

    Raises ReadError, and FormatError for a suffix that is not one of `SUFFIXES`.
    """
    source = Path(source)
    names = morphology_names(source) if source.suffix.lower() == ".h5" else ()
    comments: tuple[str, ...] = ()
    if names:
        paths = dict.fromkeys(names, source)
        morphologies: Any = LazyMorphologies(paths, lambda path, name: morphology_from_file(path, report, name))
    elif source.suffix.lower() == ".swc":
        record = read_swc(source)
        comments = record.comments
        morphologies = {source.stem: _from_swc(source.stem, record, source, report)}
    else:
        morphologies = {source.stem: morphology_from_file(source, report)}
    progress("morphologies", len(morphologies), len(morphologies))
    cells = list(morphologies)
    population = Population(
        source.stem,
        len(cells),
        Table(len(cells), {"cell": text_column(cells)}),
        Column(0) if len(cells) == 1 else Column(np.arange(len(cells))),
        Table(len(cells)),
    )
    network = Network(
        source.stem,
        populations={source.stem: population},
        cells={name: CableCell(morphology=name) for name in cells},
        morphologies=morphologies,
    )
    provenance = {"format": source.suffix.lower().lstrip("."), "source": source}
    return Document(network, provenance=provenance | ({"comments": comments} if comments else {}))


def morphology_from_file(path: Path, report: Report | None = None, name: str | None = None) -> Morphology:
    """The morphology in a file, by its suffix (.swc, .asc, .h5).

    name: by default the file's stem; in a container it says which morphology is meant.
    Raises ReadError (broken or missing file), FormatError (another suffix).
    """
    path, report = Path(path), Report() if report is None else report
    title, suffix = name or path.stem, path.suffix.lower()
    if suffix == ".swc":
        return _from_swc(title, read_swc(path), path, report)
    if suffix == ".asc":
        record = read_asc(path)
    elif suffix == ".h5":
        record = read_h5(path, title)
    else:
        hint = f"a morphology is a file with one of the suffixes {' '.join(SUFFIXES)}"
        raise FormatError(f"{suffix or 'no suffix'!r} is not a morphology format", where=path, hint=hint)
    for what, count in record.ignored.items():
        report.not_read("asc-item", path, f"{what}: not part of a morphology's geometry", count=count)
    return _checked(_from_sections(title, record, path, report), path, report)


def _from_swc(name: str, record: SwcRecord, path: Path, report: Report) -> Morphology:
    """An SWC soma means what `pynn_io.graph.points` says."""
    flat = record.radius == 0
    if flat.any():
        on_soma = record.tag[flat] == Tag.SOMA
        message = "points with radius 0, kept so: there is no membrane between two of them"
        if on_soma.any() and flat[record.tag == Tag.SOMA].all():
            message = (
                "the soma's points all have radius 0, kept so: they look like an outline, which SWC cannot state, and "
                "the soma has no membrane; use the file that the outline came from (ASC or h5)"
            )
        lines = [f"line {line}" for line in record.line[flat][:5].tolist()]
        report.defaulted("zero-radius", path, message, count=int(flat.sum()), examples=lines)
    points = Points(record.id, record.tag, record.position, record.radius, record.parent)
    return _checked(from_points(name, points), path, report)


def _checked(morphology: Morphology, path: Path, report: Report) -> Morphology:
    """Report sections that NEURON would leave out: its numbers of the later ones are then lower than ours."""
    derived = sections(morphology)
    gone = np.flatnonzero((derived.length == 0) & (derived.parent >= 0))
    if len(gone):
        message = (
            "sections of length 0, kept: NEURON leaves them out when it reads the file, and counts later ones lower"
        )
        examples = [f"section {row}" for row in gone[:5].tolist()]
        report.defaulted("zero-length-section", path, message, count=len(gone), examples=examples)
    return morphology


def _from_sections(name: str, record: SectionRecord, path: Path, report: Report) -> Morphology:
    """Sections with an outlined, a single-point or no soma. Every section of the file begins one here."""
    soma, outlined = _soma_points(record, path, report)
    soma, middle = _with_middle(soma)
    own, offsets = len(soma), record.offsets
    position = np.vstack([soma, record.points])
    if not len(position):
        raise ReadError("the morphology has no points", where=path, hint="write it again")
    filled = np.diff(offsets) > 0
    ids = np.arange(1, len(position) + 1, dtype=np.int64)
    parent = ids - 1  # the point before; 0 only for the first
    parent[0] = -1
    last = _last_points(record, own, middle)
    first = own + offsets[:-1][filled]
    parent[first] = last[record.parent[filled]] + 1
    rooted = record.parent[filled] < 0
    parent[first[rooted]] = ids[middle] if own else -1
    tag = np.concatenate([np.full(own, Tag.SOMA), np.repeat(record.tag, np.diff(offsets))]).astype(np.int64)
    morphology = from_points(name, Points(ids, tag, position[:, :3], position[:, 3] / 2, parent))
    row = np.full(len(position) + 1, -1, dtype=np.int64)
    row[morphology.id] = np.arange(morphology.size)
    heads, thick = row[ids[first[~rooted]]], record.start_diameter[filled][~rooted]
    proximal = morphology.proximal.copy()
    proximal[heads, 3] = thick
    kind = SomaKind.CONTOUR if outlined else morphology.soma_kind
    return replace(morphology, proximal=proximal, cuts=np.sort(heads), soma_kind=kind)


def _last_points(record: SectionRecord, own: int, middle: int) -> np.ndarray:
    """The last point of every section, and of the nearest one above it that has points where it has none. int64[s]"""
    last = own + record.offsets[1:] - 1
    for section in np.flatnonzero(np.diff(record.offsets) == 0).tolist():
        above = int(record.parent[section])
        last[section] = last[above] if above >= 0 else middle
    return last


def _with_middle(chain: np.ndarray) -> tuple[np.ndarray, int]:
    """A chain of points with one half-way along it, and which that is."""
    if len(chain) < 2:
        return chain, 0
    reach = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(chain[:, :3], axis=0), axis=1))])
    half = reach[-1] / 2
    nearest = int(np.argmin(np.abs(reach - half)))
    if abs(reach[nearest] - half) <= 1e-9 * reach[-1]:
        return chain, nearest
    after = int(np.searchsorted(reach, half))
    point = [np.interp(half, reach, chain[:, column]) for column in range(4)]
    return np.insert(chain, after, point, axis=0), after


def _soma_points(record: SectionRecord, path: Path, report: Report) -> tuple[np.ndarray, bool]:
    """The soma as a chain of points (x y z diameter), neurites begin at the middle one; whether it was an outline."""
    if not record.soma:
        return np.zeros((0, 4)), False
    if not record.contours:
        return np.vstack(record.soma), False
    outlines = [part for part in record.soma if len(part) > 2]
    if len(outlines) < len(record.soma):
        dropped = len(record.soma) - len(outlines)
        report.not_read("soma-outline", path, "soma outlines of fewer than three points enclose nothing", count=dropped)
    if not outlines:
        return np.zeros((0, 4)), False
    count = sum(map(len, outlines))
    stack = contour_stack(outlines)
    if stack is None:
        message = f"the soma's outline ({count} points) is a line, so its points are circles with their own diameters"
        report.approximated("soma-outline", path, message)
        return outlines[0], False
    message = f"the soma's outline ({count} points) became {len(stack)} circles in a row, as NEURON reads it"
    report.approximated("soma-outline", path, f"{message}; neurites begin at its middle")
    return stack, True
