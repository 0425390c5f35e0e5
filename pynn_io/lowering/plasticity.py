"""PyNN's STDP taken apart, with errors for what is no part of it, and as NEST has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.lowering.receptors import used_weights
from pynn_io.vocabulary.plasticity import STDP_EXPONENTS, TIMING, WEIGHT, Stdp, stdp

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


def nest_stdp(parameters: Mapping[str, Any], unit: str, native: str, where: str, *, negative: bool) -> dict[str, float]:
    """A mechanism in the parameters of NEST's ``stdp_synapse``, but for ``tau_minus``, which is the target cell's.

    unit, native: of the weights as stated, and as the cell takes them. negative: it inhibits by their sign. Raises
    PlanError for what NEST's rule does not have.
    """
    parts = mechanism(parameters, where)
    times, bounds = parts.timing_parameters, parts.weight_parameters
    only_falls = times.get("A_plus") == 0 != times["A_minus"]
    if parts.timing != PAIRS or bounds["w_min"] != 0 or parts.dendritic_delay_fraction != 1 or only_falls:
        raise PlanError(
            "NEST's stdp_synapse has SpikePairRule with an A_plus that is not 0, a lower bound of 0, and delays that "
            "are dendritic only",
            where=where,
        )
    largest = float(used_weights(unit, native, np.asarray(bounds["w_max"], dtype=np.float64), False))
    up, down = STDP_EXPONENTS.get(parts.weight, (bounds.get("mu_plus"), bounds.get("mu_minus")))
    return {
        "tau_plus": times["tau_plus"],
        "lambda": times["A_plus"],
        "alpha": times["A_minus"] / times["A_plus"] if times["A_plus"] else 0.0,
        "Wmax": -abs(largest) if negative else largest,
        "mu_plus": up,
        "mu_minus": down,
    }
