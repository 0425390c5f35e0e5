"""A SED-ML document and the model that it names -> `Document`: the model's network, run as SED-ML says.

A time course states the times of the values that it wants, not the step of the solver: that stays the model's own,
where it has one. What the reports need of the run is recorded under the name of the report's document.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pynn_io.document import Document
from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.sedml import Experiment, Model, Task, TimeCourse, read_sedml
from pynn_io.importers import neuroml
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording, SimulationPlan

#: Languages of models that are read (`urn:sedml:language:neuroml.version-2_3` and the like).
_LANGUAGES = ("urn:sedml:language:lems", "urn:sedml:language:neuroml")
_MS = 1000.0


def read(source: Path, report: Report, *, progress: Progress = quiet, task: str = "", **_: Any) -> Document:
    """Read a SED-ML document and its model. task: its id, where there are several.

    Raises ReadError for broken references, UnsupportedInput for models in other languages and for several tasks of
    which none is chosen.
    """
    experiment = read_sedml(Path(source))
    chosen = _task(experiment, task)
    document = neuroml.read(model_file(experiment, experiment.models[chosen.model]), report, progress=progress)
    course = experiment.simulations[chosen.simulation]
    plan = _plan(document.plan or SimulationPlan(), experiment, chosen, course, report)
    facts = {**document.provenance, "format": "sedml", "source": str(source), "algorithm": course.algorithm}
    return Document(document.network, plan, facts)


def _task(experiment: Experiment, name: str) -> Task:
    tasks = experiment.tasks
    refused = [
        experiment.refused[each] for each in ([name] if name else experiment.refused) if each in experiment.refused
    ]
    if refused and (name or not tasks):
        raise refused[0]
    if name and name not in tasks:
        raise ReadError(f"there is no task {name!r}", where=experiment.path, hint=f"tasks: {', '.join(tasks)}")
    if not tasks:
        raise ReadError("there is no task", where=experiment.path)
    if not name and len(tasks) > 1:
        message = f"it has {len(tasks)} tasks: {', '.join(tasks)}"
        raise UnsupportedInput(message, where=experiment.path, hint="pynn-reproduce runs each of them")
    return tasks[name] if name else next(iter(tasks.values()))


def model_file(experiment: Experiment, model: Model) -> Path:
    """The file of a model. Raises UnsupportedInput for one that is elsewhere, or in a language that is not read,
    ReadError for one that is not there."""
    where = f"{experiment.path}:{model.line}"
    if not model.language.startswith(_LANGUAGES):
        raise UnsupportedInput(
            f"models in {model.language or 'a language that is not stated'} are not read", where=where
        )
    path = experiment.path.parent / model.source.removeprefix("./")
    if "://" in model.source or model.source.startswith(("#", "urn:")):
        hint = "put the model beside the document, and name its file"
        raise UnsupportedInput(f"the model {model.source!r} is not a file here", where=where, hint=hint)
    if not path.is_file():
        raise ReadError(f"the model {model.source!r} does not exist", where=where)
    return path


def _plan(
    plan: SimulationPlan, experiment: Experiment, task: Task, course: TimeCourse, report: Report
) -> SimulationPlan:
    columns = tuple((f"c{number}", each.target) for number, each in enumerate(experiment.variables(task.id)))
    interval = course.interval * _MS
    recording = Recording(
        experiment.path.stem,
        "",
        None,
        kind="quantities",
        file=f"{experiment.path.stem}.{task.id}.dat",
        start=course.output_start * _MS or None,
        interval=None if _equal(interval, plan.timestep) else interval,
        columns=columns,
    )
    timestep = interval if plan.timestep is None else plan.timestep
    if interval < timestep and not _equal(interval, timestep):
        where, message = f"simulation {course.id}", "Values are wanted more often than the model's own step gives them."
        report.defaulted("sedml-step", where, f"{message} The step is their interval.", examples=[f"{interval:g} ms"])
        timestep = interval
    recordings = (recording,) if columns else ()
    return replace(plan, duration=course.output_end * _MS, timestep=timestep, recordings=recordings)


def _equal(interval: float, timestep: float | None) -> bool:
    """Whether two steps are one, but for the rounding of a division."""
    return timestep is None or abs(interval - timestep) <= 1e-9 * timestep
