"""Values that a component wants and a model states through others: named functions, one a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Values = Mapping[str, Any]

#: Terms of the two sums of the component of GIF cells.
GIF_TERMS = 3


def facets_membrane(values: Values) -> dict[str, Any]:
    """IF_facets_hardware1 is IF_cond_exp with these values fixed: cm 0.2 nF, tau_m = cm / g_leak (nS)."""
    return {"cm": 0.2, "tau_m": 200.0 / values["g_leak"], "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0}


def leak_conductance(values: Values) -> dict[str, Any]:
    """``g_leak`` in uS from cm (nF) and tau_m (ms)."""
    return {"g_leak": values["cm"] / values["tau_m"]}


def traub_spike(values: Values) -> dict[str, Any]:
    """NEST calls a spike of the Traub cell what is a maximum at or above V_T + 30 mV (hh_cond_exp_traub.cpp)."""
    return {"v_spike": values["v_offset"] + 30.0}


def lossless_refractoriness(time: str) -> Callable[[Values], dict[str, Any]]:
    """No refractory time, no event lost in it: the component is silent for one time step all the same."""

    def derive(values: Values) -> dict[str, Any]:
        return {"refractory_input": 1.0} if values[time] == 0 else {}

    return derive


def adex_delta(values: Values) -> dict[str, Any]:
    """Without a slope factor the threshold itself fires the cell, as in NEST."""
    peak = {"V_peak": values["V_th"]} if values["Delta_T"] == 0 else {}
    return peak | lossless_refractoriness("t_ref")(values)


def adex(values: Values) -> dict[str, Any]:
    """``g_leak`` in uS and the potential that fires the cell: the threshold itself without a slope factor."""
    return leak_conductance(values) | {"v_peak": values["v_spike"] if values["delta_T"] > 0 else values["v_thresh"]}


def steep(values: Values) -> bool:
    """Whether an adaptive exponential cell needs our own type: an upstroke that Euler cannot follow, or an initial w.

    One step of dt goes dt * delta_T / tau_m * exp((v_spike - v_thresh) / delta_T) beyond the peak, and the core type
    integrates w from there. Above 12 in the exponent that is hundreds of mV at 0.025 ms: with NEST's V_peak of 0 mV
    (exponent 25) the core type in jLEMS fires once where NEST fires five times.
    """
    exponent = (values["v_spike"] - values["v_thresh"]) / values["delta_T"] if values["delta_T"] > 0 else 0.0
    return exponent > 12.0 or bool(values.get("w"))


def gif(values: Values) -> dict[str, Any]:
    """``g_leak``, and the two sums of a GIF cell term by term: ``tau_eta_1`` ... ``a_gamma_3``.

    PyNN's cell has three terms in each by default, and the component has no more; one that is not stated adds nothing.
    """
    terms: dict[str, Any] = {}
    for name, idle in (("tau_eta", 1.0), ("a_eta", 0.0), ("tau_gamma", 1.0), ("a_gamma", 0.0)):
        padded = (*values[name], *(idle,) * GIF_TERMS)[:GIF_TERMS]
        terms |= {f"{name}_{number}": value for number, value in enumerate(padded, 1)}
    return leak_conductance(values) | terms


def intfire2_times(values: Values) -> dict[str, Any]:
    """NEURON's IntFire2 wants taus above taum and makes it so."""
    return {"taus": max(values["taus"], values["taum"] + 0.1)} if values["taus"] <= values["taum"] else {}


def intfire4_rates(values: Values) -> dict[str, Any]:
    """The rates ``ae ai1 ai2`` (per ms): a weight of 1 moves m to at most 1, and i2, and with it m, to at most 1.

    Source: the normalisation in the comment of NEURON's intfire4.mod, computed here from the peaks' closed forms.
    """
    ke, k1, k2, km = (1.0 / values[name] for name in ("taue", "taui1", "taui2", "taum"))
    peak = math.log(km / ke) / (km - ke)
    ae = (ke - km) / (math.exp(-km * peak) - math.exp(-ke * peak))
    peak = math.log(k2 / k1) / (k2 - k1)
    ai1 = (k1 - k2) / (math.exp(-k2 * peak) - math.exp(-k1 * peak))

    def response(time: float) -> float:
        """m after one unit of i1, with ai2 = 1."""
        total = 0.0
        for k, others in ((k1, (k2, km)), (k2, (k1, km)), (km, (k1, k2))):
            total += math.exp(-k * time) / ((others[0] - k) * (others[1] - k))
        return ai1 * total

    return {"ae": ae, "ai1": ai1, "ai2": 1.0 / response(_maximum(response, 0.0, 20.0 / min(k1, k2, km)))}


def _maximum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one maximum has it: golden section."""
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    for _ in range(200):
        if function(left) > function(right):
            high, right = right, left
            left = high - ratio * (high - low)
        else:
            low, left = left, right
            right = low + ratio * (high - low)
    return (low + high) / 2.0


#: model -> what it derives before its row is applied.
DERIVED: Mapping[str, Callable[[Values], dict[str, Any]]] = MappingProxyType(
    {
        "IF_facets_hardware1": facets_membrane,
        "IF_curr_delta": lossless_refractoriness("tau_refrac"),
        "IF_cond_exp_gsfa_grr": leak_conductance,
        "EIF_cond_exp_isfa_ista": adex,
        "EIF_cond_alpha_isfa_ista": adex,
        "GIF_cond_exp": gif,
        "HH_cond_exp": traub_spike,
        "nest:aeif_psc_delta": adex_delta,
        "nrn:IntFire2": intfire2_times,
        "nrn:IntFire4": intfire4_rates,
    }
)
