"""From a network and a plan to `LoweredNeuron`: pure, and without NEURON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pynn_io import lowering
from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering import simulated, trains
from pynn_io.lowering.cables import couplings, drives, inputs, probes
from pynn_io.lowering.cables import junctions as gaps
from pynn_io.lowering.cables.components import Generated
from pynn_io.lowering.cables.connections import connections
from pynn_io.lowering.cables.geometry import Geometries
from pynn_io.lowering.cables.inputs import is_of_segments
from pynn_io.lowering.cables.models import CellGroup, Connections, PointModel, SourceModel
from pynn_io.lowering.cables.numbering import numbered
from pynn_io.lowering.cables.order import ordered, virtual_populations
from pynn_io.lowering.cables.placement import Generators, bmtk_gids
from pynn_io.lowering.cables.populations import cells_of
from pynn_io.lowering.cables.settings import OF_CABLES, OF_CELLS, settings
from pynn_io.lowering.surroundings import celsius_at_start
from pynn_io.report import Report
from pynn_io.runners.neuron import changes, events, junctions, quantities, stimuli
from pynn_io.runners.neuron.cells import groups, mechanisms_of
from pynn_io.runners.neuron.drawing import Drawing
from pynn_io.runners.neuron.lowered import LoweredNeuron, Settings, Trains
from pynn_io.runners.neuron.mechanisms import OWN
from pynn_io.runners.neuron.obi import Additions
from pynn_io.runners.neuron.obi_synapses import seed_gids
from pynn_io.runners.neuron.overrides import global_assignments, report_unused
from pynn_io.runners.neuron.relays import with_relays
from pynn_io.runners.neuron.templates import template_files
from pynn_io.simulation_plan import SimulationPlan

#: The cells that are points of NEURON's own or of ours.
_POINTS = frozenset({"IntFire1", "IntFire2", "IntFire4", *OWN})
_METHODS = {"euler": 0, "0": 0, "crank_nicolson": 1, "1": 1, "crank_nicolson_ion": 2, "2": 2}


def lower(network: Network, plan: SimulationPlan, report: Report) -> LoweredNeuron:
    """The network and the plan in NEURON's words.

    gids: populations in the network's order, sources too; within a population by row.
    Raises PlanError for a plan without an end and for stimuli of cells that are not there.
    """
    if plan.celsius is None:
        plan = replace(plan, celsius=celsius_at_start(network))
    ids, first = numbered(network)
    generated = Generated(network, plan.section_length, driven=inputs.driven(network, plan))
    found = groups(network, simulated(network, plan), first, generated, report)
    warm = any("celsius" in text for text in generated.texts.values())
    whole = _settings(network, plan, found, warm, report)
    shapes = Geometries(network.morphologies, whole.section_length)
    emitted = trains(plan, network, report)
    replayed = events.lower(network, plan, sum(len(own) for own in ids.values()), report)
    cells = cells_of(network, first, found)
    added = Additions(network, plan, first, cells, replayed, virtual_populations(network), whole.timestep)
    made = _connections(added, shapes, list(ids.values()), set(emitted), generated, report)
    placed, others = inputs.lower(network, plan, cells, generated, whole.timestep, report)
    currents = drives.lower(network, others, first, report)
    altered = changes.lower(network, plan, first, report)
    halves = gaps.lower(network, {name: item.group >= 0 for name, item in cells.items()}, first, report)
    report_unused(plan, report)
    return LoweredNeuron(
        name=network.name,
        settings=whole,
        first=first,
        ids=ids,
        groups=found,
        connections=made,
        trains=_trains(emitted, first, replayed.trains),
        stimuli=currents,
        recordings=probes.lower(network, plan, first, (whole.timestep, whole.duration), report),
        inputs=placed,
        couplings=couplings.lower(network, cells, generated, report),
        quantities=quantities.lower(network, plan, cells, generated),
        emitted=emitted,
        needs={**_needs(found, made), **stimuli.needs(currents), **changes.needs(altered), **junctions.needs(halves)},
        mechanism_folders=mechanism_folders(network),
        morphologies=network.morphologies,
        shapes=shapes,
        templates=template_files(network),
        seed_first=seed_gids(network),
        junctions=halves,
        changes=altered,
        variables=global_assignments(plan),
        segments=generated.shape,
        generated=generated.texts,
    )


def _trains(emitted: Mapping[str, lowering.Trains], first: Mapping[str, int], replayed: Trains) -> Trains:
    """What sources emit, by gid, and what is replayed."""
    rows = [item.rows + first[name] for name, item in emitted.items()]
    return _sorted([*rows, replayed.gids], [*(item.times for item in emitted.values()), replayed.times])


def mechanism_folders(network: Network) -> tuple[Path, ...]:
    """Where the network's components say that ``.mod`` files are."""
    components = network.extra.get("sonata", {}).get("components", {})
    entry = components.get("mechanisms_dir")
    path = entry.get("path") if isinstance(entry, Mapping) else None
    own = [folder for files in template_files(network).values() for folder in files.mechanisms]
    return tuple(dict.fromkeys([*([Path(path)] if path else []), *own]))


