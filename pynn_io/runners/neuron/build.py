"""The model in NEURON: cells of this rank, their synapses, stimuli and recordings, in that order."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from pynn_io.lowering.cables.models import (
    CableModel,
    CellGroup,
    Connections,
    PointModel,
    SegmentModel,
    SourceModel,
    SynapseBlock,
)
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron import (
    changes,
    component_inputs,
    couplings,
    junctions,
    quantities,
    recordings,
    relays,
    stimuli,
    templates,
)
from pynn_io.runners.neuron.cable import cable_maker
from pynn_io.runners.neuron.lowered import LoweredNeuron
from pynn_io.runners.neuron.mechanisms import load, names_of, variable_of
from pynn_io.runners.neuron.model import Cell, Model, Synapses
from pynn_io.runners.neuron.segment_cable import segment_maker
from pynn_io.runners.neuron.start import interpreter

#: A delay of one step that was stored as float32 is a little less than one.
_ALMOST = 1e-6


@contextmanager
def _without_collection() -> Iterator[None]:
    """Nothing that a build makes is garbage, and the collector would walk through all of it again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_without_collection()
def build(lowered: LoweredNeuron, profile: Profile, report: Report, progress: Progress) -> Model:
    """Build the part of the network that this rank simulates.

    Raises BackendUnavailable without NEURON, RunError for mechanisms that are missing or do not compile.
    """
    begin = perf_counter()
    h = interpreter()
    load(lowered, profile, report, progress)
    context = h.ParallelContext()
    model = Model(lowered, profile, int(context.id()), int(context.nhost()))
    model.events.append((lowered.trains.gids, lowered.trains.times))
    changes.set_variables(lowered)
    h.Random().Random123_globalindex(lowered.settings.seed or 0)
    total = sum(len(group.gids) for group in lowered.groups)
    for group in lowered.groups:
        _make_cells(model, group, report)
        progress("building cells", len(model.cells) * model.hosts, total)
    changes.apply(model, lowered, report)
    _make_connections(model, report, progress)
    junctions.make(model, lowered, report)
    couplings.make(model, lowered)
    component_inputs.apply(model, lowered)
    stimuli.apply(model, lowered, report)
    times, gids = h.Vector(), h.Vector()
    context.spike_record(-1, times, gids)
    model.spikes = (times, gids)
    recordings.attach(model, lowered, report)
    quantities.attach(model, lowered, report)
    _start_potentials(model)
    _use_threads(model, report)
    model.seconds["build"] = perf_counter() - begin
    return model


def _use_threads(model: Model, report: Report) -> None:
    """The profile's threads, or one where a mechanism cannot: NEURON says so when it initialises, not before."""
    from neuron import h

    context = h.ParallelContext()
    if model.profile.threads == 1:
        return
    context.nthread(model.profile.threads)
    try:
        h.finitialize(model.lowered.settings.v_init)
    except RuntimeError as error:
        context.nthread(1)
        reason = str(error).rpartition(": ")[2]
        report.defaulted("threads", "profile/threads", f"NEURON runs in one thread, since {reason}; use --processes.")


# --- cells --------------------------------------------------------------------------------------------------------


def _make_cells(model: Model, group: CellGroup, report: Report) -> None:
    """The cells of a group that are on this rank, each with its gid and its detector of spikes."""
    if isinstance(group.model, SourceModel):
        return
    make = _maker(model, group, report)
    for index in np.flatnonzero(group.gids % model.hosts == model.rank).tolist():
        cell = make(index)
        model.cells[cell.gid] = cell
        _detect(model, cell)


def _maker(model: Model, group: CellGroup, report: Report) -> Callable[[int], Cell]:
    lowered = model.lowered
    if isinstance(group.model, PointModel):
        return _point_maker(group, group.model, report)
    if isinstance(group.model, CableModel):
        return cable_maker(group, group.model, lowered, report)
    if isinstance(group.model, SegmentModel):
        return segment_maker(group, group.model, lowered)
    return templates.maker(model, group, report)


def _point_maker(group: CellGroup, point: PointModel, report: Report) -> Callable[[int], Cell]:
    """Cells that are one point process, which stands for itself, or in a section: its own, or one that all share."""
    from neuron import h

    if point.capacitance is not None:
        return _component_maker(group, point)
    constructor = getattr(h, point.mechanism)
    artificial = names_of(h).artificial(point.mechanism)
    common = h.Section(name=group.cell) if point.current[0] else None
    shared = _settings_of(point.mechanism, point.parameters, f"cells/{group.cell}", report)
    own = _settings_of(point.mechanism, group.parameters, f"cells/{group.cell}", report)
    gids = group.gids.tolist()

    def make(index: int) -> Cell:
        section = None if artificial else common or h.Section(name="soma")
        process = constructor() if section is None else constructor(section(0.5))
        for name, value in shared:
            setattr(process, name, value)
        for name, values in own:
            if not np.isnan(values[index]):
                setattr(process, name, float(values[index]))
        return Cell(gids[index], (), section, process, records=point.records, current=point.current)

    return make


#: Length and diameter of a section of 1e5 um2, whose ``cm`` (uF/cm2) is its capacitance in nF.
_UNIT_SIZE = (1e5 / math.pi) ** 0.5


def _component_maker(group: CellGroup, point: PointModel) -> Callable[[int], Cell]:
    """Abstract cells of NeuroML: a process in a section of its own, whose potential is the cell's."""
    from neuron import h

    constructor = getattr(h, point.mechanism)
    gids = group.gids.tolist()
    own = [(name, values) for name, values in group.parameters.items() if name in point.parameters]

    def make(index: int) -> Cell:
        section = h.Section(name=group.cell)
        section.L = section.diam = _UNIT_SIZE
        section.cm = point.capacitance
        process = constructor(section(0.5))
        for name, value in point.parameters.items():
            setattr(process, name, value)
        for name, values in own:
            if not np.isnan(values[index]):
                setattr(process, name, float(values[index]))
        start = () if point.potential is None else ((section(0.5), point.potential),)
        return Cell(gids[index], (section,), section, process, potentials=start)

    return make


