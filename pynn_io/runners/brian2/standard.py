"""PyNN's standard cells as equations of Brian2, and the statements that compute them as NEST's models do.

Current-based cells are linear between events and are stepped exactly (Rotter & Diesmann 1999,
doi:10.1007/s004220050570); Izhikevich's takes NEST's step forward; the others Runge-Kutta steps of fourth order,
several in a time step. A spike is at the end of the step in which the threshold is crossed. A NEST model that has a
standard twin goes through it. The processes of NEURON (``runners/neuron/mod``) are the same models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from pynn_io.graph.columns import empty
from pynn_io.lowering.standard import twin
from pynn_io.runners.brian2.integration import copied
from pynn_io.vocabulary.derived import traub_spike

Values = Mapping[str, Any]
#: The current that stimuli put in, nA, a step function.
STIMULUS = "i_stim"
#: Parameters whose names Brian2 has for units.
NAMES: Mapping[str, str] = MappingProxyType({"cm": "c_m"})
#: Below any potential, mV; above: what a potential does not reach.
NO_FLOOR = -1e30


@dataclass(frozen=True, slots=True)
class Row:
    """One model.

    rates: state -> change per ms; solved: the rates of what is solved for instead. derived: what follows from states.
    parts: Runge-Kutta steps in a time step, 0 for one step forward. halves: statements that take some of the states
    exactly through half of a part. exact: the statements of a step, instead of all this. begin, end: statements before
    and after the step; start, each: before and after each of its parts. more: variables that these need.
    held: states that stand still while the cell rests; resting: whether it does, by Brian2's means. fixed: values that
    follow from the others and the time step (ms). states: those that a cell may start with. powers: ``here = parameter
    * 10**power``. native: parameters of NEST's twin -> name here.
    """

    rates: Mapping[str, str]
    receptors: Mapping[str, str]
    unit: str
    records: Mapping[str, str]
    derived: Mapping[str, str] = field(default_factory=empty)
    solved: Mapping[str, str] = field(default_factory=empty)
    parts: int = 0
    start: tuple[str, ...] = ()
    halves: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    threshold: str = "v >= v_thresh"
    reset: str = "v = v_reset"
    held: tuple[str, ...] = ("v",)
    resting: bool = True
    fixed: Callable[[Values, float], dict[str, Any]] = lambda values, timestep: {}
    states: tuple[str, ...] = ("v",)
    powers: Mapping[str, int] = field(default_factory=empty)
    native: Mapping[str, str] = field(default_factory=empty)


def _phi(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``(exp(x) - 1) / x`` and ``(exp(x) - 1 - x) / x**2``, also near 0 (by their series)."""
    small = np.abs(x) < 1e-2
    safe = np.where(small, 1.0, x)
    first = np.where(small, 1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6)))), np.expm1(safe) / safe)
    series = 0.5 + x / 6 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7))))
    return first, np.where(small, series, (np.expm1(safe) - safe) / safe**2)


def _leak(values: Values, timestep: float) -> dict[str, Any]:
    """What a step leaves of a potential, and what it makes of a current."""
    along = -timestep / np.asarray(values["tau_m"], dtype=np.float64)
    resting = {"resting": _resting(values["tau_refrac"], timestep)}
    return {"p_v": np.exp(along), "p_c": -(values["tau_m"] / values["cm"]) * np.expm1(along), **resting}


#: NEST's clock has tics of this length, ms.
_TIC = 0.001


def _steps_of(time: Any, timestep: float) -> Any:
    """Whole steps of a time, rounded up, after it was rounded to a tic: NEST's rule for times of rest."""
    return np.ceil(np.rint(np.asarray(time, dtype=np.float64) / _TIC) * _TIC / timestep - 1e-9)


def _resting(time: Any, timestep: float) -> Any:
    """The time until a cell is awake again, ms: NEST counts whole steps after the one with the spike."""
    return (_steps_of(time, timestep) + 1) * timestep


def _propagators(values: Values, timestep: float) -> dict[str, Any]:
    """What a step makes of two synaptic currents, and of their rises."""
    found = _leak(values, timestep)
    for letter in ("E", "I"):
        tau = np.asarray(values[f"tau_syn_{letter}"], dtype=np.float64)
        decay = np.exp(-timestep / tau)
        first, second = _phi(timestep * (1 / tau - 1 / np.asarray(values["tau_m"], dtype=np.float64)))
        found[f"d_{letter.lower()}"] = decay
        found[f"p_{letter.lower()}"] = timestep / values["cm"] * decay * first
        found[f"q_{letter.lower()}"] = timestep**2 / values["cm"] * decay * second
    return found


