"""From a network and a plan to `LoweredArbor`: pure, and without Arbor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.graph.network import Network
from pynn_io.lowering import simulated, trains
from pynn_io.lowering.abstract import with_potentials
from pynn_io.lowering.cables import couplings, drives, elements, inputs, junctions, probes
from pynn_io.lowering.cables.connections import connections
from pynn_io.lowering.cables.elements import POTENTIAL, Variable
from pynn_io.lowering.cables.gaps import gaps
from pynn_io.lowering.cables.geometry import Geometries
from pynn_io.lowering.cables.models import CableModel, CellGroup, SegmentModel, SourceModel
from pynn_io.lowering.cables.numbering import nodes_of, numbered, trains_by_gid
from pynn_io.lowering.cables.order import ordered
from pynn_io.lowering.cables.placement import Generators, bmtk_gids
from pynn_io.lowering.cables.populations import cables_by_gid, cells_of
from pynn_io.lowering.cables.settings import OF_CABLES, OF_CELLS, settings
from pynn_io.report import Report
from pynn_io.runners.arbor.cells import groups, lifs
from pynn_io.runners.arbor.components import ArborGenerated
from pynn_io.runners.arbor.lowered import Cable, LoweredArbor, Settings
from pynn_io.runners.arbor.membrane import cable
from pynn_io.runners.arbor.segments import segment_cable
from pynn_io.simulation_plan import SimulationPlan

_IONS = ("na", "k", "ca")
#: A/m2, Arbor's unit of densities of current, in mA/cm2.
_MA_PER_CM2 = 0.1
#: What Arbor's probes answer, by the names that NEURON has for it.
_VARIABLES = {
    **dict.fromkeys(POTENTIAL, Variable("v")),
    **{f"{ion}i": Variable("int_con", ion) for ion in _IONS},
    **{f"{ion}o": Variable("ext_con", ion) for ion in _IONS},
    **{f"e{ion}": Variable("rev_pot", ion) for ion in _IONS},
    **{f"i{ion}": Variable("current", ion, _MA_PER_CM2) for ion in _IONS},
}


def lower(network: Network, plan: SimulationPlan, report: Report) -> LoweredArbor:
    """The network and the plan in Arbor's words.

    gids: populations in the network's order, sources too; within a population by row.
    Raises PlanError for a plan without an end and for stimuli of cells that are not there.
    """
    ids, first = numbered(network)
    generated = ArborGenerated(network, plan.section_length, driven=inputs.driven(network, plan))
    plan = with_potentials(plan, network, generated.middle)
    found = groups(network, simulated(network, plan), first, generated, report)
    whole = _settings(network, plan, found, generated, report)
    shapes = Geometries(network.morphologies, whole.section_length)
    cells = cells_of(network, first, found)
    emitted = trains(plan, network, report)
    generators = Generators(bmtk_gids(list(ids.values())))
    chosen = ordered(network, plan, emitted.keys(), "Arbor", report)
    made = [connections(network, item, cells, shapes, generators, generated, report) for item in chosen]
    cable_of, cables = _cables(found, shapes, generated, whole, sum(map(len, ids.values())), report)
    plan = replace(plan, stimuli=tuple(elements.currents_only(plan, "Arbor", report)))
    placed, others = inputs.lower(network, plan, cells, generated, whole.timestep, report)
    currents = drives.lower(network, others, first, report)
    asked = probes.lower(network, plan, first, (whole.timestep, whole.duration), report)
    points = lifs(found)
    halves = junctions.lower(network, {name: item.group >= 0 for name, item in cells.items()}, first, report)
    return LoweredArbor(
        name=network.name,
        settings=whole,
        first=first,
        ids=ids,
        nodes=nodes_of(found, ids),
        cable=cable_of,
        cables=cables,
        lifs=points,
        connections=tuple(made),
        trains=trains_by_gid(emitted, first),
        injections=tuple(elements.injections(currents, placed, cable_of, cables, whole.timestep, report)),
        recordings=tuple(elements.recorded(asked, _VARIABLES, cable_of, cables, _gids(points), "Arbor", report)),
        gaps=gaps(halves, couplings.lower(network, cells, generated, report), cable_of, "Arbor", report),
        texts=generated.texts,
    )


def _settings(
    network: Network, plan: SimulationPlan, found: tuple[CellGroup, ...], generated: ArborGenerated, report: Report
) -> Settings:
    built = [group.model for group in found if not isinstance(group.model, SourceModel)]
    components = bool(built) and all(isinstance(model, SegmentModel) for model in built)
    silent = OF_CABLES if not any(isinstance(model, CableModel | SegmentModel) for model in built) else frozenset()
    if components:
        warm = any("celsius" in text for text in generated.texts.values())
        silent |= OF_CELLS if warm else OF_CELLS | {"celsius"}
    if plan.variable_step:
        report.lost("run", "run.variable_step", "Arbor's steps are of one length; they are not adapted.")
    return Settings(seed=plan.seed, **settings(network, plan, components, silent, "Arbor", report))


def _cables(
    found: tuple[CellGroup, ...],
    shapes: Geometries,
    generated: ArborGenerated,
    whole: Settings,
    size: int,
    report: Report,
) -> tuple[np.ndarray, tuple[Cable, ...]]:
    """Which of the cables every gid is, and these."""
    threshold = whole.spike_threshold

    def of_components(group: CellGroup, model: SegmentModel) -> Cable:
        return segment_cable(group, model, threshold, generated)

    def of_regions(group: CellGroup, model: CableModel, morphology: str) -> Cable:
        return cable(group.cell, model, shapes(morphology, model.processing), threshold, generated, report)

    cable_of, cables = cables_by_gid(found, size, of_components, of_regions)
    return cable_of, tuple(cables)


def _gids(points: tuple) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *(item.gids for item in points)])
