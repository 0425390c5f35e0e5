"""The native models' equations, integrated here by RK4: nothing is shared with the components under test.

Sources: NEST 3.10's model documentation and NEURON's intfire*.mod. Units are NEST's: ms, mV, pF, nS, pA. A synaptic
event at ``t`` changes the state at the grid point ``t``; a spike is the first grid point at or above threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Derivative = Callable[[np.ndarray], np.ndarray]
H = 0.01


@dataclass
class Native:
    """A native cell: derivatives of its state, what an event does, when it fires and what firing does.

    state 0 is the membrane potential (or m). refractory: ms with state 0 held. ``event(state, weight, rest)`` and
    ``fire(state)`` change the state in place; rest is how long the cell stays held, ms.
    """

    start: Sequence[float]
    slope: Derivative
    event: Callable[[np.ndarray, float, float], None]
    threshold: float = math.inf
    fire: Callable[[np.ndarray], None] = lambda state: None
    refractory: float = 0.0
    strict: bool = False


def simulate(
    model: Native, events: Sequence[tuple[float, float]], duration: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(t, state 0, spike times)`` on a grid of `H` ms."""
    steps = round(duration / H)
    by_step: dict[int, list[float]] = {}
    for time, weight in events:
        by_step.setdefault(round(time / H), []).append(weight)
    state = np.array(model.start, dtype=float)
    trace, spikes, held = np.empty(steps + 1), [], 0
    for step in range(steps + 1):
        if step:
            advance(model.slope, state, held > 0)
            held = max(0, held - 1)
        for weight in by_step.get(step, ()):
            model.event(state, weight, held * H)
        fires = state[0] > model.threshold if model.strict else state[0] >= model.threshold
        if fires and not held:
            spikes.append(step * H)
            model.fire(state)
            held = round(model.refractory / H)
        trace[step] = state[0]
    return np.arange(steps + 1) * H, trace, np.array(spikes)


def advance(slope: Derivative, state: np.ndarray, held: bool) -> None:
    """One RK4 step; a held membrane potential does not move, everything else does."""

    def rate(values: np.ndarray) -> np.ndarray:
        result = slope(values)
        if held:
            result[0] = 0.0
        return result

    a = rate(state)
    b = rate(state + H / 2 * a)
    c = rate(state + H / 2 * b)
    d = rate(state + H * c)
    state += H / 6 * (a + 2 * b + 2 * c + d)


# -- membranes: functions of (v, w ...) and the synaptic current that give dv/dt


def alpha_current(tau_ex: float, tau_in: float) -> tuple[Callable, Callable, int]:
    """Currents of alpha form, peak = weight, one pair of states a sign: (current, slopes, states)."""

    def current(s: np.ndarray, v: float) -> float:
        return s[0] + s[2]

    def slopes(s: np.ndarray) -> list[float]:
        return [s[1] - s[0] / tau_ex, -s[1] / tau_ex, s[3] - s[2] / tau_in, -s[3] / tau_in]

    def event(s: np.ndarray, weight: float) -> None:
        s[1 if weight >= 0 else 3] += weight * math.e / (tau_ex if weight >= 0 else tau_in)

    return current, slopes, event


def exp_current(tau_ex: float, tau_in: float) -> tuple[Callable, Callable, Callable]:
    def current(s: np.ndarray, v: float) -> float:
        return s[0] + s[1]

    def slopes(s: np.ndarray) -> list[float]:
        return [-s[0] / tau_ex, -s[1] / tau_in]

    def event(s: np.ndarray, weight: float) -> None:
        s[0 if weight >= 0 else 1] += weight

    return current, slopes, event


def alpha_conductance(tau_ex: float, tau_in: float, e_ex: float, e_in: float) -> tuple[Callable, Callable, Callable]:
    def current(s: np.ndarray, v: float) -> float:
        return s[0] * (e_ex - v) + s[2] * (e_in - v)

    def slopes(s: np.ndarray) -> list[float]:
        return [s[1] - s[0] / tau_ex, -s[1] / tau_ex, s[3] - s[2] / tau_in, -s[3] / tau_in]

    def event(s: np.ndarray, weight: float) -> None:
        s[1 if weight >= 0 else 3] += abs(weight) * math.e / (tau_ex if weight >= 0 else tau_in)

    return current, slopes, event


def exp_conductance(tau_ex: float, tau_in: float, e_ex: float, e_in: float) -> tuple[Callable, Callable, Callable]:
    def current(s: np.ndarray, v: float) -> float:
        return s[0] * (e_ex - v) + s[1] * (e_in - v)

    def slopes(s: np.ndarray) -> list[float]:
        return [-s[0] / tau_ex, -s[1] / tau_in]

    def event(s: np.ndarray, weight: float) -> None:
        s[0 if weight >= 0 else 1] += abs(weight)

    return current, slopes, event


def no_synapse() -> tuple[Callable, Callable, None]:
    return (lambda s, v: 0.0), (lambda s: []), None


