"""Every state and current of mechanisms that we translate, as NMODL of our own, against the files they came from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pynn_io.formats.nmodl import read_mechanism
from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.graph.dynamics import Component
from pynn_io.importers.nmodl_channels import Translation, translate
from pynn_io.lowering import nmodl
from pynn_io.lowering.types import Types

pytestmark = pytest.mark.slow
pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
neuron = pytest.importorskip("neuron")
ALLEN = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
OWN = Path(neuron.__file__).parent / ".data/share/modfile"
FILES = {path.stem: path for path in sorted(ALLEN.glob("*.mod")) if path.stem != "vecevent"}
BUILT_IN = {
    "hh": OWN / "hh.mod",
    "pas": OWN / "passive.mod",
    "ExpSyn": OWN / "expsyn.mod",
    "Exp2Syn": OWN / "exp2syn.mod",
}
SYNAPSES = ("ExpSyn", "Exp2Syn")
DENSITY = 0.01
REVERSALS = {"na": 53.0, "k": -91.0, "ca": 120.0}
#: Of the largest value of a trace.
CLOSE = 1e-6

_RUN = """
import json, sys
import numpy as np
from neuron import h
given = json.loads(sys.stdin.read())
h.nrn_load_dll(given["library"])
h.load_file("stdrun.hoc")
h.usetable_hh = 0
h.cai0_ca_ion = given["calcium"][0]
times, course = h.Vector(given["times"]), h.Vector(given["course"])
calcium = h.Vector(given["calcium"])
kept = []

def clamped():
    section = h.Section(name="soma")
    section.L = section.diam = 20
    clamp = h.SEClamp(section(0.5))
    clamp.rs, clamp.dur1 = 1e-6, 1e9
    course.play(clamp._ref_amp1, times, True)
    kept.append((section, clamp))
    return section

def insert(section, mechanisms):
    for name, values in mechanisms:
        section.insert(name)
        for key, value in values.items():
            setattr(section(0.5), f"{key}_{name}", value)

def ions(section, pooled):
    for ion, potential in given["reversals"].items():
        if h.ismembrane(f"{ion}_ion", sec=section):
            setattr(section, f"e{ion}", potential)
    if h.ismembrane("ca_ion", sec=section) and not pooled:
        calcium.play(section(0.5)._ref_cai, times, True)

def synapse(section, name, values):
    made = getattr(h, name)(section(0.5))
    for key, value in values.items():
        setattr(made, key, value)
    netcon = h.NetCon(None, made)
    netcon.weight[0] = 0.02
    kept.append((made, netcon, h.FInitializeHandler(lambda: [netcon.event(t) for t in given["events"]])))
    return made

pairs = {}
for key, one in given["densities"].items():
    left, right = clamped(), clamped()
    insert(left, one["original"])
    insert(right, one["made"])
    ions(left, one["pooled"])
    ions(right, one["pooled"])
    for a, b in one["pairs"]:
        vectors = [h.Vector().record(getattr(each(0.5), f"_ref_{name}")) for each, name in ((left, a), (right, b))]
        pairs[f"{key}.{a}"] = vectors
for key, one in given["synapses"].items():
    left, right = (synapse(clamped(), *one[side]) for side in ("original", "made"))
    for a, b in one["pairs"]:
        vectors = [h.Vector().record(getattr(each, f"_ref_{name}")) for each, name in ((left, a), (right, b))]
        pairs[f"{key}.{a}"] = vectors

def apart(found, steps):
    a, b = (np.array(each)[steps:] for each in found)
    return float(np.abs(a - b).max()), float(np.abs(a).max()), float(np.ptp(a))

outcome = {}
for celsius in given["celsius"]:
    h.celsius = celsius
    h.dt, h.steps_per_ms = 0.025, 40
    h.finitialize(given["course"][0])
    h.continuerun(given["times"][-1])
    outcome[str(celsius)] = {key: [apart(found, steps) for steps in (1, 2000)] for key, found in pairs.items()}
