"""What is said of a run, against rules worked out by hand: OMV's rule, ours, tables, and nothing at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pynn_io.archive.curves import beyond_shift
from pynn_io.archive.judge import Rules, judge
from pynn_io.archive.report.html import measured
from pynn_io.archive.values import Cell, Check, Entry, Expectation, Kind, OmvTest, Verdict, exit_status, worst
from pynn_io.formats.omv import Observable
from pynn_io.results import Results, write_results
from pynn_io.results.results import EventTable, QuantityTable, Trace, sorted_spikes

STEP = 0.1


def table(times, values, file="a.dat"):
    data = np.asarray(values, dtype=float)
    return QuantityTable("of", file, (("v", "pop[0]/v"),), np.asarray(times, dtype=float), data[:, np.newaxis])


def spiking(*at, stop=100.0):
    """A potential (V) that crosses 0 at the samples at these times (ms)."""
    times = np.arange(0, stop, STEP)
    values = np.full(len(times), -0.065)
    values[np.rint(np.array(at) / STEP).astype(int)] = 0.03
    return Results(tables=(table(times, values),), provenance={"timestep": STEP})


def spike_times(*expected, tolerance=0.0, method="threshold", **more):
    return Observable("step", "spike times", "./results/a.dat", expected, tolerance, scaling=(1000.0, 1000.0),
                      method=method, **more)  # fmt: skip


def expectation(*tests):
    return (Expectation("a.mep", "omv", Path("a.mep"), tests=tuple(OmvTest(*each, Path("a.omt")) for each in tests)),)


def checked(observable, results, engine="jNeuroML", **rules):
    expected = expectation(("jNeuroML", (observable,)))
    (check,) = judge(expected, results, Rules(engine, timestep=STEP, **rules))
    return check


def test_the_same_times():
    check = checked(spike_times(10.0, 50.0), spiking(10.0, 50.0))
    assert (check.verdict, check.omv) == (Verdict.REPRODUCED, True)
    assert check.numbers["found"] == check.numbers["expected"] == 2
    assert check.numbers["dt_max_ms"] == pytest.approx(0, abs=1e-9)


def test_one_step_is_what_a_table_resolves_and_omv_says_no():
    check = checked(spike_times(10.0, 50.0), spiking(10.1, 50.0))
    assert (check.verdict, check.omv) == (Verdict.REPRODUCED, False)
    assert check.numbers["dt_max_ms"] == pytest.approx(0.1)
    assert check.numbers["relative"] == pytest.approx(0.01)


def test_two_steps_differ():
    check = checked(spike_times(10.0, 50.0), spiking(10.2, 50.0))
    assert (check.verdict, check.omv) == (Verdict.DIFFERS, False)
    assert "0.2 apart" in check.message


@pytest.mark.parametrize(("tolerance", "verdict"), [(0.0099, Verdict.DIFFERS), (0.0101, Verdict.REPRODUCED)])
def test_the_tolerance_of_the_test_is_relative_to_the_time(tolerance, verdict):
    # 0.5 ms at 50 ms is a hundredth.
    check = checked(spike_times(50.0, tolerance=tolerance), spiking(50.5))
    assert (check.verdict, check.omv) == (verdict, verdict == Verdict.REPRODUCED)


def test_another_engine_has_the_loosest_tolerance_of_the_model():
    tests = (
        ("jNeuroML_NEURON", (spike_times(50.0, tolerance=0.0),)),
        ("jNeuroML_EDEN", (spike_times(50.0, tolerance=0.05),)),
    )
    (check,) = judge(expectation(*tests), spiking(52.0), Rules("", timestep=STEP))
    assert check.verdict == Verdict.REPRODUCED  # 2 ms of 2.5 allowed
    (check,) = judge(expectation(*tests), spiking(52.0), Rules("jNeuroML_NEURON", timestep=STEP))
    assert check.verdict == Verdict.DIFFERS


def test_the_users_tolerance_goes_before_the_archives():
    assert checked(spike_times(50.0), spiking(52.0), tolerance=2.1).verdict == Verdict.REPRODUCED
    assert checked(spike_times(50.0, tolerance=0.5), spiking(52.0), tolerance=1.9).omv is True


def test_another_number_of_spikes():
    check = checked(spike_times(10.0, 50.0), spiking(10.0))
    assert (check.verdict, check.omv, check.message) == (
        Verdict.DIFFERS,
        False,
        "1 spikes, and 2 are expected",
    )


def test_maxima_are_spikes_by_the_derivative():
    times = np.arange(0, 10, 1.0)
    results = Results(tables=(table(times, [0, 1, 2, 1, 0, 0.5, 0.2, 0.1, 0, 0]),))
    assert checked(spike_times(2.0, 5.0, method="derivative"), results).verdict == Verdict.REPRODUCED


def test_events_of_chosen_cells_and_their_rate():
    events = EventTable("e", "a.spikes", np.array([0, 1, 0, 0]), np.array([100.0, 150.0, 200.0, 300.0]))
    results = Results(tables=(events,))
    seen = Observable("e", "spike times", "a.spikes", (0.1, 0.2, 0.3), 0.0, ids=(0,))
    assert checked(seen, results).verdict == Verdict.REPRODUCED
    rate = Observable("e", "spike rate", "a.spikes", (10.0,), 1e-9, ids=(0,))  # two intervals in 0.2 s
    assert checked(rate, results).verdict == Verdict.REPRODUCED
    assert checked(replace(rate, expected=(11.0,)), results).verdict == Verdict.DIFFERS


@pytest.mark.parametrize(
    ("results", "observable", "words"),
    [
        (Results(), spike_times(1.0), "the run wrote no a.dat"),
        (Results(tables=(table([], np.zeros(0)),)), spike_times(1.0), "a.dat of the run is empty"),
        (spiking(1.0), spike_times(1.0, columns=(0, 2)), "has no column 2"),
        (Results(tables=(table([0, 1, 2], [0, np.nan, 0]),)), spike_times(1.0), "holds values that are no numbers"),
        (spiking(1.0), Observable("s", "spike times", "a.dat", (1.0,), 0.0, ids=(0,)), "not a file of the kind"),
        (spiking(1.0), Observable("s", "input resistance", "", (), 0.1), "input resistance is not judged"),
    ],
)
def test_what_cannot_be_compared_never_passes(results, observable, words):
    check = checked(observable, results)
    assert (check.verdict, check.omv) == (Verdict.NOT_COMPARABLE, None)
    assert words in check.message


def test_what_was_only_mapped_is_no_data():
    check = checked(spike_times(10.0), replace(spiking(10.0), level="maps"))
    assert check.verdict == Verdict.NOT_COMPARABLE
    assert "executes nothing" in check.message


def cells(*times, node=3):
    ids = np.full(len(times), node)
    return Results(spikes={"cells": sorted_spikes("cells", ids, np.array(times, dtype=float))}, duration=1000.0)


@pytest.fixture
def published(tmp_path):
    write_results(cells(100.0, 200.0, 900.0), tmp_path / "output")
    return (Expectation("published output", "results", tmp_path / "output"),)


@pytest.mark.parametrize(
    ("found", "rules", "verdict"),
    [
        (cells(100.0, 200.0, 900.0), {}, Verdict.REPRODUCED),
        (cells(100.1, 200.0, 900.0), {}, Verdict.REPRODUCED),  # a step
        (cells(100.0, 200.0, 900.8), {"native": True}, Verdict.REPRODUCED),  # 1e-3 of its time
        (cells(100.0, 200.0, 901.0), {"native": True}, Verdict.DIFFERS),
        (cells(100.0, 200.0, 904.0), {}, Verdict.REPRODUCED),  # another engine: 5e-3
        (cells(100.0, 200.0, 905.0), {}, Verdict.DIFFERS),
        (cells(100.0, 200.0), {}, Verdict.DIFFERS),
        (cells(100.0, 200.0, 900.0, 950.0), {}, Verdict.DIFFERS),
        (cells(100.0, 200.0, 900.0, node=4), {}, Verdict.DIFFERS),
        (cells(100.1, 200.0, 900.0), {"tolerance": 0.05}, Verdict.DIFFERS),
        (Results(), {}, Verdict.NOT_COMPARABLE),
    ],
)
def test_published_results(published, found, rules, verdict):
    (check,) = judge(published, found, Rules(timestep=STEP, **rules))
    assert check.verdict == verdict, check


@pytest.mark.parametrize(
    ("found", "rules", "verdict"),
    [
        (cells(100.0, 200.0, 900.0), {}, Verdict.REPRODUCED),
        (cells(100.0, 200.0005, 900.0), {}, Verdict.REPRODUCED),  # digits of a table, float32
        (cells(100.0, 200.1, 900.0), {}, Verdict.INEXACT),  # one spike by one step
        (cells(100.0, 199.987, 900.0), {}, Verdict.INEXACT),  # or by a part of one, where spikes are not on steps
        (cells(100.0, 200.1, 900.0), {"tolerance": 0.11}, Verdict.REPRODUCED),  # somebody says that it may
        (cells(100.0, 200.1, 900.0), {"exact": False}, Verdict.REPRODUCED),  # another simulator, or another step
        (cells(100.0, 200.3, 900.0), {}, Verdict.DIFFERS),
    ],
)
def test_what_made_the_results_gives_them_again(published, found, rules, verdict):
    """A delay that is one step longer moves spikes by one step, which rounding of another version does as well."""
    rules = Rules(**{"timestep": STEP, "native": True, "exact": True, **rules})
    (check,) = judge(published, found, rules)
    assert check.verdict == verdict, check


def test_times_that_a_file_held_as_float32_are_the_same(tmp_path):
    """Of 30 s at a step of 0.025 ms: a hundredth of a step is less than what float32 tells apart there."""
    exact = 29_999.025 + 0.025 * np.arange(30)
    stored = exact.astype(np.float32).astype(float)
    assert np.abs(stored - exact).max() > 0.025 / 100
    write_results(cells(*stored), tmp_path / "output")
    expected = (Expectation("published output", "results", tmp_path / "output"),)
    rules = Rules(timestep=0.025, native=True, exact=True)
    assert judge(expected, cells(*exact), rules)[0].verdict == Verdict.REPRODUCED
    assert judge(expected, cells(*(exact + 0.025)), rules)[0].verdict == Verdict.INEXACT


def test_how_far_shifted_spikes_are_is_told(published):
    (check,) = judge(published, cells(100.0, 200.1, 900.2), Rules(timestep=STEP, native=True, exact=True))
    words = "2 of 3 spikes are shifted by up to 0.2 ms (2 steps), from 200 ms on in cell 3 of cells"
    assert check.message.startswith(f"{words} (--tolerance 0.21 allows that)")
    assert exit_status([check.verdict]) == 8


def test_a_potential_that_is_a_little_off_is_inexact_where_its_own_simulator_ran(published_table):
    """1 % more of a weight is less than 1 mV below the threshold."""
    again = spiking(10.0, 50.0)
    values = again.tables[0].data + np.where(again.tables[0].times > 60, 1e-5, 0.0)[:, np.newaxis]
    found = replace(again, tables=(replace(again.tables[0], data=values),))
    rules = Rules(timestep=STEP, native=True, exact=True)
    assert judge(published_table, again, rules)[0].verdict == Verdict.REPRODUCED
    (check,) = judge(published_table, found, rules)
    assert check.verdict == Verdict.INEXACT
    assert check.message.startswith("v is off by 0.00")
    assert judge(published_table, found, replace(rules, exact=False))[0].verdict == Verdict.REPRODUCED


def gate(*starts, height=1.0):
    """A run whose table holds a gate that opens for 3 ms, and no potential."""
    times = np.arange(0, 400, STEP)
    values = sum(
        np.where((times >= at) & (times < at + 3), height * np.sin(np.pi * (times - at) / 3), 0) for at in starts
    )
    table = QuantityTable("a.dat", "a.dat", (("n", "pop[0]/n/q"),), times, np.asarray(values)[:, np.newaxis])
    return Results(tables=(table,), duration=400.0)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (gate(20.0, 300.0), Verdict.REPRODUCED),
        (gate(20.0, 301.4), Verdict.REPRODUCED),  # 0.5 % of the time of a spike that nobody published
        (gate(20.0, 304.0), Verdict.DIFFERS),
        (gate(20.0), Verdict.DIFFERS),
        (gate(20.0, 300.0, 350.0), Verdict.DIFFERS),
        (gate(20.0, 300.0, height=0.8), Verdict.DIFFERS),
    ],
)
def test_curves_without_a_potential_may_be_as_late_as_spikes(tmp_path, found, verdict):
    """Their root mean square is nearly that of the whole gate as soon as it moves by its width."""
    (table,) = gate(20.0, 300.0).tables
    np.savetxt(tmp_path / "a.dat", np.column_stack([table.times / 1000, table.data]), fmt="%.9g")
    expected = (Expectation("published a.dat", "table", tmp_path / "a.dat", part="a.dat"),)
    (check,) = judge(expected, found, Rules(timestep=STEP))
    assert check.verdict == verdict, check
    native = judge(expected, found, Rules(timestep=STEP, native=True))[0]
    assert native.verdict == (
        Verdict.REPRODUCED if found.tables[0].data.tolist() == table.data.tolist() else Verdict.DIFFERS
    )


def test_the_band_of_a_curve():
    """By the definition, at every sample."""
    rng = np.random.default_rng(4)
    one, two, reach = rng.normal(size=60), rng.normal(size=60), rng.integers(0, 8, 60)

    def outside(curve, other):
        around = [curve[max(at - n, 0) : at + n + 1] for at, n in enumerate(reach)]
        off = [max(x - each.max(), each.min() - x, 0) for x, each in zip(other, around, strict=True)]
        return np.sqrt(np.mean(np.square(off)))

    wanted = max(outside(one, two), outside(two, one))
    assert wanted > 0 and beyond_shift(one, two, reach) == pytest.approx(wanted, rel=1e-12)


def random_run(seed, rate=10.0):
    """40 cells that fire at random for 4 s, each at a rate of its own."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(4.0, rate / 4.0, 40)
    counts = rng.poisson(rates * 4.0)
    ids = np.repeat(np.arange(40), counts)
    spikes = sorted_spikes("cells", ids, rng.uniform(0, 4000, counts.sum()))
    return Results(spikes={"cells": spikes}, nodes={"cells": np.arange(40)}, duration=4000.0)


