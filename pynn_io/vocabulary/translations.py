"""How PyNN's standard cells and NEST's cells say the same thing: one table, read both ways.

A rule is a rename with a power of ten, or a pair of functions for parameters that depend on each other. A translation
holds for the cell with its synapses; ``native_only`` are parameters of NEST that the standard model fixes, and their
values. Sources: PyNN 0.13 documentation and the equations of both models; every row is tested by simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from pynn_io.units import scale_by_power


class Rename(NamedTuple):
    """``native = standard * 10**power``; a list of numbers is so entry by entry."""

    standard: str
    native: str
    power: int = 0


class Pair(NamedTuple):
    """Functions of all parameters: standard -> one native value, and native -> one standard value."""

    standard: str
    native: str
    to_native: Callable[[Mapping[str, Any]], float]
    to_standard: Callable[[Mapping[str, Any]], float]


Rules: TypeAlias = tuple[Rename | Pair, ...]


@dataclass(frozen=True, slots=True)
class Translation:
    """One pair of models. weight_power: native weight = standard weight * 10**weight_power.

    precise: NEST's model of the same equations that crosses its threshold, and takes spikes, between two steps, where
    PyNN has one (``spike_precision="off_grid"``); ``native_only`` is its default there, or it has no such parameter.
    """

    standard: str
    native: str
    rules: Rules
    native_only: Mapping[str, Any]
    weight_power: int
    precise: str = ""


def _leak_conductance(standard: Mapping[str, Any]) -> float:
    """nS from nF and ms, rounded as PyNN rounds."""
    return scale_by_power(standard["cm"] / standard["tau_m"], 3)


def _membrane_time(native: Mapping[str, Any]) -> float:
    """ms from pF and nS."""
    return native["C_m"] / native["g_L"]


def _renames(text: str) -> tuple[Rename, ...]:
    """``"v_rest=E_L cm=C_m*3"``: ``*3`` is the power of ten on the way to native."""
    rules = []
    for item in text.split():
        standard, _, native = item.partition("=")
        name, _, power = native.partition("*")
        rules.append(Rename(standard, name, int(power or 0)))
    return tuple(rules)


_MEMBRANE = "v_rest=E_L cm=C_m*3 tau_refrac=t_ref v_reset=V_reset v_thresh=V_th i_offset=I_e*3 "
_TAU_SYN = "tau_syn_E=tau_syn_ex tau_syn_I=tau_syn_in "
_REVERSAL = "e_rev_E=E_ex e_rev_I=E_in "
_LEAK = Pair("tau_m", "g_L", _leak_conductance, _membrane_time)
_NO_FLOOR: Mapping[str, Any] = {"V_min": -float("inf")}

_DELTA = _renames(_MEMBRANE + "tau_m=tau_m")
_CURRENT = _renames(_MEMBRANE + "tau_m=tau_m " + _TAU_SYN)
_CONDUCTANCE: Rules = (*_renames(_MEMBRANE + _TAU_SYN + _REVERSAL), _LEAK)
_EXPONENTIAL: Rules = (
    *_renames(_MEMBRANE + _TAU_SYN + _REVERSAL + "v_spike=V_peak delta_T=Delta_T tau_w=tau_w a=a b=b*3"),
    _LEAK,
)
_ADAPTING: Rules = (
    *_CONDUCTANCE,
    *_renames("tau_sfa=tau_sfa e_rev_sfa=E_sfa q_sfa=q_sfa tau_rr=tau_rr e_rev_rr=E_rr q_rr=q_rr"),
)
_HODGKIN_HUXLEY = _renames(
    "gbar_Na=g_Na*3 gbar_K=g_K*3 g_leak=g_L*3 cm=C_m*3 v_offset=V_T e_rev_Na=E_Na e_rev_K=E_K e_rev_leak=E_L"
    " i_offset=I_e*3 " + _TAU_SYN + _REVERSAL
)
_IZHIKEVICH = _renames("a=a b=b c=c d=d i_offset=I_e*3")


def _row(
    standard: str, native: str, rules: Rules, weight: int, *, precise: str = "", **native_only: Any
) -> Translation:
    return Translation(standard, native, rules, MappingProxyType(native_only), weight, precise)


TRANSLATIONS: tuple[Translation, ...] = (
    _row("IF_curr_alpha", "nest:iaf_psc_alpha", _CURRENT, 3, **_NO_FLOOR),
    _row("IF_curr_exp", "nest:iaf_psc_exp", _CURRENT, 3, precise="nest:iaf_psc_exp_ps", delta=0.0),
    _row(
        "IF_curr_delta",
        "nest:iaf_psc_delta",
        _renames(_MEMBRANE + "tau_m=tau_m"),
        0,
        precise="nest:iaf_psc_delta_ps",
        refractory_input=False,
        **_NO_FLOOR,
    ),
    _row("IF_cond_alpha", "nest:iaf_cond_alpha", _CONDUCTANCE, 3),
    _row("IF_cond_exp", "nest:iaf_cond_exp", _CONDUCTANCE, 3),
    _row("IF_cond_exp_gsfa_grr", "nest:iaf_cond_exp_sfa_rr", _ADAPTING, 3),
    _row("EIF_cond_exp_isfa_ista", "nest:aeif_cond_exp", _EXPONENTIAL, 3),
    _row("EIF_cond_alpha_isfa_ista", "nest:aeif_cond_alpha", _EXPONENTIAL, 3),
    _row("HH_cond_exp", "nest:hh_cond_exp_traub", _HODGKIN_HUXLEY, 3, t_ref=2.0),
    _row("Izhikevich", "nest:izhikevich", _IZHIKEVICH, 0, V_th=30.0, consistent_integration=True, **_NO_FLOOR),
)

#: Standard cells that NEST alone has a model of; nothing is read back as one of them.
ON_NEST_ALONE: Mapping[str, Translation] = MappingProxyType(
    {
        "GIF_cond_exp": _row(
            "GIF_cond_exp",
            "nest:gif_cond_exp",
            (
                *_renames(
                    "v_rest=E_L cm=C_m*3 tau_refrac=t_ref v_reset=V_reset i_offset=I_e*3 delta_v=Delta_V"
                    " v_t_star=V_T_star lambda0=lambda_0 tau_eta=tau_stc tau_gamma=tau_sfa a_eta=q_stc*3 a_gamma=q_sfa "
                    + _TAU_SYN
                    + _REVERSAL
                ),
                _LEAK,
            ),
            3,
        )
    }
)

#: Parameters that steer a numerical method and say nothing about the model.
NUMERICAL = frozenset({"gsl_error_tol"})

#: What has no effect while another parameter is at its ``native_only`` value: ``rho`` without ``delta``.
IDLE = frozenset({"rho"})

_BY_NATIVE = {row.native: row for row in TRANSLATIONS}
_BY_STANDARD = {row.standard: row for row in TRANSLATIONS}


def of_native(model: str) -> Translation | None:
    """The translation of a native model, if it has a standard twin."""
    return _BY_NATIVE.get(model)


def of_standard(model: str) -> Translation | None:
    """The translation of a standard model into NEST's."""
    return _BY_STANDARD.get(model)


