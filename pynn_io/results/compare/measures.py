"""Extra measures by name: spike train distances of Elephant, features of traces of eFEL (extra ``compare``).

They are numbers to read beside the verdict and take no part in it. One object a cell is what these packages want, so of
larger populations a fixed sample is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from pynn_io.errors import FormatError
from pynn_io.optional import needed
from pynn_io.results.compare.activity import sampled
from pynn_io.results.compare.checks import paired_traces
from pynn_io.results.compare.pairing import sort_spikes
from pynn_io.results.compare.traces import Aligned, NotComparable, align, values
from pynn_io.results.compare.values import Measure
from pynn_io.results.results import Results, Spikes, Trace
from pynn_io.units import convert, unit

#: Cells of a population, or elements of a trace, that are measured at most.
SAMPLE = 200
EFEL = "efel:"


@dataclass(frozen=True, slots=True)
class _TrainMeasure:
    """A number for two trains of one cell. function: in Elephant; parameter: its default, in ``parameter_unit``."""

    function: str
    unit: str
    parameter: float
    parameter_unit: str
    call: Callable[[Any, Any, Any, Any], float]


_TRAINS: Mapping[str, _TrainMeasure] = {
    "victor-purpura": _TrainMeasure(
        "elephant.spike_train_dissimilarity:victor_purpura_distance",
        "",
        0.1,
        "1/ms",
        lambda function, one, two, cost: float(function([one, two], cost_factor=cost)[0, 1]),
    ),
    "van-rossum": _TrainMeasure(
        "elephant.spike_train_dissimilarity:van_rossum_distance",
        "",
        10.0,
        "ms",
        lambda function, one, two, tau: float(function([one, two], time_constant=tau)[0, 1]),
    ),
    "sttc": _TrainMeasure(
        "elephant.spike_train_correlation:spike_time_tiling_coefficient",
        "",
        5.0,
        "ms",
        lambda function, one, two, width: float(function(one, two, dt=width)),
    ),
}
NAMES = (*_TRAINS, f"{EFEL}FEATURE")


def measure(a: Results, b: Results, names: Sequence[str], window: tuple[float, float]) -> tuple[Measure, ...]:
    """The named measures for everything that both results hold; of populations with a's names.

    ``victor-purpura``, ``van-rossum`` and ``sttc`` compare every cell's train with its own in the other result; a
    number after a colon replaces the cost (1/ms), the time constant or the width (ms): ``van-rossum:20``. ``efel:NAME``
    is the mean of an eFEL feature over a voltage trace. Raises FormatError for an unknown name, BackendUnavailable.
    """
    return tuple(one for name in names for one in _measure(a, b, name, window))


def _measure(a: Results, b: Results, name: str, window: tuple[float, float]) -> Iterator[Measure]:
    if name.startswith(EFEL):
        for one, two in paired_traces(a, b):
            if one is not None and two is not None and one.unit and unit(one.unit).dimension == "voltage":
                yield _features(one, two, name, window)
        return
    kind, parameter = _train_measure(name)
    for population in a.spikes.keys() & b.spikes.keys():
        found = _trains(a.spikes[population], b.spikes[population], kind, parameter, window)
        yield Measure(name, population, kind.unit, *found)


def _train_measure(name: str) -> tuple[_TrainMeasure, float]:
    kind, _, text = name.partition(":")
    if kind not in _TRAINS:
        raise FormatError(f"unknown measure {name!r}", hint=f"known: {', '.join(NAMES)}")
    try:
        parameter = float(text) if text else _TRAINS[kind].parameter
    except ValueError:
        parameter = -1.0
    if not 0 < parameter < np.inf:
        raise FormatError(f"the parameter of {name!r} is not a positive number", hint=f"{kind}:NUMBER")
    return _TRAINS[kind], parameter


def _needed(module: str) -> ModuleType:
    return needed(module, "this measure needs", "compare")


def _trains(
    a: Spikes, b: Spikes, kind: _TrainMeasure, parameter: float, window: tuple[float, float]
) -> tuple[int, float, float, int | None]:
    """How many cells, the mean and the farthest, and which that is."""
    module, _, function = kind.function.partition(":")
    call = getattr(_needed(module), function)
    quantities = _needed("quantities")
    cells = sampled(np.union1d(a.node_ids, b.node_ids), SAMPLE)
    parts = [_by_cell(one, cells, window) for one in (a, b)]
    stop = max([1.0, *(float(times.max()) for times, _ in parts if len(times))])
    each = []
    for cell in range(len(cells)):
        one, two = (_train(times[bounds[cell] : bounds[cell + 1]], window[0], stop) for times, bounds in parts)
        each.append(kind.call(call, one, two, parameter * quantities.Quantity(1.0, kind.parameter_unit)))
    # of a correlation the smallest is the farthest
    return _summary(np.array(each), cells, np.argmin if "correlation" in kind.function else np.argmax)


def _by_cell(spikes: Spikes, cells: np.ndarray, window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    ids, times = sort_spikes(spikes.node_ids, spikes.times)
    inside = (times >= window[0]) & (times < window[1]) & np.isin(ids, cells)
    ids, times = ids[inside], times[inside]
    return times, np.append(np.searchsorted(ids, cells), len(ids))


def _train(times: np.ndarray, start: float, stop: float) -> Any:
    return _needed("neo").SpikeTrain(
        times, units="ms", t_start=min(start if start > -np.inf else 0.0, 0.0), t_stop=stop
    )


def _summary(
    each: np.ndarray, cells: np.ndarray, farthest: Callable[[np.ndarray], np.intp]
) -> tuple[int, float, float, int | None]:
    known = np.isfinite(each)
    if not known.any():
        return 0, float("nan"), float("nan"), None
    worst = int(farthest(each[known]))
    return int(known.sum()), float(each[known].mean()), float(each[known][worst]), int(cells[known][worst])


def _features(a: Trace, b: Trace, name: str, window: tuple[float, float]) -> Measure:
    """The mean of a feature over each element, and how far the two are apart."""
    feature = name.removeprefix(EFEL)
    efel = _needed("efel")
    if feature not in efel.get_feature_names():
        raise FormatError(f"eFEL has no feature {feature!r}", hint="efel.get_feature_names() lists them")
    where = f"{a.report} of {a.population}"
    try:
        common = align(a, b, window)
        chosen = np.sort(np.random.default_rng(0).permutation(len(common.columns_a))[:SAMPLE])
        left, right = (_feature(efel, block, common, feature) for block in _columns(a, b, common, chosen))
    except NotComparable:
        return Measure(name, where, "", 0, float("nan"), float("nan"), None)
    apart = np.abs(left - right)
    known = np.isfinite(apart)
    count, mean, worst, node = _summary(apart, np.asarray(a.node_ids)[common.columns_a[chosen]], np.argmax)
    means = (float(left[known].mean()), float(right[known].mean())) if count else None
    alone = int(np.count_nonzero(np.isfinite(left) != np.isfinite(right)))
    return Measure(name, where, "", count, mean, worst, node, means, alone)


def _columns(a: Trace, b: Trace, common: Aligned, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mV of the chosen elements of both."""
    left, right = values(a, b, common, chosen)
    return convert(left, common.unit, "mV"), convert(right, common.unit, "mV")  # type: ignore[arg-type, return-value]


def _feature(efel: Any, block: np.ndarray, common: Aligned, feature: str) -> np.ndarray:
    times = common.times
    traces = [
        {"T": times, "V": np.ascontiguousarray(column), "stim_start": [times[0]], "stim_end": [times[-1]]}
        for column in block.T
    ]
    found = efel.get_feature_values(traces, [feature], raise_warnings=False)
    return np.array(
        [np.mean(one[feature]) if one[feature] is not None and len(one[feature]) else np.nan for one in found]
    )
