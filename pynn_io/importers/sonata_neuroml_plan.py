"""The plan of a circuit that was NeuroML: pulses onto places of its cells, and what only NeuroML has of inputs.

A simulation configuration keeps under ``neuroml`` what its simulators have no word for: inputs that are components,
quantities that no report has, and which settings stand there only since SONATA's simulators would take others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_neuroml import KEY
from pynn_io.graph.dynamics import Component
from pynn_io.graph.network import Network
from pynn_io.graph.node_sets import resolve
from pynn_io.graph.stimuli import ComponentInput, CurrentPulses, Stimulus, Targets
from pynn_io.importers.sonata_neuroml_places import Places
from pynn_io.lowering.cells import rows_of
from pynn_io.simulation_plan.plan import Recording, SimulationPlan


def plan_as_neuroml(plan: SimulationPlan, places: Places) -> SimulationPlan:
    """The plan on the network of ``places``. Raises ReadError for inputs of components that are not defined."""
    network = places.network
    kept = plan.extra.get(KEY)
    held: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
    try:
        stimuli = [each for stimulus in plan.stimuli for each in _stimulus(stimulus, plan, places)]
        stimuli += [_component_input(each, network, places) for each in held.get("inputs", ())]
        recordings = [_recording(each) for each in held.get("recordings", ())]
        settings: dict[str, Any] = {
            name: None for name, value in held.get("defaults", {}).items() if getattr(plan, name, None) == value
        }
    except (KeyError, TypeError, AttributeError) as error:
        message = f"what the simulation keeps of NeuroML is not as pynn_io writes it: {error!r}"
        raise ReadError(message, where=places.where) from error
    return replace(
        plan,
        name=str(held.get("name", plan.name)),
        stimuli=tuple(stimuli),
        recordings=(*plan.recordings, *recordings),
        extra=_extra(plan, held),
        **settings,
    )


def _extra(plan: SimulationPlan, held: Mapping[str, Any]) -> dict[str, Any]:
    """What else the plan states, without what stands there only for BMTK."""
    found = {name: value for name, value in plan.extra.items() if name != KEY}
    ours = held.get("run", {})
    run = {name: value for name, value in found.pop("run", {}).items() if name not in ours or ours[name] != value}
    return {**found, **({"run": run} if run else {})}


def _stimulus(stimulus: Stimulus, plan: SimulationPlan, places: Places) -> Iterator[Stimulus]:
    """A pulse onto cells of NeuroML as one onto their segments; any other stimulus as it is."""
    network = places.network
    free = stimulus.targets or stimulus.compartment_set or stimulus.distance_range
    if free or not isinstance(stimulus.what, CurrentPulses):
        yield stimulus
        return
    found = resolve(stimulus.node_set, network, {**network.node_sets, **plan.node_sets})
    targets = {name: _targets(name, rows, stimulus, places) for name, rows in found.items() if len(rows)}
    if any(each is None for each in targets.values()):
        yield stimulus
        return
    for name, each in targets.items():
        own = stimulus.name if len(targets) == 1 else f"{stimulus.name}_{name}"
        yield replace(stimulus, name=own, node_set=None, section="soma", position=0.5, targets=each)


def _targets(name: str, rows: np.ndarray, stimulus: Stimulus, places: Places) -> Targets | None:
    """None for cells that are not all NeuroML's, or do not have the section."""
    population = places.network.populations[name]
    if not all(cell in places.defined.cells for cell in population.cells):
        return None
    section = places.of_section(population, rows, stimulus.section)
    if (section < 0).any():
        return None
    segment, along = places.on_segments(population, rows, section, np.full(len(rows), stimulus.position))
    if places.in_the_middle(population, rows, segment, along):
        return Targets(name, rows)
    return Targets(name, rows, segment, along)


def _component_input(kept: Mapping[str, Any], network: Network, places: Places) -> Stimulus:
    """One input that is a component: ``name``, ``component``, ``population``, ``node_id``, and where on the cells."""
    population = network.populations[kept["population"]]
    rows = rows_of(population, np.asarray(kept["node_id"], dtype=np.int64))
    if (rows < 0).any():
        message = f"the input {kept['name']!r} goes to nodes of {population.name!r} that are not there"
        raise ReadError(message, where=places.where)
    columns = {key: np.asarray(kept[key]) for key in ("segment", "fraction", "weight") if kept.get(key) is not None}
    return Stimulus(
        kept["name"],
        ComponentInput(_input(kept["component"], places)),
        None,
        targets=Targets(population.name, rows, **columns),
    )


def _input(name: str, places: Places) -> Component:
    words = places.defined.extra.get("neuroml", {})
    for group in ("inputs", "components"):
        if name in words.get(group, {}):
            found: Component = words[group][name]
            return found
    raise ReadError(f"the input component {name!r} is not defined", where=places.where)


def _recording(kept: Mapping[str, Any]) -> Recording:
    return Recording(
        kept["name"],
        kept["variable"],
        None,
        kind=kept["kind"],
        file=kept["file"],
        columns=tuple((name, path) for name, path in kept["columns"]),
        parameters=dict(kept.get("parameters", {})),
    )
