"""The GIF cell in jLEMS: where it fires for sure, times by hand; where it does not, the law of its rate."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.exporters.neuroml_components import cell_component
from pynn_io.graph.cells import PointCell
from tests.neuroml_components import lems

STEP = 0.01
DURATION = 400.0
#: A threshold that is sharp (delta_v), a leak of 0.05 uS and a drive that ends 20 mV above rest.
SHARP = {
    "v_rest": -70.0,
    "v_reset": -68.0,
    "cm": 0.5,
    "tau_m": 10.0,
    "tau_refrac": 3.0,
    "i_offset": 1.0,
    "delta_v": 1e-6,
    "v_t_star": -60.0,
    "lambda0": 1.0,
    "v": -70.0,
    "tau_eta": (5.0, 20.0, 90.0),
    "a_eta": (0.1, 0.05, 0.02),
    "tau_gamma": (8.0, 30.0),
    "a_gamma": (4.0, 1.0),
}
#: At its threshold for ever, where it fires at lambda0 = 200 Hz but for the 2 ms after each spike.
AT_THRESHOLD = {
    "v_rest": -65.0,
    "v_reset": -65.0,
    "v_t_star": -65.0,
    "v": -65.0,
    "tau_refrac": 2.0,
    "lambda0": 200.0,
    "a_eta": (0.0, 0.0, 0.0),
    "a_gamma": (0.0, 0.0, 0.0),
}
CELLS = 40


@pytest.fixture(scope="module")
def spikes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    cells = {"sharp": PointCell("GIF_cond_exp", SHARP)}
    native = {"C_m": 500.0, "g_L": 50.0, "E_L": -70.0, "V_reset": -68.0, "t_ref": 3.0, "I_e": 1000.0, "V_m": -70.0}
    native |= {"Delta_V": 1e-6, "V_T_star": -60.0, "tau_stc": SHARP["tau_eta"], "tau_sfa": SHARP["tau_gamma"]}
    native |= {"q_stc": (100.0, 50.0, 20.0), "q_sfa": SHARP["a_gamma"]}
    cells["native"] = PointCell("nest:gif_cond_exp", native)
    cells |= {f"random{number}": PointCell("GIF_cond_exp", AT_THRESHOLD) for number in range(CELLS)}
    setups = {}
    for name, cell in cells.items():
        component = cell_component(f"{name}_cell", cell, Report(), name)
        assert component is not None
        setups[name] = lems.Setup(cell, component)
    folder: Path = tmp_path_factory.mktemp("gif")
    return lems.run(folder, setups, DURATION, STEP)[2]


def by_hand() -> list[float]:
    """Spikes of the sharp cell: exact solutions of the linear equations between them, on a fine grid."""
    rest, leak = SHARP["v_rest"], SHARP["cm"] / SHARP["tau_m"]
    step, found = 1e-3, []
    v, start = SHARP["v"], 0.0
    eta, gamma = np.zeros(3), np.zeros(2)
    tau_eta, tau_gamma = np.array(SHARP["tau_eta"]), np.array(SHARP["tau_gamma"])
    while start < DURATION:
        t = np.arange(0.0, DURATION - start, step)
        # each term of eta is an exponential, whose share of the potential is a difference of two
        ours = SHARP["tau_m"]
        shares = [
            -a / leak * tau / (tau - ours) * (np.exp(-t / tau) - np.exp(-t / ours))
            for a, tau in zip(eta, tau_eta, strict=True)
        ]
        final = SHARP["i_offset"] / leak
        potential = rest + final + (v - rest - final) * np.exp(-t / ours) + np.sum(shares, axis=0)
        threshold = SHARP["v_t_star"] + np.exp(-t[:, None] / tau_gamma) @ gamma
        above = np.flatnonzero(potential >= threshold)
        if not len(above):
            break
        spike = t[above[0]]
        found.append(start + spike)
        eta = (eta * np.exp(-spike / tau_eta) + SHARP["a_eta"]) * np.exp(-SHARP["tau_refrac"] / tau_eta)
        gamma = (gamma * np.exp(-spike / tau_gamma) + SHARP["a_gamma"]) * np.exp(-SHARP["tau_refrac"] / tau_gamma)
        v, start = SHARP["v_reset"], start + spike + SHARP["tau_refrac"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sharp", "native"])
def test_a_sharp_threshold_by_hand(name: str, spikes: dict[str, np.ndarray]) -> None:
    expected = by_hand()
    assert len(expected) > 8
    assert len(spikes[name]) == len(expected)
    # a step or two for the crossing and the end of the refractory time of every interval
    assert np.all(np.abs(spikes[name] - expected) <= 4 * STEP * np.arange(1, len(expected) + 1))


@pytest.mark.slow
def test_the_rate_of_random_spikes(spikes: dict[str, np.ndarray]) -> None:
    """Intervals are 2 ms and an exponential time of mean 5 ms: their mean, their deviation, and no shorter one."""
    intervals = np.concatenate([np.diff(times) for name, times in spikes.items() if name.startswith("random")])
    assert len(intervals) > 1500
    assert intervals.min() > 2.0 - STEP
    error = 5.0 / math.sqrt(len(intervals))
    # the end of a run cuts long intervals off: less than 7 / 400 of them
    assert intervals.mean() == pytest.approx(7.0, abs=5 * error + 0.1)
    assert intervals.std() == pytest.approx(5.0, abs=5 * 1.5 * error + 0.2)
