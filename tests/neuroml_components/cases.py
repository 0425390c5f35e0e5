"""Cells, inputs and their native equations, a row a model: what every component is run against.

``events``: (arrival, weight) in ms and the model's own unit. Every row has excitatory events at 6 and 8 ms and an
inhibitory one at 30 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.neuroml_components import oracle as o

EXC, INH = (6.0, 8.0), (30.0,)
DURATION = 60.0


@dataclass
class Case:
    """One model under one set of parameters, and its equations."""

    model: str
    parameters: dict[str, Any]
    weight: float
    unit: str
    native: Callable[[], o.Native]
    synapse: str = "nest:static_synapse"
    train: tuple[float, ...] = ()

    def events(self) -> list[tuple[float, float]]:
        if self.train:
            return [(time, self.weight) for time in self.train]
        return [(t, self.weight) for t in EXC] + [(t, -self.weight) for t in INH]


IF = {"C_m": 200.0, "E_L": -68.0, "V_th": -52.0, "V_reset": -61.0, "t_ref": 3.0, "I_e": 20.0, "V_m": -66.0}
CURR = {**IF, "tau_m": 12.0, "tau_syn_ex": 1.5, "tau_syn_in": 4.0}
COND = {**IF, "g_L": 20.0, "tau_syn_ex": 1.5, "tau_syn_in": 4.0, "E_ex": 2.0, "E_in": -81.0}
ADEX = {
    "C_m": 281.0, "g_L": 30.0, "E_L": -70.6, "V_th": -50.4, "Delta_T": 2.0, "V_peak": -20.0, "V_reset": -60.0,
    "t_ref": 2.0, "tau_w": 100.0, "a": 4.0, "b": 80.5, "I_e": 100.0, "V_m": -68.0,
}  # fmt: skip
SHARP = {**ADEX, "V_peak": 0.0, "t_ref": 0.0}
SOFT = {**ADEX, "V_peak": -40.0}
ADEX_SYN = {"tau_syn_ex": 1.5, "tau_syn_in": 4.0}
ADEX_REV = {"E_ex": 2.0, "E_in": -81.0}
SFA = {
    "C_m": 289.5, "g_L": 28.95, "E_L": -70.0, "V_th": -57.0, "V_reset": -68.0, "t_ref": 1.0, "I_e": 0.0, "V_m": -69.0,
    "tau_syn_ex": 1.5, "tau_syn_in": 10.0, "E_ex": 0.0, "E_in": -75.0, "tau_sfa": 110.0, "E_sfa": -72.0, "q_sfa": 14.48,
    "tau_rr": 1.97, "E_rr": -71.0, "q_rr": 3214.0,
}  # fmt: skip
TRAUB = {
    "C_m": 200.0, "g_Na": 20000.0, "g_K": 6000.0, "g_L": 10.0, "E_Na": 50.0, "E_K": -90.0, "E_L": -65.0, "V_T": -63.0,
    "I_e": 0.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "E_ex": 0.0, "E_in": -80.0, "t_ref": 2.0, "V_m": -62.0,
    "Act_m": 0.01, "Inact_h": 0.98, "Act_n": 0.02,
}  # fmt: skip
HH = {
    "C_m": 100.0, "g_Na": 12000.0, "g_K": 3600.0, "g_L": 30.0, "E_Na": 50.0, "E_K": -77.0, "E_L": -54.402, "I_e": 0.0,
    "tau_syn_ex": 0.5, "tau_syn_in": 2.0, "t_ref": 2.0, "V_m": -64.0, "Act_m": 0.06, "Inact_h": 0.59, "Act_n": 0.32,
}  # fmt: skip
DRIVE = {"I_e": 520.0}


def lif(p: dict[str, Any], synapse: Any, *, keeps: bool = False, **more: Any) -> Callable[[], o.Native]:
    g = p["g_L"] if "g_L" in p else p["C_m"] / p["tau_m"]
    more["keeps_missed"] = p["C_m"] / g if keeps else 0.0
    return lambda: o.build(
        o.leaky(p["C_m"], g, p["E_L"], p["I_e"]),
        [p["V_m"]],
        synapse,
        threshold=p["V_th"],
        fire=o.reset(p["V_reset"]),
        refractory=p["t_ref"],
        **more,
    )


def adex(p: dict[str, Any], synapse: Any, **more: Any) -> Callable[[], o.Native]:
    return lambda: o.build(
        o.adex(p["C_m"], p["g_L"], p["E_L"], p["V_th"], p["Delta_T"], p["a"], p["tau_w"], p["I_e"], p["V_peak"]),
        [p["V_m"], p.get("w", 0.0)],
        synapse,
        threshold=p["V_peak"] if p["Delta_T"] > 0 else p["V_th"],
        fire=o.reset_and_add(p["V_reset"], p["b"]),
        refractory=p["t_ref"],
        **more,
    )


def sfa(p: dict[str, Any]) -> Callable[[], o.Native]:
    return lambda: o.build(
        o.adapting(p["C_m"], p["g_L"], p["E_L"], p["I_e"], (p["E_sfa"], p["tau_sfa"]), (p["E_rr"], p["tau_rr"])),
        [p["V_m"], 0.0, 0.0],
        o.exp_conductance(p["tau_syn_ex"], p["tau_syn_in"], p["E_ex"], p["E_in"]),
        threshold=p["V_th"],
        fire=o.reset_and_add(p["V_reset"], p["q_sfa"], p["q_rr"]),
        refractory=p["t_ref"],
    )


def hodgkin_huxley(p: dict[str, Any], *, is_traub: bool) -> Callable[[], o.Native]:
    g, e = [p[f"g_{x}"] for x in ("Na", "K", "L")], [p[f"E_{x}"] for x in ("Na", "K", "L")]
    membrane = o.traub(p["C_m"], g, e, p["V_T"], p["I_e"]) if is_traub else o.classic(p["C_m"], g, e, p["I_e"])
    if is_traub:
        synapse = o.exp_conductance(p["tau_syn_ex"], p["tau_syn_in"], p["E_ex"], p["E_in"])
    else:
        synapse = o.alpha_current(p["tau_syn_ex"], p["tau_syn_in"])
    return lambda: o.build(membrane, [p["V_m"], p["Act_m"], p["Inact_h"], p["Act_n"]], synapse)


def izhikevich(p: dict[str, Any]) -> Callable[[], o.Native]:
    return lambda: o.build(
        o.izhikevich(p["a"], p["b"], p["I_e"]),
        [p["V_m"], p["U_m"]],
        o.no_synapse(),
        jumps=True,
        threshold=p["V_th"],
        fire=o.reset_and_add(p["c"], p["d"]),
    )


TAUS = (1.5, 4.0)
REVS = (*TAUS, 2.0, -81.0)
IZH = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "V_th": 30.0, "I_e": 3.0, "V_m": -65.0, "U_m": -12.0}

# fmt: off
CASES: dict[str, Case] = {
    "iaf_psc_alpha": Case("nest:iaf_psc_alpha", CURR, 300.0, "pA", lif(CURR, o.alpha_current(*TAUS))),
    "iaf_psc_exp": Case("nest:iaf_psc_exp", CURR, 300.0, "pA", lif(CURR, o.exp_current(*TAUS))),
    "iaf_psc_delta": Case("nest:iaf_psc_delta", {k: v for k, v in CURR.items() if "syn" not in k}, 4.0, "mV",
                          lif(CURR, o.no_synapse(), jumps=True)),
    "iaf_cond_alpha": Case("nest:iaf_cond_alpha", COND, 6.0, "nS", lif(COND, o.alpha_conductance(*REVS))),
    "iaf_cond_exp": Case("nest:iaf_cond_exp", COND, 6.0, "nS", lif(COND, o.exp_conductance(*REVS))),
    "aeif_cond_exp": Case("nest:aeif_cond_exp", {**ADEX, **ADEX_SYN, **ADEX_REV}, 8.0, "nS",
                          adex(ADEX, o.exp_conductance(*REVS))),
    "aeif_cond_alpha": Case("nest:aeif_cond_alpha", {**ADEX, **ADEX_SYN, **ADEX_REV}, 8.0, "nS",
                            adex(ADEX, o.alpha_conductance(*REVS))),
    "aeif_psc_exp": Case("nest:aeif_psc_exp", {**ADEX, **ADEX_SYN}, 400.0, "pA", adex(ADEX, o.exp_current(*TAUS))),
    "aeif_psc_alpha": Case("nest:aeif_psc_alpha", {**ADEX, **ADEX_SYN}, 400.0, "pA",
                           adex(ADEX, o.alpha_current(*TAUS))),
    "aeif_psc_delta": Case("nest:aeif_psc_delta", {**ADEX, "w": 30.0}, 4.0, "mV",
                           adex({**ADEX, "w": 30.0}, o.no_synapse(), jumps=True)),
    # V_peak as by default in NEST (our own type), and low enough for the core type.
    "aeif_cond_exp_peak_0": Case("nest:aeif_cond_exp", {**SHARP, **ADEX_SYN, **ADEX_REV, "w": 20.0}, 8.0, "nS",
                                 adex({**SHARP, "w": 20.0}, o.exp_conductance(*REVS))),
    "aeif_cond_exp_core": Case("nest:aeif_cond_exp", {**SOFT, **ADEX_SYN, **ADEX_REV}, 8.0, "nS",
                               adex(SOFT, o.exp_conductance(*REVS))),
    "aeif_psc_alpha_core": Case("nest:aeif_psc_alpha", {**SOFT, **ADEX_SYN}, 400.0, "pA",
                                adex(SOFT, o.alpha_current(*TAUS))),
    "aeif_cond_exp_lif": Case("nest:aeif_cond_exp", {**ADEX, **ADEX_SYN, **ADEX_REV, "Delta_T": 0.0}, 8.0, "nS",
                              adex({**ADEX, "Delta_T": 0.0}, o.exp_conductance(*REVS))),
    "iaf_psc_delta_keeps": Case("nest:iaf_psc_delta",
                                {**{k: v for k, v in CURR.items() if "syn" not in k}, "refractory_input": True},
                                4.0, "mV", lif(CURR, o.no_synapse(), jumps=True)),
    "iaf_cond_exp_sfa_rr": Case("nest:iaf_cond_exp_sfa_rr", SFA, 12.0, "nS", sfa(SFA)),
    "izhikevich": Case("nest:izhikevich", IZH, 5.0, "mV", izhikevich(IZH)),
    "hh_cond_exp_traub": Case("nest:hh_cond_exp_traub", TRAUB, 0.3, "nS", hodgkin_huxley(TRAUB, is_traub=True)),
    "hh_psc_alpha": Case("nest:hh_psc_alpha", HH, 120.0, "pA", hodgkin_huxley(HH, is_traub=False)),
}
# fmt: on

#: Bias currents (pA) under which the cells fire several times within `DURATION`, and weights for a train of inputs.
DRIVES: dict[str, tuple[float, float]] = {
    "iaf_psc_alpha": (450.0, 40.0),
    "iaf_psc_exp": (450.0, 40.0),
    "iaf_psc_delta": (450.0, 1.0),
    "iaf_cond_alpha": (500.0, 1.0),
    "iaf_cond_exp": (500.0, 1.0),
    "aeif_cond_exp": (1100.0, 2.0),
    "aeif_cond_alpha": (1100.0, 2.0),
    "aeif_psc_exp": (1100.0, 50.0),
    "aeif_psc_alpha": (1100.0, 50.0),
    "aeif_psc_delta": (1100.0, 1.0),
    "aeif_cond_exp_peak_0": (1050.0, 2.0),
    "aeif_cond_exp_core": (1100.0, 2.0),
    "aeif_psc_alpha_core": (1100.0, 50.0),
    "aeif_cond_exp_lif": (1100.0, 2.0),
    "iaf_psc_delta_keeps": (450.0, 3.0),
    "iaf_cond_exp_sfa_rr": (1200.0, 2.0),
    "izhikevich": (14.0, 1.0),
    "hh_cond_exp_traub": (700.0, 1.0),
    "hh_psc_alpha": (900.0, 20.0),
}

#: Arrival of the inputs of a driven cell, ms; some fall into refractory times.
TRAIN = tuple(6.0 + 3.3 * k for k in range(16))


def driven(name: str) -> Case:
    """The case with a bias current that makes it fire."""
    case = CASES[name]
    current, weight = DRIVES[name]
    p = {**case.parameters, "I_e": current}
    builders = {
        "nest:iaf_psc_alpha": lambda: lif(p, o.alpha_current(*TAUS)),
        "nest:iaf_psc_exp": lambda: lif(p, o.exp_current(*TAUS)),
        "nest:iaf_psc_delta": lambda: lif(p, o.no_synapse(), jumps=True, keeps=p.get("refractory_input", False)),
        "nest:iaf_cond_alpha": lambda: lif(p, o.alpha_conductance(*REVS)),
        "nest:iaf_cond_exp": lambda: lif(p, o.exp_conductance(*REVS)),
        "nest:aeif_cond_exp": lambda: adex(p, o.exp_conductance(*REVS)),
        "nest:aeif_cond_alpha": lambda: adex(p, o.alpha_conductance(*REVS)),
        "nest:aeif_psc_exp": lambda: adex(p, o.exp_current(*TAUS)),
        "nest:aeif_psc_alpha": lambda: adex(p, o.alpha_current(*TAUS)),
        "nest:aeif_psc_delta": lambda: adex(p, o.no_synapse(), jumps=True),
        "nest:iaf_cond_exp_sfa_rr": lambda: sfa(p),
        "nest:izhikevich": lambda: izhikevich(p),
        "nest:hh_cond_exp_traub": lambda: hodgkin_huxley(p, is_traub=True),
        "nest:hh_psc_alpha": lambda: hodgkin_huxley(p, is_traub=False),
    }
    return Case(case.model, p, weight, case.unit, builders[case.model](), train=TRAIN)
