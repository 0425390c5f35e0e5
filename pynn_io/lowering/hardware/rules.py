"""Rules of a profile applied to samples: generic tests, limits that depend on the network, and what failed, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.lowering.hardware.delays import RECEPTORS, steps_held
from pynn_io.lowering.hardware.edges import weight_unit
from pynn_io.lowering.hardware.findings import Finding, examples
from pynn_io.lowering.hardware.samples import Sample, Subject, edge_samples, samples
from pynn_io.lowering.hardware.weights import resolutions
from pynn_io.vocabulary.chips import Rule

#: Less than this part of a step is the rounding of a decimal number.
_SAME = 1e-6


@dataclass(slots=True)
class _Failed:
    """What failed a rule at one place. least, greatest: of the values that did. low, high: limits, as they are told."""

    name: str = ""
    low: float = np.nan
    high: float = np.nan
    total: int = 0
    count: int = 0
    least: float = np.inf
    greatest: float = -np.inf
    unit: str = ""
    seen: list[str] = field(default_factory=list)

    def add(self, values: np.ndarray, wrong: np.ndarray) -> None:
        self.total += len(values)
        self.count += int(np.count_nonzero(wrong))
        if not wrong.any():
            return
        bad = values[wrong]
        if bad.dtype.kind not in "fiu":
            self.seen += map(str, bad)
            return
        stated = bad[~np.isnan(bad)]
        self.least = min(self.least, float(stated.min(initial=np.inf)))
        self.greatest = max(self.greatest, float(stated.max(initial=-np.inf)))


def apply(subject: Subject) -> Iterator[Finding]:
    """The findings of all rules of the subject's profile, in the order of the profile."""
    rules = subject.chip.rules
    on_edges = [rule for rule in rules if rule.of in ("delay", "weight")]
    found: dict[tuple[str, str, str], _Failed] = {}
    limits = _Limits(subject, any(rule.of == "weight" for rule in on_edges))
    for block in edge_samples(subject) if on_edges else ():
        for rule in on_edges:
            _test(rule, block[rule.of], limits, found)
    for rule in rules:
        if rule not in on_edges:
            for sample in samples(rule.of, subject):
                if not rule.names or sample.name in rule.names:
                    _test(rule, sample, limits, found)
    for rule in rules:
        for (code, where, _), failed in found.items():
            if code == rule.code and failed.count:
                yield _finding(rule, where, failed)


def _test(rule: Rule, sample: Sample, limits: _Limits, found: dict[tuple[str, str, str], _Failed]) -> None:
    limit = limits.of(rule, sample)
    wrong = TESTS[rule.test](sample.values, limit)
    failed = found.setdefault((rule.code, sample.where, sample.name), _Failed(sample.name))
    failed.add(sample.values, wrong)
    if wrong.any():
        failed.low, failed.high = _told(limit, wrong)
        failed.unit = limits.unit(sample) if rule.of == "weight" else ""


def _told(limit: Any, wrong: np.ndarray) -> tuple[float, float]:
    """The limits of a message; of one that differs from value to value, the greatest that was not kept."""
    if isinstance(limit, np.ndarray):
        limit = limit[wrong].max()
    if isinstance(limit, list):
        return (limit[0], limit[1]) if isinstance(limit[0], float) else (np.nan, np.nan)
    return float(limit), float(limit)


def _finding(rule: Rule, where: str, failed: _Failed) -> Finding:
    text = rule.message.format(
        least=failed.least,
        greatest=failed.greatest,
        limit=failed.high,
        low=failed.low,
        high=failed.high,
        name=failed.name,
        unit=failed.unit,
    )
    return Finding(rule.code, rule.level, where, text, rule.remedy, failed.count, failed.total, examples(failed.seen))


# --- tests: which values fail, bool[n]; a value that is not stated passes --------------------------------------------


def _at_least(values: np.ndarray, limit: Any) -> np.ndarray:
    return values < limit * (1 - _SAME)


def _at_least_half(values: np.ndarray, limit: Any) -> np.ndarray:
    """Of the size of values that are not 0: what rounds to 0."""
    size = np.abs(values)
    return (size > 0) & (size < 0.5 * np.asarray(limit))


def _at_most(values: np.ndarray, limit: Any) -> np.ndarray:
    return np.abs(values) > limit * (1 + _SAME)


def _multiple(values: np.ndarray, limit: Any) -> np.ndarray:
    steps = values / limit
    return np.abs(steps - np.rint(steps)) > _SAME


def _multiple_or_below(values: np.ndarray, limit: Any) -> np.ndarray:
    """What is below one step is another rule's."""
    return _multiple(values, limit) & (values > limit)


def _within(values: np.ndarray, limit: Any) -> np.ndarray:
    low, high = limit
    return (values < low) | (values > high)


def _same(values: np.ndarray, limit: Any) -> np.ndarray:
    return ~np.isclose(values, limit, rtol=1e-9, atol=0.0)


def _one_of(values: np.ndarray, limit: Iterable[str]) -> np.ndarray:
    return ~np.isin(values, list(limit))


TESTS: Mapping[str, Callable[[np.ndarray, Any], np.ndarray]] = MappingProxyType(
    {
        "at least": _at_least,
        "at least half": _at_least_half,
        "at most": _at_most,
        "multiple": _multiple,
        "multiple or below": _multiple_or_below,
        "within": _within,
        "same as": _same,
        "one of": _one_of,
    }
)


# --- limits ---------------------------------------------------------------------------------------------------------


class _Limits:
    """What values are compared with: numbers of the profile, or what follows from the network."""

    def __init__(self, subject: Subject, weights: bool) -> None:
        self._subject = subject
        self._resolutions = resolutions(subject.network, subject.chip, subject.timestep) if weights else {}
        self._units: dict[str, str] = {}
        self._named: Mapping[str, Callable[[Sample], Any]] = {
            "timestep": lambda _: subject.timestep,
            "boards": lambda _: subject.chip.resources.boards,
            "resolution": self._resolution,
            "longest delay": lambda _: self._delay(1),
            "delay of a full core": lambda sample: self._delay(self._on_a_core(sample)),
        }

    def of(self, rule: Rule, sample: Sample) -> Any:
        """A number, an array of one a value, or the list of the profile."""
        if rule.test == "same as":
            return sample.other[rule.than]
        if not isinstance(rule.than, str):
            return rule.than
        return self._named[rule.than](sample) * rule.times

    def unit(self, sample: Sample) -> str:
        """Of weights onto the sample's population."""
        if sample.population not in self._units:
            self._units[sample.population] = weight_unit(self._subject.network, sample.population)
        return self._units[sample.population]

    def _resolution(self, sample: Sample) -> np.ndarray:
        """Of each weight of a sample."""
        of_receptor = np.array([self._resolutions.get((sample.population, inh), 0.0) for inh in (False, True)])
        inhibitory = np.zeros(len(sample.values), bool) if sample.inhibitory is None else sample.inhibitory
        return of_receptor[inhibitory.astype(np.int64)]

    def _on_a_core(self, sample: Sample) -> int:
        size = self._subject.network.populations[sample.population].size
        return min(size, self._subject.chip.resources.neurons_per_core)

    def _delay(self, neurons: int) -> float:
        delays = self._subject.chip.delays
        return np.inf if delays is None else steps_held(delays, neurons, RECEPTORS) * self._subject.timestep
