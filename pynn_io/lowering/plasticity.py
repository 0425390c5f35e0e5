"""PyNN's STDP taken apart, with errors for what is no part of it, and as NEST has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pynn_io.errors import PlanError
from pynn_io.graph.network import Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.lowering.receptors import used_weights
from pynn_io.vocabulary.plasticity import STDP_EXPONENTS, TIMING, WEIGHT, Stdp, stdp

#: The rules that simulators have.
PAIRS, VOGELS = "SpikePairRule", "Vogels2011Rule"
#: Parameters that are one for all edges of a projection.
SINGLE = ("w_min", "w_max", "eta", "dendritic_delay_fraction")


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


def pair_rule(parts: Stdp, unit: str, native: str, where: str) -> dict[str, float]:
    """A mechanism of `PAIRS` for simulators that compute it here: times and amplitudes, exponents, and bounds.

    ``Wmax`` is the largest weight in ``native``, ``least`` the smallest as a share of it. unit: of weights as stated.
    Raises PlanError for no upper bound.
    """
    bounds = parts.weight_parameters
    largest = float(used_weights(unit, native, np.asarray(bounds["w_max"], dtype=np.float64), False))
    if not largest:
        raise PlanError("w_max of STDP is 0", where=where, hint="state the largest weight that a synapse can have")
    up, down = STDP_EXPONENTS.get(parts.weight, (bounds.get("mu_plus"), bounds.get("mu_minus")))
    exponents: dict[str, Any] = {"mu_plus": up, "mu_minus": down}
    least = bounds["w_min"] / bounds["w_max"]
    return {**parts.timing_parameters, **exponents, "Wmax": largest, "least": least}


def vogels_rule(parts: Stdp, unit: str, native: str) -> dict[str, float] | None:
    """A mechanism of `VOGELS`: its numbers, ``eta`` and the bounds ``least`` and ``most`` in ``native``.

    PyNN has this rule with bounds of the weight and nothing else that depends on it; None for any other.
    """
    if parts.timing != VOGELS or parts.weight != "AdditiveWeightDependence":
        return None
    times, bounds = parts.timing_parameters, parts.weight_parameters
    in_weights = np.array([times["eta"], bounds["w_min"], bounds["w_max"]], dtype=np.float64)
    eta, least, most = used_weights(unit, native, in_weights, False).tolist()
    return {"tau": times["tau"], "rho": times["rho"], "eta": eta, "least": least, "most": most}


def refuse_by_edge(projection: Projection, names: Iterable[str], simulator: str, where: str) -> None:
    """Raise PlanError where edges state one of some parameters of STDP that are one for all there."""
    stated = {name.removeprefix(PARAMETER) for name in (*projection.types, *projection.edges.columns)}
    single = sorted({*names} & stated)
    if single:
        message = f"{single[0]} of STDP differs from edge to edge, which {simulator} does not have here"
        raise PlanError(message, where=where)


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
