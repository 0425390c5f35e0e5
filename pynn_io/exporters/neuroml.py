"""A document as NeuroML 2.3.1: network, components, cells, and a LEMS file that runs it.

Files: ``NAME.net.nml`` (or ``NAME.net.nml.h5``), ``CELL.cell.nml`` for each cable cell, ``NAME.components.xml`` and the
files that it includes for components that NeuroML does not have, ``LEMS_NAME.xml`` if the document has a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.exporters.neuroml_cable import PASSIVE, PASSIVE_FILE, cable_document
from pynn_io.exporters.neuroml_components import Component, cell_component, element_of
from pynn_io.exporters.neuroml_definitions import Definitions, born_in_neuroml
from pynn_io.exporters.neuroml_inputs import inputs, spike_trains
from pynn_io.exporters.neuroml_plain import SINGLE, TAGS, PlainProjection, is_plain
from pynn_io.exporters.neuroml_populations import Part, Split, record, split_population, train_of
from pynn_io.exporters.neuroml_projections import Cells, ProjectionWriter
from pynn_io.exporters.neuroml_simulation import initial_potential, spike_threshold, write_plan
from pynn_io.exporters.neuroml_words import Words, say_renamed
from pynn_io.formats.neuroml_hdf5 import write_network
from pynn_io.formats.neuroml_records import (
    DocumentHead,
    Element,
    Endpoint,
    Ids,
    InputRecord,
    NetworkRecord,
    PopulationRecord,
    ProjectionRecord,
    SpikeArray,
    nml_id,
)
from pynn_io.formats.neuroml_xml import write_document
from pynn_io.graph.cells import CableCell, PointCell, SpikeSource
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import ComponentInput
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary.neuroml import CARRIER


def write(
    document: Document,
    dest: Path,
    report: Report,
    *,
    dialect: str = "",
    single: bool = False,
    progress: Progress = quiet,
) -> None:
    """Write a document into the folder ``dest``.

    dialect: empty for XML, ``hdf5`` for a network in NeuroML HDF5. single: HDF5 tables in float32, as jNeuroML needs.
    Raises WriteError, and what reading morphologies and edges raises.
    """
    try:
        dest.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write: {error.strerror or error}", where=dest) from error
    _Export(document, dest, report, progress).write(dialect == "hdf5", single)


def stem_of(network: Network) -> str:
    """What the files of a network begin with; a file name may begin with a digit."""
    return nml_id(f"x{network.name or 'network'}")[1:]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A part with its split, and the record of its population."""

    part: Part
    split: Split
    record: PopulationRecord