@pytest.mark.parametrize(("rate", "verdict"), [(10.0, Verdict.REPRODUCED), (20.0, Verdict.DIFFERS)])
def test_another_seed_is_no_difference_where_the_other_seeds_differ_as_much(tmp_path, rate, verdict):
    write_results(random_run(1), tmp_path / "output")
    expected = (Expectation("published output", "results", tmp_path / "output"),)
    null = tuple(random_run(seed, rate) for seed in range(10, 18))
    (check,) = judge(expected, random_run(2, rate), Rules(timestep=STEP, null=null))
    assert check.verdict == verdict, check
    assert check.numbers["tier"] == "statistical"
    # Single spikes decide nothing here, and are not told as if they did.
    assert check.tolerance == "statistics as of other seeds" and "spikes part" not in check.message
    assert "missing" not in measured(check.numbers) and "times as far apart as seeds" in measured(check.numbers)


def test_what_the_same_simulator_made_comes_out_again_to_the_rounding(published):
    (own,) = (replace(each, made_by=("nest", "3.10")) for each in published)
    rules = Rules(timestep=STEP, backend="nest", version="3.10")
    assert judge((own,), cells(100.0, 200.0, 900.0), rules)[0].verdict == Verdict.REPRODUCED
    assert judge((own,), cells(100.01, 200.0, 900.0), rules)[0].verdict == Verdict.DIFFERS
    newer = replace(rules, version="4.0")
    assert judge((own,), cells(100.01, 200.0, 900.0), newer)[0].verdict == Verdict.REPRODUCED


