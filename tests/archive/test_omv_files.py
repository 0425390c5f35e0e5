"""The files of OSB Model Validation: read, and refused with the key that is wrong."""

import pytest

from pynn_io.errors import ReadError
from pynn_io.formats.omv import read_test

MEP = """\
system: a cell
experiments:
  step:
    expected:
      spike times: [10.5, 20]
  rest:
    expected:
      spike rate: 12.5
      resting potential: -65
"""
OMT = """\
target: LEMS_a.xml
engine: jNeuroML
mep: cell.mep
experiments:
  step:
    observables:
      spike times:
        file:
          path: a.dat
          columns: [0, 2]
          scaling: [1000, 1000]
        spike detection:
          method: threshold
          threshold: -20
        tolerance: 0.01
  rest:
    observables:
      spike rate:
        spiketimes file:
          path: a.spikes
          format: ID_TIME
          ids: [0, 3]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "cell.mep").write_text(MEP)
    path = tmp_path / ".test.omt"
    path.write_text(OMT)
    return path


def test_a_test(files):
    test = read_test(files)
    assert (test.target, test.engine, test.expectations) == ("LEMS_a.xml", "jNeuroML", files.parent / "cell.mep")
    step, rest = test.observables
    assert (step.experiment, step.kind, step.expected) == ("step", "spike times", (10.5, 20.0))
    assert (step.columns, step.scaling, step.method, step.threshold) == ((0, 2), (1000.0, 1000.0), "threshold", -20.0)
    assert (step.tolerance, step.ids) == (0.01, None)
    # The tool's own tolerance where none is stated.
    assert (rest.kind, rest.expected, rest.ids, rest.tolerance) == ("spike rate", (12.5,), (0, 3), 0.1)


def test_a_dry_test_expects_nothing(files):
    files.write_text("target: LEMS_a.xml\nengine: jNeuroML\n")
    test = read_test(files)
    assert (test.expectations, test.observables) == (None, ())


def test_kinds_that_are_not_judged_are_kept_by_name(files):
    files.write_text(OMT.replace("spike rate:", "resting potential:"))
    assert read_test(files).observables[1].kind == "resting potential"


@pytest.mark.parametrize(
    ("old", "new", "where", "text"),
    [
        ("target: LEMS_a.xml\n", "", "", "no text under 'target'"),
        ("mep: cell.mep", "mep: other.mep", None, "cannot be read"),
        ("engine: jNeuroML", "engine: [", ":4", "not valid YAML"),
        ("threshold: -20", "threshold: high", ":experiments/step/observables/spike times/spike detection/threshold",
         "'high' is no number"),
        ("columns: [0, 2]", "columns: [0]", ":experiments/step/observables/spike times/file", "two numbers"),
        ("method: threshold", "method: guess", ":experiments/step/observables/spike times/spike detection",
         "'guess' is no way to find spikes"),
        ("  step:\n    observables", "  other:\n    observables", None, "has no 'spike times' there"),
        ("experiments:\n", "experiment:\n", ":experiments", "nothing stands where names with values are expected"),
    ],
)  # fmt: skip
def test_what_is_wrong(files, old, new, where, text):
    files.write_text(OMT.replace(old, new, 1))
    with pytest.raises(ReadError) as caught:
        read_test(files)
    assert text in str(caught.value)
    if where is not None:
        assert caught.value.where == f"{files}{where}"


def test_every_published_file_is_read(data):
    found = [read_test(path) for path in data.rglob(".*.omt")]
    assert len(found) > 90
    assert all(test.observables or test.expectations is None for test in found)
