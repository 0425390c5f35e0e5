"""From a network and a plan to `LoweredMoose`: pure, and without MOOSE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from pynn_io.audit import loss_code
from pynn_io.errors import UnsupportedInput
from pynn_io.graph.cells import CableCell, Cell, PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.lowering import Part, simulated, trains
from pynn_io.lowering.abstract import with_potentials
from pynn_io.lowering.cables import couplings, drives, elements, inputs, junctions, probes
from pynn_io.lowering.cables.components import is_of_components
from pynn_io.lowering.cables.connections import connections
from pynn_io.lowering.cables.decor import region_model
from pynn_io.lowering.cables.elements import POTENTIAL, Recorded, Variable
from pynn_io.lowering.cables.gaps import Gaps, gaps
from pynn_io.lowering.cables.geometry import Geometries
from pynn_io.lowering.cables.models import CableModel, CellGroup, CellModel, SegmentModel, SourceModel
from pynn_io.lowering.cables.numbering import nodes_of, numbered, trains_by_gid
from pynn_io.lowering.cables.order import ordered
from pynn_io.lowering.cables.placement import Generators, bmtk_gids
from pynn_io.lowering.cables.populations import cables_by_gid, cell_groups, cells_of
from pynn_io.lowering.cables.probes import Probe
from pynn_io.lowering.cables.settings import OF_CABLES, OF_CELLS, settings
from pynn_io.lowering.membrane import segment_model
from pynn_io.lowering.surroundings import celsius_at_start
from pynn_io.report import Report
from pynn_io.runners.moose.components import MooseGenerated
from pynn_io.runners.moose.lowered import Cable, LoweredMoose, Settings
from pynn_io.runners.moose.membrane import elsewhere, region_cable, segment_cable
from pynn_io.simulation_plan import SimulationPlan

_NAME = "MOOSE"
#: What is recorded, by the names that NEURON has for it: V in mV; a concentration is mM.
_VARIABLES = {**dict.fromkeys(POTENTIAL, Variable("v", factor=1e3)), "cai": Variable("concentration", "ca")}


def lower(network: Network, plan: SimulationPlan, report: Report) -> LoweredMoose:
    """The network and the plan in MOOSE's words.

    gids: populations in the network's order, sources too; within a population by row.
    Raises PlanError for a plan without an end and for stimuli of cells that are not there.
    """
    ids, first = numbered(network)
    whole = _settings(network, plan, Report())
    generated = MooseGenerated(network, plan.section_length, driven=inputs.driven(network, plan), celsius=whole.celsius)
    plan = with_potentials(plan, network, generated.middle)
    found = _groups(network, simulated(network, plan), first, generated, report)
    _settings(network, plan, report, frozenset() if generated.warm else frozenset({"celsius"}))
    shapes = Geometries(network.morphologies, whole.section_length)
    cells = cells_of(network, first, found)
    emitted = trains(plan, network, report)
    generators = Generators(bmtk_gids(list(ids.values())))
    made = [
        connections(network, item, cells, shapes, generators, generated, report)
        for item in ordered(network, plan, emitted.keys(), _NAME, report)
    ]
    cable_of, cables = _cables(found, shapes, generated, whole, sum(map(len, ids.values())), report)
    halves = junctions.lower(network, {name: item.group >= 0 for name, item in cells.items()}, first, report)
    plan = replace(plan, stimuli=tuple(elements.currents_only(plan, _NAME, report)))
    placed, others = inputs.lower(network, plan, cells, generated, whole.timestep, report)
    currents = drives.lower(network, others, first, report)
    asked = probes.lower(network, plan, first, (whole.timestep, whole.duration), report)
    return LoweredMoose(
        name=network.name,
        settings=whole,
        first=first,
        ids=ids,
        nodes=nodes_of(found, ids),
        cable=cable_of,
        cables=cables,
        connections=tuple(made),
        trains=trains_by_gid(emitted, first),
        injections=tuple(elements.injections(currents, placed, cable_of, cables, whole.timestep, report)),
        recordings=tuple(_recorded(asked, cable_of, cables, report)),
        gaps=_mutual(gaps(halves, couplings.lower(network, cells, generated, report), cable_of, _NAME, report), report),
    )


def _settings(network: Network, plan: SimulationPlan, report: Report, silent: frozenset[str] = frozenset()) -> Settings:
    """silent: what changes nothing where all cells are NeuroML's."""
    if plan.celsius is None:
        plan = replace(plan, celsius=celsius_at_start(network))
    cells = [cell for cell in network.cells.values() if isinstance(cell, CableCell)]
    components = bool(cells) and all(is_of_components(cell, network) for cell in cells)
    if plan.variable_step:
        report.lost("run", "run.variable_step", "MOOSE's steps are of one length; they are not adapted.")
    unseen = OF_CELLS | silent if components else frozenset() if cells else OF_CABLES
    return Settings(**settings(network, plan, components, unseen, _NAME, report))


