"""The statistical tier: distributions by hand, the verdict on processes whose statistics are known, the null."""

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.results import Results
from pynn_io.results.compare import Ensembles, Options, Verdict, compare
from pynn_io.results.compare.activity import Window, activity, distance
from pynn_io.results.compare.means import Means, shifts
from pynn_io.results.compare.statistics import percentile, sensitivity
from tests.compare.made import renewal, results, spikes

NULL = tuple(renewal(seed) for seed in range(100, 106))


def test_rates_cv_and_correlations_by_hand():
    times = {0: [10, 20, 30, 40], 1: [10, 20, 40, 50], 2: [5]}
    found = activity(
        spikes(*((cell, float(time)) for cell, train in times.items() for time in train)),
        Window(np.arange(4), np.array([0, 1]), 0.0, 100.0),
    )
    assert found["rate"].tolist() == [40.0, 40.0, 10.0, 0.0]
    # intervals 10 10 10, and 10 20 10: mean 40/3, deviation sqrt(200)/3
    np.testing.assert_allclose(found["cv"], [0.0, np.sqrt(200) / 40])
    # 50 bins of 2 ms, 4 spikes each, 3 of them together
    binned = np.zeros((2, 50))
    for cell in (0, 1):
        binned[cell, np.array(times[cell]) // 2] = 1
    np.testing.assert_allclose(found["correlation"], np.corrcoef(binned)[0, 1:])


def test_correlations_are_numpys():
    found = renewal(3, cells=12).spikes["e"]
    window = Window(np.arange(12), np.arange(12), 0.0, 4000.0)
    binned = np.stack([np.histogram(found.times[found.node_ids == n], 2000, (0, 4000))[0] for n in range(12)])
    expected = np.corrcoef(binned)[np.triu_indices(12, 1)]
    np.testing.assert_allclose(activity(found, window)["correlation"], expected, atol=1e-12)


def test_the_cv_of_gamma_processes():
    found = activity(renewal(1, shape=4.0).spikes["e"], Window(np.arange(200), np.arange(2), 0.0, 4000.0))
    assert np.mean(found["cv"]) == pytest.approx(0.5, abs=0.02)
    assert np.mean(found["rate"]) == pytest.approx(20.0, abs=0.5)


def test_distances_by_hand():
    ks, emd = distance(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert (ks, emd) == (0.25, 1.0)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (renewal(1), Verdict.WITHIN),
        (renewal(2), Verdict.WITHIN),
        (renewal(3, rate=22.0), Verdict.DIFFERS),
        (renewal(4, shape=1.5), Verdict.DIFFERS),  # same rate, more irregular
    ],
)
def test_another_seed_is_within_and_another_process_is_not(other, verdict):
    found = compare(renewal(0), other, Options(ensembles=Ensembles(NULL)))
    assert (found.verdict, found.tier) == (verdict, "statistical")
    statistics = found.statistics
    assert (statistics.null_runs, statistics.null_pairs) == (6, 15)
    assert (statistics.ratio <= statistics.ratio_null_p95) == (verdict is Verdict.WITHIN)
    assert [one.measure for one in statistics.distances] == ["rate", "cv", "correlation"]
    assert found.populations[0].missing.count > 0  # the deterministic numbers are there too


def test_the_right_measure_is_farthest():
    found = compare(renewal(0), renewal(4, shape=1.5), Options(ensembles=Ensembles(NULL))).statistics
    assert max(found.distances, key=lambda one: one.ratio).measure == "cv"
    rate, cv, _ = found.distances
    assert cv.ks > cv.ks_null_p95 and cv.emd > cv.emd_null_p95
    assert cv.means == (pytest.approx(1 / np.sqrt(2), abs=0.02), pytest.approx(1 / np.sqrt(1.5), abs=0.02))
    assert rate.ks < rate.ks_null_p95


def test_the_percentile_by_hand():
    # logarithms -1, 0, 1 with deviation 1; t(0.95, 4) = 2.132 (any table)
    assert percentile(np.exp([-1.0, 0.0, 1.0]), 5) == pytest.approx(np.exp(2.132 * np.sqrt(1.2)), rel=1e-3)
    assert percentile(np.array([2.0, 2.0]), 5) == pytest.approx(2.0)


def test_few_false_alarms():
    """Of 20 comparisons of two seeds some 10 % fail; 7 would be far too many (p < 0.003)."""
    runs = [renewal(seed, cells=60, duration=1500.0) for seed in range(200, 248)]
    null, pairs = Ensembles(runs[:8]), zip(runs[8:28], runs[28:], strict=True)
    verdicts = [compare(a, b, Options(ensembles=null)).verdict for a, b in pairs]
    assert verdicts.count(Verdict.DIFFERS) <= 6


def test_equal_results_need_no_null_and_statistics_only_when_asked():
    assert compare(renewal(0), renewal(0), Options(ensembles=Ensembles(NULL))).tier == "exact"
    assert compare(renewal(0), renewal(1)).tier == "deterministic"
    assert compare(renewal(0), renewal(0), Options(tier="statistical", ensembles=Ensembles(NULL))).tier == "statistical"


@pytest.mark.parametrize(
    ("null", "reason"),
    [
        (NULL[:4], "the null has 4 runs and needs 5"),
        ((), "the null has 0 runs and needs 5"),
        ((*NULL[:4], NULL[0]), "runs 1 and 5 of the null are the same spikes"),
        ((*NULL[:4], Results(duration=4000.0)), "population 'e' has no spikes in one of the runs"),
        ((*NULL[:4], results((0, np.nan))), "not finite"),
    ],
)
def test_a_null_that_cannot_serve(null, reason):
    found = compare(renewal(0), renewal(1), Options(tier="statistical", ensembles=Ensembles(null)))
    assert (found.verdict, found.tier) == (Verdict.NOT_COMPARABLE, None)
    assert reason in " ".join(found.reasons)