@pytest.mark.parametrize(("seed", "version", "is_the_same"), [(1, "3.10", True), (2, "3.10", False), (1, "4.0", False)])
def test_seeds_that_were_packed_are_for_others_than_the_very_run(tmp_path, seed, version, is_the_same):
    """That has to come out again; everything else is judged by the statistics of the other seeds, 10 to 17."""
    own = replace(random_run(1), provenance={"seed": 1})
    write_results(own, tmp_path / "output")
    seeds = tuple(tmp_path / f"seeds/{number}" for number in range(10, 18))
    for number, place in enumerate(seeds, 10):
        write_results(random_run(number), place)
    expected = Expectation("packed results", "results", tmp_path / "output", made_by=("nest", "3.10"), null=seeds)
    found = replace(random_run(seed), provenance={"seed": seed})
    (check,) = judge((expected,), found, Rules(timestep=STEP, backend="nest", version=version))
    assert check.verdict == Verdict.REPRODUCED, check
    assert check.numbers["tier"] == ("exact" if seed == 1 else "statistical")
    moved = replace(found, spikes={"cells": sorted_spikes("cells", *_moved(found.spikes["cells"]))})
    (check,) = judge((expected,), moved, Rules(timestep=STEP, backend="nest", version=version))
    assert check.verdict == (Verdict.DIFFERS if is_the_same else Verdict.REPRODUCED), check