def _start_potentials(model: Model) -> None:
    """The potentials that cells state for the start, set between ``v_init`` and what INITIAL blocks make of them."""
    from neuron import h

    stated = [pair for cell in model.cells.values() for pair in cell.potentials]
    if not stated:
        return

    def begin() -> None:
        for segment, potential in stated:
            segment.v = potential

    model.keep.append(h.FInitializeHandler(0, begin))


def _settings_of(mechanism: str, stated: Mapping[str, Any], where: str, report: Report) -> list[tuple[str, Any]]:
    """Stated parameters under the names that the mechanism has; what it does not have is LOST."""
    found, unknown = [], []
    for name, value in stated.items():
        variable = variable_of(mechanism, name)
        if variable is None:
            unknown.append(name)
        else:
            found.append((variable, value))
    report.lost(
        "unknown-parameter",
        where,
        f"The mechanism {mechanism} has no such parameters; their values are not used.",
        count=len(unknown),
        examples=unknown,
    )
    return found


def _detect(model: Model, cell: Cell) -> None:
    from neuron import h

    context = h.ParallelContext()
    context.set_gid2node(cell.gid, model.rank)
    if cell.point is not None:
        detector = h.NetCon(cell.point, None)
    else:
        place = cell.spikes_at or cell.soma(0.5)
        detector = h.NetCon(place._ref_v, None, sec=place.sec)
        stated = cell.threshold
        detector.threshold = model.lowered.settings.spike_threshold if stated is None else stated
    context.cell(cell.gid, detector)


# --- synapses -----------------------------------------------------------------------------------------------------


def _make_connections(model: Model, report: Report, progress: Progress) -> None:
    keep = np.zeros(model.lowered.size, dtype=bool)
    keep[list(model.cells)] = True
    total = sum(item.size for item in model.lowered.connections)
    done = 0
    for item in model.lowered.connections:
        made = model.synapses[item.projection] = Synapses()
        constructors = [_constructor(synapse.mechanism, synapse.parameters, item, report) for synapse in item.models]
        for block in item.blocks(keep, report):
            begin = len(made.netcons)
            if item.drawing is not None:
                block = item.drawing.located(model, block, report)
            if item.release is not None:
                block = item.release.located(model, block, report)
            _name_short_delays(model, block, item, report)
            _make_block(model, block, constructors, item, made)
            if item.release is not None:
                item.release.finish(model, block, made.netcons[begin:], made.points[begin:])
            progress("connecting", done + int(block.edge[-1]) + 1 if len(block.edge) else done, total)
        done += item.size


def _name_short_delays(model: Model, block: SynapseBlock, item: Connections, report: Report) -> None:
    """Delays between 0 and one step are APPROXIMATED where NEURON steps the target.

    NEURON hands events to what it steps at the nearest step: below half a step at once, else one step later. Without a
    delay a spike crosses at once, as stated; artificial cells and variable steps keep every time.
    """
    settings = model.lowered.settings
    if settings.variable_step:
        return
    short = np.flatnonzero((block.delay > 0) & (block.delay < settings.timestep * (1 - _ALMOST)))
    stepped = [gid for gid in block.target[short].tolist() if model.cells[gid].soma is not None]
    report.approximated(
        "short-delay",
        f"projections/{item.projection}",
        f"Delays lie below the time step of {settings.timestep} ms: NEURON delivers at the nearest step, at once or one"
        " step later.",
        count=len(stepped),
    )


def _constructor(
    mechanism: str, stated: Mapping[str, float], item: Connections, report: Report
) -> tuple[Any, list[tuple[str, Any]]]:
    """NEURON's constructor of a synapse type, None where events go to the cell itself, and what to set on it."""
    if not mechanism:
        return None, []
    from neuron import h

    return getattr(h, mechanism), _settings_of(mechanism, stated, f"projections/{item.projection}", report)


def _make_block(model: Model, block: SynapseBlock, constructors: list[Any], item: Connections, made: Synapses) -> None:
    """The one loop over synapses: what NEURON wants one by one."""
    from neuron import h

    connect = h.ParallelContext().gid_connect
    cells, netcons, points, seed = model.cells, made.netcons, made.points, model.lowered.settings.seed or 0
    own = [(name, values.tolist()) for name, values in block.parameters.items()]
    columns = (block.source, block.target, block.model, block.weight, block.delay, block.section, block.position)
    for row, (source, target, kind, weight, delay, section, position) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        cell = cells[target]
        point = cell.point
        relay = item.relays[kind] if item.relays else None
        if relay is not None:
            stated = {name: values[row] for name, values in own}
            netcon, point = relays.connect(model, relay, cell, source, weight, delay, stated)
            relays.seed(point, item.projection, seed, int(block.edge[row]))
            netcons.append(netcon)
            points.append(point)
            continue
        if section >= 0:
            constructor, settings = constructors[kind]
            point = constructor(cell.sections[section](position))
            for name, value in settings:
                setattr(point, name, value)
            for name, values in own:
                if values[row] == values[row]:  # NaN: not stated
                    setattr(point, name, values[row])
        netcon = connect(source, point)
        netcon.weight[0] = weight
        netcon.delay = delay
        netcons.append(netcon)
        points.append(point)
    made.edges.append(block.edge)
    made.targets.append(block.target)
