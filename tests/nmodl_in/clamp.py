"""Mechanisms under voltage clamp in NEURON: the original file, and what we write from its translation.

`measured` compiles all of them once and gives, by mechanism, how far currents and states are apart: the largest
difference as a part of the largest value of the original's trace. The tests and docs/make_nmodl.py have it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pynn_io.formats.nmodl import read_mechanism
from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.graph.biophysics import Law
from pynn_io.graph.dynamics import Component
from pynn_io.importers.nmodl_channels import Channel, Translation, translate
from pynn_io.lowering import nmodl
from pynn_io.lowering.types import Types
from pynn_io.progress import quiet
from pynn_io.runners.neuron.compiler import compiled

#: A density that makes a current of some size, S/cm2.
_DENSITY = 1e-3
#: ms, of a synapse; the last two near each other.
_EVENTS = (7.0, 31.0, 31.7)
#: After how many ms a scheme that starts elsewhere has forgotten it.
_SETTLED = 40.0
#: NEURON's own reversal potentials, mV.
_REVERSALS: Mapping[str, float] = {"na": 50.0, "k": -77.0, "ca": 132.4579341637009}
_RUN = Path(__file__).with_name("clamp_in_neuron.py")


class Difference(NamedTuple):
    """apart: the largest difference; moves: how far the original moves; both as parts of its largest value."""

    apart: float
    moves: float


@dataclass(frozen=True)
class Case:
    """One mechanism: what is inserted beside the original, with its parameters, and what of both is compared.

    source: a mechanism that feeds a pool. settled: ms after which traces are compared. events: ms, of a point process.
    """

    name: str
    original: dict[str, float]
    made: list[tuple[str, dict[str, float]]]
    pairs: list[tuple[str, str]]
    texts: dict[str, str] = field(default_factory=dict)
    source: str = ""
    settled: float = 0.0
    events: tuple[float, ...] = ()


def case_of(file: Path, values: Mapping[str, float] | None = None) -> tuple[Case, Translation]:
    """What is to be compared of a ``.mod`` file. Raises UnsupportedInput where it is not translated."""
    mechanism = read_mechanism(file)
    densities = [each.density for each in translate(mechanism).channels if each.density]
    original = {**(values or {}), **dict.fromkeys(densities, _DENSITY)}
    found = translate(mechanism, original)
    types = Types(found.types)
    if found.pool is not None:
        made = nmodl.pool(found.pool.component, found.pool.ion, types)
        start = {"initialConcentration": found.pool.initial or 5e-5, "initialExtConcentration": 2.0}
        part = (made.name, {**made.parameters, **start})
        pairs = [("cai", "cai"), ("ica", "ica")]
        return Case(mechanism.name, original, [part], pairs, {made.name: made.text}, source="Ca_HVA"), found
    if found.synapse is not None:
        return _synapse(mechanism, found, types, dict(values or {})), found
    parts, pairs, texts = [], [], {}
    for channel in found.channels:
        made = nmodl.density(_density(channel, found), channel.component, channel.ion, types)
        parts.append((made.name, dict(made.parameters)))
        texts[made.name] = made.text
        current = f"i{channel.ion}" if channel.ion else f"{channel.current}_{mechanism.name}"
        pairs.append((current, f"i{channel.ion}" if channel.ion else f"i_{made.name}"))
        pairs += [
            (f"{state}_{mechanism.name}", f"{own}_{made.name}")
            for state in mechanism.states
            for own in _own_states(made)
            if re.fullmatch(rf"(\w+_)?{state}(_q|_occupancy|_)?", own)
        ]
    return Case(mechanism.name, original, parts, pairs, texts, settled=_SETTLED if found.notes else 0.0), found


def _synapse(mechanism: Mechanism, found: Translation, types: Types, values: dict[str, float]) -> Case:
    assert found.synapse is not None
    made = nmodl.synapse(found.synapse, types, {})
    own = _own_states(made)
    pairs = [(mechanism.nonspecific[0], "i_out")]
    pairs += [(state, name) for state in mechanism.states for name in own if name.rstrip("_") == state]
    part = (made.name, dict(made.parameters))
    return Case(mechanism.name, values, [part], pairs, {made.name: made.text}, events=_EVENTS)


def _own_states(made: nmodl.Mechanism) -> list[str]:
    """The states that a text declares."""
    return made.text.split("STATE {")[-1].split("}")[0].replace("(", " ").split()


def _density(channel: Channel, found: Translation) -> Component:
    if channel.law is Law.GHK:
        speed = found.parameters[channel.density] * channel.scale * 10.0  # cm/s in um/ms
        return Component("channelDensityGHK", channel.component.id, {"permeability": speed})
    reversal = channel.reversal if channel.reversal is not None else _REVERSALS[channel.ion]
    amount = found.parameters[channel.density] * channel.scale if channel.density else channel.scale
    return Component("channelDensity", channel.component.id, {"condDensity": amount * 0.01, "erev": reversal})


def measured(files: Iterable[Path], cases: Iterable[Case], folder: Path) -> dict[str, dict[str, Difference]]:
    """name -> what was compared -> difference, over all protocols. folder: for the texts that are compiled."""
    cases = list(cases)
    written = []
    for case in cases:
        for name, text in case.texts.items():
            path = folder / f"{name}.mod"
            path.write_text(text)
            written.append(path)
    library = compiled(sorted({*files, *written}), quiet)
    given = {"library": str(library), "cases": [{**case.__dict__, "texts": None} for case in cases]}
    done = subprocess.run(
        [sys.executable, str(_RUN)], input=json.dumps(given), capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: {key: Difference(*pair) for key, pair in pairs.items()} for name, pairs in found.items()}