print(json.dumps(outcome))
"""


def _channels(found: Translation, types: Types) -> list[tuple[Any, nmodl.Mechanism]]:
    """Each current as (what it is, our mechanism with the density and the reversal potential of the run)."""
    made = []
    for each in found.channels:
        erev = REVERSALS[each.ion] if each.reversal is None else each.reversal
        numbers = {"condDensity": DENSITY * each.scale * 0.01, "erev": erev}
        density = Component("channelDensity", "d", numbers)
        made.append((each, nmodl.density(density, each.component, each.ion or "non_specific", types)))
    return made


def _states(mechanism: Mechanism, made: nmodl.Mechanism) -> Iterator[tuple[str, str]]:
    """The states of a file that one of its currents depends on, with our names for them."""
    block = re.search(r"^STATE \{(.*?)\}", made.text, re.MULTILINE | re.DOTALL)
    for own in block[1].split() if block else ():
        yield next((name, own) for name in mechanism.states if re.fullmatch(rf"(\w+_)?{name}_(q|occupancy)", own))


def _density(name: str, path: Path) -> tuple[dict[str, Any], list[nmodl.Mechanism]]:
    mechanism = read_mechanism(path)
    found = translate(mechanism)
    types = Types(found.types)
    if found.pool is not None:
        return _pool(name, found, types)
    channels = _channels(found, types)
    pairs = []
    for channel, made in channels:
        ours = channel.current if channel.ion else f"i_{made.name}"
        pairs.append((channel.current if channel.ion else f"{channel.current}_{name}", ours))
        pairs += [(f"{state}_{name}", f"{own}_{made.name}") for state, own in _states(mechanism, made)]
    assert len(pairs) == len(channels) + len(mechanism.states)
    original = [(name, {each.density: DENSITY for each, _ in channels})]
    both = {
        "original": original,
        "made": [(made.name, dict(made.parameters)) for _, made in channels],
        "pairs": pairs,
        "pooled": False,
    }
    return both, [made for _, made in channels]


def _pool(name: str, found: Translation, types: Types) -> tuple[dict[str, Any], list[nmodl.Mechanism]]:
    """Calcium that flows in through the same channel."""
    assert found.pool is not None
    made = nmodl.pool(found.pool.component, found.pool.ion, types)
    starts = {"initialConcentration": found.pool.initial, "initialExtConcentration": 2.0}
    inflow = ("Ca_HVA", {"gbar": 1e-4})
    both = {
        "original": [inflow, (name, {})],
        "made": [inflow, (made.name, {**made.parameters, **starts})],
        "pairs": [("cai", "cai"), ("ica", "ica")],
        "pooled": True,
    }
    return both, [made]


def _synapse(name: str, path: Path) -> tuple[dict[str, Any], nmodl.Mechanism]:
    mechanism = read_mechanism(path)
    found = translate(mechanism)
    assert found.synapse is not None
    made = nmodl.synapse(found.synapse, Types(found.types), {})
    records = dict(made.records)
    names = {state: next(own for own, _ in records.values() if own.rstrip("_") == state) for state in mechanism.states}
    pairs = [("i", "i_out"), *names.items()]
    return {"original": (name, {}), "made": (made.name, dict(made.parameters)), "pairs": pairs}, made


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[list[float]]]]:
    """Temperature -> trace -> (largest difference, largest value, range) from the start and after 50 ms."""
    from pynn_io.progress import quiet
    from pynn_io.runners.neuron.compiler import compiled

    folder = tmp_path_factory.mktemp("mod")
    densities, synapses, texts = {}, {}, {}
    for name, path in {**FILES, "hh": BUILT_IN["hh"], "pas": BUILT_IN["pas"]}.items():
        densities[name], made = _density(name, path)
        texts |= {each.name: each.text for each in made}
    for name in SYNAPSES:
        synapses[name], one = _synapse(name, BUILT_IN[name])
        texts[one.name] = one.text
    for name, text in texts.items():
        (folder / f"{name}.mod").write_text(text)
    given = {
        "library": str(compiled([*FILES.values(), *sorted(folder.glob("*.mod"))], quiet)),
        "densities": densities,
        "synapses": synapses,
        "reversals": REVERSALS,
        "events": [12.0, 60.0, 61.3],
        "times": [0, 55, 55, 75, 75, 95, 95, 150],
        "course": [-81, -81, -22.3, -22.3, 31.7, 31.7, -103, 43],
        "calcium": [1e-4, 1e-4, 3e-4, 3e-4, 3e-4, 1e-3, 1e-3, 5e-5],
        "celsius": [22.0, 34.0],
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN], input=json.dumps(given), capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", [*FILES, *BUILT_IN])
@pytest.mark.parametrize("celsius", ["22.0", "34.0"])
def test_every_state_and_current_is_the_originals(outcome: dict, name: str, celsius: str) -> None:
    traces = {key: found for key, found in outcome[celsius].items() if key.startswith(f"{name}.")}
    assert traces
    for key, (whole, later) in traces.items():
        apart, largest, moves = later if name == "NaV" else whole
        assert moves > 1e-3 * largest > 0, f"{key} does not move"
        assert apart <= CLOSE * largest, f"{key} differs by {apart / largest:.3g} of its largest value"


def test_the_scheme_with_a_slip_in_its_start_says_so(outcome: dict) -> None:
    (note,) = translate(read_mechanism(FILES["NaV"])).notes
    assert "LINEAR equations do not start it at the steady state" in note
    apart, largest, _ = outcome["22.0"]["NaV.ina"][0]
    assert apart > CLOSE * largest
