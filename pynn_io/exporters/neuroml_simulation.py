"""The LEMS file of a plan: its length and step, what it shows, and what it writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from functools import partial
from pathlib import Path

from pynn_io.exporters.neuroml_definitions import Definitions
from pynn_io.exporters.neuroml_inputs import STATED, events, outputs, stated_outputs
from pynn_io.exporters.neuroml_projections import Cells
from pynn_io.formats.lems import Simulation, write_simulation
from pynn_io.formats.neuroml_records import Element, nml_id
from pynn_io.graph.cells import PointCell, SpikeSource
from pynn_io.graph.network import Network
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import OBI_SPIKE_THRESHOLD

#: What a simulation step is where a plan states none, ms: NEURON's own.
STEP = 0.025


def spike_threshold(plan: SimulationPlan | None, network: Network, where: str, report: Report) -> float | None:
    """The plan's, mV; the OBI extension's own where a plan of that dialect is silent; None where nothing says it."""
    stated = None if plan is None else plan.spike_threshold
    if plan is None or stated is not None or network.extra.get("sonata", {}).get("dialect") != "obi":
        return stated
    report.defaulted(
        "default-membrane",
        where,
        f"The spike threshold is not stated; {OBI_SPIKE_THRESHOLD:g} mV is written, as the OBI extension takes it.",
    )
    return OBI_SPIKE_THRESHOLD


def write_plan(
    plan: SimulationPlan,
    network: Network,
    cells: Cells,
    definitions: Definitions,
    dest: Path,
    stem: str,
    files: tuple[str, ...],
    identifier: str,
    report: Report,
    *,
    spikes: bool,
    within: Element | None = None,
) -> None:
    """Write ``LEMS_stem.xml``. files: of the network. identifier: of the simulation.

    spikes: whether every population gets a file of spikes that the plan has not asked for. within: what stands around
    the network: then it is what is simulated, and paths begin in it.
    """
    if plan.duration is None:
        report.lost("no-duration", "plan", "The plan states no duration, so no LEMS simulation is written.")
        return
    if plan.timestep is None:
        report.defaulted(
            "default-timestep", "plan", f"The plan states no time step; {STEP} ms is written, as in NEURON."
        )
    own, own_events = stated_outputs(plan)
    stated = any(recording.kind in STATED for recording in plan.recordings)
    simulation = Simulation(
        identifier,
        nml_id(network.name or "network"),
        plan.duration,
        plan.timestep or STEP,
        files,
        (*own, *outputs(plan, network, cells, stem, report)),
        own_events if stated or not spikes else events(cells, stem, definitions),
        plan.seed,
        displays=_displays(plan),
    )
    if within is not None:
        simulation = _around(simulation, within, frozenset(cells.ends))
    write_simulation(dest / f"LEMS_{stem}.xml", simulation)


def _around(simulation: Simulation, within: Element, populations: Set[str]) -> Simulation:
    """The simulation of what stands around its network, in which paths begin."""
    inside = partial(_inside, simulation.target, populations)
    return replace(
        simulation,
        target=within.attributes["id"],
        outputs=tuple(replace(each, columns=inside(each.columns)) for each in simulation.outputs),
        events=tuple(replace(each, selections=inside(each.selections)) for each in simulation.events),
    )


def _inside(network: str, populations: Set[str], rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Paths that begin in a population, from outside of the network."""
    for name, path in rows:
        yield name, f"{network}/{path}" if re.split(r"[/[]", path, maxsplit=1)[0] in populations else path


def _displays(plan: SimulationPlan) -> tuple[Element, ...]:
    """What the simulation shows, and what it says about itself, as it did."""
    displays = [
        Element(
            "Display",
            {key: str(value) for key, value in display.items() if key != "lines"},
            tuple(Element("Line", dict(line)) for line in display["lines"]),
        )
        for display in plan.extra.get("displays", ())
    ]
    return (*(Element("Meta", dict(each)) for each in plan.extra.get("meta", ())), *displays)


def initial_potential(cell: PointCell | SpikeSource, plan: SimulationPlan | None, report: Report) -> float | None:
    """The plan's v_init, but not for NEST's models: neither BMTK's PointNet nor NEST's SonataNetwork applies it.

    With it, 300_pointneurons fires 4 % fewer spikes in its first 100 ms than both of them; without it, as many.
    """
    v_init = plan.v_init if plan is not None else None
    if v_init is None or not cell.model.startswith("nest:"):
        return v_init
    report.defaulted(
        "initial-potential",
        "plan",
        f"NEST's cells start at their own initial potential and not at the plan's v_init of {v_init} mV, which "
        "simulators of such circuits (BMTK's PointNet, NEST itself) do not apply to them.",
    )
    return None