def _points(found: tuple[CellGroup, ...]) -> bool:
    """Whether all cells are points of NEURON's or of ours: those of a user's mechanism may depend on celsius."""
    return all(
        isinstance(group.model, SourceModel)
        or (isinstance(group.model, PointModel) and group.model.mechanism in _POINTS)
        for group in found
    )


def _components(found: tuple[CellGroup, ...]) -> bool:
    """Whether all cells are NeuroML's: they state their own potentials and thresholds, and what compartments are."""
    return all(isinstance(group.model, SourceModel) or is_of_segments(group.model) for group in found)


def _settings(
    network: Network, plan: SimulationPlan, found: tuple[CellGroup, ...], warm: bool, report: Report
) -> Settings:
    """warm: whether an equation that was written for the network depends on the temperature."""
    components = _components(found) and any(is_of_segments(group.model) for group in found)
    silent = OF_CABLES if _points(found) else frozenset()
    if components:
        silent |= OF_CELLS if warm else OF_CELLS | {"celsius"}
    return Settings(
        variable_step=bool(plan.variable_step),
        second_order=_second_order(plan),
        seed=plan.seed,
        mechanism_variables=plan.mechanism_variables,
        spike_location=plan.spike_location or "soma",
        seeds=plan.seeds,
        **settings(network, plan, components, silent, "NEURON", report),
    )


def _second_order(plan: SimulationPlan) -> int:
    method = plan.integration_method
    if method is None:
        return 0
    if str(method) not in _METHODS:
        hint = f"known: {', '.join(name for name in _METHODS if not name.isdigit())}"
        raise PlanError(f"unknown integration method {method!r}", where="run.integration_method", hint=hint)
    return _METHODS[str(method)]


def _sorted(gids: list[np.ndarray], times: list[np.ndarray]) -> Trains:
    """Trains of several populations as one list, by time."""
    every_gid = np.concatenate([np.zeros(0, dtype=np.int64), *gids])
    every_time = np.concatenate([np.zeros(0), *times])
    if every_time.min(initial=0.0) < 0:
        raise PlanError(f"a spike at {every_time.min()} ms, before the run begins", where="inputs")
    order = np.lexsort((every_gid, every_time))
    return Trains(every_gid[order], every_time[order])


def _connections(
    added: Additions,
    shapes: Geometries,
    ids: list[np.ndarray],
    emitting: set[str],
    generated: Generated,
    report: Report,
) -> tuple[Connections, ...]:
    """All chemical projections, in the order in which BMTK makes them.

    Those from sources without a spike are there only where events come without any (minis, replay).
    """
    network, plan, generators = added.network, added.plan, Generators(bmtk_gids(ids))
    silent = bool(plan.overrides) or added.events.any

    def plain(item: Projection) -> Connections:
        made = connections(network, item, added.cells, shapes, generators, generated, report, Drawing)
        return with_relays(made, item, network, added.cells[item.post], report)

    chosen = ordered(network, plan, None if silent else emitting, "NEURON", report)
    return tuple(added.connections(item, plain, report) for item in chosen)


def _needs(found: tuple[CellGroup, ...], made: tuple[Connections, ...]) -> dict[str, tuple[str, ...]]:
    """Mechanism -> who needs it."""
    needs: dict[str, dict[str, None]] = {}
    for group in found:
        for mechanism in sorted(mechanisms_of(group.model)):
            needs.setdefault(mechanism, {})[f"{group.population} ({group.cell})"] = None
    for item in made:
        for model in item.models:
            if model.mechanism:
                needs.setdefault(model.mechanism, {})[f"synapses of {item.projection}"] = None
        for relay in filter(None, item.relays):
            needs.setdefault(relay.mechanism, {})[f"synapses of {item.projection}"] = None
    return {name: tuple(who) for name, who in needs.items()}
