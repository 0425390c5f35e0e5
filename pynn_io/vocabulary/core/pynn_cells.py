"""PyNN's cells as NeuroML has them: their numbers bear no units (ms, mV, nA, nF, uS)."""

from __future__ import annotations

from typing import Any

from pynn_io.graph.dynamics import ComponentType
from pynn_io.vocabulary.core.cells import resting
from pynn_io.vocabulary.core.notation import core

_UNITS = {"MSEC": ("time", 1.0), "MVOLT": ("voltage", 1.0), "NFARAD": ("capacitance", 1.0)}
_SHARED: dict[str, Any] = {
    "attach": "synapses:baseSynapse",
    "derived": ["iSyn <- synapses[*]/i +"],
}
_SYNAPTIC = "iSyn / (cm * NFARAD)"
_BASES = (
    core(
        "basePyNNCell",
        "cm:none i_offset:none tau_syn_E:none tau_syn_I:none v_init:none",
        extends="baseCellMembPot",
        constants=_UNITS,
        ports="spike_in_E:in spike_in_I:in",
        gives="iSyn:current",
    ),
    core(
        "basePyNNIaFCell",
        "tau_refrac:none v_thresh:none tau_m:none v_rest:none v_reset:none",
        extends="basePyNNCell",
    ),
    core("basePyNNIaFCondCell", "e_rev_E:none e_rev_I:none", extends="basePyNNIaFCell"),
)


def _integrate_and_fire(name: str) -> ComponentType:
    conductances = "Cond" if "cond" in name else ""
    return core(
        name,
        extends=f"basePyNNIaF{conductances}Cell",
        gives="v:voltage iSyn:current",
        states="v:voltage lastSpikeTime:time",
        start=["v = v_init * MVOLT"],
        regimes=resting(
            reset="v_reset * MVOLT",
            refractory="tau_refrac * MSEC",
            rates=[f"v = MVOLT * (i_offset / cm + (v_rest - v / MVOLT) / tau_m) / MSEC + {_SYNAPTIC}"],
            threshold="v_thresh * MVOLT",
        ),
        **_SHARED,
    )


def _exponential(name: str) -> ComponentType:
    """Brette and Gerstner (2005). Without a slope (``delta_T`` 0) the threshold is ``v_thresh`` itself."""
    return core(
        name,
        "v_spike:none delta_T:none tau_w:none a:none b:none",
        extends="basePyNNIaFCondCell",
        fixed=["eif_threshold = v_spike * H(delta_T - 1e-12) + v_thresh * H(1e-9 - delta_T)"],
        attach="synapses:baseSynapse",
        gives="v:voltage w:none iSyn:current",
        local="eif_threshold:none delta_I:none",
        states="v:voltage w:none lastSpikeTime:time",
        derived=[
            "iSyn <- synapses[*]/i +",
            ("delta_I", [("delta_T > 0", "delta_T * exp((v / MVOLT - v_thresh) / delta_T)"), ("", "0")]),
        ],
        start=["v = v_init * MVOLT", "w = 0"],
        regimes=resting(
            reset="v_reset * MVOLT",
            refractory="tau_refrac * MSEC",
            rates=[
                f"v = MVOLT * ((v_rest - v / MVOLT + delta_I) / tau_m + (i_offset - w) / cm) / MSEC + {_SYNAPTIC}",
            ],
            always=["w = (a * (v / MVOLT - v_rest) - w) / tau_w / MSEC"],
            threshold="eif_threshold * MVOLT",
            then="w = w + b",
        ),
    )


def _linoid(scale: str, over: str, width: str) -> str:
    return f"{scale} * ({over}) / (exp(({over}) / {width}) - 1)"


#: Traub and Miles (1991), as in Brette et al. (2007). Its spikes are not told: NeuroML's type emits no events.
_HODGKIN_HUXLEY = core(
    "HH_cond_exp",
    "gbar_K:none gbar_Na:none g_leak:none e_rev_K:none e_rev_Na:none e_rev_leak:none v_offset:none e_rev_E:none"
    " e_rev_I:none",
    extends="basePyNNCell",
    attach="synapses:baseSynapse",
    gives="v:voltage m:none h:none n:none iSyn:current",
    local="u:none iMemb:none alpham:none betam:none alphah:none betah:none alphan:none betan:none",
    states="v:voltage m:none h:none n:none",
    derived=[
        "iSyn <- synapses[*]/i +",
        "u = v / MVOLT - v_offset",
        "iMemb = g_leak * (e_rev_leak - v / MVOLT) + gbar_Na * m ^ 3 * h * (e_rev_Na - v / MVOLT)"
        " + gbar_K * n ^ 4 * (e_rev_K - v / MVOLT) + i_offset",
        f"alpham = {_linoid('0.32', '13 - u', '4')}",
        f"betam = {_linoid('0.28', 'u - 40', '5')}",
        "alphah = 0.128 * exp((17 - u) / 18)",
        "betah = 4 / (1 + exp((40 - u) / 5))",
        f"alphan = {_linoid('0.032', '15 - u', '5')}",
        "betan = 0.5 * exp((10 - u) / 40)",
    ],
    rates=[
        f"v = MVOLT * iMemb / cm / MSEC + {_SYNAPTIC}",
        "m = (alpham * (1 - m) - betam * m) / MSEC",
        "h = (alphah * (1 - h) - betah * h) / MSEC",
        "n = (alphan * (1 - n) - betan * n) / MSEC",
    ],
    start=["v = v_init * MVOLT"],
)

TYPES = (
    *_BASES,
    *(_integrate_and_fire(name) for name in ("IF_curr_alpha", "IF_curr_exp", "IF_cond_alpha", "IF_cond_exp")),
    *(_exponential(name) for name in ("EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista")),
    _HODGKIN_HUXLEY,
)
