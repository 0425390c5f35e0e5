"""A simulation plan as SED-ML, for a model that stands beside it as LEMS.

SED-ML says which values to report, at equal steps of time. It has no word for spikes: recordings of events are lost in
it, and so is what of a plan a LEMS file does not say itself.
"""

from __future__ import annotations

from pathlib import Path

from pynn_io.formats.sedml import EULER, LEMS, Model, TimeCourse, write_sedml
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import SimulationPlan

_MS = 1000.0


def write_plan(plan: SimulationPlan, path: Path, model: str, report: Report) -> None:
    """Write ``path``. model: the LEMS file, relative to it. What SED-ML cannot say is reported. Raises WriteError.

    A plan without duration or step is none that SED-ML can say; it is reported, and nothing is written.
    """
    where = f"simulation {plan.name}"
    if plan.duration is None or plan.timestep is None:
        report.lost("sedml-time", where, "SED-ML needs a duration and a step, and the plan states none.")
        return
    quantities = [each for each in plan.recordings if each.kind == "quantities" and each.enabled]
    others = [each.name for each in plan.recordings if each not in quantities]
    if others:
        message = "SED-ML has no word for spikes, nor for recordings by cells: the model's own files have them."
        report.lost("sedml-recording", where, message, count=len(others), examples=others)
    points = round(plan.duration / plan.timestep)
    course = TimeCourse("simulation", 0.0, 0.0, plan.duration / _MS, points, EULER)
    write_sedml(path, Model("model", model, LEMS), course, [(each.name, each.columns) for each in quantities])
