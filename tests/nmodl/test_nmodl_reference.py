"""Every kind of component as NMODL in NEURON, against the reference: the same equations by scipy's solver.

The components are those that `tests.dynamics.test_jlems` compares with jNeuroML, so that the reference is known to be
right for them; what has no part there is a current of time or a source of spikes, and is here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.graph.dynamics import Component
from pynn_io.lowering import nmodl
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.evaluate import starting_values
from pynn_io.lowering.nmodl import Mechanism
from tests.dynamics import jlems
from tests.dynamics.reference import Run, run
from tests.dynamics.test_jlems import CELLS, CHANNELS, CURRENT, LENGTH, POOLS, SPIKES, SYNAPSES, _types

pytestmark = pytest.mark.slow
STEP, EVERY = 0.0025, 0.05
TYPES = _types()
PASSIVE = jlems.component('<ionChannelPassive id="passive" conductance="10pS"/>')
INPUTS = {
    "sine": '<sineGenerator id="sine" delay="3ms" phase="0.7" duration="12ms" amplitude="0.3nA" period="5ms"/>',
    "ramp": '<rampGenerator id="ramp" delay="3ms" duration="12ms" startAmplitude="0.1nA" finishAmplitude="0.6nA"'
    ' baselineAmplitude="0.05nA"/>',
    "compound": '<compoundInput id="compound"><pulseGenerator id="one" delay="3ms" duration="9ms" amplitude="0.2nA"/>'
    '<sineGenerator id="two" delay="5ms" phase="0" duration="12ms" amplitude="0.1nA" period="4ms"/></compoundInput>',
    "clamp": '<voltageClamp id="clamp" delay="3ms" duration="12ms" targetVoltage="-20mV"'
    ' simpleSeriesResistance="10Mohm"/>',
    "triple": '<voltageClampTriple id="triple" active="1" delay="3ms" duration="12ms" conditioningVoltage="-70mV"'
    ' testingVoltage="-20mV" returnVoltage="-60mV" simpleSeriesResistance="10Mohm"/>',
    "timed": '<timedSynapticInput id="timed" synapse="two" spikeTarget="./two"><spike id="0" time="4ms"/>'
    '<spike id="1" time="9ms"/></timedSynapticInput>',
}
SOURCES = {
    "clock": '<spikeGenerator id="clock" period="4ms"/>',
}


def _channel(name: str) -> Component:
    kind, inside = CHANNELS[name]
    return jlems.component(f'<{kind} id="{name}" conductance="10pS" species="k">{inside}</{kind}>')


def _named() -> dict[str, Component]:
    return {**{key: jlems.component(text) for key, text in SYNAPSES.items()}, "passive": PASSIVE}


def _mechanisms() -> dict[str, Mechanism]:
    density = Component("channelDensity", "d", {"condDensity": 0.0012, "erev": -20.0})
    named = _named()
    found = {f"channel {name}": nmodl.density(density, _channel(name), "k", TYPES) for name in CHANNELS}
    found["calcium source"] = nmodl.density(density, PASSIVE, "ca", TYPES)
    found |= {f"synapse {name}": nmodl.synapse(named[name], TYPES, named) for name in SYNAPSES}
    found |= {f"pool {name}": nmodl.pool(jlems.component(text), "ca", TYPES) for name, text in POOLS.items()}
    found |= {f"cell {name}": nmodl.cell(jlems.component(text), TYPES, named) for name, text in CELLS.items()}
    found |= {f"input {name}": nmodl.current(jlems.component(text), TYPES, named) for name, text in INPUTS.items()}
    found |= {f"source {name}": nmodl.source(jlems.component(text), TYPES) for name, text in SOURCES.items()}
    return found


_RUN = """
import json, math, sys
from neuron import h
given = json.loads(sys.stdin.read())
for library in given["libraries"]:
    h.nrn_load_dll(library)
h.load_file("stdrun.hoc")
step, every = given["step"], given["every"]
keep, traces, events, starts = [], {}, {}, []
wave = [(row + 0.5) * step for row in range(round(given["length"] / step) + 5)]
potential = h.Vector([given["base"] + given["swing"] * math.sin(2 * math.pi * t / given["period"]) for t in wave])
calcium = h.Vector([2.5e-4 + 1.5e-4 * math.sin(2 * math.pi * t / given["period"]) for t in wave])
times = h.Vector([row * step for row in range(len(wave))])

def section(area):
    made = h.Section(name=f"s{len(keep)}")
    made.L = made.diam = (area / math.pi) ** 0.5
    keep.append(made)
    return made

def clamped(area):
    made = section(area)
    clamp = h.SEClamp(made(0.5))
    clamp.rs, clamp.dur1 = 1e-7, 1e9
    potential.play(clamp._ref_amp1, times, True)
    keep.append(clamp)
    return made