def _scaled(value: Any, power: int) -> Any:
    """A number, an array, or a list of numbers that all cells share (a tuple)."""
    if isinstance(value, tuple):
        return tuple(scale_by_power(item, power) for item in value)
    return scale_by_power(value, power)


def to_standard(row: Translation, native: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(standard parameters, leftovers)`` of a complete set of native parameters.

    Leftovers are native parameters whose value the standard model cannot say: those that differ from ``native_only``
    and those that no rule knows. Raises KeyError if a parameter that a rule needs is absent.
    """
    values = {}
    used = set(NUMERICAL | IDLE)
    for rule in row.rules:
        used.add(rule.native)
        if isinstance(rule, Pair):
            values[rule.standard] = rule.to_standard(native)
        else:
            values[rule.standard] = _scaled(native[rule.native], -rule.power)
    used |= {name for name, value in row.native_only.items() if name not in native or np.all(native[name] == value)}
    return values, {name: value for name, value in native.items() if name not in used}


def to_native(row: Translation, standard: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(native parameters, leftovers)`` of a complete set of standard parameters; ``native_only`` values included."""
    values: dict[str, Any] = {}
    used = set()
    for rule in row.rules:
        used.add(rule.standard)
        if isinstance(rule, Pair):
            values[rule.native] = rule.to_native(standard)
        else:
            values[rule.native] = _scaled(standard[rule.standard], rule.power)
    values |= row.native_only
    return values, {name: value for name, value in standard.items() if name not in used}


__all__ = [
    "IDLE",
    "NUMERICAL",
    "ON_NEST_ALONE",
    "TRANSLATIONS",
    "Pair",
    "Rename",
    "Translation",
    "of_native",
    "of_standard",
    "to_native",
    "to_standard",
]
