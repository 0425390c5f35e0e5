"""Recorded variables compared: root mean square away from spikes, units, places, instants; numbers by hand."""

import numpy as np
import pytest

from pynn_io.results import Results
from pynn_io.results.compare import Options, Tolerance, Verdict, compare
from tests.compare.made import spikes, trace

FLAT = np.full((10, 2), -65.0)


def compared(a, b, *, events=(), **options):
    """The comparison of one trace; events: (cell, time) spikes of both results."""
    one, two = (Results({"e": spikes(*events)} if events else {}, traces=(found,)) for found in (a, b))
    found = compare(one, two, Options(**options))
    assert len(found.traces) == 1
    return found.traces[0]


def test_equal_traces():
    found = compared(trace(FLAT), trace(FLAT))
    assert (found.verdict, found.tier, found.rms, found.elements, found.samples) == ("equal", "exact", 0.0, 2, 10)


def test_the_root_mean_square_and_the_worst_element():
    other = FLAT.copy()
    other[:, 1] += 0.5
    other[4, 1] += 1.5  # 2.0
    found = compared(trace(FLAT, nodes=[7, 9]), trace(other, nodes=[7, 9]))
    assert found.rms_worst == pytest.approx(np.sqrt((9 * 0.25 + 4.0) / 10))
    assert found.rms == pytest.approx(np.sqrt((9 * 0.25 + 4.0) / 20))
    assert (found.worst_node, found.verdict, found.limit, found.unit) == (9, "within", 1.0, "mV")
    assert compared(trace(FLAT), trace(other), tolerance=Tolerance(voltage=0.7)).verdict == "differs"


def test_around_spikes_of_either_nothing_is_compared():
    a, b = FLAT.copy(), FLAT.copy()
    a[5, 0], b[6, 0] = 30.0, 30.0  # the same spike, one step later
    apart = compared(trace(a), trace(b), events=[(1, 5.0)])  # of another cell: does not help
    assert apart.rms_worst == pytest.approx(np.sqrt(2 * 95.0**2 / 10))
    one = Results({"e": spikes((0, 4.5))}, traces=(trace(a),))
    two = Results({"e": spikes((0, 5.5))}, traces=(trace(b),))
    found = compare(one, two).traces[0]
    assert (found.rms, found.verdict) == (0.0, "within")
    assert found.masked == pytest.approx(5 / 20)  # samples 3..7 of one of two elements


def test_the_margin_counts_from_the_spike():
    off = FLAT.copy()
    off[2, 0] += 1.0
    assert compared(trace(FLAT), trace(off), events=[(0, 4.0)]).rms == 0.0  # 2 ms away: left out
    assert compared(trace(FLAT), trace(off), events=[(0, 4.5)]).rms > 0.0


def test_a_trace_that_is_all_spikes_cannot_be_compared():
    found = compared(trace(FLAT[:3, :1]), trace(FLAT[:3, :1] + 1), events=[(0, 1.0)])
    assert (found.verdict, found.reason) == ("not_comparable", "every sample lies within 2 ms of a spike")


def test_without_spikes_nothing_is_left_out_and_that_is_told():
    assert "no sample is left out" in compared(trace(FLAT), trace(FLAT)).notes[0]


def test_elements_in_another_order():
    data = np.arange(20.0).reshape(10, 2)
    assert compared(trace(data, nodes=[3, 8]), trace(data[:, ::-1], nodes=[8, 3])).verdict == "equal"


def test_places_of_one_cell_in_another_order():
    data = np.arange(30.0).reshape(10, 3)
    places = {"section_ids": np.array([0, 4, 4]), "section_pos": np.array([0.5, 0.25, 0.75])}
    turned = {"section_ids": np.array([4, 0, 4]), "section_pos": np.array([0.75, 0.5, 0.25])}
    a = trace(data, nodes=[1, 1, 1], **places)
    assert compared(a, trace(data[:, [2, 0, 1]], nodes=[1, 1, 1], **turned)).verdict == "equal"
    moved = places | {"section_pos": np.array([0.5, 0.25, 0.85])}
    assert "other places" in compared(a, trace(data, nodes=[1, 1, 1], **moved)).reason