class _Export:
    """One export: components first, since they stand before the network in the file; then the network streams."""

    def __init__(self, document: Document, dest: Path, report: Report, progress: Progress) -> None:
        self._network, self._plan = document.network, document.plan
        self._dest, self._report, self._progress = dest, report, progress
        name = self._network.name or "network"
        self._name = nml_id(name)
        self._stem = stem_of(self._network)
        self._ids = Ids()
        # A circuit of another format that has the equations of its mechanisms is still not NeuroML's own.
        translated = "mechanisms" in document.provenance
        self._born = document.provenance.get("format") == "neuroml" or (
            born_in_neuroml(self._network) and not translated
        )
        # What stands in the network and what it is made of may bear the same names; only a source of NeuroML does so.
        self._places = Ids() if self._born else self._ids
        for taken in (self._name, f"{self._name}_document", "pas"):
            self._ids.new(taken)
        self._core: list[Element | SpikeArray] = []
        self._own: list[tuple[str, Component]] = []
        self._includes: list[str] = []
        self._placed: list[_Placed] = []
        self._passive = False
        self._named: set[str] = set()
        if self._born:
            self._reserve()
        self._definitions = Definitions(self._network, dest, self._stem, self._ids, report)

    def _reserve(self) -> None:
        """The ids that the source gave its definitions are theirs."""
        network = self._network
        for names in (network.cells, network.synapses, network.channels, network.morphologies):
            self._ids.reserve(names)
        for stimulus in self._plan.stimuli if self._plan is not None else ():
            if isinstance(stimulus.what, ComponentInput):
                self._ids.reserve((stimulus.what.component.id,))

    def write(self, hdf5: bool, single: bool) -> None:
        cells = self._cells()
        writers = self._projections(cells)
        for writer in writers:
            self._add("synapse", *writer.components)
        lists: tuple[InputRecord, ...] = ()
        if self._plan is not None:
            made = inputs(self._plan, self._network, cells, self._ids, self._report, self._definitions, self._places)
            self._add("input", *made.components)
            lists = made.records
        if self._born:
            self._definitions.rest()
            self._unused_cells()
        say_renamed({**self._ids.changed, **self._places.changed}, self._network, self._report)
        head = self._head()
        chemical, electrical, continuous = TAGS.values()
        words = Words(self._definitions, self._network)
        network = NetworkRecord(
            self._name,
            [words.population(placed.record) for placed in self._placed],
            _records(writers, (chemical, SINGLE) if hdf5 else (chemical,), hdf5),
            _records(writers, (electrical,), hdf5),
            lists,
            self._plan.celsius if self._plan is not None else None,
            continuous=_records(writers, (continuous,), hdf5),
            single=() if hdf5 else _records(writers, (SINGLE,), False),
            **words.network(hdf5, self._report),
        )
        file = self._write_network(head, network, hdf5, single)
        words.say_rest(self._report)
        if self._plan is not None and (self._plan.duration is not None or not self._born):
            self._write_plan(self._plan, cells, file, network.within)

    def _write_plan(self, plan: SimulationPlan, cells: Cells, file: str, within: Element | None) -> None:
        """file: the network's. within: what stands around the network."""
        named = self._born and plan.name != SimulationPlan().name
        identifier = nml_id(plan.name) if named else self._ids.new(f"{self._name}_simulation")
        write_plan(
            plan,
            self._network,
            cells,
            self._definitions,
            self._dest,
            self._stem,
            (file,),
            identifier,
            self._report,
            spikes=not named,
            within=within,
        )

    def _unused_cells(self) -> None:
        """Cells and sources that the document defines and no population uses, where they are standard ones."""
        trains = self._definitions.kept("trains")
        for name, cell in self._network.cells.items():
            if name in self._named or self._definitions.has_cell(name) or not isinstance(cell, PointCell | SpikeSource):
                continue
            if isinstance(cell, SpikeSource) and cell.model == "SpikeSourceArray":
                self._core.append(SpikeArray(name, np.asarray(trains.get(name, ()), dtype=np.float64)))
            elif (made := cell_component(name, cell, self._report, f"cell {name}")) is not None:
                self._add("cell", made)

    def _projections(self, cells: Cells) -> list[ProjectionWriter | PlainProjection]:
        shelf: dict[tuple, str] = {}
        made: list[ProjectionWriter | PlainProjection] = []
        for projection in self._network.projections.values():
            ends = cells.splits[projection.pre], cells.splits[projection.post]
            if self._born and is_plain(projection, self._network, *ends):
                plain = PlainProjection(
                    projection, self._network, cells, self._definitions, self._ids, self._places, self._report,
                    self._progress,
                )  # fmt: skip
                made.append(plain)
            else:
                made.append(
                    ProjectionWriter(projection, self._network, cells, self._ids, shelf, self._report, self._progress)
                )
        return made

    def _head(self) -> DocumentHead:
        found = self._definitions
        types = (found.types,) if found.types else ()
        includes = (*types, *self._own_components(), *self._includes, *found.includes)
        words = found.about("document")
        notes = next((word.text for word in words if word.tag == "notes"), "")
        return DocumentHead(
            f"{self._name}_document",
            notes if self._born else f"Network {self._network.name}, converted by pynn_io.",
            tuple(dict.fromkeys(includes)),
            (*self._core, *found.core),
            before=tuple(word for word in words if word.tag != "notes"),
        )

    def _write_network(self, head: DocumentHead, network: NetworkRecord, hdf5: bool, single: bool) -> str:
        if not self._placed and self._born and not self._network.populations:
            path = self._dest / f"{self._stem}.nml"
            write_document(path, head)
            return path.name
        if not self._placed:
            raise WriteError(
                "nothing of the network can be written as NeuroML: no cell has a component",
                where=self._dest,
                hint="The report names the models that have none.",
            )
        if not hdf5:
            suffix = "nml" if network.within is None else "xml"  # what the schema does not have is LEMS
            path = self._dest / f"{self._stem}.net.{suffix}"
            write_document(path, head, network, progress=self._progress)
            return path.name
        path = self._dest / f"{self._stem}.net.nml.h5"
        write_network(path, head, network, single=single, progress=self._progress)
        if single:
            self._report.approximated(
                "single-precision", path.name, "Numbers of the HDF5 tables are rounded to single precision, as asked."
            )
        elif self._plan is not None:
            self._report.defaulted(
                "double-precision",
                path.name,
                "The HDF5 tables are in double precision, which libNeuroML and NetPyNE read; jNeuroML 0.14 takes such "
                "tables for zeros. For jNeuroML write XML, or HDF5 in single precision.",
            )
        return path.name

    # -- populations and their components

    def _cells(self) -> Cells:
        splits: dict[str, Split] = {}
        for population in self._network.populations.values():
            trains = spike_trains(self._plan, population.name)
            splits[population.name] = split_population(
                population, self._network, trains, self._places, self._report, as_it_came=self._born
            )
        ends: dict[str, Endpoint] = {}
        morphologies: dict[str, Morphology] = {}
        made: dict[object, tuple[str, Morphology | None] | None] = {}
        for split in splits.values():
            for part in split.parts:
                key = self._key(part)
                if key not in made:
                    made[key] = self._component(part)
                found = made[key]
                if found is None:
                    continue
                placed = _Placed(part, split, record(part, split, found[0]))
                self._placed.append(placed)
                ends[part.name] = placed.record.end
                if found[1] is not None:
                    morphologies[part.name] = found[1]
        return Cells(splits, ends, morphologies)

    def _key(self, part: Part) -> object:
        """Parts with the same key share a component."""
        if self._born and part.train is not None:
            return (part.cell_name, part.train.tobytes())
        if part.train is not None:
            return part.name
        if isinstance(part.cell, SpikeSource) and not part.cell.parameters:
            return part.cell.model
        parameters = sorted((name, str(value)) for name, value in getattr(part.cell, "parameters", {}).items())
        return (part.cell_name, part.morphology, tuple(parameters))

    def _component(self, part: Part) -> tuple[str, Morphology | None] | None:
        """Id of the part's component, and the morphology of a cable cell; None (reported) where it has none."""
        cell = part.cell
        where = f"cell {part.cell_name}"
        if isinstance(cell, CableCell):
            return self._cable(part, cell, where)
        if isinstance(cell, SpikeSource) and (train := train_of(part)) is not None:
            wish = f"{part.name}_spikes" if part.train is not None else "silent"
            array = SpikeArray(self._own_name(part) or self._ids.new(wish), train)
            self._core.append(array)
            return array.id, None
        if not isinstance(cell, (PointCell, SpikeSource)):
            return None
        own = self._own_name(part)
        if self._born and (found := self._definitions.cell(own or self._ids.new(f"{part.name}_cell"), cell)):
            return found, None
        v_init = initial_potential(cell, self._plan, self._report)
        # The place is the population: what its cells have in common is then said once.
        where = f"population {part.population}"
        identifier = own or self._ids.new(f"{part.name}_cell")
        made = cell_component(identifier, cell, self._report, where, v_init=v_init)
        if made is None:
            return None
        self._add("cell", made)
        return made.id, None

    def _own_name(self, part: Part) -> str:
        """The id that a source of NeuroML gave the part's component, the first time; empty for others."""
        same = self._network.cells[part.cell_name] is part.cell
        if not self._born or not same or part.cell_name in self._named or nml_id(part.cell_name) != part.cell_name:
            return ""
        self._named.add(part.cell_name)
        return part.cell_name

    def _cable(self, part: Part, cell: CableCell, where: str) -> tuple[str, Morphology | None] | None:
        name = part.morphology
        if name is None or name not in self._network.morphologies:
            what = "no morphology" if name is None else f"the morphology {name}, which is not there"
            self._report.lost(
                "no-morphology",
                where,
                f"The cell has {what}; its cells are left out.",
                count=part.size,
                examples=[part.cell_name],
            )
            return None
        morphology = self._network.morphologies[name]
        if self._born and int((morphology.parent < 0).sum()) == 1 and not cell.processing and cell.template is None:
            identifier = self._own_name(part) or self._ids.new(f"{part.name}_cell")
            self._definitions.cable(identifier, cell, morphology, where)
            return identifier, morphology
        identifier = self._ids.new(f"{part.name}_cell")
        plan = self._plan
        parts = cable_document(
            identifier,
            cell,
            self._network.morphologies[name],
            where,
            self._report,
            v_init=plan.v_init if plan is not None else None,
            threshold=spike_threshold(plan, self._network, where, self._report),
            section_length=plan.section_length if plan is not None else None,
            channels=self._definitions.channel_files(cell, where),
        )
        file = f"{identifier}.cell.nml"
        write_document(self._dest / file, parts.head)
        self._includes.append(file)
        if parts.passive and not self._passive:
            self._passive = True
            write_document(self._dest / PASSIVE_FILE, DocumentHead("pas_channel", components=(PASSIVE,)))
        return identifier, parts.morphology

    # -- components

    def _add(self, role: str, *components: Component) -> None:
        for component in components:
            if component.definitions:
                self._own.append((role, component))
            else:
                self._core.append(element_of(component))

    def _own_components(self) -> tuple[str, ...]:
        """Write the file of components whose types are ours, and those types beside it (docs/neuroml_own_types.md)."""
        if not self._own and not self._definitions.own:
            return ()
        types = (self._definitions.types,) if self._definitions.types else ()
        files = sorted({file for _, component in self._own for file in component.definitions})
        shelf = resources.files("pynn_io.vocabulary") / "lems"
        path = self._dest / f"{self._stem}.components.xml"
        elements = [
            Element(CARRIER[role], {"id": component.id, "type": component.type, **component.attributes})
            for role, component in self._own
        ]
        try:
            for file in files:
                (self._dest / file).write_bytes((shelf / file).read_bytes())
        except OSError as error:
            raise WriteError(f"cannot write: {error.strerror or error}", where=self._dest) from error
        elements += self._definitions.own
        write_document(
            path,
            DocumentHead(f"{self._name}_components", includes=(*types, *files), components=tuple(elements), lems=True),
        )
        return (path.name,)


def _records(
    writers: list[ProjectionWriter | PlainProjection], tags: tuple[str, ...], one_kind: bool
) -> Iterator[ProjectionRecord]:
    """The records with one of these elements. one_kind: of component in each."""
    for writer in writers:
        if writer.tag in tags:
            yield from writer.records(one_kind=one_kind)
