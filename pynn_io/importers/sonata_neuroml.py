"""SONATA circuits that were NeuroML, as NeuroML again: its definitions instead of templates and mechanisms.

The tables count: cells, edges, weights, delays, positions and places are those of the circuit, and only what a cell or
a synapse *is* comes from the document beside it (`pynn_io.formats.sonata_neuroml`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import ReadError
from pynn_io.formats import sonata_neuroml as form
from pynn_io.formats.sonata_config import read_json
from pynn_io.graph.cells import CableCell, Cell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network, Population, Projection
from pynn_io.graph.schema import PARAMETER, unit_of
from pynn_io.importers.neuroml import read as read_document
from pynn_io.importers.sonata_context import Context
from pynn_io.importers.sonata_neuroml_places import Places
from pynn_io.importers.sonata_neuroml_plan import plan_as_neuroml
from pynn_io.units import convert

#: Digits of a weight that was multiplied: one that was written by hand is itself again.
_DIGITS = 12
#: Column of graded projections: the component on the presynaptic side.
_PRE = "pre_synapse"


@dataclass(frozen=True, slots=True)
class Kept:
    """The NeuroML beside a circuit. path: of its ``circuit.json``."""

    path: Path
    beside: form.Beside


def kept_beside(context: Context) -> Kept | None:
    """What the circuit keeps of NeuroML; None where there is nothing, or (reported) where it no longer holds."""
    path = context.components().get(form.KEY)
    if not isinstance(path, Path):
        return None
    beside = form.of(read_json(path, context.report), path)
    changed = beside.changed(path.parent.parent)
    context.report.not_read(
        "neuroml-definitions",
        path,
        "Component files were changed since they were written beside the NeuroML that they stand for: the circuit is "
        "read as its templates and mechanisms, and not as NeuroML.",
        count=len(changed),
        examples=changed,
    )
    context.files[path] = None
    return None if changed else Kept(path, beside)


def as_neuroml(document: Document, kept: Kept, context: Context) -> Document:
    """The document with its NeuroML definitions. Raises ReadError for a component that the NeuroML does not define."""
    source = kept.path.parent / kept.beside.document
    defined = read_document(source, context.report).network
    context.files[source] = None
    return _Restored(document, defined, kept).document()


class _Restored:
    def __init__(self, document: Document, defined: Network, kept: Kept) -> None:
        self.source, self.network, self.defined, self.kept = document, document.network, defined, kept
        self.cells: dict[str, Cell] = dict(defined.cells)

    def document(self) -> Document:
        network, defined = self.network, self.defined
        populations = {name: self._population(each) for name, each in network.populations.items()}
        made = replace(
            network,
            name=Path(self.kept.beside.document).stem,
            populations=populations,
            cells=self.cells,
            channels=dict(sorted({**network.channels, **defined.channels}.items())),
            component_types=defined.component_types,
            extra={**network.extra, **defined.extra},
        )
        places = Places(made, defined, self.kept.path)
        projections = {name: self._projection(each, places) for name, each in network.projections.items()}
        used = {name for each in projections.values() for name in each.synapses}
        own = {name: each for name, each in network.synapses.items() if name in used}
        # A projection onto receptors of PyNN's cells; SONATA has no name for its synapse.
        plain = {name: replace(each, model="static", origin=None) for name, each in own.items() if not each.model}
        synapses = {**own, **plain, **defined.synapses}
        made = replace(made, projections=projections, synapses=synapses, morphologies=self._morphologies())
        plan = self.source.plan
        if plan is not None:
            plan = plan_as_neuroml(plan, replace(places, network=made))
        return replace(self.source, network=made, plan=plan)

    def _morphologies(self) -> dict[str, Morphology]:
        """Those of the definitions, and those of other cells."""
        found = dict(self.defined.morphologies)
        for cell in self.cells.values():
            key = cell.morphology if isinstance(cell, CableCell) else None
            if key is not None and key not in found:
                found[key] = self.network.morphologies[key]
        return found

    # --- populations --------------------------------------------------------------------------------------------------

    def _population(self, population: Population) -> Population:
        column = population.column(form.COMPONENT)
        if column is None:
            for name in population.cells:
                self._kept_cell(name)
            return population
        coded = column if column.levels is not None else text_column(column.values(population.size))
        levels = coded.levels or ()
        codes = np.ma.filled(np.ma.asanyarray(coded.read(population.size)), -1).astype(np.int64)
        index = np.asarray(population.type_index.read(population.size), dtype=np.int64)
        pairs, at = np.unique(np.stack([index, codes], axis=1), axis=0, return_inverse=True)
        names = [
            self._kept_cell(population.cells[row]) if code < 0 else self._defined(levels[code], population.name)
            for row, code in pairs.tolist()
        ]
        return self._retyped(population, names, pairs[:, 0], at.reshape(-1))

    def _retyped(self, population: Population, cells: Sequence[str], rows: np.ndarray, at: np.ndarray) -> Population:
        """cells: of the new types. rows: of the types they were, int64. at: new type of every cell."""
        size = population.types.size
        columns = {
            name: column if column.is_scalar else column.with_data(column.read(size)[rows])
            for name, column in population.types.items()
            if name not in ("cell", form.COMPONENT)
        }
        columns["cell"] = text_column(cells)
        told = {form.COMPONENT}
        if all(name in self.defined.cells for name in cells):  # a flat dialect has with every cell what it is
            told |= {name for name in population.table if name == "morphology" or name.startswith(PARAMETER)}
        table = Table(population.size, {name: c for name, c in population.table.items() if name not in told})
        index = Column(0) if len(cells) == 1 else Column(at)
        return replace(population, types=Table(len(cells), columns), type_index=index, table=table)

    def _defined(self, name: str, population: str) -> str:
        if name not in self.defined.cells:
            raise ReadError(
                f"the population {population!r} is of the NeuroML component {name!r}, which is not defined",
                where=self.kept.path.parent / self.kept.beside.document,
            )
        return name

    def _kept_cell(self, name: str) -> str:
        """A cell that is no NeuroML; a definition of its name is of the same cell, or of one that nobody uses."""
        self.cells[name] = self.network.cells[name]
        return name

    # --- projections --------------------------------------------------------------------------------------------------

    def _projection(self, projection: Projection, places: Places) -> Projection:
        held = self.kept.beside.projections.get(projection.name)
        if held is None:
            return projection
        types, index = self._types(projection, held)
        columns = {
            name: column
            for name, column in projection.edges.columns.items()
            if _stays(name, held) and not (name == _PRE and name in types)
        }
        types, columns = self._strengths(projection, held, types, index, columns)
        columns = self._sites(projection, held, places, columns)
        edges = replace(projection.edges, columns=Table(projection.size, columns))
        return replace(projection, types=types, type_index=index, edges=edges, kind=held.kind)

    def _types(self, projection: Projection, held: form.ProjectionForm) -> tuple[Table, Column]:
        """Types with the synapses that they stand for; in a flat dialect the edges name them."""
        types, index = projection.types, projection.type_index
        if form.COMPONENT in projection.edges.columns:
            types, index = _types_of_rows(projection)
        if form.COMPONENT not in types:
            return types, index
        names = types.values(form.COMPONENT).tolist()
        for name in names:
            if name not in self.defined.synapses:
                raise ReadError(
                    f"the projection {projection.name!r} has the NeuroML component {name!r}, which is not defined",
                    where=self.kept.path.parent / self.kept.beside.document,
                )
        stated = {name: column for name, column in types.items() if _stays(name, held)}
        stated["synapse"] = text_column(names)
        stated["weight_unit"] = text_column([held.synapses.get(name, form.SynapseForm()).unit for name in names])
        return Table(len(names), stated), index

    def _strengths(
        self,
        projection: Projection,
        held: form.ProjectionForm,
        types: Table,
        index: Column,
        columns: dict[str, Column],
    ) -> tuple[Table, dict[str, Column]]:
        """Weights in the components' terms; what the source did not state, and is still as it was meant, is gone."""
        names = types.values("synapse").tolist()
        forms = [held.synapses.get(name, form.SynapseForm()) for name in names]
        read = self._read_unit(projection)
        factor = np.array(
            [each.factor * (convert(1.0, each.written, read) if each.written and read else 1.0) for each in forms]
        )
        stated = dict(types)
        for key, usual in form.UNSTATED.items():
            if key in stated:
                values = np.asarray(types.read(key), dtype=np.float64)
                values = divided(values, factor) if key == "weight" else values
                stated[key] = Column(values, unit_of(key))
                if key not in held.stated and (values == usual).all():
                    del stated[key]
            if key in columns:
                values = np.ma.asanyarray(columns[key].read(projection.size), dtype=np.float64)
                if key == "weight":
                    values = divided(values, factor[np.asarray(index.read(projection.size))])
                if held.stated.get(key) == form.SOME:
                    values = np.ma.masked_equal(values, usual)
                columns[key] = Column(values, unit_of(key))
                if key not in held.stated and (values == usual).all():
                    del columns[key]
        return Table(types.size, stated), columns

    @staticmethod
    def _read_unit(projection: Projection) -> str:
        """The unit that the file's weights are in; a dialect may have another than they were written for."""
        if "weight_unit" not in projection.types:
            return ""
        units = np.ma.masked_equal(np.ma.asarray(projection.types.values("weight_unit"), dtype=object), None)
        return str(units.compressed()[0]) if units.count() else ""

    def _sites(
        self, projection: Projection, held: form.ProjectionForm, places: Places, columns: dict[str, Column]
    ) -> dict[str, Column]:
        """Segments and fractions for sections and positions."""
        sides = (
            ("efferent", projection.pre, projection.edges.source),
            ("afferent", projection.post, projection.edges.target),
        )
        for side, name, ends in sides:
            section, at = (columns.pop(f"{side}_section_{part}", None) for part in ("id", "pos"))
            if section is None or at is None:
                continue
            rows = np.asarray(ends.read(projection.size), dtype=np.int64)
            population = places.network.populations[name]
            segment, along = places.on_segments(
                population, rows, *(np.asarray(each.read(len(rows))) for each in (section, at))
            )
            stated = f"{side}_segment_id" in held.stated
            if stated or not places.in_the_middle(population, rows, segment, along):
                columns[f"{side}_segment_id"] = Column(segment)
                columns[f"{side}_segment_fraction"] = Column(along)
        return columns


