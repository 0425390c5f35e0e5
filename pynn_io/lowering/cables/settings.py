"""What holds for a whole run of cells with extent: what the plan states, else what its dialect means."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.simulation_plan.sonata_conditions import OBI_SPIKE_THRESHOLD

#: What stands where a plan is silent: BMTK's (``sonata_config.py``: dt, dL, threshold) and the OBI extension's (the
#: conditions, and its own threshold).
_DEFAULTS = {"timestep": 0.1, "section_length": 20.0, "spike_threshold": -15.0, "celsius": 34.0, "v_init": -80.0}
_OBI_DEFAULTS = {"timestep": 0.025, "spike_threshold": OBI_SPIKE_THRESHOLD}
_COMPONENT_DEFAULTS = {"timestep": 0.025, "celsius": 6.3, "v_init": -65.0, "spike_threshold": 0.0}
_UNITS = {"timestep": "ms", "section_length": "um", "spike_threshold": "mV", "celsius": "degC", "v_init": "mV"}
#: The settings that change nothing where no cell has a membrane.
OF_CABLES = frozenset({"section_length", "spike_threshold", "celsius", "v_init"})
#: Those that cells of NeuroML state themselves; NEURON's own temperature stands where their network states none.
OF_CELLS = frozenset({"section_length", "spike_threshold", "v_init"})


def settings(
    network: Network, plan: SimulationPlan, components: bool, silent: AbstractSet[str], simulator: str, report: Report
) -> dict[str, float]:
    """``timestep section_length spike_threshold celsius v_init`` of a run (ms, um, mV, degC, mV), and ``duration``.

    components: all cells are NeuroML's. silent: what changes nothing here, so that a default of it is not reported.
    Raises PlanError for a plan without an end, or with an impossible one.
    """
    if plan.duration is None:
        raise PlanError("the plan does not say how long to run", where="run.tstop", hint="state it, or --duration MS")
    if plan.start:
        message = f"{simulator} starts at 0 ms; the stated start of the run is not used."
        report.lost("run-start", "run.tstart", message)
    obi = network.extra.get("sonata", {}).get("dialect") == "obi"
    defaults = {**_DEFAULTS, **(_OBI_DEFAULTS if obi else {}), **(_COMPONENT_DEFAULTS if components else {})}
    values = {}
    for name, default in defaults.items():
        stated = getattr(plan, name)
        values[name] = default if stated is None else float(stated)
        if stated is None and name not in silent:
            report.defaulted("default-setting", f"plan/{name}", f"{name} is not stated: {default} {_UNITS[name]}.")
    if not values["timestep"] > 0:
        raise PlanError(f"the time step must be above 0 ms, here it is {values['timestep']}", where="run.dt")
    if not plan.duration >= 0:
        raise PlanError(f"the run must not end before it starts, here it ends at {plan.duration} ms", where="run.tstop")
    return {**values, "duration": float(plan.duration)}
