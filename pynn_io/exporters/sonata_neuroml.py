"""A NeuroML network in SONATA's words: hoc templates, NMODL mechanisms, NEST's models, sections for segments.

What the simulators of SONATA have no form for stays in the document, and the definitions go beside the circuit as the
NeuroML that they were (`pynn_io.exporters.sonata_neuroml_beside`), so that the circuit comes back as what it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pynn_io.document import Document
from pynn_io.errors import GraphError, UnsupportedInput
from pynn_io.exporters.neuroml_definitions import born_in_neuroml
from pynn_io.exporters.sonata_hoc import hoc_name, hoc_template
from pynn_io.exporters.sonata_neuroml_beside import definitions_of, with_components
from pynn_io.exporters.sonata_neuroml_edges import EdgeConversion
from pynn_io.exporters.sonata_neuroml_places import Places
from pynn_io.exporters.sonata_neuroml_plan import PlanConversion
from pynn_io.exporters.sonata_neuroml_points import SCHEME, as_nest, point_template
from pynn_io.formats.sonata_neuroml import ProjectionForm
from pynn_io.graph.biophysics import ChannelDensity, ChannelPopulation
from pynn_io.graph.cells import CableCell, Cell, PointCell
from pynn_io.graph.dynamics import Component
from pynn_io.graph.morphology import Morphology
from pynn_io.graph.network import Network
from pynn_io.graph.section_form import standing
from pynn_io.graph.segments import tags_of_groups, with_tag_groups
from pynn_io.lowering.membrane import Mechanisms, segment_model
from pynn_io.lowering.segment_shape import segment_shape
from pynn_io.report import Report

TEMPLATE = "hoc:"
#: The step of a NEST run that states none, ms.
_STEP = 0.1


@dataclass(slots=True)
class Converted:
    """document: in SONATA's words. templates, mechanisms: name -> text of the files beside it.

    definitions: what is NeuroML in it; None where nothing is. projections: what the tables do not say of them.
    morphologies: those that the definitions have as they were.
    """

    document: Document
    templates: dict[str, str] = field(default_factory=dict)
    mechanisms: dict[str, str] = field(default_factory=dict)
    definitions: Document | None = None
    projections: dict[str, ProjectionForm] = field(default_factory=dict)
    morphologies: frozenset[str] = frozenset()


def converted(document: Document, report: Report, *, obi: bool = False) -> Converted:
    """The document with its NeuroML cells, their synapses, inputs and recordings as SONATA has them.

    obi: the dialect has no name for a mechanism of a synapse; where its Exp2Syn is not the same, a synapse is lost.
    """
    if not born_in_neuroml(document.network):
        return Converted(document)
    return _Conversion(document, report, obi).made()


def _is_cable(cell: object, network: Network) -> bool:
    """Whether a cable cell has segment groups or channels as NeuroML has them."""
    if not isinstance(cell, CableCell) or cell.template or cell.processing or cell.morphology is None:
        return False
    if any(isinstance(item, Component) for item in network.channels.values()):
        named = [p.item.channel for p in cell.decor if isinstance(p.item, ChannelDensity | ChannelPopulation)]
        if named:
            return all(isinstance(network.channels.get(name), Component) for name in named)
    return "neuroml" in network.extra


class _Conversion:
    def __init__(self, document: Document, report: Report, obi: bool) -> None:
        self.obi = obi
        self.document, self.network, self.report = document, document.network, report
        self.mechanisms = Mechanisms(document.network)
        self.cells: dict[str, Cell] = {}
        self.templates: dict[str, str] = {}
        self.morphologies: dict[str, Morphology] = {}
        self.standing: dict[str, Morphology | None] = {}
        self.stated: dict[str, list[float]] = {}

    def made(self) -> Converted:
        plan = self.document.plan
        step = plan.timestep if plan is not None and plan.timestep is not None else _STEP
        nest = as_nest(self.network, step, self.report)
        if nest is not None:
            cells = nest.network.cells.items()
            self.standing = {name: None for name, cell in cells if cell is not self.network.cells[name]}
        else:
            self._templates()
        places = Places(self.network, self.standing)
        edges = EdgeConversion(places, self.mechanisms, self.report, self.obi)
        source, factors = (self.network, {}) if nest is None else (nest.network, nest.factors)
        projections = {name: edges.made(item, factors.get(name)) for name, item in source.projections.items()}
        changed = replace(
            source,
            cells={**source.cells, **self.cells},
            morphologies={**source.morphologies, **self.morphologies},
            projections=projections,
            synapses={**source.synapses, **edges.synapses},
        )
        if plan is not None:
            conversion = PlanConversion(places, self.report, self.stated, nest=nest is not None)
            plan = conversion.made(plan)
        changed = with_components(changed, self.network, edges.components)
        return Converted(
            replace(self.document, network=changed, plan=plan),
            self.templates,
            self.mechanisms.texts,
            definitions_of(self.document),
            edges.forms,
            frozenset(self.morphologies),
        )

    # --- cells ----------------------------------------------------------------------------------------------------

    def _templates(self) -> None:
        used = {name for population in self.network.populations.values() for name in population.cells}
        for name, cell in self.network.cells.items():
            where = f"cell {name}"
            try:
                if isinstance(cell, CableCell) and _is_cable(cell, self.network):
                    self._cable(name, cell, where)
                elif isinstance(cell, PointCell) and cell.model.startswith(SCHEME) and name in used:
                    self._point(name, cell, where)
            except (UnsupportedInput, GraphError) as error:
                message = (
                    f"It cannot be written for NEURON, and stays NeuroML that only pynn_io reads: {error.message}."
                )
                self.report.approximated("cell", where, message, examples=[name, getattr(cell, "model", "decor")])

    def _cable(self, name: str, cell: CableCell, where: str) -> None:
        key = str(cell.morphology)
        if key not in self.morphologies:
            self.morphologies[key] = standing(self._read_again(key), Report())
        shape = segment_shape(self.morphologies[key])
        model = segment_model(name, cell, shape, self.mechanisms, self.report)
        template = hoc_name(name, self.templates)
        self.templates[template] = hoc_template(template, model, self.morphologies[key], self.report)
        self.cells[name] = CableCell(key, template=f"{TEMPLATE}{template}")
        self.standing[name] = self.morphologies[key]
        names = sorted({each.definition for each in model.spreads})
        groups = list(self.network.morphologies[key].groups)
        self.report.expanded(
            "cell-as-hoc",
            where,
            "Its sections and membrane are written as a hoc template, its channels as NMODL mechanisms, for simulators "
            f"to compute the same; its NeuroML stands beside them: {', '.join(names)}",
            examples=[name, "decor", *names, *groups],
        )

    def _read_again(self, key: str) -> Morphology:
        """A morphology as the NeuroML beside the circuit gives it back: its groups say what its segments are."""
        morphology = with_tag_groups(self.network.morphologies[key])
        tag = tags_of_groups(morphology.size, morphology.groups, morphology.notes)
        return replace(morphology, tag=tag)

    def _point(self, name: str, cell: PointCell, where: str) -> None:
        template = hoc_name(name, self.templates)
        made = point_template(template, name, cell, self.mechanisms)
        if made is None:
            message = f"{cell.model} is no membrane that currents charge: it stays NeuroML that only pynn_io reads."
            self.report.approximated("cell", where, message, examples=[name, cell.model])
            return
        self.templates[template] = made.text
        self.cells[name] = CableCell(None, template=f"{TEMPLATE}{template}")
        self.standing[name] = None
        if made.potential is not None:
            self.stated.setdefault("v_init", []).append(made.potential)
        if made.threshold is not None:
            self.stated.setdefault("spike_threshold", []).append(made.threshold)
        else:
            message = "Its equations do not say at which potential it spikes; SONATA's threshold is the run's."
            self.report.approximated("spike-threshold", where, message, examples=[name])
        message = (
            f"It is written as a hoc template: a section with its equations as the NMODL mechanism {made.mechanism}; "
            "spikes are seen where its potential crosses the threshold; its NeuroML stands beside it."
        )
        self.report.expanded("cell-as-hoc", where, message, examples=[name, cell.model, f"{name} children"])