def build(
    membrane: Callable[[np.ndarray, float], list[float]],
    start: Sequence[float],
    synapse: tuple[Callable, Callable, Callable | None],
    *,
    jumps: bool = False,
    keeps_missed: float = 0.0,
    **more: object,
) -> Native:
    """A cell of own states (``start``) and those of its synapse.

    jumps: an event moves state 0; while refractory it is lost, or decays with ``keeps_missed`` (ms) until the end.
    """
    current, slopes, act = synapse
    own = len(start)
    extra = {"alpha": 4, "exp": 2, "no": 0}[slopes.__qualname__.partition("_")[0]]

    def slope(state: np.ndarray) -> np.ndarray:
        s = state[own:]
        return np.array([*membrane(state[:own], current(s, state[0])), *slopes(s)])

    def event(state: np.ndarray, weight: float, rest: float) -> None:
        if jumps and rest > 0:
            state[0] += weight * math.exp(-rest / keeps_missed) if keeps_missed else 0.0
        elif jumps:
            state[0] += weight
        elif act is not None:
            act(state[own:], weight)

    return Native([*start, *([0.0] * extra)], slope, event, **more)  # type: ignore[arg-type]


def leaky(c: float, g: float, e: float, i: float) -> Callable[[np.ndarray, float], list[float]]:
    return lambda x, syn: [(g * (e - x[0]) + i + syn) / c]


def reset(value: float) -> Callable[[np.ndarray], None]:
    def fire(state: np.ndarray) -> None:
        state[0] = value

    return fire


def adex(c: float, g: float, e: float, vt: float, dt: float, a: float, tau_w: float, i: float, peak: float) -> Callable:
    """NEST, too, takes no more than the peak potential into the slopes."""

    def membrane(x: np.ndarray, syn: float) -> list[float]:
        v = min(x[0], peak)
        spike = g * dt * math.exp((v - vt) / dt) if dt > 0 else 0.0
        return [(g * (e - v) + spike - x[1] + i + syn) / c, (a * (v - e) - x[1]) / tau_w]

    return membrane


def reset_and_add(value: float, *adds: float) -> Callable[[np.ndarray], None]:
    """Firing resets state 0 and adds to the states that follow it."""

    def fire(state: np.ndarray) -> None:
        state[0] = value
        state[1 : 1 + len(adds)] += adds

    return fire


def adapting(c: float, g: float, e: float, i: float, sfa: tuple[float, float], rr: tuple[float, float]) -> Callable:
    """sfa, rr: (reversal, tau)."""

    def membrane(x: np.ndarray, syn: float) -> list[float]:
        total = g * (e - x[0]) + x[1] * (sfa[0] - x[0]) + x[2] * (rr[0] - x[0]) + i + syn
        return [total / c, -x[1] / sfa[1], -x[2] / rr[1]]

    return membrane


def izhikevich(a: float, b: float, i: float) -> Callable:
    return lambda x, syn: [0.04 * x[0] ** 2 + 5 * x[0] + 140 - x[1] + i + syn, a * (b * x[0] - x[1])]


def traub(c: float, g: Sequence[float], e: Sequence[float], vt: float, i: float) -> Callable:
    """g, e: Na, K, leak."""

    def membrane(x: np.ndarray, syn: float) -> list[float]:
        v = x[0] - vt
        am = 0.32 * (13 - v) / (math.exp((13 - v) / 4) - 1)
        bm = 0.28 * (v - 40) / (math.exp((v - 40) / 5) - 1)
        ah, bh = 0.128 * math.exp((17 - v) / 18), 4 / (1 + math.exp((40 - v) / 5))
        an, bn = 0.032 * (15 - v) / (math.exp((15 - v) / 5) - 1), 0.5 * math.exp((10 - v) / 40)
        return gated(c, g, e, i, syn, x, (am, bm, ah, bh, an, bn))

    return membrane


def classic(c: float, g: Sequence[float], e: Sequence[float], i: float) -> Callable:
    def membrane(x: np.ndarray, syn: float) -> list[float]:
        v = x[0]
        am, bm = 0.1 * (v + 40) / (1 - math.exp(-(v + 40) / 10)), 4 * math.exp(-(v + 65) / 18)
        ah, bh = 0.07 * math.exp(-(v + 65) / 20), 1 / (1 + math.exp(-(v + 35) / 10))
        an, bn = 0.01 * (v + 55) / (1 - math.exp(-(v + 55) / 10)), 0.125 * math.exp(-(v + 65) / 80)
        return gated(c, g, e, i, syn, x, (am, bm, ah, bh, an, bn))

    return membrane


def gated(
    c: float, g: Sequence[float], e: Sequence[float], i: float, syn: float, x: np.ndarray, rates: Sequence[float]
) -> list[float]:
    v, m, h, n = x[:4]
    am, bm, ah, bh, an, bn = rates
    total = g[0] * m**3 * h * (e[0] - v) + g[1] * n**4 * (e[1] - v) + g[2] * (e[2] - v) + i + syn
    return [total / c, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]