def _types_of_rows(projection: Projection) -> tuple[Table, Column]:
    """A type for each combination of components that edges name for themselves."""
    texts = {name: column for name in (form.COMPONENT, _PRE) if (column := projection.edges.columns.get(name))}
    codes = np.stack([np.asarray(column.read(projection.size), dtype=np.int64) for column in texts.values()], axis=1)
    pairs, index = np.unique(codes, axis=0, return_inverse=True)
    made = {
        name: text_column([(column.levels or ())[code] for code in pairs[:, n].tolist()])
        for n, (name, column) in enumerate(texts.items())
    }
    return Table(len(pairs), made), Column(0) if len(pairs) == 1 else Column(index.reshape(-1))


def _stays(name: str, held: form.ProjectionForm) -> bool:
    """Whether a column is the projection's own, and does not say what the component says."""
    ours = (form.COMPONENT, "receptor", "model_template")
    return name not in ours and (not name.startswith(PARAMETER) or name in held.stated)


def divided(values: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """``values / factor``, rounded to digits that a product and a quotient leave as they were; exact for 1."""
    if (factor == 1).all():
        return values
    found = values / factor
    with np.errstate(divide="ignore"):
        power = np.where(found == 0, 0, np.floor(np.log10(np.abs(np.where(found == 0, 1, found)))))
    scale = 10.0 ** (_DIGITS - 1 - power)
    return np.where(factor == 1, values, np.round(found * scale) / scale)
