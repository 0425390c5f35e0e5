"""Features of voltages in a verdict: shapes of spikes by hand, with and without a tolerance."""

import re

import numpy as np
import pytest

from pynn_io.archive.features import Feature, check_features, parse_feature
from pynn_io.archive.judge import Rules, judge
from pynn_io.archive.report.html import measured
from pynn_io.archive.values import Expectation, Verdict
from pynn_io.errors import FormatError
from pynn_io.results import Results, write_results
from pynn_io.results.results import Trace

STEP = 0.1


def spiking(height=100.0, at=(25, 75, 125), level=-65.0):
    """A potential with spikes of a height (mV), 0.5 ms wide, in cells 4 and 7."""
    times = np.arange(0, 200, STEP)
    potential = np.full(len(times), level)
    for each in at:
        potential += height * np.exp(-(((times - each) / 0.5) ** 2))
    trace = Trace("v", "cells", "v", "mV", np.column_stack([potential, potential]), np.array([4, 7]), 0.0, STEP)
    return Results(traces=(trace,), duration=200.0)


@pytest.fixture
def published(tmp_path):
    write_results(spiking(), tmp_path / "output")
    return (Expectation("published output", "results", tmp_path / "output"),)


def judged(published, found, *features):
    pytest.importorskip("efel")
    return judge(published, found, Rules(timestep=STEP, features=features))


def test_what_is_shown_decides_nothing(published):
    (check,) = judged(published, spiking(100.4))
    assert check.verdict == Verdict.REPRODUCED
    own = {each["feature"]: each for each in check.numbers["features"]}
    assert (own["spike_count"]["published"], own["spike_count"]["found"], own["spike_count"]["cells"]) == (3, 3, 2)
    assert own["AP_amplitude"]["worst"] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("tolerance", "relative", "verdict"),
    [
        (0.5, False, Verdict.REPRODUCED),
        (0.3, False, Verdict.DIFFERS),
        (0.005, True, Verdict.REPRODUCED),
        (0.003, True, Verdict.DIFFERS),
    ],
)
def test_a_feature_with_a_tolerance_is_a_check(published, tolerance, relative, verdict):
    first, own = judged(published, spiking(100.4), Feature("AP_amplitude", tolerance, relative))
    assert first.verdict == Verdict.REPRODUCED
    assert (own.name, own.verdict) == ("published output: AP_amplitude of v of cells", verdict)
    assert ("apart in cell" in own.message) == (verdict == Verdict.DIFFERS)
    assert re.fullmatch(r"98\.\d+ for 98\.\d+, 0\.3\d apart at most in 2 cells", measured(own.numbers))


def test_spikes_in_one_of_the_two_only(published):
    _, own = judged(published, spiking(at=()), Feature("AP_amplitude", 1000.0))
    assert (own.verdict, own.message) == (Verdict.DIFFERS, "2 cells have it in one of the two only")


def test_nothing_to_measure_is_not_a_pass(tmp_path):
    write_results(spiking(at=()), tmp_path / "output")
    expected = (Expectation("published output", "results", tmp_path / "output"),)
    first, own = judged(expected, spiking(at=()), Feature("AP_width", 1.0))
    assert first.verdict == Verdict.REPRODUCED
    assert (own.verdict, own.message) == (
        Verdict.NOT_COMPARABLE,
        "no voltage was compared in which eFEL finds it",
    )


def test_a_difference_is_told_by_features_too(published):
    (check,) = judged(published, spiking(80.0, at=(25, 75)))
    assert check.verdict == Verdict.DIFFERS
    assert "spike_count 2 for 3" in check.message
    found, wanted = map(float, re.search(r"AP_amplitude (\S+) for ([\d.]+)", check.message).groups())
    assert (found, wanted) == (pytest.approx(80, abs=2), pytest.approx(100, abs=2))  # from where a spike sets in


@pytest.mark.parametrize("text", ["AP_width", "AP_width=", "AP_width=x", "=1", "AP_width=-1", "AP_width=nan%"])
def test_features_that_cannot_be_read(text):
    with pytest.raises(FormatError, match="not a feature with a tolerance"):
        parse_feature(text)


def test_features_that_can():
    assert parse_feature("AP_width=0.1") == Feature("AP_width", 0.1)
    assert parse_feature(" AP_width = 5% ") == Feature("AP_width", 0.05, relative=True)


def test_features_that_efel_does_not_have():
    pytest.importorskip("efel")
    with pytest.raises(FormatError, match="--feature beauty: eFEL has no such feature"):
        check_features([Feature("beauty", 1.0)])
    with pytest.raises(FormatError, match="given twice"):
        check_features([Feature("AP_width", 1.0), Feature("AP_width", 2.0)])
    check_features([])
