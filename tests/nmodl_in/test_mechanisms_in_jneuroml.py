"""What translated mechanisms come to in jNeuroML's own solver, from the files that a conversion writes, to 1e-4.

jLEMS integrates by forward Euler, so two runs, one with half the step, are extrapolated to no step at all (Richardson
1911, doi:10.1098/rsta.1911.0009). They are compared with the same equations integrated by scipy; that these are the
original's is what test_mechanisms_in_neuron.py measures.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.graph.dynamics import Component
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.types import Types, as_component
from pynn_io.pipeline import convert, read
from tests.dynamics import jlems
from tests.dynamics.reference import Run, run

pytestmark = pytest.mark.slow
pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")
bmtk = pytest.importorskip("bmtk", reason="BMTK ships the mechanisms of the Allen Institute")
neuron = pytest.importorskip("neuron", reason="NEURON ships its own mechanisms")
ALLEN = Path(bmtk.__file__).parent / "utils/scripts/bionet/mechanisms/modfiles"
OWN = Path(neuron.__file__).parent / ".data/share/modfile"
GATED = ("Ca_HVA", "Ca_LVA", "Ih", "Im", "Im_v2", "K_P", "K_T", "Kd", "Kv2like", "Kv3_1", "NaTa", "NaTs", "Nap", "SK")
HODGKIN_HUXLEY, PASSIVE = ("hh_na", "hh_k"), ("hh_l", "pas")
SCHEME, POOL, SYNAPSES = "NaV", "CaDynamics", ("ExpSyn", "Exp2Syn")
#: What is read -> the files for it.
FILES = (*(ALLEN / f"{name}.mod" for name in (*GATED, SCHEME, POOL)), *OWN.glob("exp*syn.mod"))
FILES = (*FILES, OWN / "hh.mod", OWN / "passive.mod")
#: Of the largest value of a trace.
CLOSE = 1e-4
#: ms; the second where rates are above 100 / ms, or time constants 0.1 ms, and steps must be short.
LENGTH, SHORT = 25.0, 6.0
#: ms. Traces are compared on a grid of that width, but for what surrounds an event.
GRID, AROUND = 0.05, 0.06
#: ms, just before a step of either run, so that both see them as many steps late.
SPIKES = (1.0 - 1e-6, 2.5 - 1e-6, 3.0 - 1e-6)
WEIGHT = 0.7


@dataclass
class Experiment:
    """Probes of some components, their length (ms) and the larger of two steps."""

    length: float
    step: float
    script: jlems.Script = field(default_factory=jlems.Script)

    def channel(self, name: str) -> None:
        self.script.components.append(
            f'<probe id="probe_{name}"><channelPopulation id="pop" ionChannel="{name}" number="100" erev="-20mV"'
            ' ion="k"/></probe>'
        )
        self.script.population(f"p_{name}", f"probe_{name}")
        self.script.columns[name] = f"p_{name}[0]/pop/{name}/fopen"

    def pool(self, name: str) -> None:
        self.script.components.append(f'<probe id="probe_{name}"><{name} id="{name}" ion="ca"/></probe>')
        self.script.population(f"p_{name}", f"probe_{name}")
        self.script.columns[name] = f"p_{name}[0]/{name}/concentration"

    def synapses(self, names: Iterable[str]) -> None:
        spikes = "".join(f'<spike id="{row}" time="{time}ms"/>' for row, time in enumerate(SPIKES))
        self.script.components += [f'<spikeArray id="array">{spikes}</spikeArray>', '<probe id="bare"/>']
        self.script.population("source", "array")
        for name in names:
            self.script.population(f"s_{name}", "bare")
            self.script.links.append(
                f'<synapticConnectionWD from="source[0]" to="s_{name}[0]" synapse="{name}" destination="synapses"'
                f' weight="{WEIGHT}" delay="0ms"/>'
            )
            self.script.columns[name] = f"s_{name}[0]/iSyn"

    def extrapolated(self, folder: Path) -> dict[str, np.ndarray]:
        """Columns (SI units) on the grid."""
        _, coarse, _ = self.script.run(folder, self.length, self.step)
        _, fine, _ = self.script.run(folder, self.length, self.step / 2)
        every = round(GRID / self.step)
        rows = round(self.length / GRID) + 1
        return {
            name: 2 * fine[name][:: 2 * every][:rows] - coarse[name][::every][:rows] for name in self.script.columns
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Document]:
    """The folder with the NeuroML of all files, and what these were read as."""
    folder = tmp_path_factory.mktemp("mod")
    (folder / "mods").mkdir()
    for path in FILES:
        shutil.copyfile(path, folder / "mods" / path.name)
    convert(folder / "mods", folder / "out", to="neuroml", format="nmodl")
    return folder / "out", read(folder / "mods", format="nmodl")


@pytest.fixture(scope="module")
def solved(written: tuple[Path, Document]) -> dict[str, np.ndarray]:
    folder, _ = written
    include = f'<Include file="{next(folder.glob("mods.nml")).name}"/>'
    smooth, fast = Experiment(LENGTH, 0.0025), Experiment(SHORT, 0.00025)
    for each in (smooth, fast):
        each.script.types = include + each.script.types
    for name in (*GATED, *HODGKIN_HUXLEY, *PASSIVE):
        smooth.channel(name)
    smooth.pool(POOL)
    fast.synapses(SYNAPSES)
    fast.channel(SCHEME)
    return {**smooth.extrapolated(folder), **fast.extrapolated(folder)}


def _reference(document: Document, component: Component, length: float, **more: object) -> Run:
    dynamics = flatten(component, Types(document.network.component_types), {})
    times = np.arange(round(length / GRID) + 1) * GRID
    return run(dynamics, times, jlems.GIVEN, **more)  # type: ignore[arg-type]


def _apart(found: np.ndarray, mine: Run, variable: str, si: float = 1.0) -> float:
    wanted = mine.traces[variable] * si
    calm = np.abs(mine.times[:, None] - np.array([0.0, *SPIKES])).min(axis=1) > AROUND
    return float(np.abs(found - wanted)[calm].max() / np.abs(wanted).max())


@pytest.mark.parametrize("name", [*GATED, *HODGKIN_HUXLEY, SCHEME])
def test_channels(name: str, written: tuple[Path, Document], solved: dict[str, np.ndarray]) -> None:
    document = written[1]
    channel = document.network.channels[name]
    assert isinstance(channel, Component)
    states = flatten(channel, Types(document.network.component_types), {}).kinetics
    # jLEMS starts a scheme in its first state, jNeuroML's code for NEURON in the steady state, as we do
    start = {each: float(row == 0) for scheme in states for row, each in enumerate(scheme.states)}
    mine = _reference(document, channel, SHORT if name == SCHEME else LENGTH, start=start, record=["fopen"])
    assert np.ptp(mine.traces["fopen"]) > 1e-3 * mine.traces["fopen"].max() > 0
    assert _apart(solved[name], mine, "fopen") < CLOSE


@pytest.mark.parametrize("name", PASSIVE)
def test_passive_channels_are_open(name: str, solved: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(solved[name], 1.0)


def test_a_pool(written: tuple[Path, Document], solved: dict[str, np.ndarray]) -> None:
    pool = written[1].network.channels[POOL]
    assert isinstance(pool, Component)
    mine = _reference(written[1], pool, LENGTH, record=["concentration"])
    assert np.ptp(mine.traces["concentration"]) > 0.1 * mine.traces["concentration"].max() > 0
    assert _apart(solved[POOL], mine, "concentration") < CLOSE


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapses(name: str, written: tuple[Path, Document], solved: dict[str, np.ndarray]) -> None:
    component = as_component(name, written[1].network.synapses[name])
    weighted = Component(component.type, name, {**component.parameters, "weight": WEIGHT})
    mine = _reference(written[1], weighted, SHORT, inputs=[(time, "in") for time in SPIKES], record=["i"])
    assert np.ptp(mine.traces["i"]) > 0
    assert _apart(solved[name], mine, "i", 1e-9) < CLOSE