def record(key, pointer):
    traces[key] = h.Vector().record(pointer, every)

def insert(made, mechanism, parameters):
    made.insert(mechanism)
    for name, value in parameters.items():
        setattr(made(0.5), f"{name}_{mechanism}", value)

def point(segment, mechanism, parameters):
    made = getattr(h, mechanism)(segment) if segment is not None else getattr(h, mechanism)()
    for name, value in parameters.items():
        setattr(made, name, value)
    keep.append(made)
    return made

def listen(key, source):
    netcon, events[key] = h.NetCon(source, None), h.Vector()
    netcon.record(events[key])
    keep.append(netcon)

def sent(target, moments, weight):
    trigger = h.NetStim()
    trigger.number = 0
    netcon = h.NetCon(trigger, target)
    netcon.delay, netcon.weight[0] = 0, weight
    keep.extend([trigger, netcon, h.FInitializeHandler(lambda: [netcon.event(t) for t in moments])])

for key, item in given["items"].items():
    kind, _, name = key.partition(" ")
    mechanism, parameters = item["name"], item["parameters"]
    if kind == "channel":
        made = clamped(given["area"])
        insert(made, mechanism, parameters)
        if h.ismembrane("ca_ion", sec=made):
            made.cao = 2
            calcium.play(made(0.5)._ref_cai, times, True)
        record(key, getattr(made(0.5), f"_ref_{item['record']}_{mechanism}"))
    elif kind == "pool":
        made = clamped(given["area"])
        source = given["items"]["calcium source"]
        insert(made, source["name"], {**source["parameters"], "gmax": 2e-7})
        insert(made, mechanism, {**parameters, "initialConcentration": 5e-5, "initialExtConcentration": 2.0})
        record(key, made(0.5)._ref_cai)
        record(f"current {name}", made(0.5)._ref_ica)
    elif kind in ("synapse", "input"):
        process = point(clamped(given["area"])(0.5), mechanism, parameters)
        if kind == "synapse":
            sent(process, given["spikes"], 0.7)
        elif item["spikes"]:
            sent(process, item["spikes"], 1)
        record(key, getattr(process, f"_ref_{item['record']}"))
    elif kind == "cell":
        made = section(1e5)
        made.cm = item["capacitance"]
        process = point(made(0.5), mechanism, parameters)
        if item["drive"] and hasattr(process, "ISyn"):
            pulse = h.Vector([item["drive"] if 5 <= t - step / 2 < 20 else 0 for t in wave])
            pulse.play(process._ref_ISyn, step)
            keep.append(pulse)
        elif item["drive"]:
            clamp = h.IClamp(made(0.5))
            clamp.delay, clamp.dur, clamp.amp = 5, 15, item["drive"]
            keep.append(clamp)
        if item["start"] is not None:
            starts.append((made(0.5), item["start"]))
        record(key, getattr(process, f"_ref_{item['record']}") if item["record"] else made(0.5)._ref_v)
        if item["emits"]:
            listen(key, process)
    elif kind == "source":
        listen(key, point(None, mechanism, parameters))

def begin():
    for segment, value in starts:
        segment.v = value

keep.append(h.FInitializeHandler(0, begin))
h.celsius = given["celsius"]
h.dt, h.steps_per_ms = step, 1 / step
h.finitialize(given["base"])
h.continuerun(given["length"] + 2 * step)
print(json.dumps([{key: list(values) for key, values in found.items()} for found in (traces, events)]))
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict:
    pytest.importorskip("neuron")
    from pynn_io.progress import quiet
    from pynn_io.runners.neuron.compiler import libraries

    folder, mechanisms = tmp_path_factory.mktemp("mod"), _mechanisms()
    texts = {made.name: made.text for made in mechanisms.values()}
    given = {
        "libraries": [str(path) for path in libraries(texts, quiet)],
        "items": {key: _item(key, made) for key, made in mechanisms.items()},
        "length": LENGTH,
        "step": STEP,
        "every": EVERY,
        "base": jlems.BASE,
        "swing": jlems.SWING,
        "period": jlems.PERIOD,
        "area": jlems.AREA,
        "celsius": jlems.TEMPERATURE - 273.15,
        "spikes": SPIKES,
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN], input=json.dumps(given), capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    traces, events = json.loads(done.stdout.splitlines()[-1])
    return {"traces": traces, "events": events}


def _item(key: str, made: Mechanism) -> dict:
    kind, _, name = key.partition(" ")
    wanted = {"channel": "fopen", "synapse": "i", "input": "i", "cell": "V" if "fitz" in name else ""}.get(kind, "")
    wanted = "iDensity" if name == "passive" else wanted
    found = {"name": made.name, "parameters": dict(made.parameters)}
    found["record"] = made.records[wanted][0] if wanted else ""
    if kind == "cell":
        component = jlems.component(CELLS[name])
        start = starting_values(flatten(component, TYPES, _named()), {}).get("v")
        found |= {
            "capacitance": nmodl.capacitance_of(component),
            "drive": CURRENT.get(name, 0.0),
            "start": None if start is None else float(start),
            "emits": "net_event" in made.text,
        }
    if kind == "input":
        found["spikes"] = [each.parameters["time"] for each in jlems.component(INPUTS[name]).all("spike")]
    return found