def _moved(spikes):
    """One spike by a tenth of a second: the same statistics, and another run."""
    times = spikes.times.copy()
    times[100] += 100.0
    return spikes.node_ids, times


def test_recordings_that_nobody_published_are_not_compared(published):
    trace = Trace("v", "cells", "v", "mV", np.zeros((5, 1)), np.array([3]), 0.0, 1.0)
    found = replace(cells(100.0, 200.0, 900.0), traces=(trace,))
    assert judge(published, found, Rules(timestep=STEP))[0].verdict == Verdict.REPRODUCED


def test_results_that_are_broken_are_not_comparable(tmp_path):
    (tmp_path / "spikes.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    (check,) = judge((Expectation("x", "results", tmp_path / "spikes.h5"),), cells(1.0), Rules())
    assert check.verdict == Verdict.NOT_COMPARABLE
    assert "spikes.h5" in check.message


@pytest.fixture
def published_table(tmp_path):
    times = np.arange(0, 100, STEP)
    values = np.full(len(times), -0.065)
    values[[100, 500]] = 0.03
    np.savetxt(tmp_path / "a.dat", np.column_stack([times / 1000, values]), fmt="%.9g")
    return (Expectation("published a.dat", "table", tmp_path / "a.dat", part="a.dat"),)


def test_a_published_table(published_table):
    assert judge(published_table, spiking(10.0, 50.0), Rules(native=True))[0].verdict == Verdict.REPRODUCED
    late = judge(published_table, spiking(10.0, 52.0), Rules(native=True, timestep=STEP))[0]
    assert late.verdict == Verdict.DIFFERS
    assert late.numbers["largest_difference"]["v"] == pytest.approx(0.095)


def test_a_trace_is_judged_where_its_own_simulator_ran_it(published_table):
    shifted = spiking(10.0, 50.0)
    values = shifted.tables[0].data + np.where(shifted.tables[0].times > 60, 0.005, 0.0)[:, np.newaxis]
    found = replace(shifted, tables=(replace(shifted.tables[0], data=values),))
    assert judge(published_table, found, Rules(native=True))[0].verdict == Verdict.DIFFERS
    told = judge(published_table, found, Rules(native=False))[0]
    assert told.verdict == Verdict.REPRODUCED
    assert "told, not judged" in told.message


def test_a_published_table_that_the_run_did_not_write(published_table):
    (check,) = judge(published_table, Results(), Rules())
    assert (check.verdict, check.message) == (Verdict.NOT_COMPARABLE, "the run wrote no a.dat")


def test_the_worst_verdict_of_a_cell_and_the_exit_status():
    assert worst([Verdict.REPRODUCED, Verdict.DIFFERS, Verdict.NOT_COMPARABLE]) == Verdict.DIFFERS
    assert worst([]) == Verdict.NO_EXPECTATION
    assert exit_status([Verdict.REPRODUCED, Verdict.NO_EXPECTATION]) == 0
    assert exit_status([Verdict.REPRODUCED, Verdict.DIFFERS, Verdict.TIMED_OUT]) == 8
    assert exit_status([Verdict.REPRODUCED, Verdict.INEXACT, Verdict.CANNOT_RUN]) == 8
    assert exit_status([Verdict.REPRODUCED, Verdict.CANNOT_RUN]) == 9
    assert exit_status([]) == 9


def test_a_check_is_a_value():
    entry = Entry("a", Path("a"), Kind.LEMS, "x")
    assert Check("a", Verdict.DIFFERS) == Check("a", Verdict.DIFFERS)
    assert Cell(entry, "nest", Verdict.DIFFERS, (), {}, Path()).reused is False