def _groups(
    network: Network,
    rows: Mapping[str, np.ndarray],
    first: Mapping[str, int],
    generated: MooseGenerated,
    report: Report,
) -> tuple[CellGroup, ...]:
    """The simulated cells, by population and definition. What MOOSE does not have is LOST and left out."""

    def model_of(part: Part) -> tuple[CellModel | None, Mapping[str, np.ndarray]]:
        return _model(part, generated, report), {}

    return cell_groups(network, rows, first, model_of, _refusal, _NAME, report)


def _refusal(part: Part) -> str:
    return f"MOOSE does not have {_what(part.cell)}; these cells are left out, with their synapses."


def _what(cell: Cell) -> str:
    if isinstance(cell, CableCell):
        return f"the language of the template {cell.template}" if cell.template else "the channels of this cell"
    return f"the cell {cell.model}" if isinstance(cell, PointCell) else f"cells of the kind {getattr(cell, 'kind', '')}"


def _model(part: Part, generated: MooseGenerated, report: Report) -> CellModel | None:
    cell, where = part.cell, f"cells/{part.cell_name}"
    if isinstance(cell, SpikeSource):
        return SourceModel()
    if not isinstance(cell, CableCell) or cell.template:
        return None
    if not is_of_components(cell, generated.network):
        return region_model(cell, where, generated.network, report)
    try:
        return segment_model(part.cell_name, cell, generated.shape(str(cell.morphology)), generated, report)
    except UnsupportedInput as error:
        message = f"Equations of {part.cell_name!r} cannot be put on MOOSE: {error.message}."
        report.lost("channel", where, message, examples=[part.cell_name])
        return None


def _cables(
    found: tuple[CellGroup, ...],
    shapes: Geometries,
    generated: MooseGenerated,
    whole: Settings,
    size: int,
    report: Report,
) -> tuple[np.ndarray, tuple[Cable, ...]]:
    """Which of the cables every gid is, and these."""

    def of_components(group: CellGroup, model: SegmentModel) -> Cable:
        return segment_cable(group, model, whole, generated)

    def of_regions(group: CellGroup, model: CableModel, morphology: str) -> Cable:
        return region_cable(group, model, shapes(morphology, model.processing), whole, generated, report)

    cable_of, cables = cables_by_gid(found, size, of_components, of_regions)
    others = elsewhere(cables)
    report.approximated(
        "initial-state",
        "channels",
        "All gates of MOOSE start at their steady state; those of these channels start elsewhere.",
        count=len(others),
        examples=list(others),
    )
    return cable_of, tuple(cables)


def _recorded(
    asked: Sequence[Probe], cable_of: np.ndarray, cables: Sequence[Cable], report: Report
) -> Iterator[Recorded]:
    points = np.zeros(0, dtype=np.int64)
    for item in elements.recorded(asked, _VARIABLES, cable_of, cables, points, _NAME, report):
        yield _with_pools(item, cable_of, cables, report)


def _with_pools(item: Recorded, cable_of: np.ndarray, cables: Sequence[Cable], report: Report) -> Recorded:
    """A report but for its places without the pool that it asks for (LOST)."""
    if not item.variable.ion:
        return item
    kept = np.zeros(len(item.gids), dtype=bool)
    for number in np.unique(cable_of[item.gids]).tolist():
        mine, cable = cable_of[item.gids] == number, cables[number]
        there = [pool.compartments for pool in cable.pools if pool.ion == item.variable.ion]
        kept[mine] = np.isin(
            cable.compartment(item.section[mine], item.position[mine]),
            np.concatenate([np.zeros(0, dtype=np.int64), *there]),
        )
    name, lost = item.probe.name, int((~kept).sum())
    message = f"The report {name!r} names places where nothing has to do with calcium; it is left out there."
    report.lost(loss_code("recording"), f"reports.{name}", message, count=lost, examples=[name] * bool(lost))
    section, position = item.shown
    return replace(
        item,
        gids=item.gids[kept],
        section=item.section[kept],
        position=item.position[kept],
        shown=(section[kept], position[kept]),
    )


def _mutual(found: Gaps, report: Report) -> Gaps:
    """Gap junctions but those whose halves conduct differently (LOST): one of MOOSE has one conductance."""
    of_site = dict(zip(found.own.tolist(), found.conductance.tolist(), strict=True))
    there = np.array([of_site[site] for site in found.other.tolist()], dtype=np.float64)
    same = found.conductance == there
    message = "Gap junctions whose halves have different conductances are not made on MOOSE."
    report.lost("gap-junction", "projections", message, count=int((~same).sum()))
    return Gaps(*(getattr(found, each.name)[same] for each in fields(found)))
