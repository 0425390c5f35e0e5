"""What the provenance of every run says of its plan."""

from __future__ import annotations

from typing import Any

from pynn_io.simulation_plan import SimulationPlan

#: Settings of a plan that decide about the numbers; a runner says in its own provenance what it used where None.
_SETTINGS = (
    *("duration", "timestep", "spike_threshold", "celsius", "v_init", "seed", "section_length", "spike_location"),
    *("spike_times", "variable_step", "integration_method", "min_delay"),
)


def facts_of(plan: SimulationPlan) -> dict[str, Any]:
    """The plan's name and what it states of its settings, as plain values."""
    return {
        "plan": plan.name,
        **{name: value for name in _SETTINGS if (value := getattr(plan, name)) is not None},
        **({"seeds": dict(plan.seeds)} if plan.seeds else {}),
    }
