"""What a comparison of two results says, as plain values: verdicts, numbers, and where the results part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

import numpy as np

#: Times written in text or single steps of a grid carry rounding: what is within a tolerance may exceed it by this.
ROUNDING = 8 * np.finfo(np.float64).eps


class Verdict(StrEnum):
    """What is said of two results, or of a part of them."""

    EQUAL = "equal"
    WITHIN = "within"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not_comparable"


#: A whole is what the worst of its parts is. A proven difference weighs more than a part that cannot be judged.
_WEIGHT = (Verdict.EQUAL, Verdict.WITHIN, Verdict.NOT_COMPARABLE, Verdict.DIFFERS)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict over parts; nothing at all cannot be compared."""
    return max(verdicts, key=_WEIGHT.index, default=Verdict.NOT_COMPARABLE)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far results may be apart in the deterministic tier.

    Spike times: ``|dt| <= max(absolute, steps * timestep, relative * |t|)``, times in ms, t being the first result's.
    Traces: the root mean square of the difference, outside ``margin`` ms of every spike, is at most ``voltage`` mV
    for a voltage, and for any other variable ``fraction`` of the range of the first result's trace.
    """

    absolute: float = 1.0
    steps: float = 0.0
    timestep: float = 0.0
    relative: float = 0.0
    voltage: float = 1.0
    fraction: float = 0.01
    margin: float = 2.0

    def at(self, times: np.ndarray) -> np.ndarray:
        """float64[n], ms: what is allowed at each of ``times``."""
        size = np.abs(times)
        allowed = np.maximum(max(self.absolute, self.steps * self.timestep), self.relative * size)
        return allowed + np.where(allowed > 0, ROUNDING * size, 0.0)


@dataclass(frozen=True, slots=True)
class SpikeAt:
    """One spike; time in ms."""

    node_id: int
    time: float


@dataclass(frozen=True, slots=True)
class SpikePair:
    """The same spike of a cell in both results; times in ms."""

    node_id: int
    time_a: float
    time_b: float


@dataclass(frozen=True, slots=True)
class SpikeList:
    """``count`` spikes, of which the ``first`` in time are listed."""

    count: int
    first: tuple[SpikeAt, ...] = ()


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two results part: the earliest spike that has no partner within the tolerance.

    only_in: ``a`` or ``b``. other_time: the nearest spike without a partner of the same cell in the other result, None
    where there is none. last_common: the last spike of the population that both have before this one. Times in ms.
    """

    population: str
    node_id: int
    time: float
    only_in: str
    other_time: float | None
    last_common: SpikeAt | None


@dataclass(frozen=True, slots=True)
class PopulationComparison:
    """The spikes of one population.

    spikes: how many in each. cells: how many spiked in either, or were simulated if both results say so. unequal_cells:
    those with another number of spikes. sha256: of ids (int64) then times (float64), sorted by id and time.
    paired: spikes that have a partner: by rank in cells with the same number of spikes, else the closest within the
    tolerance; identical: those of them with dt = 0. dt_*: ms, over the paired. shared: spikes with a partner within the
    tolerance; missing: spikes of the first result without one, extra: of the second. rates: mean, Hz, where cells and
    duration are known.
    """

    population: str
    other: str
    verdict: Verdict
    tier: str | None = None
    reason: str = ""
    spikes: tuple[int, int] = (0, 0)
    cells: int = 0
    unequal_cells: int = 0
    sha256: tuple[str, str] = ("", "")
    paired: int = 0
    identical: int = 0
    shared: int = 0
    dt_max: float | None = None
    dt_median: float | None = None
    dt_p95: float | None = None
    dt_where: SpikePair | None = None
    missing: SpikeList = SpikeList(0)
    extra: SpikeList = SpikeList(0)
    divergence: Divergence | None = None
    rates: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TraceComparison:
    """One recorded variable of one population.

    rms: root mean square of the difference over all samples compared; rms_worst that of the worst element, at
    ``worst_node``; in ``unit``, outside the margin around spikes. limit: what was allowed. samples: compared instants
    of an element; masked: part of all values that lie close to a spike. notes: what was converted, or left out.
    """

    report: str
    population: str
    variable: str
    verdict: Verdict
    tier: str | None = None
    reason: str = ""
    unit: str = ""
    elements: int = 0
    samples: int = 0
    masked: float = 0.0
    rms: float | None = None
    rms_worst: float | None = None
    worst_node: int | None = None
    limit: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two distributions over cells, or pairs of cells, are apart, and how far those of other seeds are.

    measure: ``rate`` (Hz), ``cv`` (of the intervals) or ``correlation`` (of binned counts). ks: Kolmogorov-Smirnov,
    0..1; emd: earth mover's distance in the measure's unit. counts: values of each distribution. ratio: the larger of
    ks and emd, each over its mean in the null.
    """

    population: str
    measure: str
    unit: str
    counts: tuple[int, int]
    means: tuple[float, float]
    ks: float
    ks_null_p95: float
    emd: float
    emd_null_p95: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What the comparison would have seen: ``table`` has a (change, ratio, seen) for every change that was run.

    smallest: the least change from which on all are seen; None if there is none, or nothing was run.
    """

    table: tuple[tuple[float, float, bool], ...]
    smallest: float | None
    text: str


@dataclass(frozen=True, slots=True)
class MeanShift:
    """The mean of a measure, as published and over seeds. spread: standard deviation over the seeds.

    off: the difference in standard errors of one more seed; allowed: what it may be. seen: the relative difference that
    would have been seen nine times of ten, None where the mean is zero.
    """

    population: str
    measure: str
    unit: str
    expected: float
    found: float
    spread: float
    off: float
    allowed: float
    seen: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The statistical tier: ``ratio``, the largest of all distances, against the 95th percentile of the null's; and the
    means, none of which may be farther off than allowed."""

    start: float
    stop: float
    null_runs: int
    null_pairs: int
    ratio: float
    ratio_null_p95: float
    distances: tuple[Distance, ...]
    sensitivity: Sensitivity
    notes: tuple[str, ...] = ()
    means: tuple[MeanShift, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """An extra measure by name. values: of each result, where it is one of a single result; difference: between them.

    difference and worst: mean and largest over ``count`` cells. only_in_one: cells that have it in one result only. It
    takes no part in the verdict.
    """

    name: str
    where: str
    unit: str
    count: int
    difference: float
    worst: float
    worst_node: int | None
    values: tuple[float, float] | None = None
    only_in_one: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results, compared. tier: the one that decided. reasons: why they cannot be compared, or what to know."""

    verdict: Verdict
    tier: str | None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tolerance: Tolerance = Tolerance()
    populations: tuple[PopulationComparison, ...] = ()
    traces: tuple[TraceComparison, ...] = ()
    divergence: Divergence | None = None
    statistics: Statistics | None = None
    measures: tuple[Measure, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: numbers that are not finite become None."""
        return plain(self)


def plain(value: Any) -> Any:
    """Dataclasses, numpy scalars and numbers that are not finite as JSON has them."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, StrEnum):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
