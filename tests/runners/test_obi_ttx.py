"""TTX on OBI cells, as neurodamus has it: the switch in every section, at 1 mM. Only its own cells get it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pynn_io.api import read
from pynn_io.progress import quiet
from pynn_io.results import Results
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron.compiler import compiled
from pynn_io.simulate import simulate
from pynn_io.simulation_plan import Recording
from pynn_io.simulation_plan.plan import Modification
from tests.runners.obi_cases import FOLDER, OURS, SOMA, assert_same, by_hand, plan, run

pytestmark = pytest.mark.slow

#: The inner concentration is how channels know that there is a switch: without one, NEURON's ions are at 1 mM.
SWITCH = """
NEURON {
    SUFFIX TTXDynamicsSwitch
    USEION ttx WRITE ttxo, ttxi VALENCE 1
    RANGE ttxo_level
}
PARAMETER { ttxo_level = 1e-12 (mM) }
ASSIGNED { ttxo (mM) ttxi (mM) }
INITIAL { ttxo = ttxo_level ttxi = 0.015625 }
BREAKPOINT { ttxo = ttxo_level ttxi = 0.015625 }
"""
SODIUM = """
NEURON {
    SUFFIX blockable
    USEION na READ ena WRITE ina
    USEION ttx READ ttxo, ttxi VALENCE 1
    RANGE gbar, g
}
PARAMETER { gbar = 0.1 (S/cm2) }
ASSIGNED { v (mV) ena (mV) ina (mA/cm2) ttxo (mM) ttxi (mM) g (S/cm2) free }
STATE { m h }
INITIAL { block() m = 1 / (1 + exp(-(v + 40) / 7)) h = 1 / (1 + exp((v + 62) / 6)) }
BREAKPOINT {
    SOLVE states METHOD cnexp
    block()
    g = free * gbar * m * m * m * h
    ina = g * (v - ena)
}
DERIVATIVE states {
    m' = (1 / (1 + exp(-(v + 40) / 7)) - m) / 0.1
    h' = (1 / (1 + exp((v + 62) / 6)) - h) / 1.5
}
PROCEDURE block() {
    free = 1
    if (ttxi == 0.015625 && ttxo > 1e-12) { free = 0 }
}
"""
ONE = {"population": "left", "node_id": [0]}
BLOCK = Modification("block", "ttx", ONE)
EVERYWHERE = Recording("v", "v", ONE, sections="all", compartments="all")


def test_ttx_is_everywhere_in_its_cells_and_blocks_nothing_that_does_not_read_it(tmp_path: Path) -> None:
    """The cells' hh channels do not read ttxo, so the traces stay those of the circuit without it."""
    (tmp_path / "TTXDynamicsSwitch.mod").write_text(SWITCH)
    level = Recording("ttx", "ttxo", "Left", sections="all", compartments="all")
    what = plan(modifications=(BLOCK,), recordings=(SOMA, level, EVERYWHERE))
    results = run(what, profile=Profile(mechanisms=(tmp_path,)))
    found = {trace.report: trace for trace in results.traces if trace.population == "left"}
    assert set(found["ttx"].node_ids.tolist()) == {0}
    assert found["ttx"].data.shape == found["v"].data.shape
    np.testing.assert_array_equal(found["ttx"].data, 1.0)
    assert_same(results, by_hand(tmp_path))


def test_ttx_takes_away_the_channels_that_read_it(tmp_path: Path) -> None:
    """Blocked cells are those whose conductance is 0 by hand, where nothing knows of TTX; others stay as they are."""
    circuit = blockable_circuit(tmp_path)
    mods = sorted((circuit / "components" / "mod").glob("*.mod"))
    case = {"folder": str(circuit), "library": str(compiled([*mods, OURS / "pynn_io_gap.mod"], quiet))}
    conductance = Recording("g", "g_blockable", ONE, sections="soma", interval=1.0)
    what = plan(recordings=(SOMA, conductance))
    network = read(circuit / "circuit_config.json").network
    free = simulate(network, what, "neuron")
    assert_same(free, by_hand(tmp_path, **case))
    assert conductances(free).max() > 1e-3
    blocked = simulate(network, plan(recordings=(SOMA, conductance), modifications=(BLOCK,)), "neuron")
    np.testing.assert_array_equal(conductances(blocked), 0.0)
    assert_same(blocked, by_hand(tmp_path, **case, set=[["left", 0, "all", "gbar_blockable", 0.0]]))
    assert spikes_of_cell(free) > 0 == spikes_of_cell(blocked)


def blockable_circuit(folder: Path) -> Path:
    """The fixture with another sodium channel in the place of hh's, and the switch among its mechanisms."""
    circuit = folder / "circuit"
    shutil.copytree(FOLDER, circuit)
    (circuit / "components/mod/TTXDynamicsSwitch.mod").write_text(SWITCH)
    (circuit / "components/mod/blockable.mod").write_text(SODIUM)
    for template in (circuit / "components/hoc").glob("*.hoc"):
        text = template.read_text()
        before = text.count("insert hh")
        text = text.replace(
            "insert hh gnabar_hh = 0.2", "insert hh gnabar_hh = 0 insert blockable gbar_blockable = 0.3"
        )
        text = text.replace("insert hh }", "insert hh gnabar_hh = 0 insert blockable }")
        assert text.count("insert blockable") == before > 0
        template.write_text(text)
    return circuit


def conductances(results: Results) -> np.ndarray:
    return next(trace.data for trace in results.traces if trace.report == "g")


def spikes_of_cell(results: Results) -> int:
    return int((results.spikes["left"].node_ids == 0).sum())
