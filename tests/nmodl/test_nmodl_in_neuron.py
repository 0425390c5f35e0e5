"""Mechanisms that we write, compiled, against NEURON's own and against formulas by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pynn_io.graph.dynamics import Component
from pynn_io.lowering import nmodl
from pynn_io.lowering.types import Types
from tests.nmodl.components import ADEX, KS, LEAK, NMDA, POOL, POTASSIUM, SODIUM

pytestmark = pytest.mark.slow
TYPES = Types()


def _density(channel: Component, conductance: float, reversal: float, ion: str) -> nmodl.Mechanism:
    return nmodl.density(
        Component("channelDensity", "d", {"condDensity": conductance * 0.01, "erev": reversal}), channel, ion, TYPES
    )


MECHANISMS = {
    "na": _density(SODIUM, 0.12, 50, "na"),
    "k": _density(POTASSIUM, 0.036, -77, "k"),
    "leak": _density(LEAK, 0.0003, -54.3, "non_specific"),
    "ks": _density(KS, 0.036, -77, "k"),
    "nmda": nmodl.synapse(NMDA, TYPES, {}),
    "adex": nmodl.cell(ADEX, TYPES, {}),
    "pool": nmodl.pool(POOL, "ca", TYPES),
    "poisson": nmodl.source(Component("spikeGeneratorPoisson", "p", {"averageRate": 0.05}), TYPES),
}

_RUN = """
import json, sys
from neuron import h
given = json.loads(sys.stdin.read())
h.nrn_load_dll(given["library"])
h.load_file("stdrun.hoc")
names, parameters = given["names"], given["parameters"]

def cell():
    section = h.Section(name="soma")
    section.L = section.diam = 20
    return section

def insert(section, key):
    section.insert(names[key])
    for name, value in parameters[key].items():
        setattr(section(0.5), f"{name}_{names[key]}", value)

def point(section, key):
    made = getattr(h, names[key])(section(0.5)) if section is not None else getattr(h, names[key])()
    for name, value in parameters[key].items():
        setattr(made, name, value)
    return made

def run(section, until, start=-65.0):
    h.dt = 0.01
    h.steps_per_ms = 100
    h.celsius = 6.3
    h.finitialize(start)
    h.continuerun(until)

def hodgkin_huxley(keys):
    section = cell()
    for key in keys:
        insert(section, key) if key in names else section.insert(key)
    if "hh" in keys:
        h.usetable_hh = 0
        section.ena, section.ek = 50, -77
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur, clamp.amp = 5, 50, 0.2
    v = h.Vector().record(section(0.5)._ref_v)
    run(section, 60)
    return list(v)

def relax(key, potential):
    section = cell()
    insert(section, key)
    clamp = h.SEClamp(section(0.5))
    clamp.rs, clamp.dur1, clamp.amp1, clamp.dur2, clamp.amp2 = 1e-6, 5, -65, 1e9, potential
    fopen = h.Vector().record(getattr(section(0.5), f"_ref_fopen_{names[key]}"))
    run(section, 20)
    return list(fopen)

def receive(key, times, potential):
    section = cell()
    section.insert("pas")
    synapse = point(section, key)
    clamp = h.SEClamp(section(0.5))
    clamp.rs, clamp.dur1, clamp.amp1 = 1e-6, 1e9, potential
    stimulus = h.NetStim()
    stimulus.number = 0
    netcon = h.NetCon(stimulus, synapse)
    netcon.delay = 0
    netcon.weight[0] = 2.0
    handler = h.FInitializeHandler(lambda: [netcon.event(t) for t in times])
    g = h.Vector().record(synapse._ref_g)
    i = h.Vector().record(synapse._ref_i)
    run(section, 100, potential)
    return list(g), list(i)

def fire(key, current):
    section = h.Section(name="point")
    section.L = section.diam = (1e5 / 3.141592653589793) ** 0.5
    section.cm = given["capacitance"]
    made = point(section, key)
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur, clamp.amp = 10, 1e9, current
    netcon, times = h.NetCon(made, None), h.Vector()
    netcon.record(times)
    v = h.Vector().record(section(0.5)._ref_v)
    run(section, 300, -70.6)
    return list(times), list(v)

def concentration(key):
    section = cell()
    insert(section, key)
    for segment in section:
        setattr(segment, f"initialConcentration_{names[key]}", 5e-3)
        setattr(segment, f"initialExtConcentration_{names[key]}", 3.0)
    cai, cao = (h.Vector().record(getattr(section(0.5), name)) for name in ("_ref_cai", "_ref_cao"))
    run(section, 20)
    return list(cai), list(cao)

def poisson(key):
    sources, trains, keep = [], [], []
    for number in range(200):
        made = point(None, key)
        made.rng.set_ids(number, 1, 2)
        netcon, times = h.NetCon(made, None), h.Vector()
        netcon.record(times)
        sources.append(made)
        trains.append(times)
        keep.append(netcon)
    section = cell()
    run(section, 1000)
    return [list(times) for times in trains]

