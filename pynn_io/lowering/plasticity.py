"""PyNN's STDP taken apart, with errors for what is no part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_io.errors import PlanError
from pynn_io.vocabulary.plasticity import TIMING, WEIGHT, Stdp, stdp

#: The rule that simulators have.
PAIRS = "SpikePairRule"


def mechanism(parameters: Mapping[str, Any], where: str) -> Stdp:
    """The parts of a mechanism in the graph, with PyNN's defaults. Raises PlanError for unknown ones."""
    try:
        return stdp(parameters)
    except KeyError as error:
        raise PlanError(
            f"{error.args[0]!r} is no part of PyNN's STDP",
            where=where,
            hint=f"timing: {', '.join(TIMING)}; weight: {', '.join(WEIGHT)}",
        ) from error
