"""A SONATA simulation configuration as a plan: run, conditions, node sets, inputs and reports, of both dialects.

The configuration comes manifest-expanded. What has a field in the plan goes there; everything else that it states is
kept in `SimulationPlan.extra`, and what changes a simulation without being applied yet is reported by name.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.errors import GraphError, PlanError
from pynn_io.formats.sonata_config import read_json, resolve_path
from pynn_io.graph import node_sets as sets
from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network
from pynn_io.graph.stimuli import Stimulus
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording, SimulationPlan
from pynn_io.simulation_plan.sonata_inputs import Context, read_input
from pynn_io.simulation_plan.sonata_section import Section

#: Keys that belong to the circuit, or that point to it, in a joined configuration.
_CIRCUIT = ("manifest", "networks", "components", "network", "simulation", "node_sets", "node_sets_file")
#: Keys that say nothing about what is computed, or that a runner looks up in ``extra``.
_KEPT = (
    *("output", "metadata", "version", "beta_features", "node_set", "compartment_sets_file", "mechanisms_dir"),
    "target_simulator_version",
)
_KEPT_RUN = (
    *("tstart", "dL", "nsteps_block", "tsteps_block", "overwrite_output_dir", "block_run", "block_size"),
    *("integration_method", "forward_skip", "electrodes_file"),
    *("stimulus_seed", "ionchannel_seed", "minis_seed", "synapse_seed"),
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
    context = Context(
        base=Path(base),
        network=network,
        node_sets={**network.node_sets, **own_sets},
        report=report,
        amplitude_unit="pA" if _is_nest(simulator, network) else "nA",
        duration=(duration := run.number("tstop", "duration")),
    )
    stimuli, disabled = _inputs(top.section("inputs"), context)
    everywhere = simulation.get("node_set", "all")
    plan = SimulationPlan(
        name=Path(where).stem,
        duration=duration,
        timestep=run.number("dt"),
        spike_threshold=run.number("spike_threshold"),
        celsius=conditions.number("celsius"),
        v_init=conditions.number("v_init"),
        seed=run.integer("random_seed"),
        stimuli=stimuli,
        recordings=_recordings(top.section("reports"), everywhere),
        node_sets=own_sets,
        target_simulator=simulator,
        extra=_extra(top, run, conditions, disabled, report),
    )
    if "node_set" in simulation:
        _report_subset(everywhere, context, f"{where}:node_set")
    return plan


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
    """The simulation's own node sets, of its file and inline, checked together with the circuit's."""
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
    return own


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


def _recordings(reports: Section, everywhere: Any) -> tuple[Recording, ...]:
    """What is recorded. Several variables of one report stay together, separated by commas, as in the OBI dialect."""
    recordings = []
    for name in list(reports):
        item = reports.section(name)
        recordings.append(
            Recording(
                name=name,
                variable=", ".join(item.texts("variable_name")),
                node_set=item.take("cells", everywhere),
                sections=", ".join(item.texts("sections")) or "soma",
                start=item.number("start_time"),
                stop=item.number("end_time"),
                interval=item.number("dt"),
                enabled=item.flag("enabled", True),
                parameters=item.rest(),
            )
        )
    return tuple(recordings)


def _extra(
    top: Section, run: Section, conditions: Section, disabled: Mapping[str, Any], report: Report
) -> dict[str, Any]:
    """What has no field of its own, by its key; the unknown is reported as well."""
    unknown = [f"run.{key}" for key in run if key not in _KEPT_RUN]
    overrides = top.get("connection_overrides")
    if overrides:
        report.not_read(
            "connection-overrides",
            top.place("connection_overrides"),
            "The simulation changes weights and delays of some connections; this is kept, but not applied yet.",
            count=len(overrides),
        )
    unknown += [key for key in top if key not in (*_KEPT, "connection_overrides")]
    report.not_read(
        "unknown-simulation-key",
        top.place(""),
        "The simulation configuration has keys that pynn_io does not know; they are kept, but mean nothing to it.",
        count=len(unknown),
        examples=unknown,
    )
    parts = {"run": run.rest(), "conditions": conditions.rest(), "disabled_inputs": disabled}
    return {**top.rest(), **{name: part for name, part in parts.items() if part}}


def _report_subset(node_set: Any, context: Context, place: str) -> None:
    """A simulation of part of the circuit: say so, unless the set is everything."""
    try:
        selected = sets.resolve(node_set, context.network, context.node_sets)
    except GraphError:
        selected = {}
    missing = sum(pop.size - len(selected.get(name, ())) for name, pop in context.network.populations.items())
    context.report.not_read(
        "simulation-node-set",
        place,
        f"The simulation builds only the cells of node set {node_set!r}; the plan says so, the network has all.",
        count=missing,
    )