print(json.dumps({
    "own": hodgkin_huxley(["hh"]),
    "made": hodgkin_huxley(["na", "k", "leak"]),
    "markov": relax("ks", -20.0),
    "nmda": receive("nmda", given["times"], -20.0),
    "adex": fire("adex", 0.8),
    "pool": concentration("pool"),
    "poisson": poisson("poisson"),
}))
"""
TIMES = [10.0, 30.0, 40.0]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict:
    pytest.importorskip("neuron")
    from pynn_io.progress import quiet
    from pynn_io.runners.neuron.compiler import compiled

    folder = tmp_path_factory.mktemp("mod")
    files = []
    for made in MECHANISMS.values():
        path = folder / f"{made.name}.mod"
        path.write_text(made.text)
        files.append(path)
    given = {
        "library": str(compiled(files, quiet)),
        "names": {key: made.name for key, made in MECHANISMS.items()},
        "parameters": {key: dict(made.parameters) for key, made in MECHANISMS.items()},
        "times": TIMES,
        "capacitance": nmodl.capacitance_of(ADEX),
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN], input=json.dumps(given), capture_output=True, text=True, cwd=Path(folder)
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_hodgkin_and_huxley_are_neurons_own(outcome: dict) -> None:
    np.testing.assert_allclose(outcome["made"], outcome["own"], atol=1e-9)
    assert max(outcome["own"]) > 30


def test_a_markov_scheme_of_two_states_relaxes_as_a_gate(outcome: dict) -> None:
    """Closed and open: the open share goes to alpha / (alpha + beta) at the rate alpha + beta."""

    def rates(v: float) -> tuple[float, float]:
        x = (v + 55) / 10
        return 0.1 * x / (1 - np.exp(-x)), 0.125 * np.exp(-(v + 65) / 80)

    found = np.array(outcome["markov"])
    time = 0.01 * np.arange(len(found)) - 5
    (a0, b0), (a, b) = rates(-65.0), rates(-20.0)
    expected = a / (a + b) + (a0 / (a0 + b0) - a / (a + b)) * np.exp(-(a + b) * np.maximum(time, 0))
    np.testing.assert_allclose(found, expected, atol=4e-3)
    np.testing.assert_allclose(found[:480], a0 / (a0 + b0), atol=1e-6)


def test_a_plastic_blocked_synapse_by_hand(outcome: dict) -> None:
    """Tsodyks and Markram with facilitation, and Jahr and Stevens' block, event by event."""
    g, i = (np.array(each) for each in outcome["nmda"])
    time = 0.01 * np.arange(len(g))
    rise, decay = 2.0, 50.0
    peak = np.log(decay / rise) * rise * decay / (decay - rise)
    factor = 1 / (np.exp(-peak / decay) - np.exp(-peak / rise))
    block = 1 / (1 + 1.2 / 1.9 * np.exp(20 / 16))
    expected, release, used, last = np.zeros_like(time), 1.0, 0.5, 0.0
    for moment in TIMES:
        release = 1 - (1 - release) * np.exp(-(moment - last) / 100)
        used = 0.5 + (used - 0.5) * np.exp(-(moment - last) / 50)
        after = np.maximum(time - moment, 0)
        expected += 2.0 * release * used * factor * (np.exp(-after / decay) - np.exp(-after / rise))
        release, used, last = release * (1 - used), used + 0.5 * (1 - used), moment
    # a recorded conductance is that of the step before
    np.testing.assert_allclose(g, 0.001 * block * expected, atol=5e-3 * g.max())
    np.testing.assert_allclose(i, g * 20, rtol=1e-5, atol=1e-12)


def test_an_adaptive_cell_by_small_steps_of_euler(outcome: dict) -> None:
    times, v = outcome["adex"]
    p = ADEX.parameters
    step, state, w, rest, found = 1e-3, p["EL"], 0.0, -1.0, []
    for number in range(round(300 / step)):
        now = number * step
        drive = 0.8 if now >= 10 else 0.0
        moving = now > rest
        leak = -p["gL"] * (state - p["EL"]) + p["gL"] * p["delT"] * np.exp((state - p["VT"]) / p["delT"])
        change = (leak - w + drive) / p["C"]
        w += step * (p["a"] * (state - p["EL"]) - w) / p["tauw"]
        if moving:
            state += step * change
        if moving and state > p["thresh"]:
            found.append(now)
            state, rest = p["reset"], now + p["refract"]
            w += p["b"]
    assert len(times) == len(found) > 5
    np.testing.assert_allclose(times, found, atol=0.3)
    first = round((times[0] + 1) / 0.01)
    np.testing.assert_allclose(v[first : first + 50], p["reset"], atol=1e-3)


def test_a_pool_decays_to_rest(outcome: dict) -> None:
    inside, outside = (np.array(each) for each in outcome["pool"])
    time = 0.01 * np.arange(len(inside))
    np.testing.assert_allclose(inside, 1e-4 + (5e-3 - 1e-4) * np.exp(-time / 5), rtol=1e-4)
    np.testing.assert_allclose(outside, 3.0)


def test_poisson_trains_have_exponential_intervals(outcome: dict) -> None:
    from scipy.stats import kstest

    trains = outcome["poisson"]
    intervals = np.concatenate([np.diff(train[:20]) for train in trains])  # the last ones are cut short by the end
    assert abs(sum(map(len, trains)) / 200 / 1000 / 0.05 - 1) < 0.05
    assert kstest(intervals, "expon", args=(0, 20)).pvalue > 1e-3
    assert trains[0] != trains[1]
