"""Features of voltages (eFEL: amplitude, width ... of spikes) beside the verdict, and in it where a tolerance is given.

A trace is judged outside of its spikes, and spikes by their times: what a spike looks like decides nothing by itself,
since nobody publishes how far it may be off. So a few features are measured and shown; those that the user gives a
tolerance are checks of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pynn_io.archive.values import Check, Verdict
from pynn_io.errors import FormatError
from pynn_io.optional import needed
from pynn_io.results.compare.measures import EFEL
from pynn_io.results.compare.values import Measure

#: What is shown of every voltage that is compared, where eFEL is installed.
SHOWN = ("spike_count", "AP_amplitude", "AP_width", "AHP_depth")
#: A part of the published value from which on a feature is named as a reason.
_WORTH_NAMING = 1e-3
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Feature:
    """name: in eFEL. tolerance: of the cell farthest off, in eFEL's unit or, relative, of the published mean."""

    name: str
    tolerance: float
    relative: bool = False

    def allowed(self, published: float) -> float:
        return self.tolerance * abs(published) if self.relative else self.tolerance

    def __str__(self) -> str:
        return f"{100 * self.tolerance:g} %" if self.relative else f"{self.tolerance:g}"


def parse_feature(text: str) -> Feature:
    """``AP_width=0.1`` or ``AP_amplitude=5%``. Raises FormatError."""
    name, equals, number = (part.strip() for part in text.partition("="))
    relative = number.endswith("%")
    try:
        value = float(number.removesuffix("%")) / (100 if relative else 1)
    except ValueError:
        value = -1.0
    if not name or not equals or not 0 <= value < float("inf"):
        raise FormatError(
            f"--feature {text}: not a feature with a tolerance", hint="such as AP_width=0.1 or AP_width=5%"
        )
    return Feature(name, value, relative)


def check_features(features: Sequence[Feature]) -> None:
    """Raises BackendUnavailable without eFEL, FormatError for features that it does not have, or given twice."""
    if not features:
        return
    known = needed("efel", "features need", "compare").get_feature_names()
    for number, feature in enumerate(features):
        if feature.name not in known:
            hint = "efel.get_feature_names() lists them"
            raise FormatError(f"--feature {feature.name}: eFEL has no such feature", hint=hint)
        if feature.name in [each.name for each in features[:number]]:
            raise FormatError(f"--feature {feature.name}: given twice")


def measures(features: Sequence[Feature]) -> tuple[str, ...]:
    """What is measured: what is asked for, and what is shown where it can be."""
    shown = SHOWN if find_spec("efel") is not None else ()
    return tuple(f"{EFEL}{name}" for name in dict.fromkeys((*(each.name for each in features), *shown)))


def as_numbers(found: Sequence[Measure]) -> list[dict[str, Any]]:
    """Measures as the numbers of a check; without those that no cell has in either result."""
    return [
        {
            "feature": each.name.removeprefix(EFEL),
            "of": each.where,
            "published": each.values[0] if each.values else None,
            "found": each.values[1] if each.values else None,
            "worst": each.worst if each.count else None,
            "worst_node": each.worst_node,
            "cells": each.count,
            "only_in_one": each.only_in_one,
        }
        for each in found
        if each.count or each.only_in_one
    ]


def reasons(numbers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How much spikes differ in their shape, for a verdict that says that something does."""
    apart = [each for each in numbers if each["cells"] and each["worst"] > _WORTH_NAMING * abs(each["published"])]
    for each in apart[:_NAMED]:
        yield f"{each['feature']} {each['found']:.3g} for {each['published']:.3g}"


def feature_checks(checks: Sequence[Check], features: Sequence[Feature]) -> Iterator[Check]:
    """A check for every feature with a tolerance, wherever a voltage was compared."""
    for feature in features:
        rows = [(check, each) for check in checks for each in check.numbers.get("features", ())]
        own = [(check, each) for check, each in rows if each["feature"] == feature.name]
        if not own:
            message = "no voltage was compared in which eFEL finds it"
            yield Check(feature.name, Verdict.NOT_COMPARABLE, message, str(feature))
        for check, each in own:
            yield _checked(f"{check.name}: {feature.name} of {each['of']}", feature, each)


def _checked(name: str, feature: Feature, numbers: Mapping[str, Any]) -> Check:
    if numbers["only_in_one"]:
        message = f"{numbers['only_in_one']} cells have it in one of the two only"
        return Check(name, Verdict.DIFFERS, message, str(feature), {"feature": numbers})
    passed = numbers["worst"] <= feature.allowed(numbers["published"])
    message = "" if passed else f"{numbers['worst']:.3g} apart in cell {numbers['worst_node']}"
    verdict = Verdict.REPRODUCED if passed else Verdict.DIFFERS
    return Check(name, verdict, message, str(feature), {"feature": numbers})
