"""Means over a population against those of several seeds: what a comparison of two single runs is too weak to see.

The distribution of rates over cells is wide, that of the mean rate over seeds is narrow: a weight that is 3 % off
shifts the second by several of its deviations, and hardly changes the first. The published mean of a measure has to lie
where one more seed would (Student's prediction interval), for every population and measure at once (Bonferroni): two
comparisons in a hundred of equal processes fail here. How large a difference has to be to be seen is told as well,
since a test that could have seen nothing says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pynn_io.results.compare.activity import MEASURES
from pynn_io.results.compare.values import MeanShift

#: False alarms over all means of a comparison.
ALPHA = 0.02
#: A difference is "seen" if it is found so often.
POWER = 0.9
#: A spread over seeds below this part of the mean is rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Means:
    """Means over cells of one measure. a, b: of the two results; seeds: float64[n], of the null.

    pooled: ``a`` or ``b``, which is one of the null's kind; empty for neither.
    """

    population: str
    measure: str
    a: float
    b: float
    seeds: np.ndarray
    pooled: str


def shifts(found: Sequence[Means]) -> tuple[MeanShift, ...]:
    """Every mean with how far off it is, and may be. Two or more seeds each."""
    return tuple(_shift(each, len(found)) for each in found)


def _shift(means: Means, tests: int) -> MeanShift:
    from scipy.stats import norm, t

    own = {"a": [means.a], "b": [means.b]}.get(means.pooled, [])
    known = np.append(means.seeds, own)
    both = {"a": (float(known.mean()), means.b), "b": (means.a, float(known.mean()))}
    expected, centre = both.get(means.pooled, (means.a, means.b))
    spread = max(float(known.std(ddof=1)), _ROUNDING * abs(centre))
    error = spread * np.sqrt(1 + 1 / len(known) if own else 2.0)
    allowed = float(t.ppf(1 - ALPHA / (2 * tests), len(known) - 1))
    off = 0.0 if expected == centre else float(abs(expected - centre) / error) if error else np.inf
    seen = (allowed + float(norm.ppf(POWER))) * error
    return MeanShift(
        means.population,
        means.measure,
        MEASURES[means.measure],
        expected,
        centre,
        spread,
        off,
        allowed,
        float(seen / abs(centre)) if centre else None,
    )


def means_of(
    keys: Sequence[tuple[str, str]],
    a: Mapping[str, Mapping[str, np.ndarray]],
    b: Mapping[str, Mapping[str, np.ndarray]],
    null: Sequence[Mapping[str, Mapping[str, np.ndarray]]],
    pooled: str,
) -> list[Means]:
    """One for every (population, measure), without correlations: their mean is a square, and not normal over seeds."""
    return [
        Means(
            population,
            measure,
            float(a[population][measure].mean()),
            float(b[population][measure].mean()),
            np.array([float(each[population][measure].mean()) for each in null]),
            pooled,
        )
        for population, measure in keys
        if measure != "correlation"
    ]


def in_words(found: Sequence[MeanShift]) -> list[str]:
    """What would have been seen, a sentence a population, with the rate, or the first measure that it has."""
    first: dict[str, MeanShift] = {}
    for each in found:
        if each.seen is not None:
            first.setdefault(each.population, each)
    return [
        f"a difference of {100 * each.seen:.2g} % in the mean {each.measure} of {each.population!r} would have been"
        f" seen in {round(10 * POWER)} of 10 cases"
        for each in first.values()
        if each.seen is not None
    ]