def _halves(values: Values, timestep: float, parts: int, names: Mapping[str, str]) -> dict[str, Any]:
    """What half a part of a step leaves of what decays: names are those of the factors and of the time constants."""
    half = -timestep / parts / 2
    return {factor: np.exp(half / np.asarray(values[tau], dtype=np.float64)) for factor, tau in names.items()}


_SYNAPTIC_HALVES = MappingProxyType({"f_e": "tau_syn_E", "f_i": "tau_syn_I"})
#: Runge-Kutta steps in a time step, of conductance-based, exponential and Hodgkin-Huxley cells.
_FEW, _MANY = 4, 8


def _refractory(values: Values, timestep: float) -> dict[str, Any]:
    halves = _halves(values, timestep, _FEW, _SYNAPTIC_HALVES)
    return {"resting": _resting(values["tau_refrac"], timestep), **halves}


def _adapting(values: Values, timestep: float) -> dict[str, Any]:
    own = {"f_s": "tau_sfa", "f_r": "tau_rr"}
    return _refractory(values, timestep) | _halves(values, timestep, _FEW, own)


def _adaptive(values: Values, timestep: float) -> dict[str, Any]:
    """The potential that fires and its ``q``, a slope that may stand below a fraction line, and the steps of rest."""
    slope = np.asarray(values["delta_T"], dtype=np.float64)
    rest = _steps_of(values["tau_refrac"], timestep)
    peak = np.where(slope > 0, values["v_spike"], values["v_thresh"])
    width = np.where(slope > 0, slope, 1.0)
    steps = np.where(rest > 0, rest + 1, 0.0)
    halves = _halves(values, timestep, _MANY, _SYNAPTIC_HALVES)
    return {
        "peak": peak,
        "least": np.exp((values["v_thresh"] - peak) / width),
        "width": width,
        "steps": steps,
        **halves,
    }


#: How long NEST's Traub cell tells no second spike, ms, where PyNN's cell stands for it.
_TRAUB_REST = 2.0


def _traub(values: Values, timestep: float) -> dict[str, Any]:
    resting = _resting(values.get("tau_refrac", _TRAUB_REST), timestep)
    return {"resting": resting, **traub_spike(values), **_halves(values, timestep, _MANY, _SYNAPTIC_HALVES)}


