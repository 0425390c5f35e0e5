"""Where on their cells the synapses of edges are: as the edges state it, by segment, or drawn by their type's rule."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pynn_io.graph.morphology import remap_sections
from pynn_io.graph.network import Network
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.geometry import Compartments, Geometry, Shapes
from pynn_io.lowering.cables.inputs import is_of_segments, places
from pynn_io.lowering.cables.models import DRAWN, CableModel, PointModel
from pynn_io.lowering.cables.placement import Generators, Rule, Targets, place
from pynn_io.lowering.cables.placement import targets as allowed_by
from pynn_io.lowering.cables.populations import Cells
from pynn_io.report import Report

#: Where on a cell of NeuroML.
SEGMENTS = ("afferent_segment_id", "afferent_segment_fraction")


@dataclass(slots=True, eq=False)
class Targeted:
    """The cells that the synapses of one projection are on.

    section_order: that of the section ids of its edges. rules: by row of its types. where: of the projection, for
    reports. By number of the cells' group, bool: segmented, of NeuroML's segments; cable, with extent; known, whose
    sections are known before they are built.
    """

    network: Network
    post: Cells
    shapes: Shapes
    generators: Generators
    generated: Generated
    section_order: str
    rules: list[Rule | None]
    where: str
    segmented: np.ndarray = field(init=False)
    cable: np.ndarray = field(init=False)
    known: np.ndarray = field(init=False)
    found: dict[tuple[int, int, Rule], Targets] = field(default_factory=dict)

    def __post_init__(self) -> None:
        models = [item.model for item in self.post.groups]
        points = [
            (isinstance(model, PointModel) and model.capacitance is None) or getattr(model, "point", False)
            for model in models
        ]
        self.segmented = np.array([is_of_segments(model) for model in models], dtype=bool)
        self.cable = ~np.array(points, dtype=bool)
        self.known = np.array([isinstance(model, CableModel) for model in models], dtype=bool)

    @property
    def draws_later(self) -> bool:
        """Whether sites may have to be drawn on cells whose sections are not known before they are built."""
        return bool((self.cable & ~self.known).any()) and any(rule is not None for rule in self.rules)

    def allowed(self, target: int, rule: Rule) -> tuple[Compartments, Targets]:
        """The compartments of a cell (by row), and those that a rule allows."""
        group, code = int(self.post.group[target]), int(self.post.morphology[target])
        _, cell = self.shape(group, code)
        found = self.found.get((group, code, rule))
        if found is None:
            found = self.found[group, code, rule] = allowed_by(rule, cell)
        return cell, found

    def shape(self, group: int, code: int) -> tuple[Geometry, Compartments]:
        """The sections of a cable cell that no template makes. KeyError for a morphology that is not there."""
        item = self.post.groups[group]
        if not isinstance(item.model, CableModel):
            raise KeyError(item.cell)
        return self.shapes(item.morphologies[code], item.model.processing)


@dataclass(slots=True, eq=False)
class EdgeSites:
    """Where on their cells the synapses of some edges are.

    copies: int64[edges], how many synapses each edge has. section, position: one entry a synapse, edges in order.
    given: edges whose section is stated.
    """

    targets: Targeted
    target: np.ndarray
    kind: np.ndarray
    cable: np.ndarray
    columns: dict[str, np.ndarray]
    nsyns: np.ndarray
    given: np.ndarray = field(init=False)
    copies: np.ndarray = field(init=False)
    section: np.ndarray = field(init=False)
    position: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        stated = self.columns.get("afferent_section_id")
        none = np.zeros(len(self.target), dtype=bool)
        self.given = none if stated is None else ~np.ma.getmaskarray(stated)

    def find(self, report: Report) -> None:
        count = len(self.target)
        ruled = np.array([rule is not None for rule in self.targets.rules])[self.kind] & self.cable & ~self.given
        self.copies = np.where(ruled, self.nsyns, 1)
        self.section, self.position = np.where(self.cable, 0, -1), np.full(count, 0.5)
        self._stated(report)
        self._on_segments(report)
        later = ruled & ~self.targets.known[self.targets.post.group[self.target]]
        self.section[later] = DRAWN
        report.defaulted(
            "synapse-site",
            self.targets.where,
            "Neither a section nor target_sections is stated: the synapses are put in the middle of the soma.",
            count=int(np.count_nonzero(self.cable & ~self.given & ~ruled)),
        )
        self._drawn(np.flatnonzero(ruled & ~later), report)

    def _on_segments(self, report: Report) -> None:
        """Places on cells of NeuroML: by segment, else the middle of the root; the only place of a point."""
        targets = self.targets
        rows = np.flatnonzero(targets.segmented[targets.post.group[self.target]])
        if len(rows):
            segment, fraction = (self.columns[name][rows] if name in self.columns else None for name in SEGMENTS)
            where = places(self.target[rows], segment, fraction, targets.post, targets.network, targets.generated)
            self.section[rows], self.position[rows] = where
            placed = np.zeros(len(rows), dtype=bool) if segment is None else ~np.ma.getmaskarray(segment)
            report.approximated(
                "synapse-site",
                targets.where,
                "A section is stated where the cell has segments: the synapses are put in the middle of the root.",
                count=int(np.count_nonzero(self.given[rows] & self.cable[rows] & ~placed)),
            )
            self.given[rows] = True

    def _stated(self, report: Report) -> None:
        """Sections that the edges state, in the order in which the cells have them."""
        rows = np.flatnonzero(self.cable & self.given)
        if not len(rows):
            return
        ids = np.asarray(np.ma.filled(self.columns["afferent_section_id"], 0), dtype=np.int64)[rows]
        post = self.targets.post
        pairs = np.stack([post.group[self.target[rows]], post.morphology[self.target[rows]]], axis=1)
        missing = np.zeros(len(rows), dtype=bool)
        for group, code in np.unique(pairs, axis=0).tolist():
            if not isinstance(post.groups[group].model, CableModel):
                continue  # a template counts its sections itself
            here = np.flatnonzero((pairs == (group, code)).all(axis=1))
            shape, _ = self.targets.shape(group, code)
            morphology = self.targets.network.morphologies[post.groups[group].morphologies[code]]
            found = remap_sections(morphology, ids[here], source=self.targets.section_order, target=shape.order)
            ids[here], missing[here] = found.filled(0), np.ma.getmaskarray(found)
        self.section[rows] = ids
        if "afferent_section_pos" in self.columns:
            at = np.ma.filled(np.ma.array(self.columns["afferent_section_pos"], dtype=np.float64), 0.5)
            self.position[rows] = np.clip(at[rows], 0.0, 1.0)
        self.copies[rows[missing]] = 0
        report.lost(
            "synapse-site",
            self.targets.where,
            "Synapses lie on sections that the cell does not have after its model_processing; they are left out.",
            count=int(np.count_nonzero(missing)),
        )

    def _drawn(self, rows: np.ndarray, report: Report) -> None:
        """Sites that cells draw by their edges' rules, cell by cell, each cell's edges in order."""
        order = rows[np.argsort(self.target[rows], kind="stable")]
        cells = np.split(order, np.flatnonzero(np.diff(self.target[order])) + 1) if len(order) else []
        empty = 0
        for edges in cells:
            empty += self._without_place(edges)
        report.lost(
            "synapse-site",
            self.targets.where,
            "No compartment of the cell is in target_sections and distance_range; these edges have no synapse.",
            count=empty,
        )
        first = np.cumsum(self.copies) - self.copies
        index = np.repeat(np.arange(len(self.target)), self.copies)
        self.section, self.position = self.section[index], self.position[index]
        for edges in cells:
            self._draw(edges, first)

    def _without_place(self, edges: np.ndarray) -> int:
        """Edges of one cell whose rule allows nothing there get no synapse, and draw none."""
        empty = 0
        for kind in np.unique(self.kind[edges]).tolist():
            _, found = self.targets.allowed(int(self.target[edges[0]]), self.targets.rules[kind])  # type: ignore[arg-type]
            if not len(found.index):
                here = edges[self.kind[edges] == kind]
                self.copies[here] = 0
                empty += len(here)
        return empty

    def _draw(self, edges: np.ndarray, first: np.ndarray) -> None:
        """The sites of one cell's synapses."""
        count = self.copies[edges]
        row = int(self.target[edges[0]])
        draws = self.targets.generators.draw(row + self.targets.post.first, int(count.sum()))
        within = np.arange(len(draws)) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat(first[edges], count) + within
        kinds = np.repeat(self.kind[edges], count)
        for kind in np.unique(kinds).tolist():
            cell, found = self.targets.allowed(row, self.targets.rules[kind])  # type: ignore[arg-type]
            here = kinds == kind
            chosen = place(found, draws[here])
            self.section[at[here]], self.position[at[here]] = cell.section[chosen], cell.x[chosen]
