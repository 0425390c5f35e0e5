"""SED-ML, level 1: which model to run, for how long, and what of the run to report. Read and written by libSEDML.

Read are uniform time courses, single tasks, data generators and reports; plots are reports of their curves. What else
there is (steady states, repeated tasks, changed models) is kept by name with the reason (`Experiment.refused`), so that
the rest of a document can be run. Times are those of the model's language, seconds for LEMS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pynn_io.errors import ReadError, UnsupportedInput, WriteError
from pynn_io.formats.strict_xml import local_name, read_xml
from pynn_io.optional import needed

LEMS = "urn:sedml:language:lems"
TIME = "urn:sedml:symbol:time"
#: KiSAO's Euler forward method, which jNeuroML's own solver is.
EULER = "KISAO:0000030"
#: libSEDML's severity of what keeps a document from being understood.
_ERROR = 2
_NEEDS = "SED-ML needs"
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Model:
    """source: a path relative to the document, or a URL. language: a URN. line: of the document."""

    id: str
    source: str
    language: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class TimeCourse:
    """Values at ``points + 1`` times from output_start to output_end; all times in the model's unit."""

    id: str
    start: float
    output_start: float
    output_end: float
    points: int
    algorithm: str

    @property
    def interval(self) -> float:
        """Time between two values."""
        return (self.output_end - self.output_start) / self.points


@dataclass(frozen=True, slots=True)
class Task:
    """One model under one time course, by their ids."""

    id: str
    model: str
    simulation: str


@dataclass(frozen=True, slots=True)
class Variable:
    """What a formula's name stands for: the time, or a target of the model (a quantity path of LEMS)."""

    id: str
    target: str
    task: str

    @property
    def is_time(self) -> bool:
        return not self.target


@dataclass(frozen=True, slots=True)
class Generator:
    """A formula, in infix notation, of variables and parameters, for every time."""

    id: str
    formula: str
    variables: tuple[Variable, ...]
    parameters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A table: (label, id of the generator) of each column. ids: of the data sets."""

    id: str
    columns: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A SED-ML document, by the ids of its parts.

    refused: tasks that are not run here -> why. unmade: outputs that are not made here -> why. Neither are among
    ``tasks`` and ``reports``.
    """

    path: Path
    models: Mapping[str, Model]
    simulations: Mapping[str, TimeCourse]
    tasks: Mapping[str, Task]
    generators: Mapping[str, Generator]
    reports: Mapping[str, Report]
    refused: Mapping[str, UnsupportedInput] = field(default_factory=dict)
    unmade: Mapping[str, UnsupportedInput] = field(default_factory=dict)

    def variables(self, task: str) -> tuple[Variable, ...]:
        """The targets that the reports need of a task, each once, in their order."""
        found = {
            variable.target: variable
            for report in self.reports.values()
            for _, generator in report.columns
            for variable in self.generators[generator].variables
            if variable.task == task and not variable.is_time
        }
        return tuple(found.values())


def read_sedml(path: Path) -> Experiment:
    """Read a document. Raises ReadError (``file:line``) for what is broken."""
    if local_name(root := read_xml(path)) != "sedML":
        raise ReadError(f"<{local_name(root)}> is no SED-ML document", where=f"{path}:1")
    library = needed("libsedml", _NEEDS, "archive")
    document = library.readSedMLFromFile(str(path))
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= _ERROR:
            message = " ".join(error.getMessage().split())
            raise ReadError(f"no valid SED-ML: {message}", where=f"{path}:{error.getLine()}")
    return _Reader(path, document, library).read()


