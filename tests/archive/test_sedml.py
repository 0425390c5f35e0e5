"""SED-ML: what is read of it, what is refused with its line, and that what is written says the same to libSEDML."""

from pathlib import Path

import pytest

from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.exporters.sedml import write_plan
from pynn_io.formats.sedml import EULER, LEMS, Model, TimeCourse, read_sedml, write_sedml
from pynn_io.pipeline import read
from pynn_io.report import Report
from tests.conftest import ROOT

PAIR = ROOT / "fixtures/neuroml/LEMS_pair.xml"
DOCUMENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<sedML xmlns="http://sed-ml.org/sed-ml/level1/version3" level="1" version="3">
  <listOfModels>
    <model id="m" language="urn:sedml:language:lems" source="LEMS_pair.xml"/>
  </listOfModels>
  <listOfSimulations>
    <uniformTimeCourse id="s" initialTime="0" outputStartTime="0" outputEndTime="0.02" numberOfPoints="800">
      <algorithm kisaoID="KISAO:0000030"/>
    </uniformTimeCourse>
  </listOfSimulations>
  <listOfTasks>
    <task id="t" modelReference="m" simulationReference="s"/>
  </listOfTasks>
  <listOfDataGenerators>
    <dataGenerator id="g">
      <math xmlns="http://www.w3.org/1998/Math/MathML">
        <apply><times/><ci>x</ci><ci>k</ci></apply>
      </math>
      <listOfVariables><variable id="x" target="pyramids/0/pyramid/v" taskReference="t"/></listOfVariables>
      <listOfParameters><parameter id="k" value="1000"/></listOfParameters>
    </dataGenerator>
    <dataGenerator id="time">
      <math xmlns="http://www.w3.org/1998/Math/MathML"><ci>now</ci></math>
      <listOfVariables><variable id="now" symbol="urn:sedml:symbol:time" taskReference="t"/></listOfVariables>
    </dataGenerator>
  </listOfDataGenerators>
  <listOfOutputs>
    <report id="r">
      <listOfDataSets>
        <dataSet id="d0" label="t" dataReference="time"/>
        <dataSet id="d1" label="V" dataReference="g"/>
      </listOfDataSets>
    </report>
  </listOfOutputs>