def test_a_population_that_is_silent_in_one():
    a = Results({"e": renewal(0).spikes["e"], "i": spikes((1, 5.0), population="i")})
    b = Results({"e": renewal(1).spikes["e"], "i": spikes(population="i")})
    found = compare(a, b, Options(tier="statistical", ensembles=Ensembles(NULL)))
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert "population 'i' is silent in one of the two" in found.reasons


def test_a_null_of_the_second_backend_has_its_names():
    other = renewal(1, population="exc")
    null = Ensembles(tuple(renewal(seed, population="exc") for seed in range(100, 105)))
    found = compare(renewal(0), other, Options(rename={"e": "exc"}, ensembles=null))
    assert (found.verdict, found.statistics.distances[0].population) == (Verdict.WITHIN, "e")


def test_a_window_for_the_warm_up():
    late = compare(renewal(0), renewal(1), Options(start=500.0, ensembles=Ensembles(NULL))).statistics
    assert (late.start, late.stop) == (500.0, 4000.0)


def test_what_would_have_been_seen_is_not_guessed():
    found = compare(renewal(0), renewal(1), Options(ensembles=Ensembles(NULL)))
    assert found.statistics.sensitivity.smallest is None
    assert "not known" in found.statistics.sensitivity.text
    assert any("not known" in note for note in found.notes)


def test_the_smallest_change_that_would_have_been_seen():
    perturbed = [(0.005, renewal(50, rate=20.1)), (0.05, renewal(51, rate=21.0)), (0.2, renewal(52, rate=24.0))]
    found = compare(renewal(0), renewal(1), Options(ensembles=Ensembles(NULL, perturbed))).statistics.sensitivity
    assert [seen for _, _, seen in found.table] == [False, True, True]
    assert found.smallest == 0.05


@pytest.mark.parametrize(
    ("changes", "ratios", "smallest", "text"),
    [
        ([0.1, 0.01, 0.05], [3.0, 1.0, 2.5], 0.05, "+0.05"),
        ([0.01, 0.05, 0.1], [3.0, 1.0, 2.5], 0.1, "+0.1"),  # 1 % was luck: 5 % is not seen
        ([0.01, 0.05], [1.0, 1.0], None, "more than 0.05"),
        ([-0.05, 0.02], [3.0, 1.0], -0.05, "-0.05"),
        ([0.05, 0.05, 0.05], [1.0, 9.0, 1.5], None, "more than 0.05"),  # the median of the runs counts
        ([], [], None, "not known"),
    ],
)
def test_sensitivity(changes, ratios, smallest, text):
    found = sensitivity(changes, ratios, 2.0)
    assert found.smallest == smallest
    assert text in found.text


def test_means_by_hand():
    # Seeds 9, 10, 11 and b = 10: mean 10, deviation sqrt(2/3); one more seed has the error sqrt(2/3 * 5/4) = 0.9129.
    found = Means("e", "rate", 12.0, 10.0, np.array([9.0, 10.0, 11.0]), pooled="b")
    (shift,) = shifts([found])
    assert (shift.found, shift.spread) == (10.0, pytest.approx(np.sqrt(2 / 3)))
    assert shift.off == pytest.approx(2 / np.sqrt(5 / 6))
    assert shift.allowed == pytest.approx(4.541, abs=1e-3)  # t(0.99, 3) of any table
    # 90 % of a normal distribution lie below 1.2816 deviations
    assert shift.seen == pytest.approx((4.541 + 1.2816) * np.sqrt(5 / 6) / 10, rel=1e-3)
    # Two tests share the false alarms: t(0.995, 2); b alone against a has the error of two runs.
    one, _ = shifts([replace(found, pooled="")] * 2)
    assert (one.allowed, one.off) == (pytest.approx(9.925, abs=1e-3), pytest.approx(2 / (1.0 * np.sqrt(2))))


def test_seeds_that_never_differ_allow_no_difference_but_rounding():
    equal = Means("e", "rate", 10.0, 10.0, np.full(5, 10.0), pooled="b")
    (one,), (two,) = shifts([equal]), shifts([replace(equal, a=10.0001)])
    assert (one.off, two.off > two.allowed) == (0.0, True)


def test_what_the_distributions_of_two_runs_do_not_show_the_means_of_ten_do():
    """6 % more rate: a tenth of the spread over cells, and five deviations of the mean over seeds."""
    null = Ensembles(tuple(renewal(seed) for seed in range(300, 310)), pooled="b")
    other = compare(renewal(0, rate=21.2), renewal(1), Options(tier="statistical", ensembles=null))
    same = compare(renewal(0), renewal(1), Options(tier="statistical", ensembles=null))
    assert (other.verdict, same.verdict) == (Verdict.DIFFERS, Verdict.WITHIN)
    rate = next(each for each in other.statistics.means if each.measure == "rate")
    assert rate.off > rate.allowed and 0.01 < rate.seen < 0.06
    said = f"a difference of {100 * rate.seen:.2g} % in the mean rate of 'e' would have been seen in 9 of 10 cases"
    assert said in other.notes


def test_few_false_alarms_where_all_seeds_are_pooled():
    """Of two seeds of one process 3 to 5 % are called different; 4 of 20 would be too many (p < 0.02)."""
    runs = [renewal(seed, cells=60, duration=1500.0) for seed in range(200, 226)]
    null = Ensembles(tuple(runs[:5]), pooled="b")
    verdicts = [compare(a, runs[5], Options(ensembles=null)).verdict for a in runs[6:]]
    assert verdicts.count(Verdict.DIFFERS) <= 3
