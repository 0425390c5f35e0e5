"""A SONATA simulation configuration as a plan: run, conditions, node sets, inputs and reports, of both dialects.

The configuration comes manifest-expanded. What has a field in the plan goes there; everything else that it states is
kept in `SimulationPlan.extra`, and what changes a simulation without being applied yet is reported by name.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.errors import GraphError, PlanError
from pynn_io.formats.sonata_config import read_json, resolve_path
from pynn_io.formats.sonata_neuroml import KEY, LEMS_WORDS
from pynn_io.graph import node_sets as sets
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import Stimulus
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import ConnectionOverride, SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import (
    check_compartment_sets,
    read_conditions,
    read_output,
    read_override,
    read_run,
)
from pynn_io.simulation_plan.sonata_context import Context
from pynn_io.simulation_plan.sonata_forms import OWN_INPUTS
from pynn_io.simulation_plan.sonata_inputs import read_input
from pynn_io.simulation_plan.sonata_reports import read_recordings
from pynn_io.simulation_plan.sonata_section import Section

#: Keys that belong to the circuit, or that point to it, in a joined configuration.
_CIRCUIT = ("manifest", "networks", "components", "network", "simulation", "node_sets", "node_sets_file")
#: Keys that say nothing about what is computed, or that a runner looks up in ``extra``.
_KEPT = (KEY, "metadata", "version", "beta_features", "mechanisms_dir", "target_simulator_version")
_KEPT_RUN = (
    *("nsteps_block", "tsteps_block", "overwrite_output_dir", "block_run", "block_size", "print_time"),
    *("precise_times", "forward_skip", "electrodes_file", "n_thread", "dL"),
)


def read_plan(
    simulation: Mapping[str, Any], *, where: Path, base: Path, network: Network, report: Report
) -> SimulationPlan:
    """The plan of a simulation configuration (``simulation``: its content, manifest variables resolved).

    where: its file, for messages. base: where relative paths start. network: for node sets, populations and ids.

    An input file that does not exist is reported (``missing-input``), since a circuit converts without it. Raises
    PlanError naming the file and the key (``inputs.current_clamp_1.amp``) for a malformed value, ReadError for a broken
    input file.
    """
    top = Section(simulation, str(where), "")
    top.drop(_CIRCUIT)
    run, conditions = top.section("run"), top.section("conditions")
    simulator = top.text("target_simulator") or network.extra.get("target_simulator")
    own_sets = _node_sets(simulation, where, base, network, report)
    settings = read_run(run)
    unit = "pA" if _is_nest(simulator, network) else "nA"
    context = Context(
        Path(base), network, {**network.node_sets, **own_sets}, report, unit, duration=settings["duration"]
    )
    stimuli, disabled = _inputs(top.section("inputs"), context)
    others, disabled_others = _inputs(top.section(OWN_INPUTS), context)
    node_set = top.take("node_set")
    fields, unread = read_conditions(conditions)
    return SimulationPlan(
        name=Path(where).stem,
        stimuli=stimuli + others,
        recordings=read_recordings(top.section("reports"), "all" if node_set is None else node_set, report),
        node_sets=own_sets,
        node_set=node_set,
        target_simulator=simulator,
        overrides=_overrides(top),
        compartment_sets={**_compartment_sets(top, context), **context.compartment_sets},
        output=read_output(top.section("output"), base),
        extra=_extra(
            top, run, conditions, {"disabled_inputs": disabled | disabled_others, "mechanisms": unread}, report
        ),
        **settings,
        **fields,
    )


def _is_nest(simulator: str | None, network: Network) -> bool:
    """Whether amplitudes are in pA.

    SONATA means nA. BMTK hands the number to the simulator as it stands, so that a configuration for NEST means pA
    (``bmtk/simulator/pointnet/modules/iclamp.py``: it becomes ``amplitude_values`` of a step_current_generator). Where
    no simulator is named, a network with NEST's own models counts as one for NEST.
    """
    if simulator:
        return simulator.upper() == "NEST"
    return any(isinstance(cell, PointCell) and cell.model.startswith("nest:") for cell in network.cells.values())


def _node_sets(
    simulation: Mapping[str, Any], where: Path, base: Path, network: Network, report: Report
) -> Mapping[str, Any]:
    """The simulation's own node sets, of its file and inline, checked together with the circuit's.

    BMTK takes the simulation's sets for the circuit's, so that files repeat these; what is repeated adds nothing.
    """
    named: dict[str, Any] = {}
    name, inline = simulation.get("node_sets_file"), simulation.get("node_sets") or {}
    if name:
        path = resolve_path(str(name), Path(base))
        if os.path.isfile(path):
            named = read_json(path, report)
        else:
            report.not_read(
                "missing-node-sets",
                f"{where}:node_sets_file",
                f"The node sets file {path} does not exist; inputs and reports that use its sets cannot be resolved.",
            )
    if not isinstance(named, Mapping) or not isinstance(inline, Mapping):
        raise PlanError("node sets must be an object", where=f"{where}:node_sets")
    own = {**named, **inline}
    try:
        sets.check({**network.node_sets, **own})
    except GraphError as error:
        raise PlanError("; ".join([error.message, *error.problems]), where=f"{where}:node_sets") from error
    circuits = network.node_sets
    return {name: content for name, content in own.items() if name not in circuits or circuits[name] != content}


def _inputs(inputs: Section, context: Context) -> tuple[tuple[Stimulus, ...], dict[str, Any]]:
    """The stimuli, and the inputs that are switched off, as they stand."""
    stimuli: list[Stimulus] = []
    disabled: dict[str, Any] = {}
    for name in list(inputs):
        content = inputs.section(name)
        if content.flag("enabled", True):
            stimuli += read_input(name, content, context)
        else:
            disabled[name] = {**content.rest(), "enabled": False}
    return tuple(stimuli), disabled


def _overrides(top: Section) -> tuple[ConnectionOverride, ...]:
    """``connection_overrides``: a list, or before version 2.4 an object by name."""
    stated = top.get("connection_overrides")
    if isinstance(stated, Mapping):
        named = top.section("connection_overrides")
        return tuple(replace(read_override(named.section(name)), name=name) for name in list(named))
    return tuple(read_override(item) for item in top.sections("connection_overrides"))


def _compartment_sets(top: Section, context: Context) -> Mapping[str, Any]:
    if top.get("compartment_sets_file") is None:
        return {}
    file = context.file(top, "compartment_sets_file")
    return {} if file is None else check_compartment_sets(read_json(file, context.report), file)


def _extra(
    top: Section, run: Section, conditions: Section, parts: Mapping[str, Mapping[str, Any]], report: Report
) -> dict[str, Any]:
    """What has no field of its own, by its key; the unknown is reported as well."""
    unread = [f"conditions.mechanisms.{name}.{key}" for name, own in parts["mechanisms"].items() for key in own]
    report.not_read(
        "mechanism-variable",
        top.place("conditions.mechanisms"),
        "A variable of a mechanism is a number; what is none is kept, but means nothing to pynn_io.",
        count=len(unread),
        examples=unread,
    )
    unknown = [f"run.{key}" for key in run if key not in _KEPT_RUN] + [key for key in top if key not in _KEPT]
    report.not_read(
        "unknown-simulation-key",
        top.place(""),
        "The simulation configuration has keys that pynn_io does not know; they are kept, but mean nothing to it.",
        count=len(unknown),
        examples=unknown,
    )
    rest = top.rest()
    rest |= _lems_words(rest.pop(KEY, None), top.place(KEY))
    kept = {"run": run.rest(), "conditions": conditions.rest(), **parts}
    return {**rest, **{name: part for name, part in kept.items() if part}}


def _lems_words(kept: Any, where: str) -> dict[str, Any]:
    """What the configuration keeps of a LEMS simulation, as a LEMS file's reader has it; the rest under its key."""
    if kept is None:
        return {}
    if not isinstance(kept, Mapping):
        raise PlanError("must be an object", where=where)
    rest = {name: value for name, value in kept.items() if name not in LEMS_WORDS}
    words = {name: _frozen(kept[name]) for name in LEMS_WORDS if name in kept}
    if not all(isinstance(each, tuple) and all(isinstance(item, Mapping) for item in each) for each in words.values()):
        raise PlanError(f"{' and '.join(LEMS_WORDS)} must be lists of objects", where=where)
    return {**words, **({KEY: rest} if rest else {})}


def _frozen(value: Any) -> Any:
    """Lists as tuples."""
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