_RISING = MappingProxyType(
    {
        "excitatory": "rise_e_post += {w} * exp(1.0) / tau_syn_E_post",
        "inhibitory": "rise_i_post += {w} * exp(1.0) / tau_syn_I_post",
    }
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Two synaptic variables (``g_e``, ``i_e``): how they decay, and what an event adds."""

    rates: Mapping[str, str]
    halves: tuple[str, ...]
    receptors: Mapping[str, str]


def _shape(letter: str, alpha: bool) -> _Shape:
    e, i = f"{letter}_e", f"{letter}_i"
    if not alpha:
        return _Shape(
            {e: f"-{e} / tau_syn_E", i: f"-{i} / tau_syn_I"},
            (f"{e} = f_e * {e}", f"{i} = f_i * {i}"),
            {"excitatory": f"{e}_post += {{w}}", "inhibitory": f"{i}_post += {{w}}"},
        )
    rates = {
        e: f"rise_e - {e} / tau_syn_E",
        i: f"rise_i - {i} / tau_syn_I",
        "rise_e": "-rise_e / tau_syn_E",
        "rise_i": "-rise_i / tau_syn_I",
    }
    halves = (f"{e} = f_e * ({e} + stride / 2 * rise_e)", f"{i} = f_i * ({i} + stride / 2 * rise_i)")
    return _Shape(rates, (*halves, "rise_e = f_e * rise_e", "rise_i = f_i * rise_i"), _RISING)


_V = MappingProxyType({"v": "v"})
_CURRENTS = MappingProxyType({"v": "v", "isyn_exc": "i_e", "isyn_inh": "i_i"})
_CONDUCTANCES = MappingProxyType({"v": "v", "gsyn_exc": "g_e", "gsyn_inh": "g_i"})
_SYNAPTIC = "g_e * (e_rev_E - {v}) + g_i * (e_rev_I - {v})"
_INPUT = f"i_offset + {STIMULUS}"
_FLOOR = "v = clip(v, v_floor, 1e30)"


def _current(alpha: bool) -> Row:
    shape = _shape("i", alpha)
    step = f"v = v_rest + p_v * (v - v_rest) + p_c * ({_INPUT}) + p_e * i_e + p_i * i_i"
    shapes: tuple[str, ...] = ("i_e = d_e * i_e", "i_i = d_i * i_i")
    if alpha:
        step += " + q_e * rise_e + q_i * rise_i"
        shapes = ("i_e = d_e * (i_e + dt / ms * rise_e)", "i_i = d_i * (i_i + dt / ms * rise_i)")
        shapes += ("rise_e = d_e * rise_e", "rise_i = d_i * rise_i")
    return Row(
        {"v": f"(v_rest - v) / tau_m + (i_e + i_i + {_INPUT}) / c_m", **shape.rates},
        shape.receptors,
        "nA",
        _CURRENTS,
        exact=(step, *([_FLOOR] if alpha else []), *shapes),
        fixed=_propagators,
        native={"V_min": "v_floor"} if alpha else empty(),
    )


def _conductance(alpha: bool, *, adapting: bool = False) -> Row:
    shape = _shape("g", alpha)
    flow, own, halves = _SYNAPTIC.format(v="v"), {}, shape.halves
    if adapting:
        flow += " + 0.001 * (g_s * (e_rev_sfa - v) + g_r * (e_rev_rr - v))"  # nS
        own = {"g_s": "-g_s / tau_sfa", "g_r": "-g_r / tau_rr"}
        halves += ("g_s = f_s * g_s", "g_r = f_r * g_r")
    return Row(
        {"v": f"(v_rest - v) / tau_m + ({flow} + {_INPUT}) / c_m", **shape.rates, **own},
        shape.receptors,
        "uS",
        MappingProxyType({**_CONDUCTANCES, **({name: name for name in own})}),
        parts=_FEW,
        halves=halves,
        reset="\n".join(["v = v_reset", *(["g_s = g_s + q_sfa", "g_r = g_r + q_rr"] if adapting else [])]),
        fixed=_adapting if adapting else _refractory,
    )


def _exponential(alpha: bool) -> Row:
    """Above the threshold ``q = exp((v_thresh - v) / delta_T)`` is solved for in place of v.

    There v runs away within a small part of a step, while q falls along a line: dq/dt = -(q flow + delta_T / tau_m) /
    delta_T, where flow is dv/dt without its exponential.
    """
    shape = _shape("g", alpha)
    flow = f"(v_rest - {{v}}) / tau_m + ({_SYNAPTIC} - w + {_INPUT}) / c_m"
    up = "delta_T / tau_m * exp(({v} - v_thresh) / width)"
    return Row(
        {
            "v": f"int(left < 0.5) * ({flow.format(v='v')} + {up.format(v='v')})",
            "w": "(a * (v - v_rest) - w) / tau_w",
            **shape.rates,
        },
        shape.receptors,
        "uS",
        MappingProxyType({**_CONDUCTANCES, "w": "w"}),
        derived={
            "z": "clip(q, least, 1e300)",
            "x": "choose(steep, v_thresh - width * log(z), clip(q, -1e30, peak))",
            "flow": flow.format(v="x"),
        },
        solved={
            "q": f"free * choose(steep, -(z * flow + delta_T / tau_m) / width, flow + {up.format(v='x')})",
            "w": "(a * (x - v_rest) - w) / tau_w",
        },
        parts=_MANY,
        start=(
            "free = int(left < 0.5)",
            "steep = int(v > v_thresh) * int(delta_T > 0) * free",
            "q = choose(steep, exp((v_thresh - v) / width), v)",
            f"begun = {copied('q')}",
        ),
        halves=shape.halves,
        each=_crossing(f"{flow.format(v='v_reset')} + {up.format(v='v_reset')}"),
        end=("left = left - int(left > 0.5)",),
        more=("left", "fired"),
        threshold="fired > 0.5",
        reset="fired = 0",
        held=(),
        resting=False,
        fixed=_adaptive,
        states=("v", "w"),
        powers={"a": -3},
    )


def _crossing(slope: str) -> tuple[str, ...]:
    """After each part of a step. slope: dv/dt at v_reset.

    The reset happens within a part, at the end of which ``rest`` is since then; the spike is at the step's end.
    """
    return (
        "crossed = free * choose(steep, int(q <= least), int(q >= peak))",
        "rest = stride * crossed * (1 - (choose(steep, least, peak) - begun) / choose(crossed, q - begun, 1))",
        "v = choose(steep, v_thresh - width * log(clip(q, least, 1e300)), q)",
        "w = w + b * crossed + rest * (a * (v_reset - peak) - b) / tau_w",
        f"ahead = rest * int(steps < 0.5) * ({slope})",
        "v = choose(crossed + 1 - free, v_reset + ahead, v)",
        "left = choose(crossed, steps, left)",
        "fired = fired + crossed",
    )


_GATES = {
    "m": "0.32 * 4 * linoid((13 - y) / 4) * (1 - m) - 0.28 * 5 * linoid((y - 40) / 5) * m",
    "h": "0.128 * exp((17 - y) / 18) * (1 - h) - 4 / (1 + exp((40 - y) / 5)) * h",
    "n": "0.032 * 5 * linoid((15 - y) / 5) * (1 - n) - 0.5 * exp((10 - y) / 40) * n",
}


def _hodgkin_huxley() -> Row:
    shape = _shape("g", False)
    channels = (
        "gbar_Na * m * m * m * h * (e_rev_Na - v) + gbar_K * n * n * n * n * (e_rev_K - v) + g_leak * (e_rev_leak - v)"
    )
    return Row(
        {"v": f"({channels} + {_SYNAPTIC.format(v='v')} + {_INPUT}) / c_m", **_GATES, **shape.rates},
        shape.receptors,
        "uS",
        MappingProxyType({**_CONDUCTANCES, "m": "m", "h": "h", "n": "n"}),
        derived={"y": "v - v_offset"},
        parts=_MANY,
        halves=shape.halves,
        begin=(f"begun = {copied('v')}",),
        end=("falling = int(begun > v)",),
        more=("begun", "falling"),
        # A spike is a maximum, and there is no reset.
        threshold="v >= v_spike and falling > 0.5",
        reset="",
        held=(),
        fixed=_traub,
        states=("v", "m", "h", "n"),
        native={"t_ref": "tau_refrac"},
    )


_JUMP = MappingProxyType({"excitatory": "v_post += {w}", "inhibitory": "v_post += {w}"})

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "IF_curr_exp": _current(False),
        "IF_curr_alpha": _current(True),
        "IF_curr_delta": Row(
            {"v": f"(v_rest - v) / tau_m + ({_INPUT}) / c_m"},
            _JUMP,
            "mV",
            _V,
            exact=(f"v = v_rest + p_v * (v - v_rest) + p_c * ({_INPUT})", _FLOOR),
            fixed=_leak,
            native={"V_min": "v_floor"},
        ),
        "IF_cond_exp": _conductance(False),
        "IF_cond_alpha": _conductance(True),
        "IF_facets_hardware1": _conductance(False),
        "IF_cond_exp_gsfa_grr": _conductance(False, adapting=True),
        "EIF_cond_exp_isfa_ista": _exponential(False),
        "EIF_cond_alpha_isfa_ista": _exponential(True),
        "HH_cond_exp": _hodgkin_huxley(),
        "Izhikevich": Row(
            # The model takes currents as mV/ms; PyNN and NEST call the number pA.
            {"v": f"0.04 * v * v + 5 * v + 140 - u + i_offset + 1000 * {STIMULUS}", "u": "a * (b * v - u)"},
            _JUMP,
            "mV",
            MappingProxyType({"v": "v", "u": "u"}),
            end=(_FLOOR,),
            reset="v = c\nu = u + d",
            held=(),
            resting=False,
            fixed=lambda values, timestep: {"v_thresh": values.get("v_thresh", 30.0)},
            states=("v", "u"),
            powers={"i_offset": 3},
            native={"V_min": "v_floor", "V_th": "v_thresh"},
        ),
    }
)


def row_of(model: str) -> Row | None:
    """The row of a standard cell, or of the standard twin of one of NEST's; None where there is none."""
    return ROWS.get(twin(model))