def _reference(component: Component, given: dict | None = None, **more: object) -> Run:
    times = np.arange(0, LENGTH + EVERY / 2, EVERY)
    return run(flatten(component, TYPES, _named()), times, {**jlems.GIVEN, **(given or {})}, **more)  # type: ignore[arg-type]


def _close(found: list[float], mine: Run, variable: str, still: float, late: float, jumps: object = ()) -> None:
    """Within ``still`` of the largest value, and ``late`` ms of what changes fast, but for a step at a jump."""
    values, expected = np.array(found)[: len(mine.times)], mine.traces[variable]
    assert np.isfinite(values).all()
    bound = still * np.abs(expected).max() + late * np.abs(np.gradient(expected, mine.times))
    near = np.array([*jumps, 1e9])  # type: ignore[misc]
    calm = np.abs(mine.times[:, None] - near).min(axis=1) > 0.06
    assert (np.abs(values - expected) - bound)[calm].max() < 0


def test_a_passive_channel_by_hand(outcome: dict) -> None:
    """0.0012 uS/um2 and -20 mV, nA/um2."""
    found = np.array(outcome["traces"]["channel passive"])
    v = np.array([jlems.GIVEN["v"](EVERY * row) for row in range(len(found))])
    np.testing.assert_allclose(found, 0.0012 * (-20 - v), atol=1e-4)


@pytest.mark.parametrize("name", [name for name in CHANNELS if name != "passive"])
def test_channels_under_a_moving_clamp(name: str, outcome: dict) -> None:
    _close(outcome["traces"][f"channel {name}"], _reference(_channel(name)), "fopen", 1e-3, 4 * STEP)


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapses_and_their_plasticity(name: str, outcome: dict) -> None:
    part = _named()[name]
    synapse = replace(part, parameters={**part.parameters, "weight": 0.7})
    mine = _reference(synapse, inputs=[(time, "in") for time in SPIKES], record=["i"])
    _close(outcome["traces"][f"synapse {name}"], mine, "i", 2e-3, 4 * STEP, SPIKES)


@pytest.mark.parametrize("name", POOLS)
def test_pools_fed_by_a_channel(name: str, outcome: dict) -> None:
    density = np.array(outcome["traces"][f"current {name}"])
    entered = -0.01 * density * jlems.AREA
    at = EVERY * np.arange(len(entered))
    mine = _reference(jlems.component(POOLS[name]), {"iCa": lambda t: float(np.interp(t, at, entered))})
    assert np.ptp(mine.traces["concentration"]) > 1e-5
    _close(outcome["traces"][f"pool {name}"], mine, "concentration", 5e-3, 4 * STEP)


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_of_time_and_potential(name: str, outcome: dict) -> None:
    component = jlems.component(INPUTS[name])
    spikes = [(each.parameters["time"], "in") for each in component.all("spike")]
    mine = _reference(component, inputs=spikes, record=["i"], breaks=(3, 5, 12, 15, 17))
    _close(outcome["traces"][f"input {name}"], mine, "i", 2e-3, 4 * STEP, (3, 4, 5, 9, 12, 15, 17))


@pytest.mark.parametrize("name", CELLS)
def test_abstract_cells_spike_at_the_same_times(name: str, outcome: dict) -> None:
    current = CURRENT.get(name, 0.0)
    drive = dict.fromkeys(("iSyn", "ISyn"), (lambda t: current if 5 <= t < 20 else 0.0) if current else 0.0)
    potential = "V" if "fitz" in name else "v"
    mine = _reference(jlems.component(CELLS[name]), drive, breaks=(5, 20), record=[potential])
    found, expected = np.array(outcome["events"].get(f"cell {name}", [])), mine.at("spike")
    assert len(found) == len(expected)
    late = 0.02 + 4 * STEP * np.arange(1, len(found) + 1)  # a reset takes effect some steps after it came due
    assert (np.abs(found - expected) < late).all()
    jumps = np.concatenate([expected + shift for shift in (-0.05, 0, 0.05)])
    _close(outcome["traces"][f"cell {name}"], mine, potential, 0.01, 20 * STEP, jumps)


@pytest.mark.parametrize("name", SOURCES)
def test_sources_tick(name: str, outcome: dict) -> None:
    expected = _reference(jlems.component(SOURCES[name])).at("spike")
    np.testing.assert_allclose(outcome["events"][f"source {name}"], expected, atol=2 * STEP)
