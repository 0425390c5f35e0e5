"""Spikes compared spike by spike: numbers worked out by hand, and what must hold for any spikes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pynn_io.results import Results, Spikes
from pynn_io.results.compare import Options, Tolerance, Verdict, compare
from pynn_io.results.compare.values import SpikeAt, SpikePair
from tests.compare.made import results, spikes

ONE_MS = Tolerance(absolute=1.0)


def only(a, b, **options):
    """The comparison of the one population."""
    found = compare(a, b, Options(**options))
    assert len(found.populations) == 1
    return found.populations[0]


def test_equal_spikes_are_equal_in_any_order():
    a = results((1, 5.0), (2, 3.0), (1, 9.0))
    found = compare(a, results((2, 3.0), (1, 9.0), (1, 5.0)))
    assert (found.verdict, found.tier) == (Verdict.EQUAL, "exact")
    one = found.populations[0]
    assert one.sha256[0] == one.sha256[1]
    assert (one.spikes, one.paired, one.identical, one.dt_max, one.cells) == ((3, 3), 3, 3, 0.0, 2)


def test_the_hash_is_that_of_sorted_ids_and_times():
    import hashlib

    content = np.array([1, 1, 2], "<i8").tobytes() + np.array([5.0, 9.0, 3.0], "<f8").tobytes()
    one = only(results((2, 3.0), (1, 9.0), (1, 5.0)), results((2, 3.0), (1, 9.0), (1, 5.5)))
    assert one.sha256[0] == hashlib.sha256(content).hexdigest() != one.sha256[1]


def test_spikes_within_the_tolerance():
    a = results((1, 10.0), (1, 20.0), (2, 30.0))
    b = results((1, 10.25), (1, 20.0), (2, 29.5))
    found = compare(a, b)
    assert (found.verdict, found.tier, found.divergence) == (Verdict.WITHIN, "deterministic", None)
    one = found.populations[0]
    assert (one.dt_max, one.dt_median, one.identical) == (0.5, 0.25, 1)
    assert one.dt_where == SpikePair(2, 30.0, 29.5)


def test_a_late_spike_is_missing_here_and_extra_there():
    a = results((1, 10.0), (2, 12.0), (1, 20.0), (2, 40.0))
    b = results((1, 10.0), (2, 12.0), (1, 23.0), (2, 40.0))
    found = compare(a, b)
    assert found.verdict is Verdict.DIFFERS
    one = found.populations[0]
    assert (one.unequal_cells, one.dt_max, one.shared) == (0, 3.0, 3)
    assert one.missing.first == (SpikeAt(1, 20.0),)
    assert one.extra.first == (SpikeAt(1, 23.0),)
    parted = found.divergence
    assert (parted.node_id, parted.time, parted.only_in, parted.other_time) == (1, 20.0, "a", 23.0)
    assert parted.last_common == SpikeAt(2, 12.0)


def test_missing_and_extra_spikes_are_listed_in_time_and_counted():
    a = results(*((cell, 100.0 - cell) for cell in range(30)))
    b = results((0, 100.0), (40, 5.0))
    one = only(a, b, listed=2)
    assert (one.missing.count, one.missing.first) == (29, (SpikeAt(29, 71.0), SpikeAt(28, 72.0)))
    assert (one.extra.count, one.extra.first) == (1, (SpikeAt(40, 5.0),))
    assert one.divergence.only_in == "b"
    assert one.divergence.last_common is None


def test_in_cells_with_other_counts_the_closest_belong_together():
    # 10.0 has two candidates: 9.6 is closer than 10.9, which goes with 11.2
    a = results((1, 10.0), (1, 11.2), (1, 50.0))
    b = results((1, 9.6), (1, 10.9))
    one = only(a, b)
    assert (one.shared, one.missing.first, one.extra.count) == (2, (SpikeAt(1, 50.0),), 0)
    assert one.dt_max == pytest.approx(0.4)


def test_the_kth_spike_goes_with_the_kth():
    # closest first would pair 2.0 with 1.9 and leave 1.0 and 2.9 alone
    assert compare(results((1, 1.0), (1, 2.0)), results((1, 1.9), (1, 2.9))).verdict is Verdict.WITHIN


@pytest.mark.parametrize(
    ("tolerance", "verdict"),
    [
        (Tolerance(absolute=0.0, steps=1, timestep=0.1), Verdict.WITHIN),
        (Tolerance(absolute=0.0, steps=0.9, timestep=0.1), Verdict.DIFFERS),
        (Tolerance(absolute=0.0, relative=1e-4), Verdict.WITHIN),  # 0.1000 ms at 1000 ms
        (Tolerance(absolute=0.0, relative=0.9e-4), Verdict.DIFFERS),
        (Tolerance(absolute=0.05, relative=1e-4), Verdict.WITHIN),  # the larger of them counts
        (Tolerance(absolute=0.05), Verdict.DIFFERS),
    ],
)
def test_a_tolerance_is_absolute_in_steps_or_relative(tolerance, verdict):
    assert compare(results((1, 1000.0)), results((1, 1000.1)), Options(tolerance=tolerance)).verdict is verdict


def test_the_exact_tier_forgives_nothing():
    found = compare(results((1, 10.0)), results((1, 10.0 + 1e-12)), Options(tier="exact"))
    assert (found.verdict, found.tier) == (Verdict.DIFFERS, "exact")
    assert compare(results((1, 10.0)), results((1, 10.0)), Options(tier="exact")).verdict is Verdict.EQUAL


def test_the_first_divergence_is_the_earliest_of_all_populations():
    a = Results({"x": spikes((1, 50.0), population="x"), "y": spikes((1, 30.0), population="y")})
    b = Results({"x": spikes((1, 60.0), population="x"), "y": spikes((1, 40.0), population="y")})
    assert (compare(a, b).divergence.population, compare(a, b).divergence.time) == ("y", 30.0)


def test_populations_under_other_names():
    a, b = results((1, 5.0), population="exc"), results((1, 5.0), population="E")
    assert compare(a, b).verdict is Verdict.NOT_COMPARABLE
    found = compare(a, b, Options(rename={"exc": "E"}))
    assert found.verdict is Verdict.EQUAL
    assert (found.populations[0].population, found.populations[0].other) == ("exc", "E")


def test_a_window_leaves_the_rest_out():
    a, b = results((1, 5.0), (1, 50.0), (1, 99.0)), results((1, 15.0), (1, 50.0), (1, 80.0))
    assert compare(a, b).verdict is Verdict.DIFFERS
    assert compare(a, b, Options(start=20.0, stop=70.0)).verdict is Verdict.EQUAL


def test_rates_where_cells_and_duration_are_known():
    nodes = {"e": np.arange(4)}
    one = only(results((0, 1.0), (0, 2.0), nodes=nodes, duration=500.0), results((0, 1.0), nodes=nodes, duration=500.0))
    assert one.rates == (1.0, 0.5)  # 2 spikes, 4 cells, half a second
    assert one.cells == 4


# --- Not comparable -----------------------------------------------------------------------------------------------

SILENT = results()
NODES = {"e": np.arange(3)}


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (SILENT, SILENT, "holds no spikes and no traces"),
        (results((1, 5.0)), SILENT, "B holds no spikes"),
        (SILENT, results((1, 5.0)), "A holds no spikes"),
        (Results(), results((1, 5.0)), "A holds no spikes"),
        (results((1, np.nan)), results((1, 5.0)), "A population 'e': 1 spike times are not finite"),
        (results((1, 5.0)), results((1, np.inf), (2, np.nan)), "B population 'e': 2 spike times are not finite"),
        (results((1, 5.0)), results((1, 5.0), population="i"), "population 'e': missing in B"),
        (results((1, 5.0), nodes=NODES), results((1, 5.0), nodes={"e": np.arange(4)}), "only in A, 1 only in B"),
        (results((1, 5.0), nodes=NODES), results((7, 5.0)), "1 that spiked were not simulated in A"),
        (results((7, 5.0), nodes=NODES), results((1, 5.0)), "A population 'e': spikes of 1 cells that were not"),
        (results((1, 5.0), duration=10.0), results((1, 5.0), duration=20.0), "A ran 10 ms and B 20 ms"),
        (results((1, 5.0)), results((1, 5.0), level="maps"), "B is no data: the backend only maps"),
        (
            Results({"e": Spikes("e", np.array([1, 2]), np.array([5.0]))}),
            results((1, 5.0)),
            "A population 'e': 2 node ids and 1 spike times",
        ),
        (
            Results({"e": Spikes("e", np.array([1.5]), np.array([5.0]))}),
            results((1, 5.0)),
            "A population 'e': node ids are not whole numbers",
        ),
    ],
)
def test_what_cannot_be_compared_never_passes(a, b, reason):
    for tier in ("auto", "exact", "deterministic"):
        found = compare(a, b, Options(tier=tier))
        assert (found.verdict, found.tier) == (Verdict.NOT_COMPARABLE, None)
        assert reason in " ".join(found.reasons)


def test_silence_is_data_when_it_is_said_to_be():
    assert compare(SILENT, SILENT, Options(allow_empty=True)).verdict is Verdict.EQUAL
    found = compare(results((1, 5.0)), SILENT, Options(allow_empty=True))
    assert (found.verdict, found.populations[0].missing.count) == (Verdict.DIFFERS, 1)
    assert compare(results((1, 5.0)), Results(), Options(allow_empty=True)).verdict is Verdict.DIFFERS


def test_one_silent_population_among_others_is_told():
    both = results((1, 5.0), nodes={"i": np.arange(3)})
    found = compare(both, both)
    assert (found.verdict, found.populations[1].reason) == (Verdict.EQUAL, "silent in both")


def test_a_difference_outweighs_what_cannot_be_compared():
    a = Results({"x": spikes((1, 50.0), population="x"), "y": spikes((1, 30.0), population="y")})
    found = compare(a, results((1, 60.0), population="x"))
    assert (found.verdict, found.reasons) == (Verdict.DIFFERS, ("population 'y': missing in B",))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (Options(populations=("e", "x")), "A has no population 'x'"),
        (Options(rename={"x": "e"}), "A has no population 'x' to rename"),
        (Options(rename={"e": "x"}), "B has no population 'x', which A is said to call 'e'"),
        (Options(rename={"e": "i", "i": "i"}), "two populations of A are said to be one of B"),
        (Options(rename={"e": "i"}), "B has a population 'e' of its own beside 'i'"),
    ],
)
def test_populations_that_are_not_there(options, reason):
    two = Results({"e": spikes((1, 5.0)), "i": spikes((1, 6.0), population="i")})
    found = compare(two, two, options)
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert reason in found.reasons


def test_only_the_populations_that_are_named():
    a = Results({"e": spikes((1, 5.0)), "i": spikes((1, 6.0), population="i")})
    b = replace(a, spikes={**a.spikes, "i": spikes((1, 9.0), population="i")})
    assert compare(a, b).verdict is Verdict.DIFFERS
    assert compare(a, b, Options(populations=("e",))).verdict is Verdict.EQUAL


# --- What holds for any spikes ------------------------------------------------------------------------------------

TRAINS = st.lists(
    st.tuples(st.integers(0, 5), st.floats(0.0, 1000.0, allow_nan=False, width=32)), min_size=1, max_size=40
)


@given(TRAINS, st.randoms(use_true_random=False))
def test_any_result_equals_itself_in_any_order(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    found = compare(results(*pairs), results(*shuffled))
    assert found.verdict is Verdict.EQUAL


@given(TRAINS, TRAINS, st.randoms(use_true_random=False))
def test_order_changes_nothing(pairs, others, random):
    shuffled = list(others)
    random.shuffle(shuffled)
    assert compare(results(*pairs), results(*others)) == compare(results(*pairs), results(*shuffled))


@given(TRAINS, TRAINS)
def test_every_spike_is_shared_or_told(pairs, others):
    one = only(results(*pairs), results(*others), listed=1000)
    assert one.shared + one.missing.count == len(pairs)
    assert one.shared + one.extra.count == len(others)
    assert {(spike.node_id, spike.time) for spike in one.missing.first} <= set(pairs)
    assert {(spike.node_id, spike.time) for spike in one.extra.first} <= set(others)
    assert (one.missing.count == one.extra.count == 0) == (one.verdict is not Verdict.DIFFERS)


@given(TRAINS, st.data(), st.floats(0.001953125, 3.0, width=32))
def test_one_shifted_spike_is_the_largest_distance(pairs, data, shift):
    row = data.draw(st.integers(0, len(pairs) - 1))
    cell, time = pairs[row]
    later = [other for at, other in pairs if at == cell and other > time]
    assume(all(other >= time + shift for other in later))  # it stays the k-th of its cell
    moved = [*pairs[:row], (cell, time + shift), *pairs[row + 1 :]]
    one = only(results(*pairs), results(*moved), tolerance=Tolerance(absolute=5.0))
    assert one.dt_max == (time + shift) - time
    assert one.dt_where.node_id == cell
    assert one.verdict is Verdict.WITHIN


@given(TRAINS, st.data())
def test_one_dropped_spike_is_missing_with_cell_and_time(pairs, data):
    assume(len(pairs) > 1)
    row = data.draw(st.integers(0, len(pairs) - 1))
    one = only(results(*pairs), results(*pairs[:row], *pairs[row + 1 :]))
    assert (one.missing.count, one.extra.count) == (1, 0)
    assert one.missing.first[0] == SpikeAt(*pairs[row])
    assert one.divergence.only_in == "a"


def naive_pairs(times_a, times_b, tolerance):
    """The largest number of pairs within the tolerance that one cell's spikes allow, spike by spike."""
    count, row = 0, 0
    for time in times_a:
        while row < len(times_b) and times_b[row] < time - tolerance:
            row += 1
        if row < len(times_b) and abs(times_b[row] - time) <= tolerance:
            count, row = count + 1, row + 1
    return count


@given(TRAINS, TRAINS)
def test_closest_first_is_never_better_than_the_best_and_at_least_half_of_it(pairs, others):
    one = only(results(*pairs), results(*others), tolerance=ONE_MS)
    best = sum(
        naive_pairs(
            sorted(time for at, time in pairs if at == cell), sorted(time for at, time in others if at == cell), 1.0
        )
        for cell in range(6)
    )
    assert best / 2 <= one.shared <= best


def test_a_million_spikes_without_a_loop():
    rng = np.random.default_rng(1)
    ids, times = rng.integers(0, 10_000, 1_000_000), np.sort(rng.uniform(0, 10_000, 1_000_000))
    moved = times + rng.uniform(-0.1, 0.1, len(times))
    found = compare(Results({"e": Spikes("e", ids, times)}), Results({"e": Spikes("e", ids, moved)}))
    assert found.verdict is Verdict.WITHIN
    assert found.populations[0].dt_max == np.abs(moved - times).max()