def test_units_are_converted_and_told():
    found = compared(trace(FLAT), trace(FLAT / 1000.0 + 1e-4, unit="V"))
    assert found.rms == pytest.approx(0.1)
    assert (found.unit, found.verdict) == ("mV", "within")
    assert "B converted from V to mV" in found.notes


def test_the_limit_of_a_voltage_is_in_its_own_unit():
    volts = trace(FLAT / 1000.0, unit="V")
    assert compared(volts, trace(FLAT / 1000.0 + 0.5e-3, unit="V")).limit == pytest.approx(1e-3)


def test_other_variables_are_judged_by_their_range():
    ramp = np.linspace(0.0, 2.0, 11)
    assert compared(trace(ramp, unit="nA"), trace(ramp + 0.019, unit="nA")).verdict == "within"
    found = compared(trace(ramp, unit="nA"), trace(ramp + 0.021, unit="nA"))
    assert (found.verdict, found.limit) == ("differs", pytest.approx(0.02))


def test_other_sampling_is_compared_at_common_times_and_told():
    fine, coarse = np.arange(0.0, 10.1, 0.1), np.arange(0.0, 10.1, 0.5)
    found = compared(trace(fine, interval=0.1), trace(coarse, interval=0.5))
    assert (found.samples, found.verdict) == (21, "within")
    assert found.rms == pytest.approx(0.0, abs=1e-12)
    assert "at the 21 common times" in found.notes[0]


def test_a_step_early_is_not_the_same_time():
    ramp = np.arange(10.0)
    found = compared(trace(ramp), trace(ramp, start=1.0))
    assert (found.samples, found.rms) == (9, 1.0)


@pytest.mark.parametrize(
    ("b", "reason"),
    [
        (trace(FLAT, unit="nA"), "cannot convert 'nA'"),
        (trace(FLAT, unit="furlong"), "unknown unit 'furlong'"),
        (trace(FLAT, nodes=[0, 2]), "1 recorded cells only in A, 1 only in B"),
        (trace(np.where(FLAT == -65.0, np.nan, 0)), "B holds values that are not finite"),
        (trace(FLAT[:5]), "A was recorded from 0 to 9 ms and B from 0 to 4 ms"),
        (trace(FLAT, start=0.5), "no instant was recorded in both"),
        (trace(FLAT[:0]), "B holds no samples"),
    ],
)
def test_what_cannot_be_compared(b, reason):
    found = compared(trace(FLAT), b)
    assert found.verdict == "not_comparable"
    assert reason in found.reason


def test_sections_counted_in_another_order():
    places = {"section_ids": np.array([0, 3]), "section_pos": np.array([0.5, 0.5])}
    found = compared(trace(FLAT, **places), trace(FLAT, section_order="neuron", **places))
    assert "sections are numbered by" in found.reason


def test_a_common_window_makes_runs_of_other_length_comparable():
    assert compared(trace(FLAT), trace(FLAT[:5]), stop=4.0).verdict == "equal"


def test_a_report_that_one_result_does_not_hold():
    one = Results({"e": spikes((0, 5.0))}, traces=(trace(FLAT),))
    two = Results({"e": spikes((0, 5.0))})
    found = compare(one, two)
    assert (found.verdict, found.reasons) == (Verdict.NOT_COMPARABLE, ("report 'v' of 'e': missing in B",))
    assert compare(one, two, Options(only="spikes")).verdict is Verdict.EQUAL


def test_reports_of_other_names_are_matched_by_their_variable():
    found = compare(Results(traces=(trace(FLAT, report="soma"),)), Results(traces=(trace(FLAT, report="v_report"),)))
    assert found.verdict is Verdict.EQUAL


def test_traces_alone_are_content():
    a = Results({"e": spikes()}, traces=(trace(FLAT),))
    found = compare(a, a)
    assert (found.verdict, found.populations[0].reason) == (Verdict.EQUAL, "silent in both")