class _Reader:
    def __init__(self, path: Path, document: Any, library: Any) -> None:
        self.path, self.document, self.library = path, document, library
        self.refused: dict[str, UnsupportedInput] = {}

    def read(self) -> Experiment:
        models, simulations = self._all("Model", self._model), self._all("Simulation", self._simulation)
        tasks = self._without(self._all("Task", self._task), lambda task: (task.model, task.simulation))
        generators = self._without(
            self._all("DataGenerator", self._generator),
            lambda generator: [each.task for each in generator.variables],
        )
        reports = self._without(
            self._all("Output", self._report), lambda report: [generator for _, generator in report.columns]
        )
        refused, unmade = (
            {
                name: self.refused[name]
                for each in self._each(self.document, kind)
                if (name := each.getId()) in self.refused
            }
            for kind in ("Task", "Output")
        )
        found = Experiment(self.path, models, simulations, tasks, generators, reports, refused, unmade)
        self._check(found)
        return found

    def _each(self, owner: Any, kind: str, plural: str = "") -> Iterator[Any]:
        get = getattr(owner, f"get{kind}")
        return (get(index) for index in range(getattr(owner, f"getNum{plural or kind + 's'}")()))

    def _all(self, kind: str, make: Callable[[Any], _Part]) -> dict[str, _Part]:
        """Every part of a kind but those that are not run, which go among the refused."""
        found = {}
        for element in self._each(self.document, kind):
            try:
                found[element.getId()] = make(element)
            except UnsupportedInput as error:
                self.refused[element.getId()] = error
        return found

    def _without(self, parts: dict[str, _Part], needs: Callable[[_Part], Iterable[str]]) -> dict[str, _Part]:
        """The parts that need none of the refused; the others are refused for the same reason."""
        for name, part in parts.items():
            reasons = [self.refused[need] for need in needs(part) if need in self.refused]
            if reasons:
                self.refused[name] = reasons[0]
        return {name: part for name, part in parts.items() if name not in self.refused}

    def _where(self, element: Any) -> str:
        return f"{self.path}:{element.getLine()}"

    def _refuse(self, element: Any, what: str) -> UnsupportedInput:
        return UnsupportedInput(
            f"{what} <{element.getElementName()} id={element.getId()!r}>", where=self._where(element)
        )

    def _model(self, element: Any) -> Model:
        if element.getNumChanges():
            raise self._refuse(element, "a model with changes is not run:")
        return Model(element.getId(), element.getSource(), element.getLanguage(), element.getLine())

    def _simulation(self, element: Any) -> TimeCourse:
        if element.getElementName() != "uniformTimeCourse":
            raise self._refuse(element, "only uniform time courses are run, not")
        course = TimeCourse(
            element.getId(),
            element.getInitialTime(),
            element.getOutputStartTime(),
            element.getOutputEndTime(),
            element.getNumberOfPoints() if element.isSetNumberOfPoints() else element.getNumberOfSteps(),
            element.getAlgorithm().getKisaoID() if element.getAlgorithm() is not None else "",
        )
        if course.start != 0:
            raise self._refuse(element, "models are run from the time 0, not from another initialTime:")
        if not (course.points > 0 and course.start <= course.output_start < course.output_end < float("inf")):
            raise ReadError("a time course needs times that ascend, and points", where=self._where(element))
        return course

    def _task(self, element: Any) -> Task:
        if element.getElementName() != "task":
            raise self._refuse(element, "only single tasks are run, not")
        return Task(element.getId(), element.getModelReference(), element.getSimulationReference())

    def _generator(self, element: Any) -> Generator:
        variables = []
        for each in self._each(element, "Variable"):
            if not each.getTarget() and each.getSymbol() != TIME:
                raise self._refuse(each, f"the symbol {each.getSymbol()!r} is not known:")
            variables.append(Variable(each.getId(), each.getTarget(), each.getTaskReference()))
        parameters = tuple((each.getId(), each.getValue()) for each in self._each(element, "Parameter"))
        formula = self.library.formulaToL3String(element.getMath()) if element.isSetMath() else ""
        if not formula:
            raise ReadError("a data generator without a formula", where=self._where(element))
        return Generator(element.getId(), formula, tuple(variables), parameters)

    def _report(self, element: Any) -> Report:
        kind = element.getElementName()
        if kind == "report":
            sets = [(each.getLabel(), each.getDataReference(), each.getId()) for each in self._each(element, "DataSet")]
        elif kind == "plot2D":
            names = [
                name
                for each in self._each(element, "Curve")
                for name in (each.getXDataReference(), each.getYDataReference())
            ]
            sets = [(name, name, name) for name in dict.fromkeys(names)]
        else:
            raise self._refuse(element, "only reports and plots of two axes are made, not")
        return Report(element.getId(), tuple(each[:2] for each in sets), tuple(each[2] for each in sets))

    def _check(self, found: Experiment) -> None:
        """References within the document."""
        for task in found.tasks.values():
            self._refer(f"task {task.id!r}", task.model, found.models)
            self._refer(f"task {task.id!r}", task.simulation, found.simulations)
        for generator in found.generators.values():
            for variable in generator.variables:
                if variable.task or not variable.is_time:
                    self._refer(f"variable {variable.id!r}", variable.task, found.tasks)
        for report in found.reports.values():
            for _, name in report.columns:
                self._refer(f"output {report.id!r}", name, found.generators)

    def _refer(self, owner: str, name: str, known: Mapping[str, Any]) -> None:
        if name not in known:
            have = ", ".join(known) or "none"
            raise ReadError(
                f"{owner} refers to {name!r}, which is not there", where=self.path, hint=f"there are: {have}"
            )


def write_sedml(
    path: Path, model: Model, course: TimeCourse, columns: Sequence[tuple[str, Sequence[tuple[str, str]]]]
) -> None:
    """Write an experiment of one task. columns: of each report its name and (label, target) of its columns.

    A report begins with the time. Raises WriteError.
    """
    library = needed("libsedml", _NEEDS, "archive")
    document = library.SedDocument(1, 3)
    _add_task(document, model, course)
    made: dict[str, str] = {}
    _generator(document, library, "time", "", made)
    for number, (name, targets) in enumerate(columns):
        report = document.createReport()
        report.setId(f"report_{number}")
        report.setName(name)
        for label, target in (("time", ""), *targets):
            generator = made.get(target) or _generator(document, library, f"quantity_{len(made)}", target, made)
            data = report.createDataSet()
            data.setId(f"{report.getId()}_{report.getNumDataSets()}")
            data.setLabel(label)
            data.setDataReference(generator)
    if not library.writeSedMLToFile(document, str(path)):
        raise WriteError("cannot write", where=path)


def _add_task(document: Any, model: Model, course: TimeCourse) -> None:
    made = document.createModel()
    made.setId(model.id)
    made.setSource(model.source)
    made.setLanguage(model.language)
    simulation = document.createUniformTimeCourse()
    simulation.setId(course.id)
    simulation.setInitialTime(course.start)
    simulation.setOutputStartTime(course.output_start)
    simulation.setOutputEndTime(course.output_end)
    simulation.setNumberOfPoints(course.points)
    simulation.createAlgorithm().setKisaoID(course.algorithm)
    task = document.createTask()
    task.setId("task")
    task.setModelReference(model.id)
    task.setSimulationReference(course.id)


def _generator(document: Any, library: Any, name: str, target: str, made: dict[str, str]) -> str:
    generator = document.createDataGenerator()
    generator.setId(name)
    variable = generator.createVariable()
    variable.setId(f"{name}_value")
    variable.setTaskReference("task")
    if target:
        variable.setTarget(target)
    else:
        variable.setSymbol(TIME)
    generator.setMath(library.parseL3Formula(variable.getId()))
    made[target] = name
    return name
