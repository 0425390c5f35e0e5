"""From a network and a plan to `LoweredNeuron`: pure, and without NEURON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pynn_io import lowering
from pynn_io.audit import loss_code
from pynn_io.errors import PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.stimuli import SpikeTrains
from pynn_io.lowering import simulated, sources, trains
from pynn_io.report import Report
from pynn_io.runners.neuron import (
    changes,
    component_inputs,
    couplings,
    events,
    junctions,
    quantities,
    recordings,
    stimuli,
)
from pynn_io.runners.neuron.cells import groups, mechanisms_of
from pynn_io.runners.neuron.component_inputs import is_of_segments
from pynn_io.runners.neuron.components import Generated
from pynn_io.runners.neuron.connections import cells_of, connections
from pynn_io.runners.neuron.geometry import Geometries
from pynn_io.runners.neuron.lowered import (
    CellGroup,
    Connections,
    LoweredNeuron,
    PointModel,
    Settings,
    SourceModel,
    Trains,
)
from pynn_io.runners.neuron.mechanisms import OWN
from pynn_io.runners.neuron.obi import Additions
from pynn_io.runners.neuron.obi_synapses import seed_gids
from pynn_io.runners.neuron.overrides import global_assignments, report_unused
from pynn_io.runners.neuron.placement import Generators, bmtk_gids
from pynn_io.runners.neuron.templates import template_files
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import OBI_SPIKE_THRESHOLD

#: What stands where a plan is silent: BMTK's (``sonata_config.py``: dt, dL, threshold) and the OBI extension's (the
#: conditions, and its own threshold).
_DEFAULTS = {"timestep": 0.1, "section_length": 20.0, "spike_threshold": -15.0, "celsius": 34.0, "v_init": -80.0}
_OBI_DEFAULTS = {"timestep": 0.025, "spike_threshold": OBI_SPIKE_THRESHOLD}
#: The cells that are points of NEURON's own or of ours.
_POINTS = frozenset({"IntFire1", "IntFire2", "IntFire4", *OWN})
#: The settings that change nothing where every cell is one of these.
_OF_CABLES = frozenset({"section_length", "spike_threshold", "celsius", "v_init"})
#: Those that cells of NeuroML state themselves; NEURON's own temperature stands where their network states none.
_OF_CELLS = frozenset({"section_length", "spike_threshold", "v_init"})
_COMPONENT_DEFAULTS = {"timestep": 0.025, "celsius": 6.3, "v_init": -65.0, "spike_threshold": 0.0}
_METHODS = {"euler": 0, "0": 0, "crank_nicolson": 1, "1": 1, "crank_nicolson_ion": 2, "2": 2}
_UNITS = {"timestep": "ms", "section_length": "um", "spike_threshold": "mV", "celsius": "degC", "v_init": "mV"}


def lower(network: Network, plan: SimulationPlan, report: Report) -> LoweredNeuron:
    """The network and the plan in NEURON's words.

    gids: populations in the network's order, sources too; within a population by row.
    Raises PlanError for a plan without an end and for stimuli of cells that are not there.
    """
    ids = {name: population.ids() for name, population in network.populations.items()}
    ends = np.cumsum([len(own) for own in ids.values()]).tolist()
    first = {name: end - len(own) for (name, own), end in zip(ids.items(), ends, strict=True)}
    generated = Generated(network, plan.section_length, driven=component_inputs.driven(network, plan))
    found = groups(network, simulated(network, plan), first, generated, report)
    warm = any("celsius" in text for text in generated.texts.values())
    settings = _settings(network, plan, found, warm, report)
    shapes = Geometries(network.morphologies, settings.section_length)
    emitted = trains(plan, network, report)
    replayed = events.lower(network, plan, sum(len(own) for own in ids.values()), report)
    cells = cells_of(network, first, found)
    added = Additions(network, plan, first, cells, replayed, _virtual(network), settings.timestep)
    made = _connections(added, shapes, list(ids.values()), set(emitted), generated, report)
    placed, others = component_inputs.lower(network, plan, cells, generated, settings.timestep, report)
    drives = stimuli.lower(network, others, first, report)
    altered = changes.lower(network, plan, first, report)
    halves = junctions.lower(network, {name: item.group >= 0 for name, item in cells.items()}, first, report)
    report_unused(plan, report)
    return LoweredNeuron(
        name=network.name,
        settings=settings,
        first=first,
        ids=ids,
        groups=found,
        connections=made,
        trains=_trains(emitted, first, replayed.trains),
        stimuli=drives,
        recordings=recordings.lower(network, plan, first, settings, report),
        inputs=placed,
        couplings=couplings.lower(network, cells, generated, report),
        quantities=quantities.lower(network, plan, cells, generated),
        emitted=emitted,
        needs={**_needs(found, made), **stimuli.needs(drives), **changes.needs(altered), **junctions.needs(halves)},
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
    points = _points(found)
    if plan.duration is None:
        raise PlanError("the plan does not say how long to run", where="run.tstop", hint="state it, or --duration MS")
    if plan.start:
        report.lost("run-start", "run.tstart", "NEURON starts at 0 ms; the stated start of the run is not used.")
    obi = network.extra.get("sonata", {}).get("dialect") == "obi"
    defaults = {**_DEFAULTS, **_OBI_DEFAULTS} if obi else _DEFAULTS
    if components:
        defaults = {**defaults, **_COMPONENT_DEFAULTS}
    values = {}
    for name, default in defaults.items():
        stated = getattr(plan, name)
        values[name] = default if stated is None else float(stated)
        silent = (points and name in _OF_CABLES) or (components and name in _OF_CELLS)
        silent = silent or (components and name == "celsius" and not warm)
        if stated is None and not silent:
            report.defaulted("default-setting", f"plan/{name}", f"{name} is not stated: {default} {_UNITS[name]}.")
    _check(values["timestep"], plan.duration)
    return Settings(
        duration=float(plan.duration),
        variable_step=bool(plan.variable_step),
        second_order=_second_order(plan),
        seed=plan.seed,
        mechanism_variables=plan.mechanism_variables,
        spike_location=plan.spike_location or "soma",
        seeds=plan.seeds,
        **values,
    )


def _second_order(plan: SimulationPlan) -> int:
    method = plan.integration_method
    if method is None:
        return 0
    if str(method) not in _METHODS:
        hint = f"known: {', '.join(name for name in _METHODS if not name.isdigit())}"
        raise PlanError(f"unknown integration method {method!r}", where="run.integration_method", hint=hint)
    return _METHODS[str(method)]


def _check(timestep: float, duration: float) -> None:
    if not timestep > 0:
        raise PlanError(f"the time step must be above 0 ms, here it is {timestep}", where="run.dt")
    if not duration >= 0:
        raise PlanError(f"the run must not end before it starts, here it ends at {duration} ms", where="run.tstop")


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

    First those between cells, then those from sources, population by population in the order of the inputs; those from
    sources without a spike only where events come without any (minis, replay).
    """
    network, plan, generators = added.network, added.plan, Generators(bmtk_gids(ids))
    silent, virtual = bool(plan.overrides) or added.events.any, added.virtual
    coupled = [item.name for item in network.projections.values() if junctions.is_electrical(item)]
    chemical = [item for item in network.projections.values() if item.kind == "chemical" and item.name not in coupled]
    for item in network.projections.values():
        if item.kind != "chemical" and item.name not in coupled and not couplings.is_coupling(item, network):
            message = f"Projections of the kind {item.kind!r} are not built on NEURON."
            report.lost(loss_code(f"kind:{item.kind}"), f"projections/{item.name}", message, count=item.size)
    chosen = [item for item in chemical if not virtual[item.pre]]
    for population in _by_input(network, plan):
        if population in emitting or silent:
            chosen += [item for item in chemical if virtual[item.pre] and item.pre == population]

    def plain(item: Projection) -> Connections:
        return connections(network, item, added.cells, shapes, generators, generated, report)

    return tuple(added.connections(item, plain, report) for item in chosen)


def _virtual(network: Network) -> dict[str, bool]:
    """Whether every cell of a population is a source."""
    return {
        name: bool(population.size) and bool(sources(population, network).all())
        for name, population in network.populations.items()
    }


def _by_input(network: Network, plan: SimulationPlan) -> list[str]:
    """Populations in the order of the spike inputs that feed them, then the others."""
    fed = [item.what.population for item in plan.stimuli if isinstance(item.what, SpikeTrains)]
    return list(dict.fromkeys([*fed, *network.populations]))


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
    return {name: tuple(who) for name, who in needs.items()}