</sedML>
"""


@pytest.fixture
def document(tmp_path):
    for file in PAIR.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "experiment.sedml"
    path.write_text(DOCUMENT)
    return path


def test_a_document(document):
    found = read_sedml(document)
    assert found.models["m"] == Model("m", "LEMS_pair.xml", LEMS, 4)
    assert found.simulations["s"] == TimeCourse("s", 0.0, 0.0, 0.02, 800, EULER)
    assert found.simulations["s"].interval == pytest.approx(2.5e-5)
    generator = found.generators["g"]
    assert (generator.formula, generator.parameters) == ("x * k", (("k", 1000.0),))
    assert found.reports["r"].columns == (("t", "time"), ("V", "g"))
    assert [each.target for each in found.variables("t")] == ["pyramids/0/pyramid/v"]


def test_the_model_is_run_as_the_document_says(document):
    report = Report()
    made = read(document, report=report)
    assert made.plan.duration == 20.0
    assert made.plan.timestep == read(PAIR).plan.timestep  # the solver's own, which SED-ML does not state
    (recording,) = made.plan.recordings
    assert recording.columns == (("c0", "pyramids/0/pyramid/v"),)
    assert recording.interval == (None if made.plan.timestep == 0.025 else 0.025)
    assert made.provenance["algorithm"] == EULER
    assert made.network.populations.keys() == read(PAIR).network.populations.keys()


@pytest.mark.parametrize(
    ("old", "new", "error", "line", "text"),
    [
        ('modelReference="m"', 'modelReference="x"', ReadError, None, "'x', which is not there"),
        ('dataReference="g"', 'dataReference="x"', ReadError, None, "output 'r' refers to 'x'"),
        ("outputEndTime=\"0.02\"", "outputEndTime=\"0\"", ReadError, 7, "needs times that ascend"),
        ('numberOfPoints="800"', 'numberOfPoints="0"', ReadError, 7, "needs times that ascend, and points"),
        ("</sedML>", "", ReadError, None, "not well-formed XML"),
        ("<sedML", "<!DOCTYPE sedML [<!ENTITY a 'b'>]><sedML", ReadError, None, "document type definition"),
    ],
)  # fmt: skip
def test_what_is_refused(document, old, new, error, line, text):
    document.write_text(DOCUMENT.replace(old, new))
    with pytest.raises(error, match=text) as caught:
        read_sedml(document)
    assert caught.value.where.startswith(str(document))
    if line is not None:
        assert caught.value.where == f"{document}:{line}"


def test_steady_states_are_not_run(document):
    course = DOCUMENT[DOCUMENT.index("    <uniformTimeCourse") : DOCUMENT.index("  </listOfSimulations>")]
    steady = '<steadyState id="s"><algorithm kisaoID="KISAO:0000407"/></steadyState>'
    document.write_text(DOCUMENT.replace(course, steady))
    assert not read_sedml(document).tasks
    with pytest.raises(UnsupportedInput, match="only uniform time courses are run, not <steadyState id='s'>") as caught:
        read(document, format="sedml")
    assert caught.value.where == f"{document}:7"


REPEATED = (
    '<repeatedTask id="scan" resetModel="true" range="r"><listOfRanges><uniformRange id="r" start="0" end="1"'
    ' numberOfPoints="3" type="linear"/></listOfRanges><listOfSubTasks><subTask order="1" task="t"/></listOfSubTasks>'
    "</repeatedTask></listOfTasks>"
)


def test_what_is_not_run_does_not_keep_the_rest_from_it(document):
    document.write_text(
        DOCUMENT.replace("</listOfTasks>", REPEATED)
        .replace("urn:sedml:symbol:time", "urn:sedml:symbol:other")
        .replace(' source="LEMS_pair.xml"/>', ' source="LEMS_pair.xml"/><model id="n" source="x"/>')
    )
    found = read_sedml(document)
    assert [*found.tasks] == ["t"]
    assert [(name, why.message) for name, why in found.refused.items()] == [
        ("scan", "only single tasks are run, not <repeatedTask id='scan'>")
    ]
    # The report needs the generator of an unknown symbol.
    assert [*found.reports] == [] and "symbol 'urn:sedml:symbol:other' is not known" in found.unmade["r"].message
    assert read(document, format="sedml", task="t").plan.duration == 20.0
    with pytest.raises(UnsupportedInput, match="only single tasks"):
        read(document, format="sedml", task="scan")


def test_another_initial_time_is_refused_and_not_run_from_zero(document):
    document.write_text(
        DOCUMENT.replace('initialTime="0" outputStartTime="0"', 'initialTime="0.01" outputStartTime="0.01"')
    )
    with pytest.raises(UnsupportedInput, match="from the time 0, not from another initialTime"):
        read(document, format="sedml")


def test_values_that_are_wanted_more_often_than_the_model_steps(document):
    document.write_text(DOCUMENT.replace('numberOfPoints="800"', 'numberOfPoints="4000"'))
    report = Report()
    assert read(document, format="sedml", report=report).plan.timestep == pytest.approx(0.005)
    assert "sedml-step" in report.codes()


@pytest.mark.parametrize(
    ("old", "new", "error", "text"),
    [
        ("urn:sedml:language:lems", "urn:sedml:language:sbml", UnsupportedInput, "models in urn:sedml:language:sbml"),
        ('source="LEMS_pair.xml"', 'source="missing.xml"', ReadError, "the model 'missing.xml' does not exist"),
        ('source="LEMS_pair.xml"', 'source="http://example.org/m.xml"', UnsupportedInput, "is not a file here"),
    ],
)
def test_models_that_cannot_be_read(document, old, new, error, text):
    document.write_text(DOCUMENT.replace(old, new))
    with pytest.raises(error, match=text) as caught:
        read(document, format="sedml")
    assert caught.value.where == f"{document}:4"


def test_several_tasks_of_which_none_is_chosen(document):
    second = '<task id="u" modelReference="m" simulationReference="s"/>'
    document.write_text(DOCUMENT.replace("</listOfTasks>", f"{second}</listOfTasks>"))
    with pytest.raises(UnsupportedInput, match="it has 2 tasks: t, u"):
        read(document, format="sedml")
    assert read(document, format="sedml", task="u").plan.duration == 20.0
    with pytest.raises(ReadError, match="there is no task 'w'"):
        read(document, format="sedml", task="w")


def test_what_is_written_is_valid_and_says_the_same(tmp_path):
    import libsedml

    path = tmp_path / "a.sedml"
    course = TimeCourse("c", 0.0, 0.0, 0.5, 1000, EULER)
    write_sedml(path, Model("m", "LEMS_a.xml", LEMS), course, [("v.dat", [("v0", "p[0]/v"), ("v1", "p[1]/v")])])
    checked = libsedml.readSedMLFromFile(str(path))
    assert checked.getNumErrors() == 0
    found = read_sedml(path)
    assert found.simulations["c"] == course
    (report,) = found.reports.values()
    assert [label for label, _ in report.columns] == ["time", "v0", "v1"]
    assert [each.target for each in found.variables("task")] == ["p[0]/v", "p[1]/v"]


def test_a_plan_as_sedml_says_what_it_cannot(tmp_path):
    report, plan = Report(), read(PAIR).plan
    write_plan(plan, tmp_path / "a.sedml", "LEMS_pair.xml", report)
    found = read_sedml(tmp_path / "a.sedml")
    (course,) = found.simulations.values()
    assert course.output_end == pytest.approx(plan.duration / 1000)
    assert course.interval == pytest.approx(plan.timestep / 1000)
    wanted = [path for each in plan.recordings if each.kind == "quantities" for _, path in each.columns]
    assert [each.target for each in found.variables("task")] == list(dict.fromkeys(wanted))
    assert [issue.code for issue in report] == ["sedml-recording"]


def test_other_peoples_documents(data, tmp_path):
    from pynn_io.formats.safe_zip import extract

    extract(data / "archives/biosim_hh/Hodgkin-Huxley-cell-Euler.omex", tmp_path)
    made = read(Path(tmp_path, "simulation.sedml"))
    assert (made.plan.duration, made.plan.timestep) == (300.0, 0.01)
    assert len(made.plan.recordings[0].columns) == 4
