"""The script that runs in NEURON: two sections under one clamp, the original in the first, ours in the second."""

from __future__ import annotations

import json
import sys

import numpy as np
from neuron import h

#: (start mV, (step mV, ms) ...): steps through the files' own 0 / 0 points, and far to both sides.
PROTOCOLS = (
    (-80.0, ((-30.0, 20.0), (10.0, 20.0), (-110.0, 30.0))),
    (-65.0, ((-40.0, 15.0), (-55.0, 15.0), (-27.0, 15.0), (-48.0, 15.0), (-17.0, 15.0))),
    (-90.0, ((43.0, 25.0), (-69.0, 25.0), (-154.9, 25.0))),
)
#: uS, or nA, of an event.
WEIGHT = 0.002
#: mM, one step of a protocol after another.
CALCIUM = (1e-4, 7.3e-4, 3e-4)


def section(inserted: list[tuple[str, dict[str, float]]]):
    made = h.Section()
    made.L = made.diam = 20
    for name, values in inserted:
        made.insert(name)
        for key, value in values.items():
            variable = f"{key}_{name}"
            setattr(made(0.5) if hasattr(made(0.5), variable) else h, variable, value)  # RANGE, or GLOBAL
    return made


def point(made, name: str, values: dict[str, float], events: list[float]):
    """A synapse in a section, and what sends it events when a run begins."""
    synapse = getattr(h, name)(made(0.5))
    for key, value in values.items():
        setattr(synapse, key, value)
    connection = h.NetCon(None, synapse)
    connection.weight[0] = WEIGHT
    return synapse, connection, h.FInitializeHandler(lambda: [connection.event(time) for time in events])


def course(start: float, steps: list[tuple[float, float]]):
    """Values that step, as vectors of values and times, and the end (ms)."""
    times, values, now = [0.0], [start], 5.0
    for value, length in steps:
        times += [now, now]
        values += [values[-1], value]
        now += length
    return h.Vector([*values, values[-1]]), h.Vector([*times, now]), now


def clamp(made, start: float, steps: tuple[tuple[float, float], ...], calcium: bool):
    """A section under voltage clamp; calcium: whether its calcium steps, too."""
    stimulus = h.SEClamp(made(0.5))
    stimulus.rs, stimulus.dur1 = 1e-6, 1e9
    values, times, end = course(start, list(steps))
    values.play(stimulus._ref_amp1, times, True)
    kept = [stimulus, values, times]
    if calcium:
        levels = [(CALCIUM[(number + 1) % len(CALCIUM)], length) for number, (_, length) in enumerate(steps)]
        values, times, _ = course(CALCIUM[0], levels)
        values.play(made(0.5)._ref_cai, times, True)
        kept += [values, times]
    return kept, end


def recorded(place, name: str):
    return h.Vector().record(getattr(place, f"_ref_{name}"))


def difference(case: dict, start: float, steps: tuple, celsius: float) -> dict[str, tuple[float, float]]:
    """What is compared -> how far it is apart, and how much it moves, both as parts of the largest value."""
    h.celsius = celsius
    if hasattr(h, "cai0_ca_ion"):  # where any mechanism loaded has to do with calcium
        h.cai0_ca_ion = CALCIUM[0]
    source = [(case["source"], {"gbar": 1e-5})] if case["source"] else []
    original, made = [(case["name"], case["original"])], case["made"]
    events = case["events"]
    first, second = (section([] if events else [*each, *source]) for each in (original, made))
    places = [first(0.5), second(0.5)]
    synapses = [point(each, *one[0], events) for each, one in ((first, original), (second, made)) if events]
    if synapses:
        places = [synapse for synapse, _, _ in synapses]
    stepping = [h.ismembrane("ca_ion", sec=each) and not source for each in (first, second)]
    clamps = [clamp(each, start, steps, calcium) for each, calcium in zip((first, second), stepping, strict=True)]
    pairs = [(key, recorded(places[0], key), recorded(places[1], own)) for key, own in case["pairs"]]
    h.dt = 0.025
    h.finitialize(start)
    while h.t < clamps[0][1]:
        h.fadvance()
    begin = int(case["settled"] / h.dt)
    return {key: apart(np.array(a)[begin:], np.array(b)[begin:]) for key, a, b in pairs}


def apart(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    scale = np.abs(a).max()
    if not np.all(np.isfinite(a)) or not np.all(np.isfinite(b)):
        return float("inf"), 0.0
    return (float(np.abs(a - b).max() / scale), float(np.ptp(a) / scale)) if scale else (float(np.abs(b).max()), 0.0)


def main() -> None:
    given = json.loads(sys.stdin.read())
    h.nrn_load_dll(given["library"])
    for case in given["cases"]:
        if hasattr(h, f"usetable_{case['name']}"):
            setattr(h, f"usetable_{case['name']}", 0)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for case in given["cases"]:
        worst = found.setdefault(case["name"], {})
        for number, (start, steps) in enumerate(PROTOCOLS):
            for key, (value, moves) in difference(case, start, steps, 34.0 - 9.0 * (number % 2)).items():
                before = worst.get(key, (0.0, 0.0))
                worst[key] = (max(before[0], value), max(before[1], moves))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
