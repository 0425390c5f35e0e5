"""What to run, free of any simulator: duration, timestep, conditions, stimuli, recordings."""

from pynn_io.simulation_plan.plan import Assignment, ConnectionOverride, Modification, Output, Recording, SimulationPlan

__all__ = ["Assignment", "ConnectionOverride", "Modification", "Output", "Recording", "SimulationPlan"]
