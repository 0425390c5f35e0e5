"""What to run, free of any simulator: duration, timestep, conditions, stimuli, recordings."""

from pynn_io.simulation_plan.plan import Recording, SimulationPlan

__all__ = ["Recording", "SimulationPlan"]
